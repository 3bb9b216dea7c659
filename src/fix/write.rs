//! Replaces files of the working tree: each whole or not at all, and none that changed since it was read.

use std::fs::{self, File, Metadata};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tempfile::{NamedTempFile, PersistError};

use super::FixedFile;
use super::transplant::{is_fixed, transplant};
use crate::git::is_full;

/// A fixed file that will take the place of the one at `path`.
#[derive(Debug)]
pub(crate) struct Ready {
    former: Former,
    temporary: NamedTempFile,
}

/// A file as it was before it was replaced.
#[derive(Debug)]
pub(crate) struct Former {
    path: PathBuf,
    content: Vec<u8>,
    metadata: Metadata,
    scratch: Option<PathBuf>,
}

/// Why a working file cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// It is a symbolic link.
    #[error("`{}` is a symbolic link: fix the file it points to", .0.display())]
    Link(PathBuf),
    /// A folder above it is a link out of the working tree.
    #[error("`{}` lies behind a symbolic link that leads out of the working tree: fix the file where it is", .0.display())]
    Outside(PathBuf),
    /// It is read-only.
    #[error("`{}` is read-only: make it writable (`chmod u+w`) and run the command again", .0.display())]
    ReadOnly(PathBuf),
    /// It does not exist, or is not a regular file.
    #[error("`{}` is not a file in the working tree: check it out first", .0.display())]
    Missing(PathBuf),
    /// It changed since it was read.
    #[error("`{}` was changed while it was being fixed: run the command again", .0.display())]
    Changed(PathBuf),
    /// The disk is full.
    #[error("cannot write `{}`: the disk it is on is full, or your share of it: make room and run the command again", .0.display())]
    Full(PathBuf),
    /// The system refused.
    #[error("cannot write `{}` ({cause}): check the permissions of its folder and the space left", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        cause: io::Error,
    },
}

impl WriteError {
    /// From an error of the system.
    pub(crate) fn of(path: &Path, cause: io::Error) -> Self {
        let path = path.to_owned();
        if is_full(&cause) {
            Self::Full(path)
        } else {
            Self::Io { path, cause }
        }
    }
}

/// What can be done with a working file.
#[derive(Debug)]
pub(crate) enum Prepared {
    /// It can be replaced.
    Ready(Box<Ready>),
    /// It has the fix already.
    Done,
    /// A line to change is missing, different, or there more than once.
    Different,
}

/// Writes the fixed file to a temporary one: in `scratch` (git's folder), so that an interrupted run leaves nothing for `git add` to find,
/// or beside the old file. The working file may have other changes, if each line to change is in it unchanged and once.
pub(crate) fn prepare(top: &Path, scratch: Option<&Path>, fixed_file: &FixedFile) -> Result<Prepared, WriteError> {
    let path = &fixed_file.path().to_path(top);
    let io = |cause| WriteError::of(path, cause);
    let metadata = match path.symlink_metadata() {
        Ok(metadata) if metadata.file_type().is_symlink() => return Err(WriteError::Link(path.to_owned())),
        Ok(metadata) if metadata.is_file() => metadata,
        Ok(_) => return Err(WriteError::Missing(path.to_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(WriteError::Missing(path.to_owned())),
        Err(error) => return Err(io(error)),
    };
    let real = |path: &Path| path.canonicalize().map_err(io);
    if !real(path)?.starts_with(real(top)?) {
        return Err(WriteError::Outside(path.to_owned()));
    }
    if metadata.permissions().readonly() {
        return Err(WriteError::ReadOnly(path.to_owned()));
    }
    let content = fs::read(path).map_err(io)?;
    let text = std::str::from_utf8(&content).ok();
    let (before, after) = (fixed_file.before.text(), fixed_file.after.text());
    let Some(new) = text.and_then(|text| transplant(before, after, text)) else {
        let is_done = text.is_some_and(|text| is_fixed(before, after, text));
        return Ok(if is_done { Prepared::Done } else { Prepared::Different });
    };
    let temporary = temporary(path, scratch, new.as_bytes(), like(&metadata)).map_err(io)?;
    let former = Former {
        path: path.to_owned(),
        content,
        metadata,
        scratch: scratch.map(Path::to_owned),
    };
    Ok(Prepared::Ready(Box::new(Ready { former, temporary })))
}

impl Ready {
    /// Replaces the file; the result can restore it.
    pub(crate) fn replace(self) -> Result<Former, WriteError> {
        let former = self.former;
        let failed = |cause| WriteError::of(&former.path, cause);
        match former.path.symlink_metadata() {
            Ok(now) if now.is_file() => {}
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
            _ => return Err(WriteError::Changed(former.path)),
        }
        if fs::read(&former.path).map_err(failed)? != former.content {
            return Err(WriteError::Changed(former.path));
        }
        put_like(self.temporary, &former.path, &former.metadata)?;
        Ok(former)
    }
}

impl Former {
    /// Restores the content.
    pub(crate) fn restore(self) -> Result<(), WriteError> {
        let io = |cause| WriteError::of(&self.path, cause);
        let own = like(&self.metadata);
        let temporary = temporary(&self.path, self.scratch.as_deref(), &self.content, own).map_err(io)?;
        put_like(temporary, &self.path, &self.metadata)
    }
}

/// Replaces the content of an existing file atomically; follows a link.
pub(crate) fn rewrite(path: &Path, content: &[u8]) -> Result<(), WriteError> {
    let io = |cause| WriteError::of(path, cause);
    let path = path.canonicalize().map_err(io)?;
    let metadata = path.metadata().map_err(io)?;
    if metadata.permissions().readonly() {
        return Err(WriteError::ReadOnly(path));
    }
    let temporary = temporary(&path, None, content, like(&metadata)).map_err(io)?;
    put_like(temporary, &path, &metadata)
}

fn put_like(temporary: NamedTempFile, path: &Path, metadata: &Metadata) -> Result<(), WriteError> {
    put(temporary, path, |file| file.persist(path), like(metadata)).map_err(|cause| WriteError::of(path, cause))
}

/// Moves a temporary file to its place by `persist`. From another disk, it is copied beside the place first.
pub(crate) fn put(
    temporary: NamedTempFile,
    path: &Path,
    persist: impl Fn(NamedTempFile) -> Result<File, PersistError>,
    dress: impl Fn(&File) -> io::Result<()>,
) -> io::Result<()> {
    let done = match persist(temporary) {
        Err(PersistError { error, file }) if error.kind() == io::ErrorKind::CrossesDevices => {
            persist(complete(beside(path), &fs::read(file.path())?, dress)?)
        }
        done => done,
    };
    done.map(drop).map_err(|error| error.error)
}

fn beside(path: &Path) -> &Path {
    path.parent().unwrap_or_else(|| Path::new("."))
}

/// A temporary file with this content for `path`: in `scratch`, or where that cannot be, beside it.
pub(crate) fn temporary(
    path: &Path,
    scratch: Option<&Path>,
    content: &[u8],
    dress: impl Fn(&File) -> io::Result<()>,
) -> io::Result<NamedTempFile> {
    let Some(scratch) = scratch else {
        return complete(beside(path), content, dress);
    };
    // Proves that the folder can be written before anything changes. It has no name, so that nothing is left behind.
    tempfile::tempfile_in(beside(path))?;
    // Git's folder may be read-only for this user.
    complete(scratch, content, &dress).or_else(|_| complete(beside(path), content, dress))
}

/// A file with this content under a temporary name, synced to the disk. `dress` gives it its mode and owner; without, they are those of any
/// new file.
pub(crate) fn complete(
    folder: &Path,
    content: &[u8],
    dress: impl Fn(&File) -> io::Result<()>,
) -> io::Result<NamedTempFile> {
    let mut names = tempfile::Builder::new();
    names.prefix(".alembic-named-").suffix(".tmp");
    let mut temporary = names.make_in(folder, |path| File::create_new(path))?;
    dress(temporary.as_file())?;
    temporary.write_all(content)?;
    temporary.as_file().sync_all()?;
    Ok(temporary)
}

/// Gives a file the mode and owner of another.
fn like(metadata: &Metadata) -> impl Fn(&File) -> io::Result<()> {
    move |file: &File| {
        file.set_permissions(metadata.permissions())?;
        keep_owner(file, metadata)
    }
}

#[cfg(unix)]
fn keep_owner(file: &File, metadata: &Metadata) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt, fchown};
    let own = file.metadata()?;
    if own.uid() == metadata.uid() && own.gid() == metadata.gid() {
        return Ok(());
    }
    fchown(file, Some(metadata.uid()), Some(metadata.gid()))
}

#[cfg(not(unix))]
fn keep_owner(_: &File, _: &Metadata) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fix::rounds::tests::fixed_file;

    fn ready(folder: &Path) -> Ready {
        match prepare(folder, None, &fixed_file("None\n", "named\n")) {
            Ok(Prepared::Ready(ready)) => *ready,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_file_that_was_changed_meanwhile_is_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("m.py");
        for after in [Some("mine\n"), None] {
            fs::write(&path, "None\n").unwrap();
            let ready = ready(folder.path());
            match after {
                Some(text) => fs::write(&path, text).unwrap(),
                None => fs::remove_file(&path).unwrap(),
            }
            let error = ready.replace().unwrap_err();
            assert!(matches!(error, WriteError::Changed(_)), "{error}");
            assert_eq!(fs::read_to_string(&path).ok().as_deref(), after);
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_replaced_file_can_be_brought_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("m.py");
        fs::write(&path, "None\n").unwrap();
        let replaced = ready(folder.path()).replace().unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "named\n");
        replaced.restore().unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "None\n");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn nothing_is_made_beside_a_file_where_git_has_a_folder_for_it() {
        let folder = tempfile::tempdir().unwrap();
        let scratch = folder.path().join(".git");
        fs::create_dir(&scratch).unwrap();
        let path = folder.path().join("m.py");
        fs::write(&path, "None\n").unwrap();
        let names = |folder: &Path| fs::read_dir(folder).unwrap().count();
        let Ok(Prepared::Ready(ready)) = prepare(folder.path(), Some(&scratch), &fixed_file("None\n", "named\n"))
        else {
            panic!("not ready")
        };
        assert_eq!((names(folder.path()), names(&scratch)), (2, 1));
        let replaced = ready.replace().unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "named\n");
        replaced.restore().unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "None\n");
        assert_eq!((names(folder.path()), names(&scratch)), (2, 0));
    }

    #[test]
    fn a_full_disk_is_called_one() {
        for kind in [io::ErrorKind::StorageFull, io::ErrorKind::QuotaExceeded, io::ErrorKind::FileTooLarge] {
            let error = WriteError::of(Path::new("a/m.py"), kind.into()).to_string();
            assert!(error.starts_with("cannot write `a/m.py`: the disk it is on is full"), "{error}");
        }
        let error = WriteError::of(Path::new("a/m.py"), io::ErrorKind::PermissionDenied.into());
        assert!(matches!(error, WriteError::Io { .. }), "{error}");
    }
}
