//! Methods of texts, and templates: `"..." % values` and `"...".format(...)`.

use std::ops::Range;
use std::rc::Rc;

use super::chain::Chain;
use super::reader::{BYTES_A_STEP, Reader};
use super::text::{MAX_TEXT, Text};
use super::value::{Arguments, Value};
use crate::source::Span;

/// `replace` on longer texts is not followed.
const MAX_REPLACED: usize = 4_096;
/// `replace` by a longer text is not followed.
const MAX_REPLACEMENT: usize = 256;

const COMPUTED: &str = "the text is put together at run time";

impl<'m> Reader<'m> {
    pub(super) fn text_method(
        &mut self,
        text: &Rc<Text>,
        name: &str,
        arguments: &Arguments<'m>,
        span: Span,
        chain: &Chain<'m>,
    ) -> Value<'m> {
        match name {
            _ if !self.spend(text.size() / BYTES_A_STEP, span, chain.module) => {
                Value::unknown("there is too much text to follow")
            }
            "strip" | "lstrip" | "rstrip" if arguments.positional.is_empty() => Value::Text(trimmed(text, name)),
            "format" => {
                let fill = |field: &Field, nth: usize| {
                    let value = match field {
                        Field::Next => arguments.positional.get(nth),
                        Field::At(place) => arguments.positional.get(*place),
                        Field::Named(name) => arguments.get(None, name),
                    };
                    value.filter(|_| arguments.unknown.is_none()).cloned()
                };
                let filled = filled(text, &brace_pieces(text.as_str()), Template::Braces, &fill);
                self.text(filled, span, chain)
            }
            "join" => self.joined(text, arguments, span, chain),
            "lower" | "upper" => match text.known() {
                Some(known) if name == "lower" => Value::text(&known.to_lowercase()),
                Some(known) => Value::text(&known.to_uppercase()),
                None => Value::unknown(COMPUTED),
            },
            "replace" => match (text.known(), &arguments.positional[..]) {
                (Some(known), [old, new]) => match (old.as_text(), new.as_text()) {
                    (Some(old), Some(new))
                        if !old.is_empty() && known.len() <= MAX_REPLACED && new.len() <= MAX_REPLACEMENT =>
                    {
                        Value::text(&known.replace(old, new))
                    }
                    _ => Value::unknown(COMPUTED),
                },
                _ => Value::unknown(COMPUTED),
            },
            _ => Value::unknown(COMPUTED),
        }
    }

    fn joined(&mut self, separator: &Text, arguments: &Arguments<'m>, span: Span, chain: &Chain<'m>) -> Value<'m> {
        let Some(Value::List(parts)) = arguments.positional.first() else {
            return Value::unknown(COMPUTED);
        };
        self.charge(parts.len(), span, chain);
        let mut joined = Text::default();
        for (at, part) in parts.iter().enumerate() {
            if at > 0 {
                joined.push(separator);
            }
            put_in(&mut joined, Some(part));
            if joined.size() >= MAX_TEXT {
                break;
            }
        }
        self.text(joined, span, chain)
    }

    /// `"..." % values`
    pub(crate) fn filled_percents(
        &mut self,
        template: &Rc<Text>,
        values: &Value<'m>,
        span: Span,
        chain: &Chain<'m>,
    ) -> Value<'m> {
        let fill = |field: &Field, nth: usize| match (field, values) {
            (Field::Next, Value::List(items)) => items.get(nth).cloned(),
            (Field::Next, _) => (nth == 0).then(|| values.clone()),
            (Field::Named(name), Value::Dict(dict)) => dict.get(&Value::text(name)).cloned(),
            _ => None,
        };
        self.spend(template.size() / BYTES_A_STEP, span, chain.module);
        let filled = filled(template, &percent_pieces(template.as_str()), Template::Percents, &fill);
        self.text(filled, span, chain)
    }
}

/// The syntax of a template.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Template {
    /// `"%s" % ...`
    Percents,
    /// `"{}".format(...)`
    Braces,
}

/// The value of a field; the number counts the [`Field::Next`] before it.
type Fill<'f, 'm> = dyn Fn(&Field, usize) -> Option<Value<'m>> + 'f;

fn filled(template: &Text, pieces: &[Piece], kind: Template, fill: &Fill<'_, '_>) -> Text {
    let mut text = Text::default();
    let mut next = 0;
    for piece in pieces {
        match piece {
            Piece::Literal(range) => text.push_part(template, range.clone(), Some(kind)),
            Piece::Filled(field, is_plain) => {
                let value = field.as_ref().and_then(|field| fill(field, next));
                next += usize::from(*field == Some(Field::Next));
                put_in(&mut text, value.as_ref().filter(|_| *is_plain));
            }
        }
    }
    text
}

fn trimmed(text: &Rc<Text>, method: &str) -> Rc<Text> {
    let whole = text.as_str();
    let start = match method {
        "rstrip" => 0,
        _ => whole.len() - whole.trim_start().len(),
    };
    let end = match method {
        "lstrip" => whole.len(),
        _ => whole.trim_end().len().max(start),
    };
    let mut part = Text::default();
    part.push_part(text, start..end, None);
    Rc::new(part)
}

/// Adds a value to a text, or a placeholder if it is unknown.
pub(super) fn put_in(text: &mut Text, value: Option<&Value<'_>>) {
    match value {
        Some(Value::Text(value)) => text.push(value),
        Some(Value::Integer(value)) => text.push(&Text::plain(&value.to_string())),
        _ => text.open(),
    }
}

/// A part of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    /// Text of the template.
    Literal(Range<usize>),
    /// A field, if it is understood, and whether it is plain: without a conversion or a format.
    Filled(Option<Field>, bool),
}

/// Which value fills a field.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Field {
    Next,
    /// The one at this position.
    At(usize),
    Named(String),
}

/// The parts of `"..." % values`.
fn percent_pieces(template: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut at = 0;
    let last_end_of_key = template.rfind(')');
    while let Some(found) = template.get(at..).and_then(|rest| rest.find('%')) {
        let percent = at + found;
        pieces.push(Piece::Literal(at..percent));
        let rest = &template[percent + 1..];
        let has_key = rest.starts_with('(') && last_end_of_key > Some(percent);
        let key = has_key.then(|| rest[1..].split_once(')')).flatten().map(|(key, _)| key);
        let key_length = key.map_or(0, |key| key.len() + 2);
        let flags = rest[key_length..].find(|letter| !"-+ #0123456789.".contains(letter));
        let length = key_length + flags.unwrap_or(0);
        let conversion = rest.get(length..).and_then(|rest| rest.chars().next());
        match conversion {
            Some('%') if key.is_none() => pieces.push(Piece::Literal(percent..percent + 1)),
            _ => {
                let field = key.map_or(Field::Next, |key| Field::Named(key.to_owned()));
                let is_plain = length == key_length && matches!(conversion, Some('s' | 'd'));
                pieces.push(Piece::Filled(Some(field), is_plain));
            }
        }
        at = percent + 1 + length + conversion.map_or(0, char::len_utf8);
    }
    pieces.push(Piece::Literal(at.min(template.len())..template.len()));
    pieces
}

/// The parts of `"...".format(values)`.
fn brace_pieces(template: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut at = 0;
    while let Some(found) = template.get(at..).and_then(|rest| rest.find(['{', '}'])) {
        let brace = at + found;
        pieces.push(Piece::Literal(at..brace));
        let rest = &template[brace..];
        if rest.starts_with("{{") || rest.starts_with("}}") {
            pieces.push(Piece::Literal(brace..brace + 1));
            at = brace + 2;
            continue;
        }
        let Some((field, _)) = rest[1..].split_once('}') else {
            pieces.push(Piece::Filled(None, false));
            return pieces;
        };
        let called = field.split(['!', ':', '.', '[']).next().unwrap_or_default();
        let value = match called.parse() {
            Ok(place) => Field::At(place),
            Err(_) if called.is_empty() => Field::Next,
            Err(_) => Field::Named(called.to_owned()),
        };
        pieces.push(Piece::Filled(Some(value), called == field));
        at = brace + field.len() + 2;
    }
    pieces.push(Piece::Literal(at..template.len()));
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(pieces: Vec<Piece>) -> Vec<(Option<Field>, bool)> {
        let filled = |piece| match piece {
            Piece::Filled(field, is_plain) => Some((field, is_plain)),
            Piece::Literal(_) => None,
        };
        pieces.into_iter().filter_map(filled).collect()
    }

    #[test]
    fn a_placeholder_with_a_format_takes_its_value_all_the_same() {
        let named = |name: &str| Some(Field::Named(name.to_owned()));
        assert_eq!(
            filled(percent_pieces("%r %-5s %(a)s %(b)02d %% %s")),
            [
                (Some(Field::Next), false),
                (Some(Field::Next), false),
                (named("a"), true),
                (named("b"), false),
                (Some(Field::Next), true),
            ]
        );
        assert_eq!(
            filled(brace_pieces("{!r} {:>5} {0} {a.b} {{}} {a}")),
            [
                (Some(Field::Next), false),
                (Some(Field::Next), false),
                (Some(Field::At(0)), true),
                (named("a"), false),
                (named("a"), true),
            ]
        );
    }
}
