//! Checks the selected files: which of them are migrations or metadata, what the rules find, and what comments silence.

mod again;
mod error;
mod examine;
mod files;
pub(crate) mod ignores;
mod outcome;
mod past;
mod progress;
mod threads;

pub(crate) use again::SecondLook;
pub use error::CheckError;
pub use examine::{Examined, examine};
pub(crate) use files::Checker;
pub use outcome::{CheckedFile, FileKind, Outcome};
pub(crate) use past::{Committed, Past};
pub(crate) use threads::{check, configs};
