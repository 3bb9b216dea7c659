//! Writes fixed files into the working tree, and stages them where that is wanted.

use super::FixedFile;
use super::unstaged::to_be_staged;
use super::write::{self, Prepared, Ready};
use crate::check::Outcome;
use crate::diagnostic::Diagnostic;
use crate::git::{Repository, Restage};
use crate::selection::{Selection, Start};

/// A fixed file, and its replacement in the working tree; nothing where only the index changes.
type Planned = (Option<Ready>, FixedFile);

/// Writes the fixed files, and stages them where that is wanted. Returns whether any was changed.
///
/// Without staging, files are written one by one. With it, all are written and staged, or none.
pub(crate) fn write_and_stage(
    outcome: &mut Outcome,
    fixed: Vec<FixedFile>,
    start: &Start,
    selection: &Selection,
    restage: bool,
) -> bool {
    let planned = plan(outcome, fixed, start, restage);
    if planned.is_empty() {
        return false;
    }
    let done = match &start.repository {
        Some(repository) if restage => match stage_and_replace(planned, repository, selection) {
            Ok(done) => done,
            Err(failures) => {
                outcome.failures.extend(failures);
                return false;
            }
        },
        _ => replace(outcome, planned),
    };
    let is_changed = !done.is_empty();
    for one in done {
        settle(outcome, one);
    }
    is_changed
}

/// Prepares the files that can be written, and remarks why the others cannot.
fn plan(outcome: &mut Outcome, fixed: Vec<FixedFile>, start: &Start, restage: bool) -> Vec<Planned> {
    let scratch = start.repository.as_ref().map(Repository::git_dir);
    let mut planned = Vec::new();
    for one in fixed {
        let is_done = match write::prepare(&start.top, scratch, &one) {
            Ok(Prepared::Ready(file)) => {
                planned.push((Some(*file), one));
                continue;
            }
            Ok(Prepared::Done) => true,
            Ok(Prepared::Different) => false,
            Err(error) => {
                outcome.failures.push(error.to_string());
                continue;
            }
        };
        if !is_done {
            let what = if restage { " in your working tree" } else { "" };
            outcome.remarks.push(format!(
                "`{}`{what} was left alone: the lines to change are not the same in your working file",
                one.path()
            ));
        }
        if restage {
            planned.push((None, one));
        } else if is_done {
            outcome.remarks.push(to_be_staged(&outcome.reader, one.path()));
        }
    }
    planned
}

fn replace(outcome: &mut Outcome, planned: Vec<Planned>) -> Vec<FixedFile> {
    let mut done = Vec::new();
    for (file, one) in planned {
        match file.map(Ready::replace) {
            Some(Ok(_)) => done.push(one),
            Some(Err(error)) => outcome.failures.push(error.to_string()),
            None => {}
        }
    }
    done
}

/// Stages all files, then replaces them. On failure both are undone; the error lists the failure and whatever could not be undone.
fn stage_and_replace(
    planned: Vec<Planned>,
    repository: &Repository,
    selection: &Selection,
) -> Result<Vec<FixedFile>, Vec<String>> {
    let changes: Vec<Restage<'_>> = planned
        .iter()
        .filter_map(|(_, one)| {
            Some(Restage {
                path: one.path(),
                old: &selection.candidate(one.path())?.id,
                content: one.after.text().as_bytes(),
            })
        })
        .collect();
    let undo = repository.restage(&changes).map_err(|error| vec![error.to_string()])?;
    let (mut replaced, mut done) = (Vec::new(), Vec::new());
    for (file, one) in planned {
        match file.map(Ready::replace).transpose() {
            Ok(file) => replaced.extend(file),
            Err(error) => {
                let mut failures = vec![error.to_string()];
                let restored = replaced.into_iter().map(write::Former::restore);
                failures.extend(restored.filter_map(Result::err).map(|error| error.to_string()));
                failures.extend(repository.unstage(&undo).err().map(|error| error.to_string()));
                return Err(failures);
            }
        }
        done.push(one);
    }
    Ok(done)
}

/// Replaces the findings of a fixed file by those that are left.
fn settle(outcome: &mut Outcome, fixed: FixedFile) {
    let path = fixed.path().clone();
    for diagnostic in outcome.diagnostics.iter().filter(|one| *one.path() == path) {
        let left = diagnostic.left_to_do.iter().map(|left| format!("`{path}`: {left}"));
        let new = left.filter(|left| !outcome.remarks.contains(left));
        outcome.remarks.extend(new.collect::<Vec<_>>());
    }
    outcome.diagnostics.retain(|diagnostic| *diagnostic.path() != path);
    outcome.fixed += fixed.fixed;
    outcome.changed.push(path);
    outcome.diagnostics.extend(fixed.left);
    outcome.diagnostics.sort_by_cached_key(Diagnostic::sort_key);
}
