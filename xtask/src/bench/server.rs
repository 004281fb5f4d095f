//! A server's place on this machine: its program, its data, its token; and the server while it runs.

use std::collections::hash_map::RandomState;
use std::fs::{self, File};
use std::hash::BuildHasher;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::{available_parallelism, sleep};
use std::time::{Duration, Instant};

use super::peer::{Kind, Peer};
use super::probe::{self, Client};
use super::told;
use crate::running::free_port;

pub(super) const ORIGIN: &str = "https://app.example.org";
/// Under callgrind everything takes fifty times as long.
const PATIENCE: Duration = Duration::from_secs(300);
const DRAIN: Duration = Duration::from_secs(60);

pub(super) struct Place {
    pub(super) peer: Peer,
    pub(super) folder: PathBuf,
    pub(super) token: String,
    program: Vec<PathBuf>,
    secret: String,
}

impl Place {
    /// Builds the server, fills its database, and asks whether it does what it claims.
    pub(super) fn prepare(root: &Path, peer: Peer, folder: &Path) -> Result<Option<Self>, String> {
        let Some(program) = peer.build(root)? else {
            return Ok(None);
        };
        let folder = folder.join(peer.name);
        fs::create_dir(&folder).map_err(told("a folder"))?;
        let mut place = Self {
            peer,
            folder,
            token: String::new(),
            program,
            secret: secret(),
        };
        let made = place.command(&[], 1).arg("migrate").output();
        let made = made.map_err(told("the data"))?;
        if !made.status.success() {
            let said = String::from_utf8_lossy(&made.stderr).into_owned();
            return Err(format!("{}: cannot make its data: {said}", peer.name));
        }
        let server = place.start(&[])?;
        place.token = place.new_token(&server)?;
        probe::everything(&place, &server)?;
        server.stop()?;
        Ok(Some(place))
    }

    /// Another token of the same account.
    pub(super) fn new_token(&self, server: &Server) -> Result<String, String> {
        if self.peer.kind == Kind::Palisade {
            return probe::sign_in(&server.client());
        }
        let printed = self.command(&[], 1).arg("token").output();
        let printed = printed.map_err(told("a token"))?.stdout;
        Ok(String::from_utf8_lossy(&printed).trim().to_owned())
    }

    /// Starts it, inside another program where one is named, and waits for its first answer.
    pub(super) fn start(&self, wrapper: &[&str]) -> Result<Server, String> {
        let port = free_port().map_err(told("a port"))?;
        let log = self.folder.join("log");
        let output = File::create(&log).map_err(told("a log"))?;
        let complaints = output.try_clone().map_err(told("a log"))?;
        let begun = Instant::now();
        let mut server = Server {
            child: self
                .command(wrapper, port)
                .stdin(Stdio::null())
                .stdout(output)
                .stderr(complaints)
                .spawn()
                .map_err(told(self.peer.name))?,
            port,
            log,
            answered_after: Duration::ZERO,
        };
        let client = server.client();
        while client.get("/health", &[]).map(|answer| answer.status) != Ok(200) {
            if let Ok(Some(status)) = server.child.try_wait() {
                let said = server.log();
                return Err(format!("{}: ended with {status}:\n{said}", self.peer.name));
            }
            if begun.elapsed() > PATIENCE {
                return Err(format!("{}: never answered", self.peer.name));
            }
            sleep(Duration::from_millis(1));
        }
        server.answered_after = begun.elapsed();
        Ok(server)
    }

    /// On the first core, where there is another one for the client; with one worker, so that there is nothing to steal.
    fn command(&self, wrapper: &[&str], port: u16) -> Command {
        let mut words: Vec<PathBuf> = pinned(0).iter().map(PathBuf::from).collect();
        words.extend(wrapper.iter().map(PathBuf::from));
        words.extend(self.program.iter().cloned());
        let mut command = Command::new(&words[0]);
        let database = self.folder.join("bench.sqlite");
        command
            .args(&words[1..])
            .current_dir(&self.folder)
            .env("TOKIO_WORKER_THREADS", "1")
            .env("NODE_ENV", "production")
            .env("PORT", port.to_string())
            .env("DATABASE", &database)
            .env("SECRET", &self.secret)
            .env("DATABASE_URL", format!("sqlite:{}", database.display()))
            .env("PALISADE_ENV", "production")
            .env("PALISADE_SECRET_KEY", &self.secret)
            .env("PALISADE_ALLOWED_HOSTS", "127.0.0.1,localhost")
            .env("PALISADE_TRUSTED_PROXIES", "10.0.0.0/8")
            .env("PALISADE_CORS__ORIGINS", ORIGIN)
            // Counted for each request, and never reached.
            .env("PALISADE_LIMITS__CLIENT", "1000000000/s")
            .env("PALISADE_AUTH__REQUIRE_VERIFIED_EMAIL", "false")
            .env("PALISADE_AUTH__ACCESS_TOKEN_LIFETIME", "1h");
        command
    }

    /// The program that is measured, where it is one of its own.
    pub(super) fn binary(&self) -> Option<&Path> {
        self.program
            .first()
            .filter(|_| !self.peer.is_node())
            .map(PathBuf::as_path)
    }
}

pub(super) struct Server {
    child: Child,
    log: PathBuf,
    pub(super) port: u16,
    pub(super) answered_after: Duration,
}

impl Server {
    pub(super) fn client(&self) -> Client {
        Client { port: self.port }
    }

    pub(super) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(super) fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Processor time so far, of the program and of the kernel for it.
    pub(super) fn processor_time(&self) -> Result<Duration, String> {
        let path = format!("/proc/{}/stat", self.child.id());
        let stat = fs::read_to_string(path).map_err(told("its processor time"))?;
        ticks(&stat)
            // A hundredth of a second, on Linux everywhere.
            .map(|ticks| Duration::from_millis(ticks * 10))
            .ok_or_else(|| format!("not understood: {stat}"))
    }

    /// Resident memory in KiB.
    pub(super) fn memory(&self) -> Result<u64, String> {
        let path = format!("/proc/{}/status", self.child.id());
        let status = fs::read_to_string(path).map_err(told("its memory"))?;
        status
            .lines()
            .find_map(|line| {
                line.strip_prefix("VmRSS:")?
                    .trim()
                    .strip_suffix(" kB")?
                    .parse()
                    .ok()
            })
            .ok_or_else(|| format!("not understood: {status}"))
    }

    /// Asks it to end, and waits.
    pub(super) fn stop(mut self) -> Result<(), String> {
        let id = self.child.id().to_string();
        let sent = Command::new("kill").args(["-TERM", &id]).status();
        sent.map_err(told("its end"))?;
        let begun = Instant::now();
        while self.child.try_wait().map_err(told("its end"))?.is_none() {
            if begun.elapsed() > DRAIN {
                return Err("a server does not end on SIGTERM".to_owned());
            }
            sleep(Duration::from_millis(10));
        }
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The user's and the system's part in `/proc/…/stat`; the program's name before them may hold blanks.
fn ticks(stat: &str) -> Option<u64> {
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_whitespace().skip(11);
    Some(fields.next()?.parse::<u64>().ok()? + fields.next()?.parse::<u64>().ok()?)
}

/// What keeps a program on one core, when there are two.
pub(super) fn pinned(core: usize) -> Vec<String> {
    if available_parallelism().map_or(1, usize::from) < 2 {
        return Vec::new();
    }
    ["taskset", "-c", &core.to_string()]
        .map(ToOwned::to_owned)
        .to_vec()
}

/// 256 bits, different in each run, from the seeds that the standard library draws for its hash maps.
fn secret() -> String {
    (0..4_u8)
        .map(|part| format!("{:016x}", RandomState::new().hash_one(part)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::ticks;

    #[test]
    fn finds_the_processor_time_behind_any_name() {
        let stat = "7 (a (b) c) S 1 7 7 0 -1 4194304 1 2 3 4 50 7 0 0 20 0 1 0 9 9 9";
        assert_eq!(ticks(stat), Some(57));
        assert_eq!(ticks("7 (a) S 1"), None);
    }
}
