//! Finds the tree object that an index would become, in its cached tree (gitformat-index, "Cache tree").
//!
//! The cached tree names that object for each folder. git drops what it knows of a folder, and of all above it, as soon as something
//! below is staged, is in conflict or is only intended to be added (measured, git 2.39 and 2.47). So a tree that is named for the root
//! *is* the content of the index, and it is the very tree that `git commit` records.
//!
//! The extension stands within the last bytes of the file, and nothing says where it begins. So its name is looked for from the end
//! on, and then proved: the extensions must follow one another up to the trailing hash, the cached tree must be readable to its last
//! byte, and its root must count as many entries as the index has.

use std::io::{self, Read, Seek, SeekFrom};

use super::tree_diff::Id;

/// How much of the file is searched at once.
const STEP: u64 = 64 * 1024;
/// Where looking for the extension ends: a million folders take about 40 MiB.
const LAST: u64 = 64 * 1024 * 1024;
/// More extensions than git knows, so that a file of nothing but their names is not gone through again and again.
const MOST_EXTENSIONS: usize = 32;
const NAME: &[u8; 4] = b"TREE";

/// The bytes of the header (gitformat-index).
pub(super) const HEADER: usize = 12;
/// The hash at the end. It is of zeros with `index.skipHash`, and git itself does not verify it.
const HASH: u64 = 20;
/// The name and the size that each extension begins with.
const EXTENSION_HEADER: usize = 8;

/// Why what is staged cannot be told from the cached tree.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum IndexError {
    /// The index is of a kind that only git reads.
    #[error("{0}")]
    OnlyGit(String),
    /// It has no cached tree that can be relied on.
    #[error("{0}")]
    Unproved(String),
}

impl IndexError {
    pub(super) fn unproved(reason: impl Into<String>) -> Self {
        Self::Unproved(reason.into())
    }
}

/// libgit2 takes what it cannot open for an index that is not there, which would pass for an empty one.
impl From<io::Error> for IndexError {
    fn from(error: io::Error) -> Self {
        Self::OnlyGit(format!("the index cannot be read: {error}"))
    }
}

/// The first bytes of an index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) version: u32,
    pub(super) entries: u32,
}

impl Header {
    /// Fails for what is no index, and for versions that are not written down yet.
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

/// One folder of the cached tree. Those below it follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Folder<'a> {
    name: &'a [u8],
    /// The tree that it would become and the number of index entries below it; `None` where something changed.
    known: Option<(&'a Id, u32)>,
    /// How many folders it has directly below it.
    below: u32,
}

/// The root of the cached tree that is written in `bytes`; `None` where they are not of its form to the last byte, or contradict
/// themselves.
fn root(bytes: &[u8]) -> Option<Folder<'_>> {
    let (root, mut rest) = Folder::parse(bytes)?;
    if !root.name.is_empty() {
        return None;
    }
    let mut open = vec![Open::new(&root)];
    loop {
        while open.pop_if(|folder| folder.below == 0).is_some() {}
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

/// A folder of which not all below it has been read, and what remains of its count.
struct Open {
    below: u32,
    left: Option<u32>,
}

impl Open {
    fn new(folder: &Folder<'_>) -> Self {
        Self {
            below: folder.below,
            left: folder.known.map(|(_, count)| count),
        }
    }

    /// Below a folder that is known all are known, and together they hold no more than it does.
    fn take(&mut self, child: &Folder<'_>) -> Option<()> {
        self.below = self.below.checked_sub(1)?;
        if let Some(left) = &mut self.left {
            let (_, count) = child.known?;
            *left = left.checked_sub(count)?;
        }
        Some(())
    }
}

impl<'a> Folder<'a> {
    /// `<name> NUL <entries> SP <folders below> LF <id, unless entries is negative>`, and what stands behind.
    fn parse(bytes: &'a [u8]) -> Option<(Self, &'a [u8])> {
        let at = memchr::memchr(0, bytes)?;
        let (name, rest) = (bytes.get(..at)?, bytes.get(at.checked_add(1)?..)?);
        let changed = rest.strip_prefix(b"-");
        let (entries, rest) = decimal(changed.unwrap_or(rest), b' ')?;
        let (below, rest) = decimal(rest, b'\n')?;
        if changed.is_some() {
            let known = None;
            return Some((Self { name, known, below }, rest));
        }
        let (id, rest) = rest.split_first_chunk()?;
        let known = Some((id, entries));
        Some((Self { name, known, below }, rest))
    }
}

/// What an extension begins with.
struct Extension {
    name: [u8; 4],
    size: u32,
}

/// The tree that an index of `length` bytes with this header would become.
///
/// Fails where the index has no cached tree, or one that is not complete because something changed since. Fails for an extension that
/// must be understood: its name begins with a small letter (gitformat-index, "Extensions"). Only those behind the cached tree are looked
/// at. git writes the `link` of a split index before it; then the header counts other entries than the root does, unless all that count
/// stand in this file.
pub(super) fn find(index: &mut (impl Read + Seek), length: u64, header: Header) -> Result<Id, IndexError> {
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
            // Of a path that holds the word, nearly always: no file is that large.
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
fn proved(index: &mut (impl Read + Seek), at: u64, end: u64, header: Header) -> Result<Option<Id>, IndexError> {
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
        Some((id, _)) => Ok(Some(*id)),
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
    let mut bytes = Vec::with_capacity(usize::try_from(count).unwrap_or_default());
    index.seek(SeekFrom::Start(at))?;
    index.take(count).read_to_end(&mut bytes)?;
    if bytes.len() as u64 == count {
        Ok(bytes)
    } else {
        Err(IndexError::unproved("the index ends early"))
    }
}

/// The number at `at`, the most significant byte first.
fn number(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().map(|bytes| u32::from_be_bytes(*bytes))
}

/// A decimal number that ends with `end`, and what stands behind.
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
        [
            folder("", 3, 2, 1),
            folder("a", 2, 1, 2),
            folder("b", 1, 0, 3),
            folder("c", 1, 0, 4),
        ]
        .concat()
    }

    fn entries() -> Vec<Sample> {
        vec![file("a/b/x", 1), file("a/y", 1), file("c/z", 1)]
    }

    fn find_in(bytes: &[u8]) -> Result<Id, IndexError> {
        find(&mut Cursor::new(bytes), bytes.len() as u64, Header::parse(bytes)?)
    }

    fn none() -> Result<Id, IndexError> {
        Err(IndexError::unproved("the index has no cached tree"))
    }

    /// Counts the bytes that are read.
    struct Counted<'a>(Cursor<&'a [u8]>, u64);

    impl Read for Counted<'_> {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            let count = self.0.read(into)?;
            self.1 += count as u64;
            Ok(count)
        }
    }

    impl Seek for Counted<'_> {
        fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
            self.0.seek(to)
        }
    }

    #[test]
    fn the_root_is_found_between_other_extensions() {
        let bytes = index(
            2,
            &entries(),
            &[(b"REUC", vec![1; 9]), (b"TREE", tree()), (b"UNTR", vec![7; 300])],
        );
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
            let mut counted = Counted(Cursor::new(&bytes), 0);
            let found = find(&mut counted, bytes.len() as u64, Header::parse(&bytes).unwrap());
            assert_eq!(found, Ok(id(1)));
            let most = 2 * size as u64 + STEP + 2_000;
            assert!(counted.1 <= most, "{} of {most}, {folders} folders", counted.1);
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
    fn a_root_of_which_something_changed_is_none() {
        let content = [folder("", -1, 2, 0), folder("a", -1, 0, 0), folder("b", 2, 0, 1)].concat();
        let bytes = index(2, &entries(), &[(b"TREE", content)]);
        assert_eq!(
            find_in(&bytes),
            Err(IndexError::unproved("the cached tree of the index is not complete"))
        );
    }

    #[test]
    fn what_contradicts_itself_is_no_cached_tree() {
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
    fn extensions_to_be_understood_are_for_git() {
        let bytes = index(2, &entries(), &[(b"TREE", tree()), (b"sdir", Vec::new())]);
        assert!(matches!(find_in(&bytes), Err(IndexError::OnlyGit(reason)) if reason.contains("extension `sdir`")));
        let newer = index(5, &[], &[]);
        assert!(matches!(Header::parse(&newer), Err(IndexError::OnlyGit(_))));
        assert!(matches!(Header::parse(b"DIRC"), Err(IndexError::Unproved(_))));
    }

    #[test]
    fn a_name_that_looks_like_an_extension_is_none() {
        let entries = [file("TREE", 1), file("link", 1), file("x", 1)];
        let content = folder("", 3, 0, 5);
        let bytes = index(2, &entries, &[(b"TREE", content)]);
        assert_eq!(find_in(&bytes), Ok(id(5)));
    }
}
