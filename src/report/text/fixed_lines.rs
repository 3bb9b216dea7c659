//! Shows a fix as the lines that it changes or adds.

use std::ops::Range;

use owo_colors::OwoColorize;

use super::super::window::Window;
use super::frame::Excerpt;
use crate::escape::printable_code;
use crate::fix::Edit;
use crate::source::SourceFile;

/// A line as a fix would leave it.
#[derive(Debug, PartialEq, Eq)]
struct Line {
    number: usize,
    /// Whether it replaces a line.
    replaces: bool,
    text: String,
    /// The part of it that is new.
    new: Range<usize>,
}

/// The changed and new lines, numbered as in the frame above; removed lines are not shown and not counted.
///
/// `edits` are of one file, sorted by place.
pub(super) fn fixed_lines(file: &SourceFile, edits: &[&Edit]) -> Vec<String> {
    let lines = changed_lines(file, edits);
    let widest = lines.iter().map(|line| line.number.to_string().len()).max();
    lines
        .iter()
        .map(|line| line.shown(widest.unwrap_or_default()))
        .collect()
}

fn changed_lines(file: &SourceFile, edits: &[&Edit]) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut added = 0;
    for edits in regions(file, edits) {
        let (Some(first), Some(last)) = (edits.first(), edits.last()) else {
            continue;
        };
        let excerpt = Excerpt::of(file, first.span.start..last.span.end);
        let after = applied(&excerpt, edits);
        added += compared(excerpt.text, &after, excerpt.line + added, &mut lines);
    }
    lines
}

/// Groups edits that share a line.
fn regions<'e, 'd>(file: &SourceFile, edits: &'e [&'d Edit]) -> Vec<&'e [&'d Edit]> {
    let between = |one: &Edit, other: &Edit| file.text().get(one.span.end..other.span.start).unwrap_or_default();
    edits
        .chunk_by(|one, other| !between(one, other).contains('\n'))
        .collect()
}

fn applied(excerpt: &Excerpt<'_>, edits: &[&Edit]) -> String {
    let mut result = String::new();
    let mut at = 0;
    for edit in edits {
        let place = excerpt.inside(&edit.span.range());
        result.push_str(excerpt.text.get(at..place.start).unwrap_or_default());
        result.push_str(&edit.text);
        at = place.end;
    }
    result.push_str(excerpt.text.get(at..).unwrap_or_default());
    result
}

/// Adds the lines that differ, and returns by how many the text has grown.
fn compared(before: &str, after: &str, number: usize, lines: &mut Vec<Line>) -> usize {
    let (before, after): (Vec<&str>, Vec<&str>) = (before.lines().collect(), after.lines().collect());
    let same = |pairs: &mut dyn Iterator<Item = (&&str, &&str)>| pairs.take_while(|(one, other)| one == other).count();
    let head = same(&mut before.iter().zip(&after));
    let (old, new) = (&before[head..], &after[head..]);
    let tail = same(&mut old.iter().rev().zip(new.iter().rev()));
    let (old, new) = (&old[..old.len() - tail], &new[..new.len() - tail]);
    // The last lines replace old ones; added lines come before them.
    let added = new.len().saturating_sub(old.len());
    for (at, text) in new.iter().enumerate() {
        let replaced = at.checked_sub(added).and_then(|at| old.get(at));
        lines.push(Line {
            number: number + head + at,
            replaces: replaced.is_some(),
            text: (*text).to_owned(),
            new: replaced.map_or(0..text.len(), |old| difference(old, text)),
        });
    }
    added
}

/// The part of a line that differs, without the common start and end.
fn difference(old: &str, new: &str) -> Range<usize> {
    let same = |one: &mut dyn Iterator<Item = char>, other: &mut dyn Iterator<Item = char>| -> usize {
        let both = one.zip(other).take_while(|(one, other)| one == other);
        both.map(|(letter, _)| letter.len_utf8()).sum()
    };
    let head = same(&mut old.chars(), &mut new.chars());
    let tail = same(&mut old[head..].chars().rev(), &mut new[head..].chars().rev());
    head..new.len() - tail
}

impl Line {
    fn shown(&self, widest: usize) -> String {
        let sign = if self.replaces { '~' } else { '+' };
        let number = format!("{:>widest$}", self.number);
        let number = number.bright_blue();
        let number = number.bold();
        if self.text.is_empty() {
            return format!("{number} {sign}");
        }
        let window = Window::around(&self.text, std::slice::from_ref(&self.new));
        let text: &str = &window.text;
        let new = window.inside(&self.new).unwrap_or(0..text.len());
        let part = |range: Range<usize>| code(text.get(range).unwrap_or_default());
        let (before, after) = (part(0..new.start), part(new.end..text.len()));
        format!("{number} {sign} {before}{}{}", part(new).green(), after.trim_end())
    }
}

/// Code as a terminal shows it.
fn code(text: &str) -> String {
    printable_code(text).replace('\t', "    ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Span;

    fn shown(text: &str, edits: &[(Range<usize>, &str)]) -> Vec<String> {
        let file = SourceFile::new("a.py".into(), text.to_owned());
        let edit =
            |(place, text): &(Range<usize>, &str)| Edit::replace(&file, Span::new(place.start, place.end), *text);
        let edits: Vec<Edit> = edits.iter().map(edit).collect();
        let lines = fixed_lines(&file, &edits.iter().collect::<Vec<_>>());
        lines
            .iter()
            .map(|line| anstream::adapter::strip_str(line).to_string())
            .collect()
    }

    #[test]
    fn only_changed_and_new_lines_are_shown() {
        let text = "one\ntwo None None\nthree\n\tfour None\n";
        assert_eq!(
            shown(text, &[(8..12, "'a'"), (13..17, "'b'"), (30..34, "'c'")]),
            ["2 ~ two 'a' 'b'", "4 ~     four 'c'"]
        );
        assert_eq!(shown(text, &[(4..4, "new\n\n"), (30..34, "'c'")]), ["2 + new", "3 +", "6 ~     four 'c'"]);
        // A line that becomes two, and the end of a file without a line end.
        assert_eq!(shown("a\npass", &[(2..6, "x\r\ny")]), ["2 + x", "3 ~ y"]);
        assert_eq!(shown("a\nb", &[(3..3, "\nc")]), ["3 + c"]);
        // What goes leaves no line.
        assert_eq!(shown(text, &[(0..4, "")]), Vec::<String>::new());
    }

    #[test]
    fn what_is_new_in_a_line_is_what_differs() {
        assert_eq!(difference("f(None, 'a')", "f(op.f('x'), 'a')"), 2..11);
        assert_eq!(difference("aa", "aaa"), 2..3);
        assert_eq!(difference("ä", "ö"), 0..2);
        assert_eq!(difference("", "a"), 0..1);
    }
}
