//! Names for Alembic's constraints, before they are committed.
//!
//! The way of the data, and the rooms it goes through:
//!
//! ```text
//! cli -> settings -> selection -> git        which files, and the snapshot they are read from
//!                  -> snapshot               files as they were at one moment
//!                  -> config                 what holds for each of them
//!                  -> python                 parse; what an expression is worth
//!                  -> libraries              what SQLAlchemy and others make of it
//!                  -> migration -> sql       operations, and which create belongs to which drop; what SQL adds and drops
//!                  -> project -> naming      environment, metadata, convention, name
//!                  -> constraints -> rules   the name to suggest and how to write it; what is wrong, as diagnostics with fixes
//!                  -> check -> report        in order, to the reader
//!                  -> fix                    applied in memory, looked at again, then written
//!                  -> adopt                  a convention for a living project: the metadata, and a revision that renames
//! ```

mod adopt;
pub mod check;
pub mod cli;
pub mod config;
mod constraints;
pub mod diagnostic;
mod escape;
mod executable;
pub mod fix;
pub mod git;
mod install;
mod libraries;
mod migration;
mod naming;
pub mod project;
pub mod python;
pub mod report;
mod rules;
mod selection;
mod settings;
pub mod snapshot;
pub mod source;
mod sql;

pub mod invocation;
mod once;
mod run;
mod words;
mod work;

pub use run::{ExitStatus, run};
