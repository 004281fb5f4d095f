//! A body on its way in: so many bytes at most, in so much time at most, at such a speed at least.

use std::pin::pin;
use std::time::Duration;

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use futures_util::FutureExt as _;
use http_body::Body as _;
use http_body_util::BodyExt as _;
use tokio::time::Instant;

use super::Terms;
use crate::error::{Error, Result};
use crate::event::{Event, RequestContext};

/// A client may begin slowly.
const GRACE: Duration = Duration::from_secs(5);

/// Reads it whole.
///
/// # Errors
/// 413 as soon as it is known to be too large, 408 when it is too slow, 400 when it ends early, 503 when too many arrive at once.
pub(super) async fn collect(body: Body, terms: &Terms, context: &RequestContext) -> Result<Bytes> {
    let announced = body.size_hint();
    if announced.lower() > terms.body_limit as u64 {
        return Err(Error::too_large());
    }
    if !context.body_begins() {
        Event::Shed.emit();
        return Err(Error::unavailable());
    }
    let outcome = read(body, terms, announced.exact().unwrap_or_default()).await;
    context.body_ends();
    outcome
}

async fn read(body: Body, terms: &Terms, announced: u64) -> Result<Bytes> {
    let mut body = pin!(body);
    let mut bytes = BytesMut::new();
    let begun = Instant::now();
    let mut deadline = None;
    loop {
        // The timer is made for a body that is not there yet, which most are.
        let frame = match body.as_mut().frame().now_or_never() {
            Some(frame) => frame,
            None => {
                let until = *deadline.get_or_insert_with(|| begun + terms.body_timeout);
                let until = until.min(begun + slowest(terms, bytes.len() as u64 + 1));
                let next = tokio::time::timeout_at(until, body.as_mut().frame()).await;
                next.map_err(|_| Error::request_timeout())?
            }
        };
        match frame {
            None => return Ok(bytes.freeze()),
            Some(Ok(frame)) => {
                let Ok(data) = frame.into_data() else {
                    continue;
                };
                if bytes.len() + data.len() > terms.body_limit {
                    return Err(Error::too_large());
                }
                if bytes.is_empty() && data.len() as u64 == announced {
                    return Ok(data);
                }
                bytes.extend_from_slice(&data);
            }
            Some(Err(_)) => return Err(Error::bad_request("the body did not arrive whole")),
        }
    }
}

/// When so many bytes must have come at the latest.
fn slowest(terms: &Terms, bytes: u64) -> Duration {
    match terms.body_rate {
        0 => Duration::from_secs(24 * 60 * 60),
        rate => GRACE + Duration::from_millis(bytes.saturating_mul(1000) / rate),
    }
}
