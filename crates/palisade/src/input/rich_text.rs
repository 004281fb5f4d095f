//! HTML that people wrote, made safe on its way in.

use std::sync::LazyLock;

use super::field::{Field, text};
use super::node::Node;
use super::reader::Reader;
use super::text::{Broken, check, texts};
use crate::db::{Bind, Cell, Column, ColumnError, Kind, Value};
use std::fmt;
use std::ops::Deref;

/// Formatted text of at most `MAX` characters, sanitized by an allow-list of tags and attributes before anything sees it.
///
/// # Security
/// Scripts, styles, event handlers, frames, forms and links other than http, https and mailto are taken out by ammonia, so
/// that what is stored is safe to show as HTML. Follows OWASP's XSS prevention cheat sheet, "HTML sanitization".
///
/// # Example
/// ```
/// use palisade::input::RichText;
/// let text = RichText::<100>::parse("<b onclick=x>hello</b><script>x</script>").unwrap();
/// assert_eq!(text.as_str(), "<b>hello</b>");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RichText<const MAX: usize = 65_536>(String);

texts!([const MAX: usize] RichText<MAX>);

static CLEANER: LazyLock<ammonia::Builder<'static>> = LazyLock::new(|| {
    let mut builder = ammonia::Builder::default();
    builder.url_schemes(["http", "https", "mailto"].into());
    builder.rm_tags(["img", "map", "area"]);
    builder.link_rel(Some("noopener noreferrer nofollow"));
    builder
});

impl<const MAX: usize> RichText<MAX> {
    /// Sanitizes it, and checks its length before and after.
    ///
    /// # Errors
    /// When it is too long or holds a control character.
    pub fn parse(text: impl Into<String>) -> Result<Self, Broken> {
        let text = text.into();
        check(&text, 0, MAX)?;
        let clean = CLEANER.clean(&text).to_string();
        check(&clean, 0, MAX)?;
        Ok(Self(clean))
    }
}
