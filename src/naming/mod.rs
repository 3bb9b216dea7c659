//! The names of constraints: what a project's naming convention gives, what a database makes of it, and what a database
//! invents where there is none. Pure text in, text out: nothing here knows Python's syntax, git or files.
//!
//! [`Convention::name`] follows SQLAlchemy to the character, [`problems`] says where a convention does not do what it
//! seems to, [`Dialect`] knows the limits of each database and [`default_names`] the names that it chooses itself.

mod convention;
pub mod default_names;
mod dialect;
mod error;
mod kind;
mod problems;
mod subject;
mod template;
mod token;

#[cfg(test)]
mod vectors;

pub use convention::{Convention, Key, Value};
pub use dialect::Dialect;
pub use error::NamingError;
pub use kind::ConstraintKind;
pub use problems::{Problem, ProblemKind, problems, token_problems};
pub use subject::{ColumnRef, Explicit, Name, Referred, Subject};
pub use template::FormatError;
