//! Constraints that SQLite can alter in batch mode only, with a name or without (`alembic/ddl/sqlite.py`, `add_constraint`).

use super::MigrationFile;
use super::unnamed_operation::subject;
use crate::diagnostic::{Diagnostic, Rule, Severity};
use crate::migration::{Direction, Name, Operation};
use crate::naming::{ConstraintKind, Dialect};

/// What to say beside a name that alone does not make an operation work on SQLite.
pub(super) fn batch_mode(file: &MigrationFile<'_>, operation: &Operation<'_>) -> Option<String> {
    if file.dialect() != Some(Dialect::Sqlite) || operation.receiver.is_batch() {
        return None;
    }
    let table = operation.table.known().map_or("...", String::as_str);
    let mut text = format!("SQLite needs batch mode as well (`op.batch_alter_table('{table}')`)");
    if !file.naming().renders_as_batch {
        text.push_str("; autogenerate writes it with `render_as_batch=True` in env.py");
    }
    Some(text)
}

/// The named creates or drops that fail on SQLite.
///
/// Only where the database is certainly SQLite, and in a new migration: a committed one has run, or is for another database.
pub(crate) fn outside_batch(file: &MigrationFile<'_>, rule: &'static Rule, creates: bool) -> Vec<Diagnostic> {
    let is_plain = |operation: &&Operation<'_>| {
        !operation.receiver.is_batch()
            && operation.when.direction == Direction::Upgrade
            && !operation.when.conditional
            && !matches!(operation.kind(), Some(ConstraintKind::Index | ConstraintKind::Exclude))
            && operation.name != Name::Unnamed
            && operation.creates() == creates
    };
    let mut found = file.migration.operations.iter().filter(is_plain).peekable();
    if found.peek().is_none() || file.is_deployed || !file.is_for_sqlite() {
        return Vec::new();
    }
    found.map(|operation| fails_on_sqlite(file, rule, operation)).collect()
}

fn fails_on_sqlite(file: &MigrationFile<'_>, rule: &'static Rule, operation: &Operation<'_>) -> Diagnostic {
    let table = operation.table.known().map_or("...", String::as_str);
    let mut help = format!("write it below `with op.batch_alter_table('{table}') as batch_op:`");
    if !file.naming().renders_as_batch {
        help.push_str("; autogenerate does with `render_as_batch=True` in env.py");
    }
    let done = if operation.creates() { "added" } else { "dropped" };
    let message = format!("{} cannot be {done} on SQLite outside of batch mode", subject(operation));
    let call = operation.call.span;
    let mut diagnostic = Diagnostic::new(rule, file.file(), call, message)
        .focus(call, "Alembic raises NotImplementedError here, with a name or without")
        .help(help);
    diagnostic.severity = Severity::Warning;
    diagnostic
}

#[cfg(test)]
mod tests {
    use crate::diagnostic::{Diagnostic, Severity};
    use crate::rules::harness::{check_at, history_of};

    const LITE: &str = "[alembic]\nscript_location = migrations\nsqlalchemy.url = sqlite:///app.db\n";

    /// The findings for an upgrade, with this ini and these lines in `env.py`.
    fn found(ini: &str, env: &str, upgrade: &str, head: bool) -> Vec<String> {
        let (mut files, last) = history_of("target_metadata = None\n", &[upgrade]);
        files[0].1.push_str(env);
        files.push(("alembic.ini".into(), ini.to_owned()));
        let text = |one: Diagnostic| {
            assert!(one.severity == Severity::Warning && one.fix.is_none(), "{one:?}");
            format!("{}: {} | {}", one.rule.name, one.message, one.help.unwrap_or_default())
        };
        let found = check_at(&files, &last.path().display(), head);
        found.into_iter().map(text).collect()
    }

    /// Alembic 1.20 on SQLite: each of these raises, with a name as well.
    #[test]
    fn a_name_does_not_make_sqlite_alter_a_constraint() {
        let key = "op.create_foreign_key('fk', 'order', 'invoice', ['invoice_id'], ['id'])";
        let batch =
            "with op.batch_alter_table('order') as b: b.create_foreign_key('fk', 'invoice', ['invoice_id'], ['id'])";
        let said = "unnamed-constraint: foreign key `order.invoice_id` cannot be added on SQLite outside of batch mode | write it below \
              `with op.batch_alter_table('order') as batch_op:`";
        let hint = "; autogenerate does with `render_as_batch=True` in env.py";
        assert_eq!(found(LITE, "", key, false), [format!("{said}{hint}")]);
        assert_eq!(found(LITE, "context.configure(render_as_batch=True)", key, false), [said]);
        for upgrade in [
            "op.create_unique_constraint(op.f('uq'), 'order', ['code'])",
            "op.create_check_constraint('ck', 'order', 'a > 0')",
            "op.create_primary_key('pk', 'order', ['id'])",
            "op.drop_constraint('fk', 'order', type_='foreignkey')",
        ] {
            assert_eq!(found(LITE, "", upgrade, false).len(), 1, "{upgrade}");
        }
        let url = |url: &str| LITE.replace("sqlite:///app.db", url);
        let (postgresql, template) = (url("postgresql://h/d"), url("driver://user:pass@localhost/dbname"));
        let no_url = "[alembic]\nscript_location = migrations\n";
        for (ini, env, upgrade, head) in [
            (LITE, "", batch, false),
            (LITE, "", "op.create_index('ix', 'order', ['code'])", false),
            (LITE, "", &format!("if x: {key}"), false),
            // A committed migration has run, or is for another database.
            (LITE, "", key, true),
            (&postgresql, "", key, false),
            (&template, "", key, false),
            (LITE, "config.set_main_option('sqlalchemy.url', settings.URL)", key, false),
            (LITE, "url = os.environ['DATABASE_URL']", key, false),
            (no_url, "engine = create_engine('sqlite:///app.db')", key, false),
        ] {
            assert_eq!(found(ini, env, upgrade, head), [""; 0], "{ini} {env} {upgrade} {head}");
        }
    }
}
