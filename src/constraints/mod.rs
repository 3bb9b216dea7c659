//! What several rules share: the file as they see it, the name that a constraint should have, and how that name is written and explained.

pub(crate) mod advice;
pub(crate) mod convention_code;
pub(crate) mod doubtful_drop;
pub(crate) mod edits;
pub(crate) mod executed;
pub(crate) mod forgotten_drop;
pub(crate) mod imports;
pub(crate) mod inline;
pub(crate) mod lookups;
pub(crate) mod namesakes;
pub(crate) mod naming_target;
pub(crate) mod suggestion;
pub(crate) mod tables;
pub(crate) mod type_checks;

use std::cell::OnceCell;
use std::collections::{HashMap, HashSet};
use std::hash::Hash;
use std::rc::Rc;

use doubtful_drop::Doubts;
use executed::{Executed, executed, made_by_sql};
use forgotten_drop::Undone;
use lookups::Lookups;
use suggestion::{Suggestion, suggest_all};

use crate::fix::Fix;
use crate::migration::{Direction, Migration, Operation, Pairing};
use crate::naming::{ConstraintKind, Convention, Dialect};
use crate::project::{Checks, Declaration, History, Judged, Naming, Place, Project, Wanted};
use crate::python::Module;
use crate::source::{SourceFile, Span};

pub(crate) use tables::key_numbers;
use type_checks::InnerChecks;

/// A module that makes, or states, a metadata that Alembic migrates.
pub struct MetadataFile<'a> {
    /// The metadata.
    pub judged: &'a Judged,
    /// The module.
    pub module: &'a Module,
    /// Whether HEAD holds the module already, so that databases may exist.
    pub is_deployed: bool,
    /// The convention that the configuration names.
    pub configured_convention: Option<&'a Convention>,
    /// The project around it.
    pub project: &'a Project<'a>,
}

impl MetadataFile<'_> {
    /// What stands in the way of a template for checks; the project's modules are read when this is first asked for.
    pub(crate) fn checks(&self) -> Rc<Checks> {
        self.project.checks(self.module.file())
    }
}

/// Places in the list of operations by what the creates there are called, and more.
type Called<K> = HashMap<K, Vec<usize>>;

/// The edit that gives a metadata this convention; nothing where the code has no place for it.
pub(crate) fn convention_fix(
    judged: &Judged,
    module: &Module,
    project: &Project<'_>,
    convention: &Convention,
) -> Option<Fix> {
    let file = MetadataFile {
        judged,
        module,
        is_deployed: true,
        configured_convention: None,
        project,
    };
    convention_code::give(&file, &|| convention.clone())
}

/// A migration with all that its rules may ask; what costs reading is read when it is asked for.
pub struct MigrationFile<'a> {
    /// Its operations.
    pub migration: &'a Migration<'a>,
    /// Which create belongs to which drop.
    pub pairing: Pairing,
    /// Whether HEAD holds it already, so that a database may have run it.
    pub is_deployed: bool,
    /// The dialect that the configuration names.
    pub configured_dialect: Option<Dialect>,
    /// The convention that the configuration names, for projects that have none of their own.
    pub configured_convention: Option<&'a Convention>,
    project: &'a Project<'a>,
    naming: OnceCell<Rc<Naming>>,
    suggestions: OnceCell<Vec<Option<Suggestion>>>,
    executed: OnceCell<Vec<Executed<'a>>>,
    made_by_sql: OnceCell<HashSet<(String, Direction)>>,
    called: OnceCell<Called<String>>,
    called_on: OnceCell<Called<(String, Option<String>)>>,
    called_in: OnceCell<Called<(String, usize, Option<String>)>>,
    undone: OnceCell<Undone>,
    numbered: OnceCell<HashMap<Span, String>>,
    inner_checks: OnceCell<InnerChecks>,
    environment_dialect: OnceCell<Option<Dialect>>,
    possible: OnceCell<Vec<Dialect>>,
    pub(crate) lookups: Lookups,
    doubts: Doubts,
    quote: OnceCell<Option<char>>,
}

impl<'a> MigrationFile<'a> {
    /// A migration of a project.
    #[must_use]
    pub fn new(migration: &'a Migration<'a>, project: &'a Project<'a>) -> Self {
        Self {
            migration,
            pairing: migration.pairing(),
            is_deployed: false,
            configured_dialect: None,
            configured_convention: None,
            project,
            naming: OnceCell::new(),
            suggestions: OnceCell::new(),
            executed: OnceCell::new(),
            made_by_sql: OnceCell::new(),
            called: OnceCell::new(),
            called_on: OnceCell::new(),
            called_in: OnceCell::new(),
            undone: OnceCell::new(),
            numbered: OnceCell::new(),
            inner_checks: OnceCell::new(),
            environment_dialect: OnceCell::new(),
            possible: OnceCell::new(),
            lookups: Lookups::default(),
            doubts: Doubts::default(),
            quote: OnceCell::new(),
        }
    }

    /// The file.
    #[must_use]
    pub fn file(&self) -> &SourceFile {
        self.migration.module.file()
    }

    /// What holds for the migration's environment; read when first asked for.
    #[must_use]
    pub fn naming(&self) -> &Naming {
        self.shared_naming()
    }

    pub(crate) fn shared_naming(&self) -> &Rc<Naming> {
        self.naming.get_or_init(|| {
            if self.is_deployed {
                self.project.committed_naming(self.file())
            } else {
                self.project.naming(self.file())
            }
        })
    }

    /// Whether a place is in a file as it is now, and not as the last commit had it.
    pub(crate) fn is_current(&self, place: &Place) -> bool {
        let now = self.project.modules().file(place.file.path());
        now.is_some_and(|file| file.text() == place.file.text())
    }

    /// The revisions of the migration's environment; all of them are read when this is first asked for.
    #[must_use]
    pub fn history(&self) -> Option<Rc<History>> {
        self.project.history(self.file().path())
    }

    /// What can be said of the name of an unnamed create, by its place in the list of operations.
    pub(crate) fn suggestion(&self, at: usize) -> Option<&Suggestion> {
        self.suggestions.get_or_init(|| suggest_all(self)).get(at)?.as_ref()
    }

    /// What its SQL does to constraints; read when first asked for.
    pub(crate) fn executed(&self) -> &[Executed<'a>] {
        self.executed.get_or_init(|| executed(self))
    }

    /// What its downgrade may undo; read when first asked for.
    pub(crate) fn undone(&self) -> &Undone {
        self.undone.get_or_init(|| Undone::by_downgrade(self))
    }

    /// Whether its SQL makes something of this name in one of these directions.
    pub(crate) fn is_made_by_sql(&self, name: &str, directions: &[Direction]) -> bool {
        let made = self.made_by_sql.get_or_init(|| made_by_sql(self.executed()));
        let name = name.to_ascii_lowercase();
        directions
            .iter()
            .any(|direction| made.contains(&(name.clone(), *direction)))
    }

    /// The creates that have this name, or are suggested it, by their places in the list of operations.
    pub(crate) fn creates_called(&self, name: &str) -> &[usize] {
        let called = self.called.get_or_init(|| self.called_by(|_, name| name.to_owned()));
        called.get(name).map(Vec::as_slice).unwrap_or_default()
    }

    /// The same of one table, in whatever case; with no table, those of tables that are not known.
    pub(crate) fn creates_called_on(&self, name: &str, wanted: Option<&str>) -> &[usize] {
        let table = |table: Option<&str>| table.map(str::to_ascii_lowercase);
        let called = self.called_on.get_or_init(|| {
            self.called_by(|operation, name| (name.to_owned(), table(operation.table.known().map(String::as_str))))
        });
        let key = (name.to_owned(), table(wanted));
        called.get(&key).map(Vec::as_slice).unwrap_or_default()
    }

    /// The same of the table and the run of statements of one of them.
    pub(crate) fn creates_beside(&self, name: &str, create: &Operation<'_>) -> &[usize] {
        let table = |operation: &Operation<'_>| operation.table.known().cloned();
        let key = |operation: &Operation<'_>, name: &str| (name.to_owned(), operation.block, table(operation));
        let called = self.called_in.get_or_init(|| self.called_by(key));
        called.get(&key(create, name)).map(Vec::as_slice).unwrap_or_default()
    }

    fn called_by<K: Eq + Hash>(&self, key: impl Fn(&Operation<'_>, &str) -> K) -> Called<K> {
        let mut called: Called<K> = HashMap::new();
        for (at, operation) in self.migration.operations.iter().enumerate() {
            let written = operation.name.text().filter(|_| operation.creates());
            let suggested = || self.suggestion(at).and_then(|suggestion| suggestion.name.as_deref());
            if let Some(name) = written.or_else(suggested) {
                called.entry(key(operation, name)).or_default().push(at);
            }
        }
        called
    }

    /// The name that MySQL or MariaDB chooses for the key at a place, where it is certain.
    pub(crate) fn numbered(&self, place: Span) -> Option<&str> {
        self.numbered
            .get_or_init(|| tables::numbered(self))
            .get(&place)
            .map(String::as_str)
    }

    /// The checks that the upgrade makes inside a table, its columns and their types; read when first asked for.
    pub(crate) fn inner_checks(&self) -> &InnerChecks {
        self.inner_checks.get_or_init(|| InnerChecks::of(self))
    }

    /// Where the models declare a constraint, and how that reads with a name.
    #[must_use]
    pub fn declaration(&self, wanted: &Wanted<'_>, name: &str) -> Option<Declaration> {
        self.project.declaration(self.shared_naming(), wanted, name)
    }

    /// Whether the database gives this kind one name of its own, whatever is written: on MySQL and MariaDB each primary key is `PRIMARY`.
    pub(crate) fn is_named_by_database(&self, kind: ConstraintKind) -> bool {
        kind == ConstraintKind::PrimaryKey && matches!(self.dialect(), Some(Dialect::Mysql | Dialect::Mariadb))
    }

    /// Whether it is certainly for SQLite: by the configuration, or by an environment that takes its URL from nowhere else.
    pub(crate) fn is_for_sqlite(&self) -> bool {
        match self.configured_dialect {
            Some(dialect) => dialect == Dialect::Sqlite,
            None => self.project.is_for_sqlite(self.file().path()),
        }
    }

    /// The database it is for, by the configuration or by the environment.
    #[must_use]
    pub fn dialect(&self) -> Option<Dialect> {
        let dialect = || self.project.dialect(self.file().path());
        self.configured_dialect
            .or_else(|| *self.environment_dialect.get_or_init(dialect))
    }

    /// The databases that it may be for, as far as something tells. A folder for one of them says more than the URL of an environment that has
    /// several; what the project imports and needs says less, and is looked for last.
    pub(crate) fn possible_dialects(&self) -> &[Dialect] {
        self.possible.get_or_init(|| self.find_possible_dialects())
    }

    fn find_possible_dialects(&self) -> Vec<Dialect> {
        if let Some(dialect) = self.configured_dialect {
            return vec![dialect];
        }
        let named = self.project.folder_sign(self.file());
        match self.naming().dialect() {
            _ if !named.is_empty() => named,
            Some(dialect) => vec![dialect],
            None => self.project.signs(self.file()),
        }
    }

    /// Whether the project shows which databases it is for, and it is only these.
    pub(crate) fn is_only_for(&self, dialects: &[Dialect]) -> bool {
        let own = match self.configured_dialect {
            Some(dialect) => vec![dialect],
            None => self.project.signs(self.file()),
        };
        let url = self.naming().dialect().filter(|_| self.configured_dialect.is_none());
        !own.is_empty() && own.iter().chain(&url).all(|dialect| dialects.contains(dialect))
    }
}
