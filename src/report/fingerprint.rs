//! A name for each finding that stays the same while the lines around it move.

use std::collections::HashMap;

use crate::diagnostic::Diagnostic;
use crate::source::{RepoPath, Span};
use crate::work;

/// The name of each finding, all different: its rule, its file, its code, and which of several such it is.
///
/// The code counts without its layout, so that a formatter does not make a known finding a new one.
pub(super) fn fingerprints(diagnostics: &[Diagnostic]) -> Vec<String> {
    let mut seen: HashMap<[u8; 16], u64> = HashMap::new();
    // One call of SQL may have thousands of findings, all of which are of its code.
    let mut last: Option<((&str, &RepoPath, Span), md5::Context)> = None;
    let mut prints = Vec::with_capacity(diagnostics.len());
    for diagnostic in diagnostics {
        let key = (diagnostic.rule.name, diagnostic.path(), diagnostic.span);
        let known = last.take().filter(|(known, _)| *known == key).map(|(_, code)| code);
        let code = known.unwrap_or_else(|| of_code(diagnostic));
        last = Some((key, code.clone()));
        let ordinal = seen.entry(code.clone().finalize().0).or_default();
        *ordinal += 1;
        let mut whole = code;
        whole.consume([0, 0]);
        whole.consume(ordinal.to_be_bytes());
        prints.push(format!("{:x}", whole.finalize()));
    }
    prints
}

/// A NUL is in no rule, no path and no code.
fn of_code(diagnostic: &Diagnostic) -> md5::Context {
    let code = diagnostic.file.slice(diagnostic.span);
    work::steps(code.len());
    let mut text = md5::Context::new();
    text.consume(diagnostic.rule.name);
    text.consume([0]);
    text.consume(diagnostic.path().as_bytes());
    for word in code.split_whitespace() {
        text.consume([0]);
        text.consume(word);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::UNUSED_IGNORE;
    use crate::source::SourceFile;

    #[test]
    fn the_code_of_many_findings_is_read_once() {
        let file = SourceFile::new("a.py".into(), "op.execute('x')\n".repeat(100));
        let one = Diagnostic::new(UNUSED_IGNORE, &file, Span::new(0, file.text().len()), "m");
        let many = vec![one; 50];
        let mut prints = Vec::new();
        let steps = work::counted(|| prints = fingerprints(&many));
        assert_eq!(steps, file.text().len());
        prints.sort();
        prints.dedup();
        assert_eq!(prints.len(), 50);
    }
}
