//! Ed25519 signatures: the sender holds the private key, the gateway only the public one.
//!
//! Verification is strict: weak keys are refused, and so are the variants of a signature that a lax check
//! would accept too.

use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};

use crate::authenticate::proof::first_match;
use crate::authenticate::{Proof, Refusal};
use crate::model::Secret;

/// Reads a public key; none where the bytes are not a key, or a weak one.
pub fn public_key(bytes: &[u8]) -> Option<VerifyingKey> {
    let key = VerifyingKey::from_bytes(bytes.try_into().ok()?).ok()?;
    (!key.is_weak()).then_some(key)
}

/// Whether `signature` is the key's signature of `message`. It returns no proof, since other mechanisms
/// combine it with further checks.
pub(super) fn matches(key: &VerifyingKey, message: &[u8], signature: &[u8]) -> bool {
    Signature::from_slice(signature)
        .is_ok_and(|signature| key.verify_strict(message, &signature).is_ok())
}

/// Proof that `signature` is a signature of `message` under one of `keys`: public keys of 32 bytes, each with
/// its index in the list of secrets. Bytes that are no such key match nothing.
///
/// # Errors
/// [`Refusal::BadSignature`] where none matches.
pub fn verify<'s>(
    keys: impl IntoIterator<Item = (usize, &'s Secret)>,
    message: &[u8],
    signature: &[u8],
) -> Result<Proof, Refusal> {
    first_match(keys, Refusal::BadSignature, |key| {
        public_key(key.expose()).is_some_and(|key| matches(&key, message, signature))
    })
}

/// Signs `message` with a private key (64 bytes: seed, then public key); none where the bytes are no such
/// key.
pub fn sign(private_key: &Secret, message: &[u8]) -> Option<[u8; 64]> {
    let key = SigningKey::from_keypair_bytes(private_key.expose().try_into().ok()?).ok()?;
    Some(key.sign(message).to_bytes())
}
