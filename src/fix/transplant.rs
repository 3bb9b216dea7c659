//! Applies a fix to a working file whose text is not the one that was checked.

use std::fs;
use std::path::Path;

use super::{FixedFile, difference};
use crate::source::{RepoPath, SourceFile};

/// The working text with the changes of a fix; nothing if a line to change is missing, different, or there more than once.
///
/// A checkout may have changed line ends, so a final carriage return is not compared, and is kept.
#[must_use]
pub(crate) fn transplant(fixed_file: &FixedFile, working: &str) -> Option<String> {
    let (before, after) = (fixed_file.before.text(), fixed_file.after.text());
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

/// Whether the working file has the fix.
#[must_use]
pub(crate) fn is_written(top: &Path, fixed_file: &FixedFile) -> bool {
    let working = fs::read_to_string(fixed_file.path().to_path(top));
    working.is_ok_and(|working| is_fixed(fixed_file, &working))
}

/// Whether a text has the fix already: it could be undone there.
pub(super) fn is_fixed(fixed_file: &FixedFile, working: &str) -> bool {
    let back = FixedFile {
        before: fixed_file.after.clone(),
        after: fixed_file.before.clone(),
        left: Vec::new(),
        fixed: 0,
    };
    transplant(&back, working).is_some()
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
    use crate::fix::rounds::tests::fixed_file;

    #[test]
    fn a_file_with_other_edits_gets_the_change_and_keeps_them() {
        let change = fixed_file("a\nNone\nb\n", "a\nnamed\nb\n");
        assert_eq!(transplant(&change, "mine\na\nNone\nb\n").as_deref(), Some("mine\na\nnamed\nb\n"));
        assert_eq!(transplant(&change, "a\r\nNone\r\nb\r\nc\r\n").as_deref(), Some("a\r\nnamed\r\nb\r\nc\r\n"));
    }

    #[test]
    fn a_changed_or_doubtful_line_leaves_the_file_alone() {
        let change = fixed_file("a\nNone\nb\n", "a\nnamed\nb\n");
        assert_eq!(transplant(&change, "a\nNone  # mine\nb\n"), None);
        assert_eq!(transplant(&change, "a\nNone\nNone\nb\n"), None);
    }

    #[test]
    fn a_removed_comment_takes_its_lines_with_it() {
        let change = fixed_file("a\n# w\nNone\n", "a\nnamed\n");
        assert_eq!(transplant(&change, "x\na\n# w\nNone\n").as_deref(), Some("x\na\nnamed\n"));
    }

    #[test]
    fn each_line_keeps_its_own_end() {
        let change = fixed_file("a\nNone", "a\nnamed");
        assert_eq!(transplant(&change, "a\r\nNone\nb\r\nc\r\n").as_deref(), Some("a\r\nnamed\nb\r\nc\r\n"));
        assert_eq!(transplant(&fixed_file("a\nNone\n", "a\nnamed\n"), "a\nNone").as_deref(), Some("a\nnamed"));
        let longer = fixed_file("a\nb\n", "a\nnew\nb\nnew\n");
        assert_eq!(transplant(&longer, "a\r\nb").as_deref(), Some("a\r\nnew\nb\nnew"));
        let shorter = fixed_file("a\n# w\nNone\nb\n", "a\nnamed\nb\n");
        assert_eq!(transplant(&shorter, "a\n# w\r\nNone\nb\nc").as_deref(), Some("a\nnamed\nb\nc"));
    }

    #[test]
    fn a_lone_carriage_return_ends_no_line_of_a_diff() {
        let change = fixed_file("a\rNone\rb\r", "a\rnamed\rb\r");
        assert_eq!(transplant(&change, "mine\na\rNone\rb\r").as_deref(), Some("mine\na\rnamed\rb\r"));
    }
}
