//! Throw-away keys, to sign as senders do whose private keys nobody else has. They are in every copy
//! of the program, so they prove nothing.

use crate::authenticate::keys::KeySet;
use crate::model::Secret;
use crate::providers::Published;

/// An RSA key of 2048 bits, in PEM form.
pub(super) fn private_key() -> Secret {
    Secret::new(include_str!("samples/keys/throw-away.private.pem"))
}

/// The public half of it, in PEM form.
pub(super) fn public_key() -> Secret {
    Secret::new(include_str!("samples/keys/throw-away.public.pem"))
}

/// What the holder of that key would publish: a certificate, valid from 2020 to 2099.
pub(super) fn published(url: &str) -> Option<Published> {
    let certificate = include_bytes!("samples/keys/throw-away.certificate.pem");
    let keys = KeySet::from_pem(certificate).ok()?;
    Some(Published { url: url.into(), keys })
}
