//! Fixes: edits, applied round by round in memory, then written and staged.

mod difference;
mod edits;
mod rounds;
mod silence;
mod transaction;
mod transplant;
mod unified_diff;
mod unstaged;
mod write;

pub(crate) use difference::difference;
pub use edits::{Edit, Fix, Safety, apply};
pub use rounds::{FixedFile, apply_fixes};
pub(crate) use silence::silence;
pub(crate) use transaction::write_and_stage;
pub(crate) use transplant::holds;
pub(crate) use unified_diff::unified_diff;
pub(crate) use unstaged::find_unstaged;
pub use write::WriteError;
pub(crate) use write::{Prepared, complete, prepare, put, rewrite, temporary};

use crate::check::CheckError;
use crate::diagnostic::Diagnostic;
use crate::source::SourceFile;

/// Checks a file again with another text.
pub type Look<'l> = dyn Fn(&SourceFile) -> Result<Vec<Diagnostic>, CheckError> + 'l;
