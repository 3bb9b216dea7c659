//! The values of expressions.

use std::hash::{Hash, Hasher};
use std::rc::Rc;
use std::sync::Arc;

use rustc_hash::FxHasher;

use super::chain::Chain;
use super::dict::Dict;
use super::text::Text;
use crate::python::{Class as ClassTree, Expr, Function, Module, Parameter};
use crate::source::{RepoPath, SourceFile, Span};

/// More possible values than this are unknown.
const MAX_CHOICES: usize = 8;

/// A dict or a list with more items than this is unknown.
pub(super) const MAX_ITEMS: usize = 4_096;

/// A longer text is no key of a dict, and equals another only if it is the same object.
const MAX_KEY: usize = 4_096;

/// A longer list equals another only if it is the same object.
const MAX_COMPARED: usize = 16;

/// The reason for what is beyond the bounds of the reader.
pub(super) const TOO_MUCH: &str = "there is too much code to follow";

/// A place in a file of the snapshot.
#[derive(Debug, Clone)]
pub struct Place {
    /// The file.
    pub file: SourceFile,
    /// The bytes in it.
    pub span: Span,
}

impl Place {
    pub(crate) fn new(module: &Module, span: Span) -> Self {
        Self {
            file: module.file().clone(),
            span,
        }
    }

    /// Whether two are the same.
    #[must_use]
    pub fn is(&self, other: &Self) -> bool {
        self.span == other.span && self.file.path() == other.file.path()
    }
}

/// The value of an expression.
#[derive(Clone)]
pub(crate) enum Value<'m> {
    /// It cannot be known; the reason is half a sentence.
    Unknown(Rc<str>),
    None,
    Bool(bool),
    Integer(i64),
    /// Perhaps with parts that are known only at run time.
    Text(Rc<Text>),
    /// A list, a tuple or a set.
    List(Rc<[Self]>),
    Dict(Rc<Dict<'m>>),
    /// A module of the project, or a package above one.
    Module(Rc<ModuleName>),
    /// Something of a library, by its dotted name.
    External(Rc<str>),
    /// A class of the project.
    Class(Rc<Class<'m>>),
    /// A function of the project.
    Function(Rc<Closure<'m>>),
    /// `functools.partial(callee, ...)`
    Partial(Rc<(Self, Arguments<'m>)>),
    /// An object of a library.
    Made(Rc<Made<'m>>),
    /// An object of a class of the project.
    Instance(Rc<Instance<'m>>),
    /// A method of a value, by name.
    Method(Rc<(Self, Rc<str>)>),
    /// `super()` in a method: the object, and the class that defines the method.
    Super(Rc<(Self, Rc<Class<'m>>)>),
    /// One of these, depending on something that is known only at run time.
    Either(Rc<[Self]>),
}

/// A module by its absolute name, or relative to a folder.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct ModuleName {
    /// Where a relative import starts.
    pub(crate) folder: Option<RepoPath>,
    /// Empty for the folder itself.
    pub(crate) dotted: String,
}

/// A class of the project.
pub(crate) struct Class<'m> {
    pub(crate) tree: &'m ClassTree,
    /// The scopes around it.
    pub(crate) around: Chain<'m>,
    /// Its name in the source.
    pub(crate) place: Place,
}

impl<'m> Class<'m> {
    /// The class that a statement makes in these scopes.
    pub(crate) fn new(tree: &'m ClassTree, around: &Chain<'m>) -> Rc<Self> {
        Rc::new(Self {
            tree,
            around: around.clone(),
            place: Place::new(around.module, tree.name_span),
        })
    }
}

/// A function or a lambda with the scopes around it.
pub(crate) struct Closure<'m> {
    pub(crate) code: Code<'m>,
    pub(crate) around: Chain<'m>,
    /// The class whose body defines it.
    pub(crate) class: Option<Rc<Class<'m>>>,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Code<'m> {
    Function(&'m Arc<Function>),
    Lambda(&'m [Parameter], &'m Expr),
}

impl<'m> Code<'m> {
    pub(super) fn parameters(&self) -> &'m [Parameter] {
        match self {
            Self::Function(function) => &function.parameters,
            Self::Lambda(parameters, _) => parameters,
        }
    }

    /// Different for each function.
    pub(super) fn identity(&self) -> usize {
        match self {
            Self::Function(function) => Arc::as_ptr(function) as usize,
            Self::Lambda(_, body) => std::ptr::from_ref(*body) as usize,
        }
    }

    /// Whether it is a function with this decorator.
    pub(super) fn has_decorator(&self, name: &str) -> bool {
        matches!(self, Self::Function(function) if has_decorator(function, name))
    }
}

pub(super) fn has_decorator(function: &Function, name: &str) -> bool {
    let mut decorators = function.decorators.iter();
    decorators.any(|decorator| decorator.as_name() == Some(name))
}

/// The arguments of a call.
#[derive(Clone, Default)]
pub(crate) struct Arguments<'m> {
    pub(crate) positional: Vec<Value<'m>>,
    pub(crate) named: Vec<(Rc<str>, Value<'m>)>,
    /// Why there may be others.
    pub(crate) unknown: Option<Rc<str>>,
}

/// An object of a library. Two from the same place are the same object.
pub(crate) struct Made<'m> {
    /// One of [`crate::libraries::kinds`].
    pub(crate) kind: &'static str,
    /// What the source calls to make it, for messages.
    pub(crate) maker: Rc<str>,
    pub(crate) arguments: Arguments<'m>,
    /// Where the source makes it; none when a library does.
    pub(crate) place: Option<Place>,
    /// Its class, where a class of the project derives from the library's.
    pub(crate) class: Option<Rc<Class<'m>>>,
    /// The scopes around the call that makes it.
    pub(crate) chain: Option<Chain<'m>>,
}

/// An object of a class of the project.
pub(crate) struct Instance<'m> {
    pub(crate) class: Rc<Class<'m>>,
    pub(crate) arguments: Arguments<'m>,
    pub(super) id: usize,
}

impl ModuleName {
    pub(crate) fn absolute(dotted: impl Into<String>) -> Self {
        Self {
            folder: None,
            dotted: dotted.into(),
        }
    }

    /// The module or package called `name` inside this one.
    pub(crate) fn join(&self, name: &str) -> Self {
        let dotted = match self.dotted.as_str() {
            "" => name.to_owned(),
            dotted => format!("{dotted}.{name}"),
        };
        Self {
            folder: self.folder.clone(),
            dotted,
        }
    }
}

impl<'m> Value<'m> {
    /// What is beyond the bounds of the reader.
    pub(super) fn too_much() -> Self {
        Self::unknown(TOO_MUCH)
    }

    pub(crate) fn unknown(reason: impl Into<Rc<str>>) -> Self {
        Self::Unknown(reason.into())
    }

    /// A text that is not written in the source.
    pub(crate) fn text(text: &str) -> Self {
        Self::Text(Rc::new(Text::plain(text)))
    }

    pub(crate) fn dict(dict: Dict<'m>) -> Self {
        Self::Dict(Rc::new(dict))
    }

    /// The text, if all of it is known.
    pub(crate) fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => text.known(),
            _ => None,
        }
    }

    /// The possible values: several for [`Value::Either`].
    pub(crate) fn choices(&self) -> &[Self] {
        match self {
            Self::Either(values) => values,
            _ => std::slice::from_ref(self),
        }
    }

    /// A hash of the value, or of the identity of the object. None for what is unknown.
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

    /// Whether it contains no other values.
    fn is_flat(&self) -> bool {
        !matches!(self, Self::List(_) | Self::Either(_) | Self::Method(_))
    }

    /// Whether it is certainly the same value or the same object.
    pub(crate) fn same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Text(one), Self::Text(other)) => {
                one.known().is_some() && (Rc::ptr_eq(one, other) || one.size() <= MAX_KEY && one == other)
            }
            (Self::External(one), Self::External(other)) => one == other,
            _ => self.fingerprint().is_some_and(|own| other.fingerprint() == Some(own)),
        }
    }

    /// One value for several possible ones. Equal ones count once, and so do all unknown ones.
    pub(crate) fn either(values: impl IntoIterator<Item = Self>) -> Self {
        let mut choices = Choices::default();
        for value in values {
            choices.add(value);
        }
        choices.finish()
    }

    /// `bool(value)`, if it is known.
    pub(crate) fn truth(&self) -> Option<bool> {
        match self {
            Self::None => Some(false),
            Self::Bool(value) => Some(*value),
            Self::Integer(value) => Some(*value != 0),
            Self::Text(text) => text.known().map(|text| !text.is_empty()),
            Self::List(items) => Some(!items.is_empty()),
            Self::Dict(dict) if dict.unknown.is_none() => Some(!dict.items().is_empty()),
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
    pub(super) fn add(&mut self, value: Value<'m>) {
        match value {
            Value::Either(values) => values.iter().for_each(|value| self.add(value.clone())),
            Value::Unknown(reason) => {
                self.unknown.get_or_insert(reason);
            }
            _ if self.values.iter().any(|known| known.same(&value)) => {}
            _ if self.values.len() == MAX_CHOICES => self.too_many = true,
            _ => self.values.push(value),
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

impl<'m> Arguments<'m> {
    /// One keyword argument.
    pub(crate) fn named(name: &str, value: Value<'m>) -> Self {
        Self {
            named: vec![(name.into(), value)],
            ..Self::default()
        }
    }

    /// Arguments of which nothing is known.
    pub(crate) fn unknown(reason: impl Into<Rc<str>>) -> Self {
        Self {
            unknown: Some(reason.into()),
            ..Self::default()
        }
    }

    /// All values, in order.
    pub(super) fn values(&self) -> impl Iterator<Item = &Value<'m>> {
        self.positional.iter().chain(self.named.iter().map(|(_, value)| value))
    }

    /// The argument for a parameter, by name or by position.
    pub(crate) fn get(&self, position: Option<usize>, name: &str) -> Option<&Value<'m>> {
        let mut named = self.named.iter().rev();
        let named = named.find(|(known, _)| &**known == name).map(|(_, value)| value);
        named.or_else(|| self.positional.get(position?))
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
