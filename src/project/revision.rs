//! One revision: its links, and what its text shows without being run.
//!
//! Of most files only the lines above the functions are parsed, where Alembic's template puts the links; the rest when a rule asks what the
//! revision does.

use std::cell::OnceCell;
use std::collections::HashSet;
use std::sync::LazyLock;

use memchr::memmem;
use regex::bytes::Regex;

use crate::python::{Expr, ExprKind, Module, Stmt, StmtKind};
use crate::source::{RepoPath, SourceFile};

/// One revision.
#[derive(Debug)]
pub struct Revision {
    file: SourceFile,
    pub(super) links: Links,
    module: OnceCell<Module>,
    is_readable: OnceCell<bool>,
    /// The texts that it passes to functions of other modules.
    handed_out: OnceCell<HashSet<String>>,
}

/// The identifier of a revision, and those that it builds on.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Links {
    pub(super) id: String,
    /// `down_revision`; nothing if it is computed.
    pub(super) down: Option<Vec<String>>,
    /// `down_revision` and `depends_on`; nothing if one is computed.
    pub(super) parents: Option<Vec<String>>,
}

impl Revision {
    pub(super) fn read(file: SourceFile) -> Option<Self> {
        let links = Links::read(file.text())?;
        Some(Self {
            file,
            links,
            module: OnceCell::new(),
            is_readable: OnceCell::new(),
            handed_out: OnceCell::new(),
        })
    }

    /// Its identifier.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.links.id
    }

    /// The file.
    #[must_use]
    pub fn file(&self) -> &SourceFile {
        &self.file
    }

    /// The file, parsed when it is first asked for.
    #[must_use]
    pub fn module(&self) -> &Module {
        self.module.get_or_init(|| Module::parse(self.file.clone()))
    }

    /// Whether this name occurs in it as a word. Otherwise it has nothing to do with a table of that name.
    #[must_use]
    pub fn mentions(&self, name: &str) -> bool {
        let bytes = self.file.text().as_bytes();
        let is_part = |at: Option<usize>| {
            let byte = at.and_then(|at| bytes.get(at));
            byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_' || !byte.is_ascii())
        };
        memmem::find_iter(bytes, name.as_bytes())
            .any(|at| !is_part(at.checked_sub(1)) && !is_part(Some(at + name.len())))
    }

    /// Whether its operations show all that it does to constraints.
    ///
    /// Not if it creates the tables of a metadata, runs SQL from a file, or inspects the database.
    #[must_use]
    pub fn is_readable(&self) -> bool {
        let bytes = self.file.text().as_bytes();
        *self
            .is_readable
            .get_or_init(|| OPAQUE.as_ref().is_some_and(|pattern| !pattern.is_match(bytes)))
    }

    /// Whether a function of another module of the project is called with this text.
    #[must_use]
    pub fn hands_out(&self, text: &str) -> bool {
        let handed = self.handed_out.get_or_init(|| {
            let imported: HashSet<&str> = self.module().body().iter().flat_map(imported_names).collect();
            let mut handed = HashSet::new();
            for statement in self.module().body() {
                statement.each_call(&mut |call| {
                    let root = call.callee.dotted();
                    let root = root.as_deref().and_then(|dotted| dotted.split('.').next());
                    if root.is_some_and(|root| imported.contains(root)) {
                        call.arguments
                            .iter()
                            .for_each(|argument| add_texts(&argument.value, &mut handed));
                    }
                });
            }
            handed
        });
        handed.contains(text)
    }

    /// Its text.
    #[must_use]
    pub fn text(&self) -> &str {
        self.file.text()
    }
}

/// Code that may change constraints in a way that no operation shows.
static OPAQUE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r"(?-u)create_all|drop_all|\bopen\(|read_text|read_bytes|importlib|get_foreign_keys|get_unique_constraints|get_check_constraints|get_multi_|information_schema|pg_constraint|[Rr][Ee][Nn][Aa][Mm][Ee]\s+[Cc][Oo][Nn][Ss][Tt][Rr][Aa][Ii][Nn][Tt]|\.invoke\(|getattr\(",
    )
    .ok()
});

/// The text of an argument, or the texts in its list.
fn add_texts(expr: &Expr, found: &mut HashSet<String>) {
    found.extend(expr.as_str().map(str::to_owned));
    if let ExprKind::List(items) | ExprKind::Tuple(items) = &expr.kind {
        for item in items {
            add_texts(item, found);
        }
    }
}

/// The names that are imported from anything but SQLAlchemy and Alembic, in functions as well.
fn imported_names(statement: &Stmt) -> Vec<&str> {
    let is_known = |module: &str| matches!(module.split('.').next(), Some("sqlalchemy" | "alembic"));
    match &statement.kind {
        StmtKind::Function(function) => function.body.iter().flat_map(imported_names).collect(),
        StmtKind::Import(aliases) => aliases
            .iter()
            .filter(|alias| !is_known(&alias.name))
            .filter_map(|alias| alias.asname.as_deref().or_else(|| alias.name.split('.').next()))
            .collect(),
        StmtKind::ImportFrom { module, names, level } => {
            let is_own = *level > 0 || !module.as_deref().is_some_and(is_known);
            names
                .iter()
                .filter(|_| is_own)
                .map(|alias| alias.asname.as_deref().unwrap_or(&alias.name))
                // Re-exported by a module of the project, it is still Alembic's.
                .filter(|name| !matches!(*name, "op" | "sa"))
                .collect()
        }
        _ => Vec::new(),
    }
}

impl Links {
    fn read(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        memmem::find(bytes, b"revision")?;
        let (head, rest) = text.split_at(end_of_head(text));
        let parse = |text: &str| Module::parse(SourceFile::new(RepoPath::top(), text.to_owned()));
        let further = NAMES.iter().any(|name| {
            let line = format!("\n{name}");
            memmem::find(rest.as_bytes(), line.as_bytes()).is_some()
        });
        let module = parse(head);
        if !further && module.errors().is_empty() {
            return Self::of(module.body());
        }
        Self::of(parse(text).body())
    }

    /// Nothing if the module is no revision, or its identifier is computed.
    pub(super) fn of(body: &[Stmt]) -> Option<Self> {
        let [id, down, depends] = NAMES.map(|name| value(body, name));
        let down = texts(down?);
        let depends = depends.map_or(Some(Vec::new()), texts);
        let parents = down
            .clone()
            .zip(depends)
            .map(|(down, depends)| [down, depends].concat());
        Some(Self {
            id: id?.as_str()?.to_owned(),
            down,
            parents,
        })
    }
}

const NAMES: [&str; 3] = ["revision", "down_revision", "depends_on"];

/// Where the first function or class of a module begins.
fn end_of_head(text: &str) -> usize {
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        if ["def ", "async def ", "class ", "@"]
            .iter()
            .any(|word| line.starts_with(word))
        {
            return start;
        }
        start += line.len();
    }
    start
}

/// The last value of a name at module level.
fn value<'m>(body: &'m [Stmt], name: &str) -> Option<&'m Expr> {
    let mut statements = body.iter().rev().filter(|statement| statement.assigns(name));
    statements.find_map(|statement| Some(statement.assignment()?.1))
}

/// `None`, a text, or several.
fn texts(expr: &Expr) -> Option<Vec<String>> {
    match &expr.kind {
        ExprKind::None => Some(Vec::new()),
        ExprKind::String(text) => Some(vec![text.to_string()]),
        ExprKind::List(items) | ExprKind::Tuple(items) => {
            items.iter().map(|item| item.as_str().map(str::to_owned)).collect()
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn links(text: &str) -> Option<(String, Option<Vec<String>>)> {
        Links::read(text).map(|links| (links.id, links.parents))
    }

    #[test]
    fn links_are_read_in_every_spelling() {
        let some = |id: &str, parents: &[&str]| {
            Some((id.to_owned(), Some(parents.iter().map(|one| (*one).to_owned()).collect())))
        };
        for (text, expected) in [
            ("revision = 'a'\ndown_revision = None\n", some("a", &[])),
            (
                "\"\"\"x\n\nRevision ID: z\n\"\"\"\nrevision: str = 'a'\ndown_revision: Union[str, None] = \"b\"\nbranch_labels = ('l',)\ndepends_on = None\ndef upgrade(): pass\n",
                some("a", &["b"]),
            ),
            ("revision = 'a'\ndown_revision = ('b',\n  'c')\ndepends_on = ['d']\n", some("a", &["b", "c", "d"])),
            ("\"\"\"\ndef of a thing\n\"\"\"\nrevision = 'a'\ndown_revision = 'b'\n", some("a", &["b"])),
            ("revision = 'a'\ndown_revision = 'b'\ndef upgrade(): pass\ndown_revision = 'c'\n", some("a", &["c"])),
            ("revision = 'a'\ndown_revision = PARENT\n", Some(("a".to_owned(), None))),
            ("revision = 'a'\ndown_revision = 'b'\ndepends_on = x()\n", Some(("a".to_owned(), None))),
            ("revision = name()\ndown_revision = 'b'\n", None),
            ("# a revision of nothing\n", None),
            ("down_revision = None\n", None),
        ] {
            assert_eq!(links(text), expected, "{text}");
        }
    }

    #[test]
    fn a_name_is_mentioned_as_a_whole_word() {
        let mentions = |code: &str| {
            let text = format!("revision = 'a'\ndown_revision = None\n{code}");
            Revision::read(SourceFile::new("a.py".into(), text))
                .unwrap()
                .mentions("order")
        };
        for code in ["'order'", "'shop.order'", "'order.id'", "ALTER TABLE \"order\"", "order"] {
            assert!(mentions(code), "{code}");
        }
        for code in ["'orders'", "'order_item'", "'border'", "'orderß'", ""] {
            assert!(!mentions(code), "{code}");
        }
    }

    #[test]
    fn texts_passed_to_the_projects_own_functions_are_found() {
        let hands_out = |code: &str| {
            let text = format!("revision = 'a'\ndown_revision = None\n{code}\n");
            let revision = Revision::read(SourceFile::new("a.py".into(), text)).unwrap();
            revision.hands_out("order")
        };
        assert!(hands_out("from app.helpers import add_key\ndef upgrade():\n    add_key('order')"));
        assert!(hands_out("import helpers\ndef upgrade():\n    helpers.add_keys(['line', 'order'])"));
        assert!(!hands_out("from alembic import op\ndef upgrade():\n    op.drop_table('order')"));
        assert!(!hands_out("import sqlalchemy as sa\ndef upgrade():\n    sa.table('order')"));
        assert!(!hands_out("import app.types\ndef upgrade():\n    print('order')"));
    }
}
