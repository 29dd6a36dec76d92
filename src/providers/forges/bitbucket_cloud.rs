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
use crate::model::{ChangedPaths, ChatCommand, GitFacts, PullRequest, Secret, Value, is_fork};
use crate::providers::forges::{comments, facts, words};
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
        body: &Value,
        _options: &Options,
    ) -> Result<Meaning, DecodeFault> {
        let name = facts::event_header(headers, &EVENT)?;
        evident(&name, body)?;
        let (kind, action) = kind_and_action(&name, body);
        Ok(Meaning { kind: kind.into(), action, name: Some(name), handshake: None })
    }

    fn comment_command(&self, meaning: &Meaning, body: &Value) -> Option<ChatCommand> {
        comments::command(meaning, body)
    }

    fn takes_comments(&self) -> bool {
        true
    }

    fn own_action(&self, meaning: &Meaning, body: &Value) -> Option<Arc<str>> {
        let what = || meaning.name.as_ref()?.split_once(':').map(|(_, what)| what.into());
        facts::text(body, &["commit_status", "state"]).or_else(what)
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
            "pull_request" => vec![pull_request(body, meaning.action.clone(), facts)],
            "status" => vec![commit_status(body, facts)],
            "commit_comment" => {
                vec![GitFacts { sha: facts::commit_id(body, &["commit", "hash"]), ..facts }]
            }
            _ => vec![pull_request(body, None, facts)],
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

/// The event's name is not signed; a body that shows what it is goes under no other name.
fn evident(name: &str, body: &Value) -> Result<(), DecodeFault> {
    let of = |start: &str| name.starts_with(start);
    let shown = [
        ("push", "repo:push", of("repo:push")),
        ("commit_status", "repo:commit_status_updated", of("repo:commit_status_")),
        ("pullrequest", "pullrequest:updated", of("pullrequest:")),
    ];
    match shown.into_iter().find(|(field, ..)| body.get(field).is_some()) {
        Some((_, event, false)) => Err(DecodeFault::Contradicts { header: EVENT.clone(), event }),
        _ => Ok(()),
    }
}

/// Bitbucket does not say whether an `updated` pull request has new commits or a new title. A missed commit is
/// worse than a start too many, so that it counts as new commits.
fn kind_and_action<'n>(name: &'n str, body: &Value) -> (&'n str, Option<Arc<str>>) {
    let Some((object, what)) = name.split_once(':') else {
        return (name, None);
    };
    let done = |kind, action: &str| (kind, Some(action.into()));
    match (object, what) {
        ("repo", "push") => ("push", None),
        ("repo", "commit_comment_created") => done("commit_comment", "created"),
        ("repo", "commit_status_created" | "commit_status_updated") => {
            ("status", facts::text(body, &["commit_status", "state"]).and_then(words::state))
        }
        ("issue" | "pullrequest", _) if what.starts_with("comment_") => {
            let action = what.trim_start_matches("comment_");
            done("issue_comment", if action == "updated" { "edited" } else { action })
        }
        ("pullrequest", "created") => done("pull_request", "opened"),
        ("pullrequest", "updated") => done("pull_request", "synchronize"),
        ("pullrequest", "fulfilled" | "rejected") => done("pull_request", "closed"),
        ("pullrequest", "changes_request_created") => done("pull_request", "changes_requested"),
        ("pullrequest", own) => done("pull_request", own),
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
    .of_own_ref()
}

/// `refname` is a branch or tag of the repository that had the commit. It is null where the status was given for
/// the commit alone, which may then be anybody's.
fn commit_status(body: &Value, facts: GitFacts) -> GitFacts {
    let Some(status) = body.get("commit_status") else { return facts };
    let branch = facts::text(status, &["refname"]);
    GitFacts {
        fork: branch.is_some().then_some(false),
        branch,
        sha: facts::commit_id(status, &["commit", "hash"]),
        message: facts::message(status, &["commit", "message"]),
        status: facts::status(status, &[&["state"]]),
        ..facts
    }
}

/// Commit ids are abbreviated to twelve digits in these payloads.
fn pull_request(body: &Value, action: Option<Arc<str>>, facts: GitFacts) -> GitFacts {
    let Some(pull) = body.get("pullrequest") else {
        return facts;
    };
    let Some(number) = pull.get("id").and_then(Value::as_u64) else { return facts };
    let merged = facts::text(pull, &["state"]).map(|state| &*state == "MERGED");
    let from = pull.at(&["source", "repository"]);
    let source_repository = from.and_then(|from| facts::text(from, &["full_name"]));
    let target_repository = facts::text(pull, &["destination", "repository", "full_name"])
        .or_else(|| facts.repository.clone());
    facts.about(PullRequest {
        number,
        action,
        base: facts::text(pull, &["destination", "branch", "name"]),
        head: facts::text(pull, &["source", "branch", "name"]),
        merged,
        fork: is_fork(from, source_repository.as_ref(), target_repository.as_ref()),
        draft: facts::flag(pull, &["draft"]),
        labels: None,
        title: facts::text(pull, &["title"]),
        head_sha: facts::commit_id(pull, &["source", "commit", "hash"]),
        merge_sha: facts::commit_id(pull, &["merge_commit", "hash"])
            .filter(|_| merged == Some(true)),
        source_repository,
        target_repository,
    })
}

static ABOUT: About = About {
    group: Group::Forges,
    setup: &[
        "In the repository: Repository settings > Webhooks > Add webhook.",
        "URL `https://HOST/hooks/bitbucket`, the secret (without one Bitbucket signs nothing), and the triggers.",
    ],
    source: "provider: bitbucket-cloud\nsecrets: [{ env: BITBUCKET_WEBHOOK_SECRET }]",
    carries: "The kind comes from `X-Event-Key` (`repo:push` is `push`), the delivery's id is `X-Request-UUID`. The body is signed; event and id are not. Payloads over 256 kB are never sent. A push of several branches is several events.",
    yields: "Git facts: `repository`, `branch`, `tag`, `sha`, `before`, `author`, `message`, `pull_request`, `default_branch`, `deleted`, `forced`, `fork`, `status`. Changed files are never listed. [Git events](git.md) says which kind of event tells which.",
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
            ("pullrequest:updated", "pull_request", Some("synchronize")),
            ("pullrequest:changes_request_created", "pull_request", Some("changes_requested")),
            ("pullrequest:approved", "pull_request", Some("approved")),
            ("pullrequest:comment_updated", "issue_comment", Some("edited")),
            ("issue:comment_created", "issue_comment", Some("created")),
            ("repo:commit_status_created", "status", None),
            ("repo:fork", "repo:fork", None),
        ] {
            let (actual, done) = kind_and_action(name, &Value::Null);
            assert_eq!((actual, done.as_deref()), (kind, action), "{name}");
        }
    }
}
