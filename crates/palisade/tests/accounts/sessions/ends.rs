//! When a session ends: by its owner, by its time, at once and everywhere; many at the same moment.

use std::sync::Arc;
use std::time::Duration;

use palisade::prelude::*;
use serde_json::Value;
use sqlx::{Connection as _, Executor as _, Row as _};

use super::{Browser, SESSION, count, serve, serve_with};
use crate::harness::{Served, place, places};

/// As if every session had been used, and begun, this long ago.
async fn let_pass(served: &Served, used: u64, left: i64) {
    let now = Timestamp::now().get();
    let (used, ends) = (
        now - Duration::from_secs(used),
        now + Duration::from_secs(86_400 * 40) - Duration::from_secs((86_400 * 40 - left) as u64),
    );
    sql!("update palisade_sessions set used_at = {used}, expires_at = {ends}")
        .execute(&served.db)
        .await
        .expect("it is written");
}

async fn used_at(served: &Served) -> Timestamp {
    sql!("select used_at from palisade_sessions")
        .one(&served.db)
        .await
        .expect("one session")
}

#[tokio::test(flavor = "multi_thread")]
async fn ends_at_once_when_its_owner_signs_out() {
    for place in places().await {
        let served = serve(&place).await;
        let mut here = Browser::of(&served, "ann@example.org").await;
        let there = Browser::signed_in(&served, "ann@example.org").await;
        let copy = here.clone();
        for browser in [&here, &there] {
            assert_eq!(browser.get(&served, "/auth/me").await, 200);
        }
        let answer = here
            .call(&served, "DELETE", "/auth/session", &Value::Null)
            .await;
        assert_eq!(
            (answer.status, answer.text.as_str()),
            (204, ""),
            "on {}",
            place.name
        );
        assert_eq!(
            answer.header("set-cookie"),
            Some("__Host-session=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=Lax")
        );
        assert_eq!(here.cookie(SESSION), "");
        assert_eq!(
            copy.get(&served, "/auth/me").await,
            401,
            "found good a moment ago, and forgotten"
        );
        assert_eq!(there.get(&served, "/auth/me").await, 200);
        let mut copy = copy;
        let again = copy
            .call(&served, "DELETE", "/auth/session", &Value::Null)
            .await;
        assert_eq!(again.status, 401);
        assert_eq!(count(&served).await, 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ends_on_every_instance_within_the_time_to_recheck() {
    for place in places().await {
        let strict = [("PALISADE_AUTH__RECHECK_AFTER", "0s")];
        let (here, there) = (serve_with(&place, &[]).await, serve_with(&place, &[]).await);
        let exact = serve_with(&place, &strict).await;
        let browser = Browser::of(&here, "ann@example.org").await;
        for served in [&here, &there, &exact] {
            assert_eq!(browser.get(served, "/auth/me").await, 200);
        }
        let mut copy = browser.clone();
        let out = copy
            .call(&here, "DELETE", "/auth/session", &Value::Null)
            .await;
        assert_eq!(out.status, 204);
        assert_eq!(
            browser.get(&exact, "/auth/me").await,
            401,
            "on {}",
            place.name
        );
        let ended = std::time::Instant::now();
        while browser.get(&there, "/auth/me").await == 200 {
            assert!(ended.elapsed().as_secs() < 30, "it never ended there");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ends_when_it_is_unused_and_at_its_own_time() {
    for place in places().await {
        let settings = [
            ("PALISADE_AUTH__RECHECK_AFTER", "0s"),
            ("PALISADE_AUTH__SESSION_IDLE", "10m"),
            ("PALISADE_AUTH__SESSION_LIFETIME", "1h"),
        ];
        let served = serve_with(&place, &settings).await;
        let browser = Browser::of(&served, "ann@example.org").await;
        let me = async || browser.get(&served, "/auth/me").await;
        let_pass(&served, 590, 60).await;
        assert_eq!(
            me().await,
            200,
            "on {}: nearly idle, and used again",
            place.name
        );
        let_pass(&served, 600, 60).await;
        assert_eq!(me().await, 401, "idle");
        let_pass(&served, 0, 60).await;
        assert_eq!(me().await, 200);
        let_pass(&served, 0, 0).await;
        assert_eq!(
            me().await,
            401,
            "its lifetime is over, however much it was used"
        );

        // What is over is swept out by the next sign-in, and nothing else is.
        let other = Browser::of(&served, "eve@example.org").await;
        served.stop().await;
        let served = serve_with(&place, &settings).await;
        let_pass(&served, 600, 60).await;
        let kept = Browser::signed_in(&served, "ann@example.org").await;
        let asked = std::time::Instant::now();
        while count(&served).await != 1 {
            assert!(asked.elapsed().as_secs() < 30, "nothing was swept out");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        assert_eq!(kept.get(&served, "/auth/me").await, 200);
        assert_eq!(other.get(&served, "/auth/me").await, 401);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn is_marked_as_used_once_a_minute_and_not_at_each_request() {
    for place in places().await {
        let served = serve_with(&place, &[("PALISADE_AUTH__RECHECK_AFTER", "0s")]).await;
        let browser = Browser::of(&served, "ann@example.org").await;
        let_pass(&served, 50, 3_600).await;
        let before = used_at(&served).await;
        assert_eq!(browser.get(&served, "/auth/me").await, 200);
        assert_eq!(used_at(&served).await, before, "on {}", place.name);
        let_pass(&served, 61, 3_600).await;
        let before = used_at(&served).await;
        assert_eq!(browser.get(&served, "/auth/me").await, 200);
        let after = used_at(&served).await;
        assert!(after > before, "{before} {after}");
        assert_eq!(browser.get(&served, "/auth/me").await, 200);
        assert_eq!(used_at(&served).await, after);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn gives_one_new_id_to_fifty_proofs_at_once() {
    for place in places().await {
        let served = Arc::new(serve(&place).await);
        let browser = Browser::of(&served, "ann@example.org").await;
        let tries: Vec<_> = (0..50)
            .map(|_| {
                let (served, mut browser) = (Arc::clone(&served), browser.clone());
                tokio::spawn(async move {
                    let answer = browser.reauthenticate(&served).await;
                    (answer, browser)
                })
            })
            .collect();
        let mut new = Vec::new();
        for one in tries {
            let (answer, browser) = one.await.expect("no panic");
            match answer.status {
                200 => new.push(browser),
                // Tries at once are failures until one is known to be right, and hashes take turns.
                401 | 429 | 503 => assert_eq!(answer.header("set-cookie"), None),
                status => panic!("{status}: {}", answer.text),
            }
        }
        assert_eq!(new.len(), 1, "on {}", place.name);
        assert_eq!(new[0].get(&served, "/auth/me").await, 200);
        assert_eq!(browser.get(&served, "/auth/me").await, 401);
        assert_eq!(count(&served).await, 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn is_over_after_fifty_sign_outs_at_once_among_fifty_requests() {
    for place in places().await {
        let served = Arc::new(serve(&place).await);
        let browser = Browser::of(&served, "ann@example.org").await;
        let tries: Vec<_> = (0..100)
            .map(|number| {
                let (served, mut browser) = (Arc::clone(&served), browser.clone());
                tokio::spawn(async move {
                    let (method, path) = match number % 2 {
                        0 => ("DELETE", "/auth/session"),
                        _ => ("GET", "/auth/me"),
                    };
                    browser
                        .call(&served, method, path, &Value::Null)
                        .await
                        .status
                })
            })
            .collect();
        for one in tries {
            let status = one.await.expect("no panic");
            assert!(
                matches!(status, 200 | 204 | 401),
                "{status} on {}",
                place.name
            );
        }
        // Whatever was looked up before the end was not kept after it.
        assert_eq!(browser.get(&served, "/auth/me").await, 401);
        assert_eq!(count(&served).await, 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ends_with_its_account_and_takes_what_hangs_on_it_along() {
    let place = place().await;
    let served = serve_with(&place, &[("PALISADE_AUTH__RECHECK_AFTER", "0s")]).await;
    let browser = Browser::of(&served, "ann@example.org").await;
    // By a hand of its own: a statement of this program would be checked against every test's database.
    let mut own = sqlx::SqliteConnection::connect(&place.url)
        .await
        .expect("the file");
    for statement in [
        "create table baskets (session_id uuid primary key references palisade_sessions (id) on delete cascade)",
        "insert into baskets select id from palisade_sessions",
    ] {
        own.execute(statement).await.expect("an app's own table");
    }
    let mut same = browser.clone();
    assert_eq!(same.reauthenticate(&served).await.status, 200);
    let mut baskets = async || -> i64 {
        let row = own.fetch_one("select count(*) from baskets").await;
        row.expect("counted").get(0)
    };
    assert_eq!(baskets().await, 1, "a new id is no new session");
    sql!("delete from palisade_accounts")
        .execute(&served.db)
        .await
        .expect("it is gone");
    assert_eq!(same.get(&served, "/auth/me").await, 401);
    assert_eq!((count(&served).await, baskets().await), (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn makes_room_for_the_hundred_and_first() {
    for place in places().await {
        let served = serve(&place).await;
        let first = Browser::of(&served, "ann@example.org").await;
        assert_eq!(first.get(&served, "/auth/me").await, 200);
        let now = Timestamp::now().get();
        for number in 0..99_u8 {
            let (id, hash) = (Id::<auth::Session>::new(), [number; 32]);
            sql!(
                "insert into palisade_sessions
                 (id, account_id, token_hash, device, authenticated_at, created_at, used_at, expires_at)
                 select {id}, id, {hash}, 'x', {now}, {now}, {now}, {now + Duration::from_secs(3_600)} from palisade_accounts"
            )
            .execute(&served.db)
            .await
            .expect("one more");
        }
        assert_eq!(count(&served).await, 100);
        let last = Browser::signed_in(&served, "ann@example.org").await;
        assert_eq!(count(&served).await, 100, "on {}", place.name);
        assert_eq!(last.get(&served, "/auth/me").await, 200);
        assert_eq!(
            first.get(&served, "/auth/me").await,
            401,
            "unused for longest"
        );
    }
}
