//! A finished name is written as a plain string, so the convention adds its prefix again.

use crate::constraints::MigrationFile;
use crate::constraints::constraint::Constraint;
use crate::constraints::convention_name::prefix_of_plain_names;
use crate::constraints::edits::finished_name;
use crate::constraints::inline::write_name;
use crate::diagnostic::{Diagnostic, Rule, Severity};
use crate::fix::{Edit, Fix, Safety};
use crate::migration::{Name, Operation, Receiver};
use crate::source::Span;

pub(super) static RULE: Rule = Rule {
    name: "doubled-prefix",
    summary: "a plain string that the convention prefixes again, where `op.f()` was meant",
    severity: Severity::Warning,
    documentation: include_str!("../../docs/rules/doubled-prefix.md"),
};

pub(super) fn check(file: &MigrationFile<'_>) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for create in file.migration.operations.iter().filter(|operation| operation.creates()) {
        if let (Name::Plain(name), Some(argument)) = (&create.name, create.name_argument) {
            let (constraint, spans) = (Constraint::from(create), (create.call.span, argument.value.span));
            found.extend(diagnostic(file, constraint, spans, name, |name| finish(file, create, name)));
        }
    }
    for (step, inline) in file.inline() {
        if let (Name::Plain(name), Some(call)) = (&inline.name, inline.call) {
            let (constraint, spans) = (inline.constraint(step), (step.call.span, inline.argument.span));
            let write = |name: &str| write_name(file, &step.receiver, call, name);
            found.extend(diagnostic(file, constraint, spans, name, write));
        }
    }
    found
}

/// A drop alone is no finding: it may mean a constraint that an older revision made under the doubled name.
fn diagnostic(
    file: &MigrationFile<'_>,
    constraint: Constraint<'_>,
    (call, place): (Span, Span),
    name: &str,
    write: impl Fn(&str) -> Option<Edit>,
) -> Option<Diagnostic> {
    // Every usual prefix ends in an underscore; a name without one needs no look at the project.
    if !name.contains('_') {
        return None;
    }
    let prefix = prefix_of_plain_names(file, constraint)?;
    let rest = name.strip_prefix(&prefix)?;
    let message = format!("the convention makes `{prefix}{name}` of this name");
    let mut diagnostic = Diagnostic::new(&RULE, file.file(), call, message)
        .focus(place, format!("it has the prefix `{prefix}` already"))
        .help(format!("write the finished name as `op.f('{name}')`, or only `'{rest}'`"));
    let same = |other: &&Operation<'_>| {
        !other.creates()
            && matches!(&other.name, Name::Plain(dropped) if dropped == name)
            && other.table == *constraint.table
    };
    let drops = file.migration.operations.iter().filter(same);
    let edits: Option<Vec<Edit>> = std::iter::once(write(name))
        .chain(drops.map(|drop| finish(file, drop, name)))
        .collect();
    let safety = Safety::unless(file.is_deployed);
    diagnostic.fix = edits.map(|edits| Fix::new("write it as a finished name", safety, edits));
    Some(diagnostic)
}

fn finish(file: &MigrationFile<'_>, operation: &Operation<'_>, name: &str) -> Option<Edit> {
    if operation.receiver == Receiver::Bare {
        return None;
    }
    let text = finished_name(file, &operation.receiver, operation.call, name)?;
    Some(Edit::replace(file.file(), operation.name_argument?.value.span, text))
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::rules::harness::{check_last, fixed, revision, rules_of, shown};

    const MODELS: &str = "from sqlalchemy import MetaData\ntarget_metadata = MetaData(naming_convention={'ck': 'ck_%(table_name)s_%(constraint_name)s', 'ix': 'ix_%(column_0_label)s'})\n";

    #[test]
    fn a_finished_name_is_written_as_one() {
        let create = "op.create_check_constraint('ck_order_positive', 'order', 'amount > 0')";
        let drop = "op.drop_constraint('ck_order_positive', 'order', type_='check')";
        insta::assert_snapshot!(shown(&check_last(MODELS, &[&revision(create, drop)])), @r"
        5:32 warning[doubled-prefix]: the convention makes `ck_order_ck_order_positive` of this name
          'ck_order_positive': it has the prefix `ck_order_` already
          help: write the finished name as `op.f('ck_order_positive')`, or only `'positive'`
          Safe fix: write it as a finished name
        -     op.create_check_constraint('ck_order_positive', 'order', 'amount > 0')
        +     op.create_check_constraint(op.f('ck_order_positive'), 'order', 'amount > 0')
        -     op.drop_constraint('ck_order_positive', 'order', type_='check')
        +     op.drop_constraint(op.f('ck_order_positive'), 'order', type_='check')
        ");
    }

    #[test]
    fn a_prefix_is_doubled_inside_tables_and_columns_as_well() {
        for (call, expected) in [
            ("op.create_table('t', sa.CheckConstraint('c > 0', name='ck_t_c'))", "name=op.f('ck_t_c')"),
            (
                "op.add_column('t', sa.Column('c', sa.CheckConstraint('c > 0', name='ck_t_c')))",
                "name=op.f('ck_t_c')",
            ),
            (
                "with op.batch_alter_table('t') as b: b.add_column(sa.Column('c', sa.CheckConstraint('c > 0', name='ck_t_c')))",
                "name=b.f('ck_t_c')",
            ),
        ] {
            let found = check_last(MODELS, &[call]);
            assert_eq!(rules_of(&found), [RULE.name].into(), "{call}");
            let after = fixed(&found);
            assert!(after.text().contains(expected), "{}", after.text());
            assert!(check_last(MODELS, &[after.text()]).is_empty());
        }
    }
}
