//! Limits of one process: GCRA by governor, each counted in a table of its own and of fixed size.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::fmt;
use std::hash::BuildHasher as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use governor::clock::{Clock as _, DefaultClock};
use governor::middleware::StateInformationMiddleware;
use governor::nanos::Nanos;
use governor::state::StateStore;
use governor::{Quota, RateLimiter};

use super::limiter::{Checked, Decision, Limit, LimitKey, Limiter};
use crate::config::Rate;

/// Places in a set: what one cache line holds.
const WAYS: usize = 4;
/// Sets of a table: 16,384 places, 256 KiB when all of it is there.
const SETS: usize = 4 * 1024;
/// Sets that come to be together.
const PAGE: usize = 64;

/// Counts in this process alone.
///
/// # Security
/// Memory is bounded, however many addresses come: each limit has a table of 16,384 places, made as they are needed, where a keyed
/// hash that a client cannot aim finds the place. When more clients than that are counted at once, the one that would be let in first in its
/// set of four makes room. So a flood of new addresses frees nobody who is held back: under another limit never, and under the same one
/// only where the limit is once in its time.
#[derive(Debug, Default)]
pub struct LocalLimiter {
    limits: Mutex<HashMap<String, Arc<LocalLimit>>>,
    clock: DefaultClock,
}

impl Limiter for LocalLimiter {
    fn limit(&self, name: &str, rate: Rate) -> Arc<dyn Limit> {
        let mut limits = self.limits.lock().unwrap_or_else(PoisonError::into_inner);
        let limit = limits.entry(name.to_owned()).or_insert_with(|| {
            let table = Shared(Arc::default());
            Arc::new(LocalLimit {
                hasher: RandomState::new(),
                limiter: RateLimiter::new(quota(rate), table, self.clock.clone()),
                rate,
            })
        });
        Arc::clone(limit) as Arc<dyn Limit>
    }
}

/// The whole count at once, coming back evenly over the window.
pub(crate) fn quota(rate: Rate) -> Quota {
    let count = std::num::NonZeroU32::new(rate.count()).unwrap_or(std::num::NonZeroU32::MIN);
    let each = (rate.window() / rate.count()).max(Duration::from_nanos(1));
    Quota::with_period(each)
        .unwrap_or_else(|| Quota::per_second(count))
        .allow_burst(count)
}

struct LocalLimit {
    rate: Rate,
    hasher: RandomState,
    limiter: RateLimiter<u64, Shared, DefaultClock, StateInformationMiddleware>,
}

impl fmt::Debug for LocalLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalLimit")
            .field("rate", &self.rate)
            .finish_non_exhaustive()
    }
}

impl Limit for LocalLimit {
    fn check(&self, key: LimitKey) -> Checked<'_> {
        let key = self.hasher.hash_one(key);
        let each = self.rate.window() / self.rate.count();
        Checked::Now(match self.limiter.check_key(&key) {
            Ok(snapshot) => {
                let remaining = snapshot.remaining_burst_capacity();
                Decision {
                    remaining,
                    reset: each * (self.rate.count() - remaining.min(self.rate.count())),
                    wait: None,
                }
            }
            Err(until) => Decision {
                remaining: 0,
                reset: self.rate.window(),
                wait: Some(until.wait_time_from(self.limiter.clock().now())),
            },
        })
    }
}

/// Sets of places: each a key's hash and its theoretical arrival time (0: never).
struct Table([OnceLock<Box<[Set; PAGE]>>; SETS / PAGE]);

#[derive(Default)]
#[repr(align(64))]
struct Set {
    keys: [AtomicU64; WAYS],
    times: [AtomicU64; WAYS],
}

impl Default for Table {
    fn default() -> Self {
        Self(std::array::from_fn(|_| OnceLock::new()))
    }
}

impl fmt::Debug for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Table")
    }
}

impl Table {
    /// The place of this key; a key that is new takes an empty one, or that of the key with the earliest arrival time.
    ///
    /// Two threads that bring in one new key at the same instant may give it two places, and so one request more.
    fn place(&self, key: u64) -> &AtomicU64 {
        let (page, set) = (key as usize % SETS / PAGE, key as usize % PAGE);
        let new = || Box::new(std::array::from_fn(|_| Set::default()));
        let set = &self.0[page].get_or_init(new)[set];
        // 0 means empty.
        let key = key | 1;
        if let Some(at) = (0..WAYS).find(|at| set.keys[*at].load(Ordering::Acquire) == key) {
            return &set.times[at];
        }
        let earliest = (0..WAYS)
            .min_by_key(|at| set.times[*at].load(Ordering::Relaxed))
            .unwrap_or_default();
        set.times[earliest].store(0, Ordering::Relaxed);
        set.keys[earliest].store(key, Ordering::Release);
        &set.times[earliest]
    }
}

#[derive(Debug, Clone)]
struct Shared(Arc<Table>);

impl StateStore for Shared {
    type Key = u64;

    fn measure_and_replace<T, F, E>(&self, key: &u64, decide: F) -> Result<T, E>
    where
        F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    {
        let place = self.0.place(*key);
        let mut before = place.load(Ordering::Acquire);
        loop {
            let (outcome, after) = decide((before != 0).then(|| Nanos::new(before)))?;
            match place.compare_exchange_weak(
                before,
                after.as_u64(),
                Ordering::Release,
                Ordering::Relaxed,
            ) {
                Ok(_) => return Ok(outcome),
                Err(now) => before = now,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decide(limit: &Arc<dyn Limit>, key: LimitKey) -> Decision {
        match limit.check(key) {
            Checked::Now(decision) => decision,
            Checked::Later(_) => unreachable!("a local limit decides at once"),
        }
    }

    fn client(address: &str) -> LimitKey {
        LimitKey::client(address.parse().unwrap())
    }

    #[test]
    fn lets_the_count_through_and_tells_a_true_wait() {
        let limiter = LocalLimiter::default();
        let limit = limiter.limit("test", Rate::parse("3/h").unwrap());
        for left in [2, 1, 0] {
            let decision = decide(&limit, client("192.0.2.1"));
            assert_eq!((decision.remaining, decision.wait), (left, None));
        }
        let wait = decide(&limit, client("192.0.2.1")).wait.unwrap();
        assert!(
            wait > Duration::from_secs(1190) && wait <= Duration::from_secs(1200),
            "{wait:?}"
        );
        assert_eq!(
            decide(&limit, client("192.0.2.2")).wait,
            None,
            "another client"
        );
        let other = limiter.limit("other", Rate::parse("3/h").unwrap());
        assert_eq!(
            decide(&other, client("192.0.2.1")).wait,
            None,
            "another limit"
        );
    }

    #[test]
    fn counts_an_ipv6_client_by_its_network() {
        assert_eq!(client("2001:db8::1"), client("2001:db8::ffff:2"));
        assert_ne!(client("2001:db8::1"), client("2001:db8:0:1::1"));
        assert_eq!(client("::ffff:192.0.2.1"), client("192.0.2.1"));
    }

    #[test]
    fn holds_a_client_back_through_a_flood_of_others() {
        let limiter = LocalLimiter::default();
        let limit = limiter.limit("test", Rate::parse("100/h").unwrap());
        let held = client("192.0.2.1");
        while decide(&limit, held).wait.is_none() {}
        for number in 0..1_000_000_u128 {
            let address = std::net::Ipv6Addr::from(number << 64);
            decide(&limit, LimitKey::client(address.into()));
        }
        assert!(decide(&limit, held).wait.is_some());
        assert_eq!(SETS / PAGE * size_of::<[Set; PAGE]>(), 256 * 1024);
    }

    #[test]
    fn a_flood_of_one_limit_frees_nobody_who_is_held_back_under_another() {
        let limiter = LocalLimiter::default();
        // An hour's window ends before all that the flood brings in does.
        let (short, long) = (
            limiter.limit("short", Rate::parse("5/h").unwrap()),
            limiter.limit("long", Rate::parse("1/day").unwrap()),
        );
        let held: Vec<LimitKey> = (0..100)
            .map(|number| client(&format!("192.0.2.{number}")))
            .collect();
        for key in &held {
            while decide(&short, *key).wait.is_none() {}
        }
        for number in 0..300_000_u128 {
            let address = std::net::Ipv6Addr::from(number << 64);
            decide(&long, LimitKey::client(address.into()));
        }
        let free = held
            .iter()
            .filter(|key| decide(&short, **key).wait.is_none());
        assert_eq!(free.count(), 0);
    }

    #[test]
    fn counts_right_from_many_threads() {
        let limiter = LocalLimiter::default();
        let limit = limiter.limit("test", Rate::parse("1000/day").unwrap());
        decide(&limit, client("192.0.2.9"));
        let passed: usize = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8)
                .map(|_| {
                    let try_them = || {
                        let passes = |_: &usize| decide(&limit, client("192.0.2.9")).wait.is_none();
                        (0..500).filter(passes).count()
                    };
                    scope.spawn(try_them)
                })
                .collect();
            threads
                .into_iter()
                .map(|thread| thread.join().unwrap())
                .sum()
        });
        assert_eq!(passed, 999);
    }
}
