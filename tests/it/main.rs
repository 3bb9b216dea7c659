//! The program from the outside: what it reports, changes and refuses in real repositories.
//!
//! All of it is one program, so that libgit2 and the parser are linked once; one topic is `cargo test --test it readme::`. Its tests share a
//! process, so none may change the variables or the current directory of it: what a command needs is given to the command.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test that fails should say where"
)]

#[cfg_attr(not(unix), allow(dead_code, reason = "most of the tests need Unix"))]
mod support;

#[cfg(unix)]
mod adopt;
mod all;
#[cfg(unix)]
mod blocked;
#[cfg(unix)]
mod cli;
#[cfg(unix)]
mod documents;
#[cfg(unix)]
mod failures;
#[cfg(unix)]
mod fix;
mod fix_properties;
#[cfg(unix)]
mod formats;
#[cfg(unix)]
mod hook;
#[cfg(unix)]
mod hostile;
#[cfg(unix)]
mod kill;
mod machine_reports;
mod mutations;
mod readme;
#[cfg(unix)]
mod report;
mod rules;
#[cfg(unix)]
mod safety;
mod shells;
mod twice;
