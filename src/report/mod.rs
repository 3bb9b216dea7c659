//! Findings on their way to a reader: one file a format, and nothing else in the program prints.

mod commands;
mod concise;
mod config;
mod edge;
mod fingerprint;
mod github;
mod gitlab;
mod hints;
mod json;
mod junit;
mod page;
mod rules;
mod sarif;
mod text;
mod verbose;
mod window;
mod wording;

use std::fmt::Write as _;
use std::io::{self, Write};

pub use config::config;
pub use edge::{Edge, Width, standard_error, standard_output, use_color};
pub use page::page;
pub use rules::rules;
pub use verbose::verbose;

use owo_colors::OwoColorize;

use crate::check::Outcome;
use crate::diagnostic::{Diagnostic, Severity};
use crate::escape::{printable, printable_code};
use crate::fix::unified_diff;
use crate::settings::{Format, Settings};
use crate::source::RepoPath;
use crate::words::counted;

/// Writes all findings of a run in the format that the settings ask for; `width` is what a line may take.
pub fn findings(outcome: &Outcome, settings: &Settings, width: Width, out: &mut dyn Write) -> io::Result<()> {
    match settings.format {
        Format::Text => text::report(outcome, settings, width, out),
        Format::Concise => concise::report(outcome, out),
        Format::Json => json::report(outcome, out),
        Format::Sarif => sarif::report(outcome, out),
        Format::Github => github::report(outcome, out),
        Format::Gitlab => gitlab::report(outcome, out),
        Format::Junit => junit::report(outcome, out),
    }
}

/// The change of a file as `git apply` reads it; where a person reads it, without what is not seen. Without a text before, the file is new.
pub fn diff(path: &RepoPath, before: Option<&str>, after: &str, edge: &mut Edge) -> io::Result<()> {
    let diff = unified_diff(path, before, after);
    let diff = if edge.is_seen() {
        printable_code(&diff.replace("\r\n", "\n"))
    } else {
        diff
    };
    let is_coloured = edge.is_coloured;
    let out = edge.out();
    for line in diff.split_inclusive('\n') {
        match line.as_bytes().first().filter(|_| is_coloured) {
            Some(b'+') => write!(out, "{}", line.green())?,
            Some(b'-') => write!(out, "{}", line.red())?,
            Some(b'@') => write!(out, "{}", line.cyan())?,
            _ => write!(out, "{line}")?,
        }
    }
    Ok(())
}

/// What is said below the findings: what was fixed, what can be done, and how many there are where the format does not say so itself.
pub fn after(
    outcome: &Outcome,
    settings: &Settings,
    width: Width,
    is_text: bool,
    err: &mut dyn Write,
) -> io::Result<()> {
    if let Some(done) = hints::done(outcome, settings) {
        writeln!(err, "{done}")?;
    }
    for remark in &outcome.remarks {
        writeln!(err, "{}", printable(remark))?;
    }
    if !is_text {
        let how = hints::how_to_write(outcome, settings);
        if how.is_some() {
            writeln!(err)?;
        }
        writeln!(err, "{}", summary(outcome))?;
        return match how {
            Some(how) => writeln!(err, "{how}"),
            None => Ok(()),
        };
    }
    match hints::hints(outcome, settings, width) {
        Some(hints) => write!(err, "{hints}"),
        None => Ok(()),
    }
}

/// Writes why something could not be done.
pub fn failure(err: &mut dyn Write, sentence: &str) -> io::Result<()> {
    writeln!(err, "{} {}", "error:".red().bold(), printable(sentence))
}

/// "1 file checked: 2 errors, both fixable"
#[must_use]
pub fn summary(outcome: &Outcome) -> String {
    let files = counted(outcome.files.len(), "file");
    let found = totals(&outcome.diagnostics);
    let mut summary = format!("{files} checked");
    if outcome.files.is_empty() && !outcome.failures.is_empty() {
        // Said below.
    } else if outcome.files.is_empty() {
        let _ = write!(summary, ": {}", outcome.why_none);
    } else if found.is_empty() && outcome.fixed > 0 {
        summary.push_str(", nothing is left to fix");
    } else if found.is_empty() {
        summary.push_str(", nothing found");
    } else {
        summary.push_str(": ");
        summary.push_str(&found);
        summary.push_str(&fixable(outcome));
    }
    if !outcome.failures.is_empty() {
        let failed = counted(outcome.failures.len(), "file");
        let _ = write!(summary, "; {failed} could not be checked");
    }
    summary
}

/// "2 errors, 1 warning"
fn totals(found: &[Diagnostic]) -> String {
    let count = |severity| found.iter().filter(|one| one.severity == severity).count();
    [(Severity::Error, "error"), (Severity::Warning, "warning")]
        .map(|(severity, word)| (count(severity), word))
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| counted(count, word))
        .collect::<Vec<_>>()
        .join(", ")
}

/// ", both fixable"
fn fixable(outcome: &Outcome) -> String {
    let fixable = outcome.diagnostics.iter().filter(|one| one.fix.is_some()).count();
    match (fixable, outcome.diagnostics.len()) {
        (0, _) => String::new(),
        (1, 1) => ", fixable".to_owned(),
        (2, 2) => ", both fixable".to_owned(),
        (some, all) if some == all => ", all fixable".to_owned(),
        (some, _) => format!(", {some} fixable"),
    }
}

/// Text in lines of at most this many columns. Names are not split at their hyphens: they are there to be copied.
fn wrap<'o>(text: &str, options: impl Into<textwrap::Options<'o>>) -> String {
    textwrap::fill(text, options.into().word_splitter(textwrap::WordSplitter::NoHyphenation))
}
