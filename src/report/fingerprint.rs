//! A name for each finding that stays the same while the lines around it move.

use std::collections::HashMap;

use crate::diagnostic::Diagnostic;

/// The name of each finding, all different: its rule, its file, its code, and which of several such it is.
///
/// The code counts without its layout, so that a formatter does not make a known finding a new one.
pub(super) fn fingerprints(diagnostics: &[Diagnostic]) -> Vec<String> {
    let mut seen: HashMap<[u8; 16], u64> = HashMap::new();
    diagnostics
        .iter()
        .map(|diagnostic| {
            // A NUL is in no rule, no path and no code.
            let mut text = [diagnostic.rule.name.as_bytes(), diagnostic.path().as_bytes()].join(&0);
            for word in diagnostic.file.slice(diagnostic.span).split_whitespace() {
                text.push(0);
                text.extend_from_slice(word.as_bytes());
            }
            let ordinal = seen.entry(md5::compute(text.as_slice()).0).or_default();
            *ordinal += 1;
            text.extend_from_slice(&[0, 0]);
            text.extend_from_slice(&ordinal.to_be_bytes());
            format!("{:x}", md5::compute(text.as_slice()))
        })
        .collect()
}
