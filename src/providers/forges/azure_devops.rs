//! Azure DevOps service hooks. They sign nothing. They authenticate with a user name and a password.

use std::sync::Arc;

use http::HeaderMap;

use crate::model::{ChangedPaths, GitFacts, PullRequest, Status, Value};
use crate::providers::Meaning;
use crate::providers::about::{About, Group, Proven};
use crate::providers::described::{At, Sender};
use crate::providers::forges::comments;
use crate::providers::forges::facts::{self, Ref};
use crate::providers::mechanisms::Basic;

/// Azure DevOps.
pub(in crate::providers) static AZURE_DEVOPS: Sender = Sender {
    event: &[At::Field(&["eventType"])],
    id: &[At::Field(&["id"])],
    changing: &["notificationId"],
    kind: Some(kind),
    done: Some(done),
    own_action: Some(own_action),
    comment: Some(comments::command),
    git_facts: Some(git_facts),
    samples: &[("push", include_str!("../samples/azure-devops-push.json"))],
    ..Sender::new("azure-devops", "Azure DevOps", &ABOUT, &Basic)
};

fn kind(_headers: &HeaderMap, body: &Value) -> Option<&'static str> {
    Some(match body.get("eventType")?.as_str()? {
        "git.push" => "push",
        "git.pullrequest.created" | "git.pullrequest.updated" | "git.pullrequest.merged" => {
            "pull_request"
        }
        "ms.vss-code.git-pullrequest-comment-event" => "issue_comment",
        "build.complete" => "build",
        "ms.vss-pipelines.run-state-changed-event" => "pipeline",
        "ms.vss-release.deployment-started-event" | "ms.vss-release.deployment-completed-event" => {
            "deployment"
        }
        _ => return None,
    })
}

/// `git.pullrequest.merged` reports an attempt to merge, so the pull request's state decides. What an update
/// changed stands in the message for people alone; without one it counts as new commits, since a missed commit
/// is worse than a start too many.
fn done(_headers: &HeaderMap, body: &Value) -> Option<&'static str> {
    match (body.get("eventType")?.as_str()?, state(body)) {
        ("ms.vss-code.git-pullrequest-comment-event", _) => Some(commented(body)),
        (event, Some("completed" | "abandoned")) if event.starts_with("git.pullrequest.") => {
            Some("closed")
        }
        ("git.pullrequest.created", _) => Some("opened"),
        ("git.pullrequest.updated", _) => Some(updated(body)),
        ("git.pullrequest.merged", _) => Some("merge_attempted"),
        _ => reported(body).map(Status::word),
    }
}

/// The sender's word for the result of a build, or the last part of the event's name: `updated` of
/// `git.pullrequest.updated`.
fn own_action(meaning: &Meaning, body: &Value) -> Option<Arc<str>> {
    let results: &[&[&str]] = &[&["resource", "result"], &["resource", "run", "result"]];
    let own = facts::first_text(body, results);
    own.or_else(|| meaning.name.as_ref()?.rsplit_once('.').map(|(_, what)| what.into()))
}

fn updated(body: &Value) -> &'static str {
    let said = facts::text(body, &["message", "text"]);
    let says = |words: &str| said.as_ref().is_some_and(|said| said.contains(words));
    if said.is_none() || says("updated the source branch") {
        "synchronize"
    } else if says("approved") {
        "approved"
    } else {
        "edited"
    }
}

fn commented(body: &Value) -> &'static str {
    let comment = body.at(&["resource", "comment"]);
    let is_deleted = comment.is_some_and(|it| facts::flag(it, &["isDeleted"]) == Some(true));
    let time = |name: &str| comment.and_then(|comment| facts::text(comment, &[name]));
    let published = time("publishedDate");
    if is_deleted {
        "deleted"
    } else if published.is_some()
        && time("lastContentUpdatedDate").is_some_and(|at| Some(at) != published)
    {
        "edited"
    } else {
        "created"
    }
}

fn state(body: &Value) -> Option<&str> {
    body.at(&["resource", "status"])?.as_str()
}

/// How a build, a run of a pipeline or a deployment stands.
fn reported(body: &Value) -> Option<Status> {
    let resource = body.get("resource")?;
    facts::status(
        resource,
        &[
            &["result"],
            &["run", "result"],
            &["environment", "status"],
            &["deployment", "deploymentStatus"],
            &["run", "state"],
            &["status"],
        ],
    )
}

fn git_facts(meaning: &Meaning, body: &Value) -> Vec<GitFacts> {
    let Some(resource) = body.get("resource") else { return Vec::new() };
    let updates = resource.get("refUpdates").and_then(Value::as_list).unwrap_or_default();
    let author = |paths: &[&[&str]]| facts::first_text(resource, paths);
    match &*meaning.kind {
        "push" => {
            let who: [&[&str]; 2] = [&["pushedBy", "uniqueName"], &["pushedBy", "displayName"]];
            let Some(facts) = common(resource, author(&who)) else { return Vec::new() };
            updates.iter().map(|update| pushed(resource, update, facts.clone())).collect()
        }
        "pull_request" => {
            let Some(facts) = common(resource, actor(body, resource)) else { return Vec::new() };
            vec![pull_request(resource, meaning.action.clone(), facts)]
        }
        "issue_comment" => {
            let who: [&[&str]; 2] =
                [&["comment", "author", "uniqueName"], &["comment", "author", "displayName"]];
            let pull = resource.get("pullRequest");
            let found = pull.and_then(|pull| Some((pull, common(pull, author(&who))?)));
            found.map(|(pull, facts)| pull_request(pull, None, facts)).into_iter().collect()
        }
        "build" | "pipeline" | "deployment" => built(resource, body),
        _ => common(resource, None).into_iter().collect(),
    }
}

/// Who acted on a pull request: who opened it, or who closed it. An update does not say who made it.
fn actor(body: &Value, resource: &Value) -> Option<Arc<str>> {
    let who: &[&[&str]] = match (body.get("eventType").and_then(Value::as_str)?, state(body)) {
        ("git.pullrequest.created", _) => {
            &[&["createdBy", "uniqueName"], &["createdBy", "displayName"]]
        }
        (_, Some("completed" | "abandoned")) => {
            &[&["closedBy", "uniqueName"], &["closedBy", "displayName"]]
        }
        _ => return None,
    };
    facts::first_text(resource, who)
}

/// A repository is named by its project's name and its own name.
fn common(holder: &Value, author: Option<Arc<str>>) -> Option<GitFacts> {
    let repository = holder.get("repository")?;
    let default = facts::text(repository, &["defaultBranch"]).unwrap_or_default();
    Some(GitFacts {
        repository: Some(full_name(repository)?),
        default_branch: Ref::full(&default).branch,
        author,
        ..GitFacts::default()
    })
}

fn full_name(repository: &Value) -> Option<Arc<str>> {
    let project = facts::text(repository, &["project", "name"])?;
    let name = facts::text(repository, &["name"])?;
    Some(format!("{project}/{name}").into())
}

fn pushed(resource: &Value, update: &Value, facts: GitFacts) -> GitFacts {
    let Ref { branch, tag } = Ref::full(&facts::text(update, &["name"]).unwrap_or_default());
    let sha = facts::commit_id(update, &["newObjectId"]);
    let deleted = sha.is_none();
    let commits = resource.get("commits").and_then(Value::as_list).unwrap_or_default();
    let newest = commits.iter().find(|commit| facts::commit_id(commit, &["commitId"]) == sha);
    GitFacts {
        branch,
        tag,
        message: newest.and_then(|commit| facts::message(commit, &["comment"])),
        before: facts::commit_id(update, &["oldObjectId"]),
        paths: if deleted { facts::no_paths() } else { ChangedPaths::default() },
        forced: facts::flag(update, &["forced"]),
        sha,
        deleted,
        ..facts
    }
    .of_own_ref()
}

/// A request from a fork has the repository that it comes from under `forkSource`; others have no such field.
/// Once a request is completed, `lastMergeCommit` is the commit on the target branch; before, it is that of an
/// attempt.
fn pull_request(pull: &Value, action: Option<Arc<str>>, facts: GitFacts) -> GitFacts {
    let Some(number) = pull.get("pullRequestId").and_then(Value::as_u64) else { return facts };
    let branch = |name| Ref::full(&facts::text(pull, &[name]).unwrap_or_default()).branch;
    let commit = |name| facts::commit_id(pull, &[name, "commitId"]);
    let from = pull.get("forkSource").filter(|from| !from.is_null());
    let state = pull.get("status").and_then(Value::as_str);
    let merged = state.map(|state| state == "completed");
    let target_repository = facts.repository.clone();
    let source_repository = match from {
        Some(from) => from.get("repository").and_then(full_name),
        None => target_repository.clone(),
    };
    facts.about(PullRequest {
        number,
        action,
        base: branch("targetRefName"),
        head: branch("sourceRefName"),
        merged,
        fork: Some(from.is_some()),
        draft: facts::flag(pull, &["isDraft"]),
        labels: facts::names(pull, "labels", "name"),
        title: facts::text(pull, &["title"]),
        head_sha: commit("lastMergeSourceCommit"),
        merge_sha: commit("lastMergeCommit").filter(|_| merged == Some(true)),
        source_repository,
        target_repository,
    })
}

/// A build, a run of a pipeline, or a deployment. Newer builds have `sourceBranch` and `sourceVersion`, older
/// ones both in one text (`LG:refs/heads/main:` and the commit). A build for a pull request is for the ref of
/// its merge; `triggerInfo` says whether a request on GitHub comes from a fork, and nothing says so of another.
/// Deployments have the branch and the commit of their primary artifact.
fn built(resource: &Value, body: &Value) -> Vec<GitFacts> {
    let artifacts = resource.at(&["deployment", "release", "artifacts"]).and_then(Value::as_list);
    let primary = artifacts
        .unwrap_or_default()
        .iter()
        .find(|artifact| facts::flag(artifact, &["isPrimary"]) == Some(true));
    let of_artifact = |name: &str| facts::text(primary?, &["definitionReference", name, "name"]);
    let old = facts::text(resource, &["sourceGetVersion"]);
    let old = old.as_ref().and_then(|text| text.split_once(':')?.1.rsplit_once(':'));
    let name = facts::first_text(
        resource,
        &[&["sourceBranch"], &["run", "resources", "repositories", "self", "refName"]],
    )
    .or_else(|| old.map(|(name, _)| name.into()))
    .or_else(|| of_artifact("branch"))
    .unwrap_or_default();
    let sha = facts::first_text(
        resource,
        &[&["sourceVersion"], &["run", "resources", "repositories", "self", "version"]],
    )
    .or_else(|| old.map(|(_, id)| id.into()))
    .or_else(|| of_artifact("sourceVersion"));
    let who: &[&[&str]] = &[
        &["requestedFor", "uniqueName"],
        &["deployment", "requestedFor", "uniqueName"],
        &["requestedFor", "displayName"],
    ];
    let Ref { branch, tag } = Ref::full(&name);
    let of_request = name.strip_prefix("refs/pull/").and_then(|rest| rest.split_once('/'));
    let pull = of_request.and_then(|(number, _)| number.parse().ok());
    let of_request_by_reason = facts::text(resource, &["reason"])
        .is_some_and(|why| why.eq_ignore_ascii_case("pullRequest"));
    let repository = resource.get("repository").and_then(full_name);
    if repository.is_none() && name.is_empty() && sha.is_none() {
        return Vec::new();
    }
    vec![GitFacts {
        repository,
        author: facts::first_text(resource, who),
        status: reported(body),
        fork: match pull {
            Some(_) => fork_of_trigger(resource),
            None => (!of_request_by_reason && (branch.is_some() || tag.is_some())).then_some(false),
        },
        pull_request: pull.map(|number| PullRequest { number, ..PullRequest::default() }),
        sha: sha.filter(|id| facts::is_commit_id(id)),
        branch,
        tag,
        ..GitFacts::default()
    }]
}

/// Whether the request that a build is for comes from a fork. The values of the trigger are texts.
fn fork_of_trigger(resource: &Value) -> Option<bool> {
    let said = facts::text(resource, &["triggerInfo", "pr.isFork"])?;
    said.parse().or_else(|_| said.to_ascii_lowercase().parse()).ok()
}

static ABOUT: About = About {
    group: Group::Forges,
    setup: &[
        "In the project: Project settings > Service hooks > Create subscription > Web Hooks.",
        "Choose the event; URL `https://HOST/hooks/azure-devops`, a basic authentication user name \
         and password, and send all resource details. The button `Test` sends an example, which \
         nothing tells from a real event: it starts jobs.",
    ],
    source: "provider: azure-devops\nuser: azure\nsecrets: [{ env: AZURE_DEVOPS_PASSWORD }]",
    carries: "The kind comes from the body's `eventType` (`git.push` is `push`), the delivery's id \
              is its `id`. Nothing is signed. A push of several branches is several events.",
    yields: "Git facts: `repository` (`project/name`), `branch`, `tag`, `sha`, `before`, `author`, \
             `message`, `pull_request`, `default_branch`, `deleted`, `forced`, `fork`, `status`. Changed \
             files are never listed. [Git events](git.md) says which kind of event tells which.",
    proven: Proven::Assembled,
    sources: &["https://learn.microsoft.com/azure/devops/service-hooks/events"],
};
