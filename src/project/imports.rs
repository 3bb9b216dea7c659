//! From the name in an `import` to the file of the snapshot, as Python would look for it.

use crate::git::{Entry, Snapshot};
use crate::memo::Memo;
use crate::order;
use crate::source::{RepoPath, SourceFile};

use super::value::ModuleName;

/// Packages whose behaviour is known. A folder of the project by the same name (`alembic/` is a usual one for migrations) has no
/// `__init__.py`, and Python takes the installed package before it.
const LIBRARIES: &[&str] = &[
    "advanced_alchemy",
    "alembic",
    "collections",
    "copy",
    "fastapi_users_db_sqlalchemy",
    "flask",
    "flask_migrate",
    "flask_sqlalchemy",
    "functools",
    "gino",
    "os",
    "sqlalchemy",
    "sqlalchemy_utils",
    "sqlmodel",
    "sys",
    "types",
    "typing",
    "typing_extensions",
];

/// Finds modules below the folders that are on Python's path.
pub(super) struct Imports<'s> {
    snapshot: &'s dyn Snapshot,
    roots: Vec<RepoPath>,
    files: Memo<Option<SourceFile>>,
    folders: Memo<bool>,
}

/// What a name on Python's path turns out to be.
pub(super) enum Found {
    /// A module of the project.
    File(SourceFile),
    /// A package without an `__init__.py`.
    Folder,
    /// It begins in the project, and ends nowhere.
    Missing,
    /// It is not of this project.
    External,
}

impl<'s> Imports<'s> {
    pub(super) fn new(snapshot: &'s dyn Snapshot, roots: Vec<RepoPath>) -> Self {
        Self {
            snapshot,
            roots,
            files: Memo::default(),
            folders: Memo::default(),
        }
    }

    /// Every file that was opened, for `--verbose`.
    pub(super) fn opened(&self) -> Vec<RepoPath> {
        let files = self.files.answers().into_iter().flatten();
        let mut opened: Vec<RepoPath> = files.map(|file| file.path().clone()).collect();
        order::sort(&mut opened);
        opened
    }

    /// What a folder of the snapshot holds.
    pub(super) fn list(&self, folder: &RepoPath) -> Vec<Entry> {
        self.snapshot.list(folder).unwrap_or_default()
    }

    /// A file of the snapshot; nothing when it is absent, too large or not text.
    pub(super) fn file(&mut self, path: &RepoPath) -> Option<SourceFile> {
        self.files.of(path, || {
            let bytes = self.snapshot.read(path).ok()??;
            Some(SourceFile::new(path.clone(), String::from_utf8(bytes).ok()?))
        })
    }

    pub(super) fn find(&mut self, name: &ModuleName) -> Found {
        let first = name.dotted.split('.').next().unwrap_or_default();
        if let Some(folder) = &name.folder {
            return self.below(&folder.clone(), &name.dotted).unwrap_or(Found::Missing);
        }
        if LIBRARIES.contains(&first) {
            return Found::External;
        }
        for root in self.roots.clone() {
            if let Some(found) = self.below(&root, &name.dotted) {
                return found;
            }
        }
        let begins_here = self.roots.clone().iter().any(|root| self.below(root, first).is_some());
        if begins_here { Found::Missing } else { Found::External }
    }

    fn below(&mut self, folder: &RepoPath, dotted: &str) -> Option<Found> {
        let path = folder.join(dotted.replace('.', "/"))?;
        if let Some(file) = path.join("__init__.py").and_then(|init| self.file(&init)) {
            return Some(Found::File(file));
        }
        if !dotted.is_empty() {
            let module = RepoPath::new([path.as_bytes(), b".py"].concat());
            if let Some(file) = self.file(&module) {
                return Some(Found::File(file));
            }
        }
        self.folder_exists(&path).then_some(Found::Folder)
    }

    fn folder_exists(&mut self, path: &RepoPath) -> bool {
        let exists = || self.snapshot.list(path).is_ok_and(|entries| !entries.is_empty());
        self.folders.of(path, exists)
    }
}

/// The folder that a relative import with so many dots starts from.
pub(super) fn relative_folder(module: &RepoPath, level: u32) -> Option<RepoPath> {
    let mut folder = module.parent()?;
    for _ in 1..level {
        folder = folder.parent()?;
    }
    Some(folder)
}
