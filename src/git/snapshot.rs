//! The snapshots of an index and of a commit's tree.

use std::cell::OnceCell;

use super::libgit2::oid;
use super::listing::{Listing, Row};
use super::program::Program;
use super::{GitError, Repository};
use crate::once::once;
use crate::snapshot::{Entry, ObjectId, Snapshot, SnapshotError};
use crate::source::RepoPath;

/// The files of the index or of a tree.
pub(super) struct GitSnapshot<'r> {
    repository: &'r Repository,
    files: Files,
}

enum Files {
    Index,
    Tree { id: ObjectId, listing: OnceCell<Listing> },
}

impl<'r> GitSnapshot<'r> {
    pub(super) fn index(repository: &'r Repository) -> Self {
        let files = Files::Index;
        Self { repository, files }
    }

    pub(super) fn tree(repository: &'r Repository, id: ObjectId) -> Self {
        let listing = OnceCell::new();
        let files = Files::Tree { id, listing };
        Self { repository, files }
    }

    fn find(&self, path: &RepoPath) -> Result<Option<Row>, GitError> {
        match &self.files {
            Files::Index => self.repository.index_file(path),
            Files::Tree { id, listing } => self.repository.ask(
                |library| library.tree_file(oid(id)?, path),
                |program| Ok(whole_tree(program, id, listing)?.file(path).cloned()),
            ),
        }
    }
}

/// Lists a tree once: git is not started for each path.
fn whole_tree<'l>(program: &Program, id: &ObjectId, listing: &'l OnceCell<Listing>) -> Result<&'l Listing, GitError> {
    once(listing, || program.tree_listing(id))
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
        let entries = match &self.files {
            Files::Index => self
                .repository
                .ask(|library| library.index_children(folder), |program| Ok(program.index_listing()?.children(folder))),
            Files::Tree { id, listing } => self.repository.ask(
                |library| library.tree_children(oid(id)?, folder),
                |program| Ok(whole_tree(program, id, listing)?.children(folder)),
            ),
        };
        Ok(entries?)
    }
}
