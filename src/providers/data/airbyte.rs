//! Airbyte's notifications. It neither signs nor sends custom headers, so the secret must be in the address.
//! It is neither stored nor shown.
//!
//! The body is a message for Slack, with what it tells of as `data` (`SyncSummary` in airbyte-platform's
//! `airbyte-notification`).

use http::HeaderMap;

use crate::model::Value;
use crate::providers::Handshake;
use crate::providers::about::{About, Group, Proven};
use crate::providers::described::Sender;
use crate::providers::mechanisms::FieldToken;

/// What the message of the button Test begins with.
const TEST: &str = "Hello World! This is a test from Airbyte";

static ADDRESS: FieldToken = FieldToken { query: "token" };

/// Airbyte.
pub(in crate::providers) static AIRBYTE: Sender = Sender {
    kind: Some(kind),
    done: Some(action),
    handshake: Some(test),
    samples: &[("sync", include_str!("../samples/airbyte.json"))],
    ..Sender::new("airbyte", "Airbyte", &ABOUT, &ADDRESS)
};

/// Messages about a connection that was disabled, or a schema that changed, have no `data`.
fn kind(_headers: &HeaderMap, body: &Value) -> Option<&'static str> {
    Some(if body.at(&["data", "jobId"]).is_some() { "sync" } else { "notification" })
}

/// A sync that waits for capacity has no end yet.
fn action(_headers: &HeaderMap, body: &Value) -> Option<&'static str> {
    let data = body.get("data")?;
    let success = data.get("success")?.as_bool()?;
    let ended = data.get("finishedAt").is_some_and(|at| !at.is_null());
    Some(match (success, ended) {
        (true, _) => "succeeded",
        (false, true) => "failed",
        (false, false) => "queued",
    })
}

fn test(_headers: &HeaderMap, body: &Value) -> Option<Handshake> {
    let is_test = body.get("data").is_none() && body.get("text")?.as_str()?.starts_with(TEST);
    is_test.then_some(Handshake::Acknowledge)
}

static ABOUT: About = About {
    group: Group::Data,
    setup: &[
        "In the workspace: Settings > Notifications. For successful syncs (and others that you want) switch \
         Webhook on, with the address `https://HOST/hooks/airbyte?token=SECRET`, and a long random text as \
         the secret; `https://HOST/hooks/airbyte/SECRET` does too.",
        "Press Test there: it is acknowledged and starts nothing.",
    ],
    source: "provider: airbyte\nsecrets: [{ env: AIRBYTE_WEBHOOK_TOKEN }]",
    carries: "A sync is of kind `sync`, with the action `succeeded`, `failed` or `queued`; \
              `body.data.connection.name` says which, `body.data.recordsCommitted` what came of it. Other \
              messages are of kind `notification`. No delivery has an id; the digest of the body, which \
              has job and times, stands for it. Nothing is signed, and the secret stands in the logs of \
              whatever is in between.",
    yields: "",
    proven: Proven::Documented,
    sources: &[
        "https://docs.airbyte.com/cloud/managing-airbyte-cloud/manage-airbyte-cloud-notifications",
        "airbytehq/airbyte-platform, airbyte-notification",
    ],
};

#[cfg(test)]
mod tests {
    use super::*;

    fn told(body: &str) -> (Option<&'static str>, Option<&'static str>, bool) {
        let body = Value::parse_json(body.as_bytes()).expect("JSON");
        let none = HeaderMap::new();
        (kind(&none, &body), action(&none, &body), test(&none, &body).is_some())
    }

    #[test]
    fn a_sync_succeeded_failed_or_waits() {
        let sync = |rest: &str| told(&format!(r#"{{"text": "", "data": {{"jobId": 1, {rest}}}}}"#));
        let end = r#""finishedAt": "2026-11-23T09:00:00Z""#;
        assert_eq!(
            sync(&format!(r#""success": true, {end}"#)),
            (Some("sync"), Some("succeeded"), false)
        );
        assert_eq!(
            sync(&format!(r#""success": false, {end}"#)),
            (Some("sync"), Some("failed"), false)
        );
        let queued = sync(r#""success": false, "finishedAt": null"#);
        assert_eq!(queued, (Some("sync"), Some("queued"), false));
    }

    #[test]
    fn a_press_on_test_is_a_handshake_and_other_messages_are_not() {
        let text = "Hello World! This is a test from Airbyte to try slack notification settings for sync \
                    successes.";
        assert_eq!(told(&format!(r#"{{"text": "{text}"}}"#)), (Some("notification"), None, true));
        let other = told(r#"{"text": "Your connection has been disabled"}"#);
        assert_eq!(other, (Some("notification"), None, false));
    }
}
