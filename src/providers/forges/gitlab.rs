//! GitLab, with a secret token (sent in a header) or a signing token (Standard Webhooks).
//!
//! Where a signing token is configured and the request is signed, only the signature counts, and the secret
//! token is ignored. A source with both kinds accepts the secret token for requests without a signature, so
//! that people can change from one to the other. They should then remove the secret token, since with it
//! nothing in a request is signed.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, HeaderName};
use jiff::Timestamp;

use crate::authenticate::standard_webhooks::{self as scheme, Key, STANDARD};
use crate::authenticate::{Proof, Refusal, Unverified, Verified, headers, token};
use crate::model::{ChatCommand, GitFacts, Secret, Value};
use crate::providers::forges::{comments, facts, gitlab_facts, words};
use crate::providers::mechanisms::standard_headers;
use crate::providers::{
    About, DecodeFault, Decoded, Group, Identity, Meaning, Options, Outgoing, Proven, Provider,
    SignFault, Signed, Verification, decode, filled, header, json_content,
};

static EVENT: HeaderName = HeaderName::from_static("x-gitlab-event");
static TOKEN: HeaderName = HeaderName::from_static("x-gitlab-token");
static IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// The prefix of a signing token. GitLab generates these tokens, so a secret token that people choose does
/// not start like this.
const SIGNING_TOKEN: &[u8] = b"whsec_";
const SIGNING_KEY_BYTES: usize = 32;

/// GitLab.
pub(in crate::providers) struct GitLab;

impl Provider for GitLab {
    fn name(&self) -> &'static str {
        "gitlab"
    }

    fn title(&self) -> &'static str {
        "GitLab"
    }

    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn signed_headers(&self, _options: &Options) -> Vec<HeaderName> {
        vec![STANDARD.id.clone(), STANDARD.timestamp.clone(), STANDARD.signature.clone()]
    }

    fn takes(&self) -> &'static [&'static str] {
        &["tolerance"]
    }

    fn check_secret(&self, secret: &Secret, _options: &Options) -> Result<(), String> {
        filled(secret)?;
        if !is_signing_token(secret) {
            return Ok(());
        }
        match Key::read(secret)? {
            Key::Shared(key) if key.expose().len() == SIGNING_KEY_BYTES => Ok(()),
            _ => Err("starts with `whsec_` but is not a signing token of 32 bytes".to_owned()),
        }
    }

    fn authenticate(
        &self,
        request: &Unverified<'_>,
        verification: &Verification<'_>,
    ) -> Result<Proof, Refusal> {
        let Verification { secrets, options, now, .. } = *verification;
        headers::at_most_one(request.headers, [&EVENT, &STANDARD.id, &IDEMPOTENCY_KEY])?;
        let (signing, plain): (Vec<_>, Vec<_>) =
            secrets.iter().enumerate().partition(|(_, secret)| is_signing_token(secret));
        let is_signed = request.headers.contains_key(&STANDARD.signature);
        if !signing.is_empty() && (is_signed || plain.is_empty()) {
            scheme::verify(request, &STANDARD, signing, options.tolerance(), now)
        } else {
            token::verify(request, &TOKEN, "", plain)
        }
    }

    fn own_secret_headers(&self, _options: &Options) -> Vec<HeaderName> {
        vec![TOKEN.clone()]
    }

    fn decode(&self, _headers: &HeaderMap, body: &Bytes) -> Result<Decoded, DecodeFault> {
        decode::json(body).map(Into::into)
    }

    /// The kind is read from the body first, since the body may be signed and the header is not.
    fn meaning(
        &self,
        headers: &HeaderMap,
        body: &Value,
        _options: &Options,
    ) -> Result<Meaning, DecodeFault> {
        let object = facts::first_text(body, &[&["object_kind"], &["event_name"]]);
        let name = match (facts::event_header(headers, &EVENT), &object) {
            (Ok(name), _) => name,
            (Err(_), Some(object)) => object.clone(),
            (Err(fault), None) => return Err(fault),
        };
        let object = object.or_else(|| gitlab_facts::object_of_header(&name).map(Into::into));
        let known = object.as_deref().and_then(|object| gitlab_facts::kind(object, body));
        let kind = known.map(Arc::from).or(object).unwrap_or_else(|| name.clone());
        let action = words::gitlab(&kind, gitlab_facts::own_action(body), body);
        Ok(Meaning { kind, name: Some(name), action, handshake: None })
    }

    fn comment_command(&self, meaning: &Meaning, body: &Value) -> Option<ChatCommand> {
        comments::command(meaning, body)
    }

    fn takes_comments(&self) -> bool {
        true
    }

    fn own_action(&self, _meaning: &Meaning, body: &Value) -> Option<Arc<str>> {
        gitlab_facts::own_action(body).or_else(|| words::gitlab_status(body))
    }

    /// The signed id where there is one, else the idempotency key. `X-Gitlab-Event-UUID` does not identify
    /// a delivery: an event shares it with the events that it causes.
    fn identity(&self, request: &Verified<'_>, _body: &Value, _options: &Options) -> Identity {
        [&STANDARD.id, &IDEMPOTENCY_KEY]
            .into_iter()
            .find_map(|name| Identity::of_header(request.headers(), name))
            .unwrap_or_else(|| Identity::of_bytes(&[request.body()]))
    }

    fn tells_git(&self, _options: &Options) -> bool {
        true
    }

    fn git_facts(&self, meaning: &Meaning, body: &Value) -> Vec<GitFacts> {
        gitlab_facts::of(meaning, body)
    }

    fn sign(
        &self,
        outgoing: &Outgoing<'_>,
        secret: &Secret,
        _options: &Options,
        id: &str,
        now: Timestamp,
    ) -> Result<Signed, SignFault> {
        let event = gitlab_facts::header_for(outgoing.event);
        let mut headers =
            vec![json_content(), header(&EVENT, event)?, header(&IDEMPOTENCY_KEY, id)?];
        if is_signing_token(secret) {
            headers.extend(standard_headers(outgoing.body, secret, id, now)?);
        } else {
            headers.push(header(&TOKEN, secret.expose())?);
        }
        Ok(headers.into())
    }

    fn sample_secret(&self) -> Secret {
        Secret::new("whsec_YSBzYW1wbGUga2V5IHRoYXQgcHJvdmVzIG5vdGhpbmc=")
    }

    fn sample(&self, kind: &str) -> Option<&'static str> {
        (kind == "push").then_some(include_str!("../samples/gitlab-push.json"))
    }
}

fn is_signing_token(secret: &Secret) -> bool {
    secret.expose().starts_with(SIGNING_TOKEN)
}

static ABOUT: About = About {
    group: Group::Forges,
    setup: &[
        "In the project or group: Settings > Webhooks > Add new webhook.",
        "URL `https://HOST/hooks/gitlab`; a signing token where your GitLab offers one, else a secret token.",
        "Choose the triggers. The button `Test` sends the last real event, which nothing tells from a new one: it starts jobs.",
    ],
    source: "provider: gitlab\nsecrets: [{ env: GITLAB_SIGNING_TOKEN }]",
    carries: "The kind is the body's `object_kind` (else `event_name`), of system hooks too; the header `X-Gitlab-Event` counts only where the body says nothing. The delivery's id is `webhook-id` or `Idempotency-Key`. With a signing token (`whsec_…`) id, time and body are signed; with a secret token nothing is.",
    yields: "Git facts: `repository`, `branch`, `tag`, `sha`, `before`, `author`, `message`, `paths`, `pull_request`, `default_branch`, `deleted`, `fork`, `status`. `forced` is not known, and of a push GitLab lists 20 commits. [Git events](git.md) says which kind of event tells which.",
    proven: Proven::Literal,
    sources: &["https://docs.gitlab.com/user/project/integrations/webhooks/"],
};
