//! How a connection ends: the last answer, the end of our side, and a while in which the client may finish speaking.

use std::io;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf as _, Bytes};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// What is read and thrown away at the end, where more may come: a connection that is closed with bytes unread breaks off,
/// and the client may lose the answer (RFC 9112, 9.6). The clock ends it too.
const LINGER: usize = 256 * 1024;

/// The place in that end.
pub(super) enum Ending {
    Open,
    Answering(Bytes, usize),
    Closing(usize),
    Lingering(usize),
}

impl Ending {
    /// With this answer, if any; whether the client may still be speaking.
    pub(super) fn begin(answer: Option<Bytes>, speaking: bool) -> Self {
        let linger = if speaking { LINGER } else { 0 };
        match answer {
            Some(answer) => Self::Answering(answer, linger),
            None => Self::Closing(linger),
        }
    }

    pub(super) fn is_open(&self) -> bool {
        matches!(self, Self::Open)
    }

    pub(super) fn poll(
        &mut self,
        mut stream: impl AsyncRead + AsyncWrite + Unpin,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        let mut stream = Pin::new(&mut stream);
        loop {
            match self {
                Self::Answering(answer, _) if !answer.is_empty() => {
                    let written = ready!(stream.as_mut().poll_write(cx, answer))?;
                    answer.advance(written);
                }
                Self::Answering(_, linger) => {
                    ready!(stream.as_mut().poll_flush(cx))?;
                    *self = Self::Closing(*linger);
                }
                Self::Closing(linger) => {
                    ready!(stream.as_mut().poll_shutdown(cx))?;
                    *self = Self::Lingering(*linger);
                }
                Self::Open | Self::Lingering(0) => return Poll::Ready(Ok(())),
                Self::Lingering(left) => {
                    let mut piece = [const { MaybeUninit::uninit() }; 1024];
                    let mut piece = ReadBuf::uninit(&mut piece);
                    // Whatever goes wrong now, the connection is over.
                    let read = ready!(stream.as_mut().poll_read(cx, &mut piece));
                    let gone = read.is_err() || piece.filled().is_empty();
                    *left = match gone {
                        true => 0,
                        false => left.saturating_sub(piece.filled().len()),
                    };
                }
            }
        }
    }
}
