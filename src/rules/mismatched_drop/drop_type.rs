//! A drop with a wrong `type_`, or without one where it is needed.

use super::RULE;
use crate::constraints::MigrationFile;
use crate::diagnostic::Diagnostic;
use crate::migration::{Name, Operation};
use crate::naming::Dialect;
use crate::python::{ExprKind, Spread};
use crate::source::Span;

/// MySQL's `DROP` needs the kind, and Alembic knows four words for it (`alembic/operations/schemaobj.py`).
pub(super) fn check(file: &MigrationFile<'_>, drop: &Operation<'_>) -> Option<Diagnostic> {
    if drop.kind().is_some() || drop.name == Name::Unnamed {
        return None;
    }
    let position = if drop.receiver.is_batch() { 1 } else { 2 };
    let call = drop.call.span;
    match drop.call.argument(Some(position), "type_") {
        Ok(Some(argument)) if argument.value.kind != ExprKind::None => {
            let (written, place) = (argument.value.as_str()?, argument.value.span);
            Some(if is_table_of_batch(drop, written) {
                table_in_batch(file, drop, written, place)
            } else {
                unknown_type(file, call, written, place)
            })
        }
        Ok(_) if matches!(file.dialect(), Some(Dialect::Mysql | Dialect::Mariadb)) => Some(
            Diagnostic::new(&RULE, file.file(), call, "the drop does not say what kind of constraint it drops")
                .focus(call, "MySQL and MariaDB cannot drop a constraint without `type_`")
                .help("add `type_='foreignkey'`, 'unique', 'check' or 'primary'"),
        ),
        Ok(_) | Err(Spread) => None,
    }
}

fn unknown_type(file: &MigrationFile<'_>, call: Span, written: &str, place: Span) -> Diagnostic {
    let help = match meant_type(written) {
        Some(meant) => format!("write `type_='{meant}'`"),
        None => "write one of 'foreignkey', 'unique', 'check' and 'primary'".to_owned(),
    };
    let message = format!("`{written}` is no type of constraint");
    Diagnostic::new(&RULE, file.file(), call, message)
        .focus(place, "Alembic refuses it when this runs")
        .help(help)
}

/// Whether a batch operation is given its table, which comes at the place of `type_`: `op.drop_constraint` takes one there.
fn is_table_of_batch(drop: &Operation<'_>, written: &str) -> bool {
    let is_own = drop.table.known().is_some_and(|table| table == written);
    drop.receiver.is_batch()
        && (is_own
            || drop
                .call
                .keyword("type_")
                .is_some_and(|type_| type_.as_str() != Some(written)))
}

fn table_in_batch(file: &MigrationFile<'_>, drop: &Operation<'_>, written: &str, place: Span) -> Diagnostic {
    let has_type = drop.call.keyword("type_").is_some();
    let (label, and_the_type) = if has_type {
        ("this is `type_` a second time, so Python refuses the call", "")
    } else {
        (
            "Alembic takes it for `type_`, and refuses it when this runs",
            ", and write `type_=` with the kind of the constraint",
        )
    };
    Diagnostic::new(&RULE, file.file(), drop.call.span, "a batch operation takes no table")
        .focus(place, label)
        .help(format!("leave `{written}` out: the batch knows its table{and_the_type}"))
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
