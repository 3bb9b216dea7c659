//! How long a check of what is staged takes, beside git's own `git diff --cached --name-only`.
//!
//! ```text
//! cargo bench --bench staged                            all sizes, 11 rounds: takes a quarter of an hour and 1 GB
//! cargo bench --bench staged -- 1000 10000              some sizes
//! cargo bench --bench staged -- --staged 10 --rounds 31 100000
//! cargo bench --bench staged -- --in FOLDER 1000000     keeps the repositories, and takes those that are there
//! ```
//!
//! Repositories are written by `git fast-import`: ten files a folder, five folders deep, three in ten of them Python. The two
//! programs run in turn, so that a busy machine is busy for both; read the minimum and the processor time where it was.
//! Each run is started by a process of its own, whose children's peak memory is then that of the run.

#![cfg_attr(
    unix,
    allow(clippy::print_stdout, clippy::print_stderr, reason = "that is its purpose")
)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a measurement that fails should say where"
)]

#[cfg(unix)]
#[path = "../tests/it/support/mod.rs"]
#[allow(dead_code, reason = "the tests use more of it")]
mod support;
#[cfg(unix)]
#[path = "support/mod.rs"]
mod turns;

#[cfg(unix)]
fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.split_first() {
        Some((first, command)) if first == "--measure" => bench::measure(command),
        // `cargo test --benches` starts this program as well, and wants no numbers.
        _ if !arguments.iter().any(|argument| argument == "--bench") => {
            println!("nothing is measured without `cargo bench`");
        }
        _ => bench::all(&bench::Plan::new(&arguments)),
    }
}

#[cfg(not(unix))]
fn main() {}

#[cfg(unix)]
mod bench {
    use std::fmt::Write as _;
    use std::io::{BufWriter, Write};
    use std::path::{Path, PathBuf};
    use std::process::{Command, Stdio};
    use std::time::Instant;

    use nix::sys::resource::{UsageWho, getrusage};
    use nix::sys::time::TimeValLike;

    use super::support::Repo;
    use super::turns;

    /// What is measured.
    pub(super) struct Plan {
        sizes: Vec<usize>,
        staged: Vec<usize>,
        rounds: usize,
        folder: Option<PathBuf>,
    }

    impl Plan {
        pub(super) fn new(arguments: &[String]) -> Self {
            let mut plan = Self {
                sizes: Vec::new(),
                staged: vec![1, 10, 200],
                rounds: 11,
                folder: None,
            };
            let number = |text: &String| -> usize { text.parse().expect("a number") };
            let mut arguments = arguments.iter();
            while let Some(argument) = arguments.next() {
                let mut value = || arguments.next().expect("a value");
                match argument.as_str() {
                    // Given by cargo.
                    "--bench" => {}
                    "--staged" => plan.staged = vec![number(value())],
                    "--rounds" => plan.rounds = number(value()),
                    "--in" => plan.folder = Some(value().into()),
                    _ => plan.sizes.push(number(argument)),
                }
            }
            if plan.sizes.is_empty() {
                plan.sizes = vec![1_000, 10_000, 100_000, 1_000_000];
            }
            plan
        }
    }

    pub(super) fn all(plan: &Plan) {
        let temporary = tempfile::tempdir().unwrap();
        let folder = plan.folder.as_deref().unwrap_or(temporary.path());
        let program = turns::deliver(temporary.path());
        println!("milliseconds: median / minimum / processor; each the median of {} rounds", plan.rounds);
        println!();
        println!("| files | staged | cached tree | this | git | ratio | peak, this | peak, git | by |");
        println!("|--:|--:|---|--:|--:|--:|--:|--:|---|");
        for &files in &plan.sizes {
            let repo = repository(folder, files);
            for &staged in plan.staged.iter().filter(|&&staged| staged <= files) {
                for is_valid in [true, false] {
                    stage(&repo, files, staged, is_valid);
                    row(
                        &repo,
                        &program,
                        plan.rounds,
                        &format!("{files} | {staged} | {}", if is_valid { "valid" } else { "invalid" }),
                    );
                }
            }
        }
    }

    /// A repository of this many files with one commit, its index read.
    fn repository(folder: &Path, files: usize) -> Repo {
        let top = folder.join(files.to_string());
        if top.join("ready").exists() {
            return Repo::at(top);
        }
        std::fs::create_dir_all(&top).unwrap();
        let repo = Repo::at(top);
        repo.git(&["init", "--quiet", "--initial-branch=main"]);
        let mut import = repo
            .command("git")
            .args(["fast-import", "--quiet"])
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        write_import(import.stdin.take().unwrap(), files).unwrap();
        assert!(import.wait().unwrap().success());
        repo.write("ready", "");
        repo
    }

    fn write_import(to: impl Write, files: usize) -> std::io::Result<()> {
        let mut to = BufWriter::new(to);
        let text = "def value():\n    return 1\n";
        write!(to, "blob\nmark :1\ndata {}\n{text}\n", text.len())?;
        writeln!(to, "commit refs/heads/main")?;
        writeln!(to, "committer a <a@example.com> 1700000000 +0000\ndata 1\nm")?;
        for number in 0..files {
            writeln!(to, "M 100644 :1 {}", path(number))?;
        }
        writeln!(to)
    }

    fn path(number: usize) -> String {
        let ending = if number % 10 < 3 { "py" } else { "txt" };
        let part = |unit: usize| number / unit % 10;
        format!(
            "services/team_{:03}/component_{}/package_{}/module_{}/source_file_number_{number:07}.{ending}",
            number / 10_000,
            part(1_000),
            part(100),
            part(10)
        )
    }

    /// Stages files from everywhere; then git completes the cached tree, as `git commit` does before it calls the hook.
    fn stage(repo: &Repo, files: usize, staged: usize, is_valid: bool) {
        repo.git(&["read-tree", "HEAD"]);
        // Not a multiple of ten, so that of every ten staged files about three are Python.
        let step = (files / staged).max(1);
        let step = if step.is_multiple_of(10) { step - 1 } else { step };
        let mut rows = String::new();
        for at in 0..staged {
            let text = format!("def value():\n    return {at}\n# {}\n", "x".repeat(1_000));
            let id = repo.git_with_input(&["hash-object", "-w", "--stdin"], text.as_bytes());
            writeln!(rows, "100644 {id}\t{}", path(at * step)).unwrap();
        }
        repo.git_with_input(&["update-index", "--index-info"], rows.as_bytes());
        if is_valid {
            repo.git(&["write-tree"]);
        }
    }

    /// One run: milliseconds, milliseconds of processor, kilobytes.
    #[derive(Debug, Clone, Copy)]
    struct Run {
        wall: f64,
        processor: f64,
        peak: f64,
    }

    fn row(repo: &Repo, program: &Path, rounds: usize, label: &str) {
        let own = [program.to_str().unwrap(), "check", "--staged"];
        let commands: [&[&str]; 2] = [&own, &["git", "diff", "--cached", "--name-only"]];
        let mut runs = [Vec::new(), Vec::new()];
        for round in 0..rounds + 2 {
            for (command, runs) in commands.iter().zip(&mut runs) {
                let run = run(repo, command);
                // The first two fill the caches.
                if round >= 2 {
                    runs.push(run);
                }
            }
        }
        let [own, git] = &runs;
        let figures = |runs: &[Run]| [sorted(runs, |run| run.wall), sorted(runs, |run| run.processor)];
        let ([own_wall, own_cpu], [git_wall, git_cpu]) = (figures(own), figures(git));
        let cell = |wall: &[f64], cpu: &[f64]| format!("{:.1} / {:.1} / {:.1}", median(wall), wall[0], median(cpu));
        println!(
            "| {label} | {} | {} | {:.2} / {:.2} / {:.2} | {:.1} MB | {:.1} MB | {} |",
            cell(&own_wall, &own_cpu),
            cell(&git_wall, &git_cpu),
            median(&own_wall) / median(&git_wall),
            own_wall[0] / git_wall[0],
            median(&own_cpu) / median(&git_cpu),
            median(&sorted(own, |run| run.peak)) / 1_024.0,
            median(&sorted(git, |run| run.peak)) / 1_024.0,
            way(repo, program)
        );
    }

    fn sorted(runs: &[Run], figure: fn(&Run) -> f64) -> Vec<f64> {
        let mut figures: Vec<f64> = runs.iter().map(figure).collect();
        figures.sort_by(f64::total_cmp);
        figures
    }

    fn median(sorted: &[f64]) -> f64 {
        sorted[sorted.len() / 2]
    }

    fn way(repo: &Repo, program: &Path) -> &'static str {
        let output = repo.command(program).arg("--verbose").output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        let ways = [
            ("through the cached tree", "cached tree"),
            ("by libgit2 (", "libgit2"),
            ("by the git program (", "git program"),
        ];
        ways.into_iter()
            .find(|(words, _)| said.contains(words))
            .map_or("?", |(_, name)| name)
    }

    fn run(repo: &Repo, command: &[&str]) -> Run {
        let mut helper = repo.command(std::env::current_exe().unwrap());
        let output = helper.arg("--measure").args(command).output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let figures: Vec<f64> = text.split_whitespace().map(|word| word.parse().unwrap()).collect();
        let [wall, processor, peak] = figures[..] else {
            panic!("{command:?}: {}", String::from_utf8_lossy(&output.stderr));
        };
        Run { wall, processor, peak }
    }

    /// Runs one command in a process that has no other child, and prints what it took.
    pub(super) fn measure(command: &[String]) {
        let (program, arguments) = command.split_first().expect("a command");
        let started = Instant::now();
        let status = Command::new(program)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .unwrap();
        let wall = started.elapsed().as_secs_f64() * 1_000.0;
        assert!(status.success(), "{command:?}: {status}");
        let usage = getrusage(UsageWho::RUSAGE_CHILDREN).unwrap();
        let processor = usage.user_time() + usage.system_time();
        let milliseconds = std::time::Duration::from_micros(processor.num_microseconds().unsigned_abs());
        println!("{wall} {} {}", milliseconds.as_secs_f64() * 1_000.0, usage.max_rss());
    }
}
