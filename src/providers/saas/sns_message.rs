//! A message of Amazon SNS: what it says about its signature, and from where its certificate may be
//! fetched.

use std::time::Duration;

use jiff::Timestamp;

use crate::authenticate::Refusal;
use crate::authenticate::hmac::base64;
use crate::authenticate::keys::Scheme;
use crate::authenticate::timestamp::DEFAULT_TOLERANCE;
use crate::model::Value;
use crate::providers::Options;

pub(super) const NOTIFICATION: &str = "Notification";
pub(super) const SUBSCRIPTION: &str = "SubscriptionConfirmation";
pub(super) const UNSUBSCRIPTION: &str = "UnsubscribeConfirmation";

/// The signed fields of a notification, in signing order. `Subject` is skipped where it is absent.
pub(super) const OF_NOTIFICATION: &[&str] =
    &["Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"];
/// The signed fields of the two kinds of confirmation, in signing order.
const OF_CONFIRMATION: &[&str] =
    &["Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"];

const UNSIGNED: Refusal = Refusal::MalformedBody {
    expected: "a signed SNS message; raw message delivery has no signature",
};

/// How old a message may be, unless the source sets a tolerance. SNS sends a message again for an hour at
/// most.
const OLDEST: Duration = Duration::from_secs(2 * 3600);
/// The largest tolerance, in seconds: less than the 7 days for which repeats are recognised, so that no
/// message is accepted again after it was forgotten.
pub(super) const LONGEST_TOLERANCE: Duration = Duration::from_secs(6 * 24 * 3600);
/// Lengths of a signature in bytes: those of RSA keys of 1,024 to 4,096 bits.
const SIGNATURE_LENGTHS: std::ops::RangeInclusive<usize> = 128..=512;

/// Longest body that is parsed, in bytes. Messages have at most 256 KiB; escapes make the body longer.
const LARGEST: usize = 2 << 20;

/// Parses the message in a body. Nothing may come before or after the JSON object, so that it has only one
/// reading.
pub(super) fn body_of(body: &[u8]) -> Result<Value, Refusal> {
    let is_bare = body.starts_with(b"{") && body.ends_with(b"}") && body.len() <= LARGEST;
    is_bare.then(|| Value::parse_json(body).ok()).flatten().ok_or(UNSIGNED)
}

/// What a message says about its signature, after the checks that need no key.
pub(super) struct Message<'b> {
    pub(super) scheme: Scheme,
    pub(super) signature: Vec<u8>,
    /// The address of the certificate of its key.
    pub(super) certificate: &'b str,
    /// The fields that are signed.
    pub(super) fields: &'static [&'static str],
}

impl<'b> Message<'b> {
    pub(super) fn read(body: &'b Value, options: &Options) -> Result<Self, Refusal> {
        let need = |name| text(body, name).ok_or(UNSIGNED);
        let topic = need("TopicArn")?;
        if !options.topics.iter().any(|known| known == topic) {
            return Err(Refusal::unfit_claim("TopicArn"));
        }
        let host = host(topic).ok_or(UNSIGNED)?;
        let fields = match need("Type")? {
            NOTIFICATION => OF_NOTIFICATION,
            SUBSCRIPTION | UNSUBSCRIPTION => {
                at_host(need("SubscribeURL")?, &host).ok_or_else(|| strange("SubscribeURL"))?;
                OF_CONFIRMATION
            }
            _ => return Err(UNSIGNED),
        };
        let scheme = match need("SignatureVersion")? {
            "1" => Scheme::RsaSha1,
            "2" => Scheme::RsaSha256,
            _ => return Err(UNSIGNED),
        };
        let certificate = need("SigningCertURL")?;
        at_host(certificate, &host)
            .filter(|path| is_certificate(path))
            .ok_or_else(|| strange("SigningCertURL"))?;
        // Checked here, since a message without a signature must not cause a fetch.
        let signature = base64(need("Signature")?)
            .filter(|signature| SIGNATURE_LENGTHS.contains(&signature.len()))
            .ok_or(UNSIGNED)?;
        Ok(Self { scheme, signature, certificate, fields })
    }
}

/// Checks the time of a message whose signature is right. Its id is remembered for a limited time, so that an
/// older one could be a replay.
pub(super) fn check_time(body: &Value, options: &Options, now: Timestamp) -> Result<(), Refusal> {
    let sent = text(body, "Timestamp").and_then(|text| text.parse::<Timestamp>().ok());
    let sent = sent.ok_or(UNSIGNED)?;
    let age = now.duration_since(sent);
    let off = age.unsigned_abs();
    let oldest = options.tolerance.unwrap_or(OLDEST);
    if age.is_negative() {
        let tolerance = oldest.min(DEFAULT_TOLERANCE);
        return if off <= tolerance { Ok(()) } else { Err(Refusal::Future { off, tolerance }) };
    }
    if off <= oldest { Ok(()) } else { Err(Refusal::Stale { off, tolerance: oldest }) }
}

fn strange(field: &str) -> Refusal {
    Refusal::unfit_claim(field)
}

pub(super) fn text<'b>(body: &'b Value, name: &str) -> Option<&'b str> {
    body.get(name).and_then(Value::as_str)
}

/// The text that is signed: the signed fields, with each name and each value on a line of its own.
pub(super) fn signed_text(body: &Value, fields: &[&str]) -> Result<String, Refusal> {
    let mut signed = String::new();
    for name in fields {
        match body.get(name) {
            Some(Value::Text(value)) => signed.extend([name, "\n", value, "\n"]),
            None | Some(Value::Null) if *name == "Subject" => {}
            _ => return Err(UNSIGNED),
        }
    }
    Ok(signed)
}

/// The SNS host of the topic's region, from an ARN such as `arn:aws:sns:eu-west-1:123456789012:name`. Only
/// configured topics get here, so a stranger cannot choose the hosts that the gateway connects to.
pub(super) fn host(topic: &str) -> Option<String> {
    let parts: Vec<&str> = topic.split(':').collect();
    let [_, partition, "sns", region, account, name] = parts[..] else { return None };
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let is_arn = topic.starts_with("arn:aws") && !account.is_empty() && !name.is_empty();
    let end = match partition {
        "aws" | "aws-us-gov" => "amazonaws.com",
        "aws-cn" => "amazonaws.com.cn",
        _ => return None,
    };
    (is_arn && !region.is_empty() && region.chars().all(plain))
        .then(|| format!("sns.{region}.{end}"))
}

/// The part of an address after this host. None where the address has another scheme, host or port, or a
/// user.
fn at_host<'u>(url: &'u str, host: &str) -> Option<&'u str> {
    url.strip_prefix("https://")?.strip_prefix(host)?.strip_prefix('/')
}

fn is_certificate(path: &str) -> bool {
    let name = path.strip_suffix(".pem").unwrap_or_default();
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOPIC: &str = "arn:aws:sns:eu-west-1:123456789012:datasets";

    #[test]
    fn only_the_host_of_the_topics_region_is_asked_for_certificates() {
        let host = host(TOPIC).expect("an ARN");
        let good = |url: &str| at_host(url, &host).is_some_and(is_certificate);
        assert!(good("https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-a1.pem"));
        for url in [
            "http://sns.eu-west-1.amazonaws.com/a.pem",
            "https://sns.us-east-1.amazonaws.com/a.pem",
            "https://sns.eu-west-1.amazonaws.com:8443/a.pem",
            "https://sns.eu-west-1.amazonaws.com@evil.example.com/a.pem",
            "https://u@sns.eu-west-1.amazonaws.com/a.pem",
            "https://sns.eu-west-1.amazonaws.com.evil.example.com/a.pem",
            "https://sns.eu-west-1.amazonaws.com/a.pem?x",
            "https://sns.eu-west-1.amazonaws.com/a.pem#.pem",
            "https://sns.eu-west-1.amazonaws.com/../a.pem",
            "https://sns.eu-west-1.amazonaws.com/b/a.pem",
            "https://sns.eu-west-1.amazonaws.com/.pem",
            "https://sns.eu-west-1.amazonaws.com/a.txt",
            "HTTPS://sns.eu-west-1.amazonaws.com/a.pem",
        ] {
            assert!(!good(url), "{url}");
        }
    }

    #[test]
    fn a_message_is_taken_until_it_is_two_hours_old_or_as_old_as_the_source_allows() {
        let now: Timestamp = "2026-03-01T12:00:00Z".parse().expect("a time");
        let judge = |time: &str, tolerance: Option<u64>| {
            let body = Value::map(vec![("Timestamp", Value::text(time))]);
            let tolerance = tolerance.map(Duration::from_secs);
            let options = Options { tolerance, ..Options::default() };
            check_time(&body, &options, now).map_err(|refusal| refusal.reason())
        };
        assert_eq!(judge("2026-03-01T10:00:00.000Z", None), Ok(()));
        assert_eq!(judge("2026-03-01T09:59:59.999Z", None), Err("stale_timestamp"));
        assert_eq!(judge("2026-03-01T12:05:00Z", None), Ok(()));
        assert_eq!(judge("2026-03-01T12:05:01Z", None), Err("future_timestamp"));
        assert_eq!(judge("2026-02-27T12:00:00Z", Some(2 * 86_400)), Ok(()));
        assert_eq!(judge("2026-03-01T11:58:00Z", Some(60)), Err("stale_timestamp"));
        assert_eq!(judge("yesterday", None), Err("malformed_body"));
    }

    #[test]
    fn hosts_follow_the_partition_and_nothing_else_is_a_topic() {
        let china = "arn:aws-cn:sns:cn-north-1:123456789012:datasets";
        assert_eq!(host(china).as_deref(), Some("sns.cn-north-1.amazonaws.com.cn"));
        for topic in [
            "datasets",
            "arn:aws:sqs:eu-west-1:1:x",
            "arn:aws:sns:eu.west:1:x",
            "arn:aws:sns::1:x",
            "arn:other:sns:eu-west-1:1:x",
            "arn:aws:sns:eu-west-1:1:x:subscription",
        ] {
            assert_eq!(host(topic), None, "{topic}");
        }
    }
}
