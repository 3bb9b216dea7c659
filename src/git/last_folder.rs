//! The folder of a tree that was looked into last. Pure: whoever asks brings the tree.
//!
//! libgit2 keeps no tree of more than 4 KB in memory (`git_cache__max_object_size` of 1.9.7), so that each name that is looked up in
//! a folder of thousands of revisions would read and parse that folder again: 1.7 ms a name at 7,000 files, measured.

use std::cell::RefCell;
use std::collections::HashMap;

use super::ObjectId;
use crate::source::RepoPath;

/// The mode and the id that a tree has for a name.
pub(super) type Found = (u32, ObjectId);

/// What is known of one folder; it is replaced when another is asked for.
#[derive(Default)]
pub(super) struct LastFolder(RefCell<Option<Known>>);

struct Known {
    tree: ObjectId,
    folder: RepoPath,
    /// Only from the second question on: for a single one, a look-up is cheaper than a list.
    children: Option<HashMap<Vec<u8>, Found>>,
}

impl LastFolder {
    /// What `tree` has at `path`: asked of `one` for the first path in a folder, and of the list that `all` gives for the folder
    /// from then on.
    pub(super) fn find<E>(
        &self,
        tree: &ObjectId,
        path: &RepoPath,
        one: impl FnOnce() -> Result<Option<Found>, E>,
        all: impl FnOnce(&RepoPath) -> Result<Vec<(Vec<u8>, Found)>, E>,
    ) -> Result<Option<Found>, E> {
        let folder = path.parent().unwrap_or_else(RepoPath::top);
        let mut last = self.0.borrow_mut();
        if let Some(known) = last
            .as_mut()
            .filter(|known| known.tree == *tree && known.folder == folder)
        {
            let children = match &mut known.children {
                Some(children) => children,
                none => none.insert(all(&folder)?.into_iter().collect()),
            };
            return Ok(children.get(path.file_name()).cloned());
        }
        *last = Some(Known {
            tree: tree.clone(),
            folder,
            children: None,
        });
        one()
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    fn id(byte: u8) -> ObjectId {
        ObjectId::of_bytes(&[byte; 20])
    }

    #[test]
    fn a_folder_is_listed_once_and_only_when_it_is_asked_for_again() {
        let last = LastFolder::default();
        let (looked_up, listed) = (Cell::new(0), Cell::new(0));
        let find = |tree: u8, path: &str| {
            let one = || {
                looked_up.set(looked_up.get() + 1);
                Ok::<_, ()>(Some((1, id(1))))
            };
            let all = |folder: &RepoPath| {
                assert_eq!(*folder, "a".into(), "only the folder of the path is listed");
                listed.set(listed.get() + 1);
                Ok(vec![(b"x.py".to_vec(), (2, id(2))), (b"y.py".to_vec(), (3, id(3)))])
            };
            last.find(&id(tree), &path.into(), one, all).unwrap()
        };
        assert_eq!(find(0, "a/x.py"), Some((1, id(1))));
        assert_eq!((looked_up.get(), listed.get()), (1, 0));
        assert_eq!(find(0, "a/x.py"), Some((2, id(2))));
        assert_eq!(find(0, "a/y.py"), Some((3, id(3))));
        assert_eq!(find(0, "a/z.py"), None);
        assert_eq!((looked_up.get(), listed.get()), (1, 1));
        assert_eq!(find(9, "a/x.py"), Some((1, id(1))), "another tree is another folder");
        assert_eq!(find(9, "b.py"), Some((1, id(1))));
        assert_eq!((looked_up.get(), listed.get()), (3, 1));
    }
}
