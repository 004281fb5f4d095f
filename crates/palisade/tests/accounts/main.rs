//! Accounts over HTTP, on SQLite and PostgreSQL: sign-up, sign-in, tokens, mail, and the attacks on them.

mod api_keys;
mod deletion;
mod export;
mod forged;
mod fresh;
mod harness;
mod idempotency;
mod lockout;
mod mail;
mod passwords;
mod refresh;
mod reset;
mod roles;
mod second_factor;
mod sessions;
#[cfg(feature = "smtp")]
mod smtp;
mod tokens;
mod verification;

use palisade::db::Migrations;

/// Every table that some of these tests has: an app of this program checks the statements of all of them.
const TABLES: Migrations =
    Migrations::of_app(&[api_keys::TABLE, idempotency::TABLE, deletion::TABLES]);
