//! Credentials that were found good a moment ago, and what their accounts were found to be: so that a busy client costs no
//! signature check and no statement for each request.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use blake2::Blake2bMac;
use blake2::digest::consts::U32;
use blake2::digest::{FixedOutput as _, KeyInit as _, Update as _};

use time::OffsetDateTime;

use crate::access::Factor;
use crate::input::Timestamp;
use crate::secret::key::Key;

const WAYS: usize = 4;
/// 4,096 places, some 400 KiB.
const SETS: usize = 1024;

/// A credential of one kind, as it was read.
pub(super) trait Credential: Copy + Send {
    /// When it is over by itself.
    fn ends(&self) -> OffsetDateTime;
}

/// A table of fixed size, keyed by a keyed hash of the credential's text: one for access tokens, one for sessions.
///
/// # Security
/// The key is made when the process starts and dies with it, as every rotation of the signing keys is a start. So the table holds no token, and
/// who cannot make the hash cannot aim at a place. What is revoked in this process is forgotten at once; what another instance, or a
/// hand in the database, revokes is seen when `recheck_after` is over.
pub(super) struct Verified<C> {
    sets: Box<[Mutex<Set<C>>]>,
    mac: Blake2bMac<U32>,
    recheck_after: Duration,
    /// Rises with everything that is forgotten.
    generation: AtomicU64,
}

type Set<C> = [Option<Entry<C>>; WAYS];

struct Entry<C> {
    hash: Hash,
    credential: C,
    standing: Standing,
    read: Instant,
}

/// The keyed hash of a credential.
pub(super) type Hash = [u8; 32];

/// What an account and its sign-in were found to be.
#[derive(Debug, Clone)]
pub(super) struct Standing {
    pub(super) permissions: Arc<[&'static str]>,
    /// When the person proved themselves.
    pub(super) authenticated_at: Timestamp,
    pub(super) factor: Factor,
}

/// What is known of a credential.
pub(super) enum Found<C> {
    /// Nothing: it is to be checked.
    Nothing,
    /// It is one of ours; whether it was revoked has to be asked.
    Ours(C),
    /// It is good, and its account may do this.
    Good(C, Standing),
}

impl<C> fmt::Debug for Verified<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Verified")
    }
}

impl<C: Credential> Verified<C> {
    pub(super) fn new(recheck_after: Duration) -> Self {
        let key = Key::generate();
        Self {
            sets: (0..SETS)
                .map(|_| Mutex::new([const { None }; WAYS]))
                .collect(),
            mac: Blake2bMac::new_from_slice(key.expose()).expect("32 bytes are a key for BLAKE2b"),
            recheck_after,
            generation: AtomicU64::new(0),
        }
    }

    pub(super) fn find(&self, text: &str) -> (Hash, Found<C>) {
        let mut mac = self.mac.clone();
        mac.update(text.as_bytes());
        let hash: Hash = mac.finalize_fixed().into();
        let set = self.set(&hash);
        let entry = set.iter().find(|place| is(place, &hash));
        let found = match entry.and_then(Option::as_ref) {
            Some(entry) if entry.credential.ends() < OffsetDateTime::now_utc() => Found::Nothing,
            Some(entry) if entry.read.elapsed() < self.recheck_after => {
                Found::Good(entry.credential, entry.standing.clone())
            }
            Some(entry) => Found::Ours(entry.credential),
            None => Found::Nothing,
        };
        drop(set);
        (hash, found)
    }

    /// To be taken before the database is asked, and given to [`keep`](Self::keep) with its answer.
    pub(super) fn generation(&self) -> u64 {
        self.generation.load(Ordering::SeqCst)
    }

    /// Keeps what the database said, unless something was revoked since it was asked.
    pub(super) fn keep(&self, hash: Hash, credential: C, standing: Standing, generation: u64) {
        let mut set = self.set(&hash);
        if self.generation() != generation {
            return;
        }
        let same = set.iter().position(|place| is(place, &hash));
        // An empty place, or that of what ends first.
        let at = same.or_else(|| {
            let ends = |at: &usize| set[*at].as_ref().map(|entry| entry.credential.ends());
            (0..WAYS).min_by_key(ends)
        });
        set[at.unwrap_or_default()] = Some(Entry {
            hash,
            credential,
            standing,
            read: Instant::now(),
        });
    }

    /// Forgets everything that this is true of; to be called when the database holds the change.
    pub(super) fn forget(&self, is_revoked: impl Fn(&C) -> bool) {
        // First this: who asked the database before the change keeps nothing from now on.
        self.generation.fetch_add(1, Ordering::SeqCst);
        for set in &self.sets {
            let mut set = set.lock().unwrap_or_else(PoisonError::into_inner);
            for place in set.iter_mut() {
                if place
                    .as_ref()
                    .is_some_and(|entry| is_revoked(&entry.credential))
                {
                    *place = None;
                }
            }
        }
    }

    fn set(&self, hash: &Hash) -> std::sync::MutexGuard<'_, Set<C>> {
        let number = usize::from(u16::from_le_bytes([hash[0], hash[1]])) % SETS;
        self.sets[number]
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

fn is<C>(place: &Option<Entry<C>>, hash: &Hash) -> bool {
    place.as_ref().is_some_and(|entry| entry.hash == *hash)
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::access::Id;
    use crate::auth::jwt::Checked;

    fn checked() -> Checked {
        Checked {
            account: Id::new(),
            family: Id::new(),
            jti: Uuid::now_v7(),
            expires: OffsetDateTime::now_utc() + Duration::from_secs(60),
        }
    }

    fn table(seconds: u64) -> Verified<Checked> {
        Verified::new(Duration::from_secs(seconds))
    }

    fn standing() -> Standing {
        Standing {
            permissions: ["x"].into(),
            authenticated_at: Timestamp::now(),
            factor: Factor::default(),
        }
    }

    fn keep(verified: &Verified<Checked>, token: &str, checked: Checked) {
        let (hash, _) = verified.find(token);
        verified.keep(hash, checked, standing(), verified.generation());
    }

    fn is_good(verified: &Verified<Checked>, token: &str) -> bool {
        matches!(verified.find(token).1, Found::Good(..))
    }

    #[test]
    fn knows_a_token_again_and_no_other() {
        let verified = table(60);
        let one = checked();
        keep(&verified, "one", one);
        let (_, Found::Good(found, standing)) = verified.find("one") else {
            panic!("it was kept");
        };
        assert_eq!((found.jti, standing.permissions[0]), (one.jti, "x"));
        assert!(!is_good(&verified, "onf") && !is_good(&verified, "one "));
        assert!(!is_good(&table(60), "one"));
    }

    #[test]
    fn asks_again_when_its_time_is_over_and_forgets_a_token_whose_own_is() {
        let verified = table(0);
        keep(&verified, "one", checked());
        assert!(matches!(verified.find("one").1, Found::Ours(_)));
        let expires = OffsetDateTime::now_utc() - Duration::from_secs(6);
        keep(
            &verified,
            "two",
            Checked {
                expires,
                ..checked()
            },
        );
        assert!(matches!(verified.find("two").1, Found::Nothing));
    }

    #[test]
    fn forgets_what_is_revoked_and_keeps_nothing_that_was_read_before() {
        let verified = table(60);
        let (one, two) = (checked(), checked());
        keep(&verified, "one", one);
        keep(&verified, "two", two);
        let read_before = verified.generation();
        verified.forget(|checked| checked.account == one.account);
        assert!(!is_good(&verified, "one") && is_good(&verified, "two"));
        let (hash, _) = verified.find("one");
        verified.keep(hash, one, standing(), read_before);
        assert!(
            !is_good(&verified, "one"),
            "it was read before the revocation"
        );
    }

    #[test]
    fn stays_as_small_as_it_is_under_a_flood_of_tokens() {
        let verified = table(60);
        for number in 0..50_000 {
            keep(&verified, &format!("token {number}"), checked());
        }
        let kept: usize = verified
            .sets
            .iter()
            .map(|set| set.lock().unwrap().iter().flatten().count())
            .sum();
        assert!(kept <= SETS * WAYS && kept > SETS);
    }
}
