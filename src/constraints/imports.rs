//! Writes the import that a fix needs: into an existing one, or as a new line where the others are sorted.

use super::convention_code::LINE_WIDTH;
use crate::fix::Edit;
use crate::python::{Alias, Stmt, StmtKind};
use crate::source::{SourceFile, Span};
use crate::work;

/// A name to import.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted {
    module: &'static str,
    pub(super) name: &'static str,
}

pub(super) const METADATA: Wanted = Wanted {
    module: "sqlalchemy",
    name: "MetaData",
};

pub(super) const SQLMODEL: Wanted = Wanted {
    module: "sqlmodel",
    name: "SQLModel",
};

/// What the module calls the wanted name, and the edits that import it.
#[derive(Debug)]
pub(super) struct Imported {
    pub(super) name: String,
    pub(super) edits: Vec<Edit>,
}

/// Packages whose imports are in one group with those of SQLAlchemy: third-party ones.
const THIRD_PARTY: [&str; 14] = [
    "advanced_alchemy",
    "alembic",
    "fastapi",
    "flask",
    "flask_alembic",
    "flask_migrate",
    "flask_sqlalchemy",
    "geoalchemy2",
    "gino",
    "pydantic",
    "pydantic_settings",
    "sqlalchemy_utils",
    "sqlmodel",
    "typing_extensions",
];

/// An import at module level.
struct Import<'b> {
    span: Span,
    /// Whether it is `from ... import`.
    is_from: bool,
    /// How many dots.
    level: u32,
    module: &'b str,
    names: &'b [Alias],
}

impl<'b> Import<'b> {
    fn of(statement: &'b Stmt) -> Option<Self> {
        let (is_from, level, module, names) = match &statement.kind {
            StmtKind::Import(names) => (false, 0, names.first()?.name.as_str(), names),
            StmtKind::ImportFrom { module, names, level } => (true, *level, module.as_deref().unwrap_or(""), names),
            _ => return None,
        };
        Some(Self {
            span: statement.span,
            is_from,
            level,
            module,
            names,
        })
    }

    fn is_from(&self, module: &str) -> bool {
        self.is_from && self.level == 0 && self.module == module && self.names.iter().all(|one| one.name != "*")
    }

    fn root(&self) -> &str {
        self.module.split('.').next().unwrap_or_default()
    }
}

/// Imports a name for a use at `at`; nothing where the module has no place for an import.
pub(super) fn import(source: &SourceFile, body: &[Stmt], wanted: Wanted, at: usize) -> Option<Imported> {
    let above = body.iter().take_while(|statement| statement.span.end <= at);
    let imports: Vec<Import<'_>> = above.filter_map(Import::of).collect();
    let known = |name| Imported {
        name,
        edits: Vec::new(),
    };
    if let Some(name) = bound(&imports, wanted) {
        return Some(known(name));
    }
    let same: Vec<&Import<'_>> = imports.iter().filter(|one| one.is_from(wanted.module)).collect();
    // In the usual order a name with `as` has a line of its own, unless it is among others.
    let is_open = |one: &&&Import<'_>| one.names.len() > 1 || one.names.iter().all(|name| name.asname.is_none());
    let mut open = same.iter().filter(is_open);
    let first = open.next();
    let is_one_each = first.is_some_and(|first| first.names.len() == 1) && open.next().is_some();
    let edits = if let Some(first) = first.filter(|_| !is_one_each) {
        join(source, first, wanted.name, widest(source, &imports))
    } else {
        let whole = imports.iter().filter(|one| !one.is_from).flat_map(|one| one.names);
        let mut whole = whole.filter(|one| one.name == wanted.module);
        if let Some(module) = whole.next().filter(|_| same.is_empty()) {
            let module = module.asname.as_deref().unwrap_or(&module.name);
            return Some(known(format!("{module}.{}", wanted.name)));
        }
        vec![new_line(source, body, at, &imports, wanted)?]
    };
    let name = wanted.name.to_owned();
    Some(Imported { name, edits })
}

/// What the module already calls the wanted name.
fn bound(imports: &[Import<'_>], wanted: Wanted) -> Option<String> {
    let mut names = imports.iter().filter(|one| one.is_from).flat_map(|one| one.names);
    let is_it = |one: &&Alias| one.name == wanted.name || one.asname.as_deref() == Some(wanted.name);
    let one = names.find(is_it)?;
    Some(one.asname.as_deref().unwrap_or(&one.name).to_owned())
}

/// Where a name belongs among others: by their order, or at the end where they have none.
fn place_among(names: &[&str], new: &str) -> usize {
    type Order = fn(&str) -> (usize, String);
    // The order of ruff and isort (`order-by-type`): CONSTANTS, then Classes, then the rest, in any case.
    fn by_type(name: &str) -> (usize, String) {
        let is_constant = name.len() > 1 && !name.contains(char::is_lowercase) && name.contains(char::is_uppercase);
        let is_class = name.starts_with(char::is_uppercase);
        let rank = [is_constant, is_class, true].iter().position(|is_it| *is_it);
        (rank.unwrap_or_default(), name.to_lowercase())
    }
    let orders: [Order; 3] = [by_type, |name| (0, name.to_lowercase()), |name| (0, name.to_owned())];
    let mut orders = orders.into_iter();
    let order = orders.find(|order| names.is_sorted_by_key(|name| order(name)));
    order.map_or(names.len(), |order| {
        let new = order(new);
        names.iter().take_while(|name| order(name) <= new).count()
    })
}

/// Adds a name to an import.
fn join(source: &SourceFile, import: &Import<'_>, name: &str, widest: usize) -> Vec<Edit> {
    let names: Vec<&str> = import.names.iter().map(|one| one.name.as_str()).collect();
    let place = place_among(&names, name);
    let text = source.slice(import.span);
    let is_open = text.contains('(');
    let is_one_line = !text.contains(['\n', '\r']);
    if is_one_line && text.chars().count() + name.len() + 2 > widest {
        return wrapped(source, import, place, name);
    }
    let ending = source.line_ending();
    let starts_line = |one: &Alias| {
        let line = source.line_span(one.span.start).start;
        let before = source.slice(Span::new(line, one.span.start));
        (is_open && before.trim().is_empty()).then(|| format!("{ending}{before}"))
    };
    if let Some(next) = import.names.get(place) {
        let gap = starts_line(next).unwrap_or_else(|| " ".to_owned());
        return vec![Edit::insert(source, next.span.start, format!("{name},{gap}"))];
    }
    let Some(last) = import.names.last() else {
        return Vec::new();
    };
    let Some(gap) = starts_line(last) else {
        return vec![Edit::insert(source, last.span.end, format!(", {name}"))];
    };
    let end = last.span.end;
    let line_end = source.line_span(end).end.min(import.span.end);
    let rest = source.slice(Span::new(end, line_end)).trim_start();
    match (rest.starts_with(','), rest.contains('#')) {
        (true, true) => vec![Edit::insert(source, line_end, format!("{gap}{name},"))],
        (false, true) => vec![Edit::insert(source, end, ","), Edit::insert(source, line_end, format!("{gap}{name}"))],
        (_, false) => vec![Edit::insert(source, end, format!(",{gap}{name}"))],
    }
}

/// One name a line, as ruff and black write an import that is too long.
fn wrapped(source: &SourceFile, import: &Import<'_>, place: usize, name: &str) -> Vec<Edit> {
    let mut names: Vec<&str> = import.names.iter().map(|one| source.slice(one.span)).collect();
    names.insert(place, name);
    let (Some(first), Some(last)) = (import.names.first(), import.names.last()) else {
        return Vec::new();
    };
    let before = Span::new(import.span.start, first.span.start);
    let span = match source.slice(before).rfind('(') {
        Some(open) => Span::new(before.start + open, import.span.end),
        None => Span::new(first.span.start, last.span.end),
    };
    let ending = source.line_ending();
    let lines: String = names.iter().flat_map(|name| ["    ", name, ",", ending]).collect();
    vec![Edit::replace(source, span, format!("({ending}{lines})"))]
}

/// How wide an import may be: wider than usual where others are.
fn widest(source: &SourceFile, imports: &[Import<'_>]) -> usize {
    let width = |one: &Import<'_>| {
        let line = source.line_span(one.span.start);
        let code = source.slice(line).split('#').next().unwrap_or_default();
        code.trim_end().chars().count()
    };
    imports.iter().map(width).fold(LINE_WIDTH, usize::max)
}

fn new_line(source: &SourceFile, body: &[Stmt], at: usize, imports: &[Import<'_>], wanted: Wanted) -> Option<Edit> {
    let head = imports_end(source, body, at)?;
    let place = group(source, imports, head)
        .and_then(|group| place_in(source, group, wanted))
        .unwrap_or(head);
    let line = format!("from {} import {}{}", wanted.module, wanted.name, source.line_ending());
    Some(Edit::insert(source, place, line))
}

/// The group of imports, with no blank line in it, that SQLAlchemy belongs to.
fn group<'i, 'b>(source: &SourceFile, imports: &'i [Import<'b>], head: usize) -> Option<&'i [Import<'b>]> {
    let count = imports.iter().take_while(|one| one.span.end <= head).count();
    let imports = imports.get(..count)?;
    let is_together = |one: &Import<'_>, other: &Import<'_>| {
        let between = source.slice(Span::new(one.span.end, other.span.start));
        // The first line is the rest of the statement's own.
        let mut lines = between.split('\n').skip(1);
        let is_code = |line: &str| !line.trim().is_empty() || line.is_empty();
        lines.next().is_some_and(is_code) && !between.replace('\r', "").contains("\n\n")
    };
    let find = |is_it: &dyn Fn(&Import<'_>) -> bool| {
        let mut groups = imports.chunk_by(is_together);
        groups.find(|group| group.iter().any(|one| one.level == 0 && is_it(one)))
    };
    find(&|one| one.root() == "sqlalchemy").or_else(|| find(&|one| THIRD_PARTY.contains(&one.root())))
}

/// Where the line goes in its group: by the group's order, or before other imports of SQLAlchemy where it has none.
fn place_in(source: &SourceFile, group: &[Import<'_>], wanted: Wanted) -> Option<usize> {
    type Key = (u8, String, String);
    let kinds_apart = |one: &Import<'_>| -> Key {
        let kind = u8::from(one.is_from) + 2 * u8::from(one.level > 0);
        let name = one.names.first().map_or("", |name| name.name.as_str());
        (kind, one.module.to_lowercase(), name.to_lowercase())
    };
    let together = |one: &Import<'_>| -> Key {
        let (_, module, name) = kinds_apart(one);
        (u8::from(one.level > 0), module, name)
    };
    let new = (wanted.module.to_owned(), wanted.name.to_lowercase());
    let before = if group.is_sorted_by_key(kinds_apart) {
        let new: Key = (1, new.0, new.1);
        group.iter().take_while(|one| kinds_apart(one) <= new).count()
    } else if group.is_sorted_by_key(together) {
        let new: Key = (0, new.0, new.1);
        group.iter().take_while(|one| together(one) <= new).count()
    } else {
        let own = group.iter().position(|one| one.is_from && one.root() == "sqlalchemy");
        own.unwrap_or(group.len())
    };
    match before.checked_sub(1) {
        None => Some(source.line_span(group.first()?.span.start).start),
        Some(above) => source.next_line(group.get(above)?.span.end),
    }
}

/// The line after the last import at the head of the module, above a use at `at`.
///
/// The head ends with the first statement after which an import is out of place (pycodestyle's E402).
pub(super) fn imports_end(source: &SourceFile, body: &[Stmt], at: usize) -> Option<usize> {
    let head = body
        .iter()
        .take_while(|one| one.span.end <= at && (is_import(one) || is_beside_imports(one)));
    let last = head.filter(|one| is_import(one)).last()?;
    source.next_line(last.span.end)
}

/// An import, or an `if` or `try` around nothing but imports and what replaces them.
fn is_import(statement: &Stmt) -> bool {
    work::step();
    match &statement.kind {
        StmtKind::Import(_) | StmtKind::ImportFrom { .. } => true,
        StmtKind::If(branches) => holds_imports(branches.iter().flat_map(|(_, body)| body)),
        StmtKind::Try {
            body,
            handlers,
            otherwise,
            finally,
        } => {
            let handled = handlers.iter().flat_map(|handler| &handler.body);
            holds_imports(body.iter().chain(otherwise).chain(finally).chain(handled))
        }
        _ => false,
    }
}

/// Whether there are imports among these statements, and nothing but what replaces one. Each statement is visited once, at any depth.
fn holds_imports<'b>(statements: impl Iterator<Item = &'b Stmt>) -> bool {
    let mut has_import = false;
    for one in statements {
        if is_import(one) {
            has_import = true;
        } else if !matches!(one.kind, StmtKind::Assign { .. } | StmtKind::Other(_)) {
            return false;
        }
    }
    has_import
}

/// The module's docstring, `__all__` and its like, and changes of `sys.path`.
fn is_beside_imports(statement: &Stmt) -> bool {
    match &statement.kind {
        StmtKind::Expr(expr) => {
            let called = expr.as_call().and_then(|call| call.callee.dotted());
            expr.as_str().is_some() || called.is_some_and(|called| called.starts_with("sys.path."))
        }
        StmtKind::Assign { targets, .. } => targets.iter().all(|target| {
            let name = target.dotted();
            name.is_some_and(|name| name.starts_with("__") && name.ends_with("__"))
        }),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fix::{Fix, Safety, apply};
    use crate::python::Module;

    /// What the module calls `MetaData`, and the module with its import, for a use in the class at its end.
    fn imported(text: &str, ending: &str) -> (String, String) {
        let text = format!("{text}\n\nclass Base(DeclarativeBase):\n    pass\n").replace('\n', ending);
        let at = text.find("class Base").unwrap();
        let file = SourceFile::new("m.py".into(), text);
        let module = Module::parse(file.clone());
        let imported = import(&file, module.body(), METADATA, at).unwrap();
        let after = apply(&file, [&Fix::new("import", Safety::Safe, imported.edits)]);
        let (head, _) = after.split_once(&format!("{ending}{ending}class Base")).unwrap();
        (imported.name, head.replace(ending, "\n"))
    }

    #[test]
    fn nested_conditions_are_visited_once() {
        let steps = |depth: usize| {
            let line = |at: usize| format!("{}if x:\n", " ".repeat(at));
            let lines: String = (0..depth).map(line).collect();
            let text = format!("{lines}{}import os\n\nx = 1\n", " ".repeat(depth));
            let file = SourceFile::new("m.py".into(), text);
            let module = Module::parse(file.clone());
            work::counted(|| assert!(imports_end(&file, module.body(), file.text().len()).is_some()))
        };
        assert!(steps(20) <= 4 * 22, "{}", steps(20));
        assert_eq!(steps(20) - steps(19), steps(10) - steps(9));
    }

    const ORM: &str = "from sqlalchemy.orm import DeclarativeBase\n";

    /// Each was compared with what `ruff check --select I,E,F,W` and `ruff format` of ruff 0.17.6 say before and after.
    #[test]
    fn a_name_joins_an_existing_import() {
        for (before, after) in [
            ("Column", "Column, MetaData"),
            ("Numeric, String", "MetaData, Numeric, String"),
            ("BIGINT, Column, func", "BIGINT, Column, MetaData, func"),
            ("JSON, TIMESTAMP", "JSON, TIMESTAMP, MetaData"),
            ("event, func", "MetaData, event, func"),
            // Without regard to the kind of name, then by bytes, then in no order.
            ("Column, func, Integer, text", "Column, func, Integer, MetaData, text"),
            ("Column, String, event", "Column, MetaData, String, event"),
            ("String, Column", "String, Column, MetaData"),
            ("Column as C, Integer as I", "Column as C, Integer as I, MetaData"),
            ("Column  # noqa: F401", "Column, MetaData  # noqa: F401"),
            ("(Column, String)", "(Column, MetaData, String)"),
            ("(\n    Column,\n    String,\n)", "(\n    Column,\n    MetaData,\n    String,\n)"),
            ("(\n    Column,\n)", "(\n    Column,\n    MetaData,\n)"),
            ("(\n    Column\n)", "(\n    Column,\n    MetaData\n)"),
            ("(\n  Column,  # a\n  )", "(\n  Column,  # a\n  MetaData,\n  )"),
            ("(\n    Column  # a\n)", "(\n    Column,  # a\n    MetaData\n)"),
            ("(\n    Column,\n    # a\n    String,\n)", "(\n    Column,\n    # a\n    MetaData,\n    String,\n)"),
            ("(\n    Column, String\n)", "(\n    Column, MetaData, String\n)"),
            ("(Column,\n    String)", "(Column,\n    MetaData,\n    String)"),
            ("(Column,\n    Date)", "(Column,\n    Date,\n    MetaData)"),
            ("Column, \\\n    String", "Column, \\\n    MetaData, String"),
            ("Column, \\\n    Date", "Column, \\\n    Date, MetaData"),
            (
                "Boolean, Column, DateTime, ForeignKey, Integer, Numeric, String",
                "(\n    Boolean,\n    Column,\n    DateTime,\n    ForeignKey,\n    Integer,\n    MetaData,\n    Numeric,\n    String,\n)",
            ),
        ] {
            for ending in ["\n", "\r\n"] {
                let import = |names: &str| format!("from sqlalchemy import {names}\n{ORM}");
                let expected = ("MetaData".to_owned(), import(after));
                assert_eq!(imported(&import(before), ending), expected, "{before}");
            }
        }
    }

    #[test]
    fn a_known_name_is_not_imported_again() {
        for (text, name) in [
            ("from sqlalchemy import Column, MetaData\n", "MetaData"),
            ("from sqlalchemy import MetaData as Meta\n", "Meta"),
            ("from sqlalchemy.schema import MetaData\n", "MetaData"),
            ("import sqlalchemy as sa\n", "sa.MetaData"),
            ("import sqlalchemy\n", "sqlalchemy.MetaData"),
        ] {
            let text = format!("{text}{ORM}");
            assert_eq!(imported(&text, "\n"), (name.to_owned(), text));
        }
        // A module that imports names keeps doing so.
        let both = format!("import sqlalchemy as sa\nfrom sqlalchemy import Column\n{ORM}");
        let after = both.replace("Column", "Column, MetaData");
        assert_eq!(imported(&both, "\n"), ("MetaData".to_owned(), after));
    }

    #[test]
    fn a_new_line_keeps_the_imports_sorted() {
        const LINE: &str = "from sqlalchemy import MetaData\n";
        for (above, below) in [
            ("", ORM),
            ("\"\"\"Doc.\"\"\"\n\nimport os\n\n", ORM),
            ("# Licence\n", ORM),
            ("from flask import Flask\nfrom pydantic import BaseModel\n", ORM),
            ("import zope\n", ORM),
            ("import os\n\nimport alembic\nimport zope\n", &format!("{ORM}\nfrom .config import settings\n")),
            // All in one order (`force-sort-within-sections`), and in none.
            ("from flask import Flask\nimport pydantic\n", ORM),
            ("import zope\nimport os\n", ORM),
            (
                "from geoalchemy2 import G\n",
                "from sqlalchemy.orm import DeclarativeBase\nfrom sqlalchemy_utils import U\n",
            ),
            ("from sqlalchemy import Column as C\n", ORM),
            ("from sqlalchemy import Column\n", &format!("from sqlalchemy import String\n{ORM}")),
            ("from flask_sqlalchemy import SQLAlchemy\n", ""),
            ("import os\nimport sys\n\nsys.path.insert(0, '.')\n\n", ORM),
            ("import t\n\nif t.TYPE_CHECKING:\n    import a\n\n", ORM),
            ("", &format!("{ORM}\ntry:\n    import a\nexcept ImportError:\n    a = None\n")),
            // No third-party import shows where it belongs.
            ("from app.base import DeclarativeBase\n", ""),
        ] {
            let (name, after) = imported(&format!("{above}{below}"), "\n");
            assert_eq!((name.as_str(), after), ("MetaData", format!("{above}{LINE}{below}")));
        }
    }
}
