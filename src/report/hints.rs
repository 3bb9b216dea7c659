//! The two cures, said once below all findings: a naming convention on the metadata, or a name in the model.

use std::fmt::Write;

use crate::check::Outcome;
use crate::diagnostic::Diagnostic;
use crate::naming::{Convention, Key, Value};

use super::{Width, printable};

pub(super) fn hints(outcome: &Outcome, width: Width) -> Option<String> {
    let unnamed = outcome
        .diagnostics
        .iter()
        .find(|diagnostic| diagnostic.rule.name == "unnamed-constraint");
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
    let convention =
        format!("give the metadata a naming convention{place}, and autogenerate writes every name itself:");
    push_item(&mut text, "1. ", &convention, width);
    let _ = writeln!(text, "\n{}", convention_code());
    let model = match &first.suggested_name {
        Some(name) => format!("or name the constraint in the model: name=\"{}\"", printable(name)),
        None => "or name each constraint in the model: name=\"...\"".to_owned(),
    };
    push_item(&mut text, "2. ", &model, width);
    Some(text)
}

fn push_item(text: &mut String, bullet: &str, item: &str, width: Width) {
    let options = textwrap::Options::new(width.columns)
        .initial_indent(bullet)
        .subsequent_indent("   ");
    text.push_str(&textwrap::fill(item, options));
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

/// The convention that SQLAlchemy documents, as code to paste.
fn convention_code() -> String {
    let mut code = String::from("       metadata = MetaData(\n           naming_convention={\n");
    for (key, value) in Convention::sqlalchemy_documented().entries() {
        if let (Key::Text(key), Value::Template(template)) = (key, value) {
            let _ = writeln!(code, "               \"{key}\": \"{template}\",");
        }
    }
    code.push_str("           }\n       )\n");
    code
}
