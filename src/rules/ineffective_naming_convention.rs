//! A naming convention that is written down where SQLAlchemy or Alembic does not take it from.

use crate::diagnostic::{Diagnostic, Severity};
use crate::project::{ConventionFacts, MetadataFacts, Place, Target};

use super::{Check, MetadataFile, Rule};

/// The rule.
pub(super) static RULE: Rule = Rule {
    name: "ineffective-naming-convention",
    summary: "a naming convention looks set and has no effect",
    severity: Severity::Error,
    documentation: include_str!("../../docs/rules/ineffective-naming-convention.md"),
    check: Check::Metadata(check),
};

fn check(file: &MetadataFile<'_>) -> Vec<Diagnostic> {
    match &file.judged.target {
        Target::Metadata(facts) if is_ineffective(facts) => of_metadata(file, facts),
        Target::Metadata(facts) => facts
            .late
            .as_ref()
            .map(|(set, table)| too_late(file, set, table))
            .into_iter()
            .collect(),
        Target::Several(several) => of_list(file, several),
        _ => Vec::new(),
    }
}

/// Whether somebody meant to give a convention and SQLAlchemy has none.
pub(super) fn is_ineffective(facts: &MetadataFacts) -> bool {
    matches!(facts.convention, ConventionFacts::Default) && !facts.ineffective.is_empty()
}

fn of_metadata(file: &MetadataFile<'_>, facts: &MetadataFacts) -> Vec<Diagnostic> {
    let source = file.module.file();
    let here = facts
        .ineffective
        .iter()
        .filter(|(place, _)| place.file.path() == source.path());
    let mut found: Vec<Diagnostic> = here
        .map(|(place, reason)| {
            Diagnostic::new(&RULE, source, place.span, "this naming convention has no effect")
                .focus(place.span, reason.clone())
                .related(
                    file.judged.place.clone(),
                    "this is the metadata that Alembic migrates, without a convention",
                )
                .help(HELP)
        })
        .collect();
    if found.is_empty() {
        let place = &file.judged.place;
        found.extend(facts.ineffective.first().map(|(other, reason)| {
            Diagnostic::new(&RULE, source, place.span, "its naming convention has no effect")
                .focus(place.span, "the metadata that Alembic migrates, without a convention")
                .related(other.clone(), reason.clone())
                .help(HELP)
        }));
    }
    found
}

/// SQLAlchemy names a constraint when it is attached to its table (`sqlalchemy/sql/naming.py`), and never again.
fn too_late(file: &MetadataFile<'_>, set: &Place, table: &Place) -> Diagnostic {
    let source = file.module.file();
    let here = set.file.path() == source.path();
    let span = if here { set.span } else { file.judged.place.span };
    let mut diagnostic = Diagnostic::new(
        &RULE,
        source,
        span,
        "this naming convention comes too late for tables that are defined before it",
    )
    .focus(
        span,
        "SQLAlchemy names constraints while a table is defined, so autogenerate writes None for those",
    )
    .related(table.clone(), "this table is defined before the convention is set")
    .help(HELP);
    if !here {
        diagnostic = diagnostic.related(set.clone(), "the convention is set here");
    }
    diagnostic
}

const HELP: &str = "give the convention to the MetaData itself: `metadata = MetaData(naming_convention=...)`";

/// A list is no mistake of its own, and its metadata name what autogenerate writes; only operations without a name get none.
fn of_list(file: &MetadataFile<'_>, several: &[MetadataFacts]) -> Vec<Diagnostic> {
    let has_one = |facts: &MetadataFacts| !matches!(facts.convention, ConventionFacts::Default);
    if !several.iter().any(has_one) {
        return Vec::new();
    }
    let place = &file.judged.place;
    let mut diagnostic = Diagnostic::new(
        &RULE,
        file.module.file(),
        place.span,
        "Alembic takes no naming convention from a list of metadata",
    )
    .focus(
        place.span,
        "an operation without a name stays unnamed, whatever these metadata say",
    )
    .help("name every constraint in the migrations, or hand over one metadata for each environment");
    diagnostic.severity = Severity::Warning;
    vec![diagnostic]
}
