//! Answers to challenges are made with the secret that proves deliveries. None of them is the signature of
//! anything that the provider accepts as a delivery.

use std::path::Path;

use bytes::Bytes;
use cdsw_gateway::authenticate::{Refusal, Unverified};
use cdsw_gateway::model::Secret;
use cdsw_gateway::providers::{
    self, ChallengeToken, Options, Outgoing, Provider, Reply, Verification,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use jiff::Timestamp;
use proptest::prelude::*;

fn now() -> Timestamp {
    Timestamp::from_second(1_790_000_000).expect("in range")
}

fn all() -> impl Iterator<Item = &'static dyn Provider> {
    providers::names().map(|name| providers::find(name).expect("a provider"))
}

/// Every provider that answers a challenge with its secret.
fn countersigners() -> Vec<&'static dyn Provider> {
    all().filter(|provider| provider.countersign().is_some()).collect()
}

fn judge(
    provider: &dyn Provider,
    secret: &Secret,
    headers: &HeaderMap,
    body: &Bytes,
) -> Result<(), Refusal> {
    let path = format!("/hooks/{}", provider.name());
    let method = &Method::POST;
    let request = Unverified { method, path: &path, rest: "", query: "", headers, body };
    let secrets = std::slice::from_ref(secret);
    let options = Options::default();
    provider.authenticate(&request, &Verification::new(secrets, &options, now())).map(drop)
}

/// The body with the signature that the secret's holder would make.
fn signed(provider: &dyn Provider, secret: &Secret, body: &[u8]) -> HeaderMap {
    let path = format!("/hooks/{}", provider.name());
    let event = provider.sample_kind();
    let outgoing = Outgoing { method: &Method::POST, path: &path, event, body, access_token: None };
    let signed = provider.sign(&outgoing, secret, &Options::default(), "id-1", now());
    signed.expect("it signs").headers.into_iter().collect()
}

/// Every way to hand in the answer as a signature: each text of the reply, with each usual prefix, as hex
/// and as base64, in each header that the provider reads, beside a time that is right.
fn forgeries(provider: &dyn Provider, reply: &Reply) -> Vec<HeaderMap> {
    let json: serde_json::Value = serde_json::from_slice(&reply.body).expect("JSON");
    let texts = json.as_object().expect("fields").values().filter_map(|value| value.as_str());
    let mut signatures = Vec::new();
    for text in texts {
        let bare = text.rsplit_once("256=").map_or(text, |(_, bare)| bare);
        for prefix in ["", "sha256=", "v0=", "v1="] {
            signatures.push(format!("{prefix}{bare}"));
        }
    }
    let names = provider.signed_headers(&Options::default());
    let mut forged = Vec::new();
    for signature in signatures {
        for place in &names {
            let mut headers = HeaderMap::new();
            for name in &names {
                let time = now().as_second().to_string();
                let value = if name == place { signature.clone() } else { time };
                headers.insert(name, HeaderValue::from_str(&value).expect("text"));
            }
            forged.push(headers);
        }
    }
    forged
}

/// Every body that the text of a token may stand for.
fn bodies(token: &str) -> Vec<Bytes> {
    let time = now().as_second();
    let bodies = [
        token.to_owned(),
        format!(" {token}"),
        format!("{token}\n"),
        format!("\"{token}\""),
        format!("[{token}]"),
        format!("{{\"a\": {token}}}"),
        format!("v0:{time}:{token}"),
        format!("{time}.{token}"),
        token.split_once(':').map_or("", |(_, rest)| rest).to_owned(),
        String::new(),
    ];
    bodies.into_iter().map(Bytes::from).collect()
}

fn tokens() -> impl Strategy<Value = String> {
    prop_oneof![
        "[A-Za-z0-9_=.+/-]{1,40}",
        "-?[0-9]{1,12}(\\.[0-9]{1,3})?(e[0-9]{1,2})?",
        Just("true".to_owned()),
        Just("null".to_owned()),
        "\\{\"[a-z]{1,4}\": ?[0-9]{1,3}\\}",
        "v0:1790000000:\\{\"a\":[0-9]\\}",
        "v0:1790000000:[0-9]{1,5}",
        "\\[[0-9]{0,3}\\]",
        "\"[a-z]{0,5}\"",
        "\\PC{0,20}",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn no_answer_to_a_challenge_is_the_signature_of_a_delivery(text in tokens()) {
        for provider in countersigners() {
            let secret = provider.sample_secret();
            let Ok(token) = ChallengeToken::read("token", &text) else { continue };
            let reply = provider.prove_back(&token, &secret).expect("an answer");
            for body in bodies(&text) {
                for headers in forgeries(provider, &reply) {
                    let verdict = judge(provider, &secret, &headers, &body);
                    prop_assert!(verdict.is_err(), "{}: {text:?} {headers:?}", provider.name());
                }
            }
        }
    }

    #[test]
    fn a_body_that_could_be_a_challenge_is_refused_however_it_is_signed(text in tokens()) {
        for provider in countersigners() {
            let secret = provider.sample_secret();
            let headers = signed(provider, &secret, text.as_bytes());
            let verdict = judge(provider, &secret, &headers, &Bytes::from(text.clone()));
            let may_be_signed = ChallengeToken::read("token", &text).is_ok();
            prop_assert!(!(may_be_signed && verdict.is_ok()), "{}: {text:?}", provider.name());
        }
    }
}

#[test]
fn those_that_answer_challenges_still_accept_their_samples() {
    let providers = countersigners();
    assert!(providers.len() >= 2, "{}", providers.len());
    for provider in providers {
        assert!(provider.signs_body(&Options::default()), "{}", provider.name());
        let secret = provider.sample_secret();
        let sample = provider.sample(provider.sample_kind()).expect("a sample");
        let headers = signed(provider, &secret, sample.as_bytes());
        let verdict = judge(provider, &secret, &headers, &Bytes::from_static(sample.as_bytes()));
        assert_eq!(verdict, Ok(()), "{}", provider.name());
    }
}

/// A greeting of any provider, made with this secret, to requests that hold a challenge wherever senders
/// put one.
fn greeted(provider: &dyn Provider, secret: &str, method: &Method) -> Option<Vec<u8>> {
    let secrets = [Secret::new(secret)];
    let challenges = [
        "x-okta-verification-challenge",
        "webhook-request-origin",
        "x-hook-secret",
        "x-event-key",
        "x-challenge",
    ];
    let headers = challenges.map(|name| {
        let text = if name == "x-event-key" { "diagnostics:ping" } else { "abc" };
        (HeaderName::from_static(name), HeaderValue::from_static(text))
    });
    let headers = HeaderMap::from_iter(headers);
    let query = "crc_token=abc&challenge=abc&token=abc&hub.challenge=abc&ssl_check=1";
    let body = Bytes::from_static(br#"{"verification_token": "abc", "challenge": "abc"}"#);
    let path = format!("/hooks/{}", provider.name());
    let request =
        Unverified { method, path: &path, rest: "", query, headers: &headers, body: &body };
    let options = Options::default();
    let greeting = provider.greet(&request, &Verification::new(&secrets, &options, now()))?;
    greeting.ok().map(|greeting| greeting.reply.body)
}

#[test]
fn only_providers_that_say_so_answer_a_greeting_with_their_secret() {
    let mut answered = 0;
    for provider in all() {
        for method in [Method::GET, Method::POST, Method::OPTIONS, Method::HEAD, Method::PUT] {
            let [one, other] = ["one secret", "another"].map(|s| greeted(provider, s, &method));
            answered += usize::from(one.is_some());
            let says_so = provider.countersign().is_some();
            assert!(one == other || says_so, "{} {method}", provider.name());
        }
    }
    assert!(answered >= 6, "{answered}");
}

/// The files of `src/providers` in which texts are signed: the mechanisms, which sign samples, and the one
/// place where answers are made.
const SIGN: [&str; 3] = [
    "src/providers/countersign.rs",
    "src/providers/mechanisms/elements.rs",
    "src/providers/saas/hook0.rs",
];

#[test]
fn no_other_file_of_a_provider_signs_a_text() {
    let mut found = Vec::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src/providers")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = std::fs::read_to_string(&path).expect("text");
            if text.contains(" mac(") || text.contains("hmac::mac(") {
                let path = path.strip_prefix(env!("CARGO_MANIFEST_DIR")).expect("inside");
                found.push(path.display().to_string());
            }
        }
    }
    found.sort();
    assert_eq!(found, SIGN);
}
