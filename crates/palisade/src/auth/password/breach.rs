//! Passwords that are known from breaches, asked for without telling the password: k-anonymity by a prefix of its SHA-1.

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use sha1::{Digest, Sha1};

use super::strength::refused;
use crate::error::Result;

/// How long a list may take to answer.
const WAIT: Duration = Duration::from_secs(2);
/// Hexadecimal digits of the hash that the list is asked with: each prefix stands for hundreds of breached passwords.
const PREFIX: usize = 5;

/// What [`BreachedPasswords::range`] gives.
pub type BreachedRange<'a> = Pin<Box<dyn Future<Output = Result<String>> + Send + 'a>>;

/// A list of breached passwords that is asked by the first five digits of a SHA-1, as "Have I Been Pwned" is.
///
/// Provide one to the app, `.provide::<Arc<dyn BreachedPasswords>>(Arc::new(list))`, and sign-up asks it.
///
/// # Security
/// The list learns five of forty digits, never the password. SHA-1 is what such lists are sorted by; nothing is protected by it.
/// When the list does not answer within two seconds the password is taken, and the log says so: another company's outage must not
/// end sign-ups, and the other checks have been made.
pub trait BreachedPasswords: fmt::Debug + Send + Sync {
    /// The lines `SUFFIX:COUNT` of every breached password whose SHA-1 begins with these five digits in capitals.
    fn range<'a>(&'a self, prefix: &'a str) -> BreachedRange<'a>;
}

/// Refuses a password that the list knows.
pub(super) async fn check(list: &dyn BreachedPasswords, password: &str) -> Result<()> {
    let hash = digits(password);
    let (prefix, suffix) = hash.split_at(PREFIX);
    let lines = match tokio::time::timeout(WAIT, list.range(prefix)).await {
        Ok(Ok(lines)) => lines,
        Ok(Err(_)) | Err(_) => {
            tracing::warn!(
                "the list of breached passwords did not answer; a password was taken without it"
            );
            return Ok(());
        }
    };
    let known = lines.lines().any(|line| {
        // A list may pad its answer with lines that count nothing.
        let (own, count) = line.trim().split_once(':').unwrap_or((line.trim(), "1"));
        own.eq_ignore_ascii_case(suffix) && count.trim() != "0"
    });
    if known {
        return Err(refused(
            "breached",
            "is known from a breach of another service",
        ));
    }
    Ok(())
}

/// The SHA-1 in capital hexadecimal digits.
fn digits(password: &str) -> String {
    let hash = Sha1::digest(password.as_bytes());
    hash.iter().map(|byte| format!("{byte:02X}")).collect()
}

/// A list that is held in memory, for lists of your own and for tests.
///
/// # Example
/// ```
/// use std::sync::Arc;
/// use palisade::auth::{BreachedList, BreachedPasswords};
/// let list: Arc<dyn BreachedPasswords> = Arc::new(BreachedList::of(["an old favourite of ours"]));
/// ```
#[derive(Default)]
pub struct BreachedList(BTreeMap<String, String>);

impl BreachedList {
    /// A list of these passwords; only their hashes are kept.
    pub fn of<'a>(passwords: impl IntoIterator<Item = &'a str>) -> Self {
        let mut list = Self::default();
        for password in passwords {
            let hash = digits(password);
            let (prefix, suffix) = hash.split_at(PREFIX);
            let lines = list.0.entry(prefix.to_owned()).or_default();
            lines.push_str(suffix);
            lines.push_str(":1\r\n");
        }
        list
    }
}

impl fmt::Debug for BreachedList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("BreachedList").field(&self.0.len()).finish()
    }
}

impl BreachedPasswords for BreachedList {
    fn range<'a>(&'a self, prefix: &'a str) -> BreachedRange<'a> {
        let lines = self.0.get(prefix).cloned().unwrap_or_default();
        Box::pin(async move { Ok(lines) })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::error::Error;

    /// Answers with these lines, and remembers what it was asked.
    #[derive(Debug)]
    struct Spy(Option<&'static str>, Mutex<Vec<String>>);

    impl BreachedPasswords for Spy {
        fn range<'a>(&'a self, prefix: &'a str) -> BreachedRange<'a> {
            self.1.lock().unwrap().push(prefix.to_owned());
            let answer = self.0.map(str::to_owned).ok_or_else(Error::unavailable);
            Box::pin(async move { answer })
        }
    }

    #[tokio::test]
    async fn tells_the_list_five_digits_and_no_more() {
        // Counted with sha1sum: 21BD1 2DC18 3F740 EE76F 27B78 EB39C 8AD97 2A757 is `P@ssw0rd`.
        let listed = "2DC183F740EE76F27B78EB39C8AD972A757:52579\r\n0018A45C4D1DEF81644B54AB7F969B88D65:1\r\n";
        let spy = Spy(Some(listed), Mutex::default());
        let refused = check(&spy, "P@ssw0rd").await.expect_err("it is listed");
        assert_eq!(refused.violations()[0].code, "breached");
        check(&spy, "another one").await.expect("it is not listed");
        let asked = spy.1.into_inner().unwrap();
        assert_eq!(asked[0], "21BD1");
        assert!(asked.iter().all(|prefix| prefix.len() == 5), "{asked:?}");
    }

    #[tokio::test]
    async fn does_not_take_padding_for_a_breach_nor_an_outage_for_an_answer() {
        let padded = Spy(
            Some("2DC183F740EE76F27B78EB39C8AD972A757:0\r\n"),
            Mutex::default(),
        );
        check(&padded, "P@ssw0rd").await.expect("padding");
        let away = Spy(None, Mutex::default());
        check(&away, "P@ssw0rd").await.expect("an outage");
    }

    #[tokio::test]
    async fn finds_its_own_passwords() {
        let list = BreachedList::of(["an old favourite", "another favourite"]);
        assert!(check(&list, "another favourite").await.is_err());
        assert!(check(&list, "Another favourite").await.is_ok());
        assert!(!format!("{list:?}").contains("favourite"));
    }
}
