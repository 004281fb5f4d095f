//! Counts under words of the code that are not all known at start.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// Words at most; what comes beyond is counted without one.
const MOST: usize = 128;

/// No lock, no growth: a word takes the first free place and keeps it.
#[derive(Debug)]
pub(super) struct Tally<K> {
    places: [(OnceLock<K>, AtomicU64); MOST],
    left_out: AtomicU64,
}

impl<K: Copy + PartialEq> Tally<K> {
    pub(super) const fn new() -> Self {
        Self {
            places: [const { (OnceLock::new(), AtomicU64::new(0)) }; MOST],
            left_out: AtomicU64::new(0),
        }
    }

    /// Gives the word its place, so that it shows as 0.
    pub(super) fn know(&self, word: K) {
        self.count_of(word);
    }

    pub(super) fn add(&self, word: K) {
        self.count_of(word)
            .unwrap_or(&self.left_out)
            .fetch_add(1, Ordering::Relaxed);
    }

    fn count_of(&self, word: K) -> Option<&AtomicU64> {
        let own = |(place, _): &&(OnceLock<K>, AtomicU64)| *place.get_or_init(|| word) == word;
        self.places.iter().find(own).map(|(_, count)| count)
    }

    pub(super) fn read(&self) -> impl Iterator<Item = (K, u64)> {
        self.places
            .iter()
            .map_while(|(place, count)| Some((*place.get()?, count.load(Ordering::Relaxed))))
    }

    /// How many were counted without a word.
    pub(super) fn left_out(&self) -> u64 {
        self.left_out.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_each_word_alone_from_many_threads() {
        let tally = Tally::new();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| (0..1000).for_each(|number| tally.add(number % 5)));
            }
        });
        let mut counts: Vec<_> = tally.read().collect();
        counts.sort_unstable();
        assert_eq!(counts, [0, 1, 2, 3, 4].map(|word| (word, 800)));
    }

    #[test]
    fn does_not_grow() {
        let tally = Tally::new();
        (0..MOST + 7).for_each(|word| tally.add(word));
        assert_eq!((tally.read().count(), tally.left_out()), (MOST, 7));
    }
}
