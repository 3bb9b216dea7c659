//! A constraint that the downgrade never drops.
//!
//! Without a name, a second upgrade makes another one under a new name of the database's. With a name it fails, because the name is taken.

use std::collections::HashSet;

use super::MigrationFile;
use super::edits::{drop_arguments, table_arguments};
use super::executed::DIRECTIONS;
use crate::fix::Edit;
use crate::migration::{Direction, Operation, Receiver, Step};
use crate::naming::ConstraintKind;
use crate::python::{Alias, Call, Function, Module, Stmt, StmtKind};
use crate::source::Span;
use crate::sql::{Dropped, Effect};

/// What the downgrade of a migration may undo. Names are in lower case, as SQL may write them.
#[derive(Default)]
pub(super) struct Undone<'a> {
    downgrade: Option<&'a Function>,
    /// Anything may be undone, as far as can be told.
    anything: bool,
    /// Constraints of a kind on a table; of any kind where the drop says none.
    constraints: HashSet<(String, Option<ConstraintKind>)>,
    /// Tables that are dropped or renamed.
    tables: HashSet<String>,
    /// Columns that are dropped, by table.
    columns: HashSet<(String, String)>,
}

impl<'a> Undone<'a> {
    pub(super) fn by_downgrade(file: &MigrationFile<'a>) -> Self {
        let migration = file.migration;
        let Some(downgrade) = downgrade(migration.module) else {
            // No fix can add to it.
            return Self {
                anything: true,
                ..Self::default()
            };
        };
        let is_raise = |statement: &Stmt| matches!(statement.kind, StmtKind::Raise(_));
        let mut undone = Self {
            downgrade: Some(downgrade),
            anything: downgrade.body.iter().any(is_raise)
                || !migration.module.errors().is_empty()
                || calls_unknown_code(file, downgrade)
                || !file.is_all_read(|direction| direction != Direction::Upgrade),
            ..Self::default()
        };
        for drop in migration.operations.iter().filter(|one| !one.creates()) {
            undone.add_drop(file, drop);
        }
        for step in &migration.steps {
            undone.add_step(step);
        }
        for one in file.executed() {
            if one.run.when.direction != Direction::Upgrade {
                one.effects.iter().for_each(|effect| undone.add_effect(effect));
            }
        }
        undone
    }

    /// A drop by the name of another create of the migration drops only that one.
    fn add_drop(&mut self, file: &MigrationFile<'_>, drop: &Operation<'_>) {
        if drop.when.direction == Direction::Upgrade {
            return;
        }
        let name = drop.name.text().unwrap_or_default();
        let mut others = DIRECTIONS
            .into_iter()
            .filter(|direction| *direction != drop.when.direction);
        if others.any(|direction| file.creates_in(name, direction)) {
            return;
        }
        match drop.table.known() {
            // MySQL drops a unique constraint as an index.
            Some(table) => {
                let kind = drop.kind().filter(|kind| *kind != ConstraintKind::Index);
                self.constraints.insert((table.to_lowercase(), kind));
            }
            None => self.anything = true,
        }
    }

    fn add_step(&mut self, step: &Step<'_>) {
        let changes_table = matches!(step.method, "drop_table" | "rename_table" | "create_table" | "drop_column");
        if step.when.direction == Direction::Upgrade || !changes_table {
            return;
        }
        let Some(table) = step.table.known().map(|table| table.to_lowercase()) else {
            self.anything = true;
            return;
        };
        match step.dropped_column() {
            Some(column) => self.columns.insert((table, column.to_lowercase())),
            None => self.tables.insert(table),
        };
    }

    fn add_effect(&mut self, effect: &Effect) {
        match effect {
            Effect::Dropped(Dropped { table: Some(table), .. }) | Effect::TableChanged(table) => {
                self.tables.insert(table.name.text.to_lowercase());
            }
            Effect::ColumnDropped { table, column } => {
                let (table, column) = (table.name.text.to_lowercase(), column.text.to_lowercase());
                self.columns.insert((table, column));
            }
            Effect::Dropped(_) | Effect::Unknown => self.anything = true,
            Effect::Added(_) | Effect::Renamed { .. } => {}
        }
    }

    fn may_hold(&self, create: &Operation<'_>) -> bool {
        let (Some(table), Some(columns)) = (create.table.known(), &create.columns) else {
            return true;
        };
        let table = table.to_lowercase();
        let with_table = |column: &String| (table.clone(), column.to_lowercase());
        self.anything
            || self.tables.contains(&table)
            || [create.kind(), None]
                .map(|kind| (table.clone(), kind))
                .iter()
                .any(|one| self.constraints.contains(one))
            || columns.iter().any(|column| self.columns.contains(&with_table(column)))
    }
}

/// The last `downgrade()` of a module.
fn downgrade(module: &Module) -> Option<&Function> {
    module.body().iter().rev().find_map(|statement| match &statement.kind {
        StmtKind::Function(function) if function.name == "downgrade" => Some(&**function),
        _ => None,
    })
}

/// A create that the downgrade never undoes.
pub(super) struct ForgottenDrop<'f> {
    create: &'f Operation<'f>,
    downgrade: &'f Function,
}

impl<'f> ForgottenDrop<'f> {
    /// Nothing where the downgrade undoes it, may do so, or does not exist.
    pub(super) fn of(file: &'f MigrationFile<'_>, create: &'f Operation<'f>) -> Option<Self> {
        // A table has one primary key, with a name or without.
        let may_be_twice = create.when.direction == Direction::Upgrade
            && create.kind()? != ConstraintKind::PrimaryKey
            && !create.when.repeated;
        if !may_be_twice || file.undone().may_hold(create) {
            return None;
        }
        let downgrade = file.undone().downgrade?;
        Some(Self { create, downgrade })
    }

    /// The drop as the first statement of the downgrade; nothing where the code has no place for it.
    pub(super) fn edit(&self, file: &MigrationFile<'_>, name: &str) -> Option<Edit> {
        let is_changed_by_sql = |table: &String| file.changes_by_sql(table);
        if file.renames_tables() || self.create.table.known().is_some_and(is_changed_by_sql) {
            return None;
        }
        let is_docstring =
            |statement: &&Stmt| matches!(&statement.kind, StmtKind::Expr(expr) if expr.as_str().is_some());
        let first = self.downgrade.body.iter().find(|statement| !is_docstring(statement))?;
        let source = file.file();
        let start = first.span.start;
        let indent = source.slice(Span::new(source.line_span(start).start, start));
        if !indent.trim().is_empty() {
            return None;
        }
        let next_line = format!("{}{indent}", source.line_ending());
        let drop = self.statement(file, name, &next_line)?;
        Some(if source.slice(first.span).trim() == "pass" {
            Edit::replace(source, first.span, drop)
        } else {
            Edit::insert(source, start, drop + &next_line)
        })
    }

    fn statement(&self, file: &MigrationFile<'_>, name: &str, next_line: &str) -> Option<String> {
        let create = self.create;
        let (table, schema) = (create.table.known()?, create.schema.known()?.as_deref());
        let table = table_arguments(file, create.call, table, schema)?;
        let kind = create.kind()?;
        let arguments = |table| drop_arguments(file, &create.receiver, create.call, name, table, kind);
        let body = file.migration.module.body();
        match &create.receiver {
            Receiver::Operations(op) => Some(format!("{op}.drop_constraint({})", arguments(Some(&table))?)),
            Receiver::Batch { spelling, .. } => {
                let op = imported(body, "alembic", "op")?;
                let arguments = arguments(None)?;
                Some(format!(
                    "with {op}.batch_alter_table({table}) as {spelling}:{next_line}    {spelling}.drop_constraint({arguments})"
                ))
            }
            Receiver::Bare => {
                let drop = imported(body, "alembic.op", "drop_constraint")?;
                Some(format!("{drop}({})", arguments(Some(&table))?))
            }
        }
    }
}

/// What the first import of something calls it; `*` imports everything.
fn imported<'b>(body: &'b [Stmt], from: &str, wanted: &'b str) -> Option<&'b str> {
    let names = body.iter().flat_map(|statement| match &statement.kind {
        StmtKind::ImportFrom {
            module: Some(module),
            names,
            ..
        } if module == from => names.as_slice(),
        _ => &[],
    });
    let mut names = names.filter(|one: &&Alias| one.name == wanted || one.name == "*");
    let first = names.next()?;
    Some(if first.name == "*" {
        wanted
    } else {
        first.asname.as_ref().unwrap_or(&first.name)
    })
}

/// Whether the function calls anything that is neither Alembic's nor SQLAlchemy's.
fn calls_unknown_code(file: &MigrationFile<'_>, function: &Function) -> bool {
    let migration = file.migration;
    let receivers = migration.operations.iter().map(|one| &one.receiver);
    let receivers = receivers.chain(migration.steps.iter().map(|one| &one.receiver));
    let spellings = receivers.filter_map(|receiver| match receiver {
        Receiver::Operations(spelling) | Receiver::Batch { spelling, .. } => spelling.split('.').next(),
        Receiver::Bare => None,
    });
    let mut known: HashSet<&str> = spellings.collect();
    known.extend(["op", "sa", "sqlalchemy", "postgresql", "mysql", "print"]);
    let mut found = false;
    let mut visit = |call: &Call| {
        let callee = call.callee.dotted();
        let root = callee.as_deref().and_then(|dotted| dotted.split('.').next());
        found |= root.is_none_or(|root| !known.contains(root));
    };
    function
        .body
        .iter()
        .for_each(|statement| statement.each_call(&mut visit));
    found
}

#[cfg(test)]
mod tests {
    use crate::fix::{Safety, apply};
    use crate::rules::harness::of_migration;

    const UNIQUE: &str = "    op.create_unique_constraint(None, 'order', ['a', 'b'])\n";

    /// The safety of the fix of the one finding, and the downgrade after it.
    fn fixed(upgrade: &str, downgrade: &str) -> Option<(Safety, String)> {
        let found = of_migration("postgresql://h/d", upgrade, downgrade, false);
        let [only] = found.as_slice() else { panic!("{found:?}") };
        let fix = only.fix.as_ref()?;
        let after = apply(&only.file, [fix]);
        let (_, downgrade) = after.split_once("def downgrade():\n").unwrap();
        Some((fix.safety, downgrade.to_owned()))
    }

    #[test]
    fn the_missing_drop_is_written_first() {
        let drop = "    op.drop_constraint(op.f('uq_order_a'), 'order', type_='unique')\n";
        let other = "    op.drop_table('other')\n";
        let docstring = "    'Takes it back.'\n";
        for (downgrade, expected) in [
            (other.to_owned(), format!("{drop}{other}")),
            ("    pass\n".to_owned(), drop.to_owned()),
            (format!("{docstring}{other}"), format!("{docstring}{drop}{other}")),
            ("    op.drop_column('order', 'c')\n".to_owned(), format!("{drop}    op.drop_column('order', 'c')\n")),
            ("    op.execute('DELETE FROM x')\n".to_owned(), format!("{drop}    op.execute('DELETE FROM x')\n")),
        ] {
            let (safety, after) = fixed(UNIQUE, &downgrade).unwrap();
            assert_eq!(safety, Safety::Suggested, "{downgrade}");
            assert_eq!(after.trim_end(), expected.trim_end());
        }
        let batch = "    with op.batch_alter_table('order', schema='s') as batch_op:\n        batch_op.create_unique_constraint(None, ['a', 'b'])\n";
        let (_, after) = fixed(batch, "    pass\n").unwrap();
        let expected = "    with op.batch_alter_table('order', schema='s') as batch_op:\n        batch_op.drop_constraint(batch_op.f('uq_order_a'), type_='unique')";
        assert_eq!(after.trim_end(), expected);
    }

    #[test]
    fn no_drop_is_written_where_the_downgrade_may_undo_the_create() {
        for downgrade in [
            "    op.drop_table('order')\n",
            "    op.drop_column('order', 'b')\n",
            "    op.execute('ALTER TABLE \"order\" DROP COLUMN b')\n",
            "    op.execute(sql)\n",
            "    take_it_back()\n",
            "    raise NotImplementedError\n",
        ] {
            let (safety, after) = fixed(UNIQUE, downgrade).unwrap();
            assert_eq!(safety, Safety::Safe, "{downgrade}");
            assert_eq!(after.trim_end(), downgrade.trim_end());
        }
        for rename in [
            "op.rename_table('x', 'y')",
            "op.execute('ALTER TABLE \"order\" RENAME TO orders')",
            "op.get_bind().execute(sa.text('ALTER TABLE \"order\" RENAME TO orders'))",
        ] {
            let renamed = format!("{UNIQUE}    {rename}\n");
            let dropped = fixed(&renamed, "    pass\n").is_some_and(|(_, after)| after.contains("drop_constraint"));
            assert!(!dropped, "{rename}");
        }
    }

    #[test]
    fn an_unconditional_drop_of_a_conditional_create_is_reported() {
        let upgrade = format!("    if a:\n    {UNIQUE}");
        let drop = "    op.drop_constraint(None, 'order', type_='unique')\n";
        let help = |downgrade: &str| {
            let found = of_migration("postgresql://h/d", &upgrade, downgrade, false);
            found.into_iter().map(|one| one.help.unwrap()).collect::<Vec<_>>()
        };
        assert!(
            help(drop)
                .iter()
                .all(|help| help.contains("fails where the condition of its create did not hold"))
        );
        let conditional = format!("    if a:\n    {drop}");
        assert!(!help(&conditional).iter().any(|help| help.contains("did not hold")));
    }
}
