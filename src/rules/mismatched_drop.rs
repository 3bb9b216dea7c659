//! The downgrade drops a name that the upgrade did not create, though it created another.

mod certain_drop;
mod counterparts;
mod create;
mod drop_type;
mod facts;
mod needed_index;
#[cfg(test)]
mod tests;

use certain_drop::CertainDrop;
use counterparts::Counterparts;
use create::ConstraintCreate;

use crate::constraints::MigrationFile;
use crate::constraints::convention_name::dropped_name;
use crate::constraints::drops::ConstraintDrop;
use crate::constraints::type_checks::InnerCheck;
use crate::constraints::unnamed_operation::this_direction;
use crate::diagnostic::{Diagnostic, Rule, Severity};
use crate::fix::{Fix, Safety};
use crate::naming::ConstraintKind;
use crate::source::Span;

/// The rule.
pub(super) static RULE: Rule = Rule {
    name: "mismatched-drop",
    summary: "one half of a revision drops a name that the other half did not create",
    severity: Severity::Error,
    documentation: include_str!("../../docs/rules/mismatched-drop.md"),
};

pub(super) fn check(file: &MigrationFile<'_>) -> Vec<Diagnostic> {
    let counterparts = Counterparts::new(file);
    let drops = file.drops().all().iter();
    let drops = drops.filter_map(|at| CertainDrop::of(at.drop(file)?));
    let mut found: Vec<Diagnostic> = drops.filter_map(|drop| mismatch(&counterparts, &drop)).collect();
    let operations = file
        .migration
        .operations
        .iter()
        .filter(|operation| !operation.creates());
    found.extend(operations.filter_map(|drop| drop_type::check(file, drop)));
    found.extend(needed_index::check(file));
    found
}

fn mismatch<'f>(counterparts: &Counterparts<'f, '_>, drop: &CertainDrop<'f>) -> Option<Diagnostic> {
    let file = counterparts.file;
    let creates = counterparts.of(drop);
    // In the usual case the names are the same as written, and the convention does not have to be read.
    let is_same = |create: ConstraintCreate<'_>| {
        !drop.is_named_differently(file, create)
            || drop
                .name_in_database(file)
                .is_none_or(|name| !drop.differs_in_database(file, create, &name))
    };
    if creates.written_as(drop).any(is_same) {
        return None;
    }
    if creates.all.is_empty() {
        return mismatched_check(counterparts, drop);
    }
    if creates.are_doubtful {
        return None;
    }
    let own = drop.name_in_database(file)?;
    if counterparts.may_be_created_elsewhere(drop, creates, &own) {
        return None;
    }
    let names = creates.names(file)?;
    if names.contain(drop, &own) {
        return None;
    }
    let undropped = creates.undropped(counterparts, drop, names);
    let at = undropped.alike(drop.name).or(undropped.first())?;
    let (create, name) = (*creates.all.get(at)?, names.get(at)?);
    let same_words = match (create, drop.drop) {
        (ConstraintCreate::Operation(create), ConstraintDrop::Operation(drop)) if create.name == drop.name => {
            create.kind()
        }
        _ => None,
    };
    let missed = Missed {
        place: create.place(file),
        name,
        same_words,
    };
    Some(diagnostic(file, drop, &own, &missed, undropped.is_one()))
}

/// A constraint that the upgrade creates, and the drop misses by its name.
struct Missed<'n> {
    place: Span,
    name: &'n str,
    /// Its kind, if the drop writes the same name, and only the convention makes another of it.
    same_words: Option<ConstraintKind>,
}

/// A check that the upgrade creates inside a table or a column, or with a column's type, and that is dropped by another form of its name: the
/// convention builds on a plain name, but a drop without `type_`, or with `op.f()`, takes it as it is written.
fn mismatched_check<'f>(counterparts: &Counterparts<'f, '_>, target: &CertainDrop<'f>) -> Option<Diagnostic> {
    let file = counterparts.file;
    let ConstraintDrop::Operation(drop) = target.drop else {
        return None;
    };
    let checks = file.inner_checks().of_table(target.table, target.schema)?;
    let is_check = matches!(drop.kind(), None | Some(ConstraintKind::Check));
    let own = dropped_name(file, drop).filter(|_| is_check && !drop.when.conditional)?;
    if counterparts.may_be_created_by_others(target, None, &own) || checks.iter().any(|check| check.name == own) {
        return None;
    }
    // As it is written, as it is in the database, or as the documented convention would make it.
    let is_alike = |check: &&InnerCheck| {
        let is_prefixed = || format!("ck_{}_{}", target.table, check.written) == target.name;
        [&check.written, &check.name].iter().any(|name| *name == target.name) || is_prefixed()
    };
    let mut meant = checks.iter().filter(is_alike);
    let (Some(check), None) = (meant.next(), meant.next()) else {
        return None;
    };
    let missed = Missed {
        place: check.place,
        name: &check.name,
        same_words: (check.written == target.name).then_some(ConstraintKind::Check),
    };
    Some(diagnostic(file, target, &own, &missed, true))
}

fn diagnostic(
    file: &MigrationFile<'_>,
    target: &CertainDrop<'_>,
    own: &str,
    missed: &Missed<'_>,
    is_only: bool,
) -> Diagnostic {
    let (drop, name) = (target.drop, missed.name);
    let (call, place) = match drop {
        ConstraintDrop::Operation(operation) => (operation.call.span, operation.name_value_span()),
        ConstraintDrop::Sql(sql, _) => (sql.run.call.span, drop.place(file)),
    };
    let message = format!("`{own}` is dropped, and the upgrade creates `{name}`");
    let direction = this_direction(drop.direction());
    let mut diagnostic = Diagnostic::new(&RULE, file.file(), call, message)
        .focus(place, format!("{direction} fails: there is no constraint of this name"))
        .related(file.place(missed.place), "this is what it must drop")
        .help(help(drop, missed));
    if is_only {
        diagnostic.suggested_name = Some(name.to_owned());
        let edit = drop.rename(file, name);
        diagnostic.fix = edit.map(|edit| Fix::new(format!("drop `{name}`"), Safety::Suggested, vec![edit]));
    }
    diagnostic
}

/// Alembic applies the convention to a drop that says its kind (`alembic/operations/schemaobj.py`, `generic_constraint`).
fn help(drop: ConstraintDrop<'_>, missed: &Missed<'_>) -> String {
    let name = missed.name;
    let is_untyped = matches!(drop, ConstraintDrop::Operation(drop) if drop.kind().is_none());
    match missed.same_words.and_then(ConstraintKind::type_name) {
        Some(kind) if is_untyped => {
            format!("add `type_='{kind}'`, so that the convention makes the name of both; or drop `{name}`")
        }
        _ => format!("drop `{name}`"),
    }
}
