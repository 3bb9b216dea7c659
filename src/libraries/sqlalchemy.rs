//! SQLAlchemy: what makes a `MetaData`, and its naming convention.

use std::rc::Rc;
use std::sync::Arc;

use super::{ends, kinds, made};
use crate::python::ExprKind;
use crate::python::scopes::Definition;
use crate::python::values::{Arguments, Chain, Class, Code, Made, Place, Reader, Value};
use crate::source::Span;

/// The `naming_convention` of a metadata.
pub(crate) enum Setting<'m> {
    /// None was given. SQLAlchemy's default names only indexes.
    Default,
    /// With the place where it was given.
    Given(Value<'m>, Option<Place>),
}

/// `sqlalchemy/orm/decl_api.py`: each of these makes a new `registry` for a class that derives from it directly.
pub(super) fn is_declarative_base(name: &str) -> bool {
    matches!(ends(name), ("sqlalchemy", "DeclarativeBase" | "DeclarativeBaseNoMeta"))
}

/// Whether it is `MetaData` or a subclass of it.
pub(super) fn is_metadata_class(name: &str) -> bool {
    matches!(ends(name), ("sqlalchemy" | "sqlmodel", "MetaData") | ("gino", "Gino"))
}

pub(super) fn is_callable(name: &str) -> bool {
    is_metadata_class(name)
        || matches!(
            ends(name),
            ("sqlalchemy" | "sqlmodel", "registry" | "Table")
                | ("sqlalchemy", "declarative_base" | "automap_base" | "as_declarative" | "text" | "DDL")
                | ("sqlmodel", "text")
        )
}

/// A call of something of SQLAlchemy.
pub(super) fn call<'m>(
    reader: &mut Reader<'m>,
    name: &str,
    arguments: Arguments<'m>,
    place: &Place,
    chain: &Chain<'m>,
) -> Value<'m> {
    let last = ends(name).1;
    match last {
        _ if is_metadata_class(name) => made(kinds::METADATA, last, arguments, Some(place), Some(chain)),
        "registry" => made(kinds::REGISTRY, last, arguments, Some(place), Some(chain)),
        "declarative_base" => made(kinds::BASE, last, arguments, Some(place), Some(chain)),
        "automap_base" => match arguments.get(Some(0), "declarative_base") {
            Some(base) if !matches!(base, Value::None) => base.clone(),
            _ => made(kinds::BASE, last, arguments, Some(place), Some(chain)),
        },
        "Table" => made(kinds::TABLE, last, arguments, Some(place), Some(chain)),
        "as_declarative" => made(kinds::DECORATOR, last, arguments, Some(place), Some(chain)),
        // SQL does not care what these do to white space.
        "text" | "DDL" => match arguments.positional.into_iter().next() {
            Some(Value::Text(text)) if last == "DDL" => {
                reader.filled_percents(&text, &Value::List([].into()), place.span, chain)
            }
            Some(text) => text,
            None => Value::unknown("the text is not given"),
        },
        _ => arguments.positional.into_iter().next().unwrap_or(Value::None),
    }
}

/// An attribute of a metadata, a registry or a base.
pub(super) fn attribute<'m>(reader: &mut Reader<'m>, object: &Rc<Made<'m>>, name: &str) -> Option<Value<'m>> {
    match (object.kind, name) {
        (kinds::METADATA, "naming_convention") => Some(match convention(reader, object) {
            Setting::Given(value, _) => value,
            Setting::Default => Value::unknown("it is SQLAlchemy's default, which cannot be changed in place"),
        }),
        (kinds::REGISTRY | kinds::BASE, "metadata") => {
            let assigned = reader.assigned(&Value::Made(object.clone()), name);
            Some(assigned.map_or_else(|| metadata_of(object), |assigned| assigned.value))
        }
        (kinds::BASE, _) => {
            let assigned = reader.assigned(&Value::Made(object.clone()), name);
            assigned.map(|assigned| assigned.value)
        }
        _ => None,
    }
}

/// The `metadata=` that a registry or a base was given, or the new one that the library makes without it.
///
/// `declarative_base` of SQLAlchemy 1.4 has `bind` before `metadata`; later versions take keywords only.
fn metadata_of<'m>(object: &Made<'m>) -> Value<'m> {
    let position = match &*object.maker {
        "registry" => Some(0),
        "declarative_base" => Some(1),
        _ => None,
    };
    match object.arguments.get(position, "metadata") {
        Some(Value::None) | None => match &object.arguments.unknown {
            Some(reason) => Value::Unknown(reason.clone()),
            // The library makes one with a base.
            None => made(kinds::METADATA, &object.maker, Arguments::default(), object.place.as_ref(), None),
        },
        Some(given) => given.clone(),
    }
}

/// `object.name(...)`
pub(super) fn method<'m>(reader: &mut Reader<'m>, object: &Rc<Made<'m>>, name: &str, place: &Place) -> Value<'m> {
    match (object.kind, name) {
        (kinds::REGISTRY, "generate_base" | "as_declarative_base") => {
            let metadata = reader.attribute(&Value::Made(object.clone()), "metadata");
            let arguments = Arguments::named("metadata", metadata);
            let kind = match name {
                "generate_base" => kinds::BASE,
                _ => kinds::DECORATOR,
            };
            made(kind, name, arguments, Some(place), None)
        }
        (kinds::DATABASE, "init_app" | "create_all") | (kinds::METADATA, "reflect") => Value::None,
        (kinds::TABLE, "tometadata" | "to_metadata") => Value::unknown("it is a copy of a table"),
        _ => Value::unknown(format!("what `.{name}()` gives is not known")),
    }
}

/// `@as_declarative(...)` and `@registry.as_declarative_base()` set `metadata` on the class, whatever its body says
/// (`sqlalchemy/orm/decl_api.py`, `as_declarative`).
pub(super) fn decorated<'m>(reader: &mut Reader<'m>, class: &Rc<Class<'m>>) -> Option<Value<'m>> {
    for decorator in &class.tree.decorators {
        match reader.value(decorator, &class.around) {
            Value::Made(made) if made.kind == kinds::DECORATOR => {
                return Some(match made.arguments.get(None, "metadata") {
                    Some(Value::None) | None => metadata_for(class, "as_declarative"),
                    Some(given) => given.clone(),
                });
            }
            Value::External(name) if ends(&name) == ("sqlalchemy", "as_declarative") => {
                return Some(metadata_for(class, "as_declarative"));
            }
            _ => {}
        }
    }
    None
}

fn metadata_for<'m>(class: &Rc<Class<'m>>, maker: &str) -> Value<'m> {
    made(kinds::METADATA, maker, Arguments::default(), Some(&class.place), None)
}

/// The metadata that SQLAlchemy gives a declarative base (`sqlalchemy/orm/decl_api.py`, `_setup_declarative_base`).
pub(super) fn declared<'m>(reader: &mut Reader<'m>, class: &Rc<Class<'m>>) -> Option<Value<'m>> {
    let body = reader.class_chain(class);
    let registry = match reader.in_scope("registry", &body, usize::MAX) {
        Some(registry) => Some(registry),
        None => reader.class_keyword(class, "registry"),
    };
    if let Some(Value::Made(registry)) = &registry
        && registry.kind == kinds::REGISTRY
    {
        return Some(reader.attribute(&Value::Made(registry.clone()), "metadata"));
    }
    let bases = reader.bases(class);
    let is_direct = |base: &Value<'_>| matches!(base, Value::External(name) if is_declarative_base(name));
    let is_direct = bases.iter().any(is_direct);
    let by_metaclass = match reader.class_keyword(class, "metaclass") {
        Some(Value::External(name)) => ends(&name).1 == "DeclarativeMeta",
        _ => false,
    };
    if !is_direct && !by_metaclass {
        return None;
    }
    // SQLAlchemy 2.1 looks at mixins as well; 2.0 did not.
    for base in &bases {
        if let Value::Class(mixin) = base
            && let Some(Value::Made(found)) = reader.class_attribute(mixin, "metadata")
            && found.kind == kinds::METADATA
        {
            return Some(Value::Made(found));
        }
    }
    let maker = if by_metaclass {
        "DeclarativeMeta"
    } else {
        "DeclarativeBase"
    };
    Some(metadata_for(class, maker))
}

fn made_with<'m>(reader: &mut Reader<'m>, metadata: &Rc<Made<'m>>) -> Setting<'m> {
    match &metadata.class {
        Some(class) => of_subclass(reader, metadata, class),
        None => argument(&metadata.arguments, metadata.place.as_ref()),
    }
}

/// Whether a metadata may be made with a convention.
pub(crate) fn is_made_with_convention<'m>(reader: &mut Reader<'m>, metadata: &Rc<Made<'m>>) -> bool {
    matches!(made_with(reader, metadata), Setting::Given(..))
}

/// The naming convention that a metadata is made with, or is assigned later.
pub(crate) fn convention<'m>(reader: &mut Reader<'m>, metadata: &Rc<Made<'m>>) -> Setting<'m> {
    let made = made_with(reader, metadata);
    match (reader.assigned(&Value::Made(metadata.clone()), "naming_convention"), made) {
        (None, made) => made,
        (Some(later), Setting::Given(before, _)) if !later.is_certain => {
            Setting::Given(Value::either([before, later.value]), Some(later.place))
        }
        (Some(later), _) => Setting::Given(later.value, Some(later.place)),
    }
}

/// The argument of `MetaData(...)`, by keyword or by position. SQLAlchemy 1.4 had `bind` before it.
fn argument<'m>(arguments: &Arguments<'m>, place: Option<&Place>) -> Setting<'m> {
    let by_position = || {
        let mut positional = arguments.positional.iter().skip(2).take(2);
        positional.find(|value| matches!(value, Value::Dict(_)))
    };
    match arguments.get(None, "naming_convention").or_else(by_position) {
        Some(Value::None) => Setting::Default,
        Some(value) => Setting::Given(value.clone(), value_place(value).or_else(|| place.cloned())),
        None => match &arguments.unknown {
            Some(reason) => Setting::Given(Value::Unknown(reason.clone()), place.cloned()),
            None => Setting::Default,
        },
    }
}

/// The setting of a subclass of `MetaData`, whose `__init__` may call `super().__init__(naming_convention=...)`.
fn of_subclass<'m>(reader: &mut Reader<'m>, metadata: &Rc<Made<'m>>, class: &Rc<Class<'m>>) -> Setting<'m> {
    let place = metadata.place.as_ref();
    let Some(arguments) = handed_on(reader, metadata, class) else {
        return argument(&metadata.arguments, place);
    };
    let index = reader.index(class.around.module);
    let mut sets = index.assignments("naming_convention").iter();
    let is_inside = |within: &[Definition<'m>]| {
        within
            .iter()
            .any(|one| matches!(one, Definition::Class(tree) if std::ptr::eq(*tree, class.tree)))
    };
    if sets.any(|set| is_inside(&set.within)) {
        let reason = Value::unknown(format!("`{}` sets it on itself", class.tree.name));
        return Setting::Given(reason, place.cloned());
    }
    argument(&arguments, place)
}

/// What the `__init__` of a class of the project gives to that of the library; none if it has no `__init__`.
pub(super) fn handed_on<'m>(
    reader: &mut Reader<'m>,
    object: &Rc<Made<'m>>,
    class: &Rc<Class<'m>>,
) -> Option<Arguments<'m>> {
    let init = reader.own_method(class, "__init__")?;
    let receiver = Value::Made(object.clone());
    let chain = reader.entered(&init, Some(receiver), &object.arguments, None);
    let index = reader.index(class.around.module);
    for (within, call) in index.calls("__init__") {
        let is_inside = match (within.last(), &init.code) {
            (Some(Definition::Function(function)), Code::Function(own)) => Arc::ptr_eq(function, own),
            _ => false,
        };
        let on_super =
            matches!(&call.callee.kind, ExprKind::Attribute { value, .. } if value.as_call_of("super").is_some());
        if is_inside && on_super {
            return Some(reader.arguments(&call.arguments, &chain));
        }
    }
    let reason = format!("what `{}` hands to its base is not seen", class.tree.name);
    Some(Arguments::unknown(reason))
}

fn value_place(value: &Value<'_>) -> Option<Place> {
    match value {
        Value::Dict(dict) => dict.place.clone(),
        Value::Either(values) => values.iter().find_map(value_place),
        _ => None,
    }
}

/// The statement of a class body that assigns to a name.
pub(crate) fn assigned_in_body(class: &Class<'_>, name: &str) -> Option<Span> {
    let mut statements = class.tree.body.iter();
    statements.find(|one| one.assigns(name)).map(|one| one.span)
}
