//! Tokens whose signature was verified already, and what their accounts were found to be: so that a busy client costs no
//! signature check and no statement for each request.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use blake2::Blake2bMac;
use blake2::digest::consts::U32;
use blake2::digest::{FixedOutput as _, KeyInit as _, Update as _};

use super::Checked;
use crate::input::Timestamp;
use crate::secret::key::Key;

const WAYS: usize = 4;
/// 4,096 places, some 400 KiB.
const SETS: usize = 1024;

/// A table of fixed size, keyed by a keyed hash of the token.
///
/// # Security
/// The key is made when the process starts and dies with it, as every rotation of the signing keys is a start. So the table holds no token, and
/// who cannot make the hash cannot aim at a place. What is revoked in this process is forgotten at once; what another instance, or a
/// hand in the database, revokes is seen when `recheck_after` is over.
pub(in crate::auth) struct Verified {
    sets: Box<[Mutex<Set>]>,
    mac: Blake2bMac<U32>,
    recheck_after: Duration,
    /// Rises with everything that is forgotten.
    generation: AtomicU64,
}

type Set = [Option<Entry>; WAYS];

struct Entry {
    hash: Hash,
    checked: Checked,
    standing: Standing,
    read: Instant,
}

/// The keyed hash of a token.
pub(in crate::auth) type Hash = [u8; 32];

/// What an account and its sign-in were found to be.
#[derive(Debug, Clone)]
pub(in crate::auth) struct Standing {
    pub(in crate::auth) permissions: Arc<[&'static str]>,
    /// When the person proved himself.
    pub(in crate::auth) authenticated_at: Timestamp,
}

/// What is known of a token.
pub(in crate::auth) enum Found {
    /// Nothing: it is to be checked.
    Nothing,
    /// It is one of ours; whether it was revoked has to be asked.
    Signed(Checked),
    /// It is good, and its account may do this.
    Good(Checked, Standing),
}

impl fmt::Debug for Verified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Verified")
    }
}

impl Verified {
    pub(in crate::auth) fn new(recheck_after: Duration) -> Self {
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

    pub(in crate::auth) fn find(&self, token: &str) -> (Hash, Found) {
        let mut mac = self.mac.clone();
        mac.update(token.as_bytes());
        let hash: Hash = mac.finalize_fixed().into();
        let set = self.set(&hash);
        let entry = set.iter().find(|place| is(place, &hash));
        let found = match entry.and_then(Option::as_ref) {
            Some(entry) if entry.checked.is_over() => Found::Nothing,
            Some(entry) if entry.read.elapsed() < self.recheck_after => {
                Found::Good(entry.checked, entry.standing.clone())
            }
            Some(entry) => Found::Signed(entry.checked),
            None => Found::Nothing,
        };
        drop(set);
        (hash, found)
    }

    /// To be taken before the database is asked, and given to [`keep`](Self::keep) with its answer.
    pub(in crate::auth) fn generation(&self) -> u64 {
        self.generation.load(Ordering::SeqCst)
    }

    /// Keeps what the database said, unless something was revoked since it was asked.
    pub(in crate::auth) fn keep(
        &self,
        hash: Hash,
        checked: Checked,
        standing: Standing,
        generation: u64,
    ) {
        let mut set = self.set(&hash);
        if self.generation() != generation {
            return;
        }
        let same = set.iter().position(|place| is(place, &hash));
        // An empty place, or that of the token that ends first.
        let at = same.or_else(|| {
            let ends = |at: &usize| set[*at].as_ref().map(|entry| entry.checked.expires);
            (0..WAYS).min_by_key(ends)
        });
        set[at.unwrap_or_default()] = Some(Entry {
            hash,
            checked,
            standing,
            read: Instant::now(),
        });
    }

    /// Forgets every token that this is true of; to be called when the database holds the change.
    pub(in crate::auth) fn forget(&self, is_revoked: impl Fn(&Checked) -> bool) {
        // First this: who asked the database before the change keeps nothing from now on.
        self.generation.fetch_add(1, Ordering::SeqCst);
        for set in &self.sets {
            let mut set = set.lock().unwrap_or_else(PoisonError::into_inner);
            for place in set.iter_mut() {
                if place
                    .as_ref()
                    .is_some_and(|entry| is_revoked(&entry.checked))
                {
                    *place = None;
                }
            }
        }
    }

    fn set(&self, hash: &Hash) -> std::sync::MutexGuard<'_, Set> {
        let number = usize::from(u16::from_le_bytes([hash[0], hash[1]])) % SETS;
        self.sets[number]
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

fn is(place: &Option<Entry>, hash: &Hash) -> bool {
    place.as_ref().is_some_and(|entry| entry.hash == *hash)
}

#[cfg(test)]
mod tests {
    use time::OffsetDateTime;
    use uuid::Uuid;

    use super::*;
    use crate::access::Id;

    fn checked() -> Checked {
        Checked {
            account: Id::new(),
            family: Id::new(),
            jti: Uuid::now_v7(),
            expires: OffsetDateTime::now_utc() + Duration::from_secs(60),
        }
    }

    fn standing() -> Standing {
        Standing {
            permissions: ["x"].into(),
            authenticated_at: Timestamp::now(),
        }
    }

    fn keep(verified: &Verified, token: &str, checked: Checked) {
        let (hash, _) = verified.find(token);
        verified.keep(hash, checked, standing(), verified.generation());
    }

    fn is_good(verified: &Verified, token: &str) -> bool {
        matches!(verified.find(token).1, Found::Good(..))
    }

    #[test]
    fn knows_a_token_again_and_no_other() {
        let verified = Verified::new(Duration::from_secs(60));
        let one = checked();
        keep(&verified, "one", one);
        let (_, Found::Good(found, standing)) = verified.find("one") else {
            panic!("it was kept");
        };
        assert_eq!((found.jti, standing.permissions[0]), (one.jti, "x"));
        assert!(!is_good(&verified, "onf") && !is_good(&verified, "one "));
        assert!(!is_good(&Verified::new(Duration::from_secs(60)), "one"));
    }

    #[test]
    fn asks_again_when_its_time_is_over_and_forgets_a_token_whose_own_is() {
        let verified = Verified::new(Duration::ZERO);
        keep(&verified, "one", checked());
        assert!(matches!(verified.find("one").1, Found::Signed(_)));
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
        let verified = Verified::new(Duration::from_secs(60));
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
        let verified = Verified::new(Duration::from_secs(60));
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
