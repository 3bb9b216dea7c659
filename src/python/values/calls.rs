//! Calls: of the project's own functions, of what a value offers, and of libraries.

use std::rc::Rc;

use super::super::scopes::ScopeKind;
use super::super::{Argument, ArgumentKind, Call as CallTree, ParameterKind};
use super::chain::{Call, Chain, Link};
use super::names::has_decorator;
use super::reader::{BYTES_A_STEP, Reader, Returned, put_in};
use super::text::{Field, Piece, Template, Text, brace_pieces, percent_pieces};
use super::value::{Arguments, Closure, Code, Dict, Place, Value};
use crate::source::Span;

/// How many functions may be asked inside each other.
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
            Value::Either(callees) => {
                let values: Vec<Value<'m>> = callees.iter().map(|callee| self.call(callee, call, chain)).collect();
                Value::either(values)
            }
            _ => {
                let arguments = self.arguments(&call.arguments, chain);
                let place = Self::place(chain, call.span);
                self.call_with(callee, arguments, &place, chain)
            }
        }
    }

    /// What a call with these arguments gives; `place` is the call, and `chain` what is around it.
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
            Value::External(name) => {
                let libraries = self.libraries;
                libraries.call(self, name, arguments, place, chain)
            }
            Value::Made(made) => {
                let libraries = self.libraries;
                libraries.method(self, made, "__call__", place)
            }
            Value::Unknown(_) => callee.clone(),
            Value::Either(callees) => {
                let values: Vec<Value<'m>> = callees
                    .iter()
                    .map(|callee| self.call_with(callee, arguments.clone(), place, chain))
                    .collect();
                Value::either(values)
            }
            _ => Value::unknown("it is the result of a call that cannot be followed"),
        }
    }

    /// The arguments of a call.
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
                    // What stands behind it may be any argument.
                    is_spread |= matches!(argument.kind, ArgumentKind::Spread);
                    result.unknown = Some("some arguments come out of a `*` or `**` that is computed".into());
                }
            }
        }
        result
    }

    /// What a function returns for these arguments. Each is entered once at a time.
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
            return Value::unknown("there is too much code to follow");
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
        if self.yields(closure) {
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
            let kept = arguments
                .positional
                .iter()
                .chain(arguments.named.iter().map(|(_, value)| value))
                .chain(receiver);
            let known = Returned {
                value: value.clone(),
                height,
                _kept: kept.cloned().collect(),
            };
            self.returned.insert(key, known);
        }
        value
    }

    /// Whether a function yields, by its text, where the word may also be another's.
    fn yields(&mut self, closure: &Closure<'m>) -> bool {
        self.code_of_body(closure).contains("yield")
    }

    /// The source of a function's body; nothing for a lambda.
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
        let id = self.new_id();
        Chain::new(Link {
            scope,
            module: closure.around.module,
            outer: Some(closure.around.clone()),
            call: Some(Call {
                parameters,
                receiver,
                until,
            }),
            rounds: Vec::new(),
            class: closure.class.clone(),
            id,
        })
    }

    fn bind(
        &mut self,
        closure: &Rc<Closure<'m>>,
        receiver: Option<&Value<'m>>,
        arguments: &Arguments<'m>,
    ) -> Vec<(&'m str, Value<'m>)> {
        let parameters = closure.code.parameters().len();
        let span = Span::default();
        let is_left = self.charge(
            arguments.positional.len() + parameters.saturating_mul(arguments.named.len()),
            span,
            &closure.around,
        );
        if !is_left {
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
                        (None, None, Some(default)) => self.value(default, &closure.around.clone()),
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
            Value::Made(made) => {
                let libraries = self.libraries;
                libraries.method(self, made, name, place)
            }
            Value::Instance(instance) => {
                let found = self.class_attribute(&instance.class.clone(), name);
                self.call_found(found, object, arguments, place, chain)
            }
            Value::Class(class) => {
                let found = self.class_attribute(&class.clone(), name);
                self.call_found(found, object, arguments, place, chain)
            }
            Value::Super(parts) => {
                let (receiver, class) = &**parts;
                let found = self.attribute_of_bases(class, name);
                self.call_found(found, receiver, arguments, place, chain)
            }
            Value::Dict(dict) => self.call_of_dict(dict, name, &arguments, place.span, chain),
            Value::Text(text) => self.call_of_text(text, name, &arguments, place.span, chain),
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
                let receiver = match closure.code {
                    Code::Function(function) if has_decorator(function, "staticmethod") => None,
                    _ => Some(receiver),
                };
                let until = until(&closure, place, chain);
                self.call_function(&closure, receiver, &arguments, until)
            }
            Some(value) => self.call_with(&value, arguments, place, chain),
            None => Value::unknown("it is a method that cannot be followed"),
        }
    }

    fn call_of_dict(
        &mut self,
        dict: &Rc<Dict<'m>>,
        name: &str,
        arguments: &Arguments<'m>,
        span: Span,
        chain: &Chain<'m>,
    ) -> Value<'m> {
        match name {
            "copy" => Value::Dict(dict.clone()),
            _ if !self.charge(dict.items().len(), span, chain) => Value::unknown("there is too much code to follow"),
            "union" => {
                let mut merged = Dict::clone(dict);
                for other in &arguments.positional {
                    self.update(&mut merged, other, span, chain);
                }
                Value::dict(merged)
            }
            "get" | "setdefault" | "pop" => {
                let key = arguments.positional.first().cloned().unwrap_or(Value::None);
                if dict.lacks(&key) {
                    return arguments.positional.get(1).cloned().unwrap_or(Value::None);
                }
                self.item(&Value::Dict(dict.clone()), &key)
            }
            "items" | "keys" | "values" if dict.unknown.is_none() => {
                let items = dict.items().iter().map(|(key, value)| match name {
                    "keys" => key.clone(),
                    "values" => value.clone(),
                    _ => Value::List([key.clone(), value.clone()].into()),
                });
                Value::List(items.collect())
            }
            _ => Value::unknown(format!("what `.{name}()` of a dict gives is not known")),
        }
    }

    fn call_of_text(
        &mut self,
        text: &Rc<Text>,
        name: &str,
        arguments: &Arguments<'m>,
        span: Span,
        chain: &Chain<'m>,
    ) -> Value<'m> {
        match name {
            _ if !self.spend(text.size() / BYTES_A_STEP, span, chain.module) => {
                Value::unknown("there is too much text to follow")
            }
            "strip" | "lstrip" | "rstrip" if arguments.positional.is_empty() => Value::Text(trimmed(text, name)),
            "format" => {
                let fill = |field: &Field, next: &mut usize| match field {
                    Field::Next => {
                        *next += 1;
                        arguments.positional.get(*next - 1).cloned()
                    }
                    Field::At(place) => arguments.positional.get(*place).cloned(),
                    Field::Named(name) => arguments.get(None, name).cloned(),
                };
                let pieces = brace_pieces(text.as_str());
                let fill = |field: &Field, next: &mut usize| fill(field, next).filter(|_| arguments.unknown.is_none());
                let filled = filled(text, &pieces, Template::Braces, &fill);
                self.text(filled, span, chain)
            }
            "join" => {
                let Some(Value::List(parts)) = arguments.positional.first() else {
                    return Value::unknown("the text is put together at run time");
                };
                self.charge(parts.len(), span, chain);
                let mut joined = Text::default();
                for (at, part) in parts.iter().enumerate() {
                    if at > 0 {
                        joined.push(text);
                    }
                    put_in(&mut joined, Some(part));
                    if joined.size() >= super::text::MAX_TEXT {
                        break;
                    }
                }
                self.text(joined, span, chain)
            }
            "lower" | "upper" => match text.known() {
                Some(known) if name == "lower" => Value::text(&known.to_lowercase()),
                Some(known) => Value::text(&known.to_uppercase()),
                None => Value::unknown("the text is put together at run time"),
            },
            "replace" => match (text.known(), &arguments.positional[..]) {
                (Some(known), [Value::Text(old), Value::Text(new)]) => match (old.known(), new.known()) {
                    (Some(old), Some(new)) if !old.is_empty() && known.len() <= 4_096 && new.len() <= 256 => {
                        Value::text(&known.replace(old, new))
                    }
                    _ => Value::unknown("the text is put together at run time"),
                },
                _ => Value::unknown("the text is put together at run time"),
            },
            _ => Value::unknown("the text is put together at run time"),
        }
    }

    /// `"..." % values`
    pub(crate) fn filled_percents(
        &mut self,
        template: &Rc<Text>,
        values: &Value<'m>,
        span: Span,
        chain: &Chain<'m>,
    ) -> Value<'m> {
        let fill = |field: &Field, next: &mut usize| match (field, values) {
            (Field::Next, Value::List(items)) => {
                *next += 1;
                items.get(*next - 1).cloned()
            }
            (Field::Next, _) => {
                *next += 1;
                (*next == 1).then(|| values.clone())
            }
            (Field::Named(name), Value::Dict(dict)) => dict.get(&Value::text(name)).cloned(),
            _ => None,
        };
        self.spend(template.size() / BYTES_A_STEP, span, chain.module);
        let pieces = percent_pieces(template.as_str());
        let filled = filled(template, &pieces, Template::Percents, &fill);
        self.text(filled, span, chain)
    }
}

type Fill<'f, 'm> = dyn Fn(&Field, &mut usize) -> Option<Value<'m>> + 'f;

fn filled(template: &Text, pieces: &[Piece], kind: Template, fill: &Fill<'_, '_>) -> Text {
    let mut text = Text::default();
    let mut next = 0;
    for piece in pieces {
        match piece {
            Piece::Stands(range) => text.push_part(template, range.clone(), Some(kind)),
            Piece::Filled(field, is_plain) => {
                let value = field.as_ref().and_then(|field| fill(field, &mut next));
                put_in(&mut text, value.as_ref().filter(|_| *is_plain));
            }
        }
    }
    text
}

fn trimmed(text: &Rc<Text>, method: &str) -> Rc<Text> {
    let whole = text.as_str();
    let start = match method {
        "rstrip" => 0,
        _ => whole.len() - whole.trim_start().len(),
    };
    let end = match method {
        "lstrip" => whole.len(),
        _ => whole.trim_end().len().max(start),
    };
    let mut part = Text::default();
    part.push_part(text, start..end, None);
    Rc::new(part)
}

fn super_of<'m>(chain: &Chain<'m>) -> Value<'m> {
    let receiver = chain.call.as_ref().and_then(|call| call.receiver.clone());
    match (receiver, &chain.class) {
        (Some(receiver), Some(class)) => Value::Super(Rc::new((receiver, class.clone()))),
        _ => Value::unknown("`super()` is used outside a method"),
    }
}

/// How far the function's module was executed when it is called: up to the call, where the module itself calls it.
fn until(closure: &Closure<'_>, place: &Place, chain: &Chain<'_>) -> Option<usize> {
    if !std::ptr::eq(closure.around.module, chain.module) {
        return None;
    }
    match chain.scope.kind {
        ScopeKind::Module | ScopeKind::Class(_) => Some(place.span.start),
        _ => chain.call.as_ref().and_then(|call| call.until),
    }
}
