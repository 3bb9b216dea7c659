//! Each rule through the program: found, turned off by the configuration, and silenced by a comment.

use std::collections::BTreeSet;

use crate::support::{MODELS, Repo, root, said};
use serde_json::Value;

/// A repository with one staged file that shows one rule.
struct Case {
    rule: &'static str,
    /// What HEAD holds already.
    before: &'static [(&'static str, &'static str)],
    /// What is staged.
    path: &'static str,
    /// Its text; `@` is where a comment is put that silences the finding.
    text: &'static str,
}

const REVISION: &str = "migrations/versions/b.py";

const ENV: (&str, &str) =
    ("migrations/env.py", "from alembic import context\nfrom app.models import target_metadata\n");
const INI: (&str, &str) = (
    "alembic.ini",
    "[alembic]\nscript_location = migrations\nsqlalchemy.url = postgresql://localhost/shop\n",
);
const NO_CONVENTION: (&str, &str) = (MODELS, "target_metadata = None\n");
const CONVENTION: (&str, &str) = (
    MODELS,
    "from sqlalchemy import MetaData
target_metadata = MetaData(naming_convention={
    'ix': 'ix_%(column_0_label)s',
    'uq': 'uq_%(table_name)s_%(column_0_name)s',
    'ck': 'ck_%(table_name)s_%(constraint_name)s',
    'fk': 'fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s',
    'pk': 'pk_%(table_name)s',
})
",
);
const PARENT: (&str, &str) = (
    "migrations/versions/a.py",
    "from alembic import op
revision = 'a'
down_revision = None
def upgrade():
    op.create_foreign_key(None, 'order', 'invoice', ['invoice_id'], ['id'])
def downgrade():
    pass
",
);

macro_rules! revision {
    ($upgrade:literal) => {
        revision!($upgrade, "pass")
    };
    ($upgrade:literal, $downgrade:literal) => {
        concat!(
            "from alembic import op\nimport sqlalchemy as sa\nrevision = 'b'\ndown_revision = 'a'\n",
            "def upgrade():\n    ",
            $upgrade,
            "\ndef downgrade():\n    ",
            $downgrade,
            "\n"
        )
    };
}

const PROJECT: &[(&str, &str)] = &[ENV, INI, NO_CONVENTION];
const NAMED_PROJECT: &[(&str, &str)] = &[ENV, INI, CONVENTION];

const CASES: &[Case] = &[
    Case {
        rule: "unnamed-constraint",
        before: PROJECT,
        path: REVISION,
        text: revision!("op.create_foreign_key(None, 'order', 'invoice', ['invoice_id'], ['id'])@"),
    },
    Case {
        rule: "implicit-constraint-name",
        before: NAMED_PROJECT,
        path: REVISION,
        text: revision!("op.create_foreign_key(None, 'order', 'invoice', ['invoice_id'], ['id'])@"),
    },
    Case {
        rule: "unnamed-drop",
        before: PROJECT,
        path: REVISION,
        text: revision!("op.drop_constraint(None, 'order', type_='foreignkey')@"),
    },
    Case {
        rule: "unnamed-column-foreign-key",
        before: PROJECT,
        path: REVISION,
        text: revision!("op.add_column('order', sa.Column('invoice_id', sa.ForeignKey('invoice.id')))@"),
    },
    Case {
        rule: "unnamed-column-constraint",
        before: PROJECT,
        path: REVISION,
        text: revision!("op.add_column('order', sa.Column('code', sa.Text(), unique=True))@"),
    },
    Case {
        rule: "unnamed-table-constraint",
        before: PROJECT,
        path: REVISION,
        text: revision!("op.create_table('order', sa.PrimaryKeyConstraint('id'))@"),
    },
    Case {
        rule: "unnamed-sql-constraint",
        before: PROJECT,
        path: REVISION,
        text: revision!("op.execute('ALTER TABLE line ADD UNIQUE (code)')@"),
    },
    Case {
        rule: "mismatched-drop",
        before: PROJECT,
        path: REVISION,
        text: revision!(
            "op.create_unique_constraint('uq_order_code', 'order', ['code'])",
            "op.drop_constraint('uq_orders_code', 'order', type_='unique')@"
        ),
    },
    Case {
        rule: "default-name-dependency",
        before: &[ENV, INI, NO_CONVENTION, PARENT],
        path: REVISION,
        text: revision!("op.drop_constraint('order_invoice_id_fkey', 'order', type_='foreignkey')@"),
    },
    Case {
        rule: "duplicate-name",
        before: PROJECT,
        path: REVISION,
        text: revision!(
            "op.create_unique_constraint('uq', 'order', ['a'])\n    op.create_unique_constraint('uq', 'order', ['b'])@"
        ),
    },
    Case {
        rule: "name-too-long",
        before: PROJECT,
        path: REVISION,
        text: revision!(
            "op.create_unique_constraint('uq_a_name_of_more_than_sixty_three_characters_is_more_than_there_is_room_for', 'o', ['c'])@"
        ),
    },
    Case {
        rule: "doubled-prefix",
        before: NAMED_PROJECT,
        path: REVISION,
        text: revision!("op.create_check_constraint('ck_order_positive', 'order', 'amount > 0')@"),
    },
    Case {
        rule: "missing-naming-convention",
        before: &[ENV, INI],
        path: MODELS,
        text: "from sqlalchemy import MetaData\ntarget_metadata = MetaData()@\n",
    },
    Case {
        rule: "incomplete-naming-convention",
        before: &[ENV, INI],
        path: MODELS,
        text: "from sqlalchemy import MetaData\ntarget_metadata = MetaData(naming_convention={'fk': 'fk_%(table_name)s_%(column_0_name)s'})@\n",
    },
    Case {
        rule: "invalid-naming-convention",
        before: &[ENV, INI],
        path: MODELS,
        text: "from sqlalchemy import MetaData\ntarget_metadata = MetaData(naming_convention={'fk': 'fk_%(tabel_name)s'})@\n",
    },
    Case {
        rule: "ineffective-naming-convention",
        before: &[ENV, INI],
        path: MODELS,
        text: "from sqlalchemy.orm import DeclarativeBase
class Base(DeclarativeBase):
    __metadata_args__ = {'naming_convention': {'fk': 'fk_%(table_name)s_%(column_0_name)s'}}@
target_metadata = Base.metadata
",
    },
    Case {
        rule: "syntax-error",
        before: PROJECT,
        path: REVISION,
        text: revision!("value = = 1@"),
    },
    Case {
        rule: UNUSED_IGNORE,
        before: PROJECT,
        path: REVISION,
        text: revision!("op.add_column('order', sa.Column('a'))  # alembic-named: ignore[unnamed-drop]"),
    },
];

/// A comment about comments would itself have to go, so there is none.
const UNUSED_IGNORE: &str = "unused-ignore";

/// The rules as the program lists them, each with its level.
fn rules() -> Vec<(String, String)> {
    let listed = said(Repo::none().tool(&["rules"]), 0).out;
    listed
        .lines()
        .map(|line| {
            let mut words = line.split_whitespace().map(str::to_owned);
            (words.next().unwrap(), words.next().unwrap())
        })
        .collect()
}

/// What is found in the staged file of a case: the rules and their levels.
#[track_caller]
fn found(case: &Case, comment: &str, configuration: &str) -> (BTreeSet<(String, String)>, i32) {
    let repo = Repo::new();
    for (path, text) in case.before {
        repo.stage(path, text);
    }
    repo.stage("alembic-named.toml", configuration);
    repo.commit("before");
    repo.stage(case.path, case.text.replace('@', comment));
    let output = repo.tool(&["check", "--staged", "--format", "json"]).output().unwrap();
    let report: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{}: {error}: {}", case.rule, String::from_utf8_lossy(&output.stderr)));
    let files = report["files"].as_array().unwrap();
    assert_eq!(files.len(), 1, "{}", case.rule);
    assert_eq!(files[0]["path"], case.path);
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let diagnostics = report["diagnostics"].as_array().unwrap().iter();
    let found = diagnostics
        .map(|one| (text(&one["rule"]), text(&one["severity"])))
        .collect();
    (found, output.status.code().unwrap())
}

fn status(found: &BTreeSet<(String, String)>) -> i32 {
    i32::from(found.iter().any(|(_, level)| level == "error"))
}

#[test]
fn every_rule_is_shown_by_one_staged_file() {
    let shown: Vec<&str> = CASES.iter().map(|case| case.rule).collect();
    let listed = rules();
    let listed: Vec<&str> = listed.iter().map(|(rule, _)| rule.as_str()).collect();
    assert_eq!(shown, listed, "the cases and `alembic-named rules` differ");
}

#[test]
fn every_rule_is_found_turned_off_and_silenced() {
    for (case, (rule, level)) in CASES.iter().zip(rules()) {
        assert_eq!(case.rule, rule);
        // What is off has to be asked for.
        let (level, select) = match level.as_str() {
            "off" => ("warning".to_owned(), format!("severity = {{ {rule} = \"warning\" }}\n")),
            _ => (level, String::new()),
        };
        let (on, code) = found(case, "", &select);
        assert!(on.contains(&(rule.clone(), level)), "{rule} is not among {on:?}");
        assert_eq!(code, status(&on), "{rule}");

        let (off, code) = found(case, "", &format!("{select}ignore = [\"{rule}\"]\n"));
        assert!(off.iter().all(|(other, _)| *other != rule), "{rule}: {off:?}");
        assert!(off.is_subset(&on), "{rule}: {off:?}");
        assert_eq!(code, status(&off), "{rule}");

        if rule != UNUSED_IGNORE {
            let comment = format!("  # alembic-named: ignore[{rule}]");
            assert!(case.text.contains('@'), "{rule}");
            let (silenced, code) = found(case, &comment, &select);
            assert_eq!(silenced, off, "{rule}");
            assert_eq!(code, status(&silenced), "{rule}");
        }
    }
}

#[test]
fn revisions_of_a_project_with_a_full_convention_have_no_finding() {
    let repo = Repo::new();
    let data = root().join("tests/data/generated_revisions/full");
    let staged = repo.copy(&data, "migrations/versions");
    assert!(staged > 50, "only {staged} files");
    repo.git(&["add", "--all"]);
    for environment in [false, true] {
        if environment {
            for (path, text) in NAMED_PROJECT {
                repo.stage(path, text);
            }
        }
        let report = said(repo.tool(&["check", "--staged", "--format", "json"]), 0).out;
        let report: Value = serde_json::from_str(&report).unwrap();
        assert_eq!(report["diagnostics"], Value::Array(Vec::new()));
        assert!(report["summary"]["files_checked"].as_u64().unwrap() >= staged as u64);
    }
}
