//! A constraint is created without a name, and nothing in the project gives it one.

use crate::constraints::MigrationFile;
use crate::constraints::advice::consequence;
use crate::constraints::sqlite_batch::outside_batch;
use crate::constraints::suggestion::Suggestion;
use crate::constraints::unnamed_operation::{complete, subject, this_direction};
use crate::diagnostic::{Diagnostic, Rule, Severity};
use crate::migration::{Action, Name, Operation};
use crate::naming::ConstraintKind;

/// The rule.
pub(super) static RULE: Rule = Rule {
    name: "unnamed-constraint",
    summary: "a constraint is created without a name, and no naming convention gives it one",
    severity: Severity::Error,
    documentation: include_str!("../../docs/rules/unnamed-constraint.md"),
};

pub(super) fn check(file: &MigrationFile<'_>) -> Vec<Diagnostic> {
    let unnamed = unnamed_creates(file)
        .filter(|(_, _, suggestion)| !suggestion.is_implicit)
        .map(|(at, operation, suggestion)| diagnostic(file, at, operation, &suggestion));
    unnamed.chain(outside_batch(file, &RULE, true)).collect()
}

/// The creates without a name, with what can be said of it. `create_index(None)` always gets a name and is none of them, nor is a key that
/// the database names.
pub(super) fn unnamed_creates<'f>(
    file: &'f MigrationFile<'_>,
) -> impl Iterator<Item = (usize, &'f Operation<'f>, Suggestion)> {
    let operations = file.migration.operations.iter().enumerate();
    operations
        .filter(move |(_, operation)| {
            matches!(operation.action, Action::Create(kind) if kind != ConstraintKind::Index && !file.is_named_by_database(kind))
                && operation.name == Name::Unnamed
        })
        .filter_map(move |(at, operation)| Some((at, operation, file.suggestion(at)?.clone())))
}

fn diagnostic(file: &MigrationFile<'_>, at: usize, operation: &Operation<'_>, suggestion: &Suggestion) -> Diagnostic {
    let drop = file.pairing.drop_of(at).map(|drop| &file.migration.operations[drop]);
    let message = format!("{} has no name", subject(operation));
    let focus = operation
        .name_argument
        .map_or(operation.call.span, |argument| argument.span);
    let diagnostic =
        Diagnostic::new(&RULE, file.file(), operation.call.span, message).focus(focus, consequence(file, operation));
    let text = drop.map(|drop| match drop.name {
        Name::Unnamed => format!("so {} fails: no name to drop", this_direction(drop.direction)),
        _ => format!("and {} knows it by this name", this_direction(drop.direction)),
    });
    complete(file, diagnostic, operation, drop.zip(text.as_deref()), suggestion)
}

#[cfg(test)]
mod tests {
    use crate::check::examine;
    use crate::config::Config;
    use crate::diagnostic::Diagnostic;
    use crate::project::Project;
    use crate::snapshot::MemorySnapshot;
    use crate::source::SourceFile;

    fn found(url: &str, body: &str) -> Vec<Diagnostic> {
        let env = format!("from alembic import context\nurl = '{url}'\ntarget_metadata = None\n");
        let snapshot = MemorySnapshot::from([("migrations/env.py", env.as_str())]);
        let text = format!("from alembic import op\nrevision = 'a'\ndown_revision = None\n{body}\n");
        let file = SourceFile::new("migrations/versions/a.py".into(), text);
        let project = Project::new(&snapshot, "/top");
        examine(&file, false, &project, &Config::default()).diagnostics
    }

    #[test]
    fn a_primary_key_needs_no_name_where_the_database_calls_each_one_primary() {
        let key = "def upgrade():\n    op.create_primary_key(None, 'order', ['id'])";
        for (url, expected) in [
            ("mysql+pymysql://h/d", 0),
            ("mariadb://h/d", 0),
            ("postgresql://h/d", 1),
            ("driver://h/d", 1),
        ] {
            assert_eq!(found(url, key).len(), expected, "{url}");
        }
        let unique = "def upgrade():\n    op.create_unique_constraint(None, 'order', ['id'])";
        assert_eq!(found("mysql://h/d", unique).len(), 1);
    }

    #[test]
    fn a_column_is_read_under_a_name() {
        let body = "def upgrade():\n    column = sa.Column('b', sa.ForeignKey('b.id'))\n    op.add_column('a', column)";
        let found = found("postgresql://h/d", body);
        let names: Vec<&str> = found.iter().map(|one| one.rule.name).collect();
        assert_eq!(names, ["unnamed-column-foreign-key"]);
    }

    #[test]
    fn a_name_that_a_call_leaves_out_is_found_where_it_is_used_and_left_to_a_person() {
        let body =
            "def add(name=None):\n    op.create_unique_constraint(name, 'order', ['a'])\ndef upgrade():\n    add()";
        let found = found("postgresql://h/d", body);
        let [only] = found.as_slice() else { panic!("{found:?}") };
        assert!(only.fix.is_none());
        let calls: Vec<&str> = only
            .related
            .iter()
            .map(|label| label.place.file.slice(label.place.span))
            .collect();
        assert!(calls.contains(&"add()"), "{calls:?}");
        assert_eq!(only.suggested_name.as_deref(), Some("uq_order_a"));
    }
}
