//! The files on disk.

use std::cell::{OnceCell, RefCell};
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::{DEFAULT_LIMIT, Entry, EntryKind, Snapshot, SnapshotError};
use crate::once::once;
use crate::source::RepoPath;

/// The files on disk below a folder, in a repository or not. A symbolic link is followed as long as it stays below that
/// folder.
#[derive(Debug, Clone)]
pub struct WorkingTree {
    root: PathBuf,
    /// The root without symbolic links, if it is there.
    real: OnceCell<Option<PathBuf>>,
    /// The folder that was read last, and its path without symbolic links: revisions are side by side.
    folder: RefCell<Option<(RepoPath, Option<PathBuf>)>>,
    limit: u64,
}

impl WorkingTree {
    /// The files below `root`, read up to [`DEFAULT_LIMIT`].
    #[must_use]
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self {
            root: root.into(),
            real: OnceCell::new(),
            folder: RefCell::new(None),
            limit: DEFAULT_LIMIT,
        }
    }

    /// The same files, read up to `limit` bytes each.
    #[must_use]
    pub fn with_limit(self, limit: u64) -> Self {
        Self { limit, ..self }
    }

    /// `path` without symbolic links; `None` where it is missing or outside the root.
    fn locate(&self, path: &RepoPath) -> Result<Option<PathBuf>, SnapshotError> {
        let Some(root) = once(&self.real, || resolve(&self.root))? else {
            return Ok(None);
        };
        Ok(resolve(&path.to_path(root))?.filter(|real| real.starts_with(root)))
    }

    /// [`Self::locate`] for a folder; the last one is kept.
    fn locate_folder(&self, folder: &RepoPath) -> Result<Option<PathBuf>, SnapshotError> {
        if let Some((last, real)) = &*self.folder.borrow()
            && last == folder
        {
            return Ok(real.clone());
        }
        let real = self.locate(folder)?;
        *self.folder.borrow_mut() = Some((folder.clone(), real.clone()));
        Ok(real)
    }

    /// The regular file at `path`, opened, and its size.
    fn open(&self, path: &RepoPath) -> Result<Option<(fs::File, u64)>, SnapshotError> {
        let Some(folder) = path.parent() else {
            return Ok(None);
        };
        // From a folder outside, a link may lead back in.
        let Ok(Some(folder)) = self.locate_folder(&folder) else {
            return self.open_with_care(path);
        };
        let at = RepoPath::new(path.file_name()).to_path(&folder);
        let opened = open_itself(&at).and_then(|file| Ok((file.metadata()?, file)));
        match opened {
            Ok((metadata, file)) => Ok(metadata.is_file().then_some((file, metadata.len()))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            // A link, or unreadable.
            Err(_) => self.open_with_care(path),
        }
    }

    /// [`Self::open`] for a link. What it is is looked up first: opening a pipe would wait for a writer.
    fn open_with_care(&self, path: &RepoPath) -> Result<Option<(fs::File, u64)>, SnapshotError> {
        let Some(real) = self.locate(path)? else {
            return Ok(None);
        };
        let Some(metadata) = present(&real, fs::metadata(&real))?.filter(fs::Metadata::is_file) else {
            return Ok(None);
        };
        let file = present(&real, fs::File::open(&real))?;
        Ok(file.map(|file| (file, metadata.len())))
    }

    /// The kind of a child of `folder`; a link is followed.
    fn kind(&self, folder: &RepoPath, name: &[u8], own: fs::FileType) -> Result<Option<EntryKind>, SnapshotError> {
        if !own.is_symlink() {
            return Ok(kind_of(own));
        }
        let path = match folder.join(name) {
            Some(child) => self.locate(&child)?,
            None => None,
        };
        let metadata = path.map(|path| present(&path, fs::metadata(&path))).transpose()?;
        Ok(metadata.flatten().and_then(|metadata| kind_of(metadata.file_type())))
    }

    fn too_large(&self, path: &RepoPath, size: u64) -> SnapshotError {
        SnapshotError::TooLarge {
            path: path.clone(),
            size,
            limit: self.limit,
        }
    }
}

impl Snapshot for WorkingTree {
    fn read(&self, path: &RepoPath) -> Result<Option<Vec<u8>>, SnapshotError> {
        let Some((file, size)) = self.open(path)? else {
            return Ok(None);
        };
        if size > self.limit {
            return Err(self.too_large(path, size));
        }
        let content = read_all(file, size, self.limit.saturating_add(1)).map_err(|cause| SnapshotError::Io {
            path: path.to_path(&self.root),
            cause,
        })?;
        let size = content.len() as u64;
        if size > self.limit {
            Err(self.too_large(path, size))
        } else {
            Ok(Some(content))
        }
    }

    fn list(&self, folder: &RepoPath) -> Result<Vec<Entry>, SnapshotError> {
        let Some(real) = self.locate(folder)? else {
            return Ok(Vec::new());
        };
        let children = match fs::read_dir(&real) {
            Err(error) if error.kind() == io::ErrorKind::NotADirectory => return Ok(Vec::new()),
            children => present(&real, children)?,
        };
        let mut entries = Vec::new();
        for child in children.into_iter().flatten() {
            let child = child.and_then(|child| Ok((child.file_name(), child.file_type()?)));
            let (name, own) = child.map_err(|cause| SnapshotError::Io {
                path: real.clone(),
                cause,
            })?;
            let name = RepoPath::from_path(Path::new(&name)).unwrap_or_else(RepoPath::top);
            if name.as_bytes() != b".git"
                && let Some(kind) = self.kind(folder, name.as_bytes(), own)?
            {
                entries.push(Entry::new(name.as_bytes(), kind));
            }
        }
        entries.sort();
        Ok(entries)
    }
}

/// Opens `path` without following a link, or waiting for the writer of a pipe (open(2), `O_NOFOLLOW` and `O_NONBLOCK`).
#[cfg(unix)]
fn open_itself(path: &Path) -> io::Result<fs::File> {
    use std::os::unix::fs::OpenOptionsExt;
    let flags = libc::O_NOFOLLOW | libc::O_NONBLOCK;
    fs::OpenOptions::new().read(true).custom_flags(flags).open(path)
}

#[cfg(not(unix))]
fn open_itself(_: &Path) -> io::Result<fs::File> {
    Err(io::ErrorKind::Unsupported.into())
}

/// The content of a file of `size` bytes, but at most `most` bytes: it may grow while it is read.
fn read_all(mut file: fs::File, size: u64, most: u64) -> io::Result<Vec<u8>> {
    let expected = usize::try_from(size).map_err(|_| io::ErrorKind::OutOfMemory)?;
    let mut content = vec![0; expected.saturating_add(1)];
    let count = loop {
        match file.read(&mut content) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            answer => break answer?,
        }
    };
    content.truncate(count);
    // The buffer had room for one more byte, so this was the end.
    if count != expected {
        file.take(most.saturating_sub(count as u64)).read_to_end(&mut content)?;
    }
    Ok(content)
}

fn kind_of(file_type: fs::FileType) -> Option<EntryKind> {
    if file_type.is_file() {
        Some(EntryKind::File)
    } else {
        file_type.is_dir().then_some(EntryKind::Folder)
    }
}

/// The path without symbolic links; `None` where it leads nowhere.
fn resolve(path: &Path) -> Result<Option<PathBuf>, SnapshotError> {
    match path.canonicalize() {
        // A link to itself is as absent as one to nothing.
        Err(_) if fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_symlink()) => Ok(None),
        answer => present(path, answer),
    }
}

/// `None` for what is not there.
fn present<T>(path: &Path, answer: io::Result<T>) -> Result<Option<T>, SnapshotError> {
    use io::ErrorKind::{InvalidFilename, InvalidInput, NotADirectory, NotFound};
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(error) if matches!(error.kind(), NotFound | NotADirectory | InvalidFilename | InvalidInput) => Ok(None),
        Err(cause) => Err(SnapshotError::Io {
            path: path.to_owned(),
            cause,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(snapshot: &dyn Snapshot, folder: &str) -> Vec<String> {
        let entries = snapshot.list(&folder.into()).unwrap();
        entries
            .iter()
            .map(|entry| String::from_utf8_lossy(&entry.name).into_owned())
            .collect()
    }

    #[test]
    fn the_working_tree_ends_at_its_limit() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a.py"), "12345").unwrap();
        let tree = WorkingTree::new(folder.path());
        assert_eq!(tree.read(&"a.py".into()).unwrap().unwrap(), b"12345");
        assert_eq!(tree.read(&"a.py/b".into()).unwrap(), None);
        assert_eq!(tree.read(&"nothing".into()).unwrap(), None);
        assert_eq!(tree.read(&RepoPath::new(b"a\0b")).unwrap(), None);
        assert_eq!(tree.read(&RepoPath::top()).unwrap(), None);
        assert!(names(&tree, "a.py").is_empty() && names(&tree, "nothing").is_empty());
        let error = tree.with_limit(4).read(&"a.py".into()).unwrap_err();
        assert!(matches!(error, SnapshotError::TooLarge { size: 5, limit: 4, .. }), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn a_link_is_followed_only_within_the_root() {
        use std::os::unix::fs::symlink;
        let outside = tempfile::tempdir().unwrap();
        fs::write(outside.path().join("secret.py"), "").unwrap();
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir_all(at("real/.git")).unwrap();
        fs::write(at("real/a.py"), "a").unwrap();
        symlink(outside.path(), at("away")).unwrap();
        symlink(outside.path().join("secret.py"), at("away.py")).unwrap();
        symlink("real", at("inside")).unwrap();
        symlink("loop", at("loop")).unwrap();
        symlink("nowhere", at("dangling")).unwrap();
        let tree = WorkingTree::new(folder.path());
        assert_eq!(names(&tree, ""), ["inside", "real"]);
        assert_eq!(names(&tree, "inside"), ["a.py"]);
        assert_eq!(tree.read(&"inside/a.py".into()).unwrap().unwrap(), b"a");
        symlink(folder.path().join("real/a.py"), outside.path().join("back.py")).unwrap();
        assert_eq!(tree.read(&"away/back.py".into()).unwrap().unwrap(), b"a");
        for path in ["away.py", "away/secret.py", "loop", "dangling"] {
            assert_eq!(tree.read(&path.into()).unwrap(), None, "{path}");
        }
        let up = format!("../{}/secret.py", outside.path().file_name().unwrap().display());
        assert_eq!(tree.read(&RepoPath::new(up)).unwrap(), None);
    }
}
