//! Reads the replies of the Jobs API v1. Pure.

use serde_json::Value;

use crate::model::Outcome;
use crate::workbench::known::{Known, is_engine_id};
use crate::workbench::reply::Reply;

/// What is known after a successful reply to a start. Only an engine's id proves a start.
pub(super) fn success(reply: &Reply<'_>) -> Known {
    let status = reply.status;
    let unknown = |why: String| Known::new(Outcome::Unknown, why);
    let body = match &reply.body {
        Ok(body) => body,
        Err(why) => return unknown(format!("the reply ({status}) could not be read: {why}")),
    };
    let Ok(reply) = serde_json::from_slice::<Value>(body) else {
        return unknown(format!("the reply ({status}) is not JSON and names no engine"));
    };
    if reply.get("status").and_then(Value::as_str) == Some("ENGINE_SKIPPED") {
        return Known::new(
            Outcome::NotStartedForNow,
            "the workbench skipped the run, since one of this job is active",
        );
    }
    match reply.get("engine_id").and_then(Value::as_str) {
        Some(id) if is_engine_id(id) => Known::started(id),
        _ => unknown(format!("the reply ({status}) names no engine_id")),
    }
}

/// The engine of the latest run in a job's description, where the variables of that run name our run. Public
/// client code reads `latest.status` there. Whether every workbench also shows the variables is not known;
/// where one does not, nothing is concluded.
///
/// # Errors
/// A message for people: why the latest run cannot be identified as ours.
pub(super) fn names(description: &[u8], run: &str) -> Result<String, String> {
    let description: Value =
        serde_json::from_slice(description).map_err(|_| "the reply is not JSON".to_owned())?;
    let latest = &description["latest"];
    if latest["environment"]["GATEWAY_RUN_ID"].as_str() != Some(run) {
        return Err("the job's latest run does not say that it is this one".to_owned());
    }
    match latest["engine_id"].as_str().or_else(|| latest["id"].as_str()) {
        Some(id) if is_engine_id(id) => Ok(id.to_owned()),
        _ => Err("the job's latest run names no engine".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(status: u16, body: &str) -> Outcome {
        success(&Reply { status, location: None, body: Ok(body.as_bytes()) }).outcome
    }

    #[test]
    fn only_an_engine_id_proves_a_start() {
        assert_eq!(outcome(200, r#"{"engine_id":"cwg6wclmg0x482u0"}"#), Outcome::Started);
        assert_eq!(outcome(202, r#"{"engine_id":"a","extra":1}"#), Outcome::Started);
        for body in ["", "{}", "<html>", r#"{"engine_id":7}"#, r#"{"engine_id":""}"#, "[]"] {
            assert_eq!(outcome(200, body), Outcome::Unknown, "{body}");
        }
        assert_eq!(outcome(204, ""), Outcome::Unknown);
        let cut = success(&Reply { status: 200, location: None, body: Err("cut off".to_owned()) });
        assert_eq!(cut.outcome, Outcome::Unknown);
    }

    #[test]
    fn only_a_latest_run_that_names_ours_is_proof() {
        let found = |text: &str| names(text.as_bytes(), "r1");
        let ours = r#"{"latest":{"engine_id":"e","environment":{"GATEWAY_RUN_ID":"r1"}}}"#;
        assert_eq!(found(ours), Ok("e".to_owned()));
        for other in [
            r#"{"latest":{"engine_id":"e","environment":{"GATEWAY_RUN_ID":"r2"}}}"#,
            r#"{"latest":{"engine_id":"e","status":"running"}}"#,
            r#"{"latest":{"engine_id":"","environment":{"GATEWAY_RUN_ID":"r1"}}}"#,
            r#"{"latest":null}"#,
            "[]",
            "<html>",
        ] {
            assert!(found(other).is_err(), "{other}");
        }
    }

    #[test]
    fn a_skipped_run_is_asked_for_again() {
        assert_eq!(outcome(200, r#"{"status":"ENGINE_SKIPPED"}"#), Outcome::NotStartedForNow);
    }
}
