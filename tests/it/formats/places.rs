//! Where a repository and its index are, and what is there instead.

use std::path::Path;

use super::{ASK_GIT, Variables, agree, agree_in, change, check, environment, open, started};
use crate::support::{Repo, users};
use alembic_named::git::{Backend, GitError, Repository};

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
        for error in [repository.staged().err(), repository.index().err(), repository.tracked().err()] {
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
    let (inside, near) = (repo.join("new"), [("GIT_DIR", near_dir.as_str()), ("GIT_WORK_TREE", name)]);
    let index = ("GIT_INDEX_FILE", ".git/index");
    let cases: [(&Path, Variables<'_>, &Path); 9] = [
        (repo.path(), &[("GIT_DIR", ".git"), ("GIT_WORK_TREE", "."), index], repo.path()),
        (&inside, &[("GIT_DIR", "../.git"), ("GIT_WORK_TREE", ".."), index], repo.path()),
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
        assert_eq!(open(folder, &[variables, &[ASK_GIT]].concat()).top(), top, "{variables:?}");
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
            agree_in(&elsewhere.clone(), &[&[("GIT_DIR", git_dir.as_str())], variables].concat())
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
        assert!(matches!(repository.index().err(), Some(GitError::BareRepository { .. })));
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
fn a_repository_of_another_user() {
    let repo = started();
    change(&repo);
    if !users::give_away(&repo) {
        return;
    }
    let error = Repository::discover_in(&environment(&[]), &repo.join("pkg"))
        .err()
        .unwrap();
    assert!(matches!(&error, GitError::Ownership { path } if path == repo.path()), "{error}");
    let top = repo.path().display().to_string();
    let trusted = [
        ("GIT_CONFIG_COUNT", "1"),
        ("GIT_CONFIG_KEY_0", "safe.directory"),
        ("GIT_CONFIG_VALUE_0", top.as_str()),
    ];
    let (staged, backend) = check(repo.path(), &trusted);
    assert_eq!((staged.changes.len(), matches!(backend, Backend::Git { .. })), (3, true));
}

#[test]
fn an_index_that_may_not_be_read() {
    let repo = started();
    std::fs::remove_file(repo.join(".git/index")).unwrap();
    std::fs::create_dir(repo.join(".git/index")).unwrap();
    let error = open(repo.path(), &[]).staged().unwrap_err();
    assert!(matches!(error, GitError::UnreadableIndex { .. } | GitError::CorruptIndex { .. }), "{error}");
}
