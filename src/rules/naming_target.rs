//! What the rules about operations have in common: how a constraint is spoken of, and the places that explain why it has no name.

use std::fmt::Write;

use crate::diagnostic::{Diagnostic, Label};
use crate::migration::{Half, Operation};
use crate::naming::{ConstraintKind, Dialect, default_names};
use crate::project::{ConventionFacts, Target, Wanted};

use super::suggestion::{Source, Suggestion};
use super::{MigrationFile, edits};

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
    diagnostic.suggested_name.clone_from(&suggestion.name);
    if let Some(name) = &suggestion.name {
        diagnostic.fix = edits::name_all(file, &operations, name);
    }
    diagnostic.help = Some(help(file, operation, partner.is_some(), suggestion));
    diagnostic
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

fn help(file: &MigrationFile<'_>, operation: &Operation<'_>, has_partner: bool, suggestion: &Suggestion) -> String {
    let both = if has_partner { " in both functions" } else { "" };
    let mut help = match (&suggestion.name, &suggestion.reason) {
        (Some(_), _) if file.is_deployed => deployed(file, operation),
        (Some(name), _) => match suggestion.source {
            Source::Project => format!("name it{both}: `{name}`, as your convention does"),
            Source::Configured => format!("name it{both}: `{name}`, by the convention in your configuration"),
            Source::Documented => format!("name it{both}: `{name}`"),
        },
        (None, Some(reason)) => format!("choose a name and write it{both}; none is suggested, because {reason}"),
        (None, None) => format!("choose a name and write it{both}"),
    };
    if let (Some(_), Some((dialect, short))) = (&suggestion.name, &suggestion.shortened) {
        let database = dialect.label();
        let _ = write!(help, "; {database} will know it as `{short}`, shortened by SQLAlchemy");
    }
    help
}

/// HEAD holds the migration, so a database may hold the constraint under a name of its own.
fn deployed(file: &MigrationFile<'_>, operation: &Operation<'_>) -> String {
    let known = default_name(file.dialect(), operation);
    let name = match &known {
        Some((dialect, name)) => format!("on {} usually `{name}`", dialect.label()),
        None => "look it up there".to_owned(),
    };
    format!(
        "this migration is committed already, so a database may hold the constraint under the name it chose ({name}): write that \
         name in both functions, or rename the constraint in a new migration"
    )
}

/// The name that the database itself would have chosen.
pub(super) fn default_name(dialect: Option<Dialect>, operation: &Operation<'_>) -> Option<(Dialect, String)> {
    let dialect = dialect.unwrap_or(Dialect::Postgresql);
    let table = operation.table.known()?;
    let columns: Vec<&str> = operation.columns.known()?.iter().map(String::as_str).collect();
    let kind = operation.kind()?;
    let name = match dialect {
        Dialect::Postgresql => default_names::postgresql(kind, table, &columns, |_| false),
        Dialect::Mariadb => default_names::mariadb(kind, table, &columns, 1, |_| false),
        Dialect::Mysql => default_names::mysql(kind, table, &columns, 1, |_| false),
        _ => None,
    };
    Some((dialect, name?))
}

/// The dialects on which an unnamed create already fails in the upgrade, in half a sentence.
pub(super) fn consequence(file: &MigrationFile<'_>, operation: &Operation<'_>) -> &'static str {
    match (file.dialect(), operation.receiver.is_batch()) {
        (Some(Dialect::Sqlite), true) => "SQLite refuses it in batch mode: the constraint must have a name",
        (Some(Dialect::Sqlite), false) => {
            "SQLite cannot alter constraints outside of batch mode, with a name or without"
        }
        _ => "the database invents a name that Alembic never learns",
    }
}
