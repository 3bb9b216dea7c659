//! Attributes: of classes with their bases, of objects, and what is set on either from elsewhere.

use std::rc::Rc;
use std::sync::Arc;

use rustc_hash::FxHashSet;

use super::super::scopes::{AttributeSet, Binding, Definition, ScopeKind};
use super::super::{ArgumentKind, Expr, ExprKind, Module, StmtKind};
use super::chain::Chain;
use super::names::has_decorator;
use super::reader::{Reader, address};
use super::value::{Arguments, Choices, Class, Closure, Code, Instance, Made, Place, Value};
use crate::source::Span;

/// How many classes are looked into for one attribute; bounds the stack.
const MAX_CLASSES: usize = 120;

/// A value that is set on an object.
#[derive(Clone)]
pub(crate) struct Set<'m> {
    /// The value.
    pub(crate) value: Value<'m>,
    /// Where it is set.
    pub(crate) place: Place,
    /// Whether it is set for certain; else it may be what it was before.
    pub(crate) is_certain: bool,
}

impl<'m> Reader<'m> {
    /// `object.name`
    pub(crate) fn attribute(&mut self, object: &Value<'m>, name: &str) -> Value<'m> {
        match object {
            Value::Unknown(_) => object.clone(),
            Value::Module(module) => self.module_attribute(&module.clone(), name),
            Value::External(path) => self.external(&format!("{path}.{name}")),
            Value::Class(class) => match self.class_attribute(class, name) {
                Some(Value::Function(closure)) if is_class_method(&closure) => method(object, name),
                Some(value) => value,
                None => Value::unknown(format!("`{}.{name}` is not set where it can be read", class.tree.name)),
            },
            Value::Made(made) => {
                let libraries = self.libraries;
                match libraries.attribute(self, made, name) {
                    Some(value) => value,
                    None => method(object, name),
                }
            }
            Value::Instance(instance) => self.instance_attribute(instance, name),
            Value::Either(objects) => {
                let values: Vec<Value<'m>> = objects.iter().map(|object| self.attribute(object, name)).collect();
                Value::either(values)
            }
            Value::Super(parts) => {
                let (_, class) = &**parts;
                match self.attribute_of_bases(class, name) {
                    Some(Value::Function(_)) | None => method(object, name),
                    Some(value) => value,
                }
            }
            Value::Dict(_) | Value::List(_) | Value::Text(_) => method(object, name),
            _ => Value::unknown(format!("`.{name}` of something computed")),
        }
    }

    /// Whether an object has an attribute, where that is known.
    pub(super) fn has_attribute(&mut self, object: &Value<'m>, name: &str) -> Option<bool> {
        match object {
            Value::Made(made) => {
                let libraries = self.libraries;
                libraries.has(made, name)
            }
            Value::Class(class) => match self.class_attribute(class, name) {
                Some(Value::Unknown(_)) | None => None,
                Some(_) => Some(true),
            },
            Value::Instance(_) | Value::Module(_) => match self.attribute(object, name) {
                Value::Unknown(_) => None,
                _ => Some(true),
            },
            Value::None => Some(false),
            Value::Either(objects) => {
                let mut all = objects.iter().map(|object| self.has_attribute(object, name));
                let first = all.next()??;
                all.all(|one| one == Some(first)).then_some(first)
            }
            _ => None,
        }
    }

    /// An attribute of a class, its bases included, with what the libraries add.
    pub(crate) fn class_attribute(&mut self, class: &Rc<Class<'m>>, name: &str) -> Option<Value<'m>> {
        self.found_in(class, name, &mut FxHashSet::default())
    }

    /// An attribute of the bases of a class.
    pub(super) fn attribute_of_bases(&mut self, class: &Rc<Class<'m>>, name: &str) -> Option<Value<'m>> {
        let mut seen = FxHashSet::default();
        seen.insert(address(class.tree));
        self.found_in_bases(class, name, &mut seen)
    }

    fn found_in(&mut self, class: &Rc<Class<'m>>, name: &str, seen: &mut FxHashSet<usize>) -> Option<Value<'m>> {
        if !seen.insert(address(class.tree)) {
            return None;
        }
        if seen.len() > MAX_CLASSES || !self.spend(1, class.place.span, class.around.module) {
            return Some(Value::unknown("there is too much code to follow"));
        }
        if let Some(set) = self.set_on(&Value::Class(class.clone()), name) {
            return Some(set.value);
        }
        let libraries = self.libraries;
        if let Some(value) = libraries.imposed(self, class, name) {
            return Some(value);
        }
        let chain = self.class_chain(class);
        if let Some(value) = self.in_scope(name, &chain, usize::MAX) {
            return Some(value);
        }
        if let Some(value) = libraries.inherited(self, class, name) {
            if self.is_set_for(class, name) {
                return Some(Value::unknown(format!(
                    "what makes `{}` may set `{name}`",
                    class.tree.name
                )));
            }
            return Some(value);
        }
        self.found_in_bases(class, name, seen)
    }

    /// Whether a decorator, a metaclass or an `__init_subclass__` of the project speaks of an attribute of the class that it gets.
    fn is_set_for(&mut self, class: &Rc<Class<'m>>, name: &str) -> bool {
        let mut makers = Vec::new();
        for decorator in &class.tree.decorators {
            let function = decorator.as_call().map_or(decorator, |call| &call.callee);
            makers.push(self.value(function, &class.around));
        }
        makers.extend(self.class_keyword(class, "metaclass"));
        makers.extend(self.attribute_of_bases(class, "__init_subclass__"));
        makers.iter().any(|maker| match maker {
            Value::Function(closure) => self.code_of_body(closure).contains(name),
            Value::Class(class) => self.mentions(class.around.module, name),
            _ => false,
        })
    }

    fn found_in_bases(&mut self, class: &Rc<Class<'m>>, name: &str, seen: &mut FxHashSet<usize>) -> Option<Value<'m>> {
        let mut unknown = None;
        for base in self.bases(class) {
            for choice in base.choices() {
                let found = match choice {
                    Value::Class(base) => self.found_in(base, name, seen),
                    Value::Unknown(_) => Some(choice.clone()),
                    Value::External(path) => self.libraries.of_base(path, name),
                    Value::Made(made) => {
                        let libraries = self.libraries;
                        libraries.attribute(self, made, name)
                    }
                    _ => None,
                };
                match found {
                    Some(Value::Unknown(reason)) => unknown = unknown.or(Some(Value::Unknown(reason))),
                    Some(value) => return Some(value),
                    None => {}
                }
            }
        }
        unknown
    }

    /// What a class derives from.
    pub(crate) fn bases(&mut self, class: &Rc<Class<'m>>) -> Vec<Value<'m>> {
        let arguments = class.tree.arguments.iter();
        let positional = arguments.filter(|argument| argument.kind == ArgumentKind::Positional);
        positional
            .map(|argument| self.value(&argument.value, &class.around))
            .collect()
    }

    /// A keyword of a class: `metaclass=`, `registry=`, `table=`.
    pub(crate) fn class_keyword(&mut self, class: &Rc<Class<'m>>, name: &str) -> Option<Value<'m>> {
        let argument = class.tree.arguments.iter().find(|argument| argument.is_keyword(name))?;
        Some(self.value(&argument.value, &class.around))
    }

    /// What `is_wanted` makes of the first base of a library, at any distance, that it knows: by its dotted name, or by the kind of the object
    /// that serves as a base.
    pub(crate) fn of_library_base<T>(
        &mut self,
        class: &Rc<Class<'m>>,
        is_wanted: impl Fn(&str) -> Option<T>,
    ) -> Option<T> {
        let mut seen = FxHashSet::default();
        let mut open = vec![class.clone()];
        while let Some(class) = open.pop() {
            if !seen.insert(address(class.tree)) {
                continue;
            }
            if seen.len() > MAX_CLASSES || !self.spend(1, class.place.span, class.around.module) {
                return None;
            }
            let mut inner = Vec::new();
            for base in self.bases(&class) {
                let found = match base {
                    Value::External(name) => is_wanted(&name),
                    Value::Made(made) => is_wanted(made.kind),
                    Value::Class(base) => {
                        inner.push(base);
                        None
                    }
                    _ => None,
                };
                if found.is_some() {
                    return found;
                }
            }
            inner.reverse();
            open.append(&mut inner);
        }
        None
    }

    /// What is set on an object under a name by assignments anywhere in the modules that were asked.
    pub(crate) fn set_on(&mut self, object: &Value<'m>, name: &str) -> Option<Set<'m>> {
        let mut last: Option<Set<'m>> = None;
        for mut found in self.sets_on(object, name) {
            if let Some(before) = last.take().filter(|_| !found.is_certain) {
                found.value = Value::either([before.value, found.value]);
                found.is_certain = before.is_certain;
            }
            last = Some(found);
        }
        last
    }

    /// Each assignment of those, in the order in which the modules are run.
    pub(crate) fn sets_on(&mut self, object: &Value<'m>, name: &str) -> Vec<Set<'m>> {
        let mut found = Vec::new();
        // A module that imports another one runs on after it.
        let modules: Vec<_> = self.asked().iter().rev().copied().collect();
        for module in modules {
            if !self.spend(1, Span::default(), module) {
                break;
            }
            if !self.mentions(module, name) {
                continue;
            }
            let doings = self.doings(module);
            for set in doings.sets(name) {
                if !self.spend(1, set.span, module) {
                    return found;
                }
                found.extend(self.set_by(object, module, set));
            }
        }
        found
    }

    /// What one assignment sets on an object; nothing where it is one of another object, or never made.
    fn set_by(&mut self, object: &Value<'m>, module: &'m Module, set: &AttributeSet<'m>) -> Option<Set<'m>> {
        // A method's `self` is neither a class nor what a library made.
        if is_own_object(set) && !matches!(object, Value::Instance(_)) {
            return None;
        }
        let mut chain = self.chain_of(object, module, &set.within);
        if !self.is_object(set.object, &chain, object) {
            chain = match self.handed_over(object, module, set)? {
                Ok(inside) => inside,
                Err(function) => {
                    return Some(Set {
                        value: Value::unknown(format!("`{function}` may set it")),
                        place: Self::place(&chain, set.span),
                        is_certain: false,
                    });
                }
            };
        }
        let block = chain.scope.block_at(set.span.start);
        let is_made = self.is_executed(block, &chain);
        if is_made == Some(false) {
            return None;
        }
        let is_called = chain.call.is_some() || self.is_called(module, &set.within);
        let value = if is_called {
            self.value(set.value, &chain)
        } else {
            Value::unknown("it is set in a function, and nothing here calls that")
        };
        Some(Set {
            value,
            place: Self::place(&chain, set.span),
            is_certain: is_made == Some(true),
        })
    }

    fn is_object(&mut self, expr: &'m Expr, chain: &Chain<'m>, object: &Value<'m>) -> bool {
        let value = self.value(expr, chain);
        value.choices().iter().any(|one| one.same(object))
    }

    /// The scope of a function's call in another module that hands the object over to be set; the function's name where it only may be that one.
    fn handed_over(
        &mut self,
        object: &Value<'m>,
        module: &'m Module,
        set: &AttributeSet<'m>,
    ) -> Option<Result<Chain<'m>, &'m str>> {
        let Some(Definition::Function(function)) = set.within.last() else {
            return None;
        };
        let is_given = |name: &str| function.parameters.iter().any(|one| one.name == name);
        if !matches!(object, Value::Made(_)) || !root(set.object).is_some_and(is_given) {
            return None;
        }
        for caller in self.asked().to_vec() {
            if std::ptr::eq(caller, module) || !self.mentions(caller, &function.name) {
                continue;
            }
            let doings = self.doings(caller);
            let names = self.names_imported_for(caller, &function.name);
            for (within, call) in names.iter().flat_map(|name| doings.calls(name)) {
                if !self.spend(1, call.span, caller) {
                    return None;
                }
                let around = self.within(caller, within);
                let arguments = self.arguments(&call.arguments, &around);
                if set.within.len() > 1 {
                    if arguments.has(object) {
                        return Some(Err(&function.name));
                    }
                    continue;
                }
                if let Value::Function(closure) = self.value(&call.callee, &around)
                    && matches!(closure.code, Code::Function(code) if Arc::ptr_eq(code, function))
                {
                    let inside = self.entered(&closure, None, &arguments, None);
                    if self.is_object(set.object, &inside, object) {
                        return Some(Ok(inside));
                    }
                }
            }
        }
        None
    }

    /// What a module calls something that it imports.
    fn names_imported_for(&mut self, module: &'m Module, name: &'m str) -> Vec<&'m str> {
        let chain = self.module(module);
        let scope = chain.scope.clone();
        self.charge(scope.names().count(), Span::default(), &chain);
        let other = scope.names().filter(|(own, known)| {
            let mut sites = known.sites.iter();
            *own != name
                && sites.any(|site| matches!(site.binding, Binding::ImportFrom { name: one, .. } if one == name))
        });
        let mut names: Vec<&'m str> = std::iter::once(name).chain(other.map(|(own, _)| own)).collect();
        names.sort_unstable();
        names
    }

    /// Whether a place is at the top of its module, or in a function that one of the modules that were asked calls.
    fn is_called(&mut self, module: &'m Module, within: &[Definition<'m>]) -> bool {
        let mut functions = within.iter().filter_map(|one| match one {
            Definition::Function(function) => Some(function.name.as_str()),
            Definition::Class(_) => None,
        });
        let Some(outermost) = functions.next() else { return true };
        let modules: Vec<_> = self.asked().to_vec();
        let calls = |reader: &mut Self, one: &'m Module| {
            reader.mentions(one, outermost) && !reader.doings(one).calls(outermost).is_empty()
        };
        calls(self, module) || modules.into_iter().any(|one| calls(self, one))
    }

    /// The scope inside some definitions: that of the call in which the object was made, where that is one of them.
    fn chain_of(&mut self, object: &Value<'m>, module: &'m Module, within: &[Definition<'m>]) -> Chain<'m> {
        if let Value::Made(made) = object
            && let Some(chain) = &made.chain
            && let ScopeKind::Function(function) = chain.scope.kind
            && let Some(Definition::Function(inner)) = within.last()
            && Arc::ptr_eq(function, inner)
        {
            return chain.clone();
        }
        self.within(module, within)
    }

    /// `Class(...)`
    pub(super) fn instantiate(
        &mut self,
        class: &Rc<Class<'m>>,
        arguments: &Arguments<'m>,
        place: &Place,
        chain: &Chain<'m>,
    ) -> Value<'m> {
        let libraries = self.libraries;
        if let Some(kind) = self.of_library_base(class, |base| libraries.kind_of_instance(base)) {
            return Value::Made(Rc::new(Made {
                kind,
                maker: class.tree.name.as_str().into(),
                arguments: arguments.clone(),
                place: Some(place.clone()),
                class: Some(class.clone()),
                chain: Some(chain.clone()),
            }));
        }
        Value::Instance(Rc::new(Instance {
            class: class.clone(),
            arguments: arguments.clone(),
            id: self.new_id(),
        }))
    }

    fn instance_attribute(&mut self, instance: &Rc<Instance<'m>>, name: &str) -> Value<'m> {
        if let Some(value) = self.set_by_methods(instance, name) {
            return value;
        }
        let object = Value::Instance(instance.clone());
        if let Some(set) = self.set_on(&object, name) {
            return set.value;
        }
        // Without an `__init__` of its own, as with a dataclass, what it is made with are its attributes.
        if self.class_attribute(&instance.class.clone(), "__init__").is_none() {
            if let Some(given) = instance.arguments.get(None, name) {
                return given.clone();
            }
            if !instance.arguments.positional.is_empty() {
                return Value::unknown("the object may be made with it");
            }
        }
        match self.class_attribute(&instance.class.clone(), name) {
            Some(Value::Function(closure)) if is_property(&closure) => {
                self.call_function(&closure, Some(&object), &Arguments::default(), None)
            }
            Some(Value::Function(_)) => method(&object, name),
            Some(value) => value,
            None => Value::unknown(format!("`{name}` is not set where it can be read")),
        }
    }

    /// What `self.name = ...` in the methods of a class and of its bases gives.
    fn set_by_methods(&mut self, instance: &Rc<Instance<'m>>, name: &str) -> Option<Value<'m>> {
        let mut seen = FxHashSet::default();
        let mut open = vec![instance.class.clone()];
        while let Some(class) = open.pop() {
            if !seen.insert(address(class.tree)) {
                continue;
            }
            if seen.len() > MAX_CLASSES || !self.spend(1, class.place.span, class.around.module) {
                return None;
            }
            if self.mentions(class.around.module, name) {
                let mut choices = Choices::default();
                self.set_by_methods_of(&class, instance, name, &mut choices);
                if !choices.is_empty() {
                    return Some(choices.finish());
                }
            }
            open.extend(self.bases(&class).into_iter().filter_map(|base| match base {
                Value::Class(base) => Some(base),
                _ => None,
            }));
        }
        None
    }

    fn set_by_methods_of(
        &mut self,
        class: &Rc<Class<'m>>,
        instance: &Rc<Instance<'m>>,
        name: &str,
        choices: &mut Choices<'m>,
    ) {
        let doings = self.doings(class.around.module);
        for set in doings.sets(name) {
            let [.., Definition::Class(tree), Definition::Function(function)] = &*set.within else {
                continue;
            };
            if !std::ptr::eq(*tree, class.tree) || !is_own_object(set) || !self.spend(1, set.span, class.around.module)
            {
                continue;
            }
            let around = self.class_chain(class);
            let chain = if function.name == "__init__" {
                let closure = Rc::new(Closure {
                    code: Code::Function(function),
                    around,
                    class: Some(class.clone()),
                });
                let arguments = instance.arguments.clone();
                self.entered(&closure, Some(Value::Instance(instance.clone())), &arguments, None)
            } else {
                self.function_chain(function, &around)
            };
            let value = self.value(set.value, &chain);
            choices.add(&value);
        }
    }

    /// The functions of a class body that are called so, for what only their calls tell.
    pub(crate) fn own_method(&mut self, class: &Rc<Class<'m>>, name: &str) -> Option<Rc<Closure<'m>>> {
        let has = class.tree.body.iter().any(|statement| match &statement.kind {
            StmtKind::Function(function) => function.name == name,
            _ => false,
        });
        if !has {
            return None;
        }
        let chain = self.class_chain(class);
        match self.in_scope(name, &chain, usize::MAX) {
            Some(Value::Function(closure)) => Some(closure),
            _ => None,
        }
    }
}

/// Whether it is set on the object of the method around it.
fn is_own_object(set: &AttributeSet<'_>) -> bool {
    let Some(Definition::Function(function)) = set.within.last() else {
        return false;
    };
    let is_method = matches!(set.within.iter().rev().nth(1), Some(Definition::Class(_)));
    let is_method = is_method && !has_decorator(function, "staticmethod");
    let first = function.parameters.first();
    is_method && first.is_some_and(|first| set.object.as_name() == Some(&first.name))
}

/// The name that an attribute of an attribute begins with.
fn root(expr: &Expr) -> Option<&str> {
    match &expr.kind {
        ExprKind::Attribute { value, .. } => root(value),
        _ => expr.as_name(),
    }
}

fn method<'m>(object: &Value<'m>, name: &str) -> Value<'m> {
    Value::Method(Rc::new((object.clone(), name.into())))
}

fn is_class_method(closure: &Closure<'_>) -> bool {
    matches!(closure.code, Code::Function(function) if has_decorator(function, "classmethod"))
}

fn is_property(closure: &Closure<'_>) -> bool {
    matches!(closure.code, Code::Function(function)
        if has_decorator(function, "property") || has_decorator(function, "cached_property"))
}
