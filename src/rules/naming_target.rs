//! What the rules about operations have in common: how a constraint is spoken of, and the places that explain why it has no name.

use crate::diagnostic::{Diagnostic, Label};
use crate::migration::{Half, Operation};
use crate::naming::ConstraintKind;
use crate::project::{ConventionFacts, Target, Wanted};

use super::dropped_by_name::DroppedByName;
use super::suggestion::{Source, Suggestion};
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
    if let Some(call) = operation.unnamed_by.filter(|call| *call != operation.name_span()) {
        diagnostic.related.push(label(file, call, "no name is given here"));
    }
    diagnostic.related.extend(reason_in_models(file, suggestion.source));
    diagnostic.model = model(file, operation, suggestion);
    let create = if operation.creates() {
        Some(operation)
    } else {
        partner.map(|(other, _)| other)
    };
    let is_alone = partner.is_none() && operation.creates();
    let dropped = is_alone.then(|| DroppedByName::of(file, operation)).flatten();
    if let Some(drop) = dropped.as_ref().and_then(DroppedByName::operation) {
        let written = drop.name.text().unwrap_or_default();
        let text = format!("`{written}` is what one database calls it");
        diagnostic.related.push(label(file, drop.name_span(), &text));
    }
    let kept = dropped.as_ref().and_then(|dropped| brought_back(file, dropped));
    let suggestion = kept.as_ref().unwrap_or(suggestion);
    if let Some(DroppedByName::New(drop)) = dropped {
        operations.push(drop);
    }
    let name = advice::name_to_write(file, create, suggestion);
    let mut help = advice::help(file, create.unwrap_or(operation), operations.len() > 1, suggestion);
    let obstacle = name
        .text
        .as_deref()
        .and_then(|name| obstacle(file, create, partner.is_some(), name))
        .or_else(|| dropped.as_ref()?.obstacle());
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

/// The name that a constraint keeps which the downgrade brings back: the upgrade drops it by that again.
fn brought_back(file: &MigrationFile<'_>, dropped: &DroppedByName<'_>) -> Option<Suggestion> {
    let DroppedByName::BroughtBack(drop) = dropped else {
        return None;
    };
    let suggestion = Suggestion {
        name: drop.name.text().map(str::to_owned),
        source: Source::Documented,
        reason: None,
        shortened: None,
    };
    (!file.is_deployed).then_some(suggestion)
}

/// Why the name cannot be written without a person's thought.
fn obstacle(file: &MigrationFile<'_>, create: Option<&Operation<'_>>, has_partner: bool, name: &str) -> Option<String> {
    let create = create?;
    let operations = &file.migration.operations;
    let at = operations
        .iter()
        .position(|operation| operation.call.span == create.call.span)?;
    if create.unnamed_by.is_some() {
        return Some("the name is handed over from elsewhere".to_owned());
    }
    if create.repeated {
        return Some("it runs in a loop".to_owned());
    }
    if !has_partner && file.pairing.is_doubtful(at) {
        return Some("which drop belongs to it is not certain".to_owned());
    }
    let namesakes = file.creates_called(name);
    let is_namesake = |&&other: &&usize| {
        let other = &operations[other];
        let of_the_same = other.block == create.block && other.call.span != create.call.span;
        of_the_same && other.table == create.table && other.schema == create.schema
    };
    namesakes
        .iter()
        .find(is_namesake)
        .map(|_| format!("another constraint of the table would have the same name, `{name}`"))
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

#[cfg(test)]
mod tests {
    use crate::fix::{Safety, apply};
    use crate::rules::tests::of_migration;

    const PG: &str = "postgresql://h/d";
    const MY: &str = "mysql+pymysql://h/d";
    const ANY: &str = "";

    const KEY: &str = "    op.create_foreign_key(None, 'order', 'invoice', ['invoice_id'], ['id'])\n";
    const UNIQUE: &str = "    op.create_unique_constraint(None, 'order', ['code'])\n";
    const BY_POSTGRESQL: &str = "    op.drop_constraint('order_invoice_id_fkey', 'order', type_='foreignkey')\n";
    const BACK: &str =
        "    op.create_foreign_key('order_invoice_id_fkey', 'order', 'invoice', ['invoice_id'], ['id'])\n";

    /// The fix of the one create without a name, in which nothing is found any more; else the help.
    #[track_caller]
    fn fixed(url: &str, upgrade: &str, downgrade: &str) -> Result<String, String> {
        let found = of_migration(url, upgrade, downgrade, false);
        let [only] = found.as_slice() else { panic!("{found:?}") };
        assert_eq!(only.rule.name, "unnamed-constraint");
        let Some(fix) = &only.fix else {
            return Err(only.help.clone().unwrap());
        };
        assert_eq!(fix.safety, Safety::Safe);
        let after = apply(&only.file, [fix]);
        let (_, body) = after.split_once("def upgrade():\n").unwrap();
        let (upgrade, downgrade) = body.split_once("def downgrade():\n").unwrap();
        let left = of_migration(url, upgrade, downgrade, false);
        assert!(left.is_empty(), "{left:?} in\n{after}");
        Ok(body.to_owned())
    }

    #[test]
    fn a_drop_by_the_name_that_the_database_chooses_gets_the_new_name_as_well() {
        let key = "op.f('fk_order_invoice_id_invoice')";
        for (url, upgrade, downgrade, gone, new) in [
            (PG, KEY.to_owned(), BY_POSTGRESQL.to_owned(), "order_invoice_id_fkey", key),
            (ANY, KEY.to_owned(), BY_POSTGRESQL.to_owned(), "order_invoice_id_fkey", key),
            (
                PG,
                KEY.to_owned(),
                "    op.drop_constraint(op.f('order_invoice_id_fkey'), 'order')\n".to_owned(),
                "order_invoice_id_fkey",
                key,
            ),
            (
                PG,
                "    with op.batch_alter_table('order') as b:\n        b.create_foreign_key(None, 'invoice', ['invoice_id'], ['id'])\n"
                    .to_owned(),
                BY_POSTGRESQL.to_owned(),
                "order_invoice_id_fkey",
                "b.f('fk_order_invoice_id_invoice')",
            ),
            (
                PG,
                "    op.create_primary_key(None, 'order', ['id'])\n".to_owned(),
                "    op.drop_constraint('order_pkey', 'order', type_='primary')\n".to_owned(),
                "order_pkey",
                "op.f('pk_order')",
            ),
            (
                MY,
                UNIQUE.to_owned(),
                "    op.drop_constraint('code', 'order', type_='unique')\n".to_owned(),
                "constraint('code'",
                "op.f('uq_order_code')",
            ),
            // The name is that of something else of this half.
            (
                PG,
                format!("    op.create_foreign_key('fk_x', 'order', 'x', ['x'], ['id'])\n{KEY}"),
                format!("{BY_POSTGRESQL}    op.drop_constraint('fk_x', 'order', type_='foreignkey')\n"),
                "order_invoice_id_fkey",
                key,
            ),
        ] {
            let after = fixed(url, &upgrade, &downgrade).unwrap_or_else(|help| panic!("{help} in\n{upgrade}{downgrade}"));
            assert!(!after.contains(gone), "{after}");
            assert!(after.contains(new), "{after}");
        }
    }

    /// The new constraint comes in the place of an older one, which the downgrade brings back.
    #[test]
    fn what_is_replaced_keeps_its_name() {
        let after = fixed(PG, &format!("{BY_POSTGRESQL}{KEY}"), &format!("{BY_POSTGRESQL}{BACK}")).unwrap();
        let (upgrade, downgrade) = after.split_once("def downgrade():\n").unwrap();
        assert!(upgrade.starts_with(BY_POSTGRESQL), "{after}");
        assert!(
            downgrade
                .trim_start()
                .starts_with("op.drop_constraint(op.f('fk_order_invoice_id_invoice')"),
            "{after}"
        );
        assert!(downgrade.contains(BACK.trim()), "{after}");
        // What the upgrade drops is what the downgrade makes.
        let after = fixed(PG, BY_POSTGRESQL, KEY).unwrap();
        assert!(after.starts_with(BY_POSTGRESQL), "{after}");
        assert!(
            after.contains("create_foreign_key(op.f('order_invoice_id_fkey')"),
            "{after}"
        );
    }

    #[test]
    fn a_drop_that_may_be_of_it_leaves_the_name_to_a_person() {
        for (url, upgrade, downgrade) in [
            (
                PG,
                KEY.to_owned(),
                "    op.drop_constraint('order_ibfk_1', 'order', type_='foreignkey')\n".to_owned(),
            ),
            (
                MY,
                KEY.to_owned(),
                "    op.drop_constraint('order_ibfk_1', 'order', type_='foreignkey')\n".to_owned(),
            ),
            (MY, KEY.to_owned(), BY_POSTGRESQL.to_owned()),
            (PG, KEY.to_owned(), format!("{BY_POSTGRESQL}{BY_POSTGRESQL}")),
            (PG, KEY.to_owned(), format!("    for x in y:\n    {BY_POSTGRESQL}")),
            (PG, KEY.to_owned(), format!("{BACK}{BY_POSTGRESQL}")),
            (PG, format!("{KEY}{BY_POSTGRESQL}"), format!("{BY_POSTGRESQL}{BACK}")),
            (
                PG,
                format!("{KEY}    op.execute('COMMENT ON CONSTRAINT order_invoice_id_fkey ON \"order\" IS 1')\n"),
                BY_POSTGRESQL.to_owned(),
            ),
            (
                PG,
                KEY.to_owned(),
                "    op.execute('ALTER TABLE \"order\" DROP CONSTRAINT order_invoice_id_fkey')\n".to_owned(),
            ),
            (
                PG,
                "    op.drop_constraint('fk_x', 'order', type_='foreignkey')\n".to_owned(),
                KEY.to_owned(),
            ),
        ] {
            let help = fixed(url, &upgrade, &downgrade).unwrap_err();
            assert!(
                help.contains("which may be what a database calls it"),
                "{help} in\n{upgrade}{downgrade}"
            );
        }
    }

    #[test]
    fn a_drop_of_something_else_is_in_nobodys_way() {
        let inline = "    op.add_column('order', sa.Column('a', sa.ForeignKey('b.id', name='fk_a')))\n";
        for (upgrade, downgrade) in [
            (
                KEY.to_owned(),
                "    op.drop_constraint('order_code_key', 'order', type_='unique')\n",
            ),
            (
                KEY.to_owned(),
                "    op.drop_constraint('a_fkey', 'other', type_='foreignkey')\n",
            ),
            (
                KEY.to_owned(),
                "    op.drop_constraint('a_fkey', 'order', type_='foreignkey', schema='s')\n",
            ),
            (UNIQUE.to_owned(), "    op.drop_index('ix_order_x', 'order')\n"),
            (
                format!("{KEY}{inline}"),
                "    op.drop_constraint('fk_a', 'order', type_='foreignkey')\n",
            ),
        ] {
            let found = of_migration(PG, &upgrade, downgrade, false);
            let fix = found
                .iter()
                .find(|one| one.rule.name == "unnamed-constraint")
                .unwrap()
                .fix
                .as_ref();
            assert_eq!(fix.map(|fix| fix.edits.len()), Some(1), "{upgrade}{downgrade}");
        }
    }
}
