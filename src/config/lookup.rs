//! Finds the configuration that holds for a file: the nearest above it.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use super::table::parse;
use super::{CommandLine, Config, ConfigError};
use crate::snapshot::Snapshot;
use crate::source::RepoPath;

/// The configurations of a snapshot, each read once.
pub struct Configs<'s> {
    snapshot: &'s dyn Snapshot,
    command_line: CommandLine,
    fixed: Option<Rc<Config>>,
    known: RefCell<HashMap<RepoPath, Rc<Config>>>,
}

impl<'s> Configs<'s> {
    /// Looks for the nearest configuration of each file.
    #[must_use]
    pub fn nearest(snapshot: &'s dyn Snapshot, command_line: CommandLine) -> Self {
        Self {
            snapshot,
            command_line,
            fixed: None,
            known: RefCell::default(),
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
        if let Some(known) = self.known.borrow().get(&folder) {
            return Ok(known.clone());
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
        self.known.borrow_mut().insert(folder, config.clone());
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
