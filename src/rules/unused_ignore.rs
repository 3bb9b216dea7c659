//! An ignore comment names a rule that finds nothing there. [`crate::check::ignores`] looks for it.

use crate::diagnostic::{Rule, Severity};

pub(super) static RULE: Rule = Rule {
    name: "unused-ignore",
    summary: "an ignore comment silences nothing",
    severity: Severity::Warning,
    documentation: include_str!("../../docs/rules/unused-ignore.md"),
};

#[cfg(test)]
mod tests {
    use crate::rules::harness::{check_last, shown};

    #[test]
    fn only_the_rule_that_finds_nothing_is_taken_out() {
        let found = check_last(
            "",
            &[
                "op.create_unique_constraint(None, 't', ['c'])  # alembic-named: ignore[unnamed-constraint, unnamed-drop]",
            ],
        );
        insta::assert_snapshot!(shown(&found), @r"
        6:52 warning[unused-ignore]: this silences no `unnamed-drop`
          # alembic-named: ignore[unnamed-constraint, unnamed-drop]: nothing here is found by that rule
          help: take it out, so that it does not hide the next finding
        ");
    }
}
