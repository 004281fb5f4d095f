//! Whether a server does what it claims, asked before anything is measured.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::load::NEW_ITEM;
use super::server::{ORIGIN, Place, Server};

const PATIENCE: Duration = Duration::from_secs(60);
const JSON: (&str, &str) = ("content-type", "application/json");

/// What every answer of a protected server carries.
const HEADERS: [&str; 15] = [
    "cache-control",
    "content-security-policy",
    "cross-origin-opener-policy",
    "cross-origin-resource-policy",
    "origin-agent-cluster",
    "permissions-policy",
    "referrer-policy",
    "strict-transport-security",
    "x-content-type-options",
    "x-dns-prefetch-control",
    "x-download-options",
    "x-frame-options",
    "x-permitted-cross-domain-policies",
    "x-request-id",
    "x-xss-protection",
];

/// One request on one connection.
pub(super) struct Client {
    pub(super) port: u16,
}

pub(super) struct Answer {
    pub(super) status: u16,
    head: String,
    body: String,
}

impl Answer {
    fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (own, value) = line.split_once(':')?;
            own.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    fn counts_requests(&self) -> bool {
        self.head.lines().any(|line| {
            let line = line.to_ascii_lowercase();
            line.starts_with("ratelimit") || line.starts_with("x-ratelimit")
        })
    }
}

impl Client {
    pub(super) fn get(&self, path: &str, headers: &[(&str, &str)]) -> Result<Answer, String> {
        self.send("GET", path, headers, "")
    }

    fn post(&self, headers: &[(&str, &str)], body: &str) -> Result<Answer, String> {
        self.send("POST", "/items", headers, body)
    }

    fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Result<Answer, String> {
        let mut request = format!("{method} {path} HTTP/1.1\r\nconnection: close\r\n");
        if !headers.iter().any(|(name, _)| *name == "host") {
            request += "host: 127.0.0.1\r\n";
        }
        for (name, value) in headers {
            request += &format!("{name}: {value}\r\n");
        }
        if method == "POST" {
            request += &format!("content-length: {}\r\n", body.len());
        }
        request += &format!("\r\n{body}");
        self.exchange(request.as_bytes())
            .map_err(|error| format!("{method} {path}: {error}"))
    }

    fn exchange(&self, request: &[u8]) -> std::io::Result<Answer> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port))?;
        stream.set_read_timeout(Some(PATIENCE))?;
        // A refusal may come before all of a body is sent.
        let _ = stream.write_all(request);
        let mut bytes = Vec::new();
        let read = stream.read_to_end(&mut bytes);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            read?;
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        };
        Ok(Answer {
            status: head
                .split(' ')
                .nth(1)
                .and_then(|code| code.parse().ok())
                .unwrap_or(0),
            head: head.to_owned(),
            body: body.to_owned(),
        })
    }
}

/// Makes palisade's account where there is none, and a token for it.
pub(super) fn sign_in(client: &Client) -> Result<String, String> {
    let credentials =
        json!({ "email": "ann@example.com", "password": "tidy-otters-map-the-river" });
    let body = credentials.to_string();
    client.send("POST", "/auth/sign-up", &[JSON], &body)?;
    let answer = client.send("POST", "/auth/sign-in", &[JSON], &body)?;
    let value: Value = serde_json::from_str(&answer.body).unwrap_or_default();
    let token = value["access_token"].as_str().map(ToOwned::to_owned);
    token.ok_or_else(|| format!("no token: {}", answer.body))
}

/// Everything that it does not do as it claims, at once.
pub(super) fn everything(place: &Place, server: &Server) -> Result<(), String> {
    let mut faults = Faults(Vec::new());
    work(place, server, &mut faults)?;
    if place.peer.protected {
        protections(server, &mut faults)?;
    }
    if faults.0.is_empty() {
        return Ok(());
    }
    let faults = faults.0.join("\n  ");
    Err(format!(
        "{} does not do what it claims:\n  {faults}",
        place.peer.name
    ))
}

struct Faults(Vec<String>);

impl Faults {
    fn status(&mut self, what: &str, answer: &Answer, expected: u16) {
        let status = answer.status;
        self.holds(status == expected, || {
            format!("{what}: {status} and not {expected}")
        });
    }

    fn holds(&mut self, holds: bool, fault: impl FnOnce() -> String) {
        if !holds {
            self.0.push(fault());
        }
    }
}

fn work(place: &Place, server: &Server, faults: &mut Faults) -> Result<(), String> {
    let client = server.client();
    let value = |answer: &Answer| serde_json::from_str::<Value>(&answer.body).unwrap_or_default();
    let health = client.get("/health", &[])?;
    faults.holds(value(&health) == json!({ "status": "ok" }), || {
        health.body.clone()
    });
    let item = client.get("/items/4711", &[])?;
    let row = json!({ "id": 4711, "title": "Item 4711", "body": "A row among ten thousand, read by its key.", "stars": 2 });
    faults.holds(value(&item) == row, || item.body.clone());
    faults.status(
        "an item that is not there",
        &client.get("/items/99999", &[])?,
        404,
    );

    let made = client.post(&[JSON], NEW_ITEM)?;
    let given: Value = serde_json::from_str(NEW_ITEM).unwrap_or_default();
    faults.holds(value(&made) == given, || made.body.clone());
    let with = |name: &str, new: Value| {
        let mut item = given.clone();
        item[name] = new;
        client.post(&[JSON], &item.to_string())
    };
    faults.status("an unknown member", &with("owner", json!(1))?, 422);
    faults.status("no title", &with("title", json!(""))?, 422);
    faults.status(
        "a title of 201 letters",
        &with("title", json!("x".repeat(201)))?,
        422,
    );
    faults.status("six stars", &with("stars", json!(6))?, 422);
    faults.status("an operator", &with("title", json!({ "$gt": "" }))?, 422);
    faults.status("no JSON", &client.post(&[JSON], "{")?, 400);

    for path in ["/me", "/account"] {
        let with = |token: &str| client.get(path, &[("authorization", &format!("Bearer {token}"))]);
        let me = with(&place.token)?;
        let id = value(&me)["id"].as_str().map(str::len);
        faults.holds(id == Some(36), || format!("{path}: {}", me.body));
        faults.status(
            &format!("{path} without a token"),
            &client.get(path, &[])?,
            401,
        );
        for (what, token) in forged(&place.token) {
            faults.status(&format!("{path} with {what}"), &with(&token)?, 401);
        }
    }
    let other = place.new_token(server)?;
    let bearer = format!("Bearer {other}");
    let ended = client.send("POST", "/auth/sign-out", &[("authorization", &bearer)], "")?;
    faults.status("signing out", &ended, 204);
    let revoked = client.get("/account", &[("authorization", &bearer)])?;
    faults.status("a revoked token", &revoked, 401);
    Ok(())
}

/// The token with another signature, with another claim, and without a signature.
fn forged(token: &str) -> [(&'static str, String); 3] {
    let mut parts = token.split('.');
    let (header, claims) = (parts.next().unwrap_or(""), parts.next().unwrap_or(""));
    let signature: String = parts.next().unwrap_or("").chars().rev().collect();
    let other = claims.replacen('a', "b", 1).replacen('M', "N", 1);
    // {"alg":"none","typ":"JWT"}
    let none = "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0";
    [
        (
            "another signature",
            format!("{header}.{claims}.{signature}"),
        ),
        (
            "other claims",
            format!(
                "{header}.{other}.{}",
                token.rsplit('.').next().unwrap_or("")
            ),
        ),
        ("no signature", format!("{none}.{claims}.")),
    ]
}

fn protections(server: &Server, faults: &mut Faults) -> Result<(), String> {
    let client = server.client();
    for path in ["/health", "/nothing"] {
        let answer = client.get(path, &[("origin", ORIGIN)])?;
        for name in HEADERS {
            faults.holds(answer.header(name).is_some(), || {
                format!("{path}: no {name}")
            });
        }
        for name in ["server", "x-powered-by"] {
            faults.holds(answer.header(name).is_none(), || format!("{path}: {name}"));
        }
        let origin = answer.header("access-control-allow-origin");
        faults.holds(origin == Some(ORIGIN), || {
            format!("{path}: the origin is not allowed")
        });
        faults.holds(answer.counts_requests(), || {
            format!("{path}: no limit is told")
        });
    }
    let missing = client.get("/nothing", &[])?;
    faults.status("a path that is not there", &missing, 404);
    let kind = missing.header("content-type");
    let problem = kind.is_some_and(|kind| kind.starts_with("application/problem+json"));
    faults.holds(problem, || format!("a 404 is {kind:?}"));
    let ids = [(); 2].map(|()| {
        client
            .get("/health", &[])
            .ok()?
            .header("x-request-id")
            .map(str::to_owned)
    });
    faults.holds(ids[0] != ids[1], || "two requests have one id".to_owned());

    let evil = ("origin", "https://evil.example");
    let foreign = client.get("/health", &[evil])?;
    let allowed = foreign.header("access-control-allow-origin");
    faults.holds(allowed != Some("*") && allowed != Some(evil.1), || {
        "a foreign origin is allowed".to_owned()
    });
    faults.status(
        "a cross-site request",
        &client.post(&[JSON, evil], NEW_ITEM)?,
        403,
    );
    let preflight = [
        ("origin", ORIGIN),
        ("access-control-request-method", "POST"),
    ];
    let preflight = client.send("OPTIONS", "/items", &preflight, "")?;
    let methods = preflight.header("access-control-allow-methods");
    faults.holds(
        methods.is_some_and(|methods| methods.contains("POST")),
        || "no answer to a preflight".to_owned(),
    );
    let host = [("host", "evil.example")];
    faults.status("a foreign host", &client.get("/health", &host)?, 421);
    let large = json!({ "title": "x", "body": "x".repeat(200_000), "stars": 1 });
    faults.status(
        "a body of 200 KB",
        &client.post(&[JSON], &large.to_string())?,
        413,
    );

    let until = Instant::now() + PATIENCE;
    let logged = |line: &str| line.contains("421") && ids[0].is_some();
    let first = ids[0].clone().unwrap_or_default();
    while !(server.log().contains(&first) && server.log().lines().any(logged)) {
        if Instant::now() > until {
            faults
                .0
                .push("the log does not hold its requests".to_owned());
            break;
        }
        sleep(Duration::from_millis(50));
        // A server that gathers lines writes them when more come.
        client.get("/health", &[])?;
    }
    Ok(())
}
