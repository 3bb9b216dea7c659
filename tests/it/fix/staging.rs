//! The working tree and the index: what was not staged is neither lost nor committed.

use std::process::Command;

use super::{in_index, with_a_note};
use crate::support::{
    BASE, ENV, FILE, MODELS, NAMED, OTHER, PROGRAM, Repo, UNNAMED, leftovers, migration, staged_later, words,
};

#[test]
fn an_edit_that_is_not_staged_is_kept() {
    let repo = staged_later(UNNAMED);
    repo.write(FILE, with_a_note(UNNAMED));
    repo.ends(&["fix", "--staged"], 1);
    assert_eq!(repo.read(FILE), with_a_note(NAMED));
    assert_eq!(in_index(&repo, FILE), migration(UNNAMED));
}

#[test]
fn a_line_that_is_not_as_it_was_checked_is_left_alone() {
    let mine = migration(UNNAMED).replace("['id'])", "['id'], ondelete='CASCADE')");
    let twice = migration(UNNAMED) + "    op.drop_constraint(None, 'order', type_='foreignkey')\n";
    for working in [mine, twice] {
        let repo = staged_later(UNNAMED);
        repo.stage(OTHER, migration(UNNAMED)).write(FILE, &working);
        let said = repo.ends(&["fix", "--staged"], 1);
        assert!(said.contains(&format!("`{FILE}` was left alone")), "{said}");
        assert_eq!(repo.read(FILE), working);
        assert_eq!(in_index(&repo, FILE), migration(UNNAMED));
        assert_eq!(repo.read(OTHER), migration(NAMED), "the other one is fixed");
    }
}

#[test]
fn other_line_ends_in_the_working_tree_are_kept() {
    let repo = Repo::new();
    repo.git(&["config", "core.autocrlf", "true"]);
    let crlf = |name: &str| migration(name).replace('\n', "\r\n");
    repo.stage(FILE, crlf(UNNAMED));
    assert_eq!(in_index(&repo, FILE), migration(UNNAMED), "git gave the index its own line ends");
    repo.ends(&["fix", "--staged", "--restage"], 0);
    assert_eq!(repo.read(FILE), crlf(NAMED));
    assert_eq!(in_index(&repo, FILE), migration(NAMED));
    assert_eq!(repo.git(&["status", "--porcelain"]), format!("A  {FILE}"));
    // Mixed ones, and an end of the file that was edited.
    let mixed = |name: &str| migration(name).replacen('\n', "\r\n", 9) + "# mine";
    let repo = staged_later(UNNAMED);
    repo.write(FILE, mixed(UNNAMED));
    repo.ends(&["fix", "--staged"], 1);
    assert_eq!(repo.read(FILE), mixed(NAMED));
}

#[test]
fn an_end_of_file_that_differs_is_kept() {
    let last = |name: &str| {
        let text = migration(name);
        text.replace("    op.drop_column('order', 'invoice_id')\n", "")
    };
    let cut = |name: &str| last(name).trim_end().to_owned();
    for (staged, working, expected) in [
        (cut(UNNAMED), cut(UNNAMED) + "\n# mine\n", cut(NAMED) + "\n# mine\n"),
        (last(UNNAMED), cut(UNNAMED), cut(NAMED)),
        (cut(UNNAMED), last(UNNAMED), last(NAMED)),
    ] {
        let repo = Repo::new();
        repo.stage(FILE, staged).write(FILE, working);
        repo.ends(&["fix", "--staged"], 1);
        assert_eq!(repo.read(FILE), expected);
    }
}

#[test]
fn restaging_takes_the_fix_and_nothing_else() {
    let repo = staged_later(UNNAMED);
    repo.write(FILE, with_a_note(UNNAMED));
    repo.stage("other.txt", "staged\n").write("other.txt", "not staged\n");
    let said = repo.ends(&["fix", "--staged", "--restage"], 0);
    assert!(said.contains("fixed and staged"), "{said}");
    assert_eq!(repo.read(FILE), with_a_note(NAMED));
    assert_eq!(in_index(&repo, FILE), migration(NAMED));
    assert_eq!(in_index(&repo, "other.txt"), "staged\n");
    assert_eq!(leftovers(&repo), Vec::<String>::new());
    repo.git(&["fsck", "--strict"]);
}

#[test]
fn what_is_fixed_in_the_working_tree_only_wants_to_be_staged() {
    let repo = staged_later(UNNAMED);
    repo.ends(&["fix", "--staged"], 1);
    let said = repo.ends(&["fix", "--staged"], 1);
    assert!(said.contains(&format!("stage it with `git add {FILE}`")), "{said}");
    assert!(!said.contains("left alone") && !said.contains("error["), "{said}");
    let said = repo.ends(&["fix", "--staged", "--restage"], 0);
    assert!(said.contains("fixed and staged") && !said.contains("left alone"), "{said}");
    assert_eq!((repo.read(FILE), in_index(&repo, FILE)), (migration(NAMED), migration(NAMED)));
}

#[test]
fn the_fixes_that_are_not_certain_wait_until_the_others_are_staged() {
    // An idle comment goes for certain; whether to set a convention is asked.
    let models = format!("{BASE}\n\nX = 1  # alembic-named: ignore[unnamed-constraint]\n");
    let repo = Repo::new();
    repo.stage("migrations/env.py", ENV).stage(MODELS, &models);
    repo.ends(&["fix", "--staged"], 1);
    let safe = repo.read(MODELS);
    assert_ne!(safe, models);
    let said = repo.ends(&["fix", "--staged", "--unsafe-fixes"], 1);
    let expected = "`app/models.py` has some of the fixes in your working tree: stage it with `git add app/models.py`, then run this again";
    assert!(said.contains(expected) && !said.contains("left alone"), "{said}");
    assert_eq!(repo.read(MODELS), safe);
    // As it says.
    repo.git(&["add", MODELS]);
    repo.ends(&["fix", "--staged", "--unsafe-fixes"], 1);
    assert!(repo.read(MODELS).contains("naming_convention"));
}

#[test]
fn restaging_with_a_changed_line_fixes_what_is_staged_only() {
    let repo = staged_later(UNNAMED);
    let mine = migration(UNNAMED).replace("['id'])", "['id'], ondelete='CASCADE')");
    repo.write(FILE, &mine);
    let said = repo.ends(&["fix", "--staged", "--restage"], 0);
    assert!(said.contains("was left alone"), "{said}");
    assert_eq!((repo.read(FILE), in_index(&repo, FILE)), (mine, migration(NAMED)));
}

#[test]
fn restaging_from_anywhere_and_with_every_variable_of_git() {
    let check = |repo: &Repo, command: &mut Command| {
        let output = command.args(["fix", "--staged", "--restage"]).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", words(&output));
        assert_eq!((repo.read(FILE), in_index(repo, FILE)), (migration(NAMED), migration(NAMED)));
    };
    let repo = staged_later(UNNAMED);
    check(&repo, repo.command(PROGRAM).current_dir(repo.join("migrations/versions")));
    let repo = staged_later(UNNAMED);
    let mut command = repo.command(PROGRAM);
    command.env("GIT_DIR", "../.git").env("GIT_WORK_TREE", "..");
    check(&repo, command.current_dir(repo.join("migrations")));
    let repo = staged_later(UNNAMED);
    let elsewhere = tempfile::tempdir().unwrap();
    let mut command = repo.command(PROGRAM);
    command
        .env("GIT_DIR", repo.join(".git"))
        .env("GIT_WORK_TREE", repo.path());
    check(&repo, command.current_dir(elsewhere.path()));
    let repo = staged_later(UNNAMED);
    let mut command = repo.command(PROGRAM);
    check(
        &repo,
        command
            .env("GIT_INDEX_FILE", ".git/index")
            .current_dir(repo.join("migrations")),
    );
    // A linked worktree has an index of its own.
    let repo = staged_later(UNNAMED);
    repo.git(&["worktree", "add", "--quiet", "linked"]);
    let linked = Repo::at(repo.join("linked"));
    linked.stage(FILE, migration(UNNAMED));
    check(&linked, &mut linked.command(PROGRAM));
    assert_eq!(in_index(&repo, FILE), migration(UNNAMED));
}

#[test]
fn restaging_in_formats_that_only_git_writes() {
    for prepare in [
        ["update-index", "--split-index"].as_slice(),
        &["update-index", "--index-version", "4"],
        &["update-index", "--untracked-cache"],
    ] {
        let repo = staged_later(UNNAMED);
        repo.git(prepare);
        repo.ends(&["fix", "--staged", "--restage"], 0);
        assert_eq!((repo.read(FILE), in_index(&repo, FILE)), (migration(NAMED), migration(NAMED)));
    }
    if let Some(repo) = Repo::with(&["--object-format=sha256"]) {
        repo.stage(FILE, migration(UNNAMED));
        repo.ends(&["fix", "--staged", "--restage"], 0);
        assert_eq!(in_index(&repo, FILE), migration(NAMED));
    }
}
