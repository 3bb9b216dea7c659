//! Repositories and indexes of every kind.

use std::os::unix::ffi::OsStrExt;

use super::{ASK_GIT, LONG, agree, agree_in, change, check, check_between, needs_git, open, start, started};
use crate::support::Repo;
use alembic_named::git::{Backend, Staged};
use alembic_named::snapshot::SnapshotError;

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
    std::fs::write(clone.join(".git/objects/info/alternates"), repo.join(".git/objects").as_os_str().as_bytes())
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
