//! Checks who may read the files that hold secrets. It does not read the files.

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
