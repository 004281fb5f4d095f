//! Events that an attack could raise as fast as it opens connections: one a second for each reason, with the number of all.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

const PAUSE: Duration = Duration::from_secs(1);

/// Counts what happened, and says when it is time for an event. The reasons are words of the code, so it does not grow.
#[derive(Debug, Default)]
pub(crate) struct Sampled(Mutex<Vec<(&'static str, u64, Instant)>>);

impl Sampled {
    /// It happened once more; how often since the last event of this reason, when the next one is due.
    pub(crate) fn due(&self, reason: &'static str) -> Option<u64> {
        let now = Instant::now();
        let mut reasons = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let own = reasons.iter_mut().find(|(own, ..)| *own == reason);
        let Some((_, count, told)) = own else {
            reasons.push((reason, 0, now));
            return Some(1);
        };
        *count += 1;
        if now.duration_since(*told) < PAUSE {
            return None;
        }
        *told = now;
        Some(std::mem::take(count))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_the_first_at_once_and_the_rest_by_their_number() {
        let sampled = Sampled::default();
        assert_eq!((sampled.due("a"), sampled.due("b")), (Some(1), Some(1)));
        let begun = Instant::now();
        let mut happened = 0;
        let told = loop {
            happened += 1;
            if let Some(told) = sampled.due("a") {
                break told;
            }
        };
        assert_eq!(told, happened);
        assert!(begun.elapsed() > PAUSE / 2);
    }
}
