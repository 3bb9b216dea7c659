//! Drops on MariaDB.

use super::RULE;
use crate::diagnostic::Diagnostic;
use crate::fix::Safety;
use crate::rules::harness::{ANY, MYSQL, PG, SQLITE, check_last_on, fixed, of_migration};

fn of(upgrade: &str, downgrade: &str, head: bool) -> Vec<Diagnostic> {
    on(MYSQL, upgrade, downgrade, head)
}

/// What is found on a database. In the code, `TABLE` and `KEYS` stand for what they are set to below.
fn on(url: &str, upgrade: &str, downgrade: &str, head: bool) -> Vec<Diagnostic> {
    let body = |code: &str| {
        let code = code.replace("TABLE\n", TABLE).replace("KEYS", KEYS);
        format!("    {}", code.replace('\n', "\n    "))
    };
    own(of_migration(url, &body(upgrade), &body(downgrade), head))
}

fn own(mut found: Vec<Diagnostic>) -> Vec<Diagnostic> {
    found.retain(|one| one.rule == &RULE);
    found
}

const TABLE: &str = "op.create_table('t', sa.Column('id', sa.Integer(), nullable=False), sa.Column('p', sa.Integer()), sa.Column('q', sa.Integer()), \
     sa.ForeignKeyConstraint(['p'], ['r.id'], name='fk'), sa.PrimaryKeyConstraint('id'))\n";

const KEYS: &str = "op.create_index('ix', 't', ['p'])\nop.create_foreign_key('fk', 't', 'r', ['p'], ['id'])\nop.create_index('iy', 't', ['q'])\nop.create_foreign_key('fj', 't', 'r', ['q'], ['id'])";

/// Each fails with error 1553 on MariaDB 10.11.
const REFUSED: &[&str] = &[
    "TABLE\nop.create_index('ix', 't', ['p']) | op.drop_index('ix', 't')\nop.drop_table('t')",
    "TABLE\nop.create_index('ix', 't', ['p'], unique=True) | op.drop_index('ix', 't')\nop.drop_table('t')",
    "TABLE\nop.create_index('ix', 't', ['p', 'q']) | op.drop_index('ix', 't')\nop.drop_table('t')",
    "TABLE\nop.create_index('ix', 't', ['p'])\nop.create_index('iy', 't', ['p', 'q']) | \
     op.drop_index('iy', 't')\nop.drop_index('ix', 't')\nop.drop_table('t')",
    "TABLE\nop.create_unique_constraint('uq', 't', ['p', 'q']) | \
     op.drop_constraint('uq', 't', type_='unique')\nop.drop_constraint('fk', 't', type_='foreignkey')",
    "op.create_table('t', sa.Column('q', sa.Integer(), primary_key=True), sa.Column('p', sa.Integer(), sa.ForeignKey('r.id'), primary_key=True))\nop.create_index('ix', 't', ['p']) | \
     op.drop_index('ix', 't')\nop.drop_table('t')",
    "op.create_table('t', sa.Column('id', sa.Integer()), sa.ForeignKeyConstraint(['p', 'q'], ['r.a', 'r.b']))\nop.create_index('ix', 't', ['p', 'q', 'id']) | \
     op.drop_index('ix', 't')\nop.drop_table('t')",
    // A column with its key.
    "op.add_column('t', sa.Column('p', sa.Integer(), sa.ForeignKey('r.id', name='fk')))\nop.create_index('ix', 't', ['p']) | \
     op.drop_index('ix', 't')\nop.drop_column('t', 'p')",
    // The column itself.
    "op.add_column('t', sa.Column('p', sa.Integer()))\nop.create_foreign_key('fk', 't', 'r', ['p'], ['id']) | \
     op.drop_column('t', 'p')",
    // What the key refers to.
    "op.create_unique_constraint('uq', 'r', ['c'])\nop.create_foreign_key('fk', 't', 'r', ['c'], ['c']) | \
     op.drop_constraint('uq', 'r', type_='unique')\nop.drop_constraint('fk', 't', type_='foreignkey')",
    // Checks do not matter.
    "TABLE\nop.create_index('ix', 't', ['p'])\nop.execute('ALTER TABLE t ADD CONSTRAINT ck CHECK (p > 0)') | \
     op.drop_index('ix', 't')\nop.drop_table('t')",
    // What the upgrade drops and the downgrade brings back was there before.
    "op.drop_index('ix', 't')\nop.drop_constraint('fk', 't', type_='foreignkey') | \
     op.create_foreign_key('fk', 't', 'r', ['p'], ['id'])\nop.create_index('ix', 't', ['p'])",
    // A column's own index, under the name that SQLAlchemy gives it.
    "op.create_table('t', sa.Column('p', sa.Integer(), sa.ForeignKey('r.id'), index=True)) | \
     op.drop_index('ix_t_p', 't')\nop.drop_table('t')",
];

/// Each passes on MariaDB 10.11.
const ACCEPTED: &[&str] = &[
    "TABLE\nop.create_index('ix', 't', ['q', 'p']) | op.drop_index('ix', 't')\nop.drop_table('t')",
    "TABLE\nop.create_index('ix', 't', ['q']) | op.drop_index('ix', 't')\nop.drop_table('t')",
    // Another index that starts so serves as well, until it is dropped too.
    "TABLE\nop.create_index('ix', 't', ['p'])\nop.create_index('iy', 't', ['p', 'q']) | \
     op.drop_index('iy', 't')\nop.drop_table('t')",
    "TABLE\nop.create_index('ix', 't', ['p'])\nop.create_unique_constraint('uq', 't', ['p', 'q']) | \
     op.drop_index('ix', 't')\nop.drop_table('t')",
    "TABLE\nop.create_index('ix', 't', ['p']) | \
     op.drop_constraint('fk', 't', type_='foreignkey')\nop.drop_index('ix', 't')",
    "TABLE\nop.create_index('ix', 't', ['p']) | op.create_index('iz', 't', ['p'])\nop.drop_index('ix', 't')",
    "TABLE\nop.create_index('ix', 't', ['p']) | op.drop_table('t')",
    // The primary key is an index, its columns in their order.
    "op.create_table('t', sa.Column('p', sa.Integer(), sa.ForeignKey('r.id'), primary_key=True), sa.Column('q', sa.Integer(), primary_key=True))\nop.create_index('ix', 't', ['p']) | \
     op.drop_index('ix', 't')\nop.drop_table('t')",
    // A key of two columns needs both.
    "op.create_table('t', sa.Column('id', sa.Integer()), sa.ForeignKeyConstraint(['p', 'q'], ['r.a', 'r.b']))\nop.create_index('ix', 't', ['p']) | \
     op.drop_index('ix', 't')\nop.drop_table('t')",
    "op.add_column('t', sa.Column('p', sa.Integer()))\nop.create_foreign_key('fk', 't', 'r', ['p'], ['id']) | \
     op.drop_constraint('fk', 't', type_='foreignkey')\nop.drop_column('t', 'p')",
    "op.add_column('t', sa.Column('p', sa.Integer())) | op.drop_column('t', 'p')",
    "op.create_unique_constraint('uq', 'r', ['c'])\nop.create_foreign_key('fk', 't', 'r', ['c'], ['c']) | \
     op.drop_constraint('fk', 't', type_='foreignkey')\nop.drop_constraint('uq', 'r', type_='unique')",
    "op.drop_constraint('fk', 't', type_='foreignkey')\nop.drop_index('ix', 't') | \
     op.create_index('ix', 't', ['p'])\nop.create_foreign_key('fk', 't', 'r', ['p'], ['id'])",
    "op.create_index('iz', 't', ['p'])\nop.drop_index('ix', 't')\nop.drop_constraint('fk', 't', type_='foreignkey') | \
     op.create_index('ix', 't', ['p'])\nop.drop_index('iz', 't')\nop.create_foreign_key('fk', 't', 'r', ['p'], ['id'])",
    // Whoever looks at the database, or lets it fail, knows.
    "TABLE\nop.create_index('ix', 't', ['p']) | if x:\n    op.drop_index('ix', 't')\nop.drop_table('t')",
    "TABLE\nop.create_index('ix', 't', ['p']) | \
     try:\n    op.drop_index('ix', 't')\nexcept Exception:\n    pass\nop.drop_table('t')",
    "TABLE\nop.create_index('ix', 't', ['p']) | \
     with suppress(Exception):\n    op.drop_index('ix', 't')\nop.drop_table('t')",
    "TABLE\nop.create_index('ix', 't', ['p']) | \
     if mysql():\n    return\nop.drop_index('ix', 't')\nop.drop_table('t')",
    "TABLE\nop.create_index('ix', 't', ['p']) | \
     op.execute('SET foreign_key_checks = 0')\nop.drop_index('ix', 't')\nop.drop_table('t')",
    "TABLE\nop.create_index('ix', 't', ['p']) | \
     op.execute('ALTER TABLE t DROP FOREIGN KEY fk')\nop.drop_index('ix', 't')",
    "TABLE\nop.create_index('ix', 't', ['p']) | op.execute('CREATE INDEX iz ON t (p)')\nop.drop_index('ix', 't')",
    "TABLE\nop.create_index('ix', 't', ['p'])\nop.create_index('iy', 't', ['p', 'q']) | \
     if x:\n    op.drop_index('iy', 't')\nop.drop_index('ix', 't')",
    "TABLE\nop.create_index('ix', 't', ['p'])\nop.create_index('iy', 't', ['p', 'q']) | \
     if x:\n    op.get_bind().execute('DROP INDEX iy ON t')\nop.drop_index('ix', 't')",
    "TABLE\nop.create_index('ix', 't', ['p'], mysql_length=3) | op.drop_index('ix', 't')",
];

#[test]
fn an_index_is_not_dropped_before_the_key_that_needs_it() {
    for (rows, expected) in [(REFUSED, 1), (ACCEPTED, 0)] {
        for row in rows {
            let (upgrade, downgrade) = row.split_once(" | ").unwrap();
            let found = of(upgrade, downgrade, false);
            assert_eq!(found.len(), expected, "{row}\n{found:?}");
        }
    }
}

#[test]
fn other_databases_drop_an_index_at_any_time() {
    let upgrade = "TABLE\nop.create_index('ix', 't', ['p'])";
    let downgrade = "op.drop_index('ix', 't')\nop.drop_table('t')";
    for url in [PG, SQLITE, ANY] {
        let found = on(url, upgrade, downgrade, false);
        assert!(found.is_empty(), "{url} {found:?}");
    }
}

fn fixed_downgrade(upgrade: &str, downgrade: &str) -> String {
    let after = fixed(&of(upgrade, downgrade, false));
    let (_, downgrade) = after.text().split_once("def downgrade():\n").unwrap();
    downgrade.trim_end().replace("\n    ", "\n").trim_start().to_owned()
}

/// Upgrade, downgrade, and the downgrade with the fixes in it.
const FIXED: &[&str] = &[
    "KEYS | \
     # ### commands auto generated by Alembic - please adjust! ###\nop.drop_index('ix', 't')\n# The key.\nop.drop_constraint('fk', 't', type_='foreignkey')  # its drop\nop.drop_constraint('fj', 't', type_='foreignkey')\nop.drop_index('iy', 't')\n# ### end Alembic commands ### | \
     # ### commands auto generated by Alembic - please adjust! ###\n# The key.\nop.drop_constraint('fk', 't', type_='foreignkey')  # its drop\nop.drop_index('ix', 't')\nop.drop_constraint('fj', 't', type_='foreignkey')\nop.drop_index('iy', 't')\n# ### end Alembic commands ###",
    "KEYS | \
     op.drop_index('ix', 't')\nop.drop_index('iy', 't')\nop.drop_constraint('fk', 't', type_='foreignkey')\nop.drop_constraint(\n    'fj', 't',\n    type_='foreignkey',\n) | \
     op.drop_constraint('fk', 't', type_='foreignkey')\nop.drop_index('ix', 't')\nop.drop_constraint(\n    'fj', 't',\n    type_='foreignkey',\n)\nop.drop_index('iy', 't')",
    "KEYS | \
     with op.batch_alter_table('t') as b:\n    b.drop_index('ix')\n    b.drop_constraint('fk', type_='foreignkey') | \
     with op.batch_alter_table('t') as b:\n    b.drop_constraint('fk', type_='foreignkey')\n    b.drop_index('ix')",
    "KEYS | \
     with op.batch_alter_table('t') as b:\n    b.drop_index('ix')\n\nwith op.batch_alter_table('t') as b:\n    b.drop_constraint('fk', type_='foreignkey')\n\nop.drop_table('u') | \
     with op.batch_alter_table('t') as b:\n    b.drop_constraint('fk', type_='foreignkey')\n\nwith op.batch_alter_table('t') as b:\n    b.drop_index('ix')\n\nop.drop_table('u')",
    // One key for two drops, of either table.
    "op.create_unique_constraint('uq', 'r', ['c'])\nop.create_index('ix', 't', ['c'])\nop.create_foreign_key('fk', 't', 'r', ['c'], ['c']) | \
     op.drop_index('ix', 't')\nop.drop_constraint('uq', 'r', type_='unique')\nop.drop_constraint('fk', 't', type_='foreignkey') | \
     op.drop_constraint('fk', 't', type_='foreignkey')\nop.drop_index('ix', 't')\nop.drop_constraint('uq', 'r', type_='unique')",
    // The table takes its indexes along.
    "TABLE\nop.create_index('ix', 't', ['p'])\nop.create_index('iq', 't', ['q']) | \
     with op.batch_alter_table('t') as b:\n    b.drop_index('iq')\n    b.drop_index('ix')\n\nop.drop_table('t') | \
     op.drop_table('t')",
    "TABLE\nop.create_index('ix', 't', ['p'])\nop.create_index('iq', 't', ['q']) | \
     op.drop_index('iq', 't')\nop.drop_index('ix', 't')\nop.drop_table('t') | \
     op.drop_index('iq', 't')\nop.drop_table('t')",
    // A column whose key nobody drops.
    "op.add_column('t', sa.Column('p', sa.Integer(), sa.ForeignKey('r.id', name='fk')))\nop.create_index('ix', 't', ['p']) | \
     op.drop_index('ix', 't')\nop.drop_column('t', 'p') | \
     op.drop_constraint(op.f('fk'), 't', type_='foreignkey')\nop.drop_index('ix', 't')\nop.drop_column('t', 'p')",
    "op.add_column('t', sa.Column('p', sa.Integer()))\nop.create_foreign_key('fk', 't', 'r', ['p'], ['id']) | \
     with op.batch_alter_table('t') as b:\n    # The column.\n    b.drop_column('p') | \
     with op.batch_alter_table('t') as b:\n    b.drop_constraint(b.f('fk'), type_='foreignkey')\n    # The column.\n    b.drop_column('p')",
    "op.add_column(\"o'r\", sa.Column(\"p\", sa.Integer()))\nop.create_foreign_key(\"f'k\", \"o'r\", \"r\", [\"p\"], [\"id\"]) | \
     op.drop_column(\"o'r\", \"p\") | \
     op.drop_constraint(op.f(\"f'k\"), \"o'r\", type_=\"foreignkey\")\nop.drop_column(\"o'r\", \"p\")",
    "op.add_column('o\\'r', sa.Column('p', sa.Integer()))\nop.create_foreign_key('fk', 'o\\'r', 'r', ['p'], ['id']) | \
     op.drop_column('o\\'r', 'p') | \
     op.drop_constraint(op.f('fk'), 'o\\'r', type_='foreignkey')\nop.drop_column('o\\'r', 'p')",
    "op.add_column(\"t\", sa.Column(\"p\", sa.Integer()))\nop.create_foreign_key(\"fk\", \"t\", \"r\", [\"p\"], [\"id\"]) | \
     with op.batch_alter_table(\"t\") as b:\n    b.drop_column(\"p\") | \
     with op.batch_alter_table(\"t\") as b:\n    b.drop_constraint(b.f(\"fk\"), type_=\"foreignkey\")\n    b.drop_column(\"p\")",
    // One key that nobody drops, for two drops.
    "op.create_unique_constraint('uq', 't', ['c'])\nop.create_index('ix', 't', ['p'])\nop.create_foreign_key('fk', 't', 't', ['p'], ['c']) | \
     op.drop_index('ix', 't')\nop.drop_constraint('uq', 't', type_='unique') | \
     op.drop_constraint(op.f('fk'), 't', type_='foreignkey')\nop.drop_index('ix', 't')\nop.drop_constraint('uq', 't', type_='unique')",
    // Nothing is left of the block.
    "TABLE\nop.create_unique_constraint('uq', 't', ['p']) | \
     with op.batch_alter_table('t') as b:\n    b.drop_constraint('uq', type_='unique')\n\nop.drop_table('t') | \
     op.drop_table('t')",
    // What is not alone on its line stays where it is.
    "KEYS | op.drop_index('ix', 't'); op.drop_constraint('fk', 't', type_='foreignkey') | \
     op.drop_index('ix', 't'); op.drop_constraint('fk', 't', type_='foreignkey')",
];

#[test]
fn the_key_is_dropped_first_with_its_comments() {
    for row in FIXED {
        let cells: Vec<&str> = row.split(" | ").collect();
        assert_eq!(fixed_downgrade(cells[0], cells[1]), cells[2]);
    }
    let safety = |head| {
        let down = "op.drop_index('ix', 't')\nop.drop_constraint('fk', 't', type_='foreignkey')";
        of("KEYS", down, head)[0].fix.as_ref().unwrap().safety
    };
    assert_eq!((safety(false), safety(true)), (Safety::Safe, Safety::Suggested));
}

/// What is found in the last of these revisions.
fn after(revisions: &[&str]) -> Vec<Diagnostic> {
    own(check_last_on(MYSQL, "target_metadata = None\n", revisions, false))
}

/// A revision with a downgrade.
fn both(upgrade: &str, downgrade: &str) -> String {
    format!(
        "from alembic import op\nimport sqlalchemy as sa\n{{0}}\ndef upgrade():\n    {upgrade}\ndef downgrade():\n    {downgrade}\n"
    )
}

const OLDER: &str = "op.create_table('t', sa.Column('id', sa.Integer(), primary_key=True), sa.Column('p', sa.Integer(), sa.ForeignKey('r.id')))";
const INDEX: &str = "op.create_index('ix', 't', ['p'])";

#[test]
fn a_key_of_an_older_revision_needs_its_index_too() {
    let indexed = both(INDEX, "op.drop_index('ix', 't')");
    for (between, expected) in [
        (&[][..], 1),
        // Another index serves, or served once and is gone.
        (&["op.create_index('iy', 't', ['p', 'id'])"], 0),
        (&["op.create_index('iy', 't', ['p', 'id'])", "op.drop_index('iy', 't')"], 1),
        (&["op.get_bind().execute(sa.text('CREATE INDEX iy ON t (p, id)'))"], 0),
        (&["op.execute('create unique index iy on t (p, id)')"], 0),
        // The key is gone, or may be.
        (&["op.drop_constraint('t_ibfk_1', 't', type_='foreignkey')"], 0),
        (&["op.execute('ALTER TABLE t DROP FOREIGN KEY t_ibfk_1')"], 0),
        (&["op.drop_column('t', 'p')"], 0),
    ] {
        let revisions = [&[OLDER], between, &[&indexed]].concat();
        let found = after(&revisions);
        assert_eq!(found.len(), expected, "{revisions:?}\n{found:?}");
    }
    // The key, or the table, is not known.
    for older in ["op.get_bind().execute(open('t.sql').read())", "pass"] {
        assert_eq!(after(&[older, &indexed]).len(), 0, "{older}");
    }
}

#[test]
fn an_upgrade_that_drops_an_older_index_is_found_as_well() {
    for (upgrade, expected) in [
        ("op.drop_index('ix', 't')", 1),
        ("op.create_index('iz', 't', ['p']); op.drop_index('ix', 't')", 0),
        ("op.drop_constraint('t_ibfk_1', 't', type_='foreignkey'); op.drop_index('ix', 't')", 0),
    ] {
        assert_eq!(after(&[OLDER, INDEX, upgrade]).len(), expected, "{upgrade}");
    }
    // The number of the key is known, and so is what drops it.
    let drops = "op.drop_index('ix', 't')\n    op.drop_constraint('t_ibfk_1', 't', type_='foreignkey')\n    op.create_foreign_key('fk', 't', 'r', ['p'], ['id'])";
    let found = after(&[OLDER, INDEX, drops]);
    assert_eq!(found.len(), 1, "{found:?}");
    let after = fixed(&found);
    assert!(
        after
            .text()
            .contains("def upgrade():\n    op.drop_constraint('t_ibfk_1'"),
        "{}",
        after.text()
    );
}

#[test]
fn a_key_of_another_table_counts_until_that_table_or_the_key_is_dropped() {
    let parent = "op.create_table('u', sa.Column('c', sa.Integer()), sa.UniqueConstraint('c', name='uq'))";
    let child =
        "op.create_table('v', sa.Column('c', sa.Integer()), sa.ForeignKeyConstraint(['c'], ['u.c'], name='fk'))";
    let last = "op.drop_constraint('uq', 'u', type_='unique')";
    assert_eq!(after(&[parent, child, last]).len(), 1);
    for drop in ["op.drop_constraint('fk', 'v', type_='foreignkey')", "op.drop_table('v')"] {
        assert_eq!(after(&[parent, child, drop, last]).len(), 0, "{drop}");
    }
}

#[test]
fn an_older_index_serves_a_new_key() {
    let keyed = both(
        "op.create_index('ix', 't', ['c']); op.create_foreign_key('fk', 't', 'r', ['c'], ['id'])",
        "op.drop_index('ix', 't'); op.drop_constraint('fk', 't', type_='foreignkey')",
    );
    let table = "op.create_table('t', sa.Column('id', sa.Integer(), primary_key=True), sa.Column('c', sa.Integer(), unique=True))";
    assert_eq!(after(&[table, &keyed]).len(), 0);
    assert_eq!(after(&[&table.replace(", unique=True", ""), &keyed]).len(), 1);
}
