//! Diffs two lists of lines in bounded time.

use std::collections::HashMap;
use std::ops::Range;

use similar::{Algorithm, DiffOp, DiffTag, capture_diff_slices};

/// If the product of the differing lines exceeds the square of this, all between the first and the last of them counts as one change:
/// Myers' algorithm takes lines times changes.
const MOST: usize = 5_000;

/// The operations that turn the old lines into the new ones.
///
/// Lines that only one side has are left out before the rest is compared, so that a fix that changes thousands of lines leaves little to
/// compare.
pub(crate) fn difference(old: &[&str], new: &[&str]) -> Vec<DiffOp> {
    let mut sides: HashMap<&str, [bool; 2]> = HashMap::new();
    for (side, lines) in [old, new].into_iter().enumerate() {
        for line in lines {
            sides.entry(line).or_default()[side] = true;
        }
    }
    let common = |lines: &[&str]| -> Vec<usize> {
        let is_common = |at: &usize| sides.get(lines[*at]) == Some(&[true, true]);
        (0..lines.len()).filter(is_common).collect()
    };
    let (left, right) = (common(old), common(new));
    let one: Vec<&str> = left.iter().map(|at| old[*at]).collect();
    let other: Vec<&str> = right.iter().map(|at| new[*at]).collect();
    let mut pairs: Vec<(usize, usize)> = Vec::new();
    for (one, other) in matches(&one, &other) {
        pairs.extend(one.zip(other).map(|(one, other)| (left[one], right[other])));
    }
    operations(old.len(), new.len(), &pairs)
}

/// The runs of equal lines, in order.
fn matches(old: &[&str], new: &[&str]) -> Vec<(Range<usize>, Range<usize>)> {
    let start = old.iter().zip(new).take_while(|(one, other)| one == other).count();
    let (rest, other) = (&old[start..], &new[start..]);
    let end = rest
        .iter()
        .rev()
        .zip(other.iter().rev())
        .take_while(|(one, other)| one == other)
        .count();
    let (middle, other) = (&rest[..rest.len() - end], &other[..other.len() - end]);
    if middle.len().saturating_mul(other.len()) > MOST * MOST {
        let tail = (old.len() - end..old.len(), new.len() - end..new.len());
        return vec![(0..start, 0..start), tail];
    }
    let operations = capture_diff_slices(Algorithm::Myers, old, new);
    let equal = operations.iter().filter(|operation| operation.tag() == DiffTag::Equal);
    equal
        .map(|operation| (operation.old_range(), operation.new_range()))
        .collect()
}

/// The operations around pairs of equal lines.
fn operations(old: usize, new: usize, pairs: &[(usize, usize)]) -> Vec<DiffOp> {
    let mut found = Vec::new();
    let (mut old_index, mut new_index) = (0, 0);
    let mut pairs = pairs.iter().copied().peekable();
    loop {
        let (next_old, next_new) = pairs.peek().copied().unwrap_or((old, new));
        found.extend(changed(old_index..next_old, new_index..next_new));
        let mut len = 0;
        while pairs.next_if_eq(&(next_old + len, next_new + len)).is_some() {
            len += 1;
        }
        if len == 0 {
            return found;
        }
        found.push(DiffOp::Equal {
            old_index: next_old,
            new_index: next_new,
            len,
        });
        (old_index, new_index) = (next_old + len, next_new + len);
    }
}

/// One side may have no lines.
fn changed(old: Range<usize>, new: Range<usize>) -> Option<DiffOp> {
    let is_change = !old.is_empty() || !new.is_empty();
    is_change.then(|| DiffOp::Replace {
        old_index: old.start,
        old_len: old.len(),
        new_index: new.start,
        new_len: new.len(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn applied(old: &[&str], new: &[&str]) -> (usize, Vec<String>) {
        let operations = difference(old, new);
        let changes = operations
            .iter()
            .flat_map(|one| one.iter_changes(old, new).collect::<Vec<_>>());
        let mut kept = 0;
        let mut result = Vec::new();
        for change in changes {
            kept += usize::from(change.tag() == similar::ChangeTag::Equal);
            if change.tag() != similar::ChangeTag::Delete {
                result.push(change.value().to_owned());
            }
        }
        (kept, result)
    }

    #[test]
    fn it_keeps_as_many_lines_as_the_usual_algorithm() {
        for seed in 0..300_u32 {
            let line = |at: u32| {
                ["a", "b", "c", "d", "e"]
                    [(at.wrapping_mul(2_654_435_761).wrapping_add(seed * 7_919) >> 27) as usize % 5]
            };
            let old: Vec<&str> = (0..seed % 17).map(line).collect();
            let new: Vec<&str> = (3..3 + seed % 13).map(line).collect();
            let (kept, result) = applied(&old, &new);
            assert_eq!(result, new);
            let usual = capture_diff_slices(Algorithm::Myers, &old, &new);
            let equal = usual.iter().filter(|one| one.tag() == DiffTag::Equal);
            assert_eq!(kept, equal.map(|one| one.old_range().len()).sum::<usize>(), "{old:?} {new:?}");
        }
    }

    #[test]
    fn thousands_of_changed_lines_are_one_change_each() {
        let text = |what: &str| {
            (0..30_000)
                .map(|at| format!("{}{at}", if at % 2 == 0 { what } else { "x" }))
                .collect::<Vec<_>>()
        };
        let (old, new) = (text("a"), text("b"));
        let old: Vec<&str> = old.iter().map(String::as_str).collect();
        let new: Vec<&str> = new.iter().map(String::as_str).collect();
        assert_eq!(difference(&old, &new).len(), 30_000);
        // Beyond the limit all is one change.
        let turned: Vec<&str> = old.iter().rev().copied().collect();
        assert_eq!(difference(&old, &turned).len(), 1);
        assert_eq!(applied(&old, &turned).1, turned);
    }
}
