//! Checks who may use the files that hold secrets, those of the configuration, and those of the embedded
//! store, and who may put others in their place. It does not read them.

mod judge;
mod walk;

use std::collections::BTreeSet;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use super::files::{Files, routes_directory};
use super::plan::StorePlan;
use super::report::{Fault, Report};
use super::secrets::SecretRef;
use super::strength::WrittenUse;
use judge::{Content, Found, Process};
use walk::{Kind, Walk};

/// Adds a warning for each secret file that others than its owner may read, change or replace, and for each file
/// and directory of the configuration that others may change.
pub(super) fn warn(
    report: &mut Report,
    main: &Path,
    files: &Files,
    secrets: &[WrittenUse],
    store: Option<&StorePlan>,
) {
    let process = process(store);
    // One directory has many secrets, and is one thing to correct.
    let mut told = BTreeSet::new();
    configuration(report, main, files, &mut told);
    for written in secrets {
        let SecretRef::File(path) = &written.used.reference else { continue };
        let content = match written.used.public {
            true => Content::PublicKey,
            false => Content::Secret,
        };
        let mut add = |found: Found| {
            let Found { message, hint } = found;
            report.warnings.push(Fault { message, hint: Some(hint), ..written.place.clone() });
        };
        let walk = Walk::to(path);
        match &walk.end {
            Some((file, Kind::File)) => {
                judge::secret_file(file, content, &process).into_iter().for_each(&mut add);
            }
            Some((end, _)) => add(Found {
                message: "this is no regular file, so no secret is read from it".to_owned(),
                hint: format!("name a file; {} is a directory or a device", end.path.display()),
            }),
            None => {}
        }
        for (node, way) in &walk.directories {
            if let Some(found) = judge::directory(node, *way, &process)
                && told.insert(node.path.clone())
            {
                add(found);
            }
        }
    }
    report.apply_retention();
}

/// Judges the files and directories of the configuration, and the directories above them.
fn configuration(report: &mut Report, main: &Path, files: &Files, told: &mut BTreeSet<PathBuf>) {
    let written = std::iter::once(&files.main).chain(&files.routes);
    let own = [files.directory.clone(), routes_directory(main)].into_iter();
    for path in own.chain(written.map(|file| PathBuf::from(&file.name))) {
        // The loader says itself that a device is no configuration. Its mode is not the configuration's.
        let Some((node, Kind::File | Kind::Directory)) = Walk::to(&path).end else { continue };
        if let Some(Found { message, hint }) = judge::configuration(&node) {
            told.insert(node.path);
            let fault = Fault::of_file(&path.display().to_string(), message);
            report.warnings.push(fault.hint(&hint));
        }
    }
}

/// The process, and whose files it may use.
fn process(store: Option<&StorePlan>) -> Process {
    let user = rustix::process::geteuid().as_raw();
    let mut owners = BTreeSet::from([0, user]);
    let owner = |path: &Path| Some(path.metadata().ok()?.uid());
    // In a user namespace, root outside of it has another number.
    owners.extend(owner(Path::new("/")));
    // An admin checks as root what another user runs.
    if let (0, Some(StorePlan::Sqlite(path))) = (user, store) {
        owners.extend(owner(path));
    }
    Process { user, owners }
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
