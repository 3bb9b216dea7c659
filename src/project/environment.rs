//! Alembic environments: the folder with `env.py`, the configuration that points to it, and the folders Python imports from.

use std::cell::{OnceCell, RefCell};
use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use regex::Regex;

use super::ini::{Ini, Section};
use crate::memo::Memo;
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
}

/// Where a new revision goes, as far as a configuration says it.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Placing {
    /// `file_template`
    pub file_template: Option<String>,
    /// `truncate_slug_length`
    pub slug_length: Option<usize>,
    /// A folder of `version_locations` that does not lie below the top.
    pub outside: Option<String>,
}

/// What a configuration says about an environment.
#[derive(Debug, Default, Clone)]
struct Configured {
    placing: Placing,
    file: Option<RepoPath>,
    script: Option<RepoPath>,
    version_folders: Vec<RepoPath>,
    sys_path: Vec<RepoPath>,
    url: Option<String>,
}

/// Finds environments in a snapshot.
pub(super) struct Environments<'s> {
    snapshot: &'s dyn Snapshot,
    /// The absolute path of the snapshot's top, for configurations that use absolute paths.
    top: String,
    /// What was found in each folder, since the files of a folder ask the same again.
    below: RefCell<HashMap<(RepoPath, usize), Vec<RepoPath>>>,
    configured: Memo<Vec<Configured>>,
    /// What was found for the migrations and for the modules of a folder, since most folders hold many.
    of_folder: Memo<Option<Environment>>,
    around_folder: Memo<Vec<Environment>>,
    all: OnceCell<Vec<Environment>>,
}

/// How many folders are looked through for environments that are far away.
const MAX_FOLDERS: usize = 5_000;

/// How many sections of one ini file are read: Alembic's own has one for each database.
const MOST_SECTIONS: usize = 200;

impl<'s> Environments<'s> {
    pub(super) fn new(snapshot: &'s dyn Snapshot, top: String) -> Self {
        Self {
            snapshot,
            top,
            below: RefCell::default(),
            configured: Memo::default(),
            of_folder: Memo::default(),
            around_folder: Memo::default(),
            all: OnceCell::new(),
        }
    }

    /// The environment that a migration belongs to: the nearest `env.py` above it, else a configuration whose version folders hold it.
    pub(super) fn of_migration(&self, migration: &RepoPath) -> Option<Environment> {
        let folder = migration.parent()?;
        self.of_folder.of(&folder, || self.find(migration))
    }

    fn find(&self, migration: &RepoPath) -> Option<Environment> {
        let above = migration.ancestors().find(|folder| self.is_script_folder(folder));
        above.map(|folder| self.environment(folder)).or_else(|| {
            migration.ancestors().find_map(|folder| {
                let holds = |configured: &Configured| {
                    configured
                        .version_folders
                        .iter()
                        .any(|versions| migration.starts_with(versions))
                };
                let configured = self.configurations(&folder).into_iter().find(holds)?;
                let script = configured.script.clone()?;
                Some(Self::complete(script, Some(configured)))
            })
        })
    }

    /// The environments that may migrate the models of a module: those above it, and those at most two folders below a folder above it.
    pub(super) fn around(&self, module: &RepoPath) -> Vec<Environment> {
        let Some(home) = module.parent() else {
            return Vec::new();
        };
        self.around_folder.of(&home, || self.find_around(module))
    }

    /// Every environment that the snapshot holds, in the first folders that are looked through.
    pub(super) fn all(&self) -> Vec<Environment> {
        let find = || {
            let mut found = Vec::new();
            let mut open = vec![RepoPath::top()];
            let mut looked_at = 0;
            while let Some(folder) = open.pop() {
                looked_at += 1;
                if looked_at > MAX_FOLDERS {
                    break;
                }
                if self.is_script_folder(&folder) {
                    found.push(self.environment(folder.clone()));
                }
                open.extend(self.inner_folders(&folder));
            }
            found
        };
        self.all.get_or_init(find).clone()
    }

    fn find_around(&self, module: &RepoPath) -> Vec<Environment> {
        let mut folders: Vec<RepoPath> = Vec::new();
        let mut known: HashSet<RepoPath> = HashSet::new();
        let mut add = |folder: RepoPath| {
            if known.insert(folder.clone()) {
                folders.push(folder);
            }
        };
        for ancestor in module.ancestors() {
            for configured in self.configurations(&ancestor) {
                if let Some(script) = configured.script.filter(|script| self.is_script_folder(script)) {
                    add(script);
                }
            }
            for folder in self.script_folders_below(&ancestor, 2) {
                add(folder);
            }
        }
        folders.into_iter().map(|folder| self.environment(folder)).collect()
    }

    fn script_folders_below(&self, folder: &RepoPath, depth: usize) -> Vec<RepoPath> {
        let key = (folder.clone(), depth);
        if let Some(known) = self.below.borrow().get(&key) {
            return known.clone();
        }
        let found = self.find_script_folders(folder, depth);
        self.below.borrow_mut().insert(key, found.clone());
        found
    }

    fn find_script_folders(&self, folder: &RepoPath, depth: usize) -> Vec<RepoPath> {
        let mut found = Vec::new();
        if self.is_script_folder(folder) {
            found.push(folder.clone());
        }
        if depth == 0 {
            return found;
        }
        for inner in self.inner_folders(folder) {
            found.extend(self.script_folders_below(&inner, depth - 1));
        }
        found
    }

    /// The folders in a folder that may hold code of the project.
    fn inner_folders(&self, folder: &RepoPath) -> Vec<RepoPath> {
        let entries = self.snapshot.list(folder).unwrap_or_default();
        let may_hold_code = |entry: &Entry| {
            let hidden = entry.name.first() == Some(&b'.') || entry.name == b"node_modules";
            entry.kind == EntryKind::Folder && !hidden
        };
        let inner = entries.iter().filter(|entry| may_hold_code(entry));
        inner.filter_map(|entry| folder.join(&entry.name)).collect()
    }

    fn is_script_folder(&self, folder: &RepoPath) -> bool {
        // The file is asked for by its name: a folder of revisions can be long. `env.py` is a common name; Alembic's own speaks of the
        // context it is run in.
        let env_py = folder.join("env.py").and_then(|path| self.text(&path));
        env_py.is_some_and(|text| text.contains("alembic") || text.contains("run_migrations"))
    }

    fn environment(&self, script: RepoPath) -> Environment {
        let above = std::iter::once(script.clone()).chain(script.ancestors());
        let all: Vec<Configured> = above.flat_map(|folder| self.configurations(&folder)).collect();
        let mut own = all
            .iter()
            .filter(|configured| configured.script.as_ref() == Some(&script));
        let configured = own.next().cloned().map(|mut first| {
            // `pyproject.toml` says where the scripts are and leaves the database to an ini beside it.
            first.url = first.url.or_else(|| own.find_map(|other| other.url.clone()));
            first
        });
        let mut environment = Self::complete(script, configured);
        if environment.dialect.is_none() {
            environment.dialect = self.text(&environment.env_py()).and_then(|text| written_dialect(&text));
        }
        environment
    }

    fn complete(folder: RepoPath, configured: Option<Configured>) -> Environment {
        let configured = configured.unwrap_or_default();
        let home = configured
            .file
            .as_ref()
            .and_then(RepoPath::parent)
            .or_else(|| folder.parent());
        let mut roots = configured.sys_path.clone();
        let mut known: HashSet<RepoPath> = roots.iter().cloned().collect();
        let home = home.unwrap_or_else(RepoPath::top);
        for root in std::iter::once(home.clone())
            .chain(home.ancestors())
            .chain(folder.ancestors())
        {
            for candidate in [Some(root.clone()), root.join("src")].into_iter().flatten() {
                if known.insert(candidate.clone()) {
                    roots.push(candidate);
                }
            }
        }
        Environment {
            dialect: configured.url.as_deref().and_then(Dialect::from_url),
            configuration: configured.file,
            version_folders: configured.version_folders,
            placing: configured.placing,
            folder,
            roots,
        }
    }

    fn text(&self, path: &RepoPath) -> Option<String> {
        String::from_utf8(self.snapshot.read(path).ok()??).ok()
    }

    /// What the configuration files directly in a folder say.
    fn configurations(&self, folder: &RepoPath) -> Vec<Configured> {
        self.configured.of(folder, || self.read_configurations(folder))
    }

    fn read_configurations(&self, folder: &RepoPath) -> Vec<Configured> {
        let mut found = Vec::new();
        for entry in self.snapshot.list(folder).unwrap_or_default() {
            let is_ini = entry.name.ends_with(b".ini");
            if entry.kind != EntryKind::File || !(is_ini || entry.name == b"pyproject.toml") {
                continue;
            }
            let Some(path) = folder.join(&entry.name) else { continue };
            let Some(text) = self.text(&path) else { continue };
            if is_ini {
                if text.contains("alembic") || text.contains("script_location") {
                    let ini = Ini::parse(&text);
                    let sections = ini.alembic_sections().take(MOST_SECTIONS);
                    found.extend(sections.map(|section| self.read_ini(&path, folder, &section)));
                }
            } else if text.contains("[tool.alembic") {
                found.extend(self.read_pyproject(&path, folder, &text));
            }
        }
        found
    }

    fn read_ini(&self, path: &RepoPath, folder: &RepoPath, section: &Section<'_>) -> Configured {
        let here = format!("{}/{}", self.top.trim_end_matches('/'), folder.display());
        let get = |key: &str| section.get(key, here.trim_end_matches('/'));
        // Flask-Migrate keeps its ini beside env.py and names no place.
        let script = match get("script_location") {
            Some(location) => self.location(folder, &location),
            None => Some(folder.clone()),
        };
        let separator = get("path_separator").or_else(|| get("version_path_separator"));
        let parts = |text: String| split_paths(&text, separator.as_deref());
        let split = |text: String| -> Vec<RepoPath> {
            let parts = parts(text);
            parts.iter().filter_map(|part| self.location(folder, part)).collect()
        };
        let locations = get("version_locations").map(parts).unwrap_or_default();
        Configured {
            placing: Placing {
                file_template: get("file_template"),
                slug_length: get("truncate_slug_length").and_then(|length| length.parse().ok()),
                outside: self.first_outside(folder, &locations),
            },
            file: Some(path.clone()),
            script,
            version_folders: get("version_locations").map(split).unwrap_or_default(),
            sys_path: get("prepend_sys_path").map(split).unwrap_or_default(),
            url: get("sqlalchemy.url"),
        }
    }

    fn read_pyproject(&self, path: &RepoPath, folder: &RepoPath, text: &str) -> Option<Configured> {
        let document: toml::Table = text.parse().ok()?;
        let table = document.get("tool")?.get("alembic")?;
        let here = format!("{}/{}", self.top.trim_end_matches('/'), folder.display());
        // As Alembic fills it in (`alembic/config.py`, `_get_toml_config_value`).
        let filled = |text: &str| {
            let here = here.trim_end_matches('/');
            text.replace("%(here)s", here).replace("%%", "%")
        };
        let place = |text: &str| self.location(folder, &filled(text));
        let texts = |key: &str| -> Vec<String> {
            match table.get(key) {
                Some(toml::Value::Array(items)) => items.iter().filter_map(toml::Value::as_str).map(filled).collect(),
                Some(toml::Value::String(one)) => vec![filled(one)],
                _ => Vec::new(),
            }
        };
        let places = |key: &str| -> Vec<RepoPath> {
            let texts = texts(key);
            texts.iter().filter_map(|text| self.location(folder, text)).collect()
        };
        let length = table.get("truncate_slug_length").and_then(toml::Value::as_integer);
        Some(Configured {
            placing: Placing {
                file_template: texts("file_template").pop(),
                slug_length: length.and_then(|length| usize::try_from(length).ok()),
                outside: self.first_outside(folder, &texts("version_locations")),
            },
            file: Some(path.clone()),
            script: table
                .get("script_location")
                .and_then(toml::Value::as_str)
                .and_then(place),
            version_folders: places("version_locations"),
            sys_path: places("prepend_sys_path"),
            url: table
                .get("sqlalchemy.url")
                .and_then(toml::Value::as_str)
                .map(str::to_owned),
        })
    }

    /// The first of these folders that is nowhere below the top.
    fn first_outside(&self, folder: &RepoPath, texts: &[String]) -> Option<String> {
        let mut outside = texts.iter().filter(|text| self.location(folder, text).is_none());
        outside.next().cloned()
    }

    /// A folder that a configuration names: relative to the configuration, absolute below the top, or `package:folder`.
    fn location(&self, folder: &RepoPath, text: &str) -> Option<RepoPath> {
        let text = text.trim().trim_end_matches('/').replace('\\', "/");
        if let Some((package, inner)) = text.split_once(':')
            && !package.is_empty()
            && !package.contains('/')
            && package.len() > 1
        {
            let below = format!("{}/{inner}", package.replace('.', "/"));
            let candidates = [
                folder.join(&below),
                folder.join(format!("src/{below}")),
                RepoPath::top().join(&below),
            ];
            let mut candidates = candidates.into_iter().flatten();
            return candidates.find(|candidate| !self.snapshot.list(candidate).unwrap_or_default().is_empty());
        }
        if text.starts_with('/') {
            let below = text.strip_prefix(self.top.trim_end_matches('/'))?;
            return RepoPath::top().join(below.trim_start_matches('/'));
        }
        folder.join(&text)
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

/// `path_separator` and its older name: a word for the separator; without one, spaces and commas (`alembic/script/base.py`).
fn split_paths(text: &str, separator: Option<&str>) -> Vec<String> {
    let parts: Vec<&str> = match separator {
        Some("os" | ":") => text.split([':', '\n']).collect(),
        Some(";") => text.split([';', '\n']).collect(),
        Some("newline") => text.split('\n').collect(),
        Some(_) => text.split([' ', '\n']).collect(),
        None => text.split([' ', ',', '\n', ':']).collect(),
    };
    parts
        .into_iter()
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .map(str::to_owned)
        .collect()
}

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
        let files = [
            ("svc/migrations/env.py", ENV),
            ("other/alembic/env.py", ENV),
            ("app/env.py", "import os\n"),
        ];
        for path in [
            "svc/migrations/versions/a.py",
            "svc/migrations/versions/2026/expand/a.py",
            "svc/migrations/a.py",
        ] {
            assert_eq!(folder(&files, path), "svc/migrations", "{path}");
        }
        assert_eq!(
            folder(&files, "other/alembic/versions/postgresql/a.py"),
            "other/alembic"
        );
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
            assert_eq!(
                folder(&files, "plugins/versions/deep/a.py"),
                "migrations",
                "{separator}{value}"
            );
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
        let flask = [
            ("migrations/alembic.ini", "[alembic]\nfile_template = x\n"),
            ("migrations/env.py", ENV),
        ];
        assert_eq!(
            of(&flask, "migrations/versions/a.py").unwrap().configuration,
            Some("migrations/alembic.ini".into())
        );
        let alone = [(
            "m/env.py",
            "from alembic import context\nurl = 'postgresql+asyncpg://h/d'\n",
        )];
        let environment = of(&alone, "m/versions/a.py").unwrap();
        assert_eq!(
            (environment.configuration, environment.dialect),
            (None, Some(Dialect::Postgresql))
        );
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
