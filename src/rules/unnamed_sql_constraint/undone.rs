//! The drop in the other direction that undoes an unnamed constraint.

use std::cell::OnceCell;
use std::collections::HashMap;

use elsa::FrozenMap;

use super::Unnamed;
use super::default_forms::Names;
use super::siblings::Siblings;
use crate::constraints::MigrationFile;
use crate::constraints::drops::{ConstraintDrop, DropAt};
use crate::constraints::executed::{Executed, is_elsewhere};
use crate::migration::Direction;
use crate::naming::ConstraintKind;
use crate::sql::{Added, Effect};

/// What undoes an unnamed constraint.
pub(super) enum Undone<'f> {
    Nowhere,
    By(ConstraintDrop<'f>),
    /// Some drop may undo it.
    Doubtful,
}

impl<'f> Undone<'f> {
    /// The drop by the name that a database would have made up, or the only one that can be meant.
    pub(super) fn of(unnamed: &Unnamed<'f>, drops: &Drops<'f, '_>, siblings: &Siblings<'f, '_>) -> Self {
        let (file, added) = (drops.file, unnamed.added);
        let direction = unnamed.sql.run.when.direction;
        let candidates = drops.candidates(unnamed);
        if candidates.iter().all(|drops| drops.all.is_empty())
            && file.is_all_read(|other| is_elsewhere(other, direction))
        {
            return Self::Nowhere;
        }
        let has_form = candidates.iter().any(|drops| drops.names.have_form_of(added));
        let exact = candidates.iter().filter_map(|drops| drops.names.exact(added)).min();
        if let Some(drop) = exact.and_then(|at| at.drop(file)) {
            // Branches for several databases drop it by the name that each makes up.
            let has_one_name = !has_form && !siblings.have_twin(unnamed);
            return if has_one_name { Self::By(drop) } else { Self::Doubtful };
        }
        let mut all = candidates.iter().flat_map(|drops| &drops.all);
        let (Some(only), None) = (all.next(), all.next()) else {
            return Self::Doubtful;
        };
        // It may as well undo the operation that it is paired with.
        let is_paired = matches!(only, DropAt::Operation(at) if file.pairing.partner(*at).is_some());
        match only.drop(file) {
            Some(drop) if !is_paired && !siblings.have_rival(unnamed) && (drop.is_unnamed() || has_form) => {
                Self::By(drop)
            }
            _ => Self::Doubtful,
        }
    }
}

/// Drops that may undo some constraints.
#[derive(Default)]
struct Candidates {
    all: Vec<DropAt>,
    names: Names,
}

/// Constraints with the same of these have the same candidates; the first tells whether their table is known.
type Key = (bool, Direction, ConstraintKind, Option<String>, Option<String>);

/// The drops and renames of one migration.
pub(super) struct Drops<'f, 'm> {
    file: &'f MigrationFile<'m>,
    renamed: OnceCell<HashMap<Direction, Names>>,
    candidates: FrozenMap<Key, Box<Candidates>>,
}

impl<'f, 'm> Drops<'f, 'm> {
    pub(super) fn new(file: &'f MigrationFile<'m>) -> Self {
        Self {
            file,
            renamed: OnceCell::new(),
            candidates: FrozenMap::new(),
        }
    }

    /// Whether the same direction gives another name to the constraint.
    pub(super) fn are_renamed(&self, sql: &Executed<'_>, added: &Added) -> bool {
        let renamed = self.renamed.get_or_init(|| {
            let mut renamed: HashMap<Direction, Names> = HashMap::new();
            for (text, sql) in self.file.executed().iter().enumerate() {
                for (at, effect) in sql.effects.iter().enumerate() {
                    if let Effect::Renamed { from, .. } = effect {
                        let names = renamed.entry(sql.run.when.direction).or_default();
                        names.add(&from.text, DropAt::Sql(text, at));
                    }
                }
            }
            renamed
        });
        let names = renamed.get(&sql.run.when.direction);
        names.is_some_and(|names| names.contain_default_of(added))
    }

    /// The drops of its table in the other direction, and those of tables that are not known.
    fn candidates(&self, unnamed: &Unnamed<'f>) -> Vec<&Candidates> {
        let table = unnamed.table.known().map(String::as_str);
        let of_table = table.map(|_| self.candidates_of(unnamed, table));
        of_table
            .into_iter()
            .chain([self.candidates_of(unnamed, None)])
            .collect()
    }

    fn candidates_of(&self, unnamed: &Unnamed<'f>, table: Option<&str>) -> &Candidates {
        let lower = |text: Option<&str>| text.map(str::to_ascii_lowercase);
        let (direction, kind) = (unnamed.sql.run.when.direction, unnamed.added.kind);
        let schema = lower(unnamed.added.table.schema());
        let key = (unnamed.table.known().is_some(), direction, kind, lower(table), schema);
        let known = self.candidates.get(&key);
        known.unwrap_or_else(|| {
            let found = self.find_candidates(unnamed, table);
            self.candidates.insert(key, Box::new(found))
        })
    }

    fn find_candidates(&self, unnamed: &Unnamed<'f>, table: Option<&str>) -> Candidates {
        let (file, added) = (self.file, unnamed.added);
        let own_table = unnamed.table.known();
        // A constraint whose own table is not known may be undone by any drop.
        let places = if own_table.is_some() {
            file.drops().of_table(table)
        } else {
            file.drops().all()
        };
        let mut candidates = Candidates::default();
        for at in places {
            let Some(drop) = at.drop(file) else { continue };
            let may_undo = is_elsewhere(drop.direction(), unnamed.sql.run.when.direction)
                && drop.may_drop(added.kind)
                && own_table.is_none_or(|own| drop.may_be_of(own, added.table.schema()))
                && !drop.name().is_some_and(|name| file.is_made(name));
            if may_undo {
                candidates.all.push(*at);
                if let Some(name) = drop.name() {
                    candidates.names.add(name, *at);
                }
            }
        }
        candidates
    }
}
