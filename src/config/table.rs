//! Reads a configuration from TOML.

use toml::de::DeTable;

use super::value::{Mistake, Setting, Text, settings};
use super::{Config, ConfigError, Globs, rule};
use crate::diagnostic::{Rule, Severity};
use crate::naming::{ConstraintKind, Convention, Dialect, Key, Problem, ProblemKind, Value, kind_meant, problems};
use crate::source::{RepoPath, SourceFile};

/// How many characters of a message of the TOML parser are repeated.
const LONGEST_MESSAGE: usize = 600;

/// The keys of the table.
const KEYS: [&str; 11] = [
    "select",
    "ignore",
    "exclude",
    "per-file-ignores",
    "severity",
    "migrations",
    "metadata",
    "convention",
    "dialect",
    "deployed",
    "changed-lines-only",
];

/// Parses a configuration; nothing for a `pyproject.toml` without a table for this tool.
pub(super) fn parse(origin: &RepoPath, shown: &str, text: &str) -> Result<Option<Config>, ConfigError> {
    let is_pyproject = origin.file_name() == b"pyproject.toml";
    if is_pyproject && !text.contains("alembic-named") {
        return Ok(None);
    }
    read(origin, text, is_pyproject).map_err(|mistake| {
        let position = SourceFile::new(origin.clone(), text.to_owned()).position(mistake.at);
        ConfigError::Invalid {
            path: shown.to_owned(),
            line: position.line,
            column: position.column,
            message: in_short(&mistake.message),
        }
    })
}

fn in_short(message: &str) -> String {
    match message.char_indices().nth(LONGEST_MESSAGE) {
        Some((at, _)) => format!("{}\u{2026}", &message[..at]),
        None => message.to_owned(),
    }
}

fn read(origin: &RepoPath, text: &str, is_pyproject: bool) -> Result<Option<Config>, Mistake> {
    let document = DeTable::parse(text).map_err(|error| Mistake {
        at: error.span().map_or(0, |span| span.start),
        message: error.message().to_owned(),
    })?;
    let all = settings("", document.get_ref());
    if !is_pyproject {
        return Config::of_settings(&all, origin).map(Some);
    }
    let Some(tool) = all.iter().find(|setting| setting.name == "tool") else {
        return Ok(None);
    };
    let tools = tool.table("a table")?;
    let Some(own) = tools.iter().find(|setting| setting.name == "alembic-named") else {
        return Ok(None);
    };
    let settings = own.settings_below("").ok_or_else(|| own.must_be("a table"))?;
    Config::of_settings(&settings, origin).map(Some)
}

impl Config {
    fn of_settings(settings: &[Setting<'_>], origin: &RepoPath) -> Result<Self, Mistake> {
        let folder = origin.parent().unwrap_or_else(RepoPath::top);
        let mut config = Self {
            origin: Some(origin.clone()),
            ..Self::default()
        };
        for setting in settings {
            match setting.name {
                "select" => config.select = Some(rules(setting)?),
                "ignore" => config.ignore = rules(setting)?,
                "exclude" => config.exclude = globs(setting, &folder)?,
                "per-file-ignores" => config.per_file_ignores = per_file_ignores(setting, &folder)?,
                "severity" => config.severity = severity(setting)?,
                "migrations" => config.migrations = globs(setting, &folder)?,
                "metadata" => config.metadata = globs(setting, &folder)?,
                "convention" => config.convention = Some(convention(setting)?),
                "dialect" => config.dialect = Some(setting.choice(&Dialect::NAMES, None, Dialect::from_name)?),
                "deployed" => config.nothing_deployed = !setting.boolean()?,
                "changed-lines-only" => config.changed_lines_only = setting.boolean()?,
                _ => return Err(setting.unknown(&KEYS, None)),
            }
        }
        Ok(config)
    }
}

fn rules(setting: &Setting<'_>) -> Result<Vec<&'static Rule>, Mistake> {
    let named = setting.texts("a list of rules")?.into_iter();
    let find = named.map(|name| rule(name.text).map_err(|error| setting.wrong(name.at, &error)));
    find.collect()
}

fn globs(setting: &Setting<'_>, folder: &RepoPath) -> Result<Globs, Mistake> {
    let patterns = setting.texts("a list of patterns")?;
    Globs::new(folder.clone(), &patterns).map_err(|error| {
        let is_bad = |pattern: &&Text<'_>| Globs::new(folder.clone(), &[**pattern]).is_err();
        let bad = match error {
            ConfigError::BadGlob { .. } => patterns.iter().find(is_bad),
            _ => None,
        };
        setting.wrong(bad.map_or(setting.at(), |pattern| pattern.at), &error)
    })
}

fn per_file_ignores(setting: &Setting<'_>, folder: &RepoPath) -> Result<Vec<(Globs, Vec<&'static Rule>)>, Mistake> {
    let patterns = setting.table("a table of patterns, each with a list of rules")?;
    let ignores = patterns.iter().map(|pattern| {
        let globs = Globs::new(folder.clone(), &[pattern.name]);
        let globs = globs.map_err(|error| setting.wrong(pattern.key_at(), &error))?;
        Ok((globs, rules(pattern)?))
    });
    ignores.collect()
}

fn severity(setting: &Setting<'_>) -> Result<Vec<(&'static Rule, Severity)>, Mistake> {
    const LEVELS: [Severity; 3] = [Severity::Error, Severity::Warning, Severity::Off];
    let names = LEVELS.map(Severity::name);
    let levels = setting.table("a table of rules, each with `error`, `warning` or `off`")?;
    let level = levels.iter().map(|level| {
        let rule = rule(level.name).map_err(|error| setting.wrong(level.key_at(), &error))?;
        let find = |name: &str| LEVELS.into_iter().find(|known| known.name() == name);
        Ok((rule, level.choice(&names, None, find)?))
    });
    level.collect()
}

fn convention(setting: &Setting<'_>) -> Result<Convention, Mistake> {
    const TEMPLATE: &str = "a template such as `fk_%(table_name)s_%(column_0_name)s`";
    let Some(templates) = setting.settings_below("convention.") else {
        let preset = |name: &str| match name {
            "sqlalchemy" => Some(Convention::sqlalchemy_documented()),
            "postgresql" => Some(Convention::postgresql_defaults()),
            _ => None,
        };
        return setting.choice(&["sqlalchemy", "postgresql"], Some("a table of templates"), preset);
    };
    let prefixes: Vec<&str> = ConstraintKind::ALL
        .into_iter()
        .filter_map(ConstraintKind::prefix)
        .collect();
    let entry = |one: &Setting<'_>| {
        let template = one.text().ok_or_else(|| one.must_be(TEMPLATE))?;
        let entry = (Key::Text(one.name.to_owned()), Value::Template(template.to_owned()));
        if !prefixes.contains(&one.name) {
            let meant = kind_meant(one.name, Some(template));
            return Err(one.unknown(&prefixes, meant.and_then(ConstraintKind::prefix)));
        }
        // Suggestions keep two constraints of one name apart; all else gives no name at all.
        let gives_none = |problem: &Problem| !matches!(problem.kind, ProblemKind::SameName(_));
        let problem = problems(&Convention::new([entry.clone()])).into_iter().find(gives_none);
        problem.map_or(Ok(entry), |problem| Err(setting.wrong(one.at(), &problem)))
    };
    let entries: Result<Vec<(Key, Value)>, Mistake> = templates.iter().map(entry).collect();
    entries.map(Convention::new)
}

#[cfg(test)]
mod tests;
