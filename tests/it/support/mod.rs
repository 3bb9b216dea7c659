//! Real repositories for tests, made by the installed git and shielded from the machine's configuration.

#![allow(dead_code, unreachable_pub, reason = "each test file uses its own part")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stderr,
    reason = "a test that fails should say where"
)]

pub mod random;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::SystemTime;

use tempfile::TempDir;

/// The program under test.
pub const PROGRAM: &str = env!("CARGO_BIN_EXE_alembic-named");

/// A foreign key's name as autogenerate writes it without a naming convention.
pub const UNNAMED: &str = "None";
/// The same foreign key's name as it should be.
pub const NAMED: &str = "op.f('fk_order_invoice_id_invoice')";
/// The name that is suggested for it.
pub const SUGGESTED: &str = "fk_order_invoice_id_invoice";

/// A migration as Alembic writes it; `name` is the code that names its foreign key in both functions.
pub fn migration(name: &str) -> String {
    format!(
        "\
\"\"\"add invoice to order\"\"\"
from alembic import op
import sqlalchemy as sa

revision = '9b3e64c8d215'
down_revision = None


def upgrade() -> None:
    op.add_column('order', sa.Column('invoice_id', sa.Integer(), nullable=True))
    op.create_foreign_key({name}, 'order', 'invoice', ['invoice_id'], ['id'])


def downgrade() -> None:
    op.drop_constraint({name}, 'order', type_='foreignkey')
    op.drop_column('order', 'invoice_id')
"
    )
}

/// What a run of the program under test said.
#[derive(Debug, PartialEq, Eq)]
pub struct Said {
    /// Standard output: findings.
    pub out: String,
    /// Standard error: hints and failures.
    pub err: String,
}

/// Runs `command`, which must end with this exit status.
#[track_caller]
pub fn said(mut command: assert_cmd::Command, status: i32) -> Said {
    let done = command.assert().code(status);
    let text = |stream: &[u8]| String::from_utf8(stream.to_vec()).expect("what is said is UTF-8");
    Said {
        out: text(&done.get_output().stdout),
        err: text(&done.get_output().stderr),
    }
}

/// Whether the tests run as root, who can do more than a test of permissions expects.
pub fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output();
    id.is_ok_and(|id| id.stdout == b"0\n")
}

/// What Linux and others call `nobody`.
#[cfg(unix)]
const NOBODY: u32 = 65534;

/// Makes a program start as a user without rights where the tests run as root; elsewhere they have none anyway.
#[cfg(unix)]
pub fn as_nobody(command: &mut Command) -> &mut Command {
    use std::os::unix::process::CommandExt;
    if is_root() {
        command.uid(NOBODY).gid(NOBODY);
    }
    command
}

/// Gives a repository to the user of [`as_nobody`], since git believes no other.
#[cfg(unix)]
#[track_caller]
pub fn hand_over(repo: &Repo) {
    if is_root() {
        give(repo.path(), NOBODY);
    }
}

/// The opposite of [`hand_over`].
#[cfg(unix)]
#[track_caller]
pub fn take_back(repo: &Repo) {
    if is_root() {
        give(repo.path(), 0);
    }
}

#[cfg(unix)]
#[track_caller]
fn give(path: &Path, to: u32) {
    std::os::unix::fs::lchown(path, Some(to), Some(to)).unwrap();
    if path.is_dir() && !path.is_symlink() {
        for entry in std::fs::read_dir(path).unwrap() {
            give(&entry.unwrap().path(), to);
        }
    }
}

/// Whether git and the program can be started as the user of [`as_nobody`].
#[cfg(unix)]
pub fn git_on_nobody(repo: &Repo) -> bool {
    let starts = |program: &str| {
        let mut command = repo.command(program);
        let output = as_nobody(command.arg("--version").current_dir("/")).output();
        output.is_ok_and(|output| output.status.success())
    };
    starts("git") && starts(PROGRAM)
}

/// A text with `[[before=>after]]` in it, as it is before and after.
#[track_caller]
pub fn both_texts(template: &str) -> (String, String) {
    let mut parts = template.split("[[");
    let first = parts.next().unwrap_or_default().to_owned();
    let (mut before, mut after) = (first.clone(), first);
    for part in parts {
        let (change, rest) = part.split_once("]]").expect("a change ends");
        let (old, new) = change.split_once("=>").expect("a change has two sides");
        before.extend([old, rest]);
        after.extend([new, rest]);
    }
    (before, after)
}

/// Temporary and lock files that something left behind.
#[track_caller]
pub fn leftovers(repo: &Repo) -> Vec<String> {
    fn search(folder: &Path, found: &mut Vec<String>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() && !path.is_symlink() {
                search(&path, found);
            } else if path.extension().is_some_and(|end| end == "lock" || end == "tmp") {
                found.push(path.display().to_string());
            }
        }
    }
    let mut found = Vec::new();
    search(repo.path(), &mut found);
    found
}

/// An index without its cached tree, as git wrote it before 1.7 and other programs still do. `None` where it has none, or is not
/// one of SHA-1.
///
/// A hash that was right is right again; one that was skipped or wrong stays as it was.
pub fn without_cached_tree(index: &[u8]) -> Option<Vec<u8>> {
    let (body, hash) = index.split_at_checked(index.len().checked_sub(20)?)?;
    let behind = |at: usize| {
        let size = body
            .get(at + 4..)?
            .first_chunk()
            .map(|size| u32::from_be_bytes(*size))?;
        Some(at + 8 + usize::try_from(size).unwrap()).filter(|&end| end <= body.len())
    };
    let leads_to_the_end = |at: &usize| {
        let mut at = *at;
        while let Some(end) = behind(at) {
            at = end;
        }
        at == body.len()
    };
    let mut places = (12..body.len().saturating_sub(7)).rev();
    let at = places.find(|at| body[*at..].starts_with(b"TREE") && leads_to_the_end(at))?;
    let rest = [&body[..at], &body[behind(at)?..]].concat();
    let is_right = sha1_smol::Sha1::from(body).digest().bytes() == hash;
    Some(if is_right {
        with_hash(&rest)
    } else {
        [rest.as_slice(), hash].concat()
    })
}

/// An index, whose last 20 bytes are missing, with the hash that it should have.
pub fn with_hash(body: &[u8]) -> Vec<u8> {
    [body, &sha1_smol::Sha1::from(body).digest().bytes()].concat()
}

/// Both streams of a program as text.
pub fn words(output: &Output) -> String {
    [&output.stdout, &output.stderr]
        .map(|stream| String::from_utf8_lossy(stream).into_owned())
        .concat()
}

/// What every program of a test sees instead of the caller's variables of that kind.
const VARIABLES: [(&str, &str); 9] = [
    ("GIT_CONFIG_NOSYSTEM", "1"),
    ("GIT_CONFIG_GLOBAL", "/dev/null"),
    ("GIT_AUTHOR_NAME", "author"),
    ("GIT_AUTHOR_EMAIL", "author@example.com"),
    ("GIT_AUTHOR_DATE", "2026-01-01T00:00:00Z"),
    ("GIT_COMMITTER_NAME", "committer"),
    ("GIT_COMMITTER_EMAIL", "committer@example.com"),
    ("GIT_COMMITTER_DATE", "2026-01-01T00:00:00Z"),
    ("GIT_TERMINAL_PROMPT", "0"),
];

/// Whether a variable of the caller would change what a test sees, or how long it takes: cargo names its own folders of
/// libraries to whatever it starts, and the loader looks into each for every library of every program.
fn leaks(name: &str) -> bool {
    let is_named = matches!(
        name,
        "NO_COLOR" | "CLICOLOR" | "CLICOLOR_FORCE" | "CI" | "GITHUB_ACTIONS" | "TERM" | "COLUMNS" | "LD_LIBRARY_PATH"
    );
    is_named
        || ["GIT", "PRE_COMMIT", "ALEMBIC_NAMED"]
            .iter()
            .any(|prefix| name.starts_with(prefix))
}

/// The variables of this process that a test must not see.
pub fn leaking_variables() -> Vec<std::ffi::OsString> {
    std::env::vars_os()
        .map(|(name, _)| name)
        .filter(|name| leaks(&name.to_string_lossy()))
        .collect()
}

/// The variables that every test sees.
pub fn fixed_variables() -> impl Iterator<Item = (&'static str, &'static str)> {
    VARIABLES.into_iter()
}

/// Gives a program the environment of a test. For `assert_cmd`: `assert_cmd::Command::from_std(command)`.
pub fn shield(command: &mut Command) -> &mut Command {
    for name in leaking_variables() {
        command.env_remove(name);
    }
    command.envs(fixed_variables()).stdin(Stdio::null())
}

/// `PATH` with the program under test in it.
pub fn path_to_program() -> std::ffi::OsString {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let own = Path::new(PROGRAM).parent().map(Path::to_owned);
    std::env::join_paths(own.into_iter().chain(std::env::split_paths(&path))).unwrap()
}

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
            eprintln!(
                "skipped: git init {arguments:?}: {}",
                String::from_utf8_lossy(&init.stderr)
            );
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
        let output = self.try_git(arguments);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.success(),
            "git {arguments:?} in {}: {said}",
            self.folder.display()
        );
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
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "git {arguments:?}");
        String::from_utf8_lossy(&output.stdout)
            .trim_end_matches('\n')
            .to_owned()
    }

    /// Writes a file and the folders it needs.
    #[track_caller]
    pub fn write(&self, path: impl AsRef<Path>, text: impl AsRef<[u8]>) -> &Self {
        let path = self.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
        self
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
        use std::os::unix::fs::PermissionsExt;
        let path = self.join(self.git(&["rev-parse", "--git-path", "hooks"])).join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        self
    }
}
