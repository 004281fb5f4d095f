//! What is let out: only what an `#[output]` type declares.
//!
//! Holds OWASP API3 (object property level authorization) and row G1: JSON leaves as `application/json`, never as anything else.

mod export;
mod field;
mod page;
mod reply;

pub use export::ViewOf;
#[doc(hidden)]
pub use export::export_rows;
pub use field::{Output, OutputField};
#[doc(hidden)]
pub use field::{begin, field, write_json};
pub(crate) use page::PagePolicy;
pub use page::StaticPage;
pub use reply::{Accepted, Created, NoContent, Reply};
