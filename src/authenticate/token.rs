//! A header that holds the secret itself, compared in constant time.
//!
//! It proves who sent the request, not that the body is theirs: whoever reads one such request
//! can write others. Providers use it only where the sender signs nothing.

use http::HeaderName;

use crate::authenticate::headers::{malformed, one_bytes};
use crate::authenticate::proof::first_match;
use crate::authenticate::{Proof, Refusal, Unverified, same};
use crate::model::Secret;

/// Proof that `header` holds `prefix` and then one of `secrets`, which carry their place in the
/// source's list.
pub fn verify<'s>(
    request: &Unverified<'_>,
    header: &HeaderName,
    prefix: &str,
    secrets: impl IntoIterator<Item = (usize, &'s Secret)>,
) -> Result<Proof, Refusal> {
    let given = one_bytes(request.headers, header)?
        .strip_prefix(prefix.as_bytes())
        .ok_or_else(|| malformed(header, "the configured prefix with a token"))?;
    first_match(secrets, Refusal::WrongCredentials, |secret| same(secret.expose(), given))
}

/// Proof that `given`, which came in some other place than a header, is one of `secrets`.
pub fn verify_text<'s>(
    given: &str,
    secrets: impl IntoIterator<Item = (usize, &'s Secret)>,
) -> Result<Proof, Refusal> {
    first_match(secrets, Refusal::WrongCredentials, |secret| {
        same(secret.expose(), given.as_bytes())
    })
}
