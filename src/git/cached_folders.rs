//! The tree of the index, with what the cached tree tells of it: a folder that holds nothing but folders need not be read.
//! Pure.
//!
//! Every file that is staged makes new trees for its folder and all above it. They are loose, the most expensive objects to
//! read, and where sources lie deep most of them hold only folders, whose names and trees stand in the index already.

use std::cell::RefCell;
use std::collections::HashMap;

use super::cached_tree::{CachedTree, Folder, IndexError};
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
    /// Takes the word of the cached tree where it is proved: git does not verify the hash of an index, but the name of a tree is the hash of
    /// its rows.
    fn children(&self, id: &Id) -> Result<Vec<Child>, IndexError> {
        let place = self.places.borrow().get(id.as_slice()).copied();
        let Some(place) = place else {
            return self.trees.children(id);
        };
        for (folder, place) in self.cached.below(place) {
            self.expect(folder, place);
        }
        let folders = self.cached.only_folders(place);
        let proved = folders.filter(|folders| id_of(folders) == *id);
        proved.map_or_else(|| self.trees.children(id), Ok)
    }
}

/// The name of the tree that holds these folders and nothing else.
fn id_of(folders: &[Child]) -> Id {
    let row = |folder: &Child| [b"40000 ", folder.name.as_slice(), b"\0", &folder.item.id].concat();
    let rows: Vec<u8> = folders.iter().flat_map(row).collect();
    let mut hash = sha1_smol::Sha1::new();
    hash.update(format!("tree {}\0", rows.len()).as_bytes());
    hash.update(&rows);
    hash.digest().bytes()
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
        CachedTree::parse(folders.iter().flat_map(record).collect()).unwrap()
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
        let deltas = compare(&CachedFolders::new(&forest, &tree), Some(old), Some(new)).unwrap();
        assert_eq!(lines(&deltas), ["Modified a/b/c/x"]);
        let read = |id: Id| forest.reads.borrow().contains(&id);
        // `a/b` and `a/b/c` have files of their own.
        assert_eq!(
            [0, 1, 2, 3, 4].map(|at: usize| read(folders[at].3)),
            [false, false, true, true, false]
        );
    }

    #[test]
    fn damaged_folders_are_read() {
        let (forest, old, new, folders) = forest();
        let damages: [fn(&mut [Record]); 5] = [
            |folders| folders[4].0 = "a.c",
            |folders| folders[1].0 = "b",
            |folders| folders[2].1 = 2,
            |folders| folders[3].1 = 0,
            |folders| folders[1].3 = [9; 20],
        ];
        for (at, damage) in damages.iter().enumerate() {
            let mut folders = folders.clone();
            damage(&mut folders);
            let tree = cached(&folders);
            for before in [Some(old), None] {
                let found = |trees: &dyn Trees| compare(trees, before, Some(new)).unwrap();
                assert_eq!(found(&CachedFolders::new(&forest, &tree)), found(&forest), "{at}");
            }
        }
    }
}
