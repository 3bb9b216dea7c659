//! Finds the configuration that holds for a file: the nearest above it.

use elsa::FrozenMap;

use super::table::parse;
use super::{CommandLine, Config, ConfigError};
use crate::snapshot::Snapshot;
use crate::source::RepoPath;

/// The files that may hold a configuration; in one folder the first counts.
const NAMES: [&str; 2] = ["alembic-named.toml", "pyproject.toml"];

/// Whether a file may hold a configuration.
#[must_use]
pub fn may_configure(path: &RepoPath) -> bool {
    NAMES.iter().any(|name| path.file_name() == name.as_bytes())
}

/// The configurations of a snapshot, each read once.
pub struct Configs<'s> {
    /// Where the nearest is looked for; none with `--config`.
    snapshot: Option<&'s dyn Snapshot>,
    command_line: CommandLine,
    /// By their folders, most of which have none.
    known: FrozenMap<RepoPath, Box<Option<Config>>>,
    otherwise: Config,
}

impl<'s> Configs<'s> {
    /// Looks for the nearest configuration of each file.
    #[must_use]
    pub fn nearest(snapshot: &'s dyn Snapshot, command_line: CommandLine) -> Self {
        Self {
            snapshot: Some(snapshot),
            ..Self::one(Config::default(), command_line)
        }
    }

    /// Uses the text of one file for all (`--config`); its patterns are relative to the top.
    pub fn fixed(command_line: CommandLine, path: &str, text: &str) -> Result<Self, ConfigError> {
        let origin = RepoPath::from(path.rsplit('/').next().unwrap_or(path));
        let config = parse(&origin, path, text)?.unwrap_or_default();
        Ok(Self::one(config, command_line))
    }

    fn one(config: Config, command_line: CommandLine) -> Self {
        Self {
            snapshot: None,
            known: FrozenMap::new(),
            otherwise: Config {
                command_line: command_line.clone(),
                ..config
            },
            command_line,
        }
    }

    /// What holds for a file.
    pub fn of(&self, path: &RepoPath) -> Result<&Config, ConfigError> {
        let Some(snapshot) = self.snapshot else {
            return Ok(&self.otherwise);
        };
        for folder in path.ancestors() {
            let own = if let Some(known) = self.known.get(&folder) {
                known
            } else {
                let own = read(snapshot, &folder)?.map(|own| Config {
                    command_line: self.command_line.clone(),
                    ..own
                });
                self.known.insert(folder, Box::new(own))
            };
            if let Some(config) = own {
                return Ok(config);
            }
        }
        Ok(&self.otherwise)
    }

    /// Fails if this file is a wrong configuration, whether or not it holds for a file that is checked. Excluded files and, with
    /// `--config`, all are left alone.
    pub fn prove(&self, path: &RepoPath) -> Result<(), ConfigError> {
        let Some(snapshot) = self.snapshot else {
            return Ok(());
        };
        let folder = path.parent().unwrap_or_default();
        if !self.of(&folder)?.excludes(path) {
            read_file(snapshot, path)?;
        }
        Ok(())
    }
}

fn read(snapshot: &dyn Snapshot, folder: &RepoPath) -> Result<Option<Config>, ConfigError> {
    for name in NAMES {
        let path = folder.join(name);
        if let Some(config) = path.map_or(Ok(None), |path| read_file(snapshot, &path))? {
            return Ok(Some(config));
        }
    }
    Ok(None)
}

fn read_file(snapshot: &dyn Snapshot, path: &RepoPath) -> Result<Option<Config>, ConfigError> {
    let unreadable = |cause: String| ConfigError::Unreadable {
        path: path.to_string(),
        cause,
    };
    let bytes = snapshot.read(path).map_err(|error| unreadable(error.to_string()))?;
    let Some(bytes) = bytes else { return Ok(None) };
    let text = String::from_utf8(bytes).map_err(|_| unreadable("it is not UTF-8".to_owned()))?;
    parse(path, &path.display(), &text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Globs, rule};
    use crate::diagnostic::Severity;
    use crate::naming::Convention;
    use crate::snapshot::MemorySnapshot;

    fn snapshot() -> MemorySnapshot {
        MemorySnapshot::from([
            (
                "pyproject.toml",
                "[tool.alembic-named]\nexclude = ['legacy', 'a/*.py']\nignore = ['syntax-error']\n",
            ),
            ("svc/pyproject.toml", "[project]\nname = 'svc'\n"),
            ("own/alembic-named.toml", "severity = { unnamed-drop = 'warning' }\nconvention = 'postgresql'\n"),
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
        assert_eq!(own.severity(&"own/a.py".into(), drop, Severity::Error), Severity::Warning);
        assert_eq!(own.convention, Some(Convention::postgresql_defaults()));
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
    fn patterns_match_names_anywhere_and_paths_from_the_file() {
        let snapshot = snapshot();
        let configs = Configs::nearest(&snapshot, CommandLine::default());
        let config = configs.of(&"x.py".into()).unwrap();
        for (path, excluded) in [("x/legacy/y.py", true), ("legacy.py", false), ("a/b.py", true), ("x/a/b.py", false)] {
            assert_eq!(config.excludes(&path.into()), excluded, "{path}");
        }
    }
}
