//! The client's key, and what it stands for.

use http::{HeaderMap, StatusCode};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::error::{Error, Result};
use crate::input::Incoming;

const HEADER: &str = "idempotency-key";
const LONGEST: usize = 64;

/// A request that names a key.
pub(super) struct Asked {
    /// The caller and the key.
    pub(super) id: [u8; 32],
    pub(super) account: Uuid,
    /// Method, target and body.
    pub(super) request: Vec<u8>,
}

impl Asked {
    /// Reads the key, and the body, which stays there for the handler.
    pub(super) async fn of(incoming: &mut Incoming) -> Result<Self> {
        let key = key(&incoming.parts().headers)?.to_owned();
        let context = incoming.context();
        let account = context.account().ok_or_else(|| {
            let cause = "an `idempotent` handler needs a guard that proves an account";
            Error::internal().caused_by(cause)
        })?;
        let caller = context.api_key().unwrap_or(account);
        let mut id = Sha256::new();
        id.update(caller.as_bytes());
        id.update(key.as_bytes());
        let parts = incoming.parts();
        let mut request = format!("{} {}\n", parts.method, parts.uri).into_bytes();
        request.extend_from_slice(&incoming.hold_body().await?);
        Ok(Self {
            id: id.finalize().into(),
            account,
            request,
        })
    }
}

/// A String of RFC 9651, without escapes: `"8e03978e-40d5-43dd-bc93-6894a57f9324"`.
fn key(headers: &HeaderMap) -> Result<&str> {
    let mut values = headers.get_all(HEADER).iter();
    let Some(value) = values.next() else {
        return Err(Error::new(
            StatusCode::BAD_REQUEST,
            "idempotency-key-required",
            "This request needs an `Idempotency-Key`",
        )
        .with_detail("send a header such as Idempotency-Key: \"8e03978e-40d5-43dd-bc93-6894a57f9324\", another one for each new request, and the same one when you try again"));
    };
    let text = value.to_str().ok();
    let inside = text.and_then(|text| text.strip_prefix('"')?.strip_suffix('"'));
    let plain = |byte: u8| matches!(byte, 0x20..=0x7e) && !matches!(byte, b'"' | b'\\');
    let fits = |key: &&str| (1..=LONGEST).contains(&key.len()) && key.bytes().all(plain);
    match inside.filter(fits) {
        Some(key) if values.next().is_none() => Ok(key),
        _ => Err(Error::new(
            StatusCode::BAD_REQUEST,
            "idempotency-key-malformed",
            "The `Idempotency-Key` cannot be read",
        )
        .with_detail("write one text of 1 to 64 characters in double quotes, without `\\`")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_one_quoted_text_and_nothing_else() {
        let read = |values: &[&[u8]]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(HEADER, http::HeaderValue::from_bytes(value).unwrap());
            }
            key(&headers)
                .map(str::to_owned)
                .map_err(|error| error.kind())
        };
        let longest = format!("\"{}\"", "x".repeat(LONGEST));
        for good in [
            "\"a\"",
            "\"8e03978e-40d5-43dd-bc93-6894a57f9324\"",
            "\" ~!\"",
            &longest,
        ] {
            assert_eq!(
                read(&[good.as_bytes()]).as_deref(),
                Ok(&good[1..good.len() - 1])
            );
        }
        assert_eq!(read(&[]), Err("idempotency-key-required"));
        let long = format!("\"{}\"", "x".repeat(LONGEST + 1));
        for bad in [
            "",
            "a",
            "\"\"",
            "\"",
            "\"a",
            "a\"",
            "'a'",
            "\"a\"b\"",
            "\"a\\\"b\"",
            "\"a\\\\\"",
            "\"a\";p=1",
            "\"a\", \"b\"",
            "\"ü\"",
            "\"a\tb\"",
            ":YQ==:",
            &long,
        ] {
            assert_eq!(
                read(&[bad.as_bytes()]),
                Err("idempotency-key-malformed"),
                "{bad}"
            );
        }
        assert!(read(&[b"\"a\"", b"\"a\""]).is_err());
        assert!(read(&[b"\"\xff\""]).is_err());
    }
}
