//! What old revisions do under the convention: some would fail on every new database.

use crate::check::examine;
use crate::config::Config;
use crate::diagnostic::{Diagnostic, Severity};
use crate::project::{History, Project};

/// The rules whose errors are upgrades that fail.
const RULES: [&str; 3] = [
    "default-name-dependency",
    "unnamed-column-constraint",
    "unnamed-table-constraint",
];

/// The findings, in the order of the files. `project` has the convention.
pub(super) fn failing(history: &History, project: &Project<'_>, config: &Config) -> Vec<Diagnostic> {
    // What is silenced for a commit fails all the same.
    let mut own = Config::default();
    own.dialect = config.dialect;
    let revisions = history.revisions().unwrap_or_default().iter();
    let found = revisions.flat_map(|revision| examine(revision.file(), true, project, &own).diagnostics);
    found
        .filter(|one| one.severity == Severity::Error && RULES.contains(&one.rule.name))
        .collect()
}
