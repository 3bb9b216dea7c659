//! The names of constraints: what a naming convention gives, how a database shortens it, and what a database chooses without one. No Python,
//! no git, no I/O.
//!
//! [`Convention::name`] follows SQLAlchemy to the character, [`problems`] finds what is wrong with a convention, [`Dialect`] knows the limits of
//! each database and [`default_names`] the names that it chooses itself.

mod convention;
pub(crate) mod default_names;
mod dialect;
mod error;
mod kind;
mod presets;
mod problem;
mod problems;
mod subject;
mod template;
mod token;

#[cfg(test)]
mod vectors;

pub(crate) use convention::{Convention, Key, Value};
pub(crate) use dialect::Dialect;
pub(crate) use error::NamingError;
pub(crate) use kind::ConstraintKind;
pub(crate) use problem::{Problem, ProblemKind};
pub(crate) use problems::{kind_meant, problems};
pub(crate) use subject::{ColumnRef, Explicit, Name, Referred, Subject};
pub(crate) use template::FormatError;
