//! Real repositories for tests, made by the installed git and shielded from the machine's configuration.

#![allow(unreachable_pub, reason = "shared with the benchmarks")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stderr,
    reason = "a test that fails should say where"
)]

pub mod index;
pub mod random;
mod repo;
#[cfg(unix)]
pub mod users;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

pub use repo::Repo;

/// The program under test.
pub const PROGRAM: &str = env!("CARGO_BIN_EXE_alembic-named");

/// A foreign key's name as autogenerate writes it without a naming convention.
pub const UNNAMED: &str = "None";
/// The same foreign key's name as it should be.
pub const NAMED: &str = "op.f('fk_order_invoice_id_invoice')";
/// The name that is suggested for it.
pub const SUGGESTED: &str = "fk_order_invoice_id_invoice";

/// Where most tests have a migration.
pub const FILE: &str = "migrations/versions/add_invoice.py";
/// Where they have a second one.
pub const OTHER: &str = "migrations/versions/another.py";

/// Where most tests have their models.
pub const MODELS: &str = "app/models.py";
/// Models without a naming convention.
pub const BASE: &str = "from sqlalchemy.orm import DeclarativeBase\n\n\nclass Base(DeclarativeBase):\n    pass\n";
/// An `env.py` that finds them.
pub const ENV: &str = "from alembic import context\nfrom app.models import Base\n\ntarget_metadata = Base.metadata\n";

/// The folder of this project.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The files below a folder, by their paths in it.
#[track_caller]
pub fn files_below(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut open = vec![folder.to_owned()];
    let mut files = BTreeMap::new();
    while let Some(next) = open.pop() {
        for entry in std::fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else {
                let content = std::fs::read(&path).unwrap();
                files.insert(path.strip_prefix(folder).unwrap().to_owned(), content);
            }
        }
    }
    files
}

/// The fenced blocks of a document: what stands behind the fence, and the content.
pub fn blocks(text: &str) -> Vec<(String, String)> {
    let mut blocks: Vec<(String, String)> = Vec::new();
    let mut is_open = false;
    for line in text.lines() {
        if let Some(info) = line.trim_start().strip_prefix("```") {
            is_open = !is_open;
            if is_open {
                blocks.push((info.to_owned(), String::new()));
            }
        } else if is_open {
            let (_, content) = blocks.last_mut().unwrap();
            content.push_str(line);
            content.push('\n');
        }
    }
    blocks
}

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

/// A repository without commits, with this migration staged.
#[track_caller]
pub fn staged(name: &str) -> Repo {
    let repo = Repo::new();
    repo.stage(FILE, migration(name));
    repo
}

/// The same after a first commit of something else.
#[track_caller]
pub fn staged_later(name: &str) -> Repo {
    let repo = Repo::new();
    repo.stage("README.md", "a shop\n");
    repo.commit("first");
    repo.stage(FILE, migration(name));
    repo
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
pub fn leaking_variables() -> Vec<OsString> {
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

/// `PATH` with this folder in front.
pub fn path_with(folder: impl Into<PathBuf>) -> OsString {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::join_paths(std::iter::once(folder.into()).chain(std::env::split_paths(&path))).unwrap()
}

/// `PATH` with the program under test in it.
pub fn path_to_program() -> OsString {
    path_with(Path::new(PROGRAM).parent().expect("a file is in a folder"))
}

/// The installed git, for a script that stands in its place.
pub fn real_git() -> String {
    let found = Command::new("sh").args(["-c", "command -v git"]).output().unwrap();
    String::from_utf8(found.stdout).unwrap().trim().to_owned()
}

/// Writes a program.
#[cfg(unix)]
#[track_caller]
pub fn executable(path: &Path, text: &str) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::write(path, text).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
}
