//! Accounts over HTTP, on SQLite and PostgreSQL: sign-up, sign-in, tokens, mail, and the attacks on them.

mod forged;
mod harness;
mod lockout;
mod mail;
mod passwords;
mod refresh;
mod reset;
#[cfg(feature = "smtp")]
mod smtp;
mod tokens;
mod verification;
