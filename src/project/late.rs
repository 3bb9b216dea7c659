//! Whether tables are defined before their convention is assigned, which then doesn't name them, or are reflected from a database.

use std::collections::HashSet;
use std::rc::Rc;

use crate::libraries::kinds;
use crate::libraries::sqlalchemy::assigned_in_body;
use crate::python::scopes::Binding;
use crate::python::values::{Chain, Class, Location, Made, ModuleName, Reader, Value};
use crate::python::{Argument, Call, ExprKind, Module, Stmt, StmtKind};
use crate::source::{RepoPath, Span};

use super::Place;

/// How many imported modules are searched for a table.
const MAX_MODULES: usize = 40;

/// A table that is defined before a convention is assigned.
#[derive(Debug, Clone)]
pub struct Early {
    /// The table.
    pub table: Place,
    /// The statement that defines it, or the first import that leads to it. A convention must be assigned above it.
    pub statement: Place,
}

/// The first table of a metadata that is defined before the place where its convention is assigned (`sqlalchemy/sql/naming.py`: a constraint gets
/// its name when it is attached to its table).
pub(super) fn first_table<'m>(reader: &mut Reader<'m>, metadata: &Rc<Made<'m>>, set: &Place) -> Option<Early> {
    // Alembic runs `env.py` first. What else imports the module of the assignment is unknown.
    let env_py = reader.asked().first().copied();
    let env_py = env_py.filter(|module| module.file().path().file_name() == b"env.py");
    let own = reader.module_at(set.file.path());
    for module in env_py.into_iter().chain(own) {
        let mut run = Run::new(reader, metadata, Some(set));
        run.module(module);
        if run.is_reached {
            return run.first;
        }
    }
    None
}

/// The statement that first defines a table of a metadata: in `env.py`, or in the module that says which metadata it is, if that runs before.
/// With too much to search, the first import of another module of the project.
pub(super) fn first_statement<'m>(
    reader: &mut Reader<'m>,
    metadata: &Rc<Made<'m>>,
    env_py: &'m Module,
    stated: &Place,
) -> Option<Place> {
    let module = reader.module_at(stated.file.path())?;
    if env_py.file().path() != stated.file.path() {
        let start = Place {
            file: stated.file.clone(),
            span: Span::default(),
        };
        let mut run = Run::new(reader, metadata, Some(&start));
        run.module(env_py);
        if let Some(early) = run.first {
            return Some(early.statement);
        }
    }
    let mut run = Run::new(reader, metadata, None);
    run.module(module);
    let is_cut_short = run.seen.len() >= MAX_MODULES;
    match run.first {
        Some(early) => Some(early.statement),
        None if is_cut_short => first_import(reader, module),
        None => None,
    }
}

fn first_import<'m>(reader: &mut Reader<'m>, module: &'m Module) -> Option<Place> {
    let chain = reader.module(module);
    let statement = module.body().iter().find(|statement| {
        let names = imported_by(statement, &chain);
        names.iter().any(|name| matches!(reader.find(name), Location::File(_)))
    })?;
    Some(Place::new(module, statement.span))
}

/// Visits modules as Python runs them: each once, at its first import, after the packages around it.
struct Run<'r, 'm> {
    reader: &'r mut Reader<'m>,
    metadata: &'r Rc<Made<'m>>,
    /// Where to stop; without it, at the first table.
    until: Option<&'r Place>,
    seen: Vec<RepoPath>,
    first: Option<Early>,
    is_reached: bool,
}

impl<'r, 'm> Run<'r, 'm> {
    fn new(reader: &'r mut Reader<'m>, metadata: &'r Rc<Made<'m>>, until: Option<&'r Place>) -> Self {
        Self {
            reader,
            metadata,
            until,
            seen: Vec::new(),
            first: None,
            is_reached: false,
        }
    }

    fn module(&mut self, module: &'m Module) {
        let path = module.file().path();
        if self.seen.len() >= MAX_MODULES || self.seen.contains(path) {
            return;
        }
        self.seen.push(path.clone());
        let chain = self.reader.module(module);
        self.statements(module.body(), module, &chain);
    }

    fn statements(&mut self, body: &'m [Stmt], module: &'m Module, chain: &Chain<'m>) {
        for statement in body {
            let had_table = self.first.is_some();
            match &statement.kind {
                StmtKind::Try { body, .. } => self.statements(body, module, chain),
                _ if self.is_end(module, statement) => self.is_reached = true,
                StmtKind::Import(_) | StmtKind::ImportFrom { .. } => self.imports(statement, chain),
                _ if !had_table => self.first = self.table(statement, module, chain),
                _ => {}
            }
            if !had_table && let Some(first) = &mut self.first {
                first.statement = Place::new(module, statement.span);
            }
            if self.is_reached || (self.until.is_none() && self.first.is_some()) {
                return;
            }
        }
    }

    fn is_end(&self, module: &Module, statement: &Stmt) -> bool {
        self.until
            .is_some_and(|until| until.file.path() == module.file().path() && until.span.start < statement.span.end)
    }

    fn imports(&mut self, statement: &'m Stmt, chain: &Chain<'m>) {
        for name in imported_by(statement, chain) {
            if let Location::File(path) = self.reader.find(&name)
                && let Some(module) = self.reader.module_at(&path)
            {
                self.module(module);
            }
            if self.is_reached {
                return;
            }
        }
    }

    fn table(&mut self, statement: &'m Stmt, module: &'m Module, chain: &Chain<'m>) -> Option<Early> {
        let table = defined_by(self.reader, self.metadata, statement, module, chain)?;
        let statement = Place::new(module, statement.span);
        Some(Early { table, statement })
    }
}

/// The modules that an import runs, in order, with the packages around each.
fn imported_by(statement: &Stmt, chain: &Chain<'_>) -> Vec<ModuleName> {
    match &statement.kind {
        StmtKind::Import(aliases) => {
            let names = aliases.iter().map(|alias| ModuleName::absolute(alias.name.as_str()));
            names.flat_map(|name| with_packages(&name)).collect()
        }
        StmtKind::ImportFrom { module, names, level } => {
            let Some(from) = chain.imported_from(module.as_deref().unwrap_or_default(), *level) else {
                return Vec::new();
            };
            let inner = names.iter().map(|alias| from.join(&alias.name));
            with_packages(&from).into_iter().chain(inner).collect()
        }
        _ => Vec::new(),
    }
}

/// `a`, `a.b` and `a.b.c`
fn with_packages(name: &ModuleName) -> Vec<ModuleName> {
    let dots = name.dotted.match_indices('.').map(|(at, _)| at);
    let ends = dots.chain(std::iter::once(name.dotted.len()));
    let part = |end| ModuleName {
        folder: name.folder.clone(),
        dotted: name.dotted.get(..end).unwrap_or_default().to_owned(),
    };
    ends.map(part).collect()
}

/// The table of the metadata that a statement defines.
fn defined_by<'m>(
    reader: &mut Reader<'m>,
    metadata: &Rc<Made<'m>>,
    statement: &'m Stmt,
    module: &'m Module,
    chain: &Chain<'m>,
) -> Option<Place> {
    match &statement.kind {
        StmtKind::Class(tree) => {
            let class = Class::new(tree, chain);
            let is_table = defines_table(reader, &class) && is_of(reader.class_attribute(&class, "metadata"), metadata);
            is_table.then(|| class.place.clone())
        }
        StmtKind::Assign { value: Some(value), .. } | StmtKind::Expr(value) => {
            let call = value.as_call_of("Table")?;
            if let Value::Made(table) = reader.value(value, chain)
                && table.kind == kinds::TABLE
                && !is_reflected_table(&call.arguments)
                && is_of(table.arguments.get(Some(1), "metadata").cloned(), metadata)
            {
                return Some(Place::new(module, call.span));
            }
            None
        }
        _ => None,
    }
}

/// Whether a value is this metadata.
pub(super) fn is_of<'m>(found: Option<Value<'m>>, metadata: &Rc<Made<'m>>) -> bool {
    found.is_some_and(|found| found.same(&Value::Made(metadata.clone())))
}

fn defines_table<'m>(reader: &mut Reader<'m>, class: &Rc<Class<'m>>) -> bool {
    let assigns = |name| assigned_in_body(class, name).is_some();
    if assigns("__abstract__") {
        return false;
    }
    let is_table = reader.class_keyword(class, "table").and_then(|value| value.truth()) == Some(true);
    assigns("__tablename__") || assigns("__table__") || is_table || is_named_by_base(reader, class)
}

/// Whether a model's table is named by its bases: by their `__tablename__`, or by Flask-SQLAlchemy after the class
/// (`flask_sqlalchemy/model.py`, `should_set_tablename`: with a primary key of its own).
fn is_named_by_base<'m>(reader: &mut Reader<'m>, class: &Rc<Class<'m>>) -> bool {
    // Most classes are no models, and their bases need not be read.
    if !has_columns(class) {
        return false;
    }
    let (mut is_model, mut has_name, mut is_flask) = (false, false, false);
    for base in reader.bases(class) {
        match base {
            Value::Class(base) => {
                is_model |= reader.class_attribute(&base, "metadata").is_some();
                has_name |= reader.class_attribute(&base, "__tablename__").is_some();
            }
            Value::Made(base) => is_flask |= base.kind == kinds::BASE && &*base.maker == "Model",
            _ => {}
        }
    }
    (is_model && has_name) || (is_flask && has_primary_key(class))
}

fn has_columns(class: &Class<'_>) -> bool {
    assigns_call(class, |call| matches!(call.name(), Some("Column" | "mapped_column")))
}

fn has_primary_key(class: &Class<'_>) -> bool {
    assigns_call(class, |call| call.keyword("primary_key").is_some())
}

fn assigns_call(class: &Class<'_>, is_wanted: fn(&Call) -> bool) -> bool {
    let mut calls = class.tree.body.iter().filter_map(|one| one.assignment()?.1.as_call());
    calls.any(is_wanted)
}

/// Whether a `Table` is reflected from a database.
fn is_reflected_table(arguments: &[Argument]) -> bool {
    let mut arguments = arguments.iter();
    arguments.any(|argument| argument.is_keyword("autoload") || argument.is_keyword("autoload_with"))
}

/// Whether all tables of a metadata are reflected from a database, with their names.
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
    if !reflects_tables(reader, metadata, module) {
        return false;
    }
    let chain = reader.module(module);
    let mut statements = module.body().iter();
    !statements.any(|statement| defined_by(reader, metadata, statement, module, &chain).is_some())
}

fn reflects_tables<'m>(reader: &mut Reader<'m>, metadata: &Rc<Made<'m>>, module: &'m Module) -> bool {
    let index = reader.index(module);
    for (within, call) in index.calls("reflect") {
        let chain = reader.within(module, within);
        if let ExprKind::Attribute { value, .. } = &call.callee.kind {
            let object = reader.value(value, &chain);
            if is_of(Some(object), metadata) {
                return true;
            }
        }
    }
    for (within, call) in index.calls("Table") {
        let chain = reader.within(module, within);
        if let Ok(Some(argument)) = call.argument(Some(1), "metadata")
            && is_reflected_table(&call.arguments)
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
                if let Some(module) = chain.imported_from(module, *level) {
                    names.push((site.from, module.join(name)));
                    names.push((site.from, module));
                }
            }
            _ => {}
        }
    }
    dotted_imports(module.body(), &mut names);
    names.sort_by(|one, other| (one.0, &one.1.dotted).cmp(&(other.0, &other.1.dotted)));
    let mut seen = HashSet::new();
    let found = names.iter().filter_map(|(_, name)| match reader.find(name) {
        Location::File(path) => Some(path),
        _ => None,
    });
    found.filter(|path| seen.insert(path.clone())).collect()
}

/// `import a.b` binds `a`, and runs `a.b` as well.
fn dotted_imports(body: &[Stmt], names: &mut Vec<(usize, ModuleName)>) {
    for statement in body {
        match &statement.kind {
            StmtKind::Import(aliases) => {
                let dotted = aliases.iter().filter(|alias| alias.name.contains('.'));
                names.extend(dotted.map(|alias| (statement.span.start, ModuleName::absolute(alias.name.as_str()))));
            }
            StmtKind::Function(_) | StmtKind::Class(_) => {}
            _ => {
                let (_, blocks) = statement.parts();
                for block in blocks {
                    dotted_imports(block, names);
                }
            }
        }
    }
}
