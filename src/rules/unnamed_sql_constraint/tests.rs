//! Small migrations with SQL, on each database.

use super::RULE;
use crate::diagnostic::Diagnostic;
use crate::fix::{Fix, Safety, apply};
use crate::rules::harness::{ANY, MARIADB, MYSQL, PG, SQLITE, cells, of_migration, shown};

/// The body of a function. A line that is an action of `ALTER TABLE` stands for the call that runs it on table `a`.
fn body(code: &str) -> String {
    let line = |line: &str| {
        let action = line.trim_start();
        let is_action = ["ADD ", "DROP ", "RENAME "].iter().any(|word| action.starts_with(word));
        if is_action && !code.contains("'''") {
            let indent = &line[..line.len() - action.len()];
            format!("    {indent}op.execute('ALTER TABLE a {action}')\n")
        } else {
            format!("    {line}\n")
        }
    };
    code.lines().map(line).collect()
}

fn of(url: &str, upgrade: &str, downgrade: &str, head: bool) -> Vec<Diagnostic> {
    of_migration(url, &body(upgrade), &body(downgrade), head)
}

fn own(found: &[Diagnostic]) -> Vec<&Diagnostic> {
    found.iter().filter(|one| one.rule == &RULE).collect()
}

/// The migration with the fixes in it, in which nothing is found any more.
#[track_caller]
fn fixed(url: &str, upgrade: &str, downgrade: &str, head: bool) -> String {
    let found = of(url, upgrade, downgrade, head);
    let fixes: Vec<&Fix> = own(&found).iter().filter_map(|one| one.fix.as_ref()).collect();
    assert_eq!(
        fixes.len(),
        own(&found).len(),
        "{upgrade}: {:?}",
        own(&found).iter().map(|one| &one.help).collect::<Vec<_>>()
    );
    assert!(!fixes.is_empty(), "{upgrade}");
    let after = apply(&found[0].file, fixes);
    let (_, directions) = after.split_once("def upgrade():\n").unwrap();
    let (upgrade, downgrade) = directions.split_once("def downgrade():\n").unwrap();
    let left = of_migration(url, upgrade, downgrade, head);
    let left: Vec<_> = left.iter().map(|one| (one.rule.name, &one.message)).collect();
    assert!(left.is_empty(), "{left:?} in\n{after}");
    after
}

#[track_caller]
fn help(url: &str, upgrade: &str, downgrade: &str) -> String {
    let found = of(url, upgrade, downgrade, false);
    let own = own(&found);
    assert_eq!(own.len(), 1, "{upgrade}");
    assert!(own[0].fix.is_none(), "{upgrade}: {:?}", own[0].fix);
    own[0].help.clone().unwrap()
}

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
fn an_endless_chain_of_calls_costs_nothing() {
    let chain = ".where(x)".repeat(200);
    let found = of_migration(PG, &format!("q = sa.select(T){chain}\nop.execute(q)"), "pass", false);
    assert!(found.is_empty());
}

#[test]
fn sql_is_read_wherever_it_surely_goes_to_the_database() {
    for upgrade in [
        "op.execute('ALTER TABLE a ADD UNIQUE (b)')",
        "op.execute(sqltext='ALTER TABLE a ADD UNIQUE (b)')",
        "op.execute(sa.text('''ALTER TABLE a ADD UNIQUE (b)''').bindparams(x=1))",
        "op.execute(sa.text('ALTER TABLE a ADD UNIQUE (b)').execution_options(autocommit=True))",
        "op.execute(textwrap.dedent('''\n  ALTER TABLE a\n    ADD UNIQUE (b)\n'''))",
        "op.execute(sa.DDL('ALTER TABLE a ADD UNIQUE (b)'))",
        "op.get_bind().execute(text('ALTER TABLE a ADD UNIQUE (b)'))",
        "conn = op.get_bind()\nconn.execute(text('ALTER TABLE a ADD UNIQUE (b)'))",
        "bind = op.get_bind()\nbind.exec_driver_sql('ALTER TABLE a ADD UNIQUE (b)')",
        "op.get_context().bind.execute(text('ALTER TABLE a ADD UNIQUE (b)'))",
        "session = Session(bind=op.get_bind())\nsession.execute(text('ALTER TABLE a ADD UNIQUE (b)'))",
        "with op.get_bind().begin() as c:\n    c.execute(text('ALTER TABLE a ADD UNIQUE (b)'))",
        "with op.get_context().autocommit_block():\n    op.execute('ALTER TABLE a ADD UNIQUE (b)')",
        "with op.batch_alter_table('a') as batch_op:\n    batch_op.execute('ALTER TABLE a ADD UNIQUE (b)')",
        "if context.is_offline_mode():\n    op.execute('ALTER TABLE a ADD UNIQUE (b)')",
        "def run(conn):\n    conn.execute(text('ALTER TABLE a ADD UNIQUE (b)'))\nrun(op.get_bind())",
        "def run(conn: Optional['Connection']):\n    conn.execute(text('ALTER TABLE a ADD UNIQUE (b)'))\nrun(x)",
        "def run(o):\n    o.execute('ALTER TABLE a ADD UNIQUE (b)')\nrun(op)",
        "def run(execute):\n    execute('ALTER TABLE a ADD UNIQUE (b)')\nrun(op.execute)",
        "getattr(op, 'execute')('ALTER TABLE a ADD UNIQUE (b)')",
        "functools.partial(op.execute, 'ALTER TABLE a ADD UNIQUE (b)')()",
        "for s in ['SELECT 1', 'ALTER TABLE a ADD UNIQUE (b)']:\n    op.execute(s)",
        "S = ('ALTER TABLE a ADD UNIQUE (b)',)\nfor s in S:\n    op.execute(text(s))",
        "s = 'ALTER TABLE a ADD UNIQUE (b)'\nop.execute(s)",
        "op.execute('ALTER TABLE a ' 'ADD UNIQUE (b)')",
        "op.execute('ALTER TABLE a ' + 'ADD UNIQUE (b)')",
        "t = 'a'\nop.execute(f'ALTER TABLE {t} ADD UNIQUE (b)')",
        "op.execute('ALTER TABLE %s ADD UNIQUE (b)' % 'a')",
        "op.execute('ALTER TABLE %(t)s ADD UNIQUE (b)' % {'t': 'a'})",
        "op.execute('ALTER TABLE {} ADD UNIQUE (b)'.format('a'))",
        "op.execute('ALTER TABLE {t} ADD UNIQUE (b)'.format(t='a'))",
        "op.execute('UPDATE x SET y = 1; ALTER TABLE a ADD UNIQUE (b);')",
        "for t, c in [('a', 'b')]:\n    op.execute(f'ALTER TABLE {t} ADD UNIQUE ({c})')",
    ] {
        let found = of(PG, upgrade, "pass", false);
        let names: Vec<_> = own(&found).iter().map(|one| one.suggested_name.clone()).collect();
        assert_eq!(names, [Some("uq_a_b".to_owned())], "{upgrade}");
    }
}

#[test]
fn a_table_or_column_that_is_put_in_later_gets_no_name() {
    for upgrade in [
        "op.execute(f'ALTER TABLE {t()} ADD UNIQUE (b)')",
        "op.execute('ALTER TABLE %s ADD UNIQUE (b)' % t())",
        "op.execute('ALTER TABLE {} ADD UNIQUE (b)'.format(*t()))",
        "op.execute('ALTER TABLE ' + t() + ' ADD UNIQUE (b)')",
        "op.execute(f'ALTER TABLE a ADD UNIQUE ({c!r})')",
        "op.execute(f'ALTER TABLE {t} ADD UNIQUE ({c})')",
    ] {
        assert!(
            help(PG, upgrade, "pass").contains("choose a name and write `ADD CONSTRAINT name UNIQUE ("),
            "{upgrade}"
        );
    }
}

#[test]
fn what_is_not_certain_or_has_a_name_is_left_alone() {
    for row in [
        "PG | op.execute(statement)",
        "PG | op.execute(statement + ' ADD UNIQUE (b)')",
        "PG | op.execute(f'ALTER TABLE a {x}')",
        "PG | op.execute(f'ALTER TABLE a ADD {x} (b)')",
        "PG | op.execute(f'ALTER TABLE a ADD CONSTRAINT {x} UNIQUE (b)')",
        "PG | print('ALTER TABLE a ADD UNIQUE (b)')",
        "PG | cursor.execute('ALTER TABLE a ADD UNIQUE (b)')",
        "PG | conn = op.get_bind()\nconn = sqlite3.connect('x')\nconn.execute('ALTER TABLE a ADD UNIQUE (b)')",
        "PG | def run(conn):\n    conn.execute('ALTER TABLE a ADD UNIQUE (b)')\nrun(sqlite3.connect('x'))",
        "PG | def run(s):\n    for s in ['ALTER TABLE a ADD UNIQUE (b)']:\n        pass\n    op.execute(s)",
        "PG | op.execute(['ALTER TABLE a ADD UNIQUE (b)'])",
        "PG | op.execute('CREATE TABLE a (b int UNIQUE)')",
        "PG | ADD COLUMN b int UNIQUE REFERENCES c",
        "PG | ADD UNIQUE USING INDEX i",
        "PG | ADD UNIQUE (b)\nRENAME CONSTRAINT a_b_key TO x",
        "PG | op.execute(\"DO $$ BEGIN ALTER TABLE a ADD UNIQUE (b); END $$\")",
        "PG | op.execute(\"SELECT 'ALTER TABLE a ADD UNIQUE (b)'\")",
        "MARIA | ADD FOREIGN KEY i (b) REFERENCES c (d)",
        "MARIA | ADD UNIQUE KEY x (b)",
        "MARIA | ADD COLUMN b int UNIQUE",
        "MY | ADD FOREIGN KEY i (b) REFERENCES c (d)",
        "MY | ADD PRIMARY KEY (b)",
        "MY | ADD COLUMN b int REFERENCES c (d)",
        "MY | op.execute('ALTER TABLE a # x\\n ADD COLUMN b int -- ADD UNIQUE (b)')",
        "LITE | ADD UNIQUE (b)",
        "PG | if op.get_bind().dialect.name == 'mysql':\n    ADD PRIMARY KEY (b)",
        "ANY | if op.get_bind().dialect.name != 'postgresql':\n    ADD PRIMARY KEY (b)",
        "ANY | if dialect == 'postgresql':\n    pass\nelse:\n    ADD PRIMARY KEY (b)",
    ] {
        let [url, upgrade] = cells(row);
        let found = of(url, upgrade, "pass", false);
        assert!(own(&found).is_empty(), "{upgrade}: {:?}", own(&found)[0].message);
    }
}

#[test]
fn a_primary_key_in_the_syntax_of_mysql_needs_no_name() {
    for url in [ANY, PG, MYSQL] {
        for (sql, expected) in [
            ("ALTER TABLE a DROP PRIMARY KEY, ADD PRIMARY KEY (b, c);", 0),
            ("alter table a drop primary key; alter table a add primary key (b)", 0),
            ("ALTER TABLE a DROP FOREIGN KEY x, ADD PRIMARY KEY (b)", 0),
            ("ALTER TABLE `a` ADD PRIMARY KEY (b)", 0),
            ("ALTER TABLE a DROP CONSTRAINT a_pkey, ADD PRIMARY KEY (b)", usize::from(url != MYSQL)),
            ("ALTER TABLE a DROP PRIMARY KEY, ADD UNIQUE (b)", 1),
        ] {
            let found = of(url, &format!("op.execute('{sql}')"), "pass", false);
            assert_eq!(own(&found).len(), expected, "{sql} on {url}");
        }
    }
}

#[test]
fn a_branch_for_another_database_is_judged_by_that() {
    let found = of(
        SQLITE,
        "if op.get_bind().dialect.name == 'postgresql':\n    op.execute('ALTER TABLE A ADD UNIQUE (b)')",
        "pass",
        false,
    );
    assert_eq!(own(&found)[0].suggested_name.as_deref(), Some("uq_a_b"));
}

#[test]
fn the_name_is_written_into_every_kind_of_literal() {
    for row in [
        "ADD UNIQUE (b) | 'ALTER TABLE a ADD CONSTRAINT uq_a_b UNIQUE (b)'",
        "op.execute('alter table a add unique (b)') | 'alter table a add constraint uq_a_b unique (b)'",
        "op.execute('''\n  ALTER TABLE a\n    ADD UNIQUE (b)\n''') |   ADD CONSTRAINT uq_a_b UNIQUE (b)\n",
        "op.execute(r'ALTER TABLE a ADD UNIQUE (b)') | r'ALTER TABLE a ADD CONSTRAINT uq_a_b UNIQUE (b)'",
        "op.execute('ALTER TABLE a ADD '\n    'UNIQUE (b)') | \
         'ALTER TABLE a ADD '\n        'CONSTRAINT uq_a_b UNIQUE (b)'",
        "op.execute('\\tALTER\\x20TABLE a\\n\\u0041DD UNIQUE (b)') | \\u0041DD CONSTRAINT uq_a_b UNIQUE (b)'",
        "t = 'a'\nop.execute(f'ALTER TABLE {t} ADD UNIQUE (b)') | f'ALTER TABLE {t} ADD CONSTRAINT uq_a_b UNIQUE (b)'",
        "op.execute('ALTER TABLE %s ADD UNIQUE (b)' % 'a') | 'ALTER TABLE %s ADD CONSTRAINT uq_a_b UNIQUE (b)' % 'a'",
        "op.execute('ALTER TABLE {} ADD UNIQUE (b) -- {{}}'.format('a')) | \
         'ALTER TABLE {} ADD CONSTRAINT uq_a_b UNIQUE (b) -- {{}}'",
        "op.execute('ALTER TABLE {t} ADD {k} (b)'.format(t='a', k='UNIQUE')) | k='CONSTRAINT uq_a_b UNIQUE'",
        "s = 'ALTER TABLE a ADD UNIQUE (b)'\nop.execute(s) | s = 'ALTER TABLE a ADD CONSTRAINT uq_a_b UNIQUE (b)'",
        "for s in ['ALTER TABLE a ADD UNIQUE (b)', 'SELECT 1']:\n    op.execute(s) | \
         ['ALTER TABLE a ADD CONSTRAINT uq_a_b UNIQUE (b)', 'SELECT 1']",
        "ADD UNIQUE (b), ADD COLUMN c int, ADD UNIQUE (c) | \
         ADD CONSTRAINT uq_a_b UNIQUE (b), ADD COLUMN c int, ADD CONSTRAINT uq_a_c UNIQUE (c)",
        "ADD PRIMARY KEY (b); ALTER TABLE a ADD FOREIGN KEY (b) REFERENCES c (d) | \
         ADD CONSTRAINT pk_a PRIMARY KEY (b); ALTER TABLE a ADD CONSTRAINT fk_a_b_c FOREIGN KEY (b)",
        "op.execute('ALTER TABLE \"Order\" ADD UNIQUE (b)') | ADD CONSTRAINT \"uq_Order_b\" UNIQUE (b)'",
        "op.execute(\"ALTER TABLE \\\"Order\\\" ADD UNIQUE (b)\") | ADD CONSTRAINT \\\"uq_Order_b\\\" UNIQUE (b)\"",
        "op.execute('''ALTER TABLE \"Ord'er\" ADD UNIQUE (b)''') | ADD CONSTRAINT \"uq_Ord\\'er_b\" UNIQUE (b)'''",
        "op.execute(f'ALTER TABLE \"a{{1}}\" ADD UNIQUE (b)') | ADD CONSTRAINT \"uq_a{{1}}_b\" UNIQUE (b)'",
        "op.execute('ALTER TABLE \"a{{1}}\" ADD UNIQUE ({})'.format('b')) | \
         ADD CONSTRAINT \"uq_a{{1}}_b\" UNIQUE ({})'",
    ] {
        let [upgrade, expected] = cells(row);
        let after = fixed(PG, upgrade, "pass", false);
        assert!(after.contains(expected), "{expected} is not in\n{after}");
    }
    let after = fixed(
        MARIADB,
        "op.execute('ALTER TABLE `Order` ADD CONSTRAINT FOREIGN KEY (b) REFERENCES c (d)')",
        "pass",
        false,
    );
    assert!(after.contains("ADD CONSTRAINT `fk_Order_b_c` FOREIGN KEY (b)"), "{after}");
}

#[test]
fn both_directions_get_the_name() {
    for row in [
        "PG | ADD UNIQUE (b) | DROP CONSTRAINT a_b_key | op.execute('ALTER TABLE a DROP CONSTRAINT uq_a_b')",
        "PG | ADD UNIQUE (b) | op.execute('ALTER TABLE a DROP CONSTRAINT \"a_b_key\"') | \
         op.execute('ALTER TABLE a DROP CONSTRAINT uq_a_b')",
        "PG | ADD UNIQUE (b) | op.drop_constraint('a_b_key', 'a', type_='unique') | \
         op.drop_constraint(op.f('uq_a_b'), 'a', type_='unique')",
        "PG | ADD UNIQUE (b) | op.drop_constraint('a_b_key', 'a') | op.drop_constraint(op.f('uq_a_b'), 'a')",
        "PG | ADD UNIQUE (b) | op.drop_constraint(None, 'a', type_='unique') | \
         op.drop_constraint(op.f('uq_a_b'), 'a', type_='unique')",
        "PG | ADD UNIQUE (b) | with op.batch_alter_table('a') as b:\n    b.drop_constraint('a_b_key') | \
         b.drop_constraint(b.f('uq_a_b'))",
        "PG | \
         ADD FOREIGN KEY (b) REFERENCES c (d) NOT VALID\nop.execute('ALTER TABLE a VALIDATE CONSTRAINT a_b_fkey') | \
         DROP CONSTRAINT a_b_fkey | VALIDATE CONSTRAINT fk_a_b_c",
        "PG | ADD UNIQUE (b), ADD UNIQUE (c) | DROP CONSTRAINT a_c_key, DROP CONSTRAINT a_b_key | \
         DROP CONSTRAINT uq_a_c, DROP CONSTRAINT uq_a_b",
        "MARIA | ADD FOREIGN KEY (b) REFERENCES c (d) | DROP FOREIGN KEY a_ibfk_1 | DROP FOREIGN KEY fk_a_b_c",
        "MARIA | ADD UNIQUE (b) | DROP INDEX b | DROP INDEX uq_a_b",
        "MARIA | ADD UNIQUE (code) | op.drop_index('code', table_name='a') | \
         op.drop_index(op.f('uq_a_code'), table_name='a')",
        // The same in two branches is one constraint.
        "PG | \
         if context.is_offline_mode():\n    ADD UNIQUE (b)\nelse:\n    op.get_bind().exec_driver_sql('ALTER TABLE a ADD UNIQUE (b)') | \
         if context.is_offline_mode():\n    DROP CONSTRAINT a_b_key\nelse:\n    op.drop_constraint('a_b_key', 'a') | \
         exec_driver_sql('ALTER TABLE a ADD CONSTRAINT uq_a_b UNIQUE (b)')",
        // A constraint that is replaced: the older one keeps its name.
        "PG | DROP CONSTRAINT a_b_key; ALTER TABLE a ADD UNIQUE (b) DEFERRABLE | \
         DROP CONSTRAINT a_b_key; ALTER TABLE a ADD CONSTRAINT x UNIQUE (b) | \
         DROP CONSTRAINT a_b_key; ALTER TABLE a ADD CONSTRAINT uq_a_b UNIQUE (b) DEFERRABLE')",
        "PG | op.drop_constraint('a_b_key', 'a')\nADD UNIQUE (b) DEFERRABLE | op.drop_constraint('a_b_key', 'a') | \
         op.drop_constraint('a_b_key', 'a')\n    op.execute('ALTER TABLE a ADD CONSTRAINT uq_a_b UNIQUE (b) DEFERRABLE')",
        "MARIA | ADD UNIQUE (b) | op.execute('DROP INDEX b ON a') | DROP INDEX uq_a_b ON a",
        // What the upgrade drops has its name already, and the downgrade gives it back.
        "PG | op.drop_constraint('a_b_key', 'a', type_='unique') | ADD UNIQUE (b) | ADD CONSTRAINT a_b_key UNIQUE (b)",
    ] {
        let [url, upgrade, downgrade, expected] = cells(row);
        let found = of(url, upgrade, downgrade, false);
        let safety = own(&found)[0].fix.as_ref().map(|fix| fix.safety);
        let in_upgrade = upgrade.contains("ADD");
        assert_eq!(
            safety,
            Some(if in_upgrade { Safety::Safe } else { Safety::Suggested }),
            "{upgrade} / {downgrade}: {:?}",
            own(&found)[0].help
        );
        let after = fixed(url, upgrade, downgrade, false);
        assert!(after.contains(expected), "{expected} is not in\n{after}");
    }
}

#[test]
fn the_help_says_why_there_is_no_fix() {
    for row in [
        "PG | ADD UNIQUE (b) | DROP CONSTRAINT other | which drop belongs to it is not certain",
        "PG | ADD UNIQUE (b) | if x.dialect.name == 'mysql':\n    DROP INDEX b\nelse:\n    DROP CONSTRAINT a_b_key | \
         which drop belongs to it is not certain",
        "PG | ADD UNIQUE (b) | op.execute(statement) | which drop belongs to it is not certain",
        "PG | ADD UNIQUE (b) | op.execute(f'ALTER TABLE a DROP {x}') | which drop belongs to it is not certain",
        "PG | ADD UNIQUE (b) | op.drop_constraint(name(), 'a') | which drop belongs to it is not certain",
        "PG | op.create_check_constraint(None, 'a', 'b > 0')\nADD UNIQUE (b) | op.drop_constraint(None, 'a') | \
         which drop belongs to it is not certain",
        "PG | op.create_foreign_key(None, 'a', 'c', ['b'], ['d'])\nADD UNIQUE (b) | op.drop_constraint(None, 'a') | \
         which drop belongs to it is not certain",
        "PG | s = 'ALTER TABLE a ADD UNIQUE (b)'\nprint(s)\nop.execute(s) | pass | used twice",
        "PG | op.execute(statement)\nADD CHECK (b > 0) | pass | only you know",
        "PG | for x in y:\n    ADD UNIQUE (b) | pass | it runs in a loop",
        "PG | ADD CHECK (b > 0) | pass | only you know what the check is for",
        "PG | ADD UNIQUE (b) | x = 'a_b_key'\nop.execute(f'ALTER TABLE a DROP CONSTRAINT a_b_key') | \
         is written elsewhere",
        "PG | op.drop_constraint('a_b_key', 'a')\nADD UNIQUE (b) DEFERRABLE | \
         DROP CONSTRAINT a_b_key\nop.create_unique_constraint('a_b_key', 'a', ['b']) | \
         is the name of another constraint as well",
        "ANY | op.execute('ALTER TABLE `a b` ADD UNIQUE (b)') | pass | how to quote the name depends on the database",
        "MARIA | ADD COLUMN b int REFERENCES c (d) | op.drop_column('a', 'b') | has to drop the key before the column",
        "PG | ADD UNIQUE (b)\nop.create_unique_constraint('uq_a_b', 'a', ['b']) | pass | would have the same name",
    ] {
        let [url, upgrade, downgrade, expected] = cells(row);
        let help = help(url, upgrade, downgrade);
        assert!(help.contains(expected), "{upgrade} / {downgrade}: {help}");
    }
    for upgrade in [
        "s = 'ALTER TABLE a ADD UNIQUE (b)'\nop.execute(s)\nop.execute(s)",
        "op.execute(r'ALTER TABLE \"a\\'\\'\" ADD UNIQUE (b)')",
    ] {
        let found = of(PG, upgrade, "pass", false);
        assert!(own(&found).iter().all(|one| one.fix.is_none()), "{upgrade}");
    }
}

#[test]
fn two_that_begin_with_the_same_column_get_different_names() {
    let both = "ADD UNIQUE (b)\nADD UNIQUE (b, c)";
    let drops = "DROP CONSTRAINT a_b_key\nDROP CONSTRAINT a_b_c_key";
    let after = fixed(PG, both, drops, false);
    for expected in [
        "ADD CONSTRAINT uq_a_b UNIQUE (b)",
        "ADD CONSTRAINT uq_a_b_c UNIQUE (b, c)",
        "DROP CONSTRAINT uq_a_b'",
        "DROP CONSTRAINT uq_a_b_c'",
    ] {
        assert!(after.contains(expected), "{after}");
    }
    let beside = "ADD UNIQUE (b, c)\nop.create_unique_constraint('uq_a_b', 'a', ['b'])";
    let after = fixed(PG, beside, "pass", false);
    assert!(after.contains("ADD CONSTRAINT uq_a_b_c UNIQUE"), "{after}");
}

#[test]
fn any_drop_may_undo_a_constraint_of_a_table_that_is_put_in_later() {
    let upgrade = "op.execute('ALTER TABLE x ADD UNIQUE (b)')\nop.execute(f'ALTER TABLE {t()} ADD UNIQUE (b)')";
    let found = of(PG, upgrade, "op.drop_constraint(None, 'a', type_='unique')", false);
    let help: Vec<&str> = own(&found).iter().filter_map(|one| one.help.as_deref()).collect();
    assert!(!help[0].contains("drop it by that name"), "{help:?}");
    assert!(help[1].contains("drop it by that name"), "{help:?}");
}

#[test]
fn a_committed_migration_keeps_the_name_of_the_database() {
    let after = fixed(PG, "ADD UNIQUE (b)", "DROP CONSTRAINT a_b_key", true);
    assert!(after.contains("ADD CONSTRAINT a_b_key UNIQUE (b)"), "{after}");
    let found = of(PG, "ADD UNIQUE (b)", "pass", true);
    assert_eq!(own(&found)[0].fix.as_ref().map(|fix| fix.safety), Some(Safety::Suggested));
    let found = of(MARIADB, "ADD FOREIGN KEY (b) REFERENCES c (d)", "pass", true);
    assert!(own(&found)[0].fix.is_none());
    let help = own(&found)[0].help.clone().unwrap();
    assert!(help.contains("rename it to `fk_a_b_c`") && help.ends_with("\n    SHOW CREATE TABLE `a`"), "{help}");
}

#[test]
fn a_long_name_is_written_as_sqlalchemy_would_shorten_it() {
    let table = "t".repeat(60);
    let upgrade = format!("op.execute('ALTER TABLE {table} ADD UNIQUE (b)')");
    let after = fixed(PG, &upgrade, "pass", false);
    let name = after.split("CONSTRAINT ").nth(1).unwrap().split(' ').next().unwrap();
    assert!(name.len() == 60 && name.starts_with("uq_ttt"), "{name}");
}
