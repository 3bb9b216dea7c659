//! Adds the entry to the file of a hook manager, and removes it again, line by line, so that every other byte stays.
//!
//! YAML that was parsed and written again would lose comments and spelling. A file in another than the plain layout is left to the user.

mod lefthook;
mod lines;
mod yaml;

use lines::{append, append_block, find, indented, insert, split, with_blank_line, without};
use yaml::{check_layout, first_below, indent, is_item, key_at};

use super::hook;
use super::shell::{self, End, Run};
use crate::invocation::{FIXING_HOOK, NAME};

/// The command that every manager runs.
pub(super) const COMMAND: &str = "alembic-named check --staged";

const PRE_COMMIT_ITEM: &str = "\
- repo: local
  hooks:
    - id: alembic-named
      name: alembic-named (Alembic constraint names)
      entry: alembic-named check --staged
      language: system
      types: [python]
      require_serial: true
      stages: [pre-commit, pre-merge-commit, pre-push, manual]
";

const PREK_BLOCK: &str = r#"[[repos]]
repo = "local"

[[repos.hooks]]
id = "alembic-named"
name = "alembic-named (Alembic constraint names)"
entry = "alembic-named check --staged"
language = "system"
types = ["python"]
require_serial = true
stages = ["pre-commit", "pre-merge-commit", "pre-push", "manual"]
"#;

/// The kind of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A shell script of husky.
    Script,
    /// lefthook's file, and the hook. Only YAML is edited.
    Lefthook(Format, &'static str),
    /// `.pre-commit-config.yaml`, which prek reads too.
    PreCommit,
    /// `prek.toml`.
    Toml,
}

/// What lefthook reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    /// `lefthook.yml`
    Yaml,
    /// `lefthook.toml`
    Toml,
    /// `lefthook.json`, and with comments `lefthook.jsonc`
    Json,
}

/// Why a file is not edited.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Unclear {
    /// It runs the program already.
    Present,
    /// A command keeps a line at the end from running.
    Ends(End),
    /// This line is not in the plain layout.
    Layout(usize),
}

/// What removing the entry leaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Removal {
    /// Nothing in it runs the program.
    Nothing,
    /// The text without the entry.
    Text(String),
    /// This line runs the program and is not of the entry.
    Unknown(usize),
}

/// The entry for a file of this text, and the words that say where in the file it belongs, if anything is to be said.
pub(super) fn printed(text: &str, kind: Kind) -> (String, String) {
    let (lines, place) = match kind {
        Kind::Script => (vec![COMMAND.to_owned()], String::new()),
        Kind::Lefthook(format, hook) => lefthook::printed(text, format, hook),
        Kind::PreCommit => (indented(&owned(PRE_COMMIT_ITEM), 2), "below `repos:`".to_owned()),
        Kind::Toml => (owned(PREK_BLOCK), String::new()),
    };
    (lines.join("\n") + "\n", place)
}

/// The text with the entry in it.
pub(super) fn add(text: &str, kind: Kind) -> Result<String, Unclear> {
    let lines = split(text);
    let is_present = match kind {
        Kind::Lefthook(format @ (Format::Toml | Format::Json), hook) => lefthook::runs(text, format, hook),
        Kind::Script => runs(text)?,
        _ => mention(text, kind).is_some(),
    };
    if is_present {
        return Err(Unclear::Present);
    }
    match kind {
        Kind::Script => match shell::end(text) {
            Some(end) => Err(Unclear::Ends(end)),
            None => Ok(append(text, &[COMMAND.to_owned()])),
        },
        Kind::Lefthook(Format::Yaml, hook) => lefthook::add(text, &lines, hook),
        Kind::Lefthook(..) => Err(Unclear::Layout(1)),
        Kind::PreCommit => add_to_pre_commit(text, &lines),
        Kind::Toml => Ok(append_block(text, owned(PREK_BLOCK))),
    }
}

/// Whether a script runs the program; fails where something may keep it from that.
fn runs(script: &str) -> Result<bool, Unclear> {
    match shell::run(script) {
        _ if hook::is_own(script) => Ok(true),
        Run::Never => Ok(false),
        Run::At(_) => Ok(true),
        Run::Behind(end) => Err(Unclear::Ends(end)),
    }
}

/// Undoes [`add`], whatever else was changed since.
pub(super) fn remove(text: &str, kind: Kind) -> Removal {
    let lines = split(text);
    let found = match kind {
        Kind::Script => find(&lines, &[COMMAND.to_owned()], 0..lines.len()),
        Kind::Lefthook(Format::Yaml, hook) => lefthook::find(&lines, hook),
        Kind::Lefthook(..) => None,
        Kind::PreCommit => find(&lines, &owned(PRE_COMMIT_ITEM), 0..lines.len()),
        Kind::Toml => find(&lines, &owned(PREK_BLOCK), 0..lines.len()).map(|block| with_blank_line(&lines, block)),
    };
    let rest = found.map(|block| without(&lines, block));
    match (mention(rest.as_deref().unwrap_or(text), kind), rest) {
        (Some(line), _) => Removal::Unknown(line + 1),
        (None, Some(rest)) => Removal::Text(rest),
        (None, None) => Removal::Nothing,
    }
}

fn owned(lines: &str) -> Vec<String> {
    lines.lines().map(str::to_owned).collect()
}

/// The first line that runs the program.
fn mention(text: &str, kind: Kind) -> Option<usize> {
    let lines = split(text);
    let within = match kind {
        Kind::Script if hook::is_own(text) => return Some(0),
        Kind::Script => return shell::program_line(text).map(|line| line - 1),
        Kind::Lefthook(Format::Yaml, hook) => lefthook::section(&lines, hook),
        _ => 0..lines.len(),
    };
    let runs = |line: &&str| match kind {
        Kind::PreCommit | Kind::Toml => {
            let is_key = |word: &str| matches!(word.trim_end_matches([':', '=']), "id" | "entry");
            words(line).any(is_key) && words(line).any(is_check)
        }
        _ => words(line).any(is_program),
    };
    let mut numbered = lines.iter().enumerate().take(within.end).skip(within.start);
    numbered.find(|(_, line)| runs(line)).map(|(at, _)| at)
}

fn words(line: &str) -> impl Iterator<Item = &str> {
    let is_comment = line.trim_start().starts_with('#');
    let code = if is_comment {
        ""
    } else {
        line.split(" #").next().unwrap_or_default()
    };
    let is_break = |letter: char| letter.is_whitespace() || "\"'`(){}[],;&|".contains(letter);
    code.split(is_break).filter(|word| !word.is_empty())
}

/// Whether a word is a hook of this program that checks.
fn is_check(word: &str) -> bool {
    is_program(word) || (word.starts_with("alembic-named-") && word != FIXING_HOOK)
}

pub(super) fn is_program(word: &str) -> bool {
    let name = word.rsplit(['/', '\\']).next().unwrap_or_default();
    matches!(name.strip_suffix(".exe").unwrap_or(name), NAME)
}

fn add_to_pre_commit(text: &str, lines: &[&str]) -> Result<String, Unclear> {
    check_layout(lines)?;
    let Some(key) = key_at(lines, "repos", 0, 0)? else {
        return Err(Unclear::Layout(1));
    };
    let first = first_below(lines, key, is_item)?;
    let item = indented(&owned(PRE_COMMIT_ITEM), indent(first));
    Ok(insert(text, lines, key + 1, &item))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PRE_COMMIT: Kind = Kind::PreCommit;
    const LEFTHOOK: Kind = Kind::Lefthook(Format::Yaml, "pre-commit");

    /// Adds and removes; what was added is given back.
    #[track_caller]
    fn there_and_back(text: &str, kind: Kind) -> String {
        let added = add(text, kind).unwrap();
        assert_eq!(add(&added, kind), Err(Unclear::Present), "{added}");
        assert_eq!(remove(&added, kind), Removal::Text(text.to_owned()), "{added}");
        added
    }

    #[test]
    fn every_kind_comes_back_byte_for_byte() {
        let lefthook = [
            "",
            "colors: false",
            "colors: false\n\n\n",
            "# only a comment\n",
            "---\npre-push:\n  commands:\n    alembic-named:\n      run: alembic-named check\n",
            "pre-commit:\n  parallel: true\n",
            "pre-commit:\n    # why\n    commands:\n\n        lint:\n            run: |\n                npx lint\n",
            "pre-commit:\n  jobs:\n  - name: lint\n    run: npx lint\n\ncommit-msg:\n  commands:\n    x:\n      run: y",
            "pre-commit:  # ours\n  jobs:\n    - run: npx lint\n",
            "pre-commit:\r\n  scripts:\r\n    \"x.sh\":\r\n      runner: sh\r\n",
        ];
        for text in lefthook {
            there_and_back(text, LEFTHOOK);
        }
        let pre_commit = [
            "repos:\n- repo: local\n  hooks: []\n",
            "# head\nfail_fast: true\nrepos:\n\n  # first\n  -   repo: https://example.com/alembic-named\n      hooks: []",
            "repos:\r\n    - repo: meta\r\n      hooks:\r\n        - id: identity\r\n",
        ];
        for text in pre_commit {
            there_and_back(text, PRE_COMMIT);
        }
        for text in ["", "x = 1", "x = 1\n", "x = 1\n\n", "x = 1\r\n"] {
            there_and_back(text, Kind::Toml);
        }
        for text in ["", "npx lint-staged", "npx lint-staged\n", "#!/bin/sh\nif false; then\n  exit 0\nfi\n\n"] {
            there_and_back(text, Kind::Script);
        }
    }

    #[test]
    fn entries_are_where_the_manager_reads_them() {
        let added = there_and_back("pre-commit:\n  commands:\n      lint:\n        run: x\n", LEFTHOOK);
        let expected =
            "pre-commit:\n  commands:\n      alembic-named:\n        run: alembic-named check --staged\n      lint:\n";
        assert!(added.starts_with(expected), "{added}");
        let added = there_and_back("repos:\n    - repo: meta\n", PRE_COMMIT);
        assert!(
            added.starts_with("repos:\n    - repo: local\n      hooks:\n        - id: alembic-named\n"),
            "{added}"
        );
        assert!(added.ends_with("\n    - repo: meta\n"), "{added}");
        assert_eq!(printed("", LEFTHOOK).0, add("", LEFTHOOK).unwrap() + "\n");
    }

    #[test]
    fn lines_that_others_added_stay() {
        let added = add("", LEFTHOOK).unwrap() + "\n    lint:\n      run: x\n";
        let left = "pre-commit:\n  commands:\n    lint:\n      run: x\n";
        assert_eq!(remove(&added, LEFTHOOK), Removal::Text(left.to_owned()));
        let edited = add("", LEFTHOOK).unwrap() + "\n      glob: \"*.py\"\n";
        assert_eq!(remove(&edited, LEFTHOOK), Removal::Unknown(4));
        let edited = "repos:\n- repo: x\n  hooks:\n  - id: alembic-named-system\n";
        assert_eq!(remove(edited, PRE_COMMIT), Removal::Unknown(4));
        assert_eq!(remove("alembic-named check --staged -q\n", Kind::Script), Removal::Unknown(1));
    }

    #[test]
    fn another_layout_is_left_to_the_user() {
        let layouts = [
            ("pre-commit: {commands: {}}\n", LEFTHOOK),
            ("'pre-commit':\n  parallel: true\n", LEFTHOOK),
            ("pre-commit:\ncommit-msg:\n  parallel: true\n", LEFTHOOK),
            ("pre-commit:\n  jobs: &jobs\n    - run: x\n", LEFTHOOK),
            ("{pre-commit: {}}\n", LEFTHOOK),
            ("a: b\n---\nc: d\n", LEFTHOOK),
            ("pre-commit:\n\tjobs:\n", LEFTHOOK),
            ("repos: []\n", PRE_COMMIT),
            ("repos:\n", PRE_COMMIT),
            ("fail_fast: true\n", PRE_COMMIT),
            ("repos: &r\n- repo: local\n", PRE_COMMIT),
        ];
        for (text, kind) in layouts {
            assert!(matches!(add(text, kind), Err(Unclear::Layout(_))), "{text}");
        }
        assert_eq!(add("lint\nexec x\n", Kind::Script), Err(Unclear::Ends(End { line: 2, above: 2 })));
        assert_eq!(add("lint || exit 1; exit $?\n", Kind::Script), Err(Unclear::Ends(End { line: 1, above: 1 })));
    }

    #[test]
    fn a_mention_is_not_a_run() {
        let texts = [
            ("echo 'we like alembic-named'\n", Kind::Script),
            ("# alembic-named check\n", Kind::Script),
            ("cat alembic-named.toml\n", Kind::Script),
            ("repos:\n- repo: alembic-named\n  hooks: []\n", PRE_COMMIT),
            ("repos:\n- repo: x\n  hooks:\n  - id: alembic-named-fix\n", PRE_COMMIT),
        ];
        for (text, kind) in texts {
            assert!(add(text, kind).is_ok(), "{text}");
        }
        let runs = ["./node_modules/.bin/alembic-named check\n", "x && alembic-named\n", "\"alembic-named\" -q\n"];
        for text in runs {
            assert_eq!(add(text, Kind::Script), Err(Unclear::Present), "{text}");
        }
    }
}
