//! Attributes that are assigned from elsewhere: `object.name = value` anywhere in the modules that were read.

use std::rc::Rc;
use std::sync::Arc;

use super::chain::Chain;
use super::reader::Reader;
use super::value::{Choices, Class, Closure, Code, Instance, Place, Value, has_decorator};
use crate::python::scopes::{AttributeAssignment, Binding, Definition, ScopeKind};
use crate::python::{Expr, Module};
use crate::source::Span;

/// A value that is assigned to an attribute of an object.
#[derive(Clone)]
pub(crate) struct Assigned<'m> {
    pub(crate) value: Value<'m>,
    pub(crate) place: Place,
    /// Whether it is certainly assigned.
    pub(crate) is_certain: bool,
}

/// A function that assigns to an attribute of a parameter.
enum Caller<'m> {
    /// A call of it with the object: the scopes inside that call.
    Entered(Chain<'m>),
    /// It may be called with the object.
    Doubtful(&'m str),
}

impl<'m> Reader<'m> {
    /// The value of an attribute of an object after all assignments.
    pub(crate) fn assigned(&mut self, object: &Value<'m>, name: &str) -> Option<Assigned<'m>> {
        let mut last: Option<Assigned<'m>> = None;
        for mut found in self.assignments(object, name) {
            if let Some(before) = last.take().filter(|_| !found.is_certain) {
                found.value = Value::either([before.value, found.value]);
                found.is_certain = before.is_certain;
            }
            last = Some(found);
        }
        last
    }

    /// The assignments to an attribute of an object, in the order in which the modules are executed.
    pub(crate) fn assignments(&mut self, object: &Value<'m>, name: &str) -> Vec<Assigned<'m>> {
        let mut found = Vec::new();
        // A module goes on after the modules that it imports.
        let modules: Vec<_> = self.asked().iter().rev().copied().collect();
        for module in modules {
            if !self.spend(1, Span::default(), module) {
                break;
            }
            if !self.mentions(module, name) {
                continue;
            }
            let index = self.index(module);
            for one in index.assignments(name) {
                if !self.spend(1, one.span, module) {
                    return found;
                }
                found.extend(self.assigned_by(object, module, one));
            }
        }
        found
    }

    /// What one assignment gives an object; none if it is to another object, or never executed.
    fn assigned_by(
        &mut self,
        object: &Value<'m>,
        module: &'m Module,
        assignment: &AttributeAssignment<'m>,
    ) -> Option<Assigned<'m>> {
        // The `self` of a method is neither a class nor an object of a library.
        if is_to_self(assignment) && !matches!(object, Value::Instance(_)) {
            return None;
        }
        let mut chain = self.chain_of(object, module, &assignment.within);
        if !self.is_object(assignment.object, &chain, object) {
            chain = match self.caller_with(object, module, assignment)? {
                Caller::Entered(inside) => inside,
                Caller::Doubtful(function) => {
                    return Some(Assigned {
                        value: Value::unknown(format!("`{function}` may set it")),
                        place: Place::new(module, assignment.span),
                        is_certain: false,
                    });
                }
            };
        }
        let block = chain.scope.block_at(assignment.span.start);
        let is_executed = self.is_executed(block, &chain);
        if is_executed == Some(false) {
            return None;
        }
        let is_called = chain.call.is_some() || self.is_called(module, &assignment.within);
        let value = if is_called {
            self.value(assignment.value, &chain)
        } else {
            Value::unknown("it is set in a function, and nothing here calls that")
        };
        Some(Assigned {
            value,
            place: Place::new(module, assignment.span),
            is_certain: is_executed == Some(true),
        })
    }

    fn is_object(&mut self, expr: &'m Expr, chain: &Chain<'m>, object: &Value<'m>) -> bool {
        let value = self.value(expr, chain);
        value.choices().iter().any(|one| one.same(object))
    }

    /// A call in another module of the function around an assignment, with the object as the argument.
    fn caller_with(
        &mut self,
        object: &Value<'m>,
        module: &'m Module,
        assignment: &AttributeAssignment<'m>,
    ) -> Option<Caller<'m>> {
        let Some(Definition::Function(function)) = assignment.within.last() else {
            return None;
        };
        let (root, _) = assignment.object.root_and_path()?;
        let is_parameter = function.parameters.iter().any(|one| one.name == root);
        if !matches!(object, Value::Made(_)) || !is_parameter {
            return None;
        }
        for caller in self.asked().to_vec() {
            if std::ptr::eq(caller, module) || !self.mentions(caller, &function.name) {
                continue;
            }
            let index = self.index(caller);
            let chain = self.module(caller);
            self.charge(chain.scope.names().count(), Span::default(), &chain);
            let names = self.names_imported_for(caller, &function.name);
            for (within, call) in names.iter().flat_map(|name| index.calls(name)) {
                if !self.spend(1, call.span, caller) {
                    return None;
                }
                let around = self.within(caller, within);
                let arguments = self.arguments(&call.arguments, &around);
                if assignment.within.len() > 1 {
                    if arguments.values().any(|one| one.same(object)) {
                        return Some(Caller::Doubtful(&function.name));
                    }
                    continue;
                }
                if let Value::Function(closure) = self.value(&call.callee, &around)
                    && matches!(closure.code, Code::Function(code) if Arc::ptr_eq(code, function))
                {
                    let inside = self.entered(&closure, None, &arguments, None);
                    if self.is_object(assignment.object, &inside, object) {
                        return Some(Caller::Entered(inside));
                    }
                }
            }
        }
        None
    }

    /// A name, and the others under which a module imports it.
    pub(crate) fn names_imported_for(&mut self, module: &'m Module, name: &'m str) -> Vec<&'m str> {
        let chain = self.module(module);
        let other = chain.scope.names().filter(|(own, known)| {
            let mut sites = known.sites.iter();
            *own != name
                && sites.any(|site| matches!(site.binding, Binding::ImportFrom { name: one, .. } if one == name))
        });
        let mut names: Vec<&'m str> = std::iter::once(name).chain(other.map(|(own, _)| own)).collect();
        names.sort_unstable();
        names
    }

    /// Whether a place is outside any function, or in one that a module calls.
    fn is_called(&mut self, module: &'m Module, within: &[Definition<'m>]) -> bool {
        let mut functions = within.iter().filter_map(|one| match one {
            Definition::Function(function) => Some(function.name.as_str()),
            Definition::Class(_) => None,
        });
        let Some(outermost) = functions.next() else { return true };
        let modules: Vec<_> = self.asked().to_vec();
        let calls = |reader: &mut Self, one: &'m Module| {
            reader.mentions(one, outermost) && !reader.index(one).calls(outermost).is_empty()
        };
        calls(self, module) || modules.into_iter().any(|one| calls(self, one))
    }

    /// The scope inside definitions. If the object is made in a call of the innermost function, the scope of that call.
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

    /// The value of `self.name = ...` in the methods of a class or its bases.
    pub(super) fn assigned_in_methods(&mut self, instance: &Rc<Instance<'m>>, name: &str) -> Option<Value<'m>> {
        self.in_family(&instance.class, |reader, class| {
            let mut choices = Choices::default();
            if reader.mentions(class.around.module, name) {
                reader.add_assigned_in_methods(class, instance, name, &mut choices);
            }
            (!choices.is_empty()).then(|| choices.finish())
        })
    }

    fn add_assigned_in_methods(
        &mut self,
        class: &Rc<Class<'m>>,
        instance: &Rc<Instance<'m>>,
        name: &str,
        choices: &mut Choices<'m>,
    ) {
        let index = self.index(class.around.module);
        for one in index.assignments(name) {
            let [.., Definition::Class(tree), Definition::Function(function)] = &*one.within else {
                continue;
            };
            if !std::ptr::eq(*tree, class.tree) || !is_to_self(one) || !self.spend(1, one.span, class.around.module) {
                continue;
            }
            let around = self.class_chain(class);
            let chain = if function.name == "__init__" {
                let closure = Rc::new(Closure {
                    code: Code::Function(function),
                    around,
                    class: Some(class.clone()),
                });
                self.entered(&closure, Some(Value::Instance(instance.clone())), &instance.arguments, None)
            } else {
                self.function_chain(function, &around)
            };
            choices.add(self.value(one.value, &chain));
        }
    }
}

/// Whether it assigns to the object of the method around it.
fn is_to_self(assignment: &AttributeAssignment<'_>) -> bool {
    let [.., Definition::Class(_), Definition::Function(function)] = &*assignment.within else {
        return false;
    };
    let first = function.parameters.first();
    let is_self = first.is_some_and(|first| assignment.object.as_name() == Some(&first.name));
    is_self && !has_decorator(function, "staticmethod")
}
