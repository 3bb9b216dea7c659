//! An index file: its end with the cached tree, and its entries.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| alembic_named::git::fuzzing::index(bytes));
