//! The SQL of a migration as the rules see it: what it makes and drops on the database that it is for.

use std::collections::HashSet;

use crate::fix::Edit;
use crate::migration::{Action, Execution, Guard, Half, Name, Operation, SqlText};
use crate::naming::{ConstraintKind, Dialect};
use crate::source::Span;
use crate::sql::{Added, Dropped, Effect, Ident, Naming, PLACEHOLDER, Table, may_matter, read, written};

use super::MigrationFile;
use super::edits::finished_name;

/// A text of SQL with what it does.
pub(super) struct Executed<'m> {
    /// The call that runs it.
    pub(super) run: &'m Execution<'m>,
    /// The text.
    pub(super) text: &'m SqlText,
    /// The database it is for, as far as that is known.
    pub(super) dialect: Option<Dialect>,
    /// What it does, in order.
    pub(super) effects: Vec<Effect>,
}

/// All SQL of a migration. What only moves data asks for no database, and so for no other file.
pub(super) fn executed<'m>(file: &MigrationFile<'m>) -> Vec<Executed<'m>> {
    let migration = file.migration;
    let texts = migration
        .executions
        .iter()
        .flat_map(|run| run.texts.iter().map(move |text| (run, text)));
    texts
        .map(|(run, text)| {
            if !may_matter(text.text()) {
                return Executed {
                    run,
                    text,
                    dialect: None,
                    effects: Vec::new(),
                };
            }
            let dialect = match run.guard {
                Guard::On(dialect) => Some(dialect),
                Guard::Doubtful => None,
                Guard::None => file.dialect(),
            };
            Executed {
                run,
                text,
                dialect,
                effects: read(text.text(), dialect).effects,
            }
        })
        .collect()
}

impl Executed<'_> {
    /// What it makes.
    pub(super) fn added(&self) -> impl Iterator<Item = &Added> {
        self.effects.iter().filter_map(|effect| match effect {
            Effect::Added(added) => Some(added),
            _ => None,
        })
    }

    /// What it drops.
    pub(super) fn dropped(&self) -> impl Iterator<Item = &Dropped> {
        self.effects.iter().filter_map(|effect| match effect {
            Effect::Dropped(dropped) => Some(dropped),
            _ => None,
        })
    }

    /// The place in the file of a part of it; the whole argument where that part is put together.
    pub(super) fn place(&self, file: &MigrationFile<'_>, at: std::ops::Range<usize>) -> Span {
        self.text.place(file.file(), at).unwrap_or(self.run.argument)
    }

    /// The change that writes a text in the place of a part of it.
    pub(super) fn edit(&self, file: &MigrationFile<'_>, at: std::ops::Range<usize>, text: &str) -> Option<Edit> {
        let (span, text) = self.text.replace(file.file(), at, text)?;
        Some(Edit {
            file: file.file().clone(),
            span,
            text,
        })
    }

    /// The change that writes a name in the place of another, in the quotes of the database.
    pub(super) fn rename(&self, file: &MigrationFile<'_>, at: std::ops::Range<usize>, name: &str) -> Option<Edit> {
        self.edit(file, at, &written(name, self.dialect)?)
    }
}

/// Whether all SQL of some halves can be read, so that nothing is made or dropped unseen.
pub(super) fn is_all_read(file: &MigrationFile<'_>, counts: impl Fn(Half) -> bool) -> bool {
    let unread = |run: &&Execution<'_>| counts(run.half) && run.texts.is_empty() && !run.moves_data;
    let unknown = |one: &&Executed<'_>| counts(one.run.half) && one.effects.contains(&Effect::Unknown);
    file.migration.executions.iter().find(unread).is_none() && file.executed().iter().find(unknown).is_none()
}

/// Whether what one half makes the other half can drop.
pub(super) fn is_elsewhere(one: Half, other: Half) -> bool {
    one != other || one == Half::Unknown
}

/// Whether a name in SQL is this one; the case of a name without quotes is the database's business.
pub(super) fn is_called(ident: &Ident, name: &str) -> bool {
    ident.text.eq_ignore_ascii_case(name)
}

/// Whether a table in SQL may be the one of an operation: a schema that is not written can be any.
pub(super) fn may_be_table(table: &Table, name: &str, schema: Option<&str>) -> bool {
    let same_schema = table
        .schema
        .as_ref()
        .zip(schema)
        .is_none_or(|(one, other)| is_called(one, other));
    table.name.text.contains(PLACEHOLDER) || is_called(&table.name, name) && same_schema
}

/// One drop of a migration, by an operation or by SQL.
#[derive(Clone, Copy)]
pub(super) enum Drop<'f> {
    /// `op.drop_constraint`, `op.drop_index`
    Operation(&'f Operation<'f>),
    /// `ALTER TABLE ... DROP CONSTRAINT`
    Sql(&'f Executed<'f>, &'f Dropped),
}

impl<'f> Drop<'f> {
    /// Every drop of a migration that says what it drops from.
    pub(super) fn all(file: &'f MigrationFile<'_>) -> impl Iterator<Item = Drop<'f>> {
        let operations = file
            .migration
            .operations
            .iter()
            .filter(|operation| !operation.creates());
        let sql = file
            .executed()
            .iter()
            .flat_map(|one| one.dropped().map(move |dropped| Drop::Sql(one, dropped)));
        operations.map(Drop::Operation).chain(sql)
    }

    pub(super) fn half(self) -> Half {
        match self {
            Self::Operation(operation) => operation.half,
            Self::Sql(one, _) => one.run.half,
        }
    }

    /// The name as it is written; nothing where it is `None` or computed.
    pub(super) fn name(self) -> Option<&'f str> {
        match self {
            Self::Operation(operation) => operation.name.text(),
            Self::Sql(_, dropped) => dropped.name.is_certain.then_some(dropped.name.text.as_str()),
        }
    }

    /// Whether it is an operation that was given no name.
    pub(super) fn is_unnamed(self) -> bool {
        matches!(self, Self::Operation(operation) if operation.name == Name::Unnamed)
    }

    /// Whether it may drop one of this kind. MySQL drops a unique constraint as an index.
    pub(super) fn may_drop(self, kind: ConstraintKind) -> bool {
        match self {
            Self::Operation(operation) => match operation.action {
                Action::Drop(None) => true,
                Action::Drop(Some(ConstraintKind::Index)) => {
                    matches!(kind, ConstraintKind::Index | ConstraintKind::Unique)
                }
                Action::Drop(Some(own)) => own == kind,
                Action::Create(_) => false,
            },
            Self::Sql(_, dropped) => dropped.kinds.is_none_or(|kinds| kinds.contains(&kind)),
        }
    }

    /// Whether it may drop from this table.
    pub(super) fn may_be_of(self, table: &str, schema: Option<&str>) -> bool {
        match self {
            Self::Operation(operation) => {
                let same_table = operation
                    .table
                    .known()
                    .is_none_or(|own| own.eq_ignore_ascii_case(table));
                let own = operation.schema.known().and_then(Option::as_deref);
                same_table && own.zip(schema).is_none_or(|(one, other)| one == other)
            }
            Self::Sql(_, dropped) => match &dropped.table {
                Some(own) => may_be_table(own, table, schema),
                None => false,
            },
        }
    }

    /// Where its name stands.
    pub(super) fn place(self, file: &MigrationFile<'_>) -> Span {
        match self {
            Self::Operation(operation) => operation.name_span(),
            Self::Sql(one, dropped) => one.place(file, dropped.name.at.clone()),
        }
    }

    /// The change that makes it drop another name.
    pub(super) fn rename(self, file: &MigrationFile<'_>, name: &str) -> Option<Edit> {
        match self {
            Self::Operation(operation) => Some(Edit {
                file: file.file().clone(),
                span: operation.name_argument?.value.span,
                text: finished_name(file, &operation.receiver, operation.call, name)?,
            }),
            Self::Sql(one, dropped) => one.rename(file, dropped.name.at.clone(), name),
        }
    }
}

/// Whether something of the migration makes what is called so: an operation, or SQL that adds or renames it.
pub(super) fn is_made(file: &MigrationFile<'_>, name: &str) -> bool {
    let by_operation = |operation: &Operation<'_>| operation.creates() && operation.name.text() == Some(name);
    file.migration.operations.iter().any(by_operation) || file.is_made_by_sql(name, &HALVES)
}

/// Every half.
pub(super) const HALVES: [Half; 3] = [Half::Upgrade, Half::Downgrade, Half::Unknown];

/// The names that SQL makes, in lower case, and where.
pub(super) fn made_by_sql(executed: &[Executed<'_>]) -> HashSet<(String, Half)> {
    let name = |effect: &Effect| match effect {
        Effect::Added(Added {
            naming: Naming::Named(name),
            ..
        })
        | Effect::Renamed { to: name, .. } => Some(name.text.to_ascii_lowercase()),
        _ => None,
    };
    let effects = executed
        .iter()
        .flat_map(|one| one.effects.iter().map(move |effect| (effect, one.run.half)));
    effects
        .filter_map(|(effect, half)| Some((name(effect)?, half)))
        .collect()
}

/// Where a name stands in the file, comments aside.
pub(super) fn words(file: &MigrationFile<'_>, name: &str) -> Vec<usize> {
    let text = file.file().text();
    let comments = file.migration.module.comments();
    let in_word = |letter: Option<char>| letter.is_some_and(|letter| letter.is_alphanumeric() || letter == '_');
    let found = text.match_indices(name).map(|(at, _)| at).filter(|&at| {
        let before = text[..at].chars().next_back();
        let after = text[at + name.len()..].chars().next();
        !in_word(before) && !in_word(after) && !comments.iter().any(|comment| comment.start <= at && at < comment.end)
    });
    found.collect()
}
