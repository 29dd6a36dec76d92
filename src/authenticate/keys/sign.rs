//! Signs with a private key as senders do, so that people can try a source out.

use aws_lc_rs::digest;
use aws_lc_rs::signature::{self, Ed25519KeyPair, RsaEncoding, RsaKeyPair};

use super::{Scheme, pem};
use crate::model::Secret;

/// Signs a message with a private key (PKCS#8 in PEM form).
///
/// The result is none where the key is not of that form, and for schemes that are not supported: those that
/// need random bits, which this pure step does not have, and SHA-1, which nobody should sign with.
pub fn sign(scheme: Scheme, key: &Secret, message: &[u8]) -> Option<Vec<u8>> {
    let pkcs8 = pem::private_key(key.expose())?;
    match scheme {
        Scheme::Ed25519 => {
            let pair = Ed25519KeyPair::from_pkcs8(&pkcs8).ok()?;
            Some(pair.sign(message).as_ref().to_vec())
        }
        Scheme::RsaSha256 => rsa(&pkcs8, &signature::RSA_PKCS1_SHA256, &digest::SHA256, message),
        Scheme::RsaSha384 => rsa(&pkcs8, &signature::RSA_PKCS1_SHA384, &digest::SHA384, message),
        Scheme::RsaSha512 => rsa(&pkcs8, &signature::RSA_PKCS1_SHA512, &digest::SHA512, message),
        _ => None,
    }
}

fn rsa(
    pkcs8: &[u8],
    padding: &'static dyn RsaEncoding,
    hash: &'static digest::Algorithm,
    message: &[u8],
) -> Option<Vec<u8>> {
    let pair = RsaKeyPair::from_pkcs8(pkcs8).ok()?;
    let mut signature = vec![0; pair.public_modulus_len()];
    pair.sign_digest(padding, &digest::digest(hash, message), &mut signature).ok()?;
    Some(signature)
}
