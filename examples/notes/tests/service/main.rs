//! The notes service over HTTP: its surface, its refusals, and how it refuses to start.

mod accounts;
mod attacks;
mod harness;
mod kills;
mod metrics;
mod redaction;
mod roles;
mod second_factor;
mod secrets;
#[cfg(unix)]
mod serving;
#[cfg(target_os = "linux")]
mod soak;
mod start;
mod surface;
