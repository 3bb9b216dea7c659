//! A sorted list of paths, of an index or of a whole tree, as git prints it. No I/O.

use crate::snapshot::{Entry, ObjectId, children};
use crate::source::RepoPath;

/// One row of a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) path: RepoPath,
    pub(super) mode: u32,
    pub(super) id: ObjectId,
    /// The size of the working file that the index noted; 0 where it noted none.
    pub(super) size: u32,
    /// 0, or the side of a conflict.
    pub(super) stage: u8,
}

/// Rows in the order of their path's bytes, as both the index and `git ls-tree -r` have them.
#[derive(Debug)]
pub(super) struct Listing(Vec<Row>);

pub(super) static EMPTY: Listing = Listing(Vec::new());

impl Listing {
    /// The output of `git ls-files -s -z` or `git ls-tree -r -z` (git-ls-files, git-ls-tree, section "Output format");
    /// `None` where it is neither.
    pub(super) fn parse(output: &[u8]) -> Option<Self> {
        let mut rows: Vec<Row> = output
            .split(|&byte| byte == 0)
            .filter(|row| !row.is_empty())
            .map(parse_row)
            .collect::<Option<_>>()?;
        rows.sort_by(|one, other| (&one.path, one.stage).cmp(&(&other.path, other.stage)));
        Some(Self(rows))
    }

    /// Leaves out the rows that `keep` refuses.
    pub(super) fn retain(&mut self, keep: impl FnMut(&Row) -> bool) {
        self.0.retain(keep);
    }

    pub(super) fn rows(&self) -> &[Row] {
        &self.0
    }

    /// The regular file at `path`, unless it is in conflict.
    pub(super) fn file(&self, path: &RepoPath) -> Option<&Row> {
        let at = self.0.partition_point(|row| row.path < *path);
        self.0.get(at).filter(|row| row.path == *path && row.is_file())
    }

    pub(super) fn children(&self, folder: &RepoPath) -> Vec<Entry> {
        children(&self.0, |row| (&row.path, row.is_file()), folder)
    }
}

impl Row {
    /// A row of which the index noted nothing.
    pub(super) fn new(path: RepoPath, mode: u32, id: ObjectId) -> Self {
        Self {
            path,
            mode,
            id,
            size: 0,
            stage: 0,
        }
    }

    pub(super) fn is_file(&self) -> bool {
        self.stage == 0 && is_regular(self.mode)
    }
}

/// `<mode> <id> <stage>TAB<path>` of ls-files, `<mode> <kind> <id>TAB<path>` of ls-tree.
fn parse_row(row: &[u8]) -> Option<Row> {
    let tab = row.iter().position(|&byte| byte == b'\t')?;
    let (head, path) = row.split_at_checked(tab)?;
    let mut words = std::str::from_utf8(head)
        .ok()?
        .split(' ')
        .filter(|word| !word.is_empty());
    let (mode, second, third) = (words.next()?, words.next()?, words.next()?);
    let (id, stage) = match ObjectId::parse(second) {
        Some(id) => (id, third.parse().ok()?),
        None => (ObjectId::parse(third)?, 0),
    };
    let mode = u32::from_str_radix(mode, 8).ok()?;
    let row = Row::new(RepoPath::new(path.get(1..)?), mode, id);
    Some(Row { stage, ..row })
}

/// Whether a mode of a tree or index is that of a regular file: not a symbolic link, not a submodule.
pub(super) fn is_regular(mode: u32) -> bool {
    mode & 0o170_000 == 0o100_000
}

/// A mode as git compares it: of a file's permissions only "executable" counts, so that a tree of an old git that holds
/// 100664 is the same as one with 100644 (`canon_mode` in git's source; measured).
pub(super) fn canonical(mode: u32) -> u32 {
    match mode & 0o170_000 {
        0o100_000 if mode & 0o100 == 0 => 0o100_644,
        0o100_000 => 0o100_755,
        kind => kind,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::EntryKind;

    const ID: &str = "92e569fadf44ff168e63733f4771c2544fde05d3";

    fn listing(paths: &[&str]) -> Listing {
        let rows: Vec<String> = paths.iter().map(|path| format!("100644 {ID} 0\t{path}\0")).collect();
        Listing::parse(rows.concat().as_bytes()).unwrap()
    }

    #[test]
    fn both_formats_are_read_and_nothing_else() {
        let index = Listing::parse(format!("100755 {ID} 0\ta\tb\n\0").as_bytes()).unwrap();
        assert!(index.file(&"a\tb\n".into()).is_some());
        let tree = Listing::parse(format!("120000 blob {ID}\tlink\0").as_bytes()).unwrap();
        assert_eq!(tree.file(&"link".into()), None);
        for broken in ["x", "100644 0\tx", "100644 blob zz\tx", "9 blob 00\tx"] {
            assert!(Listing::parse(broken.as_bytes()).is_none(), "{broken}");
        }
    }

    #[test]
    fn a_conflict_is_no_file() {
        let index = Listing::parse(format!("100644 {ID} 2\tx\x00100644 {ID} 3\tx\0").as_bytes()).unwrap();
        assert_eq!(index.file(&"x".into()), None);
        assert_eq!(index.children(&RepoPath::top()), []);
    }

    #[test]
    fn children_are_direct_and_sorted() {
        let listing = listing(&["a.py", "a/b/c.py", "a/b/d.py", "a/b.py", "a0", "ab/x", "z/y"]);
        let names = |folder: &str| -> Vec<String> {
            let entries = listing.children(&folder.into());
            entries
                .iter()
                .map(|entry| {
                    format!(
                        "{}{}",
                        String::from_utf8_lossy(&entry.name),
                        if entry.kind == EntryKind::Folder { "/" } else { "" }
                    )
                })
                .collect()
        };
        assert_eq!(names(""), ["a/", "a.py", "a0", "ab/", "z/"]);
        assert_eq!(names("a"), ["b/", "b.py"]);
        assert_eq!(names("a/b"), ["c.py", "d.py"]);
        assert!(names("nothing").is_empty() && names("a.py").is_empty());
    }

    #[test]
    fn permissions_do_not_count() {
        assert_eq!(canonical(0o100_664), 0o100_644);
        assert_eq!(canonical(0o100_777), 0o100_755);
        assert_eq!(canonical(0o120_777), 0o120_000);
    }
}
