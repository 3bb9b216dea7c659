//! What is read from whole texts.

use super::*;

/// What a text does, a line for each effect.
fn told(sql: &str, dialect: Option<Dialect>) -> Vec<String> {
    read(sql, dialect).iter().map(|effect| tell(effect, sql)).collect()
}

fn table_text(table: &Table) -> String {
    let schema = table.schema().map(|schema| format!("{schema}."));
    format!("{}{}", schema.unwrap_or_default(), table.name.text)
}

fn tell(effect: &Effect, sql: &str) -> String {
    match effect {
        Effect::Added(added) => tell_added(added, sql),
        Effect::Dropped(dropped) => {
            let table = dropped.table.as_ref().map_or("?".to_owned(), table_text);
            format!("-{} of {table}", dropped.name.text)
        }
        Effect::Renamed { from, to, .. } => format!("{} to {}", from.text, to.text),
        Effect::ColumnDropped { table, column } => format!("-{}.{}", table_text(table), column.text),
        Effect::TableChanged(table) => format!("table {}", table_text(table)),
        Effect::Unknown => "unknown".to_owned(),
    }
}

/// Kind, table with columns, name, what is referred to, and the place.
fn tell_added(added: &Added, sql: &str) -> String {
    let name = match &added.naming {
        Naming::Unnamed => "-",
        Naming::Named(name) => &name.text,
        Naming::Doubtful => "?",
    };
    let columns = added.columns.as_ref().map(|columns| columns.join(","));
    let columns = columns.unwrap_or_else(|| "?".to_owned());
    let referred = added.referred.as_ref();
    let referred = referred.map(|(table, columns)| format!(" -> {}({})", table_text(table), columns.join(",")));
    format!(
        "+{} {}({columns}) {name}{}{} [{}]",
        added.kind.label(),
        table_text(&added.table),
        referred.unwrap_or_default(),
        if added.in_column { " in column" } else { "" },
        &sql[added.at.clone()]
    )
}

/// A database, a text, and what it adds.
const ADDED: &[&str] = &[
    "any | ALTER TABLE a ADD COLUMN b int, ADD CHECK (b > 0 AND f(b, 1)) => check constraint a(?) - [CHECK (b > 0 AND f(b, 1))]",
    "any | ALTER TABLE a /* ; */ ADD -- ,\n FOREIGN KEY (b) REFERENCES c => foreign key a(b) - -> c() [FOREIGN KEY (b)]",
    "any | ALTER TABLE a ADD b int DEFAULT f(1, 2) UNIQUE => unique constraint a(b) - in column [UNIQUE]",
    "postgresql | ALTER TABLE a ADD FOREIGN KEY (b) REFERENCES s.c (id) ON DELETE CASCADE NOT VALID => foreign key a(b) - -> s.c(id) [FOREIGN KEY (b)]",
    "postgresql | alter table if exists only S.\"A\" * add unique (X) => unique constraint s.A(x) - [unique (X)]",
    "postgresql | ALTER TABLE a ADD UNIQUE NULLS NOT DISTINCT (b, \"C\") => unique constraint a(b,C) - [UNIQUE NULLS NOT DISTINCT (b, \"C\")]",
    "postgresql | ALTER TABLE a ADD UNIQUE USING INDEX i => unique constraint a(?) i [UNIQUE USING INDEX i]",
    "postgresql | ALTER TABLE a ADD CONSTRAINT x PRIMARY KEY USING INDEX i => primary key a(?) x [PRIMARY KEY USING INDEX i]",
    "postgresql | ALTER TABLE a ADD EXCLUDE USING gist (b WITH &&) => exclude constraint a(?) - [EXCLUDE]",
    "postgresql | CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS i ON ONLY a USING btree (lower(b)) => index a(?) i [CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS i ON ONLY a]",
    "mariadb | ALTER TABLE `a` ADD UNIQUE KEY `x` (`b`) => unique constraint a(b) x [UNIQUE KEY `x` (`b`)]",
    "mariadb | ALTER TABLE a ADD UNIQUE x USING BTREE (b) => unique constraint a(b) x [UNIQUE x USING BTREE (b)]",
    "mariadb | ALTER TABLE a ADD UNIQUE KEY USING BTREE (b) => unique constraint a(b) - [UNIQUE KEY USING BTREE (b)]",
    "mariadb | ALTER TABLE a ADD CONSTRAINT y UNIQUE KEY x (b) => unique constraint a(b) x [UNIQUE KEY x (b)]",
    "mariadb | ALTER TABLE a ADD CONSTRAINT UNIQUE (b(10)) => unique constraint a(?) - [UNIQUE (b(10))]",
    "mariadb | ALTER TABLE a ADD CONSTRAINT FOREIGN KEY (b) REFERENCES c(d) => foreign key a(b) - -> c(d) [FOREIGN KEY (b)]",
    "mariadb | ALTER TABLE a ADD FOREIGN KEY i (b) REFERENCES c(d) => foreign key a(b) i -> c(d) [FOREIGN KEY i (b)]",
    "mariadb | ALTER TABLE a ADD FOREIGN KEY IF NOT EXISTS (b) REFERENCES c(d) => foreign key a(b) - -> c(d) [FOREIGN KEY IF NOT EXISTS (b)]",
    "mariadb | ALTER TABLE a ADD CONSTRAINT x FOREIGN KEY i (b) REFERENCES c(d) => foreign key a(b) x -> c(d) [FOREIGN KEY i (b)]",
    "mariadb | ALTER TABLE a ADD COLUMN b int CONSTRAINT x REFERENCES c(d) => foreign key a(b) x -> c(d) in column [REFERENCES c(d)]",
    "mariadb | ALTER TABLE a ADD INDEX i (b) => index a(?) i [INDEX i]",
    "mssql | ALTER TABLE [a b] WITH NOCHECK ADD PRIMARY KEY CLUSTERED (c) => primary key a b(c) - [PRIMARY KEY CLUSTERED (c)]",
];

#[test]
fn what_is_added_is_read_with_its_place() {
    for row in ADDED {
        let (database, rest) = row.split_once(" | ").unwrap();
        let (sql, expected) = rest.split_once(" => ").unwrap();
        assert_eq!(told(sql, Dialect::from_name(database)), [format!("+{expected}")], "{sql}");
    }
}

#[test]
fn several_statements_and_actions_are_read_in_order() {
    assert_eq!(
        told(
            "ALTER TABLE a ADD CONSTRAINT x UNIQUE (b), DROP CONSTRAINT y, DROP COLUMN IF EXISTS z CASCADE, RENAME TO w;\n\
             SELECT ';'; DROP INDEX s.i; ALTER TABLE a RENAME CONSTRAINT p TO q; ALTER INDEX i RENAME TO j; ALTER TABLE a RENAME b TO c;\n\
             ALTER TABLE a DROP FOREIGN KEY f, DROP KEY k, DROP PRIMARY KEY; DROP TABLE t, u; CREATE TEMP TABLE v (a int);",
            None,
        ),
        [
            "+unique constraint a(b) x [UNIQUE (b)]",
            "-y of a",
            "-a.z",
            "table a",
            "-i of ?",
            "p to q",
            "i to j",
            "-f of a",
            "-k of a",
            "table t",
            "table u",
            "table v"
        ]
    );
}

#[test]
fn what_is_not_understood_is_unknown_and_what_is_harmless_is_nothing() {
    for sql in [
        "DO $$ BEGIN ALTER TABLE a ADD UNIQUE (b); END $$",
        "CALL f()",
        "EXEC sp_rename 'a', 'b'",
        "\u{f8ff} ADD UNIQUE (b)",
        "ALTER TABLE a \u{f8ff} UNIQUE (b)",
        "ALTER TABLE a DROP \u{f8ff}",
        "ALTER \u{f8ff} a ADD UNIQUE (b)",
        "CREATE \u{f8ff}",
        "DROP \u{f8ff} a",
        "ALTER TABLE a ADD \u{f8ff} (b)",
        "ALTER TABLE a ADD CONSTRAINT x \u{f8ff}",
        "SELECT 'a",
    ] {
        let found = told(sql, None);
        assert_eq!(found, ["unknown"], "{sql}");
    }
    for sql in [
        "SELECT 'ALTER TABLE a ADD UNIQUE (b)'",
        "SELECT $$ALTER TABLE a ADD UNIQUE (b)$$",
        "-- ALTER TABLE a ADD UNIQUE (b)\nUPDATE a SET b = 1",
        "COMMENT ON CONSTRAINT a ON b IS 'c'",
        "CREATE FUNCTION f() RETURNS trigger AS $$ BEGIN ALTER TABLE a ADD UNIQUE (b); END $$ LANGUAGE plpgsql",
        "ALTER DOMAIN d ADD CHECK (VALUE > 0)",
        "ALTER TYPE e ADD VALUE 'x'",
        "ALTER TABLE a ALTER COLUMN b TYPE int USING b::int, VALIDATE CONSTRAINT x",
        "ALTER TABLE a ADD COLUMN \"unique\" int",
        "CREATE VIEW v AS SELECT 1",
        "",
        ";;",
    ] {
        assert_eq!(told(sql, None), Vec::<String>::new(), "{sql}");
    }
}

#[test]
fn the_body_of_a_routine_is_not_run() {
    let sql = "CREATE PROCEDURE p() BEGIN ALTER TABLE a ADD UNIQUE (b); ALTER TABLE a ADD UNIQUE (c); END; ALTER TABLE a ADD UNIQUE (d)";
    assert_eq!(told(sql, Some(Dialect::Mysql)), ["unknown"]);
}

#[test]
fn a_name_that_is_put_in_later_is_doubtful() {
    let found = read("ALTER TABLE a ADD CONSTRAINT fk_\u{f8ff} FOREIGN KEY (b) REFERENCES c", None);
    let [Effect::Added(added)] = found.as_slice() else {
        panic!("{found:?}")
    };
    assert!(matches!(&added.naming, Naming::Named(name) if !name.is_certain));
}

#[test]
fn a_name_is_found_under_any_case_and_in_any_quotes() {
    let pg = Some(Dialect::Postgresql);
    for (text, name, expected) in [
        ("DROP CONSTRAINT A_b_KEY, x a_b_key", "a_b_key", &["A_b_KEY", "a_b_key"][..]),
        ("COMMENT ON CONSTRAINT \"a\"\"b\" IS 'a\"b'", "a\"b", &["\"a\"\"b\""]),
        ("DROP CONSTRAINT \"A\"", "a", &[]),
        ("DROP CONSTRAINT a_b_key2", "a_b_key", &[]),
        ("SELECT 1", "a_b_key", &[]),
    ] {
        let is_meant = |own: &str, is_quoted: bool| own == name || !is_quoted && own.eq_ignore_ascii_case(name);
        let found = mentioned(text, pg)
            .into_iter()
            .filter(|(own, _, is_quoted)| is_meant(own, *is_quoted));
        let found: Vec<&str> = found.map(|(_, at, _)| &text[at]).collect();
        assert_eq!(found, expected, "{text}");
    }
}
