# Common commands for contributors. `just --list` shows them; CI runs .ci/run.

# All tests except the end-to-end ones
test *ARGUMENTS:
    cargo test --locked {{ ARGUMENTS }}

# Formatting, lints, documentation and shell scripts
lint:
    bash .ci/run toolchain tools fmt clippy doc shellcheck

# Run one benchmark: just bench staged
bench NAME *ARGUMENTS:
    cargo bench --bench {{ NAME }} -- {{ ARGUMENTS }}

# Create the files of a new rule; `cargo test` names what is still missing
new-rule NAME:
    sh packaging/new-rule.sh {{ NAME }}

# Everything that CI runs, or the named steps: just ci e2e
ci *STEPS:
    bash .ci/run {{ STEPS }}
