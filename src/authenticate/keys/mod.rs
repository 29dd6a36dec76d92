//! Public keys that a sender publishes, or that were copied into a file, and verification with them.
//!
//! A key is used only for schemes of its own family, and only for the algorithm that it names, if any. A
//! shared key in a published set is left out, since everyone knows it.

mod jwks;
mod pem;
mod sign;

use std::fmt;

use aws_lc_rs::signature::{
    self, RsaParameters, RsaSubjectPublicKey, UnparsedPublicKey, VerificationAlgorithm,
};
use jiff::Timestamp;

use crate::authenticate::{Proof, Refusal};
use crate::model::{Secret, Value};

pub use sign::sign;

/// The most keys in a set. A larger set is refused, since each key may cost a verification.
const MOST_KEYS: usize = 100;

/// A signature scheme with a private and a public key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// RSA PKCS#1 v1.5 over SHA-1: only for senders that support no other.
    RsaSha1,
    /// RSA PKCS#1 v1.5 over SHA-256.
    RsaSha256,
    /// RSA PKCS#1 v1.5 over SHA-384.
    RsaSha384,
    /// RSA PKCS#1 v1.5 over SHA-512.
    RsaSha512,
    /// RSA PSS over SHA-256.
    PssSha256,
    /// RSA PSS over SHA-384.
    PssSha384,
    /// RSA PSS over SHA-512.
    PssSha512,
    /// ECDSA over P-256 and SHA-256; the two numbers of the signature have a fixed length.
    P256,
    /// ECDSA over P-384 and SHA-384.
    P384,
    /// ECDSA over P-521 and SHA-512.
    P521,
    /// Ed25519.
    Ed25519,
}

/// The kind of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Family {
    Rsa,
    P256,
    P384,
    P521,
    Ed25519,
}

/// Public keys, in the order of their source.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeySet(Vec<PublicKey>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct PublicKey {
    /// The name by which tokens refer to it; a key without a name is tried for every token.
    id: Option<String>,
    /// The only algorithm that it is for, as JSON Web Keys write it; none where it does not say.
    algorithm: Option<String>,
    family: Family,
    /// A SubjectPublicKeyInfo, or for elliptic curves the bare point.
    bytes: Vec<u8>,
    /// The times between which its certificate is valid, in seconds since 1970.
    valid: Option<(i64, i64)>,
}

/// Why public keys cannot be read. It never holds a part of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyFault(String);

impl fmt::Display for KeyFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for KeyFault {}

impl KeyFault {
    fn new(what: impl Into<String>) -> Self {
        Self(what.into())
    }
}

impl KeySet {
    /// Reads a JSON Web Key Set. Keys that are not for signatures, or of a kind that no scheme here uses,
    /// are left out.
    ///
    /// # Errors
    /// When it is not one, or has no usable key or too many.
    pub fn from_jwks(bytes: &[u8]) -> Result<Self, KeyFault> {
        jwks::read(bytes)?.usable()
    }

    /// Reads a JSON map from key names to certificates in PEM form, as Google publishes it.
    ///
    /// # Errors
    /// When it is not one, or has no key or too many.
    pub fn from_certificates(bytes: &[u8]) -> Result<Self, KeyFault> {
        pem::certificates(bytes)?.usable()
    }

    /// Reads certificates and public keys in PEM form.
    ///
    /// # Errors
    /// When there is none, there are too many, or one is of a kind that no scheme here uses.
    pub fn from_pem(bytes: &[u8]) -> Result<Self, KeyFault> {
        pem::read(bytes)?.usable()
    }

    /// Reads public keys from a file's text, in PEM form or as a JSON Web Key Set.
    ///
    /// # Errors
    /// When it is neither.
    pub fn from_text(bytes: &[u8]) -> Result<Self, KeyFault> {
        match bytes.trim_ascii_start().first() {
            Some(b'{') => Self::from_jwks(bytes),
            _ => Self::from_pem(bytes),
        }
    }

    /// Whether the bytes look like public keys, so that they are never used as a shared secret.
    pub fn looks_public(bytes: &[u8]) -> bool {
        let text = bytes.trim_ascii_start();
        text.starts_with(b"-----BEGIN") || Self::from_text(text).is_ok()
    }

    /// Whether a signature that names this key could be verified: the set has a key of that name, or one
    /// without a name.
    pub fn may_hold(&self, id: &str) -> bool {
        self.0.iter().any(|key| key.id.as_deref().is_none_or(|own| own == id))
    }

    /// Whether a key has exactly this name.
    pub fn names(&self, id: &str) -> bool {
        self.0.iter().any(|key| key.id.as_deref() == Some(id))
    }

    /// How many keys there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// True when there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn usable(self) -> Result<Self, KeyFault> {
        match self.0.len() {
            0 => Err(KeyFault::new("it holds no key that can verify a signature")),
            count if count > MOST_KEYS => {
                Err(KeyFault::new(format!("it holds {count} keys, and {MOST_KEYS} are allowed")))
            }
            _ => Ok(self),
        }
    }

    /// The keys that may have made a signature with this key name, scheme and algorithm.
    pub(super) fn candidates<'k>(
        &'k self,
        id: Option<&'k str>,
        scheme: Scheme,
        algorithm: Option<&'k str>,
    ) -> impl Iterator<Item = Candidate<'k>> {
        let named = move |key: &&PublicKey| match (id, &key.id) {
            (Some(wanted), Some(own)) => wanted == own,
            _ => true,
        };
        let meant = move |key: &&PublicKey| match (algorithm, &key.algorithm) {
            (Some(wanted), Some(own)) => wanted == own,
            _ => true,
        };
        let fits = move |key: &&PublicKey| key.family == scheme.family();
        self.0
            .iter()
            .filter(named)
            .filter(meant)
            .filter(fits)
            .map(move |key| Candidate(key, scheme))
    }
}

/// A key that may have made a signature.
pub(super) struct Candidate<'k>(&'k PublicKey, Scheme);

impl Candidate<'_> {
    /// Whether its certificate is valid at this time; a bare key always is.
    pub(super) fn is_valid(&self, now: Timestamp) -> bool {
        self.0.valid.is_none_or(|(from, to)| (from..=to).contains(&now.as_second()))
    }

    /// The kind of the key.
    pub(super) fn family(&self) -> Family {
        self.0.family
    }

    /// A SubjectPublicKeyInfo, or for elliptic curves the bare point.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.0.bytes
    }

    /// Whether this key made the signature of the message.
    pub(super) fn made(&self, message: &[u8], signature: &[u8]) -> bool {
        let Self(key, scheme) = self;
        UnparsedPublicKey::new(scheme.algorithm(), &key.bytes).verify(message, signature).is_ok()
    }
}

/// Proof that a published key made the signature, and that the key's certificate is valid now.
///
/// # Errors
/// When no key made it, or the key's certificate is not valid now.
pub fn verify_published(
    keys: &KeySet,
    scheme: Scheme,
    message: &[u8],
    signature: &[u8],
    now: Timestamp,
) -> Result<Proof, Refusal> {
    let made = keys.candidates(None, scheme, None).find(|key| key.made(message, signature));
    match made {
        Some(key) if key.is_valid(now) => Ok(Proof::published(Value::Null)),
        Some(_) => Err(Refusal::KeyNotValid),
        None => Err(Refusal::BadSignature),
    }
}

/// Proof that one of the configured public keys made the signature. Their certificates may have expired.
///
/// # Errors
/// When none made it.
pub fn verify_configured(
    secrets: &[Secret],
    scheme: Scheme,
    message: &[u8],
    signature: &[u8],
) -> Result<Proof, Refusal> {
    crate::authenticate::proof::first_match(
        secrets.iter().enumerate(),
        Refusal::BadSignature,
        |secret| {
            KeySet::from_text(secret.expose()).is_ok_and(|keys| {
                keys.candidates(None, scheme, None).any(|key| key.made(message, signature))
            })
        },
    )
}

impl Scheme {
    fn family(self) -> Family {
        match self {
            Self::RsaSha1 | Self::RsaSha256 | Self::RsaSha384 | Self::RsaSha512 => Family::Rsa,
            Self::PssSha256 | Self::PssSha384 | Self::PssSha512 => Family::Rsa,
            Self::P256 => Family::P256,
            Self::P384 => Family::P384,
            Self::P521 => Family::P521,
            Self::Ed25519 => Family::Ed25519,
        }
    }

    /// The library's algorithm. All of those for RSA refuse keys below 2048 bits.
    fn algorithm(self) -> &'static dyn VerificationAlgorithm {
        match self {
            Self::RsaSha1 => &signature::RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY,
            Self::RsaSha256 => &signature::RSA_PKCS1_2048_8192_SHA256,
            Self::RsaSha384 => &signature::RSA_PKCS1_2048_8192_SHA384,
            Self::RsaSha512 => &signature::RSA_PKCS1_2048_8192_SHA512,
            Self::PssSha256 => &signature::RSA_PSS_2048_8192_SHA256,
            Self::PssSha384 => &signature::RSA_PSS_2048_8192_SHA384,
            Self::PssSha512 => &signature::RSA_PSS_2048_8192_SHA512,
            Self::P256 => &signature::ECDSA_P256_SHA256_FIXED,
            Self::P384 => &signature::ECDSA_P384_SHA384_FIXED,
            Self::P521 => &signature::ECDSA_P521_SHA512_FIXED,
            Self::Ed25519 => &signature::ED25519,
        }
    }
}

/// The family of a key: that of the first scheme that can parse it. None where no scheme can, and for RSA
/// keys that are too short.
fn family(bytes: &[u8]) -> Option<Family> {
    let family = [Scheme::RsaSha256, Scheme::P256, Scheme::P384, Scheme::P521, Scheme::Ed25519]
        .into_iter()
        .find(|scheme| UnparsedPublicKey::new(scheme.algorithm(), bytes).parse().is_ok())
        .map(Scheme::family)?;
    (family != Family::Rsa || is_long_enough(bytes)).then_some(family)
}

fn is_long_enough(rsa: &[u8]) -> bool {
    let key = RsaSubjectPublicKey::from_der(rsa).ok();
    let bits = key.and_then(|key| RsaParameters::public_modulus_len(key.as_ref()).ok());
    bits.is_some_and(|bits| bits >= signature::RSA_PKCS1_2048_8192_SHA256.min_modulus_len())
}
