//! What the files of a run are checked with, and by how many threads.
//!
//! Neither libgit2's objects nor what is known of a project can be shared, so each thread opens the repository for itself. That costs
//! a few milliseconds, and a commit is usually done by then: only a long list is shared out.

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
    let all: Result<Vec<Checked>> = thread::scope(|scope| {
        let start = || {
            let thread = thread::Builder::new().stack_size(STACK);
            thread.spawn_scoped(scope, || help(&queue, settings, folder))
        };
        // Where the system allows no more threads, fewer do the same.
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
