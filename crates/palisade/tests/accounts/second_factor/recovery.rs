//! Recovery codes: one use, one set, one owner.

use std::sync::Arc;

use super::*;
use crate::harness::places;

#[tokio::test(flavor = "multi_thread")]
async fn open_the_account_once_each_and_no_other() {
    for place in places().await {
        let served = serve(&place).await;
        let (ann, bob) = (
            owner(&served, ANN).await,
            owner(&served, "bob@example.org").await,
        );
        let challenged = challenge(&served, ANN).await;
        let other = recover(&served, &challenged, &bob.codes[0]).await;
        assert_eq!(
            (other.status, other.text_of("type").as_str()),
            (401, REFUSED)
        );
        let typed = ann.codes[0]
            .to_lowercase()
            .replace('-', " ")
            .replace('0', "o");
        let entered = recover(&served, &challenged, &typed).await;
        assert_eq!(entered.status, 200, "on {}: {}", place.name, entered.text);
        let again = recover(&served, &challenged, &ann.codes[0]).await;
        assert_eq!(
            (again.status, again.text_of("type").as_str()),
            (401, REFUSED)
        );
        let access = entered.text_of("access_token");
        assert_eq!(status(&served, &access).await["recovery_codes"], 9);
        let fresh = served
            .call("POST", "/sensitive", &access, &Value::Null)
            .await;
        assert_eq!(fresh.status, 204);
        // Who lost his device sets up another one, or does without.
        let (app, _) = enroll(&served, &access).await;
        assert_eq!(confirm(&served, &access, &app.code()).await.status, 200);
        let challenged = challenge(&served, "bob@example.org").await;
        assert_eq!(
            recover(&served, &challenged, &bob.codes[0]).await.status,
            200
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn are_replaced_as_a_set() {
    for place in places().await {
        let served = serve(&place).await;
        let owner = owner(&served, ANN).await;
        let path = "/auth/recovery-codes";
        let answer = served.call("POST", path, &owner.access, &Value::Null).await;
        assert_eq!(answer.status, 201, "{}", answer.text);
        let codes = codes_of(&answer);
        assert_eq!(answer.json(), json!({"recovery_codes": codes}));
        assert_eq!(codes.len(), 10);
        let mut all = [owner.codes.clone(), codes.clone()].concat();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), 20, "each is another one");
        let challenged = challenge(&served, ANN).await;
        assert_eq!(
            recover(&served, &challenged, &owner.codes[1]).await.status,
            401
        );
        assert_eq!(recover(&served, &challenged, &codes[1]).await.status, 200);
        assert_eq!(
            count(&served, "recovery_code").await,
            9,
            "on {}",
            place.name
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn are_one_set_after_twenty_replacements_at_once() {
    for place in places().await {
        let served = Arc::new(serve_with(&place, &[("PALISADE_AUTH__RECHECK_AFTER", "10s")]).await);
        let owner = owner(&served, ANN).await;
        let tries: Vec<_> = (0..20)
            .map(|_| {
                let (served, access) = (Arc::clone(&served), owner.access.clone());
                tokio::spawn(async move {
                    served
                        .call("POST", "/auth/recovery-codes", &access, &Value::Null)
                        .await
                })
            })
            .collect();
        for one in tries {
            let answer = one.await.expect("no panic");
            assert_eq!(answer.status, 201, "{}", answer.text);
        }
        assert_eq!(
            count(&served, "recovery_code").await,
            10,
            "on {}",
            place.name
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn are_used_once_by_fifty_at_once() {
    for place in places().await {
        let served = Arc::new(serve(&place).await);
        let owner = owner(&served, ANN).await;
        let challenged = challenge(&served, ANN).await;
        // From everywhere, so that no address has to wait.
        let tries: Vec<_> = (0..50)
            .map(|number| {
                let served = Arc::clone(&served);
                let body = json!({"challenge": challenged, "recovery_code": owner.codes[3]});
                let client = format!("198.51.{number}.1");
                tokio::spawn(async move { answer_from(&served, &client, &body).await })
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
        assert_eq!(count(&served, "recovery_code").await, 9);
    }
}
