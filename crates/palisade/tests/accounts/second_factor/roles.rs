//! Roles that ask for a second factor.

use super::*;
use crate::harness::places;

async fn make_keeper(served: &Served, email: &str) {
    let made = sql!(
        "insert into palisade_account_roles (account_id, role) select id, {\"keeper\"} from palisade_accounts where email = {email}"
    );
    assert_eq!(made.execute(&served.db).await.expect("it is written"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn give_nothing_until_one_is_set_up_and_say_where() {
    for place in places().await {
        let served = serve(&place).await;
        let access = served.account(ANN).await.text_of("access_token");
        let kept = async |access: &str| served.call("GET", "/kept", access, &Value::Null).await;
        assert_eq!(
            kept(&access).await.text_of("type"),
            "urn:palisade:problem:forbidden",
            "without the role there is nothing to set up"
        );
        make_keeper(&served, ANN).await;
        let refused = kept(&access).await;
        assert_eq!(refused.status, 403, "on {}", place.name);
        assert_eq!(
            told(&refused),
            json!({
                "type": "urn:palisade:problem:second-factor-enrolment-required",
                "title": "Set up a second factor first",
                "status": 403,
                "detail": "this is for accounts with a second factor: enroll one at the path in `enroll`",
                "enroll": "/auth/totp",
            })
        );
        // Everything else stays open.
        assert_eq!(served.me(&access).await.status, 200);
        let path = told(&refused)["enroll"].as_str().unwrap().to_owned();
        let enrolled = served.call("POST", &path, &access, &Value::Null).await;
        let app = Authenticator::of(&enrolled.text_of("secret"));
        assert_eq!(
            kept(&access).await.status,
            403,
            "enrolled and not confirmed"
        );
        let confirmed = confirm(&served, &access, &app.code()).await;
        let sign_in = confirmed.json()["sign_in"].clone();
        let access = sign_in["access_token"].as_str().unwrap().to_owned();
        assert_eq!(kept(&access).await.status, 204);
        // Taken away, by its owner: at once.
        let gone = served
            .call("DELETE", "/auth/totp", &access, &Value::Null)
            .await;
        assert_eq!(gone.status, 204);
        assert_eq!(kept(&access).await.status, 403);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn give_nothing_to_a_sign_in_without_it() {
    for place in places().await {
        let served = serve(&place).await;
        let owner = owner(&served, ANN).await;
        make_keeper(&served, ANN).await;
        let kept = async |access: &str| served.call("GET", "/kept", access, &Value::Null).await;
        assert_eq!(kept(&owner.access).await.status, 204);
        sql!("update palisade_token_families set second_factor = false")
            .execute(&served.db)
            .await
            .unwrap();
        served.stop().await;
        let served = serve(&place).await;
        let kept = async |access: &str| served.call("GET", "/kept", access, &Value::Null).await;
        let refused = kept(&owner.access).await;
        assert_eq!(refused.status, 401, "on {}", place.name);
        let told = told(&refused);
        assert_eq!(
            told["type"],
            "urn:palisade:problem:reauthentication-required"
        );
        // As a client does that knows nothing but the documents.
        forget_codes(&served).await;
        let path = told["reauthenticate"].as_str().unwrap();
        let asked = served
            .call("POST", path, &owner.access, &json!({"password": PASSWORD}))
            .await;
        let answered = json!({"challenge": asked.text_of("challenge"), "code": owner.app.code()});
        let entered = served
            .call("POST", &asked.text_of("answer_to"), "", &answered)
            .await;
        assert_eq!(entered.status, 200, "{}", entered.text);
        assert_eq!(kept(&entered.text_of("access_token")).await.status, 204);
        // A hand in the database takes it away: the sign-in alone is no factor.
        sql!("delete from palisade_credentials")
            .execute(&served.db)
            .await
            .unwrap();
        served.stop().await;
        let served = serve(&place).await;
        let access = entered.text_of("access_token");
        let refused = served.call("GET", "/kept", &access, &Value::Null).await;
        assert_eq!(
            refused.text_of("type"),
            "urn:palisade:problem:second-factor-enrolment-required"
        );
    }
}
