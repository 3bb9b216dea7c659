//! What to do about a constraint without a name, in words: new or committed already, and on which database.

use std::fmt::Write;

use super::constraint::Constraint;
use super::convention_name::{prefix_of_plain_names, raises_without_name};
use super::suggestion::{Source, Suggestion};
use super::unnamed_operation::subject;
use super::{MigrationFile, edits};
use crate::diagnostic::{Diagnostic, Rule, Severity};
use crate::migration::{Direction, Name, Operation};
use crate::naming::{ConstraintKind, Dialect, default_names};

/// The name that belongs into the code.
pub(crate) struct NameToWrite {
    pub(crate) text: Option<String>,
    /// Whether it is the right one on every database that this migration is for.
    pub(crate) certain: bool,
}

/// In a committed migration that is the name which the database chose, as far as that can be told; else the one that is suggested.
pub(crate) fn name_to_write(
    file: &MigrationFile<'_>,
    constraint: Option<&Constraint<'_>>,
    suggestion: &Suggestion,
) -> NameToWrite {
    let suggested = |certain| NameToWrite {
        text: suggestion.name.clone(),
        certain,
    };
    match suggestion.source {
        Source::OtherDirection | Source::OtherRevision => return suggested(true),
        _ if suggestion.obstacle().is_some() => return suggested(false),
        _ if !file.is_deployed => return suggested(true),
        // A database that ran it may have any name.
        _ if suggestion.unread.is_some() => return suggested(false),
        Source::Project => return suggested(true),
        Source::Configured | Source::Documented => {}
    }
    let chosen = constraint
        .filter(|_| file.dialect().is_some())
        .and_then(|constraint| name_of_database(file, constraint));
    match chosen {
        Some(chosen) if chosen.is_exact => NameToWrite {
            text: Some(chosen.text),
            certain: true,
        },
        _ => suggested(false),
    }
}

/// What to write, in words.
pub(crate) fn what_to_write(
    file: &MigrationFile<'_>,
    constraint: &Constraint<'_>,
    both: &str,
    suggestion: &Suggestion,
) -> String {
    let Some(name) = &suggestion.name else {
        let because = suggestion
            .reason
            .iter()
            .map(|reason| format!("; none is suggested, because {reason}"));
        let what = if file.is_deployed {
            "this migration is committed already, so look the name up in a database that ran it, and write that"
        } else {
            "choose a name and write it"
        };
        return format!("{what}{both}{}", because.collect::<String>());
    };
    match (suggestion.source, &suggestion.unread) {
        (Source::OtherDirection, _) => format!("name it as the other half does: `{name}`"),
        (Source::OtherRevision, _) => {
            let path = suggestion
                .spoken
                .iter()
                .map(|place| format!(", as `{}` calls it", place.file.path()));
            format!("name it{both}: `{name}`{}", path.collect::<String>())
        }
        (_, unread) if file.is_deployed => deployed(file, constraint, both, name, suggestion.source, unread.is_some()),
        (Source::Project, None) => format!("name it{both}: `{name}`, as your convention does"),
        (Source::Configured, _) => format!("name it{both}: `{name}`, by the convention in your configuration"),
        (Source::Documented, None) => format!("name it{both}: `{name}`"),
        (Source::Project, Some(reason)) => format!(
            "name it{both}: `{name}`, by the convention that SQLAlchemy documents; the project's own cannot be read without running it \
             ({reason})"
        ),
        (Source::Documented, Some(reason)) => format!(
            "name it{both}: `{name}`, by the convention that SQLAlchemy documents; whether the project has another cannot be read without \
             running it ({reason})"
        ),
    }
}

/// What to do.
pub(crate) fn help(
    file: &MigrationFile<'_>,
    operation: &Operation<'_>,
    has_partner: bool,
    suggestion: &Suggestion,
) -> String {
    let both = if has_partner { " in both functions" } else { "" };
    let constraint = Constraint::from(operation);
    let mut help = if suggestion.name.is_none() && raises(file, operation) {
        by_hand(file, constraint, both)
    } else {
        what_to_write(file, &constraint, both, suggestion)
    };
    if let (Some(_), Some((dialect, short))) = (&suggestion.name, &suggestion.shortened) {
        let database = dialect.label();
        let shortened = if file.dialect().is_some() {
            format!("{database} will know it as `{short}`, shortened by SQLAlchemy")
        } else {
            format!("on {database} SQLAlchemy would shorten it to `{short}`")
        };
        add(&mut help, &shortened);
    }
    if let Some(batch) = batch_mode(file, operation) {
        add(&mut help, &batch);
    }
    if edits::needs_reflected_names(file, operation) {
        add(
            &mut help,
            "on SQLite the block needs `naming_convention=` as well, since what it reflects has no name",
        );
    }
    help
}

/// Adds to a help. Lines that are there to be copied stay by themselves.
pub(crate) fn add(help: &mut String, text: &str) {
    let ends_in_code = help.lines().next_back().is_some_and(|line| line.starts_with(CODE));
    help.push_str(if ends_in_code { "\n" } else { "; " });
    help.push_str(text);
}

/// What stands before a line that is there to be copied.
const CODE: &str = "    ";

/// What a name does not mend: SQLite alters no constraint outside of batch mode.
pub(crate) fn batch_mode(file: &MigrationFile<'_>, operation: &Operation<'_>) -> Option<String> {
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

/// What has a name and fails all the same: SQLite alters no constraint outside of batch mode (`alembic/ddl/sqlite.py`, `add_constraint`).
///
/// Only where the database is certainly SQLite, and for a new migration: one that is committed has run, or is for another.
pub(crate) fn outside_batch(file: &MigrationFile<'_>, rule: &'static Rule, creates: bool) -> Vec<Diagnostic> {
    let is_plain = |operation: &&Operation<'_>| {
        !operation.receiver.is_batch()
            && operation.direction == Direction::Upgrade
            && !operation.conditional
            && !matches!(operation.kind(), Some(ConstraintKind::Index | ConstraintKind::Exclude))
            && operation.name != Name::Unnamed
            && operation.creates() == creates
    };
    let found: Vec<&Operation<'_>> = file.migration.operations.iter().filter(is_plain).collect();
    if found.is_empty() || file.is_deployed || !file.is_for_sqlite() {
        return Vec::new();
    }
    found
        .into_iter()
        .map(|operation| fails_on_sqlite(file, rule, operation))
        .collect()
}

fn fails_on_sqlite(file: &MigrationFile<'_>, rule: &'static Rule, operation: &Operation<'_>) -> Diagnostic {
    let table = operation.table.known().map_or("...", String::as_str);
    let mut help = format!("write it below `with op.batch_alter_table('{table}') as batch_op:`");
    if !file.naming().renders_as_batch {
        help.push_str("; autogenerate does with `render_as_batch=True` in env.py");
    }
    let done = if operation.creates() { "added" } else { "dropped" };
    let message = format!(
        "{} cannot be {done} on SQLite outside of batch mode",
        subject(operation)
    );
    let mut diagnostic = Diagnostic::new(rule, file.file(), operation.call.span, message)
        .focus(
            operation.call.span,
            "Alembic raises NotImplementedError here, with a name or without",
        )
        .help(help);
    diagnostic.severity = Severity::Warning;
    diagnostic
}

/// HEAD holds the migration, so a database may hold the constraint under a name of its own.
fn deployed(
    file: &MigrationFile<'_>,
    constraint: &Constraint<'_>,
    both: &str,
    name: &str,
    source: Source,
    is_unread: bool,
) -> String {
    if source == Source::Project && !is_unread {
        return format!(
            "this migration is committed already: a database that ran it has the constraint as `{name}` if the convention was the same \
             then, so write that name{both}"
        );
    }
    let chosen = name_of_database(file, constraint);
    committed(file.dialect(), constraint, chosen.filter(|_| !is_unread), both, name)
}

/// What to do where a database may hold a constraint under the name that it chose itself.
pub(crate) fn committed(
    dialect: Option<Dialect>,
    constraint: &Constraint<'_>,
    chosen: Option<Chosen>,
    both: &str,
    name: &str,
) -> String {
    let Some(chosen) = chosen else {
        let mut text = format!(
            "this migration is committed already, so a database may hold the constraint under a name of its own: look it up there and \
             write it{both}, or rename it to `{name}` in a new migration"
        );
        if let Some(look_up) = look_up(dialect, constraint) {
            let _ = write!(text, "; it is shown by:\n    {look_up}");
        }
        return text;
    };
    let database = dialect.unwrap_or(Dialect::Postgresql).label();
    let usually = if chosen.is_exact && dialect.is_some() {
        ""
    } else {
        "usually "
    };
    let mut text = format!(
        "this migration is committed already, so a database may hold the constraint under the name it chose, on {database} {usually}\
         `{}`: write that{both}, or rename it in a new migration:",
        chosen.text
    );
    for line in renaming(dialect.unwrap_or(Dialect::Postgresql), constraint, &chosen.text, name) {
        let _ = write!(text, "\n    {line}");
    }
    text
}

/// The SQL that shows what a database calls a constraint, where nobody can foretell it.
fn look_up(dialect: Option<Dialect>, constraint: &Constraint<'_>) -> Option<String> {
    dialect.filter(|dialect| matches!(dialect, Dialect::Mysql | Dialect::Mariadb))?;
    let quoted = |name: &str| format!("`{}`", name.replace('`', "``"));
    let table = quoted(constraint.table.known()?);
    Some(match constraint.schema {
        Some(schema) => format!("SHOW CREATE TABLE {}.{table}", quoted(schema)),
        None => format!("SHOW CREATE TABLE {table}"),
    })
}

/// The operations that rename a constraint, ready to paste.
fn renaming(dialect: Dialect, constraint: &Constraint<'_>, old: &str, new: &str) -> Vec<String> {
    let Some(table) = constraint.table.known() else {
        return Vec::new();
    };
    if dialect == Dialect::Postgresql {
        let table = constraint
            .schema
            .map_or_else(|| format!("\"{table}\""), |schema| format!("\"{schema}\".\"{table}\""));
        return vec![format!(
            "op.execute('ALTER TABLE {table} RENAME CONSTRAINT \"{old}\" TO \"{new}\"')"
        )];
    }
    let kind = constraint.kind.type_name().unwrap_or_default();
    let drop = format!("op.drop_constraint(op.f('{old}'), '{table}', type_='{kind}')");
    let quoted = |columns: &[String]| {
        columns
            .iter()
            .map(|column| format!("'{column}'"))
            .collect::<Vec<_>>()
            .join(", ")
    };
    let columns = quoted(constraint.columns.known().map(Vec::as_slice).unwrap_or_default());
    let create = match (constraint.kind, constraint.referred) {
        (ConstraintKind::ForeignKey, Some((other, _, remote))) if !remote.is_empty() => {
            format!(
                "op.create_foreign_key(op.f('{new}'), '{table}', '{other}', [{columns}], [{}])",
                quoted(remote)
            )
        }
        (ConstraintKind::Unique, _) => {
            format!("op.create_unique_constraint(op.f('{new}'), '{table}', [{columns}])")
        }
        _ => return Vec::new(),
    };
    vec![drop, create]
}

/// A name that a database chose itself.
pub(crate) struct Chosen {
    pub(crate) text: String,
    /// Whether it follows from the constraint alone.
    pub(crate) is_exact: bool,
}

/// The name that the database of the migration chooses for a constraint, PostgreSQL where nobody knows which that is.
pub(crate) fn name_of_database(file: &MigrationFile<'_>, constraint: &Constraint<'_>) -> Option<Chosen> {
    if let Some(text) = constraint.place.and_then(|place| file.numbered(place)) {
        return Some(Chosen {
            text: text.to_owned(),
            is_exact: true,
        });
    }
    default_name_of(file.dialect().unwrap_or(Dialect::Postgresql), constraint)
}

/// The name that a database chooses for what an operation makes, as far as that can be told from the operation alone.
pub(crate) fn default_name(dialect: Dialect, operation: &Operation<'_>) -> Option<Chosen> {
    operation.kind()?;
    default_name_of(dialect, &Constraint::from(operation))
}

/// The name that a database chooses for a constraint, as far as that can be told from the constraint alone.
///
/// MySQL and MariaDB count the keys and checks of the table, older ones included, and a number that is wrong is another constraint's.
pub(crate) fn default_name_of(dialect: Dialect, constraint: &Constraint<'_>) -> Option<Chosen> {
    let table = constraint.table.known()?;
    let columns: Vec<&str> = constraint.columns.known()?.iter().map(String::as_str).collect();
    let kind = constraint.kind;
    let is_counted = matches!(kind, ConstraintKind::ForeignKey | ConstraintKind::Check);
    let text = match dialect {
        Dialect::Mysql | Dialect::Mariadb if is_counted => None,
        Dialect::Postgresql => default_names::postgresql(kind, table, &columns, |_| false),
        Dialect::Mariadb => default_names::mariadb(kind, table, &columns, 1, |_| false),
        Dialect::Mysql => default_names::mysql(kind, table, &columns, 1, |_| false),
        _ => None,
    }?;
    // A check's condition is not read.
    Some(Chosen {
        text,
        is_exact: kind != ConstraintKind::Check,
    })
}

/// Whether the operation raises as it stands, because the convention asks for a name. An empty one passes for a name.
pub(crate) fn raises(file: &MigrationFile<'_>, operation: &Operation<'_>) -> bool {
    let is_empty = operation
        .name_argument
        .is_some_and(|argument| argument.value.as_str() == Some(""));
    operation.creates()
        && operation.name == Name::Unnamed
        && !is_empty
        && raises_without_name(file, Constraint::from(operation))
}

/// What to do where the convention asks for a name.
pub(crate) fn by_hand(file: &MigrationFile<'_>, constraint: Constraint<'_>, both: &str) -> String {
    let mut help = format!("choose a name and write it{both}: only you know what it is for");
    if let Some(prefix) = prefix_of_plain_names(file, constraint) {
        let _ = write!(help, "; the convention puts `{prefix}` before it");
    }
    help
}

/// What comes of no name where the convention asks for one.
pub(crate) const RAISES: &str = "the convention needs a name here: without one it raises InvalidRequestError";

/// What an unnamed create leads to, in direction a sentence.
pub(crate) fn consequence(file: &MigrationFile<'_>, operation: &Operation<'_>) -> &'static str {
    if raises(file, operation) {
        return RAISES;
    }
    match (file.dialect(), operation.receiver.is_batch()) {
        (Some(Dialect::Sqlite), true) => "SQLite refuses it in batch mode: the constraint must have a name",
        (Some(Dialect::Sqlite), false) => {
            "SQLite cannot alter constraints outside of batch mode, with a name or without"
        }
        _ => "Alembic never learns the name it gets",
    }
}

#[cfg(test)]
mod tests {
    use crate::check::examine;
    use crate::config::Config;
    use crate::diagnostic::Severity;
    use crate::project::Project;
    use crate::rules::harness::{history_of, of_migration};
    use crate::snapshot::MemorySnapshot;

    const LITE: &str = "[alembic]\nscript_location = migrations\nsqlalchemy.url = sqlite:///app.db\n";

    /// What is said of an upgrade with this ini, and with these lines in `env.py`.
    fn said(ini: &str, env: &str, upgrade: &str, head: bool) -> Vec<String> {
        let (mut files, last) = history_of("target_metadata = None\n", &[upgrade]);
        files[0].1.push_str(env);
        files.push(("alembic.ini".into(), ini.to_owned()));
        let snapshot: MemorySnapshot = files.into_iter().collect();
        let project = Project::new(&snapshot, "/top");
        let found = examine(&last, head, &project, &Config::default()).diagnostics;
        assert!(
            found
                .iter()
                .all(|one| one.severity == Severity::Warning && one.fix.is_none()),
            "{found:?}"
        );
        found
            .iter()
            .map(|one| {
                format!(
                    "{}: {} | {}",
                    one.rule.name,
                    one.message,
                    one.help.as_deref().unwrap_or_default()
                )
            })
            .collect()
    }

    /// Alembic 1.20 on SQLite: each of these raises, with a name as well.
    #[test]
    fn a_name_does_not_make_sqlite_alter_a_constraint() {
        let key = "op.create_foreign_key('fk', 'order', 'invoice', ['invoice_id'], ['id'])";
        let batch =
            "with op.batch_alter_table('order') as b: b.create_foreign_key('fk', 'invoice', ['invoice_id'], ['id'])";
        assert_eq!(
            said(LITE, "", key, false),
            [
                "unnamed-constraint: foreign key `order.invoice_id` cannot be added on SQLite outside of batch mode | write it below \
              `with op.batch_alter_table('order') as batch_op:`; autogenerate does with `render_as_batch=True` in env.py"
            ]
        );
        assert_eq!(
            said(LITE, "context.configure(render_as_batch=True)", key, false),
            [
                "unnamed-constraint: foreign key `order.invoice_id` cannot be added on SQLite outside of batch mode | write it below \
              `with op.batch_alter_table('order') as batch_op:`"
            ]
        );
        for upgrade in [
            "op.create_unique_constraint(op.f('uq'), 'order', ['code'])",
            "op.create_check_constraint('ck', 'order', 'a > 0')",
            "op.create_primary_key('pk', 'order', ['id'])",
            "op.drop_constraint('fk', 'order', type_='foreignkey')",
        ] {
            assert_eq!(said(LITE, "", upgrade, false).len(), 1, "{upgrade}");
        }
        let nothing = |ini: &str, env: &str, upgrade: &str, head: bool| {
            assert_eq!(
                said(ini, env, upgrade, head),
                Vec::<String>::new(),
                "{ini} {env} {upgrade} {head}"
            );
        };
        nothing(LITE, "", batch, false);
        nothing(LITE, "", "op.create_index('ix', 'order', ['code'])", false);
        nothing(LITE, "", &format!("if x: {key}"), false);
        // What is committed has run, or is for another database.
        nothing(LITE, "", key, true);
        nothing(&LITE.replace("sqlite:///app.db", "postgresql://h/d"), "", key, false);
        nothing(
            &LITE.replace("sqlite:///app.db", "driver://user:pass@localhost/dbname"),
            "",
            key,
            false,
        );
        nothing(
            LITE,
            "config.set_main_option('sqlalchemy.url', settings.URL)",
            key,
            false,
        );
        nothing(LITE, "url = os.environ['DATABASE_URL']", key, false);
        nothing(
            "[alembic]\nscript_location = migrations\n",
            "engine = create_engine('sqlite:///app.db')",
            key,
            false,
        );
    }

    /// A line that is pasted must run as it stands.
    #[test]
    fn a_line_to_copy_holds_code_and_nothing_else() {
        let table = "t".repeat(50);
        let long = format!("    op.create_foreign_key(None, '{table}', 'invoice', ['invoice_id'], ['id'])");
        let twice = format!("{long}\n{}", long.replace("invoice_id", "other_id"));
        let key = "    op.create_foreign_key(None, 'order', 'invoice', ['invoice_id'], ['id'])";
        let by_sql = "    op.execute('ALTER TABLE \"order\" DROP CONSTRAINT order_invoice_id_fkey')";
        for url in ["postgresql://h/d", "mysql://h/d", ""] {
            for (upgrade, downgrade) in [(long.as_str(), "    pass"), (&twice, "    pass"), (key, by_sql)] {
                let found = of_migration(url, upgrade, downgrade, true);
                let helps = found.iter().filter_map(|one| one.help.as_deref());
                let lines: Vec<&str> = helps
                    .flat_map(str::lines)
                    .filter(|line| line.starts_with(super::CODE))
                    .collect();
                assert!(!lines.is_empty(), "{url} {found:?}");
                for line in lines {
                    let is_python = line.starts_with("    op.") && line.ends_with(')');
                    let is_sql = line.starts_with("    SHOW CREATE TABLE `") && line.ends_with('`');
                    assert!(is_python || is_sql, "{url}: {line}");
                }
            }
        }
    }
}
