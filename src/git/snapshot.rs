//! The snapshots of an index and of a commit's tree.

use super::libgit2::oid;
use super::listing::Row;
use super::{GitError, Repository};
use crate::snapshot::{Entry, ObjectId, Snapshot, SnapshotError};
use crate::source::RepoPath;

/// The files of a tree, or of the index.
pub(super) struct GitSnapshot<'r> {
    pub(super) repository: &'r Repository,
    pub(super) tree: Option<ObjectId>,
}

impl GitSnapshot<'_> {
    fn find(&self, path: &RepoPath) -> Result<Option<Row>, GitError> {
        match &self.tree {
            None => self.repository.index_file(path),
            Some(id) => self.repository.ask(
                |library| library.tree_file(oid(id)?, path),
                |program| Ok(program.tree_listing(id)?.file(path).cloned()),
            ),
        }
    }
}

impl Snapshot for GitSnapshot<'_> {
    fn read(&self, path: &RepoPath) -> Result<Option<Vec<u8>>, SnapshotError> {
        let row = self.find(path)?;
        let content = row.map(|row| self.repository.blob(path, &row.id, row.size));
        Ok(content.transpose()?)
    }

    fn read_id(&self, path: &RepoPath, id: &ObjectId, size: u32) -> Result<Vec<u8>, SnapshotError> {
        Ok(self.repository.blob(path, id, size)?)
    }

    fn list(&self, folder: &RepoPath) -> Result<Vec<Entry>, SnapshotError> {
        let entries = match &self.tree {
            None => self
                .repository
                .ask(|library| library.index_children(folder), |program| Ok(program.index_listing()?.children(folder))),
            Some(id) => self.repository.ask(
                |library| library.tree_children(oid(id)?, folder),
                |program| Ok(program.tree_listing(id)?.children(folder)),
            ),
        };
        Ok(entries?)
    }
}
