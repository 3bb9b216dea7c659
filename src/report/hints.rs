//! What to do next, said once below all findings: the command that fixes, the way around, and what keeps them from coming back.

use std::path::PathBuf;

use owo_colors::OwoColorize;

use crate::check::Outcome;
use crate::diagnostic::{Cure, Diagnostic, Label, OR_IN_MODEL, Severity};
use crate::fix::Safety;
use crate::project::Spelling;
use crate::settings::{Action, Scope, Settings};
use crate::source::RepoPath;

use super::{Width, printable, quoted, wrap};

/// So many paths stand in a command.
const MOST_PATHS: usize = 8;

/// What `--fix` changed, and what is to be done with it.
pub(super) fn fixed(outcome: &Outcome, settings: &Settings) -> Option<String> {
    let Action::Fix { restage, .. } = settings.action else {
        return None;
    };
    if outcome.changed.is_empty() {
        return None;
    }
    let is_few = outcome.changed.len() <= MOST_PATHS;
    let paths: Vec<String> = outcome
        .changed
        .iter()
        .filter(|_| is_few)
        .map(|path| typed(outcome, path))
        .collect();
    let (paths, files) = (paths.join(" "), super::counted(outcome.changed.len(), "file"));
    let place = if is_few { &paths } else { &files };
    let fixed = super::counted(outcome.fixed, "finding");
    Some(match (&settings.scope, restage) {
        (Scope::Paths(_), _) => format!("fixed {fixed} in {place}"),
        (_, true) => format!("fixed and staged {fixed} in {place}"),
        (_, false) if is_few => format!("fixed {fixed}; look at the change and stage it again: git add {paths}"),
        (_, false) => format!("fixed {fixed} in {files}; look at the change and stage it again"),
    })
}

/// What `--diff` has shown, and the command that writes it.
pub(super) fn how_to_write(outcome: &Outcome, settings: &Settings) -> Option<String> {
    let Action::Diff { suggested } = settings.action else {
        return None;
    };
    let (safe, unsafe_ones) = (fixes(outcome, Safety::Safe), fixes(outcome, Safety::Suggested));
    let what = what_to_fix(outcome, settings, is_fixable);
    match (safe, unsafe_ones, suggested) {
        (0, 0, _) if outcome.diagnostics.is_empty() => None,
        (0, 0, _) => Some("there is no fix to show".to_owned()),
        (0, _, false) => Some("there is no fix that is certain: add --unsafe-fixes to see the others".to_owned()),
        (_, 0, _) | (_, _, false) => Some(format!("write these changes: alembic-named fix {what}")),
        _ => Some(format!("write these changes: alembic-named fix {what} --unsafe-fixes")),
    }
}

/// How many findings have a fix of this kind.
fn fixes(outcome: &Outcome, safety: Safety) -> usize {
    outcome.diagnostics.iter().filter(|one| has_fix(one, safety)).count()
}

fn is_fixable(diagnostic: &Diagnostic) -> bool {
    diagnostic.fix.is_some()
}

fn has_fix(diagnostic: &Diagnostic, safety: Safety) -> bool {
    diagnostic.fix.as_ref().is_some_and(|fix| fix.safety == safety)
}

/// The arguments that make `fix` look at the same files, those with the findings that are meant.
fn what_to_fix(outcome: &Outcome, settings: &Settings, is_meant: fn(&Diagnostic) -> bool) -> String {
    let named = |given: &[PathBuf], instead: &str| {
        let paths = paths_of(outcome, given, is_meant);
        paths.map_or_else(|| instead.to_owned(), |paths| paths.join(" "))
    };
    match &settings.scope {
        // What the commit takes in it takes from the working tree.
        Scope::Staged | Scope::StagedPaths(_) if outcome.is_passing => named(&[], "."),
        Scope::Paths(paths) => named(paths, "."),
        Scope::StagedPaths(paths) => match named(paths, "--all") {
            all if all == "--all" => all,
            paths => format!("--staged {paths}"),
        },
        Scope::Staged => "--staged".to_owned(),
        Scope::All => "--all".to_owned(),
        // What is committed is fixed where it lies in the working tree.
        Scope::Between { .. } => named(&[], "."),
    }
}

/// The paths as they were given, or the files with the findings where a runner gave many or none. Nothing where they are too many to type.
fn paths_of(outcome: &Outcome, given: &[PathBuf], is_meant: fn(&Diagnostic) -> bool) -> Option<Vec<String>> {
    const FEW: usize = 3;
    if outcome.reader.is_here && (1..=FEW).contains(&given.len()) {
        return Some(given.iter().map(|path| quoted(&path.display().to_string())).collect());
    }
    let meant = outcome.diagnostics.iter().filter(|one| is_meant(one));
    let mut files: Vec<&RepoPath> = meant.map(Diagnostic::path).collect();
    files.dedup();
    (files.len() <= MOST_PATHS).then(|| files.into_iter().map(|path| typed(outcome, path)).collect())
}

fn typed(outcome: &Outcome, path: &RepoPath) -> String {
    quoted(&outcome.reader.typed(path))
}

/// Lines that end in a command or a sentence.
struct Lines {
    columns: usize,
    text: String,
}

impl Lines {
    /// A command stays in one piece, so that it can be copied: where there is no room beside its lead, it stands below it.
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

/// What to do next. Nothing where nothing was found.
pub(super) fn hints(outcome: &Outcome, settings: &Settings, width: Width) -> Option<String> {
    let told: Vec<&Diagnostic> = outcome
        .diagnostics
        .iter()
        .filter(|one| !outcome.must_be_staged(one.path()))
        .collect();
    let mut lines = Lines {
        columns: width.columns,
        text: String::new(),
    };
    let first = told
        .iter()
        .find(|one| one.severity == Severity::Error)
        .or(told.first())?;
    let what = what_to_fix(outcome, settings, is_fixable);
    let blocks = first.severity == Severity::Error;
    let decision = told.iter().find(|one| matches!(one.cure, Some(Cure::Decision)));
    // What wants a look is one of the three ways of the decision.
    if decision.is_none() || told.iter().any(|one| has_fix(one, Safety::Safe)) {
        how_to_fix(&told, settings, &what, &mut lines);
    }
    let ignored = what_to_fix(outcome, settings, |one| one.severity == Severity::Error);
    let ignore = format!("{PROGRAM} fix --ignore {ignored}");
    match decision.filter(|one| one.severity == Severity::Error) {
        Some(decision) => decide(decision, &what, &ignore, &mut lines),
        None if blocks => lines.command("not now", &ignore),
        None => {}
    }
    let rule = decision.unwrap_or(first).rule.name;
    lines.command("why", &format!("{PROGRAM} explain {rule}"));
    if decision.is_none() {
        for_good(&told, &mut lines);
    }
    Some(lines.text)
}

const PROGRAM: &str = "alembic-named";

/// The command that fixes what can be fixed, and how much that is.
fn how_to_fix(told: &[&Diagnostic], settings: &Settings, what: &str, lines: &mut Lines) {
    let count = |safety| told.iter().filter(|one| has_fix(one, safety)).count();
    let (safe, suggested) = (count(Safety::Safe), count(Safety::Suggested));
    // What is safe and was not done has its reason told already.
    let looked = matches!(settings.action, Action::Report);
    let command = format!("{PROGRAM} fix {what}");
    match (safe, suggested) {
        (0, 0) => {}
        (0, _) if !matches!(settings.action, Action::Fix { suggested: true, .. }) => {
            let lead = format!("fix {}, and look at the change", part(suggested, told.len()));
            lines.command(&lead, &format!("{command} --unsafe-fixes"));
        }
        (_, 0) if looked => lines.command(&format!("fix {}", part(safe, told.len())), &command),
        _ if looked => {
            let (certain, more) = (part(safe, told.len()), part(safe + suggested, told.len()));
            lines.command(&format!("fix {certain} ({more} with --unsafe-fixes)"), &command);
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

/// The three ways with a metadata that has no convention.
fn decide(decision: &Diagnostic, what: &str, ignore: &str, lines: &mut Lines) {
    let place = position(&decision.focus);
    lines.sentence(&format!("decide once for {place} (or set the rule's `severity`):"));
    lines.command("  the database is live", &format!("{PROGRAM} adopt"));
    if decision.fix.is_some() {
        let command = format!("{PROGRAM} fix {what} --unsafe-fixes");
        lines.command("  nothing is deployed", &command);
    } else {
        let command = format!("{PROGRAM} explain {}", decision.rule.name);
        lines.command("  nothing is deployed", &command);
    }
    lines.command("  not now", ignore);
}

/// What keeps findings from coming back: a convention on the metadata, or a name in the model.
fn for_good(told: &[&Diagnostic], lines: &mut Lines) {
    let curable = told
        .iter()
        .find_map(|one| Some((one.cause.as_ref(), one.cure.as_ref()?)));
    let cause = told.iter().find_map(|one| one.cause.as_ref());
    match curable {
        Some((Some(cause), Cure::Convention(Some(spelling)))) => {
            let lead = format!("for good, a naming convention for {}", position(cause));
            lines.command(&lead, &format!("{PROGRAM} adopt"));
            if !matches!(spelling, Spelling::InClass) {
                lines.sentence(&format!("  written as `{}`", spelling.around("...")));
            }
        }
        Some((Some(cause), Cure::Template)) => {
            let lead = format!("for good, a template for its kind at {}", position(cause));
            lines.command(&lead, &format!("{PROGRAM} explain incomplete-naming-convention"));
        }
        Some(_) => {
            explained(cause, lines);
            let lead = "for good, a naming convention on the metadata";
            lines.command(lead, &format!("{PROGRAM} explain missing-naming-convention"));
        }
        None => explained(cause, lines),
    }
    in_models(told, lines);
}

/// The place in the models that explains what was found.
fn explained(cause: Option<&Label>, lines: &mut Lines) {
    if let Some(cause) = cause {
        lines.sentence(&format!("{}: {}", position(cause), printable(&cause.text)));
    }
}

/// How each constraint that has no name yet gets it in its own model.
fn in_models(told: &[&Diagnostic], lines: &mut Lines) {
    const MOST: usize = 3;
    let mut named: Vec<String> = Vec::new();
    for code in told
        .iter()
        .filter(|one| one.cure.is_some())
        .filter_map(|one| in_model(one))
    {
        if !named.contains(&code) {
            named.push(code);
        }
        if named.len() > MOST {
            break;
        }
    }
    let left = told
        .iter()
        .filter(|one| one.cure.is_some() && in_model(one).is_some())
        .count();
    for (at, code) in named.iter().take(MOST).enumerate() {
        let lead = if at == 0 { "or in the model: " } else { "  " };
        lines.sentence(&format!("{lead}{code}"));
    }
    if named.len() > MOST {
        lines.sentence(&format!("  and {} more", left - MOST));
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
    format!(
        "{}:{}",
        printable(&file.path().display()),
        file.position(label.place.span.start).line
    )
}
