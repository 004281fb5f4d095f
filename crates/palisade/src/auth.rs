//! Credentials become an actor; the ready routes for it.
