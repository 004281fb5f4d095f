//! The management listener: metrics and the state of health, on an address of their own.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::body::Body;
use http::{HeaderValue, Response, header};
use tokio::net::TcpListener;

use super::health::{Readiness, livez, readyz};
use super::router::router;
use crate::access::Public;
use crate::config::{Config, CorsConfig, Origins, Problem, Rate, TrustedProxies};
use crate::db::Db;
use crate::endpoint::Route;
use crate::error::Result;
use crate::event::metrics::{Metrics, Page};
use crate::input::{Service, Services};
use crate::output::Reply;
use crate::perimeter::{Load, Perimeter, Serving};
use crate::store::Limiter;
use palisade_macros::{get, routes};

/// The name and the version of the app's package.
#[derive(Debug, Clone, Copy)]
pub struct Package {
    /// Its name.
    pub name: &'static str,
    /// Its version.
    pub version: &'static str,
}

/// Everything that a page of metrics is made from.
#[derive(Clone)]
pub(super) struct Sources {
    pub(super) metrics: Arc<Metrics>,
    pub(super) load: Arc<Load>,
    pub(super) db: Db,
    pub(super) package: Package,
}

impl Sources {
    fn page(&self) -> String {
        let mut page = Page::default();
        page.gauge(
            "palisade_build_info",
            "What runs: the app's package and palisade, by version; always 1.",
        )
        .value(
            &[
                ("app", self.package.name),
                ("version", self.package.version),
                ("palisade", env!("CARGO_PKG_VERSION")),
            ],
            1,
        );
        self.metrics.write(&mut page);
        self.load.write(&mut page);
        self.db.write(&mut page);
        page.into_text()
    }
}

struct Text(String);

impl Reply for Text {
    fn reply(self) -> Result<Response<Body>> {
        let mut response = Response::new(Body::from(self.0));
        let kind = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
        response.headers_mut().insert(header::CONTENT_TYPE, kind);
        Ok(response)
    }
}

#[get("/metrics")]
async fn metrics(_: Public, sources: Service<Sources>) -> Result<Text> {
    let sources = (*sources).clone();
    // The system is asked as well, and a folder of open files may be long.
    Ok(Text(
        tokio::task::spawn_blocking(move || sources.page()).await?,
    ))
}

/// What is served there, on an open port.
pub(super) type Opened = (TcpListener, Perimeter, Serving);

/// A service beside the service, behind a perimeter of its own.
#[derive(Debug)]
pub(super) struct Management {
    address: SocketAddr,
    perimeter: Perimeter,
    serving: Serving,
}

impl Management {
    /// The one that the settings ask for.
    pub(super) fn new(
        address: SocketAddr,
        config: &Config,
        limiter: &dyn Limiter,
        sources: Sources,
        readiness: Readiness,
    ) -> Self {
        let mut services = Services::default();
        services.insert(sources);
        services.insert(readiness);
        let routes: Vec<Route> = routes![metrics, livez, readyz].into_iter().collect();
        let config = own(config);
        let router = router(&routes, &config, limiter, &Arc::new(services));
        Self {
            address,
            perimeter: Perimeter::new(&config, &routes, router, false),
            serving: Serving::new(&config, None),
        }
    }

    /// Opens its port.
    ///
    /// # Errors
    /// When it is taken or not allowed.
    pub(super) async fn open(self) -> Result<Opened, Problem> {
        match TcpListener::bind(self.address).await {
            Ok(listener) => Ok((listener, self.perimeter, self.serving)),
            Err(error) => Err(cannot_listen(self.address, &error)),
        }
    }
}

/// The app's settings, but for those that are about its clients.
fn own(config: &Config) -> Config {
    let mut config = config.clone();
    config.allowed_hosts = config.allowed_hosts.and_addresses();
    // Scrapers and probes come straight.
    config.trusted_proxies = TrustedProxies::default();
    config.serve.proxy_protocol = None;
    config.cors = CorsConfig {
        origins: Origins::default(),
        ..config.cors
    };
    if let Some(rate) = Rate::parse("600/min") {
        config.limits.client = rate;
    }
    config
}

fn cannot_listen(address: SocketAddr, error: &std::io::Error) -> Problem {
    let (what, fix) = match error.kind() {
        std::io::ErrorKind::AddrInUse => (
            "is taken by another program",
            "stop that program, or choose another port",
        ),
        std::io::ErrorKind::PermissionDenied => (
            "is not allowed to this user",
            "choose a port of 1024 or above",
        ),
        std::io::ErrorKind::AddrNotAvailable => (
            "is not an address of this machine",
            "choose an address of this machine, such as 127.0.0.1",
        ),
        _ => ("cannot be listened on", "choose another address or port"),
    };
    Problem::new(format!("{address} {what}"), "metrics.listen", fix)
}
