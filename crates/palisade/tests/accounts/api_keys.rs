//! API keys: how they are made, what opens with one, and what does not.

mod life;

use std::sync::Arc;
use std::time::Duration;

use palisade::db::Migration;
use palisade::prelude::*;
use serde_json::{Value, json};

use crate::harness::{Answer, Place, Served, place, places};

pub(crate) const TABLE: Migration = Migration {
    version: 1,
    file: "0001_things.sql",
    sql: "create table things (id uuid primary key, owner_id uuid not null)",
};

struct Look;
impl Scope for Look {
    const NAME: &'static str = "things.look";
}

struct Touch;
impl Scope for Touch {
    const NAME: &'static str = "things.touch";
}

struct ManageThings;
impl Permission for ManageThings {
    const NAME: &'static str = "things.manage";
}

struct Manage;
impl Scope for Manage {
    const NAME: &'static str = "things.manage";
    const PERMISSION: Option<&'static str> = Some(ManageThings::NAME);
}

#[resource(table = "things", owner = "owner_id")]
struct Thing {
    id: Id<Thing>,
    owner_id: Id<Account>,
}

impl Permit<Read> for Thing {
    async fn permits(&self, actor: &Actor, _: &ReadDb) -> Result<bool> {
        Ok(actor.is(self.owner_id))
    }
}

#[output]
struct Seen {
    key: Id<auth::ApiKey>,
    owner: Id<Account>,
}

#[get("/look")]
async fn look(client: ApiClient<Look>) -> Result<Json<Seen>> {
    let (key, owner) = (client.key, client.owner);
    Ok(Json(Seen { key, owner }))
}

#[post("/touch", limit = "3/h")]
async fn touch(client: ApiClient<Touch>, db: Db) -> Result<Created<Seen>> {
    let (id, owner) = (Id::<Thing>::new(), client.owner);
    sql!("insert into things (id, owner_id) values ({id}, {owner})")
        .execute(&db)
        .await?;
    let key = client.key;
    Ok(Created(Seen { key, owner }))
}

#[get("/things/{thing}")]
async fn thing(_: ApiClient<Look>, thing: Can<Read, Thing>) -> Result<NoContent> {
    let _ = (thing.id, thing.owner_id);
    Ok(NoContent)
}

#[get("/persons/things/{thing}")]
async fn persons_thing(_: Can<Read, Thing>) -> Result<NoContent> {
    Ok(NoContent)
}

#[get("/manage")]
async fn manage(_: ApiClient<Manage>) -> Result<NoContent> {
    Ok(NoContent)
}

#[get("/managed")]
async fn managed(_: ApiClient<Look>, _: Can<ManageThings>) -> Result<NoContent> {
    Ok(NoContent)
}

#[get("/mine")]
async fn mine(_: SignedIn) -> Result<NoContent> {
    Ok(NoContent)
}

#[get("/freshly")]
async fn freshly(_: ApiClient<Look>, _: Fresh) -> Result<NoContent> {
    Ok(NoContent)
}

fn app(place: &Place, settings: &[(&str, &str)]) -> App {
    let routes = routes![
        look,
        touch,
        thing,
        persons_thing,
        manage,
        managed,
        mine,
        freshly
    ];
    let app = place.builder(settings).expect("it is read");
    app.routes(routes)
        .routes(auth::api_key_routes())
        .role(Role::new("manager").may::<ManageThings>())
        .build()
        .expect("it is built")
}

async fn serve(place: &Place, settings: &[(&str, &str)]) -> Served {
    Served::of(app(place, settings)).await
}

/// A person's access token.
async fn person(served: &Served, email: &str) -> String {
    served.account(email).await.text_of("access_token")
}

async fn make(served: &Served, person: &str, asked: &Value) -> Answer {
    served.call("POST", "/auth/api-keys", person, asked).await
}

/// A key with these scopes: its text and its id.
async fn key(served: &Served, person: &str, scopes: &[&str]) -> (String, String) {
    let asked = json!({"name": "nightly", "scopes": scopes});
    let made = make(served, person, &asked).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let id = made.json()["details"]["id"].as_str().map(str::to_owned);
    (made.text_of("key"), id.expect("an id"))
}

async fn get(served: &Served, path: &str, key: &str) -> Answer {
    served.call("GET", path, key, &Value::Null).await
}

async fn looks(served: &Served, key: &str) -> u16 {
    get(served, "/look", key).await.status
}

/// Without what differs between any two answers.
fn told(answer: &Answer) -> (u16, Value) {
    let mut json = answer.json();
    json["request_id"] = Value::Null;
    (answer.status, json)
}

async fn list(served: &Served, person: &str) -> Vec<Value> {
    let answer = get(served, "/auth/api-keys", person).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json()["items"].as_array().cloned().expect("a list")
}

fn is_time(value: &Value, from_now: Duration) -> bool {
    let text = value.as_str().expect("a time");
    let time = time_of(text);
    let distance = time - (Timestamp::now().get() + from_now);
    distance.abs() < Duration::from_secs(60)
}

fn time_of(text: &str) -> time::OffsetDateTime {
    let format = &time::format_description::well_known::Rfc3339;
    time::OffsetDateTime::parse(text, format).expect("RFC 3339")
}

const DAY: Duration = Duration::from_secs(86_400);

#[tokio::test(flavor = "multi_thread")]
async fn open_what_their_scope_is_for_and_speak_for_their_owner() {
    for place in places().await {
        let served = serve(&place, &[]).await;
        let ann = person(&served, "ann@example.org").await;
        let asked = json!({"name": "nightly", "scopes": ["things.look"], "networks": ["192.0.2.0/24"], "expires_in_days": 30});
        let made = make(&served, &ann, &asked).await;
        assert_eq!(made.status, 201, "on {}: {}", place.name, made.text);
        assert_eq!(made.header("cache-control"), Some("no-store"));
        let (text, details) = (made.text_of("key"), made.json()["details"].clone());
        let id = details["id"].as_str().expect("an id").to_owned();
        assert_eq!(
            details,
            json!({
                "id": id,
                "name": "nightly",
                "begins": &text[..24],
                "scopes": ["things.look"],
                "networks": ["192.0.2.0/24"],
                "created_at": details["created_at"],
                "expires_at": details["expires_at"],
                "last_used_at": null,
                "old_key_until": null,
            })
        );
        assert!(is_time(&details["created_at"], Duration::ZERO));
        assert!(is_time(&details["expires_at"], 30 * DAY));
        let form = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        assert!(text.len() == 74 && text.starts_with("pak_") && text[4..].chars().all(form));

        let seen = get(&served, "/look", &text).await;
        let me = served.me(&ann).await.text_of("id");
        assert_eq!(
            (seen.status, seen.json()),
            (200, json!({"key": id, "owner": me}))
        );
        let touched = served.call("POST", "/touch", &text, &Value::Null).await;
        assert_eq!(
            touched.header("www-authenticate"),
            Some("Bearer error=\"insufficient_scope\", scope=\"things.touch\"")
        );
        assert_eq!(
            told(&touched),
            (
                403,
                json!({
                    "type": "urn:palisade:problem:forbidden",
                    "title": "This is not allowed",
                    "status": 403,
                    "detail": "the key does not have the scope that this needs",
                    "request_id": null,
                })
            )
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn are_refused_alike_whatever_is_wrong_with_them() {
    let place = place().await;
    let served = serve(&place, &[("PALISADE_AUTH__RECHECK_AFTER", "0s")]).await;
    let ann = person(&served, "ann@example.org").await;
    let (text, id) = key(&served, &ann, &["things.look"]).await;
    let (other, other_id) = key(&served, &ann, &["things.look"]).await;
    let refused = get(&served, "/look", "").await;
    assert_eq!(refused.header("www-authenticate"), Some("Bearer"));
    let shape = told(&refused);
    assert_eq!(shape.0, 401);
    let past = Timestamp::now().get() - Duration::from_secs(1);
    sql!("update palisade_api_keys set expires_at = {past} where id = {uuid(&other_id)}")
        .execute(&served.db)
        .await
        .expect("it is written");
    let ended = key(&served, &ann, &["things.look"]).await;
    let path = format!("/auth/api-keys/{}", ended.1);
    let answer = served.call("DELETE", &path, &ann, &Value::Null).await;
    assert_eq!(answer.status, 204);
    // The secret of one key under the id of another, and its checksum counted anew.
    let mixed = mix(&id, &other);
    for wrong in [
        "x",
        "pak_",
        &other,
        &ended.0,
        &mixed,
        &ann,
        &format!("{text}="),
        &text.to_lowercase(),
    ] {
        assert_eq!(told(&get(&served, "/look", wrong).await), shape, "{wrong}");
    }
    assert_eq!(looks(&served, &text).await, 200);
}

fn uuid(text: &str) -> uuid::Uuid {
    uuid::Uuid::parse_str(text).expect("a UUID")
}

/// A text of right form and checksum: this id, and the secret of that key.
fn mix(id: &str, key: &str) -> String {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let mut bytes = URL_SAFE_NO_PAD.decode(&key[4..]).expect("base64url");
    bytes[..16].copy_from_slice(uuid(id).as_bytes());
    let crc = crc::Crc::<u32>::new(&crc::CRC_32_ISO_HDLC);
    let sum = crc.checksum(&[b"pak_", &bytes[..48]].concat());
    bytes[48..].copy_from_slice(&sum.to_be_bytes());
    format!("pak_{}", URL_SAFE_NO_PAD.encode(bytes))
}

#[tokio::test(flavor = "multi_thread")]
async fn are_found_damaged_without_a_statement() {
    for place in places().await {
        let served = serve(&place, &[("PALISADE_AUTH__RECHECK_AFTER", "0s")]).await;
        let ann = person(&served, "ann@example.org").await;
        let (text, id) = key(&served, &ann, &["things.look"]).await;
        // From here on whatever asks the database fails.
        place.raw("drop table palisade_api_keys").await;
        assert_eq!(looks(&served, &text).await, 500, "on {}", place.name);
        assert_eq!(looks(&served, &mix(&id, &text)).await, 500);
        for at in 0..text.len() {
            let other = if text.as_bytes()[at] == b'A' {
                'B'
            } else {
                'A'
            };
            let changed = format!("{}{other}{}", &text[..at], &text[at + 1..]);
            assert_eq!(looks(&served, &changed).await, 401, "{at}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn come_in_one_header_and_nowhere_else() {
    let place = place().await;
    let served = serve(&place, &[]).await;
    let ann = person(&served, "ann@example.org").await;
    let (text, _) = key(&served, &ann, &["things.look"]).await;
    let send = async |target: &str, headers: &[String]| {
        let mut head = format!(
            "GET {target} HTTP/1.1\r\nhost: 127.0.0.1:{}\r\nconnection: close\r\n",
            served.port
        );
        for header in headers {
            head.push_str(&format!("{header}\r\n"));
        }
        served.exchange(&format!("{head}\r\n")).await
    };
    let bearer = format!("authorization: Bearer {text}");
    assert_eq!(
        send("/look", std::slice::from_ref(&bearer)).await.status,
        200
    );
    for headers in [
        vec![format!("cookie: key={text}")],
        vec![format!("cookie: __Host-session={text}; pak={text}")],
        vec![format!("x-api-key: {text}")],
        vec![format!("authorization: {text}")],
        vec![format!("authorization: Basic {text}")],
        vec![format!("authorization: Bearer  {text}")],
        vec![format!("authorization: Bearer {text}, Bearer {text}")],
        vec![bearer.clone(), bearer.clone()],
        vec![bearer.clone(), format!("authorization: Bearer {ann}")],
    ] {
        assert_eq!(send("/look", &headers).await.status, 401, "{headers:?}");
    }
    // In a URL it is refused even beside a good one, in whatever place, and goes on being good where it belongs.
    for target in [
        format!("/look?api_key={text}"),
        format!("/look?{text}"),
        format!("/look?a=1&access_token=Bearer+{text}"),
        format!("/look?k={}", text.replace("pak_", "p%61k%5f")),
    ] {
        for headers in [vec![], vec![bearer.clone()]] {
            let answer = send(&target, &headers).await;
            assert_eq!(
                told(&answer),
                (
                    400,
                    json!({
                        "type": "urn:palisade:problem:api-key-in-query",
                        "title": "An API key does not belong into a URL",
                        "status": 400,
                        "detail": "URLs are logged: rotate this key, and send the new one as `Authorization: Bearer`",
                        "request_id": null,
                    })
                )
            );
        }
    }
    assert_eq!(looks(&served, &text).await, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn are_no_access_tokens_and_access_tokens_are_no_keys() {
    let place = place().await;
    let served = serve(&place, &[]).await;
    let ann = person(&served, "ann@example.org").await;
    let (text, id) = key(&served, &ann, &["things.look", "things.touch"]).await;
    for (method, path) in [
        ("GET", "/mine"),
        ("GET", "/auth/me"),
        ("GET", "/auth/api-keys"),
        ("POST", "/auth/sign-out"),
        (
            "GET",
            "/persons/things/01890000-0000-7000-8000-000000000000",
        ),
    ] {
        let answer = served.call(method, path, &text, &Value::Null).await;
        assert_eq!(answer.status, 401, "{method} {path}");
    }
    let asked = json!({"name": "another", "scopes": ["things.look"]});
    assert_eq!(make(&served, &text, &asked).await.status, 401);
    let path = format!("/auth/api-keys/{id}");
    let answer = served.call("DELETE", &path, &text, &Value::Null).await;
    assert_eq!(answer.status, 401);
    // Nobody has proved themselves a moment ago who is a program.
    assert_eq!(get(&served, "/freshly", &text).await.status, 401);
    assert_eq!(looks(&served, &ann).await, 401);
    assert_eq!(get(&served, "/mine", &ann).await.status, 204);
}

#[tokio::test(flavor = "multi_thread")]
async fn may_never_do_more_than_their_owner() {
    for place in places().await {
        let served = serve(&place, &[("PALISADE_AUTH__RECHECK_AFTER", "0s")]).await;
        let ann = person(&served, "ann@example.org").await;
        let eve = person(&served, "eve@example.org").await;
        let (anns, _) = key(&served, &ann, &["things.look", "things.touch"]).await;
        let (eves, _) = key(&served, &eve, &["things.look"]).await;
        let touched = served.call("POST", "/touch", &anns, &Value::Null).await;
        assert_eq!(touched.status, 201, "on {}", place.name);
        let id: uuid::Uuid = sql!("select id from things where owner_id = owner_id")
            .one(&served.db)
            .await
            .expect("it is there");
        let path = format!("/things/{id}");
        assert_eq!(get(&served, &path, &anns).await.status, 204);
        assert_eq!(get(&served, &path, &eves).await.status, 404);

        let asked = json!({"name": "admin", "scopes": ["things.manage"]});
        let refused = make(&served, &ann, &asked).await;
        assert_eq!(
            (refused.status, refused.json()["errors"].clone()),
            (
                422,
                json!([{"pointer": "/scopes", "code": "not_allowed", "detail": "must be scopes that this account can give"}])
            )
        );
        assert_eq!(get(&served, "/managed", &anns).await.status, 403);
        let me = uuid(&served.me(&ann).await.text_of("id"));
        sql!("insert into palisade_account_roles (account_id, role) values ({me}, {\"manager\"})")
            .execute(&served.db)
            .await
            .expect("the role is given");
        let (admin, _) = key(&served, &ann, &["things.manage"]).await;
        assert_eq!(get(&served, "/manage", &admin).await.status, 204);
        assert_eq!(get(&served, "/managed", &anns).await.status, 204);
        sql!("delete from palisade_account_roles where account_id = {me}")
            .execute(&served.db)
            .await
            .expect("the role is taken away");
        assert_eq!(get(&served, "/manage", &admin).await.status, 403);
        assert_eq!(get(&served, "/managed", &anns).await.status, 403);
        sql!("delete from palisade_accounts where id = {me}")
            .execute(&served.db)
            .await
            .expect("the account is gone");
        assert_eq!(looks(&served, &anns).await, 401);
        assert_eq!(looks(&served, &eves).await, 200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn are_made_within_bounds_alone() {
    let place = place().await;
    let served = serve(
        &place,
        &[
            ("PALISADE_AUTH__API_KEY_MAX_LIFETIME", "60d"),
            ("PALISADE_AUTH__API_KEY_OVERLAP", "1h"),
        ],
    )
    .await;
    let ann = person(&served, "ann@example.org").await;
    let good = || json!({"name": "n", "scopes": ["things.look"]});
    let made = make(&served, &ann, &good()).await;
    assert!(
        is_time(&made.json()["details"]["expires_at"], 60 * DAY),
        "the default is no longer than the longest"
    );
    for (member, value, pointer) in [
        ("name", json!(""), "/name"),
        ("name", json!("x".repeat(101)), "/name"),
        ("name", json!("two\u{7}"), "/name"),
        ("scopes", json!([]), "/scopes"),
        ("scopes", json!(["things.unheard"]), "/scopes"),
        ("scopes", json!(["things.look", "things.LOOK"]), "/scopes"),
        ("scopes", json!("things.look"), "/scopes"),
        ("networks", json!(["everywhere"]), "/networks/0"),
        ("networks", json!(["192.0.2.0/33"]), "/networks/0"),
        ("networks", json!(["192.0.2.1", "0.0.0.0/0"]), "/networks/1"),
        ("networks", json!(["::/0"]), "/networks/0"),
        ("expires_in_days", json!(61), "/expires_in_days"),
        ("expires_in_days", json!(0), "/expires_in_days"),
        ("secret", json!("mine"), "/secret"),
    ] {
        let mut asked = good();
        asked[member] = value.clone();
        let answer = make(&served, &ann, &asked).await;
        let json = answer.json();
        assert_eq!(
            (answer.status, json["errors"][0]["pointer"].as_str()),
            (422, Some(pointer)),
            "{member} {value}: {json}"
        );
    }
    let id = made.json()["details"]["id"]
        .as_str()
        .expect("an id")
        .to_owned();
    let path = format!("/auth/api-keys/{id}/rotate");
    for body in [
        json!({"overlap_seconds": 3601}),
        json!({"expires_in_days": 61}),
    ] {
        assert_eq!(
            served.call("POST", &path, &ann, &body).await.status,
            422,
            "{body}"
        );
    }
    assert_eq!(list(&served, &ann).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn are_so_many_an_account_and_no_more_however_many_are_made_at_once() {
    for place in places().await {
        let served = Arc::new(serve(&place, &[]).await);
        let ann = person(&served, "ann@example.org").await;
        let me = uuid(&served.me(&ann).await.text_of("id"));
        let (text, id) = key(&served, &ann, &["things.look"]).await;
        for _ in 0..94 {
            sql!(
                "insert into palisade_api_keys (id, account_id, name, secret_hash, scopes, networks, created_at, expires_at)
                 select {Id::<auth::ApiKey>::new()}, account_id, name, secret_hash, scopes, networks, created_at, expires_at
                 from palisade_api_keys where id = {uuid(&id)} and account_id = {me}"
            )
            .execute(&served.db)
            .await
            .expect("one more");
        }
        let many = (0..20).map(|_| {
            let (served, ann) = (Arc::clone(&served), ann.clone());
            tokio::spawn(async move {
                let asked = json!({"name": "n", "scopes": ["things.look"]});
                make(&served, &ann, &asked).await.status
            })
        });
        let mut statuses = Vec::new();
        for one in many.collect::<Vec<_>>() {
            statuses.push(one.await.expect("it ends"));
        }
        let made = statuses.iter().filter(|status| **status == 201).count();
        let full = statuses.iter().filter(|status| **status == 409).count();
        assert_eq!((made, full), (5, 15), "on {}: {statuses:?}", place.name);
        assert_eq!(list(&served, &ann).await.len(), 100);
        assert_eq!(looks(&served, &text).await, 200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn come_from_their_networks_alone() {
    let place = place().await;
    let served = serve(&place, &[]).await;
    let ann = person(&served, "ann@example.org").await;
    let asked = json!({"name": "office", "scopes": ["things.look"], "networks": ["192.0.2.16/28", "2001:db8:7::/48", "198.51.100.7"]});
    let text = make(&served, &ann, &asked).await.text_of("key");
    for (client, status) in [
        ("192.0.2.16", 200),
        ("192.0.2.31", 200),
        ("::ffff:192.0.2.20", 200),
        ("2001:db8:7:1::5", 200),
        ("198.51.100.7", 200),
        ("192.0.2.15", 401),
        ("192.0.2.32", 401),
        ("198.51.100.8", 401),
        ("2001:db8:8::5", 401),
        ("::1", 401),
    ] {
        let answer = served
            .call_from(client, "GET", "/look", &text, &Value::Null)
            .await;
        assert_eq!(answer.status, status, "{client}");
    }
}
