//! GitHub, and GitHub Enterprise Server.
//!
//! The signature covers only the body. The event's name and the delivery's id are in unsigned headers, so
//! someone who can read a request can send it again with another id, or with another name where the body does
//! not show what it is. Requests must therefore be protected by TLS all the way to the gateway.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, HeaderName};
use jiff::Timestamp;

use crate::authenticate::hmac::{Algorithm, Scheme};
use crate::authenticate::{Proof, Refusal, Unverified, Verified, headers};
use crate::model::{ChangedPaths, ChatCommand, GitFacts, Secret, Value};
use crate::providers::forges::facts::{self, Ref};
use crate::providers::forges::{comments, evident, on_commits, words};
use crate::providers::{
    About, DecodeFault, Decoded, Group, Handshake, Identity, Meaning, Options, Outgoing, Proven,
    Provider, SignFault, Signed, Verification, decode, header, json_content,
};

static EVENT: HeaderName = HeaderName::from_static("x-github-event");
static DELIVERY: HeaderName = HeaderName::from_static("x-github-delivery");
static SIGNATURE: HeaderName = HeaderName::from_static("x-hub-signature-256");
static OLD_SIGNATURE: HeaderName = HeaderName::from_static("x-hub-signature");

const SHA256: Scheme<'_> = Scheme { prefix: "sha256=", ..Scheme::HEX_SHA256 };
const SHA1: Scheme<'_> =
    Scheme { algorithm: Algorithm::Sha1, prefix: "sha1=", ..Scheme::HEX_SHA256 };

/// The most commits that GitHub lists in a push.
const MOST_COMMITS: usize = 2048;
/// The most files that GitHub lists in a commit.
const MOST_FILES: usize = 3000;

/// GitHub.
pub(in crate::providers) struct GitHub;

impl Provider for GitHub {
    fn name(&self) -> &'static str {
        "github"
    }

    fn title(&self) -> &'static str {
        "GitHub"
    }

    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn signed_headers(&self, _options: &Options) -> Vec<HeaderName> {
        vec![SIGNATURE.clone()]
    }

    fn takes(&self) -> &'static [&'static str] {
        &["allow_sha1"]
    }

    /// Where the stronger signature is present, only that one counts. So a valid older signature cannot
    /// replace an invalid newer one.
    fn authenticate(
        &self,
        request: &Unverified<'_>,
        verification: &Verification<'_>,
    ) -> Result<Proof, Refusal> {
        let Verification { secrets, options, .. } = *verification;
        headers::at_most_one(request.headers, [&EVENT, &DELIVERY])?;
        let signed = &[&**request.body];
        if let Some(value) = headers::maybe(request.headers, &SIGNATURE)? {
            return SHA256.verify(&SIGNATURE, value, secrets, signed);
        }
        match headers::maybe(request.headers, &OLD_SIGNATURE)? {
            None => Err(Refusal::MissingHeader(SIGNATURE.clone())),
            Some(_) if !options.allow_sha1 => Err(Refusal::WeakScheme("HMAC-SHA-1")),
            Some(value) => SHA1.verify(&OLD_SIGNATURE, value, secrets, signed),
        }
    }

    fn decode(&self, _headers: &HeaderMap, body: &Bytes) -> Result<Decoded, DecodeFault> {
        decode::json_or_payload(body).map(Into::into)
    }

    fn meaning(
        &self,
        headers: &HeaderMap,
        body: &Value,
        _options: &Options,
    ) -> Result<Meaning, DecodeFault> {
        let name = facts::event_header(headers, &EVENT)?;
        evident::check_github(&EVENT, &name, body)?;
        let handshake = (&*name == "ping").then_some(Handshake::Acknowledge);
        let action = facts::text(body, &["action"]);
        let action = words::github(&name, action, body);
        Ok(Meaning { kind: name.clone(), name: Some(name), action, handshake })
    }

    fn comment_command(&self, meaning: &Meaning, body: &Value) -> Option<ChatCommand> {
        comments::command(meaning, body)
    }

    fn takes_comments(&self) -> bool {
        true
    }

    fn own_action(&self, _meaning: &Meaning, body: &Value) -> Option<Arc<str>> {
        facts::first_text(body, &[&["action"], &["state"]])
    }

    /// A redelivery has the id of the first delivery, even where a person asked for it.
    fn identity(&self, request: &Verified<'_>, _body: &Value, _options: &Options) -> Identity {
        Identity::of_header(request.headers(), &DELIVERY)
            .unwrap_or_else(|| Identity::of_bytes(&[request.body()]))
    }

    fn tells_git(&self, _options: &Options) -> bool {
        true
    }

    fn git_facts(&self, meaning: &Meaning, body: &Value) -> Vec<GitFacts> {
        facts::common(body).map(|facts| git_facts(meaning, body, facts)).into_iter().collect()
    }

    fn sign(
        &self,
        outgoing: &Outgoing<'_>,
        secret: &Secret,
        _options: &Options,
        id: &str,
        _now: Timestamp,
    ) -> Result<Signed, SignFault> {
        Ok(vec![
            json_content(),
            header(&EVENT, outgoing.event)?,
            header(&DELIVERY, id)?,
            header(&SIGNATURE, SHA256.sign(secret, &[outgoing.body]))?,
        ]
        .into())
    }

    fn sample(&self, kind: &str) -> Option<&'static str> {
        match kind {
            "push" => Some(include_str!("../samples/github-push.json")),
            "pull_request" => Some(include_str!("../samples/github-pull-request.json")),
            "ping" => Some(include_str!("../samples/github-ping.json")),
            _ => None,
        }
    }

    fn sample_kinds(&self) -> Vec<&'static str> {
        vec!["push", "pull_request"]
    }
}

fn git_facts(meaning: &Meaning, body: &Value, facts: GitFacts) -> GitFacts {
    match &*meaning.kind {
        "push" => push(body, facts),
        "create" => facts::created_or_deleted(body, false, facts),
        "delete" => facts::created_or_deleted(body, true, facts),
        "release" => facts::release(body, facts),
        "pull_request" => facts::pull_request(body, meaning.action.clone(), facts),
        "issue_comment" => match facts::commented(body) {
            Some(pull) => facts.about(pull),
            None => facts,
        },
        kind => on_commits::of(kind, body, facts),
    }
}

/// For a tag, `after` may be the id of the tag object. The commit's id is then that of the head commit.
fn push(body: &Value, facts: GitFacts) -> GitFacts {
    let Ref { branch, tag } = Ref::full(&facts::text(body, &["ref"]).unwrap_or_default());
    let deleted = facts::flag(body, &["deleted"]).unwrap_or(false);
    let after = facts::commit_id(body, &["after"]);
    let head = facts::commit_id(body, &["head_commit", "id"]).filter(|_| tag.is_some());
    GitFacts {
        sha: if deleted { None } else { head.or(after) },
        before: facts::commit_id(body, &["before"]),
        author: facts::text(body, &["pusher", "name"]).or(facts.author),
        message: facts::message(body, &["head_commit", "message"]),
        paths: if deleted { facts::no_paths() } else { paths(body, branch.is_some()) },
        deleted,
        forced: facts::flag(body, &["forced"]),
        branch,
        tag,
        ..facts
    }
    .of_own_ref()
}

/// The list of changed files is complete where an existing branch moved forward and neither of GitHub's two
/// limits was reached. `commits` then holds every commit between `before` and `after`.
///
/// A new branch or tag has nothing to be compared with. A forced push also removes commits, whose files are
/// not listed. Where there are no commits, or the last one is not `after`, the list is about something else.
fn paths(body: &Value, is_branch: bool) -> ChangedPaths {
    let commits = facts::commits(body);
    let is_known = |path: &str, expected: bool| facts::flag(body, &[path]) == Some(expected);
    let moved_forward = is_branch
        && is_known("created", false)
        && is_known("forced", false)
        && facts::commit_id(body, &["before"]).is_some();
    let ends_at_after = commits.last().is_some_and(|last| {
        let after = facts::commit_id(body, &["after"]);
        after.is_some() && facts::commit_id(last, &["id"]) == after
    });
    let within_limits = commits.len() < MOST_COMMITS
        && commits.iter().all(|commit| facts::files_of(commit).is_some_and(|n| n < MOST_FILES));
    ChangedPaths {
        files: facts::changed_files(body),
        complete: moved_forward && ends_at_after && within_limits,
    }
}

static ABOUT: About = About {
    group: Group::Forges,
    setup: &[
        "In the repository or organization: Settings > Webhooks > Add webhook.",
        "Payload URL `https://HOST/hooks/github`, content type `application/json`, and the secret.",
        "Choose the events; each is a delivery. GitHub sends `ping` at once.",
    ],
    source: "provider: github\nsecrets: [{ env: GITHUB_WEBHOOK_SECRET }]",
    carries: "The kind is `X-GitHub-Event`, the action the body's `action`, the delivery's id `X-GitHub-Delivery`: a redelivery has the same one. The body is signed; event and id are not, so an event is refused where its body is that of another. GitHub does not retry by itself.",
    yields: "Git facts: `repository`, `branch`, `tag`, `sha`, `before`, `author`, `message`, `paths`, `pull_request`, `default_branch`, `deleted`, `forced`, `fork`, `status`. [Git events](git.md) says which kind of event tells which.",
    proven: Proven::Literal,
    sources: &["https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries"],
};

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLE: &str = include_str!("../samples/github-push.json");

    fn facts(payload: &str) -> GitFacts {
        let body = Value::parse_json(payload.as_bytes()).expect("JSON");
        push(&body, facts::common(&body).expect("a repository"))
    }

    #[test]
    fn a_branch_that_moved_forward_has_a_whole_list_of_paths() {
        let facts = facts(SAMPLE);
        assert!(facts.paths.complete);
        assert!(!facts.paths.files.is_empty());
    }

    #[test]
    fn a_list_that_may_be_cut_short_is_not_called_whole() {
        let after = facts(SAMPLE).sha.expect("a commit");
        for (old, new) in [
            ("\"created\": false", "\"created\": true"),
            ("\"forced\": false", "\"forced\": true"),
            ("\"forced\": false,", ""),
            ("refs/heads/main", "refs/tags/v1"),
            (&format!("\"after\": \"{after}\""), "\"after\": \"1234\""),
            ("\"removed\"", "\"taken\""),
        ] {
            let payload = SAMPLE.replace(old, new);
            assert_ne!(payload, SAMPLE, "{old}");
            assert!(!facts(&payload).paths.complete, "{old} -> {new}");
        }
    }

    #[test]
    fn a_commit_with_as_many_files_as_are_listed_at_most_is_not_called_whole() {
        let names: Vec<_> = (0..MOST_FILES).map(|n| format!("\"{n}\"")).collect();
        let payload =
            SAMPLE.replace("\"removed\": []", &format!("\"removed\": [{}]", names.join(",")));
        assert_ne!(payload, SAMPLE);
        assert!(!facts(&payload).paths.complete);
    }
}
