//! Why a configuration cannot be used.

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// It is not TOML, or a value has the wrong type.
    #[error("{path}:{line}:{column}: {message}")]
    Invalid {
        /// The file.
        path: String,
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
        /// What is wrong and what would be right.
        message: String,
    },
    /// The file cannot be read.
    #[error("cannot read the configuration `{path}`: {cause}")]
    Unreadable {
        /// The file.
        path: String,
        /// Why.
        cause: String,
    },
    /// An unknown rule.
    #[error("there is no rule {shown} (`alembic-named rules` lists them)")]
    UnknownRule {
        /// Its name, and the nearest rule's.
        shown: String,
    },
    /// Too many patterns.
    #[error(
        "there are {count} patterns in one list (`{patterns}`), and no more than 10,000 are taken: write one for a whole folder, like `migrations/legacy/**`"
    )]
    TooManyGlobs {
        /// How many.
        count: usize,
        /// The first of them.
        patterns: String,
    },
    /// An invalid pattern.
    #[error("the pattern `{pattern}` is not a glob ({cause}): write it like `migrations/legacy/**`")]
    BadGlob {
        /// The pattern.
        pattern: String,
        /// What is wrong with it.
        cause: String,
    },
}
