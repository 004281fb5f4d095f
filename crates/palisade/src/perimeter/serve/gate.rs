//! The gate: all bytes of a connection pass it, one request at a time.
//!
//! It reads the heads more strictly than the HTTP library does, and hands it a head only when it is whole, in order, and
//! the answer before it has left. So what the library writes while a head has not reached the service is an answer of its
//! own, bare of every header: the gate drops it and answers itself.

use std::io::{self, IoSlice};
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};

use bytes::{Buf as _, Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::ending::Ending;
use super::framing::{Body, Head, MAX_HEAD};
use super::pulse::{Flaw, Pulse};

/// What is read at once while it is not known where it belongs.
const PIECE: usize = 1024;
/// A stream under watch.
pub(super) struct Gate<S, F> {
    stream: S,
    /// HTTP/2 has a framing of its own, which the library checks.
    framed: bool,
    pulse: Arc<Pulse>,
    /// Makes the answer to a flaw.
    answer: F,
    head: Head,
    body: Body,
    /// What arrived too early, and how much of it the library may have.
    held: BytesMut,
    cleared: usize,
    /// Heads that the library got.
    released: u32,
    /// Whether the answer to the last of them has left.
    settled: bool,
    reader: Option<Waker>,
    ending: Ending,
}

impl<S, F> Gate<S, F>
where
    S: AsyncRead + AsyncWrite + Unpin,
    F: FnMut(Flaw) -> Bytes,
{
    pub(super) fn new(stream: S, framed: bool, pulse: Arc<Pulse>, answer: F) -> Self {
        Self {
            stream,
            framed,
            pulse,
            answer,
            head: Head::default(),
            body: Body::Done,
            held: BytesMut::new(),
            cleared: 0,
            released: 0,
            settled: true,
            reader: None,
            ending: Ending::Open,
        }
    }

    fn refuse(&mut self, flaw: Flaw) {
        self.pulse.refuse(flaw);
        self.held = BytesMut::new();
    }

    /// Reads up to a piece of what comes into what is held; how much.
    fn hold(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let mut piece = [const { MaybeUninit::uninit() }; PIECE];
        let mut piece = ReadBuf::uninit(&mut piece);
        ready!(Pin::new(&mut self.stream).poll_read(cx, &mut piece))?;
        self.held.extend_from_slice(piece.filled());
        Poll::Ready(Ok(piece.filled().len()))
    }

    /// While an answer is under way: notices when the client leaves, and keeps what it sends ahead.
    fn watch(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.held.len() < MAX_HEAD {
            match self.hold(cx)? {
                Poll::Ready(0) => return Poll::Ready(Ok(())),
                Poll::Ready(_) => {}
                Poll::Pending => break,
            }
        }
        if !self.held.is_empty() {
            self.reader = Some(cx.waker().clone());
        }
        Poll::Pending
    }

    /// A head is whole: the library may have it, and the part of the body that came with it; how much that is.
    fn release(&mut self, length: usize, bytes: &[u8]) -> usize {
        self.pulse.head_ends();
        self.body = std::mem::take(&mut self.head).body();
        self.released = self.released.wrapping_add(1);
        self.settled = false;
        // A flaw in the body comes up again when the body is read.
        let more = self.body.take(&bytes[length..]).unwrap_or(0);
        self.pulse.body(self.body.is_done());
        length + more
    }

    /// From what is held.
    fn give(&mut self, buf: &mut ReadBuf<'_>) {
        let given = self.cleared.min(buf.remaining());
        buf.put_slice(&self.held[..given]);
        self.held.advance(given);
        self.cleared -= given;
    }

    fn read_head(&mut self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.pulse.is_busy() || !self.settled {
            return self.watch(cx);
        }
        if self.pulse.calls() != self.released {
            // The library wants more of a head that is whole: it reads it in another way than the gate does.
            self.refuse(Flaw::Malformed("syntax"));
            return Poll::Ready(Ok(()));
        }
        if self.held.is_empty() {
            let before = buf.filled().len();
            ready!(Pin::new(&mut self.stream).poll_read(cx, buf))?;
            let fresh = &buf.filled()[before..];
            if fresh.is_empty() {
                return Poll::Ready(Ok(()));
            }
            match self.head.scan(fresh) {
                Ok(Some(length)) => {
                    let fresh = &buf.filled()[before..];
                    let passed = self.release(length, fresh);
                    self.held.extend_from_slice(&fresh[passed..]);
                    buf.set_filled(before + passed);
                    return Poll::Ready(Ok(()));
                }
                Ok(None) => {
                    self.held.extend_from_slice(fresh);
                    self.pulse.head_begins();
                }
                Err(flaw) => self.refuse(flaw),
            }
            buf.set_filled(before);
            if self.pulse.flaw().is_some() {
                return Poll::Ready(Ok(()));
            }
        }
        loop {
            match self.head.scan(&self.held) {
                Ok(Some(length)) => {
                    let held = std::mem::take(&mut self.held);
                    self.cleared = self.release(length, &held);
                    self.held = held;
                    self.give(buf);
                    return Poll::Ready(Ok(()));
                }
                Ok(None) => self.pulse.head_begins(),
                Err(flaw) => {
                    self.refuse(flaw);
                    return Poll::Ready(Ok(()));
                }
            }
            if ready!(self.hold(cx))? == 0 {
                // Half a head, and the client has left.
                return Poll::Ready(Ok(()));
            }
        }
    }

    fn read_body(&mut self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let malformed = |_| io::Error::from(io::ErrorKind::InvalidData);
        if !self.held.is_empty() {
            self.cleared = self.body.take(&self.held).map_err(malformed)?;
            self.pulse.body(self.body.is_done());
            self.give(buf);
            return Poll::Ready(Ok(()));
        }
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, buf))?;
        let fresh = &buf.filled()[before..];
        let passed = self.body.take(fresh).map_err(malformed)?;
        self.pulse.body(self.body.is_done());
        self.held.extend_from_slice(&fresh[passed..]);
        buf.set_filled(before + passed);
        Poll::Ready(Ok(()))
    }

    /// Whether what the library writes is an answer of its own.
    fn is_bare(&self) -> bool {
        !self.framed && self.pulse.calls() != self.released
    }

    fn drop_bare(&mut self, bytes: &[u8]) {
        let flaw = match bytes.get(9..12) {
            Some(b"414") => Flaw::TargetTooLong,
            Some(b"431") => Flaw::HeadTooLarge,
            _ => Flaw::Malformed("syntax"),
        };
        self.refuse(flaw);
    }

    fn written(&self, outcome: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        match outcome {
            Poll::Pending => self.pulse.blocks(),
            Poll::Ready(Ok(bytes)) => self.pulse.writes(bytes),
            Poll::Ready(Err(_)) => {}
        }
        outcome
    }
}

impl<S, F> AsyncRead for Gate<S, F>
where
    S: AsyncRead + AsyncWrite + Unpin,
    F: FnMut(Flaw) -> Bytes + Unpin,
{
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let gate = self.get_mut();
        if gate.framed {
            return Pin::new(&mut gate.stream).poll_read(cx, buf);
        }
        if gate.pulse.flaw().is_some() {
            // To the library the client has left.
            return Poll::Ready(Ok(()));
        }
        if gate.cleared > 0 {
            gate.give(buf);
            Poll::Ready(Ok(()))
        } else if gate.body.is_done() {
            gate.read_head(cx, buf)
        } else {
            gate.read_body(cx, buf)
        }
    }
}

impl<S, F> AsyncWrite for Gate<S, F>
where
    S: AsyncRead + AsyncWrite + Unpin,
    F: FnMut(Flaw) -> Bytes + Unpin,
{
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let gate = self.get_mut();
        if gate.is_bare() {
            gate.drop_bare(bytes);
            return Poll::Ready(Ok(bytes.len()));
        }
        let outcome = Pin::new(&mut gate.stream).poll_write(cx, bytes);
        gate.written(outcome)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let gate = self.get_mut();
        if gate.is_bare() {
            gate.drop_bare(slices.first().map_or(&[], |slice| slice));
            return Poll::Ready(Ok(slices.iter().map(|slice| slice.len()).sum()));
        }
        let outcome = Pin::new(&mut gate.stream).poll_write_vectored(cx, slices);
        gate.written(outcome)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let gate = self.get_mut();
        ready!(Pin::new(&mut gate.stream).poll_flush(cx))?;
        gate.pulse.flows();
        // The library flushes when it has nothing left to write.
        if !gate.settled && !gate.pulse.is_busy() && gate.pulse.calls() == gate.released {
            gate.settled = true;
            if let Some(reader) = gate.reader.take() {
                reader.wake();
            }
        }
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let gate = self.get_mut();
        if gate.ending.is_open() {
            let flaw = gate.pulse.flaw();
            // Whoever was refused, or not listened to, may still be speaking.
            let speaking = flaw.is_some() || gate.pulse.is_unread();
            gate.pulse.ends();
            gate.ending = Ending::begin(flaw.map(|flaw| (gate.answer)(flaw)), speaking);
        }
        gate.ending.poll(&mut gate.stream, cx)
    }
}
