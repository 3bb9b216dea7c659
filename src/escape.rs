//! Escapes control characters and invisible characters of foreign text, as Python writes them in a string.
//!
//! Foreign text passes through [`printable`] where it enters a report, so that columns are counted as they are shown. All output passes
//! through a [`Screen`] as well, so that text that was not escaped there does no harm.

use std::fmt::Write as _;
use std::io::{self, Write};

/// Whether a character controls a terminal, changes the direction of the text after it, or is invisible
/// (Unicode's `Cc`, `Zl`, `Zp`, `Bidi_Control` and `Default_Ignorable_Code_Point`, and the marks of annotations between lines).
fn is_hidden(letter: char) -> bool {
    if letter.is_ascii() {
        return letter.is_ascii_control();
    }
    matches!(letter,
        '\u{80}'..='\u{9f}'
        | '\u{ad}'
        | '\u{34f}'
        | '\u{61c}'
        | '\u{115f}'..='\u{1160}'
        | '\u{17b4}'..='\u{17b5}'
        | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{3164}'
        | '\u{fe00}'..='\u{fe0f}'
        | '\u{feff}'
        | '\u{ffa0}'
        | '\u{fff0}'..='\u{fffb}'
        | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0000}'..='\u{e0fff}')
}

/// `\n`, `\x1b`, `\u202e` or `\U000e0041`.
pub(crate) fn push_python(text: &mut String, letter: char) {
    let number = u32::from(letter);
    // Writing into a text does not fail.
    let _ = match letter {
        '\n' => write!(text, "\\n"),
        '\r' => write!(text, "\\r"),
        '\t' => write!(text, "\\t"),
        _ if number < 0x100 => write!(text, "\\x{number:02x}"),
        _ if number < 0x1_0000 => write!(text, "\\u{number:04x}"),
        _ => write!(text, "\\U{number:08x}"),
    };
}

/// As JSON escapes it in a string.
fn push_json(text: &mut String, letter: char) {
    for half in letter.encode_utf16(&mut [0; 2]) {
        let _ = write!(text, "\\u{half:04x}");
    }
}

fn is_layout(letter: char) -> bool {
    matches!(letter, '\n' | '\t')
}

fn shown(text: &str, may_pass: impl Fn(char) -> bool, push: fn(&mut String, char)) -> String {
    let mut shown = String::with_capacity(text.len());
    for letter in text.chars() {
        if is_hidden(letter) && !may_pass(letter) {
            push(&mut shown, letter);
        } else {
            shown.push(letter);
        }
    }
    shown
}

/// Foreign text on one line, with hidden characters escaped.
#[must_use]
pub(crate) fn printable(text: &str) -> String {
    shown(text, |_| false, push_python)
}

/// Code with hidden characters escaped; lines and tabs stay.
pub(crate) fn printable_code(text: &str) -> String {
    shown(text, is_layout, push_python)
}

/// Whether code holds nothing to escape.
pub(crate) fn is_printable(code: &str) -> bool {
    !code.chars().any(|letter| is_hidden(letter) && !is_layout(letter))
}

/// How a hidden character is written; nothing for a visible one.
pub(crate) fn escape(letter: char) -> Option<String> {
    is_hidden(letter).then(|| printable(letter.encode_utf8(&mut [0; 4])))
}

/// A stream that passes visible characters, line ends, tabs and style sequences (ECMA-48, "SGR"), and escapes the rest.
pub struct Screen<W> {
    stream: W,
    push: fn(&mut String, char),
    /// The start of a character or of a style sequence whose end has not come yet.
    rest: Vec<u8>,
}

impl<W: Write> Screen<W> {
    /// Escapes as Python does.
    pub const fn new(stream: W) -> Self {
        let push = push_python;
        let rest = Vec::new();
        Self { stream, push, rest }
    }

    /// Escapes as JSON does, so that a reader gets the original characters.
    pub(crate) const fn json(stream: W) -> Self {
        let push = push_json;
        let rest = Vec::new();
        Self { stream, push, rest }
    }

    /// The part of the pending bytes that can be written.
    fn take(&mut self) -> String {
        let bytes = std::mem::take(&mut self.rest);
        let mut text = String::with_capacity(bytes.len());
        for chunk in bytes.utf8_chunks() {
            text.push_str(chunk.valid());
            match std::str::from_utf8(chunk.invalid()) {
                Ok(_) => {}
                // The character may be completed by the next write.
                Err(error) if error.error_len().is_none() => self.rest.extend_from_slice(chunk.invalid()),
                Err(_) => text.push('\u{fffd}'),
            }
        }
        let mut passed = String::with_capacity(text.len());
        let mut left = text.as_str();
        while let Some(at) = left.find('\u{1b}') {
            let (before, after) = left.split_at(at);
            passed.push_str(&shown(before, is_layout, self.push));
            match Style::at_start(after) {
                Style::Whole(length) => {
                    let (style, behind) = after.split_at(length);
                    passed.push_str(style);
                    left = behind;
                }
                Style::Begun if self.rest.is_empty() => {
                    self.rest.extend_from_slice(after.as_bytes());
                    return passed;
                }
                Style::Begun | Style::None => {
                    (self.push)(&mut passed, '\u{1b}');
                    left = after.get(1..).unwrap_or_default();
                }
            }
        }
        passed.push_str(&shown(left, is_layout, self.push));
        passed
    }
}

/// The length of the style sequence that a text begins with.
enum Style {
    Whole(usize),
    Begun,
    None,
}

impl Style {
    fn at_start(text: &str) -> Self {
        let Some(parameters) = text.strip_prefix("\u{1b}[") else {
            return if text.len() == 1 { Self::Begun } else { Self::None };
        };
        match parameters.find(|letter: char| !letter.is_ascii_digit() && letter != ';') {
            Some(end) if parameters[end..].starts_with('m') => Self::Whole("\u{1b}[".len() + end + 1),
            Some(_) => Self::None,
            None => Self::Begun,
        }
    }
}

impl<W: Write> Write for Screen<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let is_plain = |byte: &u8| matches!(byte, b' '..=b'~' | b'\n' | b'\t');
        if self.rest.is_empty() && bytes.iter().all(is_plain) {
            self.stream.write_all(bytes)?;
        } else {
            self.rest.extend_from_slice(bytes);
            let text = self.take();
            self.stream.write_all(text.as_bytes())?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HIDDEN: &str =
        "\0\u{7}\u{1b}\u{7f}\u{85}\u{9b}\u{ad}\u{200b}\u{200d}\u{2028}\u{202e}\u{2069}\u{fe0f}\u{feff}\u{e0041}";
    const SHOWN: &str = r"\x00\x07\x1b\x7f\x85\x9b\xad\u200b\u200d\u2028\u202e\u2069\ufe0f\ufeff\U000e0041";

    #[test]
    fn what_is_not_seen_is_shown_as_python_writes_it() {
        assert_eq!(printable(HIDDEN), SHOWN);
        assert_eq!(printable("a\r\n\tb"), r"a\r\n\tb");
        assert_eq!(printable_code("a\r\n\tb"), "a\\r\n\tb");
        let seen = "ä 漢字 🦀 \\x1b e\u{301} \u{fffd}";
        assert_eq!(printable(seen), seen);
        assert!(is_printable("a\n\tb") && !is_printable("a\u{200b}"));
    }

    /// Written in pieces of so many bytes.
    fn written(text: &str, size: usize) -> String {
        let mut screen = Screen::new(Vec::new());
        for piece in text.as_bytes().chunks(size) {
            screen.write_all(piece).unwrap();
        }
        String::from_utf8(screen.stream).unwrap()
    }

    #[test]
    fn only_style_passes_a_screen_however_it_is_cut() {
        let all = format!("\u{1b}[1;31mä{HIDDEN}\n\t\u{1b}[0m \u{1b}]52;c;x\u{7} \u{1b}[2J \u{1b}\u{1b}[mz");
        let expected = format!("\u{1b}[1;31mä{SHOWN}\n\t\u{1b}[0m \\x1b]52;c;x\\x07 \\x1b[2J \\x1b\u{1b}[mz");
        for size in 1..=all.len() {
            assert_eq!(written(&all, size), expected, "pieces of {size}");
        }
    }

    #[test]
    fn bytes_that_are_no_text_are_replaced() {
        let mut screen = Screen::new(Vec::new());
        screen.write_all(b"a\xff\x9bb\xf0\x9f").unwrap();
        assert_eq!(screen.stream, "a\u{fffd}\u{fffd}b".as_bytes());
    }

    #[test]
    fn json_comes_back_as_it_was() {
        let mut screen = Screen::json(Vec::new());
        serde_json::to_writer(&mut screen, HIDDEN).unwrap();
        assert!(screen.stream.is_ascii() && !screen.stream.contains(&0x7f));
        assert_eq!(serde_json::from_slice::<String>(&screen.stream).unwrap(), HIDDEN);
    }
}
