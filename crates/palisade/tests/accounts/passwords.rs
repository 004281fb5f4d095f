//! Passwords at sign-up and sign-in.

use palisade::auth::{BreachedList, BreachedPasswords};
use palisade::prelude::*;
use palisade::secret::key::Key;
use serde_json::{Value, json};

use crate::harness::{PASSWORD, Served, place, places};

async fn hash_of(served: &Served, email: &str) -> String {
    sql!("select password_hash from palisade_accounts where email = {email}")
        .one(&served.db)
        .await
        .expect("it is kept")
}

async fn set_hash(served: &Served, email: &str, hash: &str) {
    sql!("update palisade_accounts set password_hash = {hash} where email = {email}")
        .execute(&served.db)
        .await
        .expect("it is written");
}

#[tokio::test(flavor = "multi_thread")]
async fn refuses_common_weak_own_and_breached_passwords_at_sign_up() {
    let place = place().await;
    let list = BreachedList::of(["seven breached silver spoons"]);
    let app = place.app(&[]).expect("it is built");
    let app = app.provide::<std::sync::Arc<dyn BreachedPasswords>>(std::sync::Arc::new(list));
    let served = Served::of(app).await;
    for (password, code) in [
        ("password1", "too_common"),
        ("annabel.lee", "too_weak"),
        ("seven breached silver spoons", "breached"),
        ("seven77", "too_short"),
        (&"long ".repeat(60), "too_long"),
    ] {
        let answer = served.sign_up("annabel.lee@example.org", password).await;
        assert_eq!(answer.status, 422, "{password}");
        let errors = answer.json()["errors"].clone();
        assert_eq!(
            (&errors[0]["pointer"], &errors[0]["code"]),
            (&json!("/password"), &json!(code))
        );
        assert!(
            !answer.text.contains(password),
            "a refusal never tells the value"
        );
    }
    let any = "缓慢的 乌龟 走过\t雨中的桥 \u{1f422}";
    assert_eq!(
        served.sign_up("annabel.lee@example.org", any).await.status,
        201
    );
    assert_eq!(
        served.sign_in("annabel.lee@example.org", any).await.status,
        200
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn hashes_anew_at_sign_in_when_the_settings_rose() {
    for place in places().await {
        let served = place.serve(&[]).await;
        served.account("ann@example.org").await;
        let before = hash_of(&served, "ann@example.org").await;
        assert!(before.contains("m=19456,t=2,p=1"), "{before}");
        served.stop().await;
        let pepper = Key::generate_text();
        let raised = [
            ("PALISADE_AUTH__PASSWORD_PASSES", "3"),
            ("PALISADE_AUTH__PEPPER", pepper.expose().as_str()),
        ];
        let served = place.serve(&raised).await;
        let wrong = served
            .sign_in("ann@example.org", "four unrelated words")
            .await;
        assert_eq!(wrong.status, 401);
        assert_eq!(
            hash_of(&served, "ann@example.org").await,
            before,
            "on {}",
            place.name
        );
        assert_eq!(
            served.sign_in("ann@example.org", PASSWORD).await.status,
            200
        );
        let after = hash_of(&served, "ann@example.org").await;
        assert!(
            after.contains("m=19456,t=3,p=1,keyid="),
            "on {}: {after}",
            place.name
        );
        assert_eq!(
            served.sign_in("ann@example.org", PASSWORD).await.status,
            200
        );
        assert_eq!(
            hash_of(&served, "ann@example.org").await,
            after,
            "once is enough"
        );
        served.stop().await;

        let app = place.app(&[]).expect("it is built");
        let said = app
            .start()
            .await
            .expect_err("the pepper is lost")
            .to_string();
        assert!(
            said.contains("hashed with a pepper which is not configured"),
            "{said}"
        );
        let next = Key::generate_text();
        let rotated = [
            ("PALISADE_AUTH__PEPPER", next.expose().as_str()),
            ("PALISADE_AUTH__PEPPER_PREVIOUS", pepper.expose().as_str()),
        ];
        let served = place.serve(&rotated).await;
        assert_eq!(
            served.sign_in("ann@example.org", PASSWORD).await.status,
            200
        );
        assert_ne!(
            hash_of(&served, "ann@example.org").await,
            after,
            "the pepper is the new one"
        );
        served.stop().await;
        let served = place.serve(&rotated[..1]).await;
        assert_eq!(
            served.sign_in("ann@example.org", PASSWORD).await.status,
            200
        );
    }
}

#[cfg(feature = "import-passwords")]
#[tokio::test(flavor = "multi_thread")]
async fn lets_moved_users_in_and_hashes_their_passwords_anew() {
    let place = place().await;
    let served = place.serve(&[]).await;
    for (number, old) in [
        "$2b$05$abcdefghijklmnopqrstuu3JgwjVpvICm0WBx/KCD2Txrbr.XoE5m",
        "pbkdf2_sha256$1000$seasalt12$sEv+vb0DIdWblyoIVe3oQnU1kmVeDV8nYywPw47i4Wc=",
        "$scrypt$ln=14,r=8,p=1$MDEyMzQ1Njc4OWFiY2RlZg$KqUPek54h8LDhs8AjmZQps8Rmwg7Tyyyu2YCbjPhKDQ",
    ]
    .into_iter()
    .enumerate()
    {
        let email = format!("moved{number}@example.org");
        served.sign_up(&email, PASSWORD).await;
        set_hash(&served, &email, old).await;
        assert_eq!(served.sign_in(&email, PASSWORD).await.status, 401, "{old}");
        assert_eq!(hash_of(&served, &email).await, old);
        assert_eq!(
            served.sign_in(&email, "an old password").await.status,
            200,
            "{old}"
        );
        assert!(hash_of(&served, &email).await.starts_with("$argon2id$"));
        assert_eq!(
            served.sign_in(&email, "an old password").await.status,
            200,
            "{old}"
        );
    }
    served.sign_up("closed@example.org", PASSWORD).await;
    for unusable in ["!", "", "md5$salt$hash"] {
        set_hash(&served, "closed@example.org", unusable).await;
        let answer = served.sign_in("closed@example.org", PASSWORD).await;
        assert_eq!(answer.status, 401, "{unusable}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn makes_one_account_of_many_sign_ups_at_once() {
    for place in places().await {
        let served = std::sync::Arc::new(place.serve(&[]).await);
        let tries = (0..20).map(|number| {
            let served = std::sync::Arc::clone(&served);
            let password = format!("{PASSWORD} {number}");
            tokio::spawn(async move { served.sign_up("Ann@example.org", &password).await.status })
        });
        for one in tries.collect::<Vec<_>>() {
            let status = one.await.expect("no panic");
            // On a busy machine some wait too long for their turn.
            assert!(status == 201 || status == 503, "{status}");
        }
        assert_eq!(
            served.sign_up("ann@example.org", PASSWORD).await.status,
            201
        );
        let accounts: i64 = sql!("select count(*) from palisade_accounts")
            .one(&served.db)
            .await
            .expect("counted");
        assert_eq!(accounts, 1, "on {}", place.name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn turns_a_flood_of_sign_ins_away_and_answers_everybody_else() {
    let place = place().await;
    let few = [
        ("PALISADE_AUTH__PASSWORD_QUEUE", "4"),
        ("PALISADE_AUTH__PASSWORD_PARALLELISM", "1"),
    ];
    let served = std::sync::Arc::new(place.serve(&few).await);
    let flood = (0..100).map(|number| {
        let served = std::sync::Arc::clone(&served);
        tokio::spawn(async move {
            let email = format!("nobody{number}@example.org");
            let client = format!("198.51.{}.{}", number % 100, number);
            let body = json!({"email": email, "password": PASSWORD});
            let answer = served
                .call_from(&client, "POST", "/auth/sign-in", "", &body)
                .await;
            assert!(answer.status == 401 || answer.header("retry-after").is_some());
            answer.status
        })
    });
    let flood: Vec<_> = flood.collect();
    let alive = served.call("GET", "/livez", "", &Value::Null).await;
    assert_eq!(alive.status, 200);
    let mut statuses = Vec::new();
    for one in flood {
        statuses.push(one.await.expect("no panic"));
    }
    let full = statuses.iter().filter(|status| **status == 503).count();
    let served_ones = statuses.iter().filter(|status| **status == 401).count();
    assert_eq!(full + served_ones, 100, "{statuses:?}");
    assert!(
        full > 20 && served_ones >= 1,
        "{full} were turned away, {served_ones} served"
    );
    let after = served.sign_in("nobody@example.org", PASSWORD).await;
    assert_eq!(after.status, 401, "there is room again");
}
