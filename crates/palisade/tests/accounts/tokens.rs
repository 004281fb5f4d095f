//! Access tokens: what they are made of, and when they end.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use palisade::prelude::*;
use serde_json::{Value, json};

use crate::harness::{PASSWORD, place, places};

fn part(token: &str, at: usize) -> Value {
    let part = token.split('.').nth(at).expect("three parts");
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).expect("base64url")).expect("JSON")
}

#[tokio::test(flavor = "multi_thread")]
async fn are_checked_by_others_with_the_published_key() {
    let place = place().await;
    for (algorithm, kty) in [("EdDSA", "OKP"), ("ES256", "EC")] {
        let served = place
            .serve(&[("PALISADE_AUTH__TOKEN_ALGORITHM", algorithm)])
            .await;
        let email = format!("{algorithm}@example.org");
        let token = served.account(&email).await.text_of("access_token");
        let head = part(&token, 0);
        assert_eq!(
            (&head["alg"], &head["typ"]),
            (&json!(algorithm), &json!("at+jwt"))
        );
        let claims = part(&token, 1);
        for name in ["iss", "aud", "sub", "sid", "exp", "nbf", "iat", "jti"] {
            assert!(!claims[name].is_null(), "{name} is missing");
        }
        assert_eq!(
            claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(),
            900
        );

        let answer = served
            .call("GET", "/.well-known/jwks.json", "", &Value::Null)
            .await;
        let keys = answer.json();
        assert_eq!(
            (answer.status, keys["keys"].as_array().map(Vec::len)),
            (200, Some(1))
        );
        let key = &keys["keys"][0];
        assert_eq!(
            (&key["kid"], &key["alg"], &key["use"], &key["kty"]),
            (&head["kid"], &json!(algorithm), &json!("sig"), &json!(kty))
        );
        assert!(
            key["d"].is_null() && key["k"].is_null(),
            "nothing private: {key}"
        );
        // As another service would, with a library that knows nothing of us.
        let jwk: jsonwebtoken::jwk::Jwk = serde_json::from_value(key.clone()).expect("a JWK");
        let mut rules = jsonwebtoken::Validation::new(algorithm.parse().expect("an algorithm"));
        rules.set_audience(&["palisade"]);
        rules.set_issuer(&["palisade"]);
        let checked = jsonwebtoken::decode::<Value>(
            &token,
            &jsonwebtoken::DecodingKey::from_jwk(&jwk).expect("a key"),
            &rules,
        );
        assert_eq!(checked.expect("it is good").claims["sub"], claims["sub"]);
    }
    let served = place
        .serve(&[("PALISADE_AUTH__TOKEN_ALGORITHM", "HS256")])
        .await;
    let token = served
        .sign_in("EdDSA@example.org", PASSWORD)
        .await
        .text_of("access_token");
    assert_eq!(part(&token, 0)["alg"], "HS256");
    assert_eq!(served.me(&token).await.status, 200);
    let answer = served
        .call("GET", "/.well-known/jwks.json", "", &Value::Null)
        .await;
    assert_eq!(
        answer.json(),
        json!({"keys": []}),
        "a shared key is published nowhere"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn are_accepted_through_a_rotation_and_published_before_and_after() {
    let place = place().await;
    let served = place.serve(&[]).await;
    let old = served
        .account("ann@example.org")
        .await
        .text_of("access_token");
    let keys = async |served: &crate::harness::Served| {
        let answer = served
            .call("GET", "/.well-known/jwks.json", "", &Value::Null)
            .await;
        let keys = answer.json()["keys"].as_array().cloned().expect("a list");
        keys.iter()
            .map(|key| key["kid"].clone())
            .collect::<Vec<_>>()
    };
    let first = keys(&served).await;
    served.stop().await;
    let next = palisade::secret::key::Key::generate_text();
    let next = next.expose().as_str();
    // The next key is made known first and signs nothing yet, so that no instance and no cache meets it unprepared.
    let served = place.serve(&[("PALISADE_SECRET_KEY_PREVIOUS", next)]).await;
    assert_eq!(keys(&served).await.len(), 2);
    assert_eq!(keys(&served).await[0], first[0]);
    assert_eq!(served.me(&old).await.status, 200);
    served.stop().await;
    let swapped = [
        ("PALISADE_SECRET_KEY", next),
        ("PALISADE_SECRET_KEY_PREVIOUS", &place.key),
    ];
    let served = place.serve(&swapped).await;
    assert_eq!(keys(&served).await[1], first[0]);
    assert_eq!(served.me(&old).await.status, 200);
    let new = served
        .sign_in("ann@example.org", PASSWORD)
        .await
        .text_of("access_token");
    assert_ne!(part(&new, 0)["kid"], first[0]);
    served.stop().await;
    let served = place.serve(&swapped[..1]).await;
    assert_eq!(
        (served.me(&old).await.status, served.me(&new).await.status),
        (401, 200)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn end_at_once_with_their_sign_in_and_not_with_another() {
    for place in places().await {
        let served = place
            .serve(&[("PALISADE_AUTH__RECHECK_AFTER", "10s")])
            .await;
        let here = served.account("ann@example.org").await;
        let there = served.sign_in("ann@example.org", PASSWORD).await;
        let (one, two) = (here.text_of("access_token"), there.text_of("access_token"));
        let refreshed = served.refresh(&here.text_of("refresh_token")).await;
        let three = refreshed.text_of("access_token");
        for token in [&one, &two, &three] {
            assert_eq!(served.me(token).await.status, 200);
        }
        assert_eq!(
            served
                .call("POST", "/auth/sign-out", &one, &Value::Null)
                .await
                .status,
            204
        );
        let statuses = [
            served.me(&one).await.status,
            served.me(&two).await.status,
            served.me(&three).await.status,
        ];
        assert_eq!(statuses, [401, 200, 401], "on {}", place.name);
        assert_eq!(
            served
                .refresh(&refreshed.text_of("refresh_token"))
                .await
                .status,
            401
        );
        assert_eq!(
            served.refresh(&there.text_of("refresh_token")).await.status,
            200
        );
        assert_eq!(
            served
                .call("POST", "/auth/sign-out", &one, &Value::Null)
                .await
                .status,
            401
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn end_at_once_when_an_old_refresh_token_comes_back() {
    let place = place().await;
    let served = place
        .serve(&[("PALISADE_AUTH__RECHECK_AFTER", "10s")])
        .await;
    let first = served.account("ann@example.org").await;
    let second = served.refresh(&first.text_of("refresh_token")).await;
    let access = second.text_of("access_token");
    assert_eq!(served.me(&access).await.status, 200);
    assert_eq!(
        served
            .refresh_from("198.51.100.7", &first.text_of("refresh_token"))
            .await
            .status,
        401
    );
    assert_eq!(
        served.me(&access).await.status,
        401,
        "found good a moment ago, and forgotten"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn end_on_every_instance_within_the_time_to_recheck() {
    for place in places().await {
        let strict = [("PALISADE_AUTH__RECHECK_AFTER", "0s")];
        let (here, there) = (place.serve(&[]).await, place.serve(&[]).await);
        let exact = place.serve(&strict).await;
        let token = here
            .account("ann@example.org")
            .await
            .text_of("access_token");
        for served in [&here, &there, &exact] {
            assert_eq!(served.me(&token).await.status, 200);
        }
        assert_eq!(
            here.call("POST", "/auth/sign-out", &token, &Value::Null)
                .await
                .status,
            204
        );
        assert_eq!(exact.me(&token).await.status, 401, "on {}", place.name);
        let ended = std::time::Instant::now();
        while there.me(&token).await.status == 200 {
            assert!(ended.elapsed().as_secs() < 30, "it never ended there");
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn end_with_their_account() {
    for place in places().await {
        let served = place.serve(&[("PALISADE_AUTH__RECHECK_AFTER", "0s")]).await;
        let answer = served.account("ann@example.org").await;
        sql!("delete from palisade_accounts")
            .execute(&served.db)
            .await
            .expect("it is gone");
        assert_eq!(
            served.me(&answer.text_of("access_token")).await.status,
            401,
            "on {}",
            place.name
        );
        assert_eq!(
            served
                .refresh(&answer.text_of("refresh_token"))
                .await
                .status,
            401
        );
    }
}
