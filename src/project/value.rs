//! What a Python expression is worth, as far as it can be known without running anything.
//!
//! Objects that are changed after they were made (a dict that gets items, a metadata whose convention is assigned) are shared by
//! reference, as in Python.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use crate::python::Function;
use crate::source::{RepoPath, SourceFile, Span};

/// A place in a file of the snapshot.
#[derive(Debug, Clone)]
pub struct Place {
    /// The file.
    pub file: SourceFile,
    /// Where in it.
    pub span: Span,
}

/// The value of an expression.
#[derive(Clone)]
pub(super) enum Value {
    /// It cannot be known; why, as half a sentence.
    Unknown(Rc<str>),
    None,
    Bool(bool),
    Integer(i64),
    Text(Rc<str>),
    /// A list or a tuple.
    List(Rc<RefCell<Vec<Value>>>),
    Dict(Rc<RefCell<Dict>>),
    /// A module of the project, or a package on the way to one.
    Module(Rc<ModuleName>),
    /// Something of a library, by its dotted name.
    External(Rc<str>),
    Class(Rc<Class>),
    Function(Rc<Closure>),
    /// `functools.partial(callee, ...)`
    Partial(Rc<(Value, Arguments)>),
    Metadata(Rc<Metadata>),
    /// `registry(...)`
    Registry(Rc<Metadata>),
    /// Flask-SQLAlchemy's `SQLAlchemy(...)`
    Database(Rc<Database>),
    Instance(Rc<Instance>),
    /// A method of a value that is known.
    Method(Rc<(Value, Rc<str>)>),
    /// `super()` inside a method: the object and the class that defines the method.
    Super(Rc<(Value, Rc<Class>)>),
    /// One of these, depending on something that is known only at run time.
    Either(Rc<[Value]>),
}

/// A module by name: absolute, or as seen from a folder in a relative import.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct ModuleName {
    pub(super) folder: Option<RepoPath>,
    pub(super) dotted: String,
}

impl ModuleName {
    pub(super) fn absolute(dotted: impl Into<String>) -> Self {
        Self {
            folder: None,
            dotted: dotted.into(),
        }
    }

    /// The module or package called `name` inside this one.
    pub(super) fn join(&self, name: &str) -> Self {
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

/// A dict as far as it is known.
#[derive(Default)]
pub(super) struct Dict {
    pub(super) items: Vec<(Value, Value)>,
    /// Why there may be more in it than is known.
    pub(super) unknown: Option<Rc<str>>,
    /// Where it was written.
    pub(super) place: Option<Place>,
}

/// A class of the project, or a library's class that the project builds on.
pub(super) struct Class {
    pub(super) name: Rc<str>,
    pub(super) place: Option<Place>,
    pub(super) bases: Vec<Value>,
    pub(super) keywords: Vec<(String, Value)>,
    pub(super) attributes: RefCell<HashMap<String, Value>>,
    /// The metadata that the library makes for it, once asked for.
    pub(super) own_metadata: RefCell<Option<Value>>,
}

/// A function together with the names it sees.
pub(super) struct Closure {
    pub(super) function: Arc<Function>,
    pub(super) module: RepoPath,
    pub(super) scopes: Vec<Scope>,
    /// The class whose body defines it.
    pub(super) class: RefCell<Option<Rc<Class>>>,
}

/// The names of one scope.
pub(super) type Scope = Rc<RefCell<HashMap<String, Value>>>;

/// The arguments of a call, evaluated.
#[derive(Clone, Default)]
pub(super) struct Arguments {
    pub(super) positional: Vec<Value>,
    pub(super) named: Vec<(String, Value)>,
    /// Why there may be more of them than is known.
    pub(super) unknown: Option<Rc<str>>,
}

/// A `MetaData` object.
pub(super) struct Metadata {
    /// How the source makes it: `MetaData()`, `DeclarativeBase`, `SQLModel`.
    pub(super) maker: Rc<str>,
    /// Where the source makes it; nothing when a library does.
    pub(super) place: Option<Place>,
    pub(super) convention: RefCell<Setting>,
    /// Where a convention was meant to be given that SQLAlchemy does not use, and why it does not.
    pub(super) ineffective: RefCell<Vec<(Place, Rc<str>)>>,
    /// The first table that the source defines in it.
    pub(super) first_table: RefCell<Option<Place>>,
    /// Where a convention was set after that table.
    pub(super) set_late: RefCell<Option<Place>>,
    /// Whether tables are read from a database into it.
    pub(super) reflects: Cell<bool>,
}

/// What is known of a metadata's `naming_convention`.
#[derive(Clone)]
pub(super) enum Setting {
    /// Nothing was given: SQLAlchemy's default, which names indexes only.
    Default,
    /// This was given, here.
    Given(Value, Option<Place>),
}

/// Flask-SQLAlchemy's extension object.
pub(super) struct Database {
    pub(super) metadata: Value,
    pub(super) model: Value,
}

/// An object of one of the project's own classes.
pub(super) struct Instance {
    pub(super) class: Rc<Class>,
    pub(super) attributes: RefCell<HashMap<String, Value>>,
}

impl Value {
    pub(super) fn unknown(reason: impl Into<Rc<str>>) -> Self {
        Self::Unknown(reason.into())
    }

    pub(super) fn text(text: impl Into<Rc<str>>) -> Self {
        Self::Text(text.into())
    }

    pub(super) fn list(items: Vec<Self>) -> Self {
        Self::List(Rc::new(RefCell::new(items)))
    }

    pub(super) fn dict(dict: Dict) -> Self {
        Self::Dict(Rc::new(RefCell::new(dict)))
    }

    pub(super) fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Whether this is certainly the same value, or the same object.
    pub(super) fn same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::None, Self::None) => true,
            (Self::Bool(a), Self::Bool(b)) => a == b,
            (Self::Integer(a), Self::Integer(b)) => a == b,
            (Self::Text(a), Self::Text(b)) | (Self::External(a), Self::External(b)) => a == b,
            (Self::Module(a), Self::Module(b)) => a == b,
            (Self::List(a), Self::List(b)) => Rc::ptr_eq(a, b),
            (Self::Dict(a), Self::Dict(b)) => Rc::ptr_eq(a, b),
            (Self::Class(a), Self::Class(b)) => Rc::ptr_eq(a, b),
            (Self::Function(a), Self::Function(b)) => Rc::ptr_eq(a, b),
            (Self::Metadata(a), Self::Metadata(b)) | (Self::Registry(a), Self::Registry(b)) => Rc::ptr_eq(a, b),
            (Self::Database(a), Self::Database(b)) => Rc::ptr_eq(a, b),
            (Self::Instance(a), Self::Instance(b)) => Rc::ptr_eq(a, b),
            _ => false,
        }
    }

    /// One value that stands for all of them.
    pub(super) fn either(values: impl IntoIterator<Item = Self>) -> Self {
        let mut distinct: Vec<Self> = Vec::new();
        for value in values {
            let parts = match value {
                Self::Either(parts) => parts.to_vec(),
                other => vec![other],
            };
            for part in parts {
                if !distinct.iter().any(|known| known.same(&part)) {
                    distinct.push(part);
                }
            }
        }
        match distinct.len() {
            0 => Self::None,
            1 => distinct.swap_remove(0),
            _ => Self::Either(distinct.into()),
        }
    }

    /// Whether Python takes it for true, where that is known.
    pub(super) fn truth(&self) -> Option<bool> {
        match self {
            Self::None => Some(false),
            Self::Bool(value) => Some(*value),
            Self::Integer(value) => Some(*value != 0),
            Self::Text(text) => Some(!text.is_empty()),
            Self::List(items) => Some(!items.borrow().is_empty()),
            Self::Dict(dict) if dict.borrow().unknown.is_none() => Some(!dict.borrow().items.is_empty()),
            Self::Class(_) | Self::Function(_) | Self::Metadata(_) | Self::Registry(_) | Self::Database(_) => {
                Some(true)
            }
            _ => None,
        }
    }
}

impl Dict {
    pub(super) fn get(&self, key: &Value) -> Option<&Value> {
        self.items
            .iter()
            .rev()
            .find(|(known, _)| known.same(key))
            .map(|(_, value)| value)
    }

    pub(super) fn set(&mut self, key: Value, value: Value) {
        match self.items.iter_mut().find(|(known, _)| known.same(&key)) {
            Some((_, slot)) => *slot = value,
            None => self.items.push((key, value)),
        }
    }

    /// As `dict.update` does it.
    pub(super) fn update(&mut self, other: &Value) {
        match other {
            Value::Dict(dict) => {
                let dict = dict.borrow();
                if dict.unknown.is_some() {
                    self.unknown.clone_from(&dict.unknown);
                }
                for (key, value) in &dict.items {
                    self.set(key.clone(), value.clone());
                }
            }
            Value::List(pairs) => {
                for pair in pairs.borrow().iter() {
                    match pair {
                        Value::List(parts) if parts.borrow().len() == 2 => {
                            let parts = parts.borrow();
                            self.set(parts[0].clone(), parts[1].clone());
                        }
                        _ => self.unknown = Some("a pair is computed".into()),
                    }
                }
            }
            Value::None => {}
            Value::Unknown(reason) => self.unknown = Some(reason.clone()),
            _ => self.unknown = Some("a part of the dict is computed".into()),
        }
    }

    /// A copy that can be changed without changing this one.
    pub(super) fn copy(&self) -> Self {
        Self {
            items: self.items.clone(),
            unknown: self.unknown.clone(),
            place: self.place.clone(),
        }
    }
}

impl Arguments {
    /// The argument for a parameter, by position where it has one, else by name.
    pub(super) fn get(&self, position: Option<usize>, name: &str) -> Option<&Value> {
        let named = self
            .named
            .iter()
            .rev()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value);
        named.or_else(|| self.positional.get(position?))
    }
}

impl Metadata {
    pub(super) fn new(maker: impl Into<Rc<str>>, place: Option<Place>, convention: Setting) -> Rc<Self> {
        Rc::new(Self {
            maker: maker.into(),
            place,
            convention: RefCell::new(convention),
            ineffective: RefCell::new(Vec::new()),
            first_table: RefCell::new(None),
            set_late: RefCell::new(None),
            reflects: Cell::new(false),
        })
    }

    /// Notes a table that the source defines: its constraints get their names now (`sqlalchemy/sql/naming.py`, on attachment to the table).
    pub(super) fn define_table(&self, place: Place) {
        self.first_table.borrow_mut().get_or_insert(place);
    }
}
