//! What the repository holds of the files before the change.

use super::{CheckError, Checker};
use crate::git::{GitError, Status};
use crate::selection::Candidate;

impl Checker<'_> {
    /// Whether HEAD holds the file, so that a database may have run it.
    pub(super) fn is_in_head(&self, candidate: &Candidate) -> Result<bool, GitError> {
        match (&candidate.status, self.repository) {
            (Some(Status::Added | Status::Copied { .. }), _) | (None, None) => Ok(false),
            (Some(_), _) => Ok(true),
            (None, Some(repository)) => repository.head_holds(&candidate.path).map(|id| id.is_some()),
        }
    }

    /// The file's text before the change; nothing for a new file.
    pub(super) fn text_before(&self, candidate: &Candidate) -> Result<Option<String>, CheckError> {
        let path = match &candidate.status {
            Some(Status::Renamed { from } | Status::Copied { from }) => from,
            _ => &candidate.path,
        };
        let bytes = self.before.snapshot().read(path)?;
        Ok(bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
    }
}
