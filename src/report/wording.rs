//! A finding in words alone, for formats without an excerpt of the code.

use crate::diagnostic::Diagnostic;

/// What is wrong, why, and what to do, on lines of their own.
pub(super) fn advice(diagnostic: &Diagnostic) -> String {
    match &diagnostic.help {
        Some(help) => format!("{}\nhelp: {help}", reason(diagnostic)),
        None => reason(diagnostic),
    }
}

/// What is wrong, why, and the name to use, on one line.
pub(super) fn one_line(diagnostic: &Diagnostic) -> String {
    match &diagnostic.suggested_name {
        Some(name) => format!("{}; name it `{name}`", reason(diagnostic)),
        None => reason(diagnostic),
    }
}

fn reason(diagnostic: &Diagnostic) -> String {
    let (message, focus) = (&diagnostic.message, &diagnostic.focus.text);
    if focus.is_empty() {
        message.clone()
    } else {
        format!("{message}: {focus}")
    }
}
