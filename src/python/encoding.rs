//! Decodes a file, which must be UTF-8, and says why it is not.

use memchr::{memchr, memchr2, memmem};

use super::relevance;

/// Encodings that do not extend ASCII, so that a search over the bytes would miss words; without hyphens and underscores (Python's "Standard
/// Encodings").
const NOT_ASCII: [&str; 13] = [
    "utf7",
    "u7",
    "utf16",
    "u16",
    "utf32",
    "u32",
    "hz",
    "hzgb",
    "iso2022",
    "unicodeescape",
    "rawunicodeescape",
    "punycode",
    "rot13",
];

/// The text of a file that `matters`, or why it cannot be read. None for a file that does not matter, unless its encoding may hide that it does.
pub(crate) fn text(bytes: Vec<u8>, matters: bool) -> Result<Option<String>, String> {
    let declared = declaration(&bytes);
    if let Some(name) = declared.filter(|name| is_any_of(name, &NOT_ASCII)) {
        return Err(format!(
            "declares the encoding `{name}`, in which nothing can be looked for: save it as UTF-8, and remove the declaration"
        ));
    }
    if !matters {
        return if is_wide(&bytes) {
            Err("is UTF-16 or UTF-32: save it as UTF-8".to_owned())
        } else {
            Ok(None)
        };
    }
    let foreign =
        declared.filter(|name| !bytes.is_ascii() && !is_any_of(name, &["utf8", "u8", "utf", "ascii", "usascii"]));
    if let Some(name) = foreign {
        return Err(format!("is not UTF-8 but `{name}`, as it declares: save it as UTF-8, and remove the declaration"));
    }
    let is_wide = is_wide(&bytes);
    String::from_utf8(bytes)
        .map(Some)
        .map_err(|error| match error.utf8_error().valid_up_to() {
            _ if is_wide => "is UTF-16 or UTF-32: save it as UTF-8".to_owned(),
            at => format!("is not UTF-8 (byte {at}): save it as UTF-8"),
        })
}

/// Whether a search finds words only without the zero bytes between the letters.
fn is_wide(bytes: &[u8]) -> bool {
    if memchr(0, bytes).is_none() || relevance(bytes).any() {
        return false;
    }
    let narrow: Vec<u8> = bytes.iter().copied().filter(|byte| *byte != 0).collect();
    relevance(&narrow).any()
}

/// The encoding that the first or the second line declares in a comment (PEP 263). A byte order mark takes precedence.
fn declaration(bytes: &[u8]) -> Option<&str> {
    if bytes.starts_with(b"\xef\xbb\xbf") {
        return None;
    }
    let (first, rest) = first_line(bytes);
    // The second line counts only after a comment or an empty line.
    let is_bare = first.is_empty() || first.starts_with(b"#");
    declared_in(first).or_else(|| declared_in(first_line(rest).0).filter(|_| is_bare))
}

/// The first line without its indentation, and the rest.
fn first_line(bytes: &[u8]) -> (&[u8], &[u8]) {
    let end = memchr2(b'\n', b'\r', bytes).unwrap_or(bytes.len());
    let (line, rest) = bytes.split_at(end);
    let rest = rest.strip_prefix(b"\r\n").or_else(|| rest.get(1..)).unwrap_or_default();
    (line.trim_ascii_start(), rest)
}

/// `^[ \t\f]*#.*?coding[:=][ \t]*([-_.a-zA-Z0-9]+)`
fn declared_in(line: &[u8]) -> Option<&str> {
    let comment = line.strip_prefix(b"#")?;
    let mut values = memmem::find_iter(comment, b"coding").filter_map(|at| {
        let value = comment.get(at + "coding".len()..)?;
        let value = value.strip_prefix(b":").or_else(|| value.strip_prefix(b"="))?;
        let value = value.trim_ascii_start();
        let is_letter = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.".contains(byte);
        let end = value.iter().position(|byte| !is_letter(byte)).unwrap_or(value.len());
        let name = std::str::from_utf8(value.get(..end)?).ok();
        name.filter(|name| !name.is_empty())
    });
    values.next()
}

/// Whether a name is one of these, or a longer one of these with a suffix (`utf-16-le`).
fn is_any_of(name: &str, known: &[&str]) -> bool {
    let letters = name.chars().filter(char::is_ascii_alphanumeric);
    let plain: String = letters.map(|letter| letter.to_ascii_lowercase()).collect();
    known
        .iter()
        .any(|known| plain == *known || known.len() > 3 && plain.starts_with(known))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIGRATION: &str = "down_revision = None\nop.drop_index(None)\n";

    /// The bytes of a letter.
    type Unit = fn(u32) -> Vec<u8>;

    fn wide(mark: &[u8], text: &str, unit: Unit) -> Vec<u8> {
        let units = text.chars().flat_map(|letter| unit(u32::from(letter)));
        mark.iter().copied().chain(units).collect()
    }

    #[test]
    fn utf_16_and_utf_32_are_refused_where_they_matter() {
        let little: Unit = |letter| letter.to_le_bytes()[..2].to_vec();
        let big: Unit = |letter| letter.to_be_bytes()[2..].to_vec();
        let units: [(&[u8], Unit); 6] = [
            (b"\xff\xfe", little),
            (b"\xfe\xff", big),
            (b"", little),
            (b"\xff\xfe\0\0", |letter| letter.to_le_bytes().to_vec()),
            (b"\0\0\xfe\xff", |letter| letter.to_be_bytes().to_vec()),
            (b"", |letter| letter.to_be_bytes().to_vec()),
        ];
        for (mark, unit) in units {
            let said = text(wide(mark, MIGRATION, unit), false).unwrap_err();
            assert_eq!(said, "is UTF-16 or UTF-32: save it as UTF-8");
            // A file without any of the words does not matter.
            assert_eq!(text(wide(mark, "x = 1\n", unit), false), Ok(None));
        }
        let zero = MIGRATION.replace("op.", "'\0'; op.");
        assert_eq!(text(zero.clone().into_bytes(), true), Ok(Some(zero)));
    }

    #[test]
    fn a_declaration_is_found_as_python_finds_it() {
        for (source, name) in [
            ("# -*- coding: latin-1 -*-\n", Some("latin-1")),
            ("#!/usr/bin/python\r\n# vim: set fileencoding=cp1252 :\r\n", Some("cp1252")),
            ("\r\t#coding:utf_7", Some("utf_7")),
            ("# encoding: x coding=y\n", Some("x")),
            ("#coding coding = a\n# coding: b\n", Some("b")),
            ("x = 1\n# coding: latin-1\n", None),
            ("\n\n# coding: latin-1\n", None),
            ("'''\n# coding: latin-1\n", None),
            ("\u{feff}# coding: latin-1\n", None),
            ("coding: latin-1\n", None),
            ("# coding:\n", None),
            ("", None),
        ] {
            assert_eq!(declaration(source.as_bytes()), name, "{source:?}");
        }
    }

    fn declaring(name: &str, letter: &[u8]) -> Vec<u8> {
        let head = format!("# coding: {name}\n# ");
        [head.as_bytes(), letter, b"\n", MIGRATION.as_bytes()].concat()
    }

    #[test]
    fn utf_8_and_ascii_are_read_and_other_encodings_refused() {
        let acute = "\u{e9}".as_bytes();
        for name in ["utf-8", "UTF_8", "utf8-sig", "u8", "ascii", "us-ascii"] {
            let read = text(declaring(name, acute), true);
            assert!(read.is_ok_and(|text| text.is_some()), "{name}");
        }
        for name in ["latin-1", "iso-8859-15", "cp1252", "koi8-r", "gbk"] {
            // ASCII text is the same in each.
            let read = text(declaring(name, b"e"), true);
            assert!(read.is_ok_and(|text| text.is_some()), "{name}");
            for letter in [acute, b"\xe9"] {
                let said = text(declaring(name, letter), true).unwrap_err();
                assert!(said.starts_with(&format!("is not UTF-8 but `{name}`")), "{said}");
                assert!(said.ends_with("save it as UTF-8, and remove the declaration"), "{said}");
                assert_eq!(text(declaring(name, letter), false), Ok(None));
            }
        }
    }

    #[test]
    fn an_encoding_that_cannot_be_searched_is_always_refused() {
        for name in
            ["utf-7", "UTF_16_LE", "iso2022_jp_2", "unicode_escape", "raw-unicode-escape", "hz-gb-2312", "rot13"]
        {
            for matters in [false, true] {
                let said = text(declaring(name, b"e"), matters).unwrap_err();
                assert!(said.starts_with(&format!("declares the encoding `{name}`")), "{said}");
            }
        }
        let said = text(b"op.drop_index('\xe9')".to_vec(), true).unwrap_err();
        assert_eq!(said, "is not UTF-8 (byte 15): save it as UTF-8");
    }
}
