//! Finds staged files whose working copies are fixed already.

use super::transplant::{self, is_fixed};
use super::{Fix, Look, Safety, apply};
use crate::check::{Outcome, ignores};
use crate::diagnostic::{Diagnostic, Severity};
use crate::selection::{Reader, Start};
use crate::source::{RepoPath, SourceFile};
use crate::words::quoted;

/// How many files with another working copy are checked again.
const MOST_UNSTAGED: usize = 30;

/// Finds the files that are fixed in the working tree already, so that all that is left is to stage them.
pub(crate) fn find_unstaged(outcome: &mut Outcome, start: &Start, look: &Look<'_>) {
    let files = outcome.diagnostics.chunk_by(|one, other| one.path() == other.path());
    let differing: Vec<(&[Diagnostic], SourceFile)> = files
        .filter_map(|own| {
            let checked = &own.first()?.file;
            let working = transplant::read(&start.top, checked.path())?;
            (working.text() != checked.text()).then_some((own, working))
        })
        .take(MOST_UNSTAGED)
        .collect();
    for (own, working) in differing {
        if !is_written_by_us(own, &working) {
            continue;
        }
        match look(&working) {
            Ok(left) if left.iter().all(|one| one.severity != Severity::Error) => {
                outcome.unstaged.push(working.path().clone());
            }
            Ok(_) => {}
            Err(error) => outcome.failures.push(error.to_string()),
        }
    }
    let stage = |path: &RepoPath| to_be_staged(&outcome.reader, path);
    outcome.remarks.extend(outcome.unstaged.iter().map(stage));
}

/// Whether the working file has what `fix` or `fix --ignore` writes for these findings.
fn is_written_by_us(own: &[Diagnostic], working: &SourceFile) -> bool {
    let Some(checked) = own.first().map(|one| &one.file) else {
        return false;
    };
    let written = |fixes: Vec<&Fix>| {
        let after = apply(checked, fixes);
        after != checked.text() && is_fixed(checked.text(), &after, working.text())
    };
    let fixes = || own.iter().filter_map(|one| one.fix.as_ref());
    written(fixes().filter(|fix| fix.safety == Safety::Safe).collect())
        || written(fixes().collect())
        || ignores::count(working) > ignores::count(checked)
}

/// Whether the working file has some of the fixes already, so that the rest cannot be told from edits of its lines.
pub(super) fn is_begun(outcome: &Outcome, start: &Start, path: &RepoPath) -> bool {
    // Findings are sorted by file.
    let first = outcome.diagnostics.partition_point(|one| one.path() < path);
    let (_, rest) = outcome.diagnostics.split_at(first);
    let (own, _) = rest.split_at(rest.partition_point(|one| one.path() == path));
    transplant::read(&start.top, path).is_some_and(|working| is_written_by_us(own, &working))
}

pub(super) fn to_be_staged_first(reader: &Reader, path: &RepoPath) -> String {
    let typed = quoted(&reader.typed(path));
    format!("`{path}` has some of the fixes in your working tree: stage it with `git add {typed}`, then run this again")
}

pub(super) fn to_be_staged(reader: &Reader, path: &RepoPath) -> String {
    let typed = quoted(&reader.typed(path));
    format!("`{path}` is fixed in your working tree: stage it with `git add {typed}`")
}
