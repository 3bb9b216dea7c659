//! Writing a fixed file into the working tree: whole or not at all, and never over something that was not read.

use std::fmt::Write as _;
use std::fs::{self, File, Metadata, Permissions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::fix::{Mended, difference};
use crate::git::is_full;
use crate::source::{RepoPath, SourceFile};

/// A fixed file that will take the place of the one at `path`.
#[derive(Debug)]
pub struct Ready {
    path: PathBuf,
    old: Vec<u8>,
    metadata: Metadata,
    scratch: Option<PathBuf>,
    temporary: NamedTempFile,
}

/// Why a working file cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// It is a link, and what it points to may belong to something else.
    #[error("`{}` is a symbolic link: fix the file it points to", .0.display())]
    Link(PathBuf),
    /// A folder above it is a link to somewhere else.
    #[error("`{}` lies behind a symbolic link that leads out of the working tree: fix the file where it is", .0.display())]
    Outside(PathBuf),
    /// It may not be written.
    #[error("`{}` is read-only: make it writable (`chmod u+w`) and run the command again", .0.display())]
    ReadOnly(PathBuf),
    /// It is not there, or no regular file.
    #[error("`{}` is not a file in the working tree: check it out first", .0.display())]
    Missing(PathBuf),
    /// Somebody changed it in between.
    #[error("`{}` was changed while it was being fixed: run the command again", .0.display())]
    Changed(PathBuf),
    /// There is no room.
    #[error("cannot write `{}`: the disk it is on is full, or your share of it: make room and run the command again", .0.display())]
    Full(PathBuf),
    /// The system refused.
    #[error("cannot write `{}` ({cause}): check the permissions of its folder and the space left", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        cause: io::Error,
    },
}

impl WriteError {
    /// What the system refused.
    pub(crate) fn of(path: &Path, cause: io::Error) -> Self {
        let path = path.to_owned();
        if is_full(&cause) {
            Self::Full(path)
        } else {
            Self::Io { path, cause }
        }
    }
}

/// What is to be done with a working file.
#[derive(Debug)]
pub enum Prepared {
    /// It is to be replaced.
    Ready(Box<Ready>),
    /// Nothing: it has the fixed lines.
    Done,
    /// Nothing: a line that a fix changes is not in it as it was checked, or more than once.
    Different,
}

/// Makes the fixed file for one somewhere below `top`: in the folder `scratch`, of which git takes no notice, so that a run that is ended
/// leaves nothing where `git add` finds it; else beside the old one. Its text may differ from what was checked, as long as every
/// line that a fix changes stands in it unchanged and only once.
pub(crate) fn prepare(top: &Path, scratch: Option<&Path>, mended: &Mended) -> Result<Prepared, WriteError> {
    let path = &mended.path().to_path(top);
    let io = |cause| WriteError::of(path, cause);
    let metadata = match path.symlink_metadata() {
        Ok(metadata) if metadata.file_type().is_symlink() => return Err(WriteError::Link(path.to_owned())),
        Ok(metadata) if metadata.is_file() => metadata,
        Ok(_) => return Err(WriteError::Missing(path.to_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(WriteError::Missing(path.to_owned())),
        Err(error) => return Err(io(error)),
    };
    let real = |path: &Path| path.canonicalize().map_err(io);
    if !real(path)?.starts_with(real(top)?) {
        return Err(WriteError::Outside(path.to_owned()));
    }
    if metadata.permissions().readonly() {
        return Err(WriteError::ReadOnly(path.to_owned()));
    }
    let old = fs::read(path).map_err(io)?;
    let text = std::str::from_utf8(&old).ok();
    let Some(new) = text.and_then(|text| transplant(mended, text)) else {
        let is_done = text.is_some_and(|text| is_fixed(mended, text));
        return Ok(if is_done { Prepared::Done } else { Prepared::Different });
    };
    let temporary = temporary(path, scratch, new.as_bytes(), &metadata).map_err(io)?;
    Ok(Prepared::Ready(Box::new(Ready {
        path: path.to_owned(),
        old,
        metadata,
        scratch: scratch.map(Path::to_owned),
        temporary,
    })))
}

impl Ready {
    /// Puts the new file in the place of the old one. What it gives back puts the old one there again.
    pub fn replace(self) -> Result<Replaced, WriteError> {
        let failed = |cause| WriteError::of(&self.path, cause);
        match self.path.symlink_metadata() {
            Ok(now) if now.is_file() => {}
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
            _ => return Err(WriteError::Changed(self.path)),
        }
        if fs::read(&self.path).map_err(failed)? != self.old {
            return Err(WriteError::Changed(self.path));
        }
        let Self {
            path,
            old,
            metadata,
            scratch,
            temporary,
        } = self;
        put(temporary, &path, &metadata)?;
        Ok(Replaced {
            path,
            old,
            metadata,
            scratch,
        })
    }
}

/// A file that was replaced, with what it held.
#[derive(Debug)]
pub struct Replaced {
    path: PathBuf,
    old: Vec<u8>,
    metadata: Metadata,
    scratch: Option<PathBuf>,
}

impl Replaced {
    /// Brings the old content back.
    pub fn restore(self) -> Result<(), WriteError> {
        let io = |cause| WriteError::of(&self.path, cause);
        let temporary = temporary(&self.path, self.scratch.as_deref(), &self.old, &self.metadata).map_err(io)?;
        put(temporary, &self.path, &self.metadata)
    }
}

/// Gives an existing file other content, whole or not at all; a link is followed.
pub(crate) fn rewrite(path: &Path, content: &[u8]) -> Result<(), WriteError> {
    let io = |cause| WriteError::of(path, cause);
    let path = path.canonicalize().map_err(io)?;
    let metadata = path.metadata().map_err(io)?;
    if metadata.permissions().readonly() {
        return Err(WriteError::ReadOnly(path));
    }
    let temporary = temporary(&path, None, content, &metadata).map_err(io)?;
    put(temporary, &path, &metadata)
}

/// Gives a file its place. What cannot be moved there, as it is on another disk, is made anew beside it.
fn put(temporary: NamedTempFile, path: &Path, metadata: &Metadata) -> Result<(), WriteError> {
    let io = |cause| WriteError::of(path, cause);
    let Err(error) = temporary.persist(path) else {
        return Ok(());
    };
    if error.error.kind() != io::ErrorKind::CrossesDevices {
        return Err(io(error.error));
    }
    let content = fs::read(error.file.path()).map_err(io)?;
    let beside = write_in(beside(path), &content, metadata).map_err(io)?;
    beside.persist(path).map(drop).map_err(|error| io(error.error))
}

fn beside(path: &Path) -> &Path {
    path.parent().unwrap_or_else(|| Path::new("."))
}

/// A file of this content on the same disk, for a folder that may be written.
fn temporary(path: &Path, scratch: Option<&Path>, content: &[u8], metadata: &Metadata) -> io::Result<NamedTempFile> {
    let Some(scratch) = scratch.filter(|scratch| are_on_one_disk(scratch, metadata)) else {
        return write_in(beside(path), content, metadata);
    };
    // Without a name, so that it cannot be left behind; told now, before anything is changed.
    tempfile::tempfile_in(beside(path))?;
    match write_in(scratch, content, metadata) {
        // git's folder may be closed to who may write the file.
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => write_in(beside(path), content, metadata),
        written => written,
    }
}

#[cfg(unix)]
fn are_on_one_disk(folder: &Path, metadata: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    folder.metadata().is_ok_and(|folder| folder.dev() == metadata.dev())
}

#[cfg(not(unix))]
fn are_on_one_disk(_: &Path, _: &Metadata) -> bool {
    true
}

/// A file of this content in a folder, with the mode and the owner of the old one, safely on the disk.
fn write_in(folder: &Path, content: &[u8], metadata: &Metadata) -> io::Result<NamedTempFile> {
    let mut temporary = tempfile::Builder::new()
        .prefix(".alembic-named-")
        .suffix(".tmp")
        .tempfile_in(folder)?;
    temporary.write_all(content)?;
    let file = temporary.as_file();
    file.set_permissions(Permissions::clone(&metadata.permissions()))?;
    keep_owner(file, metadata)?;
    file.sync_all()?;
    Ok(temporary)
}

#[cfg(unix)]
fn keep_owner(file: &File, metadata: &Metadata) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt, fchown};
    let own = file.metadata()?;
    if own.uid() == metadata.uid() && own.gid() == metadata.gid() {
        return Ok(());
    }
    fchown(file, Some(metadata.uid()), Some(metadata.gid()))
}

#[cfg(not(unix))]
fn keep_owner(_: &File, _: &Metadata) -> io::Result<()> {
    Ok(())
}

/// The working text with the changes of a fix; nothing where a changed line is not there as it was checked, or there more than once.
///
/// A checkout may have given the file other line ends than git holds, so a final carriage return does not count and is kept.
#[must_use]
pub(crate) fn transplant(mended: &Mended, working: &str) -> Option<String> {
    let (before, after) = (mended.before.text(), mended.after.text());
    if working == before {
        return Some(after.to_owned());
    }
    let mut text: Vec<String> = lines(working).into_iter().map(str::to_owned).collect();
    let returns = text.iter().filter(|line| line.ends_with("\r\n")).count() * 2 > text.len();
    let usual = if returns { "\r\n" } else { "\n" };
    for hunk in hunks(&lines(before), &lines(after)) {
        let mut places = (0..text.len()).filter(|&at| {
            let window = text.get(at..at + hunk.old.len());
            window.is_some_and(|window| window.iter().map(|line| trim_end(line)).eq(hunk.old.iter().copied()))
        });
        let (Some(place), None) = (places.next(), places.next()) else {
            return None;
        };
        let place = place..place + hunk.old.len();
        let ends = line_ends(text.get(place.clone())?, hunk.new.len(), usual);
        let new: Vec<String> = hunk
            .new
            .iter()
            .zip(ends)
            .map(|(line, end)| format!("{line}{end}"))
            .collect();
        text.splice(place, new);
    }
    Some(text.concat())
}

/// Whether the working files have the texts of these, but for line ends, which a checkout may change.
pub(crate) fn holds<'f>(top: &Path, mut files: impl Iterator<Item = &'f SourceFile>) -> bool {
    let plain = |text: &str| text.replace("\r\n", "\n");
    files.all(|file| {
        let working = fs::read_to_string(file.path().to_path(top));
        working.is_ok_and(|working| plain(&working) == plain(file.text()))
    })
}

/// The working file, where it is there and can be read as text.
#[must_use]
pub(crate) fn read(top: &Path, path: &RepoPath) -> Option<SourceFile> {
    let text = fs::read_to_string(path.to_path(top)).ok()?;
    Some(SourceFile::new(path.clone(), text))
}

/// Whether the working file has the change.
#[must_use]
pub(crate) fn is_written(top: &Path, mended: &Mended) -> bool {
    let working = fs::read_to_string(mended.path().to_path(top));
    working.is_ok_and(|working| is_fixed(mended, &working))
}

/// Whether the change could be taken back in the working text, because it was made there before.
fn is_fixed(mended: &Mended, working: &str) -> bool {
    let back = Mended {
        before: mended.after.clone(),
        after: mended.before.clone(),
        left: Vec::new(),
        fixed: 0,
    };
    transplant(&back, working).is_some()
}

/// The lines as git counts them: Python ends one at a lone carriage return as well, git and `diff` do not.
fn lines(text: &str) -> Vec<&str> {
    text.split_inclusive('\n').collect()
}

fn trim_end(line: &str) -> &str {
    line.trim_end_matches(['\n', '\r'])
}

/// The line ends for so many lines that come in the place of `old`: those that were there, the last ones where there were more, and the
/// usual one for what is added.
fn line_ends(old: &[String], count: usize, usual: &str) -> Vec<String> {
    let own = old.iter().map(|line| line[trim_end(line).len()..].to_owned());
    let mut ends: Vec<String> = own.skip(old.len().saturating_sub(count)).collect();
    let added = std::iter::repeat_n(usual.to_owned(), count - ends.len());
    // The end of the file stays the end of the file.
    let at = ends.len() - usize::from(ends.last().is_some_and(String::is_empty));
    ends.splice(at..at, added);
    ends
}

/// Lines that change, without their ends.
struct Hunk<'t> {
    old: Vec<&'t str>,
    new: Vec<&'t str>,
}

/// The changed lines; an insertion takes the line above it along, so that it has a place.
fn hunks<'t>(before: &[&'t str], after: &[&'t str]) -> Vec<Hunk<'t>> {
    let trimmed = |lines: Option<&[&'t str]>| lines.unwrap_or_default().iter().map(|line| trim_end(line)).collect();
    difference(before, after)
        .iter()
        .filter(|operation| operation.tag() != similar::DiffTag::Equal)
        .map(|operation| {
            let (mut old, mut new) = (operation.old_range(), operation.new_range());
            if old.is_empty() && old.start > 0 {
                // What stands above is the same on both sides.
                old.start -= 1;
                new.start -= 1;
            }
            Hunk {
                old: trimmed(before.get(old)),
                new: trimmed(after.get(new)),
            }
        })
        .collect()
}

/// How many unchanged lines a diff shows around a change.
const CONTEXT: usize = 3;

/// The change as `git apply` reads it.
#[must_use]
pub fn unified_diff(mended: &Mended) -> String {
    let (before, after) = (lines(mended.before.text()), lines(mended.after.text()));
    let mut diff = format!(
        "--- {}\n+++ {}\n",
        quoted("a/", mended.path()),
        quoted("b/", mended.path())
    );
    let operations = difference(&before, &after);
    for group in similar::group_diff_ops(operations, CONTEXT) {
        let (Some(first), Some(last)) = (group.first(), group.last()) else {
            continue;
        };
        let old = first.old_range().start..last.old_range().end;
        let new = first.new_range().start..last.new_range().end;
        let _ = writeln!(diff, "@@ -{} +{} @@", counted(&old), counted(&new));
        for change in group
            .iter()
            .flat_map(|operation| operation.iter_changes(&before, &after))
        {
            let line = change.value();
            diff.push(match change.tag() {
                similar::ChangeTag::Equal => ' ',
                similar::ChangeTag::Delete => '-',
                similar::ChangeTag::Insert => '+',
            });
            diff.push_str(line);
            if !line.ends_with('\n') {
                diff.push_str("\n\\ No newline at end of file\n");
            }
        }
    }
    diff
}

/// A file that is made, as `git apply` reads it.
#[must_use]
pub fn unified_diff_of_new(path: &RepoPath, text: &str) -> String {
    let count = lines(text).len();
    let mut diff = format!("--- /dev/null\n+++ {}\n@@ -0,0 +1,{count} @@\n", quoted("b/", path));
    for line in lines(text) {
        diff.push('+');
        diff.push_str(line);
    }
    diff
}

/// Where lines stand, as a diff says it: the first and how many, no number for one, and the line above for none.
fn counted(lines: &std::ops::Range<usize>) -> String {
    match lines.len() {
        0 => format!("{},0", lines.start),
        1 => format!("{}", lines.start + 1),
        count => format!("{},{count}", lines.start + 1),
    }
}

/// A path as git writes it in a diff: in quotes, with octal numbers, where it holds what would break the line.
fn quoted(prefix: &str, path: &RepoPath) -> String {
    let plain = std::str::from_utf8(path.as_bytes()).ok();
    if let Some(plain) =
        plain.filter(|path| !path.contains(|letter: char| letter.is_control() || "\"\\".contains(letter)))
    {
        return format!("{prefix}{plain}");
    }
    let mut quoted = format!("\"{prefix}");
    for &byte in path.as_bytes() {
        if byte.is_ascii_graphic() && !b"\"\\".contains(&byte) || byte == b' ' {
            quoted.push(char::from(byte));
        } else {
            let _ = write!(quoted, "\\{byte:03o}");
        }
    }
    quoted + "\""
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::SourceFile;

    fn mended(before: &str, after: &str) -> Mended {
        Mended {
            before: SourceFile::new("m.py".into(), before.to_owned()),
            after: SourceFile::new("m.py".into(), after.to_owned()),
            left: Vec::new(),
            fixed: 1,
        }
    }

    fn ready(folder: &Path) -> Ready {
        match prepare(folder, None, &mended("None\n", "named\n")) {
            Ok(Prepared::Ready(ready)) => *ready,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_file_with_other_edits_gets_the_change_and_keeps_them() {
        let change = mended("a\nNone\nb\n", "a\nnamed\nb\n");
        assert_eq!(
            transplant(&change, "mine\na\nNone\nb\n").as_deref(),
            Some("mine\na\nnamed\nb\n")
        );
        assert_eq!(
            transplant(&change, "a\r\nNone\r\nb\r\nc\r\n").as_deref(),
            Some("a\r\nnamed\r\nb\r\nc\r\n")
        );
    }

    #[test]
    fn a_changed_or_doubtful_line_leaves_the_file_alone() {
        let change = mended("a\nNone\nb\n", "a\nnamed\nb\n");
        assert_eq!(transplant(&change, "a\nNone  # mine\nb\n"), None);
        assert_eq!(transplant(&change, "a\nNone\nNone\nb\n"), None);
    }

    #[test]
    fn a_removed_comment_takes_its_lines_with_it() {
        let change = mended("a\n# w\nNone\n", "a\nnamed\n");
        assert_eq!(
            transplant(&change, "x\na\n# w\nNone\n").as_deref(),
            Some("x\na\nnamed\n")
        );
    }

    #[test]
    fn each_line_keeps_its_own_end() {
        let change = mended("a\nNone", "a\nnamed");
        assert_eq!(
            transplant(&change, "a\r\nNone\nb\r\nc\r\n").as_deref(),
            Some("a\r\nnamed\nb\r\nc\r\n")
        );
        assert_eq!(
            transplant(&mended("a\nNone\n", "a\nnamed\n"), "a\nNone").as_deref(),
            Some("a\nnamed")
        );
        let longer = mended("a\nb\n", "a\nnew\nb\nnew\n");
        assert_eq!(transplant(&longer, "a\r\nb").as_deref(), Some("a\r\nnew\nb\nnew"));
        let shorter = mended("a\n# w\nNone\nb\n", "a\nnamed\nb\n");
        assert_eq!(
            transplant(&shorter, "a\n# w\r\nNone\nb\nc").as_deref(),
            Some("a\nnamed\nb\nc")
        );
    }

    #[test]
    fn a_lone_carriage_return_ends_no_line_of_a_diff() {
        let change = mended("a\rNone\rb\r", "a\rnamed\rb\r");
        assert_eq!(
            transplant(&change, "mine\na\rNone\rb\r").as_deref(),
            Some("mine\na\rnamed\rb\r")
        );
        let hint = "\n\\ No newline at end of file\n";
        assert_eq!(
            unified_diff(&change),
            format!("--- a/m.py\n+++ b/m.py\n@@ -1 +1 @@\n-a\rNone\rb\r{hint}+a\rnamed\rb\r{hint}")
        );
    }

    #[test]
    fn a_file_that_was_changed_meanwhile_is_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("m.py");
        for after in [Some("mine\n"), None] {
            fs::write(&path, "None\n").unwrap();
            let ready = ready(folder.path());
            match after {
                Some(text) => fs::write(&path, text).unwrap(),
                None => fs::remove_file(&path).unwrap(),
            }
            let error = ready.replace().unwrap_err();
            assert!(matches!(error, WriteError::Changed(_)), "{error}");
            assert_eq!(fs::read_to_string(&path).ok().as_deref(), after);
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_replaced_file_can_be_brought_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("m.py");
        fs::write(&path, "None\n").unwrap();
        let replaced = ready(folder.path()).replace().unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "named\n");
        replaced.restore().unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "None\n");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn nothing_is_made_beside_a_file_where_git_has_a_folder_for_it() {
        let folder = tempfile::tempdir().unwrap();
        let scratch = folder.path().join(".git");
        fs::create_dir(&scratch).unwrap();
        let path = folder.path().join("m.py");
        fs::write(&path, "None\n").unwrap();
        let names = |folder: &Path| fs::read_dir(folder).unwrap().count();
        let Ok(Prepared::Ready(ready)) = prepare(folder.path(), Some(&scratch), &mended("None\n", "named\n")) else {
            panic!("not ready")
        };
        assert_eq!((names(folder.path()), names(&scratch)), (2, 1));
        let replaced = ready.replace().unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "named\n");
        replaced.restore().unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "None\n");
        assert_eq!((names(folder.path()), names(&scratch)), (2, 0));
    }

    #[test]
    fn a_full_disk_is_called_one() {
        for kind in [
            io::ErrorKind::StorageFull,
            io::ErrorKind::QuotaExceeded,
            io::ErrorKind::FileTooLarge,
        ] {
            let error = WriteError::of(Path::new("a/m.py"), kind.into()).to_string();
            assert!(
                error.starts_with("cannot write `a/m.py`: the disk it is on is full"),
                "{error}"
            );
        }
        let error = WriteError::of(Path::new("a/m.py"), io::ErrorKind::PermissionDenied.into());
        assert!(matches!(error, WriteError::Io { .. }), "{error}");
    }

    #[test]
    fn a_diff_has_the_header_that_git_reads() {
        let diff = unified_diff(&mended("a\nNone", "a\nnamed"));
        assert!(diff.starts_with("--- a/m.py\n+++ b/m.py\n@@ -1,2 +1,2 @@\n"), "{diff}");
        assert!(diff.contains("\\ No newline at end of file"), "{diff}");
    }
}
