//! What `git` gives against what git says, for every way a repository can be written and a hook can be called.
//!
//! Each case is asked in each of the three ways that its index allows: with its cached tree completed, as `git commit` does; without a
//! cached tree, so that libgit2 compares; and with a variable that only git honours. All must agree with `git diff --cached`.

mod table;

use std::collections::BTreeMap;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use alembic_named::git::{Backend, Change, Environment, GitError, Repository, Staged, Status};
use alembic_named::snapshot::{EntryKind, Snapshot, SnapshotError};
use alembic_named::source::RepoPath;

use crate::support::{self, Repo};

const LONG: &str = "one\ntwo\nthree\nfour\nfive\nsix\nseven\neight\nnine\nten\n";

/// Variables of git, in the order they are set.
type Variables<'a> = &'a [(&'a str, &'a str)];

/// Status letter, path, id.
type Record = (String, RepoPath, String);

fn environment(variables: Variables<'_>) -> Environment {
    let by_hand = Environment::of_process().without_git();
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
const ASK_GIT: (&str, &str) = ("GIT_REPLACE_REF_BASE", "refs/replace/");

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
        status @ (Status::Unmodified | Status::Untracked) => format!("{status:?}"),
    };
    (letter, change.path.clone(), change.id.to_string())
}

/// All that is said must be what git says; gives the staged changes.
#[track_caller]
fn check(folder: &Path, variables: Variables<'_>) -> (Staged, Backend) {
    let expected = expected(folder, variables);
    let repository = open(folder, variables);
    let staged = repository.staged().unwrap();
    assert_eq!(
        staged.changes.iter().map(record).collect::<Vec<_>>(),
        expected,
        "staged, {}",
        repository.backend()
    );
    let index = repository.index().unwrap();
    for change in &staged.changes {
        let content = blob(folder, variables, change.id.as_str());
        assert_eq!(
            index.read(&change.path).unwrap().as_ref(),
            Some(&content),
            "read {}",
            change.path
        );
        assert_eq!(
            index.read_id(&change.path, &change.id, change.size).unwrap(),
            content,
            "read_id {}",
            change.path
        );
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
        assert!(
            change.status != Status::Unmodified || is_held.as_ref() == Some(&change.id),
            "{}",
            change.path
        );
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
        let index = run_git(
            folder,
            variables,
            &["rev-parse", "--path-format=absolute", "--git-path", "index"],
        );
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
        if let Some(stripped) = support::without_cached_tree(&index) {
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
    assert!(
        matches!(&backend, Backend::Git { reason } if reason.contains(because)),
        "{backend}"
    );
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

#[test]
fn nothing_and_the_plain_changes() {
    let repo = started();
    assert!(agree(&repo).changes.is_empty());
    change(&repo);
    let staged = agree(&repo);
    assert_eq!(staged.changes.len(), 3);
    assert_eq!(
        status(&staged, "moved.py"),
        Some(Status::Renamed {
            from: "pkg/d.py".into()
        })
    );
}

#[test]
fn the_working_tree_does_not_count() {
    let repo = started();
    repo.stage("a.py", "staged\n")
        .write("a.py", "later\n")
        .write("untracked.py", "");
    let staged = agree(&repo);
    let repository = open(repo.path(), &[]);
    assert_eq!(
        repository
            .index()
            .unwrap()
            .read(&staged.changes[0].path)
            .unwrap()
            .unwrap(),
        b"staged\n"
    );
}

#[test]
fn similar_files_are_renamed_and_equal_ones_copied() {
    let repo = started();
    repo.stage("a.py", "quite other\nwords\n");
    repo.commit("other words");
    repo.git(&["mv", "c.py", "pkg/c2.py"]);
    repo.stage("pkg/c2.py", format!("c.py\n{LONG}eleven\n"))
        .stage("a.py", "other\n")
        .stage("copy.py", "quite other\nwords\n");
    let staged = agree(&repo);
    assert_eq!(
        status(&staged, "pkg/c2.py"),
        Some(Status::Renamed { from: "c.py".into() })
    );
    assert_eq!(status(&staged, "copy.py"), Some(Status::Copied { from: "a.py".into() }));
}

#[test]
fn a_file_too_large_to_read_is_not_compared() {
    let repo = started();
    repo.git(&["mv", "c.py", "pkg/c2.py"]);
    repo.stage("pkg/c2.py", format!("c.py\n{LONG}eleven\n"));
    let repository = open(repo.path(), &[]).with_limit(8);
    let staged = repository.staged().unwrap();
    assert_eq!(status(&staged, "pkg/c2.py"), Some(Status::Added));
    for variables in [&[][..], &[ASK_GIT]] {
        let repository = open(repo.path(), variables).with_limit(8);
        let index = repository.index().unwrap();
        let error = index.read(&"pkg/c2.py".into()).unwrap_err();
        assert!(matches!(error, SnapshotError::TooLarge { limit: 8, .. }), "{error}");
        repo.stage("small.py", "small\n");
        assert_eq!(
            open(repo.path(), variables)
                .index()
                .unwrap()
                .read(&"small.py".into())
                .unwrap()
                .unwrap(),
            b"small\n"
        );
        assert!(matches!(
            index.read(&"a.py".into()),
            Err(SnapshotError::TooLarge { .. })
        ));
    }
}

#[test]
fn modes_links_and_submodules() {
    let repo = started();
    symlink("a.py", repo.join("link.py")).unwrap();
    symlink("plain", repo.join("was_link.py")).unwrap();
    repo.git(&["add", "was_link.py"]);
    repo.commit("link");
    repo.git(&["update-index", "--chmod=+x", "a.py"]);
    std::fs::remove_file(repo.join("was_link.py")).unwrap();
    std::fs::remove_file(repo.join("b.py")).unwrap();
    symlink("plain", repo.join("b.py")).unwrap();
    repo.stage("was_link.py", "a file now\n");
    repo.git(&["add", "b.py", "link.py"]);
    let commit = repo.git(&["rev-parse", "HEAD"]);
    repo.git(&[
        "update-index",
        "--add",
        "--cacheinfo",
        &format!("160000,{commit},sub.py"),
    ]);
    repo.git(&["update-index", "--cacheinfo", &format!("160000,{commit},c.py")]);
    let staged = agree(&repo);
    assert_eq!(status(&staged, "was_link.py"), Some(Status::TypeChanged));
    assert_eq!(status(&staged, "a.py"), Some(Status::Modified));
    assert_eq!(staged.changes.len(), 2);
    repo.commit("submodules");
    repo.git(&["rm", "--quiet", "--cached", "c.py"]);
    repo.stage("c.py", "a file again\n");
    assert_eq!(status(&agree(&repo), "c.py"), Some(Status::TypeChanged));
}

#[test]
fn a_file_in_place_of_a_folder_and_the_reverse() {
    let repo = started();
    repo.git(&["rm", "-r", "--quiet", "pkg", "a.py"]);
    repo.stage("pkg", "a file\n").stage("a.py/inner.py", "x\n");
    assert_eq!(agree(&repo).changes.len(), 2);
}

#[test]
fn modes_that_an_old_git_wrote() {
    let repo = Repo::new();
    let id = repo.git_with_input(&["hash-object", "-w", "--stdin"], b"x\n");
    let tree = format!("100664 blob {id}\ta.py\n100640 blob {id}\tb.py\n100666 blob {id}\tc.py\n");
    let tree = repo.git_with_input(&["mktree"], tree.as_bytes());
    let commit = repo.git(&["commit-tree", "-m", "old", &tree]);
    repo.git(&["update-ref", "refs/heads/main", &commit]);
    repo.git(&["read-tree", "HEAD"]);
    repo.stage("d.py", "d\n");
    assert_eq!(agree(&repo).changes.len(), 1);
    repo.stage("c.py", "changed\n");
    assert_eq!(status(&agree(&repo), "c.py"), Some(Status::Modified));
}

#[test]
fn before_the_first_commit() {
    let repo = Repo::new();
    assert!(agree(&repo).changes.is_empty());
    assert_eq!(open(repo.path(), &[]).head_holds(&"a.py".into()).unwrap(), None);
    repo.stage("a.py", "a\n").stage("empty.py", "");
    assert_eq!(agree(&repo).changes.len(), 2);
    repo.git(&["symbolic-ref", "HEAD", "refs/heads/other/name"]);
    assert_eq!(agree(&repo).changes.len(), 2);
}

#[test]
fn detached_packed_and_alternates() {
    let repo = started();
    repo.git(&["checkout", "--quiet", "--detach"]);
    change(&repo);
    agree(&repo);
    repo.git(&["gc", "--quiet"]);
    agree(&repo);
    let clone = Repo::new();
    clone.git(&["fetch", "--quiet", repo.path().to_str().unwrap(), "main"]);
    std::fs::write(
        clone.join(".git/objects/info/alternates"),
        repo.join(".git/objects").as_os_str().as_bytes(),
    )
    .unwrap();
    clone.git(&["reset", "--quiet", "--hard", "FETCH_HEAD"]);
    change(&clone);
    agree(&clone);
}

#[test]
fn a_linked_worktree() {
    let repo = started();
    repo.git(&["worktree", "add", "--quiet", "linked", "-b", "linked"]);
    let linked = Repo::at(repo.join("linked"));
    change(&linked);
    agree(&linked);
    assert!(agree(&repo).changes.is_empty());
    assert_eq!(open(&linked.join("pkg"), &[]).top(), linked.path());

    // As its hooks are called, also by a runner that starts in a folder below.
    let git_dir = linked.git(&["rev-parse", "--absolute-git-dir"]);
    let index = format!("{git_dir}/index");
    let hook = [("GIT_DIR", git_dir.as_str()), ("GIT_INDEX_FILE", index.as_str())];
    for folder in [linked.path(), &linked.join("new")] {
        assert_eq!(agree_in(folder, &hook).changes.len(), 3);
        assert_eq!(open(folder, &hook).top(), linked.path());
        assert_eq!(open(folder, &[hook[0], hook[1], ASK_GIT]).top(), linked.path());
    }
}

#[test]
fn inside_a_submodule() {
    let inner = started();
    let repo = started();
    let add = [
        "-c",
        "protocol.file.allow=always",
        "submodule",
        "--quiet",
        "add",
        inner.path().to_str().unwrap(),
        "sub",
    ];
    repo.git(&add);
    let sub = Repo::at(repo.join("sub"));
    change(&sub);
    agree(&sub);
    assert_eq!(open(&sub.join("pkg"), &[]).top(), sub.path());
    // The submodule itself and `.gitmodules`; only the latter is a file.
    assert_eq!(agree(&repo).changes.len(), 1);
}

#[test]
fn intent_to_add_is_not_there_yet() {
    let repo = started();
    repo.stage("empty.py", "").stage("pkg/__init__.py", "");
    repo.commit("empty files");
    repo.write("intent.py", "later\n").stage("new_empty.py", "");
    repo.git(&["add", "--intent-to-add", "intent.py"]);
    repo.git(&["rm", "--quiet", "--cached", "a.py"]);
    repo.git(&["add", "--intent-to-add", "a.py"]);
    let staged = agree(&repo);
    assert_eq!(staged.changes.len(), 1);
    for variables in [&[][..], &[ASK_GIT]] {
        let repository = open(repo.path(), variables);
        for path in ["intent.py", "a.py"] {
            assert_eq!(repository.status_of(&[path.into()]).unwrap()[0].1, None, "{path}");
            assert_eq!(repository.index().unwrap().read(&path.into()).unwrap(), None, "{path}");
        }
        assert_eq!(
            repository
                .index()
                .unwrap()
                .read(&"new_empty.py".into())
                .unwrap()
                .unwrap(),
            b""
        );
    }
}

#[test]
fn flags_for_the_working_tree_hide_nothing() {
    let repo = started();
    change(&repo);
    for flag in ["--assume-unchanged", "--skip-worktree"] {
        for path in ["a.py", "new/n.py", "c.py"] {
            repo.git(&["update-index", flag, path]);
        }
        assert_eq!(agree(&repo).changes.len(), 3, "{flag}");
    }
}

#[test]
fn index_version_4_and_a_skipped_checksum() {
    let repo = started();
    repo.git(&["update-index", "--index-version=4"]);
    change(&repo);
    agree(&repo);
    repo.git(&["config", "index.skipHash", "true"]);
    repo.stage("more.py", "more\n");
    agree(&repo);
}

#[test]
fn a_split_index_is_git_s() {
    let repo = started();
    repo.git(&["update-index", "--split-index"]);
    change(&repo);
    assert_eq!(needs_git(&repo, "link").changes.len(), 3);
}

/// Then its header counts as many entries as its cached tree.
#[test]
fn a_split_index_that_holds_all_entries_itself() {
    let repo = started();
    repo.git(&["config", "splitIndex.maxPercentChange", "100"]);
    repo.git(&["update-index", "--split-index"]);
    for path in ["a.py", "b.py", "c.py", "pkg/d.py", "pkg/e.txt", "plain"] {
        repo.stage(path, format!("other {path}\n"));
    }
    repo.git(&["write-tree"]);
    let index = std::fs::read(repo.join(".git/index")).unwrap();
    assert!(index.windows(4).any(|part| part == b"link"), "it is split");
    assert_eq!(index[8..12], [0, 0, 0, 6]);
    assert_eq!(check(repo.path(), &[]).0.changes.len(), 6);
    repo.git(&["rm", "--quiet", "--cached", "b.py"]);
    repo.stage("new.py", "new\n").git(&["write-tree"]);
    assert_eq!(check(repo.path(), &[]).0.changes.len(), 6);
}

/// libgit2 would load it for longer than git takes; what is staged is read by libgit2 all the same.
#[test]
fn a_large_index_without_a_cached_tree_is_git_s() {
    let repo = started();
    let id = repo.git_with_input(&["hash-object", "-w", "--stdin"], b"x = 1\n");
    let row = |number: usize| format!("100644 {id}\tmany/{:02}/{number:05}.py\n", number % 100);
    let rows: String = (0..10_200).map(row).collect();
    repo.git_with_input(&["update-index", "--index-info"], rows.as_bytes());
    repo.stage("empty.py", "");
    repo.commit("many");
    assert_eq!(check(repo.path(), &[]), (Staged::default(), Backend::CachedTree));
    change(&repo);
    repo.write("later.py", "later\n");
    repo.git(&["add", "--intent-to-add", "later.py"]);
    repo.git(&["rm", "-r", "--quiet", "--cached", "many/07"]);
    let staged = needs_git(&repo, "cached tree");
    assert_eq!(staged.changes.len(), 3);
    for variables in [&[][..], &[("PATH", "/nothing")]] {
        let repository = open(repo.path(), variables);
        assert_eq!(repository.staged().unwrap(), staged);
        let tracked = repository.tracked_paths().unwrap();
        assert!(tracked.contains(&"new/n.py".into()) && tracked.contains(&"empty.py".into()));
        assert!(
            !tracked.contains(&"later.py".into()) && !tracked.iter().any(|path| path.starts_with(&"many/07".into()))
        );
        let without_git = !variables.is_empty();
        assert_eq!(matches!(repository.backend(), Backend::Libgit2 { .. }), without_git);
    }
    repo.git(&["rm", "--quiet", "--cached", "later.py"]);
    repo.git(&["write-tree"]);
    assert_eq!(check(repo.path(), &[]), (staged, Backend::CachedTree));
}

#[test]
fn a_sparse_index_is_git_s() {
    let repo = started();
    repo.git(&["sparse-checkout", "set", "--cone", "--sparse-index", "new"]);
    repo.stage("new/n.py", "new\n");
    if !repo
        .try_git(&["ls-files", "--sparse"])
        .stdout
        .windows(5)
        .any(|part| part == b"pkg/\n")
    {
        eprintln!("skipped: this git wrote no sparse index");
        return;
    }
    assert_eq!(needs_git(&repo, "sdir").changes.len(), 1);
}

#[test]
fn sha_256_is_git_s() {
    let Some(repo) = Repo::with(&["--object-format=sha256"]) else {
        return;
    };
    repo.stage("first.py", "");
    needs_git(&repo, "sha256");
    start(&repo);
    change(&repo);
    assert_eq!(needs_git(&repo, "sha256").changes[0].id.as_str().len(), 64);
    repo.git(&["add", "--intent-to-add", "-f", "."]);
    needs_git(&repo, "sha256");
    check_between(&repo);
}

#[test]
fn reftable_is_git_s() {
    let Some(repo) = Repo::with(&["--ref-format=reftable"]) else {
        return;
    };
    repo.stage("first.py", "x\n");
    needs_git(&repo, "refstorage");
    start(&repo);
    change(&repo);
    needs_git(&repo, "refstorage");
    check_between(&repo);
}

#[test]
fn replaced_objects_are_git_s() {
    let repo = started();
    let first = repo.git(&["rev-parse", "HEAD"]);
    change(&repo);
    let second = repo.commit("second");
    repo.git(&["replace", &second, &first]);
    assert_eq!(needs_git(&repo, "refs/replace").changes.len(), 3);
    repo.git(&["pack-refs", "--all"]);
    assert_eq!(needs_git(&repo, "refs/replace").changes.len(), 3);
    assert!(
        agree_in(repo.path(), &[("GIT_NO_REPLACE_OBJECTS", "1")])
            .changes
            .is_empty()
    );
}

#[test]
fn quoted_alternates_are_git_s() {
    let repo = started();
    let other = Repo::new();
    let id = other.git_with_input(&["hash-object", "-w", "--stdin"], b"elsewhere\n");
    repo.git(&["update-index", "--add", "--cacheinfo", &format!("100644,{id},new.py")]);
    let alternates = format!("\"{}\"", other.join(".git/objects").display());
    let (staged, backend) = check(repo.path(), &[("GIT_ALTERNATE_OBJECT_DIRECTORIES", &alternates)]);
    assert_eq!(staged.changes.len(), 1);
    assert!(matches!(backend, Backend::Git { .. }));
    for variables in [&[][..], &[ASK_GIT]] {
        let error = open(repo.path(), variables)
            .index()
            .unwrap()
            .read(&"new.py".into())
            .unwrap_err();
        assert!(matches!(error, SnapshotError::MissingObject { .. }), "{error}");
    }
}

#[test]
fn a_conflict_and_its_resolution() {
    let repo = started();
    repo.git(&["checkout", "--quiet", "-b", "topic"]);
    repo.stage("a.py", "topic\n")
        .stage("theirs.py", "theirs\n")
        .stage("both.py", "topic\n");
    repo.commit("topic");
    repo.git(&["checkout", "--quiet", "main"]);
    repo.stage("a.py", "main\n")
        .stage("ours.py", "ours\n")
        .stage("both.py", "main\n");
    repo.commit("main");
    assert!(!repo.try_git(&["merge", "--quiet", "topic"]).status.success());
    for variables in [&[][..], &[ASK_GIT]] {
        let repository = open(repo.path(), variables);
        let staged = repository.staged().unwrap();
        assert_eq!(staged.unmerged, ["a.py".into(), "both.py".into()]);
        assert_eq!(staged.left_to_other_parents, ["theirs.py".into()]);
        assert!(staged.changes.is_empty());
        assert_eq!(repository.index().unwrap().read(&"a.py".into()).unwrap(), None);
        assert_eq!(repository.status_of(&["a.py".into()]).unwrap(), [("a.py".into(), None)]);
    }
    repo.stage("a.py", "both\n")
        .stage("both.py", "topic\n")
        .stage("evil.py", "evil\n");
    for variables in [&[][..], &[ASK_GIT]] {
        let staged = open(repo.path(), variables).staged().unwrap();
        assert_eq!(
            staged
                .changes
                .iter()
                .map(|change| change.path.clone())
                .collect::<Vec<_>>(),
            ["a.py".into(), "evil.py".into()]
        );
        assert_eq!(staged.left_to_other_parents, ["both.py".into(), "theirs.py".into()]);
        assert!(staged.unmerged.is_empty());
    }
    // The same content with another mode is not the same.
    repo.git(&["update-index", "--chmod=+x", "theirs.py"]);
    for variables in [&[][..], &[ASK_GIT]] {
        assert!(status(&open(repo.path(), variables).staged().unwrap(), "theirs.py").is_some());
    }
}

#[test]
fn announced_heads_of_another_repository_hide_nothing() {
    let repo = started();
    let old = repo.git(&["rev-parse", "HEAD"]);
    repo.stage("a.py", "changed\n");
    repo.commit("changed");
    repo.stage("a.py", format!("a.py\n{LONG}"));
    // Merged long ago, and unknown here.
    for id in [old.as_str(), "92e569fadf44ff168e63733f4771c2544fde05d3"] {
        let name = format!("GITHEAD_{id}");
        let merge = [(name.as_str(), "topic"), ("GIT_REFLOG_ACTION", "merge topic")];
        assert_eq!(agree_in(repo.path(), &merge).changes.len(), 1);
    }
}

#[test]
fn a_relative_index_starts_at_the_top() {
    let repo = started();
    change(&repo);
    let hook = [("GIT_INDEX_FILE", ".git/index")];
    assert_eq!(agree_in(repo.path(), &hook).changes.len(), 3);
    assert_eq!(agree_in(&repo.join("pkg"), &hook).changes.len(), 3);
    std::fs::copy(repo.join(".git/index"), repo.join(".git/next-index-1.lock")).unwrap();
    repo.git(&["reset", "--quiet"]);
    assert_eq!(
        agree_in(&repo.join("pkg"), &[("GIT_INDEX_FILE", ".git/next-index-1.lock")])
            .changes
            .len(),
        3
    );
}

#[test]
fn an_absent_index_does_not_pass_for_an_empty_one() {
    let repo = started();
    let absent = [("GIT_INDEX_FILE", ".git/nothing")];
    for variables in [&absent[..], &[absent[0], ASK_GIT]] {
        let repository = open(repo.path(), variables);
        for error in [
            repository.staged().err(),
            repository.index().err(),
            repository.tracked().err(),
        ] {
            let error = error.expect("an error");
            assert!(matches!(error, GitError::MissingIndex { .. }), "{error}");
        }
    }
    std::fs::remove_file(repo.join(".git/index")).unwrap();
    assert!(agree(&repo).changes.is_empty());
    let fresh = Repo::new();
    assert!(agree_in(fresh.path(), &absent).changes.is_empty());
    fresh.commit("nothing in it");
    assert!(agree_in(fresh.path(), &absent).changes.is_empty());
}

#[test]
fn the_places_that_variables_name() {
    let repo = started();
    change(&repo);
    let outside = tempfile::tempdir().unwrap();
    let outside = outside.path().canonicalize().unwrap();
    let git_dir = repo.join(".git").display().to_string();
    let top = repo.path().display().to_string();
    let name = repo.path().file_name().unwrap().to_str().unwrap();
    let (near_dir, near_index) = (format!("{name}/.git"), format!("{name}/.git/index"));
    let above = repo.path().parent().unwrap();
    let (inside, near) = (
        repo.join("new"),
        [("GIT_DIR", near_dir.as_str()), ("GIT_WORK_TREE", name)],
    );
    let index = ("GIT_INDEX_FILE", ".git/index");
    let cases: [(&Path, Variables<'_>, &Path); 9] = [
        (
            repo.path(),
            &[("GIT_DIR", ".git"), ("GIT_WORK_TREE", "."), index],
            repo.path(),
        ),
        (
            &inside,
            &[("GIT_DIR", "../.git"), ("GIT_WORK_TREE", ".."), index],
            repo.path(),
        ),
        (&inside, &[("GIT_WORK_TREE", ".."), index], repo.path()),
        (above, &near, repo.path()),
        (above, &[near[0], near[1], ("GIT_INDEX_FILE", &near_index)], repo.path()),
        (&outside, &[("GIT_DIR", &git_dir), ("GIT_WORK_TREE", &top)], repo.path()),
        (&outside, &[("GIT_DIR", &git_dir)], &outside),
        (&inside, &[("GIT_WORK_TREE", "..")], repo.path()),
        (repo.path(), &[("GIT_NAMESPACE", "other")], repo.path()),
    ];
    for (folder, variables, top) in cases {
        assert_eq!(agree_in(folder, variables).changes.len(), 3, "{variables:?}");
        assert_eq!(open(folder, variables).top(), top, "{variables:?}");
        assert_eq!(
            open(folder, &[variables, &[ASK_GIT]].concat()).top(),
            top,
            "{variables:?}"
        );
    }
    let common = [("GIT_DIR", git_dir.as_str()), ("GIT_COMMON_DIR", git_dir.as_str())];
    assert_eq!(check(repo.path(), &common).0.changes.len(), 3);
    // git reads this key from the repository's own configuration only.
    let moved = format!("'core.worktree'='{}'", outside.display());
    let moved = [("GIT_CONFIG_PARAMETERS", moved.as_str())];
    assert_eq!(agree_in(repo.path(), &moved).changes.len(), 3);
    for variables in [&moved[..], &[moved[0], ASK_GIT]] {
        assert_eq!(open(repo.path(), variables).top(), repo.path());
    }
    let git_dir_of_nothing = Repository::discover_in(&environment(&[("GIT_DIR", "/nothing")]), repo.path());
    assert!(matches!(git_dir_of_nothing, Err(GitError::GitFailed { .. })));
}

#[test]
fn a_worktree_that_the_configuration_names() {
    let repo = started();
    let elsewhere = repo.join("else where");
    std::fs::create_dir(&elsewhere).unwrap();
    change(&repo);
    repo.git(&["config", "core.worktree", "../else where"]);
    let git_dir = repo.join(".git").display().to_string();
    for variables in [&[][..], &[("GIT_DIR", git_dir.as_str())]] {
        assert_eq!(
            agree_in(
                &elsewhere.clone(),
                &[&[("GIT_DIR", git_dir.as_str())], variables].concat()
            )
            .changes
            .len(),
            3
        );
        assert_eq!(open(repo.path(), variables).top(), elsewhere);
    }
}

#[test]
fn outside_any_repository() {
    let folder = tempfile::tempdir().unwrap();
    let ceiling = folder.path().canonicalize().unwrap();
    let variables = [("GIT_CEILING_DIRECTORIES", ceiling.to_str().unwrap())];
    assert!(
        Repository::discover_in(&environment(&variables), &ceiling)
            .unwrap()
            .is_none()
    );
    let repo = started();
    let within = repo.join("pkg");
    let ceiling = repo.path().to_str().unwrap();
    assert!(
        Repository::discover_in(&environment(&[("GIT_CEILING_DIRECTORIES", ceiling)]), &within)
            .unwrap()
            .is_none()
    );
    // No git, no repository: still an answer. No git and one that only git reads: an error that says so.
    let without = environment(&variables).with("PATH", "/nothing");
    assert!(Repository::discover_in(&without, folder.path()).unwrap().is_none());
    repo.git(&["update-index", "--split-index"]);
    repo.stage("x.py", "x\n");
    let error = Repository::discover_in(&without, repo.path())
        .unwrap()
        .unwrap()
        .staged()
        .unwrap_err();
    assert!(matches!(error, GitError::GitMissing { .. }), "{error}");
}

#[test]
fn a_bare_repository_has_revisions_only() {
    let repo = Repo::with(&["--bare"]).unwrap();
    let other = started();
    other.git(&["push", "--quiet", repo.path().to_str().unwrap(), "main"]);
    for variables in [&[][..], &[ASK_GIT]] {
        let repository = open(repo.path(), variables);
        assert!(matches!(repository.staged(), Err(GitError::BareRepository { .. })));
        assert!(matches!(
            repository.index().err(),
            Some(GitError::BareRepository { .. })
        ));
        assert!(repository.between("main", "main").unwrap().changes.is_empty());
        assert!(repository.head_holds(&"a.py".into()).unwrap().is_some());
    }
}

#[test]
fn broken_indexes_are_named_as_such() {
    let repo = started();
    let path = repo.join(".git/index");
    let whole = std::fs::read(&path).unwrap();
    let mut newer = whole.clone();
    newer[7] = 9;
    let mut unknown = whole.clone();
    unknown[..4].copy_from_slice(b"XXXX");
    for (content, is_known) in [(&b""[..], true), (&unknown, true), (&newer, false)] {
        std::fs::write(&path, content).unwrap();
        let error = open(repo.path(), &[]).staged().unwrap_err();
        let is_right = match error {
            GitError::CorruptIndex { .. } => is_known,
            GitError::UnknownIndexFormat { .. } => !is_known,
            _ => false,
        };
        assert!(is_right, "{error}");
    }
    // git takes the rest for one entry without a name.
    std::fs::write(&path, &whole[..40]).unwrap();
    assert!(open(repo.path(), &[]).staged().is_err());
    // git does not verify the checksum, and commits; so it can be checked as well.
    let mut flipped = whole.clone();
    *flipped.last_mut().unwrap() ^= 1;
    std::fs::write(&path, &flipped).unwrap();
    check(repo.path(), &[]);
}

#[test]
fn odd_names() {
    let repo = started();
    let names: [&[u8]; 14] = [
        b"with space.py",
        b"quo\"te.py",
        b"new\nline.py",
        b"tab\t.py",
        b"back\\slash.py",
        b"*.py",
        b"-dash.py",
        b":(top)x.py",
        b"CON",
        b"\xff\xfe.py",
        "nfc-\u{e9}.py".as_bytes(),
        "nfd-e\u{301}.py".as_bytes(),
        b"UPPER.py",
        b"upper.py",
    ];
    for name in names {
        repo.stage(std::ffi::OsStr::from_bytes(name), name);
    }
    assert_eq!(agree(&repo).changes.len(), names.len());
    repo.git(&["config", "core.ignorecase", "true"]);
    repo.git(&["config", "core.precomposeunicode", "true"]);
    assert_eq!(agree(&repo).changes.len(), names.len());
    for variables in [&[][..], &[ASK_GIT]] {
        let repository = open(repo.path(), variables);
        let index = repository.index().unwrap();
        for path in [&b""[..], b".", b"../x", b"/a.py", b"a.py/", b"a\0b", b"pkg"] {
            assert_eq!(index.read(&RepoPath::new(path)).unwrap(), None, "{path:?}");
            assert_eq!(repository.head_holds(&RepoPath::new(path)).unwrap(), None, "{path:?}");
        }
    }
}

#[test]
fn configuration_of_diffs_changes_nothing() {
    let repo = started();
    change(&repo);
    for (key, value) in [
        ("diff.relative", "true"),
        ("diff.orderFile", "/dev/null"),
        ("diff.renames", "copies"),
        ("diff.noprefix", "true"),
        ("diff.submodule", "log"),
    ] {
        repo.git(&["config", key, value]);
    }
    for variables in [&[][..], &[ASK_GIT]] {
        let staged = open(&repo.join("pkg"), variables).staged().unwrap();
        assert_eq!(staged.changes.len(), 3);
    }
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
        for change in &comparison.changes {
            let content = repo.try_git(&["cat-file", "blob", change.id.as_str()]).stdout;
            assert_eq!(comparison.snapshot.read(&change.path).unwrap().unwrap(), content);
        }
        let all = repo.git(&["ls-tree", "-r", "--name-only", "HEAD"]);
        let all: Vec<RepoPath> = all.lines().map(RepoPath::from).collect();
        assert_eq!(walk(&*comparison.snapshot, &RepoPath::top()), all);
        assert_eq!(comparison.snapshot.describe(), "tree");
        assert!(matches!(
            repository.between("nothing", "HEAD"),
            Err(GitError::UnknownRevision { .. })
        ));
        assert!(matches!(
            repository.between("HEAD", "--all"),
            Err(GitError::UnknownRevision { .. })
        ));
    }
}

#[test]
fn between_two_revisions() {
    let repo = started();
    change(&repo);
    check_between(&repo);
    repo.git(&["checkout", "--quiet", "-b", "fork", "HEAD~1"]);
    repo.stage("fork.py", "fork\n");
    repo.commit("fork");
    let repository = open(repo.path(), &[]);
    let paths = |from: &str, to: &str| -> Vec<RepoPath> {
        repository
            .between(from, to)
            .unwrap()
            .changes
            .into_iter()
            .map(|change| change.path)
            .collect()
    };
    // From the merge base: what main did since is not the fork's.
    assert_eq!(paths("main", "fork"), ["fork.py".into()]);
    assert_eq!(
        status(
            &Staged {
                changes: repository.between("fork", "main").unwrap().changes,
                ..Staged::default()
            },
            "moved.py"
        ),
        Some(Status::Renamed {
            from: "pkg/d.py".into()
        })
    );
}

#[test]
fn no_common_history() {
    let repo = started();
    repo.git(&["checkout", "--quiet", "--orphan", "other"]);
    repo.commit("other");
    for variables in [&[][..], &[ASK_GIT]] {
        let repository = open(repo.path(), variables);
        assert!(matches!(
            repository.between("main", "other"),
            Err(GitError::NoMergeBase { .. })
        ));
    }
    repo.git(&["checkout", "--quiet", "--force", "main"]);
    for number in 0..3 {
        repo.stage("a.py", format!("{number}\n"));
        repo.commit("more");
    }
    repo.git(&["branch", "side", "HEAD~2"]);
    let temporary = tempfile::tempdir().unwrap();
    let shallow = Repo::at(temporary.path().canonicalize().unwrap());
    shallow.git(&[
        "clone",
        "--quiet",
        "--depth=1",
        "--no-single-branch",
        &format!("file://{}", repo.path().display()),
        ".",
    ]);
    for variables in [&[][..], &[ASK_GIT]] {
        let error = open(shallow.path(), variables)
            .between("origin/side", "HEAD")
            .err()
            .unwrap();
        assert!(matches!(error, GitError::ShallowHistory { .. }), "{error}");
    }
}

#[test]
fn a_partial_clone_says_what_to_fetch() {
    let repo = started();
    repo.git(&["config", "uploadpack.allowFilter", "true"]);
    let temporary = tempfile::tempdir().unwrap();
    let clone = Repo::at(temporary.path().canonicalize().unwrap());
    let url = format!("file://{}", repo.path().display());
    clone.git(&["clone", "--quiet", "--no-checkout", "--filter=blob:none", &url, "."]);
    clone.git(&["read-tree", "HEAD"]);
    let repository = open(clone.path(), &[]);
    assert!(repository.staged().unwrap().changes.is_empty());
    let error = repository.index().unwrap().read(&"a.py".into()).unwrap_err();
    assert!(matches!(error, SnapshotError::MissingObject { .. }), "{error}");
    clone.git(&["rm", "--quiet", "--cached", "a.py"]);
    clone.stage("renamed.py", format!("a.py\n{LONG}more\n"));
    for variables in [&[][..], &[ASK_GIT]] {
        assert_eq!(open(clone.path(), variables).staged().unwrap().changes.len(), 1);
    }
}

#[test]
fn a_repository_of_another_user() {
    let repo = started();
    change(&repo);
    let owned = repo.command("chown").args(["-R", "12345", "."]).output();
    if !owned.is_ok_and(|output| output.status.success()) {
        eprintln!("skipped: only root can give files away");
        return;
    }
    let error = Repository::discover_in(&environment(&[]), &repo.join("pkg"))
        .err()
        .unwrap();
    assert!(
        matches!(&error, GitError::Ownership { path } if path == repo.path()),
        "{error}"
    );
    let top = repo.path().display().to_string();
    let trusted = [
        ("GIT_CONFIG_COUNT", "1"),
        ("GIT_CONFIG_KEY_0", "safe.directory"),
        ("GIT_CONFIG_VALUE_0", top.as_str()),
    ];
    let (staged, backend) = check(repo.path(), &trusted);
    assert_eq!(
        (staged.changes.len(), matches!(backend, Backend::Git { .. })),
        (3, true)
    );
}

#[test]
fn an_index_that_may_not_be_read() {
    let repo = started();
    std::fs::remove_file(repo.join(".git/index")).unwrap();
    std::fs::create_dir(repo.join(".git/index")).unwrap();
    let error = open(repo.path(), &[]).staged().unwrap_err();
    assert!(
        matches!(error, GitError::UnreadableIndex { .. } | GitError::CorruptIndex { .. }),
        "{error}"
    );
}

#[test]
fn nothing_is_written() {
    let repo = started();
    change(&repo);
    repo.write("a.py", "touched\n");
    let before = repo.files();
    for variables in [&[][..], &[ASK_GIT]] {
        let repository = open(repo.path(), variables);
        repository.staged().unwrap();
        repository.tracked().unwrap();
        repository.index().unwrap().read(&"a.py".into()).unwrap();
        repository.between("HEAD", "HEAD").unwrap();
    }
    assert_eq!(repo.files(), before);
}

/// Not a test: what a hook runs. It writes what [`Repository::discover`] finds in the environment that git made.
#[test]
#[ignore = "started by git in `a_real_hook_sees_what_git_sees`"]
fn probe() {
    let Some(target) = std::env::var_os("PROBE") else {
        return;
    };
    let repository = Repository::discover(&std::env::current_dir().unwrap())
        .unwrap()
        .unwrap();
    let staged = repository.staged().unwrap();
    let list = |paths: &mut dyn Iterator<Item = String>| paths.collect::<Vec<_>>().join(",");
    let changes = list(
        &mut staged
            .changes
            .iter()
            .map(record)
            .map(|(letter, path, id)| format!("{letter}:{path}:{}", &id[..8])),
    );
    let left = list(&mut staged.left_to_other_parents.iter().map(ToString::to_string));
    let top = repository.top().canonicalize().unwrap();
    let asked = match repository.backend() {
        Backend::Git { .. } => "git",
        _ => "libgit2",
    };
    std::fs::write(target, format!("{changes} | {left} | {} | {asked}", top.display())).unwrap();
}

/// Runs git in `repo` with a hook that starts [`probe`] after `prepare`; gives what it wrote, and what git
/// said there of the same index.
#[track_caller]
fn in_hook(repo: &Repo, hook: &str, prepare: &str, arguments: &[&str]) -> (String, String) {
    let folder = tempfile::tempdir().unwrap();
    let (probed, said) = (folder.path().join("probe"), folder.path().join("git"));
    let program = std::env::current_exe().unwrap();
    let script = format!(
        "git diff --cached --raw --abbrev=8 -M > '{}' || exit 9\n{prepare}\nPROBE='{}' exec '{}' --exact formats::probe --ignored",
        said.display(),
        probed.display(),
        program.display()
    );
    repo.hook(hook, &script);
    let output = repo.try_git(arguments);
    let words = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(output.status.success(), "git {arguments:?}: {words}");
    let said = std::fs::read_to_string(said).unwrap();
    let line = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        format!("{}:{}:{}", &words[4][..1], words[5], words[3])
    };
    let said: Vec<String> = said.lines().map(line).collect();
    (
        std::fs::read_to_string(probed).unwrap_or_else(|_| panic!("no answer: {words}")),
        said.join(","),
    )
}

#[track_caller]
fn assert_hook(repo: &Repo, prepare: &str, arguments: &[&str]) {
    let (probed, said) = in_hook(repo, "pre-commit", prepare, arguments);
    assert_eq!(
        probed,
        format!("{said} |  | {} | libgit2", repo.path().display()),
        "git {arguments:?}"
    );
    assert!(!said.is_empty());
}

#[test]
fn a_real_hook_sees_what_git_sees() {
    let repo = started();
    for prepare in ["", "cd pkg"] {
        repo.stage("a.py", format!("staged {prepare}\n"))
            .write("b.py", format!("not staged {prepare}\n"));
        assert_hook(&repo, prepare, &["commit", "-m", "plain"]);
        repo.stage("a.py", format!("staged again {prepare}\n"))
            .write("b.py", format!("by path {prepare}\n"));
        assert_hook(&repo, prepare, &["commit", "-m", "path", "b.py"]);
        repo.write("b.py", format!("all {prepare}\n"));
        assert_hook(&repo, prepare, &["commit", "-a", "-m", "all"]);
        repo.stage("a.py", format!("amended {prepare}\n"));
        assert_hook(
            &repo,
            prepare,
            &["-c", "user.name=x", "commit", "--amend", "-m", "amend"],
        );
    }
    let linked = Repo::at(repo.join("linked"));
    repo.git(&["worktree", "add", "--quiet", "linked", "-b", "linked"]);
    for prepare in ["", "cd pkg"] {
        linked
            .stage("a.py", format!("linked {prepare}\n"))
            .write("b.py", format!("later {prepare}\n"));
        assert_hook(&linked, prepare, &["commit", "-m", "linked"]);
        assert_hook(&linked, prepare, &["commit", "-a", "-m", "all"]);
    }
    repo.stage("a.py", "given places\n");
    assert_hook(
        &repo,
        "",
        &["--git-dir=.git", "--work-tree=.", "commit", "-m", "places"],
    );
}

#[test]
fn a_real_hook_in_a_submodule() {
    let inner = started();
    let repo = started();
    repo.git(&[
        "-c",
        "protocol.file.allow=always",
        "submodule",
        "--quiet",
        "add",
        inner.path().to_str().unwrap(),
        "sub",
    ]);
    let sub = Repo::at(repo.join("sub"));
    for prepare in ["", "cd pkg"] {
        sub.stage("a.py", format!("sub {prepare}\n"));
        if prepare.is_empty() {
            assert_hook(&sub, prepare, &["commit", "-m", "sub"]);
        }
    }
}

#[test]
fn a_merge_answers_for_itself_only() {
    let repo = started();
    for (branch, base) in [("one", "main"), ("two", "main"), ("three", "main")] {
        repo.git(&["checkout", "--quiet", "-b", branch, base]);
        repo.stage(format!("{branch}.py"), format!("{branch}\n"));
        repo.commit(branch);
    }
    repo.git(&["checkout", "--quiet", "main"]);
    repo.stage("main.py", "main\n");
    repo.commit("main");
    let places = format!("{} | libgit2", repo.path().display());
    let (probed, said) = in_hook(&repo, "pre-merge-commit", "", &["merge", "-m", "merge", "one"]);
    assert!(said.contains("one.py"));
    assert_eq!(probed, format!(" | one.py | {places}"));
    repo.git(&["reset", "--quiet", "--hard", "HEAD~1"]);
    let (probed, _) = in_hook(
        &repo,
        "pre-merge-commit",
        "cd pkg",
        &["merge", "-m", "octopus", "one", "two"],
    );
    assert_eq!(probed, format!(" | one.py,two.py | {places}"));
    repo.git(&["merge", "--quiet", "--no-commit", "three"]);
    repo.stage("evil.py", "evil\n");
    let (probed, _) = in_hook(&repo, "pre-commit", "", &["commit", "-m", "concluded"]);
    assert!(
        probed.starts_with("A:evil.py:") && probed.ends_with(&format!(" | three.py | {places}")),
        "{probed}"
    );
}
