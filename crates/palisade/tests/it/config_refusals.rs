//! Each way not to start.

use super::*;
