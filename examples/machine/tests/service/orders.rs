//! Orders: their life, and that each is placed once.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::json;

use crate::harness::{Answer, Service, ask};

const BOTH: &[&str] = &["orders.read", "orders.write"];

#[test]
fn live_from_placing_to_cancelling() {
    let service = Service::start();
    let (key, _) = service.key(&service.person("ann@example.com"), BOTH);
    let placed = service.place(&key, "one", "lamp");
    assert_eq!(placed.status, 201, "{}", placed.text);
    let order = placed.json();
    assert_eq!(
        order,
        json!({"id": order["id"], "article": "lamp", "quantity": 2, "state": "placed", "created_at": order["created_at"]})
    );
    let path = format!("/orders/{}", order["id"].as_str().expect("an id"));
    assert_eq!(service.call("GET", &path, &key, "").json(), order);
    let bearer = format!("Bearer {key}");
    let cancel = |once: &str| {
        let target = format!("{path}/cancel");
        let headers = [
            ("authorization", bearer.as_str()),
            ("idempotency-key", once),
        ];
        service.send(("POST", &target), &headers, "")
    };
    let first = cancel("\"two\"");
    assert_eq!(first.json()["state"], "cancelled");
    let again = cancel("\"two\"");
    assert_eq!(
        (
            again.status,
            &again.text,
            again.header("idempotent-replayed")
        ),
        (200, &first.text, Some("true"))
    );
    let late = cancel("\"three\"");
    assert_eq!(
        (late.status, late.json()["type"].clone()),
        (409, json!("urn:problem:too-late"))
    );
    assert_eq!(service.orders(&key).len(), 1);
}

#[test]
fn are_the_owners_alone() {
    let service = Service::start();
    let (anns, _) = service.key(&service.person("ann@example.com"), BOTH);
    let (eves, _) = service.key(&service.person("eve@example.com"), BOTH);
    let placed = service.place(&anns, "one", "lamp").json();
    let path = format!("/orders/{}", placed["id"].as_str().expect("an id"));
    assert_eq!(service.call("GET", &path, &eves, "").status, 404);
    assert_eq!(service.orders(&eves).len(), 0);
    // Her key is her own, so it is another request.
    assert_eq!(
        service
            .place(&eves, "one", "lamp")
            .header("idempotent-replayed"),
        None
    );
    assert_eq!(service.orders(&anns).len(), 1);
}

/// The service is killed again and again while a program places orders; the program asks until it is answered, as programs do.
#[test]
fn are_placed_once_though_the_service_is_killed_in_the_middle() {
    let mut service = Service::start();
    let ann = service.person("ann@example.com");
    let (mut answered, mut cut_off) = (HashSet::new(), HashSet::new());
    let mut reader = String::new();
    for round in 0..4_u64 {
        let (key, _) = service.key(&ann, BOTH);
        let told = Arc::new(Mutex::new(Vec::new()));
        let (port, telling, bearer) = (service.port, Arc::clone(&told), key.clone());
        let program = std::thread::spawn(move || {
            for number in 0..8 {
                let once = format!("{round}-{number}");
                match place(port, &bearer, &once) {
                    Some(answer) => {
                        assert_eq!(answer.status, 201, "{}", answer.text);
                        telling.lock().expect("held").push((once, answer.text));
                    }
                    None => return Some(once),
                }
            }
            None
        });
        std::thread::sleep(Duration::from_micros(3_000 + round * 6_333));
        service = service.kill_and_go_on();
        let lost = program.join().expect("every whole answer was good");
        for (once, text) in told.lock().expect("held").drain(..) {
            let again = place(service.port, &key, &once).expect("an answer");
            assert_eq!((again.status, &again.text), (201, &text), "round {round}");
            answered.insert(format!("lamp-{once}"));
        }
        if let Some(once) = lost {
            // What was cut off is free again when the time of its handler is over.
            let begun = Instant::now();
            while place(service.port, &key, &once).expect("an answer").status != 201 {
                assert!(begun.elapsed() < Duration::from_secs(60), "it stays locked");
                std::thread::sleep(Duration::from_millis(500));
            }
            cut_off.insert(format!("lamp-{once}"));
        }
        reader = key;
    }
    let mut counts: BTreeMap<String, u32> = BTreeMap::new();
    for order in service.orders(&reader) {
        let article = order["article"].as_str().expect("text").to_owned();
        *counts.entry(article).or_default() += 1;
    }
    assert!(!cut_off.is_empty(), "nothing was cut off");
    assert_eq!(counts.len(), answered.len() + cut_off.len());
    for (article, count) in counts {
        // Between an order and the note of its answer there is a moment in which a kill lets it be placed once more.
        let most = if cut_off.contains(&article) { 2 } else { 1 };
        assert!(count <= most, "{article}: {count}");
    }
}

fn place(port: u16, key: &str, once: &str) -> Option<Answer> {
    let (bearer, quoted) = (format!("Bearer {key}"), format!("\"{once}\""));
    let headers = [
        ("authorization", bearer.as_str()),
        ("idempotency-key", &quoted),
    ];
    let body = json!({"article": format!("lamp-{once}"), "quantity": 1}).to_string();
    ask(port, ("POST", "/orders"), &headers, &body)
}
