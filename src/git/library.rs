//! What libgit2 is asked, and the places where its answer must be put right to be git's.
//!
//! Four of its habits would let a hook pass without checking; each was measured or read in its source (1.9.7):
//! relative `GIT_INDEX_FILE` and `GIT_WORK_TREE` are taken from the wrong folder (so `opening` finds every path and
//! gives it), intent-to-add entries count as added, new files marked assume-unchanged are left out of a comparison
//! (both are mended in the loaded index), and the mode of an entry that an old git wrote ends the process (so modes are
//! looked up, never taken from a `DiffFile`).

use std::cell::OnceCell;
use std::path::Path;
use std::rc::Rc;

use git2::{Delta as Letter, DiffOptions, ErrorCode, Index, IndexEntry, IndexTime, Oid};

use super::cached_tree::Doubt;
use super::delta::{Candidates, Delta, Kind, Pair, Side};
use super::last_folder::{Found, LastFolder};
use super::listing::{Row, canonical, children, first, is_regular};
use super::merge::OtherParents;
use super::overlay::{Overlay, Said};
use super::place::Place;
use super::shortcut::{self, IndexFile};
use super::snapshot::{Entry, EntryKind};
use super::trees::{self, Child, FOLDER, Id, Trees};
use super::{GitError, Means, ObjectId, Way};
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
    means: Means,
    head: OnceCell<Option<Oid>>,
    staged: OnceCell<Staged>,
    index: OnceCell<Index>,
    folder: LastFolder,
}

/// What is staged, and how it was found.
struct Staged {
    way: Way,
    /// Found without loading the index.
    shortcut: Option<(Overlay, Option<IndexFile>)>,
}

/// Two trees and what lies between.
pub(super) struct Between {
    pub(super) base: ObjectId,
    pub(super) old: ObjectId,
    pub(super) new: ObjectId,
    pub(super) deltas: Vec<Delta>,
}

impl Library {
    pub(super) fn new(repository: git2::Repository, place: Place) -> Self {
        Self {
            repository,
            place,
            means: Means::default(),
            head: OnceCell::new(),
            staged: OnceCell::new(),
            index: OnceCell::new(),
            folder: LastFolder::default(),
        }
    }

    /// Takes no other way than `means` from now on.
    pub(super) fn restrict(&mut self, means: Means) {
        self.means = means;
    }

    pub(super) fn way(&self) -> Way {
        let unasked = || Way::Library {
            reason: "nothing was asked of the index".to_owned(),
        };
        self.staged.get().map_or_else(unasked, |staged| staged.way.clone())
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

    /// What is staged without loading the index; `None` where libgit2 has to load it.
    fn shortcut(&self) -> Answer<Option<(&Overlay, Option<&IndexFile>)>> {
        let staged = if let Some(staged) = self.staged.get() {
            staged
        } else {
            let staged = self.find_staged()?;
            self.staged.get_or_init(|| staged)
        };
        Ok(staged
            .shortcut
            .as_ref()
            .map(|(overlay, index)| (overlay, index.as_ref())))
    }

    fn find_staged(&self) -> Answer<Staged> {
        let index = &self.place.index;
        let alone = |reason| Staged {
            way: Way::Library { reason },
            shortcut: None,
        };
        if self.means == Means::Library {
            return Ok(alone("it was asked for".to_owned()));
        }
        let head = self.head_id()?.map(|id| bytes(&id)).transpose()?;
        match shortcut::staged(&self.repository, head, index, self.means) {
            Ok(found) => Ok(Staged {
                way: found.way,
                shortcut: Some((Overlay::new(found.deltas), found.index)),
            }),
            Err(Doubt::OnlyGit(reason)) => Err(Trouble::Refused(reason)),
            Err(Doubt::Strange(reason)) if self.means != Means::Fastest || shortcut::is_large(index) => {
                Err(Trouble::Refused(reason))
            }
            Err(Doubt::Strange(reason)) => Ok(alone(reason)),
        }
    }

    /// The index entry of a file that is in no conflict.
    pub(super) fn index_file(&self, path: &RepoPath) -> Answer<Option<Row>> {
        if let Some((overlay, _)) = self.shortcut()? {
            return match (overlay.file(path), self.head()?) {
                (Said::File(row), _) => Ok(row),
                (Said::Nothing, Some(head)) => self.tree_file(&head, path),
                (Said::Nothing, None) => Ok(None),
            };
        }
        let index = self.index()?;
        let row = find_entry(index, path).map(|entry| row(&entry));
        Ok(row.filter(Row::is_file))
    }

    /// All regular files of the index.
    pub(super) fn index_files(&self) -> Answer<Vec<Row>> {
        let mut rows = match self.shortcut()? {
            Some((_, Some(index))) => index.rows().map_err(|doubt| Trouble::Refused(doubt.reason()))?,
            Some((_, None)) => Vec::new(),
            None => self.index()?.iter().map(|entry| row(&entry)).collect(),
        };
        rows.retain(Row::is_file);
        Ok(rows)
    }

    pub(super) fn index_children(&self, folder: &RepoPath) -> Answer<Vec<Entry>> {
        if let Some((overlay, _)) = self.shortcut()? {
            let Some(head) = self.head()? else {
                return overlay.children(folder, Vec::new(), |_| Ok(false));
            };
            let below = self.tree_children(&head, folder)?;
            return overlay.children(folder, below, |folder| self.remains(overlay, &head, folder));
        }
        let index = self.index()?;
        let file = |at| {
            index
                .get(at)
                .map(|entry| (RepoPath::new(&entry.path), row(&entry).is_file()))
        };
        Ok(children(index.len(), file, folder))
    }

    /// Whether anything below a folder of HEAD is not deleted.
    fn remains(&self, overlay: &Overlay, head: &ObjectId, folder: &RepoPath) -> Answer<bool> {
        let Some((FOLDER, id)) = entry_in(&self.tree(head)?, folder)? else {
            return Ok(false);
        };
        let mut open = vec![(folder.clone(), oid(&id)?)];
        while let Some((folder, id)) = open.pop() {
            for entry in &self.repository.find_tree(id)? {
                let Some(path) = folder.join(entry.name_bytes()) else {
                    continue;
                };
                if entry_mode(&entry) == FOLDER {
                    open.push((path, entry.id()));
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
            Some(tree) => self.tree(&tree)?.is_empty(),
            None => true,
        })
    }

    /// HEAD to index.
    pub(super) fn staged(&self) -> Answer<Rc<[Delta]>> {
        if let Some((overlay, _)) = self.shortcut()? {
            return Ok(overlay.deltas.clone());
        }
        let head = self.head()?.map(|id| self.tree(&id)).transpose()?;
        let diff = self
            .repository
            .diff_tree_to_index(head.as_ref(), Some(self.index()?), Some(&mut options()))?;
        Ok(self.deltas(&diff, head.as_ref())?.into())
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
        let deltas = trees::compare(&self.repository, Some(bytes(&old)?), Some(bytes(&new)?), usize::MAX);
        Ok(Between {
            deltas: deltas.map_err(|doubt| Trouble::Refused(doubt.reason()))?,
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

    fn deltas(&self, diff: &git2::Diff<'_>, old: Option<&git2::Tree<'_>>) -> Answer<Vec<Delta>> {
        let index = self.index()?;
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
            let old = match old {
                Some(tree) if kind != Kind::Added => mode_in(tree, &path)?,
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
        if !can_be(path) {
            return Ok(None);
        }
        let one = || entry_in(&self.tree(tree)?, path);
        let Some((mode, id)) = self.folder.find(tree, path, one, |folder| self.rows(tree, folder))? else {
            return Ok(None);
        };
        let row = Row {
            path: path.clone(),
            mode,
            id,
            size: 0,
            stage: 0,
        };
        Ok(Some(row).filter(Row::is_file))
    }

    /// All that a folder of a tree holds.
    fn rows(&self, tree: &ObjectId, folder: &RepoPath) -> Result<Vec<(Vec<u8>, Found)>, git2::Error> {
        let row = |entry: git2::TreeEntry<'_>| {
            let found = (entry_mode(&entry), object_id(entry.id()));
            (entry.name_bytes().to_vec(), found)
        };
        let folder = self.folder_in(tree, folder)?;
        Ok(folder.iter().flat_map(|folder| folder.iter().map(row)).collect())
    }

    fn folder_in(&self, tree: &ObjectId, folder: &RepoPath) -> Result<Option<git2::Tree<'_>>, git2::Error> {
        let tree = self.tree(tree)?;
        if folder.as_bytes().is_empty() {
            return Ok(Some(tree));
        }
        match entry_in(&tree, folder)? {
            Some((FOLDER, id)) => Ok(Some(self.tree(&id)?)),
            _ => Ok(None),
        }
    }

    pub(super) fn tree_children(&self, tree: &ObjectId, folder: &RepoPath) -> Answer<Vec<Entry>> {
        let Some(tree) = self.folder_in(tree, folder)? else {
            return Ok(Vec::new());
        };
        let kind = |mode| match mode {
            FOLDER => Some(EntryKind::Folder),
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
    ///
    /// What the index noted as its `size` is enough for that, if it noted any: asking a pack takes longer than the reading. Filters make the
    /// file another one than the working file, but none makes much out of little; and of what is larger than 4 GiB, which git notes modulo
    /// 2^32, only the memory is not spared: what was read is measured again.
    pub(super) fn blob(&self, path: &RepoPath, id: &ObjectId, size: u32, limit: u64) -> Answer<Vec<u8>> {
        let (oid, odb) = (oid(id)?, self.repository.odb()?);
        let check = |size: usize, kind: git2::ObjectType| {
            if size as u64 > limit {
                let (path, size) = (path.clone(), size as u64);
                return Err(GitError::TooLarge { path, size, limit }.into());
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

    fn tree(&self, id: &ObjectId) -> Result<git2::Tree<'_>, git2::Error> {
        self.repository.find_tree(oid(id)?)
    }
}

impl Trees for git2::Repository {
    fn children(&self, id: &Id) -> Result<Vec<Child>, Doubt> {
        let doubt = |error: git2::Error| Doubt::strange(error.message());
        let objects = self.odb().map_err(doubt)?;
        let object = Oid::from_bytes(id).and_then(|id| objects.read(id)).map_err(doubt)?;
        let rows = (object.kind() == git2::ObjectType::Tree)
            .then(|| trees::rows(object.data()))
            .flatten();
        rows.ok_or_else(|| Doubt::strange("a tree is none, or not in order"))
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

/// Whether git could hold a file at that path.
fn can_be(path: &RepoPath) -> bool {
    let cannot_be = |part: &[u8]| matches!(part, b"" | b"." | b"..") || part.contains(&0);
    !path.as_bytes().split(|&byte| byte == b'/').any(cannot_be)
}

fn entry_in(tree: &git2::Tree<'_>, path: &RepoPath) -> Result<Option<(u32, ObjectId)>, git2::Error> {
    if !can_be(path) {
        return Ok(None);
    }
    match tree.get_path(&path.to_path(Path::new(""))) {
        Ok(entry) => Ok(Some((entry_mode(&entry), object_id(entry.id())))),
        Err(error) if error.code() == ErrorCode::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Zero for what is not there: one side of a conflict.
fn mode_in(tree: &git2::Tree<'_>, path: &RepoPath) -> Answer<u32> {
    Ok(entry_in(tree, path)?.map_or(0, |(mode, _)| mode))
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

fn bytes(id: &Oid) -> Result<Id, git2::Error> {
    let bytes: Result<Id, _> = id.as_bytes().try_into();
    bytes.map_err(|_| git2::Error::from_str("an object's name is not one of SHA-1"))
}
