//! Fixes as unified diffs.

use std::fmt::Write as _;

use super::difference;
use super::transplant::lines;
use crate::source::RepoPath;

/// How many unchanged lines a diff shows around a change.
const CONTEXT: usize = 3;

/// The change of a file as `git apply` reads it; the file is new where it has no text before.
#[must_use]
pub(crate) fn unified_diff(path: &RepoPath, before: Option<&str>, after: &str) -> String {
    let old = before.map_or_else(|| "/dev/null".to_owned(), |_| quoted("a/", path));
    let mut diff = format!("--- {old}\n+++ {}\n", quoted("b/", path));
    let (before, after) = (lines(before.unwrap_or_default()), lines(after));
    let operations = difference(&before, &after);
    for group in similar::group_diff_ops(operations, CONTEXT) {
        let (Some(first), Some(last)) = (group.first(), group.last()) else {
            continue;
        };
        let old = first.old_range().start..last.old_range().end;
        let new = first.new_range().start..last.new_range().end;
        let _ = writeln!(diff, "@@ -{} +{} @@", counted(&old), counted(&new));
        for change in group
            .iter()
            .flat_map(|operation| operation.iter_changes(&before, &after))
        {
            let line = change.value();
            diff.push(match change.tag() {
                similar::ChangeTag::Equal => ' ',
                similar::ChangeTag::Delete => '-',
                similar::ChangeTag::Insert => '+',
            });
            diff.push_str(line);
            if !line.ends_with('\n') {
                diff.push_str("\n\\ No newline at end of file\n");
            }
        }
    }
    diff
}

/// A range in a hunk header (POSIX `diff -u`): no count for one line, and the line above for none.
fn counted(lines: &std::ops::Range<usize>) -> String {
    match lines.len() {
        0 => format!("{},0", lines.start),
        1 => format!("{}", lines.start + 1),
        count => format!("{},{count}", lines.start + 1),
    }
}

/// A path as git writes it in a diff: quoted, with octal escapes, if it holds control characters or quotes.
fn quoted(prefix: &str, path: &RepoPath) -> String {
    let plain = std::str::from_utf8(path.as_bytes()).ok();
    if let Some(plain) =
        plain.filter(|path| !path.contains(|letter: char| letter.is_control() || "\"\\".contains(letter)))
    {
        return format!("{prefix}{plain}");
    }
    let mut quoted = format!("\"{prefix}");
    for &byte in path.as_bytes() {
        if byte.is_ascii_graphic() && !b"\"\\".contains(&byte) || byte == b' ' {
            quoted.push(char::from(byte));
        } else {
            let _ = write!(quoted, "\\{byte:03o}");
        }
    }
    quoted + "\""
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_diff_has_the_header_that_git_reads() {
        let diff = unified_diff(&"m.py".into(), Some("a\nNone"), "a\nnamed");
        assert!(diff.starts_with("--- a/m.py\n+++ b/m.py\n@@ -1,2 +1,2 @@\n"), "{diff}");
        assert!(diff.contains("\\ No newline at end of file"), "{diff}");
    }

    #[test]
    fn a_lone_carriage_return_ends_no_line() {
        let hint = "\n\\ No newline at end of file\n";
        assert_eq!(
            unified_diff(&"m.py".into(), Some("a\rNone\rb\r"), "a\rnamed\rb\r"),
            format!("--- a/m.py\n+++ b/m.py\n@@ -1 +1 @@\n-a\rNone\rb\r{hint}+a\rnamed\rb\r{hint}")
        );
    }
}
