//! The data of an account, handed to its owner: whole, of nobody else, and only after a fresh proof.

use std::time::Duration;

use palisade::prelude::*;
use serde_json::{Value, json};

use crate::deletion::{letter, many_letters};
use crate::harness::{Answer, Served, place, places};

async fn export(served: &Served, token: &str) -> Answer {
    served
        .call("GET", "/auth/export", token, &Value::Null)
        .await
}

/// A body that came in pieces, put together.
fn whole(answer: &Answer) -> String {
    if answer.header("transfer-encoding") != Some("chunked") {
        return answer.text.clone();
    }
    let (mut text, mut rest) = (String::new(), answer.text.as_str());
    while let Some((length, more)) = rest.split_once("\r\n") {
        let length = usize::from_str_radix(length, 16).expect("a length");
        if length == 0 {
            return text;
        }
        text.push_str(&more[..length]);
        rest = &more[length + 2..];
    }
    panic!("it was cut short: {text}")
}

#[tokio::test(flavor = "multi_thread")]
async fn tells_the_account_and_what_it_owns_and_no_more() {
    for place in places().await {
        let served = place.serve(&[]).await;
        let token = served
            .account("ann@example.org")
            .await
            .text_of("access_token");
        let bobs = served
            .account("bob@example.org")
            .await
            .text_of("access_token");
        let (ann, bob) = (served.id_of(&token).await, served.id_of(&bobs).await);
        letter(&served.db, ann, "to \"bob\"").await;
        letter(&served.db, bob, "to ann").await;
        letter(&served.db, ann, "to cem").await;
        let answer = export(&served, &token).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        assert_eq!(answer.header("content-type"), Some("application/json"));
        assert_eq!(
            answer.header("content-disposition"),
            Some("attachment; filename=\"account.json\"")
        );
        assert!(
            answer
                .header("cache-control")
                .is_some_and(|value| value.contains("no-store"))
        );
        let document: Value = serde_json::from_str(&whole(&answer)).expect("JSON");
        let (account, letters) = (&document["account"], &document["data"]["letters"]);
        let sign_in = &account["sign_ins"][0];
        assert_eq!(
            document,
            json!({
                "exported_at": document["exported_at"],
                "account": {
                    "id": ann.to_string(), "email": "ann@example.org", "email_verified_at": null,
                    "created_at": account["created_at"], "roles": [], "second_factor_since": null, "api_keys": [],
                    "sign_ins": [{
                        "kind": "tokens", "device": "", "created_at": sign_in["created_at"], "last_used_at": sign_in["last_used_at"],
                        "expires_at": sign_in["expires_at"]
                    }]
                },
                "data": {"letters": [
                    {"id": letters[0]["id"], "subject": "to \"bob\""},
                    {"id": letters[1]["id"], "subject": "to cem"}
                ]},
                "complete": true
            }),
            "on {}",
            place.name
        );
        for time in [
            &document["exported_at"],
            &account["created_at"],
            &sign_in["expires_at"],
        ] {
            assert!(
                time.as_str().is_some_and(|time| time.ends_with('Z')),
                "{time}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn asks_for_a_fresh_proof() {
    let place = place().await;
    let served = place.serve(&[]).await;
    assert_eq!(export(&served, "").await.status, 401);
    let token = served
        .account("ann@example.org")
        .await
        .text_of("access_token");
    let then = Timestamp::now().get() - Duration::from_secs(600);
    sql!("update palisade_token_families set created_at = {then}")
        .execute(&served.db)
        .await
        .expect("it is written");
    let stale = export(&served, &token).await;
    assert_eq!(
        stale.text_of("type"),
        "urn:palisade:problem:reauthentication-required"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn sends_many_rows_in_pieces_and_says_when_it_left_some_out() {
    const MANY: i64 = 100_001;
    for place in places().await {
        let served = place.serve(&[]).await;
        let token = served
            .account("ann@example.org")
            .await
            .text_of("access_token");
        let ann = served.id_of(&token).await;
        many_letters(&place, ann, MANY).await;
        let answer = export(&served, &token).await;
        let document: Value = serde_json::from_str(&whole(&answer)).expect("JSON");
        let letters = document["data"]["letters"].as_array().expect("a list");
        assert_eq!(letters.len(), 100_000, "on {}", place.name);
        assert_eq!(letters[99_999]["subject"], "letter 100000");
        assert_eq!(document["complete"], false);
    }
}
