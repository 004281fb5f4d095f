//! Forgotten and changed passwords, changed addresses: what goes out, what ends, and who may.

use std::sync::Arc;
use std::time::Duration;

use palisade::prelude::*;
use serde_json::{Value, json};

use crate::harness::{Answer, PASSWORD, Place, Served, place, places};
use crate::lockout::takes_the_same_time;

const NEW: &str = "seven other silver spoons";
const WRONG: &str = "three unrelated worms";
const RESET: &str = "Choose another password";
const AGAIN: &str = "You have an account already";

async fn reset(served: &Served, email: &str) -> Answer {
    served.post("/auth/reset", json!({"email": email})).await
}

async fn confirm(served: &Served, token: &str, password: &str) -> Answer {
    let body = json!({"token": token, "password": password});
    served.post("/auth/reset/confirm", body).await
}

async fn reset_token(place: &Place, served: &Served, email: &str) -> String {
    assert_eq!(reset(served, email).await.status, 202);
    place.mails.token(email, RESET).await
}

fn shape(answer: &Answer) -> (u16, Vec<String>, Value) {
    let names = answer.headers.iter().map(|(name, _)| name.clone());
    let mut json = answer.json();
    json["email"] = Value::Null;
    (answer.status, names.collect(), json)
}

#[tokio::test(flavor = "multi_thread")]
async fn set_another_password_and_end_what_the_old_one_began() {
    for place in places().await {
        let served = place.serve(&[]).await;
        let before = served.account("ann@example.org").await;
        let other = served.account("bob@example.org").await;
        // Somebody guessed so long that nobody gets in.
        for number in 0..10 {
            let past = Timestamp::now().get() - Duration::from_secs(1);
            sql!("update palisade_sign_in_attempts set blocked_until = {past}")
                .execute(&served.db)
                .await
                .expect("written");
            let body = json!({"email": "ann@example.org", "password": WRONG});
            let client = format!("10.{number}.7.1");
            served
                .call_from(&client, "POST", "/auth/sign-in", "", &body)
                .await;
        }
        assert_eq!(
            served.sign_in("ann@example.org", PASSWORD).await.status,
            429
        );

        let token = reset_token(&place, &served, "ann@example.org").await;
        let done = confirm(&served, &token, NEW).await;
        assert_eq!(done.status, 204, "on {}: {}", place.name, done.text);
        assert_eq!(served.me(&before.text_of("access_token")).await.status, 401);
        let refreshed = served.refresh(&before.text_of("refresh_token")).await;
        assert_eq!(refreshed.status, 401);
        assert_eq!(served.me(&other.text_of("access_token")).await.status, 200);
        assert_eq!(served.sign_in("ann@example.org", NEW).await.status, 200);
        assert_eq!(
            served.sign_in("ann@example.org", PASSWORD).await.status,
            401
        );
        place
            .mails
            .next("ann@example.org", "Your password was changed")
            .await;
        assert_eq!(confirm(&served, &token, PASSWORD).await.status, 400, "once");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn verify_the_address_that_the_mail_went_to() {
    let place = place().await;
    let served = place
        .serve(&[("PALISADE_AUTH__REQUIRE_VERIFIED_EMAIL", "true")])
        .await;
    served.sign_up("ann@example.org", PASSWORD).await;
    let token = reset_token(&place, &served, "ann@example.org").await;
    assert_eq!(confirm(&served, &token, NEW).await.status, 204);
    assert_eq!(served.sign_in("ann@example.org", NEW).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn keep_a_token_through_a_refused_password_and_lose_it_with_the_next_or_a_change() {
    for place in places().await {
        let served = place.serve(&[]).await;
        let token = served
            .account("ann@example.org")
            .await
            .text_of("access_token");
        let first = reset_token(&place, &served, "ann@example.org").await;
        for weak in ["password1", "ann@example.org"] {
            assert_eq!(confirm(&served, &first, weak).await.status, 422);
        }
        let second = reset_token(&place, &served, "ann@example.org").await;
        assert_eq!(
            confirm(&served, &first, NEW).await.status,
            400,
            "the newest alone"
        );
        let body = json!({"current": PASSWORD, "new": NEW});
        let changed = served.call("POST", "/auth/password", &token, &body).await;
        assert_eq!(changed.status, 204, "{}", changed.text);
        assert_eq!(
            confirm(&served, &second, WRONG).await.status,
            400,
            "on {}: it was for the password of before",
            place.name
        );
        assert_eq!(served.sign_in("ann@example.org", NEW).await.status, 200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn use_a_token_once_of_fifty_times_at_once() {
    for place in places().await {
        // The fifty hash one after the other.
        let queue = [
            ("PALISADE_AUTH__PASSWORD_QUEUE", "1000"),
            ("PALISADE_LIMITS__MAIL", "100/h"),
        ];
        let served = Arc::new(place.serve(&queue).await);
        served.account("ann@example.org").await;
        let token = reset_token(&place, &served, "ann@example.org").await;
        let tries = (0..50).map(|number| {
            let (served, token) = (Arc::clone(&served), token.clone());
            tokio::spawn(async move {
                let password = format!("{NEW} number {number}");
                (confirm(&served, &token, &password).await.status, password)
            })
        });
        let mut won = Vec::new();
        for one in tries.collect::<Vec<_>>() {
            let (status, password) = one.await.expect("no panic");
            // On a busy machine some wait too long for their turn, and use nothing up.
            assert!([204, 400, 409, 503].contains(&status), "{status}");
            if status == 204 {
                won.push(password);
            }
        }
        assert_eq!(won.len(), 1, "on {}", place.name);
        assert_eq!(served.sign_in("ann@example.org", &won[0]).await.status, 200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn leave_no_sign_in_behind_that_began_by_the_old_password() {
    for place in places().await {
        let queue = [("PALISADE_AUTH__PASSWORD_QUEUE", "1000")];
        let served = Arc::new(place.serve(&queue).await);
        served.account("ann@example.org").await;
        let token = reset_token(&place, &served, "ann@example.org").await;
        let sign_ins = (0..20).map(|_| {
            let served = Arc::clone(&served);
            tokio::spawn(async move { served.sign_in("ann@example.org", PASSWORD).await })
        });
        let sign_ins: Vec<_> = sign_ins.collect();
        assert_eq!(confirm(&served, &token, NEW).await.status, 204);
        for one in sign_ins {
            let answer = one.await.expect("no panic");
            if answer.status == 200 {
                let access = answer.text_of("access_token");
                assert_eq!(served.me(&access).await.status, 401, "on {}", place.name);
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn answer_for_an_unknown_address_as_for_a_known_one() {
    for place in places().await {
        let served = place.serve(&[]).await;
        served.account("ann@example.org").await;
        // Another spelling may be another mailbox: the mail goes to the account's own.
        let known = reset(&served, "ANN@example.org").await;
        let unknown = reset(&served, "nobody@example.org").await;
        assert_eq!(known.status, 202);
        assert_eq!(shape(&known), shape(&unknown), "on {}", place.name);
        place.mails.next("ann@example.org", RESET).await;
        served.stop().await;
        assert_eq!(place.mails.count("nobody@example.org"), 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tell_nothing_by_the_time_of_a_request() {
    for place in places().await {
        let served = place.serve(&[("PALISADE_LIMITS__MAIL", "1000000/h")]).await;
        served.account("ann@example.org").await;
        takes_the_same_time(&served, "/auth/reset", |email| json!({"email": email})).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn send_one_address_no_flood_of_mail() {
    for place in places().await {
        let served = place.serve(&[("PALISADE_LIMITS__MAIL", "3/h")]).await;
        served.account("ann@example.org").await;
        let mut answers = Vec::new();
        for number in 0..12 {
            // Whoever asks, from wherever, and for whatever.
            let client = format!("10.{number}.7.1");
            let body = json!({"email": "ann@example.org"});
            let path = ["/auth/reset", "/auth/verify/resend"][number % 2];
            answers.push(
                served
                    .call_from(&client, "POST", path, "", &body)
                    .await
                    .status,
            );
            served.sign_up("ann@example.org", PASSWORD).await;
        }
        assert_eq!(answers, [202; 12]);
        let expire = async || {
            let past = Timestamp::now().get() - Duration::from_secs(1);
            sql!("update palisade_mail_tokens set expires_at = {past}")
                .execute(&served.db)
                .await
                .expect("written");
        };
        // Three to verify the address, three that reset, and nobody can use up the room of one by the other; the newest is good.
        let mut good = 0;
        for subject in ["Confirm", "Confirm", "Confirm", RESET, AGAIN, AGAIN] {
            let token = place.mails.token("ann@example.org", subject).await;
            let weak = confirm(&served, &token, "password1").await;
            good += usize::from(weak.status == 422);
        }
        assert_eq!(good, 1, "on {}", place.name);
        // When its time is over, one more may go, and no other.
        expire().await;
        for _ in 0..3 {
            assert_eq!(reset(&served, "ann@example.org").await.status, 202);
        }
        let late = place.mails.token("ann@example.org", RESET).await;
        assert_eq!(confirm(&served, &late, NEW).await.status, 204);
        served.stop().await;
        // Notices of what happened are not counted: the sign-in, the change.
        assert_eq!(place.mails.count("ann@example.org"), 2, "on {}", place.name);

        let served = place.serve(&[("PALISADE_LIMITS__MAIL", "3/h")]).await;
        // An hour later.
        let past = Timestamp::now().get() - Duration::from_secs(1);
        sql!("update palisade_mail_counts set expires_at = {past}")
            .execute(&served.db)
            .await
            .expect("written");
        for _ in 0..3 {
            reset_token(&place, &served, "ann@example.org").await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn change_a_password_and_end_every_other_sign_in() {
    for place in places().await {
        let served = place.serve(&[]).await;
        let mine = served
            .account("ann@example.org")
            .await
            .text_of("access_token");
        let other = served.sign_in("ann@example.org", PASSWORD).await;
        let change = async |current: &str, new: &str| {
            let body = json!({"current": current, "new": new});
            served.call("POST", "/auth/password", &mine, &body).await
        };
        assert_eq!(change(WRONG, NEW).await.status, 403);
        assert_eq!(change(PASSWORD, "password1").await.status, 422);
        assert_eq!(served.me(&other.text_of("access_token")).await.status, 200);
        let changed = change(PASSWORD, NEW).await;
        assert_eq!(changed.status, 204, "on {}: {}", place.name, changed.text);
        assert_eq!(served.me(&mine).await.status, 200);
        assert_eq!(served.me(&other.text_of("access_token")).await.status, 401);
        assert_eq!(
            served.refresh(&other.text_of("refresh_token")).await.status,
            401
        );
        assert_eq!(served.sign_in("ann@example.org", NEW).await.status, 200);
        place
            .mails
            .next("ann@example.org", "Your password was changed")
            .await;
        // Guesses here are counted with those of sign-in.
        let mut statuses = Vec::new();
        for _ in 0..8 {
            statuses.push(change(WRONG, PASSWORD).await.status);
        }
        assert_eq!(statuses[0], 403);
        assert!(statuses.contains(&429), "{statuses:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tell_of_a_sign_in_on_a_device_that_is_new() {
    let place = place().await;
    let served = place.serve(&[]).await;
    let device = served
        .account("ann@example.org")
        .await
        .text_of("device_token");
    let mail = place.mails.next("ann@example.org", "new device").await;
    assert!(mail.body().contains("192.0.2.1"), "{}", mail.body());
    let body = json!({"email": "ann@example.org", "password": PASSWORD, "device_token": device});
    assert_eq!(served.post("/auth/sign-in", body).await.status, 200);
    place.mails.next("ann@example.org", "Confirm").await;
    served.stop().await;
    assert_eq!(place.mails.count("ann@example.org"), 0, "this one is known");
}

/// Asks for a change, and gives the tokens that went to the new address and to the old one.
async fn asked(place: &Place, served: &Served, token: &str, new: &str) -> (String, String) {
    let body = json!({"email": new, "password": PASSWORD});
    let answer = served.call("POST", "/auth/email", token, &body).await;
    assert_eq!(answer.status, 202, "{}", answer.text);
    let confirm = place.mails.token(new, "Confirm your new").await;
    let cancel = place
        .mails
        .token("ann@example.org", "about to change")
        .await;
    (confirm, cancel)
}

#[tokio::test(flavor = "multi_thread")]
async fn change_an_address_when_the_new_one_confirms_it() {
    for place in places().await {
        let served = place.serve(&[]).await;
        let mine = served
            .account("ann@example.org")
            .await
            .text_of("access_token");
        let wrong = json!({"email": "new@example.org", "password": WRONG});
        assert_eq!(
            served
                .call("POST", "/auth/email", &mine, &wrong)
                .await
                .status,
            403
        );
        let same = json!({"email": "Ann@example.org", "password": PASSWORD});
        assert_eq!(
            served
                .call("POST", "/auth/email", &mine, &same)
                .await
                .status,
            409
        );
        let nobody = json!({"email": "new@example.org", "password": PASSWORD});
        assert_eq!(
            served.call("POST", "/auth/email", "", &nobody).await.status,
            401
        );

        let (first, _) = asked(&place, &served, &mine, "other@example.org").await;
        let (confirm, _) = asked(&place, &served, &mine, "new@example.org").await;
        let stale = reset_token(&place, &served, "ann@example.org").await;
        let done = async |token: &str| {
            let body = json!({"token": token});
            served.post("/auth/email/confirm", body).await.status
        };
        assert_eq!(done(&first).await, 400, "the newest alone");
        assert_eq!(served.me(&mine).await.text_of("email"), "ann@example.org");
        assert_eq!(done(&confirm).await, 204, "on {}", place.name);
        assert_eq!(done(&confirm).await, 400);
        assert_eq!(served.me(&mine).await.text_of("email"), "new@example.org");
        assert_eq!(
            served.sign_in("new@example.org", PASSWORD).await.status,
            200
        );
        assert_eq!(
            served.sign_in("ann@example.org", PASSWORD).await.status,
            401
        );
        for email in ["ann@example.org", "new@example.org"] {
            place
                .mails
                .next(email, "Your e-mail address was changed")
                .await;
        }
        let reset = super::reset::confirm(&served, &stale, NEW).await;
        assert_eq!(reset.status, 400, "it went to the address of before");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn let_the_old_address_forbid_a_change_and_take_it_back() {
    for place in places().await {
        for confirmed_first in [false, true] {
            let served = place.serve(&[]).await;
            let email = "ann@example.org";
            let mine = served.account(email).await.text_of("access_token");
            let (confirm_token, cancel) = asked(&place, &served, &mine, "eve@example.org").await;
            let body = json!({"token": confirm_token});
            let mut again = None;
            if confirmed_first {
                assert_eq!(
                    served
                        .post("/auth/email/confirm", body.clone())
                        .await
                        .status,
                    204
                );
                // And on, so that the trail is lost.
                let body = json!({"email": "eve2@example.org", "password": PASSWORD});
                let asked = served.call("POST", "/auth/email", &mine, &body).await;
                assert_eq!(asked.status, 202);
                let token = place
                    .mails
                    .token("eve2@example.org", "Confirm your new")
                    .await;
                assert_eq!(
                    served
                        .post("/auth/email/confirm", json!({"token": token}))
                        .await
                        .status,
                    204
                );
                again = Some(
                    place
                        .mails
                        .token("eve@example.org", "about to change")
                        .await,
                );
            }
            let cancelled = served
                .post("/auth/email/cancel", json!({"token": cancel}))
                .await;
            assert_eq!(
                cancelled.status, 204,
                "on {}: {}",
                place.name, cancelled.text
            );
            assert_eq!(
                served.me(&mine).await.status,
                401,
                "every sign-in has ended"
            );
            for other in [email, "eve@example.org", "eve2@example.org"] {
                assert_eq!(served.sign_in(other, PASSWORD).await.status, 401, "{other}");
            }
            assert_eq!(served.post("/auth/email/confirm", body).await.status, 400);
            if let Some(token) = again {
                let answer = served
                    .post("/auth/email/cancel", json!({"token": token}))
                    .await;
                assert_eq!(answer.status, 400, "eve takes nothing back");
            }
            let token = place.mails.token(email, RESET).await;
            assert_eq!(confirm(&served, &token, NEW).await.status, 204);
            assert_eq!(served.sign_in(email, NEW).await.status, 200);
            sql!("delete from palisade_accounts")
                .execute(&served.db)
                .await
                .expect("gone");
            sql!("delete from palisade_mail_counts")
                .execute(&served.db)
                .await
                .expect("gone");
            served.stop().await;
            place.mails.clear();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tell_nobody_that_the_new_address_is_taken_but_its_owner() {
    for place in places().await {
        let served = place.serve(&[]).await;
        let mine = served
            .account("ann@example.org")
            .await
            .text_of("access_token");
        served.account("bob@example.org").await;
        let ask = async |email: &str| {
            let body = json!({"email": email, "password": PASSWORD});
            shape(&served.call("POST", "/auth/email", &mine, &body).await)
        };
        let (free, taken) = (ask("free@example.org").await, ask("bob@example.org").await);
        assert_eq!(free.0, 202);
        assert_eq!(free, taken, "on {}", place.name);
        let mail = place
            .mails
            .next("bob@example.org", "You have an account already")
            .await;
        assert!(!mail.body().contains("    "), "no token: {}", mail.body());
        // Taken since it was asked for.
        let token = place
            .mails
            .token("free@example.org", "Confirm your new")
            .await;
        served.account("free@example.org").await;
        let late = served
            .post("/auth/email/confirm", json!({"token": token}))
            .await;
        assert_eq!(late.status, 409, "{}", late.text);
        assert_eq!(served.me(&mine).await.text_of("email"), "ann@example.org");
    }
}

/// Moves Ann's account to another address, as whoever learnt her password would; the token that takes it back.
async fn moved(place: &Place, served: &Served, token: &str) -> String {
    let (confirm, cancel) = asked(place, served, token, "eve@example.org").await;
    let body = json!({"token": confirm});
    assert_eq!(served.post("/auth/email/confirm", body).await.status, 204);
    cancel
}

async fn takes_back(served: &Served, cancel: &str) -> u16 {
    let body = json!({"token": cancel});
    served.post("/auth/email/cancel", body).await.status
}

#[tokio::test(flavor = "multi_thread")]
async fn give_an_address_back_whoever_signed_it_up_in_the_meantime() {
    for place in places().await {
        let required = [("PALISADE_AUTH__REQUIRE_VERIFIED_EMAIL", "true")];
        let served = place.serve(&required).await;
        let up = |email: &str| json!({"email": email, "password": PASSWORD});
        served.post("/auth/sign-up", up("ann@example.org")).await;
        let token = place.mails.token("ann@example.org", "Confirm").await;
        served.post("/auth/verify", json!({"token": token})).await;
        let mine = served.sign_in("ann@example.org", PASSWORD).await;
        let cancel = moved(&place, &served, &mine.text_of("access_token")).await;
        assert_eq!(
            served
                .post("/auth/sign-up", up("ann@example.org"))
                .await
                .status,
            201
        );
        assert_eq!(takes_back(&served, &cancel).await, 204, "on {}", place.name);
        let token = place.mails.token("ann@example.org", RESET).await;
        assert_eq!(confirm(&served, &token, NEW).await.status, 204);
        assert_eq!(served.sign_in("ann@example.org", NEW).await.status, 200);
        served.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn take_an_address_back_by_a_mail_that_no_other_account_replaces() {
    for place in places().await {
        let served = place.serve(&[]).await;
        let mine = served
            .account("ann@example.org")
            .await
            .text_of("access_token");
        let cancel = moved(&place, &served, &mine).await;
        // Where an address need not be verified, another account has it now, and moves on too.
        let other = served
            .account("ann@example.org")
            .await
            .text_of("access_token");
        let body = json!({"email": "mallory@example.org", "password": PASSWORD});
        assert_eq!(
            served
                .call("POST", "/auth/email", &other, &body)
                .await
                .status,
            202
        );
        let token = place
            .mails
            .token("mallory@example.org", "Confirm your new")
            .await;
        let body = json!({"token": token});
        assert_eq!(served.post("/auth/email/confirm", body).await.status, 204);
        let key = "insert into palisade_api_keys (id, account_id, name, secret_hash, scopes, networks, created_at, expires_at)
                   select id, id, 'a thief''s', password_hash, '[]', '[]', created_at, created_at from palisade_accounts";
        place
            .raw(&key.replace(
                "password_hash",
                if place.url.starts_with("sqlite") {
                    "x'00'"
                } else {
                    "'\\x00'"
                },
            ))
            .await;
        assert_eq!(takes_back(&served, &cancel).await, 204, "on {}", place.name);
        let keys: i64 = sql!("select count(*) from palisade_api_keys k join palisade_accounts a on a.id = k.account_id where a.email = {\"ann@example.org\"}")
            .one(&served.db)
            .await
            .expect("counted");
        assert_eq!(keys, 0, "whoever moved it may have made keys");
        served.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn do_nothing_for_an_account_that_is_disabled() {
    for place in places().await {
        let served = place.serve(&[]).await;
        let mine = served
            .account("ann@example.org")
            .await
            .text_of("access_token");
        let id = served.id_of(&mine).await;
        let token = reset_token(&place, &served, "ann@example.org").await;
        assert!(
            served
                .accounts
                .set_disabled(id, true)
                .await
                .expect("disabled")
        );
        assert_eq!(
            confirm(&served, &token, NEW).await.status,
            400,
            "on {}",
            place.name
        );
        assert!(
            served
                .accounts
                .set_disabled(id, false)
                .await
                .expect("enabled")
        );
        assert_eq!(confirm(&served, &token, NEW).await.status, 204);
        served.stop().await;
    }
}
