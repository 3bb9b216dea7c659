//! `fix` on real files: its commands and exit statuses here, and what is changed, staged and refused in the folder beside.

mod hook;
mod refusals;
mod staging;
mod written;

use std::fs;

use crate::support::{FILE, NAMED, PROGRAM, Repo, UNNAMED, both_texts, migration, staged, staged_later, words};

#[test]
fn commands_are_written_for_the_folder_they_are_typed_in() {
    let repo = staged_later(UNNAMED);
    let versions = |program: &str, arguments: &[&str]| -> String {
        let mut command = repo.command(program);
        let output = command
            .args(arguments)
            .current_dir(repo.join("migrations/versions"))
            .output();
        words(&output.unwrap())
    };
    let said = versions(PROGRAM, &["fix", "--staged"]);
    assert!(said.contains("stage it again: git add add_invoice.py\n"), "{said}");
    assert_eq!(versions("git", &["add", "add_invoice.py"]), "");
    repo.stage("alembic-named.toml", "deployed = false\n");
    repo.git(&["commit", "--quiet", "-m", "named"]);

    // A hook runs at the top, and after `commit -a` or `commit PATH` nothing is staged.
    repo.hook("pre-commit", &format!("exec '{PROGRAM}' check --staged"));
    repo.write(FILE, migration(UNNAMED));
    for what in ["-a", "add_invoice.py"] {
        let said = versions("git", &["commit", "-m", "more", what]);
        assert!(said.contains("alembic-named fix add_invoice.py"), "{what}: {said}");
        assert!(!said.contains("--staged"), "{what}: {said}");
    }
    versions(PROGRAM, &["fix", "add_invoice.py"]);
    assert_eq!(std::fs::read_to_string(repo.join(FILE)).unwrap(), migration(NAMED));
    repo.stage(FILE, migration(UNNAMED));
    let said = versions("git", &["commit", "-m", "more"]);
    assert!(said.contains("alembic-named fix --staged"), "{said}");

    // What is not so in the working tree cannot be fixed there.
    repo.write(FILE, migration(NAMED)).write("README.md", "more\n");
    let said = words(&repo.try_git(&["commit", "-m", "more", "-i", "README.md"]));
    assert!(said.contains(&format!("stage it with `git add {FILE}`")), "{said}");

    // Managers give names as seen from the top, and some change the folder.
    repo.stage(FILE, migration(UNNAMED));
    repo.hook("pre-commit", &format!("exec '{PROGRAM}' check --staged {FILE}"));
    let said = versions("git", &["commit", "-m", "more"]);
    assert!(said.contains("alembic-named fix --staged add_invoice.py"), "{said}");
    repo.hook("pre-commit", &format!("cd migrations && exec '{PROGRAM}' fix --staged"));
    let said = words(&repo.try_git(&["commit", "-m", "more"]));
    assert!(said.contains(&format!("git add {FILE}\n")), "{said}");
}

/// What the index holds, byte for byte.
#[track_caller]
fn in_index(repo: &Repo, path: &str) -> String {
    in_commit(repo, "", path)
}

/// What a commit holds, byte for byte.
#[track_caller]
fn in_commit(repo: &Repo, commit: &str, path: &str) -> String {
    let output = repo.try_git(&["cat-file", "blob", &format!("{commit}:{path}")]);
    assert!(output.status.success(), "{}", words(&output));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn staged_files_must_be_staged_again() {
    for arguments in [
        ["fix", "--staged"].as_slice(),
        &["fix"],
        &["--fix"],
        &["check", "--fix", "--staged"],
        &["--staged", "--fix", FILE],
    ] {
        let repo = staged_later(UNNAMED);
        let said = repo.ends(arguments, 1);
        assert!(said.contains(&format!("git add {FILE}")), "{said}");
        assert_eq!(repo.read(FILE), migration(NAMED));
        assert_eq!(in_index(&repo, FILE), migration(UNNAMED));
        repo.git(&["add", "-A"]);
        repo.ends(arguments, 0);
    }
}

#[test]
fn named_files_are_done_when_they_are_fixed() {
    for arguments in [["fix", FILE].as_slice(), &["--fix", FILE], &["fix", "migrations"], &["fix", "."]] {
        let repo = staged_later(UNNAMED);
        repo.ends(arguments, 0);
        assert_eq!(repo.read(FILE), migration(NAMED));
        assert_eq!(in_index(&repo, FILE), migration(UNNAMED), "only the working file is written");
        repo.ends(arguments, 0);
    }
    let folder = tempfile::tempdir().unwrap();
    let outside = Repo::at(folder.path());
    outside.write("m.py", migration(UNNAMED));
    outside.ends(&["fix", "m.py"], 0);
    assert_eq!(outside.read("m.py"), migration(NAMED));
}

#[test]
fn a_finding_that_is_left_blocks() {
    let (before, after) = both_texts(&halves(
        "    op.create_unique_constraint([[None=>op.f('uq_order_code')]], 'order', ['code'])",
        "    op.drop_constraint([[None=>op.f('uq_order_code')]], 'order', type_='unique')\n    op.drop_index(None)",
    ));
    for (arguments, staged) in [(["fix", FILE].as_slice(), false), (&["fix", "--staged", "--restage"], true)] {
        let repo = Repo::new();
        repo.stage(FILE, &before);
        let said = repo.ends(arguments, 1);
        assert!(said.contains("error[unnamed-drop]") && !said.contains("error[unnamed-constraint]"), "{said}");
        assert_eq!(repo.read(FILE), after);
        assert_eq!(in_index(&repo, FILE), if staged { after.clone() } else { before.clone() });
    }
}

#[test]
fn nothing_to_fix_is_no_change() {
    let repo = staged(NAMED);
    for arguments in [
        ["fix", "--staged"].as_slice(),
        &["fix", FILE],
        &["fix", "--staged", "--restage"],
        &["fix", "--all"],
        &["--diff"],
    ] {
        let output = repo.run(arguments);
        assert_eq!(output.status.code(), Some(0), "{}", words(&output));
        if arguments.contains(&"--diff") {
            assert!(output.stdout.is_empty());
        }
    }
    assert_eq!(repo.read(FILE), migration(NAMED));
}

#[test]
fn what_a_database_may_hold_is_changed_only_when_that_is_said() {
    let repo = staged_later(UNNAMED);
    repo.commit("unchecked");
    repo.stage(FILE, migration(UNNAMED) + "# touched\n");
    repo.stage("alembic-named.toml", "dialect = \"postgresql\"\n");
    let said = repo.ends(&["fix", "--staged"], 1);
    assert!(said.contains("--unsafe-fixes"), "{said}");
    assert_eq!(repo.read(FILE), migration(UNNAMED) + "# touched\n");
    let diff = repo.run(&["--diff"]);
    assert!(diff.stdout.is_empty(), "{}", words(&diff));
    let diff = repo.run(&["--diff", "--unsafe-fixes"]);
    assert!(words(&diff).contains("+    op.drop_constraint(op.f('order_invoice_id_fkey')"));
    // The name that PostgreSQL chose, in both halves.
    repo.ends(&["fix", "--staged", "--unsafe-fixes"], 1);
    assert_eq!(repo.read(FILE), migration("op.f('order_invoice_id_fkey')") + "# touched\n");
    repo.git(&["add", "-A"]);
    repo.ends(&["fix", "--staged", "--unsafe-fixes"], 0);
}

#[test]
fn options_that_contradict_each_other() {
    let repo = staged_later(UNNAMED);
    for (arguments, why) in [
        (["fix", "--restage", FILE].as_slice(), "--restage"),
        (&["--diff", "--fix"], "--diff"),
        (&["fix", "--diff", "--restage"], "--diff"),
        (&["fix", "--from-ref", "HEAD", "--to-ref", "HEAD"], "--to-ref"),
        (&["fix", "--from-ref", "HEAD", "--restage"], "--restage"),
    ] {
        let said = repo.ends(arguments, 2);
        assert!(said.contains(why), "{said}");
    }
    assert_eq!(repo.read(FILE), migration(UNNAMED));
}

#[test]
fn a_diff_of_every_name_a_file_can_have() {
    for name in [
        "a b.py",
        "\u{e4}.py",
        "a\"b.py",
        "a\\b.py",
        "a\tb.py",
        "a\nb.py",
        "a\u{1b}[31mb.py",
        "'.py",
        "a/b/c.py",
        "a\u{7f}.py",
    ] {
        let repo = Repo::new();
        repo.stage(name, migration(UNNAMED));
        let diff = repo.run(&["--diff"]);
        repo.git_with_input(&["apply"], &diff.stdout);
        assert_eq!(repo.read(name), migration(NAMED), "{name:?}");
        let said = words(&diff);
        assert!(!said.contains('\u{1b}') && !said.contains('\u{7f}'), "{said:?}");
    }
}

#[test]
fn a_diff_is_coloured_when_that_is_asked_for() {
    let repo = staged_later(UNNAMED);
    let plain = repo.run(&["--diff"]).stdout;
    let coloured = repo.run(&["--diff", "--color", "always"]).stdout;
    assert!(!plain.contains(&0x1b) && coloured.contains(&0x1b));
    assert_eq!(repo.run(&["--diff", "--color", "never"]).stdout, plain);
    repo.ends(&["--diff", "--output-file", "fix.patch"], 1);
    assert_eq!(fs::read(repo.join("fix.patch")).unwrap(), plain);
}

/// A migration of these two bodies.
fn halves(upgrade: &str, downgrade: &str) -> String {
    format!(
        "\"\"\"a step\"\"\"\nfrom alembic import op\nimport sqlalchemy as sa\n\nrevision = '1a2b'\ndown_revision = None\n\n\n\
         def upgrade() -> None:\n{upgrade}\n\n\ndef downgrade() -> None:\n{downgrade}\n"
    )
}

/// A comment far from the edits.
fn with_a_note(name: &str) -> String {
    migration(name).replace("import sqlalchemy as sa\n", "import sqlalchemy as sa  # mine\n")
}

#[test]
fn what_a_name_does_not_cure_is_said_after_the_fix() {
    let repo = staged_later(UNNAMED);
    repo.stage("alembic-named.toml", "dialect = \"sqlite\"\n");
    let left = format!("`{FILE}`: SQLite needs batch mode as well (`op.batch_alter_table('order')`)");
    for arguments in [["fix", "--staged"].as_slice(), &["fix", "--staged", "--restage"]] {
        let said = repo.ends(arguments, i32::from(arguments.len() == 2));
        assert_eq!(said.matches(&left).count(), 1, "{said}");
        repo.stage(FILE, migration(UNNAMED));
    }
    repo.stage("alembic-named.toml", "dialect = \"postgresql\"\n");
    assert!(!repo.ends(&["fix", "--staged"], 1).contains("SQLite"));
}
