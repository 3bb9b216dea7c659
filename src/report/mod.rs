//! Findings on their way to a reader: one file a format, and nothing else in the program prints.

mod concise;
mod edge;
mod hints;
mod json;
mod text;

use std::fmt::Write as _;
use std::io::{self, Write};

pub use edge::{Edge, Width};

use crate::check::Outcome;
use crate::diagnostic::Severity;
use crate::settings::Format;

/// A way to write findings.
pub trait Reporter {
    /// Writes all findings of a run.
    fn report(&self, outcome: &Outcome, out: &mut dyn Write) -> io::Result<()>;
}

/// The reporter of a format; `width` is what a line may take, and `quiet` leaves the summary out.
#[must_use]
pub fn reporter(format: Format, width: Width, quiet: bool) -> Box<dyn Reporter> {
    match format {
        Format::Text => Box::new(text::Text::new(width, quiet)),
        Format::Concise => Box::new(concise::Concise),
        Format::Json => Box::new(json::Json),
    }
}

/// What can be done for good, said once a run; nothing when there is nothing to say.
#[must_use]
pub fn hints(outcome: &Outcome, width: Width) -> Option<String> {
    hints::hints(outcome, width)
}

/// "1 file checked: 2 errors"
#[must_use]
pub fn summary(outcome: &Outcome) -> String {
    let files = counted(outcome.files.len(), "file");
    let found: Vec<String> = [(Severity::Error, "error"), (Severity::Warning, "warning")]
        .into_iter()
        .map(|(severity, word)| (outcome.count(severity), word))
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| counted(count, word))
        .collect();
    let mut summary = format!("{files} checked");
    if outcome.files.is_empty() {
        summary.push_str(": there is no Python file among what was to be checked");
    } else if found.is_empty() {
        summary.push_str(", nothing found");
    } else {
        summary.push_str(": ");
        summary.push_str(&found.join(", "));
    }
    if !outcome.failures.is_empty() {
        let failed = counted(outcome.failures.len(), "file");
        let _ = write!(summary, "; {failed} could not be checked");
    }
    summary
}

fn counted(count: usize, word: &str) -> String {
    format!("{count} {word}{}", if count == 1 { "" } else { "s" })
}

/// Text from the repository without the characters that steer a terminal.
fn printable(text: &str) -> String {
    text.chars()
        .map(|letter| if letter.is_control() { '\u{fffd}' } else { letter })
        .collect()
}
