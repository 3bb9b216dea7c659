//! Answers that are kept: one for each path, since the files of a folder ask the same again, and one in a cell.

use std::cell::{OnceCell, RefCell};
use std::collections::HashMap;

use crate::source::RepoPath;

/// Answers by path.
pub(crate) struct Memo<T> {
    places: RefCell<HashMap<RepoPath, usize>>,
    answers: RefCell<Vec<T>>,
}

impl<T> Default for Memo<T> {
    fn default() -> Self {
        Self {
            places: RefCell::default(),
            answers: RefCell::default(),
        }
    }
}

impl<T: Clone> Memo<T> {
    /// What was found for `path`; if nothing was asked yet, what `find` finds, which may ask for other paths.
    pub(crate) fn of(&self, path: &RepoPath, find: impl FnOnce() -> T) -> T {
        if let Some(known) = self.get(path) {
            return known;
        }
        let found = find();
        self.keep(path.clone(), found.clone());
        found
    }

    /// What was found for `path`, if it was asked for.
    pub(crate) fn get(&self, path: &RepoPath) -> Option<T> {
        let place = self.places.borrow().get(path).copied()?;
        self.answers.borrow().get(place).cloned()
    }

    /// Keeps an answer; a second one for the same path replaces the first.
    pub(crate) fn keep(&self, path: RepoPath, found: T) {
        let mut answers = self.answers.borrow_mut();
        let place = *self.places.borrow_mut().entry(path).or_insert(answers.len());
        match answers.get_mut(place) {
            Some(known) => *known = found,
            None => answers.push(found),
        }
    }

    /// All answers, in the order in which they were found.
    pub(crate) fn answers(&self) -> Vec<T> {
        self.answers.borrow().clone()
    }
}

/// The answer in a cell; the first time, what `find` finds (`OnceCell::get_or_try_init`, once it is stable).
pub(crate) fn once<T, E>(cell: &OnceCell<T>, find: impl FnOnce() -> Result<T, E>) -> Result<&T, E> {
    match cell.get() {
        Some(known) => Ok(known),
        None => find().map(|found| cell.get_or_init(|| found)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_path_is_asked_for_once() {
        let memo = Memo::default();
        let folder = RepoPath::from("a/b");
        let found = memo.of(&folder, || {
            let above = memo.of(&"a".into(), || 1);
            above + memo.of(&"a".into(), || panic!("it is known"))
        });
        assert_eq!(found, 2);
        assert_eq!(memo.get(&folder), Some(2));
        assert_eq!(memo.get(&"c".into()), None);
        assert_eq!(memo.answers(), [1, 2]);
        memo.keep(folder.clone(), 7);
        assert_eq!(memo.get(&folder), Some(7));
        assert_eq!(memo.answers(), [1, 7]);
    }
}
