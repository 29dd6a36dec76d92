//! The mechanisms with which senders prove themselves, each built from the functions of `authenticate`.
//! A sender that is described in data names one of them.

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
pub(super) use token::{Basic, FieldToken, NO_USER, Token, in_address, verify_address};

/// A mechanism with which a sender proves itself.
pub(super) trait Mechanism: Sync {
    /// The names of the options that it takes.
    fn takes(&self) -> &'static [&'static str] {
        &[]
    }

    /// What is missing or contradictory in the options: one sentence for each fault.
    fn lacks(&self, _provider: &str, _options: &Options) -> Vec<String> {
        Vec::new()
    }

    /// Whether a source needs secrets.
    fn secret_use(&self, _options: &Options) -> SecretUse {
        SecretUse::Required
    }

    /// Checks that a secret has the right form. An error says what is wrong, without any of the secret.
    fn check_secret(&self, secret: &Secret, _options: &Options) -> Result<(), String> {
        filled(secret)
    }

    /// Verifies that the request was made by someone who holds one of the secrets. An error says why
    /// the request is refused.
    fn authenticate(
        &self,
        request: &Unverified<'_>,
        verification: &Verification<'_>,
    ) -> Result<Proof, Refusal>;

    /// What the sender would add to a request. An error says why it cannot sign with this secret.
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

    /// Whether this header of an authentic request can be trusted to name the event or the delivery.
    /// Most senders sign no headers, so any is accepted. Where a sender lists the headers that it
    /// signed, only those are.
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

    /// Whether the secret may be in the path, after the source's name.
    fn secret_in_path(&self, _options: &Options) -> bool {
        false
    }

    /// What is used as the delivery's id where the sender gives none: the digest of what it signed.
    fn digest(&self, request: &Verified<'_>, _options: &Options) -> Identity {
        Identity::of_bytes(&[request.body()])
    }

    /// A valid sample secret, to try a source out with.
    fn sample_secret(&self) -> Secret {
        sample_secret()
    }

    /// The key that signs samples: the private key where [`Mechanism::sample_secret`] is a public key,
    /// else the sample secret itself.
    fn sample_signer(&self) -> Secret {
        self.sample_secret()
    }
}
