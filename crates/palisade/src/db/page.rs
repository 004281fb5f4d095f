//! Keyset pages with a cursor that only we can make.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use uuid::Uuid;

use crate::error::{Error, Result};
use crate::secret::key::Key;

/// One page of a list: at most 100 items, and the cursor of the next page when there is one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// The items, newest first.
    pub items: Vec<T>,
    /// What to send as `after` to get the next page.
    pub next: Option<String>,
}

impl<T> Page<T> {
    /// The same page of other items: `page.map(NoteView::from)`.
    pub fn map<U>(self, each: impl FnMut(T) -> U) -> Page<U> {
        Page {
            items: self.items.into_iter().map(each).collect(),
            next: self.next,
        }
    }
}

/// Which page is asked for: `?after=CURSOR&limit=N`, 20 items unless said, 100 at most.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageRequest {
    pub(crate) after: Option<String>,
    pub(crate) limit: u16,
}

impl PageRequest {
    /// Items on a page when nothing is said.
    pub const DEFAULT_LIMIT: u16 = 20;
    /// Items on a page at most.
    pub const MAX_LIMIT: u16 = 100;
    /// Characters of a cursor at most.
    pub const MAX_CURSOR: usize = 128;

    /// The page after this cursor, or the first one; `limit` is brought into 1 to 100.
    pub fn new(after: Option<String>, limit: u16) -> Self {
        Self {
            after,
            limit: limit.clamp(1, Self::MAX_LIMIT),
        }
    }
}

impl Default for PageRequest {
    fn default() -> Self {
        Self::new(None, Self::DEFAULT_LIMIT)
    }
}

/// The cursor of the item with this id in the list that `statement` gives.
pub(super) fn cursor(key: &Key, statement: &str, id: Uuid) -> String {
    let mut bytes = id.as_bytes().to_vec();
    bytes.extend_from_slice(&key.sign(&signed(statement, id))[..16]);
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The id in a cursor of this list.
///
/// # Errors
/// 400 when it was not made by us for this very list.
pub(super) fn id_of(key: &Key, statement: &str, cursor: &str) -> Result<Uuid> {
    let refused = || Error::bad_request("the cursor `after` is not one that this list gave");
    let bytes = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| refused())?;
    let (id, tag) = bytes.split_first_chunk::<16>().ok_or_else(refused)?;
    let id = Uuid::from_bytes(*id);
    let whole = key.sign(&signed(statement, id));
    if crate::secret::compare::equal(&whole[..16], tag) {
        Ok(id)
    } else {
        Err(refused())
    }
}

fn signed(statement: &str, id: Uuid) -> Vec<u8> {
    let mut message = id.as_bytes().to_vec();
    message.extend_from_slice(statement.as_bytes());
    message
}
