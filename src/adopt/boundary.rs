//! Where a revision may be written: in its folder of revisions, in the working tree, and not in git's own folder.
//!
//! The configuration that names the path belongs to the repository, which can be hostile.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::project::{Environment, Project};
use crate::source::RepoPath;

use super::error::AdoptError;

/// The working tree without git's own folders.
pub(super) struct Boundary {
    top: PathBuf,
    /// Without symbolic links, as are those below.
    real_top: PathBuf,
    git: Vec<PathBuf>,
}

impl Boundary {
    pub(super) fn new(top: &Path, git_dir: Option<&Path>) -> Result<Self, AdoptError> {
        let real_top = top.canonicalize().map_err(|cause| AdoptError::io(top, cause))?;
        let own = git_dir.and_then(|folder| folder.canonicalize().ok());
        let shared = own.as_deref().and_then(shared);
        let mut git: Vec<PathBuf> = own.into_iter().chain(shared).collect();
        // Some keep a working tree in one.
        git.retain(|folder| !real_top.starts_with(folder));
        Ok(Self {
            top: top.to_owned(),
            real_top,
            git,
        })
    }

    /// Fails for folders of revisions outside: their files are not read, so there would seem to be no revision.
    pub(super) fn check_folders(&self, environment: &Environment) -> Result<(), AdoptError> {
        if let Some(outside) = &environment.placing.outside {
            return Err(AdoptError::Outside(outside.clone(), self.top.clone()));
        }
        let folders = Project::version_folders(environment);
        folders.iter().try_for_each(|folder| self.real(folder).map(drop))
    }

    /// Fails for a new file that cannot be written, or is not in `folder`, before anything is written.
    pub(super) fn check_file(&self, path: &RepoPath, folder: &RepoPath) -> Result<(), AdoptError> {
        if is_git_s_name(path) {
            return Err(AdoptError::GitsOwn(path.clone()));
        }
        let (_, home) = self.real(folder)?;
        let (nearest, real) = self.real(&path.parent().unwrap_or_default())?;
        if !real.starts_with(home) {
            return Err(AdoptError::Astray {
                path: path.display().into_owned(),
                folder: folder.clone(),
            });
        }
        if path.to_path(&self.top).symlink_metadata().is_ok() {
            return Err(AdoptError::Exists(path.clone()));
        }
        let metadata = real.metadata().map_err(|cause| AdoptError::io(&nearest, cause))?;
        if metadata.permissions().readonly() {
            return Err(AdoptError::ReadOnly(nearest));
        }
        Ok(())
    }

    /// The nearest ancestor of a path that exists, as it is spelled and without symbolic links.
    fn real(&self, path: &RepoPath) -> Result<(PathBuf, PathBuf), AdoptError> {
        let full = path.to_path(&self.top);
        let is_there = |place: &&Path| place.symlink_metadata().is_ok();
        let nearest = full.ancestors().find(is_there).unwrap_or(&self.top);
        let real = nearest.canonicalize().map_err(|cause| match cause.kind() {
            io::ErrorKind::NotFound => AdoptError::DeadLink(path.clone()),
            _ => AdoptError::io(nearest, cause),
        })?;
        let Ok(below) = real.strip_prefix(&self.real_top) else {
            return Err(AdoptError::Outside(real.display().to_string(), self.top.clone()));
        };
        let below = RepoPath::from_path(below).unwrap_or_default();
        if is_git_s_name(path) || is_git_s_name(&below) || self.git.iter().any(|git| real.starts_with(git)) {
            return Err(AdoptError::GitsOwn(path.clone()));
        }
        Ok((nearest.to_owned(), real))
    }
}

/// The folder that linked working trees share (gitrepository-layout(5), `commondir`).
fn shared(git_dir: &Path) -> Option<PathBuf> {
    let text = fs::read_to_string(git_dir.join("commondir")).ok()?;
    git_dir.join(text.trim_end()).canonicalize().ok()
}

/// Whether part of a path is `.git`, or is for another system: in capitals, as a short name, with dots and spaces at the end.
fn is_git_s_name(path: &RepoPath) -> bool {
    let path = path.display();
    path.split('/').any(|part| {
        let part = part.trim_end_matches(['.', ' ']);
        part.eq_ignore_ascii_case(".git") || part.eq_ignore_ascii_case("git~1")
    })
}
