//! Runs the git program.
//!
//! It gets the environment without what would change its answers, and an empty standard input. It may not lock anything, use the network,
//! or start a program that the repository names.

use std::cell::OnceCell;
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Seek, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use super::GitError;
use super::environment::Environment;
use super::error::{is_full, says_full};
use super::layout::Layout;
use crate::executable::{file_name, on_path};
use crate::once::once;
use crate::source::RepoPath;

/// Variables that would change what a path means.
const PATHSPECS: [&str; 4] =
    ["GIT_LITERAL_PATHSPECS", "GIT_GLOB_PATHSPECS", "GIT_NOGLOB_PATHSPECS", "GIT_ICASE_PATHSPECS"];

/// Switches off what git starts of itself when it reads or writes an index or an object (git-config, githooks). `-c` goes before every
/// file, and git hands it on to what it starts.
const NO_PROGRAMS: [&str; 5] = [
    "core.fsmonitor=false",
    // `post-index-change` runs when an index is written.
    "core.hooksPath=/dev/null",
    "core.sshCommand=false",
    "credential.helper=",
    "core.askPass=",
];

/// Switches off a filter (gitattributes, "filter"): git puts files that changed within the same second through it when it writes an index.
const FILTER: [(&str, &str); 4] = [(".clean", ""), (".smudge", ""), (".process", ""), (".required", "false")];

/// How to start git.
#[derive(Debug, Clone)]
pub(super) struct Caller {
    environment: Environment,
    folder: PathBuf,
    /// git, if it is installed.
    program: Option<PathBuf>,
    /// The filters as the configuration names them (`filter.lfs`), once something is to be written.
    filters: OnceCell<Vec<OsString>>,
    /// Why git is asked at all, in case it is not installed.
    pub(super) reason: String,
}

impl Caller {
    pub(super) fn new(environment: &Environment, folder: &Path, reason: impl Into<String>) -> Self {
        Self {
            environment: environment.clone(),
            folder: folder.to_owned(),
            program: program(environment, folder),
            filters: OnceCell::new(),
            reason: reason.into(),
        }
    }

    pub(super) fn command(&self, arguments: &[&str]) -> Result<Command, GitError> {
        let mut command = self.bare_command()?;
        for setting in NO_PROGRAMS {
            command.args(["-c", setting]);
        }
        command.args(arguments);
        Ok(command)
    }

    /// git with the repository's own configuration, for questions about it; none of them starts a program.
    fn bare_command(&self) -> Result<Command, GitError> {
        let missing = || self.not_started(io::ErrorKind::NotFound.into());
        let mut command = Command::new(self.program.as_ref().ok_or_else(missing)?);
        command.env_clear().envs(self.environment.variables());
        for name in PATHSPECS {
            command.env_remove(name);
        }
        // Error messages are parsed, so they have to be in one language.
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
        self.run(&mut self.command(arguments)?)
    }

    /// The same with the repository's own configuration.
    pub(super) fn output_as_configured(&self, arguments: &[&str]) -> Result<Output, GitError> {
        self.run(self.bare_command()?.args(arguments))
    }

    fn run(&self, command: &mut Command) -> Result<Output, GitError> {
        command.output().map_err(|error| self.not_started(error))
    }

    fn filters(&self) -> Result<&[OsString], GitError> {
        let filters = once(&self.filters, || {
            let output = self.output_as_configured(&["config", "-z", "--name-only", "--get-regexp", r"^filter\."])?;
            let names = output.stdout.split(|&byte| byte == 0);
            let filters = names.filter_map(|name| {
                let end = name.iter().rposition(|&byte| byte == b'.')?;
                Some(RepoPath::new(&name[..end]).to_path(Path::new("")).into_os_string())
            });
            Ok::<_, GitError>(filters.collect())
        });
        Ok(filters?)
    }

    /// By variables, as the name of a filter can hold `=`, which ends a name after `-c`.
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
    /// The input is a file beside the index: from a pipe, git would take half of it for all when this process is killed.
    pub(super) fn fed(&self, arguments: &[&str], input: &[u8], index: &Path) -> Result<String, GitError> {
        let mut command = self.command(arguments)?;
        self.switch_filters_off(&mut command)?;
        let output = self.run(command.stdin(input_file(input, index)?))?;
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

    pub(super) fn not_started(&self, error: io::Error) -> GitError {
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

    /// One line of `git rev-parse`.
    pub(super) fn parse(&self, arguments: &[&str]) -> Result<PathBuf, GitError> {
        let arguments = [&["rev-parse"], arguments].concat();
        self.line(&arguments, &self.output(&arguments)?)
    }

    /// The same, or `None` where git refuses.
    pub(super) fn parse_any(&self, arguments: &[&str]) -> Result<Option<PathBuf>, GitError> {
        match self.parse(arguments) {
            Err(GitError::GitFailed { .. }) => Ok(None),
            line => line.map(Some),
        }
    }

    /// Whether `git rev-parse` answers a question with `true`.
    pub(super) fn is_so(&self, question: &str) -> Result<bool, GitError> {
        let answer = self.parse_any(&[question])?;
        Ok(answer.is_some_and(|answer| answer == Path::new("true")))
    }

    /// The line that git printed for these arguments.
    pub(super) fn line(&self, arguments: &[&str], output: &Output) -> Result<PathBuf, GitError> {
        if !output.status.success() {
            return Err(self.failed(arguments, &first_line(&output.stderr)));
        }
        let line = output.stdout.strip_suffix(b"\n").unwrap_or(&output.stdout);
        Ok(RepoPath::new(line).to_path(Path::new("")))
    }

    /// The repository that git finds; `None` where it finds none and no variable names one.
    pub(super) fn discover(&self) -> Result<Option<Layout>, GitError> {
        let git_dir = match self.parse(&["--absolute-git-dir"]) {
            Err(GitError::GitFailed { said, .. }) if said.contains("dubious ownership") => {
                let path = self.owned_by_another(&said);
                return Err(GitError::Ownership { path });
            }
            Err(GitError::GitFailed { said, .. }) if said.contains("not a git repository (or any") => return Ok(None),
            git_dir => git_dir?,
        };
        let top = match self.parse(&["--show-toplevel"]) {
            Err(GitError::GitFailed { .. }) if self.is_so("--is-bare-repository")? => None,
            top => Some(top?),
        };
        Ok(Some(Layout::new(&self.environment, &self.folder, git_dir, top)))
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

/// An unnamed file with this content.
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
