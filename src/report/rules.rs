//! `alembic-named rules`: each rule with its level and what it finds.

use super::{Width, wrap};
use crate::diagnostic::Rule;
use crate::rules;

/// A summary has at least that many columns beside the name; on a narrower terminal it stands below.
const NARROWEST: usize = 24;

/// All rules: one on a line where a program reads it, and in the columns of a terminal.
#[must_use]
pub fn rules(width: Width) -> String {
    let widest = rules::all().map(|rule| rule.name.len()).max().unwrap_or_default();
    let line = |rule: &Rule| {
        let start = format!("{:widest$}  {:7}  ", rule.name, rule.severity);
        if width.is_terminal {
            in_columns(&start, rule.summary, width.columns)
        } else {
            start + rule.summary
        }
    };
    rules::all().map(line).collect::<Vec<_>>().join("\n") + "\n"
}

fn in_columns(start: &str, summary: &str, columns: usize) -> String {
    let indent = " ".repeat(start.len());
    if columns >= start.len() + NARROWEST {
        let options = textwrap::Options::new(columns).initial_indent(start);
        return wrap(summary, options.subsequent_indent(&indent));
    }
    let below = textwrap::Options::new(columns)
        .initial_indent("    ")
        .subsequent_indent("    ");
    format!("{}\n{}", start.trim_end(), wrap(summary, below))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_gets_no_longer_lines_than_it_has_columns() {
        for columns in [50, 80, 100, 200] {
            let shown = rules(Width {
                columns,
                is_terminal: true,
            });
            for rule in rules::all() {
                assert!(shown.lines().any(|line| line.starts_with(rule.name)), "{shown}");
            }
            let longest = shown.lines().map(str::len).max();
            assert!(longest.is_some_and(|longest| longest <= columns), "{shown}");
            let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
            let pipe = rules(Width {
                columns,
                is_terminal: false,
            });
            assert_eq!(words(&shown), words(&pipe));
            assert_eq!(pipe.lines().count(), rules::all().count());
        }
    }

    #[test]
    fn a_summary_goes_on_below_itself() {
        let shown = in_columns("name  error    ", "one two three four five six", 40);
        assert_eq!(shown, "name  error    one two three four five\n               six");
        let narrow = in_columns("name  error    ", "one two three four five six", 30);
        assert_eq!(narrow, "name  error\n    one two three four five\n    six");
    }
}
