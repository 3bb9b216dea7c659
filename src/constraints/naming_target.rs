//! What the rules about operations have in common: how a constraint is spoken of, and the places that explain why it has no name.

use super::advice::NameToWrite;
use super::doubtful_drop::DoubtfulDrop;
use super::forgotten_drop::ForgottenDrop;
use super::suggestion::{Constraint, Source, Suggestion, dropped_name, effective_name};
use super::{MigrationFile, advice, edits};
use crate::diagnostic::{Cure, Diagnostic, Label, OR_IN_MODEL};
use crate::fix::{Fix, Safety};
use crate::migration::{Direction, Name, Operation};
use crate::naming::{ConstraintKind, Dialect};
use crate::project::{ConventionFacts, Target, Wanted};

/// "foreign key `order.invoice_id`", as far as it is known.
pub(crate) fn subject(operation: &Operation<'_>) -> String {
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
pub(crate) const fn this_direction(direction: Direction) -> &'static str {
    match direction {
        Direction::Upgrade => "this upgrade",
        Direction::Downgrade => "this downgrade",
        Direction::Unknown => "this",
    }
}

/// Adds the other direction, the reason in the models, the help and the fix.
pub(crate) fn complete(
    file: &MigrationFile<'_>,
    mut diagnostic: Diagnostic,
    operation: &Operation<'_>,
    partner: Option<(&Operation<'_>, &str)>,
    suggestion: &Suggestion,
) -> Diagnostic {
    if let Some((other, text)) = partner {
        diagnostic.related.push(label(file, other.name_span(), text));
        let is_one_problem = operation.creates() && other.name == Name::Unnamed;
        diagnostic.shows = is_one_problem.then_some(other.call.span);
    }
    if let Some(call) = operation.unnamed_by.filter(|call| *call != operation.name_span()) {
        diagnostic.related.push(label(file, call, "no name is given here"));
    }
    let naming = Naming::of(file, operation, partner.map(|(other, _)| other), suggestion);
    // The create has its name, so nothing in the models is missing.
    if operation.creates() || naming.kept.is_none() {
        let raises = advice::raises(file, operation);
        diagnostic.cause = reason_in_models(file, suggestion.is_implicit, raises);
        diagnostic.cure = cure(file, operation.kind()).filter(|_| operation.creates() && !suggestion.is_implicit);
    }
    if let Some(place) = suggestion.spoken.clone() {
        let text = "this revision knows it by the name that a database gives".to_owned();
        diagnostic.related.push(Label { place, text });
    }
    let name = naming.name.text.as_deref();
    diagnostic.model = name.and_then(|name| model(file, operation, suggestion, name));
    diagnostic.model_code = name.and_then(|name| model_code(operation, name));
    diagnostic.help = Some(naming.help());
    diagnostic.left_to_do = advice::batch_mode(file, naming.subject());
    diagnostic.fix = naming.fix();
    diagnostic.suggested_name = naming.name.text;
    diagnostic
}

/// How an operation and its other direction get their name.
struct Naming<'f, 'm> {
    file: &'f MigrationFile<'m>,
    operation: &'f Operation<'f>,
    other: Option<&'f Operation<'f>>,
    suggestion: Suggestion,
    name: NameToWrite,
    /// As the other direction has it.
    kept: Option<Name>,
    /// Why it is left to a person.
    obstacle: Option<String>,
    forgotten: Option<ForgottenDrop<'f>>,
}

impl<'f, 'm> Naming<'f, 'm> {
    fn of(
        file: &'f MigrationFile<'m>,
        operation: &'f Operation<'f>,
        other: Option<&'f Operation<'f>>,
        suggestion: &Suggestion,
    ) -> Self {
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
        // What they would share, a database that chose for itself has given to one of them at most.
        name.text = name.text.filter(|_| !suggestion.is_shared);
        let is_alone = other.is_none() && operation.creates();
        let by_name = || {
            let doubtful = is_alone.then(|| DoubtfulDrop::of(file, operation)).flatten();
            let other = other.filter(|_| kept.is_none()).and_then(|other| other.name.text());
            doubtful
                .and_then(DoubtfulDrop::obstacle)
                .or_else(|| other.map(DoubtfulDrop::is_of_a_database))
        };
        let obstacle = name
            .text
            .as_deref()
            .and_then(|name| obstacle(file, create, other.is_some(), name))
            .or_else(by_name)
            .or_else(|| suggestion.obstacle());
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

    /// The operations that lack the name.
    fn nameless(&self) -> Vec<&'f Operation<'f>> {
        let other = self.other.filter(|other| other.name == Name::Unnamed);
        std::iter::once(self.operation).chain(other).collect()
    }

    fn help(&self) -> String {
        let mut help = advice::help(self.file, self.subject(), self.nameless().len() > 1, &self.suggestion);
        if let Some(obstacle) = &self.obstacle {
            advice::add(&mut help, &format!("this is left to you, because {obstacle}"));
        }
        if self.forgotten.is_some() {
            let text = "the downgrade never drops it, so a second upgrade would find the name taken: drop it there";
            advice::add(&mut help, text);
        }
        let drop = Some(self.operation).filter(|one| !one.creates()).or(self.other);
        if let (Some(create), Some(drop)) = (self.create(), drop)
            && create.conditional
            && !drop.conditional
        {
            let direction = this_direction(drop.direction);
            let text = format!("{direction} drops it always, and fails where the condition of its create did not hold");
            advice::add(&mut help, &text);
        }
        help
    }

    fn fix(&self) -> Option<Fix> {
        let name = self.name.text.as_deref();
        let name = name.filter(|_| self.name.certain && self.obstacle.is_none())?;
        let written = self.kept.clone().unwrap_or_else(|| Name::Finished(name.to_owned()));
        let mut fix = edits::name_all(self.file, &self.nameless(), &written)?;
        if let Some(forgotten) = &self.forgotten {
            fix.edits.push(forgotten.edit(self.file, name)?);
        }
        if self.forgotten.is_some() || self.suggestion.unread.is_some() {
            fix.safety = Safety::Suggested;
        }
        Some(fix)
    }
}

/// The name that one direction has and the other lacks, in the database and as it is written.
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
    // A convention that names it, in a way that cannot be read, has given it the name that works.
    let is_named_unseen = suggestion.source == Source::Project && suggestion.name.is_none();
    let is_made = operation.creates() && operation.direction != Direction::Downgrade;
    if file.is_deployed && is_made && !is_named_unseen {
        let dialect = file.dialect().unwrap_or(Dialect::Postgresql);
        let chosen = advice::default_name(dialect, operation).filter(|chosen| chosen.is_exact)?;
        (in_database.as_ref() == Some(&chosen.text)).then_some(())?;
    }
    match in_database {
        Some(name) => Some((name.clone(), Name::Finished(name))),
        // What a convention makes of the same words on both sides is the same as well.
        None if operation.kind() == other.kind() => Some((plain.to_owned(), Name::Plain(plain.to_owned()))),
        None => None,
    }
}

/// Why the name cannot be written without a person's thought.
fn obstacle(file: &MigrationFile<'_>, create: Option<&Operation<'_>>, has_partner: bool, name: &str) -> Option<String> {
    let create = create?;
    let operations = &file.migration.operations;
    let at = file.lookups.operation_at(file, create.call.span)?;
    if create.unnamed_by.is_some() {
        return Some("the name is handed over from elsewhere".to_owned());
    }
    if create.repeated && !create.is_once_a_schema() {
        return Some("it runs in a loop".to_owned());
    }
    if !has_partner && file.pairing.is_doubtful(at) {
        return Some("which drop belongs to it is not certain".to_owned());
    }
    let namesakes = file.creates_beside(name, create);
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
fn model(file: &MigrationFile<'_>, operation: &Operation<'_>, suggestion: &Suggestion, name: &str) -> Option<Label> {
    // A convention that names it already leaves nothing to do in the models.
    if suggestion.is_implicit || !operation.creates() {
        return None;
    }
    let wanted = Wanted {
        kind: operation.kind()?,
        table: operation.table.known()?,
        columns: operation.columns.known()?,
    };
    let declaration = file.declaration(&wanted, name)?;
    Some(Label {
        place: declaration.place,
        text: format!("{OR_IN_MODEL}{}", declaration.named),
    })
}

/// A constraint as a model writes it; a name cannot stand beside `unique=True`, where it would be the column's.
fn model_code(operation: &Operation<'_>, name: &str) -> Option<String> {
    let columns = operation.columns.known()?;
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
            let remote: Vec<String> = remote
                .iter()
                .map(|column| format!("{schema}{table}.{column}"))
                .collect();
            match remote.as_slice() {
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
fn reason_in_models(file: &MigrationFile<'_>, is_implicit: bool, asks_for_name: bool) -> Option<Label> {
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
        Target::Metadata(facts) => match (&facts.convention, is_implicit) {
            (ConventionFacts::Known(_, place) | ConventionFacts::Unknown(_, place), true) => {
                (place.clone()?, "this convention names it while the migration runs")
            }
            (ConventionFacts::Known(_, place), _) if asks_for_name => {
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
    file.is_current(&place).then(|| Label {
        place,
        text: text.to_owned(),
    })
}

/// What gives autogenerate a name for such a constraint. The name of a check is for a person to choose.
fn cure(file: &MigrationFile<'_>, kind: Option<ConstraintKind>) -> Option<Cure> {
    kind.filter(|kind| *kind != ConstraintKind::Check)?;
    match &file.naming().target {
        Target::Metadata(facts) => match &facts.convention {
            ConventionFacts::Known(..) => Some(Cure::Template),
            ConventionFacts::Default => Some(Cure::Convention(Some(facts.spelling()))),
            ConventionFacts::Unknown(..) => None,
        },
        Target::Nothing | Target::Several(_) | Target::ByDatabase(_) | Target::Unknown(_) => {
            Some(Cure::Convention(None))
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::check::examine;
    use crate::config::Config;
    use crate::fix::{Safety, apply};
    use crate::naming::Dialect;
    use crate::project::Project;
    use crate::rules::harness::{history_of, of_migration};
    use crate::snapshot::MemorySnapshot;

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
    fn the_half_that_has_the_name_gives_it_to_the_other() {
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
            (MY, KEY, BY_POSTGRESQL, "order_invoice_id_fkey"),
            (PG, KEY, DROP_OTHER, "fk_seek_other"),
            (PG, DROP_OTHER, KEY, "fk_seek_other"),
            (PG, KEY, WITHOUT_TYPE, "order_invoice_id_fkey"),
            (PG, BATCH, BY_POSTGRESQL, "order_invoice_id_fkey"),
            (MY, UNIQUE, BY_COLUMN, "code"),
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

    /// The same words on both sides are the same name, whatever a convention makes of them.
    #[test]
    fn a_plain_name_is_copied_where_the_convention_cannot_be_read() {
        let models = "from sqlalchemy import MetaData\nimport os\ntarget_metadata = MetaData(naming_convention=os.environ['NC'])\n";
        let revision = format!(
            "from alembic import op\n{{0}}\ndef upgrade():\n{UNIQUE}def downgrade():\n    op.drop_constraint('code_key', 'order', type_='unique')\n"
        );
        let (files, last) = history_of(models, &[&revision]);
        let snapshot: MemorySnapshot = files.into_iter().collect();
        let found = examine(&last, false, &Project::new(&snapshot, "/top"), &Config::default()).diagnostics;
        let [only] = found.as_slice() else { panic!("{found:?}") };
        let after = apply(&only.file, only.fix.as_ref());
        assert!(
            after.contains("create_unique_constraint('code_key', 'order'"),
            "{after}"
        );
    }

    /// The new constraint comes in the place of an older one, which the downgrade brings back.
    #[test]
    fn what_is_replaced_keeps_its_name() {
        let after = fixed(PG, &format!("{BY_POSTGRESQL}{KEY}"), &format!("{BY_POSTGRESQL}{BACK}")).unwrap();
        assert!(after.starts_with(BY_POSTGRESQL), "{after}");
        assert!(
            after.contains(&format!("def downgrade():\n{BY_POSTGRESQL}{BACK}")),
            "{after}"
        );
        assert!(
            after.contains("create_foreign_key(op.f('order_invoice_id_fkey')"),
            "{after}"
        );
    }

    #[test]
    fn a_committed_create_takes_only_the_name_that_its_database_gave() {
        let fix = |upgrade: &str, downgrade: &str| {
            let found = of_migration(PG, upgrade, downgrade, true);
            let [only] = found.as_slice() else { panic!("{found:?}") };
            only.fix.as_ref().map(|fix| fix.edits[0].text.clone())
        };
        assert_eq!(
            fix(KEY, BY_POSTGRESQL).as_deref(),
            Some("op.f('order_invoice_id_fkey')")
        );
        assert_eq!(
            fix(KEY, "    op.drop_constraint('fk_x', 'order', type_='foreignkey')\n"),
            None
        );
        assert_eq!(
            fix("    op.drop_constraint('fk_x', 'order', type_='foreignkey')\n", KEY).as_deref(),
            Some("op.f('fk_x')")
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
            // A drop that is missing may be put in.
            let replaced = fix.map(|fix| fix.edits.iter().filter(|edit| edit.span.start < edit.span.end).count());
            assert_eq!(replaced, Some(1), "{upgrade}{downgrade}");
        }
    }

    /// What help, JSON and fix say of the one create without a name, under models that nobody can read.
    fn unread(models: &str, is_deployed: bool) -> (String, Option<String>, Option<Safety>) {
        let revision = format!("from alembic import op\n{{0}}\ndef upgrade():\n{KEY}");
        let (files, last) = history_of(models, &[&revision]);
        let snapshot: MemorySnapshot = files.into_iter().collect();
        let mut config = Config::default();
        config.dialect = Some(Dialect::Postgresql);
        let found = examine(&last, is_deployed, &Project::new(&snapshot, "/top"), &config).diagnostics;
        let [only] = found.as_slice() else { panic!("{found:?}") };
        (
            only.help.clone().unwrap(),
            only.suggested_name.clone(),
            only.fix.as_ref().map(|fix| fix.safety),
        )
    }

    #[test]
    fn what_cannot_be_read_is_said_and_the_documented_name_offered() {
        let convention = "from sqlalchemy import MetaData\nimport os\ntarget_metadata = MetaData(naming_convention=os.environ['NC'])\n";
        let target = "import os\ntarget_metadata = os.environ['X']\n";
        for (models, why) in [
            (convention, "the project's own cannot be read"),
            (target, "whether the project has another cannot be read"),
        ] {
            let (help, name, safety) = unread(models, false);
            assert!(
                help.contains("by the convention that SQLAlchemy documents") && help.contains(why),
                "{help}"
            );
            assert_eq!(
                (name.as_deref(), safety),
                (Some("fk_order_invoice_id_invoice"), Some(Safety::Suggested))
            );
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
        let (_, has_fix, help) = found(MY, true);
        assert!(!has_fix && help.contains("committed already"), "{help}");
        let (name, has_fix, _) = found(PG, false);
        assert_eq!((name.as_str(), has_fix), ("fk_dc_user_id_users", true));
    }
}
