//! Roles: given and taken, by whom, how soon it counts, and who is always left.

use std::sync::Arc;
use std::time::{Duration, Instant};

use palisade::auth::ManageAccounts;
use palisade::prelude::*;
use serde_json::{Value, json};

use crate::harness::{Answer, PASSWORD, Place, Served, place, places};

permissions! {
    Publish = "notes.publish";
}

const OWNER: Role = Role::new("owner").may::<ManageAccounts>().may::<Publish>();
const SUPPORT: Role = Role::new("support").may::<ManageAccounts>();
const EDITOR: Role = Role::new("editor").may::<Publish>();

#[get("/published")]
async fn published(_: Can<Publish>) -> Result<NoContent> {
    Ok(NoContent)
}

fn app(place: &Place, settings: &[(&str, &str)]) -> App {
    let app = place.builder(settings).expect("it is begun");
    let app = app.role(OWNER).role(SUPPORT).role(EDITOR);
    let app = app.routes(auth::admin_routes()).routes(routes![published]);
    app.build().expect("it is built")
}

async fn serve(place: &Place) -> Served {
    Served::of(app(place, &[])).await
}

/// Somebody who signed up and in, perhaps with a role.
struct Person {
    id: Id<Account>,
    token: String,
    refresh: String,
}

async fn person(served: &Served, name: &str, role: Option<Role>) -> Person {
    let signed_in = served.account(&format!("{name}@example.org")).await;
    let token = signed_in.text_of("access_token");
    let id = served.id_of(&token).await;
    if let Some(role) = role {
        assert!(served.accounts.grant(id, role).await.expect("granted"));
    }
    Person {
        id,
        token,
        refresh: signed_in.text_of("refresh_token"),
    }
}

impl Person {
    async fn call(&self, served: &Served, method: &str, path: &str) -> Answer {
        served.call(method, path, &self.token, &Value::Null).await
    }

    /// Does this to an account, and tells the status.
    async fn does(&self, served: &Served, method: &str, to: &Self, what: &str) -> u16 {
        let path = format!("/auth/admin/accounts/{}{what}", to.id);
        self.call(served, method, &path).await.status
    }

    async fn publishes(&self, served: &Served) -> u16 {
        self.call(served, "GET", "/published").await.status
    }
}

async fn roles_of(served: &Served, id: Id<Account>) -> Vec<&'static str> {
    let roles = served.accounts.roles_of(id).await.expect("read");
    roles.iter().map(Role::name).collect()
}

async fn administrators(served: &Served) -> i64 {
    let names = ["owner", "support"];
    sql!(
        "select count(*) from palisade_account_roles r join palisade_accounts a on a.id = r.account_id
         where a.disabled_at is null and r.role in ({..names})"
    )
    .one(&served.db)
    .await
    .expect("counted")
}

#[tokio::test(flavor = "multi_thread")]
async fn count_at_once_when_they_are_given_and_when_they_are_taken() {
    for place in places().await {
        let served = serve(&place).await;
        let ann = person(&served, "ann", Some(OWNER)).await;
        let bob = person(&served, "bob", None).await;
        assert_eq!(bob.publishes(&served).await, 403, "on {}", place.name);
        for (method, status, roles) in [
            ("PUT", 200, vec!["editor"]),
            ("PUT", 200, vec!["editor"]),
            ("DELETE", 403, vec![]),
            ("DELETE", 403, vec![]),
            ("PUT", 200, vec!["editor"]),
        ] {
            let answered = ann.does(&served, method, &bob, "/roles/editor").await;
            assert_eq!(answered, 204, "{method} on {}", place.name);
            assert_eq!(roles_of(&served, bob.id).await, roles);
            let publishes = bob.publishes(&served).await;
            assert_eq!(publishes, if status == 200 { 204 } else { 403 }, "{method}");
        }
        assert_eq!(ann.does(&served, "PUT", &bob, "/roles/emperor").await, 404);
        let nobody = Person {
            id: Id::new(),
            token: String::new(),
            refresh: String::new(),
        };
        assert_eq!(
            ann.does(&served, "PUT", &nobody, "/roles/editor").await,
            404
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn count_on_another_instance_within_the_time_of_a_recheck() {
    for place in places().await {
        let settings = [("PALISADE_AUTH__RECHECK_AFTER", "300ms")];
        let one = Served::of(app(&place, &settings)).await;
        let two = Served::of(app(&place, &settings)).await;
        let bob = person(&one, "bob", None).await;
        assert_eq!(bob.publishes(&two).await, 403);
        one.accounts.grant(bob.id, EDITOR).await.expect("granted");
        // What is missing is always looked up.
        assert_eq!(bob.publishes(&two).await, 204, "on {}", place.name);
        one.accounts
            .revoke_role(bob.id, EDITOR)
            .await
            .expect("revoked");
        assert_eq!(bob.publishes(&one).await, 403);
        let begun = Instant::now();
        while bob.publishes(&two).await != 403 {
            assert!(
                begun.elapsed() < Duration::from_secs(30),
                "on {}",
                place.name
            );
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn are_shown_with_their_accounts_page_by_page() {
    for place in places().await {
        let served = serve(&place).await;
        let ann = person(&served, "ann", Some(OWNER)).await;
        let mut all = vec![ann.id.to_string()];
        for name in ["bob", "cem", "dan"] {
            all.push(person(&served, name, None).await.id.to_string());
        }
        all.reverse();
        let mut seen = Vec::new();
        let mut path = "/auth/admin/accounts?limit=3".to_owned();
        loop {
            let page = ann.call(&served, "GET", &path).await;
            assert_eq!(page.status, 200, "{}", page.text);
            let page = page.json();
            let items = page["items"].as_array().expect("items");
            seen.extend(
                items
                    .iter()
                    .map(|item| item["id"].as_str().expect("an id").to_owned()),
            );
            let Some(next) = page["next"].as_str() else {
                break;
            };
            path = format!("/auth/admin/accounts?limit=3&after={next}");
        }
        assert_eq!(seen, all, "on {}", place.name);

        let found = ann
            .call(
                &served,
                "GET",
                "/auth/admin/accounts?email=Bob%40Example.org",
            )
            .await;
        let found = found.json();
        let bob = found["items"][0].clone();
        assert_eq!(
            found,
            json!({"items": [{
                "id": all[2], "email": "bob@example.org", "created_at": bob["created_at"], "disabled_at": null
            }], "next": null})
        );
        let path = format!("/auth/admin/accounts/{}", ann.id);
        let shown = ann.call(&served, "GET", &path).await.json();
        assert_eq!(
            shown,
            json!({
                "id": ann.id.to_string(), "email": "ann@example.org", "created_at": shown["created_at"],
                "disabled_at": null, "roles": ["owner"], "sign_ins": 1
            })
        );
        let roles = ann.call(&served, "GET", "/auth/admin/roles").await.json();
        assert_eq!(
            roles,
            json!({"roles": [
                {"name": "owner", "permissions": ["accounts.manage", "notes.publish"]},
                {"name": "support", "permissions": ["accounts.manage"]},
                {"name": "editor", "permissions": ["notes.publish"]}
            ]})
        );
        let missing = format!("/auth/admin/accounts/{}", Id::<Account>::new());
        assert_eq!(ann.call(&served, "GET", &missing).await.status, 404);
    }
}

/// Every route of an administrator, of this account.
fn admin_calls(account: Id<Account>) -> Vec<(&'static str, String)> {
    let calls = auth::admin_routes().into_iter().map(|route| {
        let path = route.path.replace("{account}", &account.to_string());
        (route.method, path.replace("{role}", "editor"))
    });
    calls.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn open_the_routes_of_administrators_to_nobody_else() {
    let place = place().await;
    let served = serve(&place).await;
    let bob = person(&served, "bob", Some(EDITOR)).await;
    let calls = admin_calls(bob.id);
    assert_eq!(calls.len(), 10);
    for (method, path) in calls {
        let refused = bob.call(&served, method, &path).await;
        assert_eq!(refused.status, 403, "{method} {path}: {}", refused.text);
        let anonymous = served.call(method, &path, "", &Value::Null).await;
        assert_eq!(anonymous.status, 401, "{method} {path}");
    }
    assert_eq!(roles_of(&served, bob.id).await, ["editor"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn are_changed_only_by_who_proved_themselves_a_moment_ago() {
    let place = place().await;
    let served = serve(&place).await;
    let ann = person(&served, "ann", Some(OWNER)).await;
    let bob = person(&served, "bob", None).await;
    let then = Timestamp::now().get() - Duration::from_secs(600);
    sql!("update palisade_token_families set created_at = {then}")
        .execute(&served.db)
        .await
        .expect("it is written");
    served.accounts.forget(ann.id);
    for (method, path) in admin_calls(bob.id) {
        let answer = ann.call(&served, method, &path).await;
        if method == "GET" {
            assert_eq!(answer.status, 200, "{path}");
        } else {
            assert_eq!(answer.status, 401, "{method} {path}");
            let kind = "urn:palisade:problem:reauthentication-required";
            assert_eq!(answer.text_of("type"), kind);
        }
    }
    assert_eq!(
        served.me(&bob.token).await.status,
        200,
        "nothing happened to him"
    );
    let proved = json!({"password": PASSWORD});
    let anew = served
        .call("POST", "/auth/reauthenticate", &ann.token, &proved)
        .await;
    let ann = Person {
        token: anew.text_of("access_token"),
        ..ann
    };
    assert_eq!(ann.does(&served, "PUT", &bob, "/roles/editor").await, 204);
}

#[tokio::test(flavor = "multi_thread")]
async fn let_nobody_manage_who_may_do_more() {
    for place in places().await {
        let served = serve(&place).await;
        let owner = person(&served, "owner", Some(OWNER)).await;
        let support = person(&served, "support", Some(SUPPORT)).await;
        let other = person(&served, "other", None).await;
        for (method, to, what) in [
            ("PUT", &support, "/roles/owner"),
            ("PUT", &support, "/roles/editor"),
            ("PUT", &other, "/roles/editor"),
            ("DELETE", &owner, "/roles/owner"),
            ("POST", &owner, "/disable"),
            ("POST", &owner, "/unlock"),
            ("POST", &owner, "/sign-out"),
            ("DELETE", &owner, ""),
        ] {
            let status = support.does(&served, method, to, what).await;
            assert_eq!(status, 403, "{method} {what} on {}", place.name);
        }
        assert_eq!(served.me(&owner.token).await.status, 200);
        for (method, to, what) in [
            ("PUT", &other, "/roles/support"),
            ("DELETE", &other, "/roles/support"),
            ("POST", &other, "/disable"),
            ("POST", &other, "/enable"),
            ("POST", &other, "/unlock"),
            ("DELETE", &other, ""),
        ] {
            let status = support.does(&served, method, to, what).await;
            assert_eq!(status, 204, "{method} {what} on {}", place.name);
        }
        assert_eq!(owner.does(&served, "POST", &support, "/disable").await, 204);
        // The token that the cache knew a moment ago.
        let after = support.call(&served, "GET", "/auth/admin/roles").await;
        assert_eq!(after.status, 401, "on {}", place.name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn leave_the_last_administrator_in_office() {
    for place in places().await {
        let served = serve(&place).await;
        let ann = person(&served, "ann", Some(OWNER)).await;
        let password = json!({"password": PASSWORD});
        for (method, what) in [
            ("DELETE", "/roles/owner"),
            ("POST", "/disable"),
            ("DELETE", ""),
        ] {
            let path = format!("/auth/admin/accounts/{}{what}", ann.id);
            let refused = ann.call(&served, method, &path).await;
            assert_eq!(refused.status, 409, "{method} {what} on {}", place.name);
            assert_eq!(
                refused.text_of("detail"),
                "this is the last account that may manage accounts: give another one a role for it first"
            );
        }
        let own = served
            .call("DELETE", "/auth/account", &ann.token, &password)
            .await;
        assert_eq!(own.status, 409, "{}", own.text);
        // Who also has another role for it may lose one of them.
        assert_eq!(ann.does(&served, "PUT", &ann, "/roles/support").await, 204);
        assert_eq!(
            ann.does(&served, "DELETE", &ann, "/roles/support").await,
            204
        );
        let bob = person(&served, "bob", Some(SUPPORT)).await;
        // A disabled one is none.
        assert_eq!(ann.does(&served, "POST", &bob, "/disable").await, 204);
        assert_eq!(ann.does(&served, "DELETE", &ann, "/roles/owner").await, 409);
        assert_eq!(ann.does(&served, "POST", &bob, "/enable").await, 204);
        assert_eq!(ann.does(&served, "DELETE", &ann, "/roles/owner").await, 204);
        assert_eq!(ann.does(&served, "PUT", &ann, "/roles/owner").await, 403);
    }
}

/// An account that nobody signs in to.
async fn made(served: &Served, number: usize, role: Role) -> Id<Account> {
    let (id, email, now) = (
        Id::<Account>::new(),
        format!("{number}@example.org"),
        Timestamp::now(),
    );
    sql!("insert into palisade_accounts (id, email, password_hash, created_at) values ({id}, {email}, {\"!\"}, {now})")
        .execute(&served.db)
        .await
        .expect("made");
    served.accounts.grant(id, role).await.expect("granted");
    id
}

#[tokio::test(flavor = "multi_thread")]
async fn leave_one_of_fifty_who_are_all_removed_at_once() {
    for place in places().await {
        let served = Arc::new(serve(&place).await);
        let mut all = Vec::new();
        for number in 0..50 {
            all.push(
                made(
                    &served,
                    number,
                    if number % 2 == 0 { OWNER } else { SUPPORT },
                )
                .await,
            );
        }
        let removals = all.into_iter().enumerate().map(|(number, id)| {
            let served = Arc::clone(&served);
            tokio::spawn(async move {
                // Who waited in vain for a connection tries again.
                loop {
                    let role = if number % 2 == 0 { OWNER } else { SUPPORT };
                    let outcome = match number % 3 {
                        0 => served.accounts.revoke_role(id, role).await.map(drop),
                        1 => served.accounts.set_disabled(id, true).await.map(drop),
                        _ => served.accounts.delete(id).await,
                    };
                    match outcome.map_err(|error| error.status().as_u16()) {
                        Err(503) => {}
                        other => return other,
                    }
                }
            })
        });
        let mut refused = Vec::new();
        for removal in removals.collect::<Vec<_>>() {
            if let Err(status) = removal.await.expect("it ends") {
                refused.push(status);
            }
        }
        assert_eq!(refused, [409], "on {}", place.name);
        assert_eq!(administrators(&served).await, 1, "on {}", place.name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn leave_one_of_two_who_are_removed_at_once_each_time() {
    for place in places().await {
        let served = serve(&place).await;
        let two = [made(&served, 1, OWNER).await, made(&served, 2, OWNER).await];
        for round in 0..30 {
            let [one, other] = two.map(|id| served.accounts.revoke_role(id, OWNER));
            let (one, other) = tokio::join!(one, other);
            let refused = [one, other].into_iter().filter_map(Result::err);
            let statuses: Vec<u16> = refused.map(|error| error.status().as_u16()).collect();
            assert_eq!(statuses, [409], "round {round} on {}", place.name);
            assert_eq!(administrators(&served).await, 1, "on {}", place.name);
            for id in two {
                served.accounts.grant(id, OWNER).await.expect("granted");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn leave_one_of_two_who_remove_each_other() {
    for place in places().await {
        let served = serve(&place).await;
        let ann = person(&served, "ann", Some(OWNER)).await;
        let bob = person(&served, "bob", Some(OWNER)).await;
        for round in 0..10 {
            let (one, two) = tokio::join!(
                ann.does(&served, "DELETE", &bob, "/roles/owner"),
                bob.does(&served, "DELETE", &ann, "/roles/owner"),
            );
            let mut statuses = [one, two];
            statuses.sort_unstable();
            assert_eq!(statuses, [204, 403], "round {round} on {}", place.name);
            assert_eq!(administrators(&served).await, 1);
            for person in [&ann, &bob] {
                served
                    .accounts
                    .grant(person.id, OWNER)
                    .await
                    .expect("granted");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disabled_account_is_good_for_nothing_until_it_is_enabled() {
    for place in places().await {
        let served = serve(&place).await;
        let ann = person(&served, "ann", Some(OWNER)).await;
        let bob = person(&served, "bob", None).await;
        assert_eq!(ann.does(&served, "POST", &bob, "/disable").await, 204);
        assert_eq!(served.me(&bob.token).await.status, 401, "on {}", place.name);
        assert_eq!(served.refresh(&bob.refresh).await.status, 401);
        let refused = served.sign_in("bob@example.org", PASSWORD).await;
        assert_eq!(refused.status, 403);
        assert_eq!(refused.text_of("detail"), "this account is disabled");
        let wrong = served.sign_in("bob@example.org", "not the password").await;
        assert_eq!(wrong.status, 401, "only its owner is told");
        assert_eq!(ann.does(&served, "POST", &bob, "/enable").await, 204);
        assert_eq!(
            served.refresh(&bob.refresh).await.status,
            401,
            "what ended has ended"
        );
        assert_eq!(
            served.sign_in("bob@example.org", PASSWORD).await.status,
            200
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_administrator_unlocks_and_signs_out() {
    let place = place().await;
    let served = serve(&place).await;
    let ann = person(&served, "ann", Some(OWNER)).await;
    let bob = person(&served, "bob", None).await;
    let mut status = 0;
    for number in 0..8 {
        let client = format!("198.51.100.{number}");
        let body = json!({"email": "bob@example.org", "password": "not the password"});
        let answer = served
            .call_from(&client, "POST", "/auth/sign-in", "", &body)
            .await;
        status = answer.status;
        if status == 429 {
            break;
        }
    }
    assert_eq!(status, 429, "he is locked out");
    assert_eq!(ann.does(&served, "POST", &bob, "/unlock").await, 204);
    assert_eq!(
        served.sign_in("bob@example.org", PASSWORD).await.status,
        200
    );
    assert_eq!(served.me(&bob.token).await.status, 200);
    assert_eq!(ann.does(&served, "POST", &bob, "/sign-out").await, 204);
    assert_eq!(served.me(&bob.token).await.status, 401);
    assert_eq!(served.refresh(&bob.refresh).await.status, 401);
}

/// Not declared by `permissions!`, so that no other app of these tests knows of it.
struct Impostor;
impl Permission for Impostor {
    const NAME: &'static str = "accounts.manage";
}

#[tokio::test]
async fn keep_an_app_from_being_built_when_they_clash_or_are_carried_by_none() {
    let place = place().await;
    let refusal = |app: App| app.build().expect_err("it is refused").to_string();
    let app = || place.builder(&[]).expect("it is begun");
    let none = refusal(app().routes(auth::admin_routes()).role(EDITOR));
    assert!(
        none.contains(
            "asks for the permission `accounts.manage`, which no role carries: nobody could call it"
        ),
        "{none}"
    );
    assert!(
        none.contains("add `.may::<ManageAccounts>()` to a role"),
        "{none}"
    );
    assert_eq!(
        none.matches("accounts.manage").count(),
        1,
        "told once: {none}"
    );
    let twice = refusal(app().role(EDITOR).role(Role::new("editor")));
    assert!(twice.contains("two roles are called `editor`"), "{twice}");
    let alike = refusal(app().role(Role::new("odd").may::<Impostor>()));
    assert!(
        alike.contains("two permissions are called `accounts.manage`"),
        "{alike}"
    );
    assert!(alike.contains("Impostor"), "{alike}");
    let named = refusal(app().role(Role::new("Chief Editor")));
    assert!(
        named.contains("the role `Chief Editor` has a name"),
        "{named}"
    );
    let mut many = Role::new("many");
    for _ in 0..=Role::MOST {
        many = many.may::<Publish>();
    }
    let many = refusal(app().role(many));
    assert!(many.contains("carries more than 64 permissions"), "{many}");
}

#[tokio::test(flavor = "multi_thread")]
async fn that_the_app_was_not_told_of_are_given_to_nobody() {
    let place = place().await;
    let served = place.serve(&[]).await;
    let token = served
        .account("ann@example.org")
        .await
        .text_of("access_token");
    let id = served.id_of(&token).await;
    let refused = served
        .accounts
        .grant(id, EDITOR)
        .await
        .expect_err("refused");
    assert_eq!(refused.status().as_u16(), 500);
    let held: i64 = sql!("select count(*) from palisade_account_roles")
        .one(&served.db)
        .await
        .expect("counted");
    assert_eq!(held, 0);
}

const CHIEF: Role = Role::new("chief").may::<Publish>().requires_second_factor();

#[tokio::test(flavor = "multi_thread")]
async fn are_given_by_what_a_sign_in_may_and_not_by_what_its_account_could_with_a_second_factor() {
    for place in places().await {
        let app = place.builder(&[]).expect("it is begun");
        let app = app.role(SUPPORT).role(EDITOR).role(CHIEF);
        let app = app.routes(auth::admin_routes()).routes(routes![published]);
        let served = Served::of(app.build().expect("it is built")).await;
        let ann = person(&served, "ann", Some(SUPPORT)).await;
        let bob = person(&served, "bob", None).await;
        assert!(served.accounts.grant(ann.id, CHIEF).await.expect("granted"));
        for role in ["editor", "chief"] {
            let path = format!("/roles/{role}");
            assert_eq!(ann.does(&served, "PUT", &bob, &path).await, 403, "{role}");
        }
        assert!(
            roles_of(&served, bob.id).await.is_empty(),
            "on {}",
            place.name
        );
        served.stop().await;
    }
}
