//! Checks that each name in an index has the length that its entry says (gitformat-index, "Index entry").
//!
//! libgit2 reads a name to its end, its binding as many bytes as the entry says, beyond the end as well. git goes by the number, too.
//! Neither compares the two, and with `index.skipHash` the hash of an index proves nothing.

use super::cached_tree::{HEADER, Header};

/// The offsets in an entry.
const FLAGS: usize = 60;
const NAME: usize = 62;

/// This flag says that two more bytes of flags follow.
const EXTENDED: u16 = 1 << 14;
/// The length that stands for all longer ones.
const MOST: u16 = 0xfff;

pub(super) fn are_right(index: &[u8]) -> bool {
    check(index).is_some()
}

fn check(index: &[u8]) -> Option<()> {
    let header = Header::parse(index).ok()?;
    let (mut length, mut rest) = (0, index.get(HEADER..)?);
    for _ in 0..header.entries {
        (length, rest) = entry(rest, header.version, length)?;
    }
    Some(())
}

/// The length of the first name, after a name of the length `before`, and the bytes behind the entry.
fn entry(bytes: &[u8], version: u32, before: usize) -> Option<(usize, &[u8])> {
    let flags = u16::from_be_bytes(*bytes.get(FLAGS..)?.first_chunk()?);
    let start = if flags & EXTENDED == 0 { NAME } else { NAME + 2 };
    let name = bytes.get(start..)?;
    let (length, size) = if version < 4 {
        // One to eight zeros follow, so that the size is a multiple of eight.
        let length = memchr::memchr(0, name)?;
        (length, (start + length + 8) & !7)
    } else {
        let (dropped, width) = dropped(name)?;
        let added = memchr::memchr(0, name.get(width..)?)?;
        (before.checked_sub(dropped)? + added, start + width + added + 1)
    };
    let told = usize::from(flags & MOST);
    (told == length.min(usize::from(MOST))).then_some((length, bytes.get(size..)?))
}

/// How many bytes of the previous name are dropped (gitformat-pack, "offset encoding"), and how many bytes say so.
fn dropped(bytes: &[u8]) -> Option<(usize, usize)> {
    let mut value = 0_usize;
    for (at, byte) in bytes.iter().enumerate() {
        value = value.checked_mul(128)?.checked_add(usize::from(byte & 127))?;
        if byte & 128 == 0 {
            return Some((value, at + 1));
        }
        value = value.checked_add(1)?;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::super::sample::{Sample, file, index};
    use super::*;

    fn entries() -> Vec<Sample> {
        let long: &'static str = Box::leak("folder/".repeat(900).into_boxed_str());
        vec![file("a.py", 1), file("b/c.py", 2), file("b/c/d.py", 3), file(long, 4)]
    }

    #[test]
    fn names_of_any_length_are_right() {
        for version in [2, 4] {
            assert!(are_right(&index(version, &entries(), &[])), "version {version}");
            assert!(are_right(&index(version, &[], &[])), "version {version}");
        }
    }

    #[test]
    fn another_length_is_wrong() {
        for version in [2, 4] {
            let whole = index(version, &entries()[..3], &[]);
            let names = [("a.py", 4), ("c.py", 6)];
            for (name, length) in names {
                let name = whole.windows(4).position(|part| part == name.as_bytes()).unwrap();
                let at = (0..name).rev().find(|&at| whole[at] == length).unwrap();
                for bit in 0..8 {
                    let mut bytes = whole.clone();
                    bytes[at] ^= 1 << bit;
                    assert!(!are_right(&bytes), "version {version}, byte {at}, bit {bit}");
                }
            }
            for end in 0..whole.len() - 20 {
                assert!(!are_right(&whole[..end]), "version {version}, {end} bytes");
            }
        }
    }

    #[test]
    fn the_number_is_that_of_git() {
        assert_eq!(dropped(&[5, 1]), Some((5, 1)));
        assert_eq!(dropped(&[0x80, 0]), Some((128, 2)));
        assert_eq!(dropped(&[0x81, 0x7f]), Some((383, 2)));
        assert_eq!(dropped(&[0xff; 90]), None);
        assert_eq!(dropped(&[]), None);
    }
}
