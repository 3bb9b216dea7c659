//! What a hook manager's own file gets, put in and taken out again line by line, so that every other byte stays.
//!
//! The files are not parsed as YAML: a writer that does loses comments and spelling. What is not laid out in the plain way is left to
//! the user instead.

mod lefthook;

use std::ops::Range;

use super::hook;
use super::shell::{self, End, Run};
use crate::invocation::FIXING_HOOK;

/// The command that every manager runs.
pub(super) const COMMAND: &str = "alembic-named check --staged";

/// A kind of file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A shell script of husky.
    Script,
    /// `lefthook.yml`, and the hook that is meant.
    Lefthook(&'static str),
    /// lefthook's file in another format, which is left to the user.
    LefthookIn(Format, &'static str),
    /// `.pre-commit-config.yaml`, which prek reads too.
    PreCommit,
    /// `prek.toml`.
    Toml,
}

/// What lefthook reads beside YAML.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
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
    /// What keeps a line below it from running.
    Ends(End),
    /// A line that is not laid out in the plain way.
    Layout(usize),
}

/// How much of a file was written here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Removal {
    /// Nothing in it runs the program.
    Nothing,
    /// The file without what was added.
    Text(String),
    /// A line that runs the program and was not written here.
    Unknown(usize),
}

/// The entry as it is printed for a file of this text, and where in it the entry belongs: an empty text, or words behind "into ...".
pub(super) fn printed(text: &str, kind: Kind) -> (String, String) {
    let (lines, place) = match kind {
        Kind::Script => (vec![COMMAND.to_owned()], String::new()),
        Kind::Lefthook(hook) => lefthook::printed(text, hook),
        Kind::LefthookIn(Format::Toml, hook) => lefthook::printed_in_toml(text, hook),
        Kind::LefthookIn(Format::Json, hook) => lefthook::printed_in_json(text, hook),
        Kind::PreCommit => (indented(&pre_commit_item(), 2), "below `repos:`".to_owned()),
        Kind::Toml => (toml_block(), String::new()),
    };
    (lines.join("\n") + "\n", place)
}

/// The text with the entry in it.
pub(super) fn add(text: &str, kind: Kind) -> Result<String, Unclear> {
    let lines = split(text);
    let is_present = match kind {
        Kind::LefthookIn(format, hook) => lefthook::runs(text, format, hook),
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
        Kind::Lefthook(hook) => lefthook::add(text, &lines, hook),
        Kind::LefthookIn(..) => Err(Unclear::Layout(1)),
        Kind::PreCommit => add_to_pre_commit(text, &lines),
        Kind::Toml => Ok(append_block(text, toml_block())),
    }
}

/// Whether a script runs the program; an error where it would, if it came to that.
fn runs(script: &str) -> Result<bool, Unclear> {
    match shell::run(script) {
        _ if hook::is_own(script) => Ok(true),
        Run::Never => Ok(false),
        Run::At(_) => Ok(true),
        Run::Behind(end) => Err(Unclear::Ends(end)),
    }
}

/// The text as it was before [`add`], whatever else was changed since.
pub(super) fn remove(text: &str, kind: Kind) -> Removal {
    let lines = split(text);
    let found = match kind {
        Kind::Script => find(&lines, &[COMMAND.to_owned()], 0..lines.len()),
        Kind::Lefthook(hook) => lefthook::find(&lines, hook),
        Kind::LefthookIn(..) => None,
        Kind::PreCommit => find(&lines, &pre_commit_item(), 0..lines.len()),
        Kind::Toml => find(&lines, &toml_block(), 0..lines.len()).map(|block| with_blank_line(&lines, block)),
    };
    let rest = found.map(|block| without(&lines, block));
    match (mention(rest.as_deref().unwrap_or(text), kind), rest) {
        (Some(line), _) => Removal::Unknown(line + 1),
        (None, Some(rest)) => Removal::Text(rest),
        (None, None) => Removal::Nothing,
    }
}

// --- lines ---

/// Lines with their ends.
fn split(text: &str) -> Vec<&str> {
    text.split_inclusive('\n').collect()
}

fn bare(line: &str) -> &str {
    line.trim_end_matches(['\n', '\r'])
}

fn line_end(text: &str) -> &'static str {
    if text.contains("\r\n") { "\r\n" } else { "\n" }
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start_matches(' ').len()
}

/// Neither empty nor a comment.
fn is_content(line: &str) -> bool {
    let line = line.trim();
    !line.is_empty() && !line.starts_with('#')
}

fn indented(lines: &[String], width: usize) -> Vec<String> {
    lines.iter().map(|line| format!("{:width$}{line}", "")).collect()
}

/// The first line of content from `start` on, with its number.
fn content_from<'t>(lines: &[&'t str], start: usize) -> Option<(usize, &'t str)> {
    let mut rest = lines.iter().copied().enumerate().skip(start);
    rest.find(|(_, line)| is_content(line))
}

/// Adds lines at the end. A file without a last line end stays one, so that [`without`] knows what to leave.
fn append(text: &str, lines: &[String]) -> String {
    let end = line_end(text);
    let block = lines.join(end);
    if text.ends_with('\n') {
        format!("{text}{block}{end}")
    } else if text.is_empty() {
        block
    } else {
        format!("{text}{end}{block}")
    }
}

/// Adds a block at the end, behind a blank line.
fn append_block(text: &str, block: Vec<String>) -> String {
    let blank = (!text.is_empty()).then(String::new);
    append(text, &blank.into_iter().chain(block).collect::<Vec<_>>())
}

/// Puts lines in before line `at`, above which there is one.
fn insert(text: &str, lines: &[&str], at: usize, new: &[String]) -> String {
    let end = line_end(text);
    let (head, tail) = lines.split_at(at.min(lines.len()));
    let new: String = new.iter().flat_map(|line| [line.as_str(), end]).collect();
    head.concat() + &new + &tail.concat()
}

/// The lines of `block`, all moved right alike, with nothing below that belongs to them as well.
fn find(lines: &[&str], block: &[String], within: Range<usize>) -> Option<Range<usize>> {
    let starts = within.start..within.end.min((lines.len() + 1).saturating_sub(block.len()));
    let mut found = starts.map(|at| at..at + block.len());
    found.find(|range| {
        let window = lines.get(range.clone()).unwrap_or_default();
        let width = window.first().map_or(0, |line| indent(line));
        let is_block = indented(block, width).iter().eq(window.iter().map(|line| bare(line)));
        is_block && content_from(lines, range.end).is_none_or(|(_, next)| indent(next) <= width)
    })
}

/// The block and the blank line above it.
fn with_blank_line(lines: &[&str], block: Range<usize>) -> Range<usize> {
    match block.start.checked_sub(1) {
        Some(above) if lines.get(above).is_some_and(|line| bare(line).is_empty()) => above..block.end,
        _ => block,
    }
}

/// The text without a block. If that had no last line end, nor has what is left.
fn without(lines: &[&str], block: Range<usize>) -> String {
    let (head, rest) = lines.split_at(block.start);
    let (gone, tail) = rest.split_at(block.len());
    let mut head = head.concat();
    if gone.last().is_some_and(|line| !line.ends_with('\n')) && head.ends_with('\n') {
        head.pop();
        if head.ends_with('\r') {
            head.pop();
        }
    }
    head + &tail.concat()
}

// --- what runs the program already ---

/// The first line that runs the program.
fn mention(text: &str, kind: Kind) -> Option<usize> {
    let lines = split(text);
    let within = match kind {
        Kind::Script if hook::is_own(text) => return Some(0),
        Kind::Script => return shell::program_line(text).map(|line| line - 1),
        Kind::Lefthook(hook) => lefthook::section(&lines, hook),
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

/// A hook of this program that looks at what is committed.
fn is_check(word: &str) -> bool {
    is_program(word) || (word.starts_with("alembic-named-") && word != FIXING_HOOK)
}

pub(super) fn is_program(word: &str) -> bool {
    let name = word.rsplit(['/', '\\']).next().unwrap_or_default();
    matches!(name, "alembic-named" | "alembic-named.exe")
}

// --- YAML in its plain layout ---

/// Whether a line is this key with its value on the lines below; an error where it is the key in another form.
fn is_key(line: &str, name: &str) -> Option<bool> {
    let line = line.trim();
    let key = line.split(':').next().unwrap_or_default().trim_end();
    if key.trim_matches(['"', '\'']) != name {
        return Some(false);
    }
    let value = line.strip_prefix(name).and_then(|rest| rest.strip_prefix(':'))?;
    (value.is_empty() || value.trim_start().starts_with('#')).then_some(true)
}

/// The line of a key at a depth of `width`, from line `start` as far as lines are that deep.
fn key_at(lines: &[&str], name: &str, width: usize, start: usize) -> Result<Option<usize>, Unclear> {
    let mut found = None;
    for (at, line) in lines.iter().enumerate().skip(start) {
        if !is_content(line) || indent(line) > width {
            continue;
        }
        if indent(line) < width {
            break;
        }
        match is_key(line, name) {
            Some(false) => {}
            Some(true) if found.is_none() => found = Some(at),
            _ => return Err(Unclear::Layout(at + 1)),
        }
    }
    Ok(found)
}

/// One document, a mapping in block style, no tabs to be miscounted.
fn check_layout(lines: &[&str]) -> Result<(), Unclear> {
    let mut seen = false;
    for (at, line) in lines.iter().enumerate().filter(|(_, line)| is_content(line)) {
        let is_marker = line.starts_with("---") || line.starts_with("...");
        let is_odd = if is_marker {
            seen || bare(line).trim_end() != "---"
        } else {
            line.starts_with(['{', '[', '\t', '%', '?', '&', '*', '!'])
        };
        if is_odd {
            return Err(Unclear::Layout(at + 1));
        }
        seen = seen || !is_marker;
    }
    Ok(())
}

/// The first line below a key, which has to be of a block that passes.
fn first_below<'t>(lines: &[&'t str], key: usize, passes: impl Fn(&str) -> bool) -> Result<&'t str, Unclear> {
    match content_from(lines, key + 1) {
        Some((_, line)) if passes(line) => Ok(line),
        Some((at, _)) => Err(Unclear::Layout(at + 1)),
        None => Err(Unclear::Layout(key + 1)),
    }
}

fn is_item(line: &str) -> bool {
    line.trim_start_matches(' ').starts_with("- ")
}

fn is_mapping(line: &str) -> bool {
    !line
        .trim_start()
        .starts_with(['-', '{', '[', '&', '*', '!', '?', '|', '>', '\t'])
        && line.contains(':')
}

// --- pre-commit and prek ---

fn pre_commit_item() -> Vec<String> {
    let lines = [
        "- repo: local",
        "  hooks:",
        "    - id: alembic-named",
        "      name: alembic-named (Alembic constraint names)",
        "      entry: alembic-named check --staged",
        "      language: system",
        "      types: [python]",
        "      require_serial: true",
        "      stages: [pre-commit, pre-merge-commit, pre-push, manual]",
    ];
    lines.map(str::to_owned).to_vec()
}

fn add_to_pre_commit(text: &str, lines: &[&str]) -> Result<String, Unclear> {
    check_layout(lines)?;
    let Some(key) = key_at(lines, "repos", 0, 0)? else {
        return Err(Unclear::Layout(1));
    };
    let first = first_below(lines, key, is_item)?;
    let item = indented(&pre_commit_item(), indent(first));
    Ok(insert(text, lines, key + 1, &item))
}

fn toml_block() -> Vec<String> {
    let lines = [
        "[[repos]]",
        "repo = \"local\"",
        "",
        "[[repos.hooks]]",
        "id = \"alembic-named\"",
        "name = \"alembic-named (Alembic constraint names)\"",
        "entry = \"alembic-named check --staged\"",
        "language = \"system\"",
        "types = [\"python\"]",
        "require_serial = true",
        "stages = [\"pre-commit\", \"pre-merge-commit\", \"pre-push\", \"manual\"]",
    ];
    lines.map(str::to_owned).to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PRE_COMMIT: Kind = Kind::PreCommit;
    const LEFTHOOK: Kind = Kind::Lefthook("pre-commit");

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
        for text in [
            "",
            "npx lint-staged",
            "npx lint-staged\n",
            "#!/bin/sh\nif false; then\n  exit 0\nfi\n\n",
        ] {
            there_and_back(text, Kind::Script);
        }
    }

    #[test]
    fn entries_stand_where_the_manager_reads_them() {
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
    fn what_others_added_since_stays() {
        let added = add("", LEFTHOOK).unwrap() + "\n    lint:\n      run: x\n";
        let left = "pre-commit:\n  commands:\n    lint:\n      run: x\n";
        assert_eq!(remove(&added, LEFTHOOK), Removal::Text(left.to_owned()));
        let edited = add("", LEFTHOOK).unwrap() + "\n      glob: \"*.py\"\n";
        assert_eq!(remove(&edited, LEFTHOOK), Removal::Unknown(4));
        let edited = "repos:\n- repo: x\n  hooks:\n  - id: alembic-named-system\n";
        assert_eq!(remove(edited, PRE_COMMIT), Removal::Unknown(4));
        assert_eq!(
            remove("alembic-named check --staged -q\n", Kind::Script),
            Removal::Unknown(1)
        );
    }

    #[test]
    fn what_is_not_plain_is_left_to_the_user() {
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
        assert_eq!(
            add("lint\nexec x\n", Kind::Script),
            Err(Unclear::Ends(End { line: 2, above: 2 }))
        );
        assert_eq!(
            add("lint || exit 1; exit $?\n", Kind::Script),
            Err(Unclear::Ends(End { line: 1, above: 1 }))
        );
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
        let runs = [
            "./node_modules/.bin/alembic-named check\n",
            "x && alembic-named\n",
            "\"alembic-named\" -q\n",
        ];
        for text in runs {
            assert_eq!(add(text, Kind::Script), Err(Unclear::Present), "{text}");
        }
    }
}
