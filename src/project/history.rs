//! The revisions of an environment, and which of them run before another.
//!
//! Nothing is read until a rule asks, and then each file once for all that is checked. Of most files only the lines above the functions are
//! parsed, where Alembic's template puts the links; the rest when a rule wants to know what the revision does.

use std::cell::{OnceCell, RefCell};
use std::collections::{HashMap, HashSet};
use std::rc::Rc;
use std::sync::LazyLock;

use memchr::memmem;
use regex::bytes::Regex;

use super::Environment;
use crate::python::{Expr, ExprKind, Module, Stmt, StmtKind};
use crate::snapshot::{EntryKind, Snapshot};
use crate::source::{RepoPath, SourceFile, Span};

/// An environment with more files than this is not read: what would be found is not worth the wait.
pub const MOST_FILES: usize = 5_000;

/// The same for the size of all files together.
const MOST_BYTES: usize = 32 << 20;

/// The revisions of one environment.
#[derive(Debug)]
pub struct History {
    /// Nothing where there were too many of them.
    revisions: Option<Vec<Revision>>,
    /// The places of each revision's identifier, which should be one.
    places: HashMap<String, Vec<usize>>,
    /// The words of all revisions that look like a database's own names, without their last number.
    chosen: OnceCell<HashMap<String, Vec<Word>>>,
    /// The revisions before the one that was asked for last, which is asked for again for each of its constraints.
    asked: RefCell<Option<(RepoPath, Rc<HashSet<RepoPath>>)>>,
}

/// A word of a revision: the place of the revision, and where the word stands in it.
#[derive(Debug, Clone, Copy)]
struct Word {
    revision: usize,
    at: Span,
}

/// One revision.
#[derive(Debug)]
pub struct Revision {
    file: SourceFile,
    links: Links,
    module: OnceCell<Module>,
    is_readable: OnceCell<bool>,
    /// The texts that it gives to functions of other modules.
    handed_out: OnceCell<HashSet<String>>,
}

/// What a revision is called and what it builds on.
#[derive(Debug, PartialEq, Eq)]
struct Links {
    id: String,
    /// `down_revision`; nothing where it is computed.
    down: Option<Vec<String>>,
    /// `down_revision` and `depends_on`; nothing where they are computed.
    parents: Option<Vec<String>>,
}

impl History {
    /// Reads the revisions below these folders.
    pub(super) fn read(snapshot: &dyn Snapshot, folders: &[RepoPath]) -> Self {
        let revisions = revisions(snapshot, folders);
        let mut places: HashMap<String, Vec<usize>> = HashMap::new();
        for (at, revision) in revisions.iter().flatten().enumerate() {
            places.entry(revision.links.id.clone()).or_default().push(at);
        }
        Self {
            revisions,
            places,
            chosen: OnceCell::new(),
            asked: RefCell::new(None),
        }
    }

    /// Where a name that a database chooses stands in another revision than the one in `module` and those before it: its first place there.
    ///
    /// `stem` is the name without its last number. Where it cannot be told which revisions come before, each counts.
    #[must_use]
    pub fn spoken_of_later(&self, module: &Module, stem: &str) -> Option<(&SourceFile, Span)> {
        let words = self.chosen.get_or_init(|| self.chosen_words()).get(stem)?;
        let revisions = self.revisions.as_ref()?;
        let before = self.paths_before(module);
        let mut others = words.iter().filter_map(|word| {
            let file = &revisions.get(word.revision)?.file;
            (file.path() != module.file().path() && !before.contains(file.path())).then_some((file, word.at))
        });
        others.next()
    }

    /// The files of the revisions before the one in `module`; none where that cannot be told.
    fn paths_before(&self, module: &Module) -> Rc<HashSet<RepoPath>> {
        let path = module.file().path();
        if let Some((asked, before)) = &*self.asked.borrow()
            && asked == path
        {
            return before.clone();
        }
        let before = self.before(module).unwrap_or_default();
        let before: Rc<HashSet<RepoPath>> = Rc::new(before.iter().map(|one| one.file.path().clone()).collect());
        self.asked.replace(Some((path.clone(), before.clone())));
        before
    }

    fn chosen_words(&self) -> HashMap<String, Vec<Word>> {
        let mut found: HashMap<String, Vec<Word>> = HashMap::new();
        for (revision, one) in self.revisions.iter().flatten().enumerate() {
            each_chosen(one.file.text(), |stem, at| {
                let words = found.entry(stem.to_owned()).or_default();
                if words.last().is_none_or(|last| last.revision != revision) {
                    words.push(Word { revision, at });
                }
            });
        }
        found
    }

    /// How many revisions were read; nothing where there are too many.
    #[must_use]
    pub fn size(&self) -> Option<usize> {
        self.revisions.as_ref().map(Vec::len)
    }

    /// All revisions, by their paths; nothing where there are too many.
    #[must_use]
    pub fn revisions(&self) -> Option<&[Revision]> {
        self.revisions.as_deref()
    }

    /// The revisions that no other builds on. An error is one whose `down_revision` is computed, so that nobody can tell.
    pub fn heads(&self) -> Result<Vec<&Revision>, &Revision> {
        let all = self.revisions.as_deref().unwrap_or_default();
        let mut built_on: HashSet<&str> = HashSet::new();
        for revision in all {
            let down = revision.links.down.as_ref().ok_or(revision)?;
            built_on.extend(down.iter().map(String::as_str));
        }
        Ok(all.iter().filter(|one| !built_on.contains(one.id())).collect())
    }

    /// The text of the revision in a file.
    pub(super) fn text(&self, path: &RepoPath) -> Option<&str> {
        let revisions = self.revisions.as_ref()?;
        let at = revisions.binary_search_by(|revision| revision.file.path().cmp(path));
        Some(revisions.get(at.ok()?)?.file.text())
    }

    /// Every revision that runs before the one in `module`, the nearest first.
    ///
    /// Nothing where that cannot be told: a link is computed, leads to a revision that is not there or is there twice (squashed, generated, a
    /// branch label), or there is too much to read.
    #[must_use]
    pub fn before(&self, module: &Module) -> Option<Vec<&Revision>> {
        let revisions = self.revisions.as_ref()?;
        let mut open = Links::of(module.body())?.parents?;
        let mut seen = vec![false; revisions.len()];
        let mut found = Vec::new();
        let mut next = 0;
        while let Some(id) = open.get(next) {
            next += 1;
            let [at] = self.places.get(id)?.as_slice() else {
                return None;
            };
            if seen.get_mut(*at).is_none_or(|seen| std::mem::replace(seen, true)) {
                continue;
            }
            let revision = revisions.get(*at)?;
            open.extend(revision.links.parents.as_ref()?.iter().cloned());
            found.push(revision);
        }
        Some(found)
    }
}

/// The endings of the names that PostgreSQL chooses (`ChooseConstraintName`), and of the keys of MySQL and MariaDB, numbers aside.
const CHOSEN: [&str; 6] = ["_fkey", "_key", "_pkey", "_excl", "_check", "_ibfk_"];

/// The words of a text that look like a database's own names, each without its last number, and where they stand.
fn each_chosen(text: &str, mut found: impl FnMut(&str, Span)) {
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_' || !byte.is_ascii();
    let bytes = text.as_bytes();
    let mut start = 0;
    while let Some(first) = bytes.get(start..).and_then(|rest| rest.iter().position(is_part)) {
        start += first;
        let length = bytes[start..].iter().take_while(|byte| is_part(byte)).count();
        let end = start + length;
        let stem = text
            .get(start..end)
            .unwrap_or_default()
            .trim_end_matches(|digit: char| digit.is_ascii_digit());
        if CHOSEN.iter().any(|ending| stem.ends_with(ending)) {
            found(stem, Span::new(start, end));
        }
        start = end;
    }
}

/// The folders that hold an environment's revisions, for a migration that is one of them (`alembic/script/base.py`, `_version_locations`).
pub(super) fn folders(environment: &Environment, migration: &RepoPath) -> Vec<RepoPath> {
    let mut folders = folders_of(environment);
    let own = migration.parent().unwrap_or_else(RepoPath::top);
    if !folders.iter().any(|folder| own.starts_with(folder)) {
        folders.push(own);
    }
    folders
}

/// The folders that an environment looks for revisions in.
pub(super) fn folders_of(environment: &Environment) -> Vec<RepoPath> {
    let mut folders = environment.version_folders.clone();
    if folders.is_empty() {
        folders.extend(environment.folder.join("versions"));
    }
    folders
}

fn revisions(snapshot: &dyn Snapshot, folders: &[RepoPath]) -> Option<Vec<Revision>> {
    let mut paths = HashSet::new();
    for folder in folders {
        collect(snapshot, folder, &mut paths)?;
    }
    let mut paths: Vec<RepoPath> = paths.into_iter().collect();
    paths.sort();
    let mut bytes = 0;
    let mut revisions = Vec::new();
    for path in paths {
        // What cannot be read is missing, and whoever builds on it cannot be judged.
        let Ok(Some(content)) = snapshot.read(&path) else {
            continue;
        };
        bytes += content.len();
        if bytes > MOST_BYTES {
            return None;
        }
        let Ok(text) = String::from_utf8(content) else { continue };
        revisions.extend(Revision::read(SourceFile::new(path, text)));
    }
    Some(revisions)
}

/// The files that Alembic would load (`alembic/script/base.py`, `_only_source_rev_file`); nothing where they are too many.
fn collect(snapshot: &dyn Snapshot, folder: &RepoPath, paths: &mut HashSet<RepoPath>) -> Option<()> {
    for entry in snapshot.list(folder).unwrap_or_default() {
        let Some(path) = folder.join(&entry.name) else { continue };
        match entry.kind {
            EntryKind::Folder if entry.name != b"__pycache__" => collect(snapshot, &path, paths)?,
            EntryKind::File if path.is_python() && !entry.name.starts_with(b"__init__") => {
                paths.insert(path);
                if paths.len() > MOST_FILES {
                    return None;
                }
            }
            _ => {}
        }
    }
    Some(())
}

impl Revision {
    fn read(file: SourceFile) -> Option<Self> {
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

    /// Whether this name stands in it anywhere as a word; without it the revision says nothing about a table of that name.
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

    /// Whether what it does to constraints can be read off its own operations.
    ///
    /// Not where it makes tables of a metadata, runs SQL from a file, or looks up what the database holds and goes by that.
    #[must_use]
    pub fn is_readable(&self) -> bool {
        let bytes = self.file.text().as_bytes();
        *self
            .is_readable
            .get_or_init(|| OPAQUE.as_ref().is_some_and(|pattern| !pattern.is_match(bytes)))
    }

    /// Whether a function that comes from another module of the project is called with this text as an argument.
    #[must_use]
    pub fn hands_out(&self, text: &str) -> bool {
        let handed = self.handed_out.get_or_init(|| {
            let strangers: HashSet<&str> = self.module().body().iter().flat_map(strange_names).collect();
            let mut handed = HashSet::new();
            for statement in self.module().body() {
                statement.each_call(&mut |call| {
                    let root = call.callee.dotted();
                    let root = root.as_deref().and_then(|dotted| dotted.split('.').next());
                    if root.is_some_and(|root| strangers.contains(root)) {
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

/// What a database holds that no operation shows.
static OPAQUE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r"(?-u)create_all|drop_all|\bopen\(|read_text|read_bytes|importlib|get_foreign_keys|get_unique_constraints|get_check_constraints|get_multi_|information_schema|pg_constraint|[Rr][Ee][Nn][Aa][Mm][Ee]\s+[Cc][Oo][Nn][Ss][Tt][Rr][Aa][Ii][Nn][Tt]|\.invoke\(|getattr\(",
    )
    .ok()
});

/// The texts that an argument is, or has in a list.
fn add_texts(expr: &Expr, found: &mut HashSet<String>) {
    found.extend(expr.as_str().map(str::to_owned));
    if let ExprKind::List(items) | ExprKind::Tuple(items) = &expr.kind {
        for item in items {
            add_texts(item, found);
        }
    }
}

/// The names that an import binds to something other than SQLAlchemy and Alembic, in functions as well.
fn strange_names(statement: &Stmt) -> Vec<&str> {
    let is_known = |module: &str| matches!(module.split('.').next(), Some("sqlalchemy" | "alembic"));
    match &statement.kind {
        StmtKind::Function(function) => function.body.iter().flat_map(strange_names).collect(),
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
                // Handed on by a module of the project, it is still Alembic's.
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

    /// Nothing where the module is no revision, or its identifier is computed.
    fn of(body: &[Stmt]) -> Option<Self> {
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
    body.iter().rev().find_map(|statement| match &statement.kind {
        StmtKind::Assign { targets, value, .. } if targets.iter().any(|target| target.as_name() == Some(name)) => {
            value.as_ref()
        }
        _ => None,
    })
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
    use crate::snapshot::MemorySnapshot;

    fn links(text: &str) -> Option<(String, Option<Vec<String>>)> {
        Links::read(text).map(|links| (links.id, links.parents))
    }

    #[test]
    fn links_are_read_in_every_spelling() {
        let some = |id: &str, parents: &[&str]| {
            Some((
                id.to_owned(),
                Some(parents.iter().map(|one| (*one).to_owned()).collect()),
            ))
        };
        for (text, expected) in [
            ("revision = 'a'\ndown_revision = None\n", some("a", &[])),
            (
                "\"\"\"x\n\nRevision ID: z\n\"\"\"\nrevision: str = 'a'\ndown_revision: Union[str, None] = \"b\"\nbranch_labels = ('l',)\ndepends_on = None\ndef upgrade(): pass\n",
                some("a", &["b"]),
            ),
            (
                "revision = 'a'\ndown_revision = ('b',\n  'c')\ndepends_on = ['d']\n",
                some("a", &["b", "c", "d"]),
            ),
            (
                "\"\"\"\ndef of a thing\n\"\"\"\nrevision = 'a'\ndown_revision = 'b'\n",
                some("a", &["b"]),
            ),
            (
                "revision = 'a'\ndown_revision = 'b'\ndef upgrade(): pass\ndown_revision = 'c'\n",
                some("a", &["c"]),
            ),
            ("revision = 'a'\ndown_revision = PARENT\n", Some(("a".to_owned(), None))),
            (
                "revision = 'a'\ndown_revision = 'b'\ndepends_on = x()\n",
                Some(("a".to_owned(), None)),
            ),
            ("revision = name()\ndown_revision = 'b'\n", None),
            ("# a revision of nothing\n", None),
            ("down_revision = None\n", None),
        ] {
            assert_eq!(links(text), expected, "{text}");
        }
    }

    /// The revisions before one whose links are `start`, in order.
    fn before(files: &[(&str, &str)], start: &str) -> Option<Vec<String>> {
        let snapshot: MemorySnapshot = files
            .iter()
            .map(|(id, parents)| {
                let text = format!("revision = '{id}'\n{parents}\ndef upgrade(): pass\n");
                (format!("versions/{id}.py"), text)
            })
            .collect();
        let history = History::read(&snapshot, &["versions".into()]);
        let module = Module::parse(SourceFile::new("x.py".into(), format!("revision = 'x'\n{start}\n")));
        let found = history.before(&module)?;
        Some(found.into_iter().map(|revision| revision.links.id.clone()).collect())
    }

    #[test]
    fn every_way_back_is_gone_once() {
        let files = [
            ("a", "down_revision = None"),
            ("b", "down_revision = 'a'"),
            ("c", "down_revision = 'a'"),
            ("other", "down_revision = None"),
            ("m", "down_revision = ('b', 'c')\ndepends_on = 'other'"),
            ("aside", "down_revision = 'a'"),
        ];
        let of = |start| before(&files, start).map(|ids| ids.join(" "));
        assert_eq!(of("down_revision = 'm'").as_deref(), Some("m b c other a"));
        assert_eq!(of("down_revision = 'c'").as_deref(), Some("c a"));
        assert_eq!(of("down_revision = None").as_deref(), Some(""));
    }

    #[test]
    fn what_is_incomplete_has_no_past() {
        let whole = [("a", "down_revision = None"), ("b", "down_revision = 'a'")];
        assert!(before(&whole, "down_revision = 'b'").is_some());
        assert_eq!(before(&whole[1..], "down_revision = 'b'"), None);
        assert_eq!(before(&whole, "down_revision = 'b'\ndepends_on = 'label'"), None);
        assert_eq!(before(&whole, "down_revision = PARENT"), None);
        // Two files with one identifier, and a circle that ends.
        let twice: MemorySnapshot = [
            ("versions/a.py", "revision = 'a'\ndown_revision = None\n"),
            ("versions/sub/a.py", "revision = 'a'\ndown_revision = None\n"),
        ]
        .into_iter()
        .collect();
        let history = History::read(&twice, &["versions".into()]);
        assert_eq!(history.size(), Some(2));
        let child = Module::parse(SourceFile::new(
            "x.py".into(),
            "revision = 'x'\ndown_revision = 'a'\n".to_owned(),
        ));
        assert!(history.before(&child).is_none());
        let circle = [("a", "down_revision = 'b'"), ("b", "down_revision = 'a'")];
        assert_eq!(before(&circle, "down_revision = 'b'").unwrap().len(), 2);
    }

    #[test]
    fn too_many_files_are_not_read() {
        let files = |count: usize| -> MemorySnapshot {
            (0..count)
                .map(|at| (format!("versions/r{at}.py"), "revision = 'a'\ndown_revision = None\n"))
                .collect()
        };
        let most = files(MOST_FILES);
        assert_eq!(History::read(&most, &["versions".into()]).size(), Some(MOST_FILES));
        let more = files(MOST_FILES + 1);
        assert_eq!(History::read(&more, &["versions".into()]).size(), None);
        assert_eq!(more.reads().len(), 0);
    }

    #[test]
    fn the_names_that_a_database_chose_are_found_in_what_does_not_come_before() {
        let revision = |id: &str, down: &str, rest: &str| {
            let text = format!("revision = '{id}'\ndown_revision = {down}\n{rest}\n");
            (format!("versions/{id}.py"), text)
        };
        let files: MemorySnapshot = [
            revision("a", "None", "'t_a_fkey'"),
            revision("b", "'a'", "'t_b_fkey' 't_ibfk_12' 'key' 'ß_key'"),
            revision("c", "'b'", "'t_a_fkey' 't_b_fkey' 't_c_fkey1' 't_c_fkeys'"),
        ]
        .into_iter()
        .collect();
        let history = History::read(&files, &["versions".into()]);
        let (path, text) = revision("b", "'a'", "");
        let module = Module::parse(SourceFile::new(path.as_str().into(), text));
        for (stem, expected) in [
            ("t_a_fkey", Some("versions/c.py t_a_fkey")),
            ("t_b_fkey", Some("versions/c.py t_b_fkey")),
            ("t_c_fkey", Some("versions/c.py t_c_fkey1")),
            ("t_ibfk_", None),
            ("key", None),
        ] {
            let found = history.spoken_of_later(&module, stem);
            let found = found.map(|(file, at)| format!("{} {}", file.path(), file.slice(at)));
            assert_eq!(found.as_deref(), expected, "{stem}");
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
        for code in [
            "'order'",
            "'shop.order'",
            "'order.id'",
            "ALTER TABLE \"order\"",
            "order",
        ] {
            assert!(mentions(code), "{code}");
        }
        for code in ["'orders'", "'order_item'", "'border'", "'orderß'", ""] {
            assert!(!mentions(code), "{code}");
        }
    }

    #[test]
    fn what_is_handed_to_the_projects_own_functions_is_seen() {
        let hands_out = |code: &str| {
            let text = format!("revision = 'a'\ndown_revision = None\n{code}\n");
            let revision = Revision::read(SourceFile::new("a.py".into(), text)).unwrap();
            revision.hands_out("order")
        };
        assert!(hands_out(
            "from app.helpers import add_key\ndef upgrade():\n    add_key('order')"
        ));
        assert!(hands_out(
            "import helpers\ndef upgrade():\n    helpers.add_keys(['line', 'order'])"
        ));
        assert!(!hands_out(
            "from alembic import op\ndef upgrade():\n    op.drop_table('order')"
        ));
        assert!(!hands_out(
            "import sqlalchemy as sa\ndef upgrade():\n    sa.table('order')"
        ));
        assert!(!hands_out("import app.types\ndef upgrade():\n    print('order')"));
    }
}
