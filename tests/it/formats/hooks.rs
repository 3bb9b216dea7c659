//! What a hook sees in the environment that git makes for it.

use super::{record, started};
use crate::support::Repo;
use alembic_named::git::{Backend, Repository};

/// Not a test: what a hook runs. It writes what [`Repository::discover`] finds in the environment that git made.
#[test]
#[ignore = "started by git in `a_real_hook_sees_what_git_sees`"]
fn probe() {
    let Some(target) = std::env::var_os("PROBE") else {
        return;
    };
    let repository = Repository::discover(&std::env::current_dir().unwrap())
        .unwrap()
        .unwrap();
    let staged = repository.staged().unwrap();
    let list = |paths: &mut dyn Iterator<Item = String>| paths.collect::<Vec<_>>().join(",");
    let changes = list(
        &mut staged
            .changes
            .iter()
            .map(record)
            .map(|(letter, path, id)| format!("{letter}:{path}:{}", &id[..8])),
    );
    let left = list(&mut staged.left_to_other_parents.iter().map(ToString::to_string));
    let top = repository.top().canonicalize().unwrap();
    let asked = match repository.backend() {
        Backend::Git { .. } => "git",
        _ => "libgit2",
    };
    std::fs::write(target, format!("{changes} | {left} | {} | {asked}", top.display())).unwrap();
}

/// Runs git in `repo` with a hook that starts [`probe`] after `prepare`; gives what it wrote, and what git
/// said there of the same index.
#[track_caller]
fn in_hook(repo: &Repo, hook: &str, prepare: &str, arguments: &[&str]) -> (String, String) {
    let folder = tempfile::tempdir().unwrap();
    let (probed, said) = (folder.path().join("probe"), folder.path().join("git"));
    let program = std::env::current_exe().unwrap();
    let script = format!(
        "git diff --cached --raw --abbrev=8 -M > '{}' || exit 9\n{prepare}\nPROBE='{}' exec '{}' --exact formats::hooks::probe --ignored",
        said.display(),
        probed.display(),
        program.display()
    );
    repo.hook(hook, &script);
    let output = repo.try_git(arguments);
    let words = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "git {arguments:?}: {words}");
    let said = std::fs::read_to_string(said).unwrap();
    let line = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        format!("{}:{}:{}", &words[4][..1], words[5], words[3])
    };
    let said: Vec<String> = said.lines().map(line).collect();
    (std::fs::read_to_string(probed).unwrap_or_else(|_| panic!("no answer: {words}")), said.join(","))
}

#[track_caller]
fn assert_hook(repo: &Repo, prepare: &str, arguments: &[&str]) {
    let (probed, said) = in_hook(repo, "pre-commit", prepare, arguments);
    assert_eq!(probed, format!("{said} |  | {} | libgit2", repo.path().display()), "git {arguments:?}");
    assert!(!said.is_empty());
}

#[test]
fn a_real_hook_sees_what_git_sees() {
    let repo = started();
    for prepare in ["", "cd pkg"] {
        repo.stage("a.py", format!("staged {prepare}\n"))
            .write("b.py", format!("not staged {prepare}\n"));
        assert_hook(&repo, prepare, &["commit", "-m", "plain"]);
        repo.stage("a.py", format!("staged again {prepare}\n"))
            .write("b.py", format!("by path {prepare}\n"));
        assert_hook(&repo, prepare, &["commit", "-m", "path", "b.py"]);
        repo.write("b.py", format!("all {prepare}\n"));
        assert_hook(&repo, prepare, &["commit", "-a", "-m", "all"]);
        repo.stage("a.py", format!("amended {prepare}\n"));
        assert_hook(&repo, prepare, &["-c", "user.name=x", "commit", "--amend", "-m", "amend"]);
    }
    let linked = Repo::at(repo.join("linked"));
    repo.git(&["worktree", "add", "--quiet", "linked", "-b", "linked"]);
    for prepare in ["", "cd pkg"] {
        linked
            .stage("a.py", format!("linked {prepare}\n"))
            .write("b.py", format!("later {prepare}\n"));
        assert_hook(&linked, prepare, &["commit", "-m", "linked"]);
        assert_hook(&linked, prepare, &["commit", "-a", "-m", "all"]);
    }
    repo.stage("a.py", "given places\n");
    assert_hook(&repo, "", &["--git-dir=.git", "--work-tree=.", "commit", "-m", "places"]);
}

#[test]
fn a_real_hook_in_a_submodule() {
    let inner = started();
    let repo = started();
    repo.git(&[
        "-c",
        "protocol.file.allow=always",
        "submodule",
        "--quiet",
        "add",
        inner.path().to_str().unwrap(),
        "sub",
    ]);
    let sub = Repo::at(repo.join("sub"));
    for prepare in ["", "cd pkg"] {
        sub.stage("a.py", format!("sub {prepare}\n"));
        if prepare.is_empty() {
            assert_hook(&sub, prepare, &["commit", "-m", "sub"]);
        }
    }
}

#[test]
fn a_merge_answers_for_itself_only() {
    let repo = started();
    for (branch, base) in [("one", "main"), ("two", "main"), ("three", "main")] {
        repo.git(&["checkout", "--quiet", "-b", branch, base]);
        repo.stage(format!("{branch}.py"), format!("{branch}\n"));
        repo.commit(branch);
    }
    repo.git(&["checkout", "--quiet", "main"]);
    repo.stage("main.py", "main\n");
    repo.commit("main");
    let places = format!("{} | libgit2", repo.path().display());
    let (probed, said) = in_hook(&repo, "pre-merge-commit", "", &["merge", "-m", "merge", "one"]);
    assert!(said.contains("one.py"));
    assert_eq!(probed, format!(" | one.py | {places}"));
    repo.git(&["reset", "--quiet", "--hard", "HEAD~1"]);
    let (probed, _) = in_hook(&repo, "pre-merge-commit", "cd pkg", &["merge", "-m", "octopus", "one", "two"]);
    assert_eq!(probed, format!(" | one.py,two.py | {places}"));
    repo.git(&["merge", "--quiet", "--no-commit", "three"]);
    repo.stage("evil.py", "evil\n");
    let (probed, _) = in_hook(&repo, "pre-commit", "", &["commit", "-m", "concluded"]);
    assert!(probed.starts_with("A:evil.py:") && probed.ends_with(&format!(" | three.py | {places}")), "{probed}");
}
