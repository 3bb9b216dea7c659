//! Asks libgit2, and puts its answers right where they are not git's.
//!
//! Four of its habits would let a hook pass without checking; each was measured or read in its source (1.9.7):
//! relative `GIT_INDEX_FILE` and `GIT_WORK_TREE` are taken from the wrong folder (so `opening` finds every path and
//! gives it), intent-to-add entries count as added, new files marked assume-unchanged are left out of a comparison
//! (both are mended in the loaded index), and the mode of an entry that an old git wrote ends the process (so modes are
//! looked up, never taken from a `DiffFile`). And its binding reads past a name that is shorter than its entry says (so
//! `name_lengths` looks at them first).

use std::cell::{OnceCell, RefCell};
use std::collections::HashMap;
use std::path::Path;
use std::rc::Rc;

use git2::{Delta as Letter, DiffOptions, ErrorCode, Index, IndexEntry, IndexTime, Oid};

use super::cached_tree::IndexError;
use super::command::Caller;
use super::delta::{Candidates, Delta, Kind, Pair, Side};
use super::index::{Overlay, Said};
use super::listing::{Row, canonical, is_regular};
use super::merge::OtherParents;
use super::place::Place;
use super::program::Program;
use super::tree_diff::{self, Child, Id, Item, Trees};
use super::{Backend, GitError, name_lengths, staged};
use crate::snapshot::{Entry, EntryKind, ObjectId, SnapshotError, first};
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

/// Only to be had where libgit2 reads the index as well.
impl From<IndexError> for Trouble {
    fn from(error: IndexError) -> Self {
        Self::Refused(error.to_string())
    }
}

/// An opened repository.
pub(super) struct Library {
    repository: git2::Repository,
    place: Place,
    /// What is asked of a large index.
    program: Program,
    head: OnceCell<Option<Oid>>,
    staged: OnceCell<Staged>,
    index: OnceCell<Index>,
    /// The trees that were looked into. libgit2 keeps none of more than 4 KB (`git_cache__max_object_size` of 1.9.7), so that each
    /// revision that is read of a folder of thousands would parse that folder again: 1.7 ms a name at 7,000 files, measured.
    folders: RefCell<HashMap<Id, Rc<[Child]>>>,
}

/// What is staged, and who told.
struct Staged {
    backend: Backend,
    overlay: Overlay,
}

/// Two trees and what lies between.
pub(super) struct Between {
    pub(super) base: ObjectId,
    pub(super) old: ObjectId,
    pub(super) new: ObjectId,
    pub(super) deltas: Vec<Delta>,
}

impl Library {
    pub(super) fn new(repository: git2::Repository, place: Place, caller: Caller) -> Self {
        Self {
            repository,
            program: Program::new(caller, place.clone()),
            place,
            head: OnceCell::new(),
            staged: OnceCell::new(),
            index: OnceCell::new(),
            folders: RefCell::default(),
        }
    }

    pub(super) fn backend(&self) -> Backend {
        let unasked = || Backend::Libgit2 {
            reason: "nothing was asked of the index".to_owned(),
        };
        self.staged.get().map_or_else(unasked, |staged| staged.backend.clone())
    }

    pub(super) fn place(&self) -> &Place {
        &self.place
    }

    /// The index, loaded once: loading is what costs time (measured: 1.8 of 2.4 seconds at a million files).
    fn index(&self) -> Answer<&Index> {
        if let Some(index) = self.index.get() {
            return Ok(index);
        }
        // An index that is not there is an empty one.
        let bytes = std::fs::read(&self.place.index);
        if bytes.is_ok_and(|bytes| !name_lengths::are_right(&bytes)) {
            let reason = "the index has a name of another length than it says".to_owned();
            return Err(Trouble::Refused(reason));
        }
        let mut index = Index::open(&self.place.index)?;
        mend(&mut index)?;
        Ok(self.index.get_or_init(|| index))
    }

    /// What the index is to HEAD, found once.
    fn overlay(&self) -> Answer<&Overlay> {
        let staged = if let Some(staged) = self.staged.get() {
            staged
        } else {
            let staged = self.find_staged()?;
            self.staged.get_or_init(|| staged)
        };
        Ok(&staged.overlay)
    }

    fn find_staged(&self) -> Answer<Staged> {
        let head = self.head_id()?.map(|id| bytes(&id)).transpose()?;
        let (deltas, backend) = match staged::by_cached_tree(&self.repository, head, &self.place.index) {
            Ok(deltas) => (deltas, Backend::CachedTree),
            Err(error @ IndexError::OnlyGit(_)) => return Err(error.into()),
            Err(IndexError::Unproved(reason)) => match self.ask_git(Program::staged)? {
                Some(deltas) => (deltas, Backend::Git { reason }),
                None => (self.compare(head)?, Backend::Libgit2 { reason }),
            },
        };
        let overlay = Overlay::new(deltas);
        Ok(Staged { backend, overlay })
    }

    /// What git says of an index that is too large for libgit2. `None` of any other, and where there is no git: libgit2 takes longer, and
    /// can.
    fn ask_git<'a, T>(&'a self, question: impl FnOnce(&'a Program) -> Result<T, GitError>) -> Answer<Option<T>> {
        if !staged::is_large(&self.place.index) {
            return Ok(None);
        }
        match question(&self.program) {
            Err(GitError::GitMissing { .. }) => Ok(None),
            answer => Ok(Some(answer?)),
        }
    }

    /// The index entry of a file that is in no conflict.
    pub(super) fn index_file(&self, path: &RepoPath) -> Answer<Option<Row>> {
        match (self.overlay()?.file(path), self.head()?) {
            (Said::File(row), _) => Ok(row),
            (Said::Nothing, Some(head)) => self.tree_file(&head, path),
            (Said::Nothing, None) => Ok(None),
        }
    }

    /// All regular files of the index.
    pub(super) fn index_files(&self) -> Answer<Vec<Row>> {
        // What is refused of the changes is refused of the files.
        self.overlay()?;
        let mut rows = match self.ask_git(Program::index_listing)? {
            Some(listing) => listing.rows().to_vec(),
            None => self.index()?.iter().map(|entry| row(&entry)).collect(),
        };
        rows.retain(Row::is_file);
        Ok(rows)
    }

    pub(super) fn index_children(&self, folder: &RepoPath) -> Answer<Vec<Entry>> {
        let overlay = self.overlay()?;
        let Some(head) = self.head()? else {
            return overlay.children(folder, Vec::new(), |_| Ok(false));
        };
        let below = self.tree_children(&head, folder)?;
        overlay.children(folder, below, |folder| self.remains(overlay, &head, folder))
    }

    /// Whether anything below a folder of HEAD is not deleted.
    fn remains(&self, overlay: &Overlay, head: &ObjectId, folder: &RepoPath) -> Answer<bool> {
        let Some(tree) = self.folder_in(head, folder)? else {
            return Ok(false);
        };
        let mut open = vec![(folder.clone(), tree)];
        while let Some((folder, tree)) = open.pop() {
            for child in self.rows(&tree)?.iter() {
                let Some(path) = folder.join(&child.name) else {
                    continue;
                };
                if child.is_folder() {
                    open.push((path, child.item.id));
                } else if !overlay.deletes(&path) {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    /// The id of HEAD's tree; `None` before the first commit.
    pub(super) fn head(&self) -> Answer<Option<ObjectId>> {
        Ok(self.head_id()?.map(object_id))
    }

    /// The same, looked up once.
    fn head_id(&self) -> Answer<Option<Oid>> {
        if let Some(head) = self.head.get() {
            return Ok(*head);
        }
        let head = match self.repository.head() {
            Ok(head) => Some(head.peel_to_commit()?.tree_id()),
            Err(error) if error.code() == ErrorCode::UnbornBranch => None,
            Err(error) => return Err(error.into()),
        };
        Ok(*self.head.get_or_init(|| head))
    }

    /// Whether HEAD has a file at all.
    pub(super) fn head_is_empty(&self) -> Answer<bool> {
        Ok(match self.head()? {
            Some(tree) => self.rows(&bytes(&oid(&tree)?)?)?.is_empty(),
            None => true,
        })
    }

    /// HEAD to index.
    pub(super) fn staged(&self) -> Answer<Rc<[Delta]>> {
        Ok(self.overlay()?.deltas.clone())
    }

    /// HEAD to index, by libgit2's own comparison.
    fn compare(&self, head: Option<Id>) -> Answer<Vec<Delta>> {
        let index = self.index()?;
        let tree = head.map(|id| self.repository.find_tree(Oid::from_bytes(&id)?));
        let diff = self
            .repository
            .diff_tree_to_index(tree.transpose()?.as_ref(), Some(index), Some(&mut options()))?;
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
            let old = match head {
                Some(tree) if kind != Kind::Added => self.item(tree, &path, false)?.map_or(0, |item| item.mode),
                _ => 0,
            };
            let new = mode_of_entry(index, &path, kind)?;
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

    /// The merge base of two revisions to the second.
    pub(super) fn between(&self, from: &str, to: &str) -> Answer<Between> {
        let commit = |revision: &str| self.repository.revparse_single(revision)?.peel_to_commit();
        let (one, other) = (commit(from)?, commit(to)?);
        let base = match self.repository.merge_base(one.id(), other.id()) {
            Err(error) if error.code() == ErrorCode::NotFound => return Err(self.no_base(from, to).into()),
            base => base?,
        };
        let (old, new) = (self.repository.find_commit(base)?.tree_id(), other.tree_id());
        Ok(Between {
            deltas: tree_diff::compare(&self.repository, Some(bytes(&old)?), Some(bytes(&new)?))?,
            base: object_id(base),
            old: object_id(old),
            new: object_id(new),
        })
    }

    fn no_base(&self, from: &str, to: &str) -> GitError {
        GitError::no_common_commit(from, to, self.repository.is_shallow())
    }

    /// Renames by similar content. Only the candidates are compared, and none that is too large to be read: they are
    /// put into two indexes that exist in memory only, so that the repository's own need not be loaded. Where there are many, those that
    /// `may_matter` by their content are compared alone.
    pub(super) fn similar(
        &self,
        candidates: &Candidates<'_>,
        limit: u64,
        may_matter: fn(&[u8]) -> bool,
    ) -> Answer<Vec<Pair>> {
        let matters =
            |side: &Side| !candidates.are_many() || self.content(&side.id).is_some_and(|text| may_matter(&text));
        let is_small = |side: &Side| self.size(&side.id).is_some_and(|size| size <= limit) && matters(side);
        let small = |deltas: &[&Delta], side: fn(&Delta) -> &Side| -> Vec<(RepoPath, Side)> {
            let found = deltas.iter().filter(|delta| is_small(side(delta)));
            found.map(|delta| (delta.path.clone(), side(delta).clone())).collect()
        };
        let deleted = small(&candidates.deleted, |delta| &delta.old);
        let added = small(&candidates.added, |delta| &delta.new);
        let (old, new) = (stand_in('-', &deleted)?, stand_in('+', &added)?);
        let mut diff = self.repository.diff_index_to_index(&old, &new, Some(&mut options()))?;
        diff.find_similar(Some(
            git2::DiffFindOptions::new().renames(true).dont_ignore_whitespace(true),
        ))?;
        let renamed = diff.deltas().filter(|delta| delta.status() == Letter::Renamed);
        let pair = |delta: git2::DiffDelta<'_>| {
            let from = named(&deleted, delta.old_file().path_bytes()?)?;
            Some((from, named(&added, delta.new_file().path_bytes()?)?))
        };
        Ok(renamed.filter_map(pair).collect())
    }

    fn content(&self, id: &ObjectId) -> Option<Vec<u8>> {
        let blob = self.repository.find_blob(oid(id).ok()?).ok()?;
        Some(blob.content().to_vec())
    }

    fn size(&self, id: &ObjectId) -> Option<u64> {
        let (size, _) = self.repository.odb().ok()?.read_header(oid(id).ok()?).ok()?;
        Some(size as u64)
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
        let row = |item: Item| Row {
            path: path.clone(),
            mode: item.mode,
            id: ObjectId::of_bytes(&item.id),
            size: 0,
            stage: 0,
        };
        let item = self.item(bytes(&oid(tree)?)?, path, false)?;
        Ok(item.map(row).filter(Row::is_file))
    }

    pub(super) fn tree_children(&self, tree: &ObjectId, folder: &RepoPath) -> Answer<Vec<Entry>> {
        let Some(tree) = self.folder_in(tree, folder)? else {
            return Ok(Vec::new());
        };
        let entry = |child: &Child| {
            let kind = if child.is_folder() {
                EntryKind::Folder
            } else {
                EntryKind::File
            };
            let is_shown = child.is_folder() || is_regular(child.item.mode);
            is_shown.then(|| Entry::new(child.name.as_slice(), kind))
        };
        let mut entries: Vec<Entry> = self.rows(&tree)?.iter().filter_map(entry).collect();
        entries.sort();
        Ok(entries)
    }

    fn folder_in(&self, tree: &ObjectId, folder: &RepoPath) -> Answer<Option<Id>> {
        let tree = bytes(&oid(tree)?)?;
        if folder.as_bytes().is_empty() {
            return Ok(Some(tree));
        }
        Ok(self.item(tree, folder, true)?.map(|item| item.id))
    }

    /// What a tree has at a path: a folder, or anything else.
    fn item(&self, tree: Id, path: &RepoPath, is_folder: bool) -> Answer<Option<Item>> {
        let mut parts = path.as_bytes().split(|&byte| byte == b'/').peekable();
        let mut tree = tree;
        while let Some(part) = parts.next() {
            let is_last = parts.peek().is_none();
            let found = tree_diff::find(&self.rows(&tree)?, part, is_folder || !is_last);
            match found {
                Some(item) if !is_last => tree = item.id,
                found => return Ok(found),
            }
        }
        Ok(None)
    }

    fn rows(&self, tree: &Id) -> Answer<Rc<[Child]>> {
        if let Some(rows) = self.folders.borrow().get(tree) {
            return Ok(rows.clone());
        }
        let rows: Rc<[Child]> = self.repository.children(tree)?.into();
        self.folders.borrow_mut().insert(*tree, rows.clone());
        Ok(rows)
    }

    /// The content of a file, its size looked at first: reading 3 GiB cost 6 GB of memory (measured).
    ///
    /// What the index noted as its `size` is enough for that, if it noted any: asking a pack takes longer than the reading. Filters make the
    /// file another one than the working file, but none makes much out of little; and of what is larger than 4 GiB, which git notes modulo
    /// 2^32, only the memory is not spared: what was read is measured again.
    pub(super) fn blob(&self, path: &RepoPath, id: &ObjectId, size: u32, limit: u64) -> Answer<Vec<u8>> {
        let (oid, odb) = (oid(id)?, self.repository.odb()?);
        let check = |size: usize, kind: git2::ObjectType| {
            if size as u64 > limit {
                let (path, size) = (path.clone(), size as u64);
                return Err(GitError::from(SnapshotError::TooLarge { path, size, limit }).into());
            }
            if kind != git2::ObjectType::Blob {
                return Err(Trouble::Refused(format!("object {id} is no file")));
            }
            Ok(())
        };
        if size == 0 || u64::from(size) > limit {
            let (size, kind) = odb.read_header(oid)?;
            check(size, kind)?;
        }
        let object = odb.read(oid)?;
        check(object.len(), object.kind())?;
        Ok(object.data().to_vec())
    }
}

impl Trees for git2::Repository {
    fn children(&self, id: &Id) -> Result<Vec<Child>, IndexError> {
        let unproved = |error: git2::Error| IndexError::unproved(error.message());
        let objects = self.odb().map_err(unproved)?;
        let object = Oid::from_bytes(id).and_then(|id| objects.read(id)).map_err(unproved)?;
        let rows = (object.kind() == git2::ObjectType::Tree)
            .then(|| tree_diff::rows(object.data()))
            .flatten();
        rows.ok_or_else(|| IndexError::unproved("a tree is none, or not in order"))
    }
}

/// An index of files under numbers instead of their names, which libgit2 might not take.
fn stand_in(mark: char, files: &[(RepoPath, Side)]) -> Result<Index, git2::Error> {
    let mut index = Index::new()?;
    for (at, (_, side)) in files.iter().enumerate() {
        let never = IndexTime::new(0, 0);
        index.add(&IndexEntry {
            ctime: never,
            mtime: never,
            dev: 0,
            ino: 0,
            mode: side.mode,
            uid: 0,
            gid: 0,
            file_size: 0,
            id: oid(&side.id)?,
            flags: 0,
            flags_extended: 0,
            path: format!("{mark}{at:08}").into_bytes(),
        })?;
    }
    Ok(index)
}

/// The name behind a number of [`stand_in`].
fn named(files: &[(RepoPath, Side)], number: &[u8]) -> Option<RepoPath> {
    let at: usize = std::str::from_utf8(number.get(1..)?).ok()?.parse().ok()?;
    files.get(at).map(|(path, _)| path.clone())
}

fn mode_of_entry(index: &Index, path: &RepoPath, kind: Kind) -> Answer<u32> {
    if matches!(kind, Kind::Deleted | Kind::Unmerged) {
        return Ok(0);
    }
    let entry = find_entry(index, path).map(|entry| canonical(entry.mode));
    entry.ok_or_else(|| Trouble::Refused("the index is not in order".to_owned()))
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
        size: entry.file_size,
        stage: u8::try_from((entry.flags >> 12) & 3).unwrap_or(3),
    }
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

fn bytes(id: &Oid) -> Result<Id, git2::Error> {
    let bytes: Result<Id, _> = id.as_bytes().try_into();
    bytes.map_err(|_| git2::Error::from_str("an object's name is not one of SHA-1"))
}

#[cfg(test)]
mod tests {
    use super::super::environment::Environment;
    use super::*;

    #[test]
    fn a_large_folder_is_parsed_once() {
        let folder = tempfile::tempdir().unwrap();
        let repository = git2::Repository::init(folder.path()).unwrap();
        let blob = repository.blob(b"x").unwrap();
        let tree = {
            let mut tree = repository.treebuilder(None).unwrap();
            for number in 0..200 {
                tree.insert(format!("{number:03}_a_revision_with_a_long_name.py"), blob, 0o100_644)
                    .unwrap();
            }
            object_id(tree.write().unwrap())
        };
        let environment = Environment::default();
        let place = Place::new(&environment, folder.path(), folder.path().join(".git"), None);
        let caller = Caller::new(&environment, folder.path(), String::new());
        let library = Library::new(repository, place, caller);
        let is_found = |name: &str| library.tree_file(&tree, &name.into()).ok().flatten().is_some();
        assert!(is_found("000_a_revision_with_a_long_name.py"));
        std::fs::remove_dir_all(folder.path().join(".git/objects")).unwrap();
        assert!(is_found("199_a_revision_with_a_long_name.py"));
        assert!(!is_found("200_a_revision_with_a_long_name.py"));
    }
}
