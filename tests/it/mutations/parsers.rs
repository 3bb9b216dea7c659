//! The readers of text that anybody may have written, each called with bytes alone: for `fuzz/`, and for `tests/it/mutations.rs`. They must
//! end, must not panic, and must stay within the text.

#![allow(
    clippy::panic,
    clippy::expect_used,
    clippy::missing_panics_doc,
    missing_docs,
    unreachable_pub,
    reason = "a test that fails should say where"
)]

use alembic_named::check::{Outcome, examine};
use alembic_named::config::{CommandLine, Configs};
use alembic_named::diagnostic::Diagnostic;
use alembic_named::fix::apply_fixes;
use alembic_named::project::Project;
use alembic_named::python::Module;
use alembic_named::snapshot::{MemorySnapshot, Overlay};
use alembic_named::source::{RepoPath, SourceFile};

const MIGRATION: &str = "migrations/versions/one.py";

/// The files of a small project, by the names that the targets have for them.
pub const FILES: [(&str, &str); 4] = [
    (
        "alembic.ini",
        "[alembic]\nscript_location = %(here)s/migrations\nsqlalchemy.url = postgresql://x/y\n",
    ),
    (
        "migrations/env.py",
        "from alembic import context\nfrom app.models import Base\n\ntarget_metadata = Base.metadata\n\n\n\
         def run():\n    context.configure(target_metadata=target_metadata, render_as_batch=True)\n",
    ),
    (
        "app/models.py",
        "from sqlalchemy import MetaData\nfrom sqlalchemy.orm import DeclarativeBase\n\nNAMES = {\"pk\": \"pk_%(table_name)s\"}\n\n\n\
         class Base(DeclarativeBase):\n    metadata = MetaData(naming_convention={**NAMES, \
         \"fk\": \"fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s\", \"uq\": \"uq_%(table_name)s_%(column_0_name)s\"})\n",
    ),
    (
        MIGRATION,
        "from alembic import op\nimport sqlalchemy as sa\n\nrevision = 'a'\ndown_revision = None\n\n\ndef upgrade():\n    \
         with op.batch_alter_table('order') as batch_op:\n        batch_op.create_foreign_key(None, 'invoice', ['invoice_id'], ['id'])\n\
         \n    op.create_unique_constraint(None, 'a', ['b', 'c'])\n    op.execute('ALTER TABLE x ADD FOREIGN KEY (y) REFERENCES z')\n\
         \n\ndef downgrade():\n    op.drop_constraint(None, 'a', type_='unique')\n    with op.batch_alter_table('order') as batch_op:\n        \
         batch_op.drop_constraint(None, type_='foreignkey')\n",
    ),
];

fn project(name: &str, bytes: &[u8]) -> MemorySnapshot {
    let own = |(path, text): (&str, &str)| -> (String, Vec<u8>) {
        let content = if path == name {
            bytes.to_vec()
        } else {
            text.as_bytes().to_vec()
        };
        (path.to_owned(), content)
    };
    FILES.into_iter().map(own).collect()
}

/// The findings of a file in a project.
fn findings(snapshot: &MemorySnapshot, file: &SourceFile) -> Vec<Diagnostic> {
    let changed = Overlay::new(snapshot, file);
    let project = Project::new(&changed, "/top");
    let configs = Configs::nearest(snapshot, CommandLine::default());
    let config = configs.of(file.path()).expect("nothing is configured");
    let found = examine(file, false, &project, config).diagnostics;
    for diagnostic in &found {
        let span = diagnostic.span;
        assert!(diagnostic.file.text().get(span.start..span.end).is_some(), "{diagnostic:?}");
    }
    found
}

/// The Python file `name` of the project: every rule, and every fix that follows.
fn python(name: &str, bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let snapshot = project(name, bytes);
    for (path, other) in FILES.into_iter().filter(|(path, _)| RepoPath::from(*path).is_python()) {
        let text = if path == name { text } else { other };
        let file = SourceFile::new(RepoPath::from(path), text.to_owned());
        let errors = Module::parse(file.clone()).errors().len();
        let mut outcome = Outcome {
            diagnostics: findings(&snapshot, &file),
            ..Outcome::default()
        };
        for fixed_file in apply_fixes(&mut outcome, true, &|file| Ok(findings(&snapshot, file))) {
            let after = Module::parse(fixed_file.after.clone()).errors().len();
            assert!(after <= errors, "a fix broke the file:\n{}", fixed_file.after.text());
        }
    }
}

/// A migration.
pub fn migration(bytes: &[u8]) {
    python(MIGRATION, bytes);
}

/// The module with the metadata.
pub fn models(bytes: &[u8]) {
    python("app/models.py", bytes);
}

/// The `env.py` of the environment.
pub fn env_py(bytes: &[u8]) {
    python("migrations/env.py", bytes);
}

/// The `alembic.ini`, looked at on the way to a name.
pub fn ini(bytes: &[u8]) {
    let snapshot = project("alembic.ini", bytes);
    let (path, text) = FILES[3];
    findings(&snapshot, &SourceFile::new(RepoPath::from(path), text.to_owned()));
}

/// A configuration: it holds, or is refused with a sentence.
pub fn configuration(bytes: &[u8]) {
    for name in ["alembic-named.toml", "pyproject.toml"] {
        let snapshot: MemorySnapshot = [(name, bytes.to_vec())].into_iter().collect();
        let configs = Configs::nearest(&snapshot, CommandLine::default());
        if let Err(error) = configs.of(&RepoPath::from(MIGRATION)) {
            assert!(error.to_string().contains(name), "{error}");
        }
    }
}

/// A reader: its name, the function that calls it, and what its corpus starts with.
pub type Target = (&'static str, fn(&[u8]), &'static str);

/// All of them.
pub const TARGETS: [Target; 5] = [
    ("migration", migration, FILES[3].1),
    ("models", models, FILES[2].1),
    ("env_py", env_py, FILES[1].1),
    ("ini", ini, FILES[0].1),
    ("configuration", configuration, CONFIGURATION),
];

const CONFIGURATION: &str = "select = [\"unnamed-table-constraint\"]\nignore = ['unnamed-drop']\nexclude = [\"legacy/**\"]\n\
dialect = \"postgresql\"\ndeployed = false\n[convention]\nfk = \"fk_%(table_name)s\"\n[per-file-ignores]\n\"a/*\" = [\"all\"]\n\
[tool.alembic-named]\nseverity = { name-too-long = \"error\" }\n";
