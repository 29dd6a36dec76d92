//! HTTP basic authentication: a user name and a password, both compared in constant time.

use http::header::AUTHORIZATION;

use crate::authenticate::headers::{malformed, one};
use crate::authenticate::proof::first_match;
use crate::authenticate::{Proof, Refusal, Unverified, hmac, same};
use crate::model::Secret;

/// Proof that the request names `user` and one of `passwords`.
///
/// # Errors
/// Where the header is missing or malformed, or the user or the password is wrong.
pub fn verify(
    request: &Unverified<'_>,
    user: &str,
    passwords: &[Secret],
) -> Result<Proof, Refusal> {
    let given = credentials(request)?;
    let colon = given.iter().position(|byte| *byte == b':').ok_or_else(not_basic)?;
    let right_user = same(user.as_bytes(), &given[..colon]);
    let password = &given[colon + 1..];
    first_match(passwords.iter().enumerate(), Refusal::WrongCredentials, |secret| {
        // Both are always compared, so that the time taken does not tell which of them was right.
        right_user & same(secret.expose(), password)
    })
}

fn credentials(request: &Unverified<'_>) -> Result<Vec<u8>, Refusal> {
    let value = one(request.headers, &AUTHORIZATION)?;
    let (scheme, encoded) = value.split_once(' ').ok_or_else(not_basic)?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return Err(not_basic());
    }
    hmac::base64(encoded.trim()).ok_or_else(not_basic)
}

fn not_basic() -> Refusal {
    malformed(&AUTHORIZATION, "`Basic` with a user name and a password in base64")
}
