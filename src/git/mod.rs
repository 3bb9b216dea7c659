//! What a commit changes, and the files of the index and of commits: the only room that knows git.
//!
//! [`Repository`] asks libgit2 (`opening`, `libgit2`) and, for what libgit2 cannot read and git can, the git program (`command`, `program`,
//! `batch`). Both give the same answers, as `delta` and `listing` describe them.
//!
//! What is staged is found in one of three ways:
//!
//! 1. If the cached tree of the index is valid at its root, as in `git commit` without paths, two trees are compared (`cached_tree`,
//!    `tree_diff`).
//! 2. Otherwise libgit2 loads the index and compares it with HEAD's tree (`libgit2`).
//! 3. An index that libgit2 refuses, and one so large that git is faster, is left to the git program (`program`).
//!
//! For libgit2 the index is from then on HEAD's tree with the changes on top (`staged`).
//!
//! Only `stage` changes the repository. Nothing else locks or refreshes anything, and nothing reads standard input or uses the network.

mod batch;
mod cached_tree;
mod command;
mod delta;
mod environment;
mod error;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
mod hooks;
mod layout;
mod libgit2;
mod listing;
mod merge;
mod name_lengths;
mod opening;
mod program;
mod raw;
mod repository;
#[cfg(test)]
mod sample;
mod snapshot;
mod stage;
mod staged;
mod tree_diff;

use std::fmt;

pub use environment::Environment;
pub use error::GitError;
pub(crate) use error::is_full;
pub use hooks::Hooks;
pub use repository::Repository;
pub use stage::{Restage, Undo};

use crate::snapshot::ObjectId;
use crate::source::RepoPath;

/// A changed regular file: no symbolic link, no submodule, no deleted file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Its path now.
    pub path: RepoPath,
    /// What happened to it.
    pub status: Status,
    /// Its mode, which tells whether it is executable.
    pub mode: u32,
    /// Its content; empty for a file that git does not hold.
    pub id: ObjectId,
    /// The size of the working file that the index noted; 0 where it was not asked, or noted none.
    pub size: u32,
}

/// What happened to a file, in git's sense (git-diff, "--diff-filter").
///
/// Only Python files have renames and copies. A copy has identical content; for git's `-C`, similar content is enough.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Status {
    /// It is new.
    Added,
    /// Its content or its executable bit changed.
    Modified,
    /// It had another path before, with the same or similar content.
    Renamed {
        /// The other path.
        from: RepoPath,
    },
    /// It is new and has the former content of another file that changed or moved.
    Copied {
        /// The other file.
        from: RepoPath,
    },
    /// It was a symbolic link or a submodule before.
    TypeChanged,
    /// HEAD has the same.
    Unmodified,
}

/// What the next commit changes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Staged {
    /// The changed files, sorted by path.
    pub changes: Vec<Change>,
    /// In a merge: files that are the same in another parent, which git's combined diff omits as well. Sorted.
    pub left_to_other_parents: Vec<RepoPath>,
    /// Files in conflict. Sorted.
    pub unmerged: Vec<RepoPath>,
}

/// What changed between two commits.
#[derive(Debug)]
pub struct Comparison {
    /// The changed files, sorted by path.
    pub changes: Vec<Change>,
    /// The merge base.
    pub base: ObjectId,
    /// Its tree.
    pub old: ObjectId,
    /// The tree of the later commit.
    pub new: ObjectId,
}

/// How it was found what is staged, for `--verbose`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Backend {
    /// By the cached tree of the index and HEAD's tree, which libgit2 read.
    CachedTree,
    /// libgit2 compared the index with HEAD.
    Libgit2 {
        /// Why not the cached tree.
        reason: String,
    },
    /// By the git program.
    Git {
        /// Why not otherwise.
        reason: String,
    },
}

impl fmt::Display for Backend {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CachedTree => formatter.write_str("libgit2, through the cached tree of the index"),
            Self::Libgit2 { reason } => write!(formatter, "libgit2 ({reason})"),
            Self::Git { reason } => write!(formatter, "the git program ({reason})"),
        }
    }
}
