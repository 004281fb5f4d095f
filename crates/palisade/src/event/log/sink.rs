//! A bounded buffer of lines and the thread that writes it.

use std::io::Write;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Bytes that may wait; what comes beyond is dropped and counted.
const MOST: usize = 8 * 1024 * 1024;
/// Bytes that are worth a write at once.
const ENOUGH: usize = 64 * 1024;
/// How long a line may wait for others.
const LINGER: Duration = Duration::from_millis(100);
/// How long [`Sink::flush`] waits.
const PATIENCE: Duration = Duration::from_secs(2);

/// When a line is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Urgency {
    /// Together with others, within a tenth of a second.
    Soon,
    /// At once.
    Now,
}

/// Takes lines and never blocks.
pub(super) struct Sink(Arc<Shared>);

struct Shared {
    state: Mutex<State>,
    wake: Condvar,
    written: Condvar,
}

#[derive(Default)]
struct State {
    lines: Vec<u8>,
    urgent: bool,
    writing: bool,
    /// Dropped since the last line about that.
    unreported: u64,
    dropped: u64,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Sink {
    /// Starts the writing thread; `dropped` makes the line that tells of lost ones.
    pub(super) fn start(
        mut output: impl Write + Send + 'static,
        dropped: impl Fn(u64) -> Vec<u8> + Send + 'static,
    ) -> Self {
        let shared = Arc::new(Shared {
            state: Mutex::default(),
            wake: Condvar::new(),
            written: Condvar::new(),
        });
        let theirs = Arc::clone(&shared);
        let work = move || {
            let mut batch = Vec::new();
            loop {
                let lost = theirs.next(&mut batch);
                // A reader that went away is no reason to end.
                let _ = output.write_all(&batch);
                if lost > 0 {
                    let _ = output.write_all(&dropped(lost));
                }
                let _ = output.flush();
                batch.clear();
                theirs.state().writing = false;
                theirs.written.notify_all();
            }
        };
        // Without the thread lines wait, and are dropped and counted in the end: requests go on.
        let _ = std::thread::Builder::new()
            .name("palisade-log".to_owned())
            .spawn(work);
        Self(shared)
    }

    pub(super) fn write(&self, line: &[u8], urgency: Urgency) {
        let mut state = self.0.state();
        if state.lines.len() + line.len() > MOST {
            state.unreported += 1;
            state.dropped += 1;
            return;
        }
        let first = state.lines.is_empty();
        let before = state.lines.len();
        state.lines.extend_from_slice(line);
        state.urgent |= urgency == Urgency::Now;
        let full = before < ENOUGH && state.lines.len() >= ENOUGH;
        drop(state);
        if first || full || urgency == Urgency::Now {
            self.0.wake.notify_one();
        }
    }

    pub(super) fn dropped(&self) -> u64 {
        self.0.state().dropped
    }

    /// Waits until everything is written.
    pub(super) fn flush(&self) {
        let until = Instant::now() + PATIENCE;
        let mut state = self.0.state();
        state.urgent = true;
        self.0.wake.notify_one();
        while !state.lines.is_empty() || state.writing {
            let Some(left) = until.checked_duration_since(Instant::now()) else {
                return;
            };
            state = match self.0.written.wait_timeout(state, left) {
                Ok((state, _)) => state,
                Err(_) => return,
            };
        }
    }
}

impl Shared {
    /// Waits for lines, lets some gather, and swaps them into the empty `batch`; gives how many were dropped.
    fn next(&self, batch: &mut Vec<u8>) -> u64 {
        let mut state = self.state();
        while state.lines.is_empty() {
            state = self
                .wake
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
        let until = Instant::now() + LINGER;
        while !state.urgent
            && state.lines.len() < ENOUGH
            && let Some(left) = until.checked_duration_since(Instant::now())
        {
            state = self
                .wake
                .wait_timeout(state, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
        state.urgent = false;
        state.writing = true;
        std::mem::swap(&mut state.lines, batch);
        std::mem::take(&mut state.unreported)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An output that takes nothing until its gate is opened.
    #[derive(Clone, Default)]
    struct Gated(Arc<Gate>);

    #[derive(Default)]
    struct Gate {
        state: Mutex<(bool, Vec<u8>)>,
        changed: Condvar,
    }

    impl Gated {
        fn open(&self) {
            self.0.state.lock().unwrap().0 = true;
            self.0.changed.notify_all();
        }

        fn text(&self) -> String {
            String::from_utf8(self.0.state.lock().unwrap().1.clone()).unwrap()
        }
    }

    impl Write for Gated {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            let closed = self.0.state.lock().unwrap();
            let mut state = self.0.changed.wait_while(closed, |state| !state.0).unwrap();
            state.1.extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn keeps_the_order_and_loses_nothing_that_fits() {
        let output = Gated::default();
        output.open();
        let sink = Sink::start(output.clone(), |lost| format!("lost {lost}\n").into());
        for number in 0..1000 {
            sink.write(format!("{number}\n").as_bytes(), Urgency::Soon);
        }
        sink.flush();
        let expected: String = (0..1000).map(|number| format!("{number}\n")).collect();
        assert_eq!(output.text(), expected);
    }

    #[test]
    fn drops_and_counts_what_a_stuck_reader_leaves_no_room_for() {
        let output = Gated::default();
        let sink = Sink::start(output.clone(), |lost| format!("lost {lost}\n").into());
        sink.write(b"first\n", Urgency::Now);
        while !sink.0.state().writing {
            std::thread::yield_now();
        }
        let line = vec![b'x'; 1024 * 1024];
        let begun = Instant::now();
        for _ in 0..10 {
            sink.write(&line, Urgency::Soon);
        }
        assert!(begun.elapsed() < Duration::from_secs(10), "nobody waited");
        assert_eq!(sink.dropped(), 2);
        output.open();
        sink.flush();
        assert!(output.text().starts_with("first\n") && output.text().ends_with("lost 2\n"));
    }
}
