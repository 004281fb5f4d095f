//! Setting a second factor up, another one in its place, and taking it away.

use std::sync::Arc;

use super::*;
use crate::harness::{place, places};

#[tokio::test(flavor = "multi_thread")]
async fn counts_when_a_code_was_confirmed_and_ends_every_sign_in_from_before() {
    for place in places().await {
        let served = serve(&place).await;
        let before = served.account(ANN).await;
        let elsewhere = served.sign_in(ANN, PASSWORD).await;
        let access = before.text_of("access_token");
        assert_eq!(
            status(&served, &access).await,
            json!({"totp": null, "recovery_codes": 0})
        );
        let (app, enrolled) = enroll(&served, &access).await;
        let secret = enrolled.text_of("secret");
        assert_eq!(
            enrolled.json(),
            json!({
                "secret": secret,
                "uri": format!("otpauth://totp/palisade:ann%40example.org?secret={secret}&issuer=palisade&algorithm=SHA1&digits=6&period=30"),
            })
        );
        assert_eq!(app.0.len(), 20, "160 bits");
        assert_eq!(enrolled.header("cache-control"), Some("no-store"));

        // It counts for nothing yet.
        assert_eq!(served.sign_in(ANN, PASSWORD).await.status, 200);
        assert_eq!(status(&served, &access).await["totp"], Value::Null);
        let refused = confirm(&served, &access, &app.wrong_code()).await;
        assert_eq!(
            (refused.status, told(&refused)["errors"].clone()),
            (
                422,
                json!([{
                    "pointer": "/code",
                    "code": "wrong_code",
                    "detail": "is not what the app shows now; is the clock of its device right?",
                }])
            )
        );

        let confirmed = confirm(&served, &access, &app.code()).await;
        assert_eq!(confirmed.status, 200, "{}", confirmed.text);
        assert_eq!(confirmed.header("cache-control"), Some("no-store"));
        let codes = codes_of(&confirmed);
        assert_eq!(codes.len(), 10);
        for code in &codes {
            assert_eq!(code.len(), 29, "{code}");
            let plain = code.replace('-', "");
            assert_eq!(plain.len(), 24, "{code}");
            assert!(
                plain
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() && !"ILOU".contains(c))
            );
        }
        let sign_in = confirmed.json()["sign_in"].clone();
        let members: Vec<_> = sign_in.as_object().unwrap().keys().collect();
        let ordinary = before.json();
        let expected: Vec<_> = ordinary.as_object().unwrap().keys().collect();
        assert_eq!(members, expected, "what a sign-in answers");
        for ended in [&before, &elsewhere] {
            assert_eq!(served.me(&ended.text_of("access_token")).await.status, 401);
            let refreshed = served.refresh(&ended.text_of("refresh_token")).await;
            assert_eq!(refreshed.status, 401);
        }
        let access = sign_in["access_token"].as_str().unwrap();
        let shown = status(&served, access).await;
        assert_eq!(shown["recovery_codes"], 10);
        assert_eq!(shown["totp"]["confirmed_at"], shown["totp"]["last_used_at"]);
        let fresh = served
            .call("POST", "/sensitive", access, &Value::Null)
            .await;
        assert_eq!(fresh.status, 204, "on {}", place.name);
        challenge(&served, ANN).await;
        // What confirmed it opens nothing again.
        let again = confirm(&served, access, &app.code_in(1)).await;
        assert_eq!(again.status, 409);
        assert_eq!(
            told(&again)["detail"],
            "there is nothing to confirm: enroll first"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn is_set_up_by_a_fresh_caller_alone() {
    let place = place().await;
    let served = serve(&place).await;
    for (method, path) in [
        ("POST", "/auth/totp"),
        ("POST", "/auth/totp/confirm"),
        ("DELETE", "/auth/totp"),
        ("POST", "/auth/recovery-codes"),
        ("GET", "/auth/second-factor"),
    ] {
        let body = json!({"code": "123456"});
        assert_eq!(
            served.call(method, path, "", &body).await.status,
            401,
            "{path}"
        );
    }
    let signed_in = served.account(ANN).await;
    let access = signed_in.text_of("access_token");
    let none = served
        .call("DELETE", "/auth/totp", &access, &Value::Null)
        .await;
    assert_eq!(none.status, 404);
    let none = served
        .call("POST", "/auth/recovery-codes", &access, &Value::Null)
        .await;
    assert_eq!(none.status, 409, "{}", none.text);
    assert_eq!(confirm(&served, &access, "123456").await.status, 409);
    for malformed in [
        json!("12345"),
        json!("1234567"),
        json!("12345a"),
        json!(123456),
        json!(null),
    ] {
        let body = json!({"password": PASSWORD, "code": malformed});
        let answer = served
            .call("POST", "/auth/totp/confirm", &access, &body)
            .await;
        assert_eq!(answer.status, 422, "{malformed}");
    }
    served.stop().await;

    let served = serve(&place).await;
    let then = Timestamp::now().get() - std::time::Duration::from_secs(16 * 60);
    sql!("update palisade_token_families set created_at = {then}")
        .execute(&served.db)
        .await
        .expect("it is written");
    for (method, path) in [
        ("POST", "/auth/totp"),
        ("POST", "/auth/totp/confirm"),
        ("DELETE", "/auth/totp"),
        ("POST", "/auth/recovery-codes"),
    ] {
        let body = json!({"code": "123456"});
        let answer = served.call(method, path, &access, &body).await;
        assert_eq!(answer.status, 401, "{path}");
        assert_eq!(
            answer.text_of("type"),
            "urn:palisade:problem:reauthentication-required"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn waits_for_its_confirmation_a_quarter_of_an_hour_and_one_at_a_time() {
    for place in places().await {
        let served = serve(&place).await;
        let access = served.account(ANN).await.text_of("access_token");
        let (first, _) = enroll(&served, &access).await;
        let (second, _) = enroll(&served, &access).await;
        assert_ne!(first.0, second.0);
        assert_eq!(count(&served, "totp").await, 1);
        assert_eq!(confirm(&served, &access, &first.code()).await.status, 422);
        let then = Timestamp::now().get() - std::time::Duration::from_secs(15 * 60);
        sql!("update palisade_credentials set created_at = {then}")
            .execute(&served.db)
            .await
            .expect("it is written");
        assert_eq!(confirm(&served, &access, &second.code()).await.status, 409);
        let (third, _) = enroll(&served, &access).await;
        assert_eq!(confirm(&served, &access, &third.code()).await.status, 200);
        assert_eq!(count(&served, "totp").await, 1, "on {}", place.name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn takes_the_place_of_the_one_before_when_it_is_confirmed() {
    for place in places().await {
        let served = serve(&place).await;
        let old = owner(&served, ANN).await;
        let (new, _) = enroll(&served, &old.access).await;
        forget_codes(&served).await;
        // Until then the old one counts.
        let challenged = challenge(&served, ANN).await;
        assert_eq!(answer(&served, &challenged, &new.code()).await.status, 401);
        assert_eq!(
            answer(&served, &challenged, &old.app.code()).await.status,
            200
        );
        let confirmed = confirm(&served, &old.access, &new.code()).await;
        assert_eq!(confirmed.status, 200, "{}", confirmed.text);
        forget_codes(&served).await;
        let challenged = challenge(&served, ANN).await;
        assert_eq!(
            answer(&served, &challenged, &old.app.code()).await.status,
            401
        );
        assert_eq!(
            recover(&served, &challenged, &old.codes[0]).await.status,
            401
        );
        assert_eq!(answer(&served, &challenged, &new.code()).await.status, 200);
        assert_eq!(count(&served, "totp").await, 1, "on {}", place.name);
        assert_eq!(count(&served, "recovery_code").await, 10);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn is_taken_away_with_its_recovery_codes_and_ends_the_other_sign_ins() {
    for place in places().await {
        let served = serve(&place).await;
        let owner = owner(&served, ANN).await;
        forget_codes(&served).await;
        let challenged = challenge(&served, ANN).await;
        let elsewhere = answer(&served, &challenged, &owner.app.code()).await;
        let elsewhere = elsewhere.text_of("access_token");
        let challenged = challenge(&served, ANN).await;
        enroll(&served, &owner.access).await;
        let gone = served
            .call("DELETE", "/auth/totp", &owner.access, &Value::Null)
            .await;
        assert_eq!(
            (gone.status, gone.text.as_str()),
            (204, ""),
            "on {}",
            place.name
        );
        assert_eq!(served.me(&elsewhere).await.status, 401);
        assert_eq!(served.me(&owner.access).await.status, 200);
        assert_eq!(count(&served, "totp").await, 0);
        assert_eq!(count(&served, "recovery_code").await, 0);
        assert_eq!(
            answer(&served, &challenged, &owner.app.code_in(1))
                .await
                .status,
            401
        );
        assert_eq!(
            recover(&served, &challenged, &owner.codes[0]).await.status,
            401
        );
        assert_eq!(served.sign_in(ANN, PASSWORD).await.status, 200);
        assert_eq!(served.refresh(&owner.refresh).await.status, 200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn is_confirmed_once_by_fifty_at_once() {
    for place in places().await {
        let served = Arc::new(serve(&place).await);
        let access = served.account(ANN).await.text_of("access_token");
        let (app, _) = enroll(&served, &access).await;
        let code = app.code();
        let tries: Vec<_> = (0..50)
            .map(|_| {
                let (served, access, code) = (Arc::clone(&served), access.clone(), code.clone());
                tokio::spawn(async move { confirm(&served, &access, &code).await })
            })
            .collect();
        let mut won = 0;
        for one in tries {
            let answer = one.await.expect("no panic");
            match answer.status {
                200 => won += 1,
                // Its sign-in may have been renewed, or its turn may have come in between.
                401 | 409 | 429 => {}
                status => panic!("{status}: {}", answer.text),
            }
        }
        assert_eq!(won, 1, "on {}", place.name);
        assert_eq!(count(&served, "totp").await, 1);
        assert_eq!(count(&served, "recovery_code").await, 10);
        let sign_ins: i64 = sql!("select count(*) from palisade_token_families")
            .one(&served.db)
            .await
            .expect("counted");
        assert_eq!(sign_ins, 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn asks_for_the_password_too_when_it_is_confirmed() {
    let place = place().await;
    let served = serve(&place).await;
    let access = served.account(ANN).await.text_of("access_token");
    let (app, _) = enroll(&served, &access).await;
    let post = async |body: &Value| {
        let answer = served.call("POST", "/auth/totp/confirm", &access, body);
        answer.await.status
    };
    // Whoever found an open session has no password.
    assert_eq!(post(&json!({"code": app.code()})).await, 422);
    let wrong = json!({"password": "not the password", "code": app.code()});
    assert_eq!(post(&wrong).await, 403);
    assert_eq!(status(&served, &access).await["totp"], Value::Null);
    assert_eq!(confirm(&served, &access, &app.code()).await.status, 200);
}
