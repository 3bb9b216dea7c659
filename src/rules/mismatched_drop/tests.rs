//! Small revisions in which something is found, and others in which nothing is.

use super::RULE;
use crate::diagnostic::Diagnostic;
use crate::rules::harness::{
    ANY, CK, MYSQL, PG, assert_finds, assert_finds_nothing, check_last, check_last_on, models, of_migration, revision,
    shown,
};

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
        &[
            "PG | op.create_unique_constraint('a', 't', ['c']) / op.drop_constraint('b', 't', type_='unique')",
            "PG | op.create_index('a', 't', ['c']) / op.drop_index('b', table_name='t')",
            "PG | op.drop_constraint('a', 't', type_='foreign_key')",
            "PG | op.execute('ALTER TABLE t ADD CONSTRAINT a UNIQUE (c)') / op.execute('ALTER TABLE t DROP CONSTRAINT b')",
            "PG | op.create_unique_constraint('a', 't', ['c']) / op.execute('ALTER TABLE t DROP CONSTRAINT b')",
            "PG | op.execute('ALTER TABLE t ADD CONSTRAINT a UNIQUE (c)') / op.drop_constraint('b', 't', type_='unique')",
            "PG | op.execute('ALTER TABLE t ADD CONSTRAINT a UNIQUE (c)'); op.execute(sa.update(t).values(x=1)) / op.execute('ALTER TABLE t DROP CONSTRAINT b')",
            "PG | op.execute('CREATE UNIQUE INDEX a ON t (c)') / op.drop_index('b', table_name='t')",
        ],
    );
    assert_finds_nothing(
        &RULE,
        &[
            "PG | op.drop_constraint('b', 't', type_='unique') / op.create_unique_constraint('a', 't', ['c'])",
            "PG | op.create_unique_constraint('a', 't', ['c']) / op.drop_constraint('a', 't', type_='unique')",
            "PG | op.drop_constraint('a', 't', type_='unique'); op.create_unique_constraint('b', 't', ['c']) / op.drop_constraint('b', 't', type_='unique'); op.create_unique_constraint('a', 't', ['c'])",
            "PG | op.create_unique_constraint('a', 't', ['c']) / op.drop_constraint('a', 't', type_='unique'); op.drop_constraint('old', 't', type_='unique')",
            "PG | op.create_unique_constraint('a', 't', ['c']) / op.drop_constraint('b', 'other', type_='unique')",
            "PG | op.create_unique_constraint(name(), 't', ['c']) / op.drop_constraint('b', 't', type_='unique')",
            "PG | op.create_unique_constraint('a', 't', ['c']); op.execute('ALTER TABLE t RENAME CONSTRAINT a TO b') / op.drop_constraint('b', 't', type_='unique')",
            "PG | op.execute('ALTER TABLE t ADD CONSTRAINT a UNIQUE (c)') / op.execute('ALTER TABLE t DROP CONSTRAINT A')",
            "PG | op.execute('ALTER TABLE t ADD CONSTRAINT a UNIQUE (c)') / op.drop_constraint('a', 't', type_='unique')",
            "PG | op.create_unique_constraint('a', 't', ['c']) / op.execute('ALTER TABLE t DROP CONSTRAINT a')",
            "PG | op.execute('ALTER TABLE t ADD CONSTRAINT a UNIQUE (c)'); op.execute('ALTER TABLE t RENAME CONSTRAINT a TO b') / op.execute('ALTER TABLE t DROP CONSTRAINT b')",
            "PG | op.execute('ALTER TABLE t ADD CONSTRAINT a UNIQUE (c)') / op.execute('ALTER TABLE t DROP CONSTRAINT a, DROP CONSTRAINT b')",
            "PG | op.execute('ALTER TABLE t ADD CONSTRAINT a UNIQUE (c)') / op.execute('ALTER TABLE t DROP CONSTRAINT IF EXISTS b')",
            "PG | op.execute('ALTER TABLE t ADD CONSTRAINT a UNIQUE (c)') / op.execute('ALTER TABLE u DROP CONSTRAINT b')",
            "PG | op.execute('ALTER TABLE t ADD CONSTRAINT a UNIQUE (c)') / op.execute('ALTER TABLE t DROP COLUMN c'); op.execute('ALTER TABLE t DROP CONSTRAINT b')",
            "PG | op.execute('ALTER TABLE t ADD CONSTRAINT a UNIQUE (c)'); op.execute(statement) / op.execute('ALTER TABLE t DROP CONSTRAINT b')",
            "PG | op.execute('ALTER TABLE t ADD CONSTRAINT a UNIQUE (c)'); op.execute(f'ALTER TABLE t ADD {x}') / op.execute('ALTER TABLE t DROP CONSTRAINT b')",
            "PG | op.execute('ALTER TABLE t ADD CONSTRAINT a UNIQUE (c)'); op.execute('DO $$ x $$') / op.execute('ALTER TABLE t DROP CONSTRAINT b')",
            "PG | op.create_unique_constraint('a', 't', ['c']); op.execute('ALTER TABLE t ADD UNIQUE (d)') / op.drop_constraint('b', 't', type_='unique')",
            "PG | op.execute('ALTER TABLE t ADD CONSTRAINT a UNIQUE (c)'); op.execute('ALTER TABLE t RENAME TO u') / op.execute('ALTER TABLE t DROP CONSTRAINT b')",
            "PG | op.execute('ALTER TABLE t ADD CONSTRAINT a UNIQUE (c)') / op.execute(f'ALTER TABLE t DROP CONSTRAINT {b}')",
            "PG | op.execute('CREATE UNIQUE INDEX a ON t (c)') / op.drop_index('a', table_name='t')",
            // A function of the database may make it.
            "PG | op.create_unique_constraint('a', 't', ['c']); op.get_bind().execute(sa.text(\"SELECT add('b')\")) / op.drop_constraint('b', 't', type_='unique')",
            "PG | op.create_unique_constraint('a', 't', ['c']); sql = \"SELECT add('b')\"; op.get_bind().execute(sa.text(sql)) / op.drop_constraint('b', 't', type_='unique')",
            "PG | op.create_unique_constraint('a', 't', ['c']); sql = \"SELECT add('B')\"; op.execute(sql) / op.drop_constraint('b', 't', type_='unique')",
            "PG | if x.dialect.name == 'postgresql': op.execute('ALTER TABLE t ADD CONSTRAINT a UNIQUE (c)') / if x.dialect.name == 'postgresql': op.execute('ALTER TABLE t DROP CONSTRAINT b')",
            "PG | op.drop_constraint('a', 't')",
            "PG | op.create_index('ix', 't', ['c']); op.create_foreign_key('fk', 't', 'r', ['c'], ['id']) / op.drop_index('ix', table_name='t'); op.drop_constraint('fk', 't', type_='foreignkey')",
        ],
    );
}

#[test]
fn on_mysql_a_foreign_key_is_dropped_by_a_statement_of_its_own() {
    assert_finds(
        &RULE,
        &[
            "MY | op.create_foreign_key('a', 't', 'u', ['c'], ['id']) / op.execute('ALTER TABLE t DROP FOREIGN KEY b')",
            "MY | op.drop_constraint('a', 't')",
            "MY | op.create_index('ix', 't', ['c']); op.create_foreign_key('fk', 't', 'r', ['c'], ['id']) / op.drop_index('ix', table_name='t'); op.drop_constraint('fk', 't', type_='foreignkey')",
        ],
    );
    assert_finds_nothing(
        &RULE,
        &["MY | op.create_index('a', 't', ['c']) / op.execute('ALTER TABLE t DROP FOREIGN KEY b')"],
    );
}

#[test]
fn a_wrong_type_and_a_table_in_its_place_are_found() {
    let takes_no_table = "a batch operation takes no table";
    let twice = "this is `type_` a second time, so Python refuses the call";
    let taken_for_type = "Alembic takes it for `type_`, and refuses it when this runs";
    let refused = "Alembic refuses it when this runs";
    for (call, message, label) in [
        ("b.drop_constraint('n', 't', type_='unique')", takes_no_table, twice),
        ("b.drop_constraint('n', 'other', type_='unique')", takes_no_table, twice),
        ("b.drop_constraint('n', 't')", takes_no_table, taken_for_type),
        ("b.drop_constraint('n', type_='uniq')", "`uniq` is no type of constraint", refused),
        ("b.drop_constraint('n', 'uniq')", "`uniq` is no type of constraint", refused),
        ("op.drop_constraint('n', 't', 't')", "`t` is no type of constraint", refused),
    ] {
        let downgrade = format!("    with op.batch_alter_table('t') as b:\n        {call}\n");
        let found = of_migration(ANY, "pass", &downgrade, false);
        let found: Vec<_> = found.iter().filter(|one| one.rule == &RULE).collect();
        let [only] = found.as_slice() else {
            panic!("{call}: {found:?}")
        };
        assert_eq!(only.message, message, "{call}");
        assert_eq!(only.focus.text, label, "{call}");
    }
}

/// What a drop of a check is told to drop instead, under a convention that builds on names and without one; `None` if it is right.
fn meant(url: &str, convention: &str, upgrade: &str, drop: &str) -> Option<String> {
    let revision = revision(upgrade, &format!("op.drop_constraint({drop})"));
    let all = check_last_on(url, &models(convention), &[&revision], false);
    let [only] = all.as_slice() else {
        assert!(all.is_empty(), "{all:?} in\n{revision}");
        return None;
    };
    assert_eq!(only.rule, &RULE);
    assert!(only.fix.is_some(), "{only:?}");
    only.suggested_name.clone()
}

/// Each was run with Alembic 1.20 and SQLAlchemy 2.1 on PostgreSQL and MariaDB.
#[test]
fn a_check_inside_a_column_is_dropped_by_the_name_that_it_has() {
    let own =
        "op.add_column('t', sa.Column('b', sa.Enum('x', name='b_enum', native_enum=False, create_constraint=True)))";
    let inline = "op.create_table('t', sa.Column('b', sa.Integer), sa.CheckConstraint('b > 0', name='b_enum'))";
    for upgrade in [own, inline] {
        for (convention, drop, expected) in [
            (CK, "'b_enum', 't', type_='check'", None),
            (CK, "op.f('ck_t_b_enum'), 't', type_='check'", None),
            (CK, "'b_enum', 't'", Some("ck_t_b_enum")),
            (CK, "op.f('b_enum'), 't', type_='check'", Some("ck_t_b_enum")),
            (CK, "'ck_t_b_enum', 't', type_='check'", Some("ck_t_b_enum")),
            ("None", "'ck_t_b_enum', 't', type_='check'", Some("b_enum")),
            ("None", "'b_enum', 't'", None),
            // Another one, of an older revision.
            (CK, "'other', 't', type_='check'", None),
            (CK, "'b_enum', 'u'", None),
            ("None", "'old_b_enum', 't', type_='check'", None),
        ] {
            assert_eq!(meant(PG, convention, upgrade, drop).as_deref(), expected, "{upgrade} {drop}");
        }
    }
    // On PostgreSQL the type is the database's own, and on MariaDB a column gets a check for it.
    let native = "op.add_column('t', sa.Column('b', sa.Boolean(create_constraint=True, name='b_bool')))";
    assert_eq!(meant(PG, CK, native, "op.f('b_bool'), 't', type_='check'"), None);
    let drop = "op.f('b_bool'), 't', type_='check'";
    assert_eq!(meant(MYSQL, CK, native, drop).as_deref(), Some("ck_t_b_bool"));
}

/// What is said of a revision in a project with a convention.
fn of(convention: &str, upgrade: &str, downgrade: &str) -> Vec<String> {
    let found = check_last(&models(convention), &[&revision(upgrade, downgrade)]);
    let found = found.into_iter().filter(|one| one.rule == &RULE);
    let text = |one: Diagnostic| {
        let edit = one.fix.map(|fix| fix.edits[0].text.clone());
        [one.message, one.help.unwrap(), edit.unwrap_or_default()].join(" | ")
    };
    found.map(text).collect()
}

/// A drop without `type_` drops a plain `Constraint`, for which no convention has a template. Each was run on PostgreSQL 15 with Alembic 1.20: what
/// is found fails, and what is not passes.
#[test]
fn a_convention_knows_neither_sql_nor_a_drop_that_does_not_say_its_kind() {
    let sql = "op.execute('ALTER TABLE ping ADD CONSTRAINT ck_ping_q CHECK (q > 0)')";
    let plain = "op.create_check_constraint('q', 'ping', 'q > 0')";
    let both = "{'ck': 'ck_%(table_name)s_%(constraint_name)s', 'uq': 'uq_%(table_name)s_%(column_0_name)s'}";
    let doubled =
        "`ck_ping_ck_ping_q` is dropped, and the upgrade creates `ck_ping_q` | drop `ck_ping_q` | op.f('ck_ping_q')";
    let by_sql = "`q` is dropped, and the upgrade creates `ck_ping_q` | drop `ck_ping_q` | ck_ping_q";
    let untyped = "`q` is dropped, and the upgrade creates `ck_ping_q` | add `type_='check'`, so that the convention makes the name of both; or drop `ck_ping_q` | op.f('ck_ping_q')";
    for (upgrade, downgrade, expected) in [
        (sql, "op.drop_constraint('ck_ping_q', 'ping', type_='check')", doubled),
        (sql, "op.drop_constraint(op.f('ck_ping_q'), 'ping', type_='check')", ""),
        (sql, "op.drop_constraint('ck_ping_q', 'ping')", ""),
        (sql, "op.drop_constraint('q', 'ping', type_='check')", ""),
        (sql, "op.execute('ALTER TABLE ping DROP CONSTRAINT ck_ping_q')", ""),
        (plain, "op.execute('ALTER TABLE ping DROP CONSTRAINT q')", by_sql),
        (plain, "op.execute('ALTER TABLE ping DROP CONSTRAINT ck_ping_q')", ""),
        (plain, "op.drop_constraint('q', 'ping')", untyped),
        (plain, "op.drop_constraint('ck_ping_q', 'ping')", ""),
        (plain, "op.drop_constraint('ck_ping_q', 'ping', type_='check')", doubled),
        (plain, "op.drop_constraint('q', 'ping', type_='check')", ""),
    ] {
        assert_eq!(of(both, upgrade, downgrade).join("\n"), expected, "{upgrade}\n{downgrade}");
        let without = of("None", upgrade, downgrade);
        let fails = upgrade == plain && downgrade.contains("ck_ping_q");
        assert_eq!(without.len(), usize::from(fails), "{upgrade}\n{downgrade}\n{without:?}");
    }
    // No template builds on the name of a unique constraint.
    let by_operation = "op.create_unique_constraint('u', 'ping', ['q'])";
    for (upgrade, downgrade) in [
        (by_operation, "op.drop_constraint('u', 'ping')"),
        (
            "op.execute('ALTER TABLE ping ADD CONSTRAINT u UNIQUE (q)')",
            "op.drop_constraint('u', 'ping', type_='unique')",
        ),
        (by_operation, "op.execute('ALTER TABLE ping DROP CONSTRAINT u')"),
    ] {
        for convention in [both, "None"] {
            assert!(of(convention, upgrade, downgrade).is_empty(), "{upgrade}\n{downgrade}");
        }
    }
}
