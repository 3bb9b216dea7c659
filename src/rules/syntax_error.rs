//! A migration or a metadata module is not valid Python.

use crate::diagnostic::{Diagnostic, Rule, Severity};
use crate::python::Module;

/// The rule.
pub(super) static RULE: Rule = Rule {
    name: "syntax-error",
    summary: "a migration or a metadata module does not parse; what can be read of it is checked",
    severity: Severity::Warning,
    documentation: include_str!("../../docs/rules/syntax-error.md"),
};

pub(super) fn check(module: &Module) -> Vec<Diagnostic> {
    let Some(first) = module.errors().first() else {
        return Vec::new();
    };
    let line = module.file().line_span(first.span.start);
    let span = if line.contains(first.span) { first.span } else { line };
    let more = match module.errors().len() - 1 {
        0 => String::new(),
        1 => " (and one more error below)".to_owned(),
        more => format!(" (and {more} more errors below)"),
    };
    vec![
        Diagnostic::new(&RULE, module.file(), span, format!("this is not valid Python{more}"))
            .focus(span, lower_first(&first.message))
            .help("mend it, so that all of the file can be checked"),
    ]
}

fn lower_first(text: &str) -> String {
    let mut letters = text.chars();
    letters
        .next()
        .map(|first| first.to_lowercase().chain(letters).collect())
        .unwrap_or_default()
}
