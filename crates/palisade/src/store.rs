//! What is counted: how often something happened, and whether it may happen again.

mod limiter;
mod local;

pub use limiter::{Checked, Decision, Limit, LimitKey, Limiter};
pub use local::LocalLimiter;
