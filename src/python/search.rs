//! A search over the bytes of a file for words without which it does not need to be parsed.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicUsize, Ordering};

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

/// So many files are searched for each word in turn; making one search for all words takes longer than an ordinary commit.
const FEW: usize = 64;

/// How many files were searched so far.
static SEARCHED: AtomicUsize = AtomicUsize::new(0);

/// One of several words, found in either of two ways.
struct Words {
    words: &'static [&'static str],
    together: LazyLock<Option<Regex>>,
}

static MIGRATION_WORDS: Words = Words {
    words: MIGRATION,
    together: LazyLock::new(|| together(MIGRATION)),
};

static METADATA_WORDS: Words = Words {
    words: METADATA,
    together: LazyLock::new(|| together(METADATA)),
};

fn together(words: &[&str]) -> Option<Regex> {
    let escaped: Vec<String> = words.iter().map(|word| regex::escape(word)).collect();
    Regex::new(&format!("(?-u){}", escaped.join("|"))).ok()
}

impl Words {
    fn in_turn(&self, bytes: &[u8]) -> bool {
        self.words
            .iter()
            .any(|word| memmem::find(bytes, word.as_bytes()).is_some())
    }

    fn at_once(&self, bytes: &[u8]) -> bool {
        self.together.as_ref().is_none_or(|together| together.is_match(bytes))
    }
}

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

static SUBJECT: LazyLock<Option<Regex>> = LazyLock::new(|| together(SUBJECTS));

/// At the start of a line, as `alembic revision` writes it.
static REVISION: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"(?m-u)^down_revision[ \t]*(?::[^=\n]*)?=").ok());

/// Searches a file for the words without which no rule can find anything. A word in a comment or a string counts.
pub(crate) fn relevance(bytes: &[u8]) -> Relevance {
    let is_early = SEARCHED.fetch_add(1, Ordering::Relaxed) < FEW;
    let found = |words: &Words| {
        if is_early {
            words.in_turn(bytes)
        } else {
            words.at_once(bytes)
        }
    };
    Relevance {
        migration: found(&MIGRATION_WORDS),
        metadata: found(&METADATA_WORDS),
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
    // Without a search everything is parsed.
    let Some(subject) = &*SUBJECT else {
        return false;
    };
    // A search that ignores case is four times as slow as this.
    names_down_revision(bytes) && !subject.is_match(&bytes.to_ascii_lowercase()) && !imports_helpers(bytes)
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
        assert!(is_plain(
            "from alembic import op\nimport sqlalchemy as sa\nfrom sqlalchemy.dialects import mysql"
        ));
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
    fn both_ways_find_the_same() {
        for words in [&MIGRATION_WORDS, &METADATA_WORDS] {
            for text in words
                .words
                .iter()
                .copied()
                .chain(["x = 1", "drop_", "%(other", "Metadata"])
            {
                let text = format!("\u{e4} a{text}b\n");
                let is_word = words.words.iter().any(|word| text.contains(word));
                assert_eq!(words.in_turn(text.as_bytes()), is_word, "{text}");
                assert_eq!(words.at_once(text.as_bytes()), is_word, "{text}");
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
        assert!(!is_plain_revision(
            b"from alembic import op\nop.add_column('a', sa.Column('b'))"
        ));
        assert!(!is_plain_revision(b"x = 1\n  down_revision = 'a'"));
    }
}
