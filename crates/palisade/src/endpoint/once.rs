//! Requests that are done once, however often they come: `#[post("/orders", idempotent)]`.
//!
//! Follows draft-ietf-httpapi-idempotency-key-header-07.

mod answer;
mod key;
mod record;

use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, resume_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use futures_util::FutureExt as _;
use http::Response;

use crate::error::{Error, Result};
use crate::event::RequestContext;
use crate::input::Incoming;
use answer::Answer;
use key::Asked;
use record::Begun;
pub(crate) use record::Once;

/// Does the work of a request once for each key of a caller; whoever comes later gets the answer of the first.
///
/// The work gives an outer error when an argument was refused, so that the handler did not begin.
///
/// # Errors
/// 400 without a key or with a malformed one, 409 while the first one is under way, 422 when the key was used for another request.
#[doc(hidden)]
pub async fn once<F, W>(mut incoming: Incoming, work: F) -> Result<Response<Body>>
where
    F: FnOnce(Incoming) -> W + Send + 'static,
    W: Future<Output = Result<Result<Response<Body>>>> + Send + 'static,
{
    let once: Once = incoming.own()?;
    let asked = Asked::of(&mut incoming).await?;
    let context = Arc::clone(incoming.context());
    let limit = once.time_of(&context);
    let claim = match once.begin(&asked, limit).await? {
        Begun::Answered(answer) => return answer.replayed(),
        Begun::Claimed(claim) => claim,
    };
    // On a task of its own: a client that goes away is the very one that will ask again.
    let task = tokio::spawn(within(Arc::clone(&context), async move {
        let work = AssertUnwindSafe(async { work(incoming).await }).catch_unwind();
        match tokio::time::timeout(limit, work).await {
            Ok(Ok(Ok(outcome))) => match Answer::of(outcome, &context).await {
                (Some(answer), outcome) => {
                    once.keep(&claim, &answer).await;
                    outcome
                }
                (None, outcome) => {
                    once.release(&claim).await;
                    outcome
                }
            },
            Ok(Ok(Err(refused))) => {
                once.release(&claim).await;
                Err(refused)
            }
            Ok(Err(panic)) => {
                once.release(&claim).await;
                resume_unwind(panic)
            }
            Err(_) => {
                once.release(&claim).await;
                Err(Error::timed_out())
            }
        }
    }));
    match task.await {
        Ok(outcome) => outcome,
        Err(error) if error.is_panic() => resume_unwind(error.into_panic()),
        // The runtime ends.
        Err(_) => Err(Error::unavailable()),
    }
}

/// Work that is part of this request, wherever it is polled.
async fn within<W: Future>(context: Arc<RequestContext>, work: W) -> W::Output {
    let mut work = pin!(work);
    poll_fn(|cx| context.enter(|| work.as_mut().poll(cx))).await
}

impl Once {
    /// How long the handler of this request may take.
    fn time_of(&self, context: &RequestContext) -> Duration {
        context.timeout().unwrap_or(self.handler_timeout())
    }
}
