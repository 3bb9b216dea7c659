//! What was asked for and cannot be done.

use std::os::unix::fs::symlink;

use super::{as_nobody, fails, fails_as, forbid};
use crate::support::{FILE, NAMED, said, staged_later, users};

#[test]
fn an_output_file_that_cannot_be_written() {
    let repo = staged_later(NAMED);
    repo.write("taken", "as it was\n");
    for (path, cause) in
        [("migrations", "directory"), ("no/such/folder.json", "No such file"), ("taken/x", "ot a directory")]
    {
        fails(&repo, &["--output-file", path], &[path, cause, "check its folder and its permissions"]);
    }
    if !users::git_on_nobody(&repo) {
        return;
    }
    forbid(&repo, "taken");
    let command = as_nobody(&repo, &["--output-file", "taken"]);
    fails_as(&repo, command, &["`taken`", "Permission denied"]);
}

#[test]
fn words_that_are_no_options() {
    let repo = staged_later(NAMED);
    for (arguments, parts) in [
        (&["--no-such"][..], &["unexpected argument '--no-such'", "--help"][..]),
        (&["--formt", "json"], &["--formt", "'--format'"]),
        (&["--format", "yaml"], &["'yaml'", "text, concise, json"]),
        (&["--color", "red"], &["'red'", "auto, always, never"]),
        (&["--max-file-size", "many"], &["'many'", "--max-file-size"]),
        (&["--quiet", "--verbose"], &["--quiet", "--verbose"]),
        (&["--output-file"], &["--output-file <FILE>"]),
        (&["--staged", "--all"], &["--staged", "--all"]),
    ] {
        let before = repo.files();
        let told = said(repo.tool(arguments), 2);
        assert!(told.err.starts_with("error: ") && told.out.is_empty(), "{told:?}");
        for part in parts {
            assert!(told.err.contains(part), "expected `{part}` in: {}", told.err);
        }
        assert_eq!(repo.files(), before);
    }
}

#[test]
fn subcommands_in_the_wrong_place_or_misspelled() {
    let repo = staged_later(NAMED);
    for (arguments, parts) in [
        (&["chek"][..], &["`chek` does not exist", "did you mean `alembic-named check`?"][..]),
        (&["unistall"], &["did you mean `alembic-named uninstall`?"]),
        (&["--staged", "instal"], &["did you mean `alembic-named install`?"]),
        (
            &["--quiet", "check"],
            &["`check` is a subcommand", "before all options, as `alembic-named check ...`"],
        ),
        (&["--color=always", "explain", "unnamed-drop"], &["as `alembic-named explain ...`"]),
        // With options that `check` does not have.
        (&["adpot", "--dry-run"], &["`adpot` does not exist", "did you mean `alembic-named adopt`?"]),
        (&["instal", "--manager", "git"], &["did you mean `alembic-named install`?"]),
        (&["--staged", "adpot", "--dry-run"], &["did you mean `alembic-named adopt`?"]),
        (&["--quiet", "install", "--dry-run"], &["before all options, as `alembic-named install ...`"]),
    ] {
        fails(&repo, arguments, parts);
        let told = said(repo.tool(arguments), 2).err;
        assert_eq!(told.lines().count(), 1, "{told}");
    }
    for arguments in [&["--exclude", "instal", "--dry-run"][..], &["shop", "--dry-run"], &["check", "--dry-run"]] {
        let told = said(repo.tool(arguments), 2).err;
        assert!(told.starts_with("error: unexpected argument '--dry-run' found\n"), "{arguments:?}: {told}");
    }
    // What is there is a path, whatever it is called; and what is like no subcommand is one as well.
    repo.write("chek", "").write("check/a.py", "");
    said(repo.tool(&["chek"]), 0);
    said(repo.tool(&["--quiet", "check"]), 0);
    let told = said(repo.tool(&["shop"]), 2).err;
    assert_eq!(told, "error: `shop` does not exist: check the path\n");
}

#[test]
fn patterns_and_rules_that_are_none() {
    let repo = staged_later(NAMED);
    fails(&repo, &["--exclude", "a["], &["`a[`", "is not a glob", "write it like"]);
    fails(&repo, &["--exclude", "{a"], &["`{a`", "is not a glob"]);
    for option in ["--select", "--ignore"] {
        fails(&repo, &[option, "unamed-drop"], &["`unamed-drop`", "did you mean `unnamed-drop`?"]);
        fails(&repo, &[option, "unnamed-drop,unknown"], &["no rule `unknown`", "`alembic-named rules` lists them"]);
    }
    fails(&repo, &["explain", "missing-convention"], &["did you mean `missing-naming-convention`?"]);
    fails(&repo, &["explain", ""], &["no rule ``"]);
}

#[test]
fn files_that_are_not_there() {
    let repo = staged_later(NAMED);
    fails(&repo, &["no/such.py"], &["`no/such.py` does not exist", "check the path"]);
    fails(&repo, &[FILE, "no/such"], &["`no/such` does not exist"]);
    fails(&repo, &["README.md/a.py"], &["`README.md/a.py` does not exist"]);
    fails(&repo, &["config", "nothere.py"], &["`nothere.py` does not exist: check the path"]);
    fails(&repo, &["config", "no/such/a.py"], &["`no/such/a.py` does not exist: check the path"]);
    symlink("nowhere.py", repo.join("dangling.py")).unwrap();
    symlink("loop.py", repo.join("loop.py")).unwrap();
    for path in ["dangling.py", "loop.py"] {
        fails(&repo, &[path], &[path, "neither a file nor a folder"]);
    }
    // In a folder a link is what git holds it for: no file.
    assert!(said(repo.tool(&["."]), 0).out.starts_with("1 file checked"));
    let pipe = repo.command("mkfifo").arg("pipe.py").status().unwrap();
    assert!(pipe.success());
    // Opening it would wait for a writer for ever.
    fails(&repo, &["pipe.py"], &["pipe.py", "neither a file nor a folder"]);
    assert!(said(repo.tool(&["."]), 0).out.starts_with("1 file checked"));
}

#[test]
fn a_given_configuration_that_is_wrong() {
    let repo = staged_later(NAMED);
    let check = "check the path given with --config";
    fails(&repo, &["--config", "no/such.toml"], &["`no/such.toml`", "No such file", check]);
    fails(&repo, &["--config", "migrations"], &["`migrations`", check]);
    repo.write("own.toml", "select = [\n").write("latin.toml", b"# \xff\n");
    fails(&repo, &["--config", "own.toml"], &["own.toml:1:11: "]);
    fails(&repo, &["--config", "latin.toml"], &["`latin.toml`", "UTF-8", check]);
}
