//! How an import that a fix needs is written: into one that is there, or as a line of its own where the others are sorted.

use super::convention_code::LINE_WIDTH;
use crate::fix::Edit;
use crate::python::{Alias, Stmt, StmtKind};
use crate::source::{SourceFile, Span};
use crate::work;

/// What is imported from where.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted {
    pub(crate) module: &'static str,
    pub(crate) name: &'static str,
}

pub(crate) const METADATA: Wanted = Wanted {
    module: "sqlalchemy",
    name: "MetaData",
};

pub(crate) const SQLMODEL: Wanted = Wanted {
    module: "sqlmodel",
    name: "SQLModel",
};

/// How the wanted thing is called in a module, and what makes it be known there.
#[derive(Debug)]
pub(crate) struct Imported {
    /// Its name.
    pub(crate) name: String,
    /// What is changed for it; nothing where it is known.
    pub(crate) edits: Vec<Edit>,
}

impl Imported {
    fn known(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            edits: Vec::new(),
        }
    }
}

/// Distributions beside which SQLAlchemy is imported: what stands with them is of other people.
const OTHERS: [&str; 14] = [
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

/// A statement that imports, at module level.
struct Import<'b> {
    statement: &'b Stmt,
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
            statement,
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

/// The import of what is wanted, for a use at `at`; nothing where the module has no place for it.
pub(crate) fn import(source: &SourceFile, body: &[Stmt], wanted: Wanted, at: usize) -> Option<Imported> {
    let above = body.iter().take_while(|statement| statement.span.end <= at);
    let imports: Vec<Import<'_>> = above.filter_map(Import::of).collect();
    if let Some(name) = bound(&imports, wanted) {
        return Some(Imported::known(name));
    }
    let same: Vec<&Import<'_>> = imports.iter().filter(|one| one.is_from(wanted.module)).collect();
    // A name with `as` has a line of its own in the usual order, unless it stands with others.
    let mut open = same
        .iter()
        .filter(|one| one.names.len() > 1 || one.names.iter().all(|name| name.asname.is_none()));
    let first = open.next();
    let is_one_each = first.is_some_and(|first| first.names.len() == 1) && open.next().is_some();
    let edits = match first {
        Some(first) if !is_one_each => join(source, first, wanted.name, widest(source, &imports)),
        _ => {
            let whole = imports.iter().filter(|one| !one.is_from).flat_map(|one| one.names);
            let mut whole = whole.filter(|one| one.name == wanted.module);
            if let Some(module) = whole.next().filter(|_| same.is_empty()) {
                let module = module.asname.as_deref().unwrap_or(&module.name);
                return Some(Imported::known(format!("{module}.{}", wanted.name)));
            }
            vec![new_line(source, body, at, &imports, wanted)?]
        }
    };
    Some(Imported {
        name: wanted.name.to_owned(),
        edits,
    })
}

/// The name that what is wanted has already.
fn bound(imports: &[Import<'_>], wanted: Wanted) -> Option<String> {
    let mut names = imports.iter().filter(|one| one.is_from).flat_map(|one| one.names);
    let is_it = |one: &&Alias| one.name == wanted.name || one.asname.as_deref() == Some(wanted.name);
    let one = names.find(is_it)?;
    Some(one.asname.as_deref().unwrap_or(&one.name).to_owned())
}

// --- into an import that is there ---

/// Where a name belongs among others: by the order that they have, or at the end where they have none.
fn place_among(names: &[&str], new: &str) -> usize {
    // The order of ruff and isort (`order-by-type`): CONSTANTS, then Classes, then the rest, whatever the case of their letters.
    fn by_type(name: &str) -> (u8, String) {
        let is_constant = name.len() > 1 && !name.contains(char::is_lowercase) && name.contains(char::is_uppercase);
        let rank = if is_constant {
            0
        } else if name.starts_with(char::is_uppercase) {
            1
        } else {
            2
        };
        (rank, name.to_lowercase())
    }
    fn by_letters(name: &str) -> (u8, String) {
        (0, name.to_lowercase())
    }
    fn by_bytes(name: &str) -> (u8, String) {
        (0, name.to_owned())
    }
    let order = [by_type, by_letters, by_bytes]
        .into_iter()
        .find(|order| names.is_sorted_by_key(|name| order(name)));
    order.map_or(names.len(), |order| {
        let new = order(new);
        names.iter().take_while(|name| order(name) <= new).count()
    })
}

fn join(source: &SourceFile, import: &Import<'_>, name: &str, widest: usize) -> Vec<Edit> {
    let names: Vec<&str> = import.names.iter().map(|one| one.name.as_str()).collect();
    let place = place_among(&names, name);
    let statement = import.statement.span;
    let text = source.slice(statement);
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
    let insert = |at: usize, text: String| Edit {
        file: source.clone(),
        span: Span::new(at, at),
        text,
    };
    if let Some(next) = import.names.get(place) {
        let gap = starts_line(next).unwrap_or_else(|| " ".to_owned());
        return vec![insert(next.span.start, format!("{name},{gap}"))];
    }
    let Some(last) = import.names.last() else {
        return Vec::new();
    };
    let Some(gap) = starts_line(last) else {
        return vec![insert(last.span.end, format!(", {name}"))];
    };
    let line_end = source.line_span(last.span.end).end.min(statement.end);
    let rest = source.slice(Span::new(last.span.end, line_end)).trim_start();
    match (rest.starts_with(','), rest.contains('#')) {
        (true, true) => vec![insert(line_end, format!("{gap}{name},"))],
        (false, true) => vec![
            insert(last.span.end, ",".to_owned()),
            insert(line_end, format!("{gap}{name}")),
        ],
        (_, false) => vec![insert(last.span.end, format!(",{gap}{name}"))],
    }
}

/// The names on a line each, as ruff and black write what is too long.
fn wrapped(source: &SourceFile, import: &Import<'_>, place: usize, name: &str) -> Vec<Edit> {
    let mut names: Vec<&str> = import.names.iter().map(|one| source.slice(one.span)).collect();
    names.insert(place, name);
    let statement = import.statement.span;
    let (Some(first), Some(last)) = (import.names.first(), import.names.last()) else {
        return Vec::new();
    };
    let open = source.slice(Span::new(statement.start, first.span.start)).rfind('(');
    let start = open.map_or(first.span.start, |at| statement.start + at);
    let end = if open.is_some() { statement.end } else { last.span.end };
    let ending = source.line_ending();
    let lines: String = names.iter().flat_map(|name| ["    ", name, ",", ending]).collect();
    vec![Edit {
        file: source.clone(),
        span: Span::new(start, end),
        text: format!("({ending}{lines})"),
    }]
}

/// How wide an import may be: what is there shows where more is allowed than usual.
fn widest(source: &SourceFile, imports: &[Import<'_>]) -> usize {
    let width = |one: &Import<'_>| {
        let line = source.line_span(one.statement.span.start);
        let code = source.slice(line).split('#').next().unwrap_or_default();
        code.trim_end().chars().count()
    };
    imports.iter().map(width).fold(LINE_WIDTH, usize::max)
}

// --- as a line of its own ---

fn new_line(source: &SourceFile, body: &[Stmt], at: usize, imports: &[Import<'_>], wanted: Wanted) -> Option<Edit> {
    let head = imports_end(source, body, at)?;
    let place = group(source, imports, head)
        .and_then(|group| place_in(source, group, wanted))
        .unwrap_or(head);
    Some(Edit {
        file: source.clone(),
        span: Span::new(place, place),
        text: format!("from {} import {}{}", wanted.module, wanted.name, source.line_ending()),
    })
}

/// The imports without a blank line between them among which SQLAlchemy belongs.
fn group<'i, 'b>(source: &SourceFile, imports: &'i [Import<'b>], head: usize) -> Option<&'i [Import<'b>]> {
    let count = imports.iter().take_while(|one| one.statement.span.end <= head).count();
    let imports = imports.get(..count)?;
    let is_together = |one: &Import<'_>, other: &Import<'_>| {
        let between = Span::new(one.statement.span.end, other.statement.span.start);
        // The first line is the rest of the statement's own.
        let mut lines = source.slice(between).split('\n').skip(1);
        lines
            .next()
            .is_some_and(|line| !line.trim().is_empty() || line.is_empty())
            && !source.slice(between).replace('\r', "").contains("\n\n")
    };
    let find = |is_it: &dyn Fn(&Import<'_>) -> bool| {
        imports
            .chunk_by(is_together)
            .find(|group| group.iter().any(|one| one.level == 0 && is_it(one)))
    };
    find(&|one| one.root() == "sqlalchemy").or_else(|| find(&|one| OTHERS.contains(&one.root())))
}

/// Where the line goes in its group; before what else is of SQLAlchemy where the group has no order.
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
        None => Some(source.line_span(group.first()?.statement.span.start).start),
        Some(above) => line_end(source, group.get(above)?.statement.span.end),
    }
}

/// The end of the line that holds a byte, with its line end; nothing where the file ends without one.
fn line_end(source: &SourceFile, at: usize) -> Option<usize> {
    let line = source.line_span(at);
    let rest = source.text().get(line.end..)?;
    let ending = if rest.starts_with("\r\n") {
        2
    } else {
        usize::from(!rest.is_empty())
    };
    (ending > 0).then_some(line.end + ending)
}

/// The end of the last import at the head of the module, above a use at `at`, with its line end.
///
/// The head ends with the first statement behind which an import is out of place (pycodestyle's E402).
pub(crate) fn imports_end(source: &SourceFile, body: &[Stmt], at: usize) -> Option<usize> {
    let head = body
        .iter()
        .take_while(|one| one.span.end <= at && (is_import(one) || is_beside_imports(one)));
    let last = head.filter(|one| is_import(one)).last()?;
    line_end(source, last.span.end)
}

/// An import, or a condition around nothing but imports and what stands in for them.
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

/// Whether there is an import among these, and nothing but what stands in for one. Each is asked once, however deep it stands.
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

/// The module's docstring, what Python keeps for itself (`__all__`), and where imports are looked for.
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
    fn an_import_below_many_conditions_is_asked_for_once_at_each() {
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
    fn a_name_joins_the_import_that_is_there() {
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
            (
                "(\n    Column,\n    String,\n)",
                "(\n    Column,\n    MetaData,\n    String,\n)",
            ),
            ("(\n    Column,\n)", "(\n    Column,\n    MetaData,\n)"),
            ("(\n    Column\n)", "(\n    Column,\n    MetaData\n)"),
            ("(\n  Column,  # a\n  )", "(\n  Column,  # a\n  MetaData,\n  )"),
            ("(\n    Column  # a\n)", "(\n    Column,  # a\n    MetaData\n)"),
            (
                "(\n    Column,\n    # a\n    String,\n)",
                "(\n    Column,\n    # a\n    MetaData,\n    String,\n)",
            ),
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
    fn what_is_known_is_not_imported_again() {
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
        // A list of names that is there is how this module writes it.
        let both = format!("import sqlalchemy as sa\nfrom sqlalchemy import Column\n{ORM}");
        let after = both.replace("Column", "Column, MetaData");
        assert_eq!(imported(&both, "\n"), ("MetaData".to_owned(), after));
    }

    #[test]
    fn a_line_of_its_own_stands_where_the_others_are_sorted() {
        const LINE: &str = "from sqlalchemy import MetaData\n";
        for (above, below) in [
            ("", ORM),
            ("\"\"\"Doc.\"\"\"\n\nimport os\n\n", ORM),
            ("# Licence\n", ORM),
            ("from flask import Flask\nfrom pydantic import BaseModel\n", ORM),
            ("import zope\n", ORM),
            (
                "import os\n\nimport alembic\nimport zope\n",
                &format!("{ORM}\nfrom .config import settings\n"),
            ),
            // All in one order (`force-sort-within-sections`), and in none.
            ("from flask import Flask\nimport pydantic\n", ORM),
            ("import zope\nimport os\n", ORM),
            (
                "from geoalchemy2 import G\n",
                "from sqlalchemy.orm import DeclarativeBase\nfrom sqlalchemy_utils import U\n",
            ),
            ("from sqlalchemy import Column as C\n", ORM),
            (
                "from sqlalchemy import Column\n",
                &format!("from sqlalchemy import String\n{ORM}"),
            ),
            ("from flask_sqlalchemy import SQLAlchemy\n", ""),
            ("import os\nimport sys\n\nsys.path.insert(0, '.')\n\n", ORM),
            ("import t\n\nif t.TYPE_CHECKING:\n    import a\n\n", ORM),
            (
                "",
                &format!("{ORM}\ntry:\n    import a\nexcept ImportError:\n    a = None\n"),
            ),
            // No other people's import shows where it belongs.
            ("from app.base import DeclarativeBase\n", ""),
        ] {
            let (name, after) = imported(&format!("{above}{below}"), "\n");
            assert_eq!((name.as_str(), after), ("MetaData", format!("{above}{LINE}{below}")));
        }
    }
}
