//! Providers that are described in data: how the sender proves itself, and where the event's name and
//! the delivery's id are. Most senders need nothing else. Where a sender does, its own file has a
//! function for it.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, HeaderName};
use jiff::Timestamp;

use crate::authenticate::{Proof, Refusal, Unverified, Verified, headers};
use crate::model::{ChatCommand, GitFacts, Secret, Value};
use crate::providers::chat::body as chat_body;
use crate::providers::identity::{named_id, without};
use crate::providers::mechanisms::Mechanism;
use crate::providers::{
    About, Countersign, DecodeFault, Decoded, Dialect, Greeting, Handshake, Identity, Meaning,
    Options, Outgoing, Provider, Reply, SecretUse, SignFault, Signed, UNNAMED, Verification,
    decode, header,
};

pub(super) use super::at::At;

/// Most events of one delivery. Every route judges every event, so there has to be a limit. No sender
/// is known to put this many into a list unless it is configured to.
pub(super) const MOST_PARTS: usize = 1000;

/// One sender.
pub(super) struct Sender {
    /// Its name in a configuration.
    pub(super) name: &'static str,
    /// Its name for people.
    pub(super) title: &'static str,
    /// What the documentation says about it.
    pub(super) about: &'static About,
    /// How it proves itself.
    pub(super) proves: &'static dyn Mechanism,
    /// Options that it takes. Empty: those of its mechanism.
    pub(super) takes: &'static [&'static str],
    /// Headers that carry a secret, in addition to those of its mechanism; in lower case.
    pub(super) secret_headers: &'static [&'static str],
    /// Whether it puts a secret of the source into its bodies on purpose.
    pub(super) secret_in_body: bool,
    /// Fields of the query string that carry a secret, in addition to those of its mechanism.
    pub(super) secret_fields: &'static [&'static str],
    /// The format of its body.
    pub(super) body: Body,
    /// What is made of the parsed body before anything else sees it.
    pub(super) read: Option<fn(Value) -> Value>,
    /// The path to a list in the body of which each element is an event of its own. An empty path
    /// means that the whole body is the list.
    pub(super) parts: Option<&'static [&'static str]>,
    /// Where the event's name is. The first of these places that is filled counts.
    pub(super) event: &'static [At],
    /// Where the event's action is. The first of these places that is filled counts.
    pub(super) action: &'static [At],
    /// Where the delivery's id is: the texts of all these places, joined. Where one of them is empty,
    /// or the list is, `unnamed` says what is used instead.
    pub(super) id: &'static [At],
    /// What is used as the delivery's id where the sender gives none.
    pub(super) unnamed: Unnamed,
    /// Fields of the body, or of each element where the body is a list, that change each time the sender
    /// sends the same delivery. They do not tell a delivery from another one.
    pub(super) changing: &'static [&'static str],
    /// The kind of event, from the sender's own name for it, where the two differ by a rule.
    pub(super) word: Option<fn(&str) -> &str>,
    /// The kind of event, where it differs from the sender's own name.
    pub(super) kind: Option<fn(&HeaderMap, &Value) -> Option<&'static str>>,
    /// The sender's own name for the event, where it has one that differs from what is in `event`.
    pub(super) named: Option<Names>,
    /// The event's action, where it differs from the sender's own word.
    pub(super) done: Option<fn(&HeaderMap, &Value) -> Option<&'static str>>,
    /// The command that a person gave in a comment on a pull request.
    pub(super) comment: Option<fn(&Meaning, &Value) -> Option<ChatCommand>>,
    /// The sender's own word for what was done, where `done` gives a shared one.
    pub(super) own_action: Option<fn(&Meaning, &Value) -> Option<Arc<str>>>,
    /// Kinds of event, each with the sender's own name for it where that differs. Samples are sent
    /// under these names.
    pub(super) names: &'static [(&'static str, &'static str)],
    /// Recognises a handshake: a request that is signed in the way deliveries are, but starts no job.
    pub(super) handshake: Option<fn(&HeaderMap, &Value) -> Option<Handshake>>,
    /// Recognises a greeting that is not signed in the way deliveries are. It gets no secrets.
    pub(super) greet: Option<Greets>,
    /// How it answers a challenge that asks for proof of the secret.
    pub(super) countersign: Option<&'static Countersign>,
    /// Its git facts.
    pub(super) git_facts: Option<fn(&Meaning, &Value) -> Vec<GitFacts>>,
    /// The chat command that the body holds.
    pub(super) command: Option<fn(&Value) -> Option<ChatCommand>>,
    /// The format of answers to people in that chat program.
    pub(super) dialect: Option<Dialect>,
    /// The answer to a stored delivery, where the sender needs more than any 2xx.
    pub(super) thanks: Option<fn(&Value) -> Option<Reply>>,
    /// Sample payloads by kind of event. The kind of the first is what `sample_kind` returns.
    pub(super) samples: &'static [(&'static str, &'static str)],
}

/// Gives the sender's own name of an event.
pub(super) type Names = fn(&HeaderMap, &Value) -> Option<Arc<str>>;

/// Recognises a greeting that is not signed in the way deliveries are, and gives its answer or the
/// reason why it is refused.
pub(super) type Greets =
    fn(&Sender, &Unverified<'_>, &Verification<'_>) -> Option<Result<Greeting, Refusal>>;

/// The format of a body.
#[derive(Clone, Copy, Debug)]
pub(super) enum Body {
    /// JSON.
    Json,
    /// JSON or a form. A body that starts like JSON is never read as a form, whatever its content type.
    JsonOrForm,
    /// JSON, or a text that is not parsed. The first byte that is not white space decides.
    JsonOrText,
    /// JSON, of which only the part that this function returns is trusted.
    Cut(fn(&[u8]) -> &[u8]),
    /// JSON, a form, or a form whose only field `payload` holds JSON. The bytes decide. The field
    /// `token` is left out, since it holds a secret.
    Chat,
}

/// What is used as the id of a delivery whose sender gives none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unnamed {
    /// The digest of what was signed.
    Signed,
    /// The digest of the body, without the fields that `changing` names, for senders that sign something
    /// new each time they send the same delivery.
    Body,
}

impl Sender {
    /// A sender of which only the proof is described. The files of senders fill in the rest, with this
    /// as the base (`..Sender::new(…)`).
    pub(super) const fn new(
        name: &'static str,
        title: &'static str,
        about: &'static About,
        proves: &'static dyn Mechanism,
    ) -> Self {
        Self {
            name,
            title,
            about,
            proves,
            takes: &[],
            secret_headers: &[],
            secret_fields: &[],
            secret_in_body: false,
            body: Body::Json,
            read: None,
            parts: None,
            event: &[],
            action: &[],
            id: &[],
            unnamed: Unnamed::Signed,
            changing: &[],
            word: None,
            kind: None,
            named: None,
            done: None,
            own_action: None,
            comment: None,
            names: &[],
            handshake: None,
            greet: None,
            countersign: None,
            git_facts: None,
            command: None,
            dialect: None,
            thanks: None,
            samples: &[],
        }
    }
}

impl Sender {
    /// The parts of a body. There is always at least one.
    fn parts<'v>(&self, body: &'v Value) -> &'v [Value] {
        let list = self.parts.and_then(|path| body.at(path)?.as_list());
        list.filter(|parts| !parts.is_empty()).unwrap_or(std::slice::from_ref(body))
    }

    /// The text in this place; none where the place is empty, or is a header that cannot be trusted.
    fn read(&self, place: At, headers: &HeaderMap, body: &Value, part: &Value) -> Option<Arc<str>> {
        let name = place.header();
        let believed = name.is_none_or(|name| self.proves.believes(headers, &name));
        believed.then(|| place.read(headers, body, part)).flatten()
    }

    /// The texts in this place of every part, joined by commas. Two deliveries are the same only where
    /// all of their parts are the same.
    fn read_all(&self, place: At, headers: &HeaderMap, body: &Value) -> Option<Arc<str>> {
        if !matches!(place, At::Part(_)) {
            return self.read(place, headers, body, body);
        }
        let parts = self.parts(body).iter();
        let texts: Option<Vec<_>> =
            parts.map(|part| self.read(place, headers, body, part)).collect();
        Some(texts?.join(",").into())
    }

    /// The gateway's word for the kind of event to which the sender gives this name.
    fn word_for(&self, name: &Arc<str>) -> Option<Arc<str>> {
        match self.word.map(|word| word(name)) {
            Some(word) if word != &**name => Some(word.into()),
            _ => Some(name.clone()),
        }
    }

    fn meaning_of(&self, headers: &HeaderMap, body: &Value, part: &Value) -> Meaning {
        let first =
            |places: &[At]| places.iter().find_map(|place| self.read(*place, headers, body, part));
        let name = first(self.event);
        let own = self.kind.and_then(|kind| kind(headers, body)).map(Arc::from);
        let own_action = self.done.and_then(|done| done(headers, body)).map(Arc::from);
        Meaning {
            kind: own.or_else(|| self.word_for(name.as_ref()?)).unwrap_or_else(|| UNNAMED.into()),
            name: self.named.and_then(|named| named(headers, body)).or(name),
            action: own_action.or_else(|| first(self.action)),
            handshake: self.handshake.and_then(|handshake| handshake(headers, body)),
        }
    }
}

impl Provider for Sender {
    fn name(&self) -> &'static str {
        self.name
    }

    fn title(&self) -> &'static str {
        self.title
    }

    fn about(&self) -> &'static About {
        self.about
    }

    fn takes(&self) -> &'static [&'static str] {
        // No sender needs both its own options and those of its mechanism, so they are not joined.
        if self.takes.is_empty() { self.proves.takes() } else { self.takes }
    }

    fn lacks(&self, options: &Options) -> Vec<String> {
        self.proves.lacks(self.name, options)
    }

    fn secret_use(&self, options: &Options) -> SecretUse {
        self.proves.secret_use(options)
    }

    fn check_secret(&self, secret: &Secret, options: &Options) -> Result<(), String> {
        self.proves.check_secret(secret, options)
    }

    fn authenticate(
        &self,
        request: &Unverified<'_>,
        verification: &Verification<'_>,
    ) -> Result<Proof, Refusal> {
        let places = [self.event, self.action, self.id].into_iter().flatten();
        let named: Vec<HeaderName> = places.filter_map(|place| place.header()).collect();
        headers::at_most_one(request.headers, &named)?;
        if self.countersign.is_some() {
            Countersign::check_body(request.body)?;
        }
        self.proves.authenticate(request, verification)
    }

    fn greet(
        &self,
        request: &Unverified<'_>,
        verification: &Verification<'_>,
    ) -> Option<Result<Greeting, Refusal>> {
        // The sender's function gets no secret, so that only `countersign` can sign an answer.
        let without = Verification { secrets: &[], access_tokens: &[], ..*verification };
        let greeted = self.greet?(self, request, &without)?;
        Some(greeted.and_then(|greeting| match (&greeting.token, self.countersign) {
            (Some(token), Some(countersign)) => {
                let secret = verification.secrets.first().ok_or(Refusal::NoUsableSecret)?;
                let reply = countersign.answer(token, secret);
                Ok(Greeting { reply, token: None, ..greeting })
            }
            _ => Ok(greeting),
        }))
    }

    fn countersign(&self) -> Option<&'static Countersign> {
        self.countersign
    }

    fn own_secret_headers(&self, options: &Options) -> Vec<HeaderName> {
        let own = self.secret_headers.iter().map(|name| HeaderName::from_static(name));
        self.proves.secret_headers(options).into_iter().chain(own).collect()
    }

    fn secret_fields(&self, options: &Options) -> Vec<String> {
        let own = self.secret_fields.iter().map(|&name| name.to_owned());
        self.proves.secret_fields(options).into_iter().chain(own).collect()
    }

    fn tells_secret_in_body(&self) -> bool {
        self.secret_in_body
    }

    fn secret_in_path(&self, options: &Options) -> bool {
        self.proves.secret_in_path(options)
    }

    fn signed_headers(&self, options: &Options) -> Vec<HeaderName> {
        self.proves.signed_headers(options)
    }

    fn signs_body(&self, options: &Options) -> bool {
        self.proves.signs_body(options)
    }

    fn decode(&self, headers: &HeaderMap, body: &Bytes) -> Result<Decoded, DecodeFault> {
        let body = match self.body {
            Body::Json => decode::json(body)?,
            Body::Cut(part) => decode::json(&body.slice_ref(part(body)))?,
            Body::JsonOrForm => decode::json_or_form(headers, body)?,
            Body::JsonOrText => decode::json_or_text(body)?,
            Body::Chat => chat_body::read(body)?,
        };
        let body = match self.read {
            Some(read) => read(body),
            None => body,
        };
        let command = self.command.and_then(|command| command(&body));
        Ok(Decoded { body, command })
    }

    fn body_to_keep(&self, body: &[u8]) -> Option<Vec<u8>> {
        if matches!(self.body, Body::Chat) { chat_body::to_keep(body) } else { None }
    }

    fn dialect(&self) -> Option<Dialect> {
        self.dialect
    }

    fn thanks(&self, body: &Value) -> Option<Reply> {
        self.thanks.and_then(|thanks| thanks(body))
    }

    fn meaning(
        &self,
        headers: &HeaderMap,
        body: &Value,
        _options: &Options,
    ) -> Result<Meaning, DecodeFault> {
        Ok(self.meaning_of(headers, body, &self.parts(body)[0]))
    }

    fn meanings(
        &self,
        headers: &HeaderMap,
        body: &Value,
        _options: &Options,
    ) -> Result<Vec<Meaning>, DecodeFault> {
        let parts = self.parts(body);
        if parts.len() > MOST_PARTS {
            return Err(DecodeFault::TooMany { most: MOST_PARTS });
        }
        Ok(parts.iter().map(|part| self.meaning_of(headers, body, part)).collect())
    }

    fn identity(&self, request: &Verified<'_>, body: &Value, options: &Options) -> Identity {
        let headers = request.headers();
        let texts: Option<Vec<_>> =
            self.id.iter().map(|place| self.read_all(*place, headers, body)).collect();
        match texts {
            Some(texts) if !texts.is_empty() => Identity::of_sender(&texts.join(":")),
            // A replay reads the stored body, so the id must be computed from that one.
            _ if matches!(self.body, Body::Chat) => {
                let kept = self.body_to_keep(request.body());
                Identity::of_bytes(&[kept.as_deref().unwrap_or(request.body())])
            }
            _ => match self.unnamed {
                Unnamed::Signed => self.proves.digest(request, options),
                Unnamed::Body if self.changing.is_empty() => Identity::of_bytes(&[request.body()]),
                Unnamed::Body => Identity::of_value(&without(body, self.changing)),
            },
        }
    }

    fn named_id(&self, headers: &HeaderMap, body: &Value, options: &Options) -> Option<String> {
        let texts: Option<Vec<_>> =
            self.id.iter().map(|place| self.read_all(*place, headers, body)).collect();
        let own = texts.filter(|texts| !texts.is_empty()).map(|texts| texts.join(":"));
        own.or_else(|| named_id(headers, body, options))
    }

    fn changing(&self) -> &'static [&'static str] {
        self.changing
    }

    fn tells_git(&self, _options: &Options) -> bool {
        self.git_facts.is_some()
    }

    fn comment_command(&self, meaning: &Meaning, body: &Value) -> Option<ChatCommand> {
        self.comment.and_then(|comment| comment(meaning, body))
    }

    fn takes_comments(&self) -> bool {
        self.comment.is_some()
    }

    fn own_action(&self, meaning: &Meaning, body: &Value) -> Option<Arc<str>> {
        self.own_action.and_then(|own| own(meaning, body))
    }

    fn git_facts(&self, meaning: &Meaning, body: &Value) -> Vec<GitFacts> {
        self.git_facts.map(|facts| facts(meaning, body)).unwrap_or_default()
    }

    fn sign(
        &self,
        outgoing: &Outgoing<'_>,
        secret: &Secret,
        options: &Options,
        id: &str,
        now: Timestamp,
    ) -> Result<Signed, SignFault> {
        let mut signed = self.proves.sign(outgoing, secret, options, id, now)?;
        let own = self.names.iter().find(|(kind, _)| *kind == outgoing.event);
        let event = own.map_or(outgoing.event, |(_, name)| name);
        for (places, text) in [(self.event, event), (self.id, id)] {
            if let Some(name) = places.first().and_then(|place| place.header())
                && !signed.headers.iter().any(|(there, _)| *there == name)
            {
                signed.headers.push(header(&name, text)?);
            }
        }
        Ok(signed)
    }

    fn sample_secret(&self) -> Secret {
        self.proves.sample_secret()
    }

    fn sample_signer(&self) -> Secret {
        self.proves.sample_signer()
    }

    fn sample(&self, kind: &str) -> Option<&'static str> {
        self.samples.iter().find(|(name, _)| *name == kind).map(|(_, payload)| *payload)
    }

    fn sample_of(&self, kind: &str, id: &str) -> Option<Vec<u8>> {
        let sample = self.sample(kind)?;
        let named = self.id.first().and_then(|place| place.written(sample, id));
        Some(named.unwrap_or_else(|| sample.into()))
    }

    fn sample_kind(&self) -> &'static str {
        self.samples.first().map_or(UNNAMED, |(kind, _)| kind)
    }

    fn sample_kinds(&self) -> Vec<&'static str> {
        self.samples.iter().map(|(kind, _)| *kind).collect()
    }
}
