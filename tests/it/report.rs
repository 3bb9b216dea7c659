//! What a person or a program reads: the picture on a terminal, one line a finding, and version 1 of the JSON report.

mod json;
mod width;

use crate::support::{ENV, FILE, MODELS, NAMED, Repo, UNNAMED, migration, root, said, words};
use insta::assert_snapshot;
use serde_json::Value;

/// Both streams, one after the other, as they are in a terminal.
#[track_caller]
fn picture(repo: &Repo, columns: usize, status: i32) -> String {
    let mut command = repo.tool(&[]);
    command.env("COLUMNS", columns.to_string());
    let told = said(command, status);
    told.out + "--- standard error\n" + &told.err
}

fn json(repo: &Repo, arguments: &[&str], status: i32) -> Value {
    let told = said(repo.tool(&[arguments, &["--format=json"]].concat()), status);
    assert!(told.out.ends_with("}\n"), "one line end at the end");
    serde_json::from_str(&told.out).unwrap()
}

/// A repository with one migration staged, whose functions hold these lines.
fn with_lines(upgrade: &str, downgrade: &str) -> Repo {
    let repo = Repo::new();
    let indented = |lines: &str| textwrap::indent(lines, "    ") + "\n";
    let text = format!(
        "from alembic import op\nimport sqlalchemy as sa\n\nrevision = 'a1'\n\n\ndef upgrade():\n{}\n\ndef \
         downgrade():\n{}",
        indented(upgrade),
        indented(downgrade)
    );
    repo.stage(FILE, text);
    repo
}

/// The environment of a project, with this code as its models.
fn with_models(repo: &Repo, models: &str) {
    repo.stage("alembic.ini", "[alembic]\nscript_location = migrations\nprepend_sys_path = .\n")
        .stage("migrations/env.py", ENV)
        .stage("app/__init__.py", "")
        .stage(MODELS, models);
}

/// The example of this project, staged before its first commit.
fn shop() -> Repo {
    let repo = Repo::new();
    repo.copy(&root().join("examples/shop"), "");
    repo.git(&["add", "--all"]);
    repo
}

/// The example as a deployed one, which it says it is not.
fn committed_shop() -> Repo {
    let repo = shop();
    repo.git(&["rm", "--quiet", "--force", "alembic-named.toml"]);
    repo.commit("all of it");
    repo
}

#[test]
fn the_shop() {
    assert_snapshot!(picture(&shop(), 120, 1));
}

#[test]
fn the_shop_once_it_is_committed() {
    let told = said(committed_shop().tool(&["--all"]), 1);
    assert_snapshot!(told.out + "--- standard error\n" + &told.err);
}

const CONVENTION: &str = "\
from sqlalchemy import MetaData
from sqlalchemy.orm import DeclarativeBase

NAMES = {
    'ix': 'ix_%(column_0_label)s',
    'uq': 'uq_%(table_name)s_%(column_0_N_name)s',
    'ck': 'ck_%(table_name)s_%(constraint_name)s',
    'fk': 'fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s',
    'pk': 'pk_%(table_name)s',
}


class Base(DeclarativeBase):
    metadata = MetaData(naming_convention=NAMES)
";

#[test]
fn a_name_that_is_only_implicit() {
    let repo = with_lines(
        "op.create_unique_constraint(None, 'order', ['customer', 'number'])",
        "op.drop_constraint(None, 'order', type_='unique')",
    );
    with_models(&repo, CONVENTION);
    assert_snapshot!(picture(&repo, 120, 1));
}

#[test]
fn a_batch() {
    let repo = with_lines(
        "with op.batch_alter_table('order') as batch_op:\n    batch_op.add_column(sa.Column('invoice_id', sa.Integer()))\n    \
         batch_op.create_foreign_key(None, 'invoice', ['invoice_id'], ['id'])",
        "with op.batch_alter_table('order') as batch_op:\n    batch_op.drop_constraint(None, type_='foreignkey')\n    \
         batch_op.drop_column('invoice_id')",
    );
    assert_snapshot!(picture(&repo, 120, 1));
}

fn several() -> Repo {
    with_lines(
        "op.create_foreign_key(None, 'order', 'invoice', ['invoice_id'], ['id'])\n\
         op.create_unique_constraint('', 'invoice', ['number'])\n\
         op.create_check_constraint(\n    constraint_name=None,\n    table_name='order',\n    condition='total > 0',\n)",
        "op.drop_constraint(None, 'invoice', type_='unique')\n\
         op.drop_constraint(None, 'order', type_='foreignkey')\n\
         op.drop_index(None, table_name='order')",
    )
}

/// What the two cures say of a migration that is checked alone: the form that the project has, and each constraint's own model.
fn cures(models: &str, env: &str) -> String {
    let repo = with_lines(
        "op.create_foreign_key(None, 'order', 'invoice', ['invoice_id'], ['id'])\n\
         op.create_unique_constraint(None, 'invoice', ['number'])\n\
         op.create_unique_constraint(None, 'parcel', ['code', 'day'])",
        "op.drop_constraint(None, 'parcel', type_='unique')\n\
         op.drop_constraint(None, 'invoice', type_='unique')\n\
         op.drop_constraint(None, 'order', type_='foreignkey')",
    );
    with_models(&repo, models);
    repo.stage("migrations/env.py", env);
    let told = said(repo.tool(&["--staged", FILE]), 1);
    told.err.split_once("\nfor good, ").unwrap().1.to_owned()
}

#[test]
fn the_cures_are_in_the_form_of_the_project() {
    let models = "from flask_sqlalchemy import SQLAlchemy\n\ndb = SQLAlchemy(session_options={})\n\n\nclass Invoice(db.Model):\n    number = db.Column(db.Text, unique=True)\n\n\nclass Order(db.Model):\n    number = db.Column(db.Text, unique=True)\n    invoice_id = db.Column(db.ForeignKey('invoice.id'))\n";
    let env = "from alembic import context\nfrom app.models import db\n\ntarget_metadata = db.metadata\n";
    assert_snapshot!(cures(models, env));
}

/// A `MetaData` of its own would have no tables, and autogenerate would drop all that there are.
#[test]
fn the_cures_keep_the_metadata_of_sqlmodel() {
    let models = "from sqlmodel import Field, SQLModel\n\n\nclass Invoice(SQLModel, table=True):\n    __table_args__ = {'schema': 's'}\n    number: str = Field(unique=True)\n\n\nclass Order(SQLModel, table=True):\n    invoice_id: int = Field(foreign_key='invoice.id')\n";
    let env = "from alembic import context\nfrom sqlmodel import SQLModel\nimport app.models\n\ntarget_metadata = SQLModel.metadata\n";
    assert_snapshot!(cures(models, env));
}

#[test]
fn several_problems() {
    assert_snapshot!(picture(&several(), 120, 1));
}

#[test]
fn broken_python() {
    let repo = with_lines(
        "op.create_foreign_key(None, 'order', 'invoice', ['invoice_id'], ['id'])\nif True\n    pass",
        "pass",
    );
    assert_snapshot!(picture(&repo, 120, 1));
}

fn long_names() -> Repo {
    with_lines(
        "op.create_foreign_key(None, 'customer_subscription_renewal', 'subscription_payment_provider_account', \
         ['payment_provider_account_id'], ['id'], ondelete='CASCADE', onupdate='CASCADE')",
        "op.drop_constraint(None, 'customer_subscription_renewal', type_='foreignkey')",
    )
}

#[test]
fn long_names_at_80_columns() {
    assert_snapshot!(picture(&long_names(), 80, 1));
}

#[test]
fn long_names_at_60_columns() {
    assert_snapshot!(picture(&long_names(), 60, 1));
}

/// Migrations with so many pairs each, and an environment whose metadata has no convention.
fn pairs(files: usize, each: usize) -> Repo {
    let repo = Repo::new();
    with_models(&repo, "from sqlalchemy.orm import DeclarativeBase\n\n\nclass Base(DeclarativeBase):\n    pass\n");
    repo.commit("models");
    for file in 0..files {
        let create =
            |at| format!("    op.create_foreign_key(None, 'order_{file}', 'invoice', ['invoice_{at}'], ['id'])\n");
        let drop = format!("    op.drop_constraint(None, 'order_{file}', type_='foreignkey')\n").repeat(each);
        let creates: String = (0..each).map(create).collect();
        repo.stage(
            format!("migrations/versions/{file}.py"),
            format!("from alembic import op\n\nrevision = '{file}'\n\n\ndef upgrade():\n{creates}\n\ndef downgrade():\n{drop}"),
        );
    }
    repo
}

fn lines_at_80(repo: &Repo, arguments: &[&str]) -> (usize, String) {
    let mut command = repo.tool(arguments);
    command.env("COLUMNS", "80");
    let told = said(command, 1);
    let all = told.out + &told.err;
    (all.lines().count(), all)
}

#[test]
fn a_report_is_sized_for_a_person() {
    let (lines, told) = lines_at_80(&pairs(1, 1), &[]);
    assert!(lines <= 20, "{lines} lines\n{told}");
    for (files, each) in [(12, 2), (12, 4), (40, 1), (1, 40), (1, 400), (100, 40)] {
        let (lines, told) = lines_at_80(&pairs(files, each), &[]);
        assert!(lines <= 250, "{lines} lines\n{told}");
        // Nothing is lost: what has no line is counted.
        let all = 2 * files * each;
        assert!(told.contains(&format!("{} checked: {all} errors, all fixable\n", files_of(files))), "{told}");
    }
    let (few, _) = lines_at_80(&pairs(5, 4), &[]);
    let (all, told) = lines_at_80(&pairs(5, 4), &["--verbose"]);
    assert!(all > few && !told.contains(" more; "), "{told}");
    assert_eq!(told.matches("^^^^").count(), 20, "{told}");
}

fn files_of(count: usize) -> String {
    format!("{count} file{}", if count == 1 { "" } else { "s" })
}

#[test]
fn from_the_tenth_finding_on_there_is_one_line_each() {
    assert_snapshot!(picture(&pairs(3, 5), 80, 1));
}

/// Warnings come first in the order of files, and what blocks is shown all the same.
#[test]
fn what_blocks_gets_a_frame_before_what_does_not() {
    let repo = pairs(1, 1);
    let column = |at| format!("    op.add_column('a', sa.Column('c{at}', sa.Text(), unique=True))\n");
    let columns: String = (0..12).map(column).collect();
    repo.stage(
        "migrations/versions/!.py",
        format!("from alembic import op\nimport sqlalchemy as sa\n\nrevision = 'z'\n\n\ndef upgrade():\n{columns}"),
    );
    let told = said(repo.tool(&[]), 1).out;
    assert!(told.contains("error[unnamed-constraint]: foreign key"), "{told}");
    assert!(told.contains("warning[unnamed-column-constraint]"), "{told}");
    assert!(told.contains("4 more; --verbose shows all"), "{told}");
}

/// A file that is fixed and not staged needs nothing but to be staged; another one is reported as ever.
#[test]
fn what_is_fixed_and_not_staged_must_be_staged_and_no_more() {
    let repo = Repo::new();
    repo.stage(FILE, migration(UNNAMED));
    said(repo.tool(&["fix", "--staged"]), 1);
    let told = said(repo.tool(&["--staged"]), 1);
    assert_eq!(told.out, "1 file checked: 2 errors, both fixable\n");
    let stage = format!("`{FILE}` is fixed in your working tree: stage it with `git add {FILE}`\n");
    assert_eq!(told.err, stage);
    // A program reads what it always reads.
    let report = json(&repo, &["--staged"], 1);
    assert_eq!(report["diagnostics"].as_array().unwrap().len(), 2);
    repo.stage("other.py", migration(UNNAMED));
    let told = said(repo.tool(&["--staged"]), 1);
    assert!(told.err.starts_with(&stage), "{}", told.err);
    assert_eq!(told.out.matches("error[").count(), 1, "{}", told.out);
    assert!(told.err.contains("fix both: alembic-named fix --staged\n"), "{}", told.err);
    // A comment is as good.
    repo.write(FILE, migration(UNNAMED));
    said(repo.tool(&["fix", "--ignore", "--staged", FILE]), 1);
    assert_eq!(said(repo.tool(&["--staged", FILE]), 1).err, stage);
    // What came anew is told with all else.
    let more = migration(NAMED)
        .replace("def downgrade", "    op.create_unique_constraint(None, 'order', ['x'])\n\n\ndef downgrade");
    repo.write(FILE, more);
    let told = said(repo.tool(&["--staged", FILE]), 1);
    assert!(told.out.starts_with("error[unnamed-constraint]"), "{}", told.out);
    // What is broken there is not fixed.
    repo.write(FILE, "def upgrade(:\n");
    let told = said(repo.tool(&["--staged", FILE]), 1);
    assert!(told.out.starts_with("error[unnamed-constraint]"), "{}", told.out);
    repo.git(&["add", FILE]);
    repo.write(FILE, migration(NAMED));
    said(repo.tool(&["--staged", FILE]), 0);
}

/// Whatever else is said of the create, a drop without a name is told.
#[test]
fn a_drop_is_told_whatever_else_is_said_of_its_create() {
    let long = "x".repeat(80);
    let repo = with_lines(
        &format!("op.create_unique_constraint('{long}', 'order', ['a'])"),
        "op.drop_constraint(None, 'order', type_='unique')",
    );
    let told = said(repo.tool(&[]), 1).out;
    assert!(told.contains("[unnamed-drop]") && told.contains("[name-too-long]"), "{told}");
}

/// A marker that stands past the edge has no room for a label.
#[test]
fn a_line_is_shown_however_far_its_marker_stands_to_the_right() {
    let far = format!("{}op.create_unique_constraint(None, 'u', ['b'])", "x = 1; ".repeat(15));
    let repo = with_lines(&format!("op.create_unique_constraint(None, 't', ['a'])\n{far}"), "pass");
    for columns in [20, 40, 80, 120, 122, 124, 126, 128, 130] {
        let told = picture(&repo, columns, 1);
        let markers = told.lines().filter(|line| line.contains('^'));
        assert_eq!(markers.count(), 2, "at {columns}: {told}");
    }
}

/// What a fix would do to one place is done once in a run, and shown so.
#[test]
fn two_fixes_of_one_place_are_not_shown_as_one() {
    let repo = with_lines(
        "op.create_unique_constraint(None, 't', ['a'])\nop.create_unique_constraint(None, 'u', ['b'])",
        "pass",
    );
    with_models(&repo, CONVENTION);
    let told = picture(&repo, 120, 1);
    assert!(!told.contains(")op."), "{told}");
}

#[test]
fn a_command_for_many_files_works_in_any_folder() {
    let repo = pairs(12, 1);
    repo.commit("all");
    std::fs::create_dir(repo.join("docs")).unwrap();
    let told = said(repo.tool_in("docs", &["--from-ref", "HEAD~1"]), 1);
    assert!(told.err.contains("alembic-named fix --from-ref 'HEAD~1'\n"), "{}", told.err);
    let told = said(repo.tool_in("docs", &["--from-ref", "HEAD~1", "--to-ref", "HEAD"]), 1);
    assert!(told.err.contains("alembic-named fix ..\n"), "{}", told.err);
    // The command does what the report says: the names are those of a new revision.
    said(repo.tool_in("docs", &["fix", "--from-ref", "HEAD~1"]), 0);
    let text = repo.read("migrations/versions/7.py");
    assert_eq!(text.matches("op.f('fk_order_7_invoice_0_invoice')").count(), 2, "{text}");
}

/// A commit that touches the models for another reason: the three ways, each as a command.
#[test]
fn a_missing_convention_asks_for_a_decision() {
    let repo = Repo::new();
    with_models(&repo, "from sqlalchemy.orm import DeclarativeBase\n\n\nclass Base(DeclarativeBase):\n    pass\n");
    let told = said(repo.tool(&[]), 1);
    assert_snapshot!(told.err, @"
    decide once for app/models.py:4 (or set the rule's `severity`):
      the database is live: alembic-named adopt
      nothing is deployed: alembic-named fix --staged --unsafe-fixes
      not now: alembic-named fix --ignore=missing-naming-convention --staged
    why: alembic-named explain missing-naming-convention
    ");
    let told = said(repo.tool(&["fix", "--staged"]), 1);
    assert!(told.err.contains("alembic-named fix --staged --unsafe-fixes\n"), "{}", told.err);
}

#[test]
fn one_line_a_finding() {
    let told = said(several().tool(&["--format", "concise"]), 1);
    assert_snapshot!(told.out + "--- standard error\n" + &told.err);
}

#[test]
fn odd_names_of_files_in_reports() {
    let repo = Repo::new();
    let odd = "migrations/a \"b\" \u{e9} \u{1b}[31m.py";
    repo.stage(odd, migration(UNNAMED));
    assert_eq!(json(&repo, &[], 1)["diagnostics"][0]["path"], odd, "a program is told the name as it is");
    for format in ["text", "concise"] {
        let told = said(repo.tool(&["--format", format]), 1);
        assert!(told.out.contains("a \"b\" \u{e9} \\x1b[31m.py"), "{}", told.out);
        assert!(!(told.out + &told.err).contains('\u{1b}'), "{format}");
    }
    let odd = "migrations/a\u{1b}[31m.py";
    repo.stage(odd, migration(UNNAMED).replace("'order'", "'or\u{1b}[31mder'").into_bytes());
    repo.write("latin\u{1b}[31m.py", b"op.drop_index('\xff')\n".as_slice());
    for arguments in [
        &[][..],
        &["latin\u{1b}[31m.py"],
        &["no\u{1b}[31m.py"],
        &["-v"],
        &["--staged", "-v", "no\u{1b}[31m.py"],
    ] {
        let output = repo.tool(arguments).output().unwrap();
        assert!(!words(&output).contains('\u{1b}'), "{arguments:?}: {:?}", words(&output));
    }
}
