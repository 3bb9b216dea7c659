//! What the documents say happens, happens: their transcripts are run, and their messages are those of the program.

use std::fs;
use std::process::Command;

use crate::support::users::{as_nobody, git_on_nobody, hand_over};
use crate::support::{NAMED, PROGRAM, Repo, blocks, migration, root, words};
use regex::Regex;
use serde_json::Value;

fn document(name: &str) -> String {
    fs::read_to_string(root().join("docs").join(name)).unwrap()
}

/// Copies the example into a folder of a repository.
fn put_shop(repo: &Repo, place: &str) {
    repo.copy(&root().join("examples/shop"), place);
}

/// The files that a document shows, written where it says.
fn write_files(repo: &Repo, text: &str) {
    for (info, content) in blocks(text) {
        if let Some((_, path)) = info.split_once("file=") {
            repo.write(path, content);
        }
    }
}

/// `...` stands for anything in a line, and alone on a line for any lines.
fn pattern(shown: &str) -> Regex {
    let lines = shown.lines().map(|line| match line {
        "..." => "(?s:.*)".to_owned(),
        line => line.split("...").map(regex::escape).collect::<Vec<_>>().join("[^\n]*") + "\n",
    });
    Regex::new(&format!("^{}$", lines.collect::<String>())).unwrap()
}

/// Runs what a document shows after `$`, in order, and compares what is printed.
fn follow(repo: &Repo, name: &str) {
    let mut count = 0;
    for (_, block) in blocks(&document(name)).iter().filter(|(info, _)| info == "console") {
        for part in format!("\n{block}").split("\n$ ").skip(1) {
            let (line, shown) = part.split_once('\n').unwrap_or((part, ""));
            let output = repo.command("sh").args(["-c", &format!("{{ {line}; }} 2>&1")]).output();
            let printed = words(&output.unwrap());
            let expected = pattern(shown.trim_end_matches('\n'));
            assert!(
                expected.is_match(&printed),
                "{name}: after `{line}` it shows\n{shown}\nbut this is printed\n{printed}"
            );
            count += 1;
        }
    }
    assert!(count > 3, "{name} shows only {count} commands");
}

#[test]
fn patterns_hold_a_document_to_its_word() {
    let shown = pattern("a ... c\n...\nend");
    assert!(shown.is_match("a b c\nx\ny\nend\n") && shown.is_match("a  c\nend\n"));
    assert!(!shown.is_match("a b\nc\nend\n") && !shown.is_match("a b c\nx\nend\nmore\n"));
    assert!(pattern("").is_match("") && !pattern("").is_match("a word\n"));
}

#[test]
fn the_first_steps() {
    let repo = Repo::new();
    put_shop(&repo, "");
    follow(&repo, "getting-started.md");
    assert_eq!(repo.git(&["rev-list", "--count", "HEAD"]), "3");
    assert_eq!(repo.git(&["status", "--porcelain"]), "");
}

/// The document shows the first finding only.
#[test]
fn the_json_report() {
    let repo = Repo::new();
    put_shop(&repo, "");
    repo.git(&["add", "."]);
    repo.git(&["reset", "--quiet", "--", "migrations/versions/9b3e64c8d215_add_invoice_to_order.py"]);
    repo.commit("the shop");
    repo.git(&["add", "."]);
    let mut report: Value = serde_json::from_slice(&repo.run(&["--format", "json"]).stdout).unwrap();
    report["diagnostics"].as_array_mut().unwrap().truncate(1);
    let text = document("json.md");
    let (_, shown) = blocks(&text).into_iter().find(|(info, _)| info == "json").unwrap();
    assert_eq!(serde_json::from_str::<Value>(&shown).unwrap(), report);
}

#[test]
fn a_convention_for_a_live_database() {
    let repo = Repo::new();
    put_shop(&repo, "");
    follow(&repo, "adopt.md");
    assert_eq!(repo.git(&["status", "--porcelain"]).lines().count(), 2);
}

#[test]
fn a_monorepo() {
    let repo = Repo::new();
    for service in ["services/shop", "services/billing"] {
        put_shop(&repo, service);
        fs::remove_file(repo.join(service).join("alembic-named.toml")).unwrap();
    }
    repo.write("tools/report.py", "pass\n");
    write_files(&repo, &document("monorepos.md"));
    repo.git(&["add", "--all"]);
    repo.commit("all services");
    follow(&repo, "monorepos.md");
}

// --- troubleshooting ---

/// What a run printed, and how it ended.
type Ended = (String, Option<i32>);

fn ended(command: &mut Command) -> Ended {
    let output = command.output().unwrap();
    (words(&output), output.status.code())
}

fn tool(repo: &Repo, arguments: &[&str]) -> Ended {
    ended(repo.command(PROGRAM).args(arguments))
}

fn file_of_somebody_else() -> Option<Ended> {
    use std::os::unix::fs::PermissionsExt;
    let repo = Repo::new();
    repo.write("a.py", migration(NAMED));
    if !git_on_nobody(&repo) {
        eprintln!("skipped: the program cannot be run as another user than root");
        return None;
    }
    hand_over(&repo);
    fs::set_permissions(repo.join("a.py"), fs::Permissions::from_mode(0o000)).unwrap();
    Some(ended(as_nobody(repo.command(PROGRAM).arg("a.py"))))
}

fn shallow_clone() -> Ended {
    let repo = Repo::new();
    repo.stage("a.py", "");
    repo.commit("first");
    repo.git(&["checkout", "--quiet", "-b", "side"]);
    repo.commit("side");
    repo.git(&["checkout", "--quiet", "main"]);
    repo.commit("main");
    let clone = Repo::none();
    let url = format!("file://{}", repo.path().display());
    clone.git(&["clone", "--quiet", "--depth=1", "--no-single-branch", &url, "."]);
    tool(&clone, &["--from-ref=origin/side"])
}

fn no_git() -> Ended {
    let repo = Repo::new();
    repo.stage("a.py", "");
    repo.git(&["update-index", "--split-index"]);
    ended(repo.command(PROGRAM).env("PATH", "/nowhere"))
}

/// A hook where the program is nowhere to be found.
fn without_the_program(script: &str) -> Ended {
    let repo = Repo::new();
    let mut shell = repo.command("sh");
    shell.env("PATH", "/usr/bin:/bin").env("HOME", repo.path());
    ended(shell.env("CARGO_HOME", repo.path()).args(["-e", "-c", script]))
}

/// The mistakes of the table, in its order; nothing where this machine cannot make one.
fn mistakes() -> Vec<Option<Ended>> {
    let repo = Repo::new();
    let hook = fs::read_to_string(root().join("hooks/pre-commit")).unwrap();
    vec![
        Some(tool(&repo, &["migrations"])),
        Some(tool(&repo, &["chek"])),
        Some(tool(&Repo::none(), &[])),
        Some(tool(&repo, &[])),
        Some(tool(&repo, &["explain", "unnamed-constrant"])),
        Some(tool(&repo, &["--files", "a.py"])),
        Some(without_the_program(&hook)),
        Some(without_the_program("alembic-named check --staged")),
        file_of_somebody_else(),
        Some(shallow_clone()),
        Some(tool(&repo, &["--from-ref=main"])),
        Some(no_git()),
    ]
}

/// The code spans of a table cell.
fn code(cell: &str) -> Vec<String> {
    let span = Regex::new("``(.+?) ?``|`([^`]+)`").unwrap();
    span.captures_iter(cell)
        .map(|found| found.get(1).or(found.get(2)).unwrap().as_str().to_owned())
        .collect()
}

#[test]
fn the_messages_are_those_of_the_program() {
    let page = document("troubleshooting.md");
    let rows: Vec<Vec<&str>> = page
        .lines()
        .filter(|line| line.starts_with("| ") && !line.starts_with("| You see"))
        .map(|line| line.trim_matches('|').split(" | ").map(str::trim).collect())
        .collect();
    let mistakes = mistakes();
    assert_eq!(rows.len(), mistakes.len(), "a row for each mistake");
    for (row, ended) in rows.iter().zip(mistakes) {
        let [seen, means, remedy] = row.as_slice() else {
            panic!("three cells: {row:?}")
        };
        assert!(!means.is_empty() && !remedy.is_empty(), "{row:?}");
        let Some((printed, status)) = ended else { continue };
        let messages = code(seen);
        let is_seen = messages.iter().any(|message| {
            let parts: Vec<String> = message.split("...").map(regex::escape).collect();
            Regex::new(&format!("(?m)^[^\n]*{}", parts.join("[^\n]*")))
                .unwrap()
                .is_match(&printed)
        });
        assert!(!messages.is_empty() && is_seen, "{seen}\nbut this is printed:\n{printed}");
        assert!(seen.ends_with(&format!("({})", status.unwrap())), "{seen}: ends with {status:?}");
    }
}
