//! Makes tokens as issuers do, so that people can try a source out.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;

use super::Algorithm;
use super::algorithm::Key;
use crate::authenticate::{hmac, keys};
use crate::model::{Secret, Value};

/// A token with this algorithm cannot be signed with this key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CannotSign;

/// Makes a token with these claims, signed with a shared secret or a private key in PEM form.
///
/// # Errors
/// When the key does not fit the algorithm, or [`keys::sign`] does not support the algorithm.
pub fn sign(algorithm: Algorithm, claims: &Value, key: &Secret) -> Result<String, CannotSign> {
    let header = format!(r#"{{"alg":"{algorithm}","typ":"JWT"}}"#);
    let mut payload = String::new();
    claims.write_json(&mut payload).map_err(|_| CannotSign)?;
    let encode = |bytes: &[u8]| BASE64_URL_SAFE_NO_PAD.encode(bytes);
    let signed = format!("{}.{}", encode(header.as_bytes()), encode(payload.as_bytes()));
    let signature = match algorithm.key() {
        Key::Shared(hash) => hmac::mac(hash, key.expose(), &[signed.as_bytes()]),
        Key::Private(scheme) => keys::sign(scheme, key, signed.as_bytes()).ok_or(CannotSign)?,
    };
    Ok(format!("{signed}.{}", encode(&signature)))
}
