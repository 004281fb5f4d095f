//! Where somebody is signed in, and how he ends what is not his.

use palisade::prelude::*;
use serde_json::{Value, json};

use super::{Browser, serve};
use crate::harness::{Served, place, places};

async fn list(browser: &Browser, served: &Served) -> Vec<Value> {
    let mut browser = browser.clone();
    let answer = browser
        .call(served, "GET", "/auth/sessions", &Value::Null)
        .await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let list = answer.json()["sessions"].as_array().cloned();
    list.expect("a list")
}

/// As if every sign-in of browsers had been proved long ago.
async fn grow_stale(served: &Served) {
    let then = Timestamp::now().get() - std::time::Duration::from_secs(3_600);
    sql!("update palisade_sessions set authenticated_at = {then}")
        .execute(&served.db)
        .await
        .expect("it is written");
}

#[tokio::test(flavor = "multi_thread")]
async fn shows_every_sign_in_of_the_account_and_of_no_other() {
    for place in places().await {
        let served = serve(&place).await;
        let browser = Browser::of(&served, "ann@example.org").await;
        let eve = Browser::of(&served, "eve@example.org").await;
        let body = json!({"email": "ann@example.org", "password": crate::harness::PASSWORD});
        let app = [("user-agent", "notes-app/1.2 (phone of Ann)")];
        let tokens = served.send("POST", "/auth/sign-in", &app, &body).await;
        assert_eq!(tokens.status, 200);
        let token = tokens.text_of("access_token");

        let found = list(&browser, &served).await;
        assert_eq!(found.len(), 2, "on {}", place.name);
        for one in &found {
            let mut names: Vec<&String> = one.as_object().unwrap().keys().collect();
            names.sort();
            assert_eq!(
                names,
                [
                    "created_at",
                    "current",
                    "device",
                    "expires_at",
                    "id",
                    "kind",
                    "used_at"
                ]
            );
        }
        let of = |kind: &str| found.iter().find(|one| one["kind"] == kind).unwrap();
        let (session, family) = (of("session"), of("tokens"));
        assert_eq!(
            (&session["device"], &session["current"]),
            (&json!("Firefox on Linux"), &json!(true))
        );
        assert_eq!(
            (&family["device"], &family["current"]),
            (&json!("notes-app/1.2"), &json!(false))
        );
        let by_token = served
            .call("GET", "/auth/sessions", &token, &Value::Null)
            .await;
        let by_token = by_token.json();
        let current: Vec<_> = by_token["sessions"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|one| one["current"] == json!(true))
            .collect();
        assert_eq!((current.len(), &current[0]["id"]), (1, &family["id"]));
        assert_eq!(list(&eve, &served).await.len(), 1);

        let past = Timestamp::now().get() - std::time::Duration::from_secs(1);
        sql!("update palisade_token_families set expires_at = {past}")
            .execute(&served.db)
            .await
            .expect("it is written");
        assert_eq!(
            list(&browser, &served).await.len(),
            1,
            "what is over is not shown"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ends_one_at_once_when_its_owner_is_fresh_and_nobody_elses() {
    for place in places().await {
        let served = serve(&place).await;
        let mut ann = Browser::of(&served, "ann@example.org").await;
        let thief = Browser::signed_in(&served, "ann@example.org").await;
        let tokens = served
            .sign_in("ann@example.org", crate::harness::PASSWORD)
            .await;
        let token = tokens.text_of("access_token");
        let mut eve = Browser::of(&served, "eve@example.org").await;
        assert_eq!(thief.get(&served, "/auth/me").await, 200);
        assert_eq!(served.me(&token).await.status, 200);
        let others: Vec<String> = list(&ann, &served)
            .await
            .iter()
            .filter(|one| one["current"] == json!(false))
            .map(|one| format!("/auth/sessions/{}", one["id"].as_str().unwrap()))
            .collect();
        assert_eq!(others.len(), 2, "on {}", place.name);
        for path in &others {
            let answer = eve.call(&served, "DELETE", path, &Value::Null).await;
            assert_eq!(answer.status, 404, "not hers, and not told of");
        }
        grow_stale(&served).await;
        // A new process, which has found nobody good yet.
        served.stop().await;
        let served = serve(&place).await;
        for browser in [&thief, &ann] {
            assert_eq!(browser.get(&served, "/auth/me").await, 200);
        }
        let refused = ann.call(&served, "DELETE", &others[0], &Value::Null).await;
        assert_eq!(refused.status, 401);
        assert_eq!(refused.text_of("reauthenticate"), "/auth/reauthenticate");
        assert_eq!(ann.reauthenticate(&served).await.status, 200);
        for path in &others {
            let answer = ann.call(&served, "DELETE", path, &Value::Null).await;
            assert_eq!(answer.status, 204, "{}", answer.text);
            let again = ann.call(&served, "DELETE", path, &Value::Null).await;
            assert_eq!(again.status, 404);
        }
        assert_eq!(thief.get(&served, "/auth/me").await, 401);
        assert_eq!(served.me(&token).await.status, 401);
        assert_eq!(
            served
                .refresh(&tokens.text_of("refresh_token"))
                .await
                .status,
            401
        );
        for path in [
            "/auth/sessions/x",
            "/auth/sessions/0198c1f0-6d2e-7c3a-9f3e-2f6a1b7c8d9e",
        ] {
            let answer = ann.call(&served, "DELETE", path, &Value::Null).await;
            assert_eq!(answer.status, 404, "{path}");
        }
        assert_eq!(list(&ann, &served).await.len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ends_all_others_and_keeps_the_one_that_asks() {
    for place in places().await {
        let served = serve(&place).await;
        let mut ann = Browser::of(&served, "ann@example.org").await;
        let other = Browser::signed_in(&served, "ann@example.org").await;
        let tokens = served
            .sign_in("ann@example.org", crate::harness::PASSWORD)
            .await;
        let token = tokens.text_of("access_token");
        let eve = Browser::of(&served, "eve@example.org").await;
        for browser in [&ann, &other, &eve] {
            assert_eq!(browser.get(&served, "/auth/me").await, 200);
        }
        assert_eq!(served.me(&token).await.status, 200);
        let answer = ann
            .call(&served, "DELETE", "/auth/sessions", &Value::Null)
            .await;
        assert_eq!(
            (answer.status, answer.text.as_str()),
            (204, ""),
            "on {}",
            place.name
        );
        assert_eq!(other.get(&served, "/auth/me").await, 401);
        assert_eq!(served.me(&token).await.status, 401);
        assert_eq!(ann.get(&served, "/auth/me").await, 200);
        assert_eq!(eve.get(&served, "/auth/me").await, 200);

        let tokens = served
            .sign_in("ann@example.org", crate::harness::PASSWORD)
            .await;
        let token = tokens.text_of("access_token");
        let answer = served
            .call("DELETE", "/auth/sessions", &token, &Value::Null)
            .await;
        assert_eq!(answer.status, 204);
        assert_eq!(ann.get(&served, "/auth/me").await, 401);
        assert_eq!(served.me(&token).await.status, 200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ends_everything_where_the_app_says_so() {
    #[post("/leaked")]
    async fn leaked(user: SignedIn, accounts: auth::Accounts) -> Result<NoContent> {
        accounts.sign_out_everywhere(user.id).await?;
        Ok(NoContent)
    }
    let place = place().await;
    let app = place.app_with(&[("PALISADE_AUTH__RECHECK_AFTER", "10s")], routes![leaked]);
    let served = Served::of(app.expect("it is built")).await;
    let mut ann = Browser::of(&served, "ann@example.org").await;
    let other = Browser::signed_in(&served, "ann@example.org").await;
    let token = served
        .sign_in("ann@example.org", crate::harness::PASSWORD)
        .await;
    let token = token.text_of("access_token");
    assert_eq!(served.me(&token).await.status, 200);
    for browser in [&ann, &other] {
        assert_eq!(browser.get(&served, "/auth/me").await, 200);
    }
    let answer = ann.call(&served, "POST", "/leaked", &Value::Null).await;
    assert_eq!(answer.status, 204);
    for browser in [&ann, &other] {
        assert_eq!(browser.get(&served, "/auth/me").await, 401);
    }
    assert_eq!(served.me(&token).await.status, 401);
}
