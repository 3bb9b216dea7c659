//! The reader: values of expressions, each computed once, and bounds on what that may cost.

use std::rc::Rc;

use rustc_hash::FxHashMap;

use super::Libraries;
use super::chain::Chain;
use super::imports::Imports;
use super::text::Text;
use super::value::{Arguments, Closure, Code, Place, Value};
use crate::python::scopes::{Index, Scope};
use crate::python::{Expr, ExprKind, Module, Modules};
use crate::source::{RepoPath, Span};

/// The steps of an environment: some tens of milliseconds.
const MAX_STEPS: usize = 150_000;
/// The steps of a migration, to which a long one adds one for some bytes.
const STEPS_OF_MODULE: usize = 20_000;
const BYTES_A_QUESTION: usize = 4;
/// One step is spent for so many bytes of a module that are read.
pub(super) const BYTES_A_STEP: usize = 200;
/// One step is spent for so many bytes that are searched for a word.
const BYTES_A_WORD: usize = 4_000;
/// One step is spent for so many items of a list or dict that are copied or visited.
pub(super) const ITEMS_A_STEP: usize = 4;
/// How deep questions may lead to each other; bounds the stack.
const MAX_DEPTH: usize = 160;

/// Answers questions about the modules of one project.
pub(crate) struct Reader<'m> {
    /// None where one module is read alone.
    pub(super) project: Option<(&'m Modules<'m>, Imports<'m>)>,
    pub(super) libraries: &'m dyn Libraries,
    /// By the address of the module, class or function.
    pub(super) scopes: FxHashMap<usize, Rc<Scope<'m>>>,
    indexes: FxHashMap<usize, Rc<Index<'m>>>,
    /// By the address of the definition and the id of the chain around it.
    pub(super) chains: FxHashMap<(usize, usize), Chain<'m>>,
    answers: FxHashMap<Question, Answer<'m>>,
    /// The decided branches of each `if`, by the id of its chain and its fork.
    pub(super) decisions: FxHashMap<(usize, usize), Rc<[Option<bool>]>>,
    pub(super) returned: FxHashMap<(usize, usize, u64), Returned<'m>>,
    /// The functions whose calls are being read, each with the depth at that time.
    pub(super) calling: Vec<(usize, usize)>,
    /// The names that are being looked for through `*` imports.
    pub(super) exporting: Vec<(usize, String)>,
    pub(super) asked: Vec<&'m Module>,
    pub(super) depth: usize,
    /// How many questions led to each other for the last answer. Too many make it unknown whatever was asked before, so that values do not
    /// contain each other to any depth.
    pub(super) height: usize,
    /// The least depth of a question that was asked again before it was answered.
    pub(super) cycle: usize,
    steps: usize,
    max_steps: usize,
    /// Where the steps ran out.
    exhausted: Option<Place>,
    next_id: usize,
    /// The arguments that the objects of a class are made with, by its address.
    pub(super) made_with: FxHashMap<usize, Arguments<'m>>,
    /// Whether a word occurs in a module.
    mentions: FxHashMap<(usize, Box<str>), bool>,
    /// What libraries keep between questions.
    pub(crate) remembered: FxHashMap<&'static str, Value<'m>>,
    /// The loops over written lists whose items were asked for.
    pub(super) loops: Vec<Loop>,
}

/// What a call returned.
pub(super) struct Returned<'m> {
    pub(super) value: Value<'m>,
    pub(super) height: usize,
    /// The arguments. They stay alive, so that no other value gets their addresses and fingerprints.
    pub(super) _kept: Vec<Value<'m>>,
}

/// A loop over a list that is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Loop {
    /// Where its iterable starts.
    pub(crate) at: usize,
    /// Different for each loop.
    pub(crate) key: usize,
    /// How many items the list has.
    pub(crate) items: usize,
}

/// Something that has one answer.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) enum Question {
    /// The value of the expression at an address, in a chain.
    Expr(usize, usize),
    /// The last value of a name in the chain of a module.
    Name(usize, Box<str>),
}

enum Answer<'m> {
    /// It was asked at this depth and is not answered yet.
    Open(usize),
    /// With the height of the answer.
    Known(Option<Value<'m>>, usize),
}

/// A question was asked again before it was answered.
pub(super) struct DependsOnItself;

pub(super) fn address<T: ?Sized>(of: &T) -> usize {
    std::ptr::from_ref(of).cast::<u8>() as usize
}

impl<'m> Reader<'m> {
    pub(crate) fn new(project: Option<(&'m Modules<'m>, Imports<'m>)>, libraries: &'m dyn Libraries) -> Self {
        Self {
            project,
            libraries,
            scopes: FxHashMap::default(),
            indexes: FxHashMap::default(),
            chains: FxHashMap::default(),
            answers: FxHashMap::default(),
            decisions: FxHashMap::default(),
            returned: FxHashMap::default(),
            calling: Vec::new(),
            exporting: Vec::new(),
            asked: Vec::new(),
            depth: 0,
            height: 0,
            cycle: usize::MAX,
            steps: 0,
            max_steps: MAX_STEPS,
            exhausted: None,
            next_id: 0,
            made_with: FxHashMap::default(),
            mentions: FxHashMap::default(),
            remembered: FxHashMap::default(),
            loops: Vec::new(),
        }
    }

    /// The same with the steps of one migration.
    pub(crate) fn for_module(self, module: &Module) -> Self {
        let max_steps = STEPS_OF_MODULE + module.file().text().len() / BYTES_A_QUESTION;
        Self { max_steps, ..self }
    }

    /// The steps so far. The same question takes the same number on every machine.
    pub(crate) fn steps(&self) -> usize {
        self.steps
    }

    /// Where the steps ran out, if they did.
    pub(crate) fn exhausted(&self) -> Option<&Place> {
        self.exhausted.as_ref()
    }

    /// The modules that were read so far, in order.
    pub(crate) fn asked(&self) -> &[&'m Module] {
        &self.asked
    }

    /// The modules of the snapshot; none where one module is read alone.
    pub(crate) fn modules(&self) -> Option<&'m Modules<'m>> {
        self.project.as_ref().map(|(modules, _)| *modules)
    }

    pub(crate) fn module_at(&self, path: &RepoPath) -> Option<&'m Module> {
        self.modules()?.get(path)
    }

    /// Counts steps; false when none are left.
    pub(super) fn spend(&mut self, steps: usize, span: Span, module: &'m Module) -> bool {
        self.steps = self.steps.saturating_add(steps).min(self.max_steps);
        if !self.is_exhausted() {
            return true;
        }
        self.exhausted.get_or_insert_with(|| Place::new(module, span));
        false
    }

    /// Counts the steps for items that are copied or visited; false when none are left.
    pub(crate) fn charge(&mut self, items: usize, span: Span, chain: &Chain<'m>) -> bool {
        self.spend(items / ITEMS_A_STEP, span, chain.module)
    }

    pub(super) fn is_exhausted(&self) -> bool {
        self.steps >= self.max_steps
    }

    pub(super) fn new_id(&mut self) -> usize {
        self.next_id += 1;
        self.next_id
    }

    /// Whether a word occurs anywhere in the text of a module.
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

    /// The attribute assignments, calls and `global`s of a module.
    pub(crate) fn index(&mut self, module: &'m Module) -> Rc<Index<'m>> {
        let key = address(module);
        if let Some(known) = self.indexes.get(&key) {
            return known.clone();
        }
        self.spend(module.file().text().len() / BYTES_A_STEP, Span::default(), module);
        let index = Rc::new(Index::of(module.body()));
        self.indexes.insert(key, index.clone());
        index
    }

    /// Answers a question once. What is too deep or too expensive is unknown.
    pub(super) fn ask(
        &mut self,
        question: Question,
        (span, module): (Span, &'m Module),
        answer: impl FnOnce(&mut Self) -> Option<Value<'m>>,
    ) -> Result<Option<Value<'m>>, DependsOnItself> {
        match self.answers.get(&question) {
            Some(Answer::Known(value, height)) => {
                self.height = self.height.max(*height);
                return Ok(value.clone());
            }
            Some(Answer::Open(depth)) => {
                self.cycle = self.cycle.min(*depth);
                return Err(DependsOnItself);
            }
            None => {}
        }
        if self.depth >= MAX_DEPTH || !self.spend(1, span, module) {
            return Ok(Some(Value::too_much()));
        }
        self.depth += 1;
        self.answers.insert(question.clone(), Answer::Open(self.depth));
        let height_beside = std::mem::take(&mut self.height);
        let value = answer(self);
        if self.cycle < self.depth {
            // It depends on a question that is still open.
            self.answers.remove(&question);
        } else {
            self.cycle = usize::MAX;
            self.answers.insert(question, Answer::Known(value.clone(), self.height));
        }
        self.height = height_beside.max(self.height);
        self.depth -= 1;
        Ok(value)
    }

    /// The value of an expression at its place.
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
        let question = Question::Expr(address(expr), chain.id());
        let answer = self.ask(question, (expr.span, chain.module), |reader| {
            let value = reader.computed(expr, chain);
            reader.height += 1;
            if reader.height <= MAX_DEPTH {
                return Some(value);
            }
            reader.height = 1;
            Some(Value::too_much())
        });
        answer
            .ok()
            .flatten()
            .unwrap_or_else(|| Value::unknown("it depends on itself"))
    }

    fn computed(&mut self, expr: &'m Expr, chain: &Chain<'m>) -> Value<'m> {
        match &expr.kind {
            ExprKind::FString(parts) => self.f_string(parts, expr.span, chain),
            ExprKind::Name(name) => self.name(name, chain, expr.span.start),
            ExprKind::Attribute { value, name } => {
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
                None => Value::either([self.value(body, chain), self.value(otherwise, chain)]),
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

    /// A text that was put together here.
    pub(super) fn text(&mut self, text: Text, span: Span, chain: &Chain<'m>) -> Value<'m> {
        if self.spend(text.size() / BYTES_A_STEP, span, chain.module) {
            Value::Text(Rc::new(text))
        } else {
            Value::unknown("there is too much text to follow")
        }
    }
}
