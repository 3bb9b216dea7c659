//! Finds what is staged without loading the index, by its cached tree (gitformat-index, "Cache tree").
//!
//! libgit2 loads an index at 2 µs an entry and then reads every tree of HEAD: 2.4 s for a million files, where git takes 0.27 s and the
//! cached tree 0.015 s (measured).
//!
//! The cached tree names, for each folder, the tree object that it would become. git drops the name of a folder, and of all above it, as
//! soon as something below is staged, in conflict or intended to be added (measured, git 2.39 and 2.47). So a tree that is named for the
//! root *is* the content of the index, and the one that `git commit` records.
//!
//! The extension lies at the end of the file, and nothing says where it begins. So its name is searched for from the end on, and a place
//! counts once it is proved: from there the extensions follow one another up to the trailing hash, the cached tree is well formed to its
//! last byte, and its root counts as many entries as the index has.

use std::fs::File;
use std::io::{self, ErrorKind, Read, Seek, SeekFrom};
use std::path::Path;

use git2::Oid;

use super::delta::Delta;
use super::tree_diff::{self, Trees};
use crate::work;

/// Up to here libgit2 loads an index in less than 20 ms (measured).
const LARGE: u32 = 10_000;
/// How much of the file is searched at once.
const STEP: u64 = 64 * 1024;
/// Where the search ends: a million folders take about 40 MiB.
const LAST: u64 = 64 * 1024 * 1024;
/// More extensions than git has; bounds the work for a file that is full of their names.
const MOST_EXTENSIONS: usize = 32;
const NAME: &[u8; 4] = b"TREE";

/// The bytes of the header (gitformat-index).
pub(super) const HEADER: usize = 12;
/// The bytes of the shortest entry of any version: 62 before the name, and two for a name and its end.
const SHORTEST_ENTRY: u64 = 64;
/// The length of the hash at the end, which git does not verify, and which is of zeros with `index.skipHash`.
const HASH: u64 = 20;
/// The name and the size that each extension begins with.
const EXTENSION_HEADER: usize = 8;

/// Why the cached tree does not tell what is staged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum IndexError {
    /// Only git reads an index of this kind.
    #[error("{0}")]
    OnlyGit(String),
    /// It has no cached tree to rely on.
    #[error("{0}")]
    Unproved(String),
}

impl IndexError {
    pub(super) fn unproved(reason: impl Into<String>) -> Self {
        Self::Unproved(reason.into())
    }
}

/// For git: libgit2 takes an index that it cannot open for an empty one.
impl From<io::Error> for IndexError {
    fn from(error: io::Error) -> Self {
        Self::OnlyGit(format!("the index cannot be read: {error}"))
    }
}

/// Compares HEAD's tree with the one that the index would become.
pub(super) fn staged(trees: &dyn Trees, head: Option<Oid>, index: &Path) -> Result<Vec<Delta>, IndexError> {
    let Some((mut file, header)) = open(index)? else {
        return Err(IndexError::unproved("there is no index"));
    };
    let length = file.metadata()?.len();
    let root = find(&mut file, length, header)?;
    tree_diff::compare(trees, head, Some(root))
}

/// Whether git starts and answers faster than libgit2 loads this index.
pub(super) fn is_large(index: &Path) -> bool {
    let header = open(index).ok().flatten();
    header.is_some_and(|(_, header)| header.entries > LARGE)
}

/// How many entries the header counts, if the file is too short for them.
///
/// git would read on behind the end of such an index, with luck for a minute (measured, 2.47).
pub(super) fn impossible_count(index: &Path) -> Option<u32> {
    let (file, header) = open(index).ok()??;
    let least = HEADER as u64 + u64::from(header.entries) * SHORTEST_ENTRY;
    (file.metadata().ok()?.len() < least).then_some(header.entries)
}

fn open(index: &Path) -> Result<Option<(File, Header)>, IndexError> {
    let mut file = match File::open(index) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        file => file?,
    };
    let mut bytes = [0; HEADER];
    file.read_exact(&mut bytes)?;
    Ok(Some((file, Header::parse(&bytes)?)))
}

/// The first bytes of an index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) version: u32,
    pub(super) entries: u32,
}

impl Header {
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, IndexError> {
        let known = bytes.get(..4) == Some(b"DIRC");
        let (Some(version), Some(entries), true) = (number(bytes, 4), number(bytes, 8), known) else {
            return Err(IndexError::unproved("the index has no header"));
        };
        if (2..=4).contains(&version) {
            Ok(Self { version, entries })
        } else {
            Err(IndexError::OnlyGit(format!("the index is of version {version}")))
        }
    }
}

/// One folder of the cached tree. Its subfolders follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Folder<'a> {
    name: &'a [u8],
    /// The tree that it would become and the number of index entries below it; `None` where something changed.
    known: Option<(Oid, u32)>,
    subfolders: u32,
}

/// The root of the cached tree in `bytes`; `None` where they are not well formed to the last byte, or contradict themselves.
fn root(bytes: &[u8]) -> Option<Folder<'_>> {
    let (root, mut rest) = Folder::parse(bytes)?;
    if !root.name.is_empty() {
        return None;
    }
    let mut open = vec![Open::new(&root)];
    loop {
        while open.pop_if(|folder| folder.subfolders == 0).is_some() {}
        let Some(parent) = open.last_mut() else {
            return rest.is_empty().then_some(root);
        };
        let (folder, behind) = Folder::parse(rest)?;
        if folder.name.is_empty() || folder.name.contains(&b'/') {
            return None;
        }
        parent.take(&folder)?;
        open.push(Open::new(&folder));
        rest = behind;
    }
}

/// A folder some of whose subfolders are not read yet.
struct Open {
    /// How many.
    subfolders: u32,
    /// How many of its entries are in none of those that are.
    entries: Option<u32>,
}

impl Open {
    fn new(folder: &Folder<'_>) -> Self {
        Self {
            subfolders: folder.subfolders,
            entries: folder.known.map(|(_, count)| count),
        }
    }

    /// The subfolders of a known folder are known, and hold no more entries than it does.
    fn take(&mut self, child: &Folder<'_>) -> Option<()> {
        self.subfolders = self.subfolders.checked_sub(1)?;
        if let Some(entries) = &mut self.entries {
            let (_, count) = child.known?;
            *entries = entries.checked_sub(count)?;
        }
        Some(())
    }
}

impl<'a> Folder<'a> {
    /// `<name> NUL <entries> SP <subfolders> LF <id, unless entries is negative>`, and the bytes behind it.
    fn parse(bytes: &'a [u8]) -> Option<(Self, &'a [u8])> {
        let (name, rest) = tree_diff::split(bytes, 0)?;
        let changed = rest.strip_prefix(b"-");
        let (entries, rest) = decimal(changed.unwrap_or(rest), b' ')?;
        let (subfolders, rest) = decimal(rest, b'\n')?;
        let (known, rest) = if changed.is_some() {
            (None, rest)
        } else {
            let (id, rest) = tree_diff::id(rest)?;
            (Some((id, entries)), rest)
        };
        let folder = Self {
            name,
            known,
            subfolders,
        };
        Some((folder, rest))
    }
}

struct Extension {
    name: [u8; 4],
    size: u32,
}

/// The tree that an index of `length` bytes with this header would become.
///
/// Fails without a complete cached tree, and for an extension that must be understood, whose name begins with a small letter
/// (gitformat-index, "Extensions"). Only extensions behind the cached tree are looked at. git writes the `link` of a split index before it;
/// then the header counts other entries than the root does, unless all that count are in this file.
pub(super) fn find(index: &mut (impl Read + Seek), length: u64, header: Header) -> Result<Oid, IndexError> {
    let end = length.saturating_sub(HASH);
    let first = end.saturating_sub(LAST).max(HEADER as u64);
    let mut searched = end;
    while searched > first {
        let from = searched.saturating_sub(STEP).max(first);
        // A name may lie across the border.
        let to = searched.saturating_add(NAME.len() as u64 - 1).min(end);
        let part = read(index, from, to - from)?;
        let places: Vec<usize> = memchr::memmem::find_iter(&part, NAME).collect();
        for at in places.into_iter().rev() {
            // In a path that holds the word, the next bytes are letters: a size larger than any file.
            let size = number(&part, at + NAME.len()).map(u64::from);
            if size.is_some_and(|size| from + at as u64 + size > end) {
                continue;
            }
            if let Some(found) = proved(index, from + at as u64, end, header)? {
                return Ok(found);
            }
        }
        searched = from;
    }
    Err(IndexError::unproved("the index has no cached tree"))
}

/// The tree of the root in the cached tree that begins at `at`, if one does.
fn proved(index: &mut (impl Read + Seek), at: u64, end: u64, header: Header) -> Result<Option<Oid>, IndexError> {
    let Some(extensions) = extensions(index, at, end)? else {
        return Ok(None);
    };
    let size = extensions.first().map_or(0, |first| u64::from(first.size));
    let bytes = read(index, at + EXTENSION_HEADER as u64, size)?;
    let Some(root) = root(&bytes) else {
        return Ok(None);
    };
    if root.known.is_some_and(|(_, count)| count != header.entries) {
        return Ok(None);
    }
    for Extension { name, .. } in extensions {
        if !name.first().is_some_and(u8::is_ascii_uppercase) {
            let name = name.escape_ascii();
            return Err(IndexError::OnlyGit(format!("the index has the extension `{name}`")));
        }
    }
    match root.known {
        Some((id, _)) => Ok(Some(id)),
        None => Err(IndexError::unproved("the cached tree of the index is not complete")),
    }
}

/// The extensions from `at` on, if they reach to the end.
fn extensions(index: &mut (impl Read + Seek), mut at: u64, end: u64) -> Result<Option<Vec<Extension>>, IndexError> {
    let mut found = Vec::new();
    while at < end {
        if at + EXTENSION_HEADER as u64 > end || found.len() == MOST_EXTENSIONS {
            return Ok(None);
        }
        let head = read(index, at, EXTENSION_HEADER as u64)?;
        let (Some(&name), Some(size)) = (head.first_chunk::<4>(), number(&head, 4)) else {
            return Ok(None);
        };
        if !name.iter().all(u8::is_ascii_graphic) {
            return Ok(None);
        }
        found.push(Extension { name, size });
        at += EXTENSION_HEADER as u64 + u64::from(size);
    }
    Ok((at == end).then_some(found))
}

fn read(index: &mut (impl Read + Seek), at: u64, count: u64) -> Result<Vec<u8>, IndexError> {
    let size = usize::try_from(count).unwrap_or_default();
    work::steps(size);
    let mut bytes = Vec::with_capacity(size);
    index.seek(SeekFrom::Start(at))?;
    index.take(count).read_to_end(&mut bytes)?;
    if bytes.len() as u64 == count {
        Ok(bytes)
    } else {
        Err(IndexError::unproved("the index ends early"))
    }
}

/// The big-endian number at `at`.
fn number(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().map(|bytes| u32::from_be_bytes(*bytes))
}

/// A decimal number that ends with `end`, and the bytes behind it.
fn decimal(bytes: &[u8], end: u8) -> Option<(u32, &[u8])> {
    let length = bytes.iter().position(|byte| !byte.is_ascii_digit())?;
    let (digits, rest) = bytes.split_at_checked(length).filter(|_| length > 0)?;
    let add = |value: u32, &digit: &u8| value.checked_mul(10)?.checked_add(u32::from(digit - b'0'));
    Some((digits.iter().try_fold(0, add)?, rest.strip_prefix(&[end])?))
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::super::sample::{Sample, file, folder, id, index};
    use super::*;

    fn tree() -> Vec<u8> {
        [folder("", 3, 2, 1), folder("a", 2, 1, 2), folder("b", 1, 0, 3), folder("c", 1, 0, 4)].concat()
    }

    fn entries() -> Vec<Sample> {
        vec![file("a/b/x", 1), file("a/y", 1), file("c/z", 1)]
    }

    fn find_in(bytes: &[u8]) -> Result<Oid, IndexError> {
        find(&mut Cursor::new(bytes), bytes.len() as u64, Header::parse(bytes)?)
    }

    fn none() -> Result<Oid, IndexError> {
        Err(IndexError::unproved("the index has no cached tree"))
    }

    #[test]
    fn the_root_is_found_between_other_extensions() {
        let bytes = index(2, &entries(), &[(b"REUC", vec![1; 9]), (b"TREE", tree()), (b"UNTR", vec![7; 300])]);
        assert_eq!(find_in(&bytes), Ok(id(1)));
    }

    /// A cached tree of this many folders, between entries and other extensions.
    fn large(folders: u32) -> (Vec<u8>, usize) {
        let name = |number: u32| format!("a_folder_with_a_long_name_{number}");
        let mut content = folder("", 2, folders, 1);
        for number in 0..folders {
            content.extend(folder(&name(number), i64::from(number < 2), 0, 2));
        }
        let size = content.len();
        let entries: Vec<Sample> = vec![file("a", 1), file("b", 1)];
        let mut bytes = index(2, &entries, &[(b"IEOT", vec![b'T'; 400_000]), (b"TREE", content)]);
        bytes.truncate(bytes.len() - 20);
        bytes.extend([b"REUC".as_slice(), &[0, 0, 3, 0xe8], &[1; 1000], &[0; 20]].concat());
        (bytes, size)
    }

    #[test]
    fn no_more_is_read_than_twice_the_extension() {
        for folders in [10, 1_000, 5_000, 40_000] {
            let (bytes, size) = large(folders);
            let read = work::counted(|| assert_eq!(find_in(&bytes), Ok(id(1))));
            let most = 2 * size + usize::try_from(STEP).unwrap() + 2_000;
            assert!(read <= most, "{read} of {most}, {folders} folders");
        }
    }

    #[test]
    fn a_name_across_the_border_of_two_reads_is_found() {
        for shift in 0..8 {
            // Its name begins four bytes behind the border, and then one by one before it.
            let filling = usize::try_from(STEP).unwrap() - 4 + shift - 8 - tree().len() - 8;
            let bytes = index(2, &entries(), &[(b"TREE", tree()), (b"UNTR", vec![7; filling])]);
            assert_eq!(find_in(&bytes), Ok(id(1)), "{shift}");
        }
    }

    #[test]
    fn a_changed_root_is_no_proof() {
        let content = [folder("", -1, 2, 0), folder("a", -1, 0, 0), folder("b", 2, 0, 1)].concat();
        let bytes = index(2, &entries(), &[(b"TREE", content)]);
        assert_eq!(find_in(&bytes), Err(IndexError::unproved("the cached tree of the index is not complete")));
    }

    #[test]
    fn a_cached_tree_must_not_contradict_itself() {
        let broken = [
            Vec::new(),
            folder("named", 1, 0, 1),
            [folder("", 1, 0, 1), folder("more", 1, 0, 1)].concat(),
            folder("", 1, 1, 1),
            [folder("", 1, 1, 1), folder("a", 2, 0, 1)].concat(),
            [folder("", 1, 1, 1), folder("a", -1, 0, 1)].concat(),
            [folder("", 1, 1, 1), folder("a/b", 1, 0, 1)].concat(),
            [folder("", 1, 1, 1), folder("", 1, 0, 1)].concat(),
            b"\0+1 0\n".to_vec(),
            b"\x001 0\nshort".to_vec(),
            b"\0-1 \n".to_vec(),
            b"\099999999999 0\n".to_vec(),
        ];
        for content in broken {
            assert_eq!(root(&content), None, "{content:?}");
            let bytes = index(2, &entries()[..1], &[(b"TREE", content)]);
            assert_eq!(find_in(&bytes), none());
        }
        let known = [folder("", -1, 1, 1), folder("a", 2, 0, 1)].concat();
        assert!(root(&known).is_some());
    }

    #[test]
    fn another_number_of_entries_is_no_proof() {
        let bytes = index(2, &entries()[..2], &[(b"TREE", tree())]);
        assert_eq!(find_in(&bytes), none());
    }

    #[test]
    fn extensions_that_must_be_understood_are_for_git() {
        let bytes = index(2, &entries(), &[(b"TREE", tree()), (b"sdir", Vec::new())]);
        assert!(matches!(find_in(&bytes), Err(IndexError::OnlyGit(reason)) if reason.contains("extension `sdir`")));
        let newer = index(5, &[], &[]);
        assert!(matches!(Header::parse(&newer), Err(IndexError::OnlyGit(_))));
        assert!(matches!(Header::parse(b"DIRC"), Err(IndexError::Unproved(_))));
    }

    #[test]
    fn a_path_that_looks_like_an_extension_is_none() {
        let entries = [file("TREE", 1), file("link", 1), file("x", 1)];
        let content = folder("", 3, 0, 5);
        let bytes = index(2, &entries, &[(b"TREE", content)]);
        assert_eq!(find_in(&bytes), Ok(id(5)));
    }
}
