//! The SQL that a migration runs, with what it does to constraints on the database that it is for.

use std::cell::OnceCell;
use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use super::MigrationFile;
use crate::fix::Edit;
use crate::migration::{Direction, Execution, Guard, SqlText};
use crate::naming::Dialect;
use crate::source::{Span, words_of};
use crate::sql::{Added, Effect, PLACEHOLDER, Table, is_written_for_mysql, may_matter, read, written};

/// Every direction.
pub(crate) const DIRECTIONS: [Direction; 3] = [Direction::Upgrade, Direction::Downgrade, Direction::Unknown];

/// One SQL text. A call in a loop over literals runs several.
pub(crate) struct Executed<'m> {
    /// The call that runs it.
    pub(crate) run: &'m Execution<'m>,
    pub(crate) text: &'m SqlText,
    /// The database it is for, where that is known.
    pub(crate) dialect: Option<Dialect>,
    /// In the order of the text.
    pub(crate) effects: Vec<Effect>,
    is_for_mysql: OnceCell<bool>,
}

/// All SQL of a migration. SQL that only moves data needs no dialect, so no other file is read for it.
pub(super) fn executed<'m>(file: &MigrationFile<'m>) -> Vec<Executed<'m>> {
    let runs = file.migration.executions.iter();
    let texts = runs.flat_map(|run| run.texts.iter().map(move |text| (run, text)));
    let one = |(run, text): (&'m Execution<'m>, &'m SqlText)| {
        let may_matter = may_matter(text.text());
        let dialect = match run.guard {
            _ if !may_matter => None,
            Guard::On(dialect) => Some(dialect),
            Guard::Doubtful => None,
            Guard::None => file.dialect(),
        };
        let effects = may_matter.then(|| read(text.text(), dialect));
        Executed {
            run,
            text,
            dialect,
            effects: effects.unwrap_or_default(),
            is_for_mysql: OnceCell::new(),
        }
    };
    texts.map(one).collect()
}

impl Executed<'_> {
    /// Whether no database but MySQL and MariaDB would take the text.
    pub(crate) fn is_written_for_mysql(&self) -> bool {
        let is_for_mysql = || is_written_for_mysql(self.text.text());
        *self.is_for_mysql.get_or_init(is_for_mysql)
    }

    /// The constraints and indexes that it adds.
    pub(crate) fn added(&self) -> impl Iterator<Item = &Added> {
        self.effects.iter().filter_map(|effect| match effect {
            Effect::Added(added) => Some(added),
            _ => None,
        })
    }

    /// The place in the file of a part of the text; the whole argument where that part is computed.
    pub(crate) fn place(&self, file: &MigrationFile<'_>, at: Range<usize>) -> Span {
        self.text.place(file.file(), at).unwrap_or(self.run.argument)
    }

    /// Replaces a part of the text.
    pub(crate) fn edit(&self, file: &MigrationFile<'_>, at: Range<usize>, text: &str) -> Option<Edit> {
        let (span, text) = self.text.replace(file.file(), at, text)?;
        Some(Edit::replace(file.file(), span, text))
    }

    /// Replaces a name, in the quotes of the database.
    pub(crate) fn rename(&self, file: &MigrationFile<'_>, at: Range<usize>, name: &str) -> Option<Edit> {
        self.edit(file, at, &written(name, self.dialect)?)
    }
}

/// Whether what one direction makes the other direction can drop.
pub(crate) fn is_elsewhere(one: Direction, other: Direction) -> bool {
    one != other || one == Direction::Unknown
}

/// Whether a table in SQL may be the one of an operation. Without quotes case does not count, and a schema that is not written can be any.
pub(crate) fn may_be_table(table: &Table, name: &str, schema: Option<&str>) -> bool {
    let same_schema = table.schema.as_ref().zip(schema);
    table.name.text.contains(PLACEHOLDER)
        || table.name.text.eq_ignore_ascii_case(name)
            && same_schema.is_none_or(|(one, other)| one.text.eq_ignore_ascii_case(other))
}

/// The words in a call that runs SQL, and in its SQL, which may be written elsewhere. In lower case, since SQL without quotes has no case.
pub(crate) fn words_of_run<'m>(file: &MigrationFile<'m>, run: &'m Execution<'m>) -> impl Iterator<Item = String> + 'm {
    let of_texts = run.texts.iter().flat_map(|text| words_of(text.text()));
    let words = words_of_code(file.file().slice(run.call.span)).chain(of_texts.map(|(_, word)| word));
    words.map(str::to_ascii_lowercase)
}

/// The words in a piece of Python. In a string, `\n` is a line end and its letter no part of the next word.
fn words_of_code(code: &str) -> impl Iterator<Item = &str> {
    code.split('\\').flat_map(|part| {
        let cut = part.char_indices().nth(1).map_or(part.len(), |(at, _)| at);
        words_of(part).chain(words_of(&part[cut..])).map(|(_, word)| word)
    })
}

/// Whether a text holds SQL that defines indexes.
pub(super) fn defines_indexes(text: &str) -> bool {
    static DEFINES: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r"(?i-u)(?:create|drop)\s+(?:(?:unique|fulltext|spatial)\s+)?index").ok());
    DEFINES.as_ref().is_none_or(|pattern| pattern.is_match(text))
}

/// Whether a text holds SQL that defines tables or constraints.
pub(crate) fn runs_definitions(text: &str) -> bool {
    static DEFINES: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(
            r"(?i-u)(?:alter|create|drop|rename)\s+(?:temporary\s+|unlogged\s+)?table|(?:add|drop|rename)\s+constraint",
        )
        .ok()
    });
    DEFINES.as_ref().is_none_or(|pattern| pattern.is_match(text))
}
