//! What the files of a run are checked with, and by how many threads.
//!
//! Neither libgit2's objects nor what is known of a project can be shared, so each thread opens the repository for itself. That costs
//! a few milliseconds, and a commit is usually done by then: only a long list is shared out.

use std::cell::OnceCell;
use std::fs;
use std::io::{self, IsTerminal};
use std::num::NonZero;
use std::path::Path;
use std::thread;

use anyhow::{Result, anyhow};

use crate::check::{Checker, Looked, Outcome, Past, Queue, Stopped};
use crate::config::Configs;
use crate::git::{Entry, GitError, ObjectId, Snapshot, Status};
use crate::progress::Progress;
use crate::project::Project;
use crate::selection::{Candidate, Start};
use crate::settings::Settings;
use crate::source::RepoPath;

/// Fewer files than this for each thread are not worth another one.
const ENOUGH: usize = 256;

/// What the first thread has on Linux and macOS: a file is read alike by all of them.
const STACK: usize = 8 * 1024 * 1024;

/// More threads than this wait for each other's disk.
const MOST: usize = 16;

/// The configurations that the settings ask for. Fails where `--config` names no file that can be read.
pub(crate) fn configs<'s>(settings: &Settings, snapshot: &'s dyn Snapshot) -> Result<Configs<'s>> {
    let Some(path) = &settings.config else {
        return Ok(Configs::nearest(snapshot, settings.command_line.clone()));
    };
    let text = fs::read_to_string(path).map_err(|cause| {
        let path = path.display();
        anyhow!("cannot read the configuration `{path}` ({cause}): check the path given with --config")
    })?;
    let command_line = settings.command_line.clone();
    Ok(Configs::fixed(snapshot, command_line, &path.to_string_lossy(), &text)?)
}

/// Checks all files, with as many threads as the list is long enough for; `checker` is this thread's own.
pub(crate) fn check(
    candidates: &[Candidate],
    checker: &Checker<'_>,
    settings: &Settings,
    folder: &Path,
) -> Result<Outcome> {
    let progress = Progress::new(candidates.len(), io::stderr().is_terminal() && !settings.quiet);
    let done = || progress.step();
    let queue = Queue::new(candidates, &done);
    let results = thread::scope(|scope| {
        let start = || {
            let thread = thread::Builder::new().stack_size(STACK);
            thread.spawn_scoped(scope, || help(&queue, settings, folder))
        };
        // Where the system allows no more threads, fewer do the same.
        let others = 1..threads(candidates.len(), settings);
        let helpers: Vec<_> = others.filter_map(|_| start().ok()).collect();
        let mut results = vec![Ok(checker.work(&queue))];
        for helper in helpers {
            let ended = helper
                .join()
                .map_err(|_| anyhow!("a thread of the check ended too early"));
            results.push(ended.flatten());
        }
        results
    });
    progress.finish();
    let (mut looked, mut stopped) = (Vec::new(), Vec::new());
    for result in results {
        match result? {
            Ok(more) => looked.extend(more),
            Err(one) => stopped.push(one),
        }
    }
    match Stopped::first(stopped) {
        Some(error) => Err(error.into()),
        None => Ok(Outcome::of(looked)),
    }
}

fn threads(files: usize, settings: &Settings) -> usize {
    // What `--verbose` tells of the project is what one thread came to know.
    if settings.verbose {
        return 1;
    }
    let most = (files / ENOUGH).min(MOST);
    // Asking the system how many there are takes longer than an ordinary commit.
    if most > 1 {
        most.min(thread::available_parallelism().map_or(1, NonZero::get))
    } else {
        1
    }
}

/// Another thread's part.
fn help(queue: &Queue<'_>, settings: &Settings, folder: &Path) -> Result<Result<Vec<Looked>, Stopped>> {
    let start = Start::find(folder.to_owned(), &settings.scope, settings.max_file_size)?;
    let (snapshot, base) = start.snapshot(&settings.scope, settings.max_file_size)?;
    let snapshot = &*snapshot;
    let configs = configs(settings, snapshot)?;
    let committed = Committed::new(&start, base.as_ref());
    let before = Project::new(&committed, start.top.to_string_lossy());
    let checker = Checker {
        snapshot,
        project: &Project::new(snapshot, start.top.to_string_lossy()).since(&before),
        configs: &configs,
        past: &History::new(&start, snapshot, base.as_ref()),
    };
    Ok(checker.work(queue))
}

/// The files that the change builds on: those of the commit that is compared with, or else of HEAD. Nothing is opened before one is asked for.
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

    /// Nothing where there is no repository, or no commit in it.
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
    fn read(&self, path: &RepoPath) -> Result<Option<Vec<u8>>, GitError> {
        self.tree().map_or(Ok(None), |tree| tree.read(path))
    }

    fn read_id(&self, path: &RepoPath, id: &ObjectId, size: u32) -> Result<Vec<u8>, GitError> {
        let vanished = || GitError::Vanished { path: path.clone() };
        self.tree().ok_or_else(vanished)?.read_id(path, id, size)
    }

    fn list(&self, folder: &RepoPath) -> Result<Vec<Entry>, GitError> {
        self.tree().map_or(Ok(Vec::new()), |tree| tree.list(folder))
    }

    fn describe(&self) -> &'static str {
        "tree"
    }
}

/// What the repository holds of the files before the change.
pub(crate) struct History<'h> {
    start: &'h Start,
    snapshot: &'h dyn Snapshot,
    /// The commit that is compared with, where that is not HEAD.
    base: Option<&'h ObjectId>,
}

impl<'h> History<'h> {
    /// What comes before the files of `snapshot`: what `base` holds, or else HEAD.
    pub(crate) fn new(start: &'h Start, snapshot: &'h dyn Snapshot, base: Option<&'h ObjectId>) -> Self {
        Self { start, snapshot, base }
    }
}

impl Past for History<'_> {
    fn holds(&self, candidate: &Candidate) -> Result<bool, GitError> {
        match (&candidate.status, &self.start.repository) {
            (Some(Status::Added | Status::Copied { .. } | Status::Untracked), _) | (None, None) => Ok(false),
            (Some(_), _) => Ok(true),
            (None, Some(repository)) => repository.head_holds(&candidate.path).map(|id| id.is_some()),
        }
    }

    fn text(&self, candidate: &Candidate) -> Result<Option<String>, GitError> {
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
