//! Where the output goes, and what a terminal, a pipe or a file gets of it.

use crate::support::{FILE, NAMED, OTHER, PROGRAM, Repo, UNNAMED, migration, root, said, staged, words};

#[test]
fn the_output_file_takes_the_findings() {
    let repo = staged(UNNAMED);
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
    let repo = staged(UNNAMED);
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

/// What the program shows on a terminal of 80 columns; `None`, said aloud, where there is no way to have one.
fn on_terminal(repo: &Repo, arguments: &str, variables: &[(&str, &str)]) -> Option<String> {
    let mut script = repo.command("script");
    script.args(["-qec", &format!("stty cols 80; '{PROGRAM}' {arguments}"), "/dev/null"]);
    script.env("TERM", "xterm").envs(variables.iter().copied());
    let Ok(output) = script.output() else {
        eprintln!("skipped: `script` is not installed, so there is no terminal");
        return None;
    };
    Some(words(&output).replace("\r\n", "\n"))
}

#[test]
fn colour_on_a_terminal() {
    let repo = staged(UNNAMED);
    let on_terminal = |arguments: &str, variables: &[(&str, &str)]| {
        let text = on_terminal(&repo, arguments, variables)?;
        assert!(text.contains("error"), "{text}");
        Some(text.contains('\u{1b}'))
    };
    let Some(usual) = on_terminal("", &[]) else { return };
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
    let repo = staged(UNNAMED);
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
        assert!(!err.contains("error:") && !err.contains("panicked"), "{arguments}: {err}");
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
    let repo = staged(UNNAMED);
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
    let folder = root().join("docs/rules");
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
fn a_page_is_readable_on_a_terminal_and_plain_in_a_pipe() {
    let repo = Repo::none();
    let piped = said(repo.tool(&["explain", "unnamed-drop"]), 0).out;
    assert!(piped.starts_with("# unnamed-drop\n") && piped.contains("\n```python file="), "{piped}");
    let Some(shown) = on_terminal(&repo, "explain unnamed-drop", &[]) else {
        return;
    };
    assert!(!shown.contains("```") && !shown.contains("# unnamed-drop"), "{shown}");
    assert!(shown.contains("\u{1b}[1mWhy\u{1b}[0m\n"), "{shown}");
    assert!(shown.contains("\n    def downgrade():\n"), "{shown}");
}

#[test]
fn a_diff_ends_with_what_to_do_about_it() {
    let repo = staged(UNNAMED);
    let told = said(repo.tool(&["--diff"]), 1);
    assert!(told.out.starts_with("--- a/migrations"), "{}", told.out);
    assert_eq!(
        told.err,
        "\n1 file checked: 2 errors, both fixable\nwrite these changes: alembic-named fix --staged\n"
    );
    assert_eq!(said(repo.tool(&["--diff", "--quiet"]), 1).err, "");
    let told = said(repo.tool(&["--diff", FILE]), 1).err;
    assert!(told.ends_with(&format!("write these changes: alembic-named fix {FILE}\n")), "{told}");
    repo.commit("a migration that a database may have run");
    repo.write("alembic-named.toml", "dialect = 'postgresql'\n");
    let told = said(repo.tool(&["--diff", FILE]), 1);
    assert_eq!(told.out, "");
    assert!(told.err.contains("there is no fix that is certain"), "{}", told.err);
    let clean = Repo::new();
    assert_eq!(said(clean.tool(&["--diff"]), 0).err, "0 files checked: nothing new or changed is staged\n");
}

#[test]
fn a_picture_is_followed_by_one_empty_line_only_where_something_follows() {
    let repo = staged(UNNAMED);
    repo.stage(OTHER, migration(UNNAMED));
    let quiet = said(repo.tool(&["--quiet"]), 1).out;
    assert!(!quiet.ends_with("\n\n") && !quiet.contains("\n\n\n"), "{quiet}");
    assert_eq!(quiet.matches("\n\nerror[").count(), 1, "{quiet}");
    let usual = said(repo.tool(&[]), 1).out;
    let summary = "\n\n2 files checked: 4 errors, all fixable\n";
    assert_eq!(usual, format!("{}{summary}", quiet.trim_end()));
}

#[test]
fn the_configuration_of_a_folder() {
    let told = said(Repo::new().tool(&["config"]), 0).out;
    assert!(told.starts_with("a file in the current folder\nconfiguration: none"), "{told}");
    assert!(told.contains("\ndeployed:            assumed for the migrations in HEAD\n"), "{told}");
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
            assert!(check.status.success(), "{shell}: {}", words(&check));
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
    for arguments in [&["--help"][..], &["-h"], &["help"], &["check", "--help"], &["help", "explain"]] {
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
            assert!(widest.chars().count() <= columns.parse().unwrap(), "{columns}: {widest}");
        }
    }
}
