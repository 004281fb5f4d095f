//! Accounts over HTTP, on SQLite and PostgreSQL: sign-up, sign-in, tokens, and the attacks on them.

mod api_keys;
mod deletion;
mod export;
mod forged;
mod fresh;
mod harness;
mod idempotency;
mod lockout;
mod passwords;
mod refresh;
mod roles;
mod second_factor;
mod sessions;
mod tokens;
