//! What holds for all rules: the table, the folder and the pages agree, and the examples on the pages do what they say.

use std::collections::BTreeSet;
use std::path::Path;

use super::harness::*;
use super::{all, looks_at_metadata};
use crate::check::examine;
use crate::config::Config;
use crate::diagnostic::{Diagnostic, Rule, Severity};
use crate::project::Project;
use crate::snapshot::{MemorySnapshot, Snapshot};
use crate::source::{RepoPath, SourceFile};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn stems(folder: &str, extension: &str) -> BTreeSet<String> {
    std::fs::read_dir(root().join(folder))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|found| found == extension))
        .map(|path| path.file_stem().unwrap().to_string_lossy().into_owned())
        .collect()
}

/// The files of `src/rules` that are no rule.
const SHARED: &[&str] = &["harness", "linear", "mod", "tests"];

#[test]
fn every_rule_has_its_file_its_line_and_its_page() {
    let table: BTreeSet<String> = all().map(|rule| rule.name.to_owned()).collect();
    assert_eq!(table.len(), all().len(), "a rule's name stands twice");
    let files: BTreeSet<String> = stems("src/rules", "rs")
        .into_iter()
        .filter(|stem| !SHARED.contains(&stem.as_str()))
        .map(|stem| stem.replace('_', "-"))
        .collect();
    assert_eq!(files, table, "src/rules and the table differ");
    assert_eq!(stems("docs/rules", "md"), table, "docs/rules and the table differ");
}

#[test]
fn every_page_has_its_headings_in_order() {
    for rule in all() {
        assert!(rule.documentation.starts_with(&format!("# {}\n", rule.name)), "{}", rule.name);
        let headings: Vec<&str> = rule
            .documentation
            .split('\n')
            .filter_map(|line| line.strip_prefix("## "))
            .collect();
        assert_eq!(
            headings,
            ["What it finds", "Why", "On which databases", "Bad", "Good", "Fix", "When to ignore it"],
            "{}",
            rule.name
        );
        assert!(!rule.summary.ends_with('.') && rule.summary.starts_with(char::is_lowercase), "{}", rule.name);
    }
}

/// The files of the examples under a heading, and a configuration that turns every rule on.
fn examples(rule: &Rule, heading: &str) -> Vec<(String, String)> {
    let section = rule.documentation.split(&format!("\n## {heading}\n")).nth(1).unwrap();
    let section = section.split("\n## ").next().unwrap();
    let files = section.split("```python file=").skip(1).map(|block| {
        let (path, rest) = block.split_once('\n').unwrap();
        (path.to_owned(), rest.split("```").next().unwrap().to_owned())
    });
    files.chain([with_all_rules()]).collect()
}

/// A configuration under which rules that are off by default warn.
fn with_all_rules() -> (String, String) {
    let off = all().filter(|rule| rule.severity == Severity::Off);
    let levels: Vec<String> = off.map(|rule| format!("{} = 'warning'", rule.name)).collect();
    ("alembic-named.toml".to_owned(), format!("[severity]\n{}\n", levels.join("\n")))
}

#[test]
fn the_examples_of_every_page_do_what_they_say() {
    for rule in all() {
        let bad = examples(rule, "Bad");
        let good = examples(rule, "Good");
        assert!(bad.len() > 1 && good.len() > 1, "{} has no examples", rule.name);
        let is_found_with_it = |other: &&Rule| {
            let note = format!("\nFound with it: `{}`", other.name);
            *other == rule || rule.documentation.contains(&note)
        };
        let expected: BTreeSet<&str> = all().filter(is_found_with_it).map(|rule| rule.name).collect();
        // The pages of the rules about operations leave out what other rules want of the models.
        let counts = |one: &Diagnostic| looks_at_metadata(rule) || one.path().display().contains("versions");
        let found = |files: &[(String, String)]| {
            let mut found = check_all(files);
            found.retain(counts);
            rules_of(&found)
        };
        assert_eq!(found(&bad), expected, "the bad example of {}", rule.name);
        assert_eq!(found(&good), BTreeSet::new(), "the good example of {}", rule.name);
    }
}

#[test]
fn the_fixes_of_an_example_leave_nothing_of_their_rules() {
    for rule in all() {
        let mut files = examples(rule, "Bad");
        let found = check_all(&files);
        for file in found.chunk_by(|one, other| one.path() == other.path()) {
            let after = fixed(file);
            let known = files.iter_mut().find(|(path, _)| *path == after.path().display());
            after.text().clone_into(&mut known.unwrap().1);
        }
        let is_fixable = |one: &&Diagnostic| one.fix.is_some();
        let fixable: BTreeSet<_> = found.iter().filter(is_fixable).map(|one| one.rule.name).collect();
        let left = rules_of(&check_all(&files));
        assert!(left.is_disjoint(&fixable), "{}: {left:?} are left", rule.name);
    }
}

#[test]
fn messages_are_half_sentences() {
    const NAMES: [&str; 6] = ["SQLite", "SQLAlchemy", "Alembic", "Flask-SQLAlchemy", "PostgreSQL", "MySQL"];
    for rule in all() {
        for diagnostic in check_all(&examples(rule, "Bad")) {
            let said = [&diagnostic.message, &diagnostic.focus.text];
            for text in said.into_iter().chain(&diagnostic.help) {
                assert!(!text.ends_with('.') && !text.is_empty(), "{text}");
                let is_name = NAMES.iter().any(|name| text.starts_with(name));
                assert!(!text.starts_with(char::is_uppercase) || is_name, "{text}");
            }
        }
    }
}

/// Revisions exactly as autogenerate wrote them: each None is found, and nothing else.
#[test]
fn generated_revisions_give_a_finding_for_each_none_and_no_other() {
    let mut revisions = 0;
    for convention in ["none", "partial", "full"] {
        for mode in ["plain", "batch"] {
            for database in ["pg", "my", "sqlite"] {
                let folder = root()
                    .join("tests/data/generated_revisions")
                    .join(convention)
                    .join(mode)
                    .join(database);
                for entry in std::fs::read_dir(folder).unwrap() {
                    let path = entry.unwrap().path();
                    let text = std::fs::read_to_string(&path).unwrap();
                    let expected = text.matches("_key(None").count() + text.matches("_constraint(None").count();
                    let mut files = vec![("versions/a.py".to_owned(), text)];
                    if convention == "full" {
                        files.push(with_all_rules());
                    }
                    let found = check_all(&files);
                    assert_eq!(found.len(), expected, "{}", path.display());
                    assert!(convention != "full" || found.is_empty());
                    revisions += 1;
                }
            }
        }
    }
    assert!(revisions > 150, "only {revisions} revisions were found");
}

#[test]
fn a_migration_without_findings_reads_nothing_but_itself() {
    for (operation, asks_for_the_database) in [
        ("op.add_column('t', sa.Column('c', sa.Integer()))", false),
        ("op.create_index('a', 't', ['c'])", false),
        ("with op.batch_alter_table('t') as b: b.create_unique_constraint('a', ['c'])", false),
        // On SQLite it fails with a name as well.
        ("op.create_unique_constraint('a', 't', ['c'])", true),
    ] {
        let (files, file) = history_of("target_metadata = None\n", &[operation]);
        let snapshot: MemorySnapshot = files.into_iter().collect();
        let project = Project::new(&snapshot, "/top");
        assert!(
            examine(&file, false, &project, &Config::default())
                .diagnostics
                .is_empty()
        );
        let env_py = |path: &RepoPath| path.to_string().ends_with("env.py");
        assert!(snapshot.reads().iter().all(env_py), "{operation}");
        assert_eq!(!snapshot.reads().is_empty(), asks_for_the_database, "{operation}");
    }
}

#[test]
fn a_migration_with_findings_reads_the_trail_and_the_configurations_above_it() {
    let migration = "from alembic import op\nrevision = 'a'\ndown_revision = None\ndef upgrade():\n    op.create_unique_constraint(None, 't', ['c'])\n    op.create_foreign_key(None, 't', 'u', ['d'], ['id'])\ndef downgrade():\n    op.drop_constraint(None, 't', type_='foreignkey')\n    op.drop_constraint(None, 't', type_='unique')\n";
    let trail = [
        (
            "migrations/env.py",
            "from alembic import context\nfrom app.models import Base\ntarget_metadata = Base.metadata\n",
        ),
        ("app/__init__.py", ""),
        ("app/models/__init__.py", "from ..db import Base\n"),
        (
            "app/db.py",
            "from sqlalchemy import MetaData\nfrom sqlalchemy.orm import DeclarativeBase\nfrom .names import NC\nclass Base(DeclarativeBase):\n    metadata = MetaData(naming_convention=NC)\n",
        ),
        (
            "app/names.py",
            "NC = {'fk': 'fk_%(table_name)s_%(column_0_name)s', 'uq': 'uq_%(table_name)s_%(column_0_name)s'}\n",
        ),
    ];
    let configurations = [
        ("alembic.ini", "[alembic]\nscript_location = migrations\n"),
        ("pyproject.toml", "[tool.other]\n"),
        ("migrations/alembic.ini", "# of an older day\n"),
    ];
    let others = (0..500).map(|at| (format!("app/models/other{at}.py"), "class Other: c = d = 't'\n".to_owned()));
    let known = trail.iter().chain(&configurations);
    let snapshot: MemorySnapshot = others
        .chain(
            known
                .clone()
                .map(|(path, text)| ((*path).to_owned(), (*text).to_owned())),
        )
        .collect();
    let project = Project::new(&snapshot, "/top");
    let check = |path: &str| {
        let file = SourceFile::new(path.into(), migration.to_owned());
        examine(&file, false, &project, &Config::default()).diagnostics
    };
    assert_eq!(check("migrations/versions/a.py").len(), 4);
    let reads = snapshot.reads();
    let known: BTreeSet<RepoPath> = known.map(|(path, _)| RepoPath::from(*path)).collect();
    let found: BTreeSet<RepoPath> = reads
        .iter()
        .filter(|path| snapshot.read(path).unwrap().is_some())
        .cloned()
        .collect();
    assert!(found.is_subset(&known), "{found:?}");
    // What is asked for in vain: `env.py` in each folder above, and a module where Python would look for it first.
    let in_vain = reads.iter().filter(|path| !known.contains(path)).count();
    assert!(in_vain <= 12, "{reads:?}");
    let at_first = snapshot.reads().len();
    assert_eq!(check("migrations/versions/b.py").len(), 4);
    assert_eq!(snapshot.reads().len(), at_first, "the second migration reads nothing again");
}
