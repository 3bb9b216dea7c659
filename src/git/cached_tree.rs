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

use super::trees::{Child, Id};

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

/// The cached tree: its folders, each followed by those below it. It stays as it is in the file, for there can be a million
/// folders; what is kept of each is where it stands.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct CachedTree {
    bytes: Vec<u8>,
    folders: Vec<Place>,
}

/// Where one folder of the cached tree stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Place {
    /// Where its record begins.
    start: u32,
    /// Which folder is the next that is not below this one.
    end: u32,
}

/// One folder of the cached tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Folder<'a> {
    pub(super) name: &'a [u8],
    /// The tree that it would become and the number of index entries below it; `None` where something changed.
    pub(super) known: Option<(&'a Id, u32)>,
    /// How many folders it has directly below it.
    below: u32,
}

impl CachedTree {
    /// The folders directly below the one at `at`, with their places.
    pub(super) fn below(&self, at: usize) -> impl Iterator<Item = (Folder<'_>, usize)> {
        let end = self.folders.get(at).map_or(0, |folder| folder.end as usize);
        let mut next = at.saturating_add(1);
        std::iter::from_fn(move || {
            let at = next;
            let place = self.folders.get(at).filter(|_| at < end)?;
            next = place.end as usize;
            Some((self.folder(at)?, at))
        })
    }

    pub(super) fn folder(&self, at: usize) -> Option<Folder<'_>> {
        let record = self.bytes.get(self.folders.get(at)?.start as usize..)?;
        Folder::parse(record).map(|(folder, _)| folder)
    }

    /// What the folder at `at` holds, in the order of a tree, where that is nothing but folders: they count as many entries
    /// as it does.
    pub(super) fn only_folders(&self, at: usize) -> Option<Vec<Child>> {
        let (_, mut left) = self.folder(at)?.known?;
        let mut children = Vec::new();
        for (folder, _) in self.below(at) {
            let (id, count) = folder.known?;
            left = left.checked_sub(count)?;
            children.push(Child::folder(folder.name, *id));
        }
        children.sort_by(Child::order);
        (left == 0).then_some(children)
    }

    /// The content of an extension alone.
    #[cfg(test)]
    pub(super) fn of(content: &[u8]) -> Option<Self> {
        Some(Self {
            folders: places(content, 0..content.len())?,
            bytes: content.to_vec(),
        })
    }
}

/// The folders of the cached tree that stands in `bytes` at `payload`; `None` where that is not of its form to the last byte,
/// or contradicts itself.
fn places(bytes: &[u8], payload: Range<usize>) -> Option<Vec<Place>> {
    let end = payload.end;
    let mut rest = bytes.get(payload)?;
    let mut folders: Vec<Place> = Vec::new();
    let mut open: Vec<Open> = Vec::new();
    while !rest.is_empty() {
        let start = u32::try_from(end - rest.len()).ok()?;
        let (folder, behind) = Folder::parse(rest)?;
        rest = behind;
        let is_root = folders.is_empty();
        // Below a folder that is known all are known, and together they hold no more than it does.
        match open.last_mut() {
            Some(parent) => parent.take(&folder)?,
            None if is_root && folder.name.is_empty() => {}
            None => return None,
        }
        if !is_root && (folder.name.is_empty() || folder.name.contains(&b'/')) {
            return None;
        }
        open.push(Open {
            at: folders.len(),
            below: folder.below,
            left: folder.known.map(|(_, count)| count),
        });
        folders.push(Place { start, end: 0 });
        let next = u32::try_from(folders.len()).ok()?;
        while let Some(done) = open.pop_if(|folder| folder.below == 0) {
            if let Some(folder) = folders.get_mut(done.at) {
                folder.end = next;
            }
        }
    }
    (open.is_empty() && !folders.is_empty()).then_some(folders)
}

/// A folder of which not all below it has been read, and what remains of its count.
struct Open {
    at: usize,
    below: u32,
    left: Option<u32>,
}

impl Open {
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

/// A cached tree in the last bytes of an index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) tree: CachedTree,
    /// How far from the end of the file the extension begins.
    pub(super) from_end: u64,
}

impl Found {
    /// The tree of the root; `None` where something changed.
    pub(super) fn root(&self) -> Option<Id> {
        self.tree.folder(0)?.known.map(|(id, _)| *id)
    }
}

/// Looks for the cached tree in the last bytes of an index; `header` is that of the same file. `None` where it does not
/// begin in these bytes.
///
/// Fails for an extension that must be understood: its name begins with a small letter (gitformat-index, "Extensions").
pub(super) fn find(tail: Vec<u8>, header: Header) -> Result<Option<Found>, Doubt> {
    let body = tail.get(..tail.len().saturating_sub(HASH)).unwrap_or_default();
    let places: Vec<usize> = memchr::memmem::find_iter(body, b"TREE").collect();
    for at in places.into_iter().rev() {
        let Some((folders, names)) = proved(body, at, header) else {
            continue;
        };
        for name in names.iter().chain(stands_before(body, at).as_ref()) {
            optional(*name)?;
        }
        let from_end = (tail.len() - at) as u64;
        let tree = CachedTree { bytes: tail, folders };
        return Ok(Some(Found { tree, from_end }));
    }
    Ok(None)
}

/// The folders of the cached tree at `at` and the names of the extensions from there on, if it is one.
fn proved(body: &[u8], at: usize, header: Header) -> Option<(Vec<Place>, Vec<[u8; 4]>)> {
    let content = payload(body, at)?;
    let names = chain(body, at)?;
    let (root, _) = Folder::parse(body.get(content.clone())?)?;
    let folders = places(body, content)?;
    root.known
        .is_none_or(|(_, count)| count == header.entries)
        .then_some((folders, names))
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
        at = payload(body, at)?.end;
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

/// Where the content of the extension at `at` stands.
fn payload(body: &[u8], at: usize) -> Option<Range<usize>> {
    let size = usize::try_from(number(body, at.checked_add(4)?)?).ok()?;
    let start = at.checked_add(EXTENSION)?;
    let end = start.checked_add(size)?;
    (end <= body.len()).then_some(start..end)
}

/// The number at `at`, the most significant byte first.
pub(super) fn number(bytes: &[u8], at: usize) -> Option<u32> {
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
        find(bytes.to_vec(), Header::parse(bytes)?)
    }

    #[test]
    fn the_root_is_found_between_other_extensions() {
        let bytes = index(
            2,
            &entries(),
            &[(b"REUC", vec![1; 9]), (b"TREE", tree()), (b"UNTR", vec![7; 300])],
        );
        let found = find_in(&bytes).unwrap().unwrap();
        assert_eq!(found.root(), Some(id(1)));
        assert_eq!(found.tree.folder(3).unwrap().name, b"c");
        assert_eq!(
            &bytes[bytes.len() - usize::try_from(found.from_end).unwrap()..][..4],
            b"TREE"
        );
        // The end alone tells the same.
        let tail = &bytes[bytes.len() - 400 - tree().len()..];
        let header = Header::parse(&bytes).unwrap();
        assert_eq!(find(tail.to_vec(), header).unwrap().unwrap().root(), Some(id(1)));
        assert_eq!(find(bytes[bytes.len() - 100..].to_vec(), header).unwrap(), None);
    }

    #[test]
    fn folders_are_found_below_folders() {
        let tree = CachedTree::of(&tree()).unwrap();
        let below = |at| {
            let below = tree.below(at).map(|(folder, at)| (folder.name.to_vec(), at));
            below.collect::<Vec<_>>()
        };
        assert_eq!(below(0), [(b"a".to_vec(), 1), (b"c".to_vec(), 3)]);
        assert_eq!(below(1), [(b"b".to_vec(), 2)]);
        assert!(below(3).is_empty() && below(9).is_empty());
        assert_eq!(tree.folder(2).unwrap().known, Some((&id(3), 1)));
    }

    #[test]
    fn what_a_folder_of_folders_holds_is_known() {
        let content = [
            folder("", 4, 3, 1),
            folder("b", 1, 0, 3),
            folder("a.b", 1, 0, 4),
            folder("a", 2, 1, 2),
            folder("c", 1, 0, 5),
        ]
        .concat();
        let tree = CachedTree::of(&content).unwrap();
        let names = |at| {
            let children = tree.only_folders(at)?;
            Some(children.into_iter().map(|child| child.name).collect::<Vec<_>>())
        };
        // In the order of a tree object, where `a.b` stands before `a/`.
        assert_eq!(names(0), Some(vec![b"a.b".to_vec(), b"a".to_vec(), b"b".to_vec()]));
        assert_eq!(names(1), None, "it has a file and no folder");
        assert_eq!(names(3), None, "it has a file and a folder");
        assert_eq!(names(9), None);
        let unknown = [folder("", -1, 1, 1), folder("a", 2, 0, 1)].concat();
        assert_eq!(CachedTree::of(&unknown).unwrap().only_folders(0), None);
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
            assert_eq!(CachedTree::of(&content), None, "{content:?}");
            let bytes = index(2, &entries()[..1], &[(b"TREE", content)]);
            assert_eq!(find_in(&bytes), Ok(None));
        }
        let known = [folder("", -1, 1, 1), folder("a", 2, 0, 1)].concat();
        assert!(CachedTree::of(&known).is_some());
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
        assert_eq!(find_in(&bytes).unwrap().unwrap().root(), Some(id(5)));
    }
}
