//! How much is under way.

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::event::metrics::Page;

/// How many requests are worked on, and may be.
#[derive(Debug)]
pub(crate) struct Load {
    now: AtomicUsize,
    most: usize,
}

/// One of those requests.
pub(super) struct Turn<'a>(&'a Load);

impl Load {
    pub(super) fn new(most: u32) -> Self {
        Self {
            now: AtomicUsize::new(0),
            most: most as usize,
        }
    }

    /// A turn, unless all are taken.
    pub(super) fn turn(&self) -> Option<Turn<'_>> {
        let turn = Turn(self);
        // Counted first and asked then: two that come at once cannot both take the last turn.
        let before = self.now.fetch_add(1, Ordering::Relaxed);
        (before < self.most).then_some(turn)
    }

    /// Writes how much is under way.
    pub(crate) fn write(&self, page: &mut Page) {
        page.gauge(
            "palisade_requests_in_flight",
            "Requests that are worked on now.",
        )
        .value(&[], self.now.load(Ordering::Relaxed));
        page.gauge(
            "palisade_requests_in_flight_max",
            "Requests that may be worked on at the same time.",
        )
        .value(&[], self.most);
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.0.now.fetch_sub(1, Ordering::Relaxed);
    }
}
