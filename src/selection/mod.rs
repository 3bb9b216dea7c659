//! Which files are checked, and which snapshot their content is read from.

mod error;
mod named;
mod paths;
mod start;

pub(crate) use error::SelectionError;
pub(crate) use paths::writes_elsewhere;
pub(crate) use start::{Reader, Start, current_folder};

use std::path::PathBuf;

use crate::config::may_configure;
use crate::git::{Change, Comparison, Repository, Status};
use crate::settings::Scope;
use crate::snapshot::{Empty, ObjectId, Snapshot, SnapshotError, WorkingTree};
use crate::source::RepoPath;

/// A file to check.
#[derive(Debug, Clone)]
pub(crate) struct Candidate {
    /// Its path below the top.
    pub path: RepoPath,
    /// The id of its content; empty if git did not name it.
    pub id: ObjectId,
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
        snapshot.read_id(&self.path, &self.id, self.size)
    }
}

impl From<Change> for Candidate {
    fn from(change: Change) -> Self {
        Self {
            in_passing: change.status == Status::Unmodified,
            path: change.path,
            id: change.id,
            size: change.size,
            status: Some(change.status),
        }
    }
}

/// Where files are read from.
#[derive(Debug, Clone)]
pub(crate) enum Origin {
    WorkingTree,
    Index,
    /// The tree of a commit, and the one that it is compared with.
    Tree {
        new: ObjectId,
        old: ObjectId,
    },
}

impl Origin {
    /// As `--verbose` shows it.
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::WorkingTree => "working tree",
            Self::Index => "index",
            Self::Tree { .. } => "tree",
        }
    }
}

/// The files, and where they are read from.
#[derive(Debug)]
pub(crate) struct Selection {
    /// The Python files to check, sorted by path.
    pub candidates: Vec<Candidate>,
    /// The number of other files.
    pub others: usize,
    /// Those of them that are added or changed and may hold a configuration.
    pub configurations: Vec<RepoPath>,
    /// Whether files are left out because another parent of a merge has them as they are.
    pub is_left_to_merge: bool,
    /// What they and the project around them are read from.
    pub origin: Origin,
    /// What was left out, for `--verbose`.
    pub notes: Vec<String>,
    /// Why files that should be checked cannot be.
    pub failures: Vec<String>,
}

impl Selection {
    /// The Python files among some files, which are sorted by path.
    fn of(origin: Origin, files: impl Iterator<Item = Candidate>) -> Self {
        let (candidates, others): (Vec<_>, Vec<_>) = files.partition(|file| file.path.is_python());
        let is_changed = |file: &&Candidate| file.status != Some(Status::Unmodified);
        let configurations = others.iter().filter(|file| may_configure(&file.path));
        let configurations = configurations.filter(is_changed);
        Self {
            candidates,
            configurations: configurations.map(|file| file.path.clone()).collect(),
            others: others.len(),
            is_left_to_merge: false,
            origin,
            notes: Vec::new(),
            failures: Vec::new(),
        }
    }

    /// The candidate at a path.
    pub(crate) fn candidate(&self, path: &RepoPath) -> Option<&Candidate> {
        let at = self.candidates.binary_search_by(|one| one.path.cmp(path)).ok()?;
        self.candidates.get(at)
    }

    fn leave_to_merge(&mut self, path: &RepoPath) {
        self.is_left_to_merge = true;
        let note = format!("left alone, as it is the same in another parent of the merge: {path}");
        self.notes.push(note);
    }

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
            (Scope::Staged, 1) => "1 file is staged, and it is not Python".to_owned(),
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
    pub(crate) fn select(&self, scope: &Scope) -> Result<Selection, SelectionError> {
        match scope {
            Scope::Paths(paths) => self.named(paths),
            Scope::Staged => self.staged(),
            Scope::StagedPaths(paths) => self.staged_paths(paths),
            Scope::All => {
                let repository = self.repository()?;
                let tracked = repository.tracked()?;
                let mut selection = Selection::of(Origin::Index, tracked.into_iter().map(Candidate::from));
                let unmerged = repository.staged()?.unmerged;
                let unmerged = unmerged.iter().filter(|path| path.is_python());
                selection.failures.extend(unmerged.map(conflict));
                Ok(selection)
            }
            Scope::Between { from, to } => {
                let to = to.as_deref().unwrap_or("HEAD");
                let Comparison {
                    changes,
                    base,
                    old,
                    new,
                } = self.repository()?.between(from, to)?;
                let origin = Origin::Tree { new, old };
                let mut selection = Selection::of(origin, changes.into_iter().map(Candidate::from));
                selection.notes.push(format!("compared with the merge base {base}"));
                Ok(selection)
            }
        }
    }

    /// The files of a selection.
    pub(crate) fn snapshot(&self, origin: &Origin) -> Result<Box<dyn Snapshot + '_>, SelectionError> {
        Ok(match origin {
            Origin::WorkingTree => Box::new(WorkingTree::new(&self.top).with_limit(self.limit)),
            Origin::Index => self.repository()?.index()?,
            Origin::Tree { new, .. } => self.repository()?.tree(new.clone()),
        })
    }

    /// The files before the change: of the tree that is compared with, or else of HEAD. Nothing without a repository, or without a commit
    /// in it.
    pub(crate) fn before(&self, origin: &Origin) -> Result<Box<dyn Snapshot + '_>, SelectionError> {
        let Some(repository) = &self.repository else {
            return Ok(Box::new(Empty));
        };
        let tree = match origin {
            Origin::Tree { old, .. } => Some(old.clone()),
            Origin::Index | Origin::WorkingTree => repository.head()?,
        };
        Ok(match tree {
            Some(tree) => repository.tree(tree),
            None => Box::new(Empty),
        })
    }

    fn repository(&self) -> Result<&Repository, SelectionError> {
        self.repository.as_ref().ok_or_else(|| SelectionError::NoRepository {
            folder: self.folder.clone(),
        })
    }

    fn staged(&self) -> Result<Selection, SelectionError> {
        let staged = self.repository()?.staged()?;
        let mut selection = Selection::of(Origin::Index, staged.changes.into_iter().map(Candidate::from));
        for path in staged.left_to_other_parents.iter().filter(|path| path.is_python()) {
            selection.leave_to_merge(path);
        }
        let unmerged = staged.unmerged.iter().filter(|path| path.is_python());
        selection.failures.extend(unmerged.map(conflict));
        Ok(selection)
    }

    fn staged_paths(&self, paths: &[PathBuf]) -> Result<Selection, SelectionError> {
        let repository = self.repository()?;
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
        let (mut own, mut failures, mut left) = (Vec::new(), Vec::new(), Vec::new());
        let mut notes = Vec::new();
        for path in &no_files {
            let holds = |(file, _): &(RepoPath, Option<Change>)| file != path && file.starts_with(path);
            if !files.iter().any(holds) && !staged.unmerged.contains(path) {
                notes.push(format!("not in the index: {path}"));
            }
        }
        let is_read = |path: &RepoPath| path.is_python() || may_configure(path);
        for (path, change) in files.into_iter().filter(|(path, _)| is_read(path)) {
            if staged.left_to_other_parents.contains(&path) {
                left.push(path);
            } else if staged.unmerged.contains(&path) {
                failures.push(conflict(&path));
            } else {
                own.extend(change.map(Candidate::from));
            }
        }
        let mut selection = Selection::of(Origin::Index, own.into_iter());
        (selection.notes, selection.failures) = (notes, failures);
        for path in left.iter().filter(|path| path.is_python()) {
            selection.leave_to_merge(path);
        }
        Ok(selection)
    }
}

fn conflict(path: &RepoPath) -> String {
    format!("`{path}` is in conflict: resolve it and stage it with `git add`")
}
