//! Imports: which file of the snapshot a module is in, and what its names are.

use std::cell::{OnceCell, RefCell};

use std::rc::Rc;

use rustc_hash::FxHashMap;

use super::chain::Chain;
use super::flow::Reach;
use super::reader::{Question, Reader, address};
use super::value::{ModuleName, Value};
use crate::python::scopes::Binding;
use crate::python::{Module, Modules};
use crate::snapshot::{Entry, EntryKind};
use crate::source::{RepoPath, Span};

/// The folders where Python looks for modules.
pub(crate) struct Imports<'m> {
    find_roots: Box<dyn Fn() -> Vec<RepoPath> + 'm>,
    roots: OnceCell<Vec<RepoPath>>,
    found: RefCell<FxHashMap<ModuleName, Location>>,
}

/// Where the module of a dotted name is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Location {
    /// In this file of the project.
    File(RepoPath),
    /// It is a package without an `__init__.py`.
    Folder,
    /// Its first package is in the project, and the module is not.
    Missing,
    /// It is not in the project.
    External,
}

impl<'m> Imports<'m> {
    /// Imports from these folders, in order. They are computed at the first import.
    pub(crate) fn new(find_roots: impl Fn() -> Vec<RepoPath> + 'm) -> Self {
        Self {
            find_roots: Box::new(find_roots),
            roots: OnceCell::new(),
            found: RefCell::default(),
        }
    }

    pub(crate) fn find(&self, modules: &Modules<'_>, name: &ModuleName) -> Location {
        if let Some(known) = self.found.borrow().get(name) {
            return known.clone();
        }
        let found = self.look_for(modules, name);
        self.found.borrow_mut().insert(name.clone(), found.clone());
        found
    }

    fn look_for(&self, modules: &Modules<'_>, name: &ModuleName) -> Location {
        if let Some(folder) = &name.folder {
            return below(modules, folder, &name.dotted).unwrap_or(Location::Missing);
        }
        let mut begins_here = false;
        for root in self.roots.get_or_init(|| (self.find_roots)()) {
            if let Some(found) = below(modules, root, &name.dotted) {
                return found;
            }
            let first = name.dotted.split('.').next().unwrap_or_default();
            begins_here |= first.len() < name.dotted.len() && below(modules, root, first).is_some();
        }
        if begins_here {
            Location::Missing
        } else {
            Location::External
        }
    }
}

fn below(modules: &Modules<'_>, folder: &RepoPath, dotted: &str) -> Option<Location> {
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
        return is_module.then(|| Location::File(RepoPath::new([inner.as_bytes(), b".py"].concat())));
    }
    let entries = modules.list(&folder);
    if has(entries, b"__init__.py").is_some() {
        return folder.join("__init__.py").map(Location::File);
    }
    // Of `x.py` and `x/` without `__init__.py`, Python takes the file.
    let module = RepoPath::new([folder.as_bytes(), b".py"].concat());
    if !dotted.is_empty() && holds(modules, &module) {
        return Some(Location::File(module));
    }
    (!entries.is_empty()).then_some(Location::Folder)
}

fn holds(modules: &Modules<'_>, file: &RepoPath) -> bool {
    let Some(folder) = file.parent() else { return false };
    has(modules.list(&folder), file.file_name()) == Some(EntryKind::File)
}

/// Looks a name up in the sorted entries of a folder.
fn has(entries: &[Entry], name: &[u8]) -> Option<EntryKind> {
    let at = entries.binary_search_by(|entry| entry.name.as_slice().cmp(name)).ok()?;
    entries.get(at).map(|entry| entry.kind)
}

/// The folder that a relative import with so many dots starts in.
pub(super) fn relative_folder(module: &RepoPath, level: u32) -> Option<RepoPath> {
    let mut folder = module.parent()?;
    for _ in 1..level {
        folder = folder.parent()?;
    }
    Some(folder)
}

impl<'m> Reader<'m> {
    /// `module.name`, where the module may be of this project or of a library.
    pub(super) fn module_attribute(&mut self, module: &ModuleName, name: &str) -> Value<'m> {
        match self.find(module) {
            Location::External => self.external(&format!("{}.{name}", module.dotted)),
            Location::File(path) => {
                let Some(file) = self.module_at(&path) else {
                    return Value::unknown(format!("`{path}` cannot be read"));
                };
                let value = self.name_of_module(file, name);
                value.unwrap_or_else(|| self.submodule(module, name))
            }
            Location::Folder | Location::Missing => self.submodule(module, name),
        }
    }

    /// The last value of a name of a module. Modules may import it from each other in a circle.
    pub(super) fn name_of_module(&mut self, module: &'m Module, name: &str) -> Option<Value<'m>> {
        let chain = self.module(module);
        let question = Question::Name(chain.id(), name.into());
        let answer = self.ask(question, (Span::default(), module), |reader| reader.in_scope(name, &chain, usize::MAX));
        answer.ok().flatten()
    }

    fn submodule(&mut self, module: &ModuleName, name: &str) -> Value<'m> {
        let inner = module.join(name);
        match self.find(&inner) {
            Location::File(_) | Location::Folder => Value::Module(Rc::new(inner)),
            Location::External | Location::Missing => {
                // A package that several distributions share is only in part of this project.
                let elsewhere = self.external(&inner.dotted);
                if module.folder.is_none() && !matches!(elsewhere, Value::External(_)) {
                    return elsewhere;
                }
                let shown = if module.dotted.is_empty() {
                    "the package"
                } else {
                    &module.dotted
                };
                Value::unknown(format!("`{name}` was not found in `{shown}`"))
            }
        }
    }

    /// Where a module is.
    pub(crate) fn find(&self, name: &ModuleName) -> Location {
        let package = name.dotted.split('.').next().unwrap_or_default();
        if name.folder.is_none() && self.libraries.is_library(package) {
            return Location::External;
        }
        match &self.project {
            Some((modules, imports)) => imports.find(modules, name),
            None => Location::External,
        }
    }

    /// A module or package, or the library that has the name.
    pub(super) fn imported(&self, name: ModuleName) -> Value<'m> {
        match self.find(&name) {
            Location::External => Value::External(name.dotted.into()),
            Location::File(_) | Location::Folder | Location::Missing => Value::Module(Rc::new(name)),
        }
    }

    /// Something of a library, by its dotted name.
    pub(crate) fn external(&mut self, name: &str) -> Value<'m> {
        self.libraries.external(self, name)
    }

    /// What the last `*` import between these bytes brings under a name.
    pub(super) fn starred(
        &mut self,
        name: &str,
        chain: &Chain<'m>,
        between: std::ops::Range<usize>,
    ) -> Option<Value<'m>> {
        if chain.scope.stars.is_empty() {
            return None;
        }
        let scope = chain.scope.clone();
        self.charge(scope.stars.len(), Span::default(), chain);
        let stars = scope.stars.iter().rev();
        for star in stars.filter(|star| between.start <= star.from && star.from <= between.end) {
            if !self.spend(1, Span::new(star.from, star.from), chain.module) {
                return None;
            }
            let Binding::ImportFrom { module, level, .. } = &star.binding else {
                continue;
            };
            let Some(module) = chain.imported_from(module, *level) else {
                continue;
            };
            if self.reach(star.block, chain, Some(between.end)) == Reach::Never {
                continue;
            }
            if let Some(value) = self.exported(&module, name) {
                return Some(value);
            }
        }
        None
    }

    /// What `from module import *` brings under a name.
    fn exported(&mut self, module: &ModuleName, name: &str) -> Option<Value<'m>> {
        let path = match self.find(module) {
            Location::File(path) => path,
            Location::External => {
                let name = format!("{}.{name}", module.dotted);
                return self.libraries.offers(&name).then(|| self.external(&name));
            }
            Location::Folder | Location::Missing => return None,
        };
        let file = self.module_at(&path)?;
        let asking = (address(file), name.to_owned());
        if self.exporting.contains(&asking) {
            return None;
        }
        self.exporting.push(asking);
        let chain = self.module(file);
        let has_list = chain.scope.name("__all__").is_some();
        let listed = has_list.then(|| self.name_of_module(file, "__all__")).flatten();
        let is_exported = match listed {
            Some(Value::List(names)) => names.iter().any(|one| one.as_text() == Some(name)),
            _ => !name.starts_with('_'),
        };
        let value = is_exported.then(|| self.name_of_module(file, name)).flatten();
        self.exporting.pop();
        value
    }
}
