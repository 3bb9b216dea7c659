//! The revisions of an environment, and which of them run before another.
//!
//! Nothing is read until a rule asks, and then each file once.

use std::cell::{OnceCell, RefCell};
use std::collections::{BTreeSet, HashMap, HashSet};
use std::rc::Rc;

use super::Environment;
use super::revision::{Links, Revision};
use crate::python::Module;
use crate::snapshot::{EntryKind, Snapshot};
use crate::source::{RepoPath, SourceFile, Span, words_of};

/// An environment with more files than this is not read.
pub const MOST_FILES: usize = 5_000;

/// The same for the size of all files together.
const MOST_BYTES: usize = 32 << 20;

/// The revisions of one environment.
#[derive(Debug)]
pub struct History {
    /// Nothing if there are too many.
    revisions: Option<Vec<Revision>>,
    /// The revisions with an identifier; there should be one.
    places: HashMap<String, Vec<usize>>,
    /// The words of all revisions that look like a name chosen by a database, without their last number.
    chosen: OnceCell<HashMap<String, Vec<Word>>>,
    /// The revisions before the last one that was asked for; it is asked for again for each of its constraints.
    asked: RefCell<Option<(RepoPath, Rc<HashSet<RepoPath>>)>>,
}

/// A word in a revision.
#[derive(Debug, Clone, Copy)]
struct Word {
    revision: usize,
    at: Span,
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

    /// The first use of a name that a database chose, in a revision other than the one in `module` and those before it.
    ///
    /// `stem` is the name without its last number. If it is unknown which revisions come before, all count.
    #[must_use]
    pub fn spoken_of_later(&self, module: &Module, stem: &str) -> Option<(&SourceFile, Span)> {
        let words = self.chosen.get_or_init(|| self.chosen_words()).get(stem)?;
        let revisions = self.revisions.as_ref()?;
        let before = self.paths_before(module);
        let mut others = words.iter().filter_map(|word| {
            let file = revisions.get(word.revision)?.file();
            (file.path() != module.file().path() && !before.contains(file.path())).then_some((file, word.at))
        });
        others.next()
    }

    /// The files of the revisions before the one in `module`; none if they are unknown.
    fn paths_before(&self, module: &Module) -> Rc<HashSet<RepoPath>> {
        let path = module.file().path();
        if let Some((asked, before)) = &*self.asked.borrow()
            && asked == path
        {
            return before.clone();
        }
        let before = self.before(module).unwrap_or_default();
        let before: Rc<HashSet<RepoPath>> = Rc::new(before.iter().map(|one| one.file().path().clone()).collect());
        self.asked.replace(Some((path.clone(), before.clone())));
        before
    }

    fn chosen_words(&self) -> HashMap<String, Vec<Word>> {
        let mut found: HashMap<String, Vec<Word>> = HashMap::new();
        for (revision, one) in self.revisions.iter().flatten().enumerate() {
            for (stem, at) in chosen(one.text()) {
                let words = found.entry(stem.to_owned()).or_default();
                if words.last().is_none_or(|last| last.revision != revision) {
                    words.push(Word { revision, at });
                }
            }
        }
        found
    }

    /// How many revisions there are; nothing if too many.
    #[must_use]
    pub fn size(&self) -> Option<usize> {
        self.revisions.as_ref().map(Vec::len)
    }

    /// All revisions, by path; nothing if there are too many.
    #[must_use]
    pub fn revisions(&self) -> Option<&[Revision]> {
        self.revisions.as_deref()
    }

    /// The revisions that no other builds on.
    ///
    /// # Errors
    /// A revision that builds on one that is known only at run time.
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
        let at = revisions.binary_search_by(|revision| revision.file().path().cmp(path));
        Some(revisions.get(at.ok()?)?.text())
    }

    /// Every revision that runs before the one in `module`, the nearest first.
    ///
    /// Nothing if that is unknown: a link is computed or leads to no revision or to two (squashed, generated, a branch label), or there is too
    /// much to read.
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

/// The words of a text that look like a name chosen by a database, each without its last number.
fn chosen(text: &str) -> impl Iterator<Item = (&str, Span)> {
    let words = words_of(text).map(|(start, word)| {
        let stem = word.trim_end_matches(|digit: char| digit.is_ascii_digit());
        (stem, Span::new(start, start + word.len()))
    });
    words.filter(|(stem, _)| CHOSEN.iter().any(|ending| stem.ends_with(ending)))
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
    let mut bytes = 0;
    let mut revisions = Vec::new();
    for path in paths(snapshot, folders)? {
        // What cannot be read is missing, and the revisions after it cannot be judged.
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

/// The files that Alembic would load (`alembic/script/base.py`, `_only_source_rev_file`), in order; nothing if there are too many.
fn paths(snapshot: &dyn Snapshot, folders: &[RepoPath]) -> Option<BTreeSet<RepoPath>> {
    let mut paths = BTreeSet::new();
    let mut open = folders.to_vec();
    while let Some(folder) = open.pop() {
        for entry in snapshot.list(&folder).unwrap_or_default() {
            let Some(path) = folder.join(&entry.name) else { continue };
            match entry.kind {
                EntryKind::Folder if entry.name != b"__pycache__" => open.push(path),
                EntryKind::File if path.is_python() && !entry.name.starts_with(b"__init__") => {
                    paths.insert(path);
                    if paths.len() > MOST_FILES {
                        return None;
                    }
                }
                _ => {}
            }
        }
    }
    Some(paths)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::MemorySnapshot;

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
    fn every_parent_is_visited_once() {
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
        let child = Module::parse(SourceFile::new("x.py".into(), "revision = 'x'\ndown_revision = 'a'\n".to_owned()));
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
}
