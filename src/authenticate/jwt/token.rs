//! A token as it came in: its three parts and its header, not verified yet.
//!
//! Keys in the header or references to them (`jwk`, `jku`, `x5u`, `x5c`) are never used: a token must not
//! bring the key that verifies it. It may only name a known one.

use std::str::FromStr as _;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;

use super::Algorithm;
use crate::authenticate::Refusal;
use crate::model::Value;

/// Tokens of more bytes than this are refused unread. Those of CI systems have some 2 kB.
const LONGEST: usize = 16 * 1024;

/// A token, split into its parts.
pub(super) struct Token<'t> {
    pub(super) algorithm: Algorithm,
    /// The name of the key that it says it was signed with.
    pub(super) key: Option<String>,
    /// The bytes that are signed.
    pub(super) signed: &'t [u8],
    pub(super) signature: Vec<u8>,
    payload: Vec<u8>,
}

impl<'t> Token<'t> {
    /// Splits and decodes a token. Each part must be canonical base64url without padding.
    ///
    /// # Errors
    /// Where it is not a token, or not of a type and algorithm that are known here.
    pub(super) fn read(text: &'t str) -> Result<Self, Refusal> {
        const FORM: Refusal = Refusal::UnfitToken("is not a signed token of three parts");
        if text.len() > LONGEST {
            return Err(Refusal::UnfitToken("is longer than 16 KiB"));
        }
        let (signed, signature) = text.rsplit_once('.').ok_or(FORM)?;
        let (header, payload) = signed.split_once('.').ok_or(FORM)?;
        let decode = |part: &str| BASE64_URL_SAFE_NO_PAD.decode(part).map_err(|_| FORM);
        let header = Value::parse_json(&decode(header)?).map_err(|_| FORM)?;
        Ok(Self {
            algorithm: algorithm(&header)?,
            key: key_name(&header)?,
            signed: signed.as_bytes(),
            signature: decode(signature)?,
            payload: decode(payload)?,
        })
    }

    /// Parses its claims.
    ///
    /// # Errors
    /// Where they are not a JSON object.
    pub(super) fn claims(&self) -> Result<Value, Refusal> {
        match Value::parse_json(&self.payload) {
            Ok(claims @ Value::Map(_)) => Ok(claims),
            _ => Err(Refusal::UnfitToken("holds no claims in JSON")),
        }
    }
}

fn algorithm(header: &Value) -> Result<Algorithm, Refusal> {
    // Both name extensions that a reader must support. None is supported here.
    if header.get("crit").is_some() || header.get("b64").is_some() {
        return Err(Refusal::UnfitToken("needs an extension that is not known"));
    }
    if !header.get("typ").is_none_or(is_plain_type) {
        return Err(Refusal::UnfitToken("is of another type than JWT"));
    }
    let name = header.get("alg").and_then(Value::as_str).unwrap_or_default();
    Algorithm::from_str(name).map_err(|_| Refusal::UnfitToken("has no algorithm that is known"))
}

/// Whether the type is that of an ordinary token. The same issuers sign logout tokens, proofs of possession
/// and the like, which must not be accepted here.
fn is_plain_type(value: &Value) -> bool {
    let text = value.as_str().unwrap_or_default().to_ascii_lowercase();
    matches!(text.strip_prefix("application/").unwrap_or(&text), "jwt" | "at+jwt")
}

fn key_name(header: &Value) -> Result<Option<String>, Refusal> {
    match header.get("kid") {
        None => Ok(None),
        Some(Value::Text(name)) => Ok(Some(name.to_string())),
        Some(_) => Err(Refusal::UnfitToken("names its key by something that is not text")),
    }
}
