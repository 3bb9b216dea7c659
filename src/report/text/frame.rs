//! A frame: findings of one kind in one file, with the code, the help and the fixed lines.

use std::borrow::Cow;
use std::collections::HashSet;
use std::ops::Range;

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Element, Level, Origin, Renderer, Snippet};
use memchr::memchr_iter;
use owo_colors::OwoColorize;

use super::super::window::Window;
use super::super::{Width, wrap};
use super::fixed_lines::fixed_lines;
use super::shared::Shared;
use crate::diagnostic::{Label, Severity};
use crate::escape::{is_printable, printable, printable_code};
use crate::fix::{Edit, Safety};
use crate::source::{SourceFile, Span};

/// The narrowest text, however narrow the terminal is.
const NARROWEST: usize = 20;

/// Places with more lines than this between them get separate excerpts: the renderer visits every line of one.
const FAR: usize = 300;

pub(super) struct Frames {
    renderer: Renderer,
    columns: usize,
}

type Marker<'d> = (AnnotationKind, &'d Label, bool);

impl Frames {
    pub(super) fn new(width: Width) -> Self {
        let decor = if width.is_terminal {
            DecorStyle::Unicode
        } else {
            DecorStyle::Ascii
        };
        Self {
            renderer: Renderer::styled().term_width(width.columns).decor_style(decor),
            columns: width.columns,
        }
    }

    /// The code with markers and reasons, what to do, and the fixed lines.
    pub(super) fn frame(&self, shared: &Shared<'_>) -> String {
        let mut lines = vec![self.picture(shared)];
        lines.extend(self.help(shared));
        lines.extend(changes(shared));
        lines.join("\n")
    }

    fn picture(&self, shared: &Shared<'_>) -> String {
        let first = shared.first;
        let level = if first.severity == Severity::Error {
            Level::ERROR
        } else {
            Level::WARNING
        };
        let title = level.primary_title(printable(&shared.message())).id(first.rule.name);
        let markers = markers(shared);
        let (here, elsewhere): (Vec<Marker<'_>>, Vec<Marker<'_>>) = markers
            .into_iter()
            .partition(|(_, label, _)| label.place.file.path() == first.path());
        let own = title.elements(self.own(shared, &here));
        let paths: Vec<String> = elsewhere
            .iter()
            .map(|(_, label, _)| printable(&label.place.file.path().display()))
            .collect();
        let group = elsewhere.iter().zip(&paths).fold(own, |group, (marker, path)| {
            let start = marker.1.place.span.start;
            let excerpt = Excerpt::of(&marker.1.place.file, start..start);
            group.elements(excerpt.with_labels(path, self.annotations(*marker)))
        });
        self.renderer.render(&[group])
    }

    /// The excerpts of the file: the one with the finding first, then those far from it.
    fn own<'d>(&self, shared: &Shared<'d>, markers: &[Marker<'d>]) -> Vec<Element<'d>> {
        let first = shared.first;
        let path = printable(&first.path().display());
        let start = |marker: &Marker<'_>| marker.1.place.span.start;
        let places = markers.iter().map(|marker| start(marker)..start(marker)).collect();
        let mut places = neighbourhoods(&first.file, places);
        let focus = first.focus.place.span.start;
        places.sort_by_key(|place| !(place.start..=place.end).contains(&focus));
        let mut snippets = Vec::new();
        for place in places {
            let inside = markers
                .iter()
                .filter(|marker| (place.start..=place.end).contains(&start(marker)));
            let annotations = inside.flat_map(|marker| self.annotations(*marker));
            snippets.extend(Excerpt::of(&first.file, place.clone()).with_labels(&path, annotations));
        }
        snippets
    }

    fn help(&self, shared: &Shared<'_>) -> Option<String> {
        let help = shared.help.as_ref()?;
        let lead = match &shared.first.fix {
            Some(fix) if fix.safety == Safety::Suggested => "help (--unsafe-fixes)",
            _ => "help",
        };
        let text = self.wrapped(help, lead.len() + ": ".len());
        Some(format!("{}: {text}", lead.bright_cyan().bold()))
    }

    /// The marker with its label. The renderer has no labels of several lines, so a long one becomes several labels.
    fn annotations(&self, (kind, label, has_text): Marker<'_>) -> Vec<(AnnotationKind, Range<usize>, String)> {
        let file = &label.place.file;
        // Marking only the first line shows more than a marker over many lines, or one wider than the terminal.
        let line = file.line_span(label.place.span.start);
        let start = label.place.span.start;
        let longest = self.room_from(file, start).max(1);
        let rest = file.slice(Span::new(start, label.place.span.end.min(line.end).max(start)));
        let marked: usize = rest.chars().take(longest).map(char::len_utf8).sum();
        let span = Span::new(start, start + marked);
        let text = if has_text {
            printable(&label.text)
        } else {
            String::new()
        };
        let length = text.chars().count();
        if text.is_empty() || length < self.room_from(file, span.end) {
            return vec![(kind, span.range(), text)];
        }
        // The renderer puts one label beside its marker, and several below it.
        let lines = wrap(&text, self.room_from(file, start).max(NARROWEST).min(length - 1));
        let annotation = |line: &str| (kind, span.range(), line.to_owned());
        lines.lines().map(annotation).collect()
    }

    /// The columns to the right of a place in the code.
    fn room_from(&self, file: &SourceFile, offset: usize) -> usize {
        let position = file.position(offset);
        let gutter = position.line.to_string().len() + " | ".len();
        self.columns.saturating_sub(gutter + position.column - 1)
    }

    /// Wraps a text after a lead of so many columns. Indented lines are code and stay as they are.
    fn wrapped(&self, text: &str, lead: usize) -> String {
        const INDENT: &str = "      ";
        let taken = " ".repeat(lead);
        let lines = text.split('\n').enumerate().map(|(at, line)| {
            let line = printable(line);
            if line.starts_with(' ') {
                return format!("{INDENT}{line}");
            }
            let first = if at == 0 { taken.as_str() } else { INDENT };
            let options = textwrap::Options::new(self.columns.max(lead + NARROWEST));
            wrap(&line, options.initial_indent(first).subsequent_indent(INDENT))
        });
        let text = lines.collect::<Vec<_>>().join("\n");
        text.get(lead..).unwrap_or_default().to_owned()
    }
}

/// The fixed lines of all findings of a frame.
fn changes(shared: &Shared<'_>) -> Vec<String> {
    let fixes = shared.all().filter_map(|one| one.fix.as_ref()).enumerate();
    let file = &shared.first.file;
    let mut edits: Vec<(&Edit, usize)> = fixes
        .flat_map(|(at, fix)| fix.edits.iter().map(move |edit| (edit, at)))
        .filter(|(edit, _)| !edit.text.is_empty() && edit.file.path() == file.path())
        .collect();
    edits.sort_by_key(|(edit, at)| (edit.span, *at));
    edits.dedup_by(|(one, _), (other, _)| one == other);
    // Of two fixes that overlap, the second waits for the next run.
    edits.dedup_by(|(one, by), (other, by_other)| {
        one.span.start < other.span.end || (one.span == other.span && by != by_other)
    });
    let edits: Vec<&Edit> = edits.into_iter().map(|(edit, _)| edit).collect();
    fixed_lines(file, &edits)
}

/// The places of all findings of a frame, each once, and whether its text is shown: the same text is shown once.
fn markers<'d>(shared: &Shared<'d>) -> Vec<Marker<'d>> {
    let mut said = HashSet::new();
    let mut seen = HashSet::new();
    let mut markers = Vec::new();
    for one in shared.all() {
        let primary = (AnnotationKind::Primary, &one.focus);
        let related = one.related.iter().map(|label| (AnnotationKind::Context, label));
        for (kind, label) in std::iter::once(primary).chain(related) {
            if seen.insert((label.place.file.path(), label.place.span, &label.text)) {
                markers.push((kind, label, said.insert(&label.text)));
            }
        }
    }
    markers
}

/// Whole lines of a file.
pub(super) struct Excerpt<'d> {
    pub(super) text: &'d str,
    /// Where it begins in the file.
    start: usize,
    /// The number of its first line, as the renderer counts them.
    pub(super) line: usize,
}

impl<'d> Excerpt<'d> {
    /// The lines around a place.
    pub(super) fn of(file: &'d SourceFile, place: Range<usize>) -> Self {
        let text = file.text();
        let before = text.get(..place.start).unwrap_or_default();
        let after = text.get(place.end..).unwrap_or_default();
        // A place at the end of the file is shown on its last line.
        let before = if place.start == text.len() {
            before.strip_suffix('\n').unwrap_or(before)
        } else {
            before
        };
        let start = before.rfind('\n').map_or(0, |at| at + 1);
        let end = after.find('\n').map_or(text.len(), |at| place.end + at + 1);
        Self {
            text: text.get(start..end).unwrap_or_default(),
            start,
            line: file.line_feeds_before(before.len()) + 1,
        }
    }

    /// With markers, whose places are those in the file, below the place of the first.
    fn with_labels(
        &self,
        path: &str,
        labels: impl IntoIterator<Item = (AnnotationKind, Range<usize>, String)>,
    ) -> Vec<Element<'d>> {
        let inside = |(kind, place, label): (AnnotationKind, Range<usize>, String)| (kind, self.inside(&place), label);
        let labels: Vec<_> = labels.into_iter().map(inside).collect();
        let places: Vec<Range<usize>> = labels.iter().map(|(_, place, _)| place.clone()).collect();
        let window = Window::around(self.text, &places);
        let shown = |place: Range<usize>| shown_at(&window.text, place.start)..shown_at(&window.text, place.end);
        let annotations = labels
            .into_iter()
            .filter_map(|(kind, place, label)| Some(kind.span(shown(window.inside(&place)?)).label(label)));
        let snippet = Snippet::source(shown_text(&window.text).into_owned()).line_start(self.line);
        if !window.is_cut() {
            return vec![snippet.path(path.to_owned()).annotations(annotations).into()];
        }
        // In a cut line the renderer would count the wrong columns.
        let first = places.first().map_or(0, |place| place.start);
        let before = self.text.get(..first).unwrap_or_default();
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        let origin = Origin::path(path.to_owned())
            .line(self.line + memchr_iter(b'\n', before.as_bytes()).count())
            .char_column(before.get(line_start..).unwrap_or_default().chars().count() + 1);
        vec![origin.into(), snippet.annotations(annotations).into()]
    }

    /// Where a place of the file is in the excerpt.
    pub(super) fn inside(&self, place: &Range<usize>) -> Range<usize> {
        place.start.saturating_sub(self.start)..place.end.saturating_sub(self.start)
    }
}

/// Code with hidden characters escaped; a carriage return at the end of a line stays.
fn shown_text(text: &str) -> Cow<'_, str> {
    if is_printable(text) || is_printable(&text.replace("\r\n", "\n")) {
        return Cow::Borrowed(text);
    }
    let lines = text.split_inclusive('\n').map(|line| match line.strip_suffix("\r\n") {
        Some(line) => printable_code(line) + "\r\n",
        None => printable_code(line),
    });
    Cow::Owned(lines.collect())
}

/// Where a place of the code is in what is shown.
fn shown_at(text: &str, offset: usize) -> usize {
    shown_text(text.get(..offset).unwrap_or(text)).len()
}

/// Groups places that are near each other.
fn neighbourhoods(file: &SourceFile, mut places: Vec<Range<usize>>) -> Vec<Range<usize>> {
    places.sort_by_key(|place| (place.start, place.end));
    let line = |offset: usize| file.position(offset).line;
    let mut found: Vec<Range<usize>> = Vec::new();
    for place in places {
        match found.last_mut() {
            Some(last) if line(place.start) <= line(last.end) + FAR => last.end = last.end.max(place.end),
            _ => found.push(place),
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_far_from_each_other_are_shown_apart() {
        let far = FAR + 2;
        let text = format!("a\nb\n{}c\nd", "x\n".repeat(far));
        let file = SourceFile::new("a.py".into(), text);
        let (b, c) = (file.text().find('b').unwrap(), file.text().find('c').unwrap());
        let end = file.text().len();
        let shown = |places: Vec<Range<usize>>| -> Vec<(usize, String)> {
            neighbourhoods(&file, places)
                .into_iter()
                .map(|place| Excerpt::of(&file, place))
                .map(|excerpt| (excerpt.line, excerpt.text.to_owned()))
                .collect()
        };
        assert_eq!(
            shown(vec![end..end, c..c + 1, 0..1, b..b]),
            [(1, "a\nb\n".to_owned()), (far + 3, "c\nd".to_owned())]
        );
        assert_eq!(shown(vec![b..b, b + 4..b + 5]), [(2, "b\nx\nx\n".to_owned())]);
    }

    #[test]
    fn the_end_of_a_file_is_shown_behind_its_last_line() {
        for (text, expected) in [("a\nb\n", (2, "b\n")), ("a", (1, "a")), ("", (1, "")), ("\n", (1, "\n"))] {
            let file = SourceFile::new("a.py".into(), text.to_owned());
            let excerpt = Excerpt::of(&file, text.len()..text.len());
            assert_eq!((excerpt.line, excerpt.text), expected, "{text:?}");
        }
    }
}
