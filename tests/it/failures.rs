//! What cannot be checked: one sentence with the path and what to do, exit status 2, nothing written.

mod calls;
mod contents;

use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use crate::support::{FILE, NAMED, PROGRAM, Repo, SUGGESTED, UNNAMED, migration, said, staged_later, users};

/// The run must end with 2 and write nothing but one sentence, of which `parts` are parts.
#[track_caller]
fn fails(repo: &Repo, arguments: &[&str], parts: &[&str]) {
    fails_as(repo, repo.tool(arguments), parts);
}

#[track_caller]
fn fails_as(repo: &Repo, command: assert_cmd::Command, parts: &[&str]) {
    let before = repo.files();
    let told = said(command, 2);
    let mut errors = told.err.lines().filter(|line| line.starts_with("error: "));
    let error = errors.next().unwrap_or_else(|| panic!("nothing is said: {told:?}"));
    assert_eq!(errors.next(), None, "one sentence: {}", told.err);
    for part in parts {
        assert!(error.contains(part), "expected `{part}` in: {error}");
    }
    let tells_remedy = error.matches(": ").count() >= 2 || error.contains("`alembic-named rules`");
    assert!(tells_remedy, "what is to be done? {error}");
    assert!(!error.ends_with('.') && !error.contains("  "), "{error}");
    assert_eq!(repo.files(), before);
}

#[test]
fn an_index_that_is_none() {
    let repo = staged_later(NAMED);
    let path = repo.join(".git/index");
    let whole = std::fs::read(&path).unwrap();
    let index = path.to_str().unwrap();
    let mut unknown = whole.clone();
    unknown[..4].copy_from_slice(b"XXXX");
    for content in [&b""[..], &unknown] {
        std::fs::write(&path, content).unwrap();
        for arguments in [&[][..], &["--all"], &["--staged", FILE], &["--format=json"]] {
            fails(&repo, arguments, &[index, "is damaged", "rebuild it with `git reset`"]);
        }
    }
    let mut newer = whole.clone();
    newer[7] = 9;
    std::fs::write(&path, &newer).unwrap();
    fails(&repo, &[], &[index, "has a format that the installed git does not know", "update git"]);
    std::fs::write(&path, &whole[..40]).unwrap();
    fails(&repo, &[], &[repo.path().to_str().unwrap()]);
    // What is on disk can still be checked.
    assert_eq!(said(repo.tool(&[FILE]), 0).out, "1 file checked, nothing found\n");
}

#[test]
fn an_index_that_lies_elsewhere() {
    let repo = staged_later(NAMED);
    let mut command = repo.tool(&[]);
    command.env("GIT_INDEX_FILE", "nowhere/index");
    fails_as(&repo, command, &["nowhere/index", "does not exist although HEAD holds files"]);
}

/// The program as a user without rights.
fn as_nobody(repo: &Repo, arguments: &[&str]) -> assert_cmd::Command {
    let mut command = repo.command(PROGRAM);
    users::as_nobody(command.args(arguments));
    assert_cmd::Command::from_std(command)
}

/// Takes all rights to a file away, from a user who is not root.
fn forbid(repo: &Repo, path: &str) {
    users::hand_over(repo);
    let none = std::fs::Permissions::from_mode(0o000);
    std::fs::set_permissions(repo.join(path), none).unwrap();
}

#[test]
fn what_may_not_be_read() {
    let repo = staged_later(NAMED);
    if !users::git_on_nobody(&repo) {
        return;
    }
    forbid(&repo, FILE);
    let disk = as_nobody(&repo, &[FILE]);
    fails_as(&repo, disk, &[FILE, "Permission denied", "check that it exists and that you may read it"]);
    assert!(said(as_nobody(&repo, &[]), 0).out.starts_with("1 file checked"), "the index holds it");
    forbid(&repo, ".git/index");
    let index = as_nobody(&repo, &[]);
    fails_as(&repo, index, &[".git/index", "Permission denied", "check its permissions"]);
    repo.write("closed/a.py", "");
    forbid(&repo, "closed");
    let folder = as_nobody(&repo, &["."]);
    fails_as(&repo, folder, &["closed", "Permission denied"]);
    std::fs::set_permissions(repo.join("closed"), std::fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn a_link_that_leads_out_of_the_repository() {
    let (repo, outside) = (staged_later(NAMED), Repo::none());
    outside.write("a.py", migration(UNNAMED));
    symlink(outside.join("a.py"), repo.join("out.py")).unwrap();
    fails(&repo, &["out.py"], &["`out.py`", "leads out of", "name the file itself"]);
    symlink(FILE, repo.join("inside.py")).unwrap();
    assert!(said(repo.tool(&["inside.py"]), 0).out.starts_with("1 file checked"));
}

#[test]
fn the_current_folder_is_gone() {
    let repo = staged_later(NAMED);
    let mut shell = repo.command("sh");
    shell.args(["-c", &format!("mkdir gone && cd gone && rmdir ../gone && exec '{PROGRAM}'")]);
    let told = said(assert_cmd::Command::from_std(shell), 2);
    assert!(
        told.err
            .starts_with("error: the current folder cannot be found: go into one"),
        "{}",
        told.err
    );
}

#[test]
fn a_configuration_that_is_wrong() {
    let repo = staged_later(NAMED);
    for (path, text, parts) in [
        ("alembic-named.toml", "select = [\n", &["alembic-named.toml:1:11: "][..]),
        ("alembic-named.toml", "\n\nselct = []\n", &["alembic-named.toml:3:1: ", "did you mean `select`?"]),
        (
            "alembic-named.toml",
            "ignore = ['unamed-drop']\n",
            &["alembic-named.toml", "did you mean `unnamed-drop`?"],
        ),
        ("alembic-named.toml", "exclude = ['a[']\n", &["alembic-named.toml", "`a[`", "is not a glob"]),
        (
            "alembic-named.toml",
            "severity = { unnamed-drop = 'bad' }\n",
            &["alembic-named.toml:1:29: ", "`bad`"],
        ),
        (
            "alembic-named.toml",
            "convention = { fkk = 'x' }\n",
            &["alembic-named.toml:1:16: unknown key `convention.fkk`, did you mean `fk`?"],
        ),
        (
            "alembic-named.toml",
            "convention = { fk = '%(tabel_name)s' }\n",
            &["alembic-named.toml:1:21: ", "`%(tabel_name)s`", "`%(table_name)s`"],
        ),
        (
            "migrations/pyproject.toml",
            "[tool.alembic-named]\nexclude = 1\n",
            &["migrations/pyproject.toml:2:11: "],
        ),
        ("migrations/pyproject.toml", "[tool.alembic-named\n", &["migrations/pyproject.toml:1:20: "]),
    ] {
        repo.stage(path, text);
        fails(&repo, &[], parts);
        fails(&repo, &[FILE], parts);
        fails(&repo, &["config", FILE], parts);
        repo.git(&["rm", "--quiet", "--force", path]);
    }
    repo.stage("alembic-named.toml", b"# \xff\n".as_slice());
    fails(&repo, &[], &["alembic-named.toml", "not UTF-8"]);
}

#[test]
fn a_conflict_that_is_not_resolved() {
    let repo = staged_later(NAMED);
    repo.commit("base");
    repo.git(&["checkout", "--quiet", "-b", "side"]);
    repo.stage(FILE, migration("'theirs'")).stage("README.md", "theirs\n");
    repo.commit("theirs");
    repo.git(&["checkout", "--quiet", "main"]);
    repo.stage(FILE, migration("'ours'")).stage("README.md", "ours\n");
    repo.commit("ours");
    assert!(!repo.try_git(&["merge", "side"]).status.success());
    let parts = [&format!("`{FILE}` is in conflict"), "resolve it and stage it with `git add`"];
    fails(&repo, &[], &parts);
    fails(&repo, &["--staged", FILE], &parts);
    fails(&repo, &["--staged", "migrations"], &parts);
    assert!(
        said(repo.tool(&["--staged", "README.md"]), 0)
            .out
            .starts_with("0 files")
    );
    fails(&repo, &["--all"], &parts);
    // On disk there are both sides with the marks between them.
    let told = said(repo.tool(&[FILE]), 0);
    assert!(told.out.contains("warning[syntax-error]"), "{}", told.out);
}

#[test]
fn a_bare_repository() {
    let (repo, bare) = (staged_later(NAMED), Repo::with(&["--bare"]).unwrap());
    repo.commit("second");
    repo.git(&["push", "--quiet", bare.path().to_str().unwrap(), "main"]);
    let path = bare.path().to_str().unwrap();
    for arguments in [&[][..], &["--all"]] {
        fails(&bare, arguments, &[path, "is a bare repository", "name two revisions with --from-ref and --to-ref"]);
    }
    assert!(
        said(bare.tool(&["--from-ref=main~1", "--to-ref=main"]), 0)
            .out
            .starts_with("1 file checked")
    );
}

#[test]
fn revisions_that_are_not_there() {
    let repo = staged_later(NAMED);
    repo.commit("second");
    let parts = ["unknown revision `no-such`", "check the spelling, or fetch it with `git fetch`"];
    fails(&repo, &["--from-ref", "no-such"], &parts);
    fails(&repo, &["--from-ref", "main", "--to-ref", "no-such"], &parts);
    fails(&repo, &["--from-ref=-x"], &["unknown revision `-x`"]);
    fails(&repo, &["--from-ref", ""], &["unknown revision ``"]);
    fails(&repo, &["--from-ref", "HEAD:README.md"], &["`HEAD:README.md`"]);
    let mut runner = repo.tool(&["--staged", FILE]);
    runner
        .env("PRE_COMMIT_FROM_REF", "no-such")
        .env("PRE_COMMIT_TO_REF", "main");
    fails_as(&repo, runner, &parts);
    let unborn = Repo::new();
    fails(&unborn, &["--from-ref", "HEAD"], &["unknown revision `HEAD`"]);
}

#[test]
fn histories_without_a_common_commit() {
    let repo = staged_later(NAMED);
    repo.git(&["checkout", "--quiet", "--orphan", "other"]);
    repo.commit("of another history");
    fails(
        &repo,
        &["--from-ref=main"],
        &["`main` and `HEAD` have no common commit", "name two revisions of one history"],
    );
    repo.git(&["checkout", "--quiet", "-b", "side", "main"]);
    repo.commit("side");
    repo.git(&["checkout", "--quiet", "main"]);
    repo.commit("main");
    let shallow = Repo::none();
    let url = format!("file://{}", repo.path().display());
    shallow.git(&["clone", "--quiet", "--depth=1", "--no-single-branch", &url, "."]);
    fails(&shallow, &["--from-ref=origin/side"], &["in this shallow clone", "`git fetch --unshallow`"]);
}

#[test]
fn objects_that_are_lost() {
    let repo = staged_later(NAMED);
    let id = repo.git(&["rev-parse", &format!(":{FILE}")]);
    let object = repo.join(format!(".git/objects/{}/{}", &id[..2], &id[2..]));
    std::fs::remove_file(&object).unwrap();
    let parts = [FILE, &id, "`git fsck` shows what is lost"];
    fails(&repo, &[], &parts);
    repo.git(&["update-index", "--split-index"]);
    fails(&repo, &[], &parts);
    // The others are checked all the same, also where the damage makes git give up.
    std::fs::write(&object, "damaged").unwrap();
    repo.stage("zero.py", migration(UNNAMED));
    let told = said(repo.tool(&[]), 2);
    assert!(told.out.contains(SUGGESTED) && told.err.contains(FILE), "{told:?}");
}

#[test]
fn git_is_needed_and_not_installed() {
    let repo = staged_later(NAMED);
    repo.git(&["update-index", "--split-index"]);
    let mut command = repo.tool(&[]);
    command.env("PATH", "/nowhere");
    fails_as(&repo, command, &["can only be read by git itself", "install git or add it to the PATH"]);
}

#[test]
fn a_repository_that_git_refuses() {
    let repo = staged_later(NAMED);
    if !users::give_away(&repo) {
        return;
    }
    let path = repo.path().to_str().unwrap();
    fails(&repo, &[], &[path, "another user owns it", "git config --global --add safe.directory"]);
    assert!(Path::new(path).exists());
}

/// A commit of the configuration alone, which the next commit with Python would fail on.
#[test]
fn a_wrong_configuration_is_not_committed_unnoticed() {
    let (wrong, table) = ("selct = []\n", "[tool.alembic-named]\nselct = []\n");
    for (path, text) in [("svc/alembic-named.toml", wrong), ("pyproject.toml", table)] {
        let repo = Repo::new();
        repo.stage("README.md", "").commit("first");
        let sentence = &[path, ": unknown key `selct`, did you mean `select`?"][..];
        repo.stage(path, text);
        // The staged content counts.
        repo.write(path, "");
        for arguments in [&[][..], &["--staged"], &["--staged", path]] {
            fails(&repo, arguments, sentence);
        }
        for arguments in [&["--exclude", path][..], &["--config", path], &["--staged", "README.md"]] {
            said(repo.tool(arguments), 0);
        }
        repo.commit("second");
        fails(&repo, &["--from-ref", "HEAD~1"], sentence);
        // Who does not change it is not blocked.
        repo.stage("README.md", "more\n");
        said(repo.tool(&["--staged"]), 0);
        said(repo.tool(&["--staged", path]), 0);
    }
    // The other file of the folder is the one that counts, until it is removed.
    let repo = Repo::new();
    repo.stage("alembic-named.toml", "").stage("pyproject.toml", table);
    fails(&repo, &[], &["pyproject.toml", "`selct`"]);
    repo.stage("pyproject.toml", "[tool.other]\nselct = []\n");
    repo.stage("fixtures/alembic-named.toml", wrong)
        .stage("alembic-named.toml", "exclude = ['fixtures']\n");
    said(repo.tool(&[]), 0);
}
