//! Divides long lists of files among threads.
//!
//! libgit2's objects and the project's caches cannot be shared, so each thread opens the repository for itself. That takes a few
//! milliseconds, in which a usual commit is checked already.

use std::io::{self, IsTerminal};
use std::num::NonZero;
use std::path::Path;
use std::{fs, thread};

use anyhow::{Result, anyhow};

use super::Outcome;
use super::files::{Checked, Checker, Queue};
use super::past::{Committed, Past};
use super::progress::Progress;
use crate::config::Configs;
use crate::project::Project;
use crate::selection::{Candidate, Start};
use crate::settings::Settings;
use crate::snapshot::Snapshot;

/// The fewest files that are worth a thread.
const ENOUGH: usize = 256;

/// The main thread's stack on Linux and macOS, so that every thread reads a file alike.
const STACK: usize = 8 * 1024 * 1024;

/// The most threads; more only wait for the disk.
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

/// Checks all files, on more threads if the list is long; `checker` is this thread's own.
pub(crate) fn check(
    candidates: &[Candidate],
    checker: &Checker<'_>,
    settings: &Settings,
    folder: &Path,
) -> Result<Outcome> {
    let progress = Progress::new(candidates.len(), io::stderr().is_terminal() && !settings.quiet);
    let done = || progress.step();
    let queue = Queue::new(candidates, &done);
    let all: Result<Vec<Checked>> = thread::scope(|scope| {
        let start = || {
            let thread = thread::Builder::new().stack_size(STACK);
            thread.spawn_scoped(scope, || help(&queue, settings, folder))
        };
        // If the system refuses a thread, the others do its part.
        let others = 1..threads(candidates.len(), settings);
        let helpers: Vec<_> = others.filter_map(|_| start().ok()).collect();
        let mut files = checker.work(&queue);
        for helper in helpers {
            let ended = helper.join();
            files.extend(ended.map_err(|_| anyhow!("a thread of the check ended too early"))??);
        }
        Ok(files)
    });
    progress.finish();
    Ok(Outcome::of(all?)?)
}

fn threads(files: usize, settings: &Settings) -> usize {
    // `--verbose` prints what one thread knows of the project.
    if settings.verbose {
        return 1;
    }
    let most = (files / ENOUGH).min(MOST);
    // Only asked for long lists: the question itself takes time.
    if most > 1 {
        most.min(thread::available_parallelism().map_or(1, NonZero::get))
    } else {
        1
    }
}

/// The part of another thread, with a repository of its own.
fn help(queue: &Queue<'_>, settings: &Settings, folder: &Path) -> Result<Vec<Checked>> {
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
        past: &Past::new(&start, snapshot, base.as_ref()),
    };
    Ok(checker.work(queue))
}
