//! Indexes written for tests, byte by byte (gitformat-index).

use git2::Oid;

/// An entry.
#[derive(Debug, Clone)]
pub(super) struct Sample {
    pub(super) path: &'static str,
    pub(super) id: u8,
}

/// A regular file with the id that consists of one byte.
pub(super) fn file(path: &'static str, id: u8) -> Sample {
    Sample { path, id }
}

/// The id that consists of one byte.
pub(super) fn id(byte: u8) -> Oid {
    Oid::from_bytes(&[byte; 20]).unwrap()
}

/// A whole index, its hash of zeros as with `index.skipHash`.
pub(super) fn index(version: u32, entries: &[Sample], extensions: &[(&[u8; 4], Vec<u8>)]) -> Vec<u8> {
    let mut bytes = b"DIRC".to_vec();
    bytes.extend(version.to_be_bytes());
    bytes.extend(u32::try_from(entries.len()).unwrap().to_be_bytes());
    let mut before = "";
    for entry in entries {
        bytes.extend(self::entry(version, entry, before));
        before = entry.path;
    }
    for (name, content) in extensions {
        bytes.extend(*name);
        bytes.extend(u32::try_from(content.len()).unwrap().to_be_bytes());
        bytes.extend(content);
    }
    bytes.extend([0; 20]);
    bytes
}

fn entry(version: u32, entry: &Sample, before: &str) -> Vec<u8> {
    let mut bytes = vec![0; 24];
    bytes.extend(0o100_644_u32.to_be_bytes());
    bytes.extend([0; 12]);
    bytes.extend([entry.id; 20]);
    let length = u16::try_from(entry.path.len().min(0xfff)).unwrap();
    bytes.extend(length.to_be_bytes());
    if version == 4 {
        let common = before
            .bytes()
            .zip(entry.path.bytes())
            .take_while(|(a, b)| a == b)
            .count();
        bytes.push(u8::try_from(before.len() - common).unwrap());
        bytes.extend(&entry.path.as_bytes()[common..]);
        bytes.push(0);
    } else {
        bytes.extend(entry.path.as_bytes());
        bytes.resize((bytes.len() + 8) & !7, 0);
    }
    bytes
}

/// One folder of a cached tree; a negative count has no id.
pub(super) fn folder(name: &str, count: i64, below: u32, id: u8) -> Vec<u8> {
    let mut bytes = format!("{name}\0{count} {below}\n").into_bytes();
    if count >= 0 {
        bytes.extend([id; 20]);
    }
    bytes
}
