//! Names: the scopes that Python looks in, and the value that a name has at a place.

use super::chain::Chain;
use super::flow::Reach;
use super::reader::Reader;
use super::value::{Choices, Value};
use crate::python::Expr;
use crate::python::scopes::{Binding, ChangeKind, Definition, ScopeKind};
use crate::source::Span;

/// How many names in a row are followed to an expression.
const MAX_NAMES: usize = 8;

/// The names of `builtins` that are asked for.
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

impl<'m> Reader<'m> {
    /// The value of a name at a byte of its module.
    pub(super) fn name(&mut self, name: &str, chain: &Chain<'m>, at: usize) -> Value<'m> {
        match self.look_up(name, chain, at) {
            Some(value) => value,
            None if BUILTINS.contains(&name) => Value::External(format!("builtins.{name}").into()),
            None => Value::unknown(format!("`{name}` is not defined where it is used")),
        }
    }

    fn look_up(&mut self, name: &str, chain: &Chain<'m>, at: usize) -> Option<Value<'m>> {
        let mut at = at;
        let mut is_innermost = true;
        let mut is_global = false;
        // Scopes that change the value of an outer scope in place.
        let mut changing: Vec<(Chain<'m>, usize)> = Vec::new();
        for chain in chain.outward() {
            let is_function = matches!(chain.scope.kind, ScopeKind::Function(_) | ScopeKind::Lambda(_));
            let is_inline = matches!(chain.scope.kind, ScopeKind::Comprehension(_));
            // Only the statements of a class body see its names.
            let is_visible = is_innermost || !matches!(chain.scope.kind, ScopeKind::Class(_));
            is_global |= chain.scope.globals.contains(name);
            let is_skipped = match chain.scope.kind {
                ScopeKind::Module => false,
                _ => is_global || chain.scope.outer.contains(name),
            };
            if is_visible
                && !is_skipped
                && let Some(value) = self.in_scope(name, chain, at)
            {
                return Some(self.changed_in_inner_scopes(name, value, &changing));
            }
            if !chain.scope.changes(name).is_empty() {
                changing.push((chain.clone(), at));
            }
            // A function is called when the scopes around it are executed, or as far as they are then.
            if is_function {
                at = chain.call.as_ref().and_then(|call| call.until).unwrap_or(usize::MAX);
            }
            is_innermost &= is_inline;
        }
        None
    }

    fn changed_in_inner_scopes(&mut self, name: &str, value: Value<'m>, changing: &[(Chain<'m>, usize)]) -> Value<'m> {
        let mut value = value;
        for (chain, at) in changing.iter().rev() {
            let scope = chain.scope.clone();
            value = self.with_changes(value, scope.changes(name), &[], 0..*at, chain);
        }
        value
    }

    /// The expression that a name is bound to, through other names of its module, and its scopes. The expression itself if it is no name, or
    /// if not exactly one binding is certain.
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
        for chain in chain.outward() {
            let scope = &chain.scope;
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
                let mut changes = known.changes.iter();
                if !changes.all(|change| matches!(change.kind, ChangeKind::Handed(_))) {
                    return None;
                }
                let is_certain = known.sites.len() == 1 && self.reach(site.block, chain, Some(at)) == Reach::Always;
                return (is_certain && path.is_empty()).then(|| (*value, chain.clone()));
            }
            if matches!(scope.kind, ScopeKind::Function(_) | ScopeKind::Lambda(_)) {
                at = usize::MAX;
            }
        }
        None
    }

    /// The value of a name that a scope binds, at a byte; none if the scope does not bind it before.
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
                choices.add(value);
            } else if let Some(value) = self.parameter(name, chain) {
                choices.add(value);
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

    /// Adds what functions of a module bind a name to that they declare `global`.
    fn add_globals(&mut self, name: &str, chain: &Chain<'m>, choices: &mut Choices<'m>) {
        if !self.mentions(chain.module, "global ") {
            return;
        }
        let index = self.index(chain.module);
        for within in index.globals(name) {
            if !self.spend(within.len(), Span::default(), chain.module) {
                return;
            }
            if !matches!(within.last(), Some(Definition::Function(_))) {
                continue;
            }
            let inner = self.within(chain.module, within);
            let scope = inner.scope.clone();
            for site in scope.sites(name) {
                if choices.is_full() {
                    return;
                }
                choices.add(self.bound(name, site, &inner));
            }
        }
    }
}
