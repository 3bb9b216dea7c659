//! The questions, and how much they may cost.

use std::rc::Rc;
use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::super::modules::Modules;
use super::super::scopes::{Definition, Doings, Scope, ScopeKind};
use super::super::{ArgumentKind, Comparison, DictItem, Expr, ExprKind, FStringPart, Function, Module, Operator};
use super::Libraries;
use super::chain::{Chain, Link};
use super::imports::{Found, Imports};
use super::text::Text;
use super::value::{Arguments, Choices, Class, Closure, Code, Dict, MAX_ITEMS, ModuleName, Place, Value};
use crate::source::Span;

/// How many steps an environment may take: some tens of milliseconds.
const MAX_STEPS: usize = 150_000;
/// How many steps a migration may take at the least; a long one may take one more for each of so many bytes.
const STEPS_OF_MODULE: usize = 20_000;
const BYTES_A_QUESTION: usize = 4;
/// So many bytes of a module cost one step to read.
pub(super) const BYTES_A_STEP: usize = 200;
/// So many bytes cost one step to look for a word in.
const BYTES_A_WORD: usize = 4_000;
/// So many items of a list or dict cost one step to copy or to go through.
const ITEMS_A_STEP: usize = 4;
/// How deep questions may lead to each other; bounds the stack.
const MAX_DEPTH: usize = 160;

/// Answers questions about the modules of one project.
pub(crate) struct Reader<'m> {
    /// Nothing where one module is read by itself.
    project: Option<(&'m Modules<'m>, Imports<'m>)>,
    pub(super) libraries: &'m dyn Libraries,
    scopes: FxHashMap<usize, Rc<Scope<'m>>>,
    doings: FxHashMap<usize, Rc<Doings<'m>>>,
    chains: FxHashMap<(usize, usize), Chain<'m>>,
    classes: FxHashMap<(usize, usize), Rc<Class<'m>>>,
    answers: FxHashMap<(usize, usize), Answer<Value<'m>>>,
    /// The last values of the names of modules.
    module_names: FxHashMap<(usize, Box<str>), Answer<Option<Value<'m>>>>,
    pub(super) decided: FxHashMap<(usize, usize), Rc<[Option<bool>]>>,
    pub(super) returned: FxHashMap<(usize, usize, u64), Returned<'m>>,
    /// The functions that are being asked, and how deep.
    pub(super) calling: Vec<(usize, usize)>,
    /// The names that a `*` import is being asked for.
    pub(super) exporting: Vec<(usize, String)>,
    /// The modules that were asked, in order.
    asked: Vec<&'m Module>,
    pub(super) depth: usize,
    /// How many questions led to each other for what was answered last. What rests on too many is unknown, whatever was asked before, and
    /// no value holds others at any depth.
    pub(super) height: usize,
    /// The least depth of a question that was asked again before it was answered.
    pub(super) cycle: usize,
    steps: usize,
    most: usize,
    /// Where the steps ran out.
    exhausted: Option<Place>,
    next_id: usize,
    /// What the objects of a class are made with, by its address.
    pub(super) made_with: FxHashMap<usize, Arguments<'m>>,
    /// Whether a word occurs in a module.
    mentions: FxHashMap<(usize, Box<str>), bool>,
    /// What libraries found out once for all.
    pub(crate) remembered: FxHashMap<&'static str, Value<'m>>,
    /// The loops over written lists whose items were asked for.
    pub(super) loops: Vec<Loop>,
}

/// What a function returned.
pub(super) struct Returned<'m> {
    pub(super) value: Value<'m>,
    /// How many questions led to each other for it.
    pub(super) height: usize,
    /// What the fingerprints of the arguments were taken of: it stays alive, so that nothing else gets them.
    pub(super) _kept: Vec<Value<'m>>,
}

/// A loop over a list that is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Loop {
    /// Where what it goes through stands.
    pub(crate) at: usize,
    /// Something that no other loop has.
    pub(crate) key: usize,
    /// How many items it has.
    pub(crate) items: usize,
}

enum Answer<T> {
    /// Asked at this depth, and not answered yet.
    Asked(usize),
    /// The answer, and how many questions led to each other for it.
    Known(T, usize),
}

pub(super) fn address<T: ?Sized>(of: &T) -> usize {
    std::ptr::from_ref(of).cast::<u8>() as usize
}

impl<'m> Reader<'m> {
    /// A reader; nothing is read yet.
    pub(crate) fn new(project: Option<(&'m Modules<'m>, Imports<'m>)>, libraries: &'m dyn Libraries) -> Self {
        Self {
            project,
            libraries,
            scopes: FxHashMap::default(),
            doings: FxHashMap::default(),
            chains: FxHashMap::default(),
            classes: FxHashMap::default(),
            answers: FxHashMap::default(),
            module_names: FxHashMap::default(),
            decided: FxHashMap::default(),
            returned: FxHashMap::default(),
            calling: Vec::new(),
            exporting: Vec::new(),
            asked: Vec::new(),
            depth: 0,
            height: 0,
            cycle: usize::MAX,
            steps: 0,
            most: MAX_STEPS,
            exhausted: None,
            next_id: 0,
            made_with: FxHashMap::default(),
            mentions: FxHashMap::default(),
            remembered: FxHashMap::default(),
            loops: Vec::new(),
        }
    }

    /// The same, with as many steps as one module is worth.
    pub(crate) fn for_module(self, module: &Module) -> Self {
        let most = STEPS_OF_MODULE + module.file().text().len() / BYTES_A_QUESTION;
        Self { most, ..self }
    }

    /// How many steps were taken so far. The same question takes the same number on every machine.
    pub(crate) fn steps(&self) -> usize {
        self.steps
    }

    /// Where the steps ran out, if they did.
    pub(crate) fn exhausted(&self) -> Option<&Place> {
        self.exhausted.as_ref()
    }

    /// The modules that were asked, in order.
    pub(crate) fn asked(&self) -> &[&'m Module] {
        &self.asked
    }

    /// The modules of the snapshot, where more than one is read.
    pub(crate) fn modules(&self) -> Option<&'m Modules<'m>> {
        self.project.as_ref().map(|(modules, _)| *modules)
    }

    /// The module at a path.
    pub(crate) fn module_at(&self, path: &crate::source::RepoPath) -> Option<&'m Module> {
        self.modules()?.get(path)
    }

    /// Counts steps; false where there are none left.
    pub(super) fn spend(&mut self, steps: usize, span: Span, module: &'m Module) -> bool {
        self.steps = self.steps.saturating_add(steps).min(self.most);
        if self.steps < self.most {
            return true;
        }
        self.exhausted.get_or_insert_with(|| Place {
            file: module.file().clone(),
            span,
        });
        false
    }

    /// Counts what is copied or gone through at a place; false where there are no steps left.
    pub(crate) fn charge(&mut self, items: usize, span: Span, chain: &Chain<'m>) -> bool {
        self.spend(items / ITEMS_A_STEP, span, chain.module)
    }

    /// Whether there are steps left.
    pub(super) fn is_exhausted(&self) -> bool {
        self.steps >= self.most
    }

    pub(super) fn new_id(&mut self) -> usize {
        self.next_id += 1;
        self.next_id
    }

    /// The scope of a module, where its names have their last values.
    pub(crate) fn module(&mut self, module: &'m Module) -> Chain<'m> {
        let key = (address(module), 0);
        if let Some(known) = self.chains.get(&key) {
            return known.clone();
        }
        self.asked.push(module);
        self.spend(module.file().text().len() / BYTES_A_STEP, Span::default(), module);
        let chain = self.link(ScopeKind::Module, module.body(), module, None, None);
        self.chains.insert(key, chain.clone());
        chain
    }

    fn link(
        &mut self,
        kind: ScopeKind<'m>,
        body: &'m [super::super::Stmt],
        module: &'m Module,
        outer: Option<Chain<'m>>,
        class: Option<Rc<Class<'m>>>,
    ) -> Chain<'m> {
        let scope = self.scope(kind, body, module);
        let id = self.new_id();
        Chain::new(Link {
            scope,
            module,
            outer,
            call: None,
            rounds: Vec::new(),
            class,
            id,
        })
    }

    pub(super) fn scope(
        &mut self,
        kind: ScopeKind<'m>,
        body: &'m [super::super::Stmt],
        module: &'m Module,
    ) -> Rc<Scope<'m>> {
        let key = match kind {
            ScopeKind::Module => address(module),
            ScopeKind::Class(class) => address(class),
            ScopeKind::Function(function) => Arc::as_ptr(function) as usize,
            ScopeKind::Lambda(_) | ScopeKind::Comprehension(_) => return Rc::new(Scope::of(kind, &[], false)),
        };
        if let Some(known) = self.scopes.get(&key) {
            return known.clone();
        }
        // A module was counted when it was asked.
        if !matches!(kind, ScopeKind::Module) {
            self.spend(1 + body.len() / ITEMS_A_STEP, Span::default(), module);
        }
        let binds_in_expressions = self.mentions(module, ":=");
        let scope = Rc::new(Scope::of(kind, body, binds_in_expressions));
        self.scopes.insert(key, scope.clone());
        scope
    }

    /// Whether a word occurs in the text of a module at all.
    pub(super) fn mentions(&mut self, module: &'m Module, word: &str) -> bool {
        let key = (address(module), Box::from(word));
        if let Some(known) = self.mentions.get(&key) {
            return *known;
        }
        let text = module.file().text();
        self.spend(text.len() / BYTES_A_WORD, Span::default(), module);
        let found = text.contains(word);
        self.mentions.insert(key, found);
        found
    }

    /// What a module does outside the order of its names.
    pub(crate) fn doings(&mut self, module: &'m Module) -> Rc<Doings<'m>> {
        let key = address(module);
        if let Some(known) = self.doings.get(&key) {
            return known.clone();
        }
        self.spend(module.file().text().len() / BYTES_A_STEP, Span::default(), module);
        let doings = Rc::new(Doings::of(module.body()));
        self.doings.insert(key, doings.clone());
        doings
    }

    /// The class that a statement makes where it stands.
    pub(crate) fn class(&mut self, tree: &'m super::super::Class, around: &Chain<'m>) -> Rc<Class<'m>> {
        let key = (address(tree), around.id());
        let known = self.classes.entry(key).or_insert_with(|| {
            Rc::new(Class {
                tree,
                around: around.clone(),
                place: Place {
                    file: around.module.file().clone(),
                    span: tree.name_span,
                },
            })
        });
        known.clone()
    }

    /// The scope of a class body.
    pub(crate) fn class_chain(&mut self, class: &Rc<Class<'m>>) -> Chain<'m> {
        let key = (address(class.tree), class.around.id());
        if let Some(known) = self.chains.get(&key) {
            return known.clone();
        }
        let kind = ScopeKind::Class(class.tree);
        let outer = Some(class.around.clone());
        let chain = self.link(kind, &class.tree.body, class.around.module, outer, Some(class.clone()));
        self.chains.insert(key, chain.clone());
        chain
    }

    /// The scope of a function that nobody calls: what its parameters are, its callers in the module tell.
    pub(crate) fn function_chain(&mut self, function: &'m Arc<Function>, around: &Chain<'m>) -> Chain<'m> {
        let key = (Arc::as_ptr(function) as usize, around.id());
        if let Some(known) = self.chains.get(&key) {
            return known.clone();
        }
        let kind = ScopeKind::Function(function);
        let class = around.class.clone();
        let chain = self.link(kind, &function.body, around.module, Some(around.clone()), class);
        self.chains.insert(key, chain.clone());
        chain
    }

    /// The scope of a lambda or a comprehension, which sees what is around it.
    pub(crate) fn inner_chain(&mut self, kind: ScopeKind<'m>, around: &Chain<'m>) -> Chain<'m> {
        self.link(kind, &[], around.module, Some(around.clone()), around.class.clone())
    }

    /// The scope inside these classes and functions of a module.
    pub(crate) fn within(&mut self, module: &'m Module, definitions: &[Definition<'m>]) -> Chain<'m> {
        let mut chain = self.module(module);
        for definition in definitions {
            chain = match definition {
                Definition::Class(tree) => {
                    let class = self.class(tree, &chain);
                    self.class_chain(&class)
                }
                Definition::Function(function) => self.function_chain(function, &chain),
            };
        }
        chain
    }

    /// What an expression is worth, and the loops over written lists that this depends on, in the order of the source.
    pub(crate) fn value_in_loops(&mut self, expr: &'m Expr, chain: &Chain<'m>) -> (Value<'m>, Vec<Loop>) {
        // What was answered before has forgotten its loops.
        let fresh = self.at_rounds(chain, Vec::new());
        let before = std::mem::take(&mut self.loops);
        let value = self.value(expr, &fresh);
        let mut loops = std::mem::replace(&mut self.loops, before);
        loops.sort_by_key(|one| one.at);
        (value, loops)
    }

    /// The same scope with loops at these items: the key of each, and the item's place.
    pub(crate) fn at_rounds(&mut self, chain: &Chain<'m>, rounds: Vec<(usize, usize)>) -> Chain<'m> {
        let id = self.new_id();
        Chain::new(Link {
            scope: chain.scope.clone(),
            module: chain.module,
            outer: chain.outer.clone(),
            call: chain.call.clone(),
            rounds,
            class: chain.class.clone(),
            id,
        })
    }

    /// What an expression is worth at its place.
    pub(crate) fn value(&mut self, expr: &'m Expr, chain: &Chain<'m>) -> Value<'m> {
        match &expr.kind {
            ExprKind::None => return Value::None,
            ExprKind::Bool(value) => return Value::Bool(*value),
            ExprKind::Integer(value) => return Value::Integer(*value),
            ExprKind::String(text) => {
                return Value::Text(Rc::new(Text::literal(text, chain.module.file(), expr.span, 0)));
            }
            _ => {}
        }
        let key = (address(expr), chain.id());
        match self.answers.get(&key) {
            Some(Answer::Known(value, height)) => {
                self.height = self.height.max(*height);
                return value.clone();
            }
            Some(Answer::Asked(depth)) => {
                self.cycle = self.cycle.min(*depth);
                return Value::unknown("it depends on itself");
            }
            None => {}
        }
        if self.depth >= MAX_DEPTH || !self.spend(1, expr.span, chain.module) {
            return Value::unknown("there is too much code to follow");
        }
        self.depth += 1;
        self.answers.insert(key, Answer::Asked(self.depth));
        let beside = std::mem::take(&mut self.height);
        let mut value = self.computed(expr, chain);
        let mut height = self.height + 1;
        if height > MAX_DEPTH {
            value = Value::unknown("there is too much code to follow");
            height = 1;
        }
        self.height = beside.max(height);
        if self.cycle < self.depth {
            // It rests on a question that is still open.
            self.answers.remove(&key);
        } else {
            self.cycle = usize::MAX;
            self.answers.insert(key, Answer::Known(value.clone(), height));
        }
        self.depth -= 1;
        value
    }

    pub(super) fn place(chain: &Chain<'m>, span: Span) -> Place {
        Place {
            file: chain.module.file().clone(),
            span,
        }
    }

    fn computed(&mut self, expr: &'m Expr, chain: &Chain<'m>) -> Value<'m> {
        match &expr.kind {
            ExprKind::FString(parts) => self.f_string(parts, expr, chain),
            ExprKind::Name(name) => self.name(name, chain, expr.span.start),
            ExprKind::Attribute { value, name, .. } => {
                let object = self.value(value, chain);
                let found = self.attribute(&object, name);
                self.changed_in_place(found, expr, chain)
            }
            ExprKind::Call(call) => self.called(call, chain),
            ExprKind::List(items) | ExprKind::Tuple(items) => self.list(items, chain),
            ExprKind::Dict(items) => self.dict(items, expr.span, chain),
            ExprKind::Subscript { value, index } => {
                let object = self.value(value, chain);
                let index = self.value(index, chain);
                self.item(&object, &index)
            }
            ExprKind::Binary { left, operator, right } => {
                let left = self.value(left, chain);
                let right = self.value(right, chain);
                self.binary(&left, *operator, &right, expr.span, chain)
            }
            ExprKind::Choice { all, values } => self.choice(*all, values, chain),
            ExprKind::Conditional { test, body, otherwise } => match self.truth(test, chain) {
                Some(true) => self.value(body, chain),
                Some(false) => self.value(otherwise, chain),
                None => {
                    let values = [self.value(body, chain), self.value(otherwise, chain)];
                    Value::either(values)
                }
            },
            ExprKind::Named { value, .. } => self.value(value, chain),
            ExprKind::Lambda { parameters, body } => Value::Function(Rc::new(Closure {
                code: Code::Lambda(parameters, body),
                around: chain.clone(),
                class: None,
            })),
            ExprKind::Not(_) | ExprKind::Compare { .. } => match self.truth(expr, chain) {
                Some(truth) => Value::Bool(truth),
                None => Value::unknown("it is computed"),
            },
            _ => Value::unknown("it is computed"),
        }
    }

    fn f_string(&mut self, parts: &'m [FStringPart], expr: &Expr, chain: &Chain<'m>) -> Value<'m> {
        let mut text = Text::default();
        let mut offset = 0;
        for part in parts {
            match part {
                FStringPart::Text(literal) => {
                    text.push(&Text::literal(literal, chain.module.file(), expr.span, offset));
                    offset += literal.len();
                }
                FStringPart::Value { value, plain: true } => {
                    let value = self.value(value, chain);
                    put_in(&mut text, Some(&value));
                }
                FStringPart::Value { .. } => text.open(),
            }
        }
        self.text(text, expr.span, chain)
    }

    /// A text that was put together here.
    pub(super) fn text(&mut self, text: Text, span: Span, chain: &Chain<'m>) -> Value<'m> {
        if self.spend(text.size() / BYTES_A_STEP, span, chain.module) {
            Value::Text(Rc::new(text))
        } else {
            Value::unknown("there is too much text to follow")
        }
    }

    fn list(&mut self, items: &'m [Expr], chain: &Chain<'m>) -> Value<'m> {
        if items.len() > MAX_ITEMS {
            return Value::unknown("the list has too many items");
        }
        let span = items.first().map_or_else(Span::default, |first| first.span);
        self.charge(items.len(), span, chain);
        let mut values = Vec::with_capacity(items.len());
        for item in items {
            match &item.kind {
                ExprKind::Starred(inner) => match self.value(inner, chain) {
                    Value::List(more)
                        if values.len() + more.len() <= MAX_ITEMS && self.charge(more.len(), item.span, chain) =>
                    {
                        values.extend(more.iter().cloned());
                    }
                    _ => return Value::unknown("a part of the list is computed"),
                },
                _ => values.push(self.value(item, chain)),
            }
        }
        Value::List(values.into())
    }

    fn dict(&mut self, items: &'m [DictItem], span: Span, chain: &Chain<'m>) -> Value<'m> {
        let mut dict = Dict::at(Self::place(chain, span));
        if !self.charge(items.len(), span, chain) {
            return Value::unknown("there is too much code to follow");
        }
        for item in items {
            let value = self.value(&item.value, chain);
            match &item.key {
                Some(key) => {
                    let key = self.value(key, chain);
                    dict.set(key, value);
                }
                None => self.update(&mut dict, &value, span, chain),
            }
        }
        Value::dict(dict)
    }

    /// `dict.update(value)`, which costs what is copied.
    pub(crate) fn update(&mut self, dict: &mut Dict<'m>, value: &Value<'m>, span: Span, chain: &Chain<'m>) {
        let copied = match value {
            Value::Dict(other) => other.items().len(),
            Value::List(items) => items.len(),
            _ => 0,
        };
        if self.charge(copied, span, chain) {
            dict.update(value);
        } else {
            dict.unknown = Some("there is too much code to follow".into());
        }
    }

    /// `object[index]`
    pub(crate) fn item(&mut self, object: &Value<'m>, index: &Value<'m>) -> Value<'m> {
        match (object, index) {
            (Value::Dict(dict), _) => {
                let reason = || match &dict.unknown {
                    Some(reason) => Value::Unknown(reason.clone()),
                    None => Value::unknown("the key is not in the dict that can be read"),
                };
                dict.get(index).cloned().unwrap_or_else(reason)
            }
            (Value::List(items), Value::Integer(at)) => {
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
            (Value::Class(_) | Value::Unknown(_), _) => object.clone(),
            (Value::External(name), _) => {
                let libraries = self.libraries;
                libraries.item(name, index)
            }
            (Value::Made(made), _) => {
                let libraries = self.libraries;
                let item = libraries.item_of(made);
                item.unwrap_or_else(|| Value::unknown("it is computed"))
            }
            (Value::Either(objects), _) => {
                let values: Vec<Value<'m>> = objects.iter().map(|object| self.item(object, index)).collect();
                Value::either(values)
            }
            _ => Value::unknown("it is computed"),
        }
    }

    pub(super) fn binary(
        &mut self,
        left: &Value<'m>,
        operator: Operator,
        right: &Value<'m>,
        span: Span,
        chain: &Chain<'m>,
    ) -> Value<'m> {
        match (left, operator, right) {
            (Value::Dict(dict), Operator::Or, _) => {
                let mut merged = Dict::clone(dict);
                self.charge(merged.items().len(), span, chain);
                self.update(&mut merged, right, span, chain);
                Value::dict(merged)
            }
            (Value::List(left), Operator::Add, Value::List(right)) if left.len() + right.len() <= MAX_ITEMS => {
                self.charge(left.len() + right.len(), span, chain);
                Value::List(left.iter().chain(right.iter()).cloned().collect())
            }
            (Value::Text(_), Operator::Add, _) | (_, Operator::Add, Value::Text(_)) => {
                let mut text = Text::default();
                for part in [left, right] {
                    match part {
                        Value::Text(part) => text.push(part),
                        _ => text.open(),
                    }
                }
                self.text(text, span, chain)
            }
            (Value::Text(template), Operator::Modulo, _) => self.filled_percents(template, right, span, chain),
            (Value::Either(values), _, _) => {
                let all: Vec<Value<'m>> = values
                    .iter()
                    .map(|one| self.binary(one, operator, right, span, chain))
                    .collect();
                Value::either(all)
            }
            (_, _, Value::Either(values)) if !matches!(left, Value::Unknown(_)) => {
                let all: Vec<Value<'m>> = values
                    .iter()
                    .map(|one| self.binary(left, operator, one, span, chain))
                    .collect();
                Value::either(all)
            }
            _ => Value::unknown("it is computed"),
        }
    }

    fn choice(&mut self, all: bool, values: &'m [Expr], chain: &Chain<'m>) -> Value<'m> {
        let mut choices = Choices::default();
        let last = values.len().saturating_sub(1);
        for (at, expr) in values.iter().enumerate() {
            let value = self.value(expr, chain);
            match value.truth() {
                // `or` ends at what is true, `and` at what is not.
                Some(truth) if truth != all => {
                    choices.add(&value);
                    break;
                }
                Some(_) if at < last => {}
                _ => choices.add(&value),
            }
        }
        choices.finish()
    }

    /// Whether a condition holds, where that is known.
    pub(crate) fn truth(&mut self, test: &'m Expr, chain: &Chain<'m>) -> Option<bool> {
        match &test.kind {
            ExprKind::Not(inner) => self.truth(inner, chain).map(|truth| !truth),
            // What runs is not checked for types.
            ExprKind::Name(name) | ExprKind::Attribute { name, .. } if name == "TYPE_CHECKING" => Some(false),
            ExprKind::Choice { all, values } => {
                let mut known = true;
                for value in values {
                    match self.truth(value, chain) {
                        Some(truth) if truth != *all => return Some(truth),
                        Some(_) => {}
                        None => known = false,
                    }
                }
                known.then_some(*all)
            }
            // A module that is imported is not the program that runs.
            ExprKind::Compare { left, rest } if is_main_program(left, rest) => Some(false),
            ExprKind::Compare { left, rest } => match &rest[..] {
                [(comparison, right)] => {
                    let left = self.value(left, chain);
                    let right = self.value(right, chain);
                    if let Value::List(items) = &right {
                        self.charge(items.len(), test.span, chain);
                    }
                    compared(&left, *comparison, &right)
                }
                _ => None,
            },
            ExprKind::Call(call) if call.callee.as_name() == Some("hasattr") => match &call.arguments[..] {
                [object, name] if name.kind == ArgumentKind::Positional => {
                    let object = self.value(&object.value, chain);
                    self.has_attribute(&object, name.value.as_str()?)
                }
                _ => None,
            },
            _ => self.value(test, chain).truth(),
        }
    }

    /// `module.name`, where the module may be of this project or of a library.
    pub(crate) fn module_attribute(&mut self, module: &ModuleName, name: &str) -> Value<'m> {
        match self.find(module) {
            Found::External => self.external(&format!("{}.{name}", module.dotted)),
            Found::File(path) => {
                let Some(file) = self.module_at(&path) else {
                    return Value::unknown(format!("`{path}` cannot be read"));
                };
                let value = self.name_of_module(file, name);
                value.unwrap_or_else(|| self.submodule(module, name))
            }
            Found::Folder | Found::Missing => self.submodule(module, name),
        }
    }

    /// What a name of a module stands for in the end. Modules may import it from each other in a circle.
    pub(crate) fn name_of_module(&mut self, module: &'m Module, name: &str) -> Option<Value<'m>> {
        let chain = self.module(module);
        let key = (chain.id(), Box::from(name));
        match self.module_names.get(&key) {
            Some(Answer::Known(value, height)) => {
                self.height = self.height.max(*height);
                return value.clone();
            }
            Some(Answer::Asked(depth)) => {
                self.cycle = self.cycle.min(*depth);
                return None;
            }
            None => {}
        }
        if self.depth >= MAX_DEPTH || !self.spend(1, Span::default(), module) {
            return Some(Value::unknown("there is too much code to follow"));
        }
        self.depth += 1;
        self.module_names.insert(key.clone(), Answer::Asked(self.depth));
        let beside = std::mem::take(&mut self.height);
        let value = self.in_scope(name, &chain, usize::MAX);
        let height = self.height;
        self.height = beside.max(height);
        if self.cycle < self.depth {
            self.module_names.remove(&key);
        } else {
            self.cycle = usize::MAX;
            self.module_names.insert(key, Answer::Known(value.clone(), height));
        }
        self.depth -= 1;
        value
    }

    fn submodule(&mut self, module: &ModuleName, name: &str) -> Value<'m> {
        let inner = module.join(name);
        match self.find(&inner) {
            Found::File(_) | Found::Folder => Value::Module(Rc::new(inner)),
            Found::External | Found::Missing => {
                // A package that several distributions share is only in part of this project.
                let elsewhere = self.external(&inner.dotted);
                if module.folder.is_none() && !matches!(elsewhere, Value::External(_)) {
                    return elsewhere;
                }
                let shown = if module.dotted.is_empty() {
                    "the package"
                } else {
                    &module.dotted
                };
                Value::unknown(format!("`{name}` was not found in `{shown}`"))
            }
        }
    }

    /// What a module's name stands for.
    pub(crate) fn find(&self, name: &ModuleName) -> Found {
        let package = name.dotted.split('.').next().unwrap_or_default();
        if name.folder.is_none() && self.libraries.is_library(package) {
            return Found::External;
        }
        match &self.project {
            Some((modules, imports)) => imports.find(modules, name),
            None => Found::External,
        }
    }

    /// A module or package, or the library that has the name.
    pub(super) fn imported(&self, name: ModuleName) -> Value<'m> {
        match self.find(&name) {
            Found::External => Value::External(name.dotted.into()),
            Found::File(_) | Found::Folder | Found::Missing => Value::Module(Rc::new(name)),
        }
    }

    /// Something of a library, by its dotted name.
    pub(crate) fn external(&mut self, name: &str) -> Value<'m> {
        let libraries = self.libraries;
        libraries.external(self, name)
    }
}

/// Adds what a placeholder of a template stands for.
pub(super) fn put_in(text: &mut Text, value: Option<&Value<'_>>) {
    match value {
        Some(Value::Text(value)) => text.push(value),
        Some(Value::Integer(value)) => text.push(&Text::plain(&value.to_string())),
        _ => text.open(),
    }
}

/// `__name__ == '__main__'`
fn is_main_program(left: &Expr, rest: &[(Comparison, Expr)]) -> bool {
    let [(Comparison::Same, right)] = rest else {
        return false;
    };
    let says = |name: &Expr, text: &Expr| name.as_name() == Some("__name__") && text.as_str() == Some("__main__");
    says(left, right) || says(right, left)
}

fn compared(left: &Value<'_>, comparison: Comparison, right: &Value<'_>) -> Option<bool> {
    match comparison {
        Comparison::Same => is_same(left, right),
        Comparison::Different => is_same(left, right).map(|same| !same),
        Comparison::In => is_in(left, right),
        Comparison::NotIn => is_in(left, right).map(|is_in| !is_in),
        Comparison::Other => None,
    }
}

fn is_same(left: &Value<'_>, right: &Value<'_>) -> Option<bool> {
    let is_plain = |value: &Value<'_>| match value {
        Value::None | Value::Bool(_) | Value::Integer(_) => true,
        Value::Text(text) => text.known().is_some(),
        _ => false,
    };
    let is_object = |value: &Value<'_>| {
        matches!(
            value,
            Value::Class(_) | Value::Function(_) | Value::Made(_) | Value::Module(_) | Value::Dict(_) | Value::List(_)
        )
    };
    if left.same(right) {
        return Some(true);
    }
    // `True` equals 1 and is another object.
    if matches!(
        (left, right),
        (Value::Bool(_), Value::Integer(_)) | (Value::Integer(_), Value::Bool(_))
    ) {
        return None;
    }
    let differ = is_plain(left) && is_plain(right)
        || matches!(left, Value::None) && is_object(right)
        || is_object(left) && matches!(right, Value::None);
    differ.then_some(false)
}

fn is_in(left: &Value<'_>, right: &Value<'_>) -> Option<bool> {
    match right {
        Value::List(items) => {
            if items.iter().any(|item| item.same(left)) {
                return Some(true);
            }
            let all_differ = items.iter().all(|item| is_same(left, item) == Some(false));
            all_differ.then_some(false)
        }
        Value::Dict(dict) => match dict.get(left) {
            // A key that is set under a condition has an unknown value beside the others.
            Some(value) => (!value.choices().iter().any(|one| matches!(one, Value::Unknown(_)))).then_some(true),
            None => dict.lacks(left).then_some(false),
        },
        Value::Text(text) => Some(text.known()?.contains(left.as_text()?)),
        _ => None,
    }
}
