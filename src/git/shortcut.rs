//! The ways to what is staged that do not load the index, and which of them is taken.
//!
//! libgit2 loads an index at 2 µs an entry and then reads every tree of HEAD: 2.4 s for a million files, where git takes
//! 0.27 s. The cached tree at the end of the file takes 0.015 s, and reading the entries here takes 0.1 s (measured).

use std::fs::File;
use std::io::{ErrorKind, Read, Seek, SeekFrom};
use std::path::Path;

use super::cached_folders::CachedFolders;
use super::cached_tree::{self, Doubt, FIRST_READ, GROWTH, HEADER, Header, LAST_READ, LEAST_READ};
use super::delta::Delta;
use super::entries::Entries;
use super::listing::{Row, canonical};
use super::trees::{Id, Trees};
use super::{Means, ObjectId, Way, staging, trees};
use crate::source::RepoPath;

/// Up to here the entries are read in any case: they take no longer than the second tree of each folder (measured), and
/// what they say is what `git diff` says even where a damaged index contradicts its own cached tree.
const FEW: u32 = 2_000;

/// What was found without loading the index.
pub(super) struct Found {
    pub(super) deltas: Vec<Delta>,
    pub(super) way: Way,
    /// As it was then, whatever comes in its place.
    pub(super) index: Option<IndexFile>,
}

/// An opened index.
pub(super) struct IndexFile {
    file: File,
    length: u64,
}

impl IndexFile {
    /// `None` where there is none, which git takes for an empty one.
    pub(super) fn open(path: &Path) -> Result<Option<Self>, Doubt> {
        let opened = File::open(path).and_then(|file| Ok((file.metadata()?.len(), file)));
        match opened {
            Ok((length, file)) => Ok(Some(Self { file, length })),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(unreadable(&error)),
        }
    }

    fn header(&self) -> Result<Header, Doubt> {
        let mut bytes = [0; HEADER];
        let mut input = self.rewound()?;
        input.read_exact(&mut bytes).map_err(|error| unreadable(&error))?;
        Header::parse(&bytes)
    }

    fn rewound(&self) -> Result<&File, Doubt> {
        let mut file = &self.file;
        file.rewind().map_err(|error| unreadable(&error))?;
        Ok(file)
    }

    fn entries(&self) -> Result<Entries<&File>, Doubt> {
        Entries::new(self.rewound()?, self.length)
    }

    fn cached_tree(&self, header: Header) -> Result<Option<cached_tree::Found>, Doubt> {
        // A folder takes less room than its files do, so that the whole is not read of a small index.
        let mut size = (self.length / GROWTH).clamp(LEAST_READ, FIRST_READ);
        loop {
            let found = cached_tree::find(self.last(size.min(self.length))?, header)?;
            if found.is_some() || size >= self.length.min(LAST_READ) {
                return Ok(found);
            }
            size = size.saturating_mul(GROWTH).min(LAST_READ);
        }
    }

    fn last(&self, count: u64) -> Result<Vec<u8>, Doubt> {
        let mut file = &self.file;
        let mut bytes = vec![0; usize::try_from(count).unwrap_or_default()];
        file.seek(SeekFrom::Start(self.length.saturating_sub(count)))
            .and_then(|_| file.read_exact(&mut bytes))
            .map_err(|error| unreadable(&error))?;
        Ok(bytes)
    }

    /// Every entry but those that are only intended.
    pub(super) fn rows(&self) -> Result<Vec<Row>, Doubt> {
        let mut rows = Vec::new();
        let mut entries = self.entries()?;
        while let Some((path, entry)) = entries.current() {
            if !entry.is_intent {
                rows.push(Row {
                    path: RepoPath::new(path),
                    mode: canonical(entry.item.mode),
                    id: ObjectId::of_bytes(&entry.item.id),
                    size: entry.size,
                    stage: entry.stage,
                });
            }
            entries.advance()?;
        }
        entries.finish(None)?;
        Ok(rows)
    }
}

/// libgit2 takes what it cannot open for an index that is not there, which would pass for an empty one.
fn unreadable(error: &std::io::Error) -> Doubt {
    Doubt::OnlyGit(format!("the index cannot be read: {error}"))
}

/// HEAD to index by the cheapest way that `means` allows.
pub(super) fn staged(trees: &dyn Trees, head: Option<Id>, index: &Path, means: Means) -> Result<Found, Doubt> {
    let Some(index) = IndexFile::open(index)? else {
        return Ok(Found {
            deltas: trees::compare(trees, head, None, usize::MAX)?,
            way: Way::CachedTree,
            index: None,
        });
    };
    let header = index.header()?;
    let cached = index.cached_tree(header)?;
    let reason = match (means, &cached) {
        (Means::Fastest, _) if header.entries <= FEW => format!("it has {} entries only", header.entries),
        (Means::Entries, _) => "it was asked for".to_owned(),
        (_, None) => "it has no cached tree".to_owned(),
        (_, Some(cached)) => match by_cached_tree(trees, head, cached, most_folders(means, header)) {
            Ok(deltas) => {
                let way = Way::CachedTree;
                let index = Some(index);
                return Ok(Found { deltas, way, index });
            }
            Err(doubt) => doubt.reason(),
        },
    };
    if means == Means::CachedTree {
        return Err(Doubt::Strange(reason));
    }
    let mut entries = index.entries()?;
    let deltas = staging::compare(trees, head, &mut entries, cached.as_ref().map(|cached| &cached.tree))?;
    entries.finish(cached.map(|cached| cached.from_end))?;
    let way = Way::Entries { reason };
    let index = Some(index);
    Ok(Found { deltas, way, index })
}

/// Reading a new tree takes as long as reading some 250 entries (measured), so where much is staged the entries are read.
fn most_folders(means: Means, header: Header) -> usize {
    const ENTRIES: u32 = 250;
    if means == Means::Fastest {
        (header.entries / ENTRIES) as usize
    } else {
        usize::MAX
    }
}

fn by_cached_tree(
    trees: &dyn Trees,
    head: Option<Id>,
    cached: &cached_tree::Found,
    most: usize,
) -> Result<Vec<Delta>, Doubt> {
    let Some(root) = cached.root() else {
        return Err(Doubt::strange("its cached tree does not know all changes"));
    };
    trees::compare(&CachedFolders::new(trees, &cached.tree), head, Some(root), most)
}

/// Whether libgit2 would take longer to load this index than git to start and answer: from some 10,000 entries on
/// (measured).
pub(super) fn is_large(index: &Path) -> bool {
    const LARGE: u32 = 10_000;
    let header = IndexFile::open(index)
        .ok()
        .flatten()
        .and_then(|index| index.header().ok());
    header.is_some_and(|header| header.entries > LARGE)
}
