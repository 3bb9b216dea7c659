//! A repository whose every string would steer a terminal or hide from its reader: nothing of it arrives as it is.

use std::collections::BTreeSet;
use std::process::{Command, Output, Stdio};

use crate::support::{self, PROGRAM, Repo};

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

// Outside the repository.

#[test]
fn nothing_is_written_through_a_folder_that_leads_out() {
    let outside = Repo::none();
    outside.write("b.py", support::migration(support::UNNAMED));
    let repo = Repo::new();
    repo.stage("versions/a.py", support::migration(support::UNNAMED));
    std::os::unix::fs::symlink(outside.path(), repo.join("away")).unwrap();
    repo.git(&["add", "away"]);
    for arguments in [
        &["fix", "away/b.py"][..],
        &["fix", "away"],
        &["fix", "versions/a.py", "away/b.py"],
        &["away/b.py"],
    ] {
        let told = support::said(repo.tool(arguments), 2);
        assert!(
            told.err.contains("lies behind a link that leads out of") && told.err.contains("go to where the file is"),
            "{}",
            told.err
        );
        assert_eq!(told.err.lines().count(), 1, "{}", told.err);
    }
    assert_eq!(outside.read("b.py"), support::migration(support::UNNAMED));
    assert_eq!(repo.read("versions/a.py"), support::migration(support::UNNAMED));
    // Where somebody says so, it is theirs.
    let beside = Repo::at(outside.path().join("top"));
    std::fs::create_dir(beside.path()).unwrap();
    beside.git(&["init", "--quiet"]);
    support::said(beside.tool(&["../b.py"]), 1);
    // A link that stays inside is followed, and somebody's own folder without a repository is theirs.
    std::os::unix::fs::symlink("versions", repo.join("near")).unwrap();
    support::said(repo.tool(&["fix", "near/a.py"]), 0);
    assert_eq!(repo.read("versions/a.py"), support::migration(support::NAMED));
    let home = Repo::none();
    std::os::unix::fs::symlink(outside.path(), home.join("away")).unwrap();
    support::said(home.tool(&["fix", "away/b.py"]), 0);
    assert_eq!(outside.read("b.py"), support::migration(support::NAMED));
}

#[test]
fn no_report_is_written_through_a_link_that_leads_out() {
    use std::os::unix::fs::symlink;
    let outside = Repo::none();
    outside.write("file", "as it was\n");
    let around = Repo::none();
    let repo = Repo::at(around.join("top"));
    std::fs::create_dir(repo.path()).unwrap();
    repo.git(&["init", "--quiet"]);
    repo.stage("a.py", "");
    symlink(outside.join("file"), repo.join("report")).unwrap();
    symlink(outside.join("new"), repo.join("dangling")).unwrap();
    symlink(outside.path(), repo.join("folder")).unwrap();
    symlink(".git/description", repo.join("description")).unwrap();
    symlink("a.py", repo.join("near")).unwrap();
    let before = repo.read(".git/description");
    for path in ["report", "dangling", "folder/file", "folder/new", "description"] {
        let told = support::said(repo.tool(&["--output-file", path]), 2);
        let sentence =
            format!("the output file `{path}` leads through a link out of the working tree: name one that is no link");
        assert!(told.err.contains(&sentence), "{}", told.err);
    }
    assert_eq!(
        (outside.read("file"), repo.read(".git/description")),
        ("as it was\n".to_owned(), before)
    );
    assert!(!outside.join("new").exists());
    for path in ["near", "new", ".git/report", "../report", "/dev/stdout"] {
        support::said(repo.tool(&["--output-file", path]), 0);
    }
    assert!(around.join("report").exists());
}

#[test]
fn install_writes_nothing_through_a_link_that_leads_out() {
    use std::os::unix::fs::symlink;
    let outside = Repo::none();
    let text = "repos:\n- repo: meta\n  hooks: []\n";
    for (link, target, manager) in [
        (".husky/pre-commit", "file", "husky"),
        (".husky", "folder", "husky"),
        (".pre-commit-config.yaml", "file", "pre-commit"),
        (".githooks", "folder", "git"),
        (".husky/pre-commit", "../.git/description", "husky"),
    ] {
        outside.write("file", text).write("folder/pre-commit", text);
        let repo = Repo::new();
        std::fs::create_dir_all(repo.join(link).parent().unwrap()).unwrap();
        let target = if target.starts_with("..") {
            target.into()
        } else {
            outside.join(target)
        };
        symlink(&target, repo.join(link)).unwrap();
        if link == ".githooks" {
            repo.git(&["config", "core.hooksPath", ".githooks"]);
        }
        let description = repo.read(".git/description");
        for arguments in [
            &["install", "--write", "--manager", manager][..],
            &["install", "-n", "--write", "--manager", manager],
        ] {
            let told = support::said(repo.tool(arguments), 2);
            assert!(
                told.err.contains("leads through a link out of the working tree"),
                "{link}: {}",
                told.err
            );
        }
        assert_eq!(
            (outside.read("file"), outside.read("folder/pre-commit")),
            (text.to_owned(), text.to_owned()),
            "{link}"
        );
        assert_eq!(std::fs::read_dir(outside.join("folder")).unwrap().count(), 1, "{link}");
        assert_eq!(repo.read(".git/description"), description);
    }
    // What leads to another file of the tree is that file.
    let repo = Repo::new();
    repo.write("config/hooks.yaml", text);
    symlink("config/hooks.yaml", repo.join(".pre-commit-config.yaml")).unwrap();
    support::said(repo.tool(&["install", "--write", "--manager", "pre-commit"]), 0);
    assert!(repo.read("config/hooks.yaml").contains("alembic-named check --staged"));
}

// A repository that is damaged.

/// Paths and what is written there.
type Files<'a> = &'a [(&'a str, &'a str)];

#[test]
fn a_head_that_is_damaged_is_none_without_commits() {
    const MISSING: &str = "1234567890123456789012345678901234567890\n";
    let all: [(&str, Files<'_>, &str); 9] = [
        (
            "a commit that is not there",
            &[(".git/refs/heads/main", MISSING)],
            "bad object HEAD (1234567890",
        ),
        (
            "detached from one",
            &[(".git/HEAD", MISSING)],
            "bad object HEAD (1234567890",
        ),
        (
            "a branch that is itself",
            &[(".git/refs/heads/main", "ref: refs/heads/main\n")],
            "names no commit and is not new either",
        ),
        (
            "a circle",
            &[
                (".git/refs/heads/main", "ref: refs/heads/a\n"),
                (".git/refs/heads/a", "ref: refs/heads/main\n"),
            ],
            "names no commit and is not new either",
        ),
        (
            "a branch that is none",
            &[(".git/refs/heads/main", "hello\n")],
            "names no commit and is not new either",
        ),
        (
            "an empty branch",
            &[(".git/refs/heads/main", "")],
            "names no commit and is not new either",
        ),
        (
            "garbage",
            &[(".git/HEAD", "hello\n")],
            "HEAD` names neither a branch nor a commit: write `ref: refs/heads/`",
        ),
        (
            "nothing",
            &[(".git/HEAD", "")],
            "HEAD` names neither a branch nor a commit: write `ref: refs/heads/`",
        ),
        ("a pack that ends early", &[], "bad object HEAD"),
    ];
    for (what, files, sentence) in all {
        let repo = Repo::new();
        repo.stage("versions/a.py", support::migration(support::UNNAMED));
        repo.commit("start");
        repo.stage("b.py", "");
        for (path, text) in files {
            repo.write(path, text);
        }
        if files.is_empty() {
            repo.git(&["repack", "--quiet", "-a", "-d"]);
            let packs = std::fs::read_dir(repo.join(".git/objects/pack"))
                .unwrap()
                .map(|entry| entry.unwrap().path());
            let pack = packs
                .into_iter()
                .find(|path| path.extension().is_some_and(|kind| kind == "pack"))
                .unwrap();
            let content = std::fs::read(&pack).unwrap();
            std::fs::remove_file(&pack).unwrap();
            std::fs::write(&pack, &content[..60]).unwrap();
        }
        let index = std::fs::read(repo.join(".git/index")).unwrap();
        for arguments in [
            &["--staged"][..],
            &["--all"],
            &["fix", "--staged", "--restage"],
            &["fix", "versions/a.py"],
        ] {
            let told = support::said(repo.tool(arguments), 2);
            assert!(told.err.contains(sentence), "{what}, {arguments:?}: {}", told.err);
        }
        assert_eq!(std::fs::read(repo.join(".git/index")).unwrap(), index, "{what}");
        assert_eq!(
            repo.read("versions/a.py"),
            support::migration(support::UNNAMED),
            "{what}"
        );
    }
}

#[test]
fn a_branch_without_commits_is_one_in_every_kind_of_repository() {
    for init in [&[][..], &["--object-format=sha256"], &["--ref-format=reftable"]] {
        let Some(repo) = Repo::with(init) else { continue };
        repo.stage("versions/a.py", support::migration(support::UNNAMED));
        support::said(repo.tool(&["fix", "--staged", "--restage"]), 0);
        assert_eq!(
            repo.git(&["show", ":versions/a.py"]) + "\n",
            support::migration(support::NAMED)
        );
        repo.commit("first");
        repo.git(&["checkout", "--quiet", "--orphan", "other"]);
        support::said(repo.tool(&["--staged"]), 0);
    }
}

// Two at once, and no room.

#[test]
fn of_two_that_stage_the_second_waits_for_another_time() {
    let repo = Repo::new();
    repo.stage("versions/a.py", support::migration(support::UNNAMED));
    let index = std::fs::read(repo.join(".git/index")).unwrap();
    let turn = std::fs::File::open(repo.join(".git")).unwrap();
    turn.lock().unwrap();
    let told = support::said(repo.tool(&["fix", "--staged", "--restage"]), 2);
    assert!(
        told.err.contains("another `fix --restage` is at work in") && told.err.contains("run the command again"),
        "{}",
        told.err
    );
    assert_eq!(std::fs::read(repo.join(".git/index")).unwrap(), index);
    assert_eq!(repo.read("versions/a.py"), support::migration(support::UNNAMED));
    // A check asks for nothing, and who comes after the first has their turn.
    support::said(repo.tool(&[]), 1);
    drop(turn);
    support::said(repo.tool(&["fix", "--staged", "--restage"]), 0);
}

#[test]
fn what_somebody_else_has_staged_since_is_not_taken_back() {
    use alembic_named::git::{Environment, Repository, Restage};
    use alembic_named::snapshot::ObjectId;
    let repo = Repo::new();
    for path in ["a.py", "b.py"] {
        repo.stage(path, "old\n");
    }
    let opened = Repository::discover_in(&Environment::of_process().without_git(), repo.path())
        .unwrap()
        .unwrap();
    let old = ObjectId::parse(&repo.git(&["rev-parse", ":a.py"])).unwrap();
    let paths = ["a.py", "b.py"].map(Into::into);
    let change = |at: usize| Restage {
        path: &paths[at],
        old: &old,
        content: b"new\n",
    };
    let undo = opened.restage(&[change(0), change(1)]).unwrap();
    repo.stage("b.py", "theirs\n");
    opened.unstage(&undo).unwrap();
    assert_eq!(
        (repo.git(&["show", ":a.py"]), repo.git(&["show", ":b.py"])),
        ("old".to_owned(), "theirs".to_owned())
    );
}

#[test]
fn a_full_disk_is_named() {
    if !std::path::Path::new("/dev/full").exists() {
        return;
    }
    let repo = Repo::new();
    repo.stage("versions/a.py", support::migration(support::UNNAMED));
    // A limit for what a process may write; it is told as if the disk were full.
    let within_nothing = |script: &str| {
        let mut shell = repo.command("sh");
        shell.args([
            "-c",
            &format!("trap '' XFSZ; ulimit -f 0; exec \"$0\" {script}"),
            PROGRAM,
        ]);
        support::said(assert_cmd::Command::from_std(shell), 2).err
    };
    let sentence = "the disk it is on is full, or your share of it: make room and run the command again";
    for script in ["fix versions/a.py", "fix --staged --restage"] {
        let told = within_nothing(script);
        assert!(
            told.contains(&format!("/versions/a.py`: {sentence}")),
            "{script}: {told}"
        );
    }
    assert_eq!(repo.read("versions/a.py"), support::migration(support::UNNAMED));
    // Fixed already, so that only the index is to be written.
    repo.write("versions/a.py", support::migration(support::NAMED));
    let told = within_nothing("fix --staged --restage");
    assert!(
        told.contains("the disk with `") && told.contains("/.git` is full, or your share of it: make room"),
        "{told}"
    );
    repo.write("versions/a.py", support::migration(support::UNNAMED));
    for arguments in ["", "--format=json", "--diff", "explain unnamed-drop", "install -n"] {
        let mut shell = repo.command("sh");
        shell.args(["-c", &format!("exec \"$0\" {arguments} >/dev/full"), PROGRAM]);
        let told = support::said(assert_cmd::Command::from_std(shell), 2).err;
        assert!(
            told.contains("error: cannot write to standard output: where it leads there is no room left: make room"),
            "{arguments}: {told}"
        );
    }
    let told = support::said(repo.tool(&["--output-file", "/dev/full"]), 2).err;
    assert!(
        told.contains("cannot write the output file `/dev/full`: the disk it is on is full"),
        "{told}"
    );
}

/// A disk of 64 KiB, where the system lets this user make one.
#[test]
fn a_repository_on_a_full_disk_says_so_and_stays_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let mount = |arguments: &[&str]| {
        Command::new(arguments[0])
            .args(&arguments[1..])
            .arg(folder.path())
            .stderr(Stdio::null())
            .status()
    };
    if !mount(&["mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs"]).is_ok_and(|status| status.success()) {
        return;
    }
    let ended = std::panic::catch_unwind(|| {
        let top = folder.path().join("top");
        std::fs::create_dir(&top).unwrap();
        let repo = Repo::at(top);
        repo.git(&["init", "--quiet", "--template=", "--initial-branch=main"]);
        repo.stage("a.py", support::migration(support::UNNAMED));
        let index = std::fs::read(repo.join(".git/index")).unwrap();
        let _ = std::fs::write(repo.join("../rest"), vec![0; 1024 * 1024]);
        let told = support::said(repo.tool(&["fix", "--staged", "--restage"]), 2).err;
        assert!(
            told.contains("is full, or your share of it: make room and run the command again"),
            "{told}"
        );
        assert_eq!(repo.read("a.py"), support::migration(support::UNNAMED));
        assert_eq!(std::fs::read(repo.join(".git/index")).unwrap(), index);
        // With room for the working file alone, the objects or the index have none.
        repo.write("a.py", support::migration(support::NAMED));
        let told = support::said(repo.tool(&["fix", "--staged", "--restage"]), 2).err;
        assert!(told.contains("/.git` is full, or your share of it"), "{told}");
        assert_eq!(std::fs::read(repo.join(".git/index")).unwrap(), index);
    });
    assert!(mount(&["umount"]).is_ok_and(|status| status.success()));
    ended.unwrap();
}

// Other encodings.

#[test]
fn what_cannot_be_read_is_never_clean() {
    let text = support::migration(support::UNNAMED);
    let wide: Vec<u8> = [0xfeff]
        .into_iter()
        .chain(text.encode_utf16())
        .flat_map(u16::to_le_bytes)
        .collect();
    let wider: Vec<u8> = text
        .chars()
        .flat_map(|letter| u32::from(letter).to_be_bytes())
        .collect();
    let latin = [b"# -*- coding: latin-1 -*-\n# \xe9\n", text.as_bytes()].concat();
    let hidden = format!("# coding: unicode_escape\n{}", text.replace('o', "\\x6f"));
    let repo = Repo::new();
    for (content, sentence) in [
        (wide, "`a.py` is UTF-16 or UTF-32: save it as UTF-8, or exclude it"),
        (wider, "`a.py` is UTF-16 or UTF-32: save it as UTF-8, or exclude it"),
        (
            latin,
            "`a.py` is not UTF-8 but `latin-1`, as it declares: save it as UTF-8, and remove the declaration, or exclude it",
        ),
        (
            hidden.into_bytes(),
            "`a.py` declares the encoding `unicode_escape`, in which nothing can be looked for: save it as UTF-8, and remove the declaration, or exclude it",
        ),
    ] {
        repo.stage("a.py", content);
        for arguments in [
            &[][..],
            &["--all"],
            &["a.py"],
            &["."],
            &["fix", "--staged", "--restage"],
        ] {
            let told = support::said(repo.tool(arguments), 2);
            assert!(told.err.contains(sentence), "{arguments:?}: {}", told.err);
        }
        support::said(repo.tool(&["--exclude=a.py"]), 0);
    }
    repo.stage("a.py", format!("# coding: latin-1\n{text}"));
    assert!(support::said(repo.tool(&[]), 1).out.contains(support::SUGGESTED));
    repo.stage(
        "a.py",
        "x = 1\n".encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>(),
    );
    support::said(repo.tool(&[]), 0);
}
