//! How many requests are under way.

use std::sync::atomic::{AtomicUsize, Ordering};

/// How many requests are worked on, how many still arrive, and how many of each may be.
///
/// A body that arrives is no work: a client that sends slowly holds a place among those that arrive, and none of those that work.
#[derive(Debug)]
pub(crate) struct Turns {
    working: AtomicUsize,
    arriving: AtomicUsize,
    most: usize,
}

impl Turns {
    pub(crate) fn new(most: usize) -> Self {
        Self {
            working: AtomicUsize::new(0),
            arriving: AtomicUsize::new(0),
            most,
        }
    }

    pub(crate) fn working(&self) -> usize {
        self.working.load(Ordering::Relaxed)
    }

    pub(crate) fn arriving(&self) -> usize {
        self.arriving.load(Ordering::Relaxed)
    }

    pub(crate) fn most(&self) -> usize {
        self.most
    }

    /// Whether one more may begin.
    pub(crate) fn begin(&self) -> bool {
        Self::take(&self.working, self.most)
    }

    pub(crate) fn end(&self, arriving: bool) {
        let counted = if arriving {
            &self.arriving
        } else {
            &self.working
        };
        counted.fetch_sub(1, Ordering::Relaxed);
    }

    /// One that worked waits for its body, unless too many do.
    pub(super) fn wait(&self) -> bool {
        let waits = Self::take(&self.arriving, self.most);
        if waits {
            self.end(false);
        }
        waits
    }

    /// Its body is there: it goes on, also when others have begun meanwhile.
    pub(super) fn go_on(&self) {
        self.working.fetch_add(1, Ordering::Relaxed);
        self.end(true);
    }

    /// Counted first and asked then: two that come at once cannot both take the last place.
    fn take(counter: &AtomicUsize, most: usize) -> bool {
        let before = counter.fetch_add(1, Ordering::Relaxed);
        if before >= most {
            counter.fetch_sub(1, Ordering::Relaxed);
        }
        before < most
    }
}
