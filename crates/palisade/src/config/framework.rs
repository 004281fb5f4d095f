//! The framework's own settings.

use std::time::Duration;

use super::auth::AuthConfig;
use super::limits::{CorsConfig, LimitsConfig};
use super::mail::MailConfig;
use super::metrics::MetricsConfig;
use super::network::{AllowedHosts, ProxyHeader, TrustedProxies};
use super::serving::{Host, ServeConfig, TlsConfig};
use super::setting::{Raw, Setting, Wrong};
use super::values::Size;
use crate::secret::Secret;
use crate::secret::key::Key;

/// Where the service runs, which decides how strict a start is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Environment {
    /// A developer's machine: `.env` is read, the terminal may show causes.
    Development,
    /// Everything else, and what a forgotten variable means.
    Production,
}

impl Setting for Environment {
    fn read(raw: Raw<'_>) -> Result<Self, Wrong> {
        match raw.text()? {
            "development" => Ok(Self::Development),
            "production" => Ok(Self::Production),
            _ => Err(Wrong::new(
                "is neither `development` nor `production`",
                "write one of the two; without it a service is in production",
            )),
        }
    }
}

/// The directives that choose what is logged, such as `info,my_app=debug`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogFilter(String);

impl LogFilter {
    /// The directives, as `tracing_subscriber::EnvFilter` reads them.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Setting for LogFilter {
    fn read(raw: Raw<'_>) -> Result<Self, Wrong> {
        let text = raw.text()?;
        tracing_subscriber::EnvFilter::try_new(text)
            .map(|_| Self(text.to_owned()))
            .map_err(|_| {
                Wrong::new(
                    "is not a log filter",
                    "write a level, or levels by module, such as info,my_app=debug",
                )
            })
    }
}

/// The framework's settings; `docs/configuration.md` lists every key, its variable, default and limits.
#[palisade_macros::settings]
#[non_exhaustive]
pub struct Config {
    /// Where the service runs.
    #[setting(default = "production")]
    pub env: Environment,
    /// The database: `sqlite://…` or `postgres://…`.
    pub database_url: Secret<String>,
    /// The address or the Unix socket to listen on.
    #[setting(default = "127.0.0.1")]
    pub host: Host,
    /// The port to listen on.
    #[setting(default = 3000, range = 1..=65535)]
    pub port: u16,
    /// The key that all others are derived from.
    pub secret_key: Key,
    /// The key before this one, while what it signed is still accepted.
    pub secret_key_previous: Option<Key>,
    /// The names that requests may ask for.
    pub allowed_hosts: AllowedHosts,
    /// The proxies that are believed.
    pub trusted_proxies: TrustedProxies,
    /// Which header they write the client's address into.
    #[setting(default = "x-forwarded-for")]
    pub proxy_header: ProxyHeader,
    /// The largest body of a request, where a route says nothing else.
    #[setting(default = "64 KiB", range = "1 KiB"..="16 MiB")]
    pub body_limit: Size,
    /// How long a handler may take.
    #[setting(default = "10s", range = "100ms"..="5m")]
    pub handler_timeout: Duration,
    /// How long the answer of an idempotent request is kept for whoever asks again.
    #[setting(default = "24h", range = "1h"..="30d")]
    pub idempotency_lifetime: Duration,
    /// What is logged.
    #[setting(default = "info")]
    pub log: LogFilter,
    /// How often, how many and how fast.
    pub limits: LimitsConfig,
    /// Which pages of other origins may call.
    pub cors: CorsConfig,
    /// Where metrics are told.
    pub metrics: MetricsConfig,
    /// Accounts and access tokens.
    pub auth: AuthConfig,
    /// How mail leaves.
    pub mail: MailConfig,
    /// Connections and their limits.
    pub serve: ServeConfig,
    /// TLS, when this process ends it.
    pub tls: Option<TlsConfig>,
}
