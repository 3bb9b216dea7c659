//! Reads the selected files and checks each; threads share one queue.

use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::Result;

use super::examine::{Examined, examine};
use super::{CheckError, CheckedFile, FileKind, configs};
use crate::config::{Config, Configs};
use crate::diagnostic::Diagnostic;
use crate::fix::difference;
use crate::git::Repository;
use crate::project::Project;
use crate::python::{encoding, is_plain_revision, relevance};
use crate::rules;
use crate::selection::{Candidate, Origin, Selection, Start};
use crate::settings::Settings;
use crate::snapshot::{Overlay, Snapshot};
use crate::source::SourceFile;

/// The files to check, which threads take from until none is left.
pub(super) struct Queue<'q> {
    candidates: &'q [Candidate],
    next: AtomicUsize,
    /// Called after each file, by whichever thread checked it.
    done: &'q (dyn Fn() + Sync),
}

impl<'q> Queue<'q> {
    /// All of `candidates`.
    pub(super) fn new(candidates: &'q [Candidate], done: &'q (dyn Fn() + Sync)) -> Self {
        let next = AtomicUsize::new(0);
        Self { candidates, next, done }
    }

    /// The next file and its place in the list.
    fn take(&self) -> Option<(usize, &'q Candidate)> {
        let at = self.next.fetch_add(1, Ordering::Relaxed);
        Some((at, self.candidates.get(at)?))
    }
}

/// What one thread checks files with. Threads share none of it, since it keeps what it reads.
pub(crate) struct Checker<'c> {
    /// What the files are read from.
    snapshot: &'c dyn Snapshot,
    /// The project around them.
    pub(crate) project: Project<'c>,
    /// The project as the change found it.
    pub(super) before: &'c Project<'c>,
    /// What holds for each of them.
    pub(crate) configs: Configs<'c>,
    pub(super) repository: Option<&'c Repository>,
    /// The absolute path of the top.
    top: &'c str,
}

/// The result for one file, nothing if it is excluded, and its place in the list.
pub(super) struct Checked {
    pub(super) at: usize,
    pub(super) result: Result<Option<(CheckedFile, Vec<Diagnostic>)>, CheckError>,
}

impl Checker<'_> {
    /// Does `work` with what is needed to check the files of a selection.
    pub(crate) fn with<T>(
        start: &Start,
        origin: &Origin,
        settings: &Settings,
        work: impl FnOnce(&Checker<'_>) -> Result<T>,
    ) -> Result<T> {
        let (snapshot, committed) = (start.snapshot(origin)?, start.before(origin)?);
        let (snapshot, top) = (&*snapshot, &*start.top.to_string_lossy());
        let before = &Project::new(&*committed, top);
        work(&Checker {
            snapshot,
            project: Project::new(snapshot, top).since(before),
            before,
            configs: configs(settings, snapshot)?,
            repository: start.repository.as_ref(),
            top,
        })
    }

    /// Checks files until the queue is empty, or until a configuration is wrong.
    pub(super) fn work(&self, queue: &Queue<'_>) -> Vec<Checked> {
        let mut checked = Vec::new();
        while let Some((at, candidate)) = queue.take() {
            let result = self.check(candidate);
            let must_stop = matches!(result, Err(CheckError::Config(_)));
            checked.push(Checked { at, result });
            if must_stop {
                break;
            }
            (queue.done)();
        }
        checked
    }

    fn check(&self, candidate: &Candidate) -> Result<Option<(CheckedFile, Vec<Diagnostic>)>, CheckError> {
        let config = self.configs.of(&candidate.path)?;
        if config.excludes(&candidate.path) {
            return Ok(None);
        }
        let Examined { kind, diagnostics } = self.read_and_examine(candidate, config)?;
        let file = CheckedFile {
            path: candidate.path.clone(),
            status: candidate.status.clone(),
            kind,
        };
        Ok(Some((file, diagnostics)))
    }

    /// What is found in a file with another text, whichever lines changed: what a fix leaves.
    pub(crate) fn again(&self, file: &SourceFile, selection: &Selection) -> Result<Vec<Diagnostic>, CheckError> {
        let candidate = selection.candidate(file.path());
        let is_in_head = candidate.map_or(Ok(true), |candidate| self.is_in_head(candidate))?;
        let config = self.configs.of(file.path())?;
        let changed = Overlay::new(self.snapshot, file);
        let project = Project::new(&changed, self.top).since(self.before);
        Ok(examine(file, is_in_head && config.may_be_deployed(), &project, config).diagnostics)
    }

    fn read_and_examine(&self, candidate: &Candidate, config: &Config) -> Result<Examined, CheckError> {
        let bytes = candidate.read(self.snapshot)?;
        let is_named = config.is_migration(&candidate.path) || config.is_metadata(&candidate.path);
        let relevant = relevance(&bytes);
        let is_plain = || candidate.in_passing && !relevant.metadata && is_plain_revision(&bytes);
        let kind = if relevant.any() {
            is_plain().then_some(FileKind::Migration)
        } else {
            Some(FileKind::Other)
        };
        let text = encoding::text(bytes, is_named || kind.is_none()).map_err(|why| CheckError::Encoding {
            path: candidate.path.clone(),
            why,
        })?;
        let Some(text) = text else {
            let (kind, diagnostics) = (kind.unwrap_or(FileKind::Other), Vec::new());
            return Ok(Examined { kind, diagnostics });
        };
        let is_deployed = config.may_be_deployed() && self.is_in_head(candidate)?;
        let file = SourceFile::new(candidate.path.clone(), text);
        let mut examined = examine(&file, is_deployed, &self.project, config);
        if config.changed_lines_only()
            && !examined.diagnostics.is_empty()
            && let Some(before) = self.text_before(candidate)?
        {
            let before = SourceFile::new(candidate.path.clone(), before);
            let changed = changed_lines(&before, &file);
            examined.diagnostics.retain(|diagnostic| touches(diagnostic, &changed));
        }
        Ok(examined)
    }
}

/// The changed lines of the new text, counted from 1.
fn changed_lines(before: &SourceFile, after: &SourceFile) -> Vec<Range<usize>> {
    difference(&before.lines(), &after.lines())
        .iter()
        .filter(|operation| operation.tag() != similar::DiffTag::Equal)
        .map(|operation| {
            let lines = operation.new_range();
            lines.start + 1..lines.end + 1
        })
        .collect()
}

fn touches(diagnostic: &Diagnostic, changed: &[Range<usize>]) -> bool {
    // What is wrong with metadata may be a line that was removed.
    if rules::looks_at_metadata(diagnostic.rule) {
        return true;
    }
    let first = diagnostic.file.position(diagnostic.span.start).line;
    let last = diagnostic.file.position(diagnostic.span.end).line;
    // Changed lines are sorted and do not overlap.
    let at = changed.partition_point(|lines| lines.end <= first);
    changed.get(at).is_some_and(|lines| lines.start <= last)
}
