//! Where paths of the command line lead, with and without symbolic links.

use std::path::{Path, PathBuf};

use crate::source::RepoPath;

/// The path if it is a folder, else its parent.
pub(super) fn folder_of(path: &Path) -> PathBuf {
    let folder = if path.is_dir() { Some(path) } else { path.parent() };
    let folder = folder.unwrap_or(path);
    folder.canonicalize().unwrap_or_else(|_| folder.to_owned())
}

/// Whether a path is written below the top while its folder really is elsewhere, outside the repository.
pub(super) fn leads_out(top: &Path, path: &Path) -> bool {
    let real = |path: &Path| path.canonicalize();
    let (Ok(top_itself), Ok(folder)) = (real(top), real(&folder_of(path))) else {
        return false;
    };
    is_written_below(top, path) && !folder.starts_with(top_itself)
}

/// Whether writing to a path below the top would write elsewhere, or into git's folder, because of a link: it may be somebody else's.
pub(crate) fn writes_elsewhere(top: &Path, path: &Path) -> bool {
    if !is_written_below(top, path) || path.starts_with(top.join(".git")) {
        return false;
    }
    let top = top.canonicalize().unwrap_or_else(|_| top.to_owned());
    // A new file will be in the nearest folder that is there, or where a link leads.
    let is_dangling = path.is_symlink() && path.canonicalize().is_err();
    let real = path.ancestors().find_map(|place| place.canonicalize().ok());
    is_dangling || real.is_some_and(|real| !real.starts_with(&top) || real.starts_with(top.join(".git")))
}

/// Whether a path is below the top as written, links not followed.
fn is_written_below(top: &Path, path: &Path) -> bool {
    path.strip_prefix(top).ok().and_then(RepoPath::from_path).is_some()
}

/// Whether a folder is not below the top, or belongs to a nested repository.
pub(super) fn is_elsewhere(folder: &Path, top: &Path) -> bool {
    let top = top.canonicalize().unwrap_or_else(|_| top.to_owned());
    let mut between = folder.ancestors().take_while(|ancestor| *ancestor != top);
    !folder.starts_with(&top) || between.any(|ancestor| ancestor.join(".git").exists())
}

/// A path relative to the top, whichever of the two is reached through a symbolic link.
pub(super) fn below(top: &Path, path: &Path) -> Option<RepoPath> {
    let lexical = path.strip_prefix(top).ok().and_then(RepoPath::from_path);
    lexical.or_else(|| {
        // A link that is the last part is a file of its own for git, unless it leads to a folder.
        let real = match path.file_name() {
            Some(name) if !path.is_dir() => path.parent()?.canonicalize().ok()?.join(name),
            _ => path.canonicalize().ok()?,
        };
        let top = top.canonicalize().ok()?;
        RepoPath::from_path(real.strip_prefix(top).ok()?)
    })
}
