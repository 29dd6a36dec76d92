//! A header that holds the secret itself, compared in constant time.
//!
//! It proves that the sender knows the secret, but not that the body is theirs: whoever reads one such
//! request can forge others. Providers use it where the sender does not sign, or in addition to a signature.

use http::HeaderName;

use crate::authenticate::headers::{malformed, one_bytes};
use crate::authenticate::proof::first_match;
use crate::authenticate::{Proof, Refusal, Unverified, same};
use crate::model::Secret;

/// Proof that `header` holds `prefix` and then one of `secrets`. Each is given with its index in the list of
/// secrets.
///
/// # Errors
/// Where the header is missing or malformed, or no secret is equal to it.
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

/// Proof that `given`, which did not come in a header, is one of `secrets`. Each is given with its index in
/// the list of secrets.
///
/// # Errors
/// [`Refusal::WrongCredentials`] where it is none of them.
pub fn verify_text<'s>(
    given: &str,
    secrets: impl IntoIterator<Item = (usize, &'s Secret)>,
) -> Result<Proof, Refusal> {
    first_match(secrets, Refusal::WrongCredentials, |secret| {
        same(secret.expose(), given.as_bytes())
    })
}
