//! The file as this process holds it: locked against every other, and known by more than its name.
//!
//! The lock is on the database file itself (`flock`), so that a link to it or another name of it is no
//! way around. It is another kind of lock than SQLite's own (`fcntl`), and the two do not see each other.
//! But the system drops a process's own locks of SQLite's kind as soon as the process closes any
//! descriptor of the file: so this one is opened before SQLite opens the file, and closed after it.

use std::fs::{File, TryLockError};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use crate::store::StoreFault;

/// Held while anything of the store is open.
pub(super) struct FileLock {
    file: File,
    real: PathBuf,
}

/// The names that must lead to what is written, for as long as anything is.
pub(super) struct Names {
    database: (PathBuf, Identity),
    log: (PathBuf, Option<Identity>),
}

/// What tells a file from every other: its device and its number there.
type Identity = (u64, u64);

impl FileLock {
    /// Opens or creates the file and takes the lock that keeps two processes from using it.
    pub(super) fn take(path: &Path) -> Result<Self, StoreFault> {
        let unavailable = |what: &str, error: std::io::Error, hint: &str| {
            StoreFault::Unavailable(format!("cannot {what} {}: {error}; {hint}", path.display()))
        };
        let mut options = File::options();
        let file = options.read(true).write(true).create(true).truncate(false).mode(0o644);
        let file = file.open(path).map_err(|error| {
            let hint = "the directory must exist and be writable by the gateway";
            unavailable("open", error, hint)
        })?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(StoreFault::Unusable(format!(
                    "{} is in use by another process; one SQLite file serves one gateway (stop the \
                     other one, or give this one a file of its own)",
                    path.display()
                )));
            }
            Err(TryLockError::Error(error)) => {
                return Err(unavailable("lock", error, "put the file on a local disk"));
            }
        }
        // The log lies beside the file itself, not beside a link to it.
        let real = path
            .canonicalize()
            .map_err(|error| unavailable("find", error, "it was there a moment ago"))?;
        Ok(Self { file, real })
    }

    /// The file, without links on the way.
    pub(super) fn real(&self) -> &Path {
        &self.real
    }

    /// The names of what was opened, the first of them as it was configured.
    pub(super) fn names(&self, path: &Path) -> Result<Names, StoreFault> {
        let opened = self.file.metadata().map_err(|error| {
            StoreFault::Unavailable(format!("cannot look at {}: {error}", path.display()))
        })?;
        let mut log = self.real.as_os_str().to_owned();
        log.push("-wal");
        Ok(Names {
            database: (path.to_owned(), identity(&opened)),
            log: (PathBuf::from(log), None),
        })
    }
}

impl Names {
    /// Whether they still lead to what was opened. What is written to a file that was removed or
    /// replaced is lost with the process.
    pub(super) fn check(&mut self) -> Result<(), StoreFault> {
        let (path, opened) = &self.database;
        same(path, *opened, find(path)?)?;
        let (path, known) = &mut self.log;
        match (*known, find(path)?) {
            (Some(opened), found) => same(path, opened, found),
            // SQLite makes it at the first use, and keeps it until it closes the file.
            (None, found) => {
                *known = found;
                Ok(())
            }
        }
    }
}

fn identity(metadata: &std::fs::Metadata) -> Identity {
    (metadata.dev(), metadata.ino())
}

fn find(path: &Path) -> Result<Option<Identity>, StoreFault> {
    match std::fs::metadata(path) {
        Ok(metadata) => Ok(Some(identity(&metadata))),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => {
            Err(StoreFault::Unavailable(format!("cannot look at {}: {error}", path.display())))
        }
    }
}

fn same(path: &Path, opened: Identity, found: Option<Identity>) -> Result<(), StoreFault> {
    if found == Some(opened) {
        return Ok(());
    }
    let what = if found.is_some() { "replaced" } else { "removed" };
    Err(StoreFault::Unusable(format!(
        "{} was {what} while the gateway has it open, and what is written now would be lost; put the \
         file back that was there, or stop the gateway, restore a copy and start it again",
        path.display()
    )))
}
