//! One picture for one problem: the code with what is wrong in it, the reason, and the lines as they should read.

use std::collections::HashSet;
use std::io::{self, Write};

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{Annotation, AnnotationKind, Group, Level, Patch, Renderer, Snippet};
use owo_colors::OwoColorize;

use crate::check::Outcome;
use crate::diagnostic::{Diagnostic, Label, Severity};
use crate::source::{RepoPath, SourceFile, Span};

use super::{Reporter, Width, printable, summary_with, wrap};

/// What is not made narrower, however narrow the terminal is.
const NARROWEST: usize = 20;

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
    let creates: HashSet<(RepoPath, Span)> = diagnostics
        .iter()
        .filter(|diagnostic| !is_drop(diagnostic))
        .filter_map(key)
        .collect();
    diagnostics
        .iter()
        .filter(move |diagnostic| !is_drop(diagnostic) || key(diagnostic).is_none_or(|key| !creates.contains(&key)))
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
        let own = here.iter().fold(
            snippet(&diagnostic.file, &path).annotations(self.annotations(AnnotationKind::Primary, &diagnostic.focus)),
            |snippet, label| snippet.annotations(self.annotations(AnnotationKind::Context, label)),
        );
        let paths: Vec<String> = elsewhere
            .iter()
            .map(|label| printable(&label.place.file.path().display()))
            .collect();
        let main = elsewhere
            .iter()
            .zip(&paths)
            .fold(title.element(own), |group, (label, path)| {
                group.element(
                    snippet(&label.place.file, path).annotations(self.annotations(AnnotationKind::Context, label)),
                )
            });
        let mut groups = vec![main];
        groups.extend(self.help(diagnostic));
        self.renderer.render(&groups)
    }

    fn help<'d>(&self, diagnostic: &'d Diagnostic) -> Option<Group<'d>> {
        let help = diagnostic.help.as_ref()?;
        let title = Level::HELP.secondary_title(self.wrapped(help, "help: ".len()));
        let Some(fix) = &diagnostic.fix else {
            return Some(Group::with_title(title));
        };
        // What is only removed is not worth a picture.
        let edits = fix
            .edits
            .iter()
            .filter(|edit| !edit.text.is_empty() && edit.file.path() == diagnostic.path());
        let patches = edits.map(|edit| Patch::new(edit.span.range(), edit.text.replace('\r', "")));
        Some(title.element(Snippet::source(diagnostic.file.text()).patches(patches)))
    }

    /// The marker, with its label beside it where there is room, else in lines below it. The renderer knows no label of
    /// several lines: what follows a line end would stand at the left edge.
    fn annotations<'d>(&self, kind: AnnotationKind, label: &'d Label) -> Vec<Annotation<'d>> {
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
            return vec![kind.span(span.range()).label(text)];
        }
        // One label is put beside its marker, several of one place are put below it.
        let lines = wrap(&text, self.room_from(file, start).max(NARROWEST).min(length - 1));
        let annotation = |line: &str| kind.span(span.range()).label(line.to_owned());
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

fn snippet<'d>(file: &'d SourceFile, path: &'d str) -> Snippet<'d, Annotation<'d>> {
    Snippet::source(file.text()).path(path.to_owned())
}
