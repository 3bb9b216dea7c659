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
use super::progress::Progress;
use crate::config::Configs;
use crate::selection::{Origin, Selection, Start};
use crate::settings::Settings;
use crate::snapshot::Snapshot;

/// The fewest files that are worth a thread.
const ENOUGH: usize = 256;

/// The main thread's stack on Linux and macOS, so that every thread reads a file alike.
const STACK: usize = 8 * 1024 * 1024;

/// The most threads; more only wait for the disk.
const MOST: usize = 16;

/// The configurations that the settings ask for. Fails where `--config` names no file that can be read.
pub(super) fn configs<'s>(settings: &Settings, snapshot: &'s dyn Snapshot) -> Result<Configs<'s>> {
    let Some(path) = &settings.config else {
        return Ok(Configs::nearest(snapshot, settings.command_line.clone()));
    };
    let text = fs::read_to_string(path).map_err(|cause| {
        let path = path.display();
        anyhow!("cannot read the configuration `{path}` ({cause}): check the path given with --config")
    })?;
    let command_line = settings.command_line.clone();
    Ok(Configs::fixed(command_line, &path.to_string_lossy(), &text)?)
}

/// Checks all files, on more threads if the list is long; `checker` is this thread's own.
pub(crate) fn check(
    selection: &Selection,
    checker: &Checker<'_>,
    settings: &Settings,
    folder: &Path,
) -> Result<Outcome> {
    let candidates = &selection.candidates;
    let progress = Progress::new(candidates.len(), io::stderr().is_terminal() && !settings.quiet);
    let done = || progress.step();
    let queue = Queue::new(candidates, &done);
    let all: Result<Vec<Checked>> = thread::scope(|scope| {
        let start = || {
            let thread = thread::Builder::new().stack_size(STACK);
            thread.spawn_scoped(scope, || help(&queue, &selection.origin, settings, folder))
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
fn help(queue: &Queue<'_>, origin: &Origin, settings: &Settings, folder: &Path) -> Result<Vec<Checked>> {
    let start = Start::find(folder.to_owned(), &settings.scope, settings.max_file_size)?;
    Checker::with(&start, origin, settings, |checker| Ok(checker.work(queue)))
}
