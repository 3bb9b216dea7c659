//! The commands that a report suggests, as its reader types them.

use std::path::PathBuf;

use crate::adopt;
use crate::check::Outcome;
use crate::diagnostic::{Diagnostic, Severity};
use crate::invocation::Invocation;
use crate::selection::Reader;
use crate::settings::{Scope, Settings};
use crate::source::RepoPath;
use crate::words::quoted;

/// The most paths in a command.
pub(super) const MOST_PATHS: usize = 8;

/// The commands for the files of a report.
pub(super) struct Commands {
    reader: Reader,
    /// Whether the findings are of more than one environment.
    are_several: bool,
    is_staged: bool,
    fixed: String,
    ignored: String,
}

impl Commands {
    pub(super) fn new(outcome: &Outcome, settings: &Settings) -> Self {
        let is_fixable: fn(&Diagnostic) -> bool = |one| one.fix.is_some();
        Self {
            reader: outcome.reader.clone(),
            are_several: has_several_owners(&outcome.diagnostics),
            is_staged: matches!(settings.scope, Scope::Staged | Scope::StagedPaths(_)) && !outcome.has_temporary_index,
            fixed: what_to_fix(outcome, settings, is_fixable),
            ignored: what_to_fix(outcome, settings, |one| one.severity == Severity::Error),
        }
    }

    /// Applies the safe fixes.
    pub(super) fn fix(&self) -> String {
        match &self.reader.program {
            runner @ Invocation::Runner { .. } if self.is_staged => runner.fix_staged(),
            program => program.command(&format!("fix {}", self.fixed)),
        }
    }

    /// Applies all fixes.
    pub(super) fn fix_all(&self) -> String {
        self.reader
            .program
            .command(&format!("fix {} --unsafe-fixes", self.fixed))
    }

    /// Writes ignore comments.
    pub(super) fn ignore(&self) -> String {
        self.reader.program.command(&format!("fix --ignore {}", self.ignored))
    }

    /// The same for one rule alone.
    pub(super) fn ignore_only(&self, rule: &str) -> String {
        self.reader
            .program
            .command(&format!("fix --ignore={rule} {}", self.ignored))
    }

    /// Gives the metadata a convention, and a live database its names.
    pub(super) fn adopt(&self, finding: &Diagnostic) -> String {
        adopt::command(&self.reader, finding, self.are_several)
    }

    /// Shows the page of a rule.
    pub(super) fn explain(&self, rule: &str) -> String {
        self.reader.program.command(&format!("explain {rule}"))
    }
}

fn has_several_owners(diagnostics: &[Diagnostic]) -> bool {
    let mut folders = diagnostics.iter().filter_map(|one| Some(&one.owner.as_ref()?.folder));
    let first = folders.next();
    folders.any(|other| Some(other) != first)
}

/// The arguments that make `fix` check the same files, or of those the ones with findings that are meant.
pub(super) fn what_to_fix(outcome: &Outcome, settings: &Settings, is_meant: fn(&Diagnostic) -> bool) -> String {
    let named = |given: &[PathBuf], instead: &str| {
        let paths = paths_of(outcome, given, is_meant);
        paths.map_or_else(|| instead.to_owned(), |paths| paths.join(" "))
    };
    let top = || quoted(&outcome.reader.typed_folder(&RepoPath::top()));
    match &settings.scope {
        // Such a commit takes its files from the working tree.
        Scope::Staged | Scope::StagedPaths(_) if outcome.has_temporary_index => named(&[], &top()),
        Scope::Paths(paths) => named(paths, &top()),
        Scope::StagedPaths(paths) => match named(paths, "--all") {
            all if all == "--all" => all,
            paths => format!("--staged {paths}"),
        },
        Scope::Staged => "--staged".to_owned(),
        Scope::All => "--all".to_owned(),
        // Commits of a branch count as new, like staged files.
        Scope::Between { from, to: None } => format!("--from-ref {}", quoted(from)),
        Scope::Between { .. } => named(&[], &top()),
    }
}

/// The paths as they were given, or, if a runner gave many or none, the files with findings. Nothing if they are too many to type.
fn paths_of(outcome: &Outcome, given: &[PathBuf], is_meant: fn(&Diagnostic) -> bool) -> Option<Vec<String>> {
    const FEW: usize = 3;
    if outcome.reader.is_here && (1..=FEW).contains(&given.len()) {
        return Some(given.iter().map(|path| quoted(&path.display().to_string())).collect());
    }
    let meant = outcome.diagnostics.iter().filter(|one| is_meant(one));
    let mut files: Vec<&RepoPath> = meant.map(Diagnostic::path).collect();
    files.dedup();
    (files.len() <= MOST_PATHS).then(|| files.into_iter().map(|path| typed(outcome, path)).collect())
}

pub(super) fn typed(outcome: &Outcome, path: &RepoPath) -> String {
    quoted(&outcome.reader.typed(path))
}
