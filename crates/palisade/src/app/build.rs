//! An app as its author puts it together, with everything that is wrong with it.

use std::any::TypeId;
use std::collections::HashSet;

use super::health::{Readiness, livez, readyz};
use super::layer::{Stage, Wrap};
use super::management::Package;
use super::router::limit_of;
use crate::access::Role;
use crate::auth::Accounts;
use crate::config::{Config, Problem, Refusal, Settings, Sources, load};
use crate::db::{Db, Migrations, ReadDb};
use crate::endpoint::{Route, Routes};
use crate::input::{ServiceType, Services};

/// An app: settings, routes, services, migrations and roles.
///
/// # Example
/// ```no_run
/// use palisade::prelude::*;
///
/// #[settings]
/// struct Settings {}
///
/// #[palisade::main]
/// async fn main() -> Result<App, Refusal> {
///     App::from_env::<Settings>()?.routes(auth::routes()).build()
/// }
/// ```
pub struct App {
    pub(super) config: Option<Config>,
    pub(super) routes: Vec<Route>,
    pub(super) services: Services,
    pub(super) migrations: Option<Migrations>,
    pub(super) roles: Vec<Role>,
    pub(super) notices: Vec<String>,
    pub(super) layers: Vec<(Stage, Wrap)>,
    pub(super) package: Package,
    refusal: Refusal,
}

impl std::fmt::Debug for App {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("App")
            .field("routes", &self.routes.len())
            .finish_non_exhaustive()
    }
}

impl App {
    /// Reads the settings of the framework and of the app from `palisade.toml`, the environment and, in development, `.env`.
    ///
    /// Settings that are wrong are told by [`build`](Self::build), together with everything else that is.
    ///
    /// # Errors
    /// None now; the `?` leaves room for what cannot wait.
    pub fn from_env<S: Settings>() -> Result<Self, Refusal> {
        Self::from_sources::<S>(&Sources::of_process())
    }

    /// The same with the sources named, for tests.
    ///
    /// # Errors
    /// None now.
    pub fn from_sources<S: Settings>(sources: &Sources) -> Result<Self, Refusal> {
        let loaded = load::<S>(sources);
        let mut services = Services::default();
        if let Some(settings) = loaded.settings {
            services.insert(settings);
        }
        Ok(Self {
            config: loaded.config,
            routes: palisade_macros::routes![livez, readyz]
                .into_iter()
                .collect(),
            services,
            migrations: None,
            roles: Vec::new(),
            notices: loaded.notices,
            layers: Vec::new(),
            package: Package {
                name: "",
                version: "",
            },
            refusal: loaded.refusal,
        })
    }

    /// Adds routes.
    #[must_use]
    pub fn routes(mut self, routes: Routes) -> Self {
        self.routes.extend(routes);
        self
    }

    /// Provides a service to the handlers that take `Service<T>`.
    #[must_use]
    pub fn provide<T: Clone + Send + Sync + 'static>(mut self, service: T) -> Self {
        self.services.insert(service);
        self
    }

    /// The app's migrations: `.migrations(migrations!("migrations"))`.
    #[must_use]
    pub fn migrations(mut self, migrations: Migrations) -> Self {
        self.migrations = Some(migrations);
        self
    }

    /// Adds a role that accounts may have.
    #[must_use]
    pub fn role(mut self, role: Role) -> Self {
        self.roles.push(role);
        self
    }

    /// Checks what can be checked without the database.
    ///
    /// # Errors
    /// Every problem at once: settings, routes that clash, services that nobody provided, permissions that no role carries.
    pub fn build(mut self) -> Result<Self, Refusal> {
        let mut refusal = std::mem::take(&mut self.refusal);
        self.show_mail();
        self.check_mail(&mut refusal);
        self.check_routes(&mut refusal);
        self.check_services(&mut refusal);
        self.check_roles(&mut refusal);
        self.check_limits(&mut refusal);
        self.notice_exports();
        refusal.or(self)
    }

    fn check_routes(&self, refusal: &mut Refusal) {
        let mut seen: Vec<(&Route, String)> = Vec::new();
        for route in &self.routes {
            let shape = shape(route.path);
            for (other, _) in seen.iter().filter(|(_, other)| *other == shape) {
                if other.method == route.method {
                    refusal.add(Problem::new(
                        format!("two handlers answer {} {}: `{}` and `{}`", route.method, route.path, other.name, route.name),
                        place(route),
                        format!("give one of them another path, or take it out of `routes!` (the other stands at {})", place(other)),
                    ));
                } else if other.path != route.path {
                    refusal.add(Problem::new(
                        format!(
                            "{} and {} name the same parameter differently",
                            other.path, route.path
                        ),
                        place(route),
                        "name it alike in both paths".to_owned(),
                    ));
                }
            }
            seen.push((route, shape));
        }
    }

    fn check_limits(&self, refusal: &mut Refusal) {
        let Some(config) = &self.config else { return };
        for route in &self.routes {
            if let Err(class) = limit_of(route, config) {
                let known: Vec<&str> = config.limits.classes.names().collect();
                let known = match known.as_slice() {
                    [] => "it names none".to_owned(),
                    names => format!("it names {}", names.join(", ")),
                };
                refusal.add(Problem::new(
                    format!(
                        "the handler `{}` has the limit `{class}`, which the configuration does not name ({known})",
                        route.name
                    ),
                    place(route),
                    format!("add it to `palisade.toml`, such as limits.classes = [\"{class}=60/min\"], or write a rate in the handler's attribute"),
                ));
            }
        }
    }

    fn check_services(&self, refusal: &mut Refusal) {
        let own = [TypeId::of::<Readiness>()];
        let mut told = HashSet::new();
        for route in &self.routes {
            for service in route
                .arguments
                .iter()
                .filter_map(|argument| argument.service)
            {
                if !self.services.has((service.id)())
                    && !own.contains(&(service.id)())
                    && told.insert((service.id)())
                {
                    refusal.add(Problem::new(
                        format!(
                            "the handler `{}` needs the service `{}`, which nobody provides",
                            route.name,
                            (service.name)()
                        ),
                        place(route),
                        cure(service),
                    ));
                }
            }
        }
    }
}

/// What is always there is an argument of its own.
fn cure(service: ServiceType) -> String {
    let id = (service.id)();
    if id == TypeId::of::<Db>() || id == TypeId::of::<ReadDb>() {
        "take the database itself: `db: Db`, or `db: ReadDb` in a `#[get]` handler, which has no way to write".to_owned()
    } else if id == TypeId::of::<Accounts>() {
        "take the accounts themselves: `accounts: Accounts`, in a handler that is no `#[get]`"
            .to_owned()
    } else {
        let name = (service.name)();
        format!("add `.provide(…)` with a `{name}` where the app is built")
    }
}

pub(super) fn place(route: &Route) -> String {
    format!("{}:{}", route.file, route.line)
}

/// The path with its parameters' names taken out: `/notes/{}`.
fn shape(path: &str) -> String {
    let segments = path.split('/').map(|segment| {
        if segment.starts_with('{') {
            "{}"
        } else {
            segment
        }
    });
    segments.collect::<Vec<_>>().join("/")
}
