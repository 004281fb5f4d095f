//! The whole: gathers the settings, builds the stack in its one right order, serves.
