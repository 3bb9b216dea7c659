//! The scopes that a place sees, innermost first.

use std::rc::Rc;
use std::sync::Arc;

use super::imports::relative_folder;
use super::reader::{BYTES_A_STEP, ITEMS_A_STEP, Loop, Reader, address};
use super::value::{Class, ModuleName, Value};
use crate::python::scopes::{Binding, Definition, Scope, ScopeKind};
use crate::python::{Expr, Function, Module, Stmt};
use crate::source::Span;

#[derive(Clone)]
pub(crate) struct Chain<'m>(Rc<Link<'m>>);

/// One scope of a chain.
#[derive(Clone)]
pub(crate) struct Link<'m> {
    pub(crate) scope: Rc<Scope<'m>>,
    pub(crate) module: &'m Module,
    pub(crate) outer: Option<Chain<'m>>,
    /// The call that entered the function, where one is known.
    pub(crate) call: Option<Call<'m>>,
    /// The loops of which one item is looked at: the key of each, and the item's index.
    pub(crate) rounds: Vec<(usize, usize)>,
    /// The class whose body or method it is.
    pub(crate) class: Option<Rc<Class<'m>>>,
    pub(super) id: usize,
}

/// A call of a function.
#[derive(Clone)]
pub(crate) struct Call<'m> {
    pub(crate) parameters: Vec<(&'m str, Value<'m>)>,
    /// The object of a method.
    pub(crate) receiver: Option<Value<'m>>,
    /// How many bytes of the function's module were executed before the call; none for all.
    pub(crate) until: Option<usize>,
}

impl<'m> Link<'m> {
    /// A scope directly inside another.
    pub(super) fn inside(around: &Chain<'m>, scope: Rc<Scope<'m>>) -> Self {
        Self {
            scope,
            module: around.module,
            outer: Some(around.clone()),
            call: None,
            rounds: Vec::new(),
            class: around.class.clone(),
            id: 0,
        }
    }
}

impl Chain<'_> {
    /// This scope and the scopes around it, innermost first.
    pub(crate) fn outward(&self) -> impl Iterator<Item = &Self> {
        std::iter::successors(Some(self), |chain| chain.outer.as_ref())
    }

    /// Different for each chain.
    pub(crate) fn id(&self) -> usize {
        self.0.id
    }

    /// Whether a name is a parameter or the variable of a loop, whose value depends on the call or the round.
    pub(crate) fn is_variable(&self, name: &str) -> bool {
        for chain in self.outward() {
            if let Some(site) = chain.scope.sites(name).last() {
                return matches!(site.binding, Binding::Round(..));
            }
            if chain.scope.parameters().iter().any(|one| one.name == name) {
                return true;
            }
        }
        false
    }

    /// The module that `from ..module import` means here; none where the dots lead out of the repository.
    pub(crate) fn imported_from(&self, module: &str, level: u32) -> Option<ModuleName> {
        let folder = match level {
            0 => None,
            _ => Some(relative_folder(self.module.file().path(), level)?),
        };
        Some(ModuleName {
            folder,
            dotted: module.to_owned(),
        })
    }
}

impl<'m> std::ops::Deref for Chain<'m> {
    type Target = Link<'m>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl<'m> Reader<'m> {
    /// The scope of a module, where its names have their last values.
    pub(crate) fn module(&mut self, module: &'m Module) -> Chain<'m> {
        let key = (address(module), 0);
        if let Some(known) = self.chains.get(&key) {
            return known.clone();
        }
        self.asked.push(module);
        self.spend(module.file().text().len() / BYTES_A_STEP, Span::default(), module);
        let scope = self.scope(ScopeKind::Module, module.body(), module);
        let top = Link {
            scope,
            module,
            outer: None,
            call: None,
            rounds: Vec::new(),
            class: None,
            id: 0,
        };
        self.kept_chain(key, top)
    }

    /// The scope of a class body.
    pub(crate) fn class_chain(&mut self, class: &Rc<Class<'m>>) -> Chain<'m> {
        let key = (address(class.tree), class.around.id());
        let scope = self.scope(ScopeKind::Class(class.tree), &class.tree.body, class.around.module);
        let body = Link {
            class: Some(class.clone()),
            ..Link::inside(&class.around, scope)
        };
        self.kept_chain(key, body)
    }

    /// The scope of a function outside any call. The calls in its module tell what its parameters are.
    pub(crate) fn function_chain(&mut self, function: &'m Arc<Function>, around: &Chain<'m>) -> Chain<'m> {
        let key = (Arc::as_ptr(function) as usize, around.id());
        let scope = self.scope(ScopeKind::Function(function), &function.body, around.module);
        self.kept_chain(key, Link::inside(around, scope))
    }

    fn kept_chain(&mut self, key: (usize, usize), link: Link<'m>) -> Chain<'m> {
        if let Some(known) = self.chains.get(&key) {
            return known.clone();
        }
        let chain = self.new_chain(link);
        self.chains.insert(key, chain.clone());
        chain
    }

    /// A chain with an id of its own.
    pub(super) fn new_chain(&mut self, link: Link<'m>) -> Chain<'m> {
        Chain(Rc::new(Link {
            id: self.new_id(),
            ..link
        }))
    }

    /// The scope of a lambda or a comprehension.
    pub(crate) fn inner_chain(&mut self, kind: ScopeKind<'m>, around: &Chain<'m>) -> Chain<'m> {
        let scope = self.scope(kind, &[], around.module);
        self.new_chain(Link::inside(around, scope))
    }

    /// The scope inside these classes and functions of a module.
    pub(crate) fn within(&mut self, module: &'m Module, definitions: &[Definition<'m>]) -> Chain<'m> {
        let mut chain = self.module(module);
        for definition in definitions {
            chain = match definition {
                Definition::Class(tree) => self.class_chain(&Class::new(tree, &chain)),
                Definition::Function(function) => self.function_chain(function, &chain),
            };
        }
        chain
    }

    /// The value of an expression, and the loops over written lists that it depends on, in the order of the source.
    pub(crate) fn value_in_loops(&mut self, expr: &'m Expr, chain: &Chain<'m>) -> (Value<'m>, Vec<Loop>) {
        // A known answer does not tell its loops.
        let fresh = self.at_rounds(chain, Vec::new());
        let before = std::mem::take(&mut self.loops);
        let value = self.value(expr, &fresh);
        let mut loops = std::mem::replace(&mut self.loops, before);
        loops.sort_by_key(|one| one.at);
        (value, loops)
    }

    /// The same scope at these items of loops: the key of each loop, and the item's index.
    pub(crate) fn at_rounds(&mut self, chain: &Chain<'m>, rounds: Vec<(usize, usize)>) -> Chain<'m> {
        let link = Link::clone(chain);
        self.new_chain(Link { rounds, ..link })
    }

    pub(super) fn scope(&mut self, kind: ScopeKind<'m>, body: &'m [Stmt], module: &'m Module) -> Rc<Scope<'m>> {
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
        let has_walrus = self.mentions(module, ":=");
        let scope = Rc::new(Scope::of(kind, body, has_walrus));
        self.scopes.insert(key, scope.clone());
        scope
    }
}
