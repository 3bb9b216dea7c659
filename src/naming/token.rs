//! The tokens of a template, and their texts (`sqlalchemy/sql/naming.py`, `ConventionDict`).

use strsim::levenshtein;

use super::{ColumnRef, ConstraintKind, NamingError, Subject};

/// What SQLAlchemy documents, in the order in which a suggestion prefers them.
const DOCUMENTED: [&str; 14] = [
    "table_name",
    "column_0_name",
    "column_0_N_name",
    "column_0N_name",
    "column_0_label",
    "column_0_N_label",
    "column_0N_label",
    "column_0_key",
    "column_0_N_key",
    "column_0N_key",
    "referred_table_name",
    "referred_column_0_name",
    "referred_column_0_N_name",
    "constraint_name",
];

/// A token that SQLAlchemy knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Token {
    /// `table_name`.
    Table,
    /// `constraint_name`.
    ExplicitName,
    /// `referred_table_name`.
    ReferredTable,
    /// `column_0_name`, `referred_column_0_name` and their like; any number.
    Column { index: usize, part: Part },
    /// `column_0N_name`, `column_0_N_name` and their like; no number but 0.
    Columns { separator: &'static str, part: Part },
    /// Reads like a token for all columns and is none. SQLAlchemy notices at the first column, so a constraint without
    /// columns gets an empty text instead of an error.
    EmptyAtMost,
}

/// Which text of a column a token is replaced by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Name,
    Key,
    Label,
    /// The name of the column that it refers to.
    Referred,
}

impl Token {
    /// The token called `key`; `None` where SQLAlchemy raises for every constraint.
    ///
    /// Only ASCII digits count as a number, while Python takes any script's.
    pub(super) fn parse(key: &str) -> Option<Self> {
        match key {
            "table_name" => Some(Self::Table),
            "constraint_name" => Some(Self::ExplicitName),
            "referred_table_name" => Some(Self::ReferredTable),
            _ => key
                .rmatch_indices("column_")
                .find_map(|(start, _)| Shape::read(key, start))?
                .token(key),
        }
    }

    /// Whether it tells two constraints of one table apart by their own columns.
    pub(super) const fn is_own_column(self) -> bool {
        matches!(self, Self::Column { .. } | Self::Columns { .. }) && !self.is_referred()
    }

    /// Whether it is about the table that a foreign key refers to.
    pub(super) const fn is_referred(self) -> bool {
        use Part::Referred;
        matches!(
            self,
            Self::ReferredTable | Self::Column { part: Referred, .. } | Self::Columns { part: Referred, .. }
        )
    }

    /// The text of the token, which is written as `key`.
    pub(super) fn resolve(self, key: &str, subject: &Subject<'_>) -> Result<String, NamingError> {
        match self {
            Self::Table => Ok(subject.table.to_owned()),
            Self::ExplicitName => subject
                .explicit
                .map(|explicit| explicit.name.to_owned())
                .ok_or(NamingError::ExplicitNameNeeded),
            Self::Column { index, part } => part.of(key, subject, index),
            Self::Columns { separator, part } => {
                let count = match part {
                    Part::Referred => pairs(subject)?,
                    _ => columns(subject)?.len(),
                };
                let texts: Result<Vec<String>, _> = (0..count).map(|index| part.of(key, subject, index)).collect();
                Ok(texts?.join(separator))
            }
            Self::EmptyAtMost if columns(subject)?.is_empty() => Ok(String::new()),
            Self::EmptyAtMost => Err(NamingError::UnknownToken(key.to_owned())),
            Self::ReferredTable => referred_table(key, subject),
        }
    }
}

/// The known token that looks most like an unknown one; `None` where none is near.
pub(super) fn nearest(unknown: &str) -> Option<&'static str> {
    // A capital N means all columns, unless all letters are capitals.
    let speaks_of_all = unknown.chars().any(|letter| letter.is_ascii_lowercase());
    let all = ["_N", "N"]
        .into_iter()
        .find(|all| speaks_of_all && unknown.contains(all))
        .unwrap_or_default();
    let wanted = unknown.trim().to_ascii_lowercase();
    let distance = |known: &str| {
        let known = known.to_ascii_lowercase();
        let stem = known.strip_suffix("_name").unwrap_or(&known);
        levenshtein(&wanted, &known).min(levenshtein(&wanted, stem) + usize::from(wanted != stem))
    };
    DOCUMENTED
        .into_iter()
        .filter(|known| known.contains(all))
        .map(|known| (distance(known), known))
        .min_by_key(|(distance, _)| *distance)
        .filter(|(distance, known)| *distance <= known.len() / 4)
        .map(|(_, known)| known)
}

/// What the pattern `.*_?column_(\d+)(_?N)?_.+` finds in a key.
struct Shape<'k> {
    digits: &'k str,
    all: Option<&'static str>,
}

impl<'k> Shape<'k> {
    /// Reads the pattern with its `column_` at `start`. A dot in it matches anything but the end of a line.
    fn read(key: &'k str, start: usize) -> Option<Self> {
        let (before, rest) = key.split_at(start);
        let rest = rest.strip_prefix("column_")?;
        let digits = &rest[..rest.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(rest.len())];
        let ends = |tail: &str| {
            tail.strip_prefix('_')
                .is_some_and(|last| !last.is_empty() && !last.starts_with('\n'))
        };
        let tail = &rest[digits.len()..];
        let all = ["_N", "N"]
            .into_iter()
            .find(|all| tail.strip_prefix(all).is_some_and(ends));
        let matches = !before.contains('\n') && !digits.is_empty() && (all.is_some() || ends(tail));
        matches.then_some(Self { digits, all })
    }

    /// The method that SQLAlchemy would call, found as it does: by putting an X for the number.
    fn token(&self, key: &str) -> Option<Token> {
        let Some(all) = self.all else {
            // A number too big for a machine word is past every column, just as the greatest one is.
            let index = self.digits.parse().unwrap_or(usize::MAX);
            return Part::of_method(&key.replace(self.digits, "X")).map(|part| Token::Column { index, part });
        };
        let separator = if all == "_N" { "_" } else { "" };
        let part = Part::of_method(&key.replace(&format!("0{all}"), "X"));
        Some(part.map_or(Token::EmptyAtMost, |part| Token::Columns { separator, part }))
    }
}

impl Part {
    fn of_method(method: &str) -> Option<Self> {
        match method {
            "column_X_name" => Some(Self::Name),
            "column_X_key" => Some(Self::Key),
            "column_X_label" => Some(Self::Label),
            "referred_column_X_name" => Some(Self::Referred),
            _ => None,
        }
    }

    /// The text of one column; empty for a column that there is not. A label is the column qualified by its table and schema
    /// (`ColumnClause._ddl_label`).
    fn of(self, key: &str, subject: &Subject<'_>, index: usize) -> Result<String, NamingError> {
        if self == Self::Referred {
            return referred_column(key, subject, index);
        }
        let Some(column) = columns(subject)?.get(index) else {
            return Ok(String::new());
        };
        Ok(match self {
            Self::Name | Self::Referred => column.name.to_owned(),
            Self::Key => column.key.unwrap_or(column.name).to_owned(),
            Self::Label => {
                let schema = subject.schema.filter(|schema| !schema.is_empty());
                let prefix = schema.map(|schema| schema.replace('.', "_") + "_").unwrap_or_default();
                format!("{prefix}{}_{}", subject.table, column.name)
            }
        })
    }
}

fn columns<'a>(subject: &Subject<'a>) -> Result<&'a [ColumnRef<'a>], NamingError> {
    if subject.columns_unknown {
        Err(not_knowable("its columns are not written out"))
    } else {
        Ok(subject.columns)
    }
}

/// How many columns refer to how many: either side of a foreign key tells.
fn pairs(subject: &Subject<'_>) -> Result<usize, NamingError> {
    match subject.referred {
        Some(referred) if subject.columns_unknown && !referred.columns.is_empty() => Ok(referred.columns.len()),
        _ => columns(subject).map(<[_]>::len),
    }
}

/// The referred table. The operation joins schema, table and column by dots and SQLAlchemy splits them again, so a
/// table with a dot in its own name is known by what follows the last one (`ForeignKeyTarget._from_string`). SQLAlchemy
/// before 2.1 raises where the schema has a dot, too.
fn referred_table(key: &str, subject: &Subject<'_>) -> Result<String, NamingError> {
    if subject.kind != ConstraintKind::ForeignKey {
        return Err(outside_foreign_key(key, subject));
    }
    if !subject.columns_unknown && subject.columns.is_empty() {
        return Err(NamingError::ReferredOutOfRange(key.to_owned()));
    }
    let referred = subject
        .referred
        .ok_or_else(|| not_knowable("the referred table is not written out"))?;
    let column = referred.columns.first().copied().unwrap_or_default();
    let specification = format!("{}.{column}", referred.table);
    Ok(specification.rsplit('.').nth(1).unwrap_or(referred.table).to_owned())
}

fn referred_column(key: &str, subject: &Subject<'_>, index: usize) -> Result<String, NamingError> {
    if subject.kind != ConstraintKind::ForeignKey {
        return Err(outside_foreign_key(key, subject));
    }
    let referred = subject.referred.map(|referred| referred.columns).unwrap_or_default();
    match referred.get(index) {
        Some(column) => Ok((*column).to_owned()),
        // As many columns are referred to as refer, or the foreign key cannot be built.
        None if referred.is_empty() && (subject.columns_unknown || index < subject.columns.len()) => {
            Err(not_knowable("the referred columns are not written out"))
        }
        None => Err(NamingError::ReferredOutOfRange(key.to_owned())),
    }
}

fn outside_foreign_key(key: &str, subject: &Subject<'_>) -> NamingError {
    NamingError::ReferredOutsideForeignKey(key.to_owned(), subject.kind)
}

fn not_knowable(reason: &str) -> NamingError {
    NamingError::NotKnowable(reason.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_what_sqlalchemy_knows() {
        for known in DOCUMENTED {
            assert!(Token::parse(known).is_some_and(|token| token != Token::EmptyAtMost), "{known}");
        }
        for (key, index, part) in [
            ("column_12_key", 12, Part::Key),
            ("column_00_name", 0, Part::Name),
            ("referred_column_1_name", 1, Part::Referred),
            ("column_99999999999999999999_name", usize::MAX, Part::Name),
        ] {
            assert_eq!(Token::parse(key), Some(Token::Column { index, part }));
        }
    }

    #[test]
    fn knows_nothing_else() {
        for unknown in [
            "",
            "col",
            "column_0",
            "column_N_name",
            "column_0_N",
            "column_0N_",
            "column_0_",
            "column_0_type",
            "column_0_name_",
            "column_0_Nx_n",
            "column_X_name",
            "COLUMN_0_NAME",
            " table_name",
            "xcolumn_0_name",
            "column_0_column_0_name",
            "referred_column_0_key",
            "column_0\n_name",
            "column_0N_\nname",
            "a\ncolumn_0N_name",
        ] {
            assert_eq!(Token::parse(unknown), None, "{unknown:?}");
        }
    }

    #[test]
    fn a_false_token_for_all_columns_fails_only_for_a_constraint_with_columns() {
        for odd in ["column_1N_name", "column_1_N_foo", "xcolumn_0N_y", "column_0N_n\nq", "referred_column_0N_label"] {
            assert_eq!(Token::parse(odd), Some(Token::EmptyAtMost), "{odd:?}");
            let mut subject = Subject::default();
            assert_eq!(Token::EmptyAtMost.resolve(odd, &subject), Ok(String::new()));
            let columns = ["a".into()];
            subject.columns = &columns;
            assert_eq!(Token::EmptyAtMost.resolve(odd, &subject), Err(NamingError::UnknownToken(odd.to_owned())));
        }
    }

    #[test]
    fn suggests_what_was_meant() {
        for (unknown, meant) in [
            ("column_name", Some("column_0_name")),
            ("column_0", Some("column_0_name")),
            ("column", Some("column_0_name")),
            ("columns", Some("column_0_name")),
            ("column0_name", Some("column_0_name")),
            ("column_N_name", Some("column_0_N_name")),
            ("column_1N_name", Some("column_0N_name")),
            ("COLUMN_0_NAME", Some("column_0_name")),
            ("tablename", Some("table_name")),
            ("table", Some("table_name")),
            ("referred_table", Some("referred_table_name")),
            ("referent_table", Some("referred_table_name")),
            ("referred_column_name", Some("referred_column_0_name")),
            ("referred_column_0_key", Some("referred_column_0_name")),
            ("constraint", Some("constraint_name")),
            ("constrain_name", Some("constraint_name")),
            ("schema", None),
            ("x", None),
            ("", None),
        ] {
            assert_eq!(nearest(unknown), meant, "{unknown}");
        }
    }
}
