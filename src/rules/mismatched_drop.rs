//! One half of a revision drops a name that the other direction did not create, though it created another.

mod counterparts;
#[path = "mismatched_drop/needed_index/key_first.rs"]
mod moved;
mod needed_index;

use crate::constraints::constraint::Constraint;
use crate::constraints::convention_name::{dropped_name, effective_name};
use crate::constraints::drops::ConstraintDrop;
use crate::constraints::executed::Executed;
use crate::constraints::type_checks::InnerCheck;
use crate::constraints::unnamed_operation::this_direction;
use counterparts::Groups;

use crate::constraints::MigrationFile;
use crate::diagnostic::{Diagnostic, Rule, Severity};
use crate::fix::{Fix, Safety};
use crate::migration::{Direction, Guard, Name, Operation};
use crate::naming::{ConstraintKind, Dialect};
use crate::project::Place;
use crate::python::{ExprKind, Spread};
use crate::source::Span;
use crate::sql::{Added, Naming};

/// The rule.
pub(super) static RULE: Rule = Rule {
    name: "mismatched-drop",
    summary: "one half of a revision drops a name that the other half did not create",
    severity: Severity::Error,
    documentation: include_str!("../../docs/rules/mismatched-drop.md"),
};

pub(super) fn check(file: &MigrationFile<'_>) -> Vec<Diagnostic> {
    let drops = || {
        file.migration
            .operations
            .iter()
            .filter(|operation| !operation.creates())
    };
    let groups = Groups::new(file);
    let mut found: Vec<Diagnostic> = drops()
        .filter_map(|drop| mismatch(&groups, ConstraintDrop::Operation(drop)))
        .collect();
    // What SQL drops is of interest only beside what the revision makes, and most make nothing with a name.
    if !file.migration.executions.is_empty() {
        found.extend(sql_drops(file).filter_map(|drop| mismatch(&groups, drop)));
    }
    found.extend(drops().filter_map(|drop| wrong_type(file, drop)));
    found.extend(needed_index::check(file));
    found
}

fn sql_drops<'f>(file: &'f MigrationFile<'_>) -> impl Iterator<Item = ConstraintDrop<'f>> {
    let texts = file.executed().iter();
    texts.flat_map(|one| one.dropped().map(move |dropped| ConstraintDrop::Sql(one, dropped)))
}

/// Something that the other direction makes, by an operation or by SQL.
#[derive(Clone, Copy)]
enum Made<'f> {
    Operation(&'f Operation<'f>),
    Sql(&'f Executed<'f>, &'f Added),
}

impl<'f> Made<'f> {
    /// The name as it is written; nothing where there is none, where it is computed, or where it runs more than once.
    fn name(self) -> Option<&'f str> {
        match self {
            Self::Operation(operation) => operation.name.text().filter(|_| !operation.repeated),
            Self::Sql(one, added) => match &added.naming {
                Naming::Named(name) if name.is_certain && !one.run.repeated => Some(&name.text),
                _ => None,
            },
        }
    }

    /// The name in the database: the convention may build on a plain one, and SQL is taken as it is.
    fn name_in_database(self, file: &MigrationFile<'_>) -> Option<String> {
        match self {
            Self::Operation(operation) => {
                let kind = operation.kind()?;
                let constraint = Constraint {
                    kind,
                    ..Constraint::from(operation)
                };
                effective_name(file, constraint)
            }
            Self::Sql(..) => self.name().map(str::to_owned),
        }
    }

    fn columns(self) -> Option<&'f [String]> {
        match self {
            Self::Operation(operation) => operation.columns.known().map(Vec::as_slice),
            Self::Sql(_, added) => added.columns.as_deref(),
        }
    }

    fn place(self, file: &MigrationFile<'_>) -> Span {
        match self {
            Self::Operation(operation) => operation
                .name_argument
                .map_or(operation.call.span, |argument| argument.value.span),
            Self::Sql(one, added) => match &added.naming {
                Naming::Named(name) => one.place(file, name.at.clone()),
                Naming::Unnamed | Naming::Doubtful => one.run.argument,
            },
        }
    }
}

/// A drop with what it is compared by.
struct Target<'f> {
    drop: ConstraintDrop<'f>,
    table: &'f str,
    schema: Option<&'f str>,
    name: &'f str,
}

impl<'f> Target<'f> {
    /// What is certain of a drop. Only a downgrade has to undo what stands above it: an upgrade may well replace what an older revision made.
    fn of(drop: ConstraintDrop<'f>) -> Option<Self> {
        let (is_certain, table, schema) = match drop {
            ConstraintDrop::Operation(operation) => {
                let guarded = operation.call.keyword("if_exists").is_some();
                let schema = operation.schema.known()?.as_deref();
                (
                    !operation.repeated && !guarded,
                    operation.table.known()?.as_str(),
                    schema,
                )
            }
            ConstraintDrop::Sql(one, dropped) => {
                let table = dropped.table.as_ref().filter(|table| table.name.is_certain)?;
                let is_certain = !one.run.repeated && !dropped.if_exists && one.run.guard == Guard::None;
                (is_certain, table.name.text.as_str(), table.schema())
            }
        };
        (is_certain && drop.direction() == Direction::Downgrade).then_some(())?;
        Some(Self {
            drop,
            table,
            schema,
            name: drop.name()?,
        })
    }

    /// Whether the upgrade makes it by an operation under the very name: the usual case, for which no list is gone through.
    ///
    /// A convention may build on a plain name where the drop says its kind, and only there.
    fn is_made_as_written(&self, file: &MigrationFile<'_>) -> bool {
        let ConstraintDrop::Operation(drop) = self.drop else {
            return false;
        };
        // MySQL and MariaDB refuse the drop for another reason, which is told.
        let is_built_on = |create: &Operation<'_>| {
            drop.kind().is_none()
                && !matches!(file.dialect(), Some(Dialect::Mysql | Dialect::Mariadb))
                && self.differs_in_database(file, Made::Operation(create), self.name)
        };
        let is_it = |at: &usize| {
            let create = &file.migration.operations[*at];
            let is_of_kind = drop.kind().map_or(create.kind() != Some(ConstraintKind::Index), |own| {
                create.kind() == Some(own)
            });
            create.direction == Direction::Upgrade
                && create.name == drop.name
                && create.table == drop.table
                && create.schema == drop.schema
                && is_of_kind
                && !is_built_on(create)
        };
        file.creates_called_on(self.name, Some(self.table)).iter().any(is_it)
    }

    /// Whether the create has the name that is dropped, as both are written.
    fn is_same_as_written(&self, made: Made<'_>) -> bool {
        match (self.drop, made) {
            (ConstraintDrop::Operation(drop), Made::Operation(create)) => create.name == drop.name,
            _ => made.name().is_some_and(|name| self.agrees(made, name, self.name)),
        }
    }

    /// Whether what is made certainly has another name in the database than the one that is dropped there.
    fn differs_in_database(&self, file: &MigrationFile<'_>, made: Made<'_>, dropped: &str) -> bool {
        let name = made.name_in_database(file);
        name.is_some_and(|name| !self.agrees(made, &name, dropped))
    }

    /// Whether the convention may make two names of one that is written twice: it knows neither SQL nor a drop that does not say its kind.
    fn is_taken_differently(&self, made: Made<'_>) -> bool {
        match (self.drop, made) {
            (ConstraintDrop::Operation(drop), Made::Operation(_)) => drop.kind().is_none(),
            (ConstraintDrop::Operation(_), Made::Sql(..)) | (ConstraintDrop::Sql(..), Made::Operation(_)) => true,
            (ConstraintDrop::Sql(..), Made::Sql(..)) => false,
        }
    }

    /// The name by which it goes in the database.
    fn own(&self, file: &MigrationFile<'_>) -> Option<String> {
        match self.drop {
            ConstraintDrop::Operation(operation) => dropped_name(file, operation),
            ConstraintDrop::Sql(..) => Some(self.name.to_owned()),
        }
    }

    /// Whether two names are one: SQL without quotes says nothing of their case.
    fn agrees(&self, made: Made<'_>, one: &str, other: &str) -> bool {
        match (self.drop, made) {
            (ConstraintDrop::Operation(_), Made::Operation(_)) => one == other,
            _ => one.eq_ignore_ascii_case(other),
        }
    }
}

fn mismatch<'f>(groups: &Groups<'f, '_>, drop: ConstraintDrop<'f>) -> Option<Diagnostic> {
    let file = groups.file;
    let target = Target::of(drop)?;
    if target.is_made_as_written(file) {
        return None;
    }
    let group = groups.of(&target);
    // The usual case needs no convention, and so no file but this one.
    let is_same = |create: Made<'_>| {
        !target.is_taken_differently(create)
            || target
                .own(file)
                .is_none_or(|own| !target.differs_in_database(file, create, &own))
    };
    if group.written_as(&target).any(is_same) {
        return None;
    }
    if group.creates.is_empty() {
        return mismatched_check(groups, &target);
    }
    // A name that is computed may be any; what stands inside a table or a column is made without an operation.
    if group.is_doubtful {
        return None;
    }
    let own = target.own(file)?;
    if groups.is_made_otherwise(&target, &group, &own) {
        return None;
    }
    let named = group.named(file)?;
    if named.hold(&target, &own) {
        return None;
    }
    let left = group.left(groups, &target, named);
    let at = left.alike(target.name).or(left.first())?;
    let (create, name) = (*group.creates.get(at)?, named.name(at)?);
    let same_words = match (create, drop) {
        (Made::Operation(made), ConstraintDrop::Operation(drop)) if made.name == drop.name => made.kind(),
        _ => None,
    };
    let made = MadeAs {
        place: create.place(file),
        name,
        same_words,
    };
    Some(diagnostic(file, &target, &own, &made, left.is_one()))
}

/// What the upgrade makes, and the drop misses.
struct MadeAs<'n> {
    place: Span,
    name: &'n str,
    /// Its kind, where the drop writes the same name, and only the convention makes another of it.
    same_words: Option<ConstraintKind>,
}

/// A check that the upgrade makes inside a table or a column, or with a column's type, and that is dropped by another form of its name: the
/// convention builds on a plain one, and without `type_` or with `op.f()` a drop goes by what is written.
fn mismatched_check<'f>(groups: &Groups<'f, '_>, target: &Target<'f>) -> Option<Diagnostic> {
    let file = groups.file;
    let ConstraintDrop::Operation(drop) = target.drop else {
        return None;
    };
    let checks = file.inner_checks().of_table(target.table, target.schema)?;
    let is_check = matches!(drop.kind(), None | Some(ConstraintKind::Check));
    let own = dropped_name(file, drop).filter(|_| is_check && !drop.conditional)?;
    if groups.is_made_by_others(target, None, &own) {
        return None;
    }
    if checks.iter().any(|check| check.name == own) {
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
    let made = MadeAs {
        place: check.place,
        name: &check.name,
        same_words: (check.written == target.name).then_some(ConstraintKind::Check),
    };
    Some(diagnostic(file, target, &own, &made, true))
}

fn diagnostic(
    file: &MigrationFile<'_>,
    target: &Target<'_>,
    own: &str,
    made: &MadeAs<'_>,
    is_only: bool,
) -> Diagnostic {
    let (drop, name) = (target.drop, made.name);
    let created = Place {
        file: file.file().clone(),
        span: made.place,
    };
    let place = match drop {
        ConstraintDrop::Operation(operation) => operation
            .name_argument
            .map_or(operation.call.span, |argument| argument.value.span),
        ConstraintDrop::Sql(..) => drop.place(file),
    };
    let call = match drop {
        ConstraintDrop::Operation(operation) => operation.call.span,
        ConstraintDrop::Sql(one, _) => one.run.call.span,
    };
    let mut diagnostic = Diagnostic::new(
        &RULE,
        file.file(),
        call,
        format!("`{own}` is dropped, and the upgrade creates `{name}`"),
    )
    .focus(
        place,
        format!(
            "{} fails: there is no constraint of this name",
            this_direction(drop.direction())
        ),
    )
    .related(created, "this is what it must drop")
    .help(help(target, made));
    if is_only {
        diagnostic.suggested_name = Some(name.to_owned());
        let edit = drop.rename(file, name);
        diagnostic.fix = edit.map(|edit| Fix::new(format!("drop `{name}`"), Safety::Suggested, vec![edit]));
    }
    diagnostic
}

fn help(target: &Target<'_>, made: &MadeAs<'_>) -> String {
    let name = made.name;
    // Alembic applies the convention to a drop that says its kind (`alembic/operations/schemaobj.py`, `generic_constraint`).
    let untyped = matches!(target.drop, ConstraintDrop::Operation(drop) if drop.kind().is_none());
    match made.same_words.and_then(ConstraintKind::type_name) {
        Some(kind) if untyped => {
            format!("add `type_='{kind}'`, so that the convention makes the name of both; or drop `{name}`")
        }
        _ => format!("drop `{name}`"),
    }
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
            if is_table_of_batch(drop, written) {
                return Some(table_in_batch(file, drop, written, argument.value.span));
            }
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

/// Whether the batch's own table stands where a batch has the type: `op.drop_constraint` has the table there.
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
        .help(format!(
            "leave `{written}` out: the batch knows its table{and_the_type}"
        ))
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

#[cfg(test)]
mod tests {
    use crate::check::examine;
    use crate::config::Config;
    use crate::fix::apply;
    use crate::project::Project;
    use crate::rules::harness::{history_of, of_migration};
    use crate::snapshot::MemorySnapshot;
    use crate::source::SourceFile;

    #[test]
    fn a_batch_operation_that_is_given_its_table_is_told_so() {
        for (call, message, label) in [
            (
                "b.drop_constraint('n', 't', type_='unique')",
                "a batch operation takes no table",
                "this is `type_` a second time, so Python refuses the call",
            ),
            (
                "b.drop_constraint('n', 'other', type_='unique')",
                "a batch operation takes no table",
                "this is `type_` a second time, so Python refuses the call",
            ),
            (
                "b.drop_constraint('n', 't')",
                "a batch operation takes no table",
                "Alembic takes it for `type_`, and refuses it when this runs",
            ),
            (
                "b.drop_constraint('n', type_='uniq')",
                "`uniq` is no type of constraint",
                "Alembic refuses it when this runs",
            ),
            (
                "b.drop_constraint('n', 'uniq')",
                "`uniq` is no type of constraint",
                "Alembic refuses it when this runs",
            ),
            (
                "op.drop_constraint('n', 't', 't')",
                "`t` is no type of constraint",
                "Alembic refuses it when this runs",
            ),
        ] {
            let downgrade = format!("    with op.batch_alter_table('t') as b:\n        {call}\n");
            let found = of_migration("", "    pass\n", &downgrade, false);
            let found: Vec<_> = found.iter().filter(|one| one.rule == &super::RULE).collect();
            let [only] = found.as_slice() else {
                panic!("{call}: {found:?}")
            };
            assert_eq!(only.message, message, "{call}");
            assert_eq!(only.focus.text, label, "{call}");
        }
    }

    /// What a drop of a check is told to drop instead, under a convention that builds on names and without one; nothing where it is right.
    fn meant(url: &str, convention: &str, upgrade: &str, drop: &str) -> Option<String> {
        let env = format!(
            "from alembic import context\nfrom app.models import metadata\nurl = '{url}'\ntarget_metadata = metadata\n"
        );
        let models = format!("from sqlalchemy import MetaData\nmetadata = MetaData(naming_convention={convention})\n");
        let snapshot = MemorySnapshot::from([("migrations/env.py", env.as_str()), ("app/models.py", &models)]);
        let project = Project::new(&snapshot, "/top");
        let found = |text: &str| {
            let file = SourceFile::new("migrations/versions/a.py".into(), text.to_owned());
            examine(&file, false, &project, &Config::default()).diagnostics
        };
        let text = format!(
            "from alembic import op\nrevision = 'a'\ndown_revision = None\ndef upgrade():\n    {upgrade}\ndef downgrade():\n    op.drop_constraint({drop})\n"
        );
        let all = found(&text);
        let [only] = all.as_slice() else {
            assert!(all.is_empty(), "{all:?} in\n{text}");
            return None;
        };
        assert_eq!(only.rule.name, "mismatched-drop");
        let after = apply(&only.file, &only.fix);
        assert!(found(&after).is_empty(), "{after}");
        only.suggested_name.clone()
    }

    /// Each was run with Alembic 1.20 and SQLAlchemy 2.1 on PostgreSQL and MariaDB.
    #[test]
    fn a_check_inside_a_column_is_dropped_by_the_name_that_it_has() {
        const CK: &str = "{'ck': 'ck_%(table_name)s_%(constraint_name)s'}";
        const PG: &str = "postgresql://h/d";
        let own = "op.add_column('t', sa.Column('b', sa.Enum('x', name='b_enum', native_enum=False, create_constraint=True)))";
        let inline = "op.create_table('t', sa.Column('b', sa.Integer), sa.CheckConstraint('b > 0', name='b_enum'))";
        for upgrade in [own, inline] {
            for (convention, drop, expected) in [
                (CK, "'b_enum', 't', type_='check'", None),
                (CK, "op.f('ck_t_b_enum'), 't', type_='check'", None),
                (CK, "'b_enum', 't'", Some("ck_t_b_enum")),
                (CK, "op.f('b_enum'), 't', type_='check'", Some("ck_t_b_enum")),
                (CK, "'ck_t_b_enum', 't', type_='check'", Some("ck_t_b_enum")),
                ("None", "'ck_t_b_enum', 't', type_='check'", Some("b_enum")),
                ("None", "'b_enum', 't'", None),
                // Another one, of an older revision.
                (CK, "'other', 't', type_='check'", None),
                (CK, "'b_enum', 'u'", None),
                ("None", "'old_b_enum', 't', type_='check'", None),
            ] {
                assert_eq!(
                    meant(PG, convention, upgrade, drop).as_deref(),
                    expected,
                    "{upgrade} {drop}"
                );
            }
        }
        // On PostgreSQL the type is the database's own, and on MariaDB a column gets a check for it.
        let native = "op.add_column('t', sa.Column('b', sa.Boolean(create_constraint=True, name='b_bool')))";
        assert_eq!(meant(PG, CK, native, "op.f('b_bool'), 't', type_='check'"), None);
        let drop = "op.f('b_bool'), 't', type_='check'";
        assert_eq!(meant("mysql://h/d", CK, native, drop).as_deref(), Some("ck_t_b_bool"));
    }

    /// What is said of a revision in a project with the documented convention, and without one.
    fn of(upgrade: &str, downgrade: &str, convention: bool) -> Vec<String> {
        let models = if convention {
            "import sqlalchemy as sa\ntarget_metadata = sa.MetaData(naming_convention={'ck': 'ck_%(table_name)s_%(constraint_name)s', 'uq': 'uq_%(table_name)s_%(column_0_name)s'})\n"
        } else {
            "import sqlalchemy as sa\ntarget_metadata = sa.MetaData()\n"
        };
        let revision = format!(
            "from alembic import op\n{{0}}\ndef upgrade():\n    {upgrade}\ndef downgrade():\n    {downgrade}\n"
        );
        let (files, last) = history_of(models, &[&revision]);
        let snapshot: MemorySnapshot = files.into_iter().collect();
        let project = Project::new(&snapshot, "/top");
        let found = examine(&last, false, &project, &Config::default()).diagnostics;
        let found = found.iter().filter(|one| one.rule == &super::RULE);
        found
            .map(|one| {
                let fix = one.fix.as_ref().map(|fix| fix.edits[0].text.clone());
                [Some(one.message.clone()), one.help.clone(), fix]
                    .into_iter()
                    .flatten()
                    .collect::<Vec<_>>()
                    .join(" | ")
            })
            .collect()
    }

    /// Each was run on PostgreSQL 15 with Alembic 1.20: what is found fails, and what is not passes.
    #[test]
    fn a_convention_knows_neither_sql_nor_a_drop_that_does_not_say_its_kind() {
        let sql = "op.execute('ALTER TABLE ping ADD CONSTRAINT ck_ping_q CHECK (q > 0)')";
        let plain = "op.create_check_constraint('q', 'ping', 'q > 0')";
        for (upgrade, downgrade, expected) in [
            (
                sql,
                "op.drop_constraint('ck_ping_q', 'ping', type_='check')",
                "`ck_ping_ck_ping_q` is dropped, and the upgrade creates `ck_ping_q` | drop `ck_ping_q` | op.f('ck_ping_q')",
            ),
            (sql, "op.drop_constraint(op.f('ck_ping_q'), 'ping', type_='check')", ""),
            (sql, "op.drop_constraint('ck_ping_q', 'ping')", ""),
            (sql, "op.drop_constraint('q', 'ping', type_='check')", ""),
            (sql, "op.execute('ALTER TABLE ping DROP CONSTRAINT ck_ping_q')", ""),
            (
                plain,
                "op.execute('ALTER TABLE ping DROP CONSTRAINT q')",
                "`q` is dropped, and the upgrade creates `ck_ping_q` | drop `ck_ping_q` | ck_ping_q",
            ),
            (plain, "op.execute('ALTER TABLE ping DROP CONSTRAINT ck_ping_q')", ""),
            (
                plain,
                "op.drop_constraint('q', 'ping')",
                "`q` is dropped, and the upgrade creates `ck_ping_q` | add `type_='check'`, so that the convention makes the name of both; or drop `ck_ping_q` | op.f('ck_ping_q')",
            ),
            (plain, "op.drop_constraint('ck_ping_q', 'ping')", ""),
            (plain, "op.drop_constraint('q', 'ping', type_='check')", ""),
            // No template builds on the name of a unique constraint.
            (
                "op.create_unique_constraint('u', 'ping', ['q'])",
                "op.drop_constraint('u', 'ping')",
                "",
            ),
            (
                "op.execute('ALTER TABLE ping ADD CONSTRAINT u UNIQUE (q)')",
                "op.drop_constraint('u', 'ping', type_='unique')",
                "",
            ),
            (
                "op.create_unique_constraint('u', 'ping', ['q'])",
                "op.execute('ALTER TABLE ping DROP CONSTRAINT u')",
                "",
            ),
        ] {
            let found = of(upgrade, downgrade, true);
            assert_eq!(found.join("\n"), expected, "{upgrade}\n{downgrade}");
            let without = of(upgrade, downgrade, false);
            let fails = upgrade == plain && downgrade.contains("ck_ping_q");
            assert_eq!(without.len(), usize::from(fails), "{upgrade}\n{downgrade}\n{without:?}");
        }
    }
}
