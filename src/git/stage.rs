//! Putting fixed content into the index: the one place that changes a repository, and only when `--restage` asks for it.
//!
//! git itself writes the index, since it keeps every extension and every format that it knows (measured: libgit2 drops the untracked cache
//! and cannot open a split or sparse index).

use std::fs::{File, TryLockError};

use super::command::Caller;
use super::{GitError, Repository};
use crate::snapshot::ObjectId;
use crate::source::RepoPath;

/// New content for an entry of the index.
#[derive(Debug)]
pub struct Restage<'a> {
    /// Which entry.
    pub path: &'a RepoPath,
    /// What it holds now; anything else means that somebody else was faster.
    pub old: &'a ObjectId,
    /// What it shall hold.
    pub content: &'a [u8],
}

/// The entries as they were, to be put back if the working files cannot be written after all.
///
/// As long as it lives, no other run of this program stages anything in the repository.
#[derive(Debug)]
pub struct Undo {
    entries: Vec<Staged>,
    _turn: Option<File>,
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
    /// Fails with [`GitError::Busy`] while another run stages. Fails with [`GitError::PartialCommit`] under `git commit PATH`, whose index git throws away afterwards: the fix would be committed, and
    /// then be staged for removal (measured). Fails with [`GitError::IndexChanged`] when an entry is no longer what was checked.
    pub fn restage(&self, changes: &[Restage<'_>]) -> Result<Undo, GitError> {
        let index = self.index_path();
        if index
            .file_name()
            .is_some_and(|name| name.to_string_lossy().starts_with("next-index-"))
        {
            return Err(GitError::PartialCommit);
        }
        let turn = self.turn()?;
        let now = Self::discover_in(self.environment(), self.from())?;
        let caller = self.writer();
        let mut staged = Vec::new();
        let mut entries = Vec::new();
        for change in changes {
            let row = now
                .as_ref()
                .map(|now| now.index_file(change.path))
                .transpose()?
                .flatten();
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
            _turn: turn,
        })
    }

    /// Puts back the entries that are still as they were staged; what somebody else has staged since is theirs.
    pub fn unstage(&self, undo: &Undo) -> Result<(), GitError> {
        let now = Self::discover_in(self.environment(), self.from())?;
        let mut entries = Vec::new();
        for staged in &undo.entries {
            let row = now.as_ref().map(|now| now.index_file(&staged.path)).transpose()?;
            if row.flatten().is_some_and(|row| row.id == staged.new) {
                entries.extend(entry(staged.mode, &staged.old, &staged.path));
            }
        }
        self.writer().fed(&UPDATE, &entries, self.index_path()).map(drop)
    }

    /// The right to stage, which the system takes back when this process ends, however it ends. git knows nothing of it.
    ///
    /// Where a folder cannot be locked (Windows, some network disks), there is no turn to wait for.
    fn turn(&self) -> Result<Option<File>, GitError> {
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

    /// git in the folder where this run was started, since the variables of git can be relative to it.
    fn writer(&self) -> Caller {
        Caller::new(self.environment(), self.from(), "the index is to be changed".to_owned())
    }
}

/// git-hash-object; without a path no filter of the working tree is applied.
const STORE: [&str; 3] = ["hash-object", "-w", "--stdin"];

/// git-update-index, "Using --index-info": paths are from the top, and the entry keeps its flags.
const UPDATE: [&str; 3] = ["update-index", "-z", "--index-info"];

fn entry(mode: u32, id: &ObjectId, path: &RepoPath) -> Vec<u8> {
    [format!("{mode:06o} {id}\t").as_bytes(), path.as_bytes(), b"\0"].concat()
}
