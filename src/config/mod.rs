//! The configuration: `[tool.alembic-named]` in the nearest `pyproject.toml`, or `alembic-named.toml`, up to the top of the snapshot.

use std::collections::BTreeMap;
use std::rc::Rc;

use globset::{Glob, GlobSet, GlobSetBuilder};
use serde::Deserialize;

use crate::diagnostic::{Rule, Severity};
use crate::memo::Memo;
use crate::naming::{Convention, Dialect, Key, Value};
use crate::rules;
use crate::snapshot::Snapshot;
use crate::source::{RepoPath, SourceFile};

/// What holds for a file.
#[derive(Debug, Default)]
pub struct Config {
    /// The file it was read from.
    pub origin: Option<RepoPath>,
    /// The names for constraints that no convention of the project names.
    pub convention: Option<Convention>,
    /// The database, where no environment tells.
    pub dialect: Option<Dialect>,
    select: Option<Vec<&'static Rule>>,
    ignore: Vec<&'static Rule>,
    severity: Vec<(&'static Rule, Severity)>,
    exclude: Globs,
    migrations: Globs,
    metadata: Globs,
    changed_lines_only: bool,
    nothing_deployed: bool,
    per_file_ignores: Vec<(Globs, Vec<&'static Rule>)>,
    command_line: CommandLine,
}

/// Who says that something holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The rule itself.
    Default,
    /// This key of the configuration.
    File(&'static str),
    /// The command line.
    CommandLine,
}

/// What the command line says on top of the file.
#[derive(Debug, Default, Clone)]
pub struct CommandLine {
    /// `--select`
    pub select: Option<Vec<&'static Rule>>,
    /// `--ignore`
    pub ignore: Vec<&'static Rule>,
    /// `--exclude`, relative to the top.
    pub exclude: Globs,
    /// `--changed-lines-only`
    pub changed_lines_only: bool,
}

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
    /// A rule that is not there.
    #[error("there is no rule {shown} (`alembic-named rules` lists them)")]
    UnknownRule {
        /// As it was given, with the one that was meant, perhaps.
        shown: String,
    },
    /// More patterns than anybody writes.
    #[error(
        "there are {count} patterns in one list (`{patterns}`), and no more than 10,000 are taken: write one for a whole folder, like `migrations/legacy/**`"
    )]
    TooManyGlobs {
        /// How many.
        count: usize,
        /// The first of them.
        patterns: String,
    },
    /// A pattern that is none.
    #[error("the pattern `{pattern}` is not a glob ({cause}): write it like `migrations/legacy/**`")]
    BadGlob {
        /// The pattern.
        pattern: String,
        /// What is wrong with it.
        cause: String,
    },
}

/// So many patterns may stand in one list; each is compiled before the first file is looked at.
const MOST_PATTERNS: usize = 10_000;

/// So much of a value is repeated in a sentence about it, in characters.
const LONGEST_QUOTE: usize = 80;

/// The same of a message of the TOML parser, which lists what would be right.
const LONGEST_MESSAGE: usize = 600;

/// The beginning of a text that may be long.
fn start_of(text: &str) -> String {
    match text.char_indices().nth(LONGEST_QUOTE) {
        Some((at, _)) => format!("{}\u{2026}", &text[..at]),
        None => text.to_owned(),
    }
}

/// The first of some texts, and how many there are besides.
fn in_short<S: AsRef<str>>(texts: &[S]) -> String {
    const FEW: usize = 3;
    let shown: Vec<String> = texts.iter().take(FEW).map(|text| start_of(text.as_ref())).collect();
    match texts.len().saturating_sub(FEW) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

/// Patterns of paths below one folder. A pattern without a slash matches a name at any depth, and a folder stands for all that is in it.
#[derive(Debug, Default, Clone)]
pub struct Globs {
    folder: Option<RepoPath>,
    set: GlobSet,
}

impl Globs {
    /// Patterns relative to `folder`.
    pub fn new<S: AsRef<str>>(folder: RepoPath, patterns: &[S]) -> Result<Self, ConfigError> {
        if patterns.len() > MOST_PATTERNS {
            return Err(ConfigError::TooManyGlobs {
                count: patterns.len(),
                patterns: in_short(patterns),
            });
        }
        let mut builder = GlobSetBuilder::new();
        for pattern in patterns {
            let pattern = pattern.as_ref().trim_end_matches('/');
            let anywhere = if pattern.contains('/') {
                String::new()
            } else {
                "**/".to_owned()
            };
            let pattern = pattern.trim_start_matches('/');
            for form in [format!("{anywhere}{pattern}"), format!("{anywhere}{pattern}/**")] {
                let glob = Glob::new(&form).map_err(|error| ConfigError::BadGlob {
                    pattern: start_of(pattern),
                    cause: start_of(&error.kind().to_string()),
                })?;
                builder.add(glob);
            }
        }
        let set = builder.build().map_err(|error| ConfigError::BadGlob {
            pattern: in_short(patterns),
            cause: start_of(&error.kind().to_string()),
        })?;
        Ok(Self {
            folder: Some(folder),
            set,
        })
    }

    fn matches(&self, path: &RepoPath) -> bool {
        let Some(folder) = &self.folder else { return false };
        if self.set.is_empty() || !path.starts_with(folder) {
            return false;
        }
        let text = path.display();
        let below = text
            .get(folder.display().len()..)
            .unwrap_or_default()
            .trim_start_matches('/');
        self.set.is_match(below)
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
struct Table {
    select: Option<Vec<String>>,
    ignore: Vec<String>,
    exclude: Vec<String>,
    per_file_ignores: BTreeMap<String, Vec<String>>,
    severity: BTreeMap<String, Severity>,
    migrations: Vec<String>,
    metadata: Vec<String>,
    convention: Option<ConventionTable>,
    dialect: Option<String>,
    deployed: Option<bool>,
    changed_lines_only: bool,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum ConventionTable {
    Preset(String),
    Templates(BTreeMap<String, String>),
}

#[derive(Debug, Deserialize)]
struct Pyproject {
    tool: Option<Tools>,
}

#[derive(Debug, Deserialize)]
struct Tools {
    #[serde(rename = "alembic-named")]
    own: Option<Table>,
}

impl Config {
    /// How bad a finding of a rule is in a file, given how bad the rule itself finds it.
    #[must_use]
    pub fn severity(&self, path: &RepoPath, rule: &'static Rule, found: Severity) -> Severity {
        self.severity_and_source(path, rule, found).0
    }

    /// The same, with who says so.
    #[must_use]
    pub fn severity_and_source(&self, path: &RepoPath, rule: &'static Rule, found: Severity) -> (Severity, Source) {
        let (selected, selector) = match &self.command_line.select {
            Some(select) => (Some(select), Source::CommandLine),
            None => (self.select.as_ref(), Source::File("select")),
        };
        let default = match (found, selected) {
            // A rule that is off by default and selected by name is meant to be seen.
            (Severity::Off, Some(_)) => (Severity::Warning, selector),
            _ => (found, Source::Default),
        };
        let ignored_here = |(globs, rules): &(Globs, Vec<&'static Rule>)| rules.contains(&rule) && globs.matches(path);
        if self.command_line.ignore.contains(&rule) {
            (Severity::Off, Source::CommandLine)
        } else if self.ignore.contains(&rule) {
            (Severity::Off, Source::File("ignore"))
        } else if self.per_file_ignores.iter().any(ignored_here) {
            (Severity::Off, Source::File("per-file-ignores"))
        } else if selected.is_some_and(|selected| !selected.contains(&rule)) {
            (Severity::Off, selector)
        } else {
            let configured = self.severity.iter().find(|(known, _)| *known == rule);
            configured.map_or(default, |(_, severity)| (*severity, Source::File("severity")))
        }
    }

    /// Whether only findings on changed lines count in a file that HEAD holds.
    #[must_use]
    pub fn changed_lines_only(&self) -> bool {
        self.changed_lines_only || self.command_line.changed_lines_only
    }

    /// Whether a migration that HEAD holds may have been run on a database whose names must stay.
    #[must_use]
    pub fn may_be_deployed(&self) -> bool {
        !self.nothing_deployed
    }

    /// Whether a file is to be read as a migration whatever its content.
    #[must_use]
    pub fn is_migration(&self, path: &RepoPath) -> bool {
        self.migrations.matches(path)
    }

    /// Whether the metadata that a file makes are to be judged whatever the environments say.
    #[must_use]
    pub fn is_metadata(&self, path: &RepoPath) -> bool {
        self.metadata.matches(path)
    }

    /// Whether a file is not to be looked at.
    #[must_use]
    pub fn excludes(&self, path: &RepoPath) -> bool {
        self.exclude.matches(path) || self.command_line.exclude.matches(path)
    }

    /// Every rule at its own level, those that are off by default as warnings.
    #[cfg(test)]
    pub(crate) fn with_all_rules() -> Self {
        let off = rules::all().filter(|rule| rule.severity == Severity::Off);
        Self {
            severity: off.map(|rule| (rule, Severity::Warning)).collect(),
            ..Self::default()
        }
    }

    fn of_table(table: Table, origin: &RepoPath) -> Result<Self, ConfigError> {
        let folder = origin.parent().unwrap_or_else(RepoPath::top);
        let mut severity = Vec::new();
        for (name, level) in table.severity {
            severity.push((rule(&name)?, level));
        }
        let mut per_file_ignores = Vec::new();
        for (pattern, names) in table.per_file_ignores {
            per_file_ignores.push((Globs::new(folder.clone(), &[pattern])?, rules_named(&names)?));
        }
        Ok(Self {
            origin: Some(origin.clone()),
            convention: table.convention.map(convention).transpose()?,
            dialect: table.dialect.map(|name| dialect(&name)).transpose()?,
            select: table.select.map(|names| rules_named(&names)).transpose()?,
            ignore: rules_named(&table.ignore)?,
            severity,
            exclude: Globs::new(folder.clone(), &table.exclude)?,
            migrations: Globs::new(folder.clone(), &table.migrations)?,
            metadata: Globs::new(folder, &table.metadata)?,
            changed_lines_only: table.changed_lines_only,
            nothing_deployed: table.deployed == Some(false),
            per_file_ignores,
            command_line: CommandLine::default(),
        })
    }
}

fn convention(table: ConventionTable) -> Result<Convention, ConfigError> {
    match table {
        ConventionTable::Preset(name) => match name.as_str() {
            "sqlalchemy" => Ok(Convention::sqlalchemy_documented()),
            "postgresql" => Ok(Convention::postgresql_defaults()),
            _ => Err(invalid_value(format!(
                "there is no convention `{}`: write \"sqlalchemy\", \"postgresql\" or a table of templates",
                start_of(&name)
            ))),
        },
        ConventionTable::Templates(templates) => Ok(Convention::new(
            templates
                .into_iter()
                .map(|(key, template)| (Key::Text(key), Value::Template(template))),
        )),
    }
}

fn dialect(name: &str) -> Result<Dialect, ConfigError> {
    Dialect::from_name(name).ok_or_else(|| {
        invalid_value(format!(
            "there is no dialect `{}`: write postgresql, mysql, mariadb, sqlite, oracle, mssql or other",
            start_of(name)
        ))
    })
}

fn invalid_value(message: String) -> ConfigError {
    ConfigError::Invalid {
        path: String::new(),
        line: 0,
        column: 0,
        message,
    }
}

/// The rule of this name, or the error that names the nearest.
pub fn rule(name: &str) -> Result<&'static Rule, ConfigError> {
    rules::find(name).ok_or_else(|| ConfigError::UnknownRule {
        shown: nearest_rule(name),
    })
}

/// A name that is no rule's, in quotes, with the rule that was meant, perhaps.
pub(crate) fn nearest_rule(name: &str) -> String {
    let shown = start_of(name);
    match nearest(name, rules::all().map(|rule| rule.name)) {
        Some(nearest) => format!("`{shown}`, did you mean `{nearest}`?"),
        None => format!("`{shown}`"),
    }
}

/// The word that is most like another, if it is like it at all.
pub(crate) fn nearest<'w>(word: &str, words: impl Iterator<Item = &'w str>) -> Option<&'w str> {
    // No word that is known is as long, and a long one would be compared letter by letter.
    if word.len() > LONGEST_QUOTE {
        return None;
    }
    let (away, nearest) = words.map(|known| (distance(word, known), known)).min()?;
    (away <= word.len().max(4) / 2).then_some(nearest)
}

/// All rules of these names.
pub fn rules_named<S: AsRef<str>>(names: &[S]) -> Result<Vec<&'static Rule>, ConfigError> {
    names.iter().map(|name| rule(name.as_ref())).collect()
}

/// How many letters differ between two words (Levenshtein).
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (at, letter) in one.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], at + 1);
        for (column, known) in other.iter().enumerate() {
            let substituted = diagonal + usize::from(letter != *known);
            diagonal = row[column + 1];
            row[column + 1] = substituted.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row.last().copied().unwrap_or_default()
}

/// The configurations of a snapshot, each read once when a file below it is looked at.
pub struct Configs<'s> {
    snapshot: &'s dyn Snapshot,
    command_line: CommandLine,
    fixed: Option<Rc<Config>>,
    known: Memo<Rc<Config>>,
}

impl<'s> Configs<'s> {
    /// Looks for the nearest configuration of each file.
    #[must_use]
    pub fn nearest(snapshot: &'s dyn Snapshot, command_line: CommandLine) -> Self {
        Self {
            snapshot,
            command_line,
            fixed: None,
            known: Memo::default(),
        }
    }

    /// Uses the text of one file for all (`--config`); its patterns are relative to the top.
    pub fn fixed(
        snapshot: &'s dyn Snapshot,
        command_line: CommandLine,
        path: &str,
        text: &str,
    ) -> Result<Self, ConfigError> {
        let origin = RepoPath::from(path.rsplit('/').next().unwrap_or(path));
        let mut config = parse(&origin, path, text)?.unwrap_or_default();
        config.command_line = command_line.clone();
        Ok(Self {
            fixed: Some(Rc::new(config)),
            ..Self::nearest(snapshot, command_line)
        })
    }

    /// What holds for a file.
    pub fn of(&self, path: &RepoPath) -> Result<Rc<Config>, ConfigError> {
        if let Some(fixed) = &self.fixed {
            return Ok(fixed.clone());
        }
        self.of_folder(path.parent().unwrap_or_else(RepoPath::top))
    }

    fn of_folder(&self, folder: RepoPath) -> Result<Rc<Config>, ConfigError> {
        if let Some(known) = self.known.get(&folder) {
            return Ok(known);
        }
        let config = match (self.read(&folder)?, folder.parent()) {
            (Some(mut own), _) => {
                own.command_line = self.command_line.clone();
                Rc::new(own)
            }
            (None, Some(parent)) => self.of_folder(parent)?,
            (None, None) => Rc::new(Config {
                command_line: self.command_line.clone(),
                ..Config::default()
            }),
        };
        self.known.keep(folder, config.clone());
        Ok(config)
    }

    fn read(&self, folder: &RepoPath) -> Result<Option<Config>, ConfigError> {
        for name in ["alembic-named.toml", "pyproject.toml"] {
            let Some(path) = folder.join(name) else { continue };
            let bytes = self.snapshot.read(&path).map_err(|error| ConfigError::Unreadable {
                path: path.to_string(),
                cause: error.to_string(),
            })?;
            let Some(bytes) = bytes else { continue };
            let text = String::from_utf8(bytes).map_err(|_| ConfigError::Unreadable {
                path: path.to_string(),
                cause: "it is not UTF-8".to_owned(),
            })?;
            if let Some(config) = parse(&path, &path.display(), &text)? {
                return Ok(Some(config));
            }
        }
        Ok(None)
    }
}

/// A configuration from its text; nothing for a `pyproject.toml` that does not speak of this tool.
fn parse(origin: &RepoPath, shown: &str, text: &str) -> Result<Option<Config>, ConfigError> {
    let table = if origin.file_name() == b"pyproject.toml" {
        if !text.contains("alembic-named") {
            return Ok(None);
        }
        toml::from_str::<Pyproject>(text).map(|document| document.tool.and_then(|tool| tool.own))
    } else {
        toml::from_str::<Table>(text).map(Some)
    };
    let table = table.map_err(|error| {
        let file = SourceFile::new(origin.clone(), text.to_owned());
        let position = file.position(error.span().map_or(0, |span| span.start));
        ConfigError::Invalid {
            path: shown.to_owned(),
            line: position.line,
            column: position.column,
            message: with_nearest(error.message()),
        }
    })?;
    let config = table.map(|table| Config::of_table(table, origin)).transpose();
    config.map_err(|error| match error {
        ConfigError::Invalid { message, .. } => in_file(shown, &message),
        other => in_file(shown, &other.to_string()),
    })
}

/// serde's words about a key that is not there, shortened to the one that was meant.
fn with_nearest(message: &str) -> String {
    let mut quoted = message.split('`').skip(1).step_by(2);
    match quoted.next() {
        Some(key) if message.starts_with("unknown field") => match nearest(key, quoted) {
            Some(nearest) => format!("unknown key `{key}`, did you mean `{nearest}`?"),
            None => message
                .replacen("unknown field", "unknown key", 1)
                .replacen(key, &start_of(key), 1),
        },
        // The parser repeats what it found in the place of something else.
        _ if message.chars().nth(LONGEST_MESSAGE).is_some() => {
            message.chars().take(LONGEST_MESSAGE).chain(['\u{2026}']).collect()
        }
        _ => message.to_owned(),
    }
}

fn in_file(path: &str, message: &str) -> ConfigError {
    ConfigError::Unreadable {
        path: path.to_owned(),
        cause: message.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::MemorySnapshot;

    fn snapshot() -> MemorySnapshot {
        MemorySnapshot::from([
            (
                "pyproject.toml",
                "[tool.alembic-named]\nexclude = ['legacy', 'a/*.py']\nignore = ['syntax-error']\n",
            ),
            ("svc/pyproject.toml", "[project]\nname = 'svc'\n"),
            (
                "own/alembic-named.toml",
                "severity = { unnamed-drop = 'warning' }\nconvention = 'postgresql'\n",
            ),
        ])
    }

    #[test]
    fn the_nearest_configuration_counts() {
        let snapshot = snapshot();
        let configs = Configs::nearest(&snapshot, CommandLine::default());
        let origin = |path: &str| configs.of(&path.into()).unwrap().origin.clone();
        assert_eq!(origin("svc/deep/a.py"), Some("pyproject.toml".into()));
        assert_eq!(origin("own/a.py"), Some("own/alembic-named.toml".into()));
        let own = configs.of(&"own/a.py".into()).unwrap();
        let drop = rule("unnamed-drop").unwrap();
        assert_eq!(
            own.severity(&"own/a.py".into(), drop, Severity::Error),
            Severity::Warning
        );
        assert_eq!(own.convention, Some(Convention::postgresql_defaults()));
    }

    #[test]
    fn patterns_match_names_anywhere_and_paths_from_the_file() {
        let snapshot = snapshot();
        let configs = Configs::nearest(&snapshot, CommandLine::default());
        let config = configs.of(&"x.py".into()).unwrap();
        for (path, excluded) in [
            ("x/legacy/y.py", true),
            ("legacy.py", false),
            ("a/b.py", true),
            ("x/a/b.py", false),
        ] {
            assert_eq!(config.excludes(&path.into()), excluded, "{path}");
        }
    }

    #[test]
    fn mistakes_are_told_with_their_place() {
        let mistakes = [
            ("selct = []\n", "1:1: unknown key `selct`, did you mean `select`?"),
            ("ignore = ['unnamed-dorp']\n", "did you mean `unnamed-drop`?"),
            ("dialect = 'dbase'\n", "no dialect `dbase`"),
            ("convention = 'mine'\n", "no convention `mine`"),
            ("exclude = ['a[']\n", "not a glob"),
            ("select = 1\n", "1:10"),
        ];
        for (text, expected) in mistakes {
            let snapshot = MemorySnapshot::from([("alembic-named.toml", text)]);
            let error = Configs::nearest(&snapshot, CommandLine::default())
                .of(&"a.py".into())
                .unwrap_err()
                .to_string();
            assert!(
                error.contains(expected) && error.contains("alembic-named.toml"),
                "{text}: {error}"
            );
        }
    }

    #[test]
    fn the_command_line_comes_last() {
        let snapshot = snapshot();
        let drop = rule("unnamed-drop").unwrap();
        let command_line = CommandLine {
            select: Some(vec![drop]),
            ignore: Vec::new(),
            exclude: Globs::new(RepoPath::top(), &["gen"]).unwrap(),
            changed_lines_only: false,
        };
        let configs = Configs::nearest(&snapshot, command_line);
        let config = configs.of(&"a.py".into()).unwrap();
        let other = rule("unnamed-constraint").unwrap();
        assert_eq!(config.severity(&"a.py".into(), other, Severity::Error), Severity::Off);
        assert_eq!(config.severity(&"a.py".into(), drop, Severity::Error), Severity::Error);
        assert!(config.excludes(&"x/gen/a.py".into()));
    }

    #[test]
    fn a_sentence_repeats_the_beginning_of_what_is_wrong() {
        let long = "x".repeat(1_000_000);
        let list = |patterns: &str| format!("exclude = [{}]\n", patterns.repeat(13_000));
        for text in [
            format!("dialect = '{long}'\n"),
            format!("convention = '{long}'\n"),
            format!("ignore = ['{long}']\n"),
            format!("per-file-ignores = {{ '{long}[' = ['unnamed-drop'] }}\n"),
            format!("{long} = 1\n"),
            format!("severity = {{ unnamed-drop = '{long}' }}\n"),
            list("'abc/*', "),
            list("'a[', "),
        ] {
            let snapshot = MemorySnapshot::from([("alembic-named.toml", text.as_str())]);
            let configs = Configs::nearest(&snapshot, CommandLine::default());
            let error = configs.of(&"a.py".into()).unwrap_err().to_string();
            assert!(
                error.len() < 3_000 && error.contains("alembic-named.toml"),
                "{} bytes: {error:.300}",
                error.len()
            );
        }
        let snapshot = MemorySnapshot::from([("alembic-named.toml", list("'abc/*', ").as_str())]);
        let error = Configs::nearest(&snapshot, CommandLine::default())
            .of(&"a.py".into())
            .unwrap_err();
        assert!(
            error.to_string().contains("(`abc/*, abc/*, abc/* and 12997 more`)"),
            "{error}"
        );
    }

    /// The schema that editors use, and the table that is read, have the same keys.
    #[test]
    fn the_schema_has_every_key_and_no_other() {
        let schema = include_str!("../../docs/configuration.schema.json");
        let schema: serde_json::Value = serde_json::from_str(schema).unwrap();
        let mut described: Vec<&str> = schema["properties"]
            .as_object()
            .unwrap()
            .keys()
            .map(String::as_str)
            .collect();
        let error = toml::from_str::<Table>("nothing-like-this = 1\n").unwrap_err();
        let mut read: Vec<&str> = error.message().split('`').skip(3).step_by(2).collect();
        described.sort_unstable();
        read.sort_unstable();
        assert_eq!(described, read);
        let rules: Vec<&str> = rules::all().map(|rule| rule.name).collect();
        let named: Vec<&str> = schema["definitions"]["rule"]["enum"]
            .as_array()
            .unwrap()
            .iter()
            .map(|name| name.as_str().unwrap())
            .collect();
        assert_eq!(named, rules);
    }
}
