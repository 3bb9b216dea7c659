//! One run, from the command line to the exit status.

use std::io::{self, Write};
use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result, anyhow, bail};

use crate::check::{self, Checker, Committed, History, Outcome, Past, examine, ignores};
use crate::cli::{CheckArgs, Command, Request, Variables, completions};
use crate::config::{self, CommandLine, Configs};
use crate::diagnostic::{Diagnostic, Rule, Severity};
use crate::fix::{Fix, Mended, Prepared, Ready, Replaced, Safety, apply, mend, silence, write};
use crate::git::{Repository, Restage, is_full};
use crate::project::Project;
use crate::report::{self, Edge};
use crate::selection::{Reader, Selection, Start};
use crate::settings::{Action, Cure, Format, Scope, Settings};
use crate::snapshot::{DEFAULT_LIMIT, ObjectId, Overlay, WorkingTree};
use crate::source::{RepoPath, SourceFile};
use crate::words::quoted;
use crate::{adopt, install, rules};

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
pub fn run(request: Request) -> Result<ExitStatus> {
    let done = match request {
        Request::Unnamed(arguments) => match arguments.meant_subcommand() {
            Some(sentence) => Err(anyhow!(sentence)),
            None => check_files(arguments),
        },
        Request::Named(command) => obey(command),
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
        Command::Explain { rule } => print(report::page(config::rule(&rule)?.documentation).as_bytes()),
        Command::Rules => print(rules().as_bytes()),
        Command::Completions { shell } => print(&completions(shell)),
    }
}

fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error
        .downcast_ref::<io::Error>()
        .is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

/// The system says that there is no room, and not where.
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

fn rules() -> String {
    let widest = rules::all().map(|rule| rule.name.len()).max().unwrap_or_default();
    let line = |rule: &Rule| format!("{:widest$}  {:7}  {}", rule.name, rule.severity, rule.summary);
    rules::all().map(line).collect::<Vec<_>>().join("\n") + "\n"
}

/// What holds for a file: each rule with its level and who says so, then the rest.
fn show_config(path: &Path) -> Result<ExitStatus> {
    let folder = std::env::current_dir().context("the current folder cannot be found: go into one that exists")?;
    let scope = Scope::Paths(vec![path.to_owned()]);
    let start = Start::find(folder, &scope, DEFAULT_LIMIT)?;
    let inside = start.path_of(path)?;
    let snapshot = WorkingTree::new(&start.top);
    let configs = Configs::nearest(&snapshot, CommandLine::default());
    // A folder stands for the files in it.
    let (file, shown) = if start.folder.join(path).is_dir() {
        let shown = format!("a file in {}", path.display());
        (inside.join("any file").unwrap_or(inside), shown)
    } else {
        (inside.clone(), inside.to_string())
    };
    let config = configs.of(&file)?;
    print(report::config(&file, &shown, &config).as_bytes())
}

fn check_files(arguments: CheckArgs) -> Result<ExitStatus> {
    let started = Instant::now();
    report::use_color(arguments.color);
    let settings = arguments.settings(Variables::of_process())?;
    if arguments_contradict(&settings) {
        bail!("--restage stages what was fixed in staged files: use it as `alembic-named fix --staged --restage`");
    }
    if matches!(
        (&settings.action, &settings.scope),
        (Action::Fix { .. }, Scope::Between { to: Some(_), .. })
    ) {
        bail!(
            "--fix changes working files, and --to-ref looks at another commit: leave --to-ref out, use --staged, or name the files"
        );
    }
    let folder = std::env::current_dir().context("the current folder cannot be found: go into one that exists")?;
    let start = Start::find(folder, &settings.scope, settings.max_file_size)?;
    check_from(&start, &settings, started).map_err(|error| naming_what_is_full(error, settings.output_file.as_deref()))
}

fn check_from(start: &Start, settings: &Settings, started: Instant) -> Result<ExitStatus> {
    let selection = start.select(&settings.scope, settings.max_file_size)?;
    let selected = started.elapsed();
    let snapshot = &*selection.snapshot;
    let configs = check::configs(settings, snapshot)?;
    let committed = Committed::new(start, selection.base.as_ref());
    let before = Project::new(&committed, selection.top.to_string_lossy());
    let project = Project::new(snapshot, selection.top.to_string_lossy()).since(&before);
    let past = History::new(start, snapshot, selection.base.as_ref());
    let checker = Checker {
        snapshot,
        project: &project,
        configs: &configs,
        past: &past,
    };
    let mut outcome = check::check(&selection.candidates, &checker, settings, &start.folder)?;
    outcome.failures.extend(selection.failures.iter().cloned());
    outcome.reader = start.reader();
    let fixable = outcome.diagnostics.iter().filter(|diagnostic| diagnostic.fix.is_some());
    outcome.is_passing = start.repository.as_ref().is_some_and(Repository::has_passing_index)
        && write::holds(&start.top, fixable.map(|diagnostic| &diagnostic.file));
    outcome.why_none = selection.why_none(&settings.scope, outcome.excluded);
    let look_again = |file: &SourceFile| -> Vec<Diagnostic> {
        let candidate = selection
            .candidates
            .iter()
            .find(|candidate| candidate.path == *file.path());
        let in_head = candidate.is_none_or(|candidate| past.holds(candidate).unwrap_or(true));
        let changed = Overlay::new(snapshot, file);
        let project = Project::new(&changed, selection.top.to_string_lossy()).since(&before);
        let examined = configs
            .of(file.path())
            .map(|config| examine(file, in_head && config.may_be_deployed(), &project, &config));
        examined.map(|examined| examined.diagnostics).unwrap_or_default()
    };
    if let Some(path) = settings.output_file.as_ref().filter(|path| start.leads_out(path)) {
        let path = path.display();
        bail!("the output file `{path}` leads through a link out of the working tree: name one that is no link");
    }
    let mut edge = Edge::new(settings).map_err(|cause| {
        let path = settings.output_file.as_deref().unwrap_or(Path::new("")).display();
        anyhow!("cannot write the output file `{path}` ({cause}): check its folder and its permissions")
    })?;
    let mut must_be_staged = false;
    let mended = |outcome: &mut Outcome, suggested| match settings.cure {
        Cure::Fixes => mend(outcome, suggested, &look_again),
        Cure::Comments => silence(outcome, &look_again),
    };
    match settings.action {
        Action::Report if !matches!(settings.scope, Scope::Staged | Scope::StagedPaths(_)) || outcome.is_passing => {}
        Action::Report => find_unstaged(&mut outcome, start, &look_again),
        Action::Diff { suggested } => {
            let (is_coloured, is_seen) = (edge.is_coloured(), edge.is_seen());
            let mended = mended(&mut outcome, suggested);
            report::diff(&mended, is_coloured, is_seen, edge.out())?;
        }
        Action::Fix { suggested, restage } => {
            let mended = mended(&mut outcome, suggested);
            let changed = fix_files(&mut outcome, mended, start, &selection, restage);
            must_be_staged = changed && !restage && !matches!(settings.scope, Scope::Paths(_) | Scope::Between { .. });
        }
    }
    if settings.format == Format::Json {
        complete_statuses(&mut outcome, start)?;
    }
    report_all(&outcome, settings, &mut edge).context("the findings cannot be written")?;
    if settings.verbose {
        let backend = start.repository.as_ref().map(|one| one.backend().to_string());
        report::verbose(
            &project,
            snapshot.describe(),
            backend.as_deref(),
            &selection.notes,
            edge.err()?,
        )?;
        writeln!(
            edge.err()?,
            "time: {selected:.1?} to select, {:.1?} in all",
            started.elapsed()
        )?;
    }
    Ok(exit_status(&outcome, must_be_staged, settings))
}

/// So many files whose working copy is another one are looked at again.
const MOST_UNSTAGED: usize = 30;

/// Finds the files that were fixed in the working tree already, so that nothing is left to say but to stage them.
fn find_unstaged(outcome: &mut Outcome, start: &Start, look_again: &dyn Fn(&SourceFile) -> Vec<Diagnostic>) {
    let files = outcome.diagnostics.chunk_by(|one, other| one.path() == other.path());
    let differing: Vec<(&[Diagnostic], SourceFile)> = files
        .filter_map(|own| {
            let checked = &own.first()?.file;
            let working = write::read(&start.top, checked.path())?;
            (working.text() != checked.text()).then_some((own, working))
        })
        .take(MOST_UNSTAGED)
        .collect();
    for (own, working) in differing {
        let is_done = is_written_by_us(start, own, &working)
            && look_again(&working).iter().all(|one| one.severity != Severity::Error);
        if is_done {
            outcome.unstaged.push(working.path().clone());
        }
    }
    let stage = |path: &RepoPath| to_be_staged(&outcome.reader, path);
    outcome.remarks.extend(outcome.unstaged.iter().map(stage));
}

/// Whether the working file has what `fix` or `fix --ignore` writes for these findings.
fn is_written_by_us(start: &Start, own: &[Diagnostic], working: &SourceFile) -> bool {
    let Some(checked) = own.first().map(|one| &one.file) else {
        return false;
    };
    let written = |fixes: Vec<&Fix>| {
        let mended = Mended {
            before: checked.clone(),
            after: SourceFile::new(checked.path().clone(), apply(checked, fixes)),
            left: Vec::new(),
            fixed: 0,
        };
        mended.after.text() != checked.text() && write::is_written(&start.top, &mended)
    };
    let fixes = || own.iter().filter_map(|one| one.fix.as_ref());
    written(fixes().filter(|fix| fix.safety == Safety::Safe).collect())
        || written(fixes().collect())
        || ignores::count(working) > ignores::count(checked)
}

fn to_be_staged(reader: &Reader, path: &RepoPath) -> String {
    let typed = quoted(&reader.typed(path));
    format!("`{path}` is fixed in your working tree: stage it with `git add {typed}`")
}

fn arguments_contradict(settings: &Settings) -> bool {
    let restages = matches!(settings.action, Action::Fix { restage: true, .. });
    restages && matches!(settings.scope, Scope::Paths(_) | Scope::Between { .. })
}

/// Writes the fixed files, and stages them where that is wanted. Tells whether any was changed.
///
/// Without staging each file stands for itself. With it, a failure half way brings back what was there.
fn fix_files(
    outcome: &mut Outcome,
    mended: Vec<Mended>,
    start: &Start,
    selection: &Selection<'_>,
    restage: bool,
) -> bool {
    let scratch = start.repository.as_ref().map(Repository::git_dir);
    let mut ready: Vec<(Option<Ready>, Mended)> = Vec::new();
    for one in mended {
        match write::prepare(&start.top, scratch, &one) {
            Ok(Prepared::Ready(file)) => ready.push((Some(*file), one)),
            Ok(unready) => {
                let is_done = matches!(unready, Prepared::Done);
                if !is_done {
                    let what = if restage { " in your working tree" } else { "" };
                    outcome.remarks.push(format!(
                        "`{}`{what} was left alone: the lines to change are not the same in your working file",
                        one.path()
                    ));
                }
                if restage {
                    ready.push((None, one));
                } else if is_done {
                    outcome.remarks.push(to_be_staged(&outcome.reader, one.path()));
                }
            }
            Err(error) => outcome.failures.push(error.to_string()),
        }
    }
    if ready.is_empty() {
        return false;
    }
    if restage {
        return stage_and_replace(outcome, ready, start, selection);
    }
    let mut changed = false;
    for (file, one) in ready {
        match file.map(Ready::replace) {
            Some(Ok(_)) => {
                changed = true;
                settle(outcome, one);
            }
            Some(Err(error)) => outcome.failures.push(error.to_string()),
            None => {}
        }
    }
    changed
}

fn stage_and_replace(
    outcome: &mut Outcome,
    ready: Vec<(Option<Ready>, Mended)>,
    start: &Start,
    selection: &Selection<'_>,
) -> bool {
    let Some(repository) = &start.repository else {
        return false;
    };
    let id = |one: &Mended| -> Option<&ObjectId> {
        selection
            .candidates
            .iter()
            .find(|candidate| candidate.path == *one.path())
            .and_then(|candidate| candidate.id.as_ref())
    };
    let changes: Vec<Restage<'_>> = ready
        .iter()
        .filter_map(|(_, one)| {
            Some(Restage {
                path: one.path(),
                old: id(one)?,
                content: one.after.text().as_bytes(),
            })
        })
        .collect();
    let undo = match repository.restage(&changes) {
        Ok(undo) => undo,
        Err(error) => {
            outcome.failures.push(error.to_string());
            return false;
        }
    };
    drop(changes);
    let mut replaced: Vec<Replaced> = Vec::new();
    let mut done = Vec::new();
    for (file, one) in ready {
        match file.map(Ready::replace) {
            Some(Ok(file)) => replaced.push(file),
            Some(Err(error)) => {
                outcome.failures.push(error.to_string());
                outcome.failures.extend(
                    replaced
                        .into_iter()
                        .filter_map(|file| file.restore().err())
                        .map(|error| error.to_string()),
                );
                outcome
                    .failures
                    .extend(repository.unstage(&undo).err().map(|error| error.to_string()));
                return false;
            }
            None => {}
        }
        done.push(one);
    }
    for one in done {
        settle(outcome, one);
    }
    true
}

/// What was found in a file is replaced by what is left in it.
fn settle(outcome: &mut Outcome, mended: Mended) {
    let path = mended.path().clone();
    for diagnostic in outcome.diagnostics.iter().filter(|one| *one.path() == path) {
        let left = diagnostic.left_to_do.iter().map(|left| format!("`{path}`: {left}"));
        let new = left.filter(|left| !outcome.remarks.contains(left));
        outcome.remarks.extend(new.collect::<Vec<_>>());
    }
    outcome.diagnostics.retain(|diagnostic| *diagnostic.path() != path);
    outcome.fixed += mended.fixed;
    outcome.changed.push(path);
    outcome.diagnostics.extend(mended.left);
    outcome.diagnostics.sort_by_cached_key(Diagnostic::sort_key);
}

/// Files that were named get their status from git, which no other format asks for.
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
        report::reporter(settings, width).report(outcome, edge.out())?;
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
