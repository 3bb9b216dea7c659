//! The other parents of a commit that concludes a merge.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use super::GitError;
use super::environment::Environment;
use crate::snapshot::ObjectId;

/// The other parents, as far as they are known before the commit exists.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct OtherParents {
    pub(super) commits: Vec<ObjectId>,
    /// git wrote them into `MERGE_HEAD`, one a line (gitrevisions). Else they are those that the environment of pre-merge-commit names, when
    /// `MERGE_HEAD` is not written yet (measured, git 2.47). These could be of a merge elsewhere, so each counts only if it is a commit of
    /// this repository that HEAD does not hold yet.
    pub(super) are_recorded: bool,
}

impl OtherParents {
    /// None for an ordinary commit.
    pub(super) fn find(git_dir: &Path, environment: &Environment) -> Result<Self, GitError> {
        let path = git_dir.join("MERGE_HEAD");
        match fs::read_to_string(&path) {
            Ok(text) => Ok(Self {
                commits: text.lines().filter_map(ObjectId::parse).collect(),
                are_recorded: true,
            }),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Self {
                commits: environment.merged_heads(),
                are_recorded: false,
            }),
            Err(cause) => Err(GitError::Io { path, cause }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "92e569fadf44ff168e63733f4771c2544fde05d3";

    #[test]
    fn merge_head_goes_before_the_environment() {
        let folder = tempfile::tempdir().unwrap();
        let id = ObjectId::parse(ID).unwrap();
        let merging = Environment::default()
            .with(format!("GITHEAD_{ID}"), "t")
            .with("GIT_REFLOG_ACTION", "merge t");
        let find = |environment: &Environment| OtherParents::find(folder.path(), environment).unwrap();
        assert_eq!(find(&Environment::default()), OtherParents::default());
        let parents = |commits, are_recorded| OtherParents { commits, are_recorded };
        assert_eq!(find(&merging), parents(vec![id.clone()], false));
        fs::write(folder.path().join("MERGE_HEAD"), format!("{ID}\n{ID}\n")).unwrap();
        assert_eq!(find(&merging), parents(vec![id.clone(), id], true));
    }
}
