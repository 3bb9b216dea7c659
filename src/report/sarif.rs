//! SARIF 2.1.0, for code scanning and editors.
//!
//! No path of this machine is in it: every file is named relative to `%SRCROOT%`, the top of what was checked.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::io::{self, Write};

use serde_json::{Value, json};

use super::fingerprint::fingerprints;
use super::summary;
use super::wording::advice;
use crate::check::Outcome;
use crate::diagnostic::{Diagnostic, Label, Rule, Severity};
use crate::escape::Screen;
use crate::fix::{Edit, Fix};
use crate::rules;
use crate::source::{RepoPath, SourceFile, Span};

const SCHEMA: &str = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

pub(super) fn report(outcome: &Outcome, out: &mut dyn Write) -> io::Result<()> {
    // Without indentation, which is most of such a file, and result by result, since there may be thousands.
    let log = log(outcome);
    let (head, tail) = log.split_once(RESULTS).unwrap_or((&log, ""));
    let out = &mut Screen::json(&mut *out);
    write!(out, "{head}[")?;
    let mut shown: HashMap<(&RepoPath, Span), &Fix> = HashMap::new();
    let fingerprints = fingerprints(&outcome.diagnostics);
    for (at, (diagnostic, fingerprint)) in outcome.diagnostics.iter().zip(fingerprints).enumerate() {
        let comma = if at > 0 { "," } else { "" };
        // A create and its drop have one fix.
        let first = diagnostic
            .fix
            .as_ref()
            .and_then(|fix| Some((fix, fix.edits.first()?.span)));
        let before = first.and_then(|(fix, span)| shown.insert((diagnostic.path(), span), fix));
        let shows_fix = before.is_none() || before != diagnostic.fix.as_ref();
        writeln!(out, "{comma}")?;
        serde_json::to_writer(&mut *out, &result(diagnostic, &fingerprint, shows_fix))?;
    }
    writeln!(out, "]{tail}")
}

/// Stands for the results, which are written one by one.
const RESULTS: &str = "\"results go here\"";

fn log(outcome: &Outcome) -> String {
    let artifacts: Vec<Value> = outcome
        .files
        .iter()
        .map(|file| {
            json!({
                "location": location(&file.path),
                "roles": ["analysisTarget"],
                "sourceLanguage": "python",
            })
        })
        .collect();
    json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": {
                "driver": {
                    "name": "alembic-named",
                    "semanticVersion": env!("CARGO_PKG_VERSION"),
                    "rules": rules::all().map(reporting_descriptor).collect::<Vec<_>>(),
                },
            },
            "invocations": [invocation(outcome)],
            "originalUriBaseIds": {
                "%SRCROOT%": { "description": { "text": "The top of the repository." } },
            },
            "artifacts": artifacts,
            // Where Python ends a line, which is more than the standard supposes.
            "newlineSequences": ["\r\n", "\n", "\r"],
            "columnKind": "unicodeCodePoints",
            "results": "results go here",
        }],
    })
    .to_string()
}

fn invocation(outcome: &Outcome) -> Value {
    let notification = |level: &str, text: &str| json!({ "level": level, "message": message(text) });
    let mut notifications: Vec<Value> = outcome
        .failures
        .iter()
        .map(|failure| notification("error", failure))
        .collect();
    if outcome.files.is_empty() {
        notifications.push(notification("note", &summary(outcome)));
    }
    json!({
        "executionSuccessful": outcome.failures.is_empty(),
        "toolExecutionNotifications": notifications,
    })
}

fn reporting_descriptor(rule: &Rule) -> Value {
    json!({
        "id": rule.name,
        "shortDescription": { "text": rule.summary },
        "fullDescription": { "text": first_paragraph(rule.documentation) },
        "help": { "text": rule.documentation, "markdown": rule.documentation },
        "defaultConfiguration": {
            "enabled": rule.severity != Severity::Off,
            "level": level(rule.severity),
        },
        "properties": {
            "tags": ["alembic", "sqlalchemy"],
            // The words of code scanning, which sorts by them.
            "problem.severity": if rule.severity == Severity::Off { "recommendation" } else { level(rule.severity) },
        },
    })
}

/// What stands right below the title of a rule's page.
fn first_paragraph(page: &str) -> String {
    let lines = page.lines().skip_while(|line| line.starts_with('#') || line.is_empty());
    lines.take_while(|line| !line.is_empty()).collect::<Vec<_>>().join(" ")
}

/// A create and its drop are one problem, and have one fix: it stands with the first of them.
fn result(diagnostic: &Diagnostic, fingerprint: &str, shows_fix: bool) -> Value {
    let mut result = json!({
        "ruleId": diagnostic.rule.name,
        "ruleIndex": rules::all().position(|rule| rule == diagnostic.rule),
        "level": level(diagnostic.severity),
        "message": message(&advice(diagnostic)),
        "locations": [{ "physicalLocation": physical_location(&diagnostic.file, diagnostic.span) }],
        "partialFingerprints": { "alembicNamedCode/v1": fingerprint },
    });
    let related: Vec<&Label> = diagnostic.places().collect();
    if !related.is_empty() {
        result["relatedLocations"] = related.into_iter().enumerate().map(related_location).collect();
    }
    if let Some(name) = &diagnostic.suggested_name {
        result["properties"] = json!({ "suggestedName": name });
    }
    if let Some(fix) = diagnostic.fix.as_ref().filter(|_| shows_fix) {
        result["fixes"] = json!([fix_of(fix)]);
    }
    result
}

fn related_location((at, label): (usize, &Label)) -> Value {
    json!({
        "id": at,
        "physicalLocation": physical_location(&label.place.file, label.place.span),
        "message": message(&label.text),
    })
}

fn fix_of(fix: &Fix) -> Value {
    let of_one_file = |edits: &[Edit]| {
        json!({
            "artifactLocation": edits.first().map(|edit| location(edit.file.path())),
            "replacements": edits.iter().map(replacement).collect::<Vec<_>>(),
        })
    };
    // The edits of a fix are in the order of their files.
    let changes = fix.edits.chunk_by(|one, other| one.file.path() == other.file.path());
    json!({
        "description": message(&fix.title),
        "artifactChanges": changes.map(of_one_file).collect::<Vec<_>>(),
        "properties": { "safety": fix.safety },
    })
}

fn replacement(edit: &Edit) -> Value {
    let mut deleted = region(&edit.file, edit.span);
    deleted["charOffset"] = edit.file.characters_before(edit.span.start).into();
    deleted["charLength"] = edit.file.slice(edit.span).chars().count().into();
    deleted["byteOffset"] = edit.span.start.into();
    deleted["byteLength"] = (edit.span.end - edit.span.start).into();
    json!({ "deletedRegion": deleted, "insertedContent": { "text": edit.text } })
}

fn physical_location(file: &SourceFile, span: Span) -> Value {
    json!({ "artifactLocation": location(file.path()), "region": region(file, span) })
}

fn region(file: &SourceFile, span: Span) -> Value {
    let start = file.position(span.start);
    let end = file.position(span.end);
    json!({
        "startLine": start.line,
        "startColumn": start.column,
        "endLine": end.line,
        "endColumn": end.column,
    })
}

fn location(path: &RepoPath) -> Value {
    json!({ "uri": uri(path), "uriBaseId": "%SRCROOT%" })
}

/// A relative reference that gives the path's bytes back, whatever they are.
fn uri(path: &RepoPath) -> String {
    path.as_bytes().iter().fold(String::new(), |mut uri, &byte| {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            let _ = write!(uri, "%{byte:02X}");
        }
        uri
    })
}

/// A message that holds no placeholder and no link, although SARIF has a syntax for both.
fn message(text: &str) -> Value {
    let mut text = text.replace('{', "{{").replace('}', "}}");
    if text.contains("](") {
        text = text.replace('\\', "\\\\").replace('[', "\\[").replace(']', "\\]");
    }
    json!({ "text": text })
}

const fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Off => "none",
        Severity::Warning => "warning",
        Severity::Error => "error",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fix::Safety;

    #[test]
    fn a_path_is_a_relative_reference() {
        assert_eq!(uri(&"a b/ü%\"#?:.py".into()), "a%20b/%C3%BC%25%22%23%3F%3A.py");
        assert_eq!(uri(&RepoPath::new(b"\xff~.py")), "%FF~.py");
    }

    #[test]
    fn a_message_shows_what_it_says() {
        assert_eq!(message("a {0} of b[1]")["text"], "a {{0}} of b[1]");
        assert_eq!(message("a [b](1)")["text"], "a \\[b\\](1)");
    }

    #[test]
    fn a_region_of_characters_and_of_bytes() {
        let file = SourceFile::new("a.py".into(), "\u{feff}é\r\n\u{1f600} = x\n".to_owned());
        let at = file.text().find('x').unwrap();
        assert_eq!(
            replacement(&Edit::replace(&file, Span::new(at, at + 1), "y")),
            json!({
                "deletedRegion": {
                    "startLine": 2, "startColumn": 5, "endLine": 2, "endColumn": 6,
                    "charOffset": 7, "charLength": 1, "byteOffset": 14, "byteLength": 1,
                },
                "insertedContent": { "text": "y" },
            })
        );
    }

    #[test]
    fn each_result_is_a_line_and_a_pair_has_its_fix_once() {
        let written = |pairs: usize| {
            let file = SourceFile::new("a.py".into(), "None, None\n".repeat(pairs));
            let mut outcome = Outcome::default();
            for at in 0..2 * pairs {
                let (pair, start) = (at / 2 * 11, at / 2 * 11 + at % 2 * 6);
                let span = Span::new(start, start + 4);
                let mut one = Diagnostic::new(rules::all().next().unwrap(), &file, span, "m");
                let edit = Edit::replace(&file, Span::new(pair, pair + 4), "op.f('n')");
                one.fix = Some(Fix::new("name it", Safety::Safe, vec![edit]));
                outcome.diagnostics.push(one);
            }
            let mut bytes = Vec::new();
            report(&outcome, &mut bytes).unwrap();
            String::from_utf8(bytes).unwrap()
        };
        let (few, many) = (written(10), written(20));
        let log: Value = serde_json::from_str(&few).unwrap();
        assert_eq!(log["runs"][0]["results"].as_array().unwrap().len(), 20);
        assert_eq!(few.matches("\"fixes\"").count(), 10);
        assert_eq!((few.lines().count(), many.lines().count()), (21, 41));
        let of_ten = many.len() - few.len();
        assert!(of_ten < 10 * 1_700, "{of_ten} bytes for ten pairs");
    }

    #[test]
    fn every_rule_has_a_description_that_fits() {
        for rule in rules::all() {
            let text = first_paragraph(rule.documentation);
            assert!(!text.is_empty() && text.len() <= 1024, "{}: {text}", rule.name);
        }
    }
}
