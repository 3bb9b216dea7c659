//! The report for people: frames for the first findings, one line for each other, and a summary.

mod fixed_lines;
mod frame;
mod rest;
mod shared;

use std::io::{self, Write};

use owo_colors::OwoColorize;

use crate::check::Outcome;
use crate::diagnostic::Severity;

use super::{Reporter, Width, summary};

use frame::Frames;

/// The most frames without `--verbose`.
const MOST_FRAMED: usize = 9;

pub(super) struct Text {
    pub(super) width: Width,
    pub(super) quiet: bool,
    /// Whether all findings get a frame.
    pub(super) verbose: bool,
}

impl Reporter for Text {
    fn report(&self, outcome: &Outcome, out: &mut dyn Write) -> io::Result<()> {
        let told = outcome
            .diagnostics
            .iter()
            .filter(|one| !outcome.must_be_staged(one.path()));
        let leads = shared::leads(told);
        let most = if self.verbose { usize::MAX } else { MOST_FRAMED };
        let (framed, rest) = shared::chosen(&leads, most);
        let drawn = Frames::new(self.width);
        let mut gap = "";
        for shared in shared::shared(&framed) {
            writeln!(out, "{gap}{}", drawn.frame(&shared))?;
            gap = "\n";
        }
        if !rest.is_empty() {
            write!(out, "{gap}")?;
            rest::write(&rest, &outcome.diagnostics, self.width, out)?;
            gap = "\n";
        }
        if self.quiet {
            return Ok(());
        }
        let summary = summary(outcome);
        write!(out, "{gap}")?;
        if outcome.count(Severity::Error) > 0 {
            writeln!(out, "{}", summary.bold())
        } else {
            writeln!(out, "{summary}")
        }
    }
}
