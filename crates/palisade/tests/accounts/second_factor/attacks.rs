//! Codes used again, guessed at, and many at once.

use std::sync::Arc;

use super::*;
use crate::harness::{place, places};

#[tokio::test(flavor = "multi_thread")]
async fn takes_no_code_twice_and_none_from_before_or_far_ahead() {
    for place in places().await {
        let served = serve(&place).await;
        let access = served.account(ANN).await.text_of("access_token");
        let (app, _) = enroll(&served, &access).await;
        // One step ahead is within the drift, and stays so.
        let code = app.code_in(1);
        assert_eq!(confirm(&served, &access, &code).await.status, 200);
        let challenged = challenge(&served, ANN).await;
        let refused = async |code: &str| {
            let answer = answer(&served, &challenged, code).await;
            assert_eq!(answer.status, 401, "on {}", place.name);
            assert_eq!(answer.text_of("type"), REFUSED);
        };
        // What confirmed it was used, and everything before it is over.
        refused(&code).await;
        refused(&app.code_in(0)).await;
        forget_codes(&served).await;
        refused(&app.code_in(-3)).await;
        refused(&app.code_in(4)).await;
        sql!("delete from palisade_sign_in_attempts")
            .execute(&served.db)
            .await
            .unwrap();
        let code = app.code();
        assert_eq!(answer(&served, &challenged, &code).await.status, 200);
        refused(&code).await;
        // The same challenge, another code: as good as a second sign-in.
        forget_codes(&served).await;
        assert_eq!(
            answer(&served, &challenged, &app.code_in(1)).await.status,
            200
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn takes_one_code_once_from_fifty_at_once() {
    for place in places().await {
        let served = Arc::new(serve(&place).await);
        let owner = owner(&served, ANN).await;
        // Four tries of each known device get as far as the code, in whatever order they come.
        let mut challenges = Vec::new();
        for device in devices(&served, ANN, &owner, 13).await {
            let known = json!({"email": ANN, "password": PASSWORD, "device_token": device});
            let asked = served.call("POST", "/auth/sign-in", "", &known).await;
            challenges.push(asked.text_of("challenge"));
        }
        let code = owner.app.code_in(1);
        let tries: Vec<_> = (0..50)
            .map(|number| {
                let (served, code) = (Arc::clone(&served), code.clone());
                let challenged = challenges[number % 13].clone();
                tokio::spawn(async move { answer(&served, &challenged, &code).await })
            })
            .collect();
        let mut won = 0;
        for one in tries {
            let answer = one.await.expect("no panic");
            match answer.status {
                200 => won += 1,
                401 => assert_eq!(answer.text_of("type"), REFUSED),
                status => panic!("{status}: {}", answer.text),
            }
        }
        assert_eq!(won, 1, "on {}", place.name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn makes_who_guesses_codes_wait_from_wherever_he_comes() {
    for place in places().await {
        let served = serve(&place).await;
        let owner = owner(&served, ANN).await;
        forget_codes(&served).await;
        let challenged = challenge(&served, ANN).await;
        let wrong = json!({"challenge": challenged, "code": owner.app.wrong_code()});
        for number in 0..5 {
            let guess = answer_from(&served, &format!("198.51.{number}.1"), &wrong).await;
            assert_eq!(
                (guess.status, guess.text_of("type").as_str()),
                (401, REFUSED)
            );
        }
        served.prolong_locks().await;
        let right = json!({"challenge": challenged, "code": owner.app.code()});
        let locked = answer_from(&served, "203.0.113.7", &right).await;
        assert_eq!(locked.status, 429, "on {}", place.name);
        assert_eq!(
            told(&locked)["detail"],
            "too many codes were wrong: wait, or use a recovery code"
        );
        let seconds: u64 = locked.header("retry-after").unwrap().parse().unwrap();
        assert!((3_000..=3_600).contains(&seconds), "{seconds}");
        // A new challenge, a new process: the count stays.
        served.stop().await;
        let served = serve(&place).await;
        let challenged = challenge(&served, ANN).await;
        assert_eq!(
            answer(&served, &challenged, &owner.app.code()).await.status,
            429
        );
        // The owner is not locked out: he has recovery codes, and a device that is known.
        assert_eq!(
            recover(&served, &challenged, &owner.codes[0]).await.status,
            200
        );
        let known = json!({"email": ANN, "password": PASSWORD, "device_token": owner.device});
        let asked = served.call("POST", "/auth/sign-in", "", &known).await;
        assert_eq!(
            asked.status, 401,
            "a known device is asked for the code too"
        );
        let challenged = asked.text_of("challenge");
        assert_eq!(
            answer(&served, &challenged, &owner.app.wrong_code())
                .await
                .status,
            401
        );
        assert_eq!(
            answer(&served, &challenged, &owner.app.code()).await.status,
            200
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn counts_codes_from_a_known_device_too() {
    let place = place().await;
    let served = serve(&place).await;
    let owner = owner(&served, ANN).await;
    forget_codes(&served).await;
    let known = json!({"email": ANN, "password": PASSWORD, "device_token": owner.device});
    let asked = served.call("POST", "/auth/sign-in", "", &known).await;
    let challenged = asked.text_of("challenge");
    let wrong = json!({"challenge": challenged, "code": owner.app.wrong_code()});
    let mut tries = 0;
    // Its own five, then those of everybody; each from elsewhere, so that no address has to wait.
    while answer_from(&served, &format!("198.51.{tries}.1"), &wrong)
        .await
        .status
        == 401
    {
        tries += 1;
        assert!(tries < 20, "never locked");
        if tries % 5 == 0 {
            served.prolong_locks().await;
        }
    }
    assert_eq!(tries, 10);
    assert_eq!(
        answer(&served, &challenged, &owner.app.code()).await.status,
        429
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn forgets_wrong_passwords_when_the_code_was_right_and_not_before() {
    for place in places().await {
        let served = serve(&place).await;
        let owner = owner(&served, ANN).await;
        forget_codes(&served).await;
        // Each from elsewhere, so that no address has to wait.
        let sign_in = async |number: usize, password: &str| {
            let body = json!({"email": ANN, "password": password});
            let client = format!("198.51.{number}.1");
            served
                .call_from(&client, "POST", "/auth/sign-in", "", &body)
                .await
        };
        for number in 0..4 {
            assert_eq!(sign_in(number, "not the password").await.status, 401);
        }
        // The right one, again and again: it neither counts nor forgets.
        for number in 4..7 {
            let challenged = sign_in(number, PASSWORD).await.text_of("challenge");
            let wrong = json!({"challenge": challenged, "code": owner.app.wrong_code()});
            let client = format!("198.51.{number}.1");
            assert_eq!(answer_from(&served, &client, &wrong).await.status, 401);
        }
        assert_eq!(sign_in(7, "not the password").await.status, 401);
        served.prolong_locks().await;
        assert_eq!(sign_in(8, PASSWORD).await.status, 429, "on {}", place.name);
        sql!("update palisade_sign_in_attempts set blocked_until = {Timestamp::now()}")
            .execute(&served.db)
            .await
            .unwrap();
        let challenged = challenge(&served, ANN).await;
        assert_eq!(
            answer(&served, &challenged, &owner.app.code()).await.status,
            200
        );
        // All of it is forgotten, the wrong codes too.
        for number in 10..14 {
            assert_eq!(sign_in(number, "not the password").await.status, 401);
        }
        let challenged = sign_in(14, PASSWORD).await.text_of("challenge");
        for number in 20..24 {
            let wrong = json!({"challenge": challenged, "code": owner.app.wrong_code()});
            let client = format!("198.51.{number}.1");
            assert_eq!(answer_from(&served, &client, &wrong).await.status, 401);
        }
        let right = answer(&served, &challenged, &owner.app.code_in(1)).await;
        assert_eq!(right.status, 200, "{}", right.text);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn counts_wrong_codes_of_a_confirmation() {
    let place = place().await;
    let served = serve(&place).await;
    let access = served.account(ANN).await.text_of("access_token");
    let (app, _) = enroll(&served, &access).await;
    for _ in 0..5 {
        assert_eq!(
            confirm(&served, &access, &app.wrong_code()).await.status,
            422
        );
    }
    served.prolong_locks().await;
    assert_eq!(confirm(&served, &access, &app.code()).await.status, 429);
}

#[tokio::test(flavor = "multi_thread")]
async fn makes_who_goes_on_guessing_wait_a_day() {
    let place = place().await;
    for (settings, longest) in [
        (&[][..], 86_400),
        (
            &[("PALISADE_AUTH__SECOND_FACTOR_LOCKOUT_CAP", "15m")][..],
            900,
        ),
    ] {
        let served = serve_with(&place, settings).await;
        let email = format!("ann{longest}@example.org");
        let owner = owner(&served, &email).await;
        forget_codes(&served).await;
        let challenged = challenge(&served, &email).await;
        let wrong = owner.app.wrong_code();
        assert_eq!(answer(&served, &challenged, &wrong).await.status, 401);
        sql!("update palisade_sign_in_attempts set failures = 60")
            .execute(&served.db)
            .await
            .unwrap();
        assert_eq!(answer(&served, &challenged, &wrong).await.status, 401);
        let locked = answer(&served, &challenged, &owner.app.code()).await;
        assert_eq!(locked.status, 429);
        let seconds: u64 = locked.header("retry-after").unwrap().parse().unwrap();
        assert!((longest - 120..=longest).contains(&seconds), "{seconds}");
        sql!("delete from palisade_sign_in_attempts")
            .execute(&served.db)
            .await
            .unwrap();
        served.stop().await;
    }
}
