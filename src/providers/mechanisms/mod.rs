//! The ways in which senders prove themselves, each made of what `authenticate` has. A sender told
//! in data names one of them.

mod body_token;
mod either;
mod elements;
mod mac;
mod public_key;
mod standard;
mod token;

use http::{HeaderMap, HeaderName};
use jiff::Timestamp;

use crate::authenticate::{Proof, Refusal, Unverified, Verified};
use crate::model::Secret;
use crate::providers::{
    Identity, Options, Outgoing, SecretUse, SignFault, Signed, Verification, filled, sample_secret,
};

pub(super) use body_token::BodyToken;
pub(super) use either::{BasicOr, EitherHeader, HeaderOrAddress};
pub(super) use elements::{Elements, Given};
pub(super) use mac::{Key, Mac, Part, Time, Writing};
pub(super) use public_key::PublicKey;
pub(super) use standard::Standard;
pub(super) use standard::signed as standard_headers;
pub(super) use token::{Basic, FieldToken, NO_USER, Token};

/// A way in which a sender proves itself.
pub(super) trait Mechanism: Sync {
    /// The names of the options that it takes.
    fn takes(&self) -> &'static [&'static str] {
        &[]
    }

    /// What the options lack or contradict, a sentence each.
    fn lacks(&self, _provider: &str, _options: &Options) -> Vec<String> {
        Vec::new()
    }

    /// Whether a source needs secrets.
    fn secret_use(&self, _options: &Options) -> SecretUse {
        SecretUse::Required
    }

    /// Whether a secret has the right shape.
    fn check_secret(&self, secret: &Secret, _options: &Options) -> Result<(), String> {
        filled(secret)
    }

    /// Whether the request was made by someone who holds one of the secrets.
    fn authenticate(
        &self,
        request: &Unverified<'_>,
        verification: &Verification<'_>,
    ) -> Result<Proof, Refusal>;

    /// What the sender would add to a request.
    fn sign(
        &self,
        outgoing: &Outgoing<'_>,
        secret: &Secret,
        options: &Options,
        id: &str,
        now: Timestamp,
    ) -> Result<Signed, SignFault>;

    /// The headers that hold the signature or token, or that the signature covers.
    fn signed_headers(&self, options: &Options) -> Vec<HeaderName>;

    /// Whether an authentic request's header may name the event or the delivery. Most senders sign
    /// none; where one says which it signed, no other is believed.
    fn believes(&self, _headers: &HeaderMap, _name: &HeaderName) -> bool {
        true
    }

    /// Whether the signature covers the body.
    fn signs_body(&self, _options: &Options) -> bool {
        true
    }

    /// Headers that carry the secret itself.
    fn secret_headers(&self, _options: &Options) -> Vec<HeaderName> {
        Vec::new()
    }

    /// Fields of the query string or of a form that carry the secret itself.
    fn secret_fields(&self, _options: &Options) -> Vec<String> {
        Vec::new()
    }

    /// Whether the secret may be what stands in the address behind the source's name.
    fn secret_in_path(&self, _options: &Options) -> bool {
        false
    }

    /// What stands for the delivery's id where the sender gives none: the digest of what it signed.
    fn digest(&self, request: &Verified<'_>, _options: &Options) -> Identity {
        Identity::of_bytes(&[request.body()])
    }

    /// A secret of the right shape, to try things out with.
    fn sample_secret(&self) -> Secret {
        sample_secret()
    }

    /// What the sender of [`Mechanism::sample_secret`] signs with, where that is another key.
    fn sample_signer(&self) -> Secret {
        self.sample_secret()
    }
}
