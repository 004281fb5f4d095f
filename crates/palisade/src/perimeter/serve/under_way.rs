//! The body of an answer, with the mark that its request is under way until it is written.

use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::Body;
use bytes::Bytes;
use http_body::{Frame, SizeHint};

use super::pulse::Call;

/// A body that tells when it is done with, by being dropped.
pub(super) struct UnderWay {
    body: Body,
    call: Call,
    /// Under HTTP/2 one answer may stand still while others go on.
    framed: bool,
}

impl UnderWay {
    pub(super) fn new(body: Body, call: Call, framed: bool) -> Self {
        Self { body, call, framed }
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
        self.call.waits(false);
        let frame = Pin::new(&mut self.body).poll_frame(cx);
        // The next one is asked for when the client has taken this one.
        self.call.waits(frame.is_ready());
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
