//! `--verbose`: which environments, metadata and conventions were found, and through which files.

use std::io::{self, Write};

use crate::project::{ConventionFacts, MOST_FILES, Naming, Place, Project, Target};

pub(super) fn verbose(
    project: &Project<'_>,
    snapshot: &str,
    way: Option<&str>,
    notes: &[String],
    err: &mut dyn Write,
) -> io::Result<()> {
    match way {
        Some(way) => writeln!(err, "\nread from: {snapshot}, by {way}")?,
        None => writeln!(err, "\nread from: {snapshot}, outside any repository")?,
    }
    for note in notes {
        writeln!(err, "{note}")?;
    }
    project.looked_at().iter().try_for_each(|naming| tell(naming, err))?;
    for (folders, history) in project.histories() {
        let folders: Vec<String> = folders.iter().map(ToString::to_string).collect();
        let folders = folders.join(", ");
        match history.size() {
            Some(revisions) => writeln!(err, "history: {revisions} revisions in {folders}")?,
            None => writeln!(
                err,
                "history: not read, there is too much in {folders} (more than {MOST_FILES} files or 32 MiB)"
            )?,
        }
    }
    Ok(())
}

fn tell(naming: &Naming, err: &mut dyn Write) -> io::Result<()> {
    let Some(environment) = &naming.environment else {
        return Ok(());
    };
    writeln!(err, "environment: {}", environment.env_py())?;
    if let Some(configuration) = &environment.configuration {
        writeln!(err, "  configured by: {configuration}")?;
    }
    if let Some(dialect) = environment.dialect {
        writeln!(err, "  database: {}", dialect.label())?;
    }
    match &naming.target {
        Target::Nothing => {
            writeln!(err, "  target_metadata: None")?;
            let at = naming
                .stated
                .as_ref()
                .map(|stated| format!(", by {}", place(Some(stated))));
            writeln!(err, "  note: no naming convention is applied{}", at.unwrap_or_default())?;
        }
        Target::Several(several) => writeln!(err, "  target_metadata: a list of {}", several.len())?,
        Target::ByDatabase(databases) => {
            let names: Vec<&str> = databases.iter().map(|(name, _)| name.as_str()).collect();
            writeln!(err, "  target_metadata: one for each of {}", names.join(", "))?;
        }
        Target::Unknown(reason) => writeln!(err, "  target_metadata: unknown, because {reason}")?,
        Target::Metadata(facts) => {
            writeln!(
                err,
                "  target_metadata: {} at {}",
                facts.maker,
                place(facts.place.as_ref())
            )?;
            match &facts.convention {
                ConventionFacts::Default => writeln!(err, "  convention: none")?,
                ConventionFacts::Known(_, at) => writeln!(err, "  convention: at {}", place(at.as_ref()))?,
                ConventionFacts::Unknown(reason, _) => writeln!(err, "  convention: unknown, because {reason}")?,
            }
        }
    }
    match &naming.exhausted {
        Some(at) => writeln!(
            err,
            "  steps: {} (there were no more; the last question was at {})",
            naming.steps,
            place(Some(at))
        )?,
        None => writeln!(err, "  steps: {}", naming.steps)?,
    }
    let files: Vec<String> = naming.trail.iter().map(ToString::to_string).collect();
    writeln!(err, "  read: {}", files.join(", "))
}

fn place(place: Option<&Place>) -> String {
    match place {
        Some(place) => format!("{}:{}", place.file.path(), place.file.position(place.span.start).line),
        None => "a place in a library".to_owned(),
    }
}
