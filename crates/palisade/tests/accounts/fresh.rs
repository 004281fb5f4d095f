//! Proving oneself again: who is asked to, how a client finds out, and what it gets.

use std::sync::Arc;

use palisade::prelude::*;
use serde_json::{Value, json};

use crate::harness::{Answer, PASSWORD, Place, Served, place, places};

#[output]
struct Who {
    id: Id<Account>,
    authenticated_at: Timestamp,
}

#[get("/guarded")]
async fn guarded(user: Fresh) -> Result<Json<Who>> {
    let at = user.authenticated_at().ok_or_else(Error::internal)?;
    Ok(Json(Who {
        id: user.id,
        authenticated_at: at,
    }))
}

#[post("/beside", limit = "2/h")]
async fn beside(user: SignedIn, fresh: Fresh<15>) -> Result<NoContent> {
    if !fresh.is(user.id) {
        return Err(Error::internal());
    }
    Ok(NoContent)
}

async fn serve(place: &Place) -> Served {
    let app = place.app_with(&[], routes![guarded, beside]);
    Served::of(app.expect("it is built")).await
}

/// As if every sign-in had been this long ago.
async fn let_pass(served: &Served, minutes: u64) {
    let then = Timestamp::now().get() - std::time::Duration::from_secs(minutes * 60);
    sql!("update palisade_token_families set created_at = {then}")
        .execute(&served.db)
        .await
        .expect("it is written");
}

async fn reauthenticate(served: &Served, token: &str, password: &str) -> Answer {
    let body = json!({"password": password});
    served
        .call("POST", "/auth/reauthenticate", token, &body)
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn is_asked_of_an_old_sign_in_and_given_by_the_password_alone() {
    for place in places().await {
        let served = serve(&place).await;
        let first = served.account("ann@example.org").await;
        let token = first.text_of("access_token");
        let get = async |token: &str| served.call("GET", "/guarded", token, &Value::Null).await;
        assert_eq!(get(&token).await.status, 200, "on {}", place.name);
        assert_eq!(
            get("").await.text_of("type"),
            "urn:palisade:problem:unauthorized"
        );
        served.stop().await;

        let served = serve(&place).await;
        let get = async |token: &str| served.call("GET", "/guarded", token, &Value::Null).await;
        let_pass(&served, 5).await;
        let refused = get(&token).await;
        assert_eq!(refused.status, 401);
        assert_eq!(
            refused.header("www-authenticate"),
            Some(
                "Bearer error=\"insufficient_user_authentication\", \
                 error_description=\"a more recent sign-in is required\", max_age=\"300\""
            )
        );
        let mut told = refused.json();
        told.as_object_mut().unwrap().remove("request_id");
        assert_eq!(
            told,
            json!({
                "type": "urn:palisade:problem:reauthentication-required",
                "title": "Prove yourself again first",
                "status": 401,
                "detail": "send the password to the path in `reauthenticate`, then this request once more",
                "reauthenticate": "/auth/reauthenticate",
                "max_age": 300,
            })
        );
        // A refresh is no proof.
        let second = served.refresh(&first.text_of("refresh_token")).await;
        let token = second.text_of("access_token");
        assert_eq!(get(&token).await.status, 401);

        assert_eq!(
            reauthenticate(&served, &token, "not the password")
                .await
                .status,
            401
        );
        assert_eq!(get(&token).await.status, 401);
        let path = told["reauthenticate"].as_str().unwrap();
        let proved = served
            .call("POST", path, &token, &json!({"password": PASSWORD}))
            .await;
        assert_eq!(proved.status, 200, "{}", proved.text);
        let fresh = proved.text_of("access_token");
        let who = get(&fresh).await;
        assert_eq!(who.status, 200);
        assert_eq!(who.text_of("id"), served.me(&fresh).await.text_of("id"));
        assert_eq!(served.me(&token).await.status, 401, "the old sign-in ended");
        assert_eq!(
            served
                .refresh(&second.text_of("refresh_token"))
                .await
                .status,
            401
        );
        assert_eq!(
            served
                .refresh(&proved.text_of("refresh_token"))
                .await
                .status,
            200
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn holds_for_as_long_as_the_route_says_and_counts_the_request_once() {
    let place = place().await;
    let served = serve(&place).await;
    let token = served
        .account("ann@example.org")
        .await
        .text_of("access_token");
    let_pass(&served, 14).await;
    let post = async || served.call("POST", "/beside", &token, &Value::Null).await;
    assert_eq!(
        served
            .call("GET", "/guarded", &token, &Value::Null)
            .await
            .status,
        401
    );
    assert_eq!(post().await.status, 204);
    assert_eq!(
        post().await.status,
        204,
        "two an hour: guard and argument count as one"
    );
    assert_eq!(post().await.status, 429);
    served.stop().await;
    let served = serve(&place).await;
    let_pass(&served, 15).await;
    let refused = served.call("POST", "/beside", &token, &Value::Null).await;
    assert_eq!(
        (refused.status, refused.json()["max_age"].clone()),
        (401, json!(900))
    );
    served.stop().await;
    // A clock that runs ahead is none that makes callers fresh for ever.
    let served = serve(&place).await;
    let ahead = Timestamp::now().get() + std::time::Duration::from_secs(120);
    sql!("update palisade_token_families set created_at = {ahead}")
        .execute(&served.db)
        .await
        .expect("it is written");
    assert_eq!(
        served
            .call("POST", "/beside", &token, &Value::Null)
            .await
            .status,
        401
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn counts_wrong_passwords_as_failed_sign_ins() {
    let place = place().await;
    let served = serve(&place).await;
    let answer = served.account("ann@example.org").await;
    let token = answer.text_of("access_token");
    for _ in 0..5 {
        assert_eq!(
            reauthenticate(&served, &token, "not the password")
                .await
                .status,
            401
        );
    }
    served.prolong_locks().await;
    assert_eq!(reauthenticate(&served, &token, PASSWORD).await.status, 429);
    assert_eq!(
        served.sign_in("ann@example.org", PASSWORD).await.status,
        429
    );
    let known = json!({"password": PASSWORD, "device_token": answer.text_of("device_token")});
    let passed = served
        .call("POST", "/auth/reauthenticate", &token, &known)
        .await;
    assert_eq!(passed.status, 200, "a known device is not locked out");
}

#[tokio::test(flavor = "multi_thread")]
async fn gives_one_sign_in_to_many_who_prove_one_at_once() {
    for place in places().await {
        let served = Arc::new(serve(&place).await);
        let token = served
            .account("ann@example.org")
            .await
            .text_of("access_token");
        let tries: Vec<_> = (0..50)
            .map(|_| {
                let (served, token) = (Arc::clone(&served), token.clone());
                tokio::spawn(async move { reauthenticate(&served, &token, PASSWORD).await })
            })
            .collect();
        let mut won = 0;
        for one in tries {
            let answer = one.await.expect("no panic");
            match answer.status {
                200 => won += 1,
                // Tries at once are failures until one is known to be right, and hashes take turns.
                401 | 429 | 503 => {}
                status => panic!("{status}: {}", answer.text),
            }
        }
        let families: i64 = sql!("select count(*) from palisade_token_families")
            .one(&served.db)
            .await
            .expect("counted");
        assert_eq!((won, families), (1, 1), "on {}", place.name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn does_not_believe_what_another_instance_has_ended() {
    for place in places().await {
        let settings = [("PALISADE_AUTH__RECHECK_AFTER", "10s")];
        let app = place.app_with(&settings, routes![guarded]);
        let here = Served::of(app.expect("it is built")).await;
        let there = Served::of(place.app(&settings).expect("it is built")).await;
        let token = here
            .account("ann@example.org")
            .await
            .text_of("access_token");
        let get = async || {
            here.call("GET", "/guarded", &token, &Value::Null)
                .await
                .status
        };
        assert_eq!(get().await, 200);
        let out = there
            .call("POST", "/auth/sign-out", &token, &Value::Null)
            .await;
        assert_eq!(out.status, 204);
        // For others it may be good for a moment; here nothing may be made that outlives it.
        assert_eq!(get().await, 401, "on {}", place.name);
        here.stop().await;
        there.stop().await;
    }
}
