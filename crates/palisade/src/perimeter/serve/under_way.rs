//! The bodies of a request and of its answer, with the marks that the connection needs: what was read, and what is under way.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use axum::body::Body;
use bytes::Bytes;
use http_body::{Body as _, Frame, SizeHint};
use hyper::body::Incoming;

use super::pulse::Call;

/// Bytes that are handed on at once: what HTTP/2 is given, it keeps until the client takes it, out of sight.
const PART: usize = 64 * 1024;

/// A body in chunks that tells whether it was read to its end: where it was not, the library closes the connection, however much
/// of it has come.
pub(super) struct Chunked {
    body: Incoming,
    read: Arc<AtomicBool>,
}

impl Chunked {
    /// The body, and what becomes true at its end.
    pub(super) fn new(body: Incoming) -> (Self, Arc<AtomicBool>) {
        let read = Arc::new(AtomicBool::new(false));
        let chunked = Self {
            body,
            read: Arc::clone(&read),
        };
        (chunked, read)
    }
}

impl http_body::Body for Chunked {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let frame = Pin::new(&mut self.body).poll_frame(cx);
        if matches!(frame, Poll::Ready(None)) {
            self.read.store(true, Ordering::Relaxed);
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A body that tells when it is done with, by being dropped.
pub(super) struct UnderWay {
    body: Body,
    call: Call,
    /// Under HTTP/2 one answer may stand still while others go on.
    framed: bool,
    /// What is left of a frame that was larger than a part.
    rest: Bytes,
    /// The length of the part that was handed on last: it is taken when there is room for another.
    last: usize,
}

impl UnderWay {
    pub(super) fn new(body: Body, mut call: Call, framed: bool) -> Self {
        // Its client may have closed the window before the first byte.
        call.waits(framed);
        if framed {
            // What is made as it is taken has no length.
            call.holds(body.size_hint().exact().unwrap_or(0));
        }
        Self {
            body,
            call,
            framed,
            rest: Bytes::new(),
            last: 0,
        }
    }

    /// The next part of what is left.
    fn part(&mut self) -> Frame<Bytes> {
        let part = self.rest.split_to(self.rest.len().min(PART));
        self.last = part.len();
        Frame::data(part)
    }
}

impl http_body::Body for UnderWay {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        if !self.framed {
            return Pin::new(&mut self.body).poll_frame(cx);
        }
        // The next one is asked for when the client has room for it.
        let taken = std::mem::take(&mut self.last);
        self.call.takes(taken);
        if !self.rest.is_empty() {
            return Poll::Ready(Some(Ok(self.part())));
        }
        self.call.waits(false);
        let frame = Pin::new(&mut self.body).poll_frame(cx);
        self.call.waits(frame.is_ready());
        match frame {
            Poll::Ready(Some(Ok(frame))) => Poll::Ready(Some(Ok(match frame.into_data() {
                Ok(data) => {
                    self.rest = data;
                    self.part()
                }
                Err(trailers) => trailers,
            }))),
            other => other,
        }
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let rest = self.rest.len() as u64;
        let mut hint = self.body.size_hint();
        if let Some(upper) = hint.upper() {
            hint.set_upper(upper + rest);
        }
        hint.set_lower(hint.lower() + rest);
        hint
    }
}
