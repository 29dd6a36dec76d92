//! The audit log, and the bodies of cancel and reload.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::store;

/// `GET /api/audit`
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AuditView {
    /// Newest first.
    pub acts: Vec<AuditEntry>,
}

/// An entry in the audit log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditEntry {
    /// Its place in the log, counted from 1.
    pub number: u64,
    /// When.
    pub at: Timestamp,
    /// The name of the token that was used.
    pub who: String,
    /// The address that it came from.
    pub origin: Option<String>,
    /// What was done.
    pub act: String,
    /// What kind of thing it was done to.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// The note that came with it.
    pub note: Option<String>,
}

/// `POST /api/runs/{id}/cancel` and `POST /api/reload`
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoteAsk {
    /// A note, kept with the act.
    #[serde(default)]
    pub note: Option<String>,
}

/// What a reload did.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ReloadView {
    /// Digest of the configuration in force.
    pub version: String,
    /// What changed, in words.
    pub outcome: String,
}

impl From<store::Audited> for AuditEntry {
    fn from(act: store::Audited) -> Self {
        Self {
            number: act.number,
            at: act.at,
            who: act.who,
            origin: act.origin,
            act: act.act,
            kind: act.kind,
            name: act.name,
            note: act.note,
        }
    }
}
