//! A naming convention leaves kinds of constraints out.

use crate::constraints::MetadataFile;
use crate::constraints::convention_name::known_convention;
use crate::diagnostic::{Diagnostic, Rule, Severity};
use crate::naming::{ConstraintKind, Convention};
use crate::project::Checks;
use crate::words::listed;

pub(super) static RULE: Rule = Rule {
    name: "incomplete-naming-convention",
    summary: "a naming convention leaves kinds of constraints out",
    severity: Severity::Error,
    documentation: include_str!("../../docs/rules/incomplete-naming-convention.md"),
};

/// Without these three a migration fails or drifts; an unnamed primary key or check seldom does.
const REQUIRED: [ConstraintKind; 3] = [ConstraintKind::ForeignKey, ConstraintKind::Unique, ConstraintKind::Index];
const OPTIONAL: [ConstraintKind; 2] = [ConstraintKind::PrimaryKey, ConstraintKind::Check];

pub(super) fn check(file: &MetadataFile<'_>) -> Vec<Diagnostic> {
    let judged = file.judged;
    let Some((convention, place)) = known_convention(&judged.target) else {
        return Vec::new();
    };
    let missing = |kinds: &[ConstraintKind]| -> Vec<&'static str> {
        kinds
            .iter()
            .filter(|kind| convention.template_for(**kind).is_none())
            .filter_map(|kind| kind.prefix())
            .collect()
    };
    let (required, mut optional) = (missing(&REQUIRED), missing(&OPTIONAL));
    if optional.contains(&"ck") && must_leave_out_checks(file, convention) {
        optional.retain(|prefix| *prefix != "ck");
    }
    let all = [required.as_slice(), optional.as_slice()].concat();
    if all.is_empty() {
        return Vec::new();
    }
    let here = place.filter(|place| place.file.path() == judged.place.file.path());
    let place = here.unwrap_or(&judged.place);
    let mut diagnostic =
        Diagnostic::new(&RULE, &place.file, place.span, format!("the naming convention leaves out {}", listed(&all)))
            .focus(place.span, consequence(&required))
            .help(format!("add a template for each (`alembic-named explain {}` shows them)", RULE.name));
    if required.is_empty() {
        diagnostic.severity = Severity::Warning;
    }
    vec![diagnostic]
}

/// Whether a template for checks would fail or rename some, or the convention keeps the names of a live database.
fn must_leave_out_checks(file: &MetadataFile<'_>, convention: &Convention) -> bool {
    let names_no_checks = |one: &Convention| one.template_for(ConstraintKind::Check).is_none();
    let keys = |one: &Convention| one.template_for(ConstraintKind::ForeignKey).cloned();
    file.configured_convention.is_some_and(names_no_checks)
        || keys(convention) == keys(&Convention::postgresql_defaults())
        || !matches!(*file.checks(), Checks::Free)
}

fn consequence(required: &[&str]) -> &'static str {
    match required {
        [] => "the database invents these names, which differ from one database to the next",
        ["ix"] => "a dict without `ix` takes away SQLAlchemy's default: `index=True` then fails",
        _ => "autogenerate still writes None for these",
    }
}

#[cfg(test)]
mod tests {
    use crate::rules::harness::{check_models, models, shown};

    #[test]
    fn what_is_left_out_is_told_with_what_follows() {
        let found = |convention: &str| shown(&check_models(&models(convention)));
        insta::assert_snapshot!(found("{'ix': 'ix_%(column_0_label)s'}"), @r"
        2:46 error[incomplete-naming-convention]: the naming convention leaves out `fk`, `uq`, `pk` and `ck`
          {'ix': 'ix_%(column_0_label)s'}: autogenerate still writes None for these
          help: add a template for each (`alembic-named explain incomplete-naming-convention` shows them)
        ");
        insta::assert_snapshot!(found("{'fk': 'fk_%(column_0_N_label)s', 'uq': 'uq_%(column_0_N_label)s', 'pk': 'pk_%(table_name)s', 'ck': 'ck_%(constraint_name)s'}"), @r"
        2:46 error[incomplete-naming-convention]: the naming convention leaves out `ix`
          {'fk': 'fk_%(column_0_N_label)s', 'uq': 'uq_%(column_0_N_label)s', 'pk': 'pk_%(table_name)s', 'ck': 'ck_%(constraint_name)s'}: a dict without `ix` takes away SQLAlchemy's default: `index=True` then fails
          help: add a template for each (`alembic-named explain incomplete-naming-convention` shows them)
        ");
    }
}
