//! Writing a fixed file into the working tree: whole or not at all, and never over something that was not read.

use std::fs::{self, File, Metadata, Permissions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::mend::Mended;

/// A fixed file beside the one that it will replace.
#[derive(Debug)]
pub struct Ready {
    path: PathBuf,
    old: Vec<u8>,
    metadata: Metadata,
    temporary: NamedTempFile,
}

/// Why a working file cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// It is a link, and what it points to may belong to something else.
    #[error("`{}` is a symbolic link: fix the file it points to", .0.display())]
    Link(PathBuf),
    /// It may not be written.
    #[error("`{}` is read-only: make it writable (`chmod u+w`) and run the command again", .0.display())]
    ReadOnly(PathBuf),
    /// It is not there, or no regular file.
    #[error("`{}` is not a file in the working tree: check it out first", .0.display())]
    Missing(PathBuf),
    /// Somebody changed it in between.
    #[error("`{}` was changed while it was being fixed: run the command again", .0.display())]
    Changed(PathBuf),
    /// The system refused.
    #[error("cannot write `{}` ({cause}): check the permissions of its folder and the space left", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        cause: io::Error,
    },
}

/// Makes the fixed file in the folder of the old one. `path` is the working file; its text may differ from what was checked, as long as
/// every line that a fix changes stands in it unchanged and only once. Otherwise it is left alone, and there is nothing to put in its place.
pub fn prepare(path: &Path, mended: &Mended) -> Result<Option<Ready>, WriteError> {
    let io = |cause| WriteError::Io {
        path: path.to_owned(),
        cause,
    };
    let metadata = match path.symlink_metadata() {
        Ok(metadata) if metadata.file_type().is_symlink() => return Err(WriteError::Link(path.to_owned())),
        Ok(metadata) if metadata.is_file() => metadata,
        Ok(_) => return Err(WriteError::Missing(path.to_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(WriteError::Missing(path.to_owned())),
        Err(error) => return Err(io(error)),
    };
    if metadata.permissions().readonly() {
        return Err(WriteError::ReadOnly(path.to_owned()));
    }
    let old = fs::read(path).map_err(io)?;
    let Some(new) = std::str::from_utf8(&old).ok().and_then(|text| transplant(mended, text)) else {
        return Ok(None);
    };
    let temporary = temporary(path, new.as_bytes(), &metadata).map_err(io)?;
    Ok(Some(Ready {
        path: path.to_owned(),
        old,
        metadata,
        temporary,
    }))
}

impl Ready {
    /// Puts the new file in the place of the old one. What it gives back puts the old one there again.
    pub fn replace(self) -> Result<Replaced, WriteError> {
        let io = |cause| WriteError::Io {
            path: self.path.clone(),
            cause,
        };
        if fs::read(&self.path).map_err(io)? != self.old {
            return Err(WriteError::Changed(self.path));
        }
        let Self {
            path,
            old,
            metadata,
            temporary,
        } = self;
        temporary.persist(&path).map_err(|error| WriteError::Io {
            path: path.clone(),
            cause: error.error,
        })?;
        Ok(Replaced { path, old, metadata })
    }
}

/// A file that was replaced, with what it held.
#[derive(Debug)]
pub struct Replaced {
    path: PathBuf,
    old: Vec<u8>,
    metadata: Metadata,
}

impl Replaced {
    /// Brings the old content back.
    pub fn restore(self) -> Result<(), WriteError> {
        let io = |cause| WriteError::Io {
            path: self.path.clone(),
            cause,
        };
        let temporary = temporary(&self.path, &self.old, &self.metadata).map_err(io)?;
        temporary.persist(&self.path).map_err(|error| io(error.error))?;
        Ok(())
    }
}

/// Gives an existing file other content, whole or not at all; a link is followed.
pub(crate) fn rewrite(path: &Path, content: &[u8]) -> Result<(), WriteError> {
    let io = |cause| WriteError::Io {
        path: path.to_owned(),
        cause,
    };
    let path = path.canonicalize().map_err(io)?;
    let metadata = path.metadata().map_err(io)?;
    if metadata.permissions().readonly() {
        return Err(WriteError::ReadOnly(path));
    }
    let temporary = temporary(&path, content, &metadata).map_err(io)?;
    temporary.persist(&path).map_err(|error| io(error.error))?;
    Ok(())
}

/// A file of this content in the same folder, with the mode and the owner of the old one, safely on the disk.
fn temporary(path: &Path, content: &[u8], metadata: &Metadata) -> io::Result<NamedTempFile> {
    let folder = path.parent().unwrap_or_else(|| Path::new("."));
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
pub fn transplant(mended: &Mended, working: &str) -> Option<String> {
    let (before, after) = (mended.before.text(), mended.after.text());
    if working == before {
        return Some(after.to_owned());
    }
    let old: Vec<&str> = before.split_inclusive('\n').collect();
    let mut lines: Vec<String> = working.split_inclusive('\n').map(str::to_owned).collect();
    let returns = lines.iter().filter(|line| line.ends_with("\r\n")).count() * 2 > lines.len();
    for hunk in hunks(before, after) {
        let wanted: Vec<&str> = old.get(hunk.old.clone())?.iter().map(|line| trim_end(line)).collect();
        let mut places = (0..lines.len()).filter(|&at| {
            let window = lines.get(at..at + wanted.len());
            window.is_some_and(|window| window.iter().map(|line| trim_end(line)).eq(wanted.iter().copied()))
        });
        let (Some(place), None) = (places.next(), places.next()) else {
            return None;
        };
        let new = hunk.new.iter().map(|line| {
            let ending = if line.ends_with('\n') && returns {
                "\r\n"
            } else if line.ends_with('\n') {
                "\n"
            } else {
                ""
            };
            format!("{}{ending}", trim_end(line))
        });
        lines.splice(place..place + wanted.len(), new.collect::<Vec<_>>());
    }
    Some(lines.concat())
}

fn trim_end(line: &str) -> &str {
    line.trim_end_matches(['\n', '\r'])
}

struct Hunk {
    old: std::ops::Range<usize>,
    new: Vec<String>,
}

/// The changed lines; an insertion takes the line above it along, so that it has a place.
fn hunks(before: &str, after: &str) -> Vec<Hunk> {
    let diff = similar::TextDiff::from_lines(before, after);
    let old_lines: Vec<&str> = before.split_inclusive('\n').collect();
    let new_lines: Vec<&str> = after.split_inclusive('\n').collect();
    let changed = diff
        .ops()
        .iter()
        .filter(|operation| operation.tag() != similar::DiffTag::Equal);
    changed
        .map(|operation| {
            let (mut old, new) = (operation.old_range(), operation.new_range());
            let mut lines: Vec<String> = new_lines
                .get(new)
                .unwrap_or_default()
                .iter()
                .map(|line| (*line).to_owned())
                .collect();
            if old.is_empty() && old.start > 0 {
                old.start -= 1;
                lines.insert(0, old_lines.get(old.start).copied().unwrap_or_default().to_owned());
            }
            Hunk { old, new: lines }
        })
        .collect()
}

/// The change as `git apply` reads it.
#[must_use]
pub fn unified_diff(mended: &Mended) -> String {
    let path = mended.path().display().into_owned();
    let diff = similar::TextDiff::from_lines(mended.before.text(), mended.after.text());
    let mut diff = diff.unified_diff();
    let (old, new) = (quoted(&format!("a/{path}")), quoted(&format!("b/{path}")));
    diff.header(&old, &new).missing_newline_hint(true).to_string()
}

/// A path as git writes it in a diff: in quotes where it holds what would break the line.
fn quoted(path: &str) -> String {
    if path.contains(|letter: char| letter.is_control() || letter == '"' || letter == '\\') {
        format!("\"{}\"", path.escape_default())
    } else {
        path.to_owned()
    }
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
    fn a_diff_has_the_header_that_git_reads() {
        let diff = unified_diff(&mended("a\nNone", "a\nnamed"));
        assert!(diff.starts_with("--- a/m.py\n+++ b/m.py\n@@ -1,2 +1,2 @@\n"), "{diff}");
        assert!(diff.contains("\\ No newline at end of file"), "{diff}");
    }
}
