//! What a body shows by itself of its kind of event. Forges name the event in a header that they do not sign, so
//! that whoever can read a request can send it again under another name. Where the body has the shape of one
//! kind of event alone, the name must be that one.

use http::HeaderName;

use crate::model::Value;
use crate::providers::DecodeFault;

/// Fields that only bodies of these events have together on their top level, and fields that they do not have.
struct Shape {
    has: &'static [&'static str],
    lacks: &'static [&'static str],
    events: &'static [&'static str],
}

/// The shape of a push of every forge that took over GitHub's.
const PUSH: Shape =
    Shape { has: &["ref", "before", "after", "commits"], lacks: &[], events: &["push"] };

/// Shapes of GitHub's events. The first that fits counts. Every example that GitHub publishes fits the shape of
/// its own event, or none.
const OF_GITHUB: [Shape; 11] = [
    PUSH,
    Shape { has: &["ref", "ref_type", "master_branch"], lacks: &[], events: &["create"] },
    Shape { has: &["ref", "ref_type"], lacks: &["master_branch"], events: &["create", "delete"] },
    Shape { has: &["zen", "hook_id"], lacks: &[], events: &["ping"] },
    Shape { has: &["action", "release"], lacks: &[], events: &["release"] },
    Shape {
        has: &["action", "workflow_run", "workflow"],
        lacks: &["deployment", "deployment_status"],
        events: &["workflow_run"],
    },
    Shape { has: &["action", "workflow_job"], lacks: &["deployment"], events: &["workflow_job"] },
    Shape {
        has: &["action", "review", "pull_request"],
        lacks: &[],
        events: &["pull_request_review"],
    },
    Shape {
        has: &["action", "comment", "pull_request"],
        lacks: &["issue"],
        events: &["pull_request_review_comment"],
    },
    Shape { has: &["action", "comment", "issue"], lacks: &[], events: &["issue_comment"] },
    Shape { has: &["action", "number", "pull_request"], lacks: &[], events: &["pull_request"] },
];

/// Checks the name that a header gives to an event of GitHub.
///
/// # Errors
/// [`DecodeFault::Contradicts`] where the body is that of another event.
pub(super) fn check_github(
    header: &HeaderName,
    name: &str,
    body: &Value,
) -> Result<(), DecodeFault> {
    check(&OF_GITHUB, header, name, body)
}

/// Checks the name that a header gives to an event of a forge whose pushes look like GitHub's.
///
/// # Errors
/// [`DecodeFault::Contradicts`] where the body is that of a push, and the name is not.
pub(super) fn check_push(header: &HeaderName, name: &str, body: &Value) -> Result<(), DecodeFault> {
    check(&[PUSH], header, name, body)
}

fn check(
    shapes: &[Shape],
    header: &HeaderName,
    name: &str,
    body: &Value,
) -> Result<(), DecodeFault> {
    let has = |field: &&str| body.get(field).is_some();
    let fits = |shape: &&Shape| shape.has.iter().all(has) && !shape.lacks.iter().any(has);
    match shapes.iter().find(fits) {
        Some(shape) if !shape.events.contains(&name) => {
            Err(DecodeFault::Contradicts { header: header.clone(), event: shape.events[0] })
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVENT: HeaderName = HeaderName::from_static("x-github-event");

    fn judge(name: &str, body: &str) -> Option<&'static str> {
        let body = Value::parse_json(body.as_bytes()).expect("JSON");
        match check_github(&EVENT, name, &body) {
            Err(DecodeFault::Contradicts { event, .. }) => Some(event),
            _ => None,
        }
    }

    #[test]
    fn a_body_that_shows_its_event_goes_under_no_other_name() {
        let push = include_str!("../samples/github-push.json");
        let pull = include_str!("../samples/github-pull-request.json");
        assert_eq!(judge("push", push), None);
        assert_eq!(judge("pull_request", pull), None);
        for name in ["pull_request", "release", "create", "fork", "anything", "ping"] {
            assert_eq!(judge(name, push), Some("push"), "{name}");
        }
        for name in ["push", "release", "ping", "workflow_run"] {
            assert_eq!(judge(name, pull), Some("pull_request"), "{name}");
        }
    }

    #[test]
    fn a_body_that_shows_no_event_goes_under_any_name() {
        for body in ["{}", "[]", "1", r#"{"ref": "main", "inputs": {}}"#, r#"{"action": "x"}"#] {
            assert_eq!(judge("push", body), None, "{body}");
            assert_eq!(judge("workflow_dispatch", body), None, "{body}");
        }
    }
}
