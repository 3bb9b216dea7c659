//! An upgrade drops or renames a constraint by the name that one database chose, and the revision that made it gave none, or another.

mod dependency;
mod earlier;
mod origin;
#[cfg(test)]
mod tests;

use dependency::{Dependency, dependencies, looks_at_the_database};
use earlier::EarlierRevisions;
use origin::{Origin, origin_of};

use crate::constraints::MigrationFile;
use crate::constraints::edits::naming_of_reflected;
use crate::constraints::executed::runs_definitions;
use crate::diagnostic::{Diagnostic, Rule, Severity};
use crate::migration::Direction;
use crate::naming::{ConstraintKind, Dialect, default_names};

/// The rule.
pub(super) static RULE: Rule = Rule {
    name: "default-name-dependency",
    summary: "an upgrade drops or renames a constraint by the name that one database chose",
    severity: Severity::Warning,
    documentation: include_str!("../../docs/rules/default-name-dependency.md"),
};

/// The history is read only for a name that looks like a database's own.
pub(super) fn check(file: &MigrationFile<'_>) -> Vec<Diagnostic> {
    let dependencies = dependencies(file);
    if dependencies.is_empty()
        || looks_at_the_database(file)
        || !file.is_all_read(|direction| direction != Direction::Downgrade)
    {
        return Vec::new();
    }
    let Some(history) = file.history() else {
        return Vec::new();
    };
    let Some(earlier) = history.before(file.migration.module) else {
        return Vec::new();
    };
    let earlier = EarlierRevisions::new(earlier, &dependencies);
    dependencies
        .iter()
        .filter_map(|dependency| {
            let origin = origin_of(file, &earlier, dependency).ok()??;
            diagnostic(file, dependency, &origin)
        })
        .collect()
}

fn diagnostic(file: &MigrationFile<'_>, dependency: &Dependency<'_>, origin: &Origin) -> Option<Diagnostic> {
    let databases = origin.chosen_by(dependency);
    let is_harmless = if origin.given.is_some() {
        file.is_named_by_database(origin.kind)
    } else {
        // SQL is written for one database, and so is a project that names or shows only one. The others drop a primary key by any name.
        dependency.drop.is_none()
            || runs_definitions(file.file().text())
            || file.is_only_for(databases)
            || origin.kind == ConstraintKind::PrimaryKey
    };
    if is_harmless {
        return None;
    }
    let name = dependency.name;
    let labels: Vec<&str> = databases.iter().map(|database| database.label()).collect();
    let labels = labels.join(" and ");
    let is_foretold = !matches!(databases, [Dialect::Mssql | Dialect::Oracle]);
    let message = match (&origin.given, is_foretold) {
        (Some(_), _) if origin.is_named => format!("no revision gives the name `{name}`"),
        (_, true) => format!("the name `{name}` holds on {labels} only"),
        (_, false) => format!("the name `{name}` holds on one database only"),
    };
    let why = match &origin.given {
        Some(given) if origin.is_named => {
            format!("{labels} would choose it; a new database has `{given}`, and there this upgrade fails")
        }
        Some(given) => {
            format!("{labels} chose it; a new database has `{given}` by your convention, and there this upgrade fails")
        }
        None if is_foretold => {
            let elsewhere = name_elsewhere(dependency, origin, databases);
            format!("{labels} chose it; {elsewhere}: there this upgrade fails")
        }
        None => format!("{labels} chose it, and chooses another on each database: there this upgrade fails"),
    };
    let made = if origin.is_named {
        "made here under another name"
    } else {
        "made here without a name"
    };
    let help = help(dependency, origin, &labels, is_foretold) + &on_sqlite(file, dependency, origin);
    let mut diagnostic = Diagnostic::new(&RULE, file.file(), dependency.call, message)
        .focus(dependency.at, why)
        .related(origin.place.clone(), made)
        .help(help);
    if origin.given.is_some() {
        diagnostic.severity = Severity::Error;
    }
    Some(diagnostic)
}

/// What the constraint is called on the other databases.
fn name_elsewhere(dependency: &Dependency<'_>, origin: &Origin, databases: &[Dialect]) -> String {
    let columns: Vec<&str> = origin.columns.iter().flatten().map(String::as_str).collect();
    let is_check = origin.kind == ConstraintKind::Check;
    let (label, other) = if databases.contains(&Dialect::Postgresql) {
        let other = default_names::mariadb(origin.kind, &dependency.table, &columns);
        ("MariaDB", other)
    } else {
        let columns = if is_check { &[][..] } else { &columns };
        let other = default_names::postgresql(origin.kind, &dependency.table, columns);
        ("PostgreSQL", other)
    };
    match other {
        Some(other) => format!("{label} may call it `{other}`, and SQLite gives no name"),
        None => format!("{label} gives another, and SQLite none"),
    }
}

fn help(dependency: &Dependency<'_>, origin: &Origin, labels: &str, is_foretold: bool) -> String {
    let table = &dependency.table;
    let method = match origin.kind {
        ConstraintKind::ForeignKey => "get_foreign_keys",
        ConstraintKind::Unique => "get_unique_constraints",
        ConstraintKind::PrimaryKey => "get_pk_constraint",
        _ => "get_check_constraints",
    };
    let look_up = format!("look the name up when this runs: `sa.inspect(op.get_bind()).{method}('{table}')`");
    if !is_foretold {
        return look_up;
    }
    let path = origin.place.file.path();
    let name = dependency.name;
    format!(
        "write `{name}` into `{path}` too: what ran it on {labels} has that name, and every new database will; or {look_up}"
    )
}

/// A batch on SQLite finds an unnamed constraint only by the convention that it is given: there is no name to look up.
fn on_sqlite(file: &MigrationFile<'_>, dependency: &Dependency<'_>, origin: &Origin) -> String {
    let drop = dependency.drop.filter(|_| origin.given.is_none());
    match drop.and_then(|drop| naming_of_reflected(file, drop, origin.kind)) {
        Some(naming) => format!(
            "; on SQLite there is no name to look up: give the batch `{naming}`, and drop it there by the name that this makes"
        ),
        None => String::new(),
    }
}
