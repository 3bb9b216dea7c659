//! Reads a configuration from TOML.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::names::start_of;
use super::{CommandLine, Config, ConfigError, Globs, nearest, rule, rules_named};
use crate::diagnostic::Severity;
use crate::naming::{Convention, Dialect, Key, Value};
use crate::source::{RepoPath, SourceFile};

/// How many characters of a message of the TOML parser are repeated; it lists what would be right.
const LONGEST_MESSAGE: usize = 600;

/// Parses a configuration; nothing for a `pyproject.toml` without a table for this tool.
pub(super) fn parse(origin: &RepoPath, shown: &str, text: &str) -> Result<Option<Config>, ConfigError> {
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
    config.map_err(|error| ConfigError::Unreadable {
        path: shown.to_owned(),
        cause: error.to_string(),
    })
}

/// serde's message; for an unknown key, with the nearest known one instead of the whole list.
fn with_nearest(message: &str) -> String {
    let mut quoted = message.split('`').skip(1).step_by(2);
    match quoted.next() {
        Some(key) if message.starts_with("unknown field") => match nearest(key, quoted) {
            Some(nearest) => format!("unknown key `{key}`, did you mean `{nearest}`?"),
            None => message
                .replacen("unknown field", "unknown key", 1)
                .replacen(key, &start_of(key), 1),
        },
        // The parser repeats the value that it found.
        _ if message.chars().nth(LONGEST_MESSAGE).is_some() => {
            message.chars().take(LONGEST_MESSAGE).chain(['\u{2026}']).collect()
        }
        _ => message.to_owned(),
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
            _ => Err(ConfigError::Value(format!(
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
        ConfigError::Value(format!(
            "there is no dialect `{}`: write postgresql, mysql, mariadb, sqlite, oracle, mssql or other",
            start_of(name)
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Configs;
    use crate::rules;
    use crate::snapshot::MemorySnapshot;

    fn error(text: &str) -> String {
        let snapshot = MemorySnapshot::from([("alembic-named.toml", text)]);
        let configs = Configs::nearest(&snapshot, CommandLine::default());
        configs.of(&"a.py".into()).unwrap_err().to_string()
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
            let error = error(text);
            assert!(error.contains(expected) && error.contains("alembic-named.toml"), "{text}: {error}");
        }
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
            let error = error(&text);
            assert!(error.len() < 3_000 && error.contains("alembic-named.toml"), "{} bytes: {error:.300}", error.len());
        }
        let error = error(&list("'abc/*', "));
        assert!(error.contains("(`abc/*, abc/*, abc/* and 12997 more`)"), "{error}");
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
