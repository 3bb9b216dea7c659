//! Why nothing was written, each in a sentence that says what to do.

use std::io;
use std::path::PathBuf;

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
    /// It gives no name.
    #[error("`file_template` is `{0}`, which gives no name for a file: use its tokens as in `%(rev)s_%(slug)s`")]
    BadTemplate(String),
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
