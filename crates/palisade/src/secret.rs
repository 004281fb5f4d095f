//! Values that are not shown.
