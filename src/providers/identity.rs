//! What identifies a delivery, so that a repeat of it is recognised.

use std::fmt::Write as _;
use std::sync::Arc;

use http::{HeaderMap, HeaderName};
use jiff::Timestamp;
use sha2::{Digest, Sha256};

use crate::model::{ContentDigest, Value};
use crate::providers::Options;

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
    /// The same, where the content came with a token that would prove it again until it expires.
    Token {
        /// The digest.
        key: Arc<str>,
        /// When the token expires.
        until: Timestamp,
    },
}

impl Identity {
    /// The key that repeats of the delivery share.
    pub fn key(&self) -> Arc<str> {
        match self {
            Self::Sender(key) | Self::Digest(key) | Self::Token { key, .. } => key.clone(),
        }
    }

    /// Whether the sender gave the delivery an id.
    pub fn is_of_sender(&self) -> bool {
        matches!(self, Self::Sender(_))
    }

    /// The digest that tells two deliveries of one key apart. An id of the sender says nothing of the
    /// content, and neither the id nor the name of the event is signed as a rule, so both the name and the
    /// content are digested. A key that is a digest of the content tells everything already.
    pub(crate) fn content(&self, event: &str, content: &[u8]) -> ContentDigest {
        // BLAKE3, since this is done for each delivery: it takes half of the time of SHA-256 where the processor
        // has instructions for that, and a quarter where it has not.
        let mut hash = blake3::Hasher::new();
        match self {
            Self::Sender(_) => {
                // The content is digested by itself: at once, it is digested in parallel.
                hash.update(blake3::hash(content).as_bytes());
                hash.update(event.as_bytes());
            }
            Self::Digest(key) | Self::Token { key, .. } => {
                hash.update(key.as_bytes());
            }
        }
        let mut digest = [0; ContentDigest::SIZE];
        hash.finalize_xof().fill(&mut digest);
        ContentDigest::from_bytes(digest)
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
        Self::of_bytes(&[json(value).as_bytes()])
    }

    pub(super) fn of_bytes(parts: &[&[u8]]) -> Self {
        Self::Digest(sha256(parts))
    }
}

/// Headers in which senders of many kinds name their deliveries, in lower case.
const ID_HEADERS: [&str; 14] = [
    "x-github-delivery",
    "x-gitea-delivery",
    "x-gogs-delivery",
    "x-forgejo-delivery",
    "webhook-id",
    "svix-id",
    "x-gitlab-webhook-uuid",
    "x-gitlab-event-uuid",
    "x-request-uuid",
    "x-request-id",
    "x-hook0-id",
    "x-shopify-webhook-id",
    "x-amz-sns-message-id",
    "idempotency-key",
];

/// The delivery id in the place that the source's options say, or in a header that names one.
pub(super) fn named_id(headers: &HeaderMap, body: &Value, options: &Options) -> Option<String> {
    let configured = options.delivery_id.as_ref();
    configured.and_then(|place| place.read(headers, body)).or_else(|| {
        let texts = ID_HEADERS.iter().filter_map(|name| headers.get(*name)?.to_str().ok());
        texts.filter(|text| !text.is_empty()).map(str::to_owned).next()
    })
}

/// A value's JSON without these fields of the whole, or of each element where it is a list.
pub(super) fn json_without(value: &Value, fields: &[&str]) -> String {
    json(&without(value, fields))
}

/// The value without these fields, or without these fields of each element where it is a list.
pub(super) fn without(value: &Value, fields: &[&str]) -> Value {
    match value {
        Value::List(values) => {
            Value::list(values.iter().map(|value| without(value, fields)).collect())
        }
        Value::Map(_) => {
            let others = value.entries().filter(|(name, _)| !fields.contains(name));
            Value::map(others.map(|(name, value)| (name, value.clone())).collect())
        }
        other => other.clone(),
    }
}

fn json(value: &Value) -> String {
    let mut text = String::new();
    value.write_json(&mut text).expect("a string takes whatever is written");
    text
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_id_with_another_body_or_another_event_is_other_content() {
        let id = Identity::of_sender("72d3162e");
        let first = id.content("push", b"{}");
        assert_eq!(first, id.content("push", b"{}"));
        assert_ne!(first, id.content("push", b"{ }"));
        assert_ne!(first, id.content("ping", b"{}"));
        assert_ne!(id.content("a", b"b{}"), id.content("ab", b"{}"), "no byte changes its place");
    }

    #[test]
    fn a_key_that_is_a_digest_tells_the_content_whatever_an_unsigned_header_says() {
        let digest = Identity::of_bytes(&[b"{}"]);
        assert_eq!(digest.content("push", b"{}"), digest.content("ping", b"{}"));
        // An id that looks like such a key does not stand for that content.
        let forged = Identity::of_sender(&digest.key());
        assert_ne!(digest.content("push", b"{}"), forged.content("push", b"{}"));
    }
}
