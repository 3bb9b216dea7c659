//! Applies a fix to a working file whose text is not the one that was checked.

use std::fs;
use std::path::Path;

use super::difference;
use crate::source::{RepoPath, SourceFile};

/// The working text with what changed from one text to the other; nothing if a line to change is missing, different, or there more than once.
///
/// A checkout may have changed line ends, so a final carriage return is not compared, and is kept.
#[must_use]
pub(crate) fn transplant(before: &str, after: &str, working: &str) -> Option<String> {
    if working == before {
        return Some(after.to_owned());
    }
    let mut text: Vec<String> = lines(working).into_iter().map(str::to_owned).collect();
    let returns = text.iter().filter(|line| line.ends_with("\r\n")).count() * 2 > text.len();
    let usual = if returns { "\r\n" } else { "\n" };
    for hunk in hunks(&lines(before), &lines(after)) {
        let mut places = (0..text.len()).filter(|&at| {
            let window = text.get(at..at + hunk.old.len());
            window.is_some_and(|window| window.iter().map(|line| trim_end(line)).eq(hunk.old.iter().copied()))
        });
        let (Some(place), None) = (places.next(), places.next()) else {
            return None;
        };
        let place = place..place + hunk.old.len();
        let ends = line_ends(text.get(place.clone())?, hunk.new.len(), usual);
        let new: Vec<String> = hunk
            .new
            .iter()
            .zip(ends)
            .map(|(line, end)| format!("{line}{end}"))
            .collect();
        text.splice(place, new);
    }
    Some(text.concat())
}

/// Whether the working files have these texts, line ends aside.
pub(crate) fn holds<'f>(top: &Path, mut files: impl Iterator<Item = &'f SourceFile>) -> bool {
    let plain = |text: &str| text.replace("\r\n", "\n");
    files.all(|file| {
        let working = fs::read_to_string(file.path().to_path(top));
        working.is_ok_and(|working| plain(&working) == plain(file.text()))
    })
}

/// The working file, if it can be read as text.
#[must_use]
pub(crate) fn read(top: &Path, path: &RepoPath) -> Option<SourceFile> {
    let text = fs::read_to_string(path.to_path(top)).ok()?;
    Some(SourceFile::new(path.clone(), text))
}

/// Whether a text has the changes already: they could be undone there.
pub(super) fn is_fixed(before: &str, after: &str, working: &str) -> bool {
    transplant(after, before, working).is_some()
}

/// The lines as git counts them. For Python, a lone carriage return ends one as well.
pub(super) fn lines(text: &str) -> Vec<&str> {
    text.split_inclusive('\n').collect()
}

fn trim_end(line: &str) -> &str {
    line.trim_end_matches(['\n', '\r'])
}

/// The line ends of `count` lines that replace `old`: the old ends, the last ones if there are more, and the usual one for added lines.
fn line_ends(old: &[String], count: usize, usual: &str) -> Vec<String> {
    let own = old.iter().map(|line| line[trim_end(line).len()..].to_owned());
    let mut ends: Vec<String> = own.skip(old.len().saturating_sub(count)).collect();
    let added = std::iter::repeat_n(usual.to_owned(), count - ends.len());
    // A file without a final line end stays so.
    let at = ends.len() - usize::from(ends.last().is_some_and(String::is_empty));
    ends.splice(at..at, added);
    ends
}

/// Lines that change, without their ends.
struct Hunk<'t> {
    old: Vec<&'t str>,
    new: Vec<&'t str>,
}

/// The changed lines. An insertion includes the line above it, which gives it a place.
fn hunks<'t>(before: &[&'t str], after: &[&'t str]) -> Vec<Hunk<'t>> {
    let trimmed = |lines: Option<&[&'t str]>| lines.unwrap_or_default().iter().map(|line| trim_end(line)).collect();
    difference(before, after)
        .iter()
        .filter(|operation| operation.tag() != similar::DiffTag::Equal)
        .map(|operation| {
            let (mut old, mut new) = (operation.old_range(), operation.new_range());
            if old.is_empty() && old.start > 0 {
                // The line above is the same on both sides.
                old.start -= 1;
                new.start -= 1;
            }
            Hunk {
                old: trimmed(before.get(old)),
                new: trimmed(after.get(new)),
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_with_other_edits_gets_the_change_and_keeps_them() {
        let change = |working| transplant("a\nNone\nb\n", "a\nnamed\nb\n", working);
        assert_eq!(change("mine\na\nNone\nb\n").as_deref(), Some("mine\na\nnamed\nb\n"));
        assert_eq!(change("a\r\nNone\r\nb\r\nc\r\n").as_deref(), Some("a\r\nnamed\r\nb\r\nc\r\n"));
    }

    #[test]
    fn a_changed_or_doubtful_line_leaves_the_file_alone() {
        let change = |working| transplant("a\nNone\nb\n", "a\nnamed\nb\n", working);
        assert_eq!(change("a\nNone  # mine\nb\n"), None);
        assert_eq!(change("a\nNone\nNone\nb\n"), None);
    }

    #[test]
    fn a_removed_comment_takes_its_lines_with_it() {
        let change = |working| transplant("a\n# w\nNone\n", "a\nnamed\n", working);
        assert_eq!(change("x\na\n# w\nNone\n").as_deref(), Some("x\na\nnamed\n"));
    }

    #[test]
    fn each_line_keeps_its_own_end() {
        let change = |working| transplant("a\nNone", "a\nnamed", working);
        assert_eq!(change("a\r\nNone\nb\r\nc\r\n").as_deref(), Some("a\r\nnamed\nb\r\nc\r\n"));
        assert_eq!(transplant("a\nNone\n", "a\nnamed\n", "a\nNone").as_deref(), Some("a\nnamed"));
        let longer = transplant("a\nb\n", "a\nnew\nb\nnew\n", "a\r\nb");
        assert_eq!(longer.as_deref(), Some("a\r\nnew\nb\nnew"));
        let shorter = transplant("a\n# w\nNone\nb\n", "a\nnamed\nb\n", "a\n# w\r\nNone\nb\nc");
        assert_eq!(shorter.as_deref(), Some("a\nnamed\nb\nc"));
    }

    #[test]
    fn a_lone_carriage_return_ends_no_line_of_a_diff() {
        let change = transplant("a\rNone\rb\r", "a\rnamed\rb\r", "mine\na\rNone\rb\r");
        assert_eq!(change.as_deref(), Some("mine\na\rnamed\rb\r"));
    }
}
