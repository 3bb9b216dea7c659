//! Two constraints of one revision get the same name where the database forbids it.

use std::collections::{BTreeSet, HashMap};

use crate::constraints::MigrationFile;
use crate::constraints::constraint::Constraint;
use crate::constraints::convention_name::effective_name;
use crate::constraints::inline::Inline;
use crate::diagnostic::{Diagnostic, Rule, Severity};
use crate::migration::{Operation, Step};
use crate::naming::{ConstraintKind, Dialect};
use crate::python::{ArgumentKind, Call, ExprKind};
use crate::source::Span;
use crate::work;

pub(super) static RULE: Rule = Rule {
    name: "duplicate-name",
    summary: "two constraints of one revision get the same name",
    severity: Severity::Error,
    documentation: include_str!("../../docs/rules/duplicate-name.md"),
};

pub(super) fn check(file: &MigrationFile<'_>) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    each_made(file, &mut |made, earlier| {
        let first = earlier.of(made).find(|first| clashes(file, first, made));
        let first = first.filter(|first| !is_free_again(file, first, made));
        let first = first.map(|first| (first.place, "the first"));
        let other = first.or_else(|| Some((table_of_that_name(file, made)?, "the table")));
        found.extend(other.map(|(place, what)| diagnostic(file, made, place, what)));
    });
    found
}

/// No more earlier constraints of the same name are compared, the latest first.
const MOST: usize = 100;

/// What was made before, by table and name, and by name.
#[derive(Default)]
struct Earlier<'a> {
    made: Vec<Made<'a>>,
    by_table: HashMap<(&'a str, Option<&'a String>), Vec<usize>>,
    by_name: HashMap<&'a str, Vec<usize>>,
}

impl<'a> Earlier<'a> {
    fn add(&mut self, made: Made<'a>) {
        let at = self.made.len();
        let table = made.constraint.table.known();
        self.by_table.entry((made.name, table)).or_default().push(at);
        self.by_name.entry(made.name).or_default().push(at);
        self.made.push(made);
    }

    /// What `made` may clash with, the latest first.
    fn of(&self, made: &Made<'_>) -> impl Iterator<Item = &Made<'a>> {
        let last = |places: Option<&Vec<usize>>| -> Vec<usize> {
            let places = places.into_iter().flat_map(|places| places.iter().rev());
            places.take(MOST).copied().collect()
        };
        let on_table = last(self.by_table.get(&(made.name, made.constraint.table.known())));
        let mut places: BTreeSet<usize> = last(self.by_name.get(made.name)).into_iter().collect();
        places.extend(on_table);
        places.into_iter().rev().filter_map(|at| self.made.get(at))
    }
}

/// A constraint or an index that is made with a name.
#[derive(Clone, Copy)]
struct Made<'a> {
    constraint: Constraint<'a>,
    /// As written in the source.
    name: &'a str,
    call: Span,
    place: Span,
    /// The element of a table that makes it.
    element: Option<&'a Call>,
    in_batch: bool,
}

/// Visits what is made with a name, in order, with all that was made before. Leaves out what a branch may skip, and `if_not_exists`.
fn each_made<'a>(file: &'a MigrationFile<'_>, visit: &mut dyn FnMut(&Made<'_>, &Earlier<'_>)) {
    let inline = file.inline().iter().filter(|(step, inline)| is_made(step, inline));
    let inline = inline.filter_map(|(step, inline)| {
        let constraint = inline.constraint(step);
        Some(Made {
            constraint,
            name: constraint.explicit?.name,
            call: step.call.span,
            place: inline.argument.span,
            element: inline.call,
            in_batch: step.receiver.is_batch(),
        })
    });
    let operations = file.migration.operations.iter().filter_map(of_operation);
    let mut made: Vec<Made<'_>> = inline.chain(operations).collect();
    made.sort_by_key(|one| one.place);
    let mut earlier = Earlier::default();
    for one in made {
        visit(&one, &earlier);
        earlier.add(one);
    }
}

fn of_operation<'a>(operation: &'a Operation<'_>) -> Option<Made<'a>> {
    let is_certain =
        operation.creates() && !operation.when.conditional && operation.call.keyword("if_not_exists").is_none();
    Some(Made {
        constraint: Constraint::from(operation),
        name: operation.name.text().filter(|_| is_certain)?,
        call: operation.call.span,
        place: operation.name_value_span(),
        element: None,
        in_batch: operation.receiver.is_batch(),
    })
}

/// Whether it is made in any case. `CREATE TABLE` leaves out a key with `use_alter` (`sqlalchemy/sql/compiler.py`,
/// `create_table_constraints`), except on SQLite, which compares no names of keys.
fn is_made(step: &Step<'_>, inline: &Inline<'_>) -> bool {
    let use_alter = inline.call.and_then(|call| call.keyword("use_alter"));
    let is_certain = !step.when.conditional && step.call.keyword("if_not_exists").is_none();
    is_certain && (step.method != "create_table" || use_alter.is_none_or(|value| value.kind == ExprKind::Bool(false)))
}

fn clashes(file: &MigrationFile<'_>, first: &Made<'_>, second: &Made<'_>) -> bool {
    work::step();
    let (one, other) = (&first.constraint, &second.constraint);
    let (Some(table), Some(other_table)) = (one.table.known(), other.table.known()) else {
        return false;
    };
    let is_same = first.name == second.name && one.function == other.function && one.schema == other.schema;
    is_same
        && share_a_space(file, one.kind, other.kind, table == other_table)
        && end_alike(file, one, other)
        && !replaces(file, second)
        && !are_merged(file, first, second)
}

/// Whether a database may make one of both: PostgreSQL leaves out a unique constraint of `CREATE TABLE` that is the same as another or as the
/// primary key (`transformIndexConstraints` in `parse_utilcmd.c`; run on 15). MariaDB refuses it.
fn are_merged(file: &MigrationFile<'_>, first: &Made<'_>, second: &Made<'_>) -> bool {
    let (Some(element), Some(other)) = (first.element, second.element) else {
        return false;
    };
    let has_index =
        |made: &Made<'_>| matches!(made.constraint.kind, ConstraintKind::Unique | ConstraintKind::PrimaryKey);
    let options = |element: &Call| -> BTreeSet<&str> {
        let keywords = element
            .arguments
            .iter()
            .filter(|one| one.kind != ArgumentKind::Positional && !one.is_keyword("name"));
        keywords.map(|one| file.file().slice(one.span)).collect()
    };
    !matches!(file.dialect(), Some(Dialect::Mysql | Dialect::Mariadb))
        && first.call == second.call
        && has_index(first)
        && has_index(second)
        && first
            .constraint
            .columns
            .is_some_and(|columns| second.constraint.columns == Some(columns))
        && options(element) == options(other)
}

/// Whether a constraint may take the place of the one of that name: a batch on SQLite makes the table anew, with its constraints in a dict by
/// name (`alembic/operations/batch.py`, `ApplyBatchImpl.add_constraint`).
fn replaces(file: &MigrationFile<'_>, second: &Made<'_>) -> bool {
    if !second.in_batch || second.constraint.kind == ConstraintKind::Index {
        return false;
    }
    let possible = file.possible_dialects();
    possible.is_empty() || possible.contains(&Dialect::Sqlite)
}

/// Whether a database would see one name twice, on one table or on two of one schema.
///
/// PostgreSQL keeps keys and checks by table, and whatever has an index by schema; MySQL and MariaDB keep foreign keys by database, MySQL
/// checks as well; SQLite keeps only indexes, by database (run on PostgreSQL 15, MariaDB 10.11 and SQLite; MySQL by its manual).
fn share_a_space(file: &MigrationFile<'_>, first: ConstraintKind, second: ConstraintKind, on_one_table: bool) -> bool {
    use ConstraintKind::{Check, Exclude, ForeignKey, Index, PrimaryKey, Unique};
    let kinds = [first, second];
    let all = |of: &[ConstraintKind]| kinds.iter().all(|kind| of.contains(kind));
    let have_indexes = all(&[Unique, PrimaryKey, Index, Exclude]);
    // A key or a check may be called as an index is.
    let is_twice_on_one = on_one_table && (!kinds.contains(&Index) || have_indexes);
    // Nothing is read for two that no database takes for one.
    if !(is_twice_on_one || have_indexes || all(&[ForeignKey]) || all(&[Check])) {
        return false;
    }
    match file.dialect() {
        Some(Dialect::Postgresql) => is_twice_on_one || have_indexes,
        // Every primary key is called PRIMARY there.
        Some(Dialect::Mysql | Dialect::Mariadb) if kinds.contains(&PrimaryKey) => false,
        Some(Dialect::Mysql) => {
            is_twice_on_one && (first == second || have_indexes) || all(&[ForeignKey]) || all(&[Check])
        }
        Some(Dialect::Mariadb) => is_twice_on_one || all(&[ForeignKey]),
        Some(Dialect::Sqlite) => all(&[Index]),
        None if file.possible_dialects() == [Dialect::Sqlite] => all(&[Index]),
        _ => is_twice_on_one,
    }
}

/// Whether both have the same name in the database: a convention may build on plain ones.
fn end_alike(file: &MigrationFile<'_>, first: &Constraint<'_>, second: &Constraint<'_>) -> bool {
    let is_finished = |one: &Constraint<'_>| one.explicit.is_some_and(|explicit| explicit.is_conv);
    let is_one_of_a_kind = first.kind == second.kind && first.table == second.table;
    if is_finished(first) == is_finished(second) && (is_one_of_a_kind || is_finished(first)) {
        return true;
    }
    match (effective_name(file, *first), effective_name(file, *second)) {
        (Some(first), Some(second)) => first == second,
        _ => false,
    }
}

/// Whether an operation or SQL in between may have dropped the first.
fn is_free_again(file: &MigrationFile<'_>, first: &Made<'_>, second: &Made<'_>) -> bool {
    let calls = (first.call, second.call);
    let table = first.constraint.table.known().map(String::as_str);
    file.may_go_between(second.name, table, calls)
}

/// A table of the revision with the same name. PostgreSQL keeps tables and whatever has an index in one namespace, SQLite tables and indexes.
fn table_of_that_name(file: &MigrationFile<'_>, made: &Made<'_>) -> Option<Span> {
    use ConstraintKind::{Exclude, Index, PrimaryKey, Unique};
    let kind = made.constraint.kind;
    if !matches!(kind, Unique | PrimaryKey | Index | Exclude) {
        return None;
    }
    let mut made_so = file.tables_made(made.name).iter();
    let table = made_so.find(|step| {
        !step.when.conditional
            && step.when.function == made.constraint.function
            && step.schema.known().map(Option::as_deref) == Some(made.constraint.schema)
            && !is_one_gone(file, made, step)
    })?;
    let clashes = match file.dialect() {
        Some(Dialect::Postgresql) => effective_name(file, made.constraint).as_deref() == Some(made.name),
        Some(Dialect::Sqlite) => kind == Index,
        _ => false,
    };
    clashes.then_some(table.call.span)
}

/// Whether the table or the constraint of its name may be gone before the other is made.
fn is_one_gone(file: &MigrationFile<'_>, made: &Made<'_>, table: &Step<'_>) -> bool {
    let (one, other) = (made.call, table.call.span);
    file.may_go_between(made.name, Some(made.name), (one.min(other), one.max(other)))
}

fn diagnostic(file: &MigrationFile<'_>, made: &Made<'_>, first: Span, what: &str) -> Diagnostic {
    Diagnostic::new(&RULE, file.file(), made.call, format!("the name `{}` is given twice", made.name))
        .focus(made.place, "the database refuses the second one")
        .related(file.place(first), what)
        .help("give each its own name")
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::rules::harness::{ANY, MARIADB, PG, SQLITE, assert_finds, assert_finds_nothing, of_migration, shown};

    fn count(url: &str, upgrade: &str) -> usize {
        let found = of_migration(url, upgrade, "pass", false);
        found.iter().filter(|one| one.rule == &RULE).count()
    }

    #[test]
    fn the_second_of_two_is_shown_with_the_first() {
        let twice = "op.create_index('i', 'a', ['c'])\nop.create_index('i', 'b', ['c'])";
        insta::assert_snapshot!(shown(&of_migration(PG, twice, "pass", false)), @r"
        6:21 error[duplicate-name]: the name `i` is given twice
          'i': the database refuses the second one
          5:21: the first
          help: give each its own name
        ");
    }

    #[test]
    fn one_name_twice_is_found_where_the_database_refuses_it() {
        assert_finds(
            &RULE,
            &[
                "PG | op.create_unique_constraint('a', 't', ['c']); op.create_check_constraint('a', 't', 'c > 0')",
                "PG | op.create_index('a', 't', ['c']); op.create_unique_constraint('a', 'u', ['c'])",
                "PG | op.create_table('a', sa.PrimaryKeyConstraint('c', name='pk')); op.create_table('b', sa.PrimaryKeyConstraint('c', name='pk'))",
                "PG | op.create_table('a', sa.UniqueConstraint('c', name='u'), sa.CheckConstraint('c > 0', name='u'))",
                "PG | op.create_table('a', sa.UniqueConstraint('c', 'd', name='u'), sa.UniqueConstraint('d', 'c', name='u'))",
                "PG | op.create_table('a', sa.UniqueConstraint('c', name='u'), sa.UniqueConstraint('c', name='u', deferrable=True))",
                "PG | op.create_unique_constraint('a', 't', ['c']); op.create_unique_constraint('a', 't', ['c'])",
                "PG | op.create_unique_constraint('a', 't', ['c']); op.create_unique_constraint(op.f('a'), 't', ['d'])",
                "PG | op.create_unique_constraint('a', 't', ['c']); op.drop_constraint(None, 'u', type_='unique'); op.create_unique_constraint('a', 't', ['d'])",
                "PG | op.create_table('a', sa.Column('c')); op.create_index('a', 'a', ['c'])",
                "PG | op.create_table('a', sa.Column('c'), sa.UniqueConstraint('c', name='a'))",
                "MY | op.create_foreign_key('a', 't', 'r', ['c'], ['id']); op.create_foreign_key('a', 'u', 'r', ['c'], ['id'])",
                "MY | op.create_table('a', sa.Column('c', sa.ForeignKey('r.id', name='fk'))); op.create_table('b', sa.Column('c', sa.ForeignKey('r.id', name='fk')))",
            ],
        );
    }

    #[test]
    fn names_that_postgresql_keeps_apart_are_no_duplicates() {
        assert_finds_nothing(
            &RULE,
            &[
                "PG | op.create_foreign_key('a', 't', 'r', ['c'], ['id']); op.create_foreign_key('a', 'u', 'r', ['c'], ['id'])",
                "PG | op.create_unique_constraint('a', 't', ['c']); op.drop_constraint('a', 't', type_='unique'); op.create_unique_constraint('a', 't', ['d'])",
                "PG | op.create_unique_constraint('a', 't', ['c']); op.drop_constraint(None, 't', type_='unique'); op.create_unique_constraint('a', 't', ['d'])",
                "PG | op.create_unique_constraint('a', 't', ['c']); op.drop_constraint(found(), 't'); op.create_unique_constraint('a', 't', ['d'])",
                "PG | op.create_unique_constraint('a', 't', ['c']); op.drop_constraint(found(), table()); op.create_unique_constraint('a', 't', ['d'])",
                "PG | op.create_unique_constraint('a', 't', ['c']) / op.create_unique_constraint('a', 't', ['c'])",
                "PG | op.create_table('a', sa.Column('c', sa.ForeignKey('r.id', name='fk'))); op.create_table('b', sa.Column('c', sa.ForeignKey('r.id', name='fk')))",
                "PG | op.create_index('i', 'a', ['c']); op.create_index('i', 'b', ['c'], if_not_exists=True)",
                "PG | op.create_index('i', 'a', ['c'], schema='s'); op.create_index('i', 'b', ['c'])",
                "PG | op.create_index('i', 'a', ['c']); op.create_check_constraint('i', 'a', 'c > 0')",
                "PG | op.create_table('a', sa.UniqueConstraint('c', name='u')); op.drop_table('a'); op.create_table('a', sa.UniqueConstraint('c', name='u'))",
                "PG | op.create_unique_constraint('a', 't', ['c']); op.execute('ALTER TABLE t RENAME CONSTRAINT a TO b'); op.create_unique_constraint('a', 't', ['d'])",
                "PG | op.create_table('a', sa.Column('c'), sa.CheckConstraint('c > 0', name='a'))",
                "PG | op.create_table('a', sa.UniqueConstraint('c', name='u'), sa.UniqueConstraint('c', name='u'))",
                "PG | op.create_table('a', sa.PrimaryKeyConstraint('c', name='u'), sa.UniqueConstraint('c', name='u'))",
                "ANY | op.create_table('a', sa.UniqueConstraint('c', name='u'), sa.UniqueConstraint('c', name='u'))",
                "PG | op.create_table('a', sa.Column('c'), schema='s'); op.create_index('a', 'b', ['c'])",
            ],
        );
    }

    #[test]
    fn the_other_databases_keep_other_names_apart() {
        assert_finds(
            &RULE,
            &[
                "LITE | op.create_index('i', 'a', ['c']); op.create_index('i', 'b', ['c'])",
                "LITE | op.create_table('a', sa.Column('c')); op.create_index('a', 'a', ['c'])",
                "MY | op.create_check_constraint('a', 't', 'c'); op.create_check_constraint('a', 'u', 'c')",
                "MARIA | op.create_unique_constraint('a', 't', ['c']); op.create_check_constraint('a', 't', 'c')",
                "MARIA | op.create_table('a', sa.UniqueConstraint('c', name='u'), sa.UniqueConstraint('c', name='u'))",
            ],
        );
        assert_finds_nothing(
            &RULE,
            &[
                "MY | op.create_table('a', sa.PrimaryKeyConstraint('c', name='pk')); op.create_table('b', sa.PrimaryKeyConstraint('c', name='pk'))",
                "MY | op.create_table('a', sa.Column('c')); op.create_index('a', 'a', ['c'])",
                "LITE | op.create_table('a', sa.UniqueConstraint('c', name='u'), sa.CheckConstraint('c > 0', name='u'))",
                "LITE | op.create_table('a', sa.Column('c'), sa.UniqueConstraint('c', name='a'))",
                "MARIA | op.create_check_constraint('a', 't', 'c'); op.create_check_constraint('a', 'u', 'c')",
            ],
        );
    }

    #[test]
    fn a_name_that_sql_may_have_set_free_is_no_duplicate() {
        let drop = "ALTER TABLE t DROP CONSTRAINT a";
        for (between, expected) in [
            (format!("op.execute('{drop}')"), 0),
            (format!("op.get_bind().execute(sa.text('{drop}'))"), 0),
            (format!("conn = op.get_bind()\nconn.execute(sa.text('{drop}'))"), 0),
            (format!("with op.get_bind().begin() as c:\n    c.exec_driver_sql('{drop}')"), 0),
            (format!("op.get_context().bind.execute('{drop}')"), 0),
            (format!("sql = '{drop}'\nop.execute(sql)"), 0),
            ("op.execute('alter table T drop constraint A')".to_owned(), 0),
            // By its table.
            ("op.get_bind().execute(sa.text('DROP TABLE t'))".to_owned(), 0),
            ("op.execute('ALTER TABLE t RENAME TO u')".to_owned(), 0),
            ("op.execute('ALTER TABLE t DROP COLUMN c')".to_owned(), 0),
            // Whatever it does.
            ("op.get_bind().execute(sa.text(read('b.sql')))".to_owned(), 0),
            ("op.execute(sql)".to_owned(), 0),
            ("op.execute('CALL clean_up()')".to_owned(), 0),
            ("op.execute(f'ALTER TABLE t DROP CONSTRAINT {name}')".to_owned(), 0),
            ("op.execute(f'ALTER TABLE {table} DROP CONSTRAINT {name}')".to_owned(), 0),
            ("op.get_bind().execute(sa.text('SELECT clean_up(:name)'), {'name': 'a'})".to_owned(), 0),
            // Nothing to the constraint.
            ("op.get_bind().execute(sa.text('UPDATE t SET c = 1'))".to_owned(), 1),
            ("op.get_bind().execute(t.update().values(c=1))".to_owned(), 1),
            ("op.execute('DROP TABLE u')".to_owned(), 1),
            ("op.execute('ALTER TABLE u DROP CONSTRAINT b')".to_owned(), 1),
        ] {
            let create = |column: &str| format!("op.create_unique_constraint('a', 't', ['{column}'])");
            let upgrade = [create("c"), between.clone(), create("d")].join("\n");
            assert_eq!(count(PG, &upgrade), expected, "{between}");
            let upgrade = [between.clone(), create("c"), create("d"), between.clone()].join("\n");
            assert_eq!(count(PG, &upgrade), 1, "around: {between}");
        }
    }

    /// Run on SQLite, PostgreSQL and MariaDB.
    #[test]
    fn in_a_batch_of_sqlite_the_second_takes_the_place_of_the_first() {
        let batch = "with op.batch_alter_table('t') as b:\n";
        for (what, on_any, on_sqlite) in [
            ("create_foreign_key('n', 'u', ['x'], ['id'])", 0, 0),
            ("create_unique_constraint('n', ['x'])", 0, 0),
            ("create_check_constraint('n', 'x > 0')", 0, 0),
            ("create_index('n', ['x'])", 1, 1),
        ] {
            for upgrade in [
                format!("{batch}    b.{what}\n    b.{what}"),
                format!("{batch}    b.{what}\n{batch}    b.{what}"),
                format!("op.rename_table('s', 't')\n{batch}    b.{what}\n{batch}    b.{what}"),
            ] {
                let found = [ANY, SQLITE, PG, MARIADB].map(|url| count(url, &upgrade));
                assert_eq!(found, [on_any, on_sqlite, 1, 1], "{upgrade}");
            }
        }
        let with_table = format!(
            "op.create_table('t', sa.UniqueConstraint('x', name='n'))\n{batch}    b.create_unique_constraint('n', ['y'])"
        );
        assert_eq!([ANY, SQLITE, PG].map(|url| count(url, &with_table)), [0, 0, 1]);
    }

    #[test]
    fn a_name_that_other_code_may_have_set_free_is_no_duplicate() {
        let drop = "ALTER TABLE t DROP CONSTRAINT a";
        for (between, expected) in [
            (format!("make = sessionmaker(bind=op.get_bind())\nmake().execute(sa.text('{drop}'))"), 0),
            (format!("context.get_bind().execute('{drop}')"), 0),
            (format!("op.get_bind().connection.cursor().execute('{drop}')"), 0),
            (format!("op.get_bind().scalar(sa.text('{drop}'))"), 0),
            (format!("list(map(op.get_bind().execute, ['{drop}']))"), 0),
            (format!("op.invoke(ExecuteSQLOp('{drop}'))"), 0),
            ("drop_if_exists('a', 't')".to_owned(), 0),
            ("context.execute(sql)".to_owned(), 0),
            ("print(1)  # a".to_owned(), 1),
            ("drop_if_exists('b', 't')".to_owned(), 1),
            ("op.create_table('v', sa.Column('a'))".to_owned(), 1),
        ] {
            let create = |column: &str| format!("op.create_unique_constraint('a', 't', ['{column}'])");
            let upgrade = [create("c"), between.clone(), create("d")].join("\n");
            assert_eq!(count(PG, &upgrade), expected, "{between}");
            let upgrade = [between.clone(), create("c"), create("d"), between.clone()].join("\n");
            assert_eq!(count(PG, &upgrade), 1, "around: {between}");
        }
    }

    #[test]
    fn a_table_that_is_gone_leaves_its_name_free() {
        let table = "op.create_table('a', sa.Column('c'))";
        let index = "op.create_index('a', 't', ['c'])";
        for (between, expected) in [
            ("op.drop_table('a')", 0),
            ("op.rename_table('a', 'b')", 0),
            ("op.get_bind().execute(sa.text('ALTER TABLE a RENAME TO b'))", 0),
            ("op.drop_table('b')", 1),
        ] {
            for url in [PG, SQLITE] {
                assert_eq!(count(url, &format!("{table}\n{between}\n{index}")), expected, "{between}");
            }
        }
        assert_eq!(count(PG, &format!("{index}\nop.drop_index('a', 't')\n{table}")), 0);
        assert_eq!(count(PG, &format!("{index}\n{table}")), 1);
        let batch = "with op.batch_alter_table('a') as b:\n    b.create_index('a', ['c'])";
        assert_eq!(count(PG, &format!("{table}\n{batch}")), 1);
    }

    #[test]
    fn a_table_that_was_renamed_leaves_its_name_free() {
        for create in ["create_foreign_key('n', 't', 'u', ['x'], ['id'])", "create_check_constraint('n', 't', 'x > 0')"]
        {
            let upgrade = format!("op.{create}\nop.rename_table('t', 'v')\nop.rename_table('w', 't')\nop.{create}");
            assert_eq!([ANY, PG, MARIADB].map(|url| count(url, &upgrade)), [0; 3], "{upgrade}");
        }
    }

    #[test]
    fn a_key_that_the_table_leaves_for_later_is_made_once() {
        let with_key = |more: &str| {
            format!(
                "ANY | op.create_table('t', sa.ForeignKeyConstraint(['x'], ['u.id'], name='n'{more}))\nop.create_foreign_key('n', 't', 'u', ['x'], ['id'])"
            )
        };
        for url in [ANY, PG, MARIADB] {
            assert_eq!(count(url, &with_key(", use_alter=True")), 0, "{url}");
            assert_eq!(count(url, &with_key(", use_alter=False")), 1, "{url}");
            assert_eq!(count(url, &with_key("")), 1, "{url}");
        }
    }
}
