//! lefthook's file: `jobs:` where it has them, `commands:` elsewhere.

use std::ops::Range;

use super::{
    COMMAND, Format, Unclear, append_block, check_layout, first_below, indent, indented, insert, is_content, is_item,
    is_mapping, is_program, key_at, split, with_blank_line, words,
};

/// How a file says what a hook runs: both are read in any file, and a hook can have both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Jobs,
    Commands,
}

impl Form {
    fn key(self) -> &'static str {
        match self {
            Self::Jobs => "jobs",
            Self::Commands => "commands",
        }
    }

    /// The entry alone.
    fn entry(self) -> Vec<String> {
        match self {
            Self::Jobs => vec!["- name: alembic-named".to_owned(), format!("  run: {COMMAND}")],
            Self::Commands => vec!["alembic-named:".to_owned(), format!("  run: {COMMAND}")],
        }
    }

    /// With its key.
    fn block(self) -> Vec<String> {
        let head = [format!("{}:", self.key())];
        head.into_iter().chain(indented(&self.entry(), 2)).collect()
    }

    /// With the hook.
    fn whole(self, hook: &str) -> Vec<String> {
        let head = [format!("{hook}:")];
        head.into_iter().chain(indented(&self.block(), 2)).collect()
    }
}

/// What a file uses elsewhere.
fn form_of(lines: &[&str]) -> Form {
    let is_jobs =
        |line: &&str| is_content(line) && matches!(line.trim().split([':', '=']).next(), Some("jobs" | "\"jobs\""));
    let uses_jobs = lines.iter().any(is_jobs);
    if uses_jobs { Form::Jobs } else { Form::Commands }
}

// --- YAML ---

/// Where an entry goes.
struct Gap {
    /// Before this line; nothing where the hook itself is not there.
    at: Option<usize>,
    lines: Vec<String>,
    /// The keys that it is below.
    below: String,
}

fn gap(lines: &[&str], hook: &str) -> Result<Gap, Unclear> {
    check_layout(lines)?;
    let Some(key) = key_at(lines, hook, 0, 0)? else {
        return Ok(Gap {
            at: None,
            lines: form_of(lines).whole(hook),
            below: String::new(),
        });
    };
    let width = indent(first_below(lines, key, |line| indent(line) > 0 && is_mapping(line))?);
    for form in [Form::Jobs, Form::Commands] {
        let Some(list) = key_at(lines, form.key(), width, key + 1)? else {
            continue;
        };
        let first = match form {
            Form::Jobs => first_below(lines, list, |line| indent(line) >= width && is_item(line))?,
            Form::Commands => first_below(lines, list, |line| indent(line) > width && is_mapping(line))?,
        };
        return Ok(Gap {
            at: Some(list + 1),
            lines: indented(&form.entry(), indent(first)),
            below: format!("below `{}:` of `{hook}:`", form.key()),
        });
    }
    Ok(Gap {
        at: Some(key + 1),
        lines: indented(&form_of(lines).block(), width),
        below: format!("below `{hook}:`"),
    })
}

pub(super) fn add(text: &str, lines: &[&str], hook: &str) -> Result<String, Unclear> {
    let gap = gap(lines, hook)?;
    Ok(match gap.at {
        Some(at) => insert(text, lines, at, &gap.lines),
        None => append_block(text, gap.lines),
    })
}

/// The entry for this text, and where it goes.
pub(super) fn printed(text: &str, hook: &str) -> (Vec<String>, String) {
    let lines = split(text);
    match gap(&lines, hook) {
        Ok(gap) => (gap.lines, gap.below),
        Err(_) => printed_for_another_layout(&lines, hook),
    }
}

/// Whoever wrote it otherwise knows how; a second key of the same name would take the place of the first.
fn printed_for_another_layout(lines: &[&str], hook: &str) -> (Vec<String>, String) {
    let has = |lines: &[&str], key: &str| {
        let mut all = lines.iter().flat_map(|line| words(line));
        all.any(|word| word.trim_end_matches(':') == key)
    };
    if !has(lines, hook) {
        return (form_of(lines).whole(hook), String::new());
    }
    let own = lines.get(section(lines, hook)).unwrap_or_default();
    let form = match [Form::Jobs, Form::Commands]
        .into_iter()
        .find(|form| has(own, form.key()))
    {
        Some(form) => form,
        None => form_of(lines),
    };
    (form.entry(), format!("into `{}:` of `{hook}:`", form.key()))
}

/// The lines of a hook; all where it cannot be told.
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

/// The most that was written for the entry: what is empty without it was written with it.
pub(super) fn find(lines: &[&str], hook: &str) -> Option<Range<usize>> {
    let within = section(lines, hook);
    let forms = [Form::Commands, Form::Jobs];
    if let Some(block) = forms
        .iter()
        .find_map(|form| super::find(lines, &form.whole(hook), within.clone()))
    {
        return Some(with_blank_line(lines, block));
    }
    let parts = forms.map(Form::block).into_iter().chain(forms.map(Form::entry));
    parts
        .into_iter()
        .find_map(|block| super::find(lines, &block, within.clone()))
}

// --- the other formats ---

/// What is there of a hook, whose file is read as a tree.
enum There {
    Nothing,
    /// The hook, without a list of what it runs.
    Hook,
    /// The list.
    List(Form),
}

/// What the hook has, by the names of its keys; a file that cannot be read has nothing.
fn there(hook: Option<&[&str]>) -> There {
    match hook {
        None => There::Nothing,
        Some(keys) if keys.contains(&"jobs") => There::List(Form::Jobs),
        Some(keys) if keys.contains(&"commands") => There::List(Form::Commands),
        Some(_) => There::Hook,
    }
}

/// Whether a hook in one of the other formats runs the program.
pub(super) fn runs(text: &str, format: Format, hook: &str) -> bool {
    let file: Option<serde_json::Value> = match format {
        Format::Toml => toml::from_str::<toml::Table>(text)
            .ok()
            .and_then(|table| serde_json::to_value(table).ok()),
        Format::Json => serde_json::from_str(text).ok(),
    };
    let own = file.map(|file| file.get(hook).map(ToString::to_string));
    // What cannot be read is looked through as a whole.
    let own = own.map_or_else(|| text.to_owned(), Option::unwrap_or_default);
    own.lines().any(|line| words(line).any(is_program))
}

pub(super) fn printed_in_toml(text: &str, hook: &str) -> (Vec<String>, String) {
    let table: toml::Table = toml::from_str(text).unwrap_or_default();
    let own = table.get(hook).and_then(toml::Value::as_table);
    let keys: Option<Vec<&str>> = own.map(|own| own.keys().map(String::as_str).collect());
    let form = match there(keys.as_deref()) {
        There::List(form) => form,
        _ => form_of(&split(text)),
    };
    let run = format!("run = \"{COMMAND}\"");
    // A list that is written in brackets cannot be made longer by a table below it.
    let is_open = |head: &str| text.lines().any(|line| line.trim_start().starts_with(head));
    let is_closed = match form {
        Form::Jobs => own.is_some_and(|own| own.contains_key("jobs")) && !is_open(&format!("[[{hook}.jobs]]")),
        Form::Commands => own.is_some_and(|own| own.contains_key("commands")) && !is_open(&format!("[{hook}.commands")),
    };
    match form {
        Form::Jobs if is_closed => (
            vec![format!("{{ name = \"alembic-named\", {run} }},")],
            format!("into the list `jobs` of `{hook}`"),
        ),
        Form::Commands if is_closed => (
            vec![format!("alembic-named = {{ {run} }}")],
            format!("into `commands` of `{hook}`"),
        ),
        Form::Jobs => (
            vec![format!("[[{hook}.jobs]]"), "name = \"alembic-named\"".to_owned(), run],
            "at its end".to_owned(),
        ),
        Form::Commands => (
            vec![format!("[{hook}.commands.alembic-named]"), run],
            "at its end".to_owned(),
        ),
    }
}

pub(super) fn printed_in_json(text: &str, hook: &str) -> (Vec<String>, String) {
    let value: serde_json::Value = serde_json::from_str(text).unwrap_or_default();
    let own = value.get(hook).and_then(serde_json::Value::as_object);
    let keys: Option<Vec<&str>> = own.map(|own| own.keys().map(String::as_str).collect());
    let there = there(keys.as_deref());
    let form = match there {
        There::List(form) => form,
        _ => form_of(&split(text)),
    };
    let entry = match form {
        Form::Jobs => format!("{{ \"name\": \"alembic-named\", \"run\": \"{COMMAND}\" }}"),
        Form::Commands => format!("\"alembic-named\": {{ \"run\": \"{COMMAND}\" }}"),
    };
    let block = match form {
        Form::Jobs => format!("\"jobs\": [{entry}]"),
        Form::Commands => format!("\"commands\": {{ {entry} }}"),
    };
    match there {
        There::List(form) => (vec![entry], format!("into `{}` of `{hook}`", form.key())),
        There::Hook => (vec![block], format!("into `{hook}`")),
        There::Nothing => (vec![format!("\"{hook}\": {{ {block} }}")], String::new()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Format, Kind, Removal, Unclear, add, printed, remove};

    const RUN: &str = "run: alembic-named check --staged";

    #[test]
    fn the_entry_fits_the_file() {
        for (text, entry, place) in [
            (
                "",
                format!("pre-commit:\n  commands:\n    alembic-named:\n      {RUN}\n"),
                "",
            ),
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
            let kind = Kind::Lefthook("pre-commit");
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
            (
                "",
                "[pre-commit.commands.alembic-named]\nrun = \"alembic-named check --staged\"\n",
                "at its end",
            ),
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
            let kind = Kind::LefthookIn(format, "pre-commit");
            let (present, other) = match format {
                Format::Toml => (cases[0].1.to_owned(), Kind::LefthookIn(format, "pre-merge-commit")),
                Format::Json => (
                    format!("{{{}}}", cases[0].1),
                    Kind::LefthookIn(format, "pre-merge-commit"),
                ),
            };
            assert_eq!(add(&present, kind), Err(Unclear::Present));
            assert_eq!(add(&present, other), Err(Unclear::Layout(1)));
            assert!(matches!(remove(&present, kind), Removal::Unknown(_)));
            for (text, entry, place) in cases {
                assert_eq!(
                    printed(text, kind),
                    ((*entry).to_owned(), (*place).to_owned()),
                    "{text}"
                );
                assert_eq!(add(text, kind), Err(Unclear::Layout(1)));
            }
        }
    }
}
