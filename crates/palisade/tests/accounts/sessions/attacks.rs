//! Fixation, tossing, other sites, two credentials, a lockout by a stranger.

use serde_json::{Value, json};

use super::{Browser, DEVICE, SESSION, count, serve, with};
use crate::harness::{PASSWORD, place, places};

#[tokio::test(flavor = "multi_thread")]
async fn begins_under_a_new_id_whatever_the_browser_had_before() {
    for place in places().await {
        let served = serve(&place).await;
        served.sign_up("ann@example.org", PASSWORD).await;
        // One that an attacker made up, in the form of ours.
        let made_up = "A".repeat(43);
        let mut victim = Browser::default();
        victim.cookies.push((SESSION.to_owned(), made_up.clone()));
        let answer = victim.sign_in(&served, "ann@example.org", PASSWORD).await;
        assert_eq!(answer.status, 200, "on {}: {}", place.name, answer.text);
        assert_ne!(victim.cookie(SESSION), made_up);
        let cookie = format!("{SESSION}={made_up}");
        assert_eq!(
            with(&served, "GET", "/auth/me", &[("cookie", &cookie)])
                .await
                .status,
            401
        );

        // The attacker's own session, put into the victim's browser.
        let attacker = Browser::of(&served, "eve@example.org").await;
        assert_eq!(attacker.get(&served, "/auth/me").await, 200);
        let mut victim = attacker.clone();
        let answer = victim.sign_in(&served, "ann@example.org", PASSWORD).await;
        assert_eq!(answer.status, 200);
        assert_ne!(victim.cookie(SESSION), attacker.cookie(SESSION));
        assert_eq!(attacker.get(&served, "/auth/me").await, 401, "it has ended");
        assert_eq!(victim.get(&served, "/auth/me").await, 200);
        // A sign-in that fails ends nothing.
        let mut again = victim.clone();
        let refused = again
            .sign_in(&served, "ann@example.org", "not the password")
            .await;
        assert_eq!(refused.status, 401);
        assert_eq!(victim.get(&served, "/auth/me").await, 200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn takes_no_second_cookie_and_none_of_another_form() {
    let place = place().await;
    let served = serve(&place).await;
    let browser = Browser::of(&served, "ann@example.org").await;
    let good = browser.cookie(SESSION).to_owned();
    let other = Browser::of(&served, "eve@example.org").await;
    let other = other.cookie(SESSION);
    let unpadded = &good[..42];
    let flipped = if good.ends_with('A') { "B" } else { "A" };
    for line in [
        format!("{SESSION}={good}; {SESSION}={other}"),
        format!("{SESSION}={other}; {SESSION}={good}"),
        format!("{SESSION}={good}; {SESSION}={good}"),
        format!("{SESSION}={good}; {SESSION}="),
        format!("{SESSION}="),
        format!("{SESSION}={unpadded}"),
        format!("{SESSION}={good}A"),
        format!("{SESSION}={good}="),
        format!("{SESSION}=\"{good}\""),
        format!("{SESSION}={unpadded}{flipped}"),
        format!("{SESSION}={}", good.to_uppercase()),
        format!("{SESSION}={}", "x".repeat(4000)),
        format!("__host-session={good}"),
        format!("session={good}"),
        format!("__Secure-session={good}"),
    ] {
        let answer = with(&served, "GET", "/auth/me", &[("cookie", &line)]).await;
        assert_eq!(answer.status, 401, "{line}");
        let mut told = answer.json();
        told.as_object_mut().unwrap().remove("request_id");
        assert_eq!(
            told,
            json!({"type": "urn:palisade:problem:unauthorized", "title": "Sign in first", "status": 401})
        );
        assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
        assert_eq!(
            answer.header("set-cookie"),
            None,
            "the other cookie may be good"
        );
    }
    let lines = [
        ("cookie", format!("{SESSION}={good}")),
        ("cookie", format!("{SESSION}={other}")),
    ];
    let lines = lines
        .each_ref()
        .map(|(name, value)| (*name, value.as_str()));
    assert_eq!(with(&served, "GET", "/auth/me", &lines).await.status, 401);
    assert_eq!(browser.get(&served, "/auth/me").await, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_a_token_and_a_session_together_with_400() {
    let place = place().await;
    let served = serve(&place).await;
    let answer = served.account("ann@example.org").await;
    let bearer = format!("Bearer {}", answer.text_of("access_token"));
    let browser = Browser::of(&served, "eve@example.org").await;
    let good = browser.line();
    for cookie in [
        good.clone(),
        format!("{SESSION}=x"),
        format!("{SESSION}=x; {SESSION}=y"),
    ] {
        for authorization in [bearer.as_str(), "Bearer x", "Basic eA=="] {
            let headers = [
                ("authorization", authorization),
                ("cookie", cookie.as_str()),
                ("sec-fetch-site", "same-origin"),
            ];
            for (method, path) in [
                ("GET", "/auth/me"),
                ("POST", "/change"),
                ("DELETE", "/auth/session"),
            ] {
                let answer = with(&served, method, path, &headers).await;
                assert_eq!(answer.status, 400, "{method} {cookie} {authorization}");
                assert_eq!(
                    answer.text_of("detail"),
                    "send a token or the cookie of a session, not both"
                );
            }
        }
    }
    // Any other cookie says nothing of who calls.
    let headers = [("authorization", bearer.as_str()), ("cookie", "theme=dark")];
    assert_eq!(with(&served, "GET", "/auth/me", &headers).await.status, 200);
    assert_eq!(browser.get(&served, "/auth/me").await, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn lets_no_other_site_use_the_cookie() {
    let place = place().await;
    let served = serve(&place).await;
    let browser = Browser::of(&served, "ann@example.org").await;
    let line = browser.line();
    let ours = format!("http://127.0.0.1:{}", served.port);
    let refused: &[&[(&str, &str)]] = &[
        &[],
        &[("sec-fetch-site", "cross-site")],
        &[("sec-fetch-site", "same-site")],
        &[("origin", "https://evil.example")],
        &[("origin", "null")],
        &[("sec-fetch-site", "cross-site"), ("origin", &ours)],
        &[
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-mode", "no-cors"),
        ],
    ];
    for signs in refused {
        let headers = [&[("cookie", line.as_str())], *signs].concat();
        for (method, path) in [
            ("POST", "/change"),
            ("POST", "/sensitive"),
            ("POST", "/auth/reauthenticate"),
            ("POST", "/auth/session"),
            ("DELETE", "/auth/session"),
            ("DELETE", "/auth/sessions"),
        ] {
            let answer = with(&served, method, path, &headers).await;
            assert_eq!(
                answer.status, 403,
                "{method} {path} {signs:?}: {}",
                answer.text
            );
            assert_eq!(answer.header("set-cookie"), None);
        }
    }
    // Nobody is signed in to somebody else's account from outside, with or without a cookie.
    let body = json!({"email": "ann@example.org", "password": PASSWORD});
    for signs in refused.iter().filter(|signs| !signs.is_empty()) {
        let answer = served.send("POST", "/auth/session", signs, &body).await;
        assert_eq!(
            (answer.status, answer.header("set-cookie")),
            (403, None),
            "{signs:?}"
        );
    }
    for signs in [
        [("sec-fetch-site", "same-origin")],
        [("origin", ours.as_str())],
    ] {
        let headers = [&[("cookie", line.as_str())], &signs[..]].concat();
        assert_eq!(with(&served, "POST", "/change", &headers).await.status, 204);
    }
    assert_eq!(count(&served).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn lets_a_known_browser_in_that_a_stranger_locked_out() {
    for place in places().await {
        let served = serve(&place).await;
        let mut browser = Browser::of(&served, "ann@example.org").await;
        let body = json!({"email": "ann@example.org", "password": "not the password"});
        for _ in 0..5 {
            let answer = served
                .call_from("198.51.100.7", "POST", "/auth/session", "", &body)
                .await;
            assert_eq!(answer.status, 401);
        }
        served.prolong_locks().await;
        let mut new = Browser::default();
        let refused = new.sign_in(&served, "ann@example.org", PASSWORD).await;
        assert_eq!(refused.status, 429, "on {}", place.name);
        browser.cookies.retain(|(name, _)| name == DEVICE);
        let other = browser.cookies.clone();
        let answer = browser.sign_in(&served, "ann@example.org", PASSWORD).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        // It is bound to its account, and counts its own failures.
        let body = json!({"email": "eve@example.org", "password": PASSWORD});
        let mut eve = Browser { cookies: other };
        assert_eq!(
            served.sign_up("eve@example.org", PASSWORD).await.status,
            201
        );
        assert_eq!(
            eve.call(&served, "POST", "/auth/session", &body)
                .await
                .status,
            200
        );
        for _ in 0..5 {
            let answer = browser
                .sign_in(&served, "ann@example.org", "not the password")
                .await;
            assert_eq!(answer.status, 401);
        }
        served.prolong_locks().await;
        let answer = browser.sign_in(&served, "ann@example.org", PASSWORD).await;
        assert_eq!(answer.status, 429);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn is_signed_in_by_json_alone() {
    let place = place().await;
    let served = serve(&place).await;
    let headers = [
        ("sec-fetch-site", "same-origin"),
        ("content-type", "text/plain"),
    ];
    let body = Value::String(PASSWORD.to_owned());
    let answer = served.send("POST", "/auth/session", &headers, &body).await;
    assert_eq!(answer.status, 415, "a form of another site sends no JSON");
}
