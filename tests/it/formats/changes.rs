//! What can be staged, in a plain repository.

use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;

use super::{ASK_GIT, LONG, agree, change, open, started, status};
use crate::support::Repo;
use alembic_named::git::Status;
use alembic_named::snapshot::SnapshotError;
use alembic_named::source::RepoPath;

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
    assert_eq!(status(&staged, "pkg/c2.py"), Some(Status::Renamed { from: "c.py".into() }));
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
        assert!(matches!(index.read(&"a.py".into()), Err(SnapshotError::TooLarge { .. })));
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
    repo.git(&["update-index", "--add", "--cacheinfo", &format!("160000,{commit},sub.py")]);
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
