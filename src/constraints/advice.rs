//! What to do about a constraint without a name, in words.

use std::fmt::Write;

use super::constraint::Constraint;
use super::convention_name::{prefix_of_plain_names, raises_without_name};
use super::default_name::{Chosen, name_of_database};
use super::sqlite_batch::batch_mode;
use super::suggestion::{Source, Suggestion};
use super::{MigrationFile, edits};
use crate::migration::{Name, Operation};
use crate::naming::{ConstraintKind, Dialect};

/// The name to write into the code.
pub(crate) struct NameToWrite {
    pub(crate) text: Option<String>,
    /// Whether it is right on every database that this migration is for.
    pub(crate) certain: bool,
}

/// In a committed migration, the name that the database chose, as far as that can be told; else the suggested one.
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
    let constraint = constraint.filter(|_| file.dialect().is_some());
    match constraint.and_then(|constraint| name_of_database(file, constraint)) {
        Some(chosen) if chosen.is_exact => NameToWrite {
            text: Some(chosen.text),
            certain: true,
        },
        _ => suggested(false),
    }
}

/// What to write, in words. `both` is " in both functions" or empty.
pub(crate) fn what_to_write(
    file: &MigrationFile<'_>,
    constraint: &Constraint<'_>,
    both: &str,
    suggestion: &Suggestion,
) -> String {
    let Some(name) = &suggestion.name else {
        let what = if file.is_deployed {
            "this migration is committed already, so look the name up in a database that ran it, and write that"
        } else {
            "choose a name and write it"
        };
        return format!("{what}{both}{}", suggestion.why_none());
    };
    match (suggestion.source, &suggestion.unread) {
        (Source::OtherDirection, _) => format!("name it as the other half does: `{name}`"),
        (Source::OtherRevision, _) => {
            let place = suggestion.spoken.as_ref();
            let path = place.map(|place| format!(", as `{}` calls it", place.file.path()));
            format!("name it{both}: `{name}`{}", path.unwrap_or_default())
        }
        (Source::Project, None) if file.is_deployed => format!(
            "this migration is committed already: a database that ran it has the constraint as `{name}` if the convention was the same \
             then, so write that name{both}"
        ),
        (_, unread) if file.is_deployed => {
            let chosen = name_of_database(file, constraint).filter(|_| unread.is_none());
            committed(file.dialect(), constraint, chosen, both, name)
        }
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

/// The help for an unnamed operation.
pub(super) fn help(
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

/// Adds a sentence to a help, which may end in lines to copy.
pub(crate) fn add(help: &mut String, text: &str) {
    let ends_in_code = help.lines().next_back().is_some_and(|line| line.starts_with(CODE));
    help.push_str(if ends_in_code { "\n" } else { "; " });
    help.push_str(text);
}

/// Says why the fix is left to a person.
pub(crate) fn add_obstacle(help: &mut String, obstacle: Option<&String>) {
    if let Some(obstacle) = obstacle {
        add(help, &format!("this is left to you, because {obstacle}"));
    }
}

/// The indent of a line to copy.
const CODE: &str = "    ";

/// What to do where a database may have a constraint under the name that it chose itself.
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
    let usually = if chosen.is_exact && dialect.is_some() {
        ""
    } else {
        "usually "
    };
    let dialect = dialect.unwrap_or(Dialect::Postgresql);
    let mut text = format!(
        "this migration is committed already, so a database may hold the constraint under the name it chose, on {} {usually}\
         `{}`: write that{both}, or rename it in a new migration:",
        dialect.label(),
        chosen.text
    );
    for line in renaming(dialect, constraint, &chosen.text, name) {
        let _ = write!(text, "\n    {line}");
    }
    text
}

/// The SQL that shows what MySQL or MariaDB calls a constraint.
fn look_up(dialect: Option<Dialect>, constraint: &Constraint<'_>) -> Option<String> {
    dialect.filter(|dialect| matches!(dialect, Dialect::Mysql | Dialect::Mariadb))?;
    let quoted = |name: &str| format!("`{}`", name.replace('`', "``"));
    let schema = constraint.schema.map(|schema| quoted(schema) + ".");
    let table = quoted(constraint.table.known()?);
    Some(format!("SHOW CREATE TABLE {}{table}", schema.unwrap_or_default()))
}

/// The operations that rename a constraint, ready to paste.
fn renaming(dialect: Dialect, constraint: &Constraint<'_>, old: &str, new: &str) -> Vec<String> {
    let Some(table) = constraint.table.known() else {
        return Vec::new();
    };
    if dialect == Dialect::Postgresql {
        let schema = constraint.schema.map(|schema| format!("\"{schema}\"."));
        let table = format!("{}\"{table}\"", schema.unwrap_or_default());
        return vec![format!("op.execute('ALTER TABLE {table} RENAME CONSTRAINT \"{old}\" TO \"{new}\"')")];
    }
    let kind = constraint.kind.type_name().unwrap_or_default();
    let drop = format!("op.drop_constraint(op.f('{old}'), '{table}', type_='{kind}')");
    let quoted = |columns: &[String]| {
        let quoted: Vec<String> = columns.iter().map(|column| format!("'{column}'")).collect();
        quoted.join(", ")
    };
    let columns = quoted(constraint.columns.unwrap_or_default());
    let create = match (constraint.kind, constraint.referred) {
        (ConstraintKind::ForeignKey, Some((other, _, remote))) if !remote.is_empty() => {
            let remote = quoted(remote);
            format!("op.create_foreign_key(op.f('{new}'), '{table}', '{other}', [{columns}], [{remote}])")
        }
        (ConstraintKind::Unique, _) => format!("op.create_unique_constraint(op.f('{new}'), '{table}', [{columns}])"),
        _ => return Vec::new(),
    };
    vec![drop, create]
}

/// Whether the operation raises because the convention needs a name. An empty one passes for a name.
pub(super) fn raises(file: &MigrationFile<'_>, operation: &Operation<'_>) -> bool {
    let argument = operation.name_argument;
    operation.creates()
        && operation.name == Name::Unnamed
        && argument.is_none_or(|argument| argument.value.as_str() != Some(""))
        && raises_without_name(file, Constraint::from(operation))
}

/// What to do where the convention needs a name.
pub(crate) fn by_hand(file: &MigrationFile<'_>, constraint: Constraint<'_>, both: &str) -> String {
    let mut help = format!("choose a name and write it{both}: only you know what it is for");
    if let Some(prefix) = prefix_of_plain_names(file, constraint) {
        let _ = write!(help, "; the convention puts `{prefix}` before it");
    }
    help
}

/// What happens without a name where the convention needs one.
pub(crate) const RAISES: &str = "the convention needs a name here: without one it raises InvalidRequestError";

/// What an unnamed create leads to, as half a sentence.
pub(crate) fn consequence(file: &MigrationFile<'_>, operation: &Operation<'_>) -> &'static str {
    match (file.dialect(), operation.receiver.is_batch()) {
        _ if raises(file, operation) => RAISES,
        (Some(Dialect::Sqlite), true) => "SQLite refuses it in batch mode: the constraint must have a name",
        (Some(Dialect::Sqlite), false) => {
            "SQLite cannot alter constraints outside of batch mode, with a name or without"
        }
        _ => "Alembic never learns the name it gets",
    }
}

#[cfg(test)]
mod tests {
    use crate::rules::harness::of_migration;

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
