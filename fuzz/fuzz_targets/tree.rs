//! A tree object.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| alembic_named::git::fuzzing::tree(bytes));
