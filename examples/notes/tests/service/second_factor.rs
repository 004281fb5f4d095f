//! The second factor in a real process: nothing of it is found afterwards, and `kill -9` leaves nobody without a way in.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};

use crate::harness::{Answer, PASSWORD, Service, key, post_or_lose, post_or_lose_as};

/// What an authenticator app shows so many steps from now.
fn code_in(secret: &str, steps: i64) -> String {
    let value = |c: u8| {
        if c.is_ascii_digit() {
            c - b'2' + 26
        } else {
            c - b'A'
        }
    };
    let bits: String = secret
        .bytes()
        .map(|c| format!("{:05b}", value(c)))
        .collect();
    let byte = |at| u8::from_str_radix(&bits[at..at + 8], 2).expect("bits");
    let key: Vec<u8> = (0..bits.len()).step_by(8).map(byte).collect();
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let step = since.expect("after 1970").as_secs() as i64 / 30 + steps;
    let mut mac = Hmac::<sha1::Sha1>::new_from_slice(&key).expect("a key");
    mac.update(&step.to_be_bytes());
    let mac = mac.finalize().into_bytes();
    let at = usize::from(mac[19] % 16);
    let four: [u8; 4] = mac[at..at + 4].try_into().expect("four");
    let digits = format!("{:06}", u32::from_be_bytes(four) % (1 << 31) % 1_000_000);
    // As people type it; six digits alone could be a part of a time in the log.
    format!("{} {}", &digits[..3], &digits[3..])
}

fn text(answer: &Answer, pointer: &str) -> String {
    let json = answer.json();
    let text = json.pointer(pointer).and_then(Value::as_str);
    text.unwrap_or_else(|| panic!("no {pointer}: {json}"))
        .to_owned()
}

fn recovery_codes(answer: &Answer) -> Vec<String> {
    let json = answer.json();
    let codes = json["recovery_codes"].as_array().expect("a list").iter();
    codes
        .map(|code| code.as_str().expect("text").to_owned())
        .collect()
}

#[test]
fn is_in_no_line_of_the_log_and_in_no_byte_of_the_database() {
    let service = Service::start_with_key(
        &key(),
        &[
            ("PALISADE_LOG", "trace"),
            ("PALISADE_LIMITS__SIGN_IN", "1000000/s"),
        ],
    );
    let port = service.port;
    let access = service.account("marked@example.com");
    let post = |token: &str, path: &str, body: &Value| {
        post_or_lose_as(port, token, path, body).expect("answered")
    };
    let answer = "/auth/sign-in/second-factor";
    let enrolled = post(&access, "/auth/totp", &Value::Null);
    assert_eq!(enrolled.status, 201, "{}", enrolled.text);
    let secret = text(&enrolled, "/secret");
    let mut used = vec![secret.clone(), text(&enrolled, "/uri")];
    let mut code = |steps| {
        let code = code_in(&secret, steps);
        used.push(code.clone());
        code
    };
    assert_eq!(
        post(
            &access,
            "/auth/totp/confirm",
            &json!({"password": PASSWORD, "code": code(9)})
        )
        .status,
        422
    );
    let confirmed = post(
        &access,
        "/auth/totp/confirm",
        &json!({"password": PASSWORD, "code": code(0)}),
    );
    assert_eq!(confirmed.status, 200, "{}", confirmed.text);
    let access = text(&confirmed, "/sign_in/access_token");
    let mut codes = recovery_codes(&confirmed);

    let credentials = json!({"email": "marked@example.com", "password": PASSWORD});
    let asked = post("", "/auth/sign-in", &credentials);
    assert_eq!(asked.status, 401);
    let challenge = text(&asked, "/challenge");
    let (wrong, right) = (code(7), code(1));
    let tried = |code: &str| {
        let body = json!({"challenge": challenge, "code": code});
        post("", answer, &body).status
    };
    assert_eq!(
        (tried(&wrong), tried(&right), tried(&right)),
        (401, 200, 401)
    );
    let recover = |code: &str| {
        let body = json!({"challenge": challenge, "recovery_code": code});
        post("", answer, &body).status
    };
    assert_eq!((recover(&codes[0]), recover(&codes[0])), (200, 401));
    codes.extend(recovery_codes(&post(
        &access,
        "/auth/recovery-codes",
        &Value::Null,
    )));
    // Wherever else a client may put them.
    for body in [
        json!({"challenge": challenge, "code": [right]}),
        json!({"challenge": [challenge], "code": right}),
        json!({"challenge": right, "code": challenge}),
        json!({"challenge": codes[1], "recovery_code": challenge}),
        json!({(codes[2].as_str()): challenge, (right.as_str()): secret}),
        json!({"challenge": secret, "code": codes[3], "recovery_code": secret}),
    ] {
        assert!(post("", answer, &body).status >= 400);
    }
    let escaped = right.replace(' ', "%20");
    for path in [
        format!("/auth/me?code={escaped}&secret={secret}"),
        format!("/{challenge}"),
        format!("/notes/{}", codes[4]),
    ] {
        service.call("GET", &path, "", "");
    }
    for (name, value) in [
        ("authorization", format!("Bearer {challenge}")),
        ("authorization", format!("Basic {secret}")),
        ("cookie", format!("code={}", codes[5])),
        ("x-code", right.clone()),
    ] {
        service.send("GET", "/auth/me", &[(name, &value)], b"");
    }
    assert_eq!(
        service.call("DELETE", "/auth/totp", &access, "").status,
        204
    );
    used.extend(codes.iter().map(|code| code.replace('-', "")));
    used.extend(codes);
    used.extend([challenge, escaped]);

    // Ends it, so that all of its log is written.
    let (folder, log) = service.end();
    for event in [
        "authn_factor_enrolled",
        "authn_factor_required",
        "authn_factor_fail",
        "authn_factor_reuse",
        "authn_recovery_code_used",
        "authn_recovery_codes_created",
        "authn_factor_removed",
    ] {
        assert!(log.contains(&format!("\"{event}\"")), "no {event}: {log}");
    }
    let mut places = vec![("the log".to_owned(), log.into_bytes())];
    let files = std::fs::read_dir(folder.path().join("data")).expect("the data");
    for file in files.flatten() {
        let bytes = std::fs::read(file.path()).expect("readable");
        places.push((file.file_name().to_string_lossy().into_owned(), bytes));
    }
    assert!(places.len() > 1);
    for secret in &used {
        for (place, bytes) in &places {
            let mut windows = bytes.windows(secret.len());
            let found = windows.any(|window| window == secret.as_bytes());
            assert!(!found, "{secret} is in {place}");
        }
    }
}

/// What the person at the client has in his hands.
#[derive(Clone, Default)]
struct Hands {
    email: String,
    secret: Option<String>,
}

/// Signs up, in, enrolls and confirms, again and again, until an answer is lost.
fn set_up_until_lost(port: u16, round: u64, hands: &Mutex<Hands>) {
    for number in 0_u32.. {
        let email = format!("user{round}-{number}@example.com");
        *hands.lock().expect("held") = Hands {
            email: email.clone(),
            secret: None,
        };
        let credentials = json!({"email": email, "password": PASSWORD});
        let step = || {
            post_or_lose(port, "/auth/sign-up", &credentials)?;
            let access = post_or_lose(port, "/auth/sign-in", &credentials)?;
            let access = text(&access, "/access_token");
            let enrolled = post_or_lose_as(port, &access, "/auth/totp", &Value::Null)?;
            let secret = text(&enrolled, "/secret");
            hands.lock().expect("held").secret = Some(secret.clone());
            let code = json!({"password": PASSWORD, "code": code_in(&secret, 0)});
            let confirmed = post_or_lose_as(port, &access, "/auth/totp/confirm", &code)?;
            assert_eq!(confirmed.status, 200, "{}", confirmed.text);
            let access = text(&confirmed, "/sign_in/access_token");
            post_or_lose_as(port, &access, "/auth/recovery-codes", &Value::Null)
        };
        match step() {
            Some(answer) => assert_eq!(answer.status, 201, "{}", answer.text),
            None => return,
        }
    }
}

#[test]
fn is_set_up_or_not_after_a_kill_and_its_owner_gets_in() {
    let settings = [
        ("PALISADE_LIMITS__CLIENT", "1000000/s"),
        ("PALISADE_LIMITS__SIGN_IN", "1000000/s"),
        ("PALISADE_LIMITS__SIGN_UP", "1000000/s"),
    ];
    let mut service = Service::start_with_key(&key(), &settings);
    for round in 0..10_u64 {
        let (port, hands) = (service.port, Arc::new(Mutex::new(Hands::default())));
        let held = Arc::clone(&hands);
        let client = std::thread::spawn(move || set_up_until_lost(port, round, &held));
        // Each round is killed at another moment after the secret was shown: before it was confirmed, while, and after.
        let begun = Instant::now();
        while hands.lock().expect("held").secret.is_none() {
            assert!(
                begun.elapsed() < Duration::from_secs(60),
                "it never enrolls"
            );
            std::thread::sleep(Duration::from_micros(100));
        }
        std::thread::sleep(Duration::from_micros(round * 1_700));
        service = service.kill_and_go_on();
        client.join().expect("every whole answer was good");
        let hands = hands.lock().expect("held").clone();
        assert_eq!(service.sign_up(&hands.email).status, 201);
        let credentials = json!({"email": hands.email, "password": PASSWORD});
        let signed_in = post_or_lose(service.port, "/auth/sign-in", &credentials);
        let signed_in = signed_in.expect("answered");
        let (access, factor) = match signed_in.status {
            200 => (text(&signed_in, "/access_token"), false),
            401 => {
                let secret = hands.secret.expect("nothing counts that was not shown");
                // The one that confirmed it was used.
                let body = json!({"challenge": text(&signed_in, "/challenge"), "code": code_in(&secret, 1)});
                let path = "/auth/sign-in/second-factor";
                let entered = post_or_lose(service.port, path, &body).expect("answered");
                assert_eq!(entered.status, 200, "round {round}: {}", entered.text);
                (text(&entered, "/access_token"), true)
            }
            status => panic!("round {round}: {status}: {}", signed_in.text),
        };
        let status = service
            .call("GET", "/auth/second-factor", &access, "")
            .json();
        let codes = if factor { 10 } else { 0 };
        assert_eq!(
            status["totp"].is_object(),
            factor,
            "round {round}: {status}"
        );
        assert_eq!(status["recovery_codes"], codes, "round {round}: {status}");
        // Whatever was lost can be had again.
        let path = if factor {
            "/auth/recovery-codes"
        } else {
            "/auth/totp"
        };
        let again = post_or_lose_as(service.port, &access, path, &Value::Null).expect("answered");
        assert_eq!(again.status, 201, "round {round}: {}", again.text);
    }
}
