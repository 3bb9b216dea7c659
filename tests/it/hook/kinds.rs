//! Hooks of repositories of every kind.

use super::{NONE, ONE, accepts, blocked_then_accepted, blocks, commit, hooked, script, start};
use crate::support::{FILE, NAMED, OTHER, Repo, UNNAMED, migration, users, words};

#[test]
fn the_first_commit() {
    let repo = Repo::new();
    repo.hook("pre-commit", &script());
    blocked_then_accepted(&repo, &[]);
}

#[test]
fn a_linked_worktree() {
    let repo = hooked();
    repo.git(&["worktree", "add", "--quiet", "linked", "-b", "linked"]);
    let linked = Repo::at(repo.join("linked"));
    blocked_then_accepted(&linked, &[]);
    linked.write(FILE, migration(UNNAMED));
    blocks(&linked, &mut commit(&linked, &["-a"]));
    blocks(&linked, &mut commit(&linked, &[FILE]));
    // What is staged in the other working tree does not count.
    repo.stage(OTHER, migration(UNNAMED));
    linked.write(FILE, migration(NAMED) + "# changed\n");
    accepts(&linked, &mut commit(&linked, &[FILE]), ONE);
}

#[test]
fn a_submodule() {
    let (inner, repo) = (hooked(), hooked());
    let url = inner.path().to_str().unwrap();
    repo.git(&["-c", "protocol.file.allow=always", "submodule", "--quiet", "add", url, "sub"]);
    accepts(&repo, &mut commit(&repo, &[]), NONE);
    let sub = Repo::at(repo.join("sub"));
    sub.hook("pre-commit", &script());
    blocked_then_accepted(&sub, &[]);
    // The submodule is one entry for the repository around it.
    repo.git(&["add", "sub"]);
    accepts(&repo, &mut commit(&repo, &[]), NONE);
}

#[test]
fn a_repository_of_another_user_that_git_accepts() {
    let repo = hooked();
    repo.git(&["worktree", "add", "--quiet", "linked", "-b", "linked"]);
    repo.stage(FILE, migration(UNNAMED));
    if !users::give_away(&repo) {
        return;
    }
    let trusted = |repo: &Repo| {
        let mut command = commit(repo, &[]);
        command
            .env("GIT_CONFIG_COUNT", "1")
            .env("GIT_CONFIG_KEY_0", "safe.directory")
            .env("GIT_CONFIG_VALUE_0", repo.path());
        command
    };
    let refused = commit(&repo, &[]).output().unwrap();
    assert!(words(&refused).contains("dubious ownership"), "git itself must refuse it");
    blocks(&repo, &mut trusted(&repo));
    repo.write(FILE, migration(NAMED));
    // Given by hand, as files that root writes belong to root.
    let added = repo
        .command("git")
        .args(["-c", &format!("safe.directory={}", repo.path().display()), "add", FILE])
        .output()
        .unwrap();
    assert!(added.status.success(), "{}", words(&added));
    let (status, said) = {
        let output = trusted(&repo).output().unwrap();
        (output.status.code(), words(&output))
    };
    assert_eq!(status, Some(0), "{said}");
    assert!(said.contains(ONE), "{said}");
}

#[test]
fn a_sparse_index() {
    let repo = hooked();
    repo.git(&["sparse-checkout", "set", "--cone", "--sparse-index", "migrations"]);
    repo.stage(FILE, migration(UNNAMED));
    let listing = repo.try_git(&["ls-files", "--sparse"]);
    if !words(&listing).lines().any(|line| line == "pkg/") {
        eprintln!("skipped: this git wrote no sparse index");
        return;
    }
    blocked_then_accepted(&repo, &[]);
    repo.write(FILE, migration(UNNAMED));
    blocks(&repo, &mut commit(&repo, &["-a"]));
    blocks(&repo, &mut commit(&repo, &[FILE]));
}

#[test]
fn a_split_index() {
    let repo = hooked();
    repo.git(&["update-index", "--split-index"]);
    blocked_then_accepted(&repo, &[]);
    repo.write(FILE, migration(UNNAMED));
    blocks(&repo, &mut commit(&repo, &["-a"]));
    blocks(&repo, &mut commit(&repo, &[FILE]));
}

#[test]
fn other_formats() {
    for format in ["--object-format=sha256", "--ref-format=reftable"] {
        let Some(repo) = Repo::with(&[format]) else { continue };
        start(&repo);
        blocked_then_accepted(&repo, &[]);
        repo.write(FILE, migration(UNNAMED));
        blocks(&repo, &mut commit(&repo, &["-a"]));
        blocks(&repo, &mut commit(&repo, &[FILE]));
        repo.write(FILE, migration(NAMED) + "# changed\n");
        accepts(&repo, &mut commit(&repo, &["-a"]), ONE);
    }
}
