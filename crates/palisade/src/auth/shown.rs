//! What a request shows to prove who calls: one token or one session, never both.

use http::header;
use http::request::Parts;

use super::cookie::{SESSION, Sent};
use crate::error::{Error, Result};
use crate::event::Event;

/// The credential of a request, unread.
pub(super) enum Shown<'a> {
    Nothing,
    /// A bearer token (RFC 6750, section 2.1).
    Token(&'a str),
    /// The id of a session.
    Session(&'a str),
}

/// Finds the credential.
///
/// # Errors
/// 401 when it has not the form of one. 400 when there are two (RFC 6750, sections 2 and 3.1): which of them was meant cannot be told,
/// and a page of ours that is made to send a stranger's token must not act for the stranger, nor the other way round.
pub(super) fn shown(parts: &Parts) -> Result<Shown<'_>> {
    let mut authorizations = parts.headers.get_all(header::AUTHORIZATION).iter();
    let session = SESSION.sent(&parts.headers);
    let Some(value) = authorizations.next() else {
        return match session {
            Sent::Nothing => Ok(Shown::Nothing),
            Sent::One(text) => Ok(Shown::Session(text)),
            Sent::Unclear => Err(super::session::refused("ambiguous")),
        };
    };
    if session != Sent::Nothing {
        Event::TokenRefused {
            reason: "two_credentials",
        }
        .emit();
        return Err(Error::bad_request(
            "send a token or the cookie of a session, not both",
        ));
    }
    let text = value.to_str().map_err(|_| malformed())?;
    match text.split_once(' ') {
        Some((scheme, token))
            if scheme.eq_ignore_ascii_case("bearer") && authorizations.next().is_none() =>
        {
            Ok(Shown::Token(token))
        }
        _ => Err(malformed()),
    }
}

fn malformed() -> Error {
    Event::TokenRefused {
        reason: "malformed",
    }
    .emit();
    Error::unauthorized()
}
