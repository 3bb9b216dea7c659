//! Applies fixes in memory, and checks the result again, until nothing is left to fix.

use std::collections::HashMap;

use super::{Fix, Look, Safety, apply};
use crate::check::{CheckError, Outcome};
use crate::diagnostic::Diagnostic;
use crate::python::Module;
use crate::source::{RepoPath, SourceFile};

/// No file needs more rounds; this ends two fixes that undo each other.
const MAX_ROUNDS: usize = 10;

/// A file with its fixes applied, not yet written.
#[derive(Debug)]
pub struct FixedFile {
    /// The file as it was checked.
    pub before: SourceFile,
    /// The file with the fixes.
    pub after: SourceFile,
    /// What is found in it then.
    pub left: Vec<Diagnostic>,
    /// How many of its findings are gone; at least one.
    pub fixed: usize,
}

impl FixedFile {
    /// Its path.
    #[must_use]
    pub fn path(&self) -> &RepoPath {
        self.before.path()
    }
}

/// Applies the fixes of all findings. A file that cannot be checked again stays as it is, and is a failure.
///
/// With `suggested`, fixes that a person should review are applied as well.
pub fn apply_fixes(outcome: &mut Outcome, suggested: bool, look: &Look<'_>) -> Vec<FixedFile> {
    // Findings are sorted by file.
    let files = outcome.diagnostics.chunk_by(|one, other| one.path() == other.path());
    let fixed = files.filter_map(|own| apply_to_file(&own.first()?.file, own, suggested, look).transpose());
    let (fixed, failed): (Vec<_>, Vec<_>) = fixed.partition(Result::is_ok);
    let failures = failed.into_iter().filter_map(Result::err);
    outcome.failures.extend(failures.map(|error| error.to_string()));
    fixed.into_iter().flatten().collect()
}

fn apply_to_file(
    before: &SourceFile,
    first: &[Diagnostic],
    suggested: bool,
    look: &Look<'_>,
) -> Result<Option<FixedFile>, CheckError> {
    let mut current = before.clone();
    let mut found = first.to_vec();
    for _ in 0..MAX_ROUNDS {
        let fixes: Vec<&Fix> = found
            .iter()
            .filter_map(|one| one.fix.as_ref())
            .filter(|fix| suggested || fix.safety == Safety::Safe)
            .collect();
        let text = apply(&current, fixes);
        if text == current.text() {
            break;
        }
        let next = SourceFile::new(before.path().clone(), text);
        // A fix that breaks the file is a bug of its rule.
        if Module::parse(next.clone()).errors().len() > Module::parse(current.clone()).errors().len() {
            break;
        }
        found = look(&next)?;
        current = next;
    }
    // A change after which nothing is gone is dropped.
    let fixed = gone(first, &found);
    Ok((current.text() != before.text() && fixed > 0).then(|| FixedFile {
        before: before.clone(),
        after: current,
        left: found,
        fixed,
    }))
}

/// How many findings are gone. They are matched by rule and message, since their places have moved.
fn gone(first: &[Diagnostic], left: &[Diagnostic]) -> usize {
    fn said(one: &Diagnostic) -> (&str, &str) {
        (one.rule.name, &one.message)
    }
    let mut known: HashMap<(&str, &str), usize> = HashMap::new();
    for one in left {
        *known.entry(said(one)).or_default() += 1;
    }
    let mut gone = 0;
    for one in first {
        match known.get_mut(&said(one)) {
            Some(count) if *count > 0 => *count -= 1,
            _ => gone += 1,
        }
    }
    gone
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::fix::Edit;
    use crate::rules;
    use crate::source::Span;

    pub(in crate::fix) fn fixed_file(before: &str, after: &str) -> FixedFile {
        FixedFile {
            before: SourceFile::new("m.py".into(), before.to_owned()),
            after: SourceFile::new("m.py".into(), after.to_owned()),
            left: Vec::new(),
            fixed: 1,
        }
    }

    fn outcome() -> Outcome {
        let file = SourceFile::new("m.py".into(), "x = None\n".to_owned());
        let span = Span::new(4, 8);
        let edit = Edit::replace(&file, span, "1");
        let mut one = Diagnostic::new(rules::all().next().unwrap(), &file, span, "it is wrong");
        one.fix = Some(Fix::new("correct it", Safety::Safe, vec![edit]));
        Outcome {
            diagnostics: vec![one],
            ..Outcome::default()
        }
    }

    #[test]
    fn a_file_that_cannot_be_checked_again_is_a_failure_and_stays() {
        let mut outcome = outcome();
        let fixed = apply_fixes(&mut outcome, false, &|file| {
            Err(CheckError::Encoding {
                path: file.path().clone(),
                why: "is gone".to_owned(),
            })
        });
        assert!(fixed.is_empty());
        assert_eq!(outcome.failures, ["`m.py` is gone, or exclude it"]);
        assert_eq!(outcome.diagnostics.len(), 1);
    }

    #[test]
    fn what_a_fix_leaves_comes_from_a_second_look() {
        let mut outcome = outcome();
        let fixed = apply_fixes(&mut outcome, false, &|_| Ok(Vec::new()));
        assert_eq!(fixed[0].after.text(), "x = 1\n");
        assert_eq!((fixed[0].fixed, fixed[0].left.len()), (1, 0));
    }
}
