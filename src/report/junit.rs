//! JUnit's XML, which every CI server shows as tests.
//!
//! A finding that blocks is a failed test of its own, because the servers show one failure a test; a file without findings is a test that
//! passed, and a file that could not be checked is a test with an error.

use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;
use std::io::{self, Write};

use super::summary;
use super::wording::advice;
use crate::check::Outcome;
use crate::diagnostic::{Diagnostic, Severity};
use crate::escape::escape;
use crate::source::RepoPath;

pub(super) fn report(outcome: &Outcome, out: &mut dyn Write) -> io::Result<()> {
    let found: HashSet<&RepoPath> = outcome.diagnostics.iter().map(Diagnostic::path).collect();
    let clean: Vec<&RepoPath> = outcome
        .files
        .iter()
        .map(|file| &file.path)
        .filter(|path| !found.contains(path))
        .collect();
    let tests = outcome.diagnostics.len() + clean.len() + outcome.failures.len();
    writeln!(out, r#"<?xml version="1.0" encoding="UTF-8"?>"#)?;
    writeln!(out, "<testsuites>")?;
    writeln!(
        out,
        r#"  <testsuite name="alembic-named" tests="{tests}" failures="{}" errors="{}" skipped="0">"#,
        outcome.count(Severity::Error),
        outcome.failures.len(),
    )?;
    findings(&outcome.diagnostics, out)?;
    for path in clean {
        let path = escaped(&path.display());
        writeln!(out, r#"    <testcase classname="{path}" name="nothing found" file="{path}"/>"#)?;
    }
    for (at, failure) in outcome.failures.iter().enumerate() {
        let (number, failure) = (at + 1, escaped(failure));
        writeln!(out, r#"    <testcase classname="alembic-named" name="could not be checked ({number})">"#)?;
        writeln!(out, r#"      <error type="failure" message="{failure}">{failure}</error>"#)?;
        writeln!(out, "    </testcase>")?;
    }
    writeln!(out, "    <system-out>{}</system-out>", escaped(&summary(outcome)))?;
    writeln!(out, "  </testsuite>\n</testsuites>")
}

fn findings(diagnostics: &[Diagnostic], out: &mut dyn Write) -> io::Result<()> {
    let mut seen: HashMap<(&RepoPath, String), usize> = HashMap::new();
    for diagnostic in diagnostics {
        let path = escaped(&diagnostic.path().display());
        let rule = diagnostic.rule.name;
        let mut name = format!("{rule}: {}", escaped(&diagnostic.message));
        // A server knows a test again by its name: a line number in it would make every edit above a new test.
        let count = seen.entry((diagnostic.path(), name.clone())).or_default();
        *count += 1;
        if *count > 1 {
            name = format!("{name} ({count})");
        }
        let position = diagnostic.file.position(diagnostic.span.start);
        let text = format!("{path}:{}:{}: {}", position.line, position.column, escaped(&advice(diagnostic)));
        writeln!(out, r#"    <testcase classname="{path}" name="{name}" file="{path}">"#)?;
        if diagnostic.severity == Severity::Error {
            let message = escaped(&diagnostic.message);
            writeln!(out, r#"      <failure type="{rule}" message="{message}">{text}</failure>"#)?;
        } else {
            writeln!(out, "      <system-out>{}: {text}</system-out>", diagnostic.severity)?;
        }
        writeln!(out, "    </testcase>")?;
    }
    Ok(())
}

/// Text for an attribute or an element. What XML cannot hold at all is replaced.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&apos;"),
            // As they are, a parser would turn them into spaces in an attribute.
            '\n' => escaped.push_str("&#10;"),
            '\r' => escaped.push_str("&#13;"),
            '\t' => escaped.push_str("&#9;"),
            '\u{fffe}' | '\u{ffff}' => escaped.push('\u{fffd}'),
            _ => match escape(letter) {
                Some(shown) if letter < ' ' => escaped.push_str(&shown),
                Some(_) => {
                    let _ = write!(escaped, "&#{};", u32::from(letter));
                }
                None => escaped.push(letter),
            },
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_comes_back_from_xml_as_far_as_xml_can_hold_it() {
        let text = "a<b> & \"c\" 'd'\r\n\te ]]> \u{1f600}";
        let xml = format!(r#"<a b="{0}">{0}</a>"#, escaped(text));
        let document = roxmltree::Document::parse(&xml).unwrap();
        assert_eq!(document.root_element().attribute("b"), Some(text));
        assert_eq!(document.root_element().text(), Some(text));
        assert_eq!(escaped("\u{0}\u{1b}\u{9f}\u{ffff}"), "\\x00\\x1b&#159;\u{fffd}");
    }
}
