//! The scenarios, and the client that sends them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::server::{ORIGIN, Place, Server, pinned};
use super::{peer, told};

/// Connections of the rounds.
pub(super) const CONNECTIONS: usize = 64;

pub(super) const NEW_ITEM: &str = r#"{"title":"A title of usual length","body":"A body that says a little more than its title.","stars":4}"#;

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Scenario {
    /// A constant answer.
    Health,
    /// One row by its key.
    Item,
    /// A body that is validated and given back.
    Post,
    /// A bearer token that is verified.
    Me,
    /// A bearer token that is verified, and whose account and standing are read from the database.
    Account,
}

pub(super) const SCENARIOS: [Scenario; 5] = [
    Scenario::Health,
    Scenario::Item,
    Scenario::Post,
    Scenario::Me,
    Scenario::Account,
];

impl Scenario {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Health => "health",
            Self::Item => "item",
            Self::Post => "post",
            Self::Me => "me",
            Self::Account => "account",
        }
    }

    /// The request as its bytes.
    fn request(self, place: &Place) -> String {
        let (line, more, body) = match self {
            Self::Health => ("GET /health", String::new(), ""),
            Self::Item => ("GET /items/4711", String::new(), ""),
            Self::Post => {
                let length = NEW_ITEM.len();
                let more =
                    format!("content-type: application/json\r\ncontent-length: {length}\r\n");
                ("POST /items", more, NEW_ITEM)
            }
            Self::Me => ("GET /me", bearer(place), ""),
            Self::Account => ("GET /account", bearer(place), ""),
        };
        format!(
            "{line} HTTP/1.1\r\nhost: 127.0.0.1\r\nuser-agent: palisade-bench\r\naccept: */*\r\norigin: {ORIGIN}\r\n{more}\r\n{body}"
        )
    }
}

fn bearer(place: &Place) -> String {
    format!("authorization: Bearer {}\r\n", place.token)
}

/// The client's program.
pub(super) struct Load(PathBuf);

/// What a run of the client saw.
pub(super) struct Seen {
    pub(super) requests: u64,
    pub(super) seconds: f64,
    pub(super) p50: u64,
    pub(super) p99: u64,
}

pub(super) fn build(root: &Path) -> Result<Load, String> {
    peer::build(root, "bench-load").map(Load)
}

impl Load {
    /// So many requests, on so many connections.
    pub(super) fn count(
        &self,
        place: &Place,
        server: &Server,
        scenario: Scenario,
        connections: usize,
        requests: usize,
    ) -> Result<Seen, String> {
        let amount = [requests.to_string()];
        self.run(place, server, scenario, connections, &amount)
    }

    /// As many as there is time for.
    pub(super) fn for_seconds(
        &self,
        place: &Place,
        server: &Server,
        scenario: Scenario,
        seconds: f64,
    ) -> Result<Seen, String> {
        let amount = ["for".to_owned(), seconds.to_string()];
        self.run(place, server, scenario, CONNECTIONS, &amount)
    }

    fn run(
        &self,
        place: &Place,
        server: &Server,
        scenario: Scenario,
        connections: usize,
        amount: &[String],
    ) -> Result<Seen, String> {
        let file = place.folder.join("request");
        fs::write(&file, scenario.request(place)).map_err(told("a request"))?;
        let mut words: Vec<PathBuf> = pinned(1).iter().map(PathBuf::from).collect();
        words.push(self.0.clone());
        let run = Command::new(&words[0])
            .args(&words[1..])
            .arg(format!("127.0.0.1:{}", server.port))
            .arg(&file)
            .arg(connections.to_string())
            .args(amount)
            .output()
            .map_err(told("the client"))?;
        let said = String::from_utf8_lossy(&run.stdout).into_owned();
        let place = format!("{}, {}", place.peer.name, scenario.name());
        let numbers: Vec<f64> = said.split_whitespace().flat_map(str::parse).collect();
        let &[requests, failed, seconds, p50, p99] = numbers.as_slice() else {
            let complaint = String::from_utf8_lossy(&run.stderr).into_owned();
            return Err(format!("{place}: the client said {said:?}: {complaint}"));
        };
        if failed > 0.0 || requests == 0.0 {
            return Err(format!("{place}: {failed} of {requests} requests failed"));
        }
        Ok(Seen {
            requests: requests as u64,
            seconds,
            p50: p50 as u64,
            p99: p99 as u64,
        })
    }
}
