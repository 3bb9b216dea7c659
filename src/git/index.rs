//! The index as what it is to HEAD: its tree, and the changes on top. It needs no list of all files, so reading a file by
//! its path and listing a folder cost a look at a few trees. Pure: whoever calls brings HEAD's side.

use std::rc::Rc;

use super::delta::{Delta, Kind};
use super::listing::{Row, is_regular};
use crate::snapshot::{Entry, EntryKind, children};
use crate::source::RepoPath;

/// Changes on top of a tree.
pub(super) struct Overlay {
    /// Sorted by path.
    pub(super) deltas: Rc<[Delta]>,
    /// The places of those that are not deletions.
    left: Vec<usize>,
}

/// What the changes say of a path.
pub(super) enum Said {
    /// Nothing: what HEAD has there counts.
    Nothing,
    /// A file, or that there is none.
    File(Option<Row>),
}

impl Overlay {
    pub(super) fn new(mut deltas: Vec<Delta>) -> Self {
        // git and libgit2 go by the configuration here.
        deltas.sort_by(|one, other| one.path.cmp(&other.path));
        let is_left = |at: &usize| deltas.get(*at).is_some_and(|delta| delta.kind != Kind::Deleted);
        let left = (0..deltas.len()).filter(is_left).collect();
        Self {
            deltas: deltas.into(),
            left,
        }
    }

    pub(super) fn file(&self, path: &RepoPath) -> Said {
        let Ok(at) = self.deltas.binary_search_by(|delta| delta.path.cmp(path)) else {
            return Said::Nothing;
        };
        Said::File(self.deltas.get(at).filter(|delta| is_file(delta)).map(|delta| Row {
            path: path.clone(),
            mode: delta.new.mode,
            id: delta.new.id.clone(),
            size: 0,
            stage: 0,
        }))
    }

    /// The children of `folder`, where HEAD has `head` there. `remains` tells whether HEAD has a path below a folder that
    /// is not among those deleted; it is asked only for a folder in which something was.
    pub(super) fn children<E>(
        &self,
        folder: &RepoPath,
        head: Vec<Entry>,
        remains: impl Fn(&RepoPath) -> Result<bool, E>,
    ) -> Result<Vec<Entry>, E> {
        let row = |at: usize| {
            let delta = self.left.get(at).and_then(|&at| self.deltas.get(at))?;
            Some((delta.path.clone(), is_file(delta)))
        };
        let mut found = children(self.left.len(), row, folder);
        for entry in head {
            let Some(path) = folder.join(&entry.name) else { continue };
            let is_kept = match entry.kind {
                EntryKind::File => matches!(self.file(&path), Said::Nothing),
                EntryKind::Folder => !self.changes_below(&path) || remains(&path)?,
            };
            if is_kept {
                found.push(entry);
            }
        }
        found.sort();
        // A folder of HEAD in which something changed is in both lists.
        found.dedup();
        Ok(found)
    }

    /// Whether HEAD's file at `path` is gone.
    pub(super) fn deletes(&self, path: &RepoPath) -> bool {
        let at = self.deltas.binary_search_by(|delta| delta.path.cmp(path));
        at.is_ok_and(|at| self.deltas.get(at).is_some_and(|delta| delta.kind == Kind::Deleted))
    }

    fn changes_below(&self, folder: &RepoPath) -> bool {
        let prefix = [folder.as_bytes(), b"/"].concat();
        let at = self
            .deltas
            .partition_point(|delta| delta.path.as_bytes() < prefix.as_slice());
        let next = self.deltas.get(at);
        next.is_some_and(|delta| delta.path.as_bytes().starts_with(&prefix))
    }
}

fn is_file(delta: &Delta) -> bool {
    !matches!(delta.kind, Kind::Deleted | Kind::Unmerged) && is_regular(delta.new.mode)
}

#[cfg(test)]
mod tests {
    use super::super::delta::Side;
    use super::super::tree_diff;
    use super::*;
    use crate::snapshot::ObjectId;

    fn overlay(deltas: &[(Kind, &str)]) -> Overlay {
        let delta = |&(kind, path): &(Kind, &str)| Delta {
            path: path.into(),
            from: None,
            kind,
            old: Side::default(),
            new: Side::new(0o100_644, ObjectId::of_bytes(&[1; 20])),
        };
        Overlay::new(deltas.iter().map(delta).collect())
    }

    fn names(overlay: &Overlay, folder: &str, head: &[(&str, EntryKind)], remains: bool) -> Vec<String> {
        let head = head.iter().map(|&(name, kind)| Entry::new(name, kind)).collect();
        let children = overlay.children(&folder.into(), head, |_| Ok::<_, tree_diff::Id>(remains));
        let name = |entry: &Entry| String::from_utf8_lossy(&entry.name).into_owned();
        children.unwrap().iter().map(name).collect()
    }

    #[test]
    fn what_is_not_changed_is_head_s() {
        let overlay = overlay(&[
            (Kind::Modified, "a.py"),
            (Kind::Deleted, "b.py"),
            (Kind::Unmerged, "c.py"),
        ]);
        assert!(matches!(overlay.file(&"a.py".into()), Said::File(Some(row)) if row.id.as_str().starts_with("01")));
        assert!(matches!(overlay.file(&"b.py".into()), Said::File(None)));
        assert!(matches!(overlay.file(&"c.py".into()), Said::File(None)));
        assert!(matches!(overlay.file(&"d.py".into()), Said::Nothing));
        assert!(overlay.deletes(&"b.py".into()) && !overlay.deletes(&"a.py".into()));
    }

    #[test]
    fn folders_come_and_go_with_their_files() {
        use EntryKind::{File, Folder};
        let overlay = overlay(&[
            (Kind::Added, "a/new/x.py"),
            (Kind::Deleted, "a/old/x.py"),
            (Kind::Deleted, "a/x.py"),
            (Kind::Added, "a/y.py"),
        ]);
        let head = [("keep", Folder), ("old", Folder), ("x.py", File), ("z.py", File)];
        assert_eq!(names(&overlay, "a", &head, false), ["keep", "new", "y.py", "z.py"]);
        assert_eq!(
            names(&overlay, "a", &head, true),
            ["keep", "new", "old", "y.py", "z.py"]
        );
        assert_eq!(names(&overlay, "", &[("a", Folder), ("b", Folder)], false), ["a", "b"]);
        assert!(names(&overlay, "a/old", &[("x.py", File)], false).is_empty());
    }
}
