//! Bytes that nobody meant to write, given to every reader of text: a fixed number of fixed mutations, or as many as go into the seconds of
//! `MUTATE_SECONDS` for each reader, from a seed that is printed.

mod parsers;

use std::num::NonZero;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::support::random::Random;
use parsers::{TARGETS, Target};

const MUTATIONS: usize = 150;
/// What the first thread of a process has.
const STACK: usize = 8 * 1024 * 1024;

/// What tends to matter to a reader of Python, ini or TOML.
const WORDS: &[&str] = &[
    "None",
    "op.",
    "name=",
    "op.f('",
    "'",
    "\"\"\"",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    "\n",
    "\r\n",
    "    ",
    "\\",
    "#",
    "%(",
    "%%",
    "=",
    ":",
    ",",
    "*",
    "**",
    "lambda x: x",
    "f\"{x}\"",
    "\u{feff}",
    "\u{e4}",
    "\u{1f600}",
    "\0",
    "[alembic]",
    "[[",
    "if True:\n",
    "for x in y: ",
    "Base",
    "MetaData(",
    "async ",
];

/// Some bytes changed, left out, doubled, moved or put in.
fn mutate(random: &mut Random, seed: &[u8]) -> Vec<u8> {
    let mut bytes = seed.to_vec();
    for _ in 0..=random.below(4) {
        let at = random.below(bytes.len() + 1);
        let end = (at + random.below(60)).min(bytes.len());
        match random.below(6) {
            0 => bytes.truncate(at.max(1)),
            1 => drop(bytes.drain(at..end)),
            2 => {
                let part = bytes[at..end].to_vec();
                let to = random.below(bytes.len() + 1);
                bytes.splice(to..to, part);
            }
            3 if at < bytes.len() => bytes[at] = u8::try_from(random.below(256)).unwrap(),
            _ => drop(bytes.splice(at..at, random.pick(WORDS).bytes())),
        }
    }
    bytes
}

#[test]
fn mutated_texts_are_read_or_refused() {
    let seconds = std::env::var("MUTATE_SECONDS").ok();
    let seconds: Option<u64> = seconds.map(|text| text.parse().expect("a number of seconds"));
    // A longer run looks at others than the last one did.
    let now = || {
        SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(1, |since| since.as_secs())
    };
    let start = seconds.map_or(1, |_| now());
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    for targets in TARGETS.chunks(cores) {
        thread::scope(|scope| {
            for target in targets {
                let thread = thread::Builder::new().stack_size(STACK);
                thread
                    .spawn_scoped(scope, move || throw(target, start, seconds))
                    .unwrap();
            }
        });
    }
}

/// Gives one reader its mutations, and says of the one that it does not survive what it was.
fn throw((name, read, seed): &Target, start: u64, seconds: Option<u64>) {
    read(seed.as_bytes());
    let mut random = Random::new(start);
    let ends = seconds.map(|seconds| Instant::now() + Duration::from_secs(seconds));
    let mut count = 0;
    while ends.map_or(count < MUTATIONS, |ends| Instant::now() < ends) {
        let bytes = mutate(&mut random, seed.as_bytes());
        let result = catch_unwind(AssertUnwindSafe(|| read(&bytes)));
        assert!(result.is_ok(), "{name}, seed {start}:\n{}", String::from_utf8_lossy(&bytes));
        count += 1;
    }
    println!("{name}: {count} mutations from seed {start}");
}
