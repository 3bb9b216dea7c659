//! Checks a file again with another text, to see what a fix leaves.

use std::collections::HashMap;

use super::{CheckError, Checker, examine};
use crate::diagnostic::Diagnostic;
use crate::project::Project;
use crate::selection::Candidate;
use crate::snapshot::Overlay;
use crate::source::{RepoPath, SourceFile};

/// Checks selected files with other texts.
pub(crate) struct SecondLook<'c> {
    checker: &'c Checker<'c>,
    /// The project as the change found it.
    before: &'c Project<'c>,
    top: &'c str,
    candidates: HashMap<&'c RepoPath, &'c Candidate>,
}

impl<'c> SecondLook<'c> {
    /// `top` is the absolute path of the snapshot's top.
    pub(crate) fn new(
        checker: &'c Checker<'c>,
        before: &'c Project<'c>,
        top: &'c str,
        candidates: &'c [Candidate],
    ) -> Self {
        let candidates = candidates
            .iter()
            .map(|candidate| (&candidate.path, candidate))
            .collect();
        Self {
            checker,
            before,
            top,
            candidates,
        }
    }

    /// What is found in a file with this text, whichever lines changed.
    pub(crate) fn at(&self, file: &SourceFile) -> Result<Vec<Diagnostic>, CheckError> {
        let Checker {
            snapshot,
            configs,
            past,
            ..
        } = self.checker;
        let in_head = match self.candidates.get(file.path()) {
            Some(candidate) => past.holds(candidate)?,
            None => true,
        };
        let config = configs.of(file.path())?;
        let changed = Overlay::new(*snapshot, file);
        let project = Project::new(&changed, self.top).since(self.before);
        Ok(examine(file, in_head && config.may_be_deployed(), &project, &config).diagnostics)
    }
}
