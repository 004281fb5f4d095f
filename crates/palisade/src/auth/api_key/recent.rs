//! Keys that were looked up a moment ago, so that a busy client costs no statement for each request.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use uuid::Uuid;

use super::live::Live;

/// Keys that are remembered at once: some 2 MiB.
const MOST: usize = 4096;

/// A table of bounded size.
///
/// # Security
/// Only keys that are there get in, so made-up ones push nothing out. It holds hashes, and each request's key is compared with them. What is
/// revoked in this process is forgotten at once; what another instance, or a hand in the database, revokes is seen when
/// `recheck_after` is over.
#[derive(Debug)]
pub(super) struct Recent {
    table: Mutex<Table>,
    recheck_after: Duration,
}

#[derive(Debug, Default)]
struct Table {
    keys: HashMap<Uuid, (Instant, Arc<Live>)>,
    /// Rises with everything that is forgotten.
    generation: u64,
}

impl Recent {
    pub(super) fn new(recheck_after: Duration) -> Self {
        Self {
            table: Mutex::default(),
            recheck_after,
        }
    }

    pub(super) fn find(&self, id: Uuid) -> Option<Arc<Live>> {
        let table = self.table();
        let (read, live) = table.keys.get(&id)?;
        (read.elapsed() < self.recheck_after).then(|| Arc::clone(live))
    }

    /// To be taken before the database is asked, and given to [`keep`](Self::keep) with its answer.
    pub(super) fn generation(&self) -> u64 {
        self.table().generation
    }

    /// Keeps what the database said, unless something was revoked since it was asked.
    pub(super) fn keep(&self, live: &Arc<Live>, generation: u64) {
        let mut table = self.table();
        if table.generation != generation || self.recheck_after.is_zero() {
            return;
        }
        let id = live.id().uuid();
        if table.keys.len() >= MOST && !table.keys.contains_key(&id) {
            let recheck_after = self.recheck_after;
            table
                .keys
                .retain(|_, (read, _)| read.elapsed() < recheck_after);
            if table.keys.len() >= MOST {
                table.keys.clear();
            }
        }
        table.keys.insert(id, (Instant::now(), Arc::clone(live)));
    }

    /// Forgets every key that this is true of; to be called when the database holds the change.
    pub(super) fn forget(&self, is_revoked: impl Fn(&Live) -> bool) {
        let mut table = self.table();
        table.generation += 1;
        table.keys.retain(|_, (_, live)| !is_revoked(live));
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::Id;

    fn live() -> Arc<Live> {
        Arc::new(Live::of(Id::new(), Id::new()))
    }

    #[test]
    fn forgets_what_is_revoked_and_keeps_nothing_that_was_read_before() {
        let recent = Recent::new(Duration::from_secs(60));
        let (one, two) = (live(), live());
        let is_kept = |live: &Live| recent.find(live.id().uuid()).is_some();
        for live in [&one, &two] {
            recent.keep(live, recent.generation());
            assert!(is_kept(live));
        }
        let read_before = recent.generation();
        recent.forget(|live| live.id() == one.id());
        assert!(!is_kept(&one) && is_kept(&two));
        recent.keep(&one, read_before);
        assert!(!is_kept(&one), "it was read before the revocation");
        recent.keep(&one, recent.generation());
        assert!(is_kept(&one));
    }

    #[test]
    fn asks_again_when_its_time_is_over() {
        let recent = Recent::new(Duration::ZERO);
        let one = live();
        recent.keep(&one, recent.generation());
        assert!(recent.find(one.id().uuid()).is_none());
    }

    #[test]
    fn stays_small_however_many_keys_are_used() {
        let recent = Recent::new(Duration::from_secs(60));
        for _ in 0..3 * MOST {
            let one = live();
            recent.keep(&one, recent.generation());
            assert!(recent.find(one.id().uuid()).is_some());
        }
        assert!(recent.table().keys.len() <= MOST);
    }
}
