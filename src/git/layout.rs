//! The paths of a repository.

use std::path::{Path, PathBuf};

use super::environment::Environment;
use crate::source::RepoPath;

/// The absolute paths of a repository.
#[derive(Debug, Clone)]
pub(super) struct Layout {
    /// The top of the working tree; the repository itself if it is bare.
    pub(super) top: PathBuf,
    pub(super) git_dir: PathBuf,
    pub(super) index: PathBuf,
    pub(super) is_bare: bool,
}

impl Layout {
    /// `top` is what git takes for the top of the working tree when it is started in `from`.
    ///
    /// A relative `GIT_INDEX_FILE` starts where git works: at the top if `from` lies in the working tree, else in
    /// `from` (measured, 2.47).
    ///
    /// In the hooks of a linked worktree `GIT_DIR` is set, and then git takes the current folder for the top even below
    /// the real one. The real one is written in the worktree's git folder (gitrepository-layout,
    /// `worktrees/<id>/gitdir`).
    pub(super) fn new(environment: &Environment, from: &Path, git_dir: PathBuf, top: Option<PathBuf>) -> Self {
        let start = top.as_deref().filter(|top| lies_in(from, top)).unwrap_or(from);
        let index = environment
            .get("GIT_INDEX_FILE")
            .map_or_else(|| git_dir.join("index"), |index| start.join(index));
        let is_bare = top.is_none();
        let is_told = environment.get("GIT_WORK_TREE").is_some() || environment.get("GIT_DIR").is_none();
        let linked = if is_told { None } else { linked_top(&git_dir, from) };
        let top = linked.or(top).unwrap_or_else(|| git_dir.clone());
        Self {
            top,
            git_dir,
            index,
            is_bare,
        }
    }
}

/// The top of the linked worktree whose git folder this is, if `from` lies in it.
fn linked_top(git_dir: &Path, from: &Path) -> Option<PathBuf> {
    let link = std::fs::read(git_dir.join("gitdir")).ok()?;
    let link = RepoPath::new(link.trim_ascii_end()).to_path(git_dir);
    let top = link.parent()?.canonicalize().ok()?;
    lies_in(from, &top).then_some(top)
}

fn lies_in(folder: &Path, top: &Path) -> bool {
    folder.canonicalize().is_ok_and(|folder| folder.starts_with(top))
}
