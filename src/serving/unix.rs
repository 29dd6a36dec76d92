//! Makes a Unix socket: its file appears with the right owner and permissions before anybody can connect, what a dead
//! process left there is removed, and what a living one listens on never is. All of it blocks.

use std::fs::{self, Permissions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::{FlockOperation, flock};
use tokio::net::{UnixListener, UnixSocket as Unbound, UnixStream};
use tokio::runtime::Handle;

use super::listener::BACKLOG;
use crate::model::{Group, UnixSocket};

/// Where the system's groups are.
const GROUPS: &str = "/etc/group";
/// How often the directory's lock is tried, and the time between two tries. Another process has it for milliseconds.
const TRIES: u32 = 200;
const BETWEEN_TRIES: Duration = Duration::from_millis(10);
/// Time in which a connection shows that somebody listens.
const PROOF: Duration = Duration::from_secs(1);

/// The file of a socket that this process made. Dropping it removes the file, unless somebody has replaced it.
#[derive(Debug)]
pub(super) struct SocketFile {
    path: PathBuf,
    identity: (u64, u64),
}

impl SocketFile {
    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        if identity(&self.path).is_ok_and(|found| found == self.identity) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// The device and the number of a file.
fn identity(path: &Path) -> io::Result<(u64, u64)> {
    fs::symlink_metadata(path).map(|found| (found.dev(), found.ino()))
}

/// Makes the socket and listens on it.
pub(super) fn listen(socket: &UnixSocket) -> io::Result<(UnixListener, SocketFile)> {
    let group = socket.group.as_ref().map(group_id).transpose()?;
    let directory = socket.path.parent().unwrap_or(Path::new("/"));
    // Of two processes that find the same dead socket, the second one must not remove what the first one makes.
    let _one_at_a_time = lock(directory)?;
    remove_dead(&socket.path)?;
    let unbound = Unbound::new_stream()?;
    unbound.bind(&socket.path).map_err(|error| in_directory(directory, error))?;
    let file = SocketFile { identity: identity(&socket.path)?, path: socket.path.clone() };
    // Nobody can connect before `listen`.
    if let Some(group) = group {
        chown(&socket.path, None, Some(group)).map_err(|error| {
            said(&error, "the file's group cannot be set; the process must belong to that group")
        })?;
    }
    fs::set_permissions(&socket.path, Permissions::from_mode(socket.mode))?;
    Ok((unbound.listen(BACKLOG)?, file))
}

fn said(error: &io::Error, words: &str) -> io::Error {
    io::Error::new(error.kind(), format!("{error}: {words}"))
}

fn in_directory(directory: &Path, error: io::Error) -> io::Error {
    match error.kind() {
        ErrorKind::NotFound => {
            let directory = directory.display();
            said(
                &error,
                &format!("make the directory {directory} (RuntimeDirectory= of systemd does)"),
            )
        }
        ErrorKind::PermissionDenied => said(&error, "the process may not write its directory"),
        _ => error,
    }
}

/// An exclusive lock of the directory, where it can be read. It ends with the file.
fn lock(directory: &Path) -> io::Result<Option<fs::File>> {
    let Ok(opened) = fs::File::open(directory) else { return Ok(None) };
    for _ in 0..TRIES {
        match flock(&opened, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => return Ok(Some(opened)),
            Err(rustix::io::Errno::WOULDBLOCK) => std::thread::sleep(BETWEEN_TRIES),
            // Some file systems have no locks.
            Err(_) => return Ok(None),
        }
    }
    let words = format!("another process has had the lock of {} for too long", directory.display());
    Err(io::Error::new(ErrorKind::WouldBlock, words))
}

/// Removes a socket on which nobody listens. Leaves everything else.
fn remove_dead(path: &Path) -> io::Result<()> {
    let found = match fs::symlink_metadata(path) {
        Ok(found) => found,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    if !found.file_type().is_socket() {
        return Err(io::Error::new(
            ErrorKind::AlreadyExists,
            "there is a file, and it is no socket",
        ));
    }
    let asked = async { tokio::time::timeout(PROOF, UnixStream::connect(path)).await };
    match Handle::current().block_on(asked) {
        Ok(Err(error)) if error.kind() == ErrorKind::ConnectionRefused => fs::remove_file(path),
        _ => Err(io::Error::new(ErrorKind::AddrInUse, "another process listens on this socket")),
    }
}

/// The number of a group.
fn group_id(group: &Group) -> io::Result<u32> {
    match group {
        Group::Id(id) => Ok(*id),
        Group::Name(name) => found(&fs::read_to_string(GROUPS)?, name).ok_or_else(|| {
            let words = format!("there is no group `{name}` in {GROUPS}; write its number where it is kept elsewhere");
            io::Error::new(ErrorKind::NotFound, words)
        }),
    }
}

/// The number of a group in the text of `/etc/group` (group(5)).
fn found(groups: &str, name: &str) -> Option<u32> {
    groups.lines().find_map(|line| {
        let mut fields = line.split(':');
        (fields.next()? == name).then(|| fields.nth(1)?.parse().ok())?
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_is_found_by_its_whole_name() {
        let groups = "root:x:0:\n# www\nwww-data:x:33:alice,bob\nwww:x:34:\nbroken\nnone:x::\n";
        for (name, id) in [
            ("root", Some(0)),
            ("www-data", Some(33)),
            ("www", Some(34)),
            ("ww", None),
            ("broken", None),
            ("none", None),
            ("alice", None),
        ] {
            assert_eq!(found(groups, name), id, "{name}");
        }
    }
}
