//! The whole: gathers the settings, builds the stack in its one right order, serves.

mod build;
mod command;
mod grant;
mod health;
mod layer;
mod mailing;
mod management;
mod misses;
mod permitted;
mod router;
mod signals;
mod start;

pub use build::App;
#[doc(hidden)]
pub use command::run;
pub use layer::Stage;
#[doc(hidden)]
pub use management::Package;
pub use start::Started;
