//! Files as they were at one moment. All that reads a project reads a snapshot, wherever its files are kept.
//!
//! The snapshots of the index and of a commit are in `git`.

mod memory;
mod overlay;
mod working_tree;

use std::error::Error;
use std::path::PathBuf;
use std::{fmt, io};

pub use memory::MemorySnapshot;
pub use overlay::Overlay;
pub use working_tree::WorkingTree;

use crate::source::RepoPath;

/// The most that is read of one file: 4 MiB. No migration written by hand or by Alembic comes near it.
pub const DEFAULT_LIMIT: u64 = 4 * 1024 * 1024;

/// A set of files that does not change while it is read.
pub trait Snapshot {
    /// The content of the regular file at `path`; `None` for anything else, and for a file in conflict.
    ///
    /// Fails with [`SnapshotError::TooLarge`] above the limit.
    fn read(&self, path: &RepoPath) -> Result<Option<Vec<u8>>, SnapshotError>;

    /// The content of an object, found without its path where objects are kept. The same limit holds; a size within it, other than 0, is
    /// believed.
    fn read_id(&self, path: &RepoPath, _id: &ObjectId, _size: u32) -> Result<Vec<u8>, SnapshotError> {
        let vanished = || SnapshotError::Vanished { path: path.clone() };
        self.read(path)?.ok_or_else(vanished)
    }

    /// The regular files and folders directly in `folder`, sorted by name; empty if there is no such folder.
    fn list(&self, folder: &RepoPath) -> Result<Vec<Entry>, SnapshotError>;
}

/// No files.
pub(crate) struct Empty;

impl Snapshot for Empty {
    fn read(&self, _: &RepoPath) -> Result<Option<Vec<u8>>, SnapshotError> {
        Ok(None)
    }

    fn list(&self, _: &RepoPath) -> Result<Vec<Entry>, SnapshotError> {
        Ok(Vec::new())
    }
}

/// One child of a folder.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    /// Its name as bytes, without a `/`.
    pub name: Vec<u8>,
    /// What it is.
    pub kind: EntryKind,
}

/// What a child of a folder is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum EntryKind {
    /// A regular file.
    File,
    /// A folder.
    Folder,
}

impl Entry {
    pub(crate) fn new(name: impl Into<Vec<u8>>, kind: EntryKind) -> Self {
        Self {
            name: name.into(),
            kind,
        }
    }
}

/// Why a file of a snapshot cannot be read.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "each message says it")]
pub enum SnapshotError {
    #[error(
        "the content of `{path}` (object {id}) is not in the repository: in a partial clone `git cat-file blob {id}` \
         fetches it, otherwise `git fsck` shows what is lost"
    )]
    MissingObject { path: RepoPath, id: ObjectId },
    #[error("`{path}` is {size} bytes, more than the {limit} that are read: exclude the file from the check")]
    TooLarge { path: RepoPath, size: u64, limit: u64 },
    #[error("`{path}` is no longer there: run the command again")]
    Vanished { path: RepoPath },
    #[error("cannot read `{}` ({cause}): check that it exists and that you may read it", path.display())]
    Io { path: PathBuf, cause: io::Error },
    #[error(transparent)]
    Store(Box<dyn Error + Send + Sync>),
}

/// The name of an object, as git prints it: 40 hexadecimal digits, or 64 in a SHA-256 repository.
///
/// The default is empty: the id of a file that git does not hold.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct ObjectId(String);

impl ObjectId {
    /// The id that `hex` spells in full; `None` if it does not.
    #[must_use]
    pub fn parse(hex: &str) -> Option<Self> {
        let is_whole = matches!(hex.len(), 40 | 64) && hex.bytes().all(|byte| byte.is_ascii_hexdigit());
        is_whole.then(|| Self(hex.to_ascii_lowercase()))
    }

    /// The digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn of(id: impl fmt::Display) -> Self {
        Self(id.to_string())
    }
}

impl fmt::Display for ObjectId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// The direct children of `folder` among rows that are sorted by path. Of each, `row` gives the path and whether it is a regular file.
///
/// A folder with a million files below is stepped over with one search.
pub(crate) fn children<T>(rows: &[T], row: impl Fn(&T) -> (&RepoPath, bool), folder: &RepoPath) -> Vec<Entry> {
    let first_from = |rows: &[T], start: &[u8]| rows.partition_point(|one| row(one).0.as_bytes() < start);
    let mut prefix = folder.as_bytes().to_vec();
    if !prefix.is_empty() {
        prefix.push(b'/');
    }
    let mut found = Vec::new();
    let mut rest = rows.get(first_from(rows, &prefix)..).unwrap_or_default();
    while let [next, behind @ ..] = rest {
        let (path, is_file) = row(next);
        let Some(below) = path.as_bytes().strip_prefix(prefix.as_slice()) else {
            break;
        };
        let mut parts = below.splitn(2, |&byte| byte == b'/');
        let name = parts.next().unwrap_or_default();
        rest = behind;
        if parts.next().is_some() {
            found.push(Entry::new(name, EntryKind::Folder));
            // `0` follows `/`, so this is the first path that can lie behind the folder.
            let end = [prefix.as_slice(), name, b"0"].concat();
            rest = behind.get(first_from(behind, &end)..).unwrap_or_default();
        } else if is_file {
            found.push(Entry::new(name, EntryKind::File));
        }
    }
    found.sort();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_message_is_one_sentence_with_a_remedy() {
        let path = || RepoPath::from("a.py");
        let id = ObjectId::default();
        let (size, limit) = (2, 1);
        for error in [
            SnapshotError::MissingObject { path: path(), id },
            SnapshotError::TooLarge {
                path: path(),
                size,
                limit,
            },
            SnapshotError::Vanished { path: path() },
        ] {
            let message = error.to_string();
            let is_one_sentence = !message.contains('\n') && !message.ends_with('.') && !message.contains("  ");
            let starts_small = !message.starts_with(char::is_uppercase);
            assert!(is_one_sentence && starts_small && message.contains(": "), "{message}");
        }
    }
}
