//! Which kind of event a payload is, where no header of its request was saved.

use http::{HeaderMap, Method};
use jiff::Timestamp;
use serde::Serialize;

use crate::config::SourcePlan;
use crate::model::Value;
use crate::providers::{Outgoing, UNNAMED};

/// Where the kind of the event comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(in crate::cli) enum KindFrom {
    /// The request says it: a saved request, `--event`, or a header that was given.
    Request,
    /// The body names it, as it does for a running gateway.
    Body,
    /// The sender names it in a header alone; the fields of the body are those of this kind.
    Fields,
    /// The sender names it in a header alone, and nothing tells which it was; the provider's usual kind.
    Usual,
}

impl KindFrom {
    /// What a person must know of it.
    pub(super) fn words(self) -> Option<&'static str> {
        match self {
            Self::Request | Self::Body => None,
            Self::Fields => Some(
                "assumed from the fields of the payload, since its sender names it in a header; --event says it",
            ),
            Self::Usual => Some(
                "assumed: the sender names it in a header, and this is its usual kind; --event says it",
            ),
        }
    }
}

/// The headers that the sender would set, and where the kind of the event comes from. `given` are those that are known.
pub(in crate::cli) fn stand_in(
    source: &SourcePlan,
    body: &[u8],
    event: Option<&str>,
    given: &HeaderMap,
    now: Timestamp,
) -> (HeaderMap, KindFrom) {
    if let Some(event) = event {
        return (signed(source, body, event, now), KindFrom::Request);
    }
    let usual = signed(source, body, source.provider.sample_kind(), now);
    let other = signed(source, body, "another-kind", now);
    // What depends on the kind is left out: then only the body, or a header that was given, can name it.
    let plain: HeaderMap =
        usual.iter().filter(|(name, value)| other.get(*name) == Some(*value)).map(owned).collect();
    let with_given = over(plain.clone(), given);
    if names_kind(source, &with_given, body) {
        let by_body = names_kind(source, &plain, body);
        return (plain, if by_body { KindFrom::Body } else { KindFrom::Request });
    }
    if kinds(source, &usual, body).is_some_and(|named| !named) {
        // This sender names no kind at all, so there is nothing to assume.
        return (usual, KindFrom::Body);
    }
    let likely = decoded(source, body).and_then(|body| likely(&body));
    let fits = likely.map(|kind| signed(source, body, kind, now));
    match fits.filter(|headers| {
        source.provider.tells_git(&source.options) && names_kind(source, headers, body)
    }) {
        Some(headers) => (headers, KindFrom::Fields),
        None => (usual, KindFrom::Usual),
    }
}

fn owned(
    (name, value): (&http::HeaderName, &http::HeaderValue),
) -> (http::HeaderName, http::HeaderValue) {
    (name.clone(), value.clone())
}

fn over(mut headers: HeaderMap, given: &HeaderMap) -> HeaderMap {
    given.iter().for_each(|(name, value)| drop(headers.insert(name.clone(), value.clone())));
    headers
}

/// The headers with which the sender would send this kind of event, signed with a secret that nobody uses.
fn signed(source: &SourcePlan, body: &[u8], event: &str, now: Timestamp) -> HeaderMap {
    let outgoing = Outgoing { method: &Method::POST, path: "/", event, body, access_token: None };
    let secret = source.provider.sample_signer();
    let signed = source.provider.sign(&outgoing, &secret, &source.options, "explained", now);
    signed.map(|signed| signed.headers.into_iter().collect()).unwrap_or_default()
}

fn decoded(source: &SourcePlan, body: &[u8]) -> Option<Value> {
    let body = bytes::Bytes::copy_from_slice(body);
    source.provider.decode(&HeaderMap::new(), &body).ok().map(|decoded| decoded.body)
}

/// Whether a running gateway would know the kind from these headers and this body.
fn names_kind(source: &SourcePlan, headers: &HeaderMap, body: &[u8]) -> bool {
    kinds(source, headers, body).unwrap_or(false)
}

/// Whether every event has a kind of its own; none where the request would be refused.
fn kinds(source: &SourcePlan, headers: &HeaderMap, body: &[u8]) -> Option<bool> {
    let body = bytes::Bytes::copy_from_slice(body);
    let decoded = source.provider.decode(headers, &body).ok()?;
    let meanings = source.provider.meanings(headers, &decoded.body, &source.options).ok()?;
    Some(meanings.iter().all(|meaning| &*meaning.kind != UNNAMED))
}

/// The kind whose fields a forge's payload has, in GitHub's words, which Gitea, Forgejo and Gogs use too. The first that
/// fits counts: those with more fields of their own stand first.
/// <https://docs.github.com/en/webhooks/webhook-events-and-payloads>
fn likely(body: &Value) -> Option<&'static str> {
    const FIELDS: [(&str, &[&str]); 20] = [
        ("ping", &["zen", "hook_id"]),
        ("pull_request_review_comment", &["pull_request", "comment"]),
        ("pull_request_review", &["pull_request", "review"]),
        ("pull_request", &["pull_request", "number", "action"]),
        ("issue_comment", &["issue", "comment"]),
        ("issues", &["issue", "action"]),
        ("workflow_job", &["workflow_job"]),
        ("workflow_run", &["workflow_run"]),
        ("check_run", &["check_run"]),
        ("check_suite", &["check_suite"]),
        ("deployment_status", &["deployment_status"]),
        ("deployment", &["deployment"]),
        ("merge_group", &["merge_group"]),
        ("release", &["release"]),
        ("repository_dispatch", &["client_payload", "action"]),
        ("workflow_dispatch", &["inputs", "workflow"]),
        ("status", &["state", "context", "sha"]),
        ("push", &["ref", "before", "after"]),
        ("create", &["ref", "ref_type", "master_branch"]),
        ("delete", &["ref", "ref_type", "pusher_type"]),
    ];
    let has = |field: &&str| body.get(field).is_some();
    FIELDS.iter().find(|(_, fields)| fields.iter().all(has)).map(|(kind, _)| *kind)
}
