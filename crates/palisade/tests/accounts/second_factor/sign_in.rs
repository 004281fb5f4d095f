//! Signing in with a second factor, for tokens, for a session, and to prove oneself again.

use super::*;
use crate::harness::places;

#[tokio::test(flavor = "multi_thread")]
async fn asks_for_it_after_the_password_and_answers_as_any_other_does() {
    for place in places().await {
        let served = serve(&place).await;
        let owner = owner(&served, ANN).await;
        forget_codes(&served).await;
        let asked = served.sign_in(ANN, PASSWORD).await;
        assert_eq!(asked.status, 401, "on {}", place.name);
        assert_eq!(
            asked.header("www-authenticate"),
            Some(
                "Bearer error=\"insufficient_user_authentication\", error_description=\"a second factor is required\""
            )
        );
        assert_eq!(asked.header("set-cookie"), None);
        let challenged = asked.text_of("challenge");
        assert_eq!(
            told(&asked),
            json!({
                "type": "urn:palisade:problem:second-factor-required",
                "title": "A second factor is asked for",
                "status": 401,
                "detail": "send the challenge with a code to the path in `answer_to`",
                "challenge": challenged,
                "kinds": ["totp", "recovery_code"],
                "expires_in": 300,
                "answer_to": "/auth/sign-in/second-factor",
            })
        );
        let refused = answer(&served, &challenged, &owner.app.wrong_code()).await;
        assert_eq!(refused.status, 401);
        assert_eq!(refused.header("www-authenticate"), Some("Bearer"));
        assert_eq!(
            told(&refused),
            json!({
                "type": REFUSED,
                "title": "The code is not right",
                "status": 401,
                "detail": "the code is wrong, or was used before: answer the challenge once more, with the next one",
            })
        );
        let code = owner.app.code();
        let typed = format!("{} {}", &code[..3], &code[3..]);
        let entered = answer(&served, &challenged, &typed).await;
        assert_eq!(entered.status, 200, "{}", entered.text);
        let mut members: Vec<_> = entered
            .json()
            .as_object()
            .unwrap()
            .keys()
            .cloned()
            .collect();
        members.sort_unstable();
        assert_eq!(
            members,
            [
                "access_token",
                "device_token",
                "expires_in",
                "refresh_expires_in",
                "refresh_token",
                "token_type"
            ]
        );
        let access = entered.text_of("access_token");
        let path = "/strength";
        let strong = served.call("GET", path, &access, &Value::Null).await;
        assert_eq!(strong.json(), json!({"second_factor": true}));
        // It stays so when the tokens are refreshed.
        let refreshed = served.refresh(&entered.text_of("refresh_token")).await;
        let access = refreshed.text_of("access_token");
        let strong = served.call("GET", path, &access, &Value::Null).await;
        assert_eq!(strong.json(), json!({"second_factor": true}));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn refuses_what_answers_nothing() {
    for place in places().await {
        let served = serve(&place).await;
        let (ann, bob) = (
            owner(&served, ANN).await,
            owner(&served, "bob@example.org").await,
        );
        forget_codes(&served).await;
        let of_ann = challenge(&served, ANN).await;
        let code = ann.app.code();
        for (body, pointer) in [
            (json!({"challenge": of_ann}), "/code"),
            (json!({"code": code}), "/challenge"),
            (
                json!({"challenge": of_ann, "code": code, "recovery_code": ann.codes[0]}),
                "/code",
            ),
            (json!({"challenge": of_ann, "code": "12345"}), "/code"),
            (json!({"challenge": of_ann, "code": [code]}), "/code"),
            (
                json!({"challenge": of_ann, "recovery_code": "ABCD-EFGH"}),
                "/recovery_code",
            ),
            (
                json!({"challenge": {"$gt": ""}, "code": code}),
                "/challenge",
            ),
        ] {
            let answer = answer_from(&served, "192.0.2.1", &body).await;
            assert_eq!(answer.status, 422, "{body}");
            assert_eq!(answer.json()["errors"][0]["pointer"], pointer, "{body}");
        }
        // Neither forged, nor cut, nor of another kind.
        let mut forged = vec![
            "x".to_owned(),
            "pch_".to_owned(),
            format!("{of_ann}A"),
            of_ann[..of_ann.len() - 1].to_owned(),
            of_ann[4..].to_owned(),
            ann.access.clone(),
            ann.refresh.clone(),
            ann.device.clone(),
        ];
        for at in [4, 10, 22, 40, 60, of_ann.len() - 10] {
            let mut bytes = of_ann.clone().into_bytes();
            bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
            forged.push(String::from_utf8(bytes).unwrap());
        }
        for forged in &forged {
            let answer = answer(&served, forged, &code).await;
            assert_eq!(answer.status, 401, "{forged}");
            assert_eq!(told(&answer)["type"], "urn:palisade:problem:unauthorized");
            assert_eq!(told(&answer)["detail"], OVER);
        }
        // The challenge of one, the code of another.
        let of_bob = challenge(&served, "bob@example.org").await;
        let other = answer(&served, &of_bob, &code).await;
        assert_eq!(
            (other.status, told(&other)["type"].clone()),
            (401, json!(REFUSED))
        );
        assert_eq!(answer(&served, &of_bob, &bob.app.code()).await.status, 200);
        // It opens nothing by itself.
        assert_eq!(served.me(&of_ann).await.status, 401);
        assert_eq!(served.refresh(&of_ann).await.status, 401);
        // And ends with the password that it was given for.
        let (id, hash): (Id<Account>, String) = (
            sql!("select id from palisade_accounts where email = {ANN}")
                .one(&served.db)
                .await
                .unwrap(),
            sql!("select password_hash from palisade_accounts where email = {\"bob@example.org\"}")
                .one(&served.db)
                .await
                .unwrap(),
        );
        sql!("update palisade_accounts set password_hash = {hash}, password_version = password_version + 1 where id = {id}")
            .execute(&served.db)
            .await
            .unwrap();
        let over = answer(&served, &of_ann, &code).await;
        assert_eq!(
            (over.status, told(&over)["detail"].clone()),
            (401, json!(OVER))
        );
        let of_ann = challenge(&served, ANN).await;
        sql!("delete from palisade_accounts where id = {id}")
            .execute(&served.db)
            .await
            .unwrap();
        let over = answer(&served, &of_ann, &code).await;
        assert_eq!(
            (over.status, told(&over)["detail"].clone()),
            (401, json!(OVER)),
            "on {}",
            place.name
        );
        let left: i64 = sql!("select count(*) from palisade_credentials where account_id = {id}")
            .one(&served.db)
            .await
            .unwrap();
        assert_eq!(left, 0, "its credentials are gone with the account");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn makes_a_caller_fresh_with_both_alone() {
    for place in places().await {
        let served = serve(&place).await;
        let owner = owner(&served, ANN).await;
        forget_codes(&served).await;
        let sensitive = async |access: &str| {
            served
                .call("POST", "/sensitive", access, &Value::Null)
                .await
                .status
        };
        assert_eq!(sensitive(&owner.access).await, 204);
        let body = json!({"password": PASSWORD});
        let asked = served
            .call("POST", "/auth/reauthenticate", &owner.access, &body)
            .await;
        assert_eq!(asked.status, 401, "on {}", place.name);
        assert_eq!(
            asked.text_of("type"),
            "urn:palisade:problem:second-factor-required"
        );
        let challenged = asked.text_of("challenge");
        assert_eq!(
            served.me(&owner.access).await.status,
            200,
            "nothing was begun yet"
        );
        let entered = answer(&served, &challenged, &owner.app.code()).await;
        assert_eq!(entered.status, 200, "{}", entered.text);
        assert_eq!(
            served.me(&owner.access).await.status,
            401,
            "the old sign-in ended"
        );
        let access = entered.text_of("access_token");
        assert_eq!(sensitive(&access).await, 204);
        // What it was to renew has ended: the challenge makes no second sign-in of it.
        forget_codes(&served).await;
        assert_eq!(
            answer(&served, &challenged, &owner.app.code()).await.status,
            401
        );
        // A sign-in of this account without the factor, as one from before it was set up, is not fresh.
        sql!("update palisade_token_families set second_factor = false")
            .execute(&served.db)
            .await
            .unwrap();
        served.stop().await;
        let served = serve(&place).await;
        assert_eq!(served.me(&access).await.status, 200);
        assert_eq!(
            served
                .call("POST", "/sensitive", &access, &Value::Null)
                .await
                .text_of("type"),
            "urn:palisade:problem:reauthentication-required"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn gives_a_browser_its_session_when_both_were_right() {
    for place in places().await {
        let served = serve(&place).await;
        let owner = owner(&served, ANN).await;
        forget_codes(&served).await;
        let credentials = json!({"email": ANN, "password": PASSWORD});
        let asked = served.call("POST", "/auth/session", "", &credentials).await;
        assert_eq!((asked.status, asked.header("set-cookie")), (401, None));
        let entered = answer(&served, &asked.text_of("challenge"), &owner.app.code()).await;
        assert_eq!(entered.status, 200, "{}", entered.text);
        let members: Vec<_> = entered
            .json()
            .as_object()
            .unwrap()
            .keys()
            .cloned()
            .collect();
        assert!(!members.contains(&"access_token".to_owned()), "{members:?}");
        let cookie = session_cookie(&entered);
        let get = async |cookie: &str, path: &str| {
            let headers = [("cookie", cookie)];
            served.send("GET", path, &headers, &Value::Null).await
        };
        assert_eq!(
            get(&cookie, "/strength").await.json(),
            json!({"second_factor": true})
        );

        // To prove oneself again gives the session a new id, after the code.
        forget_codes(&served).await;
        let post = async |cookie: &str, path: &str, body: &Value| {
            let headers = [("cookie", cookie), ("sec-fetch-site", "same-origin")];
            served.send("POST", path, &headers, body).await
        };
        let asked = post(
            &cookie,
            "/auth/reauthenticate",
            &json!({"password": PASSWORD}),
        )
        .await;
        assert_eq!(asked.status, 401, "{}", asked.text);
        let entered = answer(&served, &asked.text_of("challenge"), &owner.app.code()).await;
        assert_eq!(entered.status, 200, "{}", entered.text);
        let renewed = session_cookie(&entered);
        assert_ne!(renewed, cookie);
        assert_eq!(get(&cookie, "/auth/me").await.status, 401);
        assert_eq!(get(&renewed, "/auth/me").await.status, 200);

        // Another app in the first one's place: confirmed in a browser, answered with a cookie.
        let enrolled = post(&renewed, "/auth/totp", &Value::Null).await;
        let app = Authenticator::of(&enrolled.text_of("secret"));
        let confirmed = post(
            &renewed,
            "/auth/totp/confirm",
            &json!({"password": PASSWORD, "code": app.code()}),
        )
        .await;
        assert_eq!(confirmed.status, 200, "{}", confirmed.text);
        assert_eq!(codes_of(&confirmed).len(), 10);
        assert!(
            confirmed.json()["sign_in"]["id"].is_string(),
            "{}",
            confirmed.text
        );
        let last = session_cookie(&confirmed);
        assert_eq!(get(&renewed, "/auth/me").await.status, 401);
        assert_eq!(
            get(&last, "/strength").await.json(),
            json!({"second_factor": true})
        );
        assert_eq!(
            served.me(&owner.access).await.status,
            401,
            "on {}",
            place.name
        );
    }
}

fn session_cookie(answer: &Answer) -> String {
    let cookies = answer
        .headers
        .iter()
        .filter(|(name, _)| name == "set-cookie");
    let mut values = cookies.filter_map(|(_, value)| value.split(';').next());
    let session = values.find(|value| value.starts_with("__Host-session="));
    session.expect("a session").to_owned()
}
