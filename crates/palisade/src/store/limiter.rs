//! Limits by key: the words, whoever counts.

use std::fmt;
use std::future::Future;
use std::hash::{Hash, Hasher};
use std::net::{IpAddr, Ipv6Addr};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use uuid::Uuid;

use crate::config::Rate;

/// Makes limits; one process counts for itself by [`LocalLimiter`](super::LocalLimiter), several could share a store.
pub trait Limiter: fmt::Debug + Send + Sync {
    /// The limit of this name; two of one name share their counts.
    fn limit(&self, name: &str, rate: Rate) -> Arc<dyn Limit>;
}

/// One limit: a rate, counted for each key alone.
pub trait Limit: fmt::Debug + Send + Sync {
    /// Counts one more for this key, unless that would be too many.
    fn check(&self, key: LimitKey) -> Checked<'_>;
}

/// A decision, at hand or on its way.
pub enum Checked<'a> {
    /// It was counted here.
    Now(Decision),
    /// It is counted elsewhere.
    Later(Pin<Box<dyn Future<Output = Decision> + Send + 'a>>),
}

impl Checked<'_> {
    /// The decision.
    pub async fn decision(self) -> Decision {
        match self {
            Self::Now(decision) => decision,
            Self::Later(decision) => decision.await,
        }
    }
}

impl fmt::Debug for Checked<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Now(decision) => f.debug_tuple("Now").field(decision).finish(),
            Self::Later(_) => f.write_str("Later"),
        }
    }
}

/// What a limit says of one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decision {
    /// How many more may follow at once.
    pub remaining: u32,
    /// How long until all of them may again.
    pub reset: Duration,
    /// How long this one has to wait; `None` when it was counted and may go on.
    pub wait: Option<Duration>,
}

/// Whose requests are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LimitKey {
    /// A client's address; an IPv6 client is its /64, since one household or server has that many addresses.
    Client(IpAddr),
    /// An account.
    Account(Uuid),
    /// An API key.
    ApiKey(Uuid),
}

impl LimitKey {
    /// The key of the client at this address.
    #[must_use]
    pub fn client(address: IpAddr) -> Self {
        Self::Client(match address.to_canonical() {
            IpAddr::V6(address) => {
                let [a, b, c, d, ..] = address.segments();
                Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
            }
            address => address,
        })
    }
}

impl Hash for LimitKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        match self {
            Self::Client(IpAddr::V4(address)) => state.write_u32(address.to_bits()),
            Self::Client(IpAddr::V6(address)) => state.write_u128(address.to_bits()),
            Self::Account(id) => state.write_u128(!id.as_u128()),
            // An id of its own random bits: no account has it too.
            Self::ApiKey(id) => state.write_u128(id.as_u128().rotate_left(64)),
        }
    }
}
