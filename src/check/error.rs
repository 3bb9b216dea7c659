//! Why a file cannot be checked.

use crate::config::ConfigError;
use crate::git::GitError;
use crate::snapshot::SnapshotError;
use crate::source::RepoPath;

/// Why a file cannot be checked.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// Its configuration is wrong, so that nothing that is said can be relied on.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// Its content cannot be read.
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
    /// The repository does not tell what it was before.
    #[error(transparent)]
    Git(#[from] GitError),
    /// Its text cannot be decoded.
    #[error("`{path}` {why}, or exclude it")]
    Encoding {
        /// The file.
        path: RepoPath,
        /// What is wrong, and the remedy.
        why: String,
    },
}
