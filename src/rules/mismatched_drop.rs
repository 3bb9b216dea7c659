//! One half of a revision drops a name that the other half did not create, though it created another.

use std::collections::HashSet;

use crate::diagnostic::{Diagnostic, Severity};
use crate::fix::{Edit, Fix, Safety};
use crate::migration::{Half, Name, Operation};
use crate::naming::{ConstraintKind, Dialect};
use crate::project::Place;
use crate::python::{ExprKind, Spread};

use super::edits::finished_name;
use super::inline::{InlineName, constraints_of};
use super::naming_target::this_half;
use super::suggestion::{Constraint, effective_name};
use super::{Check, MigrationFile, Rule};

/// The rule.
pub(super) static RULE: Rule = Rule {
    name: "mismatched-drop",
    summary: "one half of a revision drops a name that the other half did not create",
    severity: Severity::Error,
    documentation: include_str!("../../docs/rules/mismatched-drop.md"),
    check: Check::Migration(check),
};

fn check(file: &MigrationFile<'_>) -> Vec<Diagnostic> {
    let drops = || {
        file.migration
            .operations
            .iter()
            .filter(|operation| !operation.creates())
    };
    let mut found: Vec<Diagnostic> = drops().filter_map(|drop| mismatch(file, drop)).collect();
    found.extend(drops().filter_map(|drop| wrong_type(file, drop)));
    found.extend(drops().filter_map(|drop| index_before_its_key(file, drop)));
    found
}

fn has_name(operation: &Operation<'_>) -> bool {
    operation.name.text().is_some()
}

fn opposite(one: &Operation<'_>, other: &Operation<'_>) -> bool {
    matches!(
        (one.half, other.half),
        (Half::Upgrade, Half::Downgrade) | (Half::Downgrade, Half::Upgrade)
    )
}

/// The creates of the other half that a drop may mean: of the same table, schema and kind.
fn counterparts<'f>(file: &'f MigrationFile<'_>, drop: &Operation<'_>) -> Vec<&'f Operation<'f>> {
    let same = |create: &&Operation<'_>| {
        create.creates()
            && opposite(create, drop)
            && create.table == drop.table
            && create.schema == drop.schema
            && drop.kind().is_none_or(|kind| create.kind() == Some(kind))
            && (drop.kind().is_some() || create.kind() != Some(ConstraintKind::Index))
    };
    file.migration.operations.iter().filter(same).collect()
}

/// The name in the database, with which names are compared: the convention may build on a plain one.
fn known_name(file: &MigrationFile<'_>, operation: &Operation<'_>, kind: Option<ConstraintKind>) -> Option<String> {
    let constraint = Constraint {
        kind: kind?,
        ..Constraint::from(operation)
    };
    effective_name(file, constraint)
}

/// Only a downgrade has to undo what stands above it: an upgrade may well replace what an older revision made.
fn mismatch(file: &MigrationFile<'_>, drop: &Operation<'_>) -> Option<Diagnostic> {
    let guarded = drop.call.keyword("if_exists").is_some();
    if drop.half != Half::Downgrade || !has_name(drop) || drop.table.known().is_none() || drop.repeated || guarded {
        return None;
    }
    let creates = counterparts(file, drop);
    // The usual case needs no convention, and so no file but this one.
    if creates.iter().any(|create| create.name == drop.name) {
        return None;
    }
    // A name that is computed may be any; what stands inside a table or a column is made without an operation.
    let doubtful = |create: &&Operation<'_>| !has_name(create) || create.repeated;
    if creates.is_empty() || creates.iter().any(doubtful) || is_made_inline(file, drop) {
        return None;
    }
    let kind = drop.kind().or_else(|| creates.first()?.kind());
    let own = known_name(file, drop, kind)?;
    let dropped: HashSet<String> = file
        .migration
        .operations
        .iter()
        .filter(|other| !other.creates() && other.half == drop.half && other.table == drop.table)
        .filter_map(|other| known_name(file, other, other.kind().or(kind)))
        .collect();
    let mut left = Vec::new();
    for create in creates {
        let name = known_name(file, create, create.kind())?;
        if name == own {
            return None;
        }
        if !dropped.contains(&name) && !goes_with_its_columns(file, create) {
            left.push((create, name));
        }
    }
    let (create, name) = left.first()?;
    Some(diagnostic(file, drop, &own, create, name, left.len() == 1))
}

/// A constraint is gone when one of its columns is dropped in the other half.
fn goes_with_its_columns(file: &MigrationFile<'_>, create: &Operation<'_>) -> bool {
    let Some(columns) = create.columns.known() else {
        return false;
    };
    file.migration.steps.iter().any(|step| {
        let position = usize::from(!step.receiver.is_batch());
        let dropped = step.call.argument(Some(position), "column_name").ok().flatten();
        step.method == "drop_column"
            && step.half != create.half
            && step.table == create.table
            && dropped
                .and_then(|argument| argument.value.as_str())
                .is_some_and(|name| columns.iter().any(|column| column == name))
    })
}

fn is_made_inline(file: &MigrationFile<'_>, drop: &Operation<'_>) -> bool {
    let Some(written) = drop.name.text() else { return true };
    let source = file.file();
    file.migration.steps.iter().any(|step| match step.method {
        // SQL that speaks of the name may have made it, and a table may have had another name.
        "execute" => source.slice(step.call.span).contains(written),
        "rename_table" => true,
        "create_table" | "add_column" if step.table == drop.table => {
            constraints_of(step).iter().any(|inline| match &inline.name {
                InlineName::Plain(name) | InlineName::Finished(name) => name == written,
                InlineName::Unnamed | InlineName::Computed => true,
            })
        }
        _ => false,
    })
}

fn diagnostic(
    file: &MigrationFile<'_>,
    drop: &Operation<'_>,
    own: &str,
    create: &Operation<'_>,
    name: &str,
    is_only: bool,
) -> Diagnostic {
    let place = |operation: &Operation<'_>| {
        operation
            .name_argument
            .map_or(operation.call.span, |argument| argument.value.span)
    };
    let other = if drop.half == Half::Downgrade {
        "the upgrade"
    } else {
        "the downgrade"
    };
    let created = Place {
        file: file.file().clone(),
        span: place(create),
    };
    let mut diagnostic = Diagnostic::new(
        &RULE,
        file.file(),
        drop.call.span,
        format!("`{own}` is dropped, and {other} creates `{name}`"),
    )
    .focus(
        place(drop),
        format!("{} fails: there is no constraint of this name", this_half(drop.half)),
    )
    .related(created, "this is what it must drop")
    .help(format!("drop `{name}`"));
    if is_only {
        diagnostic.suggested_name = Some(name.to_owned());
        let edit = finished_name(file, &drop.receiver, drop.call, name).map(|text| Edit {
            file: file.file().clone(),
            span: place(drop),
            text,
        });
        diagnostic.fix = edit.map(|edit| Fix::new(format!("drop `{name}`"), Safety::Suggested, vec![edit]));
    }
    diagnostic
}

/// MySQL's `DROP` needs to know what it drops, and Alembic knows four words for it (`alembic/operations/schemaobj.py`).
fn wrong_type(file: &MigrationFile<'_>, drop: &Operation<'_>) -> Option<Diagnostic> {
    if drop.kind().is_some() || drop.name == Name::Unnamed {
        return None;
    }
    let position = if drop.receiver.is_batch() { 1 } else { 2 };
    let span = drop.call.span;
    match drop.call.argument(Some(position), "type_") {
        Ok(Some(argument)) if argument.value.kind != ExprKind::None => {
            let written = argument.value.as_str()?;
            let meant = meant_type(written);
            let help = match meant {
                Some(meant) => format!("write `type_='{meant}'`"),
                None => "write one of 'foreignkey', 'unique', 'check' and 'primary'".to_owned(),
            };
            Some(
                Diagnostic::new(
                    &RULE,
                    file.file(),
                    span,
                    format!("`{written}` is no type of constraint"),
                )
                .focus(argument.value.span, "Alembic refuses it when this runs")
                .help(help),
            )
        }
        Ok(_) if matches!(file.dialect(), Some(Dialect::Mysql | Dialect::Mariadb)) => Some(
            Diagnostic::new(
                &RULE,
                file.file(),
                span,
                "the drop does not say what kind of constraint it drops",
            )
            .focus(span, "MySQL and MariaDB cannot drop a constraint without `type_`")
            .help("add `type_='foreignkey'`, 'unique', 'check' or 'primary'"),
        ),
        Ok(_) | Err(Spread) => None,
    }
}

fn meant_type(written: &str) -> Option<&'static str> {
    let letters: String = written
        .chars()
        .filter(char::is_ascii_alphabetic)
        .collect::<String>()
        .to_lowercase();
    match letters.as_str() {
        "fk" | "foreign" | "foreignkey" | "foreignkeys" | "fkey" => Some("foreignkey"),
        "uq" | "uniq" | "unique" | "uniqueconstraint" => Some("unique"),
        "ck" | "check" | "checkconstraint" => Some("check"),
        "pk" | "pkey" | "primary" | "primarykey" => Some("primary"),
        _ => None,
    }
}

/// MariaDB keeps a foreign key's index: it cannot go before the key does (error 1553).
fn index_before_its_key(file: &MigrationFile<'_>, drop: &Operation<'_>) -> Option<Diagnostic> {
    if drop.kind() != Some(ConstraintKind::Index) || !has_name(drop) {
        return None;
    }
    let operations = &file.migration.operations;
    let index = operations.iter().find(|create| {
        create.creates()
            && create.kind() == Some(ConstraintKind::Index)
            && opposite(create, drop)
            && create.name == drop.name
    })?;
    let column = index.columns.known()?.first()?;
    let later = operations.iter().find(|key| {
        let is_key = !key.creates() && key.kind() == Some(ConstraintKind::ForeignKey) && key.function == drop.function;
        let on_column = || {
            let made = operations
                .iter()
                .find(|create| create.creates() && opposite(create, key) && create.name == key.name);
            made.and_then(|create| create.columns.known()?.first()) == Some(column)
        };
        is_key && key.table == index.table && key.call.span > drop.call.span && on_column()
    })?;
    if !matches!(file.dialect(), Some(Dialect::Mysql | Dialect::Mariadb)) {
        return None;
    }
    let place = Place {
        file: file.file().clone(),
        span: later.call.span,
    };
    Some(
        Diagnostic::new(
            &RULE,
            file.file(),
            drop.call.span,
            "the index is dropped before the foreign key that needs it",
        )
        .focus(drop.call.span, "MySQL and MariaDB refuse this (error 1553)")
        .related(place, "the foreign key goes only here")
        .help("drop the foreign key first"),
    )
}
