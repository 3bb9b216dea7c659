//! The reader of values: the value of an expression at its place, without running anything.
//!
//! A value comes from the bindings of the names in the expression, by Python's scoping and by the conditions around each binding. No
//! statement, import or module is executed. A function is asked for what it returns, and never entered twice; a question that leads to
//! itself has no answer. Several possible values stay a small set. Work is counted in steps, and what is out of bounds is unknown, with the
//! reason.

mod assignments;
mod attributes;
mod bindings;
mod calls;
mod chain;
mod changes;
mod conditions;
mod dict;
mod flow;
mod imports;
mod names;
mod operators;
mod parameters;
mod reader;
mod templates;
mod text;
mod value;

pub(crate) use chain::Chain;
pub(crate) use dict::Dict;
pub(crate) use imports::{Imports, Location};
pub(crate) use reader::Reader;
pub(crate) use text::{PLACEHOLDER, Text};
pub use value::Place;
pub(crate) use value::{Arguments, Class, Code, Made, ModuleName, Value};

use std::rc::Rc;

/// What the reader asks about libraries.
pub(crate) trait Libraries {
    /// Whether a package is a library, even if a folder of the project has the same name.
    fn is_library(&self, package: &str) -> bool;

    /// Something of a library, by its dotted name.
    fn external<'m>(&self, reader: &mut Reader<'m>, name: &str) -> Value<'m>;

    /// Whether it is known what a call of it returns.
    fn is_callable(&self, name: &str) -> bool;

    /// Whether a library has this dotted name, so that `from library import *` brings it.
    fn offers(&self, name: &str) -> bool;

    /// A call of what [`Libraries::is_callable`].
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

    /// `object[index]` for something of a library.
    fn item<'m>(&self, name: &str, index: &Value<'m>) -> Value<'m>;

    /// `object[index]` for an object of a library, whatever the index.
    fn item_of<'m>(&self, object: &Made<'m>) -> Option<Value<'m>>;

    /// `hasattr(object, name)`, if it is known.
    fn has(&self, object: &Made<'_>, name: &str) -> Option<bool>;

    /// An attribute that a library sets on a class of the project, whatever its body says.
    fn imposed<'m>(&self, reader: &mut Reader<'m>, class: &Rc<Class<'m>>, name: &str) -> Option<Value<'m>>;

    /// An attribute that a library gives a class of the project whose body does not set it.
    fn inherited<'m>(&self, reader: &mut Reader<'m>, class: &Rc<Class<'m>>, name: &str) -> Option<Value<'m>>;

    /// An attribute of a library's class that a class of the project derives from.
    fn of_base<'m>(&self, base: &str, name: &str) -> Option<Value<'m>>;

    /// The kind of an object whose class derives from `base` of a library; none if it is an ordinary object.
    fn kind_of_instance(&self, base: &str) -> Option<&'static str>;
}
