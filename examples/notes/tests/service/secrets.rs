//! No password, token or key that was used is found anywhere afterwards: not in the log at its most talkative, not in the database.

use serde_json::{Value, json};

use crate::harness::{Service, key, post_or_lose};

const PASSWORD: &str = "marked unrelated words";
const WRONG: [&str; 3] = [
    "marked wrong words",
    "another marked one",
    "marked\u{fc}ber 'quoted\"",
];

#[test]
fn are_in_no_line_of_the_log_and_in_no_byte_of_the_database() {
    let (key, pepper) = (key(), key());
    let service = Service::start_with_key(
        &key,
        &[
            ("PALISADE_LOG", "trace"),
            ("PALISADE_AUTH__PEPPER", &pepper),
            ("PALISADE_LIMITS__SIGN_IN", "1000000/s"),
        ],
    );
    let mut used: Vec<String> = WRONG.iter().map(|word| (*word).to_owned()).collect();
    used.extend([PASSWORD.to_owned(), key, pepper]);
    let post = |path: &str, body: &Value| post_or_lose(service.port, path, body).expect("answered");
    let email = "marked@example.com";
    assert_eq!(
        post(
            "/auth/sign-up",
            &json!({"email": email, "password": PASSWORD})
        )
        .status,
        201
    );
    for refused in ["password1", "marked@example.com"] {
        let answer = post(
            "/auth/sign-up",
            &json!({"email": email, "password": refused}),
        );
        assert_eq!(answer.status, 422);
    }
    let mut tokens = Vec::new();
    let mut keep = |answer: &crate::harness::Answer| {
        let json = answer.json();
        for name in ["access_token", "refresh_token", "device_token"] {
            tokens.extend(json[name].as_str().map(str::to_owned));
        }
        (
            json["access_token"].as_str().unwrap_or_default().to_owned(),
            json["refresh_token"]
                .as_str()
                .unwrap_or_default()
                .to_owned(),
        )
    };
    let mut last = (String::new(), String::new());
    for round in 0..2 {
        for wrong in &WRONG[..2] {
            let body = json!({"email": email, "password": wrong});
            assert_eq!(post("/auth/sign-in", &body).status, 401, "{round}");
        }
        let answer = post(
            "/auth/sign-in",
            &json!({"email": email, "password": PASSWORD}),
        );
        assert_eq!(answer.status, 200, "{}", answer.text);
        last = keep(&answer);
        let second = post("/auth/refresh", &json!({"refresh_token": last.1}));
        let third = post("/auth/refresh", &json!({"refresh_token": keep(&second).1}));
        keep(&third);
        assert_eq!(
            post("/auth/refresh", &json!({"refresh_token": last.1})).status,
            401,
            "a reuse"
        );
    }
    // A browser: its cookies are secrets too.
    let sent = |method: &str, path: &str, cookies: &str, body: &Value| {
        let headers = [
            ("cookie", cookies),
            ("sec-fetch-site", "same-origin"),
            ("content-type", "application/json"),
        ];
        service.send(method, path, &headers, body.to_string().as_bytes())
    };
    let mut cookies = |answer: &crate::harness::Answer| {
        let set = answer
            .headers
            .iter()
            .filter(|(name, _)| name == "set-cookie");
        let pairs: Vec<String> = set
            .map(|(_, cookie)| cookie.split(';').next().unwrap_or_default().to_owned())
            .collect();
        tokens.extend(
            pairs
                .iter()
                .map(|pair| pair.split_once('=').expect("a cookie").1.to_owned()),
        );
        pairs.join("; ")
    };
    let body = json!({"email": email, "password": PASSWORD});
    let answer = sent("POST", "/auth/session", "", &body);
    assert_eq!(answer.status, 200, "{}", answer.text);
    let first = cookies(&answer);
    assert_eq!(sent("GET", "/auth/me", &first, &Value::Null).status, 200);
    let answer = sent(
        "POST",
        "/auth/reauthenticate",
        &first,
        &json!({"password": PASSWORD}),
    );
    assert_eq!(answer.status, 200, "{}", answer.text);
    let second = cookies(&answer);
    assert_eq!(
        sent("GET", "/auth/me", &first, &Value::Null).status,
        401,
        "rotated"
    );
    assert_eq!(
        sent(
            "GET",
            "/auth/me",
            &format!("{second}; {first}"),
            &Value::Null
        )
        .status,
        401
    );
    assert_eq!(
        sent("DELETE", "/auth/session", &second, &Value::Null).status,
        204
    );
    for broken in [&second[..second.len() - 1], &second.replace("; ", ";x")] {
        sent("POST", "/notes", broken, &Value::Null);
    }
    // Wherever else a client may put them.
    let (access, refresh) = last;
    post(
        "/auth/sign-in",
        &json!({"email": WRONG[2], "password": WRONG[2]}),
    );
    post(
        "/auth/sign-in",
        &json!({"email": email, "password": [PASSWORD]}),
    );
    post("/auth/refresh", &json!({"refresh_token": [refresh]}));
    post("/auth/refresh", &json!({(refresh.as_str()): access}));
    for path in [
        format!("/auth/me?access_token={access}"),
        format!("/{refresh}"),
        format!("/notes/{refresh}"),
    ] {
        service.call("GET", &path, "", "");
    }
    for (name, value) in [
        ("authorization", format!("Basic {access}")),
        ("cookie", format!("token={refresh}")),
        ("x-token", access.clone()),
    ] {
        service.send("GET", "/auth/me", &[(name, &value)], b"");
    }
    service.call("GET", "/auth/me", &format!("{access}x"), "");
    service.call("POST", "/auth/sign-out", &access, "");
    assert!(tokens.len() >= 16, "{}", tokens.len());
    // The signature alone would do for a thief too.
    let signatures = tokens.iter().filter_map(|token| token.rsplit_once('.'));
    let signatures: Vec<String> = signatures
        .map(|(_, signature)| signature.to_owned())
        .collect();
    used.extend(signatures);
    used.extend(tokens);

    // Ends it, so that all of its log is written.
    let (folder, log) = service.end();
    assert!(
        [
            "authn_token_reuse",
            "authn_login_fail",
            "session_renewed",
            "session_use_after_expire"
        ]
        .iter()
        .all(|event| log.contains(event)),
        "{log}"
    );
    let mut places = vec![("the log".to_owned(), log.into_bytes())];
    let files = std::fs::read_dir(folder.path().join("data")).expect("the data");
    for file in files.flatten() {
        let bytes = std::fs::read(file.path()).expect("readable");
        places.push((file.file_name().to_string_lossy().into_owned(), bytes));
    }
    assert!(places.len() > 1);
    for secret in &used {
        for (place, bytes) in &places {
            let found = bytes
                .windows(secret.len())
                .any(|window| window == secret.as_bytes());
            assert!(!found, "{secret} is in {place}");
        }
    }
}
