//! What is counted: requests, refusals, events, connections; a page of it for Prometheus.
//!
//! The counters are plain atomics, and the text is written here. The usual crates (`metrics` and its Prometheus exporter) bring ten
//! more crates, and keep every latency as a sample until somebody reads it: 325 MB after 20 million requests that nobody scraped, and
//! some 250 instructions each, where all that is counted of a request here takes 42. What is known at start needs none of that.
//!
//! # Security
//! Label values are words of the code: patterns of the route table, methods, kinds of problems, names of events and limits. Nothing
//! that a client chose becomes one, so a client can neither write into the page nor make it grow.

mod histogram;
mod page;
mod process;
mod tally;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime};

pub(crate) use page::Page;
pub(crate) use process::most_open_files;

use histogram::Histogram;
use tally::Tally;

use super::{Event, dropped_lines};
use crate::error::{Error, Kind};

/// Events are of the process, as its log is; so are the limits that were reached.
static EVENTS: [AtomicU64; Event::NAMES.len()] = [const { AtomicU64::new(0) }; _];
static LIMITS: Tally<&'static str> = Tally::new();
static STARTED: OnceLock<SystemTime> = OnceLock::new();

/// Methods of requests that met no route; what else there is counts as `other`.
const METHODS: [&str; 8] = [
    "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "other",
];
/// What such a request has instead of a route.
const NO_ROUTE: &str = "(none)";
const CLASSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];

/// Counts what happened; gives how often it had before.
pub(super) fn count(event: &Event) -> u64 {
    let times = match *event {
        Event::RateLimited { limit } => {
            LIMITS.add(limit);
            1
        }
        // One event tells of many.
        Event::ConnectionsRefused { count, .. } | Event::ProxyHeaderRefused { count, .. } => count,
        _ => 1,
    };
    EVENTS[event.place()].fetch_add(times, Ordering::Relaxed)
}

/// How often an event of this kind happened.
#[cfg(test)]
pub(crate) fn count_of(event: &Event) -> u64 {
    EVENTS[event.place()].load(Ordering::Relaxed)
}

/// What is counted of one app's requests.
#[derive(Debug)]
pub(crate) struct Metrics {
    /// One for each entry of the route table, in its order, then one for each of `METHODS`.
    routes: Box<[Meter]>,
    refusals: Tally<(u16, &'static str)>,
    connections: AtomicU64,
    closed: AtomicU64,
}

#[derive(Debug)]
struct Meter {
    method: &'static str,
    route: &'static str,
    classes: [AtomicU64; CLASSES.len()],
    took: Histogram,
}

impl Meter {
    fn new(method: &'static str, route: &'static str) -> Self {
        Self {
            method,
            route,
            classes: Default::default(),
            took: Histogram::default(),
        }
    }

    /// Routes are there from the start, so that a first request shows as a change; what met none is there once it came.
    fn shows(&self) -> bool {
        let asked = |class: &AtomicU64| class.load(Ordering::Relaxed) > 0;
        self.route != NO_ROUTE || self.classes.iter().any(asked)
    }
}

impl Metrics {
    /// For these routes (method and path) and limits.
    pub(crate) fn new(
        routes: impl Iterator<Item = (&'static str, &'static str)>,
        limits: impl Iterator<Item = &'static str>,
    ) -> Self {
        STARTED.get_or_init(SystemTime::now);
        limits.for_each(|limit| LIMITS.know(limit));
        let refusals = Tally::new();
        for error in [
            Error::unauthorized(),
            Error::forbidden(),
            Error::too_many_requests(1),
            Error::internal(),
            Error::unavailable(),
            Error::timed_out(),
        ] {
            refusals.know((error.status().as_u16(), error.kind()));
        }
        Self {
            routes: routes
                .chain(METHODS.map(|method| (method, NO_ROUTE)))
                .map(|(method, route)| Meter::new(method, route))
                .collect(),
            refusals,
            connections: AtomicU64::new(0),
            closed: AtomicU64::new(0),
        }
    }

    /// A request was answered: by the route of this number, or by none.
    pub(crate) fn answered(&self, route: Option<usize>, method: &str, status: u16, took: Duration) {
        let table = self.routes.len() - METHODS.len();
        let number = route.filter(|number| *number < table).unwrap_or_else(|| {
            let known = METHODS.iter().position(|known| *known == method);
            table + known.unwrap_or(METHODS.len() - 1)
        });
        let meter = &self.routes[number];
        let class = usize::from(status / 100).clamp(1, CLASSES.len()) - 1;
        meter.classes[class].fetch_add(1, Ordering::Relaxed);
        meter.took.observe(took);
    }

    /// The answer was a problem.
    pub(crate) fn refused(&self, status: u16, kind: Option<&Kind>) {
        self.refusals
            .add((status, kind.map_or("other", |kind| kind.0)));
    }

    /// A connection was made; it counts as open until the value is dropped.
    pub(crate) fn connected(self: &Arc<Self>) -> Connected {
        self.connections.fetch_add(1, Ordering::Relaxed);
        Connected(Arc::clone(self))
    }

    /// Writes everything that this room knows.
    pub(crate) fn write(&self, page: &mut Page) {
        self.write_requests(page);
        self.write_connections(page);
        write_events(page);
        process::write(page, STARTED.get().copied());
    }

    fn write_requests(&self, page: &mut Page) {
        let meters = || self.routes.iter().filter(|meter| meter.shows());
        let mut requests = page.counter(
            "palisade_requests_total",
            "Requests that were answered, by method, route and class of the status; 4xx counts clients that went away before.",
        );
        for meter in meters() {
            for (class, count) in CLASSES.iter().zip(&meter.classes) {
                let count = count.load(Ordering::Relaxed);
                // An interim status is never a last answer.
                if *class != "1xx" || count > 0 {
                    let labels = [
                        ("method", meter.method),
                        ("route", meter.route),
                        ("class", *class),
                    ];
                    requests.value(&labels, count);
                }
            }
        }
        let mut took = page.histogram(
            "palisade_request_duration_seconds",
            "Time from a request's head to its answer's, by method and route.",
        );
        for meter in meters() {
            let labels = [("method", meter.method), ("route", meter.route)];
            meter.took.write(&mut took, &labels);
        }
        let mut refusals = page.counter(
            "palisade_refusals_total",
            "Answers that were problem documents, by status and kind of the problem.",
        );
        for ((status, reason), count) in self.refusals.read() {
            let status = status.to_string();
            refusals.value(&[("status", status.as_str()), ("reason", reason)], count);
        }
        let left = self.refusals.left_out();
        if left > 0 {
            refusals.value(&[("status", "other"), ("reason", "other")], left);
        }
    }

    fn write_connections(&self, page: &mut Page) {
        let closed = self.closed.load(Ordering::Acquire);
        let made = self.connections.load(Ordering::Relaxed);
        page.counter(
            "palisade_connections_total",
            "Connections that were accepted.",
        )
        .value(&[], made);
        page.gauge("palisade_connections", "Connections that are open.")
            .value(&[], made.saturating_sub(closed));
    }
}

fn write_events(page: &mut Page) {
    let mut events = page.counter(
        "palisade_events_total",
        "Security events, by name in OWASP's vocabulary.",
    );
    for (name, count) in Event::NAMES.iter().zip(&EVENTS) {
        events.value(&[("event", name)], count.load(Ordering::Relaxed));
    }
    let mut limits = page.counter(
        "palisade_rate_limited_total",
        "Requests that met a rate limit, by the limit's name.",
    );
    for (limit, count) in LIMITS.read() {
        limits.value(&[("limit", limit)], count);
    }
    if LIMITS.left_out() > 0 {
        limits.value(&[("limit", "other")], LIMITS.left_out());
    }
    let shed = Event::Shed.place();
    page.counter(
        "palisade_requests_shed_total",
        "Requests that were turned away because as many as may be were under way.",
    )
    .value(&[], EVENTS[shed].load(Ordering::Relaxed));
    page.counter(
        "palisade_log_lines_dropped_total",
        "Lines of the log that were dropped because its reader did not keep up.",
    )
    .value(&[], dropped_lines());
}

/// One open connection.
#[derive(Debug)]
pub(crate) struct Connected(Arc<Metrics>);

impl Drop for Connected {
    fn drop(&mut self) {
        self.0.closed.fetch_add(1, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(metrics: &Metrics) -> String {
        let mut page = Page::default();
        metrics.write(&mut page);
        page.into_text()
    }

    fn notes() -> Metrics {
        let routes = [("GET", "/notes/{note}"), ("POST", "/notes")];
        Metrics::new(routes.into_iter(), ["client"].into_iter())
    }

    #[test]
    fn counts_by_route_method_and_class() {
        let metrics = notes();
        let took = Duration::from_millis(3);
        metrics.answered(Some(0), "HEAD", 200, took);
        metrics.answered(Some(1), "POST", 422, took);
        metrics.answered(None, "BREW", 405, took);
        let page = page(&metrics);
        for line in [
            r#"palisade_requests_total{method="GET",route="/notes/{note}",class="2xx"} 1"#,
            r#"palisade_requests_total{method="GET",route="/notes/{note}",class="5xx"} 0"#,
            r#"palisade_requests_total{method="POST",route="/notes",class="4xx"} 1"#,
            r#"palisade_requests_total{method="other",route="(none)",class="4xx"} 1"#,
            r#"palisade_request_duration_seconds_bucket{method="POST",route="/notes",le="0.0025"} 0"#,
            r#"palisade_request_duration_seconds_bucket{method="POST",route="/notes",le="0.005"} 1"#,
            r#"palisade_request_duration_seconds_bucket{method="POST",route="/notes",le="+Inf"} 1"#,
            r#"palisade_request_duration_seconds_sum{method="POST",route="/notes"} 0.003"#,
            r#"palisade_request_duration_seconds_count{method="POST",route="/notes"} 1"#,
        ] {
            assert!(page.lines().any(|own| own == line), "no {line} in\n{page}");
        }
        assert!(!page.contains("BREW") && !page.contains("HEAD"), "{page}");
    }

    #[test]
    fn counts_refusals_by_status_and_kind() {
        let metrics = notes();
        let refused = Error::forbidden().into_response("");
        metrics.refused(403, refused.extensions().get::<Kind>());
        metrics.refused(418, None);
        let page = page(&metrics);
        for line in [
            r#"palisade_refusals_total{status="401",reason="unauthorized"} 0"#,
            r#"palisade_refusals_total{status="403",reason="forbidden"} 1"#,
            r#"palisade_refusals_total{status="418",reason="other"} 1"#,
        ] {
            assert!(page.lines().any(|own| own == line), "no {line} in\n{page}");
        }
    }

    #[test]
    fn knows_how_many_connections_are_open() {
        let metrics = Arc::new(notes());
        let one = metrics.connected();
        let _two = metrics.connected();
        drop(one);
        let page = page(&metrics);
        assert!(page.contains("\npalisade_connections_total 2\n"), "{page}");
        assert!(page.contains("\npalisade_connections 1\n"), "{page}");
    }

    #[test]
    fn counts_every_event_that_is_raised() {
        let metrics = notes();
        let limit = "metrics-test";
        let event = Event::RateLimited { limit };
        let count = |of: &str| {
            let page = page(&metrics);
            let line = page.lines().find_map(|line| line.strip_prefix(of));
            line.map_or(0, |count| count.trim().parse::<u64>().unwrap())
        };
        let name = format!(r#"palisade_events_total{{event="{}"}}"#, event.name());
        let before = count(&name);
        event.emit();
        assert!(count(&name) > before);
        assert_eq!(
            count(&format!(
                r#"palisade_rate_limited_total{{limit="{limit}"}}"#
            )),
            1
        );
    }

    #[test]
    fn counts_each_connection_that_one_event_tells_of() {
        let event = Event::ConnectionsRefused {
            reason: "test",
            count: 7,
        };
        let count = || EVENTS[event.place()].load(Ordering::Relaxed);
        let before = count();
        event.emit();
        assert!(count() >= before + 7);
    }

    #[test]
    fn is_text_that_prometheus_reads() {
        let metrics = notes();
        metrics.answered(Some(0), "GET", 200, Duration::ZERO);
        let page = page(&metrics);
        let mut family = ("", "");
        for line in page.lines() {
            if let Some(help) = line.strip_prefix("# HELP ") {
                assert!(
                    help.split_once(' ')
                        .is_some_and(|(_, help)| help.ends_with('.'))
                );
            } else if let Some(of) = line.strip_prefix("# TYPE ") {
                family = of.split_once(' ').unwrap();
                assert!(["counter", "gauge", "histogram"].contains(&family.1));
                assert_eq!(
                    family.1 == "counter",
                    family.0.ends_with("_total"),
                    "{line}"
                );
            } else {
                let (name, value) = line.rsplit_once(' ').unwrap();
                value.parse::<f64>().unwrap();
                let rest = name.strip_prefix(family.0).unwrap();
                let suffix = rest.split('{').next().unwrap();
                let known: &[&str] = match family.1 {
                    "histogram" => &["_bucket", "_sum", "_count"],
                    _ => &[""],
                };
                assert!(known.contains(&suffix), "{line}");
            }
        }
    }
}
