//! The report for people: frames for the first findings, one line for each other, and a summary.

mod fixed_lines;
mod frame;
mod rest;
mod shared;

use std::io::{self, Write};

use owo_colors::OwoColorize;

use crate::check::Outcome;
use crate::diagnostic::Severity;
use crate::settings::Settings;

use super::{Width, summary};

use frame::Frames;

/// The most frames without `--verbose`.
const MOST_FRAMED: usize = 9;

pub(super) fn report(outcome: &Outcome, settings: &Settings, width: Width, out: &mut dyn Write) -> io::Result<()> {
    let diagnostics = outcome.diagnostics.iter();
    let leads = shared::leads(diagnostics.filter(|one| !outcome.must_be_staged(one.path())));
    let most = if settings.verbose { usize::MAX } else { MOST_FRAMED };
    let (framed, rest) = shared::chosen(&leads, most);
    let drawn = Frames::new(width);
    let mut gap = "";
    for shared in shared::shared(&framed) {
        writeln!(out, "{gap}{}", drawn.frame(&shared))?;
        gap = "\n";
    }
    if !rest.is_empty() {
        write!(out, "{gap}")?;
        rest::write(&rest, &outcome.diagnostics, width, out)?;
        gap = "\n";
    }
    if settings.quiet {
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
