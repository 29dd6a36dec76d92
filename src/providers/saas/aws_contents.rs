//! What services of AWS tell each other: S3's records, events of EventBridge, alarms of CloudWatch. They come
//! as the message of an SNS notification, and from EventBridge itself.
//!
//! - S3: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html>
//! - EventBridge: <https://docs.aws.amazon.com/eventbridge/latest/ref/overiew-event-structure.html>
//! - CloudWatch: <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Notify_Users_Alarm_Changes.html>

use std::sync::Arc;

use crate::model::{GitFacts, Value};
use crate::providers::forges::facts::{Ref, commit_id, text};
use crate::providers::forges::images::image;
use crate::providers::s3;

/// One thing that a message tells of.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Content {
    /// Its kind: `eventName` of a record, `detail-type` of an event, `AlarmName` of an alarm.
    pub(super) kind: Arc<str>,
    /// What was done: the new state of an alarm.
    pub(super) action: Option<Arc<str>>,
}

/// The records of a message. Empty where it has none with a name.
pub(super) fn records(message: &Value) -> &[Value] {
    let all = message.get(s3::RECORDS).and_then(Value::as_list).unwrap_or_default();
    if all.iter().all(|record| text(record, &["eventName"]).is_some()) { all } else { &[] }
}

/// What a message tells of: one thing for each of its records, else one, or nothing that is known.
pub(super) fn contents(message: &Value) -> Vec<Content> {
    let of_record = |record| {
        let name = text(record, &["eventName"])?;
        Some(Content { kind: s3::word(&name).into(), action: None })
    };
    let all: Vec<Content> = records(message).iter().filter_map(of_record).collect();
    if !all.is_empty() {
        return all;
    }
    let event = || Some(Content { kind: text(message, &["detail-type"])?, action: None });
    let alarm = || {
        let action = text(message, &["NewStateValue"]);
        Some(Content { kind: text(message, &["AlarmName"])?, action })
    };
    event().or_else(alarm).into_iter().collect()
}

/// Whether it is the message that S3 sends when its notifications are set up.
pub(super) fn is_test(message: &Value) -> bool {
    message.get("Event").and_then(Value::as_str) == Some("s3:TestEvent")
}

/// The git facts of an event of EventBridge: those of an image in ECR, and of a branch or tag in CodeCommit.
pub(super) fn git_facts(event: &Value) -> Option<GitFacts> {
    let detail = event.get("detail")?;
    match event.get("source")?.as_str()? {
        "aws.ecr" => {
            let facts = image(text(detail, &["repository-name"]), text(detail, &["image-tag"]))?;
            let deleted = text(detail, &["action-type"]).as_deref() == Some("DELETE");
            Some(GitFacts { deleted, ..facts })
        }
        "aws.codecommit" => {
            let name = text(detail, &["referenceName"])?;
            let Ref { branch, tag } = Ref::short(&name, &text(detail, &["referenceType"])?);
            let deleted = text(detail, &["event"]).as_deref() == Some("referenceDeleted");
            let facts = GitFacts {
                repository: Some(text(detail, &["repositoryName"])?),
                branch,
                tag,
                sha: commit_id(detail, &["commitId"]).filter(|_| !deleted),
                before: commit_id(detail, &["oldCommitId"]),
                deleted,
                ..GitFacts::default()
            };
            Some(facts.of_own_ref())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(message: &str) -> Vec<(String, Option<String>)> {
        let message = Value::parse_json(message.as_bytes()).expect("JSON");
        let text = |text: Option<Arc<str>>| text.map(|text| text.to_string());
        let all = contents(&message).into_iter();
        all.map(|content| (content.kind.to_string(), text(content.action))).collect()
    }

    fn kind(name: &str) -> (String, Option<String>) {
        (name.to_owned(), None)
    }

    #[test]
    fn each_record_an_event_and_an_alarm_have_a_kind() {
        let records = r#"{"Records": [{"eventName": "ObjectCreated:Put"}, {"eventName": "s3:ObjectRemoved:Delete"}]}"#;
        assert_eq!(told(records), [kind("ObjectCreated:Put"), kind("ObjectRemoved:Delete")]);
        let event = r#"{"detail-type": "Object Created", "source": "aws.s3", "detail": {}}"#;
        assert_eq!(told(event), [kind("Object Created")]);
        let alarm = r#"{"AlarmName": "drift", "NewStateValue": "ALARM", "OldStateValue": "OK"}"#;
        assert_eq!(told(alarm), [("drift".to_owned(), Some("ALARM".to_owned()))]);
    }

    #[test]
    fn what_is_not_known_has_no_kind() {
        for message in [
            "null",
            "[]",
            "{}",
            r#"{"Records": []}"#,
            r#"{"Records": [{"eventName": 1}]}"#,
            r#"{"Records": [{"eventName": "a"}, {}]}"#,
            r#"{"detail-type": ""}"#,
        ] {
            assert_eq!(told(message), [], "{message}");
        }
    }

    #[test]
    fn an_image_and_a_branch_are_told_as_git_facts() {
        let facts = |text: &str| git_facts(&Value::parse_json(text.as_bytes()).expect("JSON"));
        let image = facts(
            r#"{"source": "aws.ecr", "detail-type": "ECR Image Action", "detail": {"result": "SUCCESS",
                "repository-name": "acme/risk", "action-type": "PUSH", "image-tag": "v7"}}"#,
        )
        .expect("facts");
        assert_eq!(
            (image.repository.as_deref(), image.tag.as_deref()),
            (Some("acme/risk"), Some("v7"))
        );
        let branch = facts(
            r#"{"source": "aws.codecommit", "detail": {"event": "referenceUpdated",
                "repositoryName": "risk", "referenceType": "branch", "referenceName": "main",
                "commitId": "3e5983", "oldCommitId": "a1b2c3"}}"#,
        )
        .expect("facts");
        assert_eq!(
            (branch.branch.as_deref(), branch.sha.as_deref()),
            (Some("main"), Some("3e5983"))
        );
        assert_eq!((branch.before.as_deref(), branch.deleted), (Some("a1b2c3"), false));
        assert_eq!(facts(r#"{"source": "aws.s3", "detail": {}}"#), None);
        assert_eq!(facts("{}"), None);
    }
}
