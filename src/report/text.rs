//! One picture for one problem: the code with what is wrong in it, the reason, and the lines as they should read.

use std::collections::HashSet;
use std::io::{self, Write};

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Group, Level, Patch, Renderer, Snippet};
use owo_colors::OwoColorize;

use crate::check::Outcome;
use crate::diagnostic::{Diagnostic, Label, Severity};
use crate::source::{RepoPath, SourceFile, Span};

use super::{Reporter, Width, printable, summary};

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
        for diagnostic in leads(&outcome.diagnostics) {
            writeln!(out, "{}\n", self.picture(diagnostic))?;
        }
        if self.quiet {
            return Ok(());
        }
        let summary = summary(outcome);
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
        let lead = diagnostic.rule.name.len() + 10;
        let title = level
            .primary_title(self.wrapped(&diagnostic.message, lead))
            .id(diagnostic.rule.name);
        let path = printable(&diagnostic.path().display());
        let (here, elsewhere): (Vec<&Label>, Vec<&Label>) = diagnostic
            .related
            .iter()
            .partition(|label| label.place.file.path() == diagnostic.path());
        let own = here.iter().fold(
            snippet(&diagnostic.file, &path).annotation(self.annotation(AnnotationKind::Primary, &diagnostic.focus)),
            |snippet, label| snippet.annotation(self.annotation(AnnotationKind::Context, label)),
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
                    snippet(&label.place.file, path).annotation(self.annotation(AnnotationKind::Context, label)),
                )
            });
        let mut groups = vec![main];
        groups.extend(self.help(diagnostic));
        self.renderer.render(&groups)
    }

    fn help<'d>(&self, diagnostic: &'d Diagnostic) -> Option<Group<'d>> {
        let help = diagnostic.help.as_ref()?;
        let title = Level::HELP.secondary_title(self.wrapped(help, 6));
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

    fn annotation<'d>(&self, kind: AnnotationKind, label: &'d Label) -> annotate_snippets::Annotation<'d> {
        // A frame around many lines shows less than its first one.
        let line = label.place.file.line_span(label.place.span.start);
        let span = Span::new(
            label.place.span.start,
            label.place.span.end.min(line.end).max(label.place.span.start),
        );
        let room = self.room_after(&label.place.file, span);
        let text = printable(&label.text);
        let text = if text.chars().count() <= room {
            text
        } else {
            textwrap::fill(&text, room.max(24))
        };
        kind.span(span.range()).label(text)
    }

    /// The columns left of a marker's end, for its label.
    fn room_after(&self, file: &SourceFile, span: Span) -> usize {
        let number = file.position(span.start).line.to_string().len();
        let marker_end = file.position(span.end).column;
        self.width.columns.saturating_sub(number + 4 + marker_end)
    }

    /// Each line on its own; a line of code is left as it is.
    fn wrapped(&self, text: &str, lead: usize) -> String {
        let room = self.width.columns.saturating_sub(lead).max(30);
        let line = |line: &str| {
            if line.starts_with(' ') {
                printable(line)
            } else {
                textwrap::fill(&printable(line), room)
            }
        };
        text.split('\n').map(line).collect::<Vec<_>>().join("\n")
    }
}

fn snippet<'d>(file: &'d SourceFile, path: &'d str) -> Snippet<'d, annotate_snippets::Annotation<'d>> {
    Snippet::source(file.text()).path(path.to_owned())
}
