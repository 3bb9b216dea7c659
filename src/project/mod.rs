//! The project around a file: its Alembic environments, the metadata that each of them migrates, and its naming convention.
//!
//! All is read lazily from the snapshot that is checked, and cached. No Python runs.

mod checks;
mod configuration;
mod env_py;
mod environment;
mod history;
mod ineffective;
mod ini;
mod judged;
mod late;
mod models;
mod names;
mod revision;
mod signs;
mod target;

use std::cell::{OnceCell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

pub use checks::Checks;
pub use configuration::Placing;
pub use environment::{Environment, Owner};
pub use history::{History, MOST_FILES};
pub use judged::Judged;
pub use late::Early;
pub use models::{Declaration, Wanted};
pub use names::{Given, Named};
pub use revision::Revision;
pub use target::{ConventionFacts, MetadataFacts, Spelling, Target};

pub use crate::python::values::Place;

use crate::libraries::ALONE;
use crate::migration::Migration;
use crate::naming::Dialect;
use crate::python::values::{Imports, Reader};
use crate::python::{Module, Modules};
use crate::snapshot::Snapshot;
use crate::source::{RepoPath, SourceFile};

use environment::Environments;
use models::Declared;

/// What holds for the migrations of one environment.
#[derive(Debug)]
pub struct Naming {
    /// The environment; nothing when no `env.py` was found.
    pub environment: Option<Environment>,
    /// The metadata that its `env.py` passes to Alembic.
    pub target: Target,
    /// Where the source says which metadata it is.
    pub stated: Option<Place>,
    /// Whether `env.py` has autogenerate write batch operations.
    pub renders_as_batch: bool,
    /// The modules that were read to find out, for `--verbose`.
    pub trail: Vec<RepoPath>,
    /// The modules of the project that `env.py` imports, which is where models are.
    pub imports: Vec<RepoPath>,
    /// How many steps that took.
    pub steps: usize,
    /// Where the steps ran out, if they did.
    pub exhausted: Option<Place>,
    /// The databases that the files of the environment hint at.
    signs: OnceCell<Vec<Dialect>>,
    /// The modules that may hold its models.
    models: OnceCell<Vec<RepoPath>>,
}

impl Naming {
    /// The database that the environment is configured for.
    #[must_use]
    pub fn dialect(&self) -> Option<Dialect> {
        self.environment.as_ref().and_then(|environment| environment.dialect)
    }
}

/// What is in an `env.py` that does not take its database from the configuration file.
const OTHER_URLS: [&str; 10] = [
    "set_main_option",
    "set_section_option",
    "\"sqlalchemy.url\"]",
    "'sqlalchemy.url']",
    "get_url",
    "os.environ",
    "getenv",
    "create_engine",
    "create_async_engine",
    "get_x_argument",
];

/// Answers that are kept, since the files of a folder ask the same again.
type Cache<K, V> = RefCell<BTreeMap<K, V>>;

/// What was found for `key`; the first time, what `find` finds, which may ask for other keys.
fn cached<K: Ord, V: Clone>(cache: &Cache<K, V>, key: K, find: impl FnOnce() -> V) -> V {
    let known = cache.borrow().get(&key).cloned();
    known.unwrap_or_else(|| {
        let found = find();
        cache.borrow_mut().insert(key, found.clone());
        found
    })
}

/// The project that a snapshot holds.
pub struct Project<'s> {
    snapshot: &'s dyn Snapshot,
    modules: Modules<'s>,
    environments: Rc<Environments<'s>>,
    /// By the folder of the environment; without one, of the migration.
    known: Cache<RepoPath, Rc<Naming>>,
    /// The project as the last commit has it, where there is one.
    committed: Option<&'s Project<'s>>,
    /// What that says of the migrations of a folder.
    known_then: Cache<RepoPath, Rc<Naming>>,
    /// By the folders that were read.
    histories: Cache<Vec<RepoPath>, Rc<History>>,
    checks: Cache<Vec<RepoPath>, Rc<Checks>>,
    declared: Declared,
}

impl<'s> Project<'s> {
    /// A project; nothing is read yet. `top` is the absolute path of the snapshot's top, for configurations with absolute paths.
    #[must_use]
    pub fn new(snapshot: &'s dyn Snapshot, top: impl Into<String>) -> Self {
        Self {
            snapshot,
            modules: Modules::new(snapshot),
            environments: Rc::new(Environments::new(snapshot, top.into())),
            known: Cache::default(),
            committed: None,
            known_then: Cache::default(),
            histories: Cache::default(),
            checks: Cache::default(),
            declared: Declared::default(),
        }
    }

    /// The same with the project of the last commit, by which committed migrations are judged.
    #[must_use]
    pub fn since(mut self, committed: &'s Project<'s>) -> Self {
        self.committed = Some(committed);
        self
    }

    /// The same project with another content of one file, in which no check has changed.
    #[must_use]
    pub fn changed<'c>(&'c self, snapshot: &'c dyn Snapshot, file: &RepoPath) -> Project<'c> {
        Project {
            modules: Modules::changed(&self.modules, snapshot, file.clone()),
            environments: self.environments.clone(),
            checks: self.checks.clone(),
            ..Project::new(snapshot, "")
        }
    }

    /// What it is read from.
    #[must_use]
    pub fn snapshot(&self) -> &dyn Snapshot {
        self.snapshot
    }

    /// Every metadata that a module makes at module or class level, whether an environment is found or not.
    #[must_use]
    pub fn made_in(&self, module: &SourceFile) -> Vec<Judged> {
        let mut reader = env_py::around(&self.modules, module);
        judged::made_in(&mut reader, self.modules.parse(module))
    }

    /// The modules of the snapshot, each parsed at most once.
    #[must_use]
    pub(crate) fn modules(&self) -> &Modules<'s> {
        &self.modules
    }

    /// The operations of a module. Other modules are asked where a value comes from them.
    #[must_use]
    pub fn migration<'m>(&'m self, module: &'m Module) -> Migration<'m> {
        let path = module.file().path().clone();
        let roots = move || match self.environments.of_migration(&path) {
            Some(environment) => environment.roots,
            None => path.ancestors().collect(),
        };
        let imports = Imports::new(roots);
        Migration::read_with(module, Reader::new(Some((&self.modules, imports)), &ALONE))
    }

    /// What holds for a migration.
    #[must_use]
    pub fn naming(&self, migration: &SourceFile) -> Rc<Naming> {
        if let Some(environment) = self.environments.of_migration(migration.path()) {
            return self.naming_of(environment);
        }
        let folder = migration.path().parent().unwrap_or_else(RepoPath::top);
        cached(&self.known, folder, || Rc::new(env_py::without(&self.modules, migration)))
    }

    /// The databases that a migration's folder is called after, such as `versions/sqlite`.
    #[must_use]
    pub fn folder_sign(&self, migration: &SourceFile) -> Vec<Dialect> {
        signs::of_folder(&self.naming(migration), migration.path())
    }

    /// The databases that a migration and the files around it hint at; none where nothing does.
    ///
    /// Files are read, so this is for a rule that needs the database and does not know it.
    #[must_use]
    pub fn signs(&self, migration: &SourceFile) -> Vec<Dialect> {
        let naming = self.naming(migration);
        let mut found = signs::of_folder(&naming, migration.path());
        if found.is_empty() {
            let around = naming.signs.get_or_init(|| {
                let histories = self.histories.borrow();
                let histories: Vec<&History> = histories.values().map(Rc::as_ref).collect();
                signs::of_environment(self.snapshot, &histories, &naming, migration.path())
            });
            found.extend(around);
            found.extend(signs::of_imports(migration.text().as_bytes()));
            found.sort();
            found.dedup();
        }
        found
    }

    /// What holds for a committed migration: the databases that ran it know no convention that is not committed yet.
    ///
    /// The last commit is read only if a module that led to the metadata has changed since.
    #[must_use]
    pub fn committed_naming(&self, migration: &SourceFile) -> Rc<Naming> {
        let Some(committed) = self.committed else {
            return self.naming(migration);
        };
        let folder = migration.path().parent().unwrap_or_else(RepoPath::top);
        cached(&self.known_then, folder, || {
            let now = self.naming(migration);
            let is_same = |path: &RepoPath| {
                let [one, other] = [&self.modules, &committed.modules].map(|modules| modules.file(path));
                one.map(SourceFile::lines) == other.map(SourceFile::lines)
            };
            if now.trail.iter().all(is_same) {
                now
            } else {
                committed.naming(migration)
            }
        })
    }

    /// The database that a migration's environment is configured for; its metadata is not looked for.
    #[must_use]
    pub fn dialect(&self, migration: &RepoPath) -> Option<Dialect> {
        self.environments.of_migration(migration)?.dialect
    }

    /// Whether a migration's environment is configured for SQLite, and its `env.py` asks nobody else for the database.
    #[must_use]
    pub fn is_for_sqlite(&self, migration: &RepoPath) -> bool {
        let environment = self.environments.of_migration(migration);
        let environment = environment.filter(|environment| environment.dialect == Some(Dialect::Sqlite));
        let env_py = environment.and_then(|environment| self.modules.file(&environment.env_py()));
        env_py.is_some_and(|env_py| !OTHER_URLS.iter().any(|word| env_py.text().contains(word)))
    }

    /// The revisions of a migration's environment; all of them are read, so this is for a rule that has a reason.
    #[must_use]
    pub fn history(&self, migration: &RepoPath) -> Option<Rc<History>> {
        let environment = self.environments.of_migration(migration)?;
        let folders = history::folders(&environment, migration);
        let read = || Rc::new(History::read(self.snapshot, &folders));
        Some(cached(&self.histories, folders.clone(), read))
    }

    /// Every history that was read, with its folders, for `--verbose`.
    #[must_use]
    pub fn histories(&self) -> BTreeMap<Vec<RepoPath>, Rc<History>> {
        self.histories.borrow().clone()
    }

    /// Every environment that the snapshot holds.
    #[must_use]
    pub fn environments(&self) -> Vec<Environment> {
        self.environments.all()
    }

    /// The folders in which an environment looks for revisions.
    #[must_use]
    pub fn version_folders(environment: &Environment) -> Vec<RepoPath> {
        history::folders_of(environment)
    }

    /// The revisions of an environment, all of which are read.
    #[must_use]
    pub fn revisions_of(&self, environment: &Environment) -> History {
        History::read(self.snapshot, &history::folders_of(environment))
    }

    /// The metadata of a module, as one environment has it.
    #[must_use]
    pub fn judged_by(naming: &Naming, module: &SourceFile) -> Vec<Judged> {
        judged::judge(naming, module)
    }

    /// The names that people gave to constraints, in the modules that an environment runs and those around them.
    #[must_use]
    pub fn given_names(&self, naming: &Rc<Naming>, module: &RepoPath) -> Given {
        names::find(self.snapshot, &self.homes(std::slice::from_ref(naming), module))
    }

    /// What rules out a template for checks on a metadata of this module. The project's modules are read, so this is for a convention that is
    /// about to be written.
    #[must_use]
    pub fn checks(&self, module: &SourceFile) -> Rc<Checks> {
        let environments = self.environments_of(module);
        let namings = environments.into_iter().map(|environment| self.naming_of(environment));
        let own: Vec<Rc<Naming>> = namings
            .filter(|naming| !judged::judge(naming, module).is_empty())
            .collect();
        let folders = self.homes(&own, module.path());
        let find = || Rc::new(checks::find(self.snapshot, &folders));
        cached(&self.checks, folders.clone(), find)
    }

    /// The nearest folder around all that these environments run and import, and the folders of revisions outside it.
    fn homes(&self, namings: &[Rc<Naming>], module: &RepoPath) -> Vec<RepoPath> {
        let environments = || namings.iter().filter_map(|naming| naming.environment.as_ref());
        let configurations = environments().filter_map(|one| one.configuration.as_ref());
        let folders = environments().map(|one| &one.folder);
        let read = namings
            .iter()
            .flat_map(|naming| naming.trail.iter().chain(&naming.imports));
        let all: Vec<&RepoPath> = read.chain(configurations).chain(folders).collect();
        let mut home = module.parent().filter(|_| !all.is_empty()).unwrap_or_default();
        let is_package = |folder: &RepoPath| {
            self.modules
                .list(folder)
                .iter()
                .any(|entry| entry.name == b"__init__.py")
        };
        // A package belongs to the project of the folder around it. `RepoPath::default()` is the top.
        while is_package(&home) || all.iter().any(|path| !path.starts_with(&home)) {
            let Some(above) = home.parent() else { break };
            home = above;
        }
        let mut versions: Vec<RepoPath> = environments()
            .flat_map(|one| one.version_folders.iter().cloned())
            .collect();
        versions.retain(|folder| !folder.starts_with(&home));
        versions.sort();
        versions.dedup();
        versions.insert(0, home);
        versions
    }

    /// The environments that may migrate what a module makes.
    fn environments_of(&self, module: &SourceFile) -> Vec<Environment> {
        let around = self.environments.around(module.path());
        if around.is_empty() {
            self.environments.all()
        } else {
            around
        }
    }

    /// The metadata of a changed module that Alembic migrates, or may migrate.
    #[must_use]
    pub fn judged(&self, module: &SourceFile) -> Vec<Judged> {
        let environments = self.environments_of(module);
        if environments.is_empty() {
            return env_py::judged_without(&self.modules, module);
        }
        let mut judged: Vec<Judged> = Vec::new();
        let is_alone = environments.len() == 1;
        for environment in environments {
            let owner = Owner::new(&environment, is_alone);
            let naming = self.naming_of(environment);
            for one in judged::judge(&naming, module) {
                if !judged.contains(&one) {
                    let owner = Some(owner.clone());
                    judged.push(Judged { owner, ..one });
                }
            }
        }
        judged
    }

    /// Where the models of an environment declare a constraint, and how that reads with a name.
    #[must_use]
    pub fn declaration(&self, naming: &Naming, wanted: &Wanted<'_>, name: &str) -> Option<Declaration> {
        let find = || models::candidates(&self.modules, naming);
        let paths = naming.models.get_or_init(find);
        self.declared.find(&self.modules, paths, wanted, name)
    }

    /// What holds for the migrations of an environment.
    #[must_use]
    pub fn naming_of(&self, environment: Environment) -> Rc<Naming> {
        let folder = environment.folder.clone();
        let resolve = || Rc::new(env_py::resolve(&self.modules, environment));
        cached(&self.known, folder, resolve)
    }

    /// Every environment that was looked at, for `--verbose`.
    #[must_use]
    pub fn looked_at(&self) -> Vec<Rc<Naming>> {
        let mut all: Vec<Rc<Naming>> = self.known.borrow().values().cloned().collect();
        all.sort_by_key(|naming| naming.environment.as_ref().map(|one| one.folder.clone()));
        all
    }
}

#[cfg(test)]
mod tests;
