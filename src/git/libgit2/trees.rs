//! Reads trees: a file by its path, and the children of a folder.

use git2::Oid;

use super::super::cached_tree::IndexError;
use super::super::listing::{Row, is_regular};
use super::super::tree_diff::{self, Child, Item, Trees};
use super::{Answer, Library};
use crate::snapshot::{Entry, EntryKind, ObjectId};
use crate::source::RepoPath;

impl Library {
    /// The regular file at `path`.
    pub(in super::super) fn tree_file(&self, tree: Oid, path: &RepoPath) -> Answer<Option<Row>> {
        let item = self.item(tree, path, false)?;
        let row = item.map(|item| Row::new(path.clone(), item.mode, ObjectId::of(item.id)));
        Ok(row.filter(Row::is_file))
    }

    pub(in super::super) fn tree_children(&self, tree: Oid, folder: &RepoPath) -> Answer<Vec<Entry>> {
        let Some(tree) = self.folder_in(tree, folder)? else {
            return Ok(Vec::new());
        };
        let entry = |child: &Child| {
            let kind = if child.is_folder() {
                EntryKind::Folder
            } else {
                EntryKind::File
            };
            let is_shown = child.is_folder() || is_regular(child.item.mode);
            is_shown.then(|| Entry::new(child.name.as_slice(), kind))
        };
        let mut entries: Vec<Entry> = self.rows(tree)?.iter().filter_map(entry).collect();
        entries.sort();
        Ok(entries)
    }

    pub(super) fn folder_in(&self, tree: Oid, folder: &RepoPath) -> Answer<Option<Oid>> {
        if folder.as_bytes().is_empty() {
            return Ok(Some(tree));
        }
        Ok(self.item(tree, folder, true)?.map(|item| item.id))
    }

    /// The folder at a path, or whatever else it is.
    pub(super) fn item(&self, mut tree: Oid, path: &RepoPath, is_folder: bool) -> Answer<Option<Item>> {
        let mut parts = path.as_bytes().split(|&byte| byte == b'/').peekable();
        while let Some(part) = parts.next() {
            let is_last = parts.peek().is_none();
            let found = tree_diff::find(self.rows(tree)?, part, is_folder || !is_last);
            match found {
                Some(item) if !is_last => tree = item.id,
                found => return Ok(found),
            }
        }
        Ok(None)
    }

    pub(super) fn rows(&self, tree: Oid) -> Answer<&[Child]> {
        if let Some(known) = self.trees.get(&tree) {
            return Ok(known);
        }
        let rows = self.repository.children(tree)?;
        Ok(self.trees.insert(tree, rows.into()))
    }
}

impl Trees for git2::Repository {
    fn children(&self, id: Oid) -> Result<Vec<Child>, IndexError> {
        let unproved = |error: git2::Error| IndexError::unproved(error.message());
        let objects = self.odb().map_err(unproved)?;
        let object = objects.read(id).map_err(unproved)?;
        let rows = (object.kind() == git2::ObjectType::Tree)
            .then(|| tree_diff::rows(object.data()))
            .flatten();
        rows.ok_or_else(|| IndexError::unproved("a tree is none, or not in order"))
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::command::Caller;
    use super::super::super::environment::Environment;
    use super::super::super::layout::Layout;
    use super::*;

    #[test]
    fn a_large_folder_is_parsed_once() {
        let folder = tempfile::tempdir().unwrap();
        let repository = git2::Repository::init(folder.path()).unwrap();
        let blob = repository.blob(b"x").unwrap();
        let tree = {
            let mut tree = repository.treebuilder(None).unwrap();
            for number in 0..200 {
                tree.insert(format!("{number:03}_a_revision_with_a_long_name.py"), blob, 0o100_644)
                    .unwrap();
            }
            tree.write().unwrap()
        };
        let environment = Environment::default();
        let layout = Layout::new(&environment, folder.path(), folder.path().join(".git"), None);
        let caller = Caller::new(&environment, folder.path(), "");
        let library = Library::new(repository, layout, caller);
        let is_found = |name: &str| library.tree_file(tree, &name.into()).ok().flatten().is_some();
        assert!(is_found("000_a_revision_with_a_long_name.py"));
        std::fs::remove_dir_all(folder.path().join(".git/objects")).unwrap();
        assert!(is_found("199_a_revision_with_a_long_name.py"));
        assert!(!is_found("200_a_revision_with_a_long_name.py"));
    }
}
