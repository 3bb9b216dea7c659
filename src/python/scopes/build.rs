//! Collects the names, blocks and returns of one scope from its statements.

use super::{Binding, Block, BlockId, Change, ChangeKind, Fork, Name, Return, Scope, ScopeKind, Site, When};
use crate::python::tree::{Alias, ArgumentKind, Expr, ExprKind, Handler, Stmt, StmtKind, Text};
use crate::source::Span;

/// Methods that change a dict, a list or a set in place.
pub(crate) const CHANGING_METHODS: &[&str] = &[
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

pub(super) fn scope<'m>(kind: ScopeKind<'m>, body: &'m [Stmt], has_walrus: bool) -> Scope<'m> {
    let mut builder = Builder {
        scope: Scope {
            kind,
            ..Scope::default()
        },
        has_walrus,
        aliases: Vec::new(),
    };
    builder.block(body, None, When::Always);
    if let ScopeKind::Comprehension(rounds) = kind {
        for (target, iterable) in rounds {
            builder.target(target, iterable, &mut Vec::new(), (0, 0), Binding::Round);
        }
    }
    builder.sort();
    if builder.share_changes() {
        builder.sort();
    }
    builder.scope
}

struct Builder<'m> {
    scope: Scope<'m>,
    /// Whether the module has a `:=` anywhere.
    has_walrus: bool,
    /// Each `x = y`, and the byte after which both names hold one object.
    aliases: Vec<(&'m str, &'m str, usize)>,
}

/// The byte after which something holds, and the block that it is in.
type Point = (usize, BlockId);

/// Makes the binding of an expression and a path into its value.
type MakeBinding<'m> = fn(&'m Expr, Vec<usize>) -> Binding<'m>;

impl<'m> Builder<'m> {
    fn sort(&mut self) {
        for name in self.scope.names.values_mut() {
            name.sites.sort_by_key(|site| site.from);
            name.changes.sort_by_key(|change| change.from);
        }
    }

    /// Adds the first change of an object to the other name that holds it. Whether there is any.
    fn share_changes(&mut self) -> bool {
        let mut shared = Vec::new();
        for &(one, other, from) in &self.aliases {
            for (changed, sharing) in [(one, other), (other, one)] {
                shared.extend(self.first_change(changed, from).map(|change| (sharing, change)));
            }
        }
        let is_any = !shared.is_empty();
        for (name, change) in shared {
            self.name(name).changes.push(change);
        }
        is_any
    }

    /// The first change of a name's object after a byte, as another name of the object sees it, unless the name is bound again before.
    fn first_change(&self, name: &str, from: usize) -> Option<Change<'m>> {
        let name = self.scope.name(name)?;
        let first = name.changes.partition_point(|change| change.from <= from);
        let change = name.changes.get(first).filter(|change| change.path.is_empty())?;
        let next = name.sites.partition_point(|site| site.from <= from);
        if name.sites.get(next).is_some_and(|site| site.from < change.from) {
            return None;
        }
        Some(Change {
            from: change.from,
            block: change.block,
            path: Vec::new(),
            kind: match change.kind {
                ChangeKind::Handed(call) => ChangeKind::Handed(call),
                _ => ChangeKind::Shared,
            },
        })
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
        self.scope.blocks.push(Block {
            parent,
            span,
            when,
            leaves: leaves(body),
        });
        for statement in body {
            self.statement(statement, id);
        }
        id
    }

    fn name(&mut self, name: &'m str) -> &mut Name<'m> {
        self.scope.names.entry(name).or_default()
    }

    fn bind(&mut self, name: &'m str, (from, block): Point, binding: Binding<'m>) {
        self.name(name).sites.push(Site { from, block, binding });
    }

    fn statement(&mut self, statement: &'m Stmt, block: BlockId) {
        let point = (statement.span.end, block);
        if self.has_walrus {
            for expr in statement.parts().0 {
                self.named_inside(expr, block);
            }
        }
        match &statement.kind {
            StmtKind::Assign {
                targets,
                value: Some(value),
            } => {
                self.changing_method(value, point);
                for target in targets {
                    if let (Some(one), Some(other)) = (target.as_name(), value.as_name()) {
                        self.aliases.push((one, other, point.0));
                    }
                    self.target(target, value, &mut Vec::new(), point, Binding::Value);
                }
            }
            StmtKind::AugmentedAssign {
                target,
                operator,
                value,
            } => self.change(target, point, ChangeKind::Augmented(*operator, value)),
            StmtKind::Expr(expr) => self.changing_call(expr, point),
            StmtKind::Delete(targets) => {
                for target in targets {
                    if let ExprKind::Subscript { value, index } = &target.kind {
                        self.change(value, point, ChangeKind::Removed(index));
                    }
                }
            }
            StmtKind::Function(function) => self.bind(&function.name, point, Binding::Function(function)),
            StmtKind::Class(class) => self.bind(&class.name, point, Binding::Class(class)),
            StmtKind::Import(aliases) => aliases.iter().for_each(|alias| self.import(alias, point)),
            StmtKind::ImportFrom { module, names, level } => {
                let module = module.as_deref().unwrap_or_default();
                for alias in names {
                    self.import_from(module, *level, alias, point);
                }
            }
            StmtKind::Return(value) => self.scope.returns.push(Return {
                value: value.as_ref(),
                block,
            }),
            StmtKind::Global(names) => {
                self.scope.globals.extend(names.iter().map(Text::as_str));
                self.scope.outer.extend(names.iter().map(Text::as_str));
            }
            StmtKind::Nonlocal(names) => self.scope.outer.extend(names.iter().map(Text::as_str)),
            _ => self.compound(statement, block),
        }
    }

    fn import(&mut self, alias: &'m Alias, point: Point) {
        let first = alias.name.split('.').next().unwrap_or_default();
        match alias.asname.as_deref() {
            Some(bound) => self.bind(bound, point, Binding::Import(&alias.name)),
            None => self.bind(first, point, Binding::Import(first)),
        }
    }

    fn import_from(&mut self, module: &'m str, level: u32, alias: &'m Alias, (from, block): Point) {
        let binding = Binding::ImportFrom {
            module,
            level,
            name: &alias.name,
            span: alias.span,
        };
        if alias.name == "*" {
            self.scope.stars.push(Site { from, block, binding });
        } else {
            let bound = alias.asname.as_deref().unwrap_or(&alias.name);
            self.bind(bound, (from, block), binding);
        }
    }

    fn compound(&mut self, statement: &'m Stmt, block: BlockId) {
        let fork = self.scope.forks.len();
        self.scope.forks.push(Fork {
            span: statement.span,
            tests: Vec::new(),
            branches: Vec::new(),
        });
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
                bodies,
            } => {
                let start = self.start_of(&bodies[0], statement, block);
                self.target(target, iterable, &mut Vec::new(), start, Binding::Round);
                self.loop_bodies(bodies, parent);
            }
            StmtKind::While { bodies, .. } => self.loop_bodies(bodies, parent),
            StmtKind::With { items, body } => {
                for item in items {
                    if let Some(target) = &item.target {
                        let point = (item.value.span.end, block);
                        let entered = |expr, _| Binding::Entered(expr);
                        self.target(target, &item.value, &mut Vec::new(), point, entered);
                    }
                }
                self.block(body, parent, When::Always);
            }
            StmtKind::Try {
                body,
                handlers,
                otherwise,
                finally,
            } => self.try_statement(statement, (block, fork), [body, otherwise, finally], handlers),
            StmtKind::Match { cases, .. } => {
                for case in cases {
                    let start = self.start_of(&case.body, statement, block);
                    for name in &case.names {
                        self.bind(name, start, Binding::Other);
                    }
                    self.block(&case.body, parent, When::Pattern);
                }
            }
            _ => {}
        }
    }

    fn loop_bodies(&mut self, bodies: &'m [Vec<Stmt>; 2], parent: Option<(BlockId, usize)>) {
        for body in bodies {
            // The `else` does not run after a `break`.
            self.block(body, parent, When::Round);
        }
    }

    fn try_statement(
        &mut self,
        statement: &'m Stmt,
        parent: (BlockId, usize),
        [body, otherwise, finally]: [&'m [Stmt]; 3],
        handlers: &'m [Handler],
    ) {
        // After a handler that goes on, the body may have stopped anywhere.
        let tried = if handlers.iter().any(|handler| !leaves(&handler.body)) {
            When::Tried
        } else {
            When::Always
        };
        // What is imported is usually installed.
        let (body_runs, handler_runs) = if otherwise.is_empty() && handlers.iter().any(catches_import_error) {
            (When::Always, When::NotInstalled)
        } else {
            (tried, When::Failure)
        };
        self.block(body, Some(parent), body_runs);
        for handler in handlers {
            let start = self.start_of(&handler.body, statement, parent.0);
            if let Some(name) = &handler.name {
                self.bind(name, start, Binding::Other);
            }
            self.block(&handler.body, Some(parent), handler_runs);
        }
        self.block(otherwise, Some(parent), tried);
        self.block(finally, Some(parent), When::Always);
    }

    /// The start of the inner block that is added next.
    fn start_of(&self, body: &[Stmt], statement: &Stmt, around: BlockId) -> Point {
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
        point: Point,
        binding: MakeBinding<'m>,
    ) {
        match &target.kind {
            ExprKind::Name(name) => self.bind(name, point, binding(value, path.clone())),
            ExprKind::Tuple(parts) | ExprKind::List(parts) => {
                let mut binding = binding;
                for (at, part) in parts.iter().enumerate() {
                    // What follows `*rest` is counted from the end.
                    if matches!(part.kind, ExprKind::Starred(_)) {
                        binding = |_, _| Binding::Other;
                    }
                    path.push(at);
                    self.target(part, value, path, point, binding);
                    path.pop();
                }
            }
            ExprKind::Starred(inner) => self.target(inner, value, path, point, |_, _| Binding::Other),
            ExprKind::Subscript { value: object, index } => self.change(object, point, ChangeKind::Item(index, value)),
            _ => {}
        }
    }

    fn change(&mut self, object: &'m Expr, (from, block): Point, kind: ChangeKind<'m>) {
        if let Some((name, path)) = object.root_and_path() {
            self.name(name).changes.push(Change {
                from,
                block,
                path,
                kind,
            });
        }
    }

    /// Whether an expression calls a method that changes its object, as in `args.pop("name")`.
    fn changing_method(&mut self, expr: &'m Expr, point: Point) -> bool {
        if let ExprKind::Call(call) = &expr.kind
            && let ExprKind::Attribute { value, name } = &call.callee.kind
            && CHANGING_METHODS.contains(&name.as_str())
        {
            self.change(value, point, ChangeKind::Call(name, call));
            return true;
        }
        false
    }

    fn changing_call(&mut self, expr: &'m Expr, point: Point) {
        if self.changing_method(expr, point) {
            return;
        }
        let Some(call) = expr.as_call() else { return };
        for argument in &call.arguments {
            let is_whole = matches!(argument.kind, ArgumentKind::Positional | ArgumentKind::Keyword(_));
            if is_whole && argument.value.as_name().is_some() {
                self.change(&argument.value, point, ChangeKind::Handed(call));
            }
        }
    }

    /// The names that `:=` binds in an expression.
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

    /// The names that `:=` binds in a comprehension, where the value depends on the round.
    fn named_in_rounds(&mut self, expr: &'m Expr, block: BlockId) {
        if let ExprKind::Named { target, .. } = &expr.kind
            && let ExprKind::Name(name) = &target.kind
        {
            self.bind(name, (expr.span.end, block), Binding::Other);
        }
        for child in expr.children() {
            self.named_in_rounds(child, block);
        }
    }
}

fn catches_import_error(handler: &Handler) -> bool {
    let is_import_error = |name: &str| matches!(name, "ImportError" | "ModuleNotFoundError");
    handler.caught.as_ref().is_some_and(|caught| match &caught.kind {
        ExprKind::Name(name) => is_import_error(name),
        ExprKind::Tuple(names) => names.iter().filter_map(Expr::as_name).any(is_import_error),
        _ => false,
    })
}

/// Whether statements end in `return` or `raise`.
fn leaves(body: &[Stmt]) -> bool {
    body.last().is_some_and(|last| match &last.kind {
        StmtKind::Return(_) | StmtKind::Raise(_) => true,
        StmtKind::If(branches) => {
            branches.last().is_some_and(|(test, _)| test.is_none()) && branches.iter().all(|(_, body)| leaves(body))
        }
        StmtKind::With { body, .. } => leaves(body),
        _ => false,
    })
}
