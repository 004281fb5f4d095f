//! Whether a new password is hard enough to guess: a list of common ones, and zxcvbn with the account's own words.
//!
//! There are no composition rules (NIST SP 800-63B-4, section 3.1.1.2: a blocklist, and no mixture of character types).

use std::collections::HashSet;
use std::sync::LazyLock;

use crate::config::AuthConfig;
use crate::error::{Error, Result, Violation};

/// Common passwords of eight characters or more, in lower case; the file says where they come from.
const COMMON: &str = include_str!("../../../data/common-passwords.txt");

static LIST: LazyLock<HashSet<&'static str>> = LazyLock::new(|| {
    let lines = COMMON.lines().map(str::trim);
    lines
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .collect()
});

#[derive(Debug, Clone)]
pub(super) struct Strength {
    least: u8,
    /// Words that everybody would try here, such as the service's name.
    service: String,
}

impl Strength {
    pub(super) fn new(config: &AuthConfig) -> Self {
        Self {
            least: config.password_strength,
            service: config.issuer.clone(),
        }
    }

    /// Refuses what is common or easy to guess; `own` are words of the account.
    pub(super) fn check(&self, password: &str, own: &[String]) -> Result<()> {
        if LIST.contains(password.to_lowercase().as_str()) {
            return Err(refused(
                "too_common",
                "is one of the passwords that are tried first",
            ));
        }
        let mut words: Vec<&str> = Vec::new();
        for word in own.iter().chain([&self.service]) {
            words.push(word);
            // `ann.lee@example.org` is also `ann`, `lee`, `example` and `org`.
            let parts = word.split(|letter: char| !letter.is_alphanumeric());
            words.extend(parts.filter(|part| part.chars().count() > 2));
        }
        if is_made_of(password, &words) {
            return Err(refused(
                "too_weak",
                "is made of the address or of this service's name",
            ));
        }
        let score = u8::from(zxcvbn::zxcvbn(password, &words).score());
        if score < self.least {
            return Err(refused(
                "too_weak",
                "is too easy to guess: a few words that do not belong together are better",
            ));
        }
        Ok(())
    }
}

/// Whether fewer than four letters and digits are left without these words.
fn is_made_of(password: &str, words: &[&str]) -> bool {
    let mut words: Vec<String> = words.iter().map(|word| word.to_lowercase()).collect();
    words.sort_by_key(|word| std::cmp::Reverse(word.len()));
    let mut rest = password.to_lowercase();
    for word in words.iter().filter(|word| !word.is_empty()) {
        rest = rest.replace(word.as_str(), " ");
    }
    let found = rest.len() < password.to_lowercase().len();
    found
        && rest
            .chars()
            .filter(|letter| letter.is_alphanumeric())
            .count()
            < 4
}

/// 422 at the member `password`, which is what every form of ours calls it.
pub(super) fn refused(code: &'static str, detail: &'static str) -> Error {
    Error::invalid(vec![Violation {
        pointer: "/password".to_owned(),
        code: code.into(),
        detail: detail.into(),
    }])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(password: &str) -> Option<String> {
        let strength = Strength {
            least: 3,
            service: "Harbour Notes".to_owned(),
        };
        let own = ["annabel.lee@kingdom-by-the-sea.example".to_owned()];
        let error = strength.check(password, &own).err()?;
        assert_eq!(error.status(), 422);
        Some(error.violations()[0].code.to_string())
    }

    #[test]
    fn refuses_what_is_tried_first_in_any_case() {
        for common in [
            "password1",
            "PassWord1",
            "12345678",
            "qwertyuiop",
            "iloveyou1",
        ] {
            assert_eq!(code(common).as_deref(), Some("too_common"), "{common}");
        }
        assert!(LIST.len() > 200, "{}", LIST.len());
        for word in LIST.iter() {
            assert!(
                word.chars().count() >= 8 && *word == word.to_lowercase(),
                "{word}"
            );
        }
    }

    #[test]
    fn refuses_the_accounts_and_the_services_own_words() {
        for own in [
            "annabel.lee",
            "Annabel1999",
            "kingdom-by-the-sea",
            "harbournotes1",
            "annabel.lee@kingdom-by-the-sea.example",
        ] {
            assert_eq!(code(own).as_deref(), Some("too_weak"), "{own}");
        }
        for weak in [
            "aaaaaaaaaaaa",
            "abcdefghijkl",
            "qazwsxedc123",
            "january2019",
        ] {
            assert!(code(weak).is_some(), "{weak}");
        }
    }

    #[test]
    fn takes_long_passwords_of_any_characters() {
        for good in [
            "correct horse battery",
            "three unrelated ordinary words",
            "зелёный трамвай идёт в депо",
            "缓慢的乌龟走过雨中的桥",
            "k7 $ \u{1f40c} \t x9~|",
            &"long sentences are fine too, however long they get ".repeat(5)[..250],
        ] {
            assert_eq!(code(good), None, "{good}");
        }
    }
}
