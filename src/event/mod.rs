//! Turns a verified request into events. They do not depend on the provider, and are all that
//! routes and expressions see.
//!
//! This step trusts the request, because a [`Verified`] exists only after verification. It keeps no
//! header that carries a secret, and it does not decide which routes an event matches.

mod variables;

use std::sync::Arc;

use http::{HeaderMap, HeaderValue};

use crate::authenticate::Verified;
use crate::model::{ChatCommand, ContentDigest, GitFacts, Secret, Value};
use crate::providers::{self, HiddenHeaders, Options, Provider};

pub use crate::providers::{DecodeFault, Dialect, Greeting, Handshake, Identity, Reply};
pub use variables::{
    COMMAND_FIELDS, DELIVERY_FIELDS, EVENT_FIELDS, GIT_FIELDS, PATH_FIELDS, PULL_REQUEST_FIELDS,
    SIDE_FIELDS, VARIABLES,
};

/// The meaning of a request.
#[derive(Clone, Debug)]
pub struct Understood {
    /// Set if the request is a handshake. Then there are no events.
    pub handshake: Option<Handshake>,
    /// The gateway's name for the kind of event, common to all providers. If there are several
    /// events, that of the first.
    pub kind: Arc<str>,
    /// The sender's own name for the kind.
    pub name: Option<Arc<str>>,
    /// What was done, for kinds that have several actions.
    pub action: Option<Arc<str>>,
    /// What identifies the delivery. A repeat has the same identity.
    pub identity: Identity,
    /// Tells two deliveries apart to which the sender gave the same id.
    pub content: ContentDigest,
    /// In words, that the place where the event's name should be has none; none where it has one.
    pub unnamed: Option<String>,
    /// The events. Usually there is one. A push to several branches and a list of events give
    /// several.
    pub events: Vec<Event>,
}

impl Understood {
    /// The answer to a handshake that asks the receiver to prove that it knows the secret. `None`
    /// for every other request, or if no proof can be made.
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
    /// Name of the source that received it.
    pub source: Arc<str>,
    /// Name of the source's provider.
    pub provider: &'static str,
    /// The gateway's name for the kind of event, common to all providers.
    pub kind: Arc<str>,
    /// The sender's own name for the kind.
    pub name: Option<Arc<str>>,
    /// What was done, for kinds that have several actions, in the word that all forges share.
    pub action: Option<Arc<str>>,
    /// The sender's own word for what was done, where it may be another one.
    pub own_action: Option<Arc<str>>,
    /// The key of the delivery. A repeat of the delivery has the same key.
    pub delivery_key: Arc<str>,
    /// The payload.
    pub body: Value,
    /// Header names in lower case, with their texts. Headers that carry a secret or are not text
    /// are left out. Several headers of one name are joined by commas.
    pub headers: Value,
    /// The fields of the query string. Most senders do not sign them.
    pub query: Value,
    /// The claims of a signed token. Null if the sender sends no token.
    pub claims: Value,
    /// The command that a person gave in chat, or in a comment on a pull request.
    pub command: Option<Arc<ChatCommand>>,
    /// Git facts, if the event is about git.
    pub git: Option<GitFacts>,
    /// Its position among the delivery's events, counted from 0.
    pub part: u32,
}

impl Event {
    /// Another kind that the event is of: a review of a request is told under a kind of its own by some forges,
    /// and as something that happened to the request by others.
    pub fn other_kind(&self) -> Option<&'static str> {
        const REVIEWS: [&str; 4] = ["approved", "unapproved", "changes_requested", "reviewed"];
        let is_review = self.action.as_ref().is_some_and(|action| REVIEWS.contains(&&**action));
        (is_review && &*self.kind == "pull_request").then_some("pull_request_review")
    }
}

/// Reads a verified request.
///
/// # Errors
/// The body cannot be read, or the sender left out something that is needed.
pub fn understand(
    verified: &Verified<'_>,
    provider: &dyn Provider,
    options: &Options,
    source: &Arc<str>,
) -> Result<Understood, DecodeFault> {
    let headers = verified.headers();
    let decoded = provider.decode_as(headers, verified.body(), options)?;
    let unnamed = options.unnamed(headers, &decoded.body);
    let mut meanings = provider.meanings(headers, &decoded.body, options)?;
    let identity = provider.identity(verified, &decoded.body, options);
    let event = Event {
        source: source.clone(),
        provider: provider.name(),
        kind: providers::UNNAMED.into(),
        name: None,
        action: None,
        own_action: None,
        delivery_key: identity.key(),
        headers: visible_headers(headers, &HiddenHeaders::of(provider, options)),
        query: providers::query_value(&providers::visible_query(
            provider,
            options,
            verified.query(),
        )),
        body: decoded.body,
        claims: verified.proof().claims().clone(),
        command: decoded.command.map(Arc::new),
        git: None,
        part: 0,
    };
    let first = &meanings[0];
    let content = provider.content(
        verified,
        &event.body,
        &identity,
        first.name.as_deref().unwrap_or(&first.kind),
    );
    let greets = meanings.iter().any(|meaning| meaning.handshake.is_some());
    let events = if greets { Vec::new() } else { split(provider, options, &meanings, &event) };
    let providers::Meaning { kind, name, action, handshake } = meanings.swap_remove(0);
    Ok(Understood { handshake, kind, name, action, identity, content, unnamed, events })
}

/// Makes one event for each thing in the body: for each event of a list, and for each branch of a
/// push. All of them share the whole body.
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
            own_action: provider.own_action(meaning, &whole.body),
            command: whole
                .command
                .clone()
                .or_else(|| provider.comment_command(meaning, &whole.body).map(Arc::new)),
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

/// The git facts of the payload. If it has none, those of the token.
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

fn visible_headers<'h>(headers: &'h HeaderMap, hidden: &HiddenHeaders) -> Value {
    let text = |value: &'h HeaderValue| str::from_utf8(value.as_bytes()).ok();
    let visible = headers.keys().filter(|name| !hidden.contains(name)).filter_map(|name| {
        let mut texts = headers.get_all(name).iter().filter_map(text).peekable();
        texts.peek().is_some().then_some((name.as_str(), texts))
    });
    Value::texts(visible)
}
