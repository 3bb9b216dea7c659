//! What the rules about operations have in common: how a constraint is spoken of, and the places that explain why it has no name.

use crate::diagnostic::{Diagnostic, Label};
use crate::migration::{Half, Name, Operation};
use crate::naming::ConstraintKind;
use crate::project::{ConventionFacts, Target, Wanted};

use super::suggestion::{Source, Suggestion, suggest};
use super::{MigrationFile, advice, edits};

/// "foreign key `order.invoice_id`", as far as it is known.
pub(super) fn subject(operation: &Operation<'_>) -> String {
    let kind = operation.kind().map_or("constraint", ConstraintKind::label);
    let table = operation.table.known().map(|table| match operation.schema.known() {
        Some(Some(schema)) => format!("{schema}.{table}"),
        _ => table.clone(),
    });
    match (table, operation.columns.known().map(Vec::as_slice)) {
        (Some(table), Some([column])) => format!("{kind} `{table}.{column}`"),
        (Some(table), Some(columns @ [_, ..])) => format!("{kind} `{table} ({})`", columns.join(", ")),
        (Some(table), _) => format!("{kind} on `{table}`"),
        (None, _) => kind.to_owned(),
    }
}

/// "this downgrade", "this upgrade", or what else holds the operation.
pub(super) const fn this_half(half: Half) -> &'static str {
    match half {
        Half::Upgrade => "this upgrade",
        Half::Downgrade => "this downgrade",
        Half::Unknown => "this",
    }
}

/// Adds the other half, the reason in the models, the help and the fix.
pub(super) fn complete(
    file: &MigrationFile<'_>,
    mut diagnostic: Diagnostic,
    operation: &Operation<'_>,
    partner: Option<(&Operation<'_>, &str)>,
    suggestion: &Suggestion,
) -> Diagnostic {
    let mut operations = vec![operation];
    diagnostic.problem = Some(operation.call.span);
    if let Some((other, text)) = partner {
        operations.push(other);
        let span = other.name_argument.map_or(other.call.span, |argument| argument.span);
        diagnostic.related.push(label(file, span, text));
        diagnostic.problem = Some(operation.call.span.min(other.call.span));
    }
    diagnostic.related.extend(reason_in_models(file, suggestion.source));
    diagnostic.model = model(file, operation, suggestion);
    let create = if operation.creates() {
        Some(operation)
    } else {
        partner.map(|(other, _)| other)
    };
    let name = advice::name_to_write(file, create, suggestion);
    let mut help = advice::help(file, create.unwrap_or(operation), partner.is_some(), suggestion);
    let obstacle = name
        .text
        .as_deref()
        .and_then(|name| obstacle(file, create, partner.is_some(), name));
    if let Some(obstacle) = &obstacle {
        help.push_str("; this is left to you, because ");
        help.push_str(obstacle);
    }
    diagnostic.help = Some(help);
    diagnostic.left_to_do = advice::batch_mode(file, create.unwrap_or(operation));
    diagnostic.fix = (name.certain && obstacle.is_none())
        .then_some(name.text.as_deref())
        .flatten()
        .and_then(|name| edits::name_all(file, &operations, name));
    diagnostic.suggested_name = name.text;
    diagnostic
}

/// Why the name cannot be written without a person's thought.
fn obstacle(file: &MigrationFile<'_>, create: Option<&Operation<'_>>, has_partner: bool, name: &str) -> Option<String> {
    let create = create?;
    let operations = &file.migration.operations;
    let at = operations
        .iter()
        .position(|operation| operation.call.span == create.call.span)?;
    if create.repeated {
        return Some("it runs in a loop".to_owned());
    }
    if !has_partner && file.pairing.is_doubtful(at) {
        return Some("which drop belongs to it is not certain".to_owned());
    }
    let is_namesake = |other: &Operation<'_>| {
        let of_the_same = other.creates() && other.block == create.block && other.call.span != create.call.span;
        let of_table = of_the_same && other.table == create.table && other.schema == create.schema;
        of_table
            && match &other.name {
                Name::Plain(taken) | Name::Finished(taken) => taken == name,
                Name::Unnamed => suggest(file, other).name.as_deref() == Some(name),
                Name::Computed => false,
            }
    };
    operations
        .iter()
        .any(is_namesake)
        .then(|| format!("another constraint of the table would have the same name, `{name}`"))
}

/// The declaration in the models, which is the other place where a name can stand.
fn model(file: &MigrationFile<'_>, operation: &Operation<'_>, suggestion: &Suggestion) -> Option<Label> {
    // A convention that names it already leaves nothing to do in the models.
    if suggestion.source == Source::Project || !operation.creates() {
        return None;
    }
    let wanted = Wanted {
        kind: operation.kind()?,
        table: operation.table.known()?,
        columns: operation.columns.known()?,
    };
    let declaration = file.declaration(&wanted, suggestion.name.as_ref()?)?;
    Some(Label {
        place: declaration.place,
        text: format!("or name it in the model: {}", declaration.named),
    })
}

fn label(file: &MigrationFile<'_>, span: crate::source::Span, text: &str) -> Label {
    Label {
        place: crate::project::Place {
            file: file.file().clone(),
            span,
        },
        text: text.to_owned(),
    }
}

/// The place that lacks the convention, or the one that has it.
fn reason_in_models(file: &MigrationFile<'_>, source: Source) -> Option<Label> {
    let naming = file.naming();
    let (place, text) = match &naming.target {
        Target::Nothing => (
            naming.stated.clone()?,
            "no metadata here, so there is no naming convention either",
        ),
        Target::Several(_) => (
            naming.stated.clone()?,
            "Alembic applies no naming convention from a list of metadata",
        ),
        Target::Metadata(facts) => match (&facts.convention, source) {
            (ConventionFacts::Known(_, place) | ConventionFacts::Unknown(_, place), Source::Project) => {
                (place.clone()?, "this convention names it while the migration runs")
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
    Some(Label {
        place,
        text: text.to_owned(),
    })
}
