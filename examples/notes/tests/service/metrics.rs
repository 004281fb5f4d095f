//! The management listener: what it tells, to whom, and how the service ends.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use crate::harness::{Answer, PASSWORD, Service, free_port, run};
use crate::redaction::{MARKS, mark, send_all};

const LISTEN: &str = "PALISADE_METRICS__LISTEN";
const GUIDE: &str = include_str!("../../../../docs/operations.md");

/// The service with its management listener.
struct Watched {
    service: Service,
    port: u16,
}

impl Watched {
    fn start(changes: &[(&str, &str)]) -> Self {
        let port = free_port();
        let address = format!("127.0.0.1:{port}");
        let service = Service::start_with(&[&[(LISTEN, address.as_str())], changes].concat());
        Self { service, port }
    }

    fn get(&self, path: &str) -> Answer {
        let host = format!("127.0.0.1:{}", self.port);
        self.get_as(path, &host)
    }

    fn get_as(&self, path: &str, host: &str) -> Answer {
        let request = format!("GET {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n");
        Answer::of(self.port, request.as_bytes())
    }

    fn page(&self) -> String {
        let answer = self.get("/metrics");
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.text
    }
}

fn value(page: &str, series: &str) -> f64 {
    let line = page
        .lines()
        .find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    let line = line.unwrap_or_else(|| panic!("no {series} in\n{page}"));
    line.parse().expect("a number")
}

/// Asks again until the answer has this status.
fn until(status: u16, ask: impl Fn() -> Answer) -> Answer {
    let begun = Instant::now();
    loop {
        let answer = ask();
        if answer.status == status {
            return answer;
        }
        assert!(
            begun.elapsed() < Duration::from_secs(60),
            "{} and not {status}: {}",
            answer.status,
            answer.text
        );
        std::thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn counts_what_was_asked_refused_and_raised() {
    let watched = Watched::start(&[("PALISADE_LIMITS__SIGN_IN", "2/h")]);
    let service = &watched.service;
    let token = service.account("ann@example.com");
    service.note(&token, "a note");
    for _ in 0..3 {
        assert_eq!(service.call("GET", "/notes", &token, "").status, 200);
    }
    assert_eq!(service.call("GET", "/notes", "", "").status, 401);
    assert_eq!(service.call("POST", "/notes", &token, "{}").status, 422);
    assert_eq!(service.call("GET", "/nowhere", "", "").status, 404);
    let wrong = format!(r#"{{"email":"nobody@example.com","password":"{PASSWORD}"}}"#);
    let sign_in = || service.call("POST", "/auth/sign-in", "", &wrong).status;
    assert_eq!((sign_in(), sign_in()), (401, 429));

    let page = watched.page();
    for (series, count) in [
        (
            r#"palisade_build_info{app="notes",version="0.1.0",palisade="0.1.0"}"#,
            1.0,
        ),
        (
            r#"palisade_requests_total{method="GET",route="/notes",class="2xx"}"#,
            3.0,
        ),
        (
            r#"palisade_requests_total{method="GET",route="/notes",class="4xx"}"#,
            1.0,
        ),
        (
            r#"palisade_requests_total{method="POST",route="/notes",class="2xx"}"#,
            1.0,
        ),
        (
            r#"palisade_requests_total{method="POST",route="/notes",class="4xx"}"#,
            1.0,
        ),
        (
            r#"palisade_requests_total{method="POST",route="/notes",class="5xx"}"#,
            0.0,
        ),
        (
            r#"palisade_requests_total{method="GET",route="(none)",class="4xx"}"#,
            1.0,
        ),
        (
            r#"palisade_request_duration_seconds_count{method="GET",route="/notes"}"#,
            4.0,
        ),
        (
            r#"palisade_request_duration_seconds_bucket{method="GET",route="/notes",le="+Inf"}"#,
            4.0,
        ),
        (
            r#"palisade_refusals_total{status="401",reason="unauthorized"}"#,
            2.0,
        ),
        (
            r#"palisade_refusals_total{status="404",reason="not-found"}"#,
            1.0,
        ),
        (
            r#"palisade_refusals_total{status="422",reason="invalid-input"}"#,
            1.0,
        ),
        (
            r#"palisade_refusals_total{status="429",reason="too-many-requests"}"#,
            1.0,
        ),
        (
            r#"palisade_refusals_total{status="500",reason="internal"}"#,
            0.0,
        ),
        (r#"palisade_rate_limited_total{limit="sign-in"}"#, 1.0),
        (r#"palisade_rate_limited_total{limit="client"}"#, 0.0),
        (r#"palisade_events_total{event="user_created"}"#, 1.0),
        (r#"palisade_events_total{event="authn_login_success"}"#, 1.0),
        (r#"palisade_events_total{event="authn_login_fail"}"#, 1.0),
        (
            r#"palisade_events_total{event="input_validation_fail"}"#,
            1.0,
        ),
        (
            r#"palisade_events_total{event="excess_rate_limit_exceeded"}"#,
            1.0,
        ),
        (r#"palisade_events_total{event="sys_startup"}"#, 1.0),
        (r#"palisade_requests_in_flight"#, 0.0),
        (r#"palisade_requests_in_flight_max"#, 1024.0),
        (r#"palisade_requests_shed_total"#, 0.0),
        (r#"palisade_log_lines_dropped_total"#, 0.0),
        (r#"palisade_database_connections_max{pool="writer"}"#, 1.0),
    ] {
        assert_eq!(value(&page, series), count, "{series} in\n{page}");
    }
    assert!(value(&page, "palisade_connections_total") >= 10.0, "{page}");
    assert!(value(&page, r#"palisade_database_connections{pool="readers"}"#) >= 1.0);
    assert!(value(&page, r#"palisade_database_waits_total{pool="readers"}"#) >= 0.0);
    assert!(value(&page, "process_resident_memory_bytes") > 1e6);
}

#[test]
fn counts_connections_while_they_are_open() {
    let watched = Watched::start(&[]);
    let open = || value(&watched.page(), "palisade_connections");
    let until = |count: f64| {
        let begun = Instant::now();
        while open() != count {
            assert!(begun.elapsed() < Duration::from_secs(60), "{}", open());
            std::thread::sleep(Duration::from_millis(150));
        }
    };
    until(0.0);
    let held: Vec<_> = (0..3)
        .map(|_| std::net::TcpStream::connect(("127.0.0.1", watched.service.port)))
        .collect();
    until(3.0);
    drop(held);
    until(0.0);
}

#[test]
fn tells_nothing_that_a_client_sent() {
    let watched = Watched::start(&[]);
    let secrets = send_all(&watched.service);
    let page = watched.page().to_lowercase();
    for secret in (1..=MARKS)
        .map(mark)
        .chain(secrets)
        .chain([PASSWORD.to_owned(), "ann@example.com".to_owned()])
    {
        assert!(!page.contains(&secret.to_lowercase()), "{secret} in {page}");
    }
    // Nor can a client make it longer: other paths and methods, the same lines.
    let lines = |page: String| page.lines().count();
    let before = lines(watched.page());
    for number in 0..50 {
        let path = format!("/path-{number}?q={number}");
        let method = format!("M{number}");
        assert_eq!(watched.service.send("GET", &path, &[], b"").status, 404);
        assert_eq!(
            watched.service.send(&method, "/notes", &[], b"").status,
            405
        );
    }
    assert_eq!(lines(watched.page()), before);
}

#[test]
fn is_not_on_the_port_of_the_app_and_off_unless_configured() {
    let watched = Watched::start(&[]);
    assert_eq!(watched.service.call("GET", "/metrics", "", "").status, 404);
    for path in ["/notes", "/auth/sign-in", "/"] {
        let answer = watched.get(path);
        assert_eq!(answer.status, 404, "{path}: {}", answer.text);
    }
    let answer = watched.get("/metrics");
    for (name, value) in [
        ("content-type", "text/plain; version=0.0.4; charset=utf-8"),
        ("cache-control", "no-store"),
        ("x-content-type-options", "nosniff"),
        (
            "content-security-policy",
            "default-src 'none'; frame-ancestors 'none'",
        ),
    ] {
        assert_eq!(answer.header(name), Some(value));
    }
    assert!(watched.service.log().contains("/metrics"));

    let service = Service::start();
    assert_eq!(service.call("GET", "/metrics", "", "").status, 404);
    assert!(!service.stop().contains("metrics on"));
}

#[test]
fn answers_to_addresses_and_to_allowed_hosts_alone() {
    let watched = Watched::start(&[("PALISADE_ALLOWED_HOSTS", "127.0.0.1,notes.example")]);
    for host in [
        "127.0.0.1:9464",
        "10.1.2.3:9464",
        "[::1]:1",
        "localhost:9464",
        "notes.example",
    ] {
        assert_eq!(watched.get_as("/metrics", host).status, 200, "{host}");
    }
    // What a page that rebinds its own name would ask for.
    assert_eq!(watched.get_as("/metrics", "evil.example").status, 421);
    let request = "GET /livez HTTP/1.1\r\nhost: 10.1.2.3\r\nconnection: close\r\n\r\n";
    assert_eq!(
        watched.service.raw(request.as_bytes()).status,
        421,
        "no address at the app's own port"
    );
}

#[test]
fn refuses_to_start_where_others_could_read_it_or_nobody_could() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let taken = taken.local_addr().expect("its address").to_string();
    let app = free_port().to_string();
    let of_app = format!("127.0.0.1:{app}");
    let both = taken.rsplit_once(':').expect("a port").1;
    for (listen, more, said) in [
        (
            taken.as_str(),
            None,
            vec![
                format!("{taken} is taken by another program"),
                "metrics.listen".to_owned(),
            ],
        ),
        (
            "0.0.0.0:9464",
            None,
            vec![
                "`PALISADE_METRICS__LISTEN` can be reached from other machines".to_owned(),
                "metrics.allow_remote = true".to_owned(),
            ],
        ),
        (
            "[2001:db8::1]:9464",
            None,
            vec!["can be reached from other machines".to_owned()],
        ),
        (
            "203.0.113.7:9464",
            Some(("PALISADE_METRICS__ALLOW_REMOTE", "true")),
            vec!["203.0.113.7:9464 is not an address of this machine".to_owned()],
        ),
        (
            of_app.as_str(),
            None,
            vec!["`PALISADE_METRICS__LISTEN` has the port of the service itself".to_owned()],
        ),
        (
            "9464",
            None,
            vec!["is not an IP address with a port".to_owned()],
        ),
        (
            "127.0.0.1:0",
            None,
            vec!["is not an IP address with a port".to_owned()],
        ),
        // Both ports at once, and both are told.
        (
            taken.as_str(),
            Some(("HOST", "203.0.113.7")),
            vec![
                format!("127.0.0.1:{both} is taken"),
                format!("203.0.113.7:{app} is not an address"),
            ],
        ),
    ] {
        let folder = tempfile::tempdir().expect("a folder");
        let key = palisade::secret::key::Key::generate_text();
        let mut variables = vec![
            ("PALISADE_ENV", "development"),
            ("DATABASE_URL", "sqlite:data/notes.sqlite"),
            ("PALISADE_SECRET_KEY", key.expose().as_str()),
            ("PORT", app.as_str()),
            (LISTEN, listen),
        ];
        variables.extend(more);
        let output = run(folder.path(), &[], &variables);
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(78), "{listen}: {told}");
        for words in said {
            assert!(told.contains(&words), "{listen}: no {words} in {told}");
        }
    }
}

#[test]
fn is_told_to_other_machines_when_the_settings_say_so() {
    let port = free_port();
    let address = format!("0.0.0.0:{port}");
    let service = Service::start_with(&[
        (LISTEN, address.as_str()),
        ("PALISADE_METRICS__ALLOW_REMOTE", "true"),
    ]);
    let watched = Watched { service, port };
    assert_eq!(watched.get("/metrics").status, 200);
}

#[cfg(unix)]
#[test]
fn says_that_it_is_about_to_end_before_it_ends() {
    let watched = Watched::start(&[("PALISADE_SERVE__DRAIN_DELAY", "5m")]);
    let ask = |path: &str| watched.service.call("GET", path, "", "");
    assert_eq!(
        (ask("/readyz").status, watched.get("/readyz").status),
        (200, 200)
    );
    watched.service.terminate();
    let answer = until(503, || ask("/readyz"));
    assert!(answer.header("retry-after").is_some());
    assert!(
        answer.text.contains("the service is about to end"),
        "{}",
        answer.text
    );
    assert_eq!(watched.get("/readyz").status, 503);
    for path in ["/livez", "/metrics"] {
        assert_eq!(watched.get(path).status, 200, "{path}");
    }
    assert_eq!(ask("/livez").status, 200);
    assert_eq!(
        ask("/notes").status,
        401,
        "requests that still come are answered"
    );
}

#[cfg(unix)]
#[test]
fn ends_by_itself_after_the_delay() {
    let watched = Watched::start(&[("PALISADE_SERVE__DRAIN_DELAY", "300ms")]);
    assert_eq!(watched.get("/livez").status, 200);
    let log = watched.service.stop();
    assert!(log.contains("sys_shutdown"), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn is_not_ready_while_the_database_lacks_a_migration() {
    let watched = Watched::start(&[]);
    assert_eq!(watched.get("/readyz").status, 200);
    let options = palisade::db::DbOptions {
        url: palisade::secret::Secret::new(format!(
            "sqlite:{}",
            watched.service.database().display()
        )),
        cursor_key: palisade::secret::key::Key::generate(),
    };
    let db = palisade::db::Db::open(options)
        .await
        .expect("the database opens");
    let moved = palisade::sql!("update app_migrations set version = version + 1000");
    moved.execute(&db).await.expect("it is changed");
    until(503, || watched.get("/readyz"));
    let answer = watched.service.call("GET", "/readyz", "", "");
    assert_eq!(answer.status, 503);
    for word in ["database", "migration", "sql"] {
        assert!(!answer.text.contains(word), "{}", answer.text);
    }
    assert_eq!(watched.get("/livez").status, 200);
    let back = palisade::sql!("update app_migrations set version = version - 1000");
    back.execute(&db).await.expect("it is changed back");
    until(200, || watched.get("/readyz"));
    // What a newer build added while this one still serves is no fault.
    let newer = palisade::sql!(
        "insert into app_migrations (version, description, success, checksum, execution_time) values ({9000}, {\"newer\"}, {true}, {vec![1_u8]}, {1})"
    );
    newer.execute(&db).await.expect("it is added");
    tokio::time::sleep(Duration::from_millis(1100)).await;
    assert_eq!(watched.get("/readyz").status, 200);
    assert!(
        watched
            .service
            .log()
            .contains("the database lacks migrations of this build")
    );
}

#[test]
fn the_guide_lists_every_metric_with_its_labels() {
    let watched = Watched::start(&[]);
    let page = watched.page();
    let mut told = BTreeMap::new();
    for line in page.lines() {
        if let Some(of) = line.strip_prefix("# TYPE ") {
            let (name, kind) = of.split_once(' ').expect("a name and a kind");
            told.insert(name, (kind, BTreeSet::new()));
        } else if !line.starts_with('#') {
            let (series, _) = line.rsplit_once(' ').expect("a value");
            let (name, labels) = series.split_once('{').unwrap_or((series, ""));
            let parts = ["_bucket", "_sum", "_count"];
            let family = parts.iter().find_map(|part| name.strip_suffix(part));
            let family = family
                .filter(|family| told.contains_key(family))
                .unwrap_or(name);
            let labels = labels
                .split("\",")
                .filter_map(|label| label.split_once("=\""));
            let labels = labels
                .map(|(label, _)| label)
                .filter(|label| *label != "le");
            let (_, known) = told.get_mut(family).expect("a family");
            known.extend(labels);
        }
    }
    let mut listed = BTreeMap::new();
    for line in GUIDE.lines().filter(|line| line.starts_with("| `")) {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let [name, kind, labels, _] = cells[..] else {
            continue;
        };
        if ["counter", "gauge", "histogram"].contains(&kind) {
            let labels = labels.split(", ").map(|label| label.trim_matches('`'));
            let labels = labels
                .filter(|label| *label != "none")
                .collect::<BTreeSet<_>>();
            listed.insert(name.trim_matches('`'), (kind, labels));
        }
    }
    assert_eq!(told, listed);
}
