//! A secret text that a client presents in a body or a cookie.

use crate::input::{Field, Node, Reader, Text};
use crate::secret::Secret;

/// Long enough for every token of ours, so that one in the wrong place is refused like any other wrong one.
const MOST_CHARACTERS: usize = 2048;

/// What a client presents as a token: read, and never printed.
pub(super) struct Presented(Secret<String>);

impl Presented {
    pub(super) fn expose(&self) -> &str {
        self.0.expose()
    }

    /// What a cookie holds, when it could be a token of ours.
    pub(super) fn of_cookie(text: &str) -> Option<Self> {
        (text.len() <= MOST_CHARACTERS).then(|| Self(text.into()))
    }

    #[cfg(test)]
    pub(super) fn of(text: &str) -> Self {
        Self(text.into())
    }
}

impl Field for Presented {
    fn read(node: Node, reader: &mut Reader) -> Option<Self> {
        let text = Text::<1, MOST_CHARACTERS>::read(node, reader)?;
        Some(Self(Secret::new(text.into_string())))
    }
}
