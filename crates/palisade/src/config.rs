//! Settings: typed, layered, checked as a whole before a port opens.
