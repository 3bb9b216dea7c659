//! What git prints: `diff --raw -z`, `ls-files -s -z`, `ls-tree -r -z`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| alembic_named::git::fuzzing::raw_diff(bytes));
