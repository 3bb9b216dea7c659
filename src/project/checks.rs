//! The check constraints of a project that a template for checks would fail or rename.
//!
//! SQLAlchemy puts the usual template before a plain name, and raises where there is none (`sqlalchemy/sql/naming.py`,
//! `_constraint_name_for_table` and `_key_constraint_name`): in a model when it is imported, in an old revision on the next new database.

use memchr::memmem;

use super::Place;
use crate::python::{Argument, ArgumentKind, Call, Expr, ExprKind, Module, Stmt, StmtKind};
use crate::snapshot::{EntryKind, Snapshot};
use crate::source::{RepoPath, SourceFile, Span};

/// How many modules are read, the likeliest first: somebody waits for the commit, and a convention without `ck` is never wrong.
const MOST_READ: usize = 200;

/// How many bytes of them are read.
const MOST_BYTES: usize = 2 << 20;

/// A project with more modules or folders than this is not searched.
const MOST_FILES: usize = 2_000;
const MOST_FOLDERS: usize = 2_000;

/// How many places are reported.
const MOST_PLACES: usize = 3;

/// What rules out a template for checks.
#[derive(Debug, Clone)]
pub enum Checks {
    /// Nothing: each check has a finished name, or there is none.
    Free,
    /// Checks with no name, or with a plain one: the first of them, and whether there are more.
    Held(Vec<Place>, bool),
    /// It is unknown: there is too much to read, or some of it can't be read.
    Unread,
}

/// Searches the modules below these folders.
pub(super) fn find(snapshot: &dyn Snapshot, tops: &[RepoPath]) -> Checks {
    let (mut places, is_whole) = look(snapshot, tops);
    if places.is_empty() {
        return if is_whole { Checks::Free } else { Checks::Unread };
    }
    let has_more = places.len() > MOST_PLACES;
    places.truncate(MOST_PLACES);
    Checks::Held(places, has_more)
}

/// The places that were found, and whether everything was read.
fn look(snapshot: &dyn Snapshot, tops: &[RepoPath]) -> (Vec<Place>, bool) {
    let mut places = Vec::new();
    let Some(modules) = modules(snapshot, tops) else {
        return (places, false);
    };
    let is_whole = modules.len() <= MOST_READ;
    let mut bytes = 0;
    for path in modules.into_iter().take(MOST_READ) {
        let content = snapshot.read(&path).ok().flatten();
        bytes += content.as_ref().map_or(0, Vec::len);
        let Some(content) = content.filter(|_| bytes <= MOST_BYTES) else {
            return (places, false);
        };
        if mentions_checks(&content) {
            let Ok(text) = String::from_utf8(content) else {
                return (places, false);
            };
            places.extend(in_module(&Module::parse(SourceFile::new(path, text))));
        }
        if places.len() > MOST_PLACES {
            break;
        }
    }
    (places, is_whole)
}

/// The modules below the folders, the likeliest to hold checks first; nothing if there are too many.
pub(super) fn modules(snapshot: &dyn Snapshot, tops: &[RepoPath]) -> Option<Vec<RepoPath>> {
    let mut found = Vec::new();
    let mut open = tops.to_vec();
    let mut folders = 0;
    while let Some(folder) = open.pop() {
        folders += 1;
        for entry in snapshot.list(&folder).ok()? {
            let Some(path) = folder.join(&entry.name) else { continue };
            match entry.kind {
                EntryKind::Folder if is_code(&entry.name) => open.push(path),
                // Nobody migrates the tables of tests.
                EntryKind::File if path.is_python() && !path.is_named_as_test() => found.push(path),
                _ => {}
            }
        }
        if folders > MOST_FOLDERS || found.len() > MOST_FILES {
            return None;
        }
    }
    found.sort_by_cached_key(|path| (!is_likely(path), path.clone()));
    Some(found)
}

fn is_likely(path: &RepoPath) -> bool {
    let name = path.display().to_lowercase();
    ["model", "version", "migration", "alembic", "schema", "table"]
        .iter()
        .any(|word| name.contains(word))
}

fn is_code(folder: &[u8]) -> bool {
    let is_foreign =
        matches!(folder, b"node_modules" | b"site-packages" | b"__pycache__" | b"venv" | b"tests" | b"test");
    folder.first() != Some(&b'.') && !is_foreign
}

/// Whether a module may hold a check; without one of these words it makes and drops none.
fn mentions_checks(bytes: &[u8]) -> bool {
    let has = |word: &str| memmem::find(bytes, word.as_bytes()).is_some();
    has("CheckConstraint")
        || has("create_constraint")
        || has("create_check_constraint")
        || has("Boolean(True")
        || (has("drop_constraint") && has("check"))
}

/// Where a module makes or drops a check whose name is not finished.
fn in_module(module: &Module) -> Vec<Place> {
    let classes = classes(module.body());
    let mut spans: Vec<Span> = Vec::new();
    for statement in module.body() {
        statement.each_call(&mut |call| {
            if is_unfinished(call, &classes) {
                spans.push(call.span);
            }
        });
    }
    let place = |span| Place::new(module, span);
    spans.sort();
    spans.into_iter().map(place).collect()
}

/// The names of SQLAlchemy's class in a module.
pub(super) fn classes(body: &[Stmt]) -> Vec<&str> {
    let mut names = vec!["CheckConstraint"];
    for statement in body {
        match &statement.kind {
            StmtKind::ImportFrom { names: imported, .. } => {
                let same = imported.iter().filter(|alias| &*alias.name == "CheckConstraint");
                names.extend(same.filter_map(|alias| alias.asname.as_deref()));
            }
            StmtKind::Class(class) if class.arguments.iter().any(|base| ends_in_check(&base.value)) => {
                names.push(&class.name);
            }
            _ => {}
        }
    }
    names
}

fn ends_in_check(base: &Expr) -> bool {
    base.dotted()
        .is_some_and(|dotted| dotted.rsplit('.').next() == Some("CheckConstraint"))
}

/// Whether a call makes or drops a check without a name, or by one that a template changes.
fn is_unfinished(call: &Call, classes: &[&str]) -> bool {
    matches!(check_name(call, classes), Some(CheckName::Plain(..) | CheckName::None))
}

/// The name of a check that a call makes or drops.
pub(super) enum CheckName<'m> {
    /// A template leaves it alone: `op.f('...')`, `conv('...')`.
    Finished,
    /// A template puts this text into its `constraint_name`. The flag says whether the call drops the check.
    Plain(&'m str, bool),
    /// There is none, or it can't be read.
    None,
}

/// What a call has to do with a check, if anything.
pub(super) fn check_name<'m>(call: &'m Call, classes: &[&str]) -> Option<CheckName<'m>> {
    let callee = call.name()?;
    let position = match callee {
        "create_check_constraint" => Some(0),
        "drop_constraint" if drops_check(call) => Some(0),
        _ if classes.contains(&callee) => Some(1),
        // A type with a check of its own (`sqlalchemy/sql/sqltypes.py`, `SchemaType`).
        _ if makes_check(call) => None,
        "Column" | "mapped_column" => {
            let mut types = call.arguments.iter().map(|argument| &argument.value);
            return types.any(is_checked_boolean).then_some(CheckName::None);
        }
        _ => return None,
    };
    let keyword = match callee {
        "create_check_constraint" | "drop_constraint" => "constraint_name",
        _ => "name",
    };
    Some(match call.argument(position, keyword) {
        Ok(Some(argument)) if is_finished(argument) => CheckName::Finished,
        Ok(Some(argument)) => {
            let plain = argument.value.as_str().filter(|name| !name.is_empty());
            plain.map_or(CheckName::None, |name| CheckName::Plain(name, callee == "drop_constraint"))
        }
        Ok(None) | Err(_) => CheckName::None,
    })
}

/// Without `type_` a drop goes by the name as it is written (`alembic/operations/schemaobj.py`, `generic_constraint`).
fn drops_check(call: &Call) -> bool {
    // In a batch the table is left out.
    let by_position = call.arguments.iter().skip(1).map(|argument| &argument.value);
    let mut positions = by_position.filter(|value| value.as_str() == Some("check"));
    match call.argument(None, "type_") {
        Ok(Some(argument)) => argument.value.as_str().is_none_or(|kind| kind == "check"),
        Ok(None) => positions.next().is_some(),
        Err(_) => true,
    }
}

fn makes_check(call: &Call) -> bool {
    let given = call.keyword("create_constraint");
    given.is_some_and(|value| value.kind != ExprKind::Bool(false))
}

/// `Boolean(True)`. Outside a column it makes no check.
fn is_checked_boolean(value: &Expr) -> bool {
    let call = value.as_call_of("Boolean");
    let first = call.and_then(|call| call.arguments.first());
    first.is_some_and(|first| first.kind == ArgumentKind::Positional && first.value.kind == ExprKind::Bool(true))
}

/// `op.f('...')`, `conv('...')`
fn is_finished(argument: &Argument) -> bool {
    let call = argument.value.as_call();
    matches!(call.and_then(Call::name), Some("f" | "conv"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::MemorySnapshot;

    fn held(files: &[(&str, &str)]) -> String {
        let snapshot: MemorySnapshot = files.iter().copied().collect();
        match find(&snapshot, &[RepoPath::top()]) {
            Checks::Free => "free".to_owned(),
            Checks::Unread => "unread".to_owned(),
            Checks::Held(places, has_more) => {
                let shown = places.iter().map(|place| {
                    let line = place.file.position(place.span.start).line;
                    format!("{}:{line}", place.file.path())
                });
                shown.collect::<Vec<_>>().join(" ") + if has_more { " ..." } else { "" }
            }
        }
    }

    #[test]
    fn a_check_is_held_by_no_name_and_by_a_plain_one() {
        for (code, expected) in [
            ("t = Table('t', m, CheckConstraint('a > 0'))", false),
            ("t = Table('t', m, sa.CheckConstraint('a > 0', name=None))", false),
            ("t = Table('t', m, sa.CheckConstraint('a > 0', name='a_positive'))", false),
            ("t = Table('t', m, sa.CheckConstraint('a > 0', 'a_positive'))", false),
            ("t = Table('t', m, sa.CheckConstraint('a > 0', **more))", false),
            ("t = Table('t', m, sa.CheckConstraint('a > 0', name=NAME))", false),
            ("t = Table('t', m, sa.CheckConstraint('a > 0', name=conv('ck_t_a')))", true),
            ("t = Table('t', m, sa.CheckConstraint('a > 0', name=op.f('ck_t_a')))", true),
            ("from sqlalchemy import CheckConstraint as Check\nc = Check('a > 0')", false),
            ("class Check(sa.CheckConstraint):\n    pass\nc = Check('a > 0')", false),
            ("op.create_check_constraint(None, 't', 'a > 0')", false),
            ("op.create_check_constraint('a', 't', 'a > 0')", false),
            ("op.create_check_constraint(constraint_name='a', table_name='t')", false),
            ("op.create_check_constraint(op.f('ck_t_a'), 't', 'a > 0')", true),
            ("op.drop_constraint('a', 't', type_='check')", false),
            ("op.drop_constraint('a', 't', 'check')", false),
            ("b.drop_constraint('a', 'check')", false),
            ("op.drop_constraint('a', 't', type_=kind)  # check", false),
            ("op.drop_constraint(op.f('a'), 't', type_='check')", true),
            ("op.drop_constraint('a', 't', type_='unique')  # check", true),
            ("op.drop_constraint('a', 't')  # check", true),
            ("c = Column('a', Boolean(create_constraint=True))", false),
            ("c = Column('a', Boolean(True))", false),
            ("c = cast(x, Boolean(True))", true),
            ("c = Column('a', Enum('x', name='a', create_constraint=True))", false),
            ("c = Column('a', Enum('x', name=conv('a'), create_constraint=True))", true),
            ("c = Column('a', Boolean(create_constraint=False))", true),
            ("c = Column('a', Enum('x', name='a', native_enum=False))", true),
            ("op.execute('ALTER TABLE t ADD CHECK (a > 0)')", true),
        ] {
            let is_free = held(&[("app/models.py", code)]) == "free";
            assert_eq!(is_free, expected, "{code}");
        }
    }

    #[test]
    fn the_first_places_are_reported() {
        let check = "c = CheckConstraint('a > 0')\n";
        let two = check.repeat(2);
        let files = [
            ("app/models.py", two.as_str()),
            ("migrations/versions/b.py", check),
            ("migrations/versions/a.py", check),
            ("tests/models.py", check),
            ("app/test_models.py", check),
            (".venv/x.py", check),
        ];
        assert_eq!(held(&files), "app/models.py:1 app/models.py:2 migrations/versions/a.py:1 ...");
        assert_eq!(held(&files[3..]), "free");
        assert_eq!(held(&files[..1]), "app/models.py:1 app/models.py:2");
    }

    #[test]
    fn too_much_to_read_is_left_unread() {
        let files = |count: usize| -> MemorySnapshot { (0..count).map(|at| (format!("app/m{at}.py"), "")).collect() };
        let look = |snapshot: &MemorySnapshot| find(snapshot, &[RepoPath::top()]);
        assert!(matches!(look(&files(MOST_READ)), Checks::Free));
        let more = files(MOST_READ + 1);
        assert!(matches!(look(&more), Checks::Unread));
        assert_eq!(more.reads().len(), MOST_READ);
        let too_many = files(MOST_FILES + 1);
        assert!(matches!(look(&too_many), Checks::Unread));
        assert!(too_many.reads().is_empty());
        // What is likely to hold one is read first.
        let found: MemorySnapshot = (0..MOST_READ)
            .map(|at| (format!("app/m{at}.py"), ""))
            .chain([("app/z/models.py".to_owned(), "c = CheckConstraint('a > 0')")])
            .collect();
        assert!(matches!(look(&found), Checks::Held(places, _) if places.len() == 1));
        let large = "#".repeat(MOST_BYTES + 1);
        assert!(matches!(look(&[("a.py", large.as_str())].into()), Checks::Unread));
        let no_text: MemorySnapshot = [("a.py", b"CheckConstraint \xff".to_vec())].into();
        assert!(matches!(look(&no_text), Checks::Unread));
    }
}
