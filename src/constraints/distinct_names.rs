//! Gives different names to constraints of one table that a convention would give the same one.
//!
//! The documented templates take the first column only, and two constraints may begin with the same.

use std::collections::{HashMap, HashSet};

use super::MigrationFile;
use super::constraint::Constraint;
use super::convention_name::{effective_name, name_at_run_time};
use super::inline::constraints_of;
use super::suggestion::{Source, Suggestion, offered_name, suggest, with_all_columns};
use super::tables::MOST_TABLES;
use crate::migration::{Direction, Known, Migration, Name, Operation};
use crate::naming::ConstraintKind;
use crate::project::Revision;

/// A name, and where it must be the only one: among the constraints of a kind, in a run of statements and a table.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Key<'m> {
    block: usize,
    schema: Option<&'m str>,
    table: &'m str,
    kind: ConstraintKind,
    name: String,
}

/// The columns of a constraint and the table that it refers to.
type Shape<'m> = (Option<&'m [String]>, Option<&'m str>);

/// The constraint that has each name, however often it is written; nothing where several have it.
type Taken<'m> = HashMap<Key<'m>, Option<Shape<'m>>>;

/// Gives each of several that would share a name the name with all its columns.
///
/// None, with the reason, where that is taken as well, or where a convention of the project or the configuration makes them share it.
pub(super) fn make_distinct(file: &MigrationFile<'_>, suggestions: &mut [Option<Suggestion>]) {
    if suggestions.iter().flatten().count() == 0 {
        return;
    }
    // The usual migration has nothing beside its one unnamed constraint.
    if file.migration.operations.len() + file.migration.steps.len() > 1 {
        within_migration(file, suggestions);
    }
    // A committed migration has run, under whatever name.
    if !file.is_deployed {
        from_earlier(file, suggestions);
    }
}

fn within_migration(file: &MigrationFile<'_>, suggestions: &mut [Option<Suggestion>]) {
    let operations = file.migration.operations.as_slice();
    let inline = taken_inline(file);
    for at in sharing(&inline, operations, suggestions) {
        if let Some(own) = suggestions[at].as_mut().filter(|own| is_documented(own)) {
            with_all_columns(file, Constraint::from(&operations[at]), own);
        }
    }
    for at in sharing(&inline, operations, suggestions) {
        suggestions[at].iter_mut().for_each(Suggestion::withhold);
    }
}

fn is_documented(suggestion: &Suggestion) -> bool {
    suggestion.source == Source::Documented || suggestion.unread.is_some()
}

/// The names that constraints in added columns have or are suggested.
fn taken_inline<'f>(file: &'f MigrationFile<'_>) -> Taken<'f> {
    let mut taken = Taken::new();
    for (step, one) in file.inline().iter().filter(|(step, _)| step.method == "add_column") {
        let constraint = one.constraint(step);
        let name = match &one.name {
            Name::Unnamed => suggest(file, constraint).name,
            own => own.text().map(str::to_owned),
        };
        add(&mut taken, name.and_then(|name| key(step.when.block, constraint, name)));
    }
    taken
}

fn add<'m>(taken: &mut Taken<'m>, named: Option<(Key<'m>, Shape<'m>)>) {
    if let Some((key, shape)) = named {
        let known = taken.entry(key).or_insert(Some(shape));
        *known = known.filter(|known| *known == shape);
    }
}

fn key(block: usize, constraint: Constraint<'_>, name: String) -> Option<(Key<'_>, Shape<'_>)> {
    let key = Key {
        block,
        schema: constraint.schema,
        table: constraint.table.known()?,
        kind: constraint.kind,
        name,
    };
    Some((key, (constraint.columns, constraint.referred.map(|(table, ..)| table))))
}

fn key_of<'m>(operation: &'m Operation<'_>, suggestion: Option<&Suggestion>) -> Option<(Key<'m>, Shape<'m>)> {
    let suggested = suggestion.and_then(|suggestion| suggestion.name.as_deref());
    let name = operation.name.text().or(suggested).filter(|_| operation.creates())?;
    key(operation.when.block, Constraint::from(operation), name.to_owned())
}

/// The creates whose suggested name another constraint would have as well. A table has one primary key, whatever its name.
fn sharing(inline: &Taken<'_>, operations: &[Operation<'_>], suggestions: &[Option<Suggestion>]) -> Vec<usize> {
    let mut taken = inline.clone();
    for (operation, suggestion) in operations.iter().zip(suggestions) {
        add(&mut taken, key_of(operation, suggestion.as_ref()));
    }
    let is_shared = |at: &usize| {
        let own = suggestions[*at]
            .as_ref()
            .and_then(|own| key_of(&operations[*at], Some(own)));
        own.is_some_and(|(key, _)| key.kind != ConstraintKind::PrimaryKey && taken.get(&key) == Some(&None))
    };
    (0..operations.len()).filter(is_shared).collect()
}

/// The same for unique constraints of the revisions before.
fn from_earlier(file: &MigrationFile<'_>, suggestions: &mut [Option<Suggestion>]) {
    let operations = file.migration.operations.as_slice();
    let concerns = |operation: &Operation<'_>, own: &Suggestion| {
        own.name.is_some()
            && !matches!(own.source, Source::OtherDirection | Source::OtherRevision)
            && operation.kind() == Some(ConstraintKind::Unique)
            && operation.when.direction == Direction::Upgrade
    };
    let both = operations.iter().zip(&mut *suggestions);
    let mut concerned: Vec<(&Operation<'_>, &mut Suggestion)> = both
        .filter_map(|(operation, own)| Some((operation, own.as_mut()?)))
        .filter(|(operation, own)| concerns(operation, own))
        .collect();
    let tables = concerned
        .iter()
        .filter_map(|(operation, _)| operation.table.known().map(String::as_str));
    let Some(earlier) = Earlier::of(file, &tables.collect()) else {
        return;
    };
    for (operation, own) in &mut concerned {
        if is_documented(own) && earlier.shares(operation, own) {
            with_all_columns(file, Constraint::from(*operation), own);
        }
        if earlier.shares(operation, own) {
            own.withhold();
        }
    }
}

/// The columns of the unique constraints that older revisions have left on some tables, by table and name.
struct Earlier(HashMap<(String, String), Vec<String>>);

impl Earlier {
    /// Nothing where there is no history, or too much to look for.
    fn of(file: &MigrationFile<'_>, tables: &HashSet<&str>) -> Option<Self> {
        if tables.is_empty() || tables.len() > MOST_TABLES {
            return None;
        }
        let history = file.history()?;
        let mut found = Self(HashMap::new());
        let mut gone: HashSet<(String, String)> = HashSet::new();
        let is_about = |revision: &&&Revision| tables.iter().any(|table| revision.mentions(table));
        for revision in history.before(file.migration.module)?.iter().filter(is_about) {
            let migration = Migration::read(revision.module());
            found.add(file, &migration, tables);
            gone.extend(dropped(&migration, tables));
        }
        gone.extend(dropped(file.migration, tables));
        found.0.retain(|(table, name), columns| {
            let is_gone = |word: &String| gone.contains(&(table.clone(), word.clone()));
            !is_gone(name) && !columns.iter().any(is_gone)
        });
        Some(found)
    }

    fn add(&mut self, file: &MigrationFile<'_>, migration: &Migration<'_>, tables: &HashSet<&str>) {
        let is_meant = |direction: Direction, table: &Known<String>| {
            let is_about = |table: &String| tables.contains(table.as_str());
            direction != Direction::Downgrade && table.known().is_some_and(is_about)
        };
        let creates = migration.operations.iter().filter(|one| one.creates());
        let creates = creates.filter(|one| one.kind() == Some(ConstraintKind::Unique));
        for create in creates.filter(|one| is_meant(one.when.direction, &one.table)) {
            let constraint = Constraint::from(create);
            // One without a name may get the same one in the same commit.
            let name = if create.name == Name::Unnamed {
                offered_name(file, constraint)
            } else {
                effective_name(file, constraint)
            };
            self.insert(constraint, name);
        }
        let steps = migration.steps.iter();
        for step in steps.filter(|step| is_meant(step.when.direction, &step.table)) {
            let inline = constraints_of(step).into_iter();
            for inline in inline.filter(|inline| inline.kind == ConstraintKind::Unique) {
                let constraint = inline.constraint(step);
                let name = if inline.name == Name::Unnamed {
                    name_at_run_time(file, constraint).ok().flatten()
                } else {
                    effective_name(file, constraint)
                };
                self.insert(constraint, name);
            }
        }
    }

    fn insert(&mut self, constraint: Constraint<'_>, name: Option<String>) {
        if let (Some(table), Some(columns), Some(name)) = (constraint.table.known(), constraint.columns, name) {
            self.0.insert((table.clone(), name), columns.to_vec());
        }
    }

    /// Whether another constraint of the table has the suggested name. One of the same columns is the same constraint, made anew.
    fn shares(&self, operation: &Operation<'_>, suggestion: &Suggestion) -> bool {
        let (Some(table), Some(name)) = (operation.table.known(), &suggestion.name) else {
            return false;
        };
        let made = self.0.get(&(table.clone(), name.clone()));
        made.is_some_and(|columns| operation.columns.as_ref().is_some_and(|own| own != columns))
    }
}

/// The names and columns that an upgrade drops, by table.
fn dropped(migration: &Migration<'_>, tables: &HashSet<&str>) -> Vec<(String, String)> {
    let with_table = |direction: Direction, table: &Known<String>, word: Option<&str>| {
        let table = table.known().filter(|table| tables.contains(table.as_str()))?;
        (direction != Direction::Downgrade).then_some((table.clone(), word?.to_owned()))
    };
    let drops = migration.operations.iter().filter(|one| !one.creates());
    let names = drops.filter_map(|one| with_table(one.when.direction, &one.table, one.name.text()));
    let steps = migration.steps.iter();
    let columns = steps.filter_map(|one| with_table(one.when.direction, &one.table, one.dropped_column()));
    names.chain(columns).collect()
}

#[cfg(test)]
mod tests {
    use crate::diagnostic::Diagnostic;
    use crate::fix::Safety;
    use crate::rules::harness::{PG, check_last, check_last_on, fixed, models, revision};

    /// The findings in a new revision.
    fn found(convention: &str, upgrade: &[&str], downgrade: &[&str], is_deployed: bool) -> Vec<Diagnostic> {
        let models = format!(
            "from sqlalchemy import Column, Integer, MetaData, UniqueConstraint\nfrom sqlalchemy.orm import DeclarativeBase\nclass Base(DeclarativeBase):\n    metadata = MetaData(naming_convention={convention})\nclass Node(Base):\n    __tablename__ = 'node'\n    px = Column(Integer)\n    py = Column(Integer)\n    __table_args__ = (UniqueConstraint('px', 'py'),)\ntarget_metadata = Base.metadata\n"
        );
        let revision = revision(&upgrade.join("\n"), &downgrade.join("\n"));
        let mut found = check_last_on(PG, &models, &[&revision], is_deployed);
        found.sort_by_key(|one| one.span);
        found
    }

    /// The names suggested for the creates, in order.
    fn names(found: &[Diagnostic]) -> Vec<Option<&str>> {
        let creates = found.iter().filter(|one| one.rule.name != "unnamed-drop");
        creates.map(|one| one.suggested_name.as_deref()).collect()
    }

    const PX: &str = "op.create_unique_constraint(None, 'node', ['px'])";
    const BOTH: &str = "op.create_unique_constraint(None, 'node', ['px', 'py'])";
    const PZ: &str = "op.create_unique_constraint(None, 'node', ['px', 'pz'])";
    const DROP: &str = "op.drop_constraint(None, 'node', type_='unique')";

    #[test]
    fn constraints_with_the_same_first_column_get_names_with_all_columns() {
        for (upgrade, expected) in [
            (&[PX, BOTH][..], &["uq_node_px", "uq_node_px_py"][..]),
            (&[BOTH, PX], &["uq_node_px_py", "uq_node_px"]),
            (&[BOTH, PZ], &["uq_node_px_py", "uq_node_px_pz"]),
            (&["op.create_unique_constraint('uq_node_px', 'node', ['px'])", BOTH], &["uq_node_px_py"]),
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
            (&[BOTH, "op.create_unique_constraint(None, 'edge', ['px'])"], &["uq_node_px", "uq_edge_px"]),
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
        let mut fixes = found.iter().filter_map(|one| one.fix.as_ref());
        assert!(fixes.all(|fix| fix.safety == Safety::Safe));
        let after = fixed(&found);
        let after = after.text();
        let drops = "op.drop_constraint(op.f('uq_node_px_py'), 'node', type_='unique')\n    op.drop_constraint(op.f('uq_node_px'), 'node', type_='unique')";
        assert!(after.contains(drops), "{after}");
        let models: Vec<&str> = found
            .iter()
            .filter_map(|one| Some(one.model.as_ref()?.text.as_str()))
            .collect();
        assert!(models.iter().any(|text| text.contains("uq_node_px_py")), "{models:?}");
    }

    /// The database refuses the second whatever its name, so there is a suggestion and no fix.
    #[test]
    fn a_constraint_written_twice_keeps_its_name() {
        for upgrade in [[PX, PX], [BOTH, BOTH]] {
            let found = found("{}", &upgrade, &["pass"], false);
            assert_eq!(names(&found), [Some("uq_node_px"); 2]);
            assert!(found.iter().all(|one| one.fix.is_none()));
        }
        let keys = ["op.create_primary_key(None, 'node', ['px'])", "op.create_primary_key(None, 'node', ['py'])"];
        assert_eq!(names(&found("{}", &keys, &["pass"], false)), [Some("pk_node"); 2]);
    }

    #[test]
    fn a_name_shared_by_convention_is_withheld_with_the_reason() {
        let convention = "{'uq': 'uq_%(table_name)s_%(column_0_name)s'}";
        for (convention, upgrade, is_deployed) in [
            (convention, [PX, BOTH], false),
            (convention, [PX, BOTH], true),
            ("{'uq': 'uq_%(table_name)s'}", [PX, BOTH], false),
            ("{}", ["op.create_unique_constraint('uq_node_px', 'node', ['py'])", PX], false),
        ] {
            let found = found(convention, &upgrade, &["pass"], is_deployed);
            assert!(!found.is_empty());
            for one in &found {
                assert_eq!((one.suggested_name.as_deref(), one.fix.is_some()), (None, false), "{upgrade:?}");
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

    /// The suggestions for the last of some new revisions.
    fn across(convention: &str, revisions: &[&str]) -> Vec<Option<String>> {
        let found = check_last(&models(convention), revisions);
        found.into_iter().map(|one| one.suggested_name).collect()
    }

    #[test]
    fn a_name_of_an_older_revision_is_not_suggested_again() {
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
            (nc, &["op.create_unique_constraint(None, 'other', ['a'])", &ab], Some("uq_user_a")),
        ] {
            let found = across(convention, revisions);
            assert_eq!(found, [expected.map(str::to_owned)], "{convention} {revisions:?}");
        }
    }
}
