//! A Unix socket: for its user and group alone, and gone when the service ends.

use std::fmt;
use std::fs;
use std::io;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use tokio::net::{UnixListener, UnixStream};

use crate::config::Problem;

const MODE: u32 = 0o660;

/// An open Unix socket.
#[derive(Debug)]
pub(super) struct UnixSocket {
    listener: UnixListener,
    /// The file and its number, so that no other is removed at the end; none when somebody else made it.
    file: Option<(PathBuf, u64)>,
}

impl UnixSocket {
    /// Makes the socket; one that a dead service left is replaced.
    pub(super) fn bind(path: &Path) -> Result<Self, Problem> {
        let place = path.display();
        let problem =
            |what: &str, fix: &str| Problem::new(format!("unix:{place} {what}"), "HOST", fix);
        match fs::symlink_metadata(path) {
            Ok(file) if !file.file_type().is_socket() => {
                return Err(problem(
                    "is a file, and no socket",
                    "remove the file, or choose another path",
                ));
            }
            // Whoever answers there is alive.
            Ok(_) if std::os::unix::net::UnixStream::connect(path).is_ok() => {
                return Err(problem(
                    "is taken by another program",
                    "stop that program, or choose another path",
                ));
            }
            _ => {}
        }
        Self::make(path).map_err(|error| match error.kind() {
            io::ErrorKind::PermissionDenied => problem(
                "is not allowed to this user",
                "choose a folder that this user may write, such as /run/app",
            ),
            io::ErrorKind::NotFound => {
                problem("lies in a folder that does not exist", "make the folder")
            }
            _ => problem("cannot be listened on", "choose another path"),
        })
    }

    /// Made beside its place and moved there when its mode is set, so that nobody else ever gets through.
    fn make(path: &Path) -> io::Result<Self> {
        let mut beside = path.as_os_str().to_owned();
        beside.push(".new");
        let beside = PathBuf::from(beside);
        let _ = fs::remove_file(&beside);
        let listener = UnixListener::bind(&beside)?;
        let moved = fs::set_permissions(&beside, fs::Permissions::from_mode(MODE))
            .and_then(|()| fs::rename(&beside, path))
            .and_then(|()| fs::symlink_metadata(path));
        match moved {
            Ok(file) => Ok(Self {
                listener,
                file: Some((path.to_owned(), file.ino())),
            }),
            Err(error) => {
                let _ = fs::remove_file(&beside);
                Err(error)
            }
        }
    }

    /// One that the service was started with.
    pub(super) fn inherited(listener: std::os::unix::net::UnixListener) -> io::Result<Self> {
        listener.set_nonblocking(true)?;
        let listener = UnixListener::from_std(listener)?;
        Ok(Self {
            listener,
            file: None,
        })
    }

    pub(super) async fn accept(&self) -> io::Result<UnixStream> {
        self.listener.accept().await.map(|(stream, _)| stream)
    }
}

impl fmt::Display for UnixSocket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.file {
            Some((path, _)) => write!(f, "unix:{}", path.display()),
            None => f.write_str("an inherited Unix socket"),
        }
    }
}

impl Drop for UnixSocket {
    fn drop(&mut self) {
        if let Some((path, number)) = &self.file
            && fs::symlink_metadata(path).is_ok_and(|file| file.ino() == *number)
        {
            let _ = fs::remove_file(path);
        }
    }
}
