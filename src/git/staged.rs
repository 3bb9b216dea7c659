//! The index as HEAD's tree with changes on top: a file or a folder of it costs a look at a few trees, and no list of all files. No I/O.

use std::rc::Rc;

use super::delta::{Delta, Kind};
use crate::snapshot::{Entry, EntryKind, children};
use crate::source::RepoPath;

/// The deltas from HEAD to the index.
pub(super) struct StagedChanges {
    /// Sorted by path.
    pub(super) deltas: Rc<[Delta]>,
    /// The paths that are not deleted, and whether each is a regular file.
    present: Vec<(RepoPath, bool)>,
}

impl StagedChanges {
    pub(super) fn new(mut deltas: Vec<Delta>) -> Self {
        // git and libgit2 order them by the configuration.
        deltas.sort_by(|one, other| one.path.cmp(&other.path));
        let present = deltas.iter().filter(|delta| delta.kind != Kind::Deleted);
        Self {
            present: present.map(|delta| (delta.path.clone(), delta.is_file())).collect(),
            deltas: deltas.into(),
        }
    }

    /// The delta of a path; `None` where the index has what HEAD has.
    pub(super) fn delta(&self, path: &RepoPath) -> Option<&Delta> {
        let at = self.deltas.binary_search_by(|delta| delta.path.cmp(path)).ok()?;
        self.deltas.get(at)
    }

    /// The children of `folder`, of which HEAD has the children `head`. `remains` tells whether a folder of HEAD holds a path that is not
    /// deleted; it is asked only about folders with changes.
    pub(super) fn children<E>(
        &self,
        folder: &RepoPath,
        head: Vec<Entry>,
        remains: impl Fn(&RepoPath) -> Result<bool, E>,
    ) -> Result<Vec<Entry>, E> {
        let mut found = children(&self.present, |(path, is_file)| (path, *is_file), folder);
        for entry in head {
            let Some(path) = folder.join(&entry.name) else { continue };
            let is_kept = match entry.kind {
                EntryKind::File => self.delta(&path).is_none(),
                EntryKind::Folder => !self.touch(&path) || remains(&path)?,
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

    pub(super) fn delete(&self, path: &RepoPath) -> bool {
        self.delta(path).is_some_and(|delta| delta.kind == Kind::Deleted)
    }

    /// Whether something below `folder` changes.
    fn touch(&self, folder: &RepoPath) -> bool {
        let prefix = [folder.as_bytes(), b"/"].concat();
        let at = self
            .deltas
            .partition_point(|delta| delta.path.as_bytes() < prefix.as_slice());
        let next = self.deltas.get(at);
        next.is_some_and(|delta| delta.path.as_bytes().starts_with(&prefix))
    }
}

#[cfg(test)]
mod tests {
    use super::super::delta::Side;
    use super::*;
    use crate::snapshot::ObjectId;

    fn staged(deltas: &[(Kind, &str)]) -> StagedChanges {
        let new = Side::new(0o100_644, ObjectId::parse(&"01".repeat(20)).unwrap());
        let delta = |&(kind, path): &(Kind, &str)| Delta::new(path.into(), kind, Side::default(), new.clone());
        StagedChanges::new(deltas.iter().map(delta).collect())
    }

    fn names(staged: &StagedChanges, folder: &str, head: &[(&str, EntryKind)], remains: bool) -> Vec<String> {
        let head = head.iter().map(|&(name, kind)| Entry::new(name, kind)).collect();
        let children = staged.children(&folder.into(), head, |_| Ok::<_, std::convert::Infallible>(remains));
        let name = |entry: &Entry| String::from_utf8_lossy(&entry.name).into_owned();
        children.unwrap().iter().map(name).collect()
    }

    #[test]
    fn a_path_without_a_delta_is_as_in_head() {
        let staged = staged(&[(Kind::Modified, "a.py"), (Kind::Deleted, "b.py"), (Kind::Unmerged, "c.py")]);
        let file = |path: &str| staged.delta(&path.into()).map(|delta| delta.file().map(|row| row.id));
        assert!(matches!(file("a.py"), Some(Some(id)) if id.as_str().starts_with("01")));
        assert_eq!([file("b.py"), file("c.py"), file("d.py")], [Some(None), Some(None), None]);
        assert!(staged.delete(&"b.py".into()) && !staged.delete(&"a.py".into()));
    }

    #[test]
    fn folders_come_and_go_with_their_files() {
        use EntryKind::{File, Folder};
        let staged = staged(&[
            (Kind::Added, "a/new/x.py"),
            (Kind::Deleted, "a/old/x.py"),
            (Kind::Deleted, "a/x.py"),
            (Kind::Added, "a/y.py"),
        ]);
        let head = [("keep", Folder), ("old", Folder), ("x.py", File), ("z.py", File)];
        assert_eq!(names(&staged, "a", &head, false), ["keep", "new", "y.py", "z.py"]);
        assert_eq!(names(&staged, "a", &head, true), ["keep", "new", "old", "y.py", "z.py"]);
        assert_eq!(names(&staged, "", &[("a", Folder), ("b", Folder)], false), ["a", "b"]);
        assert!(names(&staged, "a/old", &[("x.py", File)], false).is_empty());
    }
}
