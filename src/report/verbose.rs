//! `--verbose`: which environments, metadata and conventions were found, and through which files.

use std::io::{self, Write};

use crate::config::Configs;
use crate::escape::printable;
use crate::project::{ConventionFacts, Environment, MOST_FILES, Naming, Place, Project, Target};

/// One line, whatever the names and reasons in it hold.
macro_rules! say {
    ($err:expr, $($said:tt)*) => { writeln!($err, "{}", printable(&format!($($said)*))) };
}

/// What was found out on the way.
pub fn verbose(
    project: &Project<'_>,
    configs: &Configs<'_>,
    snapshot: &str,
    way: Option<&str>,
    notes: &[String],
    err: &mut dyn Write,
) -> io::Result<()> {
    writeln!(err)?;
    match way {
        Some(way) => say!(err, "read from: {snapshot}, by {way}")?,
        None => say!(err, "read from: {snapshot}, outside any repository")?,
    }
    for note in notes {
        say!(err, "{note}")?;
    }
    project
        .looked_at()
        .iter()
        .try_for_each(|naming| tell(naming, configs, err))?;
    for (folders, history) in project.histories() {
        let folders: Vec<String> = folders.iter().map(ToString::to_string).collect();
        let folders = folders.join(", ");
        match history.size() {
            Some(revisions) => say!(err, "history: {revisions} revisions in {folders}")?,
            None => {
                say!(
                    err,
                    "history: not read, there is too much in {folders} (more than {MOST_FILES} files or 32 MiB)"
                )?;
            }
        }
    }
    Ok(())
}

/// Where an environment is configured, for Alembic and for this tool, and the database that follows.
fn tell_configuration(environment: &Environment, configs: &Configs<'_>, err: &mut dyn Write) -> io::Result<()> {
    if let Some(configuration) = &environment.configuration {
        say!(err, "  configured by: {configuration}")?;
    }
    let config = configs.of(&environment.env_py());
    let own = match &config {
        Ok(config) => config.origin.as_ref().map(ToString::to_string),
        Err(error) => Some(format!("unknown, because {error}")),
    };
    if let Some(own) = own {
        say!(err, "  alembic-named's configuration: {own}")?;
    }
    match (config.ok().and_then(|config| config.dialect), environment.dialect) {
        (Some(dialect), _) => say!(err, "  database: {}, by `dialect`", dialect.label()),
        (None, Some(dialect)) => say!(err, "  database: {}", dialect.label()),
        (None, None) => Ok(()),
    }
}

fn tell(naming: &Naming, configs: &Configs<'_>, err: &mut dyn Write) -> io::Result<()> {
    let Some(environment) = &naming.environment else {
        return Ok(());
    };
    say!(err, "environment: {}", environment.env_py())?;
    tell_configuration(environment, configs, err)?;
    match &naming.target {
        Target::Nothing => {
            say!(err, "  target_metadata: None")?;
            let at = naming
                .stated
                .as_ref()
                .map(|stated| format!(", by {}", place(Some(stated))));
            say!(err, "  note: no naming convention is applied{}", at.unwrap_or_default())?;
        }
        Target::Several(several) => say!(err, "  target_metadata: a list of {}", several.len())?,
        Target::ByDatabase(databases) => {
            let names: Vec<&str> = databases.iter().map(|(name, _)| name.as_str()).collect();
            say!(err, "  target_metadata: one for each of {}", names.join(", "))?;
        }
        Target::Unknown(reason) => say!(err, "  target_metadata: unknown, because {reason}")?,
        Target::Metadata(facts) => {
            say!(err, "  target_metadata: {} at {}", facts.maker, place(facts.place.as_ref()))?;
            match &facts.convention {
                ConventionFacts::Default => say!(err, "  convention: none")?,
                ConventionFacts::Known(_, at) => say!(err, "  convention: at {}", place(at.as_ref()))?,
                ConventionFacts::Unknown(reason, _) => say!(err, "  convention: unknown, because {reason}")?,
            }
        }
    }
    match &naming.exhausted {
        Some(at) => {
            say!(err, "  steps: {} (there were no more; the last question was at {})", naming.steps, place(Some(at)))?;
        }
        None => say!(err, "  steps: {}", naming.steps)?,
    }
    let files: Vec<String> = naming.trail.iter().map(ToString::to_string).collect();
    say!(err, "  read: {}", files.join(", "))
}

fn place(place: Option<&Place>) -> String {
    match place {
        Some(place) => format!("{}:{}", place.file.path(), place.file.position(place.span.start).line),
        None => "a place in a library".to_owned(),
    }
}
