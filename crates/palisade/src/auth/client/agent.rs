//! What a client calls itself, as a few words that a person knows his devices by.

use std::fmt;

use http::{HeaderMap, header};

const LONGEST: usize = 40;

/// Each browser beside the token that tells it; one that names others too stands before them.
const BROWSERS: [(&str, &str); 7] = [
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("CriOS/", "Chrome"),
];

const SYSTEMS: [(&str, &str); 7] = [
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("CrOS", "ChromeOS"),
    ("Macintosh", "macOS"),
    ("Linux", "Linux"),
];

/// A few words for a device: `Firefox on Linux`, or the first product that a program names.
///
/// # Security
/// Of what the client sent it holds at most 40 letters, digits, `.`, `_`, `/` and `-`; of a browser's header only words of ours.
/// A client can claim to be any device: the words are for its owner's memory, and decide nothing.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::auth) struct Agent {
    text: [u8; LONGEST],
    length: u8,
}

impl Agent {
    pub(in crate::auth) fn of(headers: &HeaderMap) -> Self {
        let value = headers.get(header::USER_AGENT);
        let text = value.and_then(|value| value.to_str().ok());
        Self::label(text.unwrap_or_default())
    }

    pub(in crate::auth) fn as_str(&self) -> &str {
        std::str::from_utf8(&self.text[..self.length.into()]).unwrap_or_default()
    }

    fn label(sent: &str) -> Self {
        let told = |list: &[(&str, &'static str)]| {
            let mut list = list.iter();
            list.find(|(sign, _)| sent.contains(sign))
                .map(|(_, name)| *name)
        };
        let mut label = Self {
            text: [0; LONGEST],
            length: 0,
        };
        if !sent.starts_with("Mozilla/") {
            let plain = |letter: &char| letter.is_ascii_alphanumeric() || "._/-".contains(*letter);
            sent.chars()
                .take_while(plain)
                .for_each(|letter| label.push(&[letter as u8]));
            return label;
        }
        let safari = sent.contains("Safari/").then_some("Safari");
        let browser = told(&BROWSERS).or(safari).unwrap_or("Browser");
        label.push(browser.as_bytes());
        if let Some(system) = told(&SYSTEMS) {
            label.push(b" on ");
            label.push(system.as_bytes());
        }
        label
    }

    fn push(&mut self, more: &[u8]) {
        let length = usize::from(self.length);
        if let Some(place) = self.text.get_mut(length..length + more.len()) {
            place.copy_from_slice(more);
            self.length += more.len() as u8;
        }
    }
}

impl fmt::Debug for Agent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_in_a_few_words_what_a_person_knows_his_device_by() {
        const WEBKIT: &str = "AppleWebKit/605.1.15 (KHTML, like Gecko)";
        for (sent, label) in [
            (
                "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0".to_owned(),
                "Firefox on Linux",
            ),
            (
                format!(
                    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) {WEBKIT} Chrome/140.0 Safari/537.36"
                ),
                "Chrome on Windows",
            ),
            (
                format!(
                    "Mozilla/5.0 (Windows NT 10.0) {WEBKIT} Chrome/140.0 Safari/537.36 Edg/140.0"
                ),
                "Edge on Windows",
            ),
            (
                format!(
                    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) {WEBKIT} Version/18.0 Mobile/15E148 Safari/604.1"
                ),
                "Safari on iPhone",
            ),
            (
                format!(
                    "Mozilla/5.0 (Linux; Android 15) {WEBKIT} Chrome/140.0 Mobile Safari/537.36"
                ),
                "Chrome on Android",
            ),
            ("Mozilla/5.0 (a <script>; \u{202e})".to_owned(), "Browser"),
            ("curl/8.5.0".to_owned(), "curl/8.5.0"),
            (
                "notes-app/1.2 (secret@example.org)".to_owned(),
                "notes-app/1.2",
            ),
            ("<img src=x>".to_owned(), ""),
            (String::new(), ""),
            ("x".repeat(5000), &"x".repeat(40)),
        ] {
            assert_eq!(Agent::label(&sent).as_str(), label, "{sent}");
        }
    }

    #[test]
    fn keeps_nothing_of_a_header_that_is_no_text() {
        let mut headers = HeaderMap::new();
        headers.insert(
            header::USER_AGENT,
            b"curl\xff".as_slice().try_into().unwrap(),
        );
        assert_eq!(Agent::of(&headers).as_str(), "");
    }
}
