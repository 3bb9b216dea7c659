//! A migration or a metadata module is not valid Python.

use crate::diagnostic::{Diagnostic, Rule, Severity};
use crate::python::Module;

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
            .help("fix it, so that the whole file can be checked"),
    ]
}

fn lower_first(text: &str) -> String {
    let mut letters = text.chars();
    letters
        .next()
        .map(|first| first.to_lowercase().chain(letters).collect())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use crate::rules::harness::{check_last, shown};

    #[test]
    fn the_first_of_several_errors_is_shown() {
        let found = check_last("", &["op.create_index('ix', 't', ['c']\n    x = = 1\n    y = = 2"]);
        insta::assert_snapshot!(shown(&found), @r"
        7:5 warning[syntax-error]: this is not valid Python (and 6 more errors below)
          x: expected `,`, found name
          help: fix it, so that the whole file can be checked
        ");
    }
}
