//! The client of a request, as accounts need to know it.

mod agent;

use std::net::IpAddr;

use crate::error::Result;
use crate::input::{Argument, Incoming};
use crate::secret::key::Key;
use crate::store::LimitKey;

pub(super) use agent::Agent;

/// Who sent a request.
#[derive(Debug, Clone, Copy)]
pub(super) struct Client {
    /// Where it came from, through declared proxies alone.
    pub(super) address: IpAddr,
    /// What it calls itself.
    pub(super) agent: Agent,
}

impl Argument for Client {
    async fn take(incoming: &mut Incoming) -> Result<Self> {
        Ok(Self {
            address: incoming.context().client(),
            agent: Agent::of(&incoming.parts().headers),
        })
    }
}

impl Client {
    /// What stands in the database for this client: an IPv6 one is its /64.
    pub(super) fn mark(&self, key: &Key) -> [u8; 32] {
        let LimitKey::Client(address) = LimitKey::client(self.address) else {
            return key.sign(b"no client");
        };
        key.sign(format!("client {address}").as_bytes())
    }
}
