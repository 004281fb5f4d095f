//! The service as a real process.

use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

pub(crate) struct Service {
    child: Child,
    pub(crate) url: String,
    said: Arc<Mutex<String>>,
    _folder: tempfile::TempDir,
}

impl Service {
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let key = palisade::secret::key::Key::generate_text();
        let port = free_port().to_string();
        let url = format!("http://localhost:{port}");
        let mut child = Command::new(env!("CARGO_BIN_EXE_accounts"))
            .current_dir(folder.path())
            .env_clear()
            .envs([
                ("PALISADE_ENV", "development"),
                ("DATABASE_URL", "sqlite:app.sqlite"),
                ("PALISADE_SECRET_KEY", key.expose()),
                ("PORT", &port),
                ("PALISADE_MAIL__LINK_BASE", &url),
            ])
            .stdout(Stdio::piped())
            .spawn()
            .expect("the program runs");
        let out = BufReader::new(child.stdout.take().expect("it is piped"));
        let said = Arc::new(Mutex::new(String::new()));
        let heard = Arc::clone(&said);
        std::thread::spawn(move || {
            for line in out.lines().map_while(Result::ok) {
                let mut said = heard.lock().expect("nobody panicked");
                said.push_str(&line);
                said.push('\n');
            }
        });
        let service = Self {
            child,
            url,
            said,
            _folder: folder,
        };
        service.said(|said| said.contains("listening on").then_some(()));
        service
    }

    /// Waits until what this finds was said on the terminal.
    pub(crate) fn said<T>(&self, find: impl Fn(&str) -> Option<T>) -> T {
        let begun = Instant::now();
        loop {
            let said = self.said.lock().expect("nobody panicked").clone();
            match find(&said) {
                Some(found) => return found,
                None => assert!(begun.elapsed() < Duration::from_secs(60), "{said}"),
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

/// Another one each time, below the ports that the system gives to outgoing connections, so that none of these takes it before the
/// service does.
fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let first = u16::try_from(std::process::id() % 1_000).unwrap_or_default();
    loop {
        let port = 18_000 + (first + NEXT.fetch_add(1, Ordering::Relaxed)) % 1_000;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
