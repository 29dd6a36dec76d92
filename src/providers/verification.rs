//! What a provider verifies a request with: secrets, published keys, options and the time.

use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;

use crate::authenticate::Refusal;
use crate::authenticate::keys::{KeyFault, KeySet};
use crate::model::Secret;
use crate::providers::Options;

/// What a request is verified with, in addition to what it contains.
#[derive(Clone, Copy, Debug)]
pub struct Verification<'a> {
    /// The source's secrets, in configured order. There are several while one is being rotated.
    pub secrets: &'a [Secret],
    /// The source's access tokens, in configured order. Where there are any, every request must carry
    /// one of them in addition to its signature.
    pub access_tokens: &'a [Secret],
    /// The keys that the provider [wanted](super::Provider::wanted), where they were found.
    pub published: Option<&'a Published>,
    /// The source's own settings.
    pub options: &'a Options,
    /// The current time, against which signed timestamps and expiry dates are checked.
    pub now: Timestamp,
}

impl<'a> Verification<'a> {
    /// Verification without published keys.
    pub fn new(secrets: &'a [Secret], options: &'a Options, now: Timestamp) -> Self {
        Self { secrets, access_tokens: &[], published: None, options, now }
    }

    /// The keys that were found at this address. Keys from any other address do not count.
    ///
    /// # Errors
    /// [`Refusal::UnknownKey`] where there are none.
    pub fn keys_of(&self, url: &str) -> Result<&'a KeySet, Refusal> {
        let here = self.published.filter(|published| &*published.url == url);
        here.map(|published| &published.keys).ok_or(Refusal::UnknownKey)
    }
}

/// Keys, and the address at which they were found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Published {
    /// The address.
    pub url: Arc<str>,
    /// The keys.
    pub keys: KeySet,
}

/// Public keys that are needed to verify a request. The code that fetches them sees nothing else of
/// the request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Where the keys are published, and how to reach that address.
    pub place: KeyPlace,
    /// The name of the key that the request was signed with. `None` where the request names no key:
    /// any key is then enough.
    pub key: Option<String>,
}

/// Where public keys are published, and how to reach that address.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct KeyPlace {
    /// The address.
    pub url: Arc<str>,
    /// The format of what is published there.
    pub form: KeyForm,
    /// True where a request chose the address, within what its provider allows; false where the
    /// configuration did.
    pub chosen_by_request: bool,
    /// A file of certificate authorities to trust, in addition to those of the system.
    pub ca_file: Option<PathBuf>,
    /// The HTTP proxy through which the keys are fetched.
    pub proxy: Option<Arc<str>>,
}

/// The format of published keys.
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
    /// Reads the keys from these bytes.
    ///
    /// # Errors
    /// Why they hold no keys.
    pub fn read(self, bytes: &[u8]) -> Result<KeySet, KeyFault> {
        match self {
            Self::Jwks => KeySet::from_jwks(bytes),
            Self::Certificates => KeySet::from_certificates(bytes),
            Self::Certificate => KeySet::from_pem(bytes),
        }
    }
}
