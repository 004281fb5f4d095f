//! The life of a key: rotated, used, ended, swept, and what is left of it in the database.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use palisade::prelude::*;
use serde_json::{Value, json};

use super::{DAY, get, is_time, key, list, looks, mix, person, serve, thing, time_of, uuid};
use crate::harness::{Answer, PASSWORD, Served, place, places};

async fn rotate(served: &Served, person: &str, id: &str, body: &Value) -> Answer {
    let path = format!("/auth/api-keys/{id}/rotate");
    served.call("POST", &path, person, body).await
}

#[tokio::test(flavor = "multi_thread")]
async fn overlap_when_they_are_rotated_and_not_for_longer() {
    for place in places().await {
        let served = serve(&place, &[("PALISADE_AUTH__RECHECK_AFTER", "10s")]).await;
        let ann = person(&served, "ann@example.org").await;
        let (first, id) = key(&served, &ann, &["things.look"]).await;
        assert_eq!(looks(&served, &first).await, 200);
        noted(&served, &ann).await;
        let rotated = rotate(&served, &ann, &id, &json!({})).await;
        assert_eq!(rotated.status, 200, "on {}: {}", place.name, rotated.text);
        let second = rotated.text_of("key");
        let details = &rotated.json()["details"];
        assert!(is_time(&details["old_key_until"], DAY));
        assert_eq!(details["id"], id.as_str());
        assert_ne!(first, second);
        assert_eq!(first[..24], second[..24]);
        // Its answer was lost: what the programs have goes on, and the one that nobody ever had is gone.
        let third = rotate(&served, &ann, &id, &json!({})).await.text_of("key");
        assert_eq!(
            [
                looks(&served, &second).await,
                looks(&served, &first).await,
                looks(&served, &third).await
            ],
            [401, 200, 200]
        );
        // It is in use now, however busy the first one is, so that one has had its time.
        until(async || {
            let used: bool =
                sql!("select secret_used from palisade_api_keys where id = {uuid(&id)}")
                    .one(&served.db)
                    .await
                    .expect("it is there");
            used
        })
        .await;
        let fourth = rotate(&served, &ann, &id, &json!({})).await.text_of("key");
        assert_eq!(
            [
                looks(&served, &first).await,
                looks(&served, &third).await,
                looks(&served, &fourth).await
            ],
            [401, 200, 200]
        );
        let past = Timestamp::now().get() - Duration::from_secs(1);
        sql!("update palisade_api_keys set previous_until = {past} where id = {uuid(&id)}")
            .execute(&served.db)
            .await
            .expect("the overlap is over");
        served.stop().await;
        let served = serve(&place, &[]).await;
        assert_eq!(
            [looks(&served, &third).await, looks(&served, &fourth).await],
            [401, 200]
        );
        // Without an overlap the old one ends with the answer.
        let fifth = rotate(&served, &ann, &id, &json!({"overlap_seconds": 0})).await;
        assert_eq!(fifth.json()["details"]["old_key_until"], Value::Null);
        assert_eq!(
            [
                looks(&served, &fourth).await,
                looks(&served, &fifth.text_of("key")).await
            ],
            [401, 200]
        );
    }
}

/// Waits until it holds, as what is done beside a request has no time of its own.
async fn until(holds: impl AsyncFn() -> bool) {
    for _ in 0..600 {
        if holds().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("it never came");
}

/// Waits until the use of the one key is noted.
async fn noted(served: &Served, person: &str) {
    until(async || {
        let keys = list(served, person).await;
        !keys[0]["last_used_at"].is_null()
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rotate_once_however_many_ask_at_once() {
    for place in places().await {
        let served = Arc::new(serve(&place, &[]).await);
        let ann = person(&served, "ann@example.org").await;
        let (_, id) = key(&served, &ann, &["things.look"]).await;
        let many = (0..10).map(|_| {
            let (served, ann, id) = (Arc::clone(&served), ann.clone(), id.clone());
            tokio::spawn(async move { rotate(&served, &ann, &id, &json!({})).await })
        });
        let mut keys = Vec::new();
        for one in many.collect::<Vec<_>>() {
            let answer = one.await.expect("it ends");
            match answer.status {
                200 => keys.push(answer.text_of("key")),
                status => assert_eq!(status, 409, "{}", answer.text),
            }
        }
        let mut good = 0;
        for key in &keys {
            good += usize::from(looks(&served, key).await == 200);
        }
        assert!(!keys.is_empty());
        assert_eq!(
            good, 1,
            "on {}: the last one that was handed out",
            place.name
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn end_at_once_here_and_within_a_moment_elsewhere() {
    for place in places().await {
        let served = serve(&place, &[("PALISADE_AUTH__RECHECK_AFTER", "10s")]).await;
        let other = serve(&place, &[("PALISADE_AUTH__RECHECK_AFTER", "1s")]).await;
        let ann = person(&served, "ann@example.org").await;
        let (one, id) = key(&served, &ann, &["things.look"]).await;
        let (two, _) = key(&served, &ann, &["things.look"]).await;
        for (served, key) in [(&served, &one), (&other, &one), (&served, &two)] {
            assert_eq!(looks(served, key).await, 200, "on {}", place.name);
        }
        let eve = person(&served, "eve@example.org").await;
        let path = format!("/auth/api-keys/{id}");
        let end = async |person: &str| served.call("DELETE", &path, person, &Value::Null).await;
        assert_eq!(end(&eve).await.status, 404);
        assert_eq!(rotate(&served, &eve, &id, &json!({})).await.status, 404);
        assert_eq!(looks(&served, &one).await, 200);
        assert_eq!(end(&ann).await.status, 204);
        assert_eq!(
            [looks(&served, &one).await, looks(&served, &two).await],
            [401, 200]
        );
        until(async || looks(&other, &one).await == 401).await;
        assert_eq!(end(&ann).await.status, 404);
        assert_eq!(list(&served, &ann).await.len(), 1);
        assert_eq!(list(&served, &eve).await.len(), 0);
        // A key that another instance rotated is known here with its new secret, before anything is looked up anew.
        assert_eq!(looks(&other, &two).await, 200);
        let id = list(&served, &ann).await[0]["id"].clone();
        let rotated = rotate(&served, &ann, id.as_str().expect("an id"), &json!({})).await;
        assert_eq!(looks(&other, &rotated.text_of("key")).await, 200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn count_by_key_and_not_by_owner_or_address() {
    let place = place().await;
    let served = serve(&place, &[]).await;
    let ann = person(&served, "ann@example.org").await;
    let (one, _) = key(&served, &ann, &["things.touch"]).await;
    let (two, _) = key(&served, &ann, &["things.touch"]).await;
    let touch = async |client: &str, key: &str| {
        let answer = served.call_from(client, "POST", "/touch", key, &Value::Null);
        answer.await.status
    };
    let mut statuses = Vec::new();
    for number in 0..4 {
        statuses.push(touch(&format!("192.0.2.{number}"), &one).await);
    }
    assert_eq!(statuses, [201, 201, 201, 429]);
    assert_eq!(touch("192.0.2.1", &two).await, 201);
    // Guessing counts by address.
    let mut statuses = Vec::new();
    for _ in 0..4 {
        statuses.push(touch("198.51.100.1", "pak_guess").await);
    }
    assert_eq!(statuses, [401, 401, 401, 429]);
}

#[tokio::test(flavor = "multi_thread")]
async fn are_noted_when_used_and_at_most_once_a_minute() {
    for place in places().await {
        let served = serve(&place, &[("PALISADE_AUTH__RECHECK_AFTER", "0s")]).await;
        let ann = person(&served, "ann@example.org").await;
        let (text, id) = key(&served, &ann, &["things.look"]).await;
        assert_eq!(list(&served, &ann).await[0]["last_used_at"], Value::Null);
        assert_eq!(
            get(
                &served,
                "/look",
                &mix(&id, &key(&served, &ann, &["things.look"]).await.0)
            )
            .await
            .status,
            401
        );
        assert_eq!(looks(&served, &text).await, 200);
        let last = async || {
            let keys = list(&served, &ann).await;
            let own = keys.iter().find(|key| key["id"] == id.as_str());
            own.expect("it is listed")["last_used_at"].clone()
        };
        until(async || !last().await.is_null()).await;
        let first = last().await;
        assert!(is_time(&first, Duration::ZERO), "on {}", place.name);
        for _ in 0..5 {
            assert_eq!(looks(&served, &text).await, 200);
        }
        let then = time_of(first.as_str().expect("a time")) - Duration::from_secs(61);
        assert_eq!(last().await, first);
        sql!("update palisade_api_keys set last_used_at = {then} where id = {uuid(&id)}")
            .execute(&served.db)
            .await
            .expect("a minute has passed");
        assert_eq!(looks(&served, &text).await, 200);
        until(async || is_time(&last().await, Duration::ZERO)).await;
    }
}

/// Nothing of a secret stands in the database, in whatever form.
#[tokio::test(flavor = "multi_thread")]
async fn are_kept_as_a_hash_alone() {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    for place in places().await {
        let served = serve(&place, &[]).await;
        let ann = person(&served, "ann@example.org").await;
        let (text, id) = key(&served, &ann, &["things.look"]).await;
        assert_eq!(looks(&served, &text).await, 200);
        let next = rotate(&served, &ann, &id, &json!({})).await.text_of("key");
        let listed = get(&served, "/auth/api-keys", &ann).await.text;
        let row: (Vec<u8>, Vec<u8>) = {
            let one: Vec<u8> =
                sql!("select secret_hash from palisade_api_keys where id = {uuid(&id)}")
                    .one(&served.db)
                    .await
                    .expect("a hash");
            let two: Vec<u8> =
                sql!("select previous_hash from palisade_api_keys where id = {uuid(&id)}")
                    .one(&served.db)
                    .await
                    .expect("a hash");
            (one, two)
        };
        for (text, kept) in [(&next, &row.0), (&text, &row.1)] {
            use sha2::Digest as _;
            let bytes = URL_SAFE_NO_PAD.decode(&text[4..]).expect("base64url");
            assert_eq!(kept[..], sha2::Sha256::digest(&bytes[..48])[..]);
            assert!(!listed.contains(&text[26..]), "on {}", place.name);
        }
        assert!(listed.contains(&text[..24]));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn keep_an_app_from_starting_that_does_not_know_their_scope() {
    for place in places().await {
        let served = serve(&place, &[]).await;
        let ann = person(&served, "ann@example.org").await;
        key(&served, &ann, &["things.look", "things.touch"]).await;
        served.stop().await;
        // The same app without two of its routes.
        let app = place.app_with(&[], routes![thing]).expect("it is built");
        let refusal = app.start().await.err();
        let refusal = refusal.expect("it does not start").to_string();
        let expected =
            "the database gives an API key the scope `things.touch`, which no route asks for";
        assert!(refusal.contains(expected), "on {}: {refusal}", place.name);
        assert!(!refusal.contains("things.look"), "{refusal}");
        serve(&place, &[]).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn are_swept_when_they_have_been_over_for_long() {
    for place in places().await {
        let served = serve(&place, &[]).await;
        let ann = person(&served, "ann@example.org").await;
        let mut ids = HashSet::new();
        for days in [0_u64, 29, 31] {
            let (_, id) = key(&served, &ann, &["things.look"]).await;
            let then = Timestamp::now().get() - Duration::from_secs(1) - days as u32 * DAY;
            sql!("update palisade_api_keys set expires_at = {then} where id = {uuid(&id)}")
                .execute(&served.db)
                .await
                .expect("it is over");
            ids.insert(id);
        }
        assert_eq!(list(&served, &ann).await.len(), 3);
        served.stop().await;
        // The first sign-in after a start sweeps.
        let served = serve(&place, &[]).await;
        served.sign_in("ann@example.org", PASSWORD).await;
        until(async || list(&served, &ann).await.len() == 2).await;
    }
}
