//! A search over the bytes of a file for words without which it does not need to be parsed.

use std::sync::LazyLock;

use aho_corasick::packed::Searcher;
use memchr::memmem;
use regex::bytes::Regex;

/// What a file may contain. A file with neither is not parsed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Relevance {
    /// A call of an operation of Alembic, or a revision.
    pub(crate) migration: bool,
    /// Something that creates or changes a metadata.
    pub(crate) metadata: bool,
}

impl Relevance {
    pub(crate) const fn any(self) -> bool {
        self.migration || self.metadata
    }
}

/// Operations of Alembic are methods, whose names are in the file that calls them, unless by `getattr` with a computed name.
const MIGRATION: &[&str] = &[
    "down_revision",
    "create_foreign_key",
    "create_unique_constraint",
    "create_check_constraint",
    "create_primary_key",
    "create_exclude_constraint",
    "create_table",
    "create_index",
    "drop_constraint",
    "drop_index",
    "drop_table",
    "drop_column",
    "add_column",
    "alter_column",
    "rename_table",
    "batch_alter_table",
    "op.execute",
    "KeyOp",
    "ConstraintOp",
    "IndexOp",
    "ColumnOp",
];

/// Every way to make a metadata has one of these words.
const METADATA: &[&str] = &[
    "MetaData",
    "eclarative",
    "naming_convention",
    "SQLAlchemy(",
    "SQLModel",
    "registry(",
    "registry as",
    "automap_base",
    "Gino",
    "target_metadata",
    "advanced_alchemy",
    "%(table_name",
    "%(column_",
    "%(referred_",
    "%(constraint_name",
];

/// Every constraint and index is created, dropped or mentioned with one of these words, in Alembic, SQLAlchemy and SQL. The last one is for comments
/// to this program.
const SUBJECTS: &[&str] = &[
    "constraint",
    "foreign",
    "unique",
    "check",
    "primary",
    "references",
    "exclude",
    "exec",
    "index",
    "alembic-named",
];

/// Finds one of several words in one pass; none on a processor that it does not support.
type Finder = LazyLock<Option<Searcher>>;

static MIGRATION_FINDER: Finder = LazyLock::new(|| Searcher::new(MIGRATION));
static METADATA_FINDER: Finder = LazyLock::new(|| Searcher::new(METADATA));
static SUBJECT_FINDER: Finder = LazyLock::new(|| Searcher::new(SUBJECTS));

fn has_any(bytes: &[u8], words: &[&str], finder: Option<&Searcher>) -> bool {
    match finder {
        Some(finder) => finder.find(bytes).is_some(),
        None => words.iter().any(|word| memmem::find(bytes, word.as_bytes()).is_some()),
    }
}

/// At the start of a line, as `alembic revision` writes it.
static REVISION: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"(?m-u)^down_revision[ \t]*(?::[^=\n]*)?=").ok());

/// Searches a file for the words without which no rule can find anything. A word in a comment or a string counts.
pub(crate) fn relevance(bytes: &[u8]) -> Relevance {
    Relevance {
        migration: has_any(bytes, MIGRATION, MIGRATION_FINDER.as_ref()),
        metadata: has_any(bytes, METADATA, METADATA_FINDER.as_ref()),
    }
}

/// Whether a line assigns `down_revision`, even in a string that is not closed.
pub(crate) fn names_down_revision(bytes: &[u8]) -> bool {
    REVISION.as_ref().is_some_and(|revision| revision.is_match(bytes))
}

/// A line with an `import`: the first module, and the rest of the line.
static IMPORT: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"(?m-u)^[ \t]*(?:from|import)[ \t]+([\w.]+)([^\n]*)").ok());

/// Packages without functions that create constraints by themselves.
const NO_HELPERS: &[&str] = &[
    "__future__",
    "alembic",
    "collections",
    "datetime",
    "decimal",
    "enum",
    "geoalchemy2",
    "json",
    "logging",
    "os",
    "re",
    "sqlalchemy",
    "sqlalchemy_utils",
    "sqlmodel",
    "sys",
    "time",
    "typing",
    "uuid",
];

/// Whether it may import a function of the project that creates constraints.
fn imports_helpers(bytes: &[u8]) -> bool {
    let Some(import) = &*IMPORT else {
        return true;
    };
    import.captures_iter(bytes).any(|found| {
        let root = found[1].split(|byte| *byte == b'.').next().unwrap_or_default();
        let is_list = !found[0].trim_ascii_start().starts_with(b"from") && found[2].contains(&b',');
        is_list || !NO_HELPERS.iter().any(|package| package.as_bytes() == root)
    })
}

/// Whether a [`relevant`](relevance) migration declares a revision, has no word of [`SUBJECTS`], and imports nothing that may have one.
pub(crate) fn is_plain_revision(bytes: &[u8]) -> bool {
    names_down_revision(bytes)
        && !has_any(&bytes.to_ascii_lowercase(), SUBJECTS, SUBJECT_FINDER.as_ref())
        && !imports_helpers(bytes)
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
    fn a_revision_that_takes_something_from_the_project_is_not_plain() {
        let is_plain = |imports: &str| is_plain_revision(format!("{imports}\ndown_revision = None\n").as_bytes());
        assert!(is_plain("from alembic import op\nimport sqlalchemy as sa\nfrom sqlalchemy.dialects import mysql"));
        for imports in [
            "from app.helpers import add_key",
            "import app.helpers",
            "import os, helpers",
            "from . import helpers",
            "    from app import helpers",
        ] {
            assert!(!is_plain(imports), "{imports}");
        }
    }

    #[test]
    fn each_word_is_found_with_and_without_a_finder() {
        for words in [MIGRATION, METADATA, SUBJECTS] {
            let finder = Searcher::new(words);
            for text in words.iter().copied().chain(["x = 1", "drop_", "%(other", "Metadata"]) {
                let text = format!("\u{e4} a{text}b\n");
                let is_word = words.iter().any(|word| text.contains(word));
                for finder in [finder.as_ref(), None] {
                    assert_eq!(has_any(text.as_bytes(), words, finder), is_word, "{text}");
                }
            }
        }
    }

    #[test]
    fn a_revision_without_any_word_of_constraints_is_plain() {
        let revision = |body: &str| {
            let text =
                format!("revision: str = 'b'\ndown_revision: Union[str, None] = 'a'\n\n\ndef upgrade():\n    {body}\n");
            is_plain_revision(text.as_bytes())
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
        assert!(!is_plain_revision(b"from alembic import op\nop.add_column('a', sa.Column('b'))"));
        assert!(!is_plain_revision(b"x = 1\n  down_revision = 'a'"));
    }
}
