//! Gives a deployed project a naming convention: writes it into the metadata, with a revision that renames what the databases named.
//!
//! Everything is made in memory first, so that an error leaves all as it was:
//!
//! ```text
//! find (environment, metadata) -> convention -> placing (head, folder, name) -> revision -> failing (old revisions) -> write, or --dry-run
//! ```

mod boundary;
mod command;
mod convention;
mod error;
mod failing;
mod find;
mod messages;
mod placing;
mod revision;
mod write;

use std::path::PathBuf;

use anyhow::Result;
use clap::{Args, ValueEnum};

use crate::ExitStatus;
use crate::config::{CommandLine, Config, Configs};
use crate::diagnostic::Diagnostic;
use crate::fix::FixedFile;
use crate::git::Repository;
use crate::naming::Convention;
use crate::project::{History, Project, Revision};
use crate::selection::{Start, current_folder};
use crate::settings::Scope;
use crate::snapshot::{DEFAULT_LIMIT, WorkingTree};
use crate::source::RepoPath;

use boundary::Boundary;
pub(crate) use command::command;
use error::AdoptError;
use find::Adopter;
use revision::Content;

/// A convention by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Preset {
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

/// What to write, and what to print.
struct Plan {
    /// The module with the convention.
    module: Option<FixedFile>,
    /// `None` where there is none to build on.
    revision: Option<NewRevision>,
    remarks: Vec<String>,
    /// The old revisions that fail on a new database.
    failing: Vec<Diagnostic>,
}

struct NewRevision {
    path: RepoPath,
    text: String,
    /// The identifier of the revision that it builds on.
    down: String,
}

/// Plans and writes, or shows the diff.
pub(crate) fn run(arguments: &AdoptArgs) -> Result<ExitStatus> {
    let folder = current_folder()?;
    let start = Start::find(folder, &Scope::Paths(vec![arguments.path.clone()]), DEFAULT_LIMIT)?;
    let snapshot = WorkingTree::new(&start.top);
    let project = Project::new(&snapshot, start.top.to_string_lossy());
    let configs = Configs::nearest(&snapshot, CommandLine::default());
    let adopter = find::find(&project, &start, &arguments.path, arguments.environment.as_deref())?;
    let config = configs.of(&adopter.environment.env_py())?;
    let Some(plan) = plan(arguments, &start, &project, &adopter, config)? else {
        messages::nothing_left()?;
        return Ok(ExitStatus::Clean);
    };
    if arguments.dry_run {
        messages::diff(&plan)?;
    } else {
        let scratch = start.repository.as_ref().map(Repository::git_dir);
        write::write(&start.top, scratch, plan.module.as_ref(), plan.revision.as_ref())?;
    }
    messages::done(&plan, arguments.dry_run, &start, &adopter.environment, adopter.is_of_flask(&project))?;
    Ok(ExitStatus::Clean)
}

/// `None` where nothing is left to do.
fn plan(
    arguments: &AdoptArgs,
    start: &Start,
    project: &Project<'_>,
    adopter: &Adopter,
    config: &Config,
) -> Result<Option<Plan>> {
    let environment = &adopter.environment;
    let boundary = Boundary::new(&start.top, start.repository.as_ref().map(Repository::git_dir))?;
    boundary.check_folders(environment)?;
    let history = project.revisions_of(environment);
    let given = project.given_names(&adopter.naming, &adopter.path_of(None));
    let mut remarks = Vec::new();
    let (convention, module) = match adopter.convention()? {
        None if arguments.revision_only => {
            return Err(AdoptError::NoConvention(adopter.path_of(None)).into());
        }
        None => {
            let (convention, why) = convention::for_checks(wanted(arguments, config), &given);
            remarks.extend(why);
            let module = convention::write(adopter, project, &convention)?;
            (convention, Some(module))
        }
        Some((convention, place)) => {
            let dictionary = revision::dictionary(&convention);
            if dictionary.is_some_and(|code| revision::is_adopted(&history, &code)) {
                return Ok(None);
            }
            if !arguments.revision_only {
                return Err(adopter.has_convention(place.as_ref()).into());
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
    let revision = placing::head(&history, environment)?
        .map(|head| new_revision(&boundary, project, adopter, config, &history, head, &content))
        .transpose()?;
    if revision.is_none() {
        remarks.push("there is no revision yet, so there is nothing to rename".to_owned());
    }
    Ok(Some(Plan {
        failing: failing::failing_revisions(&history, project, module.as_ref(), config),
        module,
        revision,
        remarks,
    }))
}

/// The revision onto the head, and its file, which was checked.
fn new_revision(
    boundary: &Boundary,
    project: &Project<'_>,
    adopter: &Adopter,
    config: &Config,
    history: &History,
    head: &Revision,
    content: &Content<'_>,
) -> Result<NewRevision, AdoptError> {
    let dictionary = revision::dictionary(content.convention).ok_or_else(|| AdoptError::UnreadConvention {
        module: adopter.path_of(None),
        reason: "it holds more than texts".to_owned(),
    })?;
    let id = revision::id(head.id(), &dictionary, history);
    let folder = placing::folder(&adopter.environment, head.file().path());
    let path = placing::place(&adopter.environment, &folder, &id)?;
    boundary.check_file(&path, &folder)?;
    let dialect = config.dialect.or(adopter.environment.dialect);
    let numbers = revision::numbers(project, &path, head.id(), dialect);
    let text = revision::render(&id, head.id(), &dictionary, content, &numbers);
    let down = head.id().to_owned();
    Ok(NewRevision { path, text, down })
}

/// The convention of the command line, else of the configuration, else SQLAlchemy's.
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
