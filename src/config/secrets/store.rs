//! Resolves references. A file is read again when it changes, looked at once a second at most;
//! a variable is read each time; a program is run once, and again when asked.

use std::collections::HashMap;
use std::fs::{File, Metadata};
use std::io::Read as _;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use zeroize::Zeroizing;

use super::{SecretFault, SecretRef, command, trimmed};
use crate::model::Secret;

/// A file is not looked at more often.
const LOOK: Duration = Duration::from_secs(1);

/// The secrets that were resolved so far.
#[derive(Debug, Default)]
pub struct SecretStore {
    known: Mutex<HashMap<SecretRef, Known>>,
}

#[derive(Debug)]
struct Known {
    result: Result<Secret, SecretFault>,
    looked: Instant,
    stamp: Option<Stamp>,
}

/// What tells one state of a file from another.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Stamp {
    modified: Option<std::time::SystemTime>,
    length: u64,
    inode: u64,
    changed: i64,
}

impl SecretStore {
    /// A store that has resolved nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The secret that a reference points at.
    ///
    /// # Errors
    /// [`SecretFault`] when it is not there, cannot be read or is empty.
    pub fn resolve(&self, reference: &SecretRef) -> Result<Secret, SecretFault> {
        if let Some(known) = self.at_hand(reference) {
            return known;
        }
        match reference {
            SecretRef::Env(name) => from_env(reference, name),
            SecretRef::File(path) => self.file(reference, path),
            SecretRef::Command(words) => {
                let result = from_program(reference, words);
                self.keep(reference, result.clone(), None);
                result
            }
        }
    }

    /// The same, where neither a file has to be looked at nor a program to be run.
    pub fn at_hand(&self, reference: &SecretRef) -> Option<Result<Secret, SecretFault>> {
        if let SecretRef::Env(name) = reference {
            return Some(from_env(reference, name));
        }
        let known = self.lock();
        let known = known.get(reference)?;
        let is_fresh = match reference {
            SecretRef::Env(_) => true,
            SecretRef::File(_) => known.looked.elapsed() < LOOK,
            // A failure is tried again, but not by every request.
            SecretRef::Command(_) => known.result.is_ok() || known.looked.elapsed() < LOOK * 10,
        };
        is_fresh.then(|| known.result.clone())
    }

    /// Looks at everything again: files at the next use, programs now. A program that fails leaves
    /// what it printed before in force.
    ///
    /// # Errors
    /// The faults of those programs.
    pub fn refresh(&self) -> Result<(), Vec<SecretFault>> {
        let commands: Vec<SecretRef> = {
            let mut known = self.lock();
            known.retain(|reference, _| matches!(reference, SecretRef::Command(_)));
            known.keys().cloned().collect()
        };
        let mut faults = Vec::new();
        for reference in commands {
            let SecretRef::Command(words) = &reference else { continue };
            let result = from_program(&reference, words);
            match result {
                Err(fault) if self.has(&reference) => faults.push(fault),
                result => self.keep(&reference, result, None),
            }
        }
        if faults.is_empty() { Ok(()) } else { Err(faults) }
    }

    /// Looks at this one again at its next use.
    pub fn forget(&self, reference: &SecretRef) {
        self.lock().remove(reference);
    }

    fn file(&self, reference: &SecretRef, path: &Path) -> Result<Secret, SecretFault> {
        let metadata = std::fs::metadata(path);
        let stamp = metadata.as_ref().ok().map(stamp);
        if let Some(known) = self.lock().get_mut(reference)
            && stamp.is_some()
            && known.stamp == stamp
            && known.result.is_ok()
        {
            known.looked = Instant::now();
            return known.result.clone();
        }
        let result = metadata
            .map_err(|error| SecretFault::new(reference, format!("cannot be read: {error}")))
            .and_then(|metadata| read(reference, path, &metadata));
        self.keep(reference, result.clone(), stamp);
        result
    }

    fn has(&self, reference: &SecretRef) -> bool {
        self.lock().get(reference).is_some_and(|known| known.result.is_ok())
    }

    fn keep(
        &self,
        reference: &SecretRef,
        result: Result<Secret, SecretFault>,
        stamp: Option<Stamp>,
    ) {
        let known = Known { result, looked: Instant::now(), stamp };
        self.lock().insert(reference.clone(), known);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<SecretRef, Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn from_env(reference: &SecretRef, name: &str) -> Result<Secret, SecretFault> {
    let value = std::env::var(name).map_err(|error| {
        SecretFault::new(
            reference,
            match error {
                std::env::VarError::NotPresent => "is not set",
                std::env::VarError::NotUnicode(_) => "is not UTF-8 text",
            },
        )
    })?;
    trimmed(reference, Zeroizing::new(value).as_bytes())
}

fn from_program(reference: &SecretRef, words: &[String]) -> Result<Secret, SecretFault> {
    let printed = command::run(words).map_err(|reason| SecretFault::new(reference, reason))?;
    trimmed(reference, &printed)
}

fn read(reference: &SecretRef, path: &Path, metadata: &Metadata) -> Result<Secret, SecretFault> {
    let fault = |reason: String| SecretFault::new(reference, reason);
    if !metadata.is_file() {
        return Err(fault("is not a regular file".to_owned()));
    }
    if metadata.len() > command::MOST {
        return Err(fault(format!("is longer than {} bytes", command::MOST)));
    }
    let mut bytes = Zeroizing::new(Vec::new());
    File::open(path)
        .and_then(|file| file.take(command::MOST).read_to_end(&mut bytes))
        .map_err(|error| fault(format!("cannot be read: {error}")))?;
    trimmed(reference, &bytes)
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

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(store: &SecretStore, reference: &SecretRef) -> Result<Vec<u8>, String> {
        store
            .resolve(reference)
            .map(|secret| secret.expose().to_vec())
            .map_err(|fault| fault.to_string())
    }

    #[test]
    fn a_file_is_read_again_after_it_changed_and_loses_one_line_end() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("key");
        std::fs::write(&path, "one\n\n").expect("written");
        let store = SecretStore::new();
        let reference = SecretRef::File(path.clone());
        assert_eq!(secret(&store, &reference), Ok(b"one\n".to_vec()));
        std::fs::write(&path, "second").expect("written");
        store.refresh().expect("no programs");
        assert_eq!(secret(&store, &reference), Ok(b"second".to_vec()));
        std::fs::write(&path, "\n").expect("written");
        store.refresh().expect("no programs");
        let fault = secret(&store, &reference).expect_err("empty");
        assert!(fault.ends_with("key is empty"), "{fault}");
    }

    #[test]
    fn what_is_missing_is_named_and_not_shown() {
        let store = SecretStore::new();
        let fault = secret(&store, &SecretRef::Env("CDSW_GATEWAY_NOT_SET".to_owned()));
        let words = "the secret in environment variable CDSW_GATEWAY_NOT_SET is not set";
        assert_eq!(fault, Err(words.to_owned()));
    }

    #[cfg(unix)]
    #[test]
    fn a_program_is_run_once_and_its_failure_does_not_show_its_words() {
        let store = SecretStore::new();
        let words =
            |words: &[&str]| SecretRef::Command(words.iter().map(|w| (*w).to_owned()).collect());
        assert_eq!(secret(&store, &words(&["printf", "abc\n"])), Ok(b"abc".to_vec()));
        let fault =
            secret(&store, &words(&["sh", "-c", "echo hunter2; exit 3"])).expect_err("fails");
        assert!(fault.contains("command sh") && !fault.contains("hunter2"), "{fault}");
        assert!(!format!("{store:?}").contains("abc"));
    }

    #[cfg(unix)]
    #[test]
    fn a_program_that_fails_later_leaves_what_it_printed_before() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("printed");
        std::fs::write(&path, "abc").expect("written");
        let store = SecretStore::new();
        let reference =
            SecretRef::Command(vec!["cat".to_owned(), path.to_string_lossy().into_owned()]);
        assert_eq!(secret(&store, &reference), Ok(b"abc".to_vec()));
        std::fs::remove_file(&path).expect("removed");
        assert_eq!(store.refresh().expect_err("cat fails").len(), 1);
        assert_eq!(secret(&store, &reference), Ok(b"abc".to_vec()));
    }
}
