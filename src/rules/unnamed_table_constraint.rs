//! A table is created with a constraint that has no name.

use crate::constraints::MigrationFile;
use crate::constraints::advice::{RAISES, by_hand, name_to_write, what_to_write};
use crate::constraints::convention_name::raises_without_name;
use crate::constraints::inline::{Inline, write_name};
use crate::constraints::suggestion::suggest;
use crate::constraints::type_checks::{type_checks, unnamed_type};
use crate::diagnostic::{Diagnostic, Rule, Severity};
use crate::fix::{Fix, Safety};
use crate::migration::{Name, Step};
use crate::naming::ConstraintKind;

pub(super) static RULE: Rule = Rule {
    name: "unnamed-table-constraint",
    summary: "a table is created with a constraint that has no name",
    severity: Severity::Off,
    documentation: include_str!("../../docs/rules/unnamed-table-constraint.md"),
};

pub(super) fn check(file: &MigrationFile<'_>) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for (step, inline) in file.inline().iter().filter(|(step, _)| step.method == "create_table") {
        if inline.name == Name::Unnamed {
            found.push(diagnostic(file, step, inline));
        }
    }
    for step in file.migration.steps.iter().filter(|step| step.method == "create_table") {
        for check in type_checks(step) {
            found.extend(unnamed_type(&RULE, file, step, &check));
        }
    }
    found
}

fn diagnostic(file: &MigrationFile<'_>, step: &Step<'_>, inline: &Inline<'_>) -> Diagnostic {
    let constraint = inline.constraint(step);
    let suggestion = suggest(file, constraint);
    let name = name_to_write(file, Some(&constraint), &suggestion);
    let table = step
        .table
        .known()
        .map(|table| format!(" of `{table}`"))
        .unwrap_or_default();
    let message = format!("{}{table} has no name", inline.kind.label());
    let mut diagnostic = Diagnostic::new(&RULE, file.file(), inline.argument.span, message)
        .focus(inline.argument.span, "the database invents a name; it goes when the table goes")
        .help(match (&suggestion.name, inline.kind) {
            (Some(_), _) if file.is_deployed => what_to_write(file, &constraint, "", &suggestion),
            (Some(name), ConstraintKind::Unique) if inline.call.is_none() => {
                format!("write `sa.UniqueConstraint(..., name='{name}')` into the table instead of `unique=True`")
            }
            (Some(name), _) => format!("name it: `{name}`"),
            (None, _) => "give it a name with `name=`".to_owned(),
        });
    if raises_without_name(file, constraint) {
        diagnostic.severity = Severity::Error;
        RAISES.clone_into(&mut diagnostic.focus.text);
        diagnostic.help = Some(by_hand(file, constraint, " as `name=`"));
    }
    let written = name.text.as_deref().filter(|_| name.certain);
    let edit = || write_name(file, &step.receiver, inline.call?, written?);
    let safety = Safety::unless(file.is_deployed || suggestion.unread.is_some());
    diagnostic.fix = edit().map(|edit| Fix::new("name it", safety, vec![edit]));
    diagnostic.suggested_name = name.text;
    diagnostic
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::rules::harness::{ENV, check, revision, shown};

    #[test]
    fn what_is_made_with_a_table_is_named_there() {
        let path = "migrations/versions/b.py";
        let files = [
            ENV,
            ("app/models.py", "target_metadata = None\n"),
            ("alembic-named.toml", &format!("severity = {{ {} = 'warning' }}\n", RULE.name)),
            (
                path,
                &revision(
                    "op.create_table(\n    'order',\n    sa.Column('id', unique=True),\n    sa.ForeignKeyConstraint(['id'], ['invoice.id']),\n)",
                    "pass",
                ),
            ),
        ];
        insta::assert_snapshot!(shown(&check(&files, path)), @r"
        7:25 warning[unnamed-table-constraint]: unique constraint of `order` has no name
          unique=True: the database invents a name; it goes when the table goes
          help: write `sa.UniqueConstraint(..., name='uq_order_id')` into the table instead of `unique=True`
        8:9 warning[unnamed-table-constraint]: foreign key of `order` has no name
          sa.ForeignKeyConstraint(['id'], ['invoice.id']): the database invents a name; it goes when the table goes
          help: name it: `fk_order_id_invoice`
          Safe fix: name it
        -         sa.ForeignKeyConstraint(['id'], ['invoice.id']),
        +         sa.ForeignKeyConstraint(['id'], ['invoice.id'], name=op.f('fk_order_id_invoice')),
        ");
    }
}
