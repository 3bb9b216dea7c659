//! The metadata that Alembic migrates has no naming convention.

use crate::diagnostic::{Diagnostic, Severity};
use crate::project::{ConventionFacts, Judged, Target};

use super::convention_code::give_convention;
use super::ineffective_naming_convention::is_ineffective;
use super::{Check, MetadataFile, Rule};

/// The rule.
pub(super) static RULE: Rule = Rule {
    name: "missing-naming-convention",
    summary: "the metadata that Alembic migrates has no naming convention",
    severity: Severity::Error,
    documentation: include_str!("../../docs/rules/missing-naming-convention.md"),
    check: Check::Metadata(check),
};

fn check(file: &MetadataFile<'_>) -> Vec<Diagnostic> {
    let judged = file.judged;
    let place = &judged.place;
    let source = file.module.file();
    match &judged.target {
        Target::Nothing => vec![no_metadata(file)],
        Target::Metadata(facts)
            if matches!(facts.convention, ConventionFacts::Default)
                && !facts.is_reflected
                && !is_ineffective(facts) =>
        {
            let mut diagnostic = Diagnostic::new(
                &RULE,
                source,
                place.span,
                format!("{} has no naming convention", owner(judged, &facts.maker)),
            )
            .focus(
                place.span,
                "no naming convention here, so autogenerate writes None for every constraint",
            )
            .help(help(file));
            diagnostic.fix = give_convention(file);
            vec![diagnostic]
        }
        Target::Several(several)
            if several
                .iter()
                .any(|facts| matches!(facts.convention, ConventionFacts::Default)) =>
        {
            vec![
                Diagnostic::new(
                    &RULE,
                    source,
                    place.span,
                    "a metadata of this list has no naming convention",
                )
                .focus(
                    place.span,
                    "autogenerate writes None for every constraint of its tables",
                )
                .help("give each MetaData a `naming_convention`"),
            ]
        }
        _ => Vec::new(),
    }
}

/// `alembic init` writes `target_metadata = None` into `env.py`, which is no mistake yet and stays so where migrations are written by hand.
fn no_metadata(file: &MetadataFile<'_>) -> Diagnostic {
    let place = &file.judged.place;
    let mut diagnostic = Diagnostic::new(
        &RULE,
        file.module.file(),
        place.span,
        "`target_metadata` is None, so no naming convention is applied",
    )
    .focus(
        place.span,
        "autogenerate sees no models, and unnamed constraints stay unnamed",
    )
    .help("set it to the metadata of your models, and give that a naming convention");
    if place.file.path().file_name() == b"env.py" {
        diagnostic.severity = Severity::Warning;
    }
    diagnostic
}

/// Which of the two usual conventions is for whom.
fn help(file: &MetadataFile<'_>) -> String {
    let explain = format!("`alembic-named explain {}` shows it all", RULE.name);
    match (file.configured_convention, file.is_deployed) {
        (Some(_), _) => "give its MetaData the convention of your configuration".to_owned(),
        (None, true) => format!(
            "give its MetaData a `naming_convention`: SQLAlchemy's documented one for new names, or PostgreSQL's own patterns if \
             databases exist and their names shall stay ({explain})"
        ),
        (None, false) => format!("give its MetaData a `naming_convention` ({explain})"),
    }
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
