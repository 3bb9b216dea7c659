//! Which create belongs to which drop: what one half makes, the other half removes.
//!
//! Autogenerate writes the downgrade as the upgrade in reverse, so the k-th create of a table and kind belongs to the k-th-last drop. People
//! write it in other orders as well; the columns that they drop in between tell so.

use std::collections::{HashMap, HashSet};

use crate::naming::ConstraintKind;
use crate::order;

use super::{Action, Half, Name, Operation, Step};

/// A create and the drop that undoes it, as places in the list of operations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pair {
    /// The create.
    pub create: usize,
    /// The drop.
    pub drop: usize,
}

/// The pairs of one migration.
#[derive(Debug, Default)]
pub struct Pairing {
    pairs: Vec<Pair>,
    partners: HashMap<usize, usize>,
    doubtful: HashSet<usize>,
}

type Group = (String, Option<String>, ConstraintKind, bool, String);

impl Pairing {
    /// Pairs the operations of a migration whose names do not tell already. The columns that go tell in which order that is.
    #[must_use]
    pub fn of(operations: &[Operation<'_>], steps: &[Step<'_>]) -> Self {
        let named = named_drops(operations);
        let mut grouped: Vec<(Group, usize)> = Vec::new();
        for (at, operation) in operations.iter().enumerate() {
            let group = group(operation).filter(|_| !is_undone_by_name(&named, operation));
            grouped.extend(group.map(|group| (group, at)));
        }
        order::sort(&mut grouped);
        let mut pairs: Vec<Pair> = Vec::new();
        for group in grouped.chunk_by(|(one, _), (other, _)| one == other) {
            let (creates, drops): (Vec<usize>, Vec<usize>) = group
                .iter()
                .map(|(_, at)| *at)
                .partition(|at| operations[*at].creates());
            pairs.extend(pair_up(operations, steps, &creates, &drops));
        }
        order::sort_by_key(&mut pairs, |pair| pair.create.min(pair.drop));
        let partners: HashMap<usize, usize> = pairs
            .iter()
            .flat_map(|pair| [(pair.create, pair.drop), (pair.drop, pair.create)])
            .collect();
        let open: Vec<usize> = (0..operations.len())
            .filter(|at| operations[*at].name == Name::Unnamed && !partners.contains_key(at))
            .collect();
        let doubtful = doubtful(operations, &open);
        Self {
            pairs,
            partners,
            doubtful,
        }
    }

    /// Whether an operation without a name has a partner in this migration, and nothing tells which.
    #[must_use]
    pub fn is_doubtful(&self, at: usize) -> bool {
        self.doubtful.contains(&at)
    }

    /// The drop that undoes a create.
    #[must_use]
    pub fn drop_of(&self, create: usize) -> Option<usize> {
        self.partners.get(&create).copied()
    }

    /// The create that a drop undoes.
    #[must_use]
    pub fn create_of(&self, drop: usize) -> Option<usize> {
        self.partners.get(&drop).copied()
    }

    /// All pairs, in the order of the source.
    #[must_use]
    pub fn pairs(&self) -> &[Pair] {
        &self.pairs
    }
}

/// The indexes that are dropped by a name, and the half in which.
fn named_drops<'o>(operations: &'o [Operation<'_>]) -> HashSet<(&'o str, Half)> {
    let drops = operations
        .iter()
        .filter(|operation| operation.action == Action::Drop(Some(ConstraintKind::Index)));
    drops
        .filter_map(|operation| Some((operation.name.text()?, operation.half)))
        .collect()
}

/// The operations without a partner that one of the others may belong to.
fn doubtful(operations: &[Operation<'_>], open: &[usize]) -> HashSet<usize> {
    /// What two operations are compared by, the table aside.
    type Traits<'o> = (Half, Option<ConstraintKind>, Option<&'o Option<String>>);
    fn traits<'o>(operation: &'o Operation<'_>) -> Traits<'o> {
        (operation.half, operation.kind(), operation.schema.known())
    }
    let mut by_table: HashMap<(bool, Option<&str>), HashSet<Traits<'_>>> = HashMap::new();
    let mut all: [HashSet<Traits<'_>>; 2] = Default::default();
    for operation in open.iter().map(|&at| &operations[at]) {
        let table = operation.table.known().map(String::as_str);
        by_table
            .entry((operation.creates(), table))
            .or_default()
            .insert(traits(operation));
        all[usize::from(operation.creates())].insert(traits(operation));
    }
    let may_belong = |at: &usize| {
        let operation = &operations[*at];
        let own = traits(operation);
        let others = !operation.creates();
        let fits = |other: &Traits<'_>| agree(&own, other);
        match operation.table.known() {
            Some(table) => [Some(table.as_str()), None]
                .into_iter()
                .filter_map(|table| by_table.get(&(others, table)))
                .any(|found| found.iter().any(fits)),
            None => all[usize::from(others)].iter().any(fits),
        }
    };
    open.iter().copied().filter(may_belong).collect()
}

/// Whether two halves, kinds and schemas may be those of a create and its drop, as far as they are known.
fn agree<S: PartialEq>(
    one: &(Half, Option<ConstraintKind>, Option<S>),
    other: &(Half, Option<ConstraintKind>, Option<S>),
) -> bool {
    fn same<T: PartialEq>(one: Option<&T>, other: Option<&T>) -> bool {
        one.zip(other).is_none_or(|(one, other)| one == other)
    }
    (one.0 != other.0 || one.0 == Half::Unknown)
        && same(one.1.as_ref(), other.1.as_ref())
        && same(one.2.as_ref(), other.2.as_ref())
}

/// Creates of one half meet drops of the other, of the same table, schema and kind, in the functions for the same database.
fn group(operation: &Operation<'_>) -> Option<Group> {
    let made_in_upgrade = match (operation.half, operation.creates()) {
        (Half::Unknown, _) => return None,
        (half, creates) => (half == Half::Upgrade) == creates,
    };
    let unnamed = operation.name == Name::Unnamed;
    // An index is always created under a name, so the drop that lacks one looks for it among the named.
    let index = matches!(operation.action, Action::Create(ConstraintKind::Index));
    if !unnamed && !index {
        return None;
    }
    let engine = operation
        .function
        .and_then(|name| name.split_once('_'))
        .map(|(_, engine)| engine.to_owned());
    let engine = engine.filter(|_| {
        operation
            .function
            .is_some_and(|name| name.starts_with("upgrade_") || name.starts_with("downgrade_"))
    });
    Some((
        operation.table.known()?.clone(),
        operation.schema.known()?.clone(),
        operation.kind()?,
        made_in_upgrade,
        engine.unwrap_or_default(),
    ))
}

/// An index that another drop removes by its name is none that a drop without one looks for.
fn is_undone_by_name(named: &HashSet<(&str, Half)>, create: &Operation<'_>) -> bool {
    let halves = [Half::Upgrade, Half::Downgrade, Half::Unknown];
    let Some(name) = create.name.text() else { return false };
    halves
        .into_iter()
        .any(|half| half != create.half && named.contains(&(name, half)))
}

fn pair_up(operations: &[Operation<'_>], steps: &[Step<'_>], creates: &[usize], drops: &[usize]) -> Vec<Pair> {
    let alone = creates.len() == 1 && drops.len() == 1;
    let certain = |at: &usize| !operations[*at].repeated;
    let all = |list: &[usize], same: fn(&Operation<'_>, &Operation<'_>) -> bool| {
        list.windows(2)
            .all(|two| same(&operations[two[0]], &operations[two[1]]))
    };
    // In different functions or branches the order of the source is not the order in which they run.
    let one_block = |list| all(list, |one, other| one.block == other.block);
    // Branches for several databases make the same constraint, and then it does not matter.
    let alike = all(creates, |one, other| {
        one.columns.known().is_some() && one.columns == other.columns && one.referred == other.referred
    });
    let in_order = creates.len() == drops.len() && (alike || one_block(creates) && one_block(drops));
    if !(alone || in_order) || !creates.iter().chain(drops).all(certain) {
        return Vec::new();
    }
    let reversed: Vec<Pair> = creates
        .iter()
        .zip(drops.iter().rev())
        .map(|(&create, &drop)| Pair { create, drop })
        .collect();
    let columns = columns_gone(operations, steps, drops);
    let works = |create: usize, drop: usize| is_there(&operations[create], &operations[drop], &columns);
    if alone || reversed.iter().all(|pair| works(pair.create, pair.drop)) {
        return reversed;
    }
    // The drops that come before a column goes are a part of those before a later one goes. Each create in turn must leave one choice.
    let mut choices: Vec<(usize, Vec<usize>)> = creates
        .iter()
        .map(|&create| {
            (
                create,
                drops.iter().copied().filter(|&drop| works(create, drop)).collect(),
            )
        })
        .collect();
    order::sort_by_key(&mut choices, |(_, possible): &(usize, Vec<usize>)| possible.len());
    let only = |(at, (create, possible)): (usize, &(usize, Vec<usize>))| {
        let drop = possible.get(at).filter(|_| possible.len() == at + 1)?;
        Some(Pair {
            create: *create,
            drop: *drop,
        })
    };
    choices
        .iter()
        .enumerate()
        .map(only)
        .collect::<Option<_>>()
        .unwrap_or_default()
}

/// Where the columns of a table are dropped, in the block of these drops. The drops of one group have one table.
fn columns_gone<'s>(operations: &[Operation<'_>], steps: &'s [Step<'_>], drops: &[usize]) -> HashMap<&'s str, usize> {
    let Some(first) = drops.first().map(|&at| &operations[at]) else {
        return HashMap::new();
    };
    let of_table = steps
        .iter()
        .filter(|step| step.block == first.block && step.table == first.table && step.schema == first.schema);
    of_table
        .filter_map(|step| Some((step.dropped_column()?, step.call.span.start)))
        .collect()
}

/// Whether a constraint is still there when this drop is reached: with a column its constraints go.
fn is_there(create: &Operation<'_>, drop: &Operation<'_>, gone: &HashMap<&str, usize>) -> bool {
    let mut columns = create.columns.known().into_iter().flatten();
    columns.all(|column| gone.get(column.as_str()).is_none_or(|&at| drop.call.span.start < at))
}

#[cfg(test)]
mod tests {
    use crate::migration::Migration;
    use crate::python::Module;
    use crate::source::SourceFile;

    fn pairs(upgrade: &str, downgrade: &str) -> Vec<(String, String)> {
        let text = format!("from alembic import op\ndef upgrade():\n{upgrade}\ndef downgrade():\n{downgrade}\n");
        let module = Module::parse(SourceFile::new("m.py".into(), text));
        assert!(module.errors().is_empty(), "{:?}", module.errors());
        let migration = Migration::read(&module);
        let line = |at: usize| {
            module
                .file()
                .slice(migration.operations[at].call.span)
                .replace(char::is_whitespace, "")
        };
        migration
            .pairing()
            .pairs()
            .iter()
            .map(|pair| (line(pair.create), line(pair.drop)))
            .collect()
    }

    #[test]
    fn the_first_create_belongs_to_the_last_drop() {
        let found = pairs(
            " op.create_foreign_key(None,'t','a',['a'],['id'])\n op.create_foreign_key(None,'t','b',['b'],['id'])\n op.create_unique_constraint(None,'t',['c'])",
            " op.drop_constraint(None,'t',type_='unique')\n op.drop_constraint(None,'t',type_='foreignkey')  # b\n op.drop_constraint(None, 't',\n  type_='foreignkey')",
        );
        assert_eq!(found.len(), 3);
        assert!(found[0].0.contains("'a',['a']"), "{found:?}");
        assert_eq!(found[2].1, "op.drop_constraint(None,'t',type_='unique')");
    }

    #[test]
    fn a_changed_key_pairs_the_unnamed_halves_only() {
        let found = pairs(
            " op.drop_constraint('old','t',type_='foreignkey')\n op.create_foreign_key(None,'t','a',['a'],['id'],ondelete='CASCADE')",
            " op.drop_constraint(None,'t',type_='foreignkey')\n op.create_foreign_key('old','t','a',['a'],['id'])",
        );
        assert_eq!(found.len(), 1);
    }

    #[test]
    fn what_the_upgrade_drops_the_downgrade_makes_again() {
        let found = pairs(
            " with op.batch_alter_table('t') as b:\n  b.drop_constraint(None,type_='foreignkey')\n  b.create_foreign_key(None,'new',['n'],['id'])",
            " with op.batch_alter_table('t') as b:\n  b.drop_constraint(None,type_='foreignkey')\n  b.create_foreign_key(None,'old',['o'],['id'])",
        );
        assert_eq!(found.len(), 2);
    }

    #[test]
    fn a_column_that_goes_takes_its_constraints_along() {
        let upgrade = " op.add_column('t',sa.Column('a'))\n op.create_foreign_key(None,'t','a',['a'],['id'])\n op.add_column('t',sa.Column('b'))\n op.create_foreign_key(None,'t','b',['b'],['id'])";
        let drop = |mark: &str| format!(" op.drop_constraint(None,'t','foreignkey',mark='{mark}')\n");
        let column = |name: &str| format!(" op.drop_column('t','{name}')\n");
        let order = |parts: &[String]| -> Vec<String> {
            let found = pairs(upgrade, &parts.concat());
            let target = |call: &str| call.split('[').nth(1).unwrap_or_default()[..3].replace('\'', "");
            let mark = |call: &str| call.split("mark='").nth(1).unwrap_or_default()[..1].to_owned();
            found
                .iter()
                .map(|(create, drop)| target(create) + &mark(drop))
                .collect()
        };
        // Each with its column, in the order of the upgrade.
        assert_eq!(order(&[drop("1"), column("a"), drop("2"), column("b")]), ["a1", "b2"]);
        // As autogenerate does it.
        assert_eq!(order(&[drop("1"), column("b"), drop("2"), column("a")]), ["a2", "b1"]);
        assert_eq!(order(&[drop("1"), drop("2"), column("a"), column("b")]), ["a2", "b1"]);
        // The column of another table says nothing, and what fails anyway is not guessed at.
        let other = " op.drop_column('u','a')\n".to_owned();
        assert_eq!(order(&[drop("1"), other, drop("2"), column("b")]), ["a2", "b1"]);
        assert!(order(&[column("a"), column("b"), drop("1"), drop("2")]).is_empty());
    }

    #[test]
    fn nothing_is_paired_where_it_is_not_certain() {
        assert!(pairs(" op.create_foreign_key(None,'t','a',['a'],['id'])", " pass").is_empty());
        assert!(
            pairs(
                " if x:\n  op.create_foreign_key(None,'t','a',['a'],['id'])\n else:\n  op.create_foreign_key(None,'t','b',['b'],['id'])",
                " if x:\n  op.drop_constraint(None,'t',type_='foreignkey')\n else:\n  op.drop_constraint(None,'t',type_='foreignkey')"
            )
            .is_empty()
        );
        assert!(
            pairs(
                " op.create_foreign_key(None,'t','a',['a'],['id'])\n op.create_foreign_key(None,'t','b',['b'],['id'])",
                " op.drop_constraint(None,'t',type_='foreignkey')"
            )
            .is_empty()
        );
        assert!(
            pairs(
                " op.create_foreign_key(None,'t','a',['a'],['id'])",
                " op.drop_constraint(None,'other',type_='foreignkey')"
            )
            .is_empty()
        );
    }
}
