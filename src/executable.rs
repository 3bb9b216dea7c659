//! Executables, and which of them PATH leads to.

use std::env;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

/// `alembic-named`, or with the ending that the system wants.
pub(crate) fn file_name(name: &str) -> OsString {
    format!("{name}{}", env::consts::EXE_SUFFIX).into()
}

/// The executables of this name in the folders of `path`, in order. A folder that is not absolute would be another one elsewhere.
pub(crate) fn on_path<'a>(path: &'a OsStr, name: &'a OsStr) -> impl Iterator<Item = PathBuf> + 'a {
    env::split_paths(path)
        .filter(|folder| folder.is_absolute())
        .map(move |folder| folder.join(name))
        .filter(|file| is_executable(file))
}

/// Whether a file can be started.
#[cfg(unix)]
pub(crate) fn is_executable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    path.metadata()
        .is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}

/// Whether a file can be started.
#[cfg(not(unix))]
pub(crate) fn is_executable(path: &Path) -> bool {
    path.is_file()
}
