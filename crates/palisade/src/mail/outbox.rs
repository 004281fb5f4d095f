//! The outbox: mail waits here, a bounded number of it, and is sent beside the requests.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, Semaphore};
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::{Mail, MailError, Mailer};
use crate::error::Result;
use crate::event::{Event, RequestContext};
use crate::input::{Argument, Incoming};

/// Mails that may wait.
const PLACES: usize = 1000;
/// Mails that are handed over at the same time.
const AT_ONCE: usize = 4;
/// How long one hand-over may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long a mail waits after each try that failed; after the last it is given up.
const WAITS: [Duration; 5] = [
    Duration::from_secs(1),
    Duration::from_secs(5),
    Duration::from_secs(30),
    Duration::from_secs(120),
    Duration::from_secs(300),
];

/// Takes mail and sends it in its own time; a handler takes it as an argument.
///
/// What cannot be handed over is tried again for some minutes. 1,000 mails may wait, in memory: what comes beyond, what is given up, and
/// what is still waiting when the service ends raises `mail_failed`.
///
/// # Security
/// [`post`](Self::post) never waits, so the time of a request does not tell whether it caused a mail. A process that is killed loses what waits.
///
/// # Example
/// ```
/// use palisade::mail::{Letter, Mail, Outbox};
/// use palisade::prelude::*;
///
/// #[input]
/// struct Invitation { to: Email }
///
/// #[post("/invitations", limit = "10/h")]
/// async fn invite(_: SignedIn, outbox: Outbox, Json(given): Json<Invitation>) -> Result<NoContent> {
///     outbox.post(Mail::new(given.to, Letter::new("You are invited", "Come and see: https://app.example.org")));
///     Ok(NoContent)
/// }
/// ```
#[derive(Debug, Clone)]
pub struct Outbox(Arc<Inner>);

struct Inner {
    mailer: Option<Arc<dyn Mailer>>,
    places: Arc<Semaphore>,
    turns: Semaphore,
    tasks: Mutex<JoinSet<()>>,
    ending: AtomicBool,
    ended: Notify,
}

impl fmt::Debug for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outbox")
            .field("mailer", &self.mailer)
            .finish_non_exhaustive()
    }
}

impl Argument for Outbox {
    const WRITES: bool = true;

    async fn take(incoming: &mut Incoming) -> Result<Self> {
        incoming.own()
    }
}

impl Outbox {
    /// One that sends by this mailer; by `None` nothing leaves.
    #[must_use]
    pub fn new(mailer: Option<Arc<dyn Mailer>>) -> Self {
        Self(Arc::new(Inner {
            mailer,
            places: Arc::new(Semaphore::new(PLACES)),
            turns: Semaphore::new(AT_ONCE),
            tasks: Mutex::default(),
            ending: AtomicBool::new(false),
            ended: Notify::new(),
        }))
    }

    /// Whether anything can leave.
    #[must_use]
    pub fn sends(&self) -> bool {
        self.0.mailer.is_some()
    }

    /// Takes a mail, to be sent later; what becomes of it is told by events.
    pub fn post(&self, mail: Mail) {
        self.put(mail, true);
    }

    /// Does what [`post`](Self::post) does, and sends nothing: so that who has no account costs what others cost.
    pub(crate) fn pretend(&self, mail: Mail) {
        self.put(mail, false);
    }

    fn put(&self, mail: Mail, send: bool) {
        let failed = |reason| Event::MailFailed { reason }.emit();
        if !self.sends() {
            return failed("no_mailer");
        }
        let Ok(place) = Arc::clone(&self.0.places).try_acquire_owned() else {
            return failed("queue_full");
        };
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            return failed("no_runtime");
        };
        let inner = Arc::clone(&self.0);
        let context = RequestContext::current();
        let mut tasks = self.0.tasks();
        while let Some(outcome) = tasks.try_join_next() {
            told(outcome);
        }
        let work = async move {
            let outcome = match send {
                true => inner.deliver(&mail).await,
                false => Ok(()),
            };
            drop(place);
            let Err(reason) = outcome else { return };
            // The request that it belongs to is told with it.
            match context {
                Some(context) => context.enter(|| Event::MailFailed { reason }.emit()),
                None => Event::MailFailed { reason }.emit(),
            }
        };
        tasks.spawn_on(work, &runtime);
    }

    /// Tries what waits once more, and gives up what is not sent by then.
    pub(crate) async fn close(&self, within: Duration) {
        self.0.ending.store(true, Ordering::Relaxed);
        self.0.ended.notify_waiters();
        let mut tasks = std::mem::take(&mut *self.0.tasks());
        let all = async {
            while let Some(outcome) = tasks.join_next().await {
                told(outcome);
            }
        };
        let _ = timeout(within, all).await;
        for _ in 0..tasks.len() {
            Event::MailFailed { reason: "shutdown" }.emit();
        }
    }
}

/// A mailer of the app may panic; its mail is lost then, and nothing else.
fn told(outcome: std::result::Result<(), tokio::task::JoinError>) {
    if outcome.is_err_and(|error| error.is_panic()) {
        Event::MailFailed { reason: "crashed" }.emit();
    }
}

impl Inner {
    fn tasks(&self) -> MutexGuard<'_, JoinSet<()>> {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hands it over, now or later.
    async fn deliver(&self, mail: &Mail) -> std::result::Result<(), &'static str> {
        let mut reason = "unreachable";
        for wait in WAITS.into_iter().map(Some).chain([None]) {
            let last = self.ending.load(Ordering::Relaxed);
            match self.hand_over(mail).await {
                Ok(()) => return Ok(()),
                Err(Some(MailError::Refused(cause))) => {
                    tracing::warn!(?cause, "a mail was refused");
                    return Err("refused");
                }
                Err(Some(MailError::Later(cause))) => {
                    tracing::warn!(?cause, "a mail could not be handed over for now");
                }
                Err(None) => {
                    tracing::warn!("a mail was not handed over in time");
                    reason = "timed_out";
                }
            }
            let Some(wait) = wait.filter(|_| !last) else {
                break;
            };
            let ended = self.ended.notified();
            if !self.ending.load(Ordering::Relaxed) {
                let _ = timeout(wait, ended).await;
            }
        }
        Err(reason)
    }

    async fn hand_over(&self, mail: &Mail) -> std::result::Result<(), Option<MailError>> {
        let (Some(mailer), Ok(_turn)) = (&self.mailer, self.turns.acquire().await) else {
            return Ok(());
        };
        let outcome = timeout(PATIENCE, mailer.send(mail)).await;
        outcome.map_err(|_| None)?.map_err(Some)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::metrics::count_of;
    use crate::input::Email;
    use crate::mail::{Letter, Sending};

    /// Never hands anything over.
    #[derive(Debug)]
    struct Stuck;

    impl Mailer for Stuck {
        fn send<'a>(&'a self, _: &'a Mail) -> Sending<'a> {
            Box::pin(std::future::pending())
        }
    }

    #[derive(Debug)]
    struct Panicking;

    impl Mailer for Panicking {
        fn send<'a>(&'a self, _: &'a Mail) -> Sending<'a> {
            Box::pin(async { panic!("a fault of the app's") })
        }
    }

    fn mail() -> Mail {
        Mail::new(
            Email::parse("ann@example.org").unwrap(),
            Letter::new("subject", "body"),
        )
    }

    fn failed() -> u64 {
        count_of(&Event::MailFailed { reason: "" })
    }

    // One test, since the counts are the process's.
    #[tokio::test]
    async fn holds_no_more_than_it_has_places_for_and_ends_in_time() {
        let before = failed();
        let stuck = Outbox::new(Some(Arc::new(Stuck)));
        for _ in 0..PLACES + 50 {
            stuck.post(mail());
        }
        assert_eq!(stuck.0.tasks().len(), PLACES);
        assert_eq!(failed() - before, 50, "each that found no place");
        stuck.close(Duration::from_millis(50)).await;
        assert_eq!(
            failed() - before,
            50 + PLACES as u64,
            "each that was not sent"
        );

        let panicking = Outbox::new(Some(Arc::new(Panicking)));
        panicking.post(mail());
        panicking.close(Duration::from_secs(30)).await;
        Outbox::new(None).post(mail());
        assert_eq!(failed() - before, 52 + PLACES as u64);
        assert_eq!(panicking.0.places.available_permits(), PLACES);
    }
}
