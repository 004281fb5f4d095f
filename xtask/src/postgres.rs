//! A PostgreSQL for one test run: in a temporary folder, on a free loopback port, gone afterwards.

use std::fs;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::running::free_port;

/// Where the tests find the server.
pub(crate) const VARIABLE: &str = "PALISADE_TEST_POSTGRES";

/// Outlives this process by a moment, however it ends: the end of its standard input is the sign to stop and to tidy up.
const GUARD: &str = r#"
"$@" >"$FOLDER/log" 2>&1 &
server=$!
cat >/dev/null
kill -INT "$server" 2>/dev/null
wait "$server"
cd /
rm -rf "$FOLDER"
"#;

const PATIENCE: Duration = Duration::from_secs(30);

/// A running server; dropping it stops it and deletes its data.
pub(crate) struct Server {
    url: String,
    guard: Option<Child>,
}

impl Server {
    /// A server that somebody else runs.
    pub(crate) fn given(url: String) -> Self {
        Self { url, guard: None }
    }

    /// Its address for a client.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Makes a cluster with the programs in `programs` and starts it.
    pub(crate) fn start(programs: &Path) -> Result<Self, String> {
        let user = server_user()?;
        let folder = tempfile::Builder::new()
            .prefix("palisade-postgres-")
            .tempdir()
            .map_err(told("a folder"))?;
        if let Some((uid, gid)) = user {
            chown(folder.path(), Some(uid), Some(gid)).map_err(told("its owner"))?;
        }
        let data = folder.path().join("data");
        let mut initdb = as_user(&programs.join("initdb"), user, folder.path());
        initdb
            .args([
                "--username=postgres",
                "--auth=trust",
                "--no-sync",
                "--locale=C",
                "--encoding=UTF8",
                "-D",
            ])
            .arg(&data);
        let made = initdb.output().map_err(told("initdb"))?;
        if !made.status.success() {
            return Err(format!(
                "initdb failed:\n{}",
                String::from_utf8_lossy(&made.stderr)
            ));
        }

        let port = free_port().map_err(told("a port"))?;
        let mut guard = as_user(Path::new("sh"), user, folder.path());
        guard
            .args(["-c", GUARD, "guard"])
            .arg(programs.join("postgres"))
            .arg("-D")
            .arg(&data);
        for setting in [
            "listen_addresses=127.0.0.1",
            &format!("port={port}"),
            "unix_socket_directories=",
            "fsync=off",
            "full_page_writes=off",
            "synchronous_commit=off",
            "max_connections=300",
        ] {
            guard.args(["-c", setting]);
        }
        // A group of its own, so that Ctrl-C on the terminal reaches it only through the closed pipe.
        guard
            .env("FOLDER", folder.path())
            .stdin(Stdio::piped())
            .process_group(0);
        let guard = guard.spawn().map_err(told("the guard"))?;
        let server = Self {
            url: format!("postgres://postgres@127.0.0.1:{port}/postgres"),
            guard: Some(guard),
        };
        await_ready(&folder.keep().join("log"))?;
        Ok(server)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(mut guard) = self.guard.take() {
            drop(guard.stdin.take());
            let _ = guard.wait();
        }
    }
}

/// The folder of the newest PostgreSQL's programs on this machine, when there is one.
pub(crate) fn find() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut packaged: Vec<PathBuf> = fs::read_dir("/usr/lib/postgresql")
        .map(|versions| {
            versions
                .flatten()
                .map(|version| version.path().join("bin"))
                .collect()
        })
        .unwrap_or_default();
    packaged.sort();
    std::env::split_paths(&path)
        .chain(packaged.into_iter().rev())
        .find(|folder| folder.join("postgres").is_file() && folder.join("initdb").is_file())
}

/// The user and group to run it as when we are root, which PostgreSQL refuses.
fn server_user() -> Result<Option<(u32, u32)>, String> {
    let id = Command::new("id").arg("-u").output().map_err(told("id"))?;
    if String::from_utf8_lossy(&id.stdout).trim() != "0" {
        return Ok(None);
    }
    let users = fs::read_to_string("/etc/passwd").map_err(told("/etc/passwd"))?;
    ["postgres", "nobody"]
        .iter()
        .find_map(|name| entry(&users, name))
        .map(Some)
        .ok_or_else(|| {
            "PostgreSQL does not run as root, and there is no user `postgres` or `nobody`"
                .to_owned()
        })
}

fn entry(users: &str, name: &str) -> Option<(u32, u32)> {
    let line = users
        .lines()
        .find(|line| line.split(':').next() == Some(name))?;
    let mut fields = line.split(':').skip(2);
    Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
}

fn as_user(program: &Path, user: Option<(u32, u32)>, folder: &Path) -> Command {
    let mut command = Command::new(program);
    command
        .current_dir(folder)
        .env("LC_ALL", "C")
        .env("HOME", folder);
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("PG") {
            command.env_remove(name);
        }
    }
    if let Some((uid, gid)) = user {
        command.gid(gid).uid(uid);
    }
    command.stdin(Stdio::null()).stdout(Stdio::null());
    command
}

fn await_ready(log: &Path) -> Result<(), String> {
    let until = Instant::now() + PATIENCE;
    loop {
        let said = fs::read_to_string(log).unwrap_or_default();
        if said.contains("ready to accept connections") {
            return Ok(());
        }
        if said.contains("FATAL") || Instant::now() > until {
            return Err(format!("postgres did not start:\n{said}"));
        }
        sleep(Duration::from_millis(50));
    }
}

fn told(what: &str) -> impl FnOnce(std::io::Error) -> String + '_ {
    move |error| format!("cannot have {what} for PostgreSQL: {error}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_a_user_by_its_whole_name() {
        let users =
            "root:x:0:0::/:/bin/sh\npostgres-2:x:9:9::/:/bin/sh\npostgres:x:104:107::/:/bin/sh\n";
        assert_eq!(entry(users, "postgres"), Some((104, 107)));
        assert_eq!(entry(users, "nobody"), None);
    }

    #[test]
    fn leaves_no_server_and_no_folder_behind() {
        let Some(programs) = find() else {
            assert!(
                std::env::var_os("CI").is_none(),
                "PostgreSQL must be installed on CI"
            );
            println!("skipped: no `postgres` binary on this machine");
            return;
        };
        let server = Server::start(&programs).unwrap();
        let address = server
            .url()
            .trim_start_matches("postgres://postgres@")
            .trim_end_matches("/postgres")
            .to_owned();
        assert!(std::net::TcpStream::connect(&address).is_ok());
        drop(server);
        assert!(std::net::TcpStream::connect(&address).is_err());
    }
}
