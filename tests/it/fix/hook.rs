//! A hook that fixes.

use std::fs;

use super::{in_commit, in_index, with_a_note};
use crate::support::{FILE, NAMED, PROGRAM, Repo, UNNAMED, leftovers, migration, words};

/// A repository whose hook fixes and stages.
fn fixing_hook() -> Repo {
    let repo = Repo::new();
    repo.stage("README.md", "a shop\n").stage(FILE, "");
    repo.commit("first");
    repo.git(&["rm", "--quiet", "--cached", FILE]);
    fs::remove_file(repo.join(FILE)).unwrap();
    repo.commit("second");
    repo.hook("pre-commit", &format!("exec '{PROGRAM}' fix --staged --restage"));
    repo
}

/// `git commit` with these arguments commits the fix.
#[track_caller]
fn commits_the_fix(repo: &Repo, arguments: &[&str], answers: &str) {
    let mut commit = repo.command("git");
    commit.args(["commit", "-m", "message"]).args(arguments);
    let output = assert_cmd::Command::from_std(commit)
        .write_stdin(answers)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", words(&output));
    assert_eq!(in_commit(repo, "HEAD", FILE), migration(NAMED), "{arguments:?}");
    assert_eq!(in_index(repo, FILE), migration(NAMED), "{arguments:?}");
    assert_eq!(leftovers(repo), Vec::<String>::new());
}

#[test]
fn a_hook_that_restages_commits_the_fix() {
    let repo = fixing_hook();
    repo.stage(FILE, migration(UNNAMED))
        .stage("other.txt", "one\n")
        .write("other.txt", "two\n");
    commits_the_fix(&repo, &[], "");
    assert_eq!(repo.read(FILE), migration(NAMED));
    assert_eq!(repo.git(&["status", "--porcelain"]), " M other.txt", "what was not staged is still not");

    let repo = fixing_hook();
    repo.stage(FILE, migration(UNNAMED));
    commits_the_fix(&repo, &["--amend"], "");
    assert_eq!(repo.git(&["status", "--porcelain"]), "");

    let repo = fixing_hook();
    repo.stage(FILE, migration(UNNAMED)).write(FILE, with_a_note(UNNAMED));
    commits_the_fix(&repo, &[], "");
    assert_eq!(repo.read(FILE), with_a_note(NAMED), "the note is neither lost nor committed");
    assert_eq!(repo.git(&["status", "--porcelain"]), format!(" M {FILE}"));
}

#[test]
fn commit_all_and_commit_by_hunks() {
    let repo = fixing_hook();
    repo.stage(FILE, "# to come\n").write(FILE, migration(UNNAMED));
    commits_the_fix(&repo, &["-a"], "");
    assert_eq!(repo.git(&["status", "--porcelain"]), "");

    let repo = fixing_hook();
    repo.git(&["add", "-N", "."]);
    repo.stage(FILE, migration(UNNAMED)).stage("notes.txt", "1\n");
    repo.write("notes.txt", "1\n2\n").write("README.md", "a bigger shop\n");
    commits_the_fix(&repo, &["-p"], "y\nn\n");
    assert_eq!(repo.git(&["diff", "--name-only"]), "notes.txt", "one of two hunks was taken");
}

#[test]
fn a_commit_of_paths_is_refused_in_one_sentence() {
    let repo = fixing_hook();
    repo.stage(FILE, "# to come\n").write(FILE, migration(UNNAMED));
    repo.stage("other.txt", "staged\n");
    let before = repo.git(&["rev-parse", "HEAD"]);
    let output = repo.try_git(&["commit", "-m", "message", FILE]);
    assert!(!output.status.success(), "{}", words(&output));
    let refusals: Vec<String> = words(&output)
        .lines()
        .filter(|line| line.starts_with("error: "))
        .map(str::to_owned)
        .collect();
    assert_eq!(refusals.len(), 1, "{}", words(&output));
    assert!(refusals[0].contains("git commit PATH"), "{refusals:?}");
    assert_eq!(repo.git(&["rev-parse", "HEAD"]), before);
    assert_eq!((repo.read(FILE), in_index(&repo, FILE)), (migration(UNNAMED), "# to come\n".to_owned()));
    assert_eq!(leftovers(&repo), Vec::<String>::new());
}

#[test]
fn a_hook_that_only_fixes_blocks_until_it_is_staged() {
    let repo = fixing_hook();
    repo.hook("pre-commit", &format!("exec '{PROGRAM}' fix --staged"));
    repo.stage(FILE, migration(UNNAMED));
    assert!(!repo.try_git(&["commit", "-m", "message"]).status.success());
    assert_eq!(repo.read(FILE), migration(NAMED));
    repo.git(&["add", "-A"]);
    commits_the_fix(&repo, &[], "");
}
