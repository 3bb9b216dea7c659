//! A constraint is created without a name, and the project's convention gives it one while the migration runs.

use super::unnamed_constraint::unnamed_creates;
use super::unnamed_drop::works_without_name;
use crate::constraints::MigrationFile;
use crate::constraints::unnamed_operation::{complete, subject, this_direction};
use crate::diagnostic::{Diagnostic, Rule, Severity};
use crate::migration::Name;

pub(super) static RULE: Rule = Rule {
    name: "implicit-constraint-name",
    summary: "a constraint gets its name from the convention only while the migration runs",
    severity: Severity::Error,
    documentation: include_str!("../../docs/rules/implicit-constraint-name.md"),
};

pub(super) fn check(file: &MigrationFile<'_>) -> Vec<Diagnostic> {
    unnamed_creates(file, true)
        .map(|(at, operation, suggestion)| {
            let message = format!("{} is named only while the migration runs", subject(operation));
            let diagnostic = Diagnostic::new(&RULE, file.file(), operation.call.span, message)
                .focus(operation.name_span(), "the name changes when the convention does");
            let text = file.partner(at).map(|drop| {
                let direction = this_direction(drop.when.direction);
                if drop.name != Name::Unnamed {
                    format!("and {direction} knows it by this name")
                } else if works_without_name(file, drop) {
                    format!("and {direction} finds it only while the convention stays as it is")
                } else {
                    format!("and {direction} fails: no columns to name it by")
                }
            });
            complete(file, diagnostic, at, text.as_deref(), suggestion)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::rules::harness::{check_last, revision, rules_of, shown};

    const CREATE: &str = "op.create_foreign_key(None, 'order', 'invoice', ['invoice_id'], ['id'])";
    const DROP: &str = "op.drop_constraint(None, 'order', type_='foreignkey')";

    fn models(template: &str) -> String {
        format!("import sqlalchemy as sa\ntarget_metadata = sa.MetaData(naming_convention={{'fk': '{template}'}})\n")
    }

    #[test]
    fn the_name_of_the_convention_is_written_down() {
        let found = check_last(&models("fk_%(table_name)s"), &[&revision(CREATE, DROP)]);
        insta::assert_snapshot!(shown(&found), @r"
        5:27 error[implicit-constraint-name]: foreign key `order.invoice_id` is named only while the migration runs
          None: the name changes when the convention does
          7:24: and this downgrade finds it only while the convention stays as it is
          app/models.py:2:49: this convention names it while the migration runs
          help: name it in both functions: `fk_order`, as your convention does
          Safe fix: name it `fk_order` in both functions
        -     op.create_foreign_key(None, 'order', 'invoice', ['invoice_id'], ['id'])
        +     op.create_foreign_key(op.f('fk_order'), 'order', 'invoice', ['invoice_id'], ['id'])
        -     op.drop_constraint(None, 'order', type_='foreignkey')
        +     op.drop_constraint(op.f('fk_order'), 'order', type_='foreignkey')
        ");
    }

    #[test]
    fn a_convention_that_needs_the_table_only_names_the_drop_as_well() {
        for (template, expected) in [
            ("fk_%(table_name)s", "and this downgrade finds it only while the convention stays as it is"),
            ("fk_%(table_name)s_%(column_0_name)s", "and this downgrade fails: no columns to name it by"),
        ] {
            let found = check_last(&models(template), &[&revision(CREATE, DROP)]);
            let implicit = found.iter().find(|one| one.rule == &RULE).unwrap();
            assert_eq!(implicit.related[0].text, expected, "{template}");
            let fails = expected.contains("fails");
            assert_eq!(rules_of(&found).contains("unnamed-drop"), fails, "{found:?}");
        }
    }
}
