//! What several rules share: the file as they see it, the name that a constraint should have, and how that name is written and explained.

pub(crate) mod advice;
pub(crate) mod by_table;
pub(crate) mod constraint;
pub(crate) mod convention_code;
pub(crate) mod convention_name;
pub(crate) mod default_name;
mod distinct_names;
mod doubtful_drop;
pub(crate) mod drops;
pub(crate) mod edits;
pub(crate) mod executed;
mod forgotten_drop;
mod imports;
mod in_models;
pub(crate) mod inline;
mod lookups;
mod sql_calls;
pub(crate) mod sqlite_batch;
pub(crate) mod suggestion;
pub(crate) mod tables;
pub(crate) mod type_checks;
pub(crate) mod unnamed_operation;

use std::cell::OnceCell;
use std::collections::HashMap;
use std::rc::Rc;

use doubtful_drop::Doubts;
use executed::{Executed, executed};
use forgotten_drop::Undone;
use lookups::Lookups;
use suggestion::{Suggestion, suggest_all};
use type_checks::InnerChecks;

use crate::migration::{Migration, Operation, Pairing};
use crate::naming::{ConstraintKind, Convention, Dialect};
use crate::project::{Checks, History, Judged, Naming, Place, Project};
use crate::python::Module;
use crate::source::{SourceFile, Span};

pub(crate) use tables::key_numbers;

/// A module that makes or uses the metadata that Alembic migrates.
pub(crate) struct MetadataFile<'a> {
    pub(crate) judged: &'a Judged,
    pub(crate) module: &'a Module,
    /// The convention in the configuration.
    pub(crate) configured_convention: Option<&'a Convention>,
    pub(crate) project: &'a Project<'a>,
}

impl MetadataFile<'_> {
    /// Whether the project's checks allow a template for `ck`. The first call reads all modules of the project.
    pub(crate) fn checks(&self) -> Rc<Checks> {
        self.project.checks(self.module.file())
    }
}

/// A migration and what its rules ask about it. Whatever other files have to be read for is read on the first call.
pub(crate) struct MigrationFile<'a> {
    pub(crate) migration: &'a Migration<'a>,
    /// Which create belongs to which drop.
    pub(crate) pairing: Pairing,
    /// Whether HEAD holds it already, so that a database may have run it.
    pub(crate) is_deployed: bool,
    /// The dialect in the configuration.
    pub(crate) configured_dialect: Option<Dialect>,
    /// The convention in the configuration, for projects that have none of their own.
    pub(crate) configured_convention: Option<&'a Convention>,
    project: &'a Project<'a>,
    naming: OnceCell<Rc<Naming>>,
    possible_dialects: OnceCell<Vec<Dialect>>,
    suggestions: OnceCell<Vec<Option<Suggestion>>>,
    executed: OnceCell<Vec<Executed<'a>>>,
    undone: OnceCell<Undone<'a>>,
    numbered: OnceCell<HashMap<Span, String>>,
    inner_checks: OnceCell<InnerChecks>,
    lookups: Lookups<'a>,
    doubts: Doubts,
}

impl<'a> MigrationFile<'a> {
    pub(crate) fn new(migration: &'a Migration<'a>, project: &'a Project<'a>) -> Self {
        Self {
            migration,
            pairing: Pairing::of(migration),
            is_deployed: false,
            configured_dialect: None,
            configured_convention: None,
            project,
            naming: OnceCell::new(),
            possible_dialects: OnceCell::new(),
            suggestions: OnceCell::new(),
            executed: OnceCell::new(),
            undone: OnceCell::new(),
            numbered: OnceCell::new(),
            inner_checks: OnceCell::new(),
            lookups: Lookups::default(),
            doubts: Doubts::default(),
        }
    }

    pub(crate) fn file(&self) -> &'a SourceFile {
        self.migration.module.file()
    }

    /// A place in the file.
    pub(crate) fn place(&self, span: Span) -> Place {
        Place::new(self.migration.module, span)
    }

    /// The migration's environment, its metadata and their convention.
    pub(crate) fn naming(&self) -> &Rc<Naming> {
        self.naming.get_or_init(|| {
            if self.is_deployed {
                self.project.committed_naming(self.file())
            } else {
                self.project.naming(self.file())
            }
        })
    }

    /// Whether a place is in a file as it is now, rather than as the last commit had it.
    fn is_current(&self, place: &Place) -> bool {
        let now = self.project.modules().file(place.file.path());
        now.is_some_and(|file| file.text() == place.file.text())
    }

    /// The revisions of the migration's environment. The first call reads all of them.
    pub(crate) fn history(&self) -> Option<Rc<History>> {
        self.project.history(self.file().path())
    }

    /// The create or the drop that belongs to an operation, by the place of that in the list of operations.
    pub(crate) fn partner(&self, at: usize) -> Option<&'a Operation<'a>> {
        let partner = self.pairing.partner(at)?;
        self.migration.operations.get(partner)
    }

    /// The suggestion for an unnamed create, by its place in the list of operations.
    pub(crate) fn suggestion(&self, at: usize) -> Option<&Suggestion> {
        self.suggestions.get_or_init(|| suggest_all(self)).get(at)?.as_ref()
    }

    /// Its SQL, with what that does to constraints.
    pub(crate) fn executed(&self) -> &[Executed<'a>] {
        self.executed.get_or_init(|| executed(self))
    }

    fn undone(&self) -> &Undone<'a> {
        self.undone.get_or_init(|| Undone::by_downgrade(self))
    }

    /// The name that MySQL or MariaDB chooses for the key at a place, where it is certain.
    fn numbered(&self, place: Span) -> Option<&str> {
        let numbered = self.numbered.get_or_init(|| tables::numbered(self));
        numbered.get(&place).map(String::as_str)
    }

    /// The checks that the upgrade makes with a table, a column or a type.
    pub(crate) fn inner_checks(&self) -> &InnerChecks {
        self.inner_checks.get_or_init(|| InnerChecks::of(self))
    }

    /// Whether the database ignores any name for this kind: on MySQL and MariaDB each primary key is `PRIMARY`.
    pub(crate) fn is_named_by_database(&self, kind: ConstraintKind) -> bool {
        kind == ConstraintKind::PrimaryKey && matches!(self.dialect(), Some(Dialect::Mysql | Dialect::Mariadb))
    }

    /// Whether it is certainly for SQLite: by the configuration, or by an environment that takes its URL from nowhere else.
    fn is_for_sqlite(&self) -> bool {
        match self.configured_dialect {
            Some(dialect) => dialect == Dialect::Sqlite,
            None => self.project.is_for_sqlite(self.file().path()),
        }
    }

    /// The database that the configuration or the environment names.
    pub(crate) fn dialect(&self) -> Option<Dialect> {
        let configured = self.configured_dialect;
        configured.or_else(|| self.project.dialect(self.file().path()))
    }

    /// The databases that it may be for; none where nothing tells.
    ///
    /// A folder called after a database counts for more than the URL of an environment that has several. What the project imports and requires
    /// counts least.
    pub(crate) fn possible_dialects(&self) -> &[Dialect] {
        self.possible_dialects.get_or_init(|| {
            if let Some(dialect) = self.configured_dialect {
                return vec![dialect];
            }
            let by_folder = self.project.folder_sign(self.file());
            match self.naming().dialect() {
                _ if !by_folder.is_empty() => by_folder,
                Some(dialect) => vec![dialect],
                None => self.project.signs(self.file()),
            }
        })
    }

    /// Whether the project shows which databases it is for, and it is for no others than these.
    pub(crate) fn is_only_for(&self, dialects: &[Dialect]) -> bool {
        let own = match self.configured_dialect {
            Some(dialect) => vec![dialect],
            None => self.project.signs(self.file()),
        };
        let url = self.naming().dialect().filter(|_| self.configured_dialect.is_none());
        !own.is_empty() && own.iter().chain(&url).all(|dialect| dialects.contains(dialect))
    }
}
