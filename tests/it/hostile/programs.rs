//! Programs that the repository names: none of them is run.

use std::process::Command;

use crate::support::{NAMED, PROGRAM, Repo, UNNAMED, executable, migration, words};

/// Puts a program where git could be asked to start one, in a repository of that kind. It writes a file, and does what was asked of it badly.
fn trapped(repo: &Repo) {
    std::fs::create_dir(repo.join("tools")).unwrap();
    executable(&repo.join("tools/evil"), &format!("#!/bin/sh\n: >'{}'\nexit 1\n", repo.join("../ran").display()));
    let evil = repo.join("tools/evil").display().to_string();
    let hooks = ["post-index-change", "reference-transaction", "pre-commit", "pre-auto-gc", "post-checkout"];
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
        .stage("versions/a.py", migration(UNNAMED));
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

/// git with all of that switched off by hand.
fn quiet(repo: &Repo) -> Command {
    let mut git = repo.command("git");
    let settings = ["core.fsmonitor=false", "core.hooksPath=/dev/null", "filter.x.clean=", "filter.x.required=false"];
    git.args(settings.iter().flat_map(|setting| ["-c", setting]));
    git.env("GIT_CONFIG_COUNT", "2")
        .envs([("GIT_CONFIG_KEY_0", "filter.a=b.process"), ("GIT_CONFIG_VALUE_0", "")])
        .envs([("GIT_CONFIG_KEY_1", "filter.a=b.required"), ("GIT_CONFIG_VALUE_1", "false")]);
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
                    repo.write("versions/a.py", migration(UNNAMED));
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
                let said = words(&output);
                assert!(!ran.exists(), "{kind}: {arguments:?} ran a program:\n{said}");
                assert!(
                    output.status.code().is_some_and(|status| status < 2) || arguments[0] == "uninstall",
                    "{kind}: {arguments:?}: {said}"
                );
                asked += usize::from(said.contains("by the git program"));
            }
            assert_eq!(repo.read("versions/a.py"), migration(NAMED), "{kind}");
        }
    }
    assert!(asked > 0, "git was never asked");
}

#[test]
fn a_missing_object_is_not_fetched() {
    let (_, _folder, repo) = kinds_of_repositories().remove(0);
    let id = repo.git(&["-c", "core.fsmonitor=false", "rev-parse", ":versions/a.py"]);
    std::fs::remove_file(repo.join(format!(".git/objects/{}/{}", &id[..2], &id[2..]))).unwrap();
    let output = repo.run(&[]);
    assert_eq!(output.status.code(), Some(2), "{}", words(&output));
    assert!(!repo.join("../ran").exists());
    assert!(words(&output).contains("`versions/a.py`"), "{}", words(&output));
}
