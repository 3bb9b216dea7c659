//! The changes of files: collected first, then performed in one go.

use std::io;
use std::path::{Path, PathBuf};
use std::{fmt, fs};

use tempfile::NamedTempFile;

use super::InstallError;
use crate::fix::{WriteError, complete, rewrite};
use crate::selection::writes_elsewhere;

#[derive(Debug)]
pub(super) enum Change {
    /// Writes a hook, and keeps what was there elsewhere.
    Hook {
        path: PathBuf,
        content: Vec<u8>,
        keep: Option<PathBuf>,
    },
    /// Writes a file that is not there.
    Create {
        path: PathBuf,
        content: Vec<u8>,
    },
    /// Replaces the text of a file.
    Rewrite {
        path: PathBuf,
        text: String,
    },
    /// Moves a kept hook back.
    Restore {
        from: PathBuf,
        to: PathBuf,
    },
    Remove {
        path: PathBuf,
    },
}

impl fmt::Display for Change {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Hook {
                path, keep: Some(keep), ..
            } => write!(formatter, "keep {0} as {1} and write {0}", path.display(), keep.display()),
            Self::Hook { path, .. } | Self::Create { path, .. } => write!(formatter, "write {}", path.display()),
            Self::Rewrite { path, .. } => write!(formatter, "edit {}", path.display()),
            Self::Restore { from, to } => write!(formatter, "move {} back to {}", from.display(), to.display()),
            Self::Remove { path } => write!(formatter, "remove {}", path.display()),
        }
    }
}

impl Change {
    fn perform(&self) -> Result<(), WriteError> {
        let result = match self {
            Self::Hook { path, content, keep } => write_hook(path, content, keep.as_deref()),
            Self::Create { path, content } => write_new(path, content),
            Self::Rewrite { path, text } => return rewrite(path, text.as_bytes()),
            Self::Restore { from, to } => fs::rename(from, to),
            Self::Remove { path } => fs::remove_file(path),
        };
        result.map_err(|cause| WriteError::of(self.path(), cause))
    }

    /// The files and folders that are written to: a text is written through a link, all else replaces one.
    fn places(&self) -> Vec<&Path> {
        match self {
            Self::Rewrite { path, .. } => vec![path],
            Self::Hook { path, .. } | Self::Create { path, .. } | Self::Remove { path } => {
                path.parent().into_iter().collect()
            }
            Self::Restore { from, to } => [from, to].into_iter().filter_map(|path| path.parent()).collect(),
        }
    }

    fn path(&self) -> &Path {
        match self {
            Self::Hook { path, .. }
            | Self::Create { path, .. }
            | Self::Rewrite { path, .. }
            | Self::Remove { path } => path,
            Self::Restore { to, .. } => to,
        }
    }
}

/// Written beside the hook and then renamed: a commit at this moment finds the old hook or the new one, never half of one. A link is
/// replaced, not written through.
fn write_hook(path: &Path, content: &[u8], keep: Option<&Path>) -> io::Result<()> {
    let file = executable(path, content)?;
    let Some(keep) = keep else {
        return file.persist(path).map(drop).map_err(|error| error.error);
    };
    // A hard link, so that there is no moment without a hook. Some file systems have none.
    let is_linked = match fs::hard_link(path, keep) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Err(error),
        linked => linked.is_ok(),
    };
    if !is_linked {
        fs::rename(path, keep)?;
    }
    file.persist(path).map(drop).map_err(|error| {
        // The first error is the one to report.
        let _ = if is_linked {
            fs::remove_file(keep)
        } else {
            fs::rename(keep, path)
        };
        error.error
    })
}

fn write_new(path: &Path, content: &[u8]) -> io::Result<()> {
    let file = executable(path, content)?;
    file.persist_noclobber(path).map(drop).map_err(|error| error.error)
}

/// An executable under a temporary name in the folder of `path`.
fn executable(path: &Path, content: &[u8]) -> io::Result<NamedTempFile> {
    let folder = path.parent().unwrap_or_else(|| Path::new("."));
    fs::create_dir_all(folder)?;
    complete(folder, content, make_executable)
}

#[cfg(unix)]
fn make_executable(file: &fs::File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    file.set_permissions(fs::Permissions::from_mode(0o755))
}

/// Git for Windows decides by the first line.
#[cfg(not(unix))]
fn make_executable(_: &fs::File) -> io::Result<()> {
    Ok(())
}

/// The changes, and what is printed about them.
#[derive(Debug, Default)]
pub(super) struct Plan {
    pub(super) changes: Vec<Change>,
    /// The changes in words, for standard output.
    pub(super) said: Vec<String>,
    /// Entries to paste, for standard output, each with the note that says where, for standard error.
    pub(super) printed: Vec<(String, String)>,
    /// What is left to the user, for standard error.
    pub(super) notes: Vec<String>,
}

impl Plan {
    pub(super) fn say(&mut self, line: String) {
        if !self.said.contains(&line) {
            self.said.push(line);
        }
    }

    /// The text of a file after the changes so far.
    pub(super) fn text_of(&self, path: &Path) -> Result<String, InstallError> {
        let planned = self.changes.iter().rev().find_map(|change| match change {
            Change::Rewrite { path: other, text } if other == path => Some(Ok(text.clone())),
            _ => None,
        });
        let path = path.to_owned();
        planned
            .unwrap_or_else(|| fs::read_to_string(&path))
            .map_err(|cause| InstallError::Read { path, cause })
    }

    /// Fails where a change would reach out of the working tree, or into `.git`, through a link in it.
    pub(super) fn check(&self, top: &Path) -> Result<(), InstallError> {
        let mut places = self.changes.iter().flat_map(Change::places);
        match places.find(|place| writes_elsewhere(top, place)) {
            Some(place) => Err(InstallError::LeadsOut(place.to_owned())),
            None => Ok(()),
        }
    }

    pub(super) fn perform(&self) -> Result<(), InstallError> {
        Ok(self.changes.iter().try_for_each(Change::perform)?)
    }
}
