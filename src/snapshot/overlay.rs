//! A snapshot in which one file is changed.

use super::{Entry, ObjectId, Snapshot, SnapshotError};
use crate::source::{RepoPath, SourceFile};

/// A snapshot in which one file has another text, so that importers see the changed module.
pub struct Overlay<'c> {
    snapshot: &'c dyn Snapshot,
    file: &'c SourceFile,
}

impl<'c> Overlay<'c> {
    /// The snapshot with this file in it.
    #[must_use]
    pub fn new(snapshot: &'c dyn Snapshot, file: &'c SourceFile) -> Self {
        Self { snapshot, file }
    }
}

impl Snapshot for Overlay<'_> {
    fn read(&self, path: &RepoPath) -> Result<Option<Vec<u8>>, SnapshotError> {
        if path == self.file.path() {
            return Ok(Some(self.file.text().as_bytes().to_vec()));
        }
        self.snapshot.read(path)
    }

    fn read_id(&self, path: &RepoPath, id: &ObjectId, size: u32) -> Result<Vec<u8>, SnapshotError> {
        self.snapshot.read_id(path, id, size)
    }

    fn list(&self, folder: &RepoPath) -> Result<Vec<Entry>, SnapshotError> {
        self.snapshot.list(folder)
    }
}
