//! Where paths lead.

use std::path::{Path, PathBuf};

use crate::source::RepoPath;

/// The folder that a path stands in, or is.
pub(super) fn folder_of(path: &Path) -> PathBuf {
    let folder = if path.is_dir() { Some(path) } else { path.parent() };
    let folder = folder.unwrap_or(path);
    folder.canonicalize().unwrap_or_else(|_| folder.to_owned())
}

/// Whether a path is written as one below the top and its folder, or the folder that it is, is elsewhere: what is read and written there
/// would not be the repository's.
pub(super) fn leads_out(top: &Path, path: &Path) -> bool {
    let real = |path: &Path| path.canonicalize();
    let (Ok(top_itself), Ok(folder)) = (real(top), real(&folder_of(path))) else {
        return false;
    };
    is_written_below(top, path) && !folder.starts_with(top_itself)
}

/// Whether a path is below the top as it reads, whatever links there are.
pub(super) fn is_written_below(top: &Path, path: &Path) -> bool {
    path.strip_prefix(top).ok().and_then(RepoPath::from_path).is_some()
}

/// Whether a folder is not below the top, or belongs to a repository within it.
pub(super) fn is_elsewhere(folder: &Path, top: &Path) -> bool {
    let top = top.canonicalize().unwrap_or_else(|_| top.to_owned());
    let mut between = folder.ancestors().take_while(|ancestor| *ancestor != top);
    !folder.starts_with(&top) || between.any(|ancestor| ancestor.join(".git").exists())
}

/// A path as seen from the top, whichever of the two goes through a symbolic link.
pub(super) fn below(top: &Path, path: &Path) -> Option<RepoPath> {
    let lexical = path.strip_prefix(top).ok().and_then(RepoPath::from_path);
    lexical.or_else(|| {
        // The last part may be a link that git holds as such, unless it is a folder.
        let real = match path.file_name() {
            Some(name) if !path.is_dir() => path.parent()?.canonicalize().ok()?.join(name),
            _ => path.canonicalize().ok()?,
        };
        let top = top.canonicalize().ok()?;
        RepoPath::from_path(real.strip_prefix(top).ok()?)
    })
}
