//! What the forges' payloads have in common: refs, commit ids, lists of changed files, and the structure of
//! GitHub's events, which other forges have adopted.

use std::collections::BTreeSet;
use std::sync::Arc;

use http::{HeaderMap, HeaderName};

use crate::model::{
    ChangedPaths, FileChange, Files, GitFacts, PullRequest, Status, Value, is_fork,
};
use crate::providers::DecodeFault;

/// A ref: a branch or a tag, which are the kinds that routes ask for. Any other ref is neither.
#[derive(Debug, Default, PartialEq, Eq)]
pub(in crate::providers) struct Ref {
    pub(in crate::providers) branch: Option<Arc<str>>,
    pub(in crate::providers) tag: Option<Arc<str>>,
}

impl Ref {
    /// A full name such as `refs/heads/main`.
    pub(in crate::providers) fn full(name: &str) -> Self {
        if let Some(branch) = name.strip_prefix("refs/heads/") {
            Self { branch: filled(branch), tag: None }
        } else if let Some(tag) = name.strip_prefix("refs/tags/") {
            Self { branch: None, tag: filled(tag) }
        } else {
            Self::default()
        }
    }

    /// A short name, with its kind (`branch` or `tag`). Some senders give the full name here too.
    pub(in crate::providers) fn short(name: &str, kind: &str) -> Self {
        match kind {
            _ if name.starts_with("refs/") => Self::full(name),
            "branch" => Self { branch: filled(name), tag: None },
            "tag" => Self { branch: None, tag: filled(name) },
            _ => Self::default(),
        }
    }
}

/// The event's name, from a header that the sender always sends.
pub(in crate::providers) fn event_header(
    headers: &HeaderMap,
    name: &HeaderName,
) -> Result<Arc<str>, DecodeFault> {
    let value = headers.get(name).and_then(|value| value.to_str().ok());
    let filled = value.filter(|value| !value.trim().is_empty());
    filled.map(Into::into).ok_or_else(|| DecodeFault::Missing(format!("header `{name}`")))
}

/// The text at this path of the body. None where it is absent or empty.
pub(in crate::providers) fn text(body: &Value, path: &[&str]) -> Option<Arc<str>> {
    body.at(path)?.as_arc_str().cloned().filter(|text| !text.is_empty())
}

/// A commit's message without trailing white space. Some forges send the line end that git stores after
/// the message, some do not.
pub(in crate::providers) fn message(body: &Value, path: &[&str]) -> Option<Arc<str>> {
    let text = text(body, path)?;
    let trimmed = text.trim_end();
    if trimmed.len() == text.len() { Some(text) } else { Some(trimmed.into()) }
}

/// The text at the first of these paths that has one.
pub(in crate::providers) fn first_text(body: &Value, paths: &[&[&str]]) -> Option<Arc<str>> {
    paths.iter().find_map(|path| text(body, path))
}

/// A commit id at a path of the body. Senders write zeros for "no commit".
pub(in crate::providers) fn commit_id(body: &Value, path: &[&str]) -> Option<Arc<str>> {
    text(body, path).filter(|id| id.bytes().any(|byte| byte != b'0'))
}

/// The boolean at this path of the body.
pub(in crate::providers) fn flag(body: &Value, path: &[&str]) -> Option<bool> {
    body.at(path)?.as_bool()
}

/// The commits of a push.
pub(in crate::providers) fn commits(body: &Value) -> &[Value] {
    body.get("commits").and_then(Value::as_list).unwrap_or_default()
}

/// Every file that the commits of a push list.
pub(in crate::providers) fn changed_files(body: &Value) -> Files {
    Files::of(body, |body, changes| {
        let lists = commits(body).iter().flat_map(|commit| {
            changes.iter().filter_map(|change| commit.get(change.list())?.as_list())
        });
        let files: BTreeSet<Arc<str>> =
            lists.flatten().filter_map(Value::as_arc_str).cloned().collect();
        files.into_iter().collect()
    })
}

/// How many entries a commit's file lists have. None where one of the lists is missing.
pub(in crate::providers) fn files_of(commit: &Value) -> Option<usize> {
    FileChange::ALL.into_iter().map(|change| commit.count_in(change.list())).sum()
}

/// A complete list without files. Deleting a ref changes no file, whatever lists the sender gives.
pub(in crate::providers) fn no_paths() -> ChangedPaths {
    ChangedPaths { complete: true, ..ChangedPaths::default() }
}

/// The git facts that GitHub, Gitea and Forgejo give for every event in a repository. None where the event
/// is not in one.
pub(in crate::providers) fn common(body: &Value) -> Option<GitFacts> {
    Some(GitFacts {
        repository: Some(text(body, &["repository", "full_name"])?),
        default_branch: text(body, &["repository", "default_branch"]),
        author: first_text(body, &[&["sender", "login"], &["sender", "username"]]),
        ..GitFacts::default()
    })
}

/// The git facts of a `create` or `delete` event with GitHub's structure.
pub(in crate::providers) fn created_or_deleted(
    body: &Value,
    deleted: bool,
    facts: GitFacts,
) -> GitFacts {
    let name = text(body, &["ref"]).unwrap_or_default();
    let Ref { branch, tag } = Ref::short(&name, &text(body, &["ref_type"]).unwrap_or_default());
    // The id that these forges send for an annotated tag may be that of the tag object.
    let sha = commit_id(body, &["sha"]).filter(|_| !deleted);
    let default_branch = facts.default_branch.or_else(|| text(body, &["master_branch"]));
    let paths = if deleted { no_paths() } else { ChangedPaths::default() };
    GitFacts { branch, tag, sha, deleted, paths, default_branch, ..facts }.of_own_ref()
}

/// The git facts of a `release` event with GitHub's structure. It does not name the released commit.
pub(in crate::providers) fn release(body: &Value, facts: GitFacts) -> GitFacts {
    GitFacts { tag: text(body, &["release", "tag_name"]), ..facts }.of_own_ref()
}

/// The git facts of an event about a pull request with GitHub's structure. `action` is what happened to the
/// request; none where the event is a review or a comment.
pub(in crate::providers) fn pull_request(
    body: &Value,
    action: Option<Arc<str>>,
    facts: GitFacts,
) -> GitFacts {
    match body.get("pull_request").and_then(|pull| request(body, pull, action)) {
        Some(pull) => GitFacts { before: commit_id(body, &["before"]), ..facts.about(pull) },
        None => facts,
    }
}

/// A pull request with GitHub's structure, or with that of Gogs, which names branches and repositories in
/// other fields.
fn request(body: &Value, pull: &Value, action: Option<Arc<str>>) -> Option<PullRequest> {
    let number = body.get("number").or_else(|| pull.get("number")).and_then(Value::as_u64)?;
    let source = pull.at(&["head", "repo"]).or_else(|| pull.get("head_repo"));
    let source_repository = source.and_then(|source| text(source, &["full_name"]));
    let targets: &[&[&str]] = &[&["base", "repo", "full_name"], &["base_repo", "full_name"]];
    let target_repository =
        first_text(pull, targets).or_else(|| text(body, &["repository", "full_name"]));
    let merged =
        flag(pull, &["merged"]).or_else(|| pull.get("merged_at").map(|time| !time.is_null()));
    let merges: &[&[&str]] = &[&["merge_commit_sha"], &["merged_commit_id"]];
    let merge = first_text(pull, merges).filter(|_| merged == Some(true));
    Some(PullRequest {
        number,
        action,
        base: first_text(pull, &[&["base", "ref"], &["base_branch"]]),
        head: first_text(pull, &[&["head", "ref"], &["head_branch"]]),
        merged,
        fork: is_fork(source, source_repository.as_ref(), target_repository.as_ref()),
        draft: flag(pull, &["draft"]),
        labels: names(pull, "labels", "name"),
        title: text(pull, &["title"]),
        head_sha: commit_id(pull, &["head", "sha"]),
        merge_sha: merge,
        source_repository,
        target_repository,
    })
}

/// The request that a comment with GitHub's structure is on; none where it is on an issue. Such a payload has
/// neither the branches nor the commit of the request, nor does it say whether it comes from a fork.
pub(in crate::providers) fn commented(body: &Value) -> Option<PullRequest> {
    let issue = body.get("issue")?;
    let on_request = issue.get("pull_request").filter(|pull| !pull.is_null());
    if on_request.is_none() && flag(body, &["is_pull"]) != Some(true) {
        return None;
    }
    let merged = on_request.and_then(|pull| {
        flag(pull, &["merged"]).or_else(|| pull.get("merged_at").map(|time| !time.is_null()))
    });
    Some(PullRequest {
        number: issue.get("number")?.as_u64()?,
        merged,
        draft: flag(issue, &["draft"]),
        labels: names(issue, "labels", "name"),
        title: text(issue, &["title"]),
        target_repository: text(body, &["repository", "full_name"]),
        ..PullRequest::default()
    })
}

/// The texts in a field of each element of a list. None where there is no list.
pub(in crate::providers) fn names(from: &Value, list: &str, field: &str) -> Option<Vec<Arc<str>>> {
    let list = from.get(list)?.as_list()?;
    Some(list.iter().filter_map(|entry| text(entry, &[field])).collect())
}

/// How a report on a commit stands: its conclusion where there is one, else its status.
pub(in crate::providers) fn status(from: &Value, paths: &[&[&str]]) -> Option<Status> {
    first_text(from, paths).and_then(|word| Status::of(&word))
}

/// A text that is a commit id in full.
pub(in crate::providers) fn is_commit_id(text: &str) -> bool {
    matches!(text.len(), 40 | 64) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn filled(name: &str) -> Option<Arc<str>> {
    (!name.is_empty()).then(|| name.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ref_is_a_branch_a_tag_or_neither() {
        let main = Ref { branch: Some("a/b".into()), tag: None };
        assert_eq!(Ref::full("refs/heads/a/b"), main);
        assert_eq!(Ref::short("a/b", "branch"), main);
        assert_eq!(Ref::short("refs/heads/a/b", "branch"), main);
        assert_eq!(Ref::full("refs/tags/v1"), Ref { branch: None, tag: Some("v1".into()) });
        for other in ["refs/notes/x", "main", "", "refs/heads/"] {
            assert_eq!(Ref::full(other), Ref::default(), "{other}");
        }
    }

    #[test]
    fn an_event_header_that_says_nothing_is_missing() {
        let name = HeaderName::from_static("x-event");
        for (text, read) in [("push", Some("push")), ("", None), (" ", None)] {
            let headers = HeaderMap::from_iter([(name.clone(), text.parse().expect("lawful"))]);
            assert_eq!(event_header(&headers, &name).ok().as_deref(), read);
        }
    }

    #[test]
    fn zeros_are_no_commit() {
        let body = Value::parse_json(br#"{"a": "0000", "b": "00a0", "c": "", "d": 1}"#);
        let body = body.expect("JSON");
        assert_eq!(commit_id(&body, &["b"]).as_deref(), Some("00a0"));
        for name in ["a", "c", "d", "e"] {
            assert_eq!(commit_id(&body, &[name]), None, "{name}");
        }
    }
}
