//! Which files are checked: staged, named, in a folder, of a branch, or all.

use std::os::unix::fs::symlink;

use super::{committed, found, found_in, paths};
use crate::support::{FILE, NAMED, OTHER, Repo, UNNAMED, migration, said, staged};

#[test]
fn named_files_are_checked_as_they_are_on_disk() {
    let repo = staged(UNNAMED);
    repo.write(FILE, migration(NAMED)).write(OTHER, migration(UNNAMED));
    found(&repo, &[], &[FILE]);
    found(&repo, &[FILE], &[]);
    found(&repo, &[OTHER], &[OTHER]);
    found(&repo, &["migrations"], &[OTHER]);
    found(&repo, &["."], &[OTHER]);
    found(&repo, &[OTHER, FILE, OTHER, "."], &[OTHER]);
    let json = said(repo.tool(&["--format=json", OTHER, "migrations", "./migrations/../migrations/"]), 1);
    assert!(json.out.contains("\"errors\": 2,"), "a file named twice counts once: {}", json.out);
    let absolute = repo.join(OTHER);
    found(&repo, &[absolute.to_str().unwrap()], &[OTHER]);
    assert_eq!(paths(&said(repo.tool(&["check", "--format=concise", "--", OTHER]), 1)), [OTHER]);
}

#[test]
fn a_folder_leaves_out_what_git_ignores() {
    let repo = Repo::new();
    repo.write(".gitignore", "/build/\ngenerated_*.py\n")
        .write("pkg/.gitignore", "local.py\n")
        .write(".git/info/exclude", "excluded.py\n")
        .write("build/a.py", migration(UNNAMED))
        .write("pkg/generated_b.py", migration(UNNAMED))
        .write("pkg/local.py", migration(UNNAMED))
        .write("excluded.py", migration(UNNAMED))
        .write("pkg/seen.py", migration(UNNAMED));
    found(&repo, &["."], &["pkg/seen.py"]);
    found_in(&repo, "pkg", &["."], &["pkg/seen.py"]);
    // What is named is meant.
    found(&repo, &["build/a.py"], &["build/a.py"]);
    let folder = Repo::none();
    folder
        .write(".gitignore", "ignored.py\n")
        .write("ignored.py", migration(UNNAMED))
        .write("a.py", migration(UNNAMED));
    found(&folder, &["."], &["a.py"]);
}

#[test]
fn a_folder_holds_what_is_tracked_although_it_is_ignored() {
    let repo = Repo::new();
    repo.write(".gitignore", "build/\n")
        .write("build/a.py", migration(UNNAMED));
    repo.write("build/not_tracked.py", migration(UNNAMED));
    repo.git(&["add", "--force", "build/a.py"]);
    found(&repo, &["."], &["build/a.py"]);
}

#[test]
fn a_folder_leaves_out_the_repositories_in_it() {
    let repo = Repo::new();
    repo.write("a.py", migration(UNNAMED))
        .write("inner/b.py", migration(UNNAMED));
    repo.git(&["init", "-q", "inner"]);
    found(&repo, &["."], &["a.py"]);
    let told = said(repo.tool(&["check", "-v", "."]), 1);
    assert!(told.err.contains("a repository of its own") && told.err.contains("inner"), "{}", told.err);
    // One that is named is meant.
    let inner = said(repo.tool(&["check", "--format=concise", "inner"]), 1);
    assert!(inner.out.contains("b.py"), "{}", inner.out);
}

#[test]
fn a_folder_holds_what_git_does_not_ignore() {
    let repo = Repo::new();
    repo.write(".backend/a.py", migration(UNNAMED))
        .write(".ignore", ".backend/\n");
    found(&repo, &["."], &[".backend/a.py"]);
}

#[test]
fn outside_any_repository() {
    let folder = Repo::none();
    folder
        .write("versions/a.py", migration(UNNAMED))
        .write("b.py", migration(NAMED));
    found(&folder, &["versions/a.py"], &["versions/a.py"]);
    found(&folder, &["."], &["versions/a.py"]);
    found_in(&folder, "versions", &["."], &["a.py"]);
    found_in(&folder, "versions", &["../b.py"], &[]);
    let told = said(folder.tool(&["-v", "b.py"]), 0);
    assert!(told.err.contains("read from: working tree, outside any repository"), "{}", told.err);
    for arguments in [&[][..], &["--staged"], &["--all"], &["--from-ref", "HEAD"], &["--staged", "b.py"]] {
        let told = said(folder.tool(arguments), 2);
        let path = folder.path().display();
        assert_eq!(
            told.err,
            format!("error: `{path}` is not in a git repository: go into one, or name the files to check\n")
        );
    }
}

#[test]
fn files_of_another_repository_than_the_current_one() {
    let formats = [&[][..], &["--object-format=sha256"], &["--ref-format=reftable"]];
    for other in formats.into_iter().filter_map(Repo::with) {
        other.stage(FILE, migration(UNNAMED));
        other.commit("first");
        other
            .stage("alembic-named.toml", "exclude = ['another.py']\n")
            .write(OTHER, migration(UNNAMED));
        let here = committed();
        let full = |path: &str| other.join(path).to_str().unwrap().to_owned();
        found(&here, &[&full(FILE)], &[FILE]);
        found(&here, &[&full("migrations")], &[FILE]);
        found(&Repo::none(), &[&full("")], &[FILE]);
        let told = said(here.tool(&["--staged", &full(FILE)]), 2);
        assert!(told.err.contains("check the two in separate calls"), "{}", told.err);
        let told = said(here.tool(&[FILE, &full(FILE)]), 2);
        assert!(told.err.contains("check the two in separate calls"), "{}", told.err);
        let told = said(here.tool(&["--format=json", &full(FILE)]), 1);
        assert!(told.out.contains("\"status\": \"unmodified\""), "{}", told.out);
    }
}

#[test]
fn files_of_a_repository_within_the_current_one() {
    let (outer, folder) = (committed(), Repo::none());
    for around in [&outer, &folder] {
        let inner = Repo::make(around.join("inner"));
        inner.stage(OTHER, migration(UNNAMED));
        inner.commit("first");
        inner.write("new.py", migration(UNNAMED));
        let status = |path: &str| {
            let told = said(around.tool(&["--format=json", path]), 1);
            let json: serde_json::Value = serde_json::from_str(&told.out).unwrap();
            let file = &json["files"][0];
            (file["path"].as_str().unwrap().to_owned(), file["status"].as_str().unwrap().to_owned())
        };
        assert_eq!(status("inner/migrations"), (OTHER.to_owned(), "unmodified".to_owned()));
        assert_eq!(status("inner/new.py"), ("new.py".to_owned(), "untracked".to_owned()));
    }
    found(&outer, &[FILE], &[FILE]);
    let told = said(outer.tool(&["inner/new.py", FILE]), 2);
    assert!(told.err.contains("check the two in separate calls"), "{}", told.err);
}

#[test]
fn staged_with_paths() {
    let repo = committed();
    repo.write(FILE, migration(NAMED))
        .stage(OTHER, migration(UNNAMED))
        .write("untracked.py", migration(UNNAMED));
    found(&repo, &["--staged"], &[OTHER]);
    // Hook runners name all files of the repository too; the index counts.
    found(&repo, &["--staged", FILE], &[FILE]);
    found(&repo, &["--staged", OTHER, FILE], &[FILE, OTHER]);
    found_in(&repo, "migrations", &["--staged", "versions/another.py"], &[OTHER]);
    let told = said(repo.tool(&["--staged", "--verbose", "untracked.py"]), 0);
    assert!(told.out.starts_with("0 files checked"), "{}", told.out);
    assert!(told.err.contains("not in the index: untracked.py"), "{}", told.err);
    // A folder stands for what the index holds below it.
    found(&repo, &["--staged", "migrations"], &[FILE, OTHER]);
    found(&repo, &["--staged", ".", OTHER], &[FILE, OTHER]);
    found_in(&repo, "migrations", &["--staged", "versions/"], &[FILE, OTHER]);
    found(&repo, &["--staged", "migrations/versions/an"], &[]);
    let told = said(repo.tool(&["--staged", "--verbose", "migrations"]), 1);
    assert!(!told.err.contains("not in the index"), "{}", told.err);
    // A file that the commit deletes has nothing to say.
    repo.git(&["rm", "--quiet", "--cached", FILE]);
    found(&repo, &["--staged", FILE, OTHER], &[OTHER]);
}

#[test]
fn all_is_every_tracked_file() {
    let repo = committed();
    repo.write(FILE, migration(NAMED))
        .write("untracked.py", migration(UNNAMED));
    found(&repo, &["--all"], &[FILE]);
    repo.stage(OTHER, migration(UNNAMED));
    found(&repo, &["--all"], &[FILE, OTHER]);
    found_in(&repo, "migrations", &["--all"], &[FILE, OTHER]);
    repo.stage(FILE, migration(NAMED));
    found(&repo, &["--all"], &[OTHER]);
    let told = said(repo.tool(&["--all", "a.py"]), 2);
    assert!(told.err.contains("cannot be used with"), "{}", told.err);
}

/// `main` with an unnamed constraint of its own, and a branch with another one.
fn branched() -> Repo {
    let repo = Repo::new();
    repo.stage("README.md", "");
    repo.commit("base");
    repo.git(&["checkout", "--quiet", "-b", "topic"]);
    repo.stage(FILE, migration(UNNAMED));
    repo.commit("on the branch");
    repo.git(&["checkout", "--quiet", "main"]);
    repo.stage(OTHER, migration(UNNAMED));
    repo.commit("on main");
    repo
}

#[test]
fn what_a_branch_changes() {
    let repo = branched();
    found(&repo, &["--from-ref", "main", "--to-ref", "topic"], &[FILE]);
    found(&repo, &["--from-ref=topic"], &[OTHER]);
    found(&repo, &["--from-ref", "topic", "--to-ref", "HEAD~1"], &[]);
    found(&repo, &["--from-ref", "HEAD"], &[]);
    // Neither the index nor the working tree counts.
    repo.stage("third.py", migration(UNNAMED))
        .write(OTHER, migration(NAMED));
    found(&repo, &["--from-ref", "topic"], &[OTHER]);
    found_in(&repo, "migrations", &["--from-ref", "topic"], &[OTHER]);
    for (arguments, says) in [
        (&["--to-ref", "main"][..], "--from-ref"),
        (&["--from-ref", "main", "a.py"], "cannot be used with"),
        (&["--from-ref", "main", "--all"], "cannot be used with"),
    ] {
        let told = said(repo.tool(arguments), 2);
        assert!(told.err.contains(says), "{}", told.err);
    }
}

#[test]
fn the_revisions_that_pre_commit_names() {
    let repo = branched();
    let with = |arguments: &[&str], to: Option<&str>| {
        let mut command = repo.tool(&[arguments, &["--format=concise"]].concat());
        command.env("PRE_COMMIT_FROM_REF", "main");
        if let Some(to) = to {
            command.env("PRE_COMMIT_TO_REF", to);
        }
        command
    };
    assert_eq!(paths(&said(with(&["--staged"], Some("topic")), 1)), [FILE]);
    assert_eq!(paths(&said(with(&["--staged", FILE], Some("topic")), 1)), [FILE]);
    assert!(paths(&said(with(&["--staged"], None), 0)).is_empty());
    // Whoever says neither --staged nor a revision asks for what is staged here.
    assert!(paths(&said(with(&[], Some("topic")), 0)).is_empty());
    assert_eq!(paths(&said(with(&["--staged", "--from-ref=topic"], Some("topic")), 1)), [OTHER]);
    let empty = || {
        let mut command = repo.tool(&["--staged"]);
        command.env("PRE_COMMIT_FROM_REF", "").env("PRE_COMMIT_TO_REF", "");
        command
    };
    assert!(said(empty(), 0).out.starts_with("0 files checked"));
}

#[test]
fn paths_start_where_the_user_is_and_are_told_from_the_top() {
    let repo = committed();
    found_in(&repo, "migrations", &["versions/add_invoice.py"], &[FILE]);
    found_in(&repo, "migrations/versions", &["add_invoice.py"], &[FILE]);
    found_in(&repo, "migrations/versions", &[".."], &[FILE]);
    found_in(&repo, "migrations/versions", &["../.."], &[FILE]);
    found_in(&repo, "migrations/versions", &["../versions/../versions/add_invoice.py"], &[FILE]);
    repo.stage(FILE, migration(UNNAMED) + "# changed\n");
    found_in(&repo, "migrations/versions", &[], &[FILE]);
    let link = Repo::none();
    symlink(repo.path(), link.join("link")).unwrap();
    found_in(&link, "link/migrations", &["versions/add_invoice.py"], &[FILE]);
    found(&link, &["link/migrations"], &[FILE]);
    found(&link, &["link"], &[FILE]);
}

#[test]
fn exclude_leaves_files_out_named_or_not() {
    let repo = staged(UNNAMED);
    repo.stage(OTHER, migration(UNNAMED))
        .stage("legacy/old.py", migration(UNNAMED));
    let nothing: &[&str] = &[];
    for (exclude, left) in [
        (&["legacy"][..], &[FILE, OTHER][..]),
        (&["legacy/"], &[FILE, OTHER]),
        (&["legacy/**"], &[FILE, OTHER]),
        (&["old.py"], &[FILE, OTHER]),
        (&["migrations/**/a*.py"], &["legacy/old.py"]),
        (&["add_*.py", "legacy"], &[OTHER]),
        (&["*"], nothing),
        (&["elsewhere"], &["legacy/old.py", FILE, OTHER]),
    ] {
        let options: Vec<&str> = exclude.iter().flat_map(|pattern| ["--exclude", pattern]).collect();
        for scope in [&["--staged"][..], &["--all"], &["."], &["--staged", FILE, OTHER, "legacy/old.py"]] {
            found(&repo, &[scope, &options].concat(), left);
        }
    }
    repo.stage("alembic-named.toml", "exclude = ['legacy', 'add_invoice.py']\n");
    found(&repo, &[], &[OTHER]);
    found(&repo, &[FILE, OTHER, "legacy/old.py"], &[OTHER]);
    found(&repo, &["--staged", FILE, OTHER], &[OTHER]);
    found_in(&repo, "migrations", &["--exclude", "another.py"], nothing);
    let told = said(repo.tool(&[FILE]), 0);
    assert!(told.out.starts_with("0 files checked"), "{}", told.out);
}

#[test]
fn the_configuration_is_the_one_of_what_is_checked() {
    let repo = staged(UNNAMED);
    // Staged files answer to the staged configuration.
    repo.write("pyproject.toml", "[tool.alembic-named]\nexclude = ['migrations']\n");
    found(&repo, &[], &[FILE]);
    found(&repo, &[FILE], &[]);
    repo.git(&["add", "pyproject.toml"]);
    found(&repo, &[], &[]);
    // A given configuration takes the place of all others.
    let elsewhere = Repo::none();
    elsewhere.write("own.toml", "ignore = ['unnamed-drop']\n");
    let given = elsewhere.join("own.toml");
    let told = said(repo.tool(&["--config", given.to_str().unwrap()]), 1);
    assert!(told.out.ends_with("1 file checked: 1 error, fixable\n"), "{}", told.out);
}

#[test]
fn rules_can_be_selected_and_ignored() {
    let repo = staged(UNNAMED);
    let rules = |arguments: &[&str], status| {
        let told = said(repo.tool(&[arguments, &["--format=concise"]].concat()), status);
        let rule = |line: &str| line.split(['[', ']']).nth(1).unwrap().to_owned();
        told.out.lines().map(rule).collect::<Vec<_>>()
    };
    assert_eq!(rules(&[], 1), ["unnamed-constraint", "unnamed-drop"]);
    assert_eq!(rules(&["--select", "unnamed-drop"], 1), ["unnamed-drop"]);
    assert_eq!(rules(&["--ignore", "unnamed-drop"], 1), ["unnamed-constraint"]);
    assert_eq!(
        rules(&["--select=unnamed-drop,unnamed-constraint", "--ignore=unnamed-drop"], 1),
        ["unnamed-constraint"]
    );
    assert!(rules(&["--ignore=unnamed-drop,unnamed-constraint"], 0).is_empty());
    assert!(rules(&["--select", "missing-naming-convention"], 0).is_empty());
}

#[test]
fn changed_lines_only_leaves_old_calls_alone() {
    let repo = committed();
    repo.stage(FILE, migration(UNNAMED));
    repo.commit("unchecked");
    let told = |arguments: &[&str], lines: &[&str]| {
        let status = i32::from(!lines.is_empty());
        let out = said(repo.tool(&[&["--format=concise"], arguments].concat()), status).out;
        let found: Vec<&str> = out.lines().map(|line| line.split(':').nth(1).unwrap()).collect();
        assert_eq!(found, lines, "{arguments:?}: {out}");
    };
    // A comment above the calls, and the calls as they were.
    let reformatted = migration(UNNAMED).replacen("\n\n\n", "\n\n\n# why\n", 1);
    repo.stage(FILE, &reformatted);
    told(&[], &["12", "16"]);
    told(&["--changed-lines-only"], &[]);
    told(&["--changed-lines-only", FILE], &[]);
    // One call touched: not the other one.
    repo.stage(FILE, reformatted.replace("'invoice', [", "'invoice',  ["));
    told(&["--changed-lines-only"], &["12"]);
    repo.commit("touched");
    told(&["--changed-lines-only", "--from-ref=HEAD~1"], &["12"]);
    told(&["--from-ref=HEAD~1"], &["12", "16"]);
    // All of a new file is new, and the configuration says the same as the option.
    repo.stage(OTHER, migration(UNNAMED)).stage(FILE, &reformatted);
    told(&["--changed-lines-only"], &["12", "11", "15"]);
    repo.stage("alembic-named.toml", "changed-lines-only = true\n");
    told(&[], &["12", "11", "15"]);
}
