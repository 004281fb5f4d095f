//! What stands in the database, and what becomes of it when the secret key changes.

use palisade::secret::key::Key;

use super::*;
use crate::harness::{place, places};

async fn sealed(served: &Served) -> Vec<u8> {
    sql!("select secret from palisade_credentials where kind = 'totp'")
        .one(&served.db)
        .await
        .expect("it is there")
}

#[tokio::test(flavor = "multi_thread")]
async fn rotate_and_nobody_notices() {
    for place in places().await {
        let served = serve(&place).await;
        let owner = owner(&served, ANN).await;
        let before = sealed(&served).await;
        let challenged = challenge(&served, ANN).await;
        forget_codes(&served).await;
        served.stop().await;

        let new = Key::generate_text();
        let both = [
            ("PALISADE_SECRET_KEY", new.expose().as_str()),
            ("PALISADE_SECRET_KEY_PREVIOUS", &place.key),
        ];
        let served = serve_with(&place, &both).await;
        // A challenge that was on its way goes on, and the code seals the secret anew.
        let entered = answer(&served, &challenged, &owner.app.code()).await;
        assert_eq!(entered.status, 200, "on {}: {}", place.name, entered.text);
        assert_ne!(sealed(&served).await, before);
        served.stop().await;

        let served = serve_with(&place, &[("PALISADE_SECRET_KEY", new.expose())]).await;
        assert_eq!(
            answer(&served, &challenged, &owner.app.code()).await.status,
            401
        );
        forget_codes(&served).await;
        let challenged = challenge(&served, ANN).await;
        assert_eq!(
            answer(&served, &challenged, &owner.app.code()).await.status,
            200
        );
        let challenged = challenge(&served, ANN).await;
        assert_eq!(
            recover(&served, &challenged, &owner.codes[0]).await.status,
            200
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn are_lost_and_the_recovery_codes_are_left() {
    let place = place().await;
    let served = serve(&place).await;
    let owner = owner(&served, ANN).await;
    served.stop().await;
    let new = Key::generate_text();
    let served = serve_with(&place, &[("PALISADE_SECRET_KEY", new.expose())]).await;
    forget_codes(&served).await;
    let challenged = challenge(&served, ANN).await;
    for _ in 0..6 {
        // Nobody's fault but the operator's: it is not counted.
        assert_eq!(
            answer(&served, &challenged, &owner.app.code()).await.status,
            500
        );
    }
    let entered = recover(&served, &challenged, &owner.codes[0]).await;
    let access = entered.text_of("access_token");
    let (app, _) = enroll(&served, &access).await;
    assert_eq!(confirm(&served, &access, &app.code()).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn seal_each_secret_for_its_own_account() {
    for place in places().await {
        let served = serve(&place).await;
        let (ann, bob) = (
            owner(&served, ANN).await,
            owner(&served, "bob@example.org").await,
        );
        // Who can write the database puts the secret that he knows into another's row.
        let known: Vec<u8> = sql!(
            "select c.secret from palisade_credentials c join palisade_accounts a on a.id = c.account_id
             where c.kind = 'totp' and a.email = {\"bob@example.org\"}"
        )
        .one(&served.db)
        .await
        .unwrap();
        sql!("update palisade_credentials set secret = {known}, counter = 0 where kind = 'totp'")
            .execute(&served.db)
            .await
            .unwrap();
        let challenged = challenge(&served, ANN).await;
        for app in [&bob.app, &ann.app] {
            assert_eq!(
                answer(&served, &challenged, &app.code()).await.status,
                500,
                "on {}",
                place.name
            );
        }
        let challenged = challenge(&served, "bob@example.org").await;
        assert_eq!(
            answer(&served, &challenged, &bob.app.code()).await.status,
            200
        );
    }
}
