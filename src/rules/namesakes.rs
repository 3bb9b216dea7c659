//! Constraints of one table that would be offered one name: the documented templates take the first column, and two may begin with the same.

use std::collections::HashMap;

use crate::migration::{Known, Operation, Step};
use crate::naming::ConstraintKind;

use super::MigrationFile;
use super::inline::{Inline, InlineName, of_added_column};
use super::suggestion::{Constraint, Source, Suggestion, suggest, with_all_columns};

/// What has to have a name of its own: a kind of constraint within a run of statements and a table.
#[derive(PartialEq, Eq, Hash)]
struct Key<'m> {
    block: usize,
    schema: Option<&'m str>,
    table: &'m str,
    kind: ConstraintKind,
    name: String,
}

/// The columns of a constraint and the table that it refers to.
type Shape<'m> = (&'m Known<Vec<String>>, Option<&'m str>);

/// What is called by each name: one constraint, however often it is written, or several.
type Taken<'m> = HashMap<Key<'m>, Option<Shape<'m>>>;

/// Gives each of several that would share a name the name with all its columns; none, with the reason, where that is taken as well, or where a
/// convention of the project or the configuration makes them share it.
pub(super) fn told_apart(file: &MigrationFile<'_>, suggestions: &mut [Option<Suggestion>]) {
    // The usual migration has one without a name, or none that could share it.
    if suggestions.iter().flatten().count() == 0 || file.migration.operations.len() + file.migration.steps.len() < 2 {
        return;
    }
    let inline: Vec<_> = file
        .migration
        .steps
        .iter()
        .map(|step| (step, of_added_column(step)))
        .collect();
    let operations = file.migration.operations.as_slice();
    let named = inline_names(file, &inline);
    let first = taken(&named, operations, suggestions);
    let shared: Vec<bool> = are_shared(&first, operations, suggestions);
    for (at, suggestion) in suggestions.iter_mut().enumerate().filter(|(at, _)| shared[*at]) {
        let is_documented = |own: &&mut Suggestion| own.source == Source::Documented || own.unread.is_some();
        if let Some(own) = suggestion.as_mut().filter(is_documented) {
            with_all_columns(file, Constraint::from(&operations[at]), own);
        }
    }
    let then = taken(&named, operations, suggestions);
    let shared: Vec<bool> = are_shared(&then, operations, suggestions);
    for (_, suggestion) in suggestions.iter_mut().enumerate().filter(|(at, _)| shared[*at]) {
        if let Some(own) = suggestion {
            own.withhold();
        }
    }
}

/// The names that columns bring along, or are offered.
fn inline_names<'f>(
    file: &MigrationFile<'_>,
    inline: &'f [(&'f Step<'_>, Vec<Inline<'_>>)],
) -> Vec<(Key<'f>, Shape<'f>)> {
    let all = inline
        .iter()
        .flat_map(|(step, found)| found.iter().map(move |one| (*step, one)));
    all.filter_map(|(step, one)| {
        let constraint = one.constraint(step);
        let name = match &one.name {
            InlineName::Unnamed => suggest(file, constraint).name?,
            InlineName::Plain(name) | InlineName::Finished(name) => name.clone(),
            InlineName::Computed => return None,
        };
        named(step.block, constraint, name)
    })
    .collect()
}

fn named(block: usize, constraint: Constraint<'_>, name: String) -> Option<(Key<'_>, Shape<'_>)> {
    let key = Key {
        block,
        schema: constraint.schema,
        table: constraint.table.known()?,
        kind: constraint.kind,
        name,
    };
    Some((key, (constraint.columns, constraint.referred.map(|(table, ..)| table))))
}

fn of_operation<'m>(operation: &'m Operation<'_>, suggestion: Option<&Suggestion>) -> Option<(Key<'m>, Shape<'m>)> {
    let suggested = suggestion.and_then(|suggestion| suggestion.name.as_deref());
    let name = operation.name.text().or(suggested).filter(|_| operation.creates())?;
    named(operation.block, Constraint::from(operation), name.to_owned())
}

fn taken<'f>(
    inline: &[(Key<'f>, Shape<'f>)],
    operations: &'f [Operation<'_>],
    suggestions: &[Option<Suggestion>],
) -> Taken<'f> {
    let mut taken = Taken::new();
    let inline = inline.iter().map(|(key, shape)| {
        let name = key.name.clone();
        (Key { name, ..*key }, *shape)
    });
    let of_operations = operations
        .iter()
        .zip(suggestions)
        .filter_map(|(operation, suggestion)| of_operation(operation, suggestion.as_ref()));
    for (key, shape) in inline.chain(of_operations) {
        let known = taken.entry(key).or_insert(Some(shape));
        *known = known.filter(|known| *known == shape);
    }
    taken
}

/// Which of the creates would share the name that is suggested with another constraint. A table has one primary key, whatever it is called.
fn are_shared(taken: &Taken<'_>, operations: &[Operation<'_>], suggestions: &[Option<Suggestion>]) -> Vec<bool> {
    let is_shared = |(operation, suggestion): (&Operation<'_>, &Option<Suggestion>)| {
        let own = suggestion.as_ref().and_then(|own| of_operation(operation, Some(own)));
        own.is_some_and(|(key, _)| key.kind != ConstraintKind::PrimaryKey && taken.get(&key) == Some(&None))
    };
    operations.iter().zip(suggestions).map(is_shared).collect()
}

#[cfg(test)]
mod tests {
    use crate::check::examine;
    use crate::config::Config;
    use crate::diagnostic::Diagnostic;
    use crate::fix::{Safety, apply};
    use crate::git::MemorySnapshot;
    use crate::project::Project;
    use crate::source::SourceFile;

    /// What is found in a new revision with these halves.
    fn found(convention: &str, upgrade: &[&str], downgrade: &[&str], is_deployed: bool) -> Vec<Diagnostic> {
        let env = "from alembic import context\nfrom app.models import Base\ntarget_metadata = Base.metadata\ncontext.configure(url='postgresql://h/d', target_metadata=target_metadata)\n";
        let models = format!(
            "from sqlalchemy import Column, Integer, MetaData, UniqueConstraint\nfrom sqlalchemy.orm import DeclarativeBase\nclass Base(DeclarativeBase):\n    metadata = MetaData(naming_convention={convention})\nclass Node(Base):\n    __tablename__ = 'node'\n    px = Column(Integer)\n    py = Column(Integer)\n    __table_args__ = (UniqueConstraint('px', 'py'),)\n"
        );
        let snapshot = MemorySnapshot::from([("migrations/env.py", env), ("app/models.py", models.as_str())]);
        let half = |lines: &[&str]| format!("    {}\n", lines.join("\n    "));
        let (upgrade, downgrade) = (half(upgrade), half(downgrade));
        let text = format!(
            "from alembic import op\nimport sqlalchemy as sa\nrevision = 'b'\ndown_revision = 'a'\ndef upgrade():\n{upgrade}\ndef downgrade():\n{downgrade}"
        );
        let file = SourceFile::new("migrations/versions/b.py".into(), text);
        let project = Project::new(&snapshot, "/top");
        let mut found = examine(&file, is_deployed, &project, &Config::default()).diagnostics;
        found.sort_by_key(|one| one.span);
        found
    }

    /// The names that are offered for the creates, in order.
    fn names(found: &[Diagnostic]) -> Vec<Option<&str>> {
        let creates = found.iter().filter(|one| one.rule.name != "unnamed-drop");
        creates.map(|one| one.suggested_name.as_deref()).collect()
    }

    const PX: &str = "op.create_unique_constraint(None, 'node', ['px'])";
    const BOTH: &str = "op.create_unique_constraint(None, 'node', ['px', 'py'])";
    const PZ: &str = "op.create_unique_constraint(None, 'node', ['px', 'pz'])";
    const DROP: &str = "op.drop_constraint(None, 'node', type_='unique')";

    #[test]
    fn two_that_begin_with_the_same_column_are_told_apart_by_all_of_them() {
        for (upgrade, expected) in [
            (&[PX, BOTH][..], &["uq_node_px", "uq_node_px_py"][..]),
            (&[BOTH, PX], &["uq_node_px_py", "uq_node_px"]),
            (&[BOTH, PZ], &["uq_node_px_py", "uq_node_px_pz"]),
            (
                &["op.create_unique_constraint('uq_node_px', 'node', ['px'])", BOTH],
                &["uq_node_px_py"],
            ),
            (
                &["op.add_column('node', sa.Column('px', sa.Integer, unique=True))", BOTH],
                &["uq_node_px", "uq_node_px_py"],
            ),
            (
                &[
                    "op.create_foreign_key(None, 'node', 'u', ['a'], ['x'])",
                    "op.create_foreign_key(None, 'node', 'u', ['a', 'b'], ['x', 'y'])",
                    "op.create_foreign_key(None, 'node', 'v', ['a'], ['x'])",
                ],
                &["fk_node_a_u", "fk_node_a_b_u", "fk_node_a_v"],
            ),
            // Of two tables, or of two branches, each has its own.
            (
                &[BOTH, "op.create_unique_constraint(None, 'edge', ['px'])"],
                &["uq_node_px", "uq_edge_px"],
            ),
            (
                &[
                    "if x:",
                    "    op.create_unique_constraint(None, 'node', ['px'])",
                    "else:",
                    "    op.create_unique_constraint(None, 'node', ['px', 'py'])",
                ],
                &["uq_node_px", "uq_node_px"],
            ),
        ] {
            let found = found("{}", upgrade, &["pass"], false);
            let expected: Vec<Option<&str>> = expected.iter().copied().map(Some).collect();
            assert_eq!(names(&found), expected, "{upgrade:?}");
        }
    }

    #[test]
    fn the_fix_and_the_model_have_the_same_names() {
        let found = found("{}", &[PX, BOTH], &[DROP, DROP], false);
        let fixes: Vec<_> = found.iter().filter_map(|one| one.fix.as_ref()).collect();
        assert!(fixes.iter().all(|fix| fix.safety == Safety::Safe));
        let after = apply(&found[0].file, fixes);
        let drops = "op.drop_constraint(op.f('uq_node_px_py'), 'node', type_='unique')\n    op.drop_constraint(op.f('uq_node_px'), 'node', type_='unique')";
        assert!(after.contains(drops), "{after}");
        let models: Vec<&str> = found
            .iter()
            .filter_map(|one| Some(one.model.as_ref()?.text.as_str()))
            .collect();
        assert!(models.iter().any(|text| text.contains("uq_node_px_py")), "{models:?}");
    }

    /// The database refuses the second whatever its name, so the name is told and the rest is left to a person.
    #[test]
    fn what_is_written_twice_has_its_name() {
        for upgrade in [[PX, PX], [BOTH, BOTH]] {
            let found = found("{}", &upgrade, &["pass"], false);
            assert_eq!(names(&found), [Some("uq_node_px"); 2]);
            assert!(found.iter().all(|one| one.fix.is_none()));
        }
        let keys = [
            "op.create_primary_key(None, 'node', ['px'])",
            "op.create_primary_key(None, 'node', ['py'])",
        ];
        assert_eq!(names(&found("{}", &keys, &["pass"], false)), [Some("pk_node"); 2]);
    }

    #[test]
    fn what_a_convention_calls_by_one_name_is_left_with_the_reason() {
        let convention = "{'uq': 'uq_%(table_name)s_%(column_0_name)s'}";
        for (convention, upgrade, is_deployed) in [
            (convention, [PX, BOTH], false),
            (convention, [PX, BOTH], true),
            ("{'uq': 'uq_%(table_name)s'}", [PX, BOTH], false),
            (
                "{}",
                ["op.create_unique_constraint('uq_node_px', 'node', ['py'])", PX],
                false,
            ),
        ] {
            let found = found(convention, &upgrade, &["pass"], is_deployed);
            assert!(!found.is_empty());
            for one in &found {
                assert_eq!(
                    (one.suggested_name.as_deref(), one.fix.is_some()),
                    (None, false),
                    "{upgrade:?}"
                );
                let help = one.help.as_deref().unwrap_or_default();
                assert!(
                    help.contains(
                        "none is suggested, because another constraint of the table would have the same name, `uq_node"
                    ),
                    "{help}"
                );
            }
        }
    }
}
