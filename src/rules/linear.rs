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

/// The lines of a pattern for so many numbers, or the one line in which the part between `«` and `»` is repeated.
fn lines(pattern: &str, count: usize) -> Vec<String> {
    let repeated = |part: &str| -> Vec<String> {
        let numbers = 0..count;
        numbers.map(|at| part.replace("{at}", &at.to_string())).collect()
    };
    let Some((before, rest)) = pattern.split_once('«') else {
        return repeated(pattern);
    };
    let (part, after) = rest.split_once('»').unwrap();
    vec![format!("{before}{}{after}", repeated(part).concat())]
}

const KEYS: &str = "op.create_foreign_key(None, 't', 'u', ['c{at}'], ['id'])";
const KEYS_OF_MANY: &str = "op.create_foreign_key(None, 't{at}', 'u', ['c{at}'], ['id'])";
const NAMED_KEYS: &str = "op.create_foreign_key('k{at}', 't', 'u', ['c{at}'], ['id'])";
const ONE_NAME: &str = "op.create_foreign_key('k', 't{at}', 'u', ['c'], ['id'])";
const UNIQUE: &str = "op.create_unique_constraint(None, 't', ['c{at}'])";
const COLUMNS: &str = "op.add_column('t', sa.Column('c{at}', sa.Integer, sa.ForeignKey('u.id')))";
const DROPS: &str = "op.drop_constraint(None, 't', type_='foreignkey')";
const DROPS_OF_OTHERS: &str = "op.drop_constraint('n{at}', 'x{at}', type_='foreignkey')";
const NAMED_DROPS: &str = "op.drop_constraint('z{at}', 't', type_='foreignkey')";
const DROPS_OF_ONE_NAME: &str = "op.drop_constraint('k', 't{at}', type_='foreignkey')";
const DROPS_OF_INDEXES: &str = "op.drop_index('i{at}', 't')";
const DROPS_OF_COLUMNS: &str = "op.drop_column('t', 'c{at}')";
const ADDED_BY_SQL: &str = "op.execute('ALTER TABLE t ADD UNIQUE (c{at})')";
const CLAUSES: &str = "op.execute('''ALTER TABLE t «ADD FOREIGN KEY (c{at}) REFERENCES u (id),\n»ADD COLUMN d int''')";
const STATEMENTS: &str = "op.execute('''«ALTER TABLE t ADD CHECK (c > {at});\n»''')";
const NAMED_BY_SQL: &str = "op.execute('ALTER TABLE t ADD CONSTRAINT k{at} CHECK (q > {at})')";
const DROPPED_BY_SQL: &str = "op.execute('ALTER TABLE t DROP CONSTRAINT t_c{at}_key')";
const RENAMED_BY_SQL: &str = "op.execute('ALTER TABLE t RENAME CONSTRAINT t_c{at}_key TO k{at}')";
const IGNORED: &str =
    "op.create_foreign_key(None, 't', 'u', ['c{at}'], ['id'])  # alembic-named: ignore[unnamed-constraint]";
const IN_ONE_LINE: &str = "«op.create_foreign_key(None, 't', 'u', ['c{at}'], ['id']); »pass";

/// What the upgrade and the downgrade hold so many times.
const ALL: [(&[&str], &[&str]); 21] = [
    (&[KEYS], &[]),
    (&[KEYS_OF_MANY], &[]),
    (&[KEYS], &[DROPS]),
    (&[KEYS], &[NAMED_DROPS]),
    (&[KEYS_OF_MANY], &[DROPS_OF_OTHERS]),
    (&[KEYS], &[DROPPED_BY_SQL]),
    (&[NAMED_KEYS], &[NAMED_DROPS]),
    (&[ONE_NAME], &[DROPS_OF_ONE_NAME]),
    (&[UNIQUE], &[DROPS_OF_INDEXES]),
    (&[COLUMNS], &[DROPS_OF_COLUMNS]),
    (&[COLUMNS], &[]),
    (&[ADDED_BY_SQL], &[DROPPED_BY_SQL]),
    (&[CLAUSES], &[]),
    (&[STATEMENTS], &[]),
    (&[STATEMENTS], &[DROPPED_BY_SQL]),
    (&[NAMED_BY_SQL], &[DROPPED_BY_SQL]),
    (&[NAMED_BY_SQL], &[NAMED_DROPS]),
    (&[ADDED_BY_SQL], &[RENAMED_BY_SQL]),
    (&[IGNORED], &[]),
    (&[IN_ONE_LINE], &[]),
    (&[KEYS, ADDED_BY_SQL, RENAMED_BY_SQL], &[DROPS, DROPPED_BY_SQL, DROPS_OF_INDEXES]),
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
        let all = |patterns: &[&str], count| -> Vec<String> {
            let patterns = patterns.iter();
            patterns.flat_map(|pattern| lines(pattern, count)).collect()
        };
        let of = |count| steps(&all(upgrade, count), &all(downgrade, count), url, metadata, "");
        let first = if upgrade == [ONE_NAME] { MANY } else { FEW };
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
    let table = "class M{at}(Base):\n    __tablename__ = 't{at}'\n    c{at} = sa.Column(sa.ForeignKey('u.id'))\n";
    let tables = |count| lines(table, count).concat();
    let of = |count| steps(&lines(KEYS_OF_MANY, count), &[], PG, "pass", &tables(count));
    assert_linear(of, FEW, "keys with models");
}
