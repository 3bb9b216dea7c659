//! Finds the environment, its metadata and its convention.

use std::path::Path;
use std::rc::Rc;

use anyhow::Result;

use crate::naming::Convention;
use crate::project::{ConventionFacts, Environment, Judged, MetadataFacts, Naming, Place, Project, Target};
use crate::selection::{SelectionError, Start};
use crate::source::{RepoPath, SourceFile};
use crate::words::quoted;

use super::error::AdoptError;

/// The environment that adopts a convention.
pub(super) struct Adopter {
    pub(super) naming: Rc<Naming>,
    pub(super) environment: Environment,
    pub(super) facts: MetadataFacts,
}

/// The environment that was named, else the only one at a path.
pub(super) fn find(project: &Project<'_>, start: &Start, path: &Path, named: Option<&Path>) -> Result<Adopter> {
    if start.folder.join(path).symlink_metadata().is_err() {
        return Err(SelectionError::NoSuchPath { path: path.to_owned() }.into());
    }
    let environment = match named {
        Some(folder) => environment_named(project, start, folder)?,
        None => environment_at(project, start, path)?,
    };
    let env_py = environment.env_py();
    if is_for_several_databases(project, &environment) {
        return Err(AdoptError::SeveralDatabases(environment.folder).into());
    }
    let naming = project.naming_of(environment.clone());
    let facts = match &naming.target {
        Target::Metadata(facts) if facts.is_reflected => return Err(AdoptError::Reflected(env_py).into()),
        Target::Metadata(facts) => facts.clone(),
        Target::Nothing => return Err(AdoptError::NoMetadata(env_py).into()),
        Target::Several(_) | Target::ByDatabase(_) => return Err(AdoptError::SeveralMetadata(env_py).into()),
        Target::Unknown(reason) => {
            let reason = reason.clone();
            return Err(AdoptError::UnknownMetadata { env_py, reason }.into());
        }
    };
    Ok(Adopter {
        naming,
        environment,
        facts,
    })
}

fn environments(project: &Project<'_>) -> Vec<Environment> {
    let mut all = project.environments();
    // Alembic's own templates, if packages are installed below the top.
    let is_installed = |one: &Environment| one.folder.display().split('/').any(|part| part == "site-packages");
    all.retain(|one| !is_installed(one));
    all.sort_by(|one, other| one.folder.cmp(&other.folder));
    all
}

/// The folders as the option takes them.
fn folders(environments: &[Environment], start: &Start) -> Vec<String> {
    let reader = start.reader();
    let typed = |one: &Environment| quoted(&reader.typed_folder(&one.folder));
    environments.iter().map(typed).collect()
}

fn environment_named(project: &Project<'_>, start: &Start, folder: &Path) -> Result<Environment> {
    let wanted = start.path_of(folder)?;
    let all = environments(project);
    let known = folders(&all, start);
    let own = all.into_iter().find(|one| one.folder == wanted);
    own.ok_or_else(|| {
        let folder = folder.to_owned();
        let error = if known.is_empty() {
            AdoptError::NoEnvironment(folder)
        } else {
            AdoptError::NotOne { folder, known }
        };
        error.into()
    })
}

fn environment_at(project: &Project<'_>, start: &Start, path: &Path) -> Result<Environment> {
    let inside = start.path_of(path)?;
    let all = environments(project);
    let (below, above): (Vec<_>, Vec<_>) = all.into_iter().partition(|one| one.folder.starts_with(&inside));
    let mut own = below;
    if own.is_empty() {
        own = above;
        own.retain(|one| inside.starts_with(&one.home()));
    }
    if own.len() > 1 {
        return Err(AdoptError::Several(folders(&own, start)).into());
    }
    own.pop()
        .ok_or_else(|| AdoptError::NoEnvironment(path.to_owned()).into())
}

/// In Alembic's template for several databases, `upgrade()` is told which.
fn is_for_several_databases(project: &Project<'_>, environment: &Environment) -> bool {
    let template = environment.folder.join("script.py.mako");
    let text = template.and_then(|path| project.snapshot().read(&path).ok().flatten());
    text.is_some_and(|text| memchr::memmem::find(&text, b"engine_name").is_some())
}

impl Adopter {
    /// The convention that the metadata has, and where it is written; `None` for SQLAlchemy's default.
    pub(super) fn convention(&self) -> Result<Option<(Convention, Option<Place>)>, AdoptError> {
        match &self.facts.convention {
            ConventionFacts::Default => Ok(None),
            ConventionFacts::Known(convention, _) if convention.is_default() => Ok(None),
            ConventionFacts::Known(convention, place) => Ok(Some((convention.clone(), place.clone()))),
            ConventionFacts::Unknown(reason, place) => Err(AdoptError::UnreadConvention {
                module: self.path_of(place.as_ref()),
                reason: reason.clone(),
            }),
        }
    }

    /// The error for a convention that is there already.
    pub(super) fn has_convention(&self, place: Option<&Place>) -> AdoptError {
        let line = place.map_or(1, |place| place.file.position(place.span.start).line);
        let path = self.path_of(place);
        AdoptError::HasConvention { path, line }
    }

    /// The module of a place, else the one that makes the metadata, else `env.py`.
    pub(super) fn path_of(&self, place: Option<&Place>) -> RepoPath {
        let place = place.or(self.facts.place.as_ref());
        place.map_or_else(|| self.environment.env_py(), |place| place.file.path().clone())
    }

    /// The module that gets the convention, and the metadata as it sees it.
    pub(super) fn judged(&self) -> Option<(SourceFile, Judged)> {
        let places = [&self.facts.place, &self.facts.first_statement, &self.naming.stated];
        places.into_iter().flatten().find_map(|place| {
            let mut judged = Project::judged_by(&self.naming, &place.file).into_iter();
            Some((place.file.clone(), judged.next()?))
        })
    }

    /// Whether the commands of Flask-Migrate run this environment.
    pub(super) fn is_of_flask(&self, project: &Project<'_>) -> bool {
        let env_py = project.modules().file(&self.environment.env_py());
        env_py.is_some_and(|file| file.text().contains("current_app"))
    }
}
