//! Which files are checked, and which snapshot their content is read from.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use crate::git::{Change, Environment, GitError, Repository, Status};
use crate::invocation::Invocation;
use crate::settings::Scope;
use crate::snapshot::{ObjectId, Snapshot, SnapshotError, WorkingTree};
use crate::source::RepoPath;

/// A file to check.
#[derive(Debug, Clone)]
pub struct Candidate {
    /// Its path below the top.
    pub path: RepoPath,
    /// Its content, where git has named it.
    pub id: Option<ObjectId>,
    /// What the index noted of its size; 0 where it noted nothing.
    pub size: u32,
    /// What the commit does to it, where that is known.
    pub status: Option<Status>,
    /// It is one of many: the commit does not change it, or it stands in a folder that was named.
    pub in_passing: bool,
}

impl Candidate {
    /// Its bytes. Fails when it has gone, or is larger than the limit.
    pub fn read(&self, snapshot: &dyn Snapshot) -> Result<Vec<u8>, SnapshotError> {
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
pub struct Selection<'r> {
    /// The Python files to check.
    pub candidates: Vec<Candidate>,
    /// How many files there were beside them that are no Python.
    pub others: usize,
    /// Whether a merge brings files that another parent answers for.
    pub is_left_to_merge: bool,
    /// What they and the project around them are read from.
    pub snapshot: Box<dyn Snapshot + 'r>,
    /// The absolute path of the top.
    pub top: PathBuf,
    /// The commit that the files are compared with, where that is not HEAD.
    pub base: Option<ObjectId>,
    /// What was left out, for `--verbose`.
    pub notes: Vec<String>,
    /// What should have been checked and cannot be.
    pub failures: Vec<String>,
}

impl Selection<'_> {
    /// Why there is nothing to check, in half a sentence; of the candidates so many were excluded.
    #[must_use]
    pub fn why_none(&self, scope: &Scope, excluded: usize) -> String {
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

/// Why no file can be checked.
#[derive(Debug, thiserror::Error)]
pub enum SelectionError {
    /// git's part.
    #[error(transparent)]
    Git(#[from] GitError),
    /// There is nothing staged where there is no repository.
    #[error("`{}` is not in a git repository: go into one, or name the files to check", folder.display())]
    NoRepository {
        /// The current folder.
        folder: PathBuf,
    },
    /// A path on the command line that is not there.
    #[error("`{}` does not exist: check the path", path.display())]
    NoSuchPath {
        /// As it was given.
        path: PathBuf,
    },
    /// A pipe, a device, or a symbolic link that leads nowhere.
    #[error("`{}` is neither a file nor a folder, nor a link to one: check the path", path.display())]
    NoFile {
        /// As it was given.
        path: PathBuf,
    },
    /// A symbolic link to a file of another tree.
    #[error("`{}` is a link that leads out of `{}`: name the file itself", path.display(), top.display())]
    LeadsOut {
        /// The link, as it was given.
        path: PathBuf,
        /// The top of the tree that it stands in.
        top: PathBuf,
    },
    /// A folder of the repository that is a link to somewhere else.
    #[error(
        "`{}` lies behind a link that leads out of `{}`: go to where the file is and name it there",
        path.display(), top.display()
    )]
    BehindLink {
        /// The path, as it was given.
        path: PathBuf,
        /// The top of the tree that the link stands in.
        top: PathBuf,
    },
    /// Paths of different trees in one call.
    #[error("`{}` is not below `{}`: check the two in separate calls", path.display(), top.display())]
    ElsewhereThan {
        /// The path.
        path: PathBuf,
        /// The top of the others.
        top: PathBuf,
    },
    /// A folder cannot be listed.
    #[error("cannot list `{}` ({cause}): check its permissions", folder.display())]
    Unlistable {
        /// The folder.
        folder: PathBuf,
        /// Why.
        cause: String,
    },
}

/// Where a run starts from.
pub struct Start {
    /// The current folder.
    pub folder: PathBuf,
    /// The repository around it, or around the files that are named.
    pub repository: Option<Repository>,
    /// The top that paths are relative to.
    pub top: PathBuf,
}

/// Where somebody reads a report and types the commands that it names.
#[derive(Debug, Default)]
pub struct Reader {
    /// The folder, from the top; `None` where it is not below.
    pub folder: Option<RepoPath>,
    /// The top.
    pub top: PathBuf,
    /// Whether that is the folder in which this program runs, so that paths can be repeated as they were given.
    pub is_here: bool,
    /// How this program is run there.
    pub program: Invocation,
}

impl Reader {
    /// A path as it is typed in that folder.
    #[must_use]
    pub fn typed(&self, path: &RepoPath) -> String {
        match &self.folder {
            Some(folder) => path.seen_from(folder),
            None => path.to_path(&self.top).display().to_string(),
        }
    }
}

impl Start {
    /// Finds the repository for a scope. Files named outside the current repository, or in one within it, belong to the
    /// one around them.
    pub fn find(folder: PathBuf, scope: &Scope, limit: u64) -> Result<Self, SelectionError> {
        let here = Repository::discover(&folder)?;
        let top = here
            .as_ref()
            .map_or_else(|| folder.clone(), |repository| repository.top().to_owned());
        if let (Scope::Paths(paths), true) = (scope, here.is_some()) {
            let leads_out = |path: &&PathBuf| leads_out(&top, &folder.join(path));
            if let Some(path) = paths.iter().find(leads_out) {
                let path = path.clone();
                return Err(SelectionError::BehindLink { path, top });
            }
        }
        let first = match scope {
            Scope::Paths(paths) => paths.first().map(|path| folder.join(path)),
            _ if here.is_none() => return Err(SelectionError::NoRepository { folder }),
            _ => None,
        };
        let elsewhere = first
            .map(|path| folder_of(&path))
            .filter(|around| around.is_dir() && is_elsewhere(around, &top));
        let (repository, top) = match elsewhere {
            Some(around) => {
                let environment = Environment::of_process().for_another_repository();
                let repository = Repository::discover_in(&environment, &around)?;
                let top = repository.as_ref().map_or(around, |one| one.top().to_owned());
                (repository, top)
            }
            None => (here, top),
        };
        Ok(Self {
            folder,
            repository: repository.map(|one| one.with_limit(limit)),
            top,
        })
    }

    /// Who reads the report: somebody in the current folder, for a hook in the one in which git was called.
    #[must_use]
    pub fn reader(&self) -> Reader {
        let here = below(&self.top, &self.folder);
        let called = self.repository.as_ref().and_then(Repository::called_in);
        let folder = called.or_else(|| here.clone());
        Reader {
            is_here: folder == here,
            folder,
            top: self.top.clone(),
            program: Invocation::here(&self.top),
        }
    }

    /// The files of a scope.
    pub fn select(&self, scope: &Scope, limit: u64) -> Result<Selection<'_>, SelectionError> {
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

    /// What the files of a scope are read from, and the commit that they are compared with, where that is not HEAD.
    pub fn snapshot(
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
            selection.notes.push(format!(
                "left alone, as it is the same in another parent of the merge: {path}"
            ));
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
        // A commit that concludes a merge answers for its own changes only, whoever names the files.
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
                selection.notes.push(format!(
                    "left alone, as it is the same in another parent of the merge: {path}"
                ));
            } else if staged.unmerged.contains(&path) {
                selection.failures.push(conflict(&path));
            } else {
                selection.candidates.extend(change.map(Candidate::from));
            }
        }
        Ok(selection)
    }

    /// A path of the command line as seen from the top.
    pub fn path_of(&self, path: &Path) -> Result<RepoPath, SelectionError> {
        below(&self.top, &self.folder.join(path)).ok_or_else(|| self.elsewhere(path))
    }

    fn elsewhere(&self, path: &Path) -> SelectionError {
        SelectionError::ElsewhereThan {
            path: path.to_owned(),
            top: self.top.clone(),
        }
    }

    fn named(&self, paths: &[PathBuf], limit: u64) -> Result<Selection<'_>, SelectionError> {
        let mut found: Vec<RepoPath> = Vec::new();
        let mut named = HashSet::new();
        let mut notes = Vec::new();
        for path in paths {
            let full = self.folder.join(path);
            let inside = below(&self.top, &full).ok_or_else(|| self.elsewhere(path))?;
            if full.is_dir() {
                let walked = walk(&full, &inside, &mut notes)?;
                found.extend(self.tracked_below(&inside, &walked)?);
                found.extend(walked);
            } else if full.is_file() {
                if full.is_symlink() && !self.holds(&full) {
                    return Err(SelectionError::LeadsOut {
                        path: path.clone(),
                        top: self.top.clone(),
                    });
                }
                named.insert(inside.clone());
                found.push(inside);
            } else if full.symlink_metadata().is_ok() {
                return Err(SelectionError::NoFile { path: path.clone() });
            } else {
                return Err(SelectionError::NoSuchPath { path: path.clone() });
            }
        }
        found.sort();
        found.dedup();
        let (python, others): (Vec<RepoPath>, Vec<RepoPath>) = found.into_iter().partition(RepoPath::is_python);
        let candidate = |path| Candidate {
            in_passing: !named.contains(&path),
            path,
            id: None,
            size: 0,
            status: None,
        };
        Ok(Selection {
            candidates: python.into_iter().map(candidate).collect(),
            others: others.len(),
            is_left_to_merge: false,
            snapshot: Box::new(WorkingTree::new(&self.top).with_limit(limit)),
            top: self.top.clone(),
            base: None,
            notes,
            failures: Vec::new(),
        })
    }

    /// The tracked files below a folder that are there: git does not ignore them, whatever `.gitignore` says. Those in `found` are known
    /// to be there.
    fn tracked_below(&self, folder: &RepoPath, found: &[RepoPath]) -> Result<Vec<RepoPath>, SelectionError> {
        let Some(repository) = &self.repository else {
            return Ok(Vec::new());
        };
        let found: HashSet<&RepoPath> = found.iter().collect();
        let is_there = |path: &RepoPath| {
            let full = path.to_path(&self.top);
            full.symlink_metadata().is_ok_and(|found| found.is_file())
        };
        let mut tracked = repository.tracked_paths()?;
        tracked.retain(|path| path.starts_with(folder) && path.is_python() && !found.contains(path) && is_there(path));
        Ok(tracked)
    }

    /// Whether what is written to a path of the repository would land elsewhere, or in git's own folder: it is a link, or behind one.
    #[must_use]
    pub fn leads_out(&self, path: &Path) -> bool {
        let path = &self.folder.join(path);
        let is_git_s = path.starts_with(self.top.join(".git"));
        if self.repository.is_none() || is_git_s || !is_written_below(&self.top, path) {
            return false;
        }
        let real = match (path.is_symlink(), path.parent()) {
            (false, Some(folder)) => folder.canonicalize(),
            _ => path.canonicalize(),
        };
        match (real, self.top.canonicalize()) {
            (Ok(real), Ok(top)) => !real.starts_with(&top) || real.starts_with(top.join(".git")),
            _ => path.is_symlink(),
        }
    }

    /// Whether a path, all links followed, is below the top.
    fn holds(&self, path: &Path) -> bool {
        let real = path.canonicalize().ok();
        real.zip(self.top.canonicalize().ok())
            .is_some_and(|(path, top)| path.starts_with(top))
    }
}

/// The Python files below a folder, which is `inside` as seen from the top, that git would not ignore. Repositories in it are left to
/// themselves.
fn walk(folder: &Path, inside: &RepoPath, notes: &mut Vec<String>) -> Result<Vec<RepoPath>, SelectionError> {
    let nested: Arc<Mutex<Vec<PathBuf>>> = Arc::default();
    let left_out = nested.clone();
    let mut found = Vec::new();
    let mut walk = ignore::WalkBuilder::new(folder);
    // git takes no notice of a leading dot or of `.ignore`, but never looks into another `.git`.
    walk.require_git(false).hidden(false).ignore(false);
    walk.filter_entry(move |entry| {
        let is_folder = entry.file_type().is_some_and(|kind| kind.is_dir());
        let is_nested = is_folder && entry.depth() > 0 && entry.path().join(".git").exists();
        if is_nested && let Ok(mut left_out) = left_out.lock() {
            left_out.push(entry.path().to_owned());
        }
        !is_nested && entry.file_name() != ".git"
    });
    for entry in walk.build() {
        let entry = entry.map_err(|error| SelectionError::Unlistable {
            folder: folder.to_owned(),
            cause: error.to_string(),
        })?;
        let is_file = entry.file_type().is_some_and(|kind| kind.is_file());
        // The walk follows no links, so what lies below the folder lies below its path.
        let below = entry.path().strip_prefix(folder).ok().filter(|_| is_file);
        if let Some(path) = below.and_then(RepoPath::from_path).filter(RepoPath::is_python) {
            found.extend(inside.join(path.as_bytes()));
        }
    }
    if let Ok(nested) = nested.lock() {
        let note = |path: &PathBuf| format!("left to itself, as it is a repository of its own: {}", path.display());
        notes.extend(nested.iter().map(note));
    }
    Ok(found)
}

fn conflict(path: &RepoPath) -> String {
    format!("`{path}` is in conflict: resolve it and stage it with `git add`")
}

/// The folder that a path stands in, or is.
fn folder_of(path: &Path) -> PathBuf {
    let folder = if path.is_dir() { Some(path) } else { path.parent() };
    let folder = folder.unwrap_or(path);
    folder.canonicalize().unwrap_or_else(|_| folder.to_owned())
}

/// Whether a path is written as one below the top and its folder, or the folder that it is, is elsewhere: what is read and written there
/// would not be the repository's.
fn leads_out(top: &Path, path: &Path) -> bool {
    let real = |path: &Path| path.canonicalize();
    let (Ok(top_itself), Ok(folder)) = (real(top), real(&folder_of(path))) else {
        return false;
    };
    is_written_below(top, path) && !folder.starts_with(top_itself)
}

/// Whether a path is below the top as it reads, whatever links there are.
fn is_written_below(top: &Path, path: &Path) -> bool {
    path.strip_prefix(top).ok().and_then(RepoPath::from_path).is_some()
}

/// Whether a folder is not below the top, or belongs to a repository within it.
fn is_elsewhere(folder: &Path, top: &Path) -> bool {
    let top = top.canonicalize().unwrap_or_else(|_| top.to_owned());
    let mut between = folder.ancestors().take_while(|ancestor| *ancestor != top);
    !folder.starts_with(&top) || between.any(|ancestor| ancestor.join(".git").exists())
}

/// A path as seen from the top, whichever of the two goes through a symbolic link.
fn below(top: &Path, path: &Path) -> Option<RepoPath> {
    let lexical = path.strip_prefix(top).ok().and_then(RepoPath::from_path);
    lexical.or_else(|| {
        // The last part may be a link that git holds as such, unless it is a folder.
        let real = match path.file_name() {
            Some(name) if !path.is_dir() => path.parent()?.canonicalize().ok()?.join(name),
            _ => path.canonicalize().ok()?,
        };
        let top = top.canonicalize().ok()?;
        RepoPath::from_path(real.strip_prefix(top).ok()?)
    })
}
