//! What the Rust peers share, so that each does the same work: settings, data, tokens, the input and its rules.

use std::time::{SystemTime, UNIX_EPOCH};

use garde::Validate;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode};
use serde::{Deserialize, Serialize};
use sqlx::SqlitePool;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions};

/// The origin whose pages may call, and the names that requests may ask for.
pub const ORIGIN: &str = "https://app.example.org";
pub const HOSTS: [&str; 2] = ["127.0.0.1", "localhost"];
pub const BODY_LIMIT: usize = 64 * 1024;
/// Never reached: the limiter counts each request and refuses none.
pub const BURST: u32 = 1_000_000_000;

const ISSUER: &str = "bench";
const ACCOUNT: &str = "01a20f59-3f74-732c-b0a4-c848f71238a0";
const LIFETIME: u64 = 3600;

/// The headers that palisade sends too.
pub const HEADERS: [(&str, &str); 14] = [
    (
        "content-security-policy",
        "default-src 'none'; frame-ancestors 'none'",
    ),
    (
        "strict-transport-security",
        "max-age=63072000; includeSubDomains; preload",
    ),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("referrer-policy", "no-referrer"),
    ("cache-control", "no-store"),
    ("x-xss-protection", "0"),
    ("x-dns-prefetch-control", "off"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("origin-agent-cluster", "?1"),
    ("x-permitted-cross-domain-policies", "none"),
    ("x-download-options", "noopen"),
    (
        "permissions-policy",
        "accelerometer=(), autoplay=(), camera=(), display-capture=(), encrypted-media=(), fullscreen=(), geolocation=(), gyroscope=(), magnetometer=(), microphone=(), midi=(), payment=(), publickey-credentials-get=(), screen-wake-lock=(), usb=(), web-share=(), xr-spatial-tracking=()",
    ),
];

#[derive(Serialize)]
pub struct Health {
    pub status: &'static str,
}

#[derive(Serialize, sqlx::FromRow)]
pub struct Item {
    pub id: i64,
    pub title: String,
    pub body: String,
    pub stars: i64,
}

#[derive(Deserialize, Serialize, Validate)]
#[serde(deny_unknown_fields)]
pub struct NewItem {
    #[garde(length(chars, min = 1, max = 200))]
    pub title: String,
    #[garde(length(chars, max = 2000))]
    pub body: String,
    #[garde(range(min = 1, max = 5))]
    pub stars: u8,
}

impl NewItem {
    /// The same rules by hand.
    pub fn is_valid(&self) -> bool {
        (1..=200).contains(&self.title.chars().count())
            && self.body.chars().count() <= 2000
            && (1..=5).contains(&self.stars)
    }
}

#[derive(Serialize)]
pub struct Me {
    pub id: String,
}

pub struct Settings {
    pub port: u16,
    database: String,
    secret: String,
}

impl Settings {
    /// From `PORT`, `DATABASE` and `SECRET`.
    pub fn from_env() -> Self {
        let variable =
            |name: &str| std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set"));
        Self {
            port: variable("PORT").parse().expect("PORT is a port"),
            database: variable("DATABASE"),
            secret: variable("SECRET"),
        }
    }

    /// Several readers that cannot write, and one writer.
    pub async fn open(&self) -> Result<Data, sqlx::Error> {
        let options = SqliteConnectOptions::new()
            .filename(&self.database)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .foreign_keys(true);
        let writer = SqlitePoolOptions::new().max_connections(1);
        let most = std::thread::available_parallelism().map_or(4, |n| n.get() as u32);
        let reader = SqlitePoolOptions::new().max_connections(most.clamp(2, 16));
        Ok(Data {
            writer: writer.connect_with(options.clone()).await?,
            reader: reader
                .connect_with(options.pragma("query_only", "on"))
                .await?,
        })
    }

    pub fn tokens(&self) -> Tokens {
        let mut validation = Validation::new(Algorithm::HS256);
        validation.set_issuer(&[ISSUER]);
        validation.set_audience(&[ISSUER]);
        validation.set_required_spec_claims(&["exp", "nbf", "iss", "aud", "sub"]);
        validation.validate_nbf = true;
        validation.leeway = 5;
        Tokens {
            encoding: EncodingKey::from_secret(self.secret.as_bytes()),
            decoding: DecodingKey::from_secret(self.secret.as_bytes()),
            validation,
        }
    }

    /// `migrate` makes the data, `token` prints a token; whether one of them was asked for.
    pub async fn did_command(&self) -> Result<bool, Box<dyn std::error::Error>> {
        match std::env::args().nth(1).as_deref() {
            Some("migrate") => {
                let data = self.open().await?;
                sqlx::raw_sql(include_str!("../../palisade/migrations/0001_items.sql"))
                    .execute(&data.writer)
                    .await?;
                sqlx::raw_sql(include_str!("../accounts.sql"))
                    .execute(&data.writer)
                    .await?;
                Ok(true)
            }
            Some("token") => {
                println!("{}", self.tokens().make()?);
                Ok(true)
            }
            _ => Ok(false),
        }
    }
}

#[derive(Clone)]
pub struct Data {
    reader: SqlitePool,
    writer: SqlitePool,
}

impl Data {
    pub async fn item(&self, id: i64) -> Result<Option<Item>, sqlx::Error> {
        sqlx::query_as("select id, title, body, stars from items where id = $1")
            .bind(id)
            .fetch_optional(&self.reader)
            .await
    }

    /// Whether the token's account exists and the token was not revoked.
    pub async fn stands(&self, claims: &Claims) -> Result<bool, sqlx::Error> {
        let found: i64 = sqlx::query_scalar(
            "select count(*) from accounts where id = $1
             and not exists (select 1 from revoked_tokens where jti = $2)",
        )
        .bind(&claims.sub)
        .bind(&claims.jti)
        .fetch_one(&self.reader)
        .await?;
        Ok(found > 0)
    }

    pub async fn revoke(&self, claims: &Claims) -> Result<(), sqlx::Error> {
        sqlx::query(
            "insert into revoked_tokens (jti, expires_at) values ($1, $2) on conflict do nothing",
        )
        .bind(&claims.jti)
        .bind(claims.exp as i64)
        .execute(&self.writer)
        .await?;
        Ok(())
    }
}

#[derive(Clone, Serialize, Deserialize)]
pub struct Claims {
    iss: String,
    aud: String,
    pub sub: String,
    exp: u64,
    nbf: u64,
    iat: u64,
    jti: String,
}

pub struct Tokens {
    encoding: EncodingKey,
    decoding: DecodingKey,
    validation: Validation,
}

impl Tokens {
    fn make(&self) -> Result<String, jsonwebtoken::errors::Error> {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        let now = since.unwrap_or_default();
        let claims = Claims {
            iss: ISSUER.to_owned(),
            aud: ISSUER.to_owned(),
            sub: ACCOUNT.to_owned(),
            exp: now.as_secs() + LIFETIME,
            nbf: now.as_secs(),
            iat: now.as_secs(),
            // As long as a UUID is; unique here, since tokens are made one after the other.
            jti: format!(
                "01a20f59-0000-7000-8000-{:012x}",
                now.as_micros() & 0xffff_ffff_ffff
            ),
        };
        encode(&Header::new(Algorithm::HS256), &claims, &self.encoding)
    }

    /// The claims of `Bearer …`, when the token verifies.
    pub fn check(&self, authorization: Option<&str>) -> Option<Claims> {
        let (scheme, token) = authorization?.split_once(' ')?;
        if !scheme.eq_ignore_ascii_case("bearer") {
            return None;
        }
        let token = decode::<Claims>(token, &self.decoding, &self.validation);
        token.ok().map(|token| token.claims)
    }
}
