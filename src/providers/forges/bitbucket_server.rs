//! Bitbucket Server and Data Center. One push may move several branches and tags. Each of them is an event
//! of its own.
//!
//! The signature covers only the body. Where the source has a `user`, HTTP basic authentication is required
//! instead of the signature. The connection test is not signed.

use std::sync::Arc;

use http::{HeaderMap, Method, StatusCode};

use crate::authenticate::{Refusal, Unverified};
use crate::model::{ChangedPaths, GitFacts, PullRequest, Value};
use crate::providers::about::{About, Group, Proven};
use crate::providers::described::{At, Sender};
use crate::providers::forges::facts::{self, Ref};
use crate::providers::mechanisms::{BasicOr, Mac};
use crate::providers::{Greeting, Meaning, Reply, Verification};

const EVENT: &str = "x-event-key";

static SIGNATURE: Mac = Mac { prefix: "sha256=", ..Mac::sha256("x-hub-signature") };
static PROOF: BasicOr = BasicOr(&SIGNATURE);

/// Bitbucket Server.
pub(in crate::providers) static BITBUCKET_SERVER: Sender = Sender {
    event: &[At::Header(EVENT), At::Field(&["eventKey"])],
    id: &[At::Header("x-request-id")],
    kind: Some(kind),
    done: Some(done),
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

fn name<'n>(headers: &'n HeaderMap, body: &'n Value) -> Option<&'n str> {
    let header = headers.get(EVENT).and_then(|value| value.to_str().ok());
    header.or_else(|| body.get("eventKey")?.as_str())
}

/// The kind that all forges share, and the action.
fn meant(name: &str) -> (Option<&'static str>, Option<&'static str>) {
    match name {
        "repo:refs_changed" => (Some("push"), None),
        "pr:opened" => (Some("pull_request"), Some("opened")),
        "pr:from_ref_updated" => (Some("pull_request"), Some("synchronize")),
        "pr:modified" => (Some("pull_request"), Some("edited")),
        "pr:merged" | "pr:declined" | "pr:deleted" => (Some("pull_request"), Some("closed")),
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

fn git_facts(meaning: &Meaning, body: &Value) -> Vec<GitFacts> {
    let Some(facts) = common(body) else {
        return Vec::new();
    };
    let changes = body.get("changes").and_then(Value::as_list).unwrap_or_default();
    match &*meaning.kind {
        "push" if !changes.is_empty() => {
            changes.iter().map(|change| pushed(change, facts.clone())).collect()
        }
        _ => vec![pull_request(body, meaning.action.clone(), facts)],
    }
}

/// A repository is named by its project's key and its own short name.
fn common(body: &Value) -> Option<GitFacts> {
    let repository =
        body.get("repository").or_else(|| body.at(&["pullRequest", "toRef", "repository"]))?;
    let project = facts::text(repository, &["project", "key"])?;
    let slug = facts::text(repository, &["slug"])?;
    Some(GitFacts {
        repository: Some(format!("{project}/{slug}").into()),
        author: facts::first_text(body, &[&["actor", "slug"], &["actor", "name"]]),
        ..GitFacts::default()
    })
}

fn pushed(change: &Value, facts: GitFacts) -> GitFacts {
    let full = facts::first_text(change, &[&["ref", "id"], &["refId"]]).unwrap_or_default();
    let Ref { branch, tag } = Ref::full(&full);
    let deleted = facts::text(change, &["type"]).is_some_and(|kind| &*kind == "DELETE");
    GitFacts {
        branch,
        tag,
        sha: facts::commit_id(change, &["toHash"]),
        before: facts::commit_id(change, &["fromHash"]),
        paths: if deleted { facts::no_paths() } else { ChangedPaths::default() },
        deleted,
        ..facts
    }
}

fn pull_request(body: &Value, action: Option<Arc<str>>, facts: GitFacts) -> GitFacts {
    let Some(pull) = body.get("pullRequest") else {
        return facts;
    };
    let base = facts::text(pull, &["toRef", "displayId"]);
    let state = facts::text(pull, &["state"]);
    let number = pull.get("id").and_then(Value::as_u64);
    GitFacts {
        branch: base.clone(),
        sha: facts::commit_id(pull, &["fromRef", "latestCommit"]),
        pull_request: number.map(|number| PullRequest {
            number,
            action,
            base,
            head: facts::text(pull, &["fromRef", "displayId"]),
            merged: state.map(|state| &*state == "MERGED"),
        }),
        ..facts
    }
}

static ABOUT: About = About {
    group: Group::Forges,
    setup: &[
        "In the repository or project: Settings > Webhooks > Create webhook.",
        "URL `https://HOST/hooks/bitbucket-server` and the secret; choose the events. `Test \
         connection` must get a 200.",
    ],
    source: "provider: bitbucket-server\nsecrets: [{ env: BITBUCKET_WEBHOOK_SECRET }]",
    carries: "The kind comes from `X-Event-Key` (`repo:refs_changed` is `push`), the delivery's id \
              is `X-Request-Id`. The body is signed; event and id are not. A push of several \
              branches is several events. With `user` the secret is a password instead.",
    yields: "Git facts: `repository` (`PROJECT/name`), `branch`, `tag`, `sha`, `before`, `author`, \
             `pull_request`, `deleted`. Changed files are never listed; `forced` and \
             `default_branch` are not known.",
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
