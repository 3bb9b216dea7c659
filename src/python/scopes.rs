//! Where a scope binds its names, what guards each place, and what changes the values: facts of the source, in its order. Nothing is evaluated.

use std::collections::hash_map::Entry;
use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};

use super::tree::{Alias, ArgumentKind, Call, Class, Expr, ExprKind, Function, Operator, Parameter, Stmt, StmtKind};
use crate::source::Span;

/// The names of a module, a class, a function or a lambda.
#[derive(Debug)]
pub(crate) struct Scope<'m> {
    /// Whose names they are.
    pub(crate) kind: ScopeKind<'m>,
    names: FxHashMap<&'m str, Name<'m>>,
    /// `from module import *`, in order.
    pub(crate) stars: Vec<Site<'m>>,
    /// The names that `global` takes from the module.
    pub(crate) globals: FxHashSet<&'m str>,
    /// The names that `global` and `nonlocal` take from further out.
    pub(crate) outer: FxHashSet<&'m str>,
    /// What a function returns, in order.
    pub(crate) returns: Vec<Return<'m>>,
    /// The blocks, each before the blocks inside it.
    blocks: Vec<Block>,
    forks: Vec<Fork<'m>>,
}

/// What has names of its own.
#[derive(Debug, Clone, Copy)]
pub(crate) enum ScopeKind<'m> {
    /// A module.
    Module,
    /// A class body, which the functions inside it do not see.
    Class(&'m Class),
    /// A function.
    Function(&'m Arc<Function>),
    /// A lambda, whose parameters are all it binds.
    Lambda(&'m [Parameter]),
    /// A comprehension: what is bound in each round, and what is gone through.
    Comprehension(&'m [(Expr, Expr)]),
}

/// All that one scope does with a name.
#[derive(Debug, Default)]
pub(crate) struct Name<'m> {
    /// Where it gets a value, in order.
    pub(crate) sites: Vec<Site<'m>>,
    /// Where what it holds is changed in place, in order.
    pub(crate) changes: Vec<Change<'m>>,
}

/// A place where a name gets a value.
#[derive(Debug)]
pub(crate) struct Site<'m> {
    /// The byte from which on it has that value.
    pub(crate) from: usize,
    /// The block it stands in.
    pub(crate) block: BlockId,
    /// What it is bound to.
    pub(crate) binding: Binding<'m>,
}

/// What a name is bound to.
#[derive(Debug)]
pub(crate) enum Binding<'m> {
    /// The value of an expression, or the part of it at these places.
    Value(&'m Expr, Vec<usize>),
    /// An item of what a `for` goes through, or the part of it at these places.
    Round(&'m Expr, Vec<usize>),
    /// What a `with` enters.
    Entered(&'m Expr),
    /// `import dotted`: the module, or the package that it begins with.
    Import(&'m str),
    /// `from module import name`
    ImportFrom {
        /// The module, without its dots.
        module: &'m str,
        /// How many dots.
        level: u32,
        /// The name in it; `*` for all.
        name: &'m str,
        /// Where the name stands.
        span: Span,
    },
    /// A function.
    Function(&'m Arc<Function>),
    /// A class.
    Class(&'m Class),
    /// An exception, a part of a pattern, or the like.
    Other,
}

/// A change in place of what a name holds.
#[derive(Debug)]
pub(crate) struct Change<'m> {
    /// The byte from which on it is changed.
    pub(crate) from: usize,
    /// The block it stands in.
    pub(crate) block: BlockId,
    /// The attributes between the name and what is changed.
    pub(crate) path: Vec<&'m str>,
    /// What is done.
    pub(crate) kind: ChangeKind<'m>,
}

/// What is done to a value in place.
#[derive(Debug, Clone, Copy)]
pub(crate) enum ChangeKind<'m> {
    /// `x[index] = value`
    Item(&'m Expr, &'m Expr),
    /// `x operator= value`
    Augmented(Operator, &'m Expr),
    /// `x.update(...)` and its kin.
    Call(&'m str, &'m Call),
    /// `del x[index]`
    Removed(&'m Expr),
    /// `function(x)`, as a statement: a function of the project may do anything to it.
    Handed(&'m Call),
    /// A dict or a list that another name holds as well is changed by that name: `y = x`, `y.append(...)`.
    Shared,
}

/// A `return`.
#[derive(Debug)]
pub(crate) struct Return<'m> {
    /// What is returned.
    pub(crate) value: Option<&'m Expr>,
    /// The block it stands in.
    pub(crate) block: BlockId,
}

/// A run of statements, by its place in [`Scope`].
pub(crate) type BlockId = usize;

/// A run of statements: all are executed, or none.
#[derive(Debug)]
pub(crate) struct Block {
    /// The block around the statement that it is a part of, and that statement; nothing for the body itself.
    pub(crate) parent: Option<(BlockId, usize)>,
    /// Where its statements stand.
    pub(crate) span: Span,
    /// When it is executed.
    pub(crate) when: When,
    /// Whether it ends in `return` or `raise`, so that nothing after its statement follows it.
    pub(crate) leaves: bool,
}

/// When a block is executed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum When {
    /// Whenever the block around it is.
    Always,
    /// In this branch of a fork.
    Branch(usize),
    /// Once for each round, perhaps never.
    Round,
    /// Unless something goes wrong that is dealt with.
    Tried,
    /// When something went wrong.
    Failure,
    /// When something is not installed.
    Otherwise,
    /// When a pattern fits.
    Pattern,
}

/// An `if` with its branches, or another statement with inner blocks.
#[derive(Debug)]
pub(crate) struct Fork<'m> {
    /// The whole statement.
    pub(crate) span: Span,
    /// The test of each branch of an `if`; none for `else`.
    pub(crate) tests: Vec<Option<&'m Expr>>,
    /// The blocks of its branches.
    pub(crate) branches: Vec<BlockId>,
}

impl Fork<'_> {
    /// Whether one of the branches is always taken.
    pub(crate) fn is_complete(&self) -> bool {
        self.tests.last().is_some_and(Option::is_none)
    }
}

/// Methods that change a dict or a list in place.
pub(super) const CHANGERS: &[&str] = &[
    "add",
    "append",
    "clear",
    "difference_update",
    "discard",
    "extend",
    "insert",
    "intersection_update",
    "pop",
    "popitem",
    "remove",
    "reverse",
    "setdefault",
    "sort",
    "update",
];

impl<'m> Scope<'m> {
    /// Reads a scope. `binds_in_expressions` is whether its module has a `:=` anywhere.
    pub(crate) fn of(kind: ScopeKind<'m>, body: &'m [Stmt], binds_in_expressions: bool) -> Self {
        let mut builder = Builder {
            scope: Self {
                kind,
                names: FxHashMap::default(),
                stars: Vec::new(),
                globals: FxHashSet::default(),
                outer: FxHashSet::default(),
                returns: Vec::new(),
                blocks: Vec::new(),
                forks: Vec::new(),
            },
            binds_in_expressions,
            aliases: Vec::new(),
        };
        builder.block(body, None, When::Always);
        if let ScopeKind::Comprehension(rounds) = kind {
            for (target, iterable) in rounds {
                builder.target(target, iterable, &mut Vec::new(), (0, 0), Binding::Round);
            }
        }
        builder.sort();
        if builder.share() {
            builder.sort();
        }
        builder.scope
    }

    /// What it does with a name.
    pub(crate) fn name(&self, name: &str) -> Option<&Name<'m>> {
        self.names.get(name)
    }

    /// Where it binds a name, in order.
    pub(crate) fn sites(&self, name: &str) -> &[Site<'m>] {
        self.names
            .get(name)
            .map(|known| known.sites.as_slice())
            .unwrap_or_default()
    }

    /// Where it changes in place what a name holds, in order.
    pub(crate) fn changes(&self, name: &str) -> &[Change<'m>] {
        self.names
            .get(name)
            .map(|known| known.changes.as_slice())
            .unwrap_or_default()
    }

    /// All names that it binds, in no order.
    pub(crate) fn names(&self) -> impl Iterator<Item = (&'m str, &Name<'m>)> {
        self.names.iter().map(|(name, what)| (*name, what))
    }

    /// Its parameters, for a function or a lambda.
    pub(crate) fn parameters(&self) -> &'m [Parameter] {
        match self.kind {
            ScopeKind::Function(function) => &function.parameters,
            ScopeKind::Lambda(parameters) => parameters,
            ScopeKind::Module | ScopeKind::Class(_) | ScopeKind::Comprehension(_) => &[],
        }
    }

    /// All blocks, in the order in which they begin.
    pub(crate) fn blocks(&self) -> &[Block] {
        &self.blocks
    }

    /// A block.
    pub(crate) fn block(&self, id: BlockId) -> &Block {
        &self.blocks[id]
    }

    /// A statement with branches.
    pub(crate) fn fork(&self, id: usize) -> &Fork<'m> {
        &self.forks[id]
    }

    /// The innermost block around a byte.
    pub(crate) fn block_at(&self, at: usize) -> BlockId {
        let mut id = self
            .blocks
            .partition_point(|block| block.span.start <= at)
            .saturating_sub(1);
        while let Some((parent, _)) = self.blocks[id].parent {
            if self.blocks[id].span.start <= at && at < self.blocks[id].span.end {
                break;
            }
            id = parent;
        }
        id
    }

    /// Whether a block holds a byte.
    pub(crate) fn holds(&self, id: BlockId, at: usize) -> bool {
        let block = &self.blocks[id];
        block.parent.is_none() || block.span.start <= at && at < block.span.end
    }
}

struct Builder<'m> {
    scope: Scope<'m>,
    /// Whether the module has a `:=` anywhere.
    binds_in_expressions: bool,
    /// Each `x = y`, and the byte from which on both names hold one object.
    aliases: Vec<(&'m str, &'m str, usize)>,
}

impl<'m> Builder<'m> {
    fn sort(&mut self) {
        for name in self.scope.names.values_mut() {
            name.sites.sort_by_key(|site| site.from);
            name.changes.sort_by_key(|change| change.from);
        }
    }

    /// Tells each name of an object of the first change by its other name. Whether there was any.
    fn share(&mut self) -> bool {
        let mut shared = Vec::new();
        for &(one, other, from) in &self.aliases {
            for (changed, told) in [(one, other), (other, one)] {
                if let Some((at, block, kind)) = self.first_change(changed, from) {
                    shared.push((
                        told,
                        Change {
                            from: at,
                            block,
                            path: Vec::new(),
                            kind,
                        },
                    ));
                }
            }
        }
        let is_any = !shared.is_empty();
        for (name, change) in shared {
            self.name(name).changes.push(change);
        }
        is_any
    }

    /// The first change of what a name holds after a byte, unless it is bound again before.
    fn first_change(&self, name: &str, from: usize) -> Option<(usize, BlockId, ChangeKind<'m>)> {
        let name = self.scope.name(name)?;
        let first = name.changes.partition_point(|change| change.from <= from);
        let change = name.changes.get(first).filter(|change| change.path.is_empty())?;
        let next = name.sites.partition_point(|site| site.from <= from);
        if name.sites.get(next).is_some_and(|site| site.from < change.from) {
            return None;
        }
        let kind = match change.kind {
            ChangeKind::Handed(call) => ChangeKind::Handed(call),
            _ => ChangeKind::Shared,
        };
        Some((change.from, change.block, kind))
    }

    fn block(&mut self, body: &'m [Stmt], parent: Option<(BlockId, usize)>, when: When) -> BlockId {
        if let Some((around, _)) = parent.filter(|_| body.is_empty()) {
            return around;
        }
        let id = self.scope.blocks.len();
        let span = match (body.first(), body.last()) {
            (Some(first), Some(last)) => Span::new(first.span.start, last.span.end),
            _ => Span::default(),
        };
        let leaves = body.last().is_some_and(leaves);
        self.scope.blocks.push(Block {
            parent,
            span,
            when,
            leaves,
        });
        for statement in body {
            self.statement(statement, id);
        }
        id
    }

    fn fork(&mut self, span: Span) -> usize {
        self.scope.forks.push(Fork {
            span,
            tests: Vec::new(),
            branches: Vec::new(),
        });
        self.scope.forks.len() - 1
    }

    fn name(&mut self, name: &'m str) -> &mut Name<'m> {
        self.scope.names.entry(name).or_default()
    }

    fn bind(&mut self, name: &'m str, from: usize, block: BlockId, binding: Binding<'m>) {
        self.name(name).sites.push(Site { from, block, binding });
    }

    fn statement(&mut self, statement: &'m Stmt, block: BlockId) {
        let end = statement.span.end;
        if self.binds_in_expressions {
            for expr in statement.parts().0 {
                self.named_inside(expr, block);
            }
        }
        match &statement.kind {
            StmtKind::Assign {
                targets,
                value: Some(value),
                ..
            } => {
                self.changing_method(value, (end, block));
                for target in targets {
                    if let (Some(one), Some(other)) = (target.as_name(), value.as_name()) {
                        self.aliases.push((one, other, end));
                    }
                    self.target(target, value, &mut Vec::new(), (end, block), Binding::Value);
                }
            }
            StmtKind::AugmentedAssign {
                target,
                operator,
                value,
            } => self.change(target, (end, block), ChangeKind::Augmented(*operator, value)),
            StmtKind::Expr(expr) => self.changing_call(expr, (end, block)),
            StmtKind::Delete(targets) => {
                for target in targets {
                    if let ExprKind::Subscript { value, index } = &target.kind {
                        self.change(value, (end, block), ChangeKind::Removed(index));
                    }
                }
            }
            StmtKind::Function(function) => self.bind(&function.name, end, block, Binding::Function(function)),
            StmtKind::Class(class) => self.bind(&class.name, end, block, Binding::Class(class)),
            StmtKind::Import(aliases) => {
                for alias in aliases {
                    self.import(alias, end, block);
                }
            }
            StmtKind::ImportFrom { module, names, level } => {
                for alias in names {
                    let binding = Binding::ImportFrom {
                        module: module.as_deref().unwrap_or_default(),
                        level: *level,
                        name: &alias.name,
                        span: alias.span,
                    };
                    if alias.name == "*" {
                        let from = end;
                        self.scope.stars.push(Site { from, block, binding });
                    } else {
                        let bound = alias.asname.as_deref().unwrap_or(&alias.name);
                        self.bind(bound, end, block, binding);
                    }
                }
            }
            StmtKind::Return(value) => self.scope.returns.push(Return {
                value: value.as_ref(),
                block,
            }),
            StmtKind::Global(names) => {
                self.scope.globals.extend(names.iter().map(super::tree::Text::as_str));
                self.scope.outer.extend(names.iter().map(super::tree::Text::as_str));
            }
            StmtKind::Nonlocal(names) => self.scope.outer.extend(names.iter().map(super::tree::Text::as_str)),
            _ => self.compound(statement, block),
        }
    }

    fn import(&mut self, alias: &'m Alias, from: usize, block: BlockId) {
        let first = alias.name.split('.').next().unwrap_or_default();
        match alias.asname.as_deref() {
            Some(bound) => self.bind(bound, from, block, Binding::Import(&alias.name)),
            None => self.bind(first, from, block, Binding::Import(first)),
        }
    }

    fn compound(&mut self, statement: &'m Stmt, block: BlockId) {
        let fork = self.fork(statement.span);
        let parent = Some((block, fork));
        match &statement.kind {
            StmtKind::If(branches) => {
                for (at, (test, body)) in branches.iter().enumerate() {
                    let branch = self.block(body, parent, When::Branch(at));
                    self.scope.forks[fork].tests.push(test.as_ref());
                    self.scope.forks[fork].branches.push(branch);
                }
            }
            StmtKind::For {
                target,
                iterable,
                bodies: [rounds, otherwise],
            } => {
                let (from, inner) = self.start_of(rounds, statement, block);
                self.target(target, iterable, &mut Vec::new(), (from, inner), Binding::Round);
                self.block(rounds, parent, When::Round);
                // Not after a `break`.
                self.block(otherwise, parent, When::Round);
            }
            StmtKind::While {
                bodies: [rounds, otherwise],
                ..
            } => {
                self.block(rounds, parent, When::Round);
                self.block(otherwise, parent, When::Round);
            }
            StmtKind::With { items, body } => {
                for item in items {
                    if let Some(target) = &item.target {
                        let from = item.value.span.end;
                        let entered = |expr, _| Binding::Entered(expr);
                        self.target(target, &item.value, &mut Vec::new(), (from, block), entered);
                    }
                }
                self.block(body, parent, When::Always);
            }
            StmtKind::Try {
                body,
                handlers,
                otherwise,
                finally,
            } => {
                // Where a handler goes on, what is tried may have ended anywhere.
                let goes_on = |handler: &super::tree::Handler| !handler.body.last().is_some_and(leaves);
                let tried = if handlers.iter().any(goes_on) {
                    When::Tried
                } else {
                    When::Always
                };
                // What is imported is usually there: the handler is for another installation.
                let is_import = otherwise.is_empty() && handlers.iter().any(catches_import);
                self.block(body, parent, if is_import { When::Always } else { tried });
                let when = if is_import { When::Otherwise } else { When::Failure };
                for handler in handlers {
                    let (from, inner) = self.start_of(&handler.body, statement, block);
                    if let Some(name) = &handler.name {
                        self.bind(name, from, inner, Binding::Other);
                    }
                    self.block(&handler.body, parent, when);
                }
                self.block(otherwise, parent, tried);
                self.block(finally, parent, When::Always);
            }
            StmtKind::Match { cases, .. } => {
                for case in cases {
                    let (from, inner) = self.start_of(&case.body, statement, block);
                    for name in &case.names {
                        self.bind(name, from, inner, Binding::Other);
                    }
                    self.block(&case.body, parent, When::Pattern);
                }
            }
            _ => {}
        }
    }

    /// Where the block of an inner body that comes next begins, and which it will be.
    fn start_of(&self, body: &[Stmt], statement: &Stmt, around: BlockId) -> (usize, BlockId) {
        match body.first() {
            Some(first) => (first.span.start, self.scope.blocks.len()),
            None => (statement.span.end, around),
        }
    }

    fn target(
        &mut self,
        target: &'m Expr,
        value: &'m Expr,
        path: &mut Vec<usize>,
        place: (usize, BlockId),
        binding: fn(&'m Expr, Vec<usize>) -> Binding<'m>,
    ) {
        match &target.kind {
            ExprKind::Name(name) => self.bind(name, place.0, place.1, binding(value, path.clone())),
            ExprKind::Tuple(parts) | ExprKind::List(parts) => {
                let mut binding = binding;
                for (at, part) in parts.iter().enumerate() {
                    // What stands behind `*rest` is counted from the end.
                    if matches!(part.kind, ExprKind::Starred(_)) {
                        binding = |_, _| Binding::Other;
                    }
                    path.push(at);
                    self.target(part, value, path, place, binding);
                    path.pop();
                }
            }
            ExprKind::Starred(inner) => self.target(inner, value, path, place, |_, _| Binding::Other),
            ExprKind::Subscript { value: object, index } => self.change(object, place, ChangeKind::Item(index, value)),
            _ => {}
        }
    }

    fn change(&mut self, object: &'m Expr, place: (usize, BlockId), kind: ChangeKind<'m>) {
        let mut path = Vec::new();
        let mut root = object;
        while let ExprKind::Attribute { value, name, .. } = &root.kind {
            path.push(name.as_str());
            root = value;
        }
        path.reverse();
        if let ExprKind::Name(name) = &root.kind {
            let (from, block) = place;
            self.name(name).changes.push(Change {
                from,
                block,
                path,
                kind,
            });
        }
    }

    /// Whether an expression is a method that changes its object, as in `args.pop("name")`.
    fn changing_method(&mut self, expr: &'m Expr, place: (usize, BlockId)) -> bool {
        if let ExprKind::Call(call) = &expr.kind
            && let ExprKind::Attribute { value, name, .. } = &call.callee.kind
            && CHANGERS.contains(&name.as_str())
        {
            self.change(value, place, ChangeKind::Call(name, call));
            return true;
        }
        false
    }

    fn changing_call(&mut self, expr: &'m Expr, place: (usize, BlockId)) {
        if self.changing_method(expr, place) {
            return;
        }
        if let ExprKind::Call(call) = &expr.kind {
            for argument in &call.arguments {
                let is_whole = matches!(argument.kind, ArgumentKind::Positional | ArgumentKind::Keyword(_));
                if is_whole && argument.value.as_name().is_some() {
                    self.change(&argument.value, place, ChangeKind::Handed(call));
                }
            }
        }
    }

    fn named_inside(&mut self, expr: &'m Expr, block: BlockId) {
        match &expr.kind {
            ExprKind::Named { target, value } => {
                self.target(target, value, &mut Vec::new(), (expr.span.end, block), Binding::Value);
            }
            ExprKind::Lambda { .. } => return,
            ExprKind::Comprehension { .. } => return self.named_in_rounds(expr, block),
            _ => {}
        }
        for child in expr.children() {
            self.named_inside(child, block);
        }
    }
}

impl<'m> Builder<'m> {
    /// What a comprehension binds around it depends on the round.
    fn named_in_rounds(&mut self, expr: &'m Expr, block: BlockId) {
        if let ExprKind::Named { target, .. } = &expr.kind
            && let ExprKind::Name(name) = &target.kind
        {
            self.bind(name, expr.span.end, block, Binding::Other);
        }
        for child in expr.children() {
            self.named_in_rounds(child, block);
        }
    }
}

fn catches_import(handler: &super::tree::Handler) -> bool {
    let is_import = |name: &str| matches!(name, "ImportError" | "ModuleNotFoundError");
    handler.caught.as_ref().is_some_and(|caught| match &caught.kind {
        ExprKind::Name(name) => is_import(name),
        ExprKind::Tuple(names) => names.iter().filter_map(Expr::as_name).any(is_import),
        _ => false,
    })
}

/// Whether nothing after a statement is executed once it was.
fn leaves(statement: &Stmt) -> bool {
    match &statement.kind {
        StmtKind::Return(_) | StmtKind::Raise(_) => true,
        StmtKind::If(branches) => {
            branches.last().is_some_and(|(test, _)| test.is_none())
                && branches.iter().all(|(_, body)| body.last().is_some_and(leaves))
        }
        StmtKind::With { body, .. } => body.last().is_some_and(leaves),
        _ => false,
    }
}

/// What a module does outside the order of its names: attributes that are set, and calls, each with the definitions around it.
#[derive(Debug, Default)]
pub(crate) struct Doings<'m> {
    sets: FxHashMap<&'m str, Vec<AttributeSet<'m>>>,
    calls: FxHashMap<&'m str, Vec<(Within<'m>, &'m Call)>>,
    /// The functions that take a name from the module with `global`.
    globals: FxHashMap<&'m str, Vec<Within<'m>>>,
}

/// The classes and functions around a place, outermost first.
pub(crate) type Within<'m> = Arc<[Definition<'m>]>;

/// A class or a function.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Definition<'m> {
    /// A class.
    Class(&'m Class),
    /// A function.
    Function(&'m Arc<Function>),
}

/// `object.name = value`, or `setattr(object, 'name', value)`.
#[derive(Debug)]
pub(crate) struct AttributeSet<'m> {
    /// The definitions around it.
    pub(crate) within: Within<'m>,
    /// The object.
    pub(crate) object: &'m Expr,
    /// The value.
    pub(crate) value: &'m Expr,
    /// Where it is set.
    pub(crate) span: Span,
}

impl<'m> Doings<'m> {
    /// Goes through a module once.
    pub(crate) fn of(body: &'m [Stmt]) -> Self {
        let mut doings = Self::default();
        let top: Within<'m> = Arc::new([]);
        doings.block(body, &top);
        doings
    }

    /// Where an attribute of that name is set.
    pub(crate) fn sets(&self, attribute: &str) -> &[AttributeSet<'m>] {
        self.sets.get(attribute).map(Vec::as_slice).unwrap_or_default()
    }

    /// The calls of what is called so, as a name or as an attribute.
    pub(crate) fn calls(&self, name: &str) -> &[(Within<'m>, &'m Call)] {
        self.calls.get(name).map(Vec::as_slice).unwrap_or_default()
    }

    /// The functions that bind a name of the module.
    pub(crate) fn globals(&self, name: &str) -> &[Within<'m>] {
        self.globals.get(name).map(Vec::as_slice).unwrap_or_default()
    }

    fn block(&mut self, body: &'m [Stmt], within: &Within<'m>) {
        for statement in body {
            self.statement(statement, within);
        }
    }

    fn statement(&mut self, statement: &'m Stmt, within: &Within<'m>) {
        let inside = |definition| -> Within<'m> { within.iter().copied().chain([definition]).collect() };
        match &statement.kind {
            StmtKind::Function(function) => {
                function.decorators.iter().for_each(|expr| self.expr(expr, within));
                self.block(&function.body, &inside(Definition::Function(function)));
                return;
            }
            StmtKind::Class(class) => {
                class.decorators.iter().for_each(|expr| self.expr(expr, within));
                class.arguments.iter().for_each(|one| self.expr(&one.value, within));
                self.block(&class.body, &inside(Definition::Class(class)));
                return;
            }
            StmtKind::Assign {
                targets,
                value: Some(value),
                ..
            } => {
                for target in targets {
                    self.set(target, value, target.span, within);
                }
            }
            StmtKind::Global(names) => {
                for name in names {
                    match self.globals.entry(name) {
                        Entry::Occupied(mut known) => known.get_mut().push(within.clone()),
                        Entry::Vacant(new) => drop(new.insert(vec![within.clone()])),
                    }
                }
            }
            _ => {}
        }
        let (exprs, blocks) = statement.parts();
        for expr in exprs {
            self.expr(expr, within);
        }
        for block in blocks {
            self.block(block, within);
        }
    }

    fn set(&mut self, target: &'m Expr, value: &'m Expr, span: Span, within: &Within<'m>) {
        if let ExprKind::Attribute {
            value: object, name, ..
        } = &target.kind
        {
            self.sets.entry(name).or_default().push(AttributeSet {
                within: within.clone(),
                object,
                value,
                span,
            });
        }
    }

    fn expr(&mut self, expr: &'m Expr, within: &Within<'m>) {
        if let ExprKind::Call(call) = &expr.kind {
            if let Some(name) = call.name() {
                self.calls.entry(name).or_default().push((within.clone(), call));
            }
            if let [object, name, value] = &call.arguments[..]
                && call.callee.as_name() == Some("setattr")
                && let ExprKind::String(name) = &name.value.kind
            {
                self.sets.entry(name).or_default().push(AttributeSet {
                    within: within.clone(),
                    object: &object.value,
                    value: &value.value,
                    span: call.span,
                });
            }
        }
        for child in expr.children() {
            self.expr(child, within);
        }
    }
}
