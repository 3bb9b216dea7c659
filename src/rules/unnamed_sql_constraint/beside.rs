//! What stands beside a constraint of SQL: the drops that may undo it, and others that could share its name. Each list is gone through once for
//! all constraints of one table and kind.

use std::cell::{OnceCell, RefCell};
use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use super::Finding;
use crate::constraints::MigrationFile;
use crate::constraints::executed::{DropAt, Executed, is_elsewhere, is_made, may_be_table};
use crate::constraints::suggestion::{suggest, with_all_columns};
use crate::migration::{Direction, Guard};
use crate::naming::{ConstraintKind, Dialect, default_names};
use crate::sql::{Added, Effect, Naming, Table};
use crate::work;

/// A table whose name is longer is not looked for at the start of a name.
const LONGEST: usize = 128;

/// The names of what may be the same constraints, by the forms that databases give them.
#[derive(Default)]
pub(super) struct Forms {
    /// The first of each name, in lower case.
    first: HashMap<String, DropAt>,
    exact: HashSet<String>,
    /// Names without the digits at their end, and whether one has any.
    stems: HashMap<String, bool>,
    /// Names that end as PostgreSQL's checks and exclude constraints do, in lower case, by what stands before each of their underscores.
    checks: HashMap<String, HashSet<String>>,
    excludes: HashMap<String, HashSet<String>>,
}

impl Forms {
    fn add(&mut self, name: &str, at: DropAt) {
        work::step();
        let lower = name.to_ascii_lowercase();
        let stem = name.trim_end_matches(|digit: char| digit.is_ascii_digit());
        *self.stems.entry(stem.to_owned()).or_default() |= stem.len() < name.len();
        for (is_one, found) in [
            (stem.ends_with("_check"), &mut self.checks),
            (name.ends_with("_excl"), &mut self.excludes),
        ] {
            let starts = name.match_indices('_').filter(|(at, _)| is_one && *at <= LONGEST);
            for (at, _) in starts {
                found.entry(name[..at].to_owned()).or_default().insert(lower.clone());
            }
        }
        self.exact.insert(name.to_owned());
        self.first.entry(lower).or_insert(at);
    }

    /// Whether PostgreSQL, MariaDB or MySQL would call a constraint by one of the names.
    pub(super) fn hold(&self, added: &Added) -> bool {
        self.exact(added).is_some() || self.have_form_of(added)
    }

    /// The one that is called as PostgreSQL would call the constraint.
    fn exact(&self, added: &Added) -> Option<DropAt> {
        let name = exact_name(added)?.to_ascii_lowercase();
        self.first.get(&name).copied()
    }

    /// Whether one has the form of such a name, with a number or columns that are not known here.
    fn have_form_of(&self, added: &Added) -> bool {
        let table = added.table.name.text.as_str();
        let first = added.columns.iter().flatten().next().map(String::as_str);
        let exact = exact_name(added);
        let is_exact = |name: &str| exact.as_ref().is_some_and(|exact| exact.eq_ignore_ascii_case(name));
        let others = |found: &HashMap<String, HashSet<String>>| {
            let names = found.get(table);
            let own = exact.as_ref().map(|exact| exact.to_ascii_lowercase());
            names.is_some_and(|names| names.iter().any(|name| Some(name) != own.as_ref()))
        };
        let has_form = match added.kind {
            ConstraintKind::ForeignKey => self.is_numbered(&format!("{table}_ibfk_")),
            ConstraintKind::Unique => first.filter(|first| !first.is_empty()).is_some_and(|first| {
                self.exact.contains(first) && !is_exact(first) || self.is_numbered(&format!("{first}_"))
            }),
            ConstraintKind::Check => {
                others(&self.checks) || self.is_numbered("CONSTRAINT_") || self.is_numbered(&format!("{table}_chk_"))
            }
            ConstraintKind::Exclude => others(&self.excludes),
            ConstraintKind::PrimaryKey | ConstraintKind::Index => false,
        };
        // The exact one itself is not of the form.
        has_form || exact.is_some_and(|exact| self.stems.get(&exact) == Some(&true))
    }

    /// Whether one is a stem that ends in no digit with a number behind it, or none.
    fn is_numbered(&self, stem: &str) -> bool {
        self.stems.contains_key(stem)
    }
}

/// What PostgreSQL would call it, where its columns are known.
fn exact_name(added: &Added) -> Option<String> {
    let columns: Vec<&str> = added.columns.iter().flatten().map(String::as_str).collect();
    let is_known = added.columns.is_some() || added.kind == ConstraintKind::PrimaryKey;
    let name = default_names::postgresql(added.kind, &added.table.name.text, &columns, |_| false);
    name.filter(|_| is_known)
}

/// The drops that may undo some constraints: those of their table, and those that may be of any.
pub(super) struct Candidates([Rc<Drops>; 2]);

#[derive(Default)]
struct Drops {
    all: Vec<DropAt>,
    forms: Forms,
}

impl Candidates {
    pub(super) fn are_none(&self) -> bool {
        self.0.iter().all(|drops| drops.all.is_empty())
    }

    pub(super) fn only(&self) -> Option<DropAt> {
        let mut all = self.0.iter().flat_map(|drops| &drops.all);
        all.next().filter(|_| all.next().is_none()).copied()
    }

    pub(super) fn exact(&self, added: &Added) -> Option<DropAt> {
        self.0.iter().filter_map(|drops| drops.forms.exact(added)).min()
    }

    pub(super) fn have_form_of(&self, added: &Added) -> bool {
        self.0.iter().any(|drops| drops.forms.have_form_of(added))
    }
}

/// A table in lower case, its schema aside; nothing for one that is put in later.
type Bucket = Option<String>;

fn bucket(table: &Table) -> Bucket {
    table.known_name().map(str::to_ascii_lowercase)
}

/// The columns of the constraints that would have one name: those of one, or of several.
#[derive(Default)]
struct Columns(HashSet<Option<Vec<String>>>);

impl Columns {
    fn have_others(&self, own: Option<&Vec<String>>) -> bool {
        // Two at most are looked at: one of them is another.
        self.0.iter().any(|columns| columns.as_ref() != own)
    }
}

/// The names of the unnamed constraints of one bucket, as one database stores them.
struct Names {
    plain: HashMap<String, Columns>,
    /// With all columns, by the name that they would have shared.
    full: HashMap<String, HashMap<String, Columns>>,
}

/// What the unnamed constraints of one bucket have for columns, and under which conditions.
#[derive(Default)]
struct Unnamed<'f> {
    all: Vec<(&'f Executed<'f>, &'f Added)>,
    guards: HashMap<Option<&'f [String]>, HashSet<Guard>>,
}

type Kind = (Direction, ConstraintKind, Bucket);

type OfDialect = (Kind, Option<Dialect>);

/// The half that gives a name, the name in lower case, and the table.
type Named = (Direction, String, Bucket);

type DropsKey = (Direction, ConstraintKind, Option<String>, Option<String>);

/// All of it for one migration.
pub(super) struct Beside<'f, 'm> {
    pub(super) file: &'f MigrationFile<'m>,
    renames: OnceCell<HashMap<Direction, Forms>>,
    drops: RefCell<HashMap<DropsKey, Rc<Drops>>>,
    unnamed: OnceCell<HashMap<Kind, Unnamed<'f>>>,
    names: RefCell<HashMap<OfDialect, Rc<Names>>>,
    /// The tables of the creates without a name, in lower case; nothing for one that is not known.
    operations: OnceCell<HashSet<Kind>>,
    named: OnceCell<HashMap<Named, Vec<&'f Added>>>,
}

impl<'f, 'm> Beside<'f, 'm> {
    pub(super) fn new(file: &'f MigrationFile<'m>) -> Self {
        Self {
            file,
            renames: OnceCell::new(),
            drops: RefCell::default(),
            unnamed: OnceCell::new(),
            names: RefCell::default(),
            operations: OnceCell::new(),
            named: OnceCell::new(),
        }
    }

    /// The names that a direction takes away by giving others.
    pub(super) fn renames(&self, direction: Direction) -> &Forms {
        static NONE: std::sync::LazyLock<Forms> = std::sync::LazyLock::new(Forms::default);
        let renames = self.renames.get_or_init(|| {
            let mut found: HashMap<Direction, Forms> = HashMap::new();
            for (text, one) in self.file.executed().iter().enumerate() {
                for (at, effect) in one.effects.iter().enumerate() {
                    if let Effect::Renamed { from, .. } = effect {
                        let forms = found.entry(one.run.direction).or_default();
                        forms.add(&from.text, DropAt::Sql(text, at));
                    }
                }
            }
            found
        });
        renames.get(&direction).unwrap_or(&NONE)
    }

    /// The drops of the other direction that may undo a constraint: nothing makes what they drop.
    pub(super) fn drops_for(&self, finding: &Finding<'_, 'f, 'm>) -> Candidates {
        let (added, direction) = (finding.added, finding.one.run.direction);
        let schema = added.table.schema();
        let is_known = finding.table.known().is_some();
        let table = Some(added.table.name.text.as_str()).filter(|_| is_known);
        let of = |table: Option<&str>| {
            let owned = |text: Option<&str>| text.map(str::to_ascii_lowercase);
            let key = (direction, added.kind, owned(table), owned(schema));
            let known = self.drops.borrow().get(&key).cloned();
            known.unwrap_or_else(|| {
                let drops = Rc::new(self.drops(added, direction, table, is_known));
                self.drops.borrow_mut().insert(key, drops.clone());
                drops
            })
        };
        match table {
            Some(_) => Candidates([of(table), of(None)]),
            None => Candidates([of(None), Rc::default()]),
        }
    }

    fn drops(&self, added: &Added, direction: Direction, table: Option<&str>, is_known: bool) -> Drops {
        let file = self.file;
        let schema = added.table.schema();
        let mut found = Drops::default();
        // Of a table that is not known itself any drop may be.
        let all: Vec<DropAt>;
        let places = if is_known {
            DropAt::of_table(file, table)
        } else {
            all = DropAt::all(file);
            &all
        };
        for at in places {
            let Some(drop) = at.drop(file) else { continue };
            let may_be = is_elsewhere(drop.direction(), direction)
                && drop.may_drop(added.kind)
                && (!is_known || drop.may_be_of(&added.table.name.text, schema))
                && !drop.name().is_some_and(|name| is_made(file, name));
            if may_be {
                found.all.push(*at);
                drop.name().into_iter().for_each(|name| found.forms.add(name, *at));
            }
        }
        found
    }

    fn unnamed(&self) -> &HashMap<Kind, Unnamed<'f>> {
        self.unnamed.get_or_init(|| {
            let mut found: HashMap<Kind, Unnamed<'f>> = HashMap::new();
            for one in self.file.executed() {
                for added in one.added().filter(|added| added.naming == Naming::Unnamed) {
                    let key = (one.run.direction, added.kind, bucket(&added.table));
                    let of_kind = found.entry(key).or_default();
                    of_kind.all.push((one, added));
                    let guards = of_kind.guards.entry(added.columns.as_deref()).or_default();
                    guards.insert(one.run.guard);
                }
            }
            found
        })
    }

    /// The buckets of others that may be on the same table.
    fn kinds(one: &Executed<'_>, added: &Added) -> impl Iterator<Item = Kind> {
        let own = bucket(&added.table);
        let anywhere = own.is_some().then_some(None);
        let (direction, kind) = (one.run.direction, added.kind);
        std::iter::once(own)
            .chain(anywhere)
            .map(move |table| (direction, kind, table))
    }

    /// Whether the same constraint is added without a name for another database.
    pub(super) fn has_twin(&self, one: &Executed<'_>, added: &Added) -> bool {
        let mut others = Self::kinds(one, added).filter_map(|key| self.unnamed().get(&key));
        others.any(|others| {
            let guards = others.guards.get(&added.columns.as_deref());
            guards.is_some_and(|guards| guards.iter().any(|guard| *guard != one.run.guard))
        })
    }

    /// Whether another constraint of its kind has no name on its table, in its half.
    pub(super) fn has_rival(&self, one: &Executed<'_>, added: &Added) -> bool {
        let operations = self.operations.get_or_init(|| {
            let unnamed = self.file.migration.operations.iter();
            let unnamed = unnamed.filter(|one| one.creates() && one.name.text().is_none());
            let table = |table: &String| table.to_ascii_lowercase();
            unnamed
                .filter_map(|one| Some((one.direction, one.kind()?, one.table.known().map(table))))
                .collect()
        });
        let table = added.table.name.text.to_ascii_lowercase();
        let mut of_operations = [Some(table), None].into_iter();
        let others = Self::kinds(one, added).filter_map(|key| self.unnamed().get(&key));
        // It is one of them itself.
        others.map(|others| others.all.len()).sum::<usize>() > 1
            || of_operations.any(|table| operations.contains(&(one.run.direction, added.kind, table)))
    }

    /// Whether another constraint without a name, of other columns, would be called so. Those that would have shared the name `first` are called
    /// by all their columns.
    pub(super) fn has_namesake(&self, finding: &Finding<'_, 'f, 'm>, name: &str, first: Option<&str>) -> bool {
        let columns = finding.added.columns.as_ref();
        Self::kinds(finding.one, finding.added).any(|key| {
            let names = self.names(key, finding);
            let full = first.and_then(|first| names.full.get(first));
            let with_all = full.and_then(|full| full.get(name));
            let is_apart = first.is_none_or(|first| finding.as_stored(first) != name);
            let plain = names.plain.get(name).filter(|_| is_apart);
            let mut sharing = with_all.into_iter().chain(plain);
            sharing.any(|sharing| sharing.have_others(columns))
        })
    }

    fn names(&self, kind: Kind, finding: &Finding<'_, 'f, 'm>) -> Rc<Names> {
        let key = (kind, finding.one.dialect);
        if let Some(known) = self.names.borrow().get(&key) {
            return known.clone();
        }
        let mut names = Names {
            plain: HashMap::new(),
            full: HashMap::new(),
        };
        let unnamed = self.unnamed().get(&key.0);
        for (one, added) in unnamed.into_iter().flat_map(|unnamed| &unnamed.all) {
            let other = Finding::new(self, one, added);
            let mut own = suggest(self.file, other.constraint());
            let Some(plain) = own.name.clone() else { continue };
            let stored = finding.as_stored(&plain);
            let columns = |names: &mut HashMap<String, Columns>, name| {
                let known: &mut Columns = names.entry(name).or_default();
                if known.0.len() < 2 {
                    known.0.insert(added.columns.clone());
                }
            };
            columns(&mut names.plain, stored);
            with_all_columns(self.file, other.constraint(), &mut own);
            if let Some(full) = own.name {
                let full = finding.as_stored(&full);
                columns(names.full.entry(plain).or_default(), full);
            }
        }
        let names = Rc::new(names);
        self.names.borrow_mut().insert(key, names.clone());
        names
    }

    /// Whether SQL of the direction gives a constraint of the table this name.
    pub(super) fn is_named(&self, direction: Direction, added: &Added, name: &str) -> bool {
        let named = self.named.get_or_init(|| {
            let mut found: HashMap<Named, Vec<&'f Added>> = HashMap::new();
            for one in self.file.executed() {
                for added in one.added() {
                    if let Naming::Named(own) = &added.naming {
                        let key = (one.run.direction, own.text.to_ascii_lowercase(), bucket(&added.table));
                        found.entry(key).or_default().push(added);
                    }
                }
            }
            found
        });
        let table = added.table.name.text.as_str();
        let schema = added.table.schema();
        let mut buckets = [Some(table.to_ascii_lowercase()), None].into_iter();
        buckets.any(|bucket| {
            let others = named.get(&(direction, name.to_ascii_lowercase(), bucket));
            let mut others = others.into_iter().flatten();
            others.any(|other| may_be_table(&other.table, table, schema))
        })
    }
}
