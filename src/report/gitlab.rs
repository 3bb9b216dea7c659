//! GitLab's code quality report, which shows findings in a merge request.
//!
//! It has no place for a file that could not be checked: that is said on standard error, and by the exit status.

use std::io::{self, Write};

use serde::Serialize;

use super::fingerprint::fingerprints;
use super::wording::one_line;
use crate::check::Outcome;
use crate::diagnostic::{Diagnostic, Severity};
use crate::escape::Screen;

pub(super) fn report(outcome: &Outcome, out: &mut dyn Write) -> io::Result<()> {
    let issues: Vec<Issue> = outcome
        .diagnostics
        .iter()
        .zip(fingerprints(&outcome.diagnostics))
        .map(|(diagnostic, fingerprint)| issue(diagnostic, fingerprint))
        .collect();
    serde_json::to_writer_pretty(Screen::json(&mut *out), &issues)?;
    writeln!(out)
}

#[derive(Serialize)]
struct Issue {
    description: String,
    check_name: &'static str,
    fingerprint: String,
    severity: &'static str,
    location: Location,
}

#[derive(Serialize)]
struct Location {
    path: String,
    lines: Lines,
}

#[derive(Serialize)]
struct Lines {
    begin: usize,
    end: usize,
}

fn issue(diagnostic: &Diagnostic, fingerprint: String) -> Issue {
    Issue {
        description: one_line(diagnostic),
        check_name: diagnostic.rule.name,
        fingerprint,
        severity: if diagnostic.severity == Severity::Error {
            "major"
        } else {
            "minor"
        },
        location: Location {
            path: diagnostic.path().to_string(),
            lines: Lines {
                begin: diagnostic.file.position(diagnostic.span.start).line,
                end: diagnostic.file.position(diagnostic.span.end).line,
            },
        },
    }
}
