//! The metadata that Alembic migrates has no naming convention.

use super::ineffective_naming_convention::{is_ineffective, line_of};
use crate::constraints::MetadataFile;
use crate::constraints::convention_code::{give_convention, why_no_checks};
use crate::diagnostic::{Diagnostic, Prevention, Rule, Severity};
use crate::project::{ConventionFacts, Judged, MetadataFacts, Spelling, Target};

pub(super) static RULE: Rule = Rule {
    name: "missing-naming-convention",
    summary: "the metadata that Alembic migrates has no naming convention",
    severity: Severity::Error,
    documentation: include_str!("../../docs/rules/missing-naming-convention.md"),
};

pub(super) fn check(file: &MetadataFile<'_>) -> Vec<Diagnostic> {
    let judged = file.judged;
    let place = &judged.place;
    let source = file.module.file();
    match &judged.target {
        Target::Nothing => no_metadata(file).into_iter().collect(),
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
            .focus(place.span, "autogenerate writes None for every constraint, so downgrades fail")
            .help(help(file, facts));
            diagnostic.fix = give_convention(file);
            diagnostic.prevention = Some(Prevention::Decision);
            diagnostic.owner.clone_from(&judged.owner);
            vec![diagnostic]
        }
        Target::Several(several)
            if several
                .iter()
                .any(|facts| matches!(facts.convention, ConventionFacts::Default)) =>
        {
            vec![
                Diagnostic::new(&RULE, source, place.span, "a metadata of this list has no naming convention")
                    .focus(place.span, "autogenerate writes None for every constraint of its tables")
                    .help("give each MetaData a `naming_convention`"),
            ]
        }
        _ => Vec::new(),
    }
}

/// `alembic init` writes `target_metadata = None` into `env.py`, which is no mistake where migrations are written by hand: `--verbose` tells it, and
/// each finding that rests on it.
fn no_metadata(file: &MetadataFile<'_>) -> Option<Diagnostic> {
    let place = &file.judged.place;
    if place.file.path().file_name() == b"env.py" {
        return None;
    }
    let diagnostic = Diagnostic::new(
        &RULE,
        file.module.file(),
        place.span,
        "`target_metadata` is None, so no naming convention is applied",
    )
    .focus(place.span, "autogenerate sees no models, and unnamed constraints stay unnamed")
    .help("set it to the metadata of your models, and give that a naming convention");
    Some(diagnostic)
}

/// How this project gives its metadata a convention.
fn help(file: &MetadataFile<'_>, facts: &MetadataFacts) -> String {
    let give = match facts.spelling() {
        Spelling::InClass | Spelling::Own(_) => "give its MetaData a `naming_convention`".to_owned(),
        spelling @ Spelling::Argument(_) => format!("give it one, `{}`", spelling.around("...")),
        spelling @ Spelling::Assigned(_) => {
            let above = facts.first_statement.as_ref();
            let above = above.map_or_else(String::new, |place| format!(" above {}", line_of(file, place)));
            format!("set `{}`{above}, before any table is defined", spelling.around("..."))
        }
    };
    let mut help = match file.configured_convention {
        Some(_) => format!("{give}: the one of your configuration"),
        None => give,
    };
    if let Some(why) = why_no_checks(file) {
        help.push_str("; ");
        help.push_str(&why);
    }
    help
}

/// What the project calls the class or object that has the metadata.
fn owner(judged: &Judged, maker: &str) -> String {
    let text = judged.place.file.slice(judged.place.span);
    if text.contains(char::is_whitespace) || text.len() > 40 || text.is_empty() {
        format!("the metadata of `{maker}`")
    } else {
        format!("`{text}`")
    }
}

#[cfg(test)]
mod tests;
