//! Feeds any bytes to the parsers, for `fuzz/` and for the tests with mutated bytes: they must end without a panic.

use std::io::Cursor;

use super::cached_tree::{self, Header};
use super::listing::Listing;
use super::{name_lengths, raw, tree_diff};

/// Reads `bytes` as an index file: its header, the lengths of its names, and the cached tree at its end.
pub fn index(bytes: &[u8]) {
    let _ = name_lengths::are_right(bytes);
    let Ok(header) = Header::parse(bytes) else { return };
    let _ = cached_tree::find(&mut Cursor::new(bytes), bytes.len() as u64, header);
}

/// Reads `bytes` as a tree object.
pub fn tree(bytes: &[u8]) {
    let _ = tree_diff::rows(bytes);
}

/// Reads `bytes` as what git prints: `diff --raw -z`, `ls-files -s -z`, `ls-tree -z`.
///
/// # Panics
///
/// If a record has no path.
pub fn raw_diff(bytes: &[u8]) {
    if let Some(deltas) = raw::parse(bytes) {
        assert!(deltas.iter().all(|delta| !delta.path.as_bytes().is_empty()));
    }
    let _ = Listing::parse(bytes);
}

#[cfg(test)]
#[path = "../../tests/it/support/random.rs"]
#[allow(dead_code, unreachable_pub, reason = "shared with other tests")]
mod random;

#[cfg(test)]
#[allow(clippy::print_stdout, reason = "a seed that fails can be tried again")]
mod tests {
    use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

    use super::super::sample::{file, folder, index as sample};
    use super::random::Random;
    use super::*;

    /// Changes, removes, repeats or inserts some bytes.
    fn mutate(random: &mut Random, bytes: &[u8]) -> Vec<u8> {
        let mut bytes = bytes.to_vec();
        for _ in 0..=random.below(4) {
            let at = random.below(bytes.len());
            match random.below(6) {
                0 => bytes.truncate(at),
                1 => bytes.insert(at, u8::try_from(random.below(256)).unwrap()),
                2 if at < bytes.len() => drop(bytes.remove(at)),
                3 => {
                    let part = bytes[at..bytes.len().min(at + random.below(40))].to_vec();
                    bytes.splice(at..at, part);
                }
                4 if at < bytes.len() => bytes[at] = [0, 1, 0x7f, 0x80, 0xff][random.below(5)],
                _ if at < bytes.len() => bytes[at] ^= 1 << random.below(8),
                _ => {}
            }
        }
        bytes
    }

    fn seeds() -> Vec<Vec<u8>> {
        let entries = [file("a/b.py", 1), file("a/c.py", 2), file("d", 3)];
        let tree = [folder("", 3, 1, 1), folder("a", 2, 0, 2)].concat();
        let extensions: &[(&[u8; 4], Vec<u8>)] = &[(b"TREE", tree), (b"EOIE", vec![0; 24])];
        [3, 4].map(|version| sample(version, &entries, extensions)).to_vec()
    }

    /// Reads mutations of each seed: the same ones each time, or new ones for `MUTATE_SECONDS`.
    fn read_mutations(read: fn(&[u8]), seeds: &[Vec<u8>]) {
        let seconds = std::env::var("MUTATE_SECONDS").ok();
        let seconds = seconds.map(|text| Duration::from_secs(text.parse().unwrap()));
        let started = Instant::now();
        let since = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        let start = seconds.map_or(0x9e37_79b9_7f4a_7c15, |_| since());
        println!("seed {start}");
        let mut random = Random::new(start);
        let mut rounds = 0;
        while seconds.map_or(rounds < 20_000, |seconds| started.elapsed() < seconds) {
            for seed in seeds {
                read(&mutate(&mut random, seed));
            }
            rounds += 1;
        }
    }

    #[test]
    fn mutated_indexes_are_read_or_refused() {
        for seed in seeds() {
            index(&seed);
            for end in 0..seed.len() {
                index(&seed[..end]);
            }
        }
        read_mutations(index, &seeds());
    }

    #[test]
    fn mutated_trees_are_read_or_refused() {
        let rows: [&[u8]; 4] = [b"100644 a.b\0", &[1; 20], b"40000 a\0", &[2; 20]];
        let seed = rows.concat();
        assert!(tree_diff::rows(&seed).is_some());
        read_mutations(tree, &[seed]);
    }

    #[test]
    fn mutated_answers_of_git_are_read_or_refused() {
        let id = "92e569fadf44ff168e63733f4771c2544fde05d3";
        let seeds = [
            format!(":100644 100755 {id} {id} M\0a\nb\0:100644 100644 {id} {id} R086\0old\0new\0"),
            format!("100644 {id} 0\ta\0120000 {id} 2\tb\0"),
            format!("100644 blob {id}\ta/b\0160000 commit {id}\tc\0"),
        ];
        read_mutations(raw_diff, &seeds.map(String::into_bytes));
    }
}
