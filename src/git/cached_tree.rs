//! The end of an index file: its extensions, and among them the cached tree. Pure.
//!
//! git keeps in the index which tree object each folder would become (gitformat-index, "Cache tree"), and drops that
//! knowledge for a folder and all above it as soon as something below is staged, is in conflict or is only intended to be
//! added (measured, git 2.39 and 2.47). So a tree that is named for the root *is* the content of the index, and it is the
//! very tree that `git commit` records. It stands within the last bytes of the file, whatever the file's size.
//!
//! The end has no pointer to where the extensions begin, so their beginning is looked for and proved: they must follow one
//! another up to the trailing hash, the cached tree must be readable to its last byte, and its root must count as many
//! entries as the index has. Every read is checked; what cannot be proved is a [`Doubt`] or nothing.

use std::ops::Range;

use super::trees::Id;

/// What is read of the end of the file at first; of a small file less, but never less than [`LEAST_READ`].
pub(super) const FIRST_READ: u64 = 64 * 1024;
/// One page.
pub(super) const LEAST_READ: u64 = 4 * 1024;
/// How much more is read when the cached tree does not begin there.
pub(super) const GROWTH: u64 = 8;
/// Where looking for it ends: a million folders take about 40 MiB.
pub(super) const LAST_READ: u64 = 64 * 1024 * 1024;

/// The bytes of the header (gitformat-index).
pub(super) const HEADER: usize = 12;
/// The hash at the end. It is of zeros with `index.skipHash`, and git itself does not verify it.
pub(super) const HASH: usize = 20;
/// The name and the size that each extension begins with.
pub(super) const EXTENSION: usize = 8;

/// Why an index is not read here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Doubt {
    /// It is of a kind that only git reads.
    OnlyGit(String),
    /// It is not what git writes; who else reads it may say why.
    Strange(String),
}

impl Doubt {
    pub(super) fn strange(reason: impl Into<String>) -> Self {
        Self::Strange(reason.into())
    }

    pub(super) fn reason(self) -> String {
        match self {
            Self::OnlyGit(reason) | Self::Strange(reason) => reason,
        }
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
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, Doubt> {
        let known = bytes.get(..4) == Some(b"DIRC");
        let (Some(version), Some(entries), true) = (number(bytes, 4), number(bytes, 8), known) else {
            return Err(Doubt::strange("the index has no header"));
        };
        if (2..=4).contains(&version) {
            Ok(Self { version, entries })
        } else {
            Err(Doubt::OnlyGit(format!("the index is of version {version}")))
        }
    }
}

/// The cached tree: its folders, each followed by those below it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct CachedTree {
    names: Vec<u8>,
    folders: Vec<Folder>,
}

/// One folder of the cached tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Folder {
    name_start: u32,
    name_end: u32,
    /// The tree that it would become and the number of index entries below it; `None` where something changed.
    pub(super) known: Option<(Id, u32)>,
    /// Where the next folder that is not below this one stands. (Narrow numbers: there can be a million of these.)
    end: u32,
}

impl CachedTree {
    /// The folders directly below the one at `at`, with their places.
    pub(super) fn below(&self, at: usize) -> impl Iterator<Item = (&[u8], usize)> {
        let end = self.folders.get(at).map_or(0, |folder| folder.end as usize);
        let mut next = at.saturating_add(1);
        std::iter::from_fn(move || {
            let place = next;
            let folder = self.folders.get(place).filter(|_| place < end)?;
            next = folder.end as usize;
            let name = self.names.get(folder.name_start as usize..folder.name_end as usize)?;
            Some((name, place))
        })
    }

    pub(super) fn folder(&self, at: usize) -> Option<&Folder> {
        self.folders.get(at)
    }

    /// The content of the extension; `None` where it is not of its form to the last byte, or contradicts itself.
    pub(super) fn parse(payload: &[u8], keep: Keep) -> Option<Self> {
        let mut tree = Self::default();
        let mut rest = payload;
        let mut open: Vec<Open> = Vec::new();
        let mut read = 0_u32;
        while !rest.is_empty() {
            let (record, behind) = Record::parse(rest)?;
            rest = behind;
            let is_root = read == 0;
            // Below a folder that is known all are known, and together they hold no more than it does.
            match open.last_mut() {
                Some(parent) => parent.take(&record)?,
                None if is_root && record.name.is_empty() => {}
                None => return None,
            }
            if !is_root && (record.name.is_empty() || record.name.contains(&b'/')) {
                return None;
            }
            if is_root || keep == Keep::All {
                tree.push(&record)?;
            }
            open.push(Open {
                place: read,
                below: record.below,
                left: record.known.map(|(_, count)| count),
            });
            read = read.checked_add(1)?;
            while let Some(done) = open.pop_if(|folder| folder.below == 0) {
                if let Some(folder) = tree.folders.get_mut(done.place as usize) {
                    folder.end = read;
                }
            }
        }
        (open.is_empty() && read > 0).then_some(tree)
    }

    fn push(&mut self, record: &Record<'_>) -> Option<()> {
        let name_start = u32::try_from(self.names.len()).ok()?;
        self.names.extend_from_slice(record.name);
        self.folders.push(Folder {
            name_start,
            name_end: u32::try_from(self.names.len()).ok()?,
            known: record.known,
            end: 0,
        });
        Some(())
    }
}

/// What is kept of a cached tree. Reading it proves it either way; to keep a million folders takes as long again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Keep {
    /// The root only.
    Root,
    All,
}

/// A folder of which not all below it has been read, and what remains of its count.
struct Open {
    place: u32,
    below: u32,
    left: Option<u32>,
}

impl Open {
    fn take(&mut self, child: &Record<'_>) -> Option<()> {
        self.below = self.below.checked_sub(1)?;
        if let Some(left) = &mut self.left {
            let (_, count) = child.known?;
            *left = left.checked_sub(count)?;
        }
        Some(())
    }
}

/// `<name> NUL <entries> SP <folders below> LF <id, unless entries is negative>`
struct Record<'a> {
    name: &'a [u8],
    known: Option<(Id, u32)>,
    below: u32,
}

impl<'a> Record<'a> {
    fn parse(bytes: &'a [u8]) -> Option<(Self, &'a [u8])> {
        let (name, rest) = until(bytes, 0)?;
        let (entries, rest) = until(rest, b' ')?;
        let (below, rest) = until(rest, b'\n')?;
        let below = digits(below)?;
        if entries.first() == Some(&b'-') {
            digits(entries.get(1..)?)?;
            return Some((
                Self {
                    name,
                    known: None,
                    below,
                },
                rest,
            ));
        }
        let (id, rest) = rest.split_first_chunk()?;
        let known = Some((*id, digits(entries)?));
        Some((Self { name, known, below }, rest))
    }
}

/// A cached tree in the last bytes of an index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    /// The tree of the root and the number of entries; `None` where something changed.
    pub(super) root: Option<(Id, u32)>,
    /// Where in those bytes the content of the extension stands, for [`CachedTree::parse`].
    pub(super) payload: Range<usize>,
    /// How far from the end of the file the extension begins.
    pub(super) from_end: u64,
}

/// Looks for the cached tree in the last bytes of an index; `header` is that of the same file. `None` where it does not
/// begin in these bytes.
///
/// Fails for an extension that must be understood: its name begins with a small letter (gitformat-index, "Extensions").
pub(super) fn find(tail: &[u8], header: Header) -> Result<Option<Found>, Doubt> {
    let body = tail.get(..tail.len().saturating_sub(HASH)).unwrap_or_default();
    let places: Vec<usize> = memchr::memmem::find_iter(body, b"TREE").collect();
    for at in places.into_iter().rev() {
        let Some((found, names)) = proved(body, at, header) else {
            continue;
        };
        for name in names.iter().chain(stands_before(body, at).as_ref()) {
            optional(*name)?;
        }
        return Ok(Some(found));
    }
    Ok(None)
}

/// The cached tree at `at` and the names of the extensions from there on, if it is one.
fn proved(body: &[u8], at: usize, header: Header) -> Option<(Found, Vec<[u8; 4]>)> {
    let content = payload(body, at)?;
    let names = chain(body, at)?;
    let root = CachedTree::parse(content, Keep::Root)?.folder(0)?.known;
    let start = at.checked_add(EXTENSION)?;
    let found = Found {
        root,
        payload: start..start.checked_add(content.len())?,
        from_end: (body.len() - at + HASH) as u64,
    };
    root.is_none_or(|(_, count)| count == header.entries)
        .then_some((found, names))
}

/// Fails for the name of an extension that must be understood.
pub(super) fn optional(name: [u8; 4]) -> Result<(), Doubt> {
    if name.first().is_some_and(u8::is_ascii_uppercase) {
        return Ok(());
    }
    let name = name.escape_ascii();
    Err(Doubt::OnlyGit(format!("the index has the extension `{name}`")))
}

/// The names of the extensions from `at` on, if they reach to the end.
fn chain(body: &[u8], at: usize) -> Option<Vec<[u8; 4]>> {
    let (mut at, mut names) = (at, Vec::new());
    while at < body.len() {
        let name: [u8; 4] = *body.get(at..)?.first_chunk()?;
        if !name.iter().all(u8::is_ascii_graphic) {
            return None;
        }
        names.push(name);
        at = at.checked_add(EXTENSION)?.checked_add(payload(body, at)?.len())?;
    }
    Some(names)
}

/// The name of the extension before the one at `at`, where that may be one to be understood. git writes the `link` of a
/// split index there (read-cache.c); entries that look like it by chance cost time and nothing else.
fn stands_before(body: &[u8], at: usize) -> Option<[u8; 4]> {
    let before = body.get(..at)?;
    let leads_here = |start: usize| {
        let size = usize::try_from(number(before, start.checked_add(4)?)?).ok()?;
        (start.checked_add(EXTENSION)?.checked_add(size)? == at).then_some(*b"link")
    };
    memchr::memmem::find_iter(before, b"link").find_map(leads_here)
}

fn payload(body: &[u8], at: usize) -> Option<&[u8]> {
    let size = usize::try_from(number(body, at.checked_add(4)?)?).ok()?;
    let start = at.checked_add(EXTENSION)?;
    body.get(start..start.checked_add(size)?)
}

/// The number at `at`, the most significant byte first.
pub(super) fn number(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().map(|bytes| u32::from_be_bytes(*bytes))
}

fn until(bytes: &[u8], end: u8) -> Option<(&[u8], &[u8])> {
    let at = memchr::memchr(end, bytes)?;
    Some((bytes.get(..at)?, bytes.get(at.checked_add(1)?..)?))
}

fn digits(bytes: &[u8]) -> Option<u32> {
    let is_number = !bytes.is_empty() && bytes.iter().all(u8::is_ascii_digit);
    is_number
        .then(|| std::str::from_utf8(bytes).ok()?.parse().ok())
        .flatten()
}

#[cfg(test)]
mod tests {
    use super::super::sample::{file, folder, id, index};
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

    fn entries() -> Vec<super::super::sample::Sample> {
        vec![file("a/b/x", 1), file("a/y", 1), file("c/z", 1)]
    }

    fn find_in(bytes: &[u8]) -> Result<Option<Found>, Doubt> {
        find(bytes, Header::parse(bytes)?)
    }

    #[test]
    fn the_root_is_found_between_other_extensions() {
        let bytes = index(
            2,
            &entries(),
            &[(b"REUC", vec![1; 9]), (b"TREE", tree()), (b"UNTR", vec![7; 300])],
        );
        let found = find_in(&bytes).unwrap().unwrap();
        assert_eq!(found.root, Some((id(1), 3)));
        assert_eq!(bytes[found.payload.clone()], tree());
        assert_eq!(
            &bytes[bytes.len() - usize::try_from(found.from_end).unwrap()..][..4],
            b"TREE"
        );
        // The end alone tells the same.
        let tail = &bytes[bytes.len() - 400 - tree().len()..];
        let header = Header::parse(&bytes).unwrap();
        assert_eq!(find(tail, header).unwrap().unwrap().root, Some((id(1), 3)));
        assert_eq!(find(&bytes[bytes.len() - 100..], header).unwrap(), None);
    }

    #[test]
    fn folders_are_found_below_folders() {
        let tree = CachedTree::parse(&tree(), Keep::All).unwrap();
        let below = |at| tree.below(at).map(|(name, at)| (name.to_vec(), at)).collect::<Vec<_>>();
        assert_eq!(below(0), [(b"a".to_vec(), 1), (b"c".to_vec(), 3)]);
        assert_eq!(below(1), [(b"b".to_vec(), 2)]);
        assert!(below(3).is_empty() && below(9).is_empty());
        assert_eq!(tree.folder(2).unwrap().known, Some((id(3), 1)));
        assert_eq!(CachedTree::parse(&self::tree(), Keep::Root).unwrap().folders.len(), 1);
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
            assert_eq!(CachedTree::parse(&content, Keep::All), None, "{content:?}");
            let bytes = index(2, &entries()[..1], &[(b"TREE", content)]);
            assert_eq!(find_in(&bytes), Ok(None));
        }
        let known = [folder("", -1, 1, 1), folder("a", 2, 0, 1)].concat();
        assert!(CachedTree::parse(&known, Keep::All).is_some());
    }

    #[test]
    fn another_number_of_entries_is_no_proof() {
        let bytes = index(2, &entries()[..2], &[(b"TREE", tree())]);
        assert_eq!(find_in(&bytes), Ok(None));
    }

    #[test]
    fn extensions_to_be_understood_are_for_git() {
        let cases = [
            [(b"link", vec![0; 40]), (b"TREE", tree())],
            [(b"TREE", tree()), (b"sdir", Vec::new())],
        ];
        for extensions in cases {
            let bytes = index(2, &entries(), &extensions);
            assert!(matches!(find_in(&bytes), Err(Doubt::OnlyGit(reason)) if reason.contains("extension")));
        }
        let newer = index(5, &[], &[]);
        assert!(matches!(Header::parse(&newer), Err(Doubt::OnlyGit(_))));
        assert!(matches!(Header::parse(b"DIRC"), Err(Doubt::Strange(_))));
    }

    #[test]
    fn a_name_that_looks_like_an_extension_is_none() {
        let entries = [file("TREE", 1), file("link", 1), file("x", 1)];
        let content = folder("", 3, 0, 5);
        let bytes = index(2, &entries, &[(b"TREE", content)]);
        assert_eq!(find_in(&bytes).unwrap().unwrap().root, Some((id(5), 3)));
    }
}
