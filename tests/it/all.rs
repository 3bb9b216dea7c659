//! `--all` and folders: many files, several threads, and what is not read.

use crate::support::{NAMED, PROGRAM, Repo, UNNAMED, migration};
use serde_json::Value;

/// Enough for two threads (`ENOUGH` in src/check/threads.rs).
const MANY: usize = 600;

fn json(repo: &Repo, arguments: &[&str]) -> Value {
    let output = repo
        .command(PROGRAM)
        .arg("check")
        .args(arguments)
        .args(["--format", "json"])
        .output()
        .unwrap();
    serde_json::from_slice(&output.stdout).expect("a report")
}

#[test]
fn many_files_give_the_same_report_with_any_number_of_threads() {
    let repo = Repo::new();
    for number in 0..MANY {
        let name = if number % 7 == 0 { UNNAMED } else { NAMED };
        let text = migration(name).replace("9b3e64c8d215", &format!("{number:012x}"));
        repo.write(format!("migrations/versions/{number:04}_change.py"), text);
        repo.write(format!("app/module_{number:04}.py"), "x = 1\n");
    }
    repo.write("migrations/versions/0100_broken.py", b"op.create_foreign_key(\xff)");
    repo.git(&["add", "--all"]);
    repo.git(&["commit", "--quiet", "--message", "start"]);
    let all = json(&repo, &["--all"]);
    // With `--verbose` one thread does it all.
    assert_eq!(all, json(&repo, &["--all", "--verbose"]));
    let paths: Vec<&str> = all["files"]
        .as_array()
        .unwrap()
        .iter()
        .map(|file| file["path"].as_str().unwrap())
        .collect();
    assert_eq!(paths.len(), 2 * MANY);
    assert!(paths.is_sorted());
    let found = all["diagnostics"].as_array().unwrap();
    let of_rule = |one: &&Value| one["rule"] == "unnamed-constraint";
    assert_eq!(found.iter().filter(of_rule).count(), MANY.div_ceil(7));
    let below = json(&repo, &["migrations"]);
    assert_eq!(below["diagnostics"], all["diagnostics"]);
}

#[test]
fn of_several_wrong_configurations_the_first_is_told() {
    let repo = Repo::new();
    for number in 0..MANY {
        repo.write(format!("service_{:02}/module_{number:04}.py", number / 100), "x = 1\n");
    }
    for service in 1..6 {
        repo.write(format!("service_{service:02}/alembic-named.toml"), "selct = []\n");
    }
    repo.git(&["add", "--all"]);
    let output = repo.run(&["check"]);
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("service_01/alembic-named.toml"), "{said}");
}

/// A revision that speaks of no constraint, and is not Python.
const BROKEN: &str =
    "revision = 'b'\ndown_revision = 'a'\n\n\ndef upgrade(:\n    op.add_column('order', sa.Column('note'))\n";

#[test]
fn a_revision_without_constraints_is_parsed_where_it_is_changed_or_named() {
    let repo = Repo::new();
    let path = "migrations/versions/b.py";
    repo.write(path, BROKEN);
    repo.git(&["add", "--all"]);
    let rules = |report: &Value| -> Vec<String> {
        let found = report["diagnostics"].as_array().unwrap();
        found
            .iter()
            .map(|one| one["rule"].as_str().unwrap().to_owned())
            .collect()
    };
    assert!(rules(&json(&repo, &[])).contains(&"syntax-error".to_owned()));
    repo.git(&["commit", "--quiet", "--no-verify", "--message", "start"]);
    assert!(rules(&json(&repo, &[path])).contains(&"syntax-error".to_owned()));
    for many in [&["--all"][..], &["migrations"]] {
        let report = json(&repo, many);
        assert_eq!(rules(&report), Vec::<String>::new());
        assert_eq!(report["files"][0]["kind"], "migration");
    }
}
