//! Maps the HTTP status of a reply to the outcome of a start. Shared by the job APIs. Pure.
//!
//! The start call is not idempotent, and no documented call gives its result afterwards. A reply that proves
//! neither a start nor its absence therefore means an unknown outcome. The meaning of each status follows the
//! vendor's page and the experience of clients of this API (502 although the job was started, 400 for a job
//! that is already running). Successful replies differ between the APIs, so each API reads its own.

use std::time::Duration;

use jiff::Timestamp;

use super::http_date::http_date;
use super::known::Known;
use crate::model::Outcome;

/// Longest wait that a workbench may ask for with `Retry-After`.
pub(crate) const LONGEST_REST: Duration = Duration::from_secs(3600);

/// A reply to a start request.
#[derive(Debug)]
pub(super) struct Reply<'a> {
    pub(super) status: u16,
    /// Where a redirect leads.
    pub(super) location: Option<&'a str>,
    /// An error when it could not be read to its end.
    pub(super) body: Result<&'a [u8], String>,
}

/// What is known after a reply. `success` reads a reply with a status of 2xx.
pub(super) fn known(reply: &Reply<'_>, success: impl FnOnce(&Reply<'_>) -> Known) -> Known {
    use Outcome::{NotStartedForGood, NotStartedForNow, Unknown};
    let status = reply.status;
    match status {
        200..=299 => success(reply),
        300..=399 => Known::new(NotStartedForGood, redirect(status, reply.location)),
        400 if reply.body.as_deref().is_ok_and(already_active) => Known::new(
            NotStartedForNow,
            "the workbench says that a run of this job is already active",
        ),
        401 => Known {
            key_refused: true,
            ..Known::new(
                NotStartedForNow,
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

/// The wait that a `Retry-After` header asks for, as seconds or as an HTTP date (RFC 9110, 10.2.3). `None`
/// for anything else. `now` is the time by the clock of the reply's sender.
pub(super) fn retry_after(value: &str, now: Timestamp) -> Option<Duration> {
    let value = value.trim();
    let asked = if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        // A number too large to parse is certainly above the longest wait.
        value.parse().map_or(LONGEST_REST, Duration::from_secs)
    } else {
        crate::clock::between(now, http_date(value, now)?)
    };
    Some(asked.min(LONGEST_REST))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(status: u16, location: Option<&str>, body: &str) -> Known {
        let reply = Reply { status, location, body: Ok(body.as_bytes()) };
        known(&reply, |_| unreachable!("{status} is no success"))
    }

    fn outcome(status: u16, body: &str) -> Outcome {
        said(status, None, body).outcome
    }

    #[test]
    fn a_success_is_read_by_the_api_alone() {
        for status in [200, 202, 204, 299] {
            let reply = Reply { status, location: None, body: Err("cut off".to_owned()) };
            assert_eq!(known(&reply, |_| Known::started("e")), Known::started("e"));
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
    }

    #[test]
    fn a_refusal_and_a_redirect_are_for_good() {
        for status in [301, 302, 307, 308, 400, 403, 404, 413, 415, 422, 501] {
            assert_eq!(outcome(status, "{}"), Outcome::NotStartedForGood, "{status}");
        }
        let moved = said(301, Some("https://cdsw.example.com/x?key=1"), "");
        assert!(moved.reason.contains("cdsw.example.com") && !moved.reason.contains("key=1"));
    }

    #[test]
    fn a_refused_key_is_no_reason_to_give_the_run_up() {
        let refused = said(401, None, "{}");
        assert_eq!((refused.outcome, refused.key_refused), (Outcome::NotStartedForNow, true));
        for status in [400, 403, 404, 407] {
            assert!(!said(status, None, "{}").key_refused, "{status}");
        }
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
