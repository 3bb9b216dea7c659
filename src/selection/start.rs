//! Where a run starts, and where its report is read.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use super::SelectionError;
use super::paths::{below, folder_of, is_elsewhere, leads_out, writes_elsewhere};
use crate::git::{Environment, Repository};
use crate::invocation::Invocation;
use crate::python::relevance;
use crate::settings::Scope;
use crate::source::RepoPath;

/// Where a run starts from.
pub(crate) struct Start {
    /// The current folder.
    pub folder: PathBuf,
    /// The repository around it, or around the files that are named.
    pub repository: Option<Repository>,
    /// The top that paths are relative to.
    pub top: PathBuf,
    /// The most that is read of one file, in bytes.
    pub(super) limit: u64,
}

/// Where the report is read, and its commands are typed.
#[derive(Debug, Clone, Default)]
pub struct Reader {
    /// The folder, relative to the top; `None` if it is not below.
    pub folder: Option<RepoPath>,
    /// The top.
    pub top: PathBuf,
    /// Whether this program runs in that folder, so that paths can be repeated as they were given.
    pub is_here: bool,
    /// How this program is run there.
    pub program: Invocation,
}

/// The folder that the command was given in.
pub(crate) fn current_folder() -> Result<PathBuf> {
    std::env::current_dir().context("the current folder cannot be found: go into one that exists")
}

impl Reader {
    /// A path as it is typed in that folder.
    #[must_use]
    pub fn typed(&self, path: &RepoPath) -> String {
        match &self.folder {
            Some(folder) => path.seen_from(folder),
            None => path.to_path(&self.top).display().to_string(),
        }
    }

    /// The same for a folder.
    #[must_use]
    pub fn typed_folder(&self, folder: &RepoPath) -> String {
        match self.typed(folder) {
            here if here.is_empty() => ".".to_owned(),
            typed => typed.trim_end_matches('/').to_owned(),
        }
    }
}

impl Start {
    /// Finds the repository for a scope. Files named outside the current repository, or in one within it, belong to the
    /// one around them.
    pub(crate) fn find(folder: PathBuf, scope: &Scope, limit: u64) -> Result<Self, SelectionError> {
        let here = Repository::discover(&folder)?;
        let top = here
            .as_ref()
            .map_or_else(|| folder.clone(), |repository| repository.top().to_owned());
        if let (Scope::Paths(paths), true) = (scope, here.is_some()) {
            let leads_out = |path: &&PathBuf| leads_out(&top, &folder.join(path));
            if let Some(path) = paths.iter().find(leads_out) {
                let path = path.clone();
                return Err(SelectionError::BehindLink { path, top });
            }
        }
        let first = match scope {
            Scope::Paths(paths) => paths.first().map(|path| folder.join(path)),
            _ if here.is_none() => return Err(SelectionError::NoRepository { folder }),
            _ => None,
        };
        let elsewhere = first
            .map(|path| folder_of(&path))
            .filter(|around| around.is_dir() && is_elsewhere(around, &top));
        let (repository, top) = match elsewhere {
            Some(around) => {
                let environment = Environment::of_process().for_another_repository();
                let repository = Repository::discover_in(&environment, &around)?;
                let top = repository.as_ref().map_or(around, |one| one.top().to_owned());
                (repository, top)
            }
            None => (here, top),
        };
        Ok(Self {
            folder,
            repository: repository.map(|one| one.with_limit(limit).with_relevance(|text| relevance(text).any())),
            top,
            limit,
        })
    }

    /// The reader is in the current folder; for a hook, in the folder where git was called.
    #[must_use]
    pub(crate) fn reader(&self) -> Reader {
        let here = below(&self.top, &self.folder);
        let called = self.repository.as_ref().and_then(Repository::called_in);
        let folder = called.or_else(|| here.clone());
        Reader {
            is_here: folder == here,
            folder,
            top: self.top.clone(),
            program: Invocation::here(&self.top),
        }
    }

    /// A path of the command line, relative to the top.
    pub(crate) fn path_of(&self, path: &Path) -> Result<RepoPath, SelectionError> {
        below(&self.top, &self.folder.join(path)).ok_or_else(|| self.elsewhere(path))
    }

    /// The same for a path that must exist.
    pub(crate) fn path_there(&self, path: &Path) -> Result<RepoPath, SelectionError> {
        match self.folder.join(path).symlink_metadata() {
            Ok(_) => self.path_of(path),
            Err(_) => Err(SelectionError::NoSuchPath { path: path.to_owned() }),
        }
    }

    pub(super) fn elsewhere(&self, path: &Path) -> SelectionError {
        SelectionError::ElsewhereThan {
            path: path.to_owned(),
            top: self.top.clone(),
        }
    }

    /// Whether writing to a path of the repository would write elsewhere, or into git's folder, because of a link.
    #[must_use]
    pub(crate) fn leads_out(&self, path: &Path) -> bool {
        self.repository.is_some() && writes_elsewhere(&self.top, &self.folder.join(path))
    }
}
