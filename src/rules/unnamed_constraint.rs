//! A constraint is created without a name, and nothing in the project gives it one.

use crate::constraints::MigrationFile;
use crate::constraints::advice::consequence;
use crate::constraints::sqlite_batch::outside_batch;
use crate::constraints::suggestion::Suggestion;
use crate::constraints::unnamed_operation::{complete, subject, this_direction};
use crate::diagnostic::{Diagnostic, Rule, Severity};
use crate::migration::{Action, Name, Operation};
use crate::naming::ConstraintKind;

pub(super) static RULE: Rule = Rule {
    name: "unnamed-constraint",
    summary: "a constraint is created without a name, and no naming convention gives it one",
    severity: Severity::Error,
    documentation: include_str!("../../docs/rules/unnamed-constraint.md"),
};

pub(super) fn check(file: &MigrationFile<'_>) -> Vec<Diagnostic> {
    let unnamed = unnamed_creates(file, false);
    let unnamed = unnamed.map(|(at, operation, suggestion)| diagnostic(file, at, operation, suggestion));
    unnamed.chain(outside_batch(file, &RULE, true)).collect()
}

/// The creates without a name, with the name to suggest: those that the project's convention names while the migration runs, or the others.
///
/// `create_index(None)` always gets a name, and MySQL calls every primary key `PRIMARY`.
pub(super) fn unnamed_creates<'f>(
    file: &'f MigrationFile<'_>,
    are_implicit: bool,
) -> impl Iterator<Item = (usize, &'f Operation<'f>, &'f Suggestion)> {
    let operations = file.migration.operations.iter().enumerate();
    operations
        .filter(move |(_, operation)| {
            matches!(operation.action, Action::Create(kind) if kind != ConstraintKind::Index && !file.is_named_by_database(kind))
                && operation.name == Name::Unnamed
        })
        .filter_map(move |(at, operation)| Some((at, operation, file.suggestion(at)?)))
        .filter(move |(.., suggestion)| suggestion.is_implicit == are_implicit)
}

fn diagnostic(file: &MigrationFile<'_>, at: usize, operation: &Operation<'_>, suggestion: &Suggestion) -> Diagnostic {
    let message = format!("{} has no name", subject(operation));
    let diagnostic = Diagnostic::new(&RULE, file.file(), operation.call.span, message)
        .focus(operation.name_span(), consequence(file, operation));
    let text = file.partner(at).map(|drop| match drop.name {
        Name::Unnamed => format!("so {} fails: no name to drop", this_direction(drop.when.direction)),
        _ => format!("and {} knows it by this name", this_direction(drop.when.direction)),
    });
    complete(file, diagnostic, at, text.as_deref(), suggestion)
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::diagnostic::Diagnostic;
    use crate::fix::Safety;
    use crate::rules::harness::{ANY, MARIADB, MYSQL, PG, SQLITE, check, check_last_on, of_migration, revision, shown};

    const CREATE: &str = "op.create_foreign_key(None, 'order', 'invoice', ['invoice_id'], ['id'])";
    const DROP: &str = "op.drop_constraint(None, 'order', type_='foreignkey')";

    #[test]
    fn both_directions_get_the_name() {
        insta::assert_snapshot!(shown(&of_migration(PG, CREATE, DROP, false)), @r"
        5:27 error[unnamed-constraint]: foreign key `order.invoice_id` has no name
          None: Alembic never learns the name it gets
          7:24: so this downgrade fails: no name to drop
          app/models.py:3:7: no naming convention here, which is why autogenerate wrote None
          help: name it in both functions: `fk_order_invoice_id_invoice`
          Safe fix: name it `fk_order_invoice_id_invoice` in both functions
        7:24 error[unnamed-drop]: foreign key `order.invoice_id` is dropped without its name
          None: this downgrade fails: it does not say which constraint
          5:27: this is what it must drop
          app/models.py:3:7: no naming convention here, which is why autogenerate wrote None
          help: name it in both functions: `fk_order_invoice_id_invoice`
          Safe fix: name it `fk_order_invoice_id_invoice` in both functions
        -     op.create_foreign_key(None, 'order', 'invoice', ['invoice_id'], ['id'])
        +     op.create_foreign_key(op.f('fk_order_invoice_id_invoice'), 'order', 'invoice', ['invoice_id'], ['id'])
        -     op.drop_constraint(None, 'order', type_='foreignkey')
        +     op.drop_constraint(op.f('fk_order_invoice_id_invoice'), 'order', type_='foreignkey')
        ");
    }

    #[test]
    fn a_committed_migration_gets_the_name_that_its_database_chose() {
        for (url, name, is_fixable, rename) in [
            (
                PG,
                "order_invoice_id_fkey",
                true,
                "RENAME CONSTRAINT \"order_invoice_id_fkey\" TO \"fk_order_invoice_id_invoice\"",
            ),
            (
                MARIADB,
                "fk_order_invoice_id_invoice",
                false,
                "in a new migration; it is shown by:\n    SHOW CREATE TABLE `order`",
            ),
        ] {
            let found = of_migration(url, CREATE, DROP, true);
            assert_eq!(found.len(), 2, "{url}");
            for diagnostic in found {
                assert_eq!(diagnostic.suggested_name.as_deref(), Some(name), "{url}");
                let help = diagnostic.help.as_ref().unwrap();
                assert!(help.contains(rename), "{help}");
                assert_eq!(diagnostic.fix.as_ref().map(|fix| fix.safety), is_fixable.then_some(Safety::Suggested));
            }
        }
        let new = of_migration(PG, CREATE, DROP, false);
        assert!(new.iter().all(|one| one.fix.as_ref().unwrap().safety == Safety::Safe));
    }

    #[test]
    fn sqlite_needs_batch_mode_as_well() {
        let in_batch = "with op.batch_alter_table('order') as batch_op:\n    batch_op.create_foreign_key(None, 'invoice', ['invoice_id'], ['id'])";
        for (url, configure, create, expected) in [
            (SQLITE, "", CREATE, Some(true)),
            (SQLITE, "context.configure(render_as_batch=False)", CREATE, Some(true)),
            (SQLITE, "context.configure(render_as_batch=True)", CREATE, Some(false)),
            (SQLITE, "", in_batch, None),
            (PG, "", CREATE, None),
        ] {
            let env = format!("from alembic import context\nurl = '{url}'\ntarget_metadata = None\n{configure}\n");
            let path = "migrations/versions/b.py";
            let found = check(&[("migrations/env.py", env), (path, revision(create, "pass"))], path);
            let first = found.iter().find(|one| one.rule == &RULE).unwrap();
            let help = first.help.clone().unwrap();
            let said = help.contains("SQLite needs batch mode as well (`op.batch_alter_table('order')`)");
            assert_eq!(said, expected.is_some(), "{help}");
            assert_eq!(
                help.contains("`render_as_batch=True` in env.py"),
                expected == Some(true),
                "{configure}: {help}"
            );
            // The same is to be said when the name is written: the migration still does not run.
            assert_eq!(first.left_to_do.as_ref().is_some_and(|left| help.contains(left)), expected.is_some());
        }
    }

    #[test]
    fn a_long_name_is_told_whichever_the_database_is() {
        let create = format!("op.create_foreign_key(None, '{0}', 'invoice', ['{0}'], ['id'])", "a".repeat(40));
        for (url, expected) in [
            (PG, "; PostgreSQL will know it as `fk_aaa"),
            (ANY, "; on PostgreSQL SQLAlchemy would shorten it to `fk_aaa"),
            ("oracle://h/d", "; Oracle"),
        ] {
            let help = of_migration(url, &create, "pass", false)[0].help.clone().unwrap();
            assert_eq!(help.contains(expected), !url.starts_with("oracle"), "{url}: {help}");
        }
    }

    /// Each of these fixes did harm once.
    #[test]
    fn nothing_is_fixed_where_two_names_or_drops_could_be_meant() {
        let none = |upgrade: &str, downgrade: &str| {
            let found = of_migration(PG, upgrade, downgrade, false);
            assert!(!found.is_empty(), "{upgrade}");
            assert!(found.iter().all(|one| one.fix.is_none()), "{upgrade}: {found:?}");
            found
        };
        let drop = "op.drop_constraint(None, 't', type_='unique')";
        let one = "op.create_unique_constraint(None, 't', ['a'])";
        let found = none(one, "op.execute('ALTER TABLE t DROP CONSTRAINT t_a_key')");
        let help = found[0].help.as_ref().unwrap();
        assert!(help.contains("SQL in the other half drops `t_a_key`"), "{help}");
        let two =
            "op.create_unique_constraint(None, 't', ['a', 'b'])\nop.create_unique_constraint(None, 't', ['a', 'b'])";
        let found = none(two, &format!("{drop}\n{drop}"));
        let help = found[0].help.as_ref().unwrap();
        assert!(help.contains("would have the same name"), "{help}");
        none(
            "for x in y:\n    op.create_unique_constraint(None, 't', ['a'])",
            &format!("for x in y:\n    {drop}"),
        );
        let three = "op.create_unique_constraint(None, 't', ['a'])\nop.create_unique_constraint(None, 't', ['b'])";
        none(three, drop);
    }

    fn found(url: &str, body: &str) -> Vec<Diagnostic> {
        let revision = format!("from alembic import op\n{{0}}\n{body}\n");
        check_last_on(url, "target_metadata = None\n", &[&revision], false)
    }

    #[test]
    fn a_primary_key_needs_no_name_where_the_database_calls_each_one_primary() {
        let key = "def upgrade():\n    op.create_primary_key(None, 'order', ['id'])";
        for (url, expected) in [(MYSQL, 0), (MARIADB, 0), (PG, 1), ("driver://h/d", 1)] {
            assert_eq!(found(url, key).len(), expected, "{url}");
        }
        let unique = "def upgrade():\n    op.create_unique_constraint(None, 'order', ['id'])";
        assert_eq!(found(MYSQL, unique).len(), 1);
    }

    #[test]
    fn a_name_that_a_call_leaves_out_is_found_where_it_is_used_and_left_to_a_person() {
        let body =
            "def add(name=None):\n    op.create_unique_constraint(name, 'order', ['a'])\ndef upgrade():\n    add()";
        let found = found(PG, body);
        let [only] = found.as_slice() else { panic!("{found:?}") };
        assert!(only.fix.is_none());
        let calls: Vec<&str> = only
            .related
            .iter()
            .map(|label| label.place.file.slice(label.place.span))
            .collect();
        assert!(calls.contains(&"add()"), "{calls:?}");
        assert_eq!(only.suggested_name.as_deref(), Some("uq_order_a"));
    }
}
