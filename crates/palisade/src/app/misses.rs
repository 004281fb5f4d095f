//! Clients that ask for one thing after another that is not there: they guess what might be.

use std::sync::Arc;

use crate::config::Rate;
use crate::event::{Event, RequestContext};
use crate::store::{Limit, LimitKey, Limiter};

/// How many answers of 404 a client may get before they are a sign of guessing, and how often an event says so.
const USUAL: &str = "30/min";
const TOLD: &str = "1/min";

/// Counts the answers of 404 by client, in the memory that the limits have.
#[derive(Debug)]
pub(super) struct Misses {
    usual: Arc<dyn Limit>,
    told: Arc<dyn Limit>,
}

impl Misses {
    pub(super) fn new(limiter: &dyn Limiter) -> Self {
        // No class of an app has a blank in its name.
        let limit = |name, rate| Some(limiter.limit(name, Rate::parse(rate)?));
        let (usual, told) = (limit("not found", USUAL), limit("not found, told", TOLD));
        Self {
            usual: usual.expect("a rate"),
            told: told.expect("a rate"),
        }
    }

    /// One more, in this request.
    pub(super) async fn note(&self, context: &Arc<RequestContext>) {
        let client = LimitKey::client(context.client());
        let is_usual = async |limit: &Arc<dyn Limit>| {
            let decision = limit.check(client).decision().await;
            decision.wait.is_none()
        };
        if !is_usual(&self.usual).await && is_usual(&self.told).await {
            context.enter(|| Event::Probed.emit());
        }
    }
}
