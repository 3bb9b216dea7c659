//! What `git` gives against what git says, for every way a repository can be written and a hook can be called.
//!
//! Each case is asked in each of the three ways that its index allows: with its cached tree completed, as `git commit` does; without a
//! cached tree, so that libgit2 compares; and with a variable that only git honours. All must agree with `git diff --cached`.

mod changes;
mod hooks;
mod kinds;
mod places;
mod revisions;
mod table;

use std::collections::BTreeMap;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use crate::support::{self, Repo, index};
use alembic_named::git::{Backend, Change, Environment, GitError, Repository, Staged, Status};
use alembic_named::snapshot::{EntryKind, Snapshot};
use alembic_named::source::RepoPath;

const LONG: &str = "one\ntwo\nthree\nfour\nfive\nsix\nseven\neight\nnine\nten\n";

/// Variables of git, in the order they are set.
pub(crate) type Variables<'a> = &'a [(&'a str, &'a str)];

/// Status letter, path, id.
type Record = (String, RepoPath, String);

pub(crate) fn environment(variables: Variables<'_>) -> Environment {
    let by_hand = Environment::of_process().for_another_repository();
    let fixed = support::fixed_variables().fold(by_hand, |environment, (name, value)| environment.with(name, value));
    variables
        .iter()
        .fold(fixed, |environment, (name, value)| environment.with(name, value))
}

#[track_caller]
fn open(folder: &Path, variables: Variables<'_>) -> Repository {
    Repository::discover_in(&environment(variables), folder)
        .unwrap()
        .expect("a repository")
}

/// The default value of a variable that libgit2 does not honour: the answers stay the same, but git is asked.
pub(crate) const ASK_GIT: (&str, &str) = ("GIT_REPLACE_REF_BASE", "refs/replace/");

/// The records of git itself, read by a parser of this test's own.
#[track_caller]
fn expected(folder: &Path, variables: Variables<'_>) -> Vec<Record> {
    let mut git = Repo::at(folder).command("git");
    let git = git
        .envs(variables.iter().copied())
        .args(["diff", "--cached", "--raw", "-z", "--no-abbrev", "-M"]);
    let output = git.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    records(&output.stdout, |_| ())
}

/// The files in the output of `git diff --raw -z`; paths in conflict go to `unmerged`.
fn records(output: &[u8], mut unmerged: impl FnMut(RepoPath)) -> Vec<Record> {
    let mut fields = output.split(|&byte| byte == 0).filter(|field| !field.is_empty());
    let mut records = Vec::new();
    while let Some(head) = fields.next() {
        let words: Vec<&str> = std::str::from_utf8(head).unwrap().split(' ').collect();
        let letter = &words[4][..1];
        let first = RepoPath::new(fields.next().unwrap());
        let (letter, path) = match letter {
            "R" => {
                let to = RepoPath::new(fields.next().unwrap());
                if to.is_python() {
                    (format!("R {first}"), to)
                } else {
                    ("A".to_owned(), to)
                }
            }
            letter => (letter.to_owned(), first),
        };
        if letter == "U" {
            unmerged(path);
        } else if words[1].starts_with("100") {
            records.push((letter, path, words[3].to_owned()));
        }
    }
    records.sort_by(|one, other| one.1.cmp(&other.1));
    records
}

fn record(change: &Change) -> Record {
    let letter = match &change.status {
        // Without `-C` git calls a copy an addition.
        Status::Added | Status::Copied { .. } => "A".to_owned(),
        Status::Modified => "M".to_owned(),
        Status::Renamed { from } => format!("R {from}"),
        Status::TypeChanged => "T".to_owned(),
        status @ Status::Unmodified => format!("{status:?}"),
    };
    (letter, change.path.clone(), change.id.to_string())
}

/// All that is said must be what git says; gives the staged changes.
#[track_caller]
fn check(folder: &Path, variables: Variables<'_>) -> (Staged, Backend) {
    let expected = expected(folder, variables);
    let repository = open(folder, variables);
    let staged = repository.staged().unwrap();
    assert_eq!(staged.changes.iter().map(record).collect::<Vec<_>>(), expected, "staged, {}", repository.backend());
    let index = repository.index().unwrap();
    for change in &staged.changes {
        let content = blob(folder, variables, change.id.as_str());
        assert_eq!(index.read(&change.path).unwrap().as_ref(), Some(&content), "read {}", change.path);
        assert_eq!(index.read_id(&change.path, &change.id, change.size).unwrap(), content, "read_id {}", change.path);
    }
    check_tracked(&repository, &*index, &staged);
    let backend = repository.backend();
    (staged, backend)
}

#[track_caller]
fn blob(folder: &Path, variables: Variables<'_>, id: &str) -> Vec<u8> {
    let mut git = Repo::at(folder).command("git");
    git.envs(variables.iter().copied())
        .args(["cat-file", "blob", id])
        .output()
        .unwrap()
        .stdout
}

/// The listing, the folders and the single look-ups must tell of the same files.
#[track_caller]
fn check_tracked(repository: &Repository, index: &dyn Snapshot, staged: &Staged) {
    let mut tracked = repository.tracked().unwrap();
    // Which way notes a size is its own affair.
    let unmeasured = |change: Change| Change { size: 0, ..change };
    tracked = tracked.into_iter().map(unmeasured).collect();
    let changed: BTreeMap<_, _> = staged.changes.iter().map(|change| (&change.path, change)).collect();
    for change in &tracked {
        match changed.get(&change.path) {
            Some(staged) => assert_eq!(&change, staged),
            None => assert_eq!(change.status, Status::Unmodified, "{}", change.path),
        }
        let is_held = repository.head_holds(&change.path).unwrap();
        assert!(change.status != Status::Unmodified || is_held.as_ref() == Some(&change.id), "{}", change.path);
    }
    let paths: Vec<RepoPath> = tracked.iter().map(|change| change.path.clone()).collect();
    assert!(paths.is_sorted());
    assert_eq!(walk(index, &RepoPath::top()), paths);
    let statuses = repository.status_of(&paths).unwrap();
    assert_eq!(
        statuses
            .into_iter()
            .map(|(_, change)| unmeasured(change.unwrap()))
            .collect::<Vec<_>>(),
        tracked
    );
}

fn walk(snapshot: &dyn Snapshot, folder: &RepoPath) -> Vec<RepoPath> {
    let mut paths = Vec::new();
    for entry in snapshot.list(folder).unwrap() {
        // `RepoPath::join` would resolve a file that is named `..`; git has none.
        let path = folder.join(&entry.name).unwrap();
        match entry.kind {
            EntryKind::File => paths.push(path),
            EntryKind::Folder => paths.extend(walk(snapshot, &path)),
        }
    }
    paths.sort();
    paths
}

/// Every way; libgit2 must manage without git.
#[track_caller]
fn agree(repo: &Repo) -> Staged {
    agree_in(repo.path(), &[])
}

#[track_caller]
fn agree_in(folder: &Path, variables: Variables<'_>) -> Staged {
    let (staged, backend) = check(folder, variables);
    assert!(!matches!(backend, Backend::Git { .. }), "{backend}");
    let (by_git, backend) = check(folder, &[variables, &[ASK_GIT]].concat());
    assert!(matches!(backend, Backend::Git { .. }), "{backend}");
    assert_eq!(staged, by_git, "as it is and git");
    if let Some(copy) = Copy::without_cached_tree(folder, variables) {
        let (by_libgit2, backend) = check(folder, &copy.variables(variables));
        assert!(matches!(backend, Backend::Libgit2 { .. }), "{backend}");
        assert_eq!(staged, by_libgit2, "as it is and libgit2");
    }
    if let Some(copy) = Copy::completed(folder, variables) {
        let (by_cached_tree, backend) = check(folder, &copy.variables(variables));
        assert!(backend == Backend::CachedTree || copy.has_intents(folder), "{backend}");
        assert_eq!(staged, by_cached_tree, "as it is and the cached tree");
    }
    staged
}

/// A copy of the index that git would use.
struct Copy {
    index: String,
    _folder: tempfile::TempDir,
}

impl Copy {
    #[track_caller]
    fn of(folder: &Path, variables: Variables<'_>) -> Option<Self> {
        let index = run_git(folder, variables, &["rev-parse", "--path-format=absolute", "--git-path", "index"]);
        let index = std::ffi::OsStr::from_bytes(index.stdout.trim_ascii_end());
        let folder = tempfile::tempdir().unwrap();
        let copy = folder.path().join("index").to_str().unwrap().to_owned();
        std::fs::copy(index, &copy).ok()?;
        Some(Self {
            index: copy,
            _folder: folder,
        })
    }

    /// With its cached tree completed, as `git commit` does before it calls the hook; `None` where the index is none that a commit
    /// can be made of. What is only intended is in no tree, and then git leaves the cached tree incomplete.
    #[track_caller]
    fn completed(folder: &Path, variables: Variables<'_>) -> Option<Self> {
        let copy = Self::of(folder, variables)?;
        let written = run_git(folder, &copy.variables(variables), &["write-tree"]);
        written.status.success().then_some(copy)
    }

    #[track_caller]
    fn without_cached_tree(folder: &Path, variables: Variables<'_>) -> Option<Self> {
        let copy = Self::of(folder, variables)?;
        let index = std::fs::read(&copy.index).unwrap();
        if let Some(stripped) = index::without_cached_tree(&index) {
            std::fs::write(&copy.index, stripped).unwrap();
        }
        Some(copy)
    }

    fn variables<'v>(&'v self, variables: Variables<'v>) -> Vec<(&'v str, &'v str)> {
        [variables, &[("GIT_INDEX_FILE", self.index.as_str())]].concat()
    }

    fn has_intents(&self, folder: &Path) -> bool {
        let listed = run_git(folder, &self.variables(&[]), &["ls-files", "--stage", "--debug", "-z"]);
        String::from_utf8_lossy(&listed.stdout).contains("flags: 2000")
    }
}

fn run_git(folder: &Path, variables: Variables<'_>, arguments: &[&str]) -> std::process::Output {
    let mut git = Repo::at(folder).command("git");
    git.envs(variables.iter().copied()).args(arguments).output().unwrap()
}

/// libgit2 cannot; git must have been asked, and be right.
#[track_caller]
fn needs_git(repo: &Repo, because: &str) -> Staged {
    let (staged, backend) = check(repo.path(), &[]);
    assert!(matches!(&backend, Backend::Git { reason } if reason.contains(because)), "{backend}");
    staged
}

#[track_caller]
fn status(staged: &Staged, path: &str) -> Option<Status> {
    staged
        .changes
        .iter()
        .find(|change| change.path == path.into())
        .map(|change| change.status.clone())
}

/// A few files in HEAD.
fn started() -> Repo {
    let repo = Repo::new();
    start(&repo);
    repo
}

fn start(repo: &Repo) {
    for path in ["a.py", "b.py", "c.py", "pkg/d.py", "pkg/e.txt", "plain"] {
        repo.stage(path, format!("{path}\n{LONG}"));
    }
    repo.commit("start");
}

/// An addition, a change, a deletion and a rename on top of [`started`].
fn change(repo: &Repo) {
    repo.stage("a.py", "changed\n").stage("new/n.py", "new\n");
    repo.git(&["rm", "--quiet", "b.py"]);
    repo.git(&["mv", "pkg/d.py", "moved.py"]);
}

/// From the first commit to HEAD, both ways, against `git diff A...B`.
#[track_caller]
fn check_between(repo: &Repo) {
    repo.commit("end");
    let first = repo.git(&["rev-list", "--max-parents=0", "HEAD"]);
    repo.git(&["branch", "--force", "side", &first]);
    let base = repo.git(&["rev-list", "--max-parents=0", "HEAD"]);
    for variables in [&[][..], &[ASK_GIT]] {
        let repository = open(repo.path(), variables);
        let comparison = repository.between("side", "HEAD").unwrap();
        assert_eq!(comparison.base.as_str(), base);
        let expected = repo.git(&["diff", "--name-only", "--diff-filter=d", "side...HEAD"]);
        let paths: Vec<String> = comparison
            .changes
            .iter()
            .map(|change| change.path.to_string())
            .collect();
        assert_eq!(paths, expected.lines().collect::<Vec<_>>());
        let snapshot = repository.tree(comparison.new);
        for change in &comparison.changes {
            let content = repo.try_git(&["cat-file", "blob", change.id.as_str()]).stdout;
            assert_eq!(snapshot.read(&change.path).unwrap().unwrap(), content);
        }
        let all = repo.git(&["ls-tree", "-r", "--name-only", "HEAD"]);
        let all: Vec<RepoPath> = all.lines().map(RepoPath::from).collect();
        assert_eq!(walk(&*snapshot, &RepoPath::top()), all);
        assert!(matches!(repository.between("nothing", "HEAD"), Err(GitError::UnknownRevision { .. })));
        assert!(matches!(repository.between("HEAD", "--all"), Err(GitError::UnknownRevision { .. })));
    }
}
