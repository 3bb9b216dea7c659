//! Loads the index, and has libgit2 compare it with HEAD's tree.

use std::path::Path;

use git2::{Delta as Letter, DiffOptions, Index, IndexEntry, Oid};

use super::super::delta::{Delta, Kind, Side};
use super::super::listing::{Row, canonical};
use super::super::name_lengths;
use super::{Answer, Library, LibraryError};
use crate::once::once;
use crate::snapshot::ObjectId;
use crate::source::RepoPath;

/// An entry of `git add --intent-to-add` (gitformat-index, "extended flags").
const INTENT_TO_ADD: u16 = 1 << 13;
/// An entry that git-update-index was told to take for unchanged (gitformat-index, "assume-valid").
const ASSUME_UNCHANGED: u16 = 1 << 15;

impl Library {
    /// The index, loaded once: 1.8 of 2.4 seconds at a million files (measured).
    pub(super) fn index(&self) -> Answer<&Index> {
        once(&self.index, || {
            // An index that is not there is an empty one.
            let bytes = std::fs::read(&self.layout.index);
            if bytes.is_ok_and(|bytes| !name_lengths::are_right(&bytes)) {
                let reason = "the index has a name of another length than it says".to_owned();
                return Err(LibraryError::Refused(reason));
            }
            let mut index = Index::open(&self.layout.index)?;
            correct(&mut index)?;
            Ok(index)
        })
    }

    /// HEAD to index, by libgit2's own comparison.
    pub(super) fn compare(&self, head: Option<Oid>) -> Answer<Vec<Delta>> {
        let index = self.index()?;
        let tree = head.map(|id| self.repository.find_tree(id)).transpose()?;
        let diff = self
            .repository
            .diff_tree_to_index(tree.as_ref(), Some(index), Some(&mut diff_options()))?;
        let mut deltas = Vec::new();
        for delta in diff.deltas() {
            let kind = match delta.status() {
                Letter::Added => Kind::Added,
                Letter::Deleted => Kind::Deleted,
                Letter::Modified => Kind::Modified,
                Letter::Typechange => Kind::TypeChanged,
                Letter::Conflicted => Kind::Unmerged,
                _ => continue,
            };
            let Some(path) = delta.new_file().path_bytes().or_else(|| delta.old_file().path_bytes()) else {
                continue;
            };
            let path = RepoPath::new(path);
            let old = match head {
                Some(tree) if kind != Kind::Added => self.item(tree, &path, false)?.map_or(0, |item| item.mode),
                _ => 0,
            };
            let new = match kind {
                Kind::Deleted | Kind::Unmerged => 0,
                _ => mode_of_entry(index, &path)?,
            };
            let old = Side::new(old, ObjectId::of(delta.old_file().id()));
            let new = Side::new(new, ObjectId::of(delta.new_file().id()));
            // For libgit2 alone, permissions that git does not keep are a change.
            if kind != Kind::Modified || old != new {
                deltas.push(Delta::new(path, kind, old, new));
            }
        }
        Ok(deltas)
    }
}

pub(super) fn diff_options() -> DiffOptions {
    let mut options = DiffOptions::new();
    options.include_typechange(true);
    options
}

/// Makes the loaded index say what git says. It is never written.
fn correct(index: &mut Index) -> Result<(), git2::Error> {
    let is_intent = |entry: &IndexEntry| entry.flags_extended & INTENT_TO_ADD != 0;
    let is_flagged = |entry: &IndexEntry| entry.flags & ASSUME_UNCHANGED != 0 || is_intent(entry);
    let flagged: Vec<IndexEntry> = index.iter().filter(is_flagged).collect();
    for mut entry in flagged {
        if is_intent(&entry) {
            index.remove(&RepoPath::new(&entry.path).to_path(Path::new("")), 0)?;
        } else {
            entry.flags &= !ASSUME_UNCHANGED;
            index.add(&entry)?;
        }
    }
    Ok(())
}

/// Found by a search of our own: libgit2's binding panics over a path that cannot be one.
fn mode_of_entry(index: &Index, path: &RepoPath) -> Answer<u32> {
    let (mut low, mut high) = (0, index.len());
    while low < high {
        let middle = low + (high - low) / 2;
        if index
            .get(middle)
            .is_some_and(|entry| entry.path.as_slice() < path.as_bytes())
        {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    let entry = index.get(low).filter(|entry| entry.path == path.as_bytes());
    let mode = entry.map(|entry| canonical(entry.mode));
    mode.ok_or_else(|| LibraryError::Refused("the index is not in order".to_owned()))
}

pub(super) fn row(entry: &IndexEntry) -> Row {
    Row {
        path: RepoPath::new(&entry.path),
        mode: canonical(entry.mode),
        id: ObjectId::of(entry.id),
        size: entry.file_size,
        stage: u8::try_from((entry.flags >> 12) & 3).unwrap_or(3),
    }
}
