//! What the three that serve one connection tell each other: the gate that reads it, the service, the clock.

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use http::StatusCode;
use tokio::sync::Notify;

use crate::config::ServeConfig;
use crate::error::Error;

/// A client that takes its answer more slowly than this takes nothing: bytes a second.
const SLOWEST: u64 = 1024;

/// Bytes of answers that a client of HTTP/2 may leave untaken before its further requests wait. A client may well want the heads of
/// many answers before it reads the first: what it asks for together has to fit.
const HELD: u64 = 16 * 1024 * 1024;

/// Why the bytes of a client are no request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flaw {
    /// Not HTTP, or HTTP that two servers could read in two ways; the reason is a word for the event.
    Malformed(&'static str),
    TargetTooLong,
    HeadTooLarge,
    TooSlow,
}

impl Flaw {
    /// A word for the event.
    pub(super) fn reason(self) -> &'static str {
        match self {
            Self::Malformed(reason) => reason,
            Self::TargetTooLong => "target_too_long",
            Self::HeadTooLarge => "head_too_large",
            Self::TooSlow => "too_slow",
        }
    }

    pub(super) fn error(self) -> Error {
        match self {
            Self::Malformed(_) => Error::bad_request("it does not follow the rules of HTTP/1.1"),
            Self::TargetTooLong => Error::new(
                StatusCode::URI_TOO_LONG,
                "uri-too-long",
                "The address is too long",
            ),
            Self::HeadTooLarge => Error::headers_too_large(),
            Self::TooSlow => Error::request_timeout(),
        }
    }
}

/// The state of one connection.
#[derive(Debug)]
pub(super) struct Pulse {
    begun: Instant,
    flaw: OnceLock<Flaw>,
    /// Whether a body is on its way that nobody may read to its end.
    unread: AtomicBool,
    /// Whether all is said, and the client may only finish.
    ending: AtomicBool,
    /// Requests that reached the service, and those of them that are not answered yet.
    calls: AtomicU32,
    open: AtomicU32,
    /// Answers of HTTP/2 that wait for their client to take more, and what was taken since the clock looked.
    waiting: AtomicU32,
    taken: AtomicU64,
    /// Bytes of answers of HTTP/2 that are made and not taken, and who is told when they are fewer.
    held: AtomicU64,
    room: Notify,
    /// Since when a head arrives in pieces, and since when the client takes nothing: milliseconds, 0 for not at all.
    head: AtomicU64,
    blocked: AtomicU64,
    /// What was written since the clock looked.
    written: AtomicU64,
}

impl Pulse {
    /// Of a connection whose first request is on its way.
    pub(super) fn new() -> Self {
        Self {
            begun: Instant::now(),
            flaw: OnceLock::new(),
            unread: AtomicBool::new(false),
            ending: AtomicBool::new(false),
            calls: AtomicU32::new(0),
            open: AtomicU32::new(0),
            waiting: AtomicU32::new(0),
            taken: AtomicU64::new(0),
            held: AtomicU64::new(0),
            room: Notify::new(),
            head: AtomicU64::new(0),
            blocked: AtomicU64::new(0),
            written: AtomicU64::new(0),
        }
    }

    pub(super) fn flaw(&self) -> Option<Flaw> {
        self.flaw.get().copied()
    }

    /// What comes in is not read any more; the first flaw counts.
    pub(super) fn refuse(&self, flaw: Flaw) {
        let _ = self.flaw.set(flaw);
    }

    /// A body is on its way, or has come.
    pub(super) fn body(&self, done: bool) {
        self.unread.store(!done, Relaxed);
    }

    /// Whether the connection cannot be used again if the answer comes now.
    pub(super) fn is_unread(&self) -> bool {
        self.unread.load(Relaxed)
    }

    pub(super) fn ends(&self) {
        self.ending.store(true, Relaxed);
    }

    pub(super) fn calls(&self) -> u32 {
        self.calls.load(Relaxed)
    }

    pub(super) fn is_busy(&self) -> bool {
        self.open.load(Relaxed) > 0
    }

    /// A request reached the service; it is under way until the value is dropped.
    pub(super) fn call(self: &Arc<Self>) -> Call {
        self.calls.fetch_add(1, Relaxed);
        self.open.fetch_add(1, Relaxed);
        Call {
            pulse: Arc::clone(self),
            waits: false,
            held: 0,
        }
    }

    /// Waits while the client leaves more of its answers untaken than it may. Those that wait go on one by one: each may make an
    /// answer that fills the room again.
    pub(super) async fn has_room(&self) {
        while self.held.load(Relaxed) > HELD {
            self.room.notified().await;
        }
    }

    fn tell_of_room(&self) {
        if self.held.load(Relaxed) <= HELD {
            self.room.notify_one();
        }
    }

    pub(super) fn head_begins(&self) {
        let _ = self.head.compare_exchange(0, self.now(), Relaxed, Relaxed);
    }

    pub(super) fn head_ends(&self) {
        self.head.store(0, Relaxed);
    }

    pub(super) fn blocks(&self) {
        let _ = self
            .blocked
            .compare_exchange(0, self.now(), Relaxed, Relaxed);
    }

    pub(super) fn writes(&self, bytes: usize) {
        self.written.fetch_add(bytes as u64, Relaxed);
    }

    pub(super) fn flows(&self) {
        self.blocked.store(0, Relaxed);
    }

    fn now(&self) -> u64 {
        u64::try_from(self.begun.elapsed().as_millis()).map_or(u64::MAX, |now| now + 1)
    }
}

/// A request that is under way.
#[derive(Debug)]
pub(super) struct Call {
    pulse: Arc<Pulse>,
    waits: bool,
    held: u64,
}

impl Call {
    /// Whether it now waits for the client alone, which is no work.
    pub(super) fn waits(&mut self, waits: bool) {
        match (self.waits, waits) {
            (false, true) => {
                self.pulse.waiting.fetch_add(1, Relaxed);
                self.pulse.open.fetch_sub(1, Relaxed);
            }
            (true, false) => {
                self.pulse.open.fetch_add(1, Relaxed);
                self.pulse.waiting.fetch_sub(1, Relaxed);
            }
            _ => {}
        }
        self.waits = waits;
    }

    /// So many bytes more of the answer lie in memory for the client.
    pub(super) fn holds(&mut self, bytes: u64) {
        self.held += bytes;
        self.pulse.held.fetch_add(bytes, Relaxed);
        self.pulse.tell_of_room();
    }

    /// The client makes room for so many bytes of the answer.
    pub(super) fn takes(&mut self, bytes: usize) {
        self.pulse.taken.fetch_add(bytes as u64, Relaxed);
        self.gives_up(self.held.min(bytes as u64));
    }

    fn gives_up(&mut self, bytes: u64) {
        self.held -= bytes;
        self.pulse.held.fetch_sub(bytes, Relaxed);
        self.pulse.tell_of_room();
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        let counted = match self.waits {
            true => &self.pulse.waiting,
            false => &self.pulse.open,
        };
        counted.fetch_sub(1, Relaxed);
        self.gives_up(self.held);
    }
}

/// What the clock asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Due {
    Nothing,
    /// Nothing is under way: no request more.
    Close,
    /// The client is told that it was too slow.
    Refuse,
    /// The client takes nothing, so that it can be told nothing.
    Cut,
}

/// The clock of one connection: looked at now and then, so that no request has to set a timer.
#[derive(Debug)]
pub(super) struct Clock {
    calls: u32,
    /// When it was looked at, since when nothing happens, and since when the connection is to close.
    looked: u64,
    idle: u64,
    closing: Option<u64>,
    /// Since when answers wait and nothing of them is taken.
    stalled: Option<u64>,
}

impl Clock {
    pub(super) fn new() -> Self {
        Self {
            calls: 0,
            looked: 0,
            idle: 0,
            closing: None,
            stalled: None,
        }
    }

    /// What is due, and how long until the clock must be looked at again.
    pub(super) fn look(&mut self, pulse: &Pulse, limits: &ServeConfig) -> (Due, Duration) {
        let now = pulse.now();
        // No limit that begins later ends before the shortest of all.
        let mut next = millis(
            limits
                .head_timeout
                .min(limits.idle_timeout)
                .min(limits.write_timeout),
        );
        let mut over = |since: u64, limit: u64| {
            let left = (since + limit).saturating_sub(now);
            if left > 0 {
                next = next.min(left);
            }
            left == 0
        };
        let written = pulse.written.swap(0, Relaxed);
        let since = now - self.looked;
        let flows = written > 0 && written * 1000 >= SLOWEST * since;
        // What goes over the wire may be all but the answers: a closed window is a client that takes nothing.
        let taken = pulse.taken.swap(0, Relaxed);
        if pulse.waiting.load(Relaxed) == 0 || (taken > 0 && taken * 1000 >= SLOWEST * since) {
            self.stalled = None;
        } else {
            self.stalled.get_or_insert(now);
        }
        self.looked = now;
        if flows && pulse.blocked.load(Relaxed) != 0 {
            pulse.blocked.store(now, Relaxed);
        }
        if pulse.calls() != self.calls || pulse.is_busy() || flows {
            (self.calls, self.idle) = (pulse.calls(), now);
        }
        if pulse.ending.load(Relaxed) {
            self.closing.get_or_insert(now);
        }
        let (head, blocked) = (pulse.head.load(Relaxed), pulse.blocked.load(Relaxed));
        // A first request may take no longer than any other; a later one may let wait for itself.
        let idle = match pulse.calls() {
            0 => limits.head_timeout,
            _ => limits.idle_timeout,
        };
        let write = millis(limits.write_timeout);
        let due = if (blocked != 0 && over(blocked, write))
            || self.stalled.is_some_and(|stalled| over(stalled, write))
        {
            Due::Cut
        } else if let Some(closing) = self.closing {
            // What is still being written may be.
            let since = closing.max(self.idle);
            if !pulse.is_busy() && over(since, millis(limits.head_timeout)) {
                Due::Cut
            } else {
                Due::Nothing
            }
        } else if head != 0 && over(head, millis(limits.head_timeout)) {
            self.closing = Some(now);
            Due::Refuse
        } else if head == 0 && over(self.idle, millis(idle)) {
            self.closing = Some(now);
            Due::Close
        } else {
            Due::Nothing
        };
        (due, Duration::from_millis(next))
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX / 4)
}
