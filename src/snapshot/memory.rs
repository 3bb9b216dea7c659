//! Files in memory, for tests.

use std::cell::RefCell;
use std::collections::BTreeMap;

use super::{Entry, Snapshot, SnapshotError, children};
use crate::source::RepoPath;

/// Files in memory, for tests. It records what was read.
#[derive(Debug, Default)]
pub struct MemorySnapshot {
    files: BTreeMap<RepoPath, Vec<u8>>,
    reads: RefCell<Vec<RepoPath>>,
}

impl MemorySnapshot {
    /// The paths that were asked for, in order, found or not.
    #[must_use]
    pub fn reads(&self) -> Vec<RepoPath> {
        self.reads.borrow().clone()
    }
}

impl<P: AsRef<[u8]>, T: Into<Vec<u8>>, const N: usize> From<[(P, T); N]> for MemorySnapshot {
    fn from(files: [(P, T); N]) -> Self {
        files.into_iter().collect()
    }
}

impl<P: AsRef<[u8]>, T: Into<Vec<u8>>> FromIterator<(P, T)> for MemorySnapshot {
    fn from_iter<I: IntoIterator<Item = (P, T)>>(files: I) -> Self {
        let files = files
            .into_iter()
            .map(|(path, text)| (RepoPath::new(path), text.into()))
            .collect();
        Self {
            files,
            reads: RefCell::default(),
        }
    }
}

impl Snapshot for MemorySnapshot {
    fn read(&self, path: &RepoPath) -> Result<Option<Vec<u8>>, SnapshotError> {
        self.reads.borrow_mut().push(path.clone());
        Ok(self.files.get(path).cloned())
    }

    fn list(&self, folder: &RepoPath) -> Result<Vec<Entry>, SnapshotError> {
        let paths: Vec<&RepoPath> = self.files.keys().collect();
        Ok(children(&paths, |path| (*path, true), folder))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::ObjectId;

    #[test]
    fn memory_counts_what_was_read() {
        let memory = MemorySnapshot::from([("app/models.py", "x = 1"), ("app/sub/b.py", "")]);
        assert_eq!(memory.read(&"app/models.py".into()).unwrap().unwrap(), b"x = 1");
        assert_eq!(memory.read(&"nothing".into()).unwrap(), None);
        assert_eq!(memory.reads(), ["app/models.py".into(), "nothing".into()]);
        let names: Vec<_> = memory
            .list(&"app".into())
            .unwrap()
            .into_iter()
            .map(|entry| entry.name)
            .collect();
        assert_eq!(names, [b"models.py".to_vec(), b"sub".to_vec()]);
        assert!(matches!(
            memory.read_id(&"gone".into(), &ObjectId::default(), 0),
            Err(SnapshotError::Vanished { .. })
        ));
    }
}
