//! JSON Web Key Sets (RFC 7517, 7518, 8037).

use aws_lc_rs::encoding::{AsDer as _, PublicKeyX509Der};
use aws_lc_rs::signature::RsaPublicKeyComponents;

use super::{Family, KeyFault, KeySet, PublicKey};
use crate::authenticate::hmac::base64;
use crate::model::Value;

pub(super) fn read(bytes: &[u8]) -> Result<KeySet, KeyFault> {
    let set = Value::parse_json(bytes).map_err(|fault| {
        KeyFault::new(format!("it is not JSON: {} at line {}", fault.message, fault.line))
    })?;
    let keys = set.get("keys").and_then(Value::as_list);
    let keys = keys.ok_or_else(|| KeyFault::new("it is not a key set: it has no list `keys`"))?;
    Ok(KeySet(keys.iter().filter_map(key).collect()))
}

/// Reads one key; none where it is not for signatures, is incomplete, or is of an unknown kind.
fn key(jwk: &Value) -> Option<PublicKey> {
    if !is_for_signatures(jwk) {
        return None;
    }
    let (family, bytes) = match (text(jwk, "kty")?, text(jwk, "crv")) {
        ("RSA", _) => (Family::Rsa, rsa(jwk)?),
        ("EC", Some("P-256")) => (Family::P256, point(jwk, 32)?),
        ("EC", Some("P-384")) => (Family::P384, point(jwk, 48)?),
        ("EC", Some("P-521")) => (Family::P521, point(jwk, 66)?),
        ("OKP", Some("Ed25519")) => (Family::Ed25519, number(jwk, "x")?),
        _ => return None,
    };
    (super::family(&bytes) == Some(family)).then(|| PublicKey {
        id: text(jwk, "kid").map(str::to_owned),
        algorithm: text(jwk, "alg").map(str::to_owned),
        family,
        bytes,
        valid: None,
    })
}

fn is_for_signatures(jwk: &Value) -> bool {
    let usage = jwk.get("use").is_none_or(|usage| usage.as_str() == Some("sig"));
    let verifies = |list: &[Value]| list.iter().any(|word| word.as_str() == Some("verify"));
    usage && jwk.get("key_ops").is_none_or(|list| list.as_list().is_some_and(verifies))
}

fn rsa(jwk: &Value) -> Option<Vec<u8>> {
    let components = RsaPublicKeyComponents { n: number(jwk, "n")?, e: number(jwk, "e")? };
    let der: PublicKeyX509Der<'_> = components.as_der().ok()?;
    Some(der.as_ref().to_vec())
}

/// An uncompressed point: the byte 4, then both coordinates of `length` bytes.
fn point(jwk: &Value, length: usize) -> Option<Vec<u8>> {
    let (x, y) = (number(jwk, "x")?, number(jwk, "y")?);
    (x.len() == length && y.len() == length).then(|| [&[4][..], &x, &y].concat())
}

fn number(jwk: &Value, name: &str) -> Option<Vec<u8>> {
    base64(text(jwk, name)?)
}

fn text<'v>(jwk: &'v Value, name: &str) -> Option<&'v str> {
    jwk.get(name).and_then(Value::as_str)
}
