//! Follows Python's statements far enough to know which metadata a name is, and what its naming convention holds.
//!
//! Nothing is run. Each module is read once, from top to bottom, when a name of it is needed; what depends on the environment, on an
//! argument or on a library becomes [`Value::Unknown`] with the reason.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use crate::git::Snapshot;
use crate::memo::Memo;
use crate::python::{
    Argument, ArgumentKind, Call, Class as ClassTree, DictItem, Expr, ExprKind, FStringPart, Function, Module,
    Operator, ParameterKind, Stmt, StmtKind,
};
use crate::source::{RepoPath, SourceFile, Span};

use super::imports::{Found, Imports, relative_folder};
use super::library::library_item;
use super::value::{Arguments, Class, Closure, Dict, Instance, ModuleName, Place, Scope, Setting, Value};

/// More than any real project needs; ends endless recursion.
const MAX_DEPTH: usize = 300;
/// Bounds the time that a strange module can cost.
const MAX_STEPS: usize = 400_000;
/// A loop over a longer list is not followed item by item.
const MAX_ROUNDS: usize = 64;

/// Reads modules and remembers what their names are worth.
pub(super) struct Evaluator<'s> {
    pub(super) imports: Imports<'s>,
    modules: Memo<Scope>,
    /// The classes of libraries that the project may change, such as `SQLModel`.
    pub(super) library_classes: Vec<Rc<Class>>,
    /// The folder that holds the migrations' folder, where a Flask application is looked for.
    pub(super) home: RepoPath,
    /// The database of the Flask application, once asked for.
    pub(super) flask_database: Option<Value>,
    depth: usize,
    steps: usize,
}

/// Where a statement runs.
pub(super) struct Frame {
    pub(super) file: SourceFile,
    scopes: Vec<Scope>,
    /// Whether the innermost scope is a class body, which functions inside it do not see.
    in_class: bool,
    /// The object and the class of the method that runs, for `super()`.
    receiver: Option<(Value, Rc<Class>)>,
    /// What the function may have returned so far, in branches that may or may not be taken.
    returns: Vec<Value>,
}

/// Whether the statements after this one are reached.
enum Flow {
    On,
    Return(Value),
}

impl Frame {
    /// A frame at the end of a module, where its names have their last values.
    pub(super) fn of_module(file: SourceFile, scope: Scope) -> Self {
        Self {
            file,
            scopes: vec![scope],
            in_class: false,
            receiver: None,
            returns: Vec::new(),
        }
    }

    pub(super) fn place(&self, span: Span) -> Place {
        Place {
            file: self.file.clone(),
            span,
        }
    }

    fn innermost(&self) -> Scope {
        self.scopes.last().cloned().unwrap_or_default()
    }

    fn bind(&self, name: &str, value: Value) {
        self.innermost().borrow_mut().insert(name.to_owned(), value);
    }

    fn lookup(&self, name: &str) -> Option<Value> {
        self.scopes
            .iter()
            .rev()
            .find_map(|scope| scope.borrow().get(name).cloned())
    }
}

impl<'s> Evaluator<'s> {
    pub(super) fn new(snapshot: &'s dyn Snapshot, roots: Vec<RepoPath>, home: RepoPath) -> Self {
        Self {
            imports: Imports::new(snapshot, roots),
            modules: Memo::default(),
            library_classes: Vec::new(),
            home,
            flask_database: None,
            depth: 0,
            steps: 0,
        }
    }

    /// The names of a module, after all of its statements.
    pub(super) fn run(&mut self, file: &SourceFile) -> Scope {
        if let Some(known) = self.modules.get(file.path()) {
            return known;
        }
        let scope = Scope::default();
        self.modules.keep(file.path().clone(), scope.clone());
        let module = Module::parse(file.clone());
        let mut frame = Frame::of_module(file.clone(), scope.clone());
        self.block(module.body(), &mut frame);
        scope
    }

    fn block(&mut self, body: &[Stmt], frame: &mut Frame) -> Flow {
        for statement in body {
            if let Flow::Return(value) = self.statement(statement, frame) {
                return Flow::Return(value);
            }
        }
        Flow::On
    }

    fn statement(&mut self, statement: &Stmt, frame: &mut Frame) -> Flow {
        match &statement.kind {
            StmtKind::Assign {
                targets,
                value: Some(value),
                ..
            } => {
                let worth = self.eval(value, frame);
                for target in targets {
                    self.assign(target, &worth, frame);
                }
            }
            StmtKind::AugmentedAssign {
                target,
                operator,
                value,
            } => self.augment(target, *operator, value, frame),
            StmtKind::Expr(expr) => {
                self.eval(expr, frame);
            }
            StmtKind::Function(function) => {
                let closure = self.closure(function, frame);
                frame.bind(&function.name, closure);
            }
            StmtKind::Class(class) => {
                let value = self.class(class, frame);
                frame.bind(&class.name, value);
            }
            StmtKind::Import(aliases) => {
                for alias in aliases {
                    let (bound, dotted) = if let Some(bound) = &alias.alias {
                        (bound.as_str(), alias.name.as_str())
                    } else {
                        let first = alias.name.split('.').next().unwrap_or_default();
                        (first, first)
                    };
                    let module = self.module(ModuleName::absolute(dotted));
                    frame.bind(bound, module);
                }
            }
            StmtKind::ImportFrom { module, names, level } => {
                self.import_from(module.as_deref(), names, *level, frame);
            }
            StmtKind::Return(value) => {
                let worth = value.as_ref().map_or(Value::None, |value| self.eval(value, frame));
                return Flow::Return(worth);
            }
            _ => return self.compound(statement, frame),
        }
        Flow::On
    }

    fn compound(&mut self, statement: &Stmt, frame: &mut Frame) -> Flow {
        match &statement.kind {
            StmtKind::If(branches) => self.branches(branches, frame),
            StmtKind::For {
                target,
                iterable,
                bodies: [rounds, otherwise],
            } => {
                let items = self.eval(iterable, frame);
                let items = match &items {
                    Value::List(items) if items.borrow().len() <= MAX_ROUNDS => items.borrow().clone(),
                    _ => vec![Value::unknown("it is bound in a loop")],
                };
                for item in items {
                    self.assign(target, &item, frame);
                    self.maybe(rounds, frame);
                }
                self.block(otherwise, frame)
            }
            StmtKind::While {
                test,
                bodies: [rounds, otherwise],
            } => {
                self.eval(test, frame);
                self.maybe(rounds, frame);
                self.block(otherwise, frame)
            }
            StmtKind::With { items, body } => {
                for item in items {
                    let value = self.eval(&item.value, frame);
                    if let Some(target) = &item.target {
                        let entered = match value {
                            Value::Unknown(_) => value,
                            _ => Value::unknown("it is what a `with` block gives"),
                        };
                        self.assign(target, &entered, frame);
                    }
                }
                self.block(body, frame)
            }
            // What is tried is what usually happens; the handlers are for another installation.
            StmtKind::Try {
                body,
                otherwise,
                finally,
                ..
            } => {
                for part in [body, otherwise, finally] {
                    if let Flow::Return(value) = self.block(part, frame) {
                        return Flow::Return(value);
                    }
                }
                Flow::On
            }
            StmtKind::Match { subject, cases } => {
                self.eval(subject, frame);
                for case in cases {
                    self.maybe(&case.body, frame);
                }
                Flow::On
            }
            _ => Flow::On,
        }
    }

    /// A body that may run or not: each name it changes may then be either.
    fn maybe(&mut self, body: &[Stmt], frame: &mut Frame) {
        let before = frame.innermost().borrow().clone();
        if let Flow::Return(value) = self.block(body, frame) {
            frame.returns.push(value);
        }
        merge(&frame.innermost(), before);
    }

    fn branches(&mut self, branches: &[(Option<Expr>, Vec<Stmt>)], frame: &mut Frame) -> Flow {
        let scope = frame.innermost();
        let before = scope.borrow().clone();
        let mut outcomes = Vec::new();
        let mut returned = Vec::new();
        let mut complete = false;
        for (test, body) in branches {
            let truth = match test {
                Some(test) => self.test(test, frame),
                None => Some(true),
            };
            if truth == Some(false) {
                continue;
            }
            match self.block(body, frame) {
                Flow::On => outcomes.push(scope.borrow().clone()),
                Flow::Return(value) => returned.push(value),
            }
            scope.borrow_mut().clone_from(&before);
            if truth == Some(true) {
                complete = true;
                break;
            }
        }
        if !complete {
            outcomes.push(before);
        }
        let mut outcomes = outcomes.into_iter();
        let Some(first) = outcomes.next() else {
            return Flow::Return(Value::either(returned));
        };
        scope.borrow_mut().clone_from(&first);
        for outcome in outcomes {
            merge(&scope, outcome);
        }
        frame.returns.append(&mut returned);
        Flow::On
    }

    fn test(&mut self, test: &Expr, frame: &mut Frame) -> Option<bool> {
        match &test.kind {
            ExprKind::Not(inner) => self.test(inner, frame).map(|truth| !truth),
            ExprKind::Name(name) if name == "TYPE_CHECKING" => Some(false),
            ExprKind::Attribute { name, .. } if name == "TYPE_CHECKING" => Some(false),
            // A module that is imported is not the program that runs.
            ExprKind::Other(parts) if is_main_program(parts) => Some(false),
            _ => self.eval(test, frame).truth(),
        }
    }

    fn import_from(&mut self, module: Option<&str>, names: &[crate::python::Alias], level: u32, frame: &Frame) {
        let dotted = module.unwrap_or_default();
        let name = if level == 0 {
            ModuleName::absolute(dotted)
        } else {
            match relative_folder(frame.file.path(), level) {
                Some(folder) => ModuleName {
                    folder: Some(folder),
                    dotted: dotted.to_owned(),
                },
                None => return,
            }
        };
        for alias in names {
            if alias.name == "*" {
                self.import_all(&name, frame);
            } else {
                let value = self.module_attribute(&name, &alias.name);
                frame.bind(alias.alias.as_deref().unwrap_or(&alias.name), value);
            }
        }
    }

    fn import_all(&mut self, name: &ModuleName, frame: &Frame) {
        let Found::File(file) = self.imports.find(name) else {
            return;
        };
        let scope = self.run(&file);
        let exported = match scope.borrow().get("__all__") {
            Some(Value::List(names)) => Some(
                names
                    .borrow()
                    .iter()
                    .filter_map(|name| name.as_text().map(str::to_owned))
                    .collect::<Vec<_>>(),
            ),
            _ => None,
        };
        let names: Vec<(String, Value)> = scope
            .borrow()
            .iter()
            .filter(|(name, _)| {
                exported
                    .as_ref()
                    .map_or(!name.starts_with('_'), |exported| exported.contains(name))
            })
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        for (name, value) in names {
            frame.bind(&name, value);
        }
    }

    fn module(&mut self, name: ModuleName) -> Value {
        match self.imports.find(&name) {
            Found::External => Value::External(name.dotted.into()),
            Found::File(_) | Found::Folder | Found::Missing => Value::Module(Rc::new(name)),
        }
    }

    /// `module.name`, where the module may be of this project or of a library.
    pub(super) fn module_attribute(&mut self, module: &ModuleName, name: &str) -> Value {
        match self.imports.find(module) {
            Found::External => self.external(&format!("{}.{name}", module.dotted)),
            Found::File(file) => {
                let scope = self.run(&file);
                let value = scope.borrow().get(name).cloned();
                value.unwrap_or_else(|| self.submodule(module, name))
            }
            Found::Folder | Found::Missing => self.submodule(module, name),
        }
    }

    fn submodule(&mut self, module: &ModuleName, name: &str) -> Value {
        let inner = module.join(name);
        match self.imports.find(&inner) {
            Found::File(_) | Found::Folder => Value::Module(Rc::new(inner)),
            Found::External | Found::Missing => {
                let shown = if module.dotted.is_empty() {
                    "the package"
                } else {
                    &module.dotted
                };
                Value::unknown(format!("`{name}` was not found in `{shown}`"))
            }
        }
    }

    fn closure(&mut self, function: &std::sync::Arc<Function>, frame: &mut Frame) -> Value {
        for decorator in &function.decorators {
            self.eval(decorator, frame);
        }
        let visible = frame.scopes.len() - usize::from(frame.in_class);
        Value::Function(Rc::new(Closure {
            function: function.clone(),
            module: frame.file.path().clone(),
            scopes: frame.scopes[..visible].to_vec(),
            class: RefCell::new(None),
        }))
    }

    fn class(&mut self, tree: &ClassTree, frame: &mut Frame) -> Value {
        let arguments = self.arguments(&tree.arguments, frame);
        let body = Scope::default();
        frame.scopes.push(body.clone());
        let in_class = std::mem::replace(&mut frame.in_class, true);
        self.block(&tree.body, frame);
        frame.in_class = in_class;
        frame.scopes.pop();
        let class = Rc::new(Class {
            name: tree.name.as_str().into(),
            place: Some(frame.place(tree.name_span)),
            bases: arguments.positional,
            keywords: arguments.named,
            attributes: RefCell::new(body.take()),
            own_metadata: RefCell::new(None),
        });
        for value in class.attributes.borrow().values() {
            if let Value::Function(closure) = value {
                closure.class.borrow_mut().get_or_insert_with(|| class.clone());
            }
        }
        self.note_ineffective(tree, &class, frame);
        self.note_table(&class);
        let mut value = Value::Class(class);
        for decorator in tree.decorators.iter().rev() {
            let decorator_value = self.eval(decorator, frame);
            value = self.decorate(&decorator_value, value, &frame.place(decorator.span));
        }
        value
    }

    fn assign(&mut self, target: &Expr, value: &Value, frame: &mut Frame) {
        match &target.kind {
            ExprKind::Name(name) => frame.bind(name, value.clone()),
            ExprKind::Attribute {
                value: object, name, ..
            } => {
                let object = self.eval(object, frame);
                let place = frame.place(target.span);
                self.set_attribute(&object, name, value.clone(), &place);
            }
            ExprKind::Subscript { value: object, index } => {
                let object = self.eval(object, frame);
                let index = self.eval(index, frame);
                if let Value::Dict(dict) = object {
                    dict.borrow_mut().set(index, value.clone());
                }
            }
            ExprKind::Tuple(parts) | ExprKind::List(parts) => {
                let items = match value {
                    Value::List(items) if items.borrow().len() == parts.len() => items.borrow().clone(),
                    _ => vec![Value::unknown("it is taken out of something computed"); parts.len()],
                };
                for (part, item) in parts.iter().zip(&items) {
                    self.assign(part, item, frame);
                }
            }
            ExprKind::Starred(inner) => {
                self.assign(inner, &Value::unknown("it is taken out of something computed"), frame);
            }
            _ => {}
        }
    }

    fn augment(&mut self, target: &Expr, operator: Operator, value: &Expr, frame: &mut Frame) {
        let old = self.eval(target, frame);
        let right = self.eval(value, frame);
        let new = match (&old, operator) {
            (Value::Dict(dict), Operator::Or) => {
                dict.borrow_mut().update(&right);
                old.clone()
            }
            (Value::List(items), Operator::Add) => {
                if let Value::List(more) = &right {
                    let more = more.borrow().clone();
                    items.borrow_mut().extend(more);
                }
                old.clone()
            }
            _ => binary(&old, operator, &right),
        };
        self.assign(target, &new, frame);
    }

    /// The value of an expression.
    pub(super) fn eval(&mut self, expr: &Expr, frame: &mut Frame) -> Value {
        self.steps += 1;
        if self.depth >= MAX_DEPTH || self.steps >= MAX_STEPS {
            return Value::unknown("there is too much code to follow");
        }
        self.depth += 1;
        let value = self.eval_kind(expr, frame);
        self.depth -= 1;
        value
    }

    fn eval_kind(&mut self, expr: &Expr, frame: &mut Frame) -> Value {
        match &expr.kind {
            ExprKind::None => Value::None,
            ExprKind::Bool(value) => Value::Bool(*value),
            ExprKind::Integer(value) => Value::Integer(*value),
            ExprKind::String(text) => Value::text(text.as_str()),
            ExprKind::FString(parts) => self.f_string(parts, frame),
            ExprKind::Name(name) => name_value(name, frame),
            ExprKind::Attribute { value, name, .. } => {
                let object = self.eval(value, frame);
                self.attribute(&object, name)
            }
            ExprKind::Call(call) => self.eval_call(call, frame),
            ExprKind::List(items) | ExprKind::Tuple(items) => {
                let items = items.iter().map(|item| self.eval(item, frame)).collect();
                Value::list(items)
            }
            ExprKind::Dict(items) => self.dict(items, frame.place(expr.span), frame),
            ExprKind::Subscript { value, index } => {
                let object = self.eval(value, frame);
                let index = self.eval(index, frame);
                item(&object, &index)
            }
            ExprKind::Binary { left, operator, right } => {
                let left = self.eval(left, frame);
                let right = self.eval(right, frame);
                binary(&left, *operator, &right)
            }
            ExprKind::Choice(values) => {
                Value::either(values.iter().map(|value| self.eval(value, frame)).collect::<Vec<_>>())
            }
            ExprKind::Conditional { test, body, otherwise } => match self.test(test, frame) {
                Some(true) => self.eval(body, frame),
                Some(false) => self.eval(otherwise, frame),
                None => {
                    let values = [self.eval(body, frame), self.eval(otherwise, frame)];
                    Value::either(values)
                }
            },
            ExprKind::Named { target, value } => {
                let worth = self.eval(value, frame);
                self.assign(target, &worth, frame);
                worth
            }
            ExprKind::Lambda { .. } => Value::External("lambda".into()),
            ExprKind::Starred(_) | ExprKind::Not(_) | ExprKind::Comprehension { .. } | ExprKind::Other(_) => {
                for child in expr.children() {
                    self.eval(child, frame);
                }
                Value::unknown("it is computed")
            }
        }
    }

    fn f_string(&mut self, parts: &[FStringPart], frame: &mut Frame) -> Value {
        let mut text = String::new();
        for part in parts {
            match part {
                FStringPart::Text(literal) => text.push_str(literal),
                FStringPart::Value { value, plain } => match self.eval(value, frame) {
                    Value::Text(value) if *plain => text.push_str(&value),
                    Value::Integer(value) if *plain => text.push_str(&value.to_string()),
                    _ => return Value::unknown("the text is put together at run time"),
                },
            }
        }
        Value::text(text)
    }

    fn dict(&mut self, items: &[DictItem], place: Place, frame: &mut Frame) -> Value {
        let mut dict = Dict {
            place: Some(place),
            ..Dict::default()
        };
        for item in items {
            let value = self.eval(&item.value, frame);
            match &item.key {
                Some(key) => {
                    let key = self.eval(key, frame);
                    dict.set(key, value);
                }
                None => dict.update(&value),
            }
        }
        Value::dict(dict)
    }

    fn eval_call(&mut self, call: &Call, frame: &mut Frame) -> Value {
        let callee = self.eval(&call.callee, frame);
        let arguments = self.arguments(&call.arguments, frame);
        let place = frame.place(call.span);
        if let Value::External(name) = &callee
            && &**name == "builtins.super"
        {
            return match &frame.receiver {
                Some((object, class)) => Value::Super(Rc::new((object.clone(), class.clone()))),
                None => Value::unknown("`super()` is used outside a method"),
            };
        }
        self.call(&callee, arguments, &place)
    }

    fn arguments(&mut self, arguments: &[Argument], frame: &mut Frame) -> Arguments {
        let mut result = Arguments::default();
        for argument in arguments {
            let value = self.eval(&argument.value, frame);
            match (&argument.kind, value) {
                (ArgumentKind::Positional, value) => result.positional.push(value),
                (ArgumentKind::Keyword(name), value) => result.named.push((name.to_string(), value)),
                (ArgumentKind::Spread, Value::List(items)) => result.positional.extend(items.borrow().iter().cloned()),
                (ArgumentKind::KeywordSpread, Value::Dict(dict)) => {
                    let dict = dict.borrow();
                    result.unknown = result.unknown.or_else(|| dict.unknown.clone());
                    for (key, value) in &dict.items {
                        if let Some(name) = key.as_text() {
                            result.named.push((name.to_owned(), value.clone()));
                        }
                    }
                }
                (ArgumentKind::Spread | ArgumentKind::KeywordSpread, _) => {
                    result.unknown = Some("some arguments come out of a `*` or `**` that is computed".into());
                }
            }
        }
        result
    }

    /// What a call gives.
    pub(super) fn call(&mut self, callee: &Value, arguments: Arguments, place: &Place) -> Value {
        if self.depth >= MAX_DEPTH {
            return Value::unknown("there is too much code to follow");
        }
        match callee {
            Value::Function(closure) => self.call_function(closure, None, &arguments),
            Value::Partial(partial) => {
                let (callee, first) = &**partial;
                let mut all = first.clone();
                all.positional.extend(arguments.positional);
                all.named.extend(arguments.named);
                all.unknown = all.unknown.or(arguments.unknown);
                self.call(callee, all, place)
            }
            Value::Method(method) => {
                let (object, name) = &**method;
                self.call_method(object, name, arguments, place)
            }
            Value::Class(class) => self.instantiate(class, &arguments, place),
            Value::External(name) => self.call_library(&name.clone(), arguments, place),
            Value::Unknown(_) => callee.clone(),
            Value::Either(callees) => {
                let values: Vec<Value> = callees
                    .iter()
                    .map(|callee| self.call(callee, arguments.clone(), place))
                    .collect();
                Value::either(values)
            }
            _ => Value::unknown("it is the result of a call that cannot be followed"),
        }
    }

    pub(super) fn call_function(
        &mut self,
        closure: &Rc<Closure>,
        receiver: Option<Value>,
        arguments: &Arguments,
    ) -> Value {
        let Some(file) = self.imports.file(&closure.module) else {
            return Value::unknown("the function's module cannot be read");
        };
        let locals = Scope::default();
        let class = closure.class.borrow().clone();
        bind_parameters(&closure.function, receiver.as_ref(), arguments, &locals);
        let mut scopes = closure.scopes.clone();
        let mut frame = Frame {
            file,
            scopes: scopes.clone(),
            in_class: false,
            receiver: receiver.zip(class),
            returns: Vec::new(),
        };
        for parameter in &closure.function.parameters {
            if let Some(default) = &parameter.default
                && !locals.borrow().contains_key(parameter.name.as_str())
            {
                let value = self.eval(default, &mut frame);
                locals.borrow_mut().insert(parameter.name.to_string(), value);
            }
            let absent = || Value::unknown(format!("`{}` is an argument", parameter.name));
            locals
                .borrow_mut()
                .entry(parameter.name.to_string())
                .or_insert_with(absent);
        }
        scopes.push(locals);
        frame.scopes = scopes;
        self.depth += 4;
        let flow = self.block(&closure.function.body, &mut frame);
        self.depth -= 4;
        let mut returns = std::mem::take(&mut frame.returns);
        returns.push(match flow {
            Flow::Return(value) => value,
            Flow::On => Value::None,
        });
        Value::either(returns)
    }

    /// An object of one of the project's classes that no library knows.
    pub(super) fn plain_instance(&mut self, class: &Rc<Class>, arguments: &Arguments) -> Value {
        let object = Value::Instance(Rc::new(Instance {
            class: class.clone(),
            attributes: RefCell::new(HashMap::new()),
        }));
        if let Some(Value::Function(init)) = self.class_attribute(class, "__init__") {
            self.call_function(&init, Some(object.clone()), arguments);
        }
        object
    }

    /// `object.name = value`
    pub(super) fn set_attribute(&mut self, object: &Value, name: &str, value: Value, place: &Place) {
        match object {
            Value::Class(class) => {
                class.attributes.borrow_mut().insert(name.to_owned(), value);
            }
            Value::Instance(instance) => {
                instance.attributes.borrow_mut().insert(name.to_owned(), value);
            }
            Value::Metadata(metadata) if name == "naming_convention" => {
                if metadata.first_table.borrow().is_some() {
                    *metadata.set_late.borrow_mut() = Some(place.clone());
                }
                *metadata.convention.borrow_mut() = Setting::Given(value, Some(place.clone()));
            }
            Value::Either(objects) => {
                for object in objects.iter() {
                    self.set_attribute(object, name, value.clone(), place);
                }
            }
            Value::Module(module) => {
                if let Found::File(file) = self.imports.find(module) {
                    let scope = self.run(&file);
                    scope.borrow_mut().insert(name.to_owned(), value);
                }
            }
            _ => {}
        }
    }
}

/// `__name__ == '__main__'`
fn is_main_program(parts: &[Expr]) -> bool {
    let [one, other] = parts else { return false };
    let says = |name: &Expr, text: &Expr| name.as_name() == Some("__name__") && text.as_str() == Some("__main__");
    says(one, other) || says(other, one)
}

/// Joins another outcome into a scope: a name that differs may be either.
fn merge(scope: &Scope, other: HashMap<String, Value>) {
    let mut scope = scope.borrow_mut();
    for (name, value) in other {
        match scope.remove(&name) {
            Some(known) => scope.insert(name, Value::either([known, value])),
            None => scope.insert(name, value),
        };
    }
}

fn bind_parameters(function: &Function, receiver: Option<&Value>, arguments: &Arguments, locals: &Scope) {
    let mut positional = receiver.into_iter().chain(&arguments.positional);
    let mut locals = locals.borrow_mut();
    let mut taken = Vec::new();
    for parameter in &function.parameters {
        match parameter.kind {
            ParameterKind::Positional | ParameterKind::KeywordOnly => {
                let by_position = if parameter.kind == ParameterKind::Positional {
                    positional.next()
                } else {
                    None
                };
                let by_name = arguments
                    .named
                    .iter()
                    .find(|(name, _)| *name == parameter.name)
                    .map(|(_, value)| value);
                taken.push(parameter.name.as_str());
                if let Some(value) = by_position.or(by_name) {
                    locals.insert(parameter.name.to_string(), value.clone());
                } else if let Some(reason) = &arguments.unknown {
                    locals.insert(parameter.name.to_string(), Value::Unknown(reason.clone()));
                }
            }
            ParameterKind::Rest => {
                locals.insert(
                    parameter.name.to_string(),
                    Value::list(positional.by_ref().cloned().collect()),
                );
            }
            ParameterKind::KeywordRest => {
                let rest = arguments
                    .named
                    .iter()
                    .filter(|(name, _)| !taken.contains(&name.as_str()));
                let items = rest
                    .map(|(name, value)| (Value::text(name.as_str()), value.clone()))
                    .collect();
                locals.insert(
                    parameter.name.to_string(),
                    Value::dict(Dict {
                        items,
                        unknown: arguments.unknown.clone(),
                        place: None,
                    }),
                );
            }
        }
    }
}

fn is_builtin(name: &str) -> bool {
    matches!(
        name,
        "dict" | "list" | "tuple" | "str" | "setattr" | "getattr" | "super" | "frozenset" | "set" | "type" | "object"
    )
}

fn name_value(name: &str, frame: &Frame) -> Value {
    match frame.lookup(name) {
        Some(value) => value,
        None if is_builtin(name) => Value::External(format!("builtins.{name}").into()),
        None => Value::unknown(format!("`{name}` is not defined where it is used")),
    }
}

fn binary(left: &Value, operator: Operator, right: &Value) -> Value {
    match (left, operator, right) {
        (Value::Dict(dict), Operator::Or, _) => {
            let mut merged = dict.borrow().copy();
            merged.update(right);
            Value::dict(merged)
        }
        (Value::Text(left), Operator::Add, Value::Text(right)) => Value::text(format!("{left}{right}")),
        (Value::List(left), Operator::Add, Value::List(right)) => {
            let items = left.borrow().iter().chain(right.borrow().iter()).cloned().collect();
            Value::list(items)
        }
        _ => Value::unknown("it is computed"),
    }
}

fn item(object: &Value, index: &Value) -> Value {
    match (object, index) {
        (Value::Dict(dict), _) => {
            let dict = dict.borrow();
            let reason = || Value::unknown("the key is not in the dict that can be read");
            dict.get(index).cloned().unwrap_or_else(reason)
        }
        (Value::List(items), Value::Integer(at)) => {
            let items = items.borrow();
            let at = if *at < 0 {
                items
                    .len()
                    .checked_add_signed(isize::try_from(*at).unwrap_or(isize::MIN))
            } else {
                usize::try_from(*at).ok()
            };
            let reason = || Value::unknown("the list is shorter than that");
            at.and_then(|at| items.get(at).cloned()).unwrap_or_else(reason)
        }
        // `Generic[int]` and the like are the class itself.
        (Value::Class(_) | Value::External(_), _) => library_item(object, index),
        (Value::Unknown(_), _) => object.clone(),
        _ => Value::unknown("it is computed"),
    }
}
