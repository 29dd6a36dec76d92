//! Travis CI. It signs with a private key of its own (RSA with SHA-1) and publishes the public key, which
//! the gateway does not fetch: it is configured. The signature covers the decoded form field `payload`.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use jiff::Timestamp;

use crate::authenticate::hmac::base64;
use crate::authenticate::keys::{KeySet, Scheme, verify_configured};
use crate::authenticate::{Proof, Refusal, Unverified, Verified, headers};
use crate::model::{ChangedPaths, GitFacts, PullRequest, Secret, Value};
use crate::providers::forges::facts;
use crate::providers::{
    About, DecodeFault, Decoded, Group, Identity, Meaning, Options, Outgoing, Proven, Provider,
    SignFault, Signed, UNNAMED, Verification, decode, filled, form, samples,
};

static SIGNATURE: HeaderName = HeaderName::from_static("signature");

const SAMPLE: &str = include_str!("../samples/travis-ci.json");
/// The signature of the sample, made with the throw-away key. It is stored, since the gateway uses SHA-1
/// only to verify what Travis CI signs, and signs nothing with it.
const SAMPLE_SIGNATURE: &str = include_str!("../samples/travis-ci.signature");

/// Travis CI.
pub(in crate::providers) struct TravisCi;

impl Provider for TravisCi {
    fn name(&self) -> &'static str {
        "travis-ci"
    }

    fn title(&self) -> &'static str {
        "Travis CI"
    }

    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn check_secret(&self, secret: &Secret, _options: &Options) -> Result<(), String> {
        filled(secret)?;
        KeySet::from_text(secret.expose())
            .map(drop)
            .map_err(|fault| format!("is not the public key of Travis CI: {fault}"))
    }

    fn authenticate(
        &self,
        request: &Unverified<'_>,
        verification: &Verification<'_>,
    ) -> Result<Proof, Refusal> {
        const FORM: Refusal =
            Refusal::MalformedBody { expected: "a form with the one field `payload`" };
        let signature = base64(headers::one(request.headers, &SIGNATURE)?).ok_or_else(|| {
            Refusal::MalformedHeader { header: SIGNATURE.clone(), expected: "base64" }
        })?;
        let payload = decode::payload(request.body).map_err(|_| FORM)?.ok_or(FORM)?;
        verify_configured(verification.secrets, Scheme::RsaSha1, &payload, &signature)
    }

    fn signed_headers(&self, _options: &Options) -> Vec<HeaderName> {
        vec![SIGNATURE.clone()]
    }

    fn decode(&self, _headers: &HeaderMap, body: &Bytes) -> Result<Decoded, DecodeFault> {
        decode::json_or_payload(body).map(Into::into)
    }

    /// The kind is what triggered the build (`push`, `pull_request`, `cron`, `api`). The action is the
    /// build's state (`started`, `passed`, `failed`, …).
    fn meaning(
        &self,
        _headers: &HeaderMap,
        body: &Value,
        _options: &Options,
    ) -> Result<Meaning, DecodeFault> {
        let name = facts::text(body, &["type"]);
        Ok(Meaning {
            kind: name.clone().unwrap_or_else(|| UNNAMED.into()),
            name,
            action: facts::text(body, &["state"]),
            handshake: None,
        })
    }

    /// Travis CI sends a delivery each time a build's state changes, so a build's id does not identify a
    /// delivery. The digest of what was signed does, independent of how the form escapes it.
    fn identity(&self, request: &Verified<'_>, _body: &Value, _options: &Options) -> Identity {
        let payload = decode::payload(request.body()).ok().flatten();
        Identity::of_bytes(&[payload.as_deref().unwrap_or(request.body())])
    }

    fn tells_git(&self, _options: &Options) -> bool {
        true
    }

    fn git_facts(&self, meaning: &Meaning, body: &Value) -> Vec<GitFacts> {
        let owner = facts::text(body, &["repository", "owner_name"]);
        let name = facts::text(body, &["repository", "name"]);
        let (Some(owner), Some(name)) = (owner, name) else { return Vec::new() };
        let branch = facts::text(body, &["branch"]);
        let of_request = &*meaning.kind == "pull_request"
            || facts::flag(body, &["pull_request"]) == Some(true)
            || body.get("pull_request_number").is_some_and(|number| !number.is_null());
        let number = body.get("pull_request_number").and_then(Value::as_u64);
        let pull = number.map(|number| PullRequest {
            number,
            base: branch.clone(),
            title: facts::text(body, &["pull_request_title"]),
            head_sha: facts::commit_id(body, &["head_commit"]),
            ..PullRequest::default()
        });
        vec![GitFacts {
            repository: Some(format!("{owner}/{name}").into()),
            branch,
            tag: facts::text(body, &["tag"]),
            sha: facts::text(body, &["commit"]),
            message: facts::message(body, &["message"]),
            // Files are never listed, so which ones changed is not known.
            paths: ChangedPaths::default(),
            pull_request: pull,
            status: facts::status(body, &[&["state"]]),
            // Nothing says which repository a request comes from. All other builds are of the repository's commits.
            fork: (!of_request).then_some(false),
            ..GitFacts::default()
        }]
    }

    fn sign(
        &self,
        outgoing: &Outgoing<'_>,
        _secret: &Secret,
        _options: &Options,
        _id: &str,
        _now: Timestamp,
    ) -> Result<Signed, SignFault> {
        if outgoing.body != SAMPLE.as_bytes() {
            return Err(SignFault::Secret(
                "signs only the sample payload: nothing new is signed with SHA-1".to_owned(),
            ));
        }
        let form = HeaderValue::from_static("application/x-www-form-urlencoded");
        Ok(Signed {
            body: Some(format!("payload={}", form::escape(outgoing.body)).into_bytes()),
            ..vec![
                (http::header::CONTENT_TYPE, form),
                (SIGNATURE.clone(), HeaderValue::from_static(SAMPLE_SIGNATURE.trim_ascii())),
            ]
            .into()
        })
    }

    fn sample_secret(&self) -> Secret {
        samples::public_key()
    }

    fn sample(&self, _kind: &str) -> Option<&'static str> {
        Some(SAMPLE)
    }
}

static ABOUT: About = About {
    group: Group::Forges,
    setup: &[
        "Add the source's address to `notifications: { webhooks: … }` in `.travis.yml`.",
        "Take the public key from https://api.travis-ci.com/config (`config.notifications.webhook.public_key`), write it to a file, and name that under `secrets`.",
    ],
    source: "provider: travis-ci\nsecrets: [{ file: travis-ci.pem }]",
    carries: "The kind is the payload's `type` (`push`, `pull_request`, `cron`, `api`), the action its `state`. The delivery's id is the digest of the body. The whole payload is signed, with RSA and SHA-1.",
    yields: "Git facts: `repository`, `branch`, `tag`, `sha` (of a pull request, the commit of a temporary merge), `message`, `status`, `fork` (not known for pull requests), and the pull request's number, title, base and `head_sha`. Files are not listed.",
    proven: Proven::Documented,
    sources: &[
        "https://docs.travis-ci.com/user/notifications/#verifying-webhook-requests",
        "https://github.com/travis-ci/webhook-signature-verifier",
    ],
};
