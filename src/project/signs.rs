//! Hints at a project's databases, where neither a configuration nor a URL names one: the folder of a revision, imports of SQLAlchemy's dialects,
//! and the drivers among the requirements.
//!
//! No hint rules out another database, so all of them count. SQLite needs no driver.

use std::sync::LazyLock;

use regex::bytes::Regex;

use super::{History, Naming};
use crate::naming::Dialect;
use crate::snapshot::{EntryKind, Snapshot};
use crate::source::RepoPath;

/// How many revisions, modules and lists of requirements are read.
const MOST_FILES: usize = 200;

/// How many folders are searched for revisions.
const MOST_FOLDERS: usize = 50;

/// How many bytes of them are read.
const MOST_BYTES: usize = 8 << 20;

/// The databases that a folder of revisions is called after, up to the folder of the environment.
pub(super) fn of_folder(naming: &Naming, migration: &RepoPath) -> Vec<Dialect> {
    let environment = naming.environment.as_ref();
    let home = environment.and_then(|environment| environment.folder.parent());
    let home = home.unwrap_or_else(RepoPath::top);
    let own = migration
        .ancestors()
        .take_while(|folder| *folder != home && folder.starts_with(&home));
    let mut named = own.map(|folder| named(folder.file_name()));
    named.find(|named| !named.is_empty()).unwrap_or_default()
}

/// The databases whose SQLAlchemy dialects a text imports.
pub(super) fn of_imports(text: &[u8]) -> Vec<Dialect> {
    static IMPORT: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(
            r"(?m-u)^[ \t]*(?:from|import)[ \t]+sqlalchemy\.dialects(?:\.([a-z0-9_]+)|[ \t]+import[ \t]*(\([^)]*\)|[^\n#]*))",
        )
        .ok()
    });
    let imports = IMPORT.iter().flat_map(|pattern| pattern.captures_iter(text));
    let names = imports.flat_map(|found| {
        let part = found.get(1).or_else(|| found.get(2));
        part.map(|part| part.as_bytes())
            .unwrap_or_default()
            .split(|byte| !is_letter(*byte))
    });
    names.flat_map(named).collect()
}

const fn is_letter(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// The databases of a dialect: SQLAlchemy's `mysql` serves MariaDB as well.
fn named(name: &[u8]) -> Vec<Dialect> {
    match std::str::from_utf8(name).ok().and_then(Dialect::from_name) {
        Some(Dialect::Mysql) => vec![Dialect::Mysql, Dialect::Mariadb],
        Some(Dialect::Other) | None => Vec::new(),
        Some(dialect) => vec![dialect],
    }
}

/// The databases that the files of an environment hint at. Files of a history are not read again.
pub(super) fn of_environment(
    snapshot: &dyn Snapshot,
    histories: &[&History],
    naming: &Naming,
    migration: &RepoPath,
) -> Vec<Dialect> {
    let mut files = Files {
        snapshot,
        left: 2 * MOST_FILES,
        bytes_left: MOST_BYTES,
    };
    let mut found = Vec::new();
    for path in modules(snapshot, naming, migration) {
        if let Some(text) = histories.iter().find_map(|history| history.text(&path)) {
            found.extend(of_imports(text.as_bytes()));
        } else if let Some(text) = files.read(&path) {
            found.extend(of_imports(&text));
        }
    }
    let folder = naming
        .environment
        .as_ref()
        .map(|environment| environment.folder.clone());
    let folder = folder.or_else(|| migration.parent()).unwrap_or_else(RepoPath::top);
    // The nearest folder with a driver: a repository may hold several projects.
    let mut drivers = std::iter::once(folder.clone())
        .chain(folder.ancestors())
        .map(|folder| drivers_in(&mut files, &folder));
    found.extend(drivers.find(|found| !found.is_empty()).unwrap_or_default());
    found
}

/// `env.py`, what it imports of the project, and the revisions beside the migration.
fn modules(snapshot: &dyn Snapshot, naming: &Naming, migration: &RepoPath) -> Vec<RepoPath> {
    let environment = naming.environment.as_ref();
    let mut found: Vec<RepoPath> = environment.map(super::Environment::env_py).into_iter().collect();
    found.extend(naming.imports.iter().chain(&naming.trail).cloned());
    found.truncate(MOST_FILES / 2);
    // The same for every migration of the environment, since the answer is kept for all.
    let mut open = match environment {
        Some(environment) if environment.version_folders.is_empty() => vec![environment.folder.clone()],
        Some(environment) => environment.version_folders.clone(),
        None => migration.parent().into_iter().collect(),
    };
    let mut next = 0;
    while let Some(folder) = open.get(next).filter(|_| next < MOST_FOLDERS).cloned() {
        next += 1;
        for entry in snapshot.list(&folder).unwrap_or_default() {
            let Some(path) = folder.join(&entry.name) else { continue };
            match entry.kind {
                EntryKind::Folder => open.push(path),
                EntryKind::File if path.is_python() && found.len() < MOST_FILES => found.push(path),
                EntryKind::File => {}
            }
        }
    }
    found
}

/// Reads files until they are too many.
struct Files<'s> {
    snapshot: &'s dyn Snapshot,
    left: usize,
    bytes_left: usize,
}

impl Files<'_> {
    fn read(&mut self, path: &RepoPath) -> Option<Vec<u8>> {
        self.left = self.left.checked_sub(1)?;
        let text = self.snapshot.read(path).ok()??;
        self.bytes_left = self.bytes_left.checked_sub(text.len())?;
        Some(text)
    }
}

/// The databases of the drivers in a folder's lists of requirements.
fn drivers_in(files: &mut Files<'_>, folder: &RepoPath) -> Vec<Dialect> {
    let mut found = Vec::new();
    for path in requirements(files.snapshot, folder) {
        let is_of_wheel = path.file_name() == b"METADATA";
        let text = files.read(&path).unwrap_or_default();
        let lines = text.split(|byte| *byte == b'\n');
        let lines = lines.filter(|line| !is_of_wheel || line.starts_with(b"Requires-Dist:"));
        found.extend(lines.flat_map(drivers));
    }
    found
}

/// The files of a folder that list what a project needs.
fn requirements(snapshot: &dyn Snapshot, folder: &RepoPath) -> Vec<RepoPath> {
    let mut found = Vec::new();
    for entry in snapshot.list(folder).unwrap_or_default() {
        let name = entry.name.as_slice();
        let Some(path) = folder.join(name) else { continue };
        match entry.kind {
            EntryKind::File if lists_requirements(name) => found.push(path),
            EntryKind::Folder if name == b"requirements" => {
                let inner = snapshot.list(&path).unwrap_or_default();
                let inner = inner
                    .iter()
                    .filter(|entry| entry.kind == EntryKind::File && is_list(&entry.name));
                found.extend(inner.filter_map(|entry| path.join(&entry.name)));
            }
            // The metadata of an unpacked wheel.
            EntryKind::Folder if name.ends_with(b".dist-info") => found.extend(path.join("METADATA")),
            _ => {}
        }
    }
    found
}

fn lists_requirements(name: &[u8]) -> bool {
    matches!(name, b"pyproject.toml" | b"setup.cfg" | b"setup.py" | b"Pipfile")
        || is_list(name) && name.windows(b"requirements".len()).any(|part| part == b"requirements")
}

fn is_list(name: &[u8]) -> bool {
    name.ends_with(b".txt") || name.ends_with(b".in")
}

/// The databases of the drivers in a line, comments aside.
fn drivers(line: &[u8]) -> Vec<Dialect> {
    let code = line.split(|byte| *byte == b'#').next().unwrap_or_default();
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.".contains(byte);
    code.split(|byte| !is_part(byte)).flat_map(driver).copied().collect()
}

/// The databases of a distribution, by its normalized name (PEP 503, without dots: `psycopg2.extras` is no distribution).
fn driver(name: &[u8]) -> &'static [Dialect] {
    let name: Vec<u8> = name
        .iter()
        .map(|byte| if *byte == b'_' { b'-' } else { byte.to_ascii_lowercase() })
        .collect();
    match name.as_slice() {
        b"psycopg" | b"psycopg-binary" | b"psycopg-c" | b"psycopg2" | b"psycopg2-binary" | b"psycopg2cffi"
        | b"asyncpg" | b"pg8000" | b"aiopg" => &[Dialect::Postgresql],
        b"pymysql" | b"mysqlclient" | b"mysql-python" | b"mysql-connector-python" | b"aiomysql" | b"asyncmy" => {
            &[Dialect::Mysql, Dialect::Mariadb]
        }
        b"aiosqlite" | b"pysqlite3" | b"pysqlite3-binary" | b"sqlcipher3" | b"sqlcipher3-binary" => &[Dialect::Sqlite],
        b"oracledb" | b"cx-oracle" => &[Dialect::Oracle],
        b"pymssql" | b"pyodbc" | b"aioodbc" => &[Dialect::Mssql],
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::Project;
    use crate::snapshot::MemorySnapshot;
    use crate::source::SourceFile;

    fn labels(found: &[Dialect]) -> String {
        let labels: Vec<&str> = found.iter().map(|dialect| dialect.label()).collect();
        labels.join(" ")
    }

    #[test]
    fn imports_name_dialects() {
        for (text, expected) in [
            ("from sqlalchemy.dialects import postgresql\n", "PostgreSQL"),
            ("from sqlalchemy.dialects import postgresql as pg, sqlite\n", "PostgreSQL SQLite"),
            ("from sqlalchemy.dialects import (\n    mssql,\n    oracle,\n)\n", "SQL Server Oracle"),
            ("from sqlalchemy.dialects.postgresql import JSONB\n", "PostgreSQL"),
            ("    from sqlalchemy.dialects.mysql.types import LONGTEXT\n", "MySQL MariaDB"),
            ("import sqlalchemy.dialects.sqlite as lite\n", "SQLite"),
            ("# from sqlalchemy.dialects import mysql\n", ""),
            ("from sqlalchemy.dialects import registry  # mysql\n", ""),
            ("from sqlalchemy import dialects\n", ""),
        ] {
            assert_eq!(labels(&of_imports(text.as_bytes())), expected, "{text}");
        }
    }

    #[test]
    fn requirements_name_drivers() {
        for (line, expected) in [
            ("psycopg2-binary>=2.9; python_version > '3'", "PostgreSQL"),
            ("    'PyMySQL[rsa]~=1.1',", "MySQL MariaDB"),
            ("sqlalchemy[asyncio,aiosqlite]", "SQLite"),
            ("cx_Oracle = \"*\"", "Oracle"),
            ("dependencies = [\"asyncpg\", \"mysqlclient\"]", "PostgreSQL MySQL MariaDB"),
            ("# psycopg2", ""),
            ("types-psycopg2", ""),
            ("module = \"psycopg2.extras\"", ""),
        ] {
            assert_eq!(labels(&drivers(line.as_bytes())), expected, "{line}");
        }
    }

    const ENV: &str = "from alembic import context\nfrom app import models\n";

    /// The hints for a revision with `migrations/env.py` and these files.
    fn shown(path: &str, text: &str, files: &[(&str, &str)]) -> String {
        let files = files
            .iter()
            .copied()
            .chain([("svc/migrations/env.py", ENV), (path, text)]);
        let snapshot: MemorySnapshot = files.collect();
        let file = SourceFile::new(path.into(), text.to_owned());
        labels(&Project::new(&snapshot, "/top").signs(&file))
    }

    #[test]
    fn all_hints_count_unless_the_folder_of_a_revision_names_a_database() {
        let versions = "svc/migrations/versions/a.py";
        let import = "from sqlalchemy.dialects import mysql\n";
        for (path, files, expected) in [
            (versions, &[][..], ""),
            ("svc/migrations/versions/sqlite/a.py", &[(versions, import)], "SQLite"),
            ("svc/migrations/versions/PostgreSQL/2026/a.py", &[], "PostgreSQL"),
            (versions, &[("svc/migrations/versions/sub/b.py", import)], "MySQL MariaDB"),
            (versions, &[("svc/app/models.py", import), ("svc/app/__init__.py", "")], "MySQL MariaDB"),
            (versions, &[("requirements/base.txt", "asyncpg\n")], "PostgreSQL"),
            (versions, &[("svc/setup.cfg", "asyncpg\n"), ("requirements.txt", "pymysql\n")], "PostgreSQL"),
            (
                versions,
                &[("x-1.dist-info/METADATA", "Requires-Dist: asyncpg ; extra == 'x'\n\nneeds pymysql\n")],
                "PostgreSQL",
            ),
            (
                versions,
                &[("svc/migrations/versions/b.py", import), ("svc/pyproject.toml", "'asyncpg'")],
                "PostgreSQL MySQL MariaDB",
            ),
            ("mysql/versions/a.py", &[], "MySQL MariaDB"),
            ("mysql/alembic/versions/a.py", &[("mysql/alembic/env.py", ENV)], ""),
        ] {
            assert_eq!(shown(path, "", files), expected, "{path} {files:?}");
        }
        assert_eq!(shown(versions, import, &[]), "MySQL MariaDB");
    }

    #[test]
    fn the_number_of_files_that_are_read_is_limited() {
        let files = (0..2_000).map(|at| {
            let path = format!("migrations/versions/f{at}/r.py");
            (path, "from sqlalchemy.dialects import mysql\n")
        });
        let more = (0..2_000).map(|at| (format!("migrations/versions/r{at}.py"), ""));
        let snapshot: MemorySnapshot = files.chain(more).collect();
        let file = SourceFile::new("migrations/versions/r0.py".into(), String::new());
        assert_eq!(labels(&Project::new(&snapshot, "/top").signs(&file)), "");
        assert!(snapshot.reads().len() <= 2 * MOST_FILES);
    }
}
