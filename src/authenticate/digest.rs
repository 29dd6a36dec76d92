//! Plain hashes that include a shared secret, without the construction of an HMAC: only for older schemes
//! that senders still use.

use crate::authenticate::equal::same_digest;
use crate::authenticate::proof::first_match;
use crate::authenticate::{Proof, Refusal};
use crate::model::Secret;

/// Proof that `given` is the digest that `hash` returns for one of `secrets`.
///
/// # Errors
/// [`Refusal::BadSignature`] where none matches.
pub fn verify<'s>(
    secrets: impl IntoIterator<Item = (usize, &'s Secret)>,
    given: &[u8],
    hash: impl Fn(&Secret) -> Vec<u8>,
) -> Result<Proof, Refusal> {
    first_match(secrets, Refusal::BadSignature, |secret| same_digest(&hash(secret), given))
}
