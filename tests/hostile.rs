//! A repository whose every string would steer a terminal or hide from its reader: nothing of it arrives as it is.

#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that fails should say where"
)]

mod support;

use std::collections::BTreeSet;
use std::process::{Command, Output, Stdio};

use support::{PROGRAM, Repo};

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
    std::fs::create_dir(&top).unwrap();
    let repo = Repo::at(top);
    repo.git(&["init", "--quiet", "--initial-branch=main"]);
    repo.commit("start");
    let migrations = evil("FOLDER");
    let databases = format!(
        "[alembic]\nscript_location = {migrations}\ndatabases = {}\n",
        evil("DATABASE")
    );
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
    repo.command(PROGRAM)
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .unwrap()
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
        for scope in [
            &["--staged"][..],
            &["--all", "--verbose"],
            &["."],
            &["--from-ref", "HEAD"],
        ] {
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
        shown.extend(sealed(
            &arguments,
            &run(&repo, &arguments),
            arguments.contains(&"--color=always".to_owned()),
        ));
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
    shown.extend(sealed(
        &[],
        &run(&repo, &["--from-ref".to_owned(), branch.clone()]),
        false,
    ));
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
        assert!(
            findings.iter().any(|finding| finding.to_string().contains("TABLE")),
            "{report}"
        );
    }
}

// Programs that the repository names.

/// Puts a program where git could be asked to start one, in a repository of that kind. It writes a file, and does what was asked of it badly.
fn trapped(repo: &Repo) {
    repo.write(
        "tools/evil",
        format!("#!/bin/sh\n: >'{}'\nexit 1\n", repo.join("../ran").display()),
    );
    executable(repo, "tools/evil");
    let evil = repo.join("tools/evil").display().to_string();
    let hooks = [
        "post-index-change",
        "reference-transaction",
        "pre-commit",
        "pre-auto-gc",
        "post-checkout",
    ];
    for hook in hooks {
        std::fs::copy(repo.join("tools/evil"), repo.join("tools").join(hook)).unwrap();
    }
    for bin in ["node_modules/.bin/git", "node_modules/.bin/alembic-named"] {
        repo.write(bin, "");
        std::fs::copy(repo.join("tools/evil"), repo.join(bin)).unwrap();
    }
    repo.stage(".gitattributes", "*.py filter=x diff=x\n*.txt filter=a=b\n")
        .stage("b.py", "b = 1\n")
        .stage("c.txt", "c\n")
        .stage("versions/a.py", support::migration(support::UNNAMED));
    repo.git(&["add", "--all"]);
    for (name, value) in [
        ("core.fsmonitor", &*evil),
        ("core.hooksPath", "tools"),
        ("core.pager", &evil),
        ("core.editor", &evil),
        ("core.sshCommand", &evil),
        ("core.askPass", &evil),
        ("core.gitProxy", &evil),
        ("credential.helper", &evil),
        ("filter.x.clean", &evil),
        ("filter.x.smudge", &evil),
        ("filter.x.required", "true"),
        ("filter.a=b.process", &evil),
        ("filter.a=b.required", "true"),
        ("diff.external", &evil),
        ("diff.x.textconv", &evil),
        ("diff.x.command", &evil),
        ("alias.diff", &format!("!{evil}")),
        ("alias.update-index", &format!("!{evil}")),
        ("remote.origin.url", &format!("ext::{evil}")),
        ("remote.origin.promisor", "true"),
        ("protocol.allow", "always"),
    ] {
        repo.git(&["-c", "core.fsmonitor=false", "config", name, value]);
    }
}

fn executable(repo: &Repo, path: &str) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(repo.join(path), std::fs::Permissions::from_mode(0o755)).unwrap();
}

/// git with all of that switched off by hand.
fn quiet(repo: &Repo) -> Command {
    let mut git = repo.command("git");
    let settings = [
        "core.fsmonitor=false",
        "core.hooksPath=/dev/null",
        "filter.x.clean=",
        "filter.x.required=false",
    ];
    git.args(settings.iter().flat_map(|setting| ["-c", setting]));
    git.env("GIT_CONFIG_COUNT", "2")
        .envs([("GIT_CONFIG_KEY_0", "filter.a=b.process"), ("GIT_CONFIG_VALUE_0", "")])
        .envs([
            ("GIT_CONFIG_KEY_1", "filter.a=b.required"),
            ("GIT_CONFIG_VALUE_1", "false"),
        ]);
    git
}

/// Makes files look as if they had changed within the second in which the index was written: git reads them again then.
fn made_racy(repo: &Repo) {
    let time = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_hours(500_000);
    let touch = |path: &str| {
        let file = std::fs::File::options().write(true).open(repo.join(path));
        file.unwrap().set_modified(time).unwrap();
    };
    for path in ["b.py", "c.txt"] {
        touch(path);
    }
    // The index has to know these times, and to be of the same one.
    quiet(repo).args(["update-index", "--refresh", "-q"]).output().unwrap();
    touch(".git/index");
}

/// Repositories of every kind in which git is asked, and one in which libgit2 is.
fn kinds_of_repositories() -> Vec<(&'static str, tempfile::TempDir, Repo)> {
    let made = |kind: &'static str, init: &[&str], prepare: &[&[&str]]| {
        let folder = tempfile::tempdir().unwrap();
        let top = folder.path().join("top");
        std::fs::create_dir(&top).unwrap();
        let repo = Repo::at(top);
        let status = repo
            .command("git")
            .args(["init", "--quiet", "--initial-branch=main"])
            .args(init)
            .status()
            .unwrap();
        if !status.success() {
            return None;
        }
        repo.commit("start");
        trapped(&repo);
        for command in prepare {
            let done = quiet(&repo).args(*command).output().unwrap();
            assert!(done.status.success(), "{kind}: {done:?}");
        }
        let _ = std::fs::remove_file(repo.join("../ran"));
        Some((kind, folder, repo))
    };
    [
        made("plain", &[], &[]),
        made("split index", &[], &[&["update-index", "--split-index"]]),
        made(
            "sparse index",
            &[],
            &[
                &["config", "extensions.worktreeConfig", "true"],
                &["config", "--worktree", "index.sparse", "true"],
                &["config", "--worktree", "core.sparseCheckout", "true"],
                &["config", "--worktree", "core.sparseCheckoutCone", "true"],
            ],
        ),
        made("SHA-256", &["--object-format=sha256"], &[]),
        made("reftable", &["--ref-format=reftable"], &[]),
    ]
    .into_iter()
    .flatten()
    .collect()
}

#[test]
fn no_program_is_run_that_a_repository_names() {
    let mut asked = 0;
    for (kind, _folder, repo) in kinds_of_repositories() {
        let ran = repo.join("../ran");
        made_racy(&repo);
        // The trap works: git alone goes into it.
        let git = repo
            .command("git")
            .args(["update-index", "--force-write-index"])
            .output()
            .unwrap();
        assert!(ran.exists(), "{kind}: {git:?}");
        std::fs::remove_file(&ran).unwrap();
        for (name, value) in [("core.fsmonitor", "false"), ("core.hooksPath", "/dev/null")] {
            made_racy(&repo);
            let other = if name == "core.fsmonitor" {
                "core.hooksPath=/dev/null"
            } else {
                "core.fsmonitor=false"
            };
            let setting = format!("{name}={value}");
            let _ = repo
                .command("git")
                .args(["-c", &setting, "-c", other, "update-index", "--force-write-index"])
                .output()
                .unwrap();
            assert!(ran.exists(), "{kind}: no filter was asked");
            std::fs::remove_file(&ran).unwrap();
        }
        let path = |first: &str| format!("{first}:{}", std::env::var("PATH").unwrap());
        for first in [
            "node_modules/.bin".to_owned(),
            "./node_modules/.bin".to_owned(),
            repo.join("node_modules/.bin").display().to_string(),
        ] {
            for arguments in [
                &["--staged", "-v"][..],
                &["--all"],
                &["--staged", "versions"],
                &["--from-ref", "HEAD"],
                &["versions"],
                &["--format=json", "versions/a.py"],
                &["--diff"],
                &["config", "versions"],
                &["install", "-n"],
                &["uninstall", "-n"],
                &["fix", "--staged", "--restage"],
            ] {
                if arguments[0] == "fix" {
                    repo.write("versions/a.py", support::migration(support::UNNAMED));
                    assert!(quiet(&repo).args(["add", "versions"]).status().unwrap().success());
                    made_racy(&repo);
                    let _ = std::fs::remove_file(&ran);
                }
                let output = repo
                    .command(PROGRAM)
                    .args(arguments)
                    .env("PATH", path(&first))
                    .output()
                    .unwrap();
                let said = support::words(&output);
                assert!(!ran.exists(), "{kind}: {arguments:?} ran a program:\n{said}");
                assert!(
                    output.status.code().is_some_and(|status| status < 2) || arguments[0] == "uninstall",
                    "{kind}: {arguments:?}: {said}"
                );
                asked += usize::from(said.contains("by the git program"));
            }
            assert_eq!(repo.read("versions/a.py"), support::migration(support::NAMED), "{kind}");
        }
    }
    assert!(asked > 0, "git was never asked");
}

#[test]
fn a_missing_object_is_not_fetched() {
    let (_, _folder, repo) = kinds_of_repositories().remove(0);
    let id = repo.git(&["-c", "core.fsmonitor=false", "rev-parse", ":versions/a.py"]);
    std::fs::remove_file(repo.join(format!(".git/objects/{}/{}", &id[..2], &id[2..]))).unwrap();
    let output = repo.command(PROGRAM).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", support::words(&output));
    assert!(!repo.join("../ran").exists());
    assert!(
        support::words(&output).contains("`versions/a.py`"),
        "{}",
        support::words(&output)
    );
}
