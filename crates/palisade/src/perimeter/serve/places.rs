//! How many connections there may be: in all, and of one address (an IPv6 network of 64 bits counts as one).
//!
//! The memory is bounded: an entry lives as long as a connection of its address, and connections are counted.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::config::TrustedProxies;
use crate::event::{Event, Sampled};

/// Counts connections.
pub(super) struct Places {
    max: u32,
    max_per_address: u32,
    proxies: TrustedProxies,
    counts: Mutex<Counts>,
    refused: Sampled,
}

#[derive(Default)]
struct Counts {
    all: u32,
    addresses: HashMap<u128, u32>,
}

impl Places {
    pub(super) fn new(max: u32, max_per_address: u32, proxies: TrustedProxies) -> Arc<Self> {
        Arc::new(Self {
            max,
            max_per_address,
            proxies,
            counts: Mutex::default(),
            refused: Sampled::default(),
        })
    }

    /// A place for one more connection, of this address if it is to be counted, when there is one.
    pub(super) fn enter(self: &Arc<Self>, address: Option<IpAddr>) -> Option<Place> {
        let mut counts = self.counts();
        if counts.all >= self.max {
            drop(counts);
            self.refuse("max_connections", address);
            return None;
        }
        counts.all += 1;
        drop(counts);
        let mut place = Place {
            of: Arc::clone(self),
            address: None,
        };
        address
            .is_none_or(|address| place.claim(address))
            .then_some(place)
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One event a second tells of all connections that were turned away, and names the last.
    fn refuse(&self, reason: &'static str, address: Option<IpAddr>) {
        if let Some(count) = self.refused.due(reason) {
            let event = Event::ConnectionsRefused { reason, count };
            match address {
                Some(address) => event.emit_of(address),
                None => event.emit(),
            }
        }
    }
}

/// The place of one connection, given back when it is dropped.
pub(super) struct Place {
    of: Arc<Places>,
    address: Option<u128>,
}

impl Place {
    /// Counts it for this address too; `false` when the address has as many as it may.
    pub(super) fn claim(&mut self, address: IpAddr) -> bool {
        // All clients of a proxy come from its address.
        if self.of.proxies.trusts(address) {
            return true;
        }
        let mut counts = self.of.counts();
        let block = block(address);
        let own = counts.addresses.entry(block).or_insert(0);
        if *own >= self.of.max_per_address {
            drop(counts);
            let reason = "max_connections_per_address";
            self.of.refuse(reason, Some(address));
            return false;
        }
        *own += 1;
        drop(counts);
        self.address = Some(block);
        true
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut counts = self.of.counts();
        counts.all -= 1;
        if let Some(block) = self.address
            && let Some(own) = counts.addresses.get_mut(&block)
        {
            *own -= 1;
            if *own == 0 {
                counts.addresses.remove(&block);
            }
        }
    }
}

/// What counts as one client: an IPv4 address, or the /64 that an IPv6 client can choose from at will.
fn block(address: IpAddr) -> u128 {
    match address.to_canonical() {
        IpAddr::V4(address) => u128::from(address.to_bits()),
        IpAddr::V6(address) => address.to_bits() >> 64 << 64,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(all: u32, each: u32) -> Arc<Places> {
        Places::new(all, each, TrustedProxies::default())
    }

    #[test]
    fn gives_no_more_places_than_there_are_and_takes_them_back() {
        let places = of(2, 2);
        let first = places.enter(None);
        let second = places.enter(None);
        assert!(first.is_some() && second.is_some() && places.enter(None).is_none());
        drop(first);
        assert!(places.enter(None).is_some());
    }

    #[test]
    fn counts_an_ipv6_network_as_one_client() {
        let places = of(10, 1);
        let claim = |address: &str| places.enter(Some(address.parse().expect("an address")));
        let first = claim("2001:db8:0:1::1");
        assert!(first.is_some() && claim("2001:db8:0:1:ffff::2").is_none());
        let (second, third) = (claim("2001:db8:0:2::1"), claim("192.0.2.1"));
        assert!(second.is_some() && third.is_some());
        assert!(claim("::ffff:192.0.2.1").is_none());
        drop((first, second, third));
        assert!(places.counts().addresses.is_empty() && places.counts().all == 0);
    }
}
