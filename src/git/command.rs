//! Starting the git program and hearing it out.
//!
//! It gets the environment unchanged but for what would bend its answers, an empty standard input, and no leave to lock, to use the
//! network, or to start a program that the repository names.

use std::cell::OnceCell;
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Output, Stdio};

use super::GitError;
use super::environment::Environment;
use super::error::{is_full, says_full};
use super::place::Place;
use crate::executable::{file_name, on_path};
use crate::snapshot::ObjectId;
use crate::source::RepoPath;

/// Variables that would change what a path means.
const PATHSPECS: [&str; 4] = [
    "GIT_LITERAL_PATHSPECS",
    "GIT_GLOB_PATHSPECS",
    "GIT_NOGLOB_PATHSPECS",
    "GIT_ICASE_PATHSPECS",
];

/// What git starts on its own account when it reads or writes an index or an object, switched off (git-config, githooks). A configuration
/// that is given here counts before every file, and git hands it on to what it starts.
const NO_PROGRAMS: [&str; 5] = [
    "core.fsmonitor=false",
    // `post-index-change` runs when an index is written.
    "core.hooksPath=/dev/null",
    "core.sshCommand=false",
    "credential.helper=",
    "core.askPass=",
];

/// The parts of a filter that are programs, and what makes their absence an error (gitattributes, "filter"). An index that is written is
/// compared with files that changed within the same second, for which git puts them through their filter.
const FILTER: [(&str, &str); 4] = [
    (".clean", ""),
    (".smudge", ""),
    (".process", ""),
    (".required", "false"),
];

/// How to start git.
#[derive(Debug, Clone)]
pub(super) struct Caller {
    environment: Environment,
    folder: PathBuf,
    /// git itself, where there is one.
    program: Option<PathBuf>,
    /// The settings of every filter there is, once something is to be written.
    filters: OnceCell<Vec<OsString>>,
    /// Why git is asked at all, for the day it is not installed.
    pub(super) reason: String,
}

impl Caller {
    pub(super) fn new(environment: &Environment, folder: &Path, reason: String) -> Self {
        Self {
            environment: environment.clone(),
            folder: folder.to_owned(),
            program: program(environment, folder),
            filters: OnceCell::new(),
            reason,
        }
    }

    fn command(&self, arguments: &[&str]) -> Result<Command, GitError> {
        let mut command = self.bare_command()?;
        for setting in NO_PROGRAMS {
            command.args(["-c", setting]);
        }
        command.args(arguments);
        Ok(command)
    }

    /// git as it is configured, for questions about the configuration; none of them starts a program.
    fn bare_command(&self) -> Result<Command, GitError> {
        let missing = || self.not_started(io::ErrorKind::NotFound.into());
        let mut command = Command::new(self.program.as_ref().ok_or_else(missing)?);
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
            .args(["--no-pager", "--no-optional-locks"])
            .current_dir(&self.folder)
            .stdin(Stdio::null());
        Ok(command)
    }

    pub(super) fn output(&self, arguments: &[&str]) -> Result<Output, GitError> {
        self.command(arguments)?
            .output()
            .map_err(|error| self.not_started(error))
    }

    /// The same with the repository's own configuration, which a question can be about.
    pub(super) fn output_as_configured(&self, arguments: &[&str]) -> Result<Output, GitError> {
        self.bare_command()?
            .args(arguments)
            .output()
            .map_err(|error| self.not_started(error))
    }

    /// The filters as the configuration names them: `filter.lfs`.
    fn filters(&self) -> Result<&[OsString], GitError> {
        if let Some(filters) = self.filters.get() {
            return Ok(filters);
        }
        let output = self.output_as_configured(&["config", "-z", "--name-only", "--get-regexp", r"^filter\."])?;
        let names = output.stdout.split(|&byte| byte == 0);
        let filters = names.filter_map(|name| {
            let end = name.iter().rposition(|&byte| byte == b'.')?;
            Some(RepoPath::new(&name[..end]).to_path(Path::new("")).into_os_string())
        });
        Ok(self.filters.get_or_init(|| filters.collect()))
    }

    /// Keeps every filter from running. By variables, as a filter's name can hold the sign that ends a name after `-c`.
    fn switch_filters_off(&self, command: &mut Command) -> Result<(), GitError> {
        let known = self.environment.get("GIT_CONFIG_COUNT").unwrap_or_default();
        let mut count: usize = known.to_string_lossy().parse().unwrap_or_default();
        for filter in self.filters()? {
            for (part, value) in FILTER {
                let mut key = filter.clone();
                key.push(part);
                command.env(format!("GIT_CONFIG_KEY_{count}"), key);
                command.env(format!("GIT_CONFIG_VALUE_{count}"), value);
                count += 1;
            }
        }
        command.env("GIT_CONFIG_COUNT", count.to_string());
        Ok(())
    }

    /// What git prints for an input.
    ///
    /// The input is a file, kept beside the index: in a pipe, git would take the half that it got for all if this process is ended.
    pub(super) fn fed(&self, arguments: &[&str], input: &[u8], index: &Path) -> Result<String, GitError> {
        let mut command = self.command(arguments)?;
        self.switch_filters_off(&mut command)?;
        let output = command
            .stdin(input_file(input, index)?)
            .output()
            .map_err(|error| self.not_started(error))?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        let said = String::from_utf8_lossy(&output.stderr);
        // git does not say why it cannot write an index.
        if says_full(&said) || said.contains("rite new index") && !has_room_beside(index) {
            let path = index.parent().unwrap_or(index).to_owned();
            return Err(GitError::Full { path });
        }
        Err(self.failed(arguments, &first_line(&output.stderr)))
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
        Ok(parsed(&self.output(&[&["rev-parse"], arguments].concat())?))
    }

    /// The same with the repository's own configuration.
    pub(super) fn parse_as_configured(&self, arguments: &[&str]) -> Result<Result<PathBuf, String>, GitError> {
        Ok(parsed(
            &self.output_as_configured(&[&["rev-parse"], arguments].concat())?,
        ))
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

/// The first git on PATH outside the working tree, whose folders hook managers put in front.
fn program(environment: &Environment, folder: &Path) -> Option<PathBuf> {
    let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let folder = real(folder);
    let top = folder.ancestors().find(|above| above.join(".git").exists());
    // Below the root is every program.
    let top = top.filter(|top| top.parent().is_some());
    let is_foreign =
        |file: &PathBuf| top.is_none_or(|top| !file.parent().is_some_and(|place| real(place).starts_with(top)));
    let path = environment
        .get("PATH")
        .unwrap_or("/usr/local/bin:/usr/bin:/bin".as_ref());
    on_path(path, &file_name("git")).find(is_foreign)
}

fn parsed(output: &Output) -> Result<PathBuf, String> {
    if !output.status.success() {
        return Err(first_line(&output.stderr));
    }
    let line = output.stdout.strip_suffix(b"\n").unwrap_or(&output.stdout);
    Ok(RepoPath::new(line).to_path(Path::new("")))
}

/// A file without a name that holds what is to be read.
fn input_file(input: &[u8], index: &Path) -> Result<File, GitError> {
    let folder = index.parent().unwrap_or(index);
    let written = tempfile::tempfile_in(folder).and_then(|mut file| {
        file.write_all(input)?;
        file.rewind()?;
        Ok(file)
    });
    written.map_err(|cause| GitError::unwritten(folder.to_owned(), cause))
}

/// Whether there is room for another index.
fn has_room_beside(index: &Path) -> bool {
    let folder = index.parent().unwrap_or(index);
    let copied = File::open(index).and_then(|mut old| {
        let mut new = tempfile::tempfile_in(folder)?;
        io::copy(&mut old, &mut new)?;
        new.sync_all()
    });
    !copied.is_err_and(|error| is_full(&error))
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
        let mut command = caller.command(&Self::COMMAND)?;
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
