//! `kill -9` in the middle of sign-up, sign-in and refresh: nobody is left in a state that they cannot leave.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::{PASSWORD, Service, key, post_or_lose};

const SETTINGS: [(&str, &str); 6] = [
    ("PALISADE_LIMITS__CLIENT", "1000000/s"),
    ("PALISADE_LIMITS__SIGN_IN", "1000000/s"),
    ("PALISADE_LIMITS__SIGN_UP", "1000000/s"),
    ("PALISADE_LIMITS__REFRESH", "1000000/s"),
    ("PALISADE_LIMITS__AUTH", "1000000/s"),
    ("PALISADE_AUTH__REFRESH_GRACE", "30s"),
];

fn member(answer: &str, name: &str) -> String {
    let answer: Value = serde_json::from_str(answer).expect("JSON");
    answer[name].as_str().expect("text").to_owned()
}

#[test]
fn a_client_refreshes_on_from_the_last_token_that_it_received() {
    let mut service = Service::start_with_key(&key(), &SETTINGS);
    assert_eq!(service.sign_up("ann@example.com").status, 201);
    let credentials = json!({"email": "ann@example.com", "password": PASSWORD});
    let signed_in = post_or_lose(service.port, "/auth/sign-in", &credentials).expect("answered");
    let last = Arc::new(Mutex::new(member(&signed_in.text, "refresh_token")));
    let mut refreshed = 0;
    for round in 0..12_u64 {
        let (port, held) = (service.port, Arc::clone(&last));
        let client = std::thread::spawn(move || {
            let mut count = 0_u32;
            loop {
                let body = json!({"refresh_token": held.lock().expect("held").clone()});
                let Some(answer) = post_or_lose(port, "/auth/refresh", &body) else {
                    return count;
                };
                assert_eq!(answer.status, 200, "{}", answer.text);
                *held.lock().expect("held") = member(&answer.text, "refresh_token");
                count += 1;
            }
        });
        // Each round is killed at another moment of a refresh.
        std::thread::sleep(Duration::from_micros(30_000 + round * 7_333));
        service = service.kill_and_go_on();
        refreshed += client.join().expect("every whole answer was good");
        let token = last.lock().expect("held").clone();
        let body = json!({"refresh_token": token});
        let answer = post_or_lose(service.port, "/auth/refresh", &body).expect("answered");
        assert_eq!(answer.status, 200, "round {round}: {}", answer.text);
        let access = member(&answer.text, "access_token");
        assert_eq!(service.call("GET", "/auth/me", &access, "").status, 200);
        *last.lock().expect("held") = member(&answer.text, "refresh_token");
    }
    assert!(
        refreshed > 12,
        "only {refreshed} refreshes ran while it was killed"
    );
}

#[test]
fn an_account_whose_sign_up_or_sign_in_was_cut_off_signs_in() {
    let mut service = Service::start_with_key(&key(), &SETTINGS);
    for round in 0..6_u64 {
        let port = service.port;
        let client = std::thread::spawn(move || {
            let mut number = 0_u32;
            loop {
                let email = format!("user{round}-{number}@example.com");
                let body = json!({"email": email, "password": PASSWORD});
                let signed_up = post_or_lose(port, "/auth/sign-up", &body);
                let signed_in = signed_up.and_then(|answer| {
                    assert_eq!(answer.status, 201, "{}", answer.text);
                    post_or_lose(port, "/auth/sign-in", &body)
                });
                match signed_in {
                    Some(answer) => assert_eq!(answer.status, 200, "{}", answer.text),
                    None => return number,
                }
                number += 1;
            }
        });
        std::thread::sleep(Duration::from_micros(120_000 + round * 13_777));
        service = service.kill_and_go_on();
        let cut_off: u32 = client.join().expect("every whole answer was good");
        for number in [cut_off, cut_off.saturating_sub(1)] {
            let email = format!("user{round}-{number}@example.com");
            // Who got no answer tries again; who had signed up already is told the same.
            assert_eq!(service.sign_up(&email).status, 201);
            let body = json!({"email": email, "password": PASSWORD});
            let answer = post_or_lose(service.port, "/auth/sign-in", &body).expect("answered");
            assert_eq!(answer.status, 200, "round {round}: {}", answer.text);
        }
    }
}
