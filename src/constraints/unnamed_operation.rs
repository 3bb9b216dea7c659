//! Completes the finding for an operation without a name: the other direction, the cause in the models, the help and the fix.

use super::advice::NameToWrite;
use super::constraint::Constraint;
use super::convention_name::{dropped_name, effective_name};
use super::default_name::default_name;
use super::forgotten_drop::ForgottenDrop;
use super::sqlite_batch::batch_mode;
use super::suggestion::{Source, Suggestion};
use super::{MigrationFile, advice, doubtful_drop, edits, in_models};
use crate::diagnostic::{Diagnostic, Label};
use crate::fix::{Fix, Safety};
use crate::migration::{Direction, Name, Operation};
use crate::naming::{ConstraintKind, Dialect};
use crate::project::Owner;
use crate::source::Span;

/// "foreign key `order.invoice_id`", as far as it is known.
pub(crate) fn subject(operation: &Operation<'_>) -> String {
    let kind = operation.kind().map_or("constraint", ConstraintKind::label);
    let table = operation.table.known().map(|table| match operation.schema.known() {
        Some(Some(schema)) => format!("{schema}.{table}"),
        _ => table.clone(),
    });
    match (table, operation.columns.as_deref()) {
        (Some(table), Some([column])) => format!("{kind} `{table}.{column}`"),
        (Some(table), Some(columns @ [_, ..])) => format!("{kind} `{table} ({})`", columns.join(", ")),
        (Some(table), _) => format!("{kind} on `{table}`"),
        (None, _) => kind.to_owned(),
    }
}

/// "this downgrade", "this upgrade", or "this" for what runs in neither or both.
pub(crate) const fn this_direction(direction: Direction) -> &'static str {
    match direction {
        Direction::Upgrade => "this upgrade",
        Direction::Downgrade => "this downgrade",
        Direction::Unknown => "this",
    }
}

/// Completes the finding for an operation, by its place in the list of operations. `of_partner` is what to say about its create or drop in the
/// other direction.
pub(crate) fn complete(
    file: &MigrationFile<'_>,
    mut diagnostic: Diagnostic,
    at: usize,
    of_partner: Option<&str>,
    suggestion: &Suggestion,
) -> Diagnostic {
    let naming = Naming::of(file, at, suggestion);
    let operation = naming.operation;
    if let Some((other, text)) = naming.other.zip(of_partner) {
        diagnostic.related.push(label(file, other.name_span(), text));
        let is_one_problem = operation.creates() && other.name == Name::Unnamed;
        diagnostic.shows = is_one_problem.then_some(other.call.span);
    }
    if let Some(call) = operation.unnamed_by.filter(|call| *call != operation.name_span()) {
        diagnostic.related.push(label(file, call, "no name is given here"));
    }
    // A drop that takes the name of its create has no cause in the models.
    if operation.creates() || naming.kept.is_none() {
        let raises = advice::raises(file, operation);
        diagnostic.cause = in_models::cause(file, suggestion.is_implicit, raises);
        let is_preventable = operation.creates() && !suggestion.is_implicit;
        diagnostic.prevention = in_models::prevention(file, operation.kind()).filter(|_| is_preventable);
        let environment = file.naming().environment.as_ref();
        diagnostic.owner = environment.map(|environment| Owner::new(environment, true));
    }
    if let Some(place) = suggestion.spoken.clone() {
        let text = "this revision knows it by the name that a database gives".to_owned();
        diagnostic.related.push(Label { place, text });
    }
    if let Some(name) = naming.name.text.as_deref() {
        // A convention that names it already leaves nothing to do in the models.
        let has_model = operation.creates() && !suggestion.is_implicit;
        diagnostic.model = has_model
            .then(|| in_models::declaration(file, operation, name))
            .flatten();
        diagnostic.model_code = in_models::code(operation, name);
    }
    diagnostic.help = Some(naming.help());
    diagnostic.left_to_do = batch_mode(file, naming.subject());
    diagnostic.fix = naming.fix();
    diagnostic.suggested_name = naming.name.text;
    diagnostic
}

fn label(file: &MigrationFile<'_>, span: Span, text: &str) -> Label {
    let (place, text) = (file.place(span), text.to_owned());
    Label { place, text }
}

/// How an operation and its partner get their name.
struct Naming<'f, 'm> {
    file: &'f MigrationFile<'m>,
    operation: &'f Operation<'f>,
    other: Option<&'f Operation<'f>>,
    suggestion: Suggestion,
    name: NameToWrite,
    /// The name that the partner has already.
    kept: Option<Name>,
    /// Why the fix is left to a person.
    obstacle: Option<String>,
    forgotten: Option<ForgottenDrop<'f>>,
}

impl<'f, 'm> Naming<'f, 'm> {
    fn of(file: &'f MigrationFile<'m>, at: usize, suggestion: &Suggestion) -> Self {
        let operation: &'f Operation<'f> = &file.migration.operations[at];
        let other: Option<&'f Operation<'f>> = file.partner(at);
        let kept = other.and_then(|other| kept_name(file, operation, other, suggestion));
        let (suggestion, kept) = match kept {
            Some((name, written)) => {
                let kept = Suggestion {
                    is_implicit: suggestion.is_implicit,
                    ..Suggestion::of(&name, Source::OtherDirection)
                };
                (kept, Some(written))
            }
            None => (suggestion.clone(), None),
        };
        let create = Some(operation).filter(|one| one.creates()).or(other);
        let constraint = create.filter(|create| create.kind().is_some()).map(Constraint::from);
        let mut name = advice::name_to_write(file, constraint.as_ref(), &suggestion);
        // A database that chose the names gave a shared one to one constraint at most.
        name.text = name.text.filter(|_| !suggestion.is_shared);
        let is_alone = other.is_none() && operation.creates();
        let is_doubtful = file.pairing.is_doubtful(at);
        let own_obstacle = || obstacle(file, create?, is_doubtful, name.text.as_deref()?);
        let by_drop = || {
            let doubtful = is_alone.then(|| doubtful_drop::obstacle(file, operation)).flatten();
            let other = other.filter(|_| kept.is_none()).and_then(|other| other.name.text());
            doubtful.or_else(|| other.map(doubtful_drop::drops))
        };
        let obstacle = own_obstacle().or_else(by_drop).or_else(|| suggestion.obstacle());
        let may_be_taken = is_alone && name.text.is_some();
        Self {
            file,
            operation,
            other,
            suggestion,
            name,
            kept,
            obstacle,
            forgotten: may_be_taken.then(|| ForgottenDrop::of(file, operation)).flatten(),
        }
    }

    fn create(&self) -> Option<&'f Operation<'f>> {
        Some(self.operation).filter(|one| one.creates()).or(self.other)
    }

    /// What the help is about.
    fn subject(&self) -> &'f Operation<'f> {
        self.create().unwrap_or(self.operation)
    }

    /// The operations that get the name.
    fn unnamed(&self) -> Vec<&'f Operation<'f>> {
        let other = self.other.filter(|other| other.name == Name::Unnamed);
        std::iter::once(self.operation).chain(other).collect()
    }

    fn help(&self) -> String {
        let mut help = advice::help(self.file, self.subject(), self.unnamed().len() > 1, &self.suggestion);
        advice::add_obstacle(&mut help, self.obstacle.as_ref());
        if self.forgotten.is_some() {
            let text = "the downgrade never drops it, so a second upgrade would find the name taken: drop it there";
            advice::add(&mut help, text);
        }
        let drop = Some(self.operation).filter(|one| !one.creates()).or(self.other);
        if let (Some(create), Some(drop)) = (self.create(), drop)
            && create.when.conditional
            && !drop.when.conditional
        {
            let direction = this_direction(drop.when.direction);
            let text = format!("{direction} drops it always, and fails where the condition of its create did not hold");
            advice::add(&mut help, &text);
        }
        help
    }

    fn fix(&self) -> Option<Fix> {
        let name = self.name.text.as_deref();
        let name = name.filter(|_| self.name.certain && self.obstacle.is_none())?;
        let written = self.kept.clone().unwrap_or_else(|| Name::Finished(name.to_owned()));
        let mut fix = edits::name_all(self.file, &self.unnamed(), &written)?;
        if let Some(forgotten) = &self.forgotten {
            fix.edits.push(forgotten.edit(self.file, name)?);
        }
        if self.forgotten.is_some() || self.suggestion.unread.is_some() {
            fix.safety = Safety::Suggested;
        }
        Some(fix)
    }
}

/// The name that the partner has: in the database, and as it is written.
///
/// Nothing where a committed migration drops what the database has named, and nobody can tell whether by the right name.
fn kept_name(
    file: &MigrationFile<'_>,
    operation: &Operation<'_>,
    other: &Operation<'_>,
    suggestion: &Suggestion,
) -> Option<(String, Name)> {
    let plain = other.name.text()?;
    let in_database = if other.creates() {
        effective_name(file, Constraint::from(other))
    } else {
        dropped_name(file, other)
    };
    // A convention that cannot be read has named it, and the drop works.
    let is_named_unseen = suggestion.source == Source::Project && suggestion.name.is_none();
    let is_made = operation.creates() && operation.when.direction != Direction::Downgrade;
    if file.is_deployed && is_made && !is_named_unseen {
        let dialect = file.dialect().unwrap_or(Dialect::Postgresql);
        let chosen = default_name(dialect, operation).filter(|chosen| chosen.is_exact)?;
        if in_database.as_ref() != Some(&chosen.text) {
            return None;
        }
    }
    match in_database {
        Some(name) => Some((name.clone(), Name::Finished(name))),
        // A convention makes the same of the same plain name in both directions.
        None if operation.kind() == other.kind() => Some((plain.to_owned(), Name::Plain(plain.to_owned()))),
        None => None,
    }
}

/// Why the name of a create cannot be written without a decision.
fn obstacle(file: &MigrationFile<'_>, create: &Operation<'_>, is_doubtful: bool, name: &str) -> Option<String> {
    if create.unnamed_by.is_some() {
        return Some("the name is handed over from elsewhere".to_owned());
    }
    if create.when.repeated && !create.is_once_a_schema() {
        return Some("it runs in a loop".to_owned());
    }
    if is_doubtful {
        return Some("which drop belongs to it is not certain".to_owned());
    }
    let namesakes = file.creates_called_on(name, create.table.known().map(String::as_str));
    let is_namesake = |other: &usize| {
        let other = &file.migration.operations[*other];
        let is_other = other.when.block == create.when.block && other.call.span != create.call.span;
        is_other && other.table == create.table && other.schema == create.schema
    };
    let is_taken = namesakes.iter().any(is_namesake);
    is_taken.then(|| format!("another constraint of the table would have the same name, `{name}`"))
}

#[cfg(test)]
mod tests {
    use crate::fix::{Safety, apply};
    use crate::rules::harness::{ANY, MYSQL, PG, check_last, check_last_on, of_migration};

    const KEY: &str = "    op.create_foreign_key(None, 'order', 'invoice', ['invoice_id'], ['id'])\n";
    const UNIQUE: &str = "    op.create_unique_constraint(None, 'order', ['code'])\n";
    const BY_POSTGRESQL: &str = "    op.drop_constraint('order_invoice_id_fkey', 'order', type_='foreignkey')\n";
    const BACK: &str =
        "    op.create_foreign_key('order_invoice_id_fkey', 'order', 'invoice', ['invoice_id'], ['id'])\n";

    /// Both functions after the fix of the one finding, which leaves none; without a fix, the help.
    #[track_caller]
    fn fixed(url: &str, upgrade: &str, downgrade: &str) -> Result<String, String> {
        let found = of_migration(url, upgrade, downgrade, false);
        let [only] = found.as_slice() else { panic!("{found:?}") };
        assert!(only.rule.name.starts_with("unnamed-"));
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
    fn the_direction_with_a_name_gives_it_to_the_other() {
        const BATCH: &str = "    with op.batch_alter_table('order') as b:\n        b.create_foreign_key(None, 'invoice', ['invoice_id'], ['id'])\n";
        const DROP_OTHER: &str = "    op.drop_constraint('fk_seek_other', 'order', type_='foreignkey')\n";
        const WITHOUT_TYPE: &str = "    op.drop_constraint(op.f('order_invoice_id_fkey'), 'order')\n";
        const BY_COLUMN: &str = "    op.drop_constraint('code', 'order', type_='unique')\n";
        const NAMED: &str = "    op.create_unique_constraint('uq_x', 'order', ['code'])\n";
        const DROP: &str = "    op.drop_constraint(None, 'order', type_='unique')\n";
        let beside = format!("    op.create_foreign_key('fk_x', 'order', 'x', ['x'], ['id'])\n{KEY}");
        let drop_beside = format!("{BY_POSTGRESQL}    op.drop_constraint('fk_x', 'order', type_='foreignkey')\n");
        for (url, upgrade, downgrade, name) in [
            (PG, KEY, BY_POSTGRESQL, "order_invoice_id_fkey"),
            (ANY, KEY, BY_POSTGRESQL, "order_invoice_id_fkey"),
            (MYSQL, KEY, BY_POSTGRESQL, "order_invoice_id_fkey"),
            (PG, KEY, DROP_OTHER, "fk_seek_other"),
            (PG, DROP_OTHER, KEY, "fk_seek_other"),
            (PG, KEY, WITHOUT_TYPE, "order_invoice_id_fkey"),
            (PG, BATCH, BY_POSTGRESQL, "order_invoice_id_fkey"),
            (MYSQL, UNIQUE, BY_COLUMN, "code"),
            (PG, &beside, &drop_beside, "order_invoice_id_fkey"),
            (PG, NAMED, DROP, "uq_x"),
            (PG, DROP, NAMED, "uq_x"),
        ] {
            let after = fixed(url, upgrade, downgrade).unwrap_or_else(|help| panic!("{help} in\n{upgrade}{downgrade}"));
            assert_eq!(after.matches(&format!("('{name}'")).count(), 2, "{after}");
            assert_eq!(
                after.matches(&format!(".f('{name}')")).count(),
                if downgrade == WITHOUT_TYPE { 2 } else { 1 },
                "{after}"
            );
        }
    }

    /// One plain name in both directions is one name in the database, whatever a convention makes of it.
    #[test]
    fn a_plain_name_is_copied_where_the_convention_cannot_be_read() {
        let models = "from sqlalchemy import MetaData\nimport os\ntarget_metadata = MetaData(naming_convention=os.environ['NC'])\n";
        let revision = format!(
            "from alembic import op\n{{0}}\ndef upgrade():\n{UNIQUE}def downgrade():\n    op.drop_constraint('code_key', 'order', type_='unique')\n"
        );
        let found = check_last(models, &[&revision]);
        let [only] = found.as_slice() else { panic!("{found:?}") };
        let after = apply(&only.file, only.fix.as_ref());
        assert!(after.contains("create_unique_constraint('code_key', 'order'"), "{after}");
    }

    /// The downgrade brings back the older constraint.
    #[test]
    fn a_replacement_keeps_the_name_of_the_older_constraint() {
        let after = fixed(PG, &format!("{BY_POSTGRESQL}{KEY}"), &format!("{BY_POSTGRESQL}{BACK}")).unwrap();
        assert!(after.starts_with(BY_POSTGRESQL), "{after}");
        assert!(after.contains(&format!("def downgrade():\n{BY_POSTGRESQL}{BACK}")), "{after}");
        assert!(after.contains("create_foreign_key(op.f('order_invoice_id_fkey')"), "{after}");
    }

    #[test]
    fn a_committed_create_takes_only_the_name_that_its_database_gave() {
        let fix = |upgrade: &str, downgrade: &str| {
            let found = of_migration(PG, upgrade, downgrade, true);
            let [only] = found.as_slice() else { panic!("{found:?}") };
            only.fix.as_ref().map(|fix| fix.edits[0].text.clone())
        };
        assert_eq!(fix(KEY, BY_POSTGRESQL).as_deref(), Some("op.f('order_invoice_id_fkey')"));
        assert_eq!(fix(KEY, "    op.drop_constraint('fk_x', 'order', type_='foreignkey')\n"), None);
        assert_eq!(
            fix("    op.drop_constraint('fk_x', 'order', type_='foreignkey')\n", KEY).as_deref(),
            Some("op.f('fk_x')")
        );
    }

    #[test]
    fn a_drop_that_may_be_of_it_leaves_the_name_to_a_person() {
        const IBFK: &str = "    op.drop_constraint('order_ibfk_1', 'order', type_='foreignkey')\n";
        const SQL: &str = "    op.execute('ALTER TABLE \"order\" DROP CONSTRAINT order_invoice_id_fkey')\n";
        const COMMENT: &str = "    op.execute('COMMENT ON CONSTRAINT order_invoice_id_fkey ON \"order\" IS 1')\n";
        for (url, upgrade, downgrade) in [
            (PG, KEY, IBFK),
            (MYSQL, KEY, IBFK),
            (PG, KEY, &format!("{BY_POSTGRESQL}{BY_POSTGRESQL}")),
            (PG, KEY, &format!("    for x in y:\n    {BY_POSTGRESQL}")),
            (PG, KEY, &format!("{BACK}{BY_POSTGRESQL}")),
            (PG, &format!("{KEY}{BY_POSTGRESQL}"), &format!("{BY_POSTGRESQL}{BACK}")),
            (PG, &format!("{KEY}{COMMENT}"), BY_POSTGRESQL),
            (PG, KEY, SQL),
        ] {
            let help = fixed(url, upgrade, downgrade).unwrap_err();
            let expected = "which may be what a database calls it";
            assert!(help.contains(expected), "{help} in\n{upgrade}{downgrade}");
        }
    }

    #[test]
    fn a_drop_of_something_else_leaves_the_fix() {
        let inline = "    op.add_column('order', sa.Column('a', sa.ForeignKey('b.id', name='fk_a')))\n";
        let drop = |what: &str| format!("    op.drop_constraint({what})\n");
        for (upgrade, downgrade) in [
            (KEY, drop("'order_code_key', 'order', type_='unique'")),
            (KEY, drop("'a_fkey', 'other', type_='foreignkey'")),
            (KEY, drop("'a_fkey', 'order', type_='foreignkey', schema='s'")),
            (UNIQUE, "    op.drop_index('ix_order_x', 'order')\n".to_owned()),
            (&format!("{KEY}{inline}"), drop("'fk_a', 'order', type_='foreignkey'")),
        ] {
            let found = of_migration(PG, upgrade, &downgrade, false);
            let mut unnamed = found.iter().filter(|one| one.rule.name == "unnamed-constraint");
            // A missing drop may be inserted.
            let edits = unnamed.next().unwrap().fix.as_ref().map(|fix| fix.edits.iter());
            let replaced = edits.map(|edits| edits.filter(|edit| edit.span.start < edit.span.end).count());
            assert_eq!(replaced, Some(1), "{upgrade}{downgrade}");
        }
    }

    /// Help, suggested name and fix for the one unnamed create, under models that cannot be read.
    fn unread(models: &str, is_deployed: bool) -> (String, Option<String>, Option<Safety>) {
        let revision = format!("from alembic import op\n{{0}}\ndef upgrade():\n{KEY}");
        let found = check_last_on(PG, models, &[&revision], is_deployed);
        let [only] = found.as_slice() else { panic!("{found:?}") };
        (only.help.clone().unwrap(), only.suggested_name.clone(), only.fix.as_ref().map(|fix| fix.safety))
    }

    #[test]
    fn an_unreadable_convention_is_reported_and_the_documented_name_offered() {
        let convention = "from sqlalchemy import MetaData\nimport os\ntarget_metadata = MetaData(naming_convention=os.environ['NC'])\n";
        let target = "import os\ntarget_metadata = os.environ['X']\n";
        for (models, why) in [
            (convention, "the project's own cannot be read"),
            (target, "whether the project has another cannot be read"),
        ] {
            let (help, name, safety) = unread(models, false);
            assert!(help.contains("by the convention that SQLAlchemy documents") && help.contains(why), "{help}");
            assert_eq!((name.as_deref(), safety), (Some("fk_order_invoice_id_invoice"), Some(Safety::Suggested)));
            // A database that ran it may have any name, so nothing is written, and help and fix agree.
            let (help, name, safety) = unread(models, true);
            assert!(help.contains("look it up there"), "{help}");
            assert!(!help.contains("order_invoice_id_fkey"), "{help}");
            assert_eq!((name.as_deref(), safety), (Some("fk_order_invoice_id_invoice"), None));
        }
    }

    #[test]
    fn a_key_inside_a_committed_column_keeps_the_name_of_its_database() {
        let column = "    op.add_column('dc', sa.Column('user_id', sa.Integer(), sa.ForeignKey('users.id')))\n";
        let found = |url: &str, is_deployed: bool| {
            let found = of_migration(url, column, "    op.drop_column('dc', 'user_id')\n", is_deployed);
            let only = found
                .into_iter()
                .find(|one| one.rule.name == "unnamed-column-foreign-key")
                .unwrap();
            (only.suggested_name.unwrap(), only.fix.is_some(), only.help.unwrap())
        };
        let (name, has_fix, help) = found(PG, true);
        assert_eq!((name.as_str(), has_fix), ("dc_user_id_fkey", true), "{help}");
        let (_, has_fix, help) = found(MYSQL, true);
        assert!(!has_fix && help.contains("committed already"), "{help}");
        let (name, has_fix, _) = found(PG, false);
        assert_eq!((name.as_str(), has_fix), ("fk_dc_user_id_users", true));
    }
}
