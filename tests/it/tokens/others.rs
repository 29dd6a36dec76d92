//! Other senders that sign with public keys: Google Chat, Amazon SNS, Travis CI.

use bytes::Bytes;
use cdsw_gateway::authenticate::jwt::{Algorithm, sign};
use cdsw_gateway::authenticate::{Refusal, Unverified};
use cdsw_gateway::model::{Secret, Value};
use cdsw_gateway::providers::{self, Options, Outgoing, Provider, Signed, Verification};
use http::{HeaderMap, Method};
use jiff::Timestamp;
use serde_json::{Value as Json, json};

use super::issuer::{NOW, bearer};

const METHOD: &Method = &Method::POST;

fn provider(name: &str) -> &'static dyn Provider {
    providers::find(name).expect("a provider")
}

fn judge_at(
    provider: &dyn Provider,
    options: &Options,
    headers: &HeaderMap,
    body: &[u8],
    now: i64,
) -> Option<&'static str> {
    let body = &Bytes::copy_from_slice(body);
    let request = Unverified { method: METHOD, path: "/", rest: "", query: "", headers, body };
    let now = Timestamp::from_second(now).expect("in range");
    let secrets = [provider.sample_secret()];
    let published = provider.sample_published(options);
    let verification =
        Verification { published: published.as_ref(), ..Verification::new(&secrets, options, now) };
    let verdict: Result<_, Refusal> = provider.authenticate(&request, &verification);
    verdict.err().map(|refusal| refusal.reason())
}

/// Why Google Chat's token with these claims is refused by an app with this audience.
fn chat(audience: &str, claims: &Json) -> Option<&'static str> {
    let chat = provider("google-chat");
    let options = Options { audience: vec![audience.to_owned()], ..Options::default() };
    let claims = Value::parse_json(claims.to_string().as_bytes()).expect("JSON");
    let token = sign(Algorithm::Rs256, &claims, &chat.sample_signer()).expect("it signs");
    judge_at(chat, &options, &bearer(&token), b"{}", NOW)
}

#[test]
fn google_chat_is_believed_by_project_number_or_by_address() {
    let account = "chat@system.gserviceaccount.com";
    let by_project = json!({ "iss": account, "aud": "1234567890", "exp": NOW + 60 });
    assert_eq!(chat("1234567890", &by_project), None);
    assert_eq!(chat("1234567891", &by_project), Some("wrong_claim"));
    let url = "https://hooks.example.com/hooks/chat";
    let google = "https://accounts.google.com";
    let by_address = json!({ "iss": google, "aud": url, "exp": NOW + 60, "email": account,
        "email_verified": true });
    assert_eq!(chat(url, &by_address), None);
    assert_eq!(chat(url, &by_project), Some("wrong_claim"));
    for (name, value) in [
        ("email", json!("me@example.com")),
        ("email_verified", json!(false)),
        ("iss", json!(account)),
    ] {
        let mut claims = by_address.clone();
        claims[name] = value;
        assert_eq!(chat(url, &claims), Some("wrong_claim"), "{name}");
    }
}

#[test]
fn an_sns_certificate_is_good_from_its_first_day_to_its_last() {
    let sns = provider("aws-sns");
    let topics = vec!["arn:aws:sns:eu-west-1:123456789012:datasets".to_owned()];
    let options = Options { topics, ..Options::default() };
    let outgoing = Outgoing {
        method: METHOD,
        path: "/",
        event: "notification",
        body: b"hello",
        access_token: None,
    };
    let headers = HeaderMap::new();
    // From 2020-01-01 to 2099-12-31.
    for (at, verdict) in [
        (1_577_836_799, Some("key_not_valid")),
        (1_577_836_800, None),
        (4_102_444_799, None),
        (4_102_444_800, Some("key_not_valid")),
    ] {
        let now = Timestamp::from_second(at).expect("in range");
        let signed = sns.sign(&outgoing, &sns.sample_signer(), &options, "id", now);
        let body = signed.expect("it signs").body.expect("an envelope");
        assert_eq!(judge_at(sns, &options, &headers, &body, at), verdict, "{at}");
    }
}

#[test]
fn travis_signs_the_decoded_payload_however_the_form_spells_it() {
    let travis = provider("travis-ci");
    let sample = travis.sample("push").expect("a sample").as_bytes();
    let outgoing =
        Outgoing { method: METHOD, path: "/", event: "push", body: sample, access_token: None };
    let (options, secret) = (Options::default(), Secret::new("x"));
    let signed = travis.sign(&outgoing, &secret, &options, "id", Timestamp::UNIX_EPOCH);
    let Signed { headers, body, .. } = signed.expect("it signs its sample");
    let headers: HeaderMap = headers.into_iter().collect();
    let form = String::from_utf8(body.expect("a form")).expect("text");
    let refused = |body: &str| judge_at(travis, &options, &headers, body.as_bytes(), NOW);
    assert_eq!(refused(&form), None);
    assert_eq!(refused(&form.replace("%7B", "%7b")), None);
    assert_eq!(refused(&form.replace("main", "mail")), Some("bad_signature"));
    for body in [format!("{form}&x=1"), format!("x=1&{form}"), String::new()] {
        assert_eq!(refused(&body), Some("malformed_body"), "{body}");
    }
    assert_eq!(refused(str::from_utf8(sample).expect("text")), Some("malformed_body"));
}

/// Why a push of Pub/Sub is refused whose token has these claims beside issuer and expiry.
fn push(claims: &Json) -> Option<&'static str> {
    use cdsw_gateway::model::{Claims, Patterns};

    let pubsub = provider("pubsub");
    let account = Patterns::parse(&["push@acme.iam.gserviceaccount.com".to_owned()]);
    let options = Options {
        audience: vec!["https://hooks.example.com/hooks/pubsub".to_owned()],
        required_claims: Claims::new(vec![("email".into(), account.expect("a literal"))]),
        ..Options::default()
    };
    assert_eq!(pubsub.check_options(&options), Vec::<String>::new());
    let mut all = json!({ "iss": "https://accounts.google.com", "exp": NOW + 60 });
    all.as_object_mut().expect("a map").extend(claims.as_object().expect("a map").clone());
    let claims = Value::parse_json(all.to_string().as_bytes()).expect("JSON");
    let token = sign(Algorithm::Rs256, &claims, &pubsub.sample_signer()).expect("it signs");
    judge_at(pubsub, &options, &bearer(&token), b"{\"message\": {}}", NOW)
}

#[test]
fn pub_sub_is_believed_for_its_audience_and_its_service_account_alone() {
    let good = json!({ "aud": "https://hooks.example.com/hooks/pubsub", "email_verified": true,
        "email": "push@acme.iam.gserviceaccount.com" });
    assert_eq!(push(&good), None);
    for (name, value) in [
        ("aud", json!("https://elsewhere.example.com")),
        ("email", json!("me@example.com")),
        ("email", Json::Null),
        ("email_verified", json!(false)),
        ("email_verified", json!("true")),
        ("email_verified", Json::Null),
        ("iss", json!("https://accounts.example.com")),
        ("exp", json!(NOW - 3600)),
    ] {
        let mut claims = good.clone();
        claims[name] = value.clone();
        assert!(push(&claims).is_some(), "{name}: {value}");
    }
}

#[test]
fn a_source_of_pub_sub_needs_audience_and_service_account() {
    let faults = |options: &Options| provider("pubsub").check_options(options).join(" ");
    assert!(faults(&Options::default()).contains("needs `audience`"));
    let audience = Options { audience: vec!["a".to_owned()], ..Options::default() };
    assert!(faults(&audience).contains("email"), "{}", faults(&audience));
}
