//! Whether a file can matter at all, decided on its bytes before anything is parsed.

use std::sync::LazyLock;

use regex::bytes::Regex;

/// What a file may hold, judged by its bytes: a file with neither needs no parse.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Relevance {
    /// It may call an operation of Alembic or declare a revision.
    pub migration: bool,
    /// It may create or change the metadata that Alembic migrates.
    pub metadata: bool,
    /// It declares a revision, and has no word of what a rule can find fault with.
    pub plain_revision: bool,
}

impl Relevance {
    /// Whether the file must be parsed.
    #[must_use]
    pub const fn any(self) -> bool {
        self.migration || self.metadata
    }
}

/// Alembic's operations are methods whose names stand in the file when they are used; `getattr` with a computed name is out of reach.
static MIGRATION: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r"(?-u)create_(?:foreign_key|unique_constraint|check_constraint|primary_key|exclude_constraint|table|index)|drop_(?:constraint|index|table|column)|add_column|alter_column|rename_table|down_revision|batch_alter_table|\bop\.execute|(?:Key|Constraint|Index|Column)Op\b",
    )
    .ok()
});

/// Each way to a metadata ends in one of these words.
static METADATA: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r"(?-u)MetaData|[dD]eclarative|naming_convention|SQLAlchemy\(|SQLModel|registry|automap_base|Gino|\.metadata\b|target_metadata|advanced_alchemy|%\((?:table_name|column_|referred_|constraint_name)",
    )
    .ok()
});

/// Every constraint and index is made, dropped or spoken of in one of these words, by Alembic, by SQLAlchemy and in SQL; the last is a comment to
/// this program.
static SUBJECTS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"(?i-u)constraint|foreign|unique|check|primary|references|exclude|exec|index|alembic-named").ok()
});

/// As `alembic revision` writes it: at the beginning of a line.
static REVISION: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"(?m-u)^down_revision[ \t]*(?::[^=\n]*)?=").ok());

/// Looks for the words without which no rule can find anything.
///
/// Errs on the side of parsing: a word in a comment or a string counts.
#[must_use]
pub fn relevance(bytes: &[u8]) -> Relevance {
    let found = |pattern: &LazyLock<Option<Regex>>| pattern.as_ref().is_none_or(|pattern| pattern.is_match(bytes));
    let (migration, metadata) = (found(&MIGRATION), found(&METADATA));
    Relevance {
        migration,
        metadata,
        plain_revision: migration && !metadata && !found(&SUBJECTS) && found(&REVISION),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ordinary_module_needs_no_parse() {
        assert!(!relevance(b"import os\n\ndef upgrade_account(op):\n    return op.name\n").any());
    }

    #[test]
    fn each_kind_is_seen() {
        assert!(relevance(b"from alembic import op\nop. create_foreign_key (None)").migration);
        assert!(relevance(b"revision = 'a'\ndown_revision = None").migration);
        assert!(relevance(b"op.invoke(ops.CreateForeignKeyOp(None))").migration);
        assert!(relevance(b"class Base(DeclarativeBase): pass").metadata);
        assert!(relevance(b"db = SQLAlchemy()").metadata);
        assert!(relevance("# \u{e4}\nx = MetaData()".as_bytes()).metadata);
    }

    #[test]
    fn a_revision_without_any_word_of_constraints_is_plain() {
        let revision = |body: &str| {
            let text =
                format!("revision: str = 'b'\ndown_revision: Union[str, None] = 'a'\n\n\ndef upgrade():\n    {body}\n");
            relevance(text.as_bytes()).plain_revision
        };
        for plain in [
            "pass",
            "op.add_column('order', sa.Column('note', sa.String(length=20), nullable=True))",
            "op.alter_column('order', 'qty', existing_type=sa.Integer(), nullable=False)",
            "op.drop_column('order', 'note')",
        ] {
            assert!(revision(plain), "{plain}");
        }
        for subject in [
            "op.create_foreign_key(None, 'a', 'b', ['c'], ['d'])",
            "op.add_column('a', sa.Column('b', sa.ForeignKey('c.id')))",
            "op.add_column('a', sa.Column('b', unique=True))",
            "op.add_column('a', sa.Column('b', primary_key=True))",
            "op.create_table('a', sa.CheckConstraint('b > 0'))",
            "op.create_exclude_constraint(None, 'a')",
            "op.execute('ALTER TABLE a ADD x')",
            "op.get_bind().exec_driver_sql('x')",
            "op.drop_index('a')",
            "make(op)  # ALEMBIC-NAMED: ignore",
        ] {
            assert!(!revision(subject), "{subject}");
        }
        assert!(!relevance(b"from alembic import op\nop.add_column('a', sa.Column('b'))").plain_revision);
        assert!(!relevance(b"x = 1\n  down_revision = 'a'").plain_revision);
    }
}
