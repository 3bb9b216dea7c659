//! Asks libgit2, and corrects its answers where they are not git's.
//!
//! Five of its habits would let a hook pass unchecked, or end the process (measured, or read in the source of 1.9.7):
//!
//! - it takes a relative `GIT_INDEX_FILE` and `GIT_WORK_TREE` from the wrong folder: `opening` resolves every path;
//! - it counts intent-to-add entries as added: `index` removes them from the loaded index;
//! - it leaves new files that are marked assume-unchanged out of a comparison: `index` clears the mark;
//! - its binding panics over modes that an old git wrote: modes are looked up, never taken from a `DiffFile`;
//! - its binding reads past a name that is shorter than its entry says: `name_lengths` comes first.

mod index;
mod renames;
mod trees;

use std::cell::OnceCell;
use std::rc::Rc;

use elsa::FrozenMap;
use git2::{ErrorCode, Index, Oid};

use super::cached_tree::{self, IndexError};
use super::command::Caller;
use super::delta::Delta;
use super::layout::Layout;
use super::listing::Row;
use super::merge::OtherParents;
use super::program::Program;
use super::staged::StagedChanges;
use super::tree_diff::{self, Child};
use super::{Backend, GitError};
use crate::once::once;
use crate::snapshot::{Entry, ObjectId, SnapshotError};
use crate::source::RepoPath;

/// Why libgit2 gave no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum LibraryError {
    /// It cannot; git may.
    #[error("{0}")]
    Refused(String),
    /// Neither could git.
    #[error(transparent)]
    Final(#[from] GitError),
}

impl From<git2::Error> for LibraryError {
    fn from(error: git2::Error) -> Self {
        Self::Refused(error.message().to_owned())
    }
}

impl From<IndexError> for LibraryError {
    fn from(error: IndexError) -> Self {
        Self::Refused(error.to_string())
    }
}

type Answer<T> = Result<T, LibraryError>;

/// A repository that libgit2 has opened.
pub(super) struct Library {
    repository: git2::Repository,
    layout: Layout,
    /// Reads an index that is too large for libgit2.
    program: Program,
    head: OnceCell<Option<Oid>>,
    staged: OnceCell<Staged>,
    index: OnceCell<Index>,
    /// The trees that were read. libgit2 keeps none of more than 4 KB (`git_cache__max_object_size` of 1.9.7), so each revision that is
    /// read of a folder of thousands would parse that folder again: 1.7 ms a name at 7,000 files (measured).
    trees: FrozenMap<Oid, Box<[Child]>>,
}

/// What is staged, and who found it.
struct Staged {
    backend: Backend,
    changes: StagedChanges,
}

/// Two trees and the deltas between them.
pub(super) struct Between {
    pub(super) base: ObjectId,
    pub(super) old: ObjectId,
    pub(super) new: ObjectId,
    pub(super) deltas: Vec<Delta>,
}

impl Library {
    pub(super) fn new(repository: git2::Repository, layout: Layout, caller: Caller) -> Self {
        Self {
            repository,
            program: Program::new(caller, layout.clone()),
            layout,
            head: OnceCell::new(),
            staged: OnceCell::new(),
            index: OnceCell::new(),
            trees: FrozenMap::new(),
        }
    }

    pub(super) fn backend(&self) -> Backend {
        let unasked = || Backend::Libgit2 {
            reason: "nothing was asked of the index".to_owned(),
        };
        self.staged.get().map_or_else(unasked, |staged| staged.backend.clone())
    }

    pub(super) fn layout(&self) -> &Layout {
        &self.layout
    }

    /// HEAD to index.
    pub(super) fn staged(&self) -> Answer<Rc<[Delta]>> {
        Ok(self.changes()?.deltas.clone())
    }

    fn changes(&self) -> Answer<&StagedChanges> {
        Ok(&once(&self.staged, || self.find_staged())?.changes)
    }

    fn find_staged(&self) -> Answer<Staged> {
        let head = self.head()?;
        let (deltas, backend) = match cached_tree::staged(&self.repository, head, &self.layout.index) {
            Ok(deltas) => (deltas, Backend::CachedTree),
            Err(error @ IndexError::OnlyGit(_)) => return Err(error.into()),
            Err(IndexError::Unproved(reason)) => match self.ask_git(Program::staged)? {
                Some(deltas) => (deltas, Backend::Git { reason }),
                None => (self.compare(head)?, Backend::Libgit2 { reason }),
            },
        };
        let changes = StagedChanges::new(deltas);
        Ok(Staged { backend, changes })
    }

    /// git's answer for a large index. `None` for a small one, and where git is not installed: libgit2 is only slower.
    fn ask_git<'a, T>(&'a self, question: impl FnOnce(&'a Program) -> Result<T, GitError>) -> Answer<Option<T>> {
        if !cached_tree::is_large(&self.layout.index) {
            return Ok(None);
        }
        match question(&self.program) {
            Err(GitError::GitMissing { .. }) => Ok(None),
            answer => Ok(Some(answer?)),
        }
    }

    /// The index entry of a file that is not in conflict.
    pub(super) fn index_file(&self, path: &RepoPath) -> Answer<Option<Row>> {
        match self.changes()?.delta(path) {
            Some(delta) => Ok(delta.file()),
            None => self.head_file(path),
        }
    }

    /// All regular files of the index.
    pub(super) fn index_files(&self) -> Answer<Vec<Row>> {
        // An index that `find_staged` refuses is refused here, too.
        self.changes()?;
        let mut rows = match self.ask_git(Program::index_listing)? {
            Some(listing) => listing.rows().to_vec(),
            None => self.index()?.iter().map(|entry| index::row(&entry)).collect(),
        };
        rows.retain(Row::is_file);
        Ok(rows)
    }

    pub(super) fn index_children(&self, folder: &RepoPath) -> Answer<Vec<Entry>> {
        let changes = self.changes()?;
        let Some(head) = self.head()? else {
            return changes.children(folder, Vec::new(), |_| Ok(false));
        };
        let below = self.tree_children(head, folder)?;
        changes.children(folder, below, |folder| self.remains(changes, head, folder))
    }

    /// Whether anything below a folder of HEAD is not deleted.
    fn remains(&self, changes: &StagedChanges, head: Oid, folder: &RepoPath) -> Answer<bool> {
        let Some(tree) = self.folder_in(head, folder)? else {
            return Ok(false);
        };
        let mut open = vec![(folder.clone(), tree)];
        while let Some((folder, tree)) = open.pop() {
            for child in self.rows(tree)? {
                let Some(path) = folder.join(&child.name) else {
                    continue;
                };
                if child.is_folder() {
                    open.push((path, child.item.id));
                } else if !changes.delete(&path) {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    /// HEAD's tree; `None` before the first commit.
    pub(super) fn head(&self) -> Answer<Option<Oid>> {
        let find = || match self.repository.head() {
            Ok(head) => Ok(Some(head.peel_to_commit()?.tree_id())),
            Err(error) if error.code() == ErrorCode::UnbornBranch => Ok(None),
            Err(error) => Err(error.into()),
        };
        once(&self.head, find).copied()
    }

    pub(super) fn head_is_empty(&self) -> Answer<bool> {
        self.head()?.map_or(Ok(true), |tree| Ok(self.rows(tree)?.is_empty()))
    }

    pub(super) fn head_file(&self, path: &RepoPath) -> Answer<Option<Row>> {
        self.head()?.map_or(Ok(None), |tree| self.tree_file(tree, path))
    }

    /// The merge base of two revisions to the second.
    pub(super) fn between(&self, from: &str, to: &str) -> Answer<Between> {
        let commit = |revision: &str| self.repository.revparse_single(revision)?.peel_to_commit();
        let (one, other) = (commit(from)?, commit(to)?);
        let base = match self.repository.merge_base(one.id(), other.id()) {
            Err(error) if error.code() == ErrorCode::NotFound => {
                return Err(GitError::no_common_commit(from, to, self.repository.is_shallow()).into());
            }
            base => base?,
        };
        let (old, new) = (self.repository.find_commit(base)?.tree_id(), other.tree_id());
        Ok(Between {
            deltas: tree_diff::compare(&self.repository, Some(old), Some(new))?,
            base: ObjectId::of(base),
            old: ObjectId::of(old),
            new: ObjectId::of(new),
        })
    }

    /// The trees of the other parents of a merge.
    pub(super) fn parents(&self, parents: OtherParents) -> Answer<Vec<Oid>> {
        let commits = parents.commits.into_iter();
        commits
            .filter(|id| parents.are_recorded || self.is_new_parent(id))
            .map(|id| Ok(self.repository.find_commit(oid(&id)?)?.tree_id()))
            .collect()
    }

    fn is_new_parent(&self, id: &ObjectId) -> bool {
        let (Ok(id), Ok(head)) = (oid(id), self.repository.head().and_then(|head| head.peel_to_commit())) else {
            return false;
        };
        let is_known = self.repository.find_commit(id).is_ok();
        let is_in_head = || self.repository.graph_descendant_of(head.id(), id);
        is_known && id != head.id() && is_in_head().is_ok_and(|is_in_head| !is_in_head)
    }

    /// The content of a file, its size looked at first: reading 3 GiB cost 6 GB of memory (measured).
    ///
    /// The `size` that the index noted for the working file spares that look, which takes longer in a pack than the reading. Filters change
    /// the size, but none makes much out of little; and git notes sizes modulo 2^32, so that what was read is measured again.
    pub(super) fn blob(&self, path: &RepoPath, id: &ObjectId, size: u32, limit: u64) -> Answer<Vec<u8>> {
        let (oid, odb) = (oid(id)?, self.repository.odb()?);
        let check = |size: usize, kind: git2::ObjectType| {
            if size as u64 > limit {
                let (path, size) = (path.clone(), size as u64);
                return Err(GitError::from(SnapshotError::TooLarge { path, size, limit }).into());
            }
            if kind != git2::ObjectType::Blob {
                return Err(LibraryError::Refused(format!("object {id} is no file")));
            }
            Ok(())
        };
        if size == 0 || u64::from(size) > limit {
            let (size, kind) = odb.read_header(oid)?;
            check(size, kind)?;
        }
        let object = odb.read(oid)?;
        check(object.len(), object.kind())?;
        Ok(object.data().to_vec())
    }
}

pub(super) fn oid(id: &ObjectId) -> Result<Oid, git2::Error> {
    Oid::from_str(id.as_str())
}
