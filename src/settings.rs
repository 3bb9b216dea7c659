//! The settings of a run, parsed once from the command line.

use std::path::PathBuf;

use crate::config::CommandLine;

/// Which files are checked, and where they are read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// What the commit adds or changes, as it is in the index.
    Staged,
    /// These paths, as they are in the index.
    StagedPaths(Vec<PathBuf>),
    /// These files and folders, as they are in the working tree.
    Paths(Vec<PathBuf>),
    /// Every tracked file, as it is in the index.
    All,
    /// What changed from the merge base of the two to the second (HEAD where it is left out), as it is there.
    Between {
        /// The first revision.
        from: String,
        /// The second revision.
        to: Option<String>,
    },
}

/// How findings are written.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// Frames around the code, for people.
    #[default]
    Text,
    /// One line each: path:line:column: severity: message.
    Concise,
    /// Version 1 of the JSON report.
    Json,
    /// SARIF 2.1.0, for code scanning.
    Sarif,
    /// Annotations of GitHub Actions.
    Github,
    /// GitLab's code quality report.
    Gitlab,
    /// JUnit's XML, for the test results of a CI server.
    Junit,
}

/// Whether to colour.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Color {
    /// On a terminal, unless `NO_COLOR` or `TERM=dumb` is set; elsewhere if `CLICOLOR_FORCE` is.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// What is done about findings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// They are reported.
    Report,
    /// The changes that would fix them are shown.
    Diff {
        /// Including fixes that a person should review.
        suggested: bool,
    },
    /// They are fixed in the working tree.
    Fix {
        /// Including fixes that a person should review.
        suggested: bool,
        /// Whether the fixed content is staged.
        restage: bool,
    },
}

/// What is written into files for findings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Remedy {
    /// Their fixes.
    Fixes,
    /// Comments that silence them.
    Comments,
}

/// One run.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Which files.
    pub scope: Scope,
    /// What is done about findings.
    pub action: Action,
    /// What is written into files.
    pub remedy: Remedy,
    /// How findings are written.
    pub format: Format,
    /// Where they are written, instead of standard output.
    pub output_file: Option<PathBuf>,
    /// Whether to colour.
    pub color: Color,
    /// The configuration to use, instead of the nearest.
    pub config: Option<PathBuf>,
    /// What the command line adds to the configuration.
    pub command_line: CommandLine,
    /// The most that is read of one file, in bytes.
    pub max_file_size: u64,
    /// Findings do not block.
    pub exit_zero: bool,
    /// Only findings are printed.
    pub quiet: bool,
    /// What is known of the project is printed.
    pub verbose: bool,
}
