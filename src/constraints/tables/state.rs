//! The keys and indexes of all tables at one moment, and what an event does to them.

use std::collections::{HashMap, HashSet};

use super::events::{Change, Dropping, Event, Index, Key, Table};
use crate::migration::Direction;

/// Keys and indexes are compared with each other, so a table with more of them is not judged.
const MOST: usize = 100;

/// One table.
#[derive(Debug, Default)]
#[allow(clippy::struct_excessive_bools, reason = "each is a question of its own")]
struct State {
    /// Its own keys, by their places in the list of all keys.
    own: Vec<usize>,
    /// The keys that refer to it.
    referring: Vec<usize>,
    indexes: Vec<Index>,
    /// Whether the migrations made it, so that all of it is known.
    is_new: bool,
    new_columns: HashSet<String>,
    /// Whether something was dropped that is not known.
    drops_unknown: bool,
    is_doubtful: bool,
    /// Whether something may have happened, so that nobody knows which numbers are in use.
    is_unnumbered: bool,
}

/// All tables at one moment.
#[derive(Debug, Default)]
pub(crate) struct Tables {
    pub(super) keys: Vec<Key>,
    tables: HashMap<Table, State>,
}

/// A drop of an index or a column, with the keys that are there at that moment.
pub(crate) struct Moment<'f> {
    pub(crate) drop: Dropping<'f>,
    pub(crate) table: Table,
    pub(crate) name: String,
    /// The keys that need what is dropped.
    pub(crate) keys: Vec<Key>,
    /// Whether all of the table is known, or the column is new.
    pub(crate) is_complete: bool,
}

impl Tables {
    /// What must have existed before a migration: the upgrade drops it without making it, and the downgrade makes it again.
    pub(crate) fn brought_back(all: &[Event<'_>]) -> Self {
        let of = |direction: Direction| all.iter().filter(move |event| event.direction == direction);
        let dropped = of(Direction::Upgrade).filter_map(|event| Some((&event.table, event.drops()?)));
        let dropped: HashSet<(&Table, &str)> = dropped.collect();
        let made = of(Direction::Upgrade).filter_map(|event| Some((&event.table, event.makes()?)));
        let made: HashSet<(&Table, &str)> = made.collect();
        let mut tables = Self::default();
        for event in of(Direction::Downgrade) {
            let known = event.makes().map(|name| (&event.table, name));
            if known.is_some_and(|known| dropped.contains(&known) && !made.contains(&known)) {
                tables.follow(event);
            }
        }
        tables
    }

    /// Follows an event. Of a drop of an index or a column, tells which keys need it.
    pub(crate) fn happens<'f>(&mut self, event: &Event<'f>) -> Option<Moment<'f>> {
        let found = match &event.change {
            Change::IndexDropped(Some(name), Some(drop)) if event.is_certain => {
                self.without_index(*drop, &event.table, name)
            }
            Change::ColumnDropped(column, Some(drop)) if event.is_certain => {
                self.without_column(*drop, &event.table, column)
            }
            _ => None,
        };
        self.follow(event);
        found
    }

    pub(super) fn follow_all<'e, 'f: 'e>(&mut self, events: impl IntoIterator<Item = &'e Event<'f>>) {
        for event in events {
            self.follow(event);
        }
    }

    fn follow(&mut self, event: &Event<'_>) {
        let is_certain = event.is_certain;
        let count = self.keys.len();
        if let Change::Key(key) = &event.change
            && let Some((other, _)) = &key.referred
            && is_certain
        {
            let other = self.tables.entry(other.clone()).or_default();
            other.referring.push(count);
            other.is_doubtful |= other.referring.len() > MOST;
        }
        let state = self.tables.entry(event.table.clone()).or_default();
        state.is_unnumbered |= !is_certain;
        match &event.change {
            Change::Key(key) if is_certain => {
                let mut key = Key::clone(key);
                if key.is_chosen {
                    key.name = state.next_name(&self.keys, &key);
                }
                state.serve(&key);
                state.own.push(count);
                state.is_doubtful |= state.own.len() > MOST;
                self.keys.push(key);
            }
            Change::Index(index) => state.index(index, is_certain),
            Change::KeyDropped(name) => state.drop_key(&mut self.keys, name.as_deref()),
            Change::IndexDropped(name, _) if is_certain => state.drop_index(name.as_deref()),
            Change::Dropped(name) => {
                state.drop_index(name.as_deref().filter(|_| is_certain));
                state.drop_key(&mut self.keys, name.as_deref());
            }
            Change::TableMade if is_certain => {
                state.forget(&mut self.keys);
                state.is_new = true;
            }
            Change::TableDropped => state.forget(&mut self.keys),
            Change::ColumnAdded(column) if is_certain => {
                state.new_columns.insert(column.clone());
            }
            Change::ColumnDropped(column, _) => state.drop_column(&mut self.keys, column),
            Change::Unclear | Change::TableMade => state.is_doubtful = true,
            Change::Key(_) | Change::IndexDropped(..) | Change::ColumnAdded(_) => {}
        }
    }

    /// The keys that no other index serves.
    fn without_index<'f>(&self, drop: Dropping<'f>, table: &Table, name: &str) -> Option<Moment<'f>> {
        let nothing = State::default();
        let state = self.tables.get(table).unwrap_or(&nothing);
        if state.is_doubtful {
            return None;
        }
        let at = state.indexes.iter().rposition(|index| index.is_called(name));
        let index = at.and_then(|at| state.indexes.get(at)?.columns.as_deref());
        let others = state.indexes.iter().enumerate().filter(|(other, _)| Some(*other) != at);
        let others: Vec<&Index> = others.map(|(_, index)| index).collect();
        let needs = |columns: &[String]| {
            let is_served = index.is_some_and(|index| index.starts_with(columns));
            is_served && !others.iter().any(|index| index.may_serve(columns))
        };
        let key = |at: &usize| self.keys.get(*at).filter(|key| key.is_there);
        let own = state.own.iter().filter_map(key).filter(|key| needs(&key.columns));
        let refers = |key: &&Key| key.referred.as_ref().is_some_and(|(_, columns)| needs(columns));
        let referring = state.referring.iter().filter_map(key).filter(refers);
        let first = index.and_then(<[String]>::first);
        let is_new = first.is_some_and(|first| state.new_columns.contains(first));
        Some(Moment {
            drop,
            table: table.clone(),
            name: name.to_owned(),
            keys: own.chain(referring).cloned().collect(),
            is_complete: is_new || state.is_new && !state.drops_unknown,
        })
    }

    /// The keys on a column. Other rules report those without a written name.
    fn without_column<'f>(&self, drop: Dropping<'f>, table: &Table, column: &str) -> Option<Moment<'f>> {
        let state = self.tables.get(table).filter(|state| !state.is_doubtful)?;
        let is_on_it = |key: &&Key| key.is_there && key.is_named && key.columns.iter().any(|own| own == column);
        let own = state.own.iter().filter_map(|at| self.keys.get(*at));
        Some(Moment {
            drop,
            table: table.clone(),
            name: column.to_owned(),
            keys: own.filter(is_on_it).cloned().collect(),
            is_complete: true,
        })
    }
}

impl Index {
    fn is_called(&self, name: &str) -> bool {
        self.name.as_deref().is_some_and(|own| own.eq_ignore_ascii_case(name))
    }

    /// Whether its columns begin with these; one whose columns are not known may.
    fn may_serve(&self, columns: &[String]) -> bool {
        self.columns.as_ref().is_none_or(|own| own.starts_with(columns))
    }
}

impl State {
    /// The name that the database chooses for a further key; nothing where that is not certain.
    fn next_name(&self, keys: &[Key], key: &Key) -> Option<String> {
        let is_certain = self.is_new && !(self.is_doubtful || self.drops_unknown || self.is_unnumbered);
        let start = format!("{}_ibfk_", key.table.0);
        let number = |key: &Key| {
            let digits = key.name.as_deref()?.strip_prefix(&start)?;
            digits.parse::<u32>().ok().filter(|_| !digits.starts_with(['0', '+']))
        };
        let own = self.own.iter().filter_map(|at| keys.get(*at));
        let mut there = own.filter(|key| key.is_there);
        if !is_certain || there.clone().any(|key| key.name.is_none()) {
            return None;
        }
        let highest = there.by_ref().filter_map(number).max().unwrap_or_default();
        Some(format!("{start}{}", highest.checked_add(1)?))
    }

    /// The database makes an index for a key that none serves. It stays when the key goes.
    fn serve(&mut self, key: &Key) {
        if self.is_doubtful || self.indexes.iter().any(|index| index.may_serve(&key.columns)) {
            return;
        }
        self.push(Index {
            name: key.name.clone().or_else(|| key.columns.first().cloned()),
            columns: Some(key.columns.clone()),
            is_generated: true,
        });
    }

    /// Adds an index. One that the database made for a key gives way to another that serves as well.
    fn index(&mut self, index: &Index, is_certain: bool) {
        // The indexes of such a table are never asked for.
        if self.is_doubtful {
            return;
        }
        let gives_way = |own: &Index| {
            let both = index.columns.as_ref().zip(own.columns.as_ref());
            own.is_generated && both.is_some_and(|(new, own)| new.starts_with(own))
        };
        if is_certain {
            self.indexes.retain(|own| !gives_way(own));
        }
        self.push(Index {
            // One that may not exist may serve a key, and is never found by its name.
            name: index.name.clone().filter(|_| is_certain),
            columns: index.columns.clone(),
            is_generated: false,
        });
    }

    fn push(&mut self, index: Index) {
        self.indexes.push(index);
        self.is_doubtful |= self.indexes.len() > MOST;
    }

    /// Drops the key of this name. If there is none, it may be any key without a name.
    fn drop_key(&mut self, keys: &mut [Key], name: Option<&str>) {
        let mut is_found = false;
        for at in self.own.iter().take(MOST) {
            let Some(key) = keys.get_mut(*at).filter(|key| key.is_there) else {
                continue;
            };
            if name.is_none() || key.name.as_deref() == name {
                key.is_there = false;
                is_found = true;
            }
        }
        self.drops_unknown |= !is_found || name.is_none();
        if is_found {
            return;
        }
        for at in self.own.iter().take(MOST) {
            if let Some(key) = keys.get_mut(*at).filter(|key| key.name.is_none()) {
                key.is_there = false;
            }
        }
    }

    fn drop_index(&mut self, name: Option<&str>) {
        let is_it = |index: &Index| name.is_some_and(|name| index.is_called(name));
        if let Some(at) = self.indexes.iter().rposition(is_it) {
            self.indexes.remove(at);
        }
    }

    /// MySQL takes the column out of its indexes.
    fn drop_column(&mut self, keys: &mut [Key], column: &str) {
        let is_it = |own: &String| own == column;
        for at in self.own.iter().chain(&self.referring).take(MOST) {
            if let Some(key) = keys.get_mut(*at).filter(|key| key.columns.iter().any(is_it)) {
                key.is_there = false;
            }
        }
        self.indexes.retain_mut(|index| {
            let Some(columns) = &mut index.columns else { return true };
            columns.retain(|own| !is_it(own));
            !columns.is_empty()
        });
    }

    fn forget(&mut self, keys: &mut [Key]) {
        for at in self.own.iter().chain(&self.referring).take(MOST) {
            if let Some(key) = keys.get_mut(*at) {
                key.is_there = false;
            }
        }
        *self = Self {
            is_new: self.is_new,
            ..Self::default()
        };
    }
}
