//! Attributes of modules, classes and objects.

use std::rc::Rc;

use rustc_hash::FxHashSet;

use super::chain::Chain;
use super::reader::{Reader, address};
use super::value::{Arguments, Class, Closure, Instance, Made, Place, Value};
use crate::python::{ArgumentKind, StmtKind};

/// How many classes are searched for one attribute; bounds the stack.
const MAX_CLASSES: usize = 120;

impl<'m> Reader<'m> {
    /// `object.name`
    pub(crate) fn attribute(&mut self, object: &Value<'m>, name: &str) -> Value<'m> {
        match object {
            Value::Unknown(_) => object.clone(),
            Value::Module(module) => self.module_attribute(module, name),
            Value::External(path) => self.external(&format!("{path}.{name}")),
            Value::Class(class) => match self.class_attribute(class, name) {
                Some(Value::Function(closure)) if closure.code.has_decorator("classmethod") => method(object, name),
                Some(value) => value,
                None => Value::unknown(format!("`{}.{name}` is not set where it can be read", class.tree.name)),
            },
            Value::Made(made) => {
                let found = self.libraries.attribute(self, made, name);
                found.unwrap_or_else(|| method(object, name))
            }
            Value::Instance(instance) => self.instance_attribute(instance, name),
            Value::Either(objects) => Value::either(objects.iter().map(|object| self.attribute(object, name))),
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

    /// Whether an object has an attribute, if that is known.
    pub(super) fn has_attribute(&mut self, object: &Value<'m>, name: &str) -> Option<bool> {
        match object {
            Value::Made(made) => self.libraries.has(made, name),
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

    /// An attribute of a class or its bases, with what libraries add.
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
            return Some(Value::too_much());
        }
        if let Some(assigned) = self.assigned(&Value::Class(class.clone()), name) {
            return Some(assigned.value);
        }
        if let Some(value) = self.libraries.imposed(self, class, name) {
            return Some(value);
        }
        let chain = self.class_chain(class);
        if let Some(value) = self.in_scope(name, &chain, usize::MAX) {
            return Some(value);
        }
        if let Some(value) = self.libraries.inherited(self, class, name) {
            if self.is_set_for(class, name) {
                return Some(Value::unknown(format!("what makes `{}` may set `{name}`", class.tree.name)));
            }
            return Some(value);
        }
        self.found_in_bases(class, name, seen)
    }

    /// Whether a decorator, a metaclass or an `__init_subclass__` of the project mentions an attribute.
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
                    Value::Made(made) => self.libraries.attribute(self, made, name),
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

    /// The bases of a class.
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

    /// What `known` says about the first base of a library, direct or indirect, that it knows: by the dotted name of the class, or by the kind of
    /// the object that is the base.
    pub(crate) fn of_library_base<T>(&mut self, class: &Rc<Class<'m>>, known: impl Fn(&str) -> Option<T>) -> Option<T> {
        self.in_family(class, |reader, class| {
            reader.bases(class).iter().find_map(|base| match base {
                Value::External(name) => known(name),
                Value::Made(made) => known(made.kind),
                _ => None,
            })
        })
    }

    /// What `find` finds first in a class and the classes of the project that it derives from.
    pub(super) fn in_family<T>(
        &mut self,
        class: &Rc<Class<'m>>,
        mut find: impl FnMut(&mut Self, &Rc<Class<'m>>) -> Option<T>,
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
            let found = find(self, &class);
            if found.is_some() {
                return found;
            }
            let bases = self.bases(&class).into_iter().rev();
            open.extend(bases.filter_map(|base| match base {
                Value::Class(base) => Some(base),
                _ => None,
            }));
        }
        None
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
        if let Some(value) = self.assigned_in_methods(instance, name) {
            return value;
        }
        let object = Value::Instance(instance.clone());
        if let Some(assigned) = self.assigned(&object, name) {
            return assigned.value;
        }
        // Without an `__init__`, as with a dataclass, its arguments are its attributes.
        if self.class_attribute(&instance.class, "__init__").is_none() {
            if let Some(given) = instance.arguments.get(None, name) {
                return given.clone();
            }
            if !instance.arguments.positional.is_empty() {
                return Value::unknown("the object may be made with it");
            }
        }
        match self.class_attribute(&instance.class, name) {
            Some(Value::Function(closure))
                if closure.code.has_decorator("property") || closure.code.has_decorator("cached_property") =>
            {
                self.call_function(&closure, Some(&object), &Arguments::default(), None)
            }
            Some(Value::Function(_)) => method(&object, name),
            Some(value) => value,
            None => Value::unknown(format!("`{name}` is not set where it can be read")),
        }
    }

    /// A method that the body of a class defines.
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

fn method<'m>(object: &Value<'m>, name: &str) -> Value<'m> {
    Value::Method(Rc::new((object.clone(), name.into())))
}
