//! Reads the file that holds a secret, and detects whether it changed.

use std::fs::Metadata;
use std::path::Path;

use zeroize::Zeroizing;

use super::{MOST, SecretFault, SecretRef, trimmed};
use crate::model::Secret;
use crate::regular_file::{self, Unreadable};

/// Distinguishes one state of a file from another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    modified: Option<std::time::SystemTime>,
    length: u64,
    inode: u64,
    changed: i64,
}

/// The current state of the file. It blocks on the file system.
pub(super) fn look(reference: &SecretRef, path: &Path) -> Result<Stamp, SecretFault> {
    let metadata = std::fs::metadata(path).map_err(|error| cannot_be_read(reference, &error))?;
    Ok(stamp(&metadata))
}

/// The content of the file. It blocks on the file system.
pub(super) fn read(reference: &SecretRef, path: &Path) -> Result<Secret, SecretFault> {
    let read = match regular_file::read(path, MOST) {
        // Whoever rotates a secret replaces its file.
        Err(Unreadable::Replaced) => regular_file::read(path, MOST),
        once => once,
    };
    let bytes = read.map_err(|unreadable| SecretFault::new(reference, unreadable.to_string()))?;
    trimmed(reference, &Zeroizing::new(bytes))
}

fn cannot_be_read(reference: &SecretRef, error: &std::io::Error) -> SecretFault {
    SecretFault::new(reference, format!("cannot be read: {error}"))
}

#[cfg(unix)]
fn stamp(metadata: &Metadata) -> Stamp {
    use std::os::unix::fs::MetadataExt as _;
    Stamp {
        modified: metadata.modified().ok(),
        length: metadata.len(),
        inode: metadata.ino(),
        changed: metadata.ctime_nsec().wrapping_add(metadata.ctime().wrapping_mul(1_000_000_000)),
    }
}

#[cfg(not(unix))]
fn stamp(metadata: &Metadata) -> Stamp {
    Stamp { modified: metadata.modified().ok(), length: metadata.len(), inode: 0, changed: 0 }
}
