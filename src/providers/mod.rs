//! Providers: the kinds of sender that the gateway knows. Each has a file of its own, which says how
//! the sender signs, where it names its events and deliveries, which handshakes it makes, and which
//! git facts its events carry.
//!
//! To add a provider, write a file in the folder of its group, add a line to `table`, and add test
//! vectors and a sample payload. The file holds a static `Sender`, which describes the provider in
//! data. Where data is not enough, it holds a type that implements [`Provider`]. Providers are built
//! from the mechanisms in `authenticate`: no provider compares secrets or signatures itself, and none
//! reads configuration other than its [`Options`].

mod about;
mod address;
mod at;
mod chat;
mod countersign;
mod data;
mod decode;
mod described;
mod forges;
mod form;
mod generic;
mod greetings;
mod handshake;
mod hidden;
mod identity;
mod mechanisms;
mod options;
mod outgoing;
mod page;
mod s3;
mod saas;
mod samples;
mod table;
mod tells;
mod template;
mod verification;
mod wrap;

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, HeaderName};
use jiff::Timestamp;

use crate::authenticate::{Proof, Refusal, Unverified, Verified};
use crate::model::{ChatCommand, ContentDigest, GitFacts, Secret, Value};

pub use about::{About, Group, Proven};
pub use chat::Dialect;
pub use countersign::{ChallengeToken, Countersign};
pub use decode::{DecodeFault, Decoded};
pub use form::{query_value, without_fields};
pub use generic::{Preset, Scheme};
pub use handshake::{Greeting, Handshake, Reply};
pub use hidden::{HiddenHeaders, visible_query};
pub use identity::Identity;
pub use options::{BodyForm, Options, Place};
pub use outgoing::{Outgoing, SignFault, Signed};
pub use page::page;
pub use table::{akin, find, names};
pub use tells::{FACTS, Tells, can_tell, known_kinds, page as facts_page, told};
pub use template::Template;
pub use verification::{KeyForm, KeyPlace, Published, Verification, Wanted};
pub(crate) use wrap::wrapped;

use identity::json_without;
use outgoing::{header, json_content};
use table::ALL;

/// The kind of an event to which the sender gives no name.
pub const UNNAMED: &str = "event";

/// A kind of sender.
pub trait Provider: Sync {
    /// Its name in a configuration.
    fn name(&self) -> &'static str;

    /// Its name for people.
    fn title(&self) -> &'static str;

    /// What the documentation says about it.
    fn about(&self) -> &'static About;

    /// The names of the options that a source of this provider may set.
    fn takes(&self) -> &'static [&'static str] {
        &[]
    }

    /// What is missing or contradictory in the options: one sentence for each fault.
    fn lacks(&self, _options: &Options) -> Vec<String> {
        Vec::new()
    }

    /// Every fault of a source's options: options that do not belong to this provider, and the faults
    /// that [`Provider::lacks`] finds.
    fn check_options(&self, options: &Options) -> Vec<String> {
        let mut faults = options.strangers(self.name(), self.takes());
        faults.extend(self.lacks(options));
        faults
    }

    /// Whether a source of this provider needs secrets.
    fn secret_use(&self, _options: &Options) -> SecretUse {
        SecretUse::Required
    }

    /// Checks that a secret has the form that this sender's secrets have.
    ///
    /// # Errors
    /// What is wrong with it. The text never contains any of the secret.
    fn check_secret(&self, secret: &Secret, _options: &Options) -> Result<(), String> {
        filled(secret)
    }

    /// The address at which the sender publishes its keys, where the source's options determine it.
    /// These keys can be fetched before the first request. `None` where the sender publishes no keys,
    /// or where only a request says where they are.
    fn publishes(&self, _options: &Options) -> Option<KeyPlace> {
        None
    }

    /// The published keys that are needed to verify this request. `None` where it needs none, or
    /// where no key could make it authentic.
    fn wanted(&self, _request: &Unverified<'_>, _options: &Options) -> Option<Wanted> {
        None
    }

    /// Verifies that the request was made by someone who holds one of the secrets, or the private
    /// key of a published key.
    ///
    /// # Errors
    /// Why the request is refused.
    fn authenticate(
        &self,
        request: &Unverified<'_>,
        verification: &Verification<'_>,
    ) -> Result<Proof, Refusal>;

    /// Recognises a greeting that is not signed in the way deliveries are, and gives its answer.
    /// `None` where the request is not such a greeting. It is called before
    /// [`Provider::authenticate`], and for requests of every HTTP method.
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

    /// How it answers a challenge with a proof of the secret. `None` where the sender asks for none.
    /// Where it is `Some`, [`Provider::authenticate`] accepts only bodies that no challenge can be.
    fn countersign(&self) -> Option<&'static Countersign> {
        None
    }

    /// The answer to [`Handshake::ProveBack`], made with the secret that the handshake was signed with.
    fn prove_back(&self, token: &ChallengeToken, secret: &Secret) -> Option<Reply> {
        self.countersign().map(|countersign| countersign.answer(token, secret))
    }

    /// The headers that hold the signature or the token, or that the signature covers.
    fn signed_headers(&self, options: &Options) -> Vec<HeaderName>;

    /// Whether the signature covers the body. Where it does not, whoever can read one request can
    /// forge others.
    fn signs_body(&self, _options: &Options) -> bool {
        true
    }

    /// Headers of this sender that carry the secret itself, in addition to those that may carry one
    /// for every provider.
    fn own_secret_headers(&self, _options: &Options) -> Vec<HeaderName> {
        Vec::new()
    }

    /// Every header that must never be stored or shown: those that may carry a secret for every
    /// provider, and [`Provider::own_secret_headers`].
    fn secret_headers(&self, options: &Options) -> Vec<HeaderName> {
        let always = hidden::HEADERS.iter().map(|name| HeaderName::from_static(name));
        always.chain(self.own_secret_headers(options)).collect()
    }

    /// Fields of the query string or of a form that carry the secret itself, in addition to those that may
    /// carry one for every provider. They are never stored or shown.
    fn secret_fields(&self, _options: &Options) -> Vec<String> {
        Vec::new()
    }

    /// Whether the secret may be in the path, after the source's name.
    fn secret_in_path(&self, _options: &Options) -> bool {
        false
    }

    /// Parses the body into a tree. An unsigned header must never decide between two readings of the
    /// same body.
    ///
    /// # Errors
    /// Why the body cannot be parsed.
    fn decode(&self, headers: &HeaderMap, body: &Bytes) -> Result<Decoded, DecodeFault>;

    /// Parses the body into a tree, as [`Provider::decode`], in the way that the source's options say.
    ///
    /// # Errors
    /// Why the body cannot be parsed.
    fn decode_as(
        &self,
        headers: &HeaderMap,
        body: &Bytes,
        _options: &Options,
    ) -> Result<Decoded, DecodeFault> {
        self.decode(headers, body)
    }

    /// Whether the sender puts a secret of the source into its bodies on purpose.
    fn tells_secret_in_body(&self) -> bool {
        false
    }

    /// Whether the source's secrets are secret. They are not where the sender signs with a private key, of
    /// which the source holds the public key.
    fn has_public_secrets(&self) -> bool {
        self.sample_signer().expose() != self.sample_secret().expose()
    }

    /// The body to store where the received body contains a secret: the same content without the
    /// secret. `None` where the body is stored as it was received.
    fn body_to_keep(&self, _body: &[u8]) -> Option<Vec<u8>> {
        None
    }

    /// The format of answers, for chat programs in which people give commands.
    fn dialect(&self) -> Option<Dialect> {
        None
    }

    /// Whether its events say which person did something and in which channel, so that `user` and `channel` may hold.
    fn tells_people(&self) -> bool {
        self.dialect().is_some()
    }

    /// The answer to a stored delivery that is not a command, for senders that need a particular
    /// one. `None` where the usual answer is enough.
    fn thanks(&self, _body: &Value) -> Option<Reply> {
        None
    }

    /// The kind of the event that the body describes. Where the body holds a list of events, that of
    /// the first.
    ///
    /// # Errors
    /// What is missing from the request that would name the kind.
    fn meaning(
        &self,
        headers: &HeaderMap,
        body: &Value,
        options: &Options,
    ) -> Result<Meaning, DecodeFault>;

    /// The kind of every event that the body describes, in the body's order. There are several where
    /// the body is a list of events, or holds one.
    ///
    /// # Errors
    /// What is missing from the request that would name the kinds, or that there are too many events.
    fn meanings(
        &self,
        headers: &HeaderMap,
        body: &Value,
        options: &Options,
    ) -> Result<Vec<Meaning>, DecodeFault> {
        Ok(vec![self.meaning(headers, body, options)?])
    }

    /// The sender's own word for what was done, where [`Meaning::action`] is a word that all forges share.
    /// Routes may ask for either.
    fn own_action(&self, _meaning: &Meaning, _body: &Value) -> Option<Arc<str>> {
        None
    }

    /// The command that a person gave in a comment on a pull request.
    fn comment_command(&self, _meaning: &Meaning, _body: &Value) -> Option<ChatCommand> {
        None
    }

    /// Whether comments on pull requests may hold commands.
    fn takes_comments(&self) -> bool {
        false
    }

    /// What identifies the delivery, so that a repeat of it is recognised.
    fn identity(&self, request: &Verified<'_>, body: &Value, options: &Options) -> Identity;

    /// The sender's id of the delivery, as an unverified request names it; none where it names none.
    fn named_id(&self, headers: &HeaderMap, body: &Value, options: &Options) -> Option<String> {
        identity::named_id(headers, body, options)
    }

    /// Fields of the body, or of each element where the body is a list, that change each time the sender
    /// sends the same delivery.
    fn changing(&self) -> &'static [&'static str] {
        &[]
    }

    /// The digest of what was sent, for deliveries to which the sender gives the same id. It is made of
    /// what is kept of the body, without what changes each time. `event` is the sender's own name for the
    /// kind of event.
    fn content(
        &self,
        request: &Verified<'_>,
        body: &Value,
        identity: &Identity,
        event: &str,
    ) -> ContentDigest {
        if !identity.is_of_sender() {
            return identity.content(event, &[]);
        }
        let changing = self.changing();
        if !changing.is_empty() {
            return identity.content(event, json_without(body, changing).as_bytes());
        }
        let kept = self.body_to_keep(request.body());
        identity.content(event, kept.as_deref().unwrap_or(request.body()))
    }

    /// Git facts, one entry for each change. Empty where the event has nothing to do with git.
    fn git_facts(&self, _meaning: &Meaning, _body: &Value) -> Vec<GitFacts> {
        Vec::new()
    }

    /// Whether any of its requests carries git facts.
    fn tells_git(&self, _options: &Options) -> bool {
        false
    }

    /// Whether its requests carry a token with claims.
    fn tells_claims(&self) -> bool {
        false
    }

    /// Git facts from the claims of the token, for senders whose bodies say nothing about git.
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

    /// A valid sample secret, to try a source out with. Every copy of the program contains it, so it
    /// proves nothing.
    fn sample_secret(&self) -> Secret {
        sample_secret()
    }

    /// The key that signs samples: the private key where [`Provider::sample_secret`] is a public
    /// key, else the sample secret itself.
    fn sample_signer(&self) -> Secret {
        self.sample_secret()
    }

    /// The keys that a sender which signs with [`Provider::sample_signer`] would publish. `None` for
    /// providers whose senders publish no keys.
    fn sample_published(&self, _options: &Options) -> Option<Published> {
        None
    }

    /// A sample payload of this kind, as the sender would write it.
    fn sample(&self, _kind: &str) -> Option<&'static str> {
        None
    }

    /// The payload of [`Provider::sample`], with this delivery id in it where the sender puts its
    /// delivery ids into the body.
    fn sample_of(&self, kind: &str, _id: &str) -> Option<Vec<u8>> {
        self.sample(kind).map(Into::into)
    }

    /// The kind of event to pass to [`Provider::sample`] where no other is asked for.
    fn sample_kind(&self) -> &'static str {
        "push"
    }

    /// The kinds of event that have a sample payload.
    fn sample_kinds(&self) -> Vec<&'static str> {
        vec![self.sample_kind()]
    }
}

/// What to do about a source that lacks a secret. Most providers use this text.
pub const SECRET_HINT: &str =
    "add `secrets: [{ env: NAME }]`, the secret that is set at the sender";

/// Whether a source of a provider needs secrets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecretUse {
    /// It needs at least one.
    Required,
    /// It may have none.
    Optional,
    /// It takes none: the sender publishes the key that verifies its signatures.
    None,
}

/// What kind of event a body describes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Meaning {
    /// The kind. Where all forges have the same kind of event, it has one name for all of them.
    pub kind: Arc<str>,
    /// The sender's own name for it.
    pub name: Option<Arc<str>>,
    /// What was done, for kinds of event that have several actions.
    pub action: Option<Arc<str>>,
    /// Set where the request is a handshake, which starts no job.
    pub handshake: Option<Handshake>,
}

/// A sample access token. Every copy of the program contains it, so it proves nothing.
pub const SAMPLE_ACCESS_TOKEN: &str = "a sample access token that proves nothing";

fn sample_secret() -> Secret {
    Secret::new("a sample secret that proves nothing")
}

fn filled(secret: &Secret) -> Result<(), String> {
    if secret.is_empty() { Err("is empty".to_owned()) } else { Ok(()) }
}
