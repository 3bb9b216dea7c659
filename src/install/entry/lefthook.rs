//! The entry in lefthook's file: in `jobs:` where the file has them, else in `commands:`.

use std::ops::Range;

use serde_json::Value;

use super::lines::{append_block, indented, insert, split, with_blank_line};
use super::yaml::{check_layout, first_below, indent, is_content, is_item, is_mapping, key_at};
use super::{COMMAND, Format, Unclear, is_program, lines, words};

/// How a file lists what a hook runs. lefthook reads both in any file, and a hook can have both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Jobs,
    Commands,
}

const FORMS: [Form; 2] = [Form::Jobs, Form::Commands];

impl Form {
    fn key(self) -> &'static str {
        match self {
            Self::Jobs => "jobs",
            Self::Commands => "commands",
        }
    }

    fn entry(self) -> Vec<String> {
        let head = match self {
            Self::Jobs => "- name: alembic-named",
            Self::Commands => "alembic-named:",
        };
        vec![head.to_owned(), format!("  run: {COMMAND}")]
    }

    /// The entry below its key.
    fn block(self) -> Vec<String> {
        below(self.key(), &self.entry())
    }

    /// The block below its hook.
    fn whole(self, hook: &str) -> Vec<String> {
        below(hook, &self.block())
    }
}

fn below(key: &str, lines: &[String]) -> Vec<String> {
    let head = [format!("{key}:")];
    head.into_iter().chain(indented(lines, 2)).collect()
}

/// The form that the other hooks of a file have.
fn form_of(lines: &[&str]) -> Form {
    let is_jobs =
        |line: &&str| is_content(line) && matches!(line.trim().split([':', '=']).next(), Some("jobs" | "\"jobs\""));
    if lines.iter().any(is_jobs) {
        Form::Jobs
    } else {
        Form::Commands
    }
}

// --- YAML ---

/// An entry, and where it belongs.
struct Placed {
    /// Before this line; `None` at the end, where the hook itself is missing.
    at: Option<usize>,
    lines: Vec<String>,
    /// The same in words.
    place: String,
}

fn place(lines: &[&str], hook: &str) -> Result<Placed, Unclear> {
    check_layout(lines)?;
    let Some(key) = key_at(lines, hook, 0, 0)? else {
        return Ok(Placed {
            at: None,
            lines: form_of(lines).whole(hook),
            place: String::new(),
        });
    };
    let width = indent(first_below(lines, key, |line| indent(line) > 0 && is_mapping(line))?);
    for form in FORMS {
        let Some(list) = key_at(lines, form.key(), width, key + 1)? else {
            continue;
        };
        let first = match form {
            Form::Jobs => first_below(lines, list, |line| indent(line) >= width && is_item(line))?,
            Form::Commands => first_below(lines, list, |line| indent(line) > width && is_mapping(line))?,
        };
        return Ok(Placed {
            at: Some(list + 1),
            lines: indented(&form.entry(), indent(first)),
            place: format!("below `{}:` of `{hook}:`", form.key()),
        });
    }
    Ok(Placed {
        at: Some(key + 1),
        lines: indented(&form_of(lines).block(), width),
        place: format!("below `{hook}:`"),
    })
}

pub(super) fn add(text: &str, lines: &[&str], hook: &str) -> Result<String, Unclear> {
    let placed = place(lines, hook)?;
    Ok(match placed.at {
        Some(at) => insert(text, lines, at, &placed.lines),
        None => append_block(text, placed.lines),
    })
}

/// The entry for this text, and where it belongs.
pub(super) fn printed(text: &str, format: Format, hook: &str) -> (Vec<String>, String) {
    if format != Format::Yaml {
        return printed_in(text, format, hook);
    }
    let lines = split(text);
    match place(&lines, hook) {
        Ok(placed) => (placed.lines, placed.place),
        Err(_) => printed_for_another_layout(&lines, hook),
    }
}

/// Without the key of a hook that is there: a second one would replace the first.
fn printed_for_another_layout(lines: &[&str], hook: &str) -> (Vec<String>, String) {
    let has = |lines: &[&str], key: &str| {
        let mut all = lines.iter().flat_map(|line| words(line));
        all.any(|word| word.trim_end_matches(':') == key)
    };
    if !has(lines, hook) {
        return (form_of(lines).whole(hook), String::new());
    }
    let own = lines.get(section(lines, hook)).unwrap_or_default();
    let form = FORMS.into_iter().find(|form| has(own, form.key()));
    let form = form.unwrap_or_else(|| form_of(lines));
    (form.entry(), format!("into `{}:` of `{hook}:`", form.key()))
}

/// The lines of a hook; all lines in another layout.
pub(super) fn section(lines: &[&str], hook: &str) -> Range<usize> {
    match key_at(lines, hook, 0, 0) {
        Ok(Some(start)) => {
            let mut below = lines.iter().enumerate().skip(start + 1);
            let end = below.find(|(_, line)| is_content(line) && indent(line) == 0);
            start..end.map_or(lines.len(), |(at, _)| at)
        }
        Ok(None) => 0..0,
        Err(_) => 0..lines.len(),
    }
}

/// The entry, with the keys above it that would be empty without it.
pub(super) fn find(lines: &[&str], hook: &str) -> Option<Range<usize>> {
    let within = section(lines, hook);
    let forms = [Form::Commands, Form::Jobs];
    if let Some(block) = forms
        .iter()
        .find_map(|form| lines::find(lines, &form.whole(hook), within.clone()))
    {
        return Some(with_blank_line(lines, block));
    }
    let parts = forms.map(Form::block).into_iter().chain(forms.map(Form::entry));
    parts
        .into_iter()
        .find_map(|block| lines::find(lines, &block, within.clone()))
}

// --- the other formats ---

/// Whether a hook in one of the other formats runs the program.
pub(super) fn runs(text: &str, format: Format, hook: &str) -> bool {
    let own = read(text, format).map(|file| file.get(hook).map(ToString::to_string));
    // A file that cannot be parsed is searched as a whole.
    let own = own.map_or_else(|| text.to_owned(), Option::unwrap_or_default);
    own.lines().any(|line| words(line).any(is_program))
}

fn read(text: &str, format: Format) -> Option<Value> {
    match format {
        Format::Toml => serde_json::to_value(toml::from_str::<toml::Table>(text).ok()?).ok(),
        _ => serde_json::from_str(text).ok(),
    }
}

fn printed_in(text: &str, format: Format, hook: &str) -> (Vec<String>, String) {
    let file = read(text, format).unwrap_or_default();
    let own = file.get(hook).and_then(Value::as_object);
    let listed = own.and_then(|own| FORMS.into_iter().find(|form| own.contains_key(form.key())));
    let form = listed.unwrap_or_else(|| form_of(&split(text)));
    if format == Format::Toml {
        return printed_in_toml(text, hook, form, listed.is_some());
    }
    let entry = match form {
        Form::Jobs => format!("{{ \"name\": \"alembic-named\", \"run\": \"{COMMAND}\" }}"),
        Form::Commands => format!("\"alembic-named\": {{ \"run\": \"{COMMAND}\" }}"),
    };
    let block = match form {
        Form::Jobs => format!("\"jobs\": [{entry}]"),
        Form::Commands => format!("\"commands\": {{ {entry} }}"),
    };
    match (listed, own) {
        (Some(form), _) => (vec![entry], format!("into `{}` of `{hook}`", form.key())),
        (None, Some(_)) => (vec![block], format!("into `{hook}`")),
        (None, None) => (vec![format!("\"{hook}\": {{ {block} }}")], String::new()),
    }
}

fn printed_in_toml(text: &str, hook: &str, form: Form, is_listed: bool) -> (Vec<String>, String) {
    let run = format!("run = \"{COMMAND}\"");
    let head = match form {
        Form::Jobs => format!("[[{hook}.jobs]]"),
        Form::Commands => format!("[{hook}.commands"),
    };
    // A list in brackets cannot be extended by a table below it.
    let is_closed = is_listed && !text.lines().any(|line| line.trim_start().starts_with(&head));
    let (lines, place) = match form {
        Form::Jobs if is_closed => {
            (vec![format!("{{ name = \"alembic-named\", {run} }},")], format!("into the list `jobs` of `{hook}`"))
        }
        Form::Commands if is_closed => {
            (vec![format!("alembic-named = {{ {run} }}")], format!("into `commands` of `{hook}`"))
        }
        Form::Jobs => (vec![head, "name = \"alembic-named\"".to_owned(), run], "at its end".to_owned()),
        Form::Commands => (vec![format!("{head}.alembic-named]"), run], "at its end".to_owned()),
    };
    (lines, place)
}

#[cfg(test)]
mod tests {
    use super::super::{Format, Kind, Removal, Unclear, add, printed, remove};

    const RUN: &str = "run: alembic-named check --staged";

    #[test]
    fn the_entry_fits_the_file() {
        for (text, entry, place) in [
            ("", format!("pre-commit:\n  commands:\n    alembic-named:\n      {RUN}\n"), ""),
            (
                "commit-msg:\n  jobs:\n    - run: x\n",
                format!("pre-commit:\n  jobs:\n    - name: alembic-named\n      {RUN}\n"),
                "",
            ),
            (
                "commit-msg:\n  jobs:\n    - run: x\npre-commit:\n    parallel: true\n",
                format!("    jobs:\n      - name: alembic-named\n        {RUN}\n"),
                "below `pre-commit:`",
            ),
            (
                "pre-commit:\n  jobs:\n  - run: x\n",
                format!("  - name: alembic-named\n    {RUN}\n"),
                "below `jobs:` of `pre-commit:`",
            ),
            (
                "pre-commit:\n  commands:\n      lint:\n        run: x\n",
                format!("      alembic-named:\n        {RUN}\n"),
                "below `commands:` of `pre-commit:`",
            ),
            (
                "pre-commit: {jobs: [{run: x}]}\n",
                format!("- name: alembic-named\n  {RUN}\n"),
                "into `jobs:` of `pre-commit:`",
            ),
        ] {
            let kind = Kind::Lefthook(Format::Yaml, "pre-commit");
            assert_eq!(printed(text, kind), (entry.clone(), place.to_owned()), "{text}");
            if let Ok(added) = add(text, kind) {
                assert!(added.contains(entry.trim_end()), "{added}");
                assert_eq!(remove(&added, kind), Removal::Text(text.to_owned()), "{added}");
            }
        }
    }

    #[test]
    fn other_formats_get_an_entry_of_their_own() {
        let toml = [
            ("", "[pre-commit.commands.alembic-named]\nrun = \"alembic-named check --staged\"\n", "at its end"),
            (
                "[[pre-commit.jobs]]\nrun = \"x\"\n",
                "[[pre-commit.jobs]]\nname = \"alembic-named\"\nrun = \"alembic-named check --staged\"\n",
                "at its end",
            ),
            (
                "[pre-commit]\njobs = [{ run = \"x\" }]\n",
                "{ name = \"alembic-named\", run = \"alembic-named check --staged\" },\n",
                "into the list `jobs` of `pre-commit`",
            ),
            (
                "[pre-commit]\ncommands = { lint = { run = \"x\" } }\n",
                "alembic-named = { run = \"alembic-named check --staged\" }\n",
                "into `commands` of `pre-commit`",
            ),
        ];
        let json = [
            (
                "{}",
                "\"pre-commit\": { \"commands\": { \"alembic-named\": { \"run\": \"alembic-named check --staged\" } } }\n",
                "",
            ),
            (
                "{\"pre-commit\": {\"jobs\": [{\"run\": \"x\"}]}}",
                "{ \"name\": \"alembic-named\", \"run\": \"alembic-named check --staged\" }\n",
                "into `jobs` of `pre-commit`",
            ),
            (
                "{\"pre-commit\": {\"parallel\": true}}",
                "\"commands\": { \"alembic-named\": { \"run\": \"alembic-named check --staged\" } }\n",
                "into `pre-commit`",
            ),
        ];
        for (format, cases) in [(Format::Toml, &toml[..]), (Format::Json, &json)] {
            let kind = Kind::Lefthook(format, "pre-commit");
            let other = Kind::Lefthook(format, "pre-merge-commit");
            let present = match format {
                Format::Json => format!("{{{}}}", cases[0].1),
                _ => cases[0].1.to_owned(),
            };
            assert_eq!(add(&present, kind), Err(Unclear::Present));
            assert_eq!(add(&present, other), Err(Unclear::Layout(1)));
            assert!(matches!(remove(&present, kind), Removal::Unknown(_)));
            for (text, entry, place) in cases {
                assert_eq!(printed(text, kind), ((*entry).to_owned(), (*place).to_owned()), "{text}");
                assert_eq!(add(text, kind), Err(Unclear::Layout(1)));
            }
        }
    }
}
