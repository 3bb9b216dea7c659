//! The command line as a user or a hook manager calls it: which files are checked, from where, and how the run ends.

mod files;
mod output;

use crate::support::{BASE, ENV, FILE, MODELS, NAMED, OTHER, Repo, SUGGESTED, Said, UNNAMED, migration, said, staged};

/// One unnamed constraint in HEAD, and nothing staged.
fn committed() -> Repo {
    let repo = staged(UNNAMED);
    repo.commit("first");
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
    let said = said(repo.tool_in(folder, &[arguments, &["--format", "concise"]].concat()), status);
    assert_eq!(paths(&said), expected, "{arguments:?}: {}", said.err);
}

#[test]
fn how_a_run_ends() {
    let repo = staged(UNNAMED);
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
    let repo = staged(UNNAMED);
    repo.stage("alembic-named.toml", "severity = { unnamed-constraint = 'warning', unnamed-drop = 'off' }\n");
    let told = said(repo.tool(&[]), 0);
    assert!(told.out.starts_with("warning[unnamed-constraint]"), "{}", told.out);
    assert!(told.out.ends_with("1 file checked: 1 warning, fixable\n"), "{}", told.out);
}

#[test]
fn check_is_what_is_done_when_nothing_is_said() {
    let repo = staged(UNNAMED);
    let expected = said(repo.tool(&[]), 1);
    for arguments in [&["check"][..], &["--staged"], &["check", "--staged"]] {
        assert_eq!(said(repo.tool(arguments), 1), expected, "{arguments:?}");
    }
}

#[test]
fn the_same_input_gives_the_same_output() {
    let repo = staged(UNNAMED);
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
    nothing(&["--from-ref=HEAD"], "nothing was added or changed since the merge base");
    repo.stage("README.md", "text\n");
    nothing(&[], "1 file is staged, and it is not Python");
    nothing(&["README.md"], "there is no Python file in what was named");
    let in_index = "nothing that was named is a Python file in the index";
    nothing(&["--staged", "README.md"], in_index);
    nothing(&["--staged", "nowhere.py"], in_index);
    repo.stage("NOTES.md", "text\n");
    nothing(&[], "2 files are staged, none of them is Python");
    repo.commit("text");
    nothing(&["--from-ref=HEAD~1"], "no Python file was added or changed since the merge base");
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
    let repo = staged(UNNAMED);
    let told = said(repo.tool(&["-v"]), 1);
    assert!(told.out.starts_with("error[unnamed-constraint]"), "{}", told.out);
    assert!(told.out.ends_with("1 file checked: 2 errors, both fixable\n"), "{}", told.out);
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
    let repo = staged(UNNAMED);
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
    shop.stage(MODELS, BASE)
        .stage("alembic.ini", "[alembic]\nscript_location = migrations\nprepend_sys_path = .\n")
        .stage("migrations/env.py", ENV)
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
    assert!(told.err.contains("read from: index, by the git program ("), "{}", told.err);
    let told = said(shop.tool(&["--verbose", "."]), 1);
    assert!(told.err.contains("read from: working tree, by "), "{}", told.err);
}

/// What `config` says of a service is what a run goes by.
#[test]
fn verbose_names_the_configuration_that_holds_for_an_environment() {
    let shop = Repo::new();
    for (service, file, text) in [
        ("a", "alembic-named.toml", "dialect = 'postgresql'\n"),
        ("b", "pyproject.toml", "[tool.alembic-named]\ndeployed = false\n"),
    ] {
        let ini = "[alembic]\nscript_location = migrations\nsqlalchemy.url = sqlite:///app.db\n";
        shop.stage(format!("{service}/alembic.ini"), ini)
            .stage(format!("{service}/{file}"), text)
            .stage(format!("{service}/migrations/env.py"), ENV)
            .stage(format!("{service}/{FILE}"), migration(NAMED));
    }
    let told = said(shop.tool(&["--verbose", "--all"]), 0);
    for words in [
        "  configured by: a/alembic.ini\n  alembic-named's configuration: a/alembic-named.toml\n  database: PostgreSQL, by `dialect`\n",
        "  configured by: b/alembic.ini\n  alembic-named's configuration: b/pyproject.toml\n  database: SQLite\n",
    ] {
        assert!(told.err.contains(words), "{words}: {}", told.err);
    }
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
    assert!(!told.out.contains("target_metadata") && !told.err.contains("target_metadata"), "{}", told.out);
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
        (told, said(repo.tool(&["fix", "--staged"]), 1), repo.read(OTHER).replace(end, "\n"))
    };
    let (unix, windows) = (outcome("\n"), outcome("\r\n"));
    assert!(unix.0.out.contains("name it `fk_order_x`"), "{:?}", unix.0);
    assert_eq!(unix, windows);
}

/// An open quote makes one string of the rest, and no migration is left to be seen.
#[test]
fn a_quote_that_is_not_closed_hides_no_migration() {
    let repo = staged(UNNAMED);
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
