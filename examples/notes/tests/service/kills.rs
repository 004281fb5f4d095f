//! `kill -9` in the middle of sign-up, sign-in, refresh and reset: nobody is left in a state that they cannot leave.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::{PASSWORD, Service, get_or_lose, key, post_or_lose};

const SETTINGS: [(&str, &str); 8] = [
    ("PALISADE_LIMITS__CLIENT", "1000000/s"),
    ("PALISADE_LIMITS__SIGN_IN", "1000000/s"),
    ("PALISADE_LIMITS__SIGN_UP", "1000000/s"),
    ("PALISADE_LIMITS__REFRESH", "1000000/s"),
    ("PALISADE_LIMITS__RECOVERY", "1000000/s"),
    ("PALISADE_LIMITS__MAIL", "1000000/h"),
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

/// The token of the newest reset that the developer's inbox shows, unless it is this one.
fn reset_token(port: u16, before: &str) -> Option<String> {
    for _ in 0..1000 {
        let page = get_or_lose(port, "/dev/inbox")?;
        let reset = page
            .text
            .split("Subject: ")
            .find(|mail| mail.starts_with("Choose another"));
        let token = reset.and_then(|mail| mail.lines().find_map(|line| line.strip_prefix("    ")));
        if let Some(token) = token.filter(|token| *token != before) {
            return Some(token.to_owned());
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    panic!("no mail came");
}

/// Asks for a reset and uses its token; nothing when the service ended meanwhile.
fn reset(port: u16, password: &str, before: &mut String) -> Option<()> {
    let asked = post_or_lose(port, "/auth/reset", &json!({"email": "ann@example.com"}))?;
    assert_eq!(asked.status, 202, "{}", asked.text);
    *before = reset_token(port, before)?;
    let body = json!({"token": *before, "password": password});
    let done = post_or_lose(port, "/auth/reset/confirm", &body)?;
    assert_eq!(done.status, 204, "{}", done.text);
    Some(())
}

#[test]
fn an_account_whose_reset_was_cut_off_has_one_password_and_resets_again() {
    let mut service = Service::start_with_key(&key(), &SETTINGS);
    assert_eq!(service.sign_up("ann@example.com").status, 201);
    let (mut last, mut used) = (PASSWORD.to_owned(), String::new());
    for round in 0..6_u64 {
        let (port, first, mut before) = (service.port, last.clone(), used.clone());
        let client = std::thread::spawn(move || {
            let (mut set, mut number) = (first, 0_u32);
            loop {
                let next = format!("seven silver spoons {round} {number}");
                if reset(port, &next, &mut before).is_none() {
                    return (set, next);
                }
                set = next;
                number += 1;
            }
        });
        std::thread::sleep(Duration::from_micros(130_000 + round * 17_777));
        service = service.kill_and_go_on();
        let (set, cut_off) = client.join().expect("every whole answer was good");
        let signs_in = |password: &str| {
            let body = json!({"email": "ann@example.com", "password": password});
            let answer = post_or_lose(service.port, "/auth/sign-in", &body).expect("answered");
            answer.status == 200
        };
        let both = [signs_in(&set), signs_in(&cut_off)];
        assert_eq!(
            both.iter().filter(|one| **one).count(),
            1,
            "round {round}: {both:?}"
        );
        last = format!("eight golden forks {round}");
        reset(service.port, &last, &mut used).expect("answered");
        assert!(signs_in(&last), "round {round}");
    }
}
