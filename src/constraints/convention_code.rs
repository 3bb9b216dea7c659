//! How a naming convention is written into a module: the dict as a constant below the imports, and its use where the metadata is made.

use std::collections::HashMap;
use std::fmt::Write;

use super::MetadataFile;
use super::edits::further_argument;
use super::imports::{METADATA, SQLMODEL, import, imports_end};
use crate::fix::{Edit, Fix, Safety};
use crate::naming::{ConstraintKind, Convention, Key, Value};
use crate::project::{Checks, Place, Spelling, Target};
use crate::python::{ArgumentKind, Call, Class, Expr, ExprKind, Stmt, StmtKind};
use crate::source::{SourceFile, Span};

const CONSTANT: &str = "NAMING_CONVENTION";

/// How wide a line is at most that is written here: black's and ruff's own limit.
pub(crate) const LINE_WIDTH: usize = 88;

/// The fix that gives the metadata of this module a convention; nothing where the code has no place for it.
pub(crate) fn give_convention(file: &MetadataFile<'_>) -> Option<Fix> {
    let convention = file
        .configured_convention
        .cloned()
        .unwrap_or_else(Convention::sqlalchemy_documented);
    give(file, &|| match why_no_checks(file) {
        None => convention.clone(),
        Some(_) => convention.clone().without(ConstraintKind::Check),
    })
}

/// The fix that gives the metadata of this module the convention that `convention` makes.
pub(crate) fn give(file: &MetadataFile<'_>, convention: &dyn Fn() -> Convention) -> Option<Fix> {
    let source = file.module.file();
    let body = file.module.body();
    if source.text().contains(CONSTANT) {
        return None;
    }
    let at = file.judged.place.span;
    let class = find_class(body, at);
    let decorator = class.and_then(|class| class.decorators.iter().find_map(|one| one.as_call_of("as_declarative")));
    let call = decorator.or_else(|| class.is_none().then(|| find_call(body, at)).flatten());
    let outer = body.iter().find(|statement| statement.span.contains(at));
    let used = outer.map_or(at.start, |statement| statement.span.start);
    let ending = source.line_ending();
    let (mut edits, place, import) = if let Some(call) = call {
        let (argument, keyword) = argument_of(call, &file.judged.target)?;
        let imported = match argument {
            Argued::Metadata => Some(import(source, body, METADATA, used)?),
            Argued::Convention => None,
        };
        let (name, edits) = imported.map_or_else(Default::default, |imported| (imported.name, imported.edits));
        let argument = match argument {
            Argued::Metadata => format!("metadata={name}(naming_convention={CONSTANT})"),
            Argued::Convention => format!("naming_convention={CONSTANT}"),
        };
        let changed = with_argument(source, call, keyword, argument)?;
        (vec![changed], imports_end(source, body, used)?, edits)
    } else if let Some(class) = class {
        let imported = import(source, body, METADATA, used)?;
        let changed = in_class(source, class, &imported.name)?;
        (vec![changed], imports_end(source, body, used)?, imported.edits)
    } else {
        let assigned = on_library_metadata(file)?;
        let place = assigned.span.start;
        (vec![assigned], place, library(source, body, place))
    };
    let is_early = call.is_none() && class.is_none();
    let text = format!("\n{}", constant(&convention())).replace('\n', ending);
    let mut constant = Edit {
        file: source.clone(),
        span: Span::new(place, place),
        text,
    };
    if is_early {
        constant.text.extend(edits.drain(..).map(|edit| edit.text));
    }
    // Where several are inserted at one place, the import comes first, and then the constant.
    edits.splice(0..0, import.into_iter().chain([constant]));
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

/// Why the convention that is written has no template for checks, in direction a sentence.
pub(crate) fn why_no_checks(file: &MetadataFile<'_>) -> Option<String> {
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
fn in_class(source: &SourceFile, class: &Class, metadata: &str) -> Option<Edit> {
    let first = class.body.first()?;
    let line = source.line_span(first.span.start);
    let before = source.slice(Span::new(line.start, first.span.start));
    let assignment = format!("metadata = {metadata}(naming_convention={CONSTANT})");
    let is_empty = class.body.len() == 1 && matches!(source.slice(first.span).trim(), "pass" | "...");
    let is_docstring = matches!(&first.kind, StmtKind::Expr(expr) if expr.as_str().is_some());
    let ending = source.line_ending();
    let is_one_line = !before.trim().is_empty();
    let (indent, start) = if is_one_line {
        // The body comes below the colon.
        let outer = indent_of(source, class.name_span.start);
        let inner = if source.text().contains("\n\t") { "\t" } else { "    " };
        (format!("{outer}{inner}"), line.start + before.trim_end().len())
    } else {
        (before.to_owned(), first.span.start)
    };
    let lead = if is_one_line {
        format!("{ending}{indent}")
    } else {
        String::new()
    };
    let (span, text) = if is_empty {
        (Span::new(start, first.span.end), format!("{lead}{assignment}"))
    } else if is_docstring {
        let docstring = source.slice(first.span);
        (
            Span::new(start, first.span.end),
            format!("{lead}{docstring}{ending}{ending}{indent}{assignment}"),
        )
    } else {
        (
            Span::new(start, first.span.start),
            format!("{lead}{assignment}{ending}{ending}{indent}"),
        )
    };
    Some(Edit {
        file: source.clone(),
        span,
        text,
    })
}

/// What a call that makes a metadata takes.
#[derive(Clone, Copy)]
enum Argued {
    /// A `MetaData`.
    Metadata,
    /// The convention: it is a `MetaData` itself.
    Convention,
}

/// What the call takes, and its keyword.
///
/// A class of the project counts as the one that it derives from, which is known as the maker. `as_declarative` replaces a `metadata` in the
/// class body (`sqlalchemy/orm/decl_api.py`), so its call takes the argument.
fn argument_of(call: &Call, target: &Target) -> Option<(Argued, &'static str)> {
    let name = call.callee.dotted()?;
    let maker = match target {
        Target::Metadata(facts) if facts.maker != "MetaData" => facts.maker.as_str(),
        _ => name.as_str(),
    };
    Some(match maker.rsplit('.').next()? {
        "declarative_base" | "automap_base" | "registry" | "as_declarative" | "SQLAlchemy" => {
            (Argued::Metadata, "metadata")
        }
        // `MetaData`, `Gino`, and what the project derives from them.
        _ => (Argued::Convention, "naming_convention"),
    })
}

/// The call with this argument.
fn with_argument(source: &SourceFile, call: &Call, keyword: &str, argument: String) -> Option<Edit> {
    if let Some(edit) = spread(source, call, keyword, &argument) {
        return Some(edit);
    }
    // `naming_convention={}` or `metadata=None` is there already, and takes the new value.
    if let Some(given) = call.arguments.iter().find(|argument| argument.is_keyword(keyword)) {
        return Some(Edit {
            file: source.clone(),
            span: given.span,
            text: argument,
        });
    }
    let close = call.arguments_span.end.checked_sub(1)?;
    Some(match call.arguments.last() {
        Some(last) if has_own_line(source, call) => Edit {
            file: source.clone(),
            span: Span::new(last.span.end, last.span.end),
            text: format!(
                ",{}{}{argument}",
                source.line_ending(),
                indent_of(source, last.span.start)
            ),
        },
        Some(last) => further_argument(source, last.span.end, close, &argument),
        None => Edit {
            file: source.clone(),
            span: Span::new(close, close),
            text: argument,
        },
    })
}

/// Whether the last argument of a call stands on a line of its own, with no more than a comma behind it.
fn has_own_line(source: &SourceFile, call: &Call) -> bool {
    call.arguments.last().is_some_and(|last| {
        let line = source.line_span(last.span.start);
        let before = source.slice(Span::new(line.start, last.span.start));
        let rest = source.slice(Span::new(last.span.end, call.arguments_span.end));
        before.trim().is_empty()
            && rest.contains('\n')
            && rest.chars().all(|letter| ",) \t\r\n".contains(letter))
            && rest.matches(')').count() == 1
    })
}

/// The blanks that a line begins with.
fn indent_of(source: &SourceFile, at: usize) -> &str {
    let line = source.slice(source.line_span(at));
    let code = line.trim_start_matches([' ', '\t']);
    line.get(..line.len() - code.len()).unwrap_or_default()
}

/// The arguments below the call, as black and ruff write them, where they make its line too long; nothing where they do not.
fn spread(source: &SourceFile, call: &Call, keyword: &str, argument: &str) -> Option<Edit> {
    let mut arguments: Vec<&str> = Vec::new();
    for given in &call.arguments {
        arguments.push(if given.is_keyword(keyword) {
            argument
        } else {
            source.slice(given.span)
        });
    }
    if !arguments.contains(&argument) {
        arguments.push(argument);
    }
    let line = source.line_span(call.span.start);
    let code = source.slice(line);
    let old = source.slice(call.arguments_span);
    let inner = arguments.join(", ");
    let width = |text: &str| text.chars().count();
    let most = LINE_WIDTH.max(width(code));
    let is_one_line = line.contains(call.span) && !code.contains('#');
    if !is_one_line || width(code) - width(old) + width(&inner) + 2 <= most {
        return None;
    }
    let ending = source.line_ending();
    let outer = indent_of(source, call.span.start);
    let indent = format!("{outer}    ");
    let inner = if width(&indent) + width(&inner) <= LINE_WIDTH {
        format!("{indent}{inner}{ending}")
    } else {
        arguments.iter().flat_map(|one| [&indent, *one, ",", ending]).collect()
    };
    Some(Edit {
        file: source.clone(),
        span: call.arguments_span,
        text: format!("({ending}{inner}{outer})"),
    })
}

/// The import of SQLModel's class for a place that is above its own, where it is needed.
fn library(source: &SourceFile, body: &[Stmt], place: usize) -> Vec<Edit> {
    if binds_library(body, place) {
        return Vec::new();
    }
    let is_there = |statement: &Stmt| matches!(&statement.kind, StmtKind::ImportFrom { module, level: 0, .. } if module.as_deref() == Some("sqlmodel"));
    let above = body.iter().take_while(|statement| statement.span.end <= place);
    let joined = above
        .filter(|statement| is_there(statement))
        .find_map(|_| import(source, body, SQLMODEL, place))
        .filter(|imported| imported.name == SQLMODEL.name);
    joined.map_or_else(
        || {
            vec![Edit {
                file: source.clone(),
                span: Span::new(place, place),
                text: format!("from sqlmodel import SQLModel{}", source.line_ending()),
            }]
        },
        |imported| imported.edits,
    )
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
        None => imports_end(source, file.module.body(), source.text().len())?,
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

/// The keys of a dict display, for a place to point at: the first of each.
pub(crate) fn key_spans(body: &[Stmt], dict: Span) -> HashMap<Key, Span> {
    let mut found = HashMap::new();
    let mut add = |key: Key, span| {
        found.entry(key).or_insert(span);
    };
    for statement in body {
        each_expr(statement, &mut |expr| {
            if expr.span != dict {
                return;
            }
            match &expr.kind {
                ExprKind::Dict(items) => {
                    for expr in items.iter().filter_map(|item| item.key.as_ref()) {
                        if let Some(key) = key_of(expr) {
                            add(key, expr.span);
                        }
                    }
                }
                ExprKind::Call(call) => {
                    for argument in &call.arguments {
                        if let ArgumentKind::Keyword(name) = &argument.kind {
                            add(Key::Text(name.to_string()), argument.span);
                        }
                    }
                }
                _ => {}
            }
        });
    }
    found
}

fn key_of(expr: &Expr) -> Option<Key> {
    if let Some(text) = expr.as_str() {
        return Some(Key::Text(text.to_owned()));
    }
    let dotted = expr.dotted()?;
    Some(Key::Class(dotted.rsplit('.').next()?.to_owned()))
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
