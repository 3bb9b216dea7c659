//! Edits a text by lines, so that every other byte stays.

use std::ops::Range;

use super::yaml::{content_from, indent};

/// Lines with their ends.
pub(super) fn split(text: &str) -> Vec<&str> {
    text.split_inclusive('\n').collect()
}

pub(super) fn bare(line: &str) -> &str {
    line.trim_end_matches(['\n', '\r'])
}

fn line_end(text: &str) -> &'static str {
    if text.contains("\r\n") { "\r\n" } else { "\n" }
}

pub(super) fn indented(lines: &[String], width: usize) -> Vec<String> {
    lines.iter().map(|line| format!("{:width$}{line}", "")).collect()
}

/// Adds lines at the end. A file without a last line end remains one, which tells [`without`] what to leave.
pub(super) fn append(text: &str, lines: &[String]) -> String {
    let end = line_end(text);
    let block = lines.join(end);
    if text.ends_with('\n') {
        format!("{text}{block}{end}")
    } else if text.is_empty() {
        block
    } else {
        format!("{text}{end}{block}")
    }
}

/// Adds a block at the end, after a blank line.
pub(super) fn append_block(text: &str, block: Vec<String>) -> String {
    let blank = (!text.is_empty()).then(String::new);
    append(text, &blank.into_iter().chain(block).collect::<Vec<_>>())
}

/// Inserts lines before line `at`, which is not the first.
pub(super) fn insert(text: &str, lines: &[&str], at: usize, new: &[String]) -> String {
    let end = line_end(text);
    let (head, tail) = lines.split_at(at.min(lines.len()));
    let new: String = new.iter().flat_map(|line| [line.as_str(), end]).collect();
    head.concat() + &new + &tail.concat()
}

/// Finds the lines of `block`, all indented alike, unless more lines below belong to them.
pub(super) fn find(lines: &[&str], block: &[String], within: Range<usize>) -> Option<Range<usize>> {
    let starts = within.start..within.end.min((lines.len() + 1).saturating_sub(block.len()));
    let mut found = starts.map(|at| at..at + block.len());
    found.find(|range| {
        let window = lines.get(range.clone()).unwrap_or_default();
        let width = window.first().map_or(0, |line| indent(line));
        let is_block = indented(block, width).iter().eq(window.iter().map(|line| bare(line)));
        is_block && content_from(lines, range.end).is_none_or(|(_, next)| indent(next) <= width)
    })
}

/// The block and the blank line above it.
pub(super) fn with_blank_line(lines: &[&str], block: Range<usize>) -> Range<usize> {
    match block.start.checked_sub(1) {
        Some(above) if lines.get(above).is_some_and(|line| bare(line).is_empty()) => above..block.end,
        _ => block,
    }
}

/// The text without a block. If the block had no last line end, nor has the rest.
pub(super) fn without(lines: &[&str], block: Range<usize>) -> String {
    let (head, rest) = lines.split_at(block.start);
    let (gone, tail) = rest.split_at(block.len());
    let mut head = head.concat();
    if gone.last().is_some_and(|line| !line.ends_with('\n')) && head.ends_with('\n') {
        head.pop();
        if head.ends_with('\r') {
            head.pop();
        }
    }
    head + &tail.concat()
}
