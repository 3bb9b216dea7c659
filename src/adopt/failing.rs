//! Finds the old revisions that would fail on every new database under the convention.

use crate::check::examine;
use crate::config::Config;
use crate::diagnostic::{Diagnostic, Severity};
use crate::fix::FixedFile;
use crate::project::{History, Project};
use crate::rules::FAILING_UPGRADE;
use crate::snapshot::Overlay;

/// The findings in the order of the files, with the convention that `module` brings.
pub(super) fn failing_revisions(
    history: &History,
    project: &Project<'_>,
    module: Option<&FixedFile>,
    config: &Config,
) -> Vec<Diagnostic> {
    if let Some(module) = module {
        let changed = Overlay::new(project.snapshot(), &module.after);
        let project = project.changed(&changed, module.path());
        return failing_revisions(history, &project, None, config);
    }
    // A rule that is off for commits still tells of an upgrade that fails.
    let mut own = Config::default();
    own.dialect = config.dialect;
    let revisions = history.revisions().unwrap_or_default().iter();
    let found = revisions.flat_map(|revision| examine(revision.file(), true, project, &own).diagnostics);
    found
        .filter(|one| one.severity == Severity::Error && FAILING_UPGRADE.contains(&one.rule))
        .collect()
}
