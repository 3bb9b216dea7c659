//! Fills a cell by a computation that can fail, which the standard library does not have yet.

use std::cell::OnceCell;

/// The answer in a cell; the first time, what `find` finds (`OnceCell::get_or_try_init`, once it is stable).
pub(crate) fn once<T, E>(cell: &OnceCell<T>, find: impl FnOnce() -> Result<T, E>) -> Result<&T, E> {
    match cell.get() {
        Some(known) => Ok(known),
        None => find().map(|found| cell.get_or_init(|| found)),
    }
}
