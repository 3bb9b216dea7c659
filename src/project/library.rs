//! What SQLAlchemy, and the libraries people use with it, do with metadata: the knowledge that no amount of reading the project gives.
//!
//! Each behaviour was seen by running the library. A name that is not here is unknown, never guessed.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use crate::naming::Convention;
use crate::python::{Class as ClassTree, ExprKind, StmtKind};

use super::evaluate::{Evaluator, Frame};
use super::value::{Arguments, Class, Database, Dict, Metadata, Place, Setting, Value};

/// The root package and the last part of a dotted name: libraries offer the same thing under many paths.
fn ends(name: &str) -> (&str, &str) {
    (
        name.split('.').next().unwrap_or(name),
        name.rsplit('.').next().unwrap_or(name),
    )
}

/// `sqlalchemy/orm/decl_api.py`: each of these makes a new `registry` for a class that derives from it directly.
fn is_declarative_base(name: &str) -> bool {
    matches!(ends(name), ("sqlalchemy", "DeclarativeBase" | "DeclarativeBaseNoMeta"))
}

/// Where Flask-Migrate and Flask-SQLAlchemy keep the database of an application.
const FLASK_DATABASE: &[&str] = &[
    "flask.current_app.extensions.migrate.db",
    "flask.current_app.extensions.sqlalchemy.db",
];

/// `advanced_alchemy/base.py`: the mixins without a metadata of their own.
const ADVANCED_ALCHEMY_MIXINS: &[&str] = &["CommonTableAttributes", "BasicAttributes", "AdvancedDeclarativeBase"];

impl Evaluator<'_> {
    /// Something of a library, by its dotted name.
    pub(super) fn external(&mut self, name: &str) -> Value {
        match ends(name) {
            ("sqlmodel", "SQLModel") => {
                let metadata = || Metadata::new("SQLModel", None, Setting::Default);
                Value::Class(self.library_class("SQLModel", metadata))
            }
            ("flask", _) if FLASK_DATABASE.contains(&name) => self.flask_database(),
            ("advanced_alchemy" | "litestar", "orm_registry") => Value::Registry(advanced_alchemy_metadata()),
            ("advanced_alchemy" | "litestar", last)
                if last.ends_with("Base") && !ADVANCED_ALCHEMY_MIXINS.contains(&last) =>
            {
                Value::Class(self.library_class("advanced_alchemy.base", advanced_alchemy_metadata))
            }
            _ => Value::External(name.into()),
        }
    }

    fn library_class(&mut self, name: &'static str, metadata: impl FnOnce() -> Rc<Metadata>) -> Rc<Class> {
        if let Some(known) = self.library_classes.iter().find(|class| *class.name == *name) {
            return known.clone();
        }
        let attributes = HashMap::from([("metadata".to_owned(), Value::Metadata(metadata()))]);
        let class = Rc::new(Class {
            name: name.into(),
            place: None,
            bases: Vec::new(),
            keywords: Vec::new(),
            attributes: RefCell::new(attributes),
            own_metadata: RefCell::new(None),
        });
        self.library_classes.push(class.clone());
        class
    }

    /// `object.name`
    pub(super) fn attribute(&mut self, object: &Value, name: &str) -> Value {
        match object {
            Value::Unknown(_) => object.clone(),
            Value::Module(module) => self.module_attribute(&module.clone(), name),
            Value::External(path) => self.external(&format!("{path}.{name}")),
            Value::Class(class) => match self.class_attribute(class, name) {
                Some(value) => value,
                None => Value::unknown(format!("`{}.{name}` is not set where it can be read", class.name)),
            },
            Value::Metadata(metadata) if name == "naming_convention" => match &*metadata.convention.borrow() {
                Setting::Given(value, _) => value.clone(),
                Setting::Default => Value::unknown("it is SQLAlchemy's default, which cannot be changed in place"),
            },
            Value::Registry(metadata) if name == "metadata" => Value::Metadata(metadata.clone()),
            Value::Database(database) => match name {
                "metadata" => database.metadata.clone(),
                "Model" => database.model.clone(),
                "metadatas" => {
                    let mut dict = Dict::default();
                    dict.set(Value::None, database.metadata.clone());
                    Value::dict(dict)
                }
                _ => method(object, name),
            },
            Value::Instance(instance) => {
                let own = instance.attributes.borrow().get(name).cloned();
                let value = own.or_else(|| self.class_attribute(&instance.class.clone(), name));
                match value {
                    Some(Value::Function(_)) => method(object, name),
                    Some(value) => value,
                    None => Value::unknown(format!("`{name}` is not set where it can be read")),
                }
            }
            Value::Either(objects) => {
                let values: Vec<Value> = objects
                    .clone()
                    .iter()
                    .map(|object| self.attribute(object, name))
                    .collect();
                Value::either(values)
            }
            Value::Metadata(_)
            | Value::Registry(_)
            | Value::Dict(_)
            | Value::List(_)
            | Value::Super(_)
            | Value::Text(_) => method(object, name),
            _ => Value::unknown(format!("`.{name}` of something computed")),
        }
    }

    /// An attribute of a class, its bases included, with what the declarative system adds.
    pub(super) fn class_attribute(&mut self, class: &Rc<Class>, name: &str) -> Option<Value> {
        if let Some(value) = class.attributes.borrow().get(name) {
            return Some(value.clone());
        }
        if name == "metadata"
            && let Some(value) = self.declarative_metadata(class)
        {
            return Some(value);
        }
        let mut unknown = None;
        for base in &class.bases {
            let found = match base {
                Value::Class(base) => self.class_attribute(base, name),
                Value::Unknown(_) => Some(base.clone()),
                Value::External(path) if name == "metadata" && !is_mixin(path) => {
                    Some(Value::unknown(format!("the metadata of `{path}` is not known")))
                }
                _ => None,
            };
            match found {
                Some(Value::Unknown(reason)) => unknown = unknown.or(Some(Value::Unknown(reason))),
                Some(value) => return Some(value),
                None => {}
            }
        }
        unknown
    }

    /// The metadata that a declarative base has without writing it (`sqlalchemy/orm/decl_api.py`, `_setup_declarative_base`).
    fn declarative_metadata(&mut self, class: &Rc<Class>) -> Option<Value> {
        let direct = class
            .bases
            .iter()
            .any(|base| matches!(base, Value::External(name) if is_declarative_base(name)));
        let by_metaclass = class.keywords.iter().any(|(keyword, value)| {
            keyword == "metaclass" && matches!(value, Value::External(name) if ends(name).1 == "DeclarativeMeta")
        });
        let keyword_registry = class
            .keywords
            .iter()
            .find(|(keyword, _)| keyword == "registry")
            .map(|(_, value)| value.clone());
        let own_registry = class.attributes.borrow().get("registry").cloned().or(keyword_registry);
        if let Some(Value::Registry(metadata)) = own_registry {
            return Some(Value::Metadata(metadata));
        }
        if !direct && !by_metaclass {
            return None;
        }
        // SQLAlchemy 2.1 looks at mixins as well; 2.0 did not.
        for base in class.bases.clone() {
            if let Value::Class(mixin) = &base
                && let Some(value @ Value::Metadata(_)) = self.class_attribute(mixin, "metadata")
            {
                return Some(value);
            }
        }
        let mut own = class.own_metadata.borrow_mut();
        let make = || {
            let maker = if by_metaclass {
                "DeclarativeMeta"
            } else {
                "DeclarativeBase"
            };
            Value::Metadata(Metadata::new(maker, class.place.clone(), Setting::Default))
        };
        Some(own.get_or_insert_with(make).clone())
    }

    /// `Class(...)`
    pub(super) fn instantiate(&mut self, class: &Rc<Class>, arguments: &Arguments, place: &Place) -> Value {
        match library_root(class).as_deref() {
            Some(root) if is_metadata_class(root) => self.metadata_subclass(class, arguments, place),
            Some(root) if ends(root) == ("flask_sqlalchemy", "SQLAlchemy") => {
                if self.class_attribute(class, "__init__").is_some() {
                    return Value::unknown(format!("`{}` has an `__init__` of its own", class.name));
                }
                self.database(arguments, place)
            }
            _ => self.plain_instance(class, arguments),
        }
    }

    /// A subclass of `MetaData`, whose `__init__` may hand the convention on with `super().__init__(naming_convention=...)`.
    fn metadata_subclass(&mut self, class: &Rc<Class>, arguments: &Arguments, place: &Place) -> Value {
        let metadata = Metadata::new(class.name.clone(), Some(place.clone()), Setting::Default);
        let value = Value::Metadata(metadata.clone());
        match self.class_attribute(class, "__init__") {
            Some(Value::Function(init)) => {
                self.call_function(&init, Some(value.clone()), arguments);
            }
            _ => *metadata.convention.borrow_mut() = convention_argument(arguments, place),
        }
        if let Some(convention) = class.attributes.borrow().get("naming_convention")
            && matches!(&*metadata.convention.borrow(), Setting::Default)
            && let Some(place) = value_place(convention).or_else(|| class.place.clone())
        {
            let reason = "`MetaData.__init__` replaces a class attribute of this name";
            metadata.ineffective.borrow_mut().push((place, reason.into()));
        }
        value
    }

    /// A call of something that a library offers.
    pub(super) fn call_library(&mut self, name: &str, arguments: Arguments, place: &Place) -> Value {
        match ends(name) {
            ("sqlalchemy" | "sqlmodel", "MetaData") | ("gino", "Gino") => {
                let maker = ends(name).1;
                Value::Metadata(Metadata::new(
                    maker,
                    Some(place.clone()),
                    convention_argument(&arguments, place),
                ))
            }
            ("sqlalchemy" | "sqlmodel", "registry") => {
                Value::Registry(given_metadata(&arguments, Some(0), "registry", place))
            }
            ("sqlalchemy", "declarative_base") => {
                // SQLAlchemy 1.4 has `bind` before `metadata`; later versions take keywords only.
                declarative_base(&arguments, Some(1), "declarative_base", place)
            }
            ("sqlalchemy", "automap_base") => {
                let base = match arguments.get(Some(0), "declarative_base") {
                    Some(base @ Value::Class(_)) => derived("AutomapBase", base.clone(), place),
                    _ => declarative_base(&arguments, None, "automap_base", place),
                };
                if let Value::Metadata(metadata) = self.attribute(&base, "metadata") {
                    metadata.reflects.set(true);
                }
                base
            }
            ("sqlalchemy", "Table") => {
                if let Some(Value::Metadata(metadata)) = arguments.get(Some(1), "metadata") {
                    let is_read = |name: &str| arguments.get(None, name).is_some();
                    if is_read("autoload_with") || is_read("autoload") {
                        metadata.reflects.set(true);
                    } else {
                        metadata.define_table(place.clone());
                    }
                }
                Value::unknown("it is a table")
            }
            ("sqlalchemy", "as_declarative") if arguments.positional.is_empty() => Value::Partial(Rc::new((
                Value::External("sqlalchemy.as_declarative".into()),
                arguments,
            ))),
            ("sqlalchemy", "as_declarative") => match arguments.positional.first() {
                Some(Value::Class(class)) => as_declarative(class, &arguments, place),
                _ => Value::unknown("`as_declarative` decorates something computed"),
            },
            ("flask_sqlalchemy", "SQLAlchemy") => self.database(&arguments, place),
            ("flask_migrate", "Migrate") => Value::External("flask_migrate.Migrate".into()),
            ("advanced_alchemy", "create_registry") => Value::Registry(advanced_alchemy_metadata()),
            ("advanced_alchemy", "get") if name.ends_with("metadata_registry.get") => {
                Value::Metadata(advanced_alchemy_metadata())
            }
            ("functools", "partial") => {
                let mut rest = arguments;
                if rest.positional.is_empty() {
                    return Value::unknown("`partial` without a function");
                }
                let callee = rest.positional.remove(0);
                Value::Partial(Rc::new((callee, rest)))
            }
            ("typing" | "typing_extensions" | "sqlalchemy", "cast") => {
                arguments.positional.get(1).cloned().unwrap_or(Value::None)
            }
            (_, "deepcopy" | "copy") if name.starts_with("copy.") => copy(arguments.positional.first()),
            ("builtins", "dict") | (_, "immutabledict" | "frozendict" | "MappingProxyType" | "OrderedDict") => {
                make_dict(&arguments, place)
            }
            ("builtins", "list" | "tuple") => match arguments.positional.first() {
                Some(Value::List(items)) => Value::list(items.borrow().clone()),
                None => Value::list(Vec::new()),
                Some(_) => Value::unknown("the list is computed"),
            },
            ("builtins", "str") => match arguments.positional.first() {
                Some(text @ Value::Text(_)) => text.clone(),
                _ => Value::unknown("the text is computed"),
            },
            ("builtins", "getattr") => match (arguments.positional.first(), arguments.positional.get(1)) {
                (Some(object), Some(Value::Text(name))) => self.attribute(object, name),
                _ => Value::unknown("`getattr` with a computed name"),
            },
            ("builtins", "setattr") => {
                if let [object, Value::Text(name), value] = &arguments.positional[..] {
                    self.set_attribute(object, name, value.clone(), place);
                }
                Value::None
            }
            _ => Value::unknown(format!("what `{name}()` gives is not known")),
        }
    }

    /// `object.name(...)`
    pub(super) fn call_method(&mut self, object: &Value, name: &str, arguments: Arguments, place: &Place) -> Value {
        match (object, name) {
            (Value::Metadata(metadata), "reflect") => {
                metadata.reflects.set(true);
                Value::None
            }
            (Value::Dict(dict), "update") => {
                let mut dict = dict.borrow_mut();
                for other in &arguments.positional {
                    // A dict that updates itself changes nothing.
                    if !matches!(other, Value::Dict(other) if std::ptr::eq(other.as_ptr(), &raw const *dict)) {
                        dict.update(other);
                    }
                }
                for (key, value) in arguments.named {
                    dict.set(Value::text(key), value);
                }
                if arguments.unknown.is_some() {
                    dict.unknown = arguments.unknown;
                }
                Value::None
            }
            (Value::Dict(dict), "copy") => Value::dict(dict.borrow().copy()),
            (Value::Dict(dict), "union") => {
                let mut merged = dict.borrow().copy();
                arguments.positional.iter().for_each(|other| merged.update(other));
                Value::dict(merged)
            }
            (Value::Dict(dict), "get" | "setdefault" | "pop") => {
                let key = arguments.positional.first().cloned().unwrap_or(Value::None);
                if matches!(key, Value::Unknown(_)) {
                    return key;
                }
                let known = dict.borrow().get(&key).cloned();
                let value = known.unwrap_or_else(|| match dict.borrow().unknown.clone() {
                    Some(reason) => Value::Unknown(reason),
                    None => arguments.positional.get(1).cloned().unwrap_or(Value::None),
                });
                match name {
                    "setdefault" => dict.borrow_mut().set(key, value.clone()),
                    "pop" => dict.borrow_mut().items.retain(|(known, _)| !known.same(&key)),
                    _ => {}
                }
                value
            }
            (Value::Dict(dict), "items") => {
                let pairs = dict
                    .borrow()
                    .items
                    .iter()
                    .map(|(key, value)| Value::list(vec![key.clone(), value.clone()]))
                    .collect();
                Value::list(pairs)
            }
            (Value::List(items), "append") => {
                items.borrow_mut().extend(arguments.positional);
                Value::None
            }
            (Value::Registry(metadata), "generate_base") => base_class("Base", metadata.clone(), place),
            (Value::Registry(_), "as_declarative_base") => {
                let decorator = Value::Method(Rc::new((object.clone(), "as_declarative_base of".into())));
                Value::Partial(Rc::new((decorator, Arguments::default())))
            }
            (Value::Registry(metadata), "as_declarative_base of") => match arguments.positional.first() {
                Some(Value::Class(class)) => {
                    note_overwritten(class, metadata);
                    class
                        .attributes
                        .borrow_mut()
                        .insert("metadata".to_owned(), Value::Metadata(metadata.clone()));
                    Value::Class(class.clone())
                }
                _ => Value::unknown("the decorator is used on something computed"),
            },
            (Value::Registry(_), "mapped" | "mapped_as_dataclass") => match arguments.positional.first() {
                Some(class @ Value::Class(_)) => class.clone(),
                _ => Value::External("decorator".into()),
            },
            (Value::Super(parts), "__init__") => {
                if let (Value::Metadata(metadata), class) = &**parts
                    && library_root(class).is_some_and(|root| is_metadata_class(&root))
                {
                    *metadata.convention.borrow_mut() = convention_argument(&arguments, place);
                }
                Value::None
            }
            (Value::Instance(instance), _) => match self.class_attribute(&instance.class.clone(), name) {
                Some(Value::Function(closure)) => self.call_function(&closure, Some(object.clone()), &arguments),
                _ => Value::unknown(format!("`{name}` is a method that cannot be followed")),
            },
            (Value::Database(_), "init_app") => Value::None,
            _ => Value::unknown(format!("what `.{name}()` gives is not known")),
        }
    }

    /// A decorator applied to a class; one that is not known leaves it as it is.
    pub(super) fn decorate(&mut self, decorator: &Value, class: Value, place: &Place) -> Value {
        let arguments = Arguments {
            positional: vec![class.clone()],
            ..Arguments::default()
        };
        match decorator {
            Value::Partial(_) => match self.call(decorator, arguments, place) {
                Value::Unknown(_) => class,
                value => value,
            },
            Value::External(name) if ends(name) == ("sqlalchemy", "as_declarative") => {
                self.call(decorator, arguments, place)
            }
            _ => class,
        }
    }

    /// Flask-SQLAlchemy (`flask_sqlalchemy/extension.py`): a declarative `model_class` brings its own metadata and beats the argument.
    fn database(&mut self, arguments: &Arguments, place: &Place) -> Value {
        let argument = arguments.get(None, "metadata").cloned();
        let declarative = match arguments.get(None, "model_class") {
            Some(Value::Class(class)) => match self.class_attribute(&class.clone(), "metadata") {
                Some(Value::Metadata(metadata)) => Some((metadata, Value::Class(class.clone()))),
                Some(unknown @ Value::Unknown(_)) => return unknown_database(&unknown),
                _ => None,
            },
            Some(unknown @ Value::Unknown(_)) => return unknown_database(unknown),
            _ => None,
        };
        if let Some((metadata, model)) = declarative {
            if let Some(Value::Metadata(given)) = &argument
                && let Setting::Given(_, Some(at)) = &*given.convention.borrow()
            {
                let reason = "Flask-SQLAlchemy ignores `metadata=` when `model_class` is a declarative base";
                metadata.ineffective.borrow_mut().push((at.clone(), reason.into()));
            }
            let metadata = Value::Metadata(metadata);
            return Value::Database(Rc::new(Database { metadata, model }));
        }
        let metadata = match argument {
            Some(Value::Metadata(metadata)) => metadata,
            Some(Value::None) | None if arguments.unknown.is_none() => {
                Metadata::new("SQLAlchemy", Some(place.clone()), Setting::Default)
            }
            Some(unknown) => return unknown_database(&unknown),
            None => return Value::unknown("some arguments of `SQLAlchemy()` are computed"),
        };
        let model = base_class("Model", metadata.clone(), place);
        Value::Database(Rc::new(Database {
            metadata: Value::Metadata(metadata),
            model,
        }))
    }

    /// A class with a table defines it in the metadata of its base.
    pub(super) fn note_table(&mut self, class: &Rc<Class>) {
        let has = |name: &str| class.attributes.borrow().contains_key(name);
        let is_sqlmodel_table = class
            .keywords
            .iter()
            .any(|(keyword, value)| keyword == "table" && value.truth() == Some(true));
        if !(has("__tablename__") || has("__table__") || is_sqlmodel_table) || has("__abstract__") {
            return;
        }
        if let Some(Value::Metadata(metadata)) = self.class_attribute(class, "metadata")
            && let Some(place) = &class.place
        {
            metadata.define_table(place.clone());
        }
    }

    /// Remembers conventions that stand where SQLAlchemy does not look for them.
    pub(super) fn note_ineffective(&mut self, tree: &ClassTree, class: &Rc<Class>, frame: &Frame) {
        for statement in &tree.body {
            let StmtKind::Assign {
                targets,
                value: Some(value),
                ..
            } = &statement.kind
            else {
                continue;
            };
            let Some(name) = targets.first().and_then(|target| target.as_name()) else {
                continue;
            };
            let reason = match name {
                "naming_convention" => {
                    "SQLAlchemy does not read a class attribute `naming_convention`; it belongs to the `MetaData`"
                }
                "__metadata_args__" => {
                    "SQLAlchemy has no `__metadata_args__`; the convention belongs to the `MetaData`"
                }
                "__table_args__" if mentions_convention(value) => {
                    "a convention in `__table_args__` has no effect; it belongs to the `MetaData`"
                }
                _ => continue,
            };
            if let Some(Value::Metadata(metadata)) = self.class_attribute(class, "metadata") {
                metadata
                    .ineffective
                    .borrow_mut()
                    .push((frame.place(statement.span), reason.into()));
            }
        }
    }
}

/// `object[index]` on a class or a library's object.
pub(super) fn library_item(object: &Value, index: &Value) -> Value {
    match (object, index) {
        (Value::External(name), _) if ends(name) == ("advanced_alchemy", "metadata_registry") => {
            Value::Metadata(advanced_alchemy_metadata())
        }
        (Value::External(name), Value::Text(key)) if &**name == "flask.current_app.extensions" => {
            Value::External(format!("{name}.{key}").into())
        }
        (Value::Class(_), _) => object.clone(),
        _ => Value::unknown("it is taken out of a library's object"),
    }
}

fn method(object: &Value, name: &str) -> Value {
    Value::Method(Rc::new((object.clone(), name.into())))
}

/// The library's class that a class of the project builds on.
fn library_root(class: &Rc<Class>) -> Option<String> {
    class.bases.iter().find_map(|base| match base {
        Value::External(name) => Some(name.to_string()),
        Value::Class(base) => library_root(base),
        _ => None,
    })
}

fn mentions_convention(value: &crate::python::Expr) -> bool {
    matches!(&value.kind, ExprKind::String(text) if text == "naming_convention")
        || value.children().into_iter().any(mentions_convention)
}

fn unknown_database(reason: &Value) -> Value {
    Value::Database(Rc::new(Database {
        metadata: reason.clone(),
        model: reason.clone(),
    }))
}

fn is_metadata_class(name: &str) -> bool {
    matches!(ends(name), ("sqlalchemy" | "sqlmodel", "MetaData") | ("gino", "Gino"))
}

/// Bases of libraries that bring columns or behaviour and no metadata.
fn is_mixin(path: &str) -> bool {
    let (root, last) = ends(path);
    matches!(
        root,
        "typing"
            | "typing_extensions"
            | "abc"
            | "builtins"
            | "sqlalchemy_mixins"
            | "sqlalchemy_utils"
            | "fastapi_users_db_sqlalchemy"
            | "dataclasses"
    ) || (root == "sqlalchemy" && !is_declarative_base(path))
        || last.ends_with("Mixin")
        || ADVANCED_ALCHEMY_MIXINS.contains(&last)
}

/// `MetaData(...)`: by keyword, or by position, which SQLAlchemy 1.4 and 2.x count differently (`bind` came first).
fn convention_argument(arguments: &Arguments, place: &Place) -> Setting {
    let by_position = || {
        arguments
            .positional
            .iter()
            .skip(2)
            .take(2)
            .find(|value| matches!(value, Value::Dict(_)))
    };
    match arguments.get(None, "naming_convention").or_else(by_position) {
        Some(Value::None) => Setting::Default,
        Some(value) => Setting::Given(value.clone(), Some(value_place(value).unwrap_or_else(|| place.clone()))),
        None => match &arguments.unknown {
            Some(reason) => Setting::Given(Value::Unknown(reason.clone()), Some(place.clone())),
            None => Setting::Default,
        },
    }
}

fn value_place(value: &Value) -> Option<Place> {
    match value {
        Value::Dict(dict) => dict.borrow().place.clone(),
        _ => None,
    }
}

/// The `metadata=` of a call, or the new one that the library makes without it.
fn given_metadata(arguments: &Arguments, position: Option<usize>, maker: &str, place: &Place) -> Rc<Metadata> {
    match arguments.get(position, "metadata") {
        Some(Value::Metadata(metadata)) => metadata.clone(),
        Some(Value::None) | None if arguments.unknown.is_none() => {
            Metadata::new(maker, Some(place.clone()), Setting::Default)
        }
        other => {
            let reason = match other {
                Some(Value::Unknown(reason)) => reason.clone(),
                _ => "the metadata it is given is computed".into(),
            };
            Metadata::new(
                maker,
                Some(place.clone()),
                Setting::Given(Value::Unknown(reason), Some(place.clone())),
            )
        }
    }
}

fn declarative_base(arguments: &Arguments, position: Option<usize>, maker: &str, place: &Place) -> Value {
    base_class("Base", given_metadata(arguments, position, maker, place), place)
}

fn base_class(name: &str, metadata: Rc<Metadata>, place: &Place) -> Value {
    let attributes = HashMap::from([("metadata".to_owned(), Value::Metadata(metadata))]);
    Value::Class(Rc::new(Class {
        name: name.into(),
        place: Some(place.clone()),
        bases: Vec::new(),
        keywords: Vec::new(),
        attributes: RefCell::new(attributes),
        own_metadata: RefCell::new(None),
    }))
}

fn derived(name: &str, base: Value, place: &Place) -> Value {
    Value::Class(Rc::new(Class {
        name: name.into(),
        place: Some(place.clone()),
        bases: vec![base],
        keywords: Vec::new(),
        attributes: RefCell::new(HashMap::new()),
        own_metadata: RefCell::new(None),
    }))
}

/// `@as_declarative(...)` sets `metadata` on the class, whatever its body says (`sqlalchemy/orm/decl_api.py`, `as_declarative`).
fn as_declarative(class: &Rc<Class>, arguments: &Arguments, place: &Place) -> Value {
    let place = class.place.clone().unwrap_or_else(|| place.clone());
    let metadata = given_metadata(arguments, None, "as_declarative", &place);
    note_overwritten(class, &metadata);
    class
        .attributes
        .borrow_mut()
        .insert("metadata".to_owned(), Value::Metadata(metadata));
    Value::Class(class.clone())
}

fn note_overwritten(class: &Rc<Class>, metadata: &Rc<Metadata>) {
    if let Some(Value::Metadata(own)) = class.attributes.borrow().get("metadata")
        && !Rc::ptr_eq(own, metadata)
        && let Setting::Given(_, Some(place)) = &*own.convention.borrow()
    {
        let reason = "the decorator replaces a `metadata` in the class body; give it to the decorator instead";
        metadata.ineffective.borrow_mut().push((place.clone(), reason.into()));
    }
}

fn make_dict(arguments: &Arguments, place: &Place) -> Value {
    let mut dict = Dict {
        place: Some(place.clone()),
        unknown: arguments.unknown.clone(),
        ..Dict::default()
    };
    for other in &arguments.positional {
        dict.update(other);
    }
    for (key, value) in &arguments.named {
        dict.set(Value::text(key.as_str()), value.clone());
    }
    Value::dict(dict)
}

fn copy(value: Option<&Value>) -> Value {
    match value {
        Some(Value::Dict(dict)) => Value::dict(dict.borrow().copy()),
        Some(Value::List(items)) => Value::list(items.borrow().clone()),
        Some(other) => other.clone(),
        None => Value::None,
    }
}

/// advanced-alchemy's registries carry the convention that SQLAlchemy documents (`advanced_alchemy/base.py`, `convention`).
fn advanced_alchemy_metadata() -> Rc<Metadata> {
    let mut dict = Dict::default();
    for (key, value) in Convention::sqlalchemy_documented().entries() {
        if let (crate::naming::Key::Text(key), crate::naming::Value::Template(template)) = (key, value) {
            dict.set(Value::text(key.as_str()), Value::text(template.as_str()));
        }
    }
    Metadata::new("advanced-alchemy", None, Setting::Given(Value::dict(dict), None))
}
