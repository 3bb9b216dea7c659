//! Python's `template % mapping` for texts, as far as a naming convention can use it.
//!
//! Pieces are read one by one, because Python raises at the first bad one, after it has looked up the tokens before it.

use std::iter::Peekable;
use std::str::CharIndices;

use super::NamingError;
use crate::escape::push_python;

/// Wider than any name a database takes. Python would go on until memory runs out.
const WIDEST: usize = 65_536;

/// Why Python refuses a format string (`Objects/unicodeobject.c`, `unicode_format_arg_parse`).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FormatError {
    /// The text ends within a conversion, such as `fk_%` or `fk_%(table_name)`.
    #[error("it ends within a conversion, as if an `s` were missing")]
    Incomplete,
    /// A `%(` without its closing parenthesis.
    #[error("the parenthesis after a `%` is never closed")]
    IncompleteKey,
    /// A letter that is no conversion, such as `%(table_name)y`.
    #[error("`{0}` is no conversion that Python knows")]
    UnsupportedCharacter(char),
    /// A conversion that needs a number or one character, such as `%(table_name)d`.
    #[error("the conversion `%{0}` does not take a text")]
    NotText(char),
    /// A width or precision given as `*`, which has no place in a mapping.
    #[error("a width of `*` has no value to take")]
    Star,
    /// A width or precision beyond every name's length.
    #[error("the width is too big")]
    TooWide,
    /// The text would be longer than anything that is followed here. Python would go on.
    #[error("the name would be longer than {WIDEST} bytes")]
    TooLong,
    /// A conversion without a token, such as `%s`: at best the memory address of an object.
    #[error("`%{0}` names no token in parentheses")]
    WithoutToken(char),
}

impl FormatError {
    /// Whether Python raises. `%s` alone gives a text, though one that changes with each run.
    pub(super) const fn is_raised(&self) -> bool {
        !matches!(self, Self::WithoutToken('s' | 'r' | 'a') | Self::TooLong)
    }
}

/// One piece of a template.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Piece<'t> {
    /// Plain text. A doubled `%%` is the piece `%`.
    Text(&'t str),
    /// `%(key)` and how its value is written; the latter fails only after the value was looked up.
    Field {
        key: &'t str,
        spec: Result<Spec, FormatError>,
    },
}

/// How a value is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Spec {
    left: bool,
    width: usize,
    precision: Option<usize>,
    conversion: char,
}

/// The pieces of a template in order. Ends with the first error.
pub(super) fn pieces(template: &str) -> impl Iterator<Item = Result<Piece<'_>, FormatError>> {
    let mut position = 0;
    std::iter::from_fn(move || {
        let rest = template.get(position..).filter(|rest| !rest.is_empty())?;
        let piece = next_piece(rest);
        position = piece.as_ref().map_or(template.len(), |(_, length)| position + length);
        Some(piece.map(|(piece, _)| piece))
    })
}

/// Fills in a template. `lookup` gives a token's text or fails, and the first failure is the result.
pub(super) fn render(
    template: &str,
    lookup: impl Fn(&str) -> Result<String, NamingError>,
) -> Result<String, NamingError> {
    let mut rendered = String::with_capacity(template.len());
    for piece in pieces(template) {
        match piece? {
            Piece::Text(text) => rendered.push_str(text),
            Piece::Field { key, spec } => {
                let value = lookup(key)?;
                rendered.push_str(&spec?.apply(&value)?);
            }
        }
        if rendered.len() > WIDEST {
            return Err(FormatError::TooLong.into());
        }
    }
    Ok(rendered)
}

/// The first piece of a text that is not empty, and how many bytes it takes.
fn next_piece(rest: &str) -> Result<(Piece<'_>, usize), FormatError> {
    let Some(after) = rest.strip_prefix('%') else {
        let length = rest.find('%').unwrap_or(rest.len());
        return Ok((Piece::Text(&rest[..length]), length));
    };
    if after.starts_with('%') {
        return Ok((Piece::Text("%"), 2));
    }
    let Some(inner) = after.strip_prefix('(') else {
        let (spec, _) = read_spec(after)?;
        return Err(FormatError::WithoutToken(spec.conversion));
    };
    let key = &inner[..closing_parenthesis(inner).ok_or(FormatError::IncompleteKey)?];
    let start = "%()".len() + key.len();
    let (spec, length) = match read_spec(&rest[start..]) {
        Ok((spec, length)) => (Ok(spec), length),
        Err(error) => (Err(error), 0),
    };
    Ok((Piece::Field { key, spec }, start + length))
}

/// Where the parenthesis is closed that was opened just before `inner`; parentheses within a key must balance.
fn closing_parenthesis(inner: &str) -> Option<usize> {
    let mut depth = 1_usize;
    inner.char_indices().find_map(|(index, character)| {
        match character {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        (depth == 0).then_some(index)
    })
}

/// Reads flags, width, precision, length and conversion, and says how many bytes they take.
fn read_spec(text: &str) -> Result<(Spec, usize), FormatError> {
    let mut rest = text.char_indices().peekable();
    let mut left = false;
    while let Some((_, flag)) = rest.next_if(|(_, character)| "-+ #0".contains(*character)) {
        left |= flag == '-';
    }
    let width = read_number(&mut rest)?.unwrap_or_default();
    let precision = match rest.next_if(|(_, character)| *character == '.') {
        Some(_) => Some(read_number(&mut rest)?.unwrap_or_default()),
        None => None,
    };
    rest.next_if(|(_, character)| "hlL".contains(*character));
    let (index, conversion) = rest.next().ok_or(FormatError::Incomplete)?;
    if !"sracdiouxXeEfFgG".contains(conversion) {
        return Err(FormatError::UnsupportedCharacter(conversion));
    }
    Ok((
        Spec {
            left,
            width,
            precision,
            conversion,
        },
        index + conversion.len_utf8(),
    ))
}

fn read_number(rest: &mut Peekable<CharIndices<'_>>) -> Result<Option<usize>, FormatError> {
    if rest.next_if(|(_, character)| *character == '*').is_some() {
        return Err(FormatError::Star);
    }
    let mut number = None;
    while let Some(digit) = rest.peek().and_then(|(_, character)| character.to_digit(10)) {
        rest.next();
        let value = number.unwrap_or(0_usize) * 10 + digit as usize;
        number = Some(value);
        if value > WIDEST {
            return Err(FormatError::TooWide);
        }
    }
    Ok(number)
}

impl Spec {
    /// Fails for a conversion that no text fits, whichever it is.
    pub(super) fn check_text(self) -> Result<(), FormatError> {
        if "srac".contains(self.conversion) {
            Ok(())
        } else {
            Err(FormatError::NotText(self.conversion))
        }
    }

    /// Writes a text. Lengths count characters, and the zero flag does nothing to a text.
    fn apply(self, value: &str) -> Result<String, FormatError> {
        let converted = match self.conversion {
            's' => value.to_owned(),
            'r' => repr(value, char_is_printable),
            'a' => repr(value, |character| character.is_ascii() && char_is_printable(character)),
            'c' if value.chars().count() == 1 => return Ok(self.pad(value)),
            other => return Err(FormatError::NotText(other)),
        };
        let shown: String = converted.chars().take(self.precision.unwrap_or(usize::MAX)).collect();
        Ok(self.pad(&shown))
    }

    fn pad(self, text: &str) -> String {
        let width = self.width;
        if self.left {
            format!("{text:<width$}")
        } else {
            format!("{text:>width$}")
        }
    }
}

/// Python's `repr` of a text: single quotes unless only they occur inside, and an escape for what cannot be shown.
fn repr(value: &str, is_shown: impl Fn(char) -> bool) -> String {
    let quote = if value.contains('\'') && !value.contains('"') {
        '"'
    } else {
        '\''
    };
    let mut shown = String::from(quote);
    for character in value.chars() {
        match character {
            '\\' => shown.push_str("\\\\"),
            _ if character == quote => shown.extend(['\\', quote]),
            _ if is_shown(character) => shown.push(character),
            _ => push_python(&mut shown, character),
        }
    }
    shown.push(quote);
    shown
}

/// Near enough to Python's `str.isprintable` for anything that is a name. The letter in front keeps a combining mark
/// from being escaped, which Rust does only at the start of a text and Python never.
fn char_is_printable(character: char) -> bool {
    matches!(character, '\'' | '"' | '\\') || format!("a{character}").escape_debug().count() == 2
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rendered(template: &str) -> Result<String, NamingError> {
        render(template, |key| Ok(if key == "one" { "ü" } else { "order" }.to_owned()))
    }

    /// What Python 3.11 gives for `template % {...}` with the value `'order'`, and `'ü'` for `one`.
    #[test]
    fn writes_what_python_writes() {
        for (template, expected) in [
            ("", ""),
            ("plain", "plain"),
            ("fk_%%_x", "fk_%_x"),
            ("uq_%(t)s", "uq_order"),
            ("%(a(b)c)s", "order"),
            ("%()s", "order"),
            ("%(t).3s", "ord"),
            ("%(t).s|", "|"),
            ("%(t)8s|", "   order|"),
            ("%(t)-8s|", "order   |"),
            ("%(t)08s", "   order"),
            ("%(t)+-# 8s|", "order   |"),
            ("%(t)3s", "order"),
            ("%(t)ls", "order"),
            ("%(t)r", "'order'"),
            ("%(t)8.2r", "      'o"),
            ("%(one)c", "ü"),
            ("%(one)3.0c", "  ü"),
            ("%(one)r", "'ü'"),
            ("%(one)a", "'\\xfc'"),
            ("%(one)3s", "  ü"),
        ] {
            assert_eq!(rendered(template), Ok(expected.to_owned()), "{template}");
        }
    }

    #[test]
    fn fails_where_python_fails() {
        for (template, expected) in [
            ("fk_%", FormatError::Incomplete),
            ("fk_%-8.", FormatError::Incomplete),
            ("fk_%(t)", FormatError::Incomplete),
            ("fk_%(t)8", FormatError::Incomplete),
            ("fk_%(t", FormatError::IncompleteKey),
            ("fk_%(t(s", FormatError::IncompleteKey),
            ("fk_%(t)y", FormatError::UnsupportedCharacter('y')),
            ("fk_%(t)é", FormatError::UnsupportedCharacter('é')),
            ("fk_%(t)%", FormatError::UnsupportedCharacter('%')),
            ("fk_%5%", FormatError::UnsupportedCharacter('%')),
            ("fk_%(t)lls", FormatError::UnsupportedCharacter('l')),
            ("fk_%(t)d", FormatError::NotText('d')),
            ("fk_%(t)c", FormatError::NotText('c')),
            ("fk_%(t)*s", FormatError::Star),
            ("fk_%(t).*s", FormatError::Star),
            ("fk_%(t)99999999999999999999s", FormatError::TooWide),
            ("fk_%d", FormatError::WithoutToken('d')),
            ("fk_%(t)s%s", FormatError::WithoutToken('s')),
        ] {
            assert_eq!(rendered(template), Err(expected.into()), "{template}");
        }
    }

    #[test]
    fn looks_a_token_up_before_it_minds_the_conversion() {
        let failing = |template| render(template, |_| Err(NamingError::ExplicitNameNeeded));
        assert_eq!(failing("%(t)y %("), Err(NamingError::ExplicitNameNeeded));
        assert_eq!(failing("%y"), Err(FormatError::UnsupportedCharacter('y').into()));
    }

    #[test]
    fn shows_a_text_as_python_does() {
        for (value, expected) in [
            ("it's", "\"it's\""),
            ("it's \"so\"", "'it\\'s \"so\"'"),
            ("a\\b\n\u{7f}", "'a\\\\b\\n\\x7f'"),
            ("\u{301}e\u{200b}\u{e0001}", "'\u{301}e\\u200b\\U000e0001'"),
        ] {
            assert_eq!(repr(value, char_is_printable), expected);
        }
    }
}
