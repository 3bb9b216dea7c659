//! A constraint or an index is dropped without saying which.

use crate::constraints::MigrationFile;
use crate::constraints::convention_name::known_convention;
use crate::constraints::default_name::default_name;
use crate::constraints::edits::naming_of_reflected;
use crate::constraints::sqlite_batch::outside_batch;
use crate::constraints::suggestion::suggest;
use crate::constraints::unnamed_operation::{complete, subject, this_direction};
use crate::diagnostic::{Diagnostic, Rule, Severity};
use crate::migration::{Name, Operation};
use crate::naming::{ConstraintKind, Dialect, Value};

pub(super) static RULE: Rule = Rule {
    name: "unnamed-drop",
    summary: "a constraint or an index is dropped without a name, which fails when it runs",
    severity: Severity::Error,
    documentation: include_str!("../../docs/rules/unnamed-drop.md"),
};

pub(super) fn check(file: &MigrationFile<'_>) -> Vec<Diagnostic> {
    let operations = file.migration.operations.iter().enumerate();
    operations
        .filter(|(_, operation)| !operation.creates() && operation.name == Name::Unnamed)
        .filter(|(_, operation)| !works_without_name(file, operation))
        .map(|(at, operation)| diagnostic(file, at, operation))
        .chain(outside_batch(file, &RULE, false))
        .collect()
}

/// A convention can name a drop when its template needs nothing but the table, and MySQL's primary key needs no name at all.
pub(super) fn works_without_name(file: &MigrationFile<'_>, operation: &Operation<'_>) -> bool {
    let Some(kind) = operation.kind().filter(|kind| *kind != ConstraintKind::Index) else {
        return false;
    };
    if file.is_named_by_database(kind) {
        return true;
    }
    let known = known_convention(&file.naming().target);
    match known.and_then(|(convention, _)| convention.template_for(kind)) {
        Some(Value::Template(template)) => tokens(template).all(|token| token == "table_name"),
        _ => false,
    }
}

/// The names between `%(` and `)` in a template.
fn tokens(template: &str) -> impl Iterator<Item = &str> {
    template
        .split("%(")
        .skip(1)
        .map(|rest| rest.split(')').next().unwrap_or_default())
}

fn diagnostic(file: &MigrationFile<'_>, at: usize, operation: &Operation<'_>) -> Diagnostic {
    let create = file.partner(at);
    let message = format!("{} is dropped without its name", subject(create.unwrap_or(operation)));
    let reason =
        format!("{} fails: it does not say which {}", this_direction(operation.when.direction), what(operation));
    let diagnostic =
        Diagnostic::new(&RULE, file.file(), operation.call.span, message).focus(operation.name_span(), reason);
    match create {
        Some(create) => {
            let known = file.pairing.partner(at).and_then(|create| file.suggestion(create));
            let suggestion = known.cloned().unwrap_or_else(|| suggest(file, create));
            complete(file, diagnostic, at, Some("this is what it must drop"), &suggestion)
        }
        None => alone(file, diagnostic, operation),
    }
}

fn what(operation: &Operation<'_>) -> &'static str {
    match operation.kind() {
        Some(ConstraintKind::Index) => "index",
        _ => "constraint",
    }
}

/// Nothing in this migration makes what is dropped: its name is in an older one, or only in the database.
fn alone(file: &MigrationFile<'_>, diagnostic: Diagnostic, operation: &Operation<'_>) -> Diagnostic {
    let dialect = file.dialect().unwrap_or(Dialect::Postgresql);
    let usual =
        default_name(dialect, operation).map(|name| format!(", on {} usually `{}`", dialect.label(), name.text));
    let more = if operation.when.repeated {
        "it runs in a loop"
    } else {
        "no create of this migration certainly belongs to it"
    };
    let on_sqlite = operation
        .kind()
        .and_then(|kind| naming_of_reflected(file, operation, kind))
        .map(|naming| {
            format!("; on SQLite it may have none: give the batch `{naming}`, and write the name that this makes")
        });
    diagnostic.help(format!(
        "write the name that the {} has in the database{}; none is suggested, because {more}{}",
        what(operation),
        usual.unwrap_or_default(),
        on_sqlite.unwrap_or_default()
    ))
}

#[cfg(test)]
mod tests {
    use crate::rules::harness::{ANY, PG, SQLITE, fixed, of_migration, shown};

    #[test]
    fn a_drop_alone_is_left_to_a_person() {
        let drop = "op.drop_constraint(None, 'order', type_='unique')";
        insta::assert_snapshot!(shown(&of_migration(PG, "pass", drop, false)), @r"
        7:24 error[unnamed-drop]: unique constraint on `order` is dropped without its name
          None: this downgrade fails: it does not say which constraint
          help: write the name that the constraint has in the database; none is suggested, because no create of this migration certainly belongs to it
        ");
    }

    #[test]
    fn sqlite_needs_the_names_of_what_it_reflects() {
        let upgrade = "with op.batch_alter_table('order', schema=None) as batch_op:\n    batch_op.drop_constraint(None, type_='foreignkey')";
        let downgrade = "with op.batch_alter_table('order', schema=None) as batch_op:\n    batch_op.create_foreign_key(None, 'invoice', ['invoice_id'], ['id'])";
        insta::assert_snapshot!(shown(&of_migration(SQLITE, upgrade, downgrade, false)), @r"
        9:37 error[unnamed-constraint]: foreign key `order.invoice_id` has no name
          None: SQLite refuses it in batch mode: the constraint must have a name
          6:34: so this upgrade fails: no name to drop
          app/models.py:3:7: no naming convention here, which is why autogenerate wrote None
          help: name it in both functions: `fk_order_invoice_id_invoice`
          Suggested fix: name it `fk_order_invoice_id_invoice` in both functions
        6:34 error[unnamed-drop]: foreign key `order.invoice_id` is dropped without its name
          None: this upgrade fails: it does not say which constraint
          9:37: this is what it must drop
          app/models.py:3:7: no naming convention here, which is why autogenerate wrote None
          help: name it in both functions: `fk_order_invoice_id_invoice`
          Suggested fix: name it `fk_order_invoice_id_invoice` in both functions
        -     with op.batch_alter_table('order', schema=None) as batch_op:
        -         batch_op.drop_constraint(None, type_='foreignkey')
        +     with op.batch_alter_table('order', schema=None, naming_convention={'fk': 'fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s'}) as batch_op:
        +         batch_op.drop_constraint(batch_op.f('fk_order_invoice_id_invoice'), type_='foreignkey')
        -         batch_op.create_foreign_key(None, 'invoice', ['invoice_id'], ['id'])
        +         batch_op.create_foreign_key(batch_op.f('fk_order_invoice_id_invoice'), 'invoice', ['invoice_id'], ['id'])
        ");
    }

    #[test]
    fn a_block_that_drops_two_kinds_gets_one_dict() {
        let upgrade = "with op.batch_alter_table(('t')) as b:\n    b.drop_constraint(None, type_='foreignkey')\n    b.drop_constraint(None, type_='unique')";
        let downgrade = "with op.batch_alter_table('t') as b:\n    b.create_unique_constraint(None, ['u'])\n    b.create_foreign_key(None, 'o', ['i'], ['id'])";
        let found = of_migration(SQLITE, upgrade, downgrade, false);
        let after = fixed(&found);
        let after = after.text();
        assert_eq!(after.matches("naming_convention=").count(), 1, "{after}");
        assert!(after.contains("batch_alter_table(('t'), naming_convention={'fk': "), "{after}");
        assert!(after.contains("'uq': ") && !after.contains("(None"), "{after}");
    }

    #[test]
    fn what_sqlite_holds_without_a_name_is_found_by_a_convention_of_the_batch() {
        let batch = "with op.batch_alter_table('t') as b:\n    b.drop_constraint(None, type_='unique')\n";
        let given = batch.replace("'t'", "'t', naming_convention=X");
        let plain = "op.drop_constraint(None, 't', type_='unique')\n";
        for (url, upgrade, expected) in [
            (SQLITE, batch, true),
            (ANY, batch, true),
            (PG, batch, false),
            (SQLITE, &given, false),
            (SQLITE, plain, false),
        ] {
            let found = of_migration(url, upgrade, "pass", false);
            let help = found[0].help.as_deref().unwrap_or_default();
            let proposed = "give the batch `naming_convention={'uq': 'uq_%(table_name)s_%(column_0_name)s'}`";
            assert_eq!(help.contains(proposed), expected, "{url} {upgrade}: {help}");
        }
    }
}
