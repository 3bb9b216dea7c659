//! How a naming convention is written into a module: the dict as a constant below the imports, and its use where the metadata is made.

use std::fmt::Write;

use crate::fix::{Edit, Fix, Safety};
use crate::naming::{ConstraintKind, Convention, Key, Value};
use crate::project::{Checks, Place, Spelling, Target};
use crate::python::{Argument, ArgumentKind, Call, Class, Expr, ExprKind, Stmt, StmtKind};
use crate::source::{SourceFile, Span};

use super::MetadataFile;
use super::edits::further_argument;

const CONSTANT: &str = "NAMING_CONVENTION";

/// The fix that gives the metadata of this module a convention; nothing where the code has no place for it.
pub(super) fn give_convention(file: &MetadataFile<'_>) -> Option<Fix> {
    let source = file.module.file();
    let body = file.module.body();
    if source.text().contains(CONSTANT) {
        return None;
    }
    let at = file.judged.place.span;
    let mut needs_metadata = true;
    let mut early = None;
    let class = find_class(body, at);
    let decorator = class.and_then(|class| class.decorators.iter().find_map(|one| one.as_call_of("as_declarative")));
    let mut edits = if let Some(class) = class.filter(|_| decorator.is_none()) {
        in_class(source, class)?
    } else if let Some(call) = decorator.or_else(|| find_call(body, at)) {
        let (edit, own) = in_call(source, call, &file.judged.target)?;
        needs_metadata = !own;
        vec![edit]
    } else {
        needs_metadata = false;
        let assigned = on_library_metadata(file)?;
        early = Some(assigned.span.start);
        vec![assigned]
    };
    let imports_end = early.or_else(|| imports_end(source, body))?;
    let import = if early.is_some_and(|at| !binds_library(body, at)) {
        "from sqlmodel import SQLModel\n"
    } else if needs_metadata && !binds_metadata(body) {
        "from sqlalchemy import MetaData\n"
    } else {
        ""
    };
    let ending = source.line_ending();
    let convention = file
        .configured_convention
        .cloned()
        .unwrap_or_else(Convention::sqlalchemy_documented);
    let convention = match why_no_checks(file) {
        None => convention,
        Some(_) => convention.without(ConstraintKind::Check),
    };
    let text = format!("{import}\n{}", constant(&convention)).replace('\n', ending);
    // Where both are inserted at one place, the constant comes first.
    let mut constant = Edit {
        file: source.clone(),
        span: Span::new(imports_end, imports_end),
        text,
    };
    if early.is_some() {
        constant.text.extend(edits.drain(..).map(|edit| edit.text));
    }
    edits.insert(0, constant);
    Some(Fix::new(
        "give the metadata a naming convention",
        Safety::Suggested,
        edits,
    ))
}

/// The convention as a constant.
fn constant(convention: &Convention) -> String {
    let mut code = format!("{CONSTANT} = {{\n");
    for (key, value) in convention.entries() {
        if let (Key::Text(key), Value::Template(template)) = (key, value) {
            let _ = writeln!(code, "    \"{key}\": \"{template}\",");
        }
    }
    code.push_str("}\n");
    code
}

/// Why the convention that is written has no template for checks, in half a sentence.
pub(super) fn why_no_checks(file: &MetadataFile<'_>) -> Option<String> {
    // What the configuration leaves out needs no reason.
    if file
        .configured_convention
        .is_some_and(|own| own.template_for(ConstraintKind::Check).is_none())
    {
        return None;
    }
    match &*file.checks() {
        Checks::Free => None,
        Checks::Held(places, has_more) => {
            let place = |place: &Place| {
                let line = place.file.position(place.span.start).line;
                format!("{}:{line}", place.file.path())
            };
            let mut places = places.iter().map(place).collect::<Vec<_>>().join(", ");
            if *has_more {
                places.push_str(" and more");
            }
            Some(format!(
                "leave out `ck`, which fails a check without a name and renames one with a plain name ({places})"
            ))
        }
        Checks::Unread => Some(
            "leave out `ck` unless every check has a finished name (`op.f()`, `conv()`): there is too much to look through".to_owned(),
        ),
    }
}

fn find_class(body: &[Stmt], name: Span) -> Option<&Class> {
    body.iter().find_map(|statement| match &statement.kind {
        StmtKind::Class(class) if class.name_span == name => Some(class),
        StmtKind::If(branches) => branches.iter().find_map(|(_, body)| find_class(body, name)),
        StmtKind::Try { body, .. } => find_class(body, name),
        _ => None,
    })
}

fn find_call(body: &[Stmt], at: Span) -> Option<&Call> {
    let mut found = None;
    for statement in body {
        if !statement.span.contains(at) {
            continue;
        }
        match &statement.kind {
            StmtKind::Assign { value: Some(value), .. } | StmtKind::Expr(value) => found = call_in(value, at),
            StmtKind::Class(class) => found = find_call(&class.body, at),
            StmtKind::If(branches) => found = branches.iter().find_map(|(_, body)| find_call(body, at)),
            StmtKind::Try { body, .. } => found = find_call(body, at),
            _ => {}
        }
    }
    found
}

fn call_in(expr: &Expr, at: Span) -> Option<&Call> {
    match expr.as_call() {
        Some(call) if call.span == at => Some(call),
        _ => expr.children().into_iter().find_map(|child| call_in(child, at)),
    }
}

/// `metadata = MetaData(...)` as the first statement of a declarative base.
fn in_class(source: &SourceFile, class: &Class) -> Option<Vec<Edit>> {
    let first = class.body.first()?;
    let line = source.line_span(first.span.start);
    let indent = source.slice(Span::new(line.start, first.span.start));
    if !indent.trim().is_empty() {
        return None;
    }
    let assignment = format!("metadata = MetaData(naming_convention={CONSTANT})");
    let is_pass = class.body.len() == 1 && source.slice(first.span).trim() == "pass";
    let is_docstring = matches!(&first.kind, StmtKind::Expr(expr) if expr.as_str().is_some());
    let ending = source.line_ending();
    let (span, text) = if is_pass {
        (first.span, assignment)
    } else if is_docstring {
        (
            Span::new(first.span.end, first.span.end),
            format!("{ending}{ending}{indent}{assignment}"),
        )
    } else {
        (
            Span::new(first.span.start, first.span.start),
            format!("{assignment}{ending}{ending}{indent}"),
        )
    };
    Some(vec![Edit {
        file: source.clone(),
        span,
        text,
    }])
}

/// The argument for the call that makes a metadata, and whether the call is a `MetaData` itself.
///
/// A class of the project counts as the one that it derives from, which is known as the maker. `as_declarative` replaces a `metadata` in the
/// class body (`sqlalchemy/orm/decl_api.py`), so its call takes the argument.
fn in_call(source: &SourceFile, call: &Call, target: &Target) -> Option<(Edit, bool)> {
    let name = call.callee.dotted()?;
    let maker = match target {
        Target::Metadata(facts) if facts.maker != "MetaData" => facts.maker.as_str(),
        _ => name.as_str(),
    };
    let (argument, own) = match maker.rsplit('.').next()? {
        "declarative_base" | "automap_base" | "registry" | "as_declarative" | "SQLAlchemy" => {
            (format!("metadata=MetaData(naming_convention={CONSTANT})"), false)
        }
        // `MetaData`, `Gino`, and what the project derives from them.
        _ => (format!("naming_convention={CONSTANT}"), true),
    };
    // `naming_convention={}` or `metadata=None` is there already, and takes the new value.
    let keyword = argument.split('=').next().unwrap_or_default().to_owned();
    if let Some(given) = call.arguments.iter().find(|argument| argument.is_keyword(&keyword)) {
        let edit = Edit {
            file: source.clone(),
            span: given.span,
            text: argument,
        };
        return Some((edit, own));
    }
    let close = call.arguments_span.end.checked_sub(1)?;
    let edit = match call.arguments.last() {
        Some(last) => further_argument(source, last.span.end, close, &argument),
        None => Edit {
            file: source.clone(),
            span: Span::new(close, close),
            text: argument,
        },
    };
    Some((edit, own))
}

/// `SQLModel.metadata.naming_convention = ...` above the first statement that defines a table, or imports one: tables that are there already
/// stay without names. Nothing where another module defines one before this one is run.
fn on_library_metadata(file: &MetadataFile<'_>) -> Option<Edit> {
    let source = file.module.file();
    let Target::Metadata(facts) = &file.judged.target else {
        return None;
    };
    let Spelling::Assigned(_) = facts.spelling() else {
        return None;
    };
    let at = match &facts.first_statement {
        Some(place) if place.file.path() != source.path() => return None,
        Some(place) => source.line_span(place.span.start).start,
        None => imports_end(source, file.module.body())?,
    };
    let assigned = facts.spelling().around(CONSTANT);
    // Above a statement of its own a blank line belongs.
    let gap = if facts.first_statement.is_some() { "\n" } else { "" };
    Some(Edit {
        file: source.clone(),
        span: Span::new(at, at),
        text: format!("{assigned}\n{gap}").replace('\n', source.line_ending()),
    })
}

/// Whether SQLModel's class is imported under its own name above a place.
fn binds_library(body: &[Stmt], at: usize) -> bool {
    let mut above = body.iter().take_while(|statement| statement.span.end <= at);
    above.any(|statement| match &statement.kind {
        StmtKind::ImportFrom {
            module,
            names,
            level: 0,
        } => {
            let is_class = |alias: &crate::python::Alias| alias.name.as_str() == "SQLModel" && alias.alias.is_none();
            module.as_deref() == Some("sqlmodel") && names.iter().any(is_class)
        }
        _ => false,
    })
}

/// The end of the last import at the head of the module, with its line end.
fn imports_end(source: &SourceFile, body: &[Stmt]) -> Option<usize> {
    let is_import = |statement: &&Stmt| matches!(statement.kind, StmtKind::Import(_) | StmtKind::ImportFrom { .. });
    let head = body.iter().take_while(|statement| {
        is_import(statement) || matches!(&statement.kind, StmtKind::Expr(expr) if expr.as_str().is_some())
    });
    let last = head.filter(is_import).last()?;
    let line = source.line_span(last.span.end);
    let text = source.text().get(line.end..)?;
    let ending = if text.starts_with("\r\n") {
        2
    } else {
        usize::from(!text.is_empty())
    };
    (ending > 0).then_some(line.end + ending)
}

fn binds_metadata(body: &[Stmt]) -> bool {
    body.iter().any(|statement| match &statement.kind {
        StmtKind::ImportFrom { names, .. } => names
            .iter()
            .any(|alias| alias.alias.as_deref().unwrap_or(&alias.name) == "MetaData"),
        _ => false,
    })
}

/// The key of a dict display, for a place to point at.
pub(super) fn key_span(body: &[Stmt], dict: Span, key: &Key) -> Option<Span> {
    let mut found = None;
    for statement in body {
        each_expr(statement, &mut |expr| {
            if expr.span != dict {
                return;
            }
            match &expr.kind {
                ExprKind::Dict(items) => {
                    let keys = items.iter().filter_map(|item| item.key.as_ref());
                    found = keys.filter(|expr| is_key(expr, key)).map(|expr| expr.span).next();
                }
                ExprKind::Call(call) => {
                    let named = |argument: &&Argument| matches!((&argument.kind, key), (ArgumentKind::Keyword(name), Key::Text(key)) if name == key);
                    found = call.arguments.iter().find(named).map(|argument| argument.span);
                }
                _ => {}
            }
        });
    }
    found
}

fn is_key(expr: &Expr, key: &Key) -> bool {
    match key {
        Key::Text(text) => expr.as_str() == Some(text),
        Key::Class(name) => expr
            .dotted()
            .is_some_and(|dotted| dotted.rsplit('.').next() == Some(name)),
    }
}

fn each_expr(statement: &Stmt, visit: &mut impl FnMut(&Expr)) {
    match &statement.kind {
        StmtKind::Assign { value: Some(value), .. } | StmtKind::Expr(value) | StmtKind::Return(Some(value)) => {
            walk(value, visit);
        }
        StmtKind::Class(class) => class.body.iter().for_each(|inner| each_expr(inner, visit)),
        StmtKind::Function(function) => function.body.iter().for_each(|inner| each_expr(inner, visit)),
        _ => {}
    }
}

fn walk(expr: &Expr, visit: &mut impl FnMut(&Expr)) {
    visit(expr);
    for child in expr.children() {
        walk(child, visit);
    }
}
