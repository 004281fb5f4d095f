//! How long things took, in buckets that are fixed.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::page::Family;

/// Upper bounds in microseconds, and as Prometheus reads them in seconds.
const BOUNDS: [(u64, &str); 15] = [
    (500, "0.0005"),
    (1_000, "0.001"),
    (2_500, "0.0025"),
    (5_000, "0.005"),
    (10_000, "0.01"),
    (25_000, "0.025"),
    (50_000, "0.05"),
    (100_000, "0.1"),
    (250_000, "0.25"),
    (500_000, "0.5"),
    (1_000_000, "1"),
    (2_500_000, "2.5"),
    (5_000_000, "5"),
    (10_000_000, "10"),
    (30_000_000, "30"),
];

/// Two additions an observation, and the same memory for ever.
#[derive(Debug, Default)]
pub(super) struct Histogram {
    buckets: [AtomicU64; BOUNDS.len() + 1],
    micros: AtomicU64,
}

impl Histogram {
    pub(super) fn observe(&self, took: Duration) {
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        // Most requests end in the first buckets.
        let bucket = BOUNDS.iter().position(|(bound, _)| micros <= *bound);
        self.buckets[bucket.unwrap_or(BOUNDS.len())].fetch_add(1, Ordering::Relaxed);
        self.micros.fetch_add(micros, Ordering::Relaxed);
    }

    /// Buckets are told as Prometheus wants them: each with all that are below it.
    pub(super) fn write(&self, family: &mut Family<'_>, labels: &[(&str, &str)]) {
        let sum = self.micros.load(Ordering::Relaxed);
        let bounds = BOUNDS.iter().map(|(_, bound)| *bound).chain(["+Inf"]);
        let mut count = 0;
        for (bound, bucket) in bounds.zip(&self.buckets) {
            count += bucket.load(Ordering::Relaxed);
            family.part("_bucket", &[labels, &[("le", bound)]].concat(), count);
        }
        family.part("_sum", labels, sum as f64 / 1e6);
        family.part("_count", labels, count);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn puts_each_time_into_the_bucket_that_holds_it() {
        for (micros, bucket) in [
            (0, 0),
            (500, 0),
            (501, 1),
            (30_000_000, 14),
            (30_000_001, 15),
            (u64::MAX / 2, 15),
        ] {
            let histogram = Histogram::default();
            histogram.observe(Duration::from_micros(micros));
            let counts = histogram.buckets.map(AtomicU64::into_inner);
            let found = counts.iter().position(|count| *count == 1);
            assert_eq!(found, Some(bucket), "{micros}");
        }
    }

    #[test]
    fn writes_its_bounds_as_it_compares_them() {
        for (micros, seconds) in BOUNDS {
            let seconds: f64 = seconds.parse().unwrap();
            assert_eq!((seconds * 1e6).round() as u64, micros);
        }
        assert!(BOUNDS.is_sorted());
    }
}
