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
    trees: &impl Trees,
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
            Some((id, count)) if id == child.item.id && count > 0 => step_over(entries, &path, count)?,
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
    fn new(trees: &impl Trees, id: &Id, prefix: usize, cached: Option<(&'c CachedTree, usize)>) -> Result<Self, Doubt> {
        let cached = cached.map_or_else(HashMap::new, |(cached, place)| cached.below(place).collect());
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
