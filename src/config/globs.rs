//! File patterns.

use globset::{Glob, GlobSet, GlobSetBuilder};

use super::ConfigError;
use super::names::{in_short, start_of};
use crate::source::RepoPath;

/// The most patterns in one list; all are compiled before the first file is checked.
const MOST_PATTERNS: usize = 10_000;

/// Patterns of paths below one folder. A pattern without a slash matches at any depth, and a folder matches all files in it.
#[derive(Debug, Default, Clone)]
pub struct Globs {
    folder: RepoPath,
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
        Ok(Self { folder, set })
    }

    pub(super) fn matches(&self, path: &RepoPath) -> bool {
        if self.set.is_empty() || !path.starts_with(&self.folder) {
            return false;
        }
        let text = path.display();
        let below = text
            .get(self.folder.display().len()..)
            .unwrap_or_default()
            .trim_start_matches('/');
        self.set.is_match(below)
    }
}
