//! A comment silences a rule that finds nothing there. What it is about stands in [`crate::check::ignores`].

use crate::diagnostic::{Rule, Severity};

/// The rule.
pub(super) static RULE: Rule = Rule {
    name: "unused-ignore",
    summary: "an ignore comment silences nothing",
    severity: Severity::Warning,
    documentation: include_str!("../../docs/rules/unused-ignore.md"),
};
