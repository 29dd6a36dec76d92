//! Throw-away keys, with which samples are signed in the place of senders whose private keys nobody else
//! has. Every copy of the program contains them, so they prove nothing.

use crate::authenticate::keys::KeySet;
use crate::model::Secret;
use crate::providers::Published;

/// An RSA key of 2048 bits, in PEM form.
pub(super) fn private_key() -> Secret {
    Secret::new(include_str!("samples/keys/throw-away.private.pem"))
}

/// The public key to [`private_key`], in PEM form.
pub(super) fn public_key() -> Secret {
    Secret::new(include_str!("samples/keys/throw-away.public.pem"))
}

/// What the holder of [`private_key`] would publish at this address: a certificate, valid from 2020 to
/// 2099.
pub(super) fn published(url: &str) -> Option<Published> {
    let certificate = include_bytes!("samples/keys/throw-away.certificate.pem");
    let keys = KeySet::from_pem(certificate).ok()?;
    Some(Published { url: url.into(), keys })
}
