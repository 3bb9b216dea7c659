//! Checks the selected files: which of them are migrations or metadata, what the rules find, and what comments silence.

mod error;
mod examine;
mod files;
pub(crate) mod ignores;
mod outcome;
mod past;
mod progress;
mod threads;

pub use error::CheckError;
pub use examine::{Examined, examine};
pub(crate) use files::Checker;
pub use outcome::{CheckedFile, FileKind, Outcome};
pub(crate) use threads::check;
use threads::configs;
