//! Why nothing was installed or removed, each in one sentence that says what to do.

use std::io;
use std::path::PathBuf;

use clap::ValueEnum as _;

use super::Manager;
use super::entry::COMMAND;
use crate::fix::WriteError;
use crate::git::GitError;

/// Nothing was changed where this is reported.
#[derive(Debug, thiserror::Error)]
pub(super) enum InstallError {
    #[error("`{}` is not in a git work tree: go into the repository that shall get the hook", .0.display())]
    Nowhere(PathBuf),
    #[error("`{}` is a bare repository, in which nothing is committed: go into a work tree of it", .0.display())]
    Bare(PathBuf),
    #[error("core.hooksPath is set to nothing, so git runs no hooks in `{}`: unset it first", .0.display())]
    SwitchedOff(PathBuf),
    #[error("`{}` is not a folder, so git runs no hooks here: correct core.hooksPath first", .0.display())]
    NoFolder(PathBuf),
    #[error("`{}` is written anew by husky: use --manager husky", .0.display())]
    HuskyFolder(PathBuf),
    #[error("there is no `{}`: set husky up first with `npx husky init`", .0.display())]
    NoHusky(PathBuf),
    #[error("there is no `{}`: make it first with `{}`", path.display(), made_by(*manager))]
    NoConfig { path: PathBuf, manager: Manager },
    /// Neither of them runs the hooks.
    #[error("`{}` and `{}` are both there: say which one runs the hooks with --manager", first.display(), second.display())]
    Ambiguous { first: PathBuf, second: PathBuf },
    #[error(
        "`{}` was edited since it was installed: move your lines into a hook of your own, delete this file, and run \
         the command again",
        .0.display()
    )]
    Edited(PathBuf),
    /// A manager would write its hook again and leave this one out.
    #[error("`{}` was written by {}, which would write it again: use --manager {}", hook.display(), name(*manager), name(*manager))]
    Generated { hook: PathBuf, manager: Manager },
    #[error(
        "`{}` cannot be kept as `{}`, which is there already: join the two into one hook, and run the command again",
        hook.display(), chained.display()
    )]
    Taken { hook: PathBuf, chained: PathBuf },
    #[error(
        "`{}` is a hook that nothing runs: rename it to `{}`, or remove it, and run the command again",
        chained.display(), hook.display()
    )]
    Orphan { chained: PathBuf, hook: PathBuf },
    #[error("`{}` is a link to a file that is not there: remove it, or bring the file back", .0.display())]
    Dangling(PathBuf),
    #[error("`{}` leads through a link out of the working tree: put a file or folder of its own in the link's place", .0.display())]
    LeadsOut(PathBuf),
    #[error("`{}` is not a file: move it away and run the command again", .0.display())]
    NoFile(PathBuf),
    #[error(
        "`{}` is not the hook of alembic-named, so it was left as it is: if it runs alembic-named, remove that line \
         from it",
        .0.display()
    )]
    NotOurs(PathBuf),
    /// A line at the end would never run, or not always.
    #[error(
        "line {line} of `{}` can end the script or is not closed, so a line below it might never run: put this above line {above}: \
         {COMMAND}",
        path.display()
    )]
    Ends { path: PathBuf, line: usize, above: usize },
    #[error(
        "line {line} of `{}` is not laid out so that an entry can be added with certainty: add the one that the same \
         command prints without --write",
        path.display()
    )]
    Layout { path: PathBuf, line: usize },
    #[error(
        "line {line} of `{}` runs alembic-named and was not written by `alembic-named install`: remove it by hand",
        path.display()
    )]
    Unknown { path: PathBuf, line: usize },
    #[error("`{}` is not a program: give the path of the alembic-named binary", .0.display())]
    NoProgram(PathBuf),
    #[error("cannot read `{}` ({cause}): check that it is a text file and that you may read it", path.display())]
    Read { path: PathBuf, cause: io::Error },
    #[error(transparent)]
    Write(#[from] WriteError),
    #[error(transparent)]
    Git(#[from] GitError),
}

/// The manager as its users write it.
pub(super) fn name(manager: Manager) -> String {
    let value = manager.to_possible_value();
    value.map(|value| value.get_name().to_owned()).unwrap_or_default()
}

fn made_by(manager: Manager) -> &'static str {
    match manager {
        Manager::Git => "git init",
        Manager::Husky => "npx husky init",
        Manager::Lefthook => "lefthook install",
        Manager::PreCommit => "pre-commit sample-config > .pre-commit-config.yaml",
        Manager::Prek => "prek init",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_message_is_one_sentence_with_a_remedy() {
        let path = || PathBuf::from("/repo/file");
        let messages = [
            InstallError::Nowhere(path()),
            InstallError::Bare(path()),
            InstallError::SwitchedOff(path()),
            InstallError::NoFolder(path()),
            InstallError::HuskyFolder(path()),
            InstallError::NoHusky(path()),
            InstallError::NoConfig {
                path: path(),
                manager: Manager::Lefthook,
            },
            InstallError::Ambiguous {
                first: path(),
                second: path(),
            },
            InstallError::Edited(path()),
            InstallError::Generated {
                hook: path(),
                manager: Manager::Prek,
            },
            InstallError::Taken {
                hook: path(),
                chained: path(),
            },
            InstallError::Orphan {
                hook: path(),
                chained: path(),
            },
            InstallError::Dangling(path()),
            InstallError::LeadsOut(path()),
            InstallError::NoFile(path()),
            InstallError::NotOurs(path()),
            InstallError::Ends {
                path: path(),
                line: 3,
                above: 2,
            },
            InstallError::Layout { path: path(), line: 3 },
            InstallError::Unknown { path: path(), line: 3 },
            InstallError::NoProgram(path()),
            InstallError::Read {
                path: path(),
                cause: io::ErrorKind::PermissionDenied.into(),
            },
        ];
        for message in messages.map(|error| error.to_string()) {
            let is_one_sentence = !message.contains('\n') && !message.ends_with('.') && !message.contains("  ");
            let has_both = message.contains(": ") && message.contains("/repo/file");
            assert!(is_one_sentence && has_both && !message.starts_with(char::is_uppercase), "{message}");
        }
    }
}
