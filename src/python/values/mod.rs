//! The reader of values: what an expression is worth at its place, without running anything.
//!
//! A value is asked for, and comes from the binding sites of the names in the expression, by Python's scoping and by the conditions around
//! each site. Nothing is executed for its effect: no statement, no import, no module. A function is asked for what it returns, and is never
//! entered twice; a question that leads to itself has no answer. Several possible values stay a small set. Work is counted in steps, and what
//! is out of bounds is unknown, with the reason.

mod calls;
mod chain;
mod changes;
mod imports;
mod names;
mod objects;
mod reader;
mod text;
mod value;

pub(crate) use chain::Chain;
pub(crate) use imports::{Found, Imports};
pub(crate) use reader::Reader;
pub(crate) use text::{PLACEHOLDER, Text};
pub use value::Place;
pub(crate) use value::{Arguments, Class, Code, Dict, Made, ModuleName, Value};

use std::rc::Rc;

/// What the reader asks those who know the libraries.
pub(crate) trait Libraries {
    /// Whether a package of this name is a library, whatever folder of the project has the same name.
    fn is_library(&self, package: &str) -> bool;

    /// Something of a library, by its dotted name.
    fn external<'m>(&self, reader: &mut Reader<'m>, name: &str) -> Value<'m>;

    /// Whether a call of it gives something that is known.
    fn is_callable(&self, name: &str) -> bool;

    /// Whether a library has something by this dotted name that is known: what `from library import *` brings.
    fn offers(&self, name: &str) -> bool;

    /// A call of something that a library offers and that [`Libraries::is_callable`].
    fn call<'m>(
        &self,
        reader: &mut Reader<'m>,
        name: &str,
        arguments: Arguments<'m>,
        place: &Place,
        chain: &Chain<'m>,
    ) -> Value<'m>;

    /// `object.name`
    fn attribute<'m>(&self, reader: &mut Reader<'m>, object: &Rc<Made<'m>>, name: &str) -> Option<Value<'m>>;

    /// `object.name(...)`
    fn method<'m>(&self, reader: &mut Reader<'m>, object: &Rc<Made<'m>>, name: &str, place: &Place) -> Value<'m>;

    /// `object[index]`, where the object is of a library.
    fn item<'m>(&self, name: &str, index: &Value<'m>) -> Value<'m>;

    /// An item of an object that it made, whatever the key.
    fn item_of<'m>(&self, object: &Made<'m>) -> Option<Value<'m>>;

    /// Whether an object has an attribute.
    fn has(&self, object: &Made<'_>, name: &str) -> Option<bool>;

    /// An attribute that a library puts on a class of the project, whatever its body says.
    fn imposed<'m>(&self, reader: &mut Reader<'m>, class: &Rc<Class<'m>>, name: &str) -> Option<Value<'m>>;

    /// An attribute that a library gives a class of the project whose body does not set it.
    fn inherited<'m>(&self, reader: &mut Reader<'m>, class: &Rc<Class<'m>>, name: &str) -> Option<Value<'m>>;

    /// An attribute of a library's class that a class of the project derives from.
    fn of_base<'m>(&self, base: &str, name: &str) -> Option<Value<'m>>;

    /// What an object of a class that derives from `base` of a library is; nothing where the library adds nothing to it.
    fn kind_of_instance(&self, base: &str) -> Option<&'static str>;
}
