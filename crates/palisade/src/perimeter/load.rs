//! How much is under way.

use std::sync::Arc;

use crate::event::metrics::Page;
use crate::event::{RequestContext, Turns};

/// How many requests are worked on, and may be.
#[derive(Debug)]
pub(crate) struct Load(Arc<Turns>);

/// One of those requests.
pub(super) struct Turn<'a>(&'a Load, &'a RequestContext);

impl Load {
    pub(super) fn new(most: u32) -> Self {
        Self(Arc::new(Turns::new(most as usize)))
    }

    pub(super) fn turns(&self) -> &Arc<Turns> {
        &self.0
    }

    /// A turn, unless all are taken.
    pub(super) fn turn<'a>(&'a self, context: &'a RequestContext) -> Option<Turn<'a>> {
        self.0.begin().then(|| Turn(self, context))
    }

    /// Writes how much is under way.
    pub(crate) fn write(&self, page: &mut Page) {
        page.gauge(
            "palisade_requests_in_flight",
            "Requests that are worked on now.",
        )
        .value(&[], self.0.working());
        page.gauge(
            "palisade_requests_arriving",
            "Requests whose body is on its way now.",
        )
        .value(&[], self.0.arriving());
        page.gauge(
            "palisade_requests_in_flight_max",
            "Requests that may be worked on, or arrive, at the same time.",
        )
        .value(&[], self.0.most());
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        // Work that was given up while its body arrived has given its turn back before.
        self.0.0.end(self.1.is_arriving());
    }
}
