//! What `fix --ignore` wrote, and what is to be done with it.

use crate::check::Outcome;
use crate::settings::{Action, Scope, Settings};

use super::commands::{typed, what_to_fix};

/// What was written; nothing where nothing was.
pub(super) fn ignored(outcome: &Outcome, settings: &Settings) -> Option<String> {
    let Action::Fix { restage, .. } = settings.action else {
        return None;
    };
    if outcome.changed.is_empty() {
        return None;
    }
    let paths = outcome.changed.iter().map(|path| typed(outcome, path));
    let paths = paths.collect::<Vec<_>>().join(" ");
    let ignored = super::counted(outcome.fixed, "finding");
    Some(match (&settings.scope, restage) {
        (Scope::Paths(_), _) => format!("ignored {ignored} from now on in {paths}"),
        (_, true) => format!("ignored {ignored} from now on, and staged that in {paths}"),
        (_, false) => format!("ignored {ignored} from now on; look at the change and stage it again: git add {paths}"),
    })
}

/// What `--diff` has shown, and the command that writes it.
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
    let command = outcome.reader.program().command(&arguments.join(" "));
    Some(format!("write these comments: {command}"))
}
