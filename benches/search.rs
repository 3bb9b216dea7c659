//! What a commit costs that has nothing to do with Alembic: 10,000 changed Python files, against `git cat-file --batch` of the same
//! blobs, which is the least that reading them can take.
//!
//! Run with `cargo bench --bench search`. The two programs take turns, so that a busy machine slows both. Nothing is judged here: the
//! numbers are printed, and the aim is a ratio of at most 1.5.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a benchmark talks to a person, and stops where it cannot measure"
)]

#[path = "../tests/it/support/mod.rs"]
#[allow(dead_code, reason = "the tests use more of it")]
mod support;
#[path = "support/mod.rs"]
mod turns;

use std::fmt::Write as _;
use std::fs::File;
use std::path::Path;

use support::Repo;
use turns::{Times, in_turn};

const FILES: usize = 10_000;
const FOLDERS: usize = 250;
const ROUNDS: usize = 15;

fn main() {
    // `cargo test --benches` starts this program as well, and wants no numbers.
    if !std::env::args().any(|argument| argument == "--bench") {
        println!("nothing is measured without `cargo bench`");
        return;
    }
    let installed = tempfile::tempdir().unwrap();
    let program = turns::deliver(installed.path());
    println!("{FILES} changed Python files, {ROUNDS} rounds; medians (minima) in milliseconds\n");
    println!("| objects | alembic-named | git cat-file --batch | ratio of medians | of minima |");
    println!("|---|---|---|---|---|");
    for (name, unpack_limit) in [("packed", "1"), ("loose", "1000000")] {
        let repo = repository(unpack_limit);
        let (ours, theirs) = measure(&repo, &program);
        println!(
            "| {name} | {:.1} ({:.1}) | {:.1} ({:.1}) | {:.2} | {:.2} |",
            ours.median,
            ours.minimum,
            theirs.median,
            theirs.minimum,
            ours.median / theirs.median,
            ours.minimum / theirs.minimum
        );
    }
}

/// HEAD holds one version of all files, the index another; fewer objects than `unpack_limit` stay loose.
fn repository(unpack_limit: &str) -> Repo {
    let repo = Repo::new();
    let limit = format!("fastimport.unpackLimit={unpack_limit}");
    repo.git_with_input(&["-c", &limit, "fast-import", "--quiet"], history().as_bytes());
    repo.git(&["read-tree", "refs/heads/next"]);
    let changed = repo.git(&["diff", "--cached", "--diff-filter=M", "--name-only"]);
    assert_eq!(changed.lines().count(), FILES, "every file is staged with a change");
    let ids: String = repo
        .git(&["ls-files", "--format=%(objectname)"])
        .lines()
        .fold(String::new(), |ids, id| ids + id + "\n");
    repo.write(".git/ids", ids);
    repo
}

/// Two commits in the format of `git fast-import`.
fn history() -> String {
    let mut stream = String::new();
    for (mark, branch, parent) in [(1, "main", ""), (2, "next", "from :1\n")] {
        let _ = write!(
            stream,
            "commit refs/heads/{branch}\nmark :{mark}\ncommitter a <a@example.com> 1767225600 +0000\ndata 0\n{parent}"
        );
        for number in 0..FILES {
            let text = module(number, mark);
            let folder = number % FOLDERS;
            let _ = write!(
                stream,
                "M 100644 inline app/part_{folder:03}/module_{number:05}.py\ndata {}\n{text}\n",
                text.len()
            );
        }
    }
    stream
}

/// A module of 0.4 to 9 KB in words that differ from file to file. No word in it is one of Alembic's or SQLAlchemy's.
fn module(number: usize, version: usize) -> String {
    let mut text =
        format!("\"\"\"Part {number} of the application, version {version}.\"\"\"\n\nimport json\nimport os\n");
    // A linear congruential generator, so that every run measures the same bytes.
    let mut state = number.wrapping_mul(2_654_435_761).wrapping_add(12_345);
    let mut next = |below: usize| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    for _ in 0..=next(24) {
        let (name, argument, key) = (next(100_000), next(100_000), next(100_000));
        let _ = write!(
            text,
            "\n\ndef compute_{name}(value_{argument}, *, strict=True):\n    \
             \"\"\"Return what is stored below key {key}, or the value itself.\"\"\"\n    \
             table = {{\"name\": {name}, \"key\": {key}, \"path\": os.sep}}\n    \
             if strict and value_{argument} not in table:\n        \
             raise KeyError(f\"no entry {{value_{argument}}} in {{json.dumps(table)}}\")\n    \
             return table.get(value_{argument}, {key})\n"
        );
    }
    text
}

/// Ours and git's, in turn; the first round warms up and is left out.
fn measure(repo: &Repo, program: &Path) -> (Times, Times) {
    let checked = repo.command(program).arg("check").output().unwrap();
    let summary = String::from_utf8_lossy(&checked.stdout);
    assert!(
        checked.status.success() && summary.starts_with(&format!("{FILES} files checked")),
        "{summary}{}",
        String::from_utf8_lossy(&checked.stderr)
    );
    let [ours, theirs] = in_turn(ROUNDS, || {
        let mut check = repo.command(program);
        check.arg("check");
        let mut read = repo.command("git");
        read.args(["cat-file", "--batch"])
            .stdin(File::open(repo.join(".git/ids")).unwrap());
        [check, read]
    });
    (ours, theirs)
}
