//! What holds for all rules: the table, the folder and the pages agree, the examples do what they say, and a fix silences its rule.

use std::collections::BTreeSet;
use std::path::Path;

use super::harness::*;
use super::{all, looks_at_metadata};
use crate::check::examine;
use crate::config::Config;
use crate::constraints::MigrationFile;
use crate::diagnostic::{Diagnostic, Rule};
use crate::fix::apply;
use crate::migration::Migration;
use crate::project::Project;
use crate::python::Module;
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
        assert!(
            rule.documentation.starts_with(&format!("# {}\n", rule.name)),
            "{}",
            rule.name
        );
        let headings: Vec<&str> = rule
            .documentation
            .split('\n')
            .filter_map(|line| line.strip_prefix("## "))
            .collect();
        assert_eq!(
            headings,
            [
                "What it finds",
                "Why",
                "On which databases",
                "Bad",
                "Good",
                "Fix",
                "When to ignore it"
            ],
            "{}",
            rule.name
        );
        assert!(
            !rule.summary.ends_with('.') && rule.summary.starts_with(char::is_lowercase),
            "{}",
            rule.name
        );
    }
}

/// The files of the examples under a heading.
fn examples(rule: &Rule, heading: &str) -> Vec<(RepoPath, String)> {
    let section = rule.documentation.split(&format!("\n## {heading}\n")).nth(1).unwrap();
    let section = section.split("\n## ").next().unwrap();
    section
        .split("```python file=")
        .skip(1)
        .map(|block| {
            let (path, rest) = block.split_once('\n').unwrap();
            (RepoPath::from(path), rest.split("```").next().unwrap().to_owned())
        })
        .collect()
}

#[test]
fn the_examples_of_every_page_do_what_they_say() {
    for rule in all() {
        let bad = examples(rule, "Bad");
        let good = examples(rule, "Good");
        assert!(!bad.is_empty() && !good.is_empty(), "{} has no examples", rule.name);
        let mut expected = BTreeSet::from([rule.name]);
        for other in all() {
            if rule
                .documentation
                .contains(&format!("\nFound with it: `{}`", other.name))
            {
                expected.insert(other.name);
            }
        }
        // What the pages of the rules about operations leave out of the models is another rule's business.
        let about_operations = !looks_at_metadata(rule);
        let of_interest = |found: &[Diagnostic]| -> BTreeSet<&'static str> {
            let in_versions = found
                .iter()
                .filter(|one| !about_operations || one.path().display().contains("versions"));
            names(&in_versions.cloned().collect::<Vec<_>>())
        };
        assert_eq!(
            of_interest(&check_files(&bad)),
            expected,
            "the bad example of {}",
            rule.name
        );
        assert_eq!(
            of_interest(&check_files(&good)),
            BTreeSet::new(),
            "the good example of {}",
            rule.name
        );
    }
}

#[test]
fn every_fix_of_the_examples_parses_and_silences_its_rule() {
    for rule in all() {
        let mut files = examples(rule, "Bad");
        let found = check_files(&files);
        for (path, text) in &mut files {
            let chosen: Vec<_> = found
                .iter()
                .filter(|one| one.path() == path)
                .filter_map(|one| one.fix.as_ref())
                .collect();
            let before = SourceFile::new(path.clone(), text.clone());
            *text = apply(&before, chosen);
            if rule.name != super::syntax_error::RULE.name {
                let after = Module::parse(SourceFile::new(path.clone(), text.clone()));
                assert!(after.errors().is_empty(), "{}: {:?}\n{text}", rule.name, after.errors());
            }
        }
        let fixable: BTreeSet<_> = found
            .iter()
            .filter(|one| one.fix.is_some())
            .map(|one| one.rule.name)
            .collect();
        let left = check_files(&files);
        assert!(
            names(&left).is_disjoint(&fixable),
            "{}: {:?} are left",
            rule.name,
            names(&left)
        );
    }
}

#[test]
fn messages_are_half_sentences() {
    for rule in all() {
        for diagnostic in check_files(&examples(rule, "Bad")) {
            for text in [
                Some(&diagnostic.message),
                Some(&diagnostic.focus.text),
                diagnostic.help.as_ref(),
            ]
            .into_iter()
            .flatten()
            {
                assert!(!text.ends_with('.') && !text.is_empty(), "{text}");
                let is_name = [
                    "SQLite",
                    "SQLAlchemy",
                    "Alembic",
                    "Flask-SQLAlchemy",
                    "PostgreSQL",
                    "MySQL",
                ]
                .iter()
                .any(|name| text.starts_with(name));
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
                    let files = [("versions/a.py".into(), text)];
                    let found = if convention == "full" {
                        check_files(&files)
                    } else {
                        check_with(&files, &Config::default())
                    };
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
        (
            "with op.batch_alter_table('t') as b: b.create_unique_constraint('a', ['c'])",
            false,
        ),
        // On SQLite it fails with a name as well.
        ("op.create_unique_constraint('a', 't', ['c'])", true),
    ] {
        let text =
            format!("from alembic import op\nrevision = 'a'\ndown_revision = None\ndef upgrade():\n    {operation}\n");
        let snapshot = MemorySnapshot::from([
            (
                "migrations/env.py",
                "import alembic\nfrom app.models import target_metadata\n",
            ),
            ("app/models.py", "target_metadata = None\n"),
        ]);
        let project = Project::new(&snapshot, "/top");
        let file = SourceFile::new("migrations/versions/a.py".into(), text);
        assert!(
            examine(&file, false, &project, &Config::default())
                .diagnostics
                .is_empty()
        );
        let env_py = |path: &RepoPath| path.to_string().ends_with("env.py");
        assert!(snapshot.reads().iter().all(env_py), "{operation}");
        assert_eq!(!snapshot.reads().is_empty(), asks_for_the_database, "{operation}");
        let module = Module::parse(file);
        let migration = Migration::read(&module);
        assert!(MigrationFile::new(&migration, &project).pairing.pairs().is_empty());
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
    let others = (0..500).map(|at| {
        (
            format!("app/models/other{at}.py"),
            "class Other: c = d = 't'\n".to_owned(),
        )
    });
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
    assert_eq!(
        snapshot.reads().len(),
        at_first,
        "the second migration reads nothing again"
    );
}

/// However the metadata is made, the fix gives it a convention that the project then has.
#[test]
fn a_convention_is_written_into_every_kind_of_metadata() {
    for models in [
        "from sqlalchemy.orm import DeclarativeBase\n\nclass Base(DeclarativeBase):\n    pass\n\ntarget_metadata = Base.metadata\n",
        "from sqlalchemy.orm import DeclarativeBase\n\nclass Base(DeclarativeBase):\n    \"\"\"All models.\"\"\"\n\ntarget_metadata = Base.metadata\n",
        "from sqlalchemy.orm import DeclarativeBase\r\n\r\nclass Base(DeclarativeBase):\r\n    type_annotation_map = {}\r\n\r\ntarget_metadata = Base.metadata\r\n",
        "from sqlalchemy import MetaData\ntarget_metadata = MetaData()\n",
        "from sqlalchemy import MetaData\ntarget_metadata = MetaData(schema='shop')\n",
        "from sqlalchemy import MetaData\ntarget_metadata = MetaData(naming_convention={})\n",
        "import sqlalchemy as sa\ntarget_metadata = sa.MetaData()\n",
        "from sqlalchemy.orm import declarative_base\nBase = declarative_base()\ntarget_metadata = Base.metadata\n",
        "from sqlalchemy.orm import registry\nreg = registry()\ntarget_metadata = reg.metadata\n",
        "from flask_sqlalchemy import SQLAlchemy\ndb = SQLAlchemy()\ntarget_metadata = db.metadata\n",
        "from sqlmodel import SQLModel\ntarget_metadata = SQLModel.metadata\n",
    ] {
        let found = of_models(models);
        assert_eq!(names(&found), BTreeSet::from(["missing-naming-convention"]), "{models}");
        let fix = found[0].fix.clone().unwrap_or_else(|| panic!("no fix for\n{models}"));
        let before = SourceFile::new("app/models.py".into(), models.to_owned());
        let after = apply(&before, [&fix]);
        let module = Module::parse(SourceFile::new("app/models.py".into(), after.clone()));
        assert!(module.errors().is_empty(), "{after}");
        let (defined, used) = (after.find("NAMING_CONVENTION = {"), after.rfind("NAMING_CONVENTION"));
        assert!(
            defined.is_some() && defined < used,
            "used before it is defined in\n{after}"
        );
        assert!(
            of_models(&after).is_empty(),
            "still found in\n{after}\n{:?}",
            of_models(&after)
        );
    }
}

#[test]
fn conventions_without_effect_and_with_mistakes_are_told() {
    let nc = "NC = {'ix': 'ix_%(column_0_label)s', 'uq': 'uq_%(table_name)s_%(column_0_name)s', 'ck': 'ck_%(constraint_name)s', 'fk': 'fk_%(table_name)s_%(column_0_name)s', 'pk': 'pk_%(table_name)s'}\n";
    for (models, expected) in [
        (
            format!(
                "from sqlalchemy import MetaData\nfrom sqlalchemy.orm import as_declarative\n{nc}@as_declarative()\nclass Base:\n    metadata = MetaData(naming_convention=NC)\ntarget_metadata = Base.metadata\n"
            ),
            "ineffective-naming-convention",
        ),
        (
            format!(
                "from sqlalchemy import MetaData\nfrom sqlalchemy.orm import DeclarativeBase\nfrom flask_sqlalchemy import SQLAlchemy\n{nc}class Base(DeclarativeBase):\n    pass\ndb = SQLAlchemy(model_class=Base, metadata=MetaData(naming_convention=NC))\ntarget_metadata = db.metadata\n"
            ),
            "ineffective-naming-convention",
        ),
        (
            format!(
                "from sqlalchemy.orm import DeclarativeBase\n{nc}class Base(DeclarativeBase):\n    __metadata_args__ = {{'naming_convention': NC}}\ntarget_metadata = Base.metadata\n"
            ),
            "ineffective-naming-convention",
        ),
        (
            format!("from sqlalchemy import MetaData\n{nc}target_metadata = [MetaData(naming_convention=NC)]\n"),
            "ineffective-naming-convention",
        ),
        (
            format!(
                "from sqlalchemy import MetaData\n{}target_metadata = MetaData(naming_convention=NC)\n",
                nc.replace("'fk_%(table_name)s_%(column_0_name)s'", "'fk_%(tabel_name)s'")
            ),
            "invalid-naming-convention",
        ),
        (
            format!(
                "from sqlalchemy import MetaData\n{}target_metadata = MetaData(naming_convention=NC)\n",
                nc.replace("'pk_%(table_name)s'", "'pk_%(constraint_name)s'")
            ),
            "invalid-naming-convention",
        ),
        (
            format!(
                "from sqlalchemy import MetaData\n{}target_metadata = MetaData(naming_convention=NC)\n",
                nc.replace("{'ix'", "{'foreign_key': 'x', 'ix'")
            ),
            "invalid-naming-convention",
        ),
        (
            format!("from sqlalchemy import MetaData\n{nc}target_metadata = MetaData(naming_convention=NC)\n"),
            "",
        ),
        (
            "from sqlalchemy import MetaData\ndef f():\n    m = MetaData()\n    return m\ntarget_metadata = object()\n"
                .to_owned(),
            "",
        ),
    ] {
        let found = of_models(&models);
        let expected: BTreeSet<&str> = [expected].into_iter().filter(|name| !name.is_empty()).collect();
        assert_eq!(names(&found), expected, "{models}\n{found:?}");
    }
}

const CREATE: &str = "    op.create_foreign_key(None, 'order', 'invoice', ['invoice_id'], ['id'])";
const DROP: &str = "    op.drop_constraint(None, 'order', type_='foreignkey')";

#[test]
fn a_committed_migration_gets_the_name_that_its_database_chose() {
    for (url, name, is_fixable, rename) in [
        (
            "postgresql://h/d",
            "order_invoice_id_fkey",
            true,
            "RENAME CONSTRAINT \"order_invoice_id_fkey\" TO \"fk_order_invoice_id_invoice\"",
        ),
        (
            "mariadb+pymysql://h/d",
            "fk_order_invoice_id_invoice",
            false,
            "in a new migration; it is shown by:\n    SHOW CREATE TABLE `order`",
        ),
    ] {
        let found = of_migration(url, CREATE, DROP, true);
        assert_eq!(found.len(), 2, "{url}");
        for diagnostic in found {
            assert_eq!(diagnostic.suggested_name.as_deref(), Some(name), "{url}");
            assert!(
                diagnostic.help.as_ref().unwrap().contains(rename),
                "{:?}",
                diagnostic.help
            );
            assert_eq!(
                diagnostic.fix.as_ref().map(|fix| fix.safety),
                is_fixable.then_some(crate::fix::Safety::Suggested)
            );
        }
    }
    let new = of_migration("postgresql://h/d", CREATE, DROP, false);
    assert!(
        new.iter()
            .all(|one| one.fix.as_ref().unwrap().safety == crate::fix::Safety::Safe)
    );
}

#[test]
fn sqlite_needs_the_names_of_what_it_reflects() {
    let upgrade = "    with op.batch_alter_table('order', schema=None) as batch_op:\n        batch_op.drop_constraint(None, type_='foreignkey')";
    let downgrade = "    with op.batch_alter_table('order', schema=None) as batch_op:\n        batch_op.create_foreign_key(None, 'invoice', ['invoice_id'], ['id'])";
    let found = of_migration("sqlite:///shop.db", upgrade, downgrade, false);
    let fix = found[0].fix.clone().unwrap();
    assert_eq!(fix.safety, crate::fix::Safety::Suggested);
    let after = apply(&found[0].file, [&fix]);
    let expected = "batch_alter_table('order', schema=None, naming_convention={'fk': 'fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s'})";
    assert!(after.contains(expected), "{after}");
    assert!(
        after.contains("batch_op.drop_constraint(batch_op.f('fk_order_invoice_id_invoice'), type_='foreignkey')"),
        "{after}"
    );
}

#[test]
fn sqlite_needs_batch_mode_as_well() {
    let in_batch = "    with op.batch_alter_table('order') as batch_op:\n        batch_op.create_foreign_key(None, 'invoice', ['invoice_id'], ['id'])";
    for (url, configure, create, expected) in [
        ("sqlite:///x.db", "", CREATE, Some(true)),
        (
            "sqlite:///x.db",
            "context.configure(render_as_batch=False)",
            CREATE,
            Some(true),
        ),
        (
            "sqlite:///x.db",
            "context.configure(render_as_batch=True)",
            CREATE,
            Some(false),
        ),
        ("sqlite:///x.db", "", in_batch, None),
        ("postgresql://h/d", "", CREATE, None),
    ] {
        let found = of_project(url, "", configure, create, "    pass", false);
        let first = found.iter().find(|one| one.rule.name == "unnamed-constraint").unwrap();
        let help = first.help.clone().unwrap();
        let said = help.contains("SQLite needs batch mode as well (`op.batch_alter_table('order')`)");
        assert_eq!(said, expected.is_some(), "{help}");
        assert_eq!(
            help.contains("`render_as_batch=True` in env.py"),
            expected == Some(true),
            "{configure}: {help}"
        );
        // The same is to be said when the name is written: the migration still does not run.
        assert_eq!(
            first.left_to_do.as_ref().is_some_and(|left| help.contains(left)),
            expected.is_some()
        );
    }
}

#[test]
fn a_convention_that_needs_the_table_only_names_the_drop_as_well() {
    for (template, works) in [
        ("fk_%(table_name)s", true),
        ("fk_%(table_name)s_%(column_0_name)s", false),
    ] {
        let base = format!("metadata = sa.MetaData(naming_convention={{'fk': '{template}'}})");
        let found = of_project("postgresql://h/d", &base, "", CREATE, DROP, false);
        let implicit = found.iter().find(|one| one.rule.name == "implicit-constraint-name");
        let of_drop = &implicit.unwrap().related[0].text;
        let expected = if works {
            "and this downgrade finds it only while the convention stays as it is"
        } else {
            "and this downgrade fails: no columns to name it by"
        };
        assert_eq!(of_drop, expected, "{template}");
        assert_eq!(names(&found).contains("unnamed-drop"), !works, "{found:?}");
    }
}

#[test]
fn a_long_name_is_told_whichever_the_database_is() {
    let create = format!(
        "    op.create_foreign_key(None, '{0}', 'invoice', ['{0}'], ['id'])",
        "a".repeat(40)
    );
    for (url, expected) in [
        ("postgresql://h/d", "; PostgreSQL will know it as `fk_aaa"),
        ("", "; on PostgreSQL SQLAlchemy would shorten it to `fk_aaa"),
        ("oracle://h/d", "; Oracle"),
    ] {
        let help = of_migration(url, &create, "    pass", false)[0].help.clone().unwrap();
        assert_eq!(help.contains(expected), !url.starts_with("oracle"), "{url}: {help}");
    }
    let plain = format!("    op.create_unique_constraint('{}', 't', ['a'])", "a".repeat(65));
    for (url, is_said) in [("postgresql://h/d", false), ("", true)] {
        let found = of_migration(url, &plain, "    pass", false);
        let help = found[0].help.as_ref().unwrap();
        assert_eq!(help.contains("set `dialect` in the configuration"), is_said, "{help}");
    }
}

#[allow(clippy::too_many_lines, reason = "it is a table")]
/// Small revisions, each with the database it is for, and whether the rule finds something in it.
#[test]
fn the_rules_about_operations_find_what_they_should_and_nothing_else() {
    let pg = "postgresql://h/d";
    let my = "mysql+pymysql://h/d";
    let lite = "sqlite:///x.db";
    for (rule, url, upgrade, downgrade, expected) in [
        (
            "unnamed-column-foreign-key",
            pg,
            "op.add_column('o', sa.Column('i', sa.ForeignKey('t.id')))",
            "op.drop_column('o', 'i')",
            true,
        ),
        (
            "unnamed-column-foreign-key",
            pg,
            "op.add_column('o', sa.Column('i', sa.ForeignKey('t.id', name=None)), schema='s')",
            "pass",
            true,
        ),
        (
            "unnamed-column-foreign-key",
            pg,
            "op.add_column('o', sa.Column('i', sa.ForeignKey('t.id', name='')))",
            "pass",
            true,
        ),
        (
            "unnamed-column-foreign-key",
            lite,
            "with op.batch_alter_table('o') as b: b.add_column(Column('i', ForeignKey('t.id')))",
            "pass",
            true,
        ),
        (
            "unnamed-column-foreign-key",
            pg,
            "op.add_column('o', sa.Column('i', sa.ForeignKey('t.id', name='fk')))",
            "pass",
            false,
        ),
        (
            "unnamed-column-foreign-key",
            pg,
            "op.add_column('o', sa.Column('i', sa.ForeignKey('t.id', **options)))",
            "pass",
            false,
        ),
        (
            "unnamed-column-foreign-key",
            pg,
            "op.add_column('o', column)",
            "pass",
            false,
        ),
        (
            "unnamed-column-constraint",
            pg,
            "op.add_column('o', sa.Column('i', sa.Integer(), unique=True))",
            "pass",
            true,
        ),
        (
            "unnamed-column-constraint",
            pg,
            "op.add_column('o', sa.Column('i', sa.CheckConstraint('i > 0')))",
            "pass",
            true,
        ),
        (
            "unnamed-column-constraint",
            pg,
            "op.add_column('o', sa.Column('i', unique=True, index=True))",
            "pass",
            false,
        ),
        (
            "unnamed-column-constraint",
            pg,
            "op.add_column('o', sa.Column('i', unique=False))",
            "pass",
            false,
        ),
        (
            "unnamed-sql-constraint",
            pg,
            "op.execute(sa.text('''ALTER TABLE a ADD FOREIGN KEY (b) REFERENCES c'''))",
            "pass",
            true,
        ),
        (
            "unnamed-sql-constraint",
            pg,
            "op.execute(f'ALTER TABLE {t} ADD UNIQUE ({c})')",
            "pass",
            true,
        ),
        (
            "unnamed-sql-constraint",
            my,
            "op.execute('ALTER TABLE a ADD PRIMARY KEY (id)')",
            "pass",
            false,
        ),
        ("unnamed-sql-constraint", pg, "op.execute(statement)", "pass", false),
        (
            "mismatched-drop",
            pg,
            "op.create_unique_constraint('a', 't', ['c'])",
            "op.drop_constraint('b', 't', type_='unique')",
            true,
        ),
        (
            "mismatched-drop",
            pg,
            "op.drop_constraint('b', 't', type_='unique')",
            "op.create_unique_constraint('a', 't', ['c'])",
            // An upgrade may replace what an older revision made.
            false,
        ),
        (
            "mismatched-drop",
            pg,
            "op.create_index('a', 't', ['c'])",
            "op.drop_index('b', table_name='t')",
            true,
        ),
        (
            "mismatched-drop",
            pg,
            "op.create_unique_constraint('a', 't', ['c'])",
            "op.drop_constraint('a', 't', type_='unique')",
            false,
        ),
        (
            "mismatched-drop",
            pg,
            "op.drop_constraint('a', 't', type_='unique'); op.create_unique_constraint('b', 't', ['c'])",
            "op.drop_constraint('b', 't', type_='unique'); op.create_unique_constraint('a', 't', ['c'])",
            false,
        ),
        (
            "mismatched-drop",
            pg,
            "op.create_unique_constraint('a', 't', ['c'])",
            "op.drop_constraint('a', 't', type_='unique'); op.drop_constraint('old', 't', type_='unique')",
            false,
        ),
        (
            "mismatched-drop",
            pg,
            "op.create_unique_constraint('a', 't', ['c'])",
            "op.drop_constraint('b', 'other', type_='unique')",
            false,
        ),
        (
            "mismatched-drop",
            pg,
            "op.create_unique_constraint(name(), 't', ['c'])",
            "op.drop_constraint('b', 't', type_='unique')",
            false,
        ),
        (
            "mismatched-drop",
            pg,
            "op.create_unique_constraint('a', 't', ['c']); op.execute('ALTER TABLE t RENAME CONSTRAINT a TO b')",
            "op.drop_constraint('b', 't', type_='unique')",
            false,
        ),
        (
            "mismatched-drop",
            pg,
            "op.drop_constraint('a', 't', type_='foreign_key')",
            "pass",
            true,
        ),
        (
            "mismatched-drop",
            pg,
            "op.execute('ALTER TABLE t ADD CONSTRAINT a UNIQUE (c)')",
            "op.execute('ALTER TABLE t DROP CONSTRAINT b')",
            true,
        ),
        (
            "mismatched-drop",
            pg,
            "op.create_unique_constraint('a', 't', ['c'])",
            "op.execute('ALTER TABLE t DROP CONSTRAINT b')",
            true,
        ),
        (
            "mismatched-drop",
            pg,
            "op.execute('ALTER TABLE t ADD CONSTRAINT a UNIQUE (c)')",
            "op.drop_constraint('b', 't', type_='unique')",
            true,
        ),
        (
            "mismatched-drop",
            pg,
            "op.execute('ALTER TABLE t ADD CONSTRAINT a UNIQUE (c)')",
            "op.execute('ALTER TABLE t DROP CONSTRAINT A')",
            false,
        ),
        (
            "mismatched-drop",
            pg,
            "op.execute('ALTER TABLE t ADD CONSTRAINT a UNIQUE (c)')",
            "op.drop_constraint('a', 't', type_='unique')",
            false,
        ),
        (
            "mismatched-drop",
            pg,
            "op.create_unique_constraint('a', 't', ['c'])",
            "op.execute('ALTER TABLE t DROP CONSTRAINT a')",
            false,
        ),
        (
            "mismatched-drop",
            pg,
            "op.execute('ALTER TABLE t ADD CONSTRAINT a UNIQUE (c)'); op.execute('ALTER TABLE t RENAME CONSTRAINT a TO b')",
            "op.execute('ALTER TABLE t DROP CONSTRAINT b')",
            false,
        ),
        (
            "mismatched-drop",
            pg,
            "op.execute('ALTER TABLE t ADD CONSTRAINT a UNIQUE (c)')",
            "op.execute('ALTER TABLE t DROP CONSTRAINT a, DROP CONSTRAINT b')",
            false,
        ),
        (
            "mismatched-drop",
            pg,
            "op.execute('ALTER TABLE t ADD CONSTRAINT a UNIQUE (c)')",
            "op.execute('ALTER TABLE t DROP CONSTRAINT IF EXISTS b')",
            false,
        ),
        (
            "mismatched-drop",
            pg,
            "op.execute('ALTER TABLE t ADD CONSTRAINT a UNIQUE (c)')",
            "op.execute('ALTER TABLE u DROP CONSTRAINT b')",
            false,
        ),
        (
            "mismatched-drop",
            pg,
            "op.execute('ALTER TABLE t ADD CONSTRAINT a UNIQUE (c)')",
            "op.execute('ALTER TABLE t DROP COLUMN c'); op.execute('ALTER TABLE t DROP CONSTRAINT b')",
            false,
        ),
        (
            "mismatched-drop",
            pg,
            "op.execute('ALTER TABLE t ADD CONSTRAINT a UNIQUE (c)'); op.execute(statement)",
            "op.execute('ALTER TABLE t DROP CONSTRAINT b')",
            false,
        ),
        (
            "mismatched-drop",
            pg,
            "op.execute('ALTER TABLE t ADD CONSTRAINT a UNIQUE (c)'); op.execute(f'ALTER TABLE t ADD {x}')",
            "op.execute('ALTER TABLE t DROP CONSTRAINT b')",
            false,
        ),
        (
            "mismatched-drop",
            pg,
            "op.execute('ALTER TABLE t ADD CONSTRAINT a UNIQUE (c)'); op.execute('DO $$ x $$')",
            "op.execute('ALTER TABLE t DROP CONSTRAINT b')",
            false,
        ),
        (
            "mismatched-drop",
            pg,
            "op.execute('ALTER TABLE t ADD CONSTRAINT a UNIQUE (c)'); op.execute(sa.update(t).values(x=1))",
            "op.execute('ALTER TABLE t DROP CONSTRAINT b')",
            true,
        ),
        (
            "mismatched-drop",
            pg,
            "op.create_unique_constraint('a', 't', ['c']); op.execute('ALTER TABLE t ADD UNIQUE (d)')",
            "op.drop_constraint('b', 't', type_='unique')",
            false,
        ),
        (
            "mismatched-drop",
            pg,
            "op.execute('ALTER TABLE t ADD CONSTRAINT a UNIQUE (c)'); op.execute('ALTER TABLE t RENAME TO u')",
            "op.execute('ALTER TABLE t DROP CONSTRAINT b')",
            false,
        ),
        (
            "mismatched-drop",
            pg,
            "op.execute('ALTER TABLE t ADD CONSTRAINT a UNIQUE (c)')",
            "op.execute(f'ALTER TABLE t DROP CONSTRAINT {b}')",
            false,
        ),
        (
            "mismatched-drop",
            pg,
            "op.execute('CREATE UNIQUE INDEX a ON t (c)')",
            "op.drop_index('b', table_name='t')",
            true,
        ),
        (
            "mismatched-drop",
            pg,
            "op.execute('CREATE UNIQUE INDEX a ON t (c)')",
            "op.drop_index('a', table_name='t')",
            false,
        ),
        (
            "mismatched-drop",
            my,
            "op.create_foreign_key('a', 't', 'u', ['c'], ['id'])",
            "op.execute('ALTER TABLE t DROP FOREIGN KEY b')",
            true,
        ),
        (
            "mismatched-drop",
            my,
            "op.create_index('a', 't', ['c'])",
            "op.execute('ALTER TABLE t DROP FOREIGN KEY b')",
            false,
        ),
        (
            "mismatched-drop",
            pg,
            "if x.dialect.name == 'postgresql': op.execute('ALTER TABLE t ADD CONSTRAINT a UNIQUE (c)')",
            "if x.dialect.name == 'postgresql': op.execute('ALTER TABLE t DROP CONSTRAINT b')",
            false,
        ),
        ("mismatched-drop", my, "op.drop_constraint('a', 't')", "pass", true),
        ("mismatched-drop", pg, "op.drop_constraint('a', 't')", "pass", false),
        (
            "mismatched-drop",
            my,
            "op.create_index('ix', 't', ['c']); op.create_foreign_key('fk', 't', 'r', ['c'], ['id'])",
            "op.drop_index('ix', table_name='t'); op.drop_constraint('fk', 't', type_='foreignkey')",
            true,
        ),
        (
            "mismatched-drop",
            pg,
            "op.create_index('ix', 't', ['c']); op.create_foreign_key('fk', 't', 'r', ['c'], ['id'])",
            "op.drop_index('ix', table_name='t'); op.drop_constraint('fk', 't', type_='foreignkey')",
            false,
        ),
        (
            "duplicate-name",
            pg,
            "op.create_unique_constraint('a', 't', ['c']); op.create_check_constraint('a', 't', 'c > 0')",
            "pass",
            true,
        ),
        (
            "duplicate-name",
            pg,
            "op.create_index('a', 't', ['c']); op.create_unique_constraint('a', 'u', ['c'])",
            "pass",
            true,
        ),
        (
            "duplicate-name",
            my,
            "op.create_foreign_key('a', 't', 'r', ['c'], ['id']); op.create_foreign_key('a', 'u', 'r', ['c'], ['id'])",
            "pass",
            true,
        ),
        (
            "duplicate-name",
            pg,
            "op.create_foreign_key('a', 't', 'r', ['c'], ['id']); op.create_foreign_key('a', 'u', 'r', ['c'], ['id'])",
            "pass",
            false,
        ),
        (
            "duplicate-name",
            pg,
            "op.create_unique_constraint('a', 't', ['c']); op.drop_constraint('a', 't', type_='unique'); op.create_unique_constraint('a', 't', ['d'])",
            "pass",
            false,
        ),
        (
            "duplicate-name",
            pg,
            "op.create_unique_constraint('a', 't', ['c'])",
            "op.create_unique_constraint('a', 't', ['c'])",
            false,
        ),
        (
            "duplicate-name",
            my,
            "op.create_table('a', sa.Column('c', sa.ForeignKey('r.id', name='fk'))); op.create_table('b', sa.Column('c', sa.ForeignKey('r.id', name='fk')))",
            "pass",
            true,
        ),
        (
            "duplicate-name",
            pg,
            "op.create_table('a', sa.Column('c', sa.ForeignKey('r.id', name='fk'))); op.create_table('b', sa.Column('c', sa.ForeignKey('r.id', name='fk')))",
            "pass",
            false,
        ),
        (
            "duplicate-name",
            pg,
            "op.create_table('a', sa.PrimaryKeyConstraint('c', name='pk')); op.create_table('b', sa.PrimaryKeyConstraint('c', name='pk'))",
            "pass",
            true,
        ),
        (
            "duplicate-name",
            my,
            "op.create_table('a', sa.PrimaryKeyConstraint('c', name='pk')); op.create_table('b', sa.PrimaryKeyConstraint('c', name='pk'))",
            "pass",
            false,
        ),
        (
            "duplicate-name",
            pg,
            "op.create_table('a', sa.UniqueConstraint('c', name='u'), sa.CheckConstraint('c > 0', name='u'))",
            "pass",
            true,
        ),
        (
            "duplicate-name",
            lite,
            "op.create_table('a', sa.UniqueConstraint('c', name='u'), sa.CheckConstraint('c > 0', name='u'))",
            "pass",
            false,
        ),
        (
            "duplicate-name",
            lite,
            "op.create_index('i', 'a', ['c']); op.create_index('i', 'b', ['c'])",
            "pass",
            true,
        ),
        (
            "duplicate-name",
            pg,
            "op.create_index('i', 'a', ['c']); op.create_index('i', 'b', ['c'], if_not_exists=True)",
            "pass",
            false,
        ),
        (
            "duplicate-name",
            pg,
            "op.create_index('i', 'a', ['c'], schema='s'); op.create_index('i', 'b', ['c'])",
            "pass",
            false,
        ),
        (
            "duplicate-name",
            pg,
            "op.create_index('i', 'a', ['c']); op.create_check_constraint('i', 'a', 'c > 0')",
            "pass",
            false,
        ),
        (
            "duplicate-name",
            pg,
            "op.create_unique_constraint('a', 't', ['c']); op.create_unique_constraint(op.f('a'), 't', ['d'])",
            "pass",
            true,
        ),
        (
            "duplicate-name",
            pg,
            "op.create_table('a', sa.UniqueConstraint('c', name='u')); op.drop_table('a'); op.create_table('a', sa.UniqueConstraint('c', name='u'))",
            "pass",
            false,
        ),
        (
            "duplicate-name",
            pg,
            "op.create_unique_constraint('a', 't', ['c']); op.execute('ALTER TABLE t RENAME CONSTRAINT a TO b'); op.create_unique_constraint('a', 't', ['d'])",
            "pass",
            false,
        ),
        (
            "duplicate-name",
            pg,
            "op.create_table('a', sa.Column('c')); op.create_index('a', 'a', ['c'])",
            "pass",
            true,
        ),
        (
            "duplicate-name",
            pg,
            "op.create_table('a', sa.Column('c'), sa.UniqueConstraint('c', name='a'))",
            "pass",
            true,
        ),
        (
            "duplicate-name",
            pg,
            "op.create_table('a', sa.Column('c'), sa.CheckConstraint('c > 0', name='a'))",
            "pass",
            false,
        ),
        (
            "duplicate-name",
            pg,
            "op.create_table('a', sa.Column('c'), schema='s'); op.create_index('a', 'b', ['c'])",
            "pass",
            false,
        ),
        (
            "duplicate-name",
            lite,
            "op.create_table('a', sa.Column('c')); op.create_index('a', 'a', ['c'])",
            "pass",
            true,
        ),
        (
            "duplicate-name",
            lite,
            "op.create_table('a', sa.Column('c'), sa.UniqueConstraint('c', name='a'))",
            "pass",
            false,
        ),
        (
            "duplicate-name",
            my,
            "op.create_table('a', sa.Column('c')); op.create_index('a', 'a', ['c'])",
            "pass",
            false,
        ),
        (
            "duplicate-name",
            "mysql://h/d",
            "op.create_check_constraint('a', 't', 'c'); op.create_check_constraint('a', 'u', 'c')",
            "pass",
            true,
        ),
        (
            "duplicate-name",
            "mariadb://h/d",
            "op.create_check_constraint('a', 't', 'c'); op.create_check_constraint('a', 'u', 'c')",
            "pass",
            false,
        ),
        (
            "duplicate-name",
            "mariadb://h/d",
            "op.create_unique_constraint('a', 't', ['c']); op.create_check_constraint('a', 't', 'c')",
            "pass",
            true,
        ),
        (
            "unnamed-column-foreign-key",
            my,
            "column = sa.Column('i', sa.Integer(), sa.ForeignKey('t.id')); op.add_column('o', column)",
            "pass",
            true,
        ),
        (
            "unnamed-column-constraint",
            pg,
            "column = sa.Column('i', sa.Integer(), unique=True); op.add_column(table_name='o', column=column)",
            "pass",
            true,
        ),
        (
            "unnamed-column-foreign-key",
            pg,
            "op.add_column('o', sa.Column('i', sa.ForeignKey('t.id', name='fk')), inline_references=True)",
            "pass",
            true,
        ),
        (
            "unnamed-column-foreign-key",
            lite,
            "op.add_column('o', sa.Column('i', sa.ForeignKey('t.id')), inline_references=True)",
            "pass",
            false,
        ),
        (
            "unnamed-column-foreign-key",
            my,
            "for column in [sa.Column('i', sa.ForeignKey('t.id'))]: op.add_column('o', column)",
            "pass",
            false,
        ),
        (
            "unnamed-column-foreign-key",
            my,
            "column = sa.Column('i', sa.ForeignKey('t.id')); column = other(); op.add_column('o', column)",
            "pass",
            false,
        ),
        (
            "name-too-long",
            my,
            "op.create_unique_constraint('x2345678901234567890123456789012345678901234567890123456789012345', 't', ['c'])",
            "pass",
            true,
        ),
        (
            "name-too-long",
            lite,
            "op.create_unique_constraint('x2345678901234567890123456789012345678901234567890123456789012345', 't', ['c'])",
            "pass",
            false,
        ),
        (
            "name-too-long",
            pg,
            "op.create_unique_constraint('x23456789012345678901234567890123456789012345678901234567890123', 't', ['c'])",
            "pass",
            false,
        ),
        (
            "name-too-long",
            pg,
            "op.create_unique_constraint('äääääääääääääääääääääääääääääääää', 't', ['c'])",
            "pass",
            true,
        ),
    ] {
        let found = of_migration(url, &format!("    {upgrade}"), &format!("    {downgrade}"), false);
        assert_eq!(
            names(&found).contains(rule),
            expected,
            "{rule} in {upgrade} / {downgrade}: {:?}",
            names(&found)
        );
    }
}

#[test]
fn a_prefix_is_doubled_inside_tables_and_columns_as_well() {
    let models = "from sqlalchemy import MetaData\ntarget_metadata = MetaData(naming_convention={'ck': 'ck_%(table_name)s_%(constraint_name)s', 'ix': 'ix_%(column_0_label)s'})\n";
    for (call, expected) in [
        (
            "op.create_table('t', sa.CheckConstraint('c > 0', name='ck_t_c'))",
            "name=op.f('ck_t_c')",
        ),
        (
            "op.add_column('t', sa.Column('c', sa.CheckConstraint('c > 0', name='ck_t_c')))",
            "name=op.f('ck_t_c')",
        ),
        (
            "with op.batch_alter_table('t') as b: b.add_column(sa.Column('c', sa.CheckConstraint('c > 0', name='ck_t_c')))",
            "name=b.f('ck_t_c')",
        ),
    ] {
        let (files, last) = history_of(models, &[call]);
        let snapshot: MemorySnapshot = files.into_iter().collect();
        let project = Project::new(&snapshot, "/top");
        let found = examine(&last, false, &project, &Config::default()).diagnostics;
        assert_eq!(names(&found), BTreeSet::from(["doubled-prefix"]), "{call}");
        let after = apply(&last, found[0].fix.iter());
        assert!(after.contains(expected), "{after}");
        let after = SourceFile::new(last.path().clone(), after);
        assert!(
            examine(&after, false, &project, &Config::default())
                .diagnostics
                .is_empty()
        );
    }
}

/// A drop without `type_` drops a plain `Constraint`, for which no convention has a template.
#[test]
fn a_convention_builds_on_the_name_of_a_drop_only_with_its_type() {
    let models = "from sqlalchemy import MetaData\ntarget_metadata = MetaData(naming_convention={'ck': 'ck_%(table_name)s_%(constraint_name)s'})\n";
    for (drop, expected) in [
        ("op.drop_constraint('ck_t_valid', 't')", None),
        ("op.drop_constraint('valid', 't', type_='check')", None),
        (
            "op.drop_constraint('ck_t_valid', 't', type_='check')",
            Some("`ck_t_ck_t_valid` is dropped, and the upgrade creates `ck_t_valid`"),
        ),
    ] {
        let revision = format!(
            "from alembic import op\n{{0}}\ndef upgrade():\n    op.create_check_constraint('valid', 't', 'c > 0')\ndef downgrade():\n    {drop}\n"
        );
        let (files, last) = history_of(models, &[&revision]);
        let snapshot: MemorySnapshot = files.into_iter().collect();
        let project = Project::new(&snapshot, "/top");
        let found = examine(&last, false, &project, &Config::default()).diagnostics;
        let found = found.iter().find(|one| one.rule.name == "mismatched-drop");
        assert_eq!(found.map(|one| one.message.as_str()), expected, "{drop}");
    }
}

/// What a convention makes of a plain name is finished, and SQLAlchemy shortens it.
#[test]
fn a_convention_that_builds_on_names_keeps_them_from_being_too_long() {
    let long = "x".repeat(64);
    let found = |template: &str, call: &str| {
        let models = format!(
            "from sqlalchemy import MetaData\ntarget_metadata = MetaData(naming_convention={{'ck': '{template}'}})\n"
        );
        let (files, last) = history_of(&models, &[call]);
        let ini = "[alembic]\nscript_location = migrations\nsqlalchemy.url = postgresql://h/d\n";
        let files = files.into_iter().chain([("alembic.ini".to_owned(), ini.to_owned())]);
        let snapshot: MemorySnapshot = files.collect();
        let project = Project::new(&snapshot, "/top");
        names(&examine(&last, false, &project, &Config::default()).diagnostics).contains("name-too-long")
    };
    let check = format!("op.create_check_constraint('{long}', 't', 'c > 0')");
    let inside = format!("op.create_table('t', sa.CheckConstraint('c > 0', name='{long}'))");
    for call in [&check, &inside] {
        assert!(!found("ck_%(table_name)s_%(constraint_name)s", call), "{call}");
        assert!(found("ck_%(table_name)s", call), "{call}");
    }
}

/// What a reviewer broke once.
#[test]
fn fixes_do_no_harm() {
    let pg = "postgresql://h/d";
    let none = |upgrade: &str, downgrade: &str| {
        let found = of_migration(pg, upgrade, downgrade, false);
        assert!(!found.is_empty(), "{upgrade}");
        assert!(found.iter().all(|one| one.fix.is_none()), "{upgrade}: {found:?}");
        found
    };
    let drop = "    op.drop_constraint(None, 't', type_='unique')";
    let one = "    op.create_unique_constraint(None, 't', ['a'])";
    let found = none(one, "    op.execute('ALTER TABLE t DROP CONSTRAINT t_a_key')");
    assert!(
        found[0]
            .help
            .as_ref()
            .unwrap()
            .contains("SQL in the other half drops `t_a_key`"),
        "{:?}",
        found[0].help
    );
    let two = "    op.create_unique_constraint(None, 't', ['a', 'b'])\n    op.create_unique_constraint(None, 't', ['a', 'b'])";
    let found = none(two, &format!("{drop}\n{drop}"));
    assert!(
        found[0].help.as_ref().unwrap().contains("would have the same name"),
        "{:?}",
        found[0].help
    );
    none(
        "    for x in y:\n        op.create_unique_constraint(None, 't', ['a'])",
        &format!("    for x in y:\n    {drop}"),
    );
    let three = "    op.create_unique_constraint(None, 't', ['a'])\n    op.create_unique_constraint(None, 't', ['b'])";
    none(three, drop);
}

#[test]
fn a_block_that_drops_two_kinds_gets_one_dict() {
    let upgrade = "    with op.batch_alter_table(('t')) as b:\n        b.drop_constraint(None, type_='foreignkey')\n        b.drop_constraint(None, type_='unique')";
    let downgrade = "    with op.batch_alter_table('t') as b:\n        b.create_unique_constraint(None, ['u'])\n        b.create_foreign_key(None, 'o', ['i'], ['id'])";
    let found = of_migration("sqlite:///x.db", upgrade, downgrade, false);
    let fixes: Vec<_> = found.iter().filter_map(|one| one.fix.as_ref()).collect();
    let after = apply(&found[0].file, fixes);
    assert_eq!(after.matches("naming_convention=").count(), 1, "{after}");
    assert!(
        after.contains("batch_alter_table(('t'), naming_convention={'fk': "),
        "{after}"
    );
    assert!(after.contains("'uq': ") && !after.contains("(None"), "{after}");
}

/// `op.f` works only while a migration runs, and two tables need two names.
#[test]
fn a_column_behind_a_name_is_named_only_where_it_can_be() {
    let edits = |head: &str, upgrade: &str| {
        let text = format!(
            "{head}\nfrom alembic import op\nrevision = 'b'\ndown_revision = 'a'\ndef upgrade():\n    {upgrade}\n"
        );
        let found = check_with(&[("versions/b.py".into(), text)], &Config::default());
        assert!(names(&found).contains("unnamed-column-foreign-key"), "{upgrade}");
        found.iter().filter(|one| one.fix.is_some()).count()
    };
    let column = "column = sa.Column('i', sa.ForeignKey('t.id'))";
    let add = "op.add_column('o', column)";
    assert_eq!(edits("", &format!("{column}; {add}")), 1);
    assert_eq!(edits(column, add), 0);
    assert_eq!(edits("", &format!("{column}; {add}; op.add_column('p', column)")), 0);
    assert_eq!(
        edits(
            "",
            "op.add_column('o', sa.Column(name='i', type_=T, *[]), x); op.add_column('o', sa.Column(sa.ForeignKey('t.id'), name='i'))"
        ),
        1
    );
}

#[test]
fn an_endless_chain_of_calls_costs_nothing() {
    let chain = ".where(x)".repeat(200);
    let found = of_migration(
        "postgresql://h/d",
        &format!("    q = sa.select(T){chain}\n    op.execute(q)"),
        "    pass",
        false,
    );
    assert!(found.is_empty());
}

/// Seen with SQLAlchemy 2.1 and Alembic 1.20: tables that are there already keep constraints without names, and autogenerate writes None
/// for them; only an operation without a name is named while it runs.
#[test]
fn a_convention_names_only_the_tables_that_come_after_it() {
    let env = "from alembic import context\nfrom app.models import target_metadata\n";
    let late = ["app/models.py error: ineffective-naming-convention"];
    for (models, is_late) in [
        (
            "md = MetaData()\nt = Table('t', md)\nmd.naming_convention = NC\ntarget_metadata = md\n",
            true,
        ),
        (
            "md = MetaData()\nmd.naming_convention = NC\nt = Table('t', md)\ntarget_metadata = md\n",
            false,
        ),
        (
            "md = MetaData()\nt = Table('t', md)\nsetattr(md, 'naming_convention', NC)\ntarget_metadata = md\n",
            true,
        ),
        (
            "class Base(DeclarativeBase):\n    pass\nclass T(Base):\n    __tablename__ = 't'\nBase.metadata.naming_convention = NC\ntarget_metadata = Base.metadata\n",
            true,
        ),
        (
            "class Base(DeclarativeBase):\n    pass\nBase.metadata.naming_convention = NC\nclass T(Base):\n    __tablename__ = 't'\ntarget_metadata = Base.metadata\n",
            false,
        ),
        (
            "class Base(DeclarativeBase):\n    pass\nclass Mixin:\n    __tablename__ = 't'\nclass A(Base):\n    __abstract__ = True\nBase.metadata.naming_convention = NC\ntarget_metadata = Base.metadata\n",
            false,
        ),
        (
            "class T(SQLModel, table=True):\n    pass\nSQLModel.metadata.naming_convention = NC\ntarget_metadata = SQLModel.metadata\n",
            true,
        ),
    ] {
        let models = format!(
            "from sqlalchemy import MetaData, Table\nfrom sqlalchemy.orm import DeclarativeBase\nfrom sqlmodel import SQLModel\n{WHOLE}{models}"
        );
        let found = found_in(&[("migrations/env.py", env), ("app/models.py", &models)]);
        assert_eq!(found, if is_late { &late[..] } else { &[] }, "in\n{models}");
    }
    let models = "from sqlalchemy.orm import DeclarativeBase\nclass Base(DeclarativeBase):\n    pass\nclass T(Base):\n    __tablename__ = 't'\n";
    let env = format!(
        "from alembic import context\nfrom app.models import Base\n{WHOLE}Base.metadata.naming_convention = NC\ntarget_metadata = Base.metadata\n"
    );
    assert_eq!(
        found_in(&[("migrations/env.py", &env), ("app/models.py", models)]),
        ["migrations/env.py error: ineffective-naming-convention"]
    );
}

#[test]
fn metadata_without_alembic_is_nobodys_business() {
    let bare = "from sqlalchemy import MetaData\nmetadata = MetaData()\n";
    for path in ["app/models.py", "models.py", "a/b/c/d/models.py"] {
        assert!(found_in(&[(path, bare)]).is_empty(), "{path}");
    }
    // An environment that is far away answers for the metadata that it leads to, and for no other.
    let far = (
        "services/api/src/api/db/migrations/env.py",
        "from alembic import context\nfrom libs.shop.models import metadata as target_metadata\n",
    );
    let error = "libs/shop/models.py error: missing-naming-convention";
    assert_eq!(found_in(&[far, ("libs/shop/models.py", bare)]), [error]);
    assert!(found_in(&[far, ("libs/shop/other.py", bare)]).is_empty());
    let riddle = (far.0, "from alembic import context\ntarget_metadata = x\n");
    assert!(found_in(&[riddle, ("libs/shop/models.py", bare)]).is_empty());
    for path in [
        "docs/app.py",
        "libs/examples/app.py",
        "libs/shop/tests.py",
        "libs/conftest.py",
        "libs/testing/models.py",
        "libs/test_models.py",
    ] {
        assert!(found_in(&[far, (path, bare)]).is_empty(), "{path}");
    }
    for text in [
        "from sqlalchemy.ext.automap import automap_base\nBase = automap_base()\n",
        "from sqlalchemy import MetaData\nmetadata = MetaData()\nmetadata.reflect(bind=engine)\n",
        "from sqlalchemy import MetaData, Table\nmetadata = MetaData()\nt = Table('t', metadata, autoload_with=engine)\n",
        "from sqlalchemy import MetaData\nif __name__ == '__main__':\n    metadata = MetaData()\n",
    ] {
        assert!(found_in(&[far, ("libs/shop/models.py", text)]).is_empty(), "in\n{text}");
    }
    let written = "from sqlalchemy import MetaData, Table\nmetadata = MetaData()\nt = Table('t', metadata, autoload_with=engine)\nu = Table('u', metadata)\n";
    assert_eq!(found_in(&[far, ("libs/shop/models.py", written)]), [error]);
}

#[test]
fn a_fresh_environment_does_not_block_its_commit() {
    let env = "from alembic import context\ntarget_metadata = None\n";
    let found = found_in(&[
        ("alembic.ini", "[alembic]\nscript_location = migrations\n"),
        ("migrations/env.py", env),
    ]);
    assert!(found.is_empty(), "{found:?}");
    // None from a module is somebody's mistake.
    let env = "from alembic import context\nfrom app.models import target_metadata\n";
    let found = found_in(&[
        ("migrations/env.py", env),
        ("app/models.py", "target_metadata = None\n"),
    ]);
    assert_eq!(found, ["app/models.py error: missing-naming-convention"]);
}

const NO_CONVENTION: &str = "target_metadata = None\n";
const TABLE: &str = "op.create_table('order', sa.Column('id', sa.Integer()), sa.Column('invoice_id', sa.ForeignKey('invoice.id')), sa.Column('code', sa.Text(), unique=True), sa.CheckConstraint('amount > 0'))";
const KEY: &str = "op.create_foreign_key(None, 'order', 'invoice', ['invoice_id'], ['id'])";
const BY_POSTGRESQL: &str = "op.drop_constraint('order_invoice_id_fkey', 'order', type_='foreignkey')";

#[allow(clippy::too_many_lines, reason = "it is a table")]
#[test]
fn a_name_that_a_database_chose_is_found_in_a_later_upgrade() {
    for (before, drop, labels) in [
        (KEY, BY_POSTGRESQL, "PostgreSQL"),
        (TABLE, BY_POSTGRESQL, "PostgreSQL"),
        (
            KEY,
            "op.drop_constraint(op.f('order_invoice_id_fkey'), 'order', 'foreignkey')",
            "PostgreSQL",
        ),
        (
            KEY,
            "op.drop_constraint('order_invoice_id_fkey', 'order')",
            "PostgreSQL",
        ),
        (
            KEY,
            "op.drop_constraint('order_invoice_id_fkey1', 'order', type_='foreignkey')",
            "PostgreSQL",
        ),
        (
            KEY,
            "op.drop_constraint('order_ibfk_1', 'order', type_='foreignkey')",
            "MySQL and MariaDB",
        ),
        (
            KEY,
            "with op.batch_alter_table('order') as b: b.drop_constraint('order_invoice_id_fkey', type_='foreignkey')",
            "PostgreSQL",
        ),
        (
            "with op.batch_alter_table('order') as b: b.create_foreign_key(None, 'invoice', ['invoice_id'], ['id'])",
            BY_POSTGRESQL,
            "PostgreSQL",
        ),
        (
            "op.add_column('order', sa.Column('invoice_id', sa.ForeignKey('invoice.id')))",
            BY_POSTGRESQL,
            "PostgreSQL",
        ),
        (
            "column = sa.Column('invoice_id', sa.ForeignKey('invoice.id')); op.add_column('order', column)",
            BY_POSTGRESQL,
            "PostgreSQL",
        ),
        (
            "op.create_foreign_key(None, 'order', 'invoice', columns(), ['id'])",
            BY_POSTGRESQL,
            "PostgreSQL",
        ),
        (
            TABLE,
            "op.drop_constraint('order_code_key', 'order', type_='unique')",
            "PostgreSQL",
        ),
        (
            TABLE,
            "op.drop_constraint('code', 'order', type_='unique')",
            "MySQL and MariaDB",
        ),
        (
            TABLE,
            "op.drop_constraint('order_amount_check', 'order', type_='check')",
            "PostgreSQL",
        ),
        (
            TABLE,
            "op.drop_constraint('CONSTRAINT_1', 'order', type_='check')",
            "MariaDB",
        ),
        (
            TABLE,
            "op.drop_constraint('order_chk_1', 'order', type_='check')",
            "MySQL",
        ),
        (
            TABLE,
            "op.drop_constraint('FK__order__invoic__3A81B327', 'order', type_='foreignkey')",
            "SQL Server",
        ),
        (
            TABLE,
            "op.drop_constraint('SYS_C0012345', 'order', type_='foreignkey')",
            "Oracle",
        ),
        // One with a name beside it changes nothing.
        (
            "op.create_foreign_key('fk_other', 'order', 'other', ['other_id'], ['id']); op.create_foreign_key(None, 'order', 'invoice', ['invoice_id'], ['id'])",
            BY_POSTGRESQL,
            "PostgreSQL",
        ),
        (
            "op.execute(\"UPDATE \\\"order\\\" SET x = 1\"); op.create_foreign_key(None, 'order', 'invoice', ['invoice_id'], ['id'])",
            BY_POSTGRESQL,
            "PostgreSQL",
        ),
    ] {
        let found = across_revisions(NO_CONVENTION, &[before, "pass", drop]);
        assert_eq!(found.len(), 1, "{before} / {drop}");
        let one = &found[0];
        assert!(
            one.focus.text.starts_with(&format!("{labels} chose it")),
            "{}",
            one.focus.text
        );
        assert_eq!(one.related[0].place.file.path().display(), "migrations/versions/r0.py");
        assert!(
            one.help.as_ref().unwrap().contains("look the name up"),
            "{:?}",
            one.help
        );
    }
    // The nearest create is shown.
    let drop = "op.drop_constraint('order_invoice_id_fkey', 'order', type_='foreignkey')";
    let found = across_revisions(NO_CONVENTION, &[KEY, KEY, drop]);
    assert_eq!(
        found[0].related[0].place.file.path().display(),
        "migrations/versions/r1.py"
    );
}

#[allow(clippy::too_many_lines, reason = "it is a table")]
#[test]
fn a_name_that_somebody_gave_or_that_may_be_meant_is_left_alone() {
    for revisions in [
        // Named by an operation, inside a table, by a rename, at once, or by a helper.
        &[
            "op.create_foreign_key('order_invoice_id_fkey', 'order', 'invoice', ['invoice_id'], ['id'])",
            KEY,
            BY_POSTGRESQL,
        ][..],
        &[
            "op.create_table('order', sa.Column('invoice_id', sa.ForeignKey('invoice.id', name='order_invoice_id_fkey')))",
            KEY,
            BY_POSTGRESQL,
        ],
        &[
            KEY,
            "op.execute('ALTER TABLE \"order\" RENAME CONSTRAINT a TO order_invoice_id_fkey')",
            BY_POSTGRESQL,
        ],
        &[
            KEY,
            "op.execute('alter  table \"order\" add constraint order_invoice_id_fkey foreign key (a) references b')",
            BY_POSTGRESQL,
        ],
        &[
            KEY,
            "for table in ['order']:\n        op.create_foreign_key(name(table), table, 'invoice', ['invoice_id'], ['id'])",
            BY_POSTGRESQL,
        ],
        &[
            "def add(name=None):\n        op.create_foreign_key(name, 'order', 'invoice', ['invoice_id'], ['id'])\n    add()\n    add('order_invoice_id_fkey')",
            BY_POSTGRESQL,
        ],
        &[
            KEY,
            "op.create_foreign_key(name(), 'order', 'invoice', ['invoice_id'], ['id'])",
            BY_POSTGRESQL,
        ],
        &[
            KEY,
            "from app.helpers import name_keys; name_keys('order')",
            "pass",
            BY_POSTGRESQL,
        ],
        &[
            KEY,
            "{0}\nfrom app.helpers import name_keys\ndef upgrade():\n    name_keys('order')",
            BY_POSTGRESQL,
        ],
        &[KEY, "op.rename_table('orders', 'order')", BY_POSTGRESQL],
        &[KEY, "op.rename_table('order', 'orders')", BY_POSTGRESQL],
        &[
            KEY,
            "for one in sa.inspect(op.get_bind()).get_foreign_keys(t): rename(one)",
            BY_POSTGRESQL,
        ],
        &["Base.metadata.create_all(op.get_bind())", KEY, BY_POSTGRESQL],
        &["op.execute(open('schema.sql').read())", KEY, BY_POSTGRESQL],
        &["op.create_table('order', *columns())", KEY, BY_POSTGRESQL],
        &["op.create_table('order', key())", KEY, BY_POSTGRESQL],
        &["op.add_column('order', column())", KEY, BY_POSTGRESQL],
        &[KEY, "op.drop_table('order')", BY_POSTGRESQL],
        &[KEY, "op.drop_column('order', 'invoice_id')", BY_POSTGRESQL],
        // Not there, or of another table, kind, column or schema.
        &["pass", BY_POSTGRESQL],
        &[
            "op.create_foreign_key(None, 'orders', 'invoice', ['invoice_id'], ['id'])",
            BY_POSTGRESQL,
        ],
        &[
            "op.create_unique_constraint(None, 'order', ['invoice_id'])",
            BY_POSTGRESQL,
        ],
        &[
            "op.create_foreign_key(None, 'order', 'invoice', ['other_id'], ['id'])",
            BY_POSTGRESQL,
        ],
        &[
            "op.create_foreign_key(None, 'order', 'invoice', ['invoice_id'], ['id'], source_schema='s')",
            BY_POSTGRESQL,
        ],
        &[
            "if x:\n        op.create_foreign_key(None, 'order', 'invoice', ['invoice_id'], ['id'])",
            BY_POSTGRESQL,
        ],
        &[
            "{0}\nfrom alembic import op\ndef upgrade(): pass\ndef downgrade():\n    op.create_foreign_key(None, 'order', 'invoice', ['invoice_id'], ['id'])",
            BY_POSTGRESQL,
        ],
        // A person's name, a computed one, and drops that know what they do.
        &[KEY, "op.drop_constraint('fk_x', 'order', type_='foreignkey')"],
        &[
            KEY,
            "op.drop_constraint(f'{t}_invoice_id_fkey', 'order', type_='foreignkey')",
        ],
        &[
            KEY,
            "op.drop_constraint('order_invoice_id_fkey', t, type_='foreignkey')",
        ],
        &[
            KEY,
            "op.drop_constraint('order_invoice_id_fkey', 'order', type_='foreignkey', if_exists=True)",
        ],
        &[
            KEY,
            "if x: op.drop_constraint('order_invoice_id_fkey', 'order', type_='foreignkey')",
        ],
        &[
            KEY,
            "for n in x: op.drop_constraint('order_invoice_id_fkey', 'order', type_='foreignkey')",
        ],
        &[
            KEY,
            "if op.get_bind().dialect.name == 'sqlite': return\n    op.drop_constraint('order_invoice_id_fkey', 'order', type_='foreignkey')",
        ],
        &[
            KEY,
            "try:\n        op.drop_constraint('order_invoice_id_fkey', 'order', type_='foreignkey')\n    except E: pass",
        ],
        &[
            KEY,
            "with op.batch_alter_table('order', naming_convention=N) as b: b.drop_constraint('order_invoice_id_fkey', type_='foreignkey')",
        ],
        &[
            KEY,
            "op.execute('ALTER TABLE \"order\" ADD CONSTRAINT order_invoice_id_fkey CHECK (x)'); op.drop_constraint('order_invoice_id_fkey', 'order', type_='foreignkey')",
        ],
        &[
            KEY,
            "op.create_foreign_key('order_invoice_id_fkey', 'order', 'invoice', ['invoice_id'], ['id']); op.drop_constraint('order_invoice_id_fkey', 'order', type_='foreignkey')",
        ],
        &[
            KEY,
            "{0}\nfrom alembic import op\ndef upgrade(): pass\ndef downgrade():\n    op.drop_constraint('order_invoice_id_fkey', 'order', type_='foreignkey')",
        ],
        &[
            "op.create_primary_key(None, 'order', ['id'])",
            "op.drop_constraint('order_pkey', 'order', type_='primary')",
        ],
        &[
            "op.create_exclude_constraint(None, 'order', ('a', '='))",
            "op.drop_constraint('order_a_excl', 'order')",
        ],
        // The history is not whole.
        &[
            KEY,
            "{0}\ndown_revision = 'elsewhere'\ndef upgrade(): pass",
            BY_POSTGRESQL,
        ],
        &[KEY, "{0}\ndepends_on = 'elsewhere'\ndef upgrade(): pass", BY_POSTGRESQL],
        &[KEY, "{0}\nx = = 1\ndef upgrade():\n    'order'", BY_POSTGRESQL],
    ] {
        let found = across_revisions(NO_CONVENTION, revisions);
        assert!(found.is_empty(), "{revisions:#?}");
    }
}

#[test]
fn a_convention_that_gives_the_name_makes_it_the_projects_own() {
    let with = |template: &str| {
        format!(
            "from sqlalchemy import MetaData\ntarget_metadata = MetaData(naming_convention={{'ix': 'ix_%(column_0_label)s', 'fk': '{template}'}})\n"
        )
    };
    let revisions = [KEY, BY_POSTGRESQL];
    assert!(across_revisions(&with("%(table_name)s_%(column_0_name)s_fkey"), &revisions).is_empty());
    assert!(across_revisions("from elsewhere import target_metadata\n", &revisions).is_empty());
    let found = across_revisions(&with("fk_%(table_name)s_%(column_0_name)s"), &revisions);
    assert!(
        found[0]
            .focus
            .text
            .contains("a new database has `fk_order_invoice_id` by your convention"),
        "{}",
        found[0].focus.text
    );
    // Who says which database it is takes its names as they are.
    let of_models = |dialect, models: &str| {
        let mut config = Config::default();
        config.dialect = Some(dialect);
        across_with(models, &revisions, &config).len()
    };
    let of = |dialect| of_models(dialect, NO_CONVENTION);
    let changed = with("fk_%(table_name)s_%(column_0_name)s");
    assert_eq!(of_models(crate::naming::Dialect::Postgresql, &changed), 1);
    assert_eq!(of(crate::naming::Dialect::Postgresql), 0);
    assert_eq!(of(crate::naming::Dialect::Sqlite), 1);
}

/// The usual revision costs no look at the others, and a run looks at them once.
#[test]
fn the_history_is_read_only_for_a_name_that_looks_chosen_and_only_once() {
    let (files, _) = history_of(NO_CONVENTION, &[KEY, "pass", BY_POSTGRESQL]);
    let snapshot: MemorySnapshot = files.into_iter().collect();
    let project = Project::new(&snapshot, "/top");
    let reads_of_revisions = |upgrade: &str| {
        let before = snapshot.reads().len();
        let text = format!(
            "from alembic import op\nrevision = 'new'\ndown_revision = 'r1'\ndef upgrade():\n    {upgrade}\ndef downgrade():\n    {BY_POSTGRESQL}\n"
        );
        let file = SourceFile::new("migrations/versions/new.py".into(), text);
        let found = examine(&file, false, &project, &Config::default()).diagnostics;
        let reads = snapshot.reads().split_off(before);
        let in_versions = reads
            .iter()
            .filter(|path| path.display().contains("versions/r"))
            .count();
        (found.len(), in_versions)
    };
    for usual in [
        "op.add_column('order', c)",
        "op.create_foreign_key('fk_order', 'order', 'invoice', ['invoice_id'], ['id'])",
        "op.drop_constraint('fk_order', 'order', type_='foreignkey')",
        "op.drop_constraint('uq_order_code', 'order', type_='unique')",
        "op.drop_index('ix_order', table_name='order')",
    ] {
        assert_eq!(reads_of_revisions(usual).1, 0, "{usual}");
    }
    assert_eq!(reads_of_revisions(BY_POSTGRESQL), (1, 3));
    assert_eq!(reads_of_revisions(BY_POSTGRESQL), (1, 0));
}
