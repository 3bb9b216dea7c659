//! The entries of an index beside HEAD's tree. Pure: whoever calls brings both.
//!
//! It goes the way git goes (`diff_cache` in git's source): both in the order of their paths, and where the cached tree says
//! that a folder of the index is the very tree that HEAD has, its entries are stepped over and the tree is not read.

use std::collections::HashMap;
use std::io::Read;

use super::cached_tree::{CachedTree, Doubt};
use super::delta::Delta;
use super::entries::{Entries, Entry};
use super::trees::{Child, Id, Item, Trees, conflict, delta};

/// What changed from HEAD's tree to the index, as `git diff --cached --raw --no-renames` has it; no tree is an empty
/// one. The entries are left behind the last.
pub(super) fn compare<R: Read>(
    trees: &dyn Trees,
    head: Option<Id>,
    entries: &mut Entries<R>,
    cached: Option<&CachedTree>,
) -> Result<Vec<Delta>, Doubt> {
    let mut found = Vec::new();
    let mut open = Vec::new();
    if let Some(head) = head {
        open.push(Level::new(trees, &head, 0, cached.map(|cached| (cached, 0)))?);
    }
    // The path of what is looked at in HEAD; a folder's ends with `/`.
    let mut path: Vec<u8> = Vec::new();
    while let Some(level) = open.last_mut() {
        let Some(child) = level.children.next() else {
            open.pop();
            continue;
        };
        path.truncate(level.prefix);
        path.extend_from_slice(&child.name);
        if !child.is_folder() {
            additions(entries, Some(&path), &mut found)?;
            found.extend(of_path(entries, &path, Some(child.item))?);
            continue;
        }
        let place = level.cached.get(child.name.as_slice()).copied();
        path.push(b'/');
        additions(entries, Some(&path), &mut found)?;
        let cached = cached.zip(place);
        match cached.and_then(|(cached, place)| cached.folder(place)?.known) {
            Some((id, count)) if *id == child.item.id && count > 0 => step_over(entries, &path, count)?,
            _ => open.push(Level::new(trees, &child.item.id, path.len(), cached)?),
        }
    }
    additions(entries, None, &mut found)?;
    Ok(found)
}

/// A folder of HEAD that is being gone through.
struct Level<'c> {
    children: std::vec::IntoIter<Child>,
    /// How much of the path is the folder's.
    prefix: usize,
    /// The folders below it in the cached tree.
    cached: HashMap<&'c [u8], usize>,
}

impl<'c> Level<'c> {
    fn new(trees: &dyn Trees, id: &Id, prefix: usize, cached: Option<(&'c CachedTree, usize)>) -> Result<Self, Doubt> {
        let below = |(cached, place): (&'c CachedTree, usize)| {
            cached.below(place).map(|(folder, at)| (folder.name, at)).collect()
        };
        let cached = cached.map_or_else(HashMap::new, below);
        let children = trees.children(id)?.into_iter();
        Ok(Self {
            children,
            prefix,
            cached,
        })
    }
}

/// Takes the entries before `limit`, which HEAD does not have.
fn additions<R: Read>(entries: &mut Entries<R>, limit: Option<&[u8]>, found: &mut Vec<Delta>) -> Result<(), Doubt> {
    while let Some((path, _)) = entries.current() {
        if limit.is_some_and(|limit| path >= limit) {
            break;
        }
        let path = path.to_vec();
        found.extend(of_path(entries, &path, None)?);
    }
    Ok(())
}

/// Takes all entries of `path`, of which there are several in a conflict, and compares them with what HEAD has.
fn of_path<R: Read>(entries: &mut Entries<R>, path: &[u8], old: Option<Item>) -> Result<Option<Delta>, Doubt> {
    let mut new = None;
    let mut is_conflict = false;
    while let Some(entry) = at(entries, path) {
        is_conflict |= entry.stage > 0;
        if !entry.is_intent {
            check(path, entry.item.mode)?;
            new = Some(entry.item);
        }
        entries.advance()?;
    }
    Ok(if is_conflict {
        Some(conflict(path, old))
    } else {
        delta(path, old, new)
    })
}

fn at<R: Read>(entries: &Entries<R>, path: &[u8]) -> Option<Entry> {
    entries
        .current()
        .filter(|(current, _)| *current == path)
        .map(|(_, entry)| entry)
}

/// Goes past the entries below a folder; there must be as many as the cached tree counts.
fn step_over<R: Read>(entries: &mut Entries<R>, folder: &[u8], count: u32) -> Result<(), Doubt> {
    let mut passed = 0;
    while entries.current().is_some_and(|(path, _)| path.starts_with(folder)) {
        passed += 1;
        entries.advance()?;
    }
    if passed == count {
        Ok(())
    } else {
        Err(Doubt::strange("the cached tree counts other entries than there are"))
    }
}

/// An entry that is compared must be one that a tree can hold (`verify_path` in git's source, of which reading an index
/// makes no use).
fn check(path: &[u8], mode: u32) -> Result<(), Doubt> {
    let is_mode = matches!(mode, 0o100_644 | 0o100_755 | 0o120_000 | 0o160_000);
    let cannot_be = |part: &[u8]| matches!(part, b"" | b"." | b"..") || part.eq_ignore_ascii_case(b".git");
    if is_mode && !path.split(|&byte| byte == b'/').any(cannot_be) {
        Ok(())
    } else {
        Err(Doubt::strange("the index has an entry that no tree can hold"))
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::{Sample, file, index};
    use super::super::trees::tests::{FILE, Forest, lines};
    use super::*;

    fn staged(
        forest: &Forest,
        head: Option<Id>,
        entries: &[Sample],
        cached: Option<&[u8]>,
    ) -> Result<Vec<String>, Doubt> {
        let bytes = index(3, entries, &[]);
        let cached = cached.map(|payload| CachedTree::of(payload).unwrap());
        let mut entries = Entries::new(bytes.as_slice(), bytes.len() as u64)?;
        let deltas = compare(forest, head, &mut entries, cached.as_ref())?;
        entries.finish(None)?;
        Ok(lines(&deltas))
    }

    fn cached(folders: &[(&str, u32, u32, Id)]) -> Vec<u8> {
        let folder = |(name, count, below, id): &(&str, u32, u32, Id)| {
            [format!("{name}\0{count} {below}\n").as_bytes(), id.as_slice()].concat()
        };
        let rest: Vec<u8> = folders.iter().flat_map(folder).collect();
        [format!("\0-1 {}\n", folders.len()).into_bytes(), rest].concat()
    }

    #[test]
    fn entries_are_compared_in_the_order_of_both() {
        let mut forest = Forest::default();
        let head = forest.plant(&[
            ("a/x", FILE, 1),
            ("a.py", FILE, 1),
            ("b/y", FILE, 1),
            ("c", FILE, 1),
            ("d", 0o160_000, 1),
            ("e", FILE, 1),
        ]);
        let entries = [
            file("a-", 1),
            file("a.py", 2),
            file("a/x", 1),
            file("b", 1),
            file("b0", 1),
            Sample {
                stage: 2,
                ..file("c", 1)
            },
            Sample {
                stage: 3,
                ..file("c", 2)
            },
            file("d", 1),
            Sample {
                is_intent: true,
                ..file("e", 1)
            },
            Sample {
                is_intent: true,
                ..file("f", 1)
            },
            Sample {
                stage: 2,
                ..file("g", 1)
            },
        ];
        let expected = [
            "Added a-",
            "Modified a.py",
            "Added b",
            "Deleted b/y",
            "Added b0",
            "Unmerged c",
            "TypeChanged d",
            "Deleted e",
            "Unmerged g",
        ];
        assert_eq!(staged(&forest, Some(head), &entries, None).unwrap(), expected);
        let added = staged(&forest, None, &entries[..5], None).unwrap();
        assert_eq!(added.len(), 5);
        assert_eq!(staged(&forest, Some(head), &[], None).unwrap().len(), 6);
    }

    #[test]
    fn folders_that_the_cache_knows_are_stepped_over() {
        let mut forest = Forest::default();
        let files = [("a/x", FILE, 1), ("b/c/y", FILE, 1), ("b/z", FILE, 1)];
        let head = forest.plant(&files);
        let (a, b) = (
            forest.plant(&[("x", FILE, 1)]),
            forest.plant(&[("c/y", FILE, 1), ("z", FILE, 1)]),
        );
        let entries = [file("a/x", 1), file("b/c/y", 1), file("b/z", 1), file("c", 1)];
        let known = cached(&[("a", 1, 0, a), ("b", 2, 0, b)]);
        assert_eq!(
            staged(&forest, Some(head), &entries, Some(&known)).unwrap(),
            ["Added c"]
        );
        assert_eq!(forest.reads.borrow().len(), 1, "the root only");
        // Known, but of other content than HEAD's: it is gone through.
        let other = cached(&[("a", 1, 0, b), ("b", 2, 0, b)]);
        assert_eq!(
            staged(&forest, Some(head), &entries, Some(&other)).unwrap(),
            ["Added c"]
        );
        let wrong = cached(&[("a", 1, 0, a), ("b", 3, 0, b)]);
        assert!(staged(&forest, Some(head), &entries, Some(&wrong)).is_err());
    }

    #[test]
    fn an_entry_that_no_tree_holds_is_a_doubt() {
        let forest = Forest::default();
        for path in ["/a", "a//b", "a/", "./a", "a/../b", ".git/x", "a/.GIT"] {
            assert!(staged(&forest, None, &[file(path, 1)], None).is_err(), "{path}");
        }
        let folder = Sample {
            mode: 0o040_000,
            ..file("a", 1)
        };
        assert!(staged(&forest, None, &[folder], None).is_err());
        let odd = Sample {
            mode: 0o100_664,
            ..file("a", 1)
        };
        assert!(staged(&forest, None, &[odd], None).is_err());
    }
}
