//! What the upgrade makes that drops of one table and kind may mean, gone through once for all of these drops.

use std::cell::{OnceCell, RefCell};
use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use super::{Made, Target};
use crate::constraints::MigrationFile;
use crate::constraints::convention_name::dropped_name;
use crate::constraints::drops::ConstraintDrop;
use crate::constraints::executed::{DIRECTIONS, may_be_table, words_of_code};
use crate::constraints::inline::{InlineName, constraints_of};
use crate::migration::{Direction, Operation};
use crate::naming::ConstraintKind;
use crate::source::words_of;
use crate::sql::{Effect, Table};
use crate::work;

/// Tables that are put in later may be any; of more than this nobody tells which.
const MOST_ANYWHERE: usize = 100;

/// A name that is longer than this is not looked for at the end of another.
const LONGEST: usize = 128;

/// What drops are alike in that may mean the same things.
#[derive(PartialEq, Eq, Hash)]
struct Key {
    is_sql: bool,
    table: String,
    schema: Option<String>,
    kind: Option<ConstraintKind>,
    kinds: Option<&'static [ConstraintKind]>,
}

/// Tables with their schemas, in lower case; those that are put in later apart.
struct ByTable<T> {
    named: HashMap<String, Vec<(Option<String>, T)>>,
    anywhere: Vec<T>,
}

impl<T: Copy> ByTable<T> {
    fn new() -> Self {
        Self {
            named: HashMap::new(),
            anywhere: Vec::new(),
        }
    }

    fn add(&mut self, table: &Table, value: T) {
        let Some(name) = table.known_name() else {
            return self.anywhere.push(value);
        };
        let schema = table.schema().map(str::to_ascii_lowercase);
        let of_name = self.named.entry(name.to_ascii_lowercase()).or_default();
        of_name.push((schema, value));
    }

    /// What may be of a table; a schema that is not written can be any.
    fn of(&self, table: &str, schema: Option<&str>) -> impl Iterator<Item = T> {
        let named = self.named.get(&table.to_ascii_lowercase()).into_iter().flatten();
        let is_it = move |own: &Option<String>| {
            work::step();
            let both = own.as_ref().zip(schema);
            both.is_none_or(|(own, other)| own.eq_ignore_ascii_case(other))
        };
        let named = named.filter(move |(own, _)| is_it(own)).map(|(_, value)| *value);
        named.chain(self.anywhere.iter().copied())
    }
}

/// What a downgrade takes away, and what else a migration speaks of.
struct Rest<'f> {
    /// The names that the downgrade drops, by table, as the database knows them.
    dropped: HashMap<&'f str, HashSet<String>>,
    /// The names that SQL drops or renames, in lower case.
    dropped_by_sql: HashSet<String>,
    /// The columns that go, by table.
    columns: HashMap<&'f str, HashSet<&'f str>>,
    /// The same in SQL; nothing for one that is put in later.
    columns_by_sql: ByTable<Option<&'f str>>,
    /// Of the tables that are made or get columns: the names inside of them, and whether one may be any.
    inside: HashMap<&'f str, (HashSet<String>, bool)>,
    /// The words in the calls that run SQL.
    spoken: HashMap<&'f str, HashSet<Direction>>,
    changed: ByTable<()>,
}

/// The groups of a migration.
pub(super) struct Groups<'f, 'm> {
    pub(super) file: &'f MigrationFile<'m>,
    rest: OnceCell<Rest<'f>>,
    creates: OnceCell<HashMap<String, Vec<&'f Operation<'f>>>>,
    added: OnceCell<ByTable<Made<'f>>>,
    known: RefCell<HashMap<Key, Rc<Group<'f>>>>,
}

/// What the upgrade makes on one table, of the kinds that some drops may mean.
pub(super) struct Group<'f> {
    pub(super) creates: Vec<Made<'f>>,
    /// Whether one of them may have any name.
    pub(super) is_doubtful: bool,
    /// By their names as they are written, in lower case.
    written: HashMap<String, Vec<usize>>,
    named: OnceCell<Option<Named>>,
    left: OnceCell<Left>,
}

/// The names that the creates of a group have in the database.
pub(super) struct Named {
    names: Vec<String>,
    by_operation: HashSet<String>,
    /// In lower case.
    all: HashSet<String>,
    by_sql: HashSet<String>,
}

/// The creates of a group that nothing removes.
pub(super) struct Left {
    places: Vec<usize>,
    /// The first of each name.
    by_name: HashMap<String, usize>,
}

impl<'f, 'm> Groups<'f, 'm> {
    pub(super) fn new(file: &'f MigrationFile<'m>) -> Self {
        Self {
            file,
            rest: OnceCell::new(),
            creates: OnceCell::new(),
            added: OnceCell::new(),
            known: RefCell::default(),
        }
    }

    /// What the upgrade makes that this drop may mean: of the same table and kind.
    pub(super) fn of(&self, target: &Target<'f>) -> Rc<Group<'f>> {
        let key = Key::of(target);
        if let Some(known) = self.known.borrow().get(&key) {
            return known.clone();
        }
        let group = Rc::new(Group::of(self, target));
        self.known.borrow_mut().insert(key, group.clone());
        group
    }

    /// The creates of the upgrade, by table in lower case where that is known.
    fn creates_of(&self, table: &str) -> &[&'f Operation<'f>] {
        let creates = self.creates.get_or_init(|| {
            let mut creates: HashMap<String, Vec<&'f Operation<'f>>> = HashMap::new();
            for create in &self.file.migration.operations {
                if let Some(table) = create
                    .table
                    .known()
                    .filter(|_| create.creates() && create.direction == Direction::Upgrade)
                {
                    creates.entry(table.to_ascii_lowercase()).or_default().push(create);
                }
            }
            creates
        });
        creates
            .get(&table.to_ascii_lowercase())
            .map(Vec::as_slice)
            .unwrap_or_default()
    }

    fn added(&self) -> &ByTable<Made<'f>> {
        self.added.get_or_init(|| {
            let mut found = ByTable::new();
            for one in self
                .file
                .executed()
                .iter()
                .filter(|one| one.run.direction == Direction::Upgrade)
            {
                for added in one.added() {
                    found.add(&added.table, Made::Sql(one, added));
                }
            }
            found
        })
    }

    fn rest(&self) -> &Rest<'f> {
        self.rest.get_or_init(|| Rest::of(self.file))
    }

    /// Whether the name may come from anything but the creates that are compared: a table's own parts, SQL, or a table of another name.
    pub(super) fn is_made_otherwise(&self, target: &Target<'f>, group: &Group<'f>, own: &str) -> bool {
        let inside = self.rest().inside.get(target.table);
        inside.is_some_and(|(names, may_be_any)| *may_be_any || names.contains(target.name))
            || self.is_made_by_others(target, Some(group), own)
    }

    /// Whether SQL may have made the name, or it comes from a table of another name.
    pub(super) fn is_made_by_others(&self, target: &Target<'f>, compared: Option<&Group<'f>>, own: &str) -> bool {
        let (file, rest) = (self.file, self.rest());
        // SQL that speaks of the name may have made it.
        let is_elsewhere =
            |directions: &HashSet<Direction>| directions.iter().any(|direction| *direction != target.drop.direction());
        let mut words = words_of(own);
        let is_spoken_of = words.all(|(_, word)| rest.spoken.get(word).is_some_and(is_elsewhere));
        let known = compared.map_or(0, |group| group.operations_called(target.name));
        file.renames_tables()
            || is_spoken_of
            || file.creates_called(target.name).len() > known
            || file.is_made_by_sql(own, &DIRECTIONS)
            || !file.is_all_read(|_| true)
            || rest.changed.of(target.table, target.schema).next().is_some()
    }
}

impl Key {
    fn of(target: &Target<'_>) -> Self {
        let (is_sql, kind, kinds) = match target.drop {
            ConstraintDrop::Operation(operation) => (false, operation.kind(), None),
            ConstraintDrop::Sql(_, dropped) => (true, None, dropped.kinds),
        };
        Self {
            is_sql,
            table: target.table.to_owned(),
            schema: target.schema.map(str::to_owned),
            kind,
            kinds,
        }
    }
}

impl<'f> Rest<'f> {
    fn of(file: &'f MigrationFile<'_>) -> Self {
        let mut rest = Self {
            dropped: HashMap::new(),
            dropped_by_sql: HashSet::new(),
            columns: HashMap::new(),
            columns_by_sql: ByTable::new(),
            inside: HashMap::new(),
            spoken: HashMap::new(),
            changed: ByTable::new(),
        };
        let operations = file.migration.operations.iter();
        for drop in operations.filter(|one| !one.creates() && one.direction == Direction::Downgrade) {
            if let (Some(table), Some(name)) = (drop.table.known(), dropped_name(file, drop)) {
                rest.dropped.entry(table).or_default().insert(name);
            }
        }
        rest.add_steps(file);
        for one in file.executed() {
            one.effects.iter().for_each(|effect| rest.add_effect(effect));
        }
        for run in &file.migration.executions {
            for word in words_of_code(file.file().slice(run.call.span)) {
                rest.spoken.entry(word).or_default().insert(run.direction);
            }
        }
        rest
    }

    fn add_steps(&mut self, file: &'f MigrationFile<'_>) {
        for step in &file.migration.steps {
            let Some(table) = step.table.known() else { continue };
            if let Some(column) = step.dropped_column().filter(|_| step.direction != Direction::Upgrade) {
                self.columns.entry(table).or_default().insert(column);
            }
            if !matches!(step.method, "create_table" | "add_column") {
                continue;
            }
            let (names, may_be_any) = self.inside.entry(table).or_default();
            for inline in constraints_of(step) {
                match inline.name {
                    InlineName::Plain(name) | InlineName::Finished(name) => {
                        names.insert(name);
                    }
                    InlineName::Unnamed | InlineName::Computed => *may_be_any = true,
                }
            }
        }
    }

    fn add_effect(&mut self, effect: &'f Effect) {
        match effect {
            Effect::Dropped(dropped) => {
                self.dropped_by_sql.insert(dropped.name.text.to_ascii_lowercase());
            }
            Effect::Renamed { from, .. } => {
                self.dropped_by_sql.insert(from.text.to_ascii_lowercase());
            }
            Effect::ColumnDropped { table, column } => {
                let column = column.is_certain.then_some(column.text.as_str());
                self.columns_by_sql.add(table, column);
            }
            Effect::TableChanged(table) => self.changed.add(table, ()),
            Effect::Added(_) | Effect::Unknown => {}
        }
    }
}

impl<'f> Group<'f> {
    fn of(groups: &Groups<'f, '_>, target: &Target<'f>) -> Self {
        let is_of_kind = |kind: Option<ConstraintKind>| match target.drop {
            ConstraintDrop::Operation(drop) => match drop.kind() {
                Some(own) => kind == Some(own),
                None => kind != Some(ConstraintKind::Index),
            },
            ConstraintDrop::Sql(_, dropped) if dropped.kinds.is_none() => kind != Some(ConstraintKind::Index),
            ConstraintDrop::Sql(..) => kind.is_some_and(|kind| target.drop.may_drop(kind)),
        };
        let is_same = |create: &&&Operation<'_>| {
            let same_table = match target.drop {
                ConstraintDrop::Operation(drop) => create.table == drop.table && create.schema == drop.schema,
                ConstraintDrop::Sql(_, dropped) => {
                    create
                        .table
                        .known()
                        .zip(dropped.table.as_ref())
                        .is_some_and(|(own, table)| {
                            may_be_table(table, own, create.schema.known().and_then(Option::as_deref))
                        })
                }
            };
            same_table && is_of_kind(create.kind())
        };
        let operations = groups.creates_of(target.table).iter().filter(is_same);
        let added = groups.added();
        let sql = added.of(target.table, target.schema);
        let sql = sql.filter(|made| matches!(made, Made::Sql(_, added) if is_of_kind(Some(added.kind))));
        let creates: Vec<Made<'f>> = operations.map(|create| Made::Operation(create)).chain(sql).collect();
        let mut written: HashMap<String, Vec<usize>> = HashMap::new();
        for (at, create) in creates.iter().enumerate() {
            if let Some(name) = create.name() {
                written.entry(name.to_ascii_lowercase()).or_default().push(at);
            }
        }
        Self {
            is_doubtful: creates.iter().any(|create| create.name().is_none()) || added.anywhere.len() > MOST_ANYWHERE,
            creates,
            written,
            named: OnceCell::new(),
            left: OnceCell::new(),
        }
    }

    /// The creates that have the name which is dropped, as both are written.
    pub(super) fn written_as(&self, target: &Target<'f>) -> impl Iterator<Item = Made<'f>> {
        let places = self
            .written
            .get(&target.name.to_ascii_lowercase())
            .into_iter()
            .flatten();
        let creates = places.filter_map(|at| self.creates.get(*at).copied());
        creates.filter(|create| target.is_same_as_written(*create))
    }

    /// How many of the operations have this name.
    fn operations_called(&self, name: &str) -> usize {
        let places = self.written.get(&name.to_ascii_lowercase()).into_iter().flatten();
        let creates = places.filter_map(|at| self.creates.get(*at));
        let is_it = |create: &&Made<'f>| matches!(create, Made::Operation(one) if one.name.text() == Some(name));
        creates.filter(is_it).count()
    }

    /// The names in the database; nothing where one of them cannot be told.
    pub(super) fn named(&self, file: &MigrationFile<'_>) -> Option<&Named> {
        let named = self.named.get_or_init(|| {
            let mut named = Named {
                names: Vec::new(),
                by_operation: HashSet::new(),
                all: HashSet::new(),
                by_sql: HashSet::new(),
            };
            for create in &self.creates {
                let name = create.name_in_database(file)?;
                let lower = name.to_ascii_lowercase();
                if matches!(create, Made::Operation(_)) {
                    named.by_operation.insert(name.clone());
                } else {
                    named.by_sql.insert(lower.clone());
                }
                named.all.insert(lower);
                named.names.push(name);
            }
            Some(named)
        });
        named.as_ref()
    }

    /// Those that nothing else of the downgrade removes, and that the upgrade itself does not call otherwise in the end.
    pub(super) fn left(&self, groups: &Groups<'f, '_>, target: &Target<'f>, named: &Named) -> &Left {
        self.left.get_or_init(|| {
            let rest = groups.rest();
            let dropped = rest.dropped.get(target.table);
            let columns = rest.columns.get(target.table);
            let by_sql: HashSet<Option<&str>> = rest.columns_by_sql.of(target.table, target.schema).collect();
            let goes_with_its_columns = |create: &Made<'f>| {
                create.columns().is_some_and(|own| {
                    let goes = |column: &String| columns.is_some_and(|columns| columns.contains(column.as_str()));
                    let goes_by_sql = |column: &String| by_sql.contains(&Some(column.as_str()));
                    own.iter().any(|column| goes(column) || goes_by_sql(column)) || by_sql.contains(&None)
                })
            };
            let mut left = Left {
                places: Vec::new(),
                by_name: HashMap::new(),
            };
            for (at, (create, name)) in self.creates.iter().zip(&named.names).enumerate() {
                let is_gone = dropped.is_some_and(|names| names.contains(name))
                    || rest.dropped_by_sql.contains(&name.to_ascii_lowercase())
                    || goes_with_its_columns(create);
                if is_gone {
                    continue;
                }
                left.places.push(at);
                if let Some(name) = create.name().filter(|name| name.len() <= LONGEST) {
                    left.by_name.entry(name.to_owned()).or_insert(at);
                }
            }
            left
        })
    }
}

impl Named {
    pub(super) fn name(&self, at: usize) -> Option<&str> {
        self.names.get(at).map(String::as_str)
    }

    /// Whether one of them is the name that is dropped: SQL without quotes says nothing of the case.
    pub(super) fn hold(&self, target: &Target<'_>, own: &str) -> bool {
        let lower = own.to_ascii_lowercase();
        match target.drop {
            ConstraintDrop::Operation(_) => self.by_operation.contains(own) || self.by_sql.contains(&lower),
            ConstraintDrop::Sql(..) => self.all.contains(&lower),
        }
    }
}

impl Left {
    pub(super) fn first(&self) -> Option<usize> {
        self.places.first().copied()
    }

    pub(super) fn is_one(&self) -> bool {
        self.places.len() == 1
    }

    /// The first whose written name is the end of another.
    pub(super) fn alike(&self, name: &str) -> Option<usize> {
        let from = name.len().saturating_sub(LONGEST);
        let ends = (from..=name.len()).filter_map(|at| name.get(at..));
        ends.filter_map(|end| self.by_name.get(end).copied()).min()
    }
}
