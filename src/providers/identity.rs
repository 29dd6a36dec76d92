//! What identifies a delivery, so that a repeat of it is recognised.

use std::fmt::Write as _;
use std::sync::Arc;

use http::{HeaderMap, HeaderName};
use sha2::{Digest, Sha256};

use crate::model::Value;

/// Longest id, in bytes. Longer ones are replaced by their digest: ids are stored and indexed, and a
/// header may be as long as the server allows.
const LONGEST: usize = 200;

/// What identifies a delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Identity {
    /// The sender's own id. Most senders do not sign it.
    Sender(Arc<str>),
    /// A digest of the content, where the sender gives no id. Two deliveries with the same content
    /// then count as one.
    Digest(Arc<str>),
    /// Nothing. The sender sends the same content for different events, so every delivery counts as a
    /// new one.
    Nothing,
}

impl Identity {
    /// The key that repeats of the delivery share. Empty where repeats cannot be recognised.
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

    /// The digest of a value, independent of how the body spelled it.
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
