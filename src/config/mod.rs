//! The configuration: `[tool.alembic-named]` in the nearest `pyproject.toml`, or `alembic-named.toml`, up to the top of the snapshot.

mod error;
mod globs;
mod lookup;
mod names;
mod table;
mod value;

pub use error::ConfigError;
pub use globs::Globs;
pub use lookup::{Configs, may_configure};
pub(crate) use names::{nearest, nearest_rule, rule, rules_named};

use crate::diagnostic::{Rule, Severity};
use crate::naming::{Convention, Dialect};
use crate::source::RepoPath;

/// What holds for a file.
#[derive(Debug, Default)]
pub struct Config {
    /// The file it was read from.
    pub origin: Option<RepoPath>,
    /// The names for constraints that no convention of the project names.
    pub convention: Option<Convention>,
    /// The database, where no environment tells.
    pub dialect: Option<Dialect>,
    select: Option<Vec<&'static Rule>>,
    ignore: Vec<&'static Rule>,
    severity: Vec<(&'static Rule, Severity)>,
    exclude: Globs,
    migrations: Globs,
    metadata: Globs,
    changed_lines_only: bool,
    nothing_deployed: bool,
    per_file_ignores: Vec<(Globs, Vec<&'static Rule>)>,
    command_line: CommandLine,
}

/// Where a value comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The rule itself.
    Default,
    /// This key of the configuration.
    File(&'static str),
    /// The command line.
    CommandLine,
}

/// Options of the command line that override or extend the file.
#[derive(Debug, Default, Clone)]
pub struct CommandLine {
    /// `--select`
    pub select: Option<Vec<&'static Rule>>,
    /// `--ignore`
    pub ignore: Vec<&'static Rule>,
    /// `--exclude`, relative to the top.
    pub exclude: Globs,
    /// `--changed-lines-only`
    pub changed_lines_only: bool,
}

impl Config {
    /// The severity of a finding in a file; `found` is the rule's own.
    #[must_use]
    pub fn severity(&self, path: &RepoPath, rule: &'static Rule, found: Severity) -> Severity {
        self.severity_and_source(path, rule, found).0
    }

    /// The same, with where it comes from.
    #[must_use]
    pub fn severity_and_source(&self, path: &RepoPath, rule: &'static Rule, found: Severity) -> (Severity, Source) {
        let (selected, selector) = match &self.command_line.select {
            Some(select) => (Some(select), Source::CommandLine),
            None => (self.select.as_ref(), Source::File("select")),
        };
        let default = match (found, selected) {
            // Selecting a rule that is off by default turns it on.
            (Severity::Off, Some(_)) => (Severity::Warning, selector),
            _ => (found, Source::Default),
        };
        let ignored_here = |(globs, rules): &(Globs, Vec<&'static Rule>)| rules.contains(&rule) && globs.matches(path);
        if self.command_line.ignore.contains(&rule) {
            (Severity::Off, Source::CommandLine)
        } else if self.ignore.contains(&rule) {
            (Severity::Off, Source::File("ignore"))
        } else if self.per_file_ignores.iter().any(ignored_here) {
            (Severity::Off, Source::File("per-file-ignores"))
        } else if selected.is_some_and(|selected| !selected.contains(&rule)) {
            (Severity::Off, selector)
        } else {
            let configured = self.severity.iter().find(|(known, _)| *known == rule);
            configured.map_or(default, |(_, severity)| (*severity, Source::File("severity")))
        }
    }

    /// Whether only findings on changed lines count in a file that HEAD holds.
    #[must_use]
    pub fn changed_lines_only(&self) -> bool {
        self.changed_lines_only || self.command_line.changed_lines_only
    }

    /// Whether a migration that HEAD holds may have been run on a database whose names must stay.
    #[must_use]
    pub fn may_be_deployed(&self) -> bool {
        !self.nothing_deployed
    }

    /// Whether a file counts as a migration whatever its content.
    #[must_use]
    pub fn is_migration(&self, path: &RepoPath) -> bool {
        self.migrations.matches(path)
    }

    /// Whether the metadata of a file are checked whatever the environments say.
    #[must_use]
    pub fn is_metadata(&self, path: &RepoPath) -> bool {
        self.metadata.matches(path)
    }

    /// Whether a file is excluded.
    #[must_use]
    pub fn excludes(&self, path: &RepoPath) -> bool {
        self.exclude.matches(path) || self.command_line.exclude.matches(path)
    }
}
