//! Keys that a workbench has refused: their runs wait until the key changes, since each further
//! try would only fail one more run.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use jiff::Timestamp;
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::config::{JobPlan, Live};
use crate::model::Secret;

/// A key that was refused.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PausedKey {
    /// The workbench that refused it.
    pub workbench: String,
    /// The key's name in the configuration.
    pub key: String,
    /// When.
    pub since: Timestamp,
}

/// A digest that tells one key from another; it lives in memory only.
type Fingerprint = [u8; 32];

/// Refused keys by workbench and name.
type Refused = HashMap<(Arc<str>, Arc<str>), (Fingerprint, Timestamp)>;

#[derive(Debug, Default)]
pub(super) struct Keys {
    refused: Mutex<Refused>,
}

impl Keys {
    /// Whether the job's key may be tried: it was not refused, or it has changed since.
    pub(super) fn usable(&self, live: &Live, job: &JobPlan) -> bool {
        let named = name(job);
        let mut refused = self.lock();
        let Some((fingerprint, _)) = refused.get(&named) else { return true };
        let changed = live.api_key(job).is_ok_and(|key| fingerprint_of(&key) != *fingerprint);
        if changed {
            refused.remove(&named);
        }
        changed
    }

    /// Notes that a workbench did not accept the job's key.
    pub(super) fn refuse(&self, job: &JobPlan, key: &Secret, now: Timestamp) {
        self.lock().insert(name(job), (fingerprint_of(key), now));
    }

    pub(super) fn paused(&self) -> Vec<PausedKey> {
        let mut paused: Vec<PausedKey> = self
            .lock()
            .iter()
            .map(|((workbench, key), (_, since))| PausedKey {
                workbench: workbench.to_string(),
                key: key.to_string(),
                since: *since,
            })
            .collect();
        paused.sort_by(|a, b| (&a.workbench, &a.key).cmp(&(&b.workbench, &b.key)));
        paused
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Refused> {
        self.refused.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

fn name(job: &JobPlan) -> (Arc<str>, Arc<str>) {
    (Arc::clone(&job.workbench.name), Arc::clone(&job.api_key))
}

fn fingerprint_of(key: &Secret) -> Fingerprint {
    Sha256::digest(key.expose()).into()
}
