//! From a name to its values: which binding sites reach a place, by Python's scoping and by the conditions around them.

use std::collections::hash_map::Entry;
use std::rc::Rc;

use rustc_hash::{FxHashMap, FxHashSet};

use super::super::scopes::{Binding, BlockId, Change, ChangeKind, Definition, Scope, ScopeKind, Site, When};
use super::super::{Expr, Function, ParameterKind};
use super::chain::Chain;
use super::imports::Found;
use super::reader::{BYTES_A_STEP, Loop, Reader, address};
use super::value::{Arguments, Choices, Class, Closure, Code, Instance, ModuleName, Value};
use crate::source::Span;

/// The texts of a longer list do not tell the name of the list.
const MAX_ROWS: usize = 64;

/// How far a name may stand for another.
const MAX_NAMES: usize = 8;

/// Names that Python binds itself, as far as somebody here asks for them.
const BUILTINS: &[&str] = &[
    "dict",
    "frozenset",
    "getattr",
    "hasattr",
    "isinstance",
    "list",
    "object",
    "set",
    "setattr",
    "str",
    "super",
    "tuple",
    "type",
];

/// Whether a site reaches a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reach {
    Never,
    Perhaps,
    /// Only when something is not installed.
    Otherwise,
    Always,
}

impl<'m> Reader<'m> {
    /// What a name is worth at a byte of the module.
    pub(crate) fn name(&mut self, name: &str, chain: &Chain<'m>, at: usize) -> Value<'m> {
        match self.look_up(name, chain, at) {
            Some(value) => value,
            None if BUILTINS.contains(&name) => Value::External(format!("builtins.{name}").into()),
            None => Value::unknown(format!("`{name}` is not defined where it is used")),
        }
    }

    fn look_up(&mut self, name: &str, chain: &Chain<'m>, at: usize) -> Option<Value<'m>> {
        let mut link = Some(chain.clone());
        let mut at = at;
        let mut is_innermost = true;
        let mut is_global = false;
        // Scopes that change in place what one further out holds.
        let mut changing: Vec<(Chain<'m>, usize)> = Vec::new();
        while let Some(chain) = link.take() {
            let is_function = matches!(chain.scope.kind, ScopeKind::Function(_) | ScopeKind::Lambda(_));
            let is_inline = matches!(chain.scope.kind, ScopeKind::Comprehension(_));
            // A class body is seen by its own statements alone.
            let is_visible = is_innermost || !matches!(chain.scope.kind, ScopeKind::Class(_));
            is_global |= chain.scope.globals.contains(name);
            let is_passed_over = match chain.scope.kind {
                ScopeKind::Module => false,
                _ => is_global || chain.scope.outer.contains(name),
            };
            if is_visible
                && !is_passed_over
                && let Some(value) = self.in_scope(name, &chain, at)
            {
                return Some(self.changed_further_in(name, value, &changing));
            }
            if !chain.scope.changes(name).is_empty() {
                changing.push((chain.clone(), at));
            }
            // A function is called when the scopes around it are complete, or as far as they were executed then.
            if is_function {
                at = chain.call.as_ref().and_then(|call| call.until).unwrap_or(usize::MAX);
            }
            link.clone_from(&chain.outer);
            is_innermost &= is_inline;
        }
        None
    }

    fn changed_further_in(&mut self, name: &str, value: Value<'m>, changing: &[(Chain<'m>, usize)]) -> Value<'m> {
        let mut value = value;
        for (chain, at) in changing.iter().rev() {
            let scope = chain.scope.clone();
            value = self.with_changes(value, scope.changes(name), &[], 0..*at, chain);
        }
        value
    }

    /// The expression that a name stands for, through other names of its module, with the scopes around it; the expression itself where it
    /// is no name, or where several or none are certain.
    pub(crate) fn source(&mut self, expr: &'m Expr, chain: &Chain<'m>) -> (&'m Expr, Chain<'m>) {
        let mut current = (expr, chain.clone());
        for _ in 0..MAX_NAMES {
            let Some(next) = self.only_source(current.0, &current.1) else {
                break;
            };
            current = next;
        }
        current
    }

    fn only_source(&mut self, expr: &'m Expr, chain: &Chain<'m>) -> Option<(&'m Expr, Chain<'m>)> {
        let name = expr.as_name()?;
        let mut at = expr.span.start;
        let mut link = Some(chain.clone());
        while let Some(chain) = link.take() {
            let scope = chain.scope.clone();
            if scope.parameters().iter().any(|one| one.name == name) || scope.outer.contains(name) {
                return None;
            }
            if let Some(known) = scope.name(name).filter(|known| !known.sites.is_empty()) {
                let mut sites = known.sites.iter().filter(|site| site.from <= at);
                let (Some(site), None) = (sites.next(), sites.next()) else {
                    return None;
                };
                let Binding::Value(value, path) = &site.binding else {
                    return None;
                };
                let is_kept = |change: &Change<'_>| matches!(change.kind, ChangeKind::Handed(_));
                if !known.changes.iter().all(is_kept) {
                    return None;
                }
                let is_certain = known.sites.len() == 1 && self.reach(site.block, &chain, at) == Reach::Always;
                return (is_certain && path.is_empty()).then(|| (*value, chain.clone()));
            }
            if matches!(scope.kind, ScopeKind::Function(_) | ScopeKind::Lambda(_)) {
                at = usize::MAX;
            }
            link.clone_from(&chain.outer);
        }
        None
    }

    /// What a scope binds a name to, as it is at a byte; nothing where it binds it to nothing by then.
    pub(crate) fn in_scope(&mut self, name: &str, chain: &Chain<'m>, at: usize) -> Option<Value<'m>> {
        let scope = chain.scope.clone();
        let sites = scope.sites(name);
        let before = sites.partition_point(|site| site.from <= at);
        let latest = before.checked_sub(1).map_or(0, |last| sites[last].from);
        if let Some(value) = self.starred(name, chain, latest..at) {
            return Some(value);
        }
        let mut choices = Choices::default();
        let is_complete = self.reaching(name, sites, chain, at, &mut choices);
        if !is_complete {
            if let Some(value) = self.starred(name, chain, 0..latest) {
                choices.add(&value);
            } else if let Some(value) = self.parameter(name, chain) {
                choices.add(&value);
            }
        }
        if matches!(scope.kind, ScopeKind::Module) {
            self.add_globals(name, chain, &mut choices);
        }
        if choices.is_empty() {
            return None;
        }
        let value = choices.finish();
        let changes = scope.changes(name);
        if changes.is_empty() {
            return Some(value);
        }
        Some(self.with_changes(value, changes, &[], latest..at, chain))
    }

    /// Adds the values of the sites that reach a byte. Whether there is no way around them.
    fn reaching(
        &mut self,
        name: &str,
        sites: &[Site<'m>],
        chain: &Chain<'m>,
        at: usize,
        choices: &mut Choices<'m>,
    ) -> bool {
        let scope = chain.scope.clone();
        let mut cover = Cover::default();
        let mut others = Vec::new();
        // What a later statement of the same loop binds, the next round sees.
        let end_of_loop = end_of_loop(&scope, at);
        let (before, after) = sites.split_at(sites.partition_point(|site| site.from <= at));
        let start_of_round = start_of_round(&scope, at);
        let is_bound_in_round = before.last().is_some_and(|site| {
            start_of_round.is_some_and(|start| start <= site.from) && self.reach(site.block, chain, at) == Reach::Always
        });
        for site in after
            .iter()
            .take_while(|site| !is_bound_in_round && end_of_loop > at && site.from <= end_of_loop)
        {
            if choices.is_full() || !self.spend(1, Span::new(site.from, site.from), chain.module) {
                return true;
            }
            let value = self.bound(name, site, chain);
            choices.add(&value);
        }
        for site in before.iter().rev() {
            if choices.is_full() || !self.spend(1, Span::new(site.from, site.from), chain.module) {
                return true;
            }
            if cover.covers(&scope, site.block) {
                continue;
            }
            match self.reach(site.block, chain, at) {
                Reach::Never => {}
                Reach::Otherwise => others.push(site),
                Reach::Perhaps => {
                    let value = self.bound(name, site, chain);
                    choices.add(&value);
                    let ends = |id| scope.holds(id, at);
                    let is_open = |id| !scope.block(id).leaves;
                    if self.add_cover(&mut cover, site.block, chain, &ends, &is_open) {
                        return true;
                    }
                }
                Reach::Always => {
                    let value = self.bound(name, site, chain);
                    choices.add(&value);
                    return true;
                }
            }
        }
        if choices.is_empty() {
            for site in others {
                let value = self.bound(name, site, chain);
                choices.add(&value);
            }
        }
        false
    }

    /// Whether a block that has been executed leads to a byte.
    fn reach(&mut self, block: BlockId, chain: &Chain<'m>, at: usize) -> Reach {
        let scope = chain.scope.clone();
        let mut reach = Reach::Always;
        let mut id = block;
        while !scope.holds(id, at) {
            let block = scope.block(id);
            let Some((around, fork)) = block.parent else { break };
            if block.leaves {
                return Reach::Never;
            }
            let is_beside = scope.fork(fork).span.start <= at && at < scope.fork(fork).span.end;
            match block.when {
                When::Branch(_) | When::Pattern if is_beside => return Reach::Never,
                When::Branch(branch) => match self.decisions(fork, chain)[branch] {
                    Some(true) => {}
                    Some(false) => return Reach::Never,
                    None => reach = Reach::Perhaps,
                },
                When::Tried if is_beside => {}
                When::Round | When::Pattern | When::Failure | When::Tried => reach = Reach::Perhaps,
                When::Otherwise => return Reach::Otherwise,
                When::Always => {}
            }
            id = around;
        }
        reach
    }

    /// Which branches of an `if` are taken, as far as that is known.
    pub(super) fn decisions(&mut self, fork: usize, chain: &Chain<'m>) -> Rc<[Option<bool>]> {
        let key = (chain.id(), fork);
        if let Some(known) = self.decided.get(&key) {
            return known.clone();
        }
        let scope = chain.scope.clone();
        let count = scope.fork(fork).tests.len();
        // A condition may ask for what the branches bind.
        self.decided.insert(key, vec![None; count].into());
        let mut decisions = Vec::with_capacity(count);
        let (mut is_over, mut is_unsure) = (false, false);
        for test in &scope.fork(fork).tests {
            let holds = match test {
                _ if is_over => Some(false),
                None => Some(true),
                Some(test) => self.truth(test, chain),
            };
            is_over |= holds == Some(true);
            decisions.push(holds.filter(|holds| !(*holds && is_unsure)));
            is_unsure |= holds.is_none();
        }
        let decisions: Rc<[Option<bool>]> = decisions.into();
        self.decided.insert(key, decisions.clone());
        decisions
    }

    /// Notes that a block has an answer: a value of the name, or a `return`. Whether no way leads around the blocks noted so far, up to where
    /// `ends`. Of a fork, the branches count that are taken at all and are `open`.
    fn add_cover(
        &mut self,
        cover: &mut Cover,
        block: BlockId,
        chain: &Chain<'m>,
        ends: &dyn Fn(BlockId) -> bool,
        is_open: &dyn Fn(BlockId) -> bool,
    ) -> bool {
        let scope = chain.scope.clone();
        let mut id = block;
        loop {
            let is_new = cover.blocks.insert(id);
            if ends(id) {
                return true;
            }
            if !is_new {
                return false;
            }
            let Some((around, fork)) = scope.block(id).parent else {
                return true;
            };
            match scope.block(id).when {
                When::Always => {}
                When::Branch(_) => {
                    if let Entry::Vacant(open) = cover.open.entry(fork) {
                        let decisions = self.decisions(fork, chain);
                        let branches = scope.fork(fork).branches.iter().enumerate();
                        let counts = |(at, id): &(usize, &BlockId)| decisions[*at] != Some(false) && is_open(**id);
                        open.insert(branches.filter(counts).count());
                    }
                    if !cover.takes_branch(fork) || !scope.fork(fork).is_complete() {
                        return false;
                    }
                }
                _ => return false,
            }
            id = around;
        }
    }

    /// What a function returns.
    pub(super) fn returns(&mut self, chain: &Chain<'m>) -> Value<'m> {
        let scope = chain.scope.clone();
        let mut choices = Choices::default();
        let mut cover = Cover::default();
        let mut is_complete = false;
        let returning: FxHashSet<BlockId> = scope.returns.iter().map(|one| one.block).collect();
        for one in &scope.returns {
            if choices.is_full() || is_complete || !self.spend(1, Span::default(), chain.module) {
                break;
            }
            let reach = self.reach_in_order(one.block, chain);
            if reach == Reach::Never || cover.covers(&scope, one.block) {
                continue;
            }
            let value = one.value.map_or(Value::None, |value| self.value(value, chain));
            choices.add(&value);
            // A branch that only raises returns nothing.
            let is_open = |id| !scope.block(id).leaves || returning.contains(&id);
            is_complete = reach == Reach::Always || self.add_cover(&mut cover, one.block, chain, &|_| false, &is_open);
        }
        let ends_by_raising = scope.block(0).leaves;
        if !is_complete && (!ends_by_raising || choices.is_empty()) {
            choices.add(&Value::None);
        }
        choices.finish()
    }

    /// Whether a block is executed, as long as nothing left before.
    fn reach_in_order(&mut self, block: BlockId, chain: &Chain<'m>) -> Reach {
        let scope = chain.scope.clone();
        let mut reach = Reach::Always;
        let mut id = block;
        while let Some((around, fork)) = scope.block(id).parent {
            match scope.block(id).when {
                When::Always | When::Tried => {}
                When::Branch(branch) => match self.decisions(fork, chain)[branch] {
                    Some(true) => {}
                    Some(false) => return Reach::Never,
                    None => reach = Reach::Perhaps,
                },
                When::Round | When::Pattern | When::Failure | When::Otherwise => reach = Reach::Perhaps,
            }
            id = around;
        }
        reach
    }

    /// Whether a block is executed whenever its scope is, where that is known.
    pub(crate) fn is_executed(&mut self, block: BlockId, chain: &Chain<'m>) -> Option<bool> {
        match self.reach_in_order(block, chain) {
            Reach::Always => Some(true),
            Reach::Never => Some(false),
            Reach::Perhaps | Reach::Otherwise => None,
        }
    }

    /// Where a scope certainly ends before its last statement: behind a `return` or `raise` that is always executed.
    pub(crate) fn certain_end(&mut self, chain: &Chain<'m>) -> Option<usize> {
        let scope = chain.scope.clone();
        self.charge(scope.blocks().len(), Span::default(), chain);
        let leaving = (1..scope.blocks().len()).filter(|id| scope.block(*id).leaves);
        let mut ends = leaving.filter(|id| self.is_executed(*id, chain) == Some(true));
        ends.next().map(|id| scope.block(id).span.end)
    }

    /// Whether a block is executed before a byte is reached, where that is known.
    pub(super) fn is_before(&mut self, block: BlockId, chain: &Chain<'m>, at: usize) -> Option<bool> {
        match self.reach(block, chain, at) {
            Reach::Always => Some(true),
            Reach::Never => Some(false),
            Reach::Perhaps | Reach::Otherwise => None,
        }
    }

    /// What a site binds its name to.
    pub(super) fn bound(&mut self, name: &str, site: &Site<'m>, chain: &Chain<'m>) -> Value<'m> {
        match &site.binding {
            Binding::Value(expr, path) => {
                let value = self.value(expr, chain);
                let value = Self::taken_out(value, path);
                if let Value::Text(text) = &value {
                    self.spend(text.size() / BYTES_A_STEP, expr.span, chain.module);
                }
                through(value, name, expr)
            }
            Binding::Round(iterable, path) => self.round(iterable, path, chain),
            Binding::Entered(expr) => {
                let value = self.value(expr, chain);
                match value {
                    Value::Unknown(_) => value,
                    _ => Value::unknown("it is what a `with` block gives"),
                }
            }
            Binding::Import(dotted) => self.imported(ModuleName::absolute(*dotted)),
            Binding::ImportFrom {
                module,
                level,
                name: attribute,
                ..
            } => match chain.imported_from(module, *level) {
                Some(module) => self.module_attribute(&module, attribute),
                None => Value::unknown("the relative import leads out of the repository"),
            },
            Binding::Function(function) if self.is_replaced(&function.decorators, chain) => {
                Value::unknown(format!("a decorator may replace `{}`", function.name))
            }
            Binding::Function(function) => Value::Function(Rc::new(Closure {
                code: Code::Function(function),
                around: chain.clone(),
                class: match chain.scope.kind {
                    ScopeKind::Class(_) => chain.class.clone(),
                    _ => None,
                },
            })),
            Binding::Class(tree) => {
                let class = self.class(tree, chain);
                Value::Class(class)
            }
            Binding::Other => Value::unknown("it is bound at run time"),
        }
    }

    /// Whether one of the decorators is a function of the project, which may give anything. Those of libraries hand on what they get.
    fn is_replaced(&mut self, decorators: &'m [Expr], chain: &Chain<'m>) -> bool {
        let mut decorators = decorators.iter();
        decorators.any(|decorator| {
            let function = decorator.as_call().map_or(decorator, |call| &call.callee);
            matches!(self.value(function, chain), Value::Function(_))
        })
    }

    fn taken_out(value: Value<'m>, path: &[usize]) -> Value<'m> {
        let mut value = value;
        for part in path {
            value = match &value {
                Value::List(items) => match items.get(*part) {
                    Some(item) => item.clone(),
                    None => Value::unknown("it is taken out of something shorter"),
                },
                Value::Unknown(_) => return value,
                _ => return Value::unknown("it is taken out of something computed"),
            };
        }
        value
    }

    /// An item of what a loop goes through: the one it is at, else any.
    fn round(&mut self, iterable: &'m Expr, path: &[usize], chain: &Chain<'m>) -> Value<'m> {
        let items = match self.value(iterable, chain) {
            Value::List(items) => items,
            Value::Dict(dict) if dict.unknown.is_none() => dict.items().iter().map(|(key, _)| key.clone()).collect(),
            _ => return Value::unknown("it is bound in a loop"),
        };
        let key = address(iterable);
        if let Some((_, at)) = chain.rounds.iter().find(|(known, _)| *known == key) {
            let item = items.get(*at).cloned();
            return match item {
                Some(item) => Self::taken_out(item, path),
                None => Value::unknown("it is bound in a loop"),
            };
        }
        if !self.loops.iter().any(|known| known.key == key) {
            self.loops.push(Loop {
                at: iterable.span.start,
                key,
                items: items.len(),
            });
        }
        let mut choices = Choices::default();
        for item in items.iter() {
            let item = Self::taken_out(item.clone(), path);
            choices.add(&item);
            if choices.is_full() {
                break;
            }
        }
        if items.is_empty() {
            return Value::unknown("the loop goes through nothing");
        }
        choices.finish()
    }

    /// A parameter of the function whose scope it is.
    fn parameter(&mut self, name: &str, chain: &Chain<'m>) -> Option<Value<'m>> {
        let parameters = chain.scope.parameters();
        self.charge(parameters.len(), Span::default(), chain);
        let position = parameters.iter().position(|one| one.name == name)?;
        if let Some(call) = &chain.call {
            let known = call.parameters.iter().find(|(known, _)| *known == name);
            return known.map(|(_, value)| value.clone());
        }
        let absent = || Value::unknown(format!("`{name}` is an argument"));
        let ScopeKind::Function(function) = chain.scope.kind else {
            return Some(absent());
        };
        let is_method = matches!(
            chain.outer.as_ref().map(|outer| outer.scope.kind),
            Some(ScopeKind::Class(_))
        );
        if position == 0
            && is_method
            && !has_decorator(function, "staticmethod")
            && let Some(class) = &chain.class
        {
            if has_decorator(function, "classmethod") {
                return Some(Value::Class(class.clone()));
            }
            let arguments = self.made_with(&class.clone());
            return Some(Value::Instance(Rc::new(Instance {
                class: class.clone(),
                arguments,
                id: address(class.tree),
            })));
        }
        let (mut choices, is_called) = self.given_by_callers(function, position, usize::from(is_method), chain);
        if !is_called {
            choices.add(&absent());
        }
        Some(choices.finish())
    }

    /// What an object of a class is made with, by the first call of it in the modules that were asked.
    fn made_with(&mut self, class: &Rc<Class<'m>>) -> Arguments<'m> {
        let key = address(class.tree);
        if let Some(known) = self.made_with.get(&key) {
            return known.clone();
        }
        let unknown = Arguments {
            unknown: Some("nothing tells what the object was made with".into()),
            ..Arguments::default()
        };
        self.made_with.insert(key, unknown.clone());
        let found = self.first_call_of(class).unwrap_or(unknown);
        self.made_with.insert(key, found.clone());
        found
    }

    fn first_call_of(&mut self, class: &Rc<Class<'m>>) -> Option<Arguments<'m>> {
        for module in self.asked().to_vec() {
            if !self.mentions(module, &class.tree.name) {
                continue;
            }
            let doings = self.doings(module);
            for (within, call) in doings.calls(&class.tree.name) {
                let chain = self.within(module, within);
                if self.value(&call.callee, &chain).same(&Value::Class(class.clone())) {
                    return Some(self.arguments(&call.arguments, &chain));
                }
            }
        }
        None
    }

    /// What the calls in the same module hand over for a parameter, and whether there are any.
    fn given_by_callers(
        &mut self,
        function: &'m Function,
        position: usize,
        bound: usize,
        chain: &Chain<'m>,
    ) -> (Choices<'m>, bool) {
        let mut choices = Choices::default();
        let parameter = &function.parameters[position];
        let doings = self.doings(chain.module);
        let calls = doings.calls(&function.name);
        for (within, call) in calls {
            let costs = 1 + call.arguments.len() / 4;
            if choices.is_full() || !self.spend(costs, call.span, chain.module) {
                break;
            }
            if matches!(parameter.kind, ParameterKind::Rest | ParameterKind::KeywordRest) {
                choices.add(&Value::unknown("it takes the rest of the arguments"));
                continue;
            }
            let around = self.within(chain.module, within);
            let by_position = (parameter.kind == ParameterKind::Positional)
                .then(|| position.checked_sub(bound))
                .flatten();
            let value = match call.argument(by_position, &parameter.name) {
                Ok(Some(argument)) => self.value(&argument.value, &around),
                Ok(None) => match (&parameter.default, &chain.outer) {
                    (Some(default), Some(outer)) => self.value(default, &outer.clone()),
                    _ => Value::unknown(format!("`{}` is not given", parameter.name)),
                },
                Err(_) => Value::unknown("some arguments come out of a `*` or `**` that is computed"),
            };
            choices.add(&value);
        }
        (choices, !calls.is_empty())
    }

    /// What the functions of a module that say `global` bind a name to.
    fn add_globals(&mut self, name: &str, chain: &Chain<'m>, choices: &mut Choices<'m>) {
        if !self.mentions(chain.module, "global ") {
            return;
        }
        let doings = self.doings(chain.module);
        for within in doings.globals(name) {
            if !self.spend(within.len(), Span::default(), chain.module) {
                return;
            }
            let Some(Definition::Function(_)) = within.last() else {
                continue;
            };
            let inner = self.within(chain.module, within);
            let scope = inner.scope.clone();
            for site in scope.sites(name) {
                if choices.is_full() {
                    return;
                }
                let value = self.bound(name, site, &inner);
                choices.add(&value);
            }
        }
    }

    /// What a `*` import between these bytes brings under a name, the last one first.
    fn starred(&mut self, name: &str, chain: &Chain<'m>, between: std::ops::Range<usize>) -> Option<Value<'m>> {
        if chain.scope.stars.is_empty() {
            return None;
        }
        let scope = chain.scope.clone();
        self.charge(scope.stars.len(), Span::default(), chain);
        let stars = scope.stars.iter().rev();
        for star in stars.filter(|star| between.start <= star.from && star.from <= between.end) {
            if !self.spend(1, Span::new(star.from, star.from), chain.module) {
                return None;
            }
            let Binding::ImportFrom { module, level, .. } = &star.binding else {
                continue;
            };
            let Some(module) = chain.imported_from(module, *level) else {
                continue;
            };
            if self.reach(star.block, chain, between.end) == Reach::Never {
                continue;
            }
            if let Some(value) = self.exported(&module, name) {
                return Some(value);
            }
        }
        None
    }

    fn exported(&mut self, module: &ModuleName, name: &str) -> Option<Value<'m>> {
        let path = match self.find(module) {
            Found::File(path) => path,
            Found::External => {
                let name = format!("{}.{name}", module.dotted);
                return self.libraries.offers(&name).then(|| self.external(&name));
            }
            Found::Folder | Found::Missing => return None,
        };
        let file = self.module_at(&path)?;
        let asking = (address(file), name.to_owned());
        if self.exporting.contains(&asking) {
            return None;
        }
        self.exporting.push(asking);
        let chain = self.module(file);
        let listed = if chain.scope.name("__all__").is_some() {
            self.name_of_module(file, "__all__")
        } else {
            None
        };
        let is_exported = match listed {
            Some(Value::List(names)) => names.iter().any(|one| one.as_text() == Some(name)),
            _ => !name.starts_with('_'),
        };
        let value = if is_exported {
            self.name_of_module(file, name)
        } else {
            None
        };
        self.exporting.pop();
        value
    }
}

/// A text remembers the names that it was read from.
fn through<'m>(value: Value<'m>, name: &str, expr: &Expr) -> Value<'m> {
    match value {
        Value::Text(text) => Value::Text(Rc::new(text.through(name, expr.span))),
        Value::List(items) if items.len() <= MAX_ROWS && items.iter().any(holds_text) => {
            Value::List(items.iter().map(|item| through(item.clone(), name, expr)).collect())
        }
        value => value,
    }
}

fn holds_text(value: &Value<'_>) -> bool {
    match value {
        Value::Text(_) => true,
        Value::List(items) => items.iter().any(|item| matches!(item, Value::Text(_))),
        _ => false,
    }
}

pub(super) fn has_decorator(function: &Function, name: &str) -> bool {
    let mut decorators = function.decorators.iter();
    decorators.any(|decorator| decorator.as_name() == Some(name))
}

/// Where the outermost loop around a byte ends; the byte itself where there is none.
fn end_of_loop(scope: &Scope<'_>, at: usize) -> usize {
    if at == usize::MAX {
        return at;
    }
    let mut end = at;
    let mut id = scope.block_at(at);
    while let Some((around, fork)) = scope.block(id).parent {
        if scope.block(id).when == When::Round {
            end = scope.fork(fork).span.end;
        }
        id = around;
    }
    end
}

/// Where a round of the innermost loop around a byte starts.
fn start_of_round(scope: &Scope<'_>, at: usize) -> Option<usize> {
    if at == usize::MAX {
        return None;
    }
    let mut id = scope.block_at(at);
    while let Some((around, _)) = scope.block(id).parent {
        if scope.block(id).when == When::Round {
            return Some(scope.block(id).span.start);
        }
        id = around;
    }
    None
}

/// The blocks that give a name a value after the one that is looked at.
#[derive(Default)]
struct Cover {
    blocks: FxHashSet<BlockId>,
    /// Of each fork, how many of its branches are still without a value.
    open: FxHashMap<usize, usize>,
}

impl Cover {
    /// Notes a value in one more branch of a fork. Whether all of them have one.
    fn takes_branch(&mut self, fork: usize) -> bool {
        let open = self.open.entry(fork).or_default();
        *open = open.saturating_sub(1);
        *open == 0
    }

    fn covers(&self, scope: &Scope<'_>, block: BlockId) -> bool {
        if self.blocks.is_empty() {
            return false;
        }
        let mut id = block;
        loop {
            if self.blocks.contains(&id) {
                return true;
            }
            match scope.block(id).parent {
                Some((around, _)) => id = around,
                None => return false,
            }
        }
    }
}
