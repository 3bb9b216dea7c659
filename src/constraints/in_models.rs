//! What the models have to do with a missing name: its cause, how to prevent it, and the declaration that could have the name.

use super::MigrationFile;
use crate::diagnostic::{Label, OR_IN_MODEL, Prevention};
use crate::migration::Operation;
use crate::naming::ConstraintKind;
use crate::project::{ConventionFacts, Target, Wanted};

/// The place that has no convention for the constraint, or the one that names it.
pub(super) fn cause(file: &MigrationFile<'_>, is_implicit: bool, needs_name: bool) -> Option<Label> {
    let naming = file.naming();
    let (place, text) = match &naming.target {
        Target::Nothing => (naming.stated.clone()?, "no metadata here, so there is no naming convention either"),
        Target::Several(_) => (naming.stated.clone()?, "Alembic applies no naming convention from a list of metadata"),
        Target::Metadata(facts) => match (&facts.convention, is_implicit) {
            (ConventionFacts::Known(_, place) | ConventionFacts::Unknown(_, place), true) => {
                (place.clone()?, "this convention names it while the migration runs")
            }
            (ConventionFacts::Known(_, place), _) if needs_name => {
                (place.clone()?, "this convention builds on an explicit name")
            }
            (ConventionFacts::Known(_, place), _) => (place.clone()?, "this convention leaves its kind out"),
            (ConventionFacts::Default, _) => (
                facts.place.clone().or_else(|| naming.stated.clone())?,
                "no naming convention here, which is why autogenerate wrote None",
            ),
            (ConventionFacts::Unknown(..), _) => return None,
        },
        Target::ByDatabase(_) | Target::Unknown(_) => return None,
    };
    let text = text.to_owned();
    file.is_current(&place).then_some(Label { place, text })
}

/// What would make autogenerate write a name. Nothing for a check, whose name a person chooses.
pub(super) fn prevention(file: &MigrationFile<'_>, kind: Option<ConstraintKind>) -> Option<Prevention> {
    kind.filter(|kind| *kind != ConstraintKind::Check)?;
    match &file.naming().target {
        Target::Metadata(facts) => match &facts.convention {
            ConventionFacts::Known(..) => Some(Prevention::Template),
            ConventionFacts::Default => Some(Prevention::Convention(Some(facts.spelling()))),
            ConventionFacts::Unknown(..) => None,
        },
        Target::Nothing | Target::Several(_) | Target::ByDatabase(_) | Target::Unknown(_) => {
            Some(Prevention::Convention(None))
        }
    }
}

/// The declaration of the constraint, with the name in it.
pub(super) fn declaration(file: &MigrationFile<'_>, operation: &Operation<'_>, name: &str) -> Option<Label> {
    let wanted = Wanted {
        kind: operation.kind()?,
        table: operation.table.known()?,
        columns: operation.columns.as_ref()?,
    };
    let declaration = file.project.declaration(file.naming(), &wanted, name)?;
    Some(Label {
        place: declaration.place,
        text: format!("{OR_IN_MODEL}{}", declaration.named),
    })
}

/// The constraint as a model writes it with a name, which is never beside `unique=True`: there a `name=` would be the column's.
pub(super) fn code(operation: &Operation<'_>, name: &str) -> Option<String> {
    let columns = operation.columns.as_ref()?;
    let quoted = |names: &[String]| {
        let quoted: Vec<String> = names.iter().map(|name| format!("\"{name}\"")).collect();
        quoted.join(", ")
    };
    let code = match operation.kind()? {
        ConstraintKind::ForeignKey => {
            let referred = operation.referred.as_ref()?;
            let (table, remote) = (referred.table.known()?, referred.columns.known()?);
            let schema = referred.schema.known()?.as_ref();
            let schema = schema.map_or_else(String::new, |schema| format!("{schema}."));
            let remote = remote.iter().map(|column| format!("{schema}{table}.{column}"));
            match remote.collect::<Vec<_>>().as_slice() {
                [one] => format!("ForeignKey(\"{one}\", name=\"{name}\")"),
                several => {
                    let (own, other) = (quoted(columns), quoted(several));
                    format!("ForeignKeyConstraint([{own}], [{other}], name=\"{name}\")")
                }
            }
        }
        ConstraintKind::Unique => format!("UniqueConstraint({}, name=\"{name}\")", quoted(columns)),
        ConstraintKind::PrimaryKey => format!("PrimaryKeyConstraint({}, name=\"{name}\")", quoted(columns)),
        _ => return None,
    };
    Some(format!("{code} (table {})", operation.table.known()?))
}
