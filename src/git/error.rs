//! Why git gives no answer, each in one sentence that says what to do.

use std::io;
use std::path::PathBuf;

use crate::snapshot::{ObjectId, SnapshotError};
use crate::source::RepoPath;

/// Why git gives no answer. A check that ends so did not take place, and must never count as passed.
///
/// The wording follows what git itself reports (git 2.39 to 2.47, measured); the remedies are those of git's own manual
/// pages.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "each message says it")]
pub enum GitError {
    #[error(
        "cannot read the index `{}` ({cause}): check its permissions and run the command again",
        index.display()
    )]
    UnreadableIndex { index: PathBuf, cause: String },
    #[error(
        "the index `{}` is damaged ({cause}): move it away and rebuild it with `git reset`, which keeps your files",
        index.display()
    )]
    CorruptIndex { index: PathBuf, cause: String },
    #[error(
        "the index `{}` has a format that the installed git does not know ({cause}): update git",
        index.display()
    )]
    UnknownIndexFormat { index: PathBuf, cause: String },
    /// git takes it for an empty index: every file would count as deleted and nothing would be checked. A hook that is started in the wrong
    /// folder sees this (measured, git 2.47).
    #[error(
        "GIT_INDEX_FILE names `{}`, which does not exist although HEAD holds files: start the hook at the top of the \
         working tree, or rebuild the index with `git reset`",
        index.display()
    )]
    MissingIndex { index: PathBuf },
    #[error(
        "`{}` is a bare repository without an index: name two revisions with --from-ref and --to-ref",
        path.display()
    )]
    BareRepository { path: PathBuf },
    /// The repository belongs to another user and git was not told to trust it (`safe.directory` in git-config).
    #[error(
        "git refuses `{0}` because another user owns it: run `git config --global --add safe.directory '{0}'` if you \
         trust it",
        path.display()
    )]
    Ownership { path: PathBuf },
    #[error(
        "bad object HEAD ({commit}): it or its tree cannot be read in `{}`: `git fsck` shows what is lost",
        git_dir.display()
    )]
    BadHead { git_dir: PathBuf, commit: ObjectId },
    /// The file of the branch is no id, or leads back to itself.
    #[error(
        "the branch of HEAD in `{}` names no commit and is not new either: write the commit's id into its file again \
         (the last line of its file below `logs` has it)",
        git_dir.display()
    )]
    DamagedBranch { git_dir: PathBuf },
    /// git takes the folder for no repository then.
    #[error(
        "`{}` names neither a branch nor a commit: write `ref: refs/heads/` and the name of your branch into it",
        git_dir.join("HEAD").display()
    )]
    DamagedHead { git_dir: PathBuf },
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
    /// `git commit PATH` commits from an index of its own, which git throws away.
    #[error(
        "cannot stage a fix during `git commit PATH`: run `alembic-named fix --staged --restage` first, then commit"
    )]
    PartialCommit,
    #[error("`{path}` was staged anew while it was being fixed: run the command again")]
    IndexChanged { path: RepoPath },
    #[error("unknown revision `{revision}`: check the spelling, or fetch it with `git fetch`")]
    UnknownRevision { revision: String },
    #[error("`{from}` and `{to}` have no common commit: name two revisions of one history")]
    NoMergeBase { from: String, to: String },
    #[error(
        "`{from}` and `{to}` have no common commit in this shallow clone: fetch the history with \
         `git fetch --unshallow`"
    )]
    ShallowHistory { from: String, to: String },
    #[error("cannot read `{}` ({cause}): check that it exists and that you may read it", path.display())]
    Io { path: PathBuf, cause: io::Error },
    #[error("the disk with `{}` is full, or your share of it: make room and run the command again", path.display())]
    Full { path: PathBuf },
    #[error(
        "another `fix --restage` is at work in `{}`: wait until it has ended and run the command again",
        path.display()
    )]
    Busy { path: PathBuf },
    #[error("`git {command}` failed ({said}): run it in `{}` to see why", folder.display())]
    GitFailed {
        command: String,
        said: String,
        folder: PathBuf,
    },
    #[error(
        "this repository can only be read by git itself ({reason}), and no `git` is on the PATH outside \
         the working tree: install git or add it to the PATH"
    )]
    GitMissing { reason: String },
}

impl From<GitError> for SnapshotError {
    fn from(error: GitError) -> Self {
        match error {
            GitError::Snapshot(error) => error,
            error => Self::Store(Box::new(error)),
        }
    }
}

/// Whether there is no room to write (ENOSPC, EDQUOT, and the limit of a process).
pub(crate) fn is_full(error: &io::Error) -> bool {
    use io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
    matches!(error.kind(), StorageFull | QuotaExceeded | FileTooLarge)
}

/// The same in git's words, which are the system's.
pub(super) fn says_full(said: &str) -> bool {
    ["No space left on device", "Disk quota exceeded", "File too large"]
        .iter()
        .any(|words| said.contains(words))
}

impl GitError {
    /// The system failed to write.
    pub(super) fn unwritten(path: PathBuf, cause: io::Error) -> Self {
        if is_full(&cause) {
            Self::Full { path }
        } else {
            Self::Io { path, cause }
        }
    }

    /// Two revisions have no merge base; the remedy is another in a shallow clone.
    pub(super) fn no_common_commit(from: &str, to: &str, is_shallow: bool) -> Self {
        let (from, to) = (from.to_owned(), to.to_owned());
        if is_shallow {
            Self::ShallowHistory { from, to }
        } else {
            Self::NoMergeBase { from, to }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_message_is_one_sentence_with_a_remedy() {
        let path = || PathBuf::from("/repo");
        let index = || PathBuf::from("/repo/.git/index");
        let cause = || "why".to_owned();
        let name = || RepoPath::from("a.py");
        let messages = [
            GitError::UnreadableIndex {
                index: index(),
                cause: cause(),
            },
            GitError::CorruptIndex {
                index: index(),
                cause: cause(),
            },
            GitError::UnknownIndexFormat {
                index: index(),
                cause: cause(),
            },
            GitError::MissingIndex { index: index() },
            GitError::BareRepository { path: path() },
            GitError::Ownership { path: path() },
            GitError::BadHead {
                git_dir: path(),
                commit: ObjectId::default(),
            },
            GitError::DamagedBranch { git_dir: path() },
            GitError::DamagedHead { git_dir: path() },
            GitError::Full { path: path() },
            GitError::Busy { path: path() },
            GitError::IndexChanged { path: name() },
            GitError::UnknownRevision {
                revision: "main".to_owned(),
            },
            GitError::no_common_commit("main", "side", false),
            GitError::no_common_commit("main", "side", true),
            GitError::Io {
                path: path(),
                cause: io::ErrorKind::PermissionDenied.into(),
            },
            GitError::GitFailed {
                command: "diff".to_owned(),
                said: cause(),
                folder: path(),
            },
            GitError::GitMissing { reason: cause() },
        ];
        for message in messages.map(|error| error.to_string()) {
            let starts_small = !message.starts_with(char::is_uppercase) || message.starts_with("GIT_");
            let is_one_sentence = !message.contains('\n') && !message.ends_with('.') && !message.contains("  ");
            assert!(starts_small && is_one_sentence && message.contains(": "), "{message}");
        }
    }
}
