//! The tree of the index, with what the cached tree tells of it: a folder that holds nothing but folders need not be read.
//! Pure.
//!
//! Every file that is staged makes new trees for its folder and all above it. They are loose, the most expensive objects to
//! read, and where sources lie deep most of them hold only folders, whose names and trees stand in the index already.

use std::cell::RefCell;
use std::collections::HashMap;

use super::cached_tree::{CachedTree, Doubt, Folder};
use super::trees::{Child, Id, Trees};

/// Trees, of which some are known from the cached tree of an index.
pub(super) struct CachedFolders<'a> {
    trees: &'a dyn Trees,
    cached: &'a CachedTree,
    /// Where in the cached tree the trees stand that may be asked for next.
    places: RefCell<HashMap<&'a [u8], usize>>,
}

impl<'a> CachedFolders<'a> {
    pub(super) fn new(trees: &'a dyn Trees, cached: &'a CachedTree) -> Self {
        let folders = Self {
            trees,
            cached,
            places: RefCell::default(),
        };
        if let Some(root) = cached.folder(0) {
            folders.expect(root, 0);
        }
        folders
    }

    fn expect(&self, folder: Folder<'a>, place: usize) {
        if let Some((id, _)) = folder.known {
            self.places.borrow_mut().insert(id, place);
        }
    }
}

impl Trees for CachedFolders<'_> {
    fn children(&self, id: &Id) -> Result<Vec<Child>, Doubt> {
        self.trees.children(id)
    }

    /// Takes the word of the cached tree only for the folders that were there before. Nothing protects its names: git does not verify the
    /// hash of an index, and looks HEAD's folders up in it by their names. (A damaged id is that of no tree, which is a doubt.)
    fn children_after(&self, id: &Id, before: &[Child]) -> Result<Vec<Child>, Doubt> {
        let place = self.places.borrow().get(id.as_slice()).copied();
        let Some(place) = place else {
            return self.trees.children(id);
        };
        for (folder, place) in self.cached.below(place) {
            self.expect(folder, place);
        }
        let is_as_before = |children: &Vec<Child>| {
            let same = |(child, before): (&Child, &Child)| before.is_folder() && child.name == before.name;
            children.len() == before.len() && children.iter().zip(before).all(same)
        };
        let children = self.cached.only_folders(place).filter(is_as_before);
        children.map_or_else(|| self.trees.children(id), Ok)
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::folder;
    use super::super::trees::compare;
    use super::super::trees::tests::{FILE, Forest, lines};
    use super::*;

    /// Name, entries, folders directly below, tree.
    type Record = (&'static str, i64, u32, Id);

    fn cached(folders: &[Record]) -> CachedTree {
        let record = |&(name, count, below, id): &Record| {
            let mut record = folder(name, count, below, 0);
            record.truncate(record.len() - id.len());
            record.extend(id);
            record
        };
        CachedTree::of(&folders.iter().flat_map(record).collect::<Vec<_>>()).unwrap()
    }

    /// A forest with two trees that differ in one file, and the folders of the second.
    fn forest() -> (Forest, Id, Id, Vec<Record>) {
        let mut forest = Forest::default();
        let with = |x: u8| {
            [
                ("a.b/c/z", FILE, 1),
                ("a/b/c/x", FILE, x),
                ("a/b/c/y", FILE, 1),
                ("a/b/f", FILE, 1),
            ]
        };
        let old = forest.plant(&with(1));
        let new = forest.plant(&with(2));
        let mut below = |path: &str| {
            let files = with(2);
            let files: Vec<_> = files
                .iter()
                .filter_map(|&(file, mode, id)| Some((file.strip_prefix(path)?, mode, id)))
                .collect();
            forest.plant(&files)
        };
        let folders = vec![
            ("", 4, 2, new),
            ("a", 3, 1, below("a/")),
            ("b", 3, 1, below("a/b/")),
            ("c", 2, 0, below("a/b/c/")),
            ("a.b", 1, 1, below("a.b/")),
            ("c", 1, 0, below("a.b/c/")),
        ];
        (forest, old, new, folders)
    }

    #[test]
    fn folders_of_folders_are_not_read() {
        let (forest, old, new, folders) = forest();
        let tree = cached(&folders);
        let deltas = compare(&CachedFolders::new(&forest, &tree), Some(old), Some(new), usize::MAX).unwrap();
        assert_eq!(lines(&deltas), ["Modified a/b/c/x"]);
        let read = |id: Id| forest.reads.borrow().contains(&id);
        // `a/b` and `a/b/c` have files of their own.
        assert_eq!(
            [0, 1, 2, 3, 4].map(|at: usize| read(folders[at].3)),
            [false, false, true, true, false]
        );
    }

    #[test]
    fn what_head_does_not_have_is_read() {
        let (forest, old, new, mut folders) = forest();
        // A damaged name, and a damaged count.
        folders[4].0 = "a.c";
        folders[1].1 = 4;
        folders[0].1 = 5;
        let tree = cached(&folders);
        let deltas = compare(&CachedFolders::new(&forest, &tree), Some(old), Some(new), usize::MAX).unwrap();
        assert_eq!(lines(&deltas), ["Modified a/b/c/x"]);
        let deltas = compare(&CachedFolders::new(&forest, &tree), None, Some(new), usize::MAX).unwrap();
        assert_eq!(deltas.len(), 4);
        // The name of no tree.
        folders[4].0 = "a.b";
        folders[1].1 = 3;
        folders[0].1 = 4;
        folders[4].3 = [9; 20];
        folders[5].3 = [9; 20];
        let tree = cached(&folders);
        assert!(compare(&CachedFolders::new(&forest, &tree), Some(old), Some(new), usize::MAX).is_err());
    }
}
