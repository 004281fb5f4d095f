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
