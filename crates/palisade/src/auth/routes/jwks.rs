//! The public keys of our access tokens, for services that check them.

use crate::access::Public;
use crate::auth::Accounts;
use crate::auth::jwt::PublicKey;
use crate::error::Result;
use crate::input::{Json, Service};
use palisade_macros::{get, output};

/// A JWK set (RFC 7517, section 5): the key that signs, then the one before.
#[output]
pub(crate) struct KeySet {
    keys: Vec<PublicKey>,
}

#[get("/.well-known/jwks.json")]
pub(super) async fn jwks(_: Public, accounts: Service<Accounts>) -> Result<Json<KeySet>> {
    Ok(Json(KeySet {
        keys: accounts.tokens.public_keys(),
    }))
}
