//! MySQL and MariaDB keep an index for each foreign key, and one for the columns it refers to: neither goes before the key (error 1553).
//!
//! Measured on MariaDB 10.11: any index serves that starts with the key's columns in their order, a unique constraint's or the primary key's
//! too. The one that the database made for a key itself gives way to the first that is created beside it.

use crate::constraints::convention_name::dropped_name;
use crate::constraints::inline::constraints_of;
use crate::constraints::tables::{Dropping, Event, Key, Moment, Table, Tables, all_events, past};
use std::collections::{BTreeMap, HashMap, HashSet};

use super::RULE;
use super::moved::{self, Way};
use crate::constraints::MigrationFile;
use crate::diagnostic::Diagnostic;
use crate::migration::{Action, Direction, Operation, Step};
use crate::naming::{ConstraintKind, Dialect};
use crate::project::Place;
use crate::python::{Stmt, StmtKind};
use crate::source::Span;

/// The drops of indexes that MySQL and MariaDB refuse.
pub(super) fn check(file: &MigrationFile<'_>) -> Vec<Diagnostic> {
    let drops_index = |operation: &Operation<'_>| {
        let kind = matches!(
            operation.action,
            Action::Drop(Some(ConstraintKind::Index | ConstraintKind::Unique))
        );
        kind && operation.name.text().is_some() && operation.table.known().is_some()
    };
    let migration = file.migration;
    let makes_keys = || {
        let is_key = |operation: &Operation<'_>| operation.action == Action::Create(ConstraintKind::ForeignKey);
        let has_key = |step: &Step<'_>| {
            constraints_of(step)
                .iter()
                .any(|inline| inline.kind == ConstraintKind::ForeignKey)
        };
        migration.operations.iter().any(is_key) || migration.steps.iter().any(has_key)
    };
    let drops_column = || migration.steps.iter().any(|step| step.method == "drop_column");
    let may_be_refused = migration.operations.iter().any(drops_index) || drops_column() && makes_keys();
    let is_mysql = || matches!(file.dialect(), Some(Dialect::Mysql | Dialect::Mariadb));
    if !may_be_refused || !is_mysql() || switches_checks_off(file) {
        return Vec::new();
    }
    all_events(file).map_or_else(Vec::new, |happenings| refused(file, &happenings))
}

/// With `SET foreign_key_checks = 0` MariaDB drops what it is told to.
fn switches_checks_off(file: &MigrationFile<'_>) -> bool {
    file.file().text().to_ascii_lowercase().contains("foreign_key_checks")
}

fn refused<'f>(file: &'f MigrationFile<'_>, happenings: &[Event<'f>]) -> Vec<Diagnostic> {
    let mut tables = Tables::brought_back(happenings);
    let mut moments: Vec<Moment<'_>> = happenings.iter().filter_map(|event| tables.happens(event)).collect();
    let older = moments.iter().filter(|moment| !moment.is_complete);
    let older: HashSet<Table> = older.map(|moment| moment.table.clone()).collect();
    if let Some(mut past) = past(file, older.iter().cloned().collect()) {
        // Of an older table nobody knows all otherwise; that the revision makes the key and the index is enough then.
        let with_the_past = happenings.iter().filter_map(|event| past.happens(event));
        moments = better(moments, with_the_past.filter(|moment| older.contains(&moment.table)));
    }
    let leaves = early_leaves(file);
    let mut found: Vec<Refused<'_>> = Vec::new();
    let mut waited_for: HashSet<Span> = HashSet::new();
    for moment in moments {
        let Some(way) = Way::to(file.migration.module.body(), moment.drop.call.span) else {
            continue;
        };
        let is_reached = moment.drop.function.is_some_and(|function| {
            leaves
                .get(function)
                .is_none_or(|leaves| *leaves > moment.drop.call.span.start)
        });
        // A column that waits for the key of its index is the same fault.
        let is_news =
            moment.drop.what != "column" || moment.keys.iter().any(|key| !waited_for.contains(&key.place.span));
        if is_reached && is_news && !moment.keys.is_empty() {
            waited_for.extend(moment.keys.iter().map(|key| key.place.span));
            found.push(Refused { moment, way });
        }
    }
    if found.is_empty() {
        return Vec::new();
    }
    let later = Later::of(file);
    let moves = moved::Moves::new(file, &later, &found);
    found
        .iter()
        .filter_map(|one| diagnostic(file, &later, &moves, one))
        .collect()
}

/// Of each drop what tells more: the older revisions, where they tell all of its table.
fn better<'f>(moments: Vec<Moment<'f>>, with_the_past: impl Iterator<Item = Moment<'f>>) -> Vec<Moment<'f>> {
    let complete = with_the_past.filter(|moment| moment.is_complete);
    let mut by_place: BTreeMap<Span, Moment<'_>> = moments.into_iter().map(|one| (one.drop.call.span, one)).collect();
    by_place.extend(complete.map(|one| (one.drop.call.span, one)));
    by_place.into_values().collect()
}

/// A drop that fails, and the keys for which it does.
pub(super) struct Refused<'f> {
    pub(super) moment: Moment<'f>,
    pub(super) way: Way<'f>,
}

/// Where each function may end before its last statement.
fn early_leaves<'f>(file: &MigrationFile<'f>) -> HashMap<&'f str, usize> {
    let mut found = HashMap::new();
    for statement in file.migration.module.body() {
        let StmtKind::Function(function) = &statement.kind else {
            continue;
        };
        let leaves = function.body.iter().find(|statement| may_leave(statement));
        found.extend(leaves.map(|leaves| (function.name.as_str(), leaves.span.start)));
    }
    found
}

fn may_leave(statement: &Stmt) -> bool {
    let leaves = |body: &[Stmt]| {
        body.iter()
            .any(|inner| matches!(inner.kind, StmtKind::Return(_) | StmtKind::Raise(_)))
    };
    match &statement.kind {
        StmtKind::If(branches) => branches.iter().any(|(_, body)| leaves(body)),
        StmtKind::Return(_) | StmtKind::Raise(_) => true,
        _ => false,
    }
}

/// What removes keys: their drops, and those of their tables.
pub(super) struct Later<'f> {
    keys: HashMap<(&'f str, Direction, String), Vec<&'f Operation<'f>>>,
    tables: HashMap<(&'f str, Direction), &'f Step<'f>>,
}

impl<'f> Later<'f> {
    fn of(file: &'f MigrationFile<'_>) -> Self {
        let mut later = Self {
            keys: HashMap::new(),
            tables: HashMap::new(),
        };
        for drop in &file.migration.operations {
            let is_plain = !drop.repeated && !drop.conditional;
            if let (Action::Drop(Some(ConstraintKind::ForeignKey)), Some(table), true) =
                (drop.action, drop.table.known(), is_plain)
                && let Some(name) = dropped_name(file, drop).or_else(|| drop.name.text().map(str::to_owned))
            {
                later.keys.entry((table, drop.direction, name)).or_default().push(drop);
            }
        }
        for step in file.migration.steps.iter().filter(|step| step.method == "drop_table") {
            if let (Some(table), false) = (step.table.known(), step.conditional || step.repeated) {
                later.tables.entry((table, step.direction)).or_insert(step);
            }
        }
        later
    }

    /// The drop of a key, after that of an index.
    pub(super) fn drop_of(&self, key: &Key, after: Dropping<'_>) -> Option<&'f Operation<'f>> {
        let is_after = |drop: &&Operation<'_>| drop.function == after.function && drop.call.span > after.call.span;
        let is_of_table = |drop: &&Operation<'_>| drop.schema.known() == Some(&key.table.1);
        let drops = self
            .keys
            .get(&(key.table.0.as_str(), after.direction, key.name.clone()?))?;
        drops.iter().copied().find(|drop| is_after(drop) && is_of_table(drop))
    }

    /// The drop of a key's table, after that of an index.
    pub(super) fn drop_of_table(&self, key: &Key, after: Dropping<'_>) -> Option<&'f Step<'f>> {
        let step = self.tables.get(&(key.table.0.as_str(), after.direction))?;
        let is_it = step.schema.known() == Some(&key.table.1)
            && step.function == after.function
            && step.call.span > after.call.span;
        is_it.then_some(step)
    }
}

fn diagnostic(
    file: &MigrationFile<'_>,
    later: &Later<'_>,
    moves: &moved::Moves<'_, '_>,
    refused: &Refused<'_>,
) -> Option<Diagnostic> {
    let drop = refused.moment.drop;
    let what = drop.what;
    let place = |span| Place {
        file: file.file().clone(),
        span,
    };
    let key = refused.moment.keys.first()?;
    let with_its_table = later.drop_of_table(key, drop);
    let (message, related, help) = if let Some(dropped) = later.drop_of(key, drop) {
        (
            format!("the {what} is dropped before the foreign key that needs it"),
            (place(dropped.call.span), "the foreign key goes only here"),
            "drop the foreign key first".to_owned(),
        )
    } else if let Some(table) = with_its_table {
        let help = if key.table == refused.moment.table {
            format!("leave it out: `drop_table` drops the {what} as well")
        } else {
            format!("drop the table `{}` first, and its key with it", key.table.0)
        };
        (
            format!("the {what} is dropped before the foreign key that needs it"),
            (place(table.call.span), "the foreign key goes only here, with its table"),
            help,
        )
    } else {
        (
            format!("the {what} is dropped while a foreign key needs it"),
            (key.place.clone(), "this foreign key needs it"),
            still_there(file, key),
        )
    };
    let mut diagnostic = Diagnostic::new(&RULE, file.file(), drop.call.span, message)
        .focus(drop.call.span, "MySQL and MariaDB refuse this (error 1553)")
        .related(related.0, related.1)
        .help(help);
    diagnostic.fix = moves.fix(refused);
    Some(diagnostic)
}

fn still_there(file: &MigrationFile<'_>, key: &Key) -> String {
    let is_older = key.place.file.path() != file.file().path();
    let drop = match key.name.as_ref().filter(|_| !key.is_chosen) {
        Some(name) => format!("drop the foreign key `{name}` first"),
        None => "give the foreign key a name and drop it first".to_owned(),
    };
    if is_older {
        return "create another index that starts with the key's columns first; or drop the key, and create it anew afterwards: the database then \
             makes an index of its own"
            .to_owned();
    }
    drop
}

#[cfg(test)]
mod tests {
    use crate::check::examine;
    use crate::config::Config;
    use crate::diagnostic::Diagnostic;
    use crate::fix::{Safety, apply};
    use crate::project::Project;
    use crate::rules::harness::{history_of, of_migration};
    use crate::snapshot::MemorySnapshot;

    const MARIADB: &str = "mysql+pymysql://h/d";

    fn of(upgrade: &str, downgrade: &str, head: bool) -> Vec<Diagnostic> {
        let indented = |lines: &str| format!("    {}", lines.replace('\n', "\n    "));
        let found = of_migration(MARIADB, &indented(upgrade), &indented(downgrade), head);
        found
            .into_iter()
            .filter(|one| one.rule.name == "mismatched-drop")
            .collect()
    }

    const TABLE: &str = "op.create_table('t', sa.Column('id', sa.Integer(), nullable=False), sa.Column('p', sa.Integer()), sa.Column('q', sa.Integer()), \
         sa.ForeignKeyConstraint(['p'], ['r.id'], name='fk'), sa.PrimaryKeyConstraint('id'))\n";

    /// As measured on MariaDB 10.11: what is found fails with error 1553, and what is not passes.
    #[allow(clippy::too_many_lines, reason = "it is a table")]
    #[test]
    fn an_index_stays_as_long_as_a_key_needs_it() {
        let table = |rest: &str| format!("{TABLE}{rest}");
        for (upgrade, downgrade, expected) in [
            (table("op.create_index('ix', 't', ['p'])"), "op.drop_index('ix', 't')\nop.drop_table('t')", 1),
            (table("op.create_index('ix', 't', ['p'], unique=True)"), "op.drop_index('ix', 't')\nop.drop_table('t')", 1),
            (table("op.create_index('ix', 't', ['p', 'q'])"), "op.drop_index('ix', 't')\nop.drop_table('t')", 1),
            (table("op.create_index('ix', 't', ['q', 'p'])"), "op.drop_index('ix', 't')\nop.drop_table('t')", 0),
            (table("op.create_index('ix', 't', ['q'])"), "op.drop_index('ix', 't')\nop.drop_table('t')", 0),
            // Another index that starts so serves as well, until it is dropped too.
            (
                table("op.create_index('ix', 't', ['p'])\nop.create_index('iy', 't', ['p', 'q'])"),
                "op.drop_index('iy', 't')\nop.drop_table('t')",
                0,
            ),
            (
                table("op.create_index('ix', 't', ['p'])\nop.create_index('iy', 't', ['p', 'q'])"),
                "op.drop_index('iy', 't')\nop.drop_index('ix', 't')\nop.drop_table('t')",
                1,
            ),
            (
                table("op.create_index('ix', 't', ['p'])\nop.create_unique_constraint('uq', 't', ['p', 'q'])"),
                "op.drop_index('ix', 't')\nop.drop_table('t')",
                0,
            ),
            (
                table("op.create_unique_constraint('uq', 't', ['p', 'q'])"),
                "op.drop_constraint('uq', 't', type_='unique')\nop.drop_constraint('fk', 't', type_='foreignkey')",
                1,
            ),
            (table("op.create_index('ix', 't', ['p'])"), "op.drop_constraint('fk', 't', type_='foreignkey')\nop.drop_index('ix', 't')", 0),
            (table("op.create_index('ix', 't', ['p'])"), "op.create_index('iz', 't', ['p'])\nop.drop_index('ix', 't')", 0),
            (table("op.create_index('ix', 't', ['p'])"), "op.drop_table('t')", 0),
            // The primary key is an index, its columns in their order.
            (
                "op.create_table('t', sa.Column('p', sa.Integer(), sa.ForeignKey('r.id'), primary_key=True), sa.Column('q', sa.Integer(), primary_key=True))\nop.create_index('ix', 't', ['p'])".to_owned(),
                "op.drop_index('ix', 't')\nop.drop_table('t')",
                0,
            ),
            (
                "op.create_table('t', sa.Column('q', sa.Integer(), primary_key=True), sa.Column('p', sa.Integer(), sa.ForeignKey('r.id'), primary_key=True))\nop.create_index('ix', 't', ['p'])".to_owned(),
                "op.drop_index('ix', 't')\nop.drop_table('t')",
                1,
            ),
            // A key of two columns needs both.
            (
                "op.create_table('t', sa.Column('id', sa.Integer()), sa.ForeignKeyConstraint(['p', 'q'], ['r.a', 'r.b']))\nop.create_index('ix', 't', ['p'])".to_owned(),
                "op.drop_index('ix', 't')\nop.drop_table('t')",
                0,
            ),
            (
                "op.create_table('t', sa.Column('id', sa.Integer()), sa.ForeignKeyConstraint(['p', 'q'], ['r.a', 'r.b']))\nop.create_index('ix', 't', ['p', 'q', 'id'])".to_owned(),
                "op.drop_index('ix', 't')\nop.drop_table('t')",
                1,
            ),
            // A column with its key.
            (
                "op.add_column('t', sa.Column('p', sa.Integer(), sa.ForeignKey('r.id', name='fk')))\nop.create_index('ix', 't', ['p'])".to_owned(),
                "op.drop_index('ix', 't')\nop.drop_column('t', 'p')",
                1,
            ),
            // The column itself.
            (
                "op.add_column('t', sa.Column('p', sa.Integer()))\nop.create_foreign_key('fk', 't', 'r', ['p'], ['id'])".to_owned(),
                "op.drop_column('t', 'p')",
                1,
            ),
            (
                "op.add_column('t', sa.Column('p', sa.Integer()))\nop.create_foreign_key('fk', 't', 'r', ['p'], ['id'])".to_owned(),
                "op.drop_constraint('fk', 't', type_='foreignkey')\nop.drop_column('t', 'p')",
                0,
            ),
            ("op.add_column('t', sa.Column('p', sa.Integer()))".to_owned(), "op.drop_column('t', 'p')", 0),
            // What the key refers to.
            (
                "op.create_unique_constraint('uq', 'r', ['c'])\nop.create_foreign_key('fk', 't', 'r', ['c'], ['c'])".to_owned(),
                "op.drop_constraint('uq', 'r', type_='unique')\nop.drop_constraint('fk', 't', type_='foreignkey')",
                1,
            ),
            (
                "op.create_unique_constraint('uq', 'r', ['c'])\nop.create_foreign_key('fk', 't', 'r', ['c'], ['c'])".to_owned(),
                "op.drop_constraint('fk', 't', type_='foreignkey')\nop.drop_constraint('uq', 'r', type_='unique')",
                0,
            ),
            // Checks do not matter.
            (
                table("op.create_index('ix', 't', ['p'])\nop.execute('ALTER TABLE t ADD CONSTRAINT ck CHECK (p > 0)')"),
                "op.drop_index('ix', 't')\nop.drop_table('t')",
                1,
            ),
            // What the upgrade drops and the downgrade brings back was there before.
            (
                "op.drop_index('ix', 't')\nop.drop_constraint('fk', 't', type_='foreignkey')".to_owned(),
                "op.create_foreign_key('fk', 't', 'r', ['p'], ['id'])\nop.create_index('ix', 't', ['p'])",
                1,
            ),
            (
                "op.drop_constraint('fk', 't', type_='foreignkey')\nop.drop_index('ix', 't')".to_owned(),
                "op.create_index('ix', 't', ['p'])\nop.create_foreign_key('fk', 't', 'r', ['p'], ['id'])",
                0,
            ),
            (
                "op.create_index('iz', 't', ['p'])\nop.drop_index('ix', 't')\nop.drop_constraint('fk', 't', type_='foreignkey')".to_owned(),
                "op.create_index('ix', 't', ['p'])\nop.drop_index('iz', 't')\nop.create_foreign_key('fk', 't', 'r', ['p'], ['id'])",
                0,
            ),
            // A column's own index, under the name that SQLAlchemy gives it.
            (
                "op.create_table('t', sa.Column('p', sa.Integer(), sa.ForeignKey('r.id'), index=True))".to_owned(),
                "op.drop_index('ix_t_p', 't')\nop.drop_table('t')",
                1,
            ),
            // Whoever looks at the database, or lets it fail, knows.
            (table("op.create_index('ix', 't', ['p'])"), "if x:\n    op.drop_index('ix', 't')\nop.drop_table('t')", 0),
            (table("op.create_index('ix', 't', ['p'])"), "try:\n    op.drop_index('ix', 't')\nexcept Exception:\n    pass\nop.drop_table('t')", 0),
            (table("op.create_index('ix', 't', ['p'])"), "with suppress(Exception):\n    op.drop_index('ix', 't')\nop.drop_table('t')", 0),
            (table("op.create_index('ix', 't', ['p'])"), "if mysql():\n    return\nop.drop_index('ix', 't')\nop.drop_table('t')", 0),
            (table("op.create_index('ix', 't', ['p'])"), "op.execute('SET foreign_key_checks = 0')\nop.drop_index('ix', 't')\nop.drop_table('t')", 0),
            (table("op.create_index('ix', 't', ['p'])"), "op.execute('ALTER TABLE t DROP FOREIGN KEY fk')\nop.drop_index('ix', 't')", 0),
            (table("op.create_index('ix', 't', ['p'])"), "op.execute('CREATE INDEX iz ON t (p)')\nop.drop_index('ix', 't')", 0),
            (table("op.create_index('ix', 't', ['p'], mysql_length=3)"), "op.drop_index('ix', 't')", 0),
        ] {
            let found = of(&upgrade, downgrade, false);
            assert_eq!(found.len(), expected, "{upgrade}\n{downgrade}\n{found:?}");
        }
        let (up, down) = (
            table("op.create_index('ix', 't', ['p'])"),
            "op.drop_index('ix', 't')\nop.drop_table('t')",
        );
        for url in ["postgresql://h/d", "sqlite:///a.db", ""] {
            let found = of_migration(
                url,
                &format!("    {}", up.replace('\n', "\n    ")),
                &format!("    {}", down.replace('\n', "\n    ")),
                false,
            );
            assert!(
                found.iter().all(|one| one.rule.name != "mismatched-drop"),
                "{url} {found:?}"
            );
        }
    }

    fn fixed(upgrade: &str, downgrade: &str) -> String {
        let found = of(upgrade, downgrade, false);
        assert!(!found.is_empty(), "{downgrade}");
        let text = apply(&found[0].file, found.iter().filter_map(|one| one.fix.as_ref()));
        let (_, downgrade) = text.split_once("def downgrade():\n").unwrap();
        downgrade.trim_end().replace("\n    ", "\n").trim_start().to_owned()
    }

    #[test]
    fn the_key_goes_first_with_its_comments() {
        let keys = "op.create_index('ix', 't', ['p'])\nop.create_foreign_key('fk', 't', 'r', ['p'], ['id'])\nop.create_index('iy', 't', ['q'])\nop.create_foreign_key('fj', 't', 'r', ['q'], ['id'])";
        for (upgrade, downgrade, expected) in [
            (
                keys,
                "# ### commands auto generated by Alembic - please adjust! ###\nop.drop_index('ix', 't')\n# The key.\nop.drop_constraint('fk', 't', type_='foreignkey')  # its drop\nop.drop_constraint('fj', 't', type_='foreignkey')\nop.drop_index('iy', 't')\n# ### end Alembic commands ###",
                "# ### commands auto generated by Alembic - please adjust! ###\n# The key.\nop.drop_constraint('fk', 't', type_='foreignkey')  # its drop\nop.drop_index('ix', 't')\nop.drop_constraint('fj', 't', type_='foreignkey')\nop.drop_index('iy', 't')\n# ### end Alembic commands ###",
            ),
            (
                keys,
                "op.drop_index('ix', 't')\nop.drop_index('iy', 't')\nop.drop_constraint('fk', 't', type_='foreignkey')\nop.drop_constraint(\n    'fj', 't',\n    type_='foreignkey',\n)",
                "op.drop_constraint('fk', 't', type_='foreignkey')\nop.drop_index('ix', 't')\nop.drop_constraint(\n    'fj', 't',\n    type_='foreignkey',\n)\nop.drop_index('iy', 't')",
            ),
            (
                keys,
                "with op.batch_alter_table('t') as b:\n    b.drop_index('ix')\n    b.drop_constraint('fk', type_='foreignkey')",
                "with op.batch_alter_table('t') as b:\n    b.drop_constraint('fk', type_='foreignkey')\n    b.drop_index('ix')",
            ),
            (
                keys,
                "with op.batch_alter_table('t') as b:\n    b.drop_index('ix')\n\nwith op.batch_alter_table('t') as b:\n    b.drop_constraint('fk', type_='foreignkey')\n\nop.drop_table('u')",
                "with op.batch_alter_table('t') as b:\n    b.drop_constraint('fk', type_='foreignkey')\n\nwith op.batch_alter_table('t') as b:\n    b.drop_index('ix')\n\nop.drop_table('u')",
            ),
            // One key for two drops, of either table.
            (
                "op.create_unique_constraint('uq', 'r', ['c'])\nop.create_index('ix', 't', ['c'])\nop.create_foreign_key('fk', 't', 'r', ['c'], ['c'])",
                "op.drop_index('ix', 't')\nop.drop_constraint('uq', 'r', type_='unique')\nop.drop_constraint('fk', 't', type_='foreignkey')",
                "op.drop_constraint('fk', 't', type_='foreignkey')\nop.drop_index('ix', 't')\nop.drop_constraint('uq', 'r', type_='unique')",
            ),
            // The table takes its indexes along.
            (
                &format!("{TABLE}op.create_index('ix', 't', ['p'])\nop.create_index('iq', 't', ['q'])"),
                "with op.batch_alter_table('t') as b:\n    b.drop_index('iq')\n    b.drop_index('ix')\n\nop.drop_table('t')",
                "op.drop_table('t')",
            ),
            (
                &format!("{TABLE}op.create_index('ix', 't', ['p'])\nop.create_index('iq', 't', ['q'])"),
                "op.drop_index('iq', 't')\nop.drop_index('ix', 't')\nop.drop_table('t')",
                "op.drop_index('iq', 't')\nop.drop_table('t')",
            ),
            // A column whose key nobody drops.
            (
                "op.add_column('t', sa.Column('p', sa.Integer(), sa.ForeignKey('r.id', name='fk')))\nop.create_index('ix', 't', ['p'])",
                "op.drop_index('ix', 't')\nop.drop_column('t', 'p')",
                "op.drop_constraint(op.f('fk'), 't', type_='foreignkey')\nop.drop_index('ix', 't')\nop.drop_column('t', 'p')",
            ),
            (
                "op.add_column('t', sa.Column('p', sa.Integer()))\nop.create_foreign_key('fk', 't', 'r', ['p'], ['id'])",
                "with op.batch_alter_table('t') as b:\n    # The column.\n    b.drop_column('p')",
                "with op.batch_alter_table('t') as b:\n    b.drop_constraint(b.f('fk'), type_='foreignkey')\n    # The column.\n    b.drop_column('p')",
            ),
            // One key that nobody drops, for two drops.
            (
                "op.create_unique_constraint('uq', 't', ['c'])\nop.create_index('ix', 't', ['p'])\nop.create_foreign_key('fk', 't', 't', ['p'], ['c'])",
                "op.drop_index('ix', 't')\nop.drop_constraint('uq', 't', type_='unique')",
                "op.drop_constraint(op.f('fk'), 't', type_='foreignkey')\nop.drop_index('ix', 't')\nop.drop_constraint('uq', 't', type_='unique')",
            ),
            // Nothing is left of the block.
            (
                &format!("{TABLE}op.create_unique_constraint('uq', 't', ['p'])"),
                "with op.batch_alter_table('t') as b:\n    b.drop_constraint('uq', type_='unique')\n\nop.drop_table('t')",
                "op.drop_table('t')",
            ),
            // What is not alone on its line stays where it is.
            (
                keys,
                "op.drop_index('ix', 't'); op.drop_constraint('fk', 't', type_='foreignkey')",
                "op.drop_index('ix', 't'); op.drop_constraint('fk', 't', type_='foreignkey')",
            ),
        ] {
            assert_eq!(fixed(upgrade, downgrade), expected);
        }
        let safety = |head| {
            let down = "op.drop_index('ix', 't')\nop.drop_constraint('fk', 't', type_='foreignkey')";
            of(keys, down, head)[0].fix.as_ref().unwrap().safety
        };
        assert_eq!((safety(false), safety(true)), (Safety::Safe, Safety::Suggested));
    }

    /// What is found in the last of these revisions.
    fn after(revisions: &[&str]) -> Vec<Diagnostic> {
        let (mut files, last) = history_of("target_metadata = None\n", revisions);
        files.push((
            "alembic.ini".into(),
            format!("[alembic]\nscript_location = migrations\nsqlalchemy.url = {MARIADB}\n"),
        ));
        let snapshot: MemorySnapshot = files.into_iter().collect();
        let project = Project::new(&snapshot, "/top");
        let found = examine(&last, false, &project, &Config::default()).diagnostics;
        found
            .into_iter()
            .filter(|one| one.rule.name == "mismatched-drop")
            .collect()
    }

    #[test]
    fn a_key_of_an_older_revision_needs_its_index_too() {
        let both = |up: &str, down: &str| {
            format!(
                "from alembic import op\nimport sqlalchemy as sa\n{{0}}\ndef upgrade():\n    {up}\ndef downgrade():\n    {down}\n"
            )
        };
        let made = "op.create_table('t', sa.Column('id', sa.Integer(), primary_key=True), sa.Column('p', sa.Integer(), sa.ForeignKey('r.id')))";
        let indexed = both("op.create_index('ix', 't', ['p'])", "op.drop_index('ix', 't')");
        for (revisions, expected) in [
            (&[made, &indexed][..], 1),
            // Another index serves, or served once and is gone.
            (&[made, "op.create_index('iy', 't', ['p', 'id'])", &indexed], 0),
            (
                &[
                    made,
                    "op.create_index('iy', 't', ['p', 'id'])",
                    "op.drop_index('iy', 't')",
                    &indexed,
                ],
                1,
            ),
            // The key is gone, or may be.
            (
                &[
                    made,
                    "op.drop_constraint('t_ibfk_1', 't', type_='foreignkey')",
                    &indexed,
                ],
                0,
            ),
            (
                &[made, "op.execute('ALTER TABLE t DROP FOREIGN KEY t_ibfk_1')", &indexed],
                0,
            ),
            (&[made, "op.drop_column('t', 'p')", &indexed], 0),
            (&["op.get_bind().execute(open('t.sql').read())", &indexed], 0),
            // Nobody has seen the table.
            (&["pass", &indexed], 0),
            // An upgrade that drops what older ones made.
            (
                &[made, "op.create_index('ix', 't', ['p'])", "op.drop_index('ix', 't')"],
                1,
            ),
            (
                &[
                    made,
                    "op.create_index('ix', 't', ['p'])",
                    "op.create_index('iz', 't', ['p']); op.drop_index('ix', 't')",
                ],
                0,
            ),
            (
                &[
                    made,
                    "op.create_index('ix', 't', ['p'])",
                    "op.drop_constraint('t_ibfk_1', 't', type_='foreignkey'); op.drop_index('ix', 't')",
                ],
                0,
            ),
        ] {
            let found = after(revisions);
            assert_eq!(found.len(), expected, "{revisions:?}\n{found:?}");
        }
        // The key of a table that an older revision lets go without a word of the other.
        let parent = "op.create_table('u', sa.Column('c', sa.Integer()), sa.UniqueConstraint('c', name='uq'))";
        let child =
            "op.create_table('v', sa.Column('c', sa.Integer()), sa.ForeignKeyConstraint(['c'], ['u.c'], name='fk'))";
        let drops = "op.drop_constraint('uq', 'u', type_='unique')";
        assert_eq!(after(&[parent, child, drops]).len(), 1);
        assert_eq!(
            after(&[
                parent,
                child,
                "op.drop_constraint('fk', 'v', type_='foreignkey')",
                drops
            ])
            .len(),
            0
        );
        assert_eq!(after(&[parent, child, "op.drop_table('v')", drops]).len(), 0);
        // The number of the key is known, and so is what drops it.
        let drops = "op.drop_index('ix', 't')\n    op.drop_constraint('t_ibfk_1', 't', type_='foreignkey')\n    op.create_foreign_key('fk', 't', 'r', ['p'], ['id'])";
        let found = after(&[made, "op.create_index('ix', 't', ['p'])", drops]);
        assert_eq!(found.len(), 1, "{found:?}");
        let text = apply(&found[0].file, found[0].fix.as_ref());
        assert!(
            text.contains("def upgrade():\n    op.drop_constraint('t_ibfk_1'"),
            "{text}"
        );
        // A key and an index of one revision, and an older index.
        let keyed = both(
            "op.create_index('ix', 't', ['c']); op.create_foreign_key('fk', 't', 'r', ['c'], ['id'])",
            "op.drop_index('ix', 't'); op.drop_constraint('fk', 't', type_='foreignkey')",
        );
        let table = "op.create_table('t', sa.Column('id', sa.Integer(), primary_key=True), sa.Column('c', sa.Integer(), unique=True))";
        assert_eq!(after(&[table, &keyed]).len(), 0);
        assert_eq!(after(&[&table.replace(", unique=True", ""), &keyed]).len(), 1);
    }
}
