//! Somebody who touches a module for another reason and is stopped: the ways to go on, each to the end of a real commit.

mod install;

use crate::support::{BASE, ENV, MODELS, PROGRAM, Repo, UNNAMED, migration, root, words};

const IGNORED: &str = "class Base(DeclarativeBase):  # alembic-named: ignore[missing-naming-convention]\n";

/// A living project without a convention, with the hook, and a commit that adds a comment to its models.
fn blocked() -> Repo {
    let repo = Repo::new();
    repo.stage("migrations/env.py", ENV).stage(MODELS, BASE);
    repo.commit("first");
    repo.hook("pre-commit", &format!("exec '{PROGRAM}' check --staged"));
    repo.stage(MODELS, format!("{BASE}\n\n# The shop's models.\n"));
    let said = words(&repo.try_git(&["commit", "-m", "comment"]));
    assert!(said.contains("error[missing-naming-convention]"), "{said}");
    repo
}

#[track_caller]
fn commits(repo: &Repo) {
    let said = words(&repo.try_git(&["commit", "-m", "comment"]));
    assert!(said.contains("checked, nothing found"), "{said}");
    assert_eq!(repo.git(&["log", "-1", "--format=%s"]), "comment");
}

#[test]
fn an_ignore_comment_lets_the_commit_through_once_it_is_staged() {
    let repo = blocked();
    let said = repo.ends(&["fix", "--ignore", "--staged"], 1);
    assert!(
        said.contains("ignored 1 finding from now on; look at the change and stage it again: git add app/models.py"),
        "{said}"
    );
    let text = repo.read(MODELS);
    assert_eq!(
        text,
        format!("{}\n\n# The shop's models.\n", BASE.replace("class Base(DeclarativeBase):\n", IGNORED))
    );
    let said = words(&repo.try_git(&["commit", "-m", "comment"]));
    assert!(said.contains("is fixed in your working tree: stage it with `git add app/models.py`"), "{said}");
    repo.git(&["add", MODELS]);
    commits(&repo);
    // Nothing is left to be ignored, so that nothing is written.
    for arguments in [&["fix", "--ignore", MODELS][..], &["fix", "--ignore", "--all"]] {
        let said = repo.ends(arguments, 0);
        assert!(said.contains("nothing found") && !said.contains("ignored"), "{said}");
        assert_eq!(repo.read(MODELS), text);
    }
}

#[test]
fn an_ignore_comment_can_be_staged_at_once_beside_other_edits() {
    let repo = blocked();
    let mine = format!("import os\n{}", repo.read(MODELS));
    repo.write(MODELS, &mine);
    let said = repo.ends(&["fix", "--ignore", "--restage"], 0);
    assert!(said.contains("ignored and staged 1 finding from now on in app/models.py"), "{said}");
    assert_eq!(repo.read(MODELS), mine.replace("class Base(DeclarativeBase):\n", IGNORED));
    commits(&repo);
    assert!(!repo.git(&["show", "HEAD:app/models.py"]).contains("import os"));
}

#[test]
fn every_way_to_name_files_takes_comments() {
    for (arguments, status) in [
        (&["fix", "--ignore", MODELS][..], 0),
        (&["fix", "--ignore", "app"], 0),
        (&["fix", "--ignore", "--staged", MODELS], 1),
        (&["fix", "--ignore", "--all"], 1),
        (&["fix", "--ignore=missing-naming-convention", "--staged"], 1),
        (&["fix", "--ignore", "--select", "missing-naming-convention"], 1),
    ] {
        let repo = blocked();
        repo.ends(arguments, status);
        assert!(repo.read(MODELS).contains(IGNORED), "{arguments:?}");
        repo.git(&["add", MODELS]);
        commits(&repo);
    }
}

#[test]
fn what_was_not_selected_is_not_ignored() {
    let repo = blocked();
    repo.stage("migrations/versions/a.py", migration(UNNAMED));
    repo.ends(&["fix", "--ignore=missing-naming-convention", "--restage"], 0);
    assert!(repo.read(MODELS).contains(IGNORED));
    assert_eq!(repo.read("migrations/versions/a.py"), migration(UNNAMED));
    repo.ends(&["fix", "--ignore", "--restage"], 0);
    let said = repo.ends(&["check", "--staged"], 0);
    assert!(said.contains("2 files checked, nothing found"), "{said}");
}

#[test]
fn a_diff_shows_the_comments_and_changes_nothing() {
    let repo = blocked();
    let before = repo.read(MODELS);
    let said = repo.ends(&["fix", "--ignore", "--staged", "--diff"], 1);
    assert!(said.contains(&format!("\n+{IGNORED}")), "{said}");
    assert!(said.contains("alembic-named fix --ignore --staged\n"), "{said}");
    assert_eq!(repo.read(MODELS), before);
    let patch = repo.run(&["fix", "--ignore", "--staged", "--diff", "--quiet"]);
    repo.git_with_input(&["apply", "--index", "-"], &patch.stdout);
    commits(&repo);
}

#[test]
fn comments_are_not_mixed_with_fixes() {
    let repo = blocked();
    let before = repo.read(MODELS);
    let said = repo.ends(&["fix", "--ignore", "--unsafe-fixes", "--staged"], 2);
    assert!(said.contains("'--ignore[=<RULE>]' cannot be used with '--unsafe-fixes'"), "{said}");
    let said = repo.ends(&["fix", "--ignore", "unnamed-drop"], 2);
    assert!(said.contains("`unnamed-drop` is a rule, not a path: `fix --ignore=unnamed-drop`"), "{said}");
    assert_eq!(repo.read(MODELS), before);
    // `check` means by `--ignore` what it always did.
    repo.ends(&["check", "--fix", "--unsafe-fixes", "--staged", "--ignore", "missing-naming-convention"], 0);
    assert_eq!(repo.read(MODELS), before);
}

#[test]
fn only_reported_lines_get_comments() {
    let repo = Repo::new();
    let old = "from alembic import op\nrevision = 'a'\ndown_revision = None\n\n\ndef upgrade():\n    op.create_unique_constraint(None, 't', ['a'])\n";
    let path = "migrations/versions/a.py";
    repo.stage(path, old);
    repo.commit("first");
    let new = "    op.create_unique_constraint(None, 't', ['b'])";
    repo.stage(path, format!("{old}{new}\n"));
    let arguments = ["fix", "--ignore", "--restage", "--changed-lines-only"];
    repo.ends(&arguments, 0);
    let comment = "  # alembic-named: ignore[unnamed-constraint]";
    assert_eq!(repo.read(path), format!("{old}{new}{comment}\n"));
    repo.ends(&arguments, 0);
    assert_eq!(repo.read(path), format!("{old}{new}{comment}\n"));
}

/// The value of a key of a hook in `.pre-commit-hooks.yaml`.
fn of_hook(id: &str, key: &str) -> String {
    let path = root().join(".pre-commit-hooks.yaml");
    let text = std::fs::read_to_string(path).unwrap();
    let hook = text
        .split("\n- id: ")
        .find(|hook| hook.lines().next() == Some(id))
        .unwrap();
    let line = hook
        .lines()
        .find_map(|line| line.trim().strip_prefix(&format!("{key}: ")));
    line.unwrap().to_owned()
}

#[test]
fn the_hook_that_fixes_gets_the_commit_through() {
    let id = alembic_named::invocation::FIXING_HOOK;
    assert_eq!(of_hook(id, "stages"), "[manual]");
    assert_eq!(of_hook(id, "language"), of_hook("alembic-named-system", "language").replace("system", "rust"));
    let entry = of_hook(id, "entry");
    let (program, arguments) = entry.split_once(' ').unwrap();
    assert_eq!(program, "alembic-named");
    let repo = Repo::new();
    repo.stage("README.md", "");
    repo.commit("first");
    repo.hook("pre-commit", &format!("exec '{PROGRAM}' check --staged"));
    let file = "migrations/versions/a.py";
    repo.stage(file, migration(UNNAMED));
    // pre-commit adds the names of the files that are staged.
    let arguments: Vec<&str> = arguments.split(' ').chain([file]).collect();
    let said = repo.ends(&arguments, 1);
    assert!(said.contains("stage it again: git add migrations/versions/a.py"), "{said}");
    repo.git(&["add", file]);
    commits(&repo);
}

/// As pre-commit 4.7 and prek 0.5 start what they installed: the folder of the program is in `PATH`, for the hook alone.
#[test]
fn a_printed_command_can_be_typed_outside_of_the_hook() {
    let repo = blocked();
    let bin = repo.join("cache/repo1/rustenv-default/bin");
    std::fs::create_dir_all(&bin).unwrap();
    // By another process: a file that this one has open for writing cannot be run while another test starts a program.
    let copied = repo.command("cp").arg(PROGRAM).arg(bin.join("alembic-named")).status();
    assert!(copied.unwrap().success());
    let typed = |folders: &[&std::path::Path]| {
        let path = std::env::join_paths(folders).unwrap();
        let output = repo
            .command(bin.join("alembic-named"))
            .args(["fix", "--ignore", "--diff"])
            .env("PRE_COMMIT", "1")
            .env("PATH", path)
            .output();
        let said = words(&output.unwrap());
        let (_, command) = said
            .split_once("write these comments: ")
            .unwrap_or_else(|| panic!("{said}"));
        command.trim().to_owned()
    };
    let own = std::path::Path::new(PROGRAM).parent().unwrap();
    assert_eq!(typed(&[&bin, own]), "alembic-named fix --ignore --staged");
    let command = typed(&[&bin]);
    assert_eq!(command, format!("{} fix --ignore --staged", bin.join("alembic-named").display()));
    let output = repo.command("sh").args(["-c", &command]).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", words(&output));
    repo.git(&["add", MODELS]);
    commits(&repo);
}
