//! The service in this process, called as the tests of a new service call theirs.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use palisade::config::Sources;
use palisade::prelude::*;
use serde_json::Value;
use tokio::runtime::Runtime;

use crate::everythings;
use crate::harness::{Place, Served, places};

pub(crate) struct Server {
    port: u16,
    _served: Served,
    _place: Place,
    _runtime: Runtime,
}

impl Server {
    /// Serving on a fresh database: on PostgreSQL where there is a server, else on SQLite.
    pub(crate) fn start() -> Self {
        let runtime = Runtime::new().unwrap();
        let (place, served) = runtime.block_on(async {
            let place = places().await.pop().unwrap();
            let served = Served::of(app(&place).unwrap()).await;
            (place, served)
        });
        Self {
            port: served.port,
            _served: served,
            _place: place,
            _runtime: runtime,
        }
    }

    /// Sends one request; the status and the JSON of the answer, null when it is empty.
    pub(crate) fn call(
        &self,
        method: &str,
        path: &str,
        token: Option<&str>,
        body: Option<&Value>,
    ) -> (u16, Value) {
        let mut request =
            format!("{method} {path} HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n");
        if let Some(token) = token {
            request += &format!("authorization: Bearer {token}\r\n");
        }
        let body = body.map(Value::to_string).unwrap_or_default();
        if !body.is_empty() {
            request += "content-type: application/json\r\n";
        }
        request += &format!("content-length: {}\r\n\r\n{body}", body.len());
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(60)))
            .unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, serde_json::from_str(body).unwrap_or_default())
    }
}

fn app(place: &Place) -> Result<App, Refusal> {
    let nowhere = tempfile::tempdir().unwrap();
    let variables = [
        ("PALISADE_ENV", "development"),
        ("DATABASE_URL", &place.url),
        ("PALISADE_SECRET_KEY", &place.key),
        ("PALISADE_LIMITS__CLIENT", "1000000/s"),
        ("PALISADE_LIMITS__SIGN_IN", "1000000/s"),
        ("PALISADE_LIMITS__SIGN_UP", "1000000/s"),
        ("PALISADE_HANDLER_TIMEOUT", "60s"),
    ];
    App::from_sources::<()>(&Sources::new(nowhere.path(), variables.to_vec()))?
        .migrations(migrations!("tests/generated/migrations"))
        .routes(auth::routes())
        .routes(everythings::routes())
        .build()
}
