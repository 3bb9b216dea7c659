//! A migration.
#![no_main]

#[path = "../../tests/it/mutations/parsers.rs"]
#[allow(dead_code, reason = "shared with other targets")]
mod parsers;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| parsers::migration(bytes));
