//! The entries of an index file, one after the other, from any reader. Pure, and in constant memory.
//!
//! The format is that of gitformat-index, versions 2 to 4. What git's own reader would stop at is a [`Doubt`], and so is
//! what it would take without a word and then compare wrongly: entries out of order, names that run on.

use std::cmp::Ordering;
use std::io::{ErrorKind, Read};

use super::cached_tree::{Doubt, EXTENSION, HASH, HEADER, Header, number, optional};
use super::trees::{Id, Item};

/// What is read at once: larger is not faster (measured at a million entries).
const CHUNK: usize = 128 * 1024;
/// No path is longer; git has no limit, but then it is git that is asked.
const LONGEST: usize = 64 * 1024;

/// Where the parts of an entry stand: after ten numbers of the working file come the id and the flags.
const MODE: usize = 24;
const SIZE: usize = 36;
const ID: usize = 40;
const FLAGS: usize = 60;
const NAME: usize = 62;

const EXTENDED: u16 = 1 << 14;
const NAME_LENGTH: u16 = 0xfff;
const INTENT_TO_ADD: u16 = 1 << 13;
/// The flags that git knows; it stops at any other.
const KNOWN_FLAGS: u16 = INTENT_TO_ADD | 1 << 14;

/// An entry without its path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Entry {
    /// The mode as it is written, not proved to be one.
    pub(super) item: Item,
    /// What the working file measured, modulo 2^32; 0 where git has not measured it.
    pub(super) size: u32,
    /// 0, or the side of a conflict.
    pub(super) stage: u8,
    /// It is not there yet: `git add --intent-to-add`.
    pub(super) is_intent: bool,
}

/// A reader that stands at one entry.
pub(super) struct Entries<R> {
    input: R,
    /// Of the whole file.
    length: u64,
    version: u32,
    left: u32,
    buffer: Vec<u8>,
    /// The part of the buffer that is read and not used.
    from: usize,
    to: usize,
    /// Where in the file the used part ends.
    at: u64,
    path: Vec<u8>,
    current: Option<Entry>,
}

impl<R: Read> Entries<R> {
    /// Stands at the first entry of a file of `length` bytes, which `input` gives from its beginning.
    pub(super) fn new(input: R, length: u64) -> Result<Self, Doubt> {
        let mut entries = Self {
            input,
            length,
            version: 0,
            left: 0,
            buffer: vec![0; CHUNK.min(usize::try_from(length).unwrap_or(CHUNK))],
            from: 0,
            to: 0,
            at: 0,
            path: Vec::new(),
            current: None,
        };
        let header = Header::parse(entries.need(HEADER)?)?;
        entries.used(HEADER);
        (entries.version, entries.left) = (header.version, header.entries);
        entries.advance()?;
        Ok(entries)
    }

    /// The entry and its path; `None` behind the last.
    pub(super) fn current(&self) -> Option<(&[u8], Entry)> {
        self.current.map(|entry| (self.path.as_slice(), entry))
    }

    /// Goes on to the next entry.
    pub(super) fn advance(&mut self) -> Result<(), Doubt> {
        let before = self.current.take();
        let Some(left) = self.left.checked_sub(1) else {
            return Ok(());
        };
        self.left = left;
        let (entry, start) = self.fixed_part()?;
        let (order, behind) = if self.version < 4 {
            self.whole_name(start)?
        } else {
            self.rest_of_name(start)?
        };
        let is_in_order = match (order, before) {
            (Ordering::Greater, _) => true,
            (Ordering::Equal, Some(before)) => before.stage > 0 && entry.stage > before.stage,
            _ => false,
        };
        if !is_in_order {
            return Err(Doubt::strange("the index is not in order"));
        }
        self.need(behind)?;
        self.used(behind);
        self.current = Some(entry);
        Ok(())
    }

    /// All but the name, and where that begins.
    fn fixed_part(&mut self) -> Result<(Entry, usize), Doubt> {
        let version = self.version;
        let bytes = self.need(NAME)?;
        let (Some(mode), Some(id), Some(flags)) = (number(bytes, MODE), id(bytes), half(bytes, FLAGS)) else {
            return Err(early());
        };
        let size = number(bytes, SIZE).ok_or_else(early)?;
        let mut entry = Entry {
            item: Item { mode, id },
            size,
            stage: u8::try_from(flags >> 12 & 3).unwrap_or(3),
            is_intent: false,
        };
        if flags & EXTENDED == 0 {
            return Ok((entry, NAME));
        }
        let extended = half(self.need(NAME + 2)?, NAME).ok_or_else(early)?;
        if version < 3 || extended & !KNOWN_FLAGS != 0 {
            return Err(Doubt::strange("the index has entries of an unknown form"));
        }
        entry.is_intent = extended & INTENT_TO_ADD != 0;
        Ok((entry, NAME + 2))
    }

    /// Up to version 3: the name, and one to eight zeros so that the length is a multiple of eight. Gives its order
    /// after the one before it, and where the entry ends.
    fn whole_name(&mut self, start: usize) -> Result<(Ordering, usize), Doubt> {
        let told = self.told_length()?;
        let length = self.until_zero(start, told)?;
        is_told(length, told)?;
        Ok((self.rename(0, start, length), (start + length + 8) & !7))
    }

    /// Version 4: how much of the name before is left out at its end, and what follows instead.
    fn rest_of_name(&mut self, start: usize) -> Result<(Ordering, usize), Doubt> {
        let told = self.told_length()?;
        let (left_out, start) = self.left_out(start)?;
        let kept = self.path.len().checked_sub(left_out);
        let kept = kept.ok_or_else(|| Doubt::strange("the index leaves out more of a name than there is"))?;
        let length = self.until_zero(start, 0)?;
        // git goes by this number also here, past the end of the name.
        is_told(kept + length, told)?;
        Ok((self.rename(kept, start, length), start + length + 1))
    }

    /// The length of the name as the flags have it, which is the most that they can say for any longer one.
    fn told_length(&mut self) -> Result<usize, Doubt> {
        let flags = half(self.need(NAME)?, FLAGS).ok_or_else(early)?;
        Ok(usize::from(flags & NAME_LENGTH))
    }

    /// The number of git's pack offsets (gitformat-pack, "offset encoding"), and where it ends.
    fn left_out(&mut self, start: usize) -> Result<(usize, usize), Doubt> {
        let (mut value, mut at) = (0_usize, start);
        loop {
            let byte = *self.need(at + 1)?.get(at).ok_or_else(early)?;
            at += 1;
            value |= usize::from(byte & 127);
            if byte & 128 == 0 {
                return Ok((value, at));
            }
            if value > LONGEST {
                return Err(Doubt::strange("the index has a name that is too long"));
            }
            value = (value + 1) << 7;
        }
    }

    /// The distance from `start` to the next zero, which is looked for from `told` on first.
    fn until_zero(&mut self, start: usize, told: usize) -> Result<usize, Doubt> {
        let mut wanted = start + told + 1;
        loop {
            let bytes = self.need(wanted)?;
            if let Some(length) = memchr::memchr(0, bytes.get(start..).unwrap_or_default()) {
                return Ok(length);
            }
            wanted = bytes.len() + 1;
            if wanted > start + LONGEST {
                return Err(Doubt::strange("the index has a name that is too long"));
            }
        }
    }

    /// Takes the next name, of which `kept` bytes are those of the one before.
    fn rename(&mut self, kept: usize, start: usize, length: usize) -> Ordering {
        let bytes = self.buffer.get(self.from..self.to).unwrap_or_default();
        let new = bytes.get(start..start + length).unwrap_or_default();
        let order = new.cmp(self.path.get(kept..).unwrap_or_default());
        self.path.truncate(kept);
        self.path.extend_from_slice(new);
        order
    }

    /// What is read and not used: at least `count` bytes.
    fn need(&mut self, count: usize) -> Result<&[u8], Doubt> {
        if self.to - self.from < count {
            self.fill(count)?;
        }
        self.buffer.get(self.from..self.to).ok_or_else(early)
    }

    #[cold]
    fn fill(&mut self, count: usize) -> Result<(), Doubt> {
        self.buffer.copy_within(self.from..self.to, 0);
        (self.from, self.to) = (0, self.to - self.from);
        if self.buffer.len() < count {
            self.buffer.resize(count + CHUNK, 0);
        }
        while self.to < count {
            let free = self.buffer.get_mut(self.to..).unwrap_or_default();
            match self.input.read(free) {
                Ok(0) => return Err(early()),
                Ok(read) => self.to += read.min(free.len()),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(Doubt::OnlyGit(format!("the index cannot be read: {error}"))),
            }
        }
        Ok(())
    }

    fn used(&mut self, count: usize) {
        self.from += count;
        self.at += count as u64;
    }

    /// Goes through the extensions behind the last entry: they must reach to the hash at the end, none may have to be
    /// understood, and a cached tree that was used must be one of them.
    pub(super) fn finish(mut self, cached_tree_from_end: Option<u64>) -> Result<(), Doubt> {
        let end = self.length.checked_sub(HASH as u64).ok_or_else(early)?;
        let mut is_proved = cached_tree_from_end.is_none();
        while self.at < end {
            let from_end = self.length - self.at;
            let bytes = self.need(EXTENSION)?;
            let (Some(name), Some(size)) = (bytes.first_chunk().copied(), number(bytes, 4)) else {
                return Err(early());
            };
            optional(name)?;
            is_proved |= &name == b"TREE" && cached_tree_from_end == Some(from_end);
            self.used(EXTENSION);
            self.skip(size)?;
        }
        if self.at == end && is_proved && self.left == 0 {
            Ok(())
        } else {
            Err(Doubt::strange("the extensions of the index do not fill it"))
        }
    }

    fn skip(&mut self, size: u32) -> Result<(), Doubt> {
        let mut left = usize::try_from(size).map_err(|_| early())?;
        while left > 0 {
            let count = self.need(1)?.len().min(left);
            self.used(count);
            left -= count;
        }
        Ok(())
    }
}

fn is_told(length: usize, told: usize) -> Result<(), Doubt> {
    if told == length.min(usize::from(NAME_LENGTH)) {
        Ok(())
    } else {
        Err(Doubt::strange("the index has a name of another length than it says"))
    }
}

fn early() -> Doubt {
    Doubt::strange("the index ends early")
}

fn id(bytes: &[u8]) -> Option<Id> {
    bytes.get(ID..)?.first_chunk().copied()
}

fn half(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..)?.first_chunk().map(|bytes| u16::from_be_bytes(*bytes))
}

#[cfg(test)]
mod tests {
    use super::super::sample::{Sample, file, folder, id, index};
    use super::*;

    type Read = Vec<(String, u8, u8, bool)>;

    /// All entries, read `step` bytes at a time.
    fn read(bytes: &[u8], step: usize, cached: Option<u64>) -> Result<Read, Doubt> {
        struct Slow<'a>(&'a [u8], usize);
        impl std::io::Read for Slow<'_> {
            fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
                let count = self.1.min(into.len());
                (&mut self.0).take(count as u64).read(into)
            }
        }
        let mut entries = Entries::new(Slow(bytes, step), bytes.len() as u64)?;
        let mut found = Vec::new();
        while let Some((path, entry)) = entries.current() {
            let path = String::from_utf8_lossy(path).into_owned();
            found.push((path, entry.item.id[0], entry.stage, entry.is_intent));
            entries.advance()?;
        }
        entries.finish(cached)?;
        Ok(found)
    }

    fn sample() -> Vec<Sample> {
        let long: &'static str = Box::leak("folder/".repeat(900).into_boxed_str());
        vec![
            file("a.py", 1),
            Sample {
                stage: 1,
                ..file("b.py", 2)
            },
            Sample {
                stage: 3,
                ..file("b.py", 3)
            },
            file("b/c.py", 4),
            file(long.trim_end_matches('/'), 5),
            file("z", 6),
        ]
    }

    #[test]
    fn every_version_is_read_in_any_portion() {
        let mut with_intent = sample();
        with_intent[0].is_intent = true;
        let mut short_names = sample();
        short_names.remove(4);
        let cases = [(2, sample()), (3, with_intent), (4, short_names)];
        for (version, entries) in cases {
            let bytes = index(version, &entries, &[(b"TREE", vec![9; 50]), (b"UNTR", Vec::new())]);
            let expected: Read = entries
                .iter()
                .map(|entry| {
                    (
                        entry.path.to_owned(),
                        entry.id,
                        u8::try_from(entry.stage).unwrap(),
                        entry.is_intent,
                    )
                })
                .collect();
            for step in [1, 7, 64, 1 << 20] {
                assert_eq!(
                    read(&bytes, step, Some(50 + 8 + 8 + 20)).unwrap(),
                    expected,
                    "version {version}"
                );
            }
            assert!(read(&bytes, 4096, Some(20)).is_err(), "no cached tree stands there");
            // Cut off between two extensions it is whole again, and says the same.
            for end in 0..bytes.len() {
                let cut = read(&bytes[..end], 4096, None);
                assert!(
                    cut.is_err() || cut.as_ref() == Ok(&expected),
                    "version {version}, {end} bytes"
                );
            }
        }
    }

    #[test]
    fn what_git_would_not_write_is_a_doubt() {
        let entries = [file("a.py", 1), file("b.py", 2)];
        let tail: &[(&[u8; 4], Vec<u8>)] = &[(b"TREE", folder("", 2, 0, 1))];
        let whole = index(2, &entries, tail);
        let name = whole.windows(4).position(|part| part == b"b.py").unwrap();
        let changed = |at: usize, byte: u8| {
            let mut bytes = whole.clone();
            bytes[at] = byte;
            read(&bytes, 4096, None)
        };
        assert!(changed(name, b'a').is_err(), "twice the same");
        assert!(changed(name, b'A').is_err(), "out of order");
        assert!(changed(name + 2, 0).is_err(), "a shorter name");
        assert!(changed(name - 1, 3).is_err(), "a longer name");
        assert!(changed(name - 2, 0x40).is_err(), "extended in version 2");
        assert!(changed(11, 1).is_err(), "one entry less");
        assert!(changed(11, 3).is_err(), "one entry more");
        let at = whole.windows(4).position(|part| part == b"TREE").unwrap();
        assert_eq!(
            changed(at, b't'),
            Err(Doubt::OnlyGit("the index has the extension `tREE`".to_owned()))
        );
        assert!(changed(at + 7, 1).is_err(), "an extension that does not fill the file");
        assert_eq!(changed(at - 30, id(2)[0]).unwrap().len(), 2);
    }

    #[test]
    fn an_empty_index_is_one() {
        assert_eq!(read(&index(2, &[], &[]), 4096, None).unwrap(), []);
        assert!(read(b"", 4096, None).is_err());
        let endless = [&index(4, &[], &[])[..11], b"\x01", &[0; 62], &[0xff; 90]].concat();
        assert!(read(&endless, 4096, None).is_err());
    }
}
