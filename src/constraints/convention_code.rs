//! The code of a naming convention: how it is written into a module, and where its keys are.

use std::collections::HashMap;
use std::fmt::Write;

use super::MetadataFile;
use super::edits::further_argument;
use super::imports::{METADATA, SQLMODEL, import, imports_end};
use crate::fix::{Edit, Fix, Safety};
use crate::naming::{ConstraintKind, Convention, Key, Value};
use crate::project::{Checks, Judged, Place, Spelling, Target};
use crate::python::{Argument, ArgumentKind, Call, Class, Expr, ExprKind, Module, Stmt, StmtKind};
use crate::source::{SourceFile, Span};

const CONSTANT: &str = "NAMING_CONVENTION";

/// The line length of black and ruff.
pub(super) const LINE_WIDTH: usize = 88;

/// Gives the metadata of a module the configured convention, or the documented one; nothing where the code has no place for it.
pub(crate) fn give_convention(file: &MetadataFile<'_>) -> Option<Fix> {
    write_convention(file.judged, file.module, || {
        let configured = file.configured_convention.cloned();
        let convention = configured.unwrap_or_else(Convention::sqlalchemy_documented);
        match why_no_checks(file) {
            None => convention,
            Some(_) => convention.without(ConstraintKind::Check),
        }
    })
}

/// Writes a convention as a constant below the imports, and its use where the metadata is made. It is asked for only where there is a place.
pub(crate) fn write_convention(
    judged: &Judged,
    module: &Module,
    convention: impl FnOnce() -> Convention,
) -> Option<Fix> {
    let (source, body) = (module.file(), module.body());
    if source.text().contains(CONSTANT) {
        return None;
    }
    let at = judged.place.span;
    let class = find_class(body, at);
    let decorator = class.and_then(|class| class.decorators.iter().find_map(|one| one.as_call_of("as_declarative")));
    let call = decorator.or_else(|| class.is_none().then(|| find_call(body, at)).flatten());
    let outer = body.iter().find(|statement| statement.span.contains(at));
    let used = outer.map_or(at.start, |statement| statement.span.start);
    let (mut edits, place, change) = match (call, class) {
        (Some(call), _) => {
            let (imported, change) = in_call(source, body, call, &judged.target, used)?;
            (imported, imports_end(source, body, used)?, change)
        }
        (None, Some(class)) => {
            let imported = import(source, body, METADATA, used)?;
            let change = in_class(source, class, &imported.name)?;
            (imported.edits, imports_end(source, body, used)?, change)
        }
        (None, None) => {
            let change = on_library_metadata(judged, module)?;
            let place = change.span.start;
            (import_sqlmodel(source, body, place), place, change)
        }
    };
    let code = format!("\n{}", constant(&convention())).replace('\n', source.line_ending());
    let mut constant = Edit::insert(source, place, code);
    // Edits at one place are applied in this order: the import first, then the constant.
    if change.span == constant.span {
        constant.text += &change.text;
        edits.push(constant);
    } else {
        edits.extend([constant, change]);
    }
    let title = "give the metadata a naming convention";
    Some(Fix::new(title, Safety::Suggested, edits))
}

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

/// Why the written convention has no template for checks, as half a sentence.
pub(crate) fn why_no_checks(file: &MetadataFile<'_>) -> Option<String> {
    let leaves_out = |convention: &Convention| convention.template_for(ConstraintKind::Check).is_none();
    if file.configured_convention.is_some_and(leaves_out) {
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
    let statement = body.iter().find(|statement| statement.span.contains(at))?;
    match &statement.kind {
        StmtKind::Assign { value: Some(value), .. } | StmtKind::Expr(value) => call_in(value, at),
        StmtKind::Class(class) => find_call(&class.body, at),
        StmtKind::If(branches) => branches.iter().find_map(|(_, body)| find_call(body, at)),
        StmtKind::Try { body, .. } => find_call(body, at),
        _ => None,
    }
}

fn call_in(expr: &Expr, at: Span) -> Option<&Call> {
    match expr.as_call() {
        Some(call) if call.span == at => Some(call),
        _ => expr.children().into_iter().find_map(|child| call_in(child, at)),
    }
}

/// The convention as an argument of the call that makes the metadata, with the import it needs.
fn in_call(source: &SourceFile, body: &[Stmt], call: &Call, target: &Target, used: usize) -> Option<(Vec<Edit>, Edit)> {
    let keyword = keyword_of(call, target)?;
    let (argument, edits) = if keyword == "metadata" {
        let imported = import(source, body, METADATA, used)?;
        let argument = format!("metadata={}(naming_convention={CONSTANT})", imported.name);
        (argument, imported.edits)
    } else {
        (format!("{keyword}={CONSTANT}"), Vec::new())
    };
    Some((edits, with_argument(source, call, keyword, argument)?))
}

/// The keyword for the convention, or for a `MetaData` that has it.
///
/// A class of the project counts as the one that it derives from, which is known as the maker. `as_declarative` replaces a `metadata` in the
/// class body (`sqlalchemy/orm/decl_api.py`), so its call takes the argument.
fn keyword_of(call: &Call, target: &Target) -> Option<&'static str> {
    let name = call.callee.dotted()?;
    let maker = match target {
        Target::Metadata(facts) if facts.maker != "MetaData" => facts.maker.as_str(),
        _ => name.as_str(),
    };
    Some(match maker.rsplit('.').next()? {
        "declarative_base" | "automap_base" | "registry" | "as_declarative" | "SQLAlchemy" => "metadata",
        // `MetaData`, `Gino`, and what the project derives from them.
        _ => "naming_convention",
    })
}

/// `metadata = MetaData(...)` as the first statement of a declarative base.
fn in_class(source: &SourceFile, class: &Class, metadata: &str) -> Option<Edit> {
    let first = class.body.first()?;
    let line = source.line_span(first.span.start);
    let before = source.slice(Span::new(line.start, first.span.start));
    let ending = source.line_ending();
    let (lead, indent, start) = if before.trim().is_empty() {
        (String::new(), before.to_owned(), first.span.start)
    } else {
        // `class Base(DeclarativeBase): pass`: the body moves below the colon.
        let outer = indent_of(source, class.name_span.start);
        let inner = if source.text().contains("\n\t") { "\t" } else { "    " };
        let indent = format!("{outer}{inner}");
        (format!("{ending}{indent}"), indent, line.start + before.trim_end().len())
    };
    let assignment = format!("metadata = {metadata}(naming_convention={CONSTANT})");
    let code = source.slice(first.span);
    let is_empty = class.body.len() == 1 && matches!(code.trim(), "pass" | "...");
    let is_docstring = matches!(&first.kind, StmtKind::Expr(expr) if expr.as_str().is_some());
    let gap = format!("{ending}{ending}{indent}");
    let (end, text) = if is_empty {
        (first.span.end, assignment)
    } else if is_docstring {
        (first.span.end, format!("{code}{gap}{assignment}"))
    } else {
        (first.span.start, assignment + &gap)
    };
    Some(Edit::replace(source, Span::new(start, end), lead + &text))
}

/// The call with this argument.
fn with_argument(source: &SourceFile, call: &Call, keyword: &str, argument: String) -> Option<Edit> {
    if let Some(edit) = spread(source, call, keyword, &argument) {
        return Some(edit);
    }
    // `naming_convention={}` or `metadata=None` takes the new value.
    if let Some(given) = call.arguments.iter().find(|argument| argument.is_keyword(keyword)) {
        return Some(Edit::replace(source, given.span, argument));
    }
    let close = call.arguments_span.end.checked_sub(1)?;
    Some(match call.arguments.last() {
        Some(last) if has_own_line(source, last.span, call.arguments_span.end) => {
            let indent = indent_of(source, last.span.start);
            Edit::insert(source, last.span.end, format!(",{}{indent}{argument}", source.line_ending()))
        }
        Some(last) => further_argument(source, last.span.end, close, &argument),
        None => Edit::insert(source, close, argument),
    })
}

/// Whether the last argument of a call has a line of its own, with no more than a comma after it.
fn has_own_line(source: &SourceFile, last: Span, end: usize) -> bool {
    let line = source.line_span(last.start);
    let before = source.slice(Span::new(line.start, last.start));
    let rest = source.slice(Span::new(last.end, end));
    before.trim().is_empty()
        && rest.contains('\n')
        && rest.chars().all(|letter| ",) \t\r\n".contains(letter))
        && rest.matches(')').count() == 1
}

/// The blanks that a line begins with.
fn indent_of(source: &SourceFile, at: usize) -> &str {
    let line = source.slice(source.line_span(at));
    let code = line.trim_start_matches([' ', '\t']);
    line.get(..line.len() - code.len()).unwrap_or_default()
}

/// The arguments below the call, as black and ruff write them, where one line would be too long.
fn spread(source: &SourceFile, call: &Call, keyword: &str, argument: &str) -> Option<Edit> {
    let written = |given: &Argument| {
        if given.is_keyword(keyword) {
            argument
        } else {
            source.slice(given.span)
        }
    };
    let mut arguments: Vec<&str> = call.arguments.iter().map(written).collect();
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
    Some(Edit::replace(source, call.arguments_span, format!("({ending}{inner}{outer})")))
}

/// Imports SQLModel for a use that may be above the module's own import of it.
fn import_sqlmodel(source: &SourceFile, body: &[Stmt], place: usize) -> Vec<Edit> {
    let above = body.iter().take_while(|statement| statement.span.end <= place);
    let names = above.filter_map(|statement| match &statement.kind {
        StmtKind::ImportFrom {
            module,
            names,
            level: 0,
        } if module.as_deref() == Some("sqlmodel") => Some(names),
        _ => None,
    });
    let names: Vec<_> = names.collect();
    if names
        .iter()
        .any(|names| names.iter().any(|one| one.name == "SQLModel" && one.asname.is_none()))
    {
        return Vec::new();
    }
    let joined = import(source, body, SQLMODEL, place).filter(|one| !names.is_empty() && one.name == SQLMODEL.name);
    joined.map_or_else(
        || {
            let line = format!("from sqlmodel import SQLModel{}", source.line_ending());
            vec![Edit::insert(source, place, line)]
        },
        |imported| imported.edits,
    )
}

/// `SQLModel.metadata.naming_convention = ...` above the first statement that defines a table or imports one, since tables that exist already
/// stay without names. Nothing where a module that is imported earlier defines one.
fn on_library_metadata(judged: &Judged, module: &Module) -> Option<Edit> {
    let source = module.file();
    let Target::Metadata(facts) = &judged.target else {
        return None;
    };
    let Spelling::Assigned(_) = facts.spelling() else {
        return None;
    };
    let (at, gap) = match &facts.first_statement {
        Some(place) if place.file.path() != source.path() => return None,
        Some(place) => (source.line_span(place.span.start).start, "\n"),
        None => (imports_end(source, module.body(), source.text().len())?, ""),
    };
    let assigned = facts.spelling().around(CONSTANT);
    let code = format!("{assigned}\n{gap}").replace('\n', source.line_ending());
    Some(Edit::insert(source, at, code))
}

/// Where a dict display or a `dict(...)` call first writes each of its keys.
pub(crate) fn key_spans(body: &[Stmt], dict: Span) -> HashMap<Key, Span> {
    let mut found = HashMap::new();
    for statement in body {
        each_expr(statement, &mut |expr| {
            for (key, span) in keys(expr).into_iter().filter(|_| expr.span == dict) {
                found.entry(key).or_insert(span);
            }
        });
    }
    found
}

fn keys(dict: &Expr) -> Vec<(Key, Span)> {
    match &dict.kind {
        ExprKind::Dict(items) => {
            let keys = items.iter().filter_map(|item| item.key.as_ref());
            keys.filter_map(|key| Some((key_of(key)?, key.span))).collect()
        }
        ExprKind::Call(call) => {
            let keyword = |argument: &Argument| match &argument.kind {
                ArgumentKind::Keyword(name) => Some((Key::Text(name.to_string()), argument.span)),
                _ => None,
            };
            call.arguments.iter().filter_map(keyword).collect()
        }
        _ => Vec::new(),
    }
}

fn key_of(expr: &Expr) -> Option<Key> {
    if let Some(text) = expr.as_str() {
        return Some(Key::Text(text.to_owned()));
    }
    let dotted = expr.dotted()?;
    Some(Key::Class(dotted.rsplit('.').next()?.to_owned()))
}

fn each_expr(statement: &Stmt, visit: &mut impl FnMut(&Expr)) {
    let (exprs, blocks) = statement.parts();
    for expr in exprs {
        walk(expr, visit);
    }
    for inner in blocks.into_iter().flatten() {
        each_expr(inner, visit);
    }
}

fn walk(expr: &Expr, visit: &mut impl FnMut(&Expr)) {
    visit(expr);
    expr.children().into_iter().for_each(|child| walk(child, visit));
}
