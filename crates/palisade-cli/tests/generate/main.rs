//! `palisade generate` and `palisade destroy`: what they write, what they leave, what they refuse.

mod destroy;
mod harness;
mod parts;
mod places;
mod refusals;
mod resource;
#[cfg(target_os = "linux")]
mod terminal;
