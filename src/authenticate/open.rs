//! No authentication at all, for a source whose configuration asks for that explicitly.

use crate::authenticate::Proof;

/// Proof for a request to a source whose configuration says `dangerously_unauthenticated: true`.
/// The name is long so that every place that calls it is seen in review.
pub fn dangerously_unauthenticated() -> Proof {
    Proof::open()
}
