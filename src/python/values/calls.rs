//! Calls of functions, methods and classes, of the project and of libraries.

use std::rc::Rc;

use super::chain::{Call, Chain, Link};
use super::dict::Dict;
use super::reader::{BYTES_A_STEP, Reader, Returned};
use super::value::{Arguments, Closure, Code, Place, Value};
use crate::python::scopes::ScopeKind;
use crate::python::{Argument, ArgumentKind, Call as CallTree, ParameterKind};
use crate::source::Span;

/// How many calls may be nested.
const MAX_CALLS: usize = 24;

impl<'m> Reader<'m> {
    pub(super) fn called(&mut self, call: &'m CallTree, chain: &Chain<'m>) -> Value<'m> {
        let callee = self.value(&call.callee, chain);
        if let Value::External(name) = &callee
            && &**name == "builtins.super"
        {
            return super_of(chain);
        }
        self.call(&callee, call, chain)
    }

    fn call(&mut self, callee: &Value<'m>, call: &'m CallTree, chain: &Chain<'m>) -> Value<'m> {
        match callee {
            Value::Unknown(_) => callee.clone(),
            Value::External(name) if !self.libraries.is_callable(name) => {
                Value::unknown(format!("what `{name}()` gives is not known"))
            }
            Value::Either(callees) => Value::either(callees.iter().map(|callee| self.call(callee, call, chain))),
            _ => {
                let arguments = self.arguments(&call.arguments, chain);
                let place = Place::new(chain.module, call.span);
                self.call_with(callee, arguments, &place, chain)
            }
        }
    }

    /// What a call with these arguments returns. `place` is the call, and `chain` the scopes around it.
    pub(crate) fn call_with(
        &mut self,
        callee: &Value<'m>,
        arguments: Arguments<'m>,
        place: &Place,
        chain: &Chain<'m>,
    ) -> Value<'m> {
        match callee {
            Value::Function(closure) => {
                let until = until(closure, place, chain);
                self.call_function(closure, None, &arguments, until)
            }
            Value::Partial(partial) => {
                let (callee, first) = &**partial;
                let mut all = first.clone();
                all.positional.extend(arguments.positional);
                all.named.extend(arguments.named);
                all.unknown = all.unknown.or(arguments.unknown);
                self.call_with(callee, all, place, chain)
            }
            Value::Method(method) => {
                let (object, name) = &**method;
                self.call_method(object, name, arguments, place, chain)
            }
            Value::Class(class) => self.instantiate(class, &arguments, place, chain),
            Value::External(name) => self.libraries.call(self, name, arguments, place, chain),
            Value::Made(made) => self.libraries.method(self, made, "__call__", place),
            Value::Unknown(_) => callee.clone(),
            Value::Either(callees) => {
                let values = callees.iter();
                Value::either(values.map(|callee| self.call_with(callee, arguments.clone(), place, chain)))
            }
            _ => Value::unknown("it is the result of a call that cannot be followed"),
        }
    }

    pub(crate) fn arguments(&mut self, arguments: &'m [Argument], chain: &Chain<'m>) -> Arguments<'m> {
        let mut result = Arguments::default();
        let mut is_spread = false;
        for argument in arguments {
            let value = self.value(&argument.value, chain);
            match (&argument.kind, value) {
                (ArgumentKind::Positional, _) if is_spread => {}
                (ArgumentKind::Positional, value) => result.positional.push(value),
                (ArgumentKind::Keyword(name), value) => result.named.push((name.as_str().into(), value)),
                (ArgumentKind::Spread, Value::List(items)) if self.charge(items.len(), argument.span, chain) => {
                    result.positional.extend(items.iter().cloned());
                }
                (ArgumentKind::KeywordSpread, Value::Dict(dict))
                    if self.charge(dict.items().len(), argument.span, chain) =>
                {
                    result.unknown = result.unknown.or_else(|| dict.unknown.clone());
                    for (key, value) in dict.items() {
                        if let Some(name) = key.as_text() {
                            result.named.push((name.into(), value.clone()));
                        }
                    }
                }
                (ArgumentKind::Spread | ArgumentKind::KeywordSpread, _) => {
                    // What follows it may be any argument.
                    is_spread |= matches!(argument.kind, ArgumentKind::Spread);
                    result.unknown = Some("some arguments come out of a `*` or `**` that is computed".into());
                }
            }
        }
        result
    }

    /// What a function returns for these arguments. A function is not entered again inside its own call.
    pub(crate) fn call_function(
        &mut self,
        closure: &Rc<Closure<'m>>,
        receiver: Option<&Value<'m>>,
        arguments: &Arguments<'m>,
        until: Option<usize>,
    ) -> Value<'m> {
        let identity = closure.code.identity();
        if let Some((_, depth)) = self.calling.iter().find(|(known, _)| *known == identity) {
            self.cycle = self.cycle.min(*depth);
            return Value::unknown("a function calls itself");
        }
        if self.calling.len() >= MAX_CALLS || self.is_exhausted() {
            return Value::too_much();
        }
        let key = arguments
            .fingerprint()
            .zip(receiver.map_or(Some(0), Value::fingerprint))
            .map(|(arguments, receiver)| {
                let mixed = arguments ^ receiver.rotate_left(17) ^ (until.unwrap_or_default() as u64).rotate_left(31);
                (identity, closure.around.id(), mixed)
            });
        if let Some(known) = key.and_then(|key| self.returned.get(&key)) {
            self.height = self.height.max(known.height);
            return known.value.clone();
        }
        // The word may also be in a nested function.
        if self.code_of_body(closure).contains("yield") {
            return Value::unknown("the function is a generator");
        }
        let beside = std::mem::take(&mut self.height);
        self.calling.push((identity, self.depth));
        let chain = self.entered(closure, receiver.cloned(), arguments, until);
        let value = match closure.code {
            Code::Function(_) => self.returns(&chain),
            Code::Lambda(_, body) => self.value(body, &chain),
        };
        self.calling.pop();
        let height = self.height;
        self.height = beside.max(height);
        if let Some(key) = key.filter(|_| self.cycle > self.depth) {
            let returned = Returned {
                value: value.clone(),
                height,
                _kept: arguments.values().chain(receiver).cloned().collect(),
            };
            self.returned.insert(key, returned);
        }
        value
    }

    /// The source of the body of a function; empty for a lambda.
    pub(super) fn code_of_body(&mut self, closure: &Closure<'m>) -> &'m str {
        let Code::Function(function) = closure.code else {
            return "";
        };
        let (Some(first), Some(last)) = (function.body.first(), function.body.last()) else {
            return "";
        };
        let module = closure.around.module;
        let code = module.file().slice(Span::new(first.span.start, last.span.end));
        self.spend(code.len() / BYTES_A_STEP, first.span, module);
        code
    }

    /// The scope of a function inside a call.
    pub(crate) fn entered(
        &mut self,
        closure: &Rc<Closure<'m>>,
        receiver: Option<Value<'m>>,
        arguments: &Arguments<'m>,
        until: Option<usize>,
    ) -> Chain<'m> {
        let (kind, body) = match closure.code {
            Code::Function(function) => (ScopeKind::Function(function), function.body.as_slice()),
            Code::Lambda(parameters, _) => (ScopeKind::Lambda(parameters), &[][..]),
        };
        let parameters = self.bind(closure, receiver.as_ref(), arguments);
        let scope = self.scope(kind, body, closure.around.module);
        let call = Call {
            parameters,
            receiver,
            until,
        };
        self.new_chain(Link {
            call: Some(call),
            class: closure.class.clone(),
            ..Link::inside(&closure.around, scope)
        })
    }

    fn bind(
        &mut self,
        closure: &Rc<Closure<'m>>,
        receiver: Option<&Value<'m>>,
        arguments: &Arguments<'m>,
    ) -> Vec<(&'m str, Value<'m>)> {
        let by_name = closure.code.parameters().len().saturating_mul(arguments.named.len());
        if !self.charge(arguments.positional.len() + by_name, Span::default(), &closure.around) {
            return Vec::new();
        }
        let mut positional = receiver.into_iter().chain(&arguments.positional);
        let mut bound: Vec<(&'m str, Value<'m>)> = Vec::new();
        for parameter in closure.code.parameters() {
            let name = parameter.name.as_str();
            let value = match parameter.kind {
                ParameterKind::Rest => Value::List(positional.by_ref().cloned().collect()),
                ParameterKind::KeywordRest => {
                    let mut rest = Dict::default();
                    rest.unknown.clone_from(&arguments.unknown);
                    for (key, value) in &arguments.named {
                        if !bound.iter().any(|(taken, _)| *taken == &**key) {
                            rest.set(Value::text(key), value.clone());
                        }
                    }
                    Value::dict(rest)
                }
                ParameterKind::Positional | ParameterKind::KeywordOnly => {
                    let is_positional = parameter.kind == ParameterKind::Positional;
                    let by_position = if is_positional { positional.next() } else { None };
                    let given = by_position.or_else(|| arguments.get(None, name)).cloned();
                    match (given, &arguments.unknown, &parameter.default) {
                        (Some(value), ..) => value,
                        (None, Some(reason), _) => Value::Unknown(reason.clone()),
                        (None, None, Some(default)) => self.value(default, &closure.around),
                        (None, None, None) => Value::unknown(format!("`{name}` is an argument")),
                    }
                }
            };
            bound.push((name, value));
        }
        bound
    }

    /// `object.name(...)`
    pub(crate) fn call_method(
        &mut self,
        object: &Value<'m>,
        name: &str,
        arguments: Arguments<'m>,
        place: &Place,
        chain: &Chain<'m>,
    ) -> Value<'m> {
        match object {
            Value::Made(made) => self.libraries.method(self, made, name, place),
            Value::Instance(instance) => {
                let found = self.class_attribute(&instance.class, name);
                self.call_found(found, object, arguments, place, chain)
            }
            Value::Class(class) => {
                let found = self.class_attribute(class, name);
                self.call_found(found, object, arguments, place, chain)
            }
            Value::Super(parts) => {
                let (receiver, class) = &**parts;
                let found = self.attribute_of_bases(class, name);
                self.call_found(found, receiver, arguments, place, chain)
            }
            Value::Dict(dict) => self.dict_method(dict, name, &arguments, place.span, chain),
            Value::Text(text) => self.text_method(text, name, &arguments, place.span, chain),
            _ => Value::unknown(format!("what `.{name}()` gives is not known")),
        }
    }

    fn call_found(
        &mut self,
        found: Option<Value<'m>>,
        receiver: &Value<'m>,
        arguments: Arguments<'m>,
        place: &Place,
        chain: &Chain<'m>,
    ) -> Value<'m> {
        match found {
            Some(Value::Function(closure)) => {
                let receiver = Some(receiver).filter(|_| !closure.code.has_decorator("staticmethod"));
                let until = until(&closure, place, chain);
                self.call_function(&closure, receiver, &arguments, until)
            }
            Some(value) => self.call_with(&value, arguments, place, chain),
            None => Value::unknown("it is a method that cannot be followed"),
        }
    }
}

fn super_of<'m>(chain: &Chain<'m>) -> Value<'m> {
    let receiver = chain.call.as_ref().and_then(|call| call.receiver.clone());
    match (receiver, &chain.class) {
        (Some(receiver), Some(class)) => Value::Super(Rc::new((receiver, class.clone()))),
        _ => Value::unknown("`super()` is used outside a method"),
    }
}

/// How many bytes of a function's module are executed before a call of it: up to the call, where the module itself calls it.
fn until(closure: &Closure<'_>, place: &Place, chain: &Chain<'_>) -> Option<usize> {
    if !std::ptr::eq(closure.around.module, chain.module) {
        return None;
    }
    match chain.scope.kind {
        ScopeKind::Module | ScopeKind::Class(_) => Some(place.span.start),
        _ => chain.call.as_ref().and_then(|call| call.until),
    }
}
