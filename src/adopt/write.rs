//! Writing: both files or none, and nothing over what is there.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use anyhow::Result;
use tempfile::{Builder, NamedTempFile};

use crate::mend::Mended;
use crate::source::RepoPath;
use crate::worktree::{self, Prepared};

use super::error::AdoptError;

/// A file that is not there yet.
pub(super) struct New {
    path: RepoPath,
    full: PathBuf,
    temporary: NamedTempFile,
}

/// The file beside its place, complete.
fn prepare(top: &Path, path: &RepoPath, text: &str) -> Result<New, AdoptError> {
    let full = path.to_path(top);
    let failed = |cause| AdoptError::Io {
        path: full.clone(),
        cause,
    };
    let folder = full.parent().unwrap_or(top);
    fs::create_dir_all(folder).map_err(failed)?;
    let mut temporary = beside(folder).map_err(failed)?;
    temporary.write_all(text.as_bytes()).map_err(failed)?;
    temporary.as_file().sync_all().map_err(failed)?;
    Ok(New {
        path: path.clone(),
        full,
        temporary,
    })
}

fn beside(folder: &Path) -> io::Result<NamedTempFile> {
    let mut builder = Builder::new();
    builder.prefix(".alembic-named-").suffix(".tmp");
    // What the umask leaves of it, as for any file that is made.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    builder.tempfile_in(folder)
}

impl New {
    fn put(self) -> Result<PathBuf, AdoptError> {
        let Self { path, full, temporary } = self;
        match temporary.persist_noclobber(&full) {
            Ok(_) => Ok(full),
            Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => Err(AdoptError::Exists(path)),
            Err(error) => Err(AdoptError::Io {
                path: full,
                cause: error.error,
            }),
        }
    }
}

/// Writes the revision, and the module with the convention. When the second fails, the first is taken away again.
pub(super) fn write(
    top: &Path,
    scratch: Option<&Path>,
    module: Option<&Mended>,
    revision: Option<(&RepoPath, &str)>,
) -> Result<()> {
    let ready = match module
        .map(|module| worktree::prepare(top, scratch, module))
        .transpose()?
    {
        None => None,
        Some(Prepared::Ready(ready)) => Some(ready),
        Some(_) => {
            let path = module.map(|module| module.path().clone()).unwrap_or_default();
            return Err(AdoptError::Changed(path).into());
        }
    };
    let revision = revision.map(|(path, text)| prepare(top, path, text)).transpose()?;
    let written = revision.map(New::put).transpose()?;
    if let Some(Err(error)) = ready.map(|ready| ready.replace()) {
        if let Some(path) = written {
            let _ = fs::remove_file(path);
        }
        return Err(error.into());
    }
    Ok(())
}
