//! The repository, its hooks, and the files of hook managers.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use super::change::Plan;
use super::error::{InstallError, name};
use super::hook::{self, Existing};
use super::{HOOKS, Manager};
use crate::executable::{file_name, is_executable, on_path};
use crate::git::{Hooks, Repository};
use crate::invocation::NAME;
use crate::selection::current_folder;

const LEFTHOOK_FILES: [&str; 3] = ["lefthook", ".lefthook", ".config/lefthook"];
const LEFTHOOK_FORMATS: [&str; 5] = ["yml", "yaml", "toml", "json", "jsonc"];
const PRE_COMMIT_FILES: [&str; 1] = [".pre-commit-config.yaml"];
/// In the order of prek's own preference.
const PREK_FILES: [&str; 3] = ["prek.toml", ".pre-commit-config.yaml", ".pre-commit-config.yml"];

/// The repository of the current folder.
pub(super) struct Site {
    repository: Repository,
    pub(super) folder: PathBuf,
    pub(super) top: PathBuf,
    pub(super) hooks: Hooks,
}

impl Site {
    pub(super) fn find() -> Result<Self> {
        let folder = current_folder()?;
        let repository = Repository::discover(&folder)?.ok_or_else(|| InstallError::Nowhere(folder.clone()))?;
        let top = repository.top().to_owned();
        if repository.is_bare() {
            return Err(InstallError::Bare(top).into());
        }
        let hooks = repository.hooks()?;
        Ok(Self {
            repository,
            folder,
            top,
            hooks,
        })
    }

    /// What the hooks folder has under this name.
    pub(super) fn existing(&self, name: &str) -> Result<Existing, InstallError> {
        let path = self.hooks.folder.join(name);
        hook::existing(&path).map_err(|cause| InstallError::Read { path, cause })
    }

    /// Who runs the hooks: the manager that wrote the hook, else the one with a file, else git.
    pub(super) fn manager(&self) -> Result<Manager, InstallError> {
        if self.is_husky() {
            return Ok(Manager::Husky);
        }
        match self.existing(HOOKS[0])? {
            Existing::Ours { .. } | Existing::Edited => return Ok(Manager::Git),
            Existing::Generated(manager) => return Ok(manager),
            _ => {}
        }
        let husky = self.top.join(".husky");
        let husky = husky.is_dir().then_some((Manager::Husky, husky));
        let first_of = |manager| Some((manager, self.configs(manager).into_iter().next()?));
        let (pre_commit, prek) = (first_of(Manager::PreCommit), first_of(Manager::Prek));
        // If both read the same file, the entry is the same.
        let is_same = matches!((&pre_commit, &prek), (Some((_, one)), Some((_, other))) if one == other);
        let prek = prek.filter(|_| !is_same);
        let mut found = [husky, first_of(Manager::Lefthook), pre_commit, prek]
            .into_iter()
            .flatten();
        match (found.next(), found.next()) {
            (None, _) => Ok(Manager::Git),
            (Some((manager, _)), None) => Ok(manager),
            (Some((_, first)), Some((_, second))) => Err(InstallError::Ambiguous { first, second }),
        }
    }

    /// The files of a manager at the top; of prek in the nearest folder that has any, since each folder can be a project of its own.
    pub(super) fn configs(&self, manager: Manager) -> Vec<PathBuf> {
        let names = candidates(manager);
        let here = |folder: &Path| -> Vec<PathBuf> {
            let files = names.iter().map(|name| folder.join(name));
            files.filter(|file| file.is_file()).collect()
        };
        let below_top = self.folder.ancestors().take_while(|folder| *folder != self.top);
        let nearest = below_top
            .filter(|folder| manager == Manager::Prek && folder.starts_with(&self.top))
            .map(here)
            .find(|files| !files.is_empty());
        nearest.unwrap_or_else(|| here(&self.top))
    }

    /// The file of a manager.
    pub(super) fn config(&self, manager: Manager) -> Result<PathBuf, InstallError> {
        self.configs(manager)
            .into_iter()
            .next()
            .ok_or_else(|| InstallError::NoConfig {
                path: self.top.join(candidates(manager).first().map_or("", String::as_str)),
                manager,
            })
    }

    // --- husky ---

    /// Whether git runs husky's hooks: from version 9 on in `_` below its folder, before in the folder itself.
    pub(super) fn is_husky(&self) -> bool {
        self.is_written_by_husky() || self.hooks.folder.ends_with(".husky")
    }

    /// Whether the hooks folder is the one that husky overwrites.
    pub(super) fn is_written_by_husky(&self) -> bool {
        let folder = &self.hooks.folder;
        folder.ends_with(".husky/_") || (folder.ends_with("_") && folder.join("h").is_file())
    }

    /// The project's hooks under husky, whether they exist or not; none without husky.
    pub(super) fn husky_files(&self, hooks: &[&str]) -> Vec<PathBuf> {
        let own = self.top.join(".husky");
        let folder = if self.is_written_by_husky() {
            self.hooks.folder.parent().map(Path::to_owned)
        } else if self.is_husky() {
            Some(self.hooks.folder.clone())
        } else {
            own.is_dir().then_some(own)
        };
        let files = |folder: PathBuf| hooks.iter().map(move |hook| folder.join(hook)).collect();
        folder.map(files).unwrap_or_default()
    }

    /// Fails where git runs no hooks.
    pub(super) fn check_hooks_folder(&self) -> Result<(), InstallError> {
        let folder = &self.hooks.folder;
        if self.hooks.configured.as_deref() == Some("") {
            return Err(InstallError::SwitchedOff(self.top.clone()));
        }
        if folder.symlink_metadata().is_ok() && !folder.is_dir() {
            return Err(InstallError::NoFolder(folder.clone()));
        }
        Ok(())
    }

    /// Notes whom else the hook concerns.
    pub(super) fn note_reach(&self, plan: &mut Plan) -> Result<(), InstallError> {
        if self.hooks.is_shared {
            let note = "note: core.hooksPath is set for all your repositories, so this hook now runs in each of them";
            plan.notes.push(note.to_owned());
        }
        let hook = self.hooks.folder.join(HOOKS[0]);
        if self.repository.can_be_committed(&hook)? {
            plan.notes.push(format!(
                "note: {} can be committed; the path in it is of this machine, elsewhere the hook looks in PATH",
                hook.display()
            ));
        }
        Ok(())
    }

    /// Notes what is missing for the entry to be run.
    pub(super) fn remind(&self, manager: Manager, hooks: &[&str], plan: &mut Plan) -> Result<(), InstallError> {
        let runs = |existing: Existing| match (manager, existing) {
            (Manager::Lefthook, Existing::Generated(other)) => other == Manager::Lefthook,
            (_, Existing::Generated(other)) => other != Manager::Lefthook,
            _ => false,
        };
        let mut commands = Vec::new();
        for hook in hooks {
            match manager {
                // A linked worktree of a repository with husky starts without the folder, and git says nothing.
                Manager::Husky if !self.is_husky() || !self.hooks.folder.is_dir() => {
                    commands.push("npx husky".to_owned());
                }
                Manager::Git | Manager::Husky => {}
                _ if runs(self.existing(hook)?) => {}
                Manager::Lefthook => commands.push("lefthook install".to_owned()),
                _ if *hook == HOOKS[0] => commands.push(format!("{} install", name(manager))),
                _ => commands.push(format!("{} install --hook-type {hook}", name(manager))),
            }
        }
        commands.dedup();
        if !commands.is_empty() {
            plan.notes
                .push(format!("note: git does not run it yet in this clone: {}", commands.join(" && ")));
        }
        if !is_on_path(&self.top) {
            let note = "note: alembic-named is not in PATH here, and where it is not, commits are stopped";
            plan.notes.push(note.to_owned());
        }
        Ok(())
    }
}

fn candidates(manager: Manager) -> Vec<String> {
    let owned = |files: &[&str]| files.iter().map(|file| (*file).to_owned()).collect();
    match manager {
        Manager::Lefthook => LEFTHOOK_FILES
            .iter()
            .flat_map(|file| LEFTHOOK_FORMATS.iter().map(move |format| format!("{file}.{format}")))
            .collect(),
        Manager::PreCommit => owned(&PRE_COMMIT_FILES),
        Manager::Prek => owned(&PREK_FILES),
        Manager::Git | Manager::Husky => Vec::new(),
    }
}

// --- the program that the hook runs ---

/// The absolute path of the given program, else of this one.
pub(super) fn program(named: Option<&Path>) -> Result<PathBuf> {
    let path = match named {
        Some(path) => std::path::absolute(path).unwrap_or_else(|_| path.to_owned()),
        None => own_path().context("this program cannot find its own file: name it with --bin")?,
    };
    if is_executable(&path) {
        Ok(path)
    } else {
        Err(InstallError::NoProgram(path).into())
    }
}

/// The path by which this program was called, even if it is a link: that of a package manager outlives the version behind it.
fn own_path() -> std::io::Result<PathBuf> {
    let file = std::env::current_exe()?;
    let real = file.canonicalize()?;
    let called = PathBuf::from(std::env::args_os().next().unwrap_or_default());
    let places: Vec<PathBuf> = if called.components().count() > 1 {
        std::path::absolute(&called).into_iter().collect()
    } else {
        on_path(&path_variable(), called.as_os_str()).collect()
    };
    let same = places
        .into_iter()
        .find(|place| place.canonicalize().is_ok_and(|place| place == real));
    Ok(same.unwrap_or(file))
}

/// Whether a manager would find the program; husky and lefthook look into the project's packages as well.
fn is_on_path(top: &Path) -> bool {
    let name = file_name(NAME);
    let in_packages = top.join("node_modules/.bin").join(&name);
    on_path(&path_variable(), &name).next().is_some() || is_executable(&in_packages)
}

fn path_variable() -> OsString {
    std::env::var_os("PATH").unwrap_or_default()
}
