//! Why no file can be checked.

use std::path::PathBuf;

use crate::git::GitError;

/// Why no file can be checked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SelectionError {
    /// Git failed.
    #[error(transparent)]
    Git(#[from] GitError),
    /// The scope needs a repository, and there is none.
    #[error("`{}` is not in a git repository: go into one, or name the files to check", folder.display())]
    NoRepository {
        /// The current folder.
        folder: PathBuf,
    },
    /// A named path does not exist.
    #[error("`{}` does not exist: check the path", path.display())]
    NoSuchPath {
        /// As it was given.
        path: PathBuf,
    },
    /// A pipe, a device, or a symbolic link that leads nowhere.
    #[error("`{}` is neither a file nor a folder, nor a link to one: check the path", path.display())]
    NoFile {
        /// As it was given.
        path: PathBuf,
    },
    /// A symbolic link to a file of another tree.
    #[error("`{}` is a link that leads out of `{}`: name the file itself", path.display(), top.display())]
    LeadsOut {
        /// The link, as it was given.
        path: PathBuf,
        /// The top of the tree that it stands in.
        top: PathBuf,
    },
    /// A folder of the repository that is a link to somewhere else.
    #[error(
        "`{}` lies behind a link that leads out of `{}`: go to where the file is and name it there",
        path.display(), top.display()
    )]
    BehindLink {
        /// The path, as it was given.
        path: PathBuf,
        /// The top of the tree that the link stands in.
        top: PathBuf,
    },
    /// Paths of different trees in one call.
    #[error("`{}` is not below `{}`: check the two in separate calls", path.display(), top.display())]
    ElsewhereThan {
        /// The path.
        path: PathBuf,
        /// The top of the others.
        top: PathBuf,
    },
    /// A folder cannot be listed.
    #[error("cannot list `{}` ({cause}): check its permissions", folder.display())]
    Unlistable {
        /// The folder.
        folder: PathBuf,
        /// Why.
        cause: String,
    },
}
