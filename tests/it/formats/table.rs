//! One table of every kind of repository, with a column for each way to what is staged.
//!
//! Every repository is built with the installed git, and every way must give the files that `git diff --cached` gives:
//! status, path and object. What the installed git is too old to build is said aloud.

mod cases;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use super::{ASK_GIT, Copy, Record, Variables, change, environment, record, records, start, started};
use crate::support::Repo;
use alembic_named::git::{Backend, Repository};
use alembic_named::source::RepoPath;
use cases::CASES;

/// A repository and how it is called.
struct Built {
    repo: Repo,
    /// What it needs to stay alive: other repositories, temporary folders.
    #[allow(dead_code, reason = "they are kept, not read")]
    others: Vec<Repo>,
    folder: PathBuf,
    variables: Vec<(String, String)>,
}

impl From<Repo> for Built {
    fn from(repo: Repo) -> Self {
        Self {
            folder: repo.path().to_owned(),
            repo,
            others: Vec::new(),
            variables: Vec::new(),
        }
    }
}

impl Built {
    fn beside(mut self, other: Repo) -> Self {
        self.others.push(other);
        self
    }

    fn with(mut self, name: &str, value: impl AsRef<Path>) -> Self {
        self.variables
            .push((name.to_owned(), value.as_ref().to_str().unwrap().to_owned()));
        self
    }

    fn in_folder(mut self, folder: impl AsRef<Path>) -> Self {
        self.folder = self.repo.join(folder);
        self
    }
}

type Case = (&'static str, fn() -> Option<Built>);

/// What is staged: the files, and the paths in conflict.
type Answer = (Vec<Record>, Vec<RepoPath>);

/// [`started`] and [`change`], and then something more.
#[allow(clippy::unnecessary_wraps, reason = "what a case is")]
fn changed(then: impl FnOnce(&Repo) -> String) -> Option<Built> {
    let repo = started();
    change(&repo);
    then(&repo);
    Some(repo.into())
}

fn change_unborn(repo: &Repo) {
    repo.stage("a.py", "a\n").stage("pkg/b.py", "b\n").stage("c.txt", "c\n");
}

/// The same, where the index then has an extension; `None` if this git did not write it.
fn holding(extension: &str, then: impl FnOnce(&Repo) -> String) -> Option<Built> {
    let built = changed(then)?;
    let index = std::fs::read(built.repo.join(".git/index")).unwrap();
    index
        .windows(4)
        .any(|part| part == extension.as_bytes())
        .then_some(built)
}

fn made(arguments: &[&str]) -> Option<Built> {
    let repo = Repo::with(arguments)?;
    start(&repo);
    change(&repo);
    Some(repo.into())
}

fn extension(name: &str, value: &str) -> Option<Built> {
    changed(|repo| {
        repo.git(&["config", "core.repositoryFormatVersion", "1"]);
        repo.git(&["config", &format!("extensions.{name}"), value])
    })
}

#[allow(clippy::unnecessary_wraps, reason = "what a case is")]
fn cloned(arguments: &[&str]) -> Option<Built> {
    let origin = started();
    origin.git(&["config", "uploadpack.allowFilter", "true"]);
    let clone = Repo::new();
    let url = if arguments.contains(&"--shared") {
        origin.path().display().to_string()
    } else {
        format!("file://{}", origin.path().display())
    };
    clone.git(&[&["clone", "--quiet"], arguments, &[&url, "clone"]].concat());
    let inner = Repo::at(clone.join("clone"));
    inner.git(&["config", "core.autocrlf", "false"]);
    inner.stage("a.py", "changed\n").stage("new/n.py", "new\n");
    let built = Built::from(inner).beside(origin);
    Some(built.beside(clone))
}

#[allow(clippy::unnecessary_wraps, reason = "what a case is")]
fn linked(settings: &[&str]) -> Option<Built> {
    let repo = started();
    repo.git(&["worktree", "add", "--quiet", "linked", "-b", "linked"]);
    let linked = Repo::at(repo.join("linked"));
    for setting in settings {
        repo.git(&["config", setting, "true"]);
        linked.git(&["config", "--worktree", "core.ignorecase", "false"]);
    }
    change(&linked);
    Some(Built::from(repo).in_folder("linked"))
}

fn with_submodule() -> Built {
    let inner = started();
    let repo = started();
    let file = ["-c", "protocol.file.allow=always"];
    let add = ["submodule", "--quiet", "add", inner.path().to_str().unwrap(), "sub"];
    repo.git(&[&file[..], &add].concat());
    change(&Repo::at(repo.join("sub")));
    Built::from(repo).beside(inner)
}

#[allow(clippy::unnecessary_wraps, reason = "what a case is")]
fn conflict() -> Option<Built> {
    let repo = started();
    repo.stage("gone.py", "x\n");
    repo.commit("more");
    for branch in ["topic", "main"] {
        repo.git(&["checkout", "--quiet", "-B", branch, "HEAD"]);
        if branch == "main" {
            repo.git(&["reset", "--quiet", "--hard", "HEAD~1"]);
        }
        repo.stage("a.py", format!("{branch}\n"))
            .stage("both.py", format!("{branch}\n"));
        if branch == "topic" {
            repo.git(&["rm", "--quiet", "gone.py"]);
        } else {
            repo.stage("gone.py", "kept and changed\n");
        }
        repo.commit(branch);
    }
    repo.try_git(&["merge", "--quiet", "topic"]);
    Some(repo.into())
}

fn attributes(text: &str, content: &[u8], settings: &[(&str, &str)]) -> Option<Built> {
    changed(|repo| {
        for (name, value) in settings {
            repo.git(&["config", name, value]);
        }
        repo.stage(".gitattributes", text).stage("filtered.py", content);
        String::new()
    })
}

fn long(lengths: &[usize], version: u32) -> Option<Built> {
    changed(|repo| {
        repo.git(&["update-index", &format!("--index-version={version}")]);
        let id = repo.git_with_input(&["hash-object", "-w", "--stdin"], b"x\n");
        let mut rows = String::new();
        for length in lengths {
            let path = "folder/".repeat((length - 1) / 7);
            let name = "n".repeat(length - path.len());
            writeln!(rows, "100644 {id}\t{path}{name}").unwrap();
        }
        repo.git_with_input(&["update-index", "--index-info"], rows.as_bytes())
    })
}

fn variables() -> Option<Built> {
    changed(|_| String::new())
}

/// What git says; `None` where it refuses.
fn git_says(built: &Built, variables: Variables<'_>) -> Option<Answer> {
    let mut git = Repo::at(&built.folder).command("git");
    let output = git
        .envs(variables.iter().copied())
        .args(["diff", "--cached", "--raw", "-z", "--no-abbrev", "-M", "--ignore-submodules=none"])
        .output()
        .unwrap();
    output.status.success().then(|| parse(&output.stdout))
}

fn parse(output: &[u8]) -> Answer {
    let mut unmerged: Vec<RepoPath> = Vec::new();
    let records = records(output, |path| unmerged.push(path));
    unmerged.sort();
    unmerged.dedup();
    (records, unmerged)
}

/// What is said, and by whom; `None` where it is refused.
fn we_say(built: &Built, variables: Variables<'_>) -> Option<(Answer, Backend)> {
    let repository = Repository::discover_in(&environment(variables), &built.folder).ok()??;
    let staged = repository.staged().ok()?;
    let answer = (staged.changes.iter().map(record).collect(), staged.unmerged);
    Some((answer, repository.backend()))
}

/// One cell of the table: who gave the answer; an error where it is not git's.
fn cell(built: &Built, variables: Variables<'_>) -> Result<&'static str, &'static str> {
    match (we_say(built, variables), git_says(built, variables)) {
        (None, None) => Ok("refused"),
        (Some((answer, backend)), Some(expected)) if answer == expected => Ok(match backend {
            Backend::CachedTree => "cached",
            Backend::Libgit2 { .. } => "libgit2",
            Backend::Git { .. } => "git",
        }),
        (None, Some(_)) => Err("REFUSED"),
        // Where git gives up no commit can be made; to say more than git is no harm.
        (Some(_), None) => Ok("beyond"),
        (Some(_), Some(_)) => Err("DIFFERENT"),
    }
}

/// The cell of a copy of the index, of which git must say what it says of the index itself; `-` where there is none to be had.
fn cell_of(copy: Option<Copy>, built: &Built, variables: Variables<'_>) -> Result<&'static str, &'static str> {
    let Some(copy) = copy else { return Ok("-") };
    let of_copy = copy.variables(variables);
    if git_says(built, &of_copy) != git_says(built, variables) {
        return Err("ANOTHER");
    }
    cell(built, &of_copy)
}

#[test]
fn every_format_in_every_way() {
    let mut table =
        format!("\n{:50} {:9} {:9} {:9} {:9}\n", "what git can build", "as it is", "completed", "stripped", "git");
    let (mut built_count, mut right, mut skipped) = (0, 0, Vec::new());
    let mut by = BTreeMap::new();
    for (name, build) in CASES {
        let Some(built) = build() else {
            skipped.push(*name);
            writeln!(table, "{name:50} skipped: the installed git does not build it").unwrap();
            continue;
        };
        let variables: Vec<(&str, &str)> = built
            .variables
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        let cells = [
            cell(&built, &variables),
            cell_of(Copy::completed(&built.folder, &variables), &built, &variables),
            cell_of(Copy::without_cached_tree(&built.folder, &variables), &built, &variables),
            cell(&built, &[variables.as_slice(), &[ASK_GIT]].concat()),
        ];
        built_count += 1;
        right += usize::from(cells.iter().all(Result::is_ok));
        for (at, cell) in cells.iter().enumerate() {
            *by.entry((at, cell.unwrap_or_default())).or_insert(0) += 1;
        }
        let words: Vec<String> = cells
            .iter()
            .map(|cell| format!("{:9}", cell.unwrap_or_else(|wrong| wrong)))
            .collect();
        writeln!(table, "{name:50} {}", words.join(" ").trim_end()).unwrap();
    }
    writeln!(table, "{right} of {built_count} the same as git, {} skipped {skipped:?}", skipped.len()).unwrap();
    // Past the test harness, which keeps back what a test that passes prints.
    std::io::stderr().write_all(table.as_bytes()).unwrap();
    assert_eq!(right, built_count);
    // Each way is the one that it should be, but for what libgit2 refuses and for what is no whole index.
    let most = built_count - 20;
    for (at, backend) in [(1, "cached"), (2, "libgit2"), (3, "git")] {
        assert!(by.get(&(at, backend)).is_some_and(|&count| count > most), "{by:?}");
    }
}
