//! The whole: gathers the settings, builds the stack in its one right order, serves.

mod build;
mod command;
mod health;
mod layer;
mod management;
mod misses;
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
