//! A column is added with a unique or check constraint that has no name.

use crate::constraints::MigrationFile;
use crate::constraints::advice::{RAISES, by_hand, name_to_write, what_to_write};
use crate::constraints::convention_name::raises_without_name;
use crate::constraints::inline::{Inline, write_name};
use crate::constraints::suggestion::suggest;
use crate::constraints::type_checks::{type_checks, unnamed_type};
use crate::diagnostic::{Diagnostic, Rule, Severity};
use crate::fix::{Fix, Safety};
use crate::migration::{Name, Step};
use crate::naming::{ConstraintKind, Dialect};

pub(super) static RULE: Rule = Rule {
    name: "unnamed-column-constraint",
    summary: "a column is added with a unique or check constraint that has no name",
    severity: Severity::Warning,
    documentation: include_str!("../../docs/rules/unnamed-column-constraint.md"),
};

pub(super) fn check(file: &MigrationFile<'_>) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for (step, inline) in file.inline().iter().filter(|(step, _)| step.method == "add_column") {
        if inline.kind != ConstraintKind::ForeignKey && inline.name == Name::Unnamed {
            found.extend(diagnostic(file, step, inline));
        }
    }
    // The types of a new table belong to the rule about tables. A type's check goes with its column, so only one that fails is found.
    for step in file.migration.steps.iter().filter(|step| step.method != "create_table") {
        for check in type_checks(step) {
            found.extend(unnamed_type(&RULE, file, step, &check));
        }
    }
    found
}

fn diagnostic(file: &MigrationFile<'_>, step: &Step<'_>, inline: &Inline<'_>) -> Option<Diagnostic> {
    let constraint = inline.constraint(step);
    let suggestion = suggest(file, constraint);
    let name = name_to_write(file, Some(&constraint), &suggestion);
    // The convention names it, and it goes with its column.
    if suggestion.is_implicit && inline.kind == ConstraintKind::Unique {
        return None;
    }
    let message = match inline.kind {
        ConstraintKind::Unique => "the new column's unique constraint has no name",
        _ => "the new column's check constraint has no name",
    };
    let raises = raises_without_name(file, constraint);
    let mut diagnostic = Diagnostic::new(&RULE, file.file(), step.call.span, message)
        .focus(inline.argument.span, consequence(file, step, inline, raises))
        .help(match &suggestion.name {
            Some(_) if file.is_deployed => what_to_write(file, &constraint, "", &suggestion),
            named => help(file, step, inline, named.as_deref(), raises),
        });
    if raises {
        diagnostic.severity = Severity::Error;
    }
    let written = name.text.as_deref().filter(|_| name.certain);
    let edit = || write_name(file, &step.receiver, inline.call?, written?);
    let edit = edit().filter(|_| !needs_own_operation(file, inline));
    diagnostic.fix = edit.map(|edit| Fix::new("name it", Safety::Suggested, vec![edit]));
    diagnostic.suggested_name = name.text;
    Some(diagnostic)
}

fn help(file: &MigrationFile<'_>, step: &Step<'_>, inline: &Inline<'_>, name: Option<&str>, raises: bool) -> String {
    match (name, inline.kind) {
        (Some(name), ConstraintKind::Unique) => {
            format!("take `unique=True` out and create the constraint by itself: `create_unique_constraint` with the name `{name}`")
        }
        _ if needs_own_operation(file, inline) => {
            "take it out and create it by itself: `create_check_constraint` with a name; MariaDB takes none inside a column".to_owned()
        }
        (Some(name), _) => format!("name it: `{name}`"),
        (None, _) if raises => by_hand(file, inline.constraint(step), " as `name=`"),
        (None, _) => "give it a name with `name=`: only you know what it is for".to_owned(),
    }
}

/// MariaDB's syntax has no name for a check inside of a column (error 1064), and a URL for MySQL may lead to it.
fn needs_own_operation(file: &MigrationFile<'_>, inline: &Inline<'_>) -> bool {
    inline.kind == ConstraintKind::Check && matches!(file.dialect(), Some(Dialect::Mysql | Dialect::Mariadb))
}

fn consequence(file: &MigrationFile<'_>, step: &Step<'_>, inline: &Inline<'_>, raises: bool) -> &'static str {
    match (file.dialect(), step.receiver.is_batch()) {
        _ if raises => RAISES,
        (Some(Dialect::Sqlite), true) if inline.kind == ConstraintKind::Unique => {
            "SQLite refuses it in batch mode: the constraint must have a name"
        }
        _ => "Alembic never learns the name it gets; it goes when the column goes",
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::diagnostic::Diagnostic;
    use crate::rules::harness::{
        CK, MYSQL, PG, SQLITE, assert_finds, assert_finds_nothing, check_last_on, models, of_migration, shown,
    };

    /// A database that is none of those that are known.
    const OTHER: &str = "driver://h/d";

    fn found(url: &str, models: &str, upgrade: &str) -> Vec<Diagnostic> {
        check_last_on(url, models, &[upgrade], false)
    }

    fn told(url: &str, models: &str, upgrade: &str) -> Vec<String> {
        let line = |one: &Diagnostic| format!("{} {}", one.severity, one.rule.name);
        found(url, models, upgrade).iter().map(line).collect()
    }

    #[test]
    fn a_check_is_named_in_its_column_and_a_unique_constraint_by_itself() {
        let add =
            "op.add_column('order', sa.Column('paid', sa.Integer(), sa.CheckConstraint('paid > 0'), unique=True))";
        insta::assert_snapshot!(shown(&of_migration(PG, add, "pass", false)), @r"
        5:60 warning[unnamed-column-constraint]: the new column's check constraint has no name
          sa.CheckConstraint('paid > 0'): Alembic never learns the name it gets; it goes when the column goes
          help: give it a name with `name=`: only you know what it is for
        5:92 warning[unnamed-column-constraint]: the new column's unique constraint has no name
          unique=True: Alembic never learns the name it gets; it goes when the column goes
          help: take `unique=True` out and create the constraint by itself: `create_unique_constraint` with the name `uq_order_paid`
        ");
    }

    #[test]
    fn unique_columns_and_their_checks_are_found() {
        assert_finds(
            &RULE,
            &[
                "PG | op.add_column('o', sa.Column('i', sa.Integer(), unique=True))",
                "PG | op.add_column('o', sa.Column('i', sa.CheckConstraint('i > 0')))",
                "PG | column = sa.Column('i', sa.Integer(), unique=True); op.add_column(table_name='o', column=column)",
            ],
        );
        assert_finds_nothing(
            &RULE,
            &[
                "PG | op.add_column('o', sa.Column('i', unique=True, index=True))",
                "PG | op.add_column('o', sa.Column('i', unique=False))",
            ],
        );
    }

    /// Each was run with Alembic 1.20 and SQLAlchemy 2.1 on PostgreSQL, MariaDB and SQLite.
    #[test]
    fn a_check_without_a_name_fails_under_a_convention_that_builds_on_one() {
        let column = "op.add_column('t', sa.Column('b', sa.Integer, sa.CheckConstraint('b > 0')))";
        let own = "op.create_check_constraint(None, 't', 'b > 0')";
        for (url, upgrade, expected) in [
            (PG, own, "error unnamed-constraint"),
            (PG, column, "error unnamed-column-constraint"),
            (MYSQL, column, "error unnamed-column-constraint"),
            (SQLITE, column, "error unnamed-column-constraint"),
            (
                PG,
                "op.create_table('u', sa.Column('b', sa.Integer, sa.CheckConstraint('b > 0')))",
                "error unnamed-table-constraint",
            ),
            (PG, "op.create_table('u', sa.CheckConstraint('b > 0'))", "error unnamed-table-constraint"),
        ] {
            assert_eq!(told(url, &models(CK), upgrade), [expected], "{upgrade}");
            for model in ["", &models("{'ck': 'ck_%(table_name)s'}")] {
                let left = told(url, model, upgrade);
                assert!(!left.iter().any(|one| one == expected) || upgrade == own, "{left:?}");
            }
        }
        let named = "op.create_table('u', sa.CheckConstraint('b > 0', name='b_positive'))";
        assert!(told(PG, &models(CK), named).is_empty());
    }

    #[test]
    fn a_type_fails_where_the_database_gets_its_check() {
        let boolean = "sa.Boolean(create_constraint=True)";
        let text = "sa.Enum('x', 'y', native_enum=False, create_constraint=True)";
        let native = "sa.Enum('x', 'y', create_constraint=True)";
        for (kind, url, table, column) in [
            (boolean, PG, "", ""),
            (boolean, MYSQL, "error", "error"),
            (boolean, SQLITE, "error", ""),
            (boolean, OTHER, "warning", "warning"),
            (text, PG, "error", "error"),
            (text, MYSQL, "error", "error"),
            (text, SQLITE, "error", ""),
            (text, OTHER, "error", "warning"),
            (native, PG, "", ""),
            (native, MYSQL, "", ""),
            (native, SQLITE, "error", ""),
            (native, OTHER, "warning", "warning"),
            ("sa.Enum('x', name='b', native_enum=False, create_constraint=True)", PG, "", ""),
            ("sa.Enum(Kind, native_enum=False, create_constraint=True)", PG, "", ""),
            ("sa.Enum('x', native_enum=False)", PG, "", ""),
            ("sa.Boolean()", MYSQL, "", ""),
        ] {
            let line = |severity: &str, rule: &str| match severity {
                "" => Vec::new(),
                _ => vec![format!("{severity} {rule}")],
            };
            let create = format!("op.create_table('u', sa.Column('b', {kind}))");
            assert_eq!(told(url, &models(CK), &create), line(table, "unnamed-table-constraint"), "{url} {create}");
            let add = format!("op.add_column('u', sa.Column('b', {kind}))");
            assert_eq!(told(url, &models(CK), &add), line(column, "unnamed-column-constraint"), "{url} {add}");
            let alter = format!("op.alter_column('u', 'b', type_={kind}, existing_type=sa.Text())");
            assert_eq!(told(url, &models(CK), &alter), line(column, "unnamed-column-constraint"), "{url} {alter}");
            assert!(told(url, "", &add).is_empty());
        }
    }

    #[test]
    fn what_is_said_of_such_a_check_is_true() {
        let own = found(PG, &models(CK), "op.create_check_constraint(None, 'order', 'b > 0')");
        let [only] = own.as_slice() else { panic!("{own:?}") };
        assert!(only.focus.text.contains("raises InvalidRequestError"), "{}", only.focus.text);
        let help = only.help.clone().unwrap();
        assert!(help.starts_with("choose a name") && help.contains("puts `ck_order_` before it"), "{help}");
        assert!(
            only.related
                .iter()
                .all(|label| !label.text.contains("leaves its kind out"))
        );
        assert!(only.suggested_name.is_none() && only.fix.is_none());
        let column = "op.add_column('order', sa.Column('b', sa.Integer, sa.CheckConstraint('b > 0')))";
        let help = found(MYSQL, "", column)[0].help.clone().unwrap();
        assert!(help.contains("`create_check_constraint` with a name"), "{help}");
    }
}
