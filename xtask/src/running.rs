//! A program that runs beside the checks: what it says is read along, Ctrl-C ends it, and it never outlives them.

use std::io::{self, BufRead, BufReader};
use std::net::TcpListener;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle, sleep};
use std::time::{Duration, Instant};

/// For a build on a busy machine.
const PATIENCE: Duration = Duration::from_secs(1200);
const DRAIN: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(50);

pub(crate) struct Running {
    child: Child,
    said: Arc<Mutex<String>>,
    reader: Option<JoinHandle<()>>,
}

impl Running {
    /// Starts it; its standard output is read, so it is the caller's to join the standard error to it.
    pub(crate) fn start(command: &mut Command) -> Result<Self, String> {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("cannot run {command:?}: {error}"))?;
        let said = Arc::new(Mutex::new(String::new()));
        let reader = child.stdout.take().map(|output| {
            let said = Arc::clone(&said);
            thread::spawn(move || {
                for line in BufReader::new(output).lines().map_while(Result::ok) {
                    let mut said = said.lock().unwrap_or_else(PoisonError::into_inner);
                    *said += &line;
                    said.push('\n');
                }
            })
        });
        Ok(Self {
            child,
            said,
            reader,
        })
    }

    /// Everything that it said so far.
    pub(crate) fn said(&self) -> String {
        self.said
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Waits until it said this, or ended: then its end is the answer.
    pub(crate) fn until(&mut self, sign: &str) -> Result<Option<ExitStatus>, String> {
        let until = Instant::now() + PATIENCE;
        loop {
            if self.said().contains(sign) {
                return Ok(None);
            }
            if let Some(status) = self.child.try_wait().map_err(told)? {
                self.read_to_the_end();
                return Ok(Some(status));
            }
            if Instant::now() > until {
                return Err(format!("it never said `{sign}`:\n{}", self.said()));
            }
            sleep(PAUSE);
        }
    }

    /// Ctrl-C, and then a clean end.
    pub(crate) fn interrupt(mut self) -> Result<(), String> {
        let id = self.child.id().to_string();
        let sent = Command::new("kill").args(["-INT", &id]).status();
        if !sent.map_err(told)?.success() {
            return Err(format!("it had ended by itself:\n{}", self.said()));
        }
        let until = Instant::now() + DRAIN;
        let status = loop {
            if let Some(status) = self.child.try_wait().map_err(told)? {
                break status;
            }
            if Instant::now() > until {
                return Err(format!("it did not end on Ctrl-C:\n{}", self.said()));
            }
            sleep(PAUSE);
        };
        self.read_to_the_end();
        if status.success() {
            Ok(())
        } else {
            Err(format!(
                "it ended on Ctrl-C with {status}:\n{}",
                self.said()
            ))
        }
    }

    fn read_to_the_end(&mut self) {
        if let Some(reader) = self.reader.take() {
            let _ = reader.join();
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A loopback port that nobody has at this moment.
pub(crate) fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

fn told(error: io::Error) -> String {
    format!("cannot watch a process: {error}")
}
