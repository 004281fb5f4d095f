//! The public keys of our access tokens, for services that check them.

use crate::access::Public;
use crate::auth::Accounts;
use crate::auth::jwt::PublicKey;
use crate::error::Result;
use crate::input::{Argument, Incoming, Json};
use palisade_macros::{get, output};

/// A JWK set (RFC 7517, section 5): the key that signs, then the one before.
#[output]
pub(crate) struct KeySet {
    keys: Vec<PublicKey>,
}

/// The keys alone: a `GET` handler gets nothing that writes.
pub(crate) struct PublicKeys(Vec<PublicKey>);

impl Argument for PublicKeys {
    async fn take(incoming: &mut Incoming) -> Result<Self> {
        let accounts: Accounts = incoming.own()?;
        Ok(Self(accounts.tokens.public_keys()))
    }
}

#[get("/.well-known/jwks.json", limit = "auth")]
pub(super) async fn jwks(_: Public, keys: PublicKeys) -> Result<Json<KeySet>> {
    Ok(Json(KeySet { keys: keys.0 }))
}
