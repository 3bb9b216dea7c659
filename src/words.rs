//! Counts, lists and paths as they are written in a sentence or a command.

use std::fmt::Write as _;

use crate::escape::{escape, printable};

/// `1 file`, `2 files`
pub(crate) fn counted(count: usize, word: &str) -> String {
    format!("{count} {word}{}", if count == 1 { "" } else { "s" })
}

/// `a`, `b` and `c`
pub(crate) fn listed<T: AsRef<str>>(items: &[T]) -> String {
    joined(&in_quotes(items), "and")
}

/// `a`, `b` or `c`; the last without quotes if it is no word to be written.
pub(crate) fn alternatives<T: AsRef<str>>(items: &[T], last: Option<&str>) -> String {
    let mut all = in_quotes(items);
    all.extend(last.map(str::to_owned));
    joined(&all, "or")
}

fn in_quotes<T: AsRef<str>>(items: &[T]) -> Vec<String> {
    items.iter().map(|item| format!("`{}`", item.as_ref())).collect()
}

fn joined(items: &[String], word: &str) -> String {
    match items.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} {word} {last}", rest.join(", ")),
        None => String::new(),
    }
}

/// A path for a command that is typed: what a shell would not take as it is, in quotes.
pub(crate) fn quoted(path: &str) -> String {
    quoted_for(path, cfg!(windows))
}

/// With the quotes in which a shell reads numbers for bytes (`$'...'`), so that what is not seen can be typed.
fn quoted_with_numbers(path: &str) -> String {
    let mut quoted = String::from("$'");
    for letter in path.chars() {
        match escape(letter) {
            Some(_) => {
                for byte in letter.encode_utf8(&mut [0; 4]).bytes() {
                    let _ = write!(quoted, "\\{byte:03o}");
                }
            }
            None if matches!(letter, '\\' | '\'') => quoted.extend(['\\', letter]),
            None => quoted.push(letter),
        }
    }
    quoted + "'"
}

/// On Windows a backslash stands between folders, no name has a double quote, and `cmd` knows no single ones.
fn quoted_for(path: &str, is_windows: bool) -> String {
    let is_plain = |letter: char| {
        letter.is_alphanumeric() || "/._-+@%=:,\u{fffd}".contains(letter) || (is_windows && letter == '\\')
    };
    let path = if path.starts_with('-') {
        format!("./{path}")
    } else {
        path.to_owned()
    };
    let path = match printable(&path) {
        same if same == path => path,
        other if is_windows => other,
        _ => return quoted_with_numbers(&path),
    };
    if !path.is_empty() && path.chars().all(is_plain) {
        path
    } else if is_windows {
        format!("\"{path}\"")
    } else {
        format!("'{}'", path.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_shell_reads_otherwise_is_quoted() {
        for is_windows in [false, true] {
            for plain in ["a/b-c_1.py", "ä.py"] {
                assert_eq!(quoted_for(plain, is_windows), plain);
            }
            assert_eq!(quoted_for("-z.py", is_windows), "./-z.py");
        }
        assert_eq!(quoted_for("my v/b`rm`.py", false), "'my v/b`rm`.py'");
        assert_eq!(quoted_for("it's.py", false), r"'it'\''s.py'");
        assert_eq!(quoted_for("it's\n\u{202e}.py", false), r"$'it\'s\012\342\200\256.py'");
        assert_eq!(quoted_for("a\u{202e}.py", true), r"a\u202e.py");
        assert_eq!(quoted_for(r"C:\a\b.py", true), r"C:\a\b.py");
        assert_eq!(quoted_for(r"my v\it's.py", true), r#""my v\it's.py""#);
    }
}
