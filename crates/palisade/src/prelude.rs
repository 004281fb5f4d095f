//! The paved path: what a service imports.
