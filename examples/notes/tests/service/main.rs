//! The notes service over HTTP: its surface, its refusals, and how it refuses to start.

mod accounts;
mod attacks;
mod harness;
mod kills;
mod secrets;
mod start;
mod surface;
