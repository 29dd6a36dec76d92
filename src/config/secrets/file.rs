//! Reads the file that holds a secret, and detects whether it changed.

use std::fs::{File, Metadata};
use std::io::Read as _;
use std::path::Path;

use zeroize::Zeroizing;

use super::{MOST, SecretFault, SecretRef, trimmed};
use crate::model::Secret;

/// Distinguishes one state of a file from another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    modified: Option<std::time::SystemTime>,
    length: u64,
    inode: u64,
    changed: i64,
}

/// The current state of the file. It blocks on the file system.
pub(super) fn look(reference: &SecretRef, path: &Path) -> Result<(Metadata, Stamp), SecretFault> {
    let metadata = std::fs::metadata(path).map_err(|error| cannot_be_read(reference, &error))?;
    let stamp = stamp(&metadata);
    Ok((metadata, stamp))
}

/// The content of the file. It blocks on the file system.
pub(super) fn read(
    reference: &SecretRef,
    path: &Path,
    metadata: &Metadata,
) -> Result<Secret, SecretFault> {
    if !metadata.is_file() {
        return Err(SecretFault::new(reference, "is not a regular file"));
    }
    if metadata.len() > MOST {
        return Err(SecretFault::new(reference, format!("is longer than {MOST} bytes")));
    }
    let mut bytes = Zeroizing::new(Vec::new());
    File::open(path)
        .and_then(|file| file.take(MOST).read_to_end(&mut bytes))
        .map_err(|error| cannot_be_read(reference, &error))?;
    trimmed(reference, &bytes)
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
