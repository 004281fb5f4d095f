//! The second factor: set up, asked for, answered, guessed at and lost.

mod attacks;
mod enrolment;
mod keys;
mod recovery;
mod roles;
mod sign_in;

use hmac::{Hmac, KeyInit as _, Mac as _};
use palisade::prelude::*;
use serde_json::{Value, json};

use crate::harness::{Answer, KeepKeys, PASSWORD, Place, Served};

const ANN: &str = "ann@example.org";

#[get("/kept")]
async fn kept(_: Can<KeepKeys>) -> Result<NoContent> {
    Ok(NoContent)
}

#[post("/sensitive")]
async fn sensitive(_: Fresh) -> Result<NoContent> {
    Ok(NoContent)
}

#[output]
struct Strength {
    second_factor: bool,
}

#[get("/strength")]
async fn strength(user: SignedIn) -> Result<Json<Strength>> {
    Ok(Json(Strength {
        second_factor: user.gave_second_factor(),
    }))
}

async fn serve(place: &Place) -> Served {
    serve_with(place, &[]).await
}

async fn serve_with(place: &Place, settings: &[(&str, &str)]) -> Served {
    let own = routes![kept, sensitive, strength];
    Served::of(place.app_with(settings, own).expect("it is built")).await
}

/// An authenticator app, written apart from the code that it is a check of.
#[derive(Clone)]
struct Authenticator(Vec<u8>);

impl Authenticator {
    fn of(secret: &str) -> Self {
        let value = |c: u8| match c {
            b'A'..=b'Z' => c - b'A',
            b'2'..=b'7' => c - b'2' + 26,
            _ => panic!("not base 32: {secret}"),
        };
        let bits: String = secret
            .bytes()
            .map(|c| format!("{:05b}", value(c)))
            .collect();
        let byte = |at| u8::from_str_radix(&bits[at..at + 8], 2).expect("bits");
        Self((0..bits.len()).step_by(8).map(byte).collect())
    }

    /// What it shows so many steps from now.
    fn code_in(&self, steps: i64) -> String {
        let step = Timestamp::now().get().unix_timestamp() / 30 + steps;
        let mut mac = Hmac::<sha1::Sha1>::new_from_slice(&self.0).expect("a key");
        mac.update(&step.to_be_bytes());
        let mac = mac.finalize().into_bytes();
        let at = usize::from(mac[19] % 16);
        let four: [u8; 4] = mac[at..at + 4].try_into().expect("four");
        format!("{:06}", u32::from_be_bytes(four) % (1 << 31) % 1_000_000)
    }

    fn code(&self) -> String {
        self.code_in(0)
    }

    /// A code that it shows neither now nor in the minutes around.
    fn wrong_code(&self) -> String {
        let shown: Vec<_> = (-4..=4).map(|steps| self.code_in(steps)).collect();
        let mut codes = (0..1_000_000).map(|number| format!("{number:06}"));
        codes
            .find(|code| !shown.contains(code))
            .expect("one of a million")
    }
}

/// Somebody with a second factor.
struct Owner {
    app: Authenticator,
    codes: Vec<String>,
    /// The tokens of the sign-in that confirmed it.
    access: String,
    refresh: String,
    device: String,
}

async fn enroll(served: &Served, access: &str) -> (Authenticator, Answer) {
    let answer = served
        .call("POST", "/auth/totp", access, &Value::Null)
        .await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    (Authenticator::of(&answer.text_of("secret")), answer)
}

async fn confirm(served: &Served, access: &str, code: &str) -> Answer {
    let body = json!({"password": PASSWORD, "code": code});
    served
        .call("POST", "/auth/totp/confirm", access, &body)
        .await
}

fn codes_of(answer: &Answer) -> Vec<String> {
    let json = answer.json();
    let codes = json["recovery_codes"].as_array().expect("a list").iter();
    codes
        .map(|code| code.as_str().expect("text").to_owned())
        .collect()
}

/// Signs up, in, and sets a second factor up.
async fn owner(served: &Served, email: &str) -> Owner {
    let access = served.account(email).await.text_of("access_token");
    let (app, _) = enroll(served, &access).await;
    let answer = confirm(served, &access, &app.code()).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let sign_in = answer.json()["sign_in"].clone();
    let text = |name: &str| sign_in[name].as_str().expect("text").to_owned();
    Owner {
        app,
        codes: codes_of(&answer),
        access: text("access_token"),
        refresh: text("refresh_token"),
        device: text("device_token"),
    }
}

/// Gives the right password; the challenge.
async fn challenge(served: &Served, email: &str) -> String {
    let answer = served.sign_in(email, PASSWORD).await;
    assert_eq!(answer.status, 401, "{}", answer.text);
    assert_eq!(
        answer.text_of("type"),
        "urn:palisade:problem:second-factor-required"
    );
    answer.text_of("challenge")
}

async fn answer(served: &Served, challenge: &str, code: &str) -> Answer {
    answer_from(
        served,
        "192.0.2.1",
        &json!({"challenge": challenge, "code": code}),
    )
    .await
}

async fn recover(served: &Served, challenge: &str, code: &str) -> Answer {
    let body = json!({"challenge": challenge, "recovery_code": code});
    answer_from(served, "192.0.2.1", &body).await
}

async fn answer_from(served: &Served, client: &str, body: &Value) -> Answer {
    let path = "/auth/sign-in/second-factor";
    served.call_from(client, "POST", path, "", body).await
}

async fn status(served: &Served, access: &str) -> Value {
    let answer = served
        .call("GET", "/auth/second-factor", access, &Value::Null)
        .await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json()
}

/// As if no code had been used yet, so that a test need not wait for the next one.
async fn forget_codes(served: &Served) {
    sql!("update palisade_credentials set counter = 0")
        .execute(&served.db)
        .await
        .expect("it is written");
}

async fn count(served: &Served, kind: &str) -> i64 {
    sql!("select count(*) from palisade_credentials where kind = {kind}")
        .one(&served.db)
        .await
        .expect("counted")
}

/// Signs in from so many devices that are known from then on; what each sends along with its next sign-in.
async fn devices(served: &Served, email: &str, owner: &Owner, count: usize) -> Vec<String> {
    let mut tokens = Vec::new();
    for _ in 0..count {
        forget_codes(served).await;
        let challenged = challenge(served, email).await;
        let entered = answer(served, &challenged, &owner.app.code()).await;
        tokens.push(entered.text_of("device_token"));
    }
    forget_codes(served).await;
    tokens
}

/// The document of a refusal, without what differs each time.
fn told(answer: &Answer) -> Value {
    let mut told = answer.json();
    let members = told.as_object_mut().expect("a document");
    let id = members.remove("request_id");
    assert!(id.is_some(), "no id: {}", answer.text);
    told
}

const REFUSED: &str = "urn:palisade:problem:second-factor-refused";
const OVER: &str = "the challenge is over: send the password again";
