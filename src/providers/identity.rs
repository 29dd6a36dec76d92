//! What names a delivery at its sender's side, so that a repeat is known as one.

use std::fmt::Write as _;
use std::sync::Arc;

use http::{HeaderMap, HeaderName};
use sha2::{Digest, Sha256};

use crate::model::Value;

/// Longer names are replaced by their digest: they are kept and indexed, and a stranger's header
/// may be as long as the server lets it be.
const LONGEST: usize = 200;

/// What names a delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Identity {
    /// The sender's own id. It is as good as the sender's word: most do not sign it.
    Sender(Arc<str>),
    /// The digest of what was signed, where the sender gives no id. Two deliveries that say the
    /// very same are then one.
    Digest(Arc<str>),
    /// Nothing: the sender tells the very same of things that happened at different times, so that
    /// each delivery stands for itself.
    Nothing,
}

impl Identity {
    /// The key that repeats of the delivery share; empty where nothing tells a repeat.
    pub fn key(&self) -> Arc<str> {
        match self {
            Self::Sender(key) | Self::Digest(key) => key.clone(),
            Self::Nothing => Arc::default(),
        }
    }

    pub(super) fn of_sender(id: &str) -> Self {
        if id.len() <= LONGEST {
            Self::Sender(id.into())
        } else {
            Self::Sender(sha256(&[id.as_bytes()]))
        }
    }

    pub(super) fn of_header(headers: &HeaderMap, name: &HeaderName) -> Option<Self> {
        headers.get(name)?.to_str().ok().filter(|id| !id.is_empty()).map(Self::of_sender)
    }

    /// The digest of a value, however it was written.
    pub(super) fn of_value(value: &Value) -> Self {
        let mut text = String::new();
        value.write_json(&mut text).expect("a string takes whatever is written");
        Self::of_bytes(&[text.as_bytes()])
    }

    pub(super) fn of_bytes(parts: &[&[u8]]) -> Self {
        Self::Digest(sha256(parts))
    }
}

fn sha256(parts: &[&[u8]]) -> Arc<str> {
    let mut hash = Sha256::new();
    parts.iter().for_each(|part| hash.update(part));
    let mut text = String::from("sha256:");
    for byte in hash.finalize() {
        write!(text, "{byte:02x}").expect("a string takes whatever is written");
    }
    text.into()
}
