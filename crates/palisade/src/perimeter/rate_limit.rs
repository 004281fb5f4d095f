//! Limits by client and by route, and what an answer says of them.
//!
//! Follows draft-ietf-httpapi-ratelimit-headers-10 (`RateLimit`, `RateLimit-Policy`) and RFC 9110, section 10.2.3 (`Retry-After`).

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher as _;
use std::time::Duration;

use axum::body::Body;
use governor::clock::Clock as _;
use governor::middleware::NoOpMiddleware;
use http::{HeaderName, HeaderValue, Request, Response};
use tower_governor::GovernorError;
use tower_governor::governor::{GovernorConfig, GovernorConfigBuilder};
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
#[derive(Debug)]
pub(super) struct ClientLimit {
    config: GovernorConfig<ByClient, NoOpMiddleware>,
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
        Self { config, key, rate }
    }

    /// Counts this request; the answer to one that is too many.
    pub(super) fn check<T>(&self, request: &Request<T>) -> Option<Response<Body>> {
        let Ok(key) = self.key.extract(request) else {
            return Some(answer(Error::internal()));
        };
        let limiter = self.config.limiter();
        let until = limiter.check_key(&key).err()?;
        Event::RateLimited { limit: CLIENT }.emit();
        let wait = until.wait_time_from(limiter.clock().now()).as_secs() + 1;
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

impl KeyExtractor for ByClient {
    type Key = u32;

    fn extract<T>(&self, _: &Request<T>) -> Result<u32, GovernorError> {
        let client = RequestContext::with_current(|current| current.map(RequestContext::client));
        let client = client.ok_or(GovernorError::UnableToExtractKey)?;
        let hash = self.0.hash_one(LimitKey::client(client));
        Ok((hash % BUCKETS) as u32)
    }
}
