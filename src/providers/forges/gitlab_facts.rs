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

/// The sender's own word for what was done.
pub(super) fn own_action(body: &Value) -> Option<Arc<str>> {
    facts::first_text(body, &[&[ATTRIBUTES, "action"], &["action"]])
}

/// GitLab's own name of the kind of event, from its text in `X-Gitlab-Event`: `merge_request` for
/// `Merge Request Hook`. None for a text of another form, and for the one that all system hooks share.
pub(super) fn object_of_header(name: &str) -> Option<String> {
    let object = name.strip_suffix(" Hook")?.to_ascii_lowercase().replace(' ', "_");
    match &*object {
        "system" | "service" => None,
        "job" => Some("build".to_owned()),
        "confidential_issue" => Some("issue".to_owned()),
        "confidential_note" => Some("note".to_owned()),
        _ => Some(object),
    }
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

/// The git facts of an event: one entry for each ref that moved. None where the event belongs to no project.
pub(super) fn of(meaning: &Meaning, body: &Value) -> Vec<GitFacts> {
    let Some(repository) = repository(body) else { return Vec::new() };
    let authors: &[&[&str]] = &[&["user_username"], &["user", "username"], &["username"]];
    let facts = GitFacts {
        repository: Some(repository),
        default_branch: facts::text(body, &["project", "default_branch"]),
        author: facts::first_text(body, authors),
        ..GitFacts::default()
    };
    let action = || meaning.action.clone();
    vec![match &*meaning.kind {
        "push" => push(body, facts),
        "pull_request" => request(body.get(ATTRIBUTES), body, action(), facts, GitFacts::about),
        "issue_comment" => request(body.get("merge_request"), body, None, facts, GitFacts::about),
        "commit_comment" => GitFacts {
            sha: facts::first_text(body, &[&["commit", "id"], &[ATTRIBUTES, "commit_id"]]),
            message: facts::message(body, &["commit", "message"]),
            ..facts
        },
        "release" => GitFacts {
            tag: facts::text(body, &["tag"]),
            sha: facts::commit_id(body, &["commit", "id"]),
            message: facts::message(body, &["commit", "message"]),
            ..facts
        }
        .of_own_ref(),
        "pipeline" => pipeline(body, facts),
        "build" => job(body, facts),
        "deployment" => deployment(body, facts),
        "repository_update" => return moved(body, &facts),
        _ => facts,
    }]
}

/// The project's full path. A job names it only in the address of its repository.
fn repository(body: &Value) -> Option<Arc<str>> {
    let named: &[&[&str]] = &[&["project", "path_with_namespace"], &["path_with_namespace"]];
    facts::first_text(body, named).or_else(|| {
        let address = facts::text(body, &["repository", "homepage"])?;
        path_of(&address, facts::text(body, &["project_name"]).as_deref()).map(Into::into)
    })
}

/// The path of a project's address. A GitLab below a path of its host has that path in front; `name`, the names
/// of the project and its groups with ` / ` between, says how many segments are the project's.
fn path_of<'a>(address: &'a str, name: Option<&str>) -> Option<&'a str> {
    let (_, rest) = address.split_once("://")?;
    let (_, path) = rest.trim_end_matches('/').split_once('/')?;
    let segments = name.map_or(0, |name| name.split(" / ").count());
    let mut starts = path.rmatch_indices('/').map(|(at, _)| at + 1);
    let start = segments.checked_sub(1).and_then(|before| starts.nth(before)).unwrap_or(0);
    path.get(start..).filter(|path| !path.is_empty())
}

/// The refs that a push moved, as a system hook tells them.
fn moved(body: &Value, facts: &GitFacts) -> Vec<GitFacts> {
    let changes = body.get("changes").and_then(Value::as_list).unwrap_or_default();
    if changes.is_empty() {
        return vec![facts.clone()];
    }
    changes.iter().map(|change| push(change, facts.clone())).collect()
}

/// The branch or tag that a pipeline or job is for. A pipeline for a merge request may be for a ref of the
/// request, which is neither.
fn built(name: Option<Arc<str>>, is_tag: bool, facts: GitFacts) -> GitFacts {
    let name = name.filter(|name| !name.starts_with("refs/"));
    let (branch, tag) = if is_tag { (None, name) } else { (name, None) };
    GitFacts { branch, tag, ..facts }
}

fn pipeline(body: &Value, facts: GitFacts) -> GitFacts {
    let Some(pipeline) = body.get(ATTRIBUTES) else { return facts };
    let is_tag = facts::flag(pipeline, &["tag"]) == Some(true);
    let facts = built(facts::text(pipeline, &["ref"]), is_tag, facts);
    let merge = body.get("merge_request").filter(|merge| !merge.is_null());
    let source = facts::text(pipeline, &["source"]);
    let of_request = merge.is_some() || source.is_some_and(|why| why.ends_with("request_event"));
    let facts = GitFacts {
        sha: facts::commit_id(pipeline, &["sha"]),
        before: facts::commit_id(pipeline, &["before_sha"]),
        message: facts::message(body, &["commit", "message"]),
        status: facts::status(pipeline, &[&["status"]]),
        fork: own_unless(of_request, &facts),
        ..facts
    };
    // A pipeline of a fork runs in the fork, or for a request from there.
    request(merge, body, None, facts, |facts, pull| GitFacts {
        fork: pull.fork,
        branch: facts.branch.filter(|_| pull.fork != Some(true)),
        pull_request: Some(pull),
        ..facts
    })
}

/// What is built for a branch or tag of the project is its own commit. What is built for a request, or for a ref
/// that is neither, may be a fork's.
fn own_unless(of_request: bool, facts: &GitFacts) -> Option<bool> {
    let names_ref = facts.branch.is_some() || facts.tag.is_some();
    (names_ref && !of_request).then_some(false)
}

fn job(body: &Value, facts: GitFacts) -> GitFacts {
    let is_tag = facts::flag(body, &["tag"]) == Some(true);
    // A job for a merge request may be one for a fork's; its ref is then that of the request.
    let facts = built(facts::text(body, &["ref"]), is_tag, facts);
    GitFacts {
        sha: facts::commit_id(body, &["sha"]),
        before: facts::commit_id(body, &["before_sha"]),
        message: facts::message(body, &["commit", "message"]),
        status: facts::status(body, &[&["build_status"]]),
        fork: own_unless(false, &facts),
        ..facts
    }
}

/// The payload abbreviates the commit; its address has the whole id. GitLab 14 and later name the ref, and do
/// not say whether it is a branch or a tag; that of a merge request has its whole name.
fn deployment(body: &Value, facts: GitFacts) -> GitFacts {
    let address = facts::text(body, &["commit_url"]);
    let id = address.as_deref().and_then(|address| address.rsplit('/').next());
    let name = facts::text(body, &["ref"]);
    let is_own = name.as_ref().is_some_and(|name| !name.starts_with("refs/"));
    GitFacts {
        fork: is_own.then_some(false),
        sha: id.filter(|id| facts::is_commit_id(id)).map(Into::into),
        branch: name.filter(|name| facts.default_branch.as_ref() == Some(name)),
        message: facts::message(body, &["commit_title"]),
        status: facts::status(body, &[&["status"]]),
        ..facts
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
    .of_own_ref()
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

/// The git facts of an event about a merge request. `told` joins them; `merge` is null where the event is about
/// none.
fn request(
    merge: Option<&Value>,
    body: &Value,
    action: Option<Arc<str>>,
    facts: GitFacts,
    told: fn(GitFacts, PullRequest) -> GitFacts,
) -> GitFacts {
    let found = merge.and_then(|merge| Some((merge, merge.get("iid")?.as_u64()?)));
    let Some((merge, number)) = found else { return facts };
    let state = facts::text(merge, &["state"]);
    let merged = state.map(|state| &*state == "merged");
    let [from, to] = ["source_project_id", "target_project_id"].map(|field| merge.get(field));
    let name = |side: &str| facts::text(merge, &[side, "path_with_namespace"]);
    let facts = GitFacts {
        before: facts::commit_id(merge, &["oldrev"]).or(facts.before),
        message: facts::message(merge, &["last_commit", "message"]).or(facts.message),
        ..facts
    };
    let pull = PullRequest {
        number,
        action,
        base: facts::text(merge, &["target_branch"]),
        head: facts::text(merge, &["source_branch"]),
        merged,
        fork: Some(from.is_some_and(|from| from.is_null() || Some(from) != to)),
        draft: facts::flag(merge, &["draft"]).or_else(|| facts::flag(merge, &["work_in_progress"])),
        labels: facts::names(merge, "labels", "title")
            .or_else(|| facts::names(body, "labels", "title")),
        title: facts::text(merge, &["title"]),
        head_sha: facts::commit_id(merge, &["last_commit", "id"]),
        merge_sha: merge_sha(merge).filter(|_| merged == Some(true)),
        source_repository: name("source"),
        target_repository: name("target").or_else(|| facts.repository.clone()),
    };
    told(facts, pull)
}

/// The merge commit; where there is none, the squashed commit; where there is none either, the branch was moved
/// forward to the newest commit. A field that is left out says nothing.
fn merge_sha(merge: &Value) -> Option<Arc<str>> {
    let made = ["merge_commit_sha", "squash_commit_sha"];
    let newest = || {
        merge.get(made[0]).filter(|merge| merge.is_null())?;
        facts::commit_id(merge, &["last_commit", "id"])
    };
    made.iter().find_map(|field| facts::commit_id(merge, &[field])).or_else(newest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_of_a_project_is_taken_from_its_address() {
        for (address, name, path) in [
            ("https://gitlab.example.com/acme/risk", Some("Acme / Risk"), Some("acme/risk")),
            ("https://example.com/gitlab/acme/risk", Some("Acme / Risk"), Some("acme/risk")),
            ("https://example.com/acme/a/risk/", Some("Acme / A / Risk"), Some("acme/a/risk")),
            ("https://example.com/acme/risk", None, Some("acme/risk")),
            ("https://example.com/", None, None),
            ("acme/risk", None, None),
        ] {
            assert_eq!(path_of(address, name), path, "{address}");
        }
    }

    #[test]
    fn the_header_names_the_kind_where_the_body_does_not() {
        for (header, object) in [
            ("Push Hook", Some("push")),
            ("Merge Request Hook", Some("merge_request")),
            ("Job Hook", Some("build")),
            ("System Hook", None),
            ("anything", None),
        ] {
            assert_eq!(object_of_header(header).as_deref(), object, "{header}");
        }
    }
}
