//! Parses `git diff --raw -z`. No I/O.

use super::delta::{Delta, Kind, Side};
use crate::snapshot::ObjectId;
use crate::source::RepoPath;

/// The records of `git diff --raw -z --no-abbrev` (git-diff, "Raw output format"); `None` where they are not of that form.
pub(super) fn parse(output: &[u8]) -> Option<Vec<Delta>> {
    let mut fields = output.split(|&byte| byte == 0);
    let mut deltas = Vec::new();
    loop {
        match fields.next() {
            None | Some([]) => return fields.next().is_none().then_some(deltas),
            Some(head) => deltas.push(record(head, &mut fields)?),
        }
    }
}

fn record<'a>(head: &[u8], fields: &mut impl Iterator<Item = &'a [u8]>) -> Option<Delta> {
    let head = std::str::from_utf8(head).ok()?.strip_prefix(':')?;
    let mut words = head.split(' ');
    let (old_mode, new_mode) = (mode(words.next()?)?, mode(words.next()?)?);
    let (old_id, new_id) = (ObjectId::parse(words.next()?)?, ObjectId::parse(words.next()?)?);
    let letter = words.next()?.chars().next()?;
    let mut path = || fields.next().filter(|path| !path.is_empty()).map(RepoPath::new);
    let first = path()?;
    let (kind, from, path) = match letter {
        'A' => (Kind::Added, None, first),
        'D' => (Kind::Deleted, None, first),
        'M' => (Kind::Modified, None, first),
        'T' => (Kind::TypeChanged, None, first),
        'U' => (Kind::Unmerged, None, first),
        'R' => (Kind::Renamed, Some(first), path()?),
        'C' => (Kind::Copied, Some(first), path()?),
        _ => return None,
    };
    let (old, new) = (Side::new(old_mode, old_id), Side::new(new_mode, new_id));
    let delta = Delta::new(path, kind, old, new);
    Some(Delta { from, ..delta })
}

fn mode(octal: &str) -> Option<u32> {
    u32::from_str_radix(octal, 8).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "92e569fadf44ff168e63733f4771c2544fde05d3";
    const B: &str = "0000000000000000000000000000000000000000";

    #[test]
    fn every_letter_is_read() {
        let text = format!(
            ":100644 100755 {A} {A} M\0a\nb\0:100644 100644 {A} {A} R086\0old\0new\0:000000 100644 {B} {A} A\0\u{e4}\0\
             :100644 000000 {A} {B} D\0gone\0\
             :100644 120000 {A} {A} T\0t\0:000000 000000 {B} {B} U\0u\0:100644 100644 {A} {A} C100\0old\0copy\0"
        );
        let kinds: Vec<(Kind, String)> = parse(text.as_bytes())
            .unwrap()
            .into_iter()
            .map(|delta| (delta.kind, delta.path.to_string()))
            .collect();
        let expected = [
            (Kind::Modified, "a\nb"),
            (Kind::Renamed, "new"),
            (Kind::Added, "ä"),
            (Kind::Deleted, "gone"),
            (Kind::TypeChanged, "t"),
            (Kind::Unmerged, "u"),
            (Kind::Copied, "copy"),
        ];
        assert_eq!(kinds, expected.map(|(kind, path)| (kind, path.to_owned())));
        assert_eq!(parse(b"").unwrap(), []);
    }

    #[test]
    fn what_is_not_git_s_is_refused() {
        for broken in [
            "x",
            ":100644",
            ":100644 100644 a b M\0x\0",
            &format!(":100644 100644 {A} {A} M\0"),
            &format!(":100644 100644 {A} {A} R100\0x\0"),
        ] {
            assert!(parse(broken.as_bytes()).is_none(), "{broken:?}");
        }
    }
}
