//! SQL adds a constraint without a name.

mod default_forms;
mod fix;
mod help;
mod siblings;
#[cfg(test)]
mod tests;
mod undone;

use siblings::Siblings;
use undone::{Drops, Undone};

use crate::constraints::MigrationFile;
use crate::constraints::constraint::Constraint;
use crate::constraints::default_name::default_name_of;
use crate::constraints::executed::Executed;
use crate::constraints::suggestion::Suggestion;
use crate::diagnostic::{Diagnostic, Rule, Severity};
use crate::fix::{Fix, Safety};
use crate::migration::{Direction, Guard, Known};
use crate::naming::{ConstraintKind, Dialect, Name};
use crate::sql::{Added, Naming};

/// The rule.
pub(super) static RULE: Rule = Rule {
    name: "unnamed-sql-constraint",
    summary: "a constraint is added by SQL without a name",
    severity: Severity::Warning,
    documentation: include_str!("../../docs/rules/unnamed-sql-constraint.md"),
};

pub(super) fn check(file: &MigrationFile<'_>) -> Vec<Diagnostic> {
    let (drops, siblings) = (Drops::new(file), Siblings::new(file));
    let added = file
        .executed()
        .iter()
        .flat_map(|sql| sql.added().map(move |added| (sql, added)));
    added
        .filter(|(sql, added)| needs_name(sql, added) && !drops.are_renamed(sql, added))
        .map(|(sql, added)| Finding::new(&drops, &siblings, Unnamed::new(sql, added)).diagnostic())
        .collect()
}

/// Whether the database makes up a name that somebody may have to know.
fn needs_name(sql: &Executed<'_>, added: &Added) -> bool {
    let is_mysql = matches!(sql.dialect, Some(Dialect::Mysql | Dialect::Mariadb));
    let may_matter = match added.kind {
        ConstraintKind::Index => false,
        // Every primary key of MySQL and MariaDB is called PRIMARY.
        ConstraintKind::PrimaryKey if is_mysql || sql.run.guard == Guard::Doubtful => false,
        // Whatever the environment says: no other database would take it.
        ConstraintKind::PrimaryKey if sql.is_written_for_mysql() => false,
        // A column's constraints are dropped with it, except for a foreign key of MariaDB (error 1553, measured on 10.11).
        kind if added.in_column => kind == ConstraintKind::ForeignKey && sql.dialect == Some(Dialect::Mariadb),
        _ => true,
    };
    // SQLite has no such statement.
    may_matter && added.naming == Naming::Unnamed && sql.dialect != Some(Dialect::Sqlite)
}

/// A constraint that SQL adds without a name.
struct Unnamed<'f> {
    sql: &'f Executed<'f>,
    added: &'f Added,
    table: Known<String>,
}

impl<'f> Unnamed<'f> {
    fn new(sql: &'f Executed<'f>, added: &'f Added) -> Self {
        let name = &added.table.name;
        let table = if name.is_certain {
            Known::Is(name.text.clone())
        } else {
            Known::Computed("it cannot be read from the SQL".to_owned())
        };
        Self { sql, added, table }
    }

    fn constraint(&self) -> Constraint<'_> {
        let referred = self.added.referred.as_ref();
        Constraint {
            kind: self.added.kind,
            table: &self.table,
            schema: self.added.table.schema(),
            columns: self.added.columns.as_deref(),
            referred: referred
                .filter(|(table, _)| table.name.is_certain)
                .map(|(table, columns)| (table.name.text.as_str(), table.schema(), columns.as_slice())),
            explicit: None,
            function: self.sql.run.when.function,
            place: None,
        }
    }

    /// The name as SQL needs it: shortened, as SQLAlchemy would shorten it for the database.
    fn as_stored(&self, name: &str) -> String {
        let computed = Name {
            text: name.to_owned(),
            conv: true,
        };
        self.sql
            .dialect
            .map_or_else(|| name.to_owned(), |dialect| dialect.in_database(&computed))
    }
}

/// An unnamed constraint with the name that it should have.
struct Finding<'s, 'f, 'm> {
    file: &'f MigrationFile<'m>,
    siblings: &'s Siblings<'f, 'm>,
    unnamed: Unnamed<'f>,
    undone: Undone<'f>,
    suggestion: Suggestion,
    /// The name to write into the SQL.
    name: Option<String>,
    /// Whether the constraint has that name already, so that nothing else changes.
    keeps_name: bool,
}

impl<'s, 'f, 'm> Finding<'s, 'f, 'm> {
    fn new(drops: &Drops<'f, 'm>, siblings: &'s Siblings<'f, 'm>, unnamed: Unnamed<'f>) -> Self {
        let file = siblings.file;
        let undone = Undone::of(&unnamed, drops, siblings);
        let suggestion = siblings.suggestion(&unnamed);
        let kept = kept_name(file, &unnamed, &undone);
        let suggested = || suggestion.name.as_ref().map(|name| unnamed.as_stored(name));
        Self {
            file,
            siblings,
            keeps_name: kept.is_some(),
            name: kept.or_else(suggested),
            unnamed,
            undone,
            suggestion,
        }
    }

    fn diagnostic(&self) -> Diagnostic {
        let (file, sql, added) = (self.file, self.unnamed.sql, self.unnamed.added);
        let table = self.unnamed.table.known().map(|table| format!(" on `{table}`"));
        let message =
            format!("this SQL adds {}{} without a name", added.kind.with_article(), table.unwrap_or_default());
        let consequence = if added.in_column {
            "MariaDB cannot drop the column while the key is there (error 1553), and the key has no name to drop it by"
        } else {
            "Alembic never learns the name it gets"
        };
        let mut diagnostic = Diagnostic::new(&RULE, file.file(), sql.run.call.span, message)
            .focus(sql.place(file, added.at.clone()), consequence);
        if let Undone::By(drop) = self.undone
            && let Some(name) = drop.name()
        {
            let place = file.place(drop.place(file));
            diagnostic = diagnostic.related(place, format!("`{name}` is what one database calls it"));
        }
        let edits = self.name.as_deref().map(|name| self.edits(name));
        let obstacle = edits.as_ref().and_then(|edits| edits.as_ref().err());
        diagnostic.help = Some(self.help(obstacle));
        diagnostic.suggested_name.clone_from(&self.name);
        if let (Some(name), Some(Ok(edits))) = (&self.name, edits) {
            let needs_review =
                file.is_deployed || sql.run.when.direction != Direction::Upgrade || self.suggestion.unread.is_some();
            diagnostic.fix = Some(Fix::new(format!("name it `{name}`"), Safety::unless(needs_review), edits));
        }
        diagnostic
    }
}

/// The name that the constraint has in a database already, or that the upgrade drops.
fn kept_name(file: &MigrationFile<'_>, unnamed: &Unnamed<'_>, undone: &Undone<'_>) -> Option<String> {
    if !file.is_deployed && unnamed.sql.run.when.direction != Direction::Downgrade {
        return None;
    }
    if let Undone::By(drop) = undone
        && let Some(name) = drop.name()
    {
        return Some(name.to_owned());
    }
    let chosen = default_name_of(unnamed.sql.dialect?, &unnamed.constraint())?;
    (chosen.is_exact && file.is_deployed).then_some(chosen.text)
}
