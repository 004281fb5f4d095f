//! Everything that is kept of an account, for its owner: articles 15 and 20 of the GDPR.

use axum::body::{Body, Bytes};
use futures_util::StreamExt as _;
use http::{HeaderValue, Response, header};
use tokio::sync::mpsc;

use crate::access::{Account, Fresh, Id};
use crate::db::{ReadDb, exports};
use crate::error::{Error, Result};
use crate::event::Event;
use crate::input::Timestamp;
use crate::output::Reply;
use palisade_macros::{get, output, row, sql};

/// Rows of one table at most.
const MOST_ROWS: u32 = 100_000;
/// Rows of the framework's own tables at most.
const MOST_SIGN_INS: u16 = 1000;
/// Bytes that are sent at once.
const PIECE: usize = 16 * 1024;

/// The account itself.
#[output]
struct AccountData {
    id: Id<Account>,
    email: String,
    email_verified_at: Option<Timestamp>,
    created_at: Timestamp,
    roles: Vec<String>,
    sign_ins: Vec<SignInView>,
    second_factor_since: Option<Timestamp>,
    api_keys: Vec<ApiKeyData>,
}

#[row]
struct Found {
    email: String,
    email_verified_at: Option<Timestamp>,
    created_at: Timestamp,
}

#[row]
struct SignIn {
    kind: String,
    device: String,
    created_at: Timestamp,
    last_used_at: Timestamp,
    expires_at: Timestamp,
}

/// A sign-in that has not ended.
#[output(from = SignIn)]
struct SignInView {
    kind: String,
    device: String,
    created_at: Timestamp,
    last_used_at: Timestamp,
    expires_at: Timestamp,
}

#[row]
struct ApiKey {
    name: String,
    created_at: Timestamp,
    last_used_at: Option<Timestamp>,
    expires_at: Timestamp,
}

/// An API key; what it proves itself by is not kept.
#[output(from = ApiKey)]
struct ApiKeyData {
    name: String,
    created_at: Timestamp,
    last_used_at: Option<Timestamp>,
    expires_at: Timestamp,
}

/// The document on its way, piece by piece.
pub(crate) struct Exported(mpsc::Receiver<Result<Bytes, CutShort>>);

impl Reply for Exported {
    fn reply(self) -> Result<Response<Body>> {
        let pieces = futures_util::stream::unfold(self.0, async |mut pieces| {
            pieces.recv().await.map(|piece| (piece, pieces))
        });
        let mut response = Response::new(Body::from_stream(pieces));
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/json"),
        );
        headers.insert(
            header::CONTENT_DISPOSITION,
            HeaderValue::from_static("attachment; filename=\"account.json\""),
        );
        Ok(response)
    }
}

#[get("/auth/export", limit = "10/h")]
pub(super) async fn export(user: Fresh, db: ReadDb) -> Result<Exported> {
    let account = account(user.id, &db).await?;
    Event::DataExported {
        account: user.id.uuid(),
    }
    .emit();
    let (sender, pieces) = mpsc::channel(2);
    let writer = Writer {
        account: user.id,
        piece: Vec::with_capacity(PIECE),
        sender,
        db,
    };
    tokio::spawn(writer.write(account));
    Ok(Exported(pieces))
}

async fn account(id: Id<Account>, db: &ReadDb) -> Result<AccountData> {
    let found = sql!(
        Found,
        "select email, email_verified_at, created_at from palisade_accounts where id = {id}"
    );
    // Deleted a moment ago: its credential is worth nothing any more.
    let found = found.optional(db).await?.ok_or_else(Error::unauthorized)?;
    let roles =
        sql!("select role from palisade_account_roles where account_id = {id} order by role")
            .at_most(MOST_SIGN_INS, db)
            .await?;
    let sign_ins = sql!(
        SignIn,
        "select 'tokens' as kind, device, created_at, rotated_at as last_used_at, expires_at from palisade_token_families
         where account_id = {id}
         union all select 'session' as kind, device, created_at, used_at as last_used_at, expires_at from palisade_sessions
         where account_id = {id} order by created_at"
    );
    let sign_ins = sign_ins.at_most(MOST_SIGN_INS, db).await?;
    let second_factor_since: Option<Timestamp> = sql!(
        "select confirmed_at from palisade_credentials
         where account_id = {id} and kind <> 'recovery_code' and confirmed_at is not null order by confirmed_at limit 1"
    )
    .optional(db)
    .await?;
    let api_keys = sql!(
        ApiKey,
        "select name, created_at, last_used_at, expires_at from palisade_api_keys where account_id = {id} order by created_at"
    );
    let api_keys = api_keys.at_most(MOST_SIGN_INS, db).await?;
    Ok(AccountData {
        id,
        email: found.email,
        email_verified_at: found.email_verified_at,
        second_factor_since,
        api_keys: api_keys.into_iter().map(ApiKeyData::from).collect(),
        created_at: found.created_at,
        roles,
        sign_ins: sign_ins.into_iter().map(SignInView::from).collect(),
    })
}

/// Writes the document as fast as the client takes it, and holds two pieces of it at most.
struct Writer {
    account: Id<Account>,
    piece: Vec<u8>,
    sender: mpsc::Sender<Result<Bytes, CutShort>>,
    db: ReadDb,
}

/// Why the document ends early.
enum Stop {
    Failed(Error),
    /// Nobody takes the rest.
    Gone,
}

impl<E: Into<Error>> From<E> for Stop {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

/// What ends the connection: a document that was cut short must not look like a whole one.
#[derive(Debug, thiserror::Error)]
#[error("the export failed; the line before this one says why")]
pub(crate) struct CutShort;

impl Writer {
    async fn write(mut self, account: AccountData) {
        if let Err(Stop::Failed(error)) = self.document(&account).await {
            error.log();
            let _ = self.sender.send(Err(CutShort)).await;
        }
    }

    async fn document(&mut self, account: &AccountData) -> Result<(), Stop> {
        self.put(b"{\"exported_at\":").await?;
        let now = Timestamp::now().to_string();
        self.put(&serde_json::to_vec(&now)?).await?;
        self.put(b",\"account\":").await?;
        self.put(&serde_json::to_vec(account)?).await?;
        self.put(b",\"data\":{").await?;
        let mut complete = true;
        for (at, (table, export)) in exports().into_iter().enumerate() {
            self.put(if at > 0 { b"," } else { b"" }).await?;
            self.put(&serde_json::to_vec(table)?).await?;
            self.put(b":[").await?;
            let owner = self.account.uuid();
            // One more tells that there is more.
            let mut rows = (export.rows)(export.text, owner, MOST_ROWS + 1, &self.db);
            let mut count = 0;
            while let Some(row) = rows.next().await {
                if count == MOST_ROWS {
                    complete = false;
                    break;
                }
                self.put(if count > 0 { b"," } else { b"" }).await?;
                self.put(&row?).await?;
                count += 1;
            }
            self.put(b"]").await?;
        }
        let end: &[u8] = match complete {
            true => b"},\"complete\":true}",
            false => b"},\"complete\":false}",
        };
        self.put(end).await?;
        self.send().await
    }

    async fn put(&mut self, bytes: &[u8]) -> Result<(), Stop> {
        self.piece.extend_from_slice(bytes);
        if self.piece.len() >= PIECE {
            self.send().await?;
        }
        Ok(())
    }

    async fn send(&mut self) -> Result<(), Stop> {
        let piece = std::mem::replace(&mut self.piece, Vec::with_capacity(PIECE));
        let sent = self.sender.send(Ok(piece.into())).await;
        sent.map_err(|_| Stop::Gone)
    }
}
