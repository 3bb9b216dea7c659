//! Stages fixed content, for `--restage`: the only code that changes a repository.
//!
//! git writes the index, since it keeps every extension and format: libgit2 drops the untracked cache and cannot open a split or sparse
//! index (measured).

use std::fs::{File, TryLockError};

use super::{GitError, Repository};
use crate::snapshot::ObjectId;
use crate::source::RepoPath;

/// New content for an entry of the index.
#[derive(Debug)]
pub struct Restage<'a> {
    /// Its path.
    pub path: &'a RepoPath,
    /// The content that was checked; the entry must still have it.
    pub old: &'a ObjectId,
    /// The new content.
    pub content: &'a [u8],
}

/// The entries as they were, to be restored if the working files cannot be written. While it lives, no other run of this program stages in
/// this repository.
#[derive(Debug)]
pub struct Undo {
    entries: Vec<Staged>,
    _lock: Option<File>,
}

#[derive(Debug)]
struct Staged {
    path: RepoPath,
    mode: u32,
    old: ObjectId,
    new: ObjectId,
}

impl Repository {
    /// Stages new content, all of it or nothing.
    ///
    /// Fails with [`GitError::Busy`] while another run stages, with [`GitError::IndexChanged`] when an entry is no longer what was checked, and
    /// with [`GitError::PartialCommit`] in `git commit PATH`: git throws that index away, so the fix would be committed and then be staged
    /// for removal (measured).
    pub fn restage(&self, changes: &[Restage<'_>]) -> Result<Undo, GitError> {
        let index = self.index_path();
        if index
            .file_name()
            .is_some_and(|name| name.to_string_lossy().starts_with("next-index-"))
        {
            return Err(GitError::PartialCommit);
        }
        let lock = self.lock()?;
        let now = Self::discover_in(self.environment(), self.from())?;
        let caller = self.caller(REASON);
        let mut staged = Vec::new();
        let mut entries = Vec::new();
        for change in changes {
            let row = match &now {
                Some(now) => now.index_file(change.path)?,
                None => None,
            };
            let Some(row) = row.filter(|row| row.id == *change.old) else {
                return Err(GitError::IndexChanged {
                    path: change.path.clone(),
                });
            };
            let said = caller.fed(&STORE, change.content, index)?;
            let new = ObjectId::parse(said.trim()).ok_or_else(|| caller.failed(&STORE, &said))?;
            entries.extend(entry(row.mode, &new, change.path));
            staged.push(Staged {
                path: change.path.clone(),
                mode: row.mode,
                old: row.id,
                new,
            });
        }
        caller.fed(&UPDATE, &entries, index)?;
        Ok(Undo {
            entries: staged,
            _lock: lock,
        })
    }

    /// Restores the entries that are still as [`Self::restage`] left them; others were staged by somebody else since.
    pub fn unstage(&self, undo: &Undo) -> Result<(), GitError> {
        let now = Self::discover_in(self.environment(), self.from())?;
        let mut entries = Vec::new();
        for staged in &undo.entries {
            let row = now.as_ref().map(|now| now.index_file(&staged.path)).transpose()?;
            if row.flatten().is_some_and(|row| row.id == staged.new) {
                entries.extend(entry(staged.mode, &staged.old, &staged.path));
            }
        }
        self.caller(REASON).fed(&UPDATE, &entries, self.index_path()).map(drop)
    }

    /// Locks the git folder against other runs of this program, until this process ends; git knows nothing of it. `None` where a folder cannot
    /// be locked (Windows, some network disks).
    fn lock(&self) -> Result<Option<File>, GitError> {
        let path = self.git_dir().to_owned();
        let Ok(folder) = File::open(&path) else {
            return Ok(None);
        };
        match folder.try_lock() {
            Ok(()) => Ok(Some(folder)),
            Err(TryLockError::WouldBlock) => Err(GitError::Busy { path }),
            Err(TryLockError::Error(_)) => Ok(None),
        }
    }
}

const REASON: &str = "the index is to be changed";

/// git-hash-object; without a path it applies no filter.
const STORE: [&str; 3] = ["hash-object", "-w", "--stdin"];

/// git-update-index, "Using --index-info": paths are from the top, and the entry keeps its flags.
const UPDATE: [&str; 3] = ["update-index", "-z", "--index-info"];

fn entry(mode: u32, id: &ObjectId, path: &RepoPath) -> Vec<u8> {
    [format!("{mode:06o} {id}\t").as_bytes(), path.as_bytes(), b"\0"].concat()
}
