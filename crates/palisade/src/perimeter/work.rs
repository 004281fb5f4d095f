//! A request's work: under its id, within its time, and without the right to end anything but itself.

use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use axum::body::Body;
use http::Response;

use crate::event::RequestContext;

pub(super) enum Outcome {
    Answered(Response<Body>),
    Panicked,
    TimedOut,
}

/// Does this work.
///
/// The timer is made when the work first has to wait, since most never does. The time that the body takes to arrive is not the
/// handler's: it has a limit of its own.
pub(super) async fn within(
    context: &Arc<RequestContext>,
    usual: Duration,
    mut work: Pin<&mut impl Future<Output = Result<Response<Body>, Infallible>>>,
) -> Outcome {
    let mut timer = pin!(None::<tokio::time::Sleep>);
    let mut made_for = Duration::ZERO;
    poll_fn(|cx| {
        let polled = context.enter(|| catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(cx))));
        match polled {
            Err(_) => return Poll::Ready(Outcome::Panicked),
            Ok(Poll::Ready(Ok(response))) => return Poll::Ready(Outcome::Answered(response)),
            Ok(Poll::Ready(Err(never))) => match never {},
            Ok(Poll::Pending) => {}
        }
        loop {
            let allowed = context.timeout().unwrap_or(usual) + context.body_time();
            // A layer may have waited before the route, and its shorter time, was known.
            if timer.is_none() || allowed < made_for {
                made_for = allowed;
                let left = allowed.saturating_sub(context.elapsed());
                timer.set(Some(tokio::time::sleep(left)));
            }
            match timer.as_mut().as_pin_mut().map(|timer| timer.poll(cx)) {
                Some(Poll::Ready(())) if context.elapsed() >= allowed => {
                    return Poll::Ready(Outcome::TimedOut);
                }
                // It was made before the route, or the body, was known to take longer.
                Some(Poll::Ready(())) => timer.set(None),
                _ => return Poll::Pending,
            }
        }
    })
    .await
}
