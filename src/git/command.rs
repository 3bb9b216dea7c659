//! Starting the git program and hearing it out.
//!
//! It gets the environment unchanged but for what would bend its answers, an empty standard input, and no leave to lock
//! or to use the network.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Output, Stdio};

use super::environment::Environment;
use super::place::Place;
use super::{GitError, ObjectId};
use crate::source::RepoPath;

/// Variables that would change what a path means.
const PATHSPECS: [&str; 4] = [
    "GIT_LITERAL_PATHSPECS",
    "GIT_GLOB_PATHSPECS",
    "GIT_NOGLOB_PATHSPECS",
    "GIT_ICASE_PATHSPECS",
];

/// How to start git.
#[derive(Debug, Clone)]
pub(super) struct Caller {
    environment: Environment,
    folder: PathBuf,
    /// Why git is asked at all, for the day it is not installed.
    pub(super) reason: String,
}

impl Caller {
    pub(super) fn new(environment: &Environment, folder: &Path, reason: String) -> Self {
        Self {
            environment: environment.clone(),
            folder: folder.to_owned(),
            reason,
        }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("git");
        command.env_clear().envs(self.environment.variables());
        for name in PATHSPECS {
            command.env_remove(name);
        }
        // Error messages are read, so they have to be in one language.
        command
            .env("LC_ALL", "C")
            .env("GIT_NO_LAZY_FETCH", "1")
            // Before 2.44 git does not know that one, and would fetch.
            .env("GIT_ALLOW_PROTOCOL", "none")
            .env("GIT_TERMINAL_PROMPT", "0");
        command
            .arg("--no-optional-locks")
            .args(arguments)
            .current_dir(&self.folder)
            .stdin(Stdio::null());
        command
    }

    pub(super) fn output(&self, arguments: &[&str]) -> Result<Output, GitError> {
        self.command(arguments)
            .output()
            .map_err(|error| self.not_started(error))
    }

    /// What git prints for an input.
    ///
    /// The input is a file, kept beside the index: in a pipe, git would take the half that it got for all if this process is ended.
    pub(super) fn fed(&self, arguments: &[&str], input: &[u8], index: &Path) -> Result<String, GitError> {
        let output = self
            .command(arguments)
            .stdin(input_file(input, index)?)
            .output()
            .map_err(|error| self.not_started(error))?;
        if output.status.success() {
            Ok(String::from_utf8_lossy(&output.stdout).into_owned())
        } else {
            Err(self.failed(arguments, &first_line(&output.stderr)))
        }
    }

    fn not_started(&self, error: io::Error) -> GitError {
        if error.kind() == io::ErrorKind::NotFound && self.folder.is_dir() {
            GitError::GitMissing {
                reason: self.reason.clone(),
            }
        } else {
            GitError::Io {
                path: self.folder.clone(),
                cause: error,
            }
        }
    }

    pub(super) fn failed(&self, arguments: &[&str], said: &str) -> GitError {
        let shown = arguments.iter().filter(|argument| !argument.starts_with('-')).copied();
        GitError::GitFailed {
            command: shown.take(3).collect::<Vec<_>>().join(" "),
            said: said.to_owned(),
            folder: self.folder.clone(),
        }
    }

    /// One line of `git rev-parse`; the error output where it fails.
    pub(super) fn parse(&self, arguments: &[&str]) -> Result<Result<PathBuf, String>, GitError> {
        let arguments = [&["rev-parse"], arguments].concat();
        let output = self.output(&arguments)?;
        if !output.status.success() {
            return Ok(Err(first_line(&output.stderr)));
        }
        let line = output.stdout.strip_suffix(b"\n").unwrap_or(&output.stdout);
        Ok(Ok(RepoPath::new(line).to_path(Path::new(""))))
    }

    /// The repository as git finds it; `None` where it finds none and nothing named one.
    ///
    /// git-rev-parse is believed, also where it refuses the owner.
    pub(super) fn discover(&self) -> Result<Option<Place>, GitError> {
        let git_dir = match self.parse(&["--absolute-git-dir"])? {
            Ok(git_dir) => git_dir,
            Err(said) if said.contains("dubious ownership") => {
                return Err(GitError::Ownership {
                    path: self.owned_by_another(&said),
                });
            }
            Err(said) if said.contains("not a git repository (or any") => return Ok(None),
            Err(said) => return Err(self.failed(&["rev-parse", "--absolute-git-dir"], &said)),
        };
        let top = match self.parse(&["--show-toplevel"])? {
            Ok(top) => Some(top),
            Err(_)
                if self
                    .parse(&["--is-bare-repository"])?
                    .is_ok_and(|answer| answer == Path::new("true")) =>
            {
                None
            }
            Err(said) => return Err(self.failed(&["rev-parse", "--show-toplevel"], &said)),
        };
        Ok(Some(Place::new(&self.environment, &self.folder, git_dir, top)))
    }

    /// git names the folder in quotes.
    pub(super) fn owned_by_another(&self, said: &str) -> PathBuf {
        let named = said.split('\'').nth(1);
        named.map_or_else(|| self.folder.clone(), PathBuf::from)
    }
}

/// A file without a name that holds what is to be read.
fn input_file(input: &[u8], index: &Path) -> Result<File, GitError> {
    let folder = index.parent().unwrap_or(index);
    let written = tempfile::tempfile_in(folder).and_then(|mut file| {
        file.write_all(input)?;
        file.rewind()?;
        Ok(file)
    });
    written.map_err(|cause| GitError::Io {
        path: folder.to_owned(),
        cause,
    })
}

pub(super) fn first_line(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text);
    text.split('\n').next().unwrap_or_default().trim().to_owned()
}

/// A running `git cat-file --batch`.
pub(super) struct Batch {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

pub(super) enum Reply {
    Content(Vec<u8>),
    Missing,
    TooLarge(u64),
    /// It gave up: an object is damaged, or may not be fetched (before 2.44).
    Ended,
    Other,
}

impl Batch {
    pub(super) const COMMAND: [&'static str; 2] = ["cat-file", "--batch"];

    pub(super) fn start(caller: &Caller) -> Result<Self, GitError> {
        let mut command = caller.command(&Self::COMMAND);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut child = command.spawn().map_err(|error| caller.not_started(error))?;
        let (Some(input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(caller.failed(&Self::COMMAND, "it has no pipes"));
        };
        Ok(Self {
            child,
            input,
            output: BufReader::new(output),
        })
    }

    /// One object: `<id> <type> <size>`, its bytes and a line end (git-cat-file, "Batch output").
    pub(super) fn ask(&mut self, id: &ObjectId, limit: u64) -> io::Result<Reply> {
        self.input.write_all(format!("{id}\n").as_bytes())?;
        let mut head = String::new();
        self.output.read_line(&mut head)?;
        let mut words = head.split_whitespace().skip(1);
        let (kind, size) = (
            words.next().unwrap_or_default(),
            words.next().and_then(|size| size.parse::<u64>().ok()),
        );
        match (kind, size) {
            ("blob", Some(size)) if size > limit => Ok(Reply::TooLarge(size)),
            ("blob", Some(size)) => {
                let mut content = Vec::new();
                (&mut self.output)
                    .take(size.saturating_add(1))
                    .read_to_end(&mut content)?;
                let is_whole = content.len() as u64 == size.saturating_add(1) && content.pop() == Some(b'\n');
                if is_whole {
                    Ok(Reply::Content(content))
                } else {
                    Err(io::Error::other("it ended early"))
                }
            }
            ("missing", _) => Ok(Reply::Missing),
            ("", _) => Ok(Reply::Ended),
            _ => Ok(Reply::Other),
        }
    }
}

impl Drop for Batch {
    fn drop(&mut self) {
        // Waiting alone could last forever where it still has something to send; both can only fail if it is gone
        // already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
