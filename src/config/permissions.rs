//! Checks who may use the files that hold secrets, and those of the embedded store. It does not read them.

use std::path::{Path, PathBuf};

use super::plan::StorePlan;
use super::report::{Fault, Report};
use super::secrets::SecretRef;

/// Adds a warning for each secret file that everyone on this machine may read.
pub(super) fn warn(report: &mut Report, files: Vec<(SecretRef, Fault)>) {
    for (reference, warning) in files {
        if let SecretRef::File(path) = reference
            && readable_by_all(&path)
        {
            report.warnings.push(warning);
        }
    }
    report.apply_retention();
}

/// Adds a warning for each file of the embedded store that other users of this machine may use, and for a
/// directory that everyone may write. `serve` corrects the files when it opens the store.
pub(super) fn warn_of_store(report: &mut Report, file: &str, plan: &StorePlan) {
    let StorePlan::Sqlite(path) = plan else { return };
    let path = path.canonicalize().unwrap_or_else(|_| path.clone());
    for suffix in ["", "-wal", "-shm"] {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        let name = PathBuf::from(name);
        if let Some(mode) = mode(&name).filter(|mode| mode & 0o077 != 0) {
            let message = format!(
                "other users may use {}, which holds what is kept ({mode:04o})",
                name.display()
            );
            let hint = format!("chmod 600 {}; `serve` does so when it starts", name.display());
            report.warnings.push(Fault::of_file(file, message).hint(&hint));
        }
    }
    if let Some(directory) = path.parent()
        && let Some(mode) = mode(directory).filter(|mode| mode & 0o002 != 0)
    {
        let message = format!(
            "everyone may write {}, the directory of the store ({mode:04o})",
            directory.display()
        );
        let hint = "put the store into a directory of the gateway's user".to_owned();
        report.warnings.push(Fault::of_file(file, message).hint(&hint));
    }
}

#[cfg(unix)]
fn mode(path: &Path) -> Option<u32> {
    use std::os::unix::fs::PermissionsExt as _;
    Some(std::fs::metadata(path).ok()?.permissions().mode() & 0o7777)
}

#[cfg(not(unix))]
fn mode(_: &Path) -> Option<u32> {
    None
}

#[cfg(unix)]
fn readable_by_all(path: &std::path::Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::metadata(path)
        .is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o004 != 0)
}

#[cfg(not(unix))]
fn readable_by_all(_: &std::path::Path) -> bool {
    false
}
