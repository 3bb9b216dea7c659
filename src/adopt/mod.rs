//! A naming convention for a project whose databases live: it is written into the metadata, and a revision renames what the databases named.
//!
//! Everything is found and made in memory first, so that a refusal leaves all as it was:
//!
//! ```text
//! find (environment, metadata) -> convention -> placing (head, folder, name) -> revision -> later (old revisions) -> write, or --dry-run
//! ```

mod convention;
mod error;
mod find;
mod ground;
mod later;
mod placing;
mod revision;
mod told;
mod write;

use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::{Args, ValueEnum};

pub use error::AdoptError;

use crate::ExitStatus;
use crate::config::{CommandLine, Config, Configs};
use crate::diagnostic::Diagnostic;
use crate::fix::Mended;
use crate::git::Repository;
use crate::naming::Convention;
use crate::project::{History, Project, Revision};
use crate::selection::Start;
use crate::settings::Scope;
use crate::snapshot::Overlay;
use crate::snapshot::{DEFAULT_LIMIT, WorkingTree};
use crate::source::RepoPath;

use find::{Found, Standing};
use ground::Ground;
use revision::Content;

/// A convention by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Preset {
    /// The one in SQLAlchemy's documentation: `fk_order_invoice_id_invoice`
    Sqlalchemy,
    /// PostgreSQL's own patterns, so that little is renamed there: `order_invoice_id_fkey`
    Postgresql,
}

/// The options of `adopt`.
#[derive(Debug, Args)]
pub struct AdoptArgs {
    /// Where to look for the environment
    #[arg(value_name = "PATH", default_value = ".")]
    path: PathBuf,
    /// The convention [default: the one of the configuration, or else sqlalchemy]
    #[arg(long, value_enum, conflicts_with = "revision_only")]
    convention: Option<Preset>,
    /// The folder with the `env.py`, where there are several
    #[arg(long, value_name = "FOLDER")]
    environment: Option<PathBuf>,
    /// Write the revision alone, for the convention that the metadata has already
    #[arg(long)]
    revision_only: bool,
    /// Show all as a unified diff, and write nothing
    #[arg(long, short = 'n')]
    dry_run: bool,
}

/// What is to be written, and what is to be said.
struct Plan {
    /// The module with the convention.
    module: Option<Mended>,
    /// The new revision, and its text; nothing where there is none to build on.
    revision: Option<(RepoPath, String)>,
    /// The identifier of the revision it builds on.
    down: Option<String>,
    /// What the reader should know.
    remarks: Vec<String>,
    /// The old revisions that fail on a new database.
    failing: Vec<Diagnostic>,
}

/// Finds all, and writes it.
pub fn run(arguments: &AdoptArgs) -> Result<ExitStatus> {
    let folder = std::env::current_dir().context("the current folder cannot be found: go into one that exists")?;
    let start = Start::find(folder, &Scope::Paths(vec![arguments.path.clone()]), DEFAULT_LIMIT)?;
    let snapshot = WorkingTree::new(&start.top);
    let project = Project::new(&snapshot, start.top.to_string_lossy());
    let configs = Configs::nearest(&snapshot, CommandLine::default());
    let found = find::find(&project, &start, &arguments.path, arguments.environment.as_deref())?;
    let config = configs.of(&found.environment.env_py())?;
    let Some(plan) = plan(arguments, &start, &project, &found, &config)? else {
        told::nothing_left()?;
        return Ok(ExitStatus::Clean);
    };
    if arguments.dry_run {
        told::diff(&plan)?;
    } else {
        let revision = plan.revision.as_ref().map(|(path, text)| (path, text.as_str()));
        let scratch = start.repository.as_ref().map(Repository::git_dir);
        write::write(&start.top, scratch, plan.module.as_ref(), revision)?;
    }
    told::done(
        &plan,
        arguments.dry_run,
        &start,
        &found.environment,
        found.is_of_flask(&project),
    )?;
    Ok(ExitStatus::Clean)
}

/// Nothing where nothing is left to do.
fn plan(
    arguments: &AdoptArgs,
    start: &Start,
    project: &Project<'_>,
    found: &Found,
    config: &Config,
) -> Result<Option<Plan>> {
    let environment = &found.environment;
    if let Some(outside) = &environment.placing.outside {
        return Err(AdoptError::Outside(outside.clone(), start.top.clone()).into());
    }
    let ground = Ground::new(&start.top, start.repository.as_ref().map(Repository::git_dir))?;
    ground.check_folders(&Project::version_folders(environment))?;
    let history = project.revisions_of(environment);
    let given = project.given_names(&found.naming, &found.path_of(None));
    let mut remarks = Vec::new();
    let (convention, module) = match found.standing()? {
        Standing::None if arguments.revision_only => {
            return Err(AdoptError::NoConvention(found.path_of(None)).into());
        }
        Standing::None => {
            let (convention, why) = convention::for_checks(wanted(arguments, config), &given);
            remarks.extend(why);
            let module = convention::write(found, project, &convention)?;
            (convention, Some(module))
        }
        Standing::Known(convention, place) => {
            let dictionary = revision::dictionary(&convention);
            if dictionary.is_some_and(|code| revision::is_there(&history, &code)) {
                return Ok(None);
            }
            if !arguments.revision_only {
                return Err(found.has_convention(place.as_ref()).into());
            }
            (convention, None)
        }
    };
    if given.is_partial {
        remarks.push(
            "some modules were not read: add the names that they give to constraints to `KEPT` in the revision"
                .to_owned(),
        );
    }
    let content = Content {
        convention: &convention,
        given: &given,
    };
    let head = placing::head(&history, environment)?;
    let revision = match head {
        None => {
            remarks.push("there is no revision yet, so there is nothing to rename".to_owned());
            None
        }
        Some(head) => Some(new_revision(&ground, project, found, config, &history, head, &content)?),
    };
    let failing = match &module {
        Some(module) => {
            let changed = Overlay::new(project.snapshot(), &module.after);
            later::failing(&history, &project.changed(&changed, module.path()), config)
        }
        None => later::failing(&history, project, config),
    };
    Ok(Some(Plan {
        down: head.map(|head| head.id().to_owned()),
        module,
        revision,
        remarks,
        failing,
    }))
}

/// The revision onto the head, and its file, which can be written.
fn new_revision(
    ground: &Ground,
    project: &Project<'_>,
    found: &Found,
    config: &Config,
    history: &History,
    head: &Revision,
    content: &Content<'_>,
) -> Result<(RepoPath, String), AdoptError> {
    let dictionary = revision::dictionary(content.convention).ok_or_else(|| AdoptError::UnreadConvention {
        module: found.path_of(None),
        reason: "it holds more than texts".to_owned(),
    })?;
    let id = revision::id(head.id(), &dictionary, history);
    let folder = placing::folder(&found.environment, head.file().path());
    let path = placing::place(&found.environment, &folder, &id)?;
    ground.check_file(&path, &folder)?;
    let dialect = config.dialect.or(found.environment.dialect);
    let numbers = revision::numbers(project, &path, head.id(), dialect);
    let text = revision::render(&id, head.id(), &dictionary, content, &numbers);
    Ok((path, text))
}

/// The convention that is asked for.
fn wanted(arguments: &AdoptArgs, config: &Config) -> Convention {
    match arguments.convention {
        Some(Preset::Sqlalchemy) => Convention::sqlalchemy_documented(),
        Some(Preset::Postgresql) => Convention::postgresql_defaults(),
        None => config
            .convention
            .clone()
            .unwrap_or_else(Convention::sqlalchemy_documented),
    }
}
