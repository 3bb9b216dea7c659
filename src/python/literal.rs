//! The place of each character of a string literal in the source, so that a part of the literal can be replaced.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use ruff_python_ast as ast;
use ruff_python_ast::StringFlags as _;
use ruff_python_parser::parse_parenthesized_expression_range;
use ruff_text_size::{TextRange, TextSize};

use crate::source::{SourceFile, Span};
use crate::work;

/// A string literal or an f-string, implicit concatenation included. Of an f-string, the text between the values.
#[derive(Debug)]
pub(crate) struct Literal {
    units: Vec<Unit>,
    pieces: Vec<Piece>,
}

/// The literals of one file, each parsed once.
#[derive(Debug, Default, Clone)]
pub(crate) struct Literals(Rc<RefCell<HashMap<Span, Option<Rc<Literal>>>>>);

impl Literals {
    pub(crate) fn of(&self, file: &SourceFile, span: Span) -> Option<Rc<Literal>> {
        let mut known = self.0.borrow_mut();
        let literal = known
            .entry(span)
            .or_insert_with(|| Literal::read(file, span).map(Rc::new));
        literal.clone()
    }
}

/// Characters that are written as they are, or an escape sequence, which can only be replaced as a whole.
#[derive(Debug)]
struct Unit {
    /// Where it starts in the value of the literal.
    at: usize,
    length: usize,
    source: Span,
    piece: usize,
}

/// The quotes and the prefix of a part of a literal.
#[derive(Debug, Clone, Copy)]
struct Piece {
    quote: char,
    is_raw: bool,
    has_values: bool,
}

impl Literal {
    /// Parses the literal at a place; none if it is anything else, or has an escape sequence that is not understood.
    pub(crate) fn read(file: &SourceFile, span: Span) -> Option<Self> {
        work::steps(span.end.saturating_sub(span.start));
        let range = TextRange::new(TextSize::try_from(span.start).ok()?, TextSize::try_from(span.end).ok()?);
        let parsed = parse_parenthesized_expression_range(file.text(), range).ok()?;
        let mut literal = Self {
            units: Vec::new(),
            pieces: Vec::new(),
        };
        match parsed.expr() {
            ast::Expr::StringLiteral(node) => {
                for part in &node.value {
                    literal.string(file.text(), part)?;
                }
            }
            ast::Expr::FString(node) => {
                for part in &node.value {
                    match part {
                        ast::FStringPart::Literal(part) => literal.string(file.text(), part)?,
                        ast::FStringPart::FString(part) => literal.f_string(file.text(), part)?,
                    }
                }
            }
            _ => return None,
        }
        Some(literal)
    }

    fn string(&mut self, text: &str, part: &ast::StringLiteral) -> Option<()> {
        let piece = Piece {
            quote: part.flags.quote_str().chars().next()?,
            is_raw: part.flags.prefix().is_raw(),
            has_values: false,
        };
        self.piece(text, part.content_range(), piece, &part.value)
    }

    /// The text between two values is a piece of its own, since a replacement cannot span a value.
    fn f_string(&mut self, text: &str, part: &ast::FString) -> Option<()> {
        let piece = Piece {
            quote: part.flags.quote_str().chars().next()?,
            is_raw: part.flags.prefix().is_raw(),
            has_values: true,
        };
        for element in &part.elements {
            if let ast::InterpolatedStringElement::Literal(element) = element {
                self.piece(text, element.range, piece, &element.value)?;
            }
        }
        Some(())
    }

    fn piece(&mut self, text: &str, range: TextRange, piece: Piece, value: &str) -> Option<()> {
        let start = range.start().to_usize();
        let mut rest = text.get(start..range.end().to_usize())?;
        let mut place = start;
        let mut at = self.units.last().map_or(0, |unit| unit.at + unit.length);
        let mut held = String::with_capacity(value.len());
        while let Some((length, value)) = unit(rest, piece) {
            let character = match value {
                Escaped::Char(character) => Some(character),
                Escaped::Nothing => None,
                Escaped::Unknown => return None,
            };
            held.extend(character);
            let worth = character.map_or(0, char::len_utf8);
            let piece = self.pieces.len();
            match self.units.last_mut() {
                Some(last) if worth == length && last.is_plain() && last.piece == piece => {
                    last.length += worth;
                    last.source.end += length;
                }
                _ => self.units.push(Unit {
                    at,
                    length: worth,
                    source: Span::new(place, place + length),
                    piece,
                }),
            }
            at += worth;
            place += length;
            rest = rest.get(length..)?;
        }
        self.pieces.push(piece);
        // The parser is right. Where the two differ, no place is known.
        (held == value).then_some(())
    }

    /// The edit of the source that replaces these bytes of the value by `new`: where, and what to write.
    ///
    /// None where they are in several pieces, or where `new` cannot be written with the quotes and the prefix of the piece.
    pub(crate) fn replace(&self, range: std::ops::Range<usize>, new: &str) -> Option<(Span, String)> {
        let (first, start) = self.start(range.start)?;
        let end = if range.is_empty() {
            start
        } else {
            let (last, end) = self.end(range.end)?;
            if last.piece != first.piece {
                return None;
            }
            end
        };
        let written = self.pieces.get(first.piece)?.written(new)?;
        Some((Span::new(start, end), written))
    }

    /// The unit that contains a byte of the value, and the place of the byte.
    fn start(&self, at: usize) -> Option<(&Unit, usize)> {
        work::step();
        let after = self.units.partition_point(|unit| unit.at + unit.length <= at);
        let unit = self.units.get(after).filter(|unit| unit.at <= at)?;
        Some((unit, unit.place(at)?))
    }

    /// The unit that ends at a byte of the value or contains it, and the place of the byte.
    fn end(&self, at: usize) -> Option<(&Unit, usize)> {
        let after = self.units.partition_point(|unit| unit.at + unit.length < at);
        let unit = self.units.get(after).filter(|unit| unit.at < at)?;
        Some((unit, unit.place(at)?))
    }
}

impl Unit {
    /// Whether its value is written without an escape sequence.
    const fn is_plain(&self) -> bool {
        self.length == self.source.end - self.source.start
    }

    /// The place of a byte of the value. An escape sequence has only its ends.
    fn place(&self, at: usize) -> Option<usize> {
        let inside = at.checked_sub(self.at)?;
        match inside {
            0 => Some(self.source.start),
            _ if inside == self.length => Some(self.source.end),
            _ => self.is_plain().then_some(self.source.start + inside),
        }
    }
}

impl Piece {
    fn written(self, text: &str) -> Option<String> {
        let mut written = String::with_capacity(text.len());
        for letter in text.chars() {
            match letter {
                _ if letter.is_control() => return None,
                '\\' if self.is_raw => return None,
                _ if letter == self.quote && self.is_raw => return None,
                '\\' => written.push_str("\\\\"),
                _ if letter == self.quote => written.extend(['\\', letter]),
                '{' | '}' if self.has_values => written.extend([letter, letter]),
                _ => written.push(letter),
            }
        }
        Some(written)
    }
}

/// The value of one character or escape sequence.
enum Escaped {
    Char(char),
    /// A backslash at the end of a line.
    Nothing,
    /// `\N{...}`, or a code that is no character.
    Unknown,
}

impl Escaped {
    fn code(code: Option<u32>) -> Self {
        code.and_then(char::from_u32).map_or(Self::Unknown, Self::Char)
    }
}

/// The first unit of a source text: its length in bytes, and its value.
fn unit(rest: &str, piece: Piece) -> Option<(usize, Escaped)> {
    let mut letters = rest.chars();
    let first = letters.next()?;
    let plain = (first.len_utf8(), Escaped::Char(first));
    let second = letters.next();
    if piece.has_values && matches!(first, '{' | '}') && second == Some(first) {
        return Some((2, Escaped::Char(first)));
    }
    if first != '\\' || piece.is_raw {
        return Some(plain);
    }
    let hex = |digits: usize| {
        let code = rest
            .get(2..2 + digits)
            .and_then(|digits| u32::from_str_radix(digits, 16).ok());
        (2 + digits, Escaped::code(code))
    };
    Some(match second {
        Some('\n') => (2, Escaped::Nothing),
        Some('\r') => (if rest.get(2..3) == Some("\n") { 3 } else { 2 }, Escaped::Nothing),
        Some(letter @ ('\\' | '\'' | '"')) => (2, Escaped::Char(letter)),
        Some('n') => (2, Escaped::Char('\n')),
        Some('t') => (2, Escaped::Char('\t')),
        Some('r') => (2, Escaped::Char('\r')),
        Some('a') => (2, Escaped::Char('\u{7}')),
        Some('b') => (2, Escaped::Char('\u{8}')),
        Some('f') => (2, Escaped::Char('\u{c}')),
        Some('v') => (2, Escaped::Char('\u{b}')),
        Some('x') => hex(2),
        Some('u') => hex(4),
        Some('U') => hex(8),
        Some('N') => (1, Escaped::Unknown),
        Some('0'..='7') => {
            let digits = rest[1..].chars().take(3).take_while(|digit| digit.is_digit(8)).count();
            let code = u32::from_str_radix(&rest[1..=digits], 8).ok();
            (1 + digits, Escaped::code(code))
        }
        // Python leaves an unknown escape sequence as it is.
        _ => plain,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::python::{Module, StmtKind};

    /// The source after `old` is replaced by `new` in its value.
    fn replaced(source: &str, old: &str, new: &str) -> Option<String> {
        let file = SourceFile::new("m.py".into(), source.to_owned());
        let module = Module::parse(file.clone());
        let StmtKind::Expr(expr) = &module.body()[0].kind else {
            panic!("{source}")
        };
        let literal = Literal::read(&file, expr.span)?;
        let text: String = match &expr.kind {
            crate::python::ExprKind::String(text) => text.to_string(),
            crate::python::ExprKind::FString(parts) => parts
                .iter()
                .filter_map(|part| match part {
                    crate::python::FStringPart::Text(text) => Some(text.as_str()),
                    crate::python::FStringPart::Value { .. } => None,
                })
                .collect(),
            _ => return None,
        };
        let at = text.find(old).unwrap();
        let (span, written) = literal.replace(at..at + old.len(), new)?;
        Some(format!("{}{written}{}", &source[..span.start], &source[span.end..]))
    }

    #[test]
    fn a_text_is_replaced_in_every_kind_of_literal() {
        for (source, old, new, expected) in [
            ("'one two'", "two", "3", "'one 3'"),
            (r"'\x41\u0042\'\101 \q two'", "two", "it's", r"'\x41\u0042\'\101 \q it\'s'"),
            ("'''a\n\"b\" two'''", "two", "3'4", "'''a\n\"b\" 3\\'4'''"),
            ("'''a\r\ntwo'''", "two", "3", "'''a\r\n3'''"),
            ("r'\\d two'", "two", "\"3\"", "r'\\d \"3\"'"),
            ("('one '\n  # a comment, two\n  'two')", "two", "3", "('one '\n  # a comment, two\n  '3')"),
            ("'one \\\n two'", "two", "3", "'one \\\n 3'"),
            ("f'{{a}} {x!r:>{y}} two {z}'", "two", "{3}", "f'{{a}} {x!r:>{y}} {{3}} {z}'"),
            ("'ä' f'😀{x[\"two\"]} two' 'three'", "two", "3", "'ä' f'😀{x[\"two\"]} 3' 'three'"),
            ("rf'\\d{x} two'", "two", "3", "rf'\\d{x} 3'"),
        ] {
            assert_eq!(replaced(source, old, new).as_deref(), Some(expected), "{source}");
        }
    }

    #[test]
    fn what_cannot_be_written_is_refused() {
        for (source, old, new) in [
            ("r'one two'", "two", "it's"),
            ("r'one two'", "two", "\\"),
            ("'one two'", "two", "a\nb"),
            ("'one t' 'wo'", "two", "3"),
            ("f'one t{x}wo'", "two", "3"),
            ("'\\N{DIGIT ONE} two'", "two", "3"),
        ] {
            assert_eq!(replaced(source, old, new), None, "{source}");
        }
    }
}
