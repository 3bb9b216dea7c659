//! The records of a comparison (`git diff --raw`), and the changed files among them with their renames and copies. No I/O.

use std::collections::{HashMap, HashSet};

use super::listing::{Row, is_regular};
use super::{Change, Status};
use crate::snapshot::ObjectId;
use crate::source::RepoPath;

/// One record of a comparison, of any kind of entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Delta {
    pub(super) path: RepoPath,
    pub(super) from: Option<RepoPath>,
    pub(super) kind: Kind,
    pub(super) old: Side,
    pub(super) new: Side,
}

impl Delta {
    pub(super) fn new(path: RepoPath, kind: Kind, old: Side, new: Side) -> Self {
        Self {
            path,
            from: None,
            kind,
            old,
            new,
        }
    }

    /// Whether it leaves a regular file that is not in conflict.
    pub(super) fn is_file(&self) -> bool {
        !matches!(self.kind, Kind::Deleted | Kind::Unmerged) && is_regular(self.new.mode)
    }

    /// That file.
    pub(super) fn file(&self) -> Option<Row> {
        let row = || Row::new(self.path.clone(), self.new.mode, self.new.id.clone());
        self.is_file().then(row)
    }
}

/// git's status letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Added,
    Deleted,
    Modified,
    TypeChanged,
    Renamed,
    Copied,
    Unmerged,
}

/// Mode and object on one side; zero where there is none.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Side {
    pub(super) mode: u32,
    pub(super) id: ObjectId,
}

impl Side {
    pub(super) fn new(mode: u32, id: ObjectId) -> Self {
        Self { mode, id }
    }
}

/// From and to.
pub(super) type Pair = (RepoPath, RepoPath);

/// As git's `diff.renameLimit`: 1000 times 1000.
const MOST_COMPARISONS: usize = 1_000_000;

/// Above this, only files that may be migrations or metadata are compared.
const MANY_COMPARISONS: usize = 10_000;

/// The Python files to compare for similar content.
pub(super) struct Candidates<'a> {
    pub(super) deleted: Vec<&'a Delta>,
    pub(super) added: Vec<&'a Delta>,
}

impl<'a> Candidates<'a> {
    /// Whether it would take long to compare each with each.
    pub(super) fn are_many(&self) -> bool {
        self.deleted.len() * self.added.len() > MANY_COMPARISONS
    }

    /// The files without an exact match; `None` where there is nothing to compare them with, or too much.
    pub(super) fn new(deltas: &'a [Delta], exact: &Matches) -> Option<Self> {
        let taken: HashSet<&RepoPath> = exact.renames.values().collect();
        let deleted: Vec<_> = deltas
            .iter()
            .filter(|delta| is_source(delta) && !taken.contains(&delta.path))
            .collect();
        let added: Vec<_> = deltas
            .iter()
            .filter(|delta| is_target(delta) && !exact.knows(&delta.path))
            .collect();
        let work = deleted.len().checked_mul(added.len())?;
        (1..=MOST_COMPARISONS)
            .contains(&work)
            .then_some(Self { deleted, added })
    }
}

/// The old path of new files, by their new one.
#[derive(Debug, Default)]
pub(super) struct Matches {
    pub(super) renames: HashMap<RepoPath, RepoPath>,
    copies: HashMap<RepoPath, RepoPath>,
}

impl Matches {
    /// Matches files of equal content: with a deleted file it is a rename, with the former content of one that changed or moved a copy
    /// (git-diff, `-M` and `-C`). As in git, a source of the same file name goes first, then the first in order.
    pub(super) fn exact(deltas: &[Delta]) -> Self {
        let mut matches = Self::default();
        let mut sources: HashMap<&ObjectId, Vec<&Delta>> = HashMap::new();
        for delta in deltas.iter().filter(|delta| is_source(delta) || is_copied_from(delta)) {
            sources.entry(&delta.old.id).or_default().push(delta);
        }
        if sources.is_empty() {
            return matches;
        }
        let mut used: HashSet<&RepoPath> = HashSet::new();
        for delta in deltas.iter().filter(|delta| is_target(delta)) {
            let Some(sources) = sources.get(&delta.new.id) else {
                continue;
            };
            let score = |source: &Delta| {
                let is_free = is_source(source) && !used.contains(&source.path);
                (is_free, source.path.file_name() == delta.path.file_name())
            };
            // `max_by_key` keeps the last of equals, git the first.
            let Some(best) = sources.iter().rev().max_by_key(|source| score(source)) else {
                continue;
            };
            let kind = if score(best).0 {
                &mut matches.renames
            } else {
                &mut matches.copies
            };
            kind.insert(delta.path.clone(), best.path.clone());
            used.insert(&best.path);
        }
        matches
    }

    /// Adds renames by similar content; exact matches stay.
    pub(super) fn add_renames(&mut self, pairs: Vec<Pair>) {
        let taken: HashSet<&RepoPath> = self.renames.values().collect();
        let is_new = |(from, to): &Pair| !self.knows(to) && !taken.contains(from);
        let new: Vec<Pair> = pairs.into_iter().filter(is_new).collect();
        self.renames.extend(new.into_iter().map(|(from, to)| (to, from)));
    }

    fn knows(&self, path: &RepoPath) -> bool {
        self.renames.contains_key(path) || self.copies.contains_key(path)
    }

    fn status(&self, delta: &Delta) -> Status {
        let from = |known: &HashMap<RepoPath, RepoPath>| known.get(&delta.path).cloned();
        match delta.kind {
            Kind::Added | Kind::Renamed | Kind::Copied => {
                let renamed = from(&self.renames).map(|from| Status::Renamed { from });
                let copied = || from(&self.copies).map(|from| Status::Copied { from });
                renamed.or_else(copied).unwrap_or(Status::Added)
            }
            Kind::TypeChanged => Status::TypeChanged,
            Kind::Modified | Kind::Deleted | Kind::Unmerged => Status::Modified,
        }
    }
}

fn is_source(delta: &Delta) -> bool {
    delta.kind == Kind::Deleted && delta.path.is_python() && is_regular(delta.old.mode)
}

fn is_copied_from(delta: &Delta) -> bool {
    delta.kind == Kind::Modified && delta.path.is_python() && is_regular(delta.old.mode) && delta.old.id != delta.new.id
}

fn is_target(delta: &Delta) -> bool {
    delta.kind == Kind::Added && delta.path.is_python() && is_regular(delta.new.mode)
}

/// The regular files that the deltas leave, sorted by path.
pub(super) fn changed_files(deltas: &[Delta], matches: &Matches) -> Vec<Change> {
    let changed = |delta: &Delta| Change {
        path: delta.path.clone(),
        status: matches.status(delta),
        mode: delta.new.mode,
        id: delta.new.id.clone(),
        size: 0,
    };
    let mut files: Vec<Change> = deltas.iter().filter(|delta| delta.is_file()).map(changed).collect();
    files.sort_by(|one, other| one.path.cmp(&other.path));
    files
}

/// The paths in conflict, each once, sorted.
pub(super) fn unmerged(deltas: &[Delta]) -> Vec<RepoPath> {
    let mut paths: Vec<RepoPath> = deltas
        .iter()
        .filter(|delta| delta.kind == Kind::Unmerged)
        .map(|delta| delta.path.clone())
        .collect();
    paths.sort();
    paths.dedup();
    paths
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(digit: char) -> ObjectId {
        ObjectId::parse(&digit.to_string().repeat(40)).unwrap()
    }

    fn delta(kind: Kind, path: &str, old: char, new: char) -> Delta {
        let side = |digit| {
            if digit == '0' {
                Side::default()
            } else {
                Side::new(0o100_644, id(digit))
            }
        };
        Delta::new(path.into(), kind, side(old), side(new))
    }

    #[track_caller]
    fn assert_statuses(deltas: &[Delta], expected: &[&str]) {
        let files = changed_files(deltas, &Matches::exact(deltas));
        let status = |file: &Change| match &file.status {
            Status::Renamed { from } => format!("{} renamed from {from}", file.path),
            Status::Copied { from } => format!("{} copied from {from}", file.path),
            other => format!("{} {other:?}", file.path),
        };
        assert_eq!(files.iter().map(status).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn equal_content_is_a_rename_once_and_then_a_copy() {
        let deltas = [
            delta(Kind::Deleted, "old/a.py", '1', '0'),
            delta(Kind::Deleted, "old/b.py", '1', '0'),
            delta(Kind::Added, "new/b.py", '0', '1'),
            delta(Kind::Added, "new/c.py", '0', '1'),
            delta(Kind::Added, "new/d.py", '0', '1'),
        ];
        let expected =
            ["new/b.py renamed from old/b.py", "new/c.py renamed from old/a.py", "new/d.py copied from old/a.py"];
        assert_statuses(&deltas, &expected);
    }

    #[test]
    fn the_former_content_of_a_changed_file_is_a_copy() {
        let deltas = [delta(Kind::Added, "copy.py", '0', '1'), delta(Kind::Modified, "a.py", '1', '2')];
        assert_statuses(&deltas, &["a.py Modified", "copy.py copied from a.py"]);
    }

    #[test]
    fn only_python_files_have_a_history() {
        let deltas = [delta(Kind::Deleted, "a.txt", '1', '0'), delta(Kind::Added, "b.txt", '0', '1')];
        assert_statuses(&deltas, &["b.txt Added"]);
    }

    #[test]
    fn new_files_alone_are_no_work() {
        let deltas: Vec<Delta> = (0..10_000)
            .map(|n| delta(Kind::Added, &format!("{n}.py"), '0', '1'))
            .collect();
        assert!(Candidates::new(&deltas, &Matches::exact(&deltas)).is_none());
    }
}
