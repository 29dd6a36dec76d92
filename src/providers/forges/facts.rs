//! What the forges' payloads have in common: refs, commit ids, lists of changed files, and the structure of
//! GitHub's events, which other forges have adopted.

use std::collections::BTreeSet;
use std::sync::Arc;

use http::{HeaderMap, HeaderName};

use crate::model::{ChangedPaths, Files, GitFacts, PullRequest, Value};
use crate::providers::DecodeFault;

/// The fields in which a commit lists the files that it changes.
const FILE_LISTS: [&str; 3] = ["added", "modified", "removed"];

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
    Files::of(body, |body| {
        let lists = commits(body).iter().flat_map(|commit| {
            FILE_LISTS.into_iter().filter_map(|name| commit.get(name)?.as_list())
        });
        let files: BTreeSet<Arc<str>> =
            lists.flatten().filter_map(Value::as_arc_str).cloned().collect();
        files.into_iter().collect()
    })
}

/// How many entries a commit's file lists have. None where one of the lists is missing.
pub(in crate::providers) fn files_of(commit: &Value) -> Option<usize> {
    FILE_LISTS.into_iter().map(|name| commit.count_in(name)).sum()
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
    let sha = commit_id(body, &["sha"]).filter(|_| !deleted);
    let default_branch = facts.default_branch.or_else(|| text(body, &["master_branch"]));
    let paths = if deleted { no_paths() } else { ChangedPaths::default() };
    GitFacts { branch, tag, sha, deleted, paths, default_branch, ..facts }
}

/// The git facts of a `release` event with GitHub's structure. It does not name the released commit.
pub(in crate::providers) fn release(body: &Value, facts: GitFacts) -> GitFacts {
    GitFacts { tag: text(body, &["release", "tag_name"]), ..facts }
}

/// The git facts of a pull request event with GitHub's structure.
pub(in crate::providers) fn pull_request(
    body: &Value,
    action: Option<Arc<str>>,
    facts: GitFacts,
) -> GitFacts {
    let Some(pull) = body.get("pull_request") else {
        return facts;
    };
    let base = text(pull, &["base", "ref"]);
    let number = body.get("number").or_else(|| pull.get("number")).and_then(Value::as_u64);
    GitFacts {
        branch: base.clone(),
        sha: commit_id(pull, &["head", "sha"]),
        before: commit_id(body, &["before"]),
        pull_request: number.map(|number| PullRequest {
            number,
            action,
            base,
            head: text(pull, &["head", "ref"]),
            merged: flag(pull, &["merged"]),
        }),
        ..facts
    }
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
