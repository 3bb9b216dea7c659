//! Why nothing was written, each in a sentence that says what to do.

use std::io;
use std::path::{Path, PathBuf};

use crate::source::RepoPath;

/// Why nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum AdoptError {
    /// There is nothing to adopt a convention for.
    #[error(
        "no Alembic environment was found in `{}`: name the folder that holds its `env.py` with --environment",
        .0.display()
    )]
    NoEnvironment(PathBuf),
    /// There are several.
    #[error("there are several Alembic environments: name one of them with --environment ({})", quoted(.0))]
    Several(Vec<RepoPath>),
    /// What was named is none.
    #[error("`{}` holds no `env.py` of Alembic: name one of the environments ({})", folder.display(), quoted(known))]
    NotOne {
        /// As it was given.
        folder: PathBuf,
        /// Those that are there.
        known: Vec<RepoPath>,
    },
    /// `target_metadata` is `None`.
    #[error("`{0}` hands no metadata to Alembic: set its `target_metadata` to the metadata of your models")]
    NoMetadata(RepoPath),
    /// It cannot be told without running the project.
    #[error(
        "which metadata `{env_py}` hands to Alembic cannot be told ({reason}): set a convention by hand, then use --revision-only"
    )]
    UnknownMetadata {
        /// The module.
        env_py: RepoPath,
        /// Why.
        reason: String,
    },
    /// A list, or one for each database.
    #[error("`{0}` hands several metadata to Alembic: a revision has one convention, so set theirs by hand")]
    SeveralMetadata(RepoPath),
    /// Each revision of such an environment has a function for each database.
    #[error("the revisions of `{0}` are for several databases at once: this one is for a single database")]
    SeveralDatabases(RepoPath),
    /// The names are the database's by intent.
    #[error("the tables of `{0}` are read from a database, with the names that it has: there is nothing to name")]
    Reflected(RepoPath),
    /// There is one already.
    #[error(
        "`{path}:{line}` has a naming convention: `alembic-named adopt --revision-only` writes the revision that renames"
    )]
    HasConvention {
        /// Where it is written.
        path: RepoPath,
        /// The line.
        line: usize,
    },
    /// `--revision-only` without one.
    #[error(
        "the metadata of `{0}` has no naming convention that could be read: leave out --revision-only, or set one first"
    )]
    NoConvention(RepoPath),
    /// One that cannot be read.
    #[error("the naming convention in `{module}` cannot be read ({reason}): write it as a dictionary of texts")]
    UnreadConvention {
        /// Where it is made, or else `env.py`.
        module: RepoPath,
        /// Why.
        reason: String,
    },
    /// The fix has no place for it.
    #[error("the convention cannot be written into `{0}` by itself: set it there by hand, then use --revision-only")]
    NoPlace(RepoPath),
    /// Alembic itself would ask which.
    #[error("there are several heads ({}): join them with `alembic merge heads`, then run this again", names(.0))]
    Heads(Vec<String>),
    /// A link that is computed.
    #[error(
        "what `{0}` builds on is computed, so the last revision cannot be told: write its `down_revision` as a text"
    )]
    UnreadLink(RepoPath),
    /// More than is read.
    #[error("`{0}` holds too many revisions to find the last one")]
    TooMany(RepoPath),
    /// Nobody but its owner writes there.
    #[error("the revisions lie in `{0}`, outside of `{top}`: run this where they are tracked", top = .1.display())]
    Outside(String, PathBuf),
    /// Never overwritten.
    #[error("`{0}` is there already: move it away, or give revisions another `file_template`")]
    Exists(RepoPath),
    /// It gives no name, or none that is fit.
    #[error(
        "`file_template` is `{}`, which gives {fault}: use its tokens as in `%(rev)s_%(slug)s`",
        shortened(template)
    )]
    BadTemplate {
        /// What is written there.
        template: String,
        /// What it gives.
        fault: &'static str,
    },
    /// It leads elsewhere.
    #[error(
        "`file_template` leads to `{path}`, which is not in the folder of revisions `{folder}`: leave `..`, absolute paths and links out of it"
    )]
    Astray {
        /// Where to.
        path: String,
        /// Where it should be.
        folder: RepoPath,
    },
    /// What is written there could be run, or break the repository.
    #[error(
        "`{0}` is in git's own folder: give revisions a place among the files that are tracked (`file_template`, `version_locations`)"
    )]
    GitsOwn(RepoPath),
    /// Nobody knows what would be there.
    #[error("`{0}` is a symbolic link that leads nowhere, or behind one: restore what it points to, or remove it")]
    DeadLink(RepoPath),
    /// The folder may not be written to.
    #[error("`{}` is read-only: make it writable (`chmod u+w`) and run the command again", .0.display())]
    ReadOnly(PathBuf),
    /// The metadata module has changed in between.
    #[error("`{0}` was changed in the meantime: run the command again")]
    Changed(RepoPath),
    /// The system refused.
    #[error("cannot write `{}` ({cause}): check the permissions of its folder and the space left", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        cause: io::Error,
    },
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

fn quoted(folders: &[RepoPath]) -> String {
    let one = |folder: &RepoPath| {
        format!(
            "`{}`",
            if folder.as_bytes().is_empty() {
                ".".into()
            } else {
                folder.display()
            }
        )
    };
    folders.iter().map(one).collect::<Vec<_>>().join(", ")
}

fn names(ids: &[String]) -> String {
    ids.iter().map(|id| format!("`{id}`")).collect::<Vec<_>>().join(", ")
}
