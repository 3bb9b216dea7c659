//! Which names have the form that a database would give to a constraint.

use std::collections::{BTreeSet, HashMap, HashSet};

use crate::constraints::drops::DropAt;
use crate::naming::{ConstraintKind, default_names};
use crate::sql::Added;
use crate::work;

/// The names that a migration drops or renames.
#[derive(Default)]
pub(super) struct Names {
    /// The first of each name, in lower case.
    first: HashMap<String, DropAt>,
    exact: HashSet<String>,
    /// Names without the digits at their end, and whether one of them has any.
    stems: HashMap<String, bool>,
    /// Names that end as PostgreSQL's checks do.
    checks: BTreeSet<String>,
    /// Names that end as PostgreSQL's exclude constraints do.
    excludes: BTreeSet<String>,
}

impl Names {
    pub(super) fn add(&mut self, name: &str, at: DropAt) {
        work::step();
        let stem = name.trim_end_matches(|digit: char| digit.is_ascii_digit());
        *self.stems.entry(stem.to_owned()).or_default() |= stem.len() < name.len();
        if stem.ends_with("_check") {
            self.checks.insert(name.to_owned());
        }
        if name.ends_with("_excl") {
            self.excludes.insert(name.to_owned());
        }
        self.exact.insert(name.to_owned());
        self.first.entry(name.to_ascii_lowercase()).or_insert(at);
    }

    /// Whether PostgreSQL, MariaDB or MySQL could give one of the names to the constraint.
    pub(super) fn contain_default_of(&self, added: &Added) -> bool {
        self.exact(added).is_some() || self.have_form_of(added)
    }

    /// Where the name is that PostgreSQL would give to the constraint.
    pub(super) fn exact(&self, added: &Added) -> Option<DropAt> {
        let name = exact_name(added)?.to_ascii_lowercase();
        self.first.get(&name).copied()
    }

    /// Whether a name has the form of a database's own, with a number or columns that are not known here.
    pub(super) fn have_form_of(&self, added: &Added) -> bool {
        let table = added.table.name.text.as_str();
        let exact = exact_name(added);
        let is_exact = |name: &str| exact.as_ref().is_some_and(|exact| exact.eq_ignore_ascii_case(name));
        let of_table = |names: &BTreeSet<String>| {
            let start = format!("{table}_");
            let mut names = names.range(start.clone()..).take_while(|name| name.starts_with(&start));
            names.any(|name| !is_exact(name))
        };
        let numbered = |stem: &str| self.stems.contains_key(stem);
        let has_form = match added.kind {
            ConstraintKind::ForeignKey => numbered(&format!("{table}_ibfk_")),
            ConstraintKind::Unique => {
                let first = added.columns.iter().flatten().next().filter(|first| !first.is_empty());
                first.is_some_and(|first| {
                    self.exact.contains(first) && !is_exact(first) || numbered(&format!("{first}_"))
                })
            }
            ConstraintKind::Check => {
                of_table(&self.checks) || numbered("CONSTRAINT_") || numbered(&format!("{table}_chk_"))
            }
            ConstraintKind::Exclude => of_table(&self.excludes),
            ConstraintKind::PrimaryKey | ConstraintKind::Index => false,
        };
        has_form || exact.is_some_and(|exact| self.stems.get(&exact) == Some(&true))
    }
}

/// What PostgreSQL would call it, if its columns are known.
fn exact_name(added: &Added) -> Option<String> {
    let columns: Vec<&str> = added.columns.iter().flatten().map(String::as_str).collect();
    let is_known = added.columns.is_some() || added.kind == ConstraintKind::PrimaryKey;
    let name = default_names::postgresql(added.kind, &added.table.name.text, &columns);
    name.filter(|_| is_known)
}
