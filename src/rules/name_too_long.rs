//! A name is longer than the database takes.

use crate::constraints::MigrationFile;
use crate::constraints::constraint::Constraint;
use crate::constraints::convention_name::finished;
use crate::constraints::inline::{InlineName, constraints_of};
use crate::diagnostic::{Diagnostic, Rule, Severity};
use crate::migration::Name as Given;
use crate::naming::{Dialect, Name};
use crate::source::Span;

/// The rule.
pub(super) static RULE: Rule = Rule {
    name: "name-too-long",
    summary: "a name is longer than the database takes",
    severity: Severity::Error,
    documentation: include_str!("../../docs/rules/name-too-long.md"),
};

pub(super) fn check(file: &MigrationFile<'_>) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for operation in &file.migration.operations {
        if let (Given::Plain(name), Some(argument)) = (&operation.name, operation.name_argument) {
            let constraint = operation.kind().map(|_| Constraint::from(operation));
            found.extend(diagnostic(
                file,
                constraint,
                operation.call.span,
                argument.value.span,
                name,
            ));
        }
    }
    for step in &file.migration.steps {
        for inline in constraints_of(step) {
            if let InlineName::Plain(name) = &inline.name {
                let constraint = Some(inline.constraint(step));
                found.extend(diagnostic(file, constraint, step.call.span, inline.argument.span, name));
            }
        }
    }
    found
}

/// What a database may be that nothing tells of. SQLite, which takes every name, would leave nothing to say.
const USUAL: [Dialect; 3] = [Dialect::Postgresql, Dialect::Mysql, Dialect::Mariadb];

/// SQLAlchemy shortens a finished name (`op.f`) itself, and so what a convention makes of a plain one; a plain one goes to the database as it is.
///
/// Where the migration may be for several databases, only what each of them refuses is found.
fn diagnostic(
    file: &MigrationFile<'_>,
    constraint: Option<Constraint<'_>>,
    call: Span,
    place: Span,
    name: &str,
) -> Option<Diagnostic> {
    // Names that fit PostgreSQL, the strictest, need no look at the environment.
    if !Dialect::Postgresql.too_long(name) {
        return None;
    }
    let is_built_on = |constraint| finished(file, constraint).is_some_and(|name| name.conv);
    if constraint.is_some_and(is_built_on) {
        return None;
    }
    let known = file.possible_dialects();
    let possible = if known.is_empty() { &USUAL } else { known };
    if !possible.iter().all(|dialect| dialect.too_long(name)) {
        return None;
    }
    let labels: Vec<&str> = possible.iter().map(|dialect| dialect.label()).collect();
    let databases = match labels.split_last()? {
        (last, []) => (*last).to_owned(),
        (last, rest) => format!("{} and {last}", rest.join(", ")),
    };
    let is_cut = is_cut(possible, name);
    let mut diagnostic = Diagnostic::new(
        &RULE,
        file.file(),
        call,
        format!("the name is too long for {databases}"),
    )
    .focus(place, label(possible, name, is_cut)?)
    .help(if is_cut {
        "shorten it, or the name in the database is not the one in the history"
    } else {
        "shorten it, or write it as `op.f('...')`, which SQLAlchemy shortens in the same way each time"
    });
    if known.is_empty() {
        diagnostic.severity = Severity::Warning;
        let help = diagnostic.help.get_or_insert_default();
        help.push_str(
            "; nothing tells which database this is for, so it only warns: set `dialect` in the configuration",
        );
    }
    Some(diagnostic)
}

/// Whether SQLAlchemy, which counts characters, lets it pass for PostgreSQL, which cuts it.
fn is_cut(possible: &[Dialect], name: &str) -> bool {
    let plain = Name {
        text: name.to_owned(),
        conv: false,
    };
    possible == [Dialect::Postgresql] && !Dialect::Postgresql.is_refused(&plain)
}

/// How long it is, and what would do.
fn label(possible: &[Dialect], name: &str, is_cut: bool) -> Option<String> {
    let (bytes, characters) = (name.len(), name.chars().count());
    let [dialect] = possible else {
        let most = possible.iter().filter_map(|dialect| dialect.max_name()).max()?;
        return Some(format!(
            "{characters} characters, and none of them takes more than {most}"
        ));
    };
    let (database, limit) = (dialect.label(), dialect.max_name()?);
    Some(match dialect {
        _ if is_cut => format!("{bytes} bytes, and {database} cuts it at {limit}"),
        Dialect::Postgresql | Dialect::Oracle => format!("{bytes} bytes, and {database} takes {limit}"),
        _ => format!("{characters} characters, and {database} takes {limit}"),
    })
}

#[cfg(test)]
mod tests {
    use crate::check::examine;
    use crate::config::Config;
    use crate::diagnostic::Severity;
    use crate::project::Project;
    use crate::snapshot::MemorySnapshot;
    use crate::source::SourceFile;

    /// What is said of a name of so many letters in a revision, beside these files.
    fn found(path: &str, length: usize, files: &[(&str, &str)]) -> Option<(Severity, String)> {
        let name = "x".repeat(length);
        let text = format!(
            "from alembic import op\nrevision = 'b'\ndown_revision = 'a'\ndef upgrade():\n    op.create_index('{name}', 't', ['c'])\n"
        );
        let env = ("migrations/env.py", "from alembic import context\n");
        let snapshot: MemorySnapshot = files.iter().copied().chain([env]).collect();
        let project = Project::new(&snapshot, "/top");
        let file = SourceFile::new(path.into(), text);
        let found = examine(&file, false, &project, &Config::default()).diagnostics;
        let found = found.into_iter().find(|one| one.rule == &super::RULE)?;
        Some((found.severity, found.message))
    }

    #[test]
    fn only_what_every_database_refuses_that_may_be_meant_is_found() {
        let revision = "migrations/versions/b.py";
        let error = |databases: &str| Some((Severity::Error, format!("the name is too long for {databases}")));
        let warning = |databases: &str| Some((Severity::Warning, format!("the name is too long for {databases}")));
        let mysql = ("migrations/versions/a.py", "from sqlalchemy.dialects import mysql\n");
        for (path, length, files, expected) in [
            (revision, 64, &[][..], None),
            (revision, 65, &[], warning("PostgreSQL, MySQL and MariaDB")),
            (revision, 64, &[("requirements.txt", "psycopg2\n")], error("PostgreSQL")),
            (revision, 64, &[mysql], None),
            (revision, 65, &[mysql], error("MySQL and MariaDB")),
            (revision, 64, &[mysql, ("requirements.txt", "psycopg2\n")], None),
            (
                revision,
                65,
                &[mysql, ("requirements.txt", "psycopg2\n")],
                error("PostgreSQL, MySQL and MariaDB"),
            ),
            (revision, 70, &[mysql, ("requirements.txt", "aiosqlite\n")], None),
            (revision, 128, &[("requirements.txt", "oracledb\n")], None),
            (
                "migrations/versions/sqlite/b.py",
                200,
                &[("requirements.txt", "psycopg2\n")],
                None,
            ),
            (
                "migrations/versions/sqlite/b.py",
                200,
                &[(
                    "alembic.ini",
                    "[alembic]\nscript_location = migrations\nsqlalchemy.url = postgresql://h/d\n",
                )],
                None,
            ),
        ] {
            assert_eq!(
                found(path, length, files),
                expected,
                "{length} in {path} with {files:?}"
            );
        }
    }
}
