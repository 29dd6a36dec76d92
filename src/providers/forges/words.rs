//! What was done, in the words that all forges share, from each forge's own words. A word that no other forge has
//! stays as it is. Most of the shared words are GitHub's.

use std::sync::Arc;

use crate::model::{Status, Value};
use crate::providers::forges::facts::{commit_id, text};

const ATTRIBUTES: &str = "object_attributes";

/// GitHub. What a review says is its action, as on the other forges. A commit status has no action but its state.
pub(super) fn github(kind: &str, own: Option<Arc<str>>, body: &Value) -> Option<Arc<str>> {
    match kind {
        "pull_request_review" if own.as_deref() == Some("submitted") => {
            match &*text(body, &["review", "state"]).unwrap_or_default().to_ascii_lowercase() {
                "approved" => Some("approved".into()),
                "changes_requested" => Some("changes_requested".into()),
                "commented" => Some("reviewed".into()),
                _ => own,
            }
        }
        "status" => own.or_else(|| state(text(body, &["state"])?)),
        _ => own,
    }
}

/// Gitea, Forgejo and Gogs. `name` is the event's name, which says what a review was where its body does not.
pub(super) fn gitea(name: &str, own: Option<Arc<str>>, body: &Value) -> Option<Arc<str>> {
    let Some(own) = own else {
        return (name == "status").then(|| state(text(body, &["state"])?)).flatten();
    };
    Some(match &*own {
        "reviewed" => reviewed(name, body).into(),
        "synchronized" => "synchronize".into(),
        "label_updated" => "labeled".into(),
        "label_cleared" => "unlabeled".into(),
        "updated" if name == "release" => "edited".into(),
        _ => own,
    })
}

fn reviewed(name: &str, body: &Value) -> &'static str {
    let kind = text(body, &["review", "type"]);
    let kind = kind.as_deref().unwrap_or(name);
    if kind.ends_with("approved") {
        "approved"
    } else if kind.ends_with("rejected") {
        "changes_requested"
    } else {
        "reviewed"
    }
}

/// GitLab. Pipelines, jobs and deployments have a status and no action.
pub(super) fn gitlab(kind: &str, own: Option<Arc<str>>, body: &Value) -> Option<Arc<str>> {
    let Some(own) = own else {
        return gitlab_status(body).and_then(state);
    };
    let shared = match (&*own, kind) {
        ("open", _) => "opened",
        ("reopen", _) => "reopened",
        ("close" | "merge", _) => "closed",
        ("create", "release") => "published",
        ("create", _) => "created",
        ("delete", _) => "deleted",
        ("update", "pull_request") => updated(body),
        ("update", _) => "edited",
        _ => return Some(own),
    };
    Some(shared.into())
}

/// GitLab's own word for the status of a pipeline, job or deployment.
pub(super) fn gitlab_status(body: &Value) -> Option<Arc<str>> {
    match &*text(body, &["object_kind"])? {
        "pipeline" => text(body, &[ATTRIBUTES, "status"]),
        "build" => text(body, &["build_status"]),
        "deployment" => text(body, &["status"]),
        _ => None,
    }
}

/// What an update of a merge request changed. `oldrev` is there where it got new commits.
fn updated(body: &Value) -> &'static str {
    let changed = |field: &str, side: &str| body.at(&["changes", field, side]);
    if commit_id(body, &[ATTRIBUTES, "oldrev"]).is_some() {
        "synchronize"
    } else if let Some(labels) = changed("labels", "current").and_then(Value::as_list) {
        let before = changed("labels", "previous").and_then(Value::as_list).unwrap_or_default();
        let was = |label: &Value| before.iter().any(|old| old.get("title") == label.get("title"));
        if labels.iter().all(was) { "unlabeled" } else { "labeled" }
    } else {
        match changed("draft", "current").and_then(Value::as_bool) {
            Some(true) => "converted_to_draft",
            Some(false) => "ready_for_review",
            None => "edited",
        }
    }
}

/// A status's shared word, or the own one where it is not known.
pub(super) fn state(own: Arc<str>) -> Option<Arc<str>> {
    Some(Status::of(&own).map_or(own, |status| status.word().into()))
}
