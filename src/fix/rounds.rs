//! `--fix`: a file is changed, looked at again, and changed again until nothing is left to do; then it is written.

use std::collections::HashMap;

use crate::check::Outcome;
use crate::diagnostic::Diagnostic;
use crate::fix::{Fix, Safety, apply};
use crate::python::Module;
use crate::source::{RepoPath, SourceFile};

/// No file needs more; ends two fixes that undo each other.
const MAX_ROUNDS: usize = 10;

/// A file with its fixes applied, not yet written.
#[derive(Debug)]
pub struct Mended {
    /// The file as it was checked.
    pub before: SourceFile,
    /// The file with the fixes.
    pub after: SourceFile,
    /// What is still to be found in it.
    pub left: Vec<Diagnostic>,
    /// How many of its findings are gone: one at least.
    pub fixed: usize,
}

impl Mended {
    /// Its path.
    #[must_use]
    pub fn path(&self) -> &RepoPath {
        self.before.path()
    }
}

/// Applies the fixes of all findings, in memory. `look` gives the findings of a file with another text.
///
/// With `suggested`, fixes that want a person's eye are applied as well.
pub fn mend(outcome: &Outcome, suggested: bool, look: &dyn Fn(&SourceFile) -> Vec<Diagnostic>) -> Vec<Mended> {
    // The findings are in the order of a report: those of one file stand together.
    let files = outcome.diagnostics.chunk_by(|one, other| one.path() == other.path());
    files
        .filter_map(|own| mend_file(&own.first()?.file, own.to_vec(), suggested, look))
        .collect()
}

fn mend_file(
    before: &SourceFile,
    mut found: Vec<Diagnostic>,
    suggested: bool,
    look: &dyn Fn(&SourceFile) -> Vec<Diagnostic>,
) -> Option<Mended> {
    let mut current = before.clone();
    let first = found.clone();
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
        // A fix that breaks the file is a defect of its rule; the file is better left as it is.
        if Module::parse(next.clone()).errors().len() > Module::parse(current.clone()).errors().len() {
            break;
        }
        found = look(&next);
        current = next;
    }
    // A change that mends nothing is none.
    let fixed = gone(&first, &found);
    (current.text() != before.text() && fixed > 0).then(|| Mended {
        before: before.clone(),
        after: current,
        left: found,
        fixed,
    })
}

/// How many findings are left no more. Their places have moved, so that what is said of them has to tell them apart.
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
