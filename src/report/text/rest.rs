//! Findings without a frame: one line each, grouped by file.

use std::io::{self, Write};

use owo_colors::OwoColorize;

use super::super::{Width, totals};
use crate::diagnostic::Diagnostic;
use crate::escape::printable;
use crate::fix::Safety;
use crate::source::RepoPath;
use crate::words::counted;

/// The most lines of one file, and of all.
const MOST_OF_A_FILE: usize = 20;
const MOST: usize = 120;

/// Marks a finding with a safe fix.
const FIXABLE: &str = "*";

/// Writes the findings that have no frame. Only a terminal gets long lines cut.
pub(super) fn write(rest: &[&Diagnostic], all: &[Diagnostic], width: Width, out: &mut dyn Write) -> io::Result<()> {
    let is_fixable = |one: &&Diagnostic| one.fix.as_ref().is_some_and(|fix| fix.safety == Safety::Safe);
    let legend = if rest.iter().any(is_fixable) {
        format!("; `fix` fixes those marked {FIXABLE}")
    } else {
        String::new()
    };
    writeln!(out, "{} more; --verbose shows all{legend}", rest.len())?;
    let files: Vec<_> = rest.chunk_by(|one, other| one.path() == other.path()).collect();
    let mut told = 0;
    let mut left = files.iter();
    while told < MOST {
        let Some((own, first)) = left.next().and_then(|own| Some((own, own.first()?))) else {
            return Ok(());
        };
        writeln!(out, "{} ({})", printable(&first.path().display()).bold(), totals(of_file(all, first.path())))?;
        for one in own.iter().take(MOST_OF_A_FILE) {
            let place = one.file.position(one.span.start);
            let sign = if is_fixable(one) { FIXABLE } else { " " };
            let line = format!(
                "  {:>6} {sign} {} [{}]",
                format!("{}:{}", place.line, place.column),
                printable(&one.message),
                one.rule.name
            );
            if width.is_terminal {
                writeln!(out, "{}", cut(&line, width.columns))?;
            } else {
                writeln!(out, "{line}")?;
            }
        }
        if own.len() > MOST_OF_A_FILE {
            writeln!(out, "  and {} more in this file", own.len() - MOST_OF_A_FILE)?;
        }
        told += 1 + own.len().min(MOST_OF_A_FILE);
    }
    let (files, findings) = left.fold((0, 0), |(files, all), own| (files + 1, all + own.len()));
    if files > 0 {
        writeln!(out, "and {findings} more in {}", counted(files, "more file"))?;
    }
    Ok(())
}

/// The findings of a file: they are in the order of their files.
fn of_file<'d>(all: &'d [Diagnostic], path: &RepoPath) -> &'d [Diagnostic] {
    let start = all.partition_point(|one| one.path() < path);
    let own = all.get(start..).unwrap_or_default();
    &own[..own.partition_point(|one| one.path() == path)]
}

fn cut(line: &str, columns: usize) -> String {
    if line.chars().count() <= columns {
        return line.to_owned();
    }
    let kept: String = line.chars().take(columns.saturating_sub(1)).collect();
    kept + "…"
}
