//! Which files are checked, and which snapshot their content is read from.

mod error;
mod named;
mod paths;
mod start;

pub(crate) use error::SelectionError;
pub(crate) use start::{Reader, Start};

use std::path::PathBuf;

use crate::git::{Change, Repository, Status};
use crate::settings::Scope;
use crate::snapshot::{ObjectId, Snapshot, SnapshotError, WorkingTree};
use crate::source::RepoPath;

/// A file to check.
#[derive(Debug, Clone)]
pub(crate) struct Candidate {
    /// Its path below the top.
    pub path: RepoPath,
    /// Its object, if git named it.
    pub id: Option<ObjectId>,
    /// Its size as the index recorded it; 0 if it did not.
    pub size: u32,
    /// What the commit does to it, where that is known.
    pub status: Option<Status>,
    /// Whether it is one of many: the commit does not change it, or it was found in a named folder.
    pub in_passing: bool,
}

impl Candidate {
    /// Its bytes. Fails if it is gone, or larger than the limit.
    pub(crate) fn read(&self, snapshot: &dyn Snapshot) -> Result<Vec<u8>, SnapshotError> {
        match &self.id {
            Some(id) => snapshot.read_id(&self.path, id, self.size),
            None => snapshot.read(&self.path)?.ok_or_else(|| SnapshotError::Vanished {
                path: self.path.clone(),
            }),
        }
    }
}

impl From<Change> for Candidate {
    fn from(change: Change) -> Self {
        Self {
            in_passing: change.status == Status::Unmodified,
            path: change.path,
            id: Some(change.id),
            size: change.size,
            status: Some(change.status),
        }
    }
}

/// The files, and where they are read from.
pub(crate) struct Selection<'r> {
    /// The Python files to check.
    pub candidates: Vec<Candidate>,
    /// The number of other files.
    pub others: usize,
    /// Whether files are left out because another parent of a merge has them as they are.
    pub is_left_to_merge: bool,
    /// What they and the project around them are read from.
    pub snapshot: Box<dyn Snapshot + 'r>,
    /// The absolute path of the top.
    pub top: PathBuf,
    /// The commit that the files are compared with, if not HEAD.
    pub base: Option<ObjectId>,
    /// What was left out, for `--verbose`.
    pub notes: Vec<String>,
    /// Why files that should be checked cannot be.
    pub failures: Vec<String>,
}

impl Selection<'_> {
    /// Why there is nothing to check, as half a sentence. `excluded` candidates were excluded.
    #[must_use]
    pub(crate) fn why_none(&self, scope: &Scope, excluded: usize) -> String {
        if excluded > 0 {
            let files = if excluded == 1 { "file is" } else { "files are" };
            return format!("{excluded} Python {files} excluded by the configuration or by --exclude");
        }
        match (scope, self.others) {
            (Scope::Staged | Scope::StagedPaths(_), _) if self.is_left_to_merge => {
                "the Python files that the merge brings are those of another parent".to_owned()
            }
            (Scope::Staged, 0) => "nothing new or changed is staged".to_owned(),
            (Scope::Staged, 1) => "1 file is staged, and it is no Python".to_owned(),
            (Scope::Staged, others) => format!("{others} files are staged, none of them is Python"),
            (Scope::StagedPaths(_), _) => "nothing that was named is a Python file in the index".to_owned(),
            (Scope::Paths(_), _) => "there is no Python file in what was named".to_owned(),
            (Scope::All, _) => "no Python file is tracked".to_owned(),
            (Scope::Between { .. }, 0) => "nothing was added or changed since the merge base".to_owned(),
            (Scope::Between { .. }, _) => "no Python file was added or changed since the merge base".to_owned(),
        }
    }
}

impl Start {
    /// The files of a scope.
    pub(crate) fn select(&self, scope: &Scope, limit: u64) -> Result<Selection<'_>, SelectionError> {
        match (scope, &self.repository) {
            (Scope::Paths(paths), _) => self.named(paths, limit),
            (_, None) => Err(SelectionError::NoRepository {
                folder: self.folder.clone(),
            }),
            (Scope::Staged, Some(repository)) => self.staged(repository),
            (Scope::StagedPaths(paths), Some(repository)) => self.staged_paths(repository, paths),
            (Scope::All, Some(repository)) => {
                let tracked = repository.tracked()?;
                let mut selection = self.of(repository.index()?, tracked);
                let unmerged = repository.staged()?.unmerged;
                let unmerged = unmerged.iter().filter(|path| path.is_python());
                selection.failures.extend(unmerged.map(conflict));
                Ok(selection)
            }
            (Scope::Between { from, to }, Some(repository)) => {
                let comparison = repository.between(from, to.as_deref().unwrap_or("HEAD"))?;
                let mut selection = self.of(comparison.snapshot, comparison.changes);
                selection
                    .notes
                    .push(format!("compared with the merge base {}", comparison.base));
                selection.base = Some(comparison.base);
                Ok(selection)
            }
        }
    }

    /// The snapshot of a scope, and the commit that it is compared with, if not HEAD.
    pub(crate) fn snapshot(
        &self,
        scope: &Scope,
        limit: u64,
    ) -> Result<(Box<dyn Snapshot + '_>, Option<ObjectId>), SelectionError> {
        match (scope, &self.repository) {
            (Scope::Paths(_), _) => Ok((Box::new(WorkingTree::new(&self.top).with_limit(limit)), None)),
            (_, None) => Err(SelectionError::NoRepository {
                folder: self.folder.clone(),
            }),
            (Scope::Between { from, to }, Some(repository)) => {
                let comparison = repository.between(from, to.as_deref().unwrap_or("HEAD"))?;
                Ok((comparison.snapshot, Some(comparison.base)))
            }
            (_, Some(repository)) => Ok((repository.index()?, None)),
        }
    }

    fn of<'r>(&self, snapshot: Box<dyn Snapshot + 'r>, changes: Vec<Change>) -> Selection<'r> {
        let (python, others): (Vec<Change>, Vec<Change>) =
            changes.into_iter().partition(|change| change.path.is_python());
        Selection {
            candidates: python.into_iter().map(Candidate::from).collect(),
            others: others.len(),
            is_left_to_merge: false,
            snapshot,
            top: self.top.clone(),
            base: None,
            notes: Vec::new(),
            failures: Vec::new(),
        }
    }

    fn staged<'r>(&self, repository: &'r Repository) -> Result<Selection<'r>, SelectionError> {
        let staged = repository.staged()?;
        let mut selection = self.of(repository.index()?, staged.changes);
        let python = |paths: Vec<RepoPath>| paths.into_iter().filter(RepoPath::is_python).collect::<Vec<_>>();
        for path in python(staged.left_to_other_parents) {
            selection.is_left_to_merge = true;
            selection
                .notes
                .push(format!("left alone, as it is the same in another parent of the merge: {path}"));
        }
        for path in python(staged.unmerged) {
            selection.failures.push(conflict(&path));
        }
        Ok(selection)
    }

    fn staged_paths<'r>(&self, repository: &'r Repository, paths: &[PathBuf]) -> Result<Selection<'r>, SelectionError> {
        let mut named: Vec<RepoPath> = paths.iter().map(|path| self.path_of(path)).collect::<Result<_, _>>()?;
        named.sort();
        named.dedup();
        // A merge commit is only checked for its own changes, even if all files are named.
        let staged = repository.staged()?;
        let mut files = repository.status_of(&named)?;
        let no_files = files.iter().filter(|(_, change)| change.is_none());
        let no_files: Vec<RepoPath> = no_files.map(|(path, _)| path.clone()).collect();
        if !no_files.is_empty() {
            let is_below = |path: &RepoPath| no_files.iter().any(|folder| path.starts_with(folder));
            let tracked = repository.tracked()?.into_iter();
            let tracked = tracked.map(|change| (change.path.clone(), Some(change)));
            let unmerged = staged.unmerged.iter().map(|path| (path.clone(), None));
            files.extend(tracked.chain(unmerged).filter(|(path, _)| is_below(path)));
            files.sort_by(|(one, _), (other, _)| one.cmp(other));
            files.dedup_by(|(one, _), (other, _)| one == other);
        }
        let mut selection = self.of(repository.index()?, Vec::new());
        for path in &no_files {
            let holds = |(file, _): &(RepoPath, Option<Change>)| file != path && file.starts_with(path);
            if !files.iter().any(holds) && !staged.unmerged.contains(path) {
                selection.notes.push(format!("not in the index: {path}"));
            }
        }
        for (path, change) in files.into_iter().filter(|(path, _)| path.is_python()) {
            if staged.left_to_other_parents.contains(&path) {
                selection.is_left_to_merge = true;
                selection
                    .notes
                    .push(format!("left alone, as it is the same in another parent of the merge: {path}"));
            } else if staged.unmerged.contains(&path) {
                selection.failures.push(conflict(&path));
            } else {
                selection.candidates.extend(change.map(Candidate::from));
            }
        }
        Ok(selection)
    }
}

fn conflict(path: &RepoPath) -> String {
    format!("`{path}` is in conflict: resolve it and stage it with `git add`")
}
