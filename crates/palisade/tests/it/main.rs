//! Everything but compile-fail, in one binary.

mod config;
mod db;
mod error;
mod operations;
mod secret;
