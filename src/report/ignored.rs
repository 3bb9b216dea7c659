//! What `fix --ignore` wrote, and what to do next.

use crate::check::Outcome;
use crate::settings::{Action, Settings};

use super::commands::what_to_fix;
use super::hints::changed;

/// What was written; nothing where nothing was.
pub(super) fn ignored(outcome: &Outcome, settings: &Settings) -> Option<String> {
    let Action::Fix { restage, .. } = settings.action else {
        return None;
    };
    if outcome.changed.is_empty() {
        return None;
    }
    Some(changed(outcome, settings, restage, "ignored", " from now on"))
}

/// The command that writes the comments that `--diff` showed.
pub(super) fn how_to_write(outcome: &Outcome, settings: &Settings) -> Option<String> {
    let Action::Diff { .. } = settings.action else {
        return None;
    };
    if outcome.diagnostics.is_empty() {
        return None;
    }
    let mut arguments = vec!["fix --ignore".to_owned()];
    let rules = settings.command_line.select.iter().flatten();
    let rules: Vec<&str> = rules.map(|rule| rule.name).collect();
    if !rules.is_empty() {
        arguments.push(format!("--select {}", rules.join(",")));
    }
    arguments.push(what_to_fix(outcome, settings, |_| true));
    let command = outcome.reader.program.command(&arguments.join(" "));
    Some(format!("write these comments: {command}"))
}
