//! Browser sessions: the cookie, its rotation, its ends, and the attacks on it.

mod attacks;
mod ends;
mod lists;

use palisade::prelude::*;
use serde_json::{Value, json};

use crate::harness::{Answer, ManageAll, PASSWORD, Place, Served, place, places};

const SESSION: &str = "__Host-session";
const DEVICE: &str = "__Host-device";
const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";

#[get("/page")]
async fn page(_: auth::Session) -> Result<NoContent> {
    Ok(NoContent)
}

#[get("/managed")]
async fn managed(_: Can<ManageAll>) -> Result<NoContent> {
    Ok(NoContent)
}

#[post("/change")]
async fn change(_: SignedIn) -> Result<NoContent> {
    Ok(NoContent)
}

#[post("/sensitive")]
async fn sensitive(_: Fresh) -> Result<NoContent> {
    Ok(NoContent)
}

async fn serve_with(place: &Place, settings: &[(&str, &str)]) -> Served {
    let own = routes![page, managed, change, sensitive];
    Served::of(place.app_with(settings, own).expect("it is built")).await
}

async fn serve(place: &Place) -> Served {
    serve_with(place, &[("PALISADE_AUTH__RECHECK_AFTER", "10s")]).await
}

/// What a browser keeps: the cookies that were set.
#[derive(Clone, Default)]
struct Browser {
    cookies: Vec<(String, String)>,
}

impl Browser {
    /// Signed up, and in.
    async fn of(served: &Served, email: &str) -> Self {
        assert_eq!(served.sign_up(email, PASSWORD).await.status, 201);
        Self::signed_in(served, email).await
    }

    async fn signed_in(served: &Served, email: &str) -> Self {
        let mut browser = Self::default();
        let answer = browser.sign_in(served, email, PASSWORD).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        browser
    }

    async fn sign_in(&mut self, served: &Served, email: &str, password: &str) -> Answer {
        let body = json!({"email": email, "password": password});
        self.call(served, "POST", "/auth/session", &body).await
    }

    async fn reauthenticate(&mut self, served: &Served) -> Answer {
        let body = json!({"password": PASSWORD});
        self.call(served, "POST", "/auth/reauthenticate", &body)
            .await
    }

    fn cookie(&self, name: &str) -> &str {
        let mut cookies = self.cookies.iter();
        let found = cookies.find(|(own, _)| own == name);
        found.map_or("", |(_, value)| value)
    }

    fn line(&self) -> String {
        let pair = |(name, value): &(String, String)| format!("{name}={value}");
        self.cookies.iter().map(pair).collect::<Vec<_>>().join("; ")
    }

    /// Calls as a page of our own does, and keeps what is set.
    async fn call(&mut self, served: &Served, method: &str, path: &str, body: &Value) -> Answer {
        let line = self.line();
        let mut headers = vec![
            ("user-agent", FIREFOX),
            ("sec-fetch-site", "same-origin"),
            ("x-forwarded-for", "192.0.2.1"),
        ];
        if !line.is_empty() {
            headers.push(("cookie", &line));
        }
        let answer = served.send(method, path, &headers, body).await;
        let set = answer
            .headers
            .iter()
            .filter(|(name, _)| name == "set-cookie");
        for (_, cookie) in set {
            let (name, rest) = cookie.split_once('=').expect("a cookie");
            let (value, attributes) = rest.split_once(';').expect("attributes");
            self.cookies.retain(|(own, _)| own != name);
            if !attributes.contains("Max-Age=0") {
                self.cookies.push((name.to_owned(), value.to_owned()));
            }
        }
        answer
    }

    async fn get(&self, served: &Served, path: &str) -> u16 {
        let answer = self.clone().call(served, "GET", path, &Value::Null).await;
        answer.status
    }

    async fn post(&self, served: &Served, path: &str) -> u16 {
        let answer = self.clone().call(served, "POST", path, &Value::Null).await;
        answer.status
    }
}

/// One cookie and what else a request carries.
async fn with(served: &Served, method: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
    served.send(method, path, headers, &Value::Null).await
}

async fn count(served: &Served) -> i64 {
    sql!("select count(*) from palisade_sessions")
        .one(&served.db)
        .await
        .expect("counted")
}

#[tokio::test(flavor = "multi_thread")]
async fn begin_with_a_cookie_of_this_host_and_are_kept_as_a_hash() {
    for place in places().await {
        let served = serve(&place).await;
        let mut browser = Browser::default();
        served.sign_up("ann@example.org", PASSWORD).await;
        let answer = browser.sign_in(&served, "ann@example.org", PASSWORD).await;
        assert_eq!(answer.status, 200, "on {}: {}", place.name, answer.text);
        let view = answer.json();
        let id = view["id"].as_str().expect("its name").to_owned();
        assert_eq!(
            view,
            json!({"id": id, "expires_in": 604_800, "idle_expires_in": 86_400})
        );
        let set: Vec<&String> = answer
            .headers
            .iter()
            .filter(|(name, _)| name == "set-cookie")
            .map(|(_, value)| value)
            .collect();
        let (session, device) = (browser.cookie(SESSION), browser.cookie(DEVICE));
        assert_eq!(session.len(), 43);
        assert_eq!(
            set,
            [
                &format!(
                    "__Host-session={session}; Path=/; Max-Age=604800; Secure; HttpOnly; SameSite=Lax"
                ),
                &format!(
                    "__Host-device={device}; Path=/; Max-Age=15552000; Secure; HttpOnly; SameSite=Strict"
                ),
            ]
        );
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        let kept: Vec<u8> = sql!("select token_hash from palisade_sessions")
            .one(&served.db)
            .await
            .expect("one session");
        let token = palisade::secret::token::Token::parse(session).expect("a token");
        assert_eq!(kept, token.hash());
        assert_ne!(id, session, "its name opens nothing");

        for path in ["/auth/me", "/page"] {
            assert!(browser.get(&served, path).await < 300, "{path}");
        }
        assert_eq!(browser.post(&served, "/change").await, 204);
        assert_eq!(browser.post(&served, "/sensitive").await, 204);
        assert_eq!(browser.get(&served, "/managed").await, 403);
        let named = format!("{SESSION}={id}");
        let named = with(&served, "GET", "/auth/me", &[("cookie", &named)]).await;
        assert_eq!(named.status, 401);
        let mut wrong = Browser::default();
        let refused = wrong
            .sign_in(&served, "ann@example.org", "not the password")
            .await;
        assert_eq!((refused.status, wrong.cookies.len()), (401, 0));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn are_told_from_tokens_where_a_route_wants_one_of_them() {
    let place = place().await;
    let served = serve(&place).await;
    let token = served
        .account("ann@example.org")
        .await
        .text_of("access_token");
    let mut browser = Browser::signed_in(&served, "ann@example.org").await;
    let by_token = served.call("GET", "/page", &token, &Value::Null).await;
    assert_eq!(
        (by_token.status, browser.get(&served, "/page").await),
        (401, 204)
    );
    let out = browser
        .call(&served, "POST", "/auth/sign-out", &Value::Null)
        .await;
    assert_eq!(out.status, 401, "it ends the sign-in of a token");
    let out = served
        .call("DELETE", "/auth/session", &token, &Value::Null)
        .await;
    assert_eq!(out.status, 401);
    assert_eq!(served.me(&token).await.status, 200);
    assert_eq!(browser.get(&served, "/page").await, 204);
    // Neither is the other's text.
    let cookie = format!("{SESSION}={token}");
    assert_eq!(
        with(&served, "GET", "/auth/me", &[("cookie", &cookie)])
            .await
            .status,
        401
    );
    assert_eq!(served.me(browser.cookie(SESSION)).await.status, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn get_a_new_id_when_their_owner_proves_himself() {
    for place in places().await {
        let served = serve(&place).await;
        let mut browser = Browser::of(&served, "ann@example.org").await;
        let old = browser.clone();
        let long_ago = Timestamp::now().get() - std::time::Duration::from_secs(3_600);
        sql!("update palisade_sessions set authenticated_at = {long_ago}, created_at = {long_ago}")
            .execute(&served.db)
            .await
            .expect("it is written");
        let before: Id<auth::Session> = sql!("select id from palisade_sessions")
            .one(&served.db)
            .await
            .expect("one");
        assert_eq!(
            browser.post(&served, "/sensitive").await,
            401,
            "on {}",
            place.name
        );
        let answer = browser.reauthenticate(&served).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        assert_eq!(answer.text_of("id"), before.to_string(), "its name stays");
        assert_ne!(browser.cookie(SESSION), old.cookie(SESSION));
        assert_eq!(old.get(&served, "/auth/me").await, 401, "at once");
        assert_eq!(browser.post(&served, "/sensitive").await, 204);
        assert_eq!(count(&served).await, 1);
        let created: Timestamp = sql!("select created_at from palisade_sessions")
            .one(&served.db)
            .await
            .expect("one");
        assert_eq!(created, Timestamp::from(long_ago), "it is the same session");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn see_a_new_role_at_once_and_a_lost_one_when_they_are_looked_up() {
    for place in places().await {
        let served = serve_with(&place, &[]).await;
        let browser = Browser::of(&served, "ann@example.org").await;
        assert_eq!(
            browser.get(&served, "/managed").await,
            403,
            "on {}",
            place.name
        );
        sql!("insert into palisade_account_roles (account_id, role) select id, 'admin' from palisade_accounts")
            .execute(&served.db)
            .await
            .expect("granted");
        assert_eq!(
            browser.get(&served, "/managed").await,
            204,
            "looked up anew"
        );
        sql!("delete from palisade_account_roles")
            .execute(&served.db)
            .await
            .expect("revoked");
        let revoked = std::time::Instant::now();
        while browser.get(&served, "/managed").await == 204 {
            assert!(revoked.elapsed().as_secs() < 30, "it never ended");
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        assert_eq!(browser.get(&served, "/auth/me").await, 200);
    }
}
