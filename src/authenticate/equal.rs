//! Comparison in constant time, in the one place that has it.

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// True when two secrets are the same. Their digests are compared, so that the time taken does
/// not tell how long the right one is or how much of it was guessed.
pub fn same(ours: &[u8], theirs: &[u8]) -> bool {
    same_digest(&Sha256::digest(ours), &Sha256::digest(theirs))
}

/// True when two digests are the same. The time taken tells nothing but whether their lengths
/// differ, and the length of a digest is no secret.
pub(super) fn same_digest(ours: &[u8], theirs: &[u8]) -> bool {
    ours.ct_eq(theirs).into()
}
