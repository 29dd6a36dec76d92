//! From evidence to one of four outcomes. Pure: a status, a body or the way a connection ended go
//! in, what is known comes out.
//!
//! The start call is not idempotent and tells nothing afterwards, so whatever does not prove a
//! start or its absence is unknown. What each status means follows the vendor's page and what
//! clients of this API have met (502 with the work done, 400 for a job that is already running).

use std::time::Duration;

use jiff::Timestamp;

use super::http_date::http_date;
use super::redact::Redactor;
use crate::model::Outcome;

/// Longest engine id that is believed.
const LONGEST_ID: usize = 256;
/// Longest rest that a workbench may ask for.
pub(crate) const LONGEST_REST: Duration = Duration::from_secs(3600);

/// Why there is no engine although the workbench named one.
pub(super) const KEY_FOR_ENGINE: &str =
    "the workbench showed the API key in the place of the engine's name, which is not kept";

/// What is known after a reply.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Known {
    pub(super) outcome: Outcome,
    pub(super) engine_id: Option<String>,
    pub(super) reason: String,
    pub(super) key_refused: bool,
}

impl Known {
    pub(super) fn new(outcome: Outcome, reason: impl Into<String>) -> Self {
        Self { outcome, engine_id: None, reason: reason.into(), key_refused: false }
    }

    /// The same without the key. An engine whose name holds it cannot be named, and a reply that
    /// shows the key says nothing that could be relied on.
    pub(super) fn without_key(self, redactor: &Redactor) -> Self {
        if self.engine_id.as_deref().is_some_and(|id| redactor.finds(id)) {
            return Self::new(Outcome::Unknown, KEY_FOR_ENGINE);
        }
        Self { reason: redactor.clean(&self.reason), ..self }
    }
}

/// What a reply says. `body` is an error when it could not be read to its end.
pub(super) fn known(status: u16, location: Option<&str>, body: Result<&[u8], String>) -> Known {
    use Outcome::{NotStartedForGood, NotStartedForNow, Unknown};
    match status {
        200..=299 => success(status, body),
        300..=399 => Known::new(NotStartedForGood, redirect(status, location)),
        400 if body.as_deref().is_ok_and(already_active) => Known::new(
            NotStartedForNow,
            "the workbench says that a run of this job is already active",
        ),
        401 => Known {
            key_refused: true,
            ..Known::new(
                NotStartedForGood,
                "the workbench did not accept the API key (401); put the right key in its place",
            )
        },
        403 => Known::new(
            NotStartedForGood,
            "the key's user may not start this job (403); give it access to the project",
        ),
        404 => Known::new(
            NotStartedForGood,
            "the workbench knows no such project or job (404), or its API has another prefix; check \
             project, job and api_prefix against the job's address in the browser",
        ),
        409 => Known::new(NotStartedForNow, "the workbench is busy or out of quota (409)"),
        429 => Known::new(NotStartedForNow, "the workbench asks for fewer requests (429)"),
        503 => Known::new(NotStartedForNow, "the workbench is not available (503)"),
        400..=499 | 501 => {
            Known::new(NotStartedForGood, format!("the workbench refused the request ({status})"))
        }
        _ => Known::new(
            Unknown,
            format!("the workbench answered {status}, which it also does when the job was started"),
        ),
    }
}

fn success(status: u16, body: Result<&[u8], String>) -> Known {
    let unknown = |why: String| Known::new(Outcome::Unknown, why);
    let body = match body {
        Ok(body) => body,
        Err(why) => return unknown(format!("the reply ({status}) could not be read: {why}")),
    };
    let Ok(reply) = serde_json::from_slice::<serde_json::Value>(body) else {
        return unknown(format!("the reply ({status}) is not JSON and names no engine"));
    };
    if reply.get("status").and_then(|status| status.as_str()) == Some("ENGINE_SKIPPED") {
        return Known::new(
            Outcome::NotStartedForNow,
            "the workbench skipped the run, since one of this job is active",
        );
    }
    match reply.get("engine_id").and_then(|id| id.as_str()) {
        Some(id) if usable(id) => Known {
            engine_id: Some(id.to_owned()),
            ..Known::new(Outcome::Started, format!("started as engine {id}"))
        },
        _ => unknown(format!("the reply ({status}) names no engine_id")),
    }
}

/// The engine of the latest run in a job's description, where that run's variables name this run of
/// ours. Public client code reads `latest.status` there; whether a workbench tells the variables
/// too is not known, and where it does not, nothing is concluded.
pub(super) fn names(description: &[u8], run: &str) -> Result<String, String> {
    let description: serde_json::Value =
        serde_json::from_slice(description).map_err(|_| "the reply is not JSON".to_owned())?;
    let latest = &description["latest"];
    if latest["environment"]["GATEWAY_RUN_ID"].as_str() != Some(run) {
        return Err("the job's latest run does not say that it is this one".to_owned());
    }
    match latest["engine_id"].as_str().or_else(|| latest["id"].as_str()) {
        Some(id) if usable(id) => Ok(id.to_owned()),
        _ => Err("the job's latest run names no engine".to_owned()),
    }
}

fn usable(id: &str) -> bool {
    !id.is_empty() && id.len() <= LONGEST_ID && !id.chars().any(char::is_control)
}

fn already_active(body: &[u8]) -> bool {
    let text = String::from_utf8_lossy(&body[..body.len().min(4096)]).into_owned();
    text.contains("already active")
}

fn redirect(status: u16, location: Option<&str>) -> String {
    let to = location.and_then(|location| reqwest::Url::parse(location).ok());
    let hint = match &to {
        Some(url) if url.scheme() == "https" => {
            "; if it only asks for https, write the https:// address as the workbench's url"
        }
        _ => "",
    };
    let host = to.and_then(|url| url.host_str().map(str::to_owned));
    let whither = host.map(|host| format!(" to {host}")).unwrap_or_default();
    format!("the workbench redirects{whither} ({status}), which is never followed with a key{hint}")
}

/// The rest that a `Retry-After` header asks for: seconds or an HTTP date (RFC 9110, 10.2.3).
/// Anything else asks for nothing. `now` is the sender's.
pub(super) fn retry_after(value: &str, now: Timestamp) -> Option<Duration> {
    let value = value.trim();
    let asked = if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        // Too many digits to count ask for longer than anybody gets.
        value.parse().map_or(LONGEST_REST, Duration::from_secs)
    } else {
        crate::clock::between(now, http_date(value, now)?)
    };
    Some(asked.min(LONGEST_REST))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(status: u16, body: &str) -> Outcome {
        known(status, None, Ok(body.as_bytes())).outcome
    }

    #[test]
    fn only_an_engine_id_proves_a_start() {
        assert_eq!(outcome(200, r#"{"engine_id":"cwg6wclmg0x482u0"}"#), Outcome::Started);
        assert_eq!(outcome(202, r#"{"engine_id":"a","extra":1}"#), Outcome::Started);
        for body in ["", "{}", "<html>", r#"{"engine_id":7}"#, r#"{"engine_id":""}"#, "[]"] {
            assert_eq!(outcome(200, body), Outcome::Unknown, "{body}");
        }
        assert_eq!(outcome(204, ""), Outcome::Unknown);
        let cut = known(200, None, Err("cut off".to_owned()));
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
    fn a_gateway_error_never_counts_as_not_started() {
        for status in [500, 502, 504, 505, 599] {
            assert_eq!(outcome(status, "{}"), Outcome::Unknown, "{status}");
        }
    }

    #[test]
    fn a_busy_workbench_is_asked_again() {
        for status in [409, 429, 503] {
            assert_eq!(outcome(status, ""), Outcome::NotStartedForNow, "{status}");
        }
        let active = r#"{"message":"job run for job 7 already active","code":9}"#;
        assert_eq!(outcome(400, active), Outcome::NotStartedForNow);
        assert_eq!(outcome(200, r#"{"status":"ENGINE_SKIPPED"}"#), Outcome::NotStartedForNow);
    }

    #[test]
    fn a_refusal_and_a_redirect_are_for_good() {
        for status in [301, 302, 307, 308, 400, 401, 403, 404, 413, 415, 422, 501] {
            assert_eq!(outcome(status, "{}"), Outcome::NotStartedForGood, "{status}");
        }
        let moved = known(301, Some("https://cdsw.example.com/x?key=1"), Ok(b""));
        assert!(moved.reason.contains("cdsw.example.com") && !moved.reason.contains("key=1"));
    }

    #[test]
    fn a_rest_is_asked_for_in_seconds_or_by_date_within_bounds() {
        let now: Timestamp = "1994-11-06T08:49:07Z".parse().expect("a time");
        assert_eq!(retry_after("120", now), Some(Duration::from_secs(120)));
        let date = "Sun, 06 Nov 1994 08:49:37 GMT";
        assert_eq!(retry_after(date, now), Some(Duration::from_secs(30)));
        let date = "Sunday, 06-Nov-94 08:49:37 GMT";
        assert_eq!(retry_after(date, now), Some(Duration::from_secs(30)));
        assert_eq!(retry_after("Sun Nov  6 08:49:37 1994", now), Some(Duration::from_secs(30)));
        assert_eq!(retry_after("99999999", now), Some(LONGEST_REST));
        assert_eq!(retry_after("99999999999999999999999999", now), Some(LONGEST_REST));
        assert_eq!(retry_after("soon", now), None);
        assert_eq!(retry_after("-5", now), None);
    }
}
