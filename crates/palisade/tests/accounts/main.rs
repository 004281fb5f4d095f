//! Accounts over HTTP, on SQLite and PostgreSQL: sign-up, sign-in, tokens, and the attacks on them.

mod api_keys;
mod forged;
mod fresh;
mod harness;
mod idempotency;
mod lockout;
mod passwords;
mod refresh;
mod tokens;
