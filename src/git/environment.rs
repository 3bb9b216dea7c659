//! The environment variables of git.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use crate::snapshot::ObjectId;

/// The environment of a process, or a test's own. git is started with exactly these variables; git(1), "Environment variables", says what
/// they mean.
#[derive(Debug, Clone, Default)]
pub struct Environment {
    variables: Vec<(OsString, OsString)>,
}

/// Move parts of the repository; libgit2 ignores them when it is given explicit paths, or reads them differently (alternates in C quotes:
/// measured).
const ONLY_GIT_HONOURS: [&str; 7] = [
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_GRAFT_FILE",
    "GIT_IMPLICIT_WORK_TREE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_REPLACE_REF_BASE",
    "GIT_SHALLOW_FILE",
];

/// Are about one repository (`git rev-parse --local-env-vars`).
const ABOUT_ONE_REPOSITORY: [&str; 5] = ["GIT_DIR", "GIT_INDEX_FILE", "GIT_NAMESPACE", "GIT_PREFIX", "GIT_WORK_TREE"];

impl Environment {
    /// The environment of this process.
    #[must_use]
    pub fn of_process() -> Self {
        Self {
            variables: std::env::vars_os().collect(),
        }
    }

    /// The same environment for another repository. Variables that say how to run git stay.
    #[must_use]
    pub fn for_another_repository(mut self) -> Self {
        let is_about_one = |name: &OsStr| {
            ABOUT_ONE_REPOSITORY
                .iter()
                .chain(&ONLY_GIT_HONOURS)
                .any(|one| name == *one)
        };
        self.variables.retain(|(name, _)| !is_about_one(name));
        self
    }

    /// The same environment with one variable set.
    #[must_use]
    pub fn with(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        let name = name.into();
        self.variables.retain(|(known, _)| *known != name);
        self.variables.push((name, value.into()));
        self
    }

    pub(super) fn variables(&self) -> impl Iterator<Item = (&OsString, &OsString)> {
        self.variables.iter().map(|(name, value)| (name, value))
    }

    pub(super) fn get(&self, name: &str) -> Option<&OsStr> {
        let found = self.variables.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_os_str())
    }

    /// Why only git can find the repository, if so. `git -c` is no reason: git finds the repository without it (measured with
    /// `core.worktree`, 2.47).
    pub(super) fn needs_git(&self) -> Option<String> {
        let set = ONLY_GIT_HONOURS.into_iter().find(|name| self.get(name).is_some());
        let empty = ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"]
            .into_iter()
            .find(|name| self.get(name).is_some_and(OsStr::is_empty));
        set.or(empty).map(|name| format!("{name} is set"))
    }

    /// The folders above which no repository is searched for.
    pub(super) fn ceilings(&self) -> Vec<PathBuf> {
        let ceilings = self.get("GIT_CEILING_DIRECTORIES").unwrap_or_default();
        std::env::split_paths(ceilings)
            .filter(|folder| !folder.as_os_str().is_empty())
            .collect()
    }

    /// Whether the search for a repository may cross into another file system.
    pub(super) fn crosses_file_systems(&self) -> bool {
        let value = self.get("GIT_DISCOVERY_ACROSS_FILESYSTEM").unwrap_or_default();
        let value = value.to_string_lossy().to_lowercase();
        matches!(value.as_str(), "true" | "yes" | "on") || value.parse::<i64>().is_ok_and(|number| number != 0)
    }

    /// The commits that a running `git merge` or `git pull` joins. For pre-merge-commit it names them in `GITHEAD_<id>` only (measured, git
    /// 2.47). What the merge starts inherits the variables, so they count only while the reflog action is a merge.
    pub(super) fn merged_heads(&self) -> Vec<ObjectId> {
        let action = self.get("GIT_REFLOG_ACTION").unwrap_or_default().to_string_lossy();
        if !matches!(action.split(' ').next(), Some("merge" | "pull")) {
            return Vec::new();
        }
        let names = self.variables.iter().map(|(name, _)| name.to_string_lossy());
        let heads = names.filter_map(|name| name.strip_prefix("GITHEAD_").and_then(ObjectId::parse));
        let mut heads: Vec<ObjectId> = heads.collect();
        heads.sort();
        heads
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_hook_needs_no_git() {
        let hook = Environment::default()
            .with("GIT_INDEX_FILE", ".git/index")
            .with("GIT_CONFIG_PARAMETERS", "'user.name'='x'");
        assert_eq!(hook.needs_git(), None);
        assert!(hook.clone().with("GIT_OBJECT_DIRECTORY", "x").needs_git().is_some());
        assert!(hook.with("GIT_DIR", "").needs_git().is_some());
    }

    #[test]
    fn heads_of_a_merge_count_only_during_a_merge() {
        let id = "92e569fadf44ff168e63733f4771c2544fde05d3";
        let merge = Environment::default().with(format!("GITHEAD_{id}"), "topic");
        assert!(merge.merged_heads().is_empty());
        assert!(
            merge
                .clone()
                .with("GIT_REFLOG_ACTION", "rebase (merge)")
                .merged_heads()
                .is_empty()
        );
        assert_eq!(merge.with("GIT_REFLOG_ACTION", "merge topic").merged_heads(), [ObjectId::parse(id).unwrap()]);
        let odd = Environment::default()
            .with("GITHEAD_nothing", "x")
            .with("GIT_REFLOG_ACTION", "pull");
        assert!(odd.merged_heads().is_empty());
    }
}
