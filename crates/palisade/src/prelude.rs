//! The paved path: what a service imports.

pub use crate::config::{Refusal, Size};
pub use crate::error::{Error, Result, problem};
pub use crate::secret::Secret;
pub use crate::settings;
