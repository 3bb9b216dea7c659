//! One picture for one problem: the code with what is wrong in it, the reason, and the lines as they should read.

use std::io::{self, Write};
use std::ops::Range;

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{Annotation, AnnotationKind, Group, Level, Patch, Renderer, Snippet};
use memchr::memchr_iter;
use owo_colors::OwoColorize;

use crate::check::Outcome;
use crate::diagnostic::{Diagnostic, Label, Severity};
use crate::fix::Edit;
use crate::order;
use crate::source::{RepoPath, SourceFile, Span};

use super::{Reporter, Width, printable, summary_with, wrap};

/// What is not made narrower, however narrow the terminal is.
const NARROWEST: usize = 20;

/// Places with more lines than this between them are shown as two excerpts. The renderer walks through all lines of an excerpt, and between
/// two changes once more for each of them.
const FAR: usize = 300;

pub(super) struct Text {
    renderer: Renderer,
    width: Width,
    quiet: bool,
}

impl Text {
    pub(super) fn new(width: Width, quiet: bool) -> Self {
        let decor = if width.is_terminal {
            DecorStyle::Unicode
        } else {
            DecorStyle::Ascii
        };
        Self {
            renderer: Renderer::styled().term_width(width.columns).decor_style(decor),
            width,
            quiet,
        }
    }
}

impl Reporter for Text {
    fn report(&self, outcome: &Outcome, out: &mut dyn Write) -> io::Result<()> {
        let mut shown = 0;
        for diagnostic in leads(&outcome.diagnostics) {
            if shown > 0 {
                writeln!(out)?;
            }
            writeln!(out, "{}", self.picture(diagnostic))?;
            shown += 1;
        }
        if self.quiet {
            return Ok(());
        }
        if shown > 0 {
            writeln!(out)?;
        }
        // Whoever counts the pictures should find as many as the summary says.
        let remark = match outcome.diagnostics.len() - shown {
            0 => String::new(),
            1 => " (1 drop shown with its create)".to_owned(),
            several => format!(" ({several} drops shown with their creates)"),
        };
        let summary = summary_with(outcome, &remark);
        if outcome.count(Severity::Error) > 0 {
            writeln!(out, "{}", summary.bold())
        } else {
            writeln!(out, "{summary}")
        }
    }
}

/// The findings that get a picture of their own: a drop is shown with the create that it belongs to.
fn leads(diagnostics: &[Diagnostic]) -> impl Iterator<Item = &Diagnostic> {
    let key = |diagnostic: &Diagnostic| diagnostic.problem.map(|span| (diagnostic.path().clone(), span));
    let creates = diagnostics.iter().filter(|diagnostic| !is_drop(diagnostic));
    let mut creates: Vec<(RepoPath, Span)> = creates.filter_map(key).collect();
    order::sort(&mut creates);
    let has_create = move |drop: &Diagnostic| key(drop).is_some_and(|key| creates.binary_search(&key).is_ok());
    diagnostics
        .iter()
        .filter(move |diagnostic| !is_drop(diagnostic) || !has_create(diagnostic))
}

fn is_drop(diagnostic: &Diagnostic) -> bool {
    diagnostic.rule.name == "unnamed-drop"
}

impl Text {
    fn picture(&self, diagnostic: &Diagnostic) -> String {
        let level = if diagnostic.severity == Severity::Error {
            Level::ERROR
        } else {
            Level::WARNING
        };
        let lead = format!("{}[{}]: ", diagnostic.severity, diagnostic.rule.name).len();
        let title = level
            .primary_title(self.wrapped(&diagnostic.message, lead))
            .id(diagnostic.rule.name);
        let path = printable(&diagnostic.path().display());
        let (here, elsewhere): (Vec<&Label>, Vec<&Label>) = diagnostic
            .related
            .iter()
            .partition(|label| label.place.file.path() == diagnostic.path());
        let own = self.own(diagnostic, &here, &path);
        let paths: Vec<String> = elsewhere
            .iter()
            .map(|label| printable(&label.place.file.path().display()))
            .collect();
        let main = elsewhere
            .iter()
            .zip(&paths)
            .fold(title.elements(own), |group, (label, path)| {
                let start = label.place.span.start;
                let excerpt = Excerpt::of(&label.place.file, start..start);
                group.element(excerpt.with_labels(path, self.annotations(AnnotationKind::Context, label)))
            });
        let mut groups = vec![main];
        groups.extend(self.help(diagnostic));
        self.renderer.render(&groups)
    }

    /// The code of the file itself: the excerpt with what is wrong first, then those that are far away from it.
    fn own<'d>(
        &self,
        diagnostic: &'d Diagnostic,
        here: &[&'d Label],
        path: &'d str,
    ) -> Vec<Snippet<'d, Annotation<'d>>> {
        let primary = (AnnotationKind::Primary, &diagnostic.focus);
        let labels: Vec<(AnnotationKind, &Label)> = std::iter::once(primary)
            .chain(here.iter().map(|label| (AnnotationKind::Context, *label)))
            .collect();
        let start = |label: &Label| label.place.span.start;
        let places = labels.iter().map(|(_, label)| start(label)..start(label)).collect();
        let mut places = neighbourhoods(&diagnostic.file, places);
        order::sort_by_key(&mut places, |place| {
            !(place.start..=place.end).contains(&start(&diagnostic.focus))
        });
        let excerpt = |place: &Range<usize>| {
            let inside = labels
                .iter()
                .filter(|(_, label)| (place.start..=place.end).contains(&start(label)));
            let annotations = inside.flat_map(|(kind, label)| self.annotations(*kind, label));
            Excerpt::of(&diagnostic.file, place.clone()).with_labels(path, annotations)
        };
        places.iter().map(excerpt).collect()
    }

    fn help<'d>(&self, diagnostic: &'d Diagnostic) -> Option<Group<'d>> {
        let help = diagnostic.help.as_ref()?;
        let title = Level::HELP.secondary_title(self.wrapped(help, "help: ".len()));
        let Some(fix) = &diagnostic.fix else {
            return Some(Group::with_title(title));
        };
        // What is only removed is not worth a picture.
        let edits: Vec<&Edit> = fix
            .edits
            .iter()
            .filter(|edit| !edit.text.is_empty() && edit.file.path() == diagnostic.path())
            .collect();
        let places = neighbourhoods(&diagnostic.file, edits.iter().map(|edit| edit.span.range()).collect());
        let excerpt = |place: Range<usize>| {
            let inside = edits
                .iter()
                .filter(|edit| place.start <= edit.span.start && edit.span.end <= place.end);
            let patches: Vec<(Range<usize>, String)> = inside
                .map(|edit| (edit.span.range(), edit.text.replace('\r', "")))
                .collect();
            Excerpt::of(&diagnostic.file, place).with_changes(patches)
        };
        Some(Group::with_title(title).elements(places.into_iter().map(excerpt)))
    }

    /// The marker, with its label beside it where there is room, else in lines below it. The renderer knows no label of
    /// several lines: what follows a line end would stand at the left edge.
    fn annotations(&self, kind: AnnotationKind, label: &Label) -> Vec<(AnnotationKind, Range<usize>, String)> {
        let file = &label.place.file;
        // A frame around many lines shows less than its first one, and so does a marker wider than the terminal.
        let line = file.line_span(label.place.span.start);
        let start = label.place.span.start;
        let longest = self.room_from(file, start).max(1);
        let rest = file.slice(Span::new(start, label.place.span.end.min(line.end).max(start)));
        let marked: usize = rest.chars().take(longest).map(char::len_utf8).sum();
        let span = Span::new(start, start + marked);
        let text = printable(&label.text);
        let length = text.chars().count();
        if length < self.room_from(file, span.end) {
            return vec![(kind, span.range(), text)];
        }
        // One label is put beside its marker, several of one place are put below it.
        let lines = wrap(&text, self.room_from(file, start).max(NARROWEST).min(length - 1));
        let annotation = |line: &str| (kind, span.range(), line.to_owned());
        lines.lines().map(annotation).collect()
    }

    /// The columns that a line has from a place of the code on.
    fn room_from(&self, file: &SourceFile, offset: usize) -> usize {
        let position = file.position(offset);
        let gutter = position.line.to_string().len() + " | ".len();
        self.width.columns.saturating_sub(gutter + position.column - 1)
    }

    /// Each line on its own; a line of code is left as it is.
    fn wrapped(&self, text: &str, lead: usize) -> String {
        let room = self.width.columns.saturating_sub(lead).max(NARROWEST);
        let line = |line: &str| {
            if line.starts_with(' ') {
                printable(line)
            } else {
                wrap(&printable(line), room)
            }
        };
        text.split('\n').map(line).collect::<Vec<_>>().join("\n")
    }
}

/// Whole lines of a file.
struct Excerpt<'d> {
    text: &'d str,
    /// Where it begins in the file.
    start: usize,
    /// The number of its first line, as the renderer counts them.
    line: usize,
}

impl<'d> Excerpt<'d> {
    /// The lines around a place.
    fn of(file: &'d SourceFile, place: Range<usize>) -> Self {
        let text = file.text();
        let before = text.get(..place.start).unwrap_or_default();
        let after = text.get(place.end..).unwrap_or_default();
        // The end of the file is shown behind its last line.
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
            line: memchr_iter(b'\n', before.as_bytes()).count() + 1,
        }
    }

    /// With markers, whose places are those in the file.
    fn with_labels(
        &self,
        path: &'d str,
        labels: impl IntoIterator<Item = (AnnotationKind, Range<usize>, String)>,
    ) -> Snippet<'d, Annotation<'d>> {
        let annotation =
            |(kind, place, label): (AnnotationKind, _, String)| kind.span(self.inside(&place)).label(label);
        Snippet::source(self.text)
            .line_start(self.line)
            .path(path.to_owned())
            .annotations(labels.into_iter().map(annotation))
    }

    /// With changes, whose places are those in the file.
    fn with_changes(&self, changes: Vec<(Range<usize>, String)>) -> Snippet<'d, Patch<'d>> {
        let patch = |(place, text): (_, String)| Patch::new(self.inside(&place), text);
        Snippet::source(self.text)
            .line_start(self.line)
            .patches(changes.into_iter().map(patch))
    }

    fn inside(&self, place: &Range<usize>) -> Range<usize> {
        place.start.saturating_sub(self.start)..place.end.saturating_sub(self.start)
    }
}

/// Places of a file, those together that are near each other.
fn neighbourhoods(file: &SourceFile, mut places: Vec<Range<usize>>) -> Vec<Range<usize>> {
    order::sort_by_key(&mut places, |place| (place.start, place.end));
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
        for (text, expected) in [
            ("a\nb\n", (2, "b\n")),
            ("a", (1, "a")),
            ("", (1, "")),
            ("\n", (1, "\n")),
        ] {
            let file = SourceFile::new("a.py".into(), text.to_owned());
            let excerpt = Excerpt::of(&file, text.len()..text.len());
            assert_eq!((excerpt.line, excerpt.text), expected, "{text:?}");
        }
    }
}
