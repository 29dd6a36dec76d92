//! What a source gives its provider to judge a request by.

use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;

use crate::authenticate::Refusal;
use crate::authenticate::keys::{KeyFault, KeySet};
use crate::model::Secret;
use crate::providers::Options;

/// What a request is judged by, beside what is in it.
#[derive(Clone, Copy, Debug)]
pub struct Verification<'a> {
    /// The source's secrets, in the order configured; several while one is being replaced.
    pub secrets: &'a [Secret],
    /// Tokens of which one must come with every request beside its signature, where the source has
    /// any, in the order configured.
    pub access_tokens: &'a [Secret],
    /// What was found of that which the provider [wanted](super::Provider::wanted).
    pub published: Option<&'a Published>,
    /// The source's own settings.
    pub options: &'a Options,
    /// The time.
    pub now: Timestamp,
}

impl<'a> Verification<'a> {
    /// Verification without published keys.
    pub fn new(secrets: &'a [Secret], options: &'a Options, now: Timestamp) -> Self {
        Self { secrets, access_tokens: &[], published: None, options, now }
    }

    /// The keys that were found at this address, and at no other.
    ///
    /// # Errors
    /// When there are none.
    pub fn keys_of(&self, url: &str) -> Result<&'a KeySet, Refusal> {
        let here = self.published.filter(|published| &*published.url == url);
        here.map(|published| &published.keys).ok_or(Refusal::UnknownKey)
    }
}

/// Keys, and the address that they were found at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Published {
    /// The address.
    pub url: Arc<str>,
    /// The keys.
    pub keys: KeySet,
}

/// Public keys that a request cannot be judged without. Whoever fetches them looks at nothing else
/// of the request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Where they are, and how to get there.
    pub place: KeyPlace,
    /// The key that the request names; any will do where it names none.
    pub key: Option<String>,
}

/// Where public keys are published, and how to get there.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct KeyPlace {
    /// The address.
    pub url: Arc<str>,
    /// How they are written there.
    pub form: KeyForm,
    /// Whether a request chose the address, within what its provider allows; else the configuration
    /// did.
    pub chosen_by_request: bool,
    /// Certificate authorities to trust beside those of the system.
    pub ca_file: Option<PathBuf>,
    /// The HTTP proxy to get there through.
    pub proxy: Option<Arc<str>>,
}

/// How public keys are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KeyForm {
    /// A JSON Web Key Set.
    Jwks,
    /// A JSON map from key names to certificates.
    Certificates,
    /// One certificate in PEM form.
    Certificate,
}

impl KeyForm {
    /// The keys in these bytes.
    ///
    /// # Errors
    /// Why there are none.
    pub fn read(self, bytes: &[u8]) -> Result<KeySet, KeyFault> {
        match self {
            Self::Jwks => KeySet::from_jwks(bytes),
            Self::Certificates => KeySet::from_certificates(bytes),
            Self::Certificate => KeySet::from_pem(bytes),
        }
    }
}
