//! A snapshot in which one file is changed.

use super::{Entry, Snapshot, SnapshotError};
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

    fn list(&self, folder: &RepoPath) -> Result<Vec<Entry>, SnapshotError> {
        self.snapshot.list(folder)
    }
}
