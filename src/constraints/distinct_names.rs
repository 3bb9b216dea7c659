//! Constraints of one table that would be offered one name: the documented templates take the first column, and two may begin with the same.

use std::collections::{HashMap, HashSet};

use super::MigrationFile;
use super::constraint::Constraint;
use super::convention_name::{effective_name, name_at_run_time};
use super::inline::{Inline, InlineName, constraints_of, of_added_column};
use super::suggestion::{Source, Suggestion, offered_name, suggest, with_all_columns};
use crate::migration::{Direction, Known, Migration, Name, Operation, Step};
use crate::naming::ConstraintKind;
use crate::project::Revision;

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
pub(crate) fn make_distinct(file: &MigrationFile<'_>, suggestions: &mut [Option<Suggestion>]) {
    if suggestions.iter().flatten().count() == 0 {
        return;
    }
    // The usual migration has one without a name, and nothing beside it that could share it.
    if file.migration.operations.len() + file.migration.steps.len() > 1 {
        told_apart_here(file, suggestions);
    }
    // A committed migration has run, under whatever name.
    if !file.is_deployed {
        told_apart_from_earlier(file, suggestions);
    }
}

fn told_apart_here(file: &MigrationFile<'_>, suggestions: &mut [Option<Suggestion>]) {
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

/// The same for what the revisions before have made: two unique constraints of a table that begin with the same column.
fn told_apart_from_earlier(file: &MigrationFile<'_>, suggestions: &mut [Option<Suggestion>]) {
    let operations = file.migration.operations.as_slice();
    let concerns = |(operation, suggestion): &(&Operation<'_>, &Option<Suggestion>)| {
        let own = matches!(suggestion, Some(own) if own.name.is_some() && !matches!(own.source, Source::OtherDirection | Source::OtherRevision));
        own && operation.kind() == Some(ConstraintKind::Unique) && operation.direction == Direction::Upgrade
    };
    let concerned = operations.iter().zip(&*suggestions).filter(concerns);
    let tables: HashSet<&str> = concerned
        .filter_map(|(operation, _)| operation.table.known().map(String::as_str))
        .collect();
    let Some(earlier) = Earlier::of(file, &tables) else {
        return;
    };
    for (operation, slot) in operations.iter().zip(suggestions.iter_mut()) {
        if !concerns(&(operation, &*slot)) {
            continue;
        }
        let Some(own) = slot else { continue };
        let is_documented = own.source == Source::Documented || own.unread.is_some();
        if is_documented && earlier.shares(operation, own) {
            with_all_columns(file, Constraint::from(operation), own);
        }
        if earlier.shares(operation, own) {
            own.withhold();
        }
    }
}

/// So many tables are looked for in the older revisions.
const MOST_TABLES: usize = 16;

/// The unique constraints that older revisions have left on some tables: their columns, by table and name.
struct Earlier {
    made: HashMap<(String, String), Vec<String>>,
}

impl Earlier {
    /// Nothing where there is no history, or too much to look for.
    fn of(file: &MigrationFile<'_>, tables: &HashSet<&str>) -> Option<Self> {
        if tables.is_empty() || tables.len() > MOST_TABLES {
            return None;
        }
        let history = file.history()?;
        let mut found = Self { made: HashMap::new() };
        let mut gone: HashSet<(String, String)> = HashSet::new();
        let is_about = |revision: &&&Revision| tables.iter().any(|table| revision.mentions(table));
        for revision in history.before(file.migration.module)?.iter().filter(is_about) {
            let migration = Migration::read(revision.module());
            found.add(file, &migration, tables);
            gone.extend(dropped(&migration, tables));
        }
        gone.extend(dropped(file.migration, tables));
        found.made.retain(|(table, name), columns| {
            let is_gone = |word: &String| gone.contains(&(table.clone(), word.clone()));
            !is_gone(name) && !columns.iter().any(is_gone)
        });
        Some(found)
    }

    fn add(&mut self, file: &MigrationFile<'_>, migration: &Migration<'_>, tables: &HashSet<&str>) {
        let is_meant = |table: &Known<String>| table.known().is_some_and(|table| tables.contains(table.as_str()));
        let creates = migration.operations.iter().filter(|one| {
            one.creates()
                && one.direction != Direction::Downgrade
                && one.kind() == Some(ConstraintKind::Unique)
                && is_meant(&one.table)
        });
        for create in creates {
            let constraint = Constraint::from(create);
            // One without a name may get the same one in the same commit.
            let name = if create.name == Name::Unnamed {
                offered_name(file, constraint)
            } else {
                effective_name(file, constraint)
            };
            self.insert(constraint, name);
        }
        let steps = migration
            .steps
            .iter()
            .filter(|step| step.direction != Direction::Downgrade && is_meant(&step.table));
        for step in steps {
            for inline in constraints_of(step)
                .iter()
                .filter(|inline| inline.kind == ConstraintKind::Unique)
            {
                let constraint = inline.constraint(step);
                let name = match inline.name {
                    InlineName::Unnamed => name_at_run_time(file, constraint).ok().flatten(),
                    InlineName::Computed => None,
                    InlineName::Plain(_) | InlineName::Finished(_) => effective_name(file, constraint),
                };
                self.insert(constraint, name);
            }
        }
    }

    fn insert(&mut self, constraint: Constraint<'_>, name: Option<String>) {
        let (Some(table), Some(columns), Some(name)) = (constraint.table.known(), constraint.columns.known(), name)
        else {
            return;
        };
        self.made.insert((table.clone(), name), columns.clone());
    }

    /// Whether another constraint of the table has the name that is suggested. The same columns are the same constraint, made anew.
    fn shares(&self, operation: &Operation<'_>, suggestion: &Suggestion) -> bool {
        let (Some(table), Some(name)) = (operation.table.known(), &suggestion.name) else {
            return false;
        };
        let made = self.made.get(&(table.clone(), name.clone()));
        made.is_some_and(|columns| operation.columns.known().is_some_and(|own| own != columns))
    }
}

/// The names and columns that an upgrade drops, by table.
fn dropped(migration: &Migration<'_>, tables: &HashSet<&str>) -> Vec<(String, String)> {
    let is_meant = |table: &&String| tables.contains(table.as_str());
    let names = migration
        .operations
        .iter()
        .filter(|one| !one.creates() && one.direction != Direction::Downgrade);
    let names =
        names.filter_map(|one| Some((one.table.known().filter(is_meant)?.clone(), one.name.text()?.to_owned())));
    let columns = migration
        .steps
        .iter()
        .filter(|step| step.direction != Direction::Downgrade);
    let columns = columns.filter_map(|step| {
        Some((
            step.table.known().filter(is_meant)?.clone(),
            step.dropped_column()?.to_owned(),
        ))
    });
    names.chain(columns).collect()
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
    use crate::project::Project;
    use crate::snapshot::MemorySnapshot;
    use crate::source::SourceFile;

    /// What is found in a new revision with these directions.
    fn found(convention: &str, upgrade: &[&str], downgrade: &[&str], is_deployed: bool) -> Vec<Diagnostic> {
        let env = "from alembic import context\nfrom app.models import Base\ntarget_metadata = Base.metadata\ncontext.configure(url='postgresql://h/d', target_metadata=target_metadata)\n";
        let models = format!(
            "from sqlalchemy import Column, Integer, MetaData, UniqueConstraint\nfrom sqlalchemy.orm import DeclarativeBase\nclass Base(DeclarativeBase):\n    metadata = MetaData(naming_convention={convention})\nclass Node(Base):\n    __tablename__ = 'node'\n    px = Column(Integer)\n    py = Column(Integer)\n    __table_args__ = (UniqueConstraint('px', 'py'),)\n"
        );
        let snapshot = MemorySnapshot::from([("migrations/env.py", env), ("app/models.py", models.as_str())]);
        let direction = |lines: &[&str]| format!("    {}\n", lines.join("\n    "));
        let (upgrade, downgrade) = (direction(upgrade), direction(downgrade));
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

    /// What the last of some revisions is offered; all are new.
    fn across(convention: &str, revisions: &[&str]) -> Vec<Option<String>> {
        let models =
            format!("from sqlalchemy import MetaData\ntarget_metadata = MetaData(naming_convention={convention})\n");
        let (files, last) = crate::rules::harness::history_of(&models, revisions);
        let snapshot: MemorySnapshot = files.into_iter().collect();
        let found = examine(&last, false, &Project::new(&snapshot, "/top"), &Config::default()).diagnostics;
        found.into_iter().map(|one| one.suggested_name).collect()
    }

    #[test]
    fn what_an_older_revision_has_named_is_not_named_again() {
        let unique = |columns: &str| format!("op.create_unique_constraint(None, 'user', [{columns}])");
        let (a, ab) = (unique("'a'"), unique("'a', 'b'"));
        let named = "op.create_unique_constraint(op.f('uq_user_a'), 'user', ['a'])";
        let table = "op.create_table('user', sa.Column('a', sa.Text(), unique=True))";
        let nc = "{'uq': 'uq_%(table_name)s_%(column_0_name)s'}";
        let drop = "op.drop_constraint('uq_user_a', 'user', type_='unique')";
        for (convention, revisions, expected) in [
            ("None", &[a.as_str(), &ab][..], Some("uq_user_a_b")),
            ("None", &[named, "pass", &ab], Some("uq_user_a_b")),
            // The older one may get the short name, and this has no longer one.
            ("None", &[ab.as_str(), &a], None),
            // The database names it by its own rule.
            ("None", &[table, &ab], Some("uq_user_a")),
            // The convention makes them share it, and the upgrade fails.
            (nc, &[table, &ab], None),
            (nc, &[a.as_str(), &ab], None),
            // The same again, or gone.
            (nc, &[a.as_str(), &a], Some("uq_user_a")),
            (nc, &[a.as_str(), drop, &ab], Some("uq_user_a")),
            (nc, &[a.as_str(), "op.drop_column('user', 'a')", &ab], Some("uq_user_a")),
            (
                nc,
                &["op.create_unique_constraint(None, 'other', ['a'])", &ab],
                Some("uq_user_a"),
            ),
        ] {
            let found = across(convention, revisions);
            assert_eq!(found, [expected.map(str::to_owned)], "{convention} {revisions:?}");
        }
    }
}
