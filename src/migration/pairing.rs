//! Which create belongs to which drop: what one half makes, the other half removes.
//!
//! Autogenerate writes the downgrade as the upgrade in reverse, so the k-th create of a table and kind belongs to the k-th-last drop.

use std::collections::BTreeMap;

use crate::naming::ConstraintKind;

use super::{Action, Half, Name, Operation};

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
    doubtful: Vec<usize>,
}

type Group = (String, Option<String>, ConstraintKind, bool, String);

impl Pairing {
    /// Pairs the operations of a migration whose names do not tell already.
    #[must_use]
    pub fn of(operations: &[Operation<'_>]) -> Self {
        let mut groups: BTreeMap<Group, [Vec<usize>; 2]> = BTreeMap::new();
        for (at, operation) in operations.iter().enumerate() {
            if let Some(group) = group(operation).filter(|_| !is_undone_by_name(operations, operation)) {
                let lists = groups.entry(group).or_default();
                lists[usize::from(!operation.creates())].push(at);
            }
        }
        let mut pairs: Vec<Pair> = groups
            .into_values()
            .flat_map(|[creates, drops]| pair_up(operations, &creates, &drops))
            .collect();
        pairs.sort_by_key(|pair| pair.create.min(pair.drop));
        let is_open = |at: &usize| {
            let operation = &operations[*at];
            operation.name == Name::Unnamed && !pairs.iter().any(|pair| pair.create == *at || pair.drop == *at)
        };
        let open: Vec<usize> = (0..operations.len()).filter(is_open).collect();
        let doubtful = open
            .iter()
            .copied()
            .filter(|&at| {
                open.iter()
                    .any(|&other| may_belong(&operations[at], &operations[other]))
            })
            .collect();
        Self { pairs, doubtful }
    }

    /// Whether an operation without a name has a partner in this migration, and nothing tells which.
    #[must_use]
    pub fn is_doubtful(&self, at: usize) -> bool {
        self.doubtful.contains(&at)
    }

    /// The drop that undoes a create.
    #[must_use]
    pub fn drop_of(&self, create: usize) -> Option<usize> {
        self.pairs
            .iter()
            .find(|pair| pair.create == create)
            .map(|pair| pair.drop)
    }

    /// The create that a drop undoes.
    #[must_use]
    pub fn create_of(&self, drop: usize) -> Option<usize> {
        self.pairs.iter().find(|pair| pair.drop == drop).map(|pair| pair.create)
    }

    /// All pairs, in the order of the source.
    #[must_use]
    pub fn pairs(&self) -> &[Pair] {
        &self.pairs
    }
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
fn is_undone_by_name(operations: &[Operation<'_>], create: &Operation<'_>) -> bool {
    let (Name::Plain(name) | Name::Finished(name)) = &create.name else {
        return false;
    };
    operations.iter().any(|drop| {
        let names_it = matches!(&drop.name, Name::Plain(other) | Name::Finished(other) if other == name);
        names_it && drop.action == Action::Drop(Some(ConstraintKind::Index)) && drop.half != create.half
    })
}

/// Whether one of these may undo the other, as far as can be told.
fn may_belong(one: &Operation<'_>, other: &Operation<'_>) -> bool {
    fn agree<T: PartialEq>(one: Option<&T>, other: Option<&T>) -> bool {
        one.zip(other).is_none_or(|(one, other)| one == other)
    }
    one.creates() != other.creates()
        && (one.half != other.half || one.half == Half::Unknown)
        && agree(one.kind().as_ref(), other.kind().as_ref())
        && agree(one.table.known(), other.table.known())
        && agree(one.schema.known(), other.schema.known())
}

fn pair_up(operations: &[Operation<'_>], creates: &[usize], drops: &[usize]) -> Vec<Pair> {
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
    creates
        .iter()
        .zip(drops.iter().rev())
        .map(|(&create, &drop)| Pair { create, drop })
        .collect()
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
