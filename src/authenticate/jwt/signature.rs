//! Checks whether a token was signed with a key. The `jsonwebtoken` library does the check, with AWS-LC. The
//! callers choose the algorithm and the keys, never the token alone.
//!
//! The library's own decoding is not used. It accepts tokens that are refused here, such as one whose `crit`
//! names `b64`, and refuses others because of keys in their header, which are ignored here.

use jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER;
use jsonwebtoken::{Algorithm as Known, DecodingKey};

use super::Algorithm;
use super::token::Token;
use crate::authenticate::keys::{Candidate, Family};

/// Whether this shared secret signed it.
pub(super) fn is_by_secret(token: &Token<'_>, secret: &[u8]) -> bool {
    let key = DecodingKey::from_secret(secret);
    known(token.algorithm)
        .zip(key.ok())
        .is_some_and(|(algorithm, key)| is_by(token, algorithm, &key))
}

/// Whether the private half of this public key signed it.
pub(super) fn is_by_key(token: &Token<'_>, candidate: Candidate<'_>) -> bool {
    let bytes = candidate.bytes();
    let key = match candidate.family() {
        Family::Rsa => DecodingKey::from_rsa_der(bytes),
        Family::P256 | Family::P384 | Family::P521 => DecodingKey::from_ec_der(bytes),
        Family::Ed25519 => DecodingKey::from_ed_der(bytes),
    };
    match known(token.algorithm) {
        Some(algorithm) => is_by(token, algorithm, &key),
        None => candidate.made(token.signed, &token.signature),
    }
}

/// Checks the signature with AWS-LC, which is named here so that nothing depends on the process's default
/// provider.
fn is_by(token: &Token<'_>, algorithm: Known, key: &DecodingKey) -> bool {
    let verifier = (DEFAULT_PROVIDER.verifier_factory)(&algorithm, key);
    verifier.is_ok_and(|verifier| verifier.verify(token.signed, &token.signature).is_ok())
}

/// The library's name for the algorithm. The library has no ES512: for that, AWS-LC is called directly.
fn known(algorithm: Algorithm) -> Option<Known> {
    Some(match algorithm {
        Algorithm::Hs256 => Known::HS256,
        Algorithm::Hs384 => Known::HS384,
        Algorithm::Hs512 => Known::HS512,
        Algorithm::Rs256 => Known::RS256,
        Algorithm::Rs384 => Known::RS384,
        Algorithm::Rs512 => Known::RS512,
        Algorithm::Ps256 => Known::PS256,
        Algorithm::Ps384 => Known::PS384,
        Algorithm::Ps512 => Known::PS512,
        Algorithm::Es256 => Known::ES256,
        Algorithm::Es384 => Known::ES384,
        Algorithm::Es512 => return None,
        Algorithm::EdDsa => Known::EdDSA,
    })
}
