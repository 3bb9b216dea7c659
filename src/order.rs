//! One sort for all types.
//!
//! The standard library's is compiled anew for each type: 6 KB of the program and a tenth of a second of every build from source. This program
//! sorts a handful of each of many types.

use std::cmp::Ordering;

/// Sorts as [`slice::sort_by`] does: what compares as equal keeps its order.
pub(crate) fn sort_by<T>(items: &mut [T], compare: impl Fn(&T, &T) -> Ordering) {
    let places = places(items.len(), &|one, other| compare(&items[one], &items[other]));
    arrange(items, places);
}

/// Sorts as [`slice::sort_by_key`] does.
pub(crate) fn sort_by_key<T, K: Ord>(items: &mut [T], key: impl Fn(&T) -> K) {
    sort_by(items, |one, other| key(one).cmp(&key(other)));
}

/// Sorts as [`slice::sort`] does.
pub(crate) fn sort<T: Ord>(items: &mut [T]) {
    sort_by(items, T::cmp);
}

/// Sorts as [`slice::sort_by_cached_key`] does.
pub(crate) fn sort_by_cached_key<T, K: Ord>(items: &mut [T], key: impl Fn(&T) -> K) {
    let keys: Vec<K> = items.iter().map(key).collect();
    let places = places(items.len(), &|one, other| keys[one].cmp(&keys[other]));
    arrange(items, places);
}

/// Which item comes first, second and so on.
fn places(length: usize, compare: &dyn Fn(usize, usize) -> Ordering) -> Vec<usize> {
    let mut places: Vec<usize> = (0..length).collect();
    places.sort_by(|&one, &other| compare(one, other));
    places
}

/// Puts each item in its place, along the cycle that it is part of; a place that is done names itself.
fn arrange<T>(items: &mut [T], mut places: Vec<usize>) {
    for start in 0..places.len() {
        let mut at = start;
        while places[at] != start {
            let next = places[at];
            items.swap(at, next);
            places[at] = at;
            at = next;
        }
        places[at] = at;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_sorts_as_the_standard_library_does() {
        for length in 0..40_u32 {
            for seed in 0..20_u32 {
                let item = |at: u32| ((at * 7 + seed).wrapping_mul(2_654_435_761) >> 28, at);
                let items: Vec<(u32, u32)> = (0..length).map(item).collect();
                let (mut ours, mut cached, mut theirs) = (items.clone(), items.clone(), items);
                sort_by_key(&mut ours, |one| one.0);
                sort_by_cached_key(&mut cached, |one| one.0);
                theirs.sort_by_key(|one| one.0);
                assert_eq!([ours, cached], [theirs.clone(), theirs]);
            }
        }
        let mut words = vec!["b".to_owned(), String::new(), "a".to_owned()];
        sort(&mut words);
        assert_eq!(words, ["", "a", "b"]);
    }
}
