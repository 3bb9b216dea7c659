//! Whether tables are defined before a convention is assigned, which names only those defined after it, or are read from a database.

use std::collections::HashSet;
use std::rc::Rc;

use crate::libraries::kinds;
use crate::python::scopes::Binding;
use crate::python::values::{Class, Found, Made, ModuleName, Reader, Value};
use crate::python::{Argument, Module, Stmt, StmtKind};

use crate::source::RepoPath;

use super::Place;

/// How many imported modules are looked through for a table.
const MAX_MODULES: usize = 40;

/// The first table of a metadata that is defined before the place where its convention is assigned (`sqlalchemy/sql/naming.py`: a constraint gets
/// its name when it is attached to its table).
pub(super) fn first_table<'m>(reader: &mut Reader<'m>, metadata: &Rc<Made<'m>>, set: &Place) -> Option<Place> {
    let module = reader.module_at(set.file.path())?;
    let mut open = Vec::new();
    let mut seen = Vec::new();
    if let Some(place) = in_module(reader, metadata, module, set.span.start, &mut open) {
        return Some(place);
    }
    while let Some(name) = open.pop() {
        let Found::File(path) = reader.find(&name) else {
            continue;
        };
        if seen.contains(&path) || seen.len() >= MAX_MODULES {
            continue;
        }
        seen.push(path.clone());
        let Some(module) = reader.module_at(&path) else {
            continue;
        };
        if let Some(place) = in_module(reader, metadata, module, usize::MAX, &mut open) {
            return Some(place);
        }
    }
    None
}

/// A table above a byte of a module; `imports` gets the modules that are imported above it.
fn in_module<'m>(
    reader: &mut Reader<'m>,
    metadata: &Rc<Made<'m>>,
    module: &'m Module,
    until: usize,
    imports: &mut Vec<ModuleName>,
) -> Option<Place> {
    let chain = reader.module(module);
    for statement in module.body().iter().take_while(|statement| statement.span.end <= until) {
        match &statement.kind {
            StmtKind::Class(tree) => {
                let class = reader.class(tree, &chain);
                if defines_table(reader, &class) && is_of(reader.class_attribute(&class, "metadata"), metadata) {
                    return Some(class.place.clone());
                }
            }
            StmtKind::Assign { value: Some(value), .. } | StmtKind::Expr(value) => {
                let Some(call) = value.as_call_of("Table") else {
                    continue;
                };
                if let Value::Made(table) = reader.value(value, &chain)
                    && table.kind == kinds::TABLE
                    && !is_read(&call.arguments)
                    && is_of(table.arguments.get(Some(1), "metadata").cloned(), metadata)
                {
                    return Some(Place {
                        file: module.file().clone(),
                        span: call.span,
                    });
                }
            }
            StmtKind::ImportFrom {
                module: name,
                names,
                level,
            } => {
                let name = reader.imported_from(name.as_deref().unwrap_or_default(), *level, &chain);
                if let Some(name) = name {
                    imports.extend(names.iter().map(|alias| name.join(&alias.name)));
                    imports.push(name);
                }
            }
            StmtKind::Import(aliases) => {
                imports.extend(aliases.iter().map(|alias| ModuleName::absolute(alias.name.as_str())));
            }
            _ => {}
        }
    }
    None
}

fn is_of<'m>(found: Option<Value<'m>>, metadata: &Rc<Made<'m>>) -> bool {
    found.is_some_and(|found| found.same(&Value::Made(metadata.clone())))
}

fn defines_table<'m>(reader: &mut Reader<'m>, class: &Rc<Class<'m>>) -> bool {
    let assigns = |name: &str| {
        class.tree.body.iter().any(|statement: &Stmt| match &statement.kind {
            StmtKind::Assign { targets, .. } => targets.iter().any(|target| target.as_name() == Some(name)),
            _ => false,
        })
    };
    let is_table = reader.class_keyword(class, "table").and_then(|value| value.truth()) == Some(true);
    (assigns("__tablename__") || assigns("__table__") || is_table) && !assigns("__abstract__")
}

/// Whether a `Table` is read from a database.
fn is_read(arguments: &[Argument]) -> bool {
    let mut arguments = arguments.iter();
    arguments.any(|argument| argument.is_keyword("autoload") || argument.is_keyword("autoload_with"))
}

/// Whether all tables of a metadata come from a database, names included.
pub(super) fn is_reflected<'m>(reader: &mut Reader<'m>, metadata: &Rc<Made<'m>>) -> bool {
    if &*metadata.maker == "automap_base" {
        return true;
    }
    let Some(place) = &metadata.place else { return false };
    let text = place.file.text();
    if !text.contains("reflect") && !text.contains("autoload") {
        return false;
    }
    let Some(module) = reader.module_at(place.file.path()) else {
        return false;
    };
    reads_tables(reader, metadata, module) && in_module(reader, metadata, module, usize::MAX, &mut Vec::new()).is_none()
}

fn reads_tables<'m>(reader: &mut Reader<'m>, metadata: &Rc<Made<'m>>, module: &'m Module) -> bool {
    let doings = reader.doings(module);
    for (within, call) in doings.calls("reflect") {
        let chain = reader.within(module, within);
        if let crate::python::ExprKind::Attribute { value, .. } = &call.callee.kind {
            let object = reader.value(value, &chain);
            if is_of(Some(object), metadata) {
                return true;
            }
        }
    }
    for (within, call) in doings.calls("Table") {
        let chain = reader.within(module, within);
        if let Ok(Some(argument)) = call.argument(Some(1), "metadata")
            && is_read(&call.arguments)
        {
            let given = reader.value(&argument.value, &chain);
            if is_of(Some(given), metadata) {
                return true;
            }
        }
    }
    false
}

/// The files of the project that a module imports at its top.
pub(super) fn imported<'m>(reader: &mut Reader<'m>, module: &'m Module) -> Vec<RepoPath> {
    let chain = reader.module(module);
    let scope = chain.scope.clone();
    let sites = scope.names().flat_map(|(_, known)| &known.sites).chain(&scope.stars);
    let mut names: Vec<(usize, ModuleName)> = Vec::new();
    for site in sites {
        match &site.binding {
            Binding::Import(dotted) => names.push((site.from, ModuleName::absolute(*dotted))),
            Binding::ImportFrom {
                module, level, name, ..
            } => {
                if let Some(module) = reader.imported_from(module, *level, &chain) {
                    names.push((site.from, module.join(name)));
                    names.push((site.from, module));
                }
            }
            _ => {}
        }
    }
    names.sort_by(|one, other| (one.0, &one.1.dotted).cmp(&(other.0, &other.1.dotted)));
    let mut seen = HashSet::new();
    let found = names.iter().filter_map(|(_, name)| match reader.find(name) {
        Found::File(path) => Some(path),
        _ => None,
    });
    found.filter(|path| seen.insert(path.clone())).collect()
}
