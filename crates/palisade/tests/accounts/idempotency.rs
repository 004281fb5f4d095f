//! Requests that are done once: however often they come, from however many sides at once, and whatever happens meanwhile.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use palisade::db::Migration;
use palisade::prelude::*;
use palisade::secret::key::Key;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;
use tokio::sync::Semaphore;

use crate::harness::{Answer, Place, Served, place, places};

pub(crate) const TABLE: Migration = Migration {
    version: 2,
    file: "0002_orders.sql",
    sql: "create table orders (id uuid primary key, owner_id uuid not null, amount bigint not null)",
};

struct Order;
impl Scope for Order {
    const NAME: &'static str = "orders.write";
}

#[input]
struct NewOrder {
    amount: Int<1, 1000>,
}

#[output]
struct OrderView {
    id: Id<OrderRow>,
    amount: i64,
}

#[resource(table = "orders", owner = "owner_id")]
struct OrderRow {
    id: Id<OrderRow>,
    owner_id: Id<Account>,
    amount: i64,
}

async fn insert(db: &Db, owner: Id<Account>, amount: i64) -> Result<OrderView> {
    let row: OrderRow = sql!(
        "insert into orders (id, owner_id, amount) values ({Id::<OrderRow>::new()}, {owner}, {amount}) returning *"
    )
    .one(db)
    .await?;
    let _ = row.owner_id;
    let (id, amount) = (row.id, row.amount);
    Ok(OrderView { id, amount })
}

#[post("/orders", idempotent)]
async fn order(user: SignedIn, db: Db, Json(new): Json<NewOrder>) -> Result<Created<OrderView>> {
    insert(&db, user.id, new.amount.get()).await.map(Created)
}

#[put("/orders", idempotent)]
async fn put_order(
    user: SignedIn,
    db: Db,
    Json(new): Json<NewOrder>,
) -> Result<Created<OrderView>> {
    insert(&db, user.id, new.amount.get()).await.map(Created)
}

#[post("/programs/orders", idempotent)]
async fn programs_order(
    client: ApiClient<Order>,
    db: Db,
    Json(new): Json<NewOrder>,
) -> Result<Created<OrderView>> {
    insert(&db, client.owner, new.amount.get())
        .await
        .map(Created)
}

/// Refuses with a problem of its own, and counts how often it was asked.
#[post("/refusing", idempotent)]
async fn refusing(user: SignedIn, db: Db) -> Result<NoContent> {
    insert(&db, user.id, 1).await?;
    Err(Error::conflict("there is one already"))
}

static FAILURES: AtomicU32 = AtomicU32::new(0);

/// Fails, panics and tells to come back, and only then succeeds.
#[post("/failing", idempotent)]
async fn failing(user: SignedIn, db: Db) -> Result<Created<OrderView>> {
    match FAILURES.fetch_add(1, Ordering::SeqCst) {
        0 => Err(Error::internal()),
        1 => panic!("on purpose"),
        2 => Err(Error::too_many_requests(1)),
        _ => insert(&db, user.id, 1).await.map(Created),
    }
}

/// Those that wait at `/waiting`, and what lets them go on.
static WAITING: Semaphore = Semaphore::const_new(0);
static GO_ON: Semaphore = Semaphore::const_new(0);

#[post("/waiting", idempotent)]
async fn waiting(user: SignedIn, db: Db) -> Result<Created<OrderView>> {
    WAITING.add_permits(1);
    GO_ON.acquire().await?.forget();
    insert(&db, user.id, 1).await.map(Created)
}

static LEFT: Semaphore = Semaphore::const_new(0);
static LEFT_GO_ON: Semaphore = Semaphore::const_new(0);

#[post("/left", idempotent)]
async fn left(user: SignedIn, db: Db) -> Result<Created<OrderView>> {
    LEFT.add_permits(1);
    LEFT_GO_ON.acquire().await?.forget();
    insert(&db, user.id, 1).await.map(Created)
}

#[post("/slow", idempotent, timeout = "200ms")]
async fn slow(user: SignedIn, db: Db) -> Result<NoContent> {
    insert(&db, user.id, 1).await?;
    std::future::pending().await
}

#[output]
struct Large {
    text: String,
}

#[post("/large", idempotent)]
async fn large(user: SignedIn, db: Db) -> Result<Json<Large>> {
    insert(&db, user.id, 1).await?;
    let text = "x".repeat(300_000);
    Ok(Json(Large { text }))
}

async fn serve(place: &Place, settings: &[(&str, &str)]) -> Served {
    let routes = routes![
        order,
        put_order,
        programs_order,
        refusing,
        failing,
        waiting,
        left,
        slow,
        large
    ];
    let app = place.app_with(settings, routes).expect("it is built");
    Served::of(app.routes(auth::api_key_routes())).await
}

async fn person(served: &Served, email: &str) -> String {
    served.account(email).await.text_of("access_token")
}

fn head(served: &Served, method: &str, path: &str, token: &str, key: &str, body: &str) -> String {
    let key = match key {
        "" => String::new(),
        key => format!("idempotency-key: {key}\r\n"),
    };
    let kind = match body {
        "" => "",
        _ => "content-type: application/json\r\n",
    };
    format!(
        "{method} {path} HTTP/1.1\r\nhost: 127.0.0.1:{}\r\nconnection: close\r\nauthorization: Bearer {token}\r\n{key}{kind}content-length: {}\r\n\r\n{body}",
        served.port,
        body.len()
    )
}

async fn send(
    served: &Served,
    (method, path): (&str, &str),
    token: &str,
    key: &str,
    body: &Value,
) -> Answer {
    let body = match body {
        Value::Null => String::new(),
        body => body.to_string(),
    };
    let request = head(served, method, path, token, &format!("\"{key}\""), &body);
    served.exchange(&request).await
}

async fn post(served: &Served, path: &str, token: &str, key: &str, body: &Value) -> Answer {
    send(served, ("POST", path), token, key, body).await
}

async fn orders(served: &Served) -> i64 {
    sql!("select count(*) from orders where owner_id = owner_id")
        .one(&served.db)
        .await
        .expect("a count")
}

/// Without what the perimeter makes anew for each answer.
fn whole(answer: &Answer) -> (u16, Vec<(String, String)>, String) {
    let own = |name: &str| {
        !matches!(
            name,
            "x-request-id" | "date" | "idempotent-replayed" | "ratelimit"
        )
    };
    let headers = answer.headers.iter().filter(|(name, _)| own(name));
    (
        answer.status,
        headers.cloned().collect(),
        answer.text.clone(),
    )
}

const REPLAYED: &str = "idempotent-replayed";

#[tokio::test(flavor = "multi_thread")]
async fn have_one_effect_however_many_come_at_once() {
    for place in places().await {
        let served = Arc::new(serve(&place, &[]).await);
        let ann = person(&served, "ann@example.org").await;
        let many = (0..50).map(|_| {
            let (served, ann) = (Arc::clone(&served), ann.clone());
            tokio::spawn(async move {
                post(&served, "/orders", &ann, "one", &json!({"amount": 7})).await
            })
        });
        let mut bodies = HashSet::new();
        for one in many.collect::<Vec<_>>() {
            let answer = one.await.expect("it ends");
            match answer.status {
                201 => drop(bodies.insert(answer.text)),
                409 => assert_eq!(answer.header("retry-after"), Some("1")),
                status => panic!("{status}: {}", answer.text),
            }
        }
        assert_eq!(orders(&served).await, 1, "on {}", place.name);
        assert_eq!(bodies.len(), 1, "{bodies:?}");
        let again = post(&served, "/orders", &ann, "one", &json!({"amount": 7})).await;
        assert!(again.status == 201 && bodies.contains(&again.text));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn are_answered_again_whole_and_say_so() {
    for place in places().await {
        let served = serve(&place, &[]).await;
        let ann = person(&served, "ann@example.org").await;
        let body = json!({"amount": 7});
        let first = post(&served, "/orders", &ann, "one", &body).await;
        assert_eq!((first.status, first.header(REPLAYED)), (201, None));
        for _ in 0..3 {
            let again = post(&served, "/orders", &ann, "one", &body).await;
            assert_eq!(again.header(REPLAYED), Some("true"));
            assert_eq!(whole(&again), whole(&first), "on {}", place.name);
            assert_eq!(again.header("cache-control"), Some("no-store"));
        }
        let refused = post(&served, "/refusing", &ann, "two", &Value::Null).await;
        let again = post(&served, "/refusing", &ann, "two", &Value::Null).await;
        assert_eq!((refused.status, again.status), (409, 409));
        assert_eq!(
            again.text, refused.text,
            "with the id of the request that was done"
        );
        assert_eq!(again.header(REPLAYED), Some("true"));
        assert_eq!(
            again.header("content-type"),
            Some("application/problem+json")
        );
        let third = post(&served, "/orders", &ann, "three", &body).await;
        assert_ne!(third.text, first.text);
        assert_eq!(orders(&served).await, 3);
        // Another instance knows of it, and one that starts later.
        let other = serve(&place, &[]).await;
        assert_eq!(
            whole(&post(&other, "/orders", &ann, "one", &body).await),
            whole(&first)
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn are_refused_when_they_are_not_the_same() {
    for place in places().await {
        let served = serve(&place, &[]).await;
        let ann = person(&served, "ann@example.org").await;
        let body = json!({"amount": 7});
        assert_eq!(
            post(&served, "/orders", &ann, "one", &body).await.status,
            201
        );
        for (target, body) in [
            (("POST", "/orders"), json!({"amount": 8})),
            (("POST", "/orders?a=1"), body.clone()),
            (("PUT", "/orders"), body.clone()),
            (("POST", "/refusing"), body.clone()),
        ] {
            let answer = send(&served, target, &ann, "one", &body).await;
            assert_eq!(answer.status, 422, "{target:?} {body}");
            let mut told = answer.json();
            told["request_id"] = Value::Null;
            assert_eq!(
                told,
                json!({
                    "type": "urn:palisade:problem:idempotency-key-reused",
                    "title": "The `Idempotency-Key` was used for another request",
                    "status": 422,
                    "detail": "send the very same request with it, or another key with this one",
                    "request_id": null,
                })
            );
        }
        assert_eq!(orders(&served).await, 1, "on {}", place.name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn belong_to_their_caller_alone() {
    for place in places().await {
        let served = serve(&place, &[]).await;
        let (ann, eve) = (
            person(&served, "ann@example.org").await,
            person(&served, "eve@example.org").await,
        );
        let asked = json!({"name": "n", "scopes": ["orders.write"]});
        let mut keys = Vec::new();
        for _ in 0..2 {
            let made = served.call("POST", "/auth/api-keys", &ann, &asked).await;
            keys.push(made.text_of("key"));
        }
        let body = json!({"amount": 7});
        let mut bodies = HashSet::new();
        for (path, token) in [
            ("/orders", &ann),
            ("/orders", &eve),
            ("/programs/orders", &keys[0]),
            ("/programs/orders", &keys[1]),
        ] {
            let answer = post(&served, path, token, "one", &body).await;
            assert_eq!(
                (answer.status, answer.header(REPLAYED)),
                (201, None),
                "{path}"
            );
            bodies.insert(answer.text);
        }
        assert_eq!(bodies.len(), 4, "on {}", place.name);
        // Whoever may not come in any more is not answered either.
        let answer = served
            .call("POST", "/auth/sign-out", &eve, &Value::Null)
            .await;
        assert_eq!(answer.status, 204);
        assert_eq!(
            post(&served, "/orders", &eve, "one", &body).await.status,
            401
        );
        let again = post(&served, "/programs/orders", &keys[0], "one", &body).await;
        assert_eq!(again.header(REPLAYED), Some("true"));
        assert_eq!(orders(&served).await, 4);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn need_a_key_that_can_be_read() {
    let place = place().await;
    let served = serve(
        &place,
        &[("PALISADE_CORS__ORIGINS", "https://app.example.org")],
    )
    .await;
    let ann = person(&served, "ann@example.org").await;
    let body = r#"{"amount":7}"#;
    for (key, kind) in [
        ("", "idempotency-key-required"),
        ("one", "idempotency-key-malformed"),
        ("\"\"", "idempotency-key-malformed"),
        (
            "\"one\"\r\nidempotency-key: \"one\"",
            "idempotency-key-malformed",
        ),
    ] {
        let answer = served
            .exchange(&head(&served, "POST", "/orders", &ann, key, body))
            .await;
        assert_eq!(
            (answer.status, answer.text_of("type")),
            (400, format!("urn:palisade:problem:{kind}")),
            "{key}"
        );
    }
    assert_eq!(orders(&served).await, 0);
    // Who is not let in learns nothing of keys.
    let answer = served
        .exchange(&head(&served, "POST", "/orders", "nobody", "", body))
        .await;
    assert_eq!(answer.status, 401);
    let preflight = format!(
        "OPTIONS /orders HTTP/1.1\r\nhost: 127.0.0.1:{}\r\nconnection: close\r\norigin: https://app.example.org\r\naccess-control-request-method: POST\r\n\r\n",
        served.port
    );
    let answer = served.exchange(&preflight).await;
    assert_eq!(
        answer.header("access-control-allow-headers"),
        Some("authorization, content-type, idempotency-key")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn begin_anew_after_what_is_no_answer() {
    let place = place().await;
    let served = serve(&place, &[]).await;
    let ann = person(&served, "ann@example.org").await;
    let mut statuses = Vec::new();
    for _ in 0..5 {
        let answer = post(&served, "/failing", &ann, "one", &Value::Null).await;
        statuses.push((answer.status, answer.header(REPLAYED).is_some()));
    }
    assert_eq!(
        statuses,
        [
            (500, false),
            (500, false),
            (429, false),
            (201, false),
            (201, true)
        ]
    );
    // An input that was refused was not done: mended, it may have the same key.
    let bad = post(&served, "/orders", &ann, "two", &json!({"amount": 0})).await;
    assert_eq!(bad.text_of("type"), "urn:palisade:problem:invalid-input");
    let good = post(&served, "/orders", &ann, "two", &json!({"amount": 1})).await;
    assert_eq!((good.status, good.header(REPLAYED)), (201, None));
    // A handler whose time is over begins anew too, as soon as it has let go.
    let timed_out = post(&served, "/slow", &ann, "three", &Value::Null).await;
    assert_eq!(timed_out.status, 504);
    let mut again = post(&served, "/slow", &ann, "three", &Value::Null).await;
    for _ in 0..600 {
        if again.status != 409 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
        again = post(&served, "/slow", &ann, "three", &Value::Null).await;
    }
    assert_eq!((again.status, again.header(REPLAYED)), (504, None));
}

#[tokio::test(flavor = "multi_thread")]
async fn say_when_their_answer_was_too_large_to_be_kept() {
    let place = place().await;
    let served = serve(&place, &[]).await;
    let ann = person(&served, "ann@example.org").await;
    let first = post(&served, "/large", &ann, "one", &Value::Null).await;
    assert_eq!((first.status, first.text.len()), (200, 300_011));
    let again = post(&served, "/large", &ann, "one", &Value::Null).await;
    assert_eq!(
        (again.status, again.text_of("type")),
        (
            409,
            "urn:palisade:problem:idempotency-answer-lost".to_owned()
        )
    );
    assert_eq!(orders(&served).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn are_done_to_their_end_when_the_client_goes_away() {
    for place in places().await {
        let served = serve(&place, &[]).await;
        let ann = person(&served, "ann@example.org").await;
        let request = head(&served, "POST", "/left", &ann, "\"one\"", "");
        let mut stream = tokio::net::TcpStream::connect(("127.0.0.1", served.port))
            .await
            .expect("it listens");
        stream
            .write_all(request.as_bytes())
            .await
            .expect("it is sent");
        LEFT.acquire().await.expect("it is open").forget();
        drop(stream);
        let busy = post(&served, "/left", &ann, "one", &Value::Null).await;
        assert_eq!(
            (
                busy.status,
                busy.text_of("type"),
                busy.header("retry-after")
            ),
            (
                409,
                "urn:palisade:problem:idempotency-under-way".to_owned(),
                Some("1")
            )
        );
        LEFT_GO_ON.add_permits(1);
        let mut answer = busy;
        for _ in 0..600 {
            answer = post(&served, "/left", &ann, "one", &Value::Null).await;
            if answer.status != 409 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        assert_eq!(
            (answer.status, answer.header(REPLAYED)),
            (201, Some("true")),
            "on {}: {}",
            place.name,
            answer.text
        );
        assert_eq!(orders(&served).await, 1);
    }
}

/// As after a crash in the middle: nobody will ever finish the first run.
#[tokio::test(flavor = "multi_thread")]
async fn are_taken_over_when_the_time_of_the_first_is_over() {
    for place in places().await {
        let served = Arc::new(serve(&place, &[]).await);
        let ann = person(&served, "ann@example.org").await;
        let begin = || {
            let (served, ann) = (Arc::clone(&served), ann.clone());
            tokio::spawn(async move { post(&served, "/waiting", &ann, "one", &Value::Null).await })
        };
        let first = begin();
        WAITING.acquire().await.expect("it is open").forget();
        let until: Timestamp = sql!("select locked_until from palisade_idempotency")
            .one(&served.db)
            .await
            .expect("one request");
        let left = until.get() - Timestamp::now().get();
        assert!(
            left > Duration::from_secs(30) && left < Duration::from_secs(70),
            "the handler's minute and a little: {left}"
        );
        let past = Timestamp::now().get() - Duration::from_secs(1);
        sql!("update palisade_idempotency set locked_until = {past}")
            .execute(&served.db)
            .await
            .expect("its time is over");
        // Another request may still not have its key.
        let other = post(&served, "/orders", &ann, "one", &json!({"amount": 1})).await;
        assert_eq!(other.status, 422, "on {}", place.name);
        let second = begin();
        WAITING.acquire().await.expect("it is open").forget();
        GO_ON.add_permits(2);
        let (first, second) = (
            first.await.expect("it ends"),
            second.await.expect("it ends"),
        );
        assert_eq!((first.status, second.status), (201, 201));
        let again = post(&served, "/waiting", &ann, "one", &Value::Null).await;
        assert_eq!(again.text, second.text, "the one that took over counts");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn are_forgotten_when_their_time_is_over_and_swept() {
    for place in places().await {
        let served = serve(&place, &[]).await;
        let ann = person(&served, "ann@example.org").await;
        let body = json!({"amount": 7});
        let first = post(&served, "/orders", &ann, "one", &body).await;
        post(&served, "/orders", &ann, "two", &body).await;
        let expires: Timestamp = sql!("select min(expires_at) from palisade_idempotency")
            .one(&served.db)
            .await
            .expect("a time");
        let left = expires.get() - Timestamp::now().get();
        assert!(left > Duration::from_secs(86_000) && left <= Duration::from_secs(86_400));
        let past = Timestamp::now().get() - Duration::from_secs(1);
        sql!("update palisade_idempotency set expires_at = {past}")
            .execute(&served.db)
            .await
            .expect("their time is over");
        let again = post(&served, "/orders", &ann, "one", &json!({"amount": 8})).await;
        assert_eq!((again.status, again.header(REPLAYED)), (201, None));
        assert_ne!(again.text, first.text, "on {}", place.name);
        served.stop().await;
        // The first request after a start sweeps.
        let served = serve(&place, &[]).await;
        post(&served, "/orders", &ann, "three", &body).await;
        let mut kept = 0;
        for _ in 0..600 {
            kept = sql!("select count(*) from palisade_idempotency")
                .one(&served.db)
                .await
                .expect("a count");
            if kept == 2 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        assert_eq!(kept, 2);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn are_kept_sealed_and_opened_through_a_rotation() {
    for place in places().await {
        let served = serve(&place, &[]).await;
        let ann = person(&served, "ann@example.org").await;
        let asked = json!({"name": "n", "scopes": ["orders.write"]});
        let made = served.call("POST", "/auth/api-keys", &ann, &asked).await;
        let program = made.text_of("key");
        let body = json!({"amount": 777});
        let first = post(
            &served,
            "/programs/orders",
            &program,
            "one-of-a-kind",
            &body,
        )
        .await;
        assert_eq!(first.status, 201);
        let (id, fingerprint, answer): (Vec<u8>, Vec<u8>, Vec<u8>) = (
            sql!("select id from palisade_idempotency")
                .one(&served.db)
                .await
                .expect("one"),
            sql!("select fingerprint from palisade_idempotency")
                .one(&served.db)
                .await
                .expect("one"),
            sql!("select answer from palisade_idempotency")
                .one(&served.db)
                .await
                .expect("one"),
        );
        assert_eq!((id.len(), fingerprint.len()), (32, 32));
        for secret in ["777", "amount", "application/json", "one-of-a-kind"] {
            for kept in [&id, &fingerprint, &answer] {
                let bytes = secret.as_bytes();
                assert!(!kept.windows(bytes.len()).any(|window| window == bytes));
            }
        }
        served.stop().await;
        let next = Key::generate_text();
        let swapped = [
            ("PALISADE_SECRET_KEY", next.expose().as_str()),
            ("PALISADE_SECRET_KEY_PREVIOUS", place.key.as_str()),
        ];
        let served = serve(&place, &swapped).await;
        let again = post(
            &served,
            "/programs/orders",
            &program,
            "one-of-a-kind",
            &body,
        )
        .await;
        assert_eq!(
            (again.status, &again.text, again.header(REPLAYED)),
            (201, &first.text, Some("true")),
            "on {}",
            place.name
        );
        served.stop().await;
        // Without the key that sealed it, it is nobody's request any more: refused, and not done again.
        let served = serve(&place, &swapped[..1]).await;
        let lost = post(
            &served,
            "/programs/orders",
            &program,
            "one-of-a-kind",
            &body,
        )
        .await;
        assert_eq!(lost.status, 422);
        assert_eq!(orders(&served).await, 1);
    }
}
