//! A repository, read by libgit2, or by the git program where libgit2 cannot.

use std::cell::OnceCell;
use std::collections::HashMap;
use std::fmt;
use std::path::{Path, PathBuf};

use super::cached_tree;
use super::command::Caller;
use super::delta::{self, Candidates, Delta, Matches, Pair};
use super::environment::Environment;
use super::layout::Layout;
use super::libgit2::{Between, Library, LibraryError};
use super::listing::Row;
use super::merge::OtherParents;
use super::opening::{self, Opened};
use super::program::Program;
use super::snapshot::GitSnapshot;
use super::{Backend, Change, Comparison, GitError, Staged, Status};
use crate::once::once;
use crate::snapshot::{DEFAULT_LIMIT, ObjectId, Snapshot};
use crate::source::RepoPath;

/// A git repository, read only.
pub struct Repository {
    environment: Environment,
    from: PathBuf,
    layout: Layout,
    limit: u64,
    may_matter: fn(&[u8]) -> bool,
    library: Option<Box<Library>>,
    program: OnceCell<Program>,
    compared: OnceCell<Compared>,
}

impl fmt::Debug for Repository {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Repository({}, {})", self.layout.top.display(), self.backend())
    }
}

/// HEAD and index compared.
struct Compared {
    files: Vec<Change>,
    unmerged: Vec<RepoPath>,
}

impl Repository {
    /// The repository that git would use in the folder `from` with the environment of this process; `None` outside any.
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
                let layout = library.layout().clone();
                let program = OnceCell::new();
                return Ok(Some(Self::new(environment, from, layout, Some(library), program)));
            }
            Opened::Nowhere => ("libgit2 finds no repository".to_owned(), true),
            Opened::Refused(reason) => (reason, false),
        };
        let caller = Caller::new(environment, &from, reason);
        let layout = match caller.discover() {
            // Without git nothing can be staged either.
            Err(GitError::GitMissing { .. }) if is_nowhere => None,
            layout => layout?,
        };
        Ok(layout.map(|layout| {
            let program = OnceCell::from(Program::new(caller, layout.clone()));
            Self::new(environment, from, layout, None, program)
        }))
    }

    fn new(
        environment: &Environment,
        from: PathBuf,
        layout: Layout,
        library: Option<Box<Library>>,
        program: OnceCell<Program>,
    ) -> Self {
        Self {
            environment: environment.clone(),
            from,
            layout,
            limit: DEFAULT_LIMIT,
            may_matter: |_| true,
            library,
            program,
            compared: OnceCell::new(),
        }
    }

    /// The same repository, of which files are read up to `limit` bytes each.
    #[must_use]
    pub fn with_limit(self, limit: u64) -> Self {
        Self { limit, ..self }
    }

    /// The same repository, in which only files with a content that `may_matter` are compared for renames where there are many.
    #[must_use]
    pub fn with_relevance(self, may_matter: fn(&[u8]) -> bool) -> Self {
        Self { may_matter, ..self }
    }

    /// The top of the working tree, absolute; of a bare repository, its folder.
    #[must_use]
    pub fn top(&self) -> &Path {
        &self.layout.top
    }

    /// The repository's own folder, in which git sees no working files.
    #[must_use]
    pub fn git_dir(&self) -> &Path {
        &self.layout.git_dir
    }

    /// Whether it has no working tree.
    #[must_use]
    pub fn is_bare(&self) -> bool {
        self.layout.is_bare
    }

    /// Whether the index is one that git makes for a single commit and throws away (`git commit -a`, `git commit PATH`; `prepare_index` in
    /// git's source).
    #[must_use]
    pub fn has_temporary_index(&self) -> bool {
        self.layout
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

    /// git in the folder where this run was started: variables of git can be relative to it.
    pub(super) fn caller(&self, reason: impl Into<String>) -> Caller {
        Caller::new(&self.environment, &self.from, reason)
    }

    /// The index that the next commit is made from.
    pub(super) fn index_path(&self) -> &Path {
        &self.layout.index
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
        let are_left = self.same_in_other_parents(&compared.files)?;
        let mut staged = Staged {
            unmerged: compared.unmerged.clone(),
            ..Staged::default()
        };
        for (file, is_left) in compared.files.iter().zip(are_left) {
            if is_left {
                staged.left_to_other_parents.push(file.path.clone());
            } else {
                staged.changes.push(file.clone());
            }
        }
        Ok(staged)
    }

    /// Every regular file of the index that is not in conflict, sorted by path, with its status against HEAD.
    pub fn tracked(&self) -> Result<Vec<Change>, GitError> {
        let statuses = self.statuses()?;
        let rows = self.index_files()?;
        Ok(rows.into_iter().map(|row| change(row, &statuses)).collect())
    }

    /// The paths of all tracked files.
    pub fn tracked_paths(&self) -> Result<Vec<RepoPath>, GitError> {
        Ok(self.index_files()?.into_iter().map(|row| row.path).collect())
    }

    fn index_files(&self) -> Result<Vec<Row>, GitError> {
        self.ask(Library::index_files, |program| {
            let rows = program.index_listing()?.rows().iter();
            Ok(rows.filter(|row| row.is_file()).cloned().collect())
        })
    }

    /// The index entries of `paths` with their status against HEAD, in the order given; `None` for a file in conflict, and for what is no
    /// regular file of the index.
    pub fn status_of(&self, paths: &[RepoPath]) -> Result<Vec<(RepoPath, Option<Change>)>, GitError> {
        let statuses = self.statuses()?;
        let status = |path: &RepoPath| Ok((path.clone(), self.index_file(path)?.map(|row| change(row, &statuses))));
        paths.iter().map(status).collect()
    }

    /// The files of the index.
    pub fn index(&self) -> Result<Box<dyn Snapshot + '_>, GitError> {
        self.check_index()?;
        // Asked now, so that a broken index is reported once and not for some file.
        self.ask(
            |library| library.index_file(&RepoPath::top()).map(drop),
            |program| program.index_listing().map(drop),
        )?;
        Ok(Box::new(GitSnapshot {
            repository: self,
            tree: None,
        }))
    }

    /// HEAD's tree; `None` before the first commit.
    pub fn head(&self) -> Result<Option<ObjectId>, GitError> {
        self.ask(|library| Ok(library.head()?.map(ObjectId::of)), |program| Ok(program.head()?.cloned()))
    }

    /// The files of a tree.
    #[must_use]
    pub fn tree(&self, id: ObjectId) -> Box<dyn Snapshot + '_> {
        Box::new(GitSnapshot {
            repository: self,
            tree: Some(id),
        })
    }

    /// What changed from the merge base of two revisions to the second one.
    ///
    /// Fails with [`GitError::UnknownRevision`], [`GitError::NoMergeBase`] and [`GitError::ShallowHistory`].
    pub fn between(&self, from: &str, to: &str) -> Result<Comparison, GitError> {
        let Between { base, old, new, deltas } =
            self.ask(|library| library.between(from, to), |program| program.between(from, to))?;
        let matches = self.matches(&deltas, Some((&old, &new)))?;
        Ok(Comparison {
            changes: delta::changed_files(&deltas, &matches),
            base,
            old,
            new,
        })
    }

    /// The content that HEAD holds at `path`; `None` if HEAD holds no regular file there, or there is no HEAD yet.
    pub fn head_holds(&self, path: &RepoPath) -> Result<Option<ObjectId>, GitError> {
        let row =
            self.ask(|library| library.head_file(path), |program| Ok(program.head_listing()?.file(path).cloned()))?;
        Ok(row.map(|row| row.id))
    }

    /// Asks libgit2, or git for what it refuses; from then on git alone, so that all answers are of one kind.
    pub(super) fn ask<T>(
        &self,
        library: impl FnOnce(&Library) -> Result<T, LibraryError>,
        program: impl FnOnce(&Program) -> Result<T, GitError>,
    ) -> Result<T, GitError> {
        let reason = match (&self.library, self.program.get()) {
            (Some(asked), None) => match library(asked) {
                Ok(answer) => return Ok(answer),
                Err(LibraryError::Final(error)) => return Err(error),
                Err(LibraryError::Refused(reason)) => reason,
            },
            _ => "libgit2 cannot open it".to_owned(),
        };
        let start = || Program::new(self.caller(reason), self.layout.clone());
        program(self.program.get_or_init(start))
    }

    fn compared(&self) -> Result<&Compared, GitError> {
        once(&self.compared, || {
            self.check_index()?;
            let deltas = self.ask(Library::staged, |program| Ok(program.staged()?.into()))?;
            let matches = self.matches(&deltas, None)?;
            Ok(Compared {
                files: delta::changed_files(&deltas, &matches),
                unmerged: delta::unmerged(&deltas),
            })
        })
    }

    /// Nobody is asked about an index that cannot be one. One that a variable names and that is not there must not pass for an empty one;
    /// a bare repository without one has nothing to check.
    fn check_index(&self) -> Result<(), GitError> {
        let index = &self.layout.index;
        if let Some(count) = cached_tree::impossible_count(index) {
            return Err(GitError::CorruptIndex {
                index: index.clone(),
                cause: format!("it counts {count} entries, more than fit into it"),
            });
        }
        if index.symlink_metadata().is_ok() {
            return Ok(());
        }
        if self.environment.get("GIT_INDEX_FILE").is_none() {
            let path = self.layout.top.clone();
            return if self.layout.is_bare {
                Err(GitError::BareRepository { path })
            } else {
                Ok(())
            };
        }
        if self.ask(Library::head_is_empty, |program| Ok(program.head_listing()?.rows().is_empty()))? {
            return Ok(());
        }
        Err(GitError::MissingIndex { index: index.clone() })
    }

    /// Renames and copies. Similar content is searched for only where one Python file was deleted and another added.
    fn matches(&self, deltas: &[Delta], trees: Option<(&ObjectId, &ObjectId)>) -> Result<Matches, GitError> {
        let mut matches = Matches::exact(deltas);
        if let Some(candidates) = Candidates::new(deltas, &matches) {
            let pairs: Vec<Pair> = self.ask(
                |library| library.similar(&candidates, self.limit, self.may_matter),
                |program| program.similar(trees),
            )?;
            matches.add_renames(pairs);
        }
        Ok(matches)
    }

    /// For each file, whether another parent of the coming merge commit has it with the same content and mode.
    fn same_in_other_parents(&self, files: &[Change]) -> Result<Vec<bool>, GitError> {
        let parents = || OtherParents::find(&self.layout.git_dir, &self.environment);
        self.ask(
            |library| {
                let trees = library.parents(parents()?)?;
                let mut are_same = vec![false; files.len()];
                for (file, is_same) in files.iter().zip(&mut are_same) {
                    for &tree in &trees {
                        let row = library.tree_file(tree, &file.path)?;
                        if row.is_some_and(|row| row.id == file.id && row.mode == file.mode) {
                            *is_same = true;
                            break;
                        }
                    }
                }
                Ok(are_same)
            },
            |program| {
                let commits = program.parents(parents()?)?;
                let differences: Vec<_> = commits
                    .iter()
                    .map(|id| program.differs_from(id))
                    .collect::<Result<_, _>>()?;
                let is_same = |file: &Change| differences.iter().any(|paths| !paths.contains(&file.path));
                Ok(files.iter().map(is_same).collect())
            },
        )
    }

    fn statuses(&self) -> Result<HashMap<&RepoPath, &Status>, GitError> {
        let files = self.compared()?.files.iter();
        Ok(files.map(|file| (&file.path, &file.status)).collect())
    }

    pub(super) fn index_file(&self, path: &RepoPath) -> Result<Option<Row>, GitError> {
        self.ask(|library| library.index_file(path), |program| Ok(program.index_listing()?.file(path).cloned()))
    }

    pub(super) fn blob(&self, path: &RepoPath, id: &ObjectId, size: u32) -> Result<Vec<u8>, GitError> {
        self.ask(|library| library.blob(path, id, size, self.limit), |program| program.blob(path, id, self.limit))
    }
}

fn change(row: Row, statuses: &HashMap<&RepoPath, &Status>) -> Change {
    let status = statuses.get(&row.path).copied();
    Change {
        status: status.cloned().unwrap_or(Status::Unmodified),
        path: row.path,
        mode: row.mode,
        id: row.id,
        size: row.size,
    }
}
