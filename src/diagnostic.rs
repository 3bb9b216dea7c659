//! A finding: its rule, place, severity, reason and fix.

use std::fmt;

use crate::fix::Fix;
use crate::project::{Owner, Place, Spelling};
use crate::source::{RepoPath, SourceFile, Span};

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Not reported.
    Off,
    /// Reported; blocks nothing.
    Warning,
    /// Blocks the commit.
    Error,
}

impl Severity {
    /// Its name, as configuration and reports write it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}

/// A rule.
#[derive(Debug)]
pub struct Rule {
    /// Its name, as configuration and reports write it.
    pub name: &'static str,
    /// What it finds, in one line.
    pub summary: &'static str,
    /// How bad its findings are unless the configuration says otherwise.
    pub severity: Severity,
    /// Its page.
    pub documentation: &'static str,
}

impl PartialEq for Rule {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

/// A place and a note on it.
#[derive(Debug, Clone)]
pub struct Label {
    /// Where.
    pub place: Place,
    /// The note, as half a sentence.
    pub text: String,
}

impl Label {
    pub(crate) fn new(file: &SourceFile, span: Span, text: impl Into<String>) -> Self {
        let (file, text) = (file.clone(), text.into());
        Self {
            place: Place { file, span },
            text,
        }
    }
}

/// What prevents the same finding in later revisions.
#[derive(Debug, Clone)]
pub enum Prevention {
    /// The metadata gets a naming convention, in this form where the metadata is known.
    Convention(Option<Spelling>),
    /// The naming convention gets a template for the kind of constraint.
    Template,
    /// The finding is the missing convention itself, which asks for a decision.
    Decision,
}

/// Introduces the code of a declaration in a model.
pub const OR_IN_MODEL: &str = "or name it in the model: ";

/// One finding.
#[derive(Debug, Clone)]
pub struct Diagnostic {
    /// The rule that found it.
    pub rule: &'static Rule,
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong, in lower case and without a full stop.
    pub message: String,
    /// The file.
    pub file: SourceFile,
    /// The whole call or statement.
    pub span: Span,
    /// The part to point at, and why it is wrong.
    pub focus: Label,
    /// Other places that belong to it.
    pub related: Vec<Label>,
    /// The place in the models that explains it: the metadata without a convention, or the convention.
    pub cause: Option<Label>,
    /// What prevents it in later revisions.
    pub prevention: Option<Prevention>,
    /// The environment whose metadata would get the convention.
    pub owner: Option<Owner>,
    /// The model that declares the constraint, with the code that would name it there.
    pub model: Option<Label>,
    /// The constraint with its name as the model would write it, where no declaration of it was found.
    pub model_code: Option<String>,
    /// What to do.
    pub help: Option<String>,
    /// The name to use, as it stands inside `op.f()`.
    pub suggested_name: Option<String>,
    /// The fix.
    pub fix: Option<Fix>,
    /// What remains to be done after the fix, as a sentence.
    pub left_to_do: Option<String>,
    /// The drop that belongs to this create and has no name either: the two are one problem with one fix.
    pub shows: Option<Span>,
}

impl Diagnostic {
    /// A finding at `span`, to be completed by its rule.
    #[must_use]
    pub fn new(rule: &'static Rule, file: &SourceFile, span: Span, message: impl Into<String>) -> Self {
        Self {
            rule,
            severity: rule.severity,
            message: message.into(),
            file: file.clone(),
            span,
            focus: Label::new(file, span, ""),
            related: Vec::new(),
            cause: None,
            prevention: None,
            owner: None,
            model: None,
            model_code: None,
            help: None,
            suggested_name: None,
            fix: None,
            left_to_do: None,
            shows: None,
        }
    }

    /// Points at a part of it, with the reason.
    #[must_use]
    pub fn focus(mut self, span: Span, text: impl Into<String>) -> Self {
        self.focus = Label::new(&self.file, span, text);
        self
    }

    /// Adds a place that belongs to it.
    #[must_use]
    pub fn related(mut self, place: Place, text: impl Into<String>) -> Self {
        self.related.push(Label {
            place,
            text: text.into(),
        });
        self
    }

    /// Says what to do.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// All other places, with their notes.
    pub fn places(&self) -> impl Iterator<Item = &Label> {
        self.related.iter().chain(&self.cause).chain(&self.model)
    }

    /// The path of the file.
    #[must_use]
    pub fn path(&self) -> &RepoPath {
        self.file.path()
    }

    /// The order of a report: path, line, column, rule.
    pub(crate) fn sort_key(&self) -> (RepoPath, usize, &'static str) {
        (self.path().clone(), self.span.start, self.rule.name)
    }
}
