//! What a run found.

use super::CheckError;
use super::files::Checked;
use crate::config::ConfigError;
use crate::diagnostic::{Diagnostic, Severity};
use crate::git::Status;
use crate::selection::Reader;
use crate::source::RepoPath;

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum FileKind {
    /// It declares a revision or uses Alembic's operations.
    Migration,
    /// It makes or states a metadata that Alembic migrates.
    Metadata,
    /// Neither.
    Other,
}

/// A file that was checked.
#[derive(Debug, Clone)]
pub struct CheckedFile {
    /// Its path.
    pub path: RepoPath,
    /// What the commit does to it; nothing where it was named and git has not been asked.
    pub status: Option<Status>,
    /// What it is.
    pub kind: FileKind,
}

/// What was found.
#[derive(Debug, Default)]
pub struct Outcome {
    /// The files that were checked, in order.
    pub files: Vec<CheckedFile>,
    /// The findings, in the order of a report.
    pub diagnostics: Vec<Diagnostic>,
    /// Files that could not be checked or written, each in a sentence.
    pub failures: Vec<String>,
    /// How many findings are gone because they were fixed.
    pub fixed: usize,
    /// The files that `--fix` changed.
    pub changed: Vec<RepoPath>,
    /// How many files the configuration or the command line excludes.
    pub excluded: usize,
    /// Why no file was checked, where that is so.
    pub why_none: String,
    /// What `--fix` did not do or leaves to do, a sentence each.
    pub remarks: Vec<String>,
    /// Who reads the report.
    pub reader: Reader,
    /// What was checked is staged in an index that git makes for this commit alone (`git commit -a`, `git commit PATH`), and is the same in
    /// the working tree: the next command finds it there.
    pub has_temporary_index: bool,
    /// Files whose working copy has what `fix` would write and none of the errors any more, and is not staged.
    pub unstaged: Vec<RepoPath>,
}

impl Outcome {
    /// What all threads found, in the order of the list: the same for any number of threads.
    ///
    /// Fails on a wrong configuration, with the error that one thread would have met first.
    pub(super) fn of(mut checked: Vec<Checked>) -> Result<Self, ConfigError> {
        checked.sort_by_key(|one| one.at);
        let mut outcome = Self::default();
        for one in checked {
            match one.result {
                Ok(Some((file, diagnostics))) => {
                    outcome.files.push(file);
                    outcome.diagnostics.extend(diagnostics);
                }
                Ok(None) => outcome.excluded += 1,
                Err(CheckError::Config(error)) => return Err(error),
                Err(error) => outcome.failures.push(error.to_string()),
            }
        }
        outcome.diagnostics.sort_by_cached_key(Diagnostic::sort_key);
        Ok(outcome)
    }

    /// Whether nothing is left to do for a file but to stage it.
    #[must_use]
    pub fn must_be_staged(&self, path: &RepoPath) -> bool {
        self.unstaged.binary_search(path).is_ok()
    }

    /// How many findings are this bad.
    #[must_use]
    pub fn count(&self, severity: Severity) -> usize {
        self.diagnostics
            .iter()
            .filter(|diagnostic| diagnostic.severity == severity)
            .count()
    }
}
