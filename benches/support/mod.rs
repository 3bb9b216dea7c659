//! The program that is measured, commands that take turns, and their times.

#![allow(dead_code, unreachable_pub, reason = "each benchmark uses its own part")]
#![allow(
    clippy::unwrap_used,
    reason = "a benchmark talks to a person, and stops where it cannot measure"
)]

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Puts the program that users have into `folder`, built and copied as `cargo install` does both, and gives its path.
///
/// The one that cargo makes for a benchmark unwinds when it panics (the profile's `panic` is ignored there), is a twelfth larger and takes a
/// twentieth longer; and a file that a linker wrote lies in memory in smaller pieces than a copy, which takes a tenth longer.
pub fn deliver(folder: &Path) -> PathBuf {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "--locked", "--release", "--bins", "--message-format", "json"]);
    let output = cargo.stderr(Stdio::inherit()).output().unwrap();
    assert!(output.status.success(), "{cargo:?}: {}", output.status);
    let messages = output.stdout.split(|&byte| byte == b'\n');
    let mut built = messages.filter_map(|message| {
        let message: serde_json::Value = serde_json::from_slice(message).ok()?;
        message["executable"].as_str().map(PathBuf::from)
    });
    let built = built.next_back().unwrap();
    let delivered = folder.join(built.file_name().unwrap());
    std::fs::copy(built, &delivered).unwrap();
    delivered
}

/// Times in milliseconds.
pub struct Times {
    /// The one in the middle.
    pub median: f64,
    /// The shortest.
    pub minimum: f64,
}

impl Times {
    /// Of at least one run.
    pub fn of(mut all: Vec<Duration>) -> Self {
        all.sort();
        let milliseconds = |time: Duration| time.as_secs_f64() * 1000.0;
        Self {
            median: milliseconds(all[all.len() / 2]),
            minimum: milliseconds(all[0]),
        }
    }
}

/// Runs the commands one after the other, and that `rounds` times; the first round warms up and is left out.
pub fn in_turn<const N: usize>(rounds: usize, make: impl Fn() -> [Command; N]) -> [Times; N] {
    let mut all = [const { Vec::new() }; N];
    for round in 0..=rounds {
        for (times, mut command) in all.iter_mut().zip(make()) {
            let took = time(&mut command);
            if round > 0 {
                times.push(took);
            }
        }
    }
    all.map(Times::of)
}

fn time(command: &mut Command) -> Duration {
    let started = Instant::now();
    let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap();
    let took = started.elapsed();
    assert!(status.success(), "{command:?}: {status}");
    took
}
