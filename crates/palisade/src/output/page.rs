//! Pages that stand in the code.

use std::sync::OnceLock;

use axum::body::Body;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use html5ever::tendril::StrTendril;
use html5ever::tokenizer::states::{Rawtext, Rcdata, ScriptData};
use html5ever::tokenizer::{
    BufferQueue, Tag, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer,
};
use http::{HeaderValue, Response, header};
use sha2::{Digest as _, Sha256};

use super::reply::Reply;
use crate::error::Result;

/// A page of HTML that stands in the code, with its scripts and styles in it.
///
/// It is for a service's own small front: a sign-in page, a status page. Its scripts talk to the service's routes.
///
/// # Security
/// Nothing of a request gets into the text, and its content security policy (CSP level 3, section 6.7) allows just what stands in
/// it: the `<script>` and `<style>` elements of this very text by their SHA-256, images of the service and of `data:` URLs, calls to
/// the service. Attributes such as `onclick` and `style`, and scripts and styles from elsewhere, do nothing: put them into an element.
/// No page can frame it, no form of it goes elsewhere, and a script that makes HTML of text fails (`require-trusted-types-for`).
///
/// # Example
/// ```
/// use palisade::prelude::*;
///
/// static FRONT: StaticPage = StaticPage::new("<!doctype html><title>Notes</title><script>start()</script>");
///
/// #[get("/")]
/// async fn front(_: Public) -> Result<&'static StaticPage> {
///     Ok(&FRONT)
/// }
/// ```
#[derive(Debug)]
pub struct StaticPage {
    html: &'static str,
    policy: OnceLock<HeaderValue>,
}

/// The content security policy of an answer that is a page.
#[derive(Debug, Clone)]
pub(crate) struct PagePolicy(pub(crate) HeaderValue);

impl StaticPage {
    /// A page of this text: a literal, or a file by `include_str!`.
    #[must_use]
    pub const fn new(html: &'static str) -> Self {
        Self {
            html,
            policy: OnceLock::new(),
        }
    }

    fn policy(&self) -> Result<HeaderValue> {
        if let Some(ready) = self.policy.get() {
            return Ok(ready.clone());
        }
        let policy = HeaderValue::try_from(policy(self.html))?;
        Ok(self.policy.get_or_init(|| policy).clone())
    }
}

impl Reply for &'static StaticPage {
    fn reply(self) -> Result<Response<Body>> {
        let mut response = Response::new(Body::from(self.html));
        response.headers_mut().insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("text/html; charset=utf-8"),
        );
        response.extensions_mut().insert(PagePolicy(self.policy()?));
        Ok(response)
    }
}

fn policy(html: &str) -> String {
    let inline = inline(html);
    let sources = |element: &str| {
        let hashes = inline.iter().filter(|(of, _)| *of == element);
        let hashes = hashes.map(|(_, text)| {
            format!(
                "'sha256-{}'",
                STANDARD.encode(Sha256::digest(text.as_bytes()))
            )
        });
        let hashes = hashes.collect::<Vec<_>>().join(" ");
        if hashes.is_empty() {
            "'none'".to_owned()
        } else {
            hashes
        }
    };
    format!(
        "default-src 'none'; script-src {}; style-src {}; img-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none'; \
         frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
        sources("script"),
        sources("style"),
    )
}

/// The texts of the `script` and `style` elements, as a browser reads them.
fn inline(html: &str) -> Vec<(&'static str, String)> {
    let tokenizer = Tokenizer::new(Elements::default(), Default::default());
    let input = BufferQueue::default();
    input.push_back(StrTendril::from_slice(html));
    while !input.is_empty() {
        // It stops after each script, for a parser that would run it.
        let _ = tokenizer.feed(&input);
    }
    tokenizer.end();
    tokenizer.sink.found.into_inner()
}

#[derive(Default)]
struct Elements {
    found: std::cell::RefCell<Vec<(&'static str, String)>>,
    open: std::cell::Cell<bool>,
}

impl Elements {
    fn opened(&self, tag: &Tag) -> TokenSinkResult<()> {
        let element = match &*tag.name {
            "script" => "script",
            "style" => "style",
            "title" | "textarea" => return TokenSinkResult::RawData(Rcdata),
            "xmp" | "iframe" | "noembed" | "noframes" | "noscript" => {
                return TokenSinkResult::RawData(Rawtext);
            }
            _ => return TokenSinkResult::Continue,
        };
        self.found.borrow_mut().push((element, String::new()));
        self.open.set(true);
        TokenSinkResult::RawData(if element == "script" {
            ScriptData
        } else {
            Rawtext
        })
    }
}

impl TokenSink for Elements {
    type Handle = ();

    fn process_token(&self, token: Token, _: u64) -> TokenSinkResult<()> {
        match token {
            Token::TagToken(tag) if tag.kind == TagKind::StartTag => return self.opened(&tag),
            Token::TagToken(_) => self.open.set(false),
            Token::CharacterTokens(text) if self.open.get() => {
                if let Some((_, own)) = self.found.borrow_mut().last_mut() {
                    own.push_str(&text);
                }
            }
            _ => {}
        }
        TokenSinkResult::Continue
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_scripts_and_styles_as_a_browser_does() {
        let html = "<!doctype html><title>a <script>no</script></title><STYLE media=all>\r\nb{}</STYLE>\
                    <!-- <script>no</script> --><script type=module>if (a < b && '</p>') { '<!--' }</script ><p onclick=\"no\">\
                    <script src=x></script><textarea><script>no</script></textarea>";
        assert_eq!(
            inline(html),
            [
                ("style", "\nb{}".to_owned()),
                ("script", "if (a < b && '</p>') { '<!--' }".to_owned()),
                ("script", String::new()),
            ]
        );
    }

    #[test]
    fn allows_what_stands_in_the_text_and_nothing_else() {
        // `printf 'start()' | openssl dgst -sha256 -binary | base64`
        assert_eq!(
            policy("<script>start()</script>"),
            "default-src 'none'; script-src 'sha256-DIm7WJS6ZKDYe5qFLPy+h4JFI9Bol5QmYC57mt3Fb00='; style-src 'none'; img-src 'self' data:; connect-src 'self'; \
             form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
        );
    }
}
