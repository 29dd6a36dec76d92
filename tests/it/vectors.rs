//! Every signature vector gets the verdict that its source gives it.

use std::time::Duration;

use bytes::Bytes;
use cdsw_gateway::authenticate::hmac::Encoding;
use cdsw_gateway::authenticate::keys::KeySet;
use cdsw_gateway::authenticate::{Proof, Refusal, Unverified};
use cdsw_gateway::model::{Secret, Value};
use cdsw_gateway::providers::{self, Options, Provider, Published, Template, Verification};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use jiff::Timestamp;
use serde_json::Value as Json;

/// A time at which the certificates of the recorded SNS messages were valid. Their suites do not look
/// at that.
const IN_2013: i64 = 1_382_112_000;

/// The topic of those messages.
const TOPIC: &str = "arn:aws:sns:us-east-1:250214102493:Demo_App_Unsubscribes";

fn vectors() -> Vec<Json> {
    serde_json::from_str(include_str!("../vectors/signatures.json")).expect("the vectors are JSON")
}

fn provider(vector: &Json) -> &'static dyn Provider {
    let name = match text(vector, "provider").expect("a provider") {
        "generic-hmac" => "hmac",
        "generic-basic" => "basic",
        "generic-header-token" => "token",
        own => own,
    };
    providers::find(name).expect("a known provider")
}

fn options(vector: &Json) -> Options {
    let header = |name| text(vector, name).map(|text| text.parse().expect("a header name"));
    let by_prefix = text(vector, "alg") == Some("by-prefix");
    let older = (text(vector, "artifactory_mode") == Some("sha1-legacy")).then_some("sha1");
    let algorithm = text(vector, "alg").filter(|_| !by_prefix).or(older);
    let prefix = if by_prefix {
        Some("sha256=".to_owned())
    } else {
        flag(vector, "prefix_optional").then(|| format!("{}=", algorithm.expect("an algorithm")))
    };
    Options {
        access_token: text(vector, "bearer").is_some(),
        timed: flag(vector, "advanced"),
        allow_older: text(vector, "provider") == Some("hook0")
            || vector["headers"].get("X-HubSpot-Signature-Version").is_some(),
        public_url: url(vector).map(|(url, _)| url.to_owned()),
        unsigned: text(vector, "artifactory_mode") == Some("plain"),
        allow_sha1: flag(vector, "allow_sha1"),
        tolerance: vector.get("tolerance_s").and_then(Json::as_u64).map(Duration::from_secs),
        header: header("header"),
        prefix,
        prefix_optional: flag(vector, "prefix_optional"),
        separator: flag(vector, "comma_list").then_some(','),
        algorithm: algorithm.map(|name| name.parse().expect("an algorithm")),
        encoding: text(vector, "encoding").map(|name| name.parse::<Encoding>().expect("known")),
        template: text(vector, "template").map(|text| Template::parse(text).expect("a template")),
        timestamp_header: header("timestamp_header"),
        topics: (text(vector, "provider") == Some("aws-sns"))
            .then(|| TOPIC.to_owned())
            .into_iter()
            .collect(),
        user: vector.pointer("/secret/username").and_then(Json::as_str).map(str::to_owned),
        ..Options::default()
    }
}

/// The address that a vector was sent to, without and with its query string.
fn url(vector: &Json) -> Option<(&str, &str)> {
    let url = text(vector, "url")?;
    Some(url.split_once('?').unwrap_or((url, "")))
}

fn secrets(vector: &Json) -> Vec<Secret> {
    let password = vector.pointer("/secret/password").and_then(Json::as_str);
    let several = vector.get("secrets").and_then(Json::as_array).into_iter().flatten();
    let texts = several.filter_map(Json::as_str);
    texts.chain(password).chain(text(vector, "secret")).map(Secret::new).collect()
}

fn headers(vector: &Json) -> HeaderMap {
    let headers = vector["headers"].as_object().expect("headers");
    let pairs = headers.iter().map(|(name, value)| {
        let value = value.as_str().expect("a header is text");
        let name: HeaderName = name.parse().expect("a header name");
        (name, HeaderValue::from_str(value).expect("a header value"))
    });
    pairs.collect()
}

fn body(vector: &Json) -> String {
    match vector.get("body_gen") {
        Some(recipe) => {
            let count = recipe["count"].as_u64().expect("a count");
            let text = recipe["repeat"].as_str().expect("a text");
            text.repeat(usize::try_from(count).expect("a small count"))
        }
        None => text(vector, "body").expect("a body").to_owned(),
    }
}

fn verdict(vector: &Json) -> Result<Proof, Refusal> {
    let method: Method = text(vector, "method").expect("a method").parse().expect("a method");
    let (headers, body) = (headers(vector), body(vector));
    let request = Unverified {
        method: &method,
        path: "/hooks/vector",
        rest: "",
        query: url(vector).map_or("", |(_, query)| query),
        headers: &headers,
        body: &Bytes::copy_from_slice(body.as_bytes()),
    };
    let now = match vector.get("check_cert_dates") {
        Some(_) => IN_2013,
        None => vector.get("now").and_then(Json::as_i64).unwrap_or_default(),
    };
    let now = Timestamp::from_second(now).expect("a time in range");
    let (secrets, options) = (secrets(vector), options(vector));
    let token = text(vector, "bearer").map(Secret::new);
    let published = published(vector, &body);
    let verification = Verification {
        published: published.as_ref(),
        access_tokens: token.as_slice(),
        ..Verification::new(&secrets, &options, now)
    };
    provider(vector).authenticate(&request, &verification)
}

/// The certificate that a vector comes with, at the address that its message names.
fn published(vector: &Json, body: &str) -> Option<Published> {
    let keys = KeySet::from_pem(text(vector, "cert_pem")?.as_bytes()).expect("a certificate");
    let body: Json = serde_json::from_str(body).expect("JSON");
    let url = text(&body, "SigningCertURL").unwrap_or_default().into();
    Some(Published { url, keys })
}

fn text<'v>(vector: &'v Json, name: &str) -> Option<&'v str> {
    vector.get(name).and_then(Json::as_str)
}

fn flag(vector: &Json, name: &str) -> bool {
    vector.get(name).and_then(Json::as_bool).unwrap_or(false)
}

#[test]
fn every_vector_gets_its_verdict() {
    let vectors = vectors();
    let wrong: Vec<String> = vectors
        .iter()
        .filter_map(|vector| {
            let verdict = verdict(vector);
            let expected = text(vector, "expect") == Some("accept");
            (verdict.is_ok() != expected).then(|| format!("{}: {verdict:?}", vector["id"]))
        })
        .collect();
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), vectors.len(), wrong.join("\n"));
    assert_eq!(vectors.len(), 297);
}

#[test]
fn the_options_of_every_vector_are_ones_that_its_provider_takes() {
    for vector in vectors() {
        let faults = provider(&vector).check_options(&options(&vector));
        assert!(faults.is_empty(), "{}: {faults:?}", vector["id"]);
    }
}

#[test]
fn the_secret_of_every_accepted_vector_has_the_shape_that_its_provider_asks_for() {
    for vector in vectors().iter().filter(|vector| text(vector, "expect") == Some("accept")) {
        // Zendesk's vectors are made with the secret of its tests, which is refused on purpose.
        if text(vector, "provider") == Some("zendesk") {
            continue;
        }
        for secret in secrets(vector) {
            let checked = provider(vector).check_secret(&secret, &options(vector));
            assert_eq!(checked, Ok(()), "{}", vector["id"]);
        }
    }
}

#[test]
fn a_form_decodes_to_the_payload_that_its_vector_names() {
    let all = vectors();
    let mut forms = all.iter().filter(|vector| vector.get("decoded_payload").is_some()).peekable();
    assert!(forms.peek().is_some(), "a vector has a form");
    for vector in forms {
        let payload = text(vector, "decoded_payload").expect("text");
        let decoded = provider(vector).decode(&headers(vector), &body(vector).into());
        let expected = Value::parse_json(payload.as_bytes()).expect("JSON");
        assert_eq!(decoded.expect("a readable form").body, expected, "{}", vector["id"]);
    }
}

#[test]
fn a_refusal_never_shows_what_the_request_or_the_secret_holds() {
    for vector in vectors() {
        let Err(refusal) = verdict(&vector) else { continue };
        let shown = format!("{refusal} {refusal:?} {}", refusal.reason());
        let held = vector["headers"].as_object().expect("headers").values();
        let held = held.filter_map(Json::as_str).filter(|value| value.len() > 8);
        for value in held.chain(text(&vector, "secret").filter(|secret| secret.len() > 8)) {
            assert!(!shown.contains(value), "{}: {shown}", vector["id"]);
        }
    }
}
