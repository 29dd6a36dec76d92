//! Keeps the store's files to the gateway's user: they hold bodies, headers, variables and addresses.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use crate::store::StoreFault;

/// The permissions of the store's files.
pub(super) const MODE: u32 = 0o600;
/// What no file of the store may allow: anything to its group or to others.
const TO_OTHERS: u32 = 0o077;
/// What the directory may not allow: that everyone replaces its files.
const WRITE_BY_ALL: u32 = 0o002;

/// A file or directory of the store that other users of this machine may use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exposed {
    /// Its path.
    pub path: PathBuf,
    /// Its permissions, as they were found.
    pub mode: u32,
    /// Whether they were corrected.
    pub corrected: bool,
}

/// Takes the store's files from other users, and gives those that other users could use. The directory is
/// only looked at, since it may hold more than the store.
///
/// # Errors
/// [`StoreFault::Unavailable`] where a file cannot be looked at.
pub(super) fn take_from_others(database: &Path) -> Result<Vec<Exposed>, StoreFault> {
    let mut found = Vec::new();
    for suffix in ["", "-wal", "-shm"] {
        let mut path = database.as_os_str().to_owned();
        path.push(suffix);
        let path = PathBuf::from(path);
        if let Some(mode) = mode(&path)?.filter(|mode| mode & TO_OTHERS != 0) {
            let corrected = std::fs::set_permissions(&path, Permissions::from_mode(MODE)).is_ok();
            found.push(Exposed { path, mode, corrected });
        }
    }
    if let Some(directory) = database.parent()
        && let Some(mode) = mode(directory)?.filter(|mode| mode & WRITE_BY_ALL != 0)
    {
        found.push(Exposed { path: directory.to_owned(), mode, corrected: false });
    }
    Ok(found)
}

fn mode(path: &Path) -> Result<Option<u32>, StoreFault> {
    match std::fs::metadata(path) {
        Ok(metadata) => Ok(Some(metadata.permissions().mode() & 0o7777)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => {
            Err(StoreFault::Unavailable(format!("cannot look at {}: {error}", path.display())))
        }
    }
}
