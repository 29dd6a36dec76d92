//! Deliveries that were authentic when they were accepted, and are looked at again.
//!
//! Their signed timestamps have long run out and the headers that carried a secret were never
//! kept, so they cannot be checked a second time.

use crate::authenticate::Proof;
use crate::model::Value;

/// Proof for a delivery that was read back from the store (to replay or explain it), and for
/// nothing that came over the network. The claims that its first proof held were kept beside it.
pub fn kept(claims: Value) -> Proof {
    Proof::kept(claims)
}
