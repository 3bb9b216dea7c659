//! The names that a database chooses for constraints without one.
//!
//! A migration that is already applied must drop a constraint by that name. SQLite chooses none, and those of Oracle and SQL Server can't be
//! foretold.

use super::{ConstraintKind, Dialect};

/// PostgreSQL's longest name in bytes (`NAMEDATALEN - 1`).
const POSTGRESQL_BYTES: usize = 63;

/// The name that PostgreSQL 12 or later chooses; `None` where it depends on columns and none are given.
///
/// `columns` are those of the constraint or index in order (with those of `INCLUDE`), for a check the columns that its
/// condition uses; an expression in an index counts as a column called `expr`, or as the function that it calls. Names
/// are taken as the database stores them: what is not quoted in SQL is stored in lower case.
///
/// Before version 12 a foreign key was named by its first column only.
///
/// Follows `ChooseConstraintName`, `ChooseIndexName`, `ChooseIndexColumnNames` and `makeObjectName` of the server.
#[must_use]
pub(crate) fn postgresql(kind: ConstraintKind, table: &str, columns: &[&str]) -> Option<String> {
    postgresql_in_turn(kind, table, columns)?.next()
}

/// The names that PostgreSQL tries in turn, until one is not in use.
///
/// For a foreign key or a check it looks at all constraints of the schema, for an index at its tables and indexes, for the other kinds at both.
fn postgresql_in_turn(kind: ConstraintKind, table: &str, columns: &[&str]) -> Option<impl Iterator<Item = String>> {
    let middle = match kind {
        ConstraintKind::PrimaryKey => None,
        ConstraintKind::Check => only(columns).map(|column| clip(column, POSTGRESQL_BYTES).to_owned()),
        ConstraintKind::ForeignKey => Some(joined(columns.iter().map(|column| (*column).to_owned()))?),
        ConstraintKind::Unique | ConstraintKind::Index | ConstraintKind::Exclude => Some(joined(distinct(columns))?),
    };
    let label = label(kind);
    let labels = std::iter::once(label.to_owned()).chain((1_u32..).map(move |number| format!("{label}{number}")));
    Some(labels.map(move |label| object_name(table, middle.as_deref(), &label)))
}

/// The name that MariaDB chooses for the first such constraint of a table; `None` for what it cannot name, or where it depends on columns and
/// none are given. Measured on MariaDB 10.11.
///
/// A check written with its column is called like the column instead. MySQL 8 chooses the same, except for a check: `{table}_chk_1` (its manual,
/// "CHECK Constraints").
#[must_use]
pub(crate) fn mariadb(kind: ConstraintKind, table: &str, columns: &[&str]) -> Option<String> {
    match kind {
        ConstraintKind::ForeignKey => Some(format!("{table}_ibfk_1")),
        ConstraintKind::Check => Some("CONSTRAINT_1".to_owned()),
        ConstraintKind::PrimaryKey => Some("PRIMARY".to_owned()),
        ConstraintKind::Unique | ConstraintKind::Index => {
            let first = *columns.first()?;
            let is_primary = first.eq_ignore_ascii_case("PRIMARY");
            Some(if is_primary {
                format!("{first}_2")
            } else {
                first.to_owned()
            })
        }
        ConstraintKind::Exclude => None,
    }
}

/// The databases that would choose this name for such a constraint; none if only a person would.
///
/// `columns` as for [`postgresql`], for a check all words of its condition; without them any will do, except that a name which holds the
/// table's is then no column's. What SQL Server and Oracle choose is known by its form alone.
#[must_use]
pub(crate) fn chosen_by(kind: ConstraintKind, table: &str, columns: Option<&[&str]>, name: &str) -> &'static [Dialect] {
    if is_postgresql(kind, table, columns, name) {
        return &[Dialect::Postgresql];
    }
    let numbered = |start: &str| name.strip_prefix(start).is_some_and(is_number);
    let first = columns.and_then(|columns| columns.first());
    match kind {
        ConstraintKind::ForeignKey if numbered(&format!("{table}_ibfk_")) => &[Dialect::Mysql, Dialect::Mariadb],
        ConstraintKind::Check if numbered("CONSTRAINT_") => &[Dialect::Mariadb],
        ConstraintKind::Check if numbered(&format!("{table}_chk_")) => &[Dialect::Mysql],
        _ if is_mssql(kind, name) => &[Dialect::Mssql],
        _ if numbered("SYS_C") => &[Dialect::Oracle],
        ConstraintKind::Unique => {
            let is_column = match first {
                Some(first) => name == *first || numbered(&format!("{first}_")),
                None => columns.is_none() && !name.contains(table),
            };
            if is_column {
                &[Dialect::Mysql, Dialect::Mariadb]
            } else {
                &[]
            }
        }
        _ => &[],
    }
}

/// How many of the names are tried.
const MOST_TRIED: usize = 10;

fn is_postgresql(kind: ConstraintKind, table: &str, columns: Option<&[&str]>, name: &str) -> bool {
    let is_one_of = |columns: &[&str]| {
        let names = postgresql_in_turn(kind, table, columns);
        names.is_some_and(|names| names.take(MOST_TRIED).any(|one| one == name))
    };
    match (columns, label(kind)) {
        // A check is called after its column when it has only one.
        (Some(words), _) if kind == ConstraintKind::Check => is_one_of(&[]) || words.chunks(1).any(is_one_of),
        (Some(columns), _) => is_one_of(columns),
        (None, label) => {
            // At least half of the room is the table's.
            let table = clip(table, (POSTGRESQL_BYTES - label.len() - 2) / 2 - 1);
            let label = format!("_{label}");
            name.starts_with(table)
                && name
                    .trim_end_matches(|digit: char| digit.is_ascii_digit())
                    .ends_with(&label)
        }
    }
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// `FK__order__invoice__3A81B327`: parts of table and column, and eight or sixteen random digits.
fn is_mssql(kind: ConstraintKind, name: &str) -> bool {
    let Some(prefix) = kind.prefix() else { return false };
    let digits = name
        .strip_prefix(&format!("{}__", prefix.to_ascii_uppercase()))
        .and_then(|rest| rest.rsplit_once("__"))
        .map(|(_, digits)| digits);
    digits.is_some_and(|digits| {
        matches!(digits.len(), 8 | 16)
            && digits
                .bytes()
                .all(|byte| byte.is_ascii_digit() || (b'A'..=b'F').contains(&byte))
    })
}

/// The end of a name that PostgreSQL chooses.
const fn label(kind: ConstraintKind) -> &'static str {
    match kind {
        ConstraintKind::PrimaryKey => "pkey",
        ConstraintKind::Check => "check",
        ConstraintKind::ForeignKey => "fkey",
        ConstraintKind::Unique => "key",
        ConstraintKind::Index => "idx",
        ConstraintKind::Exclude => "excl",
    }
}

/// Puts a name together and shortens the longer of table and columns, byte by byte, until it fits.
fn object_name(table: &str, middle: Option<&str>, label: &str) -> String {
    let separators = if middle.is_some() { 2 } else { 1 };
    let room = POSTGRESQL_BYTES.saturating_sub(label.len() + separators);
    let table = clip(table, POSTGRESQL_BYTES);
    let (mut first, mut second) = (table.len(), middle.map_or(0, str::len));
    while first + second > room {
        if first > second {
            first -= 1;
        } else {
            second -= 1;
        }
    }
    let table = clip(table, first);
    match middle {
        Some(middle) => format!("{table}_{}_{label}", clip(middle, second)),
        None => format!("{table}_{label}"),
    }
}

/// The columns as one text, which the server stops gathering once it is longer than any name.
fn joined(columns: impl IntoIterator<Item = String>) -> Option<String> {
    let mut text = String::new();
    for column in columns {
        if text.len() > POSTGRESQL_BYTES {
            break;
        }
        if !text.is_empty() {
            text.push('_');
        }
        text.push_str(clip(&column, POSTGRESQL_BYTES));
    }
    (!text.is_empty()).then_some(text)
}

/// An index's own names for its columns: one that comes again gets a number. Those that no name has room for are left out.
fn distinct(columns: &[&str]) -> Vec<String> {
    let columns = &columns[..columns.len().min(POSTGRESQL_BYTES)];
    let mut known: Vec<String> = Vec::with_capacity(columns.len());
    for column in columns {
        let column = clip(column, POSTGRESQL_BYTES);
        let mut name = column.to_owned();
        for number in 1_usize.. {
            if !known.contains(&name) {
                break;
            }
            let digits = number.to_string();
            name = format!("{}{digits}", clip(column, POSTGRESQL_BYTES - digits.len()));
        }
        known.push(name);
    }
    known
}

fn only<'a>(columns: &[&'a str]) -> Option<&'a str> {
    match columns {
        [column] => Some(column),
        _ => None,
    }
}

/// The start of a text that fits into so many bytes, without a character cut in two.
fn clip(text: &str, bytes: usize) -> &str {
    &text[..text.floor_char_boundary(bytes)]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each case was recorded from PostgreSQL 15: what it called a constraint that was created without a name.
    #[test]
    fn names_as_the_server_did() {
        let file = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/postgresql_default_names.json"));
        let cases: serde_json::Value = serde_json::from_str(file).unwrap();
        let texts = |value: &serde_json::Value| -> Vec<String> {
            value
                .as_array()
                .unwrap()
                .iter()
                .map(|text| text.as_str().unwrap().to_owned())
                .collect()
        };
        for case in cases.as_array().unwrap() {
            let kind = match case["kind"].as_str().unwrap() {
                "ex" => ConstraintKind::Exclude,
                prefix => ConstraintKind::from_prefix(prefix).unwrap(),
            };
            let (columns, taken) = (texts(&case["columns"]), texts(&case["taken"]));
            let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
            let mut names = postgresql_in_turn(kind, case["table"].as_str().unwrap(), &columns).unwrap();
            let name = names.find(|name| !taken.contains(name));
            assert_eq!(name.as_deref(), case["name"].as_str(), "{case}");
        }
    }

    #[test]
    fn postgresql_names_by_kind() {
        for (kind, columns, expected) in [
            (ConstraintKind::ForeignKey, &["a", "b"][..], Some("order_a_b_fkey")),
            (ConstraintKind::Unique, &["a"], Some("order_a_key")),
            (ConstraintKind::Exclude, &["a"], Some("order_a_excl")),
            (ConstraintKind::Index, &["a", "a", "expr"], Some("order_a_a1_expr_idx")),
            (ConstraintKind::PrimaryKey, &["a"], Some("order_pkey")),
            (ConstraintKind::Check, &["a"], Some("order_a_check")),
            (ConstraintKind::Check, &["a", "b"], Some("order_check")),
            (ConstraintKind::Check, &[], Some("order_check")),
            (ConstraintKind::ForeignKey, &[], None),
            (ConstraintKind::Index, &[], None),
        ] {
            assert_eq!(postgresql(kind, "order", columns).as_deref(), expected, "{kind:?} {columns:?}");
        }
    }

    #[test]
    fn columns_beyond_the_room_of_a_name_cost_nothing() {
        let of = |count: usize| postgresql(ConstraintKind::Unique, "order", &vec!["a"; count]);
        assert_eq!(of(50_000), of(60));
    }

    #[test]
    fn postgresql_numbers_the_label() {
        let two = |kind, table, columns| -> Vec<String> {
            let names = postgresql_in_turn(kind, table, columns).unwrap();
            names.take(2).collect()
        };
        assert_eq!(two(ConstraintKind::ForeignKey, "order", &["a"]), ["order_a_fkey", "order_a_fkey1"]);
        let long = "t".repeat(63);
        let expected = [format!("{}_pkey", &long[5..]), format!("{}_pkey1", &long[6..])];
        assert_eq!(two(ConstraintKind::PrimaryKey, &long, &[]), expected);
    }

    #[test]
    fn mariadb_names_by_kind() {
        for (kind, columns, expected) in [
            (ConstraintKind::ForeignKey, &["a"][..], Some("order_ibfk_1")),
            (ConstraintKind::Check, &["a"], Some("CONSTRAINT_1")),
            (ConstraintKind::PrimaryKey, &["a"], Some("PRIMARY")),
            (ConstraintKind::Unique, &["sku", "a"], Some("sku")),
            (ConstraintKind::Index, &["Primary"], Some("Primary_2")),
            (ConstraintKind::Unique, &[], None),
            (ConstraintKind::Exclude, &["a"], None),
        ] {
            assert_eq!(mariadb(kind, "order", columns).as_deref(), expected, "{kind:?} {columns:?}");
        }
    }

    #[test]
    fn names_that_a_database_chose_are_known_by_whom() {
        use ConstraintKind::{Check, ForeignKey, PrimaryKey, Unique};
        let (none, postgres) = (&[][..], &[Dialect::Postgresql][..]);
        let both = &[Dialect::Mysql, Dialect::Mariadb][..];
        let long = "t".repeat(60);
        let cut = postgresql(ForeignKey, &long, &["c"]).unwrap();
        let (a, ab) = (Some(&["a"][..]), Some(&["a", "b"][..]));
        for (kind, table, columns, name, expected) in [
            (ForeignKey, "order", a, "order_a_fkey", postgres),
            (ForeignKey, "order", a, "order_a_fkey2", postgres),
            (ForeignKey, "order", a, "order_b_fkey", none),
            (ForeignKey, "order", a, "order_a_fkey99", none),
            (ForeignKey, "order", None, "order_b_fkey1", postgres),
            (ForeignKey, "order", None, "fk_order_b", none),
            (ForeignKey, "order", None, "line_b_fkey", none),
            (ForeignKey, &long, Some(&["c"]), &cut, postgres),
            (ForeignKey, &long, None, &cut, postgres),
            (ForeignKey, "order", a, "order_ibfk_2", both),
            (ForeignKey, "order", a, "line_ibfk_2", none),
            (ForeignKey, "order", None, "order_ibfk_", none),
            (ForeignKey, "order", None, "FK__order__a__3A81B327", &[Dialect::Mssql]),
            (ForeignKey, "order", None, "FK__order__a__3A81B32", none),
            (ForeignKey, "order", None, "UQ__order__a__3A81B327", none),
            (ForeignKey, "order", None, "SYS_C0012345", &[Dialect::Oracle]),
            (Unique, "order", ab, "order_a_b_key", postgres),
            (Unique, "order", ab, "a", both),
            (Unique, "order", ab, "a_2", both),
            (Unique, "order", ab, "b", none),
            (Unique, "order", a, "uq_order_a", none),
            (Unique, "order", None, "uq_order_a", none),
            (Unique, "order", None, "a", both),
            (Check, "order", Some(&["a", "0"]), "order_a_check", postgres),
            (Check, "order", ab, "order_check1", postgres),
            (Check, "order", ab, "order_c_check", none),
            (Check, "order", a, "CONSTRAINT_1", &[Dialect::Mariadb]),
            (Check, "order", a, "order_chk_1", &[Dialect::Mysql]),
            (PrimaryKey, "order", a, "order_pkey", postgres),
        ] {
            assert_eq!(chosen_by(kind, table, columns, name), expected, "{kind:?} {table} {columns:?} {name}");
        }
    }

    /// A small generator (xorshift), so that each run sees the same texts.
    struct Texts(u64);

    impl Texts {
        fn below(&mut self, end: usize) -> usize {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            usize::try_from(self.0 % end as u64).unwrap()
        }

        fn text(&mut self) -> String {
            let alphabet = ['a', 'b', '_', 'ü', 'ß', '語', '😀'];
            let letters = 1 + self.below(80);
            (0..letters).map(|_| alphabet[self.below(alphabet.len())]).collect()
        }
    }

    #[test]
    fn whatever_is_named_fits_and_comes_once() {
        let mut texts = Texts(0x9e37_79b9_7f4a_7c15);
        for round in 0..5_000 {
            let kind = ConstraintKind::ALL[texts.below(ConstraintKind::ALL.len())];
            let table = texts.text();
            let columns: Vec<String> = (0..=texts.below(4)).map(|_| texts.text()).collect();
            let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
            let names: Vec<String> = postgresql_in_turn(kind, &table, &columns).unwrap().take(12).collect();
            for (at, name) in names.iter().enumerate() {
                assert!(name.len() <= POSTGRESQL_BYTES, "round {round}: {name} has {} bytes", name.len());
                assert!(!names[..at].contains(name), "round {round}: {name} comes twice");
            }
        }
    }
}
