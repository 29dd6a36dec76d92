//! What greetings have in common: a text that the gateway sends back. Its length and its characters are
//! limited, so that a stranger cannot use the answer for anything else.

use http::header::ALLOW;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};

use crate::authenticate::{Refusal, Unverified};
use crate::providers::{Greeting, Reply, form};

/// Longest text that is sent back, in bytes.
const LONGEST: usize = 1024;

/// The text, where it may be sent back: visible ASCII, not empty and not too long. Otherwise the
/// greeting is refused, and `name` says which field was at fault.
pub(super) fn challenge<'t>(name: &'static str, text: &'t str) -> Result<&'t str, Refusal> {
    let fits = !text.is_empty()
        && text.len() <= LONGEST
        && text.bytes().all(|byte| byte.is_ascii_graphic());
    if fits { Ok(text) } else { Err(Refusal::MissingField(name.into())) }
}

/// The text, where it may be sent back as plain text: visible ASCII and spaces, not empty and not too long.
/// For senders whose text is a sentence. Otherwise the greeting is refused, and `name` says which field was
/// at fault.
pub(super) fn sentence<'t>(name: &'static str, text: &'t str) -> Result<&'t str, Refusal> {
    let plain = |byte: u8| byte.is_ascii_graphic() || byte == b' ';
    let fits = !text.trim().is_empty() && text.len() <= LONGEST && text.bytes().all(plain);
    if fits { Ok(text) } else { Err(Refusal::MissingField(name.into())) }
}

/// A field of the query string. None where it is absent; refused where it occurs twice.
pub(super) fn in_query(query: &str, name: &'static str) -> Option<Result<String, Refusal>> {
    form::query_field(query, name).transpose()
}

/// The permission for which a sender of CloudEvents asks with an OPTIONS request, before it sends anything (HTTP 1.1
/// Web Hooks for Event Delivery, section 4). The gateway allows what it is asked for: the source's own `rate`
/// limits deliveries. The address in `WebHook-Request-Callback` is never called.
pub(super) fn permission(request: &Unverified<'_>) -> Option<Result<Greeting, Refusal>> {
    const LONGEST_ORIGIN: usize = 256;
    let origin = one(request.headers, "webhook-request-origin")?;
    let is_name = origin.to_str().is_ok_and(|origin| !origin.is_empty());
    if *request.method != Method::OPTIONS || !is_name || origin.len() > LONGEST_ORIGIN {
        return None;
    }
    let rate = one(request.headers, "webhook-request-rate").filter(|rate| is_rate(rate));
    let any_rate = HeaderValue::from_static("*");
    let name = HeaderName::from_static;
    let reply = Reply::empty(StatusCode::OK)
        .with(ALLOW, HeaderValue::from_static("POST"))
        .with(name("webhook-allowed-origin"), origin.clone())
        .with(name("webhook-allowed-rate"), rate.cloned().unwrap_or(any_rate));
    Some(Ok(Greeting::new("a request for permission", reply)))
}

/// The header of this name, unless there are several.
fn one<'h>(headers: &'h HeaderMap, name: &'static str) -> Option<&'h HeaderValue> {
    let mut values = headers.get_all(name).iter();
    values.next().filter(|_| values.next().is_none())
}

/// Whether it is a number of requests a minute, greater than zero.
fn is_rate(rate: &HeaderValue) -> bool {
    let text = rate.to_str().unwrap_or_default();
    text.len() <= 10 && text.parse::<u64>().is_ok_and(|rate| rate > 0) && !text.starts_with('+')
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    /// Allowed origin and rate of a request with these headers.
    fn allowed(method: &Method, given: &[(&'static str, &str)]) -> Option<(String, String)> {
        let mut headers = HeaderMap::new();
        for (name, value) in given {
            headers.append(*name, value.parse().expect("lawful"));
        }
        let (headers, body) = (&headers, &Bytes::new());
        let request = Unverified { method, path: "/", rest: "", query: "", headers, body };
        let reply = permission(&request)?.expect("allowed").reply;
        let of = |name: &str| {
            let found = reply.headers.iter().find(|(given, _)| given.as_str() == name);
            found.and_then(|(_, value)| value.to_str().ok()).expect("a header").to_owned()
        };
        Some((of("webhook-allowed-origin"), of("webhook-allowed-rate")))
    }

    #[test]
    fn an_origin_gets_the_rate_that_it_asks_for() {
        let origin = ("webhook-request-origin", "eventemitter.example.com");
        let told = |rate: &str| Some((origin.1.to_owned(), rate.to_owned()));
        assert_eq!(allowed(&Method::OPTIONS, &[origin]), told("*"));
        let rate = |rate| allowed(&Method::OPTIONS, &[origin, ("webhook-request-rate", rate)]);
        assert_eq!(rate("120"), told("120"));
        for odd in ["0", "-1", "+1", "1.5", "many", "99999999999", ""] {
            assert_eq!(rate(odd), told("*"), "{odd}");
        }
    }

    #[test]
    fn what_does_not_ask_for_permission_gets_none() {
        let origin = ("webhook-request-origin", "eventemitter.example.com");
        assert_eq!(allowed(&Method::GET, &[origin]), None);
        assert_eq!(allowed(&Method::OPTIONS, &[]), None);
        assert_eq!(allowed(&Method::OPTIONS, &[origin, origin]), None);
        let long = "a".repeat(257);
        assert_eq!(allowed(&Method::OPTIONS, &[("webhook-request-origin", &long)]), None);
    }
}
