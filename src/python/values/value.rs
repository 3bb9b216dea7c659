//! What an expression may be worth.

use std::hash::{Hash, Hasher};
use std::rc::Rc;
use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHasher};

use super::super::{Class as ClassTree, Expr, Function, Parameter};
use super::chain::Chain;
use super::text::Text;
use crate::source::{RepoPath, SourceFile, Span};

/// More than these of several possible values is none that can be told.
pub(super) const MAX_CHOICES: usize = 8;

/// A dict or list with more items than this is not followed.
pub(super) const MAX_ITEMS: usize = 4_096;

/// A longer text is no key of a dict, and the same as another only if it is the same object.
const MAX_KEY: usize = 4_096;

/// A longer list is the same as another only if it is the same object.
const MAX_COMPARED: usize = 16;

/// A place in a file of the snapshot.
#[derive(Debug, Clone)]
pub struct Place {
    /// The file.
    pub(crate) file: SourceFile,
    /// Where in it.
    pub(crate) span: Span,
}

impl Place {
    /// Whether two are the same.
    pub(crate) fn is(&self, other: &Self) -> bool {
        self.span == other.span && self.file.path() == other.file.path()
    }
}

/// The value of an expression.
#[derive(Clone)]
pub(crate) enum Value<'m> {
    /// It cannot be known; why, as half a sentence.
    Unknown(Rc<str>),
    /// `None`
    None,
    /// `True` or `False`
    Bool(bool),
    /// A whole number.
    Integer(i64),
    /// A text, perhaps with parts that are put in at run time.
    Text(Rc<Text>),
    /// A list, a tuple or a set.
    List(Rc<[Self]>),
    /// A dict.
    Dict(Rc<Dict<'m>>),
    /// A module of the project, or a package on the way to one.
    Module(Rc<ModuleName>),
    /// Something of a library, by its dotted name.
    External(Rc<str>),
    /// A class of the project.
    Class(Rc<Class<'m>>),
    /// A function of the project.
    Function(Rc<Closure<'m>>),
    /// `functools.partial(callee, ...)`
    Partial(Rc<(Self, Arguments<'m>)>),
    /// An object that a library made.
    Made(Rc<Made<'m>>),
    /// An object of one of the project's own classes.
    Instance(Rc<Instance<'m>>),
    /// A method of a value.
    Method(Rc<(Self, Rc<str>)>),
    /// `super()` inside a method: the object and the class that defines the method.
    Super(Rc<(Self, Rc<Class<'m>>)>),
    /// One of these, depending on something that is known only at run time.
    Either(Rc<[Self]>),
}

/// A module by name: absolute, or as seen from a folder in a relative import.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct ModuleName {
    /// The folder that a relative import starts from.
    pub(crate) folder: Option<RepoPath>,
    /// The dotted name; empty for the folder itself.
    pub(crate) dotted: String,
}

/// A dict as far as it is known.
#[derive(Clone, Default)]
pub(crate) struct Dict<'m> {
    items: Vec<(Value<'m>, Value<'m>)>,
    places: FxHashMap<u64, usize>,
    /// Why there may be more in it than is known.
    pub(crate) unknown: Option<Rc<str>>,
    /// Where it was written.
    pub(crate) place: Option<Place>,
}

/// A class of the project.
pub(crate) struct Class<'m> {
    /// The class.
    pub(crate) tree: &'m ClassTree,
    /// The scopes around it.
    pub(crate) around: Chain<'m>,
    /// Where its name stands.
    pub(crate) place: Place,
}

/// A function or a lambda together with the names it sees.
pub(crate) struct Closure<'m> {
    /// What is called.
    pub(crate) code: Code<'m>,
    /// The scopes around it.
    pub(crate) around: Chain<'m>,
    /// The class whose body defines it.
    pub(crate) class: Option<Rc<Class<'m>>>,
}

/// What can be called.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Code<'m> {
    /// A function.
    Function(&'m Arc<Function>),
    /// A lambda: its parameters and its value.
    Lambda(&'m [Parameter], &'m Expr),
}

impl<'m> Code<'m> {
    /// The parameters.
    pub(crate) fn parameters(&self) -> &'m [Parameter] {
        match self {
            Self::Function(function) => &function.parameters,
            Self::Lambda(parameters, _) => parameters,
        }
    }

    /// Something that no other function has.
    pub(super) fn identity(&self) -> usize {
        match self {
            Self::Function(function) => Arc::as_ptr(function) as usize,
            Self::Lambda(_, body) => std::ptr::from_ref(*body) as usize,
        }
    }
}

/// The arguments of a call.
#[derive(Clone, Default)]
pub(crate) struct Arguments<'m> {
    /// By position.
    pub(crate) positional: Vec<Value<'m>>,
    /// By name.
    pub(crate) named: Vec<(Rc<str>, Value<'m>)>,
    /// Why there may be more of them than is known.
    pub(crate) unknown: Option<Rc<str>>,
}

/// An object that a library made. Two are one when the same place made them.
pub(crate) struct Made<'m> {
    /// What it is to the room that knows the library.
    pub(crate) kind: &'static str,
    /// What the source calls to make it, for people.
    pub(crate) maker: Rc<str>,
    /// With these arguments.
    pub(crate) arguments: Arguments<'m>,
    /// Where the source makes it; nothing when a library does.
    pub(crate) place: Option<Place>,
    /// The class of the project that it is an object of, where the library's own was derived from.
    pub(crate) class: Option<Rc<Class<'m>>>,
    /// The call that it was made in, for what that call does with it later.
    pub(crate) chain: Option<Chain<'m>>,
}

/// An object of one of the project's own classes.
pub(crate) struct Instance<'m> {
    /// The class.
    pub(crate) class: Rc<Class<'m>>,
    /// What it was made with.
    pub(crate) arguments: Arguments<'m>,
    /// Something that no other object has.
    pub(super) id: usize,
}

impl ModuleName {
    /// A module by its absolute name.
    pub(crate) fn absolute(dotted: impl Into<String>) -> Self {
        Self {
            folder: None,
            dotted: dotted.into(),
        }
    }

    /// The module or package called `name` inside this one.
    pub(crate) fn join(&self, name: &str) -> Self {
        let dotted = if self.dotted.is_empty() {
            name.to_owned()
        } else {
            format!("{}.{name}", self.dotted)
        };
        Self {
            folder: self.folder.clone(),
            dotted,
        }
    }
}

impl<'m> Value<'m> {
    /// What cannot be known, for this reason.
    pub(crate) fn unknown(reason: impl Into<Rc<str>>) -> Self {
        Self::Unknown(reason.into())
    }

    /// A text that stands nowhere in the source.
    pub(crate) fn text(text: &str) -> Self {
        Self::Text(Rc::new(Text::plain(text)))
    }

    /// A dict.
    pub(crate) fn dict(dict: Dict<'m>) -> Self {
        Self::Dict(Rc::new(dict))
    }

    /// The text, where all of it is known.
    pub(crate) fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => text.known(),
            _ => None,
        }
    }

    /// The possible values.
    pub(crate) fn choices(&self) -> &[Self] {
        match self {
            Self::Either(values) => values,
            _ => std::slice::from_ref(self),
        }
    }

    /// Something that the same value, or the same object, has, and others hardly. Nothing for what cannot be known.
    pub(super) fn fingerprint(&self) -> Option<u64> {
        let mut hasher = FxHasher::default();
        std::mem::discriminant(self).hash(&mut hasher);
        match self {
            Self::Unknown(_) => return None,
            Self::None => {}
            Self::Bool(value) => value.hash(&mut hasher),
            Self::Integer(value) => value.hash(&mut hasher),
            Self::Text(text) => text.known().filter(|text| text.len() <= MAX_KEY)?.hash(&mut hasher),
            Self::List(items) if items.len() <= MAX_COMPARED && items.iter().all(Self::is_flat) => {
                for item in items.iter() {
                    item.fingerprint()?.hash(&mut hasher);
                }
            }
            Self::List(items) => hash_address(items.as_ptr(), &mut hasher),
            Self::Dict(dict) => hash_address(Rc::as_ptr(dict), &mut hasher),
            Self::Module(name) => name.hash(&mut hasher),
            Self::External(name) => name.hash(&mut hasher),
            Self::Class(class) => {
                hash_address(class.tree, &mut hasher);
                class.around.id().hash(&mut hasher);
            }
            Self::Function(closure) => {
                closure.code.identity().hash(&mut hasher);
                closure.around.id().hash(&mut hasher);
            }
            Self::Partial(partial) => hash_address(Rc::as_ptr(partial), &mut hasher),
            Self::Made(made) => {
                made.kind.hash(&mut hasher);
                if let Some(place) = &made.place {
                    place.file.path().hash(&mut hasher);
                    place.span.hash(&mut hasher);
                } else {
                    made.maker.hash(&mut hasher);
                }
            }
            Self::Instance(instance) => instance.id.hash(&mut hasher),
            Self::Method(method) => {
                method.0.fingerprint()?.hash(&mut hasher);
                method.1.hash(&mut hasher);
            }
            Self::Super(parts) => hash_address(Rc::as_ptr(parts), &mut hasher),
            Self::Either(values) => {
                for value in values.iter() {
                    value.fingerprint()?.hash(&mut hasher);
                }
            }
        }
        Some(hasher.finish())
    }

    /// Whether it holds no other values.
    fn is_flat(&self) -> bool {
        !matches!(self, Self::List(_) | Self::Either(_) | Self::Method(_))
    }

    /// Whether this is certainly the same value, or the same object.
    pub(crate) fn same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Text(one), Self::Text(other)) => {
                one.known().is_some() && (Rc::ptr_eq(one, other) || one.size() <= MAX_KEY && one == other)
            }
            (Self::External(one), Self::External(other)) => one == other,
            _ => self.fingerprint().is_some_and(|own| other.fingerprint() == Some(own)),
        }
    }

    /// One value that stands for all of them: equal ones and all that are unknown count once.
    pub(crate) fn either(values: impl IntoIterator<Item = Self>) -> Self {
        let mut choices = Choices::default();
        for value in values {
            choices.add(&value);
        }
        choices.finish()
    }

    /// Whether Python takes it for true, where that is known.
    pub(crate) fn truth(&self) -> Option<bool> {
        match self {
            Self::None => Some(false),
            Self::Bool(value) => Some(*value),
            Self::Integer(value) => Some(*value != 0),
            Self::Text(text) => text.known().map(|text| !text.is_empty()),
            Self::List(items) => Some(!items.is_empty()),
            Self::Dict(dict) if dict.unknown.is_none() => Some(!dict.items.is_empty()),
            Self::Class(_) | Self::Function(_) | Self::Made(_) | Self::Module(_) => Some(true),
            Self::Either(values) => {
                let first = values.first()?.truth()?;
                values.iter().all(|value| value.truth() == Some(first)).then_some(first)
            }
            _ => None,
        }
    }
}

fn hash_address<T>(pointer: *const T, hasher: &mut FxHasher) {
    (pointer as usize).hash(hasher);
}

/// Collects possible values.
#[derive(Default)]
pub(super) struct Choices<'m> {
    values: Vec<Value<'m>>,
    unknown: Option<Rc<str>>,
    too_many: bool,
}

impl<'m> Choices<'m> {
    pub(super) fn add(&mut self, value: &Value<'m>) {
        match value {
            Value::Either(values) => values.iter().for_each(|value| self.add(value)),
            Value::Unknown(reason) => {
                self.unknown.get_or_insert_with(|| reason.clone());
            }
            _ if self.values.iter().any(|known| known.same(value)) => {}
            _ if self.values.len() == MAX_CHOICES => self.too_many = true,
            _ => self.values.push(value.clone()),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.values.is_empty() && self.unknown.is_none()
    }

    /// Whether more values change nothing.
    pub(super) fn is_full(&self) -> bool {
        self.too_many
    }

    pub(super) fn finish(mut self) -> Value<'m> {
        if self.too_many {
            return Value::unknown("there are too many values that it may have");
        }
        self.values.extend(self.unknown.map(Value::Unknown));
        match self.values.len() {
            0 => Value::None,
            1 => self.values.swap_remove(0),
            _ => Value::Either(self.values.into()),
        }
    }
}

impl<'m> Dict<'m> {
    /// An empty dict that is written here.
    pub(crate) fn at(place: Place) -> Self {
        Self {
            place: Some(place),
            ..Self::default()
        }
    }

    /// Its items, in order.
    pub(crate) fn items(&self) -> &[(Value<'m>, Value<'m>)] {
        &self.items
    }

    /// The value of a key.
    pub(crate) fn get(&self, key: &Value<'m>) -> Option<&Value<'m>> {
        let place = self.places.get(&key.fingerprint()?)?;
        self.items.get(*place).map(|(_, value)| value)
    }

    /// Whether a key is certainly not in it.
    pub(crate) fn lacks(&self, key: &Value<'m>) -> bool {
        let is_known = !matches!(key, Value::Either(_)) && key.fingerprint().is_some();
        is_known && self.unknown.is_none() && self.get(key).is_none()
    }

    /// Sets a key.
    pub(crate) fn set(&mut self, key: Value<'m>, value: Value<'m>) {
        let is_several = matches!(key, Value::Either(_));
        let Some(fingerprint) = key.fingerprint().filter(|_| !is_several) else {
            self.unknown = Some("a key of the dict is computed".into());
            return;
        };
        if let Some(place) = self.places.get(&fingerprint) {
            self.items[*place].1 = value;
        } else if self.items.len() >= MAX_ITEMS {
            self.unknown = Some("the dict has too many items".into());
        } else {
            self.places.insert(fingerprint, self.items.len());
            self.items.push((key, value));
        }
    }

    /// Sets a key that may be set or not.
    pub(super) fn set_perhaps(&mut self, key: Value<'m>, value: Value<'m>) {
        let value = match self.get(&key).cloned() {
            Some(before) => Value::either([before, value]),
            None => Value::either([value, Value::unknown("it is set under a condition")]),
        };
        self.set(key, value);
    }

    /// Removes a key.
    pub(crate) fn remove(&mut self, key: &Value<'m>) {
        let removed = key
            .fingerprint()
            .and_then(|fingerprint| self.places.remove(&fingerprint));
        if let Some(removed) = removed {
            self.items.remove(removed);
            for place in self.places.values_mut().filter(|place| **place > removed) {
                *place -= 1;
            }
        }
    }

    /// As `dict.update` does it.
    pub(crate) fn update(&mut self, other: &Value<'m>) {
        match other {
            Value::Dict(dict) => {
                if dict.unknown.is_some() {
                    self.unknown.clone_from(&dict.unknown);
                }
                for (key, value) in &dict.items {
                    self.set(key.clone(), value.clone());
                }
            }
            Value::List(pairs) => {
                for pair in pairs.iter() {
                    match pair {
                        Value::List(parts) if parts.len() == 2 => self.set(parts[0].clone(), parts[1].clone()),
                        _ => self.unknown = Some("a pair is computed".into()),
                    }
                }
            }
            Value::None => {}
            Value::Unknown(reason) => self.unknown = Some(reason.clone()),
            _ => self.unknown = Some("a part of the dict is computed".into()),
        }
    }
}

impl<'m> Arguments<'m> {
    /// The argument for a parameter, by position where it has one, else by name.
    pub(crate) fn get(&self, position: Option<usize>, name: &str) -> Option<&Value<'m>> {
        let mut named = self.named.iter().rev();
        let named = named.find(|(known, _)| &**known == name).map(|(_, value)| value);
        named.or_else(|| self.positional.get(position?))
    }

    /// Whether an object is among them.
    pub(super) fn has(&self, object: &Value<'m>) -> bool {
        let named = self.named.iter().map(|(_, value)| value);
        self.positional.iter().chain(named).any(|one| one.same(object))
    }

    pub(super) fn fingerprint(&self) -> Option<u64> {
        let mut hasher = FxHasher::default();
        for value in &self.positional {
            value.fingerprint()?.hash(&mut hasher);
        }
        for (name, value) in &self.named {
            name.hash(&mut hasher);
            value.fingerprint()?.hash(&mut hasher);
        }
        self.unknown.is_none().then(|| hasher.finish())
    }
}
