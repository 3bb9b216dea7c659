//! The command line as a user or a hook manager calls it: which files are checked, from where, and how the run ends.

use std::os::unix::fs::symlink;

use crate::support::{self, NAMED, PROGRAM, Repo, SUGGESTED, Said, UNNAMED, migration, said};

const FILE: &str = "migrations/versions/add_invoice.py";
const OTHER: &str = "migrations/versions/another.py";

/// One unnamed constraint in HEAD, and nothing staged.
fn committed() -> Repo {
    let repo = Repo::new();
    repo.stage(FILE, migration(UNNAMED));
    repo.commit("first");
    repo
}

/// One unnamed constraint staged.
fn staged() -> Repo {
    let repo = Repo::new();
    repo.stage(FILE, migration(UNNAMED));
    repo
}

/// The paths of a concise report.
fn paths(said: &Said) -> Vec<&str> {
    let mut paths: Vec<&str> = said.out.lines().filter_map(|line| line.split(':').next()).collect();
    paths.dedup();
    paths
}

#[track_caller]
fn found(repo: &Repo, arguments: &[&str], expected: &[&str]) {
    found_in(repo, "", arguments, expected);
}

#[track_caller]
fn found_in(repo: &Repo, folder: &str, arguments: &[&str], expected: &[&str]) {
    let status = i32::from(!expected.is_empty());
    let said = said(
        repo.tool_in(folder, &[arguments, &["--format", "concise"]].concat()),
        status,
    );
    assert_eq!(paths(&said), expected, "{arguments:?}: {}", said.err);
}

#[test]
fn how_a_run_ends() {
    let repo = staged();
    assert!(said(repo.tool(&[]), 1).out.contains(SUGGESTED));
    assert!(said(repo.tool(&["--exit-zero"]), 0).out.contains(SUGGESTED));
    repo.stage(FILE, migration(NAMED));
    assert_eq!(said(repo.tool(&[]), 0).out, "1 file checked, nothing found\n");
    assert_eq!(said(repo.tool(&["no/such/file.py"]), 2).out, "");
    // What could not be done is no finding that one may wave through.
    assert_eq!(said(repo.tool(&["--exit-zero", "no/such/file.py"]), 2).out, "");
    assert_eq!(said(repo.tool(&["--no-such-option"]), 2).out, "");
}

#[test]
fn a_warning_does_not_block() {
    let repo = staged();
    repo.stage(
        "alembic-named.toml",
        "severity = { unnamed-constraint = 'warning', unnamed-drop = 'off' }\n",
    );
    let told = said(repo.tool(&[]), 0);
    assert!(told.out.starts_with("warning[unnamed-constraint]"), "{}", told.out);
    assert!(
        told.out.ends_with("1 file checked: 1 warning, fixable\n"),
        "{}",
        told.out
    );
}

#[test]
fn check_is_what_is_done_when_nothing_is_said() {
    let repo = staged();
    let expected = said(repo.tool(&[]), 1);
    for arguments in [&["check"][..], &["--staged"], &["check", "--staged"]] {
        assert_eq!(said(repo.tool(arguments), 1), expected, "{arguments:?}");
    }
}

#[test]
fn the_same_input_gives_the_same_output() {
    let repo = staged();
    repo.stage(OTHER, migration("''")).stage("third.py", migration(UNNAMED));
    for format in ["text", "concise", "json"] {
        let run = || said(repo.tool(&["--format", format, "--color=always"]), 1);
        assert_eq!(run(), run(), "{format}");
    }
}

#[test]
fn nothing_checked_is_said() {
    let repo = committed();
    let nothing = |arguments: &[&str], why: &str| {
        let said_so = format!("0 files checked: {why}\n");
        assert_eq!(said(repo.tool(arguments), 0).out, said_so, "{arguments:?}");
        for format in ["concise", "json"] {
            let told = said(repo.tool(&[arguments, &["--format", format]].concat()), 0);
            assert_eq!(told.err, said_so, "{format} {arguments:?}");
        }
    };
    nothing(&[], "nothing new or changed is staged");
    nothing(
        &["--from-ref=HEAD"],
        "nothing was added or changed since the merge base",
    );
    repo.stage("README.md", "text\n");
    nothing(&[], "1 file is staged, and it is no Python");
    nothing(&["README.md"], "there is no Python file in what was named");
    let in_index = "nothing that was named is a Python file in the index";
    nothing(&["--staged", "README.md"], in_index);
    nothing(&["--staged", "nowhere.py"], in_index);
    repo.stage("NOTES.md", "text\n");
    nothing(&[], "2 files are staged, none of them is Python");
    repo.commit("text");
    nothing(
        &["--from-ref=HEAD~1"],
        "no Python file was added or changed since the merge base",
    );
    let one = "1 Python file is excluded by the configuration or by --exclude";
    nothing(&[FILE, "--exclude", "migrations"], one);
    repo.stage(OTHER, migration(NAMED));
    nothing(&["--exclude", "*.py"], one);
    repo.git(&["rm", "--quiet", "--cached", OTHER, FILE]);
    nothing(&[], "nothing new or changed is staged");
    nothing(&["--all"], "no Python file is tracked");
}

#[test]
fn findings_go_to_one_stream_and_all_else_to_the_other() {
    let repo = staged();
    let told = said(repo.tool(&["-v"]), 1);
    assert!(told.out.starts_with("error[unnamed-constraint]"), "{}", told.out);
    assert!(
        told.out.ends_with("1 file checked: 2 errors, both fixable\n"),
        "{}",
        told.out
    );
    for (words, is_finding) in [
        ("--> migrations", true),
        ("help: ", true),
        ("naming convention", false),
        ("read from: index", false),
        ("time: ", false),
    ] {
        assert_eq!(told.out.contains(words), is_finding, "{words}: {}", told.out);
        assert_eq!(told.err.contains(words), !is_finding, "{words}: {}", told.err);
    }
    let failed = said(repo.tool(&["no/such/file.py"]), 2);
    assert_eq!(failed.out, "");
    assert!(failed.err.starts_with("error: `no/such/file.py`"), "{}", failed.err);
}

#[test]
fn quiet_says_nothing_but_findings() {
    let repo = staged();
    for format in ["text", "concise", "json"] {
        let told = said(repo.tool(&["--quiet", "--format", format]), 1);
        assert!(told.out.contains(SUGGESTED));
        assert!(!told.out.contains("checked:"), "{}", told.out);
        assert_eq!(told.err, "", "{format}");
    }
    repo.stage(FILE, migration(NAMED));
    let told = said(repo.tool(&["-q"]), 0);
    assert_eq!((told.out.as_str(), told.err.as_str()), ("", ""));
    let failed = said(repo.tool(&["-q", "nothing.py"]), 2);
    assert!(failed.err.contains("nothing.py"), "a failure is never kept quiet");
}

#[test]
fn verbose_tells_how_it_was_found_out() {
    let shop = Repo::new();
    let models = "from sqlalchemy.orm import DeclarativeBase\n\n\nclass Base(DeclarativeBase):\n    pass\n";
    shop.stage("app/models.py", models)
        .stage(
            "alembic.ini",
            "[alembic]\nscript_location = migrations\nprepend_sys_path = .\n",
        )
        .stage(
            "migrations/env.py",
            "from alembic import context\nfrom app.models import Base\n\ntarget_metadata = Base.metadata\n",
        )
        .stage(FILE, migration(UNNAMED));
    let told = said(shop.tool(&["--verbose"]), 1);
    for words in [
        "read from: index, by libgit2",
        "environment: migrations/env.py\n",
        "configured by: alembic.ini\n",
        "target_metadata: DeclarativeBase at app/models.py:4\n",
        "convention: none\n",
        "time: ",
    ] {
        assert!(told.err.contains(words), "{words}: {}", told.err);
    }
    let split = shop.git(&["update-index", "--split-index"]);
    assert_eq!(split, "");
    let told = said(shop.tool(&["--verbose"]), 1);
    assert!(
        told.err.contains("read from: index, by the git program ("),
        "{}",
        told.err
    );
    let told = said(shop.tool(&["--verbose", "."]), 1);
    assert!(told.err.contains("read from: working tree, by "), "{}", told.err);
}

/// Who writes migrations by hand leaves it as `alembic init` wrote it.
#[test]
fn an_environment_without_metadata_is_told_by_verbose_alone() {
    let repo = Repo::new();
    let env =
        "from alembic import context\n\ntarget_metadata = None\ncontext.configure(target_metadata=target_metadata)\n";
    repo.stage("migrations/env.py", env);
    let told = said(repo.tool(&["--verbose"]), 0);
    let note = "  target_metadata: None\n  note: no naming convention is applied, by migrations/env.py:3\n";
    assert!(told.err.contains(note), "{}", told.err);
    let told = said(repo.tool(&[]), 0);
    assert!(
        !told.out.contains("target_metadata") && !told.err.contains("target_metadata"),
        "{}",
        told.out
    );
    repo.stage(FILE, migration(UNNAMED));
    let told = said(repo.tool(&[]), 1);
    assert!(
        told.err
            .contains("migrations/env.py:3: no metadata here, so there is no naming convention either"),
        "{}",
        told.err
    );
}

#[test]
fn named_files_are_checked_as_they_are_on_disk() {
    let repo = staged();
    repo.write(FILE, migration(NAMED)).write(OTHER, migration(UNNAMED));
    found(&repo, &[], &[FILE]);
    found(&repo, &[FILE], &[]);
    found(&repo, &[OTHER], &[OTHER]);
    found(&repo, &["migrations"], &[OTHER]);
    found(&repo, &["."], &[OTHER]);
    found(&repo, &[OTHER, FILE, OTHER, "."], &[OTHER]);
    let json = said(
        repo.tool(&["--format=json", OTHER, "migrations", "./migrations/../migrations/"]),
        1,
    );
    assert!(
        json.out.contains("\"errors\": 2,"),
        "a file named twice counts once: {}",
        json.out
    );
    let absolute = repo.join(OTHER);
    found(&repo, &[absolute.to_str().unwrap()], &[OTHER]);
    assert_eq!(
        paths(&said(repo.tool(&["check", "--format=concise", "--", OTHER]), 1)),
        [OTHER]
    );
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
    assert!(
        told.err.contains("a repository of its own") && told.err.contains("inner"),
        "{}",
        told.err
    );
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
    assert!(
        told.err.contains("read from: working tree, outside any repository"),
        "{}",
        told.err
    );
    for arguments in [
        &[][..],
        &["--staged"],
        &["--all"],
        &["--from-ref", "HEAD"],
        &["--staged", "b.py"],
    ] {
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
        let inner = Repo::at(around.join("inner"));
        std::fs::create_dir(inner.path()).unwrap();
        inner.git(&["init", "--quiet"]);
        inner.stage(OTHER, migration(UNNAMED));
        inner.commit("first");
        inner.write("new.py", migration(UNNAMED));
        let status = |path: &str| {
            let told = said(around.tool(&["--format=json", path]), 1);
            let json: serde_json::Value = serde_json::from_str(&told.out).unwrap();
            let file = &json["files"][0];
            (
                file["path"].as_str().unwrap().to_owned(),
                file["status"].as_str().unwrap().to_owned(),
            )
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
    assert_eq!(
        paths(&said(with(&["--staged", "--from-ref=topic"], Some("topic")), 1)),
        [OTHER]
    );
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
    found_in(
        &repo,
        "migrations/versions",
        &["../versions/../versions/add_invoice.py"],
        &[FILE],
    );
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
    let repo = staged();
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
        for scope in [
            &["--staged"][..],
            &["--all"],
            &["."],
            &["--staged", FILE, OTHER, "legacy/old.py"],
        ] {
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
    let repo = staged();
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
    let repo = staged();
    let rules = |arguments: &[&str], status| {
        let told = said(repo.tool(&[arguments, &["--format=concise"]].concat()), status);
        let rule = |line: &str| line.split(['[', ']']).nth(1).unwrap().to_owned();
        told.out.lines().map(rule).collect::<Vec<_>>()
    };
    assert_eq!(rules(&[], 1), ["unnamed-constraint", "unnamed-drop"]);
    assert_eq!(rules(&["--select", "unnamed-drop"], 1), ["unnamed-drop"]);
    assert_eq!(rules(&["--ignore", "unnamed-drop"], 1), ["unnamed-constraint"]);
    assert_eq!(
        rules(
            &["--select=unnamed-drop,unnamed-constraint", "--ignore=unnamed-drop"],
            1
        ),
        ["unnamed-constraint"]
    );
    assert!(rules(&["--ignore=unnamed-drop,unnamed-constraint"], 0).is_empty());
    assert!(rules(&["--select", "missing-naming-convention"], 0).is_empty());
}

#[test]
fn the_output_file_takes_the_findings() {
    let repo = staged();
    for format in ["text", "concise", "json"] {
        let printed = said(repo.tool(&["--format", format]), 1);
        let told = said(repo.tool(&["--format", format, "--output-file", "report.txt"]), 1);
        assert_eq!((told.out.as_str(), told.err), ("", printed.err), "{format}");
        assert_eq!(repo.read("report.txt"), printed.out, "{format}");
    }
    // An older and longer report is replaced as a whole.
    repo.stage(FILE, migration(NAMED))
        .write("report.txt", "x".repeat(10_000));
    said(repo.tool(&["--output-file", "report.txt"]), 0);
    assert_eq!(repo.read("report.txt"), "1 file checked, nothing found\n");
    said(repo.tool_in("migrations", &["--output-file", "here.txt"]), 0);
    assert!(repo.join("migrations/here.txt").exists());
}

#[test]
fn colour_on_request_only() {
    let repo = staged();
    let is_coloured = |arguments: &[&str], variables: &[(&str, &str)]| {
        let mut command = repo.tool(arguments);
        command.envs(variables.iter().copied());
        let told = said(command, 1);
        let coloured = [&told.out, &told.err].map(|text| text.contains('\u{1b}'));
        assert!(coloured[0] || !coloured[1], "standard error alone is coloured");
        coloured[0]
    };
    assert!(!is_coloured(&[], &[]), "no terminal");
    assert!(is_coloured(&["--color=always"], &[]));
    assert!(is_coloured(&["--color=always"], &[("NO_COLOR", "1"), ("TERM", "dumb")]));
    assert!(is_coloured(&[], &[("CLICOLOR_FORCE", "1")]));
    assert!(!is_coloured(&[], &[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")]));
    assert!(!is_coloured(&["--color=never"], &[("CLICOLOR_FORCE", "1")]));
    // The words are the same either way.
    let plain = said(repo.tool(&[]), 1).out;
    let coloured = said(repo.tool(&["--color", "always"]), 1).out;
    assert_eq!(anstream::adapter::strip_str(&coloured).to_string(), plain);
    // A file is for programs.
    let mut command = repo.tool(&["--output-file=report.txt"]);
    said(std::mem::replace(command.env("CLICOLOR_FORCE", "1"), repo.tool(&[])), 1);
    assert!(!repo.read("report.txt").contains('\u{1b}'));
    said(repo.tool(&["--output-file=report.txt", "--color=always"]), 1);
    assert!(repo.read("report.txt").contains('\u{1b}'));
}

#[test]
fn colour_on_a_terminal() {
    let repo = staged();
    let on_terminal = |arguments: &str, variables: &[(&str, &str)]| {
        let mut script = repo.command("script");
        script.args(["-qec", &format!("'{PROGRAM}' {arguments}"), "/dev/null"]);
        script.env("TERM", "xterm").envs(variables.iter().copied());
        let output = script.output().ok()?;
        let text = support::words(&output);
        assert!(text.contains("error"), "{text}");
        Some(text.contains('\u{1b}'))
    };
    let Some(usual) = on_terminal("", &[]) else {
        eprintln!("skipped: `script` is not installed, so there is no terminal");
        return;
    };
    assert!(usual);
    assert_eq!(on_terminal("", &[("NO_COLOR", "1")]), Some(false));
    assert_eq!(on_terminal("", &[("TERM", "dumb")]), Some(false));
    assert_eq!(on_terminal("--color=always", &[("TERM", "dumb")]), Some(true));
    assert_eq!(on_terminal("--color=never", &[]), Some(false));
    assert_eq!(on_terminal("--color=never nothing.py", &[]), Some(false), "a failure");
    assert_eq!(on_terminal("nothing.py", &[]), Some(true), "a failure");
}

#[test]
fn a_closed_pipe_is_no_error() {
    let repo = staged();
    for index in 0..300 {
        repo.write(format!("many/{index}.py"), migration(UNNAMED));
    }
    for (arguments, status) in [
        ("check many", 1),
        ("check --format=json many", 1),
        ("check --exit-zero many", 0),
        ("explain unnamed-constraint", 0),
        ("completions bash", 0),
        ("--help", 0),
    ] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut command = repo.command(PROGRAM);
        let output = command.args(arguments.split(' ')).stdout(writer).output().unwrap();
        let err = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(status), "{arguments}: {err}");
        assert!(
            !err.contains("error:") && !err.contains("panicked"),
            "{arguments}: {err}"
        );
    }
    // Standard error may be gone as well, and then the exit status is all there is.
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut command = repo.command(PROGRAM);
    let status = command.arg("nothing.py").stderr(writer).status().unwrap();
    assert_eq!(status.code(), Some(2));
}

#[test]
fn a_full_device_is_told() {
    let Ok(full) = std::fs::File::options().write(true).open("/dev/full") else {
        eprintln!("skipped: there is no /dev/full");
        return;
    };
    let repo = staged();
    let mut command = repo.command(PROGRAM);
    let output = command.stdout(full.try_clone().unwrap()).output().unwrap();
    let err = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{err}");
    assert!(
        err.contains("error: cannot write to standard output: where it leads there is no room left"),
        "{err}"
    );
    let mut command = repo.command(PROGRAM);
    let status = command.arg("nothing.py").stderr(full).status().unwrap();
    assert_eq!(status.code(), Some(2));
}

/// The names of the rules, by their pages.
fn pages() -> Vec<String> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/rules");
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|page| page.unwrap().file_name().into_string().unwrap().replace(".md", ""))
        .collect();
    names.sort();
    names
}

#[test]
fn rules_are_listed_and_explained() {
    let folder = Repo::none();
    let list = said(folder.tool(&["rules"]), 0).out;
    for name in pages() {
        let line = list
            .lines()
            .find(|line| line.split_whitespace().next() == Some(name.as_str()));
        let line = line.unwrap_or_else(|| panic!("{name} is not listed: {list}"));
        assert!(line.split_whitespace().count() > 4, "{line}");
        let page = said(folder.tool(&["explain", &name]), 0).out;
        assert!(page.contains(&name), "{page}");
        assert!(page.contains("Bad") && page.contains("Good"), "{page}");
    }
    let told = said(folder.tool(&["explain", "unnamed-constrain"]), 2);
    assert!(told.err.contains("did you mean `unnamed-constraint`?"), "{}", told.err);
    let told = said(folder.tool(&["explain"]), 2);
    assert!(told.err.contains("<RULE>"), "{}", told.err);
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

#[test]
fn windows_line_ends_change_nothing() {
    let outcome = |end: &str| {
        let repo = committed();
        let files = [
            ("alembic.ini", "[alembic]\nscript_location = migrations\nsqlalchemy.url = postgresql://localhost/shop\n".to_owned()),
            ("migrations/env.py", "from alembic import context\nfrom app.models import metadata\ntarget_metadata = metadata\ncontext.configure(target_metadata=metadata)\n".to_owned()),
            (
                "app/models.py",
                "from sqlalchemy import MetaData\nmetadata = MetaData(\n    naming_convention={'fk': 'fk_%(table_name)s_x'}\n)\n".to_owned(),
            ),
            (
                "alembic-named.toml",
                "# why\nignore = [\n  'incomplete-naming-convention',\n  'invalid-naming-convention',\n]\n".to_owned(),
            ),
            (OTHER, migration(UNNAMED)),
        ];
        for (path, text) in files {
            repo.stage(path, text.replace('\n', end));
        }
        let told = said(repo.tool(&["--format=concise"]), 1);
        (
            told,
            said(repo.tool(&["fix", "--staged"]), 1),
            repo.read(OTHER).replace(end, "\n"),
        )
    };
    let (unix, windows) = (outcome("\n"), outcome("\r\n"));
    assert!(unix.0.out.contains("name it `fk_order_x`"), "{:?}", unix.0);
    assert_eq!(unix, windows);
}

/// What the program shows on a terminal of 80 columns; `None`, said aloud, where there is no way to have one.
fn on_terminal(repo: &Repo, arguments: &str) -> Option<String> {
    let mut script = repo.command("script");
    script.args(["-qec", &format!("stty cols 80; '{PROGRAM}' {arguments}"), "/dev/null"]);
    let Ok(output) = script.env("TERM", "xterm").output() else {
        eprintln!("skipped: `script` is not installed, so there is no terminal");
        return None;
    };
    Some(support::words(&output).replace("\r\n", "\n"))
}

#[test]
fn a_page_is_readable_on_a_terminal_and_plain_in_a_pipe() {
    let repo = Repo::none();
    let piped = said(repo.tool(&["explain", "unnamed-drop"]), 0).out;
    assert!(
        piped.starts_with("# unnamed-drop\n") && piped.contains("\n```python file="),
        "{piped}"
    );
    let Some(shown) = on_terminal(&repo, "explain unnamed-drop") else {
        return;
    };
    assert!(!shown.contains("```") && !shown.contains("# unnamed-drop"), "{shown}");
    assert!(shown.contains("\u{1b}[1mWhy\u{1b}[0m\n"), "{shown}");
    assert!(shown.contains("\n    def downgrade():\n"), "{shown}");
}

#[test]
fn a_diff_ends_with_what_to_do_about_it() {
    let repo = staged();
    let told = said(repo.tool(&["--diff"]), 1);
    assert!(told.out.starts_with("--- a/migrations"), "{}", told.out);
    assert_eq!(
        told.err,
        "\n1 file checked: 2 errors, both fixable\nwrite these changes: alembic-named fix --staged\n"
    );
    assert_eq!(said(repo.tool(&["--diff", "--quiet"]), 1).err, "");
    let told = said(repo.tool(&["--diff", FILE]), 1).err;
    assert!(
        told.ends_with(&format!("write these changes: alembic-named fix {FILE}\n")),
        "{told}"
    );
    repo.commit("a migration that a database may have run");
    repo.write("alembic-named.toml", "dialect = 'postgresql'\n");
    let told = said(repo.tool(&["--diff", FILE]), 1);
    assert_eq!(told.out, "");
    assert!(told.err.contains("there is no fix that is certain"), "{}", told.err);
    let clean = Repo::new();
    assert_eq!(
        said(clean.tool(&["--diff"]), 0).err,
        "0 files checked: nothing new or changed is staged\n"
    );
}

#[test]
fn a_picture_is_followed_by_one_empty_line_only_where_something_follows() {
    let repo = staged();
    repo.stage(OTHER, migration(UNNAMED));
    let quiet = said(repo.tool(&["--quiet"]), 1).out;
    assert!(!quiet.ends_with("\n\n") && !quiet.contains("\n\n\n"), "{quiet}");
    assert_eq!(quiet.matches("\n\nerror[").count(), 1, "{quiet}");
    let usual = said(repo.tool(&[]), 1).out;
    let summary = "\n\n2 files checked: 4 errors, all fixable\n";
    assert_eq!(usual, format!("{}{summary}", quiet.trim_end()));
}

#[test]
fn completions_for_each_shell() {
    let folder = Repo::none();
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = said(folder.tool(&["completions", shell]), 0).out;
        for word in ["alembic-named", "from-ref", "explain", "completions"] {
            assert!(script.contains(word), "{shell}: {word}");
        }
        assert!(!script.contains('\u{1b}'), "{shell}");
        let check = folder.command(shell).args(["-n", "-c", &script]).output();
        if let (true, Ok(check)) = (matches!(shell, "bash" | "zsh" | "fish"), check) {
            assert!(check.status.success(), "{shell}: {}", support::words(&check));
        }
    }
    let told = said(folder.tool(&["completions", "csh"]), 2);
    assert!(told.err.contains("bash"), "the shells are listed: {}", told.err);
}

#[test]
fn help_and_version_are_no_failure() {
    let folder = Repo::none();
    let version = said(folder.tool(&["--version"]), 0);
    assert_eq!(version.out, concat!("alembic-named ", env!("CARGO_PKG_VERSION"), "\n"));
    for arguments in [
        &["--help"][..],
        &["-h"],
        &["help"],
        &["check", "--help"],
        &["help", "explain"],
    ] {
        let help = said(folder.tool(arguments), 0);
        assert_eq!(help.err, "");
        assert!(help.out.contains("Usage:"), "{}", help.out);
    }
}

#[test]
fn help_fits_the_terminal() {
    let folder = Repo::none();
    for columns in ["60", "80", "200"] {
        for arguments in [&["--help"][..], &["-h"], &["check", "--help"], &["explain", "--help"]] {
            let mut command = folder.tool(arguments);
            command.env("COLUMNS", columns);
            let help = said(std::mem::replace(&mut command, folder.tool(&[])), 0).out;
            let widest = help.lines().max_by_key(|line| line.chars().count()).unwrap();
            assert!(
                widest.chars().count() <= columns.parse().unwrap(),
                "{columns}: {widest}"
            );
        }
    }
}

/// An open quote makes one string of the rest, and no migration is left to be seen.
#[test]
fn a_quote_that_is_not_closed_hides_no_migration() {
    let repo = staged();
    let text = migration(UNNAMED);
    let docstring = "\"\"\"add invoice\n\nRevision ID: 1c9e\n";
    repo.stage(FILE, format!("{docstring}{text}"));
    let told = said(repo.tool(&[]), 0);
    assert!(told.out.contains("warning[syntax-error]"), "{told:?}");
    // A module that only speaks of one is none.
    repo.stage(FILE, migration(NAMED));
    repo.stage("app/names.py", "\"\"\"`down_revision = None` and op.create_table\n");
    let told = said(repo.tool(&[]), 0);
    assert!(!told.out.contains("syntax-error"), "{told:?}");
}
