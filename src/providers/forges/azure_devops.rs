//! Azure DevOps service hooks. They sign nothing. They authenticate with a user name and a password.

use std::sync::Arc;

use http::HeaderMap;

use crate::model::{ChangedPaths, GitFacts, PullRequest, Value};
use crate::providers::Meaning;
use crate::providers::about::{About, Group, Proven};
use crate::providers::described::{At, Sender};
use crate::providers::forges::facts::{self, Ref};
use crate::providers::mechanisms::Basic;

/// Azure DevOps.
pub(in crate::providers) static AZURE_DEVOPS: Sender = Sender {
    event: &[At::Field(&["eventType"])],
    id: &[At::Field(&["id"])],
    changing: &["notificationId"],
    kind: Some(kind),
    done: Some(done),
    git_facts: Some(git_facts),
    samples: &[("push", include_str!("../samples/azure-devops-push.json"))],
    ..Sender::new("azure-devops", "Azure DevOps", &ABOUT, &Basic)
};

fn kind(_headers: &HeaderMap, body: &Value) -> Option<&'static str> {
    match body.get("eventType")?.as_str()? {
        "git.push" => Some("push"),
        "git.pullrequest.created" | "git.pullrequest.updated" | "git.pullrequest.merged" => {
            Some("pull_request")
        }
        _ => None,
    }
}

/// `git.pullrequest.merged` reports an attempt to merge, so the pull request's state decides.
fn done(_headers: &HeaderMap, body: &Value) -> Option<&'static str> {
    match (body.get("eventType")?.as_str()?, state(body)) {
        (event, Some("completed" | "abandoned")) if event.starts_with("git.pullrequest.") => {
            Some("closed")
        }
        ("git.pullrequest.created", _) => Some("opened"),
        ("git.pullrequest.updated" | "git.pullrequest.merged", _) => Some("updated"),
        _ => None,
    }
}

fn state(body: &Value) -> Option<&str> {
    body.at(&["resource", "status"])?.as_str()
}

fn git_facts(meaning: &Meaning, body: &Value) -> Vec<GitFacts> {
    let Some(facts) = common(body) else {
        return Vec::new();
    };
    let updates = body.at(&["resource", "refUpdates"]).and_then(Value::as_list).unwrap_or_default();
    match &*meaning.kind {
        "push" => updates.iter().map(|update| pushed(body, update, facts.clone())).collect(),
        "pull_request" => vec![pull_request(body, meaning.action.clone(), facts)],
        _ => Vec::new(),
    }
}

/// A repository is named by its project's name and its own name.
fn common(body: &Value) -> Option<GitFacts> {
    let repository = body.at(&["resource", "repository"])?;
    let project = facts::text(repository, &["project", "name"])?;
    let name = facts::text(repository, &["name"])?;
    let default = facts::text(repository, &["defaultBranch"]).unwrap_or_default();
    let authors: &[&[&str]] = &[
        &["resource", "pushedBy", "uniqueName"],
        &["resource", "createdBy", "uniqueName"],
        &["resource", "pushedBy", "displayName"],
        &["resource", "createdBy", "displayName"],
    ];
    Some(GitFacts {
        repository: Some(format!("{project}/{name}").into()),
        default_branch: Ref::full(&default).branch,
        author: facts::first_text(body, authors),
        ..GitFacts::default()
    })
}

fn pushed(body: &Value, update: &Value, facts: GitFacts) -> GitFacts {
    let Ref { branch, tag } = Ref::full(&facts::text(update, &["name"]).unwrap_or_default());
    let sha = facts::commit_id(update, &["newObjectId"]);
    let deleted = sha.is_none();
    let commits = body.at(&["resource", "commits"]).and_then(Value::as_list).unwrap_or_default();
    let newest = commits.iter().find(|commit| facts::commit_id(commit, &["commitId"]) == sha);
    GitFacts {
        branch,
        tag,
        message: newest.and_then(|commit| facts::message(commit, &["comment"])),
        before: facts::commit_id(update, &["oldObjectId"]),
        paths: if deleted { facts::no_paths() } else { ChangedPaths::default() },
        sha,
        deleted,
        ..facts
    }
}

fn pull_request(body: &Value, action: Option<Arc<str>>, facts: GitFacts) -> GitFacts {
    let branch = |name| {
        let full = facts::text(body, &["resource", name]).unwrap_or_default();
        Ref::full(&full).branch
    };
    let base = branch("targetRefName");
    let number = body.at(&["resource", "pullRequestId"]).and_then(Value::as_u64);
    GitFacts {
        branch: base.clone(),
        sha: facts::commit_id(body, &["resource", "lastMergeSourceCommit", "commitId"]),
        pull_request: number.map(|number| PullRequest {
            number,
            action,
            base,
            head: branch("sourceRefName"),
            merged: state(body).map(|state| state == "completed"),
        }),
        ..facts
    }
}

static ABOUT: About = About {
    group: Group::Forges,
    setup: &[
        "In the project: Project settings > Service hooks > Create subscription > Web Hooks.",
        "Choose the event; URL `https://HOST/hooks/azure-devops`, a basic authentication user name \
         and password, and send all resource details.",
    ],
    source: "provider: azure-devops\nuser: azure\nsecrets: [{ env: AZURE_DEVOPS_PASSWORD }]",
    carries: "The kind comes from the body's `eventType` (`git.push` is `push`), the delivery's id \
              is its `id`. Nothing is signed. A push of several branches is several events.",
    yields: "Git facts: `repository` (`project/name`), `branch`, `tag`, `sha`, `before`, `author`, \
             `message`, `pull_request`, `default_branch`, `deleted`. Changed files are never listed; \
             `forced` is not known.",
    proven: Proven::Assembled,
    sources: &["https://learn.microsoft.com/azure/devops/service-hooks/events"],
};
