//! Bitbucket Server and Data Center. One push may move several branches and tags. Each of them is an event
//! of its own.
//!
//! The signature covers only the body. Where the source has a `user`, HTTP basic authentication is required
//! instead of the signature. The connection test is not signed.

use std::sync::Arc;

use http::{HeaderMap, Method, StatusCode};

use crate::authenticate::{Refusal, Unverified};
use crate::model::{ChangedPaths, GitFacts, PullRequest, Value, is_fork};
use crate::providers::about::{About, Group, Proven};
use crate::providers::described::{At, Sender};
use crate::providers::forges::comments;
use crate::providers::forges::facts::{self, Ref};
use crate::providers::mechanisms::{BasicOr, Mac};
use crate::providers::{Greeting, Meaning, Reply, Verification};

const EVENT: &str = "x-event-key";

static SIGNATURE: Mac = Mac { prefix: "sha256=", ..Mac::sha256("x-hub-signature") };
static PROOF: BasicOr = BasicOr(&SIGNATURE);

/// Bitbucket Server.
pub(in crate::providers) static BITBUCKET_SERVER: Sender = Sender {
    event: &[At::Field(&["eventKey"]), At::Header(EVENT)],
    id: &[At::Header("x-request-id")],
    kind: Some(kind),
    done: Some(done),
    own_action: Some(own_action),
    comment: Some(comments::command),
    greet: Some(test),
    git_facts: Some(git_facts),
    samples: &[("push", include_str!("../samples/bitbucket-server-push.json"))],
    names: &[("push", "repo:refs_changed"), ("pull_request", "pr:opened")],
    ..Sender::new("bitbucket-server", "Bitbucket Server and Data Center", &ABOUT, &PROOF)
};

fn test(
    _sender: &Sender,
    request: &Unverified<'_>,
    _grounds: &Verification<'_>,
) -> Option<Result<Greeting, Refusal>> {
    let is_test = *request.method == Method::POST
        && request.headers.get(EVENT).is_some_and(|event| event == "diagnostics:ping");
    is_test.then(|| Ok(Greeting::new("a connection test", Reply::empty(StatusCode::OK))))
}

/// The event's name. The body is signed and the header is not, so that the body's word counts.
fn name<'n>(headers: &'n HeaderMap, body: &'n Value) -> Option<&'n str> {
    let own = body.get("eventKey").and_then(Value::as_str).filter(|name| !name.is_empty());
    own.or_else(|| headers.get(EVENT)?.to_str().ok())
}

/// The kind that all forges share, and the action.
fn meant(name: &str) -> (Option<&'static str>, Option<&'static str>) {
    match name {
        "repo:refs_changed" => (Some("push"), None),
        "pr:opened" => (Some("pull_request"), Some("opened")),
        "pr:from_ref_updated" => (Some("pull_request"), Some("synchronize")),
        "pr:modified" => (Some("pull_request"), Some("edited")),
        "pr:merged" | "pr:declined" | "pr:deleted" => (Some("pull_request"), Some("closed")),
        "pr:reopened" => (Some("pull_request"), Some("reopened")),
        "pr:reviewer:approved" => (Some("pull_request"), Some("approved")),
        "pr:reviewer:unapproved" => (Some("pull_request"), Some("unapproved")),
        "pr:reviewer:needs_work" | "pr:reviewer:changes_requested" => {
            (Some("pull_request"), Some("changes_requested"))
        }
        "pr:reviewer:updated" => (Some("pull_request"), Some("review_requested")),
        "repo:comment:added" => (Some("commit_comment"), Some("created")),
        "repo:comment:edited" => (Some("commit_comment"), Some("edited")),
        "repo:comment:deleted" => (Some("commit_comment"), Some("deleted")),
        "pr:comment:added" => (Some("issue_comment"), Some("created")),
        "pr:comment:edited" => (Some("issue_comment"), Some("edited")),
        "pr:comment:deleted" => (Some("issue_comment"), Some("deleted")),
        _ => (None, None),
    }
}

fn kind(headers: &HeaderMap, body: &Value) -> Option<&'static str> {
    meant(name(headers, body)?).0
}

fn done(headers: &HeaderMap, body: &Value) -> Option<&'static str> {
    meant(name(headers, body)?).1
}

/// The last part of the event's name: `from_ref_updated` of `pr:from_ref_updated`.
fn own_action(meaning: &Meaning, _body: &Value) -> Option<Arc<str>> {
    meaning.name.as_ref()?.rsplit_once(':').map(|(_, what)| what.into())
}

fn git_facts(meaning: &Meaning, body: &Value) -> Vec<GitFacts> {
    let Some(facts) = common(body) else {
        return Vec::new();
    };
    let changes = body.get("changes").and_then(Value::as_list).unwrap_or_default();
    match &*meaning.kind {
        "push" | "mirror:repo_synchronized" if !changes.is_empty() => {
            let only = changes.len() == 1;
            changes.iter().map(|change| pushed(body, change, only, facts.clone())).collect()
        }
        "commit_comment" => {
            vec![GitFacts { sha: facts::commit_id(body, &["commit"]), ..facts }]
        }
        "pull_request" => vec![pull_request(body, meaning.action.clone(), facts)],
        _ => vec![pull_request(body, None, facts)],
    }
}

/// The repository that the event is in. A mirror tells of the one that it mirrors.
fn common(body: &Value) -> Option<GitFacts> {
    let repository =
        body.get("repository").or_else(|| body.at(&["pullRequest", "toRef", "repository"]))?;
    Some(GitFacts {
        repository: Some(full_name(repository)?),
        author: facts::first_text(body, &[&["actor", "slug"], &["actor", "name"]]),
        ..GitFacts::default()
    })
}

/// A repository is named by its project's key and its own short name.
fn full_name(repository: &Value) -> Option<Arc<str>> {
    let project = facts::text(repository, &["project", "key"])?;
    let slug = facts::text(repository, &["slug"])?;
    Some(format!("{project}/{slug}").into())
}

/// For an annotated tag, `toHash` is the id of the tag object. The commit's id is that of `toCommit`, which the
/// payload has once: it belongs to a tag only where nothing else was pushed, or where the ids are equal.
fn pushed(body: &Value, change: &Value, only: bool, facts: GitFacts) -> GitFacts {
    let full = facts::first_text(change, &[&["ref", "id"], &["refId"]]).unwrap_or_default();
    let Ref { branch, tag } = Ref::full(&full);
    let deleted = facts::text(change, &["type"]).is_some_and(|kind| &*kind == "DELETE");
    let to = facts::commit_id(change, &["toHash"]).filter(|_| !deleted);
    let commit = facts::commit_id(body, &["toCommit", "id"]);
    let of_tag = commit.clone().filter(|_| only && tag.is_some() && to.is_some());
    let sha = of_tag.or(to);
    let is_newest = sha.is_some() && commit == sha;
    GitFacts {
        message: is_newest.then(|| facts::message(body, &["toCommit", "message"])).flatten(),
        branch,
        tag,
        sha,
        before: facts::commit_id(change, &["fromHash"]),
        paths: if deleted { facts::no_paths() } else { ChangedPaths::default() },
        deleted,
        ..facts
    }
    .of_own_ref()
}

fn pull_request(body: &Value, action: Option<Arc<str>>, facts: GitFacts) -> GitFacts {
    let found = body.get("pullRequest").and_then(|pull| Some((pull, pull.get("id")?.as_u64()?)));
    let Some((pull, number)) = found else { return facts };
    let merged = facts::text(pull, &["state"]).map(|state| &*state == "MERGED");
    let from = pull.at(&["fromRef", "repository"]);
    let source_repository = from.and_then(full_name);
    let target_repository =
        pull.at(&["toRef", "repository"]).and_then(full_name).or_else(|| facts.repository.clone());
    facts.about(PullRequest {
        number,
        action,
        base: facts::text(pull, &["toRef", "displayId"]),
        head: facts::text(pull, &["fromRef", "displayId"]),
        merged,
        fork: is_fork(from, source_repository.as_ref(), target_repository.as_ref()),
        draft: facts::flag(pull, &["draft"]),
        labels: None,
        title: facts::text(pull, &["title"]),
        head_sha: facts::commit_id(pull, &["fromRef", "latestCommit"]),
        merge_sha: facts::commit_id(pull, &["properties", "mergeCommit", "id"])
            .filter(|_| merged == Some(true)),
        source_repository,
        target_repository,
    })
}

static ABOUT: About = About {
    group: Group::Forges,
    setup: &[
        "In the repository or project: Settings > Webhooks > Create webhook.",
        "URL `https://HOST/hooks/bitbucket-server` and the secret; choose the events. `Test \
         connection` must get a 200.",
    ],
    source: "provider: bitbucket-server\nsecrets: [{ env: BITBUCKET_WEBHOOK_SECRET }]",
    carries: "The kind comes from the body's `eventKey`, else from `X-Event-Key` (`repo:refs_changed` \
              is `push`); the delivery's id is `X-Request-Id`. The body is signed; the headers are not. A push of several \
              branches is several events. With `user` the secret is a password instead.",
    yields: "Git facts: `repository` (`PROJECT/name`), `branch`, `tag`, `sha`, `before`, `author`, \
             `message`, `pull_request`, `deleted`, `fork`. Changed files are never listed; `forced` \
             and `default_branch` are not known. [Git events](git.md) says which kind of event tells which.",
    proven: Proven::Literal,
    sources: &["https://confluence.atlassian.com/bitbucketserver/event-payload-938025882.html"],
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_change_of_a_push_is_an_event_of_its_own() {
        let body = Value::parse_json(
            br#"{"actor": {"slug": "ada"}, "repository": {"slug": "risk", "project": {"key": "ACME"}},
                 "changes": [
                   {"ref": {"id": "refs/heads/main"}, "fromHash": "a1", "toHash": "b2", "type": "UPDATE"},
                   {"ref": {"id": "refs/tags/v1"}, "fromHash": "0000", "toHash": "c3", "type": "ADD"},
                   {"ref": {"id": "refs/heads/old"}, "fromHash": "d4", "toHash": "0000", "type": "DELETE"}]}"#,
        )
        .expect("JSON");
        let meaning = Meaning { kind: "push".into(), name: None, action: None, handshake: None };
        let facts = git_facts(&meaning, &body);
        let told: Vec<_> = facts
            .iter()
            .map(|facts| (facts.branch.as_deref(), facts.tag.as_deref(), facts.sha.as_deref()))
            .collect();
        assert_eq!(
            told,
            [
                (Some("main"), None, Some("b2")),
                (None, Some("v1"), Some("c3")),
                (Some("old"), None, None)
            ]
        );
        assert!(facts[2].deleted && !facts[0].deleted);
        assert_eq!(facts[0].repository.as_deref(), Some("ACME/risk"));
    }
}
