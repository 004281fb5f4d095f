//! Method, path, guard and handler become a route, which routing, checks, tables and tests read.

mod once;
mod route;

#[doc(hidden)]
pub use once::once;
pub use route::{ArgumentInfo, Endpoint, Route, Routes};
#[doc(hidden)]
pub use route::{
    ArgumentOf, argument_of, check_bodies, check_params, guard_of, reply, route_of, take,
    take_guard,
};

pub(crate) use once::Once;
