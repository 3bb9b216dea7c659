//! A repository whose every string would steer a terminal or hide from its reader: nothing of it arrives as it is.

use std::collections::BTreeSet;
use std::process::{Command, Output, Stdio};

use crate::support::{PROGRAM, Repo};

/// Writes the clipboard, hides what follows (twice), moves the cursor, turns the direction, and is shown as nothing.
const EVIL: &str = "\u{1b}]52;c;YQ==\u{7}\u{1b}[8m\u{9b}8m\u{1b}[2J\u{8}\u{7f}\u{202e}\u{2066}\u{200b}\u{200d}\u{2028}\u{e0041}\u{fe0f}\u{85}";

/// A word to find again, with all of that behind it.
fn evil(word: &str) -> String {
    format!("{word}{EVIL}")
}

/// Where each word stands that [`evil`] is asked for, so that the test cannot pass because nothing of it was shown.
const SHOWN: [&str; 17] = [
    "TABLE", "FILE", "FOLDER", "COMMENT", "COLUMN", "SQL", "TOKEN", "DATABASE", "IGNORED", "TOP", "DROPPED", "BRANCH",
    "VALUE", "KEY", "GLOB", "RULE", "TYPED",
];

fn migration() -> String {
    let [table, column, comment, sql, dropped, ignored] =
        ["TABLE", "COLUMN", "COMMENT", "SQL", "DROPPED", "IGNORED"].map(evil);
    format!(
        "\
from alembic import op
import sqlalchemy as sa

revision = '{0}'
down_revision = None


def upgrade():
    op.add_column('{table}', sa.Column('{column}', sa.Integer(), sa.ForeignKey('{table}.id')))  # {comment}
    op.create_foreign_key(None, '{table}', '{table}', ['{column}'], ['id'])  # {comment}
    op.create_unique_constraint('{dropped}{1}', '{table}', ['{column}'])  # alembic-named: ignore[{ignored}]
    op.create_check_constraint(None, '{table}', '{column} > 0')
    op.execute('ALTER TABLE \"{sql}\" ADD UNIQUE (a)')


def downgrade():
    op.drop_constraint('{dropped}', '{table}', type_='unique')
    op.drop_constraint('order_x_fkey{dropped}', '{table}', type_='foreignkey')
    op.drop_constraint(None, '{table}', type_='foreignkey')  # {comment}
    op.drop_column('{table}', '{column}')
",
        evil("REVISION"),
        "x".repeat(70),
    )
}

/// The repository, whose own folder is named like this too.
fn repository() -> (tempfile::TempDir, Repo) {
    let folder = tempfile::tempdir().unwrap();
    let top = folder.path().join(evil("TOP"));
    let repo = Repo::make(top);
    repo.commit("start");
    let migrations = evil("FOLDER");
    let databases = format!("[alembic]\nscript_location = {migrations}\ndatabases = {}\n", evil("DATABASE"));
    let env = format!(
        "from alembic import context\nfrom models import Base, Other\ntarget_metadata = {{'{0}': Base.metadata, 'b': Other.metadata}}\n\n\
         for name in target_metadata:\n    context.configure(target_metadata=target_metadata[name], script_location='{0}')\n",
        evil("DATABASE")
    );
    let models = format!(
        "from sqlalchemy import MetaData\nfrom sqlalchemy.orm import DeclarativeBase\n\n\nclass Base(DeclarativeBase):  # {comment}\n    pass\n\n\n\
         class Other(DeclarativeBase):\n    metadata = MetaData(naming_convention={{'fk': 'fk_%({token})s', 'uq': '{token}'}})\n",
        comment = evil("COMMENT"),
        token = evil("TOKEN"),
    );
    repo.stage("alembic.ini", databases)
        .stage(format!("{migrations}/env.py"), env)
        .stage("models.py", models)
        .stage(format!("{migrations}/versions/{}.py", evil("FILE")), migration());
    (folder, repo)
}

/// What of a stream would reach a terminal as it is, our own styles aside.
fn leaks(stream: &[u8], is_styled: bool) -> Vec<char> {
    let mut text = String::from_utf8_lossy(stream).replace("\r\n", "\n");
    if is_styled {
        for style in [
            "0", "1", "4", "22", "24", "39", "30", "31", "32", "33", "34", "35", "36", "1;4", "91", "92", "93", "94",
            "95", "96", "1;91", "1;33", "1;94", "1;96",
        ] {
            text = text.replace(&format!("\u{1b}[{style}m"), "");
        }
    }
    let is_leak = |letter: &char| {
        letter.is_control() && !matches!(letter, '\n' | '\t')
            || EVIL.chars().any(|evil| evil == *letter && !evil.is_ascii_graphic())
    };
    text.chars().filter(is_leak).collect()
}

/// Asserts that nothing leaks, and gives the words that were shown, each with its characters visible.
#[track_caller]
fn sealed(arguments: &[String], output: &Output, is_styled: bool) -> BTreeSet<&'static str> {
    let mut found = BTreeSet::new();
    for stream in [&output.stdout, &output.stderr] {
        let leaks = leaks(stream, is_styled);
        assert!(
            leaks.is_empty(),
            "{arguments:?}: {leaks:?} in\n{}",
            String::from_utf8_lossy(stream)
                .escape_debug()
                .to_string()
                .replace("\\n", "\n")
        );
        let text = String::from_utf8_lossy(stream);
        let is_shown = |word: &&&str| text.contains(&format!("{word}\\x1b]52;c;YQ==\\x07"));
        found.extend(SHOWN.iter().filter(is_shown));
    }
    found
}

fn run(repo: &Repo, arguments: &[String]) -> Output {
    repo.run(&arguments.iter().map(String::as_str).collect::<Vec<_>>())
}

/// Starts the program on a terminal of its own; what comes out of it is standard output here.
fn on_a_terminal(repo: &Repo, arguments: &[String]) -> Option<Output> {
    const SPAWN: &str = "import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))";
    let python = Command::new("python3").args(["-c", "import pty"]).output();
    if !python.is_ok_and(|python| python.status.success()) {
        return None;
    }
    let mut command = repo.command("python3");
    command
        .args(["-c", SPAWN, PROGRAM])
        .args(arguments)
        .env("TERM", "xterm");
    Some(command.stdin(Stdio::null()).output().unwrap())
}

fn owned(arguments: &[&str]) -> Vec<String> {
    arguments.iter().map(|argument| (*argument).to_owned()).collect()
}

const FORMATS: [&str; 7] = ["text", "concise", "json", "sarif", "github", "gitlab", "junit"];

/// Every way to have the repository as it is looked at.
fn looks() -> Vec<Vec<String>> {
    let mut looks = Vec::new();
    for format in FORMATS {
        for scope in [&["--staged"][..], &["--all", "--verbose"], &["."], &["--from-ref", "HEAD"]] {
            looks.push([owned(scope), vec!["--format".to_owned(), format.to_owned()]].concat());
        }
    }
    looks.push(owned(&["--diff", "--unsafe-fixes", "--color=always"]));
    looks.push(owned(&["config", "models.py"]));
    looks.push(vec!["config".to_owned(), format!("{}/env.py", evil("FOLDER"))]);
    for manager in ["git", "husky", "lefthook", "pre-commit", "prek"] {
        looks.push(owned(&["install", "-n", "--manager", manager]));
        looks.push(owned(&["uninstall", "-n", "--manager", manager]));
    }
    looks.push(owned(&["rules"]));
    looks
}

/// What somebody, or a runner with names of files, hands over on the command line.
fn typed() -> Vec<Vec<String>> {
    let word = evil("TYPED");
    let mut typed: Vec<Vec<String>> = [
        "explain",
        "--select",
        "--ignore",
        "--config",
        "--from-ref",
        "--output-file",
        "--format",
        "--max-file-size",
        "config",
        "completions",
        "fix",
    ]
    .iter()
    .map(|option| {
        vec![
            (*option).to_owned(),
            if *option == "--output-file" {
                format!("no/{word}")
            } else {
                word.clone()
            },
        ]
    })
    .collect();
    typed.push(vec![word.clone()]);
    typed.push(vec![format!("--{word}")]);
    typed.push(vec!["check".to_owned(), format!("--staged={word}")]);
    typed.push(vec!["--exclude".to_owned(), format!("[{word}")]);
    typed.push(vec!["--staged".to_owned(), "-v".to_owned(), word.clone()]);
    typed.push(vec!["install".to_owned(), "--bin".to_owned(), word]);
    typed
}

/// Configurations that cannot be used, and one that can.
fn configurations() -> Vec<String> {
    let toml = |word: &str| serde_json::to_string(&evil(word)).unwrap().replace('\u{7f}', "\\u007F");
    let (value, key, glob, rule) = (toml("VALUE"), toml("KEY"), toml("GLOB"), toml("RULE"));
    vec![
        format!("dialect = {value}\n"),
        format!("convention = {value}\n"),
        format!("{key} = 1\n"),
        format!("exclude = [{}]\n", glob.replacen('"', "\"[", 1)),
        format!("ignore = [{rule}]\n"),
        format!("severity = {{ {rule} = 'error' }}\n"),
        format!("severity = {{ unnamed-drop = {value} }}\n"),
        format!("per-file-ignores = {{ {glob} = [{rule}] }}\n"),
        format!("select = {value}\n"),
        format!("= {}\n", EVIL),
        format!("convention = {{ {key} = {value} }}\n"),
    ]
}

#[test]
fn nothing_of_a_repository_reaches_a_terminal_as_it_is() {
    let (_folder, repo) = repository();
    let mut shown = BTreeSet::new();
    for mut arguments in [looks(), typed()].concat() {
        shown.extend(sealed(&arguments, &run(&repo, &arguments), arguments.contains(&"--color=always".to_owned())));
        if !matches!(
            arguments[0].as_str(),
            "install" | "uninstall" | "config" | "rules" | "explain" | "completions" | "fix"
        ) {
            arguments.push("--color=always".to_owned());
            shown.extend(sealed(&arguments, &run(&repo, &arguments), true));
        }
    }
    for configuration in configurations() {
        repo.stage("alembic-named.toml", &configuration);
        for arguments in [
            owned(&["--color=always"]),
            owned(&["-v"]),
            owned(&["config", "models.py"]),
            owned(&["--config", "alembic-named.toml"]),
        ] {
            let output = run(&repo, &arguments);
            shown.extend(sealed(&arguments, &output, true));
        }
    }
    repo.git(&["rm", "--quiet", "--force", "alembic-named.toml"]);
    // A branch may have what is no control character in its name.
    let branch = evil("BRANCH");
    shown.extend(sealed(&[], &run(&repo, &["--from-ref".to_owned(), branch.clone()]), false));
    // Last, what changes something.
    for arguments in [
        owned(&["fix", "--staged", "--unsafe-fixes", "--color=always"]),
        owned(&["fix", "--staged", "--restage", "--unsafe-fixes", "-v"]),
        owned(&["install"]),
        owned(&["uninstall"]),
    ] {
        shown.extend(sealed(&arguments, &run(&repo, &arguments), arguments.len() > 3));
    }
    let missing: Vec<_> = SHOWN.iter().filter(|word| !shown.contains(**word)).collect();
    assert!(missing.is_empty(), "never shown: {missing:?}");
}

#[test]
fn a_diff_is_exact_for_a_program_and_readable_for_a_person() {
    let (_folder, repo) = repository();
    let arguments = owned(&["--staged", "--diff", "--unsafe-fixes"]);
    let piped = run(&repo, &arguments);
    assert!(!leaks(&piped.stdout, false).is_empty());
    std::fs::write(repo.join("../patch"), &piped.stdout).unwrap();
    repo.git(&["apply", "--index", "../patch"]);
    assert!(String::from_utf8_lossy(&run(&repo, &arguments).stdout).is_empty());
    repo.git(&["apply", "--index", "--reverse", "../patch"]);
    let Some(seen) = on_a_terminal(&repo, &arguments) else {
        return;
    };
    let words = sealed(&arguments, &seen, true);
    assert!(words.contains("COMMENT"), "{words:?}");
    for arguments in [
        owned(&["--staged"]),
        owned(&["--staged", "--format=concise", "-v"]),
        owned(&["explain", &evil("TYPED")]),
    ] {
        let seen = on_a_terminal(&repo, &arguments).unwrap();
        assert!(!sealed(&arguments, &seen, true).is_empty(), "{arguments:?}");
    }
}

/// Programs get the very characters.
#[test]
fn a_machine_reads_what_the_repository_holds() {
    let (_folder, repo) = repository();
    let path = format!("{}/versions/{}.py", evil("FOLDER"), evil("FILE"));
    for (format, pointer) in [("json", "/diagnostics"), ("gitlab", "")] {
        let output = run(&repo, &owned(&["--staged", "--format", format]));
        let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let findings = report.pointer(pointer).and_then(serde_json::Value::as_array).unwrap();
        let path_of = |finding: &serde_json::Value| {
            finding
                .get("path")
                .or_else(|| finding.pointer("/location/path"))
                .cloned()
        };
        assert!(
            findings
                .iter()
                .any(|finding| path_of(finding) == Some(path.clone().into())),
            "{report}"
        );
        assert!(findings.iter().any(|finding| finding.to_string().contains("TABLE")), "{report}");
    }
}
