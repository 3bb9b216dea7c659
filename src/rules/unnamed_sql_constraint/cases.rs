//! Small revisions in which something is found, and others in which nothing is.

use super::RULE;
use crate::rules::harness::{MYSQL, PG, assert_finds, assert_finds_nothing, of_migration, shown};

#[test]
fn the_sql_gets_the_name_and_the_drop_with_it() {
    let add = "op.execute('ALTER TABLE a ADD UNIQUE (b)')";
    let drop = "op.execute('ALTER TABLE a DROP CONSTRAINT a_b_key')";
    insta::assert_snapshot!(shown(&of_migration(PG, add, drop, false)), @r"
    5:35 warning[unnamed-sql-constraint]: this SQL adds a unique constraint on `a` without a name
      UNIQUE (b): Alembic never learns the name it gets
      7:47: `a_b_key` is what one database calls it
      help: write `ADD CONSTRAINT uq_a_b UNIQUE (b)`, and drop it by that name
      Safe fix: name it `uq_a_b`
    -     op.execute('ALTER TABLE a ADD UNIQUE (b)')
    +     op.execute('ALTER TABLE a ADD CONSTRAINT uq_a_b UNIQUE (b)')
    -     op.execute('ALTER TABLE a DROP CONSTRAINT a_b_key')
    +     op.execute('ALTER TABLE a DROP CONSTRAINT uq_a_b')
    ");
}

#[test]
fn constraints_without_names_are_found_in_sql() {
    assert_finds(
        &RULE,
        PG,
        &[
            "op.execute(sa.text('''ALTER TABLE a ADD FOREIGN KEY (b) REFERENCES c'''))",
            "op.execute(f'ALTER TABLE {t} ADD UNIQUE ({c})')",
        ],
    );
    assert_finds_nothing(&RULE, MYSQL, &["op.execute('ALTER TABLE a ADD PRIMARY KEY (id)')"]);
    assert_finds_nothing(&RULE, PG, &["op.execute(statement)"]);
}

#[test]
fn an_endless_chain_of_calls_costs_nothing() {
    let chain = ".where(x)".repeat(200);
    let found = of_migration(PG, &format!("q = sa.select(T){chain}\nop.execute(q)"), "pass", false);
    assert!(found.is_empty());
}
