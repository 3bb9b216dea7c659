//! SQLAlchemy's databases, and their limits for the length of a name.

use super::Name;

/// SQLAlchemy's limit for a database that has none of its own (`sqlalchemy/engine/default.py`, `DefaultDialect`).
const NO_LIMIT: usize = 9999;

/// A database, as SQLAlchemy tells them apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Dialect {
    /// PostgreSQL.
    Postgresql,
    /// MySQL.
    Mysql,
    /// MariaDB.
    Mariadb,
    /// SQLite.
    Sqlite,
    /// Oracle.
    Oracle,
    /// Microsoft SQL Server.
    Mssql,
    /// Any other.
    Other,
}

impl Dialect {
    /// What a configuration may write; [`Dialect::from_name`] knows each.
    pub const NAMES: [&'static str; 7] = ["postgresql", "mysql", "mariadb", "sqlite", "oracle", "mssql", "other"];

    /// The database of an SQLAlchemy URL, such as `postgresql+psycopg://user@host/shop`.
    ///
    /// `None` for what is no URL, or for the placeholder `driver://...` of a fresh `alembic.ini`. `postgres://` counts
    /// as PostgreSQL, since hosting services hand out such URLs and projects rewrite them at run time.
    #[must_use]
    pub fn from_url(url: &str) -> Option<Self> {
        let (scheme, _) = url.trim().split_once("://")?;
        let name = scheme.split_once('+').map_or(scheme, |(name, _)| name);
        let is_name = name.starts_with(|first: char| first.is_ascii_alphabetic())
            && scheme
                .chars()
                .all(|letter| letter.is_ascii_alphanumeric() || "+-._".contains(letter));
        match Self::from_name(name) {
            Some(dialect) => Some(dialect),
            None => (is_name && name != "driver").then_some(Self::Other),
        }
    }

    /// The database of a name as SQLAlchemy or a configuration writes it: `postgresql` (or `postgres`), `mysql`,
    /// `mariadb`, `sqlite`, `oracle`, `mssql`, `other`, in any case. `None` for any other text.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        match name.to_ascii_lowercase().as_str() {
            "postgresql" | "postgres" => Some(Self::Postgresql),
            "mysql" => Some(Self::Mysql),
            "mariadb" => Some(Self::Mariadb),
            "sqlite" => Some(Self::Sqlite),
            "oracle" => Some(Self::Oracle),
            "mssql" => Some(Self::Mssql),
            "other" => Some(Self::Other),
            _ => None,
        }
    }

    /// Its name in a sentence.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Postgresql => "PostgreSQL",
            Self::Mysql => "MySQL",
            Self::Mariadb => "MariaDB",
            Self::Sqlite => "SQLite",
            Self::Oracle => "Oracle",
            Self::Mssql => "SQL Server",
            Self::Other => "the database",
        }
    }

    /// The characters that SQLAlchemy leaves to a constraint's or an index's name; `None` where there is no limit to
    /// speak of (`max_identifier_length` and `max_constraint_name_length` of each dialect).
    ///
    /// Oracle before 12.2 takes 30, which SQLAlchemy learns from the server and nothing here can know.
    #[must_use]
    pub const fn max_name(self) -> Option<usize> {
        match self {
            Self::Postgresql => Some(63),
            Self::Mysql | Self::Mariadb => Some(64),
            Self::Oracle | Self::Mssql => Some(128),
            Self::Sqlite | Self::Other => None,
        }
    }

    /// The name that SQLAlchemy sends to the database.
    ///
    /// A finished name past the limit is cut and marked with the end of its MD5; a plain one is sent unchanged or
    /// refused ([`Dialect::is_refused`]). See `IdentifierPreparer._truncate_and_render_maxlen_name` in
    /// `sqlalchemy/sql/compiler.py`. PostgreSQL itself then cuts at 63 bytes what SQLAlchemy let pass for counting
    /// characters.
    #[must_use]
    pub fn in_database(self, name: &Name) -> String {
        let limit = self.max_name().unwrap_or(NO_LIMIT);
        if !name.conv || name.text.chars().count() <= limit {
            return name.text.clone();
        }
        let kept: String = name.text.chars().take(limit - 8).collect();
        let [.., first, second] = md5::compute(name.text.as_bytes()).0;
        format!("{kept}_{first:02x}{second:02x}")
    }

    /// Whether SQLAlchemy refuses to send a name: its `IdentifierError` for a plain name that is too long
    /// (`DefaultDialect.validate_identifier`). MySQL and MariaDB are checked only against 255 there.
    #[must_use]
    pub fn is_refused(self, name: &Name) -> bool {
        let limit = match self {
            Self::Mysql | Self::Mariadb => 255,
            _ => self.max_name().unwrap_or(NO_LIMIT),
        };
        !name.conv && name.text.chars().count() > limit
    }

    /// Whether a name is longer than the database itself takes, each counting in its own way: PostgreSQL and Oracle in
    /// bytes, SQL Server in UTF-16 units, MySQL and MariaDB in characters.
    #[must_use]
    pub fn too_long(self, name: &str) -> bool {
        let length = match self {
            Self::Postgresql | Self::Oracle => name.len(),
            Self::Mssql => name.encode_utf16().count(),
            Self::Mysql | Self::Mariadb | Self::Sqlite | Self::Other => name.chars().count(),
        };
        self.max_name().is_some_and(|limit| length > limit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str, conv: bool) -> Name {
        Name {
            text: text.to_owned(),
            conv,
        }
    }

    #[test]
    fn reads_the_database_off_a_url() {
        for (url, expected) in [
            ("postgresql+psycopg://user:secret@host/shop", Some(Dialect::Postgresql)),
            ("postgres://host/shop", Some(Dialect::Postgresql)),
            (" mysql+pymysql://host/shop", Some(Dialect::Mysql)),
            ("mariadb+mariadbconnector://host/shop", Some(Dialect::Mariadb)),
            ("sqlite:///shop.db", Some(Dialect::Sqlite)),
            ("sqlite+aiosqlite://", Some(Dialect::Sqlite)),
            ("oracle+oracledb://host", Some(Dialect::Oracle)),
            ("mssql+pyodbc://host", Some(Dialect::Mssql)),
            ("cockroachdb+psycopg2://host", Some(Dialect::Other)),
            ("driver://user:pass@localhost/dbname", None),
            ("%(DATABASE)s://host", None),
            ("{scheme}://host", None),
            ("://host", None),
            ("%(DATABASE_URL)s", None),
            ("", None),
        ] {
            assert_eq!(Dialect::from_url(url), expected, "{url}");
        }
    }

    #[test]
    fn knows_the_names_of_a_configuration() {
        for dialect in [Dialect::Postgresql, Dialect::Mysql, Dialect::Mariadb, Dialect::Sqlite, Dialect::Oracle] {
            assert_eq!(Dialect::from_name(dialect.label()), Some(dialect));
        }
        assert_eq!(Dialect::from_name("other"), Some(Dialect::Other));
        assert_eq!(Dialect::from_name("driver"), None);
    }

    #[test]
    fn shortens_finished_names_only() {
        let long = "c".repeat(65);
        assert_eq!(Dialect::Postgresql.in_database(&name(&long, true)), format!("{}_c35d", "c".repeat(55)));
        assert_eq!(Dialect::Mariadb.in_database(&name(&long, true)), format!("{}_c35d", "c".repeat(56)));
        assert_eq!(Dialect::Sqlite.in_database(&name(&long, true)), long);
        assert_eq!(Dialect::Postgresql.in_database(&name(&long, false)), long);
        let umlauts = "ü".repeat(63);
        assert_eq!(Dialect::Postgresql.in_database(&name(&umlauts, true)), umlauts);
        assert_eq!(Dialect::Sqlite.in_database(&name(&"c".repeat(10_000), true)).len(), 9996);
    }

    #[test]
    fn every_database_counts_in_its_own_way() {
        let (umlauts, faces) = ("ü".repeat(64), "😀".repeat(65));
        for (dialect, text, expected) in [
            (Dialect::Postgresql, &umlauts[..62], false),
            (Dialect::Postgresql, &umlauts[..64], true),
            (Dialect::Mysql, &umlauts, false),
            (Dialect::Mysql, &faces, true),
            (Dialect::Oracle, &umlauts, false),
            (Dialect::Oracle, &faces, true),
            (Dialect::Mssql, &umlauts, false),
            (Dialect::Mssql, &faces, true),
            (Dialect::Sqlite, &faces, false),
            (Dialect::Other, &faces, false),
        ] {
            assert_eq!(dialect.too_long(text), expected, "{dialect:?} {text}");
        }
    }

    #[test]
    fn sqlalchemy_refuses_plain_names_by_its_own_count() {
        let at = |dialect: Dialect, length: usize, conv| dialect.is_refused(&name(&"ü".repeat(length), conv));
        assert!(!at(Dialect::Postgresql, 63, false));
        assert!(at(Dialect::Postgresql, 64, false));
        assert!(!at(Dialect::Postgresql, 64, true));
        assert!(!at(Dialect::Mysql, 255, false));
        assert!(at(Dialect::Mysql, 256, false));
        assert!(!at(Dialect::Sqlite, 9999, false));
        assert!(at(Dialect::Sqlite, 10_000, false));
    }
}
