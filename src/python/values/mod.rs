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
