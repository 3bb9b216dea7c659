//! Fixes: edits, their application round by round, and the files that they are written to.

mod difference;
mod edits;
mod rounds;
mod silence;
pub(crate) mod write;

pub(crate) use difference::difference;
pub use edits::{Edit, Fix, Safety, apply};
pub use rounds::{Mended, mend};
pub(crate) use silence::silence;
pub(crate) use write::rewrite;
pub use write::{Prepared, Ready, Replaced, WriteError, unified_diff, unified_diff_of_new};
