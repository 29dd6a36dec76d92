//! Which secret proved each source's deliveries, and when last, in memory: what a person must know
//! to drop the old one of a rotation. It tells a secret by where it is kept, never by its content.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;

use crate::config::SecretRef;

/// How often each secret was used since the gateway started.
#[derive(Debug)]
pub struct Proofs {
    since: Timestamp,
    uses: Mutex<HashMap<(Arc<str>, SecretRef), Used>>,
}

/// How often, and when last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Used {
    /// Deliveries that it proved.
    pub deliveries: u64,
    /// The last of them; none where there was none.
    pub last: Option<Timestamp>,
}

impl Proofs {
    /// Counts from now on.
    pub fn since(now: Timestamp) -> Self {
        Self { since: now, uses: Mutex::default() }
    }

    /// When it began to count.
    pub fn began(&self) -> Timestamp {
        self.since
    }

    /// Counts a delivery. A secret is known by its reference, so that its count stays with it when
    /// another is put before it.
    pub(super) fn count(&self, source: &Arc<str>, secret: &SecretRef, now: Timestamp) {
        let mut uses = self.uses.lock().unwrap_or_else(PoisonError::into_inner);
        let used = uses.entry((Arc::clone(source), secret.clone())).or_default();
        used.deliveries += 1;
        used.last = Some(now);
    }

    /// How often the secret proved a delivery of the source.
    pub fn of(&self, source: &Arc<str>, secret: &SecretRef) -> Used {
        let uses = self.uses.lock().unwrap_or_else(PoisonError::into_inner);
        uses.get(&(Arc::clone(source), secret.clone())).copied().unwrap_or_default()
    }
}
