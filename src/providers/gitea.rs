//! Gitea: signs the JSON payload with HMAC-SHA-256; what it means is in `gitea_family`.

use http::{HeaderMap, HeaderName};
use jiff::Timestamp;

use crate::authenticate::{Proof, Refusal, Unverified, Verified};
use crate::model::{GitFacts, Secret, Value};
use crate::providers::gitea_family::{self, Headers};
use crate::providers::{
    DecodeFault, Decoded, Identity, Meaning, Options, Outgoing, Provider, SignFault, Signed, decode,
};

static HEADERS: Headers = Headers {
    event: HeaderName::from_static("x-gitea-event"),
    event_type: HeaderName::from_static("x-gitea-event-type"),
    delivery: HeaderName::from_static("x-gitea-delivery"),
    signature: HeaderName::from_static("x-gitea-signature"),
};

/// Gitea.
pub(super) struct Gitea;

impl Provider for Gitea {
    fn name(&self) -> &'static str {
        "gitea"
    }

    fn title(&self) -> &'static str {
        "Gitea"
    }

    fn authenticate(
        &self,
        request: &Unverified<'_>,
        secrets: &[Secret],
        _options: &Options,
        _now: Timestamp,
    ) -> Result<Proof, Refusal> {
        gitea_family::authenticate(&HEADERS, request, secrets)
    }

    fn decode(&self, _headers: &HeaderMap, body: &[u8]) -> Result<Decoded, DecodeFault> {
        decode::json_or_payload(body).map(Into::into)
    }

    fn meaning(
        &self,
        headers: &HeaderMap,
        body: &Value,
        _options: &Options,
    ) -> Result<Meaning, DecodeFault> {
        gitea_family::meaning(&HEADERS, headers, body)
    }

    fn identity(&self, request: &Verified<'_>, _body: &Value, _options: &Options) -> Identity {
        gitea_family::identity(&HEADERS, request)
    }

    fn git_facts(&self, meaning: &Meaning, body: &Value) -> Vec<GitFacts> {
        gitea_family::git_facts(meaning, body)
    }

    fn sign(
        &self,
        outgoing: &Outgoing<'_>,
        secret: &Secret,
        _options: &Options,
        id: &str,
        _now: Timestamp,
    ) -> Result<Signed, SignFault> {
        gitea_family::sign(&HEADERS, outgoing, secret, id)
    }

    fn sample(&self, kind: &str) -> Option<&'static str> {
        gitea_family::sample(kind)
    }
}
