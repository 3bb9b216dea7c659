//! Writes fixed files into the working tree, and stages them where that is wanted.

use std::collections::HashSet;

use super::FixedFile;
use super::unstaged::{is_begun, to_be_staged, to_be_staged_first};
use super::write::{self, Prepared, Ready};
use crate::check::Outcome;
use crate::diagnostic::Diagnostic;
use crate::git::{Repository, Restage};
use crate::selection::{Origin, Selection, Start};
use crate::source::RepoPath;
use crate::work;

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
    let planned = plan(outcome, fixed, start, selection, restage);
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
    settle(outcome, done);
    is_changed
}

/// Prepares the files that can be written, and remarks why the others cannot.
fn plan(
    outcome: &mut Outcome,
    fixed: Vec<FixedFile>,
    start: &Start,
    selection: &Selection,
    restage: bool,
) -> Vec<Planned> {
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
        if !is_done && !restage && matches!(selection.origin, Origin::Index) && is_begun(outcome, start, one.path()) {
            outcome.remarks.push(to_be_staged_first(&outcome.reader, one.path()));
            continue;
        }
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

/// Replaces the findings of the fixed files by those that are left.
fn settle(outcome: &mut Outcome, done: Vec<FixedFile>) {
    let changed: HashSet<RepoPath> = done.iter().map(|one| one.path().clone()).collect();
    let is_gone = |one: &Diagnostic| {
        work::step();
        changed.contains(one.path())
    };
    let found = std::mem::take(&mut outcome.diagnostics);
    let (gone, mut left): (Vec<_>, Vec<_>) = found.into_iter().partition(is_gone);
    let mut said: HashSet<String> = outcome.remarks.iter().cloned().collect();
    let to_do = gone
        .iter()
        .filter_map(|one| Some(format!("`{}`: {}", one.path(), one.left_to_do.as_ref()?)));
    outcome.remarks.extend(to_do.filter(|one| said.insert(one.clone())));
    for one in done {
        outcome.fixed += one.fixed;
        outcome.changed.push(one.path().clone());
        left.extend(one.left);
    }
    left.sort_by_cached_key(Diagnostic::sort_key);
    outcome.diagnostics = left;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules;
    use crate::source::{SourceFile, Span};

    fn finding(file: &SourceFile, to_do: Option<&str>) -> Diagnostic {
        let rule = rules::all().next().unwrap();
        let mut finding = Diagnostic::new(rule, file, Span::new(0, 1), "a finding".to_owned());
        finding.left_to_do = to_do.map(str::to_owned);
        finding
    }

    /// As many fixed files with two findings each, of which one is left in every second file.
    fn settled(count: usize) -> Outcome {
        let mut outcome = Outcome::default();
        let mut done = Vec::new();
        for number in 0..count {
            let file = SourceFile::new(format!("{number:05}.py").as_str().into(), "x".to_owned());
            outcome
                .diagnostics
                .extend([finding(&file, Some("batch")), finding(&file, Some("batch"))]);
            let left = if number % 2 == 0 {
                vec![finding(&file, None)]
            } else {
                Vec::new()
            };
            done.push(FixedFile {
                before: file.clone(),
                after: file,
                fixed: 2 - left.len(),
                left,
            });
        }
        settle(&mut outcome, done);
        outcome
    }

    #[test]
    fn what_is_left_replaces_what_was_found() {
        let outcome = settled(4);
        let paths: Vec<String> = outcome.diagnostics.iter().map(|one| one.path().to_string()).collect();
        assert_eq!(paths, ["00000.py", "00002.py"]);
        assert_eq!((outcome.fixed, outcome.changed.len()), (6, 4));
        assert_eq!(outcome.remarks[..2], ["`00000.py`: batch", "`00001.py`: batch"]);
        assert_eq!(outcome.remarks.len(), 4);
    }

    #[test]
    fn each_finding_is_looked_at_once_however_many_files_are_fixed() {
        assert_eq!(work::counted(|| drop(settled(100))), 200);
    }
}
