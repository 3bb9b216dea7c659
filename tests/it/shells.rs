//! What a package installs beside the program: the manual page and the completions, which know every option.

#[allow(dead_code, reason = "the example writes what is tested here")]
#[path = "../../examples/man.rs"]
mod man;

use std::io::Write;
use std::process::{Command, Stdio};

use crate::support::{PROGRAM, shield, words};
use alembic_named::cli::Cli;
use clap::CommandFactory;

const SHELLS: [&str; 4] = ["bash", "zsh", "fish", "powershell"];

fn options() -> Vec<String> {
    let mut command = Cli::command();
    // Adds what clap itself provides.
    command.build();
    let options = command.get_arguments().filter_map(|argument| argument.get_long());
    options.map(str::to_owned).collect()
}

fn completions(shell: &str) -> String {
    let mut command = Command::new(PROGRAM);
    let output = shield(&mut command).args(["completions", shell]).output().unwrap();
    assert!(output.status.success(), "{}", words(&output));
    String::from_utf8(output.stdout).unwrap()
}

/// Runs a program with this input; `None`, said aloud, where it is not installed.
fn fed(program: &str, arguments: &[&str], input: &str) -> Option<std::process::Output> {
    let mut command = Command::new(program);
    let child = shield(&mut command)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let Ok(mut child) = child else {
        eprintln!("skipped: {program} is not installed");
        return None;
    };
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    Some(child.wait_with_output().unwrap())
}

fn main_page() -> String {
    let (name, page) = man::pages().unwrap().remove(0);
    assert_eq!(name, "alembic-named.1");
    page
}

#[test]
fn the_manual_page_holds_every_option_and_every_subcommand() {
    let page = main_page();
    // A hyphen that is one, as roff writes it.
    let roff = |text: &str| text.replace('-', "\\-");
    for option in options() {
        let entry = format!("\\fB{}\\fR", roff(&format!("--{option}")));
        assert!(
            page.lines()
                .any(|line| !line.starts_with("\\fBalembic") && line.contains(&entry)),
            "{option}"
        );
    }
    let pages = man::pages().unwrap();
    for subcommand in Cli::command().get_subcommands() {
        let name = format!("alembic-named-{}", subcommand.get_name());
        assert!(page.contains(&format!("{}(1)", roff(&name))), "{name}");
        assert!(pages.iter().any(|(file, _)| *file == format!("{name}.1")), "{name}");
    }
    assert!(page.contains("Exit status: 0 nothing blocks"));
}

#[test]
fn the_manual_pages_are_roff_without_a_warning() {
    for (name, page) in man::pages().unwrap() {
        let Some(output) = fed("groff", &["-man", "-Tutf8", "-ww", "-P-c"], &page) else {
            return;
        };
        assert!(output.status.success(), "{name}");
        assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{name}");
        let text = String::from_utf8_lossy(&output.stdout);
        if name == "alembic-named.1" {
            let example = "alembic-named --from-ref origin/main       what this branch changes, for CI";
            assert!(text.contains(example), "{text}");
        }
    }
}

#[test]
fn completions_know_every_option() {
    for shell in SHELLS {
        let script = completions(shell);
        for option in options() {
            let known = if shell == "fish" {
                script.contains(&format!("-l {option} ")) || script.contains(&format!("-l {option}\n"))
            } else {
                script.contains(&format!("--{option}"))
            };
            assert!(known, "{shell}: {option}");
        }
        // clap_complete writes no values for PowerShell.
        assert!(shell == "powershell" || script.contains("sarif"), "{shell}");
    }
}

#[test]
fn completions_are_scripts_of_their_shell() {
    for shell in ["bash", "zsh", "fish"] {
        if let Some(output) = fed(shell, &["-n"], &completions(shell)) {
            assert!(output.status.success() && output.stderr.is_empty(), "{shell}: {}", words(&output));
        }
    }
    let script = "$errors = $null; \
        [void][System.Management.Automation.Language.Parser]::ParseInput([Console]::In.ReadToEnd(), [ref]$null, [ref]$errors); \
        exit $errors.Count";
    if let Some(output) =
        fed("pwsh", &["-NoProfile", "-NonInteractive", "-Command", script], &completions("powershell"))
    {
        assert!(output.status.success(), "{}", words(&output));
    }
}

/// Bash is asked as it is when somebody presses the tab key.
#[test]
fn bash_completes_a_value_after_a_subcommand() {
    let press = "
        COMP_WORDS=(alembic-named check --format s) COMP_CWORD=3
        function=$(complete -p alembic-named | sed 's/.*-F \\([^ ]*\\).*/\\1/')
        $function alembic-named s --format
        printf '%s\\n' \"${COMPREPLY[@]}\"
    ";
    let script = completions("bash") + press;
    if let Some(output) = fed("bash", &["--norc"], &script) {
        assert_eq!(words(&output), "sarif\n");
    }
}

/// What a shell that is fed this script prints; the completions lie beside it.
fn asked(shell: &str, arguments: &[&str], file: &str, script: &str) -> Option<String> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join(file), completions(shell)).unwrap();
    let script = script.replace("FOLDER", folder.path().to_str().unwrap());
    let output = fed(shell, &[arguments, &["-c", &script]].concat(), "")?;
    Some(words(&output))
}

#[test]
fn fish_completes_options_and_values() {
    let script = "
        source FOLDER/alembic-named.fish
        complete -C 'alembic-named check --format s'
        complete -C 'alembic-named expl'
        complete -C 'alembic-named fix --rest'
    ";
    let Some(said) = asked("fish", &["--no-config"], "alembic-named.fish", script) else {
        return;
    };
    let completed: Vec<&str> = said.lines().filter_map(|line| line.split('\t').next()).collect();
    assert_eq!(completed, ["sarif", "explain", "--restage"], "{said}");
}

/// zsh completes nowhere but in its line editor, so a zsh is driven through a pseudo terminal.
#[test]
fn zsh_completes_a_value_after_a_subcommand() {
    let script = r#"
        zmodload zsh/zpty || exit
        until_seen() {
            for _ in {1..300}; do
                while zpty -r -t inner chunk; do out+=$chunk; done
                [[ $out == *$1* ]] && return
                sleep 0.1
            done
        }
        zpty -b inner zsh -f -i
        zpty -w inner "fpath=(FOLDER \$fpath); autoload -Uz compinit; compinit -D -u; print done''with''compinit"
        until_seen donewithcompinit
        zpty -w -n inner $'alembic-named check --format sa\t'
        until_seen sarif
        print -r -- $out
        zpty -d inner
    "#;
    if let Some(said) = asked("zsh", &["-f"], "_alembic-named", script) {
        assert!(said.contains("alembic-named check --format sarif"), "{said:?}");
    }
}
