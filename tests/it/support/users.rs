//! Users that a test can become, where it runs as root.

use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use super::{PROGRAM, Repo};

/// Whether the tests run as root, who can do more than a test of permissions expects.
pub fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output();
    id.is_ok_and(|id| id.stdout == b"0\n")
}

/// What Linux and others call `nobody`.
const NOBODY: u32 = 65534;

/// Makes a program start as a user without rights where the tests run as root; elsewhere they have none anyway.
pub fn as_nobody(command: &mut Command) -> &mut Command {
    if is_root() {
        command.uid(NOBODY).gid(NOBODY);
    }
    command
}

/// Gives a repository to the user of [`as_nobody`], since git believes no other.
#[track_caller]
pub fn hand_over(repo: &Repo) {
    if is_root() {
        give(repo.path(), NOBODY);
    }
}

/// The same where git shall believe the tests no longer; `false`, said aloud, where they may give nothing away.
#[track_caller]
pub fn give_away(repo: &Repo) -> bool {
    if !is_root() {
        eprintln!("skipped: only root can give files away");
    }
    hand_over(repo);
    is_root()
}

/// The opposite of [`hand_over`].
#[track_caller]
pub fn take_back(repo: &Repo) {
    if is_root() {
        give(repo.path(), 0);
    }
}

#[track_caller]
fn give(path: &Path, to: u32) {
    std::os::unix::fs::lchown(path, Some(to), Some(to)).unwrap();
    if path.is_dir() && !path.is_symlink() {
        for entry in std::fs::read_dir(path).unwrap() {
            give(&entry.unwrap().path(), to);
        }
    }
}

/// Whether git and the program can be started as the user of [`as_nobody`]; said aloud where they cannot.
pub fn git_on_nobody(repo: &Repo) -> bool {
    let starts = |program: &str| {
        let mut command = repo.command(program);
        let output = as_nobody(command.arg("--version").current_dir("/")).output();
        output.is_ok_and(|output| output.status.success())
    };
    let can = starts("git") && starts(PROGRAM);
    if !can {
        eprintln!("skipped: no other user can be become here");
    }
    can
}
