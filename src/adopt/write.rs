//! Writes both files or neither, and overwrites no other.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use anyhow::Result;
use tempfile::NamedTempFile;

use super::NewRevision;
use super::error::AdoptError;
use crate::fix::{self, FixedFile, Prepared};
use crate::source::RepoPath;

/// A new file, complete under a temporary name.
pub(super) struct New<'t> {
    path: &'t RepoPath,
    full: PathBuf,
    temporary: NamedTempFile,
}

/// Makes the temporary file in `scratch`, which git ignores, so that a run that is killed leaves nothing for `git add`; where that fails,
/// beside its place.
fn prepare<'t>(top: &Path, scratch: Option<&Path>, path: &'t RepoPath, text: &str) -> Result<New<'t>, AdoptError> {
    let full = path.to_path(top);
    let failed = |cause| AdoptError::io(&full, cause);
    fs::create_dir_all(full.parent().unwrap_or(top)).map_err(failed)?;
    let temporary = fix::temporary(&full, scratch, text.as_bytes(), |file| give_group(file, &full));
    Ok(New {
        path,
        temporary: temporary.map_err(failed)?,
        full,
    })
}

/// Files in a folder with the set-group-ID bit get its group.
#[cfg(unix)]
fn give_group(file: &File, path: &Path) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt, fchown};
    const SET_GROUP: u32 = 0o2000;
    let home = path.parent().unwrap_or(path).metadata()?;
    if home.mode() & SET_GROUP != 0 && file.metadata()?.gid() != home.gid() {
        fchown(file, None, Some(home.gid()))?;
    }
    Ok(())
}

#[cfg(not(unix))]
fn give_group(_: &File, _: &Path) -> io::Result<()> {
    Ok(())
}

impl New<'_> {
    fn put(self) -> Result<PathBuf, AdoptError> {
        let persist = |file: NamedTempFile| file.persist_noclobber(&self.full);
        match fix::put(self.temporary, &self.full, persist, |file| give_group(file, &self.full)) {
            Ok(()) => Ok(self.full),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(AdoptError::Exists(self.path.clone())),
            Err(error) => Err(AdoptError::io(&self.full, error)),
        }
    }
}

/// Writes the revision, and then the module with the convention. If that fails, the revision is removed.
pub(super) fn write(
    top: &Path,
    scratch: Option<&Path>,
    module: Option<&FixedFile>,
    revision: Option<&NewRevision>,
) -> Result<()> {
    let ready = match module.map(|module| fix::prepare(top, scratch, module)).transpose()? {
        None => None,
        Some(Prepared::Ready(ready)) => Some(ready),
        Some(_) => {
            let path = module.map(|module| module.path().clone()).unwrap_or_default();
            return Err(AdoptError::Changed(path).into());
        }
    };
    let revision = revision
        .map(|new| prepare(top, scratch, &new.path, &new.text))
        .transpose()?;
    let written = revision.map(New::put).transpose()?;
    if let Some(Err(error)) = ready.map(|ready| ready.replace()) {
        if let Some(path) = written {
            let _ = fs::remove_file(path);
        }
        return Err(error.into());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The folder of revisions, and git's own beside it.
    fn project() -> (tempfile::TempDir, PathBuf, PathBuf) {
        let top = tempfile::tempdir().unwrap();
        let folders = ["versions", ".git"].map(|name| top.path().join(name));
        for folder in &folders {
            fs::create_dir(folder).unwrap();
        }
        let [versions, scratch] = folders;
        (top, versions, scratch)
    }

    fn count(folder: &Path) -> usize {
        fs::read_dir(folder).unwrap().count()
    }

    #[test]
    fn the_temporary_file_is_in_git_s_folder() {
        let (top, versions, scratch) = project();
        let path = RepoPath::from("versions/a.py");
        let new = prepare(top.path(), Some(&scratch), &path, "x = 1\n").unwrap();
        assert_eq!((count(&versions), count(&scratch)), (0, 1));
        let full = new.put().unwrap();
        assert_eq!(fs::read_to_string(&full).unwrap(), "x = 1\n");
        assert_eq!((count(&versions), count(&scratch)), (1, 0));
        let again = prepare(top.path(), Some(&scratch), &path, "x = 2\n").unwrap();
        assert!(matches!(again.put(), Err(AdoptError::Exists(_))));
        assert_eq!(fs::read_to_string(&full).unwrap(), "x = 1\n");
        assert_eq!((count(&versions), count(&scratch)), (1, 0));
    }

    #[test]
    fn without_git_s_folder_the_temporary_file_is_beside_its_place() {
        let (top, versions, scratch) = project();
        fs::remove_dir(&scratch).unwrap();
        let path = RepoPath::from("versions/a.py");
        for scratch in [None, Some(scratch.as_path())] {
            let new = prepare(top.path(), scratch, &path, "x = 1\n").unwrap();
            assert_eq!(count(&versions), 1);
            fs::remove_file(new.put().unwrap()).unwrap();
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_folder_on_another_disk_is_no_hindrance() {
        use std::os::unix::fs::MetadataExt;
        let (top, versions, _scratch) = project();
        let Ok(other) = tempfile::tempdir_in("/dev/shm") else {
            return;
        };
        if other.path().metadata().unwrap().dev() == versions.metadata().unwrap().dev() {
            return;
        }
        let path = RepoPath::from("versions/a.py");
        let new = prepare(top.path(), Some(other.path()), &path, "x = 1\n").unwrap();
        let full = new.put().unwrap();
        assert_eq!(fs::read_to_string(full).unwrap(), "x = 1\n");
        assert_eq!((count(&versions), count(other.path())), (1, 0));
    }

    #[cfg(unix)]
    #[test]
    fn a_revision_gets_the_group_that_its_folder_gives() {
        use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
        let (top, versions, scratch) = project();
        // Only root may choose any group.
        if chown(&versions, None, Some(65_534)).is_err() {
            return;
        }
        fs::set_permissions(&versions, fs::Permissions::from_mode(0o2775)).unwrap();
        let path = RepoPath::from("versions/a.py");
        let new = prepare(top.path(), Some(&scratch), &path, "x = 1\n").unwrap();
        let made = new.put().unwrap().metadata().unwrap();
        let usual = fs::File::create(versions.join("b.py")).unwrap().metadata().unwrap();
        assert_eq!((made.gid(), made.mode()), (65_534, usual.mode()));
    }
}
