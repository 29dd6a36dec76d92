//! Bitbucket Cloud. One push may move several branches and tags. Each of them is an event of its own.
//!
//! The signature covers only the body: the event's name and the delivery's id are not signed. Bitbucket
//! never sends payloads over 256 kB, and no payload lists the files that changed.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, HeaderName};
use jiff::Timestamp;

use crate::authenticate::hmac::Scheme;
use crate::authenticate::{Proof, Refusal, Unverified, Verified, headers};
use crate::model::{ChangedPaths, GitFacts, PullRequest, Secret, Value};
use crate::providers::forges::facts;
use crate::providers::{
    About, DecodeFault, Decoded, Group, Identity, Meaning, Options, Outgoing, Proven, Provider,
    SignFault, Signed, Verification, decode, header, json_content,
};

static EVENT: HeaderName = HeaderName::from_static("x-event-key");
static REQUEST: HeaderName = HeaderName::from_static("x-request-uuid");
static SIGNATURE: HeaderName = HeaderName::from_static("x-hub-signature");
const SHA256: Scheme<'_> = Scheme { prefix: "sha256=", ..Scheme::HEX_SHA256 };

/// Bitbucket Cloud.
pub(in crate::providers) struct BitbucketCloud;

impl Provider for BitbucketCloud {
    fn name(&self) -> &'static str {
        "bitbucket-cloud"
    }

    fn title(&self) -> &'static str {
        "Bitbucket Cloud"
    }

    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn signed_headers(&self, _options: &Options) -> Vec<HeaderName> {
        vec![SIGNATURE.clone()]
    }

    fn authenticate(
        &self,
        request: &Unverified<'_>,
        verification: &Verification<'_>,
    ) -> Result<Proof, Refusal> {
        let Verification { secrets, .. } = *verification;
        headers::at_most_one(request.headers, [&EVENT, &REQUEST])?;
        let value = headers::one(request.headers, &SIGNATURE)?;
        SHA256.verify(&SIGNATURE, value, secrets, &[request.body])
    }

    fn decode(&self, _headers: &HeaderMap, body: &Bytes) -> Result<Decoded, DecodeFault> {
        decode::json(body).map(Into::into)
    }

    fn meaning(
        &self,
        headers: &HeaderMap,
        _body: &Value,
        _options: &Options,
    ) -> Result<Meaning, DecodeFault> {
        let name = facts::event_header(headers, &EVENT)?;
        let (kind, action) = kind_and_action(&name);
        Ok(Meaning { kind: kind.into(), action, name: Some(name), handshake: None })
    }

    /// Bitbucket sends an event with the same id each time it retries.
    fn identity(&self, request: &Verified<'_>, _body: &Value, _options: &Options) -> Identity {
        Identity::of_header(request.headers(), &REQUEST)
            .unwrap_or_else(|| Identity::of_bytes(&[request.body()]))
    }

    fn tells_git(&self, _options: &Options) -> bool {
        true
    }

    fn git_facts(&self, meaning: &Meaning, body: &Value) -> Vec<GitFacts> {
        let Some(facts) = common(body) else {
            return Vec::new();
        };
        let changes = body.at(&["push", "changes"]).and_then(Value::as_list).unwrap_or_default();
        match &*meaning.kind {
            "push" if !changes.is_empty() => {
                changes.iter().map(|change| pushed(change, facts.clone())).collect()
            }
            _ => vec![pull_request(body, meaning.action.clone(), facts)],
        }
    }

    fn sign(
        &self,
        outgoing: &Outgoing<'_>,
        secret: &Secret,
        _options: &Options,
        id: &str,
        _now: Timestamp,
    ) -> Result<Signed, SignFault> {
        let event = match outgoing.event {
            "push" => "repo:push",
            "pull_request" => "pullrequest:created",
            own => own,
        };
        Ok(vec![
            json_content(),
            header(&EVENT, event)?,
            header(&REQUEST, id)?,
            header(&SIGNATURE, SHA256.sign(secret, &[outgoing.body]))?,
        ]
        .into())
    }

    fn sample(&self, kind: &str) -> Option<&'static str> {
        (kind == "push").then_some(include_str!("../samples/bitbucket-cloud-push.json"))
    }
}

/// Bitbucket does not say whether an `updated` pull request has new commits or a new title, so this action
/// keeps Bitbucket's name.
fn kind_and_action(name: &str) -> (&str, Option<Arc<str>>) {
    let Some((object, what)) = name.split_once(':') else {
        return (name, None);
    };
    match (object, what) {
        ("repo", "push") => ("push", None),
        ("repo", "commit_comment_created") => ("commit_comment", Some("created".into())),
        ("issue" | "pullrequest", _) if what.starts_with("comment_") => {
            let action = what.trim_start_matches("comment_");
            ("issue_comment", Some(if action == "updated" { "edited" } else { action }.into()))
        }
        ("pullrequest", "created") => ("pull_request", Some("opened".into())),
        ("pullrequest", "fulfilled" | "rejected") => ("pull_request", Some("closed".into())),
        ("pullrequest", own) => ("pull_request", Some(own.into())),
        _ => (name, None),
    }
}

/// Accounts no longer have a unique name. The nickname comes closest to one.
fn common(body: &Value) -> Option<GitFacts> {
    let names: &[&[&str]] =
        &[&["actor", "username"], &["actor", "nickname"], &["actor", "display_name"]];
    Some(GitFacts {
        repository: Some(facts::text(body, &["repository", "full_name"])?),
        default_branch: facts::text(body, &["repository", "mainbranch", "name"]),
        author: facts::first_text(body, names),
        ..GitFacts::default()
    })
}

fn pushed(change: &Value, facts: GitFacts) -> GitFacts {
    let new = change.get("new").filter(|new| !new.is_null());
    let deleted = new.is_none();
    let moved = new.or_else(|| change.get("old")).unwrap_or(&Value::Null);
    let name = facts::text(moved, &["name"]);
    let is_tag = facts::text(moved, &["type"]).is_some_and(|kind| kind.ends_with("tag"));
    let (branch, tag) = if is_tag { (None, name) } else { (name, None) };
    GitFacts {
        branch,
        tag,
        sha: facts::commit_id(change, &["new", "target", "hash"]),
        before: facts::commit_id(change, &["old", "target", "hash"]),
        message: facts::message(change, &["new", "target", "message"]),
        paths: if deleted { facts::no_paths() } else { ChangedPaths::default() },
        forced: facts::flag(change, &["forced"]),
        deleted,
        ..facts
    }
}

/// Commit ids are abbreviated to twelve digits in these payloads.
fn pull_request(body: &Value, action: Option<Arc<str>>, facts: GitFacts) -> GitFacts {
    let Some(pull) = body.get("pullrequest") else {
        return facts;
    };
    let base = facts::text(pull, &["destination", "branch", "name"]);
    let state = facts::text(pull, &["state"]);
    let number = pull.get("id").and_then(Value::as_u64);
    GitFacts {
        branch: base.clone(),
        sha: facts::commit_id(pull, &["source", "commit", "hash"]),
        pull_request: number.map(|number| PullRequest {
            number,
            action,
            base,
            head: facts::text(pull, &["source", "branch", "name"]),
            merged: state.map(|state| &*state == "MERGED"),
        }),
        ..facts
    }
}

static ABOUT: About = About {
    group: Group::Forges,
    setup: &[
        "In the repository: Repository settings > Webhooks > Add webhook.",
        "URL `https://HOST/hooks/bitbucket`, the secret (without one Bitbucket signs nothing), and the triggers.",
    ],
    source: "provider: bitbucket-cloud\nsecrets: [{ env: BITBUCKET_WEBHOOK_SECRET }]",
    carries: "The kind comes from `X-Event-Key` (`repo:push` is `push`), the delivery's id is `X-Request-UUID`. The body is signed; event and id are not. Payloads over 256 kB are never sent. A push of several branches is several events.",
    yields: "Git facts: `repository`, `branch`, `tag`, `sha`, `before`, `author`, `message`, `pull_request`, `default_branch`, `deleted`, `forced`. Changed files are never listed.",
    proven: Proven::Literal,
    sources: &["https://support.atlassian.com/bitbucket-cloud/docs/manage-webhooks/"],
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn event_keys_become_the_kinds_and_actions_that_all_forges_share() {
        for (name, kind, action) in [
            ("repo:push", "push", None),
            ("pullrequest:created", "pull_request", Some("opened")),
            ("pullrequest:fulfilled", "pull_request", Some("closed")),
            ("pullrequest:rejected", "pull_request", Some("closed")),
            ("pullrequest:updated", "pull_request", Some("updated")),
            ("pullrequest:comment_updated", "issue_comment", Some("edited")),
            ("issue:comment_created", "issue_comment", Some("created")),
            ("repo:fork", "repo:fork", None),
        ] {
            let (actual, done) = kind_and_action(name);
            assert_eq!((actual, done.as_deref()), (kind, action), "{name}");
        }
    }
}
