//! The rules, applied to the files that were selected.

use crate::config::{Config, ConfigError, Configs};
use crate::diagnostic::{Diagnostic, Severity};
use crate::git::{GitError, Snapshot, Status};
use crate::migration::Migration;
use crate::project::Project;
use crate::python::{Module, relevance};
use crate::rules::{ALL, Check, MetadataFile, MigrationFile};
use crate::selection::Candidate;
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
    /// What `--fix` did not do, a sentence a file.
    pub remarks: Vec<String>,
}

impl Outcome {
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

/// Checks the files one after the other; what goes wrong with one does not keep the others from being checked.
///
/// Fails when the configuration is wrong, since then nothing that is said can be relied on.
pub fn check(
    candidates: &[Candidate],
    snapshot: &dyn Snapshot,
    project: &Project<'_>,
    configs: &Configs<'_>,
    is_in_head: &dyn Fn(&Candidate) -> Result<bool, GitError>,
) -> Result<Outcome, ConfigError> {
    let mut outcome = Outcome::default();
    for candidate in candidates {
        let config = configs.of(&candidate.path)?;
        if config.excludes(&candidate.path) {
            continue;
        }
        match look_at(candidate, snapshot, project, &config, is_in_head) {
            Ok(examined) => {
                outcome.files.push(CheckedFile {
                    path: candidate.path.clone(),
                    status: candidate.status.clone(),
                    kind: examined.kind,
                });
                outcome.diagnostics.extend(examined.diagnostics);
            }
            Err(failure) => outcome.failures.push(failure),
        }
    }
    outcome.diagnostics.sort_by_cached_key(Diagnostic::sort_key);
    Ok(outcome)
}

fn look_at(
    candidate: &Candidate,
    snapshot: &dyn Snapshot,
    project: &Project<'_>,
    config: &Config,
    is_in_head: &dyn Fn(&Candidate) -> Result<bool, GitError>,
) -> Result<Examined, String> {
    let bytes = candidate.read(snapshot).map_err(|error| error.to_string())?;
    if !relevance(&bytes).any() {
        return Ok(Examined {
            kind: FileKind::Other,
            diagnostics: Vec::new(),
        });
    }
    let text = String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        format!(
            "`{}` is not UTF-8 (byte {at}): save it as UTF-8, or exclude it",
            candidate.path
        )
    })?;
    let is_deployed = is_in_head(candidate).map_err(|error| error.to_string())?;
    Ok(examine(
        &SourceFile::new(candidate.path.clone(), text),
        is_deployed,
        project,
        config,
    ))
}

/// Applies every rule to one file.
#[must_use]
pub fn examine(file: &SourceFile, is_deployed: bool, project: &Project<'_>, config: &Config) -> Examined {
    let relevant = relevance(file.text().as_bytes());
    let module = Module::parse(file.clone());
    let migration = Migration::read(&module);
    let mut found = Vec::new();
    let mut kind = FileKind::Other;
    if migration.is_migration() {
        kind = FileKind::Migration;
        found.extend(of_migration(&migration, is_deployed, project, config));
    }
    // A revision may build metadata for its own use.
    if relevant.metadata && !migration.declares_revision {
        let judged = project.judged(file);
        if !judged.is_empty() && kind == FileKind::Other {
            kind = FileKind::Metadata;
        }
        for judged in &judged {
            let one = MetadataFile {
                judged,
                module: &module,
                is_deployed,
                configured_convention: config.convention.as_ref(),
            };
            for rule in ALL {
                if let Check::Metadata(check) = rule.check {
                    found.extend(check(&one));
                }
            }
        }
    }
    if kind != FileKind::Other {
        for rule in ALL {
            if let Check::Module(check) = rule.check {
                found.extend(check(&module));
            }
        }
    }
    Examined {
        kind,
        diagnostics: found
            .into_iter()
            .filter_map(|diagnostic| configured(diagnostic, config))
            .collect(),
    }
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
    for rule in ALL {
        if let Check::Migration(check) = rule.check {
            found.extend(check(&file));
        }
    }
    found
}

fn configured(mut diagnostic: Diagnostic, config: &Config) -> Option<Diagnostic> {
    diagnostic.severity = config.severity(diagnostic.path(), diagnostic.rule, diagnostic.severity);
    (diagnostic.severity != Severity::Off).then_some(diagnostic)
}
