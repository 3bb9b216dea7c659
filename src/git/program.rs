//! Asks the git program, for what libgit2 cannot read: sparse and split indexes, SHA-256, reftable, extensions, ownership. No question writes
//! or locks.

use std::cell::{OnceCell, RefCell};
use std::collections::HashSet;

use elsa::FrozenMap;

use super::batch::{Batch, Reply};
use super::command::{Caller, first_line};
use super::delta::{Delta, Kind, Pair};
use super::layout::Layout;
use super::libgit2::Between;
use super::listing::{EMPTY, Listing};
use super::merge::OtherParents;
use super::{GitError, raw};
use crate::once::once;
use crate::snapshot::{ObjectId, SnapshotError};
use crate::source::RepoPath;

/// Gives the same answer under any configuration (git-diff). `diff-index` would count intent-to-add entries, and needs a HEAD.
const DIFF: [&str; 9] = [
    "diff",
    "--raw",
    "-z",
    "--no-abbrev",
    "--no-relative",
    "--ignore-submodules=none",
    "--no-ext-diff",
    "--no-textconv",
    "--no-color",
];

/// The ids of an empty file, in both hashes.
const EMPTY_FILE: [&str; 2] = [
    "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391",
    "473a0f4c3be8a93681a267e3b1e9a7dcda1185436fe141f7749120a303721813",
];

/// A repository that the git program reads.
pub(super) struct Program {
    caller: Caller,
    layout: Layout,
    batch: RefCell<Option<Batch>>,
    head: OnceCell<Option<ObjectId>>,
    /// git is not started for each path.
    trees: FrozenMap<ObjectId, Box<Listing>>,
    index: OnceCell<Listing>,
}

impl Program {
    pub(super) fn new(caller: Caller, layout: Layout) -> Self {
        Self {
            caller,
            layout,
            batch: RefCell::default(),
            head: OnceCell::new(),
            trees: FrozenMap::new(),
            index: OnceCell::new(),
        }
    }

    pub(super) fn reason(&self) -> &str {
        &self.caller.reason
    }

    fn answer(&self, arguments: &[&str]) -> Result<Vec<u8>, GitError> {
        let output = self.caller.output(arguments)?;
        if output.status.success() {
            Ok(output.stdout)
        } else {
            Err(self.refusal(arguments, &output.stderr))
        }
    }

    /// The error that git's words mean, in 2.39 to 2.47.
    fn refusal(&self, arguments: &[&str], stderr: &[u8]) -> GitError {
        let text = String::from_utf8_lossy(stderr);
        let says = |phrases: &[&str]| phrases.iter().any(|phrase| text.contains(phrase));
        let (index, cause) = (self.layout.index.clone(), first_line(stderr));
        if says(&["dubious ownership"]) {
            GitError::Ownership {
                path: self.caller.owned_by_another(&text),
            }
        } else if says(&["bad index version", "which we do not understand"]) {
            GitError::UnknownIndexFormat { index, cause }
        } else if says(&["index file open failed", "unable to map index file", "cannot stat the open index"]) {
            GitError::UnreadableIndex { index, cause }
        } else if says(&[
            "index file corrupt",
            "bad signature",
            "index file smaller",
            "bad index file",
            "unordered stage entries",
            "malformed name field",
        ]) {
            GitError::CorruptIndex { index, cause }
        } else {
            self.caller.failed(arguments, &cause)
        }
    }

    fn strange(&self, arguments: &[&str]) -> GitError {
        self.caller
            .failed(arguments, "its answer is not of the documented form")
    }

    fn diff(&self, arguments: &[&str]) -> Result<Vec<Delta>, GitError> {
        let arguments = [&DIFF[..], arguments].concat();
        raw::parse(&self.answer(&arguments)?).ok_or_else(|| self.strange(&arguments))
    }

    fn listing(&self, arguments: &[&str]) -> Result<Listing, GitError> {
        Listing::parse(&self.answer(arguments)?).ok_or_else(|| self.strange(arguments))
    }

    /// The object of a revision.
    fn resolve(&self, revision: &str) -> Result<Option<ObjectId>, GitError> {
        if revision.starts_with('-') {
            return Ok(None);
        }
        let id = self.caller.parse_any(&["--verify", "--quiet", revision])?;
        Ok(id.and_then(|id| ObjectId::parse(&id.to_string_lossy())))
    }

    /// HEAD's tree; `None` before the first commit only. `git diff --cached` takes a damaged HEAD for one without commits, and all that is
    /// committed would count as new (measured, 2.47).
    pub(super) fn head(&self) -> Result<Option<&ObjectId>, GitError> {
        let head = once(&self.head, || {
            let head = self.resolve("HEAD^{tree}")?;
            if head.is_none() {
                self.check_unborn()?;
            }
            Ok::<_, GitError>(head)
        });
        Ok(head?.as_ref())
    }

    /// Fails unless HEAD is a branch that has no commit yet: git can name that branch, and no commit of it.
    fn check_unborn(&self) -> Result<(), GitError> {
        let git_dir = self.layout.git_dir.clone();
        if let Some(commit) = self.resolve("HEAD")? {
            return Err(GitError::BadHead { git_dir, commit });
        }
        if self
            .caller
            .output(&["symbolic-ref", "--quiet", "HEAD"])?
            .status
            .success()
        {
            return Ok(());
        }
        Err(match self.caller.parse_any(&["--git-dir"])? {
            Some(_) => GitError::DamagedBranch { git_dir },
            None => GitError::DamagedHead { git_dir },
        })
    }

    pub(super) fn head_listing(&self) -> Result<&Listing, GitError> {
        match self.head()? {
            Some(tree) => self.tree_listing(tree),
            None => Ok(&EMPTY),
        }
    }

    pub(super) fn tree_listing(&self, tree: &ObjectId) -> Result<&Listing, GitError> {
        if let Some(known) = self.trees.get(tree) {
            return Ok(known);
        }
        let listing = self.listing(&["ls-tree", "-r", "-z", "--full-tree", tree.as_str()])?;
        Ok(self.trees.insert(tree.clone(), Box::new(listing)))
    }

    /// The index without its intent-to-add entries.
    pub(super) fn index_listing(&self) -> Result<&Listing, GitError> {
        once(&self.index, || {
            let mut listing = self.listing(&["ls-files", "-s", "-z", "--full-name", "--", ":/"])?;
            if listing.rows().iter().any(|row| EMPTY_FILE.contains(&row.id.as_str())) {
                self.remove_intents(&mut listing)?;
            }
            Ok(listing)
        })
    }

    /// ls-files shows an intent-to-add entry as an empty file. A real one is either staged or in HEAD and not deleted.
    fn remove_intents(&self, listing: &mut Listing) -> Result<(), GitError> {
        let deltas = self.staged()?;
        let changed: HashSet<&RepoPath> = deltas.iter().map(|delta| &delta.path).collect();
        let staged: HashSet<&RepoPath> = deltas
            .iter()
            .filter(|delta| delta.kind != Kind::Deleted)
            .map(|delta| &delta.path)
            .collect();
        let head = self.head_listing()?;
        listing.retain(|row| {
            let is_held = || !changed.contains(&row.path) && head.file(&row.path).is_some();
            !EMPTY_FILE.contains(&row.id.as_str()) || staged.contains(&row.path) || is_held()
        });
        Ok(())
    }

    /// HEAD to index.
    pub(super) fn staged(&self) -> Result<Vec<Delta>, GitError> {
        self.head()?;
        self.diff(&["--cached", "--no-renames"])
    }

    /// The merge base of two revisions to the second.
    pub(super) fn between(&self, from: &str, to: &str) -> Result<Between, GitError> {
        let commit = |revision: &str| {
            let unknown = || GitError::UnknownRevision {
                revision: revision.to_owned(),
            };
            self.resolve(&format!("{revision}^{{commit}}"))?.ok_or_else(unknown)
        };
        let (one, other) = (commit(from)?, commit(to)?);
        let Some(base) = self.merge_base(&one, &other)? else {
            let is_shallow = self.caller.is_so("--is-shallow-repository")?;
            return Err(GitError::no_common_commit(from, to, is_shallow));
        };
        let tree = |commit: &ObjectId| {
            let missing = || {
                self.caller
                    .failed(&["rev-parse", commit.as_str()], "its tree is missing")
            };
            self.resolve(&format!("{commit}^{{tree}}"))?.ok_or_else(missing)
        };
        let (old, new) = (tree(&base)?, tree(&other)?);
        let deltas = self.diff(&["--no-renames", old.as_str(), new.as_str(), "--"])?;
        Ok(Between { base, old, new, deltas })
    }

    /// Exit status 1 and no word means that there is none (git-merge-base).
    fn merge_base(&self, one: &ObjectId, other: &ObjectId) -> Result<Option<ObjectId>, GitError> {
        let arguments = ["merge-base", one.as_str(), other.as_str()];
        let output = self.caller.output(&arguments)?;
        match output.status.code() {
            Some(0) => {
                let id = ObjectId::parse(&first_line(&output.stdout));
                id.map(Some).ok_or_else(|| self.strange(&arguments))
            }
            Some(1) => Ok(None),
            _ => Err(self.refusal(&arguments, &output.stderr)),
        }
    }

    /// Renames by similar content among Python files; none where git fails, as it does over content that a partial clone does not have.
    pub(super) fn similar(&self, trees: Option<(&ObjectId, &ObjectId)>) -> Result<Vec<Pair>, GitError> {
        let sides = trees.map_or_else(|| vec!["--cached"], |(old, new)| vec![old.as_str(), new.as_str()]);
        let arguments = [&["-M", "-l1000"], sides.as_slice(), &["--", ":(top,glob)**/*.py"]].concat();
        let deltas = match self.diff(&arguments) {
            Err(GitError::GitFailed { .. }) => Vec::new(),
            deltas => deltas?,
        };
        let renamed = deltas.into_iter().filter(|delta| delta.kind == Kind::Renamed);
        Ok(renamed.filter_map(|delta| Some((delta.from?, delta.path))).collect())
    }

    /// The other parents of a merge as commits.
    pub(super) fn parents(&self, parents: OtherParents) -> Result<Vec<ObjectId>, GitError> {
        let mut commits = Vec::new();
        for id in parents.commits {
            if parents.are_recorded || self.is_new_parent(&id)? {
                commits.push(id);
            }
        }
        Ok(commits)
    }

    fn is_new_parent(&self, id: &ObjectId) -> Result<bool, GitError> {
        let output = self
            .caller
            .output(&["merge-base", "--is-ancestor", id.as_str(), "HEAD"])?;
        Ok(output.status.code() == Some(1))
    }

    /// The paths in which the index differs from a commit.
    pub(super) fn differs_from(&self, commit: &ObjectId) -> Result<HashSet<RepoPath>, GitError> {
        let deltas = self.diff(&["--cached", "--no-renames", commit.as_str(), "--"])?;
        Ok(deltas.into_iter().map(|delta| delta.path).collect())
    }

    /// The content of a file.
    pub(super) fn blob(&self, path: &RepoPath, id: &ObjectId, limit: u64) -> Result<Vec<u8>, GitError> {
        let mut batch = self.batch.borrow_mut();
        let running = match &mut *batch {
            Some(running) => running,
            none => none.insert(Batch::start(&self.caller)?),
        };
        let reply = running.ask(id, limit);
        if !matches!(reply, Ok(Reply::Content(_) | Reply::Missing)) {
            *batch = None;
        }
        match reply.map_err(|error| self.caller.failed(&Batch::COMMAND, &error.to_string()))? {
            Reply::Content(content) => Ok(content),
            Reply::Missing | Reply::Ended => Err(SnapshotError::MissingObject {
                path: path.clone(),
                id: id.clone(),
            }
            .into()),
            // It has begun to send the content, so it is not asked again.
            Reply::TooLarge(size) => Err(SnapshotError::TooLarge {
                path: path.clone(),
                size,
                limit,
            }
            .into()),
            Reply::Other => Err(self.caller.failed(&Batch::COMMAND, &format!("object {id} is no file"))),
        }
    }
}
