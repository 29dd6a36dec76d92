//! A digest that a shared secret was hashed into, without the construction of an HMAC: only for
//! older schemes that senders still have.

use crate::authenticate::equal::same_digest;
use crate::authenticate::proof::first_match;
use crate::authenticate::{Proof, Refusal};
use crate::model::Secret;

/// Proof that `given` is what `hash` makes of one of `secrets`.
pub fn verify<'s>(
    secrets: impl IntoIterator<Item = (usize, &'s Secret)>,
    given: &[u8],
    hash: impl Fn(&Secret) -> Vec<u8>,
) -> Result<Proof, Refusal> {
    first_match(secrets, Refusal::BadSignature, |secret| same_digest(&hash(secret), given))
}
