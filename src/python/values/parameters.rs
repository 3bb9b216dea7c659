//! Parameters of functions that are read outside a call: the calls in the module tell what they are.

use std::rc::Rc;

use super::chain::Chain;
use super::reader::{ITEMS_A_STEP, Reader, address};
use super::value::{Arguments, Choices, Class, Instance, Value, has_decorator};
use crate::python::scopes::ScopeKind;
use crate::python::{Function, ParameterKind};
use crate::source::Span;

impl<'m> Reader<'m> {
    /// The value of a parameter of a scope.
    pub(super) fn parameter(&mut self, name: &str, chain: &Chain<'m>) -> Option<Value<'m>> {
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
        let is_method = matches!(chain.outer.as_ref().map(|outer| outer.scope.kind), Some(ScopeKind::Class(_)));
        if position == 0
            && is_method
            && !has_decorator(function, "staticmethod")
            && let Some(class) = &chain.class
        {
            if has_decorator(function, "classmethod") {
                return Some(Value::Class(class.clone()));
            }
            let arguments = self.made_with(class);
            return Some(Value::Instance(Rc::new(Instance {
                class: class.clone(),
                arguments,
                id: address(class.tree),
            })));
        }
        let (mut choices, is_called) = self.given_by_callers(function, position, usize::from(is_method), chain);
        if !is_called {
            choices.add(absent());
        }
        Some(choices.finish())
    }

    /// The arguments of the first call of a class in the modules that were read.
    fn made_with(&mut self, class: &Rc<Class<'m>>) -> Arguments<'m> {
        let key = address(class.tree);
        if let Some(known) = self.made_with.get(&key) {
            return known.clone();
        }
        let unknown = Arguments::unknown("nothing tells what the object was made with");
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
            let index = self.index(module);
            for (within, call) in index.calls(&class.tree.name) {
                let chain = self.within(module, within);
                if self.value(&call.callee, &chain).same(&Value::Class(class.clone())) {
                    return Some(self.arguments(&call.arguments, &chain));
                }
            }
        }
        None
    }

    /// The values that calls in the same module give for a parameter, and whether there are any calls.
    fn given_by_callers(
        &mut self,
        function: &'m Function,
        position: usize,
        bound: usize,
        chain: &Chain<'m>,
    ) -> (Choices<'m>, bool) {
        let mut choices = Choices::default();
        let parameter = &function.parameters[position];
        let index = self.index(chain.module);
        let calls = index.calls(&function.name);
        for (within, call) in calls {
            let steps = 1 + call.arguments.len() / ITEMS_A_STEP;
            if choices.is_full() || !self.spend(steps, call.span, chain.module) {
                break;
            }
            if matches!(parameter.kind, ParameterKind::Rest | ParameterKind::KeywordRest) {
                choices.add(Value::unknown("it takes the rest of the arguments"));
                continue;
            }
            let around = self.within(chain.module, within);
            let by_position = (parameter.kind == ParameterKind::Positional)
                .then(|| position.checked_sub(bound))
                .flatten();
            let value = match call.argument(by_position, &parameter.name) {
                Ok(Some(argument)) => self.value(&argument.value, &around),
                Ok(None) => match (&parameter.default, &chain.outer) {
                    (Some(default), Some(outer)) => self.value(default, outer),
                    _ => Value::unknown(format!("`{}` is not given", parameter.name)),
                },
                Err(_) => Value::unknown("some arguments come out of a `*` or `**` that is computed"),
            };
            choices.add(value);
        }
        (choices, !calls.is_empty())
    }
}
