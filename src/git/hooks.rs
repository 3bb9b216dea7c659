//! Where git looks for hooks. Only git knows in all cases: configuration from many places, `~`, linked worktrees, submodules.

use std::path::{Component, Path, PathBuf};

use super::command::first_line;
use super::{GitError, Repository};

const REASON: &str = "only git knows where its hooks are";

/// Where git looks for hooks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hooks {
    /// The folder, absolute; it need not exist.
    pub folder: PathBuf,
    /// The value of `core.hooksPath`, if it is set.
    pub configured: Option<String>,
    /// Whether that is the user's or the system's configuration, for all repositories.
    pub is_shared: bool,
}

impl Repository {
    /// Where git looks for hooks. The folder is relative to the top of the working tree if `core.hooksPath` is, so each
    /// linked worktree can have its own.
    pub fn hooks(&self) -> Result<Hooks, GitError> {
        let caller = self.caller(REASON);
        let arguments = ["rev-parse", "--git-path", "hooks"];
        let folder = caller.line(&arguments, &caller.output_as_configured(&arguments)?)?;
        let configured = caller.output_as_configured(&["config", "--get", "core.hooksPath"])?;
        let configured = configured.status.success().then(|| first_line(&configured.stdout));
        // A git before 2.26 does not know the option, and answers nothing.
        let scope = caller.output_as_configured(&["config", "--show-scope", "--get", "core.hooksPath"])?;
        let is_shared = ["global", "system"]
            .iter()
            .any(|scope_name| scope.stdout.starts_with(scope_name.as_bytes()));
        Ok(Hooks {
            folder: tidy(&self.from().join(folder)),
            configured,
            is_shared,
        })
    }

    /// Whether git would offer to commit a file: it is below the top, not in `.git`, and not ignored.
    pub fn can_be_committed(&self, path: &Path) -> Result<bool, GitError> {
        let is_below = path
            .strip_prefix(self.top())
            .is_ok_and(|below| !below.starts_with(".git"));
        let Some(name) = path.to_str().filter(|_| is_below) else {
            return Ok(false);
        };
        let output = self.caller(REASON).output(&["check-ignore", "--quiet", "--", name])?;
        Ok(output.status.code() == Some(1))
    }
}

/// Without the `.` and `..` that git prints below the top. The folder that they start from comes from the system and holds no link, so the
/// path stays the same.
fn tidy(path: &Path) -> PathBuf {
    let mut tidy = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir if tidy.file_name().is_some() => {
                tidy.pop();
            }
            other => tidy.push(other),
        }
    }
    tidy
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_git_prints_below_the_top_becomes_a_plain_path() {
        assert_eq!(tidy(Path::new("/a/b/../.hk")), Path::new("/a/.hk"));
        assert_eq!(tidy(Path::new("/a/./hooks/")), Path::new("/a/hooks"));
        assert_eq!(tidy(Path::new("/../x")), Path::new("/../x"));
    }
}
