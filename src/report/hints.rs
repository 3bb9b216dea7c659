//! The two cures, said once below all findings: a naming convention on the metadata, or a name in the model.

use std::fmt::Write;
use std::path::PathBuf;

use crate::check::Outcome;
use crate::diagnostic::{Diagnostic, OR_IN_MODEL};
use crate::fix::Safety;
use crate::naming::{ConstraintKind, Convention, Key, Value};
use crate::project::Spelling;
use crate::settings::{Action, Scope, Settings};
use crate::source::RepoPath;

use super::{Width, printable, quoted, wrap};

/// What `--fix` changed, and what is to be done with it.
pub(super) fn fixed(outcome: &Outcome, settings: &Settings) -> Option<String> {
    let Action::Fix { restage, .. } = settings.action else {
        return None;
    };
    if outcome.changed.is_empty() {
        return None;
    }
    let paths: Vec<String> = outcome.changed.iter().map(|path| typed(outcome, path)).collect();
    let paths = paths.join(" ");
    let fixed = super::counted(outcome.fixed, "finding");
    Some(match (&settings.scope, restage) {
        (Scope::Paths(_), _) => format!("fixed {fixed} in {paths}"),
        (_, true) => format!("fixed and staged {fixed} in {paths}"),
        (_, false) => format!("fixed {fixed}; look at the change and stage it again: git add {paths}"),
    })
}

/// The command that fixes what can be fixed.
pub(super) fn how_to_fix(outcome: &Outcome, settings: &Settings) -> Option<String> {
    let looked = match settings.action {
        Action::Report => true,
        Action::Fix { suggested: false, .. } => false,
        _ => return None,
    };
    let (safe, suggested) = (fixes(outcome, Safety::Safe), fixes(outcome, Safety::Suggested));
    let what = what_to_fix(outcome, settings);
    match (safe, suggested) {
        // What is safe and was not done has its reason told already.
        (_, 0) if !looked => None,
        (0, 0) => None,
        (0, _) => Some(format!(
            "fix it, and look at the change: alembic-named fix {what} --unsafe-fixes"
        )),
        _ if !looked => None,
        _ if safe == outcome.diagnostics.len() => Some(format!("fix it: alembic-named fix {what}")),
        _ => Some(format!("fix what is certain: alembic-named fix {what}")),
    }
}

/// What `--diff` has shown, and the command that writes it.
pub(super) fn how_to_write(outcome: &Outcome, settings: &Settings) -> Option<String> {
    let Action::Diff { suggested } = settings.action else {
        return None;
    };
    let (safe, unsafe_ones) = (fixes(outcome, Safety::Safe), fixes(outcome, Safety::Suggested));
    let what = what_to_fix(outcome, settings);
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
    let of_kind = |diagnostic: &&Diagnostic| diagnostic.fix.as_ref().is_some_and(|fix| fix.safety == safety);
    outcome.diagnostics.iter().filter(of_kind).count()
}

/// The arguments that make `fix` look at the same files.
fn what_to_fix(outcome: &Outcome, settings: &Settings) -> String {
    match &settings.scope {
        // What the commit takes in it takes from the working tree.
        Scope::Staged | Scope::StagedPaths(_) if outcome.is_passing => with_fixes(outcome, &[]).join(" "),
        Scope::Paths(paths) => with_fixes(outcome, paths).join(" "),
        Scope::StagedPaths(paths) => format!("--staged {}", with_fixes(outcome, paths).join(" ")),
        Scope::Staged => "--staged".to_owned(),
        Scope::All => "--all".to_owned(),
        // What is committed is fixed where it lies in the working tree.
        Scope::Between { .. } => with_fixes(outcome, &[]).join(" "),
    }
}

/// The paths as they were given, or the files that have fixes where a runner gave many or none.
fn with_fixes(outcome: &Outcome, given: &[PathBuf]) -> Vec<String> {
    const FEW: usize = 3;
    if outcome.reader.is_here && (1..=FEW).contains(&given.len()) {
        return given.iter().map(|path| quoted(&path.display().to_string())).collect();
    }
    let fixable = outcome.diagnostics.iter().filter(|diagnostic| diagnostic.fix.is_some());
    let mut files: Vec<String> = fixable.map(|diagnostic| typed(outcome, diagnostic.path())).collect();
    files.dedup();
    files
}

fn typed(outcome: &Outcome, path: &RepoPath) -> String {
    quoted(&outcome.reader.typed(path))
}

pub(super) fn hints(outcome: &Outcome, width: Width) -> Option<String> {
    let unnamed = outcome
        .diagnostics
        .iter()
        .find(|diagnostic| diagnostic.rule.name == "unnamed-constraint" && !diagnostic.has_convention);
    let lacking = outcome
        .diagnostics
        .iter()
        .find(|diagnostic| diagnostic.rule.name == "missing-naming-convention");
    let first = unnamed.or(lacking)?;
    let mut text = String::from("\nSo that it does not come back, one of these:\n\n");
    let place = lacking
        .map(|diagnostic| position(&diagnostic.focus))
        .or_else(|| models(first));
    let place = place.map(|place| format!(" ({place})")).unwrap_or_default();
    let cure = format!("give the metadata a naming convention{place}, and autogenerate writes every name itself");
    if lacking.is_some_and(|diagnostic| diagnostic.fix.is_some()) {
        push_item(&mut text, "1. ", &format!("{cure}; the code is above"), width);
    } else {
        let spelling = lacking.unwrap_or(first).spelling.as_ref();
        let above = match spelling {
            Some(Spelling::Assigned(_)) => "; set it above the first import of a table",
            _ => "",
        };
        push_item(&mut text, "1. ", &format!("{cure}{above}:"), width);
        let _ = writeln!(text, "\n{}", convention_code(spelling));
        // Whether a template for checks does harm is asked where a convention is judged, not for each migration.
        let more = "`ck` is for projects in which each check has a finished name: alembic-named explain missing-naming-convention";
        push_item(&mut text, "   ", more, width);
    }
    push_item(&mut text, "2. ", &in_models(outcome, first), width);
    Some(text)
}

/// How each constraint that has no name yet gets it in its own model.
fn in_models(outcome: &Outcome, first: &Diagnostic) -> String {
    const MOST: usize = 5;
    let unnamed = outcome
        .diagnostics
        .iter()
        .filter(|one| one.rule.name == first.rule.name);
    let mut named: Vec<String> = Vec::new();
    let mut left = 0;
    for diagnostic in unnamed {
        let Some(code) = in_model(diagnostic) else { continue };
        if named.len() < MOST {
            if !named.contains(&code) {
                named.push(code);
            }
        } else {
            left += 1;
        }
    }
    match (named.as_slice(), &first.suggested_name) {
        ([], Some(name)) => format!("or name the constraint in the model: name=\"{}\"", printable(name)),
        ([], None) => "or name each constraint in the model: name=\"...\"".to_owned(),
        ([one], _) if first.model.is_some() => format!("or name it in the model: {one}"),
        ([one], _) => format!("or name the constraint in the model: {one}"),
        _ => {
            let mut text = "or name each constraint in its model:".to_owned();
            for one in &named {
                let _ = write!(text, "\n{one}");
            }
            if left > 0 {
                let _ = write!(text, "\nand {left} more");
            }
            text
        }
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

fn push_item(text: &mut String, bullet: &str, item: &str, width: Width) {
    let options = textwrap::Options::new(width.columns)
        .initial_indent(bullet)
        .subsequent_indent("   ");
    text.push_str(&wrap(item, options));
    text.push('\n');
}

fn models(diagnostic: &Diagnostic) -> Option<String> {
    diagnostic
        .related
        .iter()
        .find(|label| label.place.file.path() != diagnostic.path())
        .map(position)
}

fn position(label: &crate::diagnostic::Label) -> String {
    let file = &label.place.file;
    format!(
        "{}:{}",
        printable(&file.path().display()),
        file.position(label.place.span.start).line
    )
}

/// The convention that SQLAlchemy documents, as code to paste; of checks nothing is known here.
fn convention_code(spelling: Option<&Spelling>) -> String {
    let (open, deep, close) = match spelling {
        None | Some(Spelling::InClass) => (
            "metadata = MetaData(\n    naming_convention={".to_owned(),
            1,
            "    }\n)",
        ),
        Some(Spelling::Own(callee)) => (format!("{callee}(\n    naming_convention={{"), 1, "    }\n)"),
        Some(Spelling::Argument(callee)) => (
            format!("{callee}(\n    metadata=MetaData(\n        naming_convention={{"),
            2,
            "        }\n    )\n)",
        ),
        Some(Spelling::Assigned(target)) => (format!("{target} = {{"), 0, "}"),
    };
    let mut code = format!("{open}\n");
    let convention = Convention::sqlalchemy_documented().without(ConstraintKind::Check);
    for (key, value) in convention.entries() {
        if let (Key::Text(key), Value::Template(template)) = (key, value) {
            let _ = writeln!(code, "{}\"{key}\": \"{template}\",", "    ".repeat(deep + 1));
        }
    }
    code.push_str(close);
    code.push('\n');
    textwrap::indent(&code, "       ")
}
