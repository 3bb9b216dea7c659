//! Merges and cherry-picks: who answers for what.

use super::{NONE, ONE, accepts, blocks, commit, git, hooked, script};
use crate::support::{FILE, NAMED, OTHER, Repo, UNNAMED, migration, words};

/// On `side` a colleague committed an unnamed constraint; `main` went on.
fn diverged() -> Repo {
    let repo = hooked();
    repo.stage("shared.py", "");
    repo.commit("base");
    repo.git(&["checkout", "--quiet", "-b", "side"]);
    repo.stage(OTHER, migration(UNNAMED));
    repo.commit("a colleague's");
    repo.git(&["checkout", "--quiet", "main"]);
    repo.stage("notes.md", "more\n");
    repo.commit("main goes on");
    repo.hook("pre-merge-commit", &script());
    repo
}

#[test]
fn a_clean_merge_does_not_answer_for_a_colleague() {
    let repo = diverged();
    accepts(&repo, &mut git(&repo, &["merge", "-m", "merge", "side"]), NONE);
}

#[test]
fn a_clean_merge_answers_for_what_it_combines() {
    let repo = diverged();
    let long = |name: &str, end: &str| migration(name) + &"# a comment\n".repeat(20) + end;
    repo.stage(FILE, long(NAMED, ""));
    repo.commit("both will change it");
    repo.git(&["checkout", "--quiet", "-b", "other"]);
    repo.stage(FILE, long(UNNAMED, ""));
    repo.commit("the beginning");
    repo.git(&["checkout", "--quiet", "main"]);
    repo.stage(FILE, long(NAMED, "# the end\n"));
    repo.commit("the end");
    blocks(&repo, &mut git(&repo, &["merge", "-m", "merge", "other"]));
    // git stops before the commit, which is then a plain one.
    blocks(&repo, &mut commit(&repo, &[]));
    repo.stage(FILE, long(NAMED, "# the end\n# merged\n"));
    accepts(&repo, &mut commit(&repo, &[]), ONE);
    assert_eq!(repo.git(&["rev-list", "--parents", "-1", "HEAD"]).split(' ').count(), 3);
}

#[test]
fn a_merge_concluded_by_hand() {
    let repo = diverged();
    repo.git(&["merge", "--no-commit", "side"]);
    // An evil merge: it brings something that no parent has.
    repo.stage(FILE, migration(UNNAMED));
    let said = blocks(&repo, &mut commit(&repo, &[]));
    assert!(!said.contains(OTHER), "{said}");
    repo.stage(FILE, migration(NAMED));
    accepts(&repo, &mut commit(&repo, &[]), ONE);

    let repo = diverged();
    repo.git(&["merge", "--no-commit", "side"]);
    // The colleague's file, changed once more, is one's own.
    repo.stage(OTHER, migration(UNNAMED) + "# changed\n");
    blocks(&repo, &mut commit(&repo, &[]));
    repo.stage(OTHER, migration(UNNAMED));
    accepts(&repo, &mut git(&repo, &["-c", "core.editor=true", "merge", "--continue"]), NONE);
}

#[test]
fn a_conflict_that_was_resolved() {
    let repo = diverged();
    repo.stage(FILE, migration(NAMED));
    repo.commit("ours");
    repo.git(&["checkout", "--quiet", "side"]);
    repo.stage(FILE, migration(UNNAMED));
    repo.commit("theirs");
    repo.git(&["checkout", "--quiet", "main"]);
    let conflict = repo.try_git(&["merge", "-m", "merge", "side"]);
    assert!(words(&conflict).contains("CONFLICT"), "{}", words(&conflict));
    repo.stage(FILE, migration(UNNAMED) + "# resolved\n");
    let said = blocks(&repo, &mut commit(&repo, &[]));
    assert!(!said.contains(OTHER), "{said}");
    repo.stage(FILE, migration(NAMED) + "# resolved\n");
    accepts(&repo, &mut commit(&repo, &[]), ONE);

    // Their side as it is was theirs to answer for.
    repo.git(&["reset", "--quiet", "--hard", "HEAD^1"]);
    repo.try_git(&["merge", "-m", "merge", "side"]);
    repo.git(&["checkout", "--quiet", "--theirs", FILE]);
    repo.git(&["add", FILE]);
    accepts(&repo, &mut commit(&repo, &[]), NONE);
}

#[test]
fn a_cherry_pick_answers_for_all_of_it() {
    let repo = diverged();
    repo.git(&["cherry-pick", "--no-commit", "side"]);
    blocks(&repo, &mut commit(&repo, &[]));
    repo.stage(OTHER, migration(NAMED));
    accepts(&repo, &mut commit(&repo, &[]), ONE);
}
