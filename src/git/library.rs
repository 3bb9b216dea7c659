//! What libgit2 is asked, and the places where its answer must be put right to be git's.
//!
//! Four of its habits would let a hook pass without checking; each was measured or read in its source (1.9.7):
//! relative `GIT_INDEX_FILE` and `GIT_WORK_TREE` are taken from the wrong folder (so `opening` finds every path and
//! gives it), intent-to-add entries count as added, new files marked assume-unchanged are left out of a comparison
//! (both are mended in the loaded index), and the mode of an entry that an old git wrote ends the process (so modes are
//! looked up, never taken from a `DiffFile`).

use std::cell::OnceCell;
use std::path::Path;

use git2::{Delta as Letter, DiffOptions, ErrorCode, Index, Oid};

use super::delta::{Candidates, Delta, Kind, Pair, Side};
use super::listing::{Row, canonical, children, first, is_regular};
use super::merge::OtherParents;
use super::place::Place;
use super::snapshot::{Entry, EntryKind};
use super::{GitError, ObjectId};
use crate::source::RepoPath;

/// Entries that are not there yet: `git add --intent-to-add` (gitformat-index, "extended flags").
const INTENT_TO_ADD: u16 = 1 << 13;
/// Entries that git-update-index was told to take for unchanged (gitformat-index, "assume-valid").
const ASSUME_UNCHANGED: u16 = 1 << 15;

/// Why libgit2 gave no answer.
pub(super) enum Trouble {
    /// It cannot; git may.
    Refused(String),
    /// Neither could git.
    Final(GitError),
}

impl From<git2::Error> for Trouble {
    fn from(error: git2::Error) -> Self {
        Self::Refused(error.message().to_owned())
    }
}

impl From<GitError> for Trouble {
    fn from(error: GitError) -> Self {
        Self::Final(error)
    }
}

type Answer<T> = Result<T, Trouble>;

/// An opened repository.
pub(super) struct Library {
    repository: git2::Repository,
    place: Place,
    index: OnceCell<Index>,
}

/// Two trees and what lies between.
pub(super) struct Between {
    pub(super) base: ObjectId,
    pub(super) old: ObjectId,
    pub(super) new: ObjectId,
    pub(super) deltas: Vec<Delta>,
}

/// What a tree is compared with.
#[derive(Clone, Copy)]
pub(super) enum Against<'a> {
    Index,
    Tree(&'a ObjectId),
}

impl Library {
    pub(super) fn new(repository: git2::Repository, place: Place) -> Self {
        Self {
            repository,
            place,
            index: OnceCell::new(),
        }
    }

    pub(super) fn place(&self) -> &Place {
        &self.place
    }

    /// The index, loaded once: loading is what costs time (measured: 1.8 of 2.4 seconds at a million files).
    fn index(&self) -> Answer<&Index> {
        if let Some(index) = self.index.get() {
            return Ok(index);
        }
        let mut index = Index::open(&self.place.index)?;
        mend(&mut index)?;
        Ok(self.index.get_or_init(|| index))
    }

    /// The index entry of a file that is in no conflict.
    pub(super) fn index_file(&self, path: &RepoPath) -> Answer<Option<Row>> {
        let index = self.index()?;
        let row = find_entry(index, path).map(|entry| row(&entry));
        Ok(row.filter(Row::is_file))
    }

    /// All regular files of the index.
    pub(super) fn index_files(&self) -> Answer<Vec<Row>> {
        Ok(self
            .index()?
            .iter()
            .map(|entry| row(&entry))
            .filter(Row::is_file)
            .collect())
    }

    pub(super) fn index_children(&self, folder: &RepoPath) -> Answer<Vec<Entry>> {
        let index = self.index()?;
        let file = |at| {
            index
                .get(at)
                .map(|entry| (RepoPath::new(&entry.path), row(&entry).is_file()))
        };
        Ok(children(index.len(), file, folder))
    }

    /// The id of HEAD's tree; `None` before the first commit.
    pub(super) fn head(&self) -> Answer<Option<ObjectId>> {
        match self.repository.head() {
            Ok(head) => Ok(Some(object_id(head.peel_to_tree()?.id()))),
            Err(error) if error.code() == ErrorCode::UnbornBranch => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Whether HEAD has a file at all.
    pub(super) fn head_is_empty(&self) -> Answer<bool> {
        Ok(match self.head()? {
            Some(tree) => self.tree(&tree)?.is_empty(),
            None => true,
        })
    }

    /// HEAD to index.
    pub(super) fn staged(&self) -> Answer<Vec<Delta>> {
        let head = self.head()?.map(|id| self.tree(&id)).transpose()?;
        let diff = self.compare(head.as_ref(), Against::Index, &mut options())?;
        self.deltas(&diff, head.as_ref(), Against::Index)
    }

    /// The merge base of two revisions to the second.
    pub(super) fn between(&self, from: &str, to: &str) -> Answer<Between> {
        let commit = |revision: &str| self.repository.revparse_single(revision)?.peel_to_commit();
        let (one, other) = (commit(from)?, commit(to)?);
        let base = match self.repository.merge_base(one.id(), other.id()) {
            Err(error) if error.code() == ErrorCode::NotFound => return Err(self.no_base(from, to).into()),
            base => base?,
        };
        let (old, new) = (self.repository.find_commit(base)?.tree()?, object_id(other.tree_id()));
        let diff = self.compare(Some(&old), Against::Tree(&new), &mut options())?;
        Ok(Between {
            deltas: self.deltas(&diff, Some(&old), Against::Tree(&new))?,
            base: object_id(base),
            old: object_id(old.id()),
            new,
        })
    }

    fn no_base(&self, from: &str, to: &str) -> GitError {
        GitError::no_common_commit(from, to, self.repository.is_shallow())
    }

    /// Renames by similar content. Only the candidates are compared, and none that is too large to be read.
    pub(super) fn similar(
        &self,
        old: Option<&ObjectId>,
        new: Against<'_>,
        candidates: &Candidates<'_>,
        limit: u64,
    ) -> Answer<Vec<Pair>> {
        let Some(old) = old.map(|id| self.tree(id)).transpose()? else {
            return Ok(Vec::new());
        };
        let is_small = |id: &ObjectId| self.size(id).is_some_and(|size| size <= limit);
        let deleted: Vec<_> = candidates
            .deleted
            .iter()
            .filter(|delta| is_small(&delta.old.id))
            .collect();
        let added: Vec<_> = candidates
            .added
            .iter()
            .filter(|delta| is_small(&delta.new.id))
            .collect();
        // Without any path the comparison would be of everything.
        if deleted.is_empty() || added.is_empty() {
            return Ok(Vec::new());
        }
        let mut options = options();
        options.disable_pathspec_match(true);
        for delta in deleted.into_iter().chain(added) {
            options.pathspec(delta.path.as_bytes());
        }
        let mut diff = self.compare(Some(&old), new, &mut options)?;
        diff.find_similar(Some(
            git2::DiffFindOptions::new().renames(true).dont_ignore_whitespace(true),
        ))?;
        let renamed = diff.deltas().filter(|delta| delta.status() == Letter::Renamed);
        let pair = |delta: git2::DiffDelta<'_>| {
            let (from, to) = (delta.old_file().path_bytes()?, delta.new_file().path_bytes()?);
            Some((RepoPath::new(from), RepoPath::new(to)))
        };
        Ok(renamed.filter_map(pair).collect())
    }

    fn size(&self, id: &ObjectId) -> Option<u64> {
        let (size, _) = self.repository.odb().ok()?.read_header(oid(id).ok()?).ok()?;
        Some(size as u64)
    }

    fn compare<'r>(
        &'r self,
        old: Option<&git2::Tree<'_>>,
        new: Against<'_>,
        options: &mut DiffOptions,
    ) -> Answer<git2::Diff<'r>> {
        Ok(match new {
            Against::Index => self
                .repository
                .diff_tree_to_index(old, Some(self.index()?), Some(options))?,
            Against::Tree(id) => {
                let tree = self.tree(id)?;
                self.repository.diff_tree_to_tree(old, Some(&tree), Some(options))?
            }
        })
    }

    fn deltas(&self, diff: &git2::Diff<'_>, old: Option<&git2::Tree<'_>>, new: Against<'_>) -> Answer<Vec<Delta>> {
        let mut old = old.map(|tree| TreeModes::new(&self.repository, tree.clone()));
        let mut new = match new {
            Against::Index => Modes::Index(self.index()?),
            Against::Tree(id) => Modes::Tree(TreeModes::new(&self.repository, self.tree(id)?)),
        };
        let mut deltas = Vec::new();
        for delta in diff.deltas() {
            let kind = match delta.status() {
                Letter::Added => Kind::Added,
                Letter::Deleted => Kind::Deleted,
                Letter::Modified => Kind::Modified,
                Letter::Typechange => Kind::TypeChanged,
                Letter::Conflicted => Kind::Unmerged,
                _ => continue,
            };
            let Some(path) = delta.new_file().path_bytes().or_else(|| delta.old_file().path_bytes()) else {
                continue;
            };
            let path = RepoPath::new(path);
            let old = match &mut old {
                Some(modes) if kind != Kind::Added => modes.of(&path)?,
                _ => 0,
            };
            let new = if kind == Kind::Deleted { 0 } else { new.of(&path, kind)? };
            let old = Side::new(old, object_id(delta.old_file().id()));
            let new = Side::new(new, object_id(delta.new_file().id()));
            // Permissions that git does not keep are a change for libgit2 only.
            if kind != Kind::Modified || old != new {
                deltas.push(Delta {
                    path,
                    from: None,
                    kind,
                    old,
                    new,
                });
            }
        }
        Ok(deltas)
    }

    /// The other parents of a merge as trees.
    pub(super) fn parents(&self, parents: OtherParents) -> Answer<Vec<ObjectId>> {
        let tree = |id: ObjectId| Ok(object_id(self.repository.find_commit(oid(&id)?)?.tree_id()));
        match parents {
            OtherParents::None => Ok(Vec::new()),
            OtherParents::Recorded(ids) => ids.into_iter().map(tree).collect(),
            OtherParents::Announced(ids) => ids.into_iter().filter(|id| self.is_new_parent(id)).map(tree).collect(),
        }
    }

    fn is_new_parent(&self, id: &ObjectId) -> bool {
        let (Ok(id), Ok(head)) = (oid(id), self.repository.head().and_then(|head| head.peel_to_commit())) else {
            return false;
        };
        let is_known = self.repository.find_commit(id).is_ok();
        is_known
            && id != head.id()
            && self
                .repository
                .graph_descendant_of(head.id(), id)
                .is_ok_and(|is_held| !is_held)
    }

    /// The regular file at `path` in a tree.
    pub(super) fn tree_file(&self, tree: &ObjectId, path: &RepoPath) -> Answer<Option<Row>> {
        let Some((mode, id)) = entry_in(&self.tree(tree)?, path)? else {
            return Ok(None);
        };
        let row = Row {
            path: path.clone(),
            mode,
            id,
            stage: 0,
        };
        Ok(Some(row).filter(Row::is_file))
    }

    pub(super) fn tree_children(&self, tree: &ObjectId, folder: &RepoPath) -> Answer<Vec<Entry>> {
        let mut tree = self.tree(tree)?;
        if !folder.as_bytes().is_empty() {
            match entry_in(&tree, folder)? {
                Some((mode, id)) if mode == TREE => tree = self.tree(&id)?,
                _ => return Ok(Vec::new()),
            }
        }
        let kind = |mode| match mode {
            TREE => Some(EntryKind::Folder),
            mode => is_regular(mode).then_some(EntryKind::File),
        };
        let mut entries: Vec<Entry> = tree
            .iter()
            .filter_map(|entry| Some(Entry::new(entry.name_bytes(), kind(entry_mode(&entry))?)))
            .collect();
        entries.sort();
        Ok(entries)
    }

    /// The content of a file, its size looked at first: reading 3 GiB cost 6 GB of memory (measured).
    pub(super) fn blob(&self, path: &RepoPath, id: &ObjectId, limit: u64) -> Answer<Vec<u8>> {
        let (oid, odb) = (oid(id)?, self.repository.odb()?);
        let (size, kind) = odb.read_header(oid)?;
        if size as u64 > limit {
            return Err(GitError::TooLarge {
                path: path.clone(),
                size: size as u64,
                limit,
            }
            .into());
        }
        if kind != git2::ObjectType::Blob {
            return Err(Trouble::Refused(format!("object {id} is no file")));
        }
        Ok(odb.read(oid)?.data().to_vec())
    }

    fn tree(&self, id: &ObjectId) -> Result<git2::Tree<'_>, git2::Error> {
        self.repository.find_tree(oid(id)?)
    }
}

const TREE: u32 = 0o040_000;

/// Where the modes of the new side are looked up.
enum Modes<'a> {
    Index(&'a Index),
    Tree(TreeModes<'a>),
}

impl Modes<'_> {
    fn of(&mut self, path: &RepoPath, kind: Kind) -> Answer<u32> {
        match self {
            Self::Tree(modes) => modes.of(path),
            Self::Index(_) if kind == Kind::Unmerged => Ok(0),
            Self::Index(index) => {
                let entry = find_entry(index, path).map(|entry| canonical(entry.mode));
                entry.ok_or_else(|| Trouble::Refused("the index is not in order".to_owned()))
            }
        }
    }
}

/// The modes in a tree, for paths in their order. The folder of the last path stays open: libgit2 caches no large tree, and
/// would unpack each one above a file once more for every file (measured: half of the time at 10,000 files).
struct TreeModes<'a> {
    repository: &'a git2::Repository,
    root: git2::Tree<'a>,
    path: RepoPath,
    /// Nothing where the tree has no such folder.
    folder: Option<git2::Tree<'a>>,
}

impl<'a> TreeModes<'a> {
    fn new(repository: &'a git2::Repository, root: git2::Tree<'a>) -> Self {
        let folder = Some(root.clone());
        Self {
            repository,
            root,
            path: RepoPath::top(),
            folder,
        }
    }

    /// Zero for what is not there: one side of a conflict.
    fn of(&mut self, path: &RepoPath) -> Answer<u32> {
        let folder = path.parent().unwrap_or_else(RepoPath::top);
        if folder != self.path {
            self.folder = self.open(&folder)?;
            self.path = folder;
        }
        let Some(folder) = &self.folder else { return Ok(0) };
        Ok(entry_in(folder, &RepoPath::new(path.file_name()))?.map_or(0, |(mode, _)| mode))
    }

    fn open(&self, folder: &RepoPath) -> Result<Option<git2::Tree<'a>>, git2::Error> {
        if folder.as_bytes().is_empty() {
            return Ok(Some(self.root.clone()));
        }
        match entry_in(&self.root, folder)? {
            Some((TREE, id)) => self.repository.find_tree(oid(&id)?).map(Some),
            _ => Ok(None),
        }
    }
}

/// Makes the loaded copy of the index say what git says. It is never written.
fn mend(index: &mut Index) -> Result<(), git2::Error> {
    let flagged =
        |entry: &git2::IndexEntry| entry.flags & ASSUME_UNCHANGED != 0 || entry.flags_extended & INTENT_TO_ADD != 0;
    let flagged: Vec<git2::IndexEntry> = index.iter().filter(flagged).collect();
    for mut entry in flagged {
        if entry.flags_extended & INTENT_TO_ADD != 0 {
            index.remove(&RepoPath::new(&entry.path).to_path(Path::new("")), 0)?;
        } else {
            entry.flags &= !ASSUME_UNCHANGED;
            index.add(&entry)?;
        }
    }
    Ok(())
}

/// By a search of our own: libgit2's binding ends the process on a path that cannot be one.
fn find_entry(index: &Index, path: &RepoPath) -> Option<git2::IndexEntry> {
    let is_before = |at| {
        index
            .get(at)
            .is_some_and(|entry| entry.path.as_slice() < path.as_bytes())
    };
    let at = first(index.len(), is_before);
    index.get(at).filter(|entry| entry.path == path.as_bytes())
}

fn row(entry: &git2::IndexEntry) -> Row {
    Row {
        path: RepoPath::new(&entry.path),
        mode: canonical(entry.mode),
        id: object_id(entry.id),
        stage: u8::try_from((entry.flags >> 12) & 3).unwrap_or(3),
    }
}

fn entry_in(tree: &git2::Tree<'_>, path: &RepoPath) -> Result<Option<(u32, ObjectId)>, git2::Error> {
    let cannot_be = |part: &[u8]| matches!(part, b"" | b"." | b"..") || part.contains(&0);
    if path.as_bytes().split(|&byte| byte == b'/').any(cannot_be) {
        return Ok(None);
    }
    match tree.get_path(&path.to_path(Path::new(""))) {
        Ok(entry) => Ok(Some((entry_mode(&entry), object_id(entry.id())))),
        Err(error) if error.code() == ErrorCode::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn entry_mode(entry: &git2::TreeEntry<'_>) -> u32 {
    canonical(u32::try_from(entry.filemode_raw()).unwrap_or_default())
}

fn options() -> DiffOptions {
    let mut options = DiffOptions::new();
    options.include_typechange(true);
    options
}

fn object_id(id: Oid) -> ObjectId {
    ObjectId::of(id)
}

fn oid(id: &ObjectId) -> Result<Oid, git2::Error> {
    Oid::from_str(id.as_str())
}
