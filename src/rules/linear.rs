//! The work for a file grows with its size and no faster, whatever is in it. Counts steps, not seconds.

use crate::check::examine;
use crate::config::Config;
use crate::project::Project;
use crate::rules::harness::{MYSQL, PG};
use crate::snapshot::MemorySnapshot;
use crate::source::SourceFile;
use crate::work;

const MODELS: &str =
    "import sqlalchemy as sa\nfrom sqlalchemy.orm import DeclarativeBase\nclass Base(DeclarativeBase):\n    ";

const CONVENTION: &str = "metadata = sa.MetaData(naming_convention={'ck': 'ck_%(table_name)s_%(constraint_name)s', 'fk': 'fk_%(table_name)s_%(column_0_name)s'})";

/// How many steps a revision takes on a database.
fn steps(upgrade: &[String], downgrade: &[String], url: &str, metadata: &str, tables: &str) -> usize {
    let env = format!(
        "from alembic import context\nfrom models import Base\ntarget_metadata = Base.metadata\ncontext.configure(url='{url}', target_metadata=target_metadata)\n"
    );
    let models = format!("{MODELS}{metadata}\n{tables}");
    let direction = |lines: &[String]| format!("    pass\n    {}\n", lines.join("\n    "));
    let (upgrade, downgrade) = (direction(upgrade), direction(downgrade));
    let text = format!(
        "import sqlalchemy as sa\nfrom alembic import op\nrevision = 'b'\ndown_revision = None\ndef upgrade():\n{upgrade}def downgrade():\n{downgrade}"
    );
    let snapshot = MemorySnapshot::from([
        ("migrations/env.py", env.as_str()),
        ("models.py", models.as_str()),
        ("migrations/versions/b.py", text.as_str()),
    ]);
    let file = SourceFile::new("migrations/versions/b.py".into(), text.clone());
    work::counted(|| {
        let _ = examine(&file, false, &Project::new(&snapshot, "/top"), &Config::default());
    })
}

/// Lines for a direction: so many, or so many parts of one.
type Direction = fn(usize) -> Vec<String>;

fn lines(count: usize, line: impl Fn(usize) -> String) -> Vec<String> {
    (0..count).map(line).collect()
}

fn nothing(_: usize) -> Vec<String> {
    Vec::new()
}

fn keys(count: usize) -> Vec<String> {
    lines(count, |at| format!("op.create_foreign_key(None, 't', 'u', ['c{at}'], ['id'])"))
}

fn keys_of_many(count: usize) -> Vec<String> {
    lines(count, |at| format!("op.create_foreign_key(None, 't{at}', 'u', ['c{at}'], ['id'])"))
}

fn named_keys(count: usize) -> Vec<String> {
    lines(count, |at| format!("op.create_foreign_key('k{at}', 't', 'u', ['c{at}'], ['id'])"))
}

fn one_name(count: usize) -> Vec<String> {
    lines(count, |at| format!("op.create_foreign_key('k', 't{at}', 'u', ['c'], ['id'])"))
}

fn unique(count: usize) -> Vec<String> {
    lines(count, |at| format!("op.create_unique_constraint(None, 't', ['c{at}'])"))
}

fn columns(count: usize) -> Vec<String> {
    lines(count, |at| format!("op.add_column('t', sa.Column('c{at}', sa.Integer, sa.ForeignKey('u.id')))"))
}

fn drops(count: usize) -> Vec<String> {
    lines(count, |_| "op.drop_constraint(None, 't', type_='foreignkey')".to_owned())
}

fn drops_of_others(count: usize) -> Vec<String> {
    lines(count, |at| format!("op.drop_constraint('n{at}', 'x{at}', type_='foreignkey')"))
}

fn named_drops(count: usize) -> Vec<String> {
    lines(count, |at| format!("op.drop_constraint('z{at}', 't', type_='foreignkey')"))
}

fn drops_of_one_name(count: usize) -> Vec<String> {
    lines(count, |at| format!("op.drop_constraint('k', 't{at}', type_='foreignkey')"))
}

fn drops_of_indexes(count: usize) -> Vec<String> {
    lines(count, |at| format!("op.drop_index('i{at}', 't')"))
}

fn drops_of_columns(count: usize) -> Vec<String> {
    lines(count, |at| format!("op.drop_column('t', 'c{at}')"))
}

fn added_by_sql(count: usize) -> Vec<String> {
    lines(count, |at| format!("op.execute('ALTER TABLE t ADD UNIQUE (c{at})')"))
}

fn clauses(count: usize) -> Vec<String> {
    let clauses = lines(count, |at| format!("ADD FOREIGN KEY (c{at}) REFERENCES u (id)"));
    vec![format!("op.execute('''ALTER TABLE t {}''')", clauses.join(",\n"))]
}

fn statements(count: usize) -> Vec<String> {
    let statements = lines(count, |at| format!("ALTER TABLE t ADD CHECK (c > {at});"));
    vec![format!("op.execute('''{}''')", statements.join("\n"))]
}

fn named_by_sql(count: usize) -> Vec<String> {
    lines(count, |at| format!("op.execute('ALTER TABLE t ADD CONSTRAINT k{at} CHECK (q > {at})')"))
}

fn dropped_by_sql(count: usize) -> Vec<String> {
    lines(count, |at| format!("op.execute('ALTER TABLE t DROP CONSTRAINT t_c{at}_key')"))
}

fn renamed_by_sql(count: usize) -> Vec<String> {
    lines(count, |at| format!("op.execute('ALTER TABLE t RENAME CONSTRAINT t_c{at}_key TO k{at}')"))
}

fn ignored(count: usize) -> Vec<String> {
    let comment = "  # alembic-named: ignore[unnamed-constraint]";
    keys(count).into_iter().map(|key| key + comment).collect()
}

fn in_one_line(count: usize) -> Vec<String> {
    vec![keys(count).join("; ")]
}

fn two_ways(count: usize) -> Vec<String> {
    [keys(count), added_by_sql(count), renamed_by_sql(count)].concat()
}

fn drops_in_two_ways(count: usize) -> Vec<String> {
    [drops(count), dropped_by_sql(count), drops_of_indexes(count)].concat()
}

const ALL: [(Direction, Direction); 21] = [
    (keys, nothing),
    (keys_of_many, nothing),
    (keys, drops),
    (keys, named_drops),
    (keys_of_many, drops_of_others),
    (keys, dropped_by_sql),
    (named_keys, named_drops),
    (one_name, drops_of_one_name),
    (unique, drops_of_indexes),
    (columns, drops_of_columns),
    (columns, nothing),
    (added_by_sql, dropped_by_sql),
    (clauses, nothing),
    (statements, nothing),
    (statements, dropped_by_sql),
    (named_by_sql, dropped_by_sql),
    (named_by_sql, named_drops),
    (added_by_sql, renamed_by_sql),
    (ignored, nothing),
    (in_one_line, nothing),
    (two_ways, drops_in_two_ways),
];

/// Past the few names that are looked up one by one in the models, each of which takes more steps.
const FEW: usize = 35;
/// Past the 100 constraints of one name that are compared with each other.
const MANY: usize = 105;
const MORE: usize = 15;

/// More lines take as many steps as the same number of lines before them, give or take a fiftieth. What grows with the square of the
/// lines takes more: its part of a line's steps is larger the more lines come before.
fn assert_linear(of: impl Fn(usize) -> usize, first: usize, what: &str) {
    let [few, more, most] = [first, first + MORE, first + 2 * MORE].map(of);
    let (before, then) = (more - few, most - more);
    assert!(before > 0 && 50 * then <= 51 * before, "{what}: {before}, then {then} steps");
}

fn assert_all_linear(url: &str, metadata: &str) {
    for (at, (upgrade, downgrade)) in ALL.into_iter().enumerate() {
        let of = |count| steps(&upgrade(count), &downgrade(count), url, metadata, "");
        let first = if upgrade(1) == one_name(1) { MANY } else { FEW };
        assert_linear(of, first, &format!("row {at}"));
    }
}

#[test]
fn each_line_takes_the_same_steps_on_postgresql() {
    assert_all_linear(PG, "pass");
}

#[test]
fn each_line_takes_the_same_steps_on_mysql() {
    assert_all_linear(MYSQL, "pass");
}

#[test]
fn each_line_takes_the_same_steps_under_a_convention() {
    assert_all_linear(PG, CONVENTION);
}

#[test]
fn the_models_are_read_once_for_all_keys() {
    let table =
        |at| format!("class M{at}(Base):\n    __tablename__ = 't{at}'\n    c{at} = sa.Column(sa.ForeignKey('u.id'))\n");
    let tables = |count| lines(count, table).concat();
    let of = |count| steps(&keys_of_many(count), &[], PG, "pass", &tables(count));
    assert_linear(of, FEW, "keys with models");
}
