//! Version 1 of the JSON report, for programs.

use std::io::{self, Write};

use serde::Serialize;

use crate::check::{FileKind, Outcome};
use crate::diagnostic::{Diagnostic, Severity};
use crate::escape::Screen;
use crate::fix::{Fix, Safety};
use crate::git::Status;

pub(super) fn report(outcome: &Outcome, out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer_pretty(Screen::json(&mut *out), &Report::of(outcome))?;
    writeln!(out)
}

#[derive(Serialize)]
struct Report<'o> {
    version: u32,
    summary: Summary,
    files: Vec<File<'o>>,
    diagnostics: Vec<Finding<'o>>,
}

#[derive(Serialize)]
struct Summary {
    files_checked: usize,
    errors: usize,
    warnings: usize,
    fixable: usize,
    fixed: usize,
}

#[derive(Serialize)]
struct File<'o> {
    path: String,
    status: &'static str,
    kind: &'o FileKind,
}

#[derive(Serialize)]
struct Finding<'o> {
    rule: &'static str,
    severity: Severity,
    path: String,
    line: usize,
    column: usize,
    end_line: usize,
    end_column: usize,
    message: &'o str,
    help: Option<&'o str>,
    suggested_name: Option<&'o str>,
    related: Vec<Related<'o>>,
    fix: Option<Change<'o>>,
}

#[derive(Serialize)]
struct Related<'o> {
    path: String,
    line: usize,
    column: usize,
    message: &'o str,
}

#[derive(Serialize)]
struct Change<'o> {
    title: &'o str,
    safety: Safety,
    edits: Vec<EditOf<'o>>,
}

#[derive(Serialize)]
struct EditOf<'o> {
    path: String,
    start: usize,
    end: usize,
    text: &'o str,
}

impl<'o> Report<'o> {
    fn of(outcome: &'o Outcome) -> Self {
        Self {
            version: 1,
            summary: Summary {
                files_checked: outcome.files.len(),
                errors: outcome.count(Severity::Error),
                warnings: outcome.count(Severity::Warning),
                fixable: outcome
                    .diagnostics
                    .iter()
                    .filter(|diagnostic| diagnostic.fix.is_some())
                    .count(),
                fixed: outcome.fixed,
            },
            files: outcome
                .files
                .iter()
                .map(|file| File {
                    path: file.path.to_string(),
                    status: file.status.as_ref().map_or("untracked", status),
                    kind: &file.kind,
                })
                .collect(),
            diagnostics: outcome.diagnostics.iter().map(finding).collect(),
        }
    }
}

const fn status(status: &Status) -> &'static str {
    match status {
        Status::Added => "added",
        Status::Modified => "modified",
        Status::Renamed { .. } => "renamed",
        Status::Copied { .. } => "copied",
        Status::TypeChanged => "typechange",
        Status::Unmodified => "unmodified",
    }
}

fn finding(diagnostic: &Diagnostic) -> Finding<'_> {
    let start = diagnostic.file.position(diagnostic.span.start);
    let end = diagnostic.file.position(diagnostic.span.end);
    Finding {
        rule: diagnostic.rule.name,
        severity: diagnostic.severity,
        path: diagnostic.path().to_string(),
        line: start.line,
        column: start.column,
        end_line: end.line,
        end_column: end.column,
        message: &diagnostic.message,
        help: diagnostic.help.as_deref(),
        suggested_name: diagnostic.suggested_name.as_deref(),
        related: diagnostic
            .places()
            .map(|label| {
                let position = label.place.file.position(label.place.span.start);
                Related {
                    path: label.place.file.path().to_string(),
                    line: position.line,
                    column: position.column,
                    message: &label.text,
                }
            })
            .collect(),
        fix: diagnostic.fix.as_ref().map(change),
    }
}

fn change(fix: &Fix) -> Change<'_> {
    Change {
        title: &fix.title,
        safety: fix.safety,
        edits: fix
            .edits
            .iter()
            .map(|edit| EditOf {
                path: edit.file.path().to_string(),
                start: edit.span.start,
                end: edit.span.end,
                text: &edit.text,
            })
            .collect(),
    }
}
