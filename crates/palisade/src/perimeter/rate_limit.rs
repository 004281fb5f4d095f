//! Limits by client and by route, and what an answer says of them.
//!
//! Follows draft-ietf-httpapi-ratelimit-headers-10 (`RateLimit`, `RateLimit-Policy`) and RFC 9110, section 10.2.3 (`Retry-After`).

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher as _;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use governor::clock::Clock as _;
use governor::middleware::NoOpMiddleware;
use http::{HeaderName, HeaderValue, Request, Response};
use tower_governor::GovernorError;
use tower_governor::governor::{GovernorConfigBuilder, SharedRateLimiter};
use tower_governor::key_extractor::KeyExtractor;

use super::headers::RATE_LIMIT_POLICY;
use crate::config::Rate;
use crate::error::Error;
use crate::event::{Counted, Event, RequestContext};
use crate::store::LimitKey;

const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
const CLIENT: &str = "client";
/// Clients that are told apart: what the table of the first tier holds at most, whoever comes.
const BUCKETS: u64 = 1 << 18;

/// The first tier: every request of one client, before anything else looks at it, in this process alone.
pub(super) struct ClientLimit {
    limiter: SharedRateLimiter<u32, NoOpMiddleware>,
    key: ByClient,
    rate: Rate,
}

impl ClientLimit {
    pub(super) fn new(rate: Rate) -> Self {
        let each = (rate.window() / rate.count()).max(Duration::from_nanos(1));
        let key = ByClient(RandomState::new());
        let config = GovernorConfigBuilder::default()
            .period(each)
            .burst_size(rate.count())
            .key_extractor(key.clone())
            .finish()
            .expect("a rate's count and time are not zero");
        let limiter = Arc::clone(config.limiter());
        Self { limiter, key, rate }
    }

    /// Counts one more of the client that is worked on now; the answer when it is one too many.
    pub(super) fn refusal(&self) -> Option<Response<Body>> {
        let Some(key) = self.key.of_current() else {
            return Some(answer(Error::internal()));
        };
        let until = self.limiter.check_key(&key).err()?;
        Event::RateLimited { limit: CLIENT }.emit();
        // The seconds are rounded down.
        let wait = until.wait_time_from(self.limiter.clock().now()).as_secs() + 1;
        let seconds = u32::try_from(wait).unwrap_or(u32::MAX);
        let mut response = answer(Error::too_many_requests(seconds));
        let left = Counted {
            remaining: 0,
            reset: self.rate.window(),
        };
        describe(&mut response, &policy(CLIENT, self.rate), CLIENT, left);
        Some(response)
    }
}

fn answer(error: Error) -> Response<Body> {
    RequestContext::with_current(|current| {
        error.into_response(current.map_or("", |context| context.id().as_str()))
    })
}

/// `"search";q=60;w=60`.
pub(crate) fn policy(name: &str, rate: Rate) -> HeaderValue {
    let text = format!(
        "\"{name}\";q={};w={}",
        rate.count(),
        rate.window().as_secs()
    );
    HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static(""))
}

/// Says which limit an answer was counted under, and what is left of it.
pub(crate) fn describe(
    response: &mut Response<Body>,
    policy: &HeaderValue,
    name: &str,
    left: Counted,
) {
    let reset = left.reset.as_secs() + u64::from(left.reset.subsec_nanos() > 0);
    let text = format!("\"{name}\";r={};t={reset}", left.remaining);
    if let Ok(value) = HeaderValue::from_str(&text) {
        response.headers_mut().insert(RATE_LIMIT, value);
    }
    response
        .headers_mut()
        .insert(RATE_LIMIT_POLICY, policy.clone());
}

/// Tells clients apart by a keyed hash of their address, so that the table cannot grow and nobody can aim at a neighbour.
#[derive(Debug, Clone)]
pub(super) struct ByClient(RandomState);

impl ByClient {
    fn of_current(&self) -> Option<u32> {
        let client = RequestContext::with_current(|current| current.map(RequestContext::client));
        let hash = self.0.hash_one(LimitKey::client(client?));
        Some((hash % BUCKETS) as u32)
    }
}

impl KeyExtractor for ByClient {
    type Key = u32;

    fn extract<T>(&self, _: &Request<T>) -> Result<u32, GovernorError> {
        self.of_current().ok_or(GovernorError::UnableToExtractKey)
    }
}
