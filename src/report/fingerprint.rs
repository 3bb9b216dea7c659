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
            let mut hash = md5::Context::new();
            hash.consume(diagnostic.rule.name);
            // A NUL is in no rule, no path and no code.
            hash.consume([0]);
            hash.consume(diagnostic.path().as_bytes());
            for word in diagnostic.file.slice(diagnostic.span).split_whitespace() {
                hash.consume([0]);
                hash.consume(word);
            }
            let ordinal = seen.entry(hash.clone().finalize().into()).or_default();
            *ordinal += 1;
            hash.consume([0, 0]);
            hash.consume(ordinal.to_be_bytes());
            format!("{:x}", hash.finalize())
        })
        .collect()
}
