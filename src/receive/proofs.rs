//! Counts, in memory, how often each secret proved a source's deliveries, and when last. A person needs
//! this to remove the old secret after a rotation. A secret is named by its reference, never by its content.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;

use crate::clock::between;
use crate::config::SecretRef;

/// How often the log says that a sender puts a secret into its requests.
const LEAK_LOGGED_EVERY: Duration = Duration::from_secs(3600);

/// How often each secret was used since the gateway started.
#[derive(Debug)]
pub struct Proofs {
    since: Timestamp,
    uses: Mutex<HashMap<(Arc<str>, SecretRef), Used>>,
}

/// How often a secret was used, and when last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Used {
    /// Deliveries that it proved.
    pub deliveries: u64,
    /// When it proved the last of them; none where it proved none.
    pub last: Option<Timestamp>,
    /// Deliveries that contained it in a place that is kept. It was removed from them.
    pub leaks: u64,
    /// When the log last said so; none where there was none.
    pub last_leak: Option<Timestamp>,
}

impl Proofs {
    /// Starts with empty counts.
    pub fn since(now: Timestamp) -> Self {
        Self { since: now, uses: Mutex::default() }
    }

    /// When counting began.
    pub fn began(&self) -> Timestamp {
        self.since
    }

    /// Counts a delivery. The key is the secret's reference, not its index, so that the count stays correct
    /// when another secret is put before it in the list.
    pub(super) fn count(&self, source: &Arc<str>, secret: &SecretRef, now: Timestamp) {
        let mut uses = self.uses.lock().unwrap_or_else(PoisonError::into_inner);
        let used = uses.entry((Arc::clone(source), secret.clone())).or_default();
        used.deliveries += 1;
        used.last = Some(now);
    }

    /// Counts a delivery that contained the secret where it does not belong. True where it is the first for an
    /// hour, so that the log says it now and then and not for each delivery.
    pub(super) fn leaked(&self, source: &Arc<str>, secret: &SecretRef, now: Timestamp) -> bool {
        let mut uses = self.uses.lock().unwrap_or_else(PoisonError::into_inner);
        let used = uses.entry((Arc::clone(source), secret.clone())).or_default();
        used.leaks += 1;
        let is_recent = used.last_leak.is_some_and(|at| between(at, now) < LEAK_LOGGED_EVERY);
        if !is_recent {
            used.last_leak = Some(now);
        }
        !is_recent
    }

    /// How often the secret proved a delivery of the source.
    pub fn of(&self, source: &Arc<str>, secret: &SecretRef) -> Used {
        let uses = self.uses.lock().unwrap_or_else(PoisonError::into_inner);
        uses.get(&(Arc::clone(source), secret.clone())).copied().unwrap_or_default()
    }
}
