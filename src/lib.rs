//! Names for Alembic's constraints, before they are committed.
//!
//! The way of the data, and the rooms it goes through:
//!
//! ```text
//! cli -> settings -> selection -> git        which files, and the snapshot they are read from
//!                  -> config                 what holds for each of them
//!                  -> python                 parse; what an expression is worth
//!                  -> libraries              what SQLAlchemy and others make of it
//!                  -> migration -> sql       operations, and which create belongs to which drop; what SQL adds and drops
//!                  -> project -> naming      environment, metadata, convention, name
//!                  -> rules -> diagnostic    what is wrong, and its fix
//!                  -> check -> report        in order, to the reader
//!                  -> mend -> worktree       fixed in memory, looked at again, then written
//!                  -> silence                or given a comment that silences it, in the same way
//!                  -> adopt                  a convention for a living project: the metadata, and a revision that renames
//! ```

pub mod adopt;
pub mod check;
pub mod cli;
pub mod config;
pub mod diagnostic;
pub mod fix;
pub mod git;
mod ignores;
pub mod install;
mod libraries;
pub mod mend;
pub mod migration;
pub mod naming;
pub mod project;
pub mod python;
pub mod report;
pub mod rules;
pub mod selection;
pub mod settings;
pub mod source;
mod sql;
pub mod worktree;

mod difference;
mod memo;
mod progress;
mod run;
mod session;
mod silence;
pub mod typed;
mod work;

pub use run::{ExitStatus, run};
