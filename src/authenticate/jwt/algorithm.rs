//! The signature algorithms of tokens (RFC 7518, 8037). `none` is not one of them.

use std::fmt;
use std::str::FromStr;

use crate::authenticate::hmac;
use crate::authenticate::keys::Scheme;

/// A signature algorithm of tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// HMAC-SHA-256, under a shared secret.
    Hs256,
    /// HMAC-SHA-384, under a shared secret.
    Hs384,
    /// HMAC-SHA-512, under a shared secret.
    Hs512,
    /// RSA PKCS#1 v1.5 over SHA-256.
    Rs256,
    /// RSA PKCS#1 v1.5 over SHA-384.
    Rs384,
    /// RSA PKCS#1 v1.5 over SHA-512.
    Rs512,
    /// RSA PSS over SHA-256.
    Ps256,
    /// RSA PSS over SHA-384.
    Ps384,
    /// RSA PSS over SHA-512.
    Ps512,
    /// ECDSA over P-256.
    Es256,
    /// ECDSA over P-384.
    Es384,
    /// ECDSA over P-521.
    Es512,
    /// Ed25519.
    EdDsa,
}

/// The kind of key that an algorithm signs with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Key {
    /// A secret that both sides have.
    Shared(hmac::Algorithm),
    /// A private key; a public one verifies.
    Private(Scheme),
}

/// Every algorithm, its name, and what it signs with.
const ALL: [(Algorithm, &str, Key); 13] = [
    (Algorithm::Hs256, "HS256", Key::Shared(hmac::Algorithm::Sha256)),
    (Algorithm::Hs384, "HS384", Key::Shared(hmac::Algorithm::Sha384)),
    (Algorithm::Hs512, "HS512", Key::Shared(hmac::Algorithm::Sha512)),
    (Algorithm::Rs256, "RS256", Key::Private(Scheme::RsaSha256)),
    (Algorithm::Rs384, "RS384", Key::Private(Scheme::RsaSha384)),
    (Algorithm::Rs512, "RS512", Key::Private(Scheme::RsaSha512)),
    (Algorithm::Ps256, "PS256", Key::Private(Scheme::PssSha256)),
    (Algorithm::Ps384, "PS384", Key::Private(Scheme::PssSha384)),
    (Algorithm::Ps512, "PS512", Key::Private(Scheme::PssSha512)),
    (Algorithm::Es256, "ES256", Key::Private(Scheme::P256)),
    (Algorithm::Es384, "ES384", Key::Private(Scheme::P384)),
    (Algorithm::Es512, "ES512", Key::Private(Scheme::P521)),
    (Algorithm::EdDsa, "EdDSA", Key::Private(Scheme::Ed25519)),
];

impl Algorithm {
    /// The names of all algorithms, as configurations and tokens write them.
    pub fn names() -> impl Iterator<Item = &'static str> {
        ALL.into_iter().map(|(_, name, _)| name)
    }

    /// Its name, as configurations and tokens write it.
    pub fn as_str(self) -> &'static str {
        self.row().1
    }

    /// Whether both sides use the same secret.
    pub fn is_shared(self) -> bool {
        matches!(self.key(), Key::Shared(_))
    }

    pub(super) fn key(self) -> Key {
        self.row().2
    }

    fn row(self) -> (Self, &'static str, Key) {
        ALL.into_iter().find(|(own, ..)| *own == self).expect("every algorithm is in the table")
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
        let found = ALL.into_iter().find(|(_, name, _)| *name == text);
        found.map(|(algorithm, ..)| algorithm).ok_or_else(|| {
            let names: Vec<_> = Self::names().collect();
            format!("`{text}` is not an algorithm of tokens; use one of {}", names.join(", "))
        })
    }
}
