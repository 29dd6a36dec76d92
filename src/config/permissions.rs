//! Checks who may use the files that hold secrets, those of the configuration, and those of the embedded
//! store. It does not read them.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use super::files::{Files, routes_directory};
use super::plan::StorePlan;
use super::report::{Fault, Report};
use super::secrets::SecretRef;

/// Adds a warning for each secret file that others than its owner may read or change, and for each file and
/// directory of the configuration that others may change.
pub(super) fn warn(
    report: &mut Report,
    main: &Path,
    files: &Files,
    secrets: &[(SecretRef, Fault)],
) {
    for (reference, place) in secrets {
        let SecretRef::File(path) = reference else { continue };
        let Some(mode) = mode(path).filter(|_| path.is_file()) else { continue };
        if let Some((who, what)) = others(mode, 0o6) {
            let message = format!("{who} can {what} the file of this secret");
            let hint = Some(format!("chmod go-rwx {}", path.display()));
            report.warnings.push(Fault { message, hint, ..place.clone() });
        }
    }
    let written = std::iter::once(&files.main).chain(&files.routes);
    let paths = [files.directory.clone(), routes_directory(main)].into_iter();
    for path in paths.chain(written.map(|file| PathBuf::from(&file.name))) {
        let Some(mode) = mode(&path) else { continue };
        if let Some((who, _)) = others(mode, 0o2) {
            let message = format!("{who} can change this, and so decide which jobs are started");
            let fault = Fault::of_file(&path.display().to_string(), message);
            report.warnings.push(fault.hint(&format!("chmod go-w {}", path.display())));
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

fn mode(path: &Path) -> Option<u32> {
    Some(std::fs::metadata(path).ok()?.permissions().mode() & 0o7777)
}

/// Who beside the owner may do something of `what` (4 to read, 2 to change), and what of it.
fn others(mode: u32, what: u32) -> Option<(&'static str, &'static str)> {
    let (group, all) = ((mode >> 3) & what, mode & what);
    let can = |bits: u32| match bits {
        2 => "change",
        4 => "read",
        _ => "read and change",
    };
    match (all, group) {
        (0, 0) => None,
        (0, group) => Some(("the group of this file", can(group))),
        (all, _) => Some(("everyone on this machine", can(all))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_group_and_everyone_may_do_is_told_apart() {
        assert_eq!(others(0o600, 0o6), None);
        assert_eq!(others(0o711, 0o6), None);
        assert_eq!(others(0o640, 0o6), Some(("the group of this file", "read")));
        assert_eq!(others(0o644, 0o6), Some(("everyone on this machine", "read")));
        assert_eq!(others(0o666, 0o6), Some(("everyone on this machine", "read and change")));
        assert_eq!(others(0o755, 0o2), None);
        assert_eq!(others(0o775, 0o2), Some(("the group of this file", "change")));
        assert_eq!(others(0o777, 0o2), Some(("everyone on this machine", "change")));
    }
}
