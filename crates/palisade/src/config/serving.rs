//! The settings of serving: the table `[serve]`.

use std::time::Duration;

/// The settings of connections: the table `[serve]`.
#[palisade_macros::settings]
#[non_exhaustive]
pub struct ServeConfig {
    /// How long requests are still taken, while `/readyz` tells balancers to send no more, when the service stops.
    #[setting(default = "0s", range = "0s"..="5m")]
    pub drain_delay: Duration,
}
