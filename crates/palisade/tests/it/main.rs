//! Everything but compile-fail, in one binary.

mod config;
mod db;
mod error;
mod secret;
