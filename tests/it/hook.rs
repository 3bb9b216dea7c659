//! Real commits with the program as their hook: one with an unnamed constraint is blocked with the name to use, and
//! accepted once it is corrected, for every way in which git calls a hook.

mod kinds;
mod merges;

use std::os::unix::fs::{PermissionsExt, symlink};
use std::process::Command;

use crate::support::{
    ENV, FILE, MODELS, NAMED, OTHER, PROGRAM, Repo, SUGGESTED, UNNAMED, migration, root, said, words,
};

/// What an accepted commit says when one file was looked at: proof that the hook ran.
const ONE: &str = "1 file checked, nothing found";
const NONE: &str = "0 files checked";

fn script() -> String {
    format!("exec '{PROGRAM}' check --staged")
}

/// A repository with a first commit, and the program as its hook.
fn hooked() -> Repo {
    let repo = Repo::new();
    start(&repo);
    repo
}

fn start(repo: &Repo) {
    repo.stage("README.md", "a shop\n")
        .stage("pkg/readme.md", "its package\n");
    repo.commit("first");
    repo.hook("pre-commit", &script());
}

fn head(repo: &Repo) -> String {
    words(&repo.try_git(&["rev-parse", "--verify", "--quiet", "HEAD"]))
}

/// Runs `command`, which commits in `repo`; gives its exit status, what was said, and whether HEAD moved.
#[track_caller]
fn attempt(repo: &Repo, command: &mut Command) -> (Option<i32>, String, bool) {
    let before = head(repo);
    let output = command.output().unwrap();
    (output.status.code(), words(&output), head(repo) != before)
}

/// The commit must not happen, and the name to use must be told.
#[track_caller]
fn blocks(repo: &Repo, command: &mut Command) -> String {
    let (status, said, moved) = attempt(repo, command);
    assert_eq!((status, moved), (Some(1), false), "{command:?}: {said}");
    assert!(said.contains("error[unnamed-constraint]") && said.contains(SUGGESTED), "{said}");
    assert!(!said.contains("could not be checked"), "{said}");
    said
}

/// The commit must happen, and the hook must have said `summary`.
#[track_caller]
fn accepts(repo: &Repo, command: &mut Command, summary: &str) -> String {
    let (status, said, moved) = attempt(repo, command);
    assert_eq!((status, moved), (Some(0), true), "{command:?}: {said}");
    assert!(said.contains(summary), "expected `{summary}` in: {said}");
    said
}

fn git(repo: &Repo, arguments: &[&str]) -> Command {
    let mut command = repo.command("git");
    command.args(arguments);
    command
}

/// `git commit` with more arguments.
fn commit(repo: &Repo, arguments: &[&str]) -> Command {
    git(repo, &[&["commit", "-m", "message"], arguments].concat())
}

/// The plain sequence: an unnamed constraint is staged, blocked, corrected, staged and accepted.
#[track_caller]
fn blocked_then_accepted(repo: &Repo, arguments: &[&str]) {
    repo.stage(FILE, migration(UNNAMED));
    blocks(repo, &mut commit(repo, arguments));
    repo.stage(FILE, migration(NAMED));
    accepts(repo, &mut commit(repo, arguments), ONE);
}

#[test]
fn commit_as_it_is() {
    let repo = hooked();
    repo.stage(FILE, migration(UNNAMED));
    let said = blocks(&repo, &mut commit(&repo, &[]));
    assert!(said.contains("error[unnamed-constraint]: foreign key `order.invoice_id` has no name"));
    assert!(said.contains(&format!("{FILE}:11:27")), "{said}");
    repo.stage(FILE, migration(NAMED));
    accepts(&repo, &mut commit(&repo, &[]), ONE);
    assert_eq!(repo.git(&["status", "--porcelain"]), "");
}

#[test]
fn the_hook_that_is_shipped() {
    let repo = hooked();
    let shipped = std::fs::read_to_string(root().join("hooks/pre-commit")).unwrap();
    repo.hook("pre-commit", &shipped);
    let with = |program: &str| {
        let mut commit = commit(&repo, &[]);
        commit.env("ALEMBIC_NAMED", program);
        commit
    };
    repo.stage(FILE, migration(UNNAMED));
    blocks(&repo, &mut with(PROGRAM));
    repo.stage(FILE, migration(NAMED));
    accepts(&repo, &mut with(PROGRAM), ONE);
}

#[test]
fn the_program_itself_as_the_hook() {
    let repo = hooked();
    std::fs::remove_file(repo.join(".git/hooks/pre-commit")).unwrap();
    symlink(PROGRAM, repo.join(".git/hooks/pre-commit")).unwrap();
    blocked_then_accepted(&repo, &[]);
}

#[test]
fn a_hook_in_a_folder_of_the_repository() {
    let repo = hooked();
    std::fs::remove_file(repo.join(".git/hooks/pre-commit")).unwrap();
    repo.git(&["config", "core.hooksPath", ".githooks"]);
    repo.hook("pre-commit", &script());
    assert!(repo.join(".githooks/pre-commit").exists());
    blocked_then_accepted(&repo, &[]);
}

#[test]
fn a_missing_program_blocks() {
    let repo = hooked();
    let shipped = std::fs::read_to_string(root().join("hooks/pre-commit")).unwrap();
    repo.stage(FILE, migration(NAMED));
    for (hook, says) in [
        (shipped.as_str(), "alembic-named: ALEMBIC_NAMED is '/nowhere/alembic-named'"),
        ("exec /nowhere/alembic-named check --staged", "not found"),
    ] {
        repo.hook("pre-commit", hook);
        let mut commit = commit(&repo, &[]);
        let (status, said, moved) = attempt(&repo, commit.env("ALEMBIC_NAMED", "/nowhere/alembic-named"));
        assert_eq!((status, moved), (Some(1), false), "{said}");
        assert!(said.contains(says), "{said}");
    }
    // Without the variable the shipped hook looks in PATH and the usual folders.
    repo.hook("pre-commit", &shipped);
    let mut commit = commit(&repo, &[]);
    let (status, said, moved) = attempt(
        &repo,
        commit
            .env("PATH", std::env::var_os("PATH").unwrap())
            .env("HOME", repo.path())
            .env("CARGO_HOME", repo.path()),
    );
    assert_eq!((status, moved), (Some(1), false), "{said}");
    assert!(said.contains("alembic-named: the program was not found, so nothing was checked"), "{said}");
}

#[test]
fn a_failure_blocks() {
    let repo = hooked();
    repo.stage(FILE, b"from alembic import op\nop.drop_index('\xff')\n".as_slice());
    let (status, said, moved) = attempt(&repo, &mut commit(&repo, &[]));
    assert_eq!((status, moved), (Some(1), false), "{said}");
    assert!(said.contains(&format!("`{FILE}` is not UTF-8")), "{said}");
}

#[test]
fn commit_all() {
    let repo = hooked();
    repo.stage(FILE, "");
    repo.commit("a file to change");
    repo.write(FILE, migration(UNNAMED));
    blocks(&repo, &mut commit(&repo, &["-a"]));
    assert_eq!(repo.git(&["diff", "--cached", "--name-only"]), "", "-a is taken back");
    repo.write(FILE, migration(NAMED));
    accepts(&repo, &mut commit(&repo, &["-a"]), ONE);
}

#[test]
fn commit_a_path_while_another_file_is_staged() {
    let repo = hooked();
    repo.stage(FILE, "");
    repo.commit("a file to change");
    // The commit leaves out what is staged besides, in either direction.
    repo.stage(OTHER, migration(NAMED)).write(FILE, migration(UNNAMED));
    let said = blocks(&repo, &mut commit(&repo, &[FILE]));
    assert!(said.contains(FILE) && !said.contains(OTHER), "{said}");
    repo.stage(OTHER, migration(UNNAMED)).write(FILE, migration(NAMED));
    accepts(&repo, &mut commit(&repo, &[FILE]), ONE);
    assert_eq!(repo.git(&["diff", "--cached", "--name-only"]), OTHER);
    // With --include it takes part.
    repo.write(FILE, "");
    let said = blocks(&repo, &mut commit(&repo, &["--include", FILE]));
    assert!(said.contains(OTHER), "{said}");
    repo.stage(OTHER, migration(NAMED));
    accepts(&repo, &mut commit(&repo, &["--include", FILE]), "2 files checked, nothing found");
}

#[test]
fn commit_in_parts() {
    let repo = hooked();
    let two_parts = |beginning: &str, end: &str| beginning.to_owned() + &"# a comment\n".repeat(20) + end;
    repo.stage(FILE, two_parts("# nothing yet\n", ""));
    repo.commit("a file to change");
    let pick = |answers: &str| {
        let mut command = commit(&repo, &["-p"]);
        command.stdin(input(answers));
        command
    };
    repo.write(FILE, two_parts(&migration(UNNAMED), "# the end\n"));
    let said = blocks(&repo, &mut pick("y\nn\n"));
    assert!(said.contains("(1/2)") && said.contains("(2/2)"), "{said}");
    // The end alone has nothing wrong in it, whatever else is in the working tree.
    accepts(&repo, &mut pick("n\ny\n"), ONE);
    assert!(repo.git(&["show", "HEAD"]).contains("+# the end"));
    repo.write(FILE, two_parts(&migration(NAMED), "# the end\n# and more\n"));
    accepts(&repo, &mut pick("y\nn\n"), ONE);
    assert!(repo.git(&["diff"]).contains("+# and more"));
}

/// Standard input with this text.
fn input(text: &str) -> std::io::PipeReader {
    use std::io::Write;
    let (reader, mut writer) = std::io::pipe().unwrap();
    writer.write_all(text.as_bytes()).unwrap();
    reader
}

#[test]
fn amend() {
    let repo = hooked();
    repo.stage(FILE, migration(NAMED));
    repo.commit("to be amended");
    repo.stage(FILE, migration(UNNAMED));
    blocks(&repo, &mut commit(&repo, &["--amend"]));
    repo.stage(FILE, migration(NAMED) + "# amended\n");
    accepts(&repo, &mut commit(&repo, &["--amend"]), ONE);
    // The comparison is with HEAD: nothing is staged when only the message changes.
    accepts(&repo, &mut git(&repo, &["commit", "--amend", "-m", "new message"]), NONE);
}

#[test]
fn from_a_subdirectory() {
    let repo = hooked();
    let commit_in = |folder: &str| {
        let mut command = commit(&repo, &[]);
        command.current_dir(repo.join(folder));
        command
    };
    repo.stage(FILE, migration(UNNAMED));
    let said = blocks(&repo, &mut commit_in("pkg"));
    assert!(said.contains(&format!("--> {FILE}:")), "paths start at the top: {said}");
    repo.stage(FILE, migration(NAMED));
    accepts(&repo, &mut commit_in("migrations/versions"), ONE);
}

#[test]
fn a_hook_that_changes_the_folder() {
    let repo = hooked();
    repo.hook("pre-commit", &format!("cd pkg && '{PROGRAM}'"));
    blocked_then_accepted(&repo, &[]);
    repo.write(FILE, migration(UNNAMED));
    blocks(&repo, &mut commit(&repo, &["-a"]));
    blocks(&repo, &mut commit(&repo, &[FILE]));
    repo.write(FILE, migration(NAMED) + "# changed\n");
    accepts(&repo, &mut commit(&repo, &[FILE]), ONE);
}

#[test]
fn places_given_by_variables() {
    let repo = hooked();
    let parent = repo.path().parent().unwrap();
    let name = repo.path().file_name().unwrap().to_str().unwrap();
    let by_variables = || {
        let mut command = commit(&repo, &[]);
        command
            .current_dir(parent)
            .env("GIT_DIR", repo.join(".git"))
            .env("GIT_WORK_TREE", name);
        command
    };
    let all_relative = || {
        let mut command = by_variables();
        command.env("GIT_DIR", format!("{name}/.git"));
        command
    };
    let by_options = || {
        let (git_dir, work_tree) = (format!("--git-dir={name}/.git"), format!("--work-tree={name}"));
        let mut command = git(&repo, &[&git_dir, &work_tree, "commit", "-m", "message"]);
        command.current_dir(parent);
        command
    };
    let inside = || {
        let mut command = commit(&repo, &[]);
        command.env("GIT_DIR", ".git").env("GIT_WORK_TREE", ".");
        command
    };
    let ways: [&dyn Fn() -> Command; 4] = [&by_variables, &all_relative, &by_options, &inside];
    for (round, command) in ways.into_iter().enumerate() {
        let bad = migration(UNNAMED) + &format!("# {round}\n");
        repo.stage(FILE, bad.as_bytes());
        blocks(&repo, &mut command());
        repo.stage(
            FILE,
            bad.replace(UNNAMED, NAMED)
                .replace("-> op.f('fk_order_invoice_id_invoice')", "-> None"),
        );
        accepts(&repo, &mut command(), ONE);
    }
}

#[test]
fn intent_to_add_is_no_part_of_the_commit() {
    let repo = hooked();
    repo.write(OTHER, migration(UNNAMED));
    repo.git(&["add", "--intent-to-add", OTHER]);
    repo.stage(FILE, migration(NAMED));
    accepts(&repo, &mut commit(&repo, &[]), ONE);
    repo.git(&["add", OTHER]);
    blocks(&repo, &mut commit(&repo, &[]));
    repo.stage(OTHER, migration(NAMED));
    accepts(&repo, &mut commit(&repo, &[]), ONE);
    // commit -a takes it in.
    repo.write("third.py", migration(UNNAMED));
    repo.git(&["add", "--intent-to-add", "third.py"]);
    blocks(&repo, &mut commit(&repo, &["-a"]));
}

#[test]
fn nothing_staged() {
    let repo = hooked();
    let (status, said, moved) = attempt(&repo, &mut commit(&repo, &[]));
    assert_eq!((status, moved), (Some(1), false));
    assert!(said.contains(NONE) && said.contains("nothing to commit"), "{said}");
    accepts(&repo, &mut commit(&repo, &["--allow-empty"]), NONE);
    // An untracked file is no part of it, and a deleted one has nothing to say.
    repo.write(OTHER, migration(UNNAMED));
    accepts(&repo, &mut commit(&repo, &["--allow-empty"]), NONE);
    repo.git(&["add", OTHER]);
    repo.commit("unchecked");
    repo.git(&["rm", "--quiet", OTHER]);
    accepts(&repo, &mut commit(&repo, &[]), NONE);
}

#[test]
fn the_index_counts_and_not_the_working_tree() {
    let repo = hooked();
    repo.stage(FILE, migration(UNNAMED)).write(FILE, migration(NAMED));
    let (status, said, moved) = attempt(&repo, &mut commit(&repo, &[]));
    assert_eq!((status, moved), (Some(1), false), "{said}");
    // Nothing is left to do but that.
    let expected = format!(
        "1 file checked: 2 errors, both fixable\n`{FILE}` is fixed in your working tree: stage it with `git add {FILE}`\n"
    );
    assert_eq!(said, expected);
    std::fs::remove_file(repo.join(FILE)).unwrap();
    blocks(&repo, &mut commit(&repo, &[]));
    repo.stage(FILE, migration(NAMED)).write(FILE, migration(UNNAMED));
    accepts(&repo, &mut commit(&repo, &[]), ONE);
}

#[test]
fn the_convention_is_read_from_the_index_too() {
    let repo = hooked();
    let models = |convention: &str| {
        format!(
            "from sqlalchemy import MetaData\nfrom sqlalchemy.orm import DeclarativeBase\n\n\nclass \
             Base(DeclarativeBase):\n    metadata = MetaData(naming_convention={{'fk': '{convention}', 'pk': 'p', \
             'uq': 'u', 'ck': 'c', 'ix': 'i'}})\n"
        )
    };
    repo.stage("alembic.ini", "[alembic]\nscript_location = migrations\nprepend_sys_path = .\n")
        .stage("migrations/env.py", ENV)
        .stage("app/__init__.py", "")
        .stage(MODELS, models("staged_%(table_name)s"))
        .write(MODELS, models("on_disk_%(table_name)s"))
        .stage(FILE, migration(UNNAMED));
    let (status, said, moved) = attempt(&repo, &mut commit(&repo, &[]));
    assert_eq!((status, moved), (Some(1), false), "{said}");
    assert!(said.contains("staged_order") && !said.contains("on_disk"), "{said}");
}

#[test]
fn a_migration_that_moved() {
    let repo = hooked();
    repo.stage(FILE, migration(UNNAMED));
    repo.commit("unchecked");
    repo.git(&["mv", FILE, "migrations/versions/renamed.py"]);
    blocks(&repo, &mut commit(&repo, &[]));
    repo.stage("migrations/versions/renamed.py", migration(NAMED));
    accepts(&repo, &mut commit(&repo, &[]), ONE);
}

#[test]
fn a_reader_that_leaves_early_does_not_let_a_commit_pass() {
    let repo = hooked();
    repo.stage(FILE, migration(UNNAMED));
    let before = head(&repo);
    // As in `git commit 2>&1 | head -1`: the reader has gone when the hook writes.
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut commit = commit(&repo, &[]);
    let commit = commit.stdout(writer.try_clone().unwrap()).stderr(writer);
    assert!(!commit.status().unwrap().success());
    assert_eq!(head(&repo), before);
}

#[test]
fn a_hook_run_by_hand() {
    let repo = hooked();
    repo.stage(FILE, migration(UNNAMED));
    let run = repo.try_git(&["hook", "run", "pre-commit"]);
    if words(&run).contains("is not a git command") {
        eprintln!("skipped: this git has no `git hook run`");
        return;
    }
    assert_eq!(run.status.code(), Some(1), "{}", words(&run));
    assert!(words(&run).contains(SUGGESTED));
    repo.stage(FILE, migration(NAMED));
    let run = repo.try_git(&["hook", "run", "pre-commit"]);
    assert_eq!(run.status.code(), Some(0), "{}", words(&run));
    assert!(words(&run).contains(ONE));
}

#[test]
fn names_of_files_that_steer_a_terminal() {
    let repo = hooked();
    repo.stage("migrations/\u{1b}[31mred.py", migration(UNNAMED));
    let said = blocks(&repo, &mut commit(&repo, &[]));
    assert!(!said.contains("\u{1b}[31mred"), "{said:?}");
}

#[test]
fn permissions_of_the_shipped_hook() {
    let hook = root().join("hooks/pre-commit");
    let mode = std::fs::metadata(hook).unwrap().permissions().mode();
    assert_eq!(mode & 0o111, 0o111, "git skips a hook that may not be run, and commits");
}

/// The hook that was there before goes on, however ours was taken away.
#[test]
fn a_hook_that_was_kept_is_put_back() {
    let repo = Repo::new();
    let before = "echo before";
    repo.hook("pre-commit", before);
    let (hook, kept) = (repo.join(".git/hooks/pre-commit"), repo.join(".git/hooks/pre-commit.chained"));
    let mine = std::fs::read(&hook).unwrap();
    said(repo.tool(&["install", "--manager", "git"]), 0);
    assert_eq!(std::fs::read(&kept).unwrap(), mine);
    // As the message about an edited hook advises.
    std::fs::remove_file(&hook).unwrap();
    let told = said(repo.tool(&["uninstall"]), 0);
    assert!(told.out.contains("which was kept as"), "{told:?}");
    assert_eq!(std::fs::read(&hook).unwrap(), mine);
    assert!(!kept.exists());
}
