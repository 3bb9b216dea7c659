//! Small revisions in which something is found, and others in which nothing is.

use super::RULE;
use crate::rules::harness::{MYSQL, PG, assert_finds, assert_finds_nothing, check_last, of_migration, revision, shown};

#[test]
fn the_drop_gets_the_name_of_the_create() {
    let create = "op.create_unique_constraint('uq_order_code', 'order', ['code'])";
    let drop = "op.drop_constraint('order_code', 'order', type_='unique')";
    insta::assert_snapshot!(shown(&of_migration(PG, create, drop, false)), @r"
    7:24 error[mismatched-drop]: `order_code` is dropped, and the upgrade creates `uq_order_code`
      'order_code': this downgrade fails: there is no constraint of this name
      5:33: this is what it must drop
      help: drop `uq_order_code`
      Suggested fix: drop `uq_order_code`
    -     op.drop_constraint('order_code', 'order', type_='unique')
    +     op.drop_constraint(op.f('uq_order_code'), 'order', type_='unique')
    ");
}

#[test]
fn only_what_no_create_of_the_other_direction_can_mean_is_found() {
    assert_finds(
        &RULE,
        PG,
        &[
            "op.create_unique_constraint('a', 't', ['c']) / op.drop_constraint('b', 't', type_='unique')",
            "op.create_index('a', 't', ['c']) / op.drop_index('b', table_name='t')",
            "op.drop_constraint('a', 't', type_='foreign_key')",
            "op.execute('ALTER TABLE t ADD CONSTRAINT a UNIQUE (c)') / op.execute('ALTER TABLE t DROP CONSTRAINT b')",
            "op.create_unique_constraint('a', 't', ['c']) / op.execute('ALTER TABLE t DROP CONSTRAINT b')",
            "op.execute('ALTER TABLE t ADD CONSTRAINT a UNIQUE (c)') / op.drop_constraint('b', 't', type_='unique')",
            "op.execute('ALTER TABLE t ADD CONSTRAINT a UNIQUE (c)'); op.execute(sa.update(t).values(x=1)) / op.execute('ALTER TABLE t DROP CONSTRAINT b')",
            "op.execute('CREATE UNIQUE INDEX a ON t (c)') / op.drop_index('b', table_name='t')",
        ],
    );
    assert_finds_nothing(
        &RULE,
        PG,
        &[
            "op.drop_constraint('b', 't', type_='unique') / op.create_unique_constraint('a', 't', ['c'])",
            "op.create_unique_constraint('a', 't', ['c']) / op.drop_constraint('a', 't', type_='unique')",
            "op.drop_constraint('a', 't', type_='unique'); op.create_unique_constraint('b', 't', ['c']) / op.drop_constraint('b', 't', type_='unique'); op.create_unique_constraint('a', 't', ['c'])",
            "op.create_unique_constraint('a', 't', ['c']) / op.drop_constraint('a', 't', type_='unique'); op.drop_constraint('old', 't', type_='unique')",
            "op.create_unique_constraint('a', 't', ['c']) / op.drop_constraint('b', 'other', type_='unique')",
            "op.create_unique_constraint(name(), 't', ['c']) / op.drop_constraint('b', 't', type_='unique')",
            "op.create_unique_constraint('a', 't', ['c']); op.execute('ALTER TABLE t RENAME CONSTRAINT a TO b') / op.drop_constraint('b', 't', type_='unique')",
            "op.execute('ALTER TABLE t ADD CONSTRAINT a UNIQUE (c)') / op.execute('ALTER TABLE t DROP CONSTRAINT A')",
            "op.execute('ALTER TABLE t ADD CONSTRAINT a UNIQUE (c)') / op.drop_constraint('a', 't', type_='unique')",
            "op.create_unique_constraint('a', 't', ['c']) / op.execute('ALTER TABLE t DROP CONSTRAINT a')",
            "op.execute('ALTER TABLE t ADD CONSTRAINT a UNIQUE (c)'); op.execute('ALTER TABLE t RENAME CONSTRAINT a TO b') / op.execute('ALTER TABLE t DROP CONSTRAINT b')",
            "op.execute('ALTER TABLE t ADD CONSTRAINT a UNIQUE (c)') / op.execute('ALTER TABLE t DROP CONSTRAINT a, DROP CONSTRAINT b')",
            "op.execute('ALTER TABLE t ADD CONSTRAINT a UNIQUE (c)') / op.execute('ALTER TABLE t DROP CONSTRAINT IF EXISTS b')",
            "op.execute('ALTER TABLE t ADD CONSTRAINT a UNIQUE (c)') / op.execute('ALTER TABLE u DROP CONSTRAINT b')",
            "op.execute('ALTER TABLE t ADD CONSTRAINT a UNIQUE (c)') / op.execute('ALTER TABLE t DROP COLUMN c'); op.execute('ALTER TABLE t DROP CONSTRAINT b')",
            "op.execute('ALTER TABLE t ADD CONSTRAINT a UNIQUE (c)'); op.execute(statement) / op.execute('ALTER TABLE t DROP CONSTRAINT b')",
            "op.execute('ALTER TABLE t ADD CONSTRAINT a UNIQUE (c)'); op.execute(f'ALTER TABLE t ADD {x}') / op.execute('ALTER TABLE t DROP CONSTRAINT b')",
            "op.execute('ALTER TABLE t ADD CONSTRAINT a UNIQUE (c)'); op.execute('DO $$ x $$') / op.execute('ALTER TABLE t DROP CONSTRAINT b')",
            "op.create_unique_constraint('a', 't', ['c']); op.execute('ALTER TABLE t ADD UNIQUE (d)') / op.drop_constraint('b', 't', type_='unique')",
            "op.execute('ALTER TABLE t ADD CONSTRAINT a UNIQUE (c)'); op.execute('ALTER TABLE t RENAME TO u') / op.execute('ALTER TABLE t DROP CONSTRAINT b')",
            "op.execute('ALTER TABLE t ADD CONSTRAINT a UNIQUE (c)') / op.execute(f'ALTER TABLE t DROP CONSTRAINT {b}')",
            "op.execute('CREATE UNIQUE INDEX a ON t (c)') / op.drop_index('a', table_name='t')",
            "if x.dialect.name == 'postgresql': op.execute('ALTER TABLE t ADD CONSTRAINT a UNIQUE (c)') / if x.dialect.name == 'postgresql': op.execute('ALTER TABLE t DROP CONSTRAINT b')",
            "op.drop_constraint('a', 't')",
            "op.create_index('ix', 't', ['c']); op.create_foreign_key('fk', 't', 'r', ['c'], ['id']) / op.drop_index('ix', table_name='t'); op.drop_constraint('fk', 't', type_='foreignkey')",
        ],
    );
}

#[test]
fn on_mysql_a_foreign_key_is_dropped_by_a_statement_of_its_own() {
    assert_finds(
        &RULE,
        MYSQL,
        &[
            "op.create_foreign_key('a', 't', 'u', ['c'], ['id']) / op.execute('ALTER TABLE t DROP FOREIGN KEY b')",
            "op.drop_constraint('a', 't')",
            "op.create_index('ix', 't', ['c']); op.create_foreign_key('fk', 't', 'r', ['c'], ['id']) / op.drop_index('ix', table_name='t'); op.drop_constraint('fk', 't', type_='foreignkey')",
        ],
    );
    assert_finds_nothing(
        &RULE,
        MYSQL,
        &["op.create_index('a', 't', ['c']) / op.execute('ALTER TABLE t DROP FOREIGN KEY b')"],
    );
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
        let revision = revision("op.create_check_constraint('valid', 't', 'c > 0')", drop);
        let found = check_last(models, &[&revision]);
        let found = found.iter().find(|one| one.rule == &RULE);
        assert_eq!(found.map(|one| one.message.as_str()), expected, "{drop}");
    }
}
