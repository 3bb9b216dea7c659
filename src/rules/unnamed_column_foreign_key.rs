//! A column is added with a foreign key that has no name.

use crate::constraints::MigrationFile;
use crate::constraints::advice::{add, add_obstacle, name_to_write, what_to_write};
use crate::constraints::constraint::Constraint;
use crate::constraints::edits::{drop_arguments, table_arguments};
use crate::constraints::inline::{Inline, is_set, write_name};
use crate::constraints::suggestion::{Suggestion, suggest};
use crate::diagnostic::{Diagnostic, Rule, Severity};
use crate::fix::{Edit, Fix, Safety};
use crate::migration::{Action, Direction, Name, Receiver, Step};
use crate::naming::{ConstraintKind, Dialect};
use crate::source::Span;

pub(super) static RULE: Rule = Rule {
    name: "unnamed-column-foreign-key",
    summary: "a column is added with a foreign key that has no name",
    severity: Severity::Error,
    documentation: include_str!("../../docs/rules/unnamed-column-foreign-key.md"),
};

const INLINE_REFERENCES: &str = "inline_references";

pub(super) fn check(file: &MigrationFile<'_>) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for (step, inline) in file.inline().iter().filter(|(step, _)| step.method == "add_column") {
        if inline.kind != ConstraintKind::ForeignKey {
            continue;
        }
        // Alembic then writes `REFERENCES` into the column, and no name (`alembic/ddl/impl.py`; seen with 1.20).
        if is_set(step.call, INLINE_REFERENCES) {
            found.extend(inline_reference(file, step, inline));
        } else if inline.name == Name::Unnamed {
            found.push(diagnostic(file, step, inline));
        }
    }
    found
}

/// Such a key has no name, whatever is written. On SQLite there is no other way to add one outside of batch mode.
fn inline_reference(file: &MigrationFile<'_>, step: &Step<'_>, inline: &Inline<'_>) -> Option<Diagnostic> {
    if file.dialect() == Some(Dialect::Sqlite) {
        return None;
    }
    let message = format!("{} has no name", what(step, inline));
    let mut arguments = step.call.arguments.iter();
    let place = arguments.find(|argument| argument.is_keyword(INLINE_REFERENCES))?;
    Some(
        Diagnostic::new(&RULE, file.file(), step.call.span, message)
            .focus(place.span, "Alembic leaves the name out with this, and the convention's too")
            .help("take `inline_references` out and name the key, or create it by itself with `create_foreign_key`"),
    )
}

fn what(step: &Step<'_>, inline: &Inline<'_>) -> String {
    let column = inline.columns.iter().flatten().next();
    match (step.table.known(), column) {
        (Some(table), Some(column)) => format!("foreign key `{table}.{column}`"),
        _ => "foreign key of the new column".to_owned(),
    }
}

fn diagnostic(file: &MigrationFile<'_>, step: &Step<'_>, inline: &Inline<'_>) -> Diagnostic {
    let constraint = inline.constraint(step);
    let suggestion = suggest(file, constraint);
    let name = name_to_write(file, Some(&constraint), &suggestion);
    let what = what(step, inline);
    let mut diagnostic = Diagnostic::new(&RULE, file.file(), step.call.span, format!("{what} has no name"))
        .focus(inline.argument.span, consequence(file, step, suggestion.is_implicit))
        .help(help(file, &constraint, &suggestion));
    if suggestion.is_implicit && !needs_a_drop(file) {
        // It works, and the convention names it; only the history does not say how.
        diagnostic.severity = Severity::Warning;
    }
    let written = name.text.as_deref().filter(|_| name.certain);
    diagnostic.fix = written.and_then(|name| fix(file, step, inline, name));
    diagnostic.suggested_name = name.text;
    diagnostic
}

fn needs_a_drop(file: &MigrationFile<'_>) -> bool {
    matches!(file.dialect(), Some(Dialect::Mysql | Dialect::Mariadb))
}

fn consequence(file: &MigrationFile<'_>, step: &Step<'_>, is_implicit: bool) -> &'static str {
    match (file.dialect(), step.receiver.is_batch()) {
        _ if is_implicit && !needs_a_drop(file) => {
            "the convention names it while this runs, and the history does not say how"
        }
        (Some(Dialect::Mysql | Dialect::Mariadb), _) => {
            "the column cannot be dropped while the key is there (error 1553), and a key without a name cannot be dropped"
        }
        (Some(Dialect::Sqlite), true) => "SQLite refuses it in batch mode: the constraint must have a name",
        (Some(Dialect::Postgresql), _) => "Alembic never learns the name it gets",
        _ => "PostgreSQL invents a name, MariaDB cannot drop the column again, SQLite's batch mode refuses it",
    }
}

fn help(file: &MigrationFile<'_>, constraint: &Constraint<'_>, suggestion: &Suggestion) -> String {
    let mut help = what_to_write(file, constraint, "", suggestion);
    if needs_a_drop(file) && !file.is_deployed {
        add(&mut help, "drop it by that name before the column");
    }
    add_obstacle(&mut help, suggestion.obstacle().as_ref());
    help
}

/// The name goes into the `ForeignKey`; for MySQL and MariaDB the missing drop goes before the column's.
fn fix(file: &MigrationFile<'_>, step: &Step<'_>, inline: &Inline<'_>, name: &str) -> Option<Fix> {
    let mut edits = vec![write_name(file, &step.receiver, inline.call?, name)?];
    if needs_a_drop(file) {
        edits.extend(missing_drop(file, step, inline, name));
    }
    Some(Fix::new(format!("name it `{name}`"), Safety::Suggested, edits))
}

fn missing_drop(file: &MigrationFile<'_>, step: &Step<'_>, inline: &Inline<'_>, name: &str) -> Option<Edit> {
    let column = inline.columns.as_ref()?.first()?;
    let is_it = |other: &&Step<'_>| {
        other.when.direction == Direction::Downgrade && other.table == step.table && other.schema == step.schema
    };
    let mut drops = file.drops_of_column(step.table.known()?, column);
    let drop = drops.find(is_it)?;
    let operations = &file.migration.operations;
    let is_drop = |at: &usize| matches!(operations[*at].action, Action::Drop(_));
    if file.named(name).iter().any(is_drop) {
        return None;
    }
    let source = file.file();
    let line = source.line_span(drop.call.span.start);
    let indent = source.slice(Span::new(line.start, drop.call.span.start));
    let ending = source.line_ending();
    let arguments = |table| drop_arguments(file, &drop.receiver, drop.call, name, table, ConstraintKind::ForeignKey);
    let call = match &drop.receiver {
        Receiver::Operations(op) => {
            let schema = drop.schema.known()?.as_deref();
            let table = table_arguments(file, drop.call, drop.table.known()?, schema)?;
            format!("{op}.drop_constraint({})", arguments(Some(&table))?)
        }
        Receiver::Batch { spelling, .. } => format!("{spelling}.drop_constraint({})", arguments(None)?),
        Receiver::Bare => return None,
    };
    let is_alone = indent.trim().is_empty();
    is_alone.then(|| Edit::insert(source, drop.call.span.start, format!("{call}{ending}{indent}")))
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::rules::harness::{
        MYSQL, PG, assert_finds, assert_finds_nothing, check, fixed, of_migration, revision, rules_of, shown,
    };

    #[test]
    fn the_key_is_named_in_its_column() {
        let add = "op.add_column('order', sa.Column('invoice_id', sa.ForeignKey('invoice.id')))";
        let drop = "op.drop_column('order', 'invoice_id')";
        insta::assert_snapshot!(shown(&of_migration(PG, add, drop, false)), @r"
        5:52 error[unnamed-column-foreign-key]: foreign key `order.invoice_id` has no name
          sa.ForeignKey('invoice.id'): Alembic never learns the name it gets
          help: name it: `fk_order_invoice_id_invoice`
          Suggested fix: name it `fk_order_invoice_id_invoice`
        -     op.add_column('order', sa.Column('invoice_id', sa.ForeignKey('invoice.id')))
        +     op.add_column('order', sa.Column('invoice_id', sa.ForeignKey('invoice.id', name=op.f('fk_order_invoice_id_invoice'))))
        ");
        insta::assert_snapshot!(shown(&of_migration(MYSQL, add, drop, false)), @r"
        5:52 error[unnamed-column-foreign-key]: foreign key `order.invoice_id` has no name
          sa.ForeignKey('invoice.id'): the column cannot be dropped while the key is there (error 1553), and a key without a name cannot be dropped
          help: name it: `fk_order_invoice_id_invoice`; drop it by that name before the column
          Suggested fix: name it `fk_order_invoice_id_invoice`
        -     op.add_column('order', sa.Column('invoice_id', sa.ForeignKey('invoice.id')))
        +     op.add_column('order', sa.Column('invoice_id', sa.ForeignKey('invoice.id', name=op.f('fk_order_invoice_id_invoice'))))
        +     op.drop_constraint(op.f('fk_order_invoice_id_invoice'), 'order', type_='foreignkey')
        ");
    }

    #[test]
    fn the_missing_drop_has_the_quotes_of_the_file() {
        for (add, drop, expected) in [
            (
                r#"op.add_column("order", sa.Column("a", sa.ForeignKey("t.id")), schema="s")"#,
                r#"op.drop_column("order", "a", schema="s")"#,
                r#"op.drop_constraint(op.f("fk_order_a_t"), "order", schema="s", type_="foreignkey")"#,
            ),
            (
                r#"with op.batch_alter_table("o") as b: b.add_column(sa.Column("a", sa.ForeignKey("t.id")))"#,
                "with op.batch_alter_table(\"o\") as b:\n    b.drop_column(\"a\")",
                r#"b.drop_constraint(b.f("fk_o_a_t"), type_="foreignkey")"#,
            ),
            (
                r#"op.add_column("o'r", sa.Column("a", sa.ForeignKey("t.id")))"#,
                r#"op.drop_column("o'r", "a")"#,
                r#"op.drop_constraint(op.f("fk_o'r_a_t"), "o'r", type_="foreignkey")"#,
            ),
            (
                r"op.add_column('o\'r', sa.Column('a', sa.ForeignKey('t.id')))",
                r"op.drop_column('o\'r', 'a')",
                r"op.drop_constraint(op.f('fk_o\'r_a_t'), 'o\'r', type_='foreignkey')",
            ),
        ] {
            let after = fixed(&of_migration(MYSQL, add, drop, false));
            assert!(after.text().contains(expected), "{}", after.text());
        }
    }

    #[test]
    fn keys_of_added_columns_are_found() {
        assert_finds(
            &RULE,
            &[
                "PG | op.add_column('o', sa.Column('i', sa.ForeignKey('t.id'))) / op.drop_column('o', 'i')",
                "PG | op.add_column('o', sa.Column('i', sa.ForeignKey('t.id', name=None)), schema='s')",
                "PG | op.add_column('o', sa.Column('i', sa.ForeignKey('t.id', name='')))",
                "PG | op.add_column('o', sa.Column('i', sa.ForeignKey('t.id', name='fk')), inline_references=True)",
                "LITE | with op.batch_alter_table('o') as b: b.add_column(Column('i', ForeignKey('t.id')))",
                "MY | column = sa.Column('i', sa.Integer(), sa.ForeignKey('t.id')); op.add_column('o', column)",
            ],
        );
        assert_finds_nothing(
            &RULE,
            &[
                "PG | op.add_column('o', sa.Column('i', sa.ForeignKey('t.id', name='fk')))",
                "PG | op.add_column('o', sa.Column('i', sa.ForeignKey('t.id', **options)))",
                "PG | op.add_column('o', column)",
                "LITE | op.add_column('o', sa.Column('i', sa.ForeignKey('t.id')), inline_references=True)",
                "MY | for column in [sa.Column('i', sa.ForeignKey('t.id'))]: op.add_column('o', column)",
                "MY | column = sa.Column('i', sa.ForeignKey('t.id')); column = other(); op.add_column('o', column)",
            ],
        );
    }

    /// `op.f` works only while a migration runs, and two tables need two names.
    #[test]
    fn a_column_behind_a_name_is_named_only_where_it_can_be() {
        let edits = |head: &str, upgrade: &str| {
            let text = format!("{head}\n{}", revision(upgrade, "pass"));
            let found = check(&[("versions/b.py", text)], "versions/b.py");
            assert!(rules_of(&found).contains(RULE.name), "{upgrade}");
            found.iter().filter(|one| one.fix.is_some()).count()
        };
        let column = "column = sa.Column('i', sa.ForeignKey('t.id'))";
        let add = "op.add_column('o', column)";
        assert_eq!(edits("", &format!("{column}; {add}")), 1);
        assert_eq!(edits(column, add), 0);
        assert_eq!(edits("", &format!("{column}; {add}; op.add_column('p', column)")), 0);
        assert_eq!(
            edits(
                "",
                "op.add_column('o', sa.Column(name='i', type_=T, *[]), x); op.add_column('o', sa.Column(sa.ForeignKey('t.id'), name='i'))"
            ),
            1
        );
    }
}
