//! Comparison in constant time. No other file has one of its own.

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// Whether two secrets are equal. Their digests are compared, so that the time taken shows neither the
/// length of the right one nor how much of it was guessed.
pub fn same(ours: &[u8], theirs: &[u8]) -> bool {
    same_digest(&Sha256::digest(ours), &Sha256::digest(theirs))
}

/// Whether two digests are equal. The time taken shows only whether their lengths differ, and the length of
/// a digest is not secret.
pub(super) fn same_digest(ours: &[u8], theirs: &[u8]) -> bool {
    ours.ct_eq(theirs).into()
}
