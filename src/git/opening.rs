//! Opens a repository with libgit2 as git would. libgit2 reads no environment: it reads some of it differently from git.

use std::path::{Path, PathBuf};

use git2::{ErrorCode, RepositoryOpenFlags};

use super::command::Caller;
use super::environment::Environment;
use super::layout::Layout;
use super::libgit2::Library;

/// What came of opening a repository.
pub(super) enum Opened {
    Ready(Box<Library>),
    /// No folder looks like one.
    Nowhere,
    /// Why libgit2 cannot open it.
    Refused(String),
}

/// Opens the repository that git would in the absolute folder `from`.
pub(super) fn open(environment: &Environment, from: &Path) -> Opened {
    // git does not verify what it reads from a pack either; it is a third of the time of reading (measured).
    git2::opts::strict_hash_verification(false);
    let repository = match find(environment, from) {
        Ok(repository) => repository,
        Err(error) if error.code() == ErrorCode::NotFound && environment.get("GIT_DIR").is_none() => {
            return Opened::Nowhere;
        }
        Err(error) => return Opened::Refused(error.message().to_owned()),
    };
    if has_replacements(&repository, environment) {
        return Opened::Refused("refs/replace is in use".to_owned());
    }
    match find_layout(&repository, environment, from) {
        Ok(layout) => {
            let caller = Caller::new(environment, from, "the index is large");
            Opened::Ready(Box::new(Library::new(repository, layout, caller)))
        }
        Err(error) => Opened::Refused(error.message().to_owned()),
    }
}

fn find(environment: &Environment, from: &Path) -> Result<git2::Repository, git2::Error> {
    let mut flags = RepositoryOpenFlags::empty();
    let start = match environment.get("GIT_DIR") {
        Some(git_dir) => {
            flags |= RepositoryOpenFlags::NO_SEARCH | RepositoryOpenFlags::NO_DOTGIT;
            from.join(git_dir)
        }
        None => from.to_owned(),
    };
    if environment.crosses_file_systems() {
        flags |= RepositoryOpenFlags::CROSS_FS;
    }
    git2::Repository::open_ext(start, flags, environment.ceilings())
}

/// The paths as git resolves them: `GIT_WORK_TREE` from the current folder, without it `core.worktree`, and with
/// `GIT_DIR` alone the current folder (git(1), `--git-dir`); `GIT_INDEX_FILE` from the top of the working tree.
fn find_layout(repository: &git2::Repository, environment: &Environment, from: &Path) -> Result<Layout, git2::Error> {
    let git_dir = tidy(repository.path());
    let has_own_worktree = || {
        repository
            .config()
            .and_then(|config| config.get_path("core.worktree"))
            .is_ok()
    };
    let git_top = match (environment.get("GIT_WORK_TREE"), repository.workdir()) {
        (Some(folder), _) => Some(real(&from.join(folder))),
        (None, Some(_)) if environment.get("GIT_DIR").is_some() && !has_own_worktree() => Some(real(from)),
        (None, folder) => folder.map(tidy),
    };
    if let Some(top) = &git_top {
        repository.set_workdir(top, false)?;
    }
    Ok(Layout::new(environment, from, git_dir, git_top))
}

fn real(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_owned())
}

/// Without the slash that libgit2 puts at the end of a folder.
fn tidy(path: &Path) -> PathBuf {
    path.components().collect()
}

/// Whether objects are replaced by others (git-replace), which libgit2 ignores silently.
fn has_replacements(repository: &git2::Repository, environment: &Environment) -> bool {
    if environment.get("GIT_NO_REPLACE_OBJECTS").is_some() {
        return false;
    }
    let common = repository.commondir();
    let loose = std::fs::read_dir(common.join("refs/replace")).is_ok_and(|mut refs| refs.next().is_some());
    loose || {
        let packed = std::fs::read(common.join("packed-refs")).unwrap_or_default();
        packed
            .split(|&byte| byte == b'\n')
            .any(|line| line.get(41..).is_some_and(|name| name.starts_with(b"refs/replace/")))
    }
}
