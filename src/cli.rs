//! The command line.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::error::ErrorKind;
use clap::{Arg, Args, CommandFactory, FromArgMatches as _, Parser, Subcommand};
use clap_complete::Shell;

use crate::adopt::AdoptArgs;
use crate::config::{CommandLine, ConfigError, Globs, nearest, rules_named};
use crate::escape::printable;
use crate::install::{InstallArgs, UninstallArgs};
use crate::rules;
use crate::settings::{Action, Color, Format, Remedy, Scope, Settings};
use crate::snapshot::DEFAULT_LIMIT;
use crate::source::RepoPath;

/// Names for Alembic's constraints, before they are committed.
///
/// Checks the Alembic migrations and the SQLAlchemy metadata that the next commit adds or changes. A constraint without a name blocks, with
/// the name to use: the one that the project's own naming convention gives.
#[derive(Debug, Parser)]
#[command(
    name = "alembic-named",
    version,
    args_conflicts_with_subcommands = true,
    max_term_width = 100
)]
#[command(after_help = EXAMPLES)]
pub struct Cli {
    /// The subcommand; `check` if none is given.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// The options of `check`.
    #[command(flatten)]
    pub check: CheckArgs,
}

impl Cli {
    /// Parses the arguments of a process, its name included. The error is what to print: a mistake, help, or the version.
    pub fn read(arguments: impl Iterator<Item = OsString>) -> Result<Self, clap::Error> {
        let arguments: Vec<OsString> = arguments.collect();
        Self::try_parse_from(&arguments).map_err(|error| match misread_subcommand(&error, &arguments) {
            Some(sentence) => clap::Error::raw(error.kind(), sentence + "\n"),
            None => repeated(error, &arguments),
        })
    }
}

/// The message for a subcommand that was read as a path, so that its options are not known.
fn misread_subcommand(error: &clap::Error, arguments: &[OsString]) -> Option<String> {
    if error.kind() != ErrorKind::UnknownArgument {
        return None;
    }
    let known = Cli::command()
        .ignore_errors(true)
        .try_get_matches_from(arguments)
        .ok()?;
    let cli = Cli::from_arg_matches(&known).ok()?;
    cli.command.is_none().then(|| cli.check.meant_subcommand())?
}

/// The message with the arguments escaped: a runner passes the names of files, which may hold anything.
fn repeated(error: clap::Error, arguments: &[OsString]) -> clap::Error {
    let shown = arguments.iter().map(|argument| printable(&argument.to_string_lossy()));
    Cli::try_parse_from(shown).err().unwrap_or(error)
}

const EXAMPLES: &str = "\
Examples:
  alembic-named                              what the next commit changes
  alembic-named migrations/ app/models.py    these files, as they are on disk
  alembic-named --from-ref origin/main       what this branch changes, for CI
  alembic-named fix --staged                 write the names into these files
  alembic-named explain unnamed-constraint   what a rule is about

Exit status: 0 nothing blocks, 1 something blocks, 2 it could not be checked.";

const FIX_EXAMPLES: &str = "\
Examples:
  alembic-named fix --staged             then look at the change, and stage it
  alembic-named fix --staged --restage   the same, staged at once
  alembic-named fix migrations/versions  these files, as they are on disk
  alembic-named fix --staged --diff      only show what would change
  alembic-named fix --ignore --staged    an ignore comment for each finding, and no fix
  alembic-named check --fix --ignore unnamed-drop
                                         fixes, but not of this rule";

const ADOPT_EXAMPLES: &str = "\
Examples:
  alembic-named adopt --dry-run                 what would be written, as a diff
  alembic-named adopt                           SQLAlchemy's documented convention
  alembic-named adopt --convention postgresql   PostgreSQL's own patterns
  alembic-named adopt --revision-only           for a convention that is there already

Exit status: 0 written, or nothing left to do; 2 nothing was written, and why.";

const INSTALL_EXAMPLES: &str = "\
Examples:
  alembic-named install --dry-run        what would be written, and where
  alembic-named install                  into this repository
  alembic-named install --write          also into the manager's own file
  alembic-named install --manager git    beside other managers, for git alone";

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Look for unnamed constraints and missing naming conventions
    #[command(after_help = EXAMPLES)]
    Check(CheckArgs),
    /// Fix what can be fixed in the working tree (the same as check --fix)
    #[command(after_help = FIX_EXAMPLES, mut_arg("ignore", writes_comments))]
    Fix(CheckArgs),
    /// Give a living project a naming convention: the metadata, and a revision that renames
    #[command(after_help = ADOPT_EXAMPLES)]
    Adopt(AdoptArgs),
    /// Show what holds for a file, and where each value comes from
    Config {
        /// The file or folder
        #[arg(default_value = ".")]
        path: PathBuf,
    },
    /// Make git run the check before each commit, beside whatever is there
    #[command(after_help = INSTALL_EXAMPLES)]
    Install(InstallArgs),
    /// Take it out again and put everything back
    Uninstall(UninstallArgs),
    /// Show a rule's page
    Explain {
        /// The rule's name
        rule: String,
    },
    /// List the rules
    Rules,
    /// Write a completion script for a shell
    Completions {
        /// The shell
        shell: Shell,
    },
}

/// `--ignore` of `fix`, which writes comments instead of fixes and may name their rules.
fn writes_comments(ignore: Arg) -> Arg {
    let help = "Write an ignore comment for each finding, or for those of these rules, and fix nothing; not with --unsafe-fixes";
    let ignore = ignore.num_args(0..=1).require_equals(true).help(help);
    ignore
        .help_heading("Fixes")
        .display_order(0)
        .conflicts_with("unsafe_fixes")
}

/// The options of `check`.
#[derive(Debug, Args)]
#[allow(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub struct CheckArgs {
    /// Files and folders to check as they are on disk; with --staged, as they are in the index
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,

    /// Check what the commit adds or changes, as it is in the index (the default without PATH)
    #[arg(long, help_heading = "What is checked")]
    staged: bool,
    /// Check every tracked file, as it is in the index
    #[arg(long, conflicts_with_all = ["staged", "paths"], help_heading = "What is checked")]
    all: bool,
    /// Check what changed since the merge base with this revision
    #[arg(long, value_name = "REV", conflicts_with_all = ["all", "paths"], help_heading = "What is checked")]
    from_ref: Option<String>,
    /// Check the files as they are in this revision [default: HEAD]
    #[arg(long, value_name = "REV", requires = "from_ref", help_heading = "What is checked")]
    to_ref: Option<String>,
    /// Leave out files that match, seen from the top of the repository; may be given several times
    #[arg(long, value_name = "GLOB", help_heading = "What is checked")]
    exclude: Vec<String>,
    /// Refuse to read files larger than this many bytes
    #[arg(long, value_name = "BYTES", default_value_t = DEFAULT_LIMIT, help_heading = "What is checked")]
    max_file_size: u64,

    /// Apply these rules only
    #[arg(long, value_name = "RULE", value_delimiter = ',', help_heading = "Rules")]
    select: Vec<String>,
    /// Do not apply these rules
    #[arg(long, value_name = "RULE", value_delimiter = ',', help_heading = "Rules")]
    ignore: Option<Vec<String>>,
    /// Whether that asks for comments.
    #[arg(skip)]
    ignores: bool,
    /// In files that HEAD holds, report only findings on changed lines
    #[arg(long, help_heading = "Rules")]
    changed_lines_only: bool,
    /// Use this configuration instead of the nearest pyproject.toml or alembic-named.toml
    #[arg(long, value_name = "FILE", help_heading = "Rules")]
    config: Option<PathBuf>,

    /// Write the fixes into the working files
    #[arg(long, help_heading = "Fixes")]
    fix: bool,
    /// Fix, and stage the fixed content too: that and nothing else
    #[arg(long, help_heading = "Fixes")]
    restage: bool,
    /// With --fix or --diff: also apply fixes that want a second look
    #[arg(long, help_heading = "Fixes")]
    unsafe_fixes: bool,
    /// Show the fixes as a unified diff and change nothing
    #[arg(long, conflicts_with_all = ["fix", "restage"], help_heading = "Fixes")]
    diff: bool,

    /// How to write findings
    #[arg(long, value_enum, default_value_t, help_heading = "Output")]
    format: Format,
    /// Write findings to a file instead of standard output
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    output_file: Option<PathBuf>,
    /// When to colour
    #[arg(long, value_enum, default_value_t, help_heading = "Output")]
    pub(crate) color: Color,
    /// Exit with 0 even if something blocks
    #[arg(long, help_heading = "Output")]
    exit_zero: bool,
    /// Say nothing but findings
    #[arg(long, short, conflicts_with = "verbose", help_heading = "Output")]
    quiet: bool,
    /// Tell which projects and conventions were found, and how long each step took
    #[arg(long, short, help_heading = "Output")]
    verbose: bool,
}

/// The environment's part of the command line.
#[derive(Debug, Default, Clone)]
pub struct Variables {
    /// `PRE_COMMIT_FROM_REF`
    pub from_ref: Option<String>,
    /// `PRE_COMMIT_TO_REF`
    pub to_ref: Option<String>,
}

impl Variables {
    /// Reads them.
    #[must_use]
    pub fn of_process() -> Self {
        let get = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        Self {
            from_ref: get("PRE_COMMIT_FROM_REF"),
            to_ref: get("PRE_COMMIT_TO_REF"),
        }
    }
}

impl CheckArgs {
    /// Turns the arguments into settings. Fails on an unknown rule or an invalid pattern.
    pub fn settings(self, variables: Variables) -> Result<Settings, ConfigError> {
        let (mut select, mut ignore) = (self.select.clone(), self.ignore.clone().unwrap_or_default());
        if self.ignores {
            select.append(&mut ignore);
        }
        let select = rules_named(&select)?;
        let command_line = CommandLine {
            select: (!select.is_empty()).then_some(select),
            ignore: rules_named(&ignore)?,
            exclude: Globs::new(RepoPath::top(), &self.exclude)?,
            changed_lines_only: self.changed_lines_only,
        };
        Ok(Settings {
            remedy: if self.ignores { Remedy::Comments } else { Remedy::Fixes },
            format: self.format,
            output_file: self.output_file.clone(),
            color: self.color,
            config: self.config.clone(),
            command_line,
            max_file_size: self.max_file_size,
            exit_zero: self.exit_zero,
            quiet: self.quiet,
            verbose: self.verbose,
            action: self.action(),
            scope: self.scope(variables),
        })
    }

    /// The message for a first path that does not exist and resembles a subcommand: a misspelled one, or one written after an option.
    #[must_use]
    pub fn meant_subcommand(&self) -> Option<String> {
        let is_word = |word: &&str| word.bytes().all(|letter| letter.is_ascii_lowercase());
        let word = self.no_path().filter(is_word)?;
        let cli = Cli::command();
        let meant = nearest(word, cli.get_subcommands().map(clap::Command::get_name))?;
        Some(if meant == word {
            format!("`{word}` is a subcommand, not a path: write it before all options, as `alembic-named {word} ...`")
        } else {
            format!("`{word}` does not exist: check the path, or did you mean `alembic-named {meant}`?")
        })
    }

    /// The message for `fix --ignore RULE`, which reads the rule as a path.
    #[must_use]
    pub fn misplaced_rule(&self) -> Option<String> {
        let word = self
            .no_path()
            .filter(|word| self.ignore.is_some() && rules::find(word).is_some())?;
        Some(format!(
            "`{word}` is a rule, not a path: `fix --ignore={word}` writes comments that silence it, and \
             `check --fix --ignore {word}` leaves it out"
        ))
    }

    /// The first path, if it does not exist.
    fn no_path(&self) -> Option<&str> {
        let path = self.paths.first()?;
        path.symlink_metadata().is_err().then(|| path.to_str())?
    }

    /// The arguments as `fix` means them: `--fix` is implied, and `--ignore` writes comments.
    #[must_use]
    pub fn fixing(self) -> Self {
        Self {
            fix: !self.diff,
            ignores: self.ignore.is_some(),
            ..self
        }
    }

    fn action(&self) -> Action {
        let suggested = self.unsafe_fixes;
        if self.diff {
            Action::Diff { suggested }
        } else if self.fix || self.restage {
            Action::Fix {
                suggested,
                restage: self.restage,
            }
        } else {
            Action::Report
        }
    }

    fn scope(self, variables: Variables) -> Scope {
        if let Some(from) = self.from_ref {
            return Scope::Between { from, to: self.to_ref };
        }
        if self.all {
            return Scope::All;
        }
        if !self.staged && !self.paths.is_empty() {
            return Scope::Paths(self.paths);
        }
        // pre-commit sets these to compare two revisions, and passes file names of the later one as well.
        match variables.from_ref {
            Some(from) if self.staged => Scope::Between {
                from,
                to: variables.to_ref,
            },
            _ if self.paths.is_empty() => Scope::Staged,
            _ => Scope::StagedPaths(self.paths),
        }
    }
}

/// The completion script of a shell.
#[must_use]
pub fn completions(shell: Shell) -> Vec<u8> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "alembic-named", &mut script);
    // clap_complete 4.6 spells the hyphen of the name in two ways for bash, which breaks completion after a subcommand
    // (clap-rs/clap#6421). Once that is fixed this replaces nothing.
    String::from_utf8_lossy(&script)
        .replace("alembic__subcmd__named", "alembic__named")
        .into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    fn scope(arguments: &[&str], from: Option<&str>) -> Scope {
        let cli = Cli::try_parse_from([&["alembic-named"], arguments].concat()).unwrap();
        let variables = Variables {
            from_ref: from.map(str::to_owned),
            to_ref: from.map(|_| "b".to_owned()),
        };
        cli.check.settings(variables).unwrap().scope
    }

    #[test]
    fn the_scope_follows_from_the_arguments() {
        let between = Scope::Between {
            from: "a".to_owned(),
            to: Some("b".to_owned()),
        };
        assert_eq!(scope(&[], None), Scope::Staged);
        assert_eq!(scope(&["--staged"], None), Scope::Staged);
        assert_eq!(scope(&["x.py"], None), Scope::Paths(vec!["x.py".into()]));
        assert_eq!(scope(&["--staged", "x.py"], None), Scope::StagedPaths(vec!["x.py".into()]));
        assert_eq!(scope(&["--staged", "x.py"], Some("a")), between);
        assert_eq!(scope(&["x.py"], Some("a")), Scope::Paths(vec!["x.py".into()]));
        assert_eq!(scope(&[], Some("a")), Scope::Staged);
        assert_eq!(scope(&["--all"], None), Scope::All);
        assert_eq!(scope(&["--from-ref", "a", "--to-ref", "b"], None), between);
    }
}
