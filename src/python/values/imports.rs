//! From the name in an `import` to the file of the snapshot, as Python would look for it.

use std::cell::{OnceCell, RefCell};

use rustc_hash::FxHashMap;

use super::super::modules::Modules;
use super::value::ModuleName;
use crate::snapshot::{Entry, EntryKind};
use crate::source::RepoPath;

/// The folders where Python looks for modules.
pub(crate) struct Imports<'m> {
    find_roots: Box<dyn Fn() -> Vec<RepoPath> + 'm>,
    roots: OnceCell<Vec<RepoPath>>,
    found: RefCell<FxHashMap<ModuleName, Found>>,
}

/// What a name on Python's path turns out to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Found {
    /// The file of a module of the project.
    File(RepoPath),
    /// A package without an `__init__.py`.
    Folder,
    /// It begins in the project, and ends nowhere.
    Missing,
    /// It is not of this project.
    External,
}

impl<'m> Imports<'m> {
    /// Imports from these folders, in order; they are looked for when the first import asks.
    pub(crate) fn new(find_roots: impl Fn() -> Vec<RepoPath> + 'm) -> Self {
        Self {
            find_roots: Box::new(find_roots),
            roots: OnceCell::new(),
            found: RefCell::default(),
        }
    }

    /// What a name stands for.
    pub(crate) fn find(&self, modules: &Modules<'_>, name: &ModuleName) -> Found {
        if let Some(known) = self.found.borrow().get(name) {
            return known.clone();
        }
        let found = self.look_for(modules, name);
        self.found.borrow_mut().insert(name.clone(), found.clone());
        found
    }

    fn look_for(&self, modules: &Modules<'_>, name: &ModuleName) -> Found {
        if let Some(folder) = &name.folder {
            return below(modules, folder, &name.dotted).unwrap_or(Found::Missing);
        }
        let mut begins_here = false;
        for root in self.roots.get_or_init(|| (self.find_roots)()) {
            if let Some(found) = below(modules, root, &name.dotted) {
                return found;
            }
            let first = name.dotted.split('.').next().unwrap_or_default();
            begins_here |= first.len() < name.dotted.len() && below(modules, root, first).is_some();
        }
        if begins_here { Found::Missing } else { Found::External }
    }
}

fn below(modules: &Modules<'_>, folder: &RepoPath, dotted: &str) -> Option<Found> {
    let mut folder = folder.clone();
    let mut parts = dotted.split('.').filter(|part| !part.is_empty()).peekable();
    while let Some(part) = parts.next() {
        let entries = modules.list(&folder);
        let is = |name: &[u8], kind| has(entries, name) == Some(kind);
        let inner = folder.join(part)?;
        if is(part.as_bytes(), EntryKind::Folder) {
            folder = inner;
            continue;
        }
        let is_module = parts.peek().is_none() && is(format!("{part}.py").as_bytes(), EntryKind::File);
        return is_module.then(|| Found::File(RepoPath::new([inner.as_bytes(), b".py"].concat())));
    }
    let entries = modules.list(&folder);
    if has(entries, b"__init__.py").is_some() {
        return folder.join("__init__.py").map(Found::File);
    }
    // `x/` without `__init__.py` beside `x.py`: Python takes the module.
    let module = RepoPath::new([folder.as_bytes(), b".py"].concat());
    if !dotted.is_empty() && holds(modules, &module) {
        return Some(Found::File(module));
    }
    (!entries.is_empty()).then_some(Found::Folder)
}

fn holds(modules: &Modules<'_>, file: &RepoPath) -> bool {
    let Some(folder) = file.parent() else { return false };
    has(modules.list(&folder), file.file_name()) == Some(EntryKind::File)
}

/// What a folder has under a name. Its entries are sorted.
fn has(entries: &[Entry], name: &[u8]) -> Option<EntryKind> {
    let at = entries.binary_search_by(|entry| entry.name.as_slice().cmp(name)).ok()?;
    entries.get(at).map(|entry| entry.kind)
}

/// The folder that a relative import with so many dots starts from.
pub(super) fn relative_folder(module: &RepoPath, level: u32) -> Option<RepoPath> {
    let mut folder = module.parent()?;
    for _ in 1..level {
        folder = folder.parent()?;
    }
    Some(folder)
}
