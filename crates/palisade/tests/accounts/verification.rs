//! Addresses are shown to be their owners', and sign-up tells nobody who has an account.

use std::time::Duration;

use palisade::prelude::*;
use serde_json::{Value, json};

use crate::harness::{Answer, PASSWORD, Served, place, places, token_of};

const REQUIRED: (&str, &str) = ("PALISADE_AUTH__REQUIRE_VERIFIED_EMAIL", "true");
const WRONG: &str = "three unrelated worms";
const CONFIRM: &str = "Confirm your e-mail address";

/// Without what differs between any two answers.
fn shape(answer: &Answer) -> (u16, Vec<String>, Value) {
    let names = answer.headers.iter().map(|(name, _)| name.clone());
    let mut json = answer.json();
    json["request_id"] = Value::Null;
    json["email"] = Value::Null;
    (answer.status, names.collect(), json)
}

async fn verify(served: &Served, token: &str) -> Answer {
    served.post("/auth/verify", json!({"token": token})).await
}

#[tokio::test(flavor = "multi_thread")]
async fn let_an_account_sign_in_once_its_address_is_verified() {
    for place in places().await {
        let served = place.serve(&[REQUIRED]).await;
        assert_eq!(
            served.sign_up("Ann@example.org", PASSWORD).await.status,
            201
        );
        let token = place.mails.token("ann@example.org", CONFIRM).await;
        assert_eq!(
            served.sign_in("ann@example.org", PASSWORD).await.status,
            401,
            "on {}",
            place.name
        );
        let verified = verify(&served, &token).await;
        assert_eq!(verified.status, 204, "{}", verified.text);
        let signed_in = served.sign_in("ann@example.org", PASSWORD).await;
        assert_eq!(signed_in.status, 200, "{}", signed_in.text);
        let again = verify(&served, &token).await;
        assert_eq!(again.status, 400);
        assert_eq!(again.json()["type"], "urn:palisade:problem:invalid-token");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn answer_an_unverified_account_like_a_wrong_password() {
    let place = place().await;
    let served = place.serve(&[REQUIRED]).await;
    for email in ["ann@example.org", "bob@example.org"] {
        assert_eq!(served.sign_up(email, PASSWORD).await.status, 201);
    }
    // Right and unverified, wrong and unverified, nobody: to the last of the tries that are counted, and the waits after them.
    let mut all = Vec::new();
    for (email, password) in [
        ("ann@example.org", PASSWORD),
        ("bob@example.org", WRONG),
        ("nobody@example.org", PASSWORD),
    ] {
        let mut answers = Vec::new();
        for number in 0..7 {
            let client = format!("10.{number}.7.{}", all.len());
            let body = json!({"email": email, "password": password});
            let answer = served.call_from(&client, "POST", "/auth/sign-in", "", &body);
            answers.push(shape(&answer.await));
            if number >= 4 {
                let past = Timestamp::now().get() - Duration::from_secs(1);
                sql!("update palisade_sign_in_attempts set blocked_until = {past}")
                    .execute(&served.db)
                    .await
                    .expect("written");
            }
        }
        all.push(answers);
    }
    assert_eq!(all[0][0].0, 401);
    assert_eq!(all[0], all[1]);
    assert_eq!(all[0], all[2]);
}

#[tokio::test(flavor = "multi_thread")]
async fn sign_up_a_taken_address_like_a_free_one_and_tell_its_owner() {
    for place in places().await {
        let served = place.serve(&[REQUIRED]).await;
        let free = served.sign_up("ann@example.org", PASSWORD).await;
        let verify_token = place.mails.token("ann@example.org", CONFIRM).await;
        let taken = served
            .sign_up("ann@example.org", "seven other silver spoons")
            .await;
        assert_eq!(shape(&free), shape(&taken), "on {}", place.name);
        let mail = place
            .mails
            .next("ann@example.org", "You have an account already")
            .await;
        // Nothing was changed by it.
        assert_eq!(verify(&served, &verify_token).await.status, 204);
        assert_eq!(
            served.sign_in("ann@example.org", PASSWORD).await.status,
            200
        );
        // Its link lets the owner choose a password, whoever chose the first one.
        let token = token_of(mail.body());
        let body = json!({"token": token, "password": "seven other silver spoons"});
        assert_eq!(served.post("/auth/reset/confirm", body).await.status, 204);
        let signed_in = served.sign_in("ann@example.org", "seven other silver spoons");
        assert_eq!(signed_in.await.status, 200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn resend_to_the_unverified_alone_and_tell_nobody() {
    for place in places().await {
        let served = place.serve(&[REQUIRED]).await;
        served.sign_up("ann@example.org", PASSWORD).await;
        let first = place.mails.token("ann@example.org", CONFIRM).await;
        let resend = async |email: &str| {
            let answer = served
                .post("/auth/verify/resend", json!({"email": email}))
                .await;
            assert_eq!(answer.status, 202, "{}", answer.text);
            shape(&answer)
        };
        let unverified = resend("ann@example.org").await;
        let second = place.mails.token("ann@example.org", CONFIRM).await;
        assert_eq!(
            verify(&served, &first).await.status,
            400,
            "the newest alone is good"
        );
        assert_eq!(verify(&served, &second).await.status, 204);
        let verified = resend("ann@example.org").await;
        let nobody = resend("nobody@example.org").await;
        assert_eq!(unverified, verified);
        assert_eq!(unverified, nobody);
        served.stop().await;
        assert_eq!(place.mails.count("ann@example.org"), 0);
        assert_eq!(place.mails.count("nobody@example.org"), 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn refuse_tokens_that_are_over_or_for_something_else() {
    for place in places().await {
        let served = place.serve(&[]).await;
        served.sign_up("ann@example.org", PASSWORD).await;
        let token = place.mails.token("ann@example.org", CONFIRM).await;
        let new = json!({"token": token, "password": "seven other silver spoons"});
        assert_eq!(served.post("/auth/reset/confirm", new).await.status, 400);
        for path in ["/auth/email/confirm", "/auth/email/cancel"] {
            let body = json!({"token": token});
            assert_eq!(served.post(path, body).await.status, 400, "{path}");
        }
        for bad in ["", "A", &"A".repeat(43), &"A".repeat(2000), &token[1..]] {
            let status = verify(&served, bad).await.status;
            assert!([400, 422].contains(&status), "{bad}: {status}");
        }
        let past = Timestamp::now().get() - Duration::from_secs(1);
        sql!("update palisade_mail_tokens set expires_at = {past}")
            .execute(&served.db)
            .await
            .expect("written");
        assert_eq!(
            verify(&served, &token).await.status,
            400,
            "on {}",
            place.name
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn let_everybody_sign_in_where_nothing_is_required() {
    let place = place().await;
    // Development, where nothing else is said: nobody has to look for a mail first.
    let served = place.serve(&[]).await;
    served.account("ann@example.org").await;
}
