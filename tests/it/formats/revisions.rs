//! What changed between two revisions.

use super::{ASK_GIT, LONG, change, check_between, open, started, status};
use crate::support::Repo;
use alembic_named::git::{GitError, Staged, Status};
use alembic_named::snapshot::SnapshotError;
use alembic_named::source::RepoPath;

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
        assert!(matches!(repository.between("main", "other"), Err(GitError::NoMergeBase { .. })));
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
