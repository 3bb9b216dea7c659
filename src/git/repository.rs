//! The questions a check has, and who is asked: libgit2 first, git where that is not enough.

use std::cell::OnceCell;
use std::collections::HashMap;
use std::fmt;
use std::path::{Path, PathBuf};

use super::command::Caller;
use super::delta::{self, Candidates, Delta, Found, Matches, Pair};
use super::environment::Environment;
use super::libgit2::{Library, Trouble};
use super::listing::{Listing, Row};
use super::merge::OtherParents;
use super::opening::{self, Opened};
use super::place::Place;
use super::program::Program;
use super::stored::Stored;
use super::{Backend, Change, Comparison, GitError, Staged, Status};
use crate::python::relevance;
use crate::snapshot::{DEFAULT_LIMIT, ObjectId, Snapshot};
use crate::source::RepoPath;

/// A git repository, read only.
pub struct Repository {
    environment: Environment,
    from: PathBuf,
    place: Place,
    limit: u64,
    library: Option<Box<Library>>,
    program: OnceCell<Program>,
    staged: OnceCell<Compared>,
}

impl fmt::Debug for Repository {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "Repository({}, {})",
            self.place.top.display(),
            self.backend()
        )
    }
}

/// HEAD and index compared, kept because several questions start from it.
struct Compared {
    found: Vec<Found>,
    unmerged: Vec<RepoPath>,
}

impl Repository {
    /// The repository that git would use in the folder `from`, by this process's environment; `None` outside any.
    ///
    /// `GIT_DIR`, `GIT_WORK_TREE`, `GIT_INDEX_FILE`, `GIT_COMMON_DIR`, the object folders and the limits of the search
    /// count as in git(1). Fails with [`GitError::Ownership`] where git refuses, and [`GitError::GitMissing`] where
    /// only git could answer and is not installed.
    pub fn discover(from: &Path) -> Result<Option<Self>, GitError> {
        Self::discover_in(&Environment::of_process(), from)
    }

    /// The same with a given environment.
    pub fn discover_in(environment: &Environment, from: &Path) -> Result<Option<Self>, GitError> {
        let from = std::path::absolute(from).map_err(|cause| GitError::Io {
            path: from.to_owned(),
            cause,
        })?;
        let opened = environment
            .needs_git()
            .map_or_else(|| opening::open(environment, &from), Opened::Refused);
        let (reason, is_nowhere) = match opened {
            Opened::Ready(library) => {
                let place = library.place().clone();
                return Ok(Some(Self::new(
                    environment,
                    from,
                    place,
                    Some(library),
                    OnceCell::new(),
                )));
            }
            Opened::Nowhere => ("libgit2 finds no repository".to_owned(), true),
            Opened::Refused(reason) => (reason, false),
        };
        let caller = Caller::new(environment, &from, reason);
        let place = match caller.discover() {
            // Without git nothing can be staged either.
            Err(GitError::GitMissing { .. }) if is_nowhere => None,
            place => place?,
        };
        Ok(place.map(|place| {
            let program = OnceCell::from(Program::new(caller, place.clone()));
            Self::new(environment, from, place, None, program)
        }))
    }

    fn new(
        environment: &Environment,
        from: PathBuf,
        place: Place,
        library: Option<Box<Library>>,
        program: OnceCell<Program>,
    ) -> Self {
        let environment = environment.clone();
        Self {
            environment,
            from,
            place,
            limit: DEFAULT_LIMIT,
            library,
            program,
            staged: OnceCell::new(),
        }
    }

    /// The same repository, of which files are read up to `limit` bytes each.
    #[must_use]
    pub fn with_limit(self, limit: u64) -> Self {
        Self { limit, ..self }
    }

    /// The top of the working tree, absolute; of a bare repository, its folder.
    #[must_use]
    pub fn top(&self) -> &Path {
        &self.place.top
    }

    /// The repository's own folder, of which no command of git takes notice as a working file.
    #[must_use]
    pub fn git_dir(&self) -> &Path {
        &self.place.git_dir
    }

    /// Whether it has no working tree, so that nothing can be committed in it.
    #[must_use]
    pub fn is_bare(&self) -> bool {
        self.place.is_bare
    }

    /// Whether the index is one that git makes for a single commit and throws away (`git commit -a`, `git commit PATH`; `prepare_index` in
    /// git's source).
    #[must_use]
    pub fn has_temporary_index(&self) -> bool {
        self.place
            .index
            .extension()
            .is_some_and(|extension| extension == "lock")
    }

    /// The folder, from the top, in which the git was called whose hook this is. git runs a hook at the top and names the folder in
    /// `GIT_PREFIX`, the index in `GIT_INDEX_FILE` (measured, 2.47; an alias is given the first only).
    #[must_use]
    pub fn called_in(&self) -> Option<RepoPath> {
        self.environment.get("GIT_INDEX_FILE")?;
        RepoPath::from_path(Path::new(self.environment.get("GIT_PREFIX")?))
    }

    /// The folder that it was looked for from.
    pub(super) fn from(&self) -> &Path {
        &self.from
    }

    /// The index that the next commit is made from.
    pub(super) fn index_path(&self) -> &Path {
        &self.place.index
    }

    pub(super) fn environment(&self) -> &Environment {
        &self.environment
    }

    /// Who answers. It can change with the first question that libgit2 cannot answer.
    #[must_use]
    pub fn backend(&self) -> Backend {
        match (self.program.get(), &self.library) {
            (None, Some(library)) => library.backend(),
            (program, _) => Backend::Git {
                reason: program.map_or("libgit2 cannot open it", Program::reason).to_owned(),
            },
        }
    }

    /// What the next commit changes: HEAD, or nothing before the first commit, to the index, as `git diff --cached` has
    /// it.
    ///
    /// An index that is not there is an empty one, as for git, with one exception: [`GitError::MissingIndex`].
    pub fn staged(&self) -> Result<Staged, GitError> {
        let compared = self.compared()?;
        let left = self.same_in_other_parents(&compared.found)?;
        let mut staged = Staged {
            unmerged: compared.unmerged.clone(),
            ..Staged::default()
        };
        for (found, is_left) in compared.found.iter().zip(left) {
            if is_left {
                staged.left_to_other_parents.push(found.change.path.clone());
            } else {
                staged.changes.push(found.change.clone());
            }
        }
        Ok(staged)
    }

    /// Every regular file of the index that is in no conflict, sorted by path, with its status against HEAD.
    pub fn tracked(&self) -> Result<Vec<Change>, GitError> {
        let known = self.changes_by_path()?;
        let rows = self.ask(Library::index_files, |program| Ok(files(program.index_listing()?)))?;
        Ok(rows.into_iter().map(|row| change(row, &known)).collect())
    }

    /// The paths of all tracked files.
    pub fn tracked_paths(&self) -> Result<Vec<RepoPath>, GitError> {
        let rows = self.ask(Library::index_files, |program| Ok(files(program.index_listing()?)))?;
        Ok(rows.into_iter().map(|row| row.path).collect())
    }

    /// The index entries of `paths` with their status against HEAD, in the order given; `None` for what the index does
    /// not hold as a regular file, and for a file in conflict.
    pub fn status_of(&self, paths: &[RepoPath]) -> Result<Vec<(RepoPath, Option<Change>)>, GitError> {
        let known = self.changes_by_path()?;
        let status = |path: &RepoPath| Ok((path.clone(), self.index_file(path)?.map(|row| change(row, &known))));
        paths.iter().map(status).collect()
    }

    /// The files of the index.
    pub fn index(&self) -> Result<Box<dyn Snapshot + '_>, GitError> {
        self.check_index()?;
        // Asked for now, so that a broken index is reported once and not at some file.
        self.ask(
            |library| library.index_file(&RepoPath::top()).map(drop),
            |program| program.index_listing().map(drop),
        )?;
        Ok(Box::new(Stored::index(self)))
    }

    /// What changed from the merge base of two revisions to the second one, and that one's files.
    ///
    /// Fails with [`GitError::UnknownRevision`], [`GitError::NoMergeBase`] and [`GitError::ShallowHistory`].
    pub fn between(&self, from: &str, to: &str) -> Result<Comparison<'_>, GitError> {
        let between = self.ask(|library| library.between(from, to), |program| program.between(from, to))?;
        let matches = self.matches(&between.deltas, Some((&between.old, &between.new)))?;
        let changes = delta::found(&between.deltas, &matches)
            .into_iter()
            .map(|found| found.change)
            .collect();
        Ok(Comparison {
            changes,
            snapshot: Box::new(Stored::tree(self, between.new)),
            base: between.base,
        })
    }

    /// The content that HEAD holds at `path`; `None` if HEAD holds no regular file there, or there is no HEAD yet.
    pub fn head_holds(&self, path: &RepoPath) -> Result<Option<ObjectId>, GitError> {
        let row = self.ask(
            |library| {
                Ok(library
                    .head()?
                    .map(|tree| library.tree_file(&tree, path))
                    .transpose()?
                    .flatten())
            },
            |program| Ok(program.head_listing()?.file(path).cloned()),
        )?;
        Ok(row.map(|row| row.id))
    }

    /// libgit2 first; git for what it refuses, and from then on for everything, so that all answers are of one kind.
    pub(super) fn ask<T>(
        &self,
        library: impl FnOnce(&Library) -> Result<T, Trouble>,
        program: impl FnOnce(&Program) -> Result<T, GitError>,
    ) -> Result<T, GitError> {
        if let (Some(asked), None) = (&self.library, self.program.get()) {
            match library(asked) {
                Ok(answer) => return Ok(answer),
                Err(Trouble::Final(error)) => return Err(error),
                Err(Trouble::Refused(reason)) => {
                    let caller = Caller::new(&self.environment, &self.from, reason);
                    return program(self.program.get_or_init(|| Program::new(caller, self.place.clone())));
                }
            }
        }
        let caller = || Caller::new(&self.environment, &self.from, "libgit2 cannot open it".to_owned());
        program(self.program.get_or_init(|| Program::new(caller(), self.place.clone())))
    }

    fn compared(&self) -> Result<&Compared, GitError> {
        if let Some(compared) = self.staged.get() {
            return Ok(compared);
        }
        self.check_index()?;
        let deltas = self.ask(Library::staged, |program| Ok(program.staged()?.into()))?;
        let matches = self.matches(&deltas, None)?;
        let compared = Compared {
            found: delta::found(&deltas, &matches),
            unmerged: delta::unmerged(&deltas),
        };
        Ok(self.staged.get_or_init(|| compared))
    }

    /// An index that is named and absent must not pass for an empty one, and a bare repository without one has nothing
    /// to check.
    fn check_index(&self) -> Result<(), GitError> {
        let index = &self.place.index;
        if index.symlink_metadata().is_ok() {
            return Ok(());
        }
        if self.environment.get("GIT_INDEX_FILE").is_none() {
            let path = self.place.top.clone();
            return if self.place.is_bare {
                Err(GitError::BareRepository { path })
            } else {
                Ok(())
            };
        }
        if self.ask(Library::head_is_empty, Program::head_is_empty)? {
            return Ok(());
        }
        Err(GitError::MissingIndex { index: index.clone() })
    }

    /// Renames and copies. Similar content is looked for only where a Python file went and another came.
    fn matches(&self, deltas: &[Delta], trees: Option<(&ObjectId, &ObjectId)>) -> Result<Matches, GitError> {
        let mut matches = Matches::exact(deltas);
        if let Some(candidates) = Candidates::new(deltas, &matches) {
            let pairs: Vec<Pair> = self.ask(
                |library| library.similar(&candidates, self.limit, |text| relevance(text).any()),
                |program| program.similar(trees),
            )?;
            matches.add_renames(pairs);
        }
        Ok(matches)
    }

    /// Which of `found` another parent of the coming merge commit holds with the same content and mode.
    fn same_in_other_parents(&self, found: &[Found]) -> Result<Vec<bool>, GitError> {
        let parents = || OtherParents::find(&self.place.git_dir, &self.environment);
        self.ask(
            |library| {
                let trees = library.parents(parents()?)?;
                let is_same = |tree: &ObjectId, found: &Found| -> Result<bool, Trouble> {
                    let row = library.tree_file(tree, &found.change.path)?;
                    Ok(row.is_some_and(|row| row.id == found.change.id && row.mode == found.mode))
                };
                let is_left = |found: &Found| -> Result<bool, Trouble> {
                    for tree in &trees {
                        if is_same(tree, found)? {
                            return Ok(true);
                        }
                    }
                    Ok(false)
                };
                found.iter().map(is_left).collect::<Result<_, Trouble>>()
            },
            |program| {
                let commits = program.parents(parents()?)?;
                let differences: Vec<_> = commits
                    .iter()
                    .map(|id| program.differs_from(id))
                    .collect::<Result<_, _>>()?;
                let is_left = |found: &Found| differences.iter().any(|paths| !paths.contains(&found.change.path));
                Ok(found.iter().map(is_left).collect())
            },
        )
    }

    fn changes_by_path(&self) -> Result<HashMap<&RepoPath, &Status>, GitError> {
        let found = &self.compared()?.found;
        Ok(found
            .iter()
            .map(|found| (&found.change.path, &found.change.status))
            .collect())
    }

    pub(super) fn index_file(&self, path: &RepoPath) -> Result<Option<Row>, GitError> {
        self.ask(
            |library| library.index_file(path),
            |program| Ok(program.index_listing()?.file(path).cloned()),
        )
    }

    pub(super) fn blob(&self, path: &RepoPath, id: &ObjectId, size: u32) -> Result<Vec<u8>, GitError> {
        self.ask(
            |library| library.blob(path, id, size, self.limit),
            |program| program.blob(path, id, self.limit),
        )
    }
}

fn files(listing: &Listing) -> Vec<Row> {
    listing.rows().iter().filter(|row| row.is_file()).cloned().collect()
}

fn change(row: Row, known: &HashMap<&RepoPath, &Status>) -> Change {
    let status = known
        .get(&row.path)
        .map_or(Status::Unmodified, |&status| status.clone());
    Change {
        path: row.path,
        status,
        id: row.id,
        size: row.size,
    }
}
