//! Groups findings into frames, and leaves out those that get none.

use std::borrow::Cow;
use std::collections::HashMap;

use crate::diagnostic::{Diagnostic, Prevention, Severity};
use crate::fix::Safety;
use crate::source::RepoPath;

/// The most findings in a frame.
const MOST_IN_A_FRAME: usize = 9;

/// Findings of one file with the same rule, reason and help.
pub(super) struct Shared<'d> {
    pub(super) first: &'d Diagnostic,
    others: Vec<&'d Diagnostic>,
    /// What to do; without the name if the fixed lines show it.
    pub(super) help: Option<Cow<'d, str>>,
}

impl<'d> Shared<'d> {
    fn new(first: &'d Diagnostic) -> Self {
        Self {
            first,
            others: Vec::new(),
            help: help(first),
        }
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &'d Diagnostic> {
        std::iter::once(self.first).chain(self.others.iter().copied())
    }

    pub(super) fn message(&self) -> String {
        match self.others.len() {
            0 => self.first.message.clone(),
            more => format!("{} (and {more} more like it)", self.first.message),
        }
    }

    fn takes(&self, other: &Diagnostic) -> bool {
        self.others.len() + 1 < MOST_IN_A_FRAME && self.help == help(other)
    }
}

/// The help of a finding; without the name if the fixed lines show it.
fn help(diagnostic: &Diagnostic) -> Option<Cow<'_, str>> {
    let help = diagnostic.help.as_ref()?;
    match (&diagnostic.suggested_name, &diagnostic.fix) {
        (Some(name), Some(_)) => Some(Cow::Owned(help.replacen(&format!(": `{name}`"), "", 1))),
        _ => Some(Cow::Borrowed(help)),
    }
}

/// The findings that are shown themselves: a drop is shown with the create that it belongs to.
pub(super) fn leads<'d>(diagnostics: impl Iterator<Item = &'d Diagnostic> + Clone) -> Vec<&'d Diagnostic> {
    let pairs = diagnostics
        .clone()
        .filter_map(|one| Some(((one.path(), one.shows?), &one.fix)));
    let pairs: HashMap<_, _> = pairs.collect();
    let is_shown = |one: &Diagnostic| pairs.get(&(one.path(), one.span)).is_some_and(|fix| **fix == one.fix);
    diagnostics.filter(|one| !is_shown(one)).collect()
}

/// Divides findings into those that get a frame and the others. Decisions have priority, then errors; the order stays.
pub(super) fn chosen<'d>(leads: &[&'d Diagnostic], most: usize) -> (Vec<&'d Diagnostic>, Vec<&'d Diagnostic>) {
    let mut left = most;
    let mut room = [Rank::Decision, Rank::Error, Rank::Warning].map(|rank| {
        let own = leads.iter().filter(|one| Rank::of(one) == rank).count().min(left);
        left -= own;
        own
    });
    leads.iter().partition(|one| {
        let room = &mut room[Rank::of(one) as usize];
        let is_left = *room > 0;
        *room = room.saturating_sub(1);
        is_left
    })
}

/// The priority of a finding.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Rank {
    Decision,
    Error,
    Warning,
}

impl Rank {
    fn of(one: &Diagnostic) -> Self {
        match (one.severity, &one.prevention) {
            (Severity::Error, Some(Prevention::Decision)) => Self::Decision,
            (Severity::Error, _) => Self::Error,
            _ => Self::Warning,
        }
    }
}

/// Findings that share a frame, in the order of their first.
pub(super) fn shared<'d>(leads: &[&'d Diagnostic]) -> Vec<Shared<'d>> {
    type Kind<'d> = (&'d RepoPath, &'static str, Severity, &'d str, Option<Safety>);
    let mut frames: Vec<Shared<'d>> = Vec::new();
    let mut open: HashMap<Kind<'d>, usize> = HashMap::new();
    for &one in leads {
        let safety = one.fix.as_ref().map(|fix| fix.safety);
        let kind = (one.path(), one.rule.name, one.severity, one.focus.text.as_str(), safety);
        match open.get(&kind).and_then(|at| frames.get_mut(*at)) {
            Some(frame) if frame.takes(one) => frame.others.push(one),
            _ => {
                open.insert(kind, frames.len());
                frames.push(Shared::new(one));
            }
        }
    }
    frames
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules;
    use crate::source::{SourceFile, Span};

    fn finding(file: &SourceFile, at: usize, severity: Severity, help: &str) -> Diagnostic {
        let mut diagnostic =
            Diagnostic::new(rules::all().next().unwrap(), file, Span::new(at, at + 1), "it is wrong").help(help);
        diagnostic.severity = severity;
        diagnostic
    }

    fn file() -> SourceFile {
        SourceFile::new("a.py".into(), "x".repeat(100))
    }

    #[test]
    fn a_drop_is_shown_with_its_create_where_that_is_reported() {
        let file = file();
        let mut create = finding(&file, 1, Severity::Error, "");
        let drop = finding(&file, 5, Severity::Error, "");
        create.shows = Some(drop.span);
        let spans = |all: &[&Diagnostic]| -> Vec<usize> {
            leads(all.iter().copied()).iter().map(|one| one.span.start).collect()
        };
        assert_eq!(spans(&[&create, &drop]), [1]);
        assert_eq!(spans(&[&drop]), [5]);
        // Another finding about the create shows nothing of the drop.
        let other = finding(&file, 1, Severity::Error, "");
        assert_eq!(spans(&[&other, &drop]), [1, 5]);
    }

    #[test]
    fn what_blocks_is_chosen_first_and_the_order_stays() {
        let file = file();
        let all: Vec<Diagnostic> = (0..6)
            .map(|at| {
                let severity = if at % 2 == 0 {
                    Severity::Warning
                } else {
                    Severity::Error
                };
                finding(&file, at, severity, "")
            })
            .collect();
        let all: Vec<&Diagnostic> = all.iter().collect();
        let places = |most| -> (Vec<usize>, Vec<usize>) {
            let (chosen, rest) = chosen(&all, most);
            let starts = |part: Vec<&Diagnostic>| part.iter().map(|one| one.span.start).collect();
            (starts(chosen), starts(rest))
        };
        assert_eq!(places(2), (vec![1, 3], vec![0, 2, 4, 5]));
        assert_eq!(places(4), (vec![0, 1, 3, 5], vec![2, 4]));
        assert_eq!(places(usize::MAX).0.len(), 6);
    }

    #[test]
    fn findings_share_a_frame_where_the_same_is_to_be_done() {
        let file = file();
        let named = |at: usize, name: &str| {
            let mut one = finding(&file, at, Severity::Error, &format!("name it: `{name}`"));
            one.suggested_name = Some(name.to_owned());
            one.fix = Some(crate::fix::Fix::new("name it", Safety::Safe, Vec::new()));
            one
        };
        let (one, other, third) = (named(1, "a"), named(2, "b"), finding(&file, 3, Severity::Error, "look"));
        let frames = shared(&[&one, &third, &other]);
        let starts: Vec<Vec<usize>> = frames
            .iter()
            .map(|frame| frame.all().map(|one| one.span.start).collect())
            .collect();
        assert_eq!(starts, [vec![1, 2], vec![3]]);
        assert_eq!(frames[0].help.as_deref(), Some("name it"));
        assert_eq!(frames[0].message(), "it is wrong (and 1 more like it)");
        let many: Vec<Diagnostic> = (0..20).map(|at| named(at, "a")).collect();
        let frames = shared(&many.iter().collect::<Vec<_>>());
        assert_eq!(frames.len(), 3, "nine, nine and two");
    }
}
