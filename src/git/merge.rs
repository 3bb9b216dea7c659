//! The other parents of a commit that concludes a merge.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use super::GitError;
use super::environment::Environment;
use crate::snapshot::ObjectId;

/// What is known about the other parents before the commit exists.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum OtherParents {
    /// An ordinary commit.
    None,
    /// Written down by git in `MERGE_HEAD`, one a line; several for an octopus (gitrevisions, `MERGE_HEAD`).
    Recorded(Vec<ObjectId>),
    /// Named in the environment of pre-merge-commit, when `MERGE_HEAD` is not written yet (measured, git 2.47). The
    /// variables could be those of a merge elsewhere, so each must be proved: a commit of this repository that HEAD
    /// does not hold yet.
    Announced(Vec<ObjectId>),
}

impl OtherParents {
    /// Looks in the worktree's own git folder, then in the environment.
    pub(super) fn find(git_dir: &Path, environment: &Environment) -> Result<Self, GitError> {
        let path = git_dir.join("MERGE_HEAD");
        match fs::read_to_string(&path) {
            Ok(text) => Ok(Self::Recorded(text.lines().filter_map(ObjectId::parse).collect())),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let heads = environment.merged_heads();
                Ok(if heads.is_empty() {
                    Self::None
                } else {
                    Self::Announced(heads)
                })
            }
            Err(cause) => Err(GitError::Io { path, cause }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "92e569fadf44ff168e63733f4771c2544fde05d3";

    #[test]
    fn what_git_wrote_goes_before_what_it_announced() {
        let folder = tempfile::tempdir().unwrap();
        let id = ObjectId::parse(ID).unwrap();
        let merging = Environment::default()
            .with(format!("GITHEAD_{ID}"), "t")
            .with("GIT_REFLOG_ACTION", "merge t");
        let find = |environment: &Environment| OtherParents::find(folder.path(), environment).unwrap();
        assert_eq!(find(&Environment::default()), OtherParents::None);
        assert_eq!(find(&merging), OtherParents::Announced(vec![id.clone()]));
        fs::write(folder.path().join("MERGE_HEAD"), format!("{ID}\n{ID}\n")).unwrap();
        assert_eq!(find(&merging), OtherParents::Recorded(vec![id.clone(), id]));
    }
}
