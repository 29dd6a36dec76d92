//! HMAC signatures: a digest of the signed bytes under a shared key, written as hex or base64.
//!
//! It never picks the algorithm from the request: a scheme names one, and a header that claims
//! another is malformed.

use std::fmt;
use std::str::FromStr;

use ::hmac::{Hmac, KeyInit, Mac};
use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use http::HeaderName;

use crate::authenticate::equal::same_digest;
use crate::authenticate::headers::malformed;
use crate::authenticate::proof::first_match;
use crate::authenticate::{Proof, Refusal};
use crate::model::Secret;

/// The most signatures in one header. A header with more is refused unread, since each costs a comparison;
/// senders send one for each secret in use.
pub const MOST_SIGNATURES: usize = 32;

/// The hash function of an HMAC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// HMAC-SHA-1: not broken as a MAC, but not for new integrations.
    Sha1,
    /// HMAC-SHA-256.
    Sha256,
    /// HMAC-SHA-384.
    Sha384,
    /// HMAC-SHA-512.
    Sha512,
}

impl Algorithm {
    /// Every algorithm.
    pub const ALL: [Self; 4] = [Self::Sha1, Self::Sha256, Self::Sha384, Self::Sha512];

    /// Its name in a configuration.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sha1 => "sha1",
            Self::Sha256 => "sha256",
            Self::Sha384 => "sha384",
            Self::Sha512 => "sha512",
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Algorithm {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|algorithm| algorithm.as_str() == text).ok_or_else(|| {
            format!("`{text}` is not an algorithm; use sha1, sha256, sha384 or sha512")
        })
    }
}

/// How a signature's bytes are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// Hexadecimal, in either case.
    Hex,
    /// Base64 in the standard or the URL-safe alphabet, padded or not.
    Base64,
}

impl Encoding {
    /// Its name in a configuration.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Hex => "hex",
            Self::Base64 => "base64",
        }
    }

    /// Decodes the text; none where it is not valid in this encoding.
    pub fn decode(self, text: &str) -> Option<Vec<u8>> {
        match self {
            Self::Hex => hex::decode(text).ok(),
            Self::Base64 => base64(text),
        }
    }

    /// Encodes the bytes: hexadecimal in lower case, base64 in the standard alphabet with padding.
    pub fn encode(self, bytes: &[u8]) -> String {
        match self {
            Self::Hex => hex::encode(bytes),
            Self::Base64 => base64::prelude::BASE64_STANDARD.encode(bytes),
        }
    }
}

impl fmt::Display for Encoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Encoding {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        [Self::Hex, Self::Base64]
            .into_iter()
            .find(|encoding| encoding.as_str() == text)
            .ok_or_else(|| format!("`{text}` is not an encoding; use hex or base64"))
    }
}

/// How a header carries signatures.
#[derive(Clone, Copy, Debug)]
pub struct Scheme<'a> {
    /// The hash.
    pub algorithm: Algorithm,
    /// How the digest is written.
    pub encoding: Encoding,
    /// The text before each digest, such as `sha256=`.
    pub prefix: &'a str,
    /// Whether the prefix may be left out.
    pub prefix_optional: bool,
    /// The character between several signatures, any of which may match; none where there is only one.
    pub separator: Option<char>,
}

impl Scheme<'_> {
    /// HMAC-SHA-256 as bare hex.
    pub const HEX_SHA256: Self = Self {
        algorithm: Algorithm::Sha256,
        encoding: Encoding::Hex,
        prefix: "",
        prefix_optional: false,
        separator: None,
    };

    /// Proof that `value`, read from `header`, holds a signature of the joined `signed` parts under one of
    /// `secrets`.
    ///
    /// # Errors
    /// Why the request is refused.
    pub fn verify(
        &self,
        header: &HeaderName,
        value: &str,
        secrets: &[Secret],
        signed: &[&[u8]],
    ) -> Result<Proof, Refusal> {
        let given = self.signatures(header, value)?;
        verify(self.algorithm, secrets.iter().enumerate(), signed, &given)
    }

    /// The header value that a sender would write.
    pub fn sign(&self, secret: &Secret, signed: &[&[u8]]) -> String {
        let digest = mac(self.algorithm, secret.expose(), signed);
        format!("{}{}", self.prefix, self.encoding.encode(&digest))
    }

    /// Reads the signatures in a header. Entries of another form are skipped.
    ///
    /// # Errors
    /// Where there is no signature, or there are more than [`MOST_SIGNATURES`].
    pub fn signatures(&self, header: &HeaderName, value: &str) -> Result<Vec<Vec<u8>>, Refusal> {
        let entries = split(header, value, self.separator)?;
        let given: Vec<_> = entries.into_iter().filter_map(|entry| self.signature(entry)).collect();
        if given.is_empty() { Err(malformed(header, self.expected())) } else { Ok(given) }
    }

    fn signature(&self, entry: &str) -> Option<Vec<u8>> {
        let digest = match entry.strip_prefix(self.prefix) {
            Some(digest) => digest,
            None if self.prefix_optional => entry,
            None => return None,
        };
        self.encoding.decode(digest).filter(|bytes| !bytes.is_empty())
    }

    fn expected(&self) -> &'static str {
        match (self.encoding, self.prefix.is_empty()) {
            (Encoding::Hex, true) => "a signature in hex",
            (Encoding::Hex, false) => "a prefix with a signature in hex",
            (Encoding::Base64, true) => "a signature in base64",
            (Encoding::Base64, false) => "a prefix with a signature in base64",
        }
    }
}

/// Proof that one of `given` is the HMAC of the joined `parts` under one of `secrets`.
///
/// Each secret comes with its index in the list of secrets, since a scheme may use only some of them.
///
/// # Errors
/// [`Refusal::BadSignature`] where none matches.
pub fn verify<'s>(
    algorithm: Algorithm,
    secrets: impl IntoIterator<Item = (usize, &'s Secret)>,
    parts: &[&[u8]],
    given: &[Vec<u8>],
) -> Result<Proof, Refusal> {
    first_match(secrets, Refusal::BadSignature, |secret| {
        let ours = mac(algorithm, secret.expose(), parts);
        given.iter().any(|theirs| same_digest(&ours, theirs))
    })
}

/// The HMAC of the joined parts.
pub fn mac(algorithm: Algorithm, key: &[u8], parts: &[&[u8]]) -> Vec<u8> {
    match algorithm {
        Algorithm::Sha1 => digest::<Hmac<sha1::Sha1>>(key, parts),
        Algorithm::Sha256 => digest::<Hmac<sha2::Sha256>>(key, parts),
        Algorithm::Sha384 => digest::<Hmac<sha2::Sha384>>(key, parts),
        Algorithm::Sha512 => digest::<Hmac<sha2::Sha512>>(key, parts),
    }
}

/// Decodes base64 in the standard or the URL-safe alphabet, padded or not; none where it is not valid.
///
/// Unused bits at the end must be zero, so that no two texts differ in those bits alone.
pub fn base64(text: &str) -> Option<Vec<u8>> {
    const LENIENT: GeneralPurposeConfig =
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, LENIENT);
    const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, LENIENT);
    let engine = if text.contains(['-', '_']) { &URL_SAFE } else { &STANDARD };
    engine.decode(text).ok()
}

/// The entries of a header; one where there is no separator.
///
/// # Errors
/// Where there are more than [`MOST_SIGNATURES`].
pub(super) fn split<'v>(
    header: &HeaderName,
    value: &'v str,
    separator: Option<char>,
) -> Result<Vec<&'v str>, Refusal> {
    let Some(separator) = separator else {
        return Ok(vec![value]);
    };
    let entries: Vec<_> = value.split(separator).map(str::trim).take(MOST_SIGNATURES + 1).collect();
    if entries.len() > MOST_SIGNATURES {
        return Err(malformed(header, "a list of at most 32 signatures"));
    }
    Ok(entries)
}

fn digest<M: Mac + KeyInit>(key: &[u8], parts: &[&[u8]]) -> Vec<u8> {
    let mut mac = <M as KeyInit>::new_from_slice(key).expect("an HMAC takes a key of any length");
    parts.iter().for_each(|part| mac.update(part));
    mac.finalize().into_bytes().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_is_that_of_rfc_4231_test_case_2() {
        let digest = mac(Algorithm::Sha256, b"Jefe", &[b"what do ya want ", b"for nothing?"]);
        assert_eq!(
            hex::encode(digest),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
    }

    #[test]
    fn base64_is_read_in_both_alphabets_with_and_without_padding() {
        for text in ["+/8=", "+/8", "-_8=", "-_8"] {
            assert_eq!(base64(text), Some(vec![0xfb, 0xff]), "{text}");
        }
        for text in ["+_8=", "+/9=", "+/8==", "*"] {
            assert_eq!(base64(text), None, "{text}");
        }
    }

    #[test]
    fn a_list_of_too_many_signatures_is_refused_unread() {
        let value = "00,".repeat(MOST_SIGNATURES + 1);
        let refused = split(&http::header::HOST, &value, Some(',')).expect_err("too many");
        assert_eq!(refused.reason(), "malformed_header");
    }
}
