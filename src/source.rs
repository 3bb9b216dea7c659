//! The text that is checked: where it stands, its bytes, and the way from a byte to a line and a column.
//!
//! The rest of the program works with byte ranges. Lines and columns exist only in reports.

use std::borrow::Cow;
use std::fmt;
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, OnceLock};

use crate::work;

/// A half-open range of bytes in a [`SourceFile`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Span {
    /// The first byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}

impl Span {
    /// The span from `start` up to `end`.
    #[must_use]
    pub const fn new(start: usize, end: usize) -> Self {
        Self { start, end }
    }

    /// The same span as a standard range.
    #[must_use]
    pub const fn range(self) -> std::ops::Range<usize> {
        self.start..self.end
    }

    /// Whether `other` lies wholly inside this span.
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.start <= other.start && other.end <= self.end
    }
}

/// The path of a file below the top of what is checked: bytes as git holds them, with `/` between the parts, never absolute.
///
/// Outside a repository the top is the current folder.
#[derive(Default, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RepoPath(Arc<[u8]>);

impl RepoPath {
    /// A path from the bytes that git uses.
    #[must_use]
    pub fn new(bytes: impl AsRef<[u8]>) -> Self {
        Self(bytes.as_ref().into())
    }

    /// The top itself.
    #[must_use]
    pub fn top() -> Self {
        Self::new([])
    }

    /// The bytes as git holds them.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The path for a report; what is not UTF-8 is replaced.
    #[must_use]
    pub fn display(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.0)
    }

    /// The last part of the path; empty for the top.
    #[must_use]
    pub fn file_name(&self) -> &[u8] {
        self.0.rsplit(|&byte| byte == b'/').next().unwrap_or_default()
    }

    /// The folder that holds it; `None` for the top.
    #[must_use]
    pub fn parent(&self) -> Option<Self> {
        if self.0.is_empty() {
            return None;
        }
        let end = self.0.iter().rposition(|&byte| byte == b'/').unwrap_or(0);
        Some(Self::new(&self.0[..end]))
    }

    /// The folder that holds it, that folder's folder, and so on up to the top.
    pub fn ancestors(&self) -> impl Iterator<Item = Self> + use<> {
        std::iter::successors(self.parent(), Self::parent)
    }

    /// `relative` as seen from this folder, with `.` and `..` resolved; `None` where it leaves the top or is absolute.
    #[must_use]
    pub fn join(&self, relative: impl AsRef<[u8]>) -> Option<Self> {
        let relative = relative.as_ref();
        if relative.first() == Some(&b'/') {
            return None;
        }
        let mut parts: Vec<&[u8]> = self
            .0
            .split(|&byte| byte == b'/')
            .filter(|part| !part.is_empty())
            .collect();
        for part in relative.split(|&byte| byte == b'/') {
            match part {
                b"" | b"." => {}
                b".." => {
                    parts.pop()?;
                }
                name => parts.push(name),
            }
        }
        Some(Self::new(parts.join(&b'/')))
    }

    /// The path as it is written in a command that is given in `folder`.
    #[must_use]
    pub fn seen_from(&self, folder: &Self) -> String {
        let mut up = String::new();
        let mut shared = folder.clone();
        while let Some(parent) = shared.parent().filter(|_| !self.starts_with(&shared)) {
            up.push_str("../");
            shared = parent;
        }
        let rest = self.0.get(shared.0.len()..).unwrap_or_default();
        up + &String::from_utf8_lossy(rest.strip_prefix(b"/").unwrap_or(rest))
    }

    /// Whether this is `folder` or lies below it.
    #[must_use]
    pub fn starts_with(&self, folder: &Self) -> bool {
        folder.0.is_empty()
            || self
                .0
                .strip_prefix(folder.as_bytes())
                .is_some_and(|rest| rest.is_empty() || rest[0] == b'/')
    }

    /// Whether this names a Python module (`.py`).
    #[must_use]
    pub fn is_python(&self) -> bool {
        self.0.ends_with(b".py")
    }

    /// Whether pytest takes this module for one with tests.
    #[must_use]
    pub fn is_named_as_test(&self) -> bool {
        let name = self.file_name();
        name.starts_with(b"test_") || name.ends_with(b"_test.py") || name == b"conftest.py"
    }

    /// The file in the working tree, below `top`.
    #[must_use]
    pub fn to_path(&self, top: &Path) -> PathBuf {
        #[cfg(unix)]
        {
            use std::os::unix::ffi::OsStrExt;
            top.join(std::ffi::OsStr::from_bytes(&self.0))
        }
        #[cfg(not(unix))]
        {
            top.join(self.display().as_ref())
        }
    }

    /// The path below the top for a relative path of the operating system; `None` if it leaves the top or is absolute.
    #[must_use]
    pub fn from_path(path: &Path) -> Option<Self> {
        let leaves = |part: Component<'_>| matches!(part, Component::RootDir | Component::Prefix(_));
        if path.components().any(leaves) {
            return None;
        }
        let parts: Vec<_> = path.components().map(|part| os_bytes(part.as_os_str())).collect();
        Self::top().join(parts.join(&b'/'))
    }
}

#[cfg(unix)]
fn os_bytes(name: &std::ffi::OsStr) -> Cow<'_, [u8]> {
    use std::os::unix::ffi::OsStrExt;
    Cow::Borrowed(name.as_bytes())
}

#[cfg(not(unix))]
fn os_bytes(name: &std::ffi::OsStr) -> Cow<'_, [u8]> {
    Cow::Owned(name.to_string_lossy().into_owned().into_bytes())
}

impl From<&str> for RepoPath {
    fn from(path: &str) -> Self {
        Self::new(path)
    }
}

impl fmt::Display for RepoPath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.display())
    }
}

impl fmt::Debug for RepoPath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:?}", self.display())
    }
}

/// A line and a column, both from 1; the column counts characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
}

/// One text file of the snapshot. Cheap to clone.
#[derive(Clone)]
pub struct SourceFile(Arc<Inner>);

struct Inner {
    path: RepoPath,
    text: String,
    line_starts: OnceLock<Vec<usize>>,
    line_feeds: OnceLock<Vec<usize>>,
    line_ending: OnceLock<&'static str>,
    /// How many characters begin before each [`BLOCK`] of bytes.
    characters: OnceLock<Vec<usize>>,
}

/// How many bytes are read to count a column, however long the line is.
const BLOCK: usize = 256;

impl SourceFile {
    /// A file with its text.
    #[must_use]
    pub fn new(path: RepoPath, text: String) -> Self {
        Self(Arc::new(Inner {
            path,
            text,
            line_starts: OnceLock::new(),
            line_feeds: OnceLock::new(),
            line_ending: OnceLock::new(),
            characters: OnceLock::new(),
        }))
    }

    /// Where it stands.
    #[must_use]
    pub fn path(&self) -> &RepoPath {
        &self.0.path
    }

    /// All of its text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.0.text
    }

    /// The text of `span`; empty where the span is not of this file.
    #[must_use]
    pub fn slice(&self, span: Span) -> &str {
        self.text().get(span.range()).unwrap_or_default()
    }

    /// The line and column of a byte.
    #[must_use]
    pub fn position(&self, offset: usize) -> Position {
        let offset = offset.min(self.text().len());
        let starts = self.line_starts();
        let line = starts.partition_point(|&start| start <= offset);
        let start = starts[line - 1];
        Position {
            line,
            column: self.characters_before(offset) - self.characters_before(start) + 1,
        }
    }

    /// How many characters stand before a byte. A byte order mark is none of the text, though its bytes count.
    #[must_use]
    pub fn characters_before(&self, offset: usize) -> usize {
        let bytes = self.text().as_bytes();
        let offset = offset.min(bytes.len());
        let begun = |bytes: &[u8]| {
            work::steps(bytes.len());
            // All bytes of a character but its first are 10xxxxxx.
            bytes.iter().filter(|&&byte| byte & 0xC0 != 0x80).count()
        };
        let blocks = self.0.characters.get_or_init(|| {
            let counts = bytes.chunks(BLOCK).scan(0, |sum, block| {
                *sum += begun(block);
                Some(*sum)
            });
            std::iter::once(0).chain(counts).collect()
        });
        let block = offset / BLOCK;
        let known = blocks.get(block).copied().unwrap_or_default();
        let rest = begun(bytes.get(block * BLOCK..offset).unwrap_or_default());
        let has_mark = offset > 0 && self.text().starts_with('\u{feff}');
        known + rest - usize::from(has_mark)
    }

    /// The lines as [`position`](Self::position) counts them, with their ends.
    #[must_use]
    pub fn lines(&self) -> Vec<&str> {
        let starts = self.line_starts();
        let ends = starts.iter().skip(1).copied().chain([self.text().len()]);
        let line = |(start, end): (&usize, usize)| self.text().get(*start..end);
        starts.iter().zip(ends).filter_map(line).collect()
    }

    /// The whole line that holds a byte, without its line end.
    #[must_use]
    pub fn line_span(&self, offset: usize) -> Span {
        let starts = self.line_starts();
        let line = starts.partition_point(|&start| start <= offset);
        let start = starts[line - 1];
        let next = starts.get(line).copied().unwrap_or(self.text().len());
        let text = &self.text()[start..next];
        Span::new(start, start + text.trim_end_matches(['\r', '\n']).len())
    }

    /// Where the line after that of a byte begins; nothing where the text ends without a line end.
    pub(crate) fn next_line(&self, offset: usize) -> Option<usize> {
        let starts = self.line_starts();
        starts.get(starts.partition_point(|&start| start <= offset)).copied()
    }

    /// How many line feeds stand before a byte: lines as those count them who know no other end.
    #[must_use]
    pub fn line_feeds_before(&self, offset: usize) -> usize {
        let feeds = self.0.line_feeds.get_or_init(|| {
            work::steps(self.text().len());
            self.text().match_indices('\n').map(|(at, _)| at).collect()
        });
        feeds.partition_point(|at| *at < offset)
    }

    /// What ends the lines that are written into the file: `\r\n` where it is in use, else `\n`.
    #[must_use]
    pub fn line_ending(&self) -> &'static str {
        self.0.line_ending.get_or_init(|| {
            work::steps(self.text().len());
            if self.text().contains("\r\n") { "\r\n" } else { "\n" }
        })
    }

    /// Python ends a line at `\n`, `\r\n` and a lone `\r`.
    fn line_starts(&self) -> &[usize] {
        self.0.line_starts.get_or_init(|| {
            let bytes = self.text().as_bytes();
            let ends = bytes
                .iter()
                .enumerate()
                .filter(|&(at, &byte)| byte == b'\n' || (byte == b'\r' && bytes.get(at + 1) != Some(&b'\n')));
            std::iter::once(0).chain(ends.map(|(at, _)| at + 1)).collect()
        })
    }
}

/// Whether a letter belongs to a word: to a name in Python or SQL.
pub(crate) fn is_word_letter(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

/// The words of a text, each with its place.
pub(crate) fn words_of(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        at += text.get(at..)?.find(is_word_letter)?;
        let start = at;
        let rest = &text[start..];
        at += rest.find(|letter| !is_word_letter(letter)).unwrap_or(rest.len());
        Some((start, &text[start..at]))
    })
}

impl fmt::Debug for SourceFile {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "SourceFile({})", self.path())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_written_as_seen_from_a_folder() {
        let seen = |path: &str, folder: &str| RepoPath::from(path).seen_from(&folder.into());
        assert_eq!(seen("a/b.py", ""), "a/b.py");
        assert_eq!(seen("a/b.py", "a"), "b.py");
        assert_eq!(seen("a/b.py", "a/c"), "../b.py");
        assert_eq!(seen("a/b.py", "ab/c"), "../../a/b.py");
        assert_eq!(seen("b.py", "a"), "../b.py");
    }

    #[test]
    fn positions_count_characters_and_know_every_line_end() {
        let file = SourceFile::new("a.py".into(), "\u{feff}ä = 1\r\nb\rcc\n".to_owned());
        let at = |needle: &str| file.position(file.text().find(needle).unwrap());
        assert_eq!(at("="), Position { line: 1, column: 3 });
        assert_eq!(at("b"), Position { line: 2, column: 1 });
        assert_eq!(at("cc"), Position { line: 3, column: 1 });
        assert_eq!(file.position(usize::MAX), Position { line: 4, column: 1 });
        assert_eq!(file.lines(), ["\u{feff}ä = 1\r\n", "b\r", "cc\n", ""]);
        assert_eq!(file.slice(file.line_span(file.text().find('b').unwrap())), "b");
    }

    #[test]
    fn columns_of_a_long_line_are_counted_by_blocks() {
        let text = format!("\u{feff}x\n{}\n", "äa€".repeat(4 * BLOCK));
        let file = SourceFile::new("a.py".into(), text.clone());
        let line = text.find('ä').unwrap();
        for (at, (offset, _)) in text[line..].char_indices().enumerate().step_by(97) {
            assert_eq!(file.position(line + offset).column, at + 1);
            assert_eq!(file.characters_before(line + offset), at + 2);
        }
        let steps = work::counted(|| {
            let _ = file.position(text.len() - 2);
        });
        assert!(steps <= 2 * BLOCK, "{steps}");
    }

    #[test]
    fn a_file_is_gone_through_once_for_its_line_ends() {
        let file = SourceFile::new("a.py".into(), "a\n".repeat(1000));
        let steps = work::counted(|| assert!((0..100).all(|_| file.line_ending() == "\n")));
        assert_eq!(steps, file.text().len());
        let steps = work::counted(|| assert!((0..100).all(|at| file.line_feeds_before(2 * at) == at)));
        assert_eq!(steps, file.text().len());
    }

    #[test]
    fn what_is_written_ends_its_lines_as_the_file_does() {
        let ending = |text: &str| SourceFile::new("a.py".into(), text.to_owned()).line_ending();
        assert_eq!(ending("a\r\nb\r\n"), "\r\n");
        assert_eq!(ending("a\nb\rc\n"), "\n");
        assert_eq!(ending(""), "\n");
    }

    #[test]
    fn joining_resolves_dots_and_never_leaves_the_top() {
        let folder = RepoPath::from("a/b");
        assert_eq!(folder.join("../c/./d.py"), Some("a/c/d.py".into()));
        assert_eq!(folder.join("../../.."), None);
        assert_eq!(folder.join("/etc"), None);
        assert_eq!(folder.join(""), Some(folder.clone()));
        assert_eq!(folder.ancestors().collect::<Vec<_>>(), ["a".into(), RepoPath::top()]);
    }

    #[test]
    fn a_folder_holds_only_what_is_below_it() {
        assert!(RepoPath::from("a/b").starts_with(&"a".into()));
        assert!(!RepoPath::from("ab").starts_with(&"a".into()));
        assert!(RepoPath::from("ab").starts_with(&RepoPath::top()));
    }
}
