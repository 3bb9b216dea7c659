//! Constraints of one table that would be offered one name: the documented templates take the first column, and two may begin with the same.

use std::collections::HashMap;

use crate::migration::Operation;

use super::MigrationFile;
use super::inline::{InlineName, of_added_column};
use super::suggestion::{Constraint, Source, Suggestion, suggest, with_all_columns};

/// What has to have a name of its own: within a run of statements and a table.
#[derive(PartialEq, Eq, Hash)]
struct Key<'m> {
    block: usize,
    schema: Option<&'m str>,
    table: &'m str,
    name: String,
}

/// How often each name is given or offered.
type Taken<'m> = HashMap<Key<'m>, usize>;

/// Gives each of several that would share a name the name with all its columns; none, with the reason, where that is taken as well, or where a
/// convention of the project or the configuration makes them share it.
pub(super) fn told_apart(file: &MigrationFile<'_>, suggestions: &mut [Option<Suggestion>]) {
    // The usual migration has one without a name, or none that could share it.
    if suggestions.iter().flatten().count() == 0 || file.migration.operations.len() + file.migration.steps.len() < 2 {
        return;
    }
    let others = given_or_inline(file);
    let operations = file.migration.operations.as_slice();
    let first = with_suggested(&others, operations, suggestions);
    for (operation, suggestion) in operations.iter().zip(suggestions.iter_mut()) {
        let Some(suggestion) = suggestion else { continue };
        let is_documented = suggestion.source == Source::Documented || suggestion.unread.is_some();
        if is_documented && is_shared(&first, operation, suggestion) {
            with_all_columns(file, Constraint::from(operation), suggestion);
        }
    }
    let then = with_suggested(&others, operations, suggestions);
    for (operation, suggestion) in operations.iter().zip(suggestions.iter_mut()) {
        let Some(suggestion) = suggestion else { continue };
        if is_shared(&then, operation, suggestion) {
            suggestion.withhold();
        }
    }
}

/// The names that are written, and those that columns are offered.
fn given_or_inline<'f>(file: &'f MigrationFile<'_>) -> Taken<'f> {
    let mut taken = Taken::new();
    let named = file.migration.operations.iter().filter(|operation| operation.creates());
    for operation in named {
        if let Some(name) = operation.name.text() {
            count(&mut taken, key(operation, name));
        }
    }
    for step in &file.migration.steps {
        for inline in of_added_column(step) {
            let constraint = inline.constraint(step);
            let name = match &inline.name {
                InlineName::Unnamed => suggest(file, constraint).name,
                InlineName::Plain(name) | InlineName::Finished(name) => Some(name.clone()),
                InlineName::Computed => None,
            };
            let key = name.zip(step.table.known()).map(|(name, table)| Key {
                block: step.block,
                schema: step.schema.known().and_then(Option::as_deref),
                table,
                name,
            });
            count(&mut taken, key);
        }
    }
    taken
}

fn with_suggested<'f>(
    others: &Taken<'f>,
    operations: &'f [Operation<'_>],
    suggestions: &[Option<Suggestion>],
) -> Taken<'f> {
    let mut taken: Taken<'f> = others
        .iter()
        .map(|(key, times)| {
            let key = Key {
                name: key.name.clone(),
                ..*key
            };
            (key, *times)
        })
        .collect();
    for (operation, suggestion) in operations.iter().zip(suggestions) {
        let name = suggestion.as_ref().and_then(|suggestion| suggestion.name.as_deref());
        count(&mut taken, name.and_then(|name| key(operation, name)));
    }
    taken
}

fn is_shared(taken: &Taken<'_>, operation: &Operation<'_>, suggestion: &Suggestion) -> bool {
    let key = suggestion.name.as_deref().and_then(|name| key(operation, name));
    key.is_some_and(|key| taken.get(&key).is_some_and(|times| *times > 1))
}

fn key<'m>(operation: &'m Operation<'_>, name: &str) -> Option<Key<'m>> {
    Some(Key {
        block: operation.block,
        schema: operation.schema.known().and_then(Option::as_deref),
        table: operation.table.known()?,
        name: name.to_owned(),
    })
}

fn count<'m>(taken: &mut Taken<'m>, key: impl Into<Option<Key<'m>>>) {
    if let Some(key) = key.into() {
        *taken.entry(key).or_default() += 1;
    }
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

    #[test]
    fn what_a_convention_calls_by_one_name_is_left_with_the_reason() {
        let convention = "{'uq': 'uq_%(table_name)s_%(column_0_name)s'}";
        for (convention, upgrade, is_deployed) in [
            (convention, [PX, BOTH], false),
            (convention, [PX, BOTH], true),
            ("{'uq': 'uq_%(table_name)s'}", [PX, BOTH], false),
            ("{}", [PX, PX], false),
            ("{}", [PX, PX], true),
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
