//! Finds renames by similar content.

use git2::{Delta as Letter, DiffFindOptions, Index, IndexEntry, IndexTime};

use super::super::delta::{Candidates, Delta, Pair, Side};
use super::index::diff_options;
use super::{Answer, Library, oid};
use crate::snapshot::ObjectId;
use crate::source::RepoPath;

impl Library {
    /// Compares the candidates of at most `limit` bytes, as two indexes that exist in memory only, so that the repository's own need not be
    /// loaded. Of many candidates only those that `may_matter` by their content.
    pub(in super::super) fn similar(
        &self,
        candidates: &Candidates<'_>,
        limit: u64,
        may_matter: fn(&[u8]) -> bool,
    ) -> Answer<Vec<Pair>> {
        let is_compared = |side: &Side| {
            self.size(&side.id).is_some_and(|size| size <= limit)
                && (!candidates.are_many() || self.content(&side.id).is_some_and(|text| may_matter(&text)))
        };
        let compared = |deltas: &[&Delta], side: fn(&Delta) -> &Side| -> Vec<(RepoPath, Side)> {
            let files = deltas.iter().map(|delta| (delta.path.clone(), side(delta).clone()));
            files.filter(|(_, side)| is_compared(side)).collect()
        };
        let deleted = compared(&candidates.deleted, |delta| &delta.old);
        let added = compared(&candidates.added, |delta| &delta.new);
        let (old, new) = (numbered('-', &deleted)?, numbered('+', &added)?);
        let mut diff = self
            .repository
            .diff_index_to_index(&old, &new, Some(&mut diff_options()))?;
        diff.find_similar(Some(DiffFindOptions::new().renames(true).dont_ignore_whitespace(true)))?;
        let renamed = diff.deltas().filter(|delta| delta.status() == Letter::Renamed);
        let pair = |delta: git2::DiffDelta<'_>| {
            let from = with_number(&deleted, delta.old_file().path_bytes()?)?;
            Some((from, with_number(&added, delta.new_file().path_bytes()?)?))
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
}

/// An index of these files under numbers: libgit2 might not take their names.
fn numbered(mark: char, files: &[(RepoPath, Side)]) -> Result<Index, git2::Error> {
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

/// The file behind a number of [`numbered`].
fn with_number(files: &[(RepoPath, Side)], number: &[u8]) -> Option<RepoPath> {
    let at: usize = std::str::from_utf8(number.get(1..)?).ok()?.parse().ok()?;
    files.get(at).map(|(path, _)| path.clone())
}
