//! Method, path, guard and handler become a route.
