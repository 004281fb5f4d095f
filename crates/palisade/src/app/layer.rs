//! Where an app's own tower layers stand.
//!
//! The bounds name types of axum and tower, so this module may change with them in a minor version.

use std::convert::Infallible;

use axum::Router;
use axum::extract::Request;
use axum::response::IntoResponse;
use axum::routing::Route;
use tower::{Layer, Service};

use super::build::App;

/// Where a layer stands: always inside the perimeter, so that none can weaken it.
///
/// What a layer sees was let in: its host, its origin, its client's limit, the load. What a layer answers gets the headers of every
/// answer; its time and its panics are the request's. A layer can refuse more, and can change what a handler sees or says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Stage {
    /// Around the routes, and around what answers when there is none (404, 405).
    Admitted,
    /// Around the handler of the route that matched.
    Matched,
}

pub(super) type Wrap = Box<dyn FnOnce(Router) -> Router + Send>;

impl App {
    /// Adds a tower layer, such as one of `tower-http`, at this stage; the first that is added at a stage stands outermost.
    ///
    /// # Security
    /// A layer sees the request as it came, credentials included, and what it reads of a body is bounded by nothing but itself. It cannot
    /// take a header of [every answer](crate::perimeter) away.
    ///
    /// # Example
    /// ```
    /// use palisade::app::{App, Stage};
    /// use tower_http::compression::CompressionLayer;
    ///
    /// fn compressed(app: App) -> App {
    ///     app.layer_at(Stage::Admitted, CompressionLayer::new())
    /// }
    /// ```
    #[must_use]
    pub fn layer_at<L>(mut self, stage: Stage, layer: L) -> Self
    where
        L: Layer<Route> + Clone + Send + Sync + 'static,
        L::Service: Service<Request> + Clone + Send + Sync + 'static,
        <L::Service as Service<Request>>::Response: IntoResponse + 'static,
        <L::Service as Service<Request>>::Error: Into<Infallible> + 'static,
        <L::Service as Service<Request>>::Future: Send + 'static,
    {
        let wrap: Wrap = Box::new(move |router| match stage {
            Stage::Admitted => router.layer(layer),
            Stage::Matched => router.route_layer(layer),
        });
        self.layers.push((stage, wrap));
        self
    }
}

/// Puts the layers around the router, those of the inner stage first, the last added of each stage first.
pub(super) fn wrap(mut router: Router, mut layers: Vec<(Stage, Wrap)>) -> Router {
    layers.reverse();
    layers.sort_by_key(|(stage, _)| std::cmp::Reverse(*stage));
    for (_, wrap) in layers {
        router = wrap(router);
    }
    router
}
