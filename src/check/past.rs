//! What the repository holds of the files before the change.

use std::cell::OnceCell;

use super::CheckError;
use crate::git::{GitError, Status};
use crate::selection::{Candidate, Start};
use crate::snapshot::{Entry, ObjectId, Snapshot, SnapshotError};
use crate::source::RepoPath;

/// The files of the commit that the change is compared with, or else of HEAD. Opened when the first is read.
pub(crate) struct Committed<'c> {
    start: &'c Start,
    base: Option<&'c ObjectId>,
    tree: OnceCell<Option<Box<dyn Snapshot + 'c>>>,
}

impl<'c> Committed<'c> {
    pub(crate) fn new(start: &'c Start, base: Option<&'c ObjectId>) -> Self {
        let tree = OnceCell::new();
        Self { start, base, tree }
    }

    /// Nothing without a repository, or without a commit in it.
    fn tree(&self) -> Option<&dyn Snapshot> {
        let open = || {
            let revision = self.base.map_or("HEAD", ObjectId::as_str);
            let comparison = self.start.repository.as_ref()?.between(revision, revision);
            Some(comparison.ok()?.snapshot)
        };
        self.tree.get_or_init(open).as_deref()
    }
}

impl Snapshot for Committed<'_> {
    fn read(&self, path: &RepoPath) -> Result<Option<Vec<u8>>, SnapshotError> {
        self.tree().map_or(Ok(None), |tree| tree.read(path))
    }

    fn read_id(&self, path: &RepoPath, id: &ObjectId, size: u32) -> Result<Vec<u8>, SnapshotError> {
        let vanished = || SnapshotError::Vanished { path: path.clone() };
        self.tree().ok_or_else(vanished)?.read_id(path, id, size)
    }

    fn list(&self, folder: &RepoPath) -> Result<Vec<Entry>, SnapshotError> {
        self.tree().map_or(Ok(Vec::new()), |tree| tree.list(folder))
    }

    fn describe(&self) -> &'static str {
        "tree"
    }
}

/// What the repository holds of the files before the change.
pub(crate) struct Past<'h> {
    start: &'h Start,
    snapshot: &'h dyn Snapshot,
    /// The commit that is compared with, where that is not HEAD.
    base: Option<&'h ObjectId>,
}

impl<'h> Past<'h> {
    /// What `base`, or else HEAD, holds of the files of `snapshot`.
    pub(crate) fn new(start: &'h Start, snapshot: &'h dyn Snapshot, base: Option<&'h ObjectId>) -> Self {
        Self { start, snapshot, base }
    }

    /// Whether HEAD holds the file, so that a database may have run it.
    pub(super) fn holds(&self, candidate: &Candidate) -> Result<bool, GitError> {
        match (&candidate.status, &self.start.repository) {
            (Some(Status::Added | Status::Copied { .. } | Status::Untracked), _) | (None, None) => Ok(false),
            (Some(_), _) => Ok(true),
            (None, Some(repository)) => repository.head_holds(&candidate.path).map(|id| id.is_some()),
        }
    }

    /// The file's text before the change; nothing for a new file.
    pub(super) fn text(&self, candidate: &Candidate) -> Result<Option<String>, CheckError> {
        let Some(repository) = &self.start.repository else {
            return Ok(None);
        };
        let path = match &candidate.status {
            Some(Status::Renamed { from } | Status::Copied { from }) => from,
            _ => &candidate.path,
        };
        let bytes = match (self.base, repository.head_holds(path)?) {
            (Some(base), _) => repository.between(base.as_str(), base.as_str())?.snapshot.read(path)?,
            (None, Some(id)) if candidate.id.is_some() => Some(self.snapshot.read_id(path, &id, 0)?),
            (None, Some(id)) => Some(repository.index()?.read_id(path, &id, 0)?),
            (None, None) => None,
        };
        Ok(bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
    }
}
