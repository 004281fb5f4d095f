//! Refresh tokens: rotation, reuse, the grace, races.

use std::collections::HashSet;
use std::sync::Arc;

use palisade::prelude::*;
use serde_json::{Value, json};

use crate::harness::{PASSWORD, Served, place, places};

async fn families(served: &Served) -> i64 {
    sql!("select count(*) from palisade_token_families")
        .one(&served.db)
        .await
        .expect("counted")
}

/// As if the last refresh had been this long ago.
async fn let_pass(served: &Served, seconds: i64) {
    let then = Timestamp::now().get() - std::time::Duration::from_secs(seconds as u64);
    sql!("update palisade_token_families set rotated_at = {then}")
        .execute(&served.db)
        .await
        .expect("it is written");
}

#[tokio::test(flavor = "multi_thread")]
async fn gives_the_next_token_for_each_and_stores_neither() {
    for place in places().await {
        let served = place.serve(&[]).await;
        let first = served.account("ann@example.org").await;
        let mut seen = HashSet::new();
        let mut answer = first;
        for _ in 0..5 {
            let (access, refresh) = (
                answer.text_of("access_token"),
                answer.text_of("refresh_token"),
            );
            assert_eq!(
                (
                    answer.json()["token_type"].clone(),
                    answer.json()["expires_in"].clone()
                ),
                (json!("Bearer"), json!(900))
            );
            assert!(
                answer.json()["refresh_expires_in"]
                    .as_u64()
                    .is_some_and(|left| left > 2_500_000)
            );
            assert_eq!(answer.header("cache-control"), Some("no-store"));
            assert_eq!(served.me(&access).await.status, 200);
            assert!(seen.insert(access) && seen.insert(refresh.clone()));
            let kept: Vec<u8> = sql!("select token_hash from palisade_token_families")
                .one(&served.db)
                .await
                .expect("one family");
            assert_eq!(kept.len(), 32);
            let_pass(&served, 60).await;
            answer = served.refresh(&refresh).await;
            assert_eq!(answer.status, 200, "on {}: {}", place.name, answer.text);
        }
        assert_eq!(families(&served).await, 1);
        for token in &seen {
            assert_eq!(
                served.me(token).await.status,
                if token.starts_with("prt_") { 401 } else { 200 }
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ends_the_whole_family_when_an_old_token_comes_back() {
    for place in places().await {
        let served = place.serve(&[]).await;
        let other = served
            .account("bob@example.org")
            .await
            .text_of("access_token");
        let first = served.account("ann@example.org").await;
        let stolen = first.text_of("refresh_token");
        let second = served.refresh(&stolen).await;
        let third = served.refresh(&second.text_of("refresh_token")).await;
        assert_eq!(third.status, 200);
        let reused = served.refresh(&stolen).await;
        assert_eq!(reused.status, 401, "on {}", place.name);
        assert_eq!(
            served.refresh(&third.text_of("refresh_token")).await.status,
            401
        );
        for answer in [&first, &second, &third] {
            assert_eq!(served.me(&answer.text_of("access_token")).await.status, 401);
        }
        assert_eq!(families(&served).await, 1, "the other account's");
        // This process had just found it good, and finds it good again.
        assert_eq!(served.me(&other).await.status, 200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn gives_a_lost_answer_once_more_to_the_same_client_for_a_moment() {
    for place in places().await {
        let served = place
            .serve(&[("PALISADE_AUTH__REFRESH_GRACE", "30s")])
            .await;
        let first = served
            .account("ann@example.org")
            .await
            .text_of("refresh_token");
        let lost = served.refresh(&first).await.text_of("refresh_token");
        let again = served.refresh(&first).await;
        assert_eq!(again.status, 200, "on {}", place.name);
        assert_eq!(
            again.text_of("refresh_token"),
            lost,
            "never a second line of tokens"
        );
        assert_eq!(served.me(&again.text_of("access_token")).await.status, 200);
        let next = served.refresh(&lost).await;
        assert_eq!(next.status, 200);
        assert_eq!(
            served.refresh(&first).await.status,
            401,
            "its successor was used"
        );
        assert_eq!(families(&served).await, 0);

        // A moment later it is a reuse.
        let first = served
            .sign_in("ann@example.org", PASSWORD)
            .await
            .text_of("refresh_token");
        assert_eq!(served.refresh(&first).await.status, 200);
        let_pass(&served, 31).await;
        assert_eq!(served.refresh(&first).await.status, 401);
        assert_eq!(families(&served).await, 0);

        // A thief somewhere else has no grace.
        let first = served
            .sign_in("ann@example.org", PASSWORD)
            .await
            .text_of("refresh_token");
        let second = served.refresh(&first).await.text_of("refresh_token");
        assert_eq!(
            served.refresh_from("198.51.100.7", &first).await.status,
            401
        );
        assert_eq!(served.refresh(&second).await.status, 401);
        assert_eq!(families(&served).await, 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn gives_one_family_or_none_to_fifty_refreshes_at_once() {
    for place in places().await {
        for (grace, clients) in [("30s", 1), ("30s", 50), ("0s", 1)] {
            let served = Arc::new(
                place
                    .serve(&[("PALISADE_AUTH__REFRESH_GRACE", grace)])
                    .await,
            );
            let email = format!("ann-{grace}-{clients}@example.org");
            let first = served.account(&email).await.text_of("refresh_token");
            let before = families(&served).await;
            let tries = (0..50).map(|number| {
                let (served, first) = (Arc::clone(&served), first.clone());
                let client = format!("192.0.2.{}", number % clients);
                tokio::spawn(async move { served.refresh_from(&client, &first).await })
            });
            let mut given = Vec::new();
            for one in tries.collect::<Vec<_>>() {
                let answer = one.await.expect("no panic");
                match answer.status {
                    200 => given.push(answer.text_of("refresh_token")),
                    status => assert_eq!(status, 401, "{}", answer.text),
                }
            }
            let lines: HashSet<&String> = given.iter().collect();
            assert_eq!(
                lines.len(),
                1,
                "on {}, grace {grace}, {clients} clients",
                place.name
            );
            if (grace, clients) == ("30s", 1) {
                assert_eq!(given.len(), 50, "one client, within its grace");
                assert_eq!(families(&served).await, before);
                assert_eq!(served.refresh(&given[0]).await.status, 200);
            } else {
                assert!(given.len() < 50);
                assert_eq!(families(&served).await, before - 1, "the others were reuse");
                assert_eq!(served.refresh(&given[0]).await.status, 401);
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ends_at_its_own_time_and_when_nobody_refreshes() {
    for place in places().await {
        let served = place.serve(&[]).await;
        let first = served
            .account("ann@example.org")
            .await
            .text_of("refresh_token");
        let_pass(&served, 14 * 86_400).await;
        assert_eq!(
            served.refresh(&first).await.status,
            401,
            "idle for two weeks"
        );
        let first = served.sign_in("ann@example.org", PASSWORD).await;
        let second = served.refresh(&first.text_of("refresh_token")).await;
        let ends = |answer: &crate::harness::Answer| answer.json()["refresh_expires_in"].as_u64();
        assert!(
            ends(&second) <= ends(&first),
            "a refresh gives no more time"
        );
        let past = Timestamp::now().get() - std::time::Duration::from_secs(1);
        sql!("update palisade_token_families set expires_at = {past}")
            .execute(&served.db)
            .await
            .expect("it is written");
        assert_eq!(
            served
                .refresh(&second.text_of("refresh_token"))
                .await
                .status,
            401,
            "its lifetime is over"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn outlives_a_rotation_of_the_secret_key() {
    let place = place().await;
    let served = place.serve(&[]).await;
    let first = served.account("ann@example.org").await;
    let old = first.text_of("refresh_token");
    served.stop().await;
    let next = palisade::secret::key::Key::generate_text();
    let rotated = [
        ("PALISADE_SECRET_KEY", next.expose().as_str()),
        ("PALISADE_SECRET_KEY_PREVIOUS", place.key.as_str()),
    ];
    let served = place.serve(&rotated).await;
    assert_eq!(served.me(&first.text_of("access_token")).await.status, 200);
    let second = served.refresh(&old).await;
    assert_eq!(second.status, 200);
    let third = served.refresh(&second.text_of("refresh_token")).await;
    assert_eq!(
        served.refresh(&old).await.status,
        401,
        "a seal of the old key is still known"
    );
    assert_eq!(
        served.refresh(&third.text_of("refresh_token")).await.status,
        401
    );
    let fresh = served
        .sign_in("ann@example.org", PASSWORD)
        .await
        .text_of("refresh_token");
    served.stop().await;
    let served = place.serve(&rotated[..1]).await;
    assert_eq!(served.refresh(&fresh).await.status, 200);
    assert_eq!(
        served.me(&first.text_of("access_token")).await.status,
        401,
        "its key is gone"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn takes_nothing_that_it_did_not_hand_out_and_ends_no_family_for_it() {
    let place = place().await;
    let served = place.serve(&[]).await;
    let answer = served.account("ann@example.org").await;
    let (access, refresh) = (
        answer.text_of("access_token"),
        answer.text_of("refresh_token"),
    );
    let bytes = refresh.as_bytes();
    let mut wrong = vec![
        access,
        "prt_".to_owned(),
        refresh[4..].to_owned(),
        refresh.to_uppercase(),
        format!("{refresh}A"),
        format!("{refresh}="),
        refresh[..refresh.len() - 1].to_owned(),
        "x".repeat(200),
    ];
    for at in 4..refresh.len() {
        let mut changed = bytes.to_vec();
        changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
        wrong.push(String::from_utf8(changed).expect("ASCII"));
    }
    for token in &wrong {
        assert_eq!(served.refresh(token).await.status, 401, "{token}");
    }
    for body in [
        json!({}),
        json!({"refresh_token": 7}),
        json!({"refresh_token": null}),
        json!({"refresh_token": "x".repeat(2049)}),
        json!({"refresh_token": refresh, "grant": "x"}),
    ] {
        assert_eq!(
            served.call("POST", "/auth/refresh", "", &body).await.status,
            422,
            "{body}"
        );
    }
    assert_eq!(
        served
            .call("GET", "/auth/refresh", "", &Value::Null)
            .await
            .status,
        405
    );
    assert_eq!(
        families(&served).await,
        1,
        "nobody ends a family by guessing"
    );
    assert_eq!(served.refresh(&refresh).await.status, 200);
}
