//! How long the hook takes in commits that were really made, beside git's own `git diff --cached --name-only`.
//!
//! ```text
//! REPOSITORIES=FOLDER cargo bench --bench commits       each repository in the folder: clones, bare ones too
//! REPOSITORIES=FILE cargo bench --bench commits         each repository in the file, one path a line
//! cargo bench --bench commits -- --commits 50 --rounds 11
//! ALEMBIC_NAMED=PROGRAM cargo bench --bench commits     measures that program, an older one for instance
//! ```
//!
//! Of each repository the newest commits are taken (12 without `--commits`) that change migrations or models and are no merges. A commit is
//! replayed as its hook saw it: HEAD is the parent, the index is the commit's tree with a valid cached tree. The working tree is empty, and
//! what is staged lies in packs where it once was loose. That happens in a scratch repository which borrows the objects, so nothing is written
//! to the one that is measured. The two programs run in turn (5 rounds without `--rounds`), so that a busy machine is busy for both, and
//! the time of a commit is the median of its rounds. Who is not done in ten seconds is stopped and gave no answer.

#![allow(clippy::print_stdout, reason = "that is its purpose")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a measurement that fails should say where"
)]

#[path = "../tests/it/support/mod.rs"]
#[allow(dead_code, reason = "the tests use more of it")]
mod support;
#[path = "support/mod.rs"]
mod turns;

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::Mutex;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use support::Repo;
use turns::Times;

/// Who takes longer gives no answer.
const LIMIT: Duration = Duration::from_secs(10);

/// Where migrations and models are. A star stands for folders as well, as it does for git.
const PATHS: [&str; 15] = [
    "*migrations/*.py",
    "*alembic/*.py",
    "*versions/*.py",
    "models/*.py",
    "*/models/*.py",
    "models.py",
    "*/models.py",
    "model.py",
    "*/model.py",
    "db.py",
    "*/db.py",
    "database.py",
    "*/database.py",
    "base.py",
    "*/base.py",
];

fn main() {
    // `cargo test --benches` starts this program as well, and wants no numbers.
    if !std::env::args().any(|argument| argument == "--bench") {
        println!("nothing is measured without `cargo bench`");
        return;
    }
    let Some(given) = std::env::var_os("REPOSITORIES") else {
        println!("skipped: name a folder of git repositories, or a file with a path on each line, with REPOSITORIES");
        return;
    };
    let (commits, rounds) = plan();
    let installed = tempfile::tempdir().unwrap();
    let program = program(installed.path());
    println!("up to {commits} commits of each repository, {rounds} rounds; milliseconds\n");
    println!("| repository | commits | files | median | p95 | maximum | git's median | ratio | no answer | failed |");
    println!("|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|");
    let mut all = Vec::new();
    let mut skipped = Vec::new();
    for path in repositories(Path::new(&given)) {
        let Some(source) = Source::open(&path) else {
            skipped.push(path);
            continue;
        };
        let (files, replays) = source.replay(commits, rounds, &program);
        println!("{}", row(&source.name, &files.to_string(), &replays));
        all.extend(replays);
    }
    println!("{}", row("all", "", &all));
    println!("\nmedian of the commits' ratios: {}", ratios(&all));
    slowest(&all);
    for Replay {
        repository,
        commit,
        end,
    } in &all
    {
        if let End::Failure(said) = end {
            println!("failed: {repository} {commit}: {said}");
        }
    }
    for path in skipped {
        println!("skipped: git finds no repository in {}", path.display());
    }
}

/// How many commits of a repository, and rounds.
fn plan() -> (usize, usize) {
    let (mut commits, mut rounds) = (12, 5);
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut number = || arguments.next().expect("a value").parse().expect("a number");
        match argument.as_str() {
            "--commits" => commits = number(),
            "--rounds" => rounds = number(),
            // Given by cargo.
            other => assert_eq!(other, "--bench", "an argument that is not known"),
        }
    }
    assert!(rounds > 0, "at least one round");
    (commits, rounds)
}

/// The program to measure: the one that users have, or another.
fn program(folder: &Path) -> PathBuf {
    match std::env::var_os("ALEMBIC_NAMED") {
        Some(named) => Path::new(&named).canonicalize().expect("ALEMBIC_NAMED is a program"),
        None => turns::deliver(folder),
    }
}

/// The repositories in a folder, or in a list.
fn repositories(given: &Path) -> Vec<PathBuf> {
    if given.is_file() {
        let list = std::fs::read_to_string(given).unwrap();
        return list
            .lines()
            .filter(|line| !line.is_empty())
            .map(PathBuf::from)
            .collect();
    }
    let children = std::fs::read_dir(given).expect("REPOSITORIES is a folder or a file");
    let mut paths: Vec<PathBuf> = children.map(|child| child.unwrap().path()).collect();
    paths.retain(|path| path.join(".git").exists() || path.join("HEAD").exists());
    paths.sort();
    paths
}

/// A repository that commits are taken from. Nothing is written to it.
struct Source {
    name: String,
    repo: Repo,
    objects: String,
}

impl Source {
    /// `None` where git finds no repository.
    fn open(path: &Path) -> Option<Self> {
        let repo = Repo::at(path.canonicalize().ok()?);
        let found = repo.try_git(&["rev-parse", "--path-format=absolute", "--git-path", "objects"]);
        let objects = String::from_utf8(found.stdout).unwrap().trim_end().to_owned();
        found.status.success().then(|| Self {
            name: name(repo.path()),
            repo,
            objects,
        })
    }

    /// The newest commits that change migrations or models.
    fn commits(&self, most: usize) -> Vec<String> {
        let most = most.to_string();
        let arguments = ["rev-list", "--no-merges", "--max-count", &most, "HEAD", "--"];
        let found = self.repo.git(&[&arguments[..], &PATHS].concat());
        found.lines().map(str::to_owned).collect()
    }

    /// How many files the newest of the commits has, and how each went.
    fn replay(&self, commits: usize, rounds: usize, program: &Path) -> (usize, Vec<Replay>) {
        let scratch = Repo::new();
        scratch.write(".git/objects/info/alternates", format!("{}\n", self.objects));
        let mut files = 0;
        let mut replays = Vec::new();
        for commit in self.commits(commits) {
            if !stage(&scratch, &commit) {
                continue;
            }
            if replays.is_empty() {
                files = scratch.git(&["ls-files"]).lines().count();
            }
            replays.push(Replay {
                repository: self.name.clone(),
                commit,
                end: measure(&scratch, rounds, program),
            });
        }
        (files, replays)
    }
}

/// What a repository is called, whose own folder often has a name that tells nothing.
fn name(path: &Path) -> String {
    let parts = path.iter().rev().map(OsStr::to_string_lossy);
    let mut telling = parts.filter(|part| part != ".git" && part != "repo");
    telling.next().unwrap_or_default().into_owned()
}

/// Leaves the repository as a hook finds it; `false` for the first commit, and where the history was cut off before this one.
fn stage(scratch: &Repo, commit: &str) -> bool {
    let parent = format!("{commit}^");
    let tree = format!("{parent}^{{tree}}");
    if !scratch
        .try_git(&["rev-parse", "--verify", "--quiet", &tree])
        .status
        .success()
    {
        return false;
    }
    scratch.git(&["update-ref", "--no-deref", "HEAD", &parent]);
    scratch.git(&["read-tree", commit]);
    true
}

/// One commit that was made again.
struct Replay {
    repository: String,
    commit: String,
    end: End,
}

enum End {
    /// Milliseconds, the median of all rounds.
    Times {
        ours: f64,
        git: f64,
    },
    NoAnswer,
    /// What was said.
    Failure(String),
}

/// The two in turn; the first round warms up and is left out.
fn measure(scratch: &Repo, rounds: usize, program: &Path) -> End {
    let (mut ours, mut git) = (Vec::new(), Vec::new());
    for _ in 0..=rounds {
        let mut check = scratch.command(program);
        check.args(["check", "--staged", "--exit-zero"]);
        match time(&mut check) {
            None => return End::NoAnswer,
            Some((status, took)) if matches!(status.code(), Some(0 | 1)) => ours.push(took),
            Some((status, _)) => return End::Failure(format!("{status}: {}", complaint(&mut check))),
        }
        let mut diff = scratch.command("git");
        diff.args(["diff", "--cached", "--name-only"]);
        match time(&mut diff) {
            None => return End::Failure("git gave no answer".to_owned()),
            Some((status, took)) if status.success() => git.push(took),
            Some((status, _)) => return End::Failure(format!("git: {status}: {}", complaint(&mut diff))),
        }
    }
    let median = |times: Vec<Duration>| Times::of(times[1..].to_vec()).median;
    End::Times {
        ours: median(ours),
        git: median(git),
    }
}

/// How the command ended, and when; `None` where it had to be stopped. It is done when it says no more, which can be waited for while
/// somebody else may stop it.
fn time(command: &mut Command) -> Option<(ExitStatus, Duration)> {
    let started = Instant::now();
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut output = child.stdout.take().unwrap();
    let child = &Mutex::new(child);
    let (done, waiting) = channel::<()>();
    std::thread::scope(|scope| {
        let watch = scope.spawn(move || {
            let is_late = waiting.recv_timeout(LIMIT) == Err(RecvTimeoutError::Timeout);
            if is_late {
                child.lock().unwrap().kill().unwrap();
            }
            is_late
        });
        std::io::copy(&mut output, &mut std::io::sink()).unwrap();
        let status = child.lock().unwrap().wait().unwrap();
        let took = started.elapsed();
        drop(done);
        (!watch.join().unwrap()).then_some((status, took))
    })
}

/// The first line that a command says on standard error.
fn complaint(command: &mut Command) -> String {
    let said = command.stderr(Stdio::piped()).output().unwrap().stderr;
    String::from_utf8_lossy(&said)
        .lines()
        .next()
        .unwrap_or_default()
        .to_owned()
}

/// One line of the table.
fn row(name: &str, files: &str, replays: &[Replay]) -> String {
    let ours = figures(replays, |ours, _| ours);
    let git = figures(replays, |_, git| git);
    let no_answer = replays.iter().filter(|replay| matches!(replay.end, End::NoAnswer));
    let failed = replays.iter().filter(|replay| matches!(replay.end, End::Failure(_)));
    let times = if ours.is_empty() {
        "- | - | - | - | -".to_owned()
    } else {
        format!(
            "{:.1} | {:.1} | {:.1} | {:.1} | {:.2}",
            share(&ours, 50),
            share(&ours, 95),
            share(&ours, 100),
            share(&git, 50),
            share(&ours, 50) / share(&git, 50)
        )
    };
    format!("| {name} | {} | {files} | {times} | {} | {} |", replays.len(), no_answer.count(), failed.count())
}

fn ratios(replays: &[Replay]) -> String {
    let ratios = figures(replays, |ours, git| ours / git);
    if ratios.is_empty() {
        return "-".to_owned();
    }
    format!("{:.2}", share(&ratios, 50))
}

/// A figure of each commit that was answered, in order.
fn figures(replays: &[Replay], figure: fn(f64, f64) -> f64) -> Vec<f64> {
    let answered = replays.iter().filter_map(|replay| match replay.end {
        End::Times { ours, git } => Some(figure(ours, git)),
        End::NoAnswer | End::Failure(_) => None,
    });
    let mut figures: Vec<f64> = answered.collect();
    figures.sort_by(f64::total_cmp);
    figures
}

/// The figure that so many per cent do not exceed.
fn share(sorted: &[f64], per_cent: usize) -> f64 {
    sorted[(sorted.len() * per_cent).div_ceil(100) - 1]
}

/// Prints the commits that took longest, after those without an answer.
fn slowest(all: &[Replay]) {
    let mut timed = Vec::new();
    println!();
    for replay in all {
        match replay.end {
            End::Times { ours, .. } => timed.push((ours, replay)),
            End::NoAnswer => println!("no answer: {} {}", replay.repository, replay.commit),
            End::Failure(_) => {}
        }
    }
    timed.sort_by(|(one, _), (other, _)| other.total_cmp(one));
    for (time, Replay { repository, commit, .. }) in timed.into_iter().take(5) {
        println!("slowest: {repository} {commit}: {time:.1} ms");
    }
}
