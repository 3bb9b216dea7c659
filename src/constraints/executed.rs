//! The SQL of a migration as the rules see it: what it makes and drops on the database that it is for.

use std::cell::OnceCell;
use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use regex::Regex;

use super::MigrationFile;
use super::edits::finished_name;
use crate::fix::Edit;
use crate::migration::{Action, Direction, Execution, Guard, Name, Operation, SqlText};
use crate::naming::{ConstraintKind, Dialect};
use crate::source::Span;
use crate::sql::{
    Added, Dropped, Effect, Ident, Naming, PLACEHOLDER, Table, is_written_for_mysql, may_matter, read, written,
};
use crate::work;

/// A text of SQL with what it does.
pub(crate) struct Executed<'m> {
    /// The call that runs it.
    pub(crate) run: &'m Execution<'m>,
    /// The text.
    pub(crate) text: &'m SqlText,
    /// The database it is for, as far as that is known.
    pub(crate) dialect: Option<Dialect>,
    /// What it does, in order.
    pub(crate) effects: Vec<Effect>,
    is_of_mysql: OnceCell<bool>,
}

/// All SQL of a migration. What only moves data asks for no database, and so for no other file.
pub(crate) fn executed<'m>(file: &MigrationFile<'m>) -> Vec<Executed<'m>> {
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
                    is_of_mysql: OnceCell::new(),
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
                effects: read(text.text(), dialect),
                is_of_mysql: OnceCell::new(),
            }
        })
        .collect()
}

impl Executed<'_> {
    /// Whether no database but MySQL and MariaDB would take the text.
    pub(crate) fn is_written_for_mysql(&self) -> bool {
        *self.is_of_mysql.get_or_init(|| is_written_for_mysql(self.text.text()))
    }

    /// What it makes.
    pub(crate) fn added(&self) -> impl Iterator<Item = &Added> {
        self.effects.iter().filter_map(|effect| match effect {
            Effect::Added(added) => Some(added),
            _ => None,
        })
    }

    /// What it drops.
    pub(crate) fn dropped(&self) -> impl Iterator<Item = &Dropped> {
        self.effects.iter().filter_map(|effect| match effect {
            Effect::Dropped(dropped) => Some(dropped),
            _ => None,
        })
    }

    /// The place in the file of a part of it; the whole argument where that part is put together.
    pub(crate) fn place(&self, file: &MigrationFile<'_>, at: std::ops::Range<usize>) -> Span {
        self.text.place(file.file(), at).unwrap_or(self.run.argument)
    }

    /// The change that writes a text in the place of a part of it.
    pub(crate) fn edit(&self, file: &MigrationFile<'_>, at: std::ops::Range<usize>, text: &str) -> Option<Edit> {
        let (span, text) = self.text.replace(file.file(), at, text)?;
        Some(Edit {
            file: file.file().clone(),
            span,
            text,
        })
    }

    /// The change that writes a name in the place of another, in the quotes of the database.
    pub(crate) fn rename(&self, file: &MigrationFile<'_>, at: std::ops::Range<usize>, name: &str) -> Option<Edit> {
        self.edit(file, at, &written(name, self.dialect)?)
    }
}

/// Whether all SQL of some directions can be read, so that nothing is made or dropped unseen.
pub(crate) fn is_all_read(file: &MigrationFile<'_>, counts: impl Fn(Direction) -> bool) -> bool {
    !file.lookups.unread(file).iter().any(|direction| counts(*direction))
}

/// The directions with SQL that cannot be read.
pub(crate) fn unread(file: &MigrationFile<'_>) -> HashSet<Direction> {
    let runs = file.migration.executions.iter();
    let unread = runs.filter(|run| run.texts.is_empty() && !run.moves_data);
    let executed = file.executed().iter();
    let unknown = executed.filter(|one| one.effects.contains(&Effect::Unknown));
    unread
        .chain(unknown.map(|one| one.run))
        .map(|run| run.direction)
        .collect()
}

/// Whether what one direction makes the other direction can drop.
pub(crate) fn is_elsewhere(one: Direction, other: Direction) -> bool {
    one != other || one == Direction::Unknown
}

/// Whether a name in SQL is this one; the case of a name without quotes is the database's business.
pub(crate) fn is_called(ident: &Ident, name: &str) -> bool {
    ident.text.eq_ignore_ascii_case(name)
}

/// Whether a table in SQL may be the one of an operation: a schema that is not written can be any.
pub(crate) fn may_be_table(table: &Table, name: &str, schema: Option<&str>) -> bool {
    let same_schema = table
        .schema
        .as_ref()
        .zip(schema)
        .is_none_or(|(one, other)| is_called(one, other));
    table.name.text.contains(PLACEHOLDER) || is_called(&table.name, name) && same_schema
}

/// One drop of a migration, by an operation or by SQL.
#[derive(Clone, Copy)]
pub(crate) enum ConstraintDrop<'f> {
    /// `op.drop_constraint`, `op.drop_index`
    Operation(&'f Operation<'f>),
    /// `ALTER TABLE ... DROP CONSTRAINT`
    Sql(&'f Executed<'f>, &'f Dropped),
}

impl<'f> ConstraintDrop<'f> {
    /// Every drop of a migration that says what it drops from.
    pub(crate) fn all(file: &'f MigrationFile<'_>) -> impl Iterator<Item = ConstraintDrop<'f>> {
        let operations = file
            .migration
            .operations
            .iter()
            .filter(|operation| !operation.creates());
        let sql = file
            .executed()
            .iter()
            .flat_map(|one| one.dropped().map(move |dropped| ConstraintDrop::Sql(one, dropped)));
        operations.map(ConstraintDrop::Operation).chain(sql)
    }

    pub(crate) fn direction(self) -> Direction {
        work::step();
        match self {
            Self::Operation(operation) => operation.direction,
            Self::Sql(one, _) => one.run.direction,
        }
    }

    /// The name as it is written; nothing where it is `None` or computed.
    pub(crate) fn name(self) -> Option<&'f str> {
        match self {
            Self::Operation(operation) => operation.name.text(),
            Self::Sql(_, dropped) => dropped.name.is_certain.then_some(dropped.name.text.as_str()),
        }
    }

    /// Whether it is an operation that was given no name.
    pub(crate) fn is_unnamed(self) -> bool {
        matches!(self, Self::Operation(operation) if operation.name == Name::Unnamed)
    }

    /// Whether it may drop one of this kind. MySQL drops a unique constraint as an index.
    pub(crate) fn may_drop(self, kind: ConstraintKind) -> bool {
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
    pub(crate) fn may_be_of(self, table: &str, schema: Option<&str>) -> bool {
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
    pub(crate) fn place(self, file: &MigrationFile<'_>) -> Span {
        match self {
            Self::Operation(operation) => operation.name_span(),
            Self::Sql(one, dropped) => one.place(file, dropped.name.at.clone()),
        }
    }

    /// The change that makes it drop another name.
    pub(crate) fn rename(self, file: &MigrationFile<'_>, name: &str) -> Option<Edit> {
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

/// Where a drop stands: an operation, or an effect of a text of SQL.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum DropAt {
    Operation(usize),
    Sql(usize, usize),
}

impl DropAt {
    /// The drops of a table, whatever its case and schema; with no table, those that may be of any.
    pub(crate) fn of_table<'f>(file: &'f MigrationFile<'_>, table: Option<&str>) -> &'f [Self] {
        let drops = file.lookups.drops(file);
        let Some(table) = table else { return &drops.of_any };
        let own = drops.by_table.get(&table.to_ascii_lowercase());
        own.map(Vec::as_slice).unwrap_or_default()
    }

    /// Every drop that says what it drops from.
    pub(crate) fn all(file: &MigrationFile<'_>) -> Vec<Self> {
        let drops = file.lookups.drops(file);
        let mut all: Vec<Self> = drops
            .by_table
            .values()
            .flatten()
            .chain(&drops.of_any)
            .copied()
            .collect();
        all.sort();
        all
    }

    /// The drops of something called so, in any case.
    pub(crate) fn called<'f>(file: &'f MigrationFile<'_>, name: &str) -> &'f [Self] {
        let called = file.lookups.drops(file).by_name.get(&name.to_ascii_lowercase());
        called.map(Vec::as_slice).unwrap_or_default()
    }

    pub(crate) fn drop<'f>(self, file: &'f MigrationFile<'_>) -> Option<ConstraintDrop<'f>> {
        match self {
            Self::Operation(at) => {
                let operation = file.migration.operations.get(at)?;
                (!operation.creates()).then_some(ConstraintDrop::Operation(operation))
            }
            Self::Sql(text, effect) => {
                let one = file.executed().get(text)?;
                match one.effects.get(effect)? {
                    Effect::Dropped(dropped) => Some(ConstraintDrop::Sql(one, dropped)),
                    _ => None,
                }
            }
        }
    }
}

/// All drops of a migration by their tables and names, in lower case.
#[derive(Default)]
pub(crate) struct Drops {
    by_table: HashMap<String, Vec<DropAt>>,
    /// Those whose table is not known.
    of_any: Vec<DropAt>,
    by_name: HashMap<String, Vec<DropAt>>,
}

impl Drops {
    pub(crate) fn of(file: &MigrationFile<'_>) -> Self {
        let mut drops = Self::default();
        for (at, operation) in file.migration.operations.iter().enumerate() {
            if !operation.creates() {
                drops.add(operation.table.known().map(String::as_str), DropAt::Operation(at));
            }
        }
        for (text, one) in file.executed().iter().enumerate() {
            for (at, effect) in one.effects.iter().enumerate() {
                // One that names no table is none of any certain table.
                if let Effect::Dropped(Dropped { table: Some(table), .. }) = effect {
                    let name = Some(table.name.text.as_str()).filter(|name| !name.contains(PLACEHOLDER));
                    drops.add(name, DropAt::Sql(text, at));
                }
            }
        }
        drops.add_names(file);
        drops
    }

    fn add(&mut self, table: Option<&str>, at: DropAt) {
        match table {
            Some(table) => self.by_table.entry(table.to_ascii_lowercase()).or_default().push(at),
            None => self.of_any.push(at),
        }
    }

    fn add_names(&mut self, file: &MigrationFile<'_>) {
        let operations = (0..file.migration.operations.len()).map(DropAt::Operation);
        let texts = file.executed().iter().enumerate();
        let sql = texts.flat_map(|(text, one)| (0..one.effects.len()).map(move |at| DropAt::Sql(text, at)));
        for at in operations.chain(sql) {
            if let Some(name) = at.drop(file).and_then(ConstraintDrop::name) {
                self.by_name.entry(name.to_ascii_lowercase()).or_default().push(at);
            }
        }
    }
}

/// Whether something of the migration makes what is called so: an operation, or SQL that adds or renames it.
pub(crate) fn is_made(file: &MigrationFile<'_>, name: &str) -> bool {
    let operations = &file.migration.operations;
    let named = file.lookups.named(file, name).iter();
    named.map(|at| &operations[*at]).any(Operation::creates) || file.is_made_by_sql(name, &DIRECTIONS)
}

/// Every direction.
pub(crate) const DIRECTIONS: [Direction; 3] = [Direction::Upgrade, Direction::Downgrade, Direction::Unknown];

/// The names that SQL makes, in lower case, and where.
pub(crate) fn made_by_sql(executed: &[Executed<'_>]) -> HashSet<(String, Direction)> {
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
        .flat_map(|one| one.effects.iter().map(move |effect| (effect, one.run.direction)));
    effects
        .filter_map(|(effect, direction)| Some((name(effect)?, direction)))
        .collect()
}

/// The words of a text, each with its place.
pub(crate) fn words_of(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let is_part = |letter: char| letter.is_alphanumeric() || letter == '_';
    let mut at = 0;
    std::iter::from_fn(move || {
        at += text.get(at..)?.find(is_part)?;
        let start = at;
        let rest = &text[start..];
        at += rest.find(|letter| !is_part(letter)).unwrap_or(rest.len());
        Some((start, &text[start..at]))
    })
}

/// The words in a piece of Python. A line end in a string is a backslash and a letter, which is no part of the word behind it.
pub(crate) fn words_of_code(code: &str) -> impl Iterator<Item = &str> {
    code.split('\\').flat_map(|part| {
        let cut = part.char_indices().nth(1).map_or(part.len(), |(at, _)| at);
        words_of(part).chain(words_of(&part[cut..])).map(|(_, word)| word)
    })
}

/// Where a name stands in the file, comments aside.
pub(crate) fn words(file: &MigrationFile<'_>, name: &str) -> Vec<usize> {
    let text = file.file().text();
    let in_word = |letter: Option<char>| letter.is_some_and(|letter| letter.is_alphanumeric() || letter == '_');
    let is_whole = |at: usize| {
        work::step();
        let rest = text.get(at..).and_then(|rest| rest.strip_prefix(name));
        rest.is_some_and(|rest| !in_word(text[..at].chars().next_back()) && !in_word(rest.chars().next()))
    };
    let Some((before, word)) = words_of(name).next() else {
        return Vec::new();
    };
    let places = file.lookups.words(file, word).iter();
    places
        .filter_map(|at| at.checked_sub(before))
        .filter(|at| is_whole(*at))
        .collect()
}

/// Whether there is SQL about tables in it, wherever it stands.
pub(crate) fn runs_definitions(text: &str) -> bool {
    static DEFINES: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(
            r"(?i-u)(?:alter|create|drop|rename)\s+(?:temporary\s+|unlogged\s+)?table|(?:add|drop|rename)\s+constraint",
        )
        .ok()
    });
    DEFINES.as_ref().is_none_or(|pattern| pattern.is_match(text))
}
