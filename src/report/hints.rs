//! What to do next, below all findings: the command that fixes them, the way to ignore them, and how to prevent them.

use std::collections::HashSet;

use owo_colors::OwoColorize;

use super::commands::{Commands, MOST_PATHS, typed, what_to_fix};
use super::{Width, wrap};
use crate::check::Outcome;
use crate::diagnostic::{Diagnostic, Label, OR_IN_MODEL, Prevention, Severity};
use crate::escape::printable;
use crate::fix::Safety;
use crate::project::Spelling;
use crate::rules::{INCOMPLETE_NAMING_CONVENTION, MISSING_NAMING_CONVENTION};
use crate::settings::{Action, Remedy, Scope, Settings};

/// What `--fix` changed or ignored, and what to do next.
pub(super) fn done(outcome: &Outcome, settings: &Settings) -> Option<String> {
    let Action::Fix { restage, suggested } = settings.action else {
        return None;
    };
    let (done, how) = match settings.remedy {
        Remedy::Fixes => ("fixed", ""),
        Remedy::Comments => ("ignored", " from now on"),
    };
    if !outcome.changed.is_empty() {
        return Some(changed(outcome, settings, restage, done, how));
    }
    let is_unsafe = !suggested && fixes(outcome, Safety::Safe) == 0 && fixes(outcome, Safety::Suggested) > 0;
    (is_unsafe && settings.remedy == Remedy::Fixes).then(|| "nothing was changed, because no fix is certain".to_owned())
}

/// What was done to how many findings, and what to do with the files.
fn changed(outcome: &Outcome, settings: &Settings, restage: bool, done: &str, how: &str) -> String {
    let is_few = outcome.changed.len() <= MOST_PATHS;
    let paths = outcome
        .changed
        .iter()
        .filter(|_| is_few)
        .map(|path| typed(outcome, path));
    let (paths, files) = (paths.collect::<Vec<_>>().join(" "), super::counted(outcome.changed.len(), "file"));
    let files = if is_few { &paths } else { &files };
    let findings = super::counted(outcome.fixed, "finding");
    match (&settings.scope, restage) {
        (Scope::Paths(_) | Scope::Between { .. }, _) => format!("{done} {findings}{how} in {files}"),
        (_, true) => format!("{done} and staged {findings}{how} in {files}"),
        (_, false) if is_few => {
            format!("{done} {findings}{how}; look at the change and stage it again: git add {paths}")
        }
        (_, false) => format!("{done} {findings}{how} in {files}; look at the change and stage it again"),
    }
}

/// The command that applies what `--diff` showed.
pub(super) fn how_to_write(outcome: &Outcome, settings: &Settings) -> Option<String> {
    let Action::Diff { suggested } = settings.action else {
        return None;
    };
    if outcome.diagnostics.is_empty() {
        return None;
    }
    if settings.remedy == Remedy::Comments {
        return Some(format!("write these comments: {}", ignore_all(outcome, settings)));
    }
    let (safe, unsafe_ones) = (fixes(outcome, Safety::Safe), fixes(outcome, Safety::Suggested));
    let commands = Commands::new(outcome, settings);
    match (safe, unsafe_ones, suggested) {
        (0, 0, _) => Some("there is no fix to show".to_owned()),
        (0, _, false) => Some("there is no fix that is certain: add --unsafe-fixes to see the others".to_owned()),
        (_, 0, _) | (_, _, false) => Some(format!("write these changes: {}", commands.fix())),
        _ => Some(format!("write these changes: {}", commands.fix_all())),
    }
}

/// The command that writes the comments that `--diff` showed.
fn ignore_all(outcome: &Outcome, settings: &Settings) -> String {
    let rules: Vec<&str> = settings
        .command_line
        .select
        .iter()
        .flatten()
        .map(|rule| rule.name)
        .collect();
    let select = if rules.is_empty() {
        String::new()
    } else {
        format!("--select {} ", rules.join(","))
    };
    let what = what_to_fix(outcome, settings, |_| true);
    outcome.reader.program.command(&format!("fix --ignore {select}{what}"))
}

/// How many findings have a fix of this kind.
fn fixes(outcome: &Outcome, safety: Safety) -> usize {
    let diagnostics = outcome.diagnostics.iter();
    let told = diagnostics.filter(|one| !outcome.must_be_staged(one.path()));
    told.filter(|one| has_fix(one, safety)).count()
}

fn has_fix(diagnostic: &Diagnostic, safety: Safety) -> bool {
    diagnostic.fix.as_ref().is_some_and(|fix| fix.safety == safety)
}

/// Collects lines of advice.
struct Lines {
    columns: usize,
    text: String,
}

impl Lines {
    /// Adds a command. It is never wrapped, so that it can be copied; if it does not fit after its lead, it gets a line of its own.
    fn command(&mut self, lead: &str, command: &str) {
        let length = lead.chars().count() + ": ".len() + command.chars().count();
        let command = command.bold();
        let line = if length <= self.columns {
            format!("{lead}: {command}")
        } else {
            let indent = lead.len() - lead.trim_start().len() + 2;
            format!("{}:\n{}{command}", wrap(lead, self.columns), " ".repeat(indent))
        };
        self.text.push_str(&line);
        self.text.push('\n');
    }

    fn sentence(&mut self, text: &str) {
        let options = textwrap::Options::new(self.columns).subsequent_indent("  ");
        self.text.push_str(&wrap(text, options));
        self.text.push('\n');
    }
}

/// What to do next; nothing without findings, or where comments were written for them.
pub(super) fn hints(outcome: &Outcome, settings: &Settings, width: Width) -> Option<String> {
    if settings.remedy == Remedy::Comments {
        return None;
    }
    let diagnostics = outcome.diagnostics.iter();
    let told: Vec<&Diagnostic> = diagnostics.filter(|one| !outcome.must_be_staged(one.path())).collect();
    let is_error = |one: &&&Diagnostic| one.severity == Severity::Error;
    let first = told.iter().find(is_error).or(told.first())?;
    let commands = Commands::new(outcome, settings);
    let mut lines = Lines {
        columns: width.columns,
        text: String::new(),
    };
    let decision = told
        .iter()
        .filter(is_error)
        .find(|one| matches!(one.prevention, Some(Prevention::Decision)));
    if let Some(decision) = decision {
        // Fixes to review are one of the three ways below.
        if told.iter().any(|one| has_fix(one, Safety::Safe)) {
            how_to_fix(&told, settings, &commands, &mut lines);
        }
        decide(decision, &commands, &mut lines);
        lines.command("why", &commands.explain(decision.rule.name));
        return Some(lines.text);
    }
    how_to_fix(&told, settings, &commands, &mut lines);
    if first.severity == Severity::Error {
        lines.command("not now", &commands.ignore());
    }
    lines.command("why", &commands.explain(first.rule.name));
    for_good(&told, &commands, &mut lines);
    Some(lines.text)
}

/// The command that fixes, and how many findings it fixes.
fn how_to_fix(told: &[&Diagnostic], settings: &Settings, commands: &Commands, lines: &mut Lines) {
    let count = |safety| told.iter().filter(|one| has_fix(one, safety)).count();
    let (safe, suggested) = (count(Safety::Safe), count(Safety::Suggested));
    // After a fix or a diff, the reason why safe fixes are left is reported already.
    let looked = matches!(settings.action, Action::Report);
    match (safe, suggested) {
        (0, 0) => {}
        (0, _) if !matches!(settings.action, Action::Fix { suggested: true, .. }) => {
            let lead = format!("fix {}, and look at the change", part(suggested, told.len()));
            lines.command(&lead, &commands.fix_all());
        }
        (_, 0) if looked => lines.command(&format!("fix {}", part(safe, told.len())), &commands.fix()),
        _ if looked => {
            let (certain, more) = (part(safe, told.len()), part(safe + suggested, told.len()));
            lines.command(&format!("fix {certain} ({more} with --unsafe-fixes)"), &commands.fix());
        }
        _ => {}
    }
}

/// "it", "both", "all 5", "2 of 5"
fn part(some: usize, all: usize) -> String {
    match (some, all) {
        (1, 1) => "it".to_owned(),
        (2, 2) => "both".to_owned(),
        _ if some == all => format!("all {all}"),
        _ => format!("{some} of {all}"),
    }
}

/// The three ways to deal with metadata without a convention.
fn decide(decision: &Diagnostic, commands: &Commands, lines: &mut Lines) {
    let place = position(&decision.focus);
    lines.sentence(&format!("decide once for {place} (or set the rule's `severity`):"));
    lines.command("  the database is live", &commands.adopt(decision));
    let convention = if decision.fix.is_some() {
        commands.fix_all()
    } else {
        commands.explain(decision.rule.name)
    };
    lines.command("  nothing is deployed", &convention);
    lines.command("  not now", &commands.ignore_only(decision.rule.name));
}

/// How to prevent the findings: a convention on the metadata, or names in the models.
fn for_good(told: &[&Diagnostic], commands: &Commands, lines: &mut Lines) {
    let curable = told
        .iter()
        .find_map(|one| Some((one, one.cause.as_ref(), one.prevention.as_ref()?)));
    let cause = told.iter().find_map(|one| one.cause.as_ref());
    match curable {
        Some((one, Some(cause), Prevention::Convention(Some(spelling)))) => {
            let lead = format!("for good, a naming convention for {}", position(cause));
            lines.command(&lead, &commands.adopt(one));
            if !matches!(spelling, Spelling::InClass) {
                lines.sentence(&format!("  written as `{}`", spelling.around("...")));
            }
        }
        Some((_, Some(cause), Prevention::Template)) => {
            let lead = format!("for good, a template for its kind at {}", position(cause));
            lines.command(&lead, &commands.explain(INCOMPLETE_NAMING_CONVENTION.name));
        }
        Some(_) => {
            explained(cause, lines);
            let lead = "for good, a naming convention on the metadata";
            lines.command(lead, &commands.explain(MISSING_NAMING_CONVENTION.name));
        }
        None => explained(cause, lines),
    }
    in_models(told, lines);
}

/// The place in the models that explains the findings.
fn explained(cause: Option<&Label>, lines: &mut Lines) {
    if let Some(cause) = cause {
        lines.sentence(&format!("{}: {}", position(cause), printable(&cause.text)));
    }
}

/// How to name each constraint in its model.
fn in_models(told: &[&Diagnostic], lines: &mut Lines) {
    const MOST: usize = 3;
    let mut seen = HashSet::new();
    let all = told
        .iter()
        .filter(|one| one.prevention.is_some())
        .filter_map(|one| in_model(one));
    let named: Vec<String> = all.filter(|code| seen.insert(code.clone())).collect();
    for (at, code) in named.iter().take(MOST).enumerate() {
        let lead = if at == 0 { "or in the model: " } else { "  " };
        lines.sentence(&format!("{lead}{code}"));
    }
    if named.len() > MOST {
        lines.sentence(&format!("  and {} more", named.len() - MOST));
    }
}

fn in_model(diagnostic: &Diagnostic) -> Option<String> {
    match (&diagnostic.model, &diagnostic.model_code) {
        (Some(model), _) => {
            let code = model.text.strip_prefix(OR_IN_MODEL).unwrap_or(&model.text);
            Some(format!("{} ({})", printable(code), position(model)))
        }
        (None, Some(code)) => Some(printable(code)),
        (None, None) => None,
    }
}

fn position(label: &Label) -> String {
    let file = &label.place.file;
    format!("{}:{}", printable(&file.path().display()), file.position(label.place.span.start).line)
}
