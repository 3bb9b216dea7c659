//! One run, from the command line to the exit status.

use std::io::{self, Write};
use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result, anyhow, bail};

use crate::adopt;
use crate::check::{self, Checker, Outcome};
use crate::cli::{CheckArgs, Cli, Command, Variables, completions};
use crate::config::{self, CommandLine, Configs};
use crate::diagnostic::Severity;
use crate::fix::{self, Look};
use crate::git::{Repository, is_full};
use crate::install;
use crate::report::{self, Edge, Width};
use crate::selection::{Selection, Start, current_folder};
use crate::settings::{Action, Format, Remedy, Scope, Settings};
use crate::snapshot::{DEFAULT_LIMIT, WorkingTree};
use crate::source::{RepoPath, SourceFile};

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExitStatus {
    /// Nothing blocks.
    Clean,
    /// Something blocks.
    Found,
    /// The check failed, which must never pass as clean.
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
    let done = match (cli.command, cli.check.meant_subcommand()) {
        (Some(command), _) => obey(command),
        (None, Some(sentence)) => Err(anyhow!(sentence)),
        (None, None) => check_files(cli.check),
    };
    match done {
        Err(error) if is_closed_pipe(&error) => Ok(ExitStatus::Clean),
        done => done.map_err(|error| naming_what_is_full(error, None)),
    }
}

fn obey(command: Command) -> Result<ExitStatus> {
    match command {
        Command::Check(arguments) => check_files(arguments),
        Command::Fix(arguments) => match arguments.misplaced_rule() {
            Some(sentence) => Err(anyhow!(sentence)),
            None => check_files(arguments.fixing()),
        },
        Command::Config { path } => show_config(&path),
        Command::Adopt(arguments) => adopt::run(&arguments),
        Command::Install(arguments) => install::run(&arguments),
        Command::Uninstall(arguments) => install::undo(&arguments),
        Command::Explain { rule } => {
            let page = report::page(config::rule(&rule)?.documentation, Width::of_standard_output());
            print(page.as_bytes())
        }
        Command::Rules => print(report::rules(Width::of_standard_output()).as_bytes()),
        Command::Completions { shell } => print(&completions(shell)),
    }
}

fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error
        .downcast_ref::<io::Error>()
        .is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

/// Adds to a "no space" error of the system where that was.
fn naming_what_is_full(error: anyhow::Error, output: Option<&Path>) -> anyhow::Error {
    let is_full = error.downcast_ref::<io::Error>().is_some_and(is_full);
    match output {
        _ if !is_full => error,
        Some(file) => anyhow!(
            "cannot write the output file `{}`: the disk it is on is full, or your share of it: make room and run the command again",
            file.display()
        ),
        None => anyhow!(
            "cannot write to standard output: where it leads there is no room left: make room and run the command again"
        ),
    }
}

fn print(text: &[u8]) -> Result<ExitStatus> {
    let mut out = report::standard_output();
    out.write_all(text)?;
    out.flush()?;
    Ok(ExitStatus::Clean)
}

/// Prints the configuration of a file: each rule with its level and the source of that, then the rest.
fn show_config(path: &Path) -> Result<ExitStatus> {
    let folder = current_folder()?;
    let scope = Scope::Paths(vec![path.to_owned()]);
    let start = Start::find(folder, &scope, DEFAULT_LIMIT)?;
    let inside = start.path_there(path)?;
    let snapshot = WorkingTree::new(&start.top);
    let configs = Configs::nearest(&snapshot, CommandLine::default());
    // For a folder: what holds for a file in it.
    let (file, shown) = if start.folder.join(path).is_dir() {
        let shown = match path.to_string_lossy().trim_end_matches('/') {
            "." => "a file in the current folder".to_owned(),
            folder => format!("a file in {folder}"),
        };
        (inside.join("any file").unwrap_or(inside), shown)
    } else {
        (inside.clone(), inside.to_string())
    };
    let config = configs.of(&file)?;
    print(report::config(&file, &shown, config).as_bytes())
}

fn check_files(arguments: CheckArgs) -> Result<ExitStatus> {
    let started = Instant::now();
    report::use_color(arguments.color);
    let settings = arguments.settings(Variables::of_process())?;
    match (settings.action, &settings.scope) {
        (Action::Fix { restage: true, .. }, Scope::Paths(_) | Scope::Between { .. }) => {
            bail!("--restage stages what was fixed in staged files: use it as `alembic-named fix --staged --restage`")
        }
        (Action::Fix { .. }, Scope::Between { to: Some(_), .. }) => bail!(
            "--fix changes working files, and --to-ref looks at another commit: leave --to-ref out, use --staged, or name the files"
        ),
        _ => {}
    }
    let folder = current_folder()?;
    let start = Start::find(folder, &settings.scope, settings.max_file_size)?;
    check_from(&start, &settings, started).map_err(|error| naming_what_is_full(error, settings.output_file.as_deref()))
}

fn check_from(start: &Start, settings: &Settings, started: Instant) -> Result<ExitStatus> {
    let selection = start.select(&settings.scope)?;
    let selected = started.elapsed();
    Checker::with(start, &selection.origin, settings, |checker| {
        for path in &selection.configurations {
            checker.configs.prove(path)?;
        }
        let mut outcome = check::check(&selection, checker, settings, &start.folder)?;
        complete(&mut outcome, start, &selection, settings);
        let mut edge = edge(start, settings)?;
        let look = |file: &SourceFile| checker.again(file, &selection);
        let must_be_staged = act(&mut outcome, &look, start, &selection, settings, &mut edge)?;
        if settings.format == Format::Json {
            complete_statuses(&mut outcome, start)?;
        }
        report_all(&outcome, settings, &mut edge).context("the findings cannot be written")?;
        if settings.verbose {
            let backend = start.repository.as_ref().map(|one| one.backend().to_string());
            let (kind, notes) = (selection.origin.name(), &selection.notes);
            let (project, configs) = (&checker.project, &checker.configs);
            report::verbose(project, configs, kind, backend.as_deref(), notes, edge.err()?)?;
            let all = started.elapsed();
            writeln!(edge.err()?, "time: {selected:.1?} to select, {all:.1?} in all")?;
        }
        Ok(exit_status(&outcome, must_be_staged, settings))
    })
}

/// Adds what the selection and the repository know of the findings.
fn complete(outcome: &mut Outcome, start: &Start, selection: &Selection, settings: &Settings) {
    outcome.failures.extend(selection.failures.iter().cloned());
    if !outcome.diagnostics.is_empty() {
        outcome.reader = start.reader();
    }
    let fixable = outcome.diagnostics.iter().filter(|diagnostic| diagnostic.fix.is_some());
    outcome.has_temporary_index = start.repository.as_ref().is_some_and(Repository::has_temporary_index)
        && fix::holds(&start.top, fixable.map(|diagnostic| &diagnostic.file));
    outcome.why_none = selection.why_none(&settings.scope, outcome.excluded);
}

fn edge(start: &Start, settings: &Settings) -> Result<Edge> {
    if let Some(path) = settings.output_file.as_ref().filter(|path| start.leads_out(path)) {
        let path = path.display();
        bail!("the output file `{path}` leads through a link out of the working tree: name one that is not a link");
    }
    let output_file = settings.output_file.as_deref();
    let is_diff = matches!(settings.action, Action::Diff { .. });
    Edge::new(settings.color, output_file, is_diff).map_err(|cause| {
        let path = output_file.unwrap_or(Path::new("")).display();
        anyhow!("cannot write the output file `{path}` ({cause}): check its folder and its permissions")
    })
}

/// Fixes, shows the fixes, or finds what is fixed already. Returns whether something was fixed that is still to be staged.
fn act(
    outcome: &mut Outcome,
    look: &Look<'_>,
    start: &Start,
    selection: &Selection,
    settings: &Settings,
    edge: &mut Edge,
) -> Result<bool> {
    let fixed = |outcome: &mut Outcome, suggested| match settings.remedy {
        Remedy::Fixes => fix::apply_fixes(outcome, suggested, look),
        Remedy::Comments => fix::silence(outcome, look),
    };
    let is_staged = matches!(settings.scope, Scope::Staged | Scope::StagedPaths(_)) && !outcome.has_temporary_index;
    match settings.action {
        Action::Report => {
            if is_staged {
                fix::find_unstaged(outcome, start, look);
            }
            Ok(false)
        }
        Action::Diff { suggested } => {
            for one in fixed(outcome, suggested) {
                report::diff(one.path(), Some(one.before.text()), one.after.text(), edge)?;
            }
            Ok(false)
        }
        Action::Fix { suggested, restage } => {
            if is_staged && !restage {
                fix::find_unstaged(outcome, start, look);
            }
            let mut fixed = fixed(outcome, suggested);
            fixed.retain(|one| !outcome.must_be_staged(one.path()));
            let is_changed = fix::write_and_stage(outcome, fixed, start, selection, restage);
            Ok(is_changed && !restage && !matches!(settings.scope, Scope::Paths(_) | Scope::Between { .. }))
        }
    }
}

/// Asks git for the status of files that were named on the command line; only JSON shows it.
fn complete_statuses(outcome: &mut Outcome, start: &Start) -> Result<()> {
    let Some(repository) = &start.repository else {
        return Ok(());
    };
    let unasked = || outcome.files.iter().filter(|file| file.status.is_none());
    let paths: Vec<RepoPath> = unasked().map(|file| file.path.clone()).collect();
    let known = repository.status_of(&paths)?;
    let unasked = outcome.files.iter_mut().filter(|file| file.status.is_none());
    for (file, (_, change)) in unasked.zip(known) {
        file.status = change.map(|change| change.status);
    }
    Ok(())
}

fn report_all(outcome: &Outcome, settings: &Settings, edge: &mut Edge) -> Result<()> {
    let width = edge.width();
    let shows_diff = matches!(settings.action, Action::Diff { .. });
    if !shows_diff {
        report::findings(outcome, settings, width, edge.out())?;
    }
    let err = edge.err()?;
    if !settings.quiet {
        let is_text = settings.format == Format::Text && !shows_diff;
        report::after(outcome, settings, width, is_text, err)?;
    }
    for failure in &outcome.failures {
        report::failure(err, failure)?;
    }
    Ok(err.flush()?)
}

fn exit_status(outcome: &Outcome, must_be_staged: bool, settings: &Settings) -> ExitStatus {
    if !outcome.failures.is_empty() {
        ExitStatus::Failed
    } else if (outcome.count(Severity::Error) > 0 || must_be_staged) && !settings.exit_zero {
        ExitStatus::Found
    } else {
        ExitStatus::Clean
    }
}
