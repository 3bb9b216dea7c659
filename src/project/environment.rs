//! Alembic environments: the folder with `env.py`, the configuration that points to it, and the folders Python imports from.

use std::cell::OnceCell;
use std::collections::HashSet;
use std::rc::Rc;
use std::sync::LazyLock;

use regex::Regex;

use super::configuration::{Configurations, Configured, Placing};
use super::{Cache, cached};
use crate::naming::Dialect;
use crate::snapshot::{Entry, EntryKind, Snapshot};
use crate::source::RepoPath;

/// One environment, as `alembic.ini` or `pyproject.toml` and the folder with `env.py` describe it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Environment {
    /// The folder with `env.py`.
    pub folder: RepoPath,
    /// The file that configures it, where one was found.
    pub configuration: Option<RepoPath>,
    /// The dialect of `sqlalchemy.url`.
    pub dialect: Option<Dialect>,
    /// The folders that hold revisions outside of `folder`.
    pub version_folders: Vec<RepoPath>,
    /// What the configuration says of new revisions.
    pub placing: Placing,
    /// Where Python would look for the project's modules, in order.
    pub(super) roots: Vec<RepoPath>,
}

impl Environment {
    /// Its `env.py`.
    #[must_use]
    pub fn env_py(&self) -> RepoPath {
        self.folder.join("env.py").unwrap_or_else(RepoPath::top)
    }

    /// The folder of its project: that of its configuration, else the one around its own.
    #[must_use]
    pub fn home(&self) -> RepoPath {
        let configured = self.configuration.as_ref().and_then(RepoPath::parent);
        configured.or_else(|| self.folder.parent()).unwrap_or_default()
    }
}

/// The environment that migrates a metadata.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    /// The folder with its `env.py`.
    pub folder: RepoPath,
    /// The folder of its project.
    pub home: RepoPath,
    /// Whether no other environment was met on the way to it.
    pub is_alone: bool,
}

impl Owner {
    pub(crate) fn new(environment: &Environment, is_alone: bool) -> Self {
        Self {
            folder: environment.folder.clone(),
            home: environment.home(),
            is_alone,
        }
    }
}

/// How many folders are searched for environments that are far away.
const MAX_FOLDERS: usize = 5_000;

/// Finds environments in a snapshot.
pub(super) struct Environments<'s> {
    files: Configurations<'s>,
    /// What the configuration files directly in a folder say.
    configured: Cache<RepoPath, Rc<[Configured]>>,
    /// The environment in a folder.
    known: Cache<RepoPath, Option<Environment>>,
    /// The folders of environments in a folder and so many levels below it.
    below: Cache<(RepoPath, usize), Vec<RepoPath>>,
    all: OnceCell<Vec<Environment>>,
}

impl<'s> Environments<'s> {
    pub(super) fn new(snapshot: &'s dyn Snapshot, top: String) -> Self {
        Self {
            files: Configurations { snapshot, top },
            configured: Cache::default(),
            known: Cache::default(),
            below: Cache::default(),
            all: OnceCell::new(),
        }
    }

    /// The environment that a migration belongs to: the nearest `env.py` above it, else a configuration whose version folders hold it.
    pub(super) fn of_migration(&self, migration: &RepoPath) -> Option<Environment> {
        let above = migration.ancestors().find_map(|folder| self.environment(folder));
        above.or_else(|| {
            migration
                .ancestors()
                .find_map(|folder| self.by_version_folder(migration, &folder))
        })
    }

    fn by_version_folder(&self, migration: &RepoPath, folder: &RepoPath) -> Option<Environment> {
        let configurations = self.configurations(folder);
        let holds = |one: &&Configured| {
            one.version_folders
                .iter()
                .any(|versions| migration.starts_with(versions))
        };
        let configured = configurations.iter().find(holds)?;
        let script = configured.script.clone()?;
        let mut environment = complete(script.clone(), configured.clone());
        environment.dialect = environment.dialect.or_else(|| self.environment(script)?.dialect);
        Some(environment)
    }

    /// The environments that may migrate the models of a module: those above it, and those at most two folders below a folder above it.
    pub(super) fn around(&self, module: &RepoPath) -> Vec<Environment> {
        let mut folders: Vec<RepoPath> = Vec::new();
        for ancestor in module.ancestors() {
            folders.extend(
                self.configurations(&ancestor)
                    .iter()
                    .filter_map(|one| one.script.clone()),
            );
            folders.extend(self.script_folders_below(&ancestor, 2));
        }
        let mut seen = HashSet::new();
        folders.retain(|folder| seen.insert(folder.clone()));
        folders
            .into_iter()
            .filter_map(|folder| self.environment(folder))
            .collect()
    }

    /// Every environment that the snapshot holds, in the first folders that are searched.
    pub(super) fn all(&self) -> Vec<Environment> {
        let find = || {
            let mut found = Vec::new();
            let mut open = vec![RepoPath::top()];
            for _ in 0..MAX_FOLDERS {
                let Some(folder) = open.pop() else { break };
                found.extend(self.environment(folder.clone()));
                open.extend(self.inner_folders(&folder));
            }
            found
        };
        self.all.get_or_init(find).clone()
    }

    fn script_folders_below(&self, folder: &RepoPath, depth: usize) -> Vec<RepoPath> {
        cached(&self.below, (folder.clone(), depth), || {
            let own = self.environment(folder.clone());
            let mut found: Vec<RepoPath> = own.map(|environment| environment.folder).into_iter().collect();
            if let Some(depth) = depth.checked_sub(1) {
                for inner in self.inner_folders(folder) {
                    found.extend(self.script_folders_below(&inner, depth));
                }
            }
            found
        })
    }

    /// The folders in a folder that may hold code of the project.
    fn inner_folders(&self, folder: &RepoPath) -> Vec<RepoPath> {
        let entries = self.files.snapshot.list(folder).unwrap_or_default();
        let may_hold_code = |entry: &Entry| {
            let hidden = entry.name.first() == Some(&b'.') || entry.name == b"node_modules";
            entry.kind == EntryKind::Folder && !hidden
        };
        let inner = entries.iter().filter(|entry| may_hold_code(entry));
        inner.filter_map(|entry| folder.join(&entry.name)).collect()
    }

    /// The environment in a folder, if it has an `env.py` that mentions Alembic: the name alone is a common one.
    fn environment(&self, folder: RepoPath) -> Option<Environment> {
        cached(&self.known, folder.clone(), || {
            // The file is asked for by its name, since a folder of revisions can be long.
            let text = self.files.text(&folder.join("env.py")?)?;
            let is_of_alembic = text.contains("alembic") || text.contains("run_migrations");
            is_of_alembic.then(|| self.configured_environment(folder, &text))
        })
    }

    fn configured_environment(&self, folder: RepoPath, env_py: &str) -> Environment {
        let above = std::iter::once(folder.clone()).chain(folder.ancestors());
        let files: Vec<Rc<[Configured]>> = above.map(|folder| self.configurations(&folder)).collect();
        let all = files.iter().flat_map(|file| file.iter());
        let mut own = all.filter(|one| one.script.as_ref() == Some(&folder));
        let mut configured = own.next().cloned().unwrap_or_default();
        // `alembic -c` may name another ini, which has only the database.
        configured.url = configured.url.or_else(|| own.find_map(|other| other.url.clone()));
        let mut environment = complete(folder, configured);
        environment.dialect = environment.dialect.or_else(|| written_dialect(env_py));
        environment
    }

    fn configurations(&self, folder: &RepoPath) -> Rc<[Configured]> {
        cached(&self.configured, folder.clone(), || self.files.read(folder).into())
    }
}

/// An environment with the folders that Python imports from.
fn complete(folder: RepoPath, configured: Configured) -> Environment {
    let home = configured.file.as_ref().and_then(RepoPath::parent);
    let home = home.or_else(|| folder.parent()).unwrap_or_else(RepoPath::top);
    let mut roots = configured.sys_path;
    for root in std::iter::once(home.clone())
        .chain(home.ancestors())
        .chain(folder.ancestors())
    {
        let source = root.join("src");
        roots.extend(std::iter::once(root).chain(source));
    }
    let mut seen = HashSet::new();
    roots.retain(|root| seen.insert(root.clone()));
    Environment {
        dialect: configured.url.as_deref().and_then(Dialect::from_url),
        configuration: configured.file,
        version_folders: configured.version_folders,
        placing: configured.placing,
        folder,
        roots,
    }
}

/// The dialect of the database URLs in a text, if they agree.
fn written_dialect(text: &str) -> Option<Dialect> {
    let mut dialects = URL
        .as_ref()?
        .find_iter(text)
        .filter_map(|url| Dialect::from_url(url.as_str()));
    let first = dialects.next()?;
    dialects.all(|other| other == first).then_some(first)
}

static URL: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"(?-u:\b)(?:postgres(?:ql)?|mysql|mariadb|sqlite|oracle|mssql)(?:\+[a-z0-9_]+)?://").ok()
});

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::MemorySnapshot;

    const ENV: &str = "from alembic import context\n";

    fn of(files: &[(&str, &str)], migration: &str) -> Option<Environment> {
        let snapshot: MemorySnapshot = files.iter().copied().collect();
        Environments::new(&snapshot, "/repo".to_owned()).of_migration(&migration.into())
    }

    fn folder(files: &[(&str, &str)], migration: &str) -> String {
        of(files, migration).map_or_else(|| "none".to_owned(), |environment| environment.folder.to_string())
    }

    #[test]
    fn a_migration_belongs_to_the_env_py_above_it_at_any_depth() {
        let files = [("svc/migrations/env.py", ENV), ("other/alembic/env.py", ENV), ("app/env.py", "import os\n")];
        for path in ["svc/migrations/versions/a.py", "svc/migrations/versions/2026/expand/a.py", "svc/migrations/a.py"]
        {
            assert_eq!(folder(&files, path), "svc/migrations", "{path}");
        }
        assert_eq!(folder(&files, "other/alembic/versions/postgresql/a.py"), "other/alembic");
        assert_eq!(folder(&files, "app/a.py"), "none");
    }

    #[test]
    fn version_locations_bring_revisions_from_elsewhere() {
        for (separator, value) in [
            ("", "%(here)s/models/versions plugins/versions"),
            ("version_path_separator = :\n", "models/versions:plugins/versions"),
            ("version_path_separator = ;\n", "models/versions;plugins/versions"),
            ("path_separator = os\n", "models/versions:plugins/versions"),
            ("path_separator = newline\n", "\n  models/versions\n  plugins/versions"),
            ("path_separator = space\n", "models/versions plugins/versions"),
        ] {
            let ini = format!("[alembic]\nscript_location = migrations\n{separator}version_locations = {value}\n");
            let files = [("alembic.ini", ini.as_str()), ("migrations/env.py", ENV)];
            assert_eq!(folder(&files, "plugins/versions/deep/a.py"), "migrations", "{separator}{value}");
            assert_eq!(folder(&files, "elsewhere/a.py"), "none");
        }
    }

    #[test]
    fn the_script_location_may_be_written_in_every_way_alembic_knows() {
        for location in [
            "db/migrations",
            "%(here)s/db/migrations",
            "/repo/db/migrations",
            "./db/migrations/",
            "db:migrations",
        ] {
            let ini = format!("[tenants]\nscript_location = {location}\nsqlalchemy.url = mysql+pymysql://u@h/d\n");
            let files = [("tenants.ini", ini.as_str()), ("db/migrations/env.py", ENV)];
            let environment = of(&files, "db/migrations/versions/a.py").unwrap();
            assert_eq!(environment.configuration, Some("tenants.ini".into()), "{location}");
            assert_eq!(environment.dialect, Some(Dialect::Mysql));
        }
    }

    #[test]
    fn pyproject_flask_migrate_and_env_py_alone_are_found() {
        let pyproject = "[tool.alembic]\nscript_location = \"%(here)s/db\"\nprepend_sys_path = [\"lib\"]\n";
        let ini = "[alembic]\nscript_location = db\nsqlalchemy.url = sqlite:///x.db\n";
        let files = [("pyproject.toml", pyproject), ("alembic.ini", ini), ("db/env.py", ENV)];
        assert_eq!(of(&files, "db/versions/a.py").unwrap().dialect, Some(Dialect::Sqlite));
        let environment = of(&[files[0], files[2]], "db/versions/a.py").unwrap();
        assert_eq!(environment.configuration, Some("pyproject.toml".into()));
        assert_eq!(environment.roots.first(), Some(&"lib".into()));
        let flask = [("migrations/alembic.ini", "[alembic]\nfile_template = x\n"), ("migrations/env.py", ENV)];
        assert_eq!(
            of(&flask, "migrations/versions/a.py").unwrap().configuration,
            Some("migrations/alembic.ini".into())
        );
        let alone = [("m/env.py", "from alembic import context\nurl = 'postgresql+asyncpg://h/d'\n")];
        let environment = of(&alone, "m/versions/a.py").unwrap();
        assert_eq!((environment.configuration, environment.dialect), (None, Some(Dialect::Postgresql)));
    }

    /// Alembic 1.16 and later: `get_alembic_option` looks into the section of the ini, then into `[tool.alembic]`, key by key.
    #[test]
    fn an_ini_and_the_pyproject_beside_it_configure_one_environment() {
        let toml = "[tool.alembic]\nscript_location = \"%(here)s/db\"\nprepend_sys_path = [\"lib\"]\n\
                    version_locations = [\"more\"]\nfile_template = \"%%(rev)s\"\n";
        let url = "sqlalchemy.url = mysql+asyncmy://h/d\n";
        let of = |ini: (&str, &str), migration: &str| {
            let files = [("s/pyproject.toml", toml), ini, ("s/db/env.py", ENV), ("s/old/env.py", ENV)];
            of(&files, migration).unwrap()
        };
        for (name, ini) in [
            ("s/alembic.ini", format!("[alembic]\n{url}")),
            ("s/alembic.ini", format!("[DEFAULT]\n{url}[alembic]\nversion_locations =\n")),
            ("s/database.ini", format!("[alembic]\n{url}")),
        ] {
            for migration in ["s/db/versions/a.py", "s/more/a.py"] {
                let found = of((name, &ini), migration);
                assert_eq!((found.folder, found.dialect), ("s/db".into(), Some(Dialect::Mysql)), "{ini} {migration}");
                assert_eq!(found.configuration, Some("s/pyproject.toml".into()), "{ini}");
                assert_eq!(found.roots.first(), Some(&"s/lib".into()), "{ini}");
                assert_eq!(found.placing.file_template.as_deref(), Some("%(rev)s"), "{ini}");
            }
        }
        let ini = format!("[alembic]\nscript_location = old\nversion_locations = other\nfile_template = x\n{url}");
        let found = of(("s/alembic.ini", &ini), "s/other/a.py");
        assert_eq!((found.folder, found.dialect), ("s/old".into(), Some(Dialect::Mysql)));
        assert_eq!(found.configuration, Some("s/alembic.ini".into()));
        assert_eq!(found.roots.first(), Some(&"s/lib".into()));
        assert_eq!(found.placing.file_template.as_deref(), Some("x"));
        let loggers = "[loggers]\nkeys = root,alembic\n";
        assert_eq!(of(("s/alembic.ini", loggers), "s/more/a.py").folder, "s/db".into());
    }

    #[test]
    fn the_ini_that_alembic_reads_unasked_comes_before_others() {
        let ini = |url: &str| format!("[alembic]\nscript_location = db\nsqlalchemy.url = {url}\n");
        let (test, own) = (ini("sqlite://"), ini("postgresql://h/d"));
        let files = [("alembic-test.ini", test.as_str()), ("alembic.ini", &own), ("db/env.py", ENV)];
        let found = of(&files, "db/versions/a.py").unwrap();
        assert_eq!((found.configuration, found.dialect), (Some("alembic.ini".into()), Some(Dialect::Postgresql)));
    }

    #[test]
    fn several_environments_are_found_around_a_module() {
        let files = [
            ("a/migrations/env.py", ENV),
            ("a/app/models.py", ""),
            ("b/src/b/db/alembic/env.py", ENV),
            ("b/alembic.ini", "[alembic]\nscript_location = src/b/db/alembic\n"),
            ("b/src/b/models.py", ""),
        ];
        let snapshot: MemorySnapshot = files.into_iter().collect();
        let environments = Environments::new(&snapshot, "/repo".to_owned());
        let around = |path: &str| -> Vec<String> {
            environments
                .around(&path.into())
                .iter()
                .map(|environment| environment.folder.to_string())
                .collect()
        };
        assert_eq!(around("a/app/models.py"), ["a/migrations"]);
        assert!(around("b/src/b/models.py").contains(&"b/src/b/db/alembic".to_owned()));
    }
}
