//! Public keys and certificates in PEM form (RFC 7468).

use x509_parser::pem::Pem;
use zeroize::Zeroizing;

use super::{KeyFault, KeySet, PublicKey, family};
use crate::model::Value;

/// Reads every public key and certificate in the text.
///
/// # Errors
/// Where the text holds anything else, such as a private key.
pub(super) fn read(bytes: &[u8]) -> Result<KeySet, KeyFault> {
    let blocks: Result<Vec<Pem>, _> = Pem::iter_from_buffer(bytes).collect();
    let blocks = blocks.map_err(|_| KeyFault::new("it is not in PEM form"))?;
    blocks.iter().map(key).collect::<Result<_, _>>().map(KeySet)
}

fn key(block: &Pem) -> Result<PublicKey, KeyFault> {
    match block.label.as_str() {
        "PUBLIC KEY" | "RSA PUBLIC KEY" => bare(&block.contents, None),
        "CERTIFICATE" => certificate(block),
        label if label.contains("PRIVATE KEY") => Err(KeyFault::new(
            "it holds a private key; give the public one, and keep the private one at the sender",
        )),
        _ => Err(KeyFault::new("it holds something that is neither a key nor a certificate")),
    }
}

fn certificate(block: &Pem) -> Result<PublicKey, KeyFault> {
    let certificate =
        block.parse_x509().map_err(|_| KeyFault::new("it holds a certificate that is broken"))?;
    let valid = certificate.validity();
    let times = (valid.not_before.timestamp(), valid.not_after.timestamp());
    bare(certificate.public_key().raw, Some(times))
}

fn bare(bytes: &[u8], valid: Option<(i64, i64)>) -> Result<PublicKey, KeyFault> {
    let family = family(bytes).ok_or_else(|| {
        KeyFault::new(
            "it holds a key that is not RSA of 2048 bits or more, P-256, P-384, P-521 or Ed25519",
        )
    })?;
    Ok(PublicKey { id: None, algorithm: None, family, bytes: bytes.to_vec(), valid })
}

/// The first PKCS#8 private key in the text.
pub(super) fn private_key(bytes: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let blocks = Pem::iter_from_buffer(bytes).filter_map(Result::ok);
    blocks
        .map(|block| (block.label, Zeroizing::new(block.contents)))
        .find(|(label, _)| label == "PRIVATE KEY")
        .map(|(_, contents)| contents)
}

/// Reads a JSON map from key names to certificates.
pub(super) fn certificates(bytes: &[u8]) -> Result<KeySet, KeyFault> {
    let map = Value::parse_json(bytes).map_err(|fault| {
        KeyFault::new(format!("it is not JSON: {} at line {}", fault.message, fault.line))
    })?;
    let keys = map.entries().map(|(name, certificate)| {
        let text = certificate.as_str().unwrap_or_default();
        let KeySet(keys) = read(text.as_bytes())?;
        Ok(keys.into_iter().map(|key| PublicKey { id: Some(name.to_owned()), ..key }))
    });
    let keys: Result<Vec<_>, KeyFault> = keys.collect();
    Ok(KeySet(keys?.into_iter().flatten().collect()))
}
