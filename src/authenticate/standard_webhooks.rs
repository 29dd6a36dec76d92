//! Standard Webhooks: three headers (id, timestamp, a list of signatures) over
//! `{id}.{timestamp}.{body}`, as HMAC-SHA-256 (`v1`) or Ed25519 (`v1a`).
//!
//! A delivery's id must come from the set of headers that was verified. [`Names::in_use`] alone chooses the
//! set.

use std::time::Duration;

use http::{HeaderMap, HeaderName};
use jiff::Timestamp;

use crate::authenticate::equal::same_digest;
use crate::authenticate::headers::{malformed, one};
use crate::authenticate::hmac::{self, Algorithm, Encoding, base64, mac};
use crate::authenticate::proof::first_match;
use crate::authenticate::timestamp::{self, Unit};
use crate::authenticate::{Proof, Refusal, Unverified, ed25519};
use crate::model::Secret;

/// The names of the three headers.
#[derive(Debug, PartialEq, Eq)]
pub struct Names {
    /// The message's id, which stays the same when the sender tries again.
    pub id: HeaderName,
    /// When it was signed, in seconds since 1970.
    pub timestamp: HeaderName,
    /// One or more signatures, separated by spaces.
    pub signature: HeaderName,
}

/// The names in the specification.
pub static STANDARD: Names = Names {
    id: HeaderName::from_static("webhook-id"),
    timestamp: HeaderName::from_static("webhook-timestamp"),
    signature: HeaderName::from_static("webhook-signature"),
};

/// The names that Svix uses.
pub static SVIX: Names = Names {
    id: HeaderName::from_static("svix-id"),
    timestamp: HeaderName::from_static("svix-timestamp"),
    signature: HeaderName::from_static("svix-signature"),
};

impl Names {
    /// The set to verify the request with: Svix's names where only Svix's signature header is there, else
    /// the standard ones. Headers of the two sets are never mixed.
    pub fn in_use(headers: &HeaderMap) -> &'static Names {
        let only_svix =
            headers.contains_key(&SVIX.signature) && !headers.contains_key(&STANDARD.signature);
        if only_svix { &SVIX } else { &STANDARD }
    }
}

/// A secret of this scheme; its prefix says of which kind it is.
pub enum Key {
    /// `whsec_` or no prefix: shared bytes, in base64.
    Shared(Secret),
    /// `whpk_`: an Ed25519 public key, in base64.
    Public(ed25519_dalek::VerifyingKey),
    /// `whsk_`: an Ed25519 private key, which only a sender has.
    Private(Secret),
}

impl Key {
    /// Reads a secret's text.
    ///
    /// # Errors
    /// What is wrong with its form, without any of its content.
    pub fn read(secret: &Secret) -> Result<Self, &'static str> {
        let text = str::from_utf8(secret.expose()).map_err(|_| "is not text")?;
        if let Some(key) = text.strip_prefix("whpk_") {
            let bytes = base64(key).ok_or("is not base64 after `whpk_`")?;
            let key = ed25519::public_key(&bytes).ok_or("is not an Ed25519 public key")?;
            return Ok(Self::Public(key));
        }
        if let Some(key) = text.strip_prefix("whsk_") {
            let bytes = base64(key).ok_or("is not base64 after `whsk_`")?;
            return Ok(Self::Private(Secret::new(bytes)));
        }
        let bytes = base64(text.strip_prefix("whsec_").unwrap_or(text));
        match bytes {
            None => Err("is not base64; copy it as the sender shows it, with `whsec_`"),
            Some(bytes) if bytes.is_empty() => Err("is empty"),
            Some(bytes) => Ok(Self::Shared(Secret::new(bytes))),
        }
    }

    /// Makes the signature entry that the sender writes; none for a public key.
    fn sign(&self, parts: &[&[u8]]) -> Option<String> {
        match self {
            Self::Shared(key) => {
                let digest = mac(Algorithm::Sha256, key.expose(), parts);
                Some(format!("v1,{}", Encoding::Base64.encode(&digest)))
            }
            Self::Private(key) => {
                let signature = ed25519::sign(key, &parts.concat())?;
                Some(format!("v1a,{}", Encoding::Base64.encode(&signature)))
            }
            Self::Public(_) => None,
        }
    }

    fn matches(&self, parts: &[&[u8]], given: &Given) -> bool {
        match self {
            Self::Shared(key) => {
                let ours = mac(Algorithm::Sha256, key.expose(), parts);
                given.v1.iter().any(|theirs| same_digest(&ours, theirs))
            }
            Self::Public(_) if given.v1a.is_empty() => false,
            Self::Public(key) => {
                let message = parts.concat();
                given.v1a.iter().any(|signature| ed25519::matches(key, &message, signature))
            }
            Self::Private(_) => false,
        }
    }
}

/// Proof that the request is signed under one of `secrets`, and that its timestamp is within `tolerance` of
/// `now`. Each secret is given with its index in the list of secrets.
///
/// # Errors
/// Why the request is refused. A time outside the tolerance is reported only where the signature is right.
pub fn verify<'s>(
    request: &Unverified<'_>,
    names: &Names,
    secrets: impl IntoIterator<Item = (usize, &'s Secret)>,
    tolerance: Duration,
    now: Timestamp,
) -> Result<Proof, Refusal> {
    let id = one(request.headers, &names.id)?;
    let time = one(request.headers, &names.timestamp)?;
    timestamp::readable(&names.timestamp, time, Unit::Seconds)?;
    let given = Given::read(&names.signature, one(request.headers, &names.signature)?)?;
    let parts = signed(id, time, request.body);
    let mut usable = secrets.into_iter().filter(|(_, secret)| Key::read(secret).is_ok()).peekable();
    if usable.peek().is_none() {
        return Err(Refusal::NoUsableSecret);
    }
    let proof = first_match(usable, Refusal::BadSignature, |secret| {
        Key::read(secret).is_ok_and(|key| key.matches(&parts, &given))
    })?;
    timestamp::check(&names.timestamp, time, Unit::Seconds, tolerance, now)?;
    Ok(proof)
}

/// Makes the signature entry that the holder of `secret` writes; none where the secret cannot sign.
pub fn sign(secret: &Secret, id: &str, time: &str, body: &[u8]) -> Option<String> {
    Key::read(secret).ok()?.sign(&signed(id, time, body))
}

fn signed<'a>(id: &'a str, time: &'a str, body: &'a [u8]) -> [&'a [u8]; 5] {
    [id.as_bytes(), b".", time.as_bytes(), b".", body]
}

/// The signatures in a header, by version. Entries of other versions are skipped, as the specification
/// asks, so that senders can introduce new ones.
struct Given {
    v1: Vec<Vec<u8>>,
    v1a: Vec<Vec<u8>>,
}

impl Given {
    fn read(header: &HeaderName, value: &str) -> Result<Self, Refusal> {
        let mut given = Self { v1: Vec::new(), v1a: Vec::new() };
        for entry in hmac::split(header, value, Some(' '))? {
            match entry.split_once(',') {
                Some(("v1", text)) => given.v1.extend(base64(text)),
                Some(("v1a", text)) => given.v1a.extend(base64(text)),
                _ => {}
            }
        }
        if given.v1.is_empty() && given.v1a.is_empty() {
            return Err(malformed(header, "a list with a signature `v1,…` or `v1a,…` in base64"));
        }
        Ok(given)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shape_of_a_secret_is_told_without_its_content() {
        for (text, fault) in [
            ("whsec_", "is empty"),
            ("", "is empty"),
            ("whpk_AAAA", "is not an Ed25519 public key"),
            ("whpk_*", "is not base64 after `whpk_`"),
            ("not base64!", "is not base64; copy it as the sender shows it, with `whsec_`"),
        ] {
            assert_eq!(Key::read(&Secret::new(text)).err(), Some(fault), "{text}");
        }
        assert!(matches!(Key::read(&Secret::new("MfKQ9r8GKYqr")), Ok(Key::Shared(_))));
    }

    #[test]
    fn a_private_key_signs_what_its_public_key_verifies() {
        let pair = ed25519_dalek::SigningKey::from_bytes(&[7; 32]);
        let private = Secret::new(pair.to_keypair_bytes());
        let signature = ed25519::sign(&private, b"message").expect("a key pair");
        let public = ed25519::public_key(pair.verifying_key().as_bytes()).expect("a good key");
        assert!(ed25519::matches(&public, b"message", &signature));
        assert!(!ed25519::matches(&public, b"massage", &signature));
    }

    #[test]
    fn a_weak_public_key_is_no_key() {
        assert!(ed25519::public_key(&[0; 32]).is_none());
    }
}
