//! Workflow commands of GitHub Actions, which show findings beside the code of a pull request.

use std::io::{self, Write};

use super::wording::advice;
use crate::check::Outcome;
use crate::diagnostic::Diagnostic;
use crate::escape::escape;

pub(super) fn report(outcome: &Outcome, out: &mut dyn Write) -> io::Result<()> {
    for diagnostic in &outcome.diagnostics {
        annotation(diagnostic, out)?;
    }
    for failure in &outcome.failures {
        writeln!(out, "::error title=alembic-named::{}", data(failure))?;
    }
    Ok(())
}

fn annotation(diagnostic: &Diagnostic, out: &mut dyn Write) -> io::Result<()> {
    let start = diagnostic.file.position(diagnostic.span.start);
    let end = diagnostic.file.position(diagnostic.span.end);
    // GitHub takes columns only where the lines are the same.
    let columns = if start.line == end.line {
        format!(",col={},endColumn={}", start.column, end.column)
    } else {
        String::new()
    };
    writeln!(
        out,
        "::{} file={},line={},endLine={}{columns},title=alembic-named ({})::{}",
        diagnostic.severity,
        property(&diagnostic.path().display()),
        start.line,
        end.line,
        diagnostic.rule.name,
        data(&advice(diagnostic)),
    )
}

/// The text of a command, which ends with its line.
fn data(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '%' => escaped.push_str("%25"),
            '\r' => escaped.push_str("%0D"),
            '\n' => escaped.push_str("%0A"),
            '\t' => escaped.push('\t'),
            // The others would steer the terminal of whoever reads the log, or hide something from them.
            _ => match escape(letter) {
                Some(shown) => escaped.push_str(&shown),
                None => escaped.push(letter),
            },
        }
    }
    escaped
}

/// The value of a property, which ends at a comma or a colon as well.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_text_can_end_it() {
        assert_eq!(data("50 % of\r\na: b, c\u{1b}\u{202e}"), "50 %25 of%0D%0Aa: b, c\\x1b\\u202e");
        assert_eq!(property("a,b:c%2C\n.py"), "a%2Cb%3Ac%252C%0A.py");
    }
}
