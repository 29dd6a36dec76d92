//! The meaning of GitLab's payloads: git facts, and kinds of event under the names that all forges share.

use std::sync::Arc;

use crate::model::{ChangedPaths, GitFacts, PullRequest, Value};
use crate::providers::Meaning;
use crate::providers::forges::facts::{self, Ref};

const ATTRIBUTES: &str = "object_attributes";

/// The kind that all forges share for this kind of object. None where other forges have no such kind.
pub(super) fn kind(object: &str, body: &Value) -> Option<&'static str> {
    match object {
        "push" | "tag_push" => Some("push"),
        "merge_request" => Some("pull_request"),
        "release" => Some("release"),
        "note" => match &*facts::text(body, &[ATTRIBUTES, "noteable_type"])? {
            "Issue" | "MergeRequest" => Some("issue_comment"),
            "Commit" => Some("commit_comment"),
            _ => None,
        },
        _ => None,
    }
}

/// The event's action, under GitHub's name where GitHub has one.
pub(super) fn action(kind: &str, body: &Value) -> Option<Arc<str>> {
    let action = facts::first_text(body, &[&[ATTRIBUTES, "action"], &["action"]])?;
    if kind != "pull_request" {
        return Some(if kind.ends_with("_comment") { comment_action(action) } else { action });
    }
    let has_new_commits = facts::commit_id(body, &[ATTRIBUTES, "oldrev"]).is_some();
    Some(match &*action {
        "open" => "opened".into(),
        "reopen" => "reopened".into(),
        "close" | "merge" => "closed".into(),
        "update" if has_new_commits => "synchronize".into(),
        "update" => "edited".into(),
        _ => action,
    })
}

/// The value of `X-Gitlab-Event` for a kind, or for GitLab's own name.
pub(super) fn header_for(event: &str) -> &str {
    match event {
        "push" => "Push Hook",
        "tag_push" => "Tag Push Hook",
        "pull_request" => "Merge Request Hook",
        "release" => "Release Hook",
        own => own,
    }
}

/// The git facts of an event. None where the event belongs to no project.
pub(super) fn of(meaning: &Meaning, body: &Value) -> Option<GitFacts> {
    let facts = GitFacts {
        repository: Some(facts::text(body, &["project", "path_with_namespace"])?),
        default_branch: facts::text(body, &["project", "default_branch"]),
        author: facts::first_text(body, &[&["user_username"], &["user", "username"]]),
        ..GitFacts::default()
    };
    Some(match &*meaning.kind {
        "push" => push(body, facts),
        "pull_request" => merge_request(body, meaning.action.clone(), facts),
        "release" => GitFacts {
            tag: facts::text(body, &["tag"]),
            sha: facts::commit_id(body, &["commit", "id"]),
            message: facts::message(body, &["commit", "message"]),
            ..facts
        },
        _ => facts,
    })
}

fn comment_action(action: Arc<str>) -> Arc<str> {
    match &*action {
        "create" => "created".into(),
        "update" => "edited".into(),
        _ => action,
    }
}

/// For a tag, `after` may be the id of the tag object. `checkout_sha` is the id of the commit.
fn push(body: &Value, facts: GitFacts) -> GitFacts {
    let Ref { branch, tag } = Ref::full(&facts::text(body, &["ref"]).unwrap_or_default());
    let after = facts::commit_id(body, &["after"]);
    let before = facts::commit_id(body, &["before"]);
    let checkout = facts::commit_id(body, &["checkout_sha"]);
    let deleted = after.is_none() && before.is_some();
    let sha = checkout.or(after).filter(|_| !deleted);
    let is_known_branch = branch.is_some() && before.is_some();
    GitFacts {
        message: sha.as_deref().and_then(|sha| message_of(sha, body)),
        paths: if deleted { facts::no_paths() } else { paths(body, is_known_branch) },
        deleted,
        before,
        branch,
        tag,
        sha,
        ..facts
    }
}

/// The list of changed files is complete where the branch existed before, and the list of commits is as
/// long as GitLab's total. GitLab does not say whether a push was forced, which could also have removed
/// commits.
fn paths(body: &Value, branch_was_there: bool) -> ChangedPaths {
    let commits = facts::commits(body);
    let total = body.get("total_commits_count").and_then(Value::as_u64);
    let all_there = !commits.is_empty() && total == u64::try_from(commits.len()).ok();
    let all_listed = commits.iter().all(|commit| facts::files_of(commit).is_some());
    ChangedPaths {
        files: facts::changed_files(body),
        complete: branch_was_there && all_there && all_listed,
    }
}

fn message_of(sha: &str, body: &Value) -> Option<Arc<str>> {
    let commits = facts::commits(body).iter().rev();
    let mut heads = commits.filter(|commit| commit.get("id").and_then(Value::as_str) == Some(sha));
    heads.next().and_then(|commit| facts::message(commit, &["message"]))
}

fn merge_request(body: &Value, action: Option<Arc<str>>, facts: GitFacts) -> GitFacts {
    let Some(merge) = body.get(ATTRIBUTES) else {
        return facts;
    };
    let base = facts::text(merge, &["target_branch"]);
    let state = facts::text(merge, &["state"]);
    let number = merge.get("iid").and_then(Value::as_u64);
    GitFacts {
        branch: base.clone(),
        sha: facts::commit_id(merge, &["last_commit", "id"]),
        before: facts::commit_id(merge, &["oldrev"]),
        message: facts::message(merge, &["last_commit", "message"]),
        pull_request: number.map(|number| PullRequest {
            number,
            action,
            base,
            head: facts::text(merge, &["source_branch"]),
            merged: state.map(|state| &*state == "merged"),
        }),
        ..facts
    }
}
