# What a contributor types. `just --list` shows these; .ci/run is what CI runs.

# All tests but the end-to-end proofs
test *ARGUMENTS:
    cargo test --locked {{ ARGUMENTS }}

# Formatting, lints, documentation and shell scripts
lint:
    bash .ci/run toolchain tools fmt clippy doc shellcheck

# One benchmark: just bench staged
bench NAME *ARGUMENTS:
    cargo bench --bench {{ NAME }} -- {{ ARGUMENTS }}

# The files of a new rule; `cargo test` names what is still missing
new-rule NAME:
    sh packaging/new-rule.sh {{ NAME }}

# Everything, as CI runs it, or the named steps: just ci e2e
ci *STEPS:
    bash .ci/run {{ STEPS }}
