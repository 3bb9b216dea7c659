//! Files and folders named on the command line.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use super::paths::below;
use super::{Candidate, Origin, Selection, SelectionError, Start};
use crate::snapshot::ObjectId;
use crate::source::RepoPath;

impl Start {
    pub(super) fn named(&self, paths: &[PathBuf]) -> Result<Selection, SelectionError> {
        let mut found: Vec<RepoPath> = Vec::new();
        let mut named = HashSet::new();
        let mut notes = Vec::new();
        for path in paths {
            let full = self.folder.join(path);
            let inside = below(&self.top, &full).ok_or_else(|| self.elsewhere(path))?;
            if full.is_dir() {
                let walked = walk(&full, &inside, &mut notes)?;
                found.extend(self.tracked_below(&inside, &walked)?);
                found.extend(walked);
            } else if full.is_file() {
                if full.is_symlink() && !self.holds(&full) {
                    return Err(SelectionError::LeadsOut {
                        path: path.clone(),
                        top: self.top.clone(),
                    });
                }
                named.insert(inside.clone());
                found.push(inside);
            } else if full.symlink_metadata().is_ok() {
                return Err(SelectionError::NoFile { path: path.clone() });
            } else {
                return Err(SelectionError::NoSuchPath { path: path.clone() });
            }
        }
        found.sort();
        found.dedup();
        let candidate = |path| Candidate {
            in_passing: !named.contains(&path),
            path,
            id: ObjectId::default(),
            size: 0,
            status: None,
        };
        Ok(Selection {
            notes,
            ..Selection::of(Origin::WorkingTree, found.into_iter().map(candidate))
        })
    }

    /// The tracked files below a folder that exist: `.gitignore` does not apply to them. Those in `found` are left out.
    fn tracked_below(&self, folder: &RepoPath, found: &[RepoPath]) -> Result<Vec<RepoPath>, SelectionError> {
        let Some(repository) = &self.repository else {
            return Ok(Vec::new());
        };
        let found: HashSet<&RepoPath> = found.iter().collect();
        let is_there = |path: &RepoPath| {
            let full = path.to_path(&self.top);
            full.symlink_metadata().is_ok_and(|found| found.is_file())
        };
        let mut tracked = repository.tracked_paths()?;
        tracked.retain(|path| path.starts_with(folder) && path.is_python() && !found.contains(path) && is_there(path));
        Ok(tracked)
    }

    /// Whether a path is below the top after following links.
    fn holds(&self, path: &Path) -> bool {
        let real = path.canonicalize().ok();
        real.zip(self.top.canonicalize().ok())
            .is_some_and(|(path, top)| path.starts_with(top))
    }
}

/// The Python files below a folder (`inside`, relative to the top) that git does not ignore. Nested repositories are left out.
fn walk(folder: &Path, inside: &RepoPath, notes: &mut Vec<String>) -> Result<Vec<RepoPath>, SelectionError> {
    let nested: Arc<Mutex<Vec<PathBuf>>> = Arc::default();
    let left_out = nested.clone();
    let mut found = Vec::new();
    let mut walk = ignore::WalkBuilder::new(folder);
    // Like git: a leading dot and `.ignore` mean nothing, and `.git` is never entered.
    walk.require_git(false).hidden(false).ignore(false);
    walk.filter_entry(move |entry| {
        let is_folder = entry.file_type().is_some_and(|kind| kind.is_dir());
        let is_nested = is_folder && entry.depth() > 0 && entry.path().join(".git").exists();
        if is_nested && let Ok(mut left_out) = left_out.lock() {
            left_out.push(entry.path().to_owned());
        }
        !is_nested && entry.file_name() != ".git"
    });
    for entry in walk.build() {
        let entry = entry.map_err(|error| SelectionError::Unlistable {
            folder: folder.to_owned(),
            cause: error.to_string(),
        })?;
        let is_file = entry.file_type().is_some_and(|kind| kind.is_file());
        // The walk follows no links, so what lies below the folder lies below its path.
        let below = entry.path().strip_prefix(folder).ok().filter(|_| is_file);
        if let Some(path) = below.and_then(RepoPath::from_path).filter(RepoPath::is_python) {
            found.extend(inside.join(path.as_bytes()));
        }
    }
    if let Ok(nested) = nested.lock() {
        let note = |path: &PathBuf| format!("left to itself, as it is a repository of its own: {}", path.display());
        notes.extend(nested.iter().map(note));
    }
    Ok(found)
}
