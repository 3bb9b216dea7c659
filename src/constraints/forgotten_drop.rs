//! A constraint that the downgrade leaves behind.
//!
//! Without a name the second upgrade makes another beside it, under a further name of the database's. With a name it fails: the name is taken.

use std::collections::HashSet;

use super::MigrationFile;
use super::edits::{finished_name, quoted_as_in};
use super::executed::{DIRECTIONS, is_all_read};
use crate::fix::Edit;
use crate::migration::{Direction, Operation, Receiver, Step};
use crate::naming::ConstraintKind;
use crate::python::{Call, Function, Stmt, StmtKind};
use crate::source::Span;
use crate::sql::{Dropped, Effect};

/// What the downgrade of a migration may undo; read once for all of its creates. Tables are in lower case, as SQL may write them.
#[derive(Default)]
pub(crate) struct Undone {
    /// Anything, as far as can be told.
    anything: bool,
    /// Constraints of this kind on this table; of any kind where none is said.
    constraints: HashSet<(String, Option<ConstraintKind>)>,
    /// Tables that go, or change their names.
    tables: HashSet<String>,
    /// Columns that go.
    columns: HashSet<(String, String)>,
}

impl Undone {
    /// Reads the downgrade. Where there is none, there is nothing to add to.
    pub(crate) fn by_downgrade(file: &MigrationFile<'_>) -> Self {
        let Some(downgrade) = downgrade(file) else {
            return Self {
                anything: true,
                ..Self::default()
            };
        };
        let is_given_up = downgrade
            .body
            .iter()
            .any(|statement| matches!(statement.kind, StmtKind::Raise(_)));
        let mut undone = Self {
            anything: is_given_up
                || !file.migration.module.errors().is_empty()
                || calls_a_stranger(file, downgrade)
                || !is_all_read(file, |direction| direction != Direction::Upgrade),
            ..Self::default()
        };
        let operations = file.migration.operations.iter();
        for drop in operations.filter(|one| !one.creates() && one.direction != Direction::Upgrade) {
            undone.add_drop(file, drop);
        }
        for step in file
            .migration
            .steps
            .iter()
            .filter(|step| step.direction != Direction::Upgrade)
        {
            undone.add_step(step);
        }
        for one in file
            .executed()
            .iter()
            .filter(|one| one.run.direction != Direction::Upgrade)
        {
            one.effects.iter().for_each(|effect| undone.add_effect(effect));
        }
        undone
    }

    /// One whose name something of the upgrade has is that one's.
    fn add_drop(&mut self, file: &MigrationFile<'_>, drop: &Operation<'_>) {
        let name = drop.name.text().unwrap_or_default();
        let directions = DIRECTIONS.into_iter().filter(|direction| *direction != drop.direction);
        if directions
            .into_iter()
            .any(|direction| file.lookups.creates_in(file, name, direction))
        {
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
        let table = step.table.known().map(|table| table.to_lowercase());
        match (step.method, table) {
            ("drop_table" | "rename_table" | "create_table", Some(table)) => {
                self.tables.insert(table);
            }
            ("drop_column", Some(table)) => match step.dropped_column() {
                Some(column) => {
                    self.columns.insert((table, column.to_lowercase()));
                }
                None => {
                    self.tables.insert(table);
                }
            },
            ("drop_table" | "rename_table" | "create_table" | "drop_column", None) => self.anything = true,
            _ => {}
        }
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
        let (Some(table), Some(columns)) = (create.table.known(), create.columns.known()) else {
            return true;
        };
        let table = table.to_lowercase();
        self.anything
            || self.tables.contains(&table)
            || [create.kind(), None]
                .into_iter()
                .any(|kind| self.constraints.contains(&(table.clone(), kind)))
            || columns
                .iter()
                .any(|column| self.columns.contains(&(table.clone(), column.to_lowercase())))
    }
}

fn downgrade<'f>(file: &'f MigrationFile<'_>) -> Option<&'f Function> {
    let at = file.lookups.downgrade(file)?;
    match &file.migration.module.body().get(at)?.kind {
        StmtKind::Function(function) => Some(function),
        _ => None,
    }
}

/// A create that is never undone, and the function that should.
pub(crate) struct ForgottenDrop<'f> {
    create: &'f Operation<'f>,
    downgrade: &'f Function,
}

impl<'f> ForgottenDrop<'f> {
    /// Nothing where the downgrade undoes it, may do so, or does not exist.
    pub(crate) fn of(file: &'f MigrationFile<'_>, create: &'f Operation<'f>) -> Option<Self> {
        // A table has one primary key, with a name or without.
        let may_be_twice =
            create.direction == Direction::Upgrade && create.kind()? != ConstraintKind::PrimaryKey && !create.repeated;
        let is_forgotten = may_be_twice && !file.undone().may_hold(create);
        let downgrade = downgrade(file).filter(|_| is_forgotten)?;
        Some(Self { create, downgrade })
    }

    /// The drop as the first statement of the downgrade; nothing where the code has no place for it.
    pub(crate) fn edit(&self, file: &MigrationFile<'_>, name: &str) -> Option<Edit> {
        if file.lookups.renames_tables(file) {
            return None;
        }
        let is_docstring =
            |statement: &&Stmt| matches!(&statement.kind, StmtKind::Expr(expr) if expr.as_str().is_some());
        let first = self.downgrade.body.iter().find(|statement| !is_docstring(statement))?;
        let source = file.file();
        let line = source.line_span(first.span.start);
        let indent = source.slice(Span::new(line.start, first.span.start));
        if !indent.trim().is_empty() {
            return None;
        }
        let drop = self.statement(file, name, &format!("{}{indent}", source.line_ending()))?;
        let is_pass = source.slice(first.span).trim() == "pass";
        let (span, text) = if is_pass {
            (first.span, drop)
        } else {
            let start = first.span.start;
            (
                Span::new(start, start),
                format!("{drop}{}{indent}", source.line_ending()),
            )
        };
        Some(Edit {
            file: source.clone(),
            span,
            text,
        })
    }

    fn statement(&self, file: &MigrationFile<'_>, name: &str, next_line: &str) -> Option<String> {
        let create = self.create;
        let quoted = |text: &str| quoted_as_in(file, create.call, text);
        let table = quoted(create.table.known()?)?;
        let schema = match create.schema.known()? {
            Some(schema) => format!(", schema={}", quoted(schema)?),
            None => String::new(),
        };
        let kind = match create.kind()?.type_name() {
            Some(kind) => format!(", type_={}", quoted(kind)?),
            None => String::new(),
        };
        let name = finished_name(file, &create.receiver, create.call, name)?;
        match &create.receiver {
            Receiver::Operations(op) => Some(format!("{op}.drop_constraint({name}, {table}{schema}{kind})")),
            Receiver::Batch { spelling, .. } => {
                let op = file.lookups.imported(file, "alembic", "op")?;
                Some(format!(
                    "with {op}.batch_alter_table({table}{schema}) as {spelling}:{next_line}    {spelling}.drop_constraint({name}{kind})"
                ))
            }
            Receiver::Bare => {
                let drop = file.lookups.imported(file, "alembic.op", "drop_constraint")?;
                Some(format!("{drop}({name}, {table}{schema}{kind})"))
            }
        }
    }
}

/// Whether the function calls anything that is neither Alembic's nor SQLAlchemy's.
fn calls_a_stranger(file: &MigrationFile<'_>, function: &Function) -> bool {
    let migration = file.migration;
    let receivers = migration.operations.iter().map(|one| &one.receiver);
    let receivers = receivers.chain(migration.steps.iter().map(|one| &one.receiver));
    let mut known: Vec<&str> = receivers
        .filter_map(|receiver| match receiver {
            Receiver::Operations(spelling) | Receiver::Batch { spelling, .. } => spelling.split('.').next(),
            Receiver::Bare => None,
        })
        .collect();
    known.extend(["op", "sa", "sqlalchemy", "postgresql", "mysql", "print"]);
    known.sort_unstable();
    let is_strange = |call: &Call| {
        let callee = call.callee.dotted();
        let root = callee.as_deref().and_then(|dotted| dotted.split('.').next());
        root.is_none_or(|root| known.binary_search(&root).is_err())
    };
    let mut found = false;
    for statement in &function.body {
        statement.each_call(&mut |call| found |= is_strange(call));
    }
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
            (
                "    op.drop_column('order', 'c')\n".to_owned(),
                format!("{drop}    op.drop_column('order', 'c')\n"),
            ),
            (
                "    op.execute('DELETE FROM x')\n".to_owned(),
                format!("{drop}    op.execute('DELETE FROM x')\n"),
            ),
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
    fn what_the_downgrade_undoes_or_never_will_is_safe() {
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
        let renamed = format!("{UNIQUE}    op.rename_table('x', 'y')\n");
        assert_eq!(fixed(&renamed, "    pass\n"), None);
    }

    #[test]
    fn a_create_with_a_condition_and_a_drop_without_is_said() {
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
