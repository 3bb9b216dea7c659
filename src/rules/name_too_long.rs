//! A name is longer than the database takes.

use crate::constraints::MigrationFile;
use crate::constraints::constraint::Constraint;
use crate::constraints::convention_name::finished;
use crate::diagnostic::{Diagnostic, Rule, Severity};
use crate::migration::Name as Given;
use crate::naming::{Dialect, Name};
use crate::source::Span;

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
            found.extend(diagnostic(file, constraint, operation.call.span, argument.value.span, name));
        }
    }
    for (step, inline) in file.inline() {
        if let Given::Plain(name) = &inline.name {
            let constraint = Some(inline.constraint(step));
            found.extend(diagnostic(file, constraint, step.call.span, inline.argument.span, name));
        }
    }
    found
}

/// The databases that are assumed where nothing tells. With SQLite, which takes every name, nothing would be found.
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
    let mut diagnostic = Diagnostic::new(&RULE, file.file(), call, format!("the name is too long for {databases}"))
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

/// How long it is, and how long it may be.
fn label(possible: &[Dialect], name: &str, is_cut: bool) -> Option<String> {
    let (bytes, characters) = (name.len(), name.chars().count());
    let [dialect] = possible else {
        let most = possible.iter().filter_map(|dialect| dialect.max_name()).max()?;
        return Some(format!("{characters} characters, and none of them takes more than {most}"));
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
    use super::RULE;
    use crate::diagnostic::Severity;
    use crate::rules::harness::{
        ANY, ENV, PG, assert_finds, assert_finds_nothing, check, models, of_migration, revision, rules_of, shown,
    };

    const REVISION: &str = "migrations/versions/b.py";

    #[test]
    fn the_length_is_told_with_the_limit() {
        let create = format!("op.create_unique_constraint('{}', 't', ['a'])", "a".repeat(65));
        insta::assert_snapshot!(shown(&of_migration(PG, &create, "pass", false)), @r"
        5:33 error[name-too-long]: the name is too long for PostgreSQL
          'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa': 65 bytes, and PostgreSQL takes 63
          help: shorten it, or write it as `op.f('...')`, which SQLAlchemy shortens in the same way each time
        ");
    }

    #[test]
    fn each_database_has_its_own_limit() {
        assert_finds(
            &RULE,
            &[
                "MY | op.create_unique_constraint('x2345678901234567890123456789012345678901234567890123456789012345', 't', ['c'])",
                "PG | op.create_unique_constraint('äääääääääääääääääääääääääääääääää', 't', ['c'])",
            ],
        );
        assert_finds_nothing(
            &RULE,
            &[
                "LITE | op.create_unique_constraint('x2345678901234567890123456789012345678901234567890123456789012345', 't', ['c'])",
                "PG | op.create_unique_constraint('x23456789012345678901234567890123456789012345678901234567890123', 't', ['c'])",
            ],
        );
    }

    #[test]
    fn who_does_not_say_the_database_is_told_how() {
        let plain = format!("op.create_unique_constraint('{}', 't', ['a'])", "a".repeat(65));
        for (url, is_said) in [(PG, false), (ANY, true)] {
            let found = of_migration(url, &plain, "pass", false);
            let help = found[0].help.as_ref().unwrap();
            assert_eq!(help.contains("set `dialect` in the configuration"), is_said, "{help}");
        }
    }

    /// What a convention makes of a plain name is finished, and SQLAlchemy shortens it.
    #[test]
    fn a_convention_that_builds_on_names_keeps_them_from_being_too_long() {
        let long = "x".repeat(64);
        let found = |template: &str, call: &str| {
            let models = models(&format!("{{'ck': '{template}'}}"));
            let files = [
                ("alembic.ini", "[alembic]\nscript_location = migrations\nsqlalchemy.url = postgresql://h/d\n"),
                ENV,
                ("app/models.py", &models),
                (REVISION, &revision(call, "pass")),
            ];
            rules_of(&check(&files, REVISION)).contains(RULE.name)
        };
        let check = format!("op.create_check_constraint('{long}', 't', 'c > 0')");
        let inside = format!("op.create_table('t', sa.CheckConstraint('c > 0', name='{long}'))");
        for call in [&check, &inside] {
            assert!(!found("ck_%(table_name)s_%(constraint_name)s", call), "{call}");
            assert!(found("ck_%(table_name)s", call), "{call}");
        }
    }

    /// The finding for a name of this length in a revision, in a project with these files.
    fn found(path: &str, length: usize, files: &[(&str, &str)]) -> Option<(Severity, String)> {
        let name = "x".repeat(length);
        let text = revision(&format!("op.create_index('{name}', 't', ['c'])"), "pass");
        let own = [("migrations/env.py", "from alembic import context\n"), (path, &text)];
        let found = check(&[files, &own].concat(), path);
        let found = found.into_iter().find(|one| one.rule == &RULE)?;
        Some((found.severity, found.message))
    }

    #[test]
    fn only_what_every_database_refuses_that_may_be_meant_is_found() {
        let error = |databases: &str| Some((Severity::Error, format!("the name is too long for {databases}")));
        let warning = |databases: &str| Some((Severity::Warning, format!("the name is too long for {databases}")));
        let mysql = ("migrations/versions/a.py", "from sqlalchemy.dialects import mysql\n");
        for (path, length, files, expected) in [
            (REVISION, 64, &[][..], None),
            (REVISION, 65, &[], warning("PostgreSQL, MySQL and MariaDB")),
            (REVISION, 64, &[("requirements.txt", "psycopg2\n")], error("PostgreSQL")),
            (REVISION, 64, &[mysql], None),
            (REVISION, 65, &[mysql], error("MySQL and MariaDB")),
            (REVISION, 64, &[mysql, ("requirements.txt", "psycopg2\n")], None),
            (REVISION, 65, &[mysql, ("requirements.txt", "psycopg2\n")], error("PostgreSQL, MySQL and MariaDB")),
            (REVISION, 70, &[mysql, ("requirements.txt", "aiosqlite\n")], None),
            (REVISION, 128, &[("requirements.txt", "oracledb\n")], None),
            ("migrations/versions/sqlite/b.py", 200, &[("requirements.txt", "psycopg2\n")], None),
            (
                "migrations/versions/sqlite/b.py",
                200,
                &[("alembic.ini", "[alembic]\nscript_location = migrations\nsqlalchemy.url = postgresql://h/d\n")],
                None,
            ),
        ] {
            assert_eq!(found(path, length, files), expected, "{length} in {path} with {files:?}");
        }
    }
}
