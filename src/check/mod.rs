//! The rules, applied to the files that were selected.

pub(crate) mod ignores;
mod past;
mod progress;
mod threads;

pub use past::Past;
pub(crate) use past::{Committed, History};
pub(crate) use threads::{check, configs};

use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::config::{Config, ConfigError, Configs};
use crate::constraints::{MetadataFile, MigrationFile};
use crate::diagnostic::{Diagnostic, Rule, Severity};
use crate::fix::{apply, difference};
use crate::git::Status;
use crate::migration::Migration;
use crate::project::{Judged, Project};
use crate::python::{Module, Relevance, encoding, is_plain_revision, names_down_revision, relevance};
use crate::rules::{self, Check};
use crate::selection::{Candidate, Reader};
use crate::snapshot::{Overlay, Snapshot};
use crate::source::{RepoPath, SourceFile};

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum FileKind {
    /// It declares a revision or uses Alembic's operations.
    Migration,
    /// It makes or states a metadata that Alembic migrates.
    Metadata,
    /// Neither.
    Other,
}

/// A file that was checked.
#[derive(Debug, Clone)]
pub struct CheckedFile {
    /// Its path.
    pub path: RepoPath,
    /// What the commit does to it; nothing where it was named and git has not been asked.
    pub status: Option<Status>,
    /// What it is.
    pub kind: FileKind,
}

/// What was found.
#[derive(Debug, Default)]
pub struct Outcome {
    /// The files that were checked, in order.
    pub files: Vec<CheckedFile>,
    /// The findings, in the order of a report.
    pub diagnostics: Vec<Diagnostic>,
    /// Files that could not be checked or written, each in a sentence.
    pub failures: Vec<String>,
    /// How many findings are gone because they were fixed.
    pub fixed: usize,
    /// The files that `--fix` changed.
    pub changed: Vec<RepoPath>,
    /// How many files the configuration or the command line excludes.
    pub excluded: usize,
    /// Why no file was checked, where that is so.
    pub why_none: String,
    /// What `--fix` did not do or leaves to do, a sentence each.
    pub remarks: Vec<String>,
    /// Who reads the report.
    pub reader: Reader,
    /// What was checked is staged in an index that git makes for this commit alone (`git commit -a`, `git commit PATH`), and is the same in
    /// the working tree: the next command finds it there.
    pub is_passing: bool,
    /// Files whose working copy has what `fix` would write and none of the errors any more, and is not staged.
    pub unstaged: Vec<RepoPath>,
}

impl Outcome {
    /// Whether nothing is left to do for a file but to stage it.
    #[must_use]
    pub fn must_be_staged(&self, path: &RepoPath) -> bool {
        self.unstaged.binary_search(path).is_ok()
    }

    /// How many findings are this bad.
    #[must_use]
    pub fn count(&self, severity: Severity) -> usize {
        self.diagnostics
            .iter()
            .filter(|diagnostic| diagnostic.severity == severity)
            .count()
    }
}

/// The findings of one file, and what it is.
#[derive(Debug)]
pub struct Examined {
    /// What the file is.
    pub kind: FileKind,
    /// Its findings, those that the configuration turns off left out.
    pub diagnostics: Vec<Diagnostic>,
}

/// The files to check, which threads take from until none is left.
pub struct Queue<'q> {
    candidates: &'q [Candidate],
    next: AtomicUsize,
    /// Called after each file, by whichever thread checked it.
    done: &'q (dyn Fn() + Sync),
}

/// How many files a thread takes at once: so few that none waits long for another at the end.
const HANDFUL: usize = 16;

impl<'q> Queue<'q> {
    /// All of `candidates`.
    #[must_use]
    pub fn new(candidates: &'q [Candidate], done: &'q (dyn Fn() + Sync)) -> Self {
        let next = AtomicUsize::new(0);
        Self { candidates, next, done }
    }

    /// The next files and where they stand in the list.
    fn take(&self) -> Option<(Range<usize>, &'q [Candidate])> {
        let start = self
            .next
            .fetch_add(HANDFUL, Ordering::Relaxed)
            .min(self.candidates.len());
        let range = start..(start + HANDFUL).min(self.candidates.len());
        let files = self.candidates.get(range.clone())?;
        (!files.is_empty()).then_some((range, files))
    }
}

/// What one thread checks files with. None of it can be shared: what it reads it keeps.
pub struct Checker<'c> {
    /// What the files are read from.
    pub snapshot: &'c dyn Snapshot,
    /// The project around them.
    pub project: &'c Project<'c>,
    /// What holds for each of them.
    pub configs: &'c Configs<'c>,
    /// What the commit builds on.
    pub past: &'c dyn Past,
}

/// Nothing of a file that is excluded, a sentence of one that cannot be checked.
type Checked = Result<Option<(CheckedFile, Vec<Diagnostic>)>, String>;

/// What became of one file, and its place in the list.
pub struct Looked {
    at: usize,
    result: Checked,
}

/// A configuration that is wrong, and the place of the first file that it was needed for.
pub struct Stopped {
    at: usize,
    error: ConfigError,
}

impl Stopped {
    /// The error that one thread would have met first.
    pub fn first(all: impl IntoIterator<Item = Self>) -> Option<ConfigError> {
        all.into_iter().min_by_key(|one| one.at).map(|one| one.error)
    }
}

impl Checker<'_> {
    /// Checks files until the queue is empty; what goes wrong with one does not keep the others from being checked.
    ///
    /// Fails when the configuration is wrong, since then nothing that is said can be relied on.
    pub fn work(&self, queue: &Queue<'_>) -> Result<Vec<Looked>, Stopped> {
        let mut looked = Vec::new();
        while let Some((places, candidates)) = queue.take() {
            for (at, candidate) in places.zip(candidates) {
                let result = self.look_at(candidate).map_err(|error| Stopped { at, error })?;
                looked.push(Looked { at, result });
                (queue.done)();
            }
        }
        Ok(looked)
    }

    fn look_at(&self, candidate: &Candidate) -> Result<Checked, ConfigError> {
        let config = self.configs.of(&candidate.path)?;
        if config.excludes(&candidate.path) {
            return Ok(Ok(None));
        }
        let examined = look_at(candidate, self.snapshot, self.project, &config, self.past);
        Ok(examined.map(|examined| {
            let file = CheckedFile {
                path: candidate.path.clone(),
                status: candidate.status.clone(),
                kind: examined.kind,
            };
            Some((file, examined.diagnostics))
        }))
    }
}

impl Outcome {
    /// What all threads found, in the order of the list: the same for any number of threads.
    #[must_use]
    pub fn of(mut looked: Vec<Looked>) -> Self {
        looked.sort_by_key(|looked| looked.at);
        let mut outcome = Self::default();
        for looked in looked {
            match looked.result {
                Ok(Some((file, diagnostics))) => {
                    outcome.files.push(file);
                    outcome.diagnostics.extend(diagnostics);
                }
                Ok(None) => outcome.excluded += 1,
                Err(failure) => outcome.failures.push(failure),
            }
        }
        outcome.diagnostics.sort_by_cached_key(Diagnostic::sort_key);
        outcome
    }
}

fn look_at(
    candidate: &Candidate,
    snapshot: &dyn Snapshot,
    project: &Project<'_>,
    config: &Config,
    past: &dyn Past,
) -> Result<Examined, String> {
    let bytes = candidate.read(snapshot).map_err(|error| error.to_string())?;
    let is_named = config.is_migration(&candidate.path) || config.is_metadata(&candidate.path);
    let relevant = relevance(&bytes);
    let is_plain = || candidate.in_passing && !relevant.metadata && is_plain_revision(&bytes);
    let kind = if relevant.any() {
        is_plain().then_some(FileKind::Migration)
    } else {
        Some(FileKind::Other)
    };
    let read = encoding::text(bytes, is_named || kind.is_none());
    let Some(text) = read.map_err(|why| format!("`{}` {why}, or exclude it", candidate.path))? else {
        let (kind, diagnostics) = (kind.unwrap_or(FileKind::Other), Vec::new());
        return Ok(Examined { kind, diagnostics });
    };
    let is_deployed = config.may_be_deployed() && past.holds(candidate).map_err(|error| error.to_string())?;
    let file = SourceFile::new(candidate.path.clone(), text);
    let mut examined = examine(&file, is_deployed, project, config);
    if config.changed_lines_only() && !examined.diagnostics.is_empty() {
        let before = past.text(candidate).map_err(|error| error.to_string())?;
        if let Some(before) = before {
            let before = SourceFile::new(candidate.path.clone(), before);
            let changed = changed_lines(&before, &file);
            examined.diagnostics.retain(|diagnostic| touches(diagnostic, &changed));
        }
    }
    Ok(examined)
}

/// The lines of the new text that the change made, from 1.
fn changed_lines(before: &SourceFile, after: &SourceFile) -> Vec<std::ops::Range<usize>> {
    difference(&before.lines(), &after.lines())
        .iter()
        .filter(|operation| operation.tag() != similar::DiffTag::Equal)
        .map(|operation| {
            let lines = operation.new_range();
            lines.start + 1..lines.end + 1
        })
        .collect()
}

fn touches(diagnostic: &Diagnostic, changed: &[std::ops::Range<usize>]) -> bool {
    // What is wrong with a metadata may be what was taken away.
    if rules::looks_at_metadata(diagnostic.rule) {
        return true;
    }
    let first = diagnostic.file.position(diagnostic.span.start).line;
    let last = diagnostic.file.position(diagnostic.span.end).line;
    // They are in order, and apart from each other.
    let at = changed.partition_point(|lines| lines.end <= first);
    changed.get(at).is_some_and(|lines| lines.start <= last)
}

/// Applies every rule to one file.
#[must_use]
pub fn examine(file: &SourceFile, is_deployed: bool, project: &Project<'_>, config: &Config) -> Examined {
    let bytes = file.text().as_bytes();
    let relevant = relevance(bytes);
    let may_migrate = relevant.migration || config.is_migration(file.path());
    let mut judged = judged(file, relevant, project, config);
    if !may_migrate && judged.is_empty() && !ignores::are_mentioned(file) {
        return Examined {
            kind: FileKind::Other,
            diagnostics: Vec::new(),
        };
    }
    // What was asked about the project may have parsed it already.
    let own;
    let module = if let Some(known) = project.modules().parsed(file) {
        known
    } else {
        own = Module::parse(file.clone());
        &own
    };
    let migration = if may_migrate {
        project.migration(module)
    } else {
        Migration::none(module)
    };
    let mut found = Vec::new();
    let mut kind = FileKind::Other;
    // An open quote swallows what a migration is known by.
    let was_migration = || !module.errors().is_empty() && names_down_revision(bytes);
    if migration.is_migration() || config.is_migration(file.path()) || was_migration() {
        kind = FileKind::Migration;
        found.extend(of_migration(&migration, is_deployed, project, config));
    }
    if migration.declares_revision {
        judged.clear();
    }
    if !judged.is_empty() && kind == FileKind::Other {
        kind = FileKind::Metadata;
    }
    let of_metadata = of_metadata(module, &judged, is_deployed, project, config);
    found.extend(with_proven_fixes(of_metadata, is_deployed, project, config));
    if kind != FileKind::Other {
        for (_, check) in rules::checks() {
            if let Check::Module(check) = check {
                found.extend(check(module));
            }
        }
    }
    Examined {
        kind,
        diagnostics: silenced(module, found, config),
    }
}

fn of_metadata(
    module: &Module,
    judged: &[Judged],
    is_deployed: bool,
    project: &Project<'_>,
    config: &Config,
) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for judged in judged {
        let one = MetadataFile {
            judged,
            module,
            is_deployed,
            configured_convention: config.convention.as_ref(),
            project,
        };
        for (_, check) in rules::checks() {
            if let Check::Metadata(check) = check {
                found.extend(check(&one));
            }
        }
    }
    found
}

/// So many fixes of a module are tried: they write into one place, so that no more than one is ever applied.
const MOST_PROVEN: usize = 8;

/// Findings about metadata without the fixes that leave something to be found: a convention that is written where it has no effect, or that
/// the rules have something against.
fn with_proven_fixes(
    mut found: Vec<Diagnostic>,
    is_deployed: bool,
    project: &Project<'_>,
    config: &Config,
) -> Vec<Diagnostic> {
    let rules: Vec<&'static Rule> = found.iter().map(|one| one.rule).collect();
    let mut tried = 0;
    for one in &mut found {
        if tried == MOST_PROVEN {
            one.fix = None;
        }
        let Some(fix) = &one.fix else { continue };
        tried += 1;
        let after = SourceFile::new(one.path().clone(), apply(&one.file, [fix]));
        let changed = Overlay::new(project.snapshot(), &after);
        let project = project.changed(&changed, one.path());
        let judged = judged(&after, relevance(after.text().as_bytes()), &project, config);
        let module = project.modules().parse(&after);
        let left = of_metadata(module, &judged, is_deployed, &project, config);
        let is_gone = left.len() < rules.len() && left.iter().all(|one| rules.contains(&one.rule));
        if !is_gone || judged.is_empty() || !module.errors().is_empty() {
            one.fix = None;
        }
    }
    found
}

/// The metadata of a file that Alembic migrates. A revision may build some for its own use.
fn judged(file: &SourceFile, relevant: Relevance, project: &Project<'_>, config: &Config) -> Vec<Judged> {
    let is_named = config.is_metadata(file.path());
    if !(is_named || relevant.metadata) || names_down_revision(file.text().as_bytes()) {
        Vec::new()
    } else if is_named {
        project.made_in(file)
    } else {
        project.judged(file)
    }
}

/// The findings without those that a comment silences or the configuration turns off.
fn silenced(module: &Module, found: Vec<Diagnostic>, config: &Config) -> Vec<Diagnostic> {
    let path = module.file().path();
    let is_on = |rule: &'static Rule| config.severity(path, rule, rule.severity) != Severity::Off;
    let found = ignores::apply(module, found, &is_on);
    found
        .into_iter()
        .filter_map(|diagnostic| configured(diagnostic, config))
        .collect()
}

fn of_migration(
    migration: &Migration<'_>,
    is_deployed: bool,
    project: &Project<'_>,
    config: &Config,
) -> Vec<Diagnostic> {
    let mut file = MigrationFile::new(migration, project);
    file.is_deployed = is_deployed;
    file.configured_dialect = config.dialect;
    file.configured_convention = config.convention.as_ref();
    let mut found = Vec::new();
    for (_, check) in rules::checks() {
        if let Check::Migration(check) = check {
            found.extend(check(&file));
        }
    }
    found
}

fn configured(mut diagnostic: Diagnostic, config: &Config) -> Option<Diagnostic> {
    diagnostic.severity = config.severity(diagnostic.path(), diagnostic.rule, diagnostic.severity);
    (diagnostic.severity != Severity::Off).then_some(diagnostic)
}
