//! Why nothing was written, each in a sentence that says what to do.

use std::io;
use std::path::{Path, PathBuf};

use super::placing::Fault;
use crate::source::RepoPath;

#[derive(Debug, thiserror::Error)]
pub(super) enum AdoptError {
    #[error(
        "no Alembic environment was found in `{}`: name the folder that holds its `env.py` with --environment",
        .0.display()
    )]
    NoEnvironment(PathBuf),
    #[error("there are several Alembic environments: name one of them with --environment ({})", joined(.0))]
    Several(Vec<String>),
    #[error("`{}` holds no `env.py` of Alembic: name one of the environments ({})", folder.display(), joined(known))]
    NotOne { folder: PathBuf, known: Vec<String> },
    #[error("`{0}` hands no metadata to Alembic: set its `target_metadata` to the metadata of your models")]
    NoMetadata(RepoPath),
    #[error(
        "which metadata `{env_py}` hands to Alembic cannot be told ({reason}): set a convention by hand, then use --revision-only"
    )]
    UnknownMetadata { env_py: RepoPath, reason: String },
    #[error("`{0}` hands several metadata to Alembic: a revision has one convention, so set theirs by hand")]
    SeveralMetadata(RepoPath),
    /// Each revision of such an environment has a function for each database.
    #[error("the revisions of `{0}` are for several databases at once: this one is for a single database")]
    SeveralDatabases(RepoPath),
    /// The database gives the names.
    #[error("the tables of `{0}` are read from a database, with the names that it has: there is nothing to name")]
    Reflected(RepoPath),
    #[error(
        "`{path}:{line}` has a naming convention: run this again with --revision-only, which writes the revision that renames"
    )]
    HasConvention { path: RepoPath, line: usize },
    #[error(
        "the metadata of `{0}` has no naming convention that could be read: leave out --revision-only, or set one first"
    )]
    NoConvention(RepoPath),
    #[error("the naming convention in `{module}` cannot be read ({reason}): write it as a dictionary of texts")]
    UnreadConvention { module: RepoPath, reason: String },
    #[error("the convention cannot be written into `{0}` by itself: set it there by hand, then use --revision-only")]
    NoPlace(RepoPath),
    /// Alembic itself would ask which.
    #[error("there are several heads ({}): join them with `alembic merge heads`, then run this again", joined(.0))]
    Heads(Vec<String>),
    #[error(
        "what `{0}` builds on is computed, so the last revision cannot be told: write its `down_revision` as a text"
    )]
    UnreadLink(RepoPath),
    #[error("`{0}` holds too many revisions to find the last one")]
    TooMany(RepoPath),
    #[error("the revisions lie in `{0}`, outside of `{top}`: run this where they are tracked", top = .1.display())]
    Outside(String, PathBuf),
    #[error("`{0}` is there already: move it away, or give revisions another `file_template`")]
    Exists(RepoPath),
    #[error(
        "`file_template` is `{}`, which gives {fault}: use its tokens as in `%(rev)s_%(slug)s`",
        shortened(template)
    )]
    BadTemplate { template: String, fault: Fault },
    #[error(
        "`file_template` leads to `{path}`, which is not in the folder of revisions `{folder}`: leave `..`, absolute paths and links out of it"
    )]
    Astray { path: String, folder: RepoPath },
    /// A file there could be run, or break the repository.
    #[error(
        "`{0}` is in git's own folder: give revisions a place among the files that are tracked (`file_template`, `version_locations`)"
    )]
    GitsOwn(RepoPath),
    #[error("`{0}` is a symbolic link that leads nowhere, or behind one: restore what it points to, or remove it")]
    DeadLink(RepoPath),
    #[error("`{}` is read-only: make it writable (`chmod u+w`) and run the command again", .0.display())]
    ReadOnly(PathBuf),
    #[error("`{0}` was changed in the meantime: run the command again")]
    Changed(RepoPath),
    #[error("cannot write `{}` ({cause}): check the permissions of its folder and the space left", path.display())]
    Io { path: PathBuf, cause: io::Error },
}

impl AdoptError {
    /// What the system refused.
    pub(super) fn io(path: &Path, cause: io::Error) -> Self {
        let path = path.to_owned();
        Self::Io { path, cause }
    }
}

/// The most characters of a configuration that are repeated.
const MOST_SHOWN: usize = 80;

fn shortened(text: &str) -> String {
    match text.char_indices().nth(MOST_SHOWN) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text.to_owned(),
    }
}

fn joined(ids: &[String]) -> String {
    ids.iter().map(|id| format!("`{id}`")).collect::<Vec<_>>().join(", ")
}
