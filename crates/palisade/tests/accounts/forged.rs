//! Forged and damaged access tokens, each of which must be refused; many are signed with the very key of the service.

use base64::Engine as _;
use base64::engine::general_purpose::{URL_SAFE, URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey, crypto};
use palisade::secret::key::Key;
use serde_json::{Value, json};

use crate::harness::{Served, place};

const ED25519: &str = "302e020100300506032b657004220420";
const P256: &str = "3041020100301306072a8648ce3d020106082a8648ce3d030107042730250201010420";
/// The order of the group of Ed25519, from its lowest byte on, and that of P-256, from its highest.
const L: &str = "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010";
const N: &str = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len() / 2)
        .map(|at| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).expect("hexadecimal"))
        .collect()
}

fn encode(text: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(text)
}

fn decode(text: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(text).expect("base64url")
}

/// The forger's bench: one good token in its parts, and the key that signed it.
struct Bench {
    algorithm: Algorithm,
    key: EncodingKey,
    public: String,
    header: String,
    claims: String,
    signature: String,
}

impl Bench {
    fn new(name: &str, secret_key: &str, token: &str, public: String) -> Self {
        let root = Key::parse(secret_key).expect("a key");
        let (algorithm, key) = match name {
            "EdDSA" => {
                let key = root.derive("access tokens EdDSA");
                (
                    Algorithm::EdDSA,
                    EncodingKey::from_ed_der(&[&bytes(ED25519), key.expose()].concat()),
                )
            }
            "ES256" => {
                let key = root.derive("access tokens ES256");
                (
                    Algorithm::ES256,
                    EncodingKey::from_ec_der(&[&bytes(P256), key.expose()].concat()),
                )
            }
            _ => (
                Algorithm::HS256,
                EncodingKey::from_secret(root.derive("access tokens").expose()),
            ),
        };
        let parts: Vec<&str> = token.split('.').collect();
        let part = |at: usize| String::from_utf8(decode(parts[at])).expect("text");
        Self {
            algorithm,
            key,
            public,
            header: part(0),
            claims: part(1),
            signature: parts[2].to_owned(),
        }
    }

    fn sign(&self, message: &str) -> String {
        let signature =
            crypto::sign(message.as_bytes(), &self.key, self.algorithm).expect("signed");
        if self.algorithm == Algorithm::ES256 {
            low(&signature)
        } else {
            signature
        }
    }

    /// Signed with the real key, whatever it says.
    fn signed(&self, header: &str, claims: &str) -> String {
        let message = format!("{}.{}", encode(header), encode(claims));
        format!("{message}.{}", self.sign(&message))
    }

    fn with_claims(&self, claims: &str) -> String {
        self.signed(&self.header, claims)
    }

    fn message(&self) -> String {
        format!("{}.{}", encode(&self.header), encode(&self.claims))
    }

    fn good(&self) -> String {
        format!("{}.{}", self.message(), self.signature)
    }

    /// What is wrong in form.
    fn damaged(&self) -> Vec<(String, String)> {
        let (header, claims, signature) =
            (encode(&self.header), encode(&self.claims), &self.signature);
        let mut all = Vec::new();
        let mut add = |what: &str, token: String| all.push((format!("form: {what}"), token));
        for (what, token) in [
            ("one point", ".".to_owned()),
            ("two points", "..".to_owned()),
            ("three points", "...".to_owned()),
            ("one letter", "a".to_owned()),
            ("three letters", "a.b.c".to_owned()),
            ("header alone", header.clone()),
            ("no signature", format!("{header}.{claims}")),
            ("empty signature", format!("{header}.{claims}.")),
            ("empty header", format!(".{claims}.{signature}")),
            ("empty claims", format!("{header}..{signature}")),
            ("a point more", format!("{header}.{claims}.{signature}.")),
            (
                "a part more",
                format!("{header}.{claims}.{signature}.{signature}"),
            ),
            ("a point before", format!(".{header}.{claims}.{signature}")),
            (
                "five parts, as if encrypted",
                format!("{header}.{claims}.{signature}.{claims}.{signature}"),
            ),
            (
                "encrypted header",
                format!(
                    "{}.{claims}.{signature}.{claims}.{signature}",
                    encode(r#"{"alg":"dir","enc":"A256GCM"}"#)
                ),
            ),
            (
                "JSON serialization",
                json!({"protected": header, "payload": claims, "signature": signature}).to_string(),
            ),
            (
                "padded signature",
                format!("{header}.{claims}.{signature}="),
            ),
            (
                "twice padded signature",
                format!("{header}.{claims}.{signature}=="),
            ),
            (
                "padded header",
                format!(
                    "{}.{claims}.{signature}",
                    URL_SAFE.encode(&self.header) + "="
                ),
            ),
            ("padded claims", format!("{header}.{}=.{signature}", claims)),
            ("long", "x".repeat(5000)),
            (
                "long claims",
                self.with_claims(
                    &self
                        .claims
                        .replace("{", &format!("{{\"pad\":\"{}\",", "x".repeat(3000))),
                ),
            ),
            ("a letter more", format!("{header}.{claims}.{signature}A")),
            (
                "signature twice",
                format!("{header}.{claims}.{signature}{signature}"),
            ),
            (
                "signature's first letter gone",
                format!("{header}.{claims}.{}", &signature[1..]),
            ),
            (
                "a letter of no alphabet",
                format!("{header}.{claims}.!{}", &signature[1..]),
            ),
            (
                "the other alphabet",
                format!("{header}.{claims}.+/{}", &signature[2..]),
            ),
            (
                "header and claims exchanged",
                format!("{claims}.{header}.{signature}"),
            ),
            (
                "URL-encoded point",
                format!("{header}%2E{claims}%2E{signature}"),
            ),
        ] {
            add(what, token);
        }
        for cut in [1, 2, 3, 4, 8, 20, 42] {
            add(
                "truncated signature",
                format!("{header}.{claims}.{}", &signature[..signature.len() - cut]),
            );
        }
        for bit in 0..8 {
            let mut changed = decode(signature);
            let at = changed.len() * bit / 8;
            changed[at] ^= 1 << bit;
            add(
                "one bit of the signature",
                format!("{header}.{claims}.{}", encode(changed)),
            );
        }
        // The last letter holds bits that mean nothing; only zeros may stand there.
        add(
            "loose last bits",
            format!("{header}.{claims}.{}", loosened(signature)),
        );
        // A decoder that ignores them would read the same claims, and the signature is made for this spelling.
        for pad in ["", "x", "xx"] {
            let padded = self.claims.replacen('{', &format!("{{\"p\":\"{pad}\","), 1);
            if padded.len() % 3 != 0 {
                let message = format!("{header}.{}", loosened(&encode(&padded)));
                add(
                    "loose last bits of signed claims",
                    format!("{message}.{}", self.sign(&message)),
                );
            }
        }
        all
    }

    /// What lies in its header: unsigned, so as an attacker has it, and signed with the real key.
    fn headers(&self) -> Vec<(String, String)> {
        let head: Value = serde_json::from_str(&self.header).expect("JSON");
        let with = |name: &str, value: Value| {
            let mut head = head.clone();
            head[name] = value;
            head.to_string()
        };
        let without = |name: &str| {
            let mut head = head.clone();
            head.as_object_mut().expect("an object").remove(name);
            head.to_string()
        };
        let jwk = json!({"kty": "OKP", "crv": "Ed25519", "x": encode([7; 32])});
        let own = self.algorithm;
        let mut texts = vec![
            without("alg"),
            without("typ"),
            without("kid"),
            "{}".to_owned(),
            "null".to_owned(),
            "[]".to_owned(),
            "\"at+jwt\"".to_owned(),
            "not JSON".to_owned(),
            format!("\u{feff}{}", self.header),
            format!(" {}", self.header),
            format!("{}\n", self.header),
            self.header.replacen('{', "{\"alg\":\"none\",", 1),
            self.header.replacen('}', ",\"alg\":\"none\"}", 1),
            self.header.replacen('}', ",\"typ\":\"JWT\"}", 1),
            self.header.replacen("\"alg\"", "\"ALG\"", 1),
            self.header.replacen("\"alg\"", "\"\\u0061lg\"", 1),
            // The same members in another order: not as we write it.
            format!(
                "{{\"kid\":{},\"alg\":{},\"typ\":{}}}",
                head["kid"], head["alg"], head["typ"]
            ),
        ];
        let algorithms = [
            "none", "None", "NONE", "nOnE", "none ", "", "HS256", "HS384", "HS512", "RS256",
            "RS512", "PS256", "ES256", "ES384", "ES512", "ES256K", "EdDSA", "Ed25519", "ed25519",
            "hs256", "A128KW", "dir",
        ];
        for name in algorithms.into_iter().filter(|name| *name != head["alg"]) {
            texts.push(with("alg", json!(name)));
        }
        for value in [
            json!(null),
            json!(0),
            json!(true),
            json!([head["alg"]]),
            json!({"a": 1}),
        ] {
            texts.push(with("alg", value));
        }
        for typ in [
            "JWT",
            "jwt",
            "at+JWT",
            "AT+JWT",
            "application/at+jwt",
            "rt+jwt",
            "dpop+jwt",
            "logout+jwt",
            "",
        ] {
            texts.push(with("typ", json!(typ)));
        }
        for kid in [
            json!(null),
            json!(0),
            json!(""),
            json!("../../../dev/null"),
            json!("x' or '1'='1"),
            json!("|id"),
            json!(["a"]),
            json!("0000000000000000"),
            json!(format!("{} ", head["kid"].as_str().unwrap_or_default())),
            json!("k".repeat(500)),
            json!("\u{0}"),
            json!("http://127.0.0.1/key"),
        ] {
            texts.push(with("kid", kid));
        }
        for (name, value) in [
            ("jwk", jwk.clone()),
            ("jku", json!("http://127.0.0.1/jwks.json")),
            ("x5u", json!("http://127.0.0.1/x.pem")),
            ("x5c", json!(["MIIB"])),
            ("x5t", json!("AA")),
            ("x5t#S256", json!("AA")),
            ("crit", json!([])),
            ("crit", json!(["exp"])),
            ("crit", json!(["b64"])),
            ("b64", json!(false)),
            ("cty", json!("JWT")),
            ("zip", json!("DEF")),
            ("enc", json!("A256GCM")),
            ("epk", jwk),
            ("p2c", json!(2_000_000_000)),
            ("nonce", json!("a")),
        ] {
            texts.push(with(name, value));
        }
        let mut all = Vec::new();
        for text in texts {
            let message = format!("{}.{}", encode(&text), encode(&self.claims));
            all.push((
                format!("header, old signature: {text}"),
                format!("{message}.{}", self.signature),
            ));
            all.push((
                format!("header, no signature: {text}"),
                format!("{message}."),
            ));
            all.push((
                format!("header, signed: {text}"),
                format!("{message}.{}", self.sign(&message)),
            ));
            // Key confusion: the public key is known to everybody, so it must never be a shared one.
            for secret in [
                self.public.clone().into_bytes(),
                decode(&self.public),
                Vec::new(),
                vec![0],
            ] {
                let confused = crypto::sign(
                    message.as_bytes(),
                    &EncodingKey::from_secret(&secret),
                    Algorithm::HS256,
                );
                all.push((
                    format!("header, public key as secret: {text}"),
                    format!("{message}.{}", confused.expect("signed")),
                ));
            }
            if own != Algorithm::EdDSA {
                let foreign = EncodingKey::from_ed_der(&[bytes(ED25519), vec![7; 32]].concat());
                let foreign =
                    crypto::sign(message.as_bytes(), &foreign, Algorithm::EdDSA).expect("signed");
                all.push((
                    format!("header, own key: {text}"),
                    format!("{message}.{foreign}"),
                ));
            }
        }
        all
    }

    /// What it claims: all of these carry the real key's signature, so only the claim itself is wrong.
    fn claims(&self, other_family: &str) -> Vec<(String, String)> {
        let claims: Value = serde_json::from_str(&self.claims).expect("JSON");
        let now = claims["iat"].as_i64().expect("a number");
        let with = |changes: &[(&str, Value)]| {
            let mut claims = claims.clone();
            for (name, value) in changes {
                claims[*name] = value.clone();
            }
            claims.to_string()
        };
        let mut texts = Vec::new();
        for name in ["iss", "aud", "sub", "sid", "exp", "nbf", "iat", "jti"] {
            let mut without = claims.clone();
            without.as_object_mut().expect("an object").remove(name);
            texts.push(without.to_string());
            let number = ["exp", "nbf", "iat"].contains(&name);
            let text = if number {
                json!(claims[name].to_string())
            } else {
                json!(7)
            };
            let list = json!([claims[name]]);
            for value in [
                json!(null),
                json!({}),
                json!([]),
                json!(true),
                json!(""),
                json!(1.5),
                text,
                list,
            ] {
                texts.push(with(&[(name, value)]));
            }
            let again = format!("\"{name}\":{}}}", claims[name]);
            texts.push(self.claims.replacen('}', &format!(",{again}"), 1));
        }
        for number in [
            "-1",
            "0",
            "1",
            "-9223372036854775808",
            "9223372036854775807",
            "9223372036854775808",
            "18446744073709551616",
            "99999999999999999999999999",
            "1e99",
            "1e400",
            "99999999999",
            "NaN",
            "Infinity",
            "0x7fffffff",
            "01",
        ] {
            let text = claims["exp"].to_string();
            texts.push(self.claims.replacen(
                &format!("\"exp\":{text}"),
                &format!("\"exp\":{number}"),
                1,
            ));
        }
        for (exp, nbf, iat) in [
            (now - 60, now - 120, now - 120),
            (now - 6, now - 900, now - 900),
            (now + 901, now, now),
            (now + 86_400 * 365, now, now),
            (now + 900, now, now - 3600),
            (now + 900, now + 600, now),
            (now + 4000, now + 3600, now + 3600),
            (now + 900, now, now + 800),
            (now + 100, now, now + 200),
            (now + 900, now, -1),
            (now + 900, now, i64::MIN),
            (now + 900, -1, now - 1000),
        ] {
            texts.push(with(&[
                ("exp", json!(exp)),
                ("nbf", json!(nbf)),
                ("iat", json!(iat)),
            ]));
        }
        let nobody = json!("01890000-0000-7000-8000-000000000000");
        texts.extend([
            with(&[("iss", json!("somebody"))]),
            with(&[("iss", json!("Palisade"))]),
            with(&[("iss", json!("palisade "))]),
            with(&[("aud", json!("somebody"))]),
            with(&[("aud", json!(["palisade", "somebody"]))]),
            with(&[("aud", json!(["palisade"]))]),
            with(&[("sub", nobody.clone())]),
            with(&[("sid", nobody)]),
            with(&[("sid", json!(other_family))]),
            with(&[("sub", json!("not an id"))]),
            with(&[("jti", json!("not an id"))]),
            "{}".to_owned(),
            "null".to_owned(),
            "[]".to_owned(),
            "\"claims\"".to_owned(),
            "not JSON".to_owned(),
            format!("{}{}", self.claims, self.claims),
            format!("{} x", self.claims),
            format!("\u{feff}{}", self.claims),
            self.claims.replacen("\"sub\"", "\"SUB\"", 1),
            json!({"claims": claims}).to_string(),
            // Nested: a token as the claims of a token.
            self.good(),
        ]);
        texts
            .into_iter()
            .map(|text| (format!("claims: {text}"), self.with_claims(&text)))
            .collect()
    }

    /// What it is signed with.
    fn signatures(&self) -> Vec<(String, String)> {
        let message = self.message();
        let mut all = Vec::new();
        let mut add = |what: &str, signature: Vec<u8>| {
            all.push((
                format!("signature: {what}"),
                format!("{message}.{}", encode(signature)),
            ));
        };
        for length in [0, 1, 31, 32, 33, 63, 64, 65, 96, 128, 512] {
            add("zeros", vec![0; length]);
            add("ones", vec![0xff; length]);
        }
        let own = decode(&self.signature);
        match self.algorithm {
            Algorithm::EdDSA => {
                // The same signature with the order added to its second number (RFC 8032, section 8.4).
                let order = bytes(L);
                let mut carry = 0_u16;
                let mut twin = own.clone();
                for at in 0..32 {
                    carry += u16::from(own[32 + at]) + u16::from(order[at]);
                    twin[32 + at] = carry as u8;
                    carry >>= 8;
                }
                add("a second spelling", twin);
                let mut identity = vec![0; 64];
                identity[0] = 1;
                add("the point at nowhere", identity);
                add("halves exchanged", [&own[32..], &own[..32]].concat());
            }
            Algorithm::ES256 => {
                let order = bytes(N);
                add(
                    "high s",
                    [&own[..32], &minus(&order, &own[32..])[..]].concat(),
                );
                add("r zero", [&[0; 32], &own[32..]].concat());
                add("s zero", [&own[..32], &[0; 32]].concat());
                add("r is the order", [&order[..], &own[32..]].concat());
                add("s is the order", [&own[..32], &order[..]].concat());
                add("r and s are the order", [&order[..], &order[..]].concat());
                let one = [vec![0; 31], vec![1]].concat();
                add("r and s are one", [&one[..], &one[..]].concat());
                // ASN.1, as other libraries write it.
                let der = [
                    &[0x30, 0x44, 0x02, 0x20],
                    &own[..32],
                    &[0x02, 0x20],
                    &own[32..],
                ]
                .concat();
                add("DER", der);
            }
            _ => {}
        }
        all
    }
}

/// The last letter with bits set that mean nothing.
fn loosened(text: &str) -> String {
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let last = text
        .chars()
        .last()
        .and_then(|last| alphabet.find(last))
        .expect("base64url");
    let loose = &alphabet[last + 1..last + 2];
    format!("{}{loose}", &text[..text.len() - 1])
}

fn minus(a: &[u8], b: &[u8]) -> Vec<u8> {
    let mut borrow = 0_i16;
    let mut difference = vec![0; a.len()];
    for at in (0..a.len()).rev() {
        let digit = i16::from(a[at]) - i16::from(b[at]) - borrow;
        borrow = i16::from(digit < 0);
        difference[at] = digit.rem_euclid(256) as u8;
    }
    difference
}

fn low(signature: &str) -> String {
    let bytes_of = decode(signature);
    let other = minus(&bytes(N), &bytes_of[32..]);
    let least = std::cmp::min(&bytes_of[32..], &other[..]);
    encode([&bytes_of[..32], least].concat())
}

async fn public_key(served: &Served) -> String {
    let answer = served
        .call("GET", "/.well-known/jwks.json", "", &Value::Null)
        .await;
    let text = answer.json()["keys"][0]["x"].as_str().map(str::to_owned);
    text.unwrap_or_else(|| encode([9; 32]))
}

#[tokio::test(flavor = "multi_thread")]
async fn are_refused_every_one_of_them() {
    let place = place().await;
    for name in ["EdDSA", "ES256", "HS256"] {
        let settings = [
            ("PALISADE_AUTH__TOKEN_ALGORITHM", name),
            ("PALISADE_AUTH__RECHECK_AFTER", "0s"),
        ];
        let served = place.serve(&settings).await;
        let email = |who: &str| format!("{who}-{name}@example.org");
        let answer = served.account(&email("ann")).await;
        let other = served.account(&email("bob")).await;
        let token = answer.text_of("access_token");
        let bench = Bench::new(name, &place.key, &token, public_key(&served).await);
        assert_eq!(served.me(&bench.good()).await.status, 200);
        let same = bench.with_claims(&bench.claims);
        assert_eq!(
            served.me(&same).await.status,
            200,
            "the bench signs as the service does"
        );
        let claims: Value = serde_json::from_str(&bench.claims).expect("JSON");
        let more = bench.with_claims(&bench.claims.replacen('{', "{\"later\":1,", 1));
        assert_eq!(
            served.me(&more).await.status,
            200,
            "a claim of a later version is no harm"
        );

        let other_claims = other.text_of("access_token");
        let other_claims = decode(other_claims.split('.').nth(1).expect("claims"));
        let other_claims: Value = serde_json::from_slice(&other_claims).expect("JSON");
        let other_family = other_claims["sid"].as_str().expect("a family");
        let mut forged = bench.damaged();
        forged.extend(bench.headers());
        forged.extend(bench.claims(other_family));
        forged.extend(bench.signatures());
        forged.push((
            "refresh as access".to_owned(),
            answer.text_of("refresh_token"),
        ));
        // Keys of other purposes, other services, other algorithms.
        for purpose in [
            "access tokens",
            "access tokens EdDSA",
            "access tokens ES256",
        ] {
            let key = Key::generate().derive(purpose);
            let signature = key.sign(bench.message().as_bytes());
            forged.push((
                format!("another key for {purpose}"),
                format!("{}.{}", bench.message(), encode(signature)),
            ));
        }
        for purpose in ["cursors", "refresh token seals"] {
            let key = Key::parse(&place.key).expect("a key").derive(purpose);
            let signature = key.sign(bench.message().as_bytes());
            forged.push((
                format!("our key for {purpose}"),
                format!("{}.{}", bench.message(), encode(signature)),
            ));
        }
        assert!(forged.len() >= 120, "{}", forged.len());
        for (what, token) in &forged {
            assert_ne!(*token, bench.good(), "{what}");
            // What a header cannot carry cannot be sent.
            if token.bytes().any(|byte| !(b' '..=b'~').contains(&byte)) {
                continue;
            }
            let answer = served.me(token).await;
            assert_eq!(answer.status, 401, "{name}, {what}: {token}");
            assert_eq!(answer.header("www-authenticate"), Some("Bearer"), "{what}");
        }
        println!("{name}: {} tokens refused", forged.len());
        assert_eq!(
            served.me(&bench.good()).await.status,
            200,
            "the good one is still good"
        );
        assert_eq!(claims["iss"], "palisade");
    }
}
