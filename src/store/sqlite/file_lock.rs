//! The file lock: keeps other processes from using the database file, and notices when the file is replaced.
//!
//! The lock is a `flock` on the database file itself, so that a symbolic link or another name of the file
//! does not get around it. SQLite's own locks are of another kind (`fcntl`), and the two do not interfere.
//! But the system drops all `fcntl` locks of a process on a file as soon as the process closes any descriptor
//! of that file. The lock is therefore opened before SQLite opens the file, and closed after it.

use std::fs::{File, TryLockError};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use super::private;
use crate::store::StoreFault;

/// The lock. It is kept while any connection of the store is open.
pub(super) struct FileLock {
    file: File,
    real: PathBuf,
}

/// The paths of the database and its log, and the files to which they led when they were opened.
pub(super) struct Names {
    database: (PathBuf, Identity),
    log: (PathBuf, Option<Identity>),
}

/// Identifies a file: its device and its inode number.
type Identity = (u64, u64);

impl FileLock {
    /// Opens or creates the file and locks it.
    ///
    /// # Errors
    /// [`StoreFault::Unusable`] where another process has the lock; [`StoreFault::Unavailable`] where the
    /// file cannot be opened or locked.
    pub(super) fn take(path: &Path) -> Result<Self, StoreFault> {
        let unavailable = |what: &str, error: std::io::Error, hint: &str| {
            StoreFault::Unavailable(format!("cannot {what} {}: {error}; {hint}", path.display()))
        };
        let mut options = File::options();
        let file = options.read(true).write(true).create(true).truncate(false).mode(private::MODE);
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
        // SQLite puts the log beside the file itself, not beside a symbolic link to it.
        let real = path
            .canonicalize()
            .map_err(|error| unavailable("find", error, "it was there a moment ago"))?;
        Ok(Self { file, real })
    }

    /// The path of the file, with symbolic links resolved.
    pub(super) fn real(&self) -> &Path {
        &self.real
    }

    /// The paths to check later: the database's path as configured, and the path of its log.
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
    /// Checks that the paths still lead to the files that were opened. What is written to a file that was
    /// removed or replaced is lost when the process ends.
    ///
    /// # Errors
    /// [`StoreFault::Unusable`] where a file was removed or replaced.
    pub(super) fn check(&mut self) -> Result<(), StoreFault> {
        let (path, opened) = &self.database;
        same(path, *opened, find(path)?)?;
        let (path, known) = &mut self.log;
        match (*known, find(path)?) {
            (Some(opened), found) => same(path, opened, found),
            // SQLite creates the log at the first use, and keeps it until it closes the file.
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
