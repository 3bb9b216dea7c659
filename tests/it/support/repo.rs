//! Repositories, and the programs that are started in them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::SystemTime;

use tempfile::TempDir;

use super::{PROGRAM, files_below, path_to_program, shield, words};

/// A repository in a folder that goes away with it.
pub struct Repo {
    folder: PathBuf,
    _temporary: Option<TempDir>,
}

impl Repo {
    /// An empty repository on branch `main`.
    #[track_caller]
    pub fn new() -> Self {
        Self::with(&[]).expect("git can make a plain repository")
    }

    /// A folder that is in no repository.
    pub fn none() -> Self {
        let temporary = tempfile::tempdir().unwrap();
        // git prints paths without symbolic links, and a temporary folder can lie behind one.
        let folder = temporary.path().canonicalize().unwrap();
        Self {
            folder,
            _temporary: Some(temporary),
        }
    }

    /// An empty repository made with more arguments of `git init`; `None`, said aloud, where the installed git cannot.
    #[track_caller]
    pub fn with(arguments: &[&str]) -> Option<Self> {
        let repo = Self::none();
        let init = repo.try_git(&[&["init", "--quiet", "--initial-branch=main"], arguments].concat());
        if !init.status.success() {
            eprintln!("skipped: git init {arguments:?}: {}", String::from_utf8_lossy(&init.stderr));
            return None;
        }
        repo.git(&["config", "core.autocrlf", "false"]);
        repo.git(&["config", "commit.gpgsign", "false"]);
        Some(repo)
    }

    /// A repository that another one owns: a linked worktree, a submodule, a clone inside it.
    pub fn at(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: folder.into(),
            _temporary: None,
        }
    }

    /// An empty repository in a folder that another one, or a temporary folder, holds.
    #[track_caller]
    pub fn make(folder: impl Into<PathBuf>) -> Self {
        let repo = Self::at(folder);
        std::fs::create_dir_all(repo.path()).unwrap();
        repo.git(&["init", "--quiet", "--initial-branch=main"]);
        repo
    }

    /// The top of the working tree.
    pub fn path(&self) -> &Path {
        &self.folder
    }

    /// A file or folder below the top.
    pub fn join(&self, path: impl AsRef<Path>) -> PathBuf {
        self.folder.join(path)
    }

    /// A program started at the top, with the environment of a test.
    pub fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        shield(&mut command).current_dir(&self.folder);
        // As for most users, who type its name.
        command.env("PATH", path_to_program());
        command
    }

    /// Runs the program under test at the top, whatever comes of it.
    #[track_caller]
    pub fn run(&self, arguments: &[&str]) -> Output {
        self.command(PROGRAM).args(arguments).output().unwrap()
    }

    /// The same, which must end with this exit status; gives both streams.
    #[track_caller]
    pub fn ends(&self, arguments: &[&str], status: i32) -> String {
        let output = self.run(arguments);
        let said = words(&output);
        assert_eq!(output.status.code(), Some(status), "{arguments:?} said: {said}");
        said
    }

    /// The program under test, started at the top.
    pub fn tool(&self, arguments: &[&str]) -> assert_cmd::Command {
        self.tool_in("", arguments)
    }

    /// The program under test, started in a folder below the top.
    pub fn tool_in(&self, folder: &str, arguments: &[&str]) -> assert_cmd::Command {
        let mut command = self.command(PROGRAM);
        command.args(arguments).current_dir(self.join(folder));
        assert_cmd::Command::from_std(command)
    }

    /// Runs git, whatever comes of it.
    #[track_caller]
    pub fn try_git(&self, arguments: &[&str]) -> Output {
        self.command("git").args(arguments).output().unwrap()
    }

    /// Runs git and gives what it printed, without the last line end.
    #[track_caller]
    pub fn git(&self, arguments: &[&str]) -> String {
        self.printed(arguments, &self.try_git(arguments))
    }

    #[track_caller]
    fn printed(&self, arguments: &[&str], output: &Output) -> String {
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "git {arguments:?} in {}: {said}", self.folder.display());
        String::from_utf8_lossy(&output.stdout)
            .trim_end_matches('\n')
            .to_owned()
    }

    /// Runs a command of git that reads standard input.
    #[track_caller]
    pub fn git_with_input(&self, arguments: &[&str], input: &[u8]) -> String {
        use std::io::Write;
        let mut command = self.command("git");
        let mut child = command
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(input).unwrap();
        self.printed(arguments, &child.wait_with_output().unwrap())
    }

    /// Writes a file and the folders it needs.
    #[track_caller]
    pub fn write(&self, path: impl AsRef<Path>, text: impl AsRef<[u8]>) -> &Self {
        let path = self.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
        self
    }

    /// Writes the files below a folder of this machine; gives how many there are.
    #[track_caller]
    pub fn copy(&self, from: &Path, to: &str) -> usize {
        let files = files_below(from);
        for (path, content) in &files {
            self.write(Path::new(to).join(path), content);
        }
        files.len()
    }

    /// When each file and folder was written, those of git too, and how large it is.
    #[track_caller]
    pub fn files(&self) -> BTreeMap<PathBuf, (SystemTime, u64)> {
        let mut folders = vec![self.folder.clone()];
        let mut files = BTreeMap::new();
        while let Some(folder) = folders.pop() {
            // What may not be read may not be written either.
            for child in std::fs::read_dir(folder).into_iter().flatten().flatten() {
                let metadata = child.metadata().unwrap();
                if metadata.is_dir() {
                    folders.push(child.path());
                }
                // git itself sets the time of a shared index when it reads a split one (git-update-index).
                if child.file_name().to_string_lossy().starts_with("sharedindex.") {
                    continue;
                }
                files.insert(child.path(), (metadata.modified().unwrap(), metadata.len()));
            }
        }
        files
    }

    /// The text of a file in the working tree.
    #[track_caller]
    pub fn read(&self, path: impl AsRef<Path>) -> String {
        std::fs::read_to_string(self.join(path)).unwrap()
    }

    /// Writes a file and stages it.
    #[track_caller]
    pub fn stage(&self, path: impl AsRef<Path>, text: impl AsRef<[u8]>) -> &Self {
        self.write(&path, text);
        let output = self
            .command("git")
            .args(["--literal-pathspecs", "add", "--"])
            .arg(path.as_ref())
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        self
    }

    /// Commits what is staged, with no hook, and gives the commit's id.
    #[track_caller]
    pub fn commit(&self, message: &str) -> String {
        self.git(&["commit", "--quiet", "--no-verify", "--allow-empty", "-m", message]);
        self.git(&["rev-parse", "HEAD"])
    }

    /// Installs a hook that is a shell script.
    #[cfg(unix)]
    #[track_caller]
    pub fn hook(&self, name: &str, script: &str) -> &Self {
        let folder = self.join(self.git(&["rev-parse", "--git-path", "hooks"]));
        std::fs::create_dir_all(&folder).unwrap();
        super::executable(&folder.join(name), &format!("#!/bin/sh\n{script}\n"));
        self
    }
}
