//! Providers: the kinds of sender that the gateway knows. One file each says how it signs, names
//! its events and deliveries, shakes hands, and what its git facts are.
//!
//! To add one: a file in the folder of its group, with a static `Sender` that tells it in data (or,
//! where that is not enough, a type that implements [`Provider`]); a line in `table`; its vectors; and
//! a sample payload. Providers are made of the mechanisms in `authenticate`; none compares bytes
//! itself, and none looks at configuration other than its [`Options`].

mod about;
mod address;
mod at;
mod chat;
mod data;
mod decode;
mod described;
mod forges;
mod form;
mod generic;
mod handshake;
mod identity;
mod knocks;
mod mechanisms;
mod options;
mod outgoing;
mod page;
mod saas;
mod samples;
mod table;
mod template;
mod verification;

use std::sync::Arc;

use bytes::Bytes;
use http::header::{AUTHORIZATION, COOKIE, PROXY_AUTHORIZATION};
use http::{HeaderMap, HeaderName};
use jiff::Timestamp;

use crate::authenticate::{Proof, Refusal, Unverified, Verified};
use crate::model::{GitFacts, Secret, Value};

pub use about::{About, Group, Proven};
pub use chat::Dialect;
pub use decode::{DecodeFault, Decoded};
pub use form::{query_value, without_fields};
pub use generic::Preset;
pub use handshake::{Greeting, Handshake, Reply};
pub use identity::Identity;
pub use options::{Options, Place};
pub use outgoing::{Outgoing, SignFault, Signed};
pub use page::page;
pub use table::{akin, find, names};
pub use template::Template;
pub use verification::{KeyForm, KeyPlace, Published, Verification, Wanted};

use outgoing::{header, json_content};
use table::ALL;

/// Headers that may carry a secret whatever the provider: they are never kept or shown.
const ALWAYS_SECRET: [HeaderName; 3] = [AUTHORIZATION, COOKIE, PROXY_AUTHORIZATION];

/// The kind of an event whose sender does not name it.
pub const UNNAMED: &str = "event";

/// A kind of sender.
pub trait Provider: Sync {
    /// Its name in a configuration.
    fn name(&self) -> &'static str;

    /// Its name for people.
    fn title(&self) -> &'static str;

    /// What people must know of it.
    fn about(&self) -> &'static About;

    /// The names of the options that a source of this provider may set.
    fn takes(&self) -> &'static [&'static str] {
        &[]
    }

    /// What the options lack or contradict, a sentence each.
    fn lacks(&self, _options: &Options) -> Vec<String> {
        Vec::new()
    }

    /// Every fault of a source's options: those that do not belong to this provider, and what
    /// [`Provider::lacks`] says.
    fn check_options(&self, options: &Options) -> Vec<String> {
        let mut faults = options.strangers(self.name(), self.takes());
        faults.extend(self.lacks(options));
        faults
    }

    /// Whether a source of this provider needs secrets.
    fn secret_use(&self, _options: &Options) -> SecretUse {
        SecretUse::Required
    }

    /// Whether a secret has the shape that this sender's secrets have.
    ///
    /// # Errors
    /// What is wrong with it, without a word of its content.
    fn check_secret(&self, secret: &Secret, _options: &Options) -> Result<(), String> {
        filled(secret)
    }

    /// Where the keys are that requests of this source are signed with, as far as the source alone
    /// tells: they can be fetched before the first request comes.
    fn publishes(&self, _options: &Options) -> Option<KeyPlace> {
        None
    }

    /// The published keys that this request cannot be judged without; none where it needs none, or
    /// where no key could make it authentic.
    fn wanted(&self, _request: &Unverified<'_>, _options: &Options) -> Option<Wanted> {
        None
    }

    /// Whether the request was made by someone who holds one of the secrets, or the private key to
    /// what is published.
    ///
    /// # Errors
    /// Why the request is refused.
    fn authenticate(
        &self,
        request: &Unverified<'_>,
        verification: &Verification<'_>,
    ) -> Result<Proof, Refusal>;

    /// What a greeting is answered with that is not signed as deliveries are; none where the
    /// request is no such greeting. It is asked before [`Provider::authenticate`], and for requests
    /// of every method.
    ///
    /// # Errors
    /// Why a greeting that must be signed is refused.
    fn greet(
        &self,
        _request: &Unverified<'_>,
        _grounds: &Verification<'_>,
    ) -> Option<Result<Greeting, Refusal>> {
        None
    }

    /// The answer to [`Handshake::ProveBack`], under the secret that the greeting was signed with.
    fn prove_back(&self, _text: &str, _secret: &Secret) -> Option<Reply> {
        None
    }

    /// The headers that hold the signature or the token, or that the signature covers.
    fn signed_headers(&self, options: &Options) -> Vec<HeaderName>;

    /// Whether the signature covers the body. Where it does not, whoever reads one request can
    /// write others.
    fn signs_body(&self, _options: &Options) -> bool {
        true
    }

    /// Headers of this sender that carry the secret itself, beside those that always may.
    fn own_secret_headers(&self, _options: &Options) -> Vec<HeaderName> {
        Vec::new()
    }

    /// Every header that must never be kept or shown: those that may carry a secret whatever the
    /// provider, and [`Provider::own_secret_headers`].
    fn secret_headers(&self, options: &Options) -> Vec<HeaderName> {
        let mut headers = ALWAYS_SECRET.to_vec();
        headers.extend(self.own_secret_headers(options));
        headers
    }

    /// Fields of the query string or of a form that carry the secret itself: they are never kept or
    /// shown.
    fn secret_fields(&self, _options: &Options) -> Vec<String> {
        Vec::new()
    }

    /// Whether the secret may be what stands in the address behind the source's name.
    fn secret_in_path(&self, _options: &Options) -> bool {
        false
    }

    /// The body as a tree. It must not let a header that nobody signed choose between two
    /// readings of one body.
    ///
    /// # Errors
    /// Where the body cannot be read.
    fn decode(&self, headers: &HeaderMap, body: &Bytes) -> Result<Decoded, DecodeFault>;

    /// What is kept of a body that holds a secret; none where it is kept as it came. It means the
    /// same as the whole.
    fn body_to_keep(&self, _body: &[u8]) -> Option<Vec<u8>> {
        None
    }

    /// How people are answered, for senders through which they give commands.
    fn dialect(&self) -> Option<Dialect> {
        None
    }

    /// What a kept delivery of this body, which is no command, is answered with, where the usual
    /// answer will not do.
    fn thanks(&self, _body: &Value) -> Option<Reply> {
        None
    }

    /// What kind of event it is; of a list of them, the first.
    ///
    /// # Errors
    /// What is missing that would say so.
    fn meaning(
        &self,
        headers: &HeaderMap,
        body: &Value,
        options: &Options,
    ) -> Result<Meaning, DecodeFault>;

    /// What every event is that it tells of, in its order, where the body is or holds a list of them.
    ///
    /// # Errors
    /// What is missing that would say so, or that there are too many.
    fn meanings(
        &self,
        headers: &HeaderMap,
        body: &Value,
        options: &Options,
    ) -> Result<Vec<Meaning>, DecodeFault> {
        Ok(vec![self.meaning(headers, body, options)?])
    }

    /// What names the delivery, so that a repeat is known as one.
    fn identity(&self, request: &Verified<'_>, body: &Value, options: &Options) -> Identity;

    /// Git facts, one entry for each thing that happened; none where it has nothing to do with git.
    fn git_facts(&self, _meaning: &Meaning, _body: &Value) -> Vec<GitFacts> {
        Vec::new()
    }

    /// Whether any of its requests tells git facts.
    fn tells_git(&self, _options: &Options) -> bool {
        false
    }

    /// Whether its requests carry a token with claims.
    fn tells_claims(&self) -> bool {
        false
    }

    /// Git facts that the claims of its token tell, for senders that say nothing of git in the body.
    fn claimed_git_facts(&self, _claims: &Value, _options: &Options) -> Option<GitFacts> {
        None
    }

    /// What this sender would add to a request: signature, event name, delivery id.
    ///
    /// # Errors
    /// Why it cannot sign with this secret.
    fn sign(
        &self,
        outgoing: &Outgoing<'_>,
        secret: &Secret,
        options: &Options,
        id: &str,
        now: Timestamp,
    ) -> Result<Signed, SignFault>;

    /// What to do about a source that has no secret and needs one.
    fn secret_hint(&self, _options: &Options) -> &'static str {
        SECRET_HINT
    }

    /// A secret of the right shape, to try things out with. It is in every copy of the program, so
    /// it proves nothing.
    fn sample_secret(&self) -> Secret {
        sample_secret()
    }

    /// What the sender of [`Provider::sample_secret`] signs with, where that is another key.
    fn sample_signer(&self) -> Secret {
        self.sample_secret()
    }

    /// What a sender that signs with [`Provider::sample_signer`] would publish.
    fn sample_published(&self, _options: &Options) -> Option<Published> {
        None
    }

    /// A payload of this kind as the sender would write it, to try things out with.
    fn sample(&self, _kind: &str) -> Option<&'static str> {
        None
    }

    /// The same payload, named so where this sender names its deliveries in the body.
    fn sample_of(&self, kind: &str, _id: &str) -> Option<Vec<u8>> {
        self.sample(kind).map(Into::into)
    }

    /// The kind of event that [`Provider::sample`] is best asked for.
    fn sample_kind(&self) -> &'static str {
        "push"
    }

    /// The kinds of event that there are payloads for.
    fn sample_kinds(&self) -> Vec<&'static str> {
        vec![self.sample_kind()]
    }
}

/// What to do about a source without a secret, for most providers.
pub const SECRET_HINT: &str =
    "add `secrets: [{ env: NAME }]`, the secret that is set at the sender";

/// Whether a source of a provider needs secrets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecretUse {
    /// One at least.
    Required,
    /// It may do without.
    Optional,
    /// None: what the sender signs with is public.
    None,
}

/// What kind of event a body tells of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Meaning {
    /// The kind, with one word for all forges where they mean the same.
    pub kind: Arc<str>,
    /// The sender's own name for it.
    pub name: Option<Arc<str>>,
    /// What was done, for kinds that have several.
    pub action: Option<Arc<str>>,
    /// Set where the request is a greeting that starts nothing.
    pub handshake: Option<Handshake>,
}

/// An access token to try things out with. It is in every copy of the program, so it proves nothing.
pub const SAMPLE_ACCESS_TOKEN: &str = "a sample access token that proves nothing";

fn sample_secret() -> Secret {
    Secret::new("a sample secret that proves nothing")
}

fn filled(secret: &Secret) -> Result<(), String> {
    if secret.is_empty() { Err("is empty".to_owned()) } else { Ok(()) }
}
