//! The modules of a snapshot. Each is read and parsed once, when it is first asked for.

use elsa::FrozenMap;

use super::Module;
use crate::snapshot::{Entry, Snapshot};
use crate::source::{RepoPath, SourceFile};

pub(crate) struct Modules<'s> {
    snapshot: &'s dyn Snapshot,
    files: FrozenMap<RepoPath, Box<Option<SourceFile>>>,
    parsed: FrozenMap<RepoPath, Box<Module>>,
    folders: FrozenMap<RepoPath, Vec<Entry>>,
    /// The modules of a snapshot that differs only in this file.
    others: Option<(&'s Modules<'s>, RepoPath)>,
}

impl<'s> Modules<'s> {
    pub(crate) fn new(snapshot: &'s dyn Snapshot) -> Self {
        Self {
            snapshot,
            files: FrozenMap::new(),
            parsed: FrozenMap::new(),
            folders: FrozenMap::new(),
            others: None,
        }
    }

    /// The modules of a snapshot that differs from that of `others` in one file. The other files are not read or parsed again.
    pub(crate) fn changed(others: &'s Modules<'s>, snapshot: &'s dyn Snapshot, file: RepoPath) -> Self {
        Self {
            others: Some((others, file)),
            ..Self::new(snapshot)
        }
    }

    /// The other modules, if they have the same file at a path.
    fn elsewhere(&self, path: &RepoPath) -> Option<&'s Modules<'s>> {
        let (others, changed) = self.others.as_ref()?;
        (path != changed).then_some(*others)
    }

    /// A file of the snapshot; none if it is absent, too large or not UTF-8.
    pub(crate) fn file(&self, path: &RepoPath) -> Option<&SourceFile> {
        if let Some(others) = self.elsewhere(path) {
            return others.file(path);
        }
        if let Some(known) = self.files.get(path) {
            return known.as_ref();
        }
        let read = || {
            let bytes = self.snapshot.read(path).ok()??;
            Some(SourceFile::new(path.clone(), String::from_utf8(bytes).ok()?))
        };
        self.files.insert(path.clone(), Box::new(read())).as_ref()
    }

    pub(crate) fn get(&self, path: &RepoPath) -> Option<&Module> {
        if let Some(others) = self.elsewhere(path) {
            return others.get(path);
        }
        if let Some(known) = self.parsed.get(path) {
            return Some(known);
        }
        Some(self.parse(self.file(path)?))
    }

    /// The module of a file, if it is parsed already.
    pub(crate) fn parsed(&self, file: &SourceFile) -> Option<&Module> {
        if let Some(others) = self.elsewhere(file.path()) {
            return others.parsed(file);
        }
        let known = self.parsed.get(file.path())?;
        (known.file().text() == file.text()).then_some(known)
    }

    /// The module of a file, which is taken for that of the snapshot from here on.
    pub(crate) fn parse(&self, file: &SourceFile) -> &Module {
        if let Some(others) = self.elsewhere(file.path()) {
            return others.parse(file);
        }
        if let Some(known) = self.parsed(file) {
            return known;
        }
        let module = Box::new(Module::parse(file.clone()));
        self.parsed.insert(file.path().clone(), module)
    }

    /// The entries of a folder, sorted.
    pub(crate) fn list(&self, folder: &RepoPath) -> &[Entry] {
        if let Some((others, _)) = self.others {
            return others.list(folder);
        }
        if let Some(known) = self.folders.get(folder) {
            return known;
        }
        let mut entries = self.snapshot.list(folder).unwrap_or_default();
        entries.sort_unstable();
        self.folders.insert(folder.clone(), entries)
    }

    /// How many files were parsed so far.
    #[cfg(test)]
    pub(crate) fn parses(&self) -> usize {
        self.parsed.len()
    }
}
