//! The metadata that Alembic migrates has no naming convention.

use crate::diagnostic::{Diagnostic, Severity};
use crate::project::{ConventionFacts, Judged, Target};

use super::{Check, Rule};

/// The rule.
pub(super) static RULE: Rule = Rule {
    name: "missing-naming-convention",
    summary: "the metadata that Alembic migrates has no naming convention",
    severity: Severity::Error,
    documentation: include_str!("../../docs/rules/missing-naming-convention.md"),
    check: Check::Metadata(check),
};

fn check(judged: &Judged) -> Vec<Diagnostic> {
    let found = match &judged.target {
        Target::Nothing => (
            "`target_metadata` is None, so no naming convention is applied".to_owned(),
            "autogenerate sees no models, and unnamed constraints stay unnamed",
            "set it to the metadata of your models, and give that a naming convention",
        ),
        Target::Metadata(facts) if matches!(facts.convention, ConventionFacts::Default) => (
            format!("{} has no naming convention", owner(judged, &facts.maker)),
            "no naming convention here, so autogenerate writes None for every constraint",
            "give its MetaData a `naming_convention`",
        ),
        _ => return Vec::new(),
    };
    let (message, label, help) = found;
    let place = &judged.place;
    vec![
        Diagnostic::new(&RULE, &place.file, place.span, message)
            .focus(place.span, label)
            .help(format!("{help} (`alembic-named explain {}` shows it)", RULE.name)),
    ]
}

/// What the project calls the thing that has the metadata.
pub(super) fn owner(judged: &Judged, maker: &str) -> String {
    let text = judged.place.file.slice(judged.place.span);
    if text.contains(char::is_whitespace) || text.len() > 40 || text.is_empty() {
        format!("the metadata of `{maker}`")
    } else {
        format!("`{text}`")
    }
}
