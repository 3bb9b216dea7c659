//! One run, from the command line to the exit status.

use std::fs;
use std::io::{self, Write};
use std::time::Instant;

use anyhow::{Context, Result};
use owo_colors::OwoColorize;

use crate::check::{Outcome, check};
use crate::cli::{CheckArgs, Cli, Command, Variables, completions};
use crate::config::{self, Configs};
use crate::diagnostic::Severity;
use crate::git::Status;
use crate::project::{ConventionFacts, Naming, Project, Target};
use crate::report::{self, Edge};
use crate::rules::{ALL, Rule};
use crate::selection::{Candidate, Start};
use crate::settings::{Format, Settings};

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExitStatus {
    /// Nothing blocks.
    Clean,
    /// Something blocks.
    Found,
    /// The check could not be done, which must never pass for a clean one.
    Failed,
}

impl ExitStatus {
    /// The number that the operating system sees.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Clean => 0,
            Self::Found => 1,
            Self::Failed => 2,
        }
    }
}

/// Does what the command line asks for.
///
/// Fails with a sentence for the user; a reader that closes the pipe is not a failure.
pub fn run(cli: Cli) -> Result<ExitStatus> {
    let done = match cli.command {
        None => check_files(cli.check),
        Some(Command::Check(arguments)) => check_files(arguments),
        Some(Command::Explain { rule }) => print(config::rule(&rule)?.documentation.as_bytes()),
        Some(Command::Rules) => print(rules().as_bytes()),
        Some(Command::Completions { shell }) => print(&completions(shell)),
    };
    match done {
        Err(error) if is_closed_pipe(&error) => Ok(ExitStatus::Clean),
        done => done,
    }
}

fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error
        .downcast_ref::<io::Error>()
        .is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

fn print(text: &[u8]) -> Result<ExitStatus> {
    let mut out = anstream::stdout();
    out.write_all(text)?;
    out.flush()?;
    Ok(ExitStatus::Clean)
}

fn rules() -> String {
    let widest = ALL.iter().map(|rule| rule.name.len()).max().unwrap_or_default();
    let line = |rule: &&Rule| format!("{:widest$}  {:7}  {}", rule.name, rule.severity, rule.summary);
    ALL.iter().map(line).collect::<Vec<_>>().join("\n") + "\n"
}

fn check_files(arguments: CheckArgs) -> Result<ExitStatus> {
    let started = Instant::now();
    let settings = arguments.settings(Variables::of_process())?;
    let folder = std::env::current_dir().context("the current folder cannot be found: go into one that exists")?;
    let start = Start::find(folder, &settings.scope, settings.max_file_size)?;
    let selection = start.select(&settings.scope, settings.max_file_size)?;
    let selected = started.elapsed();
    let snapshot = &*selection.snapshot;
    let configs = match &settings.config {
        Some(path) => {
            let text = fs::read_to_string(path)
                .with_context(|| format!("the configuration `{}` cannot be read", path.display()))?;
            Configs::fixed(snapshot, settings.command_line.clone(), &path.to_string_lossy(), &text)?
        }
        None => Configs::nearest(snapshot, settings.command_line.clone()),
    };
    let project = Project::new(snapshot, selection.top.to_string_lossy());
    let is_in_head = |candidate: &Candidate| match (&candidate.status, &start.repository) {
        (Some(Status::Added | Status::Copied { .. } | Status::Untracked), _) | (None, None) => Ok(false),
        (Some(_), _) => Ok(true),
        (None, Some(repository)) => repository.head_holds(&candidate.path).map(|id| id.is_some()),
    };
    let mut outcome = check(&selection.candidates, snapshot, &project, &configs, &is_in_head)?;
    outcome.failures.extend(selection.failures.iter().cloned());
    if settings.format == Format::Json {
        complete_statuses(&mut outcome, &start)?;
    }
    let mut edge = Edge::new(&settings).context("the output file cannot be written")?;
    report_all(&outcome, &settings, &mut edge)?;
    if settings.verbose {
        let way = start
            .repository
            .as_ref()
            .map_or_else(|| "no repository".to_owned(), |one| one.way().to_string());
        let err = edge.err()?;
        writeln!(err, "\nread from: {} by {way}", snapshot.describe())?;
        for note in &selection.notes {
            writeln!(err, "{note}")?;
        }
        for naming in project.looked_at() {
            tell(&naming, err)?;
        }
        writeln!(err, "time: {selected:.1?} to select, {:.1?} in all", started.elapsed())?;
    }
    Ok(exit_status(&outcome, &settings))
}

/// Files that were named get their status from git, which no other format asks for.
fn complete_statuses(outcome: &mut Outcome, start: &Start) -> Result<()> {
    let Some(repository) = &start.repository else {
        return Ok(());
    };
    for file in outcome.files.iter_mut().filter(|file| file.status.is_none()) {
        let known = repository.status_of(std::slice::from_ref(&file.path))?;
        file.status = known
            .into_iter()
            .next()
            .and_then(|(_, change)| change)
            .map(|change| change.status);
    }
    Ok(())
}

fn report_all(outcome: &Outcome, settings: &Settings, edge: &mut Edge) -> Result<()> {
    let width = edge.width();
    let reporter = report::reporter(settings.format, width, settings.quiet);
    reporter.report(outcome, edge.out())?;
    let err = edge.err()?;
    if settings.format == Format::Text
        && !settings.quiet
        && let Some(hints) = report::hints(outcome, width)
    {
        write!(err, "{hints}")?;
    }
    for failure in &outcome.failures {
        writeln!(err, "{} {failure}", "error:".red().bold())?;
    }
    if settings.format != Format::Text && !settings.quiet {
        writeln!(err, "{}", report::summary(outcome))?;
    }
    Ok(err.flush()?)
}

fn exit_status(outcome: &Outcome, settings: &Settings) -> ExitStatus {
    if !outcome.failures.is_empty() {
        ExitStatus::Failed
    } else if outcome.count(Severity::Error) > 0 && !settings.exit_zero {
        ExitStatus::Found
    } else {
        ExitStatus::Clean
    }
}

/// What was found out about one environment.
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
    let place = |place: &Option<crate::project::Place>| match place {
        Some(place) => format!("{}:{}", place.file.path(), place.file.position(place.span.start).line),
        None => "a library".to_owned(),
    };
    match &naming.target {
        Target::Nothing => writeln!(err, "  target_metadata: None")?,
        Target::Several(several) => writeln!(err, "  target_metadata: a list of {}", several.len())?,
        Target::Unknown(reason) => writeln!(err, "  target_metadata: unknown, because {reason}")?,
        Target::Metadata(facts) => {
            writeln!(err, "  target_metadata: {} at {}", facts.maker, place(&facts.place))?;
            match &facts.convention {
                ConventionFacts::Default => writeln!(err, "  convention: none")?,
                ConventionFacts::Known(_, at) => writeln!(err, "  convention: at {}", place(at))?,
                ConventionFacts::Unknown(reason, _) => writeln!(err, "  convention: unknown, because {reason}")?,
            }
        }
    }
    let files: Vec<String> = naming.trail.iter().map(ToString::to_string).collect();
    writeln!(err, "  read: {}", files.join(", "))
}
