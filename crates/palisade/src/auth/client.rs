//! The client of a request, as accounts need to know it.

use std::net::IpAddr;

use crate::error::Result;
use crate::input::{Argument, Incoming};
use crate::secret::key::Key;
use crate::store::LimitKey;

/// The address that a request came from, through declared proxies alone.
#[derive(Debug, Clone, Copy)]
pub(super) struct Client(pub(super) IpAddr);

impl Argument for Client {
    async fn take(incoming: &mut Incoming) -> Result<Self> {
        Ok(Self(incoming.context().client()))
    }
}

impl Client {
    /// What stands in the database for this client: an IPv6 one is its /64.
    pub(super) fn mark(&self, key: &Key) -> [u8; 32] {
        let LimitKey::Client(address) = LimitKey::client(self.0) else {
            return key.sign(b"no client");
        };
        key.sign(format!("client {address}").as_bytes())
    }
}
