//! Passwords: accepted when they are hard to guess, hashed by Argon2id away from the async threads, a bounded number at a time.
//!
//! Follows NIST SP 800-63B-4, section 3.1.1, OWASP ASVS 5.0, sections 6.2 and 11.4, and OWASP's Password Storage Cheat Sheet.

mod breach;
mod hash;
#[cfg(feature = "import-passwords")]
mod import;
mod pepper;
mod strength;
mod turns;

use std::sync::{Arc, OnceLock};

use crate::config::AuthConfig;
use crate::error::{Error, Result};
use crate::input::Password;
use crate::secret::token::Token;

pub use breach::{BreachedList, BreachedPasswords, BreachedRange};
pub use hash::PasswordHash;
pub(super) use pepper::PepperId;
pub(super) use turns::Place;

use hash::Hasher;
use strength::Strength;
use turns::Turns;

/// Accepts, hashes and verifies passwords.
///
/// # Security
/// Argon2id with OWASP's parameters or above, and with the pepper, when there is one. A bounded number runs at once and a bounded number waits,
/// so that a flood of sign-ins can take neither all memory nor all processors; what finds no place is answered 503. An unknown
/// account costs the same work as a known one.
///
/// # Example
/// ```
/// use palisade::auth::{Passwords, Verdict};
/// use palisade::config::{self, Sources};
/// use palisade::input::Password;
///
/// # let key = palisade::secret::key::Key::generate_text();
/// # let sources = Sources::new("/nowhere", [
/// #     ("PALISADE_ENV", "development"), ("DATABASE_URL", "sqlite:x"), ("PALISADE_SECRET_KEY", key.expose()),
/// # ]);
/// # let config = config::load::<()>(&sources).config.unwrap();
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// let passwords = Passwords::new(&config.auth)?;
/// let typed = || Password::parse("correct horse battery").unwrap();
/// let hash = passwords.accept(typed(), &["ann@example.org"]).await?;
/// assert!(matches!(passwords.verify(typed(), Some(hash)).await?, Verdict::Right));
/// # Ok::<_, palisade::Error>(())
/// # }).unwrap();
/// ```
#[derive(Debug, Clone)]
pub struct Passwords(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    hasher: Hasher,
    turns: Turns,
    strength: Strength,
    breached: Option<Arc<dyn BreachedPasswords>>,
    /// The hash of a password that nobody knows, for accounts that are not there; made when the first password is verified.
    decoy: OnceLock<PasswordHash>,
}

/// What a verified password is.
#[derive(Debug)]
#[must_use = "a verdict that nobody looks at lets everybody in"]
pub enum Verdict {
    /// Not the one that was hashed, or there is no account.
    Wrong,
    /// The one that was hashed.
    Right,
    /// The one that was hashed, but not as it would be today: store this hash in place of the old one.
    Outdated(PasswordHash),
}

impl Passwords {
    /// Makes ready, and starts the threads that hash.
    ///
    /// # Errors
    /// When the machine gives no thread.
    pub fn new(config: &AuthConfig) -> Result<Self> {
        Ok(Self(Arc::new(Inner {
            turns: Turns::new(config)?,
            strength: Strength::new(config),
            hasher: Hasher::new(config),
            breached: None,
            decoy: OnceLock::new(),
        })))
    }

    /// Also asks this list of breached passwords before it accepts one.
    #[must_use]
    pub fn with_breached(self, list: Arc<dyn BreachedPasswords>) -> Self {
        let Inner {
            hasher,
            turns,
            strength,
            ..
        } = &*self.0;
        Self(Arc::new(Inner {
            hasher: hasher.clone(),
            turns: turns.clone(),
            strength: strength.clone(),
            breached: Some(list),
            decoy: OnceLock::new(),
        }))
    }

    /// The hash to store of a new password; `own` are words of the account, such as its address.
    ///
    /// # Errors
    /// 422 when it is common, breached or easy to guess, 503 when too many hashes are waiting.
    pub async fn accept(&self, password: Password, own: &[&str]) -> Result<PasswordHash> {
        let place = self.enter()?;
        if let Some(list) = &self.0.breached {
            breach::check(&**list, password.expose()).await?;
        }
        let own: Vec<String> = own.iter().map(|word| (*word).to_owned()).collect();
        let inner = Arc::clone(&self.0);
        let work = move || {
            inner.strength.check(password.expose(), &own)?;
            inner.hasher.hash(password.expose())
        };
        self.0.turns.take(place, work).await
    }

    /// Whether the password is the one that was hashed; `None` is an account that is not there, at the same cost.
    ///
    /// # Errors
    /// 503 when too many hashes are waiting.
    ///
    /// # Security
    /// A hash that was made with lower parameters, or by another system, takes its own time until its account has signed in once:
    /// until then its time differs from an unknown account's.
    pub async fn verify(&self, password: Password, hash: Option<PasswordHash>) -> Result<Verdict> {
        self.verify_in(self.enter()?, password, hash).await
    }

    /// A place among those that hash and those that wait, before anything else is done for a request.
    pub(super) fn enter(&self) -> Result<Place> {
        self.0.turns.enter()
    }

    pub(super) async fn verify_in(
        &self,
        place: Place,
        password: Password,
        hash: Option<PasswordHash>,
    ) -> Result<Verdict> {
        let inner = Arc::clone(&self.0);
        let work = move || {
            let hasher = &inner.hasher;
            // In every case, so that the first time tells nothing either.
            let decoy = inner.decoy()?;
            let Some(hash) = hash.filter(|hash| hasher.can_read(hash)) else {
                let _ = hasher.verify(password.expose(), decoy);
                return Ok(Verdict::Wrong);
            };
            if !hasher.verify(password.expose(), &hash) {
                return Ok(Verdict::Wrong);
            }
            if hasher.is_current(&hash) {
                return Ok(Verdict::Right);
            }
            hasher.hash(password.expose()).map(Verdict::Outdated)
        };
        self.0.turns.take(place, work).await
    }

    /// The peppers that hashes may be made with; a hash of another one cannot be verified.
    pub(super) fn peppers(&self) -> Vec<PepperId> {
        self.0.hasher.peppers.ids()
    }
}

impl Inner {
    fn decoy(&self) -> Result<&PasswordHash> {
        if self.decoy.get().is_none() {
            let nobody_knows = Token::new();
            let _ = self.decoy.set(self.hasher.hash(nobody_knows.expose())?);
        }
        self.decoy.get().ok_or_else(Error::internal)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{self, Sources};
    use crate::secret::key::Key;

    fn config(extra: &[(&str, &str)]) -> AuthConfig {
        let key = Key::generate_text();
        let fixed = [
            ("PALISADE_ENV", "development"),
            ("DATABASE_URL", "sqlite:x"),
            ("PALISADE_SECRET_KEY", key.expose()),
        ];
        let sources = Sources::new("/nowhere", fixed.iter().chain(extra).copied());
        let loaded = config::load::<()>(&sources).finish();
        loaded
            .map_err(|refusal| refusal.to_string())
            .unwrap()
            .0
            .auth
    }

    fn passwords(extra: &[(&str, &str)]) -> Passwords {
        Passwords::new(&config(extra)).unwrap()
    }

    fn typed(text: &str) -> Password {
        Password::parse(text).unwrap()
    }

    const GOOD: &str = "three unrelated words";

    #[tokio::test]
    async fn hashes_with_owasps_parameters_and_a_salt_each() {
        let passwords = passwords(&[]);
        let hash = passwords.accept(typed(GOOD), &[]).await.unwrap();
        let text = hash.text();
        assert!(
            text.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
            "{text}"
        );
        let again = passwords.accept(typed(GOOD), &[]).await.unwrap();
        assert_ne!(text, again.text());
        assert!(matches!(
            passwords.verify(typed(GOOD), Some(hash)).await.unwrap(),
            Verdict::Right
        ));
        let wrong = passwords
            .verify(typed("three unrelated words!"), Some(again))
            .await
            .unwrap();
        assert!(matches!(wrong, Verdict::Wrong));
        assert!(matches!(
            passwords.verify(typed(GOOD), None).await.unwrap(),
            Verdict::Wrong
        ));
        let unusable = PasswordHash::of_column("!");
        assert!(matches!(
            passwords.verify(typed(GOOD), Some(unusable)).await.unwrap(),
            Verdict::Wrong
        ));
    }

    #[tokio::test]
    async fn hashes_anew_when_the_parameters_rose_and_not_when_they_fell() {
        let before = passwords(&[]);
        let after = passwords(&[
            ("PALISADE_AUTH__PASSWORD_PASSES", "3"),
            ("PALISADE_AUTH__PASSWORD_MEMORY", "20 MiB"),
        ]);
        let old = before.accept(typed(GOOD), &[]).await.unwrap();
        let Verdict::Outdated(new) = after.verify(typed(GOOD), Some(old.clone())).await.unwrap()
        else {
            panic!("the parameters rose");
        };
        assert!(
            new.text().starts_with("$argon2id$v=19$m=20480,t=3,p=1$"),
            "{}",
            new.text()
        );
        assert!(matches!(
            before.verify(typed(GOOD), Some(new)).await.unwrap(),
            Verdict::Right
        ));
        let wrong = after
            .verify(typed("four unrelated words"), Some(old))
            .await
            .unwrap();
        assert!(
            matches!(wrong, Verdict::Wrong),
            "only the right password is hashed anew"
        );
    }

    #[tokio::test]
    async fn takes_a_pepper_up_rotates_it_and_cannot_do_without() {
        let (one, two) = (Key::generate_text(), Key::generate_text());
        let (one, two) = (one.expose().as_str(), two.expose().as_str());
        let bare = passwords(&[]);
        let first = passwords(&[("PALISADE_AUTH__PEPPER", one)]);
        let both = passwords(&[
            ("PALISADE_AUTH__PEPPER", two),
            ("PALISADE_AUTH__PEPPER_PREVIOUS", one),
        ]);
        let second = passwords(&[("PALISADE_AUTH__PEPPER", two)]);
        let plain = bare.accept(typed(GOOD), &[]).await.unwrap();
        let Verdict::Outdated(peppered) = first.verify(typed(GOOD), Some(plain)).await.unwrap()
        else {
            panic!("it has no pepper yet");
        };
        assert!(
            peppered
                .text()
                .contains(&format!(",keyid={}$", first.peppers()[0])),
            "{}",
            peppered.text()
        );
        assert!(matches!(
            first
                .verify(typed(GOOD), Some(peppered.clone()))
                .await
                .unwrap(),
            Verdict::Right
        ));
        for without in [&bare, &second] {
            let verdict = without
                .verify(typed(GOOD), Some(peppered.clone()))
                .await
                .unwrap();
            assert!(matches!(verdict, Verdict::Wrong));
        }
        let Verdict::Outdated(rotated) = both.verify(typed(GOOD), Some(peppered)).await.unwrap()
        else {
            panic!("its pepper is the one before");
        };
        assert!(matches!(
            second.verify(typed(GOOD), Some(rotated)).await.unwrap(),
            Verdict::Right
        ));
    }

    #[tokio::test]
    async fn refuses_common_weak_own_and_breached_passwords() {
        let list = BreachedList::of(["seven breached silver spoons"]);
        let passwords = passwords(&[]).with_breached(Arc::new(list));
        let code = async |text: &str| {
            let refused = passwords
                .accept(typed(text), &["annabel.lee@example.org"])
                .await;
            refused
                .err()
                .map(|error| error.violations()[0].code.to_string())
        };
        assert_eq!(code("password1").await.as_deref(), Some("too_common"));
        assert_eq!(code("annabel.lee").await.as_deref(), Some("too_weak"));
        assert_eq!(
            code("seven breached silver spoons").await.as_deref(),
            Some("breached")
        );
        assert_eq!(code("seven other silver spoons").await, None);
    }

    #[cfg(feature = "import-passwords")]
    #[tokio::test]
    async fn hashes_an_imported_password_anew() {
        let passwords = passwords(&[]);
        let old = "$2b$05$abcdefghijklmnopqrstuu3JgwjVpvICm0WBx/KCD2Txrbr.XoE5m";
        let old = || Some(PasswordHash::of_column(old));
        let Verdict::Outdated(new) = passwords
            .verify(typed("an old password"), old())
            .await
            .unwrap()
        else {
            panic!("it is of another system");
        };
        assert!(new.text().starts_with("$argon2id$"));
        assert!(matches!(
            passwords
                .verify(typed("an old passwore"), old())
                .await
                .unwrap(),
            Verdict::Wrong
        ));
    }

    #[tokio::test]
    async fn reads_the_argon2_of_django_and_no_argon2_out_of_bounds() {
        let passwords = passwords(&[]);
        let hash = passwords.accept(typed(GOOD), &[]).await.unwrap();
        let django = PasswordHash::of_column(&format!("argon2{}", hash.text()));
        assert!(matches!(
            passwords.verify(typed(GOOD), Some(django)).await.unwrap(),
            Verdict::Right
        ));
        for other in [
            ("m=19456", "m=4194304"),
            ("t=2", "t=100000"),
            ("argon2id", "argon2i"),
            ("v=19", "v=16"),
        ] {
            let hash = PasswordHash::of_column(&hash.text().replace(other.0, other.1));
            assert!(
                matches!(
                    passwords.verify(typed(GOOD), Some(hash)).await.unwrap(),
                    Verdict::Wrong
                ),
                "{other:?}"
            );
        }
    }
}
