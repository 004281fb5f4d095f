//! Where metrics and the state of health are told: the table `[metrics]`.

use std::net::SocketAddr;

use super::setting::{Raw, Setting, Wrong};

/// The settings of the management listener; without `listen` there is none.
#[palisade_macros::settings]
#[non_exhaustive]
pub struct MetricsConfig {
    /// The address of `/metrics`, `/livez` and `/readyz`, apart from the app's own.
    pub listen: Option<SocketAddr>,
    /// Whether it may be an address that other machines reach.
    #[setting(default = false)]
    pub allow_remote: bool,
}

impl Setting for SocketAddr {
    fn read(raw: Raw<'_>) -> Result<Self, Wrong> {
        let text = raw.text().ok().map(str::trim).unwrap_or_default();
        let address = text.parse().ok();
        address
            .filter(|address: &Self| address.port() != 0)
            .ok_or(Wrong::new(
                "is not an IP address with a port",
                "write both, such as \"127.0.0.1:9464\"",
            ))
    }
}
