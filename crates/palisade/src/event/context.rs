//! The request that is being worked on, as the log and the events know it.

use std::cell::RefCell;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use uuid::Uuid;

use super::turns::Turns;

thread_local! {
    static CURRENT: RefCell<Option<Arc<RequestContext>>> = const { RefCell::new(None) };
}

/// The id of one request, in its answer, its log lines and every problem: a UUIDv7 (RFC 9562) as 32 hexadecimal digits, or what
/// a declared proxy sent.
#[derive(Clone, PartialEq, Eq)]
pub struct RequestId {
    text: [u8; Self::MOST],
    length: u8,
}

impl RequestId {
    /// Characters of an id that a proxy may send.
    const MOST: usize = 64;
    const LEAST: usize = 8;

    /// A fresh id.
    pub(crate) fn new() -> Self {
        let since = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap_or_default();
        let mut random = [0; 10];
        rand::fill(&mut random);
        let id = uuid::Builder::from_unix_timestamp_millis(since.as_millis() as u64, &random);
        let mut text = [0; Self::MOST];
        let length = id.into_uuid().simple().encode_lower(&mut text).len() as u8;
        Self { text, length }
    }

    /// The id that a proxy sent, when it is 8 to 64 letters, digits, `-`, `_` or `.`: nothing that a log or a header would read
    /// as more than an id.
    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        let plain = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        let fits = (Self::LEAST..=Self::MOST).contains(&bytes.len()) && bytes.iter().all(plain);
        fits.then(|| {
            let mut text = [0; Self::MOST];
            text[..bytes.len()].copy_from_slice(bytes);
            let length = bytes.len() as u8;
            Self { text, length }
        })
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(self.as_bytes()).unwrap_or_default()
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.text[..self.length.into()]
    }
}

impl fmt::Debug for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The trace that a request belongs to: the `traceparent` of W3C's Trace Context, level 1.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct TraceParent([u8; Self::LENGTH]);

impl TraceParent {
    const LENGTH: usize = 55;

    /// Reads a `traceparent` header: version 00, neither id all zeros.
    pub(crate) fn parse(text: &[u8]) -> Option<Self> {
        let bytes: [u8; Self::LENGTH] = text.try_into().ok()?;
        let digit = |byte: &u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(byte);
        let hyphens = bytes[2] == b'-' && bytes[35] == b'-' && bytes[52] == b'-';
        let parts = [&bytes[..2], &bytes[3..35], &bytes[36..52], &bytes[53..]];
        let hexadecimal = parts.iter().all(|part| part.iter().all(digit));
        let zero = |part: &[u8]| part.iter().all(|byte| *byte == b'0');
        let named = !zero(parts[1]) && !zero(parts[2]);
        (hyphens && hexadecimal && named && parts[0] == b"00").then_some(Self(bytes))
    }

    /// The trace's id: 32 hexadecimal digits.
    pub fn trace_id(&self) -> &str {
        std::str::from_utf8(&self.0[3..35]).unwrap_or_default()
    }
}

impl fmt::Debug for TraceParent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.trace_id())
    }
}

/// What a limit has left for its client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Counted {
    /// How many more may follow at once.
    pub(crate) remaining: u32,
    /// How long until all of them may again.
    pub(crate) reset: Duration,
}

/// What is known of one request beside its content; log lines and events that happen in it carry it.
pub struct RequestContext {
    id: RequestId,
    client: IpAddr,
    secure: bool,
    plain: bool,
    trace: Option<TraceParent>,
    started: Instant,
    /// The route's path, and its number in the route table.
    route: OnceLock<(&'static str, usize)>,
    timeout: OnceLock<Duration>,
    account: OnceLock<Uuid>,
    api_key: OnceLock<Uuid>,
    counted: OnceLock<Counted>,
    /// Milliseconds since `started`, plus one, at which reading the body began; 0 before and after.
    body_began: AtomicU64,
    /// Milliseconds that reading the body took.
    body_took: AtomicU64,
    /// The turns that it takes one of, and whether it waits for its body now.
    turns: Option<Arc<Turns>>,
    arriving: AtomicBool,
}

impl RequestContext {
    /// With the turns that it is to take one of, if any.
    pub(crate) fn new(
        id: RequestId,
        client: IpAddr,
        secure: bool,
        trace: Option<TraceParent>,
        turns: Option<Arc<Turns>>,
    ) -> Self {
        Self {
            id,
            client,
            secure,
            plain: false,
            trace,
            started: Instant::now(),
            route: OnceLock::new(),
            timeout: OnceLock::new(),
            account: OnceLock::new(),
            api_key: OnceLock::new(),
            counted: OnceLock::new(),
            body_began: AtomicU64::new(0),
            body_took: AtomicU64::new(0),
            turns,
            arriving: AtomicBool::new(false),
        }
    }

    /// A request that nobody sent, for code that is called without one.
    pub(crate) fn of_nobody() -> Self {
        let client = Ipv4Addr::UNSPECIFIED.into();
        Self::new(RequestId::new(), client, false, None, None)
    }

    /// The request's id.
    pub fn id(&self) -> &RequestId {
        &self.id
    }

    /// The client's address, through declared proxies alone.
    pub fn client(&self) -> IpAddr {
        self.client
    }

    /// Whether it came over TLS, here or at a declared proxy.
    pub fn is_secure(&self) -> bool {
        self.secure
    }

    /// Marks it as one that came to a declared proxy over plain HTTP.
    pub(crate) fn plain(mut self, plain: bool) -> Self {
        self.plain = plain;
        self
    }

    /// Whether a declared proxy says that it came over plain HTTP; `false` where nobody said a word.
    pub(crate) fn is_plain(&self) -> bool {
        self.plain
    }

    /// The trace that it belongs to, when its sender said so.
    pub fn trace(&self) -> Option<&TraceParent> {
        self.trace.as_ref()
    }

    /// How long ago it came.
    pub fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// The path of its route as the code declares it, once it was found.
    pub fn route(&self) -> Option<&'static str> {
        self.route.get().map(|(path, _)| *path)
    }

    /// Its route's number in the route table, once it was found.
    pub(crate) fn route_number(&self) -> Option<usize> {
        self.route.get().map(|(_, number)| *number)
    }

    pub(crate) fn set_route(&self, path: &'static str, number: usize, timeout: Option<Duration>) {
        let _ = self.route.set((path, number));
        if let Some(timeout) = timeout {
            let _ = self.timeout.set(timeout);
        }
    }

    /// The time that its route gives it, when it has one of its own.
    pub(crate) fn timeout(&self) -> Option<Duration> {
        self.timeout.get().copied()
    }

    /// The account that calls, once a credential proved it.
    pub fn account(&self) -> Option<Uuid> {
        self.account.get().copied()
    }

    pub(crate) fn set_account(&self, account: Uuid) {
        let _ = self.account.set(account);
    }

    /// The API key that the account's client calls with, when it does.
    pub fn api_key(&self) -> Option<Uuid> {
        self.api_key.get().copied()
    }

    pub(crate) fn set_api_key(&self, key: Uuid) {
        let _ = self.api_key.set(key);
    }

    /// What its route's own limit said of it.
    pub(crate) fn counted(&self) -> Option<Counted> {
        self.counted.get().copied()
    }

    pub(crate) fn set_counted(&self, counted: Counted) {
        let _ = self.counted.set(counted);
    }

    /// Whether it waits for its body now.
    pub(crate) fn is_arriving(&self) -> bool {
        self.arriving.load(Ordering::Relaxed)
    }

    /// Reading the body begins: its time is its own and not the handler's, and so is its place among those under way; `false` when
    /// too many bodies arrive already.
    pub(crate) fn body_begins(&self) -> bool {
        if let Some(turns) = &self.turns {
            if !turns.wait() {
                return false;
            }
            self.arriving.store(true, Ordering::Relaxed);
        }
        let now = self.elapsed().as_millis() as u64;
        self.body_began.store(now + 1, Ordering::Relaxed);
        true
    }

    /// The body is there.
    pub(crate) fn body_ends(&self) {
        if let Some(turns) = &self.turns
            && self.arriving.swap(false, Ordering::Relaxed)
        {
            turns.go_on();
        }
        let took = self.body_time();
        self.body_began.store(0, Ordering::Relaxed);
        self.body_took
            .store(took.as_millis() as u64, Ordering::Relaxed);
    }

    /// How long the body took, or has been taking.
    pub(crate) fn body_time(&self) -> Duration {
        let took = self.body_took.load(Ordering::Relaxed);
        let reading = match self.body_began.load(Ordering::Relaxed) {
            0 => 0,
            began => (self.elapsed().as_millis() as u64).saturating_sub(began - 1),
        };
        Duration::from_millis(took + reading)
    }

    /// The request that this thread works on now.
    pub(crate) fn current() -> Option<Arc<Self>> {
        CURRENT.with(|current| current.try_borrow().ok()?.clone())
    }

    /// Gives the current request to `read`, without counting its owners.
    pub(crate) fn with_current<T>(read: impl FnOnce(Option<&Self>) -> T) -> T {
        CURRENT.with(|current| match current.try_borrow() {
            Ok(current) => read(current.as_deref()),
            Err(_) => read(None),
        })
    }

    /// Does a piece of this request's work, so that what it logs carries the request's id.
    pub(crate) fn enter<T>(self: &Arc<Self>, work: impl FnOnce() -> T) -> T {
        /// Puts back what was there, also when the work panics.
        struct Restore(Option<Arc<RequestContext>>);
        impl Drop for Restore {
            fn drop(&mut self) {
                CURRENT.with(|current| *current.borrow_mut() = self.0.take());
            }
        }
        let before = CURRENT.with(|current| current.borrow_mut().replace(Arc::clone(self)));
        let _restore = Restore(before);
        work()
    }
}

impl fmt::Debug for RequestContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestContext")
            .field("id", &self.id)
            .field("route", &self.route())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_a_proxys_id_in_a_strict_alphabet_alone() {
        for good in ["018f3c52", "A-b_c.9012", &"x".repeat(64)] {
            assert_eq!(RequestId::parse(good.as_bytes()).unwrap().as_str(), good);
        }
        for bad in [
            "short",
            "with blank",
            "line\nbreak",
            "quo\"te..",
            &"x".repeat(65),
            "ünder-st",
        ] {
            assert!(RequestId::parse(bad.as_bytes()).is_none(), "{bad}");
        }
    }

    #[test]
    fn makes_ids_that_are_version_7_and_differ() {
        let (one, two) = (RequestId::new(), RequestId::new());
        assert_ne!(one, two);
        assert_eq!(Uuid::parse_str(one.as_str()).unwrap().get_version_num(), 7);
    }

    #[test]
    fn reads_a_traceparent_or_nothing() {
        let good = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        let trace = TraceParent::parse(good.as_bytes()).unwrap();
        assert_eq!(trace.trace_id(), "4bf92f3577b34da6a3ce929d0e0e4736");
        for bad in [
            "",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-x",
        ] {
            assert!(TraceParent::parse(bad.as_bytes()).is_none(), "{bad}");
        }
    }

    #[test]
    fn is_current_while_its_work_runs_and_not_after() {
        let context = Arc::new(RequestContext::of_nobody());
        let id = |current: Option<&RequestContext>| current.map(|context| context.id.clone());
        assert_eq!(RequestContext::with_current(id), None);
        context.enter(|| {
            assert_eq!(
                RequestContext::with_current(id).as_ref(),
                Some(context.id())
            )
        });
        let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            context.enter(|| panic!("on purpose"))
        }));
        assert!(panicked.is_err());
        assert_eq!(RequestContext::with_current(id), None);
    }
}
