//! A fix that is run twice: the second time nothing is left to do, whether what it changes is committed or new.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::support::{Repo, UNNAMED, files_below, migration, root, words};

const ENV: &str = "from alembic import context\nfrom app.models import Base\ntarget_metadata = Base.metadata\n";
const BARE: &str = "from sqlalchemy.orm import DeclarativeBase\nclass Base(DeclarativeBase):\n    pass\n";
const FULL: &str = "from sqlalchemy import MetaData\nfrom sqlalchemy.orm import DeclarativeBase\nclass Base(DeclarativeBase):\n    metadata = MetaData(naming_convention={'ix': 'ix_%(column_0_label)s', 'uq': 'uq_%(table_name)s_%(column_0_name)s', 'ck': 'ck_%(table_name)s_%(constraint_name)s', 'fk': 'fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s', 'pk': 'pk_%(table_name)s'})\n";

fn entries(folder: &Path) -> Vec<PathBuf> {
    let mut entries: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|one| one.unwrap().path()).collect();
    entries.sort();
    entries
}

/// The example project, the examples of every page, each spelling of a convention, and what Alembic generated: each a project of its own.
fn projects() -> BTreeMap<PathBuf, String> {
    let mut files = BTreeMap::new();
    for (path, content) in files_below(&root().join("examples/shop")) {
        if let Ok(text) = String::from_utf8(content) {
            files.insert(Path::new("shop").join(path), text);
        }
    }
    for page in entries(&root().join("docs/rules")) {
        let text = fs::read_to_string(&page).unwrap();
        let name = page.file_stem().unwrap().to_string_lossy().into_owned();
        for (heading, section) in ["bad", "good"]
            .into_iter()
            .zip(text.split("\n## Bad\n").nth(1).unwrap().split("\n## Good\n"))
        {
            let section = section.split("\n## ").next().unwrap();
            for block in section.split("```python file=").skip(1) {
                let (path, rest) = block.split_once('\n').unwrap();
                let folder = Path::new("pages").join(format!("{name}-{heading}"));
                files.insert(folder.join(path), rest.split("```").next().unwrap().to_owned());
            }
        }
    }
    for spelling in entries(&root().join("tests/data/convention_spellings")) {
        let folder = Path::new("spellings").join(spelling.file_stem().unwrap());
        let env = "from alembic import context\nfrom app.models import target_metadata\n";
        files.insert(folder.join("migrations/env.py"), env.to_owned());
        files.insert(folder.join("app/models.py"), fs::read_to_string(&spelling).unwrap());
    }
    for (convention, models) in [("none", BARE), ("full", FULL)] {
        for (dialect, url) in [("pg", "postgresql://h/d"), ("my", "mysql://h/d"), ("sqlite", "sqlite://")] {
            for mode in ["plain", "batch"] {
                let data = root()
                    .join("tests/data/generated_revisions")
                    .join(convention)
                    .join(mode);
                // All have the same identifier, so none may stand beside another.
                for (at, revision) in entries(&data.join(dialect)).iter().enumerate() {
                    let folder = Path::new("generated").join(format!("{convention}-{mode}-{dialect}-{at}"));
                    files.insert(folder.join("migrations/env.py"), format!("{ENV}url = '{url}'\n"));
                    files.insert(folder.join("app/models.py"), models.to_owned());
                    let name = folder.join("migrations/versions").join(revision.file_name().unwrap());
                    files.insert(name, fs::read_to_string(revision).unwrap());
                }
            }
        }
    }
    files
}

fn write(repo: &Repo, files: &BTreeMap<PathBuf, String>) {
    for (path, text) in files {
        repo.write(path, text);
    }
}

/// What the files hold after `fix --unsafe-fixes`.
fn fixed(repo: &Repo, files: &BTreeMap<PathBuf, String>) -> BTreeMap<PathBuf, String> {
    let output = repo.run(&["fix", ".", "--unsafe-fixes"]);
    assert!(matches!(output.status.code(), Some(0 | 1)), "{}", words(&output));
    assert!(!words(&output).contains("fixed 0 findings"), "{}", words(&output));
    files.keys().map(|path| (path.clone(), repo.read(path))).collect()
}

#[track_caller]
fn same(first: &BTreeMap<PathBuf, String>, second: &BTreeMap<PathBuf, String>) {
    for (path, text) in first {
        assert_eq!(&second[path], text, "{} changed again", path.display());
    }
}

#[test]
fn a_second_fix_changes_nothing() {
    let files = projects();
    assert!(files.len() > 150, "only {} files", files.len());
    for is_committed in [false, true] {
        let repo = Repo::new();
        write(&repo, &files);
        if is_committed {
            repo.git(&["add", "-A"]);
            repo.commit("all");
        }
        let first = fixed(&repo, &files);
        assert!(first != files);
        same(&first, &fixed(&repo, &files));
    }
}

/// The convention that the first fix writes is nothing that a database has seen.
#[test]
fn a_convention_that_is_not_committed_names_nothing_in_a_committed_migration() {
    const FILE: &str = "migrations/versions/a.py";
    let repo = Repo::new();
    repo.stage("migrations/env.py", ENV);
    repo.stage("app/models.py", BARE);
    repo.stage(FILE, migration(UNNAMED));
    repo.commit("all");
    for arguments in [["fix", ".", "--unsafe-fixes"].as_slice(), &["fix", "--all", "--unsafe-fixes"]] {
        repo.run(arguments);
        assert!(repo.read("app/models.py").contains("NAMING_CONVENTION"));
        assert_eq!(repo.read(FILE), migration(UNNAMED));
        repo.git(&["add", "-A"]);
    }
    let said = |arguments: &[&str]| words(&repo.run(arguments));
    let report = said(&["check", "--all", "--format", "concise"]);
    assert!(report.contains("unnamed-constraint") && !report.contains("implicit"), "{report}");
    // A new migration runs under it.
    repo.stage("migrations/versions/b.py", migration(UNNAMED));
    let report = said(&["check", "--format", "concise"]);
    assert!(report.contains("versions/b.py") && report.contains("implicit-constraint-name"), "{report}");
    // And once it is committed, so does the other one.
    repo.commit("a convention");
    let report = said(&["check", FILE, "--format", "concise"]);
    assert!(report.contains("implicit-constraint-name"), "{report}");
}
