//! Which create belongs to which drop: what one direction makes, the other direction removes.
//!
//! Autogenerate writes the downgrade as the upgrade in reverse, so the k-th create of a table and kind belongs to the k-th-last drop. People
//! write it in other orders as well; the columns that they drop in between tell so.

use std::cell::OnceCell;
use std::collections::{HashMap, HashSet};

use crate::naming::default_names::chosen_by;
use crate::naming::{ConstraintKind, Dialect};
use crate::python::Module;

use super::renames;
use super::{Direction, Known, Migration, Name, Operation, Step};

/// More constraints of one kind on one table are not tried in any other order than Alembic's.
const MOST_CHOICES: usize = 100;

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

/// What a create and its drop have in common: table, schema, whether the upgrade makes it, and the database.
type Group = (String, String, bool, String);

impl Pairing {
    /// Pairs the operations of a migration of which one direction or both have no name. The columns that go tell in which order that is.
    #[must_use]
    pub fn of(migration: &Migration<'_>) -> Self {
        let Migration { operations, steps, .. } = migration;
        let names = Names::of(migration);
        let tables = renames::tables(operations, steps);
        let mut open: Vec<(Group, Option<ConstraintKind>, usize)> = Vec::new();
        for (at, operation) in operations.iter().enumerate() {
            let group = group(migration, operation, tables.get(&at)).filter(|_| names.leave_open(operation));
            open.extend(group.map(|group| (group, operation.kind(), at)));
        }
        open.sort();
        let mut pairs: Vec<Pair> = Vec::new();
        for same in open.chunk_by(|one, other| (&one.0, one.1) == (&other.0, other.1)) {
            let places = same.iter().filter(|(_, kind, _)| kind.is_some()).map(|(.., at)| *at);
            pairs.extend(pair_group(operations, steps, &names, places));
        }
        let paired: HashSet<usize> = pairs.iter().flat_map(|pair| [pair.create, pair.drop]).collect();
        // Who drops without `type_` may mean any kind.
        open.retain(|(_, kind, at)| !paired.contains(at) && (kind.is_none() || operations[*at].creates()));
        for same in open.chunk_by(|one, other| one.0 == other.0) {
            let mut places: Vec<usize> = same.iter().map(|(.., at)| *at).collect();
            places.sort_unstable();
            pairs.extend(pair_group(operations, steps, &names, places.into_iter()));
        }
        pairs.sort_by_key(|pair| pair.create.min(pair.drop));
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

/// The operations without a partner that one of the others may belong to.
fn doubtful(operations: &[Operation<'_>], open: &[usize]) -> HashSet<usize> {
    /// What two operations are compared by, the table aside.
    type Traits<'o> = (Direction, Option<ConstraintKind>, Option<&'o Option<String>>);
    fn traits<'o>(operation: &'o Operation<'_>) -> Traits<'o> {
        (operation.direction, operation.kind(), operation.schema.known())
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

/// Whether two directions, kinds and schemas may be those of a create and its drop, as far as they are known.
fn agree<S: PartialEq>(
    one: &(Direction, Option<ConstraintKind>, Option<S>),
    other: &(Direction, Option<ConstraintKind>, Option<S>),
) -> bool {
    fn same<T: PartialEq>(one: Option<&T>, other: Option<&T>) -> bool {
        one.zip(other).is_none_or(|(one, other)| one == other)
    }
    (one.0 != other.0 || one.0 == Direction::Unknown)
        && same(one.1.as_ref(), other.1.as_ref())
        && same(one.2.as_ref(), other.2.as_ref())
}

/// Creates of one direction meet drops of the other, of the same table and schema, in the functions for the same database.
fn group(migration: &Migration<'_>, operation: &Operation<'_>, table: Option<&String>) -> Option<Group> {
    let made_in_upgrade = match (operation.direction, operation.creates()) {
        (Direction::Unknown, _) => return None,
        (direction, creates) => (direction == Direction::Upgrade) == creates,
    };
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
        table.or_else(|| operation.table.known())?.clone(),
        schema(migration, operation)?,
        made_in_upgrade,
        engine.unwrap_or_default(),
    ))
}

/// The schema, or the code that computes it: one variable is the same schema in both directions.
fn schema(migration: &Migration<'_>, operation: &Operation<'_>) -> Option<String> {
    if let Known::Is(schema) = &operation.schema {
        return Some(schema.clone().unwrap_or_default());
    }
    let keywords = ["schema", "source_schema"];
    let value = keywords
        .into_iter()
        .find_map(|keyword| operation.call.keyword(keyword))?;
    value.dotted()?;
    // No schema begins with a parenthesis.
    Some(format!("({}", migration.module.file().slice(value.span)))
}

/// The names of a migration, and which operations they settle.
struct Names<'o> {
    module: &'o Module,
    /// How often each word stands in the module, comments aside.
    words: OnceCell<HashMap<&'o str, usize>>,
    created: HashSet<(&'o str, Direction)>,
    dropped: HashSet<(&'o str, Direction)>,
    /// The first create and the last operation of each name in each direction.
    first_create: HashMap<(&'o str, Direction), usize>,
    last: HashMap<(&'o str, Direction), usize>,
    /// How many operations have the name.
    count: HashMap<&'o str, usize>,
}

impl<'o> Names<'o> {
    fn of(migration: &'o Migration<'_>) -> Self {
        let mut names = Self {
            module: migration.module,
            words: OnceCell::new(),
            created: HashSet::new(),
            dropped: HashSet::new(),
            first_create: HashMap::new(),
            last: HashMap::new(),
            count: HashMap::new(),
        };
        for operation in &migration.operations {
            let Some(name) = operation.name.text() else { continue };
            let key = (name, operation.direction);
            let at = operation.call.span.start;
            if operation.creates() {
                names.created.insert(key);
                names.first_create.entry(key).or_insert(at);
            } else {
                names.dropped.insert(key);
            }
            names.last.insert(key, at);
            *names.count.entry(name).or_default() += 1;
        }
        names
    }

    /// Whether an operation may belong to one without a name: it has none itself, or one that the other direction does not know.
    fn leave_open(&self, operation: &Operation<'_>) -> bool {
        let name = match &operation.name {
            Name::Unnamed => return true,
            Name::Computed => return false,
            Name::Plain(name) | Name::Finished(name) => name.as_str(),
        };
        let others = if operation.creates() {
            &self.dropped
        } else {
            &self.created
        };
        let is_settled = [Direction::Upgrade, Direction::Downgrade, Direction::Unknown]
            .into_iter()
            .any(|direction| direction != operation.direction && others.contains(&(name, direction)));
        let is_made_before = || {
            let first = self.first_create.get(&(name, operation.direction));
            first.is_some_and(|&at| at < operation.call.span.start)
        };
        !is_settled && (operation.creates() || !is_made_before())
    }

    /// Whether a drop with a name certainly means a create without one.
    fn may_give(&self, create: &Operation<'_>, drop: &Operation<'_>) -> bool {
        let (Some(name), Some(table), Some(kind)) = (drop.name.text(), drop.table.known(), create.kind()) else {
            return false;
        };
        // Dropped by the create's own half as well, it is another's.
        let is_in_the_way = || {
            let last = self.last.get(&(name, create.direction));
            last.is_some_and(|&at| at > create.call.span.start)
        };
        // A number that a database gives may be that of another constraint; one that comes back had it.
        let is_counted = || create.direction == Direction::Upgrade && is_counted(kind, table, name);
        !(is_in_the_way() || is_counted()) && self.is_only_of_operations(create, name)
    }

    /// Whether only operations speak of a name: what SQL, a table or a column calls so is something else.
    fn is_only_of_operations(&self, create: &Operation<'_>, name: &str) -> bool {
        // MySQL calls a unique constraint like its first column, which is spoken of for other reasons as well.
        let columns = create.columns.known();
        let words = || self.words.get_or_init(|| words(self.module));
        columns.is_some_and(|columns| columns.iter().any(|column| column == name))
            || words().get(name).is_some_and(|said| Some(said) == self.count.get(name))
    }
}

/// How often each word stands in a module, comments aside.
fn words(module: &Module) -> HashMap<&str, usize> {
    let text = module.file().text();
    let comments = module.comments();
    let mut found = HashMap::new();
    let mut next = 0;
    let is_part = |letter: char| letter.is_alphanumeric() || letter == '_';
    let mut rest = text;
    while let Some(start) = rest.find(is_part) {
        let word = &rest[start..];
        let (word, after) = word.split_at(word.find(|letter| !is_part(letter)).unwrap_or(word.len()));
        let at = text.len() - after.len() - word.len();
        rest = after;
        while comments.get(next).is_some_and(|comment| comment.end <= at) {
            next += 1;
        }
        if comments.get(next).is_none_or(|comment| at < comment.start) {
            *found.entry(word).or_default() += 1;
        }
    }
    found
}

/// Whether a database counted, or drew, the name.
fn is_counted(kind: ConstraintKind, table: &str, name: &str) -> bool {
    let databases = chosen_by(kind, table, None, name);
    let by_number = matches!(kind, ConstraintKind::ForeignKey | ConstraintKind::Check)
        && databases
            .iter()
            .any(|one| matches!(one, Dialect::Mysql | Dialect::Mariadb));
    by_number
        || databases
            .iter()
            .any(|one| matches!(one, Dialect::Mssql | Dialect::Oracle))
}

/// The pairs of one group: those without a name among themselves, else together with what has one on one side.
fn pair_group(
    operations: &[Operation<'_>],
    steps: &[Step<'_>],
    names: &Names<'_>,
    places: impl Iterator<Item = usize>,
) -> Vec<Pair> {
    let (creates, drops): (Vec<usize>, Vec<usize>) = places.partition(|at| operations[*at].creates());
    let unnamed = |list: &[usize]| -> Vec<usize> {
        let is_unnamed = |at: &usize| operations[*at].name == Name::Unnamed;
        list.iter().copied().filter(is_unnamed).collect()
    };
    let (open_creates, open_drops) = (unnamed(&creates), unnamed(&drops));
    if open_creates.is_empty() && open_drops.is_empty() {
        return Vec::new();
    }
    // An index is always created under a name, so the drop that lacks one looks for it among the named.
    if open_creates.len() == open_drops.len() {
        return pair_up(operations, steps, names, &open_creates, &open_drops);
    }
    pair_up(operations, steps, names, &creates, &drops)
}

fn pair_up(
    operations: &[Operation<'_>],
    steps: &[Step<'_>],
    names: &Names<'_>,
    creates: &[usize],
    drops: &[usize],
) -> Vec<Pair> {
    let alone = creates.len() == 1 && drops.len() == 1;
    let certain = |at: &usize| !operations[*at].repeated || operations[*at].is_once_a_schema();
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
    let works = |create: usize, drop: usize| {
        let (create, drop) = (&operations[create], &operations[drop]);
        is_there(create, drop, &columns) && may_be_pair(names, create, drop)
    };
    let by_order = reversed.iter().all(|pair| works(pair.create, pair.drop));
    if by_order {
        return reversed;
    }
    if alone {
        let Pair { create, drop } = reversed[0];
        let fits = may_be_pair(names, &operations[create], &operations[drop]);
        return if fits { reversed } else { Vec::new() };
    }
    if creates.len() > MOST_CHOICES {
        return Vec::new();
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
    choices.sort_by_key(|(_, possible): &(usize, Vec<usize>)| possible.len());
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

/// Whether the names allow it: one direction has none, or both the same.
fn may_be_pair(names: &Names<'_>, create: &Operation<'_>, drop: &Operation<'_>) -> bool {
    match (create.name.text(), drop.name.text()) {
        (Some(_), Some(_)) => false,
        (None, Some(_)) => names.may_give(create, drop),
        (Some(name), None) => create.kind() == Some(ConstraintKind::Index) || names.is_only_of_operations(create, name),
        (None, None) => true,
    }
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

    #[test]
    fn one_half_may_have_the_name() {
        let key = " op.create_foreign_key(None,'t','a',['a'],['id'])";
        let unique = |name: &str| format!(" op.create_unique_constraint({name},'t',['u'])");
        let drop = |name: &str, rest: &str| format!(" op.drop_constraint({name},'t'{rest})");
        let typed = ",type_='unique'";
        for (upgrade, downgrade, count) in [
            (unique("'uq_x'"), drop("None", typed), 1),
            (unique("None"), drop("'uq_x'", typed), 1),
            (drop("'uq_x'", typed), unique("None"), 1),
            (unique("None"), drop("'uq_x'", ""), 1),
            (unique("None"), drop("None", ""), 1),
            // Two kinds, dropped without saying which, in Alembic's order.
            (
                format!("{key}\n{}", unique("None")),
                format!("{}\n{}", drop("None", ""), drop("None", "")),
                2,
            ),
            // Two names are a matter for another rule.
            (unique("'uq_x'"), drop("'uq_y'", typed), 0),
            // The name is made by something else, or by more than this direction.
            (
                format!(
                    "{}\n op.execute('ALTER TABLE t ADD CONSTRAINT uq_x UNIQUE (b)')",
                    unique("None")
                ),
                drop("'uq_x'", typed),
                0,
            ),
            (
                unique("None"),
                format!("{}\n{}", unique("'uq_x'"), drop("'uq_x'", typed)),
                0,
            ),
            (
                format!("{}\n{}", unique("None"), drop("'uq_x'", typed)),
                drop("'uq_x'", typed),
                0,
            ),
            // A number may be another's.
            (key.to_owned(), drop("'t_ibfk_1'", ",type_='foreignkey'"), 0),
            (drop("'t_ibfk_1'", ",type_='foreignkey'"), key.to_owned(), 1),
        ] {
            assert_eq!(pairs(&upgrade, &downgrade).len(), count, "{upgrade}\n{downgrade}");
        }
        let found = pairs(
            &format!("{key}\n{}", unique("None")),
            &format!("{}\n{}", drop("None", ""), drop("None", ",None")),
        );
        assert!(
            found[0].1.ends_with("None)") && found[0].0.contains("foreign"),
            "{found:?}"
        );
    }

    #[test]
    fn a_table_is_followed_through_its_names() {
        let key = " op.create_foreign_key(None,'old','a',['a'],['id'])\n";
        let drop = |table: &str| format!(" op.drop_constraint(None,'{table}',type_='foreignkey')\n");
        let to = |old: &str, new: &str| format!(" op.rename_table('{old}','{new}')\n");
        for (upgrade, downgrade, count) in [
            (
                format!("{key}{}", to("old", "new")),
                format!("{}{}", drop("new"), to("new", "old")),
                1,
            ),
            (
                format!("{key}{}", to("old", "new")),
                format!("{}{}", to("new", "old"), drop("old")),
                1,
            ),
            (
                format!("{key}{}", to("old", "new")),
                format!("{}{}", drop("old"), to("new", "old")),
                0,
            ),
            (
                format!("{key}{}{}", to("old", "between"), to("between", "new")),
                format!("{}{}{}", to("new", "between"), drop("between"), to("between", "old")),
                1,
            ),
            (
                format!("{}{key}", to("new", "old")),
                format!("{}{}", to("old", "new"), drop("new")),
                1,
            ),
        ] {
            assert_eq!(pairs(&upgrade, &downgrade).len(), count, "{upgrade}\n{downgrade}");
        }
    }

    #[test]
    fn one_variable_is_one_schema() {
        let upgrade = " for schema in tenants():\n  op.create_unique_constraint(None,'t',['a'],schema=schema)";
        let drop = |name: &str| {
            format!(" for {name} in tenants():\n  op.drop_constraint(None,'t',type_='unique',schema={name})")
        };
        assert_eq!(pairs(upgrade, &drop("schema")).len(), 1);
        assert!(pairs(upgrade, &drop("other")).is_empty());
        let twice = " for x in names():\n  op.create_unique_constraint(None,'t',['a'])";
        assert!(
            pairs(
                twice,
                " for x in names():\n  op.drop_constraint(None,'t',type_='unique')"
            )
            .is_empty()
        );
    }
}
