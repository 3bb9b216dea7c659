//! A name for each finding that stays the same while the lines around it move.

use std::collections::HashMap;
use std::fmt::Write;

use md5::{Digest, Md5};

use crate::diagnostic::Diagnostic;

/// The name of each finding, all different: its rule, its file, its code, and which of several such it is.
///
/// The code counts without its layout, so that a formatter does not make a known finding a new one.
pub(super) fn fingerprints(diagnostics: &[Diagnostic]) -> Vec<String> {
    let mut seen: HashMap<[u8; 16], u64> = HashMap::new();
    diagnostics
        .iter()
        .map(|diagnostic| {
            let mut hash = Md5::new();
            hash.update(diagnostic.rule.name);
            // A NUL is in no rule, no path and no code.
            hash.update([0]);
            hash.update(diagnostic.path().as_bytes());
            for word in diagnostic.file.slice(diagnostic.span).split_whitespace() {
                hash.update([0]);
                hash.update(word);
            }
            let ordinal = seen.entry(hash.clone().finalize().into()).or_default();
            *ordinal += 1;
            hash.update([0, 0]);
            hash.update(ordinal.to_be_bytes());
            hexadecimal(&hash.finalize())
        })
        .collect()
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
