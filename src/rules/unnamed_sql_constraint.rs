//! SQL adds a constraint without a name.

use squawk_lexer::{TokenKind, tokenize};

use crate::diagnostic::{Diagnostic, Severity};
use crate::migration::Step;
use crate::naming::{ConstraintKind, Dialect};
use crate::python::{Expr, ExprKind};

use super::{Check, MigrationFile, Rule};

/// The rule.
pub(super) static RULE: Rule = Rule {
    name: "unnamed-sql-constraint",
    summary: "a constraint is added by SQL without a name",
    severity: Severity::Warning,
    documentation: include_str!("../../docs/rules/unnamed-sql-constraint.md"),
    check: Check::Migration(check),
};

fn check(file: &MigrationFile<'_>) -> Vec<Diagnostic> {
    let executed = file.migration.steps.iter().filter(|step| step.method == "execute");
    executed.flat_map(|step| of_step(file, step)).collect()
}

fn of_step(file: &MigrationFile<'_>, step: &Step<'_>) -> Vec<Diagnostic> {
    let Ok(Some(argument)) = step.call.argument(Some(0), "sqltext") else {
        return Vec::new();
    };
    let Some(sql) = text(&argument.value) else {
        return Vec::new();
    };
    let is_mysql = matches!(file.dialect(), Some(Dialect::Mysql | Dialect::Mariadb));
    unnamed(&sql, is_mysql)
        .into_iter()
        .map(|(kind, table)| {
            let on = table.map(|table| format!(" on `{table}`")).unwrap_or_default();
            Diagnostic::new(
                &RULE,
                file.file(),
                step.call.span,
                format!("this SQL adds a {}{on} without a name", kind.label()),
            )
            .focus(
                argument.value.span,
                "the database invents a name that Alembic never learns",
            )
            .help("write `ADD CONSTRAINT name ...`, or use the operation that Alembic has for it")
        })
        .collect()
}

/// The SQL of a literal, of `text(...)` around one, and of what is joined or filled in from literals.
fn text(expr: &Expr) -> Option<String> {
    match &expr.kind {
        ExprKind::String(text) => Some(text.clone()),
        ExprKind::Call(call) => text(
            &call
                .arguments
                .first()
                .filter(|_| matches!(call.name(), Some("text" | "DDL" | "dedent")))?
                .value,
        ),
        ExprKind::Binary { left, right, .. } => Some(text(left)? + &text(right)?),
        ExprKind::FString(parts) => Some(
            parts
                .iter()
                .map(|part| match part {
                    crate::python::FStringPart::Text(text) => text.clone(),
                    // A placeholder is a name or a value, never a keyword of the statement.
                    crate::python::FStringPart::Value { .. } => " x ".to_owned(),
                })
                .collect(),
        ),
        _ => None,
    }
}

/// A word or a mark of the statement; literals and comments say nothing here.
enum Word {
    Name(String),
    Mark(char),
    Other,
}

fn words(sql: &str) -> Vec<Word> {
    let mut at = 0;
    let mut words = Vec::new();
    for token in tokenize(sql) {
        let length = token.len as usize;
        let slice = sql.get(at..at + length).unwrap_or_default();
        at += length;
        match token.kind {
            TokenKind::Whitespace | TokenKind::LineComment | TokenKind::BlockComment { .. } => {}
            TokenKind::Ident => words.push(Word::Name(slice.to_owned())),
            TokenKind::QuotedIdent { .. } => words.push(Word::Name(slice.trim_matches('"').to_owned())),
            TokenKind::Semi => words.push(Word::Mark(';')),
            TokenKind::Comma => words.push(Word::Mark(',')),
            TokenKind::OpenParen => words.push(Word::Mark('(')),
            TokenKind::CloseParen => words.push(Word::Mark(')')),
            _ => words.push(Word::Other),
        }
    }
    words
}

fn is(word: Option<&Word>, keyword: &str) -> bool {
    matches!(word, Some(Word::Name(name)) if name.eq_ignore_ascii_case(keyword))
}

/// Each `ADD FOREIGN KEY`, `ADD UNIQUE`, `ADD CHECK` and `ADD PRIMARY KEY` of an `ALTER TABLE` that has no `CONSTRAINT name`.
fn unnamed(sql: &str, is_mysql: bool) -> Vec<(ConstraintKind, Option<String>)> {
    let words = words(sql);
    let mut found = Vec::new();
    let mut table = None;
    let mut altering = false;
    for at in 0..words.len() {
        let next = |offset: usize| words.get(at + offset);
        if matches!(words[at], Word::Mark(';')) {
            altering = false;
        } else if is(next(0), "alter") && is(next(1), "table") {
            altering = true;
            table = table_name(&words, at + 2);
        } else if altering && is(next(0), "add") {
            found.extend(added(&words, at + 1, is_mysql).map(|kind| (kind, table.clone())));
        }
    }
    found
}

fn table_name(words: &[Word], mut at: usize) -> Option<String> {
    while is(words.get(at), "if") || is(words.get(at), "exists") || is(words.get(at), "only") {
        at += 1;
    }
    match words.get(at) {
        Some(Word::Name(name)) => Some(name.clone()),
        _ => None,
    }
}

fn added(words: &[Word], at: usize, is_mysql: bool) -> Option<ConstraintKind> {
    let next = |offset: usize| words.get(at + offset);
    let opens = |offset: usize| matches!(next(offset), Some(Word::Mark('(')));
    if is(next(0), "foreign") && is(next(1), "key") {
        // MySQL's `FOREIGN KEY name (column)` names the index, and since 8.0.16 the constraint as well; MariaDB names only the index.
        return (opens(2) || is_mysql).then_some(ConstraintKind::ForeignKey);
    }
    if is(next(0), "unique") {
        let offset = if is(next(1), "key") || is(next(1), "index") {
            2
        } else {
            1
        };
        let using = is(next(offset), "using") || is(next(offset), "nulls");
        return (opens(offset) || using).then_some(ConstraintKind::Unique);
    }
    if is(next(0), "check") && opens(1) {
        return Some(ConstraintKind::Check);
    }
    // MySQL's primary key is always called PRIMARY.
    (is(next(0), "primary") && is(next(1), "key") && opens(2) && !is_mysql).then_some(ConstraintKind::PrimaryKey)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(sql: &str) -> Vec<ConstraintKind> {
        unnamed(sql, false).into_iter().map(|(kind, _)| kind).collect()
    }

    #[test]
    fn constraints_without_a_name_are_found() {
        use ConstraintKind::{Check, ForeignKey, PrimaryKey, Unique};
        for (sql, expected) in [
            ("ALTER TABLE a ADD FOREIGN KEY (b) REFERENCES c (id)", vec![ForeignKey]),
            (
                "alter table if exists only \"A\"\n  add unique (x), add check (x > 0)",
                vec![Unique, Check],
            ),
            (
                "ALTER TABLE a ADD PRIMARY KEY (x); SELECT 1; ALTER TABLE b ADD UNIQUE NULLS NOT DISTINCT (y)",
                vec![PrimaryKey, Unique],
            ),
            (
                "ALTER TABLE a /* x */ ADD -- y\n FOREIGN KEY (b) REFERENCES c",
                vec![ForeignKey],
            ),
        ] {
            assert_eq!(kinds(sql), expected, "{sql}");
        }
    }

    #[test]
    fn names_comments_and_literals_are_left_alone() {
        for sql in [
            "ALTER TABLE a ADD CONSTRAINT x FOREIGN KEY (b) REFERENCES c (id)",
            "ALTER TABLE a ADD UNIQUE KEY x (b)",
            "ALTER TABLE a ADD COLUMN b int UNIQUE",
            "-- ALTER TABLE a ADD UNIQUE (b)\nSELECT 1",
            "SELECT 'ALTER TABLE a ADD UNIQUE (b)'",
            "SELECT $$ALTER TABLE a ADD UNIQUE (b)$$",
            "INSERT INTO a VALUES ('add', 'unique')",
        ] {
            assert_eq!(kinds(sql), [], "{sql}");
        }
    }

    #[test]
    fn mysql_is_judged_by_what_mysql_does() {
        assert_eq!(
            unnamed("ALTER TABLE a ADD FOREIGN KEY idx (b) REFERENCES c (id)", true).len(),
            1
        );
        assert!(unnamed("ALTER TABLE a ADD PRIMARY KEY (id)", true).is_empty());
    }
}
