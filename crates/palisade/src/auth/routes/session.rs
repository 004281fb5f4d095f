//! A browser's sign-in and sign-out.

use std::time::Duration;

use axum::body::Body;
use http::{HeaderMap, Response, header};

use super::sign_in::Entered;
use super::{Credentials, address};
use crate::access::{Id, Public};
use crate::auth::client::Client;
use crate::auth::cookie::{DEVICE, SESSION, Sent};
use crate::auth::device::{DeviceToken, LIFETIME};
use crate::auth::presented::Presented;
use crate::auth::session::Begun;
use crate::auth::sign_in::Entry;
use crate::auth::{Accounts, Session};
use crate::error::Result;
use crate::event::Event;
use crate::input::{Argument, Incoming, Json};
use crate::output::{NoContent, Reply};
use crate::secret::token::Token;
use palisade_macros::{delete, output, post};

/// What a browser is told of its session; the id that opens it is in the cookie alone.
#[output]
pub(crate) struct SessionView {
    id: Id<Session>,
    expires_in: u64,
    idle_expires_in: u64,
}

/// A session for a browser, and what the device is known again by.
pub(crate) struct SessionEntered {
    pub(in crate::auth) begun: Begun,
    pub(in crate::auth) device: DeviceToken,
}

impl SessionEntered {
    pub(super) fn view(&self) -> SessionView {
        SessionView {
            id: self.begun.id,
            expires_in: self.begun.lifetime.as_secs(),
            idle_expires_in: self.begun.idle.as_secs(),
        }
    }

    /// The same answer with the cookies.
    pub(super) fn with_cookies(&self, mut response: Response<Body>) -> Result<Response<Body>> {
        let Self { begun, device } = self;
        let headers = response.headers_mut();
        let session = SESSION.set(begun.token.expose(), begun.lifetime)?;
        let device = DEVICE.set(&device.expose(), Duration::from_secs(LIFETIME as u64))?;
        headers.append(header::SET_COOKIE, session);
        headers.append(header::SET_COOKIE, device);
        Ok(response)
    }
}

impl Reply for SessionEntered {
    fn reply(self) -> Result<Response<Body>> {
        self.with_cookies(Json(self.view()).reply()?)
    }
}

/// 204, and no session cookie any more; the device stays known.
pub(crate) struct Left;

impl Reply for Left {
    fn reply(self) -> Result<Response<Body>> {
        let mut response = NoContent.reply()?;
        let gone = SESSION.clear()?;
        response.headers_mut().append(header::SET_COOKIE, gone);
        Ok(response)
    }
}

/// The cookies that a sign-in looks at.
pub(super) struct Cookies {
    /// The hash of the session that the browser had until now.
    before: Option<[u8; 32]>,
    device: Option<Presented>,
}

impl Argument for Cookies {
    async fn take(incoming: &mut Incoming) -> Result<Self> {
        let headers = &incoming.parts().headers;
        let before = match SESSION.sent(headers) {
            Sent::One(text) => Token::parse(text).map(|token| token.hash()),
            Sent::Nothing | Sent::Unclear => None,
        };
        let device = device(headers);
        Ok(Self { before, device })
    }
}

impl Cookies {
    pub(super) fn device(&self) -> Option<&Presented> {
        self.device.as_ref()
    }
}

fn device(headers: &HeaderMap) -> Option<Presented> {
    match DEVICE.sent(headers) {
        Sent::One(text) => Presented::of_cookie(text),
        Sent::Nothing | Sent::Unclear => None,
    }
}

#[post("/auth/session", limit = "sign-in")]
pub(super) async fn begin(
    _: Public,
    accounts: Accounts,
    client: Client,
    cookies: Cookies,
    Json(given): Json<Credentials>,
) -> Result<Entered> {
    accounts.sweeper.pass();
    let email = address(&given.email);
    let proved = accounts
        .prove(&email, given.password, cookies.device(), client)
        .await?;
    let entry = Entry::Session {
        before: cookies.before,
    };
    accounts.enter(proved, entry, client).await
}

#[delete("/auth/session", limit = "auth")]
pub(super) async fn end(user: Session, accounts: Accounts) -> Result<Left> {
    accounts.sign_out_of(&user).await?;
    Event::SignedOut {
        account: user.id.uuid(),
    }
    .emit();
    Ok(Left)
}
