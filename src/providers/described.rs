//! A provider that is told in data: how it proves itself, and where its event's name and its
//! delivery's id are. Most senders need nothing else; what one needs beyond that is a function in
//! its own file.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, HeaderName};
use jiff::Timestamp;

use crate::authenticate::{Proof, Refusal, Unverified, Verified, headers};
use crate::model::{ChatCommand, GitFacts, Secret, Value};
use crate::providers::chat::body as chat_body;
use crate::providers::mechanisms::Mechanism;
use crate::providers::{
    About, DecodeFault, Decoded, Dialect, Greeting, Handshake, Identity, Meaning, Options,
    Outgoing, Provider, Reply, SecretUse, SignFault, Signed, UNNAMED, Verification, decode, header,
};

pub(super) use super::at::At;

/// Events that one delivery may tell of: no sender is known to put as many into a list unless it is
/// told to, and each is judged by every route.
const MOST_PARTS: usize = 1000;

/// One sender.
pub(super) struct Sender {
    /// Its name in a configuration.
    pub(super) name: &'static str,
    /// Its name for people.
    pub(super) title: &'static str,
    /// What people must know of it.
    pub(super) about: &'static About,
    /// How it proves itself.
    pub(super) proves: &'static dyn Mechanism,
    /// Options that it takes beside those of its mechanism.
    pub(super) takes: &'static [&'static str],
    /// Headers that carry a secret beside those of its mechanism, in lower case.
    pub(super) secret_headers: &'static [&'static str],
    /// Fields of the query string that carry a secret beside those of its mechanism.
    pub(super) secret_fields: &'static [&'static str],
    /// How its body is written.
    pub(super) body: Body,
    /// The list of which each thing is an event of its own: a field of the body, or the whole body
    /// where that is empty.
    pub(super) parts: Option<&'static [&'static str]>,
    /// Where the event's name is; the first place that is filled decides.
    pub(super) event: &'static [At],
    /// Where it says what was done; the first place that is filled decides.
    pub(super) action: &'static [At],
    /// What names the delivery: the texts of all these places, joined. Where one of them is not
    /// filled, or there is none, `unnamed` says what stands for it.
    pub(super) id: &'static [At],
    /// What stands for the delivery's id where the sender gives none.
    pub(super) unnamed: Unnamed,
    /// Where the kind of event is not the sender's own name for it.
    pub(super) kind: Option<fn(&HeaderMap, &Value) -> Option<&'static str>>,
    /// Where what was done is not the sender's own word for it.
    pub(super) done: Option<fn(&HeaderMap, &Value) -> Option<&'static str>>,
    /// The sender's own names for kinds of event that have another here, to try things out with.
    pub(super) names: &'static [(&'static str, &'static str)],
    /// Whether it is a greeting.
    pub(super) handshake: Option<fn(&HeaderMap, &Value) -> Option<Handshake>>,
    /// Greetings that are not signed as deliveries are.
    pub(super) greet: Option<Greets>,
    /// What a greeting's text is answered with, under the secret that the greeting was signed with.
    pub(super) prove_back: Option<fn(&str, &Secret) -> Reply>,
    /// Its git facts.
    pub(super) git_facts: Option<fn(&Meaning, &Value) -> Vec<GitFacts>>,
    /// The command that someone gave in chat, read from the body.
    pub(super) command: Option<fn(&Value) -> Option<ChatCommand>>,
    /// How people are answered there.
    pub(super) dialect: Option<Dialect>,
    /// What a kept delivery is answered with, where any 2xx will not do.
    pub(super) thanks: Option<fn(&Value) -> Option<Reply>>,
    /// Payloads to try it out with, by kind of event; the first stands for kinds without one.
    pub(super) samples: &'static [(&'static str, &'static str)],
}

/// Looks at a request for a greeting that is not signed as deliveries are.
pub(super) type Greets =
    fn(&Sender, &Unverified<'_>, &Verification<'_>) -> Option<Result<Greeting, Refusal>>;

/// How a body is written.
#[derive(Clone, Copy, Debug)]
pub(super) enum Body {
    /// JSON.
    Json,
    /// JSON or a form, as the first bytes say.
    JsonOrForm,
    /// JSON, or a text that means nothing, as the first byte says.
    JsonOrText,
    /// JSON, of which only this part is believed.
    Cut(fn(&[u8]) -> &[u8]),
    /// JSON, a form, or a form whose only field `payload` holds JSON, as the bytes say; without the
    /// field `token`, which holds a secret.
    Chat,
}

/// What stands for the id of a delivery whose sender gives none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unnamed {
    /// The digest of what was signed.
    Signed,
    /// The digest of the body, for senders that sign a new time with each try at the same delivery.
    Body,
    /// The digest of what the body says, but for these fields of it, or of each thing in the list
    /// that it is: they change with each try at the same delivery.
    BodyWithout(&'static [&'static str]),
    /// Nothing: two deliveries that say the very same are two all the same.
    Nothing,
}

impl Sender {
    /// A sender that says nothing beyond how it proves itself; for `..` in the files of senders.
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
            body: Body::Json,
            parts: None,
            event: &[],
            action: &[],
            id: &[],
            unnamed: Unnamed::Signed,
            kind: None,
            done: None,
            names: &[],
            handshake: None,
            greet: None,
            prove_back: None,
            git_facts: None,
            command: None,
            dialect: None,
            thanks: None,
            samples: &[],
        }
    }
}

impl Sender {
    /// The parts of a body, of which there is always one.
    fn parts<'v>(&self, body: &'v Value) -> &'v [Value] {
        let list = self.parts.and_then(|path| body.at(path)?.as_list());
        list.filter(|parts| !parts.is_empty()).unwrap_or(std::slice::from_ref(body))
    }

    /// What is in this place, where it is to be believed.
    fn read(&self, place: At, headers: &HeaderMap, body: &Value, part: &Value) -> Option<Arc<str>> {
        let name = place.header();
        let believed = name.is_none_or(|name| self.proves.believes(headers, &name));
        believed.then(|| place.read(headers, body, part)).flatten()
    }

    /// What is in this place of every part, since a delivery is the same only where all of it is.
    fn read_all(&self, place: At, headers: &HeaderMap, body: &Value) -> Option<Arc<str>> {
        if !matches!(place, At::Part(_)) {
            return self.read(place, headers, body, body);
        }
        let parts = self.parts(body).iter();
        let texts: Option<Vec<_>> =
            parts.map(|part| self.read(place, headers, body, part)).collect();
        Some(texts?.join(",").into())
    }

    fn meaning_of(&self, headers: &HeaderMap, body: &Value, part: &Value) -> Meaning {
        let first =
            |places: &[At]| places.iter().find_map(|place| self.read(*place, headers, body, part));
        let name = first(self.event);
        let own = self.kind.and_then(|kind| kind(headers, body)).map(Arc::from);
        let own_action = self.done.and_then(|done| done(headers, body)).map(Arc::from);
        Meaning {
            kind: own.or_else(|| name.clone()).unwrap_or_else(|| UNNAMED.into()),
            name,
            action: own_action.or_else(|| first(self.action)),
            handshake: self.handshake.and_then(|handshake| handshake(headers, body)),
        }
    }
}

/// The value, or each of the list that it is, without these fields.
fn without(value: &Value, fields: &[&str]) -> Value {
    match value {
        Value::List(values) => {
            Value::list(values.iter().map(|value| without(value, fields)).collect())
        }
        Value::Map(_) => {
            let others = value.entries().filter(|(name, _)| !fields.contains(name));
            Value::map(others.map(|(name, value)| (name, value.clone())).collect())
        }
        other => other.clone(),
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
        // Those of both would have to be joined; no sender needs that.
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
        self.proves.authenticate(request, verification)
    }

    fn greet(
        &self,
        request: &Unverified<'_>,
        verification: &Verification<'_>,
    ) -> Option<Result<Greeting, Refusal>> {
        self.greet.and_then(|greet| greet(self, request, verification))
    }

    fn prove_back(&self, text: &str, secret: &Secret) -> Option<Reply> {
        self.prove_back.map(|prove| prove(text, secret))
    }

    fn own_secret_headers(&self, options: &Options) -> Vec<HeaderName> {
        let own = self.secret_headers.iter().map(|name| HeaderName::from_static(name));
        self.proves.secret_headers(options).into_iter().chain(own).collect()
    }

    fn secret_fields(&self, options: &Options) -> Vec<String> {
        let own = self.secret_fields.iter().map(|&name| name.to_owned());
        self.proves.secret_fields(options).into_iter().chain(own).collect()
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
            // What is kept must have the same name when it is replayed.
            _ if matches!(self.body, Body::Chat) => {
                let kept = self.body_to_keep(request.body());
                Identity::of_bytes(&[kept.as_deref().unwrap_or(request.body())])
            }
            _ => match self.unnamed {
                Unnamed::Signed => self.proves.digest(request, options),
                Unnamed::Body => Identity::of_bytes(&[request.body()]),
                Unnamed::BodyWithout(fields) => Identity::of_value(&without(body, fields)),
                Unnamed::Nothing => Identity::Nothing,
            },
        }
    }

    fn tells_git(&self, _options: &Options) -> bool {
        self.git_facts.is_some()
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
