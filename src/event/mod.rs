//! A verified request becomes events: provider-neutral, and all that routes and expressions see.
//!
//! This step believes the request, since a [`Verified`] cannot be had without proof. It keeps no
//! header that carries a secret, and it never decides which route an event is for.

mod variables;

use std::sync::Arc;

use http::{HeaderMap, HeaderName, HeaderValue};

use crate::authenticate::Verified;
use crate::model::{ChatCommand, GitFacts, Secret, Value};
use crate::providers::{self, Options, Provider};

pub use crate::providers::{DecodeFault, Dialect, Greeting, Handshake, Identity, Reply};
pub use variables::{
    COMMAND_FIELDS, DELIVERY_FIELDS, EVENT_FIELDS, GIT_FIELDS, PULL_REQUEST_FIELDS, VARIABLES,
};

/// What a request means.
#[derive(Clone, Debug)]
pub struct Understood {
    /// Set where the request is a greeting; then there are no events.
    pub handshake: Option<Handshake>,
    /// What kind of event it is, with one word for all forges; of several, the first's.
    pub kind: Arc<str>,
    /// The sender's own name for the kind.
    pub name: Option<Arc<str>>,
    /// What was done, for kinds that have several.
    pub action: Option<Arc<str>>,
    /// What names the delivery; repeats share it.
    pub identity: Identity,
    /// What happened; usually one thing, and a push to several branches, or a list of events, is
    /// several.
    pub events: Vec<Event>,
}

impl Understood {
    /// The answer to a greeting that asks for proof of the secret that it was signed with.
    pub fn prove_back(&self, provider: &dyn Provider, secret: Option<&Secret>) -> Option<Reply> {
        match &self.handshake {
            Some(Handshake::ProveBack(text)) => provider.prove_back(text, secret?),
            _ => None,
        }
    }
}

/// One thing that happened.
#[derive(Clone, Debug)]
pub struct Event {
    /// Name of the source that it came in by.
    pub source: Arc<str>,
    /// Name of the source's provider.
    pub provider: &'static str,
    /// What kind of event it is, with one word for all forges.
    pub kind: Arc<str>,
    /// The sender's own name for the kind.
    pub name: Option<Arc<str>>,
    /// What was done, for kinds that have several.
    pub action: Option<Arc<str>>,
    /// The key that repeats of the delivery share.
    pub delivery_key: Arc<str>,
    /// The payload.
    pub body: Value,
    /// Header names in lower case and their texts, without those that carry a secret and those
    /// that are not text. Several of one name are joined by commas.
    pub headers: Value,
    /// The fields of the query string. They are hardly ever signed.
    pub query: Value,
    /// Claims of a signed token; null where the sender sends none.
    pub claims: Value,
    /// The command that someone gave in chat.
    pub command: Option<Arc<ChatCommand>>,
    /// Git facts, where the event has to do with git.
    pub git: Option<GitFacts>,
    /// Its place among the delivery's events, counted from 0.
    pub part: u32,
}

/// Reads a verified request.
///
/// # Errors
/// Where the body cannot be read, or what the sender left out.
pub fn understand(
    verified: &Verified<'_>,
    provider: &dyn Provider,
    options: &Options,
    source: &Arc<str>,
) -> Result<Understood, DecodeFault> {
    let headers = verified.headers();
    let decoded = provider.decode(headers, verified.body())?;
    let mut meanings = provider.meanings(headers, &decoded.body, options)?;
    let identity = provider.identity(verified, &decoded.body, options);
    let event = Event {
        source: source.clone(),
        provider: provider.name(),
        kind: providers::UNNAMED.into(),
        name: None,
        action: None,
        delivery_key: identity.key(),
        headers: visible_headers(headers, &provider.secret_headers(options)),
        query: providers::query_value(&providers::without_fields(
            verified.query(),
            &provider.secret_fields(options),
        )),
        body: decoded.body,
        claims: verified.proof().claims().clone(),
        command: decoded.command.map(Arc::new),
        git: None,
        part: 0,
    };
    let greets = meanings.iter().any(|meaning| meaning.handshake.is_some());
    let events = if greets { Vec::new() } else { split(provider, options, &meanings, &event) };
    let providers::Meaning { kind, name, action, handshake } = meanings.swap_remove(0);
    Ok(Understood { handshake, kind, name, action, identity, events })
}

/// One event for each thing that the body tells of: of a list of events, each; of a push, each
/// branch. All share the whole body.
fn split(
    provider: &dyn Provider,
    options: &Options,
    meanings: &[providers::Meaning],
    whole: &Event,
) -> Vec<Event> {
    let mut events = Vec::with_capacity(meanings.len());
    for meaning in meanings {
        let event = Event {
            kind: meaning.kind.clone(),
            name: meaning.name.clone(),
            action: meaning.action.clone(),
            ..whole.clone()
        };
        match git_facts(provider, options, meaning, &event) {
            facts if facts.is_empty() => events.push(event),
            facts => events
                .extend(facts.into_iter().map(|git| Event { git: Some(git), ..event.clone() })),
        }
    }
    (0..).zip(&mut events).for_each(|(part, event)| event.part = part);
    events
}

/// What the payload says of git, or else the token.
fn git_facts(
    provider: &dyn Provider,
    options: &Options,
    meaning: &providers::Meaning,
    event: &Event,
) -> Vec<GitFacts> {
    let facts = provider.git_facts(meaning, &event.body);
    if facts.is_empty() {
        provider.claimed_git_facts(&event.claims, options).into_iter().collect()
    } else {
        facts
    }
}

fn visible_headers<'h>(headers: &'h HeaderMap, secret: &[HeaderName]) -> Value {
    let text = |value: &'h HeaderValue| str::from_utf8(value.as_bytes()).ok();
    let visible = headers.keys().filter(|name| !secret.contains(name)).filter_map(|name| {
        let mut texts = headers.get_all(name).iter().filter_map(text).peekable();
        texts.peek().is_some().then_some((name.as_str(), texts))
    });
    Value::texts(visible)
}
